/* foreign.h - calls of Lua by threads of C: handed to the state, and waited for.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_FOREIGN_H
#define LTW_FFI_FOREIGN_H

#include <pthread.h>

#include "ltw.h"
#include "task/tasks.h"

struct ltw_ffi;
struct ltw_scope;

/* Why the Lua function was not called. */
enum ltw_refusal { LTW_CALLED, LTW_REFUSED, LTW_REFUSED_LATE, LTW_REFUSED_HERE,
                   LTW_REFUSED_FREED, LTW_REFUSED_ROOM };

/* Where a state, or a thread of the pool for it, is inside C. */
struct ltw_cplace {
    _Atomic(void *) thread;     /* atomic: that called C last, which stores */
    _Atomic uint64_t calls;     /* atomic: likewise; odd: it is inside      */
    atomic_int astray;          /* atomic: enum ltw_refusal, of a call that was not
                                 * run; any thread stores                   */
    struct ltw_cplace *next, **at;   /* mutex: of all there are             */
};

/* Around the outermost call of C from a place.  Thread: the place's. */
static inline void ltw_cplace_step(struct ltw_cplace *p)
{
    /* order [ffi.calls] relaxed: one writer; others see whether it moves */
    uint64_t n = atomic_load_explicit(&p->calls, memory_order_relaxed);

    /* order [ffi.calls] relaxed: as above */
    atomic_store_explicit(&p->calls, n + 1, memory_order_relaxed);
}

static inline void ltw_cplace_enter(struct ltw_cplace *p)
{
    void *self = ltw_this_thread();

    /* order [ffi.thread] relaxed: an address, to be compared */
    if (atomic_load_explicit(&p->thread, memory_order_relaxed) != self)
        /* order [ffi.thread] relaxed: as above */
        atomic_store_explicit(&p->thread, self, memory_order_relaxed);
    ltw_cplace_step(p);
}

static inline void ltw_cplace_leave(struct ltw_cplace *p)
{
    ltw_cplace_step(p);
}

/* Is this thread inside C from there?  Thread: any. */
static inline bool ltw_cplace_is_here(const struct ltw_cplace *p)
{
    /* order [ffi.thread] relaxed: its own thread sees what it has stored */
    return atomic_load_explicit(&p->thread, memory_order_relaxed) == ltw_this_thread()
    /* order [ffi.calls] relaxed: likewise */
        && atomic_load_explicit(&p->calls, memory_order_relaxed) % 2 == 1;
}

/* Of one ffi; it outlives it while C may call. */
struct ltw_foreign;

/* One reference; the state's.  NULL: no memory.  Thread: the state's. */
struct ltw_foreign *ltw_foreign_new(struct ltw_state *state);
void ltw_foreign_ref(struct ltw_foreign *g);     /* thread: any */
void ltw_foreign_unref(struct ltw_foreign *g);   /* thread: any */
struct ltw_cplace *ltw_foreign_place(struct ltw_foreign *g);

/* From here on calls of other threads are taken, where the state has turns for them.
 * Thread: the state's. */
void ltw_foreign_open(struct ltw_foreign *g);

/* Answers all that wait, and refuses all others: C gets 0.  Safe twice.
 * Thread: the state's, before its tasks are freed. */
void ltw_foreign_close(struct ltw_foreign *g);
bool ltw_foreign_is_closed(const struct ltw_foreign *g);   /* thread: the state's */

/* All calls of the state's were answered: who waited has left, and so has its stack.
 * Thread: the state's. */
bool ltw_foreign_is_over(const struct ltw_state *state);

/* It is closed, and ffi.blocking calls yet.  Thread: the state's. */
bool ltw_foreign_is_leaving(const struct ltw_foreign *g);

/* A call on its way.  It lies on the stack of C's thread. */
struct ltw_foreign_call {
    void *callback;             /* constant; whose it is, while it waits */
    struct ltw_ffi *ffi;        /* constant                              */
    struct ltw_ctype *type;     /* constant                              */
    void *result, **values;     /* the state's thread, until it is over  */
    struct ltw_foreign *of;     /* from here on foreign.c's              */
    struct ltw_foreign_call *next, **at;
    enum { LTW_CALL_WAITS, LTW_CALL_RUNS, LTW_CALL_OVER } stage;   /* mutex */
    pthread_cond_t changed;
    bool is_awaited;            /* constant: within a call of ffi.blocking */
    bool failed;
    enum ltw_refusal why;
    int error;                  /* a reference, for who awaits it        */
};

/* Has the state call it, and waits.  refuses: only on its own thread.  What can't be
 * called is left, and told to the Lua code that calls C.
 * Thread: C's.  Blocks: until the function has returned. */
void ltw_foreign_run(struct ltw_foreign *g, struct ltw_foreign_call *e, bool refuses);

/* The callback is going: who waits for it is refused.  Thread: the state's. */
void ltw_foreign_drop(struct ltw_foreign *g, const void *callback);

/* [-0, +0, e]  Raises what was refused; LTW_CALLED: nothing. */
void ltw_foreign_raise(lua_State *L, enum ltw_refusal why);

/* A call of ffi.blocking: errors of what it calls back are its own. */
struct ltw_within {
    struct ltw_foreign *of;
    struct ltw_cplace place;    /* of this thread */
    bool failed;
    enum ltw_refusal refused;
    int error;                  /* a reference; LUA_NOREF: no memory for it   */
};

/* Around it.  Thread: the one that calls, which is not the state's. */
void ltw_foreign_enter(struct ltw_within *w, struct ltw_foreign *g);
void ltw_foreign_leave(struct ltw_within *w);

/* Counts calls that are prepared and not over.  Thread: any. */
void ltw_foreign_count(struct ltw_foreign *g, int more);

#endif

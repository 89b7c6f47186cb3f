/* blocking.c - calls of C that take long: in the pool, while the state goes on.
 *
 * Why in three steps: what the arguments are is found on the state's own thread, and so
 * is what the result is; the thread of the pool has no Lua in between.  A call keeps its
 * own memory, and the state that waits keeps what its arguments point to.
 *
 * A job of the pool has a thread of its own for the call: the pool might run it on that
 * of the job's state, which then would have no turn for what C calls back.
 *
 * Layer lua.
 */
#include "blocking.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/memory.h"
#include "callback.h"
#include "lffi.h"
#include "share/lfuture.h"
#include "share/lobject.h"
#include "plan.h"

enum { THREADS_MAX = 256 };     /* of calls that jobs make */

struct call {
    struct tw_object object;    /* must be first */
    struct tw_future *future;   /* constant; of its own thread, which has a reference */
    pthread_t thread;           /* owner: the state's */
    bool has_thread;            /* owner: the state's                     */
    struct ltw_cprepared prepared;
    struct ltw_foreign *foreign;    /* one reference; it counts until it is over */
    bool is_over;
    struct ltw_within within;
    void (*code)(void);
    int error;                  /* errno, before and after */
    _Alignas(16) unsigned char memory[];
};

static void end_call(struct call *c)
{
    if (!c->is_over) ltw_foreign_count(c->foreign, -1);
    c->is_over = true;
}

static atomic_uint threads;     /* atomic: those that call */
static _Thread_local const struct call *mine;   /* this is its own thread */

static void end_thread(struct call *c)
{
    if (mine == c) pthread_detach(pthread_self());   /* nobody has waited */
    else if (c->has_thread) pthread_join(c->thread, NULL);
    c->has_thread = false;
}

static void free_call(struct tw_object *o)
{
    struct call *c = (struct call *)o;

    end_thread(c);
    end_call(c);
    ltw_foreign_unref(c->foreign);
    tw_free(c);
}

static const struct tw_object_type call_type = { "ffi.call", free_call };

void ltw_ffi_open(lua_State *L)
{
    ltw_object_open(L, call_type.name);
    lua_pop(L, 1);
}

/* [-0, +0, e]  The function's type at 1, and its code. */
static struct ltw_ctype *check_function(lua_State *L, void **code)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);
    struct ltw_ctype *t = c ? c->type : NULL;

    if (t && t->kind == LTW_C_FUNCTION) *code = c->at;
    else if (t && t->kind == LTW_C_POINTER && t->of->kind == LTW_C_FUNCTION)
        *code = ltw_cpointer(c), t = t->of;
    else luaL_typeerror(L, 1, "C function");
    if (!*code) luaL_argerror(L, 1, "a null pointer");
    return t;
}

static int begin(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, lua_upvalueindex(1));
    void *code = NULL;
    struct ltw_ctype *type = check_function(L, &code);
    size_t room = ltw_ccall_room(L, f, type);
    struct ltw_box *box = ltw_push_box(L, call_type.name, 0);
    struct call *c = tw_calloc(1, sizeof *c + room);

    if (!c) return luaL_error(L, "not enough memory");
    tw_object_init(&c->object, &call_type);
    box->object = &c->object;
    ltw_foreign_ref(c->foreign = f->foreign);
    ltw_foreign_count(f->foreign, 1);
    c->code = (void (*)(void))code;
    c->error = f->error;
    ltw_ccall_prepare(L, f, type, c->memory, &c->prepared);
    return 1;
}

static void perform(struct call *c)
{
    ltw_foreign_enter(&c->within, c->foreign);
    errno = c->error;
    ffi_call(c->prepared.cif, c->code, c->prepared.result, c->prepared.values);
    c->error = errno;
    ltw_foreign_leave(&c->within);
    end_call(c);
}

/* On a thread of the pool. */
static int run(lua_State *L)
{
    perform((struct call *)ltw_check_object(L, 1, call_type.name));
    return 0;
}

static unsigned count_thread(int more)
{
    /* order [ffi.threads] relaxed: a count */
    return atomic_fetch_add_explicit(&threads, (unsigned)more, memory_order_relaxed);
}

static void *on_own_thread(void *call)
{
    struct call *c = call;
    struct tw_future *f = c->future;

    mine = c;
    perform(c);
    count_thread(-1);
    tw_future_resolve(f, (struct tw_any){ .kind = TW_VALUE_NIL });
    tw_future_unref(f);
    tw_object_unref(&c->object);
    return NULL;
}

/* Signals are others' business. */
static bool start_thread(struct call *c)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&c->thread, NULL, on_own_thread, c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

/* start(call) -> future | nil: on a thread of its own, or the pool is to run it */
static int start(lua_State *L)
{
    struct call *c = (struct call *)ltw_check_object(L, 1, call_type.name);
    const struct ltw_task *t = ltw_task_current(L);
    struct ltw_box *box;

    if (!t || t->level == 0) return 0;
    box = ltw_future_push_empty(L);
    c->future = tw_future_new(ltw_state(L)->host->unseen);
    if (!c->future) return luaL_error(L, "not enough memory");
    tw_future_ref(c->future);
    tw_object_ref(&c->object);
    c->has_thread = count_thread(1) < THREADS_MAX && start_thread(c);
    if (!c->has_thread) {
        count_thread(-1);
        tw_object_unref(&c->object);
        tw_future_unref(c->future);
        tw_future_unref(c->future);
        return luaL_error(L, "ffi.blocking: no thread for a call of C");
    }
    ltw_future_attach(L, box, c->future);
    return 1;
}

/* finish(fn, call) */
static int finish(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, lua_upvalueindex(1));
    void *code = NULL;
    struct ltw_ctype *type = check_function(L, &code);
    struct call *c = (struct call *)ltw_check_object(L, 2, call_type.name);

    end_thread(c);
    f->error = c->error;
    if (c->within.failed) {
        if (c->within.error == LUA_NOREF) return luaL_error(L, "not enough memory");
        lua_rawgeti(L, LUA_REGISTRYINDEX, c->within.error);
        luaL_unref(L, LUA_REGISTRYINDEX, c->within.error);
        return lua_error(L);
    }
    ltw_foreign_raise(L, c->within.refused);
    ltw_callback_raise(L, f);
    if (type->of->kind == LTW_C_VOID) return 0;
    ltw_cpush(L, f, (struct ltw_cuse){ type->of, false }, c->prepared.result, 0);
    return 1;
}

int ltw_ffi_blocking(lua_State *L)
{
    void *code;

    check_function(L, &code);
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.blocking");
    lua_call(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, begin, 1);
    lua_pushcfunction(L, start);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, finish, 1);
    lua_call(L, 4, 1);
    return 1;
}

int luaopen_tw_internal_ffi(lua_State *L)
{
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, run);
    lua_setfield(L, -2, "run");
    return 1;
}

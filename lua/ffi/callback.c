/* callback.c - Lua functions that C calls.
 *
 * On the thread that has called C from Lua they run at once, for as long as that call
 * lasts.  An error in one ends there: C gets 0, and the call of C raises the error when
 * it comes back.  On another thread C waits until the state has run it: see foreign.c.
 *
 * Finalizers may call C when the state closes, and C what it was given.  So callbacks
 * that are there then work to the end: the ffi, which is the first that was made, is the
 * last that is finalized.  Threads of C may not know yet that the state is gone: what was
 * not freed before stays, and gives them 0.
 *
 * Layer lua.
 */
#include "callback.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "plan.h"
#include "task/scope.h"
#include "run/script.h"

enum { FOR_EVER_MAX = 10000 };   /* callbacks that live as long as their state */
enum { KEPT_MAX = 100000 };      /* and those that live longer                 */

struct callback {
    ffi_cif cif;                /* constant; with types of its own              */
    ffi_closure *closure;       /* constant                                     */
    void *code;                 /* constant                                     */
    struct ltw_foreign *foreign;    /* constant; one reference                  */
    struct ltw_ffi *ffi;        /* constant; it is there until foreign closes   */
    struct ltw_ctype *type;     /* constant; likewise                           */
    struct ltw_script *script;  /* constant; there until its scope is over      */
    struct ltw_scope *scope;    /* constant; one reference, or NULL             */
    int function;               /* owner: the state; a reference, or LUA_NOREF  */
    atomic_bool refuses;        /* atomic: the state stores                     */
    struct callback *next, **at;    /* owner: the state; of all of the ffi      */
    ffi_type *types[];          /* constant                                     */
};

/* Of Lua. */
static const char callback_mark[] = "callback";
struct box { const char *mark; struct callback *callback; };

/* A call on its way into Lua. */
struct entry { struct callback *callback; void *result; void **values; };

/* [-0, +n, e]  C's arguments, of the function type: how many. */
static int push_arguments(lua_State *L, struct ltw_ffi *f, const struct ltw_ctype *t,
                          void **values)
{
    const struct ltw_cplan *p = t->call;

    luaL_checkstack(L, (int)t->count_fields + 8, "a callback");
    for (unsigned i = 0; i < t->count_fields; i++) {
        unsigned char halves[16], *v;

        if (p->ways[i] == LTW_PASS_PADDED) values++;
        v = *values++;
        if (p->ways[i] == LTW_PASS_HALVES) {
            memcpy(halves, v, 8);
            memcpy(halves + 8, *values++, 8);
            v = halves;
        }
        ltw_cpush(L, f, t->fields[i].use, v, 0);
    }
    return (int)t->count_fields;
}

static int count_results(const struct ltw_ctype *t)
{
    return t->of->kind == LTW_C_VOID ? 0 : 1;
}

/* [-0, +0, e]  What the function gave, on top, as C's result. */
static void store_result(lua_State *L, struct ltw_ffi *f, const struct ltw_ctype *t,
                         void *result)
{
    if (count_results(t) == 0) return;
    f->argument = LTW_C_RESULT;
    ltw_cstore(L, f, (struct ltw_cuse){ t->of, false }, result, lua_gettop(L),
               LTW_C_ASSIGN);
    f->argument = 0;
    /* libffi takes small integers as whole registers. */
    if (ltw_c_is_integer(t->of) && t->of->size < sizeof(ffi_arg))
        *(ffi_sarg *)result = (ffi_sarg)ltw_cload_integer(t->of, result);
}

static void push_function(lua_State *L, const struct callback *c)
{
    if (c->function == LUA_NOREF) luaL_error(L, "C called a callback that was freed");
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->function);
}

/* [-1, +0, e]  In protected mode. */
static int run(lua_State *L)
{
    struct entry *e = lua_touserdata(L, 1);
    struct callback *c = e->callback;
    const struct ltw_ctype *t = c->type;   /* c may be collected meanwhile */
    struct ltw_ffi *f = c->ffi;

    push_function(L, c);
    lua_call(L, push_arguments(L, f, t, e->values), count_results(t));
    store_result(L, f, t, e->result);
    return 0;
}

/* ---- on another thread: run by a task ---- */

static int end_task(lua_State *L, int status, lua_KContext call)
{
    struct ltw_foreign_call *e = (struct ltw_foreign_call *)call;

    (void)status;
    if (ltw_foreign_is_over(ltw_state(L))) return 0;   /* nobody waits for it */
    store_result(L, e->ffi, e->type, e->result);
    return 0;
}

/* (a call, its function) */
static int run_task(lua_State *L)
{
    struct ltw_foreign_call *e = lua_touserdata(L, 1);

    if (ltw_foreign_is_over(ltw_state(L))) return 0;
    lua_callk(L, push_arguments(L, e->ffi, e->type, e->values), count_results(e->type),
              (lua_KContext)e, end_task);
    return end_task(L, LUA_OK, (lua_KContext)e);
}

int ltw_callback_push_call(lua_State *L, struct ltw_foreign_call *e,
                           struct ltw_script **script, struct ltw_scope **scope,
                           char *name, size_t n)
{
    const struct callback *c = e->callback;
    lua_Debug ar;

    if (c->scope && ltw_scope_over(c->scope))
        luaL_error(L, "C called a Lua function of a script that has ended");
    *script = c->script;
    *scope = c->scope;
    lua_pushcfunction(L, run_task);
    lua_pushlightuserdata(L, e);
    push_function(L, c);
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    snprintf(name, n, "%.40s:%d", ar.short_src, ar.linedefined);
    return 2;
}

static void on_other_thread(struct callback *c, void *result, void **values)
{
    struct ltw_foreign_call e = { .callback = c, .ffi = c->ffi, .type = c->type,
                                  .result = result, .values = values };

    ltw_foreign_run(c->foreign, &e,
                    /* order [ffi.refuses] relaxed: the flag alone */
                    atomic_load_explicit(&c->refuses, memory_order_relaxed));
}

static void on_call(ffi_cif *cif, void *result, void **values, void *ctx)
{
    struct callback *c = ctx;
    struct ltw_ffi *f;
    struct entry e = { c, result, values };
    lua_State *L;

    if (cif->rtype->type != FFI_TYPE_VOID)
        memset(result, 0, cif->rtype->size > sizeof(ffi_arg) ? cif->rtype->size
                                                             : sizeof(ffi_arg));
    if (!ltw_cplace_is_here(ltw_foreign_place(c->foreign))) {
        on_other_thread(c, result, values);
        return;
    }
    f = c->ffi;
    if (f->raised) return;                   /* C is on its way back */
    L = f->caller;
    if (!lua_checkstack(L, 4)) {
        /* order [ffi.astray] relaxed: the word alone */
        atomic_store_explicit(&f->place->astray, LTW_REFUSED_ROOM, memory_order_relaxed);
        return;
    }
    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &e);
    if (lua_pcall(L, 1, 0, 0) == LUA_OK) return;
    f->raised = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->error_slot);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);      /* asks for no memory: it is there */
    lua_pop(L, 1);
}

void ltw_callback_raise(lua_State *L, struct ltw_ffi *f)
{
    if (f->raised) {
        f->raised = false;
        lua_rawgeti(L, LUA_REGISTRYINDEX, f->error_slot);
        lua_rawgeti(L, -1, 1);
        lua_pushboolean(L, false);
        lua_rawseti(L, -3, 1);
        lua_error(L);
    }
    /* order [ffi.astray] relaxed: the word alone */
    ltw_foreign_raise(L, (enum ltw_refusal)atomic_exchange_explicit(
        &f->place->astray, LTW_CALLED, memory_order_relaxed));
}

/* ---- making and freeing ---- */

static void unlist(struct callback *c)
{
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
}

static void free_callback(struct callback *c)
{
    ltw_foreign_drop(c->foreign, c);
    unlist(c);
    if (c->closure) ffi_closure_free(c->closure);
    ltw_scope_unref(c->scope);
    ltw_foreign_unref(c->foreign);
    tw_free(c);
}

/* Those that stay: so many at most, of all states that have ended. */
static _Atomic(struct callback *) kept;
static atomic_uint n_kept;

static bool has_basic_types(const struct callback *c)
{
    bool basic = !c->cif.rtype->elements;

    for (unsigned i = 0; i < c->cif.nargs; i++) basic &= !c->types[i]->elements;
    return basic;
}

/* The state is closed; types of structs go with it. */
static void leave_callback(struct callback *c)
{
    /* order [ffi.kept] relaxed: a count */
    if (!c->closure || !has_basic_types(c)
        || atomic_fetch_add_explicit(&n_kept, 1, memory_order_relaxed) >= KEPT_MAX) {
        free_callback(c);
        return;
    }
    unlist(c);
    ltw_scope_unref(c->scope);
    c->scope = NULL;
    /* order [ffi.kept] relaxed: nobody looks there */
    c->next = atomic_load_explicit(&kept, memory_order_relaxed);
    /* order [ffi.kept] relaxed: as above */
    while (!atomic_compare_exchange_weak_explicit(
        &kept, &c->next, c, memory_order_relaxed, memory_order_relaxed)) { }
}

static int collect(lua_State *L)
{
    struct box *b = lua_touserdata(L, 1);

    if (!b || !ltw_is_finalizer(L)) return 0;
    if (!b->callback || ltw_foreign_is_closed(b->callback->foreign)) return 0;
    luaL_unref(L, LUA_REGISTRYINDEX, b->callback->function);
    free_callback(b->callback);
    b->callback = NULL;
    return 0;
}

/* Of the ffi itself. */
static int end(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, 1);
    struct ltw_state *state = ltw_state(L);

    if (!f || !ltw_is_finalizer(L) || !f->foreign) return 0;
    ltw_foreign_close(f->foreign);
    while (f->live) leave_callback(f->live);
    state->leaves = ltw_foreign_is_leaving(f->foreign);
    state->foreign = NULL;
    ltw_foreign_unref(f->foreign);
    f->foreign = NULL;
    return 0;
}

/* libffi makes what its closures lie in with the first one, and several threads that ask
 * for the first one at once race. */
static void make_first(void)
{
    void *code, *closure = ffi_closure_alloc(sizeof(ffi_closure), &code);

    if (closure) ffi_closure_free(closure);
}

void ltw_callback_open(lua_State *L, struct ltw_ffi *f, int self)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_first);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, end);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, self);
    f->foreign = ltw_foreign_new(ltw_state(L));
    if (!f->foreign) luaL_error(L, "not enough memory");
    f->place = ltw_foreign_place(f->foreign);
    lua_createtable(L, 1, 0);
    lua_pushboolean(L, false);
    lua_rawseti(L, -2, 1);
    f->error_slot = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, collect);
    lua_setfield(L, -2, "__gc");
    f->callback_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    f->callbacks = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The closure of a callback that has all else. */
static bool make_closure(struct callback *c)
{
    c->closure = ffi_closure_alloc(sizeof *c->closure, &c->code);
    return c->closure
        && ffi_prep_closure_loc(c->closure, &c->cif, on_call, c, c->code) == FFI_OK;
}

void *ltw_callback_push(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type, int idx)
{
    struct ltw_state *state = ltw_state(L);
    struct callback *c;
    struct ltw_cplan *p;
    struct box *b;

    idx = lua_absindex(L, idx);
    luaL_checktype(L, idx, LUA_TFUNCTION);
    if (type->flags & LTW_C_VARIADIC)
        luaL_error(L, "a Lua function can't have C's variable arguments");
    p = ltw_cplan_of(L, f, type);
    b = lua_newuserdatauv(L, sizeof *b, 0);
    *b = (struct box){ .mark = callback_mark };
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->callback_metatable);
    lua_setmetatable(L, -2);
    c = b->callback = tw_calloc(1, sizeof *c + p->cif.nargs * sizeof *c->types);
    if (!c) luaL_error(L, "no memory for a callback");
    c->function = LUA_NOREF;
    ltw_foreign_ref(c->foreign = f->foreign);
    c->ffi = f;
    c->type = type;
    c->cif = p->cif;
    c->cif.arg_types = c->types;
    if (p->cif.nargs) memcpy(c->types, p->cif.arg_types, p->cif.nargs * sizeof *c->types);
    c->script = state->script;
    c->scope = c->script ? ltw_script_scope(c->script) : NULL;
    if (c->scope) ltw_scope_ref(c->scope);
    c->next = f->live;
    c->at = &f->live;
    if (c->next) c->next->at = &c->next;
    f->live = c;
    ltw_foreign_open(f->foreign);
    if (!make_closure(c)) luaL_error(L, "no memory for a callback");
    lua_pushvalue(L, idx);
    c->function = luaL_ref(L, LUA_REGISTRYINDEX);
    return c->code;
}

void *ltw_callback_for_ever(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type,
                            int idx)
{
    struct box *b;

    idx = lua_absindex(L, idx);
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->callbacks);
    lua_pushvalue(L, idx);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_newtable(L);
        lua_pushvalue(L, idx);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
        lua_replace(L, -2);
    }
    if (lua_rawgetp(L, -1, type) == LUA_TNIL) {
        if (f->for_ever == FOR_EVER_MAX)
            luaL_error(L, "C was given %d Lua functions, which live as long as the state:"
                       " give it ffi.cast(a pointer's type, function), which is freed"
                       " when it is collected", FOR_EVER_MAX);
        lua_pop(L, 1);
        ltw_callback_push(L, f, type, idx);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, type);
        f->for_ever++;
    }
    b = lua_touserdata(L, -1);
    lua_pop(L, 3);
    return b->callback->code;
}

static struct callback *callback_at(lua_State *L, int idx)
{
    return ((struct box *)lua_touserdata(L, idx))->callback;
}

bool ltw_callback_is(lua_State *L, int idx)
{
    const struct box *b = lua_touserdata(L, idx);

    return b && lua_rawlen(L, idx) >= sizeof *b && b->mark == callback_mark
        && b->callback;
}

void ltw_callback_set(lua_State *L, int callback, int idx)
{
    struct callback *c = callback_at(L, callback);

    luaL_unref(L, LUA_REGISTRYINDEX, c->function);
    c->function = LUA_NOREF;
    if (!idx) return;
    lua_pushvalue(L, idx);
    c->function = luaL_ref(L, LUA_REGISTRYINDEX);
}

void ltw_callback_refuse(lua_State *L, int callback)
{
    /* order [ffi.refuses] relaxed: the flag alone */
    atomic_store_explicit(&callback_at(L, callback)->refuses, true, memory_order_relaxed);
}

/* cdata.c - C values as objects: made, indexed, shown; what ffi.metatype adds to them.
 *
 * Layer lua.
 */
#include "cdata.h"

#include <string.h>

#include "arithmetic.h"
#include "code.h"
#include "foreign.h"
#include "ltw.h"
#include "run/script.h"

#define HOT inline __attribute__((always_inline))
#define COLD __attribute__((noinline))

const char ltw_cdata_mark[] = "cdata";

static struct ltw_ffi *self_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* [-0, +0, e]  What an event is of: through debug it may be called with anything. */
static HOT const struct ltw_cdata *check(lua_State *L)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);

    if (!c) luaL_typeerror(L, 1, "cdata");
    return c;
}

bool ltw_ctype_of_value(lua_State *L, int idx, struct ltw_cuse *out)
{
    const struct ltw_cdata *c = lua_touserdata(L, idx);

    if (!c || lua_rawlen(L, idx) < sizeof *c || c->mark != ltw_cdata_mark) return false;
    *out = ltw_cuse_of(c);
    return true;
}

/* -- making them ------------------------------------------------------------------- */

static struct ltw_cdata *make(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use,
                              size_t behind, int user_values)
{
    struct ltw_cdata *c = lua_newuserdatauv(L, sizeof *c + behind, user_values);

    *c = (struct ltw_cdata){ .mark = ltw_cdata_mark, .type = use.type, .count = SIZE_MAX,
                             .constant = use.constant };
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->metatable);
    lua_setmetatable(L, -2);
    return c;
}

struct ltw_cdata *ltw_cdata_new(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use,
                                size_t size)
{
    size_t align = (size_t)1 << use.type->log_align;
    size_t more = align > sizeof(void *) ? align : 0;
    struct ltw_cdata *c;

    if (size > PTRDIFF_MAX - sizeof *c - more)
        luaL_error(L, "a value of %p bytes is too large", (void *)size);
    c = make(L, f, use, (size ? size : 1) + more, 0);
    c->at = (unsigned char *)(c + 1);
    if (more) c->at += -(uintptr_t)c->at & (align - 1);
    return c;
}

/* Must who points there keep this very cdata?  It lies in it, or would be finalized. */
static bool keeps_itself(lua_State *L, int owner, const void *at)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, owner);

    return !c || c->finalized
        || (uintptr_t)at - (uintptr_t)c < lua_rawlen(L, owner);
}

/* [-0, +0, m]  What keeps the memory at `at`: the cdata's owner, or itself. */
static void set_owner(lua_State *L, int owner, const void *at)
{
    int top = lua_gettop(L);

    if (keeps_itself(L, owner, at) || lua_getiuservalue(L, owner, 1) == LUA_TNONE) {
        lua_settop(L, top);
        lua_pushvalue(L, owner);
    }
    lua_setiuservalue(L, -2, 1);
}

void ltw_cdata_view(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *at,
                    int owner)
{
    struct ltw_cdata *c = make(L, f, use, 0, owner != 0);

    c->at = at;
    if (owner) set_owner(L, owner, at);
}

struct ltw_cdata *ltw_cdata_pointer(lua_State *L, struct ltw_ffi *f,
                                    struct ltw_ctype *type, void *to, int owner)
{
    struct ltw_cdata *c =
        make(L, f, (struct ltw_cuse){ type, false }, sizeof to, owner != 0);

    c->at = (unsigned char *)(c + 1);
    memcpy(c->at, &to, sizeof to);
    if (owner) set_owner(L, owner, to);
    return c;
}

void ltw_cdata_finalize(lua_State *L, struct ltw_ffi *f, int idx)
{
    struct ltw_cdata *c = lua_touserdata(L, idx);

    c->finalized = !lua_isnil(L, -1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->finalizers);
    lua_pushvalue(L, idx);
    lua_rotate(L, -3, -1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    if (!c->finalized) return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->finalizing);
    lua_setmetatable(L, idx);
    /* Lua doesn't know what is freed with it, and its collector, which waits for twice
     * the memory of those that wait to be finalized, falls ever further behind. */
    if (lua_gc(L, LUA_GCISRUNNING) > 0) lua_gc(L, LUA_GCSTEP, 1);
}

/* -- metatypes --------------------------------------------------------------------- */

/* What the code that runs has a table for: a script's; NULL: all else.  Scripts, and the
 * versions of one, are in one state and share its types, but not their modules. */
static struct ltw_code *code_of(lua_State *L)
{
    struct ltw_script *script = ltw_state(L)->script;

    return script ? ltw_script_code(script) : NULL;
}

bool ltw_cpush_metatype(lua_State *L, const struct ltw_ctype *t)
{
    const struct ltw_code *code = code_of(L);

    if (t->metatable == LUA_NOREF) return false;
    if (code && code->metatypes) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, code->metatypes);
        if (lua_rawgetp(L, -1, t) != LUA_TNIL) {
            lua_remove(L, -2);
            return true;
        }
        lua_pop(L, 2);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, t->metatable);
    return true;
}

bool ltw_cset_metatype(lua_State *L, struct ltw_ctype *t, int idx)
{
    struct ltw_code *code = code_of(L);
    bool has = t->metatable != LUA_NOREF;
    int metatable;

    if (code) {
        if (!code->metatypes) {
            lua_newtable(L);
            code->metatypes = luaL_ref(L, LUA_REGISTRYINDEX);
        }
        lua_rawgeti(L, LUA_REGISTRYINDEX, code->metatypes);
        has = lua_rawgetp(L, -1, t) != LUA_TNIL;
        lua_pop(L, 2);
    }
    if (has) return false;
    lua_pushvalue(L, idx);
    metatable = luaL_ref(L, LUA_REGISTRYINDEX);
    luaL_unref(L, LUA_REGISTRYINDEX, t->metatable);
    t->metatable = metatable;
    if (code) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, code->metatypes);
        lua_pushvalue(L, idx);
        lua_rawsetp(L, -2, t);
        lua_pop(L, 1);
    }
    return true;
}

/* [-0, +1, e]  What ffi.metatype gave the type, or the record that it points to, for the
 * event; false: nothing, and nothing pushed. */
static bool push_event(lua_State *L, const struct ltw_ctype *t, const char *event)
{
    t = ltw_cplain(t->kind == LTW_C_POINTER ? t->of : t);
    if (!ltw_cpush_metatype(L, t)) return false;
    lua_pushstring(L, event);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) return true;
    lua_pop(L, 1);
    return false;
}

/* [-0, +1, e]  The metatype's __index for the key at 2; false: it has none. */
static bool index_meta(lua_State *L, const struct ltw_ctype *t)
{
    if (!push_event(L, t, "__index")) return false;
    if (lua_isfunction(L, -1)) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_call(L, 2, 1);
    } else {
        lua_pushvalue(L, 2);
        lua_gettable(L, -2);
        lua_remove(L, -2);
    }
    return true;
}

/* -- fields and elements ----------------------------------------------------------- */

struct place {
    struct ltw_cuse use;
    unsigned char *at;
    const struct ltw_cfield *bits;   /* NULL: no bit-field */
};

static int no_field(lua_State *L, const struct ltw_cdata *c, int key)
{
    ltw_ctype_push_name(L, ltw_cuse_of(c));
    if (lua_type(L, key) == LUA_TSTRING)
        return luaL_error(L, "'%s' has no field '%s'", lua_tostring(L, -1),
                          lua_tostring(L, key));
    ltw_cdata_push_type(L, key);
    return luaL_error(L, "'%s' cannot be indexed with '%s'", lua_tostring(L, -2),
                      lua_tostring(L, -1));
}

void *ltw_cdereferenced(lua_State *L, const struct ltw_cdata *c)
{
    void *p = ltw_cpointer(c);

    if (p) return p;
    ltw_ctype_push_name(L, ltw_cuse_of(c));
    luaL_error(L, "a null pointer ('%s') has nothing that it points to",
               lua_tostring(L, -1));
    return NULL;
}

int ltw_crefuse_fixed(lua_State *L, struct ltw_cuse use)
{
    const char *what = use.constant ? "is constant" : "has members that are constant";

    ltw_ctype_push_name(L, use);
    return luaL_error(L, "'%s' %s", lua_tostring(L, -1), what);
}

static bool integer_key(lua_State *L, int idx, ptrdiff_t *out)
{
    const struct ltw_cdata *c;

    if (lua_type(L, idx) == LUA_TNUMBER) {
        *out = lua_isinteger(L, idx) ? (ptrdiff_t)lua_tointeger(L, idx)
                                     : (ptrdiff_t)ltw_cinteger_of(lua_tonumber(L, idx));
        return true;
    }
    c = ltw_cdata_test(L, idx);
    if (!c || !ltw_c_is_integer(c->type)) return false;
    *out = (ptrdiff_t)ltw_cload_integer(c->type, c->at);
    return true;
}

/* [-0, +0, e]  The element of an array or behind a pointer. */
static void element(lua_State *L, const struct ltw_cdata *c, ptrdiff_t i,
                    struct place *out)
{
    struct ltw_ctype *t = c->type;
    unsigned char *base = c->at;

    out->use = (struct ltw_cuse){ t->of, t->of_constant };
    if (t->kind == LTW_C_POINTER) {
        base = ltw_cdereferenced(L, c);
        if (t->of->kind == LTW_C_VOID || t->of->flags & LTW_C_INCOMPLETE
            || t->of->kind == LTW_C_FUNCTION) {
            ltw_ctype_push_name(L, out->use);
            luaL_error(L, "the size of '%s' is not known", lua_tostring(L, -1));
        }
    } else {
        size_t count = c->count != SIZE_MAX ? c->count : t->count ? t->count : SIZE_MAX;

        if ((size_t)i >= count && count != SIZE_MAX)
            luaL_error(L, "index %I of an array of %I", (lua_Integer)i,
                       (lua_Integer)count);
        /* A part of what is one value, of which others have copies, is not written. */
        out->use.constant |= c->constant || t->kind != LTW_C_ARRAY;
    }
    out->at = (unsigned char *)((uintptr_t)base + (uintptr_t)i * t->of->size);
    out->bits = NULL;
}

/* What most keys lead to: a scalar in a record or array, or behind a pointer to one.
 * NULL: another value, an error; find says which. */
static HOT unsigned char *find_scalar(lua_State *L, const struct ltw_cdata *c,
                                      enum ltw_cscalar *scalar, bool *constant)
{
    struct ltw_ctype *t = c->type;
    const struct ltw_cmember *m;
    unsigned char *at = c->at;
    lua_Integer i;
    bool fixed = c->constant;

    if (t->kind == LTW_C_POINTER) {
        fixed = t->of_constant;
        at = ltw_cpointer(c);
        if (!at) return NULL;
        if (t->of->kind == LTW_C_RECORD) t = t->of;
    }
    if (t->kind == LTW_C_RECORD) {
        m = ltw_cmember_find(t, lua_topointer(L, 2));
        if (!m) return NULL;
        *scalar = (enum ltw_cscalar)m->scalar;
        *constant = fixed | m->constant;
        return at + m->offset;
    }
    if ((t->kind != LTW_C_ARRAY && t->kind != LTW_C_POINTER) || !lua_isinteger(L, 2))
        return NULL;
    i = lua_tointeger(L, 2);
    if (t->kind == LTW_C_ARRAY) {
        fixed |= t->of_constant;
        if ((size_t)i >= (c->count == SIZE_MAX ? t->count : c->count)) return NULL;
    }
    *scalar = ltw_cscalar_of(t->of);
    *constant = fixed;
    return (unsigned char *)((uintptr_t)at + (uintptr_t)i * t->of->size);
}

/* [-0, +0, e]  Where the key at 2 leads to; false: nowhere. */
static bool find(lua_State *L, struct ltw_ffi *f, const struct ltw_cdata *c,
                        struct place *out)
{
    struct ltw_ctype *t = c->type;
    ptrdiff_t i;

    if (lua_type(L, 2) == LUA_TSTRING) {
        bool pointer = t->kind == LTW_C_POINTER;
        const struct ltw_cmember *m;

        if (pointer) t = t->of;
        if (t->kind == LTW_C_COMPLEX && !pointer) {
            const char *part = lua_tostring(L, 2);
            bool re = !strcmp(part, "re");

            if (!re && strcmp(part, "im") != 0) return false;
            *out = (struct place){ { t->of, true }, c->at + (re ? 0 : t->of->size),
                                   NULL };
            return true;
        }
        if (t->kind != LTW_C_RECORD) return false;
        m = ltw_cmember_find(t, ltw_ckey_at(L, f->types, 2));
        if (!m) return false;
        out->use = m->field->use;
        out->use.constant = m->constant | (pointer ? c->type->of_constant : c->constant);
        out->at = pointer ? ltw_cdereferenced(L, c) : c->at;
        out->at += m->offset;
        out->bits = m->field->bits ? m->field : NULL;
        return true;
    }
    if (t->kind != LTW_C_POINTER && t->kind != LTW_C_ARRAY && !ltw_chas_parts(t))
        return false;
    if (!integer_key(L, 2, &i)) return false;
    element(L, c, i, out);
    return true;
}

/* [-0, +0, -]  The field on top, of the record c at 1: how many elements it has where
 * its type does not say that.  One of [0] has what is behind it in ffi.new's memory. */
static void set_count(lua_State *L, const struct ltw_cdata *c, const struct ltw_ctype *t,
                      const unsigned char *at)
{
    struct ltw_cdata *field = lua_touserdata(L, -1);

    if (t->flags & (LTW_C_VLA | LTW_C_INCOMPLETE))
        field->count = c->count;
    else if (t->kind == LTW_C_ARRAY && !t->count && t->of->size
             && (uintptr_t)c->at - (uintptr_t)c < lua_rawlen(L, 1))
        field->count = (size_t)(c->at + c->type->size - at) / t->of->size;
}

static COLD int index_any(lua_State *L, const struct ltw_cdata *c)
{
    struct ltw_ffi *f = self_of(L);
    struct place p;

    if (find(L, f, c, &p)) {
        if (p.bits) {
            int64_t v = ltw_cload_bits(p.bits, p.at);

            if (p.use.type->kind == LTW_C_BOOL) lua_pushboolean(L, v != 0);
            else if (v < 0 && ltw_c_is_unsigned(p.use.type))
                memcpy(
                    ltw_cdata_new(L, f, (struct ltw_cuse){ f->of_uint64, false }, 8)->at,
                    &v, 8);
            else lua_pushinteger(L, v);
        } else {
            ltw_cpush(L, f, p.use, p.at, 1);
            if (c->type->kind == LTW_C_RECORD) set_count(L, c, p.use.type, p.at);
        }
        return 1;
    }
    if (index_meta(L, c->type)) return 1;
    if (c->type->kind == LTW_C_POINTER && c->type->of->kind == LTW_C_FUNCTION
        && lua_type(L, 2) == LUA_TSTRING) {
        lua_CFunction method = ltw_callback_method(lua_tostring(L, 2));

        if (method) {
            lua_pushcfunction(L, method);
            return 1;
        }
    }
    return no_field(L, c, 2);
}

static int on_index(lua_State *L)
{
    const struct ltw_cdata *c = check(L);
    enum ltw_cscalar s;
    bool constant;
    const unsigned char *at = find_scalar(L, c, &s, &constant);

    return at && ltw_cpush_scalar(L, s, at) ? 1 : index_any(L, c);
}

static COLD int newindex_any(lua_State *L, const struct ltw_cdata *c)
{
    struct ltw_ffi *f = self_of(L);
    struct place p;

    f->argument = 0;
    if (!find(L, f, c, &p)) {
        if (!push_event(L, c->type, "__newindex")) return no_field(L, c, 2);
        lua_insert(L, 1);
        if (lua_isfunction(L, 1)) {
            lua_call(L, 3, 0);
        } else {
            lua_remove(L, 2);
            lua_settable(L, 1);
        }
        return 0;
    }
    if (ltw_cfixed(p.use)) return ltw_crefuse_fixed(L, p.use);
    if (p.bits) ltw_cconvert_bits(L, f, p.bits, p.at, 3);
    else ltw_cstore(L, f, p.use, p.at, 3, LTW_C_ASSIGN);
    return 0;
}

static int on_newindex(lua_State *L)
{
    const struct ltw_cdata *c = check(L);
    enum ltw_cscalar s;
    bool constant;
    unsigned char *at = find_scalar(L, c, &s, &constant);

    return at && !constant && ltw_cstore_scalar(L, s, at, 3) ? 0 : newindex_any(L, c);
}

/* -- the other events -------------------------------------------------------------- */

int ltw_ccall_other(lua_State *L)
{
    const struct ltw_cdata *c = check(L);

    if (!push_event(L, c->type, "__call")) {
        ltw_ctype_push_name(L, ltw_cuse_of(c));
        return luaL_error(L, "'%s' cannot be called", lua_tostring(L, -1));
    }
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int on_tostring(lua_State *L)
{
    const struct ltw_cdata *c = check(L);
    const struct ltw_ctype *t = c->type;

    if (push_event(L, t, "__tostring")) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        return 1;
    }
    if (t->kind == LTW_C_INT && t->size == 8) {
        int64_t v = ltw_cload_integer(t, c->at);

        if (t->flags & LTW_C_UNSIGNED) {
            char text[32];
            snprintf(text, sizeof text, "%lluULL", (unsigned long long)v);
            lua_pushstring(L, text);
        } else {
            lua_pushfstring(L, "%ILL", (lua_Integer)v);
        }
        return 1;
    }
    if (!push_event(L, t, "__name")) ltw_ctype_push_name(L, ltw_cuse_of(c));
    lua_pushfstring(L, "cdata<%s>: %p", lua_tostring(L, -1),
                    t->kind == LTW_C_POINTER ? ltw_cpointer(c) : (void *)c->at);
    return 1;
}

/* [-0, +0, e]  The finalizer, called with the cdata. */
static int on_gc(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);

    lua_rawgeti(L, LUA_REGISTRYINDEX, f->finalizers);
    lua_pushvalue(L, 1);
    lua_rawget(L, -2);
    if (!lua_isnil(L, -1)) {
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        lua_rawset(L, -4);
        lua_pushvalue(L, 1);
        lua_call(L, 1, 0);
    }
    return 0;
}

/* Anywhere, so that errno is left as it was.  A state that is closed while C is called on
 * another thread leaves all that C may be working with. */
static int on_collect(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    int error = f->error;

    if (ltw_foreign_is_leaving(f->foreign)) return 0;
    on_gc(L);
    f->error = error;
    return 0;
}

/* The metatype's __close, else the finalizer now; a cdata that has neither ends as any.
 */
static int on_close(lua_State *L)
{
    const struct ltw_cdata *c = check(L);

    if (!push_event(L, c->type, "__close")) return on_gc(L);
    lua_insert(L, 1);
    lua_call(L, 2, 0);
    return 0;
}

/* What only a metatype gives: its event's name is the second upvalue. */
static int on_event(lua_State *L)
{
    const char *event = lua_tostring(L, lua_upvalueindex(2));
    int n = lua_gettop(L);
    struct ltw_cuse use;

    for (int i = 1; i <= 2; i++)
        if (ltw_ctype_of_value(L, i, &use) && push_event(L, use.type, event)) {
            lua_insert(L, 1);
            lua_call(L, n, LUA_MULTRET);
            return lua_gettop(L);
        }
    if (!ltw_ctype_of_value(L, 1, &use) && !ltw_ctype_of_value(L, 2, &use))
        luaL_typeerror(L, 1, "cdata");
    ltw_ctype_push_name(L, use);
    return luaL_error(L, "'%s' has no %s", lua_tostring(L, -1), event);
}

/* An operator, the second upvalue: the metatype's, else arithmetic of 64 bits or of
 * pointers. */
static int on_operator(lua_State *L)
{
    enum ltw_coperator op = (enum ltw_coperator)lua_tointeger(L, lua_upvalueindex(2));
    struct ltw_cuse use;

    for (int i = 1; i <= 2; i++)
        if (ltw_ctype_of_value(L, i, &use)
            && push_event(L, use.type, ltw_coperators[op])) {
            lua_pushvalue(L, 1);
            lua_pushvalue(L, 2);
            lua_call(L, 2, 1);
            return 1;
        }
    return ltw_carithmetic(L, self_of(L), op);
}

static int ctype_tostring(lua_State *L)
{
    struct ltw_cuse use;

    if (!ltw_ctype_of_value(L, 1, &use)) luaL_typeerror(L, 1, "C type");
    ltw_ctype_push_name(L, use);
    lua_pushfstring(L, "ctype<%s>", lua_tostring(L, -1));
    return 1;
}

static int ctype_index(lua_State *L)
{
    struct ltw_cuse use;

    if (!ltw_ctype_of_value(L, 1, &use)) luaL_typeerror(L, 1, "C type");
    if (index_meta(L, use.type)) return 1;
    ltw_ctype_push_name(L, use);
    luaL_tolstring(L, 2, NULL);
    return luaL_error(L, "ctype '%s' has no '%s'", lua_tostring(L, -2),
                      lua_tostring(L, -1));
}

static int ctype_eq(lua_State *L)
{
    struct ltw_cuse a, b;
    bool types = ltw_ctype_of_value(L, 1, &a) && ltw_ctype_of_value(L, 2, &b)
              && !ltw_cdata_test(L, 1) && !ltw_cdata_test(L, 2);

    lua_pushboolean(L, types && a.type == b.type && a.constant == b.constant);
    return 1;
}

static void set_closure(lua_State *L, int self, const char *event, lua_CFunction f)
{
    lua_pushvalue(L, self);
    lua_pushstring(L, event);
    lua_pushcclosure(L, f, 2);
    lua_setfield(L, -2, event);
}

void ltw_cdata_open(lua_State *L, struct ltw_ffi *f, int self)
{
    static const char *const events[] = { "__concat", "__len", "__pairs" };

    for (int i = 0; i < 2; i++) {
        /* Those that are looked for most come first, each to its own place. */
        lua_createtable(L, 0, 32);
        set_closure(L, self, "__index", on_index);
        set_closure(L, self, "__call", ltw_ccall);
        set_closure(L, self, "__newindex", on_newindex);
        for (int op = 0; op < LTW_O_COUNT; op++) {
            lua_pushvalue(L, self);
            lua_pushinteger(L, op);
            lua_pushcclosure(L, on_operator, 2);
            lua_setfield(L, -2, ltw_coperators[op]);
        }
        for (size_t k = 0; k < sizeof events / sizeof *events; k++)
            set_closure(L, self, events[k], on_event);
        set_closure(L, self, "__tostring", on_tostring);
        set_closure(L, self, "__close", on_close);
        lua_pushliteral(L, "ffi");
        lua_setfield(L, -2, "__metatable");
        lua_pushliteral(L, "cdata");
        lua_setfield(L, -2, "__name");
        if (i) set_closure(L, self, "__gc", on_collect);
        *(i ? &f->finalizing : &f->metatable) = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    lua_newtable(L);
    set_closure(L, self, "__tostring", ctype_tostring);
    set_closure(L, self, "__index", ctype_index);
    set_closure(L, self, "__eq", ctype_eq);
    lua_pushliteral(L, "ffi");
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "ctype");
    lua_setfield(L, -2, "__name");
    f->ctype_metatable = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* lffi.c - module ffi: C libraries and C values, without compiling anything.
 *
 *   local ffi = require "ffi"
 *   ffi.cdef [[
 *     typedef struct { int quot, rem; } div_t;
 *     div_t div(int, int);
 *     void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
 *   ]]
 *   print(ffi.C.div(17, 5).rem)                        --> 2
 *   local numbers = ffi.new("int[?]", 3, { 3, 1, 2 })
 *   ffi.C.qsort(numbers, 3, 4, function(a, b)
 *     return ffi.cast("int *", a)[0] - ffi.cast("int *", b)[0]
 *   end)
 *   local z = ffi.load "z"
 *
 * The functions and their rules are those that LuaJIT made the convention, and `require
 * "cffi"` is the same module, so code for either runs.  Declarations are C as headers
 * have it behind `cpp -P`.  `ct` below is a C type: a text such as "struct tm" or
 * "int[4]", a ctype of ffi.typeof, or a cdata, whose type it is.
 *
 * What is otherwise in Lua 5.4: an integer of C becomes an integer of Lua when its value
 * fits, so only unsigned ones beyond math.maxinteger are boxed; so does an enum's value.
 * `==` compares cdata with cdata alone, so a null pointer is `p == ffi.nullptr`; tonumber
 * and type know no cdata, ffi.tonumber and ffi.type do.  Integers of Lua are passed to
 * `...` as long, floats as double.  Operators take a floating-point cdata as the number
 * that it holds.  C++'s references (&) are not C.
 *
 * An array knows its length, and an index outside is an error, as is a text that is
 * longer; one that a struct ends with and declares as [] or [0] is as long as ffi.new was
 * told, or C says.  To read a null pointer is an error, and to write what is const, parts
 * of complex numbers included.  A pointer that was made of a cdata keeps it, but C keeps
 * nothing: what C holds on to, Lua must, too.  Each state has an ffi of its own, whose
 * declarations all scripts of a worker share: one that contradicts another is an error,
 * in a new version of a script, too.  Values of C that self holds have no copy: a new
 * version that is compared with the old one (shadow) works on the same ones, so it should
 * not write to them then.  A library is loaded once and stays.
 *
 * A Lua function that C calls back runs on the thread of its state.  While that thread is
 * in C it is called there, and an error in it is raised by the call of C.  C's other
 * threads wait until the state has a turn (between handlers, while a task or the main
 * program waits): there the function is a task and may wait, and an error in it is raised
 * by the call of ffi.blocking that has called it, or told as one that nobody awaited.
 * Where the state has no turn because it has been in the same call of ffi for 2 seconds,
 * C gets 0, and that call raises an error: what waits for threads of C, or takes long, is
 * for ffi.blocking.  A function of a C module has no such limit: C waits for as long as
 * it runs, so one that waits for such a thread never returns, and no limit of time ends
 * it: after 5 s a line says so.  A C module should let Lua wait for it, or be called by
 * ffi.  Of the functions that other threads call at most 100
 * run at once in a state, and more wait for one to return.  In an app file there are no
 * turns.  When the state ends C gets 0.
 *
 * ffi.cast makes a callback that is freed when nothing refers to it any more.  A function
 * that is given to C as it is stays callable as long as the state, as C may keep it; of
 * these there can be 10,000; the same function counts once for each type.
 *
 * Structs are passed by value as the C compiler does it.  What libffi can't pass so is
 * refused by the call: vectors of 16 bytes and more, structs aligned to more than that,
 * and on aarch64 all vectors, va_list, and structs of at most 16 bytes that an attribute
 * aligns to 16.  A struct with a member that is constant can't be assigned to as a whole.
 *
 * What C does is not checked: a wrong declaration or pointer can end the program.  The
 * static program has no ffi.
 *
 * Layer lua.
 */
#include "lffi.h"

#include <string.h>

#include "blocking.h"
#include "callback.h"
#include "declare.h"
#include "tidewire.h"

enum { TEXTS = 1000 };          /* of types, whose ctypes are kept */

static struct ltw_ffi *self_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* [-0, +1, m]  A ctype. */
static void push_ctype(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use)
{
    struct ltw_cdata *c = lua_newuserdatauv(L, sizeof *c, 0);

    *c = (struct ltw_cdata){ .mark = ltw_cdata_mark, .type = use.type, .count = SIZE_MAX,
                             .constant = use.constant };
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->ctype_metatable);
    lua_setmetatable(L, -2);
}

/* [-0, +1, e]  The ctype of a text; params: the index of the first value for $, or 0. */
static void push_text(lua_State *L, struct ltw_ffi *f, int idx, int params)
{
    size_t n;
    const char *text = lua_tolstring(L, idx, &n);
    lua_Integer kept;

    if (params && params <= lua_gettop(L)) {
        push_ctype(L, f, ltw_declare_type(L, f->types, text, n, params));
        return;
    }
    if (f->texts_of != ltw_ctypes_changes(f->types)) {
        lua_newtable(L);
        lua_rawseti(L, LUA_REGISTRYINDEX, f->texts);
        f->texts_of = ltw_ctypes_changes(f->types);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->texts);
    lua_pushvalue(L, idx);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        push_ctype(L, f, ltw_declare_type(L, f->types, text, n, 0));
        lua_rawgeti(L, -2, 0);
        kept = lua_tointeger(L, -1) + 1;
        lua_pop(L, 1);
        if (kept <= TEXTS) {
            lua_pushinteger(L, kept);
            lua_rawseti(L, -3, 0);
            lua_pushvalue(L, idx);
            lua_pushvalue(L, -2);
            lua_rawset(L, -4);
        }
    }
    lua_remove(L, -2);
}

/* [-0, +0, e]  The type that the value at idx names. */
static struct ltw_cuse check_type(lua_State *L, struct ltw_ffi *f, int idx)
{
    struct ltw_cuse use;

    if (ltw_ctype_of_value(L, idx, &use)) return use;
    if (lua_type(L, idx) != LUA_TSTRING) luaL_typeerror(L, idx, "C type");
    push_text(L, f, idx, 0);
    ltw_ctype_of_value(L, -1, &use);
    lua_pop(L, 1);
    return use;
}

static struct ltw_cdata *check_cdata(lua_State *L, int idx)
{
    struct ltw_cdata *c = ltw_cdata_test(L, idx);

    if (!c) luaL_typeerror(L, idx, "cdata");
    return c;
}

/* ffi.cdef(text [, ...])
 * Declares what the text declares in C: types, functions, variables, constants; lines
 * that begin with `#define NAME` declare a constant where one stands behind it.  Each $
 * of the text stands for the next of the values behind it: a C type, a name, a number.
 * After an error nothing of the text is declared. Yields: no.  Blocks: no.  Thread: the
 * state's. Errors: the text is not C: its line and column, and what was expected.  Units:
 * none. */
static int ffi_cdef(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    ltw_declare(L, self_of(L)->types, text, n, lua_gettop(L) > 1 ? 2 : 0);
    return 0;
}

/* ffi.load(name [, global]) -> library
 * The symbols of a C library, by name: `z` is libz.so where the system has its libraries,
 * and a name with a slash is a path.  It is loaded once in a program and stays loaded;
 * global: its symbols are ffi.C's, too.
 * Yields: no.  Blocks: on the disk, while it is loaded.  Thread: the state's.
 * Errors: there is no such library; a symbol that is not declared, or that it does not
 * have, when it is indexed.  Units: none. */
static int ffi_load(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    ltw_clib_push(L, lua_upvalueindex(1), name, lua_toboolean(L, 2));
    return 1;
}

/* ffi.typeof(ct [, ...]) -> ctype
 * The type, parsed once: `ctype(…)` makes a value as ffi.new does.  Values behind a text
 * stand for its $.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: the text is no type.  Units: none. */
static int ffi_typeof(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);

    if (lua_type(L, 1) == LUA_TSTRING) {
        push_text(L, f, 1, 2);
    } else if (ltw_cdata_test(L, 1)) {
        push_ctype(L, f, check_type(L, f, 1));
    } else {
        check_type(L, f, 1);
        lua_settop(L, 1);
    }
    return 1;
}

/* What an array without a length is of: the type itself, or the one in a record. */
static const struct ltw_ctype *element_of(const struct ltw_ctype *t)
{
    while (t->kind == LTW_C_RECORD) {
        const struct ltw_cfield *field = &t->fields[t->count_fields];

        do field--;
        while (!(field->use.type->flags & (LTW_C_VLA | LTW_C_INCOMPLETE)));
        t = field->use.type;
    }
    return t->of;
}

/* [-0, +0, e]  Bytes of a type, with so many elements where it asks for a number. */
static size_t size_with(lua_State *L, const struct ltw_ctype *t, lua_Integer n)
{
    const struct ltw_ctype *of = element_of(t);
    size_t bytes = 0;

    if (n < 0 || __builtin_mul_overflow((size_t)n, of->size, &bytes)
        || __builtin_add_overflow(bytes, t->kind == LTW_C_ARRAY ? 0 : t->size, &bytes)
        || bytes > PTRDIFF_MAX / 2)
        luaL_error(L, "%I elements are not possible", n);
    return bytes;
}

/* [-0, +1, e]  A pointer made of the value at idx, which it keeps. */
static int make_pointer(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, int idx,
                        enum ltw_crule rule)
{
    bool keeps = lua_type(L, idx) == LUA_TSTRING || lua_type(L, idx) == LUA_TUSERDATA;
    void *p;

    ltw_cstore(L, f, use, &p, idx, rule);
    ltw_cdata_pointer(L, f, use.type, p, keeps ? idx : 0)->constant = use.constant;
    return 1;
}

/* [-0, +1, e]  A new value; its initializers are from idx on, up to the top. */
static int make(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, int idx)
{
    struct ltw_ctype *t = use.type;
    size_t size = t->size, count = SIZE_MAX;
    int top = lua_gettop(L);
    struct ltw_cdata *c;

    f->argument = 0;
    if (t->flags & LTW_C_VLA) {
        bool none = t->kind == LTW_C_RECORD && !lua_isnumber(L, idx);
        lua_Integer n = none ? 0 : luaL_checkinteger(L, idx++);

        size = size_with(L, t, n);
        count = (size_t)n;
    } else if (t->kind == LTW_C_VOID || t->kind == LTW_C_FUNCTION
               || t->flags & LTW_C_INCOMPLETE) {
        ltw_ctype_push_name(L, use);
        return luaL_error(L, "the size of '%s' is not known", lua_tostring(L, -1));
    }
    if (t->kind == LTW_C_POINTER && t->of->kind == LTW_C_FUNCTION && top == idx
        && lua_isfunction(L, idx)) {
        void *code = ltw_callback_push(L, f, t->of, idx);

        ltw_cdata_pointer(L, f, t, code, lua_gettop(L));
        return 1;
    }
    if (t->kind == LTW_C_POINTER && top == idx)
        return make_pointer(L, f, use, idx, LTW_C_ASSIGN);
    if (t->kind == LTW_C_ARRAY && t->count == 0 && count == SIZE_MAX) count = 0;
    c = ltw_cdata_new(L, f, use, size);
    c->count = count;
    memset(c->at, 0, size);
    if (top >= idx) ltw_cinit(L, f, c, idx, top - idx + 1);
    lua_settop(L, top + 1);
    if (ltw_cpush_metatype(L, ltw_cplain(t))) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, -2) != LUA_TNIL) ltw_cdata_finalize(L, f, top + 1);
        lua_settop(L, top + 1);
    }
    return 1;
}

/* ffi.new(ct [, n] [, ...]) -> cdata
 * A value of the type, zero but for what initializes it: one value, a table (by position
 * or by the fields' names), or the elements one after another; one alone fills an array.
 * Of a type with [?], n says how many elements; of a struct that ends with an array of no
 * length it may be left out: none.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: a value that can't be converted; too many; a type without a size.
 * Units: none. */
static int ffi_new(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);

    return make(L, f, check_type(L, f, 1), 2);
}

/* A ctype that is called. */
static int ctype_call(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    struct ltw_cuse use = check_type(L, f, 1);

    if (ltw_cpush_metatype(L, ltw_cplain(use.type))) {
        lua_pushliteral(L, "__new");
        if (lua_rawget(L, -2) != LUA_TNIL) {
            lua_insert(L, 1);
            lua_pop(L, 1);
            lua_call(L, lua_gettop(L) - 1, 1);
            return 1;
        }
        lua_pop(L, 2);
    }
    return make(L, f, use, 2);
}

/* ffi.cast(ct, value) -> cdata
 * The value as C casts it to a number or a pointer.  A Lua function becomes a callback,
 * which lives as long as the cdata, or until its :free().
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: C can't cast it, or to such a type.  Units: none. */
static int ffi_cast(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    struct ltw_cuse use = check_type(L, f, 1);
    struct ltw_ctype *t = use.type;
    struct ltw_cdata *c;

    luaL_checkany(L, 2);
    lua_settop(L, 2);
    if ((!ltw_c_is_number(t) && t->kind != LTW_C_POINTER)
        || t->flags & LTW_C_INCOMPLETE) {
        ltw_ctype_push_name(L, use);
        return luaL_error(L, "a cast to '%s': only numbers and pointers can be cast to",
                          lua_tostring(L, -1));
    }
    if (t->kind == LTW_C_POINTER && lua_isfunction(L, 2)) return make(L, f, use, 2);
    f->argument = 0;
    if (t->kind == LTW_C_POINTER) return make_pointer(L, f, use, 2, LTW_C_CAST);
    c = ltw_cdata_new(L, f, use, t->size);
    ltw_cstore(L, f, use, c->at, 2, LTW_C_CAST);
    return 1;
}

/* ffi.metatype(ct, metatable) -> ctype
 * Gives all values of a struct or union, and pointers to one, the metatable's events: all
 * that Lua knows, and __new, which is called for ctype(…).  Once for each type, in each
 * version of each script: its own count while it runs.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: no struct or union; it has a metatable.  Units: none. */
static int ffi_metatype(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    struct ltw_cuse use = check_type(L, f, 1);
    struct ltw_ctype *t = use.type->plain ? use.type->plain : use.type;

    luaL_checktype(L, 2, LUA_TTABLE);
    if (t->kind != LTW_C_RECORD) return luaL_argerror(L, 1, "no struct or union");
    use.constant = false;
    push_ctype(L, f, use);
    if (ltw_cset_metatype(L, t, 2)) return 1;
    ltw_ctype_push_name(L, use);
    return luaL_error(L, "'%s' has a metatable already", lua_tostring(L, -1));
}

/* ffi.gc(cdata, finalizer) -> cdata
 * Calls the finalizer with the cdata when nothing refers to it any more, the last that
 * was set first; nil takes it away. Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: no cdata, or no function.  Units: none. */
static int ffi_gc(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);

    check_cdata(L, 1);
    luaL_checkany(L, 2);
    if (!lua_isnil(L, 2) && !lua_isfunction(L, 2)
        && luaL_getmetafield(L, 2, "__call") == LUA_TNIL)
        luaL_typeerror(L, 2, "function");
    lua_settop(L, 2);
    ltw_cdata_finalize(L, f, 1);
    return 1;
}

/* ffi.sizeof(ct [, n]) -> bytes
 * nil when it is not known.  Of a type with [?], n says how many elements.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: no type; n is missing.  Units: bytes. */
static int ffi_sizeof(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);
    const struct ltw_ctype *t = check_type(L, f, 1).type;

    if (t->flags & LTW_C_VLA && (!c || c->count != SIZE_MAX)) {
        lua_Integer n = c ? (lua_Integer)c->count
                      : t->kind == LTW_C_RECORD ? luaL_optinteger(L, 2, 0)
                      : luaL_checkinteger(L, 2);

        lua_pushinteger(L, (lua_Integer)size_with(L, t, n));
    } else if (t->kind == LTW_C_VOID || t->kind == LTW_C_FUNCTION
               || t->flags & LTW_C_INCOMPLETE) {
        lua_pushnil(L);
    } else {
        lua_pushinteger(L, (lua_Integer)t->size);
    }
    return 1;
}

/* ffi.alignof(ct) -> bytes
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: no type.  Units: bytes. */
static int ffi_alignof(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)1 << check_type(L, self_of(L), 1).type->log_align);
    return 1;
}

/* ffi.offsetof(ct, field) -> offset [, position, bits]
 * Where a field of a struct begins; of a bit-field, also its first bit and how many it
 * has. nil: there is no such field. Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: no type.  Units: bytes, bits. */
static int ffi_offsetof(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    const struct ltw_ctype *t = check_type(L, f, 1).type;
    const struct ltw_cmember *m = NULL;

    luaL_checkstring(L, 2);
    if (t->kind == LTW_C_POINTER) t = t->of;
    if (t->kind == LTW_C_RECORD) m = ltw_cmember_find(t, ltw_ckey_at(L, f->types, 2));
    if (!m) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, (lua_Integer)m->offset);
    if (!m->field->bits) return 1;
    lua_pushinteger(L, m->field->shift);
    lua_pushinteger(L, m->field->bits);
    return 3;
}

/* ffi.istype(ct, value) -> boolean
 * Is it a cdata of that type?  A pointer to a struct counts as one; const does not.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: no type.  Units: none. */
static int ffi_istype(lua_State *L)
{
    const struct ltw_ctype *t = ltw_cplain(check_type(L, self_of(L), 1).type);
    const struct ltw_cdata *c = ltw_cdata_test(L, 2);
    const struct ltw_ctype *is = c ? ltw_cplain(c->type) : NULL;

    if (is && is->kind == LTW_C_POINTER && t->kind == LTW_C_RECORD)
        is = ltw_cplain(is->of);
    else if (is && is->kind == LTW_C_POINTER && t->kind == LTW_C_POINTER)
        is = ltw_cplain(is->of), t = ltw_cplain(t->of);
    lua_pushboolean(L, is == t);
    return 1;
}

/* ffi.addressof(cdata) -> pointer
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: no cdata.  Units: none. */
static int ffi_addressof(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    struct ltw_cdata *c = check_cdata(L, 1);

    ltw_cdata_pointer(L, f, ltw_ctype_pointer(L, f->types, ltw_cuse_of(c)), c->at, 1);
    return 1;
}

/* ffi.toretval(cdata) -> value
 * What a C function that returns such a value gives: a number wherever it fits one.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: no cdata.  Units: none. */
static int ffi_toretval(lua_State *L)
{
    struct ltw_cdata *c = check_cdata(L, 1);

    ltw_cpush(L, self_of(L), ltw_cuse_of(c), c->at, 1);
    return 1;
}

/* ffi.eval(text) -> cdata
 * The value of a constant expression of C: `ffi.eval "0xffffffffffffffffULL"`.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: it is none.  Units: none. */
static int ffi_eval(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    struct ltw_cname v = ltw_declare_eval(L, f->types, text, n);

    memcpy(ltw_cdata_new(L, f, v.use, v.use.type->size)->at, &v.value, v.use.type->size);
    return 1;
}

/* ffi.tonumber(value [, base]) -> number
 * As Lua's tonumber, and of a cdata that is a number; nil: it is none.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: as tonumber.  Units: none. */
static int ffi_tonumber(lua_State *L)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);

    if (!c) {
        lua_getglobal(L, "tonumber");
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, 1);
    } else if (c->type->kind == LTW_C_FLOAT) {
        lua_pushnumber(L, ltw_cload_float(c->type, c->at));
    } else if (ltw_c_is_integer(c->type)) {
        int64_t v = ltw_cload_integer(c->type, c->at);

        if (v < 0 && ltw_c_is_unsigned(c->type)) lua_pushnumber(L, (double)(uint64_t)v);
        else lua_pushinteger(L, v);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* ffi.type(value) -> text
 * As Lua's type, but "cdata" for values and types of C.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int ffi_type_of(lua_State *L)
{
    struct ltw_cuse use;

    luaL_checkany(L, 1);
    lua_pushstring(L, ltw_ctype_of_value(L, 1, &use) ? "cdata" : luaL_typename(L, 1));
    return 1;
}

/* ffi.errno([new]) -> errno
 * As the last call of C left it; new is what the next one finds.
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int ffi_errno(lua_State *L)
{
    struct ltw_ffi *f = self_of(L);
    int before = f->error;

    if (!lua_isnoneornil(L, 1)) f->error = (int)luaL_checkinteger(L, 1);
    lua_pushinteger(L, before);
    return 1;
}

/* Memory that a value means: it can be read or written up to `room`. */
struct memory { unsigned char *at; size_t room; bool constant; };

static struct memory check_memory(lua_State *L, int idx)
{
    struct ltw_cdata *c = ltw_cdata_test(L, idx);
    struct memory m = { NULL, SIZE_MAX, false };

    if (!c && lua_type(L, idx) == LUA_TSTRING) {
        m.at = (unsigned char *)lua_tolstring(L, idx, &m.room);
        m.constant = true;
        return m;
    }
    if (!c && lua_islightuserdata(L, idx)) {
        m.at = lua_touserdata(L, idx);
    } else if (!c) {
        luaL_typeerror(L, idx, "cdata");
    } else if (c->type->kind == LTW_C_POINTER) {
        m.at = ltw_cpointer(c);
        m.constant = c->type->of_constant;
    } else {
        m.at = c->at;
        m.constant =
            c->constant || (c->type->kind == LTW_C_ARRAY && c->type->of_constant);
        if (c->type->flags & (LTW_C_VLA | LTW_C_INCOMPLETE)) {
            if (c->count != SIZE_MAX)
                m.room = size_with(L, c->type, (lua_Integer)c->count);
        } else {
            m.room = c->type->size;
        }
    }
    if (!m.at) luaL_argerror(L, idx, "a null pointer");
    return m;
}

static size_t check_length(lua_State *L, int idx, const struct memory *m, int whose)
{
    lua_Integer n = luaL_checkinteger(L, idx);

    luaL_argcheck(L, n >= 0, idx, "less than nothing");
    if ((size_t)n > m->room)
        luaL_error(L, "%I bytes, where argument %d has %I", n, whose,
                   (lua_Integer)m->room);
    return (size_t)n;
}

/* ffi.string(pointer [, n]) -> text
 * The n bytes behind a pointer or of an array; without n up to the zero byte.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: a null pointer; an array that is shorter.  Units: bytes. */
static int ffi_string(lua_State *L)
{
    struct memory m = check_memory(L, 1);

    if (!lua_isnoneornil(L, 2)) {
        lua_pushlstring(L, (const char *)m.at, check_length(L, 2, &m, 1));
    } else {
        const struct ltw_cdata *c = ltw_cdata_test(L, 1);
        struct ltw_ctype *t = c && (c->type->kind == LTW_C_POINTER
                                    || c->type->kind == LTW_C_ARRAY) ? c->type->of : NULL;

        self_of(L)->argument = 0;
        if (c && (!t || (t->size != 1 && t->kind != LTW_C_VOID)))
            ltw_cdata_refuse(
                L, self_of(L), 1,
                (struct ltw_cuse){
                    ltw_ctype_pointer(L, self_of(L)->types,
                                      (struct ltw_cuse){ self_of(L)->of_char, true }),
                    false });
        lua_pushlstring(L, (const char *)m.at, m.room == SIZE_MAX
            ? strlen((const char *)m.at) : strnlen((const char *)m.at, m.room));
    }
    return 1;
}

static struct memory check_writable(lua_State *L, int idx)
{
    struct memory m = check_memory(L, idx);

    luaL_argcheck(L, !m.constant, idx, "it is constant");
    return m;
}

/* ffi.copy(to, from, n)
 * ffi.copy(to, text)
 * Copies n bytes, or those of a text with a zero byte behind them.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: a null pointer, a constant, an array that is shorter.  Units: bytes. */
static int ffi_copy(lua_State *L)
{
    struct memory to = check_writable(L, 1), from = check_memory(L, 2);
    size_t n;

    if (lua_isnoneornil(L, 3) && lua_type(L, 2) == LUA_TSTRING) {
        n = from.room + 1;
        if (n > to.room)
            return luaL_error(L, "%I bytes, where argument 1 has %I", (lua_Integer)n,
                              (lua_Integer)to.room);
    } else {
        if (lua_type(L, 2) == LUA_TSTRING) from.room++;
        n = check_length(L, 3, &to, 1);
        check_length(L, 3, &from, 2);
    }
    memmove(to.at, from.at, n);
    return 0;
}

/* ffi.fill(to, n [, byte])
 * Sets n bytes to zero, or to that byte.
 * Yields: no.  Blocks: no.  Thread: the state's.
 * Errors: a null pointer, a constant, an array that is shorter.  Units: bytes. */
static int ffi_fill(lua_State *L)
{
    struct memory to = check_writable(L, 1);
    size_t n = check_length(L, 2, &to, 1);

    memset(to.at, (int)luaL_optinteger(L, 3, 0), n);
    return 0;
}

/* ffi.abi(what) -> boolean
 * "64bit", "32bit", "le", "be", "fpu", "hardfp" …
 * Yields: no.  Blocks: no.  Thread: the state's.  Errors: none.  Units: none. */
static int ffi_abi(lua_State *L)
{
    static const char *const has[] = { "64bit", "le", "fpu", "hardfp", NULL };
    const char *what = luaL_checkstring(L, 1);
    bool found = false;

    for (int i = 0; has[i]; i++) found |= !strcmp(what, has[i]);
    lua_pushboolean(L, found);
    return 1;
}

static const char module_key, self_key;

void tw_lua_push_cdata(lua_State *L, const char *declarations, const char *type,
                       void *memory)
{
    struct ltw_ffi *f;

    luaL_checkstack(L, 8, "tw_lua_push_cdata");
    lua_getglobal(L, "require");
    lua_pushliteral(L, "ffi");
    lua_call(L, 1, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &self_key);
    f = lua_touserdata(L, -1);
    if (declarations) ltw_declare(L, f->types, declarations, strlen(declarations), 0);
    ltw_cdata_view(L, f, ltw_declare_type(L, f->types, type, strlen(type), 0), memory, 0);
    lua_remove(L, -2);
}

static int new_reference(lua_State *L, const char *mode)
{
    lua_newtable(L);
    if (mode) {
        lua_createtable(L, 0, 1);
        ltw_set_text(L, "__mode", mode);
        lua_setmetatable(L, -2);
    }
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static const luaL_Reg functions[] = {
    { "cdef", ffi_cdef },
    { "load", ffi_load },
    { "typeof", ffi_typeof },
    { "new", ffi_new },
    { "cast", ffi_cast },
    { "metatype", ffi_metatype },
    { "gc", ffi_gc },
    { "sizeof", ffi_sizeof },
    { "alignof", ffi_alignof },
    { "offsetof", ffi_offsetof },
    { "istype", ffi_istype },
    { "addressof", ffi_addressof },
    { "toretval", ffi_toretval },
    { "eval", ffi_eval },
    { "tonumber", ffi_tonumber },
    { "type", ffi_type_of },
    { "errno", ffi_errno },
    { "string", ffi_string },
    { "copy", ffi_copy },
    { "fill", ffi_fill },
    { "abi", ffi_abi },
    { "blocking", ltw_ffi_make_blocking },
    { NULL, NULL },
};

int luaopen_tw_ffi(lua_State *L)
{
    struct ltw_ffi *f;
    int self;

    if (ltw_state(L)->distrusted)
        return luaL_error(L, "ffi is off in scripts that the app does not trust");
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key) == LUA_TTABLE) return 1;
    f = lua_newuserdatauv(L, sizeof *f, 1);
    self = lua_gettop(L);
    *f = (struct ltw_ffi){ 0 };
    f->types = ltw_ctypes_new(L);
    lua_setiuservalue(L, self, 1);
    f->of_int64 = ltw_ctype_basic(f->types, "long");
    f->of_uint64 = ltw_ctype_basic(f->types, "unsigned long");
    f->of_void = ltw_ctype_basic(f->types, "void");
    f->of_char = ltw_ctype_basic(f->types, "char");
    f->of_double = ltw_ctype_basic(f->types, "double");
    f->texts = new_reference(L, NULL);
    f->owners = new_reference(L, NULL);
    f->finalizers = new_reference(L, "k");
    ltw_callback_open(L, f, self);
    ltw_cdata_open(L, f, self);
    lua_rawgeti(L, LUA_REGISTRYINDEX, f->ctype_metatable);
    lua_pushvalue(L, self);
    lua_pushcclosure(L, ctype_call, 1);
    lua_setfield(L, -2, "__call");
    lua_pop(L, 1);

    luaL_newlibtable(L, functions);
    lua_pushvalue(L, self);
    luaL_setfuncs(L, functions, 1);
    ltw_clib_push(L, self, NULL, true);
    lua_setfield(L, -2, "C");
    ltw_cdata_pointer(
        L, f, ltw_ctype_pointer(L, f->types, (struct ltw_cuse){ f->of_void, false }),
        NULL, 0);
    lua_setfield(L, -2, "nullptr");
    lua_pushliteral(L, "Linux");
    lua_setfield(L, -2, "os");
#if defined __aarch64__
    lua_pushliteral(L, "arm64");
#else
    lua_pushliteral(L, "x64");
#endif
    lua_setfield(L, -2, "arch");
    lua_pushvalue(L, self);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &self_key);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
    return 1;
}

/* convert.c - values of Lua become values of C, and these Lua's.
 *
 * The rules are those that LuaJIT documents, with what Lua 5.4 has besides: its integers
 * have 64 bits, so an integer of C becomes one wherever its value fits, and only an
 * unsigned one beyond math.maxinteger, or an __int128, is boxed.
 *
 * Layer lua.
 */
#include <string.h>

#include "cdata.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bit-fields are read so");

int64_t ltw_cload_integer(const struct ltw_ctype *t, const void *p)
{
    bool is_unsigned = ltw_c_is_unsigned(t);

    switch (t->size) {
    case 1: { uint8_t v; memcpy(&v, p, 1); return is_unsigned ? v : (int8_t)v; }
    case 2: { uint16_t v; memcpy(&v, p, 2); return is_unsigned ? v : (int16_t)v; }
    case 4: {
        uint32_t v;
        memcpy(&v, p, 4);
        return is_unsigned ? (int64_t)v : (int32_t)v;
    }
    default: { int64_t v; memcpy(&v, p, 8); return v; }
    }
}

static void store_integer(const struct ltw_ctype *t, void *p, int64_t v)
{
    if (t->kind == LTW_C_BOOL) v = v != 0;
    if (t->size <= 8) {
        memcpy(p, &v, t->size);
    } else {
        int64_t high = !ltw_c_is_unsigned(t) && v < 0 ? -1 : 0;

        memcpy(p, &v, 8);
        memcpy((char *)p + 8, &high, 8);
    }
}

double ltw_cload_float(const struct ltw_ctype *t, const void *p)
{
    if (t->size == sizeof(float)) { float v; memcpy(&v, p, sizeof v); return v; }
    if (t->size == sizeof(double)) { double v; memcpy(&v, p, sizeof v); return v; }
    long double v;
    memcpy(&v, p, sizeof v);
    return (double)v;
}

static void store_float(const struct ltw_ctype *t, void *p, double d)
{
    if (t->size == sizeof(float)) {
        float v = (float)d;
        memcpy(p, &v, sizeof v);
    } else if (t->size == sizeof(double)) {
        memcpy(p, &d, sizeof d);
    } else {
        long double v = d;
        memcpy(p, &v, sizeof v);
    }
}

/* A field's bits may lie in up to nine bytes when its record is packed. */
int64_t ltw_cload_bits(const struct ltw_cfield *field, const unsigned char *unit)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < field->bits; i++) {
        unsigned at = field->shift + i;

        v |= (uint64_t)(unit[at / 8] >> at % 8 & 1) << i;
    }
    if (!ltw_c_is_unsigned(field->use.type) && field->bits < 64
        && v >> (field->bits - 1) & 1)
        v |= ~UINT64_C(0) << field->bits;
    return (int64_t)v;
}

static void store_bits(const struct ltw_cfield *field, unsigned char *unit, int64_t v)
{
    for (unsigned i = 0; i < field->bits; i++) {
        unsigned at = field->shift + i;
        unsigned char bit = (unsigned char)(1u << at % 8);

        if ((uint64_t)v >> i & 1) unit[at / 8] |= bit;
        else unit[at / 8] &= (unsigned char)~bit;
    }
}

void ltw_cconvert_bits(lua_State *L, struct ltw_ffi *f, const struct ltw_cfield *field,
                       unsigned char *unit, int idx)
{
    int64_t v = 0;

    ltw_cstore(L, f, (struct ltw_cuse){ field->use.type, false }, &v, idx, LTW_C_ASSIGN);
    store_bits(field, unit, ltw_cload_integer(field->use.type, &v));
}

int64_t ltw_cinteger_of(double d)
{
    if (d >= -0x1p63 && d < 0x1p63) return (int64_t)d;
    if (d >= 0x1p63 && d < 0x1p64) return (int64_t)(uint64_t)d;
    return INT64_MIN;
}

/* -- C to Lua ---------------------------------------------------------------------- */

void ltw_cpush(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p, int owner)
{
    if (ltw_cpush_scalar(L, ltw_cscalar_of(use.type), p)) return;
    switch (use.type->kind) {
    case LTW_C_FLOAT:
        lua_pushnumber(L, ltw_cload_float(use.type, p));
        return;
    case LTW_C_VOID:
        lua_pushnil(L);
        return;
    case LTW_C_FUNCTION:
        ltw_cdata_view(L, f, use, p, 0);
        return;
    case LTW_C_ARRAY: case LTW_C_RECORD:
        if (owner) {
            ltw_cdata_view(L, f, use, p, owner);
            return;
        }
        break;
    default:
        break;
    }
    struct ltw_cuse bare = { use.type, false };
    memcpy(ltw_cdata_new(L, f, bare, use.type->size)->at, p, use.type->size);
}

/* -- Lua to C ---------------------------------------------------------------------- */

void ltw_cdata_push_type(lua_State *L, int idx)
{
    struct ltw_cuse use;

    if (!ltw_ctype_of_value(L, idx, &use)) lua_pushstring(L, luaL_typename(L, idx));
    else if (ltw_cdata_test(L, idx)) ltw_ctype_push_name(L, use);
    else luaL_tolstring(L, idx, NULL);
}

_Noreturn void ltw_cdata_refuse(lua_State *L, struct ltw_ffi *f, int idx,
                                struct ltw_cuse to)
{
    int argument = f->argument;

    f->argument = 0;
    ltw_cdata_push_type(L, idx);
    ltw_ctype_push_name(L, to);
    if (argument > 0) lua_pushfstring(L, "argument %d: ", argument);
    else lua_pushstring(L, argument ? "the result of a callback: " : "");
    luaL_error(L, "%scannot convert '%s' to '%s'", lua_tostring(L, -1),
               lua_tostring(L, -3), lua_tostring(L, -2));
    __builtin_unreachable();
}

/* Can a pointer to `from` be used where one to `to` is wanted, without a cast? */
static bool is_compatible(struct ltw_cuse to, struct ltw_cuse from)
{
    const struct ltw_ctype *a = ltw_cplain(to.type), *b = ltw_cplain(from.type);

    if (from.constant && !to.constant) return false;
    while (a->kind == LTW_C_POINTER && b->kind == LTW_C_POINTER) {
        if (b->of_constant && !a->of_constant) return false;
        a = ltw_cplain(a->of);
        b = ltw_cplain(b->of);
    }
    if (a == b || a->kind == LTW_C_VOID || b->kind == LTW_C_VOID) return true;
    if (a->kind == LTW_C_ENUM && a->of) a = a->of;
    if (b->kind == LTW_C_ENUM && b->of) b = b->of;
    if (ltw_c_is_number(a) && ltw_c_is_number(b))
        return a->kind == b->kind && a->size == b->size;
    if (a->kind == LTW_C_ARRAY && b->kind == LTW_C_ARRAY)
        return a->of == b->of && (a->count == b->count || a->flags & LTW_C_INCOMPLETE);
    /* As LuaJIT: functions of as many parameters. */
    return a->kind == LTW_C_FUNCTION && b->kind == LTW_C_FUNCTION
        && a->count_fields == b->count_fields;
}

static struct ltw_cuse target(const struct ltw_ctype *pointer)
{
    return (struct ltw_cuse){ pointer->of, pointer->of_constant };
}

/* What a cdata points to, if it can be used as a pointer. */
static bool pointed(const struct ltw_cdata *c, struct ltw_cuse *to, void **p)
{
    switch (c->type->kind) {
    case LTW_C_POINTER:
        *to = target(c->type);
        *p = ltw_cpointer(c);
        return true;
    case LTW_C_ARRAY:
        *to = (struct ltw_cuse){ c->type->of, c->type->of_constant || c->constant };
        break;
    case LTW_C_RECORD: case LTW_C_FUNCTION: case LTW_C_VA_LIST:
        *to = ltw_cuse_of(c);
        break;
    default:
        return false;
    }
    *p = c->at;
    return true;
}

static void store_pointer(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p,
                          int idx, enum ltw_crule rule)
{
    struct ltw_ctype *t = use.type;
    const struct ltw_cdata *c;
    struct ltw_cuse to;
    const void *v = NULL;

    switch (lua_type(L, idx)) {
    case LUA_TNIL:
        break;
    case LUA_TLIGHTUSERDATA:
        v = lua_touserdata(L, idx);
        break;
    case LUA_TSTRING:
        if (!ltw_ctakes_text(t) && rule != LTW_C_CAST) ltw_cdata_refuse(L, f, idx, use);
        v = lua_tostring(L, idx);
        break;
    case LUA_TNUMBER:
        if (rule != LTW_C_CAST) ltw_cdata_refuse(L, f, idx, use);
        v = (void *)(lua_isinteger(L, idx) ? (uintptr_t)lua_tointeger(L, idx)
                     : (uintptr_t)ltw_cinteger_of(lua_tonumber(L, idx)));
        break;
    case LUA_TFUNCTION:
        if (t->of->kind != LTW_C_FUNCTION) ltw_cdata_refuse(L, f, idx, use);
        v = ltw_callback_for_ever(L, f, t->of, idx);
        break;
    case LUA_TUSERDATA:
        c = ltw_cdata_test(L, idx);
        if (!c) {
            luaL_Stream *stream = luaL_testudata(L, idx, LUA_FILEHANDLE);
            struct ltw_cuse some;

            if (ltw_ctype_of_value(L, idx, &some)) ltw_cdata_refuse(L, f, idx, use);
            v = stream && stream->closef ? (void *)stream->f : lua_touserdata(L, idx);
        } else if (pointed(c, &to, (void **)&v)) {
            if (rule != LTW_C_CAST && !is_compatible(target(t), to))
                ltw_cdata_refuse(L, f, idx, use);
        } else if (rule == LTW_C_CAST && ltw_c_is_integer(c->type)) {
            v = (void *)(uintptr_t)ltw_cload_integer(c->type, c->at);
        } else {
            ltw_cdata_refuse(L, f, idx, use);
        }
        break;
    default:
        ltw_cdata_refuse(L, f, idx, use);
    }
    memcpy(p, &v, sizeof v);
}

/* Is it an address, which a cast makes a number of?  cdata are seen to by themselves. */
static bool is_address(lua_State *L, int idx)
{
    struct ltw_cuse use;

    switch (lua_type(L, idx)) {
    case LUA_TNIL: case LUA_TSTRING: case LUA_TLIGHTUSERDATA: return true;
    case LUA_TUSERDATA: return !ltw_ctype_of_value(L, idx, &use);
    default: return false;
    }
}

/* [-0, +0, e]  An enum's constant of that name. */
static int64_t constant_of(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, int idx)
{
    size_t n;
    const char *name = lua_tolstring(L, idx, &n);
    const struct ltw_cname *found;

    found = ltw_cname_find(f->types, ltw_cintern(L, f->types, name, n));
    if (!found || found->kind != LTW_C_CONSTANT || found->enumeration != use.type) {
        ltw_ctype_push_name(L, use);
        luaL_error(L, "%s has no constant '%s'", lua_tostring(L, -1), name);
    }
    return found->value.i;
}

/* Are the bytes of a number of type `from` those of one of type `to`, too? */
static bool is_copied(const struct ltw_ctype *from, const struct ltw_ctype *to)
{
    if (from->kind == LTW_C_FLOAT || from->kind == LTW_C_COMPLEX) return from == to;
    return ltw_c_is_integer(from) && from->size > 8 && to->kind == LTW_C_INT
        && to->size > 8;
}

/* What is stored: d where it is_float, else i. */
struct number { bool is_float; double d; int64_t i; };

/* [-0, +0, e]  What the cdata at idx has. */
static struct number number_of(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use,
                               int idx, const struct ltw_cdata *c, enum ltw_crule rule)
{
    const struct ltw_ctype *t = use.type;
    struct number n = { 0 };
    struct ltw_cuse to;
    void *address;

    if (c->type->kind == LTW_C_FLOAT || c->type->kind == LTW_C_COMPLEX) {
        n.is_float = true;
        n.d = ltw_cload_float(c->type->of ? c->type->of : c->type, c->at);
    } else if (ltw_c_is_integer(c->type)) {
        n.i = ltw_cload_integer(c->type, c->at);
        n.is_float = n.i < 0 && ltw_c_is_unsigned(c->type) && t->kind == LTW_C_FLOAT;
        if (n.is_float) n.d = (double)(uint64_t)n.i;
    } else if ((t->kind == LTW_C_BOOL
                || (rule == LTW_C_CAST && t->kind != LTW_C_FLOAT))
               && pointed(c, &to, &address)) {
        n.i = (int64_t)(uintptr_t)address;
    } else {
        ltw_cdata_refuse(L, f, idx, use);
    }
    return n;
}

static void store_number(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p,
                         int idx, enum ltw_crule rule)
{
    const struct ltw_ctype *t = use.type;
    const struct ltw_cdata *c;
    struct number n = { 0 };
    int kind = lua_type(L, idx);

    if (rule == LTW_C_CAST && t->kind != LTW_C_FLOAT && is_address(L, idx)
        && !(kind == LUA_TSTRING && t->kind == LTW_C_ENUM)) {
        struct ltw_cuse to = { f->of_void, false };
        void *address;

        to.type = ltw_ctype_pointer(L, f->types, to);
        store_pointer(L, f, to, &address, idx, rule);
        n.i = (int64_t)(uintptr_t)address;
        kind = LUA_TNONE;
    }
    switch (kind) {
    case LUA_TNONE:
        break;
    case LUA_TNUMBER:
        n.is_float = !lua_isinteger(L, idx);
        if (n.is_float) n.d = lua_tonumber(L, idx);
        else n.i = lua_tointeger(L, idx);
        break;
    case LUA_TNIL:
        if (t->kind != LTW_C_BOOL) ltw_cdata_refuse(L, f, idx, use);
        break;
    case LUA_TBOOLEAN:
        n.i = lua_toboolean(L, idx);
        break;
    case LUA_TSTRING:
        if (t->kind != LTW_C_ENUM) ltw_cdata_refuse(L, f, idx, use);
        n.i = constant_of(L, f, use, idx);
        break;
    default:
        c = ltw_cdata_test(L, idx);
        if (!c) ltw_cdata_refuse(L, f, idx, use);
        if (is_copied(c->type, t)) {
            memmove(p, c->at, t->size);
            return;
        }
        n = number_of(L, f, use, idx, c, rule);
    }
    if (t->kind == LTW_C_FLOAT) store_float(t, p, n.is_float ? n.d : (double)n.i);
    else if (t->kind == LTW_C_BOOL) *(bool *)p = n.is_float ? n.d != 0 : n.i != 0;
    else store_integer(t, p, n.is_float ? ltw_cinteger_of(n.d) : n.i);
}

static bool holds_bytes(const struct ltw_ctype *array)
{
    return array->of->kind == LTW_C_INT && array->of->size == 1;
}

static void store_table(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p,
                        size_t count, int idx);

/* [-0, +0, e]  Records and arrays.  count: of an array's elements. */
static void store_many(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p,
                       size_t count, int idx)
{
    struct ltw_ctype *t = use.type;
    const struct ltw_cdata *c = ltw_cdata_test(L, idx);

    if (c && ltw_cplain(c->type) == ltw_cplain(t)
        && (c->count == SIZE_MAX || t->kind == LTW_C_RECORD)) {
        memmove(p, c->at, t->size);
    } else if (c && t->kind == LTW_C_ARRAY && c->type->kind == LTW_C_ARRAY
               && c->type->of == t->of) {
        size_t has = c->count == SIZE_MAX ? c->type->count : c->count;

        memmove(p, c->at, (has < count ? has : count) * t->of->size);
    } else if (c && t->kind == LTW_C_RECORD && c->type->kind == LTW_C_POINTER
               && ltw_cplain(c->type->of) == ltw_cplain(t) && ltw_cpointer(c)) {
        memmove(p, ltw_cpointer(c), t->size);
    } else if (lua_istable(L, idx)) {
        store_table(L, f, use, p, count, idx);
    } else if (t->kind == LTW_C_ARRAY && holds_bytes(t)
               && lua_type(L, idx) == LUA_TSTRING) {
        size_t n;
        const char *text = lua_tolstring(L, idx, &n);

        if (n > count) luaL_error(L, "%I bytes do not fit an array of %I",
                                  (lua_Integer)n, (lua_Integer)count);
        memcpy(p, text, n < count ? n + 1 : n);
    } else {
        ltw_cdata_refuse(L, f, idx, use);
    }
}

/* [-0, +0, e]  A complex number, a vector: of a number, as C makes it.  What else is
 * copied as a whole. */
static void store_parts(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, char *p,
                        int idx, enum ltw_crule rule)
{
    const struct ltw_ctype *t = use.type, *of = t->of;
    const struct ltw_cdata *c = ltw_cdata_test(L, idx);

    if (c && c->type == t) {
        memmove(p, c->at, t->size);
    } else if (!ltw_chas_parts(t)) {
        ltw_cdata_refuse(L, f, idx, use);
    } else if (lua_istable(L, idx)) {
        store_table(L, f, use, p, t->count, idx);
    } else {
        ltw_cstore(L, f, (struct ltw_cuse){ t->of, false }, p, idx, rule);
        if (t->kind == LTW_C_COMPLEX)
            store_float(of, p + of->size, c && c->type->kind == LTW_C_COMPLEX
                ? ltw_cload_float(c->type->of, c->at + c->type->of->size) : 0);
        else
            for (size_t i = 1; i < t->count; i++) memcpy(p + i * of->size, p, of->size);
    }
}

void ltw_cstore(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p, int idx,
                enum ltw_crule rule)
{
    struct ltw_ctype *t = use.type;

    switch (t->kind) {
    case LTW_C_BOOL: case LTW_C_INT: case LTW_C_FLOAT: case LTW_C_ENUM:
        store_number(L, f, use, p, idx, rule);
        break;
    case LTW_C_POINTER:
        store_pointer(L, f, use, p, idx, rule);
        break;
    case LTW_C_ARRAY: case LTW_C_RECORD:
        if (rule == LTW_C_CAST) ltw_cdata_refuse(L, f, idx, use);
        store_many(L, f, use, p, t->count, idx);
        break;
    case LTW_C_COMPLEX: case LTW_C_VA_LIST: case LTW_C_OPAQUE:
        store_parts(L, f, use, p, idx, rule);
        break;
    default:
        ltw_cdata_refuse(L, f, idx, use);
    }
}

/* -- initializers ------------------------------------------------------------------ */

/* Is it, or has it at its end, an array that is as long as was told when it was made? */
static bool is_flexible(const struct ltw_ctype *t)
{
    return t->flags & (LTW_C_VLA | LTW_C_INCOMPLETE);
}

/* [-0, +0, e]  A field, of a record at p, from the value at idx.  Here and below, count
 * is the elements of the array at the record's end. */
static void init_field(lua_State *L, struct ltw_ffi *f, const struct ltw_cfield *field,
                       unsigned char *p, size_t count, int idx)
{
    p += field->offset;
    if (field->bits) ltw_cconvert_bits(L, f, field, p, idx);
    else if (is_flexible(field->use.type)) store_many(L, f, field->use, p, count, idx);
    else ltw_cstore(L, f, field->use, p, idx, LTW_C_ASSIGN);
}

/* Initializers without names: a table's from `next` on, or those on the stack there. */
struct given { int table; lua_Integer next, end; };

/* [-0, +1, e]  The next one; false: there is none, and nothing pushed. */
static bool push_given(lua_State *L, const struct given *g)
{
    if (!g->table) {
        if (g->next == g->end) return false;
        lua_pushvalue(L, (int)g->next);
    } else if (lua_geti(L, g->table, g->next) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    return true;
}

/* [-0, +0, e]  The fields in order, those of a member without a name as if they were the
 * record's; of a union the first one. */
static void init_in_order(lua_State *L, struct ltw_ffi *f, const struct ltw_ctype *t,
                          unsigned char *p, size_t count, struct given *g)
{
    for (unsigned i = 0; i < t->count_fields; i++) {
        const struct ltw_cfield *field = &t->fields[i];
        const struct ltw_ctype *of = field->use.type;
        bool unnamed = !field->name && of->kind == LTW_C_RECORD;
        const struct ltw_cdata *given;

        if (field->bits ? !field->name : of->size == 0 && !is_flexible(of)) continue;
        if (!push_given(L, g)) return;
        given = ltw_cdata_test(L, -1);
        if (unnamed && !lua_istable(L, -1) && !(given && given->type == of)) {
            lua_pop(L, 1);
            init_in_order(L, f, of, p + field->offset, count, g);
        } else {
            init_field(L, f, field, p, count, lua_gettop(L));
            lua_pop(L, 1);
            g->next++;
        }
        if (t->flags & LTW_C_UNION) return;
    }
}

/* [-0, +0, e]  By name, those of unnamed members too; of a union the first one given. */
static void init_named(lua_State *L, struct ltw_ffi *f, const struct ltw_ctype *t,
                       unsigned char *p, size_t count, int idx)
{
    for (unsigned i = 0; i < t->count_fields; i++) {
        const struct ltw_cfield *field = &t->fields[i];

        if (field->name) {
            if (lua_getfield(L, idx, field->name) != LUA_TNIL) {
                init_field(L, f, field, p, count, lua_gettop(L));
                if (t->flags & LTW_C_UNION) i = t->count_fields;
            }
            lua_pop(L, 1);
        } else if (!field->bits && field->use.type->kind == LTW_C_RECORD) {
            init_named(L, f, field->use.type, p + field->offset, count, idx);
        }
    }
}

static void store_table(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p,
                        size_t count, int idx)
{
    struct ltw_ctype *t = use.type;
    unsigned char *at = p;
    lua_Integer first;

    luaL_checkstack(L, 4, "a deep table");
    idx = lua_absindex(L, idx);
    first = lua_geti(L, idx, 0) == LUA_TNIL;
    lua_pop(L, 1);
    if (t->kind != LTW_C_RECORD) {
        size_t size = t->of->size, n = 0;
        struct ltw_cuse of = { t->of, t->of_constant };

        for (; lua_geti(L, idx, first + (lua_Integer)n) != LUA_TNIL; n++) {
            if (n == count)
                luaL_error(L, "more initializers than the %I elements",
                           (lua_Integer)count);
            ltw_cstore(L, f, of, at + n * size, lua_gettop(L), LTW_C_ASSIGN);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
        if (n == 1 && !is_flexible(t) && t->kind != LTW_C_COMPLEX)
            for (; n < count; n++) memcpy(at + n * size, at, size);
        else
            memset(at + n * size, 0, (count - n) * size);
        return;
    }
    memset(p, 0, t->size);
    if (lua_geti(L, idx, first) != LUA_TNIL) {
        struct given g = { .table = idx, .next = first };

        lua_pop(L, 1);
        init_in_order(L, f, t, at, count, &g);
    } else {
        lua_pop(L, 1);
        init_named(L, f, t, at, count, idx);
    }
}

void ltw_cinit(lua_State *L, struct ltw_ffi *f, struct ltw_cdata *c, int idx, int n)
{
    struct ltw_ctype *t = c->type;
    struct ltw_cuse use = ltw_cuse_of(c);
    struct given g = { .next = idx, .end = idx + n };

    if (n == 0) return;
    if (t->kind == LTW_C_ARRAY || (n > 1 && ltw_chas_parts(t))) {
        size_t count = c->count == SIZE_MAX ? t->count : c->count, size = t->of->size;
        const struct ltw_cdata *from = ltw_cdata_test(L, idx);
        struct ltw_cuse of = { t->of, t->of_constant };

        if (n == 1 && (lua_istable(L, idx) || (holds_bytes(t)
                && lua_type(L, idx) == LUA_TSTRING)
            || (from && from->type->kind == LTW_C_ARRAY && from->type->of == t->of
                && t->of->kind != LTW_C_ARRAY) || (from && from->type == t))) {
            store_many(L, f, use, c->at, count, idx);
            return;
        }
        if ((size_t)n > count)
            luaL_error(L, "%d initializers for %I elements", n, (lua_Integer)count);
        for (int i = 0; i < n; i++)
            ltw_cstore(L, f, of, c->at + (size_t)i * size, idx + i, LTW_C_ASSIGN);
        if (n == 1)
            for (size_t i = 1; i < count; i++) memcpy(c->at + i * size, c->at, size);
        return;
    }
    if (t->kind != LTW_C_RECORD) {
        if (n > 1) luaL_error(L, "%d initializers for one value", n);
        ltw_cstore(L, f, use, c->at, idx, LTW_C_ASSIGN);
        return;
    }
    size_t count = c->count == SIZE_MAX ? 0 : c->count;
    if (n == 1) {
        const struct ltw_cdata *from = ltw_cdata_test(L, idx);
        const struct ltw_ctype *whole = ltw_cplain(t);

        if (lua_istable(L, idx) || (from && (ltw_cplain(from->type) == whole
            || (from->type->kind == LTW_C_POINTER
                && ltw_cplain(from->type->of) == whole)))) {
            store_many(L, f, use, c->at, count, idx);
            return;
        }
    }
    init_in_order(L, f, t, c->at, count, &g);
    if (g.next < g.end)
        luaL_error(L, "%d initializers for %d fields", n, (int)g.next - idx);
}

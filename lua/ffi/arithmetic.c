/* arithmetic.c - operators on C values: integers of 64 bits, and pointers.
 *
 * As LuaJIT has it: when one side is a uint64_t both are taken as such, else both as
 * int64_t, and the result is boxed.  Integers wrap, division is C's; a floating-point
 * cdata counts as the number that it holds.
 *
 * Layer lua.
 */
#include "arithmetic.h"

#include <math.h>
#include <string.h>

const char *const ltw_coperators[LTW_O_COUNT] = {
    [LTW_O_ADD] = "__add", [LTW_O_SUB] = "__sub", [LTW_O_MUL] = "__mul",
    [LTW_O_DIV] = "__div", [LTW_O_MOD] = "__mod", [LTW_O_POW] = "__pow",
    [LTW_O_UNM] = "__unm", [LTW_O_IDIV] = "__idiv", [LTW_O_EQ] = "__eq",
    [LTW_O_LT] = "__lt", [LTW_O_LE] = "__le", [LTW_O_BAND] = "__band",
    [LTW_O_BOR] = "__bor", [LTW_O_BXOR] = "__bxor", [LTW_O_SHL] = "__shl",
    [LTW_O_SHR] = "__shr", [LTW_O_BNOT] = "__bnot",
};

struct side {
    enum { NOTHING, SIGNED, UNSIGNED, FLOATING, POINTER } kind;
    int64_t i;
    double d;
    unsigned char *p;
    struct ltw_cuse to;         /* of a pointer */
};

static struct side side_at(lua_State *L, int idx)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, idx);
    struct side s = { .kind = NOTHING };

    if (lua_type(L, idx) == LUA_TNUMBER) {
        s.kind = SIGNED;
        s.i = lua_isinteger(L, idx) ? lua_tointeger(L, idx)
                                    : ltw_cinteger_of(lua_tonumber(L, idx));
        s.d = lua_tonumber(L, idx);
    } else if (!c) {
        if (lua_isnil(L, idx)) s.kind = POINTER;
    } else if (c->type->kind == LTW_C_FLOAT) {
        s.kind = FLOATING;
        s.d = ltw_cload_float(c->type, c->at);
        s.i = ltw_cinteger_of(s.d);
    } else if (ltw_c_is_integer(c->type)) {
        s.i = ltw_cload_integer(c->type, c->at);
        s.kind = ltw_c_is_unsigned(c->type) && c->type->size >= 8 ? UNSIGNED : SIGNED;
        s.d = s.kind == UNSIGNED ? (double)(uint64_t)s.i : (double)s.i;
    } else if (c->type->kind == LTW_C_POINTER) {
        s.kind = POINTER;
        s.p = ltw_cpointer(c);
        s.to = (struct ltw_cuse){ c->type->of, c->type->of_constant };
    } else if (c->type->kind == LTW_C_ARRAY) {
        s.kind = POINTER;
        s.p = c->at;
        s.to = (struct ltw_cuse){ c->type->of, c->type->of_constant || c->constant };
    } else if (c->type->kind == LTW_C_FUNCTION || c->type->kind == LTW_C_RECORD) {
        s.kind = POINTER;
        s.p = c->at;
        s.to = ltw_cuse_of(c);
    }
    return s;
}

static int undefined(lua_State *L, enum ltw_coperator op)
{
    ltw_cdata_push_type(L, 1);
    ltw_cdata_push_type(L, 2);
    return luaL_error(L, "%s is not defined for '%s' and '%s'", ltw_coperators[op] + 2,
                      lua_tostring(L, -2), lua_tostring(L, -1));
}

static int of_pointers(lua_State *L, struct ltw_ffi *f, enum ltw_coperator op,
                       const struct side *a, const struct side *b)
{
    const struct side *p = a->kind == POINTER ? a : b, *i = p == a ? b : a;
    int at = p == a ? 1 : 2;

    if (a->kind == POINTER && b->kind == POINTER) {
        if (op == LTW_O_EQ) {
            lua_pushboolean(L, a->p == b->p);
        } else if (op == LTW_O_LT) {
            lua_pushboolean(L, a->p < b->p);
        } else if (op == LTW_O_LE) {
            lua_pushboolean(L, a->p <= b->p);
        } else if (op == LTW_O_SUB && a->to.type && a->to.type == b->to.type
                   && a->to.type->size) {
            lua_pushinteger(L, (lua_Integer)((uintptr_t)a->p - (uintptr_t)b->p)
                               / (lua_Integer)a->to.type->size);
        } else {
            return undefined(L, op);
        }
        return 1;
    }
    if ((i->kind != SIGNED && i->kind != UNSIGNED) || !p->to.type || !p->to.type->size
        || p->to.type->kind == LTW_C_FUNCTION)
        return undefined(L, op);
    int64_t steps = i->i;
    if (op == LTW_O_SUB && p == a) steps = (int64_t)-(uint64_t)steps;
    else if (op != LTW_O_ADD) return undefined(L, op);
    uintptr_t to = (uintptr_t)p->p + (uintptr_t)steps * p->to.type->size;
    ltw_cdata_pointer(L, f, ltw_ctype_pointer(L, f->types, p->to), (void *)to, at);
    return 1;
}

static int push_boxed(lua_State *L, struct ltw_ffi *f, uint64_t v, bool is_unsigned)
{
    struct ltw_cuse use = { is_unsigned ? f->of_uint64 : f->of_int64, false };

    memcpy(ltw_cdata_new(L, f, use, sizeof v)->at, &v, sizeof v);
    return 1;
}

/* Integers modulo 2^64. */
static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t v = 1;

    for (; exponent; exponent >>= 1, base *= base)
        if (exponent & 1) v *= base;
    return v;
}

static int of_floats(lua_State *L, enum ltw_coperator op, double a, double b)
{
    switch (op) {
    case LTW_O_ADD: lua_pushnumber(L, a + b); break;
    case LTW_O_SUB: lua_pushnumber(L, a - b); break;
    case LTW_O_MUL: lua_pushnumber(L, a * b); break;
    case LTW_O_MOD: lua_pushnumber(L, fmod(a, b)); break;
    case LTW_O_DIV: lua_pushnumber(L, a / b); break;
    case LTW_O_IDIV: lua_pushnumber(L, floor(a / b)); break;
    case LTW_O_POW: lua_pushnumber(L, pow(a, b)); break;
    case LTW_O_UNM: lua_pushnumber(L, -a); break;
    case LTW_O_EQ: lua_pushboolean(L, a == b); break;
    case LTW_O_LT: lua_pushboolean(L, a < b); break;
    default: lua_pushboolean(L, a <= b); break;
    }
    return 1;
}

int ltw_carithmetic(lua_State *L, struct ltw_ffi *f, enum ltw_coperator op)
{
    struct side x = side_at(L, 1), y = side_at(L, 2);
    bool u = x.kind == UNSIGNED || y.kind == UNSIGNED;
    uint64_t a = (uint64_t)x.i, b = (uint64_t)y.i;

    if (op == LTW_O_EQ && ((x.kind == POINTER) != (y.kind == POINTER)
                           || x.kind == NOTHING || y.kind == NOTHING)) {
        lua_pushboolean(L, false);
        return 1;
    }
    if (x.kind == NOTHING || y.kind == NOTHING) return undefined(L, op);
    if (x.kind == POINTER || y.kind == POINTER) return of_pointers(L, f, op, &x, &y);
    if ((x.kind == FLOATING || y.kind == FLOATING) && op < LTW_O_BAND)
        return of_floats(L, op, x.d, y.d);
    switch (op) {
    case LTW_O_EQ: lua_pushboolean(L, a == b); return 1;
    case LTW_O_LT: lua_pushboolean(L, u ? a < b : x.i < y.i); return 1;
    case LTW_O_LE: lua_pushboolean(L, u ? a <= b : x.i <= y.i); return 1;
    case LTW_O_ADD: return push_boxed(L, f, a + b, u);
    case LTW_O_SUB: return push_boxed(L, f, a - b, u);
    case LTW_O_MUL: return push_boxed(L, f, a * b, u);
    case LTW_O_UNM: return push_boxed(L, f, -a, u);
    case LTW_O_BAND: return push_boxed(L, f, a & b, u);
    case LTW_O_BOR: return push_boxed(L, f, a | b, u);
    case LTW_O_BXOR: return push_boxed(L, f, a ^ b, u);
    case LTW_O_BNOT: return push_boxed(L, f, ~a, u);
    case LTW_O_SHL: return push_boxed(L, f, a << (b & 63), u);
    case LTW_O_SHR: return push_boxed(L, f, a >> (b & 63), u);
    case LTW_O_POW:
        if (u || y.i >= 0) return push_boxed(L, f, power(a, b), u);
        if (x.i == 0) return luaL_error(L, "0 to a negative power");
        return push_boxed(L, f, x.i == 1 ? 1 : x.i == -1 ? (b & 1 ? UINT64_MAX : 1) : 0,
                          false);
    default: break;             /* div, idiv, mod */
    }
    if (b == 0) return luaL_error(L, "division of a 64 bit integer by zero");
    if (u) return push_boxed(L, f, op == LTW_O_MOD ? a % b : a / b, true);
    if (y.i == -1) return push_boxed(L, f, op == LTW_O_MOD ? 0 : -a, false);
    return push_boxed(L, f, (uint64_t)(op == LTW_O_MOD ? x.i % y.i : x.i / y.i), false);
}

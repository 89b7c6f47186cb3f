/* call.c - calls of C functions.
 *
 * Where all arguments fit registers there is nothing to prepare: on x86-64 and aarch64
 * integers and pointers have registers of their own, and floating-point numbers others,
 * each filled in the order of the arguments, whatever stands between.  So a C type of
 * function that has as many of both as are used, or more, calls all of these; registers
 * that a function does not look at don't matter to it.  All others, and other processors,
 * take libffi.
 *
 * Layer lua.
 */
#include <errno.h>
#include <string.h>

#include "callback.h"
#include "plan.h"

#define HOT inline __attribute__((always_inline))
#define COLD __attribute__((noinline))

#define FEW uint64_t, uint64_t, uint64_t, double, double, double
#define ALL uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, \
            double, double, double, double, double, double, double, double
typedef uint64_t of_0(void), of_1(uint64_t), of_2(uint64_t, uint64_t);
typedef uint64_t of_3(uint64_t, uint64_t, uint64_t);
typedef uint64_t of_6(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
typedef double of_double(double), of_doubles(double, double);
typedef uint64_t few_to_integer(FEW), all_to_integer(ALL);
typedef double few_to_double(FEW), all_to_double(ALL);
typedef float few_to_float(FEW), all_to_float(ALL);
#undef FEW
#undef ALL

/* The call around this one, or NULL. */
static HOT lua_State *enter(lua_State *L, struct ltw_ffi *f)
{
    lua_State *outer = f->caller;

    f->caller = L;
    if (!outer) ltw_cplace_enter(f->place);
    errno = f->error;
    return outer;
}

/* [-0, +0, e]  Behind the call; raises what a callback has raised. */
static HOT void leave(lua_State *L, struct ltw_ffi *f, lua_State *outer)
{
    f->error = errno;
    f->caller = outer;
    if (!outer) ltw_cplace_leave(f->place);
    if (f->raised || ltw_callback_is_astray(f)) ltw_callback_raise(L, f);
}

/* An argument or a result, as a register has it. */
union word { uint64_t i; double d; float f; };

/* [-0, +0, e]  One that is converted by its type. */
static COLD uint64_t convert_one(lua_State *L, struct ltw_ffi *f,
                                 struct ltw_cparameter *to, int idx)
{
    struct ltw_cuse use = { to->type, false };
    const struct ltw_cdata *c;
    uint64_t v = 0;

    f->argument = idx - 1;
    ltw_cstore(L, f, use, &v, idx, LTW_C_ASSIGN);
    f->argument = 0;
    if (ltw_c_is_integer(to->type)) return (uint64_t)ltw_cload_integer(to->type, &v);
    c = to->scalar == LTW_SC_POINTER ? ltw_cdata_test(L, idx) : NULL;
    if (c && !c->constant) to->taken = c->type;
    return v;
}

/* [-0, +0, e]  The integers are extended to all of the register, as both ABIs allow. */
static HOT uint64_t argument(lua_State *L, struct ltw_ffi *f, struct ltw_cparameter *to,
                             int idx)
{
    enum ltw_cscalar s = to->scalar;
    const struct ltw_cdata *c;
    union word v = { 0 };

    if (s == LTW_SC_POINTER) {
        if (to->takes_text && lua_type(L, idx) == LUA_TSTRING)
            return (uint64_t)(uintptr_t)lua_tostring(L, idx);
        c = ltw_cdata_test(L, idx);
        if (c && (c->type == to->type || (c->type == to->taken && !c->constant)))
            return (uint64_t)(uintptr_t)(c->type->kind == LTW_C_POINTER ? ltw_cpointer(c)
                                                                        : c->at);
    } else if (s >= LTW_SC_F32) {
        if (ltw_cstore_scalar(L, s, &v, idx)) return v.i;
    } else if (s >= LTW_SC_I32 && lua_isinteger(L, idx)) {
        v.i = (uint64_t)lua_tointeger(L, idx);
        return s == LTW_SC_I32 ? (uint64_t)(int32_t)v.i
             : s == LTW_SC_U32 ? (uint32_t)v.i : v.i;
    }
    return convert_one(L, f, to, idx);
}

/* [-0, +1, e]  The result, in a register. */
static HOT int push_result(lua_State *L, const struct ltw_cplan *p, union word v)
{
    if (p->result == LTW_SC_I32) {
        lua_pushinteger(L, (int32_t)v.i);
        return 1;
    }
    if (p->result == LTW_SC_VOID) return 0;
    if (ltw_cpush_scalar(L, p->result, &v)) return 1;
    if (p->result == LTW_SC_POINTER)
        ltw_cdata_pointer(L, p->ffi, p->type->of, (void *)(uintptr_t)v.i, 0);
    else ltw_cpush(L, p->ffi, (struct ltw_cuse){ p->type->of, false }, &v, 0);
    return 1;
}

static COLD void refuse_count(lua_State *L, struct ltw_ctype *type)
{
    int n = lua_gettop(L) - 1;

    ltw_ctype_push_name(L, (struct ltw_cuse){ type, false });
    luaL_error(L, "%d arguments for '%s'", n, lua_tostring(L, -1));
}

static void check_count(lua_State *L, struct ltw_ctype *type)
{
    unsigned n = (unsigned)lua_gettop(L) - 1, wanted = type->count_fields;

    if (n < wanted || (n > wanted && !(type->flags & LTW_C_VARIADIC)))
        refuse_count(L, type);
}

/* [-0, +?, e]  A call with registers alone: once for each caller, which is a constant
 * there. */
static HOT int direct(lua_State *L, struct ltw_cplan *p, void *code,
                      enum ltw_ccaller caller)
{
    union word i[LTW_CALL_INTEGERS], d[LTW_CALL_FLOATS], v;
    unsigned n = caller <= LTW_CALL_3 ? caller
               : caller <= LTW_CALL_DOUBLES ? 1 + caller - LTW_CALL_DOUBLE
               : p->type->count_fields;
    unsigned at_i = 0, at_d = 0;
    lua_State *outer;

    if ((unsigned)lua_gettop(L) - 1 != n) refuse_count(L, p->type);
    if (caller <= LTW_CALL_3) {
        for (int k = 0; k < (int)n; k++)
            i[k].i = argument(L, p->ffi, &p->parameters[k], k + 2);
    } else if (caller <= LTW_CALL_DOUBLES) {
        for (int k = 0; k < (int)n; k++)
            d[k].i = argument(L, p->ffi, &p->parameters[k], k + 2);
    } else {
        memset(i, 0, sizeof i);
        memset(d, 0, sizeof d);
        for (unsigned k = 0; k < n; k++) {
            uint64_t a = argument(L, p->ffi, &p->parameters[k], (int)k + 2);

            if (p->parameters[k].scalar >= LTW_SC_F32) d[at_d++].i = a;
            else i[at_i++].i = a;
        }
    }
    outer = enter(L, p->ffi);
#define FEW i[0].i, i[1].i, i[2].i, d[0].d, d[1].d, d[2].d
#define ALL i[0].i, i[1].i, i[2].i, i[3].i, i[4].i, i[5].i, d[0].d, d[1].d, d[2].d, \
            d[3].d, d[4].d, d[5].d, d[6].d, d[7].d
    switch (caller) {
    case LTW_CALL_0: v.i = ((of_0 *)code)(); break;
    case LTW_CALL_1: v.i = ((of_1 *)code)(i[0].i); break;
    case LTW_CALL_2: v.i = ((of_2 *)code)(i[0].i, i[1].i); break;
    case LTW_CALL_3: v.i = ((of_3 *)code)(i[0].i, i[1].i, i[2].i); break;
    case LTW_CALL_DOUBLE: v.d = ((of_double *)code)(d[0].d); break;
    case LTW_CALL_DOUBLES: v.d = ((of_doubles *)code)(d[0].d, d[1].d); break;
    case LTW_CALL_6:
        v.i = ((of_6 *)code)(i[0].i, i[1].i, i[2].i, i[3].i, i[4].i, i[5].i);
        break;
    case LTW_CALL_FEW:
        if (p->result == LTW_SC_F64) v.d = ((few_to_double *)code)(FEW);
        else if (p->result == LTW_SC_F32) v.f = ((few_to_float *)code)(FEW);
        else v.i = ((few_to_integer *)code)(FEW);
        break;
    default:
        if (p->result == LTW_SC_F64) v.d = ((all_to_double *)code)(ALL);
        else if (p->result == LTW_SC_F32) v.f = ((all_to_float *)code)(ALL);
        else v.i = ((all_to_integer *)code)(ALL);
    }
#undef FEW
#undef ALL
    leave(L, p->ffi, outer);
    return push_result(L, p, v);
}

/* [-0, +0, e]  What C's rules make of an argument that no parameter is declared for. */
static struct ltw_ctype *promoted(lua_State *L, struct ltw_ffi *f, int idx)
{
    const struct ltw_cdata *c;

    switch (lua_type(L, idx)) {
    case LUA_TNUMBER: return lua_isinteger(L, idx) ? f->of_int64 : f->of_double;
    case LUA_TBOOLEAN: return ltw_ctype_basic(f->types, "int");
    case LUA_TSTRING:
        return ltw_ctype_pointer(L, f->types, (struct ltw_cuse){ f->of_char, true });
    case LUA_TNIL: case LUA_TLIGHTUSERDATA: break;
    case LUA_TUSERDATA:
        c = ltw_cdata_test(L, idx);
        if (!c) break;
        switch (c->type->kind) {
        case LTW_C_FLOAT: return c->type->size < sizeof(double) ? f->of_double : c->type;
        case LTW_C_BOOL: case LTW_C_INT: case LTW_C_ENUM:
            return c->type->size < sizeof(int) ? ltw_ctype_basic(f->types, "int")
                                               : c->type;
        case LTW_C_ARRAY:
            return ltw_ctype_pointer(L, f->types, (struct ltw_cuse){
                c->type->of, c->type->of_constant || c->constant });
        case LTW_C_RECORD: case LTW_C_FUNCTION: case LTW_C_VA_LIST:
            return ltw_ctype_pointer(L, f->types, ltw_cuse_of(c));
        default: return c->type;
        }
    default:
        luaL_error(L, "argument %d: a '%s' can't be passed to '...'", idx - 1,
                   luaL_typename(L, idx));
    }
    return ltw_ctype_pointer(L, f->types, (struct ltw_cuse){ f->of_void, false });
}

/* [-0, +0, e]  Arguments into memory, which is aligned to 16, one behind the other. */
static void convert(lua_State *L, struct ltw_ffi *f, const struct ltw_cuse *uses,
                    const unsigned char *ways, unsigned n, unsigned char *memory,
                    void **values)
{
    size_t at = 0;

    for (unsigned k = 0; k < n; k++) {
        struct ltw_ctype *t = uses[k].type;

        at = ltw_cplan_place(t, at);
        memset(memory + at, 0, ltw_cplan_room(t));
        f->argument = (int)k + 1;
        ltw_cstore(L, f, (struct ltw_cuse){ t, false }, memory + at, (int)k + 2,
                   LTW_C_ASSIGN);
        if (ways[k] == LTW_PASS_PADDED) *values++ = memory + at;
        *values++ = memory + at;
        if (ways[k] == LTW_PASS_HALVES) *values++ = memory + at + 8;
        at += ltw_cplan_room(t);
    }
    f->argument = 0;
}

static int by_libffi(lua_State *L, struct ltw_cplan *p, void *code)
{
    struct ltw_cuse uses[LTW_CALL_MAX];
    ffi_type *types[2 * LTW_CALL_MAX];
    void *values[2 * LTW_CALL_MAX];
    unsigned char varied_ways[LTW_CALL_MAX], *ways = p->ways;
    _Alignas(16) unsigned char small[256];
    unsigned char *memory = small;
    lua_State *outer;
    struct ltw_ffi *f = p->ffi;
    struct ltw_ctype *type = p->type, *of = type->of;
    size_t room = p->room;
    union { ffi_arg i; long double d; char bytes[16]; } v;
    void *result = &v;
    ffi_cif varied, *cif = &p->cif;
    unsigned fixed = type->count_fields, n = (unsigned)lua_gettop(L) - 1;

    check_count(L, type);
    if (n > LTW_CALL_MAX) return luaL_error(L, "more than %d arguments", LTW_CALL_MAX);
    luaL_checkstack(L, 8, "a call of C");
    for (unsigned k = 0; k < fixed; k++) uses[k] = type->fields[k].use;
    if (type->flags & LTW_C_VARIADIC) {
        ffi_type *back;
        unsigned all;

        for (unsigned k = fixed; k < n; k++) {
            uses[k] = (struct ltw_cuse){ promoted(L, f, (int)k + 2), false };
            room = ltw_cplan_place(uses[k].type, room) + ltw_cplan_room(uses[k].type);
        }
        ways = varied_ways;
        back = ltw_cplan_result(L, f, type);
        all = ltw_cplan_arguments(L, f, type, back, uses, n, types, ways);
        if (ffi_prep_cif_var(&varied, FFI_DEFAULT_ABI, fixed + all - n, all, back, types)
            != FFI_OK)
            luaL_error(L, "libffi can't call such a function");
        cif = &varied;
    }
    if (room > sizeof small) {
        memory = lua_newuserdatauv(L, room + 16, 0);
        memory += -(uintptr_t)memory & 15;
    }
    convert(L, f, uses, ways, n, memory, values);
    if (of->kind == LTW_C_RECORD || of->kind == LTW_C_COMPLEX)
        result = ltw_cdata_new(L, f, (struct ltw_cuse){ of, false },
                               of->size > sizeof(ffi_arg) ? of->size : sizeof(ffi_arg))
                     ->at;
    outer = enter(L, f);
    ffi_call(cif, FFI_FN(code), result, values);
    leave(L, f, outer);
    if (of->kind == LTW_C_VOID) return 0;
    if (result == &v) ltw_cpush(L, f, (struct ltw_cuse){ of, false }, &v, 0);
    return 1;
}

/* Those that are a call of `direct` each. */
#define CALLERS(_) \
    _(LTW_CALL_0) _(LTW_CALL_1) _(LTW_CALL_2) _(LTW_CALL_3) _(LTW_CALL_DOUBLE) \
    _(LTW_CALL_DOUBLES) _(LTW_CALL_6) _(LTW_CALL_FEW) _(LTW_CALL_ALL)
#define CALLER(CALL) \
    static int by_##CALL(lua_State *L, struct ltw_cplan *p, void *code) \
    { \
        return direct(L, p, code, CALL); \
    }
CALLERS(CALLER)
#undef CALLER

static HOT int call(lua_State *L, struct ltw_cplan *p, void *code)
{
    static int (*const callers[])(lua_State *, struct ltw_cplan *, void *) = {
#define CALLER(CALL) [CALL] = by_##CALL,
        CALLERS(CALLER)
#undef CALLER
        [LTW_CALL_LIBFFI] = by_libffi,
    };

    if (p->caller == LTW_CALL_1) return direct(L, p, code, LTW_CALL_1);
    return callers[p->caller](L, p, code);
}

static COLD int call_any(lua_State *L)
{
    struct ltw_ffi *f = lua_touserdata(L, lua_upvalueindex(1));
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);
    struct ltw_ctype *t = c ? c->type : NULL;
    void *code;

    if (t && t->kind == LTW_C_FUNCTION) {
        code = c->at;
    } else if (t && t->kind == LTW_C_POINTER && t->of->kind == LTW_C_FUNCTION) {
        code = ltw_cdereferenced(L, c);
        t = t->of;
    } else {
        return ltw_ccall_other(L);
    }
    return call(L, ltw_cplan_of(L, f, t), code);
}

int ltw_ccall(lua_State *L)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);

    if (!c || c->type->kind != LTW_C_FUNCTION || !c->type->call) return call_any(L);
    return call(L, c->type->call, c->at);
}

size_t ltw_ccall_room(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type)
{
    struct ltw_cplan *p = ltw_cplan_of(L, f, type);

    if (type->flags & LTW_C_VARIADIC)
        luaL_error(L, "a call with variable arguments can't be left to others");
    check_count(L, type);
    return p->room + (type->of->size > 16 ? type->of->size : 16) + 32
         + 2 * type->count_fields * sizeof(void *);
}

void ltw_ccall_prepare(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type,
                       void *memory, struct ltw_cprepared *out)
{
    struct ltw_cplan *p = type->call;
    struct ltw_cuse uses[LTW_CALL_MAX];
    unsigned n = type->count_fields;
    unsigned char *at = memory;

    for (unsigned k = 0; k < n; k++) uses[k] = type->fields[k].use;
    out->cif = &p->cif;
    out->values = memory;
    at += 2 * n * sizeof(void *);
    at += -(uintptr_t)at & 15;
    out->result = at;
    at += type->of->size > 16 ? (type->of->size + 15) & ~(size_t)15 : 16;
    convert(L, f, uses, p->ways, n, at, out->values);
}

/* plan.c - how a function of a type is called: made once for each type.
 *
 * Records by value: libffi knows structs by their elements.  A struct is described by its
 * scalars, one after another.  Where that does not say how it lies (a union, bit-fields,
 * padding that they don't make by themselves) it is described by elements of the same
 * size that the ABI passes in the same registers: on x86-64 each 8 bytes are a double if
 * nothing but floating-point numbers lie in them and an integer otherwise, or all of it
 * lies in memory, which an element that is large tells libffi; on aarch64 a
 * union of floats of one kind stays floats, and all else is integers.
 *
 * Layer lua.
 */
#include "plan.h"

#include <string.h>

/* [-0, +0, m]  Memory that lives as long as the ffi. */
static void *keep(lua_State *L, struct ltw_ffi *f, size_t size)
{
    void *p;

    lua_rawgeti(L, LUA_REGISTRYINDEX, f->owners);
    p = lua_newuserdatauv(L, size, 0);
    memset(p, 0, size);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    return p;
}

static ffi_type *integer_type(size_t size, bool is_unsigned)
{
    switch (size) {
    case 1: return is_unsigned ? &ffi_type_uint8 : &ffi_type_sint8;
    case 2: return is_unsigned ? &ffi_type_uint16 : &ffi_type_sint16;
    case 4: return is_unsigned ? &ffi_type_uint32 : &ffi_type_sint32;
    case 8: return is_unsigned ? &ffi_type_uint64 : &ffi_type_sint64;
    default: return NULL;
    }
}

static ffi_type *float_type(size_t size)
{
    return size == sizeof(float) ? &ffi_type_float
         : size == sizeof(double) ? &ffi_type_double
         : size == sizeof(long double) ? &ffi_type_longdouble : NULL;
}

enum { LEAVES_MAX = 256, LARGE = 64 };  /* what is larger lies in memory */

/* The scalars of a type, in order: where each lies. */
struct leaves {
    struct leaf { size_t offset; const struct ltw_ctype *type; } of[LEAVES_MAX];
    size_t n, end;
    bool overlap;       /* or are parts of integers: there are unions, bit-fields */
    bool gaps;          /* between them, more than their sizes ask for */
    bool misaligned;    /* one is not where its size would have it */
    size_t opaque;      /* 0, or the largest vector's bytes, of which libffi knows none */
};

/* The array itself need not be cleared. */
static void begin(struct leaves *all)
{
    all->n = all->end = 0;
    all->overlap = all->gaps = all->misaligned = false;
    all->opaque = 0;
}

static bool add(struct leaves *all, const struct ltw_ctype *t, size_t offset)
{
    if (all->n == LEAVES_MAX) return false;
    all->of[all->n++] = (struct leaf){ offset, t };
    all->end = offset + t->size;
    return true;
}

static bool collect(struct leaves *all, const struct ltw_ctype *t, size_t offset)
{
    bool fine = true;

    switch (t->kind) {
    case LTW_C_RECORD:
        if (t->flags & LTW_C_UNION) all->overlap = true;
        for (unsigned i = 0; i < t->count_fields && fine; i++) {
            const struct ltw_cfield *field = &t->fields[i];

            if (field->bits || (!field->name && field->use.type->kind != LTW_C_RECORD))
                all->overlap = true;
            if (t->flags & LTW_C_UNION) all->end = offset;
            fine = field->bits ? add(all, field->use.type, offset + field->offset)
                               : collect(all, field->use.type, offset + field->offset);
        }
        if (t->flags & LTW_C_UNION) all->end = offset + t->size;
        break;
    case LTW_C_ARRAY:
        for (size_t i = 0; i < t->count && fine; i++)
            fine = collect(all, t->of, offset + i * t->of->size);
        break;
    case LTW_C_COMPLEX:
        fine = collect(all, t->of, offset) && collect(all, t->of, offset + t->of->size);
        break;
    default:
        if (t->kind == LTW_C_OPAQUE && t->size > all->opaque) all->opaque = t->size;
        if (t->size && offset % t->size) all->misaligned = true;
        if (t->size && offset != (all->end + t->size - 1) / t->size * t->size)
            all->gaps = true;
        fine = add(all, t, offset);
    }
    return fine;
}

static bool is_float(const struct ltw_ctype *t)
{
    return t->kind == LTW_C_FLOAT;
}

/* Are all scalars floating-point numbers of one size?  The one that they are. */
static const struct ltw_ctype *one_float(const struct leaves *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (!is_float(all->of[i].type) || all->of[i].type->size != all->of[0].type->size)
            return NULL;
    return all->n ? all->of[0].type : NULL;
}

/* Do all scalars within these bytes hold floating-point numbers? */
static bool floats_within(const struct leaves *all, size_t from, size_t to)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct leaf *l = &all->of[i];

        if (l->offset < to && l->offset + l->type->size > from && !is_float(l->type))
            return false;
    }
    return true;
}

#ifdef __aarch64__
/* Up to four floating-point numbers of one size have registers for such ones: that they
 * are, or NULL. */
static const struct ltw_ctype *homogeneous(const struct leaves *all, size_t size)
{
    const struct ltw_ctype *one = one_float(all);

    return one && !all->gaps && size / one->size <= 4 ? one : NULL;
}
#endif

/* Elements in place of those of a record whose scalars overlap; how many. */
static size_t stand_ins(const struct leaves *all, size_t size, ffi_type **out)
{
    size_t n = 0;
#ifdef __aarch64__
    const struct ltw_ctype *one = homogeneous(all, size);

    if (one) {
        for (; n < size / one->size; n++) out[n] = float_type(one->size);
        return n;
    }
#else
    const struct ltw_ctype *one = one_float(all);

    if (one && one->size > 8) {
        for (; n < size / one->size; n++) out[n] = float_type(one->size);
        return n;
    }
#endif
    for (size_t at = 0; at < size;) {
        size_t part = size - at >= 8 ? 8 : size - at >= 4 ? 4 : size - at >= 2 ? 2 : 1;
        bool floats = false;

#ifndef __aarch64__
        floats = part >= 4 && floats_within(all, at / 8 * 8, at / 8 * 8 + 8);
#else
        (void)floats_within;
#endif
        out[n++] = floats ? float_type(part) : integer_type(part, true);
        at += part;
    }
    return n;
}

/* An element that makes libffi pass what it is in by memory, as large structs are. */
static ffi_type **large(void)
{
    static ffi_type *const none[] = { NULL };
    static const ffi_type element = { LARGE, 1, FFI_TYPE_STRUCT, (ffi_type **)none };
    static const ffi_type *const elements[] = { &element, NULL };

    return (ffi_type **)elements;
}

/* Does the ABI want one of at most 16 bytes in memory, which libffi would not know? */
static bool in_memory(const struct leaves *all)
{
#ifdef __x86_64__
    bool wide = false;

    for (size_t i = 0; i < all->n; i++)
        wide |= is_float(all->of[i].type) && all->of[i].type->size > 8;
    return all->misaligned || (wide && all->overlap && !one_float(all));
#else
    (void)all;
    return false;
#endif
}

/* Some vectors on x86-64; wider ones have registers, as all have on aarch64. */
static bool vectors_in_memory(const struct ltw_ctype *t, const struct leaves *all)
{
#ifdef __x86_64__
    return t->size > 16 && all->opaque <= 16;
#else
    (void)t, (void)all;
    return false;
#endif
}

/* [-0, +0, m]  As libffi describes the type; it lives as long as the ffi.  NULL: it can't
 * be passed. */
static ffi_type *type_of(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *t);

static ffi_type *record_type(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *t)
{
    struct leaves all;
    ffi_type *made;
    size_t n;
    bool fine;

    begin(&all);
    fine = !(t->flags & (LTW_C_INCOMPLETE | LTW_C_VLA)) && t->size > 0;
    if (fine && !collect(&all, t, 0)) {     /* what is so large lies in memory */
        fine = t->size > LARGE;
        all.overlap = true;
    }
    if (all.opaque && !vectors_in_memory(t, &all)) fine = false;
    if (!fine) return NULL;
    if (all.gaps || all.misaligned || all.opaque) all.overlap = true;
    n = all.overlap ? t->size / 8 + 4 : all.n;
    made = keep(L, f, sizeof *made + (n + 1) * sizeof *made->elements);
    made->elements = (ffi_type **)(made + 1);
    made->size = t->size;
    made->alignment = (unsigned short)(1u << t->log_align);
    made->type = FFI_TYPE_STRUCT;
#ifdef __aarch64__
    /* What is passed is its address, which libffi would align as the record. */
    if (t->size > 16 && !homogeneous(&all, t->size)) made->alignment = 8;
#endif
    if (t->size <= 16 && in_memory(&all)) {
        made->elements = large();
        return made;
    }
    if (all.overlap) {
        n = stand_ins(&all, t->size, made->elements);
    } else {
        for (size_t i = 0; i < n; i++) {
            made->elements[i] = type_of(L, f, (struct ltw_ctype *)all.of[i].type);
            if (!made->elements[i]) return NULL;
        }
    }
    made->elements[n] = NULL;
    return made;
}

/* Two registers for integers, or memory that is aligned as it is; see way_of, too. */
static ffi_type *int128_type(void)
{
    static ffi_type *const halves[] = { &ffi_type_uint64, &ffi_type_uint64, NULL };
    static const ffi_type type = { 16, 16, FFI_TYPE_STRUCT, (ffi_type **)halves };

    return (ffi_type *)&type;
}

/* On x86-64 one of 8 bytes lies where a double does.  libffi knows no others. */
static ffi_type *vector_type(const struct ltw_ctype *t)
{
#ifdef __x86_64__
    return t->of && t->size == 8 && t->of->size < 8 ? &ffi_type_double : NULL;
#else
    (void)t;
    return NULL;
#endif
}

static ffi_type *type_of(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *t)
{
    switch (t->kind) {
    case LTW_C_VOID: return &ffi_type_void;
    case LTW_C_BOOL: return &ffi_type_uint8;
    case LTW_C_INT: case LTW_C_ENUM:
        return t->size == 16 ? int128_type()
                             : integer_type(t->size, ltw_c_is_unsigned(t));
    case LTW_C_FLOAT: return float_type(t->size);
    case LTW_C_COMPLEX:
        return t->of->size == sizeof(float) ? &ffi_type_complex_float
             : t->of->size == sizeof(double) ? &ffi_type_complex_double
             : &ffi_type_complex_longdouble;
    case LTW_C_RECORD: return record_type(L, f, t);
    case LTW_C_POINTER: case LTW_C_ARRAY: case LTW_C_FUNCTION: return &ffi_type_pointer;
    case LTW_C_VA_LIST:
#ifdef __aarch64__
        return NULL;            /* a record of its own there */
#else
        return &ffi_type_pointer;
#endif
    case LTW_C_OPAQUE: return vector_type(t);
    }
    return NULL;
}

/* [-0, +1, m]  What is called: its name, if it is at 1 and has one, else its type. */
static const char *callee(lua_State *L, const struct ltw_ctype *type)
{
    const struct ltw_cdata *c = ltw_cdata_test(L, 1);

    if (c && (c->type == type || c->type->of == type)
        && lua_getiuservalue(L, 1, 1) == LUA_TSTRING)
        return lua_tostring(L, -1);
    ltw_ctype_push_name(L, (struct ltw_cuse){ (struct ltw_ctype *)type, false });
    return lua_tostring(L, -1);
}

/* [-0, +0, e]  Raises: which argument (0: the result) libffi can't pass as the ABI asks
 * for, and what can be done. */
static _Noreturn void refuse(lua_State *L, const struct ltw_ctype *function, unsigned i,
                             struct ltw_ctype *t)
{
    const char *name = callee(L, function);

    ltw_ctype_push_name(L, (struct ltw_cuse){ t, false });
    if (i)
        luaL_error(L, "%s: argument %d: '%s' can't be passed by value: take a function "
                   "that has a pointer to it", name, (int)i, lua_tostring(L, -1));
    luaL_error(L, "%s: '%s' can't be returned by value: take a function that stores it "
               "behind a pointer", name, lua_tostring(L, -1));
    __builtin_unreachable();
}

#ifdef __x86_64__
static bool eightbytes_of(const struct ltw_ctype *t, unsigned *integers,
                          unsigned *others, bool *first_is_float)
{
    struct leaves all;

    begin(&all);
    if (!collect(&all, t, 0) || all.misaligned) return false;
    for (size_t i = 0; i < all.n; i++)
        if (is_float(all.of[i].type) && all.of[i].type->size > 8) return false;
    *first_is_float = floats_within(&all, 0, 8);
    for (size_t at = 0; at < t->size; at += 8)
        ++*(floats_within(&all, at, at + 8) ? others : integers);
    return true;
}

/* How many of the 8 bytes of a type go to registers for integers, and to others; false:
 * all of it lies in memory. */
static bool eightbytes(const struct ltw_ctype *t, unsigned *integers, unsigned *others,
                       bool *first_is_float)
{
    *integers = *others = 0;
    *first_is_float = false;
    if (t->size > 16) return false;
    if (t->kind != LTW_C_RECORD && t->kind != LTW_C_COMPLEX) {
        *first_is_float = is_float(t);
        if (t->kind == LTW_C_OPAQUE) *others = 1;
        else *(is_float(t) ? others : integers) = t->size > 8 ? 2 : 1;
        return !is_float(t) || t->size <= 8;
    }
    return eightbytes_of(t, integers, others, first_is_float);
}

/* libffi up to 3.4.4 copies all of a struct to the register of its first 8 bytes, where
 * that is the last one for integers, and so over the first one for floating-point
 * numbers.  There its halves are passed one by one, which is the same for the callee. */
static enum ltw_cway way_of(const struct ltw_ctype *t, unsigned *integers,
                            unsigned *others)
{
    unsigned i, o;
    bool split, first_is_float;

    if (!eightbytes(t, &i, &o, &first_is_float)) return LTW_PASS_WHOLE;
    if (*integers + i > 6 || *others + o > 8) return LTW_PASS_WHOLE;
    split = i == 1 && o == 1 && *integers == 5 && !first_is_float;
    *integers += i;
    *others += o;
    return split ? LTW_PASS_HALVES : LTW_PASS_WHOLE;
}

static bool is_unclear(const struct ltw_ctype *t)
{
    (void)t;
    return false;
}
#elif defined __aarch64__
/* Has it registers for floating-point numbers? */
static bool has_vectors(const struct ltw_ctype *t)
{
    struct leaves all;

    if (t->kind != LTW_C_RECORD) return is_float(t) || t->kind == LTW_C_COMPLEX;
    begin(&all);
    return collect(&all, t, 0) && homogeneous(&all, t->size);
}

/* A record of at most 16 bytes that is aligned to 16, as a member asks for; or not. */
static bool is_aligned(const struct ltw_ctype *t, bool by_member)
{
    bool found = false;

    if (t->kind != LTW_C_RECORD || t->size > 16 || t->log_align < 4) return false;
    for (unsigned i = 0; i < t->count_fields; i++)
        found |= t->fields[i].use.type->log_align >= 4;
    return found == by_member;
}

/* What is aligned to 16 begins in an even one of the eight registers for integers.
 * libffi does not know that, so the one before it is filled. */
static enum ltw_cway way_of(const struct ltw_ctype *t, unsigned *integers,
                            unsigned *others)
{
    bool wide = t->kind == LTW_C_INT && t->size > 8, padded;

    (void)others;
    if (has_vectors(t)) return LTW_PASS_WHOLE;
    padded = (wide || is_aligned(t, true)) && *integers % 2 == 1;
    *integers += padded;
    *integers += (wide || t->kind == LTW_C_RECORD) && t->size <= 16
               ? (unsigned)(t->size + 7) / 8 : 1;
    if (*integers > 8) *integers = 8;
    return padded ? LTW_PASS_PADDED : LTW_PASS_WHOLE;
}

/* Does it depend on where an attribute stood, which is not known any more? */
static bool is_unclear(const struct ltw_ctype *t)
{
    return is_aligned(t, false) && !has_vectors(t);
}
#else
static enum ltw_cway way_of(const struct ltw_ctype *t, unsigned *integers,
                            unsigned *others)
{
    (void)t, (void)integers, (void)others;
    return LTW_PASS_WHOLE;
}

static bool is_unclear(const struct ltw_ctype *t)
{
    (void)t;
    return false;
}
#endif

/* Is the address of a result of that type passed before the arguments, as the first of
 * the integers? */
static bool in_memory_type(const ffi_type *result)
{
#ifdef __x86_64__
    return result->type == FFI_TYPE_STRUCT
        && (result->size > 16 || result->elements == large());
#else
    (void)result;
    return false;
#endif
}

ffi_type *ltw_cplan_result(lua_State *L, struct ltw_ffi *f,
                           const struct ltw_ctype *function)
{
    ffi_type *made = type_of(L, f, function->of);

    if (!made) refuse(L, function, 0, function->of);
    return made;
}

unsigned ltw_cplan_arguments(lua_State *L, struct ltw_ffi *f,
                             const struct ltw_ctype *function, const ffi_type *result,
                             const struct ltw_cuse *uses, unsigned n, ffi_type **types,
                             unsigned char *ways)
{
    unsigned integers = in_memory_type(result), others = 0, k = 0;

    for (unsigned i = 0; i < n; i++) {
        /* The stack of a call is aligned to 16 bytes. */
        if ((uses[i].type->kind == LTW_C_RECORD && uses[i].type->log_align > 4)
            || is_unclear(uses[i].type))
            refuse(L, function, i + 1, uses[i].type);
        ways[i] = (unsigned char)way_of(uses[i].type, &integers, &others);
        if (ways[i] != LTW_PASS_WHOLE) types[k++] = &ffi_type_uint64;
        types[k] = ways[i] == LTW_PASS_HALVES ? &ffi_type_double
                                              : type_of(L, f, uses[i].type);
        if (!types[k++]) refuse(L, function, i + 1, uses[i].type);
    }
    return k;
}

#if defined __x86_64__ || defined __aarch64__
/* Who calls such a function: all arguments, and the result, must fit a register each. */
static enum ltw_ccaller caller_of(const struct ltw_cplan *p)
{
    unsigned integers = 0, floats = 0, doubles = 0, n = p->type->count_fields;

    if (p->type->flags & LTW_C_VARIADIC || p->result == LTW_SC_NONE)
        return LTW_CALL_LIBFFI;
    for (unsigned i = 0; i < n; i++) {
        enum ltw_cscalar s = p->parameters[i].scalar;

        if (s == LTW_SC_NONE) return LTW_CALL_LIBFFI;
        ++*(s >= LTW_SC_F32 ? &floats : &integers);
        if (s == LTW_SC_F64) doubles++;
    }
    if (!floats && p->result < LTW_SC_F32 && integers <= LTW_CALL_INTEGERS)
        return integers <= 3 ? LTW_CALL_0 + integers : LTW_CALL_6;
    if (p->result == LTW_SC_F64 && doubles == n && n > 0 && n <= 2)
        return LTW_CALL_DOUBLE + n - 1;
    if (integers <= LTW_CALL_FEW_EACH && floats <= LTW_CALL_FEW_EACH) return LTW_CALL_FEW;
    return integers <= LTW_CALL_INTEGERS && floats <= LTW_CALL_FLOATS ? LTW_CALL_ALL
                                                                      : LTW_CALL_LIBFFI;
}
#else
static enum ltw_ccaller caller_of(const struct ltw_cplan *p)
{
    (void)p;
    return LTW_CALL_LIBFFI;
}
#endif

struct ltw_cplan *ltw_cplan_make(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type)
{
    unsigned n = type->count_fields, all;
    struct ltw_cuse uses[LTW_CALL_MAX];
    struct ltw_cplan *p;
    ffi_type *result;

    if (n > LTW_CALL_MAX) luaL_error(L, "more than %d parameters", LTW_CALL_MAX);
    result = ltw_cplan_result(L, f, type);
    p = keep(L, f, sizeof *p + n * (sizeof *p->parameters + 2 * sizeof *p->types
                                            + sizeof *p->ways));
    p->types = (ffi_type **)(p->parameters + n);
    p->ways = (unsigned char *)(p->types + 2 * n);
    p->result = ltw_cscalar_of(type->of);
    p->ffi = f;
    p->type = type;
    for (unsigned i = 0; i < n; i++) {
        struct ltw_ctype *t = type->fields[i].use.type;

        uses[i] = type->fields[i].use;
        p->parameters[i] = (struct ltw_cparameter){
            .type = t, .scalar = ltw_cscalar_of(t),
            .takes_text = t->kind == LTW_C_POINTER && ltw_ctakes_text(t) };
        p->room = ltw_cplan_place(t, p->room) + ltw_cplan_room(t);
    }
    all = ltw_cplan_arguments(L, f, type, result, uses, n, p->types, p->ways);
    p->caller = caller_of(p);
    /* One that is variadic is prepared with the arguments of each call. */
    if (!(type->flags & LTW_C_VARIADIC)
        && ffi_prep_cif(&p->cif, FFI_DEFAULT_ABI, all, result, p->types) != FFI_OK)
        luaL_error(L, "libffi can't call such a function");
    type->call = p;
    return p;
}

/* cdata.h - C values as Lua sees them, and what a state's ffi has.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_CDATA_H
#define LTW_FFI_CDATA_H

#include <stdatomic.h>
#include <string.h>

#include <lauxlib.h>

#include "ctype.h"

enum { LTW_C_RESULT = -1 };     /* for `argument`: what a callback has returned */

/* What an ffi has; one a state.  A userdata, the first upvalue of all its functions. */
struct ltw_ffi {
    struct ltw_ctypes *types;
    struct ltw_ctype *of_int64, *of_uint64, *of_void, *of_char, *of_double;
    int metatable, finalizing;  /* of cdata: references; the second one has __gc */
    int ctype_metatable;
    int texts;                  /* text of a type -> ctype … */
    unsigned texts_of;          /* … as of then: see ltw_ctypes_changes */
    int finalizers;             /* cdata -> function, weak keys */
    int owners;                 /* what is kept as long as the ffi: a reference */
    int callbacks;              /* function -> type -> callback, those that never end */
    int callback_metatable;
    struct callback *live;      /* callbacks, newest first; callback.c's */
    int argument;               /* that is being converted; 0: none; LTW_C_RESULT */
    int error;                  /* errno, as the last call left it */
    lua_State *caller;          /* what has called C; NULL: nobody */
    struct ltw_foreign *foreign;    /* calls of other threads: one reference    */
    struct ltw_cplace *place;   /* in it: see foreign.h                         */
    bool raised;                /* a callback has: its error … */
    int error_slot;             /* … is in here, under 1: a reference */
    unsigned for_ever;          /* callbacks that never end, so many            */
};

/* A full userdata: a value, or a type (at is NULL). */
struct ltw_cdata {
    const char *mark;           /* ltw_cdata_mark */
    struct ltw_ctype *type;
    unsigned char *at;          /* the value: behind this, or another's, which the user
                                 * value keeps; a function's address; NULL: a ctype */
    size_t count;               /* elements of an array of unknown size, or of that at
                                 * the end of a record; SIZE_MAX: not known */
    bool constant;
    bool finalized;             /* it has a finalizer: who points there keeps this one */
};

extern const char ltw_cdata_mark[];

/* [-0, +0, -]  The cdata at idx; NULL: something else, or a ctype. */
static inline struct ltw_cdata *ltw_cdata_test(lua_State *L, int idx)
{
    struct ltw_cdata *c = lua_touserdata(L, idx);

    if (!c || lua_rawlen(L, idx) < sizeof *c || c->mark != ltw_cdata_mark || !c->at)
        return NULL;
    return c;
}

/* [-0, +0, -]  The type of the cdata or ctype at idx; false: it is neither. */
bool ltw_ctype_of_value(lua_State *L, int idx, struct ltw_cuse *out);

static inline struct ltw_cuse ltw_cuse_of(const struct ltw_cdata *c)
{
    return (struct ltw_cuse){ c->type, c->constant };
}

/* A pointer's value. */
static inline void *ltw_cpointer(const struct ltw_cdata *c)
{
    return *(void **)c->at;
}

/* [-0, +1, m]  A value of size bytes, not yet set, aligned as its type. */
struct ltw_cdata *ltw_cdata_new(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use,
                                size_t size);

/* [-0, +1, m]  One that stands for memory elsewhere.  owner: the index of what keeps it,
 * a cdata's own owner counts instead of it; 0: nothing. */
void ltw_cdata_view(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *at,
                    int owner);

/* [-0, +1, m]  A pointer, of a type that exists already. */
struct ltw_cdata *ltw_cdata_pointer(lua_State *L, struct ltw_ffi *f,
                                    struct ltw_ctype *type, void *to, int owner);

/* [-1, +0, m]  The function on top, or nil, is the finalizer of the cdata at idx. */
void ltw_cdata_finalize(lua_State *L, struct ltw_ffi *f, int idx);

/* [-0, +1, -]  A scalar of C; false: it needs a box, or is none, and nothing pushed. */
static inline bool ltw_cpush_scalar(lua_State *L, enum ltw_cscalar s, const void *p)
{
    union {
        int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32;
        int64_t i64; float f32; double f64;
    } v;

    switch (s) {
#define PUSH(S, MEMBER) \
    case LTW_SC_##S: \
        memcpy(&v.MEMBER, p, sizeof v.MEMBER); \
        lua_pushinteger(L, v.MEMBER); \
        return true
    PUSH(I8, i8); PUSH(U8, u8); PUSH(I16, i16); PUSH(U16, u16); PUSH(I32, i32);
    PUSH(U32, u32); PUSH(I64, i64);
#undef PUSH
    case LTW_SC_U64:
        memcpy(&v.i64, p, sizeof v.i64);
        if (v.i64 < 0) return false;
        lua_pushinteger(L, v.i64);
        return true;
    case LTW_SC_F32:
        memcpy(&v.f32, p, sizeof v.f32);
        lua_pushnumber(L, v.f32);
        return true;
    case LTW_SC_F64:
        memcpy(&v.f64, p, sizeof v.f64);
        lua_pushnumber(L, v.f64);
        return true;
    case LTW_SC_BOOL:
        lua_pushboolean(L, *(const unsigned char *)p);
        return true;
    default:
        return false;
    }
}

/* [-0, +0, -]  Stores the Lua number at idx, if it is one of the scalar's kind; false: it
 * asks for a conversion. */
static inline bool ltw_cstore_scalar(lua_State *L, enum ltw_cscalar s, void *p, int idx)
{
    lua_Integer i;
    double d;
    float f;

    switch (s) {
    case LTW_SC_I8: case LTW_SC_U8: case LTW_SC_I16: case LTW_SC_U16: case LTW_SC_I32:
    case LTW_SC_U32: case LTW_SC_I64: case LTW_SC_U64:
        if (!lua_isinteger(L, idx)) return false;
        i = lua_tointeger(L, idx);
        /* Processors whose lower bytes come first; see convert.c. */
        if (s >= LTW_SC_I64) memcpy(p, &i, 8);
        else if (s >= LTW_SC_I32) memcpy(p, &i, 4);
        else memcpy(p, &i, s >= LTW_SC_I16 ? 2 : 1);
        return true;
    case LTW_SC_F32: case LTW_SC_F64:
        if (lua_type(L, idx) != LUA_TNUMBER) return false;
        d = lua_tonumber(L, idx);
        f = (float)d;
        if (s == LTW_SC_F64) memcpy(p, &d, sizeof d);
        else memcpy(p, &f, sizeof f);
        return true;
    default:
        return false;
    }
}

/* [-0, +1, m]  What Lua sees of the value at p: a number, a boolean, else a cdata: of a
 * record and an array a view, when there is an owner (see above), else a copy. */
void ltw_cpush(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p, int owner);

enum ltw_crule {
    LTW_C_ASSIGN,       /* to a field, an element, a variable, a new value */
    LTW_C_CAST,         /* pointers and integers become each other */
};

/* [-0, +0, e]  Makes of the Lua value at idx a value of the type at p; raises when it
 * can't be one. */
void ltw_cstore(lua_State *L, struct ltw_ffi *f, struct ltw_cuse use, void *p, int idx,
                enum ltw_crule rule);

/* [-0, +0, e]  ffi.new's initializers, n of them from idx on, into zeroed memory. */
void ltw_cinit(lua_State *L, struct ltw_ffi *f, struct ltw_cdata *c, int idx, int n);

/* The integer at p, extended as its type says. */
int64_t ltw_cload_integer(const struct ltw_ctype *t, const void *p);

/* A floating-point number of the type. */
double ltw_cload_float(const struct ltw_ctype *t, const void *p);

/* A bit-field of a record at p. */
int64_t ltw_cload_bits(const struct ltw_cfield *field, const unsigned char *unit);

/* [-0, +0, e]  It becomes the Lua value at idx. */
void ltw_cconvert_bits(lua_State *L, struct ltw_ffi *f, const struct ltw_cfield *field,
                       unsigned char *unit, int idx);

/* As C does; what does not fit an int64_t is the smallest one, as processors have it. */
int64_t ltw_cinteger_of(double d);

/* [-0, +0, e]  Raises: "cannot convert 'table' to 'int'"; idx: of the value. */
_Noreturn void ltw_cdata_refuse(lua_State *L, struct ltw_ffi *f, int idx,
                                struct ltw_cuse to);

/* [-0, +0, e]  Raises: what can't be assigned to, see ltw_cfixed.  cdata.c */
int ltw_crefuse_fixed(lua_State *L, struct ltw_cuse use);

/* [-0, +1, m]  The type of the Lua value as an error names it. */
void ltw_cdata_push_type(lua_State *L, int idx);

/* [-0, +1, m]  What ffi.metatype gave the type: in the script that runs, or else the last
 * one; false: nothing, and nothing pushed.  cdata.c */
bool ltw_cpush_metatype(lua_State *L, const struct ltw_ctype *t);

/* [-0, +0, m]  The table at idx; false: it has one, of that script and version. */
bool ltw_cset_metatype(lua_State *L, struct ltw_ctype *t, int idx);

/* cdata.c: [-0, +0, m]  The metatables, into f. */
void ltw_cdata_open(lua_State *L, struct ltw_ffi *f, int self);

/* __call: C code is called; what else there is.  The first upvalue is the ffi.  call.c,
 * cdata.c */
int ltw_ccall(lua_State *L);
int ltw_ccall_other(lua_State *L);

/* [-0, +1, e]  The pointer behind a cdata of such a type; raises: it is null.  cdata.c */
void *ltw_cdereferenced(lua_State *L, const struct ltw_cdata *c);

/* [-0, +1, e]  The Lua function at idx as C code of the function type: a userdata that
 * keeps it, and the code's address.  callback.c */
void *ltw_callback_push(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type, int idx);

/* [-0, +0, e]  One that lives as long as the ffi: the same for the same function. */
void *ltw_callback_for_ever(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type,
                            int idx);

/* [-0, +0, -]  Is the value at idx such a userdata?  callback.c */
bool ltw_callback_is(lua_State *L, int idx);

/* [-0, +0, m]  It has the function at idx from now on, or (idx 0) none; on other threads
 * it is refused. */
void ltw_callback_set(lua_State *L, int callback, int idx);
void ltw_callback_refuse(lua_State *L, int callback);

/* A method of callbacks; NULL: there is none of that name.  method.c */
lua_CFunction ltw_callback_method(const char *name);

/* [-0, +1, e]  The namespace of a library's symbols; name NULL: of the program.  clib.c
 */
void ltw_clib_push(lua_State *L, int self, const char *name, bool global);

static inline bool ltw_c_is_number(const struct ltw_ctype *t)
{
    return t->kind == LTW_C_BOOL || t->kind == LTW_C_INT || t->kind == LTW_C_FLOAT
        || t->kind == LTW_C_ENUM;
}

/* A pointer to characters or bytes that are not written to: a string of Lua will do. */
static inline bool ltw_ctakes_text(const struct ltw_ctype *pointer)
{
    const struct ltw_ctype *t = pointer->of;

    return pointer->of_constant
        && (t->kind == LTW_C_VOID || (t->kind == LTW_C_INT && t->size == 1));
}

/* A number that is no floating-point number. */
static inline bool ltw_c_is_integer(const struct ltw_ctype *t)
{
    return t->kind == LTW_C_BOOL || t->kind == LTW_C_INT || t->kind == LTW_C_ENUM;
}

static inline bool ltw_c_is_unsigned(const struct ltw_ctype *t)
{
    return t->kind == LTW_C_BOOL
        || ((t->kind == LTW_C_ENUM && t->of ? t->of : t)->flags & LTW_C_UNSIGNED) != 0;
}

#endif

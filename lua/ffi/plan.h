/* plan.h - how a function of a type is called: made once for each type.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_PLAN_H
#define LTW_FFI_PLAN_H

#include <ffi.h>

#include "cdata.h"

enum { LTW_CALL_INTEGERS = 6, LTW_CALL_FLOATS = 8, LTW_CALL_MAX = 127 };
enum { LTW_CALL_FEW_EACH = 3 };     /* integers and floating-point numbers */

/* How its calls are made, see call.c: with so many integers and no floating-point
 * numbers; with one or two doubles alone, and for one; with registers of both kinds; or
 * through libffi. */
enum ltw_ccaller { LTW_CALL_0, LTW_CALL_1, LTW_CALL_2, LTW_CALL_3, LTW_CALL_DOUBLE,
                   LTW_CALL_DOUBLES, LTW_CALL_6, LTW_CALL_FEW, LTW_CALL_ALL,
                   LTW_CALL_LIBFFI };

/* How an argument is given to libffi, where that is not as what it is: as two of 8 bytes,
 * or behind another one that only takes a register. */
enum ltw_cway { LTW_PASS_WHOLE, LTW_PASS_HALVES, LTW_PASS_PADDED };

struct ltw_cparameter {
    struct ltw_ctype *type;
    const struct ltw_ctype *taken;  /* of a pointer: NULL, or of the last cdata that was
                                     * passed for it and is not constant: it may be */
    unsigned char scalar;       /* enum ltw_cscalar */
    bool takes_text;            /* a string of Lua will do */
};

struct ltw_cplan {
    struct ltw_ffi *ffi;
    struct ltw_ctype *type;     /* the function's */
    unsigned char caller;       /* enum ltw_ccaller */
    unsigned char result;       /* enum ltw_cscalar */
    unsigned char *ways;        /* enum ltw_cway, of each parameter */
    size_t room;                /* all arguments, each aligned */
    ffi_type **types;
    ffi_cif cif;
    struct ltw_cparameter parameters[];
};

/* Where an argument begins behind others, and what it takes: whole registers. */
static inline size_t ltw_cplan_place(const struct ltw_ctype *t, size_t at)
{
    size_t align = t->log_align > 3 ? (size_t)1 << t->log_align : 8;

    return (at + align - 1) & -align;
}

static inline size_t ltw_cplan_room(const struct ltw_ctype *t)
{
    return (t->size + 7) & ~(size_t)7;
}

/* [-0, +0, e]  n arguments as libffi takes them, at most two for each: how many; ways: an
 * enum ltw_cway of each.  And the result.  Errors name the function if it is at 1. */
unsigned ltw_cplan_arguments(lua_State *L, struct ltw_ffi *f,
                             const struct ltw_ctype *function, const ffi_type *result,
                             const struct ltw_cuse *uses, unsigned n, ffi_type **types,
                             unsigned char *ways);
ffi_type *ltw_cplan_result(lua_State *L, struct ltw_ffi *f,
                           const struct ltw_ctype *function);

/* [-0, +0, e]  The type's plan.  Raises when libffi can't call such functions. */
struct ltw_cplan *ltw_cplan_make(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type);

static inline struct ltw_cplan *ltw_cplan_of(lua_State *L, struct ltw_ffi *f,
                                             struct ltw_ctype *type)
{
    return type->call ? type->call : ltw_cplan_make(L, f, type);
}

/* A call that another thread makes: ffi_call's arguments. */
struct ltw_cprepared { ffi_cif *cif; void *result, **values; };

/* [-0, +0, e]  Bytes for a call with the values from 2 on; and the call, made ready
 * there. It points to what these values hold.  Not variadic.  call.c */
size_t ltw_ccall_room(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type);
void ltw_ccall_prepare(lua_State *L, struct ltw_ffi *f, struct ltw_ctype *type,
                       void *memory, struct ltw_cprepared *out);

#endif

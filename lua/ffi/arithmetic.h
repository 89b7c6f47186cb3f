/* arithmetic.h - operators on C values: integers of 64 bits, and pointers.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_ARITHMETIC_H
#define LTW_FFI_ARITHMETIC_H

#include "cdata.h"

enum ltw_coperator {
    LTW_O_ADD, LTW_O_SUB, LTW_O_MUL, LTW_O_DIV, LTW_O_MOD, LTW_O_POW, LTW_O_UNM,
    LTW_O_IDIV, LTW_O_EQ, LTW_O_LT, LTW_O_LE,
    LTW_O_BAND, LTW_O_BOR, LTW_O_BXOR, LTW_O_SHL, LTW_O_SHR, LTW_O_BNOT,    /* bitwise */
    LTW_O_COUNT
};

extern const char *const ltw_coperators[];  /* their events: "__add" … */

/* [-0, +1, e]  The result for the values at 1 and 2; raises when it is not defined for
 * them.  Returns 1. */
int ltw_carithmetic(lua_State *L, struct ltw_ffi *f, enum ltw_coperator op);

#endif

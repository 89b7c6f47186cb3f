/* fixed.h - prices and sizes: int64 with nine decimals.
 *
 * Why: a price is a decimal number.  Kept as an integer it compares, sums and
 * prints exactly; a double is made of it only where Lua reads it.
 *
 * Layer host/base.
 */
#ifndef TW_FIXED_H
#define TW_FIXED_H

#include "base/tw.h"

#define TW_FIXED_ONE INT64_C(1000000000)
enum { TW_FIXED_TEXT = 24 };   /* bytes that tw_fixed_format may need */

/* Reads all of [text, text + n): an optional '-', digits, an optional point
 * and digits.  Exact or refused: TW_EFORMAT (anything else, an exponent, a
 * plus sign, no digit) or TW_ERANGE (a tenth decimal that is not 0, or past
 * +-9223372036.854775807).  *out is untouched on failure.
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_fixed_parse(const char *text, size_t n, int64_t *out);

/* As that, but what a double has added to a number in its last digits, as in
 * 0.30000000000000004, is rounded away: decimals behind the ninth that make less than a
 * part in 1,000,000,000,000 of it.  And it may have an exponent: 1.25e-05.
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_fixed_parse_near(const char *text, size_t n, int64_t *out);

/* What is wrong with a text that one of these has refused with code: "is not a number".
 * Thread: any.  Blocks: never.  Memory: none. */
const char *tw_fixed_why(const char *text, size_t n, int code);

/* Writes the shortest decimal text of v and a 0 byte; returns its length.
 * Thread: any.  Blocks: never.  Memory: none. */
size_t tw_fixed_format(int64_t v, char out[TW_FIXED_TEXT]);

/* The slow half of tw_fixed_to_double: |v| above 2^53 with decimals.
 * Thread: any.  Blocks: never. */
double tw_fixed_to_double_wide(int64_t v);

/* The double nearest to v / 1e9, correctly rounded: what strtod makes of the
 * decimal text.  Thread: any.  Blocks: never. */
static inline double tw_fixed_to_double(int64_t v)
{
    /* Both operands are exact below 2^53, so one division rounds once. */
    if (v < INT64_C(9007199254740992) && v > -INT64_C(9007199254740992))
        return (double)v / 1e9;
    return tw_fixed_to_double_wide(v);
}

#endif

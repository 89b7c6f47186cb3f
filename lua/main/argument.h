/* argument.h - the last argument of an entry, for Alt-. to put into the next one.
 *
 * Layer lua/main.
 */
#ifndef LTW_ARGUMENT_H
#define LTW_ARGUMENT_H

#include <stddef.h>

/* In a text that ends in a call f(a, b) of a plain name, b; else its last word: brackets
 * and strings are whole.  Its *n bytes are within text; 0: there is none. */
const char *ltw_argument(const char *text, size_t *n);

#endif

/* aside.h - what the program writes while somebody types, taken aside.
 *
 * Layer lua/main.
 */
#ifndef LTW_ASIDE_H
#define LTW_ASIDE_H

#include <stddef.h>

struct ltw_aside;

/* put gets whole lines, on a thread of its own or in ltw_aside_end.  NULL: no memory, no
 * descriptor or no thread. */
struct ltw_aside *ltw_aside_open(void (*put)(void *ctx, const char *text, size_t n),
                                 void *ctx);
void ltw_aside_close(struct ltw_aside *a);

/* From here on, what goes to standard output, and to standard error where that is a
 * terminal, goes to put. */
void ltw_aside_begin(struct ltw_aside *a);

/* They are what they were, and all that was written in between has been put.  Safe
 * without a begin. */
void ltw_aside_end(struct ltw_aside *a);

#endif

/* names.h - strings to small numbers: symbols, sectors, topics, board keys.
 *
 * Layer host/tape.
 */
#ifndef TW_NAMES_H
#define TW_NAMES_H

#include "base/tw.h"

enum { TW_NAME_MAX = 63 };   /* bytes, without the 0 at the end */

struct tw_names;

/* At most max names; memory is taken as they come.  NULL: no memory.
 * Thread: any.  Blocks: no. */
struct tw_names *tw_names_new(uint32_t max);
void tw_names_free(struct tw_names *t);

/* The id (1, 2, ...) of a name, made when it is new.  TW_ELIMIT when the table
 * is full or the name is empty or longer than TW_NAME_MAX, UV_ENOMEM without
 * memory.  Thread: any.  Blocks: for a new name, while another is added. */
int64_t tw_names_intern(struct tw_names *t, const char *name, size_t n);

/* The id of a name, or 0.  Thread: any.  Blocks: never.  Memory: none. */
uint32_t tw_names_find(const struct tw_names *t, const char *name, size_t n);

/* The name of an id in 1..count; ends in a 0 byte, constant for ever.
 * Thread: any.  Blocks: never. */
const char *tw_names_get(const struct tw_names *t, uint32_t id);

/* Ids 1..count can be used.  Thread: any.  Blocks: never. */
uint32_t tw_names_count(const struct tw_names *t);

#endif

/* history.h - the entries that were typed, kept in a file.
 *
 * Layer lua/main.  Thread: the editor's.
 */
#ifndef LTW_HISTORY_H
#define LTW_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

enum { LTW_HISTORY_MAX = 1000 };   /* entries */

struct ltw_history;

/* Reads the file at path, if there is one; NULL: nothing is kept after close.  NULL: no
 * memory.  Blocks: on the file. */
struct ltw_history *ltw_history_open(const char *path);
void ltw_history_close(struct ltw_history *h);

unsigned ltw_history_count(const struct ltw_history *h);

/* The i-th, the oldest is 0; NULL: there is none. */
const char *ltw_history_at(const struct ltw_history *h, unsigned i);

/* Adds an entry, here and in the file: not one that begins with a space, is blank, or
 * is the last one again.  Blocks: on the file. */
void ltw_history_add(struct ltw_history *h, const char *text);

/* Why the file could not be read or written; NULL: it could, or that was told.
 * Memory: h's, until the next add. */
const char *ltw_history_trouble(struct ltw_history *h);

#endif

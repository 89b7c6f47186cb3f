/* fix_keep.h - the file of orders and positions that a gateway finds again.
 *
 * It is beside the session's store, NAME.orders: lines of text (fix/order_keep.c), the
 * last of which count.  A process that is killed loses none that was written; what a
 * machine that stops loses is the system's matter, unless each is synced.
 *
 * Layer host/run.  Thread: MAIN, then FEED.  Blocks: on the file.
 */
#ifndef TW_FIX_KEEP_H
#define TW_FIX_KEEP_H

#include "base/tw.h"

struct tw_fix_keep;

/* Makes a folder and those above it.  Thread: any. */
int tw_fix_keep_folder(const char *folder, struct tw_error *error);

/* In the folder, which may not be there yet.  NULL: no memory. */
struct tw_fix_keep *tw_fix_keep_new(const char *folder, const char *name, bool sync);
void tw_fix_keep_free(struct tw_fix_keep *k);   /* k may be NULL */
const char *tw_fix_keep_path(const struct tw_fix_keep *k);

/* All n bytes that were kept, and a 0 byte: the caller's, by tw_free.  NULL: nothing was
 * (*error is empty), or *error says why it can't be read. */
char *tw_fix_keep_read(struct tw_fix_keep *k, size_t *n, struct tw_error *error);

/* all: in place of what was kept, else after it.  0, or why not. */
int tw_fix_keep_write(struct tw_fix_keep *k, const char *text, size_t n, bool all);

/* It has grown so much that all should be written anew. */
bool tw_fix_keep_is_long(const struct tw_fix_keep *k);

#endif

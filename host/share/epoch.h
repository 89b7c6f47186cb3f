/* epoch.h - when may a block that left the tape be freed?
 *
 * A reader that is being lapped may have just taken a pointer out of a slot
 * that is being overwritten.  So what a writer lets go is freed only after
 * every reading thread has passed a point at which it holds no such pointer.
 *
 * Layer host/share.
 */
#ifndef TW_EPOCH_H
#define TW_EPOCH_H

#include "base/tw.h"

struct tw_epoch;
struct tw_epoch_reader;

/* release(p) lets one retired thing go.  NULL: no memory.
 * Thread: MAIN.  Blocks: no. */
struct tw_epoch *tw_epoch_new(void (*release)(void *p));

/* Releases all that is left; every reader has left.  Thread: MAIN. */
void tw_epoch_free(struct tw_epoch *e);

/* A thread that reads.  It begins away.  NULL: no memory.
 * Thread: MAIN, before the reader runs.  Blocks: no. */
struct tw_epoch_reader *tw_epoch_join(struct tw_epoch *e);

/* Between two batches: I hold nothing.  One load when nothing was retired.
 * Thread: the reader's.  Blocks: never. */
void tw_epoch_quiet(struct tw_epoch_reader *r);

/* Around a sleep: nobody waits for me while I am away.
 * Thread: the reader's.  Blocks: never. */
void tw_epoch_away(struct tw_epoch_reader *r);
void tw_epoch_back(struct tw_epoch_reader *r);

/* p is out of the tape; it is released when every reader has been quiet since.
 * Thread: any.  Blocks: a short lock.  Memory: one small node; without memory
 * it waits for the readers instead. */
void tw_epoch_retire(struct tw_epoch *e, void *p);

#endif

/* channels.h - the channels that have a name: the same one in every state.
 *
 * Layer host/share.
 */
#ifndef TW_CHANNELS_H
#define TW_CHANNELS_H

#include "share/channel.h"

enum { TW_CHANNELS_MAX = 4096 };

struct tw_channels;

/* NULL: no memory.  Freeing it lets go every channel.  Thread: any, once. */
struct tw_channels *tw_channels_new(void);
void tw_channels_free(struct tw_channels *cs);

/* The channel of fresh's name: fresh itself, when there was none.  *out has a
 * reference of its own; that of fresh stays the caller's.  UV_ENOMEM; TW_ELIMIT:
 * there are TW_CHANNELS_MAX.
 * Thread: any.  Blocks: a short lock. */
int tw_channels_enter(struct tw_channels *cs, struct tw_channel *fresh,
                      struct tw_channel **out);

/* The i-th in the order in which they were made, from 0 on, with a reference;
 * NULL: there are no more.  Thread: any.  Blocks: a short lock. */
struct tw_channel *tw_channels_at(struct tw_channels *cs, unsigned i);

#endif

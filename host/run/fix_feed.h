/* fix_feed.h - a feed of market data over a session of the FIX engine.
 *
 *     options.kind = TW_FEED_FIX;
 *     feed = tw_io_add(io, &options, &error);
 *     link.consumer = tw_fix_feed_consumer(io, feed);
 *     tw_fix_engine_add(engine, &link, &error);
 *
 * Layer host/run.
 */
#ifndef TW_FIX_FEED_H
#define TW_FIX_FEED_H

#include "fix/instruments.h"
#include "run/fix_engine.h"
#include "run/io.h"

/* Of a feed of kind TW_FEED_FIX, for the one link that it reads; it lives as long as the
 * io.  Thread: MAIN. */
struct tw_fix_consumer tw_fix_feed_consumer(struct tw_io *io, unsigned feed) TW_ON(MAIN);

/* What the venue calls its symbols, and wants to be said of them: see fix/market_data.h.
 * UV_ENOMEM.  Thread: MAIN, before the io starts. */
int tw_fix_feed_instruments(struct tw_io *io, unsigned feed,
                            const struct tw_fix_dictionary *d,
                            const struct tw_fix_instrument *list, size_t n) TW_ON(MAIN);

#endif

/* fix_serve.h - what is on the tape, as market data for peers of the FIX engine.
 *
 *     serve = tw_fix_serve_new(&options);                         before tw_io_start
 *     link.consumer = tw_fix_serve_consumer(serve, dictionary);   of each link
 *     ...
 *     tw_fix_serve_free(serve);                                   after the engine
 *
 * Peers subscribe (35=V) what the run has quotes and trades of, and get them as they are
 * every few milliseconds: see fix/publisher.h.  What came over a FIX session itself is
 * left out, so that two runs that serve each other do not go round in circles.
 *
 * Layer host/run.
 */
#ifndef TW_FIX_SERVE_H
#define TW_FIX_SERVE_H

#include "fix/publisher.h"
#include "run/fix_engine.h"
#include "run/io.h"

struct tw_fix_serve;

enum { TW_FIX_SERVE_MS = 5 };     /* between two looks at the tape, unless told */

struct tw_fix_serve_options {
    struct tw_io *io;
    struct tw_tape *tape;
    struct tw_symbols *symbols;
    int64_t interval_ms;          /* 0: TW_FIX_SERVE_MS                            */
    enum tw_fix_precision precision;      /* of times                              */
};

/* NULL: no memory.  Thread: any; it is one's until a link has it.  Blocks: no. */
struct tw_fix_serve *tw_fix_serve_new(const struct tw_fix_serve_options *o);
void tw_fix_serve_free(struct tw_fix_serve *v) TW_ON(MAIN);   /* v may be NULL */

/* Of one link, or of all that a template makes, whose sessions have that dictionary.  ctx
 * is NULL: no memory.  Thread: any.  Blocks: a short lock. */
struct tw_fix_consumer tw_fix_serve_consumer(struct tw_fix_serve *v,
                                             const struct tw_fix_dictionary *d);

#endif

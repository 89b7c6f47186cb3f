/* fix.h - FIX tag=value, versions 4.0 to 5.0SP2: market data to records and back.
 *
 * Layer host/feed.
 */
#ifndef TW_FIX_H
#define TW_FIX_H

#include "feed/codec.h"

struct tw_fix_options {
    struct tw_symbols *symbols;      /* required: names are interned here  */
    size_t max_message;              /* bytes; 0: 1 MiB                    */
    uint8_t source;
    bool is_log;                     /* a file: text between messages (a new
                                      * line, a time) is no fault          */
    tw_codec_problem *problem;
    void *problem_ctx;
};

/* A decoder of one stream.  NULL: no memory.  Thread: any, then one at a time.
 * Blocks: no.  Memory: the caller frees with codec->ops->free. */
struct tw_codec *tw_fix_decoder_new(const struct tw_fix_options *options);

/* What heads each message that we write. */
struct tw_fix_writer {
    const char *begin_string;        /* 8:  "FIX.4.4", ...                 */
    const char *sender, *target;     /* 49, 56                             */
    uint64_t seq;                    /* 34: of the next message; is raised */
};

/* Each writes one whole message for one symbol to out and returns its length,
 * or TW_EFULL when cap is too small (nothing is counted then).
 * snapshot: 35=W; update: 35=X, both sides as changes (279=1); trade: 35=X with
 * one 269=2; quote: 35=S.  A price with size 0 is written without a size, and in
 * an update as a new entry (279=0).
 * Thread: any.  Blocks: never.  Memory: none. */
int64_t tw_fix_write_snapshot(struct tw_fix_writer *w, const char *symbol,
                              const struct tw_quote *q, int64_t time_ns,
                              char *out, size_t cap);
int64_t tw_fix_write_update(struct tw_fix_writer *w, const char *symbol,
                            const struct tw_quote *q, int64_t time_ns,
                            char *out, size_t cap);
int64_t tw_fix_write_trade(struct tw_fix_writer *w, const char *symbol,
                           const struct tw_trade *t, int64_t time_ns,
                           char *out, size_t cap);
int64_t tw_fix_write_quote(struct tw_fix_writer *w, const char *symbol,
                           const struct tw_quote *q, int64_t time_ns,
                           char *out, size_t cap);

#endif

/* codec.h - what turns a feed's bytes into records: FIX, CSV.
 *
 * A codec has no socket, file, clock or thread: bytes in, records out, so that
 * it is tested alone and at full speed.
 *
 * Layer host/feed.
 */
#ifndef TW_CODEC_H
#define TW_CODEC_H

#include "tape/record.h"
#include "tape/symbols.h"

struct tw_codec_stats {
    uint64_t bytes;       /* consumed, good and bad                     */
    uint64_t messages;    /* well-formed ones, or lines                 */
    uint64_t records;     /* that they became                           */
    uint64_t ignored;     /* good messages of a kind we do not use      */
    uint64_t errors;      /* messages refused for what stands in them   */
    uint64_t skips;       /* runs of bytes that were not a message      */
    uint64_t skipped;     /* bytes in those runs                        */
};

/* Told of every refused message and every skip; text is one line that says
 * what, where (offset from the start of the stream) and the value.
 * Thread: the one that decodes. */
typedef void tw_codec_problem(void *ctx, const char *text);

struct tw_codec {
    const struct tw_codec_ops *ops;
    struct tw_codec_stats stats;
    tw_codec_problem *problem;   /* may be NULL */
    void *problem_ctx;
    uint8_t source;              /* goes into each record */
};

struct tw_codec_ops {
    /* Reads whole messages from bytes and appends their records to out.
     * Returns how many bytes it is done with; the rest is given again with
     * more behind it.  It reads nothing outside bytes[0, n). */
    size_t (*decode)(struct tw_codec *c, const char *bytes, size_t n,
                     int64_t received_ns, struct tw_batch *out);

    /* The stream ended (or was cut off) with `n` bytes left undone: takes what
     * is whole, counts the rest as skipped, and is ready for a new stream. */
    void (*end)(struct tw_codec *c, const char *bytes, size_t n,
                int64_t received_ns, struct tw_batch *out);

    void (*free)(struct tw_codec *c);

    /* The longest message it takes: a reader's buffer holds two of these. */
    size_t max_message;
};

#endif

/* fix.c - a stream of FIX bytes to market records, whatever it is cut into.
 *
 * What is not a message is dropped as far as its BodyLength says, or as it was
 * understood, and then up to the next "8=FIX": that is one skip, told of with
 * the first reason when it begins.  Whatever is dropped is dropped now, so no
 * byte is looked at twice and a stream of garbage waits for nothing.  In a log, which has
 * messages in lines, a little text between two of them is passed over.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/fix.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "feed/fix_market.h"

static const char begin[] = "8=FIX";
enum { BEGIN = 5, TEXT_MAX = 256 };

struct decoder {
    struct tw_codec codec;
    struct tw_codec_ops ops;
    struct tw_fix_market market;
    uint64_t offset;       /* in the stream, of what decode is given next    */
    bool is_log;           /* constant                                       */
    bool skipping;         /* what comes belongs to a skip that has begun    */
};

static void tell(struct decoder *d, const char *why, const char *where, uint64_t offset)
{
    char text[256];

    if (!d->codec.problem) return;
    snprintf(text, sizeof text, "fix: %s (%soffset %llu)", why, where,
             (unsigned long long)offset);
    d->codec.problem(d->codec.problem_ctx, text);
}

static void begin_skip(struct decoder *d, const char *why, uint64_t offset, size_t n)
{
    tell(d, why, n > BEGIN ? "message at " : "", offset);
    d->skipping = true;
    d->codec.stats.skips++;
    d->codec.stats.skipped += n;
}

/* How much of p[0, n) comes before the next "8=FIX", or before what may be the
 * beginning of one at the end. */
static size_t before_begin(const char *p, size_t n, bool *found)
{
    const char *at = memmem(p, n, begin, BEGIN);
    size_t keep = n < BEGIN - 1 ? n : BEGIN - 1;

    *found = at != NULL;
    if (at) return (size_t)(at - p);
    while (memcmp(p + n - keep, begin, keep) != 0) keep--;
    return n - keep;
}

/* How much of p[0, n), where no message begins, is what a log writes between two: no
 * field, and not much; 0: it is not.  *found: a message follows, else more may come. */
static size_t between(const struct decoder *d, const char *p, size_t n, bool *found)
{
    const char *at;

    if (!d->is_log) return 0;
    at = memmem(p, n < TEXT_MAX ? n : TEXT_MAX, begin, BEGIN);
    *found = at != NULL;
    if (at) n = (size_t)(at - p);
    return n < TEXT_MAX && !memchr(p, TW_FIX_SOH, n) ? n : 0;
}

/* Takes the whole message at p: true, or false when it has to be skipped. */
static bool take(struct decoder *d, const char *p, const struct tw_fix_frame *f,
                 uint64_t offset, int64_t received_ns, struct tw_batch *out)
{
    struct tw_codec_stats *stats = &d->codec.stats;
    int n = tw_fix_market_read(&d->market, p, f, received_ns, out);

    if (n == TW_FIX_NO_FIELDS) return false;
    stats->messages++;
    if (n >= 0) {
        stats->records += (unsigned)n;
    } else if (n == TW_FIX_OTHER) {
        stats->ignored++;
    } else {
        char where[] = "35=X, message at ";

        stats->errors++;
        where[3] = p[f->header + 3];
        tell(d, d->market.why, where, offset);
    }
    return true;
}

static size_t decode(struct tw_codec *c, const char *bytes, size_t n,
                     int64_t received_ns, struct tw_batch *out)
{
    struct decoder *d = (struct decoder *)c;
    struct tw_fix_frame f;
    size_t at = 0, length;
    bool found;

    while (at < n) {
        if (d->skipping) {
            length = before_begin(bytes + at, n - at, &found);
            c->stats.skipped += length;
            at += length;
            if (!found) break;
            d->skipping = false;
        }
        found = true;
        switch (tw_fix_frame_find(bytes + at, n - at, d->ops.max_message, &f,
                                  d->market.soh)) {
        case TW_FIX_PARTIAL:
            found = false;
            break;
        case TW_FIX_GARBLED:
            length = between(d, bytes + at, n - at, &found);
            if (length > 0) {
                at += found ? length : 0;
                break;
            }
            found = true;
            /* fall through */
        case TW_FIX_TOO_LONG:
        case TW_FIX_STRANGE:
            begin_skip(d, f.why, d->offset + at, f.header + f.body);
            at += f.header + f.body;
            break;
        case TW_FIX_WHOLE:
            length = f.header + f.body;
            if (take(d, bytes + at, &f, d->offset + at, received_ns, out))
                length += TW_FIX_TRAILER;
            else
                begin_skip(d, d->market.why, d->offset + at, length);
            at += length;
            break;
        }
        if (!found) break;
    }
    c->stats.bytes += at;
    d->offset += at;
    return at;
}

static void end(struct tw_codec *c, const char *bytes, size_t n, int64_t received_ns,
                struct tw_batch *out)
{
    struct decoder *d = (struct decoder *)c;
    size_t left = n - decode(c, bytes, n, received_ns, out);
    const char *rest = bytes + n - left;
    bool found;

    if (left > 0 && d->skipping) c->stats.skipped += left;
    else if (left > 0 && (before_begin(rest, left, &found) < left
                          || !between(d, rest, left, &found)))
        begin_skip(d, "the stream ended in a message", d->offset, left);
    c->stats.bytes += left;
    d->offset = 0;
    d->skipping = false;
    tw_fix_market_reset(&d->market);
}

static void decoder_free(struct tw_codec *c)
{
    struct decoder *d = (struct decoder *)c;

    if (!d) return;
    tw_fix_market_fini(&d->market);
    tw_free(d);
}

struct tw_codec *tw_fix_decoder_new(const struct tw_fix_options *options)
{
    enum { MAX_MESSAGE = 1 << 20 };
    struct decoder *d = tw_calloc(1, sizeof *d);

    if (!d) return NULL;
    d->ops = (struct tw_codec_ops){
        .decode = decode, .end = end, .free = decoder_free,
        .max_message = options->max_message ? options->max_message : MAX_MESSAGE,
    };
    d->is_log = options->is_log;
    d->codec.ops = &d->ops;
    d->codec.problem = options->problem;
    d->codec.problem_ctx = options->problem_ctx;
    d->codec.source = options->source;
    if (tw_fix_market_init(&d->market, options->symbols, options->source,
                           d->ops.max_message))
        goto fail;
    return &d->codec;
fail:
    decoder_free(&d->codec);
    return NULL;
}

/* fix_run.h - for tests of the FIX codec: a decoder with all that comes out
 * of it, messages to put into it, and memory behind which nothing can be read. */
#ifndef FIX_RUN_H
#define FIX_RUN_H

#include "feed/fix.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "random.h"
#include "tap.h"

enum { TEXT = 1 << 16, RECORDS = 4096 };

static inline uint64_t below(uint64_t n) { return next() % n; }

/* ---- a decoder and all that came out of it ---- */

struct run {
    struct tw_codec *codec;
    struct tw_symbols *symbols;
    struct tw_batch batch;
    struct tw_record records[RECORDS];
    size_t n;
    unsigned problems;
    char problem[600];    /* the last ones */
};

static inline void take(struct tw_batch *b)
{
    struct run *r = b->owner;

    if (r->n + b->n > RECORDS) r->n = 0;   /* only a fuzz-like test is that long */
    memcpy(r->records + r->n, b->r, b->n * sizeof *b->r);
    r->n += b->n;
    b->n = 0;
}

static inline void on_problem(void *ctx, const char *text)
{
    struct run *r = ctx;

    r->problems++;
    snprintf(r->problem, sizeof r->problem, "%s", text);
}

static inline struct run *run_with(struct tw_fix_options options)
{
    struct run *r = calloc(1, sizeof *r);

    options.source = 9;
    r->symbols = tw_symbols_new(100000);
    options.symbols = r->symbols;
    options.problem = on_problem;
    options.problem_ctx = r;
    r->codec = tw_fix_decoder_new(&options);
    r->batch.full = take;
    r->batch.owner = r;
    return r;
}

static inline struct run *run_new(size_t max_message)
{
    return run_with((struct tw_fix_options){ .max_message = max_message });
}

static inline void run_free(struct run *r)
{
    r->codec->ops->free(r->codec);
    tw_symbols_free(r->symbols);
    free(r);
}

static inline size_t feed(struct run *r, const char *p, size_t n)
{
    size_t done = r->codec->ops->decode(r->codec, p, n, 5, &r->batch);

    take(&r->batch);
    return done;
}

static inline void end(struct run *r, const char *p, size_t n)
{
    r->codec->ops->end(r->codec, p, n, 5, &r->batch);
    take(&r->batch);
}

/* ---- messages ---- */

/* A whole message of body text in which | stands for SOH. */
static inline size_t message(char *out, const char *version, const char *body)
{
    size_t n = (size_t)snprintf(out, TEXT, "8=%s|9=%zu|%s", version, strlen(body), body);
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (out[i] == '|') out[i] = 1;
        sum += (unsigned char)out[i];
    }
    return n + (size_t)sprintf(out + n, "10=%03u\001", sum & 255);
}

#define HEAD "49=A|56=B|34=7|52=20240102-09:30:00.123|"

/* The message type and what comes after the header. */
static inline size_t market(char *out, char type, const char *rest)
{
    char body[TEXT / 2];

    snprintf(body, sizeof body, "35=%c|" HEAD "%s", type, rest);
    return message(out, "FIX.4.4", body);
}

static char *page_end;   /* of memory behind which nothing can be read */
enum { GUARDED = 1 << 16 };

static inline void guard(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p = mmap(NULL, GUARDED + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(p + GUARDED, page, PROT_NONE);
    page_end = p + GUARDED;
}

/* The bytes, so placed that the next one would be a fault. */
static inline const char *guarded(const char *p, size_t n)
{
    return memcpy(page_end - n, p, n);
}

/* The records as text: "AAPL 1.5x100 1.6x200" and "AAPL trade 1.5x100 buy 77". */
static inline const char *records(const struct run *r)
{
    static char out[8000];
    size_t n = 0;

    *out = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct tw_record *a = &r->records[i];
        char t[4][TW_FIXED_TEXT];
        static const char *const side[] = { "", " buy", " sell" };

        for (int k = 0; k < 4; k++) tw_fixed_format((int64_t)a->word[k], t[k]);
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s ", i ? "; " : "",
                              tw_symbols_name(r->symbols, a->symbol));
        if (a->kind == TW_QUOTE)
            n += (size_t)snprintf(out + n, sizeof out - n, "%sx%s %sx%s", t[0],
                                  t[2], t[1], t[3]);
        else
            n += (size_t)snprintf(out + n, sizeof out - n, "trade %sx%s%s", t[0], t[1],
                                  side[a->trade.side]);
        if (a->kind == TW_TRADE && a->trade.id)
            n += (size_t)snprintf(out + n, sizeof out - n, " %llu",
                                  (unsigned long long)a->trade.id);
    }
    return out;
}

#endif

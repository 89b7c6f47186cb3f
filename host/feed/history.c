/* history.c - the records of files, one at a time and in one order of time.
 *
 * Each source has a few records in hand, in order; a heap has the sources by the time of
 * their next one.
 *
 * Invariants
 *   H1  A source's records never go back in time: a row that would is a bad line.  A
 *       tape file has the order in which records came, and they stay in it.
 *   H2  heap[0] has the next record of all; what is of one time comes by `order`.
 *   H3  Of many files (years of a file a day) only those are open whose time has come:
 *       the others have their first record in hand, and begin anew when it is due.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/history.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/fix.h"
#include "feed/merge.h"
#include "feed/scan.h"
#include "tape/bar.h"

enum { ROOM_FIRST = 1024, SOURCES_MAX = 65536, AWAKE_MAX = 16, TEXT = 512 };

struct source {
    struct tw_history *of;
    /* More records in hand; 1, 0: there are none, or negative with *error. */
    int (*refill)(struct source *s, struct tw_error *error);
    const struct tw_record *next, *end;   /* in hand                              */
    unsigned order;
    char *path, *member;
    struct tw_scan scan;
    struct tw_codec *codec;
    int64_t last_ns;                      /* H1                                   */
    struct tw_record *record;             /* [0, n) of room                       */
    size_t n, room;
    struct tw_merge_input input;          /* of a tape file, and its reader       */
    struct tw_merge *merge;
    bool asleep;                          /* H3: the one in hand is the first     */
    bool looking, flawed;                 /* what is wrong is told when it begins */
    uint64_t taken;                       /* bytes of what was closed             */
    struct tw_record mark;                /* of a timer; the first, of one asleep */
    struct tw_batch batch;
};

struct tw_history {
    struct tw_symbols *symbols;
    bool (*problem)(void *ctx, const char *text);
    void (*crossed)(void *ctx, const char *text);
    void *ctx;
    struct source **source, **heap;
    unsigned n, room, left;               /* left: in the heap                    */
    bool begun, stopped, starved, is_crossed;   /* is_crossed: it was told        */
    char why[TEXT];                       /* it was stopped                       */
    uint64_t bytes;
};

struct tw_history *tw_history_new(struct tw_symbols *symbols,
                                  bool (*problem)(void *ctx, const char *text),
                                  void (*crossed)(void *ctx, const char *text), void *ctx)
{
    struct tw_history *h = tw_calloc(1, sizeof *h);

    if (!h) return NULL;
    h->symbols = symbols;
    h->problem = problem;
    h->crossed = crossed;
    h->ctx = ctx;
    return h;
}

static void free_source(struct source *s)
{
    if (!s) return;
    if (s->codec) s->codec->ops->free(s->codec);
    tw_scan_close(&s->scan);
    tw_merge_close(s->merge);
    tw_free(s->record);
    tw_free(s->path);
    tw_free(s->member);
    tw_free(s);
}

void tw_history_free(struct tw_history *h)
{
    if (!h) return;
    for (unsigned i = 0; i < h->n; i++) free_source(h->source[i]);
    tw_free(h->source);
    tw_free(h->heap);
    tw_free(h);
}

/* ---- what is wrong with data ---- */

static void on_problem(void *ctx, const char *text)
{
    struct source *s = ctx;
    struct tw_history *h = s->of;

    s->flawed = true;
    if (h->stopped || s->looking) return;
    snprintf(h->why, sizeof h->why, "%.200s: %.300s", s->path, text);
    h->stopped = !h->problem(h->ctx, h->why);
}

static bool is_side(int64_t price, int64_t size)
{
    return (price | size) != 0;
}

/* NULL: it can be a record of a market. */
static const char *fault(const struct tw_record *r)
{
    const struct tw_quote *q = &r->quote;
    struct tw_ohlc bar;

    switch (r->kind) {
    case TW_QUOTE:
        if ((is_side(q->bid, q->bid_size) && q->bid == 0)
            || (is_side(q->ask, q->ask_size) && q->ask == 0))
            return "a price of 0";
        return NULL;
    case TW_TRADE:
        return r->trade.price == 0 ? "a price of 0" : NULL;
    case TW_BAR:
        tw_bar_get(r, &bar);
        return bar.low == 0 || bar.high == 0 ? "a price of 0" : NULL;
    default:
        return NULL;
    }
}

/* A quote's source_seq is its line, or its message. */
static void look_for_crossed(struct source *s, const struct tw_record *r)
{
    struct tw_history *h = s->of;
    char text[TEXT];

    if (h->is_crossed || s->looking || r->kind != TW_QUOTE
        || !is_side(r->quote.ask, r->quote.ask_size) || r->quote.bid <= r->quote.ask)
        return;
    h->is_crossed = true;
    snprintf(text, sizeof text, "%.200s: line %u: the bid is above the ask; such quotes"
             " are read as they are", s->path, r->source_seq);
    h->crossed(h->ctx, text);
}

/* H1.  The `check` of a codec: why the record is none. */
static const char *check(void *ctx, const struct tw_record *r)
{
    struct source *s = ctx;
    const char *why = r->time < s->last_ns ? "time goes back" : fault(r);

    if (!why) s->last_ns = r->time;
    if (!why) look_for_crossed(s, r);
    return why;
}

/* ---- files ---- */

/* The `full` of the batch. */
static void keep(struct tw_batch *batch)
{
    struct source *s = batch->owner;
    size_t room = s->room ? s->room : ROOM_FIRST;
    struct tw_record *more;

    while (room < s->n + batch->n) room *= 2;
    if (room > s->room) {
        more = tw_realloc(s->record, room * sizeof *more);
        if (!more) {
            s->of->starved = true;
            batch->n = 0;
            return;
        }
        s->record = more;
        s->room = room;
    }
    memcpy(s->record + s->n, batch->r, batch->n * sizeof *batch->r);
    s->n += batch->n;
    batch->n = 0;
}

/* FIX has no rows: what can't be is told by its place among the records. */
static void keep_checked(struct tw_batch *batch)
{
    struct source *s = batch->owner;
    unsigned n = batch->n, kept = 0;
    char text[100];

    for (unsigned i = 0; i < n; i++) {
        const char *why = check(s, &batch->r[i]);

        if (!why) {
            batch->r[kept++] = batch->r[i];
            continue;
        }
        snprintf(text, sizeof text, "message %u: %s", batch->r[i].source_seq, why);
        on_problem(s, text);
    }
    batch->n = kept;
    keep(batch);
}

static int read_piece(struct source *s, struct tw_error *error)
{
    struct tw_history *h = s->of;
    int rc = 1;

    s->n = 0;
    while (s->n == 0 && rc > 0) {
        rc = tw_scan_step(&s->scan, s->codec, 0, &s->batch, error);
        if (s->batch.n > 0) s->batch.full(&s->batch);
        if (h->stopped) return tw_fail(error, TW_EFORMAT, "%s", h->why);
        if (h->starved)
            return tw_fail(error, UV_ENOMEM, "%.300s: %s", s->path,
                           tw_strerror(UV_ENOMEM));
        if (rc < 0) return rc;
    }
    s->next = s->record;
    s->end = s->record + s->n;
    return s->n > 0;
}

/* Nothing of it stays open. */
static void leave(struct source *s)
{
    if (s->scan.in) s->taken = tw_input_taken(s->scan.in);
    tw_scan_close(&s->scan);
    tw_free(s->record);
    s->record = NULL;
    s->n = s->room = 0;
}

/* From its beginning. */
static int enter(struct source *s, struct tw_error *error)
{
    leave(s);
    s->last_ns = INT64_MIN;
    s->taken = 0;
    return tw_scan_open(&s->scan, s->path, s->member, error);
}

static int read_more(struct source *s, struct tw_error *error)
{
    bool first = s->asleep;
    int rc = first ? enter(s, error) : TW_OK;

    s->asleep = false;
    if (rc == TW_OK) rc = read_piece(s, error);
    if (rc > 0 && first && ++s->next == s->end) rc = read_piece(s, error);
    if (rc == 0) leave(s);
    return rc;
}

/* H3.  Its first record, and then it sleeps; not where something is wrong, which is told
 * once. */
static int look(struct source *s, struct tw_error *error)
{
    int rc = enter(s, error);

    if (rc < 0) return rc;
    s->looking = true;
    rc = read_piece(s, error);
    s->looking = false;
    s->codec->ops->end(s->codec, s->scan.bytes, 0, 0, &s->batch);   /* begins anew */
    if (rc < 0) return rc;
    if (s->flawed || rc == 0) {
        rc = enter(s, error);
        return rc < 0 ? rc : read_piece(s, error);
    }
    s->mark = s->record[0];
    s->next = &s->mark;
    s->end = s->next + 1;
    s->asleep = true;
    leave(s);
    return 1;
}

static char *copy(const char *text)
{
    char *p = tw_calloc(1, strlen(text) + 1);

    if (p) strcpy(p, text);
    return p;
}

/* The name of a file as that of a symbol: up to its first dot. */
static const char *stem(const char *path, char out[TW_NAME_MAX + 1])
{
    const char *name = strrchr(path, '/');
    size_t n;

    name = name ? name + 1 : path;
    n = strcspn(name, ".");
    if (n > TW_NAME_MAX) n = TW_NAME_MAX;
    memcpy(out, name, n);
    out[n] = '\0';
    return out;
}

/* Do its rows say of what symbol they are? */
static bool has_symbols(const struct tw_scan *scan, const struct tw_csv_options *o)
{
    struct tw_columns k = { .total = 0 };
    const char *end = memchr(scan->bytes, '\n', scan->n);
    struct tw_error error;

    if (o->symbol || o->preset) return true;
    if (o->columns)
        return tw_columns_map(&k, o->columns, false, &error) < 0
            || k.at[TW_CSV_SYMBOL] >= 0;
    return tw_columns_header(&k, scan->bytes, end ? end : scan->bytes + scan->n,
                             o->separator ? o->separator : ',', false, &error) < 0
        || k.at[TW_CSV_SYMBOL] >= 0;
}

static int open_codec(struct source *s, const struct tw_history_file *file,
                      struct tw_error *error)
{
    struct tw_csv_options o = file->csv;
    char name[TW_NAME_MAX + 1];

    if (file->format ? strcmp(file->format, "fix") == 0
        : !tw_scan_is_csv(&s->scan, file->path)) {
        s->batch.full = keep_checked;
        s->codec = tw_fix_decoder_new(&(struct tw_fix_options){
            .symbols = s->of->symbols, .source = o.source, .problem = on_problem,
            .problem_ctx = s });
        return s->codec ? TW_OK : tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    }
    o.symbols = s->of->symbols;
    o.problem = on_problem;
    o.problem_ctx = s;
    o.check = check;
    if (!has_symbols(&s->scan, &o)) o.symbol = stem(file->path, name);
    s->codec = tw_csv_decoder_new(&o, error);
    return s->codec ? TW_OK : error->code;
}

/* A new source, in its place; NULL: no memory, or too many. */
static struct source *add(struct tw_history *h, struct tw_error *error)
{
    unsigned room = h->room ? 2 * h->room : 8;
    struct source **source, **heap, *s;

    if (h->n == SOURCES_MAX) {
        tw_fail(error, TW_ELIMIT, "more than %d files", SOURCES_MAX);
        return NULL;
    }
    tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    if (h->n == h->room) {
        source = tw_realloc(h->source, room * sizeof *source);
        if (!source) return NULL;
        h->source = source;
        heap = tw_realloc(h->heap, room * sizeof *heap);
        if (!heap) return NULL;
        h->heap = heap;
        h->room = room;
    }
    s = tw_calloc(1, sizeof *s);
    if (!s) return NULL;
    s->of = h;
    s->order = h->n;
    s->last_ns = INT64_MIN;
    h->source[h->n++] = s;
    error->code = TW_OK;
    return s;
}

static int open_tape(struct source *s, struct tw_error *error);

int tw_history_add(struct tw_history *h, const struct tw_history_file *file,
                   struct tw_error *error)
{
    struct source *s = add(h, error);
    struct stat st;
    int rc;

    if (!s) return error->code;
    s->refill = read_more;
    s->batch.owner = s;
    s->batch.full = keep;
    s->path = copy(file->path);
    if (file->member) s->member = copy(file->member);
    if (!s->path || (file->member && !s->member))
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    if (tw_tape_file_is(file->path)) return open_tape(s, error);
    if (tw_scan_open(&s->scan, file->path, file->member, error) < 0) return error->code;
    if (stat(file->path, &st) == 0) h->bytes += (uint64_t)st.st_size;
    rc = open_codec(s, file, error);
    if (s->order >= AWAKE_MAX) leave(s);
    return rc;
}

/* ---- tape files ---- */

/* What a market is made of; what scripts said when it was recorded, they say again. */
static bool is_market(const struct tw_record *r)
{
    return r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR;
}

static int next_of_tape(struct source *s, struct tw_error *error)
{
    struct tw_record *r;
    const char *value;
    size_t n;
    int rc;

    do rc = tw_merge_next(s->merge, &r, &value, &n, error);
    while (rc > 0 && !is_market(r));
    if (rc > 0 && s->of->stopped) rc = tw_fail(error, TW_EFORMAT, "%s", s->of->why);
    if (rc <= 0) return rc;
    s->mark = *r;
    s->next = &s->mark;
    s->end = s->next + 1;
    return 1;
}

static void on_tape_problem(void *ctx, const char *text)
{
    struct tw_history *h = ctx;

    if (h->stopped) return;
    snprintf(h->why, sizeof h->why, "%s", text);
    h->stopped = !h->problem(h->ctx, h->why);
}

static int open_tape(struct source *s, struct tw_error *error)
{
    struct tw_history *h = s->of;

    s->refill = next_of_tape;
    s->input = (struct tw_merge_input){ .path = s->path, .source = "tape",
                                        .starts_ns = INT64_MIN };
    s->merge = tw_merge_open(&(struct tw_merge_options){
        .inputs = &s->input, .n = 1, .symbols = h->symbols, .from_ns = INT64_MIN,
        .to_ns = INT64_MAX, .problem = on_tape_problem, .problem_ctx = h }, error);
    if (s->merge && h->stopped) return tw_fail(error, TW_EFORMAT, "%s", h->why);
    return s->merge ? TW_OK : error->code;
}

/* ---- timers ---- */

static int next_mark(struct source *s, struct tw_error *error)
{
    struct tw_record *r = &s->mark;

    (void)error;
    if (s->of->left == 0) return 0;
    r->time += r->timer.interval_ns;
    r->timer.count++;
    s->next = r;
    s->end = r + 1;
    return 1;
}

int tw_history_add_timer(struct tw_history *h, uint32_t timer, int64_t interval_ns,
                         struct tw_error *error)
{
    struct source *s = add(h, error);

    if (!s) return error->code;
    s->refill = next_mark;
    s->mark = (struct tw_record){
        .kind = TW_TIMER, .timer = { .timer = timer, .interval_ns = interval_ns },
    };
    return TW_OK;
}

/* ---- in one order ---- */

static bool is_before(const struct source *a, const struct source *b)
{
    return a->next->time < b->next->time
        || (a->next->time == b->next->time && a->order < b->order);
}

/* H2: from i down. */
static void sift(struct tw_history *h, unsigned i)
{
    struct source *s = h->heap[i];

    for (unsigned child; (child = 2 * i + 1) < h->left; i = child) {
        if (child + 1 < h->left && is_before(h->heap[child + 1], h->heap[child])) child++;
        if (!is_before(h->heap[child], s)) break;
        h->heap[i] = h->heap[child];
    }
    h->heap[i] = s;
}

/* Timers begin behind the first record, and end with the last. */
static void begin_timers(struct tw_history *h)
{
    int64_t first_ns = INT64_MAX;
    unsigned files = h->left;

    for (unsigned i = 0; i < files; i++)
        if (h->heap[i]->next->time < first_ns) first_ns = h->heap[i]->next->time;
    for (unsigned i = 0; i < h->n && files > 0; i++) {
        struct source *s = h->source[i];

        if (s->refill != next_mark) continue;
        s->mark.time = first_ns - first_ns % s->mark.timer.interval_ns;
        next_mark(s, NULL);
        h->heap[h->left++] = s;
    }
}

static int begin(struct tw_history *h, struct tw_error *error)
{
    h->begun = true;
    for (unsigned i = 0; i < h->n; i++) {
        struct source *s = h->source[i];
        bool sleeps = s->order >= AWAKE_MAX && s->refill == read_more;
        int rc = s->refill == next_mark ? 0 : sleeps ? look(s, error)
               : s->refill(s, error);

        if (rc < 0) return rc;
        if (rc > 0) h->heap[h->left++] = s;
    }
    begin_timers(h);
    for (unsigned i = h->left / 2; i-- > 0;) sift(h, i);
    return TW_OK;
}

/* Are there only timers left? */
static bool is_over(const struct tw_history *h)
{
    for (unsigned i = 0; i < h->left; i++)
        if (h->heap[i]->refill != next_mark) return false;
    return true;
}

const struct tw_record *tw_history_peek(struct tw_history *h, struct tw_error *error)
{
    struct source *s;
    int rc;

    if (!h->begun && begin(h, error) < 0) return NULL;
    while (h->left > 0 && h->heap[0]->next == h->heap[0]->end) {
        s = h->heap[0];
        rc = s->refill(s, error);
        if (rc < 0) return NULL;
        if (rc == 0) h->heap[0] = h->heap[--h->left];
        if (rc == 0 && is_over(h)) h->left = 0;
        if (h->left > 1) sift(h, 0);
    }
    return h->left > 0 ? h->heap[0]->next : NULL;
}

void tw_history_take(struct tw_history *h)
{
    struct source *s = h->heap[0];

    s->next++;
    if (h->left > 1 && s->next < s->end) sift(h, 0);
}

uint64_t tw_history_bytes(const struct tw_history *h)
{
    return h->bytes;
}

uint64_t tw_history_done(const struct tw_history *h)
{
    uint64_t done = 0;

    for (unsigned i = 0; i < h->n; i++) {
        const struct source *s = h->source[i];

        done += s->scan.in ? tw_input_taken(s->scan.in) : s->asleep ? 0 : s->taken;
    }
    return done;
}

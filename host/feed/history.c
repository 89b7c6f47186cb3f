/* history.c - the records of files, one at a time and in one order of time.
 *
 * Each source has records in hand, in order; a heap has them by the next one's time.
 *
 * Invariants
 *   H1  A source's records never go back in time: a row that would is a bad line.  A
 *       tape file has the order in which records came, and they stay in it.
 *   H2  heap[0] has the next record of all; what is of one time comes by `order`.
 *   H3  Of many files (years of a file a day) only those are open whose time has come:
 *       the others have their first record in hand, and begin anew when it is due.
 *   H4  Of many none has a descriptor but while it is read.
 *   H5  A bar that another file has given is a bad line, as is one that its own has.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/history.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/fault.h"
#include "feed/fix.h"
#include "feed/history_parts.h"

enum { SOURCES_MAX = 65536, AWAKE_MAX = 16 };

struct tw_history *tw_history_new(struct tw_symbols *symbols,
                                  bool (*problem)(void *ctx, const char *text),
                                  void (*note)(void *ctx, const char *text), void *ctx)
{
    struct tw_history *h = tw_calloc(1, sizeof *h);

    if (!h) return NULL;
    *h = (struct tw_history){ .symbols = symbols, .problem = problem, .note = note,
                              .ctx = ctx };
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
    for (unsigned id = 0; id < TW_HISTORY_BOOK; id++) tw_free(h->own[id]);
    tw_twins_free(h->twins);
    tw_free(h->source);
    tw_free(h->heap);
    tw_free(h);
}

/* ---- the names of sources ---- */

uint8_t tw_history_source_of(struct tw_history *h, const char *name)
{
    for (uint8_t id = 1; id < TW_HISTORY_BOOK; id++) {
        if (!h->own[id]) {
            h->own[id] = tw_copy_text(id < TW_HISTORY_BOOK - 1 ? name : TW_HISTORY_REST);
            if (!h->own[id]) return 0;
            if (h->sources) tw_sources_set(h->sources, id, h->own[id]);
        }
        if (id == TW_HISTORY_BOOK - 1 || strcmp(h->own[id], name) == 0) return id;
    }
    return 0;
}

void tw_history_name_sources(struct tw_history *h, struct tw_sources *sources)
{
    h->sources = sources;
    tw_sources_set(sources, TW_HISTORY_BOOK, TW_BOOK);
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

void tw_history_note(struct source *s, const char *words)
{
    char text[TW_HISTORY_TEXT];

    snprintf(text, sizeof text, "%.200s: %.300s", s->path, words);
    s->of->note(s->of->ctx, text);
}

/* H1.  Why the record is none; what is odd is told, but time, which is none then. */
static const char *judge(struct source *s, const struct tw_record *r,
                         const struct tw_place *place)
{
    struct tw_history *h = s->of;
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT], words[TW_ODD_TEXT];
    const char *why;
    unsigned odd;

    if (tw_record_is_sound(r, &s->last_ns)) return NULL;
    why = r->time < s->last_ns ? tw_back_text(r, s->last_ns, h->back)
        : tw_record_fault(r);
    if (why) return why;
    odd = s->looking || h->stopped ? 0 : tw_record_odd(r, &s->last_ns, &h->told);
    s->last_ns = r->time;
    if (!odd) return NULL;
    snprintf(text, sizeof text, "%s: %s", tw_place_text(place, where),
             tw_odd_text(odd, r, s->last_ns, words));
    tw_history_note(s, text);
    return NULL;
}

/* The `check` of the codec of CSV. */
static const char *check(void *ctx, const struct tw_record *r, uint64_t line)
{
    struct source *s = ctx;

    if (tw_record_is_sound(r, &s->last_ns)) return NULL;
    return judge(ctx, r, &(struct tw_place){ .line = line });
}

/* ---- files ---- */

/* The `full` of the batch. */
static void keep(struct tw_batch *batch)
{
    struct source *s = batch->owner;

    if (s->n + batch->n > s->room) {
        struct tw_record *more = tw_grow(s->record, &s->room, s->n + batch->n,
                                         sizeof *more);

        if (!more) {
            s->of->starved = true;
            batch->n = 0;
            return;
        }
        s->record = more;
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
    char text[TW_FAULT_TEXT];

    for (unsigned i = 0; i < n; i++) {
        const char *why = judge(s, &batch->r[i], &(struct tw_place){
            .message = batch->r[i].source_seq });

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
        if (h->n > AWAKE_MAX) tw_input_park(s->scan.in);                    /* H4 */
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

static int open_codec(struct source *s, const struct tw_history_file *file,
                      struct tw_error *error)
{
    struct tw_csv_options o = file->csv;
    char name[TW_NAME_MAX + 1];

    if (file->format ? strcmp(file->format, "fix") == 0
        : !tw_scan_is_csv(&s->scan, file->path)) {
        s->batch.full = keep_checked;
        s->codec = tw_fix_decoder_new(&(struct tw_fix_options){
            .symbols = s->of->symbols, .source = s->id, .is_log = true,
            .problem = on_problem, .problem_ctx = s });
        return s->codec ? TW_OK : tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    }
    o.symbols = s->of->symbols;
    o.source = s->id;
    o.problem = on_problem;
    o.problem_ctx = s;
    o.check = check;
    if (tw_scan_lacks_symbol(&s->scan, &o)) o.symbol = tw_scan_symbol(file->path, name);
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
        if (!(source = tw_realloc(h->source, room * sizeof *source))) return NULL;
        h->source = source;
        if (!(heap = tw_realloc(h->heap, room * sizeof *heap))) return NULL;
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

/* ---- all of them ---- */

int tw_history_add(struct tw_history *h, const struct tw_history_file *file,
                   struct tw_error *error)
{
    struct source *s = add(h, error);
    const char *name = strrchr(file->path, '/');
    struct stat st;
    int rc;

    if (!s) return error->code;
    if (h->n > 1 && !h->twins && !(h->twins = tw_twins_new()))
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    s->refill = read_more;
    s->batch.owner = s;
    s->batch.full = keep;
    s->path = tw_copy_text(file->path);
    if (file->member) s->member = tw_copy_text(file->member);
    if (!s->path || (file->member && !s->member))
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    if (tw_tape_file_is(file->path)) {
        s->bytes = file->bytes ? file->bytes
                 : stat(file->path, &st) == 0 ? (uint64_t)st.st_size : 0;
        h->bytes += s->bytes;
        return tw_history_open_tape(s, file, error);
    }
    s->id = tw_history_source_of(h, file->source ? file->source
                                    : name ? name + 1 : file->path);
    if (s->id == 0) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    if (tw_scan_open(&s->scan, file->path, file->member, error) < 0) return error->code;
    if (stat(file->path, &st) == 0) h->bytes += (uint64_t)st.st_size;
    rc = open_codec(s, file, error);
    if (s->order >= AWAKE_MAX) leave(s);
    else tw_input_park(s->scan.in);                   /* H4: more may follow */
    return rc;
}

void tw_history_add_messages(struct tw_history *h, struct tw_names *topics,
                             bool (*is_own)(void *ctx, const char *script),
                             void (*topic)(void *ctx, const char *topic,
                                           const char *dictionary))
{
    h->topics = topics;
    h->is_own = is_own;
    h->topic = topic;
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
    h->timers = true;
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

/* The next record of all sources. */
static const struct tw_record *next(struct tw_history *h, struct tw_error *error)
{
    struct source *s;
    int rc;

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

void tw_history_only(struct tw_history *h, const struct tw_resolutions *only)
{
    h->only = *only;
}

static TW_APART const struct tw_record *find(struct tw_history *h, struct tw_error *error)
{
    const struct tw_record *r;
    struct tw_place place;
    char text[TW_TWIN_TEXT];
    int rc = 0;

    if (!h->begun && begin(h, error) < 0) return NULL;
    for (; (r = next(h, error)); tw_history_take(h)) {
        if (!tw_resolutions_have(&h->only, r)) continue;
        if (!h->twins || r->kind != TW_BAR || h->passed) break;
        place = tw_history_place(h);
        rc = tw_twins_look(h->twins, r, &place, h->symbols, text);          /* H5 */
        if (rc == 0) break;
        if (rc > 0) on_problem(h->heap[0], text);
        if (rc < 0) tw_fail(error, rc, "%s", tw_strerror(rc));
        else if (h->stopped) rc = tw_fail(error, TW_EFORMAT, "%s", h->why);
        if (rc < 0) return NULL;
    }
    h->passed = true;
    return r;
}

const struct tw_record *tw_history_peek(struct tw_history *h, struct tw_error *error)
{
    const struct source *s = h->left > 0 ? h->heap[0] : NULL;

    if (s && h->begun && s->next != s->end && h->only.n == 0
        && (!h->twins || h->passed || s->next->kind != TW_BAR)) return s->next;
    return find(h, error);
}

void tw_history_take(struct tw_history *h)
{
    struct source *s = h->heap[0];

    h->passed = false;
    s->next++;
    if (h->left > 1 && s->next < s->end) sift(h, 0);
}

size_t tw_history_run(const struct tw_history *h)
{
    return h->left == 1 && h->only.n == 0 && !h->twins
        ? (size_t)(h->heap[0]->end - h->heap[0]->next) : 1;
}

const char *tw_history_value(const struct tw_history *h, size_t *n)
{
    *n = h->heap[0]->n_value;
    return h->heap[0]->value;
}

struct tw_place tw_history_place(const struct tw_history *h)
{
    const struct source *s = h->heap[0];

    if (s->merge)
        return (struct tw_place){ .path = s->path, .record = s->next->seq,
                                  .block = tw_merge_place(s->merge)->block };
    return (struct tw_place){ .path = s->path,
        .line = s->refill == read_more ? (uint64_t)s->next->received : 0 };
}

uint64_t tw_history_bytes(const struct tw_history *h)
{
    return h->bytes;
}

/* Of a tape file up to the block of the record in hand. */
static uint64_t taken(const struct source *s)
{
    if (s->scan.in) return tw_input_taken(s->scan.in);
    if (s->merge && s->taken == 0) return tw_merge_place(s->merge)->block;
    return s->asleep ? 0 : s->taken;
}

uint64_t tw_history_done(const struct tw_history *h)
{
    uint64_t done = 0;

    for (unsigned i = 0; i < h->n; i++) done += taken(h->source[i]);
    return done;
}

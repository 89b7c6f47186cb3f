/* merge.c - records of several files in the order of their times.
 *
 * Why files may open late: a folder of LEAN's has a file a day and symbol, thousands of
 * them, and each says in its path when it begins.
 *
 * Invariants
 *   M1  In the heap stands each file that is not at its end, by the time of its next
 *       record, or by when it starts; its parent never comes after it.
 *   M2  Of many texts each is opened to find its first record, and closed until that is
 *       due; and none has a descriptor but while it is read.
 *
 * Layer host/feed.  Thread: one at a time.
 */
#include "feed/merge.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/fault.h"
#include "feed/fix.h"
#include "feed/scan.h"
#include "feed/twin.h"
#include "tape/bar.h"

enum { TOPICS_MAX = 1 << 16, FEW = 16 };   /* FEW: files that stay open: M2 */

/* A file that is being read: a text through its codec, or a tape file. */
struct file {
    struct tw_merge *merge;
    const struct tw_merge_input *input;
    struct tw_scan scan;
    struct tw_codec *codec;
    struct tw_tape_file *tape;
    struct tw_tape_reader *reader;
    struct tw_tape_block block;
    uint32_t *map[TW_TAPE_NAME_TYPES], max[TW_TAPE_NAME_TYPES];
    struct tw_record *r;              /* of a text: what was decoded            */
    size_t next, n, cap;              /* of r, or of the block                  */
    int64_t last_ns;
    int64_t latest_ns[TW_SOURCE_MAX + 1];   /* of each source; of a text in the first */
    bool over;                        /* of a text: nothing more to decode      */
    bool looking, flawed;             /* M2: what is wrong is told later        */
    unsigned told;                    /* of what is odd, without o.told         */
    int failed;                       /* no memory for what was decoded         */
    struct tw_batch batch;
};

struct place { int64_t time; size_t input; };

struct tw_merge {
    struct tw_merge_options o;
    struct tw_merge_names names;
    struct tw_merge_stats stats;
    char *own[TW_SOURCE_MAX + 1];     /* the names of sources                   */
    struct file **files;              /* NULL: not opened, or at its end        */
    bool *looked;                     /* M2: at each                            */
    struct tw_twins *twins;
    struct place *heap;
    size_t n;
    bool given;                       /* the first one's record was             */
    struct tw_place place;            /* its                                    */
};

/* ---- the heap ---- */

static bool comes_after(const struct place *a, const struct place *b)
{
    return a->time > b->time || (a->time == b->time && a->input > b->input);
}

static void sink(struct tw_merge *m, size_t i)
{
    for (size_t child; (child = 2 * i + 1) < m->n; i = child) {
        struct place here = m->heap[i];

        if (child + 1 < m->n && comes_after(&m->heap[child], &m->heap[child + 1]))
            child++;
        if (!comes_after(&here, &m->heap[child])) return;
        m->heap[i] = m->heap[child];
        m->heap[child] = here;
    }
}

/* ---- names ---- */

/* The number of a source, or 0 where there are too many. */
static uint32_t source_of(struct tw_merge *m, const char *name)
{
    for (unsigned id = 1; name && id <= TW_SOURCE_MAX; id++) {
        if (!m->own[id]) {
            m->own[id] = tw_calloc(1, strlen(name) + 1);
            if (!m->own[id]) return 0;
            strcpy(m->own[id], name);
            tw_sources_set(&m->names.sources, id, m->own[id]);
        }
        if (strcmp(m->own[id], name) == 0) return id;
    }
    return 0;
}

static int64_t number_of(struct file *f, int type, const struct tw_tape_name *name)
{
    const struct tw_merge_names *all = &f->merge->names;

    switch (type) {
    case TW_TAPE_SYMBOL: return tw_tape_file_intern(f->tape, *name, all->symbols);
    case TW_TAPE_SOURCE: return source_of(f->merge, name->text);
    case TW_TAPE_TOPIC:  return tw_names_intern(all->topics, name->text,
                                                strlen(name->text));
    case TW_TAPE_SCRIPT: return tw_names_intern(all->scripts, name->text,
                                                strlen(name->text));
    default: return 0;
    }
}

static int map_names(struct file *f, struct tw_error *error)
{
    for (int type = 1; type < TW_TAPE_NAME_TYPES; type++) {
        uint32_t max = tw_tape_file_names(f->tape, (enum tw_tape_name_type)type);

        f->map[type] = tw_calloc(max + 1u, sizeof *f->map[type]);
        if (!f->map[type]) return tw_fail(error, UV_ENOMEM, "no memory for names");
        f->max[type] = max;
        for (uint32_t id = 1; id <= max; id++) {
            struct tw_tape_name name =
                tw_tape_file_name(f->tape, (enum tw_tape_name_type)type, id);
            int64_t to = name.text ? number_of(f, type, &name) : 0;

            if (to < 0) return tw_fail(error, (int)to, "%s: '%s': %s", f->input->path,
                                       name.text, tw_strerror((int)to));
            f->map[type][id] = (uint32_t)to;
        }
    }
    return TW_OK;
}

static uint32_t mapped(const struct file *f, int type, uint32_t id)
{
    return id <= f->max[type] ? f->map[type][id] : 0;
}

static void map_record(const struct file *f, struct tw_record *r)
{
    r->symbol = mapped(f, TW_TAPE_SYMBOL, r->symbol) & TW_SYMBOL_MAX;
    r->source = mapped(f, TW_TAPE_SOURCE, r->source) & TW_SOURCE_MAX;
    if (r->kind != TW_MESSAGE) return;
    r->message.topic = mapped(f, TW_TAPE_TOPIC, r->message.topic);
    r->message.script = mapped(f, TW_TAPE_SCRIPT, r->message.script);
}

/* ---- files ---- */

static bool is_many(const struct tw_merge *m)
{
    return m->o.n > FEW;
}

static void on_problem(void *ctx, const char *text)
{
    struct file *f = ctx;
    char line[500];

    f->flawed = true;
    if (f->looking) return;
    f->merge->stats.problems++;
    snprintf(line, sizeof line, "%.200s: %s", f->input->path, text);
    if (f->merge->o.problem) f->merge->o.problem(f->merge->o.problem_ctx, line);
}

/* What is no harm. */
static void note(const struct file *f, const char *text)
{
    const struct tw_merge_options *o = &f->merge->o;
    char line[600];

    snprintf(line, sizeof line, "%.200s: %s", f->input->path, text);
    if (o->note) o->note(o->problem_ctx, line);
    else if (o->problem) o->problem(o->problem_ctx, line);
}

/* Why the record is none; what is odd is told. */
static const char *look(struct file *f, const struct tw_record *r,
                        const struct tw_place *place)
{
    struct tw_merge *m = f->merge;
    const char *why = tw_record_fault(r);
    int64_t *latest_ns = &f->latest_ns[f->tape ? r->source : 0];
    unsigned *told = m->o.told ? m->o.told : &f->told;
    unsigned odd = why || f->looking ? 0 : tw_record_odd(r, latest_ns, told);
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT], words[TW_ODD_TEXT];

    if (!odd) return why;
    snprintf(text, sizeof text, "%s: %s", tw_place_text(place, where),
             tw_odd_text(odd, r, *latest_ns, words));
    note(f, text);
    return NULL;
}

static bool is_sound(struct file *f, const struct tw_record *r)
{
    return !f->looking
        && tw_record_is_sound(r, &f->latest_ns[f->tape ? r->source : 0]);
}

/* The `check` of the codec of CSV. */
static const char *check(void *ctx, const struct tw_record *r, uint64_t line)
{
    if (is_sound(ctx, r)) return NULL;
    return look(ctx, r, &(struct tw_place){ .line = line });
}

/* Does it stay?  If not, it is told why. */
static bool passes(struct file *f, const struct tw_record *r,
                   const struct tw_place *place)
{
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT];
    const char *why = look(f, r, place);

    if (!why) return true;
    snprintf(text, sizeof text, "%s: %s", tw_place_text(place, where), why);
    on_problem(f, text);
    return false;
}

static bool is_wanted(const struct tw_merge *m, const struct tw_record *r)
{
    int64_t at = tw_record_at(r);

    return at >= m->o.from_ns && at < m->o.to_ns;
}

/* The `full` of a text's batch. */
static void keep(struct tw_batch *b)
{
    struct file *f = b->owner;

    if (f->n + b->n > f->cap) {
        struct tw_record *r = tw_grow(f->r, &f->cap, f->n + b->n, sizeof *r);

        if (r) f->r = r;
        else f->failed = UV_ENOMEM;
    }
    for (unsigned i = 0; i < b->n && f->failed == 0; i++) {
        if (is_wanted(f->merge, &b->r[i])) f->r[f->n++] = b->r[i];
    }
    b->n = 0;
}

/* FIX has no lines: the number of the message tells. */
static void keep_checked(struct tw_batch *b)
{
    unsigned n = b->n;

    b->n = 0;
    for (unsigned i = 0; i < n; i++)
        if (passes(b->owner, &b->r[i], &(struct tw_place){
                .message = b->r[i].source_seq }))
            b->r[b->n++] = b->r[i];
    keep(b);
}

/* Of a tape's block what can be. */
static void check_block(struct file *f)
{
    struct tw_tape_block *b = &f->block;
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (!is_sound(f, &b->r[i])
            && !passes(f, &b->r[i], &(struct tw_place){
                   .record = b->r[i].seq, .block = b->span->at })) continue;
        if (n < i) b->r[n] = b->r[i];
        n++;
    }
    b->n = n;
}

static void close_file(struct file *f)
{
    if (!f) return;
    if (f->codec) f->codec->ops->free(f->codec);
    tw_scan_close(&f->scan);
    tw_tape_reader_close(f->reader);
    tw_tape_file_close(f->tape);
    for (int type = 0; type < TW_TAPE_NAME_TYPES; type++) tw_free(f->map[type]);
    tw_free(f->r);
    tw_free(f);
}

/* What the reader of tape files says, which names the file. */
static void damaged(const struct file *f, const char *text)
{
    const struct tw_merge_options *o = &f->merge->o;

    f->merge->stats.problems++;
    if (o->problem) o->problem(o->problem_ctx, text);
}

/* It was not closed: it is read as far as it is whole. */
static void tell_cut(struct file *f)
{
    char text[300];

    tw_tape_cut_text(tw_tape_file_info(f->tape), text, sizeof text);
    if (f->merge->o.note) note(f, text);
    else on_problem(f, text);
}

static int open_tape(struct file *f, struct tw_error *error)
{
    const struct tw_merge_options *o = &f->merge->o;
    const char *path = f->input->path;

    f->tape = tw_tape_file_open_part(path, f->input->bytes,
                                     o->skip ? TW_TAPE_TOLERANT : 0, error);
    if (!f->tape) return error->code;
    if (error->code < 0) damaged(f, error->text);
    if (!tw_tape_file_info(f->tape)->closed && !f->input->bytes) tell_cut(f);
    f->reader = tw_tape_reader_open(f->tape, o->from_ns, o->to_ns, error);
    return f->reader ? map_names(f, error) : error->code;
}

static int open_text(struct file *f, struct tw_error *error)
{
    const struct tw_merge_input *in = f->input;
    struct tw_csv_options csv = in->csv;
    char name[TW_NAME_MAX + 1];
    uint8_t source = (uint8_t)source_of(f->merge, in->source);
    int rc = tw_scan_open(&f->scan, in->path, in->member, error);

    if (rc < 0) return rc;
    f->batch.full = keep;
    f->batch.owner = f;
    if (in->fix || (f->scan.n > 1 && memcmp(f->scan.bytes, "8=", 2) == 0)) {
        f->batch.full = keep_checked;
        f->codec = tw_fix_decoder_new(&(struct tw_fix_options){
            .symbols = f->merge->names.symbols, .source = source, .is_log = true,
            .problem = on_problem, .problem_ctx = f });
        return f->codec ? TW_OK : tw_fail(error, UV_ENOMEM, "no memory for a decoder");
    }
    csv.symbols = f->merge->names.symbols;
    csv.source = source;
    csv.problem = on_problem;
    csv.problem_ctx = f;
    csv.check = check;
    if (tw_scan_lacks_symbol(&f->scan, &csv)) csv.symbol = tw_scan_symbol(in->path, name);
    f->codec = tw_csv_decoder_new(&csv, error);
    return f->codec ? TW_OK : error->code;
}

/* The next block of a tape that has a record. */
static int fill_block(struct file *f, struct tw_error *error)
{
    bool skips = f->merge->o.skip;
    struct tw_error why;
    int rc;

    do {
        rc = tw_tape_reader_next(f->reader, &f->block, &why);
        if (rc == 1) check_block(f);
        if (rc == TW_EFORMAT && skips) damaged(f, why.text);
    } while (rc == 1 ? f->block.n == 0 : rc == TW_EFORMAT && skips);
    f->n = rc == 1 ? f->block.n : 0;
    if (rc < 0) *error = why;
    return rc;
}

/* Until it has a record: 1, 0: it is at its end, or negative. */
static int fill(struct file *f, struct tw_error *error)
{
    int rc;

    if (f->next < f->n) return 1;
    f->next = f->n = 0;
    if (f->tape) return fill_block(f, error);
    while (f->n == 0 && !f->over) {
        rc = tw_scan_step(&f->scan, f->codec, 0, &f->batch, error);
        if (is_many(f->merge)) tw_input_park(f->scan.in);
        if (rc < 0) return rc;
        f->over = rc == 0;
        f->batch.full(&f->batch);
        if (f->failed)
            return tw_fail(error, f->failed, "%s: no memory", f->input->path);
    }
    return f->n > 0;
}

static int open_file(struct tw_merge *m, size_t i, struct tw_error *error)
{
    struct file *f = tw_calloc(1, sizeof *f);

    if (!f) return tw_fail(error, UV_ENOMEM, "no memory to open %.300s",
                           m->o.inputs[i].path);
    m->files[i] = f;
    f->merge = m;
    f->input = &m->o.inputs[i];
    f->last_ns = INT64_MIN;
    for (int source = 0; source <= TW_SOURCE_MAX; source++)
        f->latest_ns[source] = INT64_MIN;
    return tw_tape_file_is(f->input->path) ? open_tape(f, error) : open_text(f, error);
}

static struct tw_record *head_of(const struct file *f)
{
    return (f->tape ? f->block.r : f->r) + f->next;
}

/* M2: may it be read from its beginning once more? */
static bool may_sleep(const struct tw_merge *m, size_t i)
{
    struct stat st;

    return is_many(m) && m->o.inputs[i].starts_ns == INT64_MIN && !m->files[i]->tape
        && stat(m->o.inputs[i].path, &st) == 0 && S_ISREG(st.st_mode);
}

static void shut(struct tw_merge *m, size_t i)
{
    close_file(m->files[i]);
    m->files[i] = NULL;
}

/* M2.  The time of its first record: 1; 0: there is none; or negative. */
static int look_ahead(struct tw_merge *m, size_t i, int64_t *time, struct tw_error *error)
{
    bool again;
    int rc;

    m->looked[i] = true;
    m->files[i]->looking = true;
    rc = fill(m->files[i], error);
    if (rc > 0) *time = head_of(m->files[i])->time;
    again = rc == 0 && m->files[i]->flawed;         /* to be told, by who reads it */
    if (again) *time = INT64_MIN;
    if (rc >= 0) shut(m, i);
    return again ? 1 : rc;
}

/* After the first file was opened or gave a record. */
static int settle(struct tw_merge *m, struct tw_error *error)
{
    size_t i = m->heap[0].input;
    bool looks = !m->looked[i] && may_sleep(m, i);
    int rc = looks ? look_ahead(m, i, &m->heap[0].time, error)
                   : fill(m->files[i], error);

    if (rc < 0) return rc;
    if (rc > 0 && !looks) {
        m->heap[0].time = head_of(m->files[i])->time;
    } else if (rc == 0) {
        shut(m, i);
        m->heap[0] = m->heap[--m->n];
    }
    sink(m, 0);
    return TW_OK;
}

/* ---- all of them ---- */

struct tw_merge *tw_merge_open(const struct tw_merge_options *options,
                               struct tw_error *error)
{
    struct tw_merge *m = tw_calloc(1, sizeof *m);

    if (!m) goto no_memory;
    m->o = *options;
    m->names.symbols = m->o.symbols ? m->o.symbols : tw_symbols_new(TW_SYMBOL_MAX);
    m->names.topics = tw_names_new(TOPICS_MAX);
    m->names.scripts = tw_names_new(TOPICS_MAX);
    m->files = tw_calloc(m->o.n + 1, sizeof *m->files);
    m->twins = tw_twins_new();
    m->heap = tw_calloc(m->o.n + 1, sizeof *m->heap);
    m->looked = tw_calloc(m->o.n + 1, sizeof *m->looked);
    if (!m->names.symbols || !m->names.topics || !m->names.scripts || !m->files
        || !m->twins || !m->heap || !m->looked) goto no_memory;
    for (size_t i = 0; i < m->o.n; i++) {
        m->heap[i] = (struct place){ m->o.inputs[i].starts_ns, i };
        if (m->heap[i].time > INT64_MIN) continue;
        if (open_file(m, i, error) < 0) goto fail;
        if (may_sleep(m, i)) shut(m, i);
    }
    m->n = m->o.n;
    for (size_t i = m->n / 2; i-- > 0;) sink(m, i);   /* M1 */
    return m;

no_memory:
    tw_fail(error, UV_ENOMEM, "no memory to read");
fail:
    tw_merge_close(m);
    return NULL;
}

void tw_merge_close(struct tw_merge *m)
{
    if (!m) return;
    for (size_t i = 0; m->files && i < m->o.n; i++) close_file(m->files[i]);
    for (int i = 0; i <= TW_SOURCE_MAX; i++) tw_free(m->own[i]);
    if (!m->o.symbols) tw_symbols_free(m->names.symbols);
    tw_names_free(m->names.topics);
    tw_names_free(m->names.scripts);
    tw_twins_free(m->twins);
    tw_free(m->files);
    tw_free(m->heap);
    tw_free(m->looked);
    tw_free(m);
}

/* The next one of all, and its file; as tw_merge_next. */
static int advance(struct tw_merge *m, struct file **out, struct tw_error *error)
{
    struct file *f;

    for (;;) {
        int rc = TW_OK;

        if (m->n == 0) return 0;
        f = m->files[m->heap[0].input];
        if (f && !m->given && f->next < f->n) break;
        if (!f) rc = open_file(m, m->heap[0].input, error);
        else if (m->given) f->next++;
        m->given = false;
        if (rc == TW_OK) rc = settle(m, error);
        if (rc < 0) return rc;
    }
    m->given = true;
    *out = f;
    return 1;
}

/* It is told, and true: the bar was there already; UV_ENOMEM. */
static int is_twin(struct tw_merge *m, struct file *f, const struct tw_record *r)
{
    char text[TW_TWIN_TEXT];
    int rc;

    if (r->kind != TW_BAR || !tw_resolutions_have(&m->o.only, r)) return 0;
    rc = tw_twins_look(m->twins, r, &m->place, m->names.symbols, text);
    if (rc > 0) on_problem(f, text);
    return rc;
}

int tw_merge_next(struct tw_merge *m, struct tw_record **r, const char **value, size_t *n,
                  struct tw_error *error)
{
    struct file *f;
    int rc;

    do {
        rc = advance(m, &f, error);
        if (rc <= 0) return rc;
        *r = head_of(f);
        m->place = (struct tw_place){ .path = f->input->path };
        if (!f->tape) m->place.line = (uint64_t)(*r)->received;
        else m->place.record = (*r)->seq, m->place.block = f->block.span->at;
        if (f->tape) map_record(f, *r);
        else (*r)->received = (*r)->time;
        rc = is_twin(m, f, *r);
    } while (rc > 0);
    if (rc < 0) return tw_fail(error, rc, "no memory for bars of one time");
    *value = NULL;
    *n = 0;
    if (f->tape && (*r)->kind == TW_MESSAGE
        && (*r)->message.value_kind == TW_VALUE_BLOCK)
        *value = tw_tape_value(&f->block, *r, n);
    (*r)->seq = ++m->stats.records;
    m->stats.backwards += (*r)->time < f->last_ns;
    f->last_ns = (*r)->time;
    return 1;
}

size_t tw_merge_more(struct tw_merge *m)
{
    struct file *f = m->files[m->heap[0].input];
    struct tw_record *r = head_of(f);
    size_t n = 0, left = m->o.n == 1 && f->tape ? f->n - f->next - 1 : 0;
    int rc = 0;

    for (; n < left && rc == 0; n++) {
        const struct tw_record *next = &r[n + 1];

        if ((next->kind != TW_QUOTE && next->kind != TW_TRADE && next->kind != TW_BAR)
            || next->time < r[n].time) break;
        m->place.record = next->seq;
        map_record(f, &r[n + 1]);
        rc = is_twin(m, f, next);
    }
    f->next += rc < 0 ? n - 1 : n;
    n -= rc != 0;
    m->stats.records += n;
    f->last_ns = r[n].time;
    return n;
}

const struct tw_place *tw_merge_place(const struct tw_merge *m)
{
    return &m->place;
}

const char *tw_merge_dictionary(void *merge, const char *topic)
{
    struct tw_merge *m = merge;

    for (size_t i = 0; i < m->o.n; i++) {
        const struct tw_tape_file *f = m->files[i] ? m->files[i]->tape : NULL;
        uint32_t last = f ? tw_tape_file_names(f, TW_TAPE_TOPIC) : 0;

        for (uint32_t id = 1; id <= last; id++) {
            const char *name = tw_tape_file_name(f, TW_TAPE_TOPIC, id).text;
            const char *text = tw_tape_file_name(f, TW_TAPE_DICTIONARY, id).text;

            if (name && text && strcmp(name, topic) == 0) return text;
        }
    }
    return NULL;
}

const struct tw_merge_names *tw_merge_names(const struct tw_merge *m)
{
    return &m->names;
}

struct tw_merge_stats tw_merge_stats(const struct tw_merge *m)
{
    return m->stats;
}

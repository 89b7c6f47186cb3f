/* history_tape.c - what a history takes of tape files: of a market, and messages.
 *
 * Invariants: see history.c.
 */
#include "feed/history_parts.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "feed/fault.h"

static bool has_time(const struct tw_record *r)
{
    return r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR
        || r->kind == TW_TIMER || r->kind == TW_LEVEL || r->kind == TW_STATUS;
}

/* What scripts that are here said when it was recorded, they say again. */
static bool is_heard(const struct source *s, const struct tw_record *r)
{
    const struct tw_names *scripts = tw_merge_names(s->merge)->scripts;

    if (!s->of->topics || r->message.topic == 0) return false;
    return r->message.script == 0
        || !s->of->is_own(s->of->ctx, tw_names_get(scripts, r->message.script));
}

/* What a market is made of, its timer marks where no others are made, gaps in it, and
 * messages. */
static bool is_wanted(const struct source *s, const struct tw_record *r)
{
    if (r->kind == TW_MESSAGE) return is_heard(s, r);
    if (r->kind == TW_GAP) return true;
    return has_time(r) && (r->kind != TW_TIMER || !s->of->timers);
}

/* With the names of the caller, in event time. */
static int take_message(struct source *s, struct tw_record *r, struct tw_error *error)
{
    const char *topic = tw_names_get(tw_merge_names(s->merge)->topics, r->message.topic);
    int64_t id = tw_names_intern(s->of->topics, topic, strlen(topic));

    if (id < 0)
        return tw_fail(error, (int)id, "%.300s: topic '%s': %s", s->path, topic,
                       tw_strerror((int)id));
    if (s->last_ns > INT64_MIN) r->time = s->last_ns;
    r->message.topic = (uint32_t)id;
    r->message.script = 0;
    r->source = 0;
    return 1;
}

/* Who recorded it was too slow for the market, or its feed missed something. */
static void note_gap(struct source *s, const struct tw_record *r)
{
    const struct tw_sources *sources = &tw_merge_names(s->merge)->sources;
    char text[TW_FAULT_TEXT];

    s->gap = true;
    if (r->source)
        snprintf(text, sizeof text, "feed %.60s missed something: see on_gap",
                 tw_sources_name(sources, r->source));
    else
        snprintf(text, sizeof text, "%llu records are missing from record %llu on: it has"
                 " been recorded with gaps", (unsigned long long)r->gap.lost,
                 (unsigned long long)r->gap.first);
    tw_history_note(s, text);
}

static void on_tape_problem(void *ctx, const char *text)
{
    struct tw_history *h = ctx;

    if (h->stopped || h->finding) return;
    snprintf(h->why, sizeof h->why, "%s", text);
    h->stopped = !h->problem(h->ctx, h->why);
}

/* That it is not closed is no harm: it has all up to there; nor is what is odd. */
static void on_note(void *ctx, const char *text)
{
    struct tw_history *h = ctx;

    if (!h->finding && !h->stopped) h->note(h->ctx, text);
}

static int open_merge(struct source *s, struct tw_error *error)
{
    struct tw_history *h = s->of;

    s->merge = tw_merge_open(&(struct tw_merge_options){
        .inputs = &s->input, .n = 1, .symbols = h->symbols,
        .from_ns = s->since_ns ? s->since_ns : INT64_MIN,
        .to_ns = INT64_MAX, .only = h->only, .skip = true,
        .problem = on_tape_problem, .note = on_note, .problem_ctx = h,
        .told = h->finding ? NULL : &h->told }, error);
    if (s->merge && h->stopped) return tw_fail(error, TW_EFORMAT, "%s", h->why);
    return s->merge ? TW_OK : error->code;
}

/* What was before the first record is of its time: its own is of a clock on the wall. */
static int find_first(struct source *s, struct tw_error *error)
{
    struct tw_merge *own = s->merge;
    struct tw_record *r;
    int rc;

    s->found = true;
    s->of->finding = true;
    rc = open_merge(s, error);
    while (rc >= 0
           && (rc = tw_merge_next(s->merge, &r, &s->value, &s->n_value, error)) > 0
           && !has_time(r)) { }
    s->of->finding = false;
    if (rc > 0) s->last_ns = r->time;
    tw_merge_close(s->merge);
    s->merge = own;
    return rc;
}

/* Its source has the number that it has in the history. */
static bool name_source(struct source *s, struct tw_record *r)
{
    const struct tw_sources *names = &tw_merge_names(s->merge)->sources;
    uint8_t *id = &s->ids[r->source];

    if (*id == 0 && r->source) {
        const char *name = tw_sources_name(names, r->source);

        *id = strcmp(name, TW_BOOK) == 0 ? TW_HISTORY_BOOK
            : tw_history_source_of(s->of, name);
        if (*id == 0) return false;
    }
    r->source = *id;
    return true;
}

/* It is in hand, with those of the market behind it. */
static int take_run(struct source *s, struct tw_record *r, struct tw_error *error)
{
    if (r->kind != TW_GAP) s->end += tw_merge_more(s->merge);
    for (; r < s->end; r++)
        if (!name_source(s, r))
            return tw_fail(error, UV_ENOMEM, "%.300s: %s", s->path,
                           tw_strerror(UV_ENOMEM));
    if (r[-1].kind != TW_GAP) s->last_ns = r[-1].time;
    return 1;
}

static int next_of_tape(struct source *s, struct tw_error *error)
{
    struct tw_record *r;
    int rc;

    do {
        rc = tw_merge_next(s->merge, &r, &s->value, &s->n_value, error);
        if (rc > 0 && r->kind == TW_GAP && !s->gap) note_gap(s, r);
        if (rc > 0 && has_time(r)) s->last_ns = r->time;
    } while (rc > 0 && !is_wanted(s, r));
    if (rc >= 0 && s->of->stopped) rc = tw_fail(error, TW_EFORMAT, "%s", s->of->why);
    if (rc == 0) s->taken = s->bytes;
    if (rc <= 0) return rc;
    s->next = r;
    s->end = r + 1;
    r->seq = tw_merge_place(s->merge)->record;
    if (r->kind == TW_MESSAGE) return take_message(s, r, error);
    if (r->kind == TW_GAP && s->last_ns == INT64_MIN && !s->found
        && find_first(s, error) < 0) return error->code;
    if (r->kind == TW_GAP && s->last_ns > INT64_MIN) r->time = s->last_ns;      /* H1 */
    return take_run(s, r, error);
}

static void tell_topics(const struct source *s)
{
    const struct tw_names *topics = tw_merge_names(s->merge)->topics;

    for (uint32_t id = 1; id <= tw_names_count(topics); id++) {
        const char *topic = tw_names_get(topics, id);

        s->of->topic(s->of->ctx, topic, tw_merge_dictionary(s->merge, topic));
    }
}

/* Times of messages are of another clock, so with them all of it is read. */
int tw_history_open_tape(struct source *s, const struct tw_history_file *file,
                         struct tw_error *error)
{
    s->refill = next_of_tape;
    s->input = (struct tw_merge_input){ .path = s->path, .source = "tape",
                                        .bytes = file->bytes, .starts_ns = INT64_MIN };
    s->since_ns = s->of->topics ? 0 : file->since_ns;
    if (!s->of->topics) return open_merge(s, error);
    if (find_first(s, error) < 0 || open_merge(s, error) < 0) return error->code;
    tell_topics(s);
    return TW_OK;
}

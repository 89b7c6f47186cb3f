/* feed_tape.c - a tape file played onto the tape, flat out or at its own times.
 *
 * Why all names are looked up at the beginning: then a record costs an index into a
 * table, and a host without room for them says so before it runs.
 *
 * What is played: quotes, trades, timer marks and gaps; of kinds that this version does
 * not know none.  Messages only where they are asked for; changes of
 * versions and orders never: those belong to the run that recorded them.  A message of a
 * script that runs here is its own again, so it does not get it back.  And where scripts
 * trade in a book here, what came of a book there is not played: they make it anew.
 *
 * Layer host/run.  Thread: open and free MAIN, all else FEED.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "run/feed.h"
#include "run/pace.h"
#include "run/pump.h"
#include "share/cache_image.h"
#include "tape/reader.h"

enum { PIECE = 1024, DOZE = 4096 };   /* records in one turn of the loop */

struct tape {
    struct tw_feed feed;
    struct tw_pump pump;
    struct tw_tape_file *file;
    struct tw_tape_reader *reader;
    struct tw_tape_block block;       /* being played, from `next` on          */
    size_t next;
    struct tw_builder *builder;       /* of values                             */
    struct tw_pace pace;
    uint32_t *map[TW_TAPE_NAME_TYPES];   /* numbers of the file to the host's  */
    uint32_t max[TW_TAPE_NAME_TYPES];
    uint32_t book;                    /* the file's number of such a feed, or 0 */
    int64_t latest_ns[TW_SOURCE_MAX + 1];   /* of each of the file's sources   */
    unsigned told;                    /* of what is odd: see fault.h           */
    char *label;                      /* "PATH: ", before what is wrong in it  */
    struct tw_error damage;           /* of its head or its names; or TW_OK    */
};

/* ---- names ---- */

/* A number for a feed of the recording: from the last down, as feeds of this host take
 * them from the first up. */
static uint32_t source_of(struct tape *t, const char *name)
{
    struct tw_sources *sources = t->feed.o.tape.sources;

    for (unsigned id = TW_SOURCE_MAX; sources && id > TW_SOURCE_MAX / 2; id--) {
        if (strcmp(tw_sources_name(sources, id), "?") == 0)
            tw_sources_set(sources, id, name);
        if (strcmp(tw_sources_name(sources, id), name) == 0) return id;
    }
    return t->feed.index + 1;
}

static uint32_t script_of(const struct tape *t, const char *name)
{
    const struct tw_tape_feed *o = &t->feed.o.tape;

    for (uint32_t id = 1; id <= o->n_scripts; id++)
        if (o->scripts[id] && strcmp(o->scripts[id], name) == 0) return id;
    return 0;
}

static int64_t number_of(struct tape *t, enum tw_tape_name_type type,
                         const struct tw_tape_name *name)
{
    switch (type) {
    case TW_TAPE_SYMBOL:   /* what the app says of it stands */
        return tw_tape_file_intern(t->file, *name, t->feed.io->o.symbols);
    case TW_TAPE_SOURCE: return source_of(t, name->text);
    case TW_TAPE_SCRIPT: return script_of(t, name->text);
    case TW_TAPE_TOPIC:
        return tw_names_intern(t->feed.o.tape.topics, name->text, strlen(name->text));
    default: return 0;
    }
}

static int map_names(struct tape *t, enum tw_tape_name_type type, struct tw_error *error)
{
    uint32_t max = tw_tape_file_names(t->file, type);

    t->map[type] = tw_calloc(max + 1u, sizeof *t->map[type]);
    if (!t->map[type]) return tw_fail(error, UV_ENOMEM, "no memory for a feed");
    t->max[type] = max;
    for (uint32_t id = 1; id <= max; id++) {
        struct tw_tape_name name = tw_tape_file_name(t->file, type, id);
        int64_t to = name.text ? number_of(t, type, &name) : 0;

        if (type == TW_TAPE_SOURCE && name.text && strcmp(name.text, TW_BOOK) == 0)
            t->book = id;
        if (to < 0)
            return tw_fail(error, (int)to, "%s: '%s': %s", tw_tape_file_path(t->file),
                           name.text, tw_strerror((int)to));
        t->map[type][id] = (uint32_t)to;
    }
    return TW_OK;
}

static uint32_t mapped(const struct tape *t, enum tw_tape_name_type type, uint32_t id,
                       uint32_t otherwise)
{
    uint32_t to = id <= t->max[type] ? t->map[type][id] : 0;

    return to ? to : otherwise;
}

/* ---- records ---- */

static bool is_played(const struct tape *t, const struct tw_record *r)
{
    if (t->book && r->source == t->book && t->feed.io->book) return false;
    switch (r->kind) {
    case TW_NONE: case TW_ORDER: case TW_RELOAD: return false;
    case TW_MESSAGE: return t->feed.o.tape.messages;
    default: return r->kind < TW_KINDS;
    }
}

/* One that can't be is told of, and left out.  Its symbol is the host's already, by which
 * gaps are named; its source is still the file's. */
static bool TW_ON(FEED) passes(struct tape *t, const struct tw_record *r)
{
    const struct tw_place place = { .path = t->feed.o.path, .record = r->seq,
                                    .block = t->block.span->at };
    const char *why = tw_feed_look(&t->feed, r, &place, &t->latest_ns[r->source],
                                   &t->told, t->label);
    char text[TW_FAULT_TEXT], where[TW_PLACE_TEXT];

    if (!why) return true;
    snprintf(text, sizeof text, "%s: %s", tw_place_text(&place, where), why);
    tw_feed_problem(&t->feed, t->label, text);
    return false;
}

static void TW_ON(FEED) give_up(struct tape *t, int code)
{
    tw_feed_finish(&t->feed, TW_FEED_FAILED, "%s: a value that cannot be read: %s",
                   tw_tape_file_path(t->file), tw_strerror(code));
}

/* A message with its value, which belongs to the tape once it is there. */
static void TW_ON(FEED) play_message(struct tape *t, struct tw_record *r)
{
    uint64_t before = tw_counter_get(&t->feed.records);
    struct tw_any value = { .kind = r->message.value_kind };
    struct tw_image_view view;
    int rc;

    r->message.topic = mapped(t, TW_TAPE_TOPIC, r->message.topic, 0);
    r->message.script = mapped(t, TW_TAPE_SCRIPT, r->message.script, 0);
    if (value.kind == TW_VALUE_BLOCK) {
        view.p = tw_tape_value(&t->block, r, &view.n);
        rc = tw_image_read(&view, t->builder, &value);
        if (rc < 0) {
            give_up(t, rc);
            return;
        }
        r->message.value_kind = value.kind;
        r->message.value.integer = value.integer;
    }
    tw_feed_append(&t->feed, r, 1);
    if (tw_counter_get(&t->feed.records) == before) tw_any_unref(&value);
}

/* Plays what is due of the block, a piece at most; how long until the next is. */
static int64_t TW_ON(FEED) play(struct tape *t)
{
    int64_t now = tw_clock_steady_ns(), wait_ns = 0;
    size_t piece = tw_feed_turn(&t->feed, t->pace.speed > 0, PIECE);
    size_t end = t->block.n - t->next < piece ? t->block.n : t->next + piece;

    tw_feed_began(&t->feed, now);
    for (; t->next < end && !t->feed.over; t->next++) {
        struct tw_record *r = &t->block.r[t->next];

        if (!is_played(t, r)) continue;
        wait_ns = tw_pace_wait(&t->pace, r->time, now);
        if (wait_ns > 0) break;
        r->symbol = mapped(t, TW_TAPE_SYMBOL, r->symbol, 0) & TW_SYMBOL_MAX;
        if (!passes(t, r)) continue;
        if (r->kind != TW_GAP || r->source > 0)   /* else it is of all */
            r->source = mapped(t, TW_TAPE_SOURCE, r->source, t->feed.index + 1) & 255;
        if (r->kind == TW_MESSAGE) {
            if (t->feed.batch.n > 0) tw_feed_full(&t->feed.batch);
            play_message(t, r);
        } else {
            *tw_batch_next(&t->feed.batch) = *r;
        }
    }
    tw_feed_flush(&t->feed);
    return wait_ns;
}

static int64_t step(void *arg)
{
    struct tape *t = arg;
    struct tw_error error;
    int rc;

    tw_be_feed();
    if (t->next < t->block.n) return play(t);
    t->next = t->block.n = 0;
    rc = tw_tape_reader_next(t->reader, &t->block, &error);
    if (rc == 1) return 0;
    t->block.n = 0;
    if (rc == 0) {
        tw_feed_finish(&t->feed, TW_FEED_ENDED, "ended");
    } else if (rc == TW_EFORMAT && t->feed.o.tape.skip) {
        tw_log_printf(t->feed.io->o.log, TW_LOG_WARN, t->feed.who, "%s", error.text);
    } else {
        tw_feed_finish(&t->feed, TW_FEED_FAILED, "%s", error.text);
    }
    return 0;
}

/* ---- beginning and end ---- */

static void tell_topics(const struct tape *t)
{
    const struct tw_tape_feed *o = &t->feed.o.tape;

    for (uint32_t id = 1; id <= t->max[TW_TAPE_TOPIC]; id++) {
        const char *topic = tw_tape_file_name(t->file, TW_TAPE_TOPIC, id).text;

        if (topic)
            o->topic(o->topic_ctx, topic,
                     tw_tape_file_name(t->file, TW_TAPE_DICTIONARY, id).text);
    }
}

static int tape_open(struct tw_feed *feed, struct tw_error *error)
{
    struct tape *t = (struct tape *)feed;
    const struct tw_tape_feed *o = &feed->o.tape;
    size_t n = strlen(feed->o.path) + 3;
    int rc = TW_OK;

    t->file = tw_tape_file_open(feed->o.path, o->skip ? TW_TAPE_TOLERANT : 0, error);
    if (!t->file) return error->code;
    t->damage = *error;
    t->reader = tw_tape_reader_open(t->file, o->from_ns, o->to_ns, error);
    if (!t->reader) return error->code;
    t->builder = tw_builder_new();
    feed->gaps = tw_gaps_new(0);
    t->label = tw_calloc(1, n);
    if (!t->builder || !feed->gaps || !t->label)
        return tw_fail(error, UV_ENOMEM, "no memory for a feed");
    snprintf(t->label, n, "%s: ", feed->o.path);
    for (int type = 1; type < TW_TAPE_NAME_TYPES && rc == TW_OK; type++)
        rc = map_names(t, (enum tw_tape_name_type)type, error);
    for (int source = 0; source <= TW_SOURCE_MAX; source++)
        t->latest_ns[source] = INT64_MIN;
    if (rc == TW_OK && o->topic && o->messages) tell_topics(t);
    t->pace.speed = feed->o.speed;
    return rc;
}

static void tape_start(struct tw_feed *feed)
{
    struct tape *t = (struct tape *)feed;
    const struct tw_tape_info *info = tw_tape_file_info(t->file);
    char cut[300];

    tw_be_feed();
    if (t->pace.speed == 0) {
        size_t half = tw_tape_lead(feed->io->o.tape) / 2;

        feed->doze = half < DOZE ? half : DOZE;
    }
    if (t->damage.code < 0)
        tw_log_printf(feed->io->o.log, TW_LOG_WARN, feed->who, "%s", t->damage.text);
    if (!info->closed) {
        tw_tape_cut_text(info, cut, sizeof cut);
        tw_log_printf(feed->io->o.log, TW_LOG_WARN, feed->who, "%s: %s", feed->o.path,
                      cut);
    }
    tw_feed_enter(feed, TW_FEED_LIVE, "opened");
    tw_pump_start(&t->pump, &feed->io->loop, step, t);
}

static void tape_close(struct tw_feed *feed)
{
    tw_pump_close(&((struct tape *)feed)->pump);
}

static void tape_free(struct tw_feed *feed)
{
    struct tape *t = (struct tape *)feed;

    for (int type = 0; type < TW_TAPE_NAME_TYPES; type++) tw_free(t->map[type]);
    if (t->builder) tw_builder_free(t->builder);
    tw_free(t->label);
    tw_tape_reader_close(t->reader);
    tw_tape_file_close(t->file);
}

const struct tw_feed_ops tw_feed_tape_ops = {
    sizeof(struct tape), tape_open, NULL, tape_start, tape_close, tape_free,
};

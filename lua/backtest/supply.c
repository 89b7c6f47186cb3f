/* supply.c - the records of a backtest, from its data and a warm-up before it.
 *
 * Invariants
 *   S1  A value has one owner: a record of the ring that was not taken, or the tape.
 *   S2  A bar that goes on from one like it is of a resolution that was looked at.
 *   S3  [next, till) are what the history gives next, and of the time that is asked for.
 */
#include "backtest/supply.h"

#include "base/memory.h"
#include "feed/gaps.h"
#include "fix/recorded.h"
#include "share/cache_image.h"
#include "tape/bar.h"

/* Is what was peeked of the ring? */
static bool is_ringed(const struct ltw_backtest *b)
{
    return b->told < b->ringed;
}

static void drop_value(const struct tw_record *r)
{
    if (r->kind == TW_MESSAGE)
        tw_any_unref(&(struct tw_any){ .kind = r->message.value_kind,
                                       .integer = r->message.value.integer });
}

/* The value of a message of the history. */
static int read_value(struct ltw_backtest *b, struct tw_record *r)
{
    struct tw_any value;
    struct tw_image_view view;
    int rc;

    if (r->kind != TW_MESSAGE || r->message.value_kind != TW_VALUE_BLOCK) return TW_OK;
    if (!b->builder && !(b->builder = tw_builder_new()))
        return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    view.p = tw_history_value(b->history, &view.n);
    rc = tw_image_read(&view, b->builder, &value);
    if (rc < 0)
        return tw_fail(&b->error, rc, "the value of a message on %s cannot be read: %s",
                       tw_names_get(b->host.topics, r->message.topic), tw_strerror(rc));
    r->message.value_kind = value.kind;
    r->message.value.integer = value.integer;
    return TW_OK;
}

/* So many records before `from` are kept until it comes. */
static int put_into_ring(struct ltw_backtest *b, const struct tw_record *next)
{
    size_t room = b->o.warmup_records;
    struct tw_record r = *next, *place;

    if (!b->ring && !(b->ring = tw_calloc(room, sizeof *b->ring)))
        return tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    if (read_value(b, &r) < 0) return b->error.code;
    place = &b->ring[b->ringed % room];
    if (b->ringed++ >= room) drop_value(place);
    *place = r;
    return TW_OK;
}

/* The first of the ring that is there. */
static uint64_t first_of(const struct ltw_backtest *b)
{
    uint64_t room = b->o.warmup_records;

    return b->told + room < b->ringed ? b->ringed - room : b->told;
}

/* S3.  What follows r in the array that it is in has no lower time, and where a record
 * belongs (tw_record_at) is less than a day before that. */
static void begin_run(struct ltw_backtest *b, const struct tw_record *r)
{
    const struct ltw_backtest_options *o = &b->o;
    size_t n = tw_history_run(b->history);

    if (n < 2 || !b->opened || b->floor) return;
    if (r->time < INT64_MIN + TW_DAY_NS || r->time - TW_DAY_NS < o->from_ns
        || r[n - 1].time >= o->to_ns) return;
    b->next = r;
    b->till = r + n;
}

const struct tw_record *ltw_supply_find(struct ltw_backtest *b)
{
    const struct ltw_backtest_options *o = &b->o;
    const struct tw_record *r;

    while ((r = tw_history_peek(b->history, &b->error))) {
        int64_t at = tw_record_at(r);

        if (at >= o->to_ns) {
            if (r->time - o->to_ns >= TW_DAY_NS / 2) return NULL;   /* so no other one */
        } else if (at >= o->from_ns || at - o->from_ns >= -o->warmup_ns) {
            if (!b->floor || r->source != TW_HISTORY_BOOK) break;
        } else if (o->warmup_records > 0 && r->kind != TW_TIMER
                   && put_into_ring(b, r) < 0) {
            return NULL;
        }
        tw_history_take(b->history);
    }
    if (r && !is_ringed(b)) begin_run(b, r);
    if (!r || !is_ringed(b)) return r;
    b->told = first_of(b);
    return &b->ring[b->told % o->warmup_records];
}

int ltw_supply_value(struct ltw_backtest *b, struct tw_record *r)
{
    return is_ringed(b) ? TW_OK : read_value(b, r);
}

void ltw_supply_undo(struct ltw_backtest *b, const struct tw_record *r)
{
    if (!is_ringed(b)) drop_value(r);
}

static TW_APART int look_for_gap(struct ltw_backtest *b, const struct tw_record *r)
{
    struct tw_place place = tw_history_place(b->history);

    return tw_gaps_look(b->gaps, r, &place);
}

void ltw_supply_take(struct ltw_backtest *b, const struct tw_record *r)
{
    bool counts, goes_on;

    if (is_ringed(b)) {
        b->told++;
        return;
    }
    counts = b->gaps && (r->kind == TW_BAR || b->gaps_of_ticks);
    goes_on = counts && tw_gaps_goes_on(b->gaps, r);
    if ((counts && !goes_on && look_for_gap(b, r) < 0)
        || (b->mix && !goes_on && tw_mix_look(b->mix, r) < 0))         /* S2 */
        tw_fail(&b->error, UV_ENOMEM, "not enough memory");
    tw_history_take(b->history);
    if (b->next < b->till) b->next++;
}

void ltw_supply_free(struct ltw_backtest *b)
{
    for (uint64_t i = first_of(b); i < b->ringed; i++)
        drop_value(&b->ring[i % b->o.warmup_records]);
    tw_free(b->ring);
    if (b->builder) tw_builder_free(b->builder);
    ltw_recorded_free(b->host.recorded);
}

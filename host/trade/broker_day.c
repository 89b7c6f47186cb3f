/* broker_day.c - time that passes between records, and the day of UTC in which a broker
 * counts losses, also over runs. */
#include "trade/broker_parts.h"

#include <uv.h>

void tw_broker_now(const struct tw_broker *b, int64_t *time_ns, uint64_t *seq)
{
    *time_ns = b->now_ns;
    *seq = b->seq;
}

int64_t tw_broker_read_ns(const struct tw_broker *b)
{
    return b->read_ns;
}

void tw_broker_go_on(struct tw_broker *b, int64_t now_ns)
{
    if (!b->begun || now_ns <= b->now_ns) return;
    b->now_ns = now_ns;
    if (now_ns > b->clock_ns) b->clock_ns = now_ns;
    if (now_ns <= b->day.close_ns) return;
    tw_broker_begin_day(b, now_ns);
    tw_broker_resume(b);
}

void tw_broker_pass(struct tw_broker *b, int64_t time_ns, int64_t most_ns)
{
    int64_t now_ns = time_ns;

    if (time_ns > b->passed_ns) b->passed_ns = time_ns;
    if (most_ns <= 0) return;
    if (b->marked_seq != b->seq || b->marked_ns == 0) {
        b->marked_seq = b->seq;
        b->marked_ns = time_ns;
    }
    /* Another clock's, or records come later than a mark does: since the first one. */
    if (time_ns - most_ns > b->clock_ns) now_ns = b->read_ns + (time_ns - b->marked_ns);
    tw_broker_go_on(b, now_ns);
}

/* The day that now_ns is in, or ends: a bar of a day is of that day. */
TW_APART void tw_broker_begin_day(struct tw_broker *b, int64_t now_ns)
{
    const struct tw_position *p;

    tw_broker_catch_up(b);
    for (size_t i = 0; (p = tw_account_at(b->account, i)) != NULL; i++)
        tw_account_settle(b->account, tw_account_find(b->account, p->symbol));
    tw_calendar_session(NULL, now_ns - 1, &b->day);
    b->day_equity = tw_broker_made(b);
}

int64_t tw_broker_day(const struct tw_broker *b, tw_money *made)
{
    *made = b->day_equity;
    return b->day.close_ns;
}

void tw_broker_set_day(struct tw_broker *b, int64_t close_ns, tw_money made)
{
    b->day.close_ns = close_ns;
    b->day_equity = made;
}

int tw_broker_book_late(struct tw_broker *b, const struct tw_order *o,
                        const struct tw_report *r)
{
    if (r->time_ns > b->day.close_ns) tw_broker_begin_day(b, r->time_ns);
    tw_broker_book(b, o->symbol, o->terms, tw_order_sign(o), r);
    return b->lost ? UV_ENOMEM : TW_OK;
}

void tw_broker_resume(struct tw_broker *b)
{
    if (tw_broker_desk(b) && b->o.desk->limits.daily_loss) tw_broker_tell_loss(b);
}

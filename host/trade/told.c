/* told.c - a broker's reports, in the order in which things happened. */
#include "trade/told.h"

#include <uv.h>

#include "base/memory.h"

int tw_told_grow(struct tw_told_ring *r, size_t more)
{
    size_t room = r->room ? r->room : 16;
    struct tw_told *grown;

    while (room < r->n + more) room *= 2;
    grown = tw_calloc(room, sizeof *grown);
    if (!grown) return UV_ENOMEM;
    for (size_t i = 0; i < r->n; i++) grown[i] = *tw_told_at(r, i);
    tw_free(r->item);
    r->item = grown;
    r->room = room;
    r->first = 0;
    return TW_OK;
}

void tw_told_record(const struct tw_told *t, uint32_t script, struct tw_record *out)
{
    bool is_trade = tw_report_is_trade(&t->report);
    const struct tw_order *o = t->order;

    *out = (struct tw_record){ .kind = TW_ORDER, .time = t->report.time_ns,
                               .symbol = o->symbol };
    out->execution = (struct tw_execution){ .order = o->id, .exec = t->report.exec,
        .price = is_trade ? t->report.last_px : o->price,
        .quantity = is_trade ? t->report.last_qty : o->quantity,
        .status = t->status, .side = o->side,
        .reason = t->report.reason, .script = script };
}

struct tw_report tw_told_read(const struct tw_record *r, const struct tw_order *o)
{
    const struct tw_execution *e = &r->execution;
    struct tw_report out = { .order = e->order, .exec = e->exec, .reason = e->reason,
                             .time_ns = r->time, .seq = r->seq, .taped = true };

    if (tw_report_is_trade(&out)) {
        out.last_px = e->price;
        out.last_qty = e->quantity;
    } else if (o) {
        out.price = e->price;
        out.quantity = e->quantity;
        out.stop = o->stop;
    }
    return out;
}

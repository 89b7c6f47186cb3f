/* journal.c - what a backtest keeps of a script's trading: its orders and its trades. */
#include "backtest/journal.h"

#include <string.h>

#include "base/memory.h"

struct ltw_journal *ltw_journal_new(uint32_t script)
{
    struct ltw_journal *j = tw_calloc(1, sizeof *j);

    if (!j) return NULL;
    j->script = script;
    j->trades = tw_ledger_new();
    if (j->trades) return j;
    ltw_journal_free(j);
    return NULL;
}

void ltw_journal_free(struct ltw_journal *j)
{
    if (!j) return;
    for (size_t i = 0; i < j->n; i++) tw_free(j->entry[i].label);
    tw_free(j->entry);
    tw_ledger_free(j->trades);
    tw_free(j);
}

static char *copy_label(struct ltw_journal *j, const char *text)
{
    size_t n = text ? strlen(text) : 0;
    char *label = text ? tw_calloc(1, n + 1) : NULL;

    if (!label) return NULL;
    j->labels += n + 1;
    return memcpy(label, text, n);
}

/* The first one whose id is not below that: they come in the order of their ids, and most
 * that is told is of the newest. */
static size_t index_of(const struct ltw_journal *j, uint64_t id)
{
    size_t i = 0, end = j->n;

    if (end > 0 && j->entry[end - 1].id <= id) return end - (j->entry[end - 1].id == id);
    while (i < end) {
        size_t middle = i + (end - i) / 2;

        if (j->entry[middle].id < id) i = middle + 1;
        else end = middle;
    }
    return i;
}

/* Where the order is, or will be.  NULL: no memory. */
static struct ltw_entry *find(struct ltw_journal *j, const struct tw_order *o)
{
    size_t i = index_of(j, o->id);

    if (i < j->n && j->entry[i].id == o->id) return &j->entry[i];
    if (j->n == j->room) {
        struct ltw_entry *grown = tw_grow(j->entry, &j->room, j->n + 1, sizeof *grown);

        if (!grown) return NULL;
        j->entry = grown;
    }
    if (i < j->n)
        memmove(&j->entry[i + 1], &j->entry[i], (j->n - i) * sizeof *j->entry);
    j->n++;
    j->entry[i] = (struct ltw_entry){
        .id = o->id, .script = j->script,
        .label = copy_label(j, ((const struct ltw_order *)o)->label),
    };
    return &j->entry[i];
}

void ltw_journal_ended(struct ltw_journal *j, const struct tw_order *o)
{
    size_t i = index_of(j, o->id);

    if (i < j->n && j->entry[i].id == o->id) j->entry[i].has_ended = true;
}

void ltw_journal_forget(struct ltw_journal *j, int64_t till_ns)
{
    size_t n = 0;

    for (size_t i = 0; i < j->n; i++) {
        struct ltw_entry *e = &j->entry[i];

        if (e->time_ns >= till_ns) {
            j->entry[n++] = *e;
        } else if (e->label) {
            j->labels -= strlen(e->label) + 1;
            tw_free(e->label);
        }
    }
    j->n = n;
}

size_t ltw_journal_bytes(const struct ltw_journal *j)
{
    return sizeof *j + j->room * sizeof *j->entry + j->labels
        + tw_ledger_bytes(j->trades);
}

bool ltw_journal_told(struct ltw_journal *j, const struct tw_account *a,
                      const struct tw_told *t)
{
    const struct tw_order *o = t->order;
    struct ltw_entry *e = find(j, o);

    if (!e) return false;
    e->time_ns = o->time_ns;
    e->symbol = o->symbol;
    e->side = o->side;
    e->type = o->type;
    e->tif = o->tif;
    e->status = (uint8_t)tw_order_status(o);
    e->reason = t->report.reason;
    e->quantity = o->quantity;
    e->price = o->price;
    e->stop = o->stop;
    e->filled = o->cum_qty;
    e->fees = tw_order_fees(o);
    if (t->report.exec == TW_EXEC_TRADE) {
        int64_t before = t->position - tw_order_sign(o) * t->report.last_qty;

        e->average = tw_order_avg_px(o);
        j->open += (before == 0 && t->position != 0);
        j->open -= (before != 0 && t->position == 0);
    }
    return t->report.exec != TW_EXEC_TRADE || tw_ledger_told(j->trades, a, t) == TW_OK;
}

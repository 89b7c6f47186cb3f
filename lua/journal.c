/* journal.c - what a backtest keeps of a script's trading: its orders and its trades. */
#include "journal.h"

#include <string.h>

#include "base/memory.h"

struct ltw_journal *ltw_journal_new(uint32_t script)
{
    struct ltw_journal *j = tw_calloc(1, sizeof *j);

    if (!j) return NULL;
    j->script = script;
    j->trips = tw_ledger_new(NULL);
    if (j->trips) return j;
    ltw_journal_free(j);
    return NULL;
}

void ltw_journal_free(struct ltw_journal *j)
{
    if (!j) return;
    for (size_t i = 0; i < j->n; i++) tw_free(j->entry[i].label);
    tw_free(j->entry);
    tw_ledger_free(j->trips);
    tw_free(j);
}

/* Its label is a user value of the order. */
static char *copy_label(lua_State *L, const struct tw_order *o)
{
    const struct ltw_order *own = (const struct ltw_order *)o;
    char *label = NULL;
    const char *text;
    size_t n;

    if (lua_rawgeti(L, LUA_REGISTRYINDEX, own->ref) == LUA_TUSERDATA
        && lua_getiuservalue(L, -1, 1) == LUA_TSTRING) {
        text = lua_tolstring(L, -1, &n);
        label = tw_calloc(1, n + 1);
        if (label) memcpy(label, text, n);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return label;
}

/* Where the order is, or will be; they come in the order of their ids.  NULL: no
 * memory. */
static struct ltw_entry *find(lua_State *L, struct ltw_journal *j,
                              const struct tw_order *o)
{
    size_t i = j->n;

    while (i > 0 && j->entry[i - 1].id > o->id) i--;
    if (i > 0 && j->entry[i - 1].id == o->id) return &j->entry[i - 1];
    if (j->n == j->room) {
        size_t room = j->room ? 2 * j->room : 64;
        struct ltw_entry *grown = tw_realloc(j->entry, room * sizeof *grown);

        if (!grown) return NULL;
        j->entry = grown;
        j->room = room;
    }
    memmove(&j->entry[i + 1], &j->entry[i], (j->n - i) * sizeof *j->entry);
    j->n++;
    j->entry[i] = (struct ltw_entry){
        .id = o->id, .script = j->script, .label = copy_label(L, o),
    };
    return &j->entry[i];
}

bool ltw_journal_told(lua_State *L, struct ltw_journal *j, const struct tw_told *t)
{
    const struct tw_order *o = t->order;
    struct ltw_entry *e = find(L, j, o);

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
    e->average = tw_order_avg_px(o);
    e->fees = o->fees;
    if (t->report.exec == TW_EXEC_TRADE) {
        int64_t before = t->position - tw_order_sign(o) * t->report.last_qty;

        j->open += (before == 0 && t->position != 0);
        j->open -= (before != 0 && t->position == 0);
    }
    return tw_ledger_told(j->trips, t) == TW_OK;
}

/* twin.c - bars that come twice: of one symbol, length, side and time.
 *
 * Why: a folder with a file and its copy, or with years that overlap, would give each bar
 * twice, and what a strategy makes of that looks like a result.
 *
 * Invariants
 *   W1  Known are the bars of now_ns alone: the first, and with more than one all of
 *       them, in slots.  A slot of another time is empty.
 *   W2  At most half of the slots are full.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#include "feed/twin.h"

#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

#include "base/date.h"
#include "base/memory.h"
#include "feed/resolution.h"
#include "tape/bar.h"

enum { ROOM_FIRST = 64 };

struct slot {
    int64_t time;
    uint32_t symbol, key;                 /* key: its length and side */
    uint8_t source;
    struct tw_place place;
};

struct tw_twins {
    int64_t now_ns;
    bool begun;
    struct slot first, *slot;             /* W1 */
    size_t n, room;                       /* n: of now_ns; 0: the first is in no slot */
};

struct tw_twins *tw_twins_new(void)
{
    return tw_calloc(1, sizeof(struct tw_twins));
}

void tw_twins_free(struct tw_twins *t)
{
    if (!t) return;
    tw_free(t->slot);
    tw_free(t);
}

static bool is_empty(const struct tw_twins *t, const struct slot *s)
{
    return !s->place.path || s->time != t->now_ns;
}

/* Where it is, or belongs. */
static struct slot *find(const struct tw_twins *t, const struct slot *bar)
{
    uint64_t both = (uint64_t)bar->symbol << 32 | bar->key;
    size_t i = (size_t)(both * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (t->room - 1);
    struct slot *s;

    for (;; i = (i + 1) & (t->room - 1)) {
        s = &t->slot[i];
        if (is_empty(t, s)) return s;
        if (s->symbol == bar->symbol && s->key == bar->key
            && (s->place.path != bar->place.path || s->source == bar->source)) return s;
    }
}

/* W2 */
static int grow(struct tw_twins *t)
{
    struct tw_twins more = *t;

    more.room = t->room ? 2 * t->room : ROOM_FIRST;
    more.slot = tw_calloc(more.room, sizeof *more.slot);
    if (!more.slot) return UV_ENOMEM;
    for (size_t i = 0; i < t->room; i++)
        if (!is_empty(t, &t->slot[i])) *find(&more, &t->slot[i]) = t->slot[i];
    tw_free(t->slot);
    *t = more;
    return 0;
}

/* The bar that was there, NULL: there was none, and it is known from now on. */
static int add(struct tw_twins *t, const struct slot *bar, const struct slot **was)
{
    struct slot *s;

    *was = NULL;
    if (2 * (t->n + 1) > t->room && grow(t) < 0) return UV_ENOMEM;
    s = find(t, bar);
    if (!is_empty(t, s)) {
        *was = s;
        return 0;
    }
    *s = *bar;
    t->n++;
    return 0;
}

static void tell(const struct slot *s, const struct tw_place *place,
                 const struct tw_symbols *symbols, char text[TW_TWIN_TEXT])
{
    static const char *const sides[] = { "", "bid ", "ask ", "mid " };
    char of[TW_LENGTH_TEXT], stamp[TW_DATE_TEXT], where[TW_PLACE_TEXT], number[40] = "";
    const struct tw_place *p = &s->place;

    if (p->line > 0) snprintf(number, sizeof number, "line %" PRIu64 " of ", p->line);
    else if (p->record > 0)
        snprintf(number, sizeof number, "record %" PRIu64 " of ", p->record);
    snprintf(text, TW_TWIN_TEXT, "%s: a second %sbar of %.63s, of %s to %s; the first is"
             " %s%.150s", tw_place_text(place, where), sides[s->key >> 30],
             tw_symbols_name(symbols, s->symbol),
             tw_length_text(s->key & TW_BAR_SECONDS_MAX, of),
             tw_date_text(s->time, TW_DATE_EXACT, stamp), number, p->path);
}

static struct slot slot_of(const struct tw_record *r, const struct tw_place *place)
{
    return (struct slot){ r->time, r->symbol, r->source_seq, r->source, *place };
}

int tw_twins_look(struct tw_twins *t, const struct tw_record *r,
                  const struct tw_place *place, const struct tw_symbols *symbols,
                  char text[TW_TWIN_TEXT])
{
    const struct slot *was;
    struct slot bar;

    if (r->kind != TW_BAR || tw_bar_seconds(r) == 0) return 0;
    if (!t->begun || r->time != t->now_ns) {
        t->begun = true;
        t->now_ns = r->time;
        t->first = slot_of(r, place);
        t->n = 0;
        return 0;
    }
    bar = slot_of(r, place);
    if ((t->n == 0 && add(t, &t->first, &was) < 0) || add(t, &bar, &was) < 0)
        return UV_ENOMEM;
    if (was) tell(was, place, symbols, text);
    return was != NULL;
}

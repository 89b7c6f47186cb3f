/* ladder.c - a book of prices: bids and offers by level, as records of levels tell of it.
 *
 * Layer host/tape.  Thread: the owner's.
 */
#include "tape/ladder.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"

void tw_ladder_fini(struct tw_ladder *l)
{
    tw_free(l->side[0].at);
    tw_free(l->side[1].at);
    *l = (struct tw_ladder){0};
}

void tw_ladder_clear(struct tw_ladder *l)
{
    l->side[0].n = l->side[1].n = 0;
}

/* Where a price is, or goes: how many levels are worse. */
static uint32_t worse(const struct tw_ladder_side *s, bool offer, int64_t price)
{
    uint32_t low = 0, high = s->n;

    if (high > 8) {   /* most changes are near the best */
        int64_t p = s->at[high - 8].price;

        if (offer ? p > price : p < price) low = high - 7;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t p = s->at[middle].price;

        if (offer ? p > price : p < price) low = middle + 1;
        else high = middle;
    }
    return low;
}

const struct tw_rung *tw_ladder_find(const struct tw_ladder *l, bool offer,
                                     int64_t price)
{
    const struct tw_ladder_side *s = &l->side[offer];
    uint32_t at = worse(s, offer, price);

    return at < s->n && s->at[at].price == price ? &s->at[at] : NULL;
}

static int make_room(struct tw_ladder_side *s)
{
    uint32_t room = s->room ? 2 * s->room : 8;
    void *more;

    if (s->n == TW_LADDER_MAX) return TW_ELIMIT;   /* L2 */
    more = tw_realloc(s->at, room * sizeof *s->at);
    if (!more) return UV_ENOMEM;
    s->at = more;
    s->room = room;
    return TW_OK;
}

int tw_ladder_set(struct tw_ladder *l, bool offer, int64_t price, int64_t size)
{
    struct tw_ladder_side *s = &l->side[offer];
    uint32_t at = worse(s, offer, price);
    int rc;

    if (at == s->n || s->at[at].price != price) {   /* L1 */
        if (s->n == s->room && (rc = make_room(s)) < 0) return rc;
        memmove(s->at + at + 1, s->at + at, (s->n - at) * sizeof *s->at);
        s->n++;
    }
    s->at[at] = (struct tw_rung){ price, size };
    return (int)(s->n - at);
}

uint32_t tw_ladder_remove(struct tw_ladder *l, bool offer, int64_t price)
{
    struct tw_ladder_side *s = &l->side[offer];
    uint32_t at = worse(s, offer, price), place;

    if (at == s->n || s->at[at].price != price) return 0;
    place = s->n - at;
    s->n--;
    memmove(s->at + at, s->at + at + 1, (s->n - at) * sizeof *s->at);
    return place;
}

int tw_ladder_take(struct tw_ladder *l, const struct tw_level *change)
{
    int rc = TW_OK;

    switch (change->change) {
    case TW_LEVEL_CLEAR: tw_ladder_clear(l); break;
    case TW_LEVEL_GONE:  tw_ladder_remove(l, change->offer, change->price); break;
    default:
        rc = tw_ladder_set(l, change->offer, change->price, change->size);
        break;
    }
    return rc < 0 ? rc : TW_OK;
}

/* ---- telling ---- */

static void put(struct tw_ladder_update *u, bool last)
{
    if (!u->has) return;
    u->held.last = last;
    u->put(u->ctx, &u->held);
    u->has = false;
}

static void tell(struct tw_ladder_update *u, struct tw_level change)
{
    put(u, false);
    u->held = change;
    u->has = true;
}

void tw_ladder_tell_clear(struct tw_ladder_update *u, struct tw_ladder *l)
{
    tw_ladder_clear(l);
    tell(u, (struct tw_level){ .change = TW_LEVEL_CLEAR });
}

int tw_ladder_tell_set(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                       struct tw_rung to)
{
    int place = tw_ladder_set(l, offer, to.price, to.size);

    if (place < 0) return place;
    tell(u, (struct tw_level){ .price = to.price, .size = to.size, .offer = offer,
                               .place = (uint32_t)place, .change = TW_LEVEL_SET });
    return TW_OK;
}

void tw_ladder_tell_gone(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                         int64_t price)
{
    uint32_t place = tw_ladder_remove(l, offer, price);

    if (place)
        tell(u, (struct tw_level){ .price = price, .offer = offer, .place = place,
                                   .change = TW_LEVEL_GONE });
}

int tw_ladder_tell_side(struct tw_ladder_update *u, struct tw_ladder *l, bool offer,
                        const struct tw_rung *now, uint32_t n)
{
    uint32_t left = n;
    int rc = TW_OK;

    /* Those that are gone, from the worst on, so that places stay. */
    for (uint32_t place = l->side[offer].n; place > 0; place--) {
        int64_t price = tw_ladder_at(l, offer, place)->price;

        while (left > 0 && (offer ? now[left - 1].price > price
                                  : now[left - 1].price < price))
            left--;
        if (left == 0 || now[left - 1].price != price)
            tw_ladder_tell_gone(u, l, offer, price);
    }
    /* The others are among those that there are now, in the same order. */
    for (uint32_t i = 0; i < n && rc == TW_OK; i++) {
        const struct tw_rung *was = tw_ladder_at(l, offer, i + 1);

        if (!was || was->price != now[i].price || was->size != now[i].size)
            rc = tw_ladder_tell_set(u, l, offer, now[i]);
    }
    return rc;
}

void tw_ladder_tell_end(struct tw_ladder_update *u)
{
    put(u, true);
}

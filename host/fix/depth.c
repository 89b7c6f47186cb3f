/* depth.c - the book of one symbol as market data tells of it.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/depth.h"

#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "base/word.h"

void tw_depth_init(struct tw_depth *d)
{
    *d = (struct tw_depth){ .side[0].bids = true };
}

void tw_depth_fini(struct tw_depth *d)
{
    tw_free(d->side[0].at);
    tw_free(d->side[1].at);
    tw_depth_init(d);
}

void tw_depth_clear(struct tw_depth *d)
{
    for (int i = 0; i < 2; i++) {
        d->side[i].n = 0;
        d->side[i].cut = false;
    }
}

static uint64_t mix(uint64_t h, uint64_t w, uint64_t by)
{
    h = (h ^ w) * by;
    return h ^ h >> 29;
}

struct tw_level_id tw_level_id(struct tw_fix_text t)
{
    struct tw_level_id id = {{0}};
    size_t n = t.n;

    if (n <= 15) {
        memcpy(id.word, t.at, n);
        return id;
    }
    id.word[0] = id.word[1] = n;
    for (size_t at = 0; at < n; at += 8) {
        uint64_t w = n - at < 8 ? tw_word_load_part(t.at + at, n - at)
                                : tw_word_load(t.at + at);

        id.word[0] = mix(id.word[0], w, UINT64_C(0x9e3779b97f4a7c15));
        id.word[1] = mix(id.word[1] ^ w >> 32, w, UINT64_C(0xd6e8feb86659fd93));
    }
    id.word[1] |= UINT64_C(1) << 63 | 1;   /* the 16th byte of a short one is 0 */
    return id;
}

uint32_t tw_depth_find_id(const struct tw_depth_side *s, struct tw_level_id id)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->at[i].id.word[0] == id.word[0] && s->at[i].id.word[1] == id.word[1])
            return i;
    return TW_DEPTH_NONE;
}

/* The first place from which on no price is better than this one; past: nor as good. */
static uint32_t first(const struct tw_depth_side *s, int64_t price, bool past)
{
    uint32_t low = 0, high = s->n;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int64_t p = s->at[middle].price;

        if (p == price ? past : s->bids ? p > price : p < price) low = middle + 1;
        else high = middle;
    }
    return low;
}

uint32_t tw_depth_find_price(const struct tw_depth_side *s, int64_t price)
{
    uint32_t at = first(s, price, false);

    return at < s->n && s->at[at].price == price ? at : TW_DEPTH_NONE;
}

uint32_t tw_depth_place(const struct tw_depth_side *s, int64_t price)
{
    return first(s, price, true);
}

static int make_room(struct tw_depth_side *s, uint32_t max)
{
    uint32_t room = s->room ? 2 * s->room : 8;
    void *more;

    if (room > max) room = max;
    more = tw_realloc(s->at, room * sizeof *s->at);
    if (!more) return UV_ENOMEM;
    s->at = more;
    s->room = room;
    return TW_OK;
}

int tw_depth_insert(struct tw_depth_side *s, uint32_t place,
                    const struct tw_depth_level *l, uint32_t max)
{
    if (s->n >= max) {   /* D1 */
        s->cut = true;
        if (place >= max) return TW_OK;
        s->n = max - 1;
    } else if (s->n == s->room && make_room(s, max) < 0) {
        return UV_ENOMEM;
    }
    if (place > s->n) place = s->n;
    if (place < s->n)
        memmove(s->at + place + 1, s->at + place, (s->n - place) * sizeof *s->at);
    s->at[place] = *l;
    s->n++;
    return TW_OK;
}

void tw_depth_remove(struct tw_depth_side *s, uint32_t place)
{
    s->n--;
    memmove(s->at + place, s->at + place + 1, (s->n - place) * sizeof *s->at);
}

void tw_depth_trim(struct tw_depth_side *s, uint32_t n)
{
    if (s->n > n) s->n = n;
}

int tw_depth_set(struct tw_depth_side *s, int64_t price, int64_t size, uint32_t max)
{
    uint32_t at = tw_depth_find_price(s, price);

    if (at == TW_DEPTH_NONE) {
        struct tw_depth_level l = { .price = price, .size = size };

        return size ? tw_depth_insert(s, tw_depth_place(s, price), &l, max) : TW_OK;
    }
    if (size) s->at[at].size = size;
    else tw_depth_remove(s, at);
    return TW_OK;
}

static void best(const struct tw_depth_side *s, int64_t *price, int64_t *size)
{
    if (s->n == 0) return;
    *price = s->at[0].price;
    for (uint32_t i = 0; i < s->n && s->at[i].price == *price; i++)
        if (__builtin_add_overflow(*size, s->at[i].size, size)) *size = INT64_MAX;
}

struct tw_quote tw_depth_top(const struct tw_depth *d)
{
    struct tw_quote q = {0};

    best(&d->side[0], &q.bid, &q.bid_size);
    best(&d->side[1], &q.ask, &q.ask_size);
    return q;
}

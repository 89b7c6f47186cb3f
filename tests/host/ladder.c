/* ladder.c - attacks L1 and L2 of host/tape/ladder.h: a book against a table. */
#include "tape/ladder.h"

#include <stdlib.h>
#include <uv.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

enum { PRICES = 300 };

static int64_t size_at[2][PRICES];

/* Every level is where the table has it, and found by its price. */
static bool agrees(const struct tw_ladder *l)
{
    for (int side = 0; side < 2; side++) {
        uint32_t place = 0;

        for (int i = 0; i < PRICES; i++) {
            int price = side ? i : PRICES - 1 - i;
            const struct tw_rung *r = tw_ladder_find(l, side, price);

            if (!r != (size_at[side][price] == 0)) return false;
            if (!r) continue;
            if (r != tw_ladder_at(l, side, ++place) || r->size != size_at[side][price]
                || r->price != price)
                return false;
        }
        if (place != l->side[side].n || tw_ladder_at(l, side, place + 1)
            || tw_ladder_at(l, side, 0))
            return false;
    }
    return true;
}

static void random_changes(int n)
{
    struct tw_ladder l = {0};
    bool right = true, places = true;

    for (int i = 0; i < n && right; i++) {
        struct tw_level change = {
            .price = (int64_t)(next() % PRICES), .size = (int64_t)(1 + next() % 9),
            .offer = next() % 2,
        };
        const struct tw_rung *was = tw_ladder_find(&l, change.offer, change.price);
        uint32_t had = was ? l.side[change.offer].n
                             - (uint32_t)(was - l.side[change.offer].at) : 0;
        int64_t *size = &size_at[change.offer][change.price];

        switch (next() % 8) {
        case 0: case 1: case 2:
            change.change = TW_LEVEL_GONE;
            if (i % 2)
                places &= tw_ladder_remove(&l, change.offer, change.price) == had;
            *size = 0;
            break;
        case 3:
            if (next() % 200) continue;
            change.change = TW_LEVEL_CLEAR;
            memset(size_at, 0, sizeof size_at);
            break;
        default:
            places &= tw_ladder_set(&l, change.offer, change.price, change.size)
                      == (int)(l.side[change.offer].n
                               - (tw_ladder_find(&l, change.offer, change.price)
                                  - l.side[change.offer].at));
            *size = change.size;
            break;
        }
        right = tw_ladder_take(&l, &change) == TW_OK && (i % 16 || agrees(&l));
    }
    ok(right && agrees(&l), "L1: %d changes of a book", n);
    ok(places, "places are said as they are");
    ok(tw_ladder_remove(&l, false, PRICES) == 0, "what is not there can't be taken out");
    tw_ladder_fini(&l);
}

static void bounds(void)
{
    struct tw_ladder l = {0};
    int rc = TW_OK;

    tw_memory_fail_at(1);
    rc = tw_ladder_set(&l, true, 1, 1);
    tw_memory_fail_at(0);
    ok(rc == UV_ENOMEM && l.side[1].n == 0, "without memory nothing has changed");
    rc = TW_OK;
    for (int64_t i = 0; i <= TW_LADDER_MAX && rc >= 0; i++)
        rc = tw_ladder_set(&l, true, -i, 1);
    ok(rc == TW_ELIMIT && l.side[1].n == TW_LADDER_MAX, "L2: so many levels, no more");
    ok(tw_ladder_set(&l, true, 0, 2) == TW_LADDER_MAX, "one that is there can change");
    tw_ladder_fini(&l);
    ok(!tw_ladder_at(&l, true, 1), "and then it is empty");
}

int main(void)
{
    random_changes(getenv("SMALL") ? 5000 : 50000);
    bounds();
    return tap_done();
}

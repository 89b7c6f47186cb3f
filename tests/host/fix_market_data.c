/* fix_market_data.c - what the market data of a session becomes: books by price, by
 * position and by id; requests, rejects, gaps; and what in messages is refused. */
#include "fix_md_rig.h"

static const struct tw_fix_md_options all = { .incremental = true };

static void by_price(void)
{
    static const struct step steps[] = {
        { "W 262=@A@|55=A|268=4|269=0|270=1.5|271=100|269=0|270=1.4|271=50|269=1|270=1.6|"
          "271=200|269=1|270=1.7|271=1|", "A 1.5x100 1.6x200" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|270=1.5|", "A 1.4x50 1.6x200" },
        { "X 262=@A@|268=1|279=1|269=1|55=A|270=1.7|271=9|", "" },   /* not the best */
        { "X 262=@A@|268=1|279=2|269=1|55=A|270=1.6|", "A 1.4x50 1.7x9" },
        { "X 262=@A@|268=2|279=0|269=0|55=A|270=1.45|271=7|279=0|269=0|270=1.3|271=8|",
          "A 1.45x7 1.7x9" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.45|271=0|", "A 1.4x50 1.7x9" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1.4|271=51|", "A 1.4x51 1.7x9" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.44|271=3|", "A 1.44x3 1.7x9" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|270=9.99|", "" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|", "" },     /* of three: which? */
        { "X 262=@A@|268=1|279=2|269=1|55=A|", "A 1.44x3 0x0" },
        /* sizes that are not said */
        { "X 262=@A@|268=1|279=0|269=1|55=A|270=1.8|", "A 1.44x3 1.8x0" },
        { "X 262=@A@|268=1|279=1|269=1|55=A|270=1.8|271=4|", "A 1.44x3 1.8x4" },
        { "X 262=@A@|268=1|279=1|269=1|55=A|271=5|", "A 1.44x3 1.8x5" },
        /* trades, and what is passed over */
        { "X 262=@A@|268=3|279=0|269=2|55=A|270=1.6|271=10|279=0|269=4|270=1|271=1|279=1|"
          "269=2|270=1|271=1|", "A trade 1.6x10" },
        { "W 262=@A@|55=A|268=1|269=2|270=1.61|271=2|", "A trade 1.61x2" },
        { "W 262=@A@|55=A|268=1|269=7|270=1.61|", "" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.44|271=2|", "A 1.44x2 1.8x5" },
        /* a book that is said to be empty */
        { "X 262=@A@|268=1|279=0|269=J|55=A|", "A 0x0 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=-2|271=2|", "A -2x2 0x0" },
        { "W 262=@A@|55=A|268=0|", "A 0x0 0x0" },
        /* several symbols */
        { "W 262=@B@|55=B|268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "X 268=4|279=0|269=0|55=A|270=1|271=2|279=0|269=1|270=3|271=4|279=0|269=1|55=B|"
          "270=7|271=8|279=2|269=0|55=A|270=1|", "A 1x2 3x4; B 5x6 7x8; A 0x0 3x4" },
    };

    PLAY("a book of prices", &all, TW_FIX_44, steps);
}

static void by_position(void)
{
    static const struct tw_fix_md_options three = { .incremental = true, .depth = 3 };
    static const struct step steps[] = {
        { "W 262=@A@|55=A|268=3|269=0|270=10|271=1|290=1|269=0|270=9|271=2|290=2|269=0|"
          "270=8|271=3|290=3|", "A 10x1 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=11|271=4|290=1|", "A 11x4 0x0" },
        /* 8 is gone: it was the fourth level */
        { "X 262=@A@|268=3|279=2|269=0|55=A|290=1|279=2|269=0|290=1|279=2|269=0|290=1|",
          "A 0x0 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=7|271=1|290=1|", "A 7x1 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=6|271=2|290=2|", "" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=7.5|271=9|290=1|", "A 7.5x9 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|271=8|290=1|", "A 7.5x8 0x0" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|290=3|", "" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|290=1|", "A 6x2 0x0" },
    };
    static const struct tw_fix_md_options one = { .incremental = true, .depth = 1 };
    static const struct step best[] = {
        { "W 262=@A@|55=A|268=2|269=0|270=10|271=1|269=1|270=12|271=2|", "A 10x1 12x2" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=9|271=5|", "A 9x5 12x2" },
        { "X 262=@A@|268=1|279=0|269=1|55=A|270=13|271=6|", "A 9x5 13x6" },
        { "X 262=@A@|268=2|279=0|269=0|55=A|270=8|271=1|279=2|269=0|270=9|",
          "A 8x1 13x6" },
        { "X 262=@A@|268=2|279=2|269=0|55=A|270=8|279=0|269=0|270=7|271=3|",
          "A 7x3 13x6" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|", "A 0x0 13x6" },
    };

    PLAY("a book by position", &three, TW_FIX_44, steps);
    PLAY("the best bid and offer alone", &one, TW_FIX_44, best);
}

/* LMAX, for one, has SecurityIDs and no Symbols, or others. */
static void by_security(void)
{
    static const struct tw_fix_md_options one = { .incremental = true, .id_source = '8' };
    static const struct tw_fix_md_options many = {
        .incremental = true, .id_source = '8', .batch = 3
    };
    static const struct step steps[] = {
        { "W 262=@A@|48=A|22=8|268=1|269=0|270=1|271=2|", "A 1x2 0x0" },
        { "W 262=@A@|55=EURUSD|48=A|22=8|268=1|269=0|270=2|271=2|", "A 2x2 0x0" },
        { "W 262=@B@|55=GBPUSD|268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "X 268=2|279=0|269=1|55=EURUSD|48=A|22=8|270=3|271=4|279=0|269=1|55=GBPUSD|"
          "48=B|22=8|270=7|271=8|", "A 2x2 3x4; B 5x6 7x8" },
        { "X 262=@A@|268=1|279=1|269=1|55=EURUSD|270=3|271=9|", "A 2x2 3x9" },
    };
    static const struct step shared[] = {
        { "W 262=@A@|55=EURUSD|48=A|22=8|268=1|269=0|270=2|271=2|", "A 2x2 0x0" },
        { "W 262=@A@|48=B|22=8|268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "X 262=@A@|268=2|279=0|269=1|48=B|22=8|270=7|271=8|279=0|269=1|48=A|22=8|270=3|"
          "271=4|", "B 5x6 7x8; A 2x2 3x4" },
    };

    static const struct step ids[] = {
        { "W 48=A|22=8|268=1|269=0|278=x|270=2|271=2|", "A 2x2 0x0" },
        { "W 48=B|22=8|268=1|269=0|278=y|270=5|271=6|", "B 5x6 0x0" },
        { "X 268=1|279=1|278=x|269=0|48=B|22=8|270=7|271=8|", "B 7x8 0x0" },
        { "X 268=1|279=1|278=x|269=0|48=B|22=8|55=GBPUSD|270=8|271=9|", "B 8x9 0x0" },
    };

    PLAY("SecurityIDs", &one, TW_FIX_44, steps);
    PLAY("SecurityIDs that share a request", &many, TW_FIX_44, shared);
    PLAY("a level of a SecurityID is no other's", &many, TW_FIX_44, ids);
}

static void by_id(void)
{
    static const struct step steps[] = {
        { "W 262=@A@|55=A|268=3|269=0|278=a|270=10|271=1|269=0|278=b|270=10|271=2|269=1|"
          "278=an-id-of-more-than-15-bytes-1|270=11|271=3|", "A 10x3 11x3" },
        { "X 262=@A@|268=1|279=1|269=0|278=a|55=A|271=5|", "A 10x7 11x3" },
        { "X 262=@A@|268=1|279=1|269=0|278=b|55=A|270=10.5|", "A 10.5x2 11x3" },
        { "X 262=@A@|268=1|279=2|269=0|278=b|55=A|", "A 10x5 11x3" },
        { "X 262=@A@|268=1|279=2|269=1|278=an-id-of-more-than-15-bytes-2|55=A|270=11|",
          "" },
        { "X 262=@A@|268=1|279=1|269=1|278=an-id-of-more-than-15-bytes-3|"
          "280=an-id-of-more-than-15-bytes-1|55=A|271=4|", "A 10x5 11x4" },
        { "X 262=@A@|268=1|279=2|269=1|278=an-id-of-more-than-15-bytes-3|55=A|",
          "A 10x5 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|278=a|55=A|270=9|271=1|", "A 9x1 0x0" },
        { "X 262=@A@|268=1|279=0|269=0|278=c|55=A|270=9|271=1|", "A 9x2 0x0" },
        { "X 262=@A@|268=1|279=2|269=0|278=d|55=A|270=9|", "" },
        /* those of a snapshot have none before 5.0 */
        { "W 262=@A@|55=A|268=2|269=0|270=4|271=1|269=0|270=3|271=1|", "A 4x1 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|278=x|55=A|270=4|271=7|", "A 4x7 0x0" },
        { "X 262=@A@|268=1|279=2|269=0|278=x|55=A|270=99|", "A 3x1 0x0" },
    };

    /* A change of what has an id need not name the symbol. */
    static const struct step nameless[] = {
        { "X 262=@A@|268=2|279=0|269=0|278=a|55=A|270=1|271=2|279=0|269=0|278=b|55=B|"
          "270=5|271=6|", "A 1x2 0x0; B 5x6 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|278=b|271=7|", "B 5x7 0x0" },
        { "X 268=3|279=1|269=0|278=b|271=8|279=0|269=1|278=c|270=9|271=1|279=2|269=0|"
          "278=a|", "B 5x8 9x1; A 0x0 0x0" },
        { "X 268=2|279=0|269=0|278=d|55=A|270=3|271=1|279=2|269=1|280=c|",
          "A 3x1 0x0; B 5x8 0x0" },
        { "X 268=1|279=2|269=0|278=none|", "" },
        /* an id that another request has, too, is meant of this one */
        { "X 262=@A@|268=1|279=0|269=0|278=e|55=A|270=4|271=1|", "A 4x1 0x0" },
        { "X 262=@C@|268=1|279=0|269=0|278=e|55=C|270=2|271=1|", "C 2x1 0x0" },
        { "X 262=@C@|268=1|279=1|269=0|278=e|271=3|", "C 2x3 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|278=e|271=4|", "A 4x4 0x0" },
    };
    /* Where one request is one symbol, an entry that does not name it is no other. */
    static const struct step mixed[] = {
        { "W 262=@A@|55=A|268=1|269=0|278=a|270=1|271=1|", "A 1x1 0x0" },
        { "X 262=@A@|268=2|279=2|269=0|278=a|279=0|269=0|278=d|55=A|270=3|271=1|",
          "A 3x1 0x0" },
    };
    static const struct tw_fix_md_options two = { .incremental = true, .batch = 2 };

    PLAY("one update, of entries with and without a symbol", &all, TW_FIX_44, mixed);
    PLAY("a book of orders", &all, TW_FIX_50SP2, steps);
    PLAY("levels without their symbols", &two, TW_FIX_44, nameless);
}

/* The same as records of levels: what each message has changed. */
static void levels(void)
{
    static const struct tw_fix_md_options o = {
        .incremental = true, .levels = true, .depth = 3
    };
    static const struct step prices[] = {
        { "W 262=@A@|55=A|268=4|269=0|270=1.5|271=100|269=0|270=1.4|271=50|269=1|270=1.6|"
          "271=200|269=1|270=1.7|271=1|",
          "A clear; A bid 1 1.5x100; A bid 2 1.4x50; A ask 1 1.6x200; A ask 2 1.7x1.;"
          " A 1.5x100 1.6x200" },
        { "X 262=@A@|268=1|279=1|269=1|55=A|270=1.7|271=9|", "A ask 2 1.7x9." },
        { "X 262=@A@|268=1|279=1|269=1|55=A|270=1.7|271=9|", "" },
        { "X 262=@A@|268=2|279=2|269=0|55=A|270=1.5|279=0|269=0|270=1.45|271=3|",
          "A bid 1 1.5 gone; A bid 1 1.45x3.; A 1.45x3 1.6x200" },
        { "X 262=@A@|268=2|279=0|269=0|55=A|270=1.3|271=1|279=0|269=0|270=1.41|271=1|",
          "A bid 2 1.41x1." },                             /* 1.3 is the fourth */
        { "X 262=@A@|268=2|279=0|269=0|55=A|270=1.2|271=1|279=2|269=0|270=1.2|", "" },
        /* a snapshot that is not the first tells what is another */
        { "W 262=@A@|55=A|268=2|269=0|270=1.45|271=4|269=1|270=1.6|271=200|",
          "A bid 3 1.4 gone; A bid 2 1.41 gone; A bid 1 1.45x4; A ask 2 1.7 gone.;"
          " A 1.45x4 1.6x200" },
        { "X 262=@A@|268=1|279=0|269=J|55=A|",
          "A bid 1 1.45 gone; A ask 1 1.6 gone.; A 0x0 0x0" },
        { "W 262=@B@|55=B|268=0|", "B clear.; B 0x0 0x0" },
        { "X 262=@B@|268=1|279=0|269=0|55=B|270=5|", "B bid 1 5x0.; B 5x0 0x0" },
    };
    static const struct tw_fix_md_options deep = { .incremental = true, .levels = true };
    static const struct step ids[] = {
        { "W 262=@A@|55=A|268=3|269=0|278=a|270=10|271=1|269=0|278=b|270=10|271=2|269=0|"
          "278=c|270=9|271=3|", "A clear; A bid 1 10x3; A bid 2 9x3.; A 10x3 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|278=a|55=A|270=9|",
          "A bid 1 10x2; A bid 2 9x4.; A 10x2 0x0" },
        { "X 262=@A@|268=1|279=2|269=0|278=c|55=A|", "A bid 2 9x1." },
        { "X 262=@A@|268=1|279=2|269=0|278=b|55=A|", "A bid 1 10 gone.; A 9x1 0x0" },
    };
    /* As the peer has it, in no order; 279=3, 4 and 5. */
    static const struct step positions[] = {
        { "W 262=@A@|55=A|268=4|269=0|270=10|271=1|290=1|269=0|270=9|271=2|290=2|269=0|"
          "270=8|271=3|290=3|269=0|270=7|271=4|290=4|",
          "A clear; A bid 1 10x1; A bid 2 9x2; A bid 3 8x3; A bid 4 7x4.; A 10x1 0x0" },
        { "X 262=@A@|268=1|279=5|269=0|55=A|270=11|271=5|290=2|",
          "A bid 2 9 gone; A bid 1 11x5." },
        { "X 262=@A@|268=1|279=4|269=0|55=A|290=3|", "A bid 4 7 gone; A bid 3 8 gone." },
        { "X 262=@A@|268=1|279=3|269=0|55=A|290=1|", "A bid 2 10 gone.; A 11x5 0x0" },
        { "X 262=@A@|268=1|279=3|269=0|55=A|290=9|", "A bid 1 11 gone.; A 0x0 0x0" },
        { "X 262=@A@|268=1|279=4|269=0|55=A|290=9|", "" },
    };
    /* The last level goes with the entry that moves it out, and not with the message. */
    static const struct step moved[] = {
        { "W 262=@A@|55=A|268=3|269=0|270=10|271=1|290=1|269=0|270=9|271=2|290=2|269=0|"
          "270=8|271=3|290=3|",
          "A clear; A bid 1 10x1; A bid 2 9x2; A bid 3 8x3.; A 10x1 0x0" },
        { "X 262=@A@|268=4|279=0|269=0|55=A|270=11|271=1|290=1|279=2|269=0|290=1|279=0|"
          "269=0|270=8|271=3|290=3|279=2|269=0|290=1|",
          "A bid 1 10 gone.; A 9x2 0x0" },
    };
    static const struct step many[] = {
        { "W 262=@A@|55=A|268=4|269=1|270=10|271=1|269=1|270=11|271=2|269=1|270=12|271=3|"
          "269=1|270=13|271=4|",
          "A clear; A ask 1 10x1; A ask 2 11x2; A ask 3 12x3; A ask 4 13x4.;"
          " A 0x0 10x1" },
        { "X 262=@A@|268=1|279=3|269=1|55=A|270=10.5|", "A ask 1 10 gone.; A 0x0 11x2" },
        { "X 262=@A@|268=1|279=4|269=1|55=A|270=13|", "A ask 3 13 gone." },
        { "X 262=@A@|268=1|279=4|269=1|55=A|270=11.5|", "A ask 2 12 gone." },
        { "X 262=@A@|268=1|279=5|269=1|55=A|270=11|271=9|",
          "A ask 1 11x9.; A 0x0 11x9" },
        { "X 262=@A@|268=1|279=3|269=1|55=A|", "A ask 1 11 gone.; A 0x0 0x0" },
    };
    struct run *r = run_open(&o, TW_FIX_44, "A B");

    PLAY("levels of a book of prices", &o, TW_FIX_44, prices);
    PLAY("levels of a book of orders", &deep, TW_FIX_50SP2, ids);
    PLAY("levels by position, which need not be in order", &deep, TW_FIX_44, positions);
    PLAY("levels by position that are moved out", &o, TW_FIX_44, moved);
    PLAY("many that go at once", &deep, TW_FIX_44, many);
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@A@|55=A|268=1|269=0|270=5|271=6|");
    heard(r);
    tw_fix_md_retell(r->md, r->now, &r->batch);
    take_batch(&r->batch);
    ok(strcmp(heard(r), "A clear; A bid 1 5x6.") == 0, "books are told again");
    tell(r, TW_FIX_SKIPPED, 1, 9);
    heard(r);
    tw_fix_md_retell(r->md, r->now, &r->batch);
    take_batch(&r->batch);
    ok(strcmp(heard(r), "") == 0, "but not one that is lost");
    give(r, "W 262=@A@|55=A|268=1|269=0|270=5|271=6|");
    ok(strcmp(heard(r), "A clear; A bid 1 5x6.; A 5x6 0x0") == 0, "until it is back");
    run_close(r);
}

static void numbered(void)
{
    static const struct step steps[] = {
        { "W 262=@A@|55=A|268=2|269=0|270=10|271=1|83=7|269=1|270=12|271=2|83=7|",
          "A 10x1 12x2" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=9|83=7|", "" },   /* known */
        { "X 262=@A@|268=2|279=1|269=0|55=A|270=10|271=3|83=8|279=1|269=1|270=12|271=4|"
          "83=8|", "A 10x3 12x4" },
        { "X 262=@A@|268=2|279=0|269=4|55=A|270=1|83=9|279=1|269=0|270=10|271=5|83=10|",
          "A 10x5 12x4" },
        { "X 262=@A@|268=2|279=0|269=2|55=A|270=10|271=1|83=11|279=1|269=0|270=10|271=6|"
          "83=14|", "A trade 10x1; A gap 2 from 12; lost A: 2 reports from RptSeq 12 on"
          " are missing; V- A" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=6|83=15|", "" },
        { "+1", "V A" },
        { "W 262=@A@|55=A|268=1|269=0|270=10|271=1|83=3|", "A 10x1 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=9|83=2|", "" },
        { "W 262=@A@|55=A|268=1|269=0|270=10|271=1|83=1|", "A 10x1 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=9|83=1|", "" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=2|83=2|", "A 10x2 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=3|83=3|", "A 10x3 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=9|83=1|", "problem A: RptSeq (83)"
          " begins anew: 1 after 3; A gap 0 from 0; lost A: the book is lost; V- A" },
    };
    struct run *r;

    PLAY("RptSeq tells what is known, and what is missing", &all, TW_FIX_50SP2, steps);

    r = run_open(&all, TW_FIX_50SP2, "A B");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@A@|55=A|268=1|269=0|270=10|271=1|83=1|");
    wait_s(r, 10);
    heard(r);
    give(r, "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=6|83=3|");
    wait_s(r, 1.1);
    heard(r);
    give(r, "W 262=@A@|55=A|268=1|269=0|270=10|271=6|83=3|");
    ok(strcmp(heard(r), "A 10x6 0x0") == 0, "and a new book comes");
    give(r, "X 262=@A@|268=1|279=1|269=0|55=A|270=10|271=6|83=30|");
    wait_s(r, 0.5);
    ok(!strstr(heard(r), "V A"), "one that is lost again is asked for later");
    wait_s(r, 0.5);
    ok(strcmp(heard(r), "V A") == 0, "but it is");
    run_close(r);
}

static void times(void)
{
    static const struct { const char *text; int64_t ns; } each[] = {
        { "X 268=1|279=0|269=2|55=A|270=1|271=1|", 123000000 },
        { "X 268=1|279=0|269=2|55=A|270=1|271=1|272=20240102|273=09:30:01.000000002|",
          1000000002 },
        { "X 268=1|279=0|269=2|55=A|270=1|271=1|273=09:29:59.5|", -500000000 },
        { "X 268=1|279=0|269=2|55=A|270=1|271=1|273=23:30:00|",
          14 * 3600 * INT64_C(1000000000) - 86400 * INT64_C(1000000000) },
        { "X 268=1|279=0|269=2|55=A|270=1|271=1|60=20240102-09:30:00.000001|", 1000 },
    };
    bool right = true;

    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct run *r = run_open(&all, TW_FIX_50SP2, "A");
        char text[300];

        tell(r, TW_FIX_LOGGED_ON, 0, 0);
        give(r, "W 262=@A@|55=A|268=0|");
        r->batch.r[0] = (struct tw_record){0};
        snprintf(text, sizeof text, "%s", each[i].text);
        give(r, text);
        if (r->batch.r[0].time != INT64_C(1704187800000000000) + each[i].ns) {
            printf("# %s: %lld\n", text, (long long)r->batch.r[0].time);
            right = false;
        }
        right &= r->batch.r[0].source == 9 && r->batch.r[0].source_seq == 2;
        run_close(r);
    }
    ok(right, "times of entries, with a day or without, and of messages");
}

/* Prices of before the Logon, which come again after it, are old: also where the peer
 * names no request. */
static void resent(void)
{
    struct run *r = run_open(&all, TW_FIX_44, "A B");
    size_t n;
    char *p = whole(TW_FIX_44, "35=A|49=A|56=B|34=8|52=20240102-09:30:00|98=0|108=9|",
                    &n);

    if (take(&r->message, r->dictionary, p, n) != TW_OK) abort();
    tw_fix_md_session_event(r->md, r->now, &(struct tw_fix_event){
        .kind = TW_FIX_LOGGED_ON, .message = &r->message, .text = "" }, &r->batch);
    free(p);
    heard(r);
    r->seq = 4;
    give(r, "W 43=Y|55=A|268=1|269=0|270=1|271=1|");
    give(r, "S 43=Y|117=q|55=B|132=1|134=1|");
    ok(*heard(r) == 0 && tw_fix_md_stats(r->md).stale == 2,
       "what is resent of before the Logon is no book");
    r->seq = 8;
    give(r, "W 43=Y|55=A|268=1|269=0|270=2|271=1|");
    give(r, "S 117=q|55=B|132=3|134=1|");
    ok(strcmp(heard(r), "A 2x1 0x0; B 3x1 0x0") == 0, "what comes after it is");
    run_close(r);
}

static void requests(void)
{
    static const struct tw_fix_md_options two = { .incremental = true, .batch = 2 };
    struct run *r = run_open(&all, TW_FIX_44, "A B C");
    uint32_t a, b;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    ok(strcmp(heard(r), "V A; V B; V C") == 0, "each symbol is asked for");
    a = tw_symbols_find(r->symbols, "A", 1);
    ok(tw_fix_md_state(r->md, a) == TW_FIX_MD_ASKED, "and waits");
    give(r, "Y 262=@B@|281=0|58=no such thing|");
    ok(strcmp(heard(r), "failed B: refused: 281=0 (UNKNOWN_SYMBOL) 58=no such thing")
       == 0, "a reject is told");
    b = tw_symbols_find(r->symbols, "B", 1);
    ok(tw_fix_md_state(r->md, b) == TW_FIX_MD_REFUSED, "and the symbol failed");
    give(r, "W 262=1|55=A|268=1|269=0|270=1|271=1|");
    give(r, "W 262=x|55=A|268=1|269=0|270=1|271=1|");
    give(r, "W 262=@A@|55=ZZ|268=1|269=0|270=1|271=1|");
    ok(*heard(r) == 0 && tw_fix_md_stats(r->md).stale == 2
       && tw_fix_md_stats(r->md).strange == 1, "what nobody asked for is counted");
    give(r, "X 262=@A@|268=1|279=0|269=0|270=1|271=1|");
    ok(strcmp(heard(r), "A 1x1 0x0") == 0,
       "a request of one symbol says which; updates alone make a book");
    give(r, "W 262=@C@|55=C|268=1|269=0|270=1|271=1|");
    give(r, "Y 262=@C@|281=3|");
    ok(strcmp(heard(r), "C 1x1 0x0; C gap 0 from 0; failed C: refused: 281=3"
              " (INSUFFICIENT_PERMISSIONS)") == 0,
       "of what is refused later the book is a gap");
    tell(r, TW_FIX_LOGGED_OUT, 0, 0);
    ok(strcmp(heard(r), "all gap 0 from 0; lost the books are lost")
       == 0, "the end of the session is a gap");
    ok(tw_fix_md_book(r->md, a) == NULL, "without books");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    ok(strcmp(heard(r), "V A; V B; V C") == 0, "all are asked for again");
    give(r, "j 45=1|372=V|379=@C@|380=0|58=no|");
    ok(strcmp(heard(r), "failed C: refused: 380=0 (OTHER) 58=no") == 0,
       "a business reject of a request");
    give(r, "j 45=1|372=V|380=3|58=no|");
    ok(strcmp(heard(r), "failed market data is refused: 372=V 380=3"
              " (UNSUPPORTED_MESSAGE_TYPE) 58=no") == 0,
       "one that does not say of which");
    ok(!give(r, "j 45=1|372=D|379=1|380=0|") && !give(r, "8 37=1|"),
       "other messages are not taken");
    heard(r);
    tw_fix_md_unsubscribe(r->md, r->now, "A", 1, &r->batch);
    tw_fix_md_subscribe(r->md, "D", 1);
    r->full = 1;
    wait_s(r, 1);
    ok(*heard(r) == 0 && tw_fix_md_wakes(r->md) < INT64_MAX, "a peer that does not read");
    wait_s(r, 1);
    ok(strcmp(heard(r), "V- A; V D") == 0, "is asked later");
    give(r, "W 262=@A@|55=A|268=1|269=0|270=1|271=1|");
    ok(*heard(r) == 0, "what is cancelled is not taken");
    run_close(r);

    r = run_open(&two, TW_FIX_44, "A B C D E");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    ok(strcmp(heard(r), "V A B; V C D; V E") == 0, "requests of two symbols");
    give(r, "Y 262=@C@|281=0|");
    ok(strcmp(heard(r), "V C; V D") == 0, "a refused one is tried apart");
    give(r, "Y 262=@C@|281=0|");
    give(r, "W 262=@D@|55=D|268=1|269=0|270=1|271=1|");
    ok(strcmp(heard(r), "failed C: refused: 281=0 (UNKNOWN_SYMBOL); D 1x1 0x0") == 0,
       "so that one does not fail the other");
    tw_fix_md_unsubscribe(r->md, r->now, "A", 1, &r->batch);
    wait_s(r, 1);
    ok(strcmp(heard(r), "V- A B; V B") == 0, "a cancelled one takes its request along");
    run_close(r);

    r = run_open(&two, TW_FIX_44, "A B C");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@A@|55=A|83=1|268=1|269=0|270=1|271=1|");
    give(r, "W 262=@B@|55=B|83=1|268=1|269=0|270=2|271=1|");
    give(r, "W 262=@C@|55=C|83=1|268=1|269=0|270=3|271=1|");
    heard(r);
    give(r, "X 262=@A@|268=1|279=0|269=0|55=A|83=4|270=1|271=2|");
    ok(strcmp(heard(r), "A gap 2 from 2; lost A: 2 reports from RptSeq 2 on are missing; "
              "B gap 0 from 0; V- A B; V B") == 0,
       "a gap of one is a gap of each that shares its request");
    wait_s(r, 2);
    give(r, "W 262=@B@|55=B|268=1|269=0|270=2|271=1|");
    heard(r);
    tell(r, TW_FIX_RESENDING, 1, 9);
    wait_s(r, 1);
    ok(strcmp(heard(r), "V- A; V A") == 0, "and not of others");
    run_close(r);
}

#define EARLY(seq) "problem A: 35=X, message " seq ": changes of a book before it has" \
    " come are not used: it begins with a snapshot (35=W), or with an X of new levels" \
    " (279=0) alone (told once)"

/* An X before any W: what begins a book, and what can't. */
static void beginnings(void)
{
    static const struct tw_fix_md_options one = { .incremental = true, .depth = 1 };
    static const struct tw_fix_md_options deep = { .incremental = true, .levels = true };
    static const struct tw_fix_md_options trades = { .types = TW_FIX_MD_TRADES };
    static const struct step early[] = {
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.5|271=10|", EARLY("1") },
        { "X 262=@A@|268=1|279=2|269=0|55=A|270=1.5|", "" },
        /* one that is new among changes does not make what is unknown known */
        { "X 262=@A@|268=2|279=0|269=0|55=A|270=1.4|271=1|279=2|269=1|270=2|", "" },
        { "X 262=@A@|268=2|279=0|269=2|55=A|270=1.6|271=10|279=3|269=0|270=1.5|",
          "A trade 1.6x10" },
        { "X 262=@B@|268=1|279=5|269=0|55=B|270=3|271=1|", "" },
        { "X 262=@A@|268=1|279=4|269=0|55=A|290=1|", "" },
        { "W 262=@A@|55=A|268=2|269=0|270=1.5|271=20|269=1|270=1.7|271=1|",
          "A 1.5x20 1.7x1" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.5|271=10|", "A 1.5x10 1.7x1" },
        { "X 262=@B@|268=1|279=1|269=0|55=B|270=3|271=1|", "" },
        { "X 262=@B@|268=2|279=0|269=0|55=B|270=3|271=1|279=0|269=1|270=4|271=2|",
          "B 3x1 4x2" },
        { "X 262=@B@|268=1|279=2|269=0|55=B|270=3|", "B 0x0 4x2" },
        /* one that is asked for again is likewise unknown until then */
        { "W 262=@A@|55=A|268=x|", "problem 35=W, message 12: 268=x is not a number; A"
          " gap 0 from 0; lost A: the book is lost; V- A" },
        { "+2", "V A" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.5|271=10|", "" },
        { "X 262=@A@|268=1|279=0|269=J|55=A|", "A 0x0 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1.5|271=10|", "A 1.5x10 0x0" },
    };
    static const struct step first[] = {
        { "X 262=@A@|268=1|279=0|269=2|55=A|270=1.6|271=10|", "A trade 1.6x10" },
        { "W 262=@A@|55=A|268=1|269=2|270=1.7|271=10|", "A trade 1.7x10" },
        { "X 262=@A@|268=1|279=2|269=0|55=A|270=1.5|", EARLY("3") },
        { "X 262=@A@|268=3|279=0|269=2|55=A|270=1.6|271=2|279=0|269=0|270=1.4|271=5|"
          "279=0|269=0|270=1.5|271=7|",
          "A trade 1.6x2; A clear; A bid 1 1.5x7; A bid 2 1.4x5.;"
          " A 1.5x7 0x0" },
    };
    static const struct step best[] = {
        { "X 262=@A@|268=1|279=2|269=0|55=A|270=9|", EARLY("1") },
        { "X 262=@A@|268=1|279=1|269=0|55=A|271=5|", "" },   /* of which price? */
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=9|271=5|", "A 9x5 0x0" },
    };
    static const struct step alone[] = {
        { "X 262=@A@|268=1|279=0|269=2|55=A|270=1.6|271=10|", "A trade 1.6x10" },
    };
    static const struct step numbers[] = {
        { "X 262=@A@|268=2|279=0|269=2|55=A|270=1|271=1|83=5|279=1|269=0|270=1|271=1|"
          "83=6|", EARLY("1") "; A trade 1x1" },
        { "X 262=@A@|268=1|279=0|269=2|55=A|270=1|271=1|83=6|", "" },
        { "W 262=@A@|55=A|268=1|269=0|270=1|271=9|83=7|", "A 1x9 0x0" },
        { "X 262=@A@|268=1|279=1|269=0|55=A|270=1|271=8|83=8|", "A 1x8 0x0" },
    };
    struct run *r = run_open(&all, TW_FIX_44, "A");
    uint32_t a = tw_symbols_find(r->symbols, "A", 1);

    PLAY("changes without a book make none", &all, TW_FIX_44, early);
    PLAY("of the best prices alone, what says all of one does", &one, TW_FIX_44, best);
    PLAY("nor do trades alone; new levels do", &deep, TW_FIX_44, first);
    PLAY("but who asks for trades wants no book", &trades, TW_FIX_44, alone);
    PLAY("reports before a book are counted", &all, TW_FIX_50SP2, numbers);

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=9|");
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=9|");
    ok(tw_fix_md_stats(r->md).stale == 2 && tw_fix_md_stats(r->md).refused == 0
       && tw_fix_md_state(r->md, a) == TW_FIX_MD_ASKED && !tw_fix_md_book(r->md, a),
       "they are counted, and the book is not there");
    heard(r);
    tell(r, TW_FIX_LOGGED_OUT, 0, 0);
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=9|");
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=9|");
    ok(strcmp(heard(r), EARLY("3")) == 0, "and told once a session");
    run_close(r);
}

static void gaps(void)
{
    struct run *r = run_open(&all, TW_FIX_44, "A");

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@A@|55=A|268=1|269=0|270=1|271=1|");   /* 1 */
    heard(r);
    tell(r, TW_FIX_GAP, 2, 3);
    give(r, "X 262=@A@|268=1|279=1|269=0|55=A|270=1|271=2|");
    give(r, "X 262=@A@|268=1|279=1|269=0|55=A|270=1|271=3|");
    ok(strcmp(heard(r), "A 1x2 0x0; A 1x3 0x0") == 0,
       "missing messages that come are no gap");
    tell(r, TW_FIX_FILLED, 5, 7);
    ok(strcmp(heard(r), "all gap 3 from 5; lost 3 messages from 5 on will not come; V- A;"
              " V A") == 0, "those that are filled are");
    give(r, "W 262=@A@|55=A|268=1|269=0|270=1|271=1|");
    heard(r);
    tell(r, TW_FIX_RESENDING, 3, 9);
    wait_s(r, 1);
    ok(*heard(r) == 0, "what is live does not mind that requests were lost");
    tw_fix_md_subscribe(r->md, "B", 1);
    wait_s(r, 1);
    tell(r, TW_FIX_RESENDING, 3, 9);
    wait_s(r, 1);
    ok(strcmp(heard(r), "V B; V- B; V B") == 0, "what waits is asked for again");
    tell(r, TW_FIX_SKIPPED, 9, 12);
    ok(strcmp(heard(r), "all gap 4 from 9; lost 4 messages from 9 on will not come; V- A;"
              " V- B; V A; V B") == 0, "a reset of numbers is");
    run_close(r);
}

static void refused(void)
{
    static const struct { const char *rest, *why; } each[] = {
        { "W 262=@A@|55=A|", "no NoMDEntries (268)" },
        { "W 262=@A@|55=A|268=x|", "268=x is not a number" },
        { "W 262=@A@|55=A|268=2|269=0|270=1|", "268=2 but fewer entries" },
        { "W 262=@A@|55=A|268=1|269=0|270=1|269=0|270=1|", "268=1 but more entries" },
        { "W 262=@A@|55=A|268=1|270=1|271=2|", "an entry has no MDEntryType (269)" },
        { "W 262=@A@|55=A|269=0|268=1|270=1|", "269=0 is in no entry" },
        { "W 262=@A@|55=A|268=1|269=0|", "269=0 has no MDEntryPx (270)" },
        { "W 262=@A@|55=A|268=1|269=0|270=1e5|", "270=1e5 is not a price" },
        { "W 262=@A@|55=A|268=1|269=0|270=1|271=-1|", "271=-1 is not a size" },
        { "W 262=@A@|55=A|268=1|269=0|270=nan|271=1|", "270=nan is not a price" },
        { "W 262=@A@|55=A|268=1|269=0|270=0|271=5|", "a price of 0" },
        { "W 262=@A@|55=A|268=1|269=2|270=0.0|271=5|", "a price of 0" },
        { "X 262=@A@|268=1|279=0|269=1|55=A|270=0|271=5|", "a price of 0" },
        { "X 262=@A@|268=1|279=1|269=1|55=A|270=0|271=5|", "a price of 0" },
        { "W 262=@A@|55=A|268=1|269=0|270=9999999999999|",
          "270=9999999999999 does not fit int64 with nine decimals" },
        { "W 262=@A@|55=A|268=1|269=0|270=1|270=2|", "270=2 stands there again" },
        { "W 262=@A@|55=A|268=1|269=2|270=1|", "269=2 has no MDEntrySize (271)" },
        { "W 262=@A@|55=A|268=1|269=0|270=1|279=1|", "279=1 is not an action here" },
        { "X 262=@A@|268=1|279=6|269=0|55=A|270=1|", "279=6 is not an action here" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1|290=0|",
          "level (290, 1023) '0' is not a number from 1" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1|83=x|", "83=x is not a number" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1|273=9|", "273=9 is not a time" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1|272=2024|273=09:30:00|",
          "273=09:30:00 has no date (272)" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1|60=x|", "60=x is not a time" },
    };
    bool said = true, dropped = true;

    for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
        struct run *r = run_open(&all, TW_FIX_50SP2, "A");
        char line[300];
        const char *got;

        tell(r, TW_FIX_LOGGED_ON, 0, 0);
        give(r, "W 262=@A@|55=A|268=1|269=0|270=1|271=2|");
        wait_s(r, 3);
        heard(r);
        give(r, each[i].rest);
        got = heard(r);
        snprintf(line, sizeof line, "problem 35=%c, message 2: %s;", *each[i].rest,
                 each[i].why);
        if (strncmp(got, line, strlen(line)) != 0
            || tw_fix_md_stats(r->md).refused != 1) {
            printf("# %s\n#  gives  %s\n#  not    %s\n", each[i].rest, got, line);
            said = false;
        }
        dropped &= strstr(got, "; A gap 0 from 0; lost A: the book is lost; V- A; V A")
                   != NULL;
        run_close(r);
    }
    ok(said, "a message that is wrong gives one line that says what");
    ok(dropped, "and its book is not believed any more");
}

static void others(void)
{
    static const struct tw_fix_md_options quotes = { .quotes = true };
    static const struct step steps[] = {
        { "S 117=1|55=A|132=1.25|133=1.26|134=10|135=20|", "A 1.25x10 1.26x20" },
        { "S 117=1|55=A|132=1.24|134=11|60=20240102-09:30:00|", "A 1.24x11 1.26x20" },
        { "S 117=1|55=A|133=1.27|135=0|", "A 1.24x11 0x0" },
        { "S 117=1|55=Q|133=1.27|", "" },
        { "S 117=1|55=A|134=1|", "problem 35=S, message 5: 134=1 without BidPx (132)" },
        { "AG 131=@B@|658=1|146=1|55=B|", "failed B: refused: 658=1" },
        { "S 117=1|55=B|132=1|", "" },
        { "f 55=A|326=2|58=news|", "status A: 326=2 (TRADING_HALT) 58=news;"
          " A is halted 2 0 news" },
        { "f 55=A|326=17|327=D|58=news|60=20240102-09:29:00|",
          "status A: 326=17 (READY_TO_TRADE) 327=D (NEWS_DISSEMINATION) 58=news;"
          " A is open 17 68 news" },
        { "f 55=B|326=9|58=12345678901234567890123456|",
          "status B: 326=9 (MARKET_ON_CLOSE_IMBALANCE_BUY) 58=12345678901234567890123456;"
          " B is notice 9 0 12345678901234567890123" },
        { "f 55=B|326=20|", "status B: 326=20 (UNKNOWN_OR_INVALID);"
          " B is unknown 20 0 UNKNOWN_OR_INVALID" },
        { "f 55=Q|326=2|", "status Q: 326=2 (TRADING_HALT)" },   /* not asked for */
        { "h 336=DAY|340=3|", "status 340=3 (CLOSED) 336=DAY; all is closed 3 0 CLOSED" },
        { "h 336=DAY|340=6|567=1|", "status 340=6 (REQUEST_REJECTED) 336=DAY"
          " 567=1 (UNKNOWN_OR_INVALID_TRADING_SESSION_ID);"
          " all is unknown 6 1 REQUEST_REJECTED" },
    };

    PLAY("quotes and states", &quotes, TW_FIX_44, steps);
}

static void bounded(void)
{
    static const struct tw_fix_md_options few = {
        .incremental = true, .levels_max = 2, .symbols_max = 3
    };
    struct run *r = run_open(&few, TW_FIX_44, "A B C");

    ok(tw_fix_md_subscribe(r->md, "D", 1) == TW_ELIMIT
       && tw_fix_md_subscribe(r->md, "B", 1) == TW_OK, "so many symbols and no more");
    ok(tw_fix_md_subscribe(r->md, "", 0) == TW_ELIMIT, "one without a name is none");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@A@|55=A|268=3|269=0|270=1|271=1|269=0|270=3|271=3|269=0|270=2|"
         "271=2|");
    wait_s(r, 3);
    heard(r);
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=3|");
    ok(strcmp(heard(r), "A 2x2 0x0") == 0, "the best levels are kept");
    give(r, "X 262=@A@|268=1|279=2|269=0|55=A|270=2|");
    ok(strcmp(heard(r), "A gap 0 from 0; lost A: the book is lost; V- A; V A") == 0,
       "and when those that had no room would be next, all are asked for");
    run_close(r);
}

/* What the session has refused was not read: the book is not what the peer's is. */
static void unread(void)
{
    static const struct step steps[] = {
        { "W 262=@A@|55=A|268=1|269=0|270=1.5|271=100|", "A 1.5x100 0x0" },
        { "W 262=@B@|55=B|268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "!X 262=@A@|268=1|279=7|269=0|55=A|270=1.4|271=1|",
          "A gap 0 from 0; lost A: the book is lost; V- A" },
        { "X 262=@A@|268=1|279=0|269=0|55=A|270=1.4|271=1|", "" },
        { "!X 262=1|268=1|279=7|", "" },             /* of what is over */
        { "!W 55=none|268=1|", "" },
        { "!B 148=x|", "" },
        { "+1", "V A" },
        { "!W 262=@A@|55=A|268=1|269=0|270=x|",      /* again: it waits longer */
          "A gap 0 from 0; lost A: the book is lost; V- A" },
        { "+1.9", "" },
        { "+0.2", "V A" },
        { "W 262=@A@|55=A|268=1|269=0|270=1.5|271=100|", "A 1.5x100 0x0" },
        { "!W 55=B|268=1|", "B gap 0 from 0; lost B: the book is lost; V- B; V B" },
        { "!X 268=1|279=7|269=0|55=A|",
          "all gap 0 from 0; lost the books are lost; V- A; V- B" },
        { "+9", "V A; V B" },
    };

    PLAY("messages that the session refuses", &all, TW_FIX_44, steps);
}

/* Allocations that fail: nothing is lost without a word. */
static void no_memory(void)
{
    bool sound = true;

    for (uint64_t at = 1; at < 40; at++) {
        struct run *r = run_open(&all, TW_FIX_44, "A");
        char text[4000] = "W 262=@A@|55=A|268=100|";

        for (int i = 0; i < 100; i++)
            sprintf(text + strlen(text), "269=0|270=%d|271=1|", i + 1);
        tell(r, TW_FIX_LOGGED_ON, 0, 0);
        heard(r);
        tw_memory_fail_at(at);
        give(r, text);
        tw_memory_fail_at(0);
        if (!strstr(heard(r), "A 100x1 0x0")
            && tw_fix_md_state(r->md, 1) == TW_FIX_MD_LIVE)
            sound = false;
        tw_memory_fail_at(at);
        for (int i = 0; i < 100; i++) {
            char name[20];

            if (tw_fix_md_subscribe(r->md, name, (size_t)sprintf(name, "S%d", i)) < 0)
                break;
        }
        tw_memory_fail_at(0);
        run_close(r);
    }
    ok(sound, "without memory a book is asked for again, or complete");
}

int main(void)
{
    by_price();
    by_position();
    by_id();
    by_security();
    levels();
    numbered();
    times();
    requests();
    resent();
    beginnings();
    gaps();
    refused();
    unread();
    others();
    bounded();
    no_memory();
    return tap_done();
}

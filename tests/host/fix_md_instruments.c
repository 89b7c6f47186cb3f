/* fix_md_instruments.c - market data over FIX of instruments that the venue calls
 * otherwise: requests, whose messages are, and what is nobody's. */
#include "fix_md_rig.h"

/* A, B: two months of one future; C: an option.  100 is of orders alone. */
static const struct tw_fix_extra of_a[] = { { 100, "GLOBEX" }, { 200, "202612" },
                                            { 167, "FUT" }, { 47, "A" } },
    of_b[] = { { 200, "202703" }, { 167, "FUT" } },
    of_c[] = { { 202, "4000" }, { 48, "US7" }, { 22, "4" } };
static const struct tw_fix_instrument list[] = {
    { 1, "ES", of_a, 4, 3 }, { 2, "ES", of_b, 2, 2 }, { 3, "SPX", of_c, 3, 3 } };

#define DEC "167=FUT|200=202612|"
#define MAR "167=FUT|200=202703|"

static void asks(enum tw_fix_version v, const struct tw_fix_md_options *o,
                 const char *symbols, const char *want)
{
    struct run *r = run_open(o, v, symbols);
    const char *got;

    give(r, "A 98=0|108=30|");
    got = heard(r);
    if (strcmp(got, want) != 0) printf("# %s\n", got);
    ok(strcmp(got, want) == 0, "requests by %s", tw_fix_version_name(v));
    run_close(r);
}

static void requests(void)
{
    static const struct tw_fix_md_options one = { .batch = 1 }, all = { .batch = 3 },
        ids = { .batch = 3, .id_source = '8' }, quotes = { .quotes = true },
        states = { .batch = 3, .states = true };
    static const enum tw_fix_version versions[] = { TW_FIX_42, TW_FIX_43, TW_FIX_44,
                                                    TW_FIX_50, TW_FIX_50SP1,
                                                    TW_FIX_50SP2 };

    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        asks(versions[i], &all, "A B C D", "V 146=3|55=ES|" DEC "55=ES|" MAR
             "55=SPX|48=US7|22=4|202=4000|; V 146=1|55=D|");
    asks(TW_FIX_44, &one, "A B", "V 146=1|55=ES|" DEC "; V 146=1|55=ES|" MAR);
    asks(TW_FIX_44, &ids, "A B", "V 146=2|48=ES|22=8|" DEC "48=ES|22=8|" MAR);
    asks(TW_FIX_44, &quotes, "A", "R 146=1|55=ES|" DEC);
    asks(TW_FIX_44, &states, "A", "V 146=1|55=ES|" DEC "; g; e 55=ES|" DEC "263=1|");
}

/* Where one is a request, that says it: unless the message says otherwise. */
static void by_request(void)
{
    static const struct tw_fix_md_options one = { .incremental = true };
    static const struct step steps[] = {
        { "W 262=@A@|55=ES|268=1|269=0|270=1|271=2|", "A 1x2 0x0" },
        { "W 262=@B@|55=ESH7|" MAR "268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "W 262=@B@|55=SPX|268=1|269=0|270=4|271=6|", "" },
        { "X 262=@A@|268=1|279=0|269=1|55=ES|200=202612|270=3|271=4|", "A 1x2 3x4" },
        { "X 262=@B@|268=1|279=0|269=1|270=7|271=8|", "B 5x6 7x8" },
        { "X 262=@A@|268=1|279=0|269=1|55=ES|200=202703|270=9|271=9|", "" },
        { "W 262=@A@|55=ES|200=202703|268=1|269=0|270=9|271=9|", "" },
        /* without one */
        { "X 268=3|279=0|269=0|55=ES|200=202703|270=5.1|271=1|279=0|269=0|270=5.2|271=1|"
          "279=0|269=0|200=202612|270=1.1|271=1|", "B 5.2x1 7x8; A 1.1x1 3x4" },
        { "X 268=1|279=0|269=0|55=ES|270=9|271=1|", "" },
        { "X 268=1|279=0|269=0|55=A|270=9|271=1|", "" },
        { "W 55=ES|" DEC "268=1|269=0|270=1|271=5|", "A 1x5 0x0" },
        /* what can't be used is asked for again: it, and no other */
        { "X 262=@B@|268=1|279=0|269=0|55=ES|270=x|271=1|",
          "problem 35=X, message 12: 270=x is not a price; B gap 0 from 0; lost B: the"
          " book is lost; V- 146=1|55=ES|" MAR },
        { "X 268=1|279=0|269=0|55=ES|200=202612|270=1|270=1|",
          "problem 35=X, message 13: 270=1 stands there again; A gap 0 from 0; lost A:"
          " the book is lost; V- 146=1|55=ES|" DEC },
        { "+2", "V 146=1|55=ES|" DEC "; V 146=1|55=ES|" MAR },
        { "W 262=@A@|55=ES|268=x|", "problem 35=W, message 14: 268=x is not a number;"
          " A gap 0 from 0; lost A: the book is lost; V- 146=1|55=ES|" DEC },
        { "Y 262=@B@|281=0|", "failed B: refused: 281=0 (UNKNOWN_SYMBOL)" },
        { "f 324=1|55=ES|200=202703|326=2|", "status B: 326=2 (TRADING_HALT);"
          " B is halted 2 0 TRADING_HALT" },
        { "f 324=1|55=ES|326=2|", "status ES: 326=2 (TRADING_HALT)" },
        { "!W 55=ES|200=202612|268=1|", "" },   /* it was not answered */
    };

    PLAY("the request tells", &one, TW_FIX_44, steps);
}

static void by_fields(void)
{
    static const struct tw_fix_md_options many = { .incremental = true, .batch = 3 };
    static const struct step steps[] = {
        { "W 262=@A@|55=ES|200=202612|268=1|269=0|270=1|271=2|", "A 1x2 0x0" },
        { "W 262=@A@|55=ES|200=202703|268=1|269=0|270=5|271=6|", "B 5x6 0x0" },
        { "W 262=@A@|55=ES|268=1|269=0|270=9|271=9|", "" },
        /* a number may be written otherwise, an id be of another source */
        { "W 262=@A@|55=SPX|202=4000.00|48=77|22=8|268=1|269=0|270=7|271=8|",
          "C 7x8 0x0" },
        { "W 262=@A@|55=SPX|48=US8|22=4|268=1|269=0|270=9|271=9|", "" },
        { "X 262=@A@|268=3|279=0|269=1|55=ES|200=202703|270=6|271=1|279=0|269=1|55=SPX|"
          "270=8|271=1|279=0|269=1|55=ES|167=FUT|200=202612|270=2|271=3|",
          "B 5x6 6x1; C 7x8 8x1; A 1x2 2x3" },
        { "X 262=@A@|268=1|279=2|269=1|55=ES|200=202706|270=2|", "" },
        { "!X 262=@A@|268=1|", "A gap 0 from 0; lost A: the book is lost;"
          " B gap 0 from 0; C gap 0 from 0;"
          " V- 146=3|55=ES|" DEC "55=ES|" MAR "55=SPX|48=US7|22=4|202=4000|;"
          " V 146=2|55=ES|" MAR "55=SPX|48=US7|22=4|202=4000|" },
    };
    /* Levels have ids: an entry without a symbol is that of its level. */
    static const struct step ids[] = {
        { "W 262=@A@|55=ES|200=202612|268=1|269=0|278=a|270=1|271=2|", "A 1x2 0x0" },
        { "W 262=@A@|55=ES|200=202703|268=1|269=0|278=b|270=5|271=6|", "B 5x6 0x0" },
        { "X 262=@A@|268=2|279=1|269=0|278=b|271=7|279=1|269=0|278=a|271=3|",
          "B 5x7 0x0; A 1x3 0x0" },
    };

    PLAY("fields tell", &many, TW_FIX_44, steps);
    PLAY("and ids of levels", &many, TW_FIX_44, ids);
}

static void quotes(void)
{
    static const struct tw_fix_md_options quotes = { .quotes = true };
    static const struct step steps[] = {
        { "S 117=1|55=ES|200=202703|132=5|134=6|", "B 5x6 0x0" },
        { "S 117=1|131=@A@|55=ES|132=1|134=2|", "A 1x2 0x0" },
        { "S 117=1|301=2|55=ES|132=9|134=9|", "AI 117=1|55=ES|297=5|" },
        { "S 117=1|301=2|55=A|132=9|134=9|", "AI 117=1|55=A|297=5|" },
        { "i 117=q|296=1|302=s|304=2|295=2|299=1|55=ES|200=202612|132=1.5|299=2|55=ES|"
          "200=202703|132=5.5|", "A 1.5x0 0x0; B 5.5x0 0x0" },
        { "Z 117=q|298=1|295=1|55=ES|200=202612|", "A 0x0 0x0" },
    };

    PLAY("quotes", &quotes, TW_FIX_44, steps);
}

int main(void)
{
    instruments = list;
    instruments_n = sizeof list / sizeof *list;
    requests();
    by_request();
    by_fields();
    quotes();
    return tap_done();
}

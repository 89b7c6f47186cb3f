/* money.c - 128-bit amounts against long division and printf. */
#include "trade/money.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tap.h"

static int64_t number(void)
{
    uint64_t bits = next();

    return (int64_t)(bits >> (next() % 63 + 1)) * (bits & 1 ? 1 : -1);
}

/* q is a * b / c, half to even, when 2ab - 2qc is within c, or c and q is even. */
static bool is_rounded(tw_money a, int64_t b, int64_t c, tw_money q)
{
    tw_money rest = 2 * (a * b - q * c);

    if (rest < 0) rest = -rest;
    return rest < c || (rest == c && q % 2 == 0);
}

static void ratios(void)
{
    unsigned wrong = 0;
    tw_money half = tw_money_ratio(5, 1, 10), more = tw_money_ratio(15, 1, 10);

    for (unsigned i = 0; i < 1000000; i++) {
        int64_t a = number(), b = number(), c = number();

        if (c <= 0) c = 1 - c;
        wrong += !is_rounded(a, b >> 2, c, tw_money_ratio(a, b >> 2, c));
    }
    ok(wrong == 0, "a million ratios are rounded half to even (%u)", wrong);
    ok(half == 0 && more == 2, "0.5 is 0, 1.5 is 2");
    ok(tw_money_ratio(-15, 1, 10) == -2 && tw_money_ratio(-5, 1, 10) == 0,
       "and below 0");
    wrong = 0;
    for (unsigned i = 0; i < 100000; i++) {   /* amounts of more than 64 bits */
        tw_money q = (tw_money)number() * (1 << 20);
        int64_t b = (int64_t)(next() >> 34) + 1, c = (int64_t)(next() >> 34) + 1;

        wrong += !is_rounded(q, b, c, tw_money_ratio(q, b, c));
    }
    ok(wrong == 0, "likewise of wide amounts (%u)", wrong);
    ok(tw_money_ratio((tw_money)INT64_MAX * 4, INT64_MAX, INT64_MAX)
       == (tw_money)INT64_MAX * 4, "a product of 190 bits");
}

static void prices(void)
{
    int64_t price = INT64_C(187230000000);

    ok(tw_money_value(price, 3 * TW_FIXED_ONE) == 3 * price, "three at 187.23");
    ok(tw_money_value(1, 1) == 0 && tw_money_value(TW_FIXED_ONE, 1) == 1, "the smallest");
    ok(tw_money_price(3 * price, 3 * TW_FIXED_ONE) == price, "and back");
    ok(tw_money_price(TW_FIXED_ONE, 3 * TW_FIXED_ONE) == 333333333, "a third");
    ok(tw_money_price(-TW_FIXED_ONE, 3 * TW_FIXED_ONE) == -333333333, "minus a third");
    ok(tw_money_price(5, 0) == 0, "of nothing");
}

static void texts(void)
{
    static const struct { tw_money m; const char *text; } list[] = {
        { 0, "0" }, { 1, "0.000000001" }, { -1, "-0.000000001" },
        { 10284100000000, "10284.1" }, { -TW_FIXED_ONE, "-1" },
        { (tw_money)INT64_MAX * 1000, "9223372036854.775807" },
    };
    char text[TW_MONEY_TEXT];
    unsigned wrong = 0;

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        size_t n = tw_money_format(list[i].m, text);

        ok(strcmp(text, list[i].text) == 0 && n == strlen(text), "%s", list[i].text);
        ok(tw_money_to_double(list[i].m) == strtod(list[i].text, NULL),
           "%s as a double", list[i].text);
    }
    for (unsigned i = 0; i < 200000; i++) {
        double d = ldexp((double)number(), (int)(next() % 60) - 40);
        tw_money m;
        int64_t fixed;

        if (fabs(d) > 1e27) continue;
        wrong += tw_money_from_double(d, &m) < 0;
        if (tw_fixed_from_double(d, &fixed) == 0) wrong += m != fixed;
        else wrong += tw_money_to_double(m) != d;
    }
    ok(wrong == 0, "amounts of doubles (%u)", wrong);
    ok(tw_money_from_double(NAN, &(tw_money){ 0 }) == TW_ERANGE
       && tw_money_from_double(INFINITY, &(tw_money){ 0 }) == TW_ERANGE
       && tw_money_from_double(1e28, &(tw_money){ 0 }) == TW_ERANGE, "what is refused");
}

int main(void)
{
    ratios();
    prices();
    texts();
    return tap_done();
}

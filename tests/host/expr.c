/* expr.c - texts of declarations: what they mean, and what is wrong with them. */
#include "stat/expr.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "tap.h"

enum {
    TEXT = 1 << 16, Q = 1 << TW_QUOTE, T = 1 << TW_TRADE, B = 1 << TW_BAR, ALL = Q | T | B
};

struct row { const char *text, *want; };

/* The value, and after it the condition, as they are understood. */
static void show(const struct tw_declaration *d, char *out)
{
    size_t n = tw_expr_text(d->value, out, TEXT);

    if (!d->where) return;
    n += (size_t)snprintf(out + n, TEXT - n, " where ");
    tw_expr_text(d->where, out + n, TEXT - n);
}

/* How a text is understood, or what its error says behind the text. */
static void outcome(const char *text, bool condition, char *out)
{
    struct tw_error error = {0};
    size_t n = strlen(text);
    struct tw_declaration *d = tw_declaration_parse(text, n, condition, &error);

    if (d) show(d, out);
    else if (error.code == TW_EUSAGE && memcmp(error.text, text, n) == 0)
        strcpy(out, error.text + n + (n ? 2 : 0));
    else snprintf(out, TEXT, "? %s", error.text);
    tw_declaration_free(d);
}

/* Each text is understood as wanted, and what is printed again as the same. */
static void understood(const char *what, const struct row *rows, bool condition)
{
    static char first[TEXT], second[TEXT];

    for (; rows->text; rows++) {
        outcome(rows->text, condition, first);
        ok(strcmp(first, rows->want) == 0, "%s: %s", what, rows->text);
        if (strcmp(first, rows->want) != 0) printf("# %s\n", first);
        if (strncmp(first, "column", 6) == 0) continue;
        outcome(first, condition, second);
        if (strcmp(first, second) != 0) ok(false, "%s reads as %s", first, second);
    }
}

static const struct row operators[] = {
    { "1 + 2 * 3 - 4", "last(3.0)" },
    { "bid + ask * bid - ask", "last(((bid + (ask * bid)) - ask))" },
    { "bid - ask - bid", "last(((bid - ask) - bid))" },
    { "bid ^ ask ^ bid", "last((bid ^ (ask ^ bid)))" },
    { "-bid ^ 2", "last((-(bid ^ 2.0)))" },
    { "2 ^ -bid", "last((2.0 ^ (-bid)))" },
    { "- - bid", "last((-(-bid)))" },
    { "-3", "last((-3.0))" },
    { "-3 ^ 2", "last((-(3.0 ^ 2.0)))" },
    { "bid / ask // bid % ask", "last((((bid / ask) // bid) % ask))" },
    { "seq + 1", "last((seq + 1))" },
    { "seq / 2", "last((seq / 2.0))" },
    { "seq + 1.5", "last((seq + 1.5))" },
    { "seq + 1 + bid", "last(((seq + 1) + bid))" },
    { "time // 1h % 24", "last(((time // 3600000000000) % 24))" },
    { "time % (7 * 1d)", "last((time % 604800000000000))" },
    { "time // -(2 * 3)", "last((time // (-6)))" },
    { "time // 0", "last((time // 0.0))" },
    { "time // seq", "last((time // seq))" },
    { "bid // 1h", "last((bid // 3600000000000.0))" },
    { "500ms+1us+1ns", "last(500001001.0)" },
    { "0.1s + 1.5m + .5d", "last(43290100000000.0)" },
    { "1e3 + 0.5e-1 + 2E+0", "last(((1000.0 + 0.05) + 2.0))" },
    { "9223372036854775807 - seq", "last((9223372036854775807 - seq))" },
    { "-9223372036854775807 - 1 - seq", "last(((-9223372036854775807 - 1) - seq))" },
    { "9223372036854775808 - seq", "last((9.223372036854776e+18 - seq))" },
    { "pi * inf - -inf", "last(((3.141592653589793 * inf) - (-inf)))" },
    {0}
};

static const struct row conditions[] = {
    { "bid > 1 and ask < 2 or not (bid >= ask)",
      "(((1.0 < bid) and (ask < 2.0)) or (not (ask <= bid)))" },
    { "not bid == 1",
      "column 5: 'not' needs a condition, and bid is a number: compare it" },
    { "not (bid == 1)", "(not (bid == 1.0))" },
    { "true or false", "(true or false)" },
    { "time >= 5", "(5 <= time)" },
    { "time >= 5.5", "(5.5 <= time)" },
    { "seq == source_seq", "(seq == source_seq)" },
    { "symbol == 'AAPL'", "(symbol == \"AAPL\")" },
    { "\"AAPL\" ~= symbol", "(symbol ~= \"AAPL\")" },
    { "symbol == symbol", "(symbol == symbol)" },
    { "country == \"U\\\"S\\\\\"", "(country == \"U\\\"S\\\\\")" },
    { "missing(bid / ask)", "missing((bid / ask))" },
    { "ifelse(missing(bid), 0, bid) > seq", "(seq < ifelse(missing(bid), 0.0, bid))" },
    { "vol > 2 * vol.tech", "((2.0 * vol[\"tech\"]) < vol)" },
    { "vol[\"BRK.B\"] < vol['a b']", "(vol[\"BRK.B\"] < vol[\"a b\"])" },
    { "mid > mean(mid)", "(mean(mid) < mid)" },
    { "mid > mean(mid) by symbol where bid > 0",
      "((mean(mid) by symbol) < mid) where (0.0 < bid)" },
    { "bid", "column 1: a condition is expected, and bid is a number: compare it" },
    { "mean(bid)", "column 1: a condition is expected, and mean(bid) is a number:"
      " compare it" },
    {0}
};

static const struct row functions[] = {
    { "log(bid)", "last(log(bid))" }, { "log(bid, 2)", "last(log2(bid))" },
    { "log(bid, 10.0)", "last(log10(bid))" },
    { "log(bid, ask)", "last((log(bid) / log(ask)))" },
    { "atan(bid)", "last(atan(bid))" }, { "atan(bid, ask)", "last(atan(bid, ask))" },
    { "fmod(seq, 2)", "last(fmod(seq, 2.0))" },
    { "max(bid, ask, 3)", "last(max(max(bid, ask), 3.0))" },
    { "min(1, 2)", "last(min(1.0, 2.0))" },
    { "abs(sign(floor(ceil(sqrt(bid)))))", "last(abs(sign(floor(ceil(sqrt(bid))))))" },
    { "exp(expm1(log1p(log2(log10(bid)))))",
      "last(exp(expm1(log1p(log2(log10(bid))))))" },
    { "sin(cos(tan(asin(acos(tanh(bid))))))",
      "last(sin(cos(tan(asin(acos(tanh(bid)))))))" },
    { "min(bid)", "min(bid)" }, { "max(bid, window=10)", "max(bid, window=10)" },
    {0}
};

static const struct row statistics[] = {
    { "mean(bid)", "mean(bid)" },
    { "(mean((bid)))", "mean(bid)" },
    { "mean(seq)", "mean(seq)" },
    { "count()", "count(1.0)" },
    { "count(bid)", "count(bid)" },
    { "lag(bid, lag=3)", "last(lag(bid, lag=3))" },
    { "lag(bid, lag=3, initial=-2.5)", "last(lag(bid, initial=-2.5, lag=3))" },
    { "covariance(bid, ask)", "covariance(bid, ask)" },
    { "ewma(mid, alpha=0.05)", "ewma(mid, alpha=0.05)" },
    { "ewma(mid, half_life=1.5m) by symbol", "(ewma(mid, half_life=90s) by symbol)" },
    { "sum(bid, window=64)", "sum(bid, window=64)" },
    { "sum(bid, window=500ms)", "sum(bid, window=0.5s)" },
    { "vol", "last(vol)" },
    { "mean(bid) by symbol", "(mean(bid) by symbol)" },
    { "mean(bid) by ()", "mean(bid)" },
    { "mean(bid) by country, side, (time // 1h)", "column 23: side is of trades and"
      " bars, and bid"
      " of quotes: no record has both" },
    { "mean(bid) by country, sector, (time // 1h)",
      "(mean(bid) by country, sector, ((time // 3600000000000)))" },
    { "mean(bid) by (sector), (floor(bid))", "(mean(bid) by sector, (floor(bid)))" },
    { "mean(bid) by (bid - prev(bid))", "(mean(bid) by ((bid - prev(bid))))" },
    { "mean(mid - prev(mid)) by sector", "(mean((mid - prev(mid))) by sector)" },
    { "mid - mean(mid)", "last((mid - (mean(mid) by ())))" },
    { "mid - mean(mid) by sector", "(last((mid - (mean(mid) by sector))) by sector)" },
    { "mid - prev(mid) by sector", "(last((mid - prev(mid))) by sector)" },
    { "prev(mid)", "last(prev(mid))" },
    { "prev(mid) by symbol", "(prev(mid) by symbol)" },
    { "prev(mid) by sector", "(last(prev(mid)) by sector)" },
    { "(prev(mid) by sector)", "(prev(mid) by sector)" },
    { "(prev(mid) by ())", "(prev(mid) by ())" },
    { "(mean(mid) by sector)", "(mean(mid) by sector)" },
    { "(mean(mid) by sector) by sector", "(mean(mid) by sector)" },
    { "(mean(mid) by sector) by symbol", "(last((mean(mid) by sector)) by symbol)" },
    { "mean(mid - mean(mid))", "mean((mid - mean(mid)))" },
    { "mean(mid - (mean(mid) by ()))", "mean((mid - (mean(mid) by ())))" },
    { "mean(mid - (mean(mid) by sector, (1))) by symbol",
      "(mean((mid - (mean(mid) by sector, (1)))) by symbol)" },
    { "mean(mid) where mid > mean(mid)", "mean(mid) where (mean(mid) < mid)" },
    { "mean(mid) by sector where mid > mean(mid)",
      "(mean(mid) by sector) where ((mean(mid) by sector) < mid)" },
    { "sum(price) where side == \"buy\"", "sum(price) where (side == \"buy\")" },
    { "mean(ifelse(country == \"US\", mid, 0))",
      "mean(ifelse((country == \"US\"), mid, 0.0))" },
    {0}
};

static const struct row wrong[] = {
    { "", "column 1: a value expected, got the end" },
    { "  ", "column 3: a value expected, got the end" },
    { "mean(bid +)", "column 11: a value expected, got ')'" },
    { "mean(bid", "column 9: an operator, or ')' for the '(' of column 5, expected, got"
      " the end" },
    { "mean(bid) ask", "column 11: an operator or the end expected, got 'ask'" },
    { "bid ask", "column 5: an operator or the end expected, got 'ask'" },
    { "by symbol", "column 1: a value expected, got 'by'" },
    { "bid = 3",
      "column 5: an operator or the end expected, got '=': to compare, use ==" },
    { "bid != 3", "column 5: != is not known: use ~=" },
    { "bid && ask", "column 5: && is not known: use and" },
    { "bid || ask", "column 5: || is not known: use or" },
    { "!bid", "column 1: ! is not known: use not" },
    { "bid # 3", "column 5: '#' has no meaning here" },
    { "bid \xC3\xA9", "column 5: a byte 195 has no meaning here" },
    { "\"abc", "column 1: the text has no closing \"" },
    { "'a\\n'", "column 3: after a \\ comes another one or a quote" },
    { "5min", "column 1: '5min' is no number; a time is in ns, us, ms, s, m, h or d" },
    { "0x10", "column 1: '0x10' is no number; a time is in ns, us, ms, s, m, h or d" },
    { "1.2.3", "column 1: '1.2.3' is no number; a time is in ns, us, ms, s, m, h or d" },
    { "1..2", "column 1: '1..2' is no number; a time is in ns, us, ms, s, m, h or d" },
    { "1e", "column 1: '1e' is no number; a time is in ns, us, ms, s, m, h or d" },
    { "1e999", "column 1: too large a number" },
    { "1e3s", "column 1: a time has no exponent" },
    { "1.5ns", "column 1: a time is a whole number of ns" },
    { "0.0000000001s", "column 1: a time is a whole number of ns" },
    { "106752d", "column 1: too long a time: 106751d at most" },
    { "99999999999999999999ns", "column 1: too long a time: 106751d at most" },
    { "9223372036854775807 + 1",
      "column 21: too large an integer: write it with a point" },
    { "-(-9223372036854775807 - 1)", "column 1: too large an integer: write it with a"
      " point" },
    { "bid + (ask > 1)", "column 7: '+' needs numbers, and (ask > 1) is a condition:"
      " ifelse((ask > 1), 1, 0) is a number" },
    { "1 < bid < 3", "column 1: '<' needs numbers, and 1 < bid is a condition:"
      " ifelse(1 < bid, 1, 0) is a number" },
    { "-true", "column 2: '-' needs a number, and true is a condition: ifelse(true, 1, 0)"
      " is a number" },
    { "bid and ask > 1", "column 1: 'and' needs conditions, and bid is a number:"
      " compare it" },
    { "bid > 1 or symbol", "column 12: 'or' needs conditions, and symbol is a name:"
      " compare it" },
    { "bid > 1", "column 1: what is declared is a number, and bid > 1 is a condition:"
      " ifelse(bid > 1, 1, 0) is a number" },
    { "symbol",
      "column 1: what is declared is a number, and symbol is a name: only == and"
      " ~= take it" },
    { "'x'", "column 1: what is declared is a number, and 'x' is a text: only == and ~="
      " take it" },
    { "mean(symbol)", "column 6: mean takes numbers, and symbol is a name: only == and ~="
      " take it" },
    { "mean(bid > 1)", "column 6: mean takes numbers, and bid > 1 is a condition:"
      " ifelse(bid > 1, 1, 0) is a number" },
    { "symbol < 'A'", "column 1: '<' needs numbers, and symbol is a name: only == and ~="
      " take it" },
    { "symbol == sector", "column 8: symbol and sector can't be equal: a name is compared"
      " with a text, or with itself" },
    { "symbol == 1", "column 8: symbol and 1 can't be equal: a name is compared with a"
      " text, or with itself" },
    { "'a' == 'b'",
      "column 5: 'a' and 'b' can't be equal: a name is compared with a text,"
      " or with itself" },
    { "bid == 'b'",
      "column 5: bid and 'b' can't be equal: a name is compared with a text,"
      " or with itself" },
    { "ifelse(bid, 1, 2)",
      "column 8: ifelse begins with a condition, and bid is a number:"
      " compare it" },
    { "ifelse(bid > 1, true, 2)", "column 17: ifelse takes numbers, and true is a"
      " condition: ifelse(true, 1, 0) is a number" },
    { "log()", "column 1: log takes 1 to 2 arguments, got 0" },
    { "log(1, 2, 3)", "column 1: log takes 1 to 2 arguments, got 3" },
    { "sqrt(1, 2)", "column 1: sqrt takes 1 argument, got 2" },
    { "ifelse(true, 2)", "column 1: ifelse takes 3 arguments, got 2" },
    { "log(bid, base=2)", "column 10: log of 1 value is a function, without options" },
    { "max(bid, ask, window=3)", "column 15: max of 2 values is a function, without"
      " options" },
    { "mean()", "column 1: mean takes x: 1 argument, got 0" },
    { "min()", "column 1: min takes x: 1 argument, got 0" },
    { "lag(bid, 3)", "column 1: lag takes x: 1 argument, got 2; options have a name, as"
      " window=10" },
    { "covariance(bid)", "column 1: covariance takes x, y: 2 arguments, got 1" },
    { "lag(bid)", "column 1: lag needs lag" },
    { "lag(bid, lag=1, lag=2)", "column 17: lag: lag is given twice" },
    { "ewma(bid, 0.05)", "column 1: ewma takes x: 1 argument, got 2; options have a name,"
      " as window=10" },
    { "ewma(bid, alpha=2)", "column 11: ewma: alpha must be above 0, 1 at most, not 2" },
    { "sum(bid, window=-1s)", "column 10: sum: window must be a time like 60s, not -1s" },
    { "lag(bid, lga=2)", "column 10: lag has no option 'lga': it takes initial, lag" },
    { "lag(bid, lag=2.5)", "column 10: lag: lag must be 1 to 65536 values, not 2.5" },
    { "lag(bid, lag=2s)", "column 10: lag: lag must be 1 to 65536 values, not 2s" },
    { "lag(bid, lag=-2)", "column 10: lag: lag must be 1 to 65536 values, not -2" },
    { "lag(bid, lag=bid)", "column 14: a number or a time expected, got 'bid'" },
    { "lag(lag=2, bid)", "column 12: options come last, after the values" },
    { "mean(bid,)", "column 10: a value expected, got ')'" },
    { "meen(bid)", "column 1: there is no function and no statistic meen; did you mean"
      " mean" },
    { "sqr(bid)",
      "column 1: there is no function and no statistic sqr; did you mean sqrt" },
    { "whatever(bid)", "column 1: there is no function and no statistic whatever" },
    { "bid(1)", "column 1: there is no function and no statistic bid; did you mean min" },
    { "math.log(bid)", "column 1: functions have no '.': write log" },
    { "q.bid", "column 1: q is no statistic with keys: write bid" },
    { "bid.AAPL", "column 1: bid is no statistic with keys: write bid" },
    { "quote", "column 1: quote is no number and no name: take a field like bid, price or"
      " time" },
    { "vol.", "column 5: a key expected, got the end" },
    { "vol[3]", "column 5: a key in quotes expected, got '3'" },
    { "vol['a'", "column 8: ']' expected, got the end" },
    { "vol.BRK.B", "column 8: a key with a '.' is written [\"a.b\"]" },
    { "bid + price",
      "column 7: price is of trades, and bid of quotes: no record has both" },
    { "mean(size) where ask > 1", "column 18: ask is of quotes, and size of trades: no"
      " record has both" },
    { "mean(bid) by", "column 13: a key, as symbol, sector or (expression), expected, got"
      " the end" },
    { "mean(bid) by bid", "column 14: each bid would be a key of its own: make them few,"
      " as by (bid // 10)" },
    { "mean(bid) by quote", "column 14: quote is no number and no name: take a field like"
      " bid, price or time" },
    { "mean(bid) by 3", "column 14: a key, as symbol, sector or (expression), expected,"
      " got '3'" },
    { "mean(bid) by (bid > 3)", "column 14: a key is a number or a name, and (bid > 3) is"
      " a condition: ifelse((bid > 3), 1, 0) is a number" },
    { "mean(bid) by ('x')", "column 14: a key is a number or a name, and ('x') is a text:"
      " only == and ~= take it" },
    { "mean(bid) by symbol,", "column 21: a key, as symbol, sector or (expression),"
      " expected, got the end" },
    { "mean(bid) by symbol, symbol", "column 22: the key symbol is given twice" },
    { "mean(bid) by x, x", "column 17: the key x is given twice" },
    { "mean(bid) by (mid // 1), ((mid // 1.0))", "column 26: the key ((mid // 1.0)) is"
      " given twice" },
    { "mean(bid) by a, b, c, d, e", "column 26: more than 4 keys" },
    { "mean(bid) by a by b", "column 16: 'by' comes once, before 'where'" },
    { "mean(bid) where bid > 1 by a", "column 25: 'by' comes once, before 'where'" },
    { "mean(bid) where bid", "column 17: 'where' needs a condition, and bid is a number:"
      " compare it" },
    { "mean(bid) where", "column 16: a value expected, got the end" },
    { "mean(bid by sector)", "column 10: within an expression 'by' needs parentheses:"
      " (mean(x) by sector)" },
    { "(bid by sector)", "column 6: what is by a key in parentheses is one statistic:"
      " (mean(x) by sector)" },
    { "(mean(bid) - 1 by sector)", "column 16: what is by a key in parentheses is one"
      " statistic: (mean(x) by sector)" },
    { "((mean(bid) by a) by b)", "column 19: it is by other keys already" },
    {0}
};

static void kinds(void)
{
    static const struct { const char *text; unsigned kinds, keys; } rows[] = {
        { "mean(bid)", Q, 0 }, { "sum(price) by symbol, side", T, 2 },
        { "mean(high - low) by side", B, 1 },
        { "sum(volume * close) by (interval)", B, 1 },
        { "count()", ALL, 0 }, { "count() by source, sector, symbol", ALL, 3 },
        { "count() by side", T | B, 1 }, { "count() where missing(bid)", Q, 0 },
        { "count() by (floor(ask))", Q, 1 }, { "mean(time + weight)", ALL, 0 },
        { "(count() by symbol, sector)", ALL, 2 },
        { "(count() by symbol) + 1", ALL, 0 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].text;
        struct tw_declaration *d = tw_declaration_parse(text, strlen(text), false, NULL);

        ok(d && d->kinds == rows[i].kinds && d->by.n_keys == rows[i].keys,
           "of kinds %u by %u keys: %s", rows[i].kinds, rows[i].keys, text);
        tw_declaration_free(d);
    }
}

/* What the printed text can't show. */
static void nodes(void)
{
    const char *text = " vol.tech + ewm / mean(seq * 2) by venue";
    struct tw_declaration *d = tw_declaration_parse(text, strlen(text), false, NULL);
    const struct tw_expr *sum = d ? d->value->arg[0] : NULL;

    ok(d && strcmp(d->text, text) == 0 && d->text != text, "the text is a copy");
    if (!d) return;
    ok(d->by.key[0]->op == TW_EXPR_REF && d->by.key[0]->type == TW_EXPR_NAME,
       "an attribute as a key is a name");
    ok(sum->op == TW_EXPR_ADD && sum->column == 11, "an operator has its column");
    ok(sum->arg[0]->op == TW_EXPR_REF_AT && strcmp(sum->arg[0]->ref.text, "vol") == 0
       && strcmp(sum->arg[0]->ref.key, "tech") == 0 && sum->arg[0]->column == 2,
       "a statistic at a key");
    sum = sum->arg[1];
    ok(sum->arg[0]->op == TW_EXPR_REF && sum->arg[0]->type == TW_EXPR_NUMBER
       && sum->arg[0]->column == 13, "a statistic's name is a number");
    sum = sum->arg[1];
    ok(sum->op == TW_EXPR_STAT && sum->column == 19 && sum->n_args == 1
       && strcmp(sum->of.stat->kind->name, "mean") == 0 && sum->of.stat->size > 0
       && sum->of.by.n_keys == 1 && sum->of.by.key[0] == d->by.key[0],
       "a statistic is ready, and by the declaration's key");
    sum = sum->arg[0];
    ok(sum->op == TW_EXPR_TO_NUMBER && sum->type == TW_EXPR_NUMBER
       && sum->arg[0]->op == TW_EXPR_MUL && sum->arg[0]->type == TW_EXPR_INTEGER,
       "an integer stays one as long as it can");
    tw_declaration_free(d);

    d = tw_declaration_parse("country == 'US'", 15, true, NULL);
    ok(d && d->value->type == TW_EXPR_BOOLEAN && d->value->arg[0]->type == TW_EXPR_NAME,
       "what is compared with a text is a name");
    tw_declaration_free(d);
    d = tw_declaration_parse("bid + nonsense", 3, false, NULL);
    ok(d && d->value->arg[0]->op == TW_EXPR_FIELD, "the text ends where its length says");
    tw_declaration_free(d);
}

/* n times `what` around a bid. */
static const char *nest(const char *before, int n, const char *middle, const char *after)
{
    static char text[2 * TW_EXPR_BYTES];
    size_t at = 0;

    for (int i = 0; i < n; i++) at += (size_t)sprintf(text + at, "%s", before);
    at += (size_t)sprintf(text + at, "%s", middle);
    for (int i = 0; i < n; i++) at += (size_t)sprintf(text + at, "%s", after);
    return text;
}

static bool fails(const char *text, size_t n, const char *part)
{
    struct tw_error error = {0};
    struct tw_declaration *d = tw_declaration_parse(text, n, false, &error);
    bool as_said = !d && error.code == TW_EUSAGE && strstr(error.text, part) != NULL;

    if (!as_said) printf("# %s\n", error.text);
    tw_declaration_free(d);
    return as_said;
}

static bool parses(const char *text)
{
    struct tw_error error = {0};
    struct tw_declaration *d = tw_declaration_parse(text, strlen(text), false, &error);

    if (!d) printf("# %s\n", error.text);
    tw_declaration_free(d);
    return d != NULL;
}

static void limits(void)
{
    enum { D = TW_EXPR_DEPTH, HALF = TW_EXPR_NODES / 2 };
    static const struct { const char *before, *middle, *after; } deep[] = {
        { "(", "bid", ")" }, { "-", "bid", "" }, { "not ", "bid", "" },
        { "bid^", "bid", "" },
        { "mean(", "bid", ")" }, { "min(1,", "bid", ")" },
        { "mean(bid) by (", "bid", ")" }, { "bid+(", "bid", ")" },
    };
    const char *text;

    for (size_t i = 0; i < sizeof deep / sizeof deep[0]; i++) {
        text = nest(deep[i].before, 200, deep[i].middle, deep[i].after);
        ok(fails(text, strlen(text), ""), "200 deep: %s", deep[i].before);
    }
    ok(parses(nest("(", D, "bid", ")")), "%d deep is not too deep", D);
    text = nest("(", D + 1, "bid", ")");
    ok(fails(text, strlen(text), "…: column 66: nested more than 64 deep"),
       "one more is");
    ok(parses(nest("bid+", 500, "bid", "")), "a sum of 501 is not deep");
    text = nest("bid+", HALF, "bid", "");
    ok(fails(text, strlen(text), "more than 1024 parts"), "more than %d parts",
       TW_EXPR_NODES);
    text = nest(" ", TW_EXPR_BYTES - 3, "bid", "");
    ok(parses(text), "%d bytes", TW_EXPR_BYTES);
    text = nest(" ", TW_EXPR_BYTES - 2, "bid", "");
    ok(fails(text, strlen(text), "column 4097: longer than 4096 bytes"), "one more");
    text = "min(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)";
    ok(fails(text, strlen(text), "column 37: more than 16 arguments"), "17 arguments");
    ok(fails("bid\0+1", 6, "bid +1: column 4: a byte 0 has no meaning here"), "a byte 0");
}

/* Where the text is long, the error has what is around the place. */
static void excerpts(void)
{
    const char *text = nest("bid + ", 20, "", "* ask");

    ok(fails(text, strlen(text),
             "…bid + bid + bid + bid + bid + * ask* ask* ask* ask* ask* ask…: column 121:"
             " a value expected, got '*'"), "both ends are cut");
    text = nest("'é' + ", 20, "", "* ask");
    ok(fails(text, strlen(text), "column 1: '+' needs numbers, and 'é' is a text"),
       "the first wrong part counts");
    text = "bid\n\t+\r\n)";
    ok(fails(text, strlen(text), "bid  +  ): column 9: a value"), "an error is one line");
    ok(parses("\n bid\t+\r\n ask\v\f "), "lines and tabs are spaces");
    text = nest("é", 60, "", "");
    ok(fails(text, strlen(text), "ééé…: column 1: a byte 195"),
       "a letter is not cut in two");
    ok(fails("bid + 'a b c d e f g h i j k l m n o p q r s t u v'", 51,
             ", and 'a b c d e f g h i j k l m n o p… is a text"), "a long part is cut");
}

/* The n-th allocation fails: it is said, and nothing leaks (the sanitizer looks). */
static void memory(void)
{
    char text[4000] = "mean(bid";
    struct tw_declaration *d = NULL;
    bool said = true;
    unsigned n = 0;

    for (int i = 0; i < 100; i++) strcat(text, " + log(vol.x) * (mean(ask) by a)");
    strcat(text, ") by symbol where 'x' == b");
    for (; !d; n++) {
        struct tw_error error = {0};

        tw_memory_fail_at(n + 1);
        d = tw_declaration_parse(text, strlen(text), false, &error);
        tw_memory_fail_at(0);
        said = said && (d || (error.code == UV_ENOMEM
                              && strcmp(error.text, "not enough memory") == 0));
    }
    ok(said && n > 3, "no memory at one of %u allocations is an error", n - 1);
    tw_declaration_free(d);
    tw_memory_fail_at(1);
    ok(!tw_declaration_parse("bid", 3, false, NULL), "an error need not be asked for");
    tw_memory_fail_at(0);
}

/* A buffer that is too small gets what fits; the length is that of all. */
static void small_buffers(void)
{
    struct tw_declaration *d = tw_declaration_parse("mean(bid) by a", 14, false, NULL);
    char out[40], part[40];
    size_t n = tw_expr_text(d->value, out, sizeof out), wrong_ones = 0;

    for (size_t i = 0; i <= n; i++) {
        memset(part, '#', sizeof part);
        wrong_ones += tw_expr_text(d->value, part, i) != n || part[i] != '#';
        if (i > 0) wrong_ones += memcmp(part, out, i - 1) != 0 || part[i - 1] != 0;
    }
    ok(n == strlen("(mean(bid) by a)") && wrong_ones == 0, "a text is cut to any length");
    tw_declaration_free(d);
    tw_declaration_free(NULL);
}

int main(void)
{
    understood("operators", operators, false);
    understood("conditions", conditions, true);
    understood("functions", functions, false);
    understood("statistics", statistics, false);
    understood("wrong", wrong, false);
    kinds();
    nodes();
    limits();
    excerpts();
    memory();
    small_buffers();
    return tap_done();
}

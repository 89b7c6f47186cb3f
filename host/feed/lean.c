/* lean.c - what the path of one of LEAN's files says about its rows.
 *
 * Why: the rows of a day count milliseconds from midnight, and neither the day nor the
 * symbol nor the time zone is in the file.  New York's summer time is computed
 * by rule, so a result does not depend on the machine's time zone database.
 *
 * Layer host/feed.
 */
#include "feed/lean.h"
#include "feed/timestamp.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define HOUR_NS INT64_C(3600000000000)

enum { TYPE, MARKET, RESOLUTION, SYMBOL, FILE_NAME, PARTS };

struct part { const char *p; size_t n; };

/* The last parts of a path, or false when it has fewer; the first one may be missing. */
static bool split(const char *path, struct part part[PARTS])
{
    const char *end = path + strlen(path);

    for (int i = PARTS - 1; i >= 0; i--) {
        const char *p = end;

        while (p > path && p[-1] != '/') p--;
        part[i] = (struct part){p, (size_t)(end - p)};
        if (i > 1 && p == path) return false;
        end = p - (p > path);
    }
    return true;
}

static bool is(const struct part *part, const char *word)
{
    return part->n == strlen(word) && strncasecmp(part->p, word, part->n) == 0;
}

static int64_t sunday_from(int year, int month, int day)
{
    int64_t days = 0;

    tw_timestamp_days(year, month, day, &days);
    return days + (7 - (days + 4) % 7) % 7;   /* 1970-01-01 was a Thursday */
}

/* Hours from New York's midnight back to Greenwich's.  The clock changes at
 * two o'clock, so the day itself still begins in the old time. */
static int new_york(int year, int64_t days)
{
    int64_t spring = year >= 2007 ? sunday_from(year, 3, 8) : sunday_from(year, 4, 1);
    int64_t autumn = year >= 2007 ? sunday_from(year, 11, 1) : sunday_from(year, 10, 25);

    return days > spring && days <= autumn ? 4 : 5;
}

/* Where rows have the day themselves: the zone of the market's clocks, or NULL. */
static const char *zone_of(const struct part *type, const struct part *market)
{
    if (is(type, "equity")) return is(market, "usa") ? "America/New_York" : NULL;
    if (is(type, "crypto")) return "UTC";
    if (!is(type, "forex") && !is(type, "cfd")) return NULL;
    return is(market, "oanda") ? "UTC" : is(market, "fxcm") ? "-05:00" : NULL;
}

static int64_t seconds_of(const struct part *resolution)
{
    static const struct { const char *name; int64_t seconds; } all[] = {
        {"tick", 0}, {"second", 1}, {"minute", 60}, {"hour", 3600}, {"daily", 86400},
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (is(resolution, all[i].name)) return all[i].seconds;
    return -1;
}

static int set_symbol(struct tw_lean *out, const struct part *symbol, const char *path,
                      struct tw_error *error)
{
    if (symbol->n == 0 || symbol->n > TW_NAME_MAX)
        return tw_fail(error, TW_EUSAGE, "lean: no symbol in '%.200s'", path);
    for (size_t i = 0; i < symbol->n; i++)
        out->symbol[i] = (char)toupper((unsigned char)symbol->p[i]);
    out->symbol[symbol->n] = 0;
    return 0;
}

static int fail_preset(const struct part *type, const struct part *market, bool quote,
                       struct tw_error *error)
{
    return tw_fail(error, TW_EUSAGE, "lean: no preset for %s of '%.*s/%.*s'",
                   quote ? "quotes" : "trades", (int)type->n, type->p, (int)market->n,
                   market->p);
}

static const char *bar_preset(bool equity, bool quote)
{
    return equity ? quote ? "lean-equity-quote-bar" : "lean-equity-trade-bar"
                  : quote ? "lean-quote-bar" : "lean-trade-bar";
}

/* .../TYPE/MARKET/daily/ibm.zip, btcusd_trade.zip: all of the days in one file. */
static int read_long(const struct part *part, int64_t seconds, const char *path,
                     struct tw_lean *out, struct tw_error *error)
{
    const struct part *type = &part[MARKET], *market = &part[RESOLUTION];
    struct part symbol = part[FILE_NAME];
    const char *end = memchr(symbol.p, '.', symbol.n);
    bool equity = is(type, "equity"), quote = !equity;

    if (end) symbol.n = (size_t)(end - symbol.p);
    if (symbol.n > 6 && symbol.p[symbol.n - 6] == '_') {
        quote = strncmp(symbol.p + symbol.n - 6, "_quote", 6) == 0;
        symbol.n -= 6;
    }
    out->zone = zone_of(type, market);
    if (!out->zone) return fail_preset(type, market, quote, error);
    out->preset = bar_preset(equity, quote);
    out->interval_ns = seconds * (HOUR_NS / 3600);
    out->time = "iso";
    return set_symbol(out, &symbol, path, error);
}

/* .../TYPE/MARKET/minute/ibm/20131008_quote.zip: a day. */
static int read_day(const struct part *part, int64_t seconds, const char *path,
                    struct tw_lean *out, struct tw_error *error)
{
    const struct part *file = &part[FILE_NAME], *type = &part[TYPE];
    const struct part *market = &part[MARKET];
    int date = 0, hours = -1;
    bool equity = is(type, "equity"), quote;
    int64_t days;

    for (size_t i = 0; i < 8 && isdigit((unsigned char)file->p[i]); i++)
        date = date * 10 + (file->p[i] - '0');
    quote = file->n >= 15 && strncmp(file->p + 8, "_quote.", 7) == 0;
    if (!tw_timestamp_days(date / 10000, date / 100 % 100, date % 100, &days)
        || (!quote && (file->n < 15 || strncmp(file->p + 8, "_trade.", 7) != 0)))
        return tw_fail(error, TW_EUSAGE, "lean: the file name '%.*s' is not "
                       "YYYYMMDD_quote.zip or YYYYMMDD_trade.zip",
                       (int)file->n, file->p);
    if (equity && is(market, "usa")) {
        if (date / 10000 < 1987)
            return tw_fail(error, TW_EUSAGE, "lean: New York's summer time is only "
                           "known from 1987 on, not in %d", date / 10000);
        hours = new_york(date / 10000, days);
    } else if (zone_of(type, market)) {
        hours = is(market, "fxcm") ? 5 : 0;
    }
    if (hours < 0 || (seconds == 0 && !equity && (!quote || is(type, "crypto"))))
        return fail_preset(type, market, quote, error);
    if (seconds) out->preset = bar_preset(equity, quote);
    else out->preset = !equity ? "lean-fx-quote"
        : quote ? "lean-equity-quote" : "lean-equity-trade";
    out->interval_ns = seconds * (HOUR_NS / 3600);
    out->base_ns = days * 24 * HOUR_NS + hours * HOUR_NS;
    return set_symbol(out, &part[SYMBOL], path, error);
}

int tw_lean_path(const char *path, struct tw_lean *out, struct tw_error *error)
{
    struct part part[PARTS];
    int64_t seconds;

    *out = (struct tw_lean){0};
    if (!split(path, part))
        return tw_fail(error, TW_EUSAGE, "lean: '%.200s' is not a path like "
                       ".../equity/usa/tick/ibm/20131008_quote.zip", path);
    seconds = seconds_of(&part[SYMBOL]);
    if (seconds >= 3600) return read_long(part, seconds, path, out, error);
    seconds = seconds_of(&part[RESOLUTION]);
    if (seconds >= 0 && seconds < 3600) return read_day(part, seconds, path, out, error);
    return tw_fail(error, TW_EUSAGE, "lean: no files of '%.*s' can be read: there are"
                   " tick, second, minute, hour and daily",
                   (int)part[RESOLUTION].n, part[RESOLUTION].p);
}

/* lean.c - what the path of one of LEAN's tick files says about its rows.
 *
 * Why: the rows count milliseconds from midnight, and neither the day nor the
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

/* The last parts of a path, or false when it has fewer. */
static bool split(const char *path, struct part part[PARTS])
{
    const char *end = path + strlen(path);

    for (int i = PARTS - 1; i >= 0; i--) {
        const char *p = end;

        while (p > path && p[-1] != '/') p--;
        part[i] = (struct part){p, (size_t)(end - p)};
        if (i > 0 && p == path) return false;
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

int tw_lean_path(const char *path, struct tw_lean *out, struct tw_error *error)
{
    struct part part[PARTS];
    const struct part *file = &part[FILE_NAME], *symbol = &part[SYMBOL];
    int date = 0, hours;
    bool equity, quote;
    int64_t days;

    if (!split(path, part))
        return tw_fail(error, TW_EUSAGE, "lean: '%.200s' is not a path like "
                       ".../equity/usa/tick/ibm/20131008_quote.zip", path);
    if (!is(&part[RESOLUTION], "tick"))
        return tw_fail(error, TW_EUSAGE, "lean: only tick files can be read, not '%.*s'",
                       (int)part[RESOLUTION].n, part[RESOLUTION].p);
    for (size_t i = 0; i < 8 && isdigit((unsigned char)file->p[i]); i++)
        date = date * 10 + (file->p[i] - '0');
    quote = file->n >= 15 && strncmp(file->p + 8, "_quote.", 7) == 0;
    if (!tw_timestamp_days(date / 10000, date / 100 % 100, date % 100, &days)
        || (!quote && (file->n < 15 || strncmp(file->p + 8, "_trade.", 7) != 0)))
        return tw_fail(error, TW_EUSAGE, "lean: the file name '%.*s' is not "
                       "YYYYMMDD_quote.zip or YYYYMMDD_trade.zip",
                       (int)file->n, file->p);

    equity = is(&part[TYPE], "equity");
    if (equity && is(&part[MARKET], "usa")) {
        if (date / 10000 < 1987)
            return tw_fail(error, TW_EUSAGE, "lean: New York's summer time is only "
                           "known from 1987 on, not in %d", date / 10000);
        hours = new_york(date / 10000, days);
    } else if (!is(&part[TYPE], "forex") && !is(&part[TYPE], "cfd")) {
        hours = -1;
    } else {
        hours = is(&part[MARKET], "oanda") ? 0 : is(&part[MARKET], "fxcm") ? 5 : -1;
    }
    if (hours < 0 || (!equity && !quote))
        return tw_fail(error, TW_EUSAGE, "lean: no preset for %s of '%.*s/%.*s'",
                       quote ? "quotes" : "trades", (int)part[TYPE].n, part[TYPE].p,
                       (int)part[MARKET].n, part[MARKET].p);
    if (symbol->n == 0 || symbol->n > TW_NAME_MAX)
        return tw_fail(error, TW_EUSAGE, "lean: no symbol in '%.200s'", path);

    out->preset = !equity ? "lean-fx-quote"
        : quote ? "lean-equity-quote" : "lean-equity-trade";
    for (size_t i = 0; i < symbol->n; i++)
        out->symbol[i] = (char)toupper((unsigned char)symbol->p[i]);
    out->symbol[symbol->n] = 0;
    out->base_ns = days * 24 * HOUR_NS + hours * HOUR_NS;
    return 0;
}

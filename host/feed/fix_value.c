/* fix_value.c - the values of FIX fields: integers and times.
 *
 * Layer host/feed.  Thread: any.
 */
#include "feed/fix_value.h"

#include "base/fixed.h"
#include "feed/timestamp.h"

bool tw_fix_long_integer(struct tw_fix_text t, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < t.n; i++) {
        unsigned digit = (unsigned char)t.at[i] - (unsigned)'0';

        if (digit > 9) return false;
        v = v * 10 + digit;
    }
    *out = v;
    return t.n - 1 < 19;
}

/* n digits; -1 when they are not. */
static int digits(const char *p, int n)
{
    int v = 0;

    for (; n > 0; n--, p++) {
        if (*p < '0' || *p > '9') return -1;
        v = v * 10 + *p - '0';
    }
    return v;
}

void tw_fix_clock_init(struct tw_fix_clock *c)
{
    *c = (struct tw_fix_clock){ .text = { TW_FIX_SOH } };   /* which no value has */
}

static int read_clock(struct tw_fix_clock *c, const char *p)
{
    int year = digits(p, 4), hour = digits(p + 9, 2), minute = digits(p + 12, 2);
    int tens = digits(p + 15, 1);
    int64_t day;

    if (year < 1970 || year > 2261 || p[8] != '-' || p[11] != ':' || p[14] != ':' ||
        hour < 0 || hour > 23 || minute < 0 || minute > 59 || tens < 0 || tens > 6 ||
        !tw_timestamp_days(year, digits(p + 4, 2), digits(p + 6, 2), &day))
        return TW_EFORMAT;
    c->text[0] = tw_fix_word(p);
    c->text[1] = tw_fix_word(p + 8);
    c->ns = (day * 86400 + hour * 3600 + minute * 60 + tens * 10) * TW_FIXED_ONE;
    return TW_OK;
}

int tw_fix_any_time(struct tw_fix_clock *c, struct tw_fix_text t, int64_t *out)
{
    struct tw_fix_text seconds = { t.at + 16, t.n - 16 };

    if (t.n < 17) return TW_EFORMAT;
    if (!tw_fix_clock_knows(c, t.at) && read_clock(c, t.at) != TW_OK) return TW_EFORMAT;
    if (*seconds.at < '0' || *seconds.at > (t.at[15] == '6' ? '0' : '9') ||
        seconds.n == 2 || (seconds.n > 2 && seconds.at[1] != '.') ||
        tw_fixed_parse(seconds.at, seconds.n, out) != TW_OK)
        return TW_EFORMAT;
    *out += c->ns;
    return TW_OK;
}

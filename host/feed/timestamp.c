/* timestamp.c - the ways a file writes a time, to nanoseconds since the epoch. */
#include "feed/timestamp.h"

#include <string.h>

#include "base/clock.h"
#include "base/word.h"


struct cursor { const char *p, *end; };

static bool digit(const struct cursor *at)
{
    return at->p < at->end && *at->p >= '0' && *at->p <= '9';
}

static bool accept(struct cursor *at, char c)
{
    if (at->p == at->end || *at->p != c) return false;
    at->p++;
    return true;
}

static bool digits(struct cursor *at, int count, int *value)
{
    for (*value = 0; count > 0; count--) {
        if (!digit(at)) return false;
        *value = *value * 10 + (*at->p++ - '0');
    }
    return true;
}

bool tw_timestamp_days(int year, int month, int day, int64_t *days)
{
    static const short before[13] =
        {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t y = year - 1;

    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    if (day > before[month] - before[month - 1] + (leap && month == 2)) return false;
    *days = 365 * y + y / 4 - y / 100 + y / 400 + before[month - 1]
        + (leap && month > 2) + day - 1 - 719162;   /* 0001-01-01 to 1970-01-01 */
    return true;
}

/* Decimals of a unit that is `unit` nanoseconds long. */
static int fraction(struct cursor *at, int64_t unit, int64_t *ns)
{
    for (*ns = 0; digit(at); at->p++) {
        unit /= 10;
        if (unit == 0 && *at->p != '0') return TW_ERANGE;
        *ns += unit * (*at->p - '0');
    }
    return 0;
}

static TW_APART int number(struct cursor at, int64_t unit, int64_t *ns)
{
    bool minus = accept(&at, '-');
    const char *first = at.p;
    int64_t v = 0, part = 0;
    uint64_t eight;
    bool fits = true;

    for (int i = 0; i < 2 && at.end - at.p >= 8; i++, at.p += 8) {
        if (!tw_word_number(tw_word_load(at.p), &eight)) break;
        v = v * 100000000 + (int64_t)eight;
    }
    for (; digit(&at); at.p++)
        fits = fits && !__builtin_mul_overflow(v, 10, &v)
            && !__builtin_add_overflow(v, *at.p - '0', &v);
    if (at.p == first) return TW_EFORMAT;
    if (accept(&at, '.')) {
        if (!digit(&at)) return TW_EFORMAT;
        if (fraction(&at, unit, &part)) fits = false;
        while (digit(&at)) at.p++;
    }
    if (at.p != at.end) return TW_EFORMAT;
    if (!fits || __builtin_mul_overflow(v, unit, &v)
        || __builtin_add_overflow(v, part, &v)) return TW_ERANGE;
    *ns = minus ? -v : v;
    return 0;
}

/* Digits alone, as most files have them: eight at a time, the last ones with those before
 * them.  False: look closer. */
static bool digits_alone(const char *p, size_t n, uint64_t *v)
{
    static const uint32_t power10[8] =
        {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    unsigned rest = n % 8;
    uint64_t eight, w;

    if (n < 8 || n > 19 || !tw_word_number(tw_word_load(p), v)) return false;
    if (n >= 16) {
        if (!tw_word_number(tw_word_load(p + 8), &eight)) return false;
        *v = *v * 100000000 + eight;
    }
    if (rest == 0) return true;
    w = tw_word_load(p + n - 8) & ~UINT64_C(0) << (64 - 8 * rest);
    if (!tw_word_number(w | TW_WORD_OF('0') >> 8 * rest, &eight)) return false;
    *v = *v * power10[rest] + eight;
    return true;
}

/* Z, +05, +0530 or +05:30, or nothing: seconds east of Greenwich. */
static bool zone(struct cursor *at, int *seconds)
{
    int hours, minutes = 0;
    bool west;

    *seconds = 0;
    if (at->p == at->end || accept(at, 'Z') || accept(at, 'z')) return true;
    west = accept(at, '-');
    if (!west && !accept(at, '+')) return false;
    if (!digits(at, 2, &hours)) return false;
    if ((accept(at, ':') || digit(at)) && !digits(at, 2, &minutes)) return false;
    if (hours > 23 || minutes > 59) return false;
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

static TW_APART int iso(struct cursor at, int64_t *ns)
{
    int year, month, day, hour = 0, minute = 0, second = 0, east = 0;
    int64_t days, part = 0;
    bool extended, colons;
    int r;

    if (!digits(&at, 4, &year)) return TW_EFORMAT;
    extended = accept(&at, '-');
    if (!digits(&at, 2, &month) || extended != accept(&at, '-')
        || !digits(&at, 2, &day)
        || !tw_timestamp_days(year, month, day, &days)) return TW_EFORMAT;
    if (at.p < at.end) {
        /* FIX writes 20240102-09:30:00, and 20240102093000 has no sign at all. */
        if (!accept(&at, 'T') && !accept(&at, 't') && !accept(&at, ' ')
            && !(!extended && (accept(&at, '-') || digit(&at)))) return TW_EFORMAT;
        if (!digits(&at, 2, &hour)) return TW_EFORMAT;
        colons = accept(&at, ':');
        if (!digits(&at, 2, &minute)) return TW_EFORMAT;
        if (colons ? accept(&at, ':') : digit(&at)) {
            if (!digits(&at, 2, &second)) return TW_EFORMAT;
            if (accept(&at, '.') || accept(&at, ',') || !colons) {
                r = fraction(&at, TW_SECOND_NS, &part);
                if (r) return r;
            }
        }
        while (accept(&at, ' ')) { }
        if (!zone(&at, &east) || at.p != at.end) return TW_EFORMAT;
    }
    /* 60: a leap second, which the epoch's count does not have. */
    if (hour > 23 || minute > 59 || second > 60) return TW_EFORMAT;
    if (year < 1678 || year > 2261) return TW_ERANGE;
    *ns = (days * 86400 + hour * 3600 + minute * 60 + second - east) * TW_SECOND_NS
          + part;
    return 0;
}

/* 2006-01-02, as most files have it; last has the result.  False: look closer. */
static bool date_alone(const char *text, struct tw_timestamp_date *last)
{
    const uint64_t first = tw_word_load(text);
    const uint64_t next = (unsigned char)text[8] | (uint64_t)(unsigned char)text[9] << 8;
    uint64_t date;
    unsigned year;
    int64_t days;

    if ((first & UINT64_C(0xff0000ff00000000)) != UINT64_C(0x2d00002d00000000)
        || !tw_word_number((first & UINT32_MAX) | (first >> 8 & UINT64_C(0xffff) << 32)
                           | next << 48, &date)) return false;
    year = (unsigned)date / 10000;
    if (year < 1678 || year > 2261
        || !tw_timestamp_days((int)year, (int)((unsigned)date / 100 % 100),
                              (int)((unsigned)date % 100), &days)) return false;
    memcpy(last->text, text, sizeof last->text);
    last->days = days;
    return true;
}

bool tw_timestamp_parse_apart(const char *date, const char *clock,
                              struct tw_timestamp_date *last, int64_t *ns)
{
    const uint64_t w = tw_word_load(clock);
    uint64_t time;
    unsigned hour, minute, second;

    if ((w & UINT64_C(0x0000ff0000ff0000)) != UINT64_C(0x00003a00003a0000)
        || !tw_word_number((w & 0xffff) << 16 | (w << 8 & UINT64_C(0xffff) << 32)
                           | (w >> 48) << 48 | 0x3030, &time)) return false;
    hour = (unsigned)time / 10000;
    minute = (unsigned)time / 100 % 100;
    second = (unsigned)time % 100;
    if (hour > 23 || minute > 59 || second > 60) return false;
    if (memcmp(date, last->text, sizeof last->text) != 0 && !date_alone(date, last))
        return false;
    *ns = (last->days * 86400 + hour * 3600 + minute * 60 + second) * TW_SECOND_NS;
    return true;
}

int tw_timestamp_parse_next(const char *text, size_t n, enum tw_csv_time form,
                            struct tw_timestamp_date *last, int64_t *ns)
{
    static const int64_t unit[] = {1, 1000, 1000000, TW_SECOND_NS};
    struct cursor at = {text, text + n};
    uint64_t v;
    int64_t at_ns;

    if (form == TW_CSV_ISO && n == 19 && (text[10] == ' ' || text[10] == 'T')
        && tw_timestamp_parse_apart(text, text + 11, last, ns)) return 0;
    if (form == TW_CSV_ISO) return iso(at, ns);
    if (digits_alone(text, n, &v) && !__builtin_mul_overflow(v, unit[form], &at_ns)) {
        *ns = at_ns;
        return 0;
    }
    return number(at, unit[form], ns);
}

int tw_timestamp_parse(const char *text, size_t n, enum tw_csv_time form, int64_t *ns)
{
    struct tw_timestamp_date none = {{0}, 0};

    return tw_timestamp_parse_next(text, n, form, &none, ns);
}

int tw_timestamp_look(const char *text, size_t n)
{
    struct cursor at = {text, text + n};
    bool date = n >= 8 && (memcmp(text, "19", 2) == 0 || memcmp(text, "20", 2) == 0);
    int64_t ns;
    size_t whole;

    accept(&at, '-');
    for (whole = 0; digit(&at); at.p++) whole++;
    if (number((struct cursor){text, at.end}, 1, &ns) != TW_EFORMAT) {
        date = date && (whole == 8 || whole == 14 || whole == 17);
        if (date && tw_timestamp_parse(text, n, TW_CSV_ISO, &ns) == 0) return TW_CSV_ISO;
        return whole <= 11 ? TW_CSV_S : whole <= 14 ? TW_CSV_MS
            : whole <= 17 ? TW_CSV_US : TW_CSV_NS;
    }
    return tw_timestamp_parse(text, n, TW_CSV_ISO, &ns) == TW_EFORMAT
        ? TW_EFORMAT : TW_CSV_ISO;
}

bool tw_timestamp_has_zone(const char *text, size_t n)
{
    for (size_t i = 11; i < n; i++)
        if (text[i] == '+' || text[i] == '-' || text[i] == 'Z' || text[i] == 'z')
            return true;
    return false;
}

bool tw_timestamp_is_date(const char *text, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++) digits += text[i] >= '0' && text[i] <= '9';
    return digits == 8 && (n == 8 || (n == 10 && text[4] == '-' && text[7] == '-'));
}

/* kind.c - whether bytes are a value of a kind: R22.
 *
 * Layer host/fix.  Thread: any.
 */
#include "base/word.h"
#include "fix/check.h"

static inline bool digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

static bool digits(const char *p, size_t n)
{
    for (; n > 0; n--, p++)
        if (!digit(*p)) return false;
    return true;
}

static int number(const char *p, size_t n)
{
    int v = 0;

    for (; n > 0; n--, p++) v = v * 10 + (*p - '0');
    return v;
}

static bool is_integer(const char *p, size_t n)
{
    if (n && *p == '-') p++, n--;
    return n && digits(p, n);
}

/* A sign or none, digits and a point, at least one digit; no exponent. */
static bool is_decimal(const char *p, size_t n)
{
    size_t seen = 0;
    bool point = false;

    if (n && *p == '-') p++, n--;
    for (; n > 0; n--, p++) {
        if (digit(*p)) seen++;
        else if (*p == '.' && !point) point = true;
        else return false;
    }
    return seen > 0;
}

static bool is_date(const char *p, size_t n)
{
    static const char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year, month, day;
    uint64_t date;

    if (n != 8 || !tw_word_number(tw_word_load(p), &date)) return false;
    year = (unsigned)date / 10000;
    month = (unsigned)date / 100 % 100;
    day = (unsigned)date % 100;
    if (month - 1 > 11 || day - 1 > (unsigned)days[month - 1] - 1) return false;
    return !(month == 2 && day == 29)
        || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* HH:MM:SS, or with a point and one to nine decimals (twelve in 5.0SP2). */
static bool is_time(const char *p, size_t n)
{
    const uint64_t colons = UINT64_C(0x0000ff0000ff0000);
    uint64_t w;

    if (n < 8) return false;
    w = tw_word_load(p);
    if (p[2] != ':' || p[5] != ':'
        || tw_word_below((w ^ TW_WORD_OF('0')) & ~colons, 10) != TW_WORD_OF(128))
        return false;
    if (number(p, 2) > 23 || p[3] > '5' || number(p + 6, 2) > 60) return false;
    return n == 8 || (n > 9 && n <= 21 && p[8] == '.' && digits(p + 9, n - 9));
}

static bool is_month_year(const char *p, size_t n)
{
    int month;

    if (n < 6 || !digits(p, 6)) return false;
    month = number(p + 4, 2);
    if (month < 1 || month > 12) return false;
    return n == 6 || is_date(p, n)
        || (n == 8 && p[6] == 'w' && p[7] >= '1' && p[7] <= '5');
}

/* Words of one byte, a blank between two. */
static bool are_chars(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] == ' ') != (i % 2 == 1)) return false;
    return n % 2 == 1;
}

bool tw_fix_kind_fits(enum tw_fix_kind k, const char *p, size_t n)
{
    switch (k) {
    case TW_FIX_CHAR: return n == 1;
    case TW_FIX_CHARS: return are_chars(p, n);
    case TW_FIX_BOOLEAN: return n == 1 && (*p == 'Y' || *p == 'N');
    case TW_FIX_INT: return is_integer(p, n);
    case TW_FIX_LENGTH: case TW_FIX_SEQNUM: case TW_FIX_NUMINGROUP:
        return n && digits(p, n);
    case TW_FIX_DAYOFMONTH:
        return n - 1 < 2 && digits(p, n) && number(p, n) - 1 < 31 && number(p, n) > 0;
    case TW_FIX_FLOAT: return is_decimal(p, n);
    case TW_FIX_TIMESTAMP:
        return n >= 17 && p[8] == '-' && is_date(p, 8) && is_time(p + 9, n - 9);
    case TW_FIX_TIMEONLY: return is_time(p, n);
    case TW_FIX_DATE: return is_date(p, n);
    case TW_FIX_MONTHYEAR: return is_month_year(p, n);
    case TW_FIX_STRING: case TW_FIX_STRINGS: case TW_FIX_TZ: case TW_FIX_DATA:
    case TW_FIX_KINDS: break;
    }
    return true;
}

/* literal.c - numbers and characters as C writes them.
 *
 * Layer lua.
 */
#include "parse.h"

#include <string.h>

enum { NUMBER_MAX = 200 };

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
           c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* u, l, ll in any order and case: is_unsigned, and how many l.  false: it is none. */
static bool read_suffix(const char *at, const char *end, bool *is_unsigned, int *longs)
{
    for (; at < end; at++) {
        if (*at == 'u' || *at == 'U') {
            if (*is_unsigned) return false;
            *is_unsigned = true;
        } else if (*at == 'l' || *at == 'L') {
            if (*longs) return false;
            *longs = end - at > 1 && at[1] == *at ? 2 : 1;
            at += *longs - 1;
        } else {
            return false;
        }
    }
    return true;
}

static struct ltw_cvalue integer(struct ltw_cparser *p)
{
    const char *at = p->scan.text, *end = at + p->scan.n;
    bool is_unsigned = false, decimal = false, octal = false;
    int longs = 0, base = 10;
    enum ltw_cbasic b;
    uint64_t u = 0;

    if (*at == '0' && end - at > 2 && (at[1] == 'x' || at[1] == 'X')) base = 16;
    else if (*at == '0' && end - at > 2 && (at[1] == 'b' || at[1] == 'B')) base = 2;
    else if (*at == '0') octal = true;
    else decimal = true;
    if (octal) base = 8;
    else if (!decimal) at += 2;
    for (; at < end && digit_of(*at) < base; at++)
        if (__builtin_mul_overflow(u, (uint64_t)base, &u) ||
            __builtin_add_overflow(u, (uint64_t)digit_of(*at), &u))
            ltw_cfail(p, "a number of more than 64 bits");
    if (!read_suffix(at, end, &is_unsigned, &longs))
        ltw_cfail(p, "malformed number");
    b = longs == 2 ? LTW_B_LLONG : longs || u > UINT32_MAX ? LTW_B_LONG : LTW_B_INT;
    if (b == LTW_B_INT && u > INT32_MAX && !is_unsigned) {
        if (decimal) b = LTW_B_LONG;
        else is_unsigned = true;
    }
    if (u > INT64_MAX) is_unsigned = true;
    if (is_unsigned) b++;               /* each signed type's unsigned one follows it */
    return (struct ltw_cvalue){ .use = { ltw_cbasic(p->s, b), false }, .u = u,
                                .known = true };
}

static struct ltw_cvalue floating(struct ltw_cparser *p)
{
    char text[NUMBER_MAX];
    size_t n = p->scan.n;
    bool hexadecimal = n > 1 && (p->scan.text[1] == 'x' || p->scan.text[1] == 'X');
    enum ltw_cbasic b = LTW_B_DOUBLE;
    struct ltw_cvalue v = { .known = true };

    if (n >= sizeof text) ltw_cfail(p, "malformed number");
    memcpy(text, p->scan.text, n);
    while (n && strchr("fFlL", text[n - 1]) &&
           !(hexadecimal && !memchr(text, 'p', n) && !memchr(text, 'P', n))) {
        b = text[n - 1] == 'f' || text[n - 1] == 'F' ? LTW_B_FLOAT : LTW_B_LDOUBLE;
        n--;
        break;
    }
    text[n] = 0;
    if (!lua_stringtonumber(p->L, text)) ltw_cfail(p, "malformed number");
    v.d = lua_tonumber(p->L, -1);
    if (b == LTW_B_FLOAT) v.d = (float)v.d;
    lua_pop(p->L, 1);
    v.use.type = ltw_cbasic(p->s, b);
    return v;
}

static struct ltw_cvalue number(struct ltw_cparser *p)
{
    const char *text = p->scan.text;
    size_t n = p->scan.n;
    bool hexadecimal = n > 1 && *text == '0' && (text[1] == 'x' || text[1] == 'X');

    if (memchr(text, '.', n) || memchr(text, hexadecimal ? 'p' : 'e', n) ||
        memchr(text, hexadecimal ? 'P' : 'E', n)) return floating(p);
    return integer(p);
}

/* One character or escape: its value, of one byte, and where it ends. */
static unsigned unescape(struct ltw_cparser *p, const char **at, const char *end)
{
    static const char letters[] = "abefnrtv", values[] = "\a\b\033\f\n\r\t\v";
    const char *letter;
    unsigned u = 0;
    int digits = 0;

    if (**at != '\\') return (unsigned char)*(*at)++;
    ++*at;
    letter = strchr(letters, **at);
    if (letter && **at) {
        ++*at;
        return (unsigned char)values[letter - letters];
    }
    if (**at == 'x') {
        for (++*at; *at < end && digit_of(**at) < 16 && u < 256; ++*at, digits++)
            u = u * 16 + (unsigned)digit_of(**at);
        if (!digits || u > 255) ltw_cfail(p, "malformed escape");
        return u;
    }
    if (digit_of(**at) < 8) {
        for (; *at < end && digits < 3 && digit_of(**at) < 8; ++*at, digits++)
            u = u * 8 + (unsigned)digit_of(**at);
        if (u > 255) ltw_cfail(p, "malformed escape");
        return u;
    }
    if (!**at || !strchr("'\"?\\", **at)) ltw_cfail(p, "malformed escape");
    return (unsigned char)*(*at)++;
}

static struct ltw_cvalue character(struct ltw_cparser *p)
{
    const char *at = p->scan.text, *end = at + p->scan.n - 1;
    bool wide = *at == 'L' || *at == 'u' || *at == 'U';
    struct ltw_cvalue v = { .use = { ltw_cbasic(p->s, LTW_B_INT), false },
                            .known = true };
    uint32_t u = 0;
    int n = 0;

    for (at = strchr(at, '\'') + 1; at < end; n++) u = u << 8 | unescape(p, &at, end);
    if (n == 0 || n > (wide ? 1 : 4) || at > end) ltw_cfail(p, "malformed character");
    v.i = n == 1 && !wide ? (char)u : (int32_t)u;
    return v;
}

struct ltw_cvalue ltw_cliteral(struct ltw_cparser *p)
{
    struct ltw_cvalue v = p->scan.kind == LTW_T_CHAR ? character(p) :
                          p->scan.kind == LTW_T_VALUE ? p->scan.param->value : number(p);

    ltw_cscan_next(p);
    return v;
}

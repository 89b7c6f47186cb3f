/* token.c - the words of a declaration, and errors that point at one of them.
 *
 * Why not Lua's own reader: host/ has never heard of Lua, and times (10s, 1.5m), `by`
 * and `where` are not Lua's.  What is written as in Lua means the same as there.
 *
 * Layer host/stat.
 */
#include "stat/token.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AROUND = 60, PART = 32 };   /* bytes of the text in an error, of a part of it */

/* In the order of enum tw_token_type; a longer one before what it begins with. */
static const char *const words[] = { "and", "or", "not", "by", "where", "true", "false" };
static const char *const signs[] = {
    "==", "~=", "<=", ">=", "<", ">", "//", "+", "-", "*", "/", "%", "^", "(", ")", ",",
    "=", ".", "[", "]"
};
_Static_assert(TW_TOKEN_AND + sizeof words / sizeof words[0] == TW_TOKEN_EQ, "words");
_Static_assert(TW_TOKEN_EQ + sizeof signs / sizeof signs[0] == TW_TOKENS, "signs");

/* Other languages' signs. */
static const char *const wrong[][2] = {
    { "!=", "~=" }, { "&&", "and" }, { "||", "or" }, { "!", "not" }
};

static const struct unit { const char *name; int64_t ns; } units[] = {
    { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
    { "m", INT64_C(60000000000) }, { "h", INT64_C(3600000000000) },
    { "d", INT64_C(86400000000000) }
};

#define COUNT(list) (sizeof list / sizeof list[0])

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* ---- errors ---- */

/* Copies [from, to), which never begins or ends inside a letter of UTF-8, as one
 * line; how many bytes. */
static size_t copy_line(char *out, const struct tw_source *s, unsigned from, unsigned to)
{
    size_t n = 0;

    while (from < to && from > 0 && (s->text[from] & 0xC0) == 0x80) from++;
    while (to > from && to < s->n && (s->text[to] & 0xC0) == 0x80) to--;
    for (; from < to; from++) {
        unsigned char c = (unsigned char)s->text[from];

        out[n++] = c < ' ' || c == 127 ? ' ' : (char)c;
    }
    out[n] = 0;
    return n;
}

struct tw_slice tw_source_slice(const struct tw_source *s, unsigned from, unsigned to)
{
    struct tw_slice slice;
    bool cut = to - from > PART;
    size_t n = copy_line(slice.text, s, from, cut ? from + PART : to);

    if (cut) strcpy(slice.text + n, "…");
    return slice;
}

struct tw_slice tw_token_slice(const struct tw_source *s, const struct tw_token *t)
{
    struct tw_slice part = tw_source_slice(s, t->from, t->to), slice = {"the end"};

    if (t->type == TW_TOKEN_TEXT) return part;
    if (t->type != TW_TOKEN_END)
        snprintf(slice.text, sizeof slice.text, "'%.44s'", part.text);
    return slice;
}

void tw_source_fail(struct tw_source *s, unsigned at, const char *format, ...)
{
    unsigned from = 0, to = s->n;
    char around[AROUND + 1], what[400];
    va_list args;

    if (s->failed) return;
    s->failed = true;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (s->n > AROUND) {
        from = at > AROUND / 2 ? at - AROUND / 2 : 0;
        if (from > s->n - AROUND) from = s->n - AROUND;
        to = from + AROUND;
    }
    copy_line(around, s, from, to);
    tw_fail(s->error, TW_EUSAGE, "%s%s%s%scolumn %u: %s", from > 0 ? "…" : "", around,
            to < s->n ? "…" : "", s->n > 0 ? ": " : "", at + 1, what);
}

/* ---- tokens ---- */

/* A time must be a whole number of ns, and is never rounded. */
static void read_time(struct tw_source *s, struct tw_token *t, unsigned end,
                      const struct unit *unit)
{
    int64_t whole = 0, part = 0, scale = unit->ns;
    bool fits = true, exact = true;
    unsigned i = t->from;

    for (; is_digit(s->text[i]); i++)
        fits = fits && !__builtin_mul_overflow(whole, 10, &whole)
            && !__builtin_add_overflow(whole, s->text[i] - '0', &whole);
    if (s->text[i] == '.') i++;
    for (; is_digit(s->text[i]); i++) {
        int digit = s->text[i] - '0';

        exact = exact && (scale % 10 == 0 || digit == 0);
        scale /= 10;
        part += digit * scale;
    }
    fits = fits && !__builtin_mul_overflow(whole, unit->ns, &whole)
        && !__builtin_add_overflow(whole, part, &whole);
    t->type = TW_TOKEN_TIME;
    t->integer = whole;
    if (i < end)
        tw_source_fail(s, t->from, "a time has no exponent");
    else if (!fits)
        tw_source_fail(s, t->from, "too long a time: 106751d at most");
    else if (!exact)
        tw_source_fail(s, t->from, "a time is a whole number of ns");
}

/* As Lua: what has neither point nor exponent is an integer, if it fits in one. */
static void read_number(struct tw_source *s, struct tw_token *t)
{
    const char *p = s->text + t->from, *end;
    bool is_whole = true, fits = true;
    char *stop;

    while (is_digit(*p)) p++;
    if (*p == '.') {
        is_whole = false;
        do p++; while (is_digit(*p));
    }
    if ((*p == 'e' || *p == 'E')
        && (is_digit(p[1]) || ((p[1] == '+' || p[1] == '-') && is_digit(p[2])))) {
        is_whole = false;
        for (p += 2; is_digit(*p);) p++;
    }
    for (end = p; is_letter(*end) || is_digit(*end) || *end == '.'; end++) {}
    t->to = (unsigned)(end - s->text);
    for (unsigned i = 0; end > p && i < COUNT(units); i++)
        if (strlen(units[i].name) == (size_t)(end - p)
            && memcmp(units[i].name, p, (size_t)(end - p)) == 0) {
            read_time(s, t, (unsigned)(p - s->text), &units[i]);
            return;
        }
    if (end > p) {
        tw_source_fail(s, t->from, "'%s' is no number; a time is in ns, us,"
                       " ms, s, m, h or d", tw_source_slice(s, t->from, t->to).text);
        return;
    }
    t->type = TW_TOKEN_INTEGER;
    t->integer = 0;
    for (p = s->text + t->from; is_whole && fits && p < end; p++)
        fits = !__builtin_mul_overflow(t->integer, 10, &t->integer)
            && !__builtin_add_overflow(t->integer, *p - '0', &t->integer);
    if (is_whole && fits) return;
    t->type = TW_TOKEN_NUMBER;
    t->number = strtod(s->text + t->from, &stop);
    if (stop != end || isinf(t->number))
        tw_source_fail(s, t->from, stop != end ? "this is no number"
                       : "too large a number");
}

static void read_text(struct tw_source *s, struct tw_token *t)
{
    const char *p = s->text + t->from, quote = *p;

    for (p++; *p && *p != quote && *p != '\n'; p++) {
        if (*p != '\\') continue;
        p++;
        if (*p == '\\' || *p == '"' || *p == '\'') continue;
        tw_source_fail(s, (unsigned)(p - 1 - s->text),
                       "after a \\ comes another one or a quote");
        return;
    }
    if (*p != quote)
        tw_source_fail(s, t->from, "the text has no closing %c", quote);
    t->type = TW_TOKEN_TEXT;
    t->to = (unsigned)(p + (*p == quote) - s->text);
}

void tw_token_text(const struct tw_source *s, const struct tw_token *t, char *out)
{
    for (unsigned i = t->from + 1; i + 1 < t->to; i++) {
        if (s->text[i] == '\\') i++;
        *out++ = s->text[i];
    }
    *out = 0;
}

static void read_word(struct tw_source *s, struct tw_token *t)
{
    const char *p = s->text + t->from;
    size_t n = 0;

    while (is_letter(p[n]) || is_digit(p[n])) n++;
    t->type = TW_TOKEN_NAME;
    t->to = t->from + (unsigned)n;
    for (unsigned i = 0; i < COUNT(words); i++)
        if (strlen(words[i]) == n && memcmp(words[i], p, n) == 0)
            t->type = TW_TOKEN_AND + i;
}

static void read_sign(struct tw_source *s, struct tw_token *t)
{
    const char *p = s->text + t->from;

    for (unsigned i = 0; i < COUNT(signs); i++) {
        size_t n = strlen(signs[i]);

        if (strncmp(signs[i], p, n) != 0) continue;
        t->type = TW_TOKEN_EQ + i;
        t->to = t->from + (unsigned)n;
        return;
    }
    for (unsigned i = 0; i < COUNT(wrong); i++)
        if (strncmp(wrong[i][0], p, strlen(wrong[i][0])) == 0)
            tw_source_fail(s, t->from, "%s is not known: use %s", wrong[i][0],
                           wrong[i][1]);
    if ((unsigned char)*p > ' ' && (unsigned char)*p < 127)
        tw_source_fail(s, t->from, "'%c' has no meaning here", *p);
    else
        tw_source_fail(s, t->from, "a byte %d has no meaning here",
                       (unsigned char)*p);
}

struct tw_token tw_token_read(struct tw_source *s, unsigned at)
{
    struct tw_token t = { .type = TW_TOKEN_END };
    char c;

    while (at < s->n && is_space(s->text[at])) at++;
    t.from = t.to = at;
    if (s->failed || at == s->n) return t;
    c = s->text[at];
    if (is_digit(c) || (c == '.' && is_digit(s->text[at + 1]))) read_number(s, &t);
    else if (is_letter(c)) read_word(s, &t);
    else if (c == '"' || c == '\'') read_text(s, &t);
    else read_sign(s, &t);
    if (s->failed) t.type = TW_TOKEN_END;
    return t;
}

bool tw_token_time(const char *text, size_t n, int64_t *ns)
{
    struct tw_error ignored;
    struct tw_source s = { .text = text, .n = (unsigned)n, .error = &ignored };
    struct tw_token t;

    if (n > PART || strlen(text) != n) return false;
    t = tw_token_read(&s, 0);
    *ns = t.integer;
    return t.type == TW_TOKEN_TIME && tw_token_read(&s, t.to).type == TW_TOKEN_END
        && !s.failed;
}

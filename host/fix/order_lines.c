/* order_lines.c - lines of text that are kept of orders, positions and accounts. */
#include "fix/order_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool reserve(struct tw_fix_lines *l, size_t more)
{
    char *grown;

    if (l->n + more <= l->room) return true;
    grown = tw_grow(l->text, &l->room, l->n + more, 1);
    if (!grown) {
        l->lost = true;
        return false;
    }
    l->text = grown;
    return true;
}

void tw_fix_lines_put(struct tw_fix_lines *l, const char *format, ...)
{
    va_list args;

    if (!reserve(l, TW_FIX_LINE)) return;
    va_start(args, format);
    l->n += (size_t)vsnprintf(l->text + l->n, TW_FIX_LINE, format, args);
    va_end(args);
}

void tw_fix_lines_add(struct tw_fix_lines *l, const char *text, size_t n)
{
    if (n == 0 || !reserve(l, n)) return;
    memcpy(l->text + l->n, text, n);
    l->n += n;
}

const char *tw_fix_line_word(const char *name, char *out, size_t room)
{
    char *p = out, *end = out + room - 4;

    if (strcmp(name, "-") == 0) return memcpy(out, "%2D", 4);
    for (; *name && p < end; name++) {
        unsigned char c = (unsigned char)*name;

        if (c > ' ' && c != '%' && c != 127) *p++ = (char)c;
        else p += snprintf(p, 4, "%%%02X", c);
    }
    *p = 0;
    return out;
}

char *tw_fix_line_name(const struct tw_fix_line *l, size_t i)
{
    char *text = l->word[i], *out = text;

    for (char *p = text; *p; p++) {
        unsigned c;

        if (*p == '%' && p[1] && p[2] && sscanf(p + 1, "%2X", &c) == 1) {
            *out++ = (char)c;
            p += 2;
        } else {
            *out++ = *p;
        }
    }
    *out = 0;
    return text;
}

void tw_fix_line_split(struct tw_fix_line *l, char *text)
{
    char *save = NULL;

    l->n = 0;
    for (char *p = strtok_r(text, " ", &save); p && l->n < TW_FIX_WORDS;
         p = strtok_r(NULL, " ", &save))
        l->word[l->n++] = p;
}

int64_t tw_fix_line_number(const struct tw_fix_line *l, size_t i)
{
    return strtoll(l->word[i], NULL, 10);
}

uint64_t tw_fix_line_count(const struct tw_fix_line *l, size_t i)
{
    return strtoull(l->word[i], NULL, 10);
}

tw_money tw_fix_line_money(const struct tw_fix_line *l, size_t i)
{
    char *colon;
    int64_t high = strtoll(l->word[i], &colon, 10);
    uint64_t low = *colon == ':' ? strtoull(colon + 1, NULL, 10) : 0;

    return high * ((tw_money)1 << 64) + low;
}

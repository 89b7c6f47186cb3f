/* offers.c - the candidates of a completion.
 *
 * Layer lua/main.
 */
#include "main/offers.h"

#include <stdio.h>

#include "main/glyph.h"

enum { OFFERS_MAX = 500, SHOWN_MAX = 100 };

void ltw_offers_clear(struct ltw_offers *o)
{
    o->texts.n = 0;
    o->n = 0;
}

void ltw_offers_add(struct ltw_offers *o, const char *text, size_t n)
{
    if (o->n == OFFERS_MAX || !ltw_bytes_reserve(&o->texts, n + 1)) return;
    ltw_bytes_add(&o->texts, text, n);
    ltw_bytes_add(&o->texts, "", 1);
    o->n++;
}

size_t ltw_offers_common(const struct ltw_offers *o)
{
    const char *first = o->texts.at, *text = first;
    size_t n = strlen(first);

    for (unsigned i = 1; i < o->n; i++) {
        size_t same = 0;

        text += strlen(text) + 1;
        while (same < n && text[same] == first[same]) same++;
        n = same;
    }
    while (n > 0 && ((unsigned char)first[n] & 0xC0) == 0x80) n--;
    return n;
}

void ltw_offers_list(const struct ltw_offers *o, unsigned width, struct tw_bytes *out)
{
    unsigned widest = 0, per, lines, shown = o->n < SHOWN_MAX ? o->n : SHOWN_MAX;
    const char *text[SHOWN_MAX], *at = o->texts.at;
    char rest[64];

    for (unsigned i = 0; i < shown; i++, at += strlen(at) + 1) {
        unsigned columns = ltw_glyph_width(at, strlen(at));

        text[i] = at;
        if (columns > widest) widest = columns;
    }
    per = (width - 1) / (widest + 2) ? (width - 1) / (widest + 2) : 1;
    lines = (shown + per - 1) / per;
    for (unsigned row = 0; row < lines; row++) {
        for (unsigned i = row; i < shown; i += lines) {
            unsigned pad = widest + 2 - ltw_glyph_width(text[i], strlen(text[i]));

            ltw_bytes_add_text(out, text[i]);
            for (; i + lines < shown && pad > 0; pad--) ltw_bytes_add_text(out, " ");
        }
        ltw_bytes_add_text(out, "\n");
    }
    snprintf(rest, sizeof rest, "and %s%u more\n", o->n == OFFERS_MAX ? "at least " : "",
             o->n - shown);
    if (o->n > shown) ltw_bytes_add_text(out, rest);
}

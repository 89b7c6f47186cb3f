/* text.c - what is being typed: characters, words, lines, and the keys of Emacs.
 *
 * Invariant: the cursor stands at the start of a character, or behind the last one.
 *
 * Layer lua/main.
 */
#include "main/text.h"

#include <stdint.h>

#include "main/glyph.h"
#include "main/keys.h"

enum { ENTRY_MAX = 1 << 20 };   /* bytes */

static size_t next(const struct ltw_text *t, size_t i)
{
    uint32_t code;

    if (i < t->bytes.n) i += ltw_glyph(t->bytes.at + i, t->bytes.n - i, &code);
    while (i < t->bytes.n) {           /* what is put above a letter goes with it */
        size_t size = ltw_glyph(t->bytes.at + i, t->bytes.n - i, &code);

        if (code == '\n' || ltw_glyph_columns(code) > 0) break;
        i += size;
    }
    return i;
}

static size_t previous(const struct ltw_text *t, size_t i)
{
    while (i > 0) {
        uint32_t code;

        do i--; while (i > 0 && ((unsigned char)t->bytes.at[i] & 0xC0) == 0x80);
        ltw_glyph(t->bytes.at + i, t->bytes.n - i, &code);
        if (code == '\n' || ltw_glyph_columns(code) > 0) break;
    }
    return i;
}

static bool is_word(const struct ltw_text *t, size_t i)
{
    unsigned char c = (unsigned char)t->bytes.at[i];

    return c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a'
           && (c | 32) <= 'z');
}

static size_t word_right(const struct ltw_text *t, size_t i)
{
    while (i < t->bytes.n && !is_word(t, i)) i++;
    while (i < t->bytes.n && is_word(t, i)) i++;
    return i;
}

static size_t word_left(const struct ltw_text *t, size_t i)
{
    while (i > 0 && !is_word(t, i - 1)) i--;
    while (i > 0 && is_word(t, i - 1)) i--;
    return i;
}

size_t ltw_text_line_start(const struct ltw_text *t, size_t i)
{
    while (i > 0 && t->bytes.at[i - 1] != '\n') i--;
    return i;
}

static size_t line_end(const struct ltw_text *t, size_t i)
{
    while (i < t->bytes.n && t->bytes.at[i] != '\n') i++;
    return i;
}

void ltw_text_insert(struct ltw_text *t, const char *text, size_t n)
{
    if (t->bytes.n + n > ENTRY_MAX || !ltw_bytes_reserve(&t->bytes, n)) return;
    memmove(t->bytes.at + t->cursor + n, t->bytes.at + t->cursor, t->bytes.n - t->cursor);
    memcpy(t->bytes.at + t->cursor, text, n);
    t->bytes.n += n;
    t->bytes.at[t->bytes.n] = '\0';
    t->cursor += n;
}

void ltw_text_cut(struct ltw_text *t, size_t from, size_t to)
{
    memmove(t->bytes.at + from, t->bytes.at + to, t->bytes.n - to);
    t->bytes.n -= to - from;
    t->bytes.at[t->bytes.n] = '\0';
    t->cursor = from;
}

/* Cut, to be put back by Ctrl-Y. */
static void kill_text(struct ltw_text *t, size_t from, size_t to)
{
    if (from < to && ltw_bytes_set(&t->killed, t->bytes.at + from, to - from))
        ltw_text_cut(t, from, to);
}

/* The character before the cursor goes behind the one at it. */
static void transpose(struct ltw_text *t)
{
    size_t at = t->cursor == t->bytes.n ? previous(t, t->cursor) : t->cursor;
    size_t from = previous(t, at), to = next(t, at);
    char *a = t->bytes.at + from, *b = t->bytes.at + at;
    size_t na = at - from, nb = to - at;
    struct ltw_bytes first = { .n = 0 };

    if (na > 0 && nb > 0 && ltw_bytes_set(&first, a, na)) {
        memmove(a, b, nb);
        memcpy(a + nb, first.at, na);
        t->cursor = to;
    }
    ltw_bytes_free(&first);
}

/* To the same place of the line above or below: false when there is none. */
static bool go_line(struct ltw_text *t, bool down)
{
    size_t start = ltw_text_line_start(t, t->cursor), to, end;
    size_t n = 0;

    if (down ? line_end(t, t->cursor) == t->bytes.n : start == 0) return false;
    for (size_t i = start; i < t->cursor; i = next(t, i)) n++;
    to = down ? line_end(t, t->cursor) + 1 : ltw_text_line_start(t, start - 1);
    end = line_end(t, to);
    while (n-- > 0 && to < end) to = next(t, to);
    t->cursor = to;
    return true;
}

/* Keys that only move.  False: this is none of them. */
static bool move(struct ltw_text *t, int key)
{
    switch (key) {
    case LTW_CTRL('A'): case LTW_KEY_HOME:
        t->cursor = ltw_text_line_start(t, t->cursor);
        return true;
    case LTW_CTRL('E'): case LTW_KEY_END:
        t->cursor = line_end(t, t->cursor);
        return true;
    case LTW_CTRL('B'): case LTW_KEY_LEFT:
        t->cursor = previous(t, t->cursor);
        return true;
    case LTW_CTRL('F'): case LTW_KEY_RIGHT:
        t->cursor = next(t, t->cursor);
        return true;
    case LTW_KEY_META | 'b': case LTW_KEY_WORD_LEFT:
        t->cursor = word_left(t, t->cursor);
        return true;
    case LTW_KEY_META | 'f': case LTW_KEY_WORD_RIGHT:
        t->cursor = word_right(t, t->cursor);
        return true;
    case LTW_KEY_META | '<': t->cursor = 0; return true;
    case LTW_KEY_META | '>': t->cursor = t->bytes.n; return true;
    case LTW_CTRL('P'): case LTW_KEY_UP:
        return go_line(t, false);
    case LTW_CTRL('N'): case LTW_KEY_DOWN:
        return go_line(t, true);
    default: return false;
    }
}

/* Keys that change the text.  False: this is none of them. */
static bool change(struct ltw_text *t, int key)
{
    size_t at = t->cursor, from = at;

    switch (key) {
    case LTW_CTRL('H'): case 0x7F: ltw_text_cut(t, previous(t, at), at); return true;
    case LTW_CTRL('D'): case LTW_KEY_DELETE:
        ltw_text_cut(t, at, next(t, at));
        return true;
    case LTW_CTRL('K'):
        if (at < t->bytes.n && t->bytes.at[at] == '\n') ltw_text_cut(t, at, at + 1);
        else kill_text(t, at, line_end(t, at));
        return true;
    case LTW_CTRL('U'): kill_text(t, ltw_text_line_start(t, at), at); return true;
    case LTW_CTRL('W'):
        while (from > 0 && strchr(" \n\t", t->bytes.at[from - 1])) from--;
        while (from > 0 && !strchr(" \n\t", t->bytes.at[from - 1])) from--;
        kill_text(t, from, at);
        return true;
    case LTW_KEY_META | 0x7F: case LTW_KEY_META | LTW_CTRL('H'):
        kill_text(t, word_left(t, at), at);
        return true;
    case LTW_KEY_META | 'd': kill_text(t, at, word_right(t, at)); return true;
    case LTW_CTRL('Y'):
        if (t->killed.n > 0) ltw_text_insert(t, t->killed.at, t->killed.n);
        return true;
    case LTW_CTRL('T'): transpose(t); return true;
    case LTW_KEY_META | '\r': case LTW_KEY_META | '\n':
        ltw_text_insert(t, "\n", 1);
        return true;
    default: return false;
    }
}

bool ltw_text_key(struct ltw_text *t, int key)
{
    return move(t, key) || change(t, key);
}

void ltw_text_free(struct ltw_text *t)
{
    ltw_bytes_free(&t->bytes);
    ltw_bytes_free(&t->killed);
}

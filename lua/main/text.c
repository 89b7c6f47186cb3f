/* text.c - what is being typed: characters, words, lines, and the keys of Emacs.
 *
 * Invariants
 *   X1  The cursor stands at the start of a character, or behind the last one.
 *   X2  What undo takes back is, byte for byte, what was there.
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

/* ---- changes: all of them go through put and cut ---- */

static bool put(struct ltw_text *t, const char *text, size_t n)
{
    if (t->bytes.n + n > ENTRY_MAX || !ltw_bytes_reserve(&t->bytes, n)) return false;
    ltw_undo_note(&t->undo, t->cursor, "", 0, n);
    memmove(t->bytes.at + t->cursor + n, t->bytes.at + t->cursor, t->bytes.n - t->cursor);
    memcpy(t->bytes.at + t->cursor, text, n);
    t->bytes.n += n;
    t->bytes.at[t->bytes.n] = '\0';
    t->cursor += n;
    return true;
}

static void remove_bytes(struct ltw_text *t, size_t from, size_t to)
{
    memmove(t->bytes.at + from, t->bytes.at + to, t->bytes.n - to);
    t->bytes.n -= to - from;
    t->bytes.at[t->bytes.n] = '\0';
    t->cursor = from;
}

void ltw_text_insert(struct ltw_text *t, const char *text, size_t n)
{
    if (n > 0) put(t, text, n);
}

void ltw_text_cut(struct ltw_text *t, size_t from, size_t to)
{
    if (from == to) return;
    ltw_undo_note(&t->undo, from, t->bytes.at + from, to - from, 0);
    remove_bytes(t, from, to);
}

bool ltw_text_replace(struct ltw_text *t, const char *text, size_t n)
{
    if (n > ENTRY_MAX || !ltw_bytes_reserve(&t->bytes, n)) return false;
    ltw_text_cut(t, 0, t->bytes.n);
    ltw_text_insert(t, text, n);
    return true;
}

void ltw_text_begin(struct ltw_text *t)
{
    t->cursor = t->bytes.n = 0;
    if (t->bytes.at) t->bytes.at[0] = '\0';
    t->did = t->before = LTW_DID_OTHER;
    t->undo.group = 1;
    ltw_undo_clear(&t->undo);
}

void ltw_text_step(struct ltw_text *t)
{
    t->undo.group++;
    t->before = t->did;
    t->did = LTW_DID_OTHER;
}

void ltw_text_type(struct ltw_text *t, const char *text, size_t n)
{
    bool begins = t->cursor == 0 || !is_word(t, t->cursor - 1);

    if (t->before == LTW_DID_TYPE && !begins) t->undo.group--;   /* the key's before */
    ltw_text_insert(t, text, n);
    t->did = LTW_DID_TYPE;
}

/* The changes of the newest group are taken back. */
static void undo(struct ltw_text *t)
{
    const struct ltw_text_change *c = ltw_undo_newest(&t->undo);
    unsigned group = c ? c->group : 0;

    for (; c && c->group == group; c = ltw_undo_newest(&t->undo)) {
        size_t at = c->at, n = c->n_cut;

        if (!ltw_bytes_reserve(&t->bytes, n)) return;
        remove_bytes(t, at, at + c->n_put);
        memmove(t->bytes.at + at + n, t->bytes.at + at, t->bytes.n - at);
        memcpy(t->bytes.at + at, ltw_undo_take(&t->undo), n);
        t->bytes.n += n;
        t->bytes.at[t->bytes.n] = '\0';
        t->cursor = at + n;
    }
}

/* ---- what is cut to be put back ---- */

/* What several keys cut one after the other becomes one text. */
static void kill_text(struct ltw_text *t, size_t from, size_t to)
{
    struct tw_bytes *kill;
    bool before = to == t->cursor && from < t->cursor;
    size_t n = to - from;

    if (n == 0) return;
    if (t->before != LTW_DID_KILL) {
        kill = &t->kill[(t->newest + 1) % LTW_KILLS];
        if (!ltw_bytes_set(kill, t->bytes.at + from, n)) return;
        t->newest = (t->newest + 1) % LTW_KILLS;
    } else {
        kill = &t->kill[t->newest];
        if (!ltw_bytes_reserve(kill, n)) return;
        if (before) memmove(kill->at + n, kill->at, kill->n + 1);
        memcpy(kill->at + (before ? 0 : kill->n), t->bytes.at + from, n);
        kill->n += n;
        kill->at[kill->n] = '\0';
    }
    t->did = LTW_DID_KILL;
    ltw_text_cut(t, from, to);
}

static void yank(struct ltw_text *t, unsigned which)
{
    const struct tw_bytes *kill = &t->kill[which];
    size_t from = t->cursor;

    if (kill->n == 0 || !put(t, kill->at, kill->n)) return;
    t->yanked = which;
    t->yank_from = from;
    t->yank_to = t->cursor;
    t->did = LTW_DID_YANK;
}

/* Instead of what was just put back, what was cut before it. */
static void yank_before(struct ltw_text *t)
{
    unsigned which = t->yanked;

    do which = (which + LTW_KILLS - 1) % LTW_KILLS; while (t->kill[which].n == 0);
    ltw_text_cut(t, t->yank_from, t->yank_to);
    yank(t, which);
}

/* ---- letters and words ---- */

/* [a, b) and [b, c) change places, and the cursor stands behind them. */
static void swap(struct ltw_text *t, size_t a, size_t b, size_t c)
{
    struct tw_bytes first = { .n = 0 };

    if (a < b && b < c && ltw_bytes_set(&first, t->bytes.at + a, b - a)) {
        ltw_text_cut(t, a, b);
        t->cursor = a + c - b;
        ltw_text_insert(t, first.at, first.n);
    }
    tw_bytes_free(&first);
}

/* The character before the cursor goes behind the one at it. */
static void transpose(struct ltw_text *t)
{
    size_t at = t->cursor == t->bytes.n ? previous(t, t->cursor) : t->cursor;

    if (at < t->bytes.n && t->bytes.at[at] != '\n')
        swap(t, previous(t, at), at, next(t, at));
}

/* The word before the cursor, or that it is in, goes behind the next one. */
static void transpose_words(struct ltw_text *t)
{
    size_t d = word_right(t, t->cursor), c = word_left(t, d), a = word_left(t, c), b;

    if (a == c) return;
    b = word_right(t, a);
    if (b > c) return;
    swap(t, a, b, d);                    /* what is between, the second, the first */
    swap(t, a, a + c - b, a + d - b);
    t->cursor = d;
}

/* Letters of ASCII up to the end of a word; what: U, L or C. */
static void change_case(struct ltw_text *t, int what)
{
    size_t to = word_right(t, t->cursor);
    bool first = true;

    for (size_t i = t->cursor; i < to; i++) {
        char was = t->bytes.at[i], c = (char)(was | 0x20);

        if (c < 'a' || c > 'z') continue;
        if (what == 'U' || (what == 'C' && first)) c ^= 0x20;
        first = false;
        if (c == was) continue;
        ltw_text_cut(t, i, i + 1);
        ltw_text_insert(t, &c, 1);
    }
    t->cursor = to;
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

/* Keys that cut, and that put back.  False: this is none of them. */
static bool cut_and_paste(struct ltw_text *t, int key)
{
    size_t at = t->cursor, from = at;

    switch (key) {
    case LTW_CTRL('K'):
        kill_text(t, at, at < t->bytes.n && t->bytes.at[at] == '\n' ? at + 1
                                                                    : line_end(t, at));
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
    case LTW_CTRL('Y'): yank(t, t->newest); return true;
    case LTW_KEY_META | 'y':
        if (t->before == LTW_DID_YANK) yank_before(t);
        return true;
    default: return false;
    }
}

/* Keys that change the text.  False: this is none of them. */
static bool change(struct ltw_text *t, int key)
{
    size_t at = t->cursor;

    switch (key) {
    case LTW_CTRL('H'): case 0x7F: ltw_text_cut(t, previous(t, at), at); return true;
    case LTW_CTRL('D'): case LTW_KEY_DELETE:
        ltw_text_cut(t, at, next(t, at));
        return true;
    case LTW_CTRL('T'): transpose(t); return true;
    case LTW_KEY_META | 't': transpose_words(t); return true;
    case LTW_KEY_META | 'u': change_case(t, 'U'); return true;
    case LTW_KEY_META | 'l': change_case(t, 'L'); return true;
    case LTW_KEY_META | 'c': change_case(t, 'C'); return true;
    case LTW_CTRL('_'): case LTW_KEY_CTRL_X | LTW_CTRL('U'): undo(t); return true;
    case LTW_KEY_META | '\r': case LTW_KEY_META | '\n':
        ltw_text_insert(t, "\n", 1);
        return true;
    default: return false;
    }
}

bool ltw_text_key(struct ltw_text *t, int key)
{
    return move(t, key) || cut_and_paste(t, key) || change(t, key);
}

void ltw_text_free(struct ltw_text *t)
{
    tw_bytes_free(&t->bytes);
    for (int i = 0; i < LTW_KILLS; i++) tw_bytes_free(&t->kill[i]);
    ltw_undo_free(&t->undo);
}

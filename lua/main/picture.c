/* picture.c - an entry as rows of a terminal, and what turns one picture into another.
 *
 * The last column stays empty: terminals differ in where the cursor is behind it.
 *
 * Layer lua/main.
 */
#include "main/picture.h"

#include <stdint.h>
#include <stdio.h>

#include "main/editor.h"
#include "main/glyph.h"

enum { TAB_WIDTH = 4 };

static const char *const sgr[LTW_STYLES] = {
    "", "\33[35m", "\33[32m", "\33[36m", "\33[90m", "\33[34m"
};

struct row { size_t end; unsigned columns; };   /* end: in the bytes */

static struct row *rows_of(const struct ltw_picture *p)
{
    return (struct row *)(void *)p->list.at;
}

static size_t start_of(const struct ltw_picture *p, unsigned row)
{
    return row ? rows_of(p)[row - 1].end : 0;
}

/* ---- making ---- */

struct painter {
    struct ltw_picture *p;
    unsigned column, width;
    unsigned char style;              /* that is on now */
    bool fine;                        /* memory         */
};

static void put_bytes(struct painter *w, const char *text, size_t n)
{
    w->fine = w->fine && ltw_bytes_add(&w->p->bytes, text, n);
}

static void put_style(struct painter *w, unsigned char style)
{
    if (style == w->style) return;
    if (w->style != LTW_PLAIN) put_bytes(w, "\33[m", 3);
    put_bytes(w, sgr[style], strlen(sgr[style]));
    w->style = style;
}

static void end_row(struct painter *w)
{
    struct row row = { .columns = w->column };

    put_style(w, LTW_PLAIN);
    row.end = w->p->bytes.n;
    w->fine = w->fine && ltw_bytes_add(&w->p->list, (const char *)&row, sizeof row);
    w->p->rows++;
    w->column = 0;
}

static void put(struct painter *w, const char *text, size_t n, unsigned columns,
                unsigned char style)
{
    if (w->column + columns > w->width) end_row(w);
    put_style(w, style);
    put_bytes(w, text, n);
    w->column += columns;
}

/* One character, or what stands for it. */
static void put_glyph(struct painter *w, const char *text, size_t size, uint32_t code,
                      unsigned char style)
{
    char caret[2] = { '^', (char)(code ^ 0x40) };

    if (code == '\t') put(w, "    ", TAB_WIDTH, TAB_WIDTH, style);
    else if (code < 0x20 || code == 0x7F) put(w, caret, 2, 2, style);
    else if (code == LTW_GLYPH_BAD || (code >= 0x80 && code < 0xA0))
        put(w, "?", 1, 1, style);
    else put(w, text, size, ltw_glyph_columns(code), style);
}

static void put_prompt(struct painter *w, const char *prompt)
{
    size_t n = strlen(prompt);

    for (size_t i = 0, size; i < n; i += size) {
        uint32_t code;

        size = ltw_glyph(prompt + i, n - i, &code);
        put_glyph(w, prompt + i, size, code, LTW_PLAIN);
    }
}

/* Where the next character goes. */
static void take_cursor(struct painter *w)
{
    bool is_full = w->column >= w->width;

    w->p->row = w->p->rows + is_full;
    w->p->column = is_full ? 0 : w->column;
}


/* The rows around the cursor that a terminal of that height has room for. */
static void crop(struct ltw_picture *p, unsigned height)
{
    unsigned first = p->row >= height ? p->row - height + 1 : 0;
    unsigned last = first + height < p->rows ? first + height : p->rows;
    size_t from = start_of(p, first);

    p->bytes.n = start_of(p, last) - from;
    memmove(p->bytes.at, p->bytes.at + from, p->bytes.n);
    for (unsigned i = first; i < last; i++) {
        rows_of(p)[i - first] = rows_of(p)[i];
        rows_of(p)[i - first].end -= from;
    }
    p->rows = last - first;
    p->row -= first;
}

bool ltw_picture_make(struct ltw_picture *p, const struct ltw_entry_view *v)
{
    struct painter w = { .p = p, .width = v->width - 1, .fine = true };

    p->bytes.n = p->list.n = 0;
    p->rows = p->row = p->column = 0;
    put_prompt(&w, v->prompt);
    for (size_t i = 0, size; i < v->n; i += size) {
        uint32_t code;

        if (i == v->cursor) take_cursor(&w);
        size = ltw_glyph(v->text + i, v->n - i, &code);
        if (code == '\n') {
            end_row(&w);
            put_prompt(&w, v->more);
        } else {
            put_glyph(&w, v->text + i, size, code, v->style ? v->style[i] : LTW_PLAIN);
        }
    }
    if (v->cursor == v->n) take_cursor(&w);
    end_row(&w);
    if (p->row == p->rows) end_row(&w);   /* behind a full row */
    if (w.fine) crop(p, v->height);
    else p->rows = 0;
    return w.fine;
}

void ltw_picture_free(struct ltw_picture *p)
{
    tw_bytes_free(&p->bytes);
    tw_bytes_free(&p->list);
    p->rows = 0;
}

/* ---- drawing ---- */

static void add_move(struct tw_bytes *out, unsigned n, char direction)
{
    char text[16];

    snprintf(text, sizeof text, "\33[%u%c", n, direction);
    if (n > 0) ltw_bytes_add_text(out, text);
}

static bool is_same(const struct ltw_picture *a, const struct ltw_picture *b, unsigned i)
{
    size_t n = i < a->rows ? rows_of(a)[i].end - start_of(a, i) : 0;

    return i < a->rows && i < b->rows && rows_of(b)[i].end - start_of(b, i) == n
        && memcmp(a->bytes.at + start_of(a, i), b->bytes.at + start_of(b, i), n) == 0;
}

void ltw_picture_draw(struct tw_bytes *out, const struct ltw_picture *shown,
                      const struct ltw_picture *new)
{
    if (shown->rows > 0) add_move(out, shown->row, 'A');
    ltw_bytes_add_text(out, "\r");
    for (unsigned i = 0; i < new->rows; i++) {
        bool clears = i + 1 == new->rows && shown->rows > new->rows;

        if (i > 0) ltw_bytes_add_text(out, "\r\n");
        if (is_same(shown, new, i) && !clears) continue;
        ltw_bytes_add(out, new->bytes.at + start_of(new, i),
                      rows_of(new)[i].end - start_of(new, i));
        ltw_bytes_add_text(out, clears ? "\33[J" : "\33[K");
    }
    add_move(out, new->rows - 1 - new->row, 'A');
    ltw_bytes_add_text(out, "\r");
    add_move(out, new->column, 'C');
}

void ltw_picture_erase(struct tw_bytes *out, const struct ltw_picture *shown)
{
    if (shown->rows == 0) return;
    add_move(out, shown->row, 'A');
    ltw_bytes_add_text(out, "\r\33[J");
}

void ltw_picture_reflow(struct ltw_picture *p, unsigned width)
{
    unsigned above = p->column / width;

    for (unsigned i = 0; i < p->row; i++) {
        unsigned columns = rows_of(p)[i].columns;

        above += columns > width ? (columns + width - 1) / width : 1;
    }
    p->row = above;
}

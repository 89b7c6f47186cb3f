/* picture.h - an entry as rows of a terminal, and what turns one picture into another.
 *
 * Layer lua/main.
 */
#ifndef LTW_PICTURE_H
#define LTW_PICTURE_H

#include "main/bytes.h"

struct ltw_picture {
    struct tw_bytes bytes, list; /* its rows with their colours; where each ends */
    unsigned rows, row, column;   /* the last two: the cursor's place */
};

struct ltw_entry_view {
    const char *text;
    size_t n, cursor;
    const char *prompt, *more;    /* before the first line, and before the others */
    const unsigned char *style;   /* an enum ltw_style for each byte, or NULL     */
    unsigned width, height;       /* of the terminal; the rows around the cursor  */
};

/* False: no memory; the picture is empty then. */
bool ltw_picture_make(struct ltw_picture *p, const struct ltw_entry_view *v);
void ltw_picture_free(struct ltw_picture *p);

/* Appends to out what brings the terminal from the one to the other; only rows that
 * differ.  It moves like its cursor: `shown` is empty when the cursor stands where the
 * new one is to begin. */
void ltw_picture_draw(struct tw_bytes *out, const struct ltw_picture *shown,
                      const struct ltw_picture *new);

/* Appends what removes it and goes to where it began. */
void ltw_picture_erase(struct tw_bytes *out, const struct ltw_picture *shown);

/* The terminal, now that wide, has moved the rest of each row that is too long into
 * lines of their own: it can be erased from there. */
void ltw_picture_reflow(struct ltw_picture *p, unsigned width);

#endif

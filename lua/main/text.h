/* text.h - what is being typed: characters, words, lines, and the keys of Emacs.
 *
 * Layer lua/main.
 */
#ifndef LTW_TEXT_H
#define LTW_TEXT_H

#include "main/bytes.h"

struct ltw_text {
    struct ltw_bytes bytes;
    size_t cursor;
    struct ltw_bytes killed;   /* what was cut, for Ctrl-Y */
};

/* At the cursor, which then stands behind it.  A text that is a megabyte long stays as
 * it is. */
void ltw_text_insert(struct ltw_text *t, const char *text, size_t n);

/* The bytes from .. to are gone, and the cursor is there. */
void ltw_text_cut(struct ltw_text *t, size_t from, size_t to);

/* Where the line of byte i begins. */
size_t ltw_text_line_start(const struct ltw_text *t, size_t i);

/* Does what an enum ltw_key says.  False: it is none of those that move the cursor or
 * change the text, or there is no line above or below. */
bool ltw_text_key(struct ltw_text *t, int key);

void ltw_text_free(struct ltw_text *t);

#endif

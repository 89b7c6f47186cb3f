/* text.h - what is being typed: characters, words, lines, and the keys of Emacs.
 *
 * Layer lua/main.
 */
#ifndef LTW_TEXT_H
#define LTW_TEXT_H

#include "main/undo.h"

enum { LTW_KILLS = 10 };

struct ltw_text {
    struct tw_bytes bytes;
    size_t cursor;
    struct tw_bytes kill[LTW_KILLS];   /* what was cut, for Ctrl-Y: a ring       */
    unsigned newest, yanked;            /* of it; yanked: what stands there now   */
    size_t yank_from, yank_to;          /* where that is                          */
    enum { LTW_DID_OTHER, LTW_DID_KILL, LTW_DID_YANK, LTW_DID_TYPE, LTW_DID_RECALL }
        did, before;                    /* this key, and the one before it        */
    struct ltw_undo undo;
};

/* At the cursor, which then stands behind it.  A text that is a megabyte long stays as
 * it is. */
void ltw_text_insert(struct ltw_text *t, const char *text, size_t n);

/* As ltw_text_insert, of a character that was typed: a word is undone together. */
void ltw_text_type(struct ltw_text *t, const char *text, size_t n);

/* The bytes from .. to are gone, and the cursor is there. */
void ltw_text_cut(struct ltw_text *t, size_t from, size_t to);

/* All of it becomes that text, with the cursor at its end: a change that can be undone.
 * False: no memory, and nothing has changed. */
bool ltw_text_replace(struct ltw_text *t, const char *text, size_t n);

/* An empty text, which nothing can be undone in.  What was cut stays. */
void ltw_text_begin(struct ltw_text *t);

/* Where the line of byte i begins. */
size_t ltw_text_line_start(const struct ltw_text *t, size_t i);

/* Another key comes: what it does is undone apart. */
void ltw_text_step(struct ltw_text *t);

/* Does what an enum ltw_key says.  False: it is none of those that move the cursor or
 * change the text, or there is no line above or below. */
bool ltw_text_key(struct ltw_text *t, int key);

void ltw_text_free(struct ltw_text *t);

#endif

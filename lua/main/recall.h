/* recall.h - entries of the history in the text that is typed, and the search for them.
 *
 * Layer lua/main.
 */
#ifndef LTW_RECALL_H
#define LTW_RECALL_H

#include "main/history.h"
#include "main/text.h"

enum { LTW_PATTERN_MAX = 200 };   /* bytes */

struct ltw_recall {
    struct ltw_history *history;
    struct ltw_text *text;
    struct tw_bytes draft;           /* the text, while one of history shows   */
    struct tw_bytes origin;          /* the text when the search began         */
    unsigned at;                      /* of the history; its count: the draft   */
    unsigned begun;                   /* at, when the search began              */
    unsigned of;                      /* the entry that the argument is of      */
    size_t from, to;                  /* where that stands in the text          */
    bool searching, failed;
    char pattern[LTW_PATTERN_MAX + 1];
    size_t n_pattern;
};

/* A new entry begins. */
void ltw_recall_begin(struct ltw_recall *r);

/* The entry before, or behind, the one that shows. */
void ltw_recall_go(struct ltw_recall *r, bool down);

/* The last argument of the newest entry; right after that, of the one before. */
void ltw_recall_argument(struct ltw_recall *r);

/* Ctrl-R, and Ctrl-S, which goes to newer ones. */
void ltw_recall_search(struct ltw_recall *r);

/* A key while it searches, whose n bytes are the character, if it is one.  False: it
 * ends that, and counts. */
bool ltw_recall_key(struct ltw_recall *r, int key, const char *bytes, size_t n);

void ltw_recall_free(struct ltw_recall *r);

#endif

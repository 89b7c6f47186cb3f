/* order_lines.h - lines of text that are kept of orders, positions and accounts: words
 * with one blank between them.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never.
 */
#ifndef TW_FIX_ORDER_LINES_H
#define TW_FIX_ORDER_LINES_H

#include <inttypes.h>

#include "base/tw.h"
#include "trade/money.h"

enum { TW_FIX_LINE = 1024, TW_FIX_WORD = TW_FIX_LINE / 4, TW_FIX_WORDS = 32 };

/* Zeroed: none.  text is freed by tw_free. */
struct tw_fix_lines {
    char *text;                   /* n bytes in room, without a 0 byte at the end    */
    size_t n, room;
    bool lost;                    /* some found no memory                            */
};

/* A line, of less than TW_FIX_LINE bytes; and what is some already. */
void tw_fix_lines_put(struct tw_fix_lines *l, const char *format, ...) TW_PRINTF(2, 3);
void tw_fix_lines_add(struct tw_fix_lines *l, const char *text, size_t n);

/* A name as one word, cut where there is no more room; "-" is none.  The text. */
const char *tw_fix_line_word(const char *name, char *out, size_t room);

/* An amount, as an argument and in the format. */
#define TW_FIX_MONEY "%" PRId64 ":%" PRIu64
#define TW_FIX_SPLIT(m) (int64_t)((m) >> 64), (uint64_t)(m)

/* A line taken apart, in its place; n 0: it is none. */
struct tw_fix_line { char *word[TW_FIX_WORDS]; size_t n; };
void tw_fix_line_split(struct tw_fix_line *l, char *text);

/* Its i-th word: a name, in its place; a number; a number from 0 on; an amount. */
char *tw_fix_line_name(const struct tw_fix_line *l, size_t i);
int64_t tw_fix_line_number(const struct tw_fix_line *l, size_t i);
uint64_t tw_fix_line_count(const struct tw_fix_line *l, size_t i);
tw_money tw_fix_line_money(const struct tw_fix_line *l, size_t i);

#endif

/* lbook.h - the books of prices that a script reads from the tape: tw.book.
 *
 * Layer lua.  Thread: WORKER, the script's.
 */
#ifndef LTW_LBOOK_H
#define LTW_LBOOK_H

#include "ltw.h"

/* Of an instance; NULL: none. */
struct ltw_books;

void ltw_books_free(struct ltw_books *b);

/* Each level that the script wants, and each gap, before it is told of it; *b is made
 * when there is none.  False: no memory.  A book that is not known is asked for. */
bool ltw_books_take(struct ltw_books **b, const struct ltw_host *host,
                    const struct tw_record *r);

/* Whether on_book is due: the record is the last of an update of a book that is known. */
bool ltw_books_due(const struct ltw_books *b, const struct tw_record *r);

/* [-0, +1, m]  The running script's book that a level is of; nil: it has none. */
void ltw_push_book_of(lua_State *L, const struct tw_record *r);

/* tw.book */
int ltw_book(lua_State *L);

/* [-0, +0, m]  Makes the metatable of books. */
void ltw_book_open(lua_State *L);

#endif

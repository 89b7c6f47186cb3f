/* twin.h - bars that come twice: of one symbol, length, side and time.
 *
 * Two of one file are fine where the file names another source for each: a tape file of a
 * run that had two feeds.
 *
 * Bars that are not by time may end at one.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#ifndef TW_TWIN_H
#define TW_TWIN_H

#include "feed/fault.h"
#include "tape/symbols.h"

struct tw_twins;

enum { TW_TWIN_TEXT = 400 };

/* NULL: no memory. */
struct tw_twins *tw_twins_new(void);
void tw_twins_free(struct tw_twins *t);   /* t may be NULL */

/* The next record, by time: 1: it is a bar that was there, and text says so, with its own
 * place and that of the first; 0: it is none; UV_ENOMEM.  The path of its place lives as
 * long as t; files are told apart by that pointer.  Blocks: never.  Memory: for the bars
 * of one time. */
int tw_twins_look(struct tw_twins *t, const struct tw_record *r,
                  const struct tw_place *place, const struct tw_symbols *symbols,
                  char text[TW_TWIN_TEXT]);

#endif

/* instruments.h - what a venue calls the symbols of a session, and wants to be said of
 * each of them, in its orders and in requests for its market data.
 *
 * Why by more than the name: up to 4.4 all expiries of a future have one Symbol (55), and
 * it is MaturityMonthYear (200), say, that tells them apart.
 *
 * Layer host/fix.  Thread: any, of what is made.  Blocks: never.
 */
#ifndef TW_FIX_INSTRUMENTS_H
#define TW_FIX_INSTRUMENTS_H

#include "fix/message.h"
#include "fix/session.h"
#include "fix/write.h"
#include "tape/symbols.h"

struct tw_fix_instrument {
    uint32_t symbol;
    const char *name;             /* 55, or 48; NULL: the symbol's own               */
    const struct tw_fix_extra *fields;   /* as those of all orders, which are behind the
                                          * own ones unless they say the same tag    */
    size_t fields_n, own_n;
};

struct tw_fix_instruments;        /* constant, once made */

/* Of a list in any order, each symbol once.  NULL: no memory.
 * Memory: freed by tw_fix_instruments_free; texts and fields are its own. */
struct tw_fix_instruments *tw_fix_instruments_new(const struct tw_symbols *symbols,
                                                  const struct tw_fix_instrument *list,
                                                  size_t n);
void tw_fix_instruments_free(struct tw_fix_instruments *t);   /* t may be NULL */

/* What is said of a symbol; NULL: nothing.  t may be NULL. */
const struct tw_fix_instrument *tw_fix_instruments_of(const struct tw_fix_instruments *t,
                                                      uint32_t symbol);

/* The first of those that the venue calls so; *n of them follow each other.
 * t may be NULL. */
const struct tw_fix_instrument *const *tw_fix_instruments_named(
    const struct tw_fix_instruments *t, struct tw_fix_text name, size_t *n);

/* How many fields that tell instruments apart the part has of it; -1: one of them is
 * otherwise. */
int tw_fix_instrument_in(const struct tw_fix_instrument *is, const struct tw_fix_part *p);

/* Whether the part has one of these fields, whatever it says. */
bool tw_fix_tells_instrument(const struct tw_fix_part *p);

/* A field that is given, and what a group has. */
void tw_fix_put_given(struct tw_fix_output *out, const struct tw_fix_extra *x);

/* The fields that tell an instrument apart, but its ids, which a level of the dictionary
 * has: as the message says them. */
void tw_fix_put_identity(struct tw_fix_output *out, const struct tw_fix_level *level,
                         const struct tw_fix_message *m);

/* Where a message of that type (V, R, e) names instruments: the entries of its
 * NoRelatedSym (146), or its body; NULL: the dictionary has no such message. */
const struct tw_fix_level *tw_fix_instrument_level(const struct tw_fix_dictionary *d,
                                                   const char *code);

#endif

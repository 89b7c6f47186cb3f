/* words.h - texts of a venue about orders, kept until their scripts are told.
 *
 * Why beside the reports: few have words, and reports are copied often.  They are told in
 * the order in which they came, and each has a number.
 *
 * Layer lua.  Thread: WORKER, the trader's.
 */
#ifndef LTW_WORDS_H
#define LTW_WORDS_H

#include "trade/venue.h"

struct ltw_word {
    struct ltw_word *next;
    uint32_t number;
    bool has_code;
    uint32_t code;
    char text[sizeof ((struct tw_venue_aside *)0)->text];
};

/* Zeroed: empty. */
struct ltw_words { struct ltw_word *first, *last; uint32_t number; };

void ltw_words_fini(struct ltw_words *w);

/* *number: of the aside's words, 0 where it has none.  False: no memory. */
bool ltw_words_put(struct ltw_words *w, const struct tw_venue_aside *aside,
                   uint32_t *number);

/* Those of that number, in *out; those before it were told to nobody.  False: they are
 * not there. */
bool ltw_words_take(struct ltw_words *w, uint32_t number, struct ltw_word *out);

#endif

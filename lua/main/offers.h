/* offers.h - the candidates of a completion.
 *
 * Layer lua/main.
 */
#ifndef LTW_OFFERS_H
#define LTW_OFFERS_H

#include "main/bytes.h"

struct ltw_offers {
    struct tw_bytes texts;           /* with a zero behind each */
    unsigned n;
};

void ltw_offers_clear(struct ltw_offers *o);

/* At most 500; without memory it is left out. */
void ltw_offers_add(struct ltw_offers *o, const char *text, size_t n);

/* The bytes that all of them begin with, whole characters; there is one at least. */
size_t ltw_offers_common(const struct ltw_offers *o);

/* Appends them in columns, for a terminal that wide. */
void ltw_offers_list(const struct ltw_offers *o, unsigned width, struct tw_bytes *out);

#endif

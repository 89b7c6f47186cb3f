/* keys.h - the keys of a statistic (by symbol ...), each as a small number.
 *
 * A key is a tuple of parts: of a name (a symbol, an attribute, ...) its id, of a number
 * the number.  Keys get the numbers 1, 2, 3, ... as rows bring them, so a slab of
 * states holds just those that were seen; 0 is the key of rows that have none (a
 * symbol without a sector).  By nothing, every row has key 1.
 *
 * Layer host/stat.  Thread: the owner's.
 */
#ifndef TW_KEYS_H
#define TW_KEYS_H

#include "stat/column.h"
#include "tape/sources.h"
#include "tape/symbols.h"

enum { TW_KEYS_MAX = 1 << 20 };

/* Where the names of a part's ids are. */
struct tw_key_names {
    struct tw_symbols *symbols;
    const struct tw_sources *sources;
};

struct tw_key_part {
    enum tw_field field;               /* TW_NO_FIELD: a column of numbers      */
    const char *text;                  /* as declared: "symbol"; kept           */
    const union tw_column *column;     /* of a part without a field             */
};

struct tw_keys;

/* The number of a record's side; 0: it has none.  Of a trade that is who took it, of a
 * bar what its prices are of: "buy", "sell", "bid", "ask", "mid". */
uint32_t tw_side_of(const struct tw_record *r);
uint32_t tw_side_find(const char *text);     /* 0: no side */

/* NULL: no memory.  The parts are copied.  Blocks: no. */
struct tw_keys *tw_keys_new(const struct tw_key_names *names,
                            const struct tw_key_part *parts, unsigned n);
void tw_keys_free(struct tw_keys *k);

/* The keys of n rows.  TW_ELIMIT: more than TW_KEYS_MAX; UV_ENOMEM. */
int tw_keys_of(struct tw_keys *k, unsigned n, const struct tw_record *rows,
               uint32_t *out);

/* Keys 1 to count are in use; by nothing that is key 1. */
uint32_t tw_keys_count(const struct tw_keys *k);

/* A row brought it; the others were only asked for.  see: as if one had, because its
 * state was loaded. */
bool tw_keys_was_seen(const struct tw_keys *k, uint32_t key);
void tw_keys_see(struct tw_keys *k, uint32_t key);

/* The key of parts given as text; made where it is not there yet.  TW_EUSAGE: one of
 * them can't be (a sector that nobody has, no number); TW_ELIMIT, UV_ENOMEM. */
int64_t tw_keys_intern(struct tw_keys *k, const char *const *parts, unsigned n);

/* The same where it is there; 0: it is not. */
uint32_t tw_keys_find(const struct tw_keys *k, const char *const *parts, unsigned n);

/* The text of one part: a name, or a number of at most 24 bytes in `number`. */
const char *tw_keys_text(const struct tw_keys *k, uint32_t key, unsigned part,
                         char number[32]);

/* How many parts there are; 0: by nothing.  A part as it is declared; whether it is a
 * number. */
unsigned tw_keys_parts(const struct tw_keys *k);
bool tw_keys_is_number(const struct tw_keys *k, unsigned part);
const char *tw_keys_part(const struct tw_keys *k, unsigned part);

#endif

/* symbols.h - every name of an instrument gets one small number, once.
 *
 * A feed turns a name into an id on each message, so looking up takes no lock;
 * only a name that was never seen takes one.  Ids are 1, 2, 3, ... in the
 * order of arrival; 0 is no symbol.  A name, once in, never moves or leaves.
 *
 * An attribute is what the user knows of instruments beside what is here: a country,
 * an exchange.  Its values are names, as sectors are.
 *
 * Layer host/tape.
 */
#ifndef TW_SYMBOLS_H
#define TW_SYMBOLS_H

#include "tape/names.h"

enum { TW_ATTRIBUTES = 16 };

struct tw_symbols;

/* What is known of an instrument beside its name. */
struct tw_instrument {
    uint32_t sector;                  /* id in tw_symbols_sectors, 0 for none */
    int64_t tick_fixed, lot_fixed;    /* 0: not known */
    double weight;                    /* in the index; 0: not in it */
};

/* At most max symbols (TW_SYMBOL_MAX at most); memory is taken as they come.
 * NULL: no memory.  Thread: any.  Blocks: no. */
struct tw_symbols *tw_symbols_new(uint32_t max);
void tw_symbols_free(struct tw_symbols *s);

/* The id of a name, made when it is new.  TW_ELIMIT when the table is full or
 * the name is empty or longer than TW_NAME_MAX, UV_ENOMEM without memory.
 * Thread: any.  Blocks: for a new name, while another is being added. */
int64_t tw_symbols_intern(struct tw_symbols *s, const char *name, size_t n);

/* The id of a name, or 0.  Thread: any.  Blocks: never.  Memory: none. */
uint32_t tw_symbols_find(const struct tw_symbols *s, const char *name, size_t n);

/* The name of an id in 1..count; ends in a 0 byte, constant for ever.
 * Thread: any.  Blocks: never. */
const char *tw_symbols_name(const struct tw_symbols *s, uint32_t id);

/* Ids 1..count can be used.  Thread: any.  Blocks: never. */
uint32_t tw_symbols_count(const struct tw_symbols *s);

/* The attributes of an id in 1..count; each is read and written whole, the
 * four together are not.  Thread: any.  Blocks: never. */
struct tw_instrument tw_symbols_get(const struct tw_symbols *s, uint32_t id);
void tw_symbols_set(struct tw_symbols *s, uint32_t id, const struct tw_instrument *in);

/* Gives it of `in` what it lacks.  Thread: any.  Blocks: never. */
void tw_symbols_complete(struct tw_symbols *s, uint32_t id,
                         const struct tw_instrument *in);

/* The names of the sectors.  Thread: any.  Blocks: never. */
struct tw_names *tw_symbols_sectors(struct tw_symbols *s);

/* ---- the user's attributes ---- */

/* The index (0, 1, ...) of an attribute, made when it is new.  TW_ELIMIT: there are
 * TW_ATTRIBUTES, or the name is empty or longer than TW_NAME_MAX; UV_ENOMEM.
 * Thread: any.  Blocks: while another is added.  Memory: 4 bytes for each symbol. */
int tw_symbols_attribute(struct tw_symbols *s, const char *name, size_t n);

/* The index of an attribute, or -1.  Thread: any.  Blocks: never. */
int tw_symbols_attribute_find(const struct tw_symbols *s, const char *name, size_t n);

/* Indices 0 .. count - 1 can be used.  Thread: any.  Blocks: never. */
unsigned tw_symbols_attributes(const struct tw_symbols *s);
const char *tw_symbols_attribute_name(const struct tw_symbols *s, unsigned index);

/* An attribute of an id in 1..count: the id of its value in tw_symbols_values, 0 for
 * none.  Thread: any.  Blocks: never. */
uint32_t tw_symbols_attribute_get(const struct tw_symbols *s, uint32_t id,
                                  unsigned index);
void tw_symbols_attribute_set(struct tw_symbols *s, uint32_t id, unsigned index,
                              uint32_t value);

/* The names of the values of all attributes.  Thread: any.  Blocks: never. */
struct tw_names *tw_symbols_values(struct tw_symbols *s);

#endif

/* builder.h - makes frozen values: blocks of cells, put one after the other.
 *
 *   tw_builder_begin(b);
 *   tw_builder_table(b, identity_of_table);     the root: table 0
 *   tw_builder_open(b);                         its elements, in order
 *   tw_builder_integer(b, 17);
 *   tw_builder_pairs(b);                        then key, value, key, value ...
 *   tw_builder_string(b, "name", 4);
 *   tw_builder_table(b, identity_of_other);     table 1
 *   tw_builder_close(b);
 *   tw_builder_open(b); ...                     table 1, and so on until all are
 *   tw_builder_finish(b, &value);
 *
 * The caller walks its graph breadth first, so no depth takes stack; a table
 * that comes again is the one it was, so shared and cyclic references stay.
 *
 * Layer host/share.
 */
#ifndef TW_BUILDER_H
#define TW_BUILDER_H

#include "share/value.h"

/* Its buffers serve one value after another; what large values took goes back
 * with each. */
struct tw_builder;

/* NULL: no memory.  free lets go what an unfinished value refers to.
 * Thread: any; a builder has one owner.  Blocks: no. */
struct tw_builder *tw_builder_new(void);
void tw_builder_free(struct tw_builder *b);

/* Starts a value; the first cell that is put is its root.
 * Thread: the owner's.  Blocks: no. */
void tw_builder_begin(struct tw_builder *b);

/* Each puts one cell; after an error nothing is put and finish reports it.
 * Nothing in a table is nil; a pair's key is neither a record, a NaN nor the
 * integer that would be the next element; no key comes twice.
 * Thread: the owner's.  Blocks: no.  Memory: grows the buffers. */
void tw_builder_scalar(struct tw_builder *b, struct tw_item scalar);
void tw_builder_integer(struct tw_builder *b, int64_t integer);
void tw_builder_string(struct tw_builder *b, const char *text, size_t n);

/* A copy of r, or a table, once for each identity: an address of the caller's,
 * or a number that none has.  True: the table is new, its id the next; to be
 * opened in the order of the ids.
 * Thread: the owner's.  Blocks: no.  Memory: grows the buffers. */
void tw_builder_record(struct tw_builder *b, uint64_t identity,
                       const struct tw_record *r);
bool tw_builder_table(struct tw_builder *b, uint64_t identity);

/* The value takes one reference on the object, or on the table's block.
 * Thread: the owner's.  Blocks: no.  Memory: grows the buffers. */
void tw_builder_object(struct tw_builder *b, struct tw_object *o);
void tw_builder_link(struct tw_builder *b, const struct tw_table *t);

/* The table of the next id; what follows are its elements, after pairs its pairs.
 * Thread: the owner's.  Blocks: no.  Memory: grows the buffers. */
void tw_builder_open(struct tw_builder *b);
void tw_builder_pairs(struct tw_builder *b);
void tw_builder_close(struct tw_builder *b);

/* The id of the table in which a table came first; of the root: its own.
 * Thread: the owner's.  Blocks: never. */
uint32_t tw_builder_parent(const struct tw_builder *b, uint32_t id);

/* 0, or the error so far: UV_ENOMEM, or TW_ELIMIT past TW_VALUE_BYTES_MAX.
 * Thread: the owner's.  Blocks: never. */
int tw_builder_error(const struct tw_builder *b);

/* The value, with one reference, when every table is closed; or the error.
 * The builder is empty then.
 * Thread: the owner's.  Blocks: as long as it takes to index the tables. */
int tw_builder_finish(struct tw_builder *b, struct tw_value **out);

#endif

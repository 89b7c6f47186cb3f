/* reader.h - tape files: open one, ask what is in it, read its records.
 *
 *     struct tw_tape_file *file = tw_tape_file_open(path, 0, &error);
 *     struct tw_tape_reader *reader = tw_tape_reader_open(file, 0, INT64_MAX, &error);
 *     while (tw_tape_reader_next(reader, &block, &error) == 1) ...
 *
 * A file is mapped, so all its readers, on whatever threads, share one copy of what is
 * in memory of it, and it may be larger than memory.  While it is being written it can
 * be read up to its last whole block; nobody must cut it.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_READER_H
#define TW_TAPE_READER_H

#include "tape/layout.h"
#include "tape/record.h"
#include "tape/symbols.h"

struct tw_tape_file;
struct tw_tape_reader;

/* What numbers in records stand for. */
enum tw_tape_name_type {
    TW_TAPE_SECTOR = 1, TW_TAPE_SYMBOL, TW_TAPE_SOURCE, TW_TAPE_TOPIC, TW_TAPE_SCRIPT,
    TW_TAPE_DICTIONARY,               /* of the topic of that number: see writer.h */
    TW_TAPE_NAME_TYPES
};
struct tw_tape_name {
    const char *text;                 /* ends in 0; NULL: the number has no name  */
    struct tw_instrument instrument;  /* of a symbol                              */
};

/* What is known of a block without reading it. */
struct tw_tape_span {
    enum tw_tape_type type;           /* TW_TAPE_HOLE: its head is damaged        */
    uint8_t packing;                  /* of the payload                           */
    uint32_t records;                 /* of a hole: 0                             */
    uint64_t at, bytes;               /* in the file                              */
    uint64_t first_seq, last_seq;     /* of a hole: what must have been there     */
    int64_t first_ns, last_ns;        /* the earliest and the latest              */
};

struct tw_tape_info {
    uint64_t bytes, records, blocks;  /* of the file; blocks: of records          */
    uint64_t whole;                   /* where its last whole block ends; closed: bytes */
    uint64_t packed, holes;           /* blocks that zstd packed; damaged heads   */
    uint64_t first_seq, last_seq;
    int64_t created_ns, first_ns, last_ns;
    bool closed;                      /* its end is there, and its index is whole */
    bool flipped;                     /* it was, but one of them was changed since */
    uint64_t cut_bytes, cut_records;  /* behind the last whole block; records: as
                                       * far as a head tells                      */
    char note[200];                   /* why it is not closed; "" when it is      */
};

enum { TW_TAPE_TOLERANT = 1 };        /* a head and names that are damaged are no
                                       * failure                                  */

/* NULL: error says why: it is no tape file, of another version, its head or its names are
 * damaged, no memory.  Where that is no failure error.code is TW_OK, or error says what
 * is damaged first.  Thread: any, then any that only read.  Blocks: on the disk. */
struct tw_tape_file *tw_tape_file_open(const char *path, unsigned flags,
                                       struct tw_error *error);

/* The same of its first bytes alone, as if it had no more: what was whole once stays what
 * it is while more is written.  0: all of it.  Thread: any.  Blocks: on the disk. */
struct tw_tape_file *tw_tape_file_open_part(const char *path, uint64_t bytes,
                                            unsigned flags, struct tw_error *error);

/* Its readers are closed before.  f may be NULL.  Thread: any. */
void tw_tape_file_close(struct tw_tape_file *f);

/* Does the file at `path` begin as a tape file does?  Thread: any.  Blocks: on the
 * disk. */
bool tw_tape_file_is(const char *path);

/* Of one that is not closed: why, and what was cut.  Thread: any.  Blocks: never. */
void tw_tape_cut_text(const struct tw_tape_info *info, char *out, size_t n);

/* Thread: any.  Blocks: never. */
const struct tw_tape_info *tw_tape_file_info(const struct tw_tape_file *f);
const char *tw_tape_file_path(const struct tw_tape_file *f);
size_t tw_tape_file_spans(const struct tw_tape_file *f);
const struct tw_tape_span *tw_tape_file_span(const struct tw_tape_file *f, size_t i);

/* The greatest number of a type, and the name of a number: text is NULL where it has
 * none.  Thread: any.  Blocks: never. */
uint32_t tw_tape_file_names(const struct tw_tape_file *f, enum tw_tape_name_type type);
struct tw_tape_name tw_tape_file_name(const struct tw_tape_file *f,
                                      enum tw_tape_name_type type, uint32_t id);

/* The number of a TW_TAPE_SYMBOL's name among `symbols`, which get of it what they lack.
 * Errors: as tw_symbols_intern.  Thread: any.  Blocks: as that. */
int64_t tw_tape_file_intern(const struct tw_tape_file *f, struct tw_tape_name name,
                            struct tw_symbols *symbols);

/* The records of a block; they and the values live until the next one is read. */
struct tw_tape_block {
    struct tw_record *r;
    size_t n;
    const char *values;
    const struct tw_tape_span *span;
};

/* The bytes of the value of a message with a block.  Thread: the reader's. */
static inline const char *tw_tape_value(const struct tw_tape_block *b,
                                        const struct tw_record *r, size_t *n)
{
    *n = (size_t)((uint64_t)r->message.value.integer >> 32);
    return b->values + (uint32_t)r->message.value.integer;
}

/* Reads those of from_ns <= tw_record_at < to_ns.  NULL: no memory.
 * Thread: any, then one at a time.  Blocks: no. */
struct tw_tape_reader *tw_tape_reader_open(const struct tw_tape_file *f, int64_t from_ns,
                                           int64_t to_ns, struct tw_error *error);
void tw_tape_reader_close(struct tw_tape_reader *reader);

/* The next block that has such records: 1, or 0 at the end.  TW_EFORMAT: one is damaged:
 * error names it, by its place and the records that it had; the next call goes on behind
 * it.  UV_ENOMEM: the next call tries again.
 * Thread: the reader's.  Blocks: on the disk.  Memory: for blocks that zstd packed. */
int tw_tape_reader_next(struct tw_tape_reader *reader, struct tw_tape_block *out,
                        struct tw_error *error);

#endif

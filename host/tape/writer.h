/* writer.h - writing a tape file: records in, whole blocks out.
 *
 * What may be lost, by `sync`:
 *
 *   never    the process is killed: records since the last block, TW_PACK_RECORDS at
 *            most, or since tw_tape_writer_flush; the machine stops: what the system
 *            had not written yet, half a minute as a rule
 *   block    in either case: records since the last block, as above
 *   record   nothing that tw_tape_writer_add has taken
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_WRITER_H
#define TW_TAPE_WRITER_H

#include "tape/record.h"
#include "tape/sources.h"
#include "tape/symbols.h"

struct tw_tape_writer;

enum tw_tape_sync { TW_SYNC_NEVER, TW_SYNC_BLOCK, TW_SYNC_RECORD };

enum { TW_TAPE_DICTIONARY_MAX = 255 };

struct tw_tape_writer_options {
    const struct tw_symbols *symbols;   /* whose ids the records have: required      */
    const struct tw_names *topics;      /* of messages; NULL: there are none         */
    const struct tw_sources *sources;   /* NULL: none have names                     */
    /* By which dictionary the messages of a topic are to be read: a text, as fix.h of
     * lua/ has it; NULL: none.  Beyond TW_TAPE_DICTIONARY_MAX bytes only its first line
     * goes into the file.  Thread: the owner's.  May be NULL. */
    const char *(*dictionary)(void *ctx, const char *topic);
    void *dictionary_ctx;
    const char *const *scripts;         /* by number; NULL: none                     */
    uint32_t n_scripts;                 /* the greatest number                       */
    int64_t created_ns;
    bool zstd;
    enum tw_tape_sync sync;
    bool whole;                         /* it has no name until it is closed, where the
                                         * file system can do that                    */
};

struct tw_tape_written { uint64_t records, bytes; };

/* Makes the file, which must not be there.  NULL: error says why.
 * Thread: any, then one at a time.  Blocks: on the disk. */
struct tw_tape_writer *tw_tape_writer_open(const char *path,
                                           const struct tw_tape_writer_options *options,
                                           struct tw_error *error);

/* Takes n records.  Messages with a block: see tw_tape_writer_add_message.  After a
 * failure (the disk is full, no memory) the file ends with its last whole block, and
 * each later call fails likewise.  TW_EUSAGE: a symbol or topic without a name, or a
 * block; the first such record and those behind it are not taken.
 * Thread: the owner's.  Blocks: on the disk when a block is full.  Memory: for names
 * that are new. */
int tw_tape_writer_add(struct tw_tape_writer *w, const struct tw_record *r, size_t n,
                       struct tw_error *error);

/* Takes a message with a block as those n bytes (share/cache_image.h).  Else as
 * tw_tape_writer_add.  Thread: the owner's. */
int tw_tape_writer_add_message(struct tw_tape_writer *w, const struct tw_record *r,
                               const void *value, size_t n, struct tw_error *error);

/* Writes what it has taken.  Thread: the owner's.  Blocks: on the disk. */
int tw_tape_writer_flush(struct tw_tape_writer *w, struct tw_error *error);

/* What is in the file.  Thread: the owner's. */
struct tw_tape_written tw_tape_writer_written(const struct tw_tape_writer *w);

/* Instead of closing it: nothing of a file that was to be whole stays, and of any other
 * what is in it.  Thread: the owner's.  Blocks: on the disk.  w may be NULL. */
void tw_tape_writer_abandon(struct tw_tape_writer *w);

/* Writes the index and the end, and frees it; what it has not taken is in *error.
 * Thread: the owner's.  Blocks: on the disk.  w may be NULL. */
int tw_tape_writer_close(struct tw_tape_writer *w, struct tw_error *error);

#endif

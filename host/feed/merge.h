/* merge.h - records of several files in the order of their times: CSV, FIX, tape files.
 *
 * Of one file they stay in its order; of equal times the file that was named first comes
 * first.
 *
 * Layer host/feed.
 */
#ifndef TW_MERGE_H
#define TW_MERGE_H

#include "feed/csv.h"
#include "feed/fault.h"
#include "feed/resolution.h"
#include "tape/reader.h"
#include "tape/sources.h"

struct tw_merge;

struct tw_merge_input {
    const char *path, *member;        /* member: of a zip, or NULL                 */
    const char *source;               /* its name in the records                   */
    bool fix;                         /* FIX; else CSV, but for what begins as FIX
                                       * or as a tape file                         */
    struct tw_csv_options csv;        /* symbols, source, problem are set here; no
                                       * symbol anywhere: the name of the file     */
    uint64_t bytes;                   /* of a tape file only the first; 0: all     */
    int64_t starts_ns;                /* it has no earlier record, so it is opened
                                       * when they come to that; else INT64_MIN    */
};

struct tw_merge_options {
    const struct tw_merge_input *inputs;   /* with all they refer to: as long as it */
    size_t n;
    struct tw_symbols *symbols;       /* the caller's; NULL: its own               */
    int64_t from_ns, to_ns;           /* those of from <= tw_record_at < to        */
    struct tw_resolutions only;       /* of others a bar may be there twice        */
    bool skip;                        /* damaged blocks are problems, not the end  */
    tw_codec_problem *problem;        /* one line: the file, and what in it        */
    tw_codec_problem *note;           /* likewise: what is odd, and read; that a tape
                                       * file was not closed; NULL: as a problem   */
    void *problem_ctx;                /* of both                                   */
    unsigned *told;                   /* of what is odd (fault.h); NULL: each file's*/
};

/* What the numbers in the records stand for. */
struct tw_merge_names {
    struct tw_symbols *symbols;
    struct tw_names *topics, *scripts;
    struct tw_sources sources;
};

struct tw_merge_stats {
    uint64_t records, problems;       /* problems: refused messages, damage        */
    uint64_t backwards;               /* records earlier than the one before       */
};

/* NULL: error says why; a file that cannot be opened is found out here but for those
 * that start later.  Thread: any, then one at a time.  Blocks: on the disk. */
struct tw_merge *tw_merge_open(const struct tw_merge_options *options,
                               struct tw_error *error);
void tw_merge_close(struct tw_merge *m);

/* The next record, with the bytes of its value where it is a message with a block: 1, 0
 * at the end, or negative with *error.  seq is 1, 2, ...; received of one out of a text
 * is its time.  Both live until the next call.
 * Thread: the owner's.  Blocks: on the disk. */
int tw_merge_next(struct tw_merge *m, struct tw_record **r, const char **value, size_t *n,
                  struct tw_error *error);

/* Gives those of the market, too, that follow the record that was given last in one array
 * with it, of one tape file alone, and have no lower times: how many.  They keep the seq
 * that they have there.  Thread: the owner's. */
size_t tw_merge_more(struct tw_merge *m);

/* Of the record that was given last: its line is that of CSV.  Thread: the owner's. */
const struct tw_place *tw_merge_place(const struct tw_merge *m);

/* What the files say of a topic (struct tw_tape_writer_options); merge is a struct
 * tw_merge.  Thread: the owner's. */
const char *tw_merge_dictionary(void *merge, const char *topic);

/* Thread: the owner's. */
const struct tw_merge_names *tw_merge_names(const struct tw_merge *m);
struct tw_merge_stats tw_merge_stats(const struct tw_merge *m);

#endif

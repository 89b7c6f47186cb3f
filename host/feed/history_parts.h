/* history_parts.h - what the files of a history share: its sources.
 *
 * Layer host/feed.  Thread: the owner's.
 */
#ifndef TW_HISTORY_PARTS_H
#define TW_HISTORY_PARTS_H

#include "feed/history.h"
#include "feed/merge.h"
#include "feed/scan.h"
#include "feed/twin.h"

enum { TW_HISTORY_TEXT = 512 };

struct source {
    struct tw_history *of;
    /* More records in hand; 1, 0: there are none, or negative with *error. */
    int (*refill)(struct source *s, struct tw_error *error);
    const struct tw_record *next, *end;   /* in hand                              */
    unsigned order;
    char *path, *member;
    struct tw_scan scan;
    struct tw_codec *codec;
    int64_t last_ns;                      /* H1                                   */
    struct tw_record *record;             /* [0, n) of room                       */
    size_t n, room;
    struct tw_merge_input input;          /* of a tape file, and its reader       */
    struct tw_merge *merge;
    const char *value;                    /* of the message in hand               */
    size_t n_value;
    bool asleep;                          /* H3: the one in hand is the first     */
    int64_t since_ns;                     /* of a tape file: see history.h        */
    bool gap, found;                      /* of one: it was told; see find_first  */
    bool looking, flawed;                 /* what is wrong is told when it begins */
    uint64_t taken;                       /* bytes of what is over                */
    uint64_t bytes;                       /* of a tape file: all that are read    */
    uint8_t id;                           /* of a text: what its records have     */
    uint8_t ids[TW_SOURCE_MAX + 1];       /* of a tape file by its own; 0: not yet */
    struct tw_record mark;                /* of a timer; the first, of one asleep */
    struct tw_batch batch;
};

struct tw_history {
    struct tw_symbols *symbols;
    bool (*problem)(void *ctx, const char *text);
    void (*note)(void *ctx, const char *text);
    void *ctx;
    struct source **source, **heap;
    unsigned n, room, left;               /* left: in the heap                    */
    bool begun, stopped, starved;
    unsigned told;                        /* of what is odd: see fault.h          */
    char why[TW_HISTORY_TEXT];            /* it was stopped                       */
    char back[TW_ODD_TEXT];               /* how time goes back                   */
    bool timers;                          /* marks are made                       */
    bool finding;                         /* a first record: told when it is read */
    struct tw_names *topics;              /* of messages; NULL: none are wanted   */
    bool (*is_own)(void *ctx, const char *script);
    void (*topic)(void *ctx, const char *topic, const char *dictionary);
    struct tw_resolutions only;
    struct tw_twins *twins;               /* H5; NULL: there is one file alone    */
    bool passed;                          /* H5: the record in hand               */
    struct tw_sources *sources;           /* the caller's, or NULL                */
    char *own[TW_HISTORY_BOOK];           /* the names of sources, by number      */
    uint64_t bytes;
};

/* Tells of it, with its path before. */
void tw_history_note(struct source *s, const char *words);

/* The number that stands for the name; the last one is of all for which there is none
 * left.  0: no memory. */
uint8_t tw_history_source_of(struct tw_history *h, const char *name);

/* ---- history_tape.c ---- */

/* Of a new source, whose path is there. */
int tw_history_open_tape(struct source *s, const struct tw_history_file *file,
                         struct tw_error *error);

#endif

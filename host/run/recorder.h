/* recorder.h - a thread that writes a run's tape to a tape file.
 *
 * Layer host/run.
 */
#ifndef TW_RECORDER_H
#define TW_RECORDER_H

#include "base/log.h"
#include "share/epoch.h"
#include "tape/tape.h"
#include "tape/writer.h"

struct tw_recorder;

struct tw_recorder_options {
    const char *path;
    struct tw_tape *tape;
    struct tw_epoch *epoch;
    struct tw_log *log;
    bool reliable;                /* the tape waits for the disk; else what it was too
                                   * slow for is a TW_GAP in the file              */
    struct tw_tape_writer_options writer;
    void (*failed)(void *ctx);    /* on its thread: it was logged, nothing more is
                                   * recorded                                      */
    void (*waiting)(void *ctx);   /* on MAIN, while stop waits; may be NULL         */
    void *ctx;
};

/* Makes the file; records from the tape's first record on.  NULL: error says why.
 * Thread: MAIN, before the first append.  Blocks: on the disk. */
struct tw_recorder *tw_recorder_new(const struct tw_recorder_options *options,
                                    struct tw_error *error) TW_ON(MAIN);

/* Thread: MAIN.  Blocks: no. */
int tw_recorder_start(struct tw_recorder *r, struct tw_error *error) TW_ON(MAIN);

/* Records what is on the tape, then closes the file, and says so in the log.  Safe twice
 * and without a start.
 * Thread: MAIN, when nobody appends any more.  Blocks: until that is written. */
void tw_recorder_stop(struct tw_recorder *r) TW_ON(MAIN);

/* Thread: MAIN, before the tape is freed.  r may be NULL. */
void tw_recorder_free(struct tw_recorder *r) TW_ON(MAIN);

#endif

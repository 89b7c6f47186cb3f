/* store.h - what a FIX session must not forget: its numbers, and what it has sent.
 *
 * In memory, or in a file that the next process goes on with.  Messages stand in a ring
 * of a fixed size; when it is full the oldest are forgotten, and a resend fills their
 * gap.  What may be lost of a file, by `sync`:
 *
 *   never    the process is killed: nothing; the machine stops: what the system had not
 *            written yet, half a minute as a rule
 *   timed    the process is killed: nothing; the machine stops: what came since
 *            tw_fix_store_sync was called last, each so many milliseconds
 *   each     nothing that went out, for the session syncs it before
 *
 * One process has a file at a time.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#ifndef TW_FIX_STORE_H
#define TW_FIX_STORE_H

#include "base/tw.h"

struct tw_fix_store;

enum tw_fix_sync { TW_FIX_SYNC_NEVER, TW_FIX_SYNC_TIMED, TW_FIX_SYNC_EACH };

struct tw_fix_store_options {
    const char *path;       /* NULL: in memory                                         */
    size_t bytes;           /* of messages; 0: 64 MiB.  A file that has messages keeps
                             * its own                                                 */
    enum tw_fix_sync sync;
    int64_t now_ns;         /* a new one was made then                                 */
};

struct tw_fix_store_numbers {
    uint64_t next_in, next_out;
    int64_t created_ns;     /* when they began at 1                                    */
};

/* NULL: error says why; TW_EBUSY: another process, or this one, has the file.
 * TW_OK or TW_EFORMAT in error->code of one that is opened: the latter says how many
 * messages were damaged, which are forgotten.
 * Blocks: on the disk.  Memory: what its messages take; freed by tw_fix_store_close. */
struct tw_fix_store *tw_fix_store_open(const struct tw_fix_store_options *options,
                                       struct tw_error *error);

/* Syncs a file.  s may be NULL.  Blocks: on the disk. */
void tw_fix_store_close(struct tw_fix_store *s);

/* Blocks: never. */
struct tw_fix_store_numbers tw_fix_store_numbers(const struct tw_fix_store *s);

/* Keeps the message that goes out with the number next_out, which is raised.  p NULL:
 * one that is never sent again.  TW_ELIMIT: it is larger than the ring; UV_ENOSPC and
 * the like: the file cannot grow; nothing is changed then.
 * Blocks: when the file grows. */
int tw_fix_store_sent(struct tw_fix_store *s, const char *p, size_t n,
                      struct tw_error *error);

/* Blocks: never. */
void tw_fix_store_set_in(struct tw_fix_store *s, uint64_t next_in);

/* Messages from this number on are forgotten.  Blocks: never. */
void tw_fix_store_set_out(struct tw_fix_store *s, uint64_t next_out);

/* Both numbers are 1, all messages forgotten.  Blocks: never. */
void tw_fix_store_reset(struct tw_fix_store *s, int64_t now_ns);

/* A message that is kept. */
struct tw_fix_kept { uint64_t seq; const char *at; size_t n; };

/* The first message from number seq on; false: there is none.  Its bytes stand until the
 * next one is kept.  Blocks: when the file is not in memory. */
bool tw_fix_store_find(const struct tw_fix_store *s, uint64_t seq,
                       struct tw_fix_kept *out);

/* Likewise the last one below it. */
bool tw_fix_store_find_before(const struct tw_fix_store *s, uint64_t seq,
                              struct tw_fix_kept *out);

/* Whether messages below seq were forgotten as the ring was full. */
bool tw_fix_store_forgot(const struct tw_fix_store *s, uint64_t seq);

/* What came before the call is on the disk after it, but where `sync` is never.
 * Blocks: on the disk. */
int tw_fix_store_sync(struct tw_fix_store *s, struct tw_error *error);

/* The same in three steps, the second of them by any thread, while the owner goes on
 * with the store, but does not close it:
 *     if (tw_fix_store_sync_begin(s, &job)) rc = tw_fix_store_sync_run(&job);
 *     tw_fix_store_sync_end(s, &job, rc, &error);
 * begin is false where there is nothing to sync, or `sync` is never; run blocks on the
 * disk. */
struct tw_fix_store_job {
    unsigned char *map;
    size_t at[3], n[3];           /* bytes of it, one part after the other */
    uint64_t end, era;
};
bool tw_fix_store_sync_begin(struct tw_fix_store *s, struct tw_fix_store_job *job);
int tw_fix_store_sync_run(const struct tw_fix_store_job *job);
int tw_fix_store_sync_end(struct tw_fix_store *s, const struct tw_fix_store_job *job,
                          int rc, struct tw_error *error);

/* There is something to sync. */
bool tw_fix_store_is_dirty(const struct tw_fix_store *s);

#endif

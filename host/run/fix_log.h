/* fix_log.h - what a FIX session sends and receives, line by line in a file.
 *
 *     20240102-09:30:00.123456 > 8=FIX.4.4^9=...      ^ is SOH; < is received
 *
 * Passwords (554, 925, and of a Logon or a UserRequest 96, 1402 and 1404) are as many
 * '*', with a CheckSum that fits.  Lines go to the file in batches; where that fails they
 * are counted, not kept.
 *
 * A file that is full becomes PATH.1, that one PATH.2, and so on; the oldest goes.  One
 * that somebody has moved away or removed, as logrotate does, is begun anew.
 *
 * Layer host/run.  Thread: the owner's.
 */
#ifndef TW_FIX_LOG_H
#define TW_FIX_LOG_H

#include "base/tw.h"
#include "fix/write.h"

enum { TW_FIX_LOG_MS = 200 };        /* a line waits no longer */

struct tw_fix_log {
    int fd;
    char *bytes;                     /* NULL: it is not open                       */
    size_t n, room;                  /* bytes that wait; of them, at most          */
    int64_t since_ns;                /* steady: when the first of them came        */
    int64_t second_ns;               /* the second of the last line                */
    char time[TW_FIX_TIME_TEXT];     /* and its time: 20240102-09:30:00.123456     */
    uint64_t waiting;                /* messages among them                        */
    uint64_t lost;                   /* messages that could not be written         */
    uint64_t size, size_max;         /* bytes of the file; 0: it never ends        */
    unsigned keep;                   /* so many that were full stay                */
    bool removed;                    /* one of those is gone                       */
    char *path;
    int error;                       /* the last time; 0: it could                 */
};

/* Goes on with a file that is there.  No message is longer than max bytes; a file has
 * size_max bytes (0: any), and `keep` stay beside it, 1 at least.
 * Blocks: on the disk. */
int tw_fix_log_open(struct tw_fix_log *log, const char *path, size_t max,
                    uint64_t size_max, unsigned keep, struct tw_error *error);

/* What waits is written.  Safe on memory of zeros.  Blocks: on the disk. */
void tw_fix_log_close(struct tw_fix_log *log);

/* Blocks: on the disk when much waits.  Memory: none. */
void tw_fix_log_put(struct tw_fix_log *log, int64_t now_ns, int64_t steady_ns,
                    bool incoming, const char *p, size_t n);

/* Writes what waits.  log->error says whether it could.  Blocks: on the disk. */
void tw_fix_log_flush(struct tw_fix_log *log);

/* Blanks the passwords of a message in place, where it may have some. */
void tw_fix_blank(char *p, size_t n);
bool tw_fix_must_blank(const char *p, size_t n);

#endif

/* log.h - lines from any thread to the one that prints.
 *
 * Only MAIN writes to the terminal, so that a live screen and the lines of
 * twenty scripts never mix within a line.  The queue is bounded: a writer of
 * more lines than MAIN prints waits; nothing is dropped.
 *
 * Layer host/base.
 */
#ifndef TW_LOG_H
#define TW_LOG_H

#include "base/tw.h"

struct tw_log;

/* Holds up to `bytes` of text.  wake is called, by any thread and with no lock
 * held, when the queue was empty and is not now.  NULL: no memory.
 * Thread: MAIN.  Blocks: no. */
struct tw_log *tw_log_new(size_t bytes, void (*wake)(void *ctx), void *ctx);

/* Lines not yet taken are lost: drain first.  Thread: MAIN. */
void tw_log_free(struct tw_log *log);

/* One line (or block of lines) without its final newline; cut to the queue's
 * size.  who: constant text, "worker 1" or "feed fix".  MAIN itself must not
 * fill the queue: where it would wait it takes no lock and prints nothing, and
 * returns TW_EFULL.  Thread: any.  Blocks: while the queue is full. */
int tw_log_write(struct tw_log *log, enum tw_log_level level, const char *who,
                 const char *text, size_t n);
int tw_log_printf(struct tw_log *log, enum tw_log_level level, const char *who,
                  const char *format, ...) TW_PRINTF(4, 5);

/* Until the lines queued so far have been handed on, or for so long at the most: MAIN may
 * wait for this thread.  By MAIN itself: at once.  Thread: any.  Blocks: for that. */
void tw_log_wait(struct tw_log *log, int64_t most_ns);

/* Hands each queued line to line() in order and returns how many there were.
 * Thread: MAIN.  Blocks: no; line() runs with no lock held. */
size_t tw_log_drain(struct tw_log *log,
                    void (*line)(void *ctx, enum tw_log_level level, const char *who,
                                 const char *text, size_t n), void *ctx);

#endif

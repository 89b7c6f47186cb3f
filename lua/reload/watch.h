/* watch.h - notices when a file of a script has changed on the disk.
 *
 * Layer lua.  Thread: MAIN.
 */
#ifndef LTW_WATCH_H
#define LTW_WATCH_H

#include <uv.h>

#include "base/log.h"

struct ltw_reloads;
struct ltw_watcher;

/* Watches the directories of all files of r's scripts.  NULL: no memory; a directory
 * that can't be watched is in the log. */
struct ltw_watcher *ltw_watcher_new(struct ltw_reloads *r, uv_loop_t *loop,
                                    struct tw_log *log) TW_ON(MAIN);

/* There may be other files now: in a moment all are looked at, and watched from then. */
void ltw_watcher_look(struct ltw_watcher *w) TW_ON(MAIN);

/* After the loop has closed its handles.  w may be NULL. */
void ltw_watcher_free(struct ltw_watcher *w) TW_ON(MAIN);

#endif

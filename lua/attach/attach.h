/* attach.h - whoever is attached to a run: a socket of its owner on MAIN's loop.
 *
 * Layer lua.  Thread: MAIN.
 */
#ifndef LTW_ATTACH_H
#define LTW_ATTACH_H

#include "run/app.h"

struct ltw_attach;

/* Listens.  NULL: *error says why; the run goes on without. */
struct ltw_attach *ltw_attach_open(struct tw_app *app, const char *path,
                                   struct tw_error *error);

/* The workers run: lines may be evaluated. */
void ltw_attach_go(struct ltw_attach *a);

/* Before the workers are told to stop: nobody new, and no new line. */
void ltw_attach_stop(struct ltw_attach *a);

/* After the workers have gone.  a may be NULL in all of these. */
void ltw_attach_close(struct ltw_attach *a);

/* A line of the log, for those who follow it and for `errors`. */
void ltw_attach_log(struct ltw_attach *a, enum tw_log_level level, const char *who,
                    const char *text, size_t n);

/* Now and then: whoever does not answer is given up. */
void ltw_attach_tick(struct ltw_attach *a);

#endif

/* tidewire.h - the public API: an app in a C program of your own.
 *
 *     struct tw_app_options options = { .workers = 2 };
 *     char why[TW_APP_ERROR];
 *     struct tw_app *app = tw_app_open("market.lua", &options, why);
 *
 *     if (!app) { fprintf(stderr, "%s\n", why); return 1; }
 *     status = tw_app_run(app);
 *     tw_app_close(app);
 *
 * Plain C11 and C++.  Link with `pkg-config --libs tidewire`.
 */
#ifndef TIDEWIRE_H
#define TIDEWIRE_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TW_VERSION "0.1.0"

enum { TW_APP_ERROR = 500 };

struct tw_app;

struct tw_app_options {
    unsigned workers;           /* Lua states, a thread each; 0: as many as cores  */
    double seconds;             /* ends after that long; 0: when the feeds end     */
    const char *const *set;     /* "name=value" for app.param; ends in NULL        */
    bool signals;               /* SIGINT and SIGTERM stop the run                 */
    bool screen;                /* a live screen where standard output is a terminal */
    bool attach;                /* `tidewire attach` reaches it: a socket of its owner */
};

/* Runs the app file and checks what it declares.  NULL: `error` has one line.
 * Thread: any, which is then the app's.  Blocks: while the file's code runs. */
struct tw_app *tw_app_open(const char *path, const struct tw_app_options *options,
                           char error[TW_APP_ERROR]);

/* Runs until the time is over, every feed has ended and every script has read
 * all, a script failed, or it is told to stop.  0; 1 when something failed (which
 * was printed); 128 + the signal that stopped it.
 * Thread: the app's.  Blocks: for the whole run. */
int tw_app_run(struct tw_app *app);

/* Thread: any, and signal handlers.  Blocks: never. */
void tw_app_stop(struct tw_app *app);

/* Thread: the app's.  app may be NULL. */
void tw_app_close(struct tw_app *app);

#ifdef __cplusplus
}
#endif

#endif

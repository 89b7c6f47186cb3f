/* repl.h - the prompt inside a run: `tidewire repl app.lua`.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_REPL_H
#define LTW_REPL_H

#include "run/app.h"

/* The prompt is what the run is embedded in: it begins when the feeds run, and the run
 * ends with it. */
struct ltw_repl {
    struct ltw_embedder embedder;
    struct tw_app *app;            /* once it is open */
};

/* Sets the options of the app that r is to be the prompt of. */
void ltw_repl_init(struct ltw_repl *r, struct tw_app_options *o);

#endif

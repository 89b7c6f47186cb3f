/* options.h - the options of `tidewire run`, and of a built program.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#ifndef LTW_OPTIONS_H
#define LTW_OPTIONS_H

#include "run/app.h"

/* set: the values of --set, which the caller gives room for. */
struct ltw_options { struct tw_app_options app; const char **set, *path; };

struct ltw_option {
    const char *name;       /* "--workers"                    */
    const char *value;      /* as help calls it; NULL: none    */
    const char *purpose;
    /* value: NULL where it takes none; false: it makes no sense */
    bool (*take)(struct ltw_options *o, const char *value);
    const char *expected;   /* what would make sense          */
};

enum { LTW_OPTIONS = 6 };

/* In the order of help; the last has no name. */
extern const struct ltw_option ltw_options[LTW_OPTIONS + 1];

/* The option of that name, or NULL. */
const struct ltw_option *ltw_option_find(const char *name);

#endif

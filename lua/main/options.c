/* options.c - the options of `tidewire run`, and of a built program.
 *
 * Why: one list.  What is in it is read from the command line of both, is in the help of
 * a built program, and can't be the name of a parameter there.
 *
 * Layer lua/main.  Thread: MAIN.
 */
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* A number from `least` on, and nothing after it. */
static bool parse_number(const char *text, double least, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *text && !*end && *out >= least && *out <= 1e9;
}

static bool take_workers(struct ltw_options *o, const char *value)
{
    double number;

    if (!parse_number(value, 1, &number) || number > 1024) return false;
    o->app.workers = (unsigned)number;
    return number == o->app.workers;
}

static bool take_seconds(struct ltw_options *o, const char *value)
{
    return parse_number(value, 0, &o->app.seconds);
}

static bool take_set(struct ltw_options *o, const char *value)
{
    const char **end = o->set;

    while (*end) end++;
    *end = value;
    return *value != '\0';
}

static bool take_watch(struct ltw_options *o, const char *value)
{
    (void)value;
    return o->app.watch = true;
}

static bool take_no_attach(struct ltw_options *o, const char *value)
{
    (void)value;
    o->app.attach = false;
    return true;
}

static bool take_audit(struct ltw_options *o, const char *value)
{
    o->app.audit = value;
    return *value != '\0';
}

const struct ltw_option ltw_options[LTW_OPTIONS + 1] = {
    { "--workers", "N", "threads that run scripts; else as many as there are cores",
      take_workers, "an integer in 1 .. 1024" },
    { "--seconds", "S", "stop after S seconds", take_seconds, "a number of seconds" },
    { "--set", "NAME=VALUE", "a parameter, as --NAME VALUE", take_set, "name=value" },
    { "--watch", NULL, "files of scripts that change are new versions", take_watch,
      NULL },
    { "--no-attach", NULL, "no socket for `tidewire attach`", take_no_attach, NULL },
    { "--audit", "FILE", "who changed what in the run is appended to FILE", take_audit,
      "a file" },
    { .name = NULL }
};

const struct ltw_option *ltw_option_find(const char *name)
{
    for (const struct ltw_option *o = ltw_options; o->name; o++)
        if (strcmp(name, o->name) == 0) return o;
    return NULL;
}

/* embed_change.c - a host in a program: new versions of its scripts, and pausing them. */
#include "embed/embed.h"

#include <limits.h>
#include <string.h>

#include "embed/embedded.h"
#include "reload/reload.h"

/* A change is asked of MAIN (reload.h), which settles the future. */
static int ask(struct tw_host *host, const char *script, int version,
               struct tw_future **out, struct tw_error *error)
{
    int rc = ltw_expect_running(host, error);

    *out = NULL;
    if (rc < 0) return rc;
    if (!script) return tw_fail(error, TW_EUSAGE, "no script");
    *out = tw_future_new(host->app->host.unseen);
    if (!*out) return tw_fail(error, UV_ENOMEM, "not enough memory");
    tw_future_want(*out);
    tw_future_hold(*out);
    rc = ltw_reload_ask(host->app->reloads, script, version, NULL, *out);
    if (rc == TW_OK) return rc;
    tw_future_close(*out);
    *out = NULL;
    return tw_fail(error, rc, "%s", tw_strerror(rc));
}

int tw_host_reload(struct tw_host *host, const char *script, struct tw_future **out,
                   struct tw_error *error)
{
    return ask(host, script, 0, out, error);
}

int tw_host_rollback(struct tw_host *host, const char *script, unsigned version,
                     struct tw_future **out, struct tw_error *error)
{
    *out = NULL;
    if (version > INT_MAX) return tw_fail(error, TW_EUSAGE, "no version %u", version);
    return ask(host, script, version ? (int)version : -1, out, error);
}

static bool has(const struct ltw_engine *e, const char *script)
{
    for (unsigned i = 0; i < e->n; i++)
        if (strcmp(e->options[i].name, script) == 0) return true;
    return false;
}

/* Nobody waits: a worker that ends before it looks needs no pause. */
int tw_host_pause(struct tw_host *host, const char *script, bool paused)
{
    int rc = ltw_check_running(host), found = TW_EUSAGE;
    struct tw_item args[] = { tw_item_text(script), tw_item_boolean(paused) };

    if (rc < 0) return rc;
    if (!script) return TW_EUSAGE;
    for (unsigned w = 0; w < host->app->o.workers; w++) {
        struct tw_future *f;

        if (!has(&host->app->engines[w], script)) continue;
        rc = ltw_post_call(host, w, LTW_EMBEDDED_PAUSE, args, 2, &f);
        if (rc < 0) return rc;
        tw_future_forget(f);
        tw_future_release(f);
        tw_future_unref(f);
        found = TW_OK;
    }
    return found;
}

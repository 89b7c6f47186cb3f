/* program.c - Lua outside a run: the interpreter, the tests of `tidewire test`. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "task/census.h"
#include "task/loop.h"
#include "task/lpool.h"
#include "run/market.h"
#include "output.h"
#include "share/caches.h"
#include "share/failure.h"
#include "task/tasks.h"

struct ltw_program {
    struct ltw_host host;
    struct ltw_state *state;
    struct tw_unseen unseen;
    atomic_bool failed;        /* atomic: any thread sets it */
};

/* On whatever thread a failed future ends. */
static void tell(void *ctx, const struct tw_any *error)
{
    struct ltw_program *p = ctx;
    char text[4096];

    tw_failure_text(error, text, sizeof text);
    fprintf(stderr, "tidewire: an error that nobody awaited: %s\n", text);
    /* order [program.failed] relaxed: the threads are joined before it is read */
    atomic_store_explicit(&p->failed, true, memory_order_relaxed);
}

enum { PART = 1 << 16 };   /* bytes */

static bool print(const char *text, size_t n, bool (*stops)(void *ctx), void *ctx)
{
    bool goes_on = true;

    flockfile(stdout);     /* the line stays whole */
    for (; n > PART && goes_on; text += PART, n -= PART) {
        fwrite(text, 1, PART, stdout);
        goes_on = !stops(ctx);
    }
    if (goes_on) fwrite(text, 1, n, stdout);
    fflush(stdout);
    funlockfile(stdout);
    return goes_on;
}

static void warn(const char *who, const char *text)
{
    fprintf(stderr, "tidewire: %s: warning: %s\n", who, text);
}

struct ltw_program *ltw_program_new(void)
{
    struct ltw_program *p = tw_calloc_aligned(1, sizeof *p);

    if (!p) return NULL;
    tw_role_set(&MAIN);
    p->unseen = (struct tw_unseen){ .tell = tell, .ctx = p };
    p->host.unseen = &p->unseen;
    p->host.print = print;
    p->host.warn = warn;
    p->host.census = ltw_census_new();
    p->host.caches = tw_caches_new(NULL, &p->unseen);
    p->host.channels = tw_channels_new();
    p->state = ltw_state_new(&p->host, 0);
    if (!p->state || !p->host.census || !p->host.caches || !p->host.channels) goto fail;
    strcpy(p->state->who, "main");
    p->state->tasks = ltw_tasks_new(p->state, NULL, NULL, NULL);
    if (!p->state->tasks) goto fail;
    ltw_output_open(p->state);
    return p;
fail:
    ltw_state_free(p->state);
    tw_caches_free(p->host.caches);
    ltw_census_free(p->host.census);
    tw_channels_free(p->host.channels);
    tw_free(p);
    return NULL;
}

struct ltw_state *ltw_program_state(struct ltw_program *p)
{
    return p->state;
}

int ltw_program_end(struct ltw_program *p, int status)
{
    tw_be_main();
    if (status == 0) ltw_loop_finish(p->state->tasks);
    if (p->host.pool && status == 0) tw_pool_finish(p->host.pool);
    ltw_state_cease(p->state);
    if (p->host.pool) ltw_pool_stop(&p->host);
    ltw_state_free(p->state);
    ltw_pool_close(&p->host);
    tw_caches_free(p->host.caches);
    ltw_market_close(&p->host);
    ltw_census_free(p->host.census);
    tw_channels_free(p->host.channels);
    /* order [program.failed] relaxed: see tell */
    if (status == 0 && atomic_load_explicit(&p->failed, memory_order_relaxed)) status = 1;
    tw_free(p);
    return status;
}

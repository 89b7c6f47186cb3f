/* embed_status.c - a host in a program: its figures, as structs that may grow.
 *
 * A caller's struct may be smaller than ours, from an earlier version, or larger: what
 * both know is copied.  All figures are counters, which nobody stops for a look.
 */
#include "embed/embed.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run/counter.h"
#include "share/caches.h"

/* Gives the caller what it knows of ours, in which size has been set to its own. */
static int give(void *out, const void *ours, size_t n)
{
    size_t theirs;

    memcpy(&theirs, out, sizeof theirs);
    if (theirs < sizeof theirs) return TW_EUSAGE;
    if (theirs > n) memset((char *)out + n, 0, theirs - n);
    if (theirs < n) n = theirs;
    memcpy((char *)out + sizeof theirs, (const char *)ours + sizeof theirs,
           n - sizeof theirs);
    return TW_OK;
}

/* What has not run has no figures. */
static int check(struct tw_host *host, const void *out)
{
    if (!out) return TW_EUSAGE;
    return ltw_phase(host) < LTW_RUNNING ? TW_EBUSY : TW_OK;
}

static struct tw_times times(const struct tw_histogram *h)
{
    return (struct tw_times){
        .count = tw_histogram_count(h), .max_ns = tw_histogram_max(h),
        .p50_ns = tw_histogram_percentile(h, 0.5),
        .p99_ns = tw_histogram_percentile(h, 0.99),
        .p999_ns = tw_histogram_percentile(h, 0.999),
    };
}

static unsigned count_caches(struct tw_caches *caches)
{
    struct tw_cache *c;
    unsigned n = 0;

    for (; (c = tw_caches_at(caches, n)); n++) tw_cache_unref(c);
    return n;
}

int tw_host_get_status(struct tw_host *host, struct tw_host_status *out)
{
    int rc = check(host, out);
    struct tw_pool_status pool = { 0 };
    struct tw_host_status s;
    struct tw_app *app;
    int64_t ended_ns;

    if (rc < 0) return rc;
    app = host->app;
    if (app->host.pool) tw_pool_status(app->host.pool, &pool);
    ended_ns = ltw_phase(host) == LTW_OVER ? app->ended_ns : tw_clock_steady_ns();
    s = (struct tw_host_status){
        .feeds = tw_io_count(app->io), .workers = app->o.workers,
        .scripts = app->n_scripts, .caches = count_caches(app->host.caches),
        .records = tw_tape_head(app->host.tape) - 1,
        .capacity = tw_tape_capacity(app->host.tape),
        .symbols = tw_symbols_count(app->host.symbols),
        .elapsed_ns = ended_ns - app->began_ns,
        .cpu_ns = tw_clock_of_ns(CLOCK_PROCESS_CPUTIME_ID),
        .io_cpu_ns = tw_io_cpu_ns(app->io),
        .pool_threads = pool.threads, .pool_queued = pool.queued,
        .pool_running = pool.running, .pool_submitted = pool.submitted,
        .pool_done = pool.done, .pool_failed = pool.failed,
        .pool_cancelled = pool.cancelled, .parse = times(tw_io_parse_ns(app->io)),
    };
    for (unsigned i = 0; i < s.workers; i++)
        s.memory_bytes += tw_counter_get(&app->engines[i].bytes);
    return give(out, &s, sizeof s);
}

int tw_host_get_feed(struct tw_host *host, unsigned i, struct tw_host_feed *out)
{
    int rc = check(host, out);
    struct tw_feed_status f;
    struct tw_host_feed ours;

    if (rc < 0) return rc;
    if (i >= tw_io_count(host->app->io)) return TW_EUSAGE;
    tw_io_status(host->app->io, i, &f);
    ours = (struct tw_host_feed){
        .name = tw_io_name(host->app->io, i), .state = f.state, .records = f.records,
        .waits = f.waits, .connects = f.connects, .bytes = f.codec.bytes,
        .messages = f.codec.messages, .ignored = f.codec.ignored,
        .errors = f.codec.errors, .skips = f.codec.skips, .skipped = f.codec.skipped,
    };
    return give(out, &ours, sizeof ours);
}

int tw_host_get_worker(struct tw_host *host, unsigned i, struct tw_host_worker *out)
{
    int rc = check(host, out);
    const struct ltw_engine *e;
    struct tw_host_worker ours;

    if (rc < 0) return rc;
    if (i >= host->app->o.workers) return TW_EUSAGE;
    e = &host->app->engines[i];
    ours = (struct tw_host_worker){
        .cpu_ns = tw_worker_cpu_ns(host->app->workers[i]),
        .bytes = tw_counter_get(&e->bytes),
        .bytes_peak = tw_counter_get(&e->bytes_peak),
        .allocations = tw_counter_get(&e->allocations),
        .reach = times(&e->reach_ns), .done = times(&e->done_ns),
    };
    return give(out, &ours, sizeof ours);
}

int tw_host_get_script(struct tw_host *host, unsigned i, struct tw_host_script *out)
{
    int rc = check(host, out);
    struct tw_host_script ours = { .worker = 0 };
    const struct ltw_script_options *o;
    const struct ltw_script_counts *c;
    const struct tw_app *app;
    uint64_t head, at;

    if (rc < 0) return rc;
    app = host->app;
    if (i >= app->n_scripts) return TW_EUSAGE;
    while (i >= app->engines[ours.worker].n) i -= app->engines[ours.worker++].n;
    o = &app->engines[ours.worker].options[i];
    c = &app->engines[ours.worker].counts[i];
    head = tw_tape_head(app->host.tape);
    at = tw_counter_get(&c->at);
    ours.name = o->name;
    ours.instance = o->shard + 1;
    ours.instances = o->shards ? o->shards : 1;
    ours.handled = tw_counter_get(&c->handled);
    ours.lost = tw_counter_get(&c->lost);
    ours.errors = tw_counter_get(&c->errors);
    ours.lag = at && at < head ? head - at : 0;
    ours.version = tw_counter_get(&c->version);
    ours.since = tw_counter_get(&c->since);
    return give(out, &ours, sizeof ours);
}

int tw_host_get_cache(struct tw_host *host, unsigned i, struct tw_host_cache *out)
{
    int rc = check(host, out);
    struct tw_cache *c;
    struct tw_cache_stats s;
    struct tw_host_cache ours;

    if (rc < 0) return rc;
    c = tw_caches_at(host->app->host.caches, i);
    if (!c) return TW_EUSAGE;
    tw_cache_stats(c, &s);
    ours = (struct tw_host_cache){
        .entries = s.entries, .bytes = s.bytes, .hits = s.hits, .misses = s.misses,
        .coalesced = s.coalesced, .failures = s.failures, .load = times(&s.load_ns),
    };
    snprintf(ours.name, sizeof ours.name, "%s", tw_cache_name(c));
    tw_cache_unref(c);
    return give(out, &ours, sizeof ours);
}

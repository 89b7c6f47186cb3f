/* embed_change.c - what a program does to its scripts while they run: new versions and
 * back, pausing, evaluating; and the figures that it sees of them.
 */
#include "embed_rig.h"

/* What a future gives within 120 seconds; it is closed. */
static int settle(struct tw_future *f, struct tw_item *value, struct tw_error *error)
{
    int rc = tw_future_await(f, 120, value, error);

    if (rc == TW_OK && value->kind > TW_VALUE_NUMBER) *value = tw_item_nil();
    tw_future_close(f);
    return rc;
}

/* ---- versions ---- */

static const char version[] = SCRIPT
    " function M:on_quote() self.n = (self.n or 0) + 1 end"
    " function M:count() return self.n or 0 end"
    " function M.version() return %d end return M";

static void give_version(struct tw_host *host, int n)
{
    char text[1000];

    snprintf(text, sizeof text, version, n);
    ok(tw_host_add_text(host, "s.lua", text) == TW_OK, "the text of version %d", n);
}

static void test_reload(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host;
    struct tw_host_script s = { .size = sizeof s };
    struct tw_item v;
    struct tw_future *f;

    o.workers = 2;
    host = tw_host_new(&o, &error);
    tw_host_add_text(host, "app.lua", APP "app.script 's.lua'");
    give_version(host, 1);
    ok(tw_host_reload(host, "s.lua", &f, &error) == TW_EBUSY && !f
       && strcmp(error.text, "the host does not run yet") == 0, "%s", error.text);
    ok(tw_host_load(host, "app.lua", &error) == TW_OK
       && tw_host_start(host, &error) == TW_OK, "it runs");
    tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    while (ask(host, "count") < 1) continue;
    ok(ask(host, "version") == 1, "version 1");
    give_version(host, 2);
    ok(tw_host_reload(host, "s.lua", &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_OK && v.integer == 2, "a reload: %s",
       line(error.text));
    ok(ask(host, "version") == 2 && ask(host, "count") == 1, "the new text, the self");
    ok(tw_host_get_script(host, 0, &s) == TW_OK && s.version == 2 && s.since > 0,
       "since record %u", (unsigned)s.since);
    tw_host_add_text(host, "s.lua", "function");
    ok(tw_host_reload(host, "s.lua", &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_ESCRIPT && strstr(error.text, "s.lua:1:"),
       "one that does not compile: %s", line(error.text));
    ok(ask(host, "version") == 2, "version 2 goes on");
    ok(tw_host_reload(host, "none.lua", &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_ESCRIPT, "no such script: %s", line(error.text));
    ok(tw_host_rollback(host, "s.lua", 0, &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_OK && ask(host, "version") == 1, "a rollback: %s",
       line(error.text));
    ok(tw_host_rollback(host, "s.lua", 2, &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_OK && ask(host, "version") == 2, "to version 2");
    ok(tw_host_rollback(host, "s.lua", 77, &f, &error) == TW_OK
       && settle(f, &v, &error) == TW_ESCRIPT, "to none: %s", line(error.text));
    ok(tw_host_rollback(host, "s.lua", UINT32_MAX, &f, &error) == TW_EUSAGE
       && tw_host_reload(host, NULL, &f, &error) == TW_EUSAGE, "wrong use");
    ok(end_host(host, &error) == TW_OK, "the run ends: %s", line(error.text));
}

/* ---- pausing, evaluating ---- */

static double evaluate(struct tw_host *host, const char *where, const char *text)
{
    struct tw_future *f;
    struct tw_item v = tw_item_nil();
    struct tw_error error = { 0, "" };
    int rc = tw_host_evaluate(host, where, text, &f, &error);

    if (rc == TW_OK) rc = settle(f, &v, &error);
    if (rc < 0) printf("# %s: %s\n", text, line(error.text));
    return rc < 0 ? rc : tw_item_to_number(v, -1);
}

static void test_evaluate(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said,
        "local hidden = 17 function M:on_start() self.position = 3 end"
        " function M:on_quote() self.n = (self.n or 0) + hidden end"
        " function M:get() return self.n or 0 end");

    ok(evaluate(host, "s.lua", "self.position") == 3, "self of a script");
    ok(evaluate(host, "s.lua", "hidden + 1") == 18, "a local of its file");
    ok(evaluate(host, "s.lua", "hidden = 5 self.position = 4") == -1
       && evaluate(host, "s.lua", "hidden + self.position") == 9, "which can be set");
    ok(evaluate(host, "s.lua#1", "tw.sleep(0.001) return 7") == 7, "it may wait");
    ok(evaluate(host, "@0", "1 + 1") == 2, "in a worker's state");
    ok(evaluate(host, "s.lua", "print('said', hidden)") == -1, "it prints");
    ok(evaluate(host, "s.lua", "1 +") == TW_ESCRIPT
       && evaluate(host, "@0", "error 'x'") == TW_ESCRIPT, "what fails");
    ok(evaluate(host, "t.lua", "1") == TW_EUSAGE && evaluate(host, "@1", "1") == TW_EUSAGE
       && evaluate(host, "s.lua", NULL) == TW_EUSAGE, "where nothing is");
    ok(tw_host_pause(host, "s.lua", true) == TW_OK, "a pause");
    evaluate(host, "s.lua", "1");   /* it comes after the pause */
    tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    ok(evaluate(host, "s.lua", "tw.sleep(0.02) return self.n or 0") == 0,
       "a paused script takes no quote");
    ok(tw_host_pause(host, "s.lua", false) == TW_OK, "and no pause");
    while (ask(host, "get") == 0) continue;
    ok(ask(host, "get") == 5, "then it does");
    ok(tw_host_pause(host, "t.lua", true) == TW_EUSAGE
       && tw_host_pause(host, NULL, true) == TW_EUSAGE, "of no script");
    ok(evaluate(host, "@0", "tw.reload('s.lua', { warm = 1 }):await()") == 2
       && ask(host, "get") == 5, "a reload with a warm start");
    ok(end_host(host, NULL) == TW_OK, "the run ends");
    ok(has_said(&said, "said\t5\n"), "what was printed is heard");
}

/* ---- figures ---- */

/* As a program has it that knows less, or more, than the library. */
struct small { size_t size; unsigned feeds, workers; uint64_t beyond; };
struct large { struct tw_host_feed feed; uint64_t new[4]; };

static void test_status(void)
{
    enum { N = 100 };
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host;
    struct tw_host_status s = { .size = sizeof s };
    struct tw_host_feed f = { .size = sizeof f };
    struct tw_host_worker w = { .size = sizeof w };
    struct tw_host_script r = { .size = sizeof r };
    struct tw_host_cache c = { .size = sizeof c };
    struct small small = { .size = 16, .beyond = 7 };
    struct large large = { .feed = { .size = sizeof large }, .new = { 1, 1, 1, 1 } };

    o.workers = 2;
    host = open_host(&o, APP "app.pool { threads = 1 }"
        " app.script('s.lua', { shard = 'symbol' })",
        "local cache = tw.cache('squares') local function square(k) return k * k end"
        " function M.on_quote() end"
        " function M.square() return cache:get(7, square):await() end", &error);
    ok(host && tw_host_get_status(host, &s) == TW_EBUSY
       && tw_host_get_script(host, 0, &r) == TW_EBUSY, "no figures before: %s",
       line(error.text));
    ok(tw_host_start(host, &error) == TW_OK, "it starts: %s", line(error.text));
    for (int i = 0; i < N; i++) tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    ok(ask(host, "square") == 49, "a value of a cache");
    ok(tw_host_get_status(host, &s) == TW_OK && s.feeds == 1 && s.workers == 2
       && s.scripts == 2 && s.caches == 1 && s.symbols == 1 && s.capacity == 1024
       && s.pool_threads == 1 && s.records >= N && s.elapsed_ns > 0 && s.cpu_ns > 0,
       "the whole: %u records", (unsigned)s.records);
    ok(tw_host_get_cache(host, 0, &c) == TW_OK && strcmp(c.name, "squares") == 0
       && c.entries == 1 && c.misses == 1 && c.load.count == 1, "a cache");
    tw_host_finish(host);
    ok(tw_host_wait(host, 120, &error) == TW_OK, "the run ends: %s", line(error.text));
    ok(tw_host_get_feed(host, 0, &f) == TW_OK && strcmp(f.name, "program") == 0
       && f.state == TW_FEED_ENDED && f.records == N, "the feed");
    ok(tw_host_get_worker(host, 0, &w) == TW_OK && w.cpu_ns > 0 && w.bytes_peak > 0
       && w.done.count > 0 && w.done.p50_ns <= w.done.max_ns, "a worker");
    ok(tw_host_get_script(host, 1, &r) == TW_OK && strcmp(r.name, "s.lua") == 0
       && r.instance == 2 && r.instances == 2 && r.worker == 1 && r.version == 1
       && r.lag == 0 && r.lost == 0 && r.errors == 0, "a script");
    ok(tw_host_get_status(host, &s) == TW_OK && s.records >= N, "also when it is over");
    ok(tw_host_get_feed(host, 1, &f) == TW_EUSAGE && tw_host_get_worker(host, 2, &w)
       == TW_EUSAGE && tw_host_get_script(host, 2, &r) == TW_EUSAGE
       && tw_host_get_cache(host, 1, &c) == TW_EUSAGE, "no more of them");
    f.size = 0;
    ok(tw_host_get_feed(host, 0, &f) == TW_EUSAGE
       && tw_host_get_feed(host, 0, NULL) == TW_EUSAGE, "a struct that says no size");
    ok(tw_host_get_status(host, (struct tw_host_status *)&small) == TW_OK
       && small.feeds == 1 && small.workers == 2 && small.beyond == 7 && small.size == 16,
       "one of an earlier version has what it knows");
    ok(tw_host_get_feed(host, 0, &large.feed) == TW_OK && large.feed.records == N
       && large.new[0] + large.new[3] == 0, "of one to come the rest is 0");
    ok(tw_host_free(host) == TW_OK, "it is freed");
}

int main(void)
{
    test_reload();
    test_evaluate();
    test_status();
    return tap_done();
}

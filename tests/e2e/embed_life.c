/* embed_life.c - hosts in one process: two at once, many after each other, threads that
 * push, signals, and every allocation failing once.
 *
 * What is not of tidewire.h here is looked at, not used: that nothing was left.
 */
#include <dirent.h>
#include <lauxlib.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "embed_rig.h"

void tw_memory_fail_at(uint64_t n);
uint64_t tw_memory_count(void);
uint64_t tw_value_live(void);
uint64_t tw_object_live(void);

/* ---- a module, in every state ---- */

static int answer(lua_State *L)
{
    lua_pushinteger(L, 42);
    return 1;
}

static int open_answers(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, answer);
    lua_setfield(L, -2, "answer");
    return 1;
}

static void test_given(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    const char *const set[] = { "greeting=hello", NULL };
    struct tw_error error = { 0, "" };
    struct tw_host *host;

    o.set = set;
    host = tw_host_new(&o, &error);
    ok(tw_host_add_module(host, "program.answers", open_answers) == TW_OK, "a module");
    tw_host_add_text(host, "dir/app.lua", "local app = require 'tw.app'"
        " print('app', require 'program.answers'.answer(), app.param('greeting', ''))"
        " app.script 's.lua'");
    tw_host_add_text(host, "dir/lib/mine.lua", "return { name = 'a module of a text' }");
    tw_host_add_text(host, "dir/s.lua", "local answers = require 'program.answers'"
        " local mine, M = require 'lib.mine', {}"
        " function M.on_start() print('script', answers.answer(), mine.name)"
        "   local tw = require 'tw'"
        "   print('pool', tw.pool.run(function()"
        "     return require 'program.answers'.answer() end):await()) end"
        " return M");
    ok(tw_host_load(host, "dir/app.lua", &error) == TW_OK, "an app: %s", error.text);
    ok(tw_host_start(host, &error) == TW_OK && tw_host_finish(host) == TW_OK
       && tw_host_wait(host, 120, &error) == TW_OK, "it runs: %s", line(error.text));
    ok(has_said(&said, "app\t42\thello\n"), "the app file has module and parameter");
    ok(has_said(&said, "script\t42\ta module of a text\n"), "a script both");
    ok(has_said(&said, "pool\t42\n"), "the pool the module");
    tw_host_free(host);
}

/* ---- threads ---- */

enum { THREADS = 4, PUSHES = 200, BATCH = 50 };

struct pusher { struct tw_host *host; pthread_t thread; uint32_t symbol; bool fine; };

static void *push_many(void *arg)
{
    struct pusher *p = arg;
    struct tw_record r[BATCH];

    p->fine = true;
    for (uint32_t n = 0; n < PUSHES; n++) {
        for (uint32_t i = 0; i < BATCH; i++)
            r[i] = (struct tw_record){ .kind = TW_QUOTE, .symbol = p->symbol,
                .source_seq = n * BATCH + i, .quote = { 1, 2, 3, 4 } };
        p->fine = p->fine && tw_host_push(p->host, r, BATCH, TW_FOREVER) == BATCH;
    }
    return NULL;
}

static const char counts[] =
    "function M:on_start() self.n, self.next, self.wrong = 0, {}, 0 end"
    " function M:on_quote(symbol_id, source_seq)"
    "   if source_seq ~= (self.next[symbol_id] or 0) then self.wrong = self.wrong + 1 end"
    "   self.next[symbol_id] = source_seq + 1"
    "   self.n = self.n + 1 end"
    " function M:on_stop() board.n, board.wrong = self.n, self.wrong end";

static void test_threads(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said, counts);
    struct pusher p[THREADS];
    struct tw_any n, wrong;
    bool fine = true;

    for (unsigned i = 0; i < THREADS; i++) {
        char name[] = { (char)('A' + i), '\0' };

        p[i] = (struct pusher){ .host = host };
        p[i].symbol = (uint32_t)tw_host_symbol(host, name);
        pthread_create(&p[i].thread, NULL, push_many, &p[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(p[i].thread, NULL);
        fine = fine && p[i].fine;
    }
    tw_host_finish(host);
    ok(tw_host_wait(host, 120, NULL) == TW_OK && fine, "%d threads push", THREADS);
    tw_host_board_get(host, "n", &n);
    tw_host_board_get(host, "wrong", &wrong);
    ok(n.integer == THREADS * PUSHES * BATCH && wrong.integer == 0,
       "all %d quotes are seen once, in the order of each thread", (int)n.integer);
    tw_host_free(host);
}

/* ---- two at once ---- */

static void *run_host(void *host)
{
    struct tw_error error = { 0, "" };

    return tw_host_run(host, &error) == TW_OK ? host : NULL;
}

static void test_two(void)
{
    struct said said[2] = { SAID_INIT, SAID_INIT };
    struct tw_host_options o[2] = { options_of(&said[0]), options_of(&said[1]) };
    struct tw_host *host[2];
    struct tw_error error = { 0, "" };
    struct tw_any v[2];
    pthread_t thread;
    void *gave;

    for (int i = 0; i < 2; i++)
        host[i] = open_host(&o[i], APP "app.script 's.lua'",
            "function M.on_quote(symbol) print(symbol) board.symbol = symbol end"
            " function M.on_message(value) print(value) end"
            " function M.id() return tw.instrument('X').id end", &error);
    ok(host[0] && host[1], "two hosts of the same app");
    ok(tw_host_symbol(host[0], "X") == 1 && tw_host_symbol(host[1], "Y") == 1
       && tw_host_symbol(host[1], "X") == 2, "symbols are each host's own");
    pthread_create(&thread, NULL, run_host, host[0]);
    ok(tw_host_start(host[1], &error) == TW_OK, "one has a thread of its own");
    while (tw_host_finish(host[0]) == TW_EBUSY) { }   /* the other begins when it may */
    ok(tw_host_quote(host[1], "Y", 0, 1, 2, 3, 4) == TW_OK
       && tw_host_publish(host[1], "t", tw_item_text("to one"), 0) == TW_OK, "push");
    ok(ask(host[1], "id") == 2, "call");
    pthread_join(thread, &gave);
    ok(gave == host[0], "the other ends, in the thread that ran it");
    tw_host_free(host[0]);
    ok(tw_host_quote(host[1], "X", 0, 1, 2, 3, 4) == TW_OK, "the one goes on");
    tw_host_finish(host[1]);
    ok(tw_host_wait(host[1], 120, &error) == TW_OK, "until it ends: %s",
       line(error.text));
    ok(said[0].n == 0 && has_said(&said[1], "Y\n") && has_said(&said[1], "X\n"),
       "each has its own quotes");
    ok(tw_host_board_get(host[1], "symbol", &v[1]) == TW_OK
       && v[1].kind == TW_VALUE_BLOCK, "and its own board");
    tw_any_unref(&v[1]);
    tw_host_free(host[1]);
}

/* ---- many after each other ---- */

static unsigned entries(const char *directory)
{
    DIR *d = opendir(directory);
    unsigned n = 0;

    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

/* A thread that was joined may be listed a moment longer: the kernel wakes who joins it
 * first.  So there may be more of them before than after, too. */
static bool comes_to(unsigned threads)
{
    time_t until = time(NULL) + 120;

    while (entries("/proc/self/task") > threads && time(NULL) < until) sched_yield();
    return entries("/proc/self/task") <= threads;
}

static void test_cycles(void)
{
    enum { CYCLES = 50 };
    unsigned fds = 0, threads = entries("/proc/self/task"), fine = 0;

    for (int i = 0; i < CYCLES; i++) {
        struct said said = SAID_INIT;
        struct tw_host *host = start_host(&said,
            "function M.on_quote() tw.publish('a', { 1 }) end"
            " function M.one() return 1 end");

        fine += tw_host_quote(host, "A", 0, 1, 2, 3, 4) == TW_OK && ask(host, "one") == 1
            && end_host(host, NULL) == TW_OK;
        if (i == 0) fds = entries("/proc/self/fd");
    }
    ok(fine == CYCLES, "%d hosts after each other", fine);
    ok(entries("/proc/self/fd") == fds, "no descriptor is left");
    ok(comes_to(threads), "nor a thread");
}

/* ---- ending ---- */

static void on_line_stop(void *ctx, const char *text, size_t n)
{
    (void)text, (void)n;
    tw_host_stop(*(struct tw_host **)ctx);
}

static void test_ends(void)
{
    struct tw_host *host;
    struct tw_host_options o = { .workers = 1, .print = on_line_stop, .ctx = &host };
    struct said said = SAID_INIT;
    struct tw_error error = { 0, "" };

    host = open_host(&o, APP "app.script 's.lua'",
                     "function M.on_start() print 'now' end", &error);
    ok(host && tw_host_run(host, &error) == TW_OK, "a callback stops the run");
    ok(tw_host_run(host, &error) == TW_EUSAGE, "which runs once: %s", error.text);
    tw_host_free(host);

    o = options_of(&said);
    o.seconds = 0.01;
    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    ok(host && tw_host_run(host, &error) == TW_OK, "a run of so many seconds");
    tw_host_free(host);

    o.seconds = 0;
    host = open_host(&o, APP "app.feed.synthetic { speed = 0, limit = 1000 }"
                     " app.script 's.lua'", "M.on_quote = function() end", &error);
    ok(host && tw_host_run(host, &error) == TW_OK, "an app with a feed ends with that");
    tw_host_free(host);

    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    tw_host_stop(host);
    ok(tw_host_run(host, &error) == TW_OK, "one that was stopped before");
    tw_host_free(host);

    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    tw_host_free(host);
    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    ok(host && tw_host_start(host, &error) == TW_OK, "one is freed while it runs");
    tw_host_free(host);
}

/* ---- signals ---- */

static volatile sig_atomic_t urgent;

static void on_urgent(int number)
{
    (void)number;
    urgent++;
}

static bool is_handler(int number, void (*f)(int))
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == f;
}

static void test_signals(void)
{
    static const int all[] = { SIGINT, SIGTERM, SIGURG, SIGPIPE, SIGHUP, SIGCHLD };
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host = start_host(&said, "");
    bool untouched = true;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        untouched = untouched && is_handler(all[i], SIG_DFL);
    ok(untouched, "no signal is taken");
    end_host(host, NULL);

    signal(SIGURG, on_urgent);
    o.watchdog = true;
    host = open_host(&o, APP "app.limits { time = 0.05 } app.script 's.lua'",
                     "function M.on_quote() while true do pcall(tostring, 1) end end",
                     &error);
    ok(host && tw_host_start(host, &error) == TW_OK, "a host with a watchdog");
    raise(SIGURG);
    ok(urgent == 1, "the program's own signals are its own");
    tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    ok(tw_host_wait(host, 120, &error) == TW_ESCRIPT
       && strstr(error.text, "ran for more"),
       "what does not return is stopped: %s", line(error.text));
    tw_host_free(host);
    ok(is_handler(SIGURG, on_urgent) && urgent == 1, "the handler is the program's"
       " again");
    signal(SIGURG, SIG_DFL);

    o.watchdog = false;
    o.signals = true;
    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    ok(host && tw_host_start(host, &error) == TW_OK, "a host that takes signals");
    kill(getpid(), SIGTERM);
    ok(tw_host_wait(host, 120, &error) == SIGTERM, "ends by one, and says which");
    tw_host_free(host);
    ok(is_handler(SIGTERM, SIG_DFL), "which is the program's again");
}

/* ---- without memory ---- */

static int send_table(struct tw_host *host)
{
    static const double numbers[] = { 1, 2, 3 };
    struct tw_draft *d = tw_draft_new();
    struct tw_any v, array = { .kind = TW_VALUE_NIL };
    int rc = d ? tw_numbers_keep(numbers, 3, &array) : -ENOMEM;

    if (rc == TW_OK) {
        tw_draft_begin(d, "levels");
        tw_draft_add(d, tw_item_text("a text"));
        tw_draft_end(d);
        tw_draft_set(d, "numbers", tw_any_root(&array));
        rc = tw_draft_finish(d, &v);
        tw_any_unref(&array);
    }
    if (rc == TW_OK) {
        rc = tw_host_publish(host, "table", tw_any_root(&v), 0);
        tw_any_unref(&v);
    }
    tw_draft_free(d);
    return rc;
}

/* All of a host's life: 0, or the code of what failed. */
static int live(struct said *said)
{
    struct tw_host_options o = options_of(said);
    struct tw_error error = { 0, "" };
    struct tw_host *host = open_host(&o,
        APP "app.pool { threads = 1 } app.script 's.lua'",
        "function M.on_quote() board.a = { 1 } end function M.one() return { 'one' } end",
        &error);
    struct tw_item arg = tw_item_text("text");
    struct tw_future *f = NULL;
    struct tw_host_cursor *c;
    struct tw_host_status status = { .size = sizeof status };
    int rc = host ? TW_OK : error.code ? error.code : -ENOMEM;

    if (rc == TW_OK) rc = tw_host_start(host, &error);
    if (rc == TW_OK) rc = tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    if (rc == TW_OK) rc = tw_host_publish(host, "t", arg, 0);
    if (rc == TW_OK) rc = tw_host_board_set(host, "b", arg);
    if (rc == TW_OK) rc = tw_host_call(host, "s.lua", "one", &arg, 1, &f, &error);
    if (rc == TW_OK) rc = tw_future_await(f, 120, NULL, &error);
    tw_future_close(f);
    f = NULL;
    if (rc == TW_OK) rc = send_table(host);
    if (rc == TW_OK) rc = tw_host_evaluate(host, "s.lua", "1 + 1", &f, &error);
    if (rc == TW_OK) rc = tw_future_await(f, 120, NULL, &error);
    tw_future_close(f);
    f = NULL;
    if (rc == TW_OK) rc = tw_host_pause(host, "s.lua", false);
    if (rc == TW_OK) rc = tw_host_get_status(host, &status);
    if (rc == TW_OK) rc = tw_host_reload(host, "s.lua", &f, &error);
    if (rc == TW_OK) rc = tw_future_await(f, 120, NULL, &error);
    tw_future_close(f);
    if (rc == TW_OK) {
        c = tw_host_cursor_open(host, 1u << TW_QUOTE, false, 1, &error);
        if (!c) rc = error.code;
        tw_host_cursor_close(c);
    }
    if (rc == TW_OK) tw_host_finish(host);
    else if (host) tw_host_stop(host);
    if (rc == TW_OK) rc = tw_host_wait(host, 120, &error);
    if (tw_host_free(host) < 0) return TW_EBUSY;   /* odd */
    return rc;
}

static void test_memory(void)
{
    struct said said = SAID_INIT;
    uint64_t before = tw_memory_count(), in_all;
    unsigned refused = 0, carried = 0, odd = 0;

    tw_memory_fail_at(UINT64_MAX / 4);            /* Lua's are counted, too */
    ok(live(&said) == TW_OK, "a life");
    in_all = tw_memory_count() - before;
    for (uint64_t n = 1; n <= in_all; n += n < 40 ? 1 : 1 + in_all / 150) {
        int rc;

        said.n = 0;
        tw_memory_fail_at(n);
        rc = live(&said);
        tw_memory_fail_at(0);
        if (rc == TW_OK) carried++;
        else if (rc == -ENOMEM || rc == TW_ESCRIPT) refused++;
        else odd++;
    }
    ok(odd == 0, "of %u allocations that fail none ends in another error",
       refused + carried);
    ok(refused > 20, "what can not go on without is refused: %u times", refused);
    ok(live(&said) == TW_OK, "and then all is as before");
}

int main(void)
{
    test_given();
    test_threads();
    test_two();
    test_cycles();
    test_ends();
    test_signals();
    test_memory();
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing shared lives on");
    return tap_done();
}

/* embed_hostile.c - what a program should not do, and what a host must not: every call
 * without a host, waits on a host's own threads, hosts freed in each of their states and
 * while something of them is open, peers that go, fork, and what of the process is left
 * as it was.
 */
#include <dirent.h>
#include <lauxlib.h>
#include <locale.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "embed_rig.h"
#include "place.h"

extern char **environ;
uint64_t tw_value_live(void);
uint64_t tw_object_live(void);

static const struct tw_item one = { TW_VALUE_INTEGER, 0, { 1 } };

/* ---- without a host ---- */

static int open_nothing(lua_State *L)
{
    lua_newtable(L);
    return 1;
}

static void on_nothing(void *ctx, const struct tw_record *r, const char *topic,
                       const struct tw_item *value)
{
    (void)ctx, (void)r, (void)topic, (void)value;
}

static void on_settled(void *ctx, int code, const struct tw_item *value,
                       const struct tw_error *error)
{
    (void)ctx, (void)code, (void)value, (void)error;
}

/* Every function, with a host that is NULL or has no app, and nothing else given. */
static void test_without(struct tw_host *host, const char *name)
{
    struct tw_error error = { 0, "" };
    struct tw_future *f;
    struct tw_any any;
    struct tw_host_status s = { .size = sizeof s };
    struct tw_host_feed d = { .size = sizeof d };
    struct tw_host_worker w = { .size = sizeof w };
    struct tw_host_script r = { .size = sizeof r };
    struct tw_host_cache c = { .size = sizeof c };
    int gave[] = {
        host ? -1 : tw_host_add_module(host, "a", open_nothing),
        host ? -1 : tw_host_add_value(host, "a", one),
        host ? -1 : tw_host_add_text(host, "a", "a"),
        tw_host_load(host, NULL, &error), host ? -1 : tw_host_load(host, "a", NULL),
        tw_host_run(host, NULL), tw_host_start(host, NULL), tw_host_wait(host, 0, NULL),
        tw_host_finish(host), (int)tw_host_symbol(host, "A"),
        (int)tw_host_push(host, NULL, 0, 0), tw_host_quote(host, "A", 0, 1, 1, 1, 1),
        tw_host_trade(host, "A", 0, 1, 1, TW_SIDE_BUY),
        tw_host_publish(host, "a", one, 0),
        tw_host_subscribe(host, "a", on_nothing, NULL),
        tw_host_board_set(host, "a", one), tw_host_board_get(host, "a", &any),
        tw_host_call(host, "a", "b", NULL, 0, &f, NULL),
        tw_host_evaluate(host, "a", "b", &f, NULL), tw_host_reload(host, "a", &f, NULL),
        tw_host_rollback(host, "a", 0, &f, NULL), tw_host_pause(host, "a", true),
        tw_host_then(host, NULL, on_settled, NULL), tw_host_get_status(host, &s),
        tw_host_get_feed(host, 0, &d), tw_host_get_worker(host, 0, &w),
        tw_host_get_script(host, 0, &r), tw_host_get_cache(host, 0, &c),
    };
    unsigned fine = 0, n = sizeof gave / sizeof *gave;

    for (unsigned i = 0; i < n; i++)
        if (gave[i] < 0) fine++;
        else printf("# call %u gave %d\n", i, gave[i]);
    ok(fine == n, "%s: %u functions refuse", name, fine);
    ok(!tw_host_symbol_name(host, 1) && !tw_host_topic_name(host, 1)
       && !tw_host_cursor_open(host, 0, false, 0, NULL), "and give NULL");
    tw_host_stop(host);
}

/* A host that runs, and garbage beside it. */
static void test_garbage(void)
{
    static const char many[] = "0123456789012345678901234567890123456789012345678901234"
                               "5678901234567890";
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said, "function M.one() return 1 end");
    struct tw_item odd = { .kind = 77 }, empty = { .kind = TW_VALUE_TABLE };
    struct tw_future *f;
    struct tw_any any;
    struct tw_record r = { .kind = TW_QUOTE, .symbol = 77 };

    ok(tw_host_quote(host, NULL, 0, 1, 1, 1, 1) == TW_EUSAGE
       && tw_host_quote(host, many, 0, 1, 1, 1, 1) == TW_ELIMIT
       && tw_host_push(host, NULL, 1, 0) == TW_EUSAGE
       && tw_host_push(host, &r, 1, 0) == TW_EUSAGE, "symbols and records");
    ok(tw_host_publish(host, "a", odd, 0) == TW_EUSAGE
       && tw_host_publish(host, "a", empty, 0) == TW_EUSAGE
       && tw_host_publish(host, many, one, 0) == TW_ELIMIT
       && tw_host_board_set(host, "a", odd) == TW_EUSAGE
       && tw_host_board_set(host, NULL, one) == TW_EUSAGE
       && tw_host_board_get(host, NULL, &any) == TW_EUSAGE, "values and names");
    ok(tw_host_call(host, "s.lua", "one", &odd, 1, &f, NULL) == TW_EUSAGE && !f
       && tw_host_call(host, "s.lua", "one", NULL, 1, &f, NULL) == TW_EUSAGE
       && tw_host_call(host, NULL, "one", NULL, 0, &f, NULL) == TW_EUSAGE
       && tw_host_call(host, "s.lua", NULL, NULL, 0, &f, NULL) == TW_EUSAGE
       && tw_host_call(host, "@99999999999999999999", "a.b", NULL, 0, &f, NULL)
          == TW_EUSAGE
       && tw_host_call(host, "s.lua#99999999999999999999", "one", NULL, 0, &f, NULL)
          == TW_EUSAGE
       && tw_host_call(host, "", "one", NULL, 0, &f, NULL) == TW_EUSAGE, "calls");
    ok(!tw_host_cursor_open(host, ~0u, true, UINT64_MAX, NULL)
       && tw_host_then(host, NULL, on_settled, NULL) == TW_EUSAGE
       && tw_future_await(NULL, 0, NULL, NULL) == TW_EUSAGE, "cursors and futures");
    tw_future_close(NULL);
    tw_host_cursor_close(NULL);
    ok(ask(host, "one") == 1 && end_host(host, NULL) == TW_OK, "and it runs on");
}

/* ---- on the threads of a host ---- */

struct trapped { struct tw_host *host; int code[8]; bool called; };

static void try_all(struct trapped *t)
{
    struct tw_host *host = t->host;
    struct tw_future *f = NULL;
    struct tw_host_cursor *c = tw_host_cursor_open(host, 0, false, 0, NULL);

    tw_host_call(host, "s.lua", "later", NULL, 0, &f, NULL);
    t->code[0] = tw_future_await(f, TW_FOREVER, NULL, NULL);
    t->code[1] = tw_host_wait(host, TW_FOREVER, NULL);
    t->code[2] = tw_host_free(host);
    t->code[3] = c ? tw_host_cursor_wait(c, TW_FOREVER) : -1;
    t->code[4] = TW_OK;
    for (int i = 0; i < 5000 && t->code[4] == TW_OK; i++)
        t->code[4] = tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    tw_host_cursor_close(c);
    tw_future_close(f);
    t->called = true;
}

static void check_trapped(const struct trapped *t, const char *where)
{
    ok(t->called && t->code[0] == TW_ECYCLE && t->code[1] == TW_ECYCLE
       && t->code[2] == TW_ECYCLE && t->code[3] == TW_ECYCLE && t->code[4] == TW_EFULL,
       "%s no wait is for ever: %d %d %d %d %d", where, t->code[0], t->code[1],
       t->code[2], t->code[3], t->code[4]);
}

static void on_go(void *ctx, const struct tw_record *r, const char *topic,
                  const struct tw_item *value)
{
    (void)r, (void)topic, (void)value;
    try_all(ctx);
}

static int trap(lua_State *L)
{
    try_all(((struct said *)tw_lua_context(L))->extra);
    return 0;
}

static void test_own_threads(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct trapped heard = { .called = false }, within = { .called = false };
    struct tw_error error = { 0, "" };
    struct tw_host *host = tw_host_new(&o, &error);

    heard.host = within.host = host;
    said.extra = &within;
    tw_host_add_module(host, "trap", trap);
    tw_host_add_text(host, "app.lua", APP "app.script 's.lua'");
    tw_host_add_text(host, "s.lua", SCRIPT "function M.on_quote() end"
        " function M.later() tw.sleep(1000) end"
        " function M.trap() require 'trap' return 1 end"
        " function M.go() tw.publish('go', 1) end return M");
    ok(tw_host_load(host, "app.lua", &error) == TW_OK
       && tw_host_subscribe(host, "go", on_go, &heard) == TW_OK
       && tw_host_start(host, &error) == TW_OK, "it starts: %s", line(error.text));
    ok(ask(host, "trap") == 1, "a C module that waits");
    check_trapped(&within, "on a worker");
    ask(host, "go");
    ok(end_host(host, &error) == TW_OK, "the run ends: %s", line(error.text));
    check_trapped(&heard, "on the host's thread");
}

/* ---- freed in each state ---- */

static void test_open(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said,
        "function M.waits() tw.sleep(1000) end function M.fails() error 'unseen' end"
        " function M.table() return { 7 } end");
    struct tw_host_cursor *c = tw_host_cursor_open(host, 0, true, 0, NULL);
    struct tw_future *waits, *fails, *table;
    struct tw_item value;
    struct tw_any kept;
    struct tw_error error = { 0, "" };

    tw_host_call(host, "s.lua", "waits", NULL, 0, &waits, NULL);
    tw_host_call(host, "s.lua", "fails", NULL, 0, &fails, NULL);
    tw_host_call(host, "s.lua", "table", NULL, 0, &table, NULL);
    ok(tw_future_await(table, 120, &value, NULL) == TW_OK
       && tw_item_keep(value, &kept) == TW_OK, "a table of Lua's is kept");
    tw_future_close(table);
    ok(tw_host_free(host) == TW_EBUSY
       && has_said(&said, "error tw_host_free: 1 cursor and 2 futures are still open"),
       "a host of which something is open is not freed: %s", line(said.text));
    ok(tw_host_cursor_wait(c, TW_FOREVER) < 2
       && tw_future_await(waits, TW_FOREVER, NULL, &error) == TW_ESTOPPED
       && tw_future_await(fails, TW_FOREVER, NULL, &error) == TW_ESCRIPT,
       "all of it can be used: %s", line(error.text));
    tw_host_cursor_close(c);
    tw_future_close(waits);
    ok(tw_host_free(host) == TW_EBUSY && has_said(&said, "0 cursors and 1 future"),
       "nor while one is");
    tw_future_close(fails);
    ok(tw_host_free(host) == TW_OK, "then it is");
    ok(tw_item_at(tw_any_root(&kept), 1).integer == 7, "what is kept outlives it");
    tw_any_unref(&kept);
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing is left");
}

static void test_states(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host = tw_host_new(&o, &error);

    tw_host_add_module(host, "m", open_nothing);
    tw_host_add_value(host, "v", tw_item_text("a text"));
    tw_host_add_text(host, "a.lua", "error 'no app'");
    ok(tw_host_free(host) == TW_OK, "freed when it is made");
    host = tw_host_new(&o, &error);
    tw_host_add_text(host, "a.lua", "error 'no app'");
    ok(tw_host_load(host, "a.lua", &error) == TW_ESCRIPT && tw_host_free(host) == TW_OK,
       "when its app has failed");
    host = open_host(&o, APP "app.script 's.lua'", "", &error);
    ok(host && tw_host_subscribe(host, NULL, on_nothing, NULL) == TW_OK
       && tw_host_free(host) == TW_OK, "when it is loaded");
    ok(tw_host_free(start_host(&said, "")) == TW_OK, "when it runs");
    host = open_host(&o, APP "app.script 's.lua'", "error 'no script'", &error);
    ok(tw_host_start(host, &error) == TW_ESCRIPT && tw_host_free(host) == TW_OK,
       "when a script has failed to load");
    host = start_host(&said, "function M.on_quote() error 'on a quote' end");
    tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    ok(tw_host_wait(host, 120, NULL) == TW_ESCRIPT && tw_host_free(host) == TW_OK,
       "when one has failed");
    host = start_host(&said, "function M.on_stop() tw.sleep(0.05) end");
    tw_host_stop(host);
    ok(tw_host_free(host) == TW_OK, "when it is stopping");
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing is left");
}

/* ---- the peers of a host ---- */

/* A socket of this machine. */
static struct sockaddr_in local(unsigned short port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* Below those that the system gives out, and that other tests are given. */
static unsigned short free_port(void)
{
    unsigned short port = 0;

    for (int i = 0; i < 2000 && port == 0; i++) {
        struct sockaddr_in at = local((unsigned short)(10000 + (getpid() + i) % 2000));
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        if (bind(fd, (struct sockaddr *)&at, sizeof at) == 0) port = ntohs(at.sin_port);
        close(fd);
    }
    return port;
}

/* A peer that is gone before, while or after it is written to.  Was it served? */
static bool come_and_go(unsigned short port, int n)
{
    struct sockaddr_in to = local(port);
    struct linger at_once = { 1, 0 };
    char bytes[64];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool served = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;

    if (n % 4 > 0) served = recv(fd, bytes, sizeof bytes, 0) > 0 && served;
    if (n % 4 == 2) shutdown(fd, SHUT_RDWR);
    if (n % 4 == 3) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
    return served;
}

/* SIGPIPE is as it was, deadly; no thread of a host gets one. */
static void test_peers(void)
{
    enum { PEERS = 200 };
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host;
    unsigned short port = free_port();
    char app[200];
    int served = 0;

    snprintf(app, sizeof app, APP "app.exchange { rate = 200000, port = %u }"
             " app.script 's.lua'", port);
    host = open_host(&o, app, "function M.one() return 1 end", &error);
    ok(host && tw_host_start(host, &error) == TW_OK, "a host with an exchange: %s",
       line(error.text));
    for (int i = 0; i < PEERS; i++) served += come_and_go(port, i);
    ok(served > PEERS / 2 && ask(host, "one") == 1, "peers come and go");
    ok(end_host(host, &error) == TW_OK, "it ends: %s", line(error.text));
}

/* ---- the process ---- */

static unsigned entries(const char *path)
{
    DIR *d = opendir(path);
    unsigned n = 0;

    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

struct signals { void (*handler[65])(int); sigset_t blocked; };

static struct signals signals_now(void)
{
    struct signals s = { .handler = { NULL } };

    pthread_sigmask(SIG_SETMASK, NULL, &s.blocked);
    for (int i = 1; i <= 64; i++) {
        struct sigaction now;

        if (sigaction(i, NULL, &now) == 0) s.handler[i] = now.sa_handler;
    }
    return s;
}

static bool are_same(const struct signals *a, const struct signals *b)
{
    bool same = true;

    for (int i = 1; i <= 64; i++)
        same = same && a->handler[i] == b->handler[i]
            && sigismember(&a->blocked, i) == sigismember(&b->blocked, i);
    return same;
}

/* How many descriptors a child of fork has open that calls exec. */
static int child_entries(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "set -- /proc/self/fd/*; exit $#", NULL);
        _exit(99);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_process(void)
{
    char directory[PLACE], cwd[2][512];
    mode_t mask = umask(022);
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_host *host, *beside;
    struct tw_error error = { 0, "" };
    char **env = environ, *language = setlocale(LC_ALL, NULL), *first = env[0];
    struct signals before, now;
    pid_t child;
    int status = -1, open_before = child_entries(), open_now;

    ok(setenv("XDG_RUNTIME_DIR", place_folder(directory), 1) == 0
       && getcwd(cwd[0], sizeof cwd[0]), "a directory");
    env = environ;
    first = env[0];
    before = signals_now();
    host = start_host(&said, "function M.one() return 1 end");
    ok(entries(directory) == 2, "nobody can attach who was not asked in");
    o.attach = true;
    beside = open_host(&o, APP "app.script 's.lua'", "", &error);
    ok(beside && tw_host_start(beside, &error) == TW_OK && entries(directory) == 3,
       "where it is asked for, there is a socket");
    now = signals_now();
    ok(are_same(&before, &now), "no signal is taken, nor blocked");
    open_now = child_entries();
    ok(open_now == open_before, "a child that is executed has no descriptor of a host:"
       " %d as before", open_now);
    child = fork();
    if (child == 0) _exit(7);
    ok(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7
       && ask(host, "one") == 1, "one that leaves disturbs nobody");
    ok(end_host(beside, NULL) == TW_OK && end_host(host, NULL) == TW_OK, "they end");
    snprintf(cwd[1], sizeof cwd[1], "%s/tidewire", directory);
    ok(entries(cwd[1]) == 2, "and the socket is gone");
    ok(env == environ && first == env[0] && strcmp(setlocale(LC_ALL, NULL), language) == 0
       && getcwd(cwd[1], sizeof cwd[1]) && strcmp(cwd[0], cwd[1]) == 0
       && umask(mask) == 022, "environment, locale, directory and umask are as before");
    snprintf(cwd[1], sizeof cwd[1], "rm -rf %s", directory);
    ok(system(cwd[1]) == 0, "clean");
}

int main(void)
{
    struct tw_host *host = tw_host_new(NULL, NULL);

    test_without(NULL, "no host");
    test_without(host, "no app");
    tw_host_free(host);
    test_garbage();
    test_own_threads();
    test_open();
    test_states();
    test_peers();
    test_process();
    return tap_done();
}

/* What befalls the FIX engine: connections that are cut, processes that are killed, peers
 * that do not read.  Each order arrives, in order, and the numbers of both sides agree.
 *
 * With a folder, a port and a file it is an acceptor that is to be killed. */
#include "fix_engine_rig.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "random.h"
#include "place.h"

static const char *self;

/* ---- connections that are cut ---- */

/* Stands between the two and cuts what it passes on, after so many bytes. */
struct cutter {
    int listening;
    uint16_t port, to;
    unsigned cuts;                   /* so often, then no more  */
    pthread_t thread;
};

static bool pass(int from, int to, size_t *left)
{
    char bytes[2048];
    size_t most = *left < sizeof bytes ? *left : sizeof bytes;
    ssize_t n = recv(from, bytes, most, 0);

    if (n <= 0 || send(to, bytes, (size_t)n, MSG_NOSIGNAL) != n) return false;
    *left -= (size_t)n;
    return *left > 0;
}

static void *cut_all(void *arg)
{
    struct cutter *c = arg;

    for (int in; (in = accept(c->listening, NULL, NULL)) >= 0;) {
        size_t left = c->cuts > 0 ? 300 + next() % 20000 : SIZE_MAX;
        int out = raw_connect(c->to);
        struct pollfd p[2] = { { in, POLLIN, 0 }, { out, POLLIN, 0 } };
        bool open = true;

        c->cuts -= c->cuts > 0;
        while (open && poll(p, 2, -1) > 0) {
            if (p[0].revents) open = pass(in, out, &left);
            if (open && p[1].revents) open = pass(out, in, &left);
        }
        close(in);
        close(out);
    }
    return NULL;
}

static void cutter_start(struct cutter *c, uint16_t to, unsigned cuts)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;

    *c = (struct cutter){ .to = to, .cuts = cuts };
    c->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(c->listening, (struct sockaddr *)&at, sizeof at) < 0
        || listen(c->listening, 5) < 0
        || getsockname(c->listening, (struct sockaddr *)&at, &n) < 0)
        abort();
    c->port = ntohs(at.sin_port);
    pthread_create(&c->thread, NULL, cut_all, c);
}

static void cutter_stop(struct cutter *c)
{
    shutdown(c->listening, SHUT_RDWR);
    pthread_join(c->thread, NULL);
    close(c->listening);
}

static bool numbers_agree(struct tw_fix_link *a, struct tw_fix_link *b)
{
    struct tw_fix_link_status s, t;

    tw_fix_link_status(a, &s);
    tw_fix_link_status(b, &t);
    if (s.session.next_in == t.session.next_out
        && s.session.next_out == t.session.next_in)
        return true;
    printf("# %" PRIu64 " %" PRIu64 ", %" PRIu64 " %" PRIu64 "\n", s.session.next_in,
           s.session.next_out, t.session.next_in, t.session.next_out);
    return false;
}

static void cuts(void)
{
    long n = getenv("SMALL") ? 1000 : 10000;
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_link *l, *sa;
    struct cutter cutter;

    o.hold = c.hold = true;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    sa = rig_add(g, &o);
    rig_start(g);
    cutter_start(&cutter, tw_fix_engine_port(g->e, o.door), 20);
    l = rig_dial(g, c, cutter.port);
    for (long id = 1; id <= n; id += 100)
        if (!send_orders(l, id, id + 99) || !send_orders(sa, id, id + 99)) break;
    ok(await(&a.messages, (unsigned)n) && await(&b.messages, (unsigned)n),
       "%ld orders arrive each way over %u connections that are cut", n,
       b.events[TW_FIX_LOGGED_OUT] + b.events[TW_FIX_NOT_LOGGED_ON]);
    ok(a.messages == n && a.out_of_order == 0 && b.messages == n && b.out_of_order == 0,
       "each of them once, in order");
    ok(a.events[TW_FIX_UNSENT] + b.events[TW_FIX_UNSENT] == 0, "none was refused");
    rig_close_io(g);
    ok(numbers_agree(sa, l), "the numbers of both sides agree");
    rig_close(g);
    cutter_stop(&cutter);
}

/* ---- odd pieces ---- */

/* A message that takes many reads, and one whose bytes come one by one. */
static void pieces(void)
{
    enum { LONG = 400000 };
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    char *body = malloc(LONG + 300), *p;
    struct tw_fix_link *l;
    size_t n = order(body, 1);
    int fd, on = 1;

    o.session.message_max = c.session.message_max = 0;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    n += (size_t)sprintf(body + n, "58=");
    memset(body + n, 'x', LONG);
    body[n + LONG] = TW_FIX_SOH;
    ok(tw_fix_link_send(l, "D", body, n + LONG + 1) == 1 && await(&a.messages, 1),
       "a message of %d bytes arrives", LONG);
    body = realloc(body, 2 << 20);
    memset(body, 'x', 2 << 20);
    body[(2 << 20) - 1] = TW_FIX_SOH;
    ok(tw_fix_link_send(l, "D", body, 2 << 20) == TW_ELIMIT, "one that is too long not");
    free(body);
    tw_fix_link_enable(l, false);
    await_event(&a, TW_FIX_LOGGED_OUT, 1);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p = whole(TW_FIX_44, raw_text("A", 4, "CLIENT", "SERVER", "98=0|108=30|"), &n);
    for (size_t i = 0; i < n; i++)
        if (send(fd, p + i, 1, MSG_NOSIGNAL) != 1) break;
    free(p);
    ok(await_event(&a, TW_FIX_LOGGED_ON, 2), "one byte at a time is a Logon, too");
    close(fd);
    rig_close(g);
}

/* ---- again, with stores ---- */

static void rename_store(const char *folder, const char *from, const char *to)
{
    char old[PLACE + 20], new[PLACE + 20];

    snprintf(old, sizeof old, "%s/%s", folder, from);
    snprintf(new, sizeof new, "%s/%s", folder, to);
    if (rename(old, new) < 0) abort();
}

static void restarts(void)
{
    char folder[PLACE], command[PLACE + 20];
    enum tw_fix_sync syncs[] = { TW_FIX_SYNC_NEVER, TW_FIX_SYNC_TIMED, TW_FIX_SYNC_EACH };
    struct side a = {0}, b = {0};
    struct tw_fix_link *sa, *l;
    struct tw_error error;
    bool agree = true;

    place_folder(folder);
    for (int i = 0; i < 6; i++) {
        struct rig *g = rig_open();
        struct tw_fix_link_options o = server("a", &a), c = client("b", &b);

        o.store = c.store = folder;
        o.sync = c.sync = syncs[i % 3];
        o.sync_ms = c.sync_ms = 1;
        o.door = rig_listen(g, &(struct tw_fix_door_options){0});
        sa = rig_add(g, &o);
        rig_start(g);
        l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
        await_event(&b, TW_FIX_LOGGED_ON, (unsigned)i + 1);
        await_event(&a, TW_FIX_LOGGED_ON, (unsigned)i + 1);
        send_orders(l, i * 100 + 1, i * 100 + 100);
        await(&a.messages, (unsigned)i * 100 + 100);
        if (i == 0) {
            rename_store(folder, "b.store", "c.store");
            o.name = "c";
            tw_be_main();
            ok(!tw_fix_engine_add(g->e, &o, &error) && error.code == TW_EBUSY, "%s",
               error.text);
            rename_store(folder, "c.store", "b.store");
        }
        rig_close_io(g);
        agree = agree && numbers_agree(sa, l);
        rig_close(g);
    }
    ok(a.messages == 600 && a.out_of_order == 0 && agree
       && a.events[TW_FIX_GAP] == 0 && b.events[TW_FIX_GAP] == 0,
       "numbers go on over six processes");
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
}

/* A store of which a message is damaged goes on without it, and that is no error. */
static void damaged(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_error error = { .code = TW_OK };
    char folder[PLACE], path[PLACE + 20], text[9000], *at;
    FILE *file;

    place_folder(folder);
    c.store = folder;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    send_orders(tw_fix_engine_find(g->e, "b"), 1, 3);
    await(&a.messages, 3);
    rig_close(g);
    snprintf(path, sizeof path, "%s/b.store", folder);
    file = fopen(path, "r+");
    if (!file) abort();
    at = memmem(text, fread(text, 1, sizeof text, file), "AAPL", 4);
    if (!at || fseek(file, at - text, SEEK_SET) < 0) abort();
    fputc('B', file);
    fclose(file);
    g = rig_open();
    o.store = folder;
    o.name = "b";
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    ok(tw_fix_engine_add(g->e, &o, &error) && error.code == TW_OK
       && strstr(rig_log(g), "is damaged: some of what was sent up to number"),
       "a message of a store is damaged: the rest goes on");
    rig_start(g);
    rig_close(g);
    unlink(path);
    rmdir(folder);
}

/* A store that can't be written to: nothing is added. */
static void no_disk(void)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_error error;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    o.store = "/dev/null/store";
    tw_be_main();
    ok(!tw_fix_engine_add(g->e, &o, &error), "%s", error.text);
    o.store = NULL;
    o.log = "/dev/null/log";
    ok(!tw_fix_engine_add(g->e, &o, &error), "%s", error.text);
    rig_start(g);
    rig_close(g);
}

/* ---- processes that are killed ---- */

/* Counts in shared memory, so that what was handled is known of one that was killed. */
static enum tw_fix_answer count_message(void *ctx, struct tw_fix_session *s,
                                        struct tw_fix_now now,
                                        const struct tw_fix_message *m)
{
    _Atomic uint32_t *counts = ctx;

    (void)s, (void)now;
    atomic_fetch_add(&counts[atol(tw_fix_message_body(m, 11).at)], 1);
    atomic_fetch_add(&counts[0], 1);
    return TW_FIX_TAKEN;
}

enum { COUNTS = 20000 };

static _Atomic uint32_t *map_counts(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    void *p;

    if (fd < 0 || ftruncate(fd, COUNTS * 4) < 0) abort();
    p = mmap(NULL, COUNTS * 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return p;
}

static int be_victim(const char *folder, uint16_t port, const char *file)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);

    o.consumer = (struct tw_fix_consumer){ .message = count_message,
                                           .ctx = map_counts(file) };
    o.store = folder;
    o.door = rig_listen(g, &(struct tw_fix_door_options){ .port = port });
    if (o.door < 0 || !rig_add(g, &o)) return 1;
    rig_start(g);
    for (;;) pause();
}

static pid_t spawn(const char *folder, uint16_t port, const char *file)
{
    char number[8];
    pid_t pid;

    snprintf(number, sizeof number, "%u", port);
    fflush(stdout);
    pid = vfork();
    if (pid == 0) {
        execl(self, self, folder, number, file, (char *)NULL);
        _exit(127);
    }
    return pid;
}

static void kills(void)
{
    char folder[PLACE], file[PLACE + 20], command[PLACE + 20];
    long n = getenv("SMALL") ? 1000 : 10000, rounds = getenv("SMALL") ? 3 : 10;
    struct rig *g = rig_open();
    struct side b = {0};
    struct tw_fix_link_options c = client("b", &b);
    unsigned missing = 0, twice = 0;
    uint16_t port = raw_dead_port();
    _Atomic uint32_t *counts;
    struct tw_fix_link *l;
    pid_t pid;

    place_folder(folder);
    snprintf(file, sizeof file, "%s/counts", folder);
    counts = map_counts(file);
    rig_start(g);
    c.hold = true;
    c.queue_bytes = 4 << 20;
    l = rig_dial(g, c, port);
    for (long i = 0; i < rounds; i++) {
        long each = n / rounds, some = i * each + (long)(next() % (uint64_t)each) + 1;
        int64_t until = time(NULL) + PATIENCE_S;

        send_orders(l, i * each + 1, i + 1 < rounds ? i * each + each : n);
        pid = spawn(folder, port, file);
        while (atomic_load(&counts[some]) == 0 && time(NULL) < until) sched_yield();
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    pid = spawn(folder, port, file);
    for (int64_t until = time(NULL) + PATIENCE_S;
         atomic_load(&counts[n]) == 0 && time(NULL) < until;)
        sched_yield();
    rig_close(g);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    for (long i = 1; i <= n; i++) {
        missing += counts[i] == 0;
        twice += counts[i] > 1;
    }
    ok(missing == 0, "%ld orders to a process that is killed %ld times: all arrive", n,
       rounds);
    ok(twice <= rounds, "of those at its death %u came again", twice);
    munmap((void *)counts, COUNTS * 4);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
}

/* ---- peers that do not read ---- */

static int deaf_logon(uint16_t port)
{
    int fd = raw_connect_small(port, 4096);
    char answer[300];

    raw_send(fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|");
    if (recv(fd, answer, sizeof answer, 0) <= 0) printf("# no Logon\n");
    return fd;
}

/* Who sends is told that the queue is full, while it is waited for, and of its end. */
static void deaf(bool patient)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_fix_link_status s;
    struct tw_fix_link *l;
    char body[200];
    size_t n = order(body, 1);
    int64_t rc;
    int fd;

    o.stall_ms = patient ? PATIENCE_S * 1000 : 50;
    o.session.output_max = 1 << 20;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    l = rig_add(g, &o);
    rig_start(g);
    fd = deaf_logon(tw_fix_engine_port(g->e, o.door));
    await_event(&a, TW_FIX_LOGGED_ON, 1);
    do rc = tw_fix_link_send(l, "8", body, n);
    while (rc > 0 || (rc == TW_EFULL && !patient));
    ok(rc == (patient ? TW_EFULL : TW_ECLOSED), "who sends to a peer that does not read"
       " is told: %s", tw_strerror((int)rc));
    ok(patient || (await_event(&a, TW_FIX_LOGGED_OUT, 1)
                   && strstr(side_said(&a, TW_FIX_LOGGED_OUT), "does not read")),
       "it is %s: %s", patient ? "waited for" : "cut off",
       side_said(&a, TW_FIX_LOGGED_OUT));
    tw_fix_link_status(l, &s);
    ok(s.session.cuts.unread == !patient, "and that is counted");
    close(fd);
    rig_close(g);
}

/* Who floods with what is to be answered, and does not read the answers. */
static void deaf_flood(void)
{
    struct rig *g = rig_open();
    struct side a = { .echo = true };
    struct tw_fix_link_options o = server("a", &a);
    char body[300];
    int fd;

    o.session.output_max = 1 << 16;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    fd = deaf_logon(tw_fix_engine_port(g->e, o.door));
    order(body, 1);
    for (char *p = body; *p; p++) if (*p == TW_FIX_SOH) *p = '|';
    for (unsigned seq = 2; raw_send(fd, TW_FIX_44, "D", seq, "CLIENT", "SERVER", body);)
        seq++;
    ok(await_event(&a, TW_FIX_LOGGED_OUT, 1)
       && strstr(side_said(&a, TW_FIX_LOGGED_OUT), "does not read"),
       "one that floods, too: %s", side_said(&a, TW_FIX_LOGGED_OUT));
    close(fd);
    rig_close(g);
}

/* ---- commands from everywhere ---- */

struct stormer { struct tw_fix_link *l[2]; uint64_t seed; int n; };

static void *storm_on(void *arg)
{
    struct stormer *s = arg;

    for (int i = 0; i < s->n; i++) {
        uint64_t r = s->seed = s->seed * UINT64_C(6364136223846793005) + 1;
        struct tw_fix_link *l = s->l[r >> 40 & 1];
        struct tw_fix_link_status status;

        switch (r >> 50 & 7) {
        case 0: tw_fix_link_enable(l, false); break;
        case 1: tw_fix_link_enable(l, true); break;
        case 2: tw_fix_link_logout(l, "storm"); break;
        case 3: tw_fix_link_reset(l); break;
        case 4: tw_fix_link_ring(l); break;
        case 5: tw_fix_link_set_numbers(l, 1 + (r >> 20 & 7), 1 + (r >> 24 & 7)); break;
        default: send_orders(l, 1, 3); break;
        }
        tw_fix_link_status(l, &status);
    }
    return NULL;
}

/* Whatever two threads command at once: afterwards the sessions can be made to go on. */
static void storm(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct stormer s[2] = { { .seed = 1, .n = getenv("SMALL") ? 300 : 3000 },
                            { .seed = 2, .n = getenv("SMALL") ? 300 : 3000 } };
    struct tw_fix_link *sa, *sb;
    struct tw_fix_link_status status;
    int64_t until;
    pthread_t threads[2];

    o.session.logout_timeout_s = c.session.logout_timeout_s = 1;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    sa = rig_add(g, &o);
    rig_start(g);
    sb = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    for (int i = 0; i < 2; i++) {
        s[i].l[0] = sa;
        s[i].l[1] = sb;
        pthread_create(&threads[i], NULL, storm_on, &s[i]);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    tw_fix_link_enable(sa, false);
    tw_fix_link_enable(sb, false);
    until = time(NULL) + PATIENCE_S;
    do {
        sched_yield();
        tw_fix_link_status(sa, &status);
        if (status.session.state == TW_FIX_DOWN && !status.session.enabled)
            tw_fix_link_status(sb, &status);
    } while ((status.session.state != TW_FIX_DOWN || status.session.enabled)
             && time(NULL) < until);
    tw_fix_link_set_numbers(sa, 1000, 1000);
    tw_fix_link_set_numbers(sb, 1000, 1000);
    tw_fix_link_enable(sa, true);
    tw_fix_link_enable(sb, true);
    until = time(NULL) + PATIENCE_S;
    do {
        sched_yield();
        tw_fix_link_status(sb, &status);
    } while (status.session.state != TW_FIX_UP && time(NULL) < until);
    send_orders(sb, 777777, 777777);
    pthread_mutex_lock(&lock);
    while (strcmp(a.last, "777777") != 0)
        if (pthread_cond_timedwait(&changed, &lock, &(struct timespec){
                .tv_sec = until + PATIENCE_S }) != 0)
            break;
    ok(strcmp(a.last, "777777") == 0, "after %d commands of two threads an order passes",
       2 * s[0].n);
    pthread_mutex_unlock(&lock);
    rig_close(g);
}

/* A peer that never answers a Logout does not keep the run from its end. */
static void silent_end(void)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    char bytes[1000];
    size_t n;
    int fd;

    o.session.logout_timeout_s = 1;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|");
    await_event(&a, TW_FIX_LOGGED_ON, 1);
    rig_close(g);
    n = raw_drain(fd, bytes, sizeof bytes);
    ok(n > 0 && memmem(bytes, n, "\00135=5\001", 6), "a run ends with a Logout, whether"
       " the peer answers or not");
    close(fd);
}

/* Whether the figures of a link come to say, for that it is not up, what begins so. */
static bool says_why(struct tw_fix_link *l, const char *why)
{
    struct tw_fix_link_status s;

    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        tw_fix_link_status(l, &s);
        if (strncmp(s.why, why, strlen(why)) == 0) return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    printf("# %s\n", s.why);
    return false;
}

/* Who is not there is asked for until he is, and the figures say why it is not up. */
static void unreachable(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct tw_fix_link_status s;
    struct rig *g = rig_open();
    struct tw_fix_link *l;
    struct side a = {0};
    struct tw_fix_link_options o = client("a", &a);
    socklen_t n = sizeof at;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

    if (bind(door, (struct sockaddr *)&at, n) < 0) abort();
    getsockname(door, (struct sockaddr *)&at, &n);
    o.retry_min_ms = o.retry_max_ms = 5;
    l = rig_dial(g, o, ntohs(at.sin_port));
    rig_start(g);
    ok(says_why(l, "cannot connect to 127.0.0.1:"), "nobody is there: they say so");
    if (listen(door, 1) < 0) abort();
    fd = accept(door, NULL, NULL);
    raw_send(fd, TW_FIX_44, "A", 1, "SERVER", "CLIENT", "98=0|108=30|");
    await_event(&a, TW_FIX_LOGGED_ON, 1);
    tw_fix_link_status(l, &s);
    ok(!*s.why, "it is up, and nothing is said any more");
    ok(strstr(rig_log(g), " s, later ones without a line"), "as far apart as said");
    close(fd);
    close(door);
    ok(says_why(l, "cannot connect to 127.0.0.1:"), "then it is not again");
    rig_close(g);
}

/* What is no message within a session is dropped; it has no number, and none is said. */
static void garbled(void)
{
    static const char noise[] = "8=FIX.4.4\0019=5\00135=0\00110=999\001";
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    const char *log;
    int fd;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|");
    if (write(fd, noise, sizeof noise - 1) != sizeof noise - 1) abort();
    raw_send(fd, TW_FIX_44, "5", 2, "CLIENT", "SERVER", "");
    await_event(&a, TW_FIX_LOGGED_OUT, 1);   /* what came before is in the log */
    log = rig_log(g);
    ok(strstr(log, "dropped: ") && !strstr(log, "0 to 0"),
       "the log says what was dropped, and no numbers");
    close(fd);
    rig_close(g);
}

/* Past the limit, or without end: the peer is cut, told why, and counted; it may come
 * again. */
static void oversized(void)
{
    static const char head[] = "8=FIX.4.4\0019=65537\00135=D\001";
    static char junk[1 << 16];
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_fix_link_status s;
    struct tw_fix_link *l;
    char bytes[2000];
    size_t n;
    int fd;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    l = rig_add(g, &o);
    rig_start(g);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|");
    if (write(fd, head, sizeof head - 1) != sizeof head - 1) abort();
    n = raw_drain(fd, bytes, sizeof bytes);
    ok(memmem(bytes, n, "\00158=BodyLength 65537 is past the limit", 38) != NULL,
       "one who sends more than a message may have is told, and cut off");
    close(fd);
    await_event(&a, TW_FIX_LOGGED_OUT, 1);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 2, "CLIENT", "SERVER", "98=0|108=0|");
    memset(junk, '=', sizeof junk);
    for (int i = 0; i < 3; i++) send(fd, junk, sizeof junk, MSG_NOSIGNAL);
    ok(await_event(&a, TW_FIX_LOGGED_OUT, 2)
       && strstr(side_said(&a, TW_FIX_LOGGED_OUT), "bytes without a message"),
       "so is one who sends garbage: %s", side_said(&a, TW_FIX_LOGGED_OUT));
    close(fd);
    tw_fix_link_status(l, &s);
    ok(s.session.cuts.oversized == 1 && s.session.cuts.noise == 1
       && s.session.cuts.unread == 0, "each under its reason");
    rig_close(g);
}

int main(int argc, char **argv)
{
    self = argv[0];
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    if (argc > 3) return be_victim(argv[1], (uint16_t)atoi(argv[2]), argv[3]);
    cuts();
    pieces();
    restarts();
    damaged();
    no_disk();
    kills();
    deaf(true);
    deaf(false);
    deaf_flood();
    silent_end();
    unreachable();
    garbled();
    oversized();
    storm();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}

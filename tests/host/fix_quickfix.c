/* fix_quickfix.c - our sessions against QuickFIX while all kinds of things go wrong.
 *
 * Each side is a process that is told what to send and tells what comes; the test stands
 * on the wire between them, where it cuts, holds, repeats and confuses connections, and
 * kills the processes.  Whatever was sent has to come, in order, and in the end both have
 * the same numbers.
 *
 * With acceptor|initiator VERSION PORT FOLDER it is our side. */
#include "fix_side.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "place.h"
#include "random.h"
#include "run/openssl.h"
#include "tap.h"
#include "tls_rig.h"

#define SPEC "../shared/fix-at/spec"

enum { WIRES = 6, IDS = 4000, KEPT = 4096, PATIENCE_MS = 60000, MS = 1000000 };

/* ---- processes ---- */

struct peer {
    const char *name;
    char *const *command;
    pid_t pid;
    int in, out;
    char text[8192];                      /* what it told, up to a whole line */
    size_t n;
    bool ready, up;
    unsigned long long next_in, next_out;
    bool answered;                        /* numbers */
    bool sent[IDS], got[IDS];             /* orders: sent by it, come to it */
    int last, wrong, again;
    int skips;                            /* orders that it loses: quickfix.cpp */
};

static struct peer peers[2];              /* ours, QuickFIX's */
static bool verbose;

static unsigned pick(unsigned n) { return (unsigned)(next() % n); }

static void start(struct peer *p)
{
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0) abort();
    fflush(stdout);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        execv(p->command[0], p->command);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->in = to[1];
    p->out = from[0];
    p->n = 0;
    p->ready = p->up = false;
}

/* False: it was to end by itself, and not well. */
static bool stop(struct peer *p, int how)
{
    int status = 0;

    if (p->pid <= 0) return true;
    if (how) kill(p->pid, how);
    close(p->in);
    waitpid(p->pid, &status, 0);
    p->pid = 0;
    p->up = false;
    return how || status == 0;
}

static void tell_peer(struct peer *p, const char *what, int id)
{
    char line[60];
    int n = id ? snprintf(line, sizeof line, "%s %d\n", what, id)
               : snprintf(line, sizeof line, "%s\n", what);

    if (p->pid > 0 && write(p->in, line, (size_t)n) != n) p->wrong += p == peers;
}

static void on_line(struct peer *p, const char *line)
{
    int id = 0;

    if (verbose) printf("# %s: %s\n", p->name, line);
    if (sscanf(line, "sent %d", &id) == 1 && id > 0 && id < IDS) p->sent[id] = true;
    else if (sscanf(line, "order %d", &id) == 1 && id > 0 && id < IDS) {
        if (p->got[id]) p->again++;
        else if (id < p->last) p->wrong++;
        p->got[id] = true;
        if (id > p->last) p->last = id;
    } else if (sscanf(line, "numbers %llu %llu", &p->next_in, &p->next_out) == 2) {
        p->answered = true;
    } else if (strcmp(line, "logon") == 0) p->up = true;
    else if (strcmp(line, "logout") == 0) p->up = false;
    else if (strcmp(line, "ready") == 0) p->ready = true;
    else if (strcmp(line, "skips") == 0) p->skips++;
    else if (strncmp(line, "wrong", 5) == 0 || strncmp(line, "failed", 6) == 0)
        printf("# %s: %s\n", p->name, line);
}

/* Reads what it told. */
static void hear(struct peer *p)
{
    ssize_t got = read(p->out, p->text + p->n, sizeof p->text - p->n);
    char *end;

    if (got <= 0) {
        close(p->out);
        p->out = -1;
        return;
    }
    p->n += (size_t)got;
    while ((end = memchr(p->text, '\n', p->n))) {
        size_t used = (size_t)(end + 1 - p->text);

        *end = 0;
        on_line(p, p->text);
        memmove(p->text, end + 1, p->n - used);
        p->n -= used;
    }
}

/* ---- the wire ---- */

/* Of a connection the initiator's end [0] and the acceptor's end [1]. */
struct wire {
    int fd[2];                            /* -1: closed                      */
    int64_t hold[2], close[2];            /* nothing is read of it, it is closed: at */
    char kept[2][KEPT];                   /* the last bytes that came of it  */
    size_t kept_n[2];
    long left[2];                         /* bytes until it is cut; -1: none */
};

static struct wire wires[WIRES];
static int door, door_port, acceptor_port;
static char first[KEPT];                  /* the last Logon of the initiator */
static size_t first_n;

static void wire_close(struct wire *w, int end)
{
    if (w->fd[end] >= 0) close(w->fd[end]);
    w->fd[end] = -1;
}

static int dial(int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
    close(fd);
    return -1;
}

static void accept_wire(void)
{
    int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

    for (int i = 0; i < WIRES; i++) {
        struct wire *w = &wires[i];

        if (fd < 0 || w->fd[0] >= 0 || w->fd[1] >= 0) continue;
        *w = (struct wire){ .fd = { fd, dial(acceptor_port) }, .left = { -1, -1 } };
        if (w->fd[1] < 0) wire_close(w, 0);
        return;
    }
    close(fd);
}

/* Keeps the last bytes. */
static void keep(struct wire *w, int end, const char *p, size_t n)
{
    size_t over = w->kept_n[end] + n > KEPT ? w->kept_n[end] + n - KEPT : 0;

    memmove(w->kept[end], w->kept[end] + over, w->kept_n[end] - over);
    w->kept_n[end] -= over;
    memcpy(w->kept[end] + w->kept_n[end], p, n);
    w->kept_n[end] += n;
    if (end == 0 && n < KEPT && memmem(p, n, "\00135=A\001", 6)) {
        memcpy(first, p, n);
        first_n = n;
    }
}

/* What came of one end goes to the other. */
static void carry(struct wire *w, int end)
{
    char bytes[KEPT];
    ssize_t got = recv(w->fd[end], bytes, sizeof bytes, 0);

    if (got <= 0) {
        wire_close(w, 0);
        wire_close(w, 1);
        return;
    }
    keep(w, end, bytes, (size_t)got);
    if (w->left[end] >= 0 && got > w->left[end]) got = w->left[end];
    if (w->fd[!end] >= 0) send(w->fd[!end], bytes, (size_t)got, MSG_NOSIGNAL);
    if (w->left[end] < 0) return;
    w->left[end] -= got;
    if (w->left[end] == 0) {
        wire_close(w, 0);
        wire_close(w, 1);
    }
}

/* The wire and both processes, until it has been quiet or busy for so long. */
static void turn(int64_t ns)
{
    int64_t until = tw_clock_steady_ns() + ns, now;

    while ((now = tw_clock_steady_ns()) < until) {
        struct pollfd p[3 + 2 * WIRES] = { { door, POLLIN, 0 },
            { peers[0].out, POLLIN, 0 }, { peers[1].out, POLLIN, 0 } };

        for (int i = 0; i < 2 * WIRES; i++) {
            struct wire *w = &wires[i / 2];

            if (w->close[i % 2] && now >= w->close[i % 2]) {
                wire_close(w, i % 2);
                w->close[i % 2] = 0;
            }
            p[3 + i].fd = now < w->hold[i % 2] ? -1 : w->fd[i % 2];
            p[3 + i].events = POLLIN;
        }
        poll(p, 3 + 2 * WIRES, 1);
        if (p[0].revents) accept_wire();
        for (int i = 0; i < 2; i++) if (p[1 + i].revents) hear(&peers[i]);
        if (peers[1].out < 0 && peers[1].pid > 0) {   /* that is not ours to mend */
            printf("# QuickFIX has ended; it begins anew\n");
            stop(&peers[1], SIGKILL);
            start(&peers[1]);
        }
        for (int i = 0; i < 2 * WIRES; i++)
            if (p[3 + i].revents && wires[i / 2].fd[i % 2] == p[3 + i].fd)
                carry(&wires[i / 2], i % 2);
    }
}

static bool both_up(void) { return peers[0].up && peers[1].up; }
static bool both_ready(void) { return peers[0].ready && peers[1].ready; }

static bool until(bool (*holds)(void))
{
    int64_t end = tw_clock_steady_ns() + (int64_t)PATIENCE_MS * MS;

    while (!holds() && tw_clock_steady_ns() < end) turn(MS);
    return holds();
}

/* ---- faults ---- */

static struct wire *standing(void)
{
    for (int i = 0; i < WIRES; i++)
        if (wires[i].fd[0] >= 0 && wires[i].fd[1] >= 0) return &wires[i];
    return NULL;
}

static void cut(struct wire *w)
{
    int end = (int)pick(2);

    wire_close(w, end);
    if (pick(2)) w->close[!end] = tw_clock_steady_ns() + pick(60) * MS;
    else wire_close(w, !end);
}

/* The last message of one end comes once more. */
static void repeat(struct wire *w)
{
    int end = (int)pick(2);
    const char *p = w->kept[end], *stop = p + w->kept_n[end], *last = NULL;

    while ((p = memmem(p, (size_t)(stop - p), "8=FIX.4.", 8))) last = p++;
    if (last) send(w->fd[!end], last, (size_t)(stop - last), MSG_NOSIGNAL);
}

static void restart(struct peer *p)
{
    stop(p, SIGKILL);
    while (p->out >= 0) hear(p);
    turn(pick(10) * MS);
    start(p);
}

enum { KINDS = 10 };
static const char *const kinds[KINDS] = {
    "cuts", "half messages", "delays", "repeated messages", "double connections",
    "connections out of order", "hang-ups", "logouts", "kills of us", "kills of them",
};

static void fault(unsigned kind)
{
    struct wire *w = standing();
    int end = (int)pick(2), fd;

    switch (kind) {
    case 0:
        if (w) cut(w);
        break;
    case 1:
        if (w) w->left[end] = 1 + pick(150);
        tell_peer(&peers[pick(2)], "numbers", 0);
        break;
    case 2:
        if (w) w->hold[end] = tw_clock_steady_ns() + (10 + pick(60)) * MS;
        break;
    case 3:
        if (w) repeat(w);
        break;
    case 4:
        fd = dial(acceptor_port);
        if (fd < 0) break;
        if (first_n > 0) send(fd, first, first_n, MSG_NOSIGNAL);
        turn(pick(10) * MS);
        close(fd);
        break;
    case 5:                               /* the new one comes before the old one ends */
        if (!w) break;
        wire_close(w, 0);
        w->close[1] = tw_clock_steady_ns() + (30 + pick(60)) * MS;
        break;
    case 6: tell_peer(&peers[1], "drop", 0); break;
    case 7:
        tell_peer(&peers[end], "logout", 0);
        turn(pick(20) * MS);
        tell_peer(&peers[end], "logon", 0);
        break;
    default: restart(&peers[kind - 8]);
    }
}

/* ---- the test ---- */

/* Listens on a free port; *port: which. */
static int open_door(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, WIRES) < 0) abort();
    getsockname(fd, (struct sockaddr *)&at, &n);
    *port = ntohs(at.sin_port);
    return fd;
}

/* Orders that one sent, and that have not come to the other. */
static int missing(const struct peer *from, const struct peer *to)
{
    int n = 0;

    for (int i = 0; i < IDS; i++) n += from->sent[i] && !to->got[i];
    return n;
}

/* All that was sent has come, and both say the same numbers. */
static bool agreed(void)
{
    struct peer *a = &peers[0], *b = &peers[1];

    if (!both_up() || missing(a, b) > b->skips || missing(b, a) > 0) return false;
    a->answered = b->answered = false;
    tell_peer(a, "numbers", 0);
    tell_peer(b, "numbers", 0);
    for (int i = 0; i < 500 && !(a->answered && b->answered); i++) turn(MS);
    return a->answered && b->answered && a->next_in == b->next_out
        && a->next_out == b->next_in;
}

static int count(const bool *flags)
{
    int n = 0;

    for (int i = 0; i < IDS; i++) n += flags[i];
    return n;
}

/* Both begin, live through so many faults and come to agree; the faults there were. */
static int live(bool tls, int faults, int done[KINDS], bool *held)
{
    int id = 0, n;

    *held = until(both_ready) && until(both_up);
    for (n = 0; n < faults && *held; n++) {
        unsigned kind = pick(KINDS);

        if (tls && kind == 6) kind = 0;   /* QuickFIX may crash of it */
        for (unsigned k = pick(6); k > 0; k--) tell_peer(&peers[pick(2)], "send", ++id);
        turn(pick(6) * MS);
        if (verbose) printf("# %s\n", kinds[kind]);
        fault(kind);
        done[kind]++;
        if (!pick(4)) continue;           /* the next one comes before this is over */
        turn((5 + pick(20)) * MS);
        *held = until(both_up);
    }
    tell_peer(&peers[0], "send", ++id);
    tell_peer(&peers[1], "send", ++id);
    *held = *held && until(agreed);
    return n;
}

static void report(const int done[KINDS])
{
    for (int i = 0; i < 2; i++)
        printf("# %s: up %d, numbers %llu %llu, wrong %d\n", peers[i].name, peers[i].up,
               peers[i].next_in, peers[i].next_out, peers[i].wrong);
    for (int i = 1; i < IDS; i++)
        if ((peers[0].sent[i] && !peers[1].got[i])
            || (peers[1].sent[i] && !peers[0].got[i])) printf("# %d is missing\n", i);
    for (int i = 0; i < KINDS; i++) printf("# %d %s\n", done[i], kinds[i]);
}

/* Certificates that a folder has for both sides, each of the other's authority. */
static void make_certificates(const char *folder)
{
    struct identity ca = identity(&(struct wish){ .subject = "Exchange", .ca = true });
    struct identity us = identity(&(struct wish){ .subject = "TW", .issuer = &ca,
                                                  .names = "IP:127.0.0.1" });
    struct identity them = identity(&(struct wish){ .subject = "QF", .issuer = &ca,
                                                    .names = "IP:127.0.0.1",
                                                    .rsa = true });

    save(place_in(folder, "ca"), &ca, NULL, NULL, NULL);
    save(place_in(folder, "ours"), &us, NULL, &us, NULL);
    save(place_in(folder, "theirs"), &them, NULL, NULL, NULL);
    save(place_in(folder, "theirs.key"), NULL, NULL, &them, NULL);
    identity_free(&ca);
    identity_free(&us);
    identity_free(&them);
}

static void quarrel(char *self, char *quickfix, char *version, bool we_accept, bool tls,
                    int faults)
{
    static char acceptor[] = "acceptor", initiator[] = "initiator", none[] = "";
    char folder[PLACE], at[2][20];
    char *ours[] = { self, we_accept ? acceptor : initiator, version, at[!we_accept],
                     folder, tls ? folder : NULL, NULL };
    char dictionary_path[] = SPEC "/FIX4x.xml";
    char *theirs[] = { quickfix, we_accept ? initiator : acceptor, version, at[we_accept],
                       folder, dictionary_path, tls ? folder : none, NULL };
    int done[KINDS] = {0}, started;
    bool held;

    /* With which it checks all that we say. */
    dictionary_path[sizeof SPEC + 4] = version[6];
    if (access(dictionary_path, R_OK) < 0) theirs[5] = none;
    place_folder(folder);
    if (tls) make_certificates(folder);
    close(open_door(&acceptor_port));     /* which nobody else takes so soon */
    door = open_door(&door_port);
    first_n = 0;
    for (int i = 0; i < WIRES; i++) wires[i] = (struct wire){ .fd = { -1, -1 } };
    sprintf(at[0], "%d", acceptor_port);
    sprintf(at[1], "%d", door_port);
    peers[0] = (struct peer){ .name = "ours", .command = ours, .out = -1 };
    peers[1] = (struct peer){ .name = "QuickFIX", .command = theirs, .out = -1 };
    start(&peers[!we_accept]);
    start(&peers[we_accept]);
    started = live(tls, faults, done, &held);
    if (!held || verbose) report(done);
    held = held && !peers[0].wrong && !peers[1].wrong;
    for (int i = 0; i < 2; i++) {
        held = stop(&peers[i], held ? 0 : SIGKILL) && held;
        close(peers[i].out);
    }
    ok(held, "%s%s, %s is the acceptor: both at %llu %llu after %d faults; %d orders "
       "from us, %d from them, %d came twice, QuickFIX lost %d", version,
       tls ? " in TLS" : "", peers[!we_accept].name, peers[0].next_in,
       peers[0].next_out, started, count(peers[1].got), count(peers[0].got),
       peers[0].again + peers[1].again, missing(&peers[0], &peers[1]));
    close(door);
    for (int i = 0; i < 2 * WIRES; i++) wire_close(&wires[i / 2], i % 2);
    place_remove(folder);
}

int main(int argc, char **argv)
{
    static char versions[2][8] = { "FIX.4.2", "FIX.4.4" };
    const char *name = strrchr(argv[0], '/');
    struct tw_openssl f;
    char quickfix[400];
    int faults = getenv("SMALL") ? 12 : 50;

    if (argc > 4) return be_side(argc - 1, argv + 1);
    signal(SIGPIPE, SIG_IGN);
    verbose = getenv("VERBOSE");
    snprintf(quickfix, sizeof quickfix, "%.*s../peers/quickfix",
             name ? (int)(name + 1 - argv[0]) : 0, argv[0]);
    if (access(quickfix, X_OK) < 0) {
        ok(true, "QuickFIX # SKIP libquickfix-dev was not here when this was built");
        return tap_done();
    }
    if (getenv("SEED")) seed = strtoull(getenv("SEED"), NULL, 10);
    for (int i = 0; i < 4; i++)
        quarrel(argv[0], quickfix, versions[i / 2], i % 2, false, faults);
    if (tw_openssl_open(&f)) ok(true, "TLS # SKIP OpenSSL is not here");
    else for (int i = 0; i < 2; i++)
        quarrel(argv[0], quickfix, versions[1], i % 2, true, faults / 6);
    return tap_done();
}

/* fix_engine_tls.c - sessions of the FIX engine in TLS: who is let in and who is not, and
 * why, and nobody holds it up. */
#include <malloc.h>
#include <poll.h>

#include "fix_engine_rig.h"
#include "run/openssl.h"
#include "run/tls.h"
#include "tls_rig.h"
#include "place.h"

enum { ORDERS = 3000 };

static char folder[PLACE];

static const char *in(const char *name) { return place_in(folder, name); }

static void make_files(void)
{
    struct identity ca = identity(&(struct wish){ .subject = "Exchange", .ca = true });
    struct identity right = identity(&(struct wish){ .subject = "Server", .issuer = &ca,
                                                     .names = "IP:127.0.0.1" });
    struct identity wrong = identity(&(struct wish){ .subject = "Other", .issuer = &ca,
                                                     .names = "DNS:other.example" });

    struct identity guest = identity(&(struct wish){ .subject = "Guest",
                                                     .issuer = &ca });

    save(in("ca"), &ca, NULL, NULL, NULL);
    save(in("guest"), &guest, NULL, &guest, NULL);
    disown(in("none.crl"), &ca, NULL, 1);
    disown(in("guest.crl"), &ca, &guest, 1);
    identity_free(&guest);
    save(in("right"), &right, NULL, &right, NULL);
    save(in("wrong"), &wrong, NULL, &wrong, NULL);
    identity_free(&ca);
    identity_free(&right);
    identity_free(&wrong);
}

/* Whether the log comes to have the text. */
static bool logs(struct rig *g, const char *text)
{
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        if (strstr(rig_log(g), text)) return true;
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
    printf("# %s\n", rig_log(g));
    return false;
}

/* A server with the certificate and a client with another, of which NULL is none. */
struct pair {
    struct rig *g;
    struct side ss, cs;
    struct tw_fix_link *s, *c;
    int door;
};

static struct pair *pair_open(const char *certificate, bool ask, const char *shown_one,
                              const char *crl, bool server_tls, bool client_tls)
{
    struct pair *p = calloc(1, sizeof *p);
    struct tw_tls_options st = { .server = true, .certificate = in(certificate),
                                 .ask = ask, .ca_file = ask ? in("ca") : NULL,
                                 .crl_file = crl };
    struct tw_tls_options ct = { .ca_file = in("ca"),
                                 .certificate = shown_one ? in(shown_one) : NULL };
    struct tw_fix_link_options so = server("server", &p->ss);
    struct tw_fix_link_options co = client("client", &p->cs);

    p->g = rig_open();
    p->door = rig_listen(p->g, &(struct tw_fix_door_options){
        .tls = server_tls ? &st : NULL });
    so.door = p->door;
    co.tls = client_tls ? &ct : NULL;
    p->s = rig_add(p->g, &so);
    p->c = rig_dial(p->g, co, tw_fix_engine_port(p->g->e, p->door));
    rig_start(p->g);
    return p;
}

static void pair_close(struct pair *p)
{
    rig_close(p->g);
    free(p);
}

static struct tw_fix_door_status door_of(const struct pair *p)
{
    struct tw_fix_door_status st;

    tw_fix_engine_door(p->g->e, p->door, &st);
    return st;
}

static void talk(void)
{
    struct pair *p = pair_open("right", true, "right", NULL, true, true);
    bool up = await_event(&p->cs, TW_FIX_LOGGED_ON, 1)
           && await_event(&p->ss, TW_FIX_LOGGED_ON, 1);

    ok(up, "both come up in TLS");
    ok(up && send_orders(p->c, 1, ORDERS) && send_orders(p->s, 1, ORDERS)
       && await(&p->ss.messages, ORDERS) && await(&p->cs.messages, ORDERS)
       && p->ss.out_of_order == 0 && p->cs.out_of_order == 0,
       "%d orders come each way, in order", ORDERS);
    tw_fix_link_logout(p->c, "bye");
    ok(await_event(&p->ss, TW_FIX_LOGGED_OUT, 1)
       && await_event(&p->ss, TW_FIX_LOGGED_ON, 2), "it logs out, and comes again");
    pair_close(p);
}

static void refusals(void)
{
    static const struct {
        const char *certificate, *shown, *client_says, *server_says;
        bool ask, server_tls, client_tls;
    } cases[] = {
        { "wrong", NULL, "client: not logged on: tls: the certificate of /CN=Other is "
          "for other.example, not for 127.0.0.1",
          "tls: the peer refused: bad certificate",
          false, true, true },
        { "right", NULL, "tls: the peer refused: certificate required",
          "tls: peer did not return a certificate", true, true, true },
        { "right", NULL, "the peer hung up", "tls: the peer does not speak TLS; it "
          "begins with \"8=FIX.4.4.9=", false, true, false },
        { "right", NULL, "client: not logged on: tls: the connection ended during "
          "the handshake",
          "cut", false, false, true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct pair *p = pair_open(cases[i].certificate, cases[i].ask, cases[i].shown,
                                   NULL, cases[i].server_tls, cases[i].client_tls);
        bool said = logs(p->g, cases[i].server_says);
        struct tw_fix_door_status st = door_of(p);

        ok(said && logs(p->g, cases[i].client_says), "%s", cases[i].client_says);
        ok(cases[i].server_tls ? st.tls > 0 : st.garbled > 0, "and it is counted");
        ok(p->ss.events[TW_FIX_LOGGED_ON] == 0, "nobody was let in");
        ok(await_event(&p->cs, TW_FIX_NOT_LOGGED_ON, 1)
           && strstr(cases[i].client_says, side_said(&p->cs, TW_FIX_NOT_LOGGED_ON)),
           "its consumer hears why");
        pair_close(p);
    }
}

/* Who is revoked while the port is open does not come in again. */
static void revoked(void)
{
    struct pair *p;
    bool up;

    replace(in("now.crl"), in("none.crl"), 9999);
    p = pair_open("right", true, "guest", in("now.crl"), true, true);
    up = await_event(&p->ss, TW_FIX_LOGGED_ON, 1);
    ok(up, "nobody is revoked");
    replace(in("now.crl"), in("guest.crl"), 9999);
    tw_fix_link_logout(p->c, "bye");
    ok(up && logs(p->g, "now.crl has changed, and was read again")
       && logs(p->g, "tls: the certificate of /CN=Guest was revoked by /CN=Exchange"),
       "one who is revoked meanwhile is not let in again");
    replace(in("now.crl"), in("none.crl"), 100);
    ok(up && logs(p->g, "; the one before is used on"), "a list that can't be is told");
    pthread_mutex_lock(&lock);
    up = up && p->ss.events[TW_FIX_LOGGED_ON] == 1;
    pthread_mutex_unlock(&lock);
    replace(in("now.crl"), in("none.crl"), 9999);
    ok(up && await_event(&p->ss, TW_FIX_LOGGED_ON, 2),
       "pardoned, it comes again, and not before");
    pair_close(p);
}

/* A certificate that is renewed is shown from the next connection on. */
static void renewed(void)
{
    struct pair *p;
    bool up;

    replace(in("now"), in("right"), 9999);
    p = pair_open("now", false, NULL, NULL, true, true);
    up = await_event(&p->cs, TW_FIX_LOGGED_ON, 1);
    ok(up, "a certificate");
    replace(in("now"), in("wrong"), 9999);
    up = up && send_orders(p->c, 1, 10) && await(&p->ss.messages, 10);
    ok(up, "who is connected stays so");
    tw_fix_link_logout(p->c, "bye");
    ok(up && logs(p->g, "/now has changed, and was read again")
       && await_event(&p->cs, TW_FIX_NOT_LOGGED_ON, 1)
       && strstr(side_said(&p->cs, TW_FIX_NOT_LOGGED_ON), "certificate of /CN=Other"),
       "then it is another");
    replace(in("now"), in("right"), 100);
    ok(up && logs(p->g, "; the one before is used on"), "one that can't be is told");
    replace(in("now"), in("right"), 9999);
    ok(up && await_event(&p->cs, TW_FIX_LOGGED_ON, 2), "and one that can be, taken");
    pair_close(p);
}

/* Those that say nothing do not hold it up. */
static void silence(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct tw_tls_options ct = { .ca_file = in("ca") };
    struct tw_tls_options st = { .server = true, .certificate = in("right") };
    struct side cs = {0};
    struct tw_fix_link_options co = client("client", &cs);
    struct tw_fix_door_status status;
    struct rig *g = rig_open();
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), door, one, two, idle;
    char bytes[100];

    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 8) < 0) abort();
    getsockname(fd, (struct sockaddr *)&at, &n);
    co.tls = &ct;
    co.session.logon_timeout_s = 1;
    rig_dial(g, co, ntohs(at.sin_port));
    door = rig_listen(g, &(struct tw_fix_door_options){ .tls = &st,
                                                        .logon_timeout_ms = 200 });
    rig_start(g);
    idle = raw_connect(tw_fix_engine_port(g->e, door));
    ok(raw_drain(idle, bytes, sizeof bytes) == 0, "a client that says nothing is cut");
    tw_fix_engine_door(g->e, door, &status);
    ok(status.tls == 1, "and counted");
    one = accept(fd, NULL, NULL);
    two = accept(fd, NULL, NULL);        /* it has given up the first */
    ok(one >= 0 && two >= 0
       && logs(g, "client: not logged on: tls: the server says nothing"),
       "a server that says nothing is given up, and called again");
    close(idle);
    idle = raw_connect(tw_fix_engine_port(g->e, door));
    rig_close(g);                        /* while both are in a handshake */
    ok(cs.events[TW_FIX_LOGGED_ON] == 0, "an engine ends within handshakes");
    close(one);
    close(two);
    close(idle);
    close(fd);
}

/* Sessions that are removed while their server is yet to answer. */
static void removed(void)
{
    enum { TIMES = 40, KEPT = 12000 };
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct tw_tls_options ct = { .ca_file = in("ca") };
    struct side cs = {0};
    struct rig *g = rig_open();
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), begun = 0, gone = 0;
    size_t before = 0;

    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 8) < 0) abort();
    getsockname(fd, (struct sockaddr *)&at, &n);
    rig_start(g);
    for (int i = 0; i < TIMES; i++) {
        char name[20], said[40], byte;
        struct tw_fix_link_options co = client(name, &cs);
        struct tw_fix_link *l;
        int one;

        if (i == 1) before = mallinfo2().uordblks;
        snprintf(name, sizeof name, "c%d", i);
        snprintf(said, sizeof said, "fix c%d: removed", i);
        co.tls = &ct;
        l = rig_dial(g, co, ntohs(at.sin_port));
        one = accept(fd, NULL, NULL);
        begun += recv(one, &byte, 1, MSG_PEEK) == 1;
        tw_fix_link_remove(l);
        gone += logs(g, said);
        close(one);
    }
    before = (mallinfo2().uordblks - before) / (TIMES - 1);
    ok(begun == TIMES && gone == TIMES, "they are removed within a handshake");
    ok(before < KEPT, "each leaves %zu bytes", before);
    rig_close(g);
    ok(cs.events[TW_FIX_LOGGED_ON] == 0, "and the engine ends");
    close(fd);
}

/* Passes on what each says, until the first has nothing more to say. */
static void relay(int one, int other)
{
    struct pollfd p[2] = { { one, POLLIN, 0 }, { other, POLLIN, 0 } };
    char bytes[4096];
    ssize_t n;

    while (poll(p, 2, PATIENCE_S * 1000) > 0)
        for (int i = 0; i < 2; i++) {
            if (!p[i].revents) continue;
            n = recv(p[i].fd, bytes, sizeof bytes, 0);
            if (n <= 0 && i == 0) return;
            if (n <= 0) p[i].fd = -1;
            else if (send(p[1 - i].fd, bytes, (size_t)n, MSG_NOSIGNAL) != n) return;
        }
}

/* A session that is disabled while its server is yet to answer is at no address. */
static void disabled(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct tw_tls_options ct = { .ca_file = in("ca") };
    struct tw_tls_options st = { .server = true, .certificate = in("right") };
    struct side cs = {0};
    struct tw_fix_link_options co = client("client", &cs);
    struct tw_fix_link_status now = { .session.enabled = true };
    struct rig *g = rig_open();
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), door, one, other;
    struct tw_fix_link *l;
    char byte;

    if (bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 8) < 0) abort();
    getsockname(fd, (struct sockaddr *)&at, &n);
    co.tls = &ct;
    door = rig_listen(g, &(struct tw_fix_door_options){ .tls = &st });
    l = rig_dial(g, co, ntohs(at.sin_port));
    rig_start(g);
    one = accept(fd, NULL, NULL);
    ok(recv(one, &byte, 1, MSG_PEEK) == 1, "a handshake begins");
    tw_fix_link_enable(l, false);
    for (int i = 0; now.session.enabled && i < PATIENCE_S * 1000; i++) {
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
        tw_fix_link_status(l, &now);
    }
    other = raw_connect(tw_fix_engine_port(g->e, door));
    relay(one, other);   /* it ends, and so does the connection */
    tw_fix_link_status(l, &now);
    ok(!now.session.enabled && now.session.state == TW_FIX_DOWN && !*now.peer,
       "who was disabled meanwhile hangs up, and is at no address: '%s'", now.peer);
    rig_close(g);
    close(one);
    close(other);
    close(fd);
}

static void options(void)
{
    struct tw_tls_options bad = { .certificate = "/nowhere/a" };
    struct side side = {0};
    struct tw_fix_link_options o = client("client", &side);
    struct rig *g = rig_open();
    const char *host = "127.0.0.1:1";
    struct tw_error error = {0};

    o.tls = &bad;
    o.hosts = &host;
    o.hosts_n = 1;
    tw_be_main();
    ok(!tw_fix_engine_add(g->e, &o, &error)
       && strstr(error.text, "tls: certificate /nowhere/a: no such file"),
       "a certificate that is not there: %s", error.text);
    error.text[0] = 0;
    bad.server = true;
    o.door = tw_fix_engine_listen(g->e, &(struct tw_fix_door_options){ .tls = &bad },
                                  &error);
    ok(o.door < 0 && strstr(error.text, "tls: certificate /nowhere/a: no such file"),
       "nor for a port");
    rig_close(g);
}

int main(void)
{
    struct tw_openssl f;
    const char *lack = tw_openssl_open(&f);

    if (lack) {
        ok(true, "TLS # SKIP %s", lack);
        return tap_done();
    }
    place_folder(folder);
    make_files();
    (void)fix42;
    fix44 = dictionary(TW_FIX_44, NULL);
    talk();
    refusals();
    revoked();
    renewed();
    silence();
    removed();
    disabled();
    options();
    tw_fix_dictionary_free(fix44);
    place_remove(folder);
    return tap_done();
}

/* tls.c - TLS says whom it does not trust and why, and gives what was sent, however the
 * bytes come; of what was cut or tampered with, only the beginning. */
#include "run/tls.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "place.h"
#include "random.h"
#include "run/openssl.h"
#include "tap.h"
#include "tls_rig.h"

static char folder[PLACE];

static size_t below(size_t n) { return (size_t)(next() % n); }

static const char *in(const char *name) { return place_in(folder, name); }

/* ---- who is who ---- */

static struct identity one(const char *file, const struct wish *w)
{
    struct identity i = identity(w);
    char path[PLACE + 60];

    save(in(file), &i, NULL, NULL, NULL);
    snprintf(path, sizeof path, "%s.key", in(file));
    save(path, NULL, NULL, &i, NULL);
    return i;
}

/* The same, forgotten. */
static void only(const char *file, const struct wish *w)
{
    struct identity i = one(file, w);

    identity_free(&i);
}

static void make_files(void)
{
    struct identity root = identity(&(struct wish){ .subject = "Root", .ca = true });
    struct identity stranger = identity(&(struct wish){ .subject = "Stranger",
                                                        .ca = true });
    struct identity middle = identity(&(struct wish){ .subject = "Middle", .ca = true,
                                                      .issuer = &root });
    struct identity leaf = identity(&(struct wish){ .subject = "leaf", .issuer = &middle,
                                                    .names = "DNS:broker.example" });
    struct identity broker = one("broker", &(struct wish){ .subject = "Broker",
        .issuer = &root,
        .names = "DNS:broker.example,DNS:*.dealer.example,IP:127.0.0.1,IP:::1" });
    char path[PLACE + 80], hash[20];

    save(in("root"), &root, NULL, NULL, NULL);
    save(in("both"), &leaf, &middle, &leaf, NULL);
    save(in("short"), &leaf, NULL, &leaf, NULL);
    save(in("locked"), &leaf, NULL, &leaf, "secret");
    only("old", &(struct wish){ .subject = "Old", .issuer = &root, .from_days = -3,
                               .to_days = -1, .names = "DNS:broker.example" });
    only("early", &(struct wish){ .subject = "Early", .issuer = &root, .from_days = 2,
                                 .to_days = 9, .names = "DNS:broker.example" });
    only("self", &(struct wish){ .subject = "Self", .names = "DNS:broker.example" });
    only("other", &(struct wish){ .subject = "Other", .issuer = &stranger,
                                 .names = "DNS:broker.example" });
    only("client", &(struct wish){ .subject = "Client", .issuer = &root,
                                  .purpose = "clientAuth" });
    only("partial", &(struct wish){ .subject = "Partial", .issuer = &root,
                                   .names = "DNS:b*.dealer.example" });
    only("plain", &(struct wish){ .subject = "broker.example", .issuer = &root });
    save(in("empty"), NULL, NULL, NULL, NULL);
    mkdir(in("cas"), 0700);
    snprintf(hash, sizeof hash, "%08lx.0",
             X509_NAME_hash_ex(X509_get_subject_name(root.x), NULL, NULL, NULL));
    snprintf(path, sizeof path, "%s/%s", in("cas"), hash);
    save(path, &root, NULL, NULL, NULL);
    disown(in("none.crl"), &root, NULL, 1);
    disown(in("broker.crl"), &root, &broker, 1);
    disown(in("late.crl"), &root, NULL, 0);
    disown(in("leaf.crl"), &root, NULL, 1);
    disown(in("leaf.crl"), &middle, &leaf, 1);
    disown(in("middle.crl"), &root, &middle, 1);
    disown(in("middle.crl"), &middle, NULL, 1);
    disown(in("both.crl"), &root, NULL, 1);
    disown(in("both.crl"), &middle, NULL, 1);
    disown(in("false.crl"), &(struct identity){ root.x, stranger.key }, NULL, 1);
    identity_free(&broker);
    identity_free(&root);
    identity_free(&stranger);
    identity_free(&middle);
    identity_free(&leaf);
}

/* ---- contexts ---- */

static struct tw_tls_context *context(const struct tw_tls_options *o)
{
    struct tw_error error = {0};
    struct tw_tls_context *c = tw_tls_context_new(o, &error);

    if (!c) printf("# %s\n", error.text);
    return c;
}

/* A server or a client of our files; NULL, NULL: a client without a certificate. */
static struct tw_tls_options as(bool server, const char *certificate, const char *ca)
{
    char key[40];

    snprintf(key, sizeof key, "%s.key", certificate ? certificate : "");
    if (certificate && access(in(key), R_OK) < 0) *key = 0;
    return (struct tw_tls_options){
        .server = server, .certificate = certificate ? in(certificate) : NULL,
        .key = certificate && *key ? in(key) : NULL, .ca_file = ca ? in(ca) : NULL,
        .ask = server && ca,
    };
}

static void check_files(void)
{
    char key[100];
    struct { struct tw_tls_options o; const char *says; } cases[] = {
        { { .server = true }, "tls: a server needs a certificate" },
        { { .key = "a" }, "tls: a key, a, but no certificate" },
        { { .certificate = "/nowhere/a" },
          "tls: certificate /nowhere/a: no such file or directory" },
        { { .certificate = folder }, ": illegal operation on a directory" },
        { { .certificate = in("broker"), .key = "/nowhere/a" },
          "tls: key /nowhere/a: no such file or directory" },
        { { .certificate = in("empty") }, "empty: there is none in it, as PEM" },
        { { .certificate = in("broker") }, "broker: there is none in it" },
        { { .certificate = in("broker"), .key = in("old.key") },
          "old.key is not that of certificate " },
        { { .certificate = in("locked") }, "locked has a password" },
        { { .ca_file = "/nowhere/a" }, "tls: ca /nowhere/a: no such file" },
        { { .ca_file = in("empty") }, "tls: ca " },
        { { .ca_folder = "/nowhere" }, "tls: ca_folder /nowhere: no such file" },
        { { .ca_folder = in("root") }, "not a directory" },
        { { .ciphers = "nonsense" }, "tls: ciphers nonsense: no cipher match" },
        { { .suites = "nonsense" }, "tls: suites nonsense: no cipher match" },
        { { .server = true, .certificate = in("both"), .ca_file = in("root") },
          "clients are not asked" },
        { { .server = true, .certificate = in("both"), .crl_file = in("none.crl") },
          "clients are not asked" },
        { { .crl_file = "/nowhere/a" }, "tls: crl /nowhere/a: no such file" },
        { { .crl_file = in("empty") }, "empty: there is none in it, as PEM" },
        { { .crl_file = in("root") }, "root: there is none in it, as PEM" },
        { { .server = true, .certificate = in("both"), .name = "a" },
          "tls: name a: a server asks nobody for one" },
        { { .name = "" }, "tls: name : no name can be so" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_error error = {0};
        struct tw_tls_context *c = tw_tls_context_new(&cases[i].o, &error);

        ok(!c && error.code < 0 && strstr(error.text, cases[i].says)
           && !strchr(error.text, '\n'), "a file: %s", cases[i].says);
        if (c || !strstr(error.text, cases[i].says)) printf("# %s\n", error.text);
        tw_tls_context_free(c);
    }
    snprintf(key, sizeof key, "%s", in("secret.key"));
    if (geteuid() != 0) {
        struct tw_error error = {0};

        save(key, NULL, NULL, NULL, NULL);
        chmod(key, 0);
        ok(!tw_tls_context_new(&(struct tw_tls_options){ .certificate = in("broker"),
                                                         .key = key }, &error)
           && strstr(error.text, "permission denied"), "a key of somebody else");
    }
}

/* ---- handshakes ---- */

struct pair {
    struct tw_tls_context *cc, *sc;
    struct end client, server;
};

static bool pair_open(struct pair *p, const struct tw_tls_options *client,
                      const struct tw_tls_options *server, const char *name)
{
    struct tw_error error = {0};

    *p = (struct pair){ .cc = context(client), .sc = context(server) };
    if (!p->cc || !p->sc) return false;
    p->client.t = tw_tls_new(p->cc, name, &error);
    p->server.t = tw_tls_new(p->sc, NULL, &error);
    if (!p->client.t) printf("# %s\n", error.text);
    return p->client.t && p->server.t;
}

static void pair_free(struct pair *p)
{
    end_free(&p->client);
    end_free(&p->server);
    tw_tls_context_free(p->cc);
    tw_tls_context_free(p->sc);
}

static bool says(const struct end *e, const char *text)
{
    bool right = *text ? tw_tls_state(e->t) == TW_TLS_FAILED
                         && strstr(tw_tls_why(e->t), text)
                         && !strchr(tw_tls_why(e->t), '\n')
                       : tw_tls_state(e->t) == TW_TLS_UP;

    if (!right) printf("# %d: %s\n", (int)tw_tls_state(e->t), tw_tls_why(e->t));
    return right;
}

static void check_trust(void)
{
    static const struct {
        const char *name, *server, *server_ca, *client, *client_ca;
        const char *client_says, *server_says;     /* "": it is up */
    } cases[] = {
        { "broker.example", "broker", NULL, NULL, "root", "", "" },
        { "a.dealer.example", "broker", NULL, NULL, "root", "", "" },
        { "127.0.0.1", "broker", NULL, NULL, "root", "", "" },
        { "::1", "broker", NULL, NULL, "root", "", "" },
        { "broker.example", "both", NULL, NULL, "root", "", "" },
        { "broker.example", "plain", NULL, NULL, "root", "", "" },
        { "broker.example", "self", NULL, NULL, "self", "", "" },
        { "broker.example", "broker", "root", "client", "root", "", "" },
        { "other.example", "broker", NULL, NULL, "root",
          "certificate of /CN=Broker is for broker.example, *.dealer.example, 127.0.0.1, "
          "::1, not for other.example", "the peer refused: bad certificate" },
        { "a.b.dealer.example", "broker", NULL, NULL, "root", "not for a.b.dealer",
          "refused" },
        { "broker.dealer.example", "partial", NULL, NULL, "root", "not for broker",
          "refused" },
        { "127.0.0.2", "broker", NULL, NULL, "root", "not for 127.0.0.2", "refused" },
        { "other.example", "plain", NULL, NULL, "root", "is for no name, not for other",
          "refused" },
        { "broker.example", "old", NULL, NULL, "root", "certificate of /CN=Old expired 2",
          "the peer refused: certificate expired" },
        { "broker.example", "early", NULL, NULL, "root",
          "certificate of /CN=Early is not valid before 2", "refused: bad certificate" },
        { "broker.example", "self", NULL, NULL, "root",
          "certificate of /CN=Self is signed by itself, and not trusted",
          "the peer refused: unknown ca" },
        { "broker.example", "other", NULL, NULL, "root",
          "certificate of /CN=Other is signed by /CN=Stranger, who is not trusted",
          "the peer refused: unknown ca" },
        { "broker.example", "short", NULL, NULL, "root",
          "certificate of /CN=leaf is signed by /CN=Middle, who is not", "refused" },
        { "broker.example", "broker", NULL, NULL, NULL, "who is not trusted", "refused" },
        { "broker.example", "client", NULL, NULL, "root",
          "certificate of /CN=Client: unsuitable certificate purpose", "refused" },
        { "broker.example", "broker", "root", NULL, "root",
          "the peer refused: certificate required",
          "peer did not return a certificate" },
        { "broker.example", "broker", "root", "other", "root",
          "the peer refused: unknown ca", "signed by /CN=Stranger" },
        { "broker.example", "broker", "root", "old", "root",
          "the peer refused: certificate expired", "certificate of /CN=Old expired" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tw_tls_options c = as(false, cases[i].client, cases[i].client_ca);
        struct tw_tls_options s = as(true, cases[i].server, cases[i].server_ca);
        struct pair p;
        bool opened = pair_open(&p, &c, &s, cases[i].name);

        if (opened) settle(&p.client, &p.server);
        ok(opened && says(&p.client, cases[i].client_says)
           && says(&p.server, cases[i].server_says), "%s with %s of %s: %s",
           cases[i].client ? cases[i].client : "nobody", cases[i].server, cases[i].name,
           *cases[i].server_says ? cases[i].server_says : "up");
        pair_free(&p);
    }
}

/* What was revoked is not trusted, nor where that can't be known. */
static void check_revoked(void)
{
    static const struct {
        const char *server, *crl, *says;       /* the client; "": it is up */
    } cases[] = {
        { "broker", "none.crl", "" },
        { "both", "both.crl", "" },
        { "broker", "broker.crl", "certificate of /CN=Broker was revoked by /CN=Root" },
        { "both", "leaf.crl", "certificate of /CN=leaf was revoked by /CN=Middle" },
        { "both", "middle.crl", "certificate of /CN=Middle was revoked by /CN=Root" },
        { "both", "none.crl", "certificate of /CN=leaf: no crl of /CN=Middle is there" },
        { "broker", "late.crl", "certificate of /CN=Broker: the crl of /CN=Root is out" },
        { "broker", "false.crl", "certificate of /CN=Broker: CRL signature failure" },
    };
    struct tw_tls_options c, s;
    struct pair p;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        c = as(false, NULL, "root"), s = as(true, cases[i].server, NULL);
        c.crl_file = in(cases[i].crl);
        if (!pair_open(&p, &c, &s, "broker.example")) abort();
        settle(&p.client, &p.server);
        ok(says(&p.client, cases[i].says)
           && says(&p.server, *cases[i].says ? "the peer refused: " : ""),
           "%s with %s: %s", cases[i].server, cases[i].crl,
           *cases[i].says ? cases[i].says : "up");
        pair_free(&p);
    }
    c = as(false, "broker", "root"), s = as(true, "broker", "root");
    s.crl_file = in("broker.crl");
    if (!pair_open(&p, &c, &s, "broker.example")) abort();
    settle(&p.client, &p.server);
    ok(says(&p.client, "the peer refused: certificate revoked")
       && says(&p.server, "certificate of /CN=Broker was revoked by /CN=Root"),
       "a server, too, knows what was revoked");
    pair_free(&p);
}

/* The name of the server, where its host has another. */
static void check_name(void)
{
    struct tw_tls_options c = as(false, NULL, "root"), s = as(true, "broker", NULL);
    struct pair p;
    const char *hello;
    size_t n;

    c.name = "broker.example";
    if (!pair_open(&p, &c, &s, "10.0.0.7")) abort();
    tw_tls_output(p.client.t, &hello, &n);
    ok(memmem(hello, n, c.name, strlen(c.name)), "a server is called by its name");
    settle(&p.client, &p.server);
    ok(says(&p.client, "") && says(&p.server, ""), "wherever it is");
    pair_free(&p);
    c.name = "other.example";
    if (!pair_open(&p, &c, &s, "broker.example")) abort();
    settle(&p.client, &p.server);
    ok(says(&p.client, "not for other.example"), "that of its host is not enough");
    pair_free(&p);
}

#define SUITE "TLSv1.3 TLS_CHACHA20_POLY1305_SHA256"

static void check_options(void)
{
    struct tw_tls_options c = as(false, "client", NULL), s = as(true, "broker", "root");
    char about[TW_TLS_ABOUT];
    struct pair p;
    const char *hello;
    size_t n;

    c.ca_folder = in("cas");
    s.only_13 = true;
    s.suites = "TLS_CHACHA20_POLY1305_SHA256";
    if (!pair_open(&p, &c, &s, "broker.example")) abort();
    tw_tls_output(p.client.t, &hello, &n);
    ok(memmem(hello, n, "broker.example", 14), "the name is in the first bytes (SNI)");
    tw_tls_about(p.client.t, about);
    ok(!*about, "nothing is known before the handshake");
    settle(&p.client, &p.server);
    tw_tls_about(p.client.t, about);
    ok(strcmp(about, SUITE " /CN=Broker") == 0, "%s", about);
    tw_tls_about(p.server.t, about);
    ok(strcmp(about, SUITE " /CN=Client") == 0, "%s", about);
    pair_free(&p);

    c.suites = "TLS_AES_128_GCM_SHA256";
    c.only_13 = true;
    if (!pair_open(&p, &c, &s, "127.0.0.1")) abort();
    tw_tls_output(p.client.t, &hello, &n);
    ok(!memmem(hello, n, "127.0.0.1", 9), "an address is no SNI");
    settle(&p.client, &p.server);
    ok(says(&p.server, "no shared cipher") && says(&p.client, "handshake failure"),
       "no cipher is common to both");
    pair_free(&p);
}

static void check_strangers(void)
{
    struct tw_tls_options s = as(true, "broker", NULL);
    struct tw_tls_context *c = context(&s);
    static const char logon[] = "8=FIX.4.4\0019=70\00135=A\00134=1\00149=ME\001";
    const char *p;
    size_t n;

    for (int i = 0; i < 2; i++) {
        struct end e = { .t = tw_tls_new(c, NULL, NULL) };

        if (i == 0) end_push(&e, logon, sizeof logon - 1);
        else for (int k = 0; k < 100; k++) end_push(&e, "\026\003\001\0\007garbage", 12);
        end_take(&e, 3);
        end_take(&e, SIZE_MAX);
        end_take(&e, SIZE_MAX);
        ok(tw_tls_state(e.t) == TW_TLS_FAILED && e.n == 0
           && tw_tls_read(e.t, (char[9]){0}, 9) == 0 && tw_tls_write(e.t, "a", 1) == 0,
           "%s", tw_tls_why(e.t));
        tw_tls_output(e.t, &p, &n);
        tw_tls_close(e.t);
        ok(i == 0 ? n == 0 && strstr(tw_tls_why(e.t), "begins with \"8=F\"")
                  : n > 0 && *p == SSL3_RT_ALERT,
           "%s", i == 0 ? "who does not speak TLS gets no bytes" : "garbage: an alert");
        end_free(&e);
    }
    tw_tls_context_free(c);
}

static void check_use(void)
{
    struct tw_tls_options o = as(false, NULL, "root");
    struct tw_tls_context *c = context(&o);
    struct tw_error error;
    char name[300];

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    ok(!tw_tls_new(c, NULL, &error) && error.code == TW_EUSAGE, "a client has a server");
    ok(!tw_tls_new(c, "", &error) && error.code == TW_EUSAGE, "which has a name");
    ok(!tw_tls_new(c, name, &error) && error.code == TW_EUSAGE, "not too long");
    tw_memory_fail_at(1);
    ok(!tw_tls_new(c, "a", &error) && error.code < 0, "no memory for a connection");
    tw_memory_fail_at(1);
    ok(!tw_tls_context_new(&o, &error) && error.code < 0, "no memory for a context");
    tw_memory_fail_at(0);
    tw_tls_context_free(c);
    tw_tls_context_free(NULL);
    tw_tls_free(NULL);
}

/* ---- what was sent comes ---- */

enum { TEXT = 1 << 18 };

/* One direction of a conversation. */
struct flow { size_t size, sent, got; uint64_t salt; bool wrong; };

static char letter(const struct flow *f, size_t at)
{
    return (char)((at * 2654435761u + f->salt) >> 7);
}

static void say(struct end *e, struct flow *f)
{
    static _Thread_local char text[40000];
    size_t n = 1 + below(below(4) ? 200 : sizeof text);

    if (n > f->size - f->sent) n = f->size - f->sent;
    for (size_t i = 0; i < n; i++) text[i] = letter(f, f->sent + i);
    f->sent += tw_tls_write(e->t, text, n);
}

static void hear(struct end *e, struct flow *f)
{
    static _Thread_local char text[40000];
    size_t n, room = 1 + below(below(4) ? 200 : sizeof text);

    while ((n = tw_tls_read(e->t, text, room)) > 0) {
        for (size_t i = 0; i < n; i++) f->wrong |= text[i] != letter(f, f->got + i);
        f->got += n;
    }
}

static size_t waiting(const struct end *e)
{
    const char *p;
    size_t n;

    tw_tls_output(e->t, &p, &n);
    return n;
}

/* Both talk at once, in pieces of any size, until steps are over or all is said; the
 * most that waited to be written. */
static size_t converse(struct pair *p, struct flow *up, struct flow *down, size_t steps)
{
    struct end *a = &p->client, *b = &p->server;
    size_t most = 0, piece = 1 + below(30000);

    while (steps-- > 0 && (up->got < up->size || down->got < down->size)
           && tw_tls_state(a->t) < TW_TLS_CLOSED && tw_tls_state(b->t) < TW_TLS_CLOSED) {
        switch (below(6)) {
        case 0: say(a, up); break;
        case 1: say(b, down); break;
        case 2: end_send(a, b, 1 + below(piece)); break;
        case 3: end_send(b, a, 1 + below(piece)); break;
        case 4:
            end_take(a, 1 + below(piece));
            hear(a, down);
            break;
        default:
            end_take(b, 1 + below(piece));
            hear(b, up);
        }
        if (waiting(a) > most) most = waiting(a);
        if (waiting(b) > most) most = waiting(b);
    }
    return most;
}

static void check_flow(int times)
{
    struct tw_tls_options c = as(false, "client", "root"), s = as(true, "broker", "root");
    struct pair p = {0};
    size_t most = 0;
    int complete = 0, clean = 0;

    for (int i = 0; i < times; i++) {
        struct flow up = { .size = below(TEXT), .salt = next() };
        struct flow down = { .size = below(TEXT), .salt = next() };
        size_t m;

        if (!pair_open(&p, &c, &s, "broker.example")) abort();
        m = converse(&p, &up, &down, SIZE_MAX);
        if (m > most) most = m;
        complete += up.got == up.size && down.got == down.size
                 && !up.wrong && !down.wrong;
        settle(&p.client, &p.server);
        tw_tls_close(p.client.t);
        tw_tls_close(p.client.t);
        ok(i || tw_tls_write(p.client.t, "a", 1) == 0, "after a goodbye nothing is said");
        settle(&p.client, &p.server);
        tw_tls_close(p.server.t);
        settle(&p.client, &p.server);
        tw_tls_ended(p.client.t);
        tw_tls_ended(p.server.t);
        clean += tw_tls_state(p.client.t) == TW_TLS_CLOSED
              && tw_tls_state(p.server.t) == TW_TLS_CLOSED && !*tw_tls_why(p.server.t);
        pair_free(&p);
    }
    ok(complete == times, "what was sent comes, in pieces of any size (%d of %d)",
       complete, times);
    ok(clean == times, "and both say goodbye");
    ok(most < 50000, "B2: at most %zu bytes waited", most);
}

/* Cut off, or one bit changed, at any place: the beginning comes, and it is known. */
static void check_damage(int times, bool cut)
{
    struct tw_tls_options c = as(false, "client", "root"), s = as(true, "broker", "root");
    int known = 0, wrong = 0, early = 0;

    for (int i = 0; i < times; i++) {
        struct flow up = { .size = 20000, .salt = next() };
        struct flow down = { .size = 20000, .salt = next() };
        struct pair p;
        struct end *hit;

        if (!pair_open(&p, &c, &s, "broker.example")) abort();
        if (cut) {
            converse(&p, &up, &down, below(i % 2 ? 60 : 600));
        } else {
            size_t steps = below(i % 2 ? 60 : 600);

            converse(&p, &up, &down, steps);
            hit = below(2) ? &p.client : &p.server;
            if (hit->n > 0) hit->wire[below(hit->n)] ^= (char)(1 << below(8));
            else hit = NULL;
            if (!hit) { pair_free(&p); known++; continue; }
            converse(&p, &up, &down, 2000);
        }
        early += tw_tls_state(p.server.t) == TW_TLS_HANDSHAKE;
        tw_tls_ended(p.client.t);
        tw_tls_ended(p.server.t);
        known += tw_tls_state(p.client.t) == TW_TLS_FAILED
              && tw_tls_state(p.server.t) == TW_TLS_FAILED && *tw_tls_why(p.client.t);
        wrong += up.wrong || down.wrong;
        pair_free(&p);
    }
    ok(known == times && wrong == 0, "B3: %s at any place is known, what came was sent "
       "(%d times, %d in the handshake)", cut ? "a cut" : "a changed bit", times, early);
}

/* ---- peers that are not ours ---- */

/* A bare client of OpenSSL, which may do what ours does not. */
struct bare { SSL *ssl; BIO *in, *out; SSL_CTX *ctx; };

static struct tw_openssl f;

static void bare_open(struct bare *b, int version)
{
    b->ctx = f.SSL_CTX_new(f.TLS_method());
    f.SSL_CTX_ctrl(b->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, version, NULL);
    b->ssl = f.SSL_new(b->ctx);
    b->in = f.BIO_new(f.BIO_s_mem());
    b->out = f.BIO_new(f.BIO_s_mem());
    f.SSL_set_bio(b->ssl, b->in, b->out);
    f.SSL_set_connect_state(b->ssl);
}

static void bare_free(struct bare *b)
{
    f.SSL_free(b->ssl);
    f.SSL_CTX_free(b->ctx);
}

/* Its bytes go to the server and come back, until nothing moves; what SSL_read says. */
static int bare_settle(struct bare *b, struct end *server)
{
    char text[4096];
    size_t moved;
    int n, got = -1;

    do {
        const char *p;
        size_t have;

        moved = 0;
        f.ERR_clear_error();
        got = f.SSL_read(b->ssl, text, sizeof text);
        while ((n = f.BIO_read(b->out, text, sizeof text)) > 0) {
            end_push(server, text, (size_t)n);
            moved++;
        }
        moved += end_take(server, SIZE_MAX);
        while (tw_tls_read(server->t, text, sizeof text) > 0) moved++;
        tw_tls_output(server->t, &p, &have);
        if (have > 0) f.BIO_write(b->in, p, (int)have);
        tw_tls_written(server->t, have);
        moved += have;
    } while (moved > 0);
    return got;
}

static void check_bare(void)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
    __typeof__(SSL_renegotiate) *renegotiate;
    __typeof__(SSL_key_update) *key_update;
    struct tw_tls_options o = as(true, "broker", NULL);
    struct tw_tls_context *c = context(&o);
    struct end e = { .t = tw_tls_new(c, NULL, NULL) };
    char text[4096], about[TW_TLS_ABOUT];
    struct bare b;
    int n;

    *(void **)&renegotiate = dlsym(library, "SSL_renegotiate");
    *(void **)&key_update = dlsym(library, "SSL_key_update");

    bare_open(&b, TLS1_2_VERSION);
    bare_settle(&b, &e);
    tw_tls_about(e.t, about);
    ok(tw_tls_state(e.t) == TW_TLS_UP && strncmp(about, "TLSv1.2 ", 8) == 0,
       "a client of TLS 1.2: %s", about);
    ok(f.SSL_write(b.ssl, "hello", 5) == 5 && tw_tls_write(e.t, "hello", 5) == 5
       && bare_settle(&b, &e) == 5, "which talks");
    renegotiate(b.ssl);
    f.SSL_do_handshake(b.ssl);
    bare_settle(&b, &e);
    ok(f.SSL_do_handshake(b.ssl) != 1 && tw_tls_state(e.t) != TW_TLS_HANDSHAKE,
       "and may not renegotiate");
    bare_free(&b);
    end_free(&e);

    /* A peer that wants new keys, and reads none of the answers. */
    e.t = tw_tls_new(c, NULL, NULL);
    bare_open(&b, TLS1_3_VERSION);
    bare_settle(&b, &e);
    ok(tw_tls_state(e.t) == TW_TLS_UP, "a client of TLS 1.3");
    for (int i = 0; i < 20000 && tw_tls_state(e.t) == TW_TLS_UP; i++) {
        key_update(b.ssl, SSL_KEY_UPDATE_REQUESTED);
        f.SSL_do_handshake(b.ssl);
        while ((n = f.BIO_read(b.out, text, sizeof text)) > 0)
            end_push(&e, text, (size_t)n);
        end_take(&e, SIZE_MAX);
        tw_tls_read(e.t, text, sizeof text);
    }
    ok(says(&e, "reads no answers") && waiting(&e) < 100000, "B2: %s", tw_tls_why(e.t));
    bare_free(&b);
    end_free(&e);
    tw_tls_context_free(c);

    o.only_13 = true;
    c = context(&o);
    e.t = tw_tls_new(c, NULL, NULL);
    bare_open(&b, TLS1_2_VERSION);
    bare_settle(&b, &e);
    ok(says(&e, "unsupported protocol"), "TLS 1.2 where only 1.3 is taken");
    bare_free(&b);
    end_free(&e);
    tw_tls_context_free(c);
}

/* ---- one context, several threads ---- */

static struct pair shared;

static void *run(void *arg)
{
    struct pair p = { .cc = NULL };
    char byte;

    for (int i = 0; i < 10; i++) {
        p.client.t = tw_tls_new(shared.cc, "broker.example", NULL);
        p.server.t = tw_tls_new(shared.sc, NULL, NULL);
        settle(&p.client, &p.server);
        tw_tls_write(p.client.t, "x", 1);
        end_send(&p.client, &p.server, SIZE_MAX);
        end_take(&p.server, SIZE_MAX);
        if (tw_tls_read(p.server.t, &byte, 1) == 1 && byte == 'x') ++*(int *)arg;
        end_free(&p.client);
        end_free(&p.server);
    }
    return NULL;
}

static void check_threads(void)
{
    struct tw_tls_options c = as(false, "client", "root"), s = as(true, "broker", "root");
    pthread_t threads[3];
    int right[3] = {0};

    shared = (struct pair){ .cc = context(&c), .sc = context(&s) };
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, run, &right[i]);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    ok(right[0] + right[1] + right[2] == 30, "three threads share a context");
    pair_free(&shared);
}

int main(void)
{
    const char *lack = tw_openssl_open(&f);
    bool small = getenv("SMALL");

    if (lack) {
        ok(true, "TLS # SKIP %s", lack);
        return tap_done();
    }
    place_folder(folder);
    make_files();
    check_files();
    check_trust();
    check_revoked();
    check_name();
    check_options();
    check_strangers();
    check_use();
    check_flow(small ? 5 : 30);
    check_damage(small ? 40 : 400, true);
    check_damage(small ? 40 : 400, false);
    check_bare();
    check_threads();
    place_remove(folder);
    return tap_done();
}

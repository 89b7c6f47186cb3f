/* revoked.c - lists of revoked certificates that change while they are in use. */
#include "run/revoked.h"

#include <unistd.h>
#include <uv.h>

#include "place.h"
#include "run/tls.h"
#include "tap.h"
#include "tls_rig.h"

static char folder[PLACE];

static const char *in(const char *name) { return place_in(folder, name); }

static void make_files(void)
{
    struct identity ca = identity(&(struct wish){ .subject = "Root", .ca = true });
    struct identity broker = identity(&(struct wish){ .subject = "Broker", .issuer = &ca,
                                                      .names = "DNS:broker.example" });

    save(in("ca"), &ca, NULL, NULL, NULL);
    save(in("broker"), &broker, NULL, &broker, NULL);
    save(in("empty"), NULL, NULL, NULL, NULL);
    disown(in("none.crl"), &ca, NULL, 1);
    disown(in("broker.crl"), &ca, &broker, 1);
    disown(in("two.crl"), &broker, NULL, 1);
    disown(in("two.crl"), &ca, NULL, 1);
    identity_free(&ca);
    identity_free(&broker);
}

static struct tw_tls_context *context(const struct tw_tls_options *o)
{
    struct tw_error error = {0};
    struct tw_tls_context *c = tw_tls_context_new(o, &error);

    if (c) return c;
    printf("Bail out! %s\n", error.text);
    exit(1);
}

/* Whether a new connection of the two says so; "": it is up. */
static bool meet(struct tw_tls_context *client, struct tw_tls_context *server,
                 const char *says)
{
    struct end c = { .t = NULL }, s = { .t = NULL };
    struct tw_error error = {0};
    bool right;

    c.t = tw_tls_new(client, "broker.example", &error);
    s.t = tw_tls_new(server, NULL, &error);
    if (!c.t || !s.t) abort();
    settle(&c, &s);
    right = *says ? tw_tls_state(c.t) == TW_TLS_FAILED && strstr(tw_tls_why(c.t), says)
                  : tw_tls_state(c.t) == TW_TLS_UP;
    if (!right) printf("# %d: %s\n", (int)tw_tls_state(c.t), tw_tls_why(c.t));
    end_free(&c);
    end_free(&s);
    return right;
}

static void changes(void)
{
    static const struct {
        const char *list; size_t bytes;            /* NULL: there is none */
        int code; const char *text, *says;
    } cases[] = {
        { "broker.crl", 9999, 1, "now.crl has changed, and was read again", "revoked" },
        { "none.crl", 150, TW_EUSAGE, "now.crl: ", "revoked" },
        { "empty", 0, TW_EUSAGE, "now.crl: there is none in it, as PEM", "revoked" },
        { NULL, 0, UV_ENOENT, "now.crl: no such file or directory", "revoked" },
        { "none.crl", 9999, 1, "was read again", "" },
        { NULL, 0, UV_ENOENT, "no such file or directory", "" },
        { "two.crl", 9999, 2, "was read again", "" },
    };
    struct tw_tls_options co = { .ca_file = in("ca") };
    struct tw_tls_options so = { .server = true, .certificate = in("broker") };
    struct tw_tls_context *c, *s;
    struct tw_error error = {0};
    struct stat st;

    replace(in("now.crl"), in("none.crl"), 9999);
    co.crl_file = in("now.crl");
    c = context(&co);
    s = context(&so);
    ok(tw_tls_renew(c, &error) == 0 && meet(c, s, "") && tw_tls_renew(c, &error) == 0
       && tw_tls_renew(s, &error) == 0, "a list that has not changed is not read");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int code;

        if (cases[i].list) replace(in("now.crl"), in(cases[i].list), cases[i].bytes);
        else unlink(in("now.crl"));
        code = tw_tls_renew(c, &error);
        ok(code == cases[i].code && strstr(error.text, cases[i].text)
           && !strchr(error.text, '\n') && meet(c, s, cases[i].says), "%s", error.text);
        ok(tw_tls_renew(c, &error) == 0 && meet(c, s, cases[i].says),
           "it is told once, and not tried again");
    }
    if (stat(in("two.crl"), &st) < 0) abort();
    replace(in("now.crl"), in("two.crl"), (size_t)st.st_size - 40);
    ok(tw_tls_renew(c, &error) == TW_EUSAGE, "of two that are cut off none: %s",
       error.text);
    unlink(in("now.crl"));
    mkdir(in("now.crl"), 0700);
    ok(tw_tls_renew(c, &error) == UV_EISDIR, "%s", error.text);
    rmdir(in("now.crl"));
    mkfifo(in("now.crl"), 0600);
    ok(tw_tls_renew(c, &error) == UV_EINVAL, "a pipe is not waited for: %s", error.text);
    tw_tls_context_free(c);
    tw_tls_context_free(s);
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
    changes();
    place_remove(folder);
    return tap_done();
}

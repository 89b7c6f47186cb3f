/* tls.c - one end of a TLS connection, without sockets, clocks or threads.
 *
 * OpenSSL reads from one buffer in memory and writes to another.  Neither is bounded by
 * itself, so:
 *
 * Invariants
 *   B1  the input has at most IN_MAX bytes
 *   B2  text is taken only while the output has less than OUT_MAX bytes, a record at a
 *       time; a peer that makes us answer (new keys) and does not read is cut off
 *   B3  what was read is what was written, in order: of a connection that was cut or
 *       tampered with, the beginning
 *
 * Layer host/run.
 */
#include "run/tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

#include "base/memory.h"
#include "run/openssl.h"
#include "run/revoked.h"

enum { RECORD = 16384, IN_MAX = 2 * RECORD, OUT_MAX = 2 * RECORD, FLOOD = 4 * RECORD,
       SUBJECT = 160 };

enum { FILES = 3 };               /* certificate, key and ca_file */

struct tw_tls_context {
    struct tw_openssl f;
    SSL_CTX *ctx;
    struct tw_tls_options o;
    char *texts;                  /* of o */
    struct tw_stamp seen[FILES];
    bool server;
    bool locked;                  /* the key asked for a password */
    struct tw_revoked revoked;
    char name[256];               /* whom a client calls; "": as tw_tls_new says */
};

struct tw_tls {
    const struct tw_openssl *f;
    SSL *ssl;
    BIO *in, *out;                /* of ssl */
    enum tw_tls_state state;
    bool began, closing;
    char name[256];               /* the certificate must be for it; "": any */
    char why[500];
};

/* ---- what is wrong ---- */

static void wrong(struct tw_tls *t, const char *format, ...) TW_PRINTF(2, 3);

/* The first reason stands. */
static void wrong(struct tw_tls *t, const char *format, ...)
{
    va_list args;

    if (t->state == TW_TLS_FAILED) return;
    va_start(args, format);
    vsnprintf(stpcpy(t->why, "tls: "), sizeof t->why - 5, format, args);
    va_end(args);
    t->state = TW_TLS_FAILED;
}

static const char *reason_of(const struct tw_openssl *f, unsigned long code)
{
    const char *text = f->ERR_reason_error_string(code);

    return text ? text : "it failed without a reason";
}

/* OpenSSL has refused, by what is first in its queue: "tlsv1 alert unknown ca". */
static void refused(struct tw_tls *t)
{
    unsigned long code = t->f->ERR_peek_error();
    const char *text = reason_of(t->f, code), *alert = strstr(text, " alert ");

    if (ERR_GET_REASON(code) >= SSL_AD_REASON_OFFSET && alert)
        wrong(t, "the peer refused: %s", alert + 7);
    else
        wrong(t, "%s", text);
}

/* ---- certificates ---- */

static void time_text(const struct tw_openssl *f, const ASN1_TIME *time, char out[40])
{
    struct tm tm = {0};

    if (!f->ASN1_TIME_to_tm(time, &tm)
        || !strftime(out, 40, "%Y-%m-%d %H:%M:%S UTC", &tm))
        strcpy(out, "at a time that can't be read");
}

/* A name or an address that a certificate is for; "": another kind of name. */
static void name_of(const struct tw_openssl *f, const GENERAL_NAME *g, char out[256])
{
    const ASN1_STRING *s = g->type == GEN_DNS ? g->d.dNSName : g->d.iPAddress;
    const unsigned char *p;
    int n;

    *out = 0;
    if (g->type != GEN_DNS && g->type != GEN_IPADD) return;
    p = f->ASN1_STRING_get0_data(s);
    n = f->ASN1_STRING_length(s);
    if (g->type == GEN_IPADD) {
        if (n == 4 || n == 16) inet_ntop(n == 4 ? AF_INET : AF_INET6, p, out, 256);
        return;
    }
    if (n > 255) n = 255;
    for (int i = 0; i < n; i++) out[i] = isgraph(p[i]) ? (char)p[i] : '?';
    out[n] = 0;
}

static void names_of(const struct tw_openssl *f, const X509 *x, char *out, size_t room)
{
    GENERAL_NAMES *all = f->X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    int count = all ? f->OPENSSL_sk_num((const OPENSSL_STACK *)all) : 0;
    size_t used = 0;

    *out = 0;
    for (int i = 0; i < count && used < room; i++) {
        char name[256];

        name_of(f, f->OPENSSL_sk_value((const OPENSSL_STACK *)all, i), name);
        if (*name)
            used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "",
                                     name);
    }
    f->GENERAL_NAMES_free(all);
}

/* The peer's certificate was not trusted, or that of who signed it. */
static void distrusted(struct tw_tls *t, X509_STORE_CTX *store)
{
    const struct tw_openssl *f = t->f;
    X509 *x = f->X509_STORE_CTX_get_current_cert(store);
    int code = f->X509_STORE_CTX_get_error(store);
    char subject[SUBJECT] = "", issuer[SUBJECT] = "", names[SUBJECT], when[40];

    if (!x) {
        wrong(t, "%s", f->X509_verify_cert_error_string(code));
        return;
    }
    f->X509_NAME_oneline(f->X509_get_subject_name(x), subject, sizeof subject);
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        time_text(f, f->X509_get0_notAfter(x), when);
        wrong(t, "the certificate of %s expired %s", subject, when);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        time_text(f, f->X509_get0_notBefore(x), when);
        wrong(t, "the certificate of %s is not valid before %s", subject, when);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        names_of(f, x, names, sizeof names);
        wrong(t, "the certificate of %s is for %s, not for %s", subject,
              *names ? names : "no name", t->name);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        wrong(t, "the certificate of %s is signed by itself, and not trusted", subject);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        f->X509_NAME_oneline(f->X509_get_issuer_name(x), issuer, sizeof issuer);
        wrong(t, "the certificate of %s is signed by %s, who is not trusted", subject,
              issuer);
        break;
    case X509_V_ERR_CERT_REVOKED:
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
        f->X509_NAME_oneline(f->X509_get_issuer_name(x), issuer, sizeof issuer);
        wrong(t, code == X509_V_ERR_CERT_REVOKED
              ? "the certificate of %s was revoked by %s"
              : code == X509_V_ERR_CRL_HAS_EXPIRED
              ? "the certificate of %s: the crl of %s is out of date"
              : "the certificate of %s: no crl of %s is there", subject, issuer);
        break;
    default:
        wrong(t, "the certificate of %s: %s", subject,
              f->X509_verify_cert_error_string(code));
    }
}

/* The whole of a chain's verification, so that what failed is known when it does. */
static int verify(X509_STORE_CTX *store, void *ctx)
{
    const struct tw_tls_context *c = ctx;
    int index = c->f.SSL_get_ex_data_X509_STORE_CTX_idx();
    SSL *ssl = c->f.X509_STORE_CTX_get_ex_data(store, index);
    int trusted;

    if (c->revoked.lists)
        c->f.X509_STORE_CTX_set0_crls(store, (STACK_OF(X509_CRL) *)c->revoked.lists);
    trusted = c->f.X509_verify_cert(store);
    if (trusted <= 0) distrusted(c->f.SSL_get_ex_data(ssl, 0), store);
    return trusted;
}

/* ---- contexts ---- */

/* Nobody is asked at the terminal. */
static int no_password(char *out, int room, int writing, void *ctx)
{
    struct tw_tls_context *c = ctx;

    (void)out, (void)room, (void)writing;
    c->locked = true;
    return -1;
}

/* Whether it is there, as OpenSSL does not say it in words. */
static int look(const char *what, const char *path, bool folder, struct tw_error *error)
{
    FILE *f = fopen(path, "re");
    int code = f ? 0 : uv_translate_sys_error(errno);
    struct stat st;

    if (f && fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode) != folder)
        code = folder ? UV_ENOTDIR : UV_EISDIR;
    if (f) fclose(f);
    if (code == 0) return TW_OK;
    return tw_fail(error, code, "tls: %s %s: %s", what, path, uv_strerror(code));
}

static int unfit(struct tw_tls_context *c, const char *what, const char *value,
                 struct tw_error *error)
{
    unsigned long code = c->f.ERR_peek_error();
    int reason = ERR_GET_REASON(code);

    if ((ERR_GET_LIB(code) == ERR_LIB_PEM && reason == PEM_R_NO_START_LINE)
        || reason == ERR_R_UNSUPPORTED)   /* of a key */
        return tw_fail(error, TW_EUSAGE, "tls: %s %s: there is none in it, as PEM", what,
                       value);
    return tw_fail(error, TW_EUSAGE, "tls: %s %s: %s", what, value,
                   reason_of(&c->f, code));
}

static int identify(struct tw_tls_context *c, const struct tw_tls_options *o,
                    struct tw_error *error)
{
    const char *key = o->key ? o->key : o->certificate;
    int rc;

    if (!o->certificate && o->key)
        return tw_fail(error, TW_EUSAGE, "tls: a key, %s, but no certificate", o->key);
    if (!o->certificate && o->server)
        return tw_fail(error, TW_EUSAGE, "tls: a server needs a certificate");
    if (!o->certificate) return TW_OK;
    rc = look("certificate", o->certificate, false, error);
    if (rc == TW_OK) rc = look("key", key, false, error);
    if (rc < 0) return rc;
    c->f.SSL_CTX_set_default_passwd_cb(c->ctx, no_password);
    c->f.SSL_CTX_set_default_passwd_cb_userdata(c->ctx, c);
    if (c->f.SSL_CTX_use_certificate_chain_file(c->ctx, o->certificate) != 1)
        return unfit(c, "certificate", o->certificate, error);
    if (c->f.SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM) == 1
        && c->f.SSL_CTX_check_private_key(c->ctx) == 1)
        return TW_OK;
    if (c->locked)
        return tw_fail(error, TW_EUSAGE, "tls: key %s has a password: it has to be "
                       "without one, and readable by its user only", key);
    if (ERR_GET_LIB(c->f.ERR_peek_error()) == ERR_LIB_X509)
        return tw_fail(error, TW_EUSAGE, "tls: key %s is not that of certificate %s", key,
                       o->certificate);
    return unfit(c, "key", key, error);
}

/* Each certificate of a chain is looked up in the file. */
static int exclude(struct tw_tls_context *c, const char *path, struct tw_error *error)
{
    int rc = c->revoked.path ? TW_OK : tw_revoked_open(&c->revoked, &c->f, path, error);

    if (rc < 0) return rc;
    c->f.X509_VERIFY_PARAM_set_flags(c->f.SSL_CTX_get0_param(c->ctx),
                                     X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return TW_OK;
}

static int trust(struct tw_tls_context *c, const struct tw_tls_options *o,
                 struct tw_error *error)
{
    int rc = TW_OK;

    if (o->server && !o->ask) {
        if (o->ca_file || o->ca_folder || o->crl_file)
            return tw_fail(error, TW_EUSAGE, "tls: whom to trust is said, but clients "
                           "are not asked for a certificate");
        return TW_OK;
    }
    if (o->ca_file) rc = look("ca", o->ca_file, false, error);
    if (rc == TW_OK && o->ca_folder) rc = look("ca_folder", o->ca_folder, true, error);
    if (rc < 0) return rc;
    if (o->ca_file && c->f.SSL_CTX_load_verify_file(c->ctx, o->ca_file) != 1)
        return unfit(c, "ca", o->ca_file, error);
    if (o->ca_folder && c->f.SSL_CTX_load_verify_dir(c->ctx, o->ca_folder) != 1)
        return unfit(c, "ca_folder", o->ca_folder, error);
    if (!o->ca_file && !o->ca_folder)
        c->f.SSL_CTX_set_default_verify_paths(c->ctx);
    if (o->crl_file) rc = exclude(c, o->crl_file, error);
    if (rc < 0) return rc;
    c->f.SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                            NULL);
    c->f.SSL_CTX_set_cert_verify_callback(c->ctx, verify, c);
    return TW_OK;
}

static int set_up(struct tw_tls_context *c, const struct tw_tls_options *o,
                  struct tw_error *error)
{
    int rc;

    c->f.ERR_clear_error();
    c->ctx = c->f.SSL_CTX_new(c->f.TLS_method());
    if (!c->ctx)
        return tw_fail(error, TW_EUSAGE, "tls: OpenSSL does not start: %s",
                       reason_of(&c->f, c->f.ERR_peek_error()));
    c->f.SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION
                             | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    c->f.SSL_CTX_set_num_tickets(c->ctx, 0);
    c->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    c->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_MODE, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                      | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY, NULL);
    c->f.SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION,
                      o->only_13 ? TLS1_3_VERSION : TLS1_2_VERSION, NULL);
    if (o->ciphers && c->f.SSL_CTX_set_cipher_list(c->ctx, o->ciphers) != 1)
        return unfit(c, "ciphers", o->ciphers, error);
    if (o->suites && c->f.SSL_CTX_set_ciphersuites(c->ctx, o->suites) != 1)
        return unfit(c, "suites", o->suites, error);
    if (o->name && (o->server || !*o->name || strlen(o->name) >= sizeof c->name))
        return tw_fail(error, TW_EUSAGE, "tls: name %s: %s", o->name, o->server
                       ? "a server asks nobody for one" : "no name can be so");
    if (o->name) strcpy(c->name, o->name);
    rc = identify(c, o, error);
    return rc < 0 ? rc : trust(c, o, error);
}

/* The options are for later, too. */
static bool own(struct tw_tls_context *c, const struct tw_tls_options *o)
{
    const char **text[] = { &c->o.certificate, &c->o.key, &c->o.ca_file, &c->o.ca_folder,
                            &c->o.crl_file, &c->o.name, &c->o.ciphers, &c->o.suites };
    size_t n = sizeof text / sizeof *text, room = 1;
    char *p;

    c->o = *o;
    for (size_t i = 0; i < n; i++) room += *text[i] ? strlen(*text[i]) + 1 : 0;
    p = c->texts = tw_calloc(1, room);
    if (!p) return false;
    for (size_t i = 0; i < n; i++) {
        size_t length = *text[i] ? strlen(*text[i]) + 1 : 0;

        if (length > 0) *text[i] = memcpy(p, *text[i], length);
        p += length;
    }
    return true;
}

/* Which files it has been made of; true: they are others than before. */
static bool look_again(struct tw_tls_context *c)
{
    const char *path[FILES] = { c->o.certificate, c->o.key, c->o.ca_file };
    bool changed = false;

    for (int i = 0; i < FILES; i++) {
        struct tw_stamp now = {0};

        if (path[i]) now = tw_stamp_at(path[i]);
        changed |= !tw_stamp_same(&now, &c->seen[i]);
        c->seen[i] = now;
    }
    return changed;
}

struct tw_tls_context *tw_tls_context_new(const struct tw_tls_options *o,
                                          struct tw_error *error)
{
    struct tw_tls_context *c = tw_calloc(1, sizeof *c);
    const char *lack = c ? tw_openssl_open(&c->f) : NULL;

    if (!c) {
        tw_fail(error, UV_ENOMEM, "tls: no memory");
        return NULL;
    }
    if (lack) {
        tw_free(c);
        tw_fail(error, UV_ENOTSUP, "tls: %s", lack);
        return NULL;
    }
    c->server = o->server;
    if (!own(c, o)) {
        tw_fail(error, UV_ENOMEM, "tls: no memory");
    } else {
        look_again(c);   /* before they are read: what changes meanwhile is read anew */
        if (set_up(c, &c->o, error) == TW_OK) return c;
    }
    c->f.ERR_clear_error();
    tw_tls_context_free(c);
    return NULL;
}

void tw_tls_context_free(struct tw_tls_context *c)
{
    if (!c) return;
    tw_revoked_close(&c->revoked);
    c->f.SSL_CTX_free(c->ctx);
    tw_free(c->texts);
    tw_free(c);
}

/* All or nothing: a certificate whose key is yet to come is none. */
static int renew_files(struct tw_tls_context *c, struct tw_error *error)
{
    SSL_CTX *before = c->ctx;
    int rc;

    if (!look_again(c)) return 0;
    c->locked = false;
    rc = set_up(c, &c->o, error);
    c->f.ERR_clear_error();
    c->f.SSL_CTX_free(rc < 0 ? c->ctx : before);
    if (rc < 0) {
        c->ctx = before;
        return rc;
    }
    tw_fail(error, TW_OK, "tls: %s has changed, and was read again",
            c->o.certificate ? c->o.certificate : c->o.ca_file);
    return 1;
}

int tw_tls_renew(struct tw_tls_context *c, struct tw_error *error)
{
    int rc = tw_revoked_renew(&c->revoked, error);

    if (rc == 0) return renew_files(c, error);
    if (rc > 0)
        tw_fail(error, TW_OK, "tls: crl %s has changed, and was read again",
                c->revoked.path);
    return rc;
}

/* ---- connections ---- */

/* Goes on with the handshake. */
static void shake(struct tw_tls *t)
{
    int done;

    t->f->ERR_clear_error();
    done = t->f->SSL_do_handshake(t->ssl);
    if (done == 1) t->state = TW_TLS_UP;
    else if (t->f->SSL_get_error(t->ssl, done) != SSL_ERROR_WANT_READ) refused(t);
}

/* Whom a client calls; an address has no SNI. */
static bool call(struct tw_tls *t, const char *name)
{
    X509_VERIFY_PARAM *p = t->f->SSL_get0_param(t->ssl);

    snprintf(t->name, sizeof t->name, "%s", name);
    if (t->f->X509_VERIFY_PARAM_set1_ip_asc(p, name) == 1) return true;
    t->f->X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return t->f->X509_VERIFY_PARAM_set1_host(p, name, 0) == 1
        && t->f->SSL_ctrl(t->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                          t->name) == 1;
}

struct tw_tls *tw_tls_new(struct tw_tls_context *c, const char *name,
                          struct tw_error *error)
{
    struct tw_tls *t;

    if (*c->name) name = c->name;
    if (!c->server && (!name || !*name || strlen(name) >= sizeof t->name)) {
        tw_fail(error, TW_EUSAGE, "tls: a client must know the name of its server");
        return NULL;
    }
    t = tw_calloc(1, sizeof *t);
    if (!t) goto fail;
    t->f = &c->f;
    t->f->ERR_clear_error();
    t->ssl = t->f->SSL_new(c->ctx);
    t->in = t->f->BIO_new(t->f->BIO_s_mem());
    t->out = t->f->BIO_new(t->f->BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        t->f->BIO_free(t->in);
        t->f->BIO_free(t->out);
        goto fail;
    }
    t->f->SSL_set_bio(t->ssl, t->in, t->out);
    t->f->SSL_set_ex_data(t->ssl, 0, t);
    if (c->server) {
        t->f->SSL_set_accept_state(t->ssl);
        return t;
    }
    t->f->SSL_set_connect_state(t->ssl);
    if (call(t, name)) {
        shake(t);
        return t;
    }
    tw_tls_free(t);
    tw_fail(error, TW_EUSAGE, "tls: %s is no name of a server", name);
    return NULL;
fail:
    tw_tls_free(t);
    tw_fail(error, UV_ENOMEM, "tls: no memory for a connection");
    return NULL;
}

void tw_tls_free(struct tw_tls *t)
{
    if (!t) return;
    if (t->f) t->f->SSL_free(t->ssl);
    tw_free(t);
}

enum tw_tls_state tw_tls_state(const struct tw_tls *t)
{
    return t->state;
}

const char *tw_tls_why(const struct tw_tls *t)
{
    return t->why;
}

/* A record begins with its kind; the first one is of the handshake, or an alert. */
static void greet(struct tw_tls *t, const char *p, size_t n)
{
    char begin[17] = "";

    t->began = true;
    if (*p == SSL3_RT_HANDSHAKE || *p == SSL3_RT_ALERT) return;
    for (size_t i = 0; i < n && i < sizeof begin - 1; i++)
        begin[i] = isprint((unsigned char)p[i]) ? p[i] : '.';
    wrong(t, "the peer does not speak TLS; it begins with \"%s\"", begin);
}

size_t tw_tls_receive(struct tw_tls *t, const char *p, size_t n)
{
    size_t room = IN_MAX - t->f->BIO_ctrl_pending(t->in);   /* B1 */

    if (n > 0 && !t->began) greet(t, p, n);
    if (t->state >= TW_TLS_CLOSED || n == 0) return n;
    if (n > room) n = room;
    if (n == 0) return 0;
    if (t->f->BIO_write(t->in, p, (int)n) != (int)n) wrong(t, "no memory for the input");
    else if (t->state == TW_TLS_HANDSHAKE) shake(t);
    return n;
}

size_t tw_tls_read(struct tw_tls *t, char *p, size_t n)
{
    int got, code;

    if (t->state != TW_TLS_UP || n == 0) return 0;
    t->f->ERR_clear_error();
    got = t->f->SSL_read(t->ssl, p, n > IN_MAX ? IN_MAX : (int)n);
    if (t->f->BIO_ctrl_pending(t->out) >= FLOOD)   /* B2 */
        wrong(t, "the peer makes us answer, and reads no answers");
    if (got > 0) return (size_t)got;
    code = t->f->SSL_get_error(t->ssl, got);
    if (code == SSL_ERROR_ZERO_RETURN) t->state = TW_TLS_CLOSED;
    else if (code != SSL_ERROR_WANT_READ) refused(t);
    return 0;
}

size_t tw_tls_write(struct tw_tls *t, const char *p, size_t n)
{
    size_t used = 0;

    while (t->state == TW_TLS_UP && !t->closing && used < n
           && t->f->BIO_ctrl_pending(t->out) < OUT_MAX) {   /* B2 */
        int part = n - used > RECORD ? RECORD : (int)(n - used), done;

        t->f->ERR_clear_error();
        done = t->f->SSL_write(t->ssl, p + used, part);
        if (done > 0) used += (size_t)done;
        else refused(t);
    }
    return used;
}

void tw_tls_output(struct tw_tls *t, const char **p, size_t *n)
{
    char *at = NULL;
    long have = t->f->BIO_ctrl(t->out, BIO_CTRL_INFO, 0, &at);

    *p = at;
    *n = have > 0 ? (size_t)have : 0;
}

void tw_tls_written(struct tw_tls *t, size_t n)
{
    char gone[4096];

    while (n > 0) {
        size_t part = n > sizeof gone ? sizeof gone : n;

        t->f->BIO_read(t->out, gone, (int)part);
        n -= part;
    }
}

void tw_tls_close(struct tw_tls *t)
{
    if (t->closing || (t->state != TW_TLS_UP && t->state != TW_TLS_CLOSED)) return;
    t->closing = true;
    t->f->ERR_clear_error();
    t->f->SSL_shutdown(t->ssl);
}

void tw_tls_ended(struct tw_tls *t)
{
    if (t->state == TW_TLS_HANDSHAKE)
        wrong(t, "the connection ended during the handshake");
    else if (t->state == TW_TLS_UP)
        wrong(t, "the connection was cut: its peer did not say goodbye");
}

void tw_tls_about(const struct tw_tls *t, char out[TW_TLS_ABOUT])
{
    const X509 *x = NULL;
    char subject[SUBJECT] = "";
    const char *cipher;

    *out = 0;
    if (t->state == TW_TLS_HANDSHAKE) return;
    x = t->f->SSL_get0_peer_certificate(t->ssl);
    if (x) t->f->X509_NAME_oneline(t->f->X509_get_subject_name(x), subject, SUBJECT);
    cipher = t->f->SSL_CIPHER_get_name(t->f->SSL_get_current_cipher(t->ssl));
    snprintf(out, TW_TLS_ABOUT, "%s %s%s%s", t->f->SSL_get_version(t->ssl), cipher,
             *subject ? " " : "", subject);
}

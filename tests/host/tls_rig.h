/* tls_rig.h - certificates for tests of TLS, made on the spot, and a connection of two
 * ends without a wire. */
#ifndef TLS_RIG_H
#define TLS_RIG_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/tls.h"

/* ---- certificates ---- */

struct identity { X509 *x; EVP_PKEY *key; };

/* What is 0 is not said; it is valid from yesterday to tomorrow. */
struct wish {
    const char *subject;                 /* CN                                      */
    const char *names;                   /* "DNS:broker.example,IP:127.0.0.1"       */
    const char *purpose;                 /* "serverAuth"                            */
    const struct identity *issuer;       /* NULL: itself                            */
    bool ca, rsa;                        /* rsa: the kind of its key                */
    int from_days, to_days;              /* from now; 0, 0: as above                */
};

static inline void add_extension(X509 *x, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    if (!e || X509_add_ext(x, e, -1) != 1) abort();
    X509_EXTENSION_free(e);
}

static inline struct identity identity(const struct wish *w)
{
    static long serial = 1000;
    struct identity made = { X509_new(), w->rsa ? EVP_RSA_gen(2048)
                                                : EVP_EC_gen("P-256") };
    bool usual = w->from_days == 0 && w->to_days == 0;
    X509_NAME *name = X509_get_subject_name(made.x);

    X509_set_version(made.x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.x), serial++);
    X509_time_adj_ex(X509_getm_notBefore(made.x), usual ? -1 : w->from_days, 0, NULL);
    X509_time_adj_ex(X509_getm_notAfter(made.x), usual ? 1 : w->to_days, 0, NULL);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)w->subject, -1, -1, 0);
    X509_set_issuer_name(made.x, w->issuer ? X509_get_subject_name(w->issuer->x) : name);
    X509_set_pubkey(made.x, made.key);
    add_extension(made.x, NID_basic_constraints,
                  w->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (w->names) add_extension(made.x, NID_subject_alt_name, w->names);
    if (w->purpose) add_extension(made.x, NID_ext_key_usage, w->purpose);
    if (!X509_sign(made.x, w->issuer ? w->issuer->key : made.key, EVP_sha256())) abort();
    return made;
}

static inline void identity_free(struct identity *i)
{
    X509_free(i->x);
    EVP_PKEY_free(i->key);
}

/* Appends to the file what `by` has revoked: that of `who`, or with NULL nothing; it is
 * valid from yesterday to so many days from now. */
static inline void disown(const char *path, const struct identity *by,
                          const struct identity *who, int days)
{
    X509_CRL *list = X509_CRL_new();
    X509_REVOKED *entry = who ? X509_REVOKED_new() : NULL;
    ASN1_TIME *from = X509_time_adj_ex(NULL, -1, 0, NULL);
    ASN1_TIME *to = X509_time_adj_ex(NULL, days, 0, NULL);
    FILE *f = fopen(path, "a");

    if (!list || !f || !from || !to) abort();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(by->x));
    X509_CRL_set1_lastUpdate(list, from);
    X509_CRL_set1_nextUpdate(list, to);
    if (entry) {
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(who->x));
        X509_REVOKED_set_revocationDate(entry, from);
        X509_CRL_add0_revoked(list, entry);
    }
    if (!X509_CRL_sign(list, by->key, EVP_sha256())) abort();
    PEM_write_X509_CRL(f, list);
    fclose(f);
    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    X509_CRL_free(list);
}

/* A file becomes another one, with the first n bytes of `from`. */
static inline void replace(const char *path, const char *from, size_t n)
{
    char next[4096], bytes[8192];
    FILE *in = fopen(from, "r"), *out;

    snprintf(next, sizeof next, "%s.next", path);
    out = fopen(next, "w");
    if (!in || !out) abort();
    if (n > sizeof bytes) n = sizeof bytes;
    n = fread(bytes, 1, n, in);
    if (fwrite(bytes, 1, n, out) != n) abort();
    fclose(in);
    fclose(out);
    if (rename(next, path) < 0) abort();
}

/* Its certificate, with that of `chain` behind it, and its key; each may be NULL. */
static inline void save(const char *path, const struct identity *who,
                        const struct identity *chain, const struct identity *key,
                        const char *password)
{
    FILE *f = fopen(path, "w");

    if (!f) abort();
    if (who) PEM_write_X509(f, who->x);
    if (chain) PEM_write_X509(f, chain->x);
    if (key)
        PEM_write_PKCS8PrivateKey(f, key->key, password ? EVP_aes_128_cbc() : NULL, NULL,
                                  0, NULL, (void *)password);
    fclose(f);
}

/* ---- a connection ---- */

/* One end, and what was sent to it that it has not taken. */
struct end {
    struct tw_tls *t;
    char *wire;
    size_t n, room;
};

static inline void end_free(struct end *e)
{
    tw_tls_free(e->t);
    free(e->wire);
    *e = (struct end){0};
}

/* Bytes on their way to it. */
static inline void end_push(struct end *e, const char *p, size_t n)
{
    if (n == 0) return;
    if (e->n + n > e->room) {
        e->room = 2 * (e->n + n);
        e->wire = realloc(e->wire, e->room);
        if (!e->wire) abort();
    }
    memcpy(e->wire + e->n, p, n);
    e->n += n;
}

/* Gives it up to n of the bytes on their way; how many it took. */
static inline size_t end_take(struct end *e, size_t n)
{
    char *copy;
    size_t used;

    if (n > e->n) n = e->n;
    copy = n < PTRDIFF_MAX ? malloc(n ? n : 1) : NULL;   /* a byte too far is found */
    if (!copy) abort();
    if (n > 0) memcpy(copy, e->wire, n);
    used = tw_tls_receive(e->t, copy, n);
    free(copy);
    if (used > 0) memmove(e->wire, e->wire + used, e->n - used);
    e->n -= used;
    return used;
}

/* Lets up to n of its bytes go to the other end; how many. */
static inline size_t end_send(struct end *e, struct end *to, size_t n)
{
    const char *p;
    size_t have;

    tw_tls_output(e->t, &p, &have);
    if (n > have) n = have;
    end_push(to, p, n);
    tw_tls_written(e->t, n);
    return n;
}

/* Until nothing moves any more; what comes out inside is dropped. */
static inline void settle(struct end *a, struct end *b)
{
    size_t moved;
    char text[4096];

    do {
        moved = end_send(a, b, SIZE_MAX) + end_send(b, a, SIZE_MAX);
        moved += end_take(a, SIZE_MAX) + end_take(b, SIZE_MAX);
        while (tw_tls_read(a->t, text, sizeof text) > 0) moved++;
        while (tw_tls_read(b->t, text, sizeof text) > 0) moved++;
    } while (moved > 0);
}

#endif

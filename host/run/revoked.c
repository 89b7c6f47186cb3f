/* revoked.c - the list of revoked certificates that a TLS context has.
 *
 * Who checks a certificate is given the lists each time, so that new ones need no new
 * context: certificate and key may be out of reach by now.
 *
 * Layer host/run.
 */
#include "run/revoked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"

enum { LISTS_BYTES = 64 << 20 };      /* of the file, at most */

static void bad(const char *path, int code, struct tw_error *error)
{
    tw_fail(error, code, "tls: crl %s: %s", path, uv_strerror(code));
}

static void free_lists(const struct tw_openssl *f, OPENSSL_STACK *lists)
{
    f->OPENSSL_sk_pop_free(lists, (OPENSSL_sk_freefunc)f->X509_CRL_free);
}

/* All of an open file, as OpenSSL reads it; NULL: error says why not. */
static BIO *read_all(const struct tw_openssl *f, int fd, const char *path,
                     struct tw_error *error)
{
    BIO *bio = f->BIO_new(f->BIO_s_mem());
    char part[16384];
    size_t sum = 0;
    ssize_t n;

    if (!bio) {
        tw_fail(error, UV_ENOMEM, "tls: crl %s: no memory", path);
        return NULL;
    }
    while ((n = read(fd, part, sizeof part)) > 0) {
        sum += (size_t)n;
        if (sum > LISTS_BYTES || f->BIO_write(bio, part, (int)n) != (int)n) break;
    }
    if (n == 0) return bio;
    if (n < 0) bad(path, uv_translate_sys_error(errno), error);
    else if (sum > LISTS_BYTES)
        tw_fail(error, TW_ELIMIT, "tls: crl %s: it has more than %d MiB", path,
                LISTS_BYTES >> 20);
    else tw_fail(error, UV_ENOMEM, "tls: crl %s: no memory", path);
    f->BIO_free(bio);
    return NULL;
}

/* All lists of a text, and nothing that is cut off; NULL: error says why not. */
static OPENSSL_STACK *parse(const struct tw_openssl *f, BIO *bio, const char *path,
                            struct tw_error *error)
{
    OPENSSL_STACK *lists = f->OPENSSL_sk_new_null();
    unsigned long code;
    X509_CRL *list;
    bool ended;

    for (;;) {
        f->ERR_clear_error();
        list = lists ? f->PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
        if (!list) break;
        if (f->OPENSSL_sk_push(lists, list) > 0) continue;
        f->X509_CRL_free(list);
        break;
    }
    code = f->ERR_peek_error();
    ended = ERR_GET_LIB(code) == ERR_LIB_PEM
         && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
    f->ERR_clear_error();
    if (ended && f->OPENSSL_sk_num(lists) > 0) return lists;
    if (!lists || list) {
        tw_fail(error, UV_ENOMEM, "tls: crl %s: no memory", path);
    } else if (ended) {
        tw_fail(error, TW_EUSAGE, "tls: crl %s: there is none in it, as PEM", path);
    } else {
        const char *text = f->ERR_reason_error_string(code);

        tw_fail(error, TW_EUSAGE, "tls: crl %s: %s", path,
                text ? text : "it can't be read");
    }
    free_lists(f, lists);
    return NULL;
}

/* The lists that are there now, and what was looked at. */
static OPENSSL_STACK *load(const struct tw_openssl *f, const char *path,
                           struct tw_stamp *seen, struct tw_error *error)
{
    /* Without waiting for who writes into a pipe. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    OPENSSL_STACK *lists = NULL;
    int code = fd < 0 ? uv_translate_sys_error(errno) : 0;
    struct stat st;
    BIO *bio;

    *seen = (struct tw_stamp){ .code = code };
    if (code == 0 && fstat(fd, &st) < 0) code = uv_translate_sys_error(errno);
    if (code == 0) *seen = tw_stamp_of(&st);
    if (code == 0 && !S_ISREG(st.st_mode))
        code = S_ISDIR(st.st_mode) ? UV_EISDIR : UV_EINVAL;
    if (code < 0) {
        bad(path, code, error);
    } else if ((bio = read_all(f, fd, path, error))) {
        lists = parse(f, bio, path, error);
        f->BIO_free(bio);
    }
    if (fd >= 0) close(fd);
    return lists;
}

int tw_revoked_open(struct tw_revoked *r, const struct tw_openssl *f, const char *path,
                    struct tw_error *error)
{
    size_t n = strlen(path) + 1;

    *r = (struct tw_revoked){ .f = f, .path = tw_calloc(1, n) };
    if (!r->path) return tw_fail(error, UV_ENOMEM, "tls: no memory");
    memcpy(r->path, path, n);
    r->lists = load(f, path, &r->seen, error);
    return r->lists ? TW_OK : error->code;
}

void tw_revoked_close(struct tw_revoked *r)
{
    if (r->lists) free_lists(r->f, r->lists);
    tw_free(r->path);
    *r = (struct tw_revoked){0};
}

int tw_revoked_renew(struct tw_revoked *r, struct tw_error *error)
{
    struct tw_stamp now;
    OPENSSL_STACK *lists;

    if (!r->path) return 0;
    now = tw_stamp_at(r->path);
    if (tw_stamp_same(&now, &r->seen)) return 0;
    lists = load(r->f, r->path, &r->seen, error);
    if (!lists) return error->code;
    free_lists(r->f, r->lists);
    r->lists = lists;
    return r->f->OPENSSL_sk_num(lists);
}

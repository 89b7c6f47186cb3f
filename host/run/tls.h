/* tls.h - one end of a TLS connection, without sockets, clocks or threads.
 *
 * What comes from the wire goes in, what is for the wire comes out, and so does the text
 * that is inside:
 *
 *     t = tw_tls_new(context, "broker.example", &error);
 *     used = tw_tls_receive(t, p, n);       from the wire; the rest comes again
 *     n = tw_tls_read(t, text, room);       after that, until it gives 0
 *     used = tw_tls_write(t, text, n);      to the peer; the rest comes again
 *     tw_tls_output(t, &p, &n);             after each of these: write that to the wire,
 *     tw_tls_written(t, n);                 and say how much of it is gone
 *     if (tw_tls_state(t) >= TW_TLS_CLOSED) hang up when the output is written
 *     tw_tls_close(t);                      we have no more to say: a goodbye goes out
 *     tw_tls_ended(t);                      the wire has ended, and all of it was read
 *
 * TLS 1.2 and 1.3, by OpenSSL, which is opened with the first context.  The peer of a
 * client has to show a certificate that it trusts, of the name it was asked for.  There
 * is no renegotiation, no resumption, no compression and no early data.
 *
 * Layer host/run.  Thread: the owner's; a context is used by any, one at a time while it
 * is made and freed.  Blocks: never, but as a context's files do.
 */
#ifndef TW_TLS_H
#define TW_TLS_H

#include "base/tw.h"

struct tw_tls_context;
struct tw_tls;

/* Texts that are NULL are not said.  Files are PEM. */
struct tw_tls_options {
    bool server;
    const char *certificate;    /* with its chain behind it; a server must have one */
    const char *key;            /* of the certificate; NULL: in the same file       */
    const char *ca_file;        /* whom to trust; neither: whom the system trusts   */
    const char *ca_folder;      /* named by hashes, as openssl rehash does it       */
    const char *crl_file;       /* what they have revoked: a list of each one who has
                                 * signed a certificate of a chain, and none is old;
                                 * see tw_tls_renew                                 */
    const char *name;           /* client: the server's, and not its host's         */
    bool ask;                   /* server: clients must show a certificate, too     */
    bool only_13;               /* not even TLS 1.2                                 */
    const char *ciphers;        /* of TLS 1.2, as OpenSSL writes a list of them     */
    const char *suites;         /* of TLS 1.3                                       */
};

/* NULL: error says what is wrong with which file: TW_EUSAGE, or why it can't be read.
 * Blocks: on reading files.  Memory: freed by tw_tls_context_free, which may be given
 * NULL; it outlives its connections. */
struct tw_tls_context *tw_tls_context_new(const struct tw_tls_options *options,
                                          struct tw_error *error);
void tw_tls_context_free(struct tw_tls_context *c);

/* Reads crl_file again if it has changed, or else certificate, key and ca_file if one of
 * them has: before each connection.  0: none has; more: it was read, as error's text
 * says; less: it can't be, error says why, once for each change, and what was before is
 * used on.  What is connected stays so.
 * Blocks: on the files. */
int tw_tls_renew(struct tw_tls_context *c, struct tw_error *error);

enum tw_tls_state {
    TW_TLS_HANDSHAKE,
    TW_TLS_UP,
    TW_TLS_CLOSED,      /* the peer said goodbye                      */
    TW_TLS_FAILED       /* tw_tls_why says why; nothing more is taken */
};

/* A client's first bytes are there at once.  name: the host, or an address, which its
 * certificate must be for unless the options have a name; NULL for a server.  NULL: no
 * memory, or a name that can't be.
 * Memory: freed by tw_tls_free, which may be given NULL; some 50 KB, whatever comes. */
struct tw_tls *tw_tls_new(struct tw_tls_context *c, const char *name,
                          struct tw_error *error);
void tw_tls_free(struct tw_tls *t);

enum tw_tls_state tw_tls_state(const struct tw_tls *t);

/* Of one that failed, one line; else "". */
const char *tw_tls_why(const struct tw_tls *t);

/* How much it took: less than n where tw_tls_read was not called until it gave 0.  One
 * that is closed or failed takes all and drops it. */
size_t tw_tls_receive(struct tw_tls *t, const char *p, size_t n);
size_t tw_tls_read(struct tw_tls *t, char *p, size_t n);

/* How much it took: 0 before the handshake is done, and less than n while what it took
 * before has not been written. */
size_t tw_tls_write(struct tw_tls *t, const char *p, size_t n);

/* The bytes stand until the next call. */
void tw_tls_output(struct tw_tls *t, const char **p, size_t *n);
void tw_tls_written(struct tw_tls *t, size_t n);

void tw_tls_close(struct tw_tls *t);

/* CLOSED where the peer said goodbye, else FAILED: it was cut off, by whomever. */
void tw_tls_ended(struct tw_tls *t);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384 /CN=broker.example": the last is the subject of the
 * peer's certificate, if it has shown one; "" before the handshake is done. */
enum { TW_TLS_ABOUT = 300 };
void tw_tls_about(const struct tw_tls *t, char out[TW_TLS_ABOUT]);

#endif

/* revoked.h - the list of revoked certificates that a TLS context has, as its file says
 * it now.
 *
 * Why: a list is for a day or less, and a run may be for a week.
 *
 * Layer host/run.  Thread: the context's.  Blocks: on the file.
 */
#ifndef TW_REVOKED_H
#define TW_REVOKED_H

#include "base/tw.h"
#include "run/openssl.h"
#include "run/stamp.h"

struct tw_revoked {
    const struct tw_openssl *f;
    char *path;                       /* NULL: none is asked for                       */
    OPENSSL_STACK *lists;             /* of X509_CRL                                   */
    struct tw_stamp seen;             /* what was looked at last: it fit, or did not   */
};

/* Reads the file, of PEM.  Errors: TW_EUSAGE: there is none in it, TW_ELIMIT, UV codes.
 * Memory: freed by tw_revoked_close, which may be given a zeroed one. */
int tw_revoked_open(struct tw_revoked *r, const struct tw_openssl *f, const char *path,
                    struct tw_error *error);
void tw_revoked_close(struct tw_revoked *r);

/* Reads the file again if it is another one by now, or has changed.  How many lists it
 * has; 0: it has not changed, or there is none to read.  Errors: as above, once for each
 * change: what was read before stands. */
int tw_revoked_renew(struct tw_revoked *r, struct tw_error *error);

#endif

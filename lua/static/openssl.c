/* openssl.c - stands for host/run/openssl.c in the static program, which opens no
 * libraries.
 *
 * Layer lua.
 */
#include "run/openssl.h"

const char *tw_openssl_open(struct tw_openssl *out)
{
    (void)out;
    return "this program is static, and has no TLS";
}

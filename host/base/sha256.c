/* sha256.c - SHA-256 of some bytes.
 *
 * libcrypto's, which uses what the processor has for it: ten times as fast as portable C.
 * Its low-level functions are called: the newer interface would bring all of its
 * algorithms into the program.
 *
 * Layer host/base.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "base/sha256.h"

#include <openssl/sha.h>

void tw_sha256(const void *bytes, size_t n, unsigned char digest[TW_SHA256])
{
    SHA256_CTX sha;

    SHA256_Init(&sha);
    SHA256_Update(&sha, bytes, n);
    SHA256_Final(digest, &sha);
}

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

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>

static_assert(sizeof(SHA256_CTX) <= sizeof(struct tw_sha256), "its state has room");

void tw_sha256_begin(struct tw_sha256 *h)
{
    SHA256_Init((SHA256_CTX *)h->state);
}

void tw_sha256_add(struct tw_sha256 *h, const void *bytes, size_t n)
{
    SHA256_Update((SHA256_CTX *)h->state, bytes, n);
}

void tw_sha256_end(struct tw_sha256 *h, unsigned char digest[TW_SHA256])
{
    SHA256_Final(digest, (SHA256_CTX *)h->state);
}

void tw_sha256(const void *bytes, size_t n, unsigned char digest[TW_SHA256])
{
    struct tw_sha256 h;

    tw_sha256_begin(&h);
    tw_sha256_add(&h, bytes, n);
    tw_sha256_end(&h, digest);
}

void tw_sha256_hex(const unsigned char digest[TW_SHA256], char out[2 * TW_SHA256 + 1])
{
    for (int i = 0; i < TW_SHA256; i++) sprintf(out + 2 * i, "%02x", digest[i]);
}

/* sha256.h - SHA-256 of some bytes.
 *
 * Layer host/base.
 */
#ifndef TW_SHA256_H
#define TW_SHA256_H

#include <stddef.h>

enum { TW_SHA256 = 32 };   /* bytes of a digest */

/* Thread: any.  Blocks: never.  Memory: none. */
void tw_sha256(const void *bytes, size_t n, unsigned char digest[TW_SHA256]);

/* The same of bytes that come in pieces: begin, add each, end.
 * Thread: the owner's.  Blocks: never.  Memory: none. */
struct tw_sha256 { _Alignas(8) unsigned char state[128]; };
void tw_sha256_begin(struct tw_sha256 *h);
void tw_sha256_add(struct tw_sha256 *h, const void *bytes, size_t n);
void tw_sha256_end(struct tw_sha256 *h, unsigned char digest[TW_SHA256]);

/* A digest in hexadecimal digits, as a string.  Thread: any.  Blocks: never. */
void tw_sha256_hex(const unsigned char digest[TW_SHA256], char out[2 * TW_SHA256 + 1]);

#endif

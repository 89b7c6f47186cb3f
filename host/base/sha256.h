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

#endif

/* lsha256.h - SHA-256 for Lua: of texts and files, as hexadecimal digits.
 *
 * Layer lua.
 */
#ifndef LTW_LSHA256_H
#define LTW_LSHA256_H

#include "base/sha256.h"
#include "ltw.h"

/* [-0, +1, m] */
void ltw_push_digest(lua_State *L, const unsigned char digest[TW_SHA256]);

/* [-0, +1, m]  Of the bytes. */
void ltw_push_sha256(lua_State *L, const void *bytes, size_t n);

/* (text) -> hex */
int ltw_sha256(lua_State *L);

/* (path [, most]) -> hex, bytes | nil, message, code: of its first bytes, where there is
 * a most of them.  Blocks: while the file is read. */
int ltw_sha256_of_file(lua_State *L);

#endif

/* sha256.c - known digests, and bytes that come in pieces. */
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

static const char *hex(const unsigned char digest[TW_SHA256])
{
    static char text[2 * TW_SHA256 + 1];

    for (int i = 0; i < TW_SHA256; i++) sprintf(text + 2 * i, "%02x", digest[i]);
    return text;
}

int main(void)
{
    unsigned char digest[TW_SHA256], whole[TW_SHA256], bytes[300];
    struct tw_sha256 h;
    unsigned wrong = 0;

    tw_sha256("", 0, digest);
    ok(strcmp(hex(digest), "e3b0c44298fc1c149afbf4c8996fb924"
              "27ae41e4649b934ca495991b7852b855") == 0, "of nothing");
    tw_sha256("abc", 3, digest);
    ok(strcmp(hex(digest), "ba7816bf8f01cfea414140de5dae2223"
              "b00361a396177a9cb410ff61f20015ad") == 0, "of abc");
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7);
    tw_sha256(bytes, sizeof bytes, whole);
    for (size_t i = 0; i <= sizeof bytes; i++) {
        tw_sha256_begin(&h);
        tw_sha256_add(&h, bytes, i);
        tw_sha256_add(&h, bytes + i, 0);
        tw_sha256_add(&h, bytes + i, sizeof bytes - i);
        tw_sha256_end(&h, digest);
        wrong += memcmp(digest, whole, TW_SHA256) != 0;
    }
    ok(wrong == 0, "pieces are as the whole, wherever they part");
    return tap_done();
}

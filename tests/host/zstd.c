/* zstd.c - blocks of tape files packed by zstd: what is packed is unpacked, and nothing
 * but one frame of today's format is given to it: the rest of it was left out. */
#include "tape/zstd.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "tap.h"

enum { N = 1 << 20 };

static struct tw_zstd_packer *packer;
static struct tw_zstd_unpacker *unpacker;
static unsigned char in[N], packed[N + N / 8], out[N];

/* Columns are like this: small differences, some of them noise. */
static void fill(size_t n, unsigned noise)
{
    uint32_t x = 1;

    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        in[i] = (unsigned char)(x >> 24 < noise ? x >> 16 : i / 300);
    }
}

static bool comes_back(size_t n)
{
    size_t got = tw_zstd_pack(packer, in, n, packed, tw_zstd_max(n));

    memset(out, 0xA5, n);
    return got > 0 && tw_zstd_unpack(unpacker, packed, got, out, n) &&
           memcmp(in, out, n) == 0 &&
           (n == 0 || !tw_zstd_unpack(unpacker, packed, got, out, n - 1)) &&
           !tw_zstd_unpack(unpacker, packed, got - 1, out, n);
}

/* As the first word of a frame with a body of what n bytes were packed to. */
static bool takes(uint32_t magic, size_t n, size_t packed_bytes)
{
    packed[0] = (unsigned char)magic, packed[1] = (unsigned char)(magic >> 8);
    packed[2] = (unsigned char)(magic >> 16), packed[3] = (unsigned char)(magic >> 24);
    return tw_zstd_unpack(unpacker, packed, packed_bytes, out, n);
}

int main(void)
{
    static const size_t sizes[] = { 1, 100, 4096, 16384, 16385, 131072, 131073, 262145,
                                    N };
    unsigned char today[1000];
    size_t n = 1000, got;
    bool holds = true;

    ok(tw_zstd_lack() == NULL, "this program has zstd");
    packer = tw_zstd_packer_new();
    unpacker = tw_zstd_unpacker_new();
    if (!packer || !unpacker) return 1;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned noise = 0; noise <= 256; noise += 64) {
            fill(sizes[i], noise);
            holds = holds && comes_back(sizes[i]);
        }
        ok(holds, "%zu bytes come back, of all sorts, and not as fewer", sizes[i]);
    }

    fill(n, 0);
    got = tw_zstd_pack(packer, in, n, packed, tw_zstd_max(n));
    memcpy(today, packed, got);
    holds = false;
    for (uint32_t v = 0xFD2FB51E; v < ZSTD_MAGICNUMBER; v++)
        holds = holds || takes(v, n, got);
    ok(!holds, "no frame of before 2016 is taken");
    ok(!takes(ZSTD_MAGIC_SKIPPABLE_START, n, got), "nor one that is to be skipped");
    ok(takes(ZSTD_MAGICNUMBER, n, got), "but that of today");

    for (uint32_t v = 0xFD2FB525; v <= ZSTD_MAGICNUMBER; v++) {
        memcpy(packed + got, today, got);
        for (int i = 0; i < 4; i++) packed[got + i] = (unsigned char)(v >> 8 * i);
        ok(!tw_zstd_unpack(unpacker, packed, 2 * got, out, 2 * n),
           "and none behind it, of format %08x", (unsigned)v);
    }
    ok(!tw_zstd_unpack(unpacker, packed, 3, out, n) &&
       !tw_zstd_unpack(unpacker, packed, 0, out, n), "nor less than a head");
    tw_zstd_packer_free(packer);
    tw_zstd_unpacker_free(unpacker);
    return tap_done();
}

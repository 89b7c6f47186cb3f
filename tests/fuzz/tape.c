/* tape.c - libFuzzer: whatever is behind right checksums is read or refused, and what is
 * read is written and read again as it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tape/pack.h"
#include "tape/reader.h"
#include "tape/writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* A packed payload alone. */
static void unpack(const uint8_t *data, size_t n)
{
    static struct tw_packer packer;
    struct tw_pack *pack = &packer.pack;
    static struct tw_record r[TW_PACK_RECORDS], again[TW_PACK_RECORDS];
    static unsigned char out[TW_PACK_MAX(TW_PACK_RECORDS)];
    size_t records = n < 3 ? 1 : 1 + (data[0] | data[1] << 8) % TW_PACK_RECORDS, bytes;
    unsigned char *copy = malloc(n ? n : 1);   /* its own block, for ASan */

    memcpy(copy, data, n);
    if (n > 2 && tw_pack_read(pack, copy + 2, n - 2, r, records, 0)) {
        bytes = tw_pack_write(&packer, r, records, out);
        if (bytes > TW_PACK_MAX(records)) abort();
        if (!tw_pack_read(pack, out, bytes, again, records, 0)) abort();
        if (memcmp(r, again, records * sizeof *r) != 0) abort();
    }
    free(copy);
}

/* Heads and checksums made right, as far as the bytes go. */
static void seal(unsigned char *p, size_t n)
{
    size_t at = TW_TAPE_HEAD;

    memcpy(p, "TWTAPE\r\n\1\0\0\0", 12);
    tw_tape_put(p + 56, 8, tw_tape_checksum(p, 56, 0));
    while (n - at >= TW_TAPE_BLOCK_HEAD) {
        uint64_t stored = tw_tape_get(p + at + 8, 4) % 1024;
        uint64_t padded = tw_tape_padded(stored);

        if (n - at - TW_TAPE_BLOCK_HEAD < padded) break;
        memcpy(p + at, "TWB1", 4);
        p[at + 4] = (unsigned char)(p[at + 4] % TW_TAPE_TYPES);
        tw_tape_put(p + at + 8, 4, stored);
        tw_tape_put(p + at + 64, 8,
                    tw_tape_checksum(p + at + TW_TAPE_BLOCK_HEAD, padded, 0));
        tw_tape_put(p + at + 72, 8, tw_tape_checksum(p + at, 72, at));
        at += TW_TAPE_BLOCK_HEAD + padded;
    }
}

static void read_file(const char *path)
{
    struct tw_error error = { 0 };
    struct tw_tape_file *f = tw_tape_file_open(path, TW_TAPE_TOLERANT, &error);
    struct tw_tape_reader *r = f ? tw_tape_reader_open(f, INT64_MIN, INT64_MAX, &error)
                                 : NULL;
    struct tw_tape_block b;
    uint64_t sum = 0;
    size_t bytes;

    while (r && tw_tape_reader_next(r, &b, &error) != 0) {
        if (error.code) {
            error.code = 0;
            continue;
        }
        for (size_t i = 0; i < b.n; i++) {
            if (b.r[i].kind != TW_MESSAGE
                || b.r[i].message.value_kind != TW_VALUE_BLOCK) continue;
            for (const char *p = tw_tape_value(&b, &b.r[i], &bytes); bytes > 0; bytes--)
                sum += (unsigned char)p[bytes - 1];
        }
    }
    for (int type = 1; f && type < TW_TAPE_NAME_TYPES; type++)
        for (uint32_t id = 0, last = tw_tape_file_names(f, type); id <= last; id++)
            if (tw_tape_file_name(f, type, id).text)
                sum += strlen(tw_tape_file_name(f, type, id).text);
    if (sum == UINT64_MAX) abort();     /* so that each byte is read */
    tw_tape_reader_close(r);
    tw_tape_file_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static int fd = -1;
    static char path[40];
    unsigned char *copy;

    unpack(data, n);
    if (n < TW_TAPE_HEAD) return 0;
    if (fd < 0) {
        fd = memfd_create("tape", 0);
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    copy = malloc(n);
    memcpy(copy, data, n);
    seal(copy, n);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, copy, n, 0) != (ssize_t)n) abort();
    free(copy);
    read_file(path);
    return 0;
}

/* zstd.c - stands for host/tape/zstd.c in the static program.
 *
 * Why: zstd is 0.65 MB, a fifth of that program, and columns are small without it.  Such
 * a program reads and writes tape files that are not packed; of others it says so.
 *
 * Layer lua.
 */
#include "tape/zstd.h"

const char *tw_zstd_lack(void)
{
    return "this program is static: it has no zstd";
}

struct tw_zstd_packer *tw_zstd_packer_new(void)
{
    return NULL;
}

struct tw_zstd_unpacker *tw_zstd_unpacker_new(void)
{
    return NULL;
}

void tw_zstd_packer_free(struct tw_zstd_packer *z)
{
    (void)z;
}

void tw_zstd_unpacker_free(struct tw_zstd_unpacker *z)
{
    (void)z;
}

size_t tw_zstd_max(size_t n)
{
    return n;
}

size_t tw_zstd_pack(struct tw_zstd_packer *z, const void *p, size_t n, void *out,
                    size_t max)
{
    (void)z, (void)p, (void)n, (void)out, (void)max;
    return 0;
}

bool tw_zstd_unpack(struct tw_zstd_unpacker *z, const void *p, size_t bytes, void *out,
                    size_t n)
{
    (void)z, (void)p, (void)bytes, (void)out, (void)n;
    return false;
}

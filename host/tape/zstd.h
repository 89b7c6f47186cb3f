/* zstd.h - the payload of a block, packed and unpacked with zstd.
 *
 * Layer host/tape.
 */
#ifndef TW_TAPE_ZSTD_H
#define TW_TAPE_ZSTD_H

#include "base/tw.h"

/* NULL, or why this program cannot (lua/static).  Thread: any. */
const char *tw_zstd_lack(void);

/* One for packing, one for unpacking; NULL: no memory.  Thread: any, then one at a time.
 * Blocks: no. */
struct tw_zstd_packer;
struct tw_zstd_unpacker;
struct tw_zstd_packer *tw_zstd_packer_new(void);
struct tw_zstd_unpacker *tw_zstd_unpacker_new(void);
void tw_zstd_packer_free(struct tw_zstd_packer *z);
void tw_zstd_unpacker_free(struct tw_zstd_unpacker *z);

/* Bytes that n take at most.  Thread: any. */
size_t tw_zstd_max(size_t n);

/* How many bytes, of max at most; 0: it could not.  Thread: the owner's.  Blocks: as
 * long as it packs. */
size_t tw_zstd_pack(struct tw_zstd_packer *z, const void *p, size_t n, void *out,
                    size_t max);

/* False: they are not exactly n bytes, packed.  Thread: the owner's.  Blocks: as long as
 * it unpacks. */
bool tw_zstd_unpack(struct tw_zstd_unpacker *z, const void *p, size_t bytes, void *out,
                    size_t n);

#endif

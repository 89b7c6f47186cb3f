/* built_in.c - the versions of FIX that are in the program, as texts of draft.h, of which
 * each says what it changes in the one before; the last is FIXT.1.1, the session of those
 * from 5.0 on.
 *
 * They have the session's messages, market data, orders, and what describes instruments
 * and sessions of trading; 5.0SP2 as far as tag 1621.  They are packed one after the
 * other: a program is one file, and the texts are 150 KB.  The Makefile writes
 * built_in.inc, with a line for the packed file and one for each text.
 *
 * Layer host/fix.  Thread: any.
 */
#include <string.h>

#include <zlib.h>

#include "base/memory.h"
#include "fix/draft_parts.h"

#define TEXT(n)
#define PACKED(path, n) \
    extern const unsigned char tw_fix_texts[]; \
    __asm__(".pushsection .rodata\n" \
            ".global tw_fix_texts\n" \
            ".hidden tw_fix_texts\n" \
            "tw_fix_texts:\n" \
            ".incbin \"" path "\"\n" \
            ".popsection\n"); \
    enum { PACKED_BYTES = n };
#include "built_in.inc"
#undef TEXT
#undef PACKED

/* In the order of their names, which is that of enum tw_fix_version. */
#define PACKED(path, n)
#define TEXT(n) n,
static const size_t bytes[] = {
#include "built_in.inc"
};

enum { FIXT = TW_FIX_50SP2 + 1 };

_Static_assert(sizeof bytes / sizeof *bytes == FIXT + 1, "a text each");

char *tw_fix_built_in(int v, bool fixt, size_t *n)
{
    z_stream z = { .next_in = (Bytef *)tw_fix_texts, .avail_in = PACKED_BYTES };
    size_t all = 0;
    char *text;

    *n = 0;
    for (int i = 0; i <= (fixt ? FIXT : v); i++) {
        if (i <= v) *n += bytes[i];
        all += bytes[i];
    }
    text = tw_calloc(1, all);
    if (!text || inflateInit2(&z, MAX_WBITS + 16) != Z_OK) goto fail;
    z.next_out = (Bytef *)text;
    z.avail_out = (unsigned)all;
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    if (z.avail_out > 0) goto fail;
    if (fixt) {
        memmove(text + *n, text + all - bytes[FIXT], bytes[FIXT]);
        *n += bytes[FIXT];
    }
    return text;

fail:
    tw_free(text);
    return NULL;
}

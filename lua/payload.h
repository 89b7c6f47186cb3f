/* payload.h - the files that a built program carries, behind its own end.
 *
 * Layer lua.
 */
#ifndef LTW_PAYLOAD_H
#define LTW_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/tw.h"

enum { LTW_DIGEST = 32 };   /* bytes of a SHA-256 */

/* What a program says of its own file; all 0 in one that carries nothing. */
struct ltw_seal {
    uint64_t program, payload;              /* bytes; there are no others         */
    unsigned char digest[LTW_DIGEST];       /* of all of them, with 0 for this one */
};

/* The note in the running program.  The compiler must not know what is in it. */
extern const unsigned char ltw_seal_note[];

/* Inline, like the comparisons: no single place that all checks go through.
 * Thread: any. */
static inline void ltw_seal_read(struct ltw_seal *seal)
{
    memcpy(seal, ltw_seal_note, sizeof *seal);
}

/* The whole file, whose digest was computed from its bytes.  Thread: MAIN, before any
 * state is made.  Memory: file stays for ever. */
void ltw_payload_hold(const unsigned char *file, size_t n,
                      const unsigned char digest[LTW_DIGEST]);

/* Reads what is inside the file that is held: 1; 0 where none is; or a failure.
 * Thread: MAIN, before any state is made.  Blocks: no.  Memory: for ever. */
int ltw_payload_open(struct tw_error *error);

/* Is the running program what its seal says?  True where it carries nothing.
 * Thread: any.  Blocks: no. */
bool ltw_payload_is_sound(void);

/* The name of the app file inside; NULL: nothing is carried.  Thread: any. */
const char *ltw_payload_app(void);

/* The names inside, sorted, and NULL after the last.  Thread: any. */
const char *ltw_payload_name(size_t i);

/* 1 and the bytes in *text, with a 0 behind that n does not count; 0 when there is no
 * such file inside; or a failure.  Thread: any.  Blocks: no.
 * Memory: the caller frees *text with tw_free. */
int ltw_payload_read(const char *name, char **text, size_t *n, struct tw_error *error);

#endif

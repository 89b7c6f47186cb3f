/* undo.h - the changes of a text, and back.
 *
 * Layer lua/main.
 */
#ifndef LTW_UNDO_H
#define LTW_UNDO_H

#include "main/bytes.h"

/* What was done to a text: n_put bytes stand at `at`, where n_cut others stood. */
struct ltw_text_change { size_t at, n_cut, n_put; unsigned group; };

struct ltw_undo {
    struct tw_bytes changes;   /* a stack of those                              */
    struct tw_bytes cut;       /* the bytes that they cut, one behind the other */
    unsigned group;             /* of what is done now: it is undone together    */
};

/* One more change, before it is made: `cut` are the bytes that go.  Without memory, and
 * beyond 4 MiB of bytes that were cut, all that was before it can't be undone. */
void ltw_undo_note(struct ltw_undo *u, size_t at, const char *cut, size_t n_cut,
                   size_t n_put);

/* NULL: there is none. */
const struct ltw_text_change *ltw_undo_newest(const struct ltw_undo *u);

/* Takes it off the stack: its n_cut bytes, until the next note. */
const char *ltw_undo_take(struct ltw_undo *u);

void ltw_undo_clear(struct ltw_undo *u);
void ltw_undo_free(struct ltw_undo *u);

#endif

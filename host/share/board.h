/* board.h - the latest value by name, written and read by every state.
 *
 * A slot is guarded by a sequence count: readers never hold a writer up and
 * never see half a value.
 *
 * Layer host/share.
 */
#ifndef TW_BOARD_H
#define TW_BOARD_H

#include "share/value.h"

enum { TW_BOARD_MAX = 65536, TW_BOARD_TEXT = 63 };   /* names; bytes of a string */

struct tw_board;

/* What a slot holds: a scalar or a short string in place, or a block. */
struct tw_board_value {
    uint8_t kind;        /* TW_VALUE_NIL ... NUMBER, STRING, BLOCK */
    uint8_t length;      /* of text                                */
    union {
        int64_t integer;
        double number;
        struct tw_value *block;
        char text[TW_BOARD_TEXT + 1];
    };
};

/* NULL: no memory.  free lets go the blocks on it.  Thread: MAIN.  Blocks: no. */
struct tw_board *tw_board_new(void);
void tw_board_free(struct tw_board *b);

/* The slot of a name, made when it is new; TW_ELIMIT: too many or too long.
 * Thread: any.  Blocks: for a new name, while another is added. */
int64_t tw_board_slot(struct tw_board *b, const char *name, size_t n);

/* The slot of a name, or 0.  Thread: any.  Blocks: never. */
uint32_t tw_board_find(const struct tw_board *b, const char *name, size_t n);

/* Slots 1..count are in use; a nil value is a name that was cleared.
 * Thread: any.  Blocks: never. */
uint32_t tw_board_count(const struct tw_board *b);
const char *tw_board_name(const struct tw_board *b, uint32_t slot);

/* The board takes over the caller's reference on a block, and lets the one go
 * that was there.
 * Thread: any.  Blocks: while another writes this slot.  Memory: none. */
void tw_board_set(struct tw_board *b, uint32_t slot, const struct tw_board_value *v);

/* Without a reference on a block: it may be gone already, and is good only to be
 * compared with one that the caller has.
 * Thread: any.  Blocks: while another writes this slot.  Memory: none. */
void tw_board_get(const struct tw_board *b, uint32_t slot, struct tw_board_value *out);

/* With a reference on a block, which is the caller's.
 * Thread: any.  Blocks: as tw_board_set.  Memory: none. */
void tw_board_hold(struct tw_board *b, uint32_t slot, struct tw_board_value *out);

#endif

/* keys.h - the bytes that a terminal sends, as keys.
 *
 * Layer lua/main.
 */
#ifndef LTW_KEYS_H
#define LTW_KEYS_H

#include <stddef.h>

/* A key is a character's code, a control character, or one of these. */
enum ltw_key {
    LTW_KEY_MORE = 0x110000,   /* not the whole of it yet, or nothing that is known */
    LTW_KEY_UP, LTW_KEY_DOWN, LTW_KEY_LEFT, LTW_KEY_RIGHT, LTW_KEY_HOME, LTW_KEY_END,
    LTW_KEY_DELETE, LTW_KEY_WORD_LEFT, LTW_KEY_WORD_RIGHT,
    LTW_KEY_PASTE, LTW_KEY_PASTED,   /* what is between them was not typed */
    LTW_KEY_META = 0x200000,         /* + what stood behind an escape */
    LTW_KEY_CTRL_X = 0x400000        /* + what stood behind Ctrl-X    */
};
#define LTW_CTRL(letter) ((letter) & 0x1F)

struct ltw_keys {
    enum { LTW_CHARACTER, LTW_ESCAPE, LTW_SEQUENCE, LTW_CTRL_X } mode;
    char bytes[32];            /* of one, as far as it has come */
    size_t n;
};

/* The key that the byte completes.  Of a character, k->bytes has its k->n bytes until
 * the next call; of others k->n is 0. */
int ltw_keys_take(struct ltw_keys *k, char byte);

#endif

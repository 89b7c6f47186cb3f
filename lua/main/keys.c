/* keys.c - the bytes that a terminal sends, as keys.
 *
 * An escape alone is the beginning of a key with Alt: so no time has to be measured.
 *
 * Layer lua/main.
 */
#include "main/keys.h"

#include <stdbool.h>
#include <stdlib.h>

#include "main/glyph.h"

/* What stands behind ESC [ or ESC O. */
static int sequence_key(const char *text, size_t n)
{
    bool jumps = n > 2 && text[n - 3] == ';';   /* with Ctrl, Alt or Shift */

    switch (text[n - 1]) {
    case 'A': return LTW_KEY_UP;
    case 'B': return LTW_KEY_DOWN;
    case 'C': return jumps ? LTW_KEY_WORD_RIGHT : LTW_KEY_RIGHT;
    case 'D': return jumps ? LTW_KEY_WORD_LEFT : LTW_KEY_LEFT;
    case 'H': return LTW_KEY_HOME;
    case 'F': return LTW_KEY_END;
    case '~': break;
    default: return LTW_KEY_MORE;
    }
    switch (atoi(text)) {
    case 1: case 7: return LTW_KEY_HOME;
    case 3: return LTW_KEY_DELETE;
    case 4: case 8: return LTW_KEY_END;
    case 200: return LTW_KEY_PASTE;
    case 201: return LTW_KEY_PASTED;
    default: return LTW_KEY_MORE;
    }
}

/* Linux has ESC [ [ A for a function key. */
static int take_sequence(struct ltw_keys *k, char byte)
{
    bool more = (byte >= 0x20 && byte < 0x40) || (byte == '[' && k->n == 0);
    size_t n;

    if (k->n < sizeof k->bytes - 1) k->bytes[k->n++] = byte;
    if (more) return LTW_KEY_MORE;
    k->bytes[k->n] = '\0';
    n = k->n;
    k->n = 0;
    k->mode = LTW_CHARACTER;
    return k->bytes[0] == '[' ? LTW_KEY_MORE : sequence_key(k->bytes, n);
}

static int take_character(struct ltw_keys *k, char byte)
{
    uint32_t code;

    if (((unsigned char)byte & 0xC0) != 0x80) k->n = 0;   /* one begins here */
    k->bytes[k->n++] = byte;
    if (k->n < ltw_glyph_size(k->bytes[0])) return LTW_KEY_MORE;
    ltw_glyph(k->bytes, k->n, &code);
    if (code != LTW_GLYPH_BAD) return (int)code;
    k->n = 0;
    return LTW_KEY_MORE;
}

/* Of a character alone, or the first byte of a longer key. */
static int begin(struct ltw_keys *k, char byte)
{
    if (k->n > 0 && ltw_glyph_size(k->bytes[0]) == k->n) k->n = 0;   /* it was taken */
    if (byte != '\33' && byte != LTW_CTRL('X')) return take_character(k, byte);
    k->n = 0;
    k->mode = byte == '\33' ? LTW_ESCAPE : LTW_CTRL_X;
    return LTW_KEY_MORE;
}

int ltw_keys_take(struct ltw_keys *k, char byte)
{
    bool is_control = (unsigned char)byte < 0x20 || byte == 0x7F;

    switch (k->mode) {
    case LTW_SEQUENCE:
        if (!is_control) return take_sequence(k, byte);
        k->mode = LTW_CHARACTER;      /* it was cut off */
        k->n = 0;
        return begin(k, byte);
    case LTW_ESCAPE:
        if (byte == '\33') return LTW_KEY_MORE;
        k->mode = byte == '[' || byte == 'O' ? LTW_SEQUENCE : LTW_CHARACTER;
        return k->mode == LTW_SEQUENCE ? LTW_KEY_MORE
                                       : LTW_KEY_META | (unsigned char)byte;
    case LTW_CTRL_X:
        k->mode = LTW_CHARACTER;
        return byte == '\33' ? begin(k, byte) : LTW_KEY_CTRL_X | (unsigned char)byte;
    default:
        return begin(k, byte);
    }
}

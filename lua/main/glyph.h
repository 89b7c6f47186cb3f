/* glyph.h - the characters of UTF-8, and how wide a terminal shows them.
 *
 * Layer lua/main.  Thread: any.  Blocks: never.
 */
#ifndef LTW_GLYPH_H
#define LTW_GLYPH_H

#include <stddef.h>
#include <stdint.h>

#define LTW_GLYPH_BAD UINT32_C(0xFFFD)   /* the code of a byte that is no UTF-8 */

/* Bytes of the character that begins with that byte; 1 for one that begins none. */
size_t ltw_glyph_size(char first);

/* The character at text, which has n bytes, 1 at least: its size and *code.  A byte
 * that is no UTF-8 is a character of its own. */
size_t ltw_glyph(const char *text, size_t n, uint32_t *code);

/* 0 for what is put onto the character before, 2 for wide ones. */
unsigned ltw_glyph_columns(uint32_t code);

unsigned ltw_glyph_width(const char *text, size_t n);

#endif

/* glyph.c - the characters of UTF-8, and how wide a terminal shows them.
 *
 * Why: wcwidth asks the locale, which would have to be set for the whole process, and
 * Lua's string library asks it too.  The tables have what terminals agree on.
 *
 * Layer lua/main.
 */
#include "main/glyph.h"

#include <stdbool.h>

struct range { uint32_t first, last; };

static const struct range marks[] = {
    { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
    { 0x064B, 0x065F }, { 0x1AB0, 0x1AFF }, { 0x1DC0, 0x1DFF }, { 0x200B, 0x200F },
    { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F }, { 0xE0100, 0xE01EF }
};

static const struct range wide[] = {
    { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0x4DBF }, { 0x4E00, 0xA4CF },
    { 0xA960, 0xA97C }, { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F },
    { 0xFF00, 0xFF60 }, { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF },
    { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD }
};

static bool is_in(const struct range *ranges, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return true;
    return false;
}

size_t ltw_glyph_size(char first)
{
    unsigned char c = (unsigned char)first;

    return c < 0xC2 || c > 0xF4 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

size_t ltw_glyph(const char *text, size_t n, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char first = (unsigned char)text[0];
    size_t size = ltw_glyph_size(text[0]);
    uint32_t c = size == 1 ? first : first & (0x7Fu >> size);

    *code = LTW_GLYPH_BAD;
    if ((size == 1 && first >= 0x80) || size > n) return 1;
    for (size_t i = 1; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];

        if ((byte & 0xC0) != 0x80) return 1;
        c = c << 6 | (byte & 0x3F);
    }
    if (c < least[size] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return 1;
    *code = c;
    return size;
}

unsigned ltw_glyph_columns(uint32_t code)
{
    if (code < 0x300) return 1;
    if (is_in(marks, sizeof marks / sizeof *marks, code)) return 0;
    return is_in(wide, sizeof wide / sizeof *wide, code) ? 2 : 1;
}

unsigned ltw_glyph_width(const char *text, size_t n)
{
    unsigned columns = 0;

    for (size_t i = 0; i < n;) {
        uint32_t code;

        i += ltw_glyph(text + i, n - i, &code);
        columns += ltw_glyph_columns(code);
    }
    return columns;
}

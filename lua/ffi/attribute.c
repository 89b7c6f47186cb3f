/* attribute.c - what __attribute__, __asm__ and _Alignas say in C declarations.
 *
 * Layer lua.
 */
#include "parse.h"

#include <string.h>

enum { LOG_ALIGN_MAX = 28, VECTOR_MAX = 1 << 20 };

/* The token's text without __ before and behind is the word. */
static bool is(const struct ltw_cscan *c, const char *word)
{
    const char *text = c->text;
    size_t n = c->n;

    if (n > 4 && memcmp(text, "__", 2) == 0 && memcmp(text + n - 2, "__", 2) == 0) {
        text += 2;
        n -= 4;
    }
    return n == strlen(word) && memcmp(text, word, n) == 0;
}

static void align(struct ltw_cparser *p, struct ltw_cattributes *a, uint64_t bytes)
{
    unsigned char log;

    if (bytes == 0 || (bytes & (bytes - 1)) || bytes >> LOG_ALIGN_MAX > 1)
        ltw_cfail(p, "an alignment is a power of 2");
    log = (unsigned char)__builtin_ctzll(bytes);
    if (log > a->log_align) a->log_align = log;
    a->aligned = true;
}

static void mode(struct ltw_cparser *p, struct ltw_cattributes *a)
{
    static const struct { char name[8]; unsigned char bytes; bool floating; } all[] = {
        { "QI", 1, false }, { "byte", 1, false }, { "HI", 2, false }, { "SI", 4, false },
        { "DI", 8, false }, { "TI", 16, false }, { "word", sizeof(long), false },
        { "pointer", sizeof(void *), false }, { "SF", 4, true }, { "DF", 8, true },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (!is(&p->scan, all[i].name)) continue;
        a->mode_bytes = all[i].bytes;
        a->mode_floating = all[i].floating;
    }
    if (!a->mode_bytes) ltw_cfail(p, "a mode that is not known");
    ltw_cscan_next(p);
}

static void attribute(struct ltw_cparser *p, struct ltw_cattributes *a)
{
    struct ltw_cscan word = p->scan;

    ltw_cscan_next(p);
    if (is(&word, "packed")) {
        a->packed = true;
    } else if (is(&word, "aligned") && p->scan.kind != '(') {
        align(p, a, __BIGGEST_ALIGNMENT__ < 16 ? __BIGGEST_ALIGNMENT__ : 16);
    } else if (p->scan.kind == '(') {
        bool is_aligned = is(&word, "aligned"), is_mode = is(&word, "mode");

        if (!is_aligned && !is_mode && !is(&word, "vector_size")) {
            ltw_cskip_brackets(p);
            return;
        }
        ltw_cscan_next(p);
        if (is_mode) {
            mode(p, a);
        } else {
            uint64_t n = ltw_cinteger(p).u;

            if (is_aligned) align(p, a, n);
            else if (n == 0 || n & (n - 1) || n > VECTOR_MAX)
                ltw_cfail(p, "a vector's size is a power of 2");
            else a->vector_bytes = n;
        }
        ltw_cwant(p, ')');
    }
}

static void attributes(struct ltw_cparser *p, struct ltw_cattributes *a)
{
    ltw_cwant(p, '(');
    ltw_cwant(p, '(');
    while (p->scan.kind != ')') {
        if (p->scan.kind == LTW_T_NAME || p->scan.kind >= LTW_K_TYPEDEF) attribute(p, a);
        else if (p->scan.kind != ',') ltw_cexpected(p, "an attribute");
        if (p->scan.kind != ')') ltw_cwant(p, ',');
    }
    ltw_cwant(p, ')');
    ltw_cwant(p, ')');
}

/* __asm__("symbol"), of which the string may be in pieces. */
static void redirect(struct ltw_cparser *p, struct ltw_cattributes *a)
{
    ltw_cwant(p, '(');
    if (p->scan.kind != LTW_T_STRING) ltw_cexpected(p, "a string");
    lua_pushliteral(p->L, "");
    for (; p->scan.kind == LTW_T_STRING; ltw_cscan_next(p)) {
        lua_pushlstring(p->L, p->scan.text + 1, p->scan.n - 2);
        lua_concat(p->L, 2);
    }
    a->symbol = ltw_cintern(p->L, p->s, lua_tostring(p->L, -1), lua_rawlen(p->L, -1));
    lua_pop(p->L, 1);
    ltw_cwant(p, ')');
}

void ltw_cattributes(struct ltw_cparser *p, struct ltw_cattributes *a)
{
    for (;;) {
        if (ltw_ctake(p, LTW_K_ATTRIBUTE)) {
            attributes(p, a);
        } else if (ltw_ctake(p, LTW_K_ASM)) {
            redirect(p, a);
        } else if (ltw_ctake(p, LTW_K_ALIGNAS)) {
            ltw_cwant(p, '(');
            if (ltw_cstarts_type(p)) {
                struct ltw_cuse use = ltw_ctype_name(p);

                align(p, a, UINT64_C(1) << use.type->log_align);
            } else {
                uint64_t n = ltw_cinteger(p).u;

                if (n) align(p, a, n);
            }
            ltw_cwant(p, ')');
        } else {
            return;
        }
    }
}

struct ltw_cuse ltw_cattributes_apply(struct ltw_cparser *p,
                                      const struct ltw_cattributes *a,
                                      struct ltw_cuse use)
{
    const struct ltw_ctype *t = use.type;

    if (a->mode_bytes && a->mode_floating) {
        use.type = ltw_cbasic(p->s, a->mode_bytes == 4 ? LTW_B_FLOAT : LTW_B_DOUBLE);
    } else if (a->mode_bytes) {
        enum ltw_cbasic b = a->mode_bytes == 1 ? LTW_B_SCHAR :
                            a->mode_bytes == 2 ? LTW_B_SHORT :
                            a->mode_bytes == 4 ? LTW_B_INT :
                            a->mode_bytes == 8 ? LTW_B_LONG : LTW_B_INT128;

        use.type = ltw_cbasic(p->s, b + (t->flags & LTW_C_UNSIGNED ? 1 : 0));
    }
    if (a->vector_bytes) {
        if (!t->size || a->vector_bytes % t->size || a->vector_bytes < t->size)
            ltw_cfail(p, "a vector of a whole number of '%s' expected",
                      ltw_ctype_text(p->L, use));
        use.type = ltw_ctype_vector(p->L, p->s, use.type, a->vector_bytes);
    }
    return use;
}

/* bytecode.c - what can be read off a dumped function.
 *
 * Why: whether a function assigns its upvalues decides whether two jobs may run
 * the same closure, and Lua has no call that tells.  The layout of a dump is the
 * same in all of Lua 5.4 (a test fails where it is not); whatever differs from it
 * counts as assigning, which is slower but never wrong.
 *
 * A dump is a header, a byte, and a function:
 *
 *   source line last-line 3 bytes   code   constants   upvalues   functions
 *   line-steps lines locals upvalue-names
 *
 * where each list begins with its count and a count is in sevens of bits, the
 * last of them marked.
 *
 * Layer lua.
 */
#include "bytecode.h"

#include <lua.h>
#include <stdint.h>
#include <string.h>

enum { SETUPVAL = 10, OPCODE_MASK = 0x7f, B_SHIFT = 16, B_MASK = 0xff };
enum { INTEGER = 0x03, FLOAT = 0x13, SHORT_STRING = 0x04, LONG_STRING = 0x14 };
enum { UPVALUES_MAX = 256, NOT_OUTER = -1 };

static const char header[] = LUA_SIGNATURE "\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";

struct reader {
    const char *p, *end;
    bool broken;         /* it is no dump as we know it */
};

struct function {
    bool assigned[UPVALUES_MAX];
    int16_t outer[UPVALUES_MAX];   /* which of the enclosing function's it is */
};

static const char *take(struct reader *r, size_t n)
{
    const char *p = r->p;

    if (n > (size_t)(r->end - p)) {
        r->broken = true;
        return NULL;
    }
    r->p += n;
    return p;
}

static uint8_t take_byte(struct reader *r)
{
    const char *p = take(r, 1);

    return p ? (uint8_t)*p : 0;
}

static size_t take_count(struct reader *r)
{
    size_t n = 0;
    uint8_t byte;

    do {
        byte = take_byte(r);
        n = n << 7 | (byte & 0x7f);
    } while (!(byte & 0x80) && !r->broken);
    return n;
}

static void skip_string(struct reader *r)
{
    size_t n = take_count(r);   /* one more than its length; 0: none */

    if (n > 0) take(r, n - 1);
}

static void read_code(struct reader *r, struct function *f)
{
    uint32_t i;

    for (size_t n = take_count(r); n > 0 && !r->broken; n--) {
        const char *p = take(r, sizeof i);

        if (!p) return;
        memcpy(&i, p, sizeof i);
        if ((i & OPCODE_MASK) == SETUPVAL) f->assigned[i >> B_SHIFT & B_MASK] = true;
    }
}

static void skip_constants(struct reader *r)
{
    for (size_t n = take_count(r); n > 0 && !r->broken; n--)
        switch (take_byte(r)) {
        case INTEGER: take(r, sizeof(lua_Integer)); break;
        case FLOAT:   take(r, sizeof(lua_Number)); break;
        case SHORT_STRING: case LONG_STRING: skip_string(r); break;
        default:      break;   /* nil and the booleans are their kind alone */
        }
}

static void read_upvalues(struct reader *r, struct function *f)
{
    size_t n = take_count(r);

    if (n > UPVALUES_MAX) r->broken = true;
    for (size_t u = 0; u < n && !r->broken; u++) {
        bool local = take_byte(r);
        uint8_t index = take_byte(r);

        take_byte(r);
        f->outer[u] = local ? NOT_OUTER : index;
    }
}

static void skip_debug(struct reader *r)
{
    take(r, take_count(r));
    for (size_t n = take_count(r); n > 0 && !r->broken; n--)
        take_count(r), take_count(r);
    for (size_t n = take_count(r); n > 0 && !r->broken; n--)
        skip_string(r), take_count(r), take_count(r);
    for (size_t n = take_count(r); n > 0 && !r->broken; n--)
        skip_string(r);
}

/* The compiler nests functions no deeper than C's stack bears. */
static void read_function(struct reader *r, struct function *f)
{
    skip_string(r);
    take_count(r), take_count(r);
    take(r, 3);
    read_code(r, f);
    skip_constants(r);
    read_upvalues(r, f);
    for (size_t n = take_count(r); n > 0 && !r->broken; n--) {
        struct function inner = { .assigned = { false } };

        read_function(r, &inner);
        for (int u = 0; u < UPVALUES_MAX; u++)
            if (inner.assigned[u] && inner.outer[u] != NOT_OUTER)
                f->assigned[inner.outer[u]] = true;
    }
    skip_debug(r);
}

bool ltw_bytecode_assigns(const char *code, size_t n)
{
    struct reader r = { .p = code, .end = code + n };
    struct function f = { .assigned = { false } };
    const char *p = take(&r, sizeof header - 1);

    if (!p || memcmp(p, header, sizeof header - 1) != 0) return true;
    take(&r, sizeof(lua_Integer) + sizeof(lua_Number) + 1);
    read_function(&r, &f);
    if (r.broken || r.p != r.end) return true;
    return memchr(f.assigned, true, sizeof f.assigned) != NULL;
}

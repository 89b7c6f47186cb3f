/* ctype.c - the C types and names of a state, made once each.
 *
 * Why: types point to each other in circles and live as long as the state, so they lie in
 * an arena.  Its chunks are userdata: they count in the state's memory, and are freed
 * with it, whatever raised an error where.
 *
 * Layout:  registry[set] is a table that holds the set itself, under 1 … the chunks,
 *          under addresses here what grows, and under each name its address as
 *          light userdata.
 *
 * Invariants
 *   C1  Two arrays, pointers or functions that are the same type are the same pointer.
 *       An allocation may run finalizers, which may make types: after one, look again.
 *   C2  A name is the address of a Lua string that the table holds.
 *
 * Layer lua.
 */
#include "ctype.h"
#include "ctype_parts.h"

#include <lauxlib.h>

#include <stdalign.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <wchar.h>

enum {
    CHUNK_BYTES = 8000,
    SHORT = 40,                 /* so short a Lua string is the only one of its text */
};

static const struct {
    const char *spelling;
    unsigned char kind, size, align, flags;
} basics[LTW_B_COUNT] = {
#define ROW(b, spelling, kind, type, flags) \
    [LTW_B_##b] = { spelling, LTW_C_##kind, sizeof(type), alignof(type), flags }
    [LTW_B_NONE] = { "", LTW_C_VOID, 0, 1, LTW_C_INCOMPLETE },
    [LTW_B_VOID] = { "void", LTW_C_VOID, 0, 1, LTW_C_INCOMPLETE },
    ROW(BOOL, "bool", BOOL, _Bool, LTW_C_UNSIGNED),
    ROW(CHAR, "char", INT, char, LTW_C_PLAIN_CHAR | ((char)-1 > 0 ? LTW_C_UNSIGNED : 0)),
    ROW(SCHAR, "signed char", INT, signed char, 0),
    ROW(UCHAR, "unsigned char", INT, unsigned char, LTW_C_UNSIGNED),
    ROW(SHORT, "short", INT, short, 0),
    ROW(USHORT, "unsigned short", INT, unsigned short, LTW_C_UNSIGNED),
    ROW(INT, "int", INT, int, 0),
    ROW(UINT, "unsigned int", INT, unsigned, LTW_C_UNSIGNED),
    ROW(LONG, "long", INT, long, 0),
    ROW(ULONG, "unsigned long", INT, unsigned long, LTW_C_UNSIGNED),
    ROW(LLONG, "long long", INT, long long, 0),
    ROW(ULLONG, "unsigned long long", INT, unsigned long long, LTW_C_UNSIGNED),
    ROW(INT128, "__int128", INT, __int128, 0),
    ROW(UINT128, "unsigned __int128", INT, unsigned __int128, LTW_C_UNSIGNED),
    ROW(FLOAT, "float", FLOAT, float, 0),
    ROW(DOUBLE, "double", FLOAT, double, 0),
    ROW(LDOUBLE, "long double", FLOAT, long double, 0),
    ROW(FLOAT_COMPLEX, "float _Complex", COMPLEX, float _Complex, 0),
    ROW(DOUBLE_COMPLEX, "double _Complex", COMPLEX, double _Complex, 0),
    ROW(LDOUBLE_COMPLEX, "long double _Complex", COMPLEX, long double _Complex, 0),
    ROW(VA_LIST, "va_list", VA_LIST, va_list, 0),
    [LTW_B_FLOAT16] = { "_Float16", LTW_C_OPAQUE, 2, 2, 0 },
    [LTW_B_FLOAT128] = { "_Float128", LTW_C_OPAQUE, 16, 16, 0 },
    [LTW_B_DECIMAL32] = { "_Decimal32", LTW_C_OPAQUE, 4, 4, 0 },
    [LTW_B_DECIMAL64] = { "_Decimal64", LTW_C_OPAQUE, 8, 8, 0 },
    [LTW_B_DECIMAL128] = { "_Decimal128", LTW_C_OPAQUE, 16, 16, 0 },
#undef ROW
};

/* What scripts may name without a header. */
static const struct { const char *name; unsigned char basic; } known[] = {
#define INTEGER(type) { #type, _Generic((type)0, \
    char: LTW_B_CHAR, signed char: LTW_B_SCHAR, unsigned char: LTW_B_UCHAR, \
    short: LTW_B_SHORT, unsigned short: LTW_B_USHORT, int: LTW_B_INT, \
    unsigned: LTW_B_UINT, long: LTW_B_LONG, unsigned long: LTW_B_ULONG, \
    long long: LTW_B_LLONG, unsigned long long: LTW_B_ULLONG) }
    INTEGER(int8_t), INTEGER(int16_t), INTEGER(int32_t), INTEGER(int64_t),
    INTEGER(uint8_t), INTEGER(uint16_t), INTEGER(uint32_t), INTEGER(uint64_t),
    INTEGER(intptr_t), INTEGER(uintptr_t), INTEGER(ptrdiff_t), INTEGER(size_t),
    INTEGER(ssize_t), INTEGER(wchar_t), INTEGER(time_t), INTEGER(off_t),
    { "bool", LTW_B_BOOL }, { "va_list", LTW_B_VA_LIST },
    { "__gnuc_va_list", LTW_B_VA_LIST },
#undef INTEGER
};

/* Memory. */

void *ltw_ctypes_alloc(lua_State *L, struct ltw_ctypes *s, size_t n)
{
    char *p;

    if (n > LTW_CSIZE_MAX) luaL_error(L, "not enough memory");
    n = (n + 7) & ~(size_t)7;
    if (n > (size_t)(s->end - s->free)) {
        bool own = n > CHUNK_BYTES / 4;

        lua_rawgetp(L, LUA_REGISTRYINDEX, s);
        p = lua_newuserdatauv(L, own ? n : CHUNK_BYTES, 0);
        lua_rawseti(L, -2, ++s->count_chunks);
        lua_pop(L, 1);
        if (own) return memset(p, 0, n);
        s->free = p;
        s->end = p + CHUNK_BYTES;
    }
    p = s->free;
    s->free += n;
    return memset(p, 0, n);
}

void *ltw_ctypes_slot(lua_State *L, struct ltw_ctypes *s, const void *slot, size_t n)
{
    void *p;

    lua_rawgetp(L, LUA_REGISTRYINDEX, s);
    p = lua_newuserdatauv(L, n, 0);
    lua_rawsetp(L, -2, slot);
    lua_pop(L, 1);
    return p;
}

const char *ltw_cintern(lua_State *L, struct ltw_ctypes *s, const char *name, size_t n)
{
    const char *text;

    lua_rawgetp(L, LUA_REGISTRYINDEX, s);
    lua_pushlstring(L, name, n);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TLIGHTUSERDATA) {
        text = lua_touserdata(L, -1);
        lua_pop(L, 3);
        return text;
    }
    lua_pop(L, 1);
    text = lua_tostring(L, -1);
    lua_pushlightuserdata(L, (void *)text);
    lua_rawset(L, -3);                  /* C2 */
    lua_pop(L, 1);
    return text;
}

const void *ltw_ckey_named(lua_State *L, const char *name)
{
    size_t n = strlen(name);
    const void *key;

    if (n > SHORT) return name;
    lua_pushlstring(L, name, n);
    key = lua_topointer(L, -1);         /* C2: it is kept */
    lua_pop(L, 1);
    return key;
}

const void *ltw_ckey_at(lua_State *L, struct ltw_ctypes *s, int idx)
{
    size_t n;
    const char *text = lua_tolstring(L, idx, &n);

    return n <= SHORT ? lua_topointer(L, idx) : ltw_cintern(L, s, text, n);
}

/* An enum may become complete later: its scalar is not kept before. */
enum ltw_cscalar ltw_cscalar_find(struct ltw_ctype *t)
{
    static const unsigned char integers[][2] = {
        { LTW_SC_I8, LTW_SC_U8 }, { LTW_SC_I16, LTW_SC_U16 }, { LTW_SC_I32, LTW_SC_U32 },
        { LTW_SC_I64, LTW_SC_U64 },
    };
    enum ltw_cscalar s = LTW_SC_NONE;

    switch (t->kind) {
    case LTW_C_VOID: s = LTW_SC_VOID; break;
    case LTW_C_BOOL: s = LTW_SC_BOOL; break;
    case LTW_C_ENUM:
        if (t->of && !(t->flags & LTW_C_INCOMPLETE)) return ltw_cscalar_of(t->of);
        return s;
    case LTW_C_INT:
        if (t->size <= 8)
            s = integers[__builtin_ctzl(t->size)][(t->flags & LTW_C_UNSIGNED) != 0];
        break;
    case LTW_C_FLOAT:
        if (t->size <= sizeof(double)) s = t->size == 4 ? LTW_SC_F32 : LTW_SC_F64;
        break;
    case LTW_C_POINTER: s = LTW_SC_POINTER; break;
    default: break;
    }
    t->scalar = (unsigned char)s;
    return s;
}

/* Names. */

static unsigned place(const char *name, bool tag)
{
    return (unsigned)(((uintptr_t)name >> 4) * 0x9E3779B1u >> 8) + tag;
}

struct ltw_cword *ltw_cword_find(const struct ltw_ctypes *s, const char *name, bool tag)
{
    struct ltw_cword *w = s->words[place(name, tag) & s->word_mask];

    while (w && (w->name.name != name || w->tag != tag)) w = w->chain;
    return w && !w->hidden ? w : NULL;
}

const struct ltw_cname *ltw_cname_find(const struct ltw_ctypes *s, const char *name)
{
    const struct ltw_cword *w = ltw_cword_find(s, name, false);

    return w ? &w->name : NULL;
}

static void grow_words(lua_State *L, struct ltw_ctypes *s)
{
    unsigned n = s->words ? (s->word_mask + 1) * 2 : 128;
    struct ltw_cword **words = ltw_ctypes_slot(L, s, &s->words, n * sizeof *words);

    memset(words, 0, n * sizeof *words);
    for (struct ltw_cword *w = s->newest; w; w = w->before) {
        struct ltw_cword **end = &words[place(w->name.name, w->tag) & (n - 1)];

        while (*end) end = &(*end)->chain;      /* the newest of a name stays first */
        *end = w;
        w->chain = NULL;
    }
    s->words = words;
    s->word_mask = n - 1;
}

struct ltw_cname *ltw_cname_add(lua_State *L, struct ltw_ctypes *s,
                                const struct ltw_cname *name, bool tag)
{
    struct ltw_cword *w = s->unused, **bucket;

    if (w) s->unused = w->chain;
    else w = ltw_ctypes_alloc(L, s, sizeof *w);
    if (s->count_words > s->word_mask) grow_words(L, s);
    bucket = &s->words[place(name->name, tag) & s->word_mask];
    *w = (struct ltw_cword){ .name = *name, .tag = tag, .chain = *bucket,
                             .before = s->newest };
    *bucket = s->newest = w;
    s->count_words++;
    return &w->name;
}

unsigned ltw_ctypes_changes(const struct ltw_ctypes *s)
{
    return s->changes;
}

struct ltw_cmark ltw_ctypes_mark(struct ltw_ctypes *s)
{
    if (!s->depth) s->completed = NULL;
    return (struct ltw_cmark){ s->newest, s->completed };
}

void ltw_ctypes_undo(struct ltw_ctypes *s, struct ltw_cmark m)
{
    for (; s->newest != m.newest; s->count_words--) {
        struct ltw_cword *w = s->newest, **at;

        for (at = &s->words[place(w->name.name, w->tag) & s->word_mask]; *at != w;)
            at = &(*at)->chain;
        *at = w->chain;
        s->newest = w->before;
        w->chain = s->unused;
        s->unused = w;
    }
    for (; s->completed != m.completed; s->completed = s->completed->before) {
        struct ltw_ctype *t = s->completed->type;

        t->flags &= LTW_C_UNION | LTW_C_UNNAMED;
        t->flags |= LTW_C_INCOMPLETE;
        t->size = t->log_align = t->count_fields = t->member_mask = t->depth = 0;
        t->count = 0;
        t->of = NULL;
        t->fields = NULL;
        t->members = NULL;
    }
}

/* Types. */

struct ltw_ctype *ltw_ctype_basic(const struct ltw_ctypes *s, const char *spelling)
{
    for (int b = LTW_B_VOID; b < LTW_B_COUNT; b++)
        if (strcmp(spelling, basics[b].spelling) == 0) return &s->basic[b];
    return NULL;
}

struct ltw_ctype *ltw_ctype_new(lua_State *L, struct ltw_ctypes *s, int kind,
                                unsigned flags, const char *name)
{
    struct ltw_ctype *t = ltw_ctypes_alloc(L, s, sizeof *t);

    t->kind = (unsigned char)kind;
    t->flags = (unsigned short)(flags | (name ? 0 : LTW_C_UNNAMED));
    t->name = name;
    t->number = name ? 0 : ++s->count_unnamed;
    t->metatable = LUA_NOREF;
    return t;
}

void ltw_ctype_completing(lua_State *L, struct ltw_ctypes *s, struct ltw_ctype *t)
{
    struct ltw_ccompletion *c = ltw_ctypes_alloc(L, s, sizeof *c);

    *c = (struct ltw_ccompletion){ t, s->completed };
    s->completed = c;
}

struct ltw_ctype *ltw_ctype_pointer(lua_State *L, struct ltw_ctypes *s,
                                    struct ltw_cuse to)
{
    struct ltw_ctype *t = to.type->pointer[to.constant];

    if (t) return t;
    t = ltw_ctypes_alloc(L, s, sizeof *t);
    if (to.type->pointer[to.constant]) return to.type->pointer[to.constant];    /* C1 */
    *t = (struct ltw_ctype){ .kind = LTW_C_POINTER, .size = sizeof(void *),
        .log_align = sizeof(void *) == 8 ? 3 : 2, .of = to.type,
        .of_constant = to.constant, .metatable = LUA_NOREF };
    return to.type->pointer[to.constant] = t;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

static unsigned hash(const struct ltw_ctype *t)
{
    uint64_t h = mix(mix(t->kind, t->flags), (uintptr_t)t->of ^ t->of_constant);

    h = mix(mix(h, t->count), (uintptr_t)t->plain ^ t->log_align);
    if (t->kind == LTW_C_FUNCTION)
        for (unsigned i = 0; i < t->count_fields; i++)
            h = mix(h, (uintptr_t)t->fields[i].use.type);
    return (unsigned)h;
}

static struct ltw_ctype *find_made(const struct ltw_ctypes *s,
                                   const struct ltw_ctype *key)
{
    struct ltw_ctype *t = s->made[hash(key) & s->made_mask];

    for (; t; t = t->next) {
        unsigned i = 0;

        if (t->kind != key->kind || t->flags != key->flags || t->of != key->of ||
            t->of_constant != key->of_constant || t->count != key->count ||
            t->plain != key->plain || t->log_align != key->log_align ||
            t->count_fields != key->count_fields) continue;
        if (t->kind != LTW_C_FUNCTION) return t;
        while (i < t->count_fields && t->fields[i].use.type == key->fields[i].use.type)
            i++;
        if (i == t->count_fields) return t;
    }
    return NULL;
}

static void grow_made(lua_State *L, struct ltw_ctypes *s)
{
    unsigned n = s->made ? (s->made_mask + 1) * 2 : 64;
    struct ltw_ctype **made = ltw_ctypes_slot(L, s, &s->made, n * sizeof *made);

    memset(made, 0, n * sizeof *made);
    for (unsigned i = 0; s->made && i <= s->made_mask; i++)
        for (struct ltw_ctype *t = s->made[i], *next; t; t = next) {
            struct ltw_ctype **bucket = &made[hash(t) & (n - 1)];

            next = t->next;
            t->next = *bucket;
            *bucket = t;
        }
    s->made = made;
    s->made_mask = n - 1;
}

static struct ltw_ctype *make(lua_State *L, struct ltw_ctypes *s,
                              const struct ltw_ctype *key)
{
    struct ltw_ctype *t = find_made(s, key), *again, **bucket;
    bool function = key->kind == LTW_C_FUNCTION;
    size_t n = function ? key->count_fields * sizeof *t->fields : 0;

    if (t) return t;
    t = ltw_ctypes_alloc(L, s, sizeof *t + n);
    if (s->count_made > s->made_mask) grow_made(L, s);
    again = find_made(s, key);
    if (again) return again;            /* C1 */
    *t = *key;
    t->metatable = LUA_NOREF;
    if (function) {
        t->fields = (struct ltw_cfield *)(t + 1);
        for (unsigned i = 0; i < key->count_fields; i++)
            t->fields[i].use = key->fields[i].use;
    }
    bucket = &s->made[hash(t) & s->made_mask];
    t->next = *bucket;
    *bucket = t;
    s->count_made++;
    return t;
}

struct ltw_ctype *ltw_ctype_array(lua_State *L, struct ltw_ctypes *s, struct ltw_cuse of,
                                  size_t count, unsigned flags)
{
    if (of.type->size && count > LTW_CSIZE_MAX / of.type->size)
        luaL_error(L, "array is too large");
    if (of.type->depth >= LTW_CWITHIN_MAX) luaL_error(L, "arrays nested too deeply");
    return make(L, s, &(struct ltw_ctype){ .kind = LTW_C_ARRAY, .of = of.type,
        .log_align = of.type->log_align, .flags = (unsigned short)flags,
        .of_constant = of.constant, .count = count, .size = of.type->size * count,
        .depth = (unsigned short)(of.type->depth + 1) });
}

struct ltw_ctype *ltw_ctype_function(lua_State *L, struct ltw_ctypes *s,
                                     struct ltw_cuse result, unsigned flags,
                                     struct ltw_cfield *params, unsigned n)
{
    return make(L, s, &(struct ltw_ctype){ .kind = LTW_C_FUNCTION, .of = result.type,
        .of_constant = result.constant, .flags = (unsigned short)flags, .count_fields = n,
        .fields = params });
}

struct ltw_ctype *ltw_ctype_vector(lua_State *L, struct ltw_ctypes *s,
                                   struct ltw_ctype *of, size_t bytes)
{
    return make(L, s, &(struct ltw_ctype){ .kind = LTW_C_OPAQUE, .of = of, .size = bytes,
        .count = bytes / of->size, .log_align = (unsigned char)__builtin_ctzll(bytes) });
}

struct ltw_ctype *ltw_ctype_aligned(lua_State *L, struct ltw_ctypes *s,
                                    struct ltw_ctype *t, unsigned log_align)
{
    struct ltw_ctype key;

    if (t->plain) t = t->plain;
    if (t->log_align == log_align) return t;
    key = *t;
    key.plain = t;
    key.log_align = (unsigned char)log_align;
    key.pointer[0] = key.pointer[1] = key.next = NULL;
    key.call = NULL;
    return make(L, s, &key);
}

static bool alike_uses(struct ltw_cuse a, struct ltw_cuse b, int depth)
{
    return a.constant == b.constant && ltw_ctype_alike(a.type, b.type, depth);
}

bool ltw_ctype_alike(const struct ltw_ctype *a, const struct ltw_ctype *b, int depth)
{
    if (a == b) return true;
    if (depth <= 0 || a->kind != b->kind || a->flags != b->flags || a->size != b->size ||
        a->log_align != b->log_align || a->count != b->count || a->name != b->name ||
        a->of_constant != b->of_constant || a->count_fields != b->count_fields)
        return false;
    switch (a->kind) {
    case LTW_C_POINTER: case LTW_C_ARRAY: case LTW_C_FUNCTION:
        if (!ltw_ctype_alike(a->of, b->of, depth - 1)) return false;
        break;
    case LTW_C_RECORD:
        break;
    default:
        return a->kind == LTW_C_ENUM && a->of == b->of;
    }
    for (unsigned i = 0; a->fields && i < a->count_fields; i++) {
        const struct ltw_cfield *f = &a->fields[i], *g = &b->fields[i];

        if (f->name != g->name || f->offset != g->offset || f->bits != g->bits ||
            f->shift != g->shift || !alike_uses(f->use, g->use, depth - 1)) return false;
    }
    return true;
}

static void add_basics(lua_State *L, struct ltw_ctypes *s)
{
    s->basic = ltw_ctypes_alloc(L, s, LTW_B_COUNT * sizeof *s->basic);
    for (int b = 0; b < LTW_B_COUNT; b++) {
        const char *spelling = basics[b].spelling;

        s->basic[b] = (struct ltw_ctype){ .kind = basics[b].kind, .size = basics[b].size,
            .log_align = (unsigned char)__builtin_ctz(basics[b].align),
            .flags = basics[b].flags, .metatable = LUA_NOREF,
            .name = ltw_cintern(L, s, spelling, strlen(spelling)) };
    }
    for (int i = 0; i < 3; i++)
        s->basic[LTW_B_FLOAT_COMPLEX + i].of = &s->basic[LTW_B_FLOAT + i],
        s->basic[LTW_B_FLOAT_COMPLEX + i].count = 2;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *name = known[i].name;
        struct ltw_cname n = { ltw_cintern(L, s, name, strlen(name)), LTW_C_TYPEDEF,
            { &s->basic[known[i].basic], false }, NULL, { 0 }, NULL };

        ltw_cname_add(L, s, &n, false);
    }
}

struct ltw_ctypes *ltw_ctypes_new(lua_State *L)
{
    struct ltw_ctypes *s = lua_newuserdatauv(L, sizeof *s, 0);

    memset(s, 0, sizeof *s);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, " ");           /* no name of C */
    lua_rawsetp(L, LUA_REGISTRYINDEX, s);
    grow_words(L, s);
    grow_made(L, s);
    add_basics(L, s);
    return s;
}

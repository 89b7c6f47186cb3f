/* layout.c - where a struct's or union's fields lie, as the C compiler has it.
 *
 * Why: gcc and clang agree on x86-64 and aarch64 (System V).  Bit-fields follow each
 * other bit by bit, but none lies across more units of its type's alignment than its type
 * is large, unless it is packed or under #pragma pack.
 *
 * Layer lua.
 */
#include "ctype_parts.h"

#include <string.h>

/* Do bit-fields without a name align the record?  AAPCS64 says so. */
#ifdef __aarch64__
enum { UNNAMED_ALIGN = true };
#else
enum { UNNAMED_ALIGN = false };
#endif

struct layout {
    uint64_t at, most;          /* bits: where the next field goes; a union's largest */
    unsigned log_align;
    struct ltw_clayout how;
};

static uint64_t round_up(uint64_t bits, unsigned log_align)
{
    uint64_t unit = UINT64_C(8) << log_align;

    return (bits + unit - 1) / unit * unit;
}

static unsigned most(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static unsigned capped(const struct layout *l, unsigned log_align)
{
    unsigned cap = l->how.log_pack;

    return cap && log_align > cap - 1u ? cap - 1u : log_align;
}

/* The unit that the bits are in: of the type's size, if they are in one. */
static void place_bits(struct ltw_cfield *f, uint64_t at)
{
    uint64_t unit = f->use.type->size * 8;

    if (at / unit != (at + f->bits - 1) / unit) unit = 8;
    f->offset = at / unit * (unit / 8);
    f->shift = (unsigned char)(at % unit);
}

/* One of a whole number of bytes that lies as an integer of that size would, is one. */
static bool is_integer(const struct layout *l, unsigned bits, bool packed)
{
    return (bits == 8 || (!packed && (bits == 16 || bits == 32 || bits == 64))) &&
           l->at % bits == 0;
}

static void add_bits(struct layout *l, struct ltw_cfield *f, const struct ltw_citem *item)
{
    bool packed = item->packed || l->how.packed;
    unsigned type_align = f->use.type->log_align, align = capped(l, item->log_align);
    uint64_t unit = UINT64_C(8) << type_align;
    bool integer;

    if (f->bits == 0) {
        l->at = round_up(l->at, type_align);
        if (UNNAMED_ALIGN) l->log_align = most(l->log_align, type_align);
        return;
    }
    if (item->aligned) l->at = round_up(l->at, align);
    integer = is_integer(l, f->bits, packed);
    if (integer) align = most(align, capped(l, (unsigned)__builtin_ctz(f->bits) - 3));
    if (!packed && !l->how.log_pack && !integer &&
        (l->at % unit + f->bits + unit - 1) / unit > f->use.type->size * 8 / unit)
        l->at = round_up(l->at, type_align);
    place_bits(f, l->at);
    l->at += f->bits;
    if (!f->name && !UNNAMED_ALIGN) return;
    if (!packed || l->how.log_pack) align = most(align, capped(l, type_align));
    l->log_align = most(l->log_align, align);
}

static const char *add_field(struct layout *l, struct ltw_cfield *f,
                             const struct ltw_citem *item)
{
    const struct ltw_ctype *t = f->use.type;
    unsigned align = item->packed || l->how.packed ? item->log_align
                                                   : most(t->log_align, item->log_align);

    align = capped(l, align);
    l->at = round_up(l->at, align);
    f->offset = l->at / 8;
    if (t->size > LTW_CSIZE_MAX - f->offset) return "is too large";
    l->at += t->size * 8;
    l->log_align = most(l->log_align, align);
    return NULL;
}

/* Names. */

static size_t count_names(const struct ltw_cfield *f, unsigned n)
{
    size_t count = 0;

    for (unsigned i = 0; i < n; i++)
        if (f[i].name) count++;
        else if (f[i].use.type->kind == LTW_C_RECORD && !f[i].bits)
            count += count_names(f[i].use.type->fields, f[i].use.type->count_fields);
    return count;
}

/* NULL, or the name that is there twice. */
static const char *add_names(lua_State *L, struct ltw_ctype *t,
                             const struct ltw_cfield *f, unsigned n, size_t offset,
                             bool constant)
{
    for (unsigned i = 0; i < n; i++) {
        struct ltw_ctype *inner = f[i].use.type;
        bool fixed = constant || f[i].use.constant;
        const char *twice;
        const void *key;
        uintptr_t h;

        if (!f[i].name) {
            if (inner->kind != LTW_C_RECORD || f[i].bits) continue;
            twice = add_names(L, t, inner->fields, inner->count_fields,
                              offset + f[i].offset, fixed);
            if (twice) return twice;
            continue;
        }
        key = ltw_ckey_named(L, f[i].name);
        h = (uintptr_t)key >> 4;
        for (h ^= h >> 8; t->members[h & t->member_mask].key; h++)
            if (t->members[h & t->member_mask].key == key) return f[i].name;
        t->members[h & t->member_mask] = (struct ltw_cmember){
            key, &f[i], offset + f[i].offset, fixed,
            (unsigned char)(f[i].bits ? LTW_SC_NONE : ltw_cscalar_of(inner)) };
    }
    return NULL;
}

/* [-0, +0, m]  NULL, or the name that is there twice. */
static const char *make_members(lua_State *L, struct ltw_ctypes *s, struct ltw_ctype *t,
                                const struct ltw_cfield *fields, unsigned n)
{
    size_t names = count_names(fields, n), size = 4;

    while (size < names * 2) size *= 2;
    t->members = ltw_ctypes_alloc(L, s, size * sizeof *t->members);
    t->member_mask = (unsigned)(size - 1);
    return add_names(L, t, fields, n, 0, false);
}

const char *ltw_clayout(lua_State *L, struct ltw_ctypes *s, struct ltw_ctype *t,
                        size_t first, unsigned n, struct ltw_clayout how,
                        unsigned *which)
{
    struct ltw_cfield *fields = ltw_ctypes_alloc(L, s, n * sizeof *fields);
    const struct ltw_citem *items = n ? s->items + first : NULL;
    struct layout l = { .how = how, .log_align = how.log_align };
    bool is_union = t->flags & LTW_C_UNION;
    unsigned depth = 1;
    const char *wrong;

    for (unsigned i = 0; i < n; i++) {
        *which = i;
        fields[i] = items[i].field;
        if (fields[i].use.type->depth >= LTW_CWITHIN_MAX) return "is nested too deeply";
        depth = most(depth, fields[i].use.type->depth + 1u);
        if (is_union) l.at = 0;
        if (items[i].bit_field) add_bits(&l, &fields[i], &items[i]);
        else if ((wrong = add_field(&l, &fields[i], &items[i]))) return wrong;
        if (l.at / 8 >= LTW_CSIZE_MAX) return "is too large";
        if (l.at > l.most) l.most = l.at;
        if (fields[i].use.type->flags & LTW_C_VLA ||
            (fields[i].use.type->kind == LTW_C_ARRAY &&
             fields[i].use.type->flags & LTW_C_INCOMPLETE)) t->flags |= LTW_C_VLA;
        if (ltw_cfixed(fields[i].use)) t->flags |= LTW_C_FIXED;
    }
    l.most = round_up(round_up(l.most, 0), l.log_align);
    if (l.most / 8 > LTW_CSIZE_MAX) return "is too large";
    for (unsigned i = 0; i < n; i++) {          /* a unit that the record has room for */
        struct ltw_cfield *f = &fields[i];

        if (!f->bits || f->offset + f->use.type->size <= l.most / 8) continue;
        f->offset += f->shift / 8;
        f->shift %= 8;
    }
    wrong = make_members(L, s, t, fields, n);
    if (wrong) {
        for (*which = 0; fields[*which].name != wrong && *which < n - 1;) ++*which;
        t->members = NULL;
        return "is there twice";
    }
    t->fields = fields;
    t->count_fields = n;
    t->size = l.most / 8;
    t->depth = (unsigned short)depth;
    t->log_align = (unsigned char)l.log_align;
    t->flags &= (unsigned short)~LTW_C_INCOMPLETE;
    return NULL;
}

/* record.c - struct and union in C declarations.
 *
 * Layer lua.
 */
#include "parse.h"

#include <string.h>

struct ltw_citem *ltw_citem_push(struct ltw_cparser *p)
{
    struct ltw_ctypes *s = p->s;
    struct ltw_citem *item;

    if (s->count_items == s->cap_items) {
        size_t cap = s->cap_items ? s->cap_items * 2 : 32;
        struct ltw_citem *more;

        if (cap > INT32_MAX) ltw_cfail(p, "too many fields");
        more = ltw_ctypes_slot(p->L, s, &s->items, cap * sizeof *more);
        if (s->items) memcpy(more, s->items, s->count_items * sizeof *more);
        s->items = more;
        s->cap_items = cap;
    }
    item = &s->items[s->count_items++];
    memset(item, 0, sizeof *item);
    return item;
}

static void check_bits(struct ltw_cparser *p, const char *name, struct ltw_cuse use,
                       struct ltw_cvalue bits)
{
    const struct ltw_ctype *t = use.type;
    uint64_t most = t->kind == LTW_C_BOOL ? 1 : t->size * 8;

    if ((t->kind != LTW_C_INT && t->kind != LTW_C_BOOL && t->kind != LTW_C_ENUM) ||
        t->flags & LTW_C_INCOMPLETE || t->size > 8)
        ltw_cfail(p, "bits of '%s': an integer type of 64 bits at most expected",
                  ltw_ctype_text(p->L, use));
    if (bits.u > most)
        ltw_cfail(p, "'%s' has %d bits at most", ltw_ctype_text(p->L, use), (int)most);
    if (bits.u == 0 && name) ltw_cfail(p, "'%s' of 0 bits", name);
}

static void check_field(struct ltw_cparser *p, const char *name, struct ltw_cuse use,
                        bool last)
{
    const struct ltw_ctype *t = use.type;

    if (t->kind == LTW_C_FUNCTION) ltw_cfail(p, "field '%s' is a function", name);
    if (t->kind == LTW_C_ARRAY && t->flags & (LTW_C_INCOMPLETE | LTW_C_VLA)) {
        if (!last) ltw_cfail(p, "an array of unknown size is not the last field");
    } else if (t->flags & LTW_C_INCOMPLETE) {
        ltw_cfail(p, "field '%s' is of '%s', which is incomplete", name,
                  ltw_ctype_text(p->L, use));
    }
}

static void push_field(struct ltw_cparser *p, const struct ltw_cdeclarator *d, bool bits,
                       uint64_t n)
{
    struct ltw_citem *item = ltw_citem_push(p);

    item->field.name = d->name;
    item->field.use = d->use;
    item->field.bits = (unsigned char)n;
    item->bit_field = bits;
    item->packed = d->attributes.packed;
    item->aligned = d->attributes.aligned;
    item->log_align = d->attributes.log_align;
}

static void merge(struct ltw_cattributes *to, const struct ltw_cattributes *from)
{
    to->packed |= from->packed;
    to->aligned |= from->aligned;
    if (from->log_align > to->log_align) to->log_align = from->log_align;
}

static void field(struct ltw_cparser *p, const struct ltw_cspecifiers *s, bool is_union)
{
    struct ltw_cdeclarator d = { .use = s->use };
    struct ltw_cvalue bits;

    if (p->scan.kind != ':') {
        d = ltw_cdeclarator(p, s->use, false);
        if (!d.name) ltw_cexpected(p, "a name");
    }
    merge(&d.attributes, &s->attributes);
    if (ltw_ctake(p, ':')) {
        bits = ltw_cinteger(p);
        check_bits(p, d.name, d.use, bits);
        ltw_cattributes(p, &d.attributes);
        push_field(p, &d, true, bits.u);
    } else {
        bool last = is_union || p->scan.kind == ';';

        check_field(p, d.name, d.use, last);
        push_field(p, &d, false, 0);
    }
}

/* One declaration of a record's fields. */
static void fields(struct ltw_cparser *p, bool is_union)
{
    struct ltw_cspecifiers s;

    if (p->scan.kind == LTW_K_STATIC_ASSERT) {
        ltw_cassert(p);
        return;
    }
    if (ltw_ctake(p, ';')) return;
    s = ltw_cspecifiers(p);
    if (s.storage) ltw_cfail(p, "a field is not typedef, extern or static");
    if (p->scan.kind == ';' && s.is_tagged) {
        if (s.is_body && s.use.type->kind == LTW_C_RECORD && !s.use.type->name) {
            struct ltw_cdeclarator d = { .use = s.use, .attributes = s.attributes };

            push_field(p, &d, false, 0);
        }
    } else {
        do field(p, &s, is_union); while (ltw_ctake(p, ','));
    }
    ltw_cwant(p, ';');
}

static void body(struct ltw_cparser *p, bool is_union)
{
    bool in_params = p->in_params;
    size_t first = p->s->count_items;

    ltw_center(p);
    p->in_params = false;
    while (p->scan.kind != '}') {
        size_t n = p->s->count_items;

        if (!is_union && n > first) {
            const struct ltw_ctype *t = p->s->items[n - 1].field.use.type;

            if (t->kind == LTW_C_ARRAY && t->flags & (LTW_C_INCOMPLETE | LTW_C_VLA))
                ltw_cfail(p, "an array of unknown size is not the last field");
        }
        fields(p, is_union);
    }
    p->in_params = in_params;
    ltw_cleave(p);
}

/* Lays out t, which is new or was only named. */
static void complete(struct ltw_cparser *p, struct ltw_ctype *t, size_t first,
                     struct ltw_clayout how)
{
    unsigned which = 0, n = (unsigned)(p->s->count_items - first);
    const char *wrong, *name;

    ltw_ctype_completing(p->L, p->s, t);
    wrong = ltw_clayout(p->L, p->s, t, first, n, how, &which);
    if (!wrong) return;
    name = n ? p->s->items[first + which].field.name : NULL;
    ltw_cfail(p, "field '%s' %s", name ? name : "(unnamed)", wrong);
}

struct ltw_ctype *ltw_crecord(struct ltw_cparser *p, bool *has_body)
{
    bool is_union = p->scan.kind == LTW_K_UNION;
    unsigned flags = is_union ? LTW_C_UNION : 0;
    size_t first = p->s->count_items;
    struct ltw_cattributes a = {0};
    struct ltw_clayout how = {0};
    struct ltw_ctype *t, *old = NULL;
    const char *tag = NULL;

    ltw_cscan_next(p);
    ltw_cattributes(p, &a);
    if (p->scan.kind == LTW_T_NAME) {
        tag = p->scan.name;
        ltw_cscan_next(p);
    }
    if (p->scan.kind != '{') {
        if (!tag) ltw_cexpected(p, "'{'");
        return ltw_ctagged(p, tag, LTW_C_RECORD, flags);
    }
    t = ltw_ctagged(p, tag, LTW_C_RECORD, flags);
    if (!(t->flags & LTW_C_INCOMPLETE)) {       /* again: it has to be alike */
        old = t;
        t = ltw_ctype_new(p->L, p->s, LTW_C_RECORD, flags | LTW_C_INCOMPLETE, tag);
    }
    ltw_cscan_next(p);
    body(p, is_union);
    how.log_pack = p->scan.log_pack;            /* before a #pragma that follows */
    ltw_cscan_next(p);
    ltw_cattributes(p, &a);
    how.packed = a.packed;
    how.log_align = a.log_align;
    if (!(t->flags & LTW_C_INCOMPLETE)) ltw_cfail(p, "'struct %s' is in itself", tag);
    complete(p, t, first, how);
    p->s->count_items = first;
    *has_body = true;
    if (!old) return t;
    if (!ltw_ctype_alike(old, t, LTW_CDEPTH_MAX))
        ltw_cfail(p, "'%s' is declared otherwise already",
                  ltw_ctype_text(p->L, (struct ltw_cuse){ old, false }));
    return old;
}

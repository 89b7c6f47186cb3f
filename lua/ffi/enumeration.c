/* enumeration.c - enum in C declarations, and tags.
 *
 * Layer lua.
 */
#include "parse.h"

static const char *word_of(int kind, unsigned flags)
{
    return kind == LTW_C_ENUM ? "enum" : flags & LTW_C_UNION ? "union" : "struct";
}

struct ltw_ctype *ltw_ctagged(struct ltw_cparser *p, const char *tag, int kind,
                              unsigned flags)
{
    const struct ltw_cword *w = tag ? ltw_cword_find(p->s, tag, true) : NULL;
    struct ltw_cname n = { .name = tag };

    if (w) {
        struct ltw_ctype *t = w->name.use.type;

        if (t->kind != kind || (t->flags & LTW_C_UNION) != flags)
            ltw_cfail(p, "'%s %s' is '%s %s' already", word_of(kind, flags), tag,
                      word_of(t->kind, t->flags), tag);
        return t;
    }
    n.use.type = ltw_ctype_new(p->L, p->s, kind, flags | LTW_C_INCOMPLETE, tag);
    if (tag) ltw_cname_add(p->L, p->s, &n, true);
    return n.use.type;
}

/* The values so far, and what tells them from those of another enum. */
struct range { bool negative; int64_t least; uint64_t most; size_t sum; };

/* The constant, of which u is the value, or, if it is negative, i. */
static void add(struct ltw_cparser *p, const struct ltw_ctype *of, struct range *r,
                const char *name, bool negative, uint64_t u)
{
    enum ltw_cbasic b = LTW_B_INT;
    struct ltw_cname n = { .name = name, .kind = LTW_C_CONSTANT, .enumeration = of };

    if (negative) {
        if ((int64_t)u < INT32_MIN) b = LTW_B_LONG;
        if ((int64_t)u < r->least) r->least = (int64_t)u;
        r->negative = true;
    } else {
        if (u > INT64_MAX) b = LTW_B_ULONG;
        else if (u > INT32_MAX) b = u <= UINT32_MAX ? LTW_B_UINT : LTW_B_LONG;
        if (u > r->most) r->most = u;
    }
    r->sum = r->sum * 31 + ((uintptr_t)name ^ u);
    n.use.type = ltw_cbasic(p->s, b);
    n.value.u = u;
    ltw_cdeclare(p, &n);
}

/* The smallest type from `from` on that has all values. */
static enum ltw_cbasic fitting(struct ltw_cparser *p, const struct range *r, bool packed)
{
    static const enum ltw_cbasic all[] = { LTW_B_SCHAR, LTW_B_SHORT, LTW_B_INT,
                                           LTW_B_LONG };

    for (size_t i = packed ? 0 : 2; i < 4; i++) {
        unsigned bits = (unsigned)ltw_cbasic(p->s, all[i])->size * 8;

        if (!r->negative && r->most >> (bits - 1) <= 1) return all[i] + 1;
        if (r->negative && r->most >> (bits - 1) == 0 &&
            r->least >= INT64_MIN >> (64 - bits)) return all[i];
    }
    ltw_cfail(p, "no type has all these values");
}

static void body(struct ltw_cparser *p, const struct ltw_ctype *of, struct range *r)
{
    bool negative = false, first = true;
    uint64_t u = 0;

    while (p->scan.kind != '}') {
        const char *name = p->scan.name;
        struct ltw_cattributes ignored = {0};
        struct ltw_cscan at = p->scan;

        if (p->scan.kind != LTW_T_NAME) ltw_cexpected(p, "a name");
        ltw_cscan_next(p);
        ltw_cattributes(p, &ignored);
        if (ltw_ctake(p, '=')) {
            struct ltw_cvalue v = ltw_cinteger(p);

            u = v.u;
            negative = !(v.use.type->flags & LTW_C_UNSIGNED) && v.i < 0;
        } else if (!first) {
            if (++u == 0 && !negative) {
                p->scan = at;
                ltw_cfail(p, "'%s' is too large", name);
            }
            if (u == 0) negative = false;
        }
        first = false;
        add(p, of, r, name, negative, u);
        if (!ltw_ctake(p, ',')) break;
    }
    ltw_cwant(p, '}');
}

struct ltw_ctype *ltw_cenum(struct ltw_cparser *p, bool *has_body)
{
    struct ltw_cattributes a = {0};
    struct ltw_cuse as = {0};
    struct ltw_ctype *t, *old;
    struct range r = {0};
    struct ltw_cscan from;
    const char *tag = NULL;

    ltw_cscan_next(p);
    ltw_cattributes(p, &a);
    if (p->scan.kind == LTW_T_NAME) {
        tag = p->scan.name;
        ltw_cscan_next(p);
    }
    from = p->scan;
    if (ltw_ctake(p, ':') && !ltw_cstarts_type(p)) {
        p->scan = from;                 /* the width of a bit-field */
    } else if (from.kind == ':') {
        as = ltw_cspecifiers(p).use;
        if (as.type->kind != LTW_C_INT) ltw_cfail(p, "an integer type expected");
    }
    if (p->scan.kind != '{') {
        if (!tag) ltw_cexpected(p, "'{'");
        return ltw_ctagged(p, tag, LTW_C_ENUM, 0);
    }
    ltw_cscan_next(p);
    *has_body = true;
    old = ltw_ctagged(p, tag, LTW_C_ENUM, 0);
    body(p, old, &r);
    ltw_cattributes(p, &a);
    if (!as.type) as.type = ltw_cbasic(p->s, fitting(p, &r, a.packed));
    if (!(old->flags & LTW_C_INCOMPLETE)) {
        if (old->of != as.type || old->count != r.sum)
            ltw_cfail(p, "'enum %s' is declared otherwise already", tag);
        return old;
    }
    t = old;
    ltw_ctype_completing(p->L, p->s, t);
    t->of = as.type;
    t->count = r.sum;
    t->size = as.type->size;
    t->log_align = as.type->log_align;
    t->flags = (unsigned short)((t->flags & ~LTW_C_INCOMPLETE) |
                                (as.type->flags & LTW_C_UNSIGNED));
    return t;
}

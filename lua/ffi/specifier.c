/* specifier.c - the words that a C declaration begins with.
 *
 * Layer lua.
 */
#include "parse.h"

#include <string.h>

/* What has been said of a basic type, in any order. */
struct words {
    int base;                   /* 0, or the token of the word that the others describe */
    enum ltw_cbasic basic;      /* of LTW_K_BASIC */
    unsigned shorts, longs, is_signed, is_unsigned, is_complex;
};

bool ltw_cstarts_type(const struct ltw_cparser *p)
{
    const struct ltw_cname *n;

    if (p->scan.kind == LTW_T_TYPE) return true;
    if (p->scan.kind >= LTW_K_TYPEDEF && p->scan.kind <= LTW_K_ATTRIBUTE) return true;
    if (p->scan.kind != LTW_T_NAME) return false;
    n = ltw_cname_find(p->s, p->scan.name);
    return n ? n->kind == LTW_C_TYPEDEF : !strcmp(p->scan.name, "complex");
}

/* What <complex.h> defines, unless it is declared or has to be a name. */
static bool is_complex(const struct ltw_cparser *p, const struct words *w)
{
    bool is_first = !w->shorts && !w->longs && !w->is_signed && !w->is_unsigned;

    return !w->is_complex && (w->base ? w->base == LTW_K_BASIC : is_first)
        && p->scan.kind == LTW_T_NAME && !strcmp(p->scan.name, "complex")
        && !ltw_cname_find(p->s, p->scan.name);
}

/* const of an array is of its elements. */
static struct ltw_cuse constant(struct ltw_cparser *p, struct ltw_cuse use)
{
    const struct ltw_ctype *t = use.type;
    struct ltw_cuse of;

    if (t->kind == LTW_C_FUNCTION) return use;
    if (t->kind != LTW_C_ARRAY) return (struct ltw_cuse){ use.type, true };
    ltw_center(p);
    of = constant(p, (struct ltw_cuse){ t->of, t->of_constant });
    use.type = ltw_ctype_array(p->L, p->s, of, t->count, t->flags);
    ltw_cleave(p);
    return use;
}

static enum ltw_cbasic floating(const struct words *w, bool *well)
{
    enum ltw_cbasic b = w->basic;

    if (w->longs) {
        *well = *well && w->longs == 1 && b == LTW_B_DOUBLE;
        b = LTW_B_LDOUBLE;
    }
    if (w->is_complex) b += LTW_B_FLOAT_COMPLEX - LTW_B_FLOAT;
    return b;
}

/* The type that the words are. */
static enum ltw_cbasic resolve(struct ltw_cparser *p, const struct words *w)
{
    bool sign = w->is_signed || w->is_unsigned, size = w->shorts || w->longs;
    bool well = w->is_signed + w->is_unsigned < 2 && w->shorts < 2 && w->longs < 3 &&
                !(w->shorts && w->longs);
    bool is_floating = w->base == LTW_K_BASIC && w->basic >= LTW_B_FLOAT &&
                       w->basic <= LTW_B_LDOUBLE;
    enum ltw_cbasic b = LTW_B_INT;

    if (w->is_complex && !is_floating) {
        struct words as = *w;

        well = well && !w->base && !sign && !w->shorts;
        as.basic = LTW_B_DOUBLE;
        b = floating(&as, &well);
    } else if (is_floating) {
        well = well && !sign && !w->shorts;
        b = floating(w, &well);
    } else if (w->base == LTW_K_CHAR) {
        well = well && !size;
        b = w->is_unsigned ? LTW_B_UCHAR : w->is_signed ? LTW_B_SCHAR : LTW_B_CHAR;
    } else if (!w->base || w->base == LTW_K_INT) {
        b = w->shorts ? LTW_B_SHORT : w->longs == 2 ? LTW_B_LLONG :
            w->longs ? LTW_B_LONG : LTW_B_INT;
        if (w->is_unsigned) b++;
    } else if (w->base == LTW_K_BASIC && w->basic == LTW_B_INT128) {
        well = well && !size;
        b = w->is_unsigned ? LTW_B_UINT128 : LTW_B_INT128;
    } else {
        well = well && !size && !sign;
        b = w->base == LTW_K_VOID ? LTW_B_VOID : w->basic;
    }
    if (!well) ltw_cfail(p, "these words together are no type");
#if __LDBL_MANT_DIG__ == 113
    if (b == LTW_B_FLOAT128) b = LTW_B_LDOUBLE;
#endif
    return b;
}

/* typeof(type), or of an expression, which may be the name of something declared. */
static struct ltw_cuse type_of(struct ltw_cparser *p)
{
    struct ltw_cuse use;

    ltw_cwant(p, '(');
    if (ltw_cstarts_type(p)) {
        use = ltw_ctype_name(p);
    } else {
        p->unevaluated++;
        use = ltw_cexpression(p).use;
        p->unevaluated--;
    }
    ltw_cwant(p, ')');
    return use;
}

/* A word of a basic type. */
static bool take_word(struct ltw_cparser *p, struct words *w)
{
    int kind = is_complex(p, w) ? LTW_K_COMPLEX : p->scan.kind;

    switch (kind) {
    case LTW_K_SHORT: w->shorts++; break;
    case LTW_K_LONG: w->longs++; break;
    case LTW_K_SIGNED: w->is_signed++; break;
    case LTW_K_UNSIGNED: w->is_unsigned++; break;
    case LTW_K_COMPLEX: w->is_complex++; break;
    case LTW_K_VOID: case LTW_K_CHAR: case LTW_K_INT: case LTW_K_BASIC:
        if (w->base) ltw_cfail(p, "these words together are no type");
        w->base = kind;
        w->basic = p->scan.basic;
        break;
    default:
        return false;
    }
    ltw_cscan_next(p);
    return true;
}

/* What is a type by itself. */
static bool take_type(struct ltw_cparser *p, struct ltw_cspecifiers *s)
{
    const struct ltw_cname *n;

    switch (p->scan.kind) {
    case LTW_K_STRUCT: case LTW_K_UNION:
        s->is_tagged = true;
        s->use.type = ltw_crecord(p, &s->is_body);
        return true;
    case LTW_K_ENUM:
        s->is_tagged = true;
        s->use.type = ltw_cenum(p, &s->is_body);
        return true;
    case LTW_K_TYPEOF:
        ltw_cscan_next(p);
        s->use = type_of(p);
        return true;
    case LTW_T_TYPE:
        s->use = p->scan.param->value.use;
        ltw_cscan_next(p);
        return true;
    case LTW_T_NAME:
        n = ltw_cname_find(p->s, p->scan.name);
        if (!n || n->kind != LTW_C_TYPEDEF) return false;
        s->use = n->use;
        ltw_cscan_next(p);
        return true;
    default:
        return false;
    }
}

static void store(struct ltw_cparser *p, struct ltw_cspecifiers *s, enum ltw_cstorage as)
{
    if (s->storage) ltw_cfail(p, "one of typedef, extern and static only");
    s->storage = as;
    ltw_cscan_next(p);
}

struct ltw_cspecifiers ltw_cspecifiers(struct ltw_cparser *p)
{
    struct ltw_cspecifiers s = {0};
    struct words w = {0};
    bool is_constant = false, said = false;

    for (;;) {
        int kind = p->scan.kind;

        if (kind == LTW_K_TYPEDEF) store(p, &s, LTW_S_TYPEDEF);
        else if (kind == LTW_K_EXTERN) store(p, &s, LTW_S_EXTERN);
        else if (kind == LTW_K_STATIC) store(p, &s, LTW_S_STATIC);
        else if (ltw_ctake(p, LTW_K_CONST)) is_constant = true;
        else if (ltw_ctake(p, LTW_K_INLINE) || ltw_ctake(p, LTW_K_SPECIFIER)
                 || ltw_ctake(p, LTW_K_QUALIFIER)) continue;
        else if (kind == LTW_K_ATTRIBUTE || kind == LTW_K_ALIGNAS)
            ltw_cattributes(p, &s.attributes);
        else if (ltw_ctake(p, LTW_K_ATOMIC)) {
            if (p->scan.kind != '(') continue;
            if (said || s.use.type) ltw_cfail(p, "these words together are no type");
            ltw_cscan_next(p);
            s.use = ltw_ctype_name(p);
            ltw_cwant(p, ')');
        } else if (!s.use.type && take_word(p, &w)) said = true;
        else if (said || s.use.type || !take_type(p, &s)) break;
    }
    if (said) {
        s.use.type = ltw_cbasic(p->s, resolve(p, &w));
    } else if (!s.use.type) {
        if (p->scan.kind == LTW_T_NAME) ltw_cfail(p, "'%s' is not a type", p->scan.name);
        ltw_cexpected(p, "a type");
    }
    s.use = ltw_cattributes_apply(p, &s.attributes, s.use);
    if (is_constant) s.use = constant(p, s.use);
    return s;
}

/* declarator.c - the pointers, arrays and functions around a name in C.
 *
 * Why: a declarator is read from the outside in and means from the inside out, so its
 * parts are put down as they are met behind the name, and made into types backwards.
 *
 * Layer lua.
 */
#include "parse.h"

static struct ltw_cpart *push(struct ltw_cparser *p, int kind)
{
    struct ltw_ctypes *s = p->s;
    struct ltw_cpart *part;

    if (!s->parts)
        s->parts = ltw_ctypes_alloc(p->L, s, LTW_CPARTS_MAX * sizeof *s->parts);
    if (s->count_parts == LTW_CPARTS_MAX) ltw_cfail(p, "nested too deeply");
    part = &s->parts[s->count_parts++];
    *part = (struct ltw_cpart){ .kind = (unsigned char)kind };
    return part;
}

/* What a parameter is passed as.  va_list is an array on x86-64, and on aarch64 a struct
 * that is so large that its address is passed. */
static struct ltw_cuse decay(struct ltw_cparser *p, struct ltw_cuse use)
{
    struct ltw_ctype *t = use.type;

    if (t->kind == LTW_C_ARRAY)
        t = ltw_ctype_pointer(p->L, p->s, (struct ltw_cuse){ t->of, t->of_constant });
    else if (t->kind == LTW_C_FUNCTION || t->kind == LTW_C_VA_LIST)
        t = ltw_ctype_pointer(p->L, p->s, (struct ltw_cuse){ t, false });
    return (struct ltw_cuse){ t, false };
}

/* Behind the opening bracket, to behind the closing one. */
static void parameters(struct ltw_cparser *p)
{
    size_t first = p->s->count_items, n;
    bool in_params = p->in_params, variadic = false;
    struct ltw_cpart *part;

    p->in_params = true;
    while (p->scan.kind != ')') {
        struct ltw_cspecifiers s;
        struct ltw_cdeclarator d;

        if (ltw_ctake(p, LTW_T_ELLIPSIS)) {
            variadic = true;
            break;
        }
        s = ltw_cspecifiers(p);
        if (s.storage) ltw_cfail(p, "a parameter is not typedef, extern or static");
        d = ltw_cdeclarator(p, s.use, true);
        if (d.use.type->kind == LTW_C_VOID) {
            if (p->scan.kind == ')' && p->s->count_items == first) break;
            ltw_cfail(p, "a parameter of void");
        }
        d.use = decay(p, d.use);
        ltw_citem_push(p)->field.use = d.use;
        if (!ltw_ctake(p, ',')) break;
        if (p->scan.kind == ')') ltw_cexpected(p, "a type");
    }
    ltw_cwant(p, ')');
    p->in_params = in_params;
    n = p->s->count_items - first;
    part = push(p, LTW_C_FUNCTION);
    part->flags = variadic ? LTW_C_VARIADIC : 0;
    part->count_fields = (unsigned)n;
    part->count = first;
}

/* Behind the opening bracket, to behind the closing one. */
static void dimension(struct ltw_cparser *p)
{
    unsigned flags = 0;
    struct ltw_cvalue v = { .u = 0 };

    while (ltw_ctake(p, LTW_K_STATIC) || ltw_ctake(p, LTW_K_CONST) ||
           ltw_ctake(p, LTW_K_QUALIFIER)) continue;
    if (p->scan.kind == ']') {
        flags = LTW_C_INCOMPLETE;
    } else if (ltw_ctake(p, '?')) {
        flags = LTW_C_VLA;
    } else if (!p->in_params) {
        v = ltw_cinteger(p);
        if (!(v.use.type->flags & LTW_C_UNSIGNED) && v.i < 0)
            ltw_cfail(p, "an array of less than no elements");
    } else if (!ltw_ctry_constant(p, &v, ']', ']')) {
        int depth = 0;                          /* as long as another parameter says */

        flags = LTW_C_INCOMPLETE;
        for (; depth || p->scan.kind != ']'; ltw_cscan_next(p)) {
            depth += (p->scan.kind == '[') - (p->scan.kind == ']');
            if (p->scan.kind == LTW_T_END) ltw_cexpected(p, "']'");
        }
        v.u = 0;
    }
    ltw_cwant(p, ']');
    if (v.u > LTW_CSIZE_MAX) ltw_cfail(p, "array is too large");
    *push(p, LTW_C_ARRAY) = (struct ltw_cpart){ .kind = LTW_C_ARRAY, .count = v.u,
                                                .flags = (unsigned short)flags };
}

static void read_parts(struct ltw_cparser *p, struct ltw_cdeclarator *d, bool abstract);

/* abstract: the name may be missing, and brackets be those of a function. */
static void read_direct(struct ltw_cparser *p, struct ltw_cdeclarator *d, bool abstract)
{
    ltw_cattributes(p, &d->attributes);
    if (p->scan.kind == LTW_T_NAME) {
        d->name = p->scan.name;
        ltw_cscan_next(p);
    } else if (ltw_ctake(p, '(')) {
        ltw_cattributes(p, &d->attributes);
        if (abstract && (p->scan.kind == ')' || p->scan.kind == LTW_T_ELLIPSIS ||
                         ltw_cstarts_type(p))) {
            parameters(p);
        } else {
            read_parts(p, d, abstract);
            ltw_cwant(p, ')');
        }
    }
    for (;;)
        if (ltw_ctake(p, '[')) dimension(p);
        else if (ltw_ctake(p, '(')) parameters(p);
        else break;
}

static void read_parts(struct ltw_cparser *p, struct ltw_cdeclarator *d, bool abstract)
{
    bool is_constant = false;

    ltw_center(p);
    if (ltw_ctake(p, '*')) {
        for (;;)
            if (ltw_ctake(p, LTW_K_CONST)) is_constant = true;
            else if (p->scan.kind == LTW_K_ATTRIBUTE) ltw_cattributes(p, &d->attributes);
            else if (!ltw_ctake(p, LTW_K_QUALIFIER) && !ltw_ctake(p, LTW_K_ATOMIC)) break;
        read_parts(p, d, abstract);
        push(p, LTW_C_POINTER)->constant = is_constant;
    } else if (p->scan.kind == '&') {
        ltw_cexpected(p, "a name");
    } else {
        read_direct(p, d, abstract);
    }
    ltw_cleave(p);
}

/* Types. */

static struct ltw_ctype *array_of(struct ltw_cparser *p, struct ltw_cuse of,
                                  const struct ltw_cpart *part)
{
    const struct ltw_ctype *t = of.type;

    if (t->kind == LTW_C_FUNCTION || t->flags & LTW_C_INCOMPLETE ||
        (t->kind == LTW_C_ARRAY && t->flags & LTW_C_VLA)) {
        if (!p->in_params || t->kind != LTW_C_ARRAY)
            ltw_cfail(p, "an array of '%s'", ltw_ctype_text(p->L, of));
    }
    if (t->size & (((size_t)1 << t->log_align) - 1))
        ltw_cfail(p, "an array of '%s', which is aligned to more than its size",
                  ltw_ctype_text(p->L, of));
    if (t->size && part->count > LTW_CSIZE_MAX / t->size)
        ltw_cfail(p, "array is too large");
    return ltw_ctype_array(p->L, p->s, of, part->count, part->flags);
}

static struct ltw_ctype *function_of(struct ltw_cparser *p, struct ltw_cuse result,
                                     const struct ltw_cpart *part)
{
    enum { FEW = 8 };
    struct ltw_cfield few[FEW], *fields = few;
    unsigned n = part->count_fields, flags = part->flags;
    struct ltw_ctype *t;

    if (result.type->kind == LTW_C_ARRAY || result.type->kind == LTW_C_FUNCTION)
        ltw_cfail(p, "a function cannot return '%s'", ltw_ctype_text(p->L, result));
    if (n > FEW) fields = lua_newuserdatauv(p->L, n * sizeof *fields, 0);
    for (unsigned i = 0; i < n; i++) fields[i] = p->s->items[part->count + i].field;
    t = ltw_ctype_function(p->L, p->s, result, flags, fields, n);
    if (n > FEW) lua_pop(p->L, 1);
    return t;
}

struct ltw_cdeclarator ltw_cdeclarator(struct ltw_cparser *p, struct ltw_cuse base,
                                       bool abstract)
{
    unsigned first = p->s->count_parts;
    size_t first_item = p->s->count_items;
    struct ltw_cdeclarator d = {0};
    struct ltw_cuse use = base;

    read_parts(p, &d, abstract);
    while (p->s->count_parts > first) {
        struct ltw_cpart part = p->s->parts[--p->s->count_parts];

        if (part.kind == LTW_C_POINTER)
            use.type = ltw_ctype_pointer(p->L, p->s, use);
        else if (part.kind == LTW_C_ARRAY)
            use.type = array_of(p, use, &part);
        else
            use.type = function_of(p, use, &part);
        use.constant = part.constant;
    }
    p->s->count_items = first_item;
    ltw_cattributes(p, &d.attributes);
    d.use = ltw_cattributes_apply(p, &d.attributes, use);
    return d;
}

struct ltw_cuse ltw_ctype_name(struct ltw_cparser *p)
{
    struct ltw_cspecifiers s;
    struct ltw_cdeclarator d;

    ltw_center(p);
    s = ltw_cspecifiers(p);
    if (s.storage) ltw_cfail(p, "a type is not typedef, extern or static");
    d = ltw_cdeclarator(p, s.use, true);
    if (d.name) ltw_cfail(p, "a type without a name expected, not '%s'", d.name);
    ltw_cleave(p);
    return d.use;
}

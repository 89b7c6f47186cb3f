/* expression.c - C's constant expressions.
 *
 * Integers are calculated in 64 bits and cut to their type after each step, all floating
 * types as double.  What is only a type, as sizeof's operand may be, is a value that is
 * not known.
 *
 * Layer lua.
 */
#include "parse.h"

#include <math.h>

#include "cdata.h"

static struct ltw_cvalue unknown(struct ltw_cuse use)
{
    return (struct ltw_cvalue){ .use = use };
}

static struct ltw_cvalue of_basic(const struct ltw_cparser *p, enum ltw_cbasic b,
                                  int64_t i)
{
    return (struct ltw_cvalue){ .use = { ltw_cbasic(p->s, b), false }, .i = i,
                                .known = true };
}

static struct ltw_cvalue of_size(const struct ltw_cparser *p, size_t n)
{
    return of_basic(p, LTW_B_ULONG, (int64_t)n);
}

static bool is_true(const struct ltw_cvalue *v)
{
    return v->use.type->kind == LTW_C_FLOAT ? v->d != 0 : v->u != 0;
}

/* Cuts an integer to its type. */
static int64_t cut(const struct ltw_ctype *t, uint64_t u)
{
    unsigned away = t->size < 8 ? 64 - (unsigned)t->size * 8 : 0;

    if (t->kind == LTW_C_BOOL) return u != 0;
    if (t->flags & LTW_C_UNSIGNED || t->kind == LTW_C_POINTER)
        return (int64_t)(u << away >> away);
    return (int64_t)(u << away) >> away;
}

static uint64_t whole(double d)
{
    if (!(d > -0x1p63 && d < 0x1p64)) return 0;
    return d < 0 ? (uint64_t)(int64_t)d : (uint64_t)d;
}

struct ltw_cvalue ltw_cconvert(struct ltw_cparser *p, struct ltw_cvalue v,
                               struct ltw_cuse to)
{
    const struct ltw_ctype *from = v.use.type, *t = to.type;
    bool was_unsigned = from->kind == LTW_C_POINTER || from->flags & LTW_C_UNSIGNED;

    v.use = to;
    if (!v.known || t->kind == LTW_C_VOID) {
        v.known = false;
    } else if (t->kind == LTW_C_FLOAT) {
        if (!ltw_c_is_number(from)) ltw_cfail(p, "no number can be made of that");
        if (from->kind != LTW_C_FLOAT) v.d = was_unsigned ? (double)v.u : (double)v.i;
        if (t->size == sizeof(float)) v.d = (float)v.d;
    } else if (ltw_c_is_integer(t) || t->kind == LTW_C_POINTER) {
        if (t->size > 8 || t->flags & LTW_C_INCOMPLETE) v.known = false;
        else if (t->kind == LTW_C_BOOL && from->kind == LTW_C_FLOAT) v.i = v.d != 0;
        else v.i = cut(t, from->kind == LTW_C_FLOAT ? whole(v.d) : v.u);
    } else {
        v.known = false;
    }
    return v;
}

/* The integer type that C calculates in; of an enum without a body none is known. */
static enum ltw_cbasic promoted(const struct ltw_cparser *p, const struct ltw_ctype *t)
{
    if (t->kind == LTW_C_ENUM && t->of) t = t->of;
    if (t->plain) t = t->plain;
    if (t->size < sizeof(int)) return LTW_B_INT;
    for (int b = LTW_B_INT; b <= LTW_B_UINT128; b++)
        if (t == ltw_cbasic(p->s, (enum ltw_cbasic)b)) return (enum ltw_cbasic)b;
    return LTW_B_INT;
}

static enum ltw_cbasic common(const struct ltw_cparser *p, const struct ltw_ctype *a,
                              const struct ltw_ctype *b)
{
    enum ltw_cbasic m, n;

    if (a->kind == LTW_C_FLOAT || b->kind == LTW_C_FLOAT) return LTW_B_DOUBLE;
    m = promoted(p, a);
    n = promoted(p, b);
    if ((m == LTW_B_ULONG && n == LTW_B_LLONG) || (n == LTW_B_ULONG && m == LTW_B_LLONG))
        return LTW_B_ULLONG;
    return m > n ? m : n;
}

/* Operators of two operands. */

static int binds(int op)
{
    switch (op) {
    case LTW_T_OR: return 1;
    case LTW_T_AND: return 2;
    case '|': return 3;
    case '^': return 4;
    case '&': return 5;
    case LTW_T_EQ: case LTW_T_NE: return 6;
    case '<': case '>': case LTW_T_LE: case LTW_T_GE: return 7;
    case LTW_T_SHL: case LTW_T_SHR: return 8;
    case '+': case '-': return 9;
    case '*': case '/': case '%': return 10;
    default: return 0;
    }
}

static bool compare(int op, int order)
{
    switch (op) {
    case LTW_T_EQ: return order == 0;
    case LTW_T_NE: return order != 0;
    case '<': return order == -1;
    case '>': return order == 1;
    case LTW_T_LE: return order == -1 || order == 0;
    default: return order == 1 || order == 0;
    }
}

static struct ltw_cvalue calculate_floating(struct ltw_cparser *p, int op, double a,
                                            double b)
{
    struct ltw_cvalue v = of_basic(p, LTW_B_DOUBLE, 0);

    switch (op) {
    case '+': v.d = a + b; return v;
    case '-': v.d = a - b; return v;
    case '*': v.d = a * b; return v;
    case '/': v.d = a / b; return v;
    case LTW_T_EQ: case LTW_T_NE: case '<': case '>': case LTW_T_LE: case LTW_T_GE:
        return of_basic(p, LTW_B_INT,
                        compare(op, a < b ? -1 : a > b ? 1 : a == b ? 0 : 2));
    default:
        ltw_cfail(p, "an integer expected as operand");
    }
}

static int64_t shift(struct ltw_cparser *p, int op, const struct ltw_cvalue *a,
                     uint64_t by)
{
    unsigned bits = (unsigned)a->use.type->size * 8;

    if (by >= bits) {
        if (!p->unevaluated) ltw_cfail(p, "shift by more bits than the type has");
        return 0;
    }
    if (op == LTW_T_SHL) return (int64_t)(a->u << by);
    return a->use.type->flags & LTW_C_UNSIGNED ? (int64_t)(a->u >> by) : a->i >> by;
}

static int64_t divide(struct ltw_cparser *p, int op, const struct ltw_cvalue *a,
                      const struct ltw_cvalue *b)
{
    if (b->u == 0) {
        if (!p->unevaluated) ltw_cfail(p, "division by zero");
        return 0;
    }
    if (a->use.type->flags & LTW_C_UNSIGNED)
        return (int64_t)(op == '/' ? a->u / b->u : a->u % b->u);
    if (b->i == -1) return op == '/' ? (int64_t)-a->u : 0;
    return op == '/' ? a->i / b->i : a->i % b->i;
}

static struct ltw_cvalue calculate(struct ltw_cparser *p, int op, struct ltw_cvalue a,
                                   struct ltw_cvalue b)
{
    struct ltw_cvalue v = a;

    v.u = 0;
    switch (op) {
    case '+': v.u = a.u + b.u; break;
    case '-': v.u = a.u - b.u; break;
    case '*': v.u = a.u * b.u; break;
    case '/': case '%': v.i = divide(p, op, &a, &b); break;
    case '&': v.u = a.u & b.u; break;
    case '|': v.u = a.u | b.u; break;
    case '^': v.u = a.u ^ b.u; break;
    default:
        if (a.use.type->flags & LTW_C_UNSIGNED)
            return of_basic(p, LTW_B_INT,
                            compare(op, a.u < b.u ? -1 : a.u > b.u));
        return of_basic(p, LTW_B_INT, compare(op, a.i < b.i ? -1 : a.i > b.i));
    }
    v.i = cut(v.use.type, v.u);
    return v;
}

static struct ltw_cvalue combine(struct ltw_cparser *p, int op, struct ltw_cvalue a,
                                 struct ltw_cvalue b)
{
    struct ltw_cuse in;
    struct ltw_cvalue v;

    if (op == LTW_T_AND || op == LTW_T_OR) {
        v = of_basic(p, LTW_B_INT, op == LTW_T_AND ? is_true(&a) && is_true(&b)
                                                   : is_true(&a) || is_true(&b));
        v.known = a.known && (b.known || is_true(&a) == (op == LTW_T_OR));
        return v;
    }
    if (!ltw_c_is_number(a.use.type) || !ltw_c_is_number(b.use.type))
        ltw_cfail(p, "a number expected as operand");
    in = (struct ltw_cuse){ ltw_cbasic(p->s, common(p, a.use.type, b.use.type)), false };
    if (op == LTW_T_SHL || op == LTW_T_SHR) {
        if (in.type->kind == LTW_C_FLOAT) ltw_cfail(p, "an integer expected as operand");
        in.type = ltw_cbasic(p->s, promoted(p, a.use.type));
        v = a = ltw_cconvert(p, a, in);
        v.known = a.known && b.known;
        if (v.known) v.i = cut(in.type, (uint64_t)shift(p, op, &a, b.u));
        return v;
    }
    a = ltw_cconvert(p, a, in);
    b = ltw_cconvert(p, b, in);
    if (!a.known || !b.known)
        return unknown(binds(op) == 6 || binds(op) == 7
                       ? (struct ltw_cuse){ ltw_cbasic(p->s, LTW_B_INT), false } : in);
    return in.type->kind == LTW_C_FLOAT ? calculate_floating(p, op, a.d, b.d)
                                        : calculate(p, op, a, b);
}

/* Operands. */

static struct ltw_cvalue unary(struct ltw_cparser *p);

static size_t size_of(struct ltw_cparser *p, struct ltw_cuse use)
{
    if (use.type->kind == LTW_C_VOID || use.type->kind == LTW_C_FUNCTION) return 1;
    if (use.type->flags & LTW_C_INCOMPLETE ||
        (use.type->kind == LTW_C_ARRAY && use.type->flags & LTW_C_VLA))
        ltw_cfail(p, "the size of '%s' is not known", ltw_ctype_text(p->L, use));
    return use.type->size;
}

/* sizeof, _Alignof: of a type in brackets, or of an expression. */
static struct ltw_cvalue measure(struct ltw_cparser *p, bool size)
{
    struct ltw_cuse use;
    struct ltw_cscan from;

    ltw_cscan_next(p);
    from = p->scan;
    if (ltw_ctake(p, '(') && ltw_cstarts_type(p)) {
        use = ltw_ctype_name(p);
        ltw_cwant(p, ')');
    } else {
        p->scan = from;
        p->unevaluated++;
        use = unary(p).use;
        p->unevaluated--;
    }
    if (size) return of_size(p, size_of(p, use));
    return of_size(p, (size_t)1 << use.type->log_align);
}

/* The field that the name is, behind . or -> or in offsetof. */
static const struct ltw_cmember *member(struct ltw_cparser *p, const struct ltw_ctype *t)
{
    const struct ltw_cmember *m;

    if (p->scan.kind != LTW_T_NAME) ltw_cexpected(p, "a name");
    if (t->kind != LTW_C_RECORD) ltw_cfail(p, "a struct or union expected");
    m = ltw_cmember_find(t, ltw_ckey_named(p->L, p->scan.name));
    if (!m) ltw_cfail(p, "there is no field '%s'", p->scan.name);
    ltw_cscan_next(p);
    return m;
}

/* offsetof(type, a.b[3].c) */
static struct ltw_cvalue offset(struct ltw_cparser *p)
{
    const struct ltw_cmember *m;
    struct ltw_cuse use;
    size_t at;

    ltw_cscan_next(p);
    ltw_cwant(p, '(');
    use = ltw_ctype_name(p);
    ltw_cwant(p, ',');
    m = member(p, use.type);
    for (at = m->offset;;) {
        use = m->field->use;
        while (ltw_ctake(p, '[')) {
            struct ltw_cvalue i = ltw_cinteger(p);

            if (use.type->kind != LTW_C_ARRAY) ltw_cfail(p, "an array expected");
            use.type = use.type->of;
            if (use.type->size && i.u > (LTW_CSIZE_MAX - at) / use.type->size)
                ltw_cfail(p, "too far");
            at += i.u * use.type->size;
            ltw_cwant(p, ']');
        }
        if (!ltw_ctake(p, '.')) break;
        m = member(p, use.type);
        if (m->offset > LTW_CSIZE_MAX - at) ltw_cfail(p, "too far");
        at += m->offset;
    }
    ltw_cwant(p, ')');
    return of_size(p, at);
}

static struct ltw_cvalue named(struct ltw_cparser *p)
{
    const struct ltw_cname *n = ltw_cname_find(p->s, p->scan.name);
    struct ltw_cvalue v;

    if (!n) ltw_cfail(p, "'%s' is not declared", p->scan.name);
    if (n->kind == LTW_C_TYPEDEF) ltw_cexpected(p, "an expression");
    v = unknown(n->use);
    if (n->kind == LTW_C_CONSTANT) {
        v.u = n->value.u;
        v.known = true;
    }
    ltw_cscan_next(p);
    return v;
}

static struct ltw_cvalue string(struct ltw_cparser *p)
{
    struct ltw_cuse of = { ltw_cbasic(p->s, LTW_B_CHAR), true };
    size_t n = 1;

    for (; p->scan.kind == LTW_T_STRING; ltw_cscan_next(p)) n += p->scan.n - 2;
    return unknown((struct ltw_cuse){ ltw_ctype_array(p->L, p->s, of, n, 0), false });
}

static struct ltw_cvalue pointed(struct ltw_cparser *p, struct ltw_cuse use)
{
    if (use.type->kind != LTW_C_POINTER && use.type->kind != LTW_C_ARRAY)
        ltw_cfail(p, "a pointer expected");
    return unknown((struct ltw_cuse){ use.type->of, use.type->of_constant });
}

static struct ltw_cvalue postfix(struct ltw_cparser *p, struct ltw_cvalue v)
{
    for (;;) {
        if (ltw_ctake(p, '[')) {
            ltw_cexpression(p);
            ltw_cwant(p, ']');
            v = pointed(p, v.use);
        } else if (p->scan.kind == '.' || p->scan.kind == LTW_T_ARROW) {
            if (p->scan.kind == LTW_T_ARROW) v = pointed(p, v.use);
            ltw_cscan_next(p);
            v = unknown(member(p, v.use.type)->field->use);
        } else {
            return v;
        }
    }
}

static struct ltw_cvalue primary(struct ltw_cparser *p)
{
    struct ltw_cvalue v;

    switch (p->scan.kind) {
    case LTW_T_NUMBER: case LTW_T_CHAR: case LTW_T_VALUE:
        return ltw_cliteral(p);
    case LTW_T_STRING:
        return postfix(p, string(p));
    case LTW_T_NAME:
        return postfix(p, named(p));
    case LTW_K_OFFSETOF:
        return offset(p);
    case '(':
        ltw_cscan_next(p);
        if (ltw_cstarts_type(p)) {
            struct ltw_cuse to = ltw_ctype_name(p);

            ltw_cwant(p, ')');
            return ltw_cconvert(p, unary(p), to);
        }
        v = ltw_cexpression(p);
        ltw_cwant(p, ')');
        return postfix(p, v);
    default:
        ltw_cexpected(p, "an expression");
    }
}

static struct ltw_cvalue negate(struct ltw_cparser *p, int op, struct ltw_cvalue v)
{
    struct ltw_cuse in = v.use;

    if (!ltw_c_is_number(v.use.type)) ltw_cfail(p, "a number expected as operand");
    if (v.use.type->kind != LTW_C_FLOAT) {
        in.type = ltw_cbasic(p->s, promoted(p, v.use.type));
        v = ltw_cconvert(p, v, in);
        v.i = cut(in.type, op == '-' ? -v.u : op == '~' ? ~v.u : v.u);
    } else if (op == '~') {
        ltw_cfail(p, "an integer expected as operand");
    } else if (op == '-') {
        v.d = -v.d;
    }
    return v;
}

static struct ltw_cvalue unary(struct ltw_cparser *p)
{
    int op = p->scan.kind;
    struct ltw_cvalue v;

    ltw_center(p);
    switch (op) {
    case '-': case '+': case '~':
        ltw_cscan_next(p);
        v = negate(p, op, unary(p));
        break;
    case '!':
        ltw_cscan_next(p);
        v = unary(p);
        v.i = !is_true(&v);
        v.use = (struct ltw_cuse){ ltw_cbasic(p->s, LTW_B_INT), false };
        break;
    case '*':
        ltw_cscan_next(p);
        v = pointed(p, unary(p).use);
        break;
    case '&':
        ltw_cscan_next(p);
        v = unary(p);
        v = unknown((struct ltw_cuse){ ltw_ctype_pointer(p->L, p->s, v.use), false });
        break;
    case LTW_K_SPECIFIER:               /* __extension__ */
        ltw_cscan_next(p);
        v = unary(p);
        break;
    case LTW_K_SIZEOF: case LTW_K_ALIGNOF:
        v = measure(p, op == LTW_K_SIZEOF);
        break;
    default:
        v = primary(p);
    }
    ltw_cleave(p);
    return v;
}

/* What binds at least so, from an operand on. */
static struct ltw_cvalue binary(struct ltw_cparser *p, struct ltw_cvalue a, int least)
{
    int op, next;

    while ((op = p->scan.kind), binds(op) >= least) {
        bool skip = op == LTW_T_AND ? !is_true(&a) : op == LTW_T_OR && is_true(&a);
        struct ltw_cvalue b;

        ltw_cscan_next(p);
        p->unevaluated += skip;
        b = unary(p);
        while ((next = p->scan.kind), binds(next) > binds(op))
            b = binary(p, b, binds(op) + 1);
        p->unevaluated -= skip;
        a = combine(p, op, a, b);
    }
    return a;
}

struct ltw_cvalue ltw_cexpression(struct ltw_cparser *p)
{
    struct ltw_cvalue a, b, c;
    bool yes;

    ltw_center(p);
    a = binary(p, unary(p), 1);
    if (ltw_ctake(p, '?')) {
        yes = is_true(&a);
        p->unevaluated += !yes;
        b = ltw_cexpression(p);
        p->unevaluated -= !yes;
        ltw_cwant(p, ':');
        p->unevaluated += yes;
        c = ltw_cexpression(p);
        p->unevaluated -= yes;
        if (ltw_c_is_number(b.use.type) && ltw_c_is_number(c.use.type)) {
            struct ltw_cuse in = { ltw_cbasic(p->s, common(p, b.use.type, c.use.type)),
                                   false };

            b = ltw_cconvert(p, b, in);
            c = ltw_cconvert(p, c, in);
        }
        b.known = b.known && a.known;
        c.known = c.known && a.known;
        a = yes ? b : c;
    }
    ltw_cleave(p);
    return a;
}

struct ltw_cvalue ltw_cconstant(struct ltw_cparser *p)
{
    struct ltw_cscan from = p->scan;
    struct ltw_cvalue v = ltw_cexpression(p);

    if (!v.known) {
        p->scan = from;
        ltw_cexpected(p, "a constant expression");
    }
    return v;
}

struct ltw_cvalue ltw_cinteger(struct ltw_cparser *p)
{
    struct ltw_cscan from = p->scan;
    struct ltw_cvalue v = ltw_cconstant(p);

    if (!ltw_c_is_integer(v.use.type)) {
        p->scan = from;
        ltw_cexpected(p, "an integer");
    }
    return v;
}

static int evaluate(lua_State *L)
{
    struct ltw_cparser *p = lua_touserdata(L, 1);
    struct ltw_cvalue *v = lua_touserdata(L, 2);

    *v = ltw_cconstant(p);
    return 0;
}

bool ltw_ctry_constant(struct ltw_cparser *p, struct ltw_cvalue *v, int end, int or_end)
{
    struct ltw_cparser before = *p;
    size_t items = p->s->count_items;
    unsigned parts = p->s->count_parts;
    int status;

    lua_pushcfunction(p->L, evaluate);
    lua_pushlightuserdata(p->L, p);
    lua_pushlightuserdata(p->L, v);
    status = lua_pcall(p->L, 2, 0, 0);
    if (status != LUA_OK && status != LUA_ERRRUN) lua_error(p->L);
    if (status == LUA_OK && (p->scan.kind == end || p->scan.kind == or_end)) return true;
    if (status != LUA_OK) lua_pop(p->L, 1);
    *p = before;
    p->s->count_items = items;
    p->s->count_parts = parts;
    return false;
}

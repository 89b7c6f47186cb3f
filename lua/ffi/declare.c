/* declare.c - C declarations: what text declares, all of it or nothing.
 *
 * Why: finalizers may run wherever memory is asked for, and declare things of their own,
 * which an error here must not undo.  So the collector stands still in a cdef; elsewhere,
 * where hardly anything is declared, nothing is undone when that has happened.
 *
 * Layer lua.
 */
#include "declare.h"
#include "cdata.h"
#include "parse.h"

#include <string.h>

enum { ITEMS_KEPT = 256 };

const char *ltw_ctype_text(lua_State *L, struct ltw_cuse use)
{
    ltw_ctype_push_name(L, use);
    return lua_tostring(L, -1);
}

/* Declared names. */

/* May b be declared as a is? */
static bool compatible(const struct ltw_cname *a, const struct ltw_cname *b)
{
    const struct ltw_ctype *t = a->use.type, *u = b->use.type;

    if (a->kind != b->kind) return false;
    if (a->kind == LTW_C_CONSTANT)
        return a->value.u == b->value.u &&
               (t->kind == LTW_C_FLOAT) == (u->kind == LTW_C_FLOAT);
    if (a->use.constant != b->use.constant) return false;
    if (ltw_ctype_alike(t, u, LTW_CDEPTH_MAX)) return true;
    return t->kind == LTW_C_ARRAY && u->kind == LTW_C_ARRAY && t->of == u->of &&
           t->of_constant == u->of_constant && (t->flags | u->flags) & LTW_C_INCOMPLETE;
}

/* [-0, +1, m] */
static const char *describe(lua_State *L, const struct ltw_cname *n)
{
    if (n->kind == LTW_C_CONSTANT) {
        if (n->use.type->kind == LTW_C_FLOAT)
            lua_pushfstring(L, "%f", (LUAI_UACNUMBER)n->value.d);
        else if (n->use.type->flags & LTW_C_UNSIGNED && n->value.i < 0)
            lua_pushfstring(L, "%p", (void *)(uintptr_t)n->value.u);
        else
            lua_pushfstring(L, "%I", (LUAI_UACINT)n->value.i);
        return lua_tostring(L, -1);
    }
    ltw_ctype_push_name(L, n->use);
    lua_pushfstring(L, n->kind == LTW_C_TYPEDEF ? "typedef '%s'" : "'%s'",
                    lua_tostring(L, -1));
    return lua_tostring(L, -1);
}

void ltw_cname_set(const struct ltw_cparser *p, struct ltw_cname *n, struct ltw_cvalue v)
{
    n->kind = LTW_C_CONSTANT;
    n->use = (struct ltw_cuse){ v.use.type, false };
    n->value.u = v.u;
    if (v.use.type->kind == LTW_C_FLOAT) n->use.type = ltw_cbasic(p->s, LTW_B_DOUBLE);
}

void ltw_cdeclare(struct ltw_cparser *p, const struct ltw_cname *n)
{
    const struct ltw_cword *w = ltw_cword_find(p->s, n->name, false);

    if (w) {
        if (!compatible(&w->name, n))
            ltw_cfail(p, "'%s' is declared as %s already, not as %s", n->name,
                      describe(p->L, &w->name), describe(p->L, n));
        if (n->kind != LTW_C_OBJECT || n->symbol == n->name ||
            n->symbol == w->name.symbol) return;
    }
    ltw_cname_add(p->L, p->s, n, false);
}

/* Declarations. */

void ltw_cassert(struct ltw_cparser *p)
{
    struct ltw_cscan from = p->scan, end;
    struct ltw_cvalue v;

    ltw_cscan_next(p);
    ltw_cwant(p, '(');
    v = ltw_cinteger(p);
    end = p->scan;
    if (ltw_ctake(p, ',')) {
        end = p->scan;
        if (end.kind != LTW_T_STRING) ltw_cexpected(p, "a string");
        while (ltw_ctake(p, LTW_T_STRING)) continue;
    }
    if (!v.u) {
        p->scan = from;
        lua_pushlstring(p->L, end.text, end.kind == LTW_T_STRING ? end.n : 0);
        ltw_cfail(p, "assertion failed%s%s", end.kind == LTW_T_STRING ? ": " : "",
                  lua_tostring(p->L, -1));
    }
    ltw_cwant(p, ')');
    ltw_cwant(p, ';');
}

/* To the , or ; that ends an initializer. */
static void skip_initializer(struct ltw_cparser *p)
{
    while (p->scan.kind != ',' && p->scan.kind != ';') {
        int kind = p->scan.kind;

        if (kind == '(' || kind == '[' || kind == '{') ltw_cskip_brackets(p);
        else if (kind == LTW_T_END) ltw_cexpected(p, "';'");
        else ltw_cscan_next(p);
    }
}

/* Behind =: is the name a constant? */
static bool initialize(struct ltw_cparser *p, struct ltw_cname *n)
{
    const struct ltw_ctype *t = n->use.type;
    struct ltw_cvalue v;

    if (n->use.constant && (t->kind == LTW_C_INT || t->kind == LTW_C_BOOL ||
                            t->kind == LTW_C_ENUM || t->kind == LTW_C_FLOAT) &&
        ltw_ctry_constant(p, &v, ',', ';')) {
        v = ltw_cconvert(p, v, n->use);
        if (v.known) {
            ltw_cname_set(p, n, v);
            return true;
        }
    }
    skip_initializer(p);
    return false;
}

/* One declarator of a declaration.  Returns whether it was a function's body, behind
 * which nothing else comes. */
static bool declarator(struct ltw_cparser *p, const struct ltw_cspecifiers *s)
{
    struct ltw_cdeclarator d = ltw_cdeclarator(p, s->use, false);
    const char *symbol = d.attributes.symbol;
    struct ltw_cname n = { .name = d.name, .use = d.use,
                           .kind = s->storage == LTW_S_TYPEDEF ? LTW_C_TYPEDEF
                                                               : LTW_C_OBJECT };
    bool is_static = s->storage == LTW_S_STATIC, hidden = false, is_body = false;

    if (!d.name) ltw_cexpected(p, "a name");
    n.symbol = symbol ? symbol : d.name;
    if (n.kind == LTW_C_TYPEDEF) {
        unsigned char align = d.attributes.log_align > s->attributes.log_align ?
                              d.attributes.log_align : s->attributes.log_align;

        if ((d.attributes.aligned || s->attributes.aligned) &&
            n.use.type->kind != LTW_C_FUNCTION && !(n.use.type->flags & LTW_C_INCOMPLETE))
            n.use.type = ltw_ctype_aligned(p->L, p->s, n.use.type, align);
    } else if (n.use.type->kind == LTW_C_FUNCTION) {
        is_body = p->scan.kind == '{';
        hidden = is_body && is_static;
    } else if (ltw_ctake(p, '=')) {
        hidden = !initialize(p, &n) && is_static;
    } else if (n.use.type->kind == LTW_C_VOID) {
        ltw_cfail(p, "'%s' of void", d.name);
    }
    if (!hidden) ltw_cdeclare(p, &n);
    if (is_body) ltw_cskip_brackets(p);
    return is_body;
}

static void declaration(struct ltw_cparser *p)
{
    struct ltw_cspecifiers s = ltw_cspecifiers(p);

    if (s.is_tagged && ltw_ctake(p, ';')) return;
    do if (declarator(p, &s)) return; while (ltw_ctake(p, ','));
    ltw_cwant(p, ';');
}

static void declarations(struct ltw_cparser *p)
{
    unsigned open = 0;                  /* extern "C" { */

    while (p->scan.kind != LTW_T_END) {
        struct ltw_cscan from = p->scan;

        if (ltw_ctake(p, ';')) continue;
        if (open && ltw_ctake(p, '}')) {
            open--;
        } else if (p->scan.kind == LTW_K_STATIC_ASSERT) {
            ltw_cassert(p);
        } else if (ltw_ctake(p, LTW_K_ASM)) {
            if (p->scan.kind != '(') ltw_cexpected(p, "'('");
            ltw_cskip_brackets(p);
            ltw_cwant(p, ';');
        } else if (ltw_ctake(p, LTW_K_EXTERN) && p->scan.kind == LTW_T_STRING) {
            ltw_cscan_next(p);
            open += ltw_ctake(p, '{');
        } else {
            p->scan = from;
            declaration(p);
        }
    }
    if (open) ltw_cexpected(p, "'}'");
}

/* From Lua. */

struct job {
    struct ltw_ctypes *s;
    const char *text, *file;
    size_t n;
    bool declares;
    void (*run)(struct ltw_cparser *p, struct job *j);
    struct ltw_cuse type;
    struct ltw_cname value;
};

static void run_type(struct ltw_cparser *p, struct job *j)
{
    j->type = ltw_ctype_name(p);
}

static void run_eval(struct ltw_cparser *p, struct job *j)
{
    ltw_cname_set(p, &j->value, ltw_cconstant(p));
}

static void run_declarations(struct ltw_cparser *p, struct job *j)
{
    (void)j;
    declarations(p);
}

/* [-0, +0, e]  The value at the index, for a $. */
static struct ltw_cparam param(lua_State *L, struct ltw_ctypes *s, int i)
{
    struct ltw_cparam r = {0};
    enum ltw_cbasic b = LTW_B_LONG;
    size_t n;

    if (lua_type(L, i) == LUA_TSTRING) {
        const char *name = lua_tolstring(L, i, &n);

        if (!n) luaL_error(L, "a name of no letters for $");
        r.kind = LTW_T_NAME;
        r.name = ltw_cintern(L, s, name, n);
    } else if (lua_type(L, i) == LUA_TNUMBER) {
        r.kind = LTW_T_VALUE;
        r.value.known = true;
        if (lua_isinteger(L, i)) {
            r.value.i = lua_tointeger(L, i);
            if (r.value.i >= INT32_MIN && r.value.i <= INT32_MAX) b = LTW_B_INT;
        } else {
            r.value.d = lua_tonumber(L, i);
            b = LTW_B_DOUBLE;
        }
        r.value.use.type = ltw_cbasic(s, b);
    } else if (ltw_ctype_of_value(L, i, &r.value.use)) {
        r.kind = LTW_T_TYPE;
    } else {
        luaL_error(L, "a C type, a name or a number expected for $, not %s",
                   luaL_typename(L, i));
    }
    return r;
}

/* The job, then values for $. */
static int protected_run(lua_State *L)
{
    struct job *j = lua_touserdata(L, 1);
    struct ltw_cparser p = { .L = L, .s = j->s };
    int n = lua_gettop(L) - 1;
    struct ltw_cparam *params;

    if (n) {
        params = lua_newuserdatauv(L, (size_t)n * sizeof *params, 0);
        for (int i = 0; i < n; i++) params[i] = param(L, j->s, i + 2);
        p.params = params;
        p.count_params = (unsigned)n;
    }
    ltw_cscan_start(&p, j->text, j->n, j->file);
    j->run(&p, j);
    if (p.scan.kind != LTW_T_END) ltw_cexpected(&p, "the end");
    if (p.scan.next_param < p.count_params) ltw_cfail(&p, "too many values for $");
    return 0;
}

/* Lets go of what the fields of a large struct took. */
static void trim(lua_State *L, struct ltw_ctypes *s)
{
    if (s->depth || s->cap_items <= ITEMS_KEPT) return;
    s->items = NULL;
    s->cap_items = 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, s);
    lua_pushnil(L);
    lua_rawsetp(L, -2, &s->items);
    lua_pop(L, 1);
}

static void run(lua_State *L, struct job *j, int params)
{
    struct ltw_ctypes *s = j->s;
    size_t items = s->count_items;
    unsigned parts = s->count_parts;
    struct ltw_cmark mark = ltw_ctypes_mark(s);
    int n = params ? lua_gettop(L) - params + 1 : 0;
    bool stops = j->declares && lua_gc(L, LUA_GCISRUNNING);
    int status;

    luaL_checkstack(L, n + 4, "values for $");
    lua_pushcfunction(L, protected_run);
    lua_pushlightuserdata(L, j);
    for (int i = 0; i < n; i++) lua_pushvalue(L, params + i);
    if (stops) lua_gc(L, LUA_GCSTOP);
    s->depth++;
    status = lua_pcall(L, n + 1, 0, 0);
    s->depth--;
    if (stops) lua_gc(L, LUA_GCRESTART);
    s->count_items = items;
    s->count_parts = parts;
    trim(L, s);
    if (status == LUA_OK) {
        s->within = s->depth > 0;
        return;
    }
    if (!s->within) ltw_ctypes_undo(s, mark);
    s->within = s->within && s->depth;
    if (status == LUA_ERRRUN && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    lua_error(L);
}

void ltw_declare(lua_State *L, struct ltw_ctypes *s, const char *text, size_t n,
                 int params)
{
    struct job j = { .s = s, .text = text, .n = n, .file = "cdef",
                     .declares = true, .run = run_declarations };

    run(L, &j, params);
}

struct ltw_cuse ltw_declare_type(lua_State *L, struct ltw_ctypes *s, const char *text,
                                 size_t n, int params)
{
    struct job j = { .s = s, .text = text, .n = n, .file = "C type", .run = run_type };

    run(L, &j, params);
    return j.type;
}

struct ltw_cname ltw_declare_eval(lua_State *L, struct ltw_ctypes *s, const char *text,
                                  size_t n)
{
    struct job j = { .s = s, .text = text, .n = n, .file = "expression",
                     .run = run_eval };

    run(L, &j, 0);
    return j.value;
}

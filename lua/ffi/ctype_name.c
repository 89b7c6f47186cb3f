/* ctype_name.c - writes a C type as C does.
 *
 * Layer lua.
 */
#include "ctype_parts.h"

#include <lauxlib.h>

/* What is more than so many pointers, arrays, functions and parameters is written as "…",
 * so that a type that scripts made of itself a million times can be written, too. */
enum { STEPS_MAX = 250 };

static void push(lua_State *L, struct ltw_cuse use, int *steps);

/* [-1, +1, m]  The declarator on the top, followed by a function's parameters. */
static void add_parameters(lua_State *L, const struct ltw_ctype *t, int *steps)
{
    bool variadic = t->flags & LTW_C_VARIADIC;

    lua_pushstring(L, t->count_fields || variadic ? "(" : "(void");
    lua_concat(L, 2);
    for (unsigned i = 0; i < t->count_fields; i++) {
        lua_pushstring(L, i ? ", " : "");
        push(L, t->fields[i].use, steps);
        lua_concat(L, 3);
        if (*steps >= STEPS_MAX) break;
    }
    lua_pushstring(L, !variadic ? ")" : t->count_fields ? ", ...)" : "...)");
    lua_concat(L, 2);
}

static void push_base(lua_State *L, const struct ltw_ctype *t)
{
    const char *word = t->kind == LTW_C_ENUM ? "enum " : t->kind != LTW_C_RECORD ? "" :
                       t->flags & LTW_C_UNION ? "union " : "struct ";

    if (t->name) lua_pushfstring(L, "%s%s", word, t->name);
    else if (t->kind == LTW_C_OPAQUE)
        lua_pushfstring(L, "%s __attribute__((vector_size(%d)))",
                        t->of->name ? t->of->name : "…", (int)t->size);
    else lua_pushfstring(L, "%s<unnamed %d>", word, t->number);
}

static void push(lua_State *L, struct ltw_cuse use, int *steps)
{
    const struct ltw_ctype *t = use.type;
    bool constant = use.constant;

    luaL_checkstack(L, 10, "C type");
    lua_pushliteral(L, "");             /* the declarator, from the inside out */
    while (++*steps < STEPS_MAX && (t->kind == LTW_C_POINTER || t->kind == LTW_C_ARRAY ||
                                    t->kind == LTW_C_FUNCTION)) {
        if (t->kind == LTW_C_POINTER) {
            bool wrap = t->of->kind == LTW_C_ARRAY || t->of->kind == LTW_C_FUNCTION;

            lua_pushfstring(L, "%s*%s%s%s", wrap ? "(" : "", constant ? "const" : "",
                            constant && *lua_tostring(L, -1) ? " " : "",
                            lua_tostring(L, -1));
            lua_remove(L, -2);
            if (wrap) {
                lua_pushliteral(L, ")");
                lua_concat(L, 2);
            }
        } else if (t->kind == LTW_C_FUNCTION) {
            add_parameters(L, t, steps);
        } else {
            if (t->flags & (LTW_C_VLA | LTW_C_INCOMPLETE))
                lua_pushstring(L, t->flags & LTW_C_VLA ? "[?]" : "[]");
            else lua_pushfstring(L, "[%I]", (LUAI_UACINT)t->count);
            lua_concat(L, 2);
        }
        constant = t->of_constant;
        t = t->of;
    }
    lua_pushstring(L, constant ? "const " : "");
    if (*steps >= STEPS_MAX) lua_pushliteral(L, "…");
    else push_base(L, t);
    lua_pushstring(L, *lua_tostring(L, -3) ? " " : "");
    lua_rotate(L, -4, -1);              /* const, base, space, declarator */
    lua_concat(L, 4);
}

void ltw_ctype_push_name(lua_State *L, struct ltw_cuse use)
{
    int steps = 0;

    push(L, use, &steps);
}

/* unread.c - parameters that are given to a script that never reads them, as a line.
 *
 * Why: a script that declares nothing takes any name, so a misspelt one would give a
 * whole sweep of equal runs.  A self.params that notes what is read would be no plain
 * table any more, for next, copies and reloads; that no text of the script has such a
 * word says the same, and says it before the first record.
 */
#include "unread.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "code.h"
#include "lvalue.h"

enum { MOST = 16 };                /* names that are told */

struct word { const char *name; size_t n; };

static bool is_of_word(char c)
{
    return c == '_' || isalnum((unsigned char)c);
}

/* Where the word stands next, at p or behind it. */
static const char *find(const char *p, const char *end, const struct word *w)
{
    const char *begin = p, *at;

    while ((at = memmem(p, (size_t)(end - p), w->name, w->n))) {
        p = at + 1;
        if ((at == begin || !is_of_word(at[-1]))
            && (at + w->n == end || !is_of_word(at[w->n])))
            return at;
    }
    return NULL;
}

/* Has that text the word, or does it hand on all of the parameters, visit them, perhaps
 * by another name, or index them by what only a run knows? */
static bool may_read(void *ctx, const struct ltw_part *t)
{
    static const struct word all = { "params", 6 }, pairs = { "pairs", 5 },
                             next = { "next", 4 };
    const char *end = t->bytes + t->n, *p = t->bytes;
    bool visits = find(p, end, &pairs) || find(p, end, &next);

    if (find(p, end, ctx)) return true;
    while ((p = find(p, end, &all))) {
        p += all.n;
        while (p < end && (*p == ' ' || *p == '\n')) p++;
        if (p + 1 < end && *p && strchr("[),}", *p) && !strchr("'\"", p[1])) return true;
        if (p == end || (visits && *p != '.' && *p != '[')) return true;
    }
    return false;
}

/* Puts a name into a list of n, which is by name: pairs visits them in any order. */
static void insert(const char **list, int n, const char *name)
{
    for (; n > 0 && strcmp(list[n - 1], name) > 0; n--) list[n] = list[n - 1];
    list[n] = name;
}

bool ltw_unread_text(lua_State *L, const struct ltw_code *code,
                     const struct ltw_script_options *o, char out[LTW_UNREAD_TEXT])
{
    int top = lua_gettop(L), n = 0;
    const char *list[MOST];
    char names[300] = "";

    if (code->declares || o->shard > 0) return false;    /* an unknown one is refused */
    ltw_push_thawed(L, &o->options);
    if (lua_istable(L, -1) && lua_getfield(L, -1, "params") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, top + 2); lua_pop(L, 1)) {
            struct word w = { .name = "" };

            if (lua_type(L, -2) == LUA_TSTRING) w.name = lua_tolstring(L, -2, &w.n);
            if (n < MOST && w.n > 0 && !ltw_version_each(code->version, may_read, &w))
                insert(list, n++, w.name);
        }
    for (int i = 0; i < n; i++) {
        size_t at = strlen(names);

        snprintf(names + at, sizeof names - at, "%s%s", i > 0 ? ", " : "", list[i]);
    }
    lua_settop(L, top);
    if (n > 0)
        snprintf(out, LTW_UNREAD_TEXT, "script %.100s never reads %s %s: no such word is"
                 " in it", o->name, n == 1 ? "the parameter" : "the parameters", names);
    return n > 0;
}

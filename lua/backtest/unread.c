/* unread.c - parameters that are given to a script that never reads them, as a line.
 *
 * Why: a script that declares nothing takes any name, so a misspelt one would give a
 * whole sweep of equal runs.  A self.params that notes what is read would be no plain
 * table any more, for next, copies and reloads; that no text of the script has such a
 * word says the same, and says it before the first record.
 */
#include "backtest/unread.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "code.h"
#include "share/lvalue.h"

enum { MOST = 16 };                /* names that are told */

struct word { const char *name; size_t n; };

struct question { struct ltw_version *version; struct word name; };

static bool is_of_word(char c)
{
    return c == '_' || isalnum((unsigned char)c);
}

/* Where the word stands next in the text, at p or behind it. */
static const char *find(const struct ltw_part *t, const char *p, const struct word *w)
{
    const char *end = t->bytes + t->n, *at;

    while ((at = memmem(p, (size_t)(end - p), w->name, w->n))) {
        p = at + 1;
        if ((at == t->bytes || !is_of_word(at[-1]))
            && (at + w->n == end || !is_of_word(at[w->n])))
            return at;
    }
    return NULL;
}

/* A 0 is behind each text. */
static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Behind the table is .name, or ["name"]. */
static bool is_indexed(const char *p)
{
    p = skip_space(p);
    if (*p == '.') return p[1] == '_' || isalpha((unsigned char)p[1]);
    if (*p != '[' || (p[1] != '"' && p[1] != '\'')) return false;
    p = strchr(p + 2, p[1]);
    return p && *skip_space(p + 1) == ']';
}

/* "local p = self.params", with params at `at`: p. */
static bool read_alias(const char *begin, const char *at, struct word *out)
{
    const char *end;

    while (at > begin && (is_of_word(at[-1]) || at[-1] == '.')) at--;
    while (at > begin && at[-1] == ' ') at--;
    if (at == begin || *--at != '=') return false;
    while (at > begin && at[-1] == ' ') at--;
    end = at;
    while (at > begin && is_of_word(at[-1])) at--;
    *out = (struct word){ at, (size_t)(end - at) };
    return end > at && at - begin >= 6 && memcmp(at - 6, "local ", 6) == 0;
}

/* Is the table used other than for a field with a name that stands there? */
static bool hands_on(const struct ltw_part *t, const struct word *table, bool is_alias)
{
    struct word alias;

    for (const char *at, *p = t->bytes; (at = find(t, p, table)); ) {
        p = at + table->n;
        if (is_indexed(p) || (is_alias && *skip_space(p) == '=')) continue;
        if (is_alias || !read_alias(t->bytes, at, &alias) || hands_on(t, &alias, true))
            return true;
    }
    return false;
}

/* May it have a text that is not read yet? */
static bool loads(struct ltw_version *v, const struct ltw_part *t)
{
    static const struct word words[] = { { "require", 7 }, { "dofile", 6 },
                                         { "loadfile", 8 } };
    char name[100];

    if (find(t, t->bytes, &words[1]) || find(t, t->bytes, &words[2])) return true;
    for (const char *at, *p = t->bytes; (at = find(t, p, &words[0])); ) {
        p = at + words[0].n;
        at = p + strspn(p, " (");
        if ((*at != '"' && *at != '\'')
            || sscanf(at + 1, "%99[^\"']", name) != 1) return true;
        if (strcmp(name, "tw") != 0 && strncmp(name, "tw.", 3) != 0
            && !ltw_version_module(v, NULL, name, NULL, NULL)) return true;
    }
    return false;
}

/* Has that text the word, or may what only a run knows read it? */
static bool may_read(void *ctx, const struct ltw_part *t)
{
    static const struct word all = { "params", 6 };
    const struct question *q = ctx;

    return find(t, t->bytes, &q->name) || hands_on(t, &all, false)
        || loads(q->version, t);
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
            struct question q = { .version = code->version };

            if (lua_type(L, -2) == LUA_TSTRING)
                q.name.name = lua_tolstring(L, -2, &q.name.n);
            if (n < MOST && q.name.n > 0 && !ltw_version_each(q.version, may_read, &q))
                insert(list, n++, q.name.name);
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

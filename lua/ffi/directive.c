/* directive.c - the lines of C declarations that begin with #.
 *
 * Why: text that went through the preprocessor has line markers and #pragma; that which
 * did not often has constants as #define.  Conditions are refused: what they leave out
 * would be declared.
 *
 * Layer lua.
 */
#include "parse.h"

#include <string.h>

static bool is(const struct ltw_cparser *p, const char *word)
{
    return p->scan.n == strlen(word) && memcmp(p->scan.text, word, p->scan.n) == 0;
}

/* Scanning the line may raise, too: what is no C need not be. */
static int first(lua_State *L)
{
    ltw_cscan_next(lua_touserdata(L, 1));
    return 0;
}

static bool try_constant(struct ltw_cparser *p, struct ltw_cvalue *v)
{
    int status;

    lua_pushcfunction(p->L, first);
    lua_pushlightuserdata(p->L, p);
    status = lua_pcall(p->L, 1, 0, 0);
    if (status == LUA_OK) return ltw_ctry_constant(p, v, LTW_T_END, LTW_T_END);
    if (status != LUA_ERRRUN) lua_error(p->L);
    lua_pop(p->L, 1);
    return false;
}

static void define(struct ltw_cparser *p)
{
    const char *name, *end;
    struct ltw_cvalue v;
    const struct ltw_cword *w;
    struct ltw_cname n = { .kind = LTW_C_CONSTANT };

    ltw_cscan_next(p);
    if (p->scan.kind != LTW_T_NAME) return;
    name = p->scan.name;
    end = p->scan.at;
    if (end == p->end || *end == '(') return;
    if (!try_constant(p, &v)) return;
    w = ltw_cword_find(p->s, name, false);
    if (w && w->name.kind != LTW_C_CONSTANT) return;
    n.name = name;
    ltw_cname_set(p, &n, v);
    ltw_cdeclare(p, &n);
}

static void undefine(struct ltw_cparser *p)
{
    struct ltw_cword *w;
    struct ltw_cname n;

    ltw_cscan_next(p);
    if (p->scan.kind != LTW_T_NAME) return;
    w = ltw_cword_find(p->s, p->scan.name, false);
    if (!w || w->name.kind != LTW_C_CONSTANT) return;
    n = w->name;
    w = (struct ltw_cword *)ltw_cname_add(p->L, p->s, &n, false);
    w->hidden = true;
    p->s->changes++;
}

/* #pragma pack(…): push, pop, a name, a number, or nothing.  Goes to `to`, too. */
static void pack(struct ltw_cparser *p, struct ltw_cscan *to)
{
    bool push = false, pop = false;

    ltw_cscan_next(p);
    if (!ltw_ctake(p, '(')) return;
    if (p->scan.kind == ')') to->log_pack = 0;
    while (p->scan.kind != ')') {
        if (p->scan.kind == LTW_T_NAME) {
            if (is(p, "push")) {
                if (to->count_packs == LTW_CPACKS_MAX)
                    ltw_cfail(p, "#pragma pack(push) more than %d times", LTW_CPACKS_MAX);
                to->packs[to->count_packs++] = to->log_pack;
                push = true;
            } else if (is(p, "pop")) {
                if (to->count_packs) to->log_pack = to->packs[--to->count_packs];
                pop = true;
            } else if (!push && !pop) {
                ltw_cexpected(p, "push, pop or a number");
            }
            ltw_cscan_next(p);
        } else {
            struct ltw_cscan from = p->scan;
            struct ltw_cvalue v = ltw_cinteger(p);

            if (v.u > 16 || (v.u & (v.u - 1))) {
                p->scan = from;
                ltw_cfail(p, "#pragma pack wants 1, 2, 4, 8 or 16");
            }
            to->log_pack = v.u ? (unsigned char)(__builtin_ctzll(v.u) + 1) : 0;
        }
        if (!ltw_ctake(p, ',')) break;
    }
    if (p->scan.kind != ')') ltw_cexpected(p, "')'");
}

/* # 12 "file": the next line is that. */
static void mark(struct ltw_cparser *p, struct ltw_cscan *to)
{
    uint64_t line = 0;

    for (size_t i = 0; i < p->scan.n; i++) {
        unsigned char digit = (unsigned char)(p->scan.text[i] - '0');

        if (digit > 9 || line > INT32_MAX / 10) return;
        line = line * 10 + digit;
    }
    to->line = (unsigned)line - 1;
    ltw_cscan_next(p);
    if (p->scan.kind == LTW_T_STRING && p->scan.n > 2)
        to->file = ltw_cintern(p->L, p->s, p->scan.text + 1, p->scan.n - 2);
}

void ltw_cdirective(struct ltw_cparser *of, const char *at, const char *end)
{
    static const char *const refused[] = { "if", "ifdef", "ifndef", "elif", "else",
                                           "endif", "include", "include_next", "import" };
    struct ltw_cparser line = *of, *p = &line;
    const char *from = at;

    while (at < end && (*at == ' ' || *at == '\t')) at++;
    if (at == end || !strchr("0123456789abcdefghijklmnopqrstuvwxyz", *at)) return;
    p->end = end;
    p->scan.at = at;
    p->scan.line = of->scan.token_line;
    p->scan.line_from = from - of->scan.token_column;
    p->scan.fresh = false;
    ltw_cscan_next(p);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (is(p, refused[i]))
            ltw_cfail(p, "#%s is the preprocessor's: give what `cpp -P` makes of it",
                      refused[i]);
    if (is(p, "define")) define(p);
    else if (is(p, "undef")) undefine(p);
    else if (p->scan.kind == LTW_T_NUMBER) mark(p, &of->scan);
    else if (is(p, "line")) {
        ltw_cscan_next(p);
        if (p->scan.kind == LTW_T_NUMBER) mark(p, &of->scan);
    } else if (is(p, "pragma")) {
        const char *rest = p->scan.at;

        while (rest < end && (*rest == ' ' || *rest == '\t')) rest++;
        if (end - rest < 4 || memcmp(rest, "pack", 4) != 0) return;
        ltw_cscan_next(p);
        if (is(p, "pack")) pack(p, &of->scan);
    }
    of->scan.next_param = p->scan.next_param;
}

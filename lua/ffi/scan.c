/* scan.c - cuts the text of C declarations into tokens.
 *
 * Layer lua.
 */
#include "parse.h"

#include <stdarg.h>
#include <string.h>

/* In the order of strcmp. */
static const struct { const char *word; unsigned char kind, basic; } keywords[] = {
    /* kind: as counted from LTW_T_END */
#define K(word, kind) { word, LTW_K_##kind - LTW_T_END, 0 }
#define B(word, basic) { word, LTW_K_BASIC - LTW_T_END, LTW_B_##basic }
    K("_Alignas", ALIGNAS), K("_Alignof", ALIGNOF), K("_Atomic", ATOMIC),
    B("_Bool", BOOL), K("_Complex", COMPLEX), B("_Decimal128", DECIMAL128),
    B("_Decimal32", DECIMAL32), B("_Decimal64", DECIMAL64), B("_Float128", FLOAT128),
    B("_Float16", FLOAT16), B("_Float32", FLOAT), B("_Float32x", DOUBLE),
    B("_Float64", DOUBLE), B("_Float64x", LDOUBLE), K("_Noreturn", SPECIFIER),
    K("_Static_assert", STATIC_ASSERT), K("_Thread_local", SPECIFIER),
    K("__alignof", ALIGNOF), K("__alignof__", ALIGNOF), K("__asm", ASM),
    K("__asm__", ASM), K("__attribute", ATTRIBUTE), K("__attribute__", ATTRIBUTE),
    K("__builtin_offsetof", OFFSETOF), B("__builtin_va_list", VA_LIST),
    K("__complex", COMPLEX), K("__complex__", COMPLEX), K("__const", CONST),
    K("__const__", CONST), K("__extension__", SPECIFIER), B("__float128", FLOAT128),
    K("__inline", INLINE), K("__inline__", INLINE), B("__int128", INT128),
    B("__int128_t", INT128), K("__restrict", QUALIFIER), K("__restrict__", QUALIFIER),
    K("__signed", SIGNED), K("__signed__", SIGNED), K("__thread", SPECIFIER),
    K("__typeof", TYPEOF), K("__typeof__", TYPEOF), B("__uint128_t", UINT128),
    K("__volatile", QUALIFIER), K("__volatile__", QUALIFIER), K("alignas", ALIGNAS),
    K("asm", ASM), K("auto", SPECIFIER), K("break", RESERVED), K("case", RESERVED),
    K("char", CHAR), K("const", CONST), K("continue", RESERVED), K("default", RESERVED),
    K("do", RESERVED), B("double", DOUBLE), K("else", RESERVED), K("enum", ENUM),
    K("extern", EXTERN), B("float", FLOAT), K("for", RESERVED), K("goto", RESERVED),
    K("if", RESERVED), K("inline", INLINE), K("int", INT), K("long", LONG),
    K("register", SPECIFIER), K("restrict", QUALIFIER), K("return", RESERVED),
    K("short", SHORT), K("signed", SIGNED), K("sizeof", SIZEOF), K("static", STATIC),
    K("static_assert", STATIC_ASSERT), K("struct", STRUCT), K("switch", RESERVED),
    K("typedef", TYPEDEF), K("typeof", TYPEOF), K("union", UNION),
    K("unsigned", UNSIGNED), K("void", VOID), K("volatile", QUALIFIER),
    K("while", RESERVED),
#undef K
#undef B
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c > 127;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int compare(const char *word, const char *text, size_t n)
{
    int order = strncmp(word, text, n);

    return order ? order : word[n] != 0;
}

static void find_keyword(struct ltw_cscan *c)
{
    unsigned from = 0, to = sizeof keywords / sizeof keywords[0];

    while (from < to) {
        unsigned middle = (from + to) / 2;
        int order = compare(keywords[middle].word, c->text, c->n);

        if (order == 0) {
            c->kind = LTW_T_END + keywords[middle].kind;
            c->basic = keywords[middle].basic;
            return;
        }
        if (order < 0) from = middle + 1;
        else to = middle;
    }
}

/* Errors. */

_Noreturn void ltw_cfail(struct ltw_cparser *p, const char *format, ...)
{
    va_list args;

    lua_pushfstring(p->L, "%s:%d:%d: ", p->scan.file, (int)p->scan.token_line,
                    (int)p->scan.token_column);
    va_start(args, format);
    lua_pushvfstring(p->L, format, args);
    va_end(args);
    lua_concat(p->L, 2);
    lua_error(p->L);
    __builtin_unreachable();
}

/* [-0, +1, m]  The token, as errors quote it. */
static const char *quote(lua_State *L, const struct ltw_cscan *c)
{
    int n = c->n > 40 ? 40 : (int)c->n;

    if (c->kind == LTW_T_END) return lua_pushliteral(L, "the end");
    lua_pushliteral(L, "'");
    lua_pushlstring(L, c->text, (size_t)n);
    lua_pushstring(L, c->n > 40 ? "…'" : "'");
    lua_concat(L, 3);
    return lua_tostring(L, -1);
}

_Noreturn void ltw_cexpected(struct ltw_cparser *p, const char *what)
{
    if (p->scan.kind == '&' && strcmp(what, "a name") == 0)
        ltw_cfail(p, "references (&) are of C++, not of C");
    ltw_cfail(p, "%s expected near %s", what, quote(p->L, &p->scan));
}

/* A token that is none: from there on. */
static _Noreturn void bad(struct ltw_cparser *p, const char *from, const char *what)
{
    struct ltw_cscan *c = &p->scan;

    c->token_line = c->line;
    c->token_column = (unsigned)(from - c->line_from) + 1;
    ltw_cfail(p, "%s", what);
}

/* Blanks, comments, directives. */

static void new_line(struct ltw_cscan *c)
{
    c->line++;
    c->line_from = c->at;
    c->fresh = true;
}

static void skip_comment(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;
    const char *from = c->at;
    unsigned line = c->line;
    const char *line_from = c->line_from;

    for (c->at += 2;; ) {
        if (p->end - c->at < 2) {
            c->line = line;
            c->line_from = line_from;
            bad(p, from, "unfinished comment");
        }
        if (c->at[0] == '*' && c->at[1] == '/') break;
        if (*c->at++ == '\n') {
            bool fresh = c->fresh;

            new_line(c);
            c->fresh = fresh;
        }
    }
    c->at += 2;
}

/* To the newline that ends the line, past those that a \ or a comment hides. */
static void skip_line(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    while (c->at < p->end && *c->at != '\n') {
        size_t left = (size_t)(p->end - c->at);

        if (left > 1 && c->at[0] == '/' && c->at[1] == '*') {
            skip_comment(p);
        } else if (left > 1 && c->at[0] == '\\' && c->at[1] == '\n') {
            c->at += 2;
            new_line(c);
        } else {
            c->at++;
        }
    }
}

static void directive(struct ltw_cparser *p)
{
    const char *from = ++p->scan.at;

    p->scan.token_line = p->scan.line;
    p->scan.token_column = (unsigned)(from - p->scan.line_from);
    skip_line(p);
    ltw_cdirective(p, from, p->scan.at);
}

/* To the next token. */
static void skip_blanks(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    while (c->at < p->end) {
        size_t left = (size_t)(p->end - c->at);

        switch (*c->at) {
        case '\n':
            c->at++;
            new_line(c);
            break;
        case ' ': case '\t': case '\r': case '\v': case '\f':
            c->at++;
            break;
        case '\\':
            if (left < 2 || c->at[1] != '\n') return;
            c->at += 2;
            new_line(c);
            break;
        case '/':
            if (left > 1 && c->at[1] == '*') skip_comment(p);
            else if (left > 1 && c->at[1] == '/') skip_line(p);
            else return;
            break;
        case '#':
            if (!c->fresh) return;
            directive(p);
            break;
        default:
            return;
        }
    }
}

/* Tokens. */

static void scan_word(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    while (c->at < p->end && (is_word(*c->at) || is_digit(*c->at))) c->at++;
    c->n = (size_t)(c->at - c->text);
    c->kind = LTW_T_NAME;
    if (c->n < 20) find_keyword(c);
    if (c->kind == LTW_T_NAME) c->name = ltw_cintern(p->L, p->s, c->text, c->n);
}

static void scan_number(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    for (; c->at < p->end; c->at++) {
        char before = c->at[-1];

        if (is_word(*c->at) || is_digit(*c->at) || *c->at == '.') continue;
        if (*c->at != '+' && *c->at != '-') break;
        if (!strchr("eEpP", before)) break;
        if ((before == 'e' || before == 'E') && c->at - c->text > 1 &&
            (c->text[1] == 'x' || c->text[1] == 'X')) break;    /* 0xe+1 is a sum */
    }
    c->kind = LTW_T_NUMBER;
}

static void scan_quoted(struct ltw_cparser *p, char end)
{
    struct ltw_cscan *c = &p->scan;

    for (; c->at < p->end && *c->at != end && *c->at != '\n'; c->at++)
        if (*c->at == '\\' && p->end - c->at > 1 && c->at[1] != '\n') c->at++;
    if (c->at >= p->end || *c->at != end)
        bad(p, c->text, end == '"' ? "unfinished string" : "unfinished character");
    c->at++;
    c->kind = end == '"' ? LTW_T_STRING : LTW_T_CHAR;
}

static void scan_param(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    if (c->next_param >= p->count_params)
        bad(p, c->text, p->params ? "too few values for $" : "no value for $");
    c->param = &p->params[c->next_param++];
    c->kind = c->param->kind;
    c->name = c->param->name;
}

static void scan_operator(struct ltw_cparser *p)
{
    static const struct { char text[4]; int kind; } many[] = {
        { "...", LTW_T_ELLIPSIS }, { "<<", LTW_T_SHL }, { ">>", LTW_T_SHR },
        { "<=", LTW_T_LE }, { ">=", LTW_T_GE }, { "==", LTW_T_EQ }, { "!=", LTW_T_NE },
        { "&&", LTW_T_AND }, { "||", LTW_T_OR }, { "->", LTW_T_ARROW },
    };
    struct ltw_cscan *c = &p->scan;

    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        size_t n = strlen(many[i].text);

        if ((size_t)(p->end - c->text) < n || memcmp(c->text, many[i].text, n) != 0)
            continue;
        c->at = c->text + n;
        c->kind = many[i].kind;
        return;
    }
    if (!*c->text || !strchr("()[]{};:,.*&=+-/%<>!~?|^#", *c->text))
        bad(p, c->text, "a character that is not of C");
    c->kind = *c->text;
}

static bool is_prefix(const struct ltw_cscan *c)
{
    return (c->n == 1 && strchr("LuU", *c->text)) ||
           (c->n == 2 && memcmp(c->text, "u8", 2) == 0);
}

void ltw_cscan_next(struct ltw_cparser *p)
{
    struct ltw_cscan *c = &p->scan;

    skip_blanks(p);
    c->text = c->at;
    c->n = 0;
    c->token_line = c->line;
    c->token_column = (unsigned)(c->at - c->line_from) + 1;
    if (c->at >= p->end) {
        c->kind = LTW_T_END;
        return;
    }
    c->fresh = false;
    c->at++;
    if (is_word(*c->text)) {
        scan_word(p);
        if (c->kind == LTW_T_NAME && is_prefix(c) && c->at < p->end &&
            (*c->at == '"' || *c->at == '\'')) scan_quoted(p, *c->at++);
    } else if (is_digit(*c->text) ||
               (*c->text == '.' && c->at < p->end && is_digit(*c->at))) {
        scan_number(p);
    } else if (*c->text == '"' || *c->text == '\'') {
        scan_quoted(p, *c->text);
    } else if (*c->text == '$') {
        scan_param(p);
    } else {
        scan_operator(p);
    }
    c->n = (size_t)(c->at - c->text);
}

void ltw_cscan_start(struct ltw_cparser *p, const char *text, size_t n, const char *file)
{
    p->end = text + n;
    p->scan = (struct ltw_cscan){ .at = text, .line_from = text, .file = file, .line = 1,
                                  .fresh = true };
    ltw_cscan_next(p);
}

/* What the parser asks. */

bool ltw_ctake(struct ltw_cparser *p, int kind)
{
    if (p->scan.kind != kind) return false;
    ltw_cscan_next(p);
    return true;
}

void ltw_cwant(struct ltw_cparser *p, int kind)
{
    char what[] = "' '";

    what[1] = (char)kind;
    if (!ltw_ctake(p, kind)) ltw_cexpected(p, kind == LTW_T_STRING ? "a string" : what);
}

void ltw_cskip_brackets(struct ltw_cparser *p)
{
    struct ltw_cscan from = p->scan;
    int depth = 0;

    do {
        int kind = p->scan.kind;

        if (kind == '(' || kind == '[' || kind == '{') depth++;
        else if (kind == ')' || kind == ']' || kind == '}') depth--;
        else if (kind == LTW_T_END) {
            p->scan = from;
            ltw_cfail(p, "'%c' is not closed", from.kind);
        }
        ltw_cscan_next(p);
    } while (depth);
}

void ltw_center(struct ltw_cparser *p)
{
    if (++p->depth > LTW_CDEPTH_MAX) ltw_cfail(p, "nested too deeply");
}

void ltw_cleave(struct ltw_cparser *p)
{
    p->depth--;
}

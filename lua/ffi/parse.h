/* parse.h - what the parts of the parser of C declarations share.
 *
 * Layer lua.
 */
#ifndef LTW_FFI_PARSE_H
#define LTW_FFI_PARSE_H

#include "ctype_parts.h"
#include "declare.h"

#include <lauxlib.h>

/* A token is one of these, or a character that stands for itself. */
enum ltw_ctoken {
    LTW_T_END = 256, LTW_T_NAME, LTW_T_NUMBER, LTW_T_STRING, LTW_T_CHAR,
    LTW_T_TYPE, LTW_T_VALUE,            /* of $ */
    LTW_T_ELLIPSIS, LTW_T_SHL, LTW_T_SHR, LTW_T_LE, LTW_T_GE, LTW_T_EQ, LTW_T_NE,
    LTW_T_AND, LTW_T_OR, LTW_T_ARROW,
    LTW_K_TYPEDEF, LTW_K_EXTERN, LTW_K_STATIC, LTW_K_SPECIFIER, LTW_K_INLINE,
    LTW_K_CONST, LTW_K_QUALIFIER, LTW_K_ATOMIC, LTW_K_ALIGNAS,
    LTW_K_VOID, LTW_K_CHAR, LTW_K_INT, LTW_K_SHORT, LTW_K_LONG, LTW_K_SIGNED,
    LTW_K_UNSIGNED, LTW_K_COMPLEX, LTW_K_BASIC, LTW_K_STRUCT, LTW_K_UNION, LTW_K_ENUM,
    LTW_K_TYPEOF, LTW_K_ATTRIBUTE, LTW_K_ASM, LTW_K_STATIC_ASSERT, LTW_K_SIZEOF,
    LTW_K_ALIGNOF, LTW_K_OFFSETOF, LTW_K_RESERVED,
};

/* A constant, or, where known is false, only its type. */
struct ltw_cvalue {
    struct ltw_cuse use;
    union { int64_t i; uint64_t u; double d; };
    bool known;
};

/* A value for $. */
struct ltw_cparam { int kind; const char *name; struct ltw_cvalue value; };

enum { LTW_CPACKS_MAX = 32, LTW_CDEPTH_MAX = 100 };

/* Where the scanner is, and its token.  Copied, to come back. */
struct ltw_cscan {
    const char *at, *line_from, *file;
    unsigned line;
    bool fresh;                         /* nothing but blanks since the line began */
    unsigned next_param;
    int kind;
    enum ltw_cbasic basic;              /* of LTW_K_BASIC */
    const char *text;                   /* the token's */
    size_t n;
    const char *name;                   /* interned: LTW_T_NAME */
    const struct ltw_cparam *param;     /* LTW_T_TYPE, LTW_T_VALUE */
    unsigned token_line, token_column;
    unsigned count_packs;               /* #pragma pack(push) */
    unsigned char log_pack, packs[LTW_CPACKS_MAX];      /* plus 1; 0: none */
};

struct ltw_cparser {
    lua_State *L;
    struct ltw_ctypes *s;
    const char *end;
    const struct ltw_cparam *params;
    unsigned count_params;
    unsigned depth;
    unsigned unevaluated;               /* in && || ?: where C would not look */
    bool in_params;
    struct ltw_cscan scan;
};

/* What __attribute__, _Alignas and __asm__ say. */
struct ltw_cattributes {
    bool packed, aligned;
    unsigned char log_align;
    bool mode_floating;
    unsigned mode_bytes;                /* 0: none */
    size_t vector_bytes;
    const char *symbol;
};

enum ltw_cstorage { LTW_S_NONE, LTW_S_TYPEDEF, LTW_S_EXTERN, LTW_S_STATIC };

struct ltw_cspecifiers {
    struct ltw_cuse use;
    enum ltw_cstorage storage;
    bool is_tagged;                     /* says struct, union or enum */
    bool is_body;                       /* … and what is in it */
    struct ltw_cattributes attributes;
};

struct ltw_cdeclarator {
    const char *name;                   /* NULL: abstract */
    struct ltw_cuse use;
    struct ltw_cattributes attributes;
};

/* scan.c */

/* [-0, +0, e]  The first token and the next. */
void ltw_cscan_start(struct ltw_cparser *p, const char *text, size_t n, const char *file);
void ltw_cscan_next(struct ltw_cparser *p);

/* [-0, +0, e]  Raise: at the token; that says what should be there instead. */
_Noreturn void ltw_cfail(struct ltw_cparser *p, const char *format, ...);
_Noreturn void ltw_cexpected(struct ltw_cparser *p, const char *what);

/* Is it this token?  take: then goes on behind it.  want: else raises. */
bool ltw_ctake(struct ltw_cparser *p, int kind);
void ltw_cwant(struct ltw_cparser *p, int kind);

/* [-0, +0, e]  From the token, an opening bracket, to behind its closing one. */
void ltw_cskip_brackets(struct ltw_cparser *p);

/* [-0, +0, e]  Into nested forms, to a depth that the C stack has room for. */
void ltw_center(struct ltw_cparser *p);
void ltw_cleave(struct ltw_cparser *p);

/* literal.c */

/* [-0, +0, e]  The number or character that is the token. */
struct ltw_cvalue ltw_cliteral(struct ltw_cparser *p);

/* expression.c */

/* [-0, +0, e]  An expression without commas. */
struct ltw_cvalue ltw_cexpression(struct ltw_cparser *p);

/* [-0, +0, e]  One that is a constant; one that is an integer, as bits. */
struct ltw_cvalue ltw_cconstant(struct ltw_cparser *p);
struct ltw_cvalue ltw_cinteger(struct ltw_cparser *p);

/* [-0, +0, m]  Is a constant there, and behind it one of the two tokens?  If not, all is
 * as before. */
bool ltw_ctry_constant(struct ltw_cparser *p, struct ltw_cvalue *v, int end, int or_end);

/* [-0, +0, e]  The value as one of the type. */
struct ltw_cvalue ltw_cconvert(struct ltw_cparser *p, struct ltw_cvalue v,
                               struct ltw_cuse to);

/* directive.c */

/* [-0, +0, m]  A line that begins with #, of which `at` is behind that. */
void ltw_cdirective(struct ltw_cparser *p, const char *at, const char *end);

/* attribute.c */

/* [-0, +0, e]  All that is there of __attribute__, __asm__, _Alignas, added to a. */
void ltw_cattributes(struct ltw_cparser *p, struct ltw_cattributes *a);
/* [-0, +0, e]  The type that mode and vector_size make of it. */
struct ltw_cuse ltw_cattributes_apply(struct ltw_cparser *p,
                                      const struct ltw_cattributes *a,
                                      struct ltw_cuse use);

/* specifier.c */

/* Does a type name or declaration begin here? */
bool ltw_cstarts_type(const struct ltw_cparser *p);
/* [-0, +0, e]  Like `static const struct tm`. */
struct ltw_cspecifiers ltw_cspecifiers(struct ltw_cparser *p);

/* record.c */

/* [-0, +0, e]  From struct, union or enum on.  body: has it one? */
struct ltw_ctype *ltw_crecord(struct ltw_cparser *p, bool *body);

/* [-0, +0, m]  The next of the items. */
struct ltw_citem *ltw_citem_push(struct ltw_cparser *p);

/* enumeration.c */

/* [-0, +0, e]  Its tag's type, or a new one. */
struct ltw_ctype *ltw_ctagged(struct ltw_cparser *p, const char *tag, int kind,
                              unsigned flags);
struct ltw_ctype *ltw_cenum(struct ltw_cparser *p, bool *body);

/* declarator.c */

/* [-0, +0, e]  What follows the specifiers.  abstract: it may have no name. */
struct ltw_cdeclarator ltw_cdeclarator(struct ltw_cparser *p, struct ltw_cuse base,
                                       bool abstract);
/* [-0, +0, e]  Specifiers and an abstract declarator. */
struct ltw_cuse ltw_ctype_name(struct ltw_cparser *p);

/* declare.c */

/* [-0, +0, e]  Declares it, or finds that it is declared just so. */
void ltw_cdeclare(struct ltw_cparser *p, const struct ltw_cname *name);

/* Makes the name that of a constant; one of a floating type becomes a double. */
void ltw_cname_set(const struct ltw_cparser *p, struct ltw_cname *n, struct ltw_cvalue v);

/* [-0, +0, e]  _Static_assert, from there on. */
void ltw_cassert(struct ltw_cparser *p);

/* [-0, +1, m]  "int", `use name` as C writes it. */
const char *ltw_ctype_text(lua_State *L, struct ltw_cuse use);

#endif

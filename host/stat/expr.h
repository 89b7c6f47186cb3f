/* expr.h - the text of a declared statistic, read into a tree and checked.
 *
 *     declaration = expression clauses
 *     clauses     = [ "by" keys ] [ "where" expression ]
 *     keys        = key { "," key } | "(" ")", the whole
 *     key         = "symbol" | "sector" | ... any field or attribute that has names,
 *                   or "(" expression ")", a number
 *     expression  = Lua's operators, with Lua's precedence, over
 *                     numbers, pi, inf; times: 500ms 10s 5m 1h 1d, integers in ns;
 *                     "text", only to compare a name with: symbol == "AAPL",
 *                     country == "US", an attribute of the user's own (symbols.h);
 *                     true, false; fields of the record: bid, ask_size, ...;
 *                     functions: log(x), ifelse(c, a, b), ...;
 *                     statistics: ewma(mid, alpha=0.05), (mean(x) by sector), count();
 *                     names of other statistics: vol, vol.tech, vol["BRK.B"]
 *
 * Why one text: a script, the prompt and the command line declare in the same
 * words, and an error can point at its column.
 *
 * What is keyed how: a statistic that is not an argument of another one is by the
 * declaration's keys; one inside is per symbol, unless it has a `by` of its own (in
 * parentheses): mean(mid - prev(mid)) by sector takes each symbol's own previous
 * mid.  What looks back (prev, lag, delta, simple_return, log_return) is per symbol
 * also outside.  The parser writes this into the `by` of each statistic.  The keys of
 * a text that is but one statistic in parentheses, (mean(x) by sector), are the
 * declaration's.  What is in a key is inside; what is in `where` is not.
 * `where` is for every statistic of the declaration: rows where it is not true are
 * missing to them.  min and max with one argument are statistics, with more functions.
 *
 * Layer host/stat.  Thread: any, all of it; no shared data.
 */
#ifndef TW_EXPR_H
#define TW_EXPR_H

#include "stat/stat.h"
#include "tape/field.h"

/* DEPTH is that of parentheses, calls, signs and ^: a sum of any length is flat. */
enum { TW_EXPR_NODES = 1024, TW_EXPR_DEPTH = 64, TW_EXPR_BYTES = 4096 };

/* INTEGER is Lua's: with / and ^, or a NUMBER beside it, it becomes a NUMBER; so it
 * does with // and %, unless the divisor is a constant that is not 0, and as an
 * argument of a function or a statistic.  Those give NUMBERs; missing, a BOOLEAN.
 * NAME: a field that has names, or text; only == and ~= take it, and they take no
 * BOOLEAN.  The text is the second then, and a REF that is compared with it, or is a
 * key, is of type NAME: an attribute. */
enum tw_expr_type { TW_EXPR_NUMBER, TW_EXPR_INTEGER, TW_EXPR_BOOLEAN, TW_EXPR_NAME };

enum tw_expr_op {
    TW_EXPR_CONSTANT,   /* number or integer, by type; BOOLEAN: integer 0 or 1     */
    TW_EXPR_TEXT,       /* text                                                    */
    TW_EXPR_FIELD,      /* field                                                   */
    TW_EXPR_REF,        /* text: a statistic's name, at the record's key           */
    TW_EXPR_REF_AT,     /* text "." key                                            */
    TW_EXPR_STAT,       /* stat of arg; by                                         */
    TW_EXPR_TO_NUMBER,  /* of an INTEGER                                           */
    TW_EXPR_NEGATE, TW_EXPR_NOT,
    TW_EXPR_ADD, TW_EXPR_SUB, TW_EXPR_MUL, TW_EXPR_DIV, TW_EXPR_IDIV, TW_EXPR_MOD,
    TW_EXPR_POW,
    TW_EXPR_EQ, TW_EXPR_NE, TW_EXPR_LT, TW_EXPR_LE,   /* > and >= swap arguments   */
    TW_EXPR_AND, TW_EXPR_OR,
    TW_EXPR_IFELSE,     /* ifelse(c, a, b)                                         */
    TW_EXPR_MISSING,    /* missing(x): true where x is NaN                         */
    TW_EXPR_MIN, TW_EXPR_MAX, TW_EXPR_FMOD, TW_EXPR_ATAN2,
    TW_EXPR_ABS, TW_EXPR_CEIL, TW_EXPR_FLOOR, TW_EXPR_SQRT, TW_EXPR_EXP, TW_EXPR_EXPM1,
    TW_EXPR_LOG, TW_EXPR_LOG2, TW_EXPR_LOG10, TW_EXPR_LOG1P, TW_EXPR_SIN, TW_EXPR_COS,
    TW_EXPR_TAN, TW_EXPR_ASIN, TW_EXPR_ACOS, TW_EXPR_ATAN, TW_EXPR_TANH, TW_EXPR_SIGN,
    TW_EXPR_OPS
};

enum { TW_EXPR_KEYS = 4, TW_EXPR_KINDS = 1 << TW_QUOTE | 1 << TW_TRADE | 1 << TW_BAR };
struct tw_expr;

/* What a statistic is by: n_keys 0 is the whole. */
struct tw_expr_by { unsigned n_keys; const struct tw_expr *key[TW_EXPR_KEYS]; };

/* A node.  The tree is a graph without cycles: equal parts may be one node. */
struct tw_expr {
    enum tw_expr_op op;
    enum tw_expr_type type;
    unsigned column;                       /* in the text, from 1                  */
    unsigned n_args;
    const struct tw_expr *arg[TW_STAT_INPUTS];
    union {
        double number;                     /* CONSTANT, a NUMBER                   */
        int64_t integer;                   /* CONSTANT, an INTEGER or BOOLEAN      */
        enum tw_field field;               /* FIELD                                */
        struct { const char *text, *key; } ref;   /* TEXT, REF, REF_AT             */
        struct { const struct tw_stat *stat; struct tw_expr_by by; } of;   /* STAT */
    };
};

struct tw_declaration {
    const char *text;                      /* a copy of it                         */
    const struct tw_expr *value;           /* STAT; of a condition: BOOLEAN        */
    struct tw_expr_by by;
    bool has_by;                           /* it says so, perhaps "by ()"          */
    const struct tw_expr *where;           /* BOOLEAN, or NULL                     */
    unsigned kinds;                        /* of records that have all its fields,
                                            * a bit for each of TW_EXPR_KINDS      */
};

/* Reads and checks all but the names of other statistics and attributes: what is no
 * field is a REF, for who knows them to look up.  Of a declaration the value is a
 * statistic by its keys: where the text's own top is none, last(top).  NULL: *error
 * has the text, the column (in bytes) and what to do, in one line; its code is
 * TW_EUSAGE or UV_ENOMEM.
 * Thread: any.  Blocks: never.  Memory: tw_declaration_free frees. */
struct tw_declaration *tw_declaration_parse(const char *text, size_t n, bool condition,
                                            struct tw_error *error);
void tw_declaration_free(struct tw_declaration *d);

/* Writes a tree as a text that reads as the same tree, for tests and for who wants to
 * see what was understood; its length, also where that is more than fits.  A `by` is
 * there unless it is what the place gives; times are ns.
 * Thread: any.  Blocks: never.  Memory: none. */
size_t tw_expr_text(const struct tw_expr *e, char *out, size_t n);

#endif

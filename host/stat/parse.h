/* parse.h - what the parts of the parser share: parse.c has expressions, call.c calls,
 * expr.c keys and declarations.
 *
 * What fails gives NULL, false or an operand of NULL, and has said why to the source.
 *
 * Layer host/stat.  Thread: any; no shared data.
 */
#ifndef TW_PARSE_H
#define TW_PARSE_H

#include "stat/typing.h"

struct tw_parser {
    struct tw_typing t;
    struct tw_token token;         /* the next one                                */
    unsigned end;                  /* where the last one ended                    */
    unsigned depth;
    const struct tw_expr *symbol;  /* the key of what is inside of a statistic    */
};

/* So many keys has a statistic until it is known what it is by: 0 is the whole. */
enum { TW_PARSE_UNKEYED = TW_EXPR_KEYS + 1 };

/* Goes to the next token; only past one of that type. */
void tw_parse_next(struct tw_parser *p);
bool tw_parse_take(struct tw_parser *p, enum tw_token_type type);

/* The type of the token after the next one. */
enum tw_token_type tw_parse_peek(struct tw_parser *p);

/* Past the ')' of the '(' that is there. */
bool tw_parse_close(struct tw_parser *p, unsigned opened);

/* "... expected, got" the next token. */
void tw_parse_unexpected(struct tw_parser *p, const char *expected);

/* The field that a name is, or NULL. */
const struct tw_field_name *tw_parse_field(const struct tw_parser *p,
                                           const struct tw_token *name);

/* As far as the operators bind more than `above`: all of them, 0. */
struct tw_operand tw_parse_expression(struct tw_parser *p, unsigned above);

/* (expression), or (statistic by keys). */
struct tw_operand tw_parse_parentheses(struct tw_parser *p);

/* name(...), at the '('. */
struct tw_expr *tw_parse_call(struct tw_parser *p, const struct tw_token *name);

/* last(x), not yet keyed. */
struct tw_expr *tw_parse_last(struct tw_parser *p, struct tw_operand x);

/* What follows `by`. */
bool tw_parse_keys(struct tw_parser *p, struct tw_expr_by *by);

/* e is the argument of a statistic, or a key: the statistics in it are by symbol. */
void tw_parse_inside(const struct tw_parser *p, const struct tw_expr *e);

#endif

/* typing.h - makes the nodes of expr.h and checks their types: expr.c has the grammar.
 *
 * A maker that fails says so to the source and gives NULL, and given a NULL it gives
 * NULL: only what looks into a node asks.
 *
 * Layer host/stat.  Thread: any; no shared data.
 */
#ifndef TW_TYPING_H
#define TW_TYPING_H

#include "stat/expr.h"
#include "stat/token.h"

struct tw_typing_chunk;
struct tw_typing {
    struct tw_source source;
    struct tw_typing_chunk *chunks;        /* all memory of the tree              */
    unsigned nodes;
    unsigned kinds;                        /* of records that have all fields yet */
    const struct tw_field_name *narrow;    /* the field that made them fewer      */
};

/* Fails with one line about a place in the text. */
#define TW_REFUSE(t, at, ...) tw_source_fail(&(t)->source, at, __VA_ARGS__)

/* A part of the expression and where it stands in the text. */
struct tw_operand { struct tw_expr *e; unsigned from, to; };

struct tw_function { const char *name; enum tw_expr_op op; unsigned min, max; };
enum { TW_FUNCTION_ARGS = 16 };            /* of min and max                      */

/* Zeroed memory of the tree, or NULL.  Thread: any.  Memory: tw_typing_free frees. */
void *tw_typing_alloc(struct tw_typing *t, size_t bytes);
void tw_typing_free(struct tw_typing_chunk *chunks);

struct tw_expr *tw_typing_node(struct tw_typing *t, enum tw_expr_op op,
                               enum tw_expr_type type, unsigned at);

/* A node over one other or, where b is not NULL, two. */
struct tw_expr *tw_typing_over(struct tw_typing *t, enum tw_expr_op op,
                               enum tw_expr_type type, unsigned at,
                               const struct tw_expr *a, const struct tw_expr *b);

/* What a name or a text says, in memory of the tree, or NULL. */
const char *tw_typing_copy(struct tw_typing *t, const struct tw_token *token);

/* What a token of a value is, or a name that is neither called nor has a key. */
struct tw_expr *tw_typing_leaf(struct tw_typing *t, const struct tw_token *token);

/* The field of that name, if there is one, narrows the kinds. */
/* The field of that name, or NULL.  A whole bar is none: b may be a statistic. */
const struct tw_field_name *tw_expr_field(const char *name, size_t n);

struct tw_expr *tw_typing_field(struct tw_typing *t, const struct tw_token *token,
                                const struct tw_field_name *field);

/* The operand as a NUMBER or an INTEGER that stays one; as a NUMBER; as a BOOLEAN.
 * `who` begins the message: "mean takes numbers". */
bool tw_typing_is_number(struct tw_typing *t, const char *who, struct tw_operand a);
struct tw_expr *tw_typing_number(struct tw_typing *t, const char *who,
                                 struct tw_operand a);
struct tw_expr *tw_typing_condition(struct tw_typing *t, const char *who,
                                    struct tw_operand a);

bool tw_typing_is_constant(const struct tw_expr *e, enum tw_expr_type type);

struct tw_expr *tw_typing_unary(struct tw_typing *t, const struct tw_token *sign,
                                struct tw_operand a);
struct tw_expr *tw_typing_binary(struct tw_typing *t, enum tw_expr_op op,
                                 const struct tw_token *sign, struct tw_operand a,
                                 struct tw_operand b);

/* All functions: i = 0, 1, ... until NULL. */
const struct tw_function *tw_function_at(unsigned i);
const struct tw_function *tw_function_find(const char *name, size_t n);
struct tw_expr *tw_typing_call(struct tw_typing *t, const struct tw_function *f,
                               unsigned at, const struct tw_operand *args, unsigned n);

/* Whether two trees say the same. */
bool tw_expr_same(const struct tw_expr *a, const struct tw_expr *b);
bool tw_expr_same_by(const struct tw_expr_by *a, const struct tw_expr_by *b);

/* prev and its like: by symbol also where nothing is around them. */
bool tw_expr_looks_back(const struct tw_stat_kind *kind);

#endif

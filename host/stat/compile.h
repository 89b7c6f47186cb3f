/* compile.h - what the files share that turn declarations into operations.
 *
 * Layer host/stat.  Thread: the plan's owner's, all of it.
 */
#ifndef TW_COMPILE_H
#define TW_COMPILE_H

#include <string.h>

#include "stat/program.h"
#include "stat/token.h"

/* Where compiling is: of which declaration, for which kind of record. */
struct tw_compile {
    struct tw_plan *p;
    const struct tw_declaration *d;
    unsigned program, kinds;           /* of those that it is compiled for         */
    bool masked;                       /* `where` is for the statistics met        */
    struct tw_error *error;
};

/* Fails at a node; gives the code. */
#define TW_DENY(at, e, failure, ...) \
    (tw_source_fail(&(struct tw_source){ .text = (at)->d->text, .error = (at)->error, \
                                         .n = (unsigned)strlen((at)->d->text) }, \
                    (e)->column - 1, __VA_ARGS__), (at)->error->code = (failure))

/* ---- emit.c: columns and operations; what gives an int gives a column, or fails ---- */

int tw_emit_no_memory(const struct tw_compile *at);
int tw_emit_column(const struct tw_compile *at);

/* An operation with nothing but its kind. */
struct tw_op tw_emit_operation(enum tw_op_kind kind);

/* Appends it, with a column for what comes out where it wants one.  NULL: it failed. */
struct tw_op *tw_emit_append(const struct tw_compile *at, const struct tw_op *op,
                             bool has_out);

/* The operation of that kind on `what`, or NULL. */
struct tw_op *tw_emit_find_of(const struct tw_compile *at, enum tw_op_kind kind,
                              int what);

/* The column of an operation that is there, or is now. */
int tw_emit(const struct tw_compile *at, const struct tw_op *op);
int tw_emit_load(const struct tw_compile *at, enum tw_field field);
int tw_emit_apply(const struct tw_compile *at, enum tw_expr_op expr,
                  enum tw_expr_type type, int a, int b, int c);
int tw_emit_constant(const struct tw_compile *at, int64_t bits);
int tw_emit_number(const struct tw_compile *at, double x);
int tw_emit_mid(const struct tw_compile *at);

/* ---- compile.c: expressions ---- */

/* The column of an expression. */
int tw_compile(struct tw_compile *at, const struct tw_expr *e);

/* The space of what something is by, and its keys for the rows of this program. */
int tw_compile_keys(struct tw_compile *at, const struct tw_expr_by *by);
int tw_compile_find_space(const struct tw_plan *p, const struct tw_expr_by *by);

/* The push of a statistic; own: its states are nobody else's.  NULL: it failed. */
struct tw_op *tw_compile_push(struct tw_compile *at, const struct tw_expr *e, bool own);

/* The item that a reference names; not one that is just being compiled. */
int tw_compile_find_item(const struct tw_compile *at, const struct tw_expr *e);

#endif

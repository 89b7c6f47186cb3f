/* column.h - arithmetic on columns: one operation over up to TW_STAT_BATCH rows.
 *
 * Why: an operation that is looked up once for 256 rows costs a row a fraction of a
 * nanosecond, where walking the tree for each row costs some nanoseconds a node.
 *
 * A column of NUMBERs is doubles, of INTEGERs int64, of BOOLEANs int64 0 and 1; of
 * NAMEs the ids, int64.  The rows past n, up to the next multiple of TW_COLUMN_STEP,
 * are written too, with anything.
 *
 * Layer host/stat.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_STAT_COLUMN_H
#define TW_STAT_COLUMN_H

#include "stat/expr.h"

enum { TW_COLUMN_STEP = 4 };

union tw_column {
    _Alignas(64) double number[TW_STAT_BATCH];
    int64_t integer[TW_STAT_BATCH];
};

/* out may be one of the arguments; those that an operation lacks are NULL. */
typedef void tw_column_fn(unsigned n, union tw_column *out, const union tw_column *a,
                          const union tw_column *b, const union tw_column *c);

/* The operation on arguments of that type (of IFELSE: of its last two), or NULL: there
 * is none.  With AVX2 where the processor has it, and the same bits without. */
tw_column_fn *tw_column_op(enum tw_expr_op op, enum tw_expr_type type);

/* The same, without AVX2: what the test compares with. */
tw_column_fn *tw_column_op_plain(enum tw_expr_op op, enum tw_expr_type type);

#endif

/* array.h - a column of doubles that every state reads without a copy.
 *
 * An array is filled by who makes it and constant from then on.  Its elements lie
 * side by side, and the first of an array that is no slice begins a cache line.  A
 * slice shares the memory of the array that it was cut from, and keeps it.
 *
 * A NaN stands for a value that is missing: what is computed with it is a NaN.
 *
 * Layer host/share.
 */
#ifndef TW_ARRAY_H
#define TW_ARRAY_H

#include "share/object.h"

#define TW_ARRAY_MAX (UINT64_C(1) << 31)   /* elements */

extern const struct tw_object_type tw_array_type;   /* "tw.array" */

struct tw_array;

/* An array of n <= TW_ARRAY_MAX elements, all of which the caller writes to *data
 * before anybody else sees it.  NULL: no memory.
 * Thread: any.  Blocks: no.  Memory: one reference, the caller's. */
struct tw_array *tw_array_new(size_t n, double **data);

/* The n elements after the first `from` ones, all of which are there.
 * Thread: any.  Blocks: no.  Memory: as tw_array_new; it keeps what it shares. */
struct tw_array *tw_array_slice(struct tw_array *a, size_t from, size_t n);

/* Thread: any.  Blocks: no.  The last unref frees. */
struct tw_object *tw_array_object(struct tw_array *a);
void tw_array_unref(struct tw_array *a);

/* Thread: any.  Blocks: never.  The elements live as long as the array. */
size_t tw_array_length(const struct tw_array *a);
const double *tw_array_data(const struct tw_array *a);

/* The sum is compensated: its error is a few units in the last place, unless far
 * larger terms cancel.  The variance is that of a sample (it divides by n - 1), in two
 * passes.  Of too few elements a mean, a variance, a least and a greatest is NaN.
 * Thread: any.  Blocks: while it computes, below 1 ns for each element. */
double tw_array_sum(const struct tw_array *a);
double tw_array_mean(const struct tw_array *a);
double tw_array_variance(const struct tw_array *a);
double tw_array_min(const struct tw_array *a);
double tw_array_max(const struct tw_array *a);

/* The sum of products; both have the same length.
 * Thread: any.  Blocks: as tw_array_sum. */
double tw_array_dot(const struct tw_array *a, const struct tw_array *b);

enum tw_array_op { TW_ARRAY_ADD, TW_ARRAY_SUB, TW_ARRAY_MUL, TW_ARRAY_DIV, TW_ARRAY_POW };

/* One side: an array, or (array is NULL) a number beside each element. */
struct tw_array_side { const struct tw_array *array; double number; };

/* Element by element; one side at least is an array, and two have the same length.
 * Thread: any.  Blocks: while it computes.  Memory: as tw_array_new. */
struct tw_array *tw_array_combine(enum tw_array_op op, struct tw_array_side a,
                                  struct tw_array_side b);

/* Each element less the one before it, so there is one less; and the sums of all up
 * to each, compensated.
 * Thread: any.  Blocks: while it computes.  Memory: as tw_array_new. */
struct tw_array *tw_array_diff(const struct tw_array *a);
struct tw_array *tw_array_cumsum(const struct tw_array *a);

/* The function of that place in the list of names, which ends in NULL, of each.
 * Thread: any.  Blocks: while it computes.  Memory: as tw_array_new. */
extern const char *const tw_array_functions[];
struct tw_array *tw_array_map(const struct tw_array *a, unsigned function);

#endif

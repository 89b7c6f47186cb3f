/* sum.c - count, sum, mean, weighted sums. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_sums[] = { NULL };

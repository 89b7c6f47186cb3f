/* sketch.c - cardinality, most frequent values. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_sketches[] = { NULL };

/* series.c - last, lag, crossovers. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_series[] = { NULL };

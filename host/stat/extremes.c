/* extremes.c - minimum, maximum, drawdown. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_extremes[] = { NULL };

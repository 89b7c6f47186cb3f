/* quantile.c - exact rolling quantiles and sketches of them. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_quantiles[] = { NULL };

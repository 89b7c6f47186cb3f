/* average.c - exponentially weighted. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_averages[] = { NULL };

/* moments.c - variance and higher moments. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_moments[] = { NULL };

/* pair.c - of two series. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_pairs[] = { NULL };

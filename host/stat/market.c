/* market.c - of prices, sizes and the order book. */
#include "stat/kernel.h"

const struct tw_stat_kind *const tw_stat_market[] = { NULL };

/* panes.c - a window in time over whatever can be merged. */
#include "stat/kernel.h"

const struct tw_stat_ops tw_stat_panes = { 0 };

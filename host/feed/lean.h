/* lean.h - what the path of one of LEAN's files says about its rows.
 *
 * Layer host/feed.
 */
#ifndef TW_LEAN_H
#define TW_LEAN_H

#include "tape/names.h"

struct tw_lean {
    const char *preset;              /* of csv.h                                */
    char symbol[TW_NAME_MAX + 1];    /* upper case                              */
    int64_t base_ns;                 /* midnight of the day in the market's zone; 0:
                                      * rows have the day, in `zone`               */
    const char *time, *zone;         /* of csv.h, or NULL                       */
    int64_t interval_ns;             /* of bars; 0: ticks                       */
};

/* Reads the end of a path: .../equity/usa/tick/ibm/20131008_quote.zip, second and
 * minute likewise; .../equity/usa/daily/ibm.zip, hour likewise; forex and cfd of fxcm
 * and oanda, and crypto, in the same way.  TW_EUSAGE: error says which part
 * is not known (its reader then needs the CSV options one by one).
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_lean_path(const char *path, struct tw_lean *out, struct tw_error *error);

#endif

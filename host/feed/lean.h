/* lean.h - what the path of one of LEAN's tick files says about its rows.
 *
 * Layer host/feed.
 */
#ifndef TW_LEAN_H
#define TW_LEAN_H

#include "tape/names.h"

struct tw_lean {
    const char *preset;              /* of csv.h                                */
    char symbol[TW_NAME_MAX + 1];    /* upper case                              */
    int64_t base_ns;                 /* midnight of the day in the market's zone */
};

/* Reads the end of a path: .../equity/usa/tick/ibm/20131008_quote.zip, and
 * forex and cfd of fxcm and oanda likewise.  TW_EUSAGE: error says which part
 * is not known (its reader then needs the CSV options one by one).
 * Thread: any.  Blocks: never.  Memory: none. */
int tw_lean_path(const char *path, struct tw_lean *out, struct tw_error *error);

#endif

/* market.h - the parts of a host that a market needs: the tape and what is about it.
 *
 * Layer lua.
 */
#ifndef LTW_MARKET_H
#define LTW_MARKET_H

#include "ltw.h"

/* Makes the tape, for so many records, the symbols, topics, board and epoch.
 * UV_ENOMEM: the host has none of them.  Thread: MAIN.  Blocks: no. */
int ltw_market_open(struct ltw_host *h, size_t capacity);

/* Safe without an open.  Thread: MAIN, when the states of the host are gone. */
void ltw_market_close(struct ltw_host *h);

#endif

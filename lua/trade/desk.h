/* desk.h - what the strategies of a run share: limits of all, terms of instruments.
 *
 * Layer lua.
 */
#ifndef LTW_DESK_H
#define LTW_DESK_H

#include "ltw.h"
#include "trade/risk.h"
#include "trade/terms.h"

/* What an app says of an instrument beside tick and lot.  Constant for the run. */
struct ltw_instrument_terms {
    uint32_t symbol;
    char currency[8];                     /* "": the account's                        */
    int64_t multiplier, margin;
    bool settles_daily;
    const struct tw_calendar *calendar;   /* the desk's; NULL: open all the time      */
};

struct ltw_gateway;
struct tw_floor;

struct ltw_desk {
    struct tw_desk desk;                  /* of all strategies                        */
    struct ltw_instrument_terms *terms;   /* constant; n of them                      */
    size_t n;
    struct tw_calendar **calendars;       /* constant; n_calendars                    */
    size_t n_calendars;
    struct tw_floor *floor;               /* constant; where orders meet: run/floor.h  */
    struct ltw_gateway *gateways;         /* constant; see gateway.h                   */
    uint64_t started;                     /* constant; see ltw_desk_ids               */
    unsigned lanes;                       /* constant; those who have ids: below that */
};

/* NULL: no memory.  Thread: MAIN, before the workers. */
struct ltw_desk *ltw_desk_new(void);
void ltw_desk_free(struct ltw_desk *d);

/* [-0, +0, m]  What the declarations on top say of risk, calendars and instruments, whose
 * symbols have their ids.  TW_EUSAGE and others: *error says what can't be. */
int ltw_desk_read(lua_State *L, struct ltw_desk *d, struct tw_symbols *symbols,
                  struct tw_error *error);

/* Ids of orders are unique over runs from here on: they begin at the time, nanoseconds
 * since 2020, 18 digits till 2051.  Those who have some are `below` that number.
 * Thread: MAIN, before the workers. */
void ltw_desk_start(struct ltw_desk *d, int64_t time_ns, unsigned below);

/* The first id of one of them, and how far each is from the next: where a run can be
 * repeated 1, 2, 3, ... for all; else each has his own.  Thread: any. */
void ltw_desk_ids(const struct ltw_desk *d, unsigned of, uint64_t *first,
                  uint64_t *step);

/* NULL: nothing but tick and lot is known.  Thread: any. */
const struct ltw_instrument_terms *ltw_desk_terms(const struct ltw_desk *d,
                                                  uint32_t symbol);

/* The kill switch, and a line in the log of who and why (NULL: nothing is said of why).
 * Thread: any. */
void ltw_desk_halt(struct ltw_host *host, const char *who, bool halted, const char *why);

int ltw_halt(lua_State *L);            /* tw.halt           */
int ltw_resume_trading(lua_State *L);  /* tw.resume_trading */
int ltw_is_halted(lua_State *L);       /* tw.is_halted      */

#endif

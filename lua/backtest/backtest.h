/* backtest.h - a run over recorded data: all scripts in one state, on one thread.
 *
 *     history --> tape --> each script in turn, until all are quiet --> the next record
 *
 * What decides the order: time; of one time the order of the data; what scripts publish
 * comes behind the record that they were told of; and scripts are told in the order in
 * which they were declared.  Waits end by event time: one that is due at T before the
 * first record of a later time, and after all of T itself.
 *
 * Layer lua.  Thread: the one that made it, which is its MAIN as long as it runs.
 */
#ifndef LTW_BACKTEST_H
#define LTW_BACKTEST_H

#include <pthread.h>

#include "backtest/chart.h"
#include "run/engine.h"
#include "feed/history.h"
#include "backtest/journal.h"
#include "ltime.h"
#include "backtest/orderlist.h"
#include "watchdog.h"

struct ltw_backtest_options {
    int64_t from_ns, to_ns;         /* of records that are traded on: [from, to)       */
    int64_t warmup_ns;              /* so long before from ...                         */
    uint64_t warmup_records;        /* ... or so many records before it: no orders yet */
    size_t capacity, memory_max;    /* of the tape; of the state                       */
    int64_t time_max_ns;            /* CPU time that a handler may take; 0: no limit   */
    const char *directory, *search; /* of the app file; copied                         */
    struct ltw_state *outer;        /* that waits for the run; it has a host           */
    const char *benchmark;          /* its symbol; NULL: the only one of the data      */
    bool brief;                     /* no curves, nor prices of all symbols            */
    bool forgets;                   /* orders that have ended: their hash is enough    */
    bool single_steps;              /* every record is a step of its own: for tests    */
    /* What is printed and logged, with the time of the event.  Thread: any, one at a
     * time. */
    void (*line)(void *ctx, int64_t time_ns, enum tw_log_level level, const char *who,
                 const char *text, size_t n);
    /* Now and then; false: the run ends with TW_ESTOPPED. */
    bool (*progress)(void *ctx);
    void *ctx;                      /* of both                                         */
    struct tw_probe *probe;         /* of an order of one script, or NULL              */
    uint32_t probed;                /* that script: 1, 2, ...                          */
};

struct ltw_backtest {
    struct ltw_backtest_options o;    /* constant                                    */
    struct ltw_host host;
    struct ltw_engine engine;         /* its state, and the scripts                  */
    struct ltw_time time;
    struct ltw_counted counted;       /* jobs of the pool that are under way         */
    struct tw_history *history;
    struct tw_unseen unseen;
    struct tw_epoch_reader *reader;
    struct ltw_script_options *scripts;
    struct ltw_script_counts *counts;
    unsigned n;                       /* of scripts that are filled                  */
    char *search, *directory;         /* of the host                                 */
    struct ltw_journal **journals;    /* of the scripts                              */
    struct ltw_orderlist list;        /* of what they have forgotten                 */
    struct tw_ledger *curve;          /* of all of them, since from                  */
    bool rated;                       /* it has begun: all rates are known           */
    tw_money start;                   /* what there was then                         */
    int64_t till_ns;                  /* a mark on it before then                    */
    uint32_t benchmark;               /* 0: none yet                                 */
    struct tw_gaps *gaps;             /* NULL: nobody asks                           */
    bool gaps_of_ticks;               /* not of bars alone                           */
    struct tw_mix *mix;               /* likewise                                    */
    bool is_empty;                    /* no record is of the time that is asked for  */
    bool has_others;                  /* there is more than one symbol               */
    struct tw_record beside;          /* the benchmark's last one                    */
    double *market;                   /* its price at the end of each day, n_market  */
    size_t n_market, market_room;
    struct ltw_chart *charts;         /* by symbol, n_charts                         */
    size_t n_charts;
    uint64_t exposed_ns;              /* with a position                             */
    bool was_open;                    /* at the record before                        */
    bool ruined;                      /* all were worth nothing, or less: since ...  */
    int64_t ruined_ns;
    uint64_t records;                 /* that were read                              */
    uint64_t handled;                 /* of those, since from                        */
    int64_t first_ns, since_ns, last_ns;    /* of those that were read, or handled   */
    int64_t at_ns;                    /* tw_record_at of the last one                */
    int64_t took_ns;                  /* of real time                                */
    const struct tw_record *next, *till;    /* of the history, all of them since from */
    struct tw_record *ring;           /* the last ones before from                   */
    uint64_t ringed, told;            /* that went into it; of it                    */
    struct tw_builder *builder;       /* of values of recorded messages              */
    bool warm;                        /* orders pass                                 */
    int64_t looked_ns;                /* at the progress                             */
    struct ltw_alarm alarm;           /* of handlers without end, if has_alarm       */
    pthread_mutex_t lock;             /* guards the next two                         */
    pthread_cond_t rung;
    bool is_rung;                     /* mutex                                       */
    pthread_mutex_t lines;            /* one at a time                               */
    struct tw_error error;            /* why it ended; code 0: it did not            */
    char *_Atomic why;                /* atomic: the first error that was logged     */
    unsigned char role;               /* of the thread before                        */
    struct ltw_trader **traders;      /* of the scripts                              */
    struct tw_floor *floor;           /* where their orders meet, or NULL            */
    bool opened, failed, has_alarm;
    bool is_single;                   /* one script, and no orders meet: see more    */
};

/* An empty host of its own: the caller adds instruments, history and scripts.  NULL: no
 * memory. */
struct ltw_backtest *ltw_backtest_new(const struct ltw_backtest_options *options);

/* One more script, with its options, which become the backtest's; they have been checked.
 * name and path are copied. */
int ltw_backtest_add(struct ltw_backtest *b, lua_State *L, const char *name,
                     const char *path, struct tw_any options);

/* The symbols that have a number by now, before there are data, are declared: scripts see
 * them from the start, the others when a record of theirs has come. */
void ltw_backtest_declared(struct ltw_backtest *b);

/* Makes the state, in which the scripts' files run: what ltw_backtest_run begins with.
 * Blocks: while they do. */
int ltw_backtest_open(struct ltw_backtest *b);

/* Runs all of it; it fails with b->error.  Blocks: for the whole run. */
void ltw_backtest_run(struct ltw_backtest *b);

/* Why it has ended, where that is more than b->error says; or NULL. */
const char *ltw_backtest_why(const struct ltw_backtest *b);

/* What all scripts have of a figure, in 1e-9 of the first one's currency; the account of
 * one; and what 1 of that currency costs in its own, 0: not known yet. */
tw_money ltw_backtest_sum(const struct ltw_backtest *b,
                          tw_money (*figure)(const struct tw_account *a));
struct tw_account *ltw_backtest_account(const struct ltw_backtest *b, unsigned script);
int64_t ltw_backtest_rate(const struct ltw_backtest *b, unsigned script);

/* Ends what is left; b may be NULL. */
void ltw_backtest_free(struct ltw_backtest *b);

#endif

/* performance.h - figures of an equity curve and of its trades.
 *
 * Two families are in use, and both are given, by name.  With r the returns of the
 * periods (days), n of them, N periods a year:
 *
 *   arithmetic   annual      (prod(1 + r))^(N / n) - 1, n with a first period of none
 *                volatility  sd(r) sqrt(N)            sd with n - 1
 *                sharpe      mean(r) / sd(r) sqrt(N)
 *                sortino     mean(r) N / (sqrt(mean(min(r, 0)^2)) sqrt(N))
 *   geometric    g           exp(mean(log(1 + r))) - 1
 *                annual      (1 + g)^N - 1
 *                volatility  sqrt((var(r) + (1 + g)^2)^N - (1 + g)^2N)
 *                sharpe      annual / volatility
 *                sortino     annual / (sqrt(mean(min(r, 0)^2)) sqrt(N))
 *   both         calmar      annual / -max_drawdown
 *   cagr         (final / start)^(365.25 days / time) - 1
 *
 * A return on what is not above zero means nothing, and its sign is the wrong one: a
 * curve that was ever at or below zero is ruined.  It has neither the figures above nor
 * returns behind that time.
 *
 * Sources: W. F. Sharpe, The Sharpe Ratio, J. of Portfolio Management 21 (1994);
 * F. Sortino and L. Price, Performance Measurement in a Downside Risk Framework, J. of
 * Investing 3 (1994); T. W. Young, Calmar Ratio, Futures 20 (1991); J. L. Kelly, A New
 * Interpretation of Information Rate, Bell Syst. Tech. J. 35 (1956); V. K. Tharp (SQN).
 *
 * Layer host/trade.  Thread: any.  Blocks: never.  Memory: none.
 */
#ifndef TW_PERFORMANCE_H
#define TW_PERFORMANCE_H

#include "base/tw.h"

/* NaN: it can't be said, for want of returns or trades.  0.1 is 10 %. */
struct tw_ratios { double annual_return, volatility, sharpe, sortino, calmar; };

struct tw_curve_figures {
    double start, final, peak, total_return, cagr;
    struct tw_ratios arithmetic, geometric;
    double max_drawdown, average_drawdown;        /* below 0                          */
    int64_t max_drawdown_ns, average_drawdown_ns; /* from a peak to its like          */
    double best_period, worst_period;
    bool ruined;                                  /* at or below zero, since ...      */
    int64_t ruined_ns;
};

/* The equity at a time. */
struct tw_point { int64_t time_ns; double equity; };

/* One point for the end of each period, n of them, in the order of time, so many a year.
 * start: what there was before the first period, and when that began: total_return, cagr
 * and the drawdowns count from it; the returns of periods are from one point to the
 * next. */
void tw_curve_figures(const struct tw_point *start, const struct tw_point *points,
                      size_t n, double periods, struct tw_curve_figures *out);

/* The equity was at or below zero at a time between two points. */
void tw_curve_ruin(struct tw_curve_figures *f, int64_t time_ns);

/* Beside the returns of a market; b are those:
 *   beta             cov(r, b) / var(b)                     (least squares)
 *   log_beta         the same of log(1 + r) and log(1 + b)
 *   alpha            (mean(r) - beta mean(b)) N             a year
 *   compound_alpha   (1 + mean(r) - beta mean(b))^N - 1     likewise
 * M. C. Jensen, The Performance of Mutual Funds in the Period 1945-1964, J. of Finance 23
 * (1968), without a rate that is free of risk. */
struct tw_beside { double beta, log_beta, alpha, compound_alpha; };

/* Of periods for which both are known, not NaN. */
void tw_curve_beside(const double *returns, const double *market, size_t n,
                     double periods, struct tw_beside *out);

/* What a closed trade came to: all that figures are made of. */
struct tw_outcome {
    double pnl;                   /* after fees                                      */
    double ratio;                 /* pnl / the value of the entries                  */
    int64_t open_ns;              /* from its entry to its exit                      */
};

struct tw_trip_figures {
    uint64_t trades, won;
    double win_rate, best, worst, average;        /* ratios; average: geometric mean  */
    double profit_factor;         /* sum of gains / sum of losses, of the ratios      */
    double expectancy;            /* mean of the ratios                               */
    double sqn;                   /* sqrt(trades) mean(pnl) / sd(pnl)                 */
    double kelly;                 /* w - (1 - w) / (mean gain / mean loss), of pnl    */
    int64_t max_ns, average_ns;   /* how long they were open                          */
};

void tw_trip_figures(const struct tw_outcome *outcomes, size_t n,
                     struct tw_trip_figures *out);

#endif

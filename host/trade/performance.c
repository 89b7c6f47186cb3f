/* performance.c - figures of an equity curve and of its trades. */
#include "trade/performance.h"

#include <math.h>

/* ---- returns ---- */

/* Sums over the periods' returns; the first period has none. */
struct sums { size_t n, periods; double sum, logs, losses; };

static void add(struct sums *s, double r)
{
    s->periods++;
    if (isnan(r)) return;
    s->n++;
    s->sum += r;
    s->logs += log1p(r);
    s->losses += r < 0 ? r * r : 0;
}

static void conclude(const struct sums *s, double squares, double periods,
                     struct tw_curve_figures *out)
{
    double n = (double)s->n, mean = s->sum / n;
    double variance = n > 1 ? squares / (n - 1) : NAN;
    double g = expm1(s->logs / n), year = sqrt(periods);
    double downside = sqrt(s->losses / n) * year;
    struct tw_ratios *a = &out->arithmetic, *o = &out->geometric;

    a->annual_return = exp(s->logs * periods / (double)s->periods) - 1;
    a->volatility = sqrt(variance) * year;
    a->sharpe = mean / sqrt(variance) * year;
    a->sortino = mean * periods / downside;
    a->calmar = a->annual_return / -out->max_drawdown;
    o->annual_return = pow(1 + g, periods) - 1;
    o->volatility = sqrt(pow(variance + (1 + g) * (1 + g), periods)
                         - pow(1 + g, 2 * periods));
    o->sharpe = o->annual_return / o->volatility;
    o->sortino = o->annual_return / downside;
    o->calmar = o->annual_return / -out->max_drawdown;
}

/* ---- the curve ---- */

/* Falls from a peak until it is reached again, or the end. */
struct falls {
    double peak, worst, sum;
    int64_t from_ns, longest_ns, sum_ns;
    unsigned n;
    double now;
};

static void end_fall(struct falls *f, int64_t time_ns)
{
    if (f->now >= 0) return;
    f->n++;
    f->sum += f->now;
    f->sum_ns += time_ns - f->from_ns;
    if (time_ns - f->from_ns > f->longest_ns) f->longest_ns = time_ns - f->from_ns;
    f->now = 0;
}

static void fall(struct falls *f, double equity, int64_t time_ns)
{
    double depth;

    if (equity >= f->peak) {
        end_fall(f, time_ns);
        f->peak = equity;
        f->from_ns = time_ns;
        return;
    }
    depth = equity / f->peak - 1;
    if (depth < f->now) f->now = depth;
    if (depth < f->worst) f->worst = depth;
}

static void set_falls(const struct falls *f, struct tw_curve_figures *out)
{
    out->peak = f->peak;
    out->max_drawdown = f->worst;
    out->max_drawdown_ns = f->longest_ns;
    out->average_drawdown = f->n ? f->sum / f->n : 0;
    out->average_drawdown_ns = f->n ? f->sum_ns / f->n : 0;
}

static void note_return(struct tw_curve_figures *out, double r)
{
    if (!(r <= out->best_period)) out->best_period = r;
    if (!(r >= out->worst_period)) out->worst_period = r;
}

#define NONE { NAN, NAN, NAN, NAN, NAN }
static const struct tw_curve_figures none = { NAN, NAN, NAN, NAN, NAN, NONE, NONE, NAN,
                                              NAN, 0, 0, NAN, NAN, false, 0 };

void tw_curve_ruin(struct tw_curve_figures *f, int64_t time_ns)
{
    if (f->ruined && f->ruined_ns <= time_ns) return;
    f->ruined = true;
    f->ruined_ns = time_ns;
    f->cagr = NAN;
    f->arithmetic = f->geometric = none.arithmetic;
}

static double return_of(const struct tw_point *p, size_t i)
{
    return p[i].equity / p[i - 1].equity - 1;
}

void tw_curve_figures(const struct tw_point *start, const struct tw_point *points,
                      size_t n, double periods, struct tw_curve_figures *out)
{
    const double year_ns = 365.25 * 86400e9;
    struct sums s = { 0 };
    struct falls f = { .peak = start->equity, .from_ns = start->time_ns };
    double squares = 0, mean;

    *out = none;
    if (n == 0) return;
    out->start = start->equity;
    out->final = points[n - 1].equity;
    if (start->equity <= 0) {
        tw_curve_ruin(out, start->time_ns);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        double r = i && !out->ruined ? return_of(points, i) : NAN;

        fall(&f, points[i].equity, points[i].time_ns);
        add(&s, r);
        if (!isnan(r)) note_return(out, r);
        if (points[i].equity <= 0) tw_curve_ruin(out, points[i].time_ns);
    }
    end_fall(&f, points[n - 1].time_ns);
    set_falls(&f, out);
    out->total_return = out->final / out->start - 1;
    if (out->ruined) return;
    mean = s.sum / (double)s.n;
    for (size_t i = 1; i < n; i++) {
        double r = return_of(points, i) - mean;

        squares += r * r;
    }
    out->cagr = pow(out->final / out->start,
                    year_ns / (double)(points[n - 1].time_ns - start->time_ns)) - 1;
    conclude(&s, squares, periods, out);
}

/* Sums of pairs, each taken off the mean so far: no large squares are subtracted. */
struct pairs { double n, x, y, xx, xy; };

static void add_pair(struct pairs *p, double x, double y)
{
    double dx = x - p->x;

    p->n++;
    p->x += dx / p->n;
    p->y += (y - p->y) / p->n;
    p->xx += dx * (x - p->x);
    p->xy += dx * (y - p->y);
}

void tw_curve_beside(const double *returns, const double *market, size_t n,
                     double periods, struct tw_beside *out)
{
    struct pairs p = { 0 }, logs = { 0 };
    double rest;

    for (size_t i = 0; i < n; i++) {
        if (isnan(returns[i]) || isnan(market[i])) continue;
        add_pair(&p, market[i], returns[i]);
        add_pair(&logs, log1p(market[i]), log1p(returns[i]));
    }
    out->beta = p.xy / p.xx;
    out->log_beta = logs.xy / logs.xx;
    rest = p.y - out->beta * p.x;
    out->alpha = rest * periods;
    out->compound_alpha = pow(1 + rest, periods) - 1;
}

/* ---- trades ---- */

/* Of those that won, and those that lost. */
struct halves { double gains, losses, won, lost; uint64_t n_won, n_lost; };

static void add_half(struct halves *h, const struct tw_outcome *t)
{
    if (t->ratio > 0) h->gains += t->ratio;
    else h->losses -= t->ratio;
    if (t->pnl > 0) {
        h->won += t->pnl;
        h->n_won++;
    } else if (t->pnl < 0) {
        h->lost -= t->pnl;
        h->n_lost++;
    }
}

void tw_trip_figures(const struct tw_outcome *outcomes, size_t n,
                     struct tw_trip_figures *out)
{
    struct halves h = { 0 };
    double logs = 0, sum = 0, pnl = 0, squares = 0, count = (double)n;
    int64_t open_ns = 0;
    bool ruined = false;

    *out = (struct tw_trip_figures){ .trades = n, .best = NAN, .worst = NAN };
    for (size_t i = 0; i < n; i++) {
        const struct tw_outcome *t = &outcomes[i];

        add_half(&h, t);
        sum += t->ratio;
        pnl += t->pnl;
        logs += log1p(t->ratio);
        ruined |= t->ratio <= -1;
        if (!(t->ratio <= out->best)) out->best = t->ratio;
        if (!(t->ratio >= out->worst)) out->worst = t->ratio;
        open_ns += t->open_ns / (int64_t)n;
        if (t->open_ns > out->max_ns) out->max_ns = t->open_ns;
    }
    for (size_t i = 0; i < n; i++)
        squares += (outcomes[i].pnl - pnl / count) * (outcomes[i].pnl - pnl / count);
    out->won = h.n_won;
    out->average_ns = open_ns;
    out->win_rate = (double)h.n_won / count;
    out->average = ruined ? NAN : expm1(logs / count);
    out->expectancy = sum / count;
    out->profit_factor = h.gains / h.losses;
    out->sqn = sqrt(count) * (pnl / count) / sqrt(squares / (count - 1));
    out->kelly = out->win_rate - (1 - out->win_rate)
               / ((h.won / (double)h.n_won) / (h.lost / (double)h.n_lost));
}

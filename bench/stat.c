/* stat.c - what a row costs each statistic, and what a key.
 *
 * Nanoseconds a row, scattered evenly over 1, 1,000 and 100,000 keys: without and
 * with a value after each row.  Below some of them are loops written by hand
 * (stat_hand.h), each with how many times its cost the statistic has; the same in Lua;
 * and s:push(x) from Lua.  Each figure is CPU time, the least of a few rounds over
 * the same rows, whose time goes on.
 *
 * With one argument: only the statistics whose name begins with it.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ltw.h"
#include "stat/stat.h"
#include "stat_hand.h"

#define STEP_NS INT64_C(1000000)   /* between two rows */

enum { ROWS = 1 << 18, ROUNDS = 5, SCALES = 3, MOST = 100000 };
static const size_t most_bytes = (size_t)1 << 29;   /* of states; more: not measured */
static const int64_t enough_ns = 50000000;          /* no further round after that   */
static const uint32_t scales[SCALES] = { 1, 1000, MOST };

static double column[TW_STAT_INPUTS][ROWS], out[ROWS];
static uint32_t keys[SCALES][ROWS];
static int64_t times[ROWS];

static uint64_t seed = 1;
static double uniform(void)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (double)(seed >> 11) * 0x1p-53;
}

/* Quotes: bid, bid_size, ask, ask_size; prices are in cents, exactly. */
static void make_rows(void)
{
    double mid = 10000;

    for (unsigned i = 0; i < ROWS; i++) {
        mid += floor(uniform() * 3 - 1);
        column[0][i] = (mid - 1) / 100;
        column[1][i] = 100 + floor(uniform() * 900);
        column[2][i] = (mid + 1) / 100;
        column[3][i] = 100 + floor(uniform() * 900);
        times[i] = INT64_C(1700000000000000000) + i * STEP_NS;
        for (int k = 0; k < SCALES; k++)
            keys[k][i] = (uint32_t)(uniform() * scales[k]);
    }
}

/* ---- one line ---- */

struct figures { double plain[SCALES], with_out[SCALES]; };

/* What is measured: a statistic, a loop by hand, or a loop in Lua. */
struct measured {
    const struct tw_stat *s;
    const struct by_hand *hand;
    lua_State *L;            /* the function that goes over the rows is on top */
};

static void once(const struct measured *m, void *states, int scale, bool with_out)
{
    if (m->L) {
        lua_pushvalue(m->L, -1);
        lua_pushboolean(m->L, with_out);
        lua_call(m->L, 1, 0);
        return;
    }
    for (unsigned i = 0; i < ROWS; i += TW_STAT_BATCH) {
        struct tw_stat_rows r = { .n = TW_STAT_BATCH, .key = keys[scale] + i,
                                  .time = times + i, .out = with_out ? out + i : NULL };

        for (unsigned j = 0; j < TW_STAT_INPUTS; j++) r.x[j] = column[j] + i;
        if (m->hand) m->hand->run(states, &r);
        else m->s->ops->run(m->s, states, &r);
    }
}

static double least(const struct measured *m, void *states, int scale, bool with_out)
{
    double best = INFINITY;
    int64_t took;

    for (int64_t all = 0, round = 0; round == 0 || (round < ROUNDS && all < enough_ns);
         round++) {
        const int64_t begin = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID);

        once(m, states, scale, with_out);
        took = tw_clock_of_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
        best = fmin(best, (double)took / ROWS);
        all += took;
        for (unsigned i = 0; i < ROWS; i++) times[i] += ROWS * STEP_NS;
    }
    return best;
}

static struct figures measure(const struct measured *m, size_t size)
{
    struct figures f;

    for (int k = 0; k < SCALES; k++) {
        void *states = NULL;

        f.plain[k] = f.with_out[k] = NAN;
        if (size * scales[k] > most_bytes) continue;
        /* On a line of the cache, as a slab of states is. */
        if (posix_memalign(&states, 64, size * scales[k]) != 0) abort();
        memset(states, 0, size * scales[k]);
        f.plain[k] = least(m, states, k, false);
        memset(states, 0, size * scales[k]);
        f.with_out[k] = least(m, states, k, true);
        free(states);
    }
    return f;
}

static void numbers(const struct figures *f)
{
    for (int k = 0; k < SCALES; k++)
        if (isnan(f->plain[k])) printf(" %8s %7s", "-", "-");
        else printf(" %8.1f %7.1f", f->plain[k], f->with_out[k]);
}

static void ratio(const struct figures *f, const struct figures *to)
{
    printf("%-36s", "    ratio");
    for (int k = 0; k < SCALES; k++)
        printf(" %8.2f %7.2f", f->plain[k] / to->plain[k],
               f->with_out[k] / to->with_out[k]);
    printf("\n");
}

/* Over all rows of a scale: new() makes a key's state, `push` takes x and y into it. */
static const char lua_rows[] =
    "local key, xs, ys, keys = ...; local stat = require 'tw.stat'\n"
    "local states, out = {}, table.move(xs, 1, #xs, 1, {})\n"
    "for k = 0, keys - 1 do states[k] = %s end\n"
    "return function(with_out)\n"
    "    for i = 1, #key do\n"
    "        local s, x, y = states[key[i]], xs[i], ys[i]\n"
    "        if x == x and y == y then %s end\n"
    "        if with_out then out[i] = %s end\n"
    "    end\n"
    "end\n";

static void push_column(lua_State *L, const double *x, const uint32_t *key)
{
    lua_createtable(L, ROWS, 0);
    for (unsigned i = 0; i < ROWS; i++) {
        if (x) lua_pushnumber(L, x[i]);
        else lua_pushinteger(L, key[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static struct figures in_a_state(const char *new, const char *push, const char *value)
{
    static const struct tw_record record = { .time = 1 };
    struct figures f;
    char code[1000];

    snprintf(code, sizeof code, lua_rows, new, push, value);
    for (int k = 0; k < SCALES; k++) {
        struct ltw_state *state = ltw_state_new(NULL, SIZE_MAX / 2);
        lua_State *L = state ? state->L : NULL;
        struct measured m = { .L = L };

        if (!L || luaL_loadbuffer(L, code, strlen(code), "=rows") != LUA_OK) abort();
        push_column(L, NULL, keys[k]);
        push_column(L, column[0], NULL);
        push_column(L, column[1], NULL);
        lua_pushinteger(L, scales[k]);
        lua_call(L, 4, 1);
        state->record = &record;     /* so that a push asks no clock */
        f.plain[k] = least(&m, NULL, k, false);
        f.with_out[k] = least(&m, NULL, k, true);
        ltw_state_free(state);
    }
    return f;
}

/* A statistic as it is made in Lua: "stat.ewma {alpha=0.05}". */
static void lua_lines(const struct tw_stat *s, const char *text)
{
    const size_t name = strcspn(text, "(");
    char new[200];

    for (size_t i = 0; i < sizeof in_lua / sizeof *in_lua; i++) {
        struct figures f;

        if (strcmp(in_lua[i].of, text) != 0) continue;
        f = in_a_state(in_lua[i].new, in_lua[i].push, in_lua[i].value);
        printf("%-36s", "  in Lua");
        numbers(&f);
        snprintf(new, sizeof new, "stat.%.*s {%.*s}", (int)name, text,
                 (int)(strlen(text) - name - 2), text + name + 1);
        f = in_a_state(new, s->n_inputs == 1 ? "s:push(x)" : "s:push(x, y)", "s.value");
        printf("\n%-36s", "  pushed from Lua");
        numbers(&f);
        printf("\n");
    }
}

static void line(const struct tw_stat *s)
{
    const struct measured m = { .s = s };
    const struct figures f = measure(&m, s->size);
    char text[100];

    tw_stat_text(s, text, sizeof text);
    printf("%-36s", text);
    numbers(&f);
    printf(" %9zu %9.1f\n", s->size, (double)s->size * MOST / 1e6);
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        const struct measured hand = { .hand = &by_hand[i] };
        struct figures h;

        if (strcmp(by_hand[i].of, text) != 0) continue;
        h = measure(&hand, by_hand[i].size);
        printf("  by hand%s%-27s", by_hand[i].what[0] ? ": " : "  ", by_hand[i].what);
        numbers(&h);
        printf(" %9zu %9.1f\n", by_hand[i].size,
               (double)by_hand[i].size * MOST / 1e6);
        ratio(&f, &h);
    }
    lua_lines(s, text);
    fflush(stdout);
}

/* ---- every way of every kind ---- */

/* What is asked of each kind that takes it; the required ones always. */
static const struct way {
    unsigned bit;
    const char *name;
    double value;
    bool is_time;
} ways[] = {
    { 0, NULL, 0, false },
    { TW_STAT_WINDOW, "window", WINDOW, false },
    { TW_STAT_TIME, "window", 10e9, true },
    { TW_STAT_ALPHA, "alpha", 0.05, false },
    { TW_STAT_HALF_LIFE, "half_life", 10e9, true },
    { TW_STAT_EVERY, "every", 1e9, true },
}, needed[] = {
    { TW_STAT_P, "p", 0.5, false },
    { TW_STAT_LAG, "lag", 4, false },
    { TW_STAT_K, "k", 10, false },
};

static int set(const struct tw_stat_kind *k, struct tw_stat_options *o,
               const struct way *w)
{
    return tw_stat_set(k, o, w->name, strlen(w->name), w->value, w->is_time, NULL);
}

static void kind(const struct tw_stat_kind *k)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct tw_stat_options o = tw_stat_no_options();
        struct tw_stat s;

        if (ways[i].bit && (!(ways[i].bit & k->options) || set(k, &o, &ways[i]) != TW_OK))
            continue;
        for (size_t j = 0; j < sizeof needed / sizeof *needed; j++)
            if (needed[j].bit & k->required) set(k, &o, &needed[j]);
        /* Not without an option that it needs. */
        if (tw_stat_init(&s, k, &o, NULL) == TW_OK) line(&s);
    }
}

int main(int argc, char **argv)
{
    const char *only = argc > 1 ? argv[1] : "";
    const struct tw_stat_kind *k;

    make_rows();
    printf("%-36s %16s %16s %16s %9s %9s\n", "ns a row (and with each value)", "1 key",
           "1,000 keys", "100,000 keys", "bytes", "MB/100k");
    for (unsigned i = 0; (k = tw_stat_kind(i)) != NULL; i++)
        if (strncmp(k->name, only, strlen(only)) == 0) kind(k);
    return 0;
}

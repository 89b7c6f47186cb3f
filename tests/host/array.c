/* array.c - columns of doubles: made once, shared, computed with (A1, A2). */
#include "share/array.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "share/array_csv.h"
#include "place.h"
#include "tap.h"

enum { THREADS = 4 };

/* Of n elements, f(i). */
static struct tw_array *make(size_t n, double (*f)(size_t i))
{
    double *data;
    struct tw_array *a = tw_array_new(n, &data);

    for (size_t i = 0; i < n; i++) data[i] = f(i);
    return a;
}

static struct tw_array *of(size_t n, const double *x)
{
    double *data;
    struct tw_array *a = tw_array_new(n, &data);

    if (n) memcpy(data, x, n * sizeof *x);
    return a;
}

#define OF(...) of(sizeof (double[]){ __VA_ARGS__ } / sizeof(double), \
                   (double[]){ __VA_ARGS__ })

static double whole(size_t i)
{
    return (double)(i % 7) - 3;
}

static double price(size_t i)
{
    return 1e9 + (double)(i * 2654435761u % 1000) / 1000;
}

static struct tw_array_side array(const struct tw_array *a)
{
    return (struct tw_array_side){ .array = a };
}

static struct tw_array_side number(double x)
{
    return (struct tw_array_side){ .number = x };
}

static bool same(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

/* Is it these, bit by bit?  Lets it go. */
static bool is(struct tw_array *a, size_t n, const double *want)
{
    bool all = tw_array_length(a) == n;

    for (size_t i = 0; all && i < n; i++) all = same(tw_array_data(a)[i], want[i]);
    tw_array_unref(a);
    return all;
}

#define IS(a, ...) is(a, sizeof (double[]){ __VA_ARGS__ } / sizeof(double), \
                      (double[]){ __VA_ARGS__ })

static void memory(void)
{
    struct tw_array *a = OF(1, 2, 3, 4, 5), *b, *c, *none = of(0, NULL);

    ok(tw_array_object(a)->type == &tw_array_type, "it is an object");
    ok((uintptr_t)tw_array_data(a) % TW_CACHELINE == 0, "it begins a cache line");
    ok(tw_array_length(a) == 5 && tw_array_length(none) == 0, "it has its length");
    b = tw_array_slice(a, 1, 3);
    c = tw_array_slice(b, 1, 2);
    ok(tw_array_data(b) == tw_array_data(a) + 1 && tw_array_length(b) == 3,
       "a slice is its memory");
    ok(tw_array_data(c) == tw_array_data(a) + 2, "so is a slice of one");
    tw_array_unref(a);
    tw_array_unref(b);
    ok(IS(c, 3, 4), "which stays as long as the slice");
    a = tw_array_slice(none, 0, 0);
    ok(tw_array_length(a) == 0, "of nothing, nothing");
    tw_array_unref(a);
    tw_array_unref(none);
    ok(tw_object_live() == 0, "all is let go");
}

/* Each length and alignment up to a few lanes, against plain loops on whole numbers. */
static void lanes(void)
{
    struct tw_array *all = make(64, whole);
    bool sums = true, extremes = true, dots = true, adds = true, maps = true, cums = true;

    for (size_t from = 0; from < 4; from++)
        for (size_t n = 1; n <= 40; n++) {
            struct tw_array *a = tw_array_slice(all, from, n);
            struct tw_array *b = tw_array_slice(all, from + 3, n);
            struct tw_array *sum = tw_array_combine(TW_ARRAY_ADD, array(a), array(b));
            struct tw_array *abs = tw_array_map(a, 0), *cum = tw_array_cumsum(a);
            const double *x = tw_array_data(a), *y = tw_array_data(b);
            double s = 0, dot = 0, least = x[0], most = x[0];

            for (size_t i = 0; i < n; i++) {
                s += x[i];
                dot += x[i] * y[i];
                if (x[i] < least) least = x[i];
                if (x[i] > most) most = x[i];
                adds &= tw_array_data(sum)[i] == x[i] + y[i];
                maps &= tw_array_data(abs)[i] == fabs(x[i]);
                cums &= tw_array_data(cum)[i] == s;
            }
            sums &= tw_array_sum(a) == s && tw_array_mean(a) == s / (double)n;
            dots &= tw_array_dot(a, b) == dot;
            extremes &= tw_array_min(a) == least && tw_array_max(a) == most;
            tw_array_unref(a);
            tw_array_unref(b);
            tw_array_unref(sum);
            tw_array_unref(abs);
            tw_array_unref(cum);
        }
    ok(sums && dots && extremes, "sum, mean, dot, min and max of every length");
    ok(adds && maps && cums, "operators, functions and cumsum, too");
    tw_array_unref(all);
}

static void exactness(void)
{
    size_t n = getenv("SMALL") ? 1000 : 1000000;
    struct tw_array *a = OF(1e16, 1, -1e16, 1, 1e16, 3, 0, 0, 0, -1e16);
    struct tw_array *p = make(n, price), *c = tw_array_cumsum(p);
    const double *x = tw_array_data(p);
    long double sum = 0, squares = 0;

    ok(tw_array_sum(a) == 5, "a sum loses nothing to what is large for a while");
    tw_array_unref(a);
    for (size_t i = 0; i < n; i++) sum += x[i];
    for (size_t i = 0; i < n; i++)
        squares += (x[i] - sum / (long double)n) * (x[i] - sum / (long double)n);
    squares /= (long double)(n - 1);
    ok(fabsl(tw_array_sum(p) - sum) <= sum * 2.3e-16L, "a sum far from 0");
    ok(tw_array_data(c)[n - 1] == tw_array_sum(p), "the last of cumsum is it");
    ok(fabsl(tw_array_variance(p) - squares) <= squares * 1e-12L,
       "a variance far from 0: %.17g, not %.17Lg", tw_array_variance(p), squares);
    tw_array_unref(p);
    tw_array_unref(c);
}

static void edges(void)
{
    struct tw_array *none = of(0, NULL), *one = OF(2), *nan = OF(1, NAN, 3);
    struct tw_array *inf = OF(INFINITY, 1, 2), *both = OF(INFINITY, -INFINITY);
    struct tw_array *large = OF(1e308, 1e308), *tail = make(20, whole), *late;
    double *data;
    int at = 0;

    ok(tw_array_sum(none) == 0 && isnan(tw_array_mean(none)), "of nothing");
    ok(isnan(tw_array_min(none)) && isnan(tw_array_max(none)), "there is no least");
    ok(isnan(tw_array_variance(none)) && isnan(tw_array_variance(one)),
       "two make a variance");
    ok(tw_array_mean(one) == 2 && tw_array_min(one) == 2 && tw_array_max(one) == 2,
       "of one");
    ok(isnan(tw_array_sum(nan)) && isnan(tw_array_mean(nan)) && isnan(tw_array_min(nan))
       && isnan(tw_array_max(nan)) && isnan(tw_array_variance(nan))
       && isnan(tw_array_dot(nan, nan)), "a NaN is not passed over");
    ok(tw_array_sum(inf) == INFINITY && isnan(tw_array_sum(both))
       && tw_array_sum(large) == INFINITY, "sums that are not finite");
    ok(tw_array_max(inf) == INFINITY && tw_array_min(both) == -INFINITY,
       "extremes that are not");
    late = tw_array_new(20, &data);
    for (; at < 20; at++) {
        memcpy(data, tw_array_data(tail), 20 * sizeof *data);
        data[at] = NAN;
        if (!isnan(tw_array_min(late)) || !isnan(tw_array_max(late))) break;
    }
    ok(at == 20, "a NaN is seen wherever it is");
    tw_array_unref(late);
    ok(IS(tw_array_cumsum(inf), INFINITY, INFINITY, INFINITY), "cumsum past infinity");
    ok(IS(tw_array_cumsum(nan), 1, NAN, NAN), "cumsum past a NaN");
    ok(tw_array_length(late = tw_array_diff(none)) == 0, "no differences of nothing");
    tw_array_unref(late);
    ok(tw_array_length(late = tw_array_diff(one)) == 0, "nor of one");
    tw_array_unref(late);
    ok(IS(tw_array_diff(nan), NAN, NAN), "a NaN has none");
    tw_array_unref(none);
    tw_array_unref(one);
    tw_array_unref(nan);
    tw_array_unref(inf);
    tw_array_unref(both);
    tw_array_unref(large);
    tw_array_unref(tail);
}

static void operators(void)
{
    struct tw_array *a = OF(1, -2, 0.5), *b = OF(3, 0.25, -1), *c;
    bool all = true;

    ok(IS(tw_array_combine(TW_ARRAY_ADD, array(a), array(b)), 4, -1.75, -0.5), "add");
    ok(IS(tw_array_combine(TW_ARRAY_SUB, array(a), array(b)), -2, -2.25, 1.5), "sub");
    ok(IS(tw_array_combine(TW_ARRAY_MUL, array(a), array(b)), 3, -0.5, -0.5), "mul");
    ok(IS(tw_array_combine(TW_ARRAY_DIV, array(a), array(b)), 1 / 3.0, -8, -0.5), "div");
    ok(IS(tw_array_combine(TW_ARRAY_POW, array(a), array(b)), 1, NAN, 2), "pow");
    ok(IS(tw_array_combine(TW_ARRAY_POW, array(a), number(2)), 1, 4, 0.25), "squares");
    ok(IS(tw_array_combine(TW_ARRAY_SUB, array(a), number(1)), 0, -3, -0.5),
       "a number on the right");
    ok(IS(tw_array_combine(TW_ARRAY_SUB, number(1), array(a)), 0, 3, 0.5),
       "and on the left");
    ok(IS(tw_array_diff(a), -3, 2.5), "diff");
    tw_array_unref(a);
    tw_array_unref(b);
    a = make(1000, price);
    c = tw_array_combine(TW_ARRAY_DIV, number(7), array(a));
    for (size_t i = 0; i < 1000; i++)
        all &= tw_array_data(c)[i] == 7 / tw_array_data(a)[i];
    ok(all, "more than a block");
    tw_array_unref(a);
    tw_array_unref(c);
}

static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

static void functions(void)
{
    static const struct { const char *name; double (*f)(double); } wanted[] = {
        { "abs", fabs }, { "acos", acos }, { "asin", asin }, { "atan", atan },
        { "ceil", ceil }, { "cos", cos }, { "exp", exp }, { "expm1", expm1 },
        { "floor", floor }, { "log", log }, { "log10", log10 }, { "log1p", log1p },
        { "log2", log2 }, { "round", round }, { "sign", sign }, { "sin", sin },
        { "sqrt", sqrt }, { "tan", tan }, { "tanh", tanh }, { "trunc", trunc },
    };
    static const double x[] = { 0.3, -0.0, 2.5, -2.5, 1, -1, INFINITY, NAN, 1e300, -7.1 };
    struct tw_array *a = of(10, x);
    unsigned i;

    for (i = 0; tw_array_functions[i]; i++) {
        double want[10];

        for (int k = 0; k < 10; k++) want[k] = wanted[i].f(x[k]);
        ok(strcmp(tw_array_functions[i], wanted[i].name) == 0
           && is(tw_array_map(a, i), 10, want), "%s", wanted[i].name);
    }
    ok(i == sizeof wanted / sizeof *wanted, "there are no others");
    tw_array_unref(a);
}

static bool reads_back(double x)
{
    char text[TW_NUMBER_TEXT];
    size_t n = tw_number_text(x, text);

    return n == strlen(text) && same(strtod(text, NULL), x);
}

static bool text_is(double x, const char *want)
{
    char text[TW_NUMBER_TEXT];

    tw_number_text(x, text);
    return strcmp(text, want) == 0;
}

static void numbers(void)
{
    int n = getenv("SMALL") ? 1000 : 100000;
    uint64_t bits = 88172645463325252u;

    ok(text_is(0.1, "0.1") && text_is(1, "1") && text_is(-0.0, "-0")
       && text_is(101.25, "101.25") && text_is(NAN, "nan") && text_is(-NAN, "nan")
       && text_is(-INFINITY, "-inf") && text_is(0.1 + 0.2, "0.30000000000000004")
       && text_is(5e-324, "4.94065645841247e-324"), "numbers as text");
    while (n > 0) {
        double x;

        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&x, &bits, sizeof x);
        if (!reads_back(x)) break;
        n--;
    }
    ok(n == 0, "random bits read back");
}

struct sink { size_t n, max; char text[200000]; };

static bool put(void *ctx, const char *text, size_t n)
{
    struct sink *s = ctx;

    if (s->n + n > s->max) return false;
    memcpy(s->text + s->n, text, n);
    s->n += n;
    s->text[s->n] = '\0';
    return true;
}

static void csv(void)
{
    static struct sink s = { .max = sizeof s.text - 1 };
    struct tw_array *a = OF(1, 0.5, NAN), *b = OF(-1, 1e100, 3), *c = make(9000, price);
    struct tw_csv_column two[] = { { "a,b", 3, a }, { "say \"x\"\n", 8, b } };
    struct tw_csv_column odd[] = { { "", 0, a } }, bare = { .array = a };
    struct tw_csv_column many = { "plain", 5, c };
    struct tw_error error;
    char path[PLACE], line[64] = "";
    FILE *f;
    int rc;

    tw_array_csv(two, 2, put, &s);
    ok(strcmp(s.text, "\"a,b\",\"say \"\"x\"\"\n\"\n1,-1\n0.5,1e+100\nnan,3\n") == 0,
       "names are quoted, rows are lines");
    s.n = 0;
    tw_array_csv(odd, 1, put, &s);
    ok(strncmp(s.text, "\"\"\n1\n", 5) == 0, "an empty name is a line that is not empty");
    s.n = 0;
    tw_array_csv(&bare, 1, put, &s);
    ok(strcmp(s.text, "1\n0.5\nnan\n") == 0, "without a name there is no line for it");
    s.n = 0;
    tw_array_csv(&many, 1, put, &s);
    ok(s.n > 100000 && strtod(strchr(s.text, '\n'), NULL) == price(0)
       && strtod(s.text + s.n - 15, NULL) == price(8999), "piece by piece");
    s.n = 0;
    s.max = 5000;
    tw_array_csv(&many, 1, put, &s);
    ok(s.n <= 5000, "until it is refused");

    place_file(path);
    ok(tw_array_csv_write(two, 2, path, &error) == TW_OK, "into a file");
    f = fopen(path, "r");
    ok(f && fgets(line, sizeof line, f) && strncmp(line, "\"a,b\"", 5) == 0,
       "it is there");
    if (f) fclose(f);
    unlink(path);
    rc = tw_array_csv_write(two, 2, "/nowhere/at/all", &error);
    ok(rc < 0 && rc == error.code
       && strcmp(error.text, "csv: /nowhere/at/all: no such file or directory") == 0,
       "%s", error.text);
    if (access("/dev/full", W_OK) == 0) {
        rc = tw_array_csv_write(two, 2, "/dev/full", &error);
        ok(rc < 0 && strstr(error.text, "/dev/full: no space"), "%s", error.text);
        rc = tw_array_csv_write(&many, 1, "/dev/full", &error);
        ok(rc < 0 && strstr(error.text, "/dev/full: no space"), "also before the end");
    }
    tw_array_unref(a);
    tw_array_unref(b);
    tw_array_unref(c);
}

static void without_memory(void)
{
    struct tw_array *a = make(100, whole);
    double *data;

    tw_memory_fail_at(1);
    ok(!tw_array_new(5, &data), "no memory: no array");
    tw_memory_fail_at(1);
    ok(!tw_array_slice(a, 0, 5), "no slice");
    tw_memory_fail_at(1);
    ok(!tw_array_combine(TW_ARRAY_ADD, array(a), number(1)), "no sum");
    tw_memory_fail_at(1);
    ok(!tw_array_map(a, 0), "no map");
    tw_memory_fail_at(1);
    ok(!tw_array_diff(a), "no differences");
    tw_memory_fail_at(1);
    ok(!tw_array_cumsum(a), "no cumsum");
    tw_array_unref(a);
}

/* Owns a slice; lets it go last, or not. */
static void *read_slice(void *arg)
{
    struct tw_array *a = arg, *part = tw_array_slice(a, 10, 80);
    double *sum = malloc(sizeof *sum);

    tw_array_unref(a);
    *sum = tw_array_sum(part);
    tw_array_unref(part);
    return sum;
}

static void threads(void)
{
    int rounds = getenv("SMALL") ? 20 : 200;
    double want = 0;
    bool all = true;

    for (size_t i = 10; i < 90; i++) want += whole(i);
    for (int r = 0; r < rounds; r++) {
        struct tw_array *a = make(100, whole);
        pthread_t thread[THREADS];
        void *sum;

        for (int i = 0; i < THREADS; i++) {
            tw_object_ref(tw_array_object(a));
            pthread_create(&thread[i], NULL, read_slice, a);
        }
        tw_array_unref(a);
        for (int i = 0; i < THREADS; i++) {
            pthread_join(thread[i], &sum);
            all &= *(double *)sum == want;
            free(sum);
        }
    }
    ok(all, "all threads read the same");
}

int main(void)
{
    memory();
    lanes();
    exactness();
    edges();
    operators();
    functions();
    numbers();
    csv();
    without_memory();
    threads();
    ok(tw_object_live() == 0, "nothing is left");
    return tap_done();
}

/* Prices of a day are multiplied by the row that holds for it; a bad row is told. */
#include "feed/factor.h"
#include "base/fixed.h"
#include "feed/timestamp.h"
#include "place.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[PLACE];

static struct tw_factors *opened(const char *text, struct tw_error *error)
{
    FILE *file = fopen(path, "w");

    *error = (struct tw_error){ 0 };
    if (!file) abort();
    fputs(text, file);
    fclose(file);
    return tw_factors_open(path, error);
}

static int64_t on(struct tw_factors *f, int year, int month, int day, int64_t price)
{
    int64_t days;

    if (!tw_timestamp_days(year, month, day, &days)) abort();
    if (tw_factors_adjust(f, days, &price) < 0) return -1;
    return price;
}

static void days(void)
{
    struct tw_error error;
    struct tw_factors *f = opened("20130919,0.8604238,1,172.81\n"
                                  "\n20131219,0.8646266,0.5,181.5\r\n20501231,1,1,0\n",
                                  &error);

    ok(f != NULL, "opens: %s", error.text);
    ok(on(f, 2013, 9, 19, 1000 * TW_FIXED_ONE) == INT64_C(860423800000), "its own day");
    ok(on(f, 1970, 1, 1, TW_FIXED_ONE) == 860423800, "all before the first");
    ok(on(f, 2013, 9, 20, TW_FIXED_ONE) == 432313300, "the day after: price and split");
    ok(on(f, 2013, 9, 18, TW_FIXED_ONE) == 860423800, "and back");
    ok(on(f, 2020, 1, 1, 7) == 7 && on(f, 2051, 1, 1, 7) == 7, "the last, and past it");
    ok(on(f, 2013, 10, 1, 1) == 0 && on(f, 2013, 10, 1, 2) == 1
       && on(f, 2013, 10, 1, -2) == -1, "to the nearest");
    ok(on(NULL, 2013, 10, 1, 5) == 5, "none: as it is");
    tw_factors_free(f);
    f = opened("20130919,10000,1\n", &error);
    ok(on(f, 2013, 1, 1, INT64_MAX) == -1, "a price that does not fit");
    tw_factors_free(f);
    f = opened("", &error);
    ok(f && on(f, 2013, 1, 1, 5) == 5, "an empty file");
    tw_factors_free(f);
}

static void faults(void)
{
    static const char *const row = "a date (YYYYMMDD), a price factor and a split factor"
                                   " expected";
    static const char *const bad[] = {
        "20130919", "20130919,1", "2013919,1,1", "20130919,x,1", "20130919,1,0",
        "20130919,-1,1", "20130919,10001,1", "20131301,1,1", "20130919,,1",
        "20130919,0.000000001,0.1",
    };
    char want[PLACE + 100], text[80];
    struct tw_error error;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "20000101,1,1\n%s\n", bad[i]);
        snprintf(want, sizeof want, "%s: line 2: %s", path, row);
        ok(!opened(text, &error) && strcmp(error.text, want) == 0, "%s: %s", bad[i],
           error.text);
    }
    ok(!opened("20130919,1,1\n20130919,1,1\n", &error)
       && strstr(error.text, "line 2: its date is not behind"), "%s", error.text);
    unlink(path);
    ok(!tw_factors_open(path, &error) && strstr(error.text, "No such file"), "%s",
       error.text);
}

int main(void)
{
    place_file(path);
    days();
    faults();
    return tap_done();
}

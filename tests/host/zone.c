/* zone.c - time zones against libc, and files that are damaged. */
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "random.h"
#include "tap.h"

static void like_libc(const char *name)
{
    struct tw_error error = { .text = "" };
    struct tw_zone *z = tw_zone_open(name, &error);
    unsigned wrong = 0, back = 0, skipped = 0;

    if (!z) {
        ok(strstr(error.text, "there is no time zone") != NULL,
           "%s # SKIP no such zone here", name);
        return;
    }
    setenv("TZ", name, 1);
    tzset();
    for (unsigned i = 0; i < 60000; i++) {
        /* the years 1905 to 2095, and all hours of some of them */
        time_t t = i % 2 ? (time_t)(next() % 6000000000) - 2050000000
                         : 946684800 + (time_t)i * 7200;
        int32_t offset = tw_zone_offset(z, t);
        struct tm tm;
        int64_t again;

        localtime_r(&t, &tm);
        wrong += tm.tm_gmtoff != offset;
        again = tw_zone_time(z, t + offset);
        back += again != t && again + tw_zone_offset(z, again) != t + offset;
        skipped += again < t - 7200 || again > t;
    }
    ok(wrong == 0, "%s as libc has it (%u)", name, wrong);
    ok(back == 0 && skipped == 0, "%s: and back, to the first of two (%u, %u)", name,
       back, skipped);
    tw_zone_free(z);
}

static void changes(void)
{
    struct tw_error error;
    struct tw_zone *z = tw_zone_open("America/New_York", &error);
    const int64_t spring = 1394348400, autumn = 1414908000;   /* of 2014 */

    if (!z) {
        ok(true, "a day of change # SKIP no zones here");
        return;
    }
    ok(tw_zone_offset(z, spring - 1) == -18000 && tw_zone_offset(z, spring) == -14400,
       "clocks go forward");
    ok(tw_zone_time(z, spring - 18000 + 1800) == spring + 1800,
       "half past two is skipped: half past three");
    ok(tw_zone_time(z, autumn - 14400 - 1800) == autumn - 1800, "the first of two");
    tw_zone_free(z);
}

static void is_refused(const char *name, const char *want)
{
    struct tw_error error = { .text = "" };

    ok(!tw_zone_open(name, &error) && strstr(error.text, want), "'%s': %s", name, want);
}

/* Bytes of a real file, changed and cut: refused or read, never out of bounds. */
static void damaged(void)
{
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
    unsigned char whole[8192], *part;
    size_t n = f ? fread(whole, 1, sizeof whole, f) : 0;
    unsigned taken = 0;

    if (!f) {
        ok(true, "damaged files # SKIP no zones here");
        return;
    }
    fclose(f);
    for (size_t i = 0; i < 2 * n; i++) {
        size_t length = i < n ? i : n;
        struct tw_error error;
        struct tw_zone *z;

        part = malloc(length + 1);
        memcpy(part, whole, length);
        if (i >= n) part[i - n] ^= (unsigned char)(1 << next() % 8);
        z = tw_zone_read("x", part, length, &error);
        if (z) taken += tw_zone_offset(z, (int64_t)next() >> 20) != 1;
        if (z) tw_zone_time(z, (int64_t)next() >> 24);
        tw_zone_free(z);
        free(part);
    }
    ok(taken < 2 * n, "cut or changed, files are refused, or zones (%u)", taken);
}

static void without_memory(void)
{
    FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
    unsigned refused = 0;

    if (!f) return;
    fclose(f);
    for (uint64_t n = 1; n < 5; n++) {
        struct tw_error error;
        struct tw_zone *z;

        tw_memory_fail_at(n);
        z = tw_zone_open("Europe/Berlin", &error);
        refused += !z && error.code == -12;
        tw_memory_fail_at(0);
        tw_zone_free(z);
    }
    ok(refused == 4, "no memory is said (%u)", refused);
}

int main(void)
{
    struct tw_error error;
    struct tw_zone *z = tw_zone_open("+05:30", &error);

    ok(z && tw_zone_offset(z, 0) == 19800 && tw_zone_time(z, 19800) == 0, "+05:30");
    tw_zone_free(z);
    z = tw_zone_open("UTC", &error);
    ok(z && tw_zone_offset(z, 0) == 0, "UTC");
    tw_zone_free(z);
    ok(tw_zone_offset(NULL, 5) == 0 && tw_zone_time(NULL, 5) == 5, "none is UTC");
    like_libc("America/New_York");
    like_libc("Europe/Berlin");
    like_libc("Asia/Tokyo");
    like_libc("Australia/Sydney");
    like_libc("America/Sao_Paulo");
    like_libc("Asia/Kolkata");
    like_libc("Africa/Casablanca");
    like_libc("Europe/Dublin");
    changes();
    is_refused("America/Nowhere", "no time zone 'America/Nowhere'");
    is_refused("../../../etc/passwd", "no time zone");
    is_refused("", "no time zone");
    is_refused("+5x", "+hh:mm expected");
    damaged();
    without_memory();
    return tap_done();
}

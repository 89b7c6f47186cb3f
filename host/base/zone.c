/* zone.c - the time of day in a place.
 *
 * A file has the changes that were, and a rule (POSIX's TZ) for all after the last.
 */
#include "base/zone.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { DAY = 86400, FILE_MAX = 1 << 16, RULE_MAX = 80 };

/* When clocks change, each year: Mm.w.d, Jn or n, at a time of that day. */
struct date { enum { MONTH, JULIAN, ZERO } kind; int month, week, day; int32_t at; };

struct tw_zone {
    size_t n;
    int64_t *time;                   /* of changes                          */
    int32_t *offset;                 /* from each on                        */
    int32_t first;                   /* before the first                    */
    int32_t standard, summer;        /* by rule, after the last             */
    bool has_rule, has_summer;
    struct date from, till;          /* summer time, in local clocks        */
};

/* ---- dates ---- */

/* Days from 1970-01-01 to the first of a year (proleptic Gregorian). */
static int64_t days_to(int64_t year)
{
    int64_t y = year - 1;

    return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) - (1969 / 4 - 1969 / 100
                                                               + 1969 / 400);
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t year_of(int64_t day)
{
    int64_t year = 1970 + day / 366;

    if (day < 0) year = 1970 + day / 365 - 1;
    while (days_to(year + 1) <= day) year++;
    return year;
}

/* Local seconds at which the change of that year is. */
static int64_t change_of(const struct date *d, int64_t year)
{
    static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334,
                                  365 };
    int64_t first = days_to(year), day;
    bool leap = is_leap(year);

    if (d->kind == ZERO) {
        day = first + d->day;
    } else if (d->kind == JULIAN) {
        day = first + d->day - 1 + (leap && d->day >= 60);
    } else {
        int64_t month = first + before[d->month - 1] + (leap && d->month > 2);
        int64_t end = first + before[d->month] + (leap && d->month >= 2);
        int weekday = (int)((month + 4) % 7);      /* 1970-01-01 was a Thursday */

        if (weekday < 0) weekday += 7;
        day = month + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
        while (day >= end) day -= 7;               /* week 5: the last one */
    }
    return day * DAY + d->at;
}

static int32_t by_rule(const struct tw_zone *z, int64_t time)
{
    int64_t local = time + z->standard, year, from, till;

    if (!z->has_summer) return z->standard;
    year = year_of((local - (local % DAY + DAY) % DAY) / DAY);
    from = change_of(&z->from, year) - z->standard;
    till = change_of(&z->till, year) - z->summer;
    if (from < till) return time >= from && time < till ? z->summer : z->standard;
    return time >= till && time < from ? z->standard : z->summer;   /* in the south */
}

int32_t tw_zone_offset(const struct tw_zone *z, int64_t time)
{
    size_t low = 0, high;

    if (!z) return 0;
    high = z->n;
    if (z->n == 0 || time < z->time[0])
        return z->n == 0 && z->has_rule ? by_rule(z, time) : z->first;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (z->time[middle] <= time) low = middle;
        else high = middle;
    }
    return low == z->n - 1 && z->has_rule ? by_rule(z, time) : z->offset[low];
}

int64_t tw_zone_time(const struct tw_zone *z, int64_t local)
{
    int32_t before = tw_zone_offset(z, local - DAY);
    int32_t after = tw_zone_offset(z, local + DAY);
    int64_t time = local - before;

    /* As shown before a change near it; else after it; else it is skipped. */
    if (tw_zone_offset(z, time) == before) return time;
    time = local - after;
    if (tw_zone_offset(z, time) == after) return time;
    return local - before;
}

/* ---- POSIX's TZ ---- */

static const char *skip_name(const char *s)
{
    if (*s == '<') {
        while (*s && *s != '>') s++;
        return *s ? s + 1 : NULL;
    }
    while (isalpha((unsigned char)*s)) s++;
    return s;
}

static const char *read_int(const char *s, int most, int *out)
{
    int v = 0;

    if (!isdigit((unsigned char)*s)) return NULL;
    while (isdigit((unsigned char)*s) && v <= most) v = v * 10 + *s++ - '0';
    *out = v;
    return v <= most ? s : NULL;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static const char *read_time(const char *s, int32_t *out)
{
    int sign = *s == '-' ? -1 : 1, part = 0;
    int32_t sum;

    if (*s == '-' || *s == '+') s++;
    s = read_int(s, 167, &part);
    if (!s) return NULL;
    sum = part * 3600;
    for (int unit = 60; *s == ':' && unit > 0; unit /= 60) {
        s = read_int(s + 1, 59, &part);
        if (!s) return NULL;
        sum += part * unit;
    }
    *out = sign * sum;
    return s;
}

static const char *read_date(const char *s, struct date *d)
{
    if (*s == 'M') {
        d->kind = MONTH;
        s = read_int(s + 1, 12, &d->month);
        if (!s || *s != '.') return NULL;
        s = read_int(s + 1, 5, &d->week);
        if (!s || *s != '.') return NULL;
        s = read_int(s + 1, 6, &d->day);
        if (d->month < 1 || d->week < 1) return NULL;
    } else if (*s == 'J') {
        d->kind = JULIAN;
        s = read_int(s + 1, 365, &d->day);
        if (d->day < 1) return NULL;
    } else {
        d->kind = ZERO;
        s = read_int(s, 365, &d->day);
    }
    d->at = 7200;
    return s && *s == '/' ? read_time(s + 1, &d->at) : s;
}

/* "EST5EDT,M3.2.0,M11.1.0"; an empty text is no rule. */
static bool read_rule(struct tw_zone *z, const char *s)
{
    int32_t west;

    if (!*s) return true;
    s = skip_name(s);
    s = s ? read_time(s, &west) : NULL;
    if (!s) return false;
    z->standard = -west;
    z->has_rule = true;
    if (!*s) return true;
    s = skip_name(s);
    if (!s) return false;
    z->summer = z->standard + 3600;
    if (*s && *s != ',') {
        s = read_time(s, &west);
        if (!s) return false;
        z->summer = -west;
    }
    z->has_summer = true;
    s = *s == ',' ? read_date(s + 1, &z->from) : NULL;
    s = s && *s == ',' ? read_date(s + 1, &z->till) : NULL;
    return s && !*s;
}

/* ---- TZif ---- */

struct reader { const unsigned char *at, *end; bool no_memory; };

static uint64_t big(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    while (bytes-- > 0) v = v << 8 | *p++;
    return v;
}

/* Counts of a header: isut isstd leap time type char. */
static bool read_head(struct reader *r, uint32_t count[6])
{
    if (r->end - r->at < 44 || memcmp(r->at, "TZif", 4) != 0) return false;
    for (int i = 0; i < 6; i++) {
        count[i] = (uint32_t)big(r->at + 20 + 4 * i, 4);
        if (count[i] > FILE_MAX) return false;
    }
    r->at += 44;
    return true;
}

/* Bytes of a block whose times have so many. */
static size_t size_of(const uint32_t count[6], size_t width)
{
    return count[3] * (width + 1) + count[4] * 6 + count[5] + count[2] * (width + 4)
         + count[1] + count[0];
}

static bool read_block(struct tw_zone *z, struct reader *r, const uint32_t count[6])
{
    size_t n = count[3], types = count[4];
    const unsigned char *times = r->at, *index = times + 8 * n, *type = index + n;

    if (types == 0 || size_of(count, 8) > (size_t)(r->end - r->at)) return false;
    z->time = tw_calloc(n ? n : 1, sizeof *z->time);
    z->offset = tw_calloc(n ? n : 1, sizeof *z->offset);
    r->no_memory = !z->time || !z->offset;
    if (r->no_memory) return false;
    z->first = (int32_t)(uint32_t)big(type, 4);
    for (size_t i = 0; i < n; i++) {
        if (index[i] >= types) return false;
        z->time[i] = (int64_t)big(times + 8 * i, 8);
        z->offset[i] = (int32_t)(uint32_t)big(type + 6 * index[i], 4);
        if (i > 0 && z->time[i] <= z->time[i - 1]) return false;
    }
    z->n = n;
    r->at += size_of(count, 8);
    return true;
}

static bool read_file(struct tw_zone *z, struct reader *r)
{
    uint32_t count[6];
    char rule[RULE_MAX];
    size_t n;

    /* First comes a block with times of 32 bits, for readers of old. */
    if (!read_head(r, count) || r->at[-40] < '2'
        || size_of(count, 4) > (size_t)(r->end - r->at))
        return false;
    r->at += size_of(count, 4);
    if (!read_head(r, count) || !read_block(z, r, count)) return false;
    if (r->at == r->end || *r->at++ != '\n') return false;
    for (n = 0; r->at + n < r->end && r->at[n] != '\n' && n < RULE_MAX - 1; n++)
        rule[n] = (char)r->at[n];
    rule[n] = '\0';
    return r->at + n < r->end && r->at[n] == '\n' && read_rule(z, rule);
}

struct tw_zone *tw_zone_read(const char *name, const unsigned char *bytes, size_t n,
                             struct tw_error *error)
{
    struct tw_zone *z = tw_calloc(1, sizeof *z);
    struct reader r = { bytes, bytes + n, z == NULL };

    if (z && read_file(z, &r)) return z;
    if (r.no_memory) tw_fail(error, -ENOMEM, "%s", tw_strerror(-ENOMEM));
    else tw_fail(error, TW_EFORMAT, "time zone %s: the file is no TZif file of version 2"
                 " or above, or is damaged", name);
    tw_zone_free(z);
    return NULL;
}

void tw_zone_free(struct tw_zone *z)
{
    if (!z) return;
    tw_free(z->time);
    tw_free(z->offset);
    tw_free(z);
}

/* "+05:30": no file. */
static struct tw_zone *constant(const char *name, struct tw_error *error)
{
    struct tw_zone *z = tw_calloc(1, sizeof *z);
    const char *end = z ? read_time(name, &z->standard) : NULL;

    if (end && !*end) {
        z->has_rule = true;
        return z;
    }
    if (z) tw_fail(error, TW_EFORMAT, "time zone '%s': +hh:mm expected", name);
    else tw_fail(error, -ENOMEM, "%s", tw_strerror(-ENOMEM));
    tw_zone_free(z);
    return NULL;
}

/* A name of the database goes down in it, never out of it. */
static bool is_name(const char *name)
{
    return *name && *name != '/' && !strstr(name, "..") && strlen(name) < 64;
}

struct tw_zone *tw_zone_open(const char *name, struct tw_error *error)
{
    char path[160];
    unsigned char *bytes;
    struct tw_zone *z;
    FILE *file;
    size_t n;

    if (strcmp(name, "UTC") == 0) return constant("+0", error);
    if (*name == '+' || *name == '-') return constant(name, error);
    snprintf(path, sizeof path, "%s%s", strcmp(name, "localtime") == 0 ? "/etc/"
             : "/usr/share/zoneinfo/", is_name(name) ? name : "");
    file = is_name(name) ? fopen(path, "re") : NULL;
    if (!file) {
        tw_fail(error, TW_EUSAGE, "there is no time zone '%s' in /usr/share/zoneinfo"
                " (names are like America/New_York; package tzdata)", name);
        return NULL;
    }
    bytes = tw_calloc(1, FILE_MAX);
    n = bytes ? fread(bytes, 1, FILE_MAX, file) : 0;
    fclose(file);
    if (!bytes) {
        tw_fail(error, -ENOMEM, "%s", tw_strerror(-ENOMEM));
        return NULL;
    }
    z = tw_zone_read(name, bytes, n, error);
    tw_free(bytes);
    return z;
}

/* date.c - a time as people write it. */
#include "base/date.h"

#include <stdio.h>

#include "base/clock.h"

const char *tw_date_text(int64_t ns, enum tw_date to, char out[TW_DATE_TEXT])
{
    time_t second = (time_t)tw_clock_spans(ns, TW_SECOND_NS);
    int part = (int)((ns % TW_SECOND_NS + TW_SECOND_NS) % TW_SECOND_NS);
    struct tm tm;
    size_t n = strftime(out, TW_DATE_TEXT, to == TW_DATE_DAY ? "%Y-%m-%d"
                        : "%Y-%m-%d %H:%M:%S", gmtime_r(&second, &tm));

    if (to == TW_DATE_MS)
        snprintf(out + n, TW_DATE_TEXT - n, ".%03d", part / 1000000);
    if (to != TW_DATE_EXACT || part == 0) return out;
    n += (size_t)snprintf(out + n, TW_DATE_TEXT - n, ".%09d", part);
    while (out[n - 1] == '0') out[--n] = '\0';
    return out;
}

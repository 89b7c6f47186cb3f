/* date.c - times as people write them, before 1970 and at the ends of int64, too. */
#include "base/date.h"

#include <string.h>

#include "tap.h"

static void says(int64_t ns, enum tw_date to, const char *text)
{
    char out[TW_DATE_TEXT];

    ok(strcmp(tw_date_text(ns, to, out), text) == 0, "%s: %s", text, out);
}

int main(void)
{
    const int64_t ns = INT64_C(1715092200123456000);

    says(ns, TW_DATE_DAY, "2024-05-07");
    says(ns, TW_DATE_SECOND, "2024-05-07 14:30:00");
    says(ns, TW_DATE_MS, "2024-05-07 14:30:00.123");
    says(ns, TW_DATE_EXACT, "2024-05-07 14:30:00.123456");
    says(ns + 1, TW_DATE_EXACT, "2024-05-07 14:30:00.123456001");
    says(0, TW_DATE_EXACT, "1970-01-01 00:00:00");
    says(0, TW_DATE_MS, "1970-01-01 00:00:00.000");
    says(-1, TW_DATE_EXACT, "1969-12-31 23:59:59.999999999");
    says(-1, TW_DATE_MS, "1969-12-31 23:59:59.999");
    says(-1, TW_DATE_SECOND, "1969-12-31 23:59:59");
    says(INT64_MAX, TW_DATE_EXACT, "2262-04-11 23:47:16.854775807");
    says(INT64_MIN, TW_DATE_EXACT, "1677-09-21 00:12:43.145224192");
    return tap_done();
}

/* timestamp.c - numbers as times: each as many digits would have it, one at a time, and
 * nothing outside of the text is read. */
#include "feed/timestamp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

/* Right before a page that can't be read: who reads further crashes. */
static char *edge(const char *text, size_t n)
{
    static char *end;

    if (!end) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED || mprotect(p + page, page, PROT_NONE) < 0) abort();
        end = p + page;
    }
    memcpy(end - n, text, n);
    return end - n;
}

static int parse(const char *text, enum tw_csv_time form, int64_t *ns)
{
    size_t n = strlen(text);

    return tw_timestamp_parse(edge(text, n), n, form, ns);
}

/* Digit by digit; -1: it is no such time. */
static int64_t plain(const char *text, int64_t unit)
{
    int64_t v = 0;

    for (; *text; text++)
        if (__builtin_mul_overflow(v, 10, &v)
            || __builtin_add_overflow(v, *text - '0', &v)) return -1;
    return __builtin_mul_overflow(v, unit, &v) ? -1 : v;
}

static const int64_t unit[] = { 1, 1000, 1000000, 1000000000 };

static void lengths(void)
{
    static const char *const starts[] = {
        "12345678901234567890", "98765432109876543210", "00000000000000000017",
        "10000000000000000000", "99999999999999999999", "92233720368547758079",
    };
    unsigned wrong = 0, refused = 0;

    for (size_t k = 0; k < sizeof starts / sizeof *starts; k++)
        for (size_t n = 1; n <= 20; n++)
            for (int form = TW_CSV_NS; form <= TW_CSV_S; form++) {
                char text[24] = "";
                int64_t ns = -7, want;
                int rc;

                memcpy(text, starts[k], n);
                want = plain(text, unit[form]);
                rc = parse(text, (enum tw_csv_time)form, &ns);
                if (want < 0) refused++;
                if (want < 0 ? rc != TW_ERANGE || ns != -7 : rc != 0 || ns != want) {
                    printf("# %s, form %d: %d, %" PRId64 "\n", text, form, rc, ns);
                    wrong++;
                }
            }
    ok(wrong == 0, "numbers of 1 to 20 digits, in each unit");
    ok(refused > 50, "of which %u are too large", refused);
}

static void limits(void)
{
    int64_t ns;

    ok(parse("9223372036854775807", TW_CSV_NS, &ns) == 0 && ns == INT64_MAX,
       "the last nanosecond");
    ok(parse("9223372036854775808", TW_CSV_NS, &ns) == TW_ERANGE
       && parse("18446744073709551616", TW_CSV_NS, &ns) == TW_ERANGE, "none behind it");
    ok(parse("9223372036", TW_CSV_S, &ns) == 0 && ns == INT64_C(9223372036000000000)
       && parse("9223372037", TW_CSV_S, &ns) == TW_ERANGE, "the last second");
    ok(parse("-1700000000123456789", TW_CSV_NS, &ns) == 0
       && ns == -INT64_C(1700000000123456789), "before the epoch");
    ok(parse("1700000000.5", TW_CSV_S, &ns) == 0 && ns == INT64_C(1700000000500000000),
       "decimals");
}

/* One byte is no digit: wherever it stands, that is no time. */
static void others(void)
{
    static const char whole[] = "1700000000123456789", no[] = "/:aA ,-\x80\xb5";
    unsigned wrong = 0;

    for (size_t n = 8; n < sizeof whole; n++)
        for (size_t at = 0; at < n; at++)
            for (const char *c = no; *c; c++) {
                char text[24] = "";
                int64_t ns = -7;

                if (*c == '-' && at == 0) continue;
                memcpy(text, whole, n);
                text[at] = *c;
                wrong += parse(text, TW_CSV_NS, &ns) != TW_EFORMAT || ns != -7;
            }
    ok(wrong == 0, "any other byte at any place is refused");
}

/* The same time, spelled so that it is read field by field. */
static int slowly(const char *text, int64_t *ns)
{
    const size_t n = strlen(text);
    char longer[128];

    memcpy(longer, text, n);
    memcpy(longer + n, ".0", 3);
    return parse(longer, TW_CSV_ISO, ns);
}

/* Nineteen bytes are read as words: each date and second as field by field. */
static void whole(void)
{
    unsigned wrong = 0, refused = 0;

    for (int year = 1676; year <= 2263; year++)
        for (int month = 0; month <= 13; month++)
            for (int day = 0; day <= 32; day++) {
                const int at = year * 7 + month * 31 + day;
                char text[80];
                int64_t ns = -7, want = -7;
                int rc;

                snprintf(text, sizeof text, "%04d-%02d-%02d%c%02d:%02d:%02d", year,
                         month, day, at % 2 ? 'T' : ' ', at % 25, at % 61, at % 62);
                rc = slowly(text, &want);
                refused += rc != 0;
                wrong += parse(text, TW_CSV_ISO, &ns) != rc || ns != want;
            }
    ok(wrong == 0, "dates with times, of all days of 588 years (%u)", wrong);
    ok(refused > 10000, "of which %u are none", refused);
}

/* Each byte changed in turn. */
static void spelled(void)
{
    static const char good[] = "2006-01-02 09:58:07";
    struct tw_timestamp_date last = {{0}, 0};
    unsigned wrong = 0, taken = 0, apart = 0;

    for (size_t at = 0; at < sizeof good - 1; at++)
        for (int c = 1; c < 256; c++) {
            char text[24];
            int64_t ns = -7, want = -7;
            int rc;

            if (at == 16 && (c == '+' || c == '-')) continue;    /* a zone: 58+07 */
            memcpy(text, good, sizeof good);
            text[at] = (char)c;
            rc = slowly(text, &want);
            taken += rc == 0;
            wrong += parse(text, TW_CSV_ISO, &ns) != rc || ns != want;
            ns = -7;
            wrong += tw_timestamp_parse_next(edge(text, 19), 19, TW_CSV_ISO, &last, &ns)
                     != rc || ns != want;
            if (at == 10) continue;
            ns = -7;
            if (tw_timestamp_parse_apart(text, edge(text + 11, 8), &last, &ns)) apart++;
            else wrong += ns != -7;
            wrong += ns != -7 && ns != want;
        }
    ok(wrong == 0, "any byte at any place of one (%u)", wrong);
    ok(taken > 50 && taken < 200, "of which %u are times", taken);
    ok(apart > 50 && apart < taken, "and %u a plain date and a plain time", apart);
}

int main(void)
{
    lengths();
    limits();
    others();
    whole();
    spelled();
    return tap_done();
}

/* fix.c - what FIX messages become, what in them is refused, and that what we
 * write is read back. */
#include "fix_run.h"

static void meanings(void)
{
    /* One stream: each message meets what those before it left. */
    static const struct { char type; const char *rest, *records; } m[] = {
        {'W', "55=A|268=2|269=0|270=1.5|271=100|269=1|270=1.6|271=200|",
              "A 1.5x100 1.6x200"},
        {'X', "268=1|279=1|269=0|55=A|270=1.51|271=50|", "A 1.51x50 1.6x200"},
        {'X', "268=1|279=1|269=1|55=A|270=1.61|271=70|", "A 1.51x50 1.61x70"},
        {'X', "268=1|279=2|269=0|55=A|", "A 0x0 1.61x70"},
        {'X', "268=1|279=1|269=0|55=A|271=5|", "A 0x0 1.61x70"},
        {'X', "268=1|279=1|269=0|55=A|270=5|", "A 0x0 1.61x70"},
        {'X', "268=1|279=0|269=0|55=A|270=1.4|271=9|", "A 1.4x9 1.61x70"},
        {'X', "268=1|279=1|269=0|55=A|271=8|", "A 1.4x8 1.61x70"},
        {'X', "268=1|279=1|269=0|55=A|270=1.3|", "A 1.3x8 1.61x70"},
        {'X', "268=1|279=1|269=0|55=A|270=1.3|271=0|", "A 0x0 1.61x70"},
        /* entries that begin at 269, the symbol before them */
        {'X', "55=A|268=2|269=0|270=2.5|271=1|269=1|270=2.6|271=2|", "A 2.5x1 2.6x2"},
        /* several symbols, and one that holds for the entries after it */
        {'X', "268=4|279=0|269=0|55=A|270=3|271=1|279=0|269=1|270=4|271=2|"
              "279=0|269=0|55=B|270=5|271=3|279=0|269=1|55=B|270=6|271=4|",
              "A 3x1 4x2; B 5x3 6x4"},
        {'X',
              "268=3|279=1|269=0|55=A|270=3.1|279=1|269=0|55=B|270=5.1|"
              "279=1|269=1|55=A|270=4.1|",
              "A 3.1x1 4x2; B 5.1x3 6x4; A 3.1x1 4.1x2"},
        {'X', "55=A|268=2|279=1|269=0|55=B|270=5.2|279=1|269=1|270=6.2|",
              "B 5.2x3 6.2x4"},
        /* trades, in order, before the quote of their symbol */
        {'X', "268=3|279=0|269=2|55=A|270=3.05|271=10|54=1|279=0|269=0|270=3.2|271=1|"
              "279=0|269=2|270=3.06|271=11|54=2|278=77|",
              "A trade 3.05x10 buy; A trade 3.06x11 sell 77; A 3.2x1 4.1x2"},
        {'X', "268=1|279=0|269=2|278=T1|55=C|270=-1|271=0|54=7|", "C trade -1x0"},
        {'X', "268=1|279=1|269=2|55=C|270=1|271=1|", ""},
        {'X', "268=1|279=2|269=2|55=C|", ""},
        {'W', "55=A|268=1|269=2|270=3|271=4|", "A trade 3x4"},
        {'X', "268=1|279=1|269=0|55=A|270=3.3|", "A 3.3x1 4.1x2"},
        /* a snapshot has all there is, in any order, best prices first or not */
        {'W', "268=1|55=A|269=0|270=1|271=2|", "A 1x2 0x0"},
        {'W', "55=A|268=5|269=0|270=1|271=2|269=0|270=3|271=4|269=0|270=2|271=9|"
              "269=1|270=8|271=1|269=1|270=7|271=6|", "A 3x4 7x6"},
        {'W', "55=A|268=3|269=0|270=-5|271=2|269=0|270=-4|271=0|269=0|270=-6|271=1|",
              "A -5x2 0x0"},
        {'W', "55=A|268=4|269=0|270=1|271=2|290=1|269=0|270=3|271=4|290=2|"
              "269=1|270=8|271=1|1023=1|269=1|270=7|271=6|1023=2|", "A 1x2 8x1"},
        {'X', "268=1|279=1|269=0|55=A|270=1.5|271=2|290=2|", ""},
        {'X', "268=2|279=0|1023=3|269=1|55=A|270=1.5|271=2|279=1|1023=1|269=1|270=9|",
              "A 1x2 9x1"},
        {'W', "55=A|268=0|", "A 0x0 0x0"},
        {'W', "55=A|268=1|269=0|270=1|271=2|", "A 1x2 0x0"},
        {'X', "268=1|279=2|269=J|55=A|", "A 0x0 0x0"},
        {'X', "268=0|", ""},
        /* types that are not used need not make sense */
        {'X', "268=2|279=0|269=B|55=A|271=99999999999|279=0|269=0|270=1|271=1|",
              "A 1x1 0x0"},
        {'W', "55=A|268=1|269=zz|270=1e5|", ""},
        /* quotes */
        {'S', "117=1|55=A|132=1.25|133=1.26|134=10|135=20|", "A 1.25x10 1.26x20"},
        {'S', "117=1|55=A|132=1.24|134=11|", "A 1.24x11 1.26x20"},
        {'S', "117=1|133=1.27|135=0|55=A|54=1|", "A 1.24x11 0x0"},
        /* prices without sizes */
        {'S', "117=1|55=A|132=1.25|133=1.26|", "A 1.25x0 1.26x0"},
        {'S', "117=1|55=A|132=1.24|", "A 1.24x0 1.26x0"},
        {'S', "117=1|55=A|132=1.24|134=5|133=0|", "A 1.24x5 0x0"},
        {'S', "117=1|55=A|132=1.23|", "A 1.23x0 0x0"},
        {'S', "117=1|55=A|132=1.23|134=0|133=1.3|", "A 0x0 1.3x0"},
        {'X', "268=1|279=1|269=1|55=A|270=1.31|", "A 0x0 1.31x0"},
        {'X', "268=1|279=1|269=1|55=A|271=9|", "A 0x0 1.31x9"},
        {'X', "268=1|279=1|269=1|55=A|270=1.32|", "A 0x0 1.32x9"},
        {'X', "268=1|279=0|269=1|55=A|270=1.33|", "A 0x0 1.33x0"},
        {'X', "268=1|279=1|269=0|55=A|270=1.2|", "A 0x0 1.33x0"},
        {'X', "268=1|279=0|269=0|55=A|270=1.2|", "A 1.2x0 1.33x0"},
        {'X', "268=2|279=1|269=0|55=A|270=1.2|271=0|279=2|269=1|270=1|", "A 0x0 0x0"},
        {'W', "55=A|268=2|269=0|270=1.1|269=1|270=1.2|", "A 1.1x0 1.2x0"},
        {'W', "55=A|268=5|269=0|270=1|271=2|269=0|270=3|269=0|270=2|"
              "269=1|270=6|271=0|269=1|270=7|", "A 3x0 7x0"},
        /* exactness, and long and odd numbers */
        {'W', "55=A|268=2|269=0|270=9223372036.854775807|271=0.000000001|"
              "269=1|270=-0.000000001|271=12345678.87654321|",
              "A 9223372036.854775807x0.000000001 -0.000000001x12345678.87654321"},
        {'W', "55=A|268=2|269=0|270=.5|271=5.|269=1|270=000123.45000|271=00000001|",
              "A 0.5x5 123.45x1"},
        {'W',
              "55=A|268=2|269=0|270=1234567.8|271=12345678|"
              "269=1|270=0.000001|271=1.234567|",
              "A 1234567.8x12345678 0.000001x1.234567"},
        /* data may hold anything */
        {'W', "55=A|354=12|355=|270=9|55=Z||268=1|269=0|270=1|271=2|358=2|359=|||",
              "A 1x2 0x0"},
        {'W', "55=A|95=0|96=|268=1|1500=x|269=0|270=1|271=2|1500=y|269=1|270=3|271=4|",
              NULL},
    };
    struct run *r = run_new(0);
    char text[TEXT];

    for (size_t i = 0; i < sizeof m / sizeof *m - 1; i++) {
        size_t n = market(text, m[i].type, m[i].rest);
        uint64_t ignored = r->codec->stats.ignored;

        r->n = 0;
        ok(feed(r, text, n) == n && strcmp(records(r), m[i].records) == 0 &&
           r->codec->stats.ignored - ignored == (*m[i].records == 0),
           "35=%c %s", m[i].type, m[i].rest);
        if (strcmp(records(r), m[i].records)) printf("# got '%s' %s\n", records(r),
                                                     r->problem);
    }
    ok(r->problems == 0 && r->codec->stats.errors == 0, "none of them was refused");

    r->n = 0;
    feed(r, text, market(text, 'W', "55=Q|268=2|1500=x|269=0|270=1|271=2|1500=y|269=1|"
                                    "270=3|271=4|"));
    ok(strcmp(records(r), "Q 1x2 3x4") == 0,
       "a group may begin with a tag that is not used");
    r->n = 0;
    feed(r, text, market(text, 'X', "60=20200229-23:59:60.000000001|268=1|279=0|269=0|"
                                    "55=Q|270=1|271=2|"));
    ok(r->n == 1 && r->records[0].time == INT64_C(1583020800000000001) &&
       r->records[0].received == 5 && r->records[0].source_seq == 7 &&
       r->records[0].source == 9 && r->records[0].seq == 0,
       "a record has 60, the time of arrival, 34 and its source");
    end(r, "", 0);
    r->n = 0;
    feed(r, text, market(text, 'X', "268=1|279=1|269=0|55=Q|270=1|"));
    ok(strcmp(records(r), "Q 0x0 0x0") == 0, "a new stream knows nothing of the old one");
    run_free(r);
}

static void versions(void)
{
    static const char *const known[] = {
        "FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1",
    };
    static const char *const unknown[] = { "FIX.4.5", "FIX.5.0", "FIXT.1.2", "FIX.4.44",
                                           "FIX", "FIX.4.4.4.4.4.4" };
    char text[TEXT];
    size_t n;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct run *r = run_new(0);

        n = message(text, known[i], "35=S|" HEAD "55=A|132=1|134=2|");
        ok(feed(r, text, n) == n && r->n == 1 && r->problems == 0, "%s is read",
           known[i]);
        run_free(r);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        struct run *r = run_new(0);

        n = message(text, unknown[i], "35=S|" HEAD "55=A|132=1|134=2|");
        ok(feed(r, text, n) == n && r->n == 0 && r->problems == 1 &&
           r->codec->stats.skips == 1 && r->codec->stats.skipped == n,
           "%s is not", unknown[i]);
        run_free(r);
    }
}

static void refusals(void)
{
    static const struct { char type; const char *rest, *why; } m[] = {
        {'X', "268=1|279=1|269=0|55=A|270=1e5|271=1|", "270=1e5 is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=+1|271=1|", "270=+1 is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=|271=1|", "270= is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=.|271=1|", "270=. is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=1.2.3|271=1|", "270=1.2.3 is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=12a4|271=1|", "270=12a4 is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=10000000000|271=1|",
              "270=10000000000 does not fit"},
        {'X', "268=1|279=1|269=0|55=A|270=0.1234567891|271=1|",
              "270=0.1234567891 does not fit"},
        {'X', "268=1|279=1|269=0|55=A|270=1|271=-1|", "271=-1 is not a size"},
        {'X', "268=1|279=1|269=0|55=A|270=1|271=x|", "271=x is not a size"},
        {'X', "268=1|279=1|269=0|55=A|270=1|271=99999999999|",
              "271=99999999999 does not fit"},
        {'X', "268=1|279=2|269=0|55=A|270=x|", "270=x is not a price"},
        {'X', "268=1|279=1|269=0|55=A|270=x|271=1|290=4|", "270=x is not a price"},
        {'X', "268=1|279=0|269=0|55=A|271=1|", "269=0 has no MDEntryPx (270)"},
        {'X', "268=1|279=0|269=1|55=A|271=0|", "269=1 has no MDEntryPx (270)"},
        {'X', "268=1|279=0|269=2|55=A|270=1|", "269=2 has no MDEntrySize (271)"},
        {'W', "55=A|268=1|269=0|271=1|", "269=0 has no MDEntryPx (270)"},
        {'X', "268=1|279=3|269=0|55=A|270=1|271=1|", "279=3 is not an action here"},
        {'X', "268=1|279=|269=0|55=A|270=1|271=1|", "279= is not an action here"},
        {'W', "55=A|268=1|269=0|279=2|270=1|271=1|", "279=2 is not an action here"},
        {'X', "268=1|279=0|269=0|270=1|271=1|", "no Symbol (55)"},
        {'X', "268=1|279=0|269=0|55=|270=1|271=1|", "no Symbol (55)"},
        {'W', "268=0|", "no Symbol (55)"},
        {'S', "132=1|134=1|", "no Symbol (55)"},
        {'X', "268=1|279=0|55=A|270=1|271=1|", "no MDEntryType (269)"},
        {'X', "268=1|279=0|55=A|269=|270=1|271=1|", "no MDEntryType (269)"},
        {'X', "55=A|", "no NoMDEntries (268)"},
        {'X', "55=A|279=0|269=0|270=1|271=1|", "279=0 is in no entry"},
        {'X', "55=A|270=1|268=1|279=0|269=0|271=1|", "270=1 is in no entry"},
        {'W', "55=A|268=0|269=0|270=1|271=1|", "269=0 is in no entry"},
        {'X', "55=A|268=2|279=0|269=0|270=1|271=1|", "268=2 but fewer entries"},
        {'X', "55=A|268=1|279=0|269=0|270=1|271=1|279=0|269=1|270=1|271=1|",
              "268=1 but more entries"},
        {'X', "55=A|268=x|279=0|269=0|270=1|271=1|", "268=x is not a number"},
        {'X', "55=A|268=-1|279=0|269=0|270=1|271=1|", "268=-1 is not a number"},
        {'X', "55=A|268=|", "268= is not a number"},
        {'X', "55=A|268=9999999999|279=0|269=0|270=1|271=1|", "268=9999999999 but fewer"},
        {'X', "55=A|268=99999999999999999999999|279=0|269=0|270=1|271=1|",
              "is not a number"},
        {'X', "55=A|268=1|268=1|279=0|269=0|270=1|271=1|", "268=1 and then no entry"},
        {'X', "55=A|268=1|279=0|269=0|270=1|270=2|271=1|", "270=2 stands there again"},
        {'X', "55=A|55=B|268=1|279=0|269=0|270=1|271=1|", "55=B stands there again"},
        {'X', "55=A|268=1|279=0|269=0|270=1|271=1|290=0|", "'0' is not a number from 1"},
        {'X', "55=A|268=1|279=0|269=0|270=1|271=1|1023=x|", "'x' is not a number from 1"},
        {'X', "34=8|55=A|268=0|", "34=8 stands there again"},
        {'X', "55=A|268=1|279=0|269=0|270=1|271=1|60=2024|", "60=2024 is not a time"},
        {'X', "55=A|95=4|96=abc|268=1|279=0|269=0|270=1|271=1|", "4 is not the length"},
        {'X', "55=A|95=x|96=abc|268=1|279=0|269=0|270=1|271=1|", "x is not the length"},
        {'X', "55=A|268=1|279=0|269=0|270=1|271=1|95=3|", "3 is not the length"},
        {'S', "55=A|", "neither BidPx (132) nor OfferPx (133)"},
        {'S', "55=A|268=1|269=0|270=1|271=1|132=1|134=1|", "268=1 is of no quote"},
        {'S', "55=A|134=1|", "134=1 without BidPx (132)"},
        {'S', "55=A|132=1|134=1|135=0|", "135=0 without OfferPx (133)"},
        {'S', "55=A|132=1|134=|", "134= is not a size"},
        {'S', "55=A|132=1x|134=1|", "132=1x is not a price"},
        {'S', "55=A|133=1|135=-1|", "135=-1 is not a size"},
        {'S',
              "55=1234567890123456789012345678901234567890123456789012345678901234|"
              "132=1|134=1|",
              "55=12345678901234567890123456789012345678901234567: limit reached"},
    };
    struct run *r = run_new(0);
    char text[TEXT], want[400];

    feed(r, text, market(text, 'W', "55=A|268=2|269=0|270=8|271=8|269=1|270=9|271=9|"));
    for (size_t i = 0; i < sizeof m / sizeof *m; i++) {
        size_t n;
        uint64_t at = r->codec->stats.bytes;
        unsigned before = r->problems;

        r->n = 0;
        n = market(text, m[i].type, m[i].rest);
        snprintf(want, sizeof want, "(35=%c, message at offset %llu)", m[i].type,
                 (unsigned long long)at);
        ok(feed(r, text, n) == n && r->n == 0 && r->problems == before + 1 &&
           strncmp(r->problem, "fix: ", 5) == 0 && strstr(r->problem, m[i].why) &&
           strstr(r->problem, want) && r->codec->stats.errors == i + 1 &&
           r->codec->stats.skips == 0, "refused: 35=%c %s", m[i].type, m[i].rest);
        if (!strstr(r->problem, m[i].why)) printf("# got %s\n", r->problem);
    }
    r->n = 0;
    feed(r, text,
         market(text, 'X', "268=2|279=0|269=0|55=A|270=7|271=7|279=0|269=1|270=x|"));
    feed(r, text,
         market(text, 'X', "268=2|279=0|269=2|55=A|270=7|271=7|279=0|269=0|270=x|"));
    ok(r->n == 0 && r->codec->stats.errors == sizeof m / sizeof *m + 2,
       "a message is refused as a whole");
    feed(r, text, market(text, 'X', "268=1|279=1|269=0|55=A|271=6|"));
    ok(strcmp(records(r), "A 8x6 9x9") == 0, "and has changed no quote");

    for (size_t i = 0; i < 2; i++) {
        static const char *const body[] = {
            "35=S|49=A|56=B|52=20240102-09:30:00|55=A|132=1|134=1|",
            "35=S|49=A|56=B|34=1|55=A|132=1|134=1|",
        };
        static const char *const why[] = { "34= is not a number", "52= is not a time" };

        r->n = 0;
        feed(r, text, message(text, "FIX.4.4", body[i]));
        ok(r->n == 0 && strstr(r->problem, why[i]), "refused: %s", why[i]);
    }
    run_free(r);
}

static void times(void)
{
    static const char *const bad[] = {
        "20240102-09:30:0", "20240102 09:30:00", "20240102-09.30:00", "20240102-24:00:00",
        "20240102-09:60:00", "20240102-09:30:61", "20240102-09:30:70",
            "20240102-09:30:0x",
        "20240102-09:30:00.", "20240102-09:30:00.12x", "20240102-09:30:00.1234567891",
        "20240102-09:30:00,123", "20240102-09:30:00.1.2", "20240102-09:30:00Z",
        "20230229-09:30:00", "19000101-00:00:00", "99990101-00:00:00",
            "20241301-00:00:00",
        "20240001-00:00:00", "20240100-00:00:00", "20240431-00:00:00",
            "2024010a-00:00:00",
        "20240102-09:30:00.-12", "\0x", "2024-01-02-09:30:00",
    };
    static const struct { const char *fraction; int64_t ns; } good[] = {
        {"", 0}, {".1", 100000000}, {".123", 123000000}, {".123456", 123456000},
        {".123456789", 123456789}, {".000", 0}, {".000000001", 1},
            {".1234567890", 123456789},
    };
    struct run *r = run_new(0);
    char text[TEXT], body[400];
    int wrong = 0;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t errors = r->codec->stats.errors;

        snprintf(body, sizeof body, "35=S|49=A|56=B|34=1|52=%s|55=A|132=1|134=1|",
                 bad[i]);
        r->n = 0;
        feed(r, text, message(text, "FIX.4.4", body));
        ok(r->n == 0 && r->codec->stats.errors == errors + 1 &&
           strstr(r->problem, "not a time"),
           "'%s' is no time", bad[i]);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        snprintf(body, sizeof body,
                 "35=S|49=A|56=B|34=1|52=19700101-00:00:00%s|55=A|132=1|134=1|",
                 good[i].fraction);
        r->n = 0;
        feed(r, text, message(text, "FIX.4.4", body));
        ok(r->n == 1 && r->records[0].time == good[i].ns, "seconds%s", good[i].fraction);
    }
    for (int i = 0; i < 3000; i++) {
        time_t t = (time_t)below(INT64_C(9200000000));
        struct tm tm;

        gmtime_r(&t, &tm);
        strftime(body, sizeof body,
                 "35=S|49=A|56=B|34=1|52=%Y%m%d-%H:%M:%S|55=A|132=1|134=1|",
                 &tm);
        r->n = 0;
        feed(r, text, message(text, "FIX.4.4", body));
        wrong += r->n != 1 || r->records[0].time != (int64_t)t * 1000000000;
    }
    ok(wrong == 0, "3000 dates to the year 2261 are what gmtime says (%d wrong)", wrong);
    run_free(r);
}

/* ---- writing ---- */

static void writes(int rounds)
{
    struct tw_fix_writer w = { "FIX.4.4", "ME", "YOU", 1 };
    const int64_t time = INT64_C(1704187800123000000);
    struct tw_quote q = { 1500000000, 1600000000, 100000000000, 200000000000 };
    struct tw_quote bid_only = { 1500000000, 0, 100000000000, 0 }, none = {0};
    struct tw_quote no_sizes = { 1500000000, 1600000000, 0, 0 };
    struct tw_trade t = { .price = -5, .size = 7000000000, .side = TW_SIDE_SELL, .id =
                          12 };
    static const char *const want[] = {
        "8=FIX.4.4|9=103|35=W|49=ME|56=YOU|34=1|52=20240102-09:30:00.123|55=A|268=2|"
        "269=0|270=1.5|271=100|269=1|270=1.6|271=200|10=101|",
        "8=FIX.4.4|9=104|35=X|49=ME|56=YOU|34=2|52=20240102-09:30:00.123|268=2|"
        "279=1|269=0|55=A|270=1.5|271=100|279=2|269=1|55=A|10=",
        "35=X|49=ME|56=YOU|34=3|52=20240102-09:30:00.123|268=1|"
        "279=0|269=2|278=12|55=A|270=-0.000000005|271=7|54=2|10=",
        "35=S|49=ME|56=YOU|34=4|52=20240102-09:30:00.123|117=4|55=A|"
        "132=1.5|133=0|134=100|135=0|10=",
        "35=W|49=ME|56=YOU|34=5|52=20240102-09:30:00.123|55=A|268=0|10=",
        "|55=A|268=2|269=0|270=1.5|269=1|270=1.6|10=",
        "|268=2|279=0|269=0|55=A|270=1.5|279=0|269=1|55=A|270=1.6|10=",
        "|55=A|132=1.5|133=1.6|10=",
    };
    char text[600];
    int wrong = 0, small = 0;

    for (int i = 0; i < 8; i++) {
        int64_t n = i == 0 ? tw_fix_write_snapshot(&w, "A", &q, time, text, sizeof text)
            : i == 1 ? tw_fix_write_update(&w, "A", &bid_only, time, text, sizeof text)
            : i == 2 ? tw_fix_write_trade(&w, "A", &t, time, text, sizeof text)
            : i == 3 ? tw_fix_write_quote(&w, "A", &bid_only, time, text, sizeof text)
            : i == 4 ? tw_fix_write_snapshot(&w, "A", &none, time, text, sizeof text)
            : i == 5 ? tw_fix_write_snapshot(&w, "A", &no_sizes, time, text, sizeof text)
            : i == 6 ? tw_fix_write_update(&w, "A", &no_sizes, time, text, sizeof text)
            : tw_fix_write_quote(&w, "A", &no_sizes, time, text, sizeof text);

        for (int64_t k = 0; k < n; k++) if (text[k] == 1) text[k] = '|';
        text[n] = 0;
        ok(strstr(text, want[i]), "%s", text);
    }
    ok(w.seq == 9, "34 is raised by each");

    for (int i = 0; i < rounds; i++) {
        struct run *r = run_new(0);
        struct tw_quote in = {
            (int64_t)(next() >> below(64)) >> 1, -(int64_t)(next() >> (1 + below(60))),
            (int64_t)(next() >> (1 + below(63))), (int64_t)(next() >> (1 + below(63))),
        };
        struct tw_trade trade = {
            .price = in.ask, .size = in.bid_size, .side = (uint32_t)below(3),
            .id = next() >> (1 + below(63)),
        };
        char begin[8], who[300], name[64];
        /* Whole milliseconds, before 1970 too where only the writer is tested. */
        int64_t when = (int64_t)(below(INT64_C(9000000000000))) * 1000000, n;
        int kind = i % 4;

        if (below(4) == 0) in.bid_size = 0;
        if (below(4) == 0) in.ask_size = 0;
        if (in.bid_size == 0 && i & 4) in.bid = 0;
        if (in.ask_size == 0 && i & 4) in.ask = 0;
        snprintf(begin, sizeof begin, "FIX.4.%d", (int)below(5));
        memset(who, 'x', sizeof who);
        who[1 + (below(9) ? below(20) : below(298))] = 0;
        memset(name, 'y', sizeof name);
        name[1 + below(63)] = 0;
        w = (struct tw_fix_writer){ begin, who, "Y", next() >> below(64) };
        for (size_t cap = sizeof text; ; cap--) {
            struct tw_fix_writer again = w;

            n = kind == 0 ? tw_fix_write_snapshot(&again, name, &in, when, text, cap)
                : kind == 1 ? tw_fix_write_update(&again, name, &in, when, text, cap)
                : kind == 2 ? tw_fix_write_trade(&again, name, &trade, when, text, cap)
                : tw_fix_write_quote(&again, name, &in, when, text, cap);
            if (n < 0) {
                small += n != TW_EFULL || again.seq != w.seq;
                if (cap + 20 < sizeof text) break;
                continue;
            }
            small += (size_t)n > cap || again.seq != w.seq + 1;
            if (cap == sizeof text) {
                if (w.seq > UINT64_C(9999999999999999999)) break;   /* past 19 digits */
                if (feed(r, guarded(text, (size_t)n), (size_t)n) != (size_t)n ||
                    r->n != 1 ||
                    r->records[0].time != when ||
                        r->records[0].source_seq != (uint32_t)w.seq ||
                    strcmp(tw_symbols_name(r->symbols, r->records[0].symbol), name) ||
                    memcmp(&r->records[0].word, kind == 2 ? (void *)&trade : (void *)&in,
                           32))
                    wrong++;
                cap = (size_t)n + 3;
            }
            if (cap == 0) break;
        }
        run_free(r);
    }
    ok(wrong == 0, "what was written is read back, %d times (%d wrong)", rounds, wrong);
    ok(small == 0, "a message that does not fit is not written (%d wrong)", small);
}

int main(void)
{
    guard();
    meanings();
    versions();
    refusals();
    times();
    writes(getenv("SMALL") ? 40 : 400);
    return tap_done();
}

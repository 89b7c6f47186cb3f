/* fix_write.c - messages written: lengths, checksums, room, order, and again. */
#include "fix_rig.h"
#include "random.h"
#include "tap.h"

static struct tw_fix_dictionary *d;
static struct tw_fix_message m;

static int64_t logon(char *out, size_t room, char **message)
{
    struct tw_fix_output o;

    tw_fix_begin(&o, out, room, "FIX.4.4", "A", 1);
    tw_fix_put_integer(&o, 34, 1);
    tw_fix_put_text(&o, 49, "ISLD", 4);
    tw_fix_put_time(&o, 52, INT64_C(1767348000123456789), TW_FIX_MS);
    tw_fix_put_text(&o, 56, "TW44", 4);
    tw_fix_put_integer(&o, 98, 0);
    tw_fix_put_integer(&o, 108, 30);
    tw_fix_put_flag(&o, 141, true);
    return tw_fix_finish(&o, message);
}

static void values(void)
{
    static const char want[] = "8=FIX.4.4|9=69|35=A|34=1|49=ISLD|"
        "52=20260102-10:00:00.123|56=TW44|98=0|108=30|141=Y|10=";
    static const char more[] = "35=B|1=-9223372036854775808|2=99|3=100|4=12345|5=-1.5|"
        "6=20260102-10:00:00|7=20260102-10:00:00.123456|8=20260102-10:00:00.123456789|"
        "9=19691231-23:59:59.999999999|-5=x|2147483647=N|";
    const int64_t t = INT64_C(1767348000123456789);
    struct tw_fix_output o;
    char out[600], *p;
    int64_t n = logon(out, sizeof out, &p);

    ok(n == (int64_t)strlen(want) + 4
       && !strncmp(shown(p, (size_t)n), want, strlen(want)),
       "a Logon: %s", shown(p, (size_t)n));
    ok(take(&m, d, p, (size_t)n) == TW_OK && tw_fix_check(&m, TW_FIX_CHECK_STRICT).reason
       == TW_FIX_FINE, "which is read back and fine");
    tw_fix_begin(&o, out, sizeof out, "FIXT.1.1", "B", 1);
    tw_fix_put_integer(&o, 1, INT64_MIN);
    tw_fix_put_integer(&o, 2, 99);
    tw_fix_put_integer(&o, 3, 100);
    tw_fix_put_integer(&o, 4, 12345);
    tw_fix_put_fixed(&o, 5, -1500000000);
    tw_fix_put_time(&o, 6, t, TW_FIX_S);
    tw_fix_put_time(&o, 7, t, TW_FIX_US);
    tw_fix_put_time(&o, 8, t, TW_FIX_NS);
    tw_fix_put_time(&o, 9, -1, TW_FIX_NS);
    tw_fix_put_char(&o, -5, 'x');
    tw_fix_put_flag(&o, INT32_MAX, false);
    n = tw_fix_finish(&o, &p);
    ok(n > 0 && strstr(shown(p, (size_t)n), more), "values: %s", shown(p, (size_t)n));
    ok(take(&m, d, p, (size_t)n) == TW_OK, "are read back");
}

static void times(void)
{
    bool right = true;

    for (int i = 0; i < 20000; i++) {
        int64_t t = (int64_t)(next() % (UINT64_C(9214646400) * 1000000000)), back = 0;
        char text[TW_FIX_TIME_TEXT + 8] = "";
        struct tw_fix_clock clock;
        size_t n = tw_fix_time_text(t, TW_FIX_NS, text);

        tw_fix_clock_init(&clock);
        right = right && n == TW_FIX_TIME_TEXT
            && tw_fix_any_time(&clock, (struct tw_fix_text){ text, n }, &back) == TW_OK
            && back == t && tw_fix_kind_fits(TW_FIX_TIMESTAMP, text, n);
    }
    ok(right, "any time up to 2261 is read back");
}

/* Each day of a clock of 64 bits, beside a calendar that counts. */
static void days(void)
{
    static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const int64_t day_ns = INT64_C(86400000000000);
    int year = 1678, month = 1, day = 1;
    char want[64], text[TW_FIX_TIME_TEXT];
    bool right = true;

    for (int64_t d_ns = -106650 * day_ns; d_ns < 106650 * day_ns; d_ns += day_ns) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

        snprintf(want, sizeof want, "%04d%02d%02d-23:59:59.999", year, month, day);
        right = right && tw_fix_time_text(d_ns + day_ns - 1, TW_FIX_MS, text) == 21
            && memcmp(text, want, 21) == 0;
        if (++day <= lengths[month - 1] + (month == 2 && leap)) continue;
        day = 1;
        if (++month <= 12) continue;
        month = 1;
        year++;
    }
    ok(right && year == 2261, "dates from 1678 to 2261");
}

/* Times of one message: of the same second, of the next, and back. */
static void seconds(void)
{
    static const int64_t at[] = { 999999999, 0, 1, 1000000000, -1, -1000000000, 2, 5 };
    char out[600], *p;
    struct tw_fix_output o;
    bool right = true;

    tw_fix_begin(&o, out, sizeof out, "FIX.4.4", "D", 1);
    for (int i = 0; i < 8; i++)
        tw_fix_put_time(&o, 60, INT64_C(1767348000000000000) + at[i], TW_FIX_NS);
    right = take(&m, d, (tw_fix_finish(&o, &p), p), sizeof out) == TW_OK && m.n == 12;
    for (uint32_t i = 0; right && i < 8; i++) {
        char text[TW_FIX_TIME_TEXT];

        tw_fix_time_text(INT64_C(1767348000000000000) + at[i], TW_FIX_NS, text);
        right = m.fields[3 + i].n == sizeof text
            && memcmp(m.fields[3 + i].at, text, sizeof text) == 0;
    }
    ok(right, "times of one message");
}

static void tags(void)
{
    char out[100], want[40], *p;
    bool right = true;

    for (int64_t tag = -20000; tag < 20000; tag++) {
        struct tw_fix_output o;
        int64_t n;

        tw_fix_begin(&o, out, sizeof out, "FIX.4.4", "0", 1);
        tw_fix_put_integer(&o, (int32_t)tag, tag);
        n = tw_fix_finish(&o, &p);
        snprintf(want, sizeof want, "|35=0|%d=%d|10=", (int)tag, (int)tag);
        right = right && n > 0 && strstr(shown(p, (size_t)n), want);
    }
    ok(right, "tags of any length");
}

static void sums(void)
{
    bool right = true;

    for (size_t n = 0; n < 300; n++) {
        char *p = malloc(n + 1);   /* a byte too far is found */
        unsigned sum = 0;

        if (!p) abort();
        for (size_t i = 0; i < n; i++) sum += (unsigned char)(p[i + 1] = (char)next());
        right = right && tw_fix_sum(p + 1, n) == (sum & 255);
        free(p);
    }
    ok(right, "the sum of any length");
}

static void room(void)
{
    char out[600], small[600], *p, *q;
    int64_t n = logon(out, sizeof out, &p), got;
    size_t least = 0;
    bool right = true;

    for (size_t r = 0; r < 300; r++) {
        memset(small, '~', sizeof small);
        got = logon(small, r, &q);
        right = right && small[r] == '~' && (got == TW_EFULL || got == n);
        if (got == n && !least) least = r;
        if (got == n) right = right && memcmp(p, q, (size_t)n) == 0 && q + n <= small + r;
        else right = right && !least;
    }
    ok(right && least >= (size_t)n && least < (size_t)n + 32,
       "a buffer is big enough or said not to be (%zu for %d)", least, (int)n);
}

static void refused(void)
{
    static const struct { const char *value; size_t n; } wrong[] = {
        { "", 0 }, { "\1", 1 }, { "a\1b=c", 5 },
    };
    struct tw_fix_output o;
    char out[200], *p;

    for (size_t i = 0; i < 3; i++) {
        tw_fix_begin(&o, out, sizeof out, "FIX.4.2", "0", 1);
        tw_fix_put_text(&o, 58, wrong[i].value, wrong[i].n);
        tw_fix_put_integer(&o, 34, 1);
        ok(tw_fix_finish(&o, &p) == TW_EFORMAT, "text that would break the message");
    }
    tw_fix_begin(&o, out, sizeof out, "FIX.4.2", "0", 1);
    tw_fix_put_char(&o, 58, TW_FIX_SOH);
    ok(tw_fix_finish(&o, &p) == TW_EFORMAT, "a character, too");
}

static void sorted(void)
{
    static const struct { const char *text, *body; } r[] = {
        { "35=D|34=3|40=1|55=M|60=x|54=1|21=3|11=id|",
          "11=id|21=3|40=1|54=1|55=M|60=x|" },
        { "35=D|55=B|386=2|336=P|625=Q|336=A|11=I|",
          "11=I|55=B|386=2|336=P|625=Q|336=A|" },
        { "35=B|148=x|95=3|96=a|b|58=t|", "58=t|95=3|96=a|b|148=x|" },
        { "35=D|55=b|999=1|55=a|34=1|", "55=b|55=a|999=1|" },
        { "35=0|", "" },
    };

    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        struct tw_fix_output o;
        char out[400], *p, *q, want[100];
        size_t n;
        int64_t made;

        p = whole(TW_FIX_44, r[i].text, &n);
        if (take(&m, d, p, n) != TW_OK) ok(false, "%s", m.why);
        tw_fix_begin(&o, out, sizeof out, "FIX.4.4", m.fields[2].at, m.fields[2].n);
        tw_fix_put_body(&o, &m, true);
        made = tw_fix_finish(&o, &q);
        snprintf(want, sizeof want, "|35=%c|%s10=", r[i].text[3], r[i].body);
        ok(made > 0 && strstr(shown(q, (size_t)made), want), "sorted: %s",
           shown(q, (size_t)made));
        tw_fix_begin(&o, out, sizeof out, "FIX.4.4", m.fields[2].at, m.fields[2].n);
        tw_fix_put_body(&o, &m, false);
        ok(tw_fix_finish(&o, &q) == made, "as long as unsorted");
        free(p);
    }
}

static void many(void)
{
    enum { MOST = TW_FIX_SORTED_MAX + 1, ROOM = 40 * MOST };
    static char text[ROOM], out[ROOM];

    for (int more = 0; more < 2; more++) {
        struct tw_fix_output o;
        char *p, *q;
        size_t n = 0, made;
        bool ascends = true;

        n += (size_t)sprintf(text, "35=D|");
        for (int i = MOST - 1 + more; i > 0; i--)
            n += (size_t)sprintf(text + n, "%d=x|", 10000 + i);
        p = whole(TW_FIX_44, text, &made);
        if (take(&m, d, p, made) != TW_OK) ok(false, "%s", m.why);
        tw_fix_begin(&o, out, sizeof out, "FIX.4.4", "D", 1);
        tw_fix_put_body(&o, &m, true);
        made = (size_t)tw_fix_finish(&o, &q);
        if (take(&m, d, q, made) != TW_OK) ok(false, "%s", m.why);
        for (uint32_t i = 4; i + 1 < m.n; i++)
            ascends = ascends && m.fields[i].tag > m.fields[i - 1].tag;
        ok(ascends == !more && m.n == (unsigned)(MOST - 1 + more + 4),
           "%u fields are %ssorted", m.n - 4, more ? "not " : "");
        free(p);
    }
}

static void list(void)
{
    struct tw_fix_field f[] = { { 57, 1, "a" }, { 50, 1, "b" }, { 57, 1, "c" },
                                { 49, 2, "dd" } };
    struct tw_fix_output o;
    char out[200], *p;
    int64_t n;

    tw_fix_begin(&o, out, sizeof out, "FIX.4.4", "0", 1);
    tw_fix_put_sorted(&o, f, 4);
    n = tw_fix_finish(&o, &p);
    ok(n > 0 && strstr(shown(p, (size_t)n), "|49=dd|50=b|57=a|57=c|"), "a header sorted");
}

static void again(void)
{
    static const struct { const char *text, *want; } r[] = {
        { "35=D|34=3|49=A|52=20260102-10:00:00|56=B|11=x|55=Y|",
          "35=D|34=3|43=Y|49=A|52=NOW|56=B|122=THEN|11=x|55=Y|" },
        { "35=D|34=3|43=N|49=A|52=20260102-10:00:00|56=B|122=OLD|11=x|",
          "35=D|34=3|43=Y|49=A|52=NOW|56=B|122=THEN|11=x|" },
        { "35=D|11=x|", "35=D|43=Y|52=NOW|122=THEN|11=x|" },
        { "35=D|97=Y|11=x|", "35=D|43=Y|52=NOW|122=THEN|11=x|" },
        { "35=B|95=3|96=a|b|93=1|89=S|",
          "35=B|43=Y|52=NOW|122=THEN|95=3|96=a|b|93=1|89=S|" },
    };
    const struct tw_fix_field f[] = {
        { 43, 1, "Y" }, { 122, 4, "THEN" }, { 52, 3, "NOW" }, { 97, 0, NULL },
    };

    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        char out[400], *p, *q;
        size_t n;
        int64_t made;

        p = whole(TW_FIX_44, r[i].text, &n);
        if (take(&m, d, p, n) != TW_OK) ok(false, "%s", m.why);
        made = tw_fix_write_again(&m, f, 4, out, sizeof out, &q);
        ok(made > 0 && strstr(shown(q, (size_t)made), r[i].want)
           && take(&m, d, q, (size_t)made) == TW_OK, "again: %s", shown(q, (size_t)made));
        free(p);
    }
}

int main(void)
{
    d = dictionary(TW_FIX_44, NULL);
    if (tw_fix_message_init(&m, 0, 0) < 0) abort();
    values();
    times();
    days();
    seconds();
    tags();
    sums();
    room();
    refused();
    sorted();
    many();
    list();
    again();
    tw_fix_message_fini(&m);
    tw_fix_dictionary_free(d);
    return tap_done();
}

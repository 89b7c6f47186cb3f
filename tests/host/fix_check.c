/* fix_check.c - messages read, checked and written: the rules by their numbers. */
#include "fix_rig.h"
#include "random.h"
#include "tap.h"

#define HEAD "34=2|49=TW|52=20260102-10:00:00|56=ISLD|"
#define ORDER "35=D|" HEAD "11=ID|21=1|40=1|54=1|38=002000.00|55=INTC|" \
    "60=20260102-10:00:00|"

static struct tw_fix_dictionary *dicts[TW_FIX_50SP2 + 1];
static struct tw_fix_message m;

static const char extension[] = "5003 NoOuter NUMINGROUP\n5004 Outer STRING\n"
    "5005 NoInner NUMINGROUP\n5006 Inner CHAR\n5007 Last INT\n"
    "5008 Flags MULTIPLECHARVALUE A=A B=B\nD + 5003(5004! 5005(5006! 5007) 5007) 5008\n";

/* ---- R1: fields ---- */

static void reading(void)
{
    static const struct { const char *text; int code; const char *why; } r[] = {
        { "35=0|34=1|", TW_OK, "" },
        { "35=0|4garbled9=TW|", TW_EFORMAT, "field 4, behind 35, is not tag=value" },
        { "35=A|96=pass|word|554=secret|", TW_EFORMAT,
          "field 5, behind 96, is not tag=value" },   /* nobody reads them in a log */
        { "35=0|=A|", TW_EFORMAT, NULL },
        { "35=0|55|", TW_EFORMAT, NULL },
        { "35=0||", TW_EFORMAT, NULL },
        { "35=0|-=A|", TW_EFORMAT, NULL },
        { "35=0|+1=A|", TW_EFORMAT, NULL },
        { "35=0|2147483648=A|", TW_EFORMAT, NULL },
        { "35=0|2147483647=A|-2147483647=|0=A|-1=A|12345678=A|", TW_OK, NULL },
    };

    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        size_t n;
        char *p = whole(TW_FIX_44, r[i].text, &n);
        int code = take(&m, dicts[TW_FIX_44], p, n);

        ok(code == r[i].code, "R1: %s", r[i].text);
        if (r[i].why && code < 0 && strcmp(m.why, r[i].why) != 0)
            ok(false, "said %s", m.why);
        if (i + 1 == sizeof r / sizeof *r)
            ok(m.n == 9 && m.fields[3].tag == 2147483647 && m.fields[4].tag == -2147483647
               && m.fields[4].n == 0 && m.fields[5].tag == 0 && m.fields[6].tag == -1
               && m.fields[7].tag == 12345678 && m.fields[8].tag == 10
               && m.fields[8].n == 3, "tags of any size");
        free(p);
    }
}

static void parts(void)
{
    size_t n;
    char *p = whole(TW_FIX_44, "35=D|34=7|49=A|11=x|55=Y|93=1|89=S|", &n);
    struct tw_fix_part body, trailer;

    ok(take(&m, dicts[TW_FIX_44], p, n) == TW_OK && m.body == 5 && m.trailer == 7
       && m.n == 10 && !m.scattered, "header, body and trailer");
    body = tw_fix_part_body(&m);
    trailer = tw_fix_part_trailer(&m);
    ok(tw_fix_message_header(&m, 34).n == 1 && !tw_fix_message_header(&m, 55).at
       && tw_fix_message_body(&m, 55).n == 1 && !tw_fix_message_body(&m, 34).at
       && tw_fix_part_find(&body, 11) && tw_fix_part_find(&trailer, 93)
       && strcmp(m.type->name, "NewOrderSingle") == 0, "fields of each");
    free(p);
    p = whole(TW_FIX_44, "35=D|11=x|34=7|", &n);
    ok(take(&m, dicts[TW_FIX_44], p, n) == TW_OK && m.scattered
       && tw_fix_message_header(&m, 34).n == 1, "a header behind the body is found");
    free(p);
    p = whole(TW_FIX_44, "35=0|", &n);
    ok(take(&m, dicts[TW_FIX_44], p, n) == TW_OK && m.body == 3 && m.trailer == 3
       && m.n == 4, "nothing but a header");
    free(p);
    p = whole(TW_FIX_44, "35=??|", &n);
    ok(take(&m, dicts[TW_FIX_44], p, n) == TW_OK && !m.type
       && !tw_fix_message_body(&m, 55).at, "an unknown type");
    free(p);
}

static void data(void)
{
    static const struct { const char *text; const char *data; uint32_t fields; } r[] = {
        { "35=B|95=5|96=a|b=c|148=x|", "a|b=c", 7 },
        { "35=B|95=3|96=|||148=x|", NULL, 0 },
        { "35=B|95=2|96=|||148=x|", "||", 7 },
        { "35=B|95=1|96=ab|148=x|", "ab", 7 },
        { "35=B|95=x|96=ab|148=x|", "ab", 7 },
        { "35=B|95=9999|96=ab|148=x|", "ab", 7 },
        { "35=B|148=5|96=a|58=c|", "a", 7 },
        { "35=B|354=3|96=a|b|", NULL, 0 },
    };

    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        size_t n;
        char *p = whole(TW_FIX_44, r[i].text, &n);
        int code = take(&m, dicts[TW_FIX_44], p, n);
        struct tw_fix_text t = code == TW_OK ? tw_fix_message_body(&m, 96)
                               : (struct tw_fix_text){0};

        if (!r[i].data) ok(code == TW_EFORMAT, "data: %s", r[i].text);
        else ok(code == TW_OK && m.n == r[i].fields && t.n == strlen(r[i].data)
                && strcmp(shown(t.at, t.n), r[i].data) == 0, "data: %s", r[i].text);
        free(p);
    }
}

static void limits(void)
{
    struct tw_fix_message few;
    size_t n;
    char *p = whole(TW_FIX_44, "35=0|34=1|49=A|", &n);

    tw_fix_message_init(&few, 0, 6);
    ok(take(&few, dicts[TW_FIX_44], p, n) == TW_OK && few.n == 6,
       "as many fields as fit");
    tw_fix_message_fini(&few);
    tw_fix_message_init(&few, 0, 5);
    ok(take(&few, dicts[TW_FIX_44], p, n) == TW_ELIMIT
       && strcmp(few.why, "more than 5 fields") == 0, "and one more");
    tw_fix_message_fini(&few);
    for (uint64_t i = 1; i <= 3; i++) {
        tw_memory_fail_at(i);
        ok(tw_fix_message_init(&few, 0, 0) < 0, "no memory");
        tw_fix_message_fini(&few);
    }
    tw_memory_fail_at(0);
    free(p);
}

/* ---- groups ---- */

static void groups(void)
{
    static const char text[] = "35=D|5003=2|5004=a|5005=2|5006=1|5007=5|5006=2|5007=6|"
        "5004=b|5005=1|5006=3|55=S|";
    struct tw_fix_part body, outer, inner;
    struct tw_fix_group g, h;
    char said[100] = "";
    size_t n;
    char *p = whole(TW_FIX_44, text, &n);

    ok(take(&m, dicts[TW_FIX_44], p, n) == TW_OK, "groups are read");
    body = tw_fix_part_body(&m);
    ok(!tw_fix_part_find(&body, 5004) && !tw_fix_part_find(&body, 5006)
       && tw_fix_part_find(&body, 55), "what is in a group is not of the body");
    ok(tw_fix_part_group(&body, 5003, &g) && g.count == 2, "a group is found");
    while (tw_fix_group_next(&g, &outer)) {
        strncat(said, tw_fix_part_find(&outer, 5004)->at, 1);
        strcat(said, tw_fix_part_find(&outer, 5007) ? "7" : "(");
        if (tw_fix_part_group(&outer, 5005, &h))
            while (tw_fix_group_next(&h, &inner)) {
                strncat(said, tw_fix_part_find(&inner, 5006)->at, 1);
                if (tw_fix_part_find(&inner, 5007))
                    strncat(said, tw_fix_part_find(&inner, 5007)->at, 1);
            }
        strcat(said, ")");
    }
    ok(strcmp(said, "a(1526)b(3)") == 0, "entries in entries: %s", said);
    ok(!tw_fix_part_group(&body, 55, &g) && !tw_fix_part_group(&body, 5005, &g)
       && !tw_fix_part_group(&body, 1, &g), "what is no group");
    free(p);
}

/* ---- R16 to R24 ---- */

static const struct row {
    const char *rule;
    enum tw_fix_version version;
    unsigned flags;               /* 0: strict */
    const char *text;
    int reason, tag;              /* tag 0: none, or fine */
} rows[] = {
    { "fine", TW_FIX_42, 0, ORDER, TW_FIX_FINE, 0 },
    { "fine", TW_FIX_42, 0, "35=0|" HEAD, TW_FIX_FINE, 0 },
    { "R16", TW_FIX_42, 0, "35=ZZ|" HEAD, 11, 0 },
    { "R16 off", TW_FIX_42, TW_FIX_CHECK_OFF, "35=ZZ|", TW_FIX_FINE, 0 },
    { "R16 lenient", TW_FIX_42, TW_FIX_CHECK_LENIENT, "35=ZZ|" HEAD, 11, 0 },
    { "R22 data", TW_FIX_42, 0, "35=0|" HEAD "90=3|91=a|b|", TW_FIX_FINE, 0 },
    { "R22 too short", TW_FIX_42, 0, "35=0|" HEAD "90=1|91=ab|", 6, 90 },
    { "R22 too long", TW_FIX_42, 0, "35=0|" HEAD "90=200|91=ab|", 6, 90 },
    { "R22 no length", TW_FIX_42, 0, "35=0|" HEAD "91=ab|", TW_FIX_FINE, 0 },
    { "R22 off", TW_FIX_42, TW_FIX_CHECK_STRICT & ~TW_FIX_VALIDATE_VALUES,
      "35=0|" HEAD "90=1|91=ab|", TW_FIX_FINE, 0 },
    { "R18", TW_FIX_42, 0, "35=D|11=id|21=3|40=1|54=1|55=M|60=20260102-10:00:00|" HEAD,
      14, 34 },
    { "R18 first", TW_FIX_42, 0, "35=D|55=M|" HEAD "11=id|21=3|40=1|54=1|"
      "60=20260102-10:00:00|", 14, 34 },
    { "R18 trailer", TW_FIX_42, 0, "35=0|" HEAD "93=1|89=S|112=A|", 14, 112 },
    { "R18 before R23", TW_FIX_42, 0, "35=D|55=M|34=2|", 14, 34 },
    { "R18 off", TW_FIX_42, TW_FIX_CHECK_STRICT & ~1u, "35=0|112=A|" HEAD,
      TW_FIX_FINE, 0 },
    { "R23 header", TW_FIX_42, 0, "35=0|34=2|49=TW|52=20260102-10:00:00|", 1, 56 },
    { "R23 body", TW_FIX_42, 0, "35=D|" HEAD "11=id|21=3|40=1|54=1|"
      "60=20260102-10:00:00|", 1, 55 },
    { "R23 lowest", TW_FIX_42, 0, "35=D|" HEAD, 1, 11 },
    { "R23 before R17", TW_FIX_42, 0, "35=1|" HEAD "58=A|58=B|", 1, 112 },
    { "R23 off", TW_FIX_42, TW_FIX_CHECK_STRICT & ~32u, "35=D|34=2|", TW_FIX_FINE, 0 },
    { "R17", TW_FIX_42, 0, ORDER "40=2|", 13, 40 },
    { "R17 header", TW_FIX_42, 0, "35=0|" HEAD "34=2|", 13, 34 },
    { "R17 before R21", TW_FIX_42, 0, ORDER "58=|40=2|", 13, 40 },
    { "R19", TW_FIX_42, 0, "35=0|" HEAD "999=HI|", 0, 999 },
    { "R19", TW_FIX_42, 0, "35=0|" HEAD "0=HI|", 0, 0 },
    { "R19", TW_FIX_42, 0, "35=0|" HEAD "-1=HI|", 0, -1 },
    { "R19", TW_FIX_42, 0, "35=0|" HEAD "5000=HI|", 0, 5000 },
    { "R19 of users", TW_FIX_42, TW_FIX_CHECK_STRICT & ~4u,
      "35=0|" HEAD "5000=HI|4999=A|", 0, 4999 },
    { "R19 lenient", TW_FIX_42, TW_FIX_CHECK_LENIENT, "35=0|" HEAD "5000=HI|999=|",
      4, 999 },
    { "R19 lenient", TW_FIX_42, TW_FIX_CHECK_LENIENT, "35=0|" HEAD "5000=HI|999=A|55=A|",
      TW_FIX_FINE, 0 },
    { "R19 before R20", TW_FIX_42, 0, "35=0|" HEAD "999=A|55=B|", 0, 999 },
    { "R20", TW_FIX_42, 0, "35=0|" HEAD "55=MSFT|", 2, 55 },
    { "R19 in FIXT", TW_FIX_50SP2, 0, "35=0|" HEAD "55=MSFT|", 0, 55 },
    { "R19 in FIXT lenient", TW_FIX_50SP2, TW_FIX_CHECK_LENIENT, "35=0|" HEAD "55=MSFT|",
      TW_FIX_FINE, 0 },
    { "R20 in FIXT", TW_FIX_50SP2, 0, "35=0|" HEAD "58=x|", 2, 58 },
    { "R20 in FIXT", TW_FIX_50SP2, 0, "35=D|" HEAD "11=id|40=1|54=1|"
      "60=20260102-10:00:00|98=0|", 2, 98 },
    { "R21", TW_FIX_42, 0, "35=0|34=2|49=TW|52=20260102-10:00:00|56=|", 4, 56 },
    { "R21 before R20", TW_FIX_42, 0, "35=0|" HEAD "55=|", 4, 55 },
    { "R21 in order", TW_FIX_42, 0, "35=D|" HEAD "145=|11=ID|21=3|40=w|54=1|55=A|"
      "60=20260102-10:00:00|", 4, 145 },
    { "R21 off", TW_FIX_42, TW_FIX_CHECK_STRICT & ~2u, "35=1|" HEAD "112=|",
      TW_FIX_FINE, 0 },
    { "R22 format", TW_FIX_42, 0, "35=D|" HEAD "11=ID|21=1|40=1|54=1|38=+200.00|55=A|"
      "60=20260102-10:00:00|", 6, 38 },
    { "R22 time", TW_FIX_42, 0, ORDER "126=20040415|", 6, 126 },
    { "R22 choice", TW_FIX_42, 0, "35=D|" HEAD "11=ID|21=4|40=1|54=1|55=A|"
      "60=20260102-10:00:00|", 5, 21 },
    { "R22 choice", TW_FIX_42, 0, ORDER "167=BOO|", 5, 167 },
    { "R22 choice", TW_FIX_42, 0, ORDER "167=FUT|", TW_FIX_FINE, 0 },
    { "R22 before R20", TW_FIX_42, 0, "35=0|" HEAD "54=x|", 5, 54 },
    { "R22 words", TW_FIX_42, 0, ORDER "18=1 2|", TW_FIX_FINE, 0 },
    { "R22 words", TW_FIX_42, 0, ORDER "18=1 ?|", 5, 18 },
    { "R22 words", TW_FIX_42, 0, ORDER "18=1  2|", 5, 18 },
    { "R22 off", TW_FIX_42, TW_FIX_CHECK_STRICT & ~64u, ORDER "126=x|167=BOO|386=x|",
      TW_FIX_FINE, 0 },
    { "R22 4.0 CHAR", TW_FIX_40, 0, "35=D|" HEAD "11=IDX|21=1|38=1|40=1|54=1|55=INTC|",
      TW_FIX_FINE, 0 },
    { "R24", TW_FIX_42, 0, ORDER "386=3|336=PRE-OPEN|336=AFTER-HOURS|", 16, 386 },
    { "R24", TW_FIX_42, 0, ORDER "386=2|336=PRE-OPEN|336=AFTER-HOURS|", TW_FIX_FINE, 0 },
    { "R24", TW_FIX_42, 0, ORDER "386=1|336=PRE-OPEN|336=AFTER-HOURS|", 16, 386 },
    { "R24 zero", TW_FIX_42, 0, ORDER "386=0|", TW_FIX_FINE, 0 },
    { "R24 of zero", TW_FIX_42, 0, ORDER "386=0|336=A|", 16, 386 },
    { "R24 nested", TW_FIX_44, 0, ORDER "5003=1|5004=a|5005=2|5006=x|", 16, 5005 },
    { "group fine", TW_FIX_44, 0, ORDER "5003=2|5004=a|5005=1|5006=x|5004=b|58=A|",
      TW_FIX_FINE, 0 },
    { "R17 in a group", TW_FIX_44, 0, ORDER "5003=2|5004=a|5007=1|5007=2|", 13, 5007 },
    { "R24 begins wrong", TW_FIX_44, 0, ORDER "5003=1|5007=1|5004=a|", 16, 5003 },
    { "R20 in a group", TW_FIX_44, 0, ORDER "5003=1|5004=a|112=1|", 2, 112 },
    { "R22 in a group", TW_FIX_44, 0, ORDER "5003=1|5004=a|5005=1|5006=xy|", 6, 5006 },
    { "R21 in a group", TW_FIX_44, 0, ORDER "5003=1|5004=|", 4, 5004 },
    { "order in a group", TW_FIX_44, TW_FIX_CHECK_STRICT | 8,
      ORDER "5003=1|5004=a|5007=1|5005=1|5006=1|", 15, 5005 },
    { "order in a group off", TW_FIX_44, 0,
      ORDER "5003=1|5004=a|5007=1|5005=1|5006=1|", TW_FIX_FINE, 0 },
    { "characters", TW_FIX_44, 0, ORDER "5008=A B|", TW_FIX_FINE, 0 },
    { "characters", TW_FIX_44, 0, ORDER "5008=AB|", 6, 5008 },
    { "characters", TW_FIX_44, 0, ORDER "5008=A C|", 5, 5008 },
    { "hops", TW_FIX_44, 0, "35=0|" HEAD "627=1|628=A|629=20260102-10:00:00|",
      TW_FIX_FINE, 0 },
    { "hops", TW_FIX_44, 0, "35=0|" HEAD "627=2|628=A|", 16, 627 },
    { "5.0", TW_FIX_50SP2, 0, "35=D|" HEAD "1128=9|11=ID|40=1|54=1|38=1|55=A|"
      "60=20260102-10:00:00.123456|", TW_FIX_FINE, 0 },
    { "5.0SP2 before extension packs", TW_FIX_50SP2, 0, "35=W|" HEAD "262=1|55=A|"
      "268=1|269=0|270=1|271=2|", TW_FIX_FINE, 0 },
    { "and after", TW_FIX_50SP2, 0, "35=W|" HEAD "262=1|55=A|779=20260102-10:00:00|268=1|"
      "269=0|270=1|271=2|", TW_FIX_FINE, 0 },
};

static void rules(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *r = &rows[i];
        unsigned flags = r->flags || strstr(r->rule, "off") ? r->flags
                         : TW_FIX_CHECK_STRICT;
        struct tw_fix_verdict v;
        size_t n;
        char *p = whole(r->version, r->text, &n);

        if (take(&m, dicts[r->version], p, n) != TW_OK) {
            ok(false, "%s: %s", r->rule, m.why);
        } else {
            v = tw_fix_check(&m, flags);
            ok(v.reason == r->reason && v.tag == r->tag
               && v.has_tag == (v.reason >= 0 && v.reason != 11)
               && strcmp(v.text, tw_fix_reason_text(r->reason)) == 0, "%s: %s", r->rule,
               strstr(r->text, "55=") ? strstr(r->text, "55=") : r->text);
            if (v.reason != r->reason || v.tag != r->tag)
                printf("# %d %d %s\n", v.reason, v.tag, v.text);
        }
        free(p);
    }
}

static void kinds(void)
{
    static const struct { enum tw_fix_kind kind; const char *right, *wrong; } k[] = {
        { TW_FIX_CHAR, "A| |=", "|AB" },
        { TW_FIX_BOOLEAN, "Y|N", "|y|YN|1" },
        { TW_FIX_INT, "0|-5|007|123456789012345678901", "|-|+1|1.|1e5| 1|--1" },
        { TW_FIX_LENGTH, "0|10", "|-1|1.0|x" }, { TW_FIX_SEQNUM, "1", "-1|" },
        { TW_FIX_NUMINGROUP, "0|2", "-2|two" },
        { TW_FIX_DAYOFMONTH, "1|31|09", "0|32|001|x|00|" },
        { TW_FIX_FLOAT, "1|-1.5|.5|5.|002000.00|123456789012345678901234.5",
          "|.|-|-.|+1|1e5|1.2.3|1,5|NaN" },
        { TW_FIX_TIMESTAMP, "20260102-10:00:00|20260102-23:59:60.1|20240229-00:00:00.123|"
          "20260102-10:00:00.123456|20260102-10:00:00.123456789",
          "|20260102|20260102-10:00|20260102 10:00:00|20260102-24:00:00|"
          "20261302-10:00:00|"
          "20260102-10:60:00|20260102-10:00:61|20260102-10:00:00.|20260230-10:00:00|"
          "20250229-10:00:00|20260102-10:00:00.12x|2026010a-10:00:00|20260102-1a:00:00|"
          "20260102-10-00-00|20260102-10:00:00Z" },
        { TW_FIX_TIMEONLY, "10:00:00|10:00:00.5", "|10:00|1:00:00|10:00:00." },
        { TW_FIX_DATE, "20260102|20000229", "|2026010|202601020|20260100|19000229" },
        { TW_FIX_MONTHYEAR, "202601|20260131|202601w5",
          "|2026|202613|20260132|202601w6" },
        { TW_FIX_CHARS, "A|A B|A B C", "|AB|A  B| A|A " },
        { TW_FIX_STRING, "a|", NULL }, { TW_FIX_DATA, "|", NULL },
        { TW_FIX_TZ, "x", NULL },
    };

    for (size_t i = 0; i < sizeof k / sizeof *k; i++)
        for (int wrong = 0; wrong < 2; wrong++) {
            const char *p = wrong ? k[i].wrong : k[i].right;

            while (p) {
                const char *stop = strchr(p, '|');
                size_t n = stop ? (size_t)(stop - p) : strlen(p);

                ok(tw_fix_kind_fits(k[i].kind, p, n) == !wrong, "kind %d: '%.*s' is %s",
                   k[i].kind, (int)n, p, wrong ? "none" : "one");
                p = stop ? stop + 1 : NULL;
            }
        }
}

/* A minute may have a second 60, and no 65. */
static void leap_second(void)
{
    struct tw_fix_verdict v;
    size_t n;
    char *p = whole(TW_FIX_44, "35=D|" HEAD "11=ID|40=1|54=1|38=2|55=INTC|"
                    "60=20260102-23:59:60.000|126=20260102-23:59:65.000|", &n);

    take(&m, dicts[TW_FIX_44], p, n);
    v = tw_fix_check(&m, TW_FIX_CHECK_STRICT);
    ok(v.reason == TW_FIX_BAD_FORMAT && v.tag == 126, "a second 65 behind a 60");
    free(p);
}

/* ---- what is learnt of messages ---- */

/* Reads and checks it; whether it has the tags that its form has. */
static bool alike(const char *text)
{
    size_t n;
    char *p = whole(TW_FIX_44, text, &n);
    bool fine = take(&m, dicts[TW_FIX_44], p, n) == TW_OK
        && tw_fix_check(&m, TW_FIX_CHECK_STRICT).reason == TW_FIX_FINE;

    if (!fine) ok(false, "fine: %s", text);
    free(p);
    return m.alike;
}

static void learning(void)
{
    static const char *const one = ORDER, *const other = ORDER "58=text|";
    unsigned known = 0;

    for (int i = 0; i < 9; i++) alike(one);
    for (int i = 0; i < 9; i++) alike(one);
    ok(alike(one) && !alike(other) && alike(one) && !alike(other) && alike(one),
       "one order among others is not what most are");
    ok(!alike(other) && !alike(other) && alike(other), "two in a row are");
    for (int i = 0; i < 64; i++) {
        char text[256];

        /* Each has fields that the one before it lacks. */
        snprintf(text, sizeof text, "%s%s%s%s", one, i & 1 ? "15=USD|" : "",
                 i & 2 ? "59=0|" : "", i & 1 ? "" : "58=text|");
        known += alike(text);
    }
    ok(known > 0 && known < 32, "where all differ few are learnt from (%u known)", known);
    for (int i = 0; i < 9; i++) alike(one);
    ok(alike(one), "until they are alike again");
}

/* Whether m, that has learnt, reads and checks a message as one that has not. */
static bool as_fresh(const struct tw_fix_dictionary *d, const char *text)
{
    static const unsigned flags[] = { TW_FIX_CHECK_STRICT, TW_FIX_CHECK_LENIENT };
    struct tw_fix_message fresh;
    size_t n;
    char *p = whole(TW_FIX_44, text, &n);
    bool same = tw_fix_message_init(&fresh, 0, 0) == TW_OK
        && take(&fresh, d, p, n) == take(&m, d, p, n) && fresh.n == m.n
        && (m.n == 0 || (fresh.body == m.body && fresh.trailer == m.trailer
                         && fresh.scattered == m.scattered));

    for (uint32_t i = 0; same && i < m.n; i++)
        same = fresh.fields[i].tag == m.fields[i].tag
            && fresh.fields[i].at == m.fields[i].at && fresh.fields[i].n == m.fields[i].n;
    for (unsigned i = 0; same && m.n && i < 4; i++) {
        struct tw_fix_verdict a = tw_fix_check(&m, flags[i / 2]),
                              b = tw_fix_check(&fresh, flags[i / 2]);

        same = a.reason == b.reason && a.tag == b.tag;
    }
    tw_fix_message_fini(&fresh);
    free(p);
    return same;
}

/* Tags of one to ten digits, with zeros before them, some with the first four or with
 * the place of others; headers with more, less, or something wrong. */
static void tags(void)
{
    static const char *const heads[] = {
        HEAD, HEAD "115=A|", HEAD "129=B|", HEAD "52=20260102-10:00:00|",
        HEAD "90=3|91=a|b|", HEAD "90=2|91=a|b|", HEAD "627=1|628=H|",
        "34=2|49=TW|56=ISLD|52=20260102-10:00:00|", "34=x" HEAD, "34=2|49=TW|56=ISLD|",
        "34=2|50=s|52=20260102-10:00:00|56=ISLD|",
        "34=2|49=TW|52=20260102-10:00:00|49=TW|",
        "34=2|49=TW|52=20260102-10:00:00|56=ISLD|",
        HEAD "0115=A|", HEAD "97=Q|", HEAD "97=Y|",
    };
    unsigned same = 0, all = 0;

    for (unsigned i = 0; i < 6000; i++) {
        const struct tw_fix_dictionary *d = dicts[i % 500 < 450 ? TW_FIX_44 : TW_FIX_42];
        enum { HEADS = sizeof heads / sizeof *heads };
        const char *head = heads[(next() % 4 ? i / 50 : next()) % HEADS];
        char text[1024];
        int n = sprintf(text, "35=%s|%s%s", next() % 8 ? "D" : "8", head,
                        "11=ID|21=1|40=1|54=1|38=1|55=INTC|60=20260102-10:00:00|");

        if (next() % 4)
            n += sprintf(text + n, "%s", next() % 2 ? "58=t|" : "1=a|15=USD|");
        for (uint64_t fields = next() % 2 ? 0 : next() % 12; fields > 0; fields--) {
            uint64_t r = next();
            uint64_t tag = r % (r & 1 << 20 ? 100 : r & 1 << 21 ? 1200 : 99999);

            if (r >> 24 & 1)
                n += sprintf(text + n, "%llu=1|", (unsigned long long)tag);
            else if (r >> 25 & 15)
                n += sprintf(text + n, "%0*llu=1|", (int)(r >> 30 & 7),
                             (unsigned long long)tag);
            else   /* five digits that begin as those of another do */
                n += sprintf(text + n, "%llu%u=1|", 1000 + (unsigned long long)tag % 9000,
                             (unsigned)(r >> 40) % 20000);
        }
        all++;
        same += as_fresh(d, text);
    }
    ok(same == all, "%u of %u messages are read as by one that has learnt nothing", same,
       all);
}

int main(void)
{
    for (int v = 0; v <= TW_FIX_50SP2; v++)
        dicts[v] = dictionary((enum tw_fix_version)v, v == TW_FIX_44 ? extension : NULL);
    if (tw_fix_message_init(&m, 0, 0) < 0) abort();
    reading();
    parts();
    data();
    limits();
    groups();
    rules();
    kinds();
    leap_second();
    learning();
    tags();
    tw_fix_message_fini(&m);
    for (int v = 0; v <= TW_FIX_50SP2; v++) tw_fix_dictionary_free(dicts[v]);
    return tap_done();
}

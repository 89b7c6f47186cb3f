/* order_desk.c - the venue's orders: what it refuses; and in the next run all versions
 * tell what was open that it has ended, with what it has traded, and know it yet.
 */
#include "fix/order_desk.h"

#include "fix_rig.h"
#include "tap.h"

#define ONE TW_FIXED_ONE

static struct tw_fix_dictionary *d;
static struct tw_symbols *symbols;
static struct tw_fix_message m;
static enum tw_fix_version version;
static char sent[16][1000];           /* "8|37=...|", in order                       */
static size_t n_sent;
static const int64_t NOW = INT64_C(1767225600000000000);

static void on_send(void *ctx, const char *code, const char *body, size_t n)
{
    (void)ctx;
    if (n_sent == 16) abort();
    snprintf(sent[n_sent++], sizeof sent[0], "%s|%.900s", code,
             shown(body, n));
}

static struct tw_fix_desk *desk(uint64_t first)
{
    n_sent = 0;
    return tw_fix_desk_new(&(struct tw_fix_desk_options){ .dictionary = d,
        .symbols = symbols, .owner = 1, .first_id = first, .id_step = 10,
        .send = on_send });
}

/* A message as its session has it. */
static int ask(struct tw_fix_desk *x, const char *head, const char *body,
               struct tw_request *q)
{
    int code = strncmp(head, "AF", 2) == 0 ? 2 : 1, rc;
    char text[1000], *p;
    size_t n;

    snprintf(text, sizeof text, "35=%.*s|34=9|49=B|52=20260101-00:00:00|56=A|%s%s", code,
             head, head + code, body);
    p = whole(version, text, &n);
    if (take(&m, d, p, n) != 0) abort();
    rc = tw_fix_desk_take(x, &m, NOW, q);
    free(p);
    return rc;
}

static struct tw_request new(struct tw_fix_desk *x, const char *id)
{
    char body[200];
    struct tw_request q;

    snprintf(body, sizeof body, "11=%s|21=1|55=A|54=1|38=10|40=2|44=9|"
             "60=20260101-00:00:00|", id);
    if (ask(x, "D", body, &q) != 1) abort();
    return q;
}

static void report(struct tw_fix_desk *x, const struct tw_request *q, char exec,
                   int64_t quantity)
{
    tw_fix_desk_report(x, &(struct tw_venue_report){ .report = { .order = q->id,
        .exec = (uint8_t)exec, .time_ns = NOW, .last_qty = quantity * ONE,
        .last_px = 9 * ONE, .quantity = 20 * ONE, .price = 9 * ONE },
        .owner = 1, .symbol = 1, .side = TW_SIDE_BUY, .answers = exec != 'F' });
}

/* What has been sent is what the next run finds, and knows. */
static struct tw_fix_desk *next(struct tw_fix_desk *x, uint64_t first)
{
    struct tw_fix_desk *y;
    char kept[16][1000];
    size_t n = n_sent, strange = 0;

    memcpy(kept, sent, sizeof kept);
    tw_fix_desk_free(x);
    y = desk(first);
    for (size_t i = 0; i < n; i++) {
        char *body = strchr(kept[i], '|') + 1;

        if (*kept[i] != '8') continue;
        for (char *c = body; *c; c++)
            if (*c == '|') *c = TW_FIX_SOH;
        strange += !tw_fix_desk_restore(y, body, strlen(body));
    }
    if (strange) printf("# %zu strange\n", strange);
    tw_fix_desk_end_former(y, NOW);
    return y;
}

/* The i-th of what was sent has all of these fields, "37=1|14=4". */
static bool has_all(size_t i, const char *fields)
{
    char field[64];

    for (const char *p = fields; i < n_sent && *p; p += strcspn(p, "|"), p += *p == '|') {
        snprintf(field, sizeof field, "|%.*s|", (int)strcspn(p, "|"), p);
        if (strstr(sent[i], field)) continue;
        printf("# no %s in %s\n", field, sent[i]);
        return false;
    }
    return i < n_sent;
}

static void restart(void)
{
    struct tw_fix_desk *x = desk(100);
    struct tw_request a = new(x, "a"), b, c, q;
    const char *name = tw_fix_version_name(version);

    report(x, &a, '0', 0);
    report(x, &a, 'F', 4);
    b = new(x, "b");
    report(x, &b, '0', 0);
    if (ask(x, "G", "11=b2|41=b|21=1|55=A|54=1|38=20|40=2|44=9|60=20260101-00:00:00|",
            &q) != 1)
        abort();
    report(x, &b, '5', 0);
    c = new(x, "c");
    tw_fix_desk_note(x, c.id, NOW);
    x = next(x, 1001);
    ok(n_sent == 3, "%s: three were open", name);
    ok(has_all(0, "37=100|11=a|39=4|14=4|6=9|38=10|54=1|55=A|17=1001"),
       "one of which has traded");
    ok(has_all(1, "37=110|11=b2|39=4|14=0|38=20|44=9"), "one was changed");
    ok(has_all(2, "37=120|11=c|39=8|14=0|38=10"), "one was never answered");
    if (version >= TW_FIX_41) ok(has_all(0, "151=0|150=4"), "nothing is left");

    n_sent = 0;
    ok(ask(x, "F", "11=a1|41=a|55=A|54=1|38=10|60=20260101-00:00:00|", &q) == 0
       && n_sent == 1 && *sent[0] == '9', "it can't be canceled");
    ok(has_all(0, version < TW_FIX_41 ? "11=a1|102=0" : "11=a1|41=a|102=0"), "any more");
    n_sent = 0;
    ok(ask(x, "D43=Y|", "11=a|21=1|55=A|54=1|38=10|40=2|44=9|60=20260101-00:00:00|",
           &q) == 0 && has_all(0, "37=100|11=a|39=4"), "nor does it come again");
    a = new(x, "a");
    ok(a.id == 1001, "but its name is free");
    n_sent = 0;
    report(x, &a, '0', 0);
    ok(has_all(0, "37=1001|11=a|39=0|14=0"), "for another order");
    x = next(x, 2002);
    ok(n_sent == 1 && has_all(0, "37=1001|39=4"), "which ends in its turn");
    tw_fix_desk_free(x);
}

/* What can't be of an order that is there: it stays, and that is what is said. */
static void refused(void)
{
    static const char *const bodies[] = {
        "11=b|41=a|21=1|55=A|54=1|38=0|40=2|44=9|",
        "11=a|41=a|21=1|55=A|54=1|38=9|40=2|44=9|",
        "11=b|41=a|21=1|55=B|54=1|38=20|40=2|44=9|",
        "11=b|41=a|21=1|55=A|54=2|38=20|40=2|44=9|",
        "11=b|41=a|21=1|55=A|54=1|38=20|40=1|",
        "11=b|41=a|21=1|55=A|54=1|38=20|40=2|44=9|59=3|",
    };
    struct tw_fix_desk *x = desk(100);
    struct tw_request a = new(x, "a"), q;
    char body[200];

    report(x, &a, '0', 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        n_sent = 0;
        snprintf(body, sizeof body, "%s60=20260101-00:00:00|", bodies[i]);
        ok(ask(x, "G", body, &q) == 0 && *sent[0] == '9' && has_all(0, "37=100")
           && !strstr(sent[0], "|102=1|") && !strstr(sent[0], "|39=8|"),
           "%s", bodies[i]);
    }
    n_sent = 0;
    ask(x, "F", "11=b|41=z|55=A|54=1|38=10|60=20260101-00:00:00|", &q);
    ok(has_all(0, "37=NONE|11=b|102=1"), "one that is not there");
    n_sent = 0;
    ok(ask(x, "D97=Y|", "11=a|21=1|55=A|54=1|38=10|40=2|44=9|60=20260101-00:00:00|",
           &q) == 0 && has_all(0, "37=100|11=a|17=0|39=0|38=10|14=0"),
       "one that may have come before, and did: how it is");
    ok(ask(x, "G", "11=b|41=a|21=1|55=A|54=1|38=20|40=2|44=9|59=0|"
           "60=20260101-00:00:00|", &q) == 1, "and it can be changed");
    n_sent = 0;
    if (version >= TW_FIX_44)
        ok(ask(x, "H", "11=a|55=A|54=1|790=why|", &q) == 0 && has_all(0, "11=a|790=why"),
           "what asks for it has a name");
    n_sent = 0;
    if (version >= TW_FIX_50) {
        ok(ask(x, "H", "37=100|55=A|54=1|", &q) == 0 && has_all(0, "37=100|11=a"),
           "it may be asked for by its OrderID");
        ok(ask(x, "F", "37=100|11=c|55=A|54=1|60=20260101-00:00:00|", &q) == 1
           && q.id == 100, "and canceled");
    }
    tw_fix_desk_free(x);
}

/* Before 4.3 what is for the close says so by its type, also when it is told of. */
static void at_close(void)
{
    bool old = version < TW_FIX_43;
    const char *type = old ? "40=B" : "40=2|59=7";
    struct tw_fix_desk *x = desk(100);
    struct tw_request q;
    char body[200];

    snprintf(body, sizeof body, "11=a|21=1|55=A|54=1|38=10|44=9|%s|"
             "60=20260101-00:00:00|", type);
    ok(ask(x, "D", body, &q) == 1 && q.tif == TW_TIF_CLS && q.type == TW_TYPE_LIMIT,
       "a limit order at the close");
    report(x, &q, '0', 0);
    ok(has_all(0, type) && !(old && strstr(sent[0], "|59=")), "its report: %s", type);
    x = next(x, 1001);
    ok(has_all(0, type) && !(old && strstr(sent[0], "|59=")), "and in the next run");
    tw_fix_desk_free(x);
}

/* 35=AF: the open orders that it asks for, or that there are none. */
static void mass(void)
{
    static const struct { const char *body; const char *ids; } all[] = {
        { "585=7|", "abc" }, { "585=7|54=2|", "c" }, { "585=1|55=B|", "b" },
        { "585=7|55=A|", "ac" }, { "585=1|55=A|54=1|", "a" }, { "585=1|55=Z|", "" },
        { "585=7|55=B|54=2|", "" },
    };
    bool counted = version >= TW_FIX_44;
    struct tw_fix_desk *x = desk(100);
    struct tw_request q;
    char body[100];

    n_sent = 0;
    ok(ask(x, "AF", "584=why|585=7|", &q) == 0 && n_sent == 1
       && has_all(0, "37=NONE|55=[N/A]|54=7|150=I|39=8|103=5|151=0|14=0|6=0")
       && (!counted || has_all(0, "584=why|911=0|912=Y")), "no order is open");
    for (int i = 0; i < 4; i++) {
        snprintf(body, sizeof body, "11=%c|21=1|55=%c|54=%d|38=10|40=2|44=9|"
                 "60=20260101-00:00:00|", 'a' + i, "ABAA"[i], i == 2 ? 2 : 1);
        if (ask(x, "D", body, &q) != 1) abort();
        report(x, &q, '0', 0);
    }
    report(x, &q, '4', 0);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t n = strlen(all[i].ids);
        bool right = true;

        n_sent = 0;
        snprintf(body, sizeof body, "584=why|%s", all[i].body);
        ask(x, "AF", body, &q);
        for (size_t k = 0; k < n; k++) {
            snprintf(body, sizeof body, "11=%c|39=0%s%zu%s", all[i].ids[k],
                     counted ? "|584=why|911=" : "|150=I|38=", counted ? n : (size_t)10,
                     counted && k + 1 == n ? "|912=Y" : "");
            right &= has_all(k, body);
        }
        ok(right && n_sent == (n ? n : 1) && (n || has_all(0, "39=8|103=5")), "%s: %s",
           all[i].body, n ? all[i].ids : "none");
    }
    n_sent = 0;
    ok(ask(x, "AF", "584=why|585=8|", &q) == 0 && n_sent == 1
       && has_all(0, counted ? "39=8|103=99" : "39=8|103=0")
       && strstr(sent[0], "58=MassStatusReqType (585)"),
       "what can't be asked for is refused");
    tw_fix_desk_free(x);
}

static void trailing(void)
{
    static const struct {
        enum tw_fix_version since;
        const char *body, *text;
    } all[] = {
        { TW_FIX_44, "", NULL }, { TW_FIX_44, "836=0|", NULL },
        { TW_FIX_44, "836=1|", "58=a trailing stop: PegOffsetType (836) can only be 0, a"
                               " distance in price" },
        { TW_FIX_50, "1094=8|", NULL },
        { TW_FIX_50, "1094=4|", "58=pegged orders: PegPriceType (1094) can only be 8, a"
                                " trailing stop" },
    };
    struct tw_fix_desk *x = desk(1);
    struct tw_request q;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char body[200];

        if (version < all[i].since) continue;
        n_sent = 0;
        snprintf(body, sizeof body, "11=%zu|55=A|54=1|60=20260101-00:00:00|38=10|40=P|"
                 "211=50|%s", i, all[i].body);
        if (!all[i].text)
            ok(ask(x, "D", body, &q) == 1 && q.trail == 50 * ONE, "a trail of 50");
        else
            ok(ask(x, "D", body, &q) == 0 && has_all(0, all[i].text), "%s", all[i].text);
    }
    tw_fix_desk_free(x);
}

/* What would be dropped is refused. */
static void not_served(void)
{
    static const struct { enum tw_fix_version since; const char *body, *text; } all[] = {
        { TW_FIX_40, "110=5|", "39=8|58=MinQty (110) is not served" },
        { TW_FIX_40, "111=5|", "39=8|58=MaxFloor (111) is not served" },
        { TW_FIX_42, "210=5|", "39=8|58=MaxShow (210) is not served" },
        { TW_FIX_50, "1138=5|", "39=8|58=DisplayQty (1138) is not served" },
        { TW_FIX_40, "18=1 G|", "39=8|58=ExecInst (18): neither all-or-none (G) nor pegs"
                                " are served" },
    };
    struct tw_fix_desk *x = desk(1);
    struct tw_request q;
    char body[200];

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (version < all[i].since) continue;
        n_sent = 0;
        snprintf(body, sizeof body, "11=%zu|21=1|%s55=A|54=1|38=10|40=2|44=9|"
                 "60=20260101-00:00:00|", i, all[i].body);
        ok(ask(x, "D", body, &q) == 0 && has_all(0, all[i].text), "%s", all[i].text);
    }
    tw_fix_desk_free(x);
}

static void strange(void)
{
    static const char *const bodies[] = { "", "37=x|11=a|55=A|", "37=1|55=A|",
        "37=1|11=a|", "37|11=a|55=A|", "37=1|11=a|55=A", "=|37=1|",
        "37=99999999999999999999|11=a|55=A|" };
    struct tw_fix_desk *x = desk(1);
    size_t taken = 0;

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        char *body = strdup(bodies[i]);

        for (char *c = body; *c; c++)
            if (*c == '|') *c = TW_FIX_SOH;
        taken += tw_fix_desk_restore(x, body, strlen(body));
        free(body);
    }
    ok(taken == 0, "what is no report is none");
    tw_fix_desk_free(x);
}

/* Of ClOrdIDs that are over the last 65,536 are known; what is open is. */
static void bounded(void)
{
    enum { MANY = 65536 };
    struct tw_fix_desk *x = desk(1);
    struct tw_request open = new(x, "open"), q;
    char id[24], change[160];

    report(x, &open, '0', 0);
    for (int i = 0; i <= MANY; i++) {
        n_sent = 0;
        snprintf(id, sizeof id, "%d", i);
        q = new(x, id);
        report(x, &q, '0', 0);
        report(x, &q, 'F', 10);
    }
    n_sent = 0;
    ask(x, "D", "11=1|21=1|55=A|54=1|38=10|40=2|44=9|60=20260101-00:00:00|", &q);
    ok(has_all(0, "11=1|39=8|103=6"), "a ClOrdID of an order that has ended is known");
    n_sent = 0;
    ask(x, "H", "11=0|55=A|54=1|", &q);
    ok(has_all(0, "11=0|39=8|103=5"), "the oldest of many is not any more");
    q = new(x, "0");
    report(x, &q, '4', 0);
    n_sent = 0;
    ok(ask(x, "F", "11=f|41=0|55=A|54=1|38=10|60=20260101-00:00:00|", &q) == 1,
       "and may be of another order, which has ended and is known");
    tw_fix_desk_untaken(x, &q, NOW);
    ok(has_all(0, "11=f|41=0|39=4"), "its change is answered");
    for (int i = 0; i <= MANY; i++) {
        n_sent = 0;
        snprintf(change, sizeof change, "11=g%d|41=%s|21=1|55=A|54=1|38=20|40=2|44=9|"
                 "60=20260101-00:00:00|", i, i == 0 ? "open" : id);
        snprintf(id, sizeof id, "g%d", i);
        if (ask(x, "G", change, &q) != 1) abort();
        report(x, &q, '5', 0);
    }
    n_sent = 0;
    ok(ask(x, "F", "11=h|41=open|55=A|54=1|38=10|60=20260101-00:00:00|", &q) == 0
       && has_all(0, "11=h|102=1"), "nor is what an open order was called before");
    snprintf(change, sizeof change, "11=i|41=%s|55=A|54=1|38=10|"
             "60=20260101-00:00:00|", id);
    ok(ask(x, "F", change, &q) == 1 && q.id == open.id, "what it goes by now is");
    tw_fix_desk_free(x);
}

/* Who asks before the venue has answered hears of what waits, not that it is over. */
static void pending(void)
{
    static const char status[] = "11=a|55=A|54=1|";
    const char *pending_replace = version < TW_FIX_42 ? "39=6" : "39=E";
    struct tw_fix_desk *x = desk(100);
    struct tw_request a = new(x, "a"), q;

    ask(x, "H", status, &q);
    ok(has_all(n_sent - 1, "39=A"), "a new one waits for the venue");
    report(x, &a, '0', 0);
    ask(x, "G", "11=b|41=a|21=1|55=A|54=1|38=20|40=2|44=9|60=20260101-00:00:00|", &q);
    ask(x, "H", status, &q);
    ok(has_all(n_sent - 1, pending_replace), "then its change");
    ask(x, "F", "11=c|41=a|55=A|54=1|38=10|60=20260101-00:00:00|", &q);
    ask(x, "H", status, &q);
    ok(has_all(n_sent - 1, "39=6"), "then its cancel");
    report(x, &q, '4', 0);
    tw_fix_desk_free(x);
}

/* What the book does unasked: it changes an order; and a market that is closed. */
static void unasked(void)
{
    struct tw_fix_desk *x = desk(100);
    struct tw_request a = new(x, "a"), b = new(x, "b");
    struct tw_venue_report r = { .report = { .order = a.id, .exec = '5', .time_ns = NOW,
        .quantity = 7 * ONE, .price = 9 * ONE }, .owner = 1, .symbol = 1,
        .side = TW_SIDE_BUY };

    report(x, &a, '0', 0);
    n_sent = 0;
    tw_fix_desk_report(x, &r);
    ok(has_all(0, version < TW_FIX_41 ? "38=7" : version < TW_FIX_42 ? "38=7|150=5"
                  : "38=7|150=D"),
       "%s: a change that nobody asked for", tw_fix_version_name(version));
    n_sent = 0;
    r.report.order = b.id;
    r.report.exec = '8';
    r.report.reason = TW_REASON_CLOSED;
    r.answers = true;
    tw_fix_desk_report(x, &r);
    ok(has_all(0, "39=8|103=2"), "and an order outside of hours");
    tw_fix_desk_free(x);
}

/* A dictionary of which the choices were left out: what the version has is said. */
static void no_choices(void)
{
    struct tw_fix_desk *x = desk(100);
    struct tw_request a = new(x, "a");

    report(x, &a, '0', 0);
    report(x, &a, 'F', 4);
    ok(has_all(1, version < TW_FIX_43 ? "20=0|150=1|39=1" : "150=F|39=1"),
       "%s: without choices a trade is one of its version", tw_fix_version_name(version));
    tw_fix_desk_free(x);
}

int main(void)
{
    if (tw_fix_message_init(&m, 0, 0) < 0) abort();
    symbols = tw_symbols_new(10);
    tw_symbols_intern(symbols, "A", 1);
    tw_symbols_intern(symbols, "B", 1);
    for (version = TW_FIX_42; version <= TW_FIX_44; version += 2) {
        d = dictionary(version, "150 ExecType CHAR\n39 OrdStatus CHAR\n");
        no_choices();
        tw_fix_dictionary_free(d);
    }
    for (version = TW_FIX_40; version <= TW_FIX_50SP2; version++) {
        d = dictionary(version, NULL);
        restart();
        refused();
        trailing();
        not_served();
        unasked();
        pending();
        at_close();
        if (version >= TW_FIX_43) mass();
        tw_fix_dictionary_free(d);
    }
    d = dictionary(TW_FIX_44, NULL);
    strange();
    bounded();
    tw_fix_dictionary_free(d);
    tw_fix_message_fini(&m);
    tw_symbols_free(symbols);
    return tap_done();
}

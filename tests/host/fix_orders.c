/* fix_orders.c - orders over FIX: at a venue behind FIX they have the same lives as at
 * the venue itself, in each version; and no trade is lost or counted twice, however the
 * reports come (G1..G4 of fix/order_entry.h). */
#include "fix/order_entry.h"

#include "fix/order_desk.h"
#include "fix_rig.h"
#include "random.h"
#include "tap.h"

enum { OWNERS = 4, SYMBOLS = 3, IDS = 4000, WIRE = 1 << 14 };
static const int64_t MS = 1000000;
static const char *const names[] = { "AAA", "BBB.X", "CCC/USD" };

static struct tw_symbols *symbols;
static struct tw_fix_dictionary *dictionaries[TW_FIX_50SP2 + 1];
static enum tw_fix_version version;
static struct tw_fix_message parsed;
static uint64_t bad, seq;
static int64_t now_ns;

static unsigned pick(unsigned n)
{
    return (unsigned)(next() % n);
}

/* ---- the wire ---- */

/* A whole message of a body, as a session would write it.  Memory: malloc'd. */
static char *message(const char *code, const char *body, size_t n, bool again,
                     size_t *out)
{
    static char text[1 << 13];
    struct tw_fix_output o;
    char *start, *copy;
    int64_t bytes;

    tw_fix_begin(&o, text, sizeof text, tw_fix_begin_string(version), code, strlen(code));
    tw_fix_put_integer(&o, 34, (int64_t)++seq);
    tw_fix_put_text(&o, 49, "A", 1);
    tw_fix_put_time(&o, 52, now_ns, version < TW_FIX_42 ? TW_FIX_S : TW_FIX_MS);
    tw_fix_put_text(&o, 56, "B", 1);
    if (again) tw_fix_put_flag(&o, 97, true);
    memcpy(o.at, body, n);
    o.at += n;
    bytes = tw_fix_finish(&o, &start);
    copy = malloc((size_t)bytes + 8);
    if (bytes < 0 || !copy) abort();
    memcpy(copy, start, (size_t)bytes);
    return *out = (size_t)bytes, copy;
}

/* It is what its dictionary says. */
static const struct tw_fix_message *receive(const char *p, size_t n)
{
    struct tw_fix_verdict v;

    if (take(&parsed, dictionaries[version], p, n) != 0) {
        printf("# not whole: %s %s\n", parsed.why, shown(p, n));
        abort();
    }
    v = tw_fix_check(&parsed, TW_FIX_CHECK_STRICT);
    if (v.reason != TW_FIX_FINE && bad++ < 5)
        printf("# %s (%d): %s\n", v.text, v.tag, shown(p, n));
    return &parsed;
}

/* ---- two venues: one behind FIX ---- */

struct side {
    struct tw_fix_orders *orders;
    struct tw_fix_desk *desk;
    struct { char *p; size_t n; } wire[WIRE];    /* reports on their way */
    size_t n;
    bool broken;                                 /* what it sends gets lost */
};

static struct side sides[OWNERS + 1];
static struct tw_venue *plain, *venue;
static struct tw_venue_report *told[2];
static size_t n_told[2], room_told;
static bool scrambles;
static unsigned loses;             /* one of so many answers; 0: none          */
static bool loses_statuses, answers;

static void note(unsigned which, const struct tw_venue_report *r)
{
    if (n_told[which] == room_told) {
        room_told = room_told ? 2 * room_told : 1024;
        for (int i = 0; i < 2; i++)
            told[i] = realloc(told[i], room_told * sizeof **told);
    }
    told[which][n_told[which]++] = *r;
}

static void on_plain(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    note(0, r);
}

/* An order as its owner knows it. */
struct life {
    struct tw_order o;
    int64_t filled, truth;             /* by reports; at the venue              */
    tw_money value, true_value;
    int64_t quantity;                  /* there                                 */
    bool ended;
    bool freed;
};

static struct life lives[OWNERS + 1][IDS];

static void live(const struct tw_venue_report *r)
{
    struct life *l = &lives[r->owner][r->report.order - 1];
    const struct tw_report *p = &r->report;

    if (p->exec == TW_EXEC_TRADE) {
        l->filled += p->last_qty;
        l->value += tw_money_value(p->last_px, p->last_qty);
    } else if (p->exec == TW_EXEC_TRADE_CANCELED) {
        l->filled -= p->last_qty;
        l->value -= tw_money_value(p->last_px, p->last_qty);
    }
    if (!r->user) return;
    if (l->freed && bad++ < 5) printf("# an order that is gone was named\n");
    tw_order_apply(&l->o, p);
    l->o.requests -= r->answers;
    l->freed = tw_order_is_done(&l->o);
}

static void on_gateway(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx;
    note(1, r);
    if (scrambles) live(r);
}

static void on_stray(void *ctx, const struct tw_fix_stray *s)
{
    (void)ctx;
    if (strstr(s->what, "after the end of its order")
        || (loses && (strstr(s->what, "no answer to 35=")
                      || strstr(s->what, "has refused a cancel")))) return;
    if (bad++ < 5) printf("# stray: %s\n", s->what);
}

static void on_market(void *ctx, const struct tw_record *r)
{
    (void)ctx;
    (void)r;
}

static void on_desk(void *ctx, const char *code, const char *body, size_t n)
{
    struct side *s = ctx;
    size_t bytes;
    char *p = message(code, body, n, false, &bytes);

    if (loses && answers && pick(loses) == 0) {
        free(p);
        return;
    }
    if (scrambles) {
        if (s->n == WIRE) abort();
        s->wire[s->n].p = p;
        s->wire[s->n++].n = bytes;
        return;
    }
    tw_fix_orders_message(s->orders, receive(p, bytes));
    free(p);
}

static uint64_t of_deal[OWNERS + 1][IDS];

/* The gateway's number of an order that the desk knows by another. */
static uint64_t gateway_id(const struct tw_venue_report *r)
{
    return of_deal[r->owner][r->report.order];
}

static void on_venue(void *ctx, const struct tw_venue_report *r)
{
    struct life *l = &lives[r->owner][0];

    (void)ctx;
    if (scrambles) l += gateway_id(r) - 1;
    if (r->report.exec == TW_EXEC_REPLACED) l->quantity = r->report.quantity;
    if (strchr("348C", r->report.exec)) l->ended = true;
    if (scrambles && r->report.exec == TW_EXEC_TRADE) {
        l->truth += r->report.last_qty;
        l->true_value += tw_money_value(r->report.last_px, r->report.last_qty);
    }
    answers = r->answers && r->report.exec != TW_EXEC_TRADE;
    tw_fix_desk_report(sides[r->owner].desk, r);
    answers = false;
}

/* What the gateway has to send reaches the venue; q: whose times it has, or NULL. */
static void carry(struct side *s, const struct tw_request *like)
{
    struct tw_fix_outgoing out;
    struct tw_request q;
    size_t n;

    while (tw_fix_orders_next(s->orders, now_ns, &out)) {
        char *p = message(out.code, out.body, out.n, false, &n);

        tw_fix_orders_sent(s->orders, seq);
        answers = *out.code != 'H' || loses_statuses;
        if (s->broken || (loses && answers && pick(loses) == 0)) receive(p, n);
        else if (tw_fix_desk_take(s->desk, receive(p, n), now_ns, &q) == 1) {
            q.arrives_ns = like ? like->arrives_ns : now_ns;
            q.seq = like ? like->seq : seq;
            q.number = like ? like->number : seq;
            if (q.what == TW_REQUEST_NEW)
                tw_fix_integer(tw_fix_message_body(&parsed, 11),
                               &of_deal[q.owner][q.id]);
            if (tw_venue_send(venue, &q) != TW_OK) bad++;
        }
        answers = false;
        free(p);
    }
}

static void open_all(const struct tw_fix_orders_options *more)
{
    plain = tw_venue_new(&(struct tw_venue_listener){ on_plain, on_market, NULL });
    venue = tw_venue_new(&(struct tw_venue_listener){ on_venue, on_market, NULL });
    for (uint32_t i = 1; i <= OWNERS; i++) {
        struct tw_fix_orders_options o = *more;

        o.dictionary = dictionaries[version];
        o.symbols = symbols;
        o.precision = TW_FIX_NS;
        o.report = on_gateway;
        o.stray = on_stray;
        sides[i].orders = tw_fix_orders_new(&o);
        sides[i].desk = tw_fix_desk_new(&(struct tw_fix_desk_options){
            .dictionary = dictionaries[version], .symbols = symbols, .owner = i,
            .precision = TW_FIX_NS, .send = on_desk, .ctx = &sides[i] });
        sides[i].n = 0;
        sides[i].broken = false;
        tw_fix_orders_logged_on(sides[i].orders);
        carry(&sides[i], NULL);
    }
    n_told[0] = n_told[1] = 0;
}

static void close_all(void)
{
    for (uint32_t i = 1; i <= OWNERS; i++) {
        tw_fix_orders_free(sides[i].orders);
        tw_fix_desk_free(sides[i].desk);
    }
    tw_venue_free(plain);
    tw_venue_free(venue);
}

/* ---- a desk for one peer after the other ---- */

static void on_nothing(void *ctx, const char *code, const char *body, size_t n)
{
    (void)code, (void)body, (void)n;
    ++*(unsigned *)ctx;
}

/* What tw_fix_desk_take says of an order, or a change, with these fields. */
static int take_order(struct tw_fix_desk *d, const char *code, const char *ids,
                      const char *price, struct tw_request *q)
{
    char body[200];
    int n = snprintf(body, sizeof body, "%s\00121=1\00155=%s\00154=1\001"
                     "60=20260101-00:00:00\00138=1\00140=2\00144=%s\00159=1\001", ids,
                     names[0], price), rc;
    size_t bytes;
    char *p = message(code, body, (size_t)n, false, &bytes);

    rc = tw_fix_desk_take(d, receive(p, bytes), now_ns, q);
    free(p);
    return rc;
}

static int order(struct tw_fix_desk *d, const char *id, struct tw_request *q)
{
    char ids[20];

    snprintf(ids, sizeof ids, "11=%s", id);
    return take_order(d, "D", ids, "1", q);
}

static void is(struct tw_fix_desk *d, const struct tw_request *q, enum tw_exec_type exec)
{
    tw_fix_desk_report(d, &(struct tw_venue_report){
        .report = { .order = q->id, .exec = exec, .time_ns = now_ns },
        .owner = 1, .symbol = 1, .side = TW_SIDE_BUY, .answers = exec == TW_EXEC_NEW });
}

static void renewals(void)
{
    unsigned sent = 0;
    struct tw_fix_desk *d;
    struct tw_request q[3];

    version = TW_FIX_42;
    d = tw_fix_desk_new(&(struct tw_fix_desk_options){
        .dictionary = dictionaries[version], .symbols = symbols, .owner = 1,
        .first_id = 5, .id_step = 2, .send = on_nothing, .ctx = &sent });
    ok(tw_fix_desk_renew(d, dictionaries[version], 0), "a desk nobody has used is free");
    ok(order(d, "x", &q[0]) == 1 && !tw_fix_desk_renew(d, dictionaries[version], 0)
       && order(d, "y", &q[1]) == 1, "not one with an order");
    is(d, &q[0], TW_EXEC_NEW);
    ok(take_order(d, "G", "41=x\00111=x1", "-1", &q[2]) == 0 && sent == 2,
       "no price is below 0, of a change neither");
    is(d, &q[0], TW_EXEC_CANCELED);
    ok(!tw_fix_desk_renew(d, dictionaries[version], 0), "that is open");
    is(d, &q[1], TW_EXEC_NEW);
    is(d, &q[1], TW_EXEC_EXPIRED);
    ok(sent == 5 && tw_fix_desk_renew(d, dictionaries[TW_FIX_44], 0), "they have ended");
    is(d, &q[1], TW_EXEC_NEW);
    ok(sent == 5, "what still comes is of nobody");
    version = TW_FIX_44;
    ok(order(d, "x", &q[2]) == 1 && q[0].id == 5 && q[1].id == 7 && q[2].id == 9,
       "its ClOrdIDs are forgotten, numbers of orders go on");
    is(d, &q[2], TW_EXEC_NEW);
    ok(sent == 6, "the next peer hears of its own");
    tw_fix_desk_free(d);
}

/* ---- random lives ---- */

static struct tw_request asked[OWNERS + 1][IDS];
static unsigned n_asked[OWNERS + 1];

static int64_t a_price(void)
{
    return (95 + pick(11)) * TW_FIXED_ONE / 2;
}

static struct tw_request a_new(uint32_t owner)
{
    static const uint8_t types[] = { '2', '2', '2', '2', '1', '3', '4', 'P' };
    static const uint8_t tifs[] = { '1', '1', '0', '3', '4', '6', '2', '7' };
    struct tw_request q = {
        .what = TW_REQUEST_NEW, .owner = owner, .id = 1 + n_asked[owner]++,
        .symbol = 1 + pick(SYMBOLS), .side = (uint8_t)(1 + pick(2)),
        .type = types[pick(8)], .tif = tifs[pick(8)],
        .quantity = (1 + pick(20)) * TW_FIXED_ONE };

    if (version >= TW_FIX_42 && pick(4) == 0) q.quantity /= 4;
    if (q.type == 'P' && version < TW_FIX_44) q.type = '3';
    if ((q.tif == '2' || q.tif == '7') && q.type != '1' && q.type != '2')
        q.tif = '0';
    if (q.tif == '6')
        q.expire_ns = (now_ns / 1000 / MS + 1 + pick(3)) * 1000 * MS;
    if (tw_type_has_limit(q.type)) q.price = a_price();
    if (q.type == '3' || q.type == '4') q.stop = a_price();
    if (q.type == 'P') q.trail = (1 + pick(4)) * TW_FIXED_ONE / 2;
    q.post_only = q.type == '2' && q.tif < '2' && pick(5) == 0;
    return asked[owner][q.id - 1] = q;
}

static struct tw_request a_change(uint32_t owner)
{
    unsigned n = n_asked[owner], back = 1 + pick(n < 12 ? n : 12);
    const struct tw_request *was = &asked[owner][n - back];
    struct tw_request q = { .owner = owner, .id = was->id, .symbol = was->symbol,
                            .side = was->side, .what = TW_REQUEST_CANCEL };

    if (pick(2)) return q;
    q.what = TW_REQUEST_REPLACE;
    q.quantity = (1 + pick(20)) * TW_FIXED_ONE;
    if (was->price) q.price = a_price();
    if (was->stop) q.stop = a_price();
    return q;
}

static struct tw_request a_request(void)
{
    uint32_t owner = 1 + pick(OWNERS);
    struct tw_request q = n_asked[owner] == 0 || pick(3) ? a_new(owner) : a_change(owner);

    q.arrives_ns = now_ns + pick(4) * 3 * MS;
    q.seq = q.number = ++seq;
    q.user = &asked[owner][q.id - 1];
    return q;
}

static bool equal(const struct tw_venue_report *a, const struct tw_venue_report *b)
{
    int64_t unit = version < TW_FIX_42 ? 1000 * MS : 1;
    const struct tw_report *p = &a->report, *q = &b->report;

    return a->owner == b->owner && a->symbol == b->symbol && a->side == b->side
        && a->answers == b->answers && a->user == b->user
        && (a->status == b->status || p->exec == TW_EXEC_CANCEL_REJECTED)
        && p->order == q->order && p->exec == q->exec && p->reason == q->reason
        && p->time_ns / unit == q->time_ns / unit
        && (p->liquidity == q->liquidity || version < TW_FIX_44)
        && p->last_px == q->last_px && p->last_qty == q->last_qty
        && p->quantity == q->quantity && p->price == q->price && p->stop == q->stop;
}

static void show(const char *who, const struct tw_venue_report *r)
{
    printf("# %s: %u.%llu exec %c reason %d status %c last %lld@%lld terms %lld@%lld/%lld"
           " time %lld answers %d user %p\n", who, r->owner,
           (unsigned long long)r->report.order, r->report.exec, r->report.reason,
           r->status ? r->status : '-', (long long)r->report.last_qty,
           (long long)r->report.last_px, (long long)r->report.quantity,
           (long long)r->report.price, (long long)r->report.stop,
           (long long)r->report.time_ns, r->answers, r->user);
}

static void step(int64_t ns)
{
    now_ns += ns;
    tw_venue_set_time(plain, now_ns);
    tw_venue_set_time(venue, now_ns);
    while (!scrambles && tw_venue_step(plain, now_ns)) continue;
    while (tw_venue_step(venue, now_ns)) continue;
}

static void same_lives(unsigned requests)
{
    static const struct tw_fix_orders_options none;
    size_t i, n, differ = 0;

    scrambles = false;
    memset(n_asked, 0, sizeof n_asked);
    open_all(&none);
    for (unsigned k = 0; k < requests; k++) {
        struct tw_request q = a_request();

        if (tw_venue_send(plain, &q) != TW_OK) bad++;
        if (tw_fix_orders_send(sides[q.owner].orders, &q, NULL) != TW_OK) bad++;
        carry(&sides[q.owner], &q);
        if (pick(2)) step(pick(8) * MS + pick(1000));
    }
    step(10 * 1000 * MS);
    n = n_told[0] < n_told[1] ? n_told[0] : n_told[1];
    for (i = 0; i < n; i++)
        if (!equal(&told[0][i], &told[1][i]) && differ++ == 0) {
            show("plain", &told[0][i]);
            show("fix  ", &told[1][i]);
        }
    ok(differ == 0 && n_told[0] == n_told[1] && n > requests && bad == 0,
       "%s: %zu reports are the same behind FIX", version <= TW_FIX_44
       ? tw_fix_begin_string(version) : tw_fix_appl_ver_id(version), n);
    if (n_told[0] != n_told[1]) printf("# %zu, %zu\n", n_told[0], n_told[1]);
    bad = 0;
    close_all();
}

/* ---- reports that come as they like ---- */

/* One of the first so many on the wire comes; now and then it stays, and comes again. */
static void deliver(struct side *s, unsigned window)
{
    unsigned at = pick(s->n < window ? (unsigned)s->n : window);
    char *p = s->wire[at].p;
    bool stays = pick(8) == 0 && window > 1;

    tw_fix_orders_message(s->orders, receive(p, s->wire[at].n));
    if (stays) return;
    free(p);
    memmove(&s->wire[at], &s->wire[at + 1], (--s->n - at) * sizeof s->wire[0]);
}

static void deliver_all(unsigned window)
{
    bool more = true;

    while (more) {
        more = false;
        for (int i = 1; i <= OWNERS; i++) {
            carry(&sides[i], NULL);
            step(10 * MS);
            while (sides[i].n > 0) deliver(&sides[i], window), more = true;
        }
    }
}

static void request(void)
{
    struct tw_request q = a_request();
    struct life *l = &lives[q.owner][q.id - 1];
    struct tw_order *o = &l->o;

    if (q.what != TW_REQUEST_NEW && l->freed) return;
    if (tw_fix_orders_send(sides[q.owner].orders, &q, NULL) != TW_OK) return;
    if (q.what == TW_REQUEST_NEW) l->quantity = q.quantity;
    if (q.what == TW_REQUEST_NEW)
        *o = (struct tw_order){ .id = q.id, .symbol = q.symbol, .side = q.side,
            .type = q.type, .tif = q.tif, .quantity = q.quantity, .price = q.price,
            .stop = q.stop, .status = TW_STATUS_PENDING_NEW };
    o->requests++;
}

/* What is left when all is still. */
static void check_lives(const char *what)
{
    unsigned wrong = 0, open = 0, waiting = 0, orders = 0;

    for (int i = 1; i <= OWNERS; i++)
        for (unsigned k = 0; k < n_asked[i]; k++) {
            const struct life *l = &lives[i][k];
            tw_money off = l->value - l->true_value;

            orders++;
            waiting += l->o.requests > 0;
            open += tw_order_is_open(&l->o);
            if (!loses_statuses && tw_order_is_open(&l->o)
                && (l->ended || l->quantity != l->o.quantity) && wrong++ < 3)
                printf("# %d.%u: open, and not as at the venue\n", i, k + 1);
            if ((l->filled != l->truth || off > 1000 || off < -1000) && wrong++ < 3)
                printf("# %d.%u: %lld, not %lld\n", i, k + 1, (long long)l->filled,
                       (long long)l->truth);
        }
    for (int i = 1; i <= OWNERS; i++)
        open -= (unsigned)tw_fix_orders_open(sides[i].orders);
    ok(wrong == 0 && waiting == 0 && open == 0 && bad == 0,
       "%s: what was filled of %u orders is what their owners know", what, orders);
    if (wrong || waiting || open)
        printf("# wrong %u, waiting %u, open %d, bad %d\n", wrong, waiting, (int)open,
               (int)bad);
}

static void begin_lives(const struct tw_fix_orders_options *o)
{
    scrambles = true;
    bad = 0;
    memset(n_asked, 0, sizeof n_asked);
    memset(lives, 0, sizeof lives);
    open_all(o);
}

static void scrambled(unsigned requests, unsigned window)
{
    static const struct tw_fix_orders_options none;

    begin_lives(&none);
    for (unsigned k = 0; k < requests; k++) {
        struct side *s = &sides[1 + pick(OWNERS)];

        request();
        for (int i = 1; i <= OWNERS; i++) carry(&sides[i], NULL);
        if (pick(2)) step(pick(8) * MS);
        for (unsigned i = pick(6); i > 0 && s->n > 0; i--) deliver(s, window);
    }
    step(10 * 1000 * MS);
    deliver_all(window);
    check_lives("out of order, late and twice");
    close_all();
}

/* Connections break, and nobody sends anything again. */
static void cut(struct side *s)
{
    for (size_t i = 0; i < s->n; i++) free(s->wire[i].p);
    s->n = 0;
    s->broken = false;
    tw_fix_orders_logged_out(s->orders, now_ns);
    if (pick(2)) step(20 * MS);
    for (size_t i = 0; i < s->n; i++) free(s->wire[i].p);
    s->n = 0;
    tw_fix_orders_logged_on(s->orders);
}

static void cutting(unsigned requests)
{
    static const struct tw_fix_orders_options none;

    begin_lives(&none);
    for (unsigned k = 0; k < requests; k++) {
        struct side *s = &sides[1 + pick(OWNERS)];

        request();
        for (int i = 1; i <= OWNERS; i++) carry(&sides[i], NULL);
        if (pick(2)) step(pick(8) * MS);
        for (unsigned i = pick(6); i > 0 && s->n > 0; i--) deliver(s, 1);
        if (pick(10) == 0) s->broken = true;
        if (pick(20) == 0) cut(s);
    }
    step(10 * 1000 * MS);
    for (int i = 1; i <= OWNERS; i++) cut(&sides[i]);
    deliver_all(1);
    check_lives("connections that break");
    close_all();
}

/* A while later. */
static void wait_all(void)
{
    step(31 * 1000 * MS);
    for (int i = 1; i <= OWNERS; i++) tw_fix_orders_tick(sides[i].orders, now_ns);
    deliver_all(1);
}

static bool is_still(void)
{
    bool is = true;

    for (int i = 1; i <= OWNERS; i++)
        is &= sides[i].n == 0;
    for (int i = 1; i <= OWNERS; i++)
        for (unsigned k = 0; k < n_asked[i]; k++) is &= lives[i][k].o.requests == 0;
    return is;
}

/* What is still open is canceled, again and again. */
static void cancel_all(void)
{
    for (uint32_t i = 1; i <= OWNERS; i++)
        for (unsigned k = 0; k < n_asked[i]; k++) {
            struct tw_request q = asked[i][k];

            q.what = TW_REQUEST_CANCEL;
            q.user = &asked[i][k];
            if (lives[i][k].freed || lives[i][k].o.requests > 0) continue;
            if (tw_fix_orders_send(sides[i].orders, &q, NULL) == TW_OK)
                lives[i][k].o.requests++;
        }
}

static unsigned open_orders(void)
{
    size_t n = 0;

    for (int i = 1; i <= OWNERS; i++) n += tw_fix_orders_open(sides[i].orders);
    return (unsigned)n;
}

/* Some requests are lost in the venue, and some of its answers; its statuses, too; or
 * connections break, after which all is canceled, and asked again. */
static void silent(unsigned requests, bool statuses, bool breaks)
{
    struct tw_fix_orders_options o = { .cancel_on_disconnect = breaks };
    unsigned rounds = 0;

    begin_lives(&o);
    loses = 6;
    loses_statuses = statuses;
    for (unsigned k = 0; k < requests; k++) {
        struct side *s = &sides[1 + pick(OWNERS)];

        request();
        for (int i = 1; i <= OWNERS; i++) carry(&sides[i], NULL);
        if (pick(2)) step(pick(8) * MS);
        for (unsigned i = pick(6); i > 0 && s->n > 0; i--) deliver(s, 1);
        if (pick(100) == 0) wait_all();
        if (breaks && pick(10) == 0) s->broken = true;
        if (breaks && pick(20) == 0) cut(s);
    }
    for (int i = 1; breaks && i <= OWNERS; i++) cut(&sides[i]);
    for (; rounds < 2000 && (!is_still() || (breaks && open_orders() > 0)); rounds++)
        wait_all();
    if (!statuses) check_lives("answers that never come");
    ok(!breaks || open_orders() == 0, "none is left where all are to be canceled");
    for (; rounds < 4000 && (open_orders() > 0 || !is_still()); rounds++) {
        cancel_all();
        wait_all();
    }
    check_lives(statuses ? "nor a status" : "and all can be canceled");
    loses = 0;
    loses_statuses = false;
    close_all();
}

/* Ends so many orders that none is remembered of those that had ended before. */
static void end_many(struct tw_fix_orders *o)
{
    struct tw_ties ties = { .held = true };
    struct tw_request q = { .symbol = 1, .side = TW_SIDE_BUY, .type = TW_TYPE_LIMIT,
                            .tif = TW_TIF_GTC, .quantity = 1, .price = 1, .ties = &ties };

    for (unsigned i = 0; i < 1 << 14; i++) {
        q.id = 100 + i;
        q.what = TW_REQUEST_HOLD;
        if (tw_fix_orders_send(o, &q, NULL) < 0) abort();
        q.what = TW_REQUEST_DROP;
        if (tw_fix_orders_send(o, &q, NULL) < 0) abort();
    }
}

static void ignore(void *ctx, const struct tw_venue_report *r)
{
    (void)ctx, (void)r;
}

/* What is asked of an order is on its way, and another thread ends so many others that it
 * is forgotten. */
static void forgotten(void)
{
    struct tw_fix_orders *o = tw_fix_orders_new(&(struct tw_fix_orders_options){
        .dictionary = dictionaries[TW_FIX_44], .symbols = symbols, .keeps = true,
        .no_mass_status = true, .report = ignore });
    struct tw_request q = { .id = 7, .symbol = 1, .side = TW_SIDE_BUY,
                            .type = TW_TYPE_LIMIT, .tif = TW_TIF_GTC, .owner = 1,
                            .quantity = TW_FIXED_ONE, .price = TW_FIXED_ONE };
    static const char end_of[] = "37=X|11=7|17=a|150=4|39=4|55=AAA|54=1|151=0|14=0|6=0|";
    struct tw_fix_outgoing out;
    char body[sizeof end_of], *p;
    size_t n;

    version = TW_FIX_44;
    for (size_t i = 0; i < sizeof end_of; i++)
        body[i] = end_of[i] == '|' ? TW_FIX_SOH : end_of[i];
    tw_fix_orders_logged_on(o);
    if (tw_fix_orders_send(o, &q, NULL) < 0) abort();
    ok(tw_fix_orders_next(o, now_ns, &out) && *out.code == 'D', "an order");
    tw_fix_orders_sent(o, 2);
    p = message("8", body, strlen(body), false, &n);
    tw_fix_orders_message(o, receive(p, n));
    tw_fix_orders_missed(o);
    ok(tw_fix_orders_next(o, now_ns, &out) && *out.code == 'H', "its status is asked");
    end_many(o);
    tw_fix_orders_sent(o, 3);
    ok(!tw_fix_orders_is_due(o), "and not waited for when the order is forgotten");
    tw_fix_orders_free(o);
    free(p);
}

int main(void)
{
    unsigned requests = getenv("SMALL") ? 300 : 4000;

    symbols = tw_symbols_new(16);
    for (int i = 0; i < SYMBOLS; i++)
        tw_symbols_intern(symbols, names[i], strlen(names[i]));
    if (tw_fix_message_init(&parsed, 0, 0) < 0) abort();
    now_ns = INT64_C(1767225600000000000);
    for (version = TW_FIX_40; version <= TW_FIX_50SP2; version++) {
        dictionaries[version] = dictionary(version, NULL);
        same_lives(requests);
        scrambled(requests, 30);
        cutting(requests);
        silent(requests, false, false);
        silent(requests, false, true);
        silent(requests, true, false);
    }
    renewals();
    forgotten();
    tw_fix_message_fini(&parsed);
    for (int v = 0; v <= TW_FIX_50SP2; v++) tw_fix_dictionary_free(dictionaries[v]);
    tw_symbols_free(symbols);
    free(told[0]);
    free(told[1]);
    return tap_done();
}

/* fix_account.c - a script at a gateway is killed anywhere, also in the middle of a line
 * that is kept, while it trades shares and a future in two currencies, with fees that are
 * an order's as a whole, or the venue's in three currencies: its account, the day's begin
 * in it and its fees go on as those of one that was never killed, to the last digit. */
#include "fix/order_account.h"

#include <limits.h>

#include "base/memory.h"
#include "fix_rig.h"
#include "random.h"
#include "tap.h"
#include "trade/fees.h"

#define ONE TW_FIXED_ONE

enum { OWNER = 3, ORDERS = 400, SYMBOLS = 2, STEPS = 1500, TOLD = 1024,
       FILE_MAX = 1 << 22 };

static struct tw_symbols *symbols;
static struct tw_fix_dictionary *dictionary_of_44;
static struct tw_fix_message parsed;

static const struct tw_fees fees = {
    .per_order = ONE / 2, .per_share = ONE / 200, .minimum = ONE, .maximum = ONE / 50,
    .tier = { { 0, ONE / 1000, 0, 0 }, { 20000 * (tw_money)ONE, ONE / 3000, 0, 0 } },
    .tiers = 2,
};

static const struct tw_terms terms[SYMBOLS + 1] = {
    [1] = { .fees = &fees },
    [2] = { .fees = &fees, .currency = 1, .multiplier = 50 * ONE, .margin = 1000 * ONE,
            .settles_daily = true },
};

/* One program after the other: what each of them has, and the file. */
struct world {
    struct tw_fix_orders *orders;
    struct tw_broker *broker;
    struct tw_gateway gateway;
    struct tw_fix_account account;
    struct tw_venue_report told[TOLD];
    unsigned n_told, taken;
    struct tw_order mine[ORDERS];
    uint64_t seq, sent;
    char *file;
    size_t file_n;
    int64_t cash;
};

static int64_t now_ns;                   /* of what happens                          */
static unsigned lates;                   /* trades of orders that were let go of     */

/* ---- the gateway's side ---- */

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    struct world *w = ctx;
    struct tw_venue_aside *copy = NULL;

    if (r->aside) {
        copy = tw_calloc(1, sizeof *copy);
        if (!copy) abort();
        *copy = *r->aside;
    }
    if (w->n_told == TOLD) abort();
    w->told[w->n_told] = *r;
    w->told[w->n_told++].aside = copy;
}

/* Cut: the program was killed meanwhile. */
static void write_lines(struct world *w, bool all, bool is_cut)
{
    char *text = NULL;
    size_t n = 0;

    if (!tw_fix_orders_lines(w->orders, all, &text, &n)) abort();
    if (all) w->file_n = 0;
    if (is_cut && n > 0) n = next() % n;
    if (w->file_n + n >= FILE_MAX) abort();
    if (n > 0) memcpy(w->file + w->file_n, text, n);
    w->file[w->file_n += n] = '\0';
    tw_free(text);
}

static void hear(struct world *w, const char *said)
{
    char text[400];
    size_t n;
    char *p;

    snprintf(text, sizeof text, "35=8|34=9|49=B|52=20260101-00:00:00|56=A|%s", said);
    p = whole(TW_FIX_44, text, &n);
    if (take(&parsed, dictionary_of_44, p, n) != 0) abort();
    tw_fix_orders_message(w->orders, &parsed);
    free(p);
}

/* What is asked for goes out. */
static void send_all(struct world *w)
{
    struct tw_fix_outgoing m;

    while (tw_fix_orders_next(w->orders, now_ns, &m)) {
        write_lines(w, false, false);
        tw_fix_orders_sent(w->orders, ++w->sent);
    }
}

/* ---- the script's side ---- */

static const struct tw_terms *terms_of(void *ctx, uint32_t symbol)
{
    (void)ctx;
    return &terms[symbol];
}

static int submit(void *ctx, const struct tw_order *o)
{
    struct world *w = ctx;

    return tw_fix_orders_send(w->orders, &(struct tw_request){
        .what = TW_REQUEST_NEW, .owner = OWNER, .id = o->id, .symbol = o->symbol,
        .side = o->side, .type = o->type, .tif = o->tif, .quantity = o->quantity,
        .price = o->price, .user = (void *)o }, NULL);
}

static bool next_report(void *ctx, const struct tw_record *r, struct tw_order **o,
                        struct tw_report *out)
{
    struct world *w = ctx;
    struct tw_venue_report told = w->told[w->taken++];
    struct tw_order *mine = &w->mine[r->execution.order % ORDERS];

    if (told.trade) w->account.trades = told.trade;
    *out = told.report;
    if (told.aside && told.aside->adopts) {
        const struct tw_request *q = &told.aside->order;

        *mine = (struct tw_order){ .id = q->id, .symbol = q->symbol, .side = q->side,
            .type = q->type, .tif = q->tif, .quantity = q->quantity, .price = q->price,
            .cum_qty = told.aside->cum_qty, .cum_value = told.aside->cum_value,
            .status = TW_STATUS_PENDING_NEW, .terms = &terms[q->symbol] };
        if (tw_broker_enter(w->broker, mine, 0) < 0) abort();
        tw_fix_account_charge(&w->account, mine);
    }
    if (told.aside && told.aside->late && !mine->id) {   /* let go of: see take_late */
        const struct tw_request *q = &told.aside->order;

        *mine = (struct tw_order){ .id = q->id, .symbol = q->symbol, .side = q->side,
            .type = q->type, .tif = q->tif, .quantity = q->quantity, .price = q->price,
            .cum_qty = told.aside->cum_qty, .cum_value = told.aside->cum_value,
            .status = TW_STATUS_CANCELED, .terms = &terms[q->symbol] };
        tw_fix_account_charge(&w->account, mine);
        lates++;
    }
    if (mine->id) *o = mine;
    tw_free(told.aside);
    return true;
}

/* Reads what was told, up to so many. */
static void read_told(struct world *w, unsigned n)
{
    for (; w->taken < w->n_told && n > 0; n--) {
        const struct tw_venue_report *v = &w->told[w->taken];
        struct tw_told told;

        if (tw_broker_record(w->broker, &(struct tw_record){
                .kind = TW_ORDER, .time = v->report.time_ns, .seq = ++w->seq,
                .symbol = v->symbol,
                .execution = { .order = v->report.order, .exec = v->report.exec,
                               .status = v->status, .side = v->side,
                               .script = OWNER } }) < 0)
            abort();
        while (tw_broker_next(w->broker, &told))
            if (told.order && !tw_order_is_open(told.order))
                tw_fix_account_ended(&w->account, told.order);
    }
    if (w->taken == w->n_told) w->taken = w->n_told = 0;
}

static void save(struct world *w, bool is_cut)
{
    size_t n;
    char *text = tw_fix_account_lines(&w->account, &n);

    if (!text) abort();
    tw_fix_orders_account(w->orders, OWNER, w->account.trades, text, n);
    write_lines(w, false, is_cut);
}

/* ---- programs ---- */

static void begin(struct world *w, uint64_t first)
{
    struct tw_fix_estate left;
    struct tw_account *books;

    memset(w->mine, 0, sizeof w->mine);
    w->n_told = w->taken = 0;
    w->orders = tw_fix_orders_new(&(struct tw_fix_orders_options){
        .dictionary = dictionary_of_44, .symbols = symbols, .no_mass_status = true,
        .keeps = true, .report = on_report, .ctx = w });
    if (w->file_n > 0) {
        char *text = strdup(w->file);
        struct tw_error error;
        size_t strange;

        if (!text || tw_fix_orders_restore(w->orders, text, &strange, &error) < 0) {
            printf("# %s\n", error.text);
            abort();
        }
        free(text);
        write_lines(w, true, false);
    }
    w->gateway = (struct tw_gateway){ .submit = submit, .next = next_report, .ctx = w,
                                      .is_plain = true };
    w->broker = tw_broker_new(&(struct tw_broker_options){
        .terms = terms_of, .gateway = &w->gateway, .first_id = first, .script = OWNER });
    books = tw_broker_account(w->broker);
    tw_account_deposit(books, 0, w->cash * (tw_money)ONE);
    if (tw_account_currency(books, "EUR") != 1) abort();
    tw_broker_begin(w->broker, now_ns);
    w->account = (struct tw_fix_account){ .broker = w->broker, .symbols = symbols,
                                          .name = "a script" };
    tw_fix_orders_join(w->orders, OWNER, w->account.name, now_ns, &left);
    if (tw_fix_account_inherit(&w->account, &left) < 0) abort();
    tw_fix_estate_fini(&left);
    save(w, false);
    tw_fix_orders_logged_on(w->orders);
    send_all(w);                         /* asks for what is open: no answer comes */
}

static void end(struct world *w)
{
    while (w->taken < w->n_told) tw_free(w->told[w->taken++].aside);
    tw_free(w->account.dues);
    tw_broker_free(w->broker);
    tw_fix_orders_free(w->orders);
}

static void kill_it(struct world *w)
{
    uint64_t id = tw_broker_next_id(w->broker);

    end(w);
    begin(w, id);
}

/* ---- what happens ---- */

static struct {
    int64_t quantity, done;
    tw_money value;
    uint32_t symbol;
    bool buys, over;
    int exec, last, price;               /* the last trade; exec 0: none, or its end */
} deals[ORDERS];
static uint64_t n_deals, execs;

static void order(struct world *w)
{
    struct tw_order *o = &w->mine[n_deals];
    struct tw_error error = { .text = "" };

    *o = (struct tw_order){ .symbol = deals[n_deals].symbol, .type = TW_TYPE_LIMIT,
        .side = deals[n_deals].buys ? TW_SIDE_BUY : TW_SIDE_SELL, .tif = TW_TIF_GTC,
        .quantity = deals[n_deals].quantity * ONE, .price = 100 * ONE };
    if (tw_broker_submit(w->broker, o, &error) < 0 || o->id != n_deals) {
        printf("# order %d: %s\n", (int)n_deals, error.text);
        abort();
    }
    send_all(w);
}

static void quote(struct world *w, uint32_t symbol, int64_t price)
{
    struct tw_record r = { .kind = TW_QUOTE, .symbol = symbol, .time = now_ns,
                           .seq = ++w->seq };

    r.quote = (struct tw_quote){ price - ONE, price + ONE, ONE, ONE };
    if (tw_broker_record(w->broker, &r) < 0) abort();
    if (symbol == 2)
        tw_account_set_rate(tw_broker_account(w->broker), 1, ONE + price / 1000);
}

/* What it charges: a part of the value, more in the account's currency and in others, of
 * which one has no rate. */
static const char *charges(void)
{
    static const char *const some[] = {
        "12=0.75|13=3|", "12=.0125|13=2|", "12=0.02|13=1|479=EUR|", "12=-0.4|",
        "136=2|137=0.3|138=GBP|139=4|137=0.2|139=2|",
        "12=1.5|479=EUR|136=2|137=0.001|138=USD|139=1|891=2|137=0.1|138=EUR|139=7|891=1|",
    };

    return next() % 3 == 0 ? some[next() % (sizeof some / sizeof *some)] : "";
}

/* What the venue says now; false: nothing. */
static bool say(char out[400])
{
    uint64_t id = 1 + next() % (n_deals ? n_deals : 1), nth = ++execs;
    int64_t left, n, price = 80 + (int64_t)(next() % 40), total = now_ns / ONE;
    bool takes_back = n_deals > 0 && next() % 8 == 0;
    char *p = out;

    for (int i = 0; i < 20 && deals[id].over != takes_back; i++)
        id = 1 + next() % n_deals;
    takes_back = takes_back && deals[id].over && deals[id].exec;
    if (n_deals == 0 || (deals[id].over && !takes_back)) return false;
    left = deals[id].quantity - deals[id].done;
    n = takes_back ? 0 : 1 + (int64_t)(next() % (uint64_t)left);
    p += sprintf(p, "37=X%d|11=%d|17=e%d|55=%s|54=%d|38=%d|44=100|60=202601%02d-%02d:%02d"
                 ":%02d|", (int)id, (int)id, (int)nth, deals[id].symbol == 1 ? "A" : "F",
                 deals[id].buys ? 1 : 2, (int)deals[id].quantity,
                 (int)(1 + (total - 1767225600) / 86400), (int)(total / 3600 % 24),
                 (int)(total / 60 % 60), (int)(total % 60));
    if (takes_back) {                    /* the end of a trade, or another price */
        bool corrects = next() % 2;

        deals[id].done -= corrects ? 0 : deals[id].last;
        sprintf(p, "19=e%d|150=%c|39=4|31=%d|32=%d|14=%d|151=0|", deals[id].exec,
                corrects ? 'G' : 'H', deals[id].price + 1, deals[id].last,
                (int)deals[id].done);
        deals[id].exec = 0;
        return true;
    }
    if (next() % 12 == 0) {
        sprintf(p, "150=4|39=4|14=%d|6=100|151=0|", (int)deals[id].done);
        deals[id].over = true;
        return true;
    }
    deals[id].done += n;
    deals[id].value += n * price;
    deals[id].over = n == left;
    if (next() % 8 == 0 && n < left)     /* a trade that only a status tells of */
        sprintf(p, "150=I|39=1|14=%d|6=%.9f|151=%d|", (int)deals[id].done,
                (double)deals[id].value / (double)deals[id].done, (int)(left - n));
    else
        deals[id].exec = (int)nth, deals[id].last = (int)n, deals[id].price = (int)price,
        sprintf(p, "150=F|39=%d|31=%d|32=%d|14=%d|6=100|151=%d|%s", n == left ? 2 : 1,
                (int)price, (int)n, (int)deals[id].done, (int)(left - n),
                charges());
    return true;
}

/* ---- the comparison ---- */

static bool same_position(const struct world *a, const struct world *b, uint32_t symbol)
{
    static const struct tw_position none;
    const struct tw_position *p = tw_account_find(tw_broker_account(a->broker), symbol);
    const struct tw_position *q = tw_account_find(tw_broker_account(b->broker), symbol);

    if (!p) p = &none;
    if (!q) q = &none;
    return p->quantity == q->quantity && p->cost == q->cost && p->fees == q->fees
        && p->realised == q->realised && p->settled == q->settled && p->mark == q->mark
        && p->worth == q->worth && p->trades == q->trades;
}

/* What differs, or NULL. */
static const char *compare(const struct world *a, const struct world *b)
{
    const struct tw_account *x = tw_broker_account(a->broker);
    const struct tw_account *y = tw_broker_account(b->broker);
    tw_money made, made_too;

    for (uint32_t i = 0; tw_account_currency_name(x, i); i++) {
        struct tw_sums s = tw_account_sums(x, i), t = tw_account_sums(y, i);

        if (!tw_account_currency_name(y, i)
            || strcmp(tw_account_currency_name(x, i), tw_account_currency_name(y, i)))
            return "currencies";
        if (s.cash != t.cash) return "cash";
        if (s.deposits != t.deposits) return "deposits";
        if (s.realised != t.realised) return "realised";
        if (s.fees != t.fees) return "fees";
        if (s.traded != t.traded) return "traded";
        if (tw_account_rate(x, i) != tw_account_rate(y, i)) return "rate";
    }
    for (uint32_t i = 1; i <= SYMBOLS; i++)
        if (!same_position(a, b, i)) return i == 1 ? "shares" : "a future";
    if (tw_account_equity(x) != tw_account_equity(y)) return "equity";
    if (tw_broker_day(a->broker, &made) != tw_broker_day(b->broker, &made_too))
        return "day";
    return made != made_too ? "what was made when the day began" : NULL;
}

/* ---- both ---- */

static struct world steady, killed;
static unsigned kills, days;

static void message(const char *said)
{
    unsigned how = (unsigned)(next() % 8), n_before = killed.n_told;
    tw_money made;
    int64_t day = tw_broker_day(killed.broker, &made);

    hear(&steady, said);
    send_all(&steady);
    write_lines(&steady, false, false);
    read_told(&steady, UINT_MAX);
    hear(&killed, said);
    if (how < 4) {
        kills++;
        if (how > 0) send_all(&killed);
        write_lines(&killed, false, how == 0);
        if (how == 2) read_told(&killed, 1);   /* some, but not the account */
        if (how == 3) read_told(&killed, UINT_MAX), save(&killed, true);
        kill_it(&killed);
        hear(&killed, said);             /* it was not counted: it comes again */
    }
    send_all(&killed);
    write_lines(&killed, how == 5, false);
    read_told(&killed, how == 6 ? n_before : UINT_MAX);
    if (next() % 4 == 0) save(&killed, false);
    read_told(&killed, UINT_MAX);
    if (tw_broker_day(killed.broker, &made) != day) save(&killed, false);   /* heir.c */
}

static void step(void)
{
    char said[400];

    now_ns += (int64_t)(next() % 500) * ONE;
    switch (next() % 6) {
    case 0:
        if (n_deals + 1 >= ORDERS) return;
        n_deals++;
        deals[n_deals].quantity = 1 + (int64_t)(next() % 30);
        deals[n_deals].symbol = 1 + (uint32_t)(next() % SYMBOLS);
        deals[n_deals].buys = next() % 2;
        order(&steady);
        order(&killed);
        if (next() % 4 == 0) kill_it(&killed), kills++;
        break;
    case 1: {
        int64_t price = (80 + (int64_t)(next() % 40)) * ONE;
        uint32_t symbol = 1 + (uint32_t)(next() % SYMBOLS);

        quote(&steady, symbol, price);
        quote(&killed, symbol, price);
        save(&killed, false);
        break;
    }
    default:
        if (say(said)) message(said);
    }
}

int main(void)
{
    long i;
    const char *differs = NULL;
    int64_t day = 0;
    tw_money made;

    symbols = tw_symbols_new(4);
    tw_symbols_intern(symbols, "A", 1);
    tw_symbols_intern(symbols, "F", 1);
    dictionary_of_44 = dictionary(TW_FIX_44, NULL);
    steady.file = tw_calloc(1, FILE_MAX);
    killed.file = tw_calloc(1, FILE_MAX);
    if (!steady.file || !killed.file || tw_fix_message_init(&parsed, 0, 0) < 0) abort();
    now_ns = INT64_C(1767225600000000000);
    steady.cash = killed.cash = 1000000;
    begin(&steady, 1);
    begin(&killed, 1);
    quote(&steady, 2, 100 * ONE);
    quote(&killed, 2, 100 * ONE);
    save(&killed, false);
    for (i = 0; i < STEPS && !differs; i++) {
        step();
        days += tw_broker_day(steady.broker, &made) != day;
        day = tw_broker_day(steady.broker, &made);
        differs = compare(&steady, &killed);
    }
    ok(!differs, "killed %u times in %u days: %s is the same at each of %ld steps", kills,
       days, differs ? differs : "all", i);
    ok(kills > STEPS / 10 && days > 1 && n_deals > 20 && lates > 5,
       "there was enough of it: %u trades of orders that nobody had any more", lates);

    /* Another cash: what was gained stays, and the difference is a deposit. */
    killed.cash += 500;
    made = tw_account_equity(tw_broker_account(killed.broker));
    kill_it(&killed);
    ok(killed.account.moved == 500 * (tw_money)ONE
       && tw_account_equity(tw_broker_account(killed.broker)) - made
              == 500 * (tw_money)ONE, "more cash is a deposit");
    end(&steady);
    end(&killed);
    tw_free(steady.file);
    tw_free(killed.file);
    tw_fix_message_fini(&parsed);
    tw_fix_dictionary_free(dictionary_of_44);
    tw_symbols_free(symbols);
    return tap_done();
}

/* embed_tape.c - a host in a program: pushing to its tape, and reading it.
 *
 * Why one waiter for all cursors: a tape's waiters join before its first record and
 * never leave, cursors come and go.  So one waiter stands for all that sleep; each looks
 * again when it is told.
 *
 * A message's value may be let go while it is read: a cursor is a reader of the epoch
 * (epoch.h) for as long as it takes to get a reference.
 */
#include "embed/embed.h"

#include "base/fixed.h"
#include "base/memory.h"
#include "share/board.h"

enum { TURN = 256 };   /* messages between two looks at the host's other work */

/* ---- names ---- */

int64_t tw_host_symbol(struct tw_host *host, const char *name)
{
    if (ltw_phase(host) == LTW_NEW || !name) return TW_EUSAGE;
    return tw_symbols_intern(host->app->host.symbols, name, strlen(name));
}

const char *tw_host_symbol_name(struct tw_host *host, uint32_t id)
{
    const struct tw_symbols *symbols;

    if (ltw_phase(host) == LTW_NEW) return NULL;
    symbols = host->app->host.symbols;
    return id >= 1 && id <= tw_symbols_count(symbols) ? tw_symbols_name(symbols, id)
                                                      : NULL;
}

const char *tw_host_topic_name(struct tw_host *host, uint32_t id)
{
    const struct tw_names *topics;

    if (ltw_phase(host) == LTW_NEW) return NULL;
    topics = host->app->host.topics;
    return id >= 1 && id <= tw_names_count(topics) ? tw_names_get(topics, id) : NULL;
}

/* ---- pushing ---- */

static size_t append(struct tw_host *host, const struct tw_record *r, size_t n,
                     double seconds)
{
    struct tw_app *app = host->app;
    int64_t until_ns = ltw_is_hosts() ? 0 : ltw_until_ns(seconds);

    return tw_io_push(app->io, (unsigned)app->program, r, n, until_ns);
}

int64_t tw_host_push(struct tw_host *host, const struct tw_record *records, size_t n,
                     double seconds)
{
    int rc = ltw_check_running(host);
    uint32_t symbols;

    if (rc < 0) return rc;
    if (!records && n > 0) return TW_EUSAGE;
    symbols = tw_symbols_count(host->app->host.symbols);
    for (size_t i = 0; i < n; i++)
        if ((records[i].kind != TW_QUOTE && records[i].kind != TW_TRADE
             && records[i].kind != TW_LEVEL)
            || records[i].symbol == 0 || records[i].symbol > symbols)
            return TW_EUSAGE;
    return (int64_t)append(host, records, n, seconds);
}

/* One record, whatever becomes of the symbol and the numbers. */
static int push_one(struct tw_host *host, struct tw_record *r, const char *symbol,
                    bool fits)
{
    int64_t id = tw_host_symbol(host, symbol), n;

    if (id < 0) return (int)id;
    if (!fits) return TW_ERANGE;
    r->symbol = (uint32_t)id;
    n = tw_host_push(host, r, 1, TW_FOREVER);
    if (n != 0) return n < 0 ? (int)n : TW_OK;
    return ltw_check_running(host) < 0 || !ltw_is_hosts() ? TW_ESTOPPED : TW_EFULL;
}

int tw_host_quote(struct tw_host *host, const char *symbol, int64_t time, double bid,
                  double ask, double bid_size, double ask_size)
{
    struct tw_record r = { .kind = TW_QUOTE, .time = time };
    struct tw_quote *q = &r.quote;
    bool fits = tw_fixed_from_double(bid, &q->bid) == TW_OK
        && tw_fixed_from_double(ask, &q->ask) == TW_OK
        && tw_fixed_from_double(bid_size, &q->bid_size) == TW_OK
        && tw_fixed_from_double(ask_size, &q->ask_size) == TW_OK;

    return push_one(host, &r, symbol, fits);
}

int tw_host_trade(struct tw_host *host, const char *symbol, int64_t time, double price,
                  double size, enum tw_side side)
{
    struct tw_record r = { .kind = TW_TRADE, .time = time,
                           .trade = { .side = (uint32_t)side } };
    bool fits = tw_fixed_from_double(price, &r.trade.price) == TW_OK
        && tw_fixed_from_double(size, &r.trade.size) == TW_OK;

    return push_one(host, &r, symbol, fits);
}

int tw_host_publish(struct tw_host *host, const char *topic, struct tw_item value,
                    double seconds)
{
    struct tw_record r = { .kind = TW_MESSAGE };
    int rc = ltw_check_running(host);
    struct tw_any any;
    int64_t id;

    if (rc < 0) return rc;
    if (!topic) return TW_EUSAGE;
    id = tw_names_intern(host->app->host.topics, topic, strlen(topic));
    if (id < 0) return (int)id;
    rc = tw_item_keep(value, &any);
    if (rc < 0) return rc;
    r.message.topic = (uint32_t)id;
    r.message.value_kind = any.kind;
    r.message.value.integer = any.integer;
    if (append(host, &r, 1, seconds) == 1) return TW_OK;   /* the slot owns it */
    tw_any_unref(&any);
    return ltw_check_running(host) < 0 ? TW_ESTOPPED : TW_EFULL;
}

/* ---- the board ---- */

int tw_host_board_set(struct tw_host *host, const char *name, struct tw_item value)
{
    struct tw_board_value v = { .kind = (uint8_t)value.kind };
    struct tw_any any;
    int64_t slot;
    int rc;

    if (ltw_phase(host) == LTW_NEW || !name) return TW_EUSAGE;
    if (!*name) return TW_ELIMIT;
    slot = tw_board_slot(host->app->host.board, name, strlen(name));
    if (slot < 0) return (int)slot;
    if (value.kind == TW_VALUE_STRING && value.text && value.length <= TW_BOARD_TEXT) {
        v.length = (uint8_t)value.length;
        memcpy(v.text, value.text, value.length);
    } else {
        rc = tw_item_keep(value, &any);
        if (rc < 0) return rc;
        v.kind = (uint8_t)any.kind;
        if (any.kind == TW_VALUE_BLOCK) v.block = any.block;
        else v.integer = any.integer;
    }
    tw_board_set(host->app->host.board, (uint32_t)slot, &v);
    return TW_OK;
}

int tw_host_board_get(struct tw_host *host, const char *name, struct tw_any *out)
{
    struct tw_board_value v = { .kind = TW_VALUE_NIL };
    struct tw_item text = tw_item_nil();
    uint32_t slot;

    *out = (struct tw_any){ .kind = TW_VALUE_NIL };
    if (ltw_phase(host) == LTW_NEW || !name) return TW_EUSAGE;
    slot = tw_board_find(host->app->host.board, name, strlen(name));
    if (slot) tw_board_hold(host->app->host.board, slot, &v);
    if (v.kind == TW_VALUE_STRING) {
        text.kind = TW_VALUE_STRING;
        text.length = v.length;
        text.text = v.text;
        return tw_item_keep(text, out);
    }
    out->kind = v.kind;
    if (v.kind == TW_VALUE_BLOCK) out->block = v.block;
    else out->integer = v.integer;
    return TW_OK;
}

/* ---- reading ---- */

/* The next record, and the value of a message, which is the caller's. */
static int read_record(struct tw_cursor *c, struct tw_epoch_reader *reader,
                       struct tw_record *out, struct tw_any *value)
{
    int rc;

    *value = (struct tw_any){ .kind = TW_VALUE_NIL };
    tw_epoch_back(reader);
    rc = tw_cursor_next(c, out);
    if (rc == 1 && out->kind == TW_MESSAGE) {
        value->kind = out->message.value_kind;
        if (value->kind == TW_VALUE_BLOCK) value->block = out->message.value.block;
        else value->integer = out->message.value.integer;
        tw_any_ref(value);
    }
    tw_epoch_away(reader);
    return rc;
}

struct tw_host_cursor {
    struct tw_host *host;             /* constant                          */
    struct tw_cursor cursor;          /* owner: who opened it              */
    struct tw_epoch_reader *reader;   /* constant: it has joined for ever  */
    unsigned kinds;                   /* owner: who opened it              */
    struct tw_any value;              /* owner: who opened it              */
    struct tw_host_cursor *next;      /* mutex: the host's, of those spare */
};

/* One that was closed, for it has joined the epoch; or a new one. */
static struct tw_host_cursor *make_cursor(struct tw_host *host)
{
    struct tw_host_cursor *c;

    pthread_mutex_lock(&host->lock);
    c = host->spare;
    if (c) host->spare = c->next;
    pthread_mutex_unlock(&host->lock);
    if (c) return c;
    c = tw_calloc_aligned(1, sizeof *c);
    if (!c) return NULL;
    c->host = host;
    c->reader = tw_epoch_join(host->app->host.epoch);
    if (c->reader) return c;
    tw_free(c);
    return NULL;
}

static void spare(struct tw_host_cursor *c, bool was_open)
{
    struct tw_host *host = c->host;

    pthread_mutex_lock(&host->lock);
    c->next = host->spare;
    host->spare = c;
    host->cursors -= was_open;
    pthread_mutex_unlock(&host->lock);
}

struct tw_host_cursor *tw_host_cursor_open(struct tw_host *host, unsigned kinds,
                                           bool reliable, uint64_t from,
                                           struct tw_error *error)
{
    struct tw_tape *tape;
    struct tw_host_cursor *c;
    int rc;

    if (ltw_phase(host) == LTW_NEW) {
        tw_fail(error, TW_EUSAGE, "no app is loaded");
        return NULL;
    }
    c = make_cursor(host);
    if (!c) {
        tw_fail(error, UV_ENOMEM, "not enough memory");
        return NULL;
    }
    tape = host->app->host.tape;
    c->kinds = kinds | 1u << TW_GAP;
    c->value.kind = TW_VALUE_NIL;
    rc = from > tw_tape_head(tape) ? TW_EUSAGE
       : tw_cursor_open(&c->cursor, tape, reliable, from ? from : tw_tape_head(tape));
    if (rc < 0) {
        tw_fail(error, rc, "cannot read from %llu on: %s", (unsigned long long)from,
                tw_strerror(rc));
        spare(c, false);
        return NULL;
    }
    pthread_mutex_lock(&host->lock);
    host->cursors++;
    pthread_mutex_unlock(&host->lock);
    return c;
}

int tw_host_cursor_next(struct tw_host_cursor *c, struct tw_record *out,
                        struct tw_item *value)
{
    tw_any_unref(&c->value);
    c->value.kind = TW_VALUE_NIL;
    tw_cursor_commit(&c->cursor);
    while (read_record(&c->cursor, c->reader, out, &c->value) == 1) {
        if (c->kinds & 1u << out->kind) {
            if (value) *value = tw_any_root(&c->value);
            return 1;
        }
        tw_any_unref(&c->value);
        c->value.kind = TW_VALUE_NIL;
        tw_cursor_commit(&c->cursor);
    }
    return 0;
}

int tw_host_cursor_wait(struct tw_host_cursor *c, double seconds)
{
    struct tw_host *host = c->host;
    int64_t until_ns = ltw_until_ns(seconds);
    bool over = false, late = ltw_is_hosts();

    while (!tw_cursor_ready(&c->cursor)) {
        uint64_t wakes;

        if (over) return TW_ESTOPPED;
        if (late) return ltw_is_hosts() ? TW_ECYCLE : UV_ETIMEDOUT;
        pthread_mutex_lock(&host->lock);
        wakes = host->wakes;
        pthread_mutex_unlock(&host->lock);
        tw_waiter_arm(&host->sleepers);
        if (tw_cursor_ready(&c->cursor)) break;
        pthread_mutex_lock(&host->lock);
        while (!late && wakes == host->wakes && ltw_phase(host) != LTW_OVER)
            late = !ltw_wait_held(host, until_ns);
        over = ltw_phase(host) == LTW_OVER;
        pthread_mutex_unlock(&host->lock);
    }
    return 1;
}

void tw_host_cursor_close(struct tw_host_cursor *c)
{
    if (!c) return;
    tw_any_unref(&c->value);
    tw_cursor_close(&c->cursor);
    spare(c, true);
}

/* Some cursor sleeps. */
static void on_wake(void *ctx)
{
    struct tw_host *host = ctx;

    pthread_mutex_lock(&host->lock);
    host->wakes++;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

/* ---- messages ---- */

static bool may_subscribe(struct tw_host *host)
{
    bool may;

    if (ltw_phase(host) != LTW_LOADED) return false;
    pthread_mutex_lock(&host->lock);
    may = !host->running;
    pthread_mutex_unlock(&host->lock);
    return may;
}

/* The tape has no record yet, so nothing is missed. */
static int open_messages(struct tw_host *host)
{
    if (host->subscriptions) return TW_OK;
    return tw_cursor_open(&host->messages, host->app->host.tape, host->app->reliable, 1);
}

int tw_host_subscribe(struct tw_host *host, const char *topic,
                      void (*f)(void *ctx, const struct tw_record *record,
                                const char *topic, const struct tw_item *value),
                      void *ctx)
{
    struct ltw_subscription *s, **last;
    int rc;

    if (!f || !may_subscribe(host)) return TW_EUSAGE;
    s = tw_calloc(1, sizeof *s + (topic ? strlen(topic) + 1 : 0));
    rc = s ? open_messages(host) : UV_ENOMEM;
    if (rc < 0) {
        tw_free(s);
        return rc;
    }
    if (topic) s->topic = strcpy((char *)(s + 1), topic);
    s->f = f;
    s->ctx = ctx;
    for (last = &host->subscriptions; *last;) last = &(*last)->next;
    *last = s;
    return TW_OK;
}

static void ring(void *app)
{
    ltw_app_ring(app);
}

int ltw_tape_load(struct tw_host *host)
{
    struct ltw_host *parts = &host->app->host;

    tw_waiter_open(&host->sleepers, parts->tape, on_wake, host);
    tw_waiter_open(&host->listener, parts->tape, ring, host->app);
    host->messages.reader = -1;
    host->reader = tw_epoch_join(parts->epoch);
    return host->reader ? TW_OK : UV_ENOMEM;
}

static void deliver(struct tw_host *host, const struct tw_record *r,
                    const struct tw_any *any)
{
    const char *topic = r->kind == TW_MESSAGE ? tw_host_topic_name(host, r->message.topic)
                                              : NULL;
    struct tw_item value = tw_any_root(any);

    for (struct ltw_subscription *s = host->subscriptions; s; s = s->next)
        if (!topic || !s->topic || strcmp(s->topic, topic) == 0)
            s->f(s->ctx, r, topic, &value);
}

/* Up to TURN messages, then the loop's turn.  True: there may be more. */
static bool hear(struct tw_host *host)
{
    struct tw_record r;
    struct tw_any value;

    for (int n = 0; n < TURN; n++) {
        do {
            if (read_record(&host->messages, host->reader, &r, &value) != 1) return false;
        } while (r.kind != TW_MESSAGE && r.kind != TW_GAP);
        deliver(host, &r, &value);
        tw_any_unref(&value);
        tw_cursor_commit(&host->messages);
    }
    return true;
}

bool ltw_tape_look(struct tw_host *host)
{
    bool more;

    if (!host->subscriptions) return false;
    more = hear(host);
    tw_cursor_commit(&host->messages);
    tw_waiter_arm(&host->listener);
    more = more || tw_cursor_ready(&host->messages);
    if (more) ltw_app_ring(host->app);
    return more;
}

void ltw_tape_free(struct tw_host *host)
{
    struct ltw_subscription *s, *next;
    struct tw_host_cursor *c;

    if (!host->app) return;
    if (host->subscriptions) tw_cursor_close(&host->messages);
    for (s = host->subscriptions; s; s = next) {
        next = s->next;
        tw_free(s);
    }
    while ((c = host->spare)) {
        host->spare = c->next;
        tw_free(c);
    }
    host->subscriptions = NULL;
}

/* embed.c - each function of tidewire.h, as a program uses it and as it should not. */
#include "embed_rig.h"

static int no_module(struct lua_State *L)
{
    (void)L;
    return 0;
}

static void test_errors(void)
{
    struct tw_host_options wrong = { .workers = 100000 };
    struct tw_error error = { 0, "" };
    struct tw_host *host;

    ok(tw_abi() == TW_ABI, "the library is that of the header");
    ok(strcmp(tw_strerror(TW_EFULL), "full") == 0, "tw_strerror: a code of ours");
    ok(strcmp(tw_strerror(-ENOENT), "no such file or directory") == 0, "and of libuv");
    ok(!tw_host_new(&wrong, &error) && error.code == TW_EUSAGE, "100,000 workers: %s",
       line(error.text));
    wrong = (struct tw_host_options){ .seconds = -1 };
    ok(!tw_host_new(&wrong, NULL), "an error may be NULL");

    host = tw_host_new(NULL, &error);
    ok(host, "options may be NULL");
    ok(tw_host_load(host, "not-there.lua", &error) == TW_ESCRIPT
       && strstr(error.text, "not-there.lua"), "a missing app: %s", line(error.text));
    ok(tw_host_load(host, NULL, &error) == TW_EUSAGE, "no path");
    ok(tw_host_run(host, &error) == TW_EUSAGE && tw_host_start(host, &error) == TW_EUSAGE,
       "nothing to run: %s", line(error.text));
    ok(tw_host_wait(host, 0, &error) == TW_EUSAGE, "nor to wait for");
    ok(tw_host_symbol(host, "A") == TW_EUSAGE && !tw_host_symbol_name(host, 1)
       && !tw_host_topic_name(host, 1), "no symbols before the app");
    ok(tw_host_board_set(host, "a", tw_item_nil()) == TW_EUSAGE, "nor a board");
    ok(!tw_host_cursor_open(host, 0, false, 0, &error), "nor a tape");
    ok(tw_host_quote(host, "A", 0, 1, 2, 3, 4) == TW_EUSAGE
       && tw_host_finish(host) == TW_EBUSY, "nor a feed");
    ok(tw_host_add_module(host, "", NULL) == TW_EUSAGE
       && tw_host_add_text(host, "a", NULL) == TW_EUSAGE, "wrong modules and texts");

    tw_host_add_text(host, "bad.lua", "local app = ");
    tw_host_add_text(host, "raises.lua", "\nerror 'no app'");
    tw_host_add_text(host, "none.lua", APP "app.script 'not-here.lua'");
    tw_host_add_text(host, "good.lua", APP "app.script 's.lua'");
    tw_host_add_text(host, "s.lua", "error 'no script'");
    ok(tw_host_load(host, "bad.lua", &error) == TW_ESCRIPT
       && strstr(error.text, "bad.lua:1:"), "a bad app: %s", line(error.text));
    ok(tw_host_load(host, "raises.lua", &error) == TW_ESCRIPT
       && strstr(error.text, "raises.lua:2: no app"), "one that raises: %s",
       line(error.text));
    ok(tw_host_load(host, "none.lua", &error) == TW_ESCRIPT
       && strstr(error.text, "not-here.lua"), "a missing script: %s", line(error.text));
    ok(tw_host_load(host, "good.lua", &error) == TW_OK, "another one can be loaded then");
    ok(tw_host_load(host, "good.lua", &error) == TW_EUSAGE, "and no other");
    ok(tw_host_add_value(host, "a", tw_item_integer(1)) == TW_EUSAGE
       && tw_host_add_module(host, "a", no_module) == TW_EUSAGE, "nor a module");
    ok(tw_host_start(host, &error) == TW_ESCRIPT && strstr(error.text, "no script"),
       "a script that raises: %s", line(error.text));
    ok(tw_host_wait(host, 0, NULL) == TW_ESCRIPT, "which stays what it ended with");
    tw_host_free(host);
    tw_host_free(NULL);
}

static void test_push(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_record r = { .kind = TW_QUOTE }, many[600];
    struct tw_error error = { 0, "" };
    struct tw_host *host = open_host(&o, APP "app.script 's.lua'",
        "function M:on_start() self.n, self.size, self.first = 0, 0 end"
        " function M:on_quote(symbol, bid, ask, bid_size, time, received, source)"
        "   while not board.open do tw.sleep(0.001) end"
        "   self.n, self.size = self.n + 1, self.size + bid_size"
        "   self.first = self.first or ('%s %g %g %d %s'):format(symbol, bid, ask, time,"
        "     source) end"
        " function M:on_trade(price, size, side) self.trade = price * size"
        "   self.side = side end"
        " function M:count() while self.n < board.count do tw.sleep(0.001) end"
        "   return self.n end"
        " function M:size_of_all() return self.size end"
        " function M:trade_of() while not self.trade do tw.sleep(0.001) end"
        "   return self.trade end"
        " function M.on_stop(self) print(self.first, self.side) end", &error);
    int64_t pushed, id;

    ok(host, "an app of two texts: %s", host ? "" : error.text);
    if (!host) return;
    id = tw_host_symbol(host, "AAPL");
    ok(id == 1 && strcmp(tw_host_symbol_name(host, 1), "AAPL") == 0
       && !tw_host_symbol_name(host, 2), "symbols get ids");
    ok(tw_host_push(host, &r, 1, 0) == TW_EBUSY, "it does not run yet");
    ok(tw_host_start(host, &error) == TW_OK, "it runs");
    ok(tw_host_start(host, &error) == TW_EUSAGE, "once");
    ok(tw_host_push(host, &r, 1, 0) == TW_EUSAGE, "a quote has a symbol");
    r.symbol = 2;
    ok(tw_host_push(host, &r, 1, 0) == TW_EUSAGE, "that is known");
    r.symbol = 1;
    r.kind = TW_MESSAGE;
    ok(tw_host_push(host, &r, 1, 0) == TW_EUSAGE, "a message is not pushed");
    ok(tw_host_quote(host, "AAPL", 0, 0.0 / 0.0, 1, 1, 1) == TW_ERANGE, "nor a NaN");
    ok(tw_host_quote(host, "AAPL", 0, 1e300, 1, 1, 1) == TW_ERANGE, "nor 1e300");
    ok(tw_host_quote(host, "", 0, 1, 1, 1, 1) == TW_ELIMIT, "nor a quote of nothing");
    ok(tw_host_push(host, NULL, 0, 0) == 0, "none");

    ok(tw_host_quote(host, "AAPL", 1234, 187.22, 187.24, 1, 500) == TW_OK, "a quote");
    for (unsigned i = 0; i < 600; i++)
        many[i] = (struct tw_record){ .kind = TW_QUOTE, .symbol = 1, .time = i + 1,
            .quote = { 1000000000, 2000000000, 1000000000, 1000000000 } };
    pushed = tw_host_push(host, many, 600, 0);
    ok(pushed >= 0 && pushed < 129,
       "of a tape of 1024, an eighth is pushed while the script waits: %d", (int)pushed);
    ok(tw_host_push(host, many + pushed, (size_t)(600 - pushed), 0.01) < 129,
       "nor more when it is waited for, a short time");
    tw_host_board_set(host, "open", tw_item_boolean(true));
    tw_host_board_set(host, "count", tw_item_integer(pushed + 1));
    ok(ask(host, "count") >= (double)pushed + 1, "what was pushed is read");
    ok(tw_host_push(host, many, 600, TW_FOREVER) == 600, "600, waiting for room");
    ok(tw_host_trade(host, "AAPL", 0, 2.5, 4, TW_SIDE_SELL) == TW_OK
       && ask(host, "trade_of") == 10, "a trade");
    ok(ask(host, "count") == ask(host, "size_of_all"), "nothing is lost or seen twice");
    ok(tw_host_finish(host) == TW_OK && tw_host_finish(host) == TW_OK, "it is all");
    ok(tw_host_wait(host, 120, &error) == TW_OK, "and the run ends");
    ok(has_said(&said, "AAPL 187.22 187.24 1234 program\tsell\n"),
       "symbol, prices, time and source are those pushed");
    ok(tw_host_push(host, many, 1, 0) == TW_ESTOPPED
       && tw_host_publish(host, "a", tw_item_nil(), 0) == TW_ESTOPPED,
       "no more after it");
    ok(strcmp(tw_host_symbol_name(host, 1), "AAPL") == 0, "names are there until free");
    tw_host_free(host);
}

static const char calls[] =
    "function M.nothing() end"
    " function M.same(self, ...) return { n = select('#', ...), ... } end"
    " function M.text() return 'a\\0b' end"
    " function M.two() return 1, 2 end"
    " function M.integer() return 1 << 62 end"
    " function M.who(self) return self.name end"
    " function M.fails() error 'on purpose' end"
    " function M.raises() local x = nil; return x.y end"
    " function M.waits() tw.sleep(1000) end"
    " function M.later() return tw.pool.run(function(n) return n * 2 end, 21) end"
    " function M.never() local p = tw.promise() board.p = { p } return p.future end"
    " function M.exits() os.exit(7) end"
    " M.field = 5";

static void test_calls(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said, calls);
    struct tw_item args[] = { tw_item_integer(5), tw_item_nil(), tw_item_number(2.5),
                              tw_item_text("text"), tw_item_boolean(false) };
    struct tw_item v, kept, key;
    struct tw_error error = { 0, "" };
    struct tw_future *f, *g;
    bool fine;

#define CALL(function, n) \
    (tw_host_call(host, "s.lua", function, args, n, &f, &error) == TW_OK \
     && tw_future_await(f, 120, &v, &error) == TW_OK)
    ok(CALL("nothing", 0) && v.kind == TW_VALUE_NIL, "nothing is nil");
    tw_future_close(f);
    ok(CALL("text", 0) && v.kind == TW_VALUE_STRING && v.length == 3
       && memcmp(v.text, "a\0b", 3) == 0, "a string with a 0 byte");
    tw_future_close(f);
    ok(CALL("integer", 0) && v.kind == TW_VALUE_INTEGER && v.integer == INT64_C(1) << 62,
       "an integer is one");
    tw_future_close(f);
    ok(CALL("who", 0) && is_text(&v, "s.lua"), "self is the script's");
    tw_future_close(f);
    ok(CALL("same", 5) && v.kind == TW_VALUE_TABLE, "a table");
    key = tw_item_integer(4);
    kept = tw_table_find(v.table, key);
    fine = is_text(&kept, "text");
    key = tw_item_text("n");
    kept = tw_table_find(v.table, key);
    fine = fine && kept.integer == 5;
    key = tw_item_integer(2);
    kept = tw_table_find(v.table, key);
    ok(fine && kept.kind == TW_VALUE_NIL, "arguments arrive, with a nil between them");
    args[0] = v;
    ok(tw_host_call(host, "s.lua", "same", args, 1, &g, &error) == TW_OK
       && tw_future_await(g, 120, &v, &error) == TW_OK
       && tw_table_find(v.table, tw_item_integer(1)).kind == TW_VALUE_TABLE,
       "and a table that came goes again");
    tw_future_close(f);
    tw_future_close(g);
    args[0] = tw_item_integer(5);

#define FAILS(function, part) do { \
    fine = tw_host_call(host, "s.lua", function, args, 0, &f, &error) == TW_OK \
        && tw_future_await(f, 120, &v, &error) == TW_ESCRIPT && error.code == TW_ESCRIPT \
        && strstr(error.text, part); \
    ok(fine, "%s fails: %s", function, line(error.text)); \
    tw_future_close(f); \
} while (0)
    FAILS("fails", "on purpose");
    FAILS("raises", "s.lua:1:");
    FAILS("two", "2 values");
    FAILS("exits", "can't end the program");
    FAILS("not_there", "not_there is a nil");
    FAILS("field", "field is a number");

    ok(tw_host_call(host, "other.lua", "same", NULL, 0, &f, &error) == TW_EUSAGE && !f,
       "a script that is not there: %s", line(error.text));
    ok(tw_host_call(host, "s.lua#2", "same", NULL, 0, &f, &error) == TW_EUSAGE,
       "an instance that is not there: %s", line(error.text));
    ok(tw_host_call(host, "@1", "a.b", NULL, 0, &f, &error) == TW_EUSAGE
       && tw_host_call(host, "@", "a.b", NULL, 0, &f, &error) == TW_EUSAGE,
       "a worker that is not there: %s", line(error.text));
    ok(tw_host_call(host, "s.lua", "same", args, 251, &f, &error) == TW_EUSAGE,
       "too many arguments: %s", line(error.text));
    args[0] = tw_item_text("ab");
    args[1] = tw_item_integer(3);
    ok(tw_host_call(host, "@0", "string.rep", args, 2, &f, &error) == TW_OK
       && tw_future_await(f, 120, &v, &error) == TW_OK && is_text(&v, "ababab"),
       "a worker's state: a function of a module");
    tw_future_close(f);

    ok(tw_host_call(host, "s.lua", "waits", NULL, 0, &f, &error) == TW_OK
       && tw_future_await(f, 0, &v, &error) == -ETIMEDOUT
       && tw_future_await(f, 0.001, &v, &error) == -ETIMEDOUT, "a time limit: %s",
       line(error.text));
    tw_future_close(f);
    ok(CALL("later", 0) && v.kind == TW_VALUE_OBJECT, "a future comes as a value");
    g = tw_future_from(&v);
    ok(g && tw_future_await(g, 120, &v, &error) == TW_OK && v.integer == 42,
       "and is awaited");
    tw_future_close(g);
    tw_future_close(f);
    v = tw_item_integer(1);
    ok(!tw_future_from(&v), "a number is none");
    ok(tw_host_call(host, "s.lua", "waits", NULL, 0, &f, &error) == TW_OK,
       "one that waits when the run ends");
    tw_host_stop(host);
    ok(tw_future_await(f, 120, &v, &error) == TW_ESTOPPED, "is cancelled");
    tw_future_close(f);
    ok(end_host(host, &error) == TW_OK, "errors that were looked at fail no run: %s",
       line(error.text));

    host = start_host(&said, calls);
    tw_host_call(host, "s.lua", "fails", NULL, 0, &f, &error);
    while (tw_future_await(f, 0, NULL, NULL) == -ETIMEDOUT) { }
    tw_future_close(f);
    ok(end_host(host, &error) == TW_OK, "nor when only the code was");
    host = start_host(&said, calls);
    ok(tw_host_call(host, "s.lua", "fails", NULL, 0, &f, &error) == TW_OK, "unseen:");
    ask(host, "integer");   /* it comes after */
    tw_future_close(f);
    ok(end_host(host, &error) == TW_ESCRIPT && strstr(error.text, "on purpose"),
       "one that nobody looked at fails it: %s", line(error.text));
}

/* What `then` gave, and where. */
struct told {
    struct said *said;
    int code, calls;
    int64_t integer;
    char text[500];
    pthread_t thread;
};

static void on_done(void *ctx, int code, const struct tw_item *value,
                    const struct tw_error *error)
{
    struct told *t = ctx;

    t->code = code;
    t->calls++;
    t->integer = value->kind == TW_VALUE_INTEGER ? value->integer : -1;
    snprintf(t->text, sizeof t->text, "%s", error->text);
    t->thread = pthread_self();
}

static void test_then(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said, calls);
    struct told one = { 0 }, two = { 0 }, three = { 0 }, four = { 0 };
    struct tw_future *f;
    struct tw_item v;
    struct tw_error error = { 0, "" };

    tw_host_call(host, "s.lua", "integer", NULL, 0, &f, &error);
    ok(tw_host_then(host, f, on_done, &one) == TW_OK, "then");
    tw_host_call(host, "s.lua", "fails", NULL, 0, &f, &error);
    ok(tw_host_then(host, f, on_done, &two) == TW_OK, "of one that fails");
    tw_host_call(host, "s.lua", "waits", NULL, 0, &f, &error);
    ok(tw_host_then(host, f, on_done, &three) == TW_OK, "of one that waits");
    tw_host_call(host, "s.lua", "never", NULL, 0, &f, &error);
    tw_future_await(f, 120, &v, &error);
    ok(tw_host_then(host, tw_future_from(&v), on_done, &four) == TW_OK,
       "of one that nobody settles");
    ok(tw_future_await(f, 0, &v, &error) == TW_OK, "which can be awaited twice");
    tw_future_close(f);
    ask(host, "integer");
    tw_host_stop(host);
    ok(tw_host_wait(host, 120, &error) == TW_OK, "the run ends: %s", line(error.text));
    ok(one.calls == 1 && one.code == TW_OK && one.integer == INT64_C(1) << 62,
       "the value was told");
    ok(two.calls == 1 && two.code == TW_ESCRIPT && strstr(two.text, "on purpose"),
       "the failure: %s", line(two.text));
    ok(three.calls == 1 && three.code == TW_ESTOPPED, "the end of the run");
    ok(pthread_equal(one.thread, two.thread)
       && !pthread_equal(one.thread, pthread_self()), "on the host's thread");
    ok(tw_host_then(host, NULL, on_done, &one) == TW_EUSAGE
       && tw_future_await(NULL, 0, &v, &error) == TW_EUSAGE, "nothing to await");
    tw_host_free(host);
    ok(four.calls == 1 && four.code == TW_ESTOPPED, "each is told once, at last by free");
}

/* What a subscription heard. */
struct heard { unsigned n, gaps; int64_t last; bool in_order; char topic[64]; };

static void on_number(void *ctx, const struct tw_record *r, const char *topic,
                      const struct tw_item *value)
{
    struct heard *h = ctx;

    if (r->kind == TW_GAP) {
        h->gaps++;
        return;
    }
    h->n++;
    h->in_order = h->in_order && value->integer == h->last + 1;
    h->last = value->integer;
    snprintf(h->topic, sizeof h->topic, "%s", topic);
}

static void test_messages(void)
{
    enum { MANY = 5000 };
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct heard all = { .in_order = true }, some = { .in_order = true }, none = { 0 };
    struct tw_error error = { 0, "" };
    struct tw_host *host = open_host(&o, APP "app.script 's.lua'",
        "M.messages = 'from.c' function M.on_start() tw.publish('numbers', 1) end"
        " function M.on_message(topic, value)"
        "   if type(value) == 'number' then tw.publish('numbers', value)"
        "   else print(topic, value) end end", &error);

    ok(host && tw_host_subscribe(host, "numbers", on_number, &some) == TW_OK
       && tw_host_subscribe(host, NULL, on_number, &all) == TW_OK
       && tw_host_subscribe(host, "other", on_number, &none) == TW_OK, "subscribe");
    ok(tw_host_subscribe(host, "other", NULL, NULL) == TW_EUSAGE, "to nothing");
    ok(tw_host_publish(host, "a", tw_item_nil(), 0) == TW_EBUSY, "it does not run yet");
    ok(tw_host_start(host, &error) == TW_OK, "it runs");
    ok(tw_host_subscribe(host, "other", on_number, &none) == TW_EUSAGE, "too late");
    ok(tw_host_publish(host, "", tw_item_nil(), 0) == TW_ELIMIT
       && tw_host_publish(host, NULL, tw_item_nil(), 0) == TW_EUSAGE, "no topic");
    for (int i = 2; i <= MANY; i++)
        if (tw_host_publish(host, "from.c", tw_item_integer(i), TW_FOREVER) < 0) break;
    ok(tw_host_publish(host, "from.c", tw_item_text("a text that has no room in place,"
                       " as it is longer than 63 bytes"), TW_FOREVER) == TW_OK,
       "a text is sent");
    ok(tw_host_board_get(host, "a", &(struct tw_any){ 0 }) == TW_OK, "meanwhile");
    tw_host_finish(host);
    ok(tw_host_wait(host, 120, &error) == TW_OK, "the run ends: %s", line(error.text));
    ok(some.n == MANY && some.in_order, "a topic: %u messages in order", some.n);
    ok(all.n == 2 * MANY, "all topics: %u", all.n);
    ok(none.n == 0 && some.gaps + all.gaps + none.gaps == 0, "another one: none;"
       " no gaps");
    ok(strcmp(some.topic, "numbers") == 0, "the topic has its name");
    ok(has_said(&said, "from.c\ta text that has no room in place"), "the script has it");
    tw_host_free(host);
}

static void test_cursor(void)
{
    enum { MANY = 3000 };
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said,
        "function M.say() tw.publish('table', { text = 'deep' }) end");
    struct tw_host_cursor *lossy, *sure, *late, *own;
    struct tw_record r;
    struct tw_error error = { 0, "" };
    struct tw_item v, text;
    uint64_t seen = 0, lost = 0;
    bool fine = true;

    own = tw_host_cursor_open(host, 1u << TW_MESSAGE, true, 0, &error);
    sure = tw_host_cursor_open(host, 1u << TW_TRADE, true, 0, &error);
    lossy = tw_host_cursor_open(host, 1u << TW_QUOTE, false, 1, &error);
    ok(own && sure && lossy, "cursors");
    ok(tw_host_cursor_next(sure, &r, NULL) == 0
       && tw_host_cursor_wait(sure, 0.001) == -ETIMEDOUT, "nothing there");
    ask(host, "say");
    ok(tw_host_cursor_wait(own, 120) == 1 && tw_host_cursor_next(own, &r, &v) == 1
       && r.kind == TW_MESSAGE && v.kind == TW_VALUE_TABLE
       && strcmp(tw_host_topic_name(host, r.message.topic), "table") == 0, "a message");
    text = tw_table_find(v.table, tw_item_text("text"));
    ok(is_text(&text, "deep"), "and its table");
    tw_host_cursor_close(own);
    own = tw_host_cursor_open(host, 1u << TW_TRADE, false, 0, &error);
    for (unsigned i = 0; i < MANY; i++) {
        fine = fine && tw_host_quote(host, "A", 0, 1, 2, 3, 4) == TW_OK
            && tw_host_trade(host, "B", 0, i + 1, 2, TW_SIDE_BUY) == TW_OK;
        while (tw_host_cursor_next(sure, &r, NULL)) {
            seen++;
            fine = fine && r.kind == TW_TRADE
                && r.trade.price == (int64_t)seen * 1000000000;
        }
    }
    ok(fine && seen == MANY, "a reliable one has every trade in order");
    for (seen = 0; tw_host_cursor_next(lossy, &r, NULL);)
        if (r.kind == TW_GAP) lost += r.gap.lost;
        else seen += r.kind == TW_QUOTE;
    ok(lost > 0 && seen > 0 && lost + 2 * seen >= 2 * MANY && seen < MANY,
       "a lossy one is told of %u lost and has %u", (unsigned)lost, (unsigned)seen);
    late = tw_host_cursor_open(host, 0, true, 1, &error);
    ok(!late && error.code == TW_EEXPIRED, "from the beginning: %s", line(error.text));
    r = (struct tw_record){ .kind = TW_TRADE, .symbol = 1 };
    ok(tw_host_push(host, &r, 1, TW_FOREVER) == 1 && tw_host_cursor_wait(sure, 120) == 1,
       "one more");
    tw_host_stop(host);
    ok(tw_host_wait(host, 120, NULL) == TW_OK, "the run ends");
    ok(tw_host_cursor_next(sure, &r, NULL) == 1, "what is left can be read");
    ok(tw_host_cursor_wait(sure, TW_FOREVER) == TW_ESTOPPED, "no more will come");
    tw_host_cursor_close(own);
    tw_host_cursor_close(sure);
    tw_host_cursor_close(lossy);
    tw_host_free(host);
}

static void test_board(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said,
        "function M.set() board.table = { 1, 2, 3 }"
        "  board.sum = board.number + board.integer"
        "  board.long = board.text .. board.text end");
    char text[] = "01234567890123456789012345678901234567890123456789", name[80] = "";
    struct tw_item all[] = { tw_item_number(0.5), tw_item_integer(7),
                             tw_item_text(text) };
    struct tw_item item;
    struct tw_any v;

    ok(tw_host_board_set(host, "number", all[0]) == TW_OK
       && tw_host_board_set(host, "integer", all[1]) == TW_OK
       && tw_host_board_set(host, "text", all[2]) == TW_OK, "set");
    ask(host, "set");
    ok(tw_host_board_get(host, "sum", &v) == TW_OK && v.kind == TW_VALUE_NUMBER
       && v.number == 7.5, "get a number");
    ok(tw_host_board_get(host, "table", &v) == TW_OK, "a table");
    item = tw_any_root(&v);
    ok(item.kind == TW_VALUE_TABLE && tw_table_length(item.table) == 3, "of 3");
    ok(tw_host_board_set(host, "again", item) == TW_OK, "which can be set again");
    tw_any_unref(&v);
    tw_host_board_get(host, "text", &v);
    item = tw_any_root(&v);
    ok(is_text(&item, text), "a short text");
    tw_any_unref(&v);
    tw_host_board_get(host, "long", &v);
    item = tw_any_root(&v);
    ok(item.kind == TW_VALUE_STRING && item.length == 100, "a long one");
    ok(tw_host_board_set(host, "long", item) == TW_OK, "set");
    tw_any_unref(&v);
    ok(tw_host_board_get(host, "none", &v) == TW_OK && v.kind == TW_VALUE_NIL,
       "nil where there is none");
    memset(name, 'x', sizeof name - 1);
    ok(tw_host_board_set(host, name, all[0]) == TW_ELIMIT
       && tw_host_board_set(host, "", all[0]) == TW_ELIMIT, "names have 1 to 63 bytes");
    ok(end_host(host, NULL) == TW_OK, "the run ends");
}

static void test_said(void)
{
    struct said said = SAID_INIT;
    struct tw_host_options o = options_of(&said);
    struct tw_error error = { 0, "" };
    struct tw_host *host = open_host(&o, APP "print('app', 1, nil) app.script 's.lua'"
        " app.on_feed(function(name, state) print(name, state) end)",
        "function M.on_start() print 'from the script' end"
        " function M.on_quote() error 'on the quote' end", &error);

    ok(host && tw_host_start(host, &error) == TW_OK, "it starts");
    tw_host_quote(host, "A", 0, 1, 2, 3, 4);
    ok(tw_host_wait(host, 120, &error) == TW_ESCRIPT && strstr(error.text, "on the quote")
       && strstr(error.text, "script s.lua"), "the error is a value: %s",
       line(error.text));
    ok(has_said(&said, "app\t1\tnil\n") && has_said(&said, "from the script\n"),
       "prints of the app and of the script");
    ok(has_said(&said, "program\tlive\n"), "the program is a feed");
    ok(has_said(&said, "error script s.lua"), "the log");
    ok(!has_said(&said, "CPU seconds"), "and no figures");
    tw_host_free(host);
}

int main(void)
{
    test_errors();
    test_push();
    test_calls();
    test_then();
    test_messages();
    test_cursor();
    test_board();
    test_said();
    return tap_done();
}

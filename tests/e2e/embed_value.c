/* embed_value.c - values of a program: tables that it writes and reads, arrays, and what
 * its C modules take and give.
 */
#include <lauxlib.h>
#include <math.h>

#include "embed_rig.h"

uint64_t tw_value_live(void);
uint64_t tw_object_live(void);

/* What a function of s.lua gives for one argument; *f is to be closed. */
static struct tw_item ask_with(struct tw_host *host, const char *function,
                               struct tw_item arg, struct tw_future **f)
{
    struct tw_error error = { 0, "" };
    struct tw_item value = tw_item_nil();
    int rc = tw_host_call(host, "s.lua", function, &arg, 1, f, &error);

    if (rc == TW_OK) rc = tw_future_await(*f, 120, &value, &error);
    if (rc < 0) printf("# %s: %s\n", function, error.text);
    return value;
}

/* ---- drafts ---- */

static void test_draft(void)
{
    struct tw_draft *d = tw_draft_new();
    struct tw_record record = { .kind = TW_QUOTE };
    struct tw_any v, w;
    struct tw_item item, key, value;
    unsigned n = 0;

    ok(d && tw_draft_finish(d, &v) == TW_OK, "an empty draft is a table");
    item = tw_any_root(&v);
    ok(item.kind == TW_VALUE_TABLE && tw_table_length(item.table) == 0
       && tw_table_pairs(item.table) == 0, "which is empty");
    tw_any_unref(&v);

    tw_draft_set(d, "symbol", tw_item_text("AAPL"));
    tw_draft_set(d, "nothing", tw_item_nil());
    tw_draft_begin(d, "bids");
    tw_draft_add(d, tw_item_number(187.22));
    tw_draft_begin(d, NULL);
    tw_draft_add(d, tw_item_integer(3));
    tw_draft_end(d);
    tw_draft_set(d, "sure", tw_item_boolean(true));
    tw_draft_end(d);
    tw_draft_put(d, tw_item_integer(-1), tw_item_bytes("a\0b", 3));
    for (int i = 0; i < 2; i++) {
        item = (struct tw_item){ .kind = TW_VALUE_RECORD, .record = &record };
        record.symbol = (uint32_t)i + 1;
        tw_draft_put(d, tw_item_number(i + 0.5), item);
    }
    ok(tw_draft_finish(d, &v) == TW_OK, "a draft with tables in it");
    item = tw_any_root(&v);
    ok(strcmp(tw_item_to_text(tw_item_get(item, "symbol"), ""), "AAPL") == 0
       && tw_item_get(item, "nothing").kind == TW_VALUE_NIL, "its keys");
    ok(tw_item_to_number(tw_item_at(tw_item_get(item, "bids"), 1), 0) == 187.22
       && tw_item_at(tw_item_at(tw_item_get(item, "bids"), 2), 1).integer == 3
       && tw_item_get(tw_item_get(item, "bids"), "sure").kind == TW_VALUE_TRUE,
       "elements, and keys after them, two deep");
    value = tw_table_find(item.table, tw_item_number(-1.0));
    ok(value.length == 3 && memcmp(value.text, "a\0b", 4) == 0, "bytes at a number");
    ok(tw_table_find(item.table, tw_item_number(0.5)).record->symbol == 1
       && tw_table_find(item.table, tw_item_number(1.5)).record->symbol == 2,
       "two records that stood at one address");
    while (tw_table_entry(item.table, n, &key, &value)) n++;
    ok(n == 5 && tw_table_pairs(item.table) == 5, "entries: %u", n);
    ok(tw_item_get(tw_item_integer(1), "x").kind == TW_VALUE_NIL
       && tw_item_at(tw_item_nil(), 1).kind == TW_VALUE_NIL
       && strcmp(tw_item_to_text(tw_item_integer(1), "no"), "no") == 0
       && tw_item_to_number(tw_item_text("1"), 7) == 7, "what is no table has nothing");

    ok(tw_item_keep(tw_item_get(item, "bids"), &w) == TW_OK, "a table in it is kept");
    tw_any_unref(&v);
    ok(tw_item_at(tw_any_root(&w), 1).number == 187.22, "and stays when the rest goes");
    tw_draft_add(d, tw_any_root(&w));
    tw_draft_add(d, tw_any_root(&w));
    ok(tw_draft_finish(d, &v) == TW_OK, "a table that is there twice");
    tw_any_unref(&w);
    item = tw_any_root(&v);
    ok(tw_item_at(item, 1).table == tw_item_at(item, 2).table, "is one");
    tw_any_unref(&v);
    tw_draft_free(d);
    tw_draft_free(NULL);
    ok(tw_value_live() == 0, "nothing is left");
}

static void test_wrong_drafts(void)
{
    struct tw_draft *d = tw_draft_new();
    struct tw_item odd[] = { { .kind = TW_VALUE_BLOCK }, { .kind = TW_VALUE_LINK },
        { .kind = 77 }, { .kind = TW_VALUE_TABLE }, { .kind = TW_VALUE_STRING },
        { .kind = TW_VALUE_RECORD }, { .kind = TW_VALUE_OBJECT } };
    struct tw_item one = tw_item_integer(1);
    struct tw_any v;
    bool refused = true;

#define REFUSED(code, what, ...) do { \
    __VA_ARGS__; \
    ok(tw_draft_finish(d, &v) == (code) && v.kind == TW_VALUE_NIL, what); \
} while (0)
    REFUSED(TW_EUSAGE, "a key twice", tw_draft_set(d, "a", one);
            tw_draft_set(d, "b", one); tw_draft_set(d, "a", one));
    REFUSED(TW_EUSAGE, "as another number", tw_draft_put(d, tw_item_number(7), one);
            tw_draft_put(d, tw_item_integer(7), one));
    REFUSED(TW_EUSAGE, "an element after a key", tw_draft_set(d, "a", one);
            tw_draft_add(d, one));
    REFUSED(TW_EUSAGE, "a table likewise", tw_draft_set(d, "a", one);
            tw_draft_begin(d, NULL); tw_draft_end(d));
    REFUSED(TW_EUSAGE, "an element that is nil", tw_draft_add(d, tw_item_nil()));
    REFUSED(TW_EUSAGE, "a key that is an element's", tw_draft_add(d, one);
            tw_draft_put(d, one, one));
    REFUSED(TW_EUSAGE, "or would be the next one's", tw_draft_put(d, one, one));
    REFUSED(TW_EUSAGE, "no key", tw_draft_set(d, NULL, one));
    REFUSED(TW_EUSAGE, "a NaN as one", tw_draft_put(d, tw_item_number(NAN), one));
    REFUSED(TW_EUSAGE, "no end", tw_draft_begin(d, "a"));
    REFUSED(TW_EUSAGE, "an end too many", tw_draft_end(d));
    REFUSED(TW_ELIMIT, "too deep",
            for (int i = 0; i < TW_DRAFT_DEPTH; i++) tw_draft_begin(d, NULL));
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        tw_draft_add(d, odd[i]);
        refused = refused && tw_draft_finish(d, &v) == TW_EUSAGE
               && tw_item_keep(odd[i], &v) == TW_EUSAGE;
    }
    ok(refused, "what is no value");
    for (int i = 1; i < TW_DRAFT_DEPTH; i++) tw_draft_begin(d, NULL);
    for (int i = 1; i < TW_DRAFT_DEPTH; i++) tw_draft_end(d);
    ok(tw_draft_finish(d, &v) == TW_OK, "as deep as it may be, after all that");
    tw_any_unref(&v);
    tw_draft_begin(d, "left open");
    tw_draft_set(d, "a", tw_item_text("a text"));
    tw_draft_free(d);
    ok(tw_item_text(NULL).kind == TW_VALUE_NIL, "no text is nil");
    ok(tw_value_live() == 0, "nothing is left");
}

/* ---- on the way to scripts and back ---- */

static const char echo[] =
    "M.messages = 'book'"
    " function M.same(self, x) return x end"
    " function M.deep(self, x) return x.bids[1] + #x.bids[2] + x.n end"
    " function M.sum(self, x) return x:sum() + #x end"
    " function M.array() return require 'tw.array' { 1, 2, 4 } end"
    " function M.on_message(topic, value) board.heard = value end"
    " function M.heard() while not board.heard do tw.sleep(0.001) end"
    "   return board.heard.bids[1] end";

static void draft_book(struct tw_draft *d)
{
    tw_draft_begin(d, "bids");
    tw_draft_add(d, tw_item_number(10.5));
    tw_draft_begin(d, NULL);
    tw_draft_add(d, tw_item_text("x"));
    tw_draft_end(d);
    tw_draft_end(d);
    tw_draft_set(d, "n", tw_item_integer(4));
}

static void test_travel(void)
{
    struct said said = SAID_INIT;
    struct tw_host *host = start_host(&said, echo);
    struct tw_draft *d = tw_draft_new();
    double numbers[1000];
    const double *back;
    struct tw_future *f;
    struct tw_item item;
    struct tw_any v, got;
    size_t n;

    draft_book(d);
    ok(tw_draft_finish(d, &v) == TW_OK, "a book");
    item = ask_with(host, "deep", tw_any_root(&v), &f);
    ok(item.number == 15.5, "as an argument");
    tw_future_close(f);
    item = ask_with(host, "same", tw_any_root(&v), &f);
    ok(item.table == tw_any_root(&v).table, "and back: the same one, not a copy");
    tw_future_close(f);
    ok(tw_host_publish(host, "book", tw_any_root(&v), TW_FOREVER) == TW_OK
       && ask(host, "heard") == 10.5, "as a message");
    ok(tw_host_board_set(host, "book", tw_any_root(&v)) == TW_OK
       && tw_host_board_get(host, "book", &got) == TW_OK
       && tw_any_root(&got).table == tw_any_root(&v).table, "on the board");
    tw_any_unref(&got);
    tw_any_unref(&v);

    for (int i = 0; i < 1000; i++) numbers[i] = i;
    ok(tw_numbers_keep(numbers, 1000, &v) == TW_OK, "an array");
    item = ask_with(host, "sum", tw_any_root(&v), &f);
    ok(item.number == 999 * 500 + 1000, "is a tw.array there");
    tw_future_close(f);
    back = tw_item_numbers(tw_any_root(&v), &n);
    ok(back && n == 1000 && back[999] == 999, "and can be read here");
    tw_any_unref(&v);
    item = ask_with(host, "array", tw_item_nil(), &f);
    back = tw_item_numbers(item, &n);
    ok(back && n == 3 && back[2] == 4, "as can one of Lua's");
    tw_future_close(f);
    ok(!tw_item_numbers(tw_item_integer(1), &n) && n == 0
       && tw_numbers_keep(NULL, 1, &v) == TW_EUSAGE
       && tw_numbers_keep(NULL, 0, &v) == TW_OK, "what is none");
    tw_any_unref(&v);
    tw_draft_free(d);
    ok(end_host(host, NULL) == TW_OK, "the run ends");
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing is left");
}

/* ---- modules in C ---- */

struct program { struct said *said; struct tw_any table; };

/* program.table(x): the program's table, with nothing global in between. */
static int give_table(lua_State *L)
{
    struct program *p = ((struct said *)tw_lua_context(L))->extra;

    tw_lua_push(L, tw_any_root(&p->table));
    return 1;
}

/* program.length(t): what a table of the script's has. */
static int length_of(lua_State *L)
{
    struct tw_any v;

    tw_lua_value(L, 1, &v);
    lua_pushinteger(L, tw_table_length(tw_any_root(&v).table));
    tw_any_unref(&v);
    return 1;
}

static int push_wrong(lua_State *L)
{
    struct tw_item item = { .kind = 77 };

    tw_lua_push(L, item);
    return 1;
}

static int open_program(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "table", give_table }, { "length", length_of }, { "wrong", push_wrong },
        { NULL, NULL }
    };

    luaL_newlib(L, functions);
    return 1;
}

static void test_modules(void)
{
    struct said said[2] = { SAID_INIT, SAID_INIT };
    struct program programs[2];
    struct tw_draft *d = tw_draft_new();
    struct tw_error error = { 0, "" };

    for (int i = 0; i < 2; i++) {   /* the same module in two hosts */
        struct tw_host_options o = options_of(&said[i]);
        struct tw_host *host = tw_host_new(&o, &error);

        tw_draft_set(d, "host", tw_item_integer(i));
        tw_draft_finish(d, &programs[i].table);
        said[i].extra = &programs[i];
        draft_book(d);
        tw_draft_add(d, tw_item_nil());
        ok(tw_draft_finish(d, &(struct tw_any){ 0 }) == TW_EUSAGE, "a draft that failed");
        ok(tw_host_add_module(host, "program", open_program) == TW_OK
           && tw_host_add_value(host, "config", tw_any_root(&programs[i].table)) == TW_OK
           && tw_host_add_value(host, "limit", tw_item_number(0.5)) == TW_OK,
           "a module and two values");
        ok(tw_host_add_value(host, "x", tw_item_nil()) == TW_EUSAGE
           && tw_host_add_value(host, "", tw_item_integer(1)) == TW_EUSAGE, "not nil");
        tw_host_add_text(host, "app.lua", APP "app.script('s.lua', { params = {"
                         " host = require 'config'.host } })");
        tw_host_add_text(host, "s.lua",
            "local program, M = require 'program', {}"
            " function M:on_start() print(self.params.host, require 'config'.host,"
            "   require 'limit', program.table().host, program.length { 1, 2, 3 },"
            "   (pcall(program.length, { print })), (pcall(program.wrong))) end"
            " return M");
        ok(tw_host_load(host, "app.lua", &error) == TW_OK
           && tw_host_start(host, &error) == TW_OK, "it starts: %s", line(error.text));
        ok(end_host(host, &error) == TW_OK, "and ends: %s", line(error.text));
        tw_any_unref(&programs[i].table);
    }
    tw_draft_free(d);
    ok(has_said(&said[0], "0\t0\t0.5\t0\t3\tfalse\tfalse\n"), "the first host's: %s",
       line(said[0].text));
    ok(has_said(&said[1], "1\t1\t0.5\t1\t3\tfalse\tfalse\n"), "the second host's: %s",
       line(said[1].text));
    ok(tw_value_live() == 0 && tw_object_live() == 0, "nothing is left");
}

int main(void)
{
    test_draft();
    test_wrong_drafts();
    test_travel();
    test_modules();
    return tap_done();
}

/* lbook.c - tw.book: the books of prices that a script reads from the tape.
 *
 *     function M:on_book(book, symbol)
 *       local bid, size = book:bid(1)
 *     end
 *
 * Why each script has its own: a book is what the script has read so far, as everything
 * else is.  So it is the same in a replay, and no script waits for another.
 *
 * A book that the script has not seen from its beginning (it came later, or fell behind)
 * is not known; then the feed is asked, once, to tell all of its books again.
 */
#include "trade/lbook.h"

#include <stdio.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "run/instance.h"
#include "run/io.h"
#include "tape/ladder.h"

#define BOOK  "tw.book"
#define BOOKS "tw.books"     /* registry: book -> userdata, weak */

struct book {
    unsigned refs;           /* the script's, and its userdata's                      */
    uint32_t symbol;
    uint8_t source;
    bool known;              /* seen from its beginning                               */
    int64_t time;            /* of its last record                                    */
    uint64_t seq;
    struct book *next;       /* of the symbol, from another source                    */
    struct tw_ladder ladder;
};

struct ltw_books {
    struct book **of;        /* by symbol */
    size_t n;                /* that it has room for */
    bool asked[TW_SOURCE_MAX + 1];
};

static void unref(struct book *b)
{
    if (--b->refs > 0) return;
    tw_ladder_fini(&b->ladder);
    tw_free(b);
}

void ltw_books_free(struct ltw_books *b)
{
    if (!b) return;
    for (uint32_t i = 0; i < b->n; i++)
        for (struct book *each = b->of[i], *next; each; each = next) {
            next = each->next;
            each->next = NULL;
            unref(each);
        }
    tw_free(b->of);
    tw_free(b);
}

/* ---- what is read ---- */

static struct book *find(const struct ltw_books *b, uint32_t symbol, uint32_t source)
{
    struct book *each = b && symbol < b->n ? b->of[symbol] : NULL;

    while (each && each->source != source) each = each->next;
    return each;
}

/* A book that is not there yet; NULL: no memory. */
static struct book *make(struct ltw_books *b, uint32_t symbol, uint8_t source)
{
    struct book *made, **at;

    if (symbol >= b->n) {
        struct book **of = tw_extend(b->of, &b->n, symbol, sizeof *of);

        if (!of) return NULL;
        b->of = of;
    }
    made = tw_calloc(1, sizeof *made);
    if (!made) return NULL;
    *made = (struct book){ .refs = 1, .symbol = symbol, .source = source };
    for (at = &b->of[symbol]; *at; at = &(*at)->next) continue;
    *at = made;
    return made;
}

static void lose(struct book *b)
{
    b->known = false;
    tw_ladder_clear(&b->ladder);
}

/* Records that the script itself missed may have been of any book. */
static void take_gap(struct ltw_books *b, const struct tw_record *r)
{
    for (uint32_t i = 0; i < b->n; i++)
        for (struct book *each = b->of[i]; each; each = each->next)
            if ((r->source == 0 || r->source == each->source)
                && (r->symbol == 0 || r->symbol == each->symbol))
                lose(each);
}

static bool take_level(struct ltw_books *b, const struct ltw_host *host,
                       const struct tw_record *r)
{
    struct book *book = find(b, r->symbol, r->source);

    if (!book) book = make(b, r->symbol, r->source);
    if (!book) return false;
    if (r->level.change == TW_LEVEL_CLEAR) {
        book->known = true;
        b->asked[r->source] = false;
    }
    if (!book->known) {
        if (!b->asked[r->source] && host->io) tw_io_retell(host->io, r->source);
        b->asked[r->source] = true;
        return true;
    }
    book->time = r->time;
    book->seq = r->seq;
    if (tw_ladder_take(&book->ladder, &r->level) == TW_OK) return true;
    lose(book);
    return false;
}

bool ltw_books_take(struct ltw_books **b, const struct ltw_host *host,
                    const struct tw_record *r)
{
    if (!*b && r->kind == TW_GAP) return true;
    if (!*b) *b = tw_calloc(1, sizeof **b);
    if (!*b) return false;
    if (r->kind == TW_LEVEL) return take_level(*b, host, r);
    take_gap(*b, r);
    return true;
}

bool ltw_books_due(const struct ltw_books *b, const struct tw_record *r)
{
    struct book *book = r->level.last ? find(b, r->symbol, r->source) : NULL;

    return book && book->known;
}

/* ---- books in Lua ---- */

/* [-0, +1, m] */
static void push(lua_State *L, struct book *b)
{
    struct book **box;

    lua_getfield(L, LUA_REGISTRYINDEX, BOOKS);
    if (lua_rawgetp(L, -1, b) == LUA_TNIL) {
        lua_pop(L, 1);
        box = lua_newuserdatauv(L, sizeof *box, 0);
        *box = NULL;
        luaL_setmetatable(L, BOOK);
        *box = b;
        b->refs++;
        lua_pushvalue(L, -1);
        lua_rawsetp(L, -3, b);
    }
    lua_remove(L, -2);
}

void ltw_push_book_of(lua_State *L, const struct tw_record *r)
{
    const struct ltw_script *s = ltw_state(L)->script;
    struct book *b = s ? find(s->books, r->symbol, r->source) : NULL;

    if (b) push(L, b);
    else lua_pushnil(L);
}

/* [-0, +0, e] */
static struct book *check(lua_State *L)
{
    struct book **box = luaL_checkudata(L, 1, BOOK);

    luaL_argcheck(L, *box, 1, "the book was let go (by a finalizer's turn)");
    return *box;
}

static int book_gc(lua_State *L)
{
    struct book **box = luaL_checkudata(L, 1, BOOK);

    if (!ltw_is_finalizer(L)) return 0;
    if (*box) unref(*box);
    *box = NULL;
    return 0;
}

/* tw.book(symbol [, source]) -> book | nil
 * The book of prices that the script has read so far, from feeds that tell of levels:
 * app.feed.fix with a depth, recordings of it.  nil: nothing of it has come.  source: the
 * feed's name, where several have the symbol; else the one that was first.  It is kept up
 * to date for a script with on_book or on_level, and from the first call of tw.book on.
 * A book moves on as the script reads; book.known: it was seen from its beginning, and
 * nothing is missing.  book.bids and book.asks: how many levels there are; book.time and
 * book.seq: of its last change; book.symbol, book.source.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises outside a script.  Units: none. */
int ltw_book(lua_State *L)
{
    struct ltw_host *host = ltw_check_host(L, "tw.book");
    struct ltw_script *s = ltw_state(L)->script;
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);
    const char *source = luaL_optstring(L, 2, NULL);
    uint32_t symbol = tw_symbols_find(host->symbols, name, n);
    struct book *b;

    if (!s) return luaL_error(L, "tw.book: books are those of a script");
    if (!s->keeps_books && host->io && !s->books)   /* what came before was not read */
        for (unsigned i = 1; i <= tw_io_count(host->io); i++) tw_io_retell(host->io, i);
    s->keeps_books = true;
    b = s->books && symbol && symbol < s->books->n ? s->books->of[symbol] : NULL;
    while (b && source) {
        const char *from = tw_sources_name(&host->sources, b->source);

        if (from && strcmp(from, source) == 0) break;
        b = b->next;
    }
    if (b) push(L, b);
    else lua_pushnil(L);
    return 1;
}

/* [-0, +(1|2), e] */
static int push_place(lua_State *L, bool offer)
{
    const struct book *b = check(L);
    lua_Integer place = luaL_optinteger(L, 2, 1);
    const struct tw_rung *r = place < 1 || place > UINT32_MAX ? NULL
                              : tw_ladder_at(&b->ladder, offer, (uint32_t)place);

    if (!r) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushnumber(L, tw_fixed_to_double(r->price));
    lua_pushnumber(L, tw_fixed_to_double(r->size));
    return 2;
}

/* book:bid([place]) -> price, size | nil
 * A level of the bids, 1 (the default) is the best; nil: there are not so many.  A size
 * that the feed did not say is 0.
 * Yields: no.  Blocks: no.  Thread: the script's.  Errors: none.  Units: none. */
static int book_bid(lua_State *L)
{
    return push_place(L, false);
}

/* book:ask([place]) -> price, size | nil
 * Likewise of the offers.
 * Yields: no.  Blocks: no.  Thread: the script's.  Errors: none.  Units: none. */
static int book_ask(lua_State *L)
{
    return push_place(L, true);
}

/* book:size(side, price) -> number | nil
 * What is bid ("bid") or offered ("ask") at a price; nil: nothing.
 * Yields: no.  Blocks: no.  Thread: the script's.
 * Errors: raises for another side, and a price that has no room.  Units: none. */
static int book_size(lua_State *L)
{
    static const char *const sides[] = { "bid", "ask", NULL };
    const struct book *b = check(L);
    bool offer = luaL_checkoption(L, 2, NULL, sides) == 1;
    const struct tw_rung *r;
    int64_t price;

    luaL_argcheck(L, tw_fixed_from_double(luaL_checknumber(L, 3), &price) == TW_OK, 3,
                  "not a price");
    r = tw_ladder_find(&b->ladder, offer, price);
    if (r) lua_pushnumber(L, tw_fixed_to_double(r->size));
    else lua_pushnil(L);
    return 1;
}

enum field { BIDS = 1, ASKS, KNOWN, TIME, SEQ, SYMBOL, SOURCE };

static int book_index(lua_State *L)
{
    const struct book *b = check(L);
    const struct ltw_host *host = ltw_state(L)->host;

    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) == LUA_TFUNCTION) return 1;
    switch (lua_tointeger(L, -1)) {
    case BIDS:   lua_pushinteger(L, b->ladder.side[0].n); break;
    case ASKS:   lua_pushinteger(L, b->ladder.side[1].n); break;
    case KNOWN:  lua_pushboolean(L, b->known); break;
    case TIME:   lua_pushinteger(L, b->time); break;
    case SEQ:    lua_pushinteger(L, (lua_Integer)b->seq); break;
    case SYMBOL: lua_pushstring(L, tw_symbols_name(host->symbols, b->symbol)); break;
    case SOURCE: lua_pushstring(L, tw_sources_name(&host->sources, b->source)); break;
    default:
        return luaL_error(L, "a book has no field '%s'; there are bid(), ask(), size(),"
                          " bids, asks, known, symbol, source, time and seq",
                          luaL_tolstring(L, 2, NULL));
    }
    return 1;
}

static int book_newindex(lua_State *L)
{
    return luaL_error(L, "a book can't be changed (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

static void side_text(const struct tw_ladder *l, bool offer, char *out, size_t n)
{
    const struct tw_rung *r = tw_ladder_at(l, offer, 1);
    char price[TW_FIXED_TEXT], size[TW_FIXED_TEXT];

    if (!r) {
        snprintf(out, n, "none");
        return;
    }
    tw_fixed_format(r->price, price);
    tw_fixed_format(r->size, size);
    snprintf(out, n, "%s x %s", price, size);
}

/* "book AAPL 187.2 x 100 / 187.3 x 50, 5 and 4 levels". */
static int book_tostring(lua_State *L)
{
    const struct book *b = check(L);
    char bid[2 * TW_FIXED_TEXT + 8], ask[sizeof bid], text[200];

    side_text(&b->ladder, false, bid, sizeof bid);
    side_text(&b->ladder, true, ask, sizeof ask);
    snprintf(text, sizeof text, "book %s %s / %s, %u and %u levels%s",
             tw_symbols_name(ltw_state(L)->host->symbols, b->symbol), bid, ask,
             b->ladder.side[0].n, b->ladder.side[1].n, b->known ? "" : ", not known");
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg methods[] = {
    { "bid", book_bid },
    { "ask", book_ask },
    { "size", book_size },
    { NULL, NULL }
};

static const luaL_Reg meta[] = {
    { "__gc", book_gc },
    { "__newindex", book_newindex },
    { "__tostring", book_tostring },
    { NULL, NULL }
};

void ltw_book_open(lua_State *L)
{
    static const struct { const char *name; enum field field; } fields[] = {
        { "bids", BIDS }, { "asks", ASKS }, { "known", KNOWN }, { "time", TIME },
        { "seq", SEQ }, { "symbol", SYMBOL }, { "source", SOURCE },
    };

    luaL_newmetatable(L, BOOK);
    luaL_setfuncs(L, meta, 0);
    luaL_newlib(L, methods);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        ltw_set_integer(L, fields[i].name, fields[i].field);
    lua_pushcclosure(L, book_index, 1);
    lua_setfield(L, -2, "__index");
    ltw_set_flag(L, "__metatable", false);
    lua_pop(L, 1);
    ltw_push_weak(L, "v");
    lua_setfield(L, LUA_REGISTRYINDEX, BOOKS);
}

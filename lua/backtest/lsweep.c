/* lsweep.c - tw.internal.sweep: what a sweep needs beside its runs.
 *
 * Data that is no tape file is read once and put into one that all runs share.  It has no
 * name: it is open here, and runs find it by its descriptor, so that nothing stays behind
 * however the program ends.
 */
#include "backtest/lsweep.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "feed/extent.h"
#include "feed/fault.h"
#include "feed/gaps.h"
#include "backtest/ldata.h"
#include "lfield.h"
#include "backtest/lresult.h"
#include "lsha256.h"
#include "ltw.h"
#include "tape/reader.h"
#include "tape/writer.h"

#define PACK "tw.sweep.pack"
#define SHARED "tw.sweep.shared"

enum { PROBLEMS = 10, TEXT = 512, LOOK_EVERY = 1 << 16, AT_ONCE = 128, PATH = 4096 };

/* ---- tape files without a name ---- */

/* The descriptor is open as long as this is there. */
struct shared { int fd; };

static int shared_gc(lua_State *L)
{
    struct shared *s = luaL_checkudata(L, 1, SHARED);

    if (!ltw_is_finalizer(L)) return 0;
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    return 0;
}

/* [-0, +1, m] */
static struct shared *new_shared(lua_State *L)
{
    struct shared *s = lua_newuserdatauv(L, sizeof *s, 0);

    s->fd = -1;
    luaL_setmetatable(L, SHARED);
    return s;
}

/* Of a sweep over symbols each has a file, beside those that runs open. */
static void make_room(int fd)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0 || (rlim_t)fd < files.rlim_cur / 2) return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int cannot(struct tw_error *error)
{
    if (error->code == UV_ENOSPC)
        return tw_fail(error, UV_ENOSPC, "no space left in $TMPDIR, which has the data"
                       " while a sweep runs: let it name another folder");
    if (error->code != UV_EMFILE) return error->code;
    return tw_fail(error, UV_EMFILE, "too many open files: a sweep over symbols has one"
                   " for each (ulimit -n)");
}

/* Makes one of $TMPDIR that is written by *w. */
static int open_shared(struct shared *s, const struct tw_symbols *symbols,
                       const struct tw_sources *sources, struct tw_tape_writer **w,
                       struct tw_error *error)
{
    static atomic_uint number;        /* atomic: of several states */
    const struct tw_tape_writer_options o = { .symbols = symbols,
                                              .sources = sources };
    const char *directory = getenv("TMPDIR");
    char path[PATH];
    unsigned n;

    /* order [sweep.number] relaxed: it only has to be another one each time */
    n = atomic_fetch_add_explicit(&number, 1, memory_order_relaxed);
    if (!directory || !*directory) directory = "/tmp";
    snprintf(path, sizeof path, "%.4000s/tidewire-%ld-%u.tape", directory,
             (long)getpid(), n);
    *w = tw_tape_writer_open(path, &o, error);
    if (!*w) return cannot(error);
    s->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0) tw_fail(error, -errno, "cannot read %.300s: %s", path,
                           tw_strerror(-errno));
    unlink(path);
    if (s->fd < 0) return cannot(error);
    make_room(s->fd);
    return TW_OK;
}

/* ---- reading data into them ---- */

struct part { struct tw_tape_writer *writer; struct shared *shared; };

struct pack {
    struct tw_symbols *symbols;
    struct tw_sources sources;        /* named by the history                      */
    struct tw_history *history;
    struct tw_gaps *gaps;             /* NULL: nobody asks; nor for the next       */
    struct tw_mix *mix;
    int64_t from_ns, to_ns;           /* of records in which they are looked for   */
    struct tw_tape_file *file;        /* for range                                 */
    lua_State *L;
    int progress;                     /* where on the stack the function is, or 0  */
    bool skip_bad;
    unsigned problems, n;             /* n: of parts                               */
    char problem[PROBLEMS][TEXT];
    struct part part[AT_ONCE];
    uint32_t *part_of;                /* by symbol, 1 ..; NULL: all go into one    */
    uint32_t n_symbols;               /* of part_of                                */
};

static void close_pack(struct pack *p)
{
    struct tw_error error;

    for (unsigned i = 0; i < p->n; i++) tw_tape_writer_close(p->part[i].writer, &error);
    tw_history_free(p->history);
    tw_gaps_free(p->gaps);
    tw_mix_free(p->mix);
    tw_symbols_free(p->symbols);
    tw_tape_file_close(p->file);
    tw_free(p->part_of);
    p->n = 0;
    p->file = NULL;
    p->gaps = NULL;
    p->mix = NULL;
    p->history = NULL;
    p->symbols = NULL;
    p->part_of = NULL;
}

static int pack_gc(lua_State *L)
{
    if (ltw_is_finalizer(L)) close_pack(luaL_checkudata(L, 1, PACK));
    return 0;
}

/* [-0, +1, m] */
static struct pack *new_pack(lua_State *L)
{
    struct pack *p = lua_newuserdatauv(L, sizeof *p, 0);

    memset(p, 0, sizeof *p);
    luaL_setmetatable(L, PACK);
    p->L = L;
    return p;
}

static void keep_problem(struct pack *p, const char *text)
{
    if (p->problems < PROBLEMS) snprintf(p->problem[p->problems], TEXT, "%s", text);
    p->problems++;
}

static bool on_problem(void *ctx, const char *text)
{
    struct pack *p = ctx;

    if (p->skip_bad) keep_problem(p, text);
    return p->skip_bad;
}

static void on_note(void *ctx, const char *text)
{
    keep_problem(ctx, text);
}

/* [-0, +0, e]  progress(bytes done, of all) */
static void tell(struct pack *p)
{
    lua_State *L = p->L;

    if (!p->progress) return;
    lua_pushvalue(L, p->progress);
    lua_pushinteger(L, (lua_Integer)tw_history_done(p->history));
    lua_pushinteger(L, (lua_Integer)tw_history_bytes(p->history));
    lua_call(L, 2, 0);
}

/* A record of no symbol, a timer's mark, is for all. */
static int add(const struct pack *p, const struct tw_record *r, struct tw_error *error)
{
    int rc = TW_OK;

    if (p->part_of && r->symbol != 0) {
        uint32_t n = r->symbol < p->n_symbols ? p->part_of[r->symbol] : 0;

        return n ? tw_tape_writer_add(p->part[n - 1].writer, r, 1, error) : TW_OK;
    }
    for (unsigned i = 0; rc == TW_OK && i < p->n; i++)
        rc = tw_tape_writer_add(p->part[i].writer, r, 1, error);
    return rc;
}

/* What is missing, and what is mixed. */
static int look_at(struct pack *p, const struct tw_record *r)
{
    int64_t at_ns = tw_record_at(r);
    struct tw_place place;

    if (at_ns < p->from_ns || at_ns >= p->to_ns) return TW_OK;
    if (p->gaps) {
        place = tw_history_place(p->history);
        if (tw_gaps_look(p->gaps, r, &place) < 0) return UV_ENOMEM;
    }
    return p->mix ? tw_mix_look(p->mix, r) : TW_OK;
}

/* [-0, +0, e]  All records that runs up to end_ns may read, each into its part: behind
 * that may be a bar of the day before, see ltw_supply_find. */
static int pack_all(struct pack *p, int64_t end_ns, struct tw_error *error)
{
    const struct tw_record *r;
    uint64_t n = 0;

    error->code = TW_OK;
    while ((r = tw_history_peek(p->history, error))
           && (r->time < end_ns || r->time - end_ns < TW_DAY_NS / 2)) {
        struct tw_record plain = *r;

        plain.received = 0;
        if (add(p, &plain, error) < 0) return cannot(error);
        if (look_at(p, r) < 0) return tw_fail(error, UV_ENOMEM, "not enough memory");
        tw_history_take(p->history);
        if (++n % LOOK_EVERY == 0) tell(p);
    }
    for (unsigned i = 0; error->code == TW_OK && i < p->n; i++) {
        struct tw_tape_writer *w = p->part[i].writer;

        p->part[i].writer = NULL;
        tw_tape_writer_close(w, error);
    }
    return cannot(error);
}

/* [-0, +0, e]  A part for each of the names in the list at 2, or one of all. */
static int open_parts(lua_State *L, struct pack *p, int list, struct tw_error *error)
{
    lua_Integer n = lua_istable(L, 2) ? luaL_len(L, 2) : 1;

    luaL_argcheck(L, n <= AT_ONCE, 2, "too many symbols at once");
    for (lua_Integer i = 1; i <= n; i++) {
        struct part *part = &p->part[p->n];

        part->shared = new_shared(L);
        lua_rawseti(L, list, i);
        p->n++;
        if (open_shared(part->shared, p->symbols, &p->sources, &part->writer, error) < 0)
            return error->code;
        if (!lua_istable(L, 2)) return TW_OK;
    }
    return TW_OK;
}

/* [-0, +0, e]  Which symbol goes where. */
static int divide(lua_State *L, struct pack *p, struct tw_error *error)
{
    if (!lua_istable(L, 2)) return TW_OK;
    p->part_of = tw_calloc(AT_ONCE + 1, sizeof *p->part_of);
    if (!p->part_of) return tw_fail(error, UV_ENOMEM, "not enough memory");
    p->n_symbols = AT_ONCE + 1;
    for (unsigned i = 1; i <= p->n; i++) {
        size_t n;
        const char *name;
        int64_t id;

        lua_rawgeti(L, 2, i);
        name = luaL_checklstring(L, -1, &n);
        id = tw_symbols_intern(p->symbols, name, n);   /* 1, 2, ..: none is there yet */
        lua_pop(L, 1);
        if (id < 0) return tw_fail(error, (int)id, "symbol %.100s: %s", name,
                                   tw_strerror((int)id));
        p->part_of[id] = i;
    }
    return TW_OK;
}

/* [-0, +1, m]  What was wrong, and not the end of it. */
static void push_problems(lua_State *L, const struct pack *p)
{
    lua_newtable(L);
    for (unsigned i = 0; i < p->problems && i < PROBLEMS; i++) {
        lua_pushstring(L, p->problem[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    ltw_set_count(L, "n", p->problems);
}

/* [-0, +1, m]  A list of what is to be said of all of it. */
static void push_notes(lua_State *L, const struct pack *p)
{
    char gaps[TW_GAPS_TEXT], text[TW_MIX_TEXT];
    int n = 0;

    lua_newtable(L);
    if (p->gaps && tw_gaps_text(p->gaps, p->symbols, gaps)) {
        lua_pushfstring(L, "gaps: %s", gaps);
        lua_rawseti(L, -2, ++n);
    }
    if (p->mix && tw_mix_text(p->mix, p->symbols, text)) {
        lua_pushstring(L, text);
        lua_rawseti(L, -2, ++n);
    }
    if (p->mix && tw_mix_sides(p->mix, p->symbols, text)) {
        lua_pushstring(L, text);
        lua_rawseti(L, -2, ++n);
    }
}

/* [-0, +0, e]  The history of the options at 1. */
static void open_history(lua_State *L, struct pack *p)
{
    int64_t gaps_ns = ltw_integer_at(L, 1, "gaps", -1);
    struct tw_resolutions only;
    bool notes = ltw_boolean_at(L, 1, "notes");

    p->skip_bad = ltw_boolean_at(L, 1, "skip_bad");
    p->from_ns = ltw_integer_at(L, 1, "from", INT64_MIN);
    p->to_ns = ltw_integer_at(L, 1, "to", INT64_MAX);
    p->symbols = tw_symbols_new(TW_SYMBOL_MAX);
    if (p->symbols) p->history = tw_history_new(p->symbols, on_problem, on_note, p);
    if (!p->history || (notes && !(p->mix = tw_mix_new()))
        || (notes && gaps_ns >= 0 && !(p->gaps = tw_gaps_new(gaps_ns))))
        luaL_error(L, "not enough memory");
    tw_history_name_sources(p->history, &p->sources);
    ltw_read_resolutions(L, 1, &only);
    tw_history_only(p->history, &only);
}

/* pack(options, symbols | nil, progress | nil) -> list, problems, notes |
 * nil, message, code
 * options: data, skip_bad, resolution, and for notes = true gaps, from and to, as a
 * backtest has them.  A tape file of all, or one of each of the symbols, AT_ONCE at
 * most.  Blocks. */
static int pack(lua_State *L)
{
    struct tw_error error;
    struct pack *p;
    int list;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_newtable(L);
    list = lua_gettop(L);
    p = new_pack(L);
    p->progress = lua_isfunction(L, 3) ? 3 : 0;
    open_history(L, p);
    if (open_parts(L, p, list, &error) < 0 || divide(L, p, &error) < 0
        || ltw_add_data(L, 1, 0, p->history, &error) < 0
        || pack_all(p, INT64_MAX, &error) < 0)   /* windows need the end of the data */
        return ltw_fail_with(L, &error);
    lua_pushvalue(L, list);
    push_problems(L, p);
    push_notes(L, p);
    close_pack(p);
    return 3;
}

/* look(options, progress | nil) -> problems, notes | nil, message, code
 * Reads what runs may read up to `to`; of tape files what is at or after `since` (ns).
 * Blocks. */
static int look(lua_State *L)
{
    struct tw_error error;
    struct pack *p;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    p = new_pack(L);
    p->progress = lua_isfunction(L, 2) ? 2 : 0;
    open_history(L, p);
    if (ltw_add_data(L, 1, ltw_integer_at(L, 1, "since", 0), p->history, &error) < 0
        || pack_all(p, p->to_ns, &error) < 0)
        return ltw_fail_with(L, &error);
    push_problems(L, p);
    push_notes(L, p);
    close_pack(p);
    return 2;
}

/* path(box) -> text: where it is found as long as the box is there */
static int path_of(lua_State *L)
{
    struct shared *s = luaL_checkudata(L, 1, SHARED);

    if (s->fd < 0) return luaL_error(L, "the data is closed");
    lua_pushfstring(L, "/proc/self/fd/%d", s->fd);
    return 1;
}

/* Of its first records; info may have that of a bar of a day. */
static int64_t first_of(const struct pack *p, const struct tw_tape_info *info)
{
    struct tw_tape_reader *reader = tw_tape_reader_open(p->file, INT64_MIN, INT64_MAX,
                                                        &(struct tw_error){ 0 });
    struct tw_extent first = { .n = 0 };
    struct tw_tape_block block;

    if (reader && tw_tape_reader_next(reader, &block, &(struct tw_error){ 0 }) == 1)
        for (size_t i = 0; i < block.n; i++) tw_extent_add(&first, &block.r[i]);
    tw_tape_reader_close(reader);
    return first.n > 0 && first.first_ns < info->first_ns ? first.first_ns
           : info->first_ns;
}

/* range(path [, bytes]) -> {records, first, last, symbols, [cut, whole]} | nil, message,
 * code: of a tape file, or of its first bytes; cut: what is to be said of one that was
 * not closed, whole: how many of its bytes are. */
static int range(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    uint64_t bytes = (uint64_t)luaL_optinteger(L, 2, 0);
    struct pack *p = new_pack(L);
    const struct tw_tape_info *info;
    struct tw_error error;
    char cut[300];

    p->file = tw_tape_file_open_part(path, bytes, TW_TAPE_TOLERANT, &error);
    if (!p->file) return ltw_fail_with(L, &error);
    info = tw_tape_file_info(p->file);
    lua_newtable(L);
    ltw_set_count(L, "records", info->records);
    ltw_set_integer(L, "first", first_of(p, info));
    ltw_set_integer(L, "last", info->last_ns);
    if (!info->closed) {
        tw_tape_cut_text(info, cut, sizeof cut);
        ltw_set_text(L, "cut", cut);
        ltw_set_count(L, "whole", info->whole);
    }
    lua_newtable(L);
    for (uint32_t id = 1, n = 0; id <= tw_tape_file_names(p->file, TW_TAPE_SYMBOL);
         id++) {
        const char *name = tw_tape_file_name(p->file, TW_TAPE_SYMBOL, id).text;

        if (!name) continue;
        lua_pushstring(L, name);
        lua_rawseti(L, -2, (lua_Integer)++n);
    }
    lua_setfield(L, -2, "symbols");
    close_pack(p);
    return 1;
}

/* Is there one that runs are made of?  Marks of timers, gaps and messages alone are no
 * market. */
static bool has_market(const struct tw_tape_block *b, const struct tw_resolutions *only)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct tw_record *r = &b->r[i];

        if (r->kind != TW_TIMER && r->kind != TW_GAP && r->kind != TW_MESSAGE
            && !tw_record_fault(r) && tw_resolutions_have(only, r)) return true;
    }
    return false;
}

/* 1, 0: the file has none of from_ns <= tw_record_at < to_ns; UV_ENOMEM.  What is damaged
 * has none. */
static int has_records(const struct tw_tape_file *file, int64_t from_ns, int64_t to_ns,
                       const struct tw_resolutions *only, struct tw_error *error)
{
    struct tw_tape_reader *reader;
    struct tw_tape_block block;
    int rc = 0;

    if (from_ns > tw_tape_file_info(file)->last_ns) return 0;
    reader = tw_tape_reader_open(file, from_ns, to_ns, error);
    if (!reader) return error->code;
    do rc = tw_tape_reader_next(reader, &block, error);
    while (rc == TW_EFORMAT || (rc == 1 && !has_market(&block, only)));
    tw_tape_reader_close(reader);
    return rc;
}

/* mark(options, spans) -> true | nil, message, code
 * options: of a tape file path, bytes, resolution.  spans: {from, to} each; those in
 * which it has a record of the market get found = true.  Blocks. */
static int mark(lua_State *L)
{
    struct tw_resolutions only;
    struct tw_error error;
    struct pack *p;
    lua_Integer n;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    n = luaL_len(L, 2);
    p = new_pack(L);
    ltw_read_resolutions(L, 1, &only);
    lua_getfield(L, 1, "path");
    p->file = tw_tape_file_open_part(luaL_checkstring(L, -1),
        (uint64_t)ltw_integer_at(L, 1, "bytes", 0), TW_TAPE_TOLERANT, &error);
    if (!p->file) return ltw_fail_with(L, &error);
    for (lua_Integer i = 1; i <= n; i++, lua_pop(L, 1)) {
        int rc;

        lua_geti(L, 2, i);
        if (ltw_boolean_at(L, -1, "found")) continue;
        rc = has_records(p->file, ltw_integer_at(L, -1, "from", INT64_MIN),
                         ltw_integer_at(L, -1, "to", INT64_MAX), &only, &error);
        if (rc < 0) return ltw_fail_with(L, &error);
        ltw_set_flag(L, "found", rc);
    }
    close_pack(p);
    lua_pushboolean(L, true);
    return 1;
}

/* ---- signals ---- */

static atomic_int caught;   /* atomic: a signal handler sets it, on any thread */

static void on_signal(int number)
{
    /* order [sweep.caught] relaxed: it is all that the handler says */
    atomic_store_explicit(&caught, number, memory_order_relaxed);
    signal(SIGINT, SIG_DFL);
}

/* catch(): SIGINT or SIGTERM only makes caught() its number; SIGINT after either ends the
 * process. */
static int catch_signals(lua_State *L)
{
    struct sigaction action = { .sa_handler = on_signal,
                                .sa_flags = SA_RESTART };

    (void)L;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return 0;
}

/* caught() -> number | nil */
static int get_caught(lua_State *L)
{
    /* order [sweep.caught] relaxed: see on_signal */
    int number = atomic_load_explicit(&caught, memory_order_relaxed);

    if (number == 0) return 0;
    lua_pushinteger(L, number);
    return 1;
}

static const luaL_Reg internal[] = {
    { "sha256", ltw_sha256 },
    { "sha256_of_file", ltw_sha256_of_file },
    { "pack", pack },
    { "look", look },
    { "path", path_of },
    { "range", range },
    { "mark", mark },
    { "figures", ltw_figures },
    { "catch", catch_signals },
    { "caught", get_caught },
    { NULL, NULL }
};

int luaopen_tw_internal_sweep(lua_State *L)
{
    ltw_push_type(L, PACK, pack_gc);
    ltw_push_type(L, SHARED, shared_gc);
    luaL_newlib(L, internal);
    ltw_set_integer(L, "AT_ONCE", AT_ONCE);
    return 1;
}

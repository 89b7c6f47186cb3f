/* lquery.c - tw.internal.query: declared statistics over a file at once.
 *
 * Why no tape: nobody else reads these records, so the codec's batches are rows of the
 * plan as they come, and a record costs its parsing and its statistics.
 */
#include "stat/lquery.h"

#include <stdio.h>
#include <string.h>

#include "run/app.h"
#include "base/clock.h"
#include "feed/fix.h"
#include "feed/merge.h"
#include "feed/scan.h"
#include "trade/instruments.h"
#include "stat/ltracked.h"

#define READING "tw.query.reading"

enum { PROBLEMS = 10, PROBLEM_BYTES = 300 };

/* A full userdata, so that an error leaves nothing open. */
struct reading {
    struct tw_scan scan;
    struct tw_codec *codec;
    struct tw_plan *plan;         /* the tracker's                         */
    unsigned kinds;               /* of records that it reads              */
    bool one_sided;               /* quotes without a side are for it, too */
    uint64_t records;
    int failed;                   /* what the plan said; 0: all is well    */
    unsigned problems;            /* that are kept: the first ones         */
    char problem[PROBLEMS][PROBLEM_BYTES];
    struct tw_batch batch;
};

static void close_reading(struct reading *r)
{
    if (r->codec) r->codec->ops->free(r->codec);
    r->codec = NULL;
    tw_scan_close(&r->scan);
}

static int reading_gc(lua_State *L)
{
    if (ltw_is_finalizer(L)) close_reading(luaL_checkudata(L, 1, READING));
    return 0;
}

static void on_problem(void *ctx, const char *text)
{
    struct reading *r = ctx;

    if (r->problems == PROBLEMS) return;
    snprintf(r->problem[r->problems++], PROBLEM_BYTES, "%s", text);
}

/* ---- records to rows ---- */

/* Is it for the plan?  As a script without a filter would say. */
static bool wants(unsigned kinds, bool one_sided, const struct tw_record *record)
{
    if (!(kinds & 1u << record->kind)) return false;
    return record->kind != TW_QUOTE || one_sided
        || ((record->quote.bid | record->quote.bid_size) != 0
            && (record->quote.ask | record->quote.ask_size) != 0);
}

/* The `full` of the batch. */
static void feed(struct tw_batch *batch)
{
    struct reading *r = batch->owner;
    unsigned room, n = 0;
    struct tw_record *row = tw_plan_rows(r->plan, &room);

    for (unsigned i = 0; i < batch->n; i++) {
        batch->r[i].seq = ++r->records;
        if (!wants(r->kinds, r->one_sided, &batch->r[i])) continue;
        row[n++] = batch->r[i];
        if (n < room) continue;
        tw_plan_add(r->plan, n);
        if (r->failed == 0) r->failed = tw_plan_run(r->plan);
        row = tw_plan_rows(r->plan, &room);
        n = 0;
    }
    tw_plan_add(r->plan, n);
    batch->n = 0;
}

static int end_reading(struct reading *r, struct tw_error *error)
{
    if (r->failed == 0) r->failed = tw_plan_run(r->plan);
    if (r->failed == TW_ELIMIT)
        tw_fail(error, TW_ELIMIT, "a statistic by %s has more than %d keys",
                tw_plan_too_many(r->plan), TW_KEYS_MAX);
    return r->failed;
}

/* Reads the file to its end.  A failure is in *error. */
static int read_all(struct reading *r, struct tw_error *error)
{
    int rc = 1;

    r->batch.owner = r;
    r->batch.full = feed;
    while (rc > 0 && r->failed == 0)
        rc = tw_scan_step(&r->scan, r->codec, tw_clock_now_ns(), &r->batch, error);
    if (rc < 0) return rc;
    feed(&r->batch);
    return end_reading(r, error);
}

/* The same of a tape file. */
static int read_tape_file(struct reading *r, const char *path,
                          struct tw_symbols *symbols, struct tw_error *error)
{
    struct tw_merge_input input = { .path = path, .starts_ns = INT64_MIN };
    struct tw_merge *m = tw_merge_open(&(struct tw_merge_options){
        .inputs = &input, .n = 1, .symbols = symbols, .from_ns = INT64_MIN,
        .to_ns = INT64_MAX, .problem = on_problem, .problem_ctx = r }, error);
    struct tw_record *record;
    const char *value;
    size_t n;
    int rc;

    if (!m) return error->code;
    r->batch.owner = r;
    r->batch.full = feed;
    while ((rc = tw_merge_next(m, &record, &value, &n, error)) == 1 && r->failed == 0)
        *tw_batch_next(&r->batch) = *record;
    tw_merge_close(m);
    if (rc < 0) return rc;
    feed(&r->batch);
    return end_reading(r, error);
}

/* ---- what the file is ---- */

/* [-0, +0, m]  The field of the table on top, whose text lives as long as it does. */
static const char *text(lua_State *L, const char *name)
{
    const char *s;

    lua_getfield(L, -1, name);
    s = lua_tostring(L, -1);
    lua_pop(L, 1);
    return s;
}

/* [-0, +0, e]  Makes the codec; the options are on top. */
static int open_codec(lua_State *L, struct reading *r, struct tw_symbols *symbols,
                      const char *path, struct tw_error *error)
{
    const char *format = text(L, "format");

    if (format ? strcmp(format, "csv") == 0 : tw_scan_is_csv(&r->scan, path)) {
        struct tw_csv_options o;
        struct tw_lean lean;
        char name[TW_NAME_MAX + 1];

        if (ltw_csv_options(L, &o, &lean, error) < 0) return error->code;
        if (tw_scan_lacks_symbol(&r->scan, &o)) o.symbol = tw_scan_symbol(path, name);
        o.symbols = symbols;
        o.source = 1;
        o.problem = on_problem;
        o.problem_ctx = r;
        r->codec = tw_csv_decoder_new(&o, error);
        return r->codec ? TW_OK : error->code;
    }
    r->codec = tw_fix_decoder_new(&(struct tw_fix_options){
        .symbols = symbols, .source = 1, .is_log = true,
        .problem = on_problem, .problem_ctx = r,
    });
    return r->codec ? TW_OK : tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
}

/* ---- for Lua ---- */

/* [-0, +1, m]  What was read: counts, and the first problems as a list of texts. */
static void push_report(lua_State *L, const struct reading *r, int64_t took_ns)
{
    static const struct tw_codec_stats none;   /* of a tape file */
    const struct tw_codec_stats *s = r->codec ? &r->codec->stats : &none;

    lua_createtable(L, 0, 10);
    ltw_set_count(L, "bytes", s->bytes);
    ltw_set_count(L, "messages", s->messages);
    ltw_set_count(L, "records", r->records);
    ltw_set_count(L, "ignored", s->ignored);
    ltw_set_count(L, "errors", s->errors);
    ltw_set_count(L, "skips", s->skips);
    ltw_set_count(L, "skipped", s->skipped);
    ltw_set_number(L, "seconds", (double)took_ns / 1e9);
    lua_createtable(L, (int)r->problems, 0);
    for (unsigned i = 0; i < r->problems; i++) {
        lua_pushstring(L, r->problem[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "problems");
}

/* read(path, declarations, options) -> views, report | nil, message, code
 * options: those of stat.read, checked, with the path; instruments and attributes are
 * as stdlib/app.lua declares them. */
static int read_file(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int64_t began = tw_clock_steady_ns();
    struct ltw_tracker *t;
    struct tw_error error;
    struct reading *r;
    int rc;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    t = ltw_push_file_tracker(L);
    lua_pushvalue(L, 3);
    if (ltw_add_instruments(L, t->symbols, &error) < 0)
        return luaL_error(L, "%s", error.text);
    lua_settop(L, 4);
    ltw_track(L, 2, 4);
    r = lua_newuserdatauv(L, sizeof *r, 0);
    memset(r, 0, offsetof(struct reading, batch.r));
    luaL_setmetatable(L, READING);
    r->plan = t->plan;
    r->kinds = tw_plan_kinds(t->plan);
    lua_getfield(L, 3, "one_sided");
    r->one_sided = lua_toboolean(L, -1);
    lua_pushvalue(L, 3);
    if (tw_tape_file_is(path)) {
        rc = read_tape_file(r, path, t->symbols, &error);
    } else {
        rc = tw_scan_open(&r->scan, path, text(L, "member"), &error);
        if (rc >= 0 && open_codec(L, r, t->symbols, path, &error) < 0) {
            close_reading(r);
            return luaL_error(L, "%s", error.text);
        }
        if (rc >= 0) rc = read_all(r, &error);
    }
    if (r->failed == UV_ENOMEM) return luaL_error(L, "not enough memory");
    if (rc < 0) {
        close_reading(r);
        return ltw_fail_with(L, &error);
    }
    lua_pushvalue(L, 5);
    push_report(L, r, tw_clock_steady_ns() - began);
    close_reading(r);
    return 2;
}

/* Feeds what the tape holds up to `end`; how many records there were of the kinds. */
static int feed_tape(struct tw_plan *plan, struct tw_cursor *c, uint64_t end,
                     uint64_t *records)
{
    unsigned kinds = tw_plan_kinds(plan), room, n;
    int rc = TW_OK;

    while (rc >= 0 && c->next < end) {
        struct tw_record *row = tw_plan_rows(plan, &room), other;
        unsigned kept = 0;

        if (room > end - c->next) room = (unsigned)(end - c->next);
        n = tw_cursor_take(c, kinds, row, room);
        for (unsigned i = 0; i < n; i++)
            if (wants(kinds, false, &row[i])) row[kept++] = row[i];
        *records += kept;
        if (!tw_plan_add(plan, kept)) rc = tw_plan_run(plan);
        if (n == 0 && !tw_cursor_next(c, &other)) break;   /* another kind, or a gap */
    }
    return rc < 0 ? rc : tw_plan_run(plan);
}

/* tape(declarations) -> views, records */
static int read_tape(lua_State *L)
{
    struct tw_tape *tape = ltw_check_host(L, "tape:stat")->tape;
    uint64_t head, capacity = tw_tape_capacity(tape), records = 0;
    struct ltw_tracker *t;
    struct tw_cursor c;
    int rc;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    t = ltw_push_tape_tracker(L);
    ltw_track(L, 1, 2);
    do {
        head = tw_tape_head(tape);
        rc = tw_cursor_open(&c, tape, false, head > capacity ? head - capacity : 1);
    } while (rc == TW_EEXPIRED);   /* a writer was faster */
    if (rc < 0) return luaL_error(L, "tape:stat: %s", tw_strerror(rc));
    rc = feed_tape(t->plan, &c, head, &records);
    tw_cursor_close(&c);
    if (rc == TW_ELIMIT)
        return luaL_error(L, "a statistic by %s has more than %d keys",
                          tw_plan_too_many(t->plan), TW_KEYS_MAX);
    if (rc < 0) return luaL_error(L, "not enough memory");
    lua_pushinteger(L, (lua_Integer)records);
    return 2;
}

/* by(view) -> list, integer
 * What a statistic is by, {"symbol", "value"} where the second is an expression; the
 * integer is the same for those of a file that are by the same. */
static int by(lua_State *L)
{
    const struct tw_keys *keys = ltw_tracked_keys(ltw_check_tracked(L));

    lua_newtable(L);
    for (unsigned i = 0; i < tw_keys_parts(keys); i++) {
        lua_pushstring(L, tw_keys_part(keys, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushinteger(L, (lua_Integer)(intptr_t)keys);
    return 2;
}

static const luaL_Reg internal[] = {
    { "read", read_file },
    { "tape", read_tape },
    { "by", by },
    { NULL, NULL }
};

int luaopen_tw_internal_query(lua_State *L)
{
    ltw_push_type(L, READING, reading_gc);
    luaL_newlib(L, internal);
    return 1;
}

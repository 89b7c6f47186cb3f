/* ltapes.c - tw.internal.tapes: tape files, made of others, and looked into.
 *
 * What reads and writes is in a userdata, so that an error of Lua leaves nothing open.
 */
#include "tape/ltapes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run/app.h"
#include "base/clock.h"
#include "base/memory.h"
#include "feed/extent.h"
#include "feed/gaps.h"
#include "feed/merge.h"
#include "feed/resolution.h"
#include "backtest/ldata.h"
#include "lfield.h"
#include "tape/lrecord.h"
#include "tape/recording.h"
#include "tape/writer.h"

#define WORK "tw.tapes.work"

enum { PROBLEMS = 10, PROBLEM_BYTES = 500 };

struct work {
    struct tw_merge *merge;
    struct tw_tape_writer *writer;
    struct tw_gaps *gaps;             /* NULL: nobody asks                   */
    struct tw_mix *mix;
    struct tw_resolutions only;
    uint64_t kept, market;            /* records of these                    */
    struct tw_tape_file *file;
    struct tw_tape_reader *reader;
    const char **scripts;
    struct ltw_host *host;            /* for the text of records             */
    unsigned problems;                /* that are kept: the first ones       */
    char problem[PROBLEMS][PROBLEM_BYTES];
};

static int work_gc(lua_State *L)
{
    struct work *w = luaL_checkudata(L, 1, WORK);

    if (!ltw_is_finalizer(L)) return 0;
    tw_tape_writer_abandon(w->writer);
    tw_merge_close(w->merge);
    tw_gaps_free(w->gaps);
    tw_mix_free(w->mix);
    tw_tape_reader_close(w->reader);
    tw_tape_file_close(w->file);
    tw_free(w->scripts);
    tw_free(w->host);
    memset(w, 0, offsetof(struct work, problems));
    return 0;
}

static struct work *new_work(lua_State *L)
{
    struct work *w = lua_newuserdatauv(L, sizeof *w, 0);

    memset(w, 0, sizeof *w);
    luaL_setmetatable(L, WORK);
    return w;
}

static void on_problem(void *ctx, const char *text)
{
    struct work *w = ctx;

    if (w->problems == PROBLEMS) return;
    snprintf(w->problem[w->problems++], PROBLEM_BYTES, "%s", text);
}

/* ---- converting ---- */

/* [-0, +0, e]  The input on top. */
static void read_input(lua_State *L, struct tw_merge_input *in, struct tw_lean *lean)
{
    const char *format = ltw_text_at(L, -1, "format");
    struct tw_error error;

    *in = (struct tw_merge_input){
        .path = ltw_text_at(L, -1, "path"), .member = ltw_text_at(L, -1, "member"),
        .source = ltw_text_at(L, -1, "source"),
        .fix = format && strcmp(format, "fix") == 0, .starts_ns = INT64_MIN,
    };
    if (!in->path) luaL_error(L, "convert: no path");
    if (ltw_csv_options(L, &in->csv, lean, &error) < 0) luaL_error(L, "%s", error.text);
    if (in->csv.preset == lean->preset && lean->base_ns)
        in->starts_ns = lean->base_ns;
}

/* [-0, +1, e]  The list at 1, in memory that is pushed. */
static struct tw_merge_input *read_inputs(lua_State *L, size_t *n)
{
    struct tw_merge_input *inputs;
    struct tw_lean *leans;

    *n = lua_rawlen(L, 1);
    inputs = lua_newuserdatauv(L, *n * (sizeof *inputs + sizeof *leans) + 1, 0);
    leans = (struct tw_lean *)(inputs + *n);
    memset(leans, 0, *n * sizeof *leans);
    for (size_t i = 0; i < *n; i++, lua_pop(L, 1)) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_checktype(L, -1, LUA_TTABLE);
        read_input(L, &inputs[i], &leans[i]);
    }
    return inputs;
}

/* Scripts by number; all tape files are open, so there will be no others. */
static int name_scripts(struct work *w, struct tw_tape_writer_options *o)
{
    const struct tw_names *names = tw_merge_names(w->merge)->scripts;

    o->n_scripts = tw_names_count(names);
    w->scripts = tw_calloc(o->n_scripts + 1u, sizeof *w->scripts);
    for (uint32_t i = 1; w->scripts && i <= o->n_scripts; i++)
        w->scripts[i] = tw_names_get(names, i);
    o->scripts = w->scripts;
    return w->scripts ? TW_OK : UV_ENOMEM;
}

static bool is_market(const struct tw_record *r)
{
    return r->kind == TW_QUOTE || r->kind == TW_TRADE || r->kind == TW_BAR
        || r->kind == TW_LEVEL;
}

/* What is left out leaves no hole in the numbers. */
static bool is_wanted(struct work *w, struct tw_record *r)
{
    if (!tw_resolutions_have(&w->only, r)) return false;
    w->market += is_market(r);
    r->seq = ++w->kept;
    return true;
}

/* All records, to the end of the file. */
static int convert_all(struct work *w, struct tw_error *error)
{
    struct tw_record *r;
    const char *value;
    size_t n;
    int rc;

    while ((rc = tw_merge_next(w->merge, &r, &value, &n, error)) == 1) {
        if (!is_wanted(w, r)) continue;
        rc = value ? tw_tape_writer_add_message(w->writer, r, value, n, error)
                   : tw_tape_writer_add(w->writer, r, 1, error);
        if (rc < 0) return rc;
        if (w->gaps && tw_gaps_look(w->gaps, r, tw_merge_place(w->merge)) < 0)
            return tw_fail(error, UV_ENOMEM, "no memory for gaps");
        if (tw_mix_look(w->mix, r) < 0)
            return tw_fail(error, UV_ENOMEM, "no memory for resolutions");
    }
    return rc;
}

/* Nothing is left: of those that were asked for there is no record. */
static bool is_empty(const struct work *w)
{
    return w->kept == 0 || (w->only.n > 0 && w->market == 0);
}

/* [-0, +1, m] */
static int push_report(lua_State *L, const struct work *w, uint64_t bytes,
                       int64_t took_ns)
{
    struct tw_merge_stats stats = tw_merge_stats(w->merge);
    char gaps[TW_GAPS_TEXT], mix[TW_MIX_TEXT];

    lua_createtable(L, 0, 8);
    if (tw_mix_text(w->mix, tw_merge_names(w->merge)->symbols, mix))
        ltw_set_text(L, "mix", mix);
    if (w->gaps && tw_gaps_text(w->gaps, tw_merge_names(w->merge)->symbols, gaps)) {
        ltw_set_text(L, "gaps", gaps);
    }
    ltw_set_count(L, "records", is_empty(w) ? 0 : w->kept);
    ltw_set_count(L, "backwards", stats.backwards);
    ltw_set_count(L, "failures", stats.problems);
    ltw_set_count(L, "bytes", bytes);
    ltw_set_number(L, "seconds", (double)took_ns / 1e9);
    lua_createtable(L, (int)w->problems, 0);
    for (unsigned i = 0; i < w->problems; i++) {
        lua_pushstring(L, w->problem[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "problems");
    return 1;
}

/* convert(inputs, path, options) -> report | nil, message, code
 * inputs: {path =, source =, format =, and what app.feed.csv takes} each; options: zstd,
 * from, to, skip_damaged, gaps (ns; none: they are not looked for), resolution (seconds
 * of bars, 0 for ticks; none: all).  Without a record no file is made. */
static int convert(lua_State *L)
{
    const char *path = luaL_checkstring(L, 2);
    int64_t began = tw_clock_steady_ns();
    struct tw_tape_writer_options to = { .created_ns = tw_clock_now_ns(), .whole = true };
    struct tw_merge_options o = { .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    struct tw_tape_written written;
    struct tw_error error;
    struct work *w;
    int rc;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_settop(L, 3);
    w = new_work(L);
    o.inputs = read_inputs(L, &o.n);
    lua_pushvalue(L, 3);
    o.skip = ltw_get_flag(L, "skip_damaged");
    if (ltw_integer_at(L, -1, "gaps", -1) >= 0
        && !(w->gaps = tw_gaps_new(ltw_integer_at(L, -1, "gaps", 0))))
        return luaL_error(L, "not enough memory");
    if (!(w->mix = tw_mix_new())) return luaL_error(L, "not enough memory");
    ltw_read_resolutions(L, lua_gettop(L), &w->only);
    o.only = w->only;
    to.zstd = ltw_get_flag(L, "zstd");
    if (ltw_time_option(L, "from", &o.from_ns, &error) < 0
        || ltw_time_option(L, "to", &o.to_ns, &error) < 0)
        return luaL_error(L, "%s", error.text);
    o.problem = on_problem;
    o.problem_ctx = w;
    w->merge = tw_merge_open(&o, &error);
    if (!w->merge) return ltw_fail_with(L, &error);
    to.symbols = tw_merge_names(w->merge)->symbols;
    to.topics = tw_merge_names(w->merge)->topics;
    to.sources = &tw_merge_names(w->merge)->sources;
    to.dictionary = tw_merge_dictionary;
    to.dictionary_ctx = w->merge;
    if (name_scripts(w, &to) < 0) return luaL_error(L, "not enough memory");
    w->writer = tw_tape_writer_open(path, &to, &error);
    if (!w->writer) return ltw_fail_with(L, &error);
    rc = convert_all(w, &error);
    if (rc == TW_OK) rc = tw_tape_writer_flush(w->writer, &error);
    written = tw_tape_writer_written(w->writer);
    if (rc == TW_OK && !is_empty(w)) {
        rc = tw_tape_writer_close(w->writer, &error);
        w->writer = NULL;
    }
    if (rc < 0) return ltw_fail_with(L, &error);
    return push_report(L, w, written.bytes, tw_clock_steady_ns() - began);
}

/* extent(inputs) -> text, text | nil: from when to when the records are, of inputs as
 * above, and of which resolutions */
static int extent(lua_State *L)
{
    struct tw_merge_options o = { .from_ns = INT64_MIN, .to_ns = INT64_MAX };
    struct tw_extent all = { .n = 0 };
    char text[TW_EXTENT_TEXT], kinds[TW_MIX_TEXT];
    struct tw_error error;
    struct tw_record *r;
    const char *value;
    struct work *w;
    size_t n;

    luaL_checktype(L, 1, LUA_TTABLE);
    w = new_work(L);
    if (!(w->mix = tw_mix_new())) return luaL_error(L, "not enough memory");
    o.inputs = read_inputs(L, &o.n);
    w->merge = tw_merge_open(&o, &error);
    while (w->merge && tw_merge_next(w->merge, &r, &value, &n, &error) == 1) {
        tw_extent_add(&all, r);
        tw_mix_look(w->mix, r);
    }
    if (all.n == 0) return 0;
    lua_pushstring(L, tw_extent_text(&all, text));
    lua_pushstring(L, tw_mix_all(w->mix, kinds) ? kinds : NULL);
    return 2;
}

/* ---- looking ---- */

/* [-0, +1, m]  How many records there are of each kind, by its name. */
static void push_kinds(lua_State *L, const uint64_t kinds[16])
{
    char name[24];

    lua_newtable(L);
    for (int i = 0; i < 16; i++) {
        if (kinds[i] == 0) continue;
        snprintf(name, sizeof name, "kind %d", i);
        ltw_set_count(L, i > 0 && i < TW_KINDS ? tw_kind_name((enum tw_kind)i) : name,
                      kinds[i]);
    }
}

/* [-0, +1, m]  The names of a type, by number as the file has them. */
static void push_file_names(lua_State *L, const struct tw_tape_file *f,
                            enum tw_tape_name_type type)
{
    lua_Integer n = 0;

    lua_newtable(L);
    for (uint32_t id = 1; id <= tw_tape_file_names(f, type); id++) {
        const char *name = tw_tape_file_name(f, type, id).text;

        if (!name) continue;
        lua_pushstring(L, name);
        lua_rawseti(L, -2, ++n);
    }
}

/* [-0, +1, m] */
static void push_info(lua_State *L, const struct tw_tape_file *f)
{
    static const struct { const char *name; enum tw_tape_name_type type; } lists[] = {
        { "symbols", TW_TAPE_SYMBOL }, { "sources", TW_TAPE_SOURCE },
        { "topics", TW_TAPE_TOPIC }, { "scripts", TW_TAPE_SCRIPT },
    };
    const struct tw_tape_info *info = tw_tape_file_info(f);

    lua_newtable(L);
    ltw_set_count(L, "bytes", info->bytes);
    ltw_set_count(L, "records", info->records);
    ltw_set_count(L, "blocks", info->blocks);
    ltw_set_count(L, "packed", info->packed);
    ltw_set_count(L, "holes", info->holes);
    ltw_set_count(L, "first_seq", info->first_seq);
    ltw_set_count(L, "last_seq", info->last_seq);
    ltw_set_count(L, "created", (uint64_t)info->created_ns);
    ltw_set_count(L, "first_time", (uint64_t)info->first_ns);
    ltw_set_count(L, "last_time", (uint64_t)info->last_ns);
    ltw_set_count(L, "cut_bytes", info->cut_bytes);
    ltw_set_count(L, "cut_records", info->cut_records);
    ltw_set_flag(L, "closed", info->closed);
    ltw_set_flag(L, "flipped", info->flipped);
    ltw_set_text(L, "note", info->note);
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        push_file_names(L, f, lists[i].type);
        lua_setfield(L, -2, lists[i].name);
    }
}

/* range(path) -> first, last | nil: the times of its records, by what its index says */
static int range(lua_State *L)
{
    struct work *w = new_work(L);
    struct tw_error error;
    const struct tw_tape_info *info;

    w->file = tw_tape_file_open(luaL_checkstring(L, 1), TW_TAPE_TOLERANT, &error);
    if (!w->file || !(info = tw_tape_file_info(w->file))->records) return 0;
    lua_pushinteger(L, info->first_ns);
    lua_pushinteger(L, info->last_ns);
    return 2;
}

/* check(path) -> info | nil, message, code
 * Reads every block.  info: what the heads say, kinds, readable (records), damaged (how
 * many blocks of records) and problems: what is damaged, one line each. */
static int check(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct work *w = new_work(L);
    uint64_t kinds[16] = { 0 }, readable = 0, damaged = 0;
    struct tw_tape_block b;
    struct tw_error error;
    int rc;

    w->file = tw_tape_file_open(path, TW_TAPE_TOLERANT, &error);
    if (!w->file) return ltw_fail_with(L, &error);
    if (error.code < 0) on_problem(w, error.text);
    w->reader = tw_tape_reader_open(w->file, INT64_MIN, INT64_MAX, &error);
    if (!w->reader) return ltw_fail_with(L, &error);
    while ((rc = tw_tape_reader_next(w->reader, &b, &error)) != 0) {
        if (rc < 0 && rc != TW_EFORMAT) return ltw_fail_with(L, &error);
        if (rc < 0) {
            damaged++;
            on_problem(w, error.text);
            continue;
        }
        for (size_t i = 0; i < b.n; i++) kinds[b.r[i].kind]++;
        readable += b.n;
    }
    push_info(L, w->file);
    push_kinds(L, kinds);
    lua_setfield(L, -2, "kinds");
    ltw_set_count(L, "readable", readable);
    ltw_set_count(L, "damaged", damaged);
    lua_createtable(L, (int)w->problems, 0);
    for (unsigned i = 0; i < w->problems; i++) {
        lua_pushstring(L, w->problem[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "problems");
    return 1;
}

/* A file may have kinds that are not known here. */
static void text_of(const struct ltw_host *host, const struct tw_record *r, char *out,
                    size_t n)
{
    if (r->kind > TW_NONE && r->kind < TW_KINDS) ltw_record_text(host, r, out, n);
    else snprintf(out, n, "kind %u %llu", r->kind, (unsigned long long)r->seq);
}

/* dump(path, options, f) -> true | nil, message, code
 * Calls f(time, line) for each record, until it returns false. */
static int dump(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct tw_merge_input in = { .path = path, .starts_ns = INT64_MIN };
    struct tw_merge_options o = { .inputs = &in, .n = 1, .from_ns = INT64_MIN,
                                  .to_ns = INT64_MAX, .problem = on_problem };
    struct tw_error error;
    struct tw_record *r;
    struct work *w;
    const char *value;
    char line[400];
    size_t n;
    int rc;

    luaL_checktype(L, 2, LUA_TTABLE);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    if (!tw_tape_file_is(path)) return luaL_error(L, "%s is no tape file", path);
    w = new_work(L);
    o.problem_ctx = w;
    lua_pushvalue(L, 2);
    o.skip = ltw_get_flag(L, "skip_damaged");
    if (ltw_time_option(L, "from", &o.from_ns, &error) < 0
        || ltw_time_option(L, "to", &o.to_ns, &error) < 0)
        return luaL_error(L, "%s", error.text);
    w->merge = tw_merge_open(&o, &error);
    if (!w->merge) return ltw_fail_with(L, &error);
    w->host = tw_calloc(1, sizeof *w->host);
    if (!w->host) return luaL_error(L, "not enough memory");
    w->host->symbols = tw_merge_names(w->merge)->symbols;
    w->host->topics = tw_merge_names(w->merge)->topics;
    for (unsigned id = 1; id <= TW_SOURCE_MAX; id++)
        tw_sources_set(&w->host->sources, id,
                       tw_sources_name(&tw_merge_names(w->merge)->sources, id));
    while ((rc = tw_merge_next(w->merge, &r, &value, &n, &error)) == 1) {
        text_of(w->host, r, line, sizeof line);
        lua_pushvalue(L, 3);
        lua_pushinteger(L, r->time);
        lua_pushstring(L, line);
        lua_call(L, 2, 1);
        if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) break;
        lua_pop(L, 1);
    }
    if (rc < 0) return ltw_fail_with(L, &error);
    lua_pushboolean(L, 1);
    return 1;
}

/* is(path) -> boolean */
static int is(lua_State *L)
{
    lua_pushboolean(L, tw_tape_file_is(luaL_checkstring(L, 1)));
    return 1;
}

/* dictionaries(path) -> { topic = text, ... }
 * Of FIX sessions, see recorded.h; raises where it is no tape file. */
static int dictionaries(lua_State *L)
{
    struct work *w = new_work(L);
    struct tw_error error;

    w->file = tw_tape_file_open(luaL_checkstring(L, 1), TW_TAPE_TOLERANT, &error);
    if (!w->file) return luaL_error(L, "%s", error.text);
    lua_newtable(L);
    for (uint32_t id = 1; id <= tw_tape_file_names(w->file, TW_TAPE_TOPIC); id++) {
        const char *topic = tw_tape_file_name(w->file, TW_TAPE_TOPIC, id).text;
        const char *text = tw_tape_file_name(w->file, TW_TAPE_DICTIONARY, id).text;

        if (!topic || !text) continue;
        ltw_set_text(L, topic, text);
    }
    return 1;
}

/* identity(path) -> file [, version] | nil
 * Two texts: which file it is, by whatever path, and as it is now, but of a pipe, which
 * is read once. */
static int identity(lua_State *L)
{
    struct stat st;

    if (stat(luaL_checkstring(L, 1), &st) < 0) return 0;
    lua_pushfstring(L, "%I:%I", (LUAI_UACINT)st.st_dev, (LUAI_UACINT)st.st_ino);
    if (!S_ISREG(st.st_mode)) return 1;
    lua_pushfstring(L, "%I:%I.%I", (LUAI_UACINT)st.st_size,
                    (LUAI_UACINT)st.st_mtim.tv_sec, (LUAI_UACINT)st.st_mtim.tv_nsec);
    return 2;
}

/* real(path) -> path | nil: from the root, without links */
static int real(lua_State *L)
{
    char *whole = realpath(luaL_checkstring(L, 1), NULL);

    if (!whole) return 0;
    lua_pushstring(L, whole);
    free(whole);
    return 1;
}

/* replace(part, path) -> true | nil
 * The file at part is that at path from now on, with the mode and owner of the one that
 * was there; not of one that is a link, or has several names. */
static int replace(lua_State *L)
{
    const char *part = luaL_checkstring(L, 1), *path = luaL_checkstring(L, 2);
    struct stat st;
    bool was = lstat(path, &st) == 0;

    if (was && (!S_ISREG(st.st_mode) || st.st_nlink > 1
                || chown(part, st.st_uid, st.st_gid) < 0
                || chmod(part, st.st_mode & 07777) < 0))
        return 0;
    if (rename(part, path) < 0) return 0;
    lua_pushboolean(L, true);
    return 1;
}

/* list(path) -> list | nil [, message]
 * The names in a directory, sorted, but hidden ones; nil: it is none, or unreadable. */
static int list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct dirent **found;
    struct stat st;
    int n = stat(path, &st);

    if (n == 0 && !S_ISDIR(st.st_mode)) return 0;
    if (n == 0) n = scandir(path, &found, NULL, alphasort);
    if (n < 0 && (errno == ENOENT || errno == ELOOP)) return 0;
    if (n < 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "cannot open %s: %s", path, tw_strerror(-errno));
        return 2;
    }
    lua_createtable(L, n, 0);
    for (int i = 0, at = 0; i < n; i++) {
        if (found[i]->d_name[0] != '.') {
            lua_pushstring(L, found[i]->d_name);
            lua_rawseti(L, -2, ++at);
        }
        free(found[i]);
    }
    free(found);
    return 1;
}

static const luaL_Reg internal[] = {
    { "convert", convert },
    { "extent", extent },
    { "range", range },
    { "check", check },
    { "dump", dump },
    { "dictionaries", dictionaries },
    { "is", is },
    { "identity", identity },
    { "real", real },
    { "replace", replace },
    { "list", list },
    { NULL, NULL }
};

int luaopen_tw_internal_tapes(lua_State *L)
{
    ltw_push_type(L, WORK, work_gc);
    luaL_newlib(L, internal);
    return 1;
}

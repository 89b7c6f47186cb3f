/* lfix.c - tw.internal.fix: messages of FIX as tables, and the dictionaries for it.
 *
 * What can be held open is in a userdata, so that an error of Lua leaves nothing open.
 */
#include "fix/lfix.h"

#include <lauxlib.h>
#include <string.h>

#include "feed/input.h"
#include "fix/draft.h"
#include "fix/write.h"
#include "fix/lfix_build.h"
#include "fix/lfix_message.h"
#include "fix/lfix_session.h"
#include "fix/lfix_tape.h"
#include "fix/recorded.h"

#define DICTIONARY "tw.fix.dictionary"
#define INPUT      "tw.fix.input"

enum { CHUNK = 1 << 16 };

/* ---- the bytes of a log ---- */

static int input_gc(lua_State *L)
{
    struct tw_input **in = luaL_checkudata(L, 1, INPUT);

    if (!ltw_is_finalizer(L)) return 0;
    tw_input_close(*in);
    *in = NULL;
    return 0;
}

/* open(path) -> input | nil, message, code */
static int open_input(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct tw_input **in = lua_newuserdatauv(L, sizeof *in, 0);
    struct tw_error error;

    *in = NULL;
    luaL_setmetatable(L, INPUT);
    *in = tw_input_open(path, NULL, &error);
    return *in ? 1 : ltw_fail_with(L, &error);
}

/* read(input) -> text | nil [, message, code]: nil alone at the end */
static int read_input(lua_State *L)
{
    struct tw_input **in = luaL_checkudata(L, 1, INPUT);
    struct tw_error error;
    luaL_Buffer b;
    char *room;
    int64_t n;

    luaL_argcheck(L, *in, 1, "it was let go (by a finalizer's turn)");
    room = luaL_buffinitsize(L, &b, CHUNK);
    do n = tw_input_read(*in, room, CHUNK, &error);
    while (n == 0 && tw_input_more(*in));
    luaL_pushresultsize(&b, n > 0 ? (size_t)n : 0);
    if (n < 0) return ltw_fail_with(L, &error);
    if (n == 0) luaL_pushfail(L);
    return 1;
}

/* ---- dictionaries ---- */

static int dictionary_gc(lua_State *L)
{
    struct tw_fix_dictionary **d = luaL_checkudata(L, 1, DICTIONARY);

    if (!ltw_is_finalizer(L)) return 0;
    tw_fix_dictionary_free(*d);
    *d = NULL;
    return 0;
}

/* [-0, +0, e] */
static const struct tw_fix_dictionary *check_dictionary(lua_State *L, int idx)
{
    struct tw_fix_dictionary **d = luaL_checkudata(L, idx, DICTIONARY);

    if (!*d) luaL_error(L, "the dictionary was let go (by a finalizer's turn)");
    return *d;
}

/* What is built in of the version, or nothing, and the files at 2 on top; those that are
 * all of a version have the session of FIXT.1.1 on theirs. */
static int make(lua_State *L, struct tw_fix_draft *t, const char *version, bool fixt,
                struct tw_fix_dictionary **out, struct tw_error *error)
{
    enum tw_fix_version v;
    int code = TW_OK;

    if (version && !tw_fix_version_named(version, &v))
        return tw_fail(error, TW_EFORMAT, "no dictionary of %.40s is built in", version);
    if (version) code = tw_fix_draft_version(t, v, error);
    if (code == TW_OK && fixt && version) code = tw_fix_draft_fixt(t, error);
    for (lua_Integer i = 1; code == TW_OK && lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        code = tw_fix_draft_file(t, lua_tostring(L, -1), error);
        lua_pop(L, 1);
    }
    if (code == TW_OK && fixt && !version) code = tw_fix_draft_fixt(t, error);
    return code == TW_OK ? tw_fix_draft_finish(t, out, error) : code;
}

/* dictionary(version or nil, paths, over FIXT.1.1) -> dictionary | nil, message, code */
static int make_dictionary(lua_State *L)
{
    const char *version = luaL_optstring(L, 1, NULL);
    bool fixt = lua_toboolean(L, 3);
    struct tw_fix_dictionary **d;
    struct tw_fix_draft *t;
    struct tw_error error;
    int code;

    luaL_checktype(L, 2, LUA_TTABLE);
    ltw_check_open(L);
    lua_settop(L, 2);
    d = lua_newuserdatauv(L, sizeof *d, 0);
    *d = NULL;
    luaL_setmetatable(L, DICTIONARY);
    luaL_checkstack(L, 4, NULL);
    t = tw_fix_draft_new();
    if (!t) return luaL_error(L, "not enough memory");
    code = make(L, t, version, fixt, d, &error);
    tw_fix_draft_free(t);
    if (code < 0) return ltw_fail_with(L, &error);
    lua_pushvalue(L, 3);
    return 1;
}

/* recorded(spelling, files) -> dictionary | nil, message, code
 * As a tape file has it; files = false: without them. */
static int make_recorded(lua_State *L)
{
    const char *spelling = luaL_checkstring(L, 1);
    struct tw_fix_dictionary **d = lua_newuserdatauv(L, sizeof *d, 0);
    struct tw_error error;

    *d = NULL;
    luaL_setmetatable(L, DICTIONARY);
    if (ltw_recorded_make(spelling, lua_toboolean(L, 2), d, &error) < 0)
        return ltw_fail_with(L, &error);
    return 1;
}

/* ---- messages ---- */

/* frame(text, at) -> bytes | false | nil, why: false where more of it has to come */
static int frame(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    lua_Integer at = luaL_checkinteger(L, 2) - 1;
    struct tw_fix_frame f;

    luaL_argcheck(L, at >= 0 && (size_t)at <= n, 2, "not in the text");
    switch (tw_fix_message_frame(ltw_fix_reader(L), text + at, n - (size_t)at, &f)) {
    case TW_FIX_PARTIAL:
        lua_pushboolean(L, 0);
        return 1;
    case TW_FIX_GARBLED:
    case TW_FIX_TOO_LONG:
    case TW_FIX_STRANGE:
        luaL_pushfail(L);
        lua_pushstring(L, f.why);
        return 2;
    default:
        lua_pushinteger(L, (lua_Integer)(f.header + f.body + TW_FIX_TRAILER));
        return 1;
    }
}

/* [-0, +1, m]  { tag =, name =, value =, choice = } */
static void push_field(lua_State *L, const struct tw_fix_message *m,
                       const struct tw_fix_field *f)
{
    const struct tw_fix_definition *d =
        tw_fix_dictionary_field(m->dictionary, (uint32_t)f->tag);
    const struct tw_fix_choice *choice = d ? tw_fix_choice(d, f->at, f->n) : NULL;

    lua_createtable(L, 0, 4);
    ltw_set_integer(L, "tag", f->tag);
    if (ltw_fix_is_secret(m, f->tag)) lua_pushliteral(L, "***");
    else lua_pushlstring(L, f->at, f->n);
    lua_setfield(L, -2, "value");
    if (d) ltw_set_text(L, "name", d->name);
    if (choice) ltw_set_text(L, "choice", choice->name);
}

/* [-0, +0, m]  Adds the fields of a part to the list on top, behind its nth. */
static lua_Integer add_part(lua_State *L, const struct tw_fix_part *p, lua_Integer nth)
{
    const struct tw_fix_message *m = p->message;

    luaL_checkstack(L, 6, NULL);
    for (uint32_t i = p->first, next; i < p->end; i = next) {
        const struct tw_fix_member *member =
            p->level ? tw_fix_member(p->level, (uint32_t)m->fields[i].tag) : NULL;

        next = tw_fix_part_after(p, i);
        push_field(L, m, &m->fields[i]);
        if (member && member->group) {
            struct tw_fix_group g = { .rest = { m, member->group, i + 1, next } };
            struct tw_fix_part entry;

            lua_newtable(L);
            for (lua_Integer k = 1; tw_fix_group_next(&g, &entry); k++) {
                lua_newtable(L);
                add_part(L, &entry, 0);
                lua_rawseti(L, -2, k);
            }
            lua_setfield(L, -2, "entries");
        }
        lua_rawseti(L, -2, ++nth);
    }
    return nth;
}

/* decode(text, dictionary, version) -> { type =, name =, fields = } | nil, message, code
 * version: of the dictionary's family, where 1128 does not say it; or nil. */
static int decode(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);
    const struct tw_fix_dictionary *d = check_dictionary(L, 2);
    struct tw_fix_message *m = ltw_fix_reader(L);
    struct tw_fix_part part;
    struct tw_fix_text code;
    struct tw_fix_frame f;
    struct tw_error error;
    lua_Integer nth;
    int rc;

    if (tw_fix_message_frame(m, text, n, &f) != TW_FIX_WHOLE)
        return luaL_argerror(L, 1, "no whole message");
    rc = tw_fix_message_read(m, ltw_fix_of(L, 3, d), text, &f);
    if (rc < 0) {
        tw_fail(&error, rc, "%s", m->why);
        return ltw_fail_with(L, &error);
    }
    lua_createtable(L, 0, 5);
    code = tw_fix_message_code(m);
    lua_pushlstring(L, code.at, code.n);
    lua_setfield(L, -2, "type");
    if (m->type) ltw_set_text(L, "name", m->type->name);
    lua_createtable(L, (int)m->n, 0);
    part = tw_fix_part_header(m);
    nth = add_part(L, &part, 0);
    part = tw_fix_part_body(m);
    nth = add_part(L, &part, nth);
    part = tw_fix_part_trailer(m);
    add_part(L, &part, nth);
    lua_setfield(L, -2, "fields");
    return 1;
}

/* view(text, dictionary) -> message | nil, message, code */
static int view(lua_State *L)
{
    const struct tw_fix_dictionary *d = check_dictionary(L, 2);
    struct tw_error error;
    int rc = ltw_push_fix_text(L, 1, 2, d);

    if (rc == TW_OK) return 1;
    tw_fail(&error, rc, "%s", ltw_fix_reader(L)->why);
    return ltw_fail_with(L, &error);
}

/* encode(message, dictionary) -> text: all of it, of what table and header say */
static int encode(lua_State *L)
{
    const struct tw_fix_dictionary *d = check_dictionary(L, 2);
    struct ltw_fix_build how = { .dictionary = d, .whole = true };
    struct tw_fix_output o;
    const char *code, *fields;
    size_t of_code, n, room;
    char *message, *out;
    int64_t bytes;

    lua_settop(L, 2);
    ltw_push_fix_built(L, 1, 0, &how);
    code = lua_tolstring(L, 3, &of_code);
    fields = lua_tolstring(L, 4, &n);
    room = n + of_code + 64;
    out = lua_newuserdatauv(L, room, 0);
    tw_fix_begin(&o, out, room, tw_fix_dictionary_begin_string(d), code,
                 of_code);
    memcpy(o.at, fields, n);
    o.at += n;
    bytes = tw_fix_finish(&o, &message);
    if (bytes < 0) return luaL_error(L, "FIX message: %s", tw_strerror((int)bytes));
    lua_pushlstring(L, message, (size_t)bytes);
    return 1;
}

static const luaL_Reg internal[] = {
    { "decode", decode },
    { "dictionary", make_dictionary },
    { "encode", encode },
    { "frame", frame },
    { "open", open_input },
    { "read", read_input },
    { "recorded", make_recorded },
    { "tape", ltw_fix_tape },
    { "view", view },
    { NULL, NULL }
};

int luaopen_tw_internal_fix(lua_State *L)
{
    ltw_push_type(L, DICTIONARY, dictionary_gc);
    ltw_push_type(L, INPUT, input_gc);
    luaL_newlibtable(L, internal);
    ltw_set_integer(L, "EFORMAT", TW_EFORMAT);
    luaL_setfuncs(L, internal, 0);
    ltw_fix_functions(L);
    return 1;
}

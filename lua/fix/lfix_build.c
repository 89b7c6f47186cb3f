/* lfix_build.c - a table of fields, by name, as the bytes of a FIX message.
 *
 * The dictionary is walked, not the table: so the order is its own, and what the table
 * has beyond that is found by counting.
 */
#include "fix/lfix_build.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fix/check.h"
#include "fix/write.h"
#include "fix/lfix_message.h"

enum { PATH = 200, SHOWN = 60, FIRST_ROOM = 1024, NAMED_CHOICES = 12 };

struct build {
    lua_State *L;
    const struct ltw_fix_build *how;
    char *at;                     /* the userdata at `box`      */
    size_t n, room;
    int box;
    char path[PATH];              /* "NewOrderSingle.NoPartyIDs[2]" */
};

/* ---- errors ---- */

/* [-0, +0, e]  About a field, or of the message where there is none. */
static int fail(struct build *b, const struct tw_fix_definition *f, const char *what)
{
    if (f)
        return luaL_error(b->L, "%s: %s (%d) %s", b->path, f->name, (int)f->tag, what);
    return luaL_error(b->L, "%s: %s", b->path, what);
}

/* [-0, +1, e]  The value at idx, for an error. */
static const char *shown(struct build *b, const struct tw_fix_definition *f, int idx)
{
    char text[SHOWN];
    const char *s;
    size_t n;

    if (f->tag == 554 || f->tag == 925 || f->tag == 96) return "not shown";
    s = luaL_tolstring(b->L, idx, &n);
    return lua_pushfstring(b->L, lua_type(b->L, idx) == LUA_TSTRING ? "'%s'" : "%s",
                           tw_fix_show(s, n, text, sizeof text));
}

/* [-0, +0, e] */
static int fail_value(struct build *b, const struct tw_fix_definition *f, int idx,
                      const char *expected)
{
    const char *text = shown(b, f, idx);

    return fail(b, f, lua_pushfstring(b->L, "is %s: %s expected", text, expected));
}

static int fail_choice(struct build *b, const struct tw_fix_definition *f, int idx)
{
    luaL_Buffer out;
    const char *text = shown(b, f, idx);

    luaL_buffinit(b->L, &out);
    for (unsigned i = 0; i < f->choices_n && i < NAMED_CHOICES; i++) {
        if (i > 0) luaL_addstring(&out, ", ");
        luaL_addstring(&out, f->choices[i].value);
        luaL_addchar(&out, ' ');
        luaL_addstring(&out, f->choices[i].name);
    }
    if (f->choices_n > NAMED_CHOICES) luaL_addstring(&out, ", ...");
    luaL_pushresult(&out);
    return fail(b, f, lua_pushfstring(b->L, "is %s: one of %s expected", text,
                                      lua_tostring(b->L, -1)));
}

/* ---- bytes ---- */

static void add(struct build *b, const char *p, size_t n)
{
    if (n > b->room - b->n) {
        size_t room = b->room * 2;
        char *more;

        while (room < b->n + n) room *= 2;
        if (room > 2 * (size_t)TW_FIX_MESSAGE_MAX) fail(b, NULL, "it is too large");
        more = lua_newuserdatauv(b->L, room, 0);
        memcpy(more, b->at, b->n);
        lua_replace(b->L, b->box);
        b->at = more;
        b->room = room;
    }
    memcpy(b->at + b->n, p, n);
    b->n += n;
}

static void put(struct build *b, uint32_t tag, const char *p, size_t n)
{
    char text[16];

    add(b, text, (size_t)snprintf(text, sizeof text, "%u=", (unsigned)tag));
    add(b, p, n);
    add(b, "\1", 1);
}

/* ---- values ---- */

static const char *const expected[TW_FIX_KINDS] = {
    [TW_FIX_STRING] = "a text", [TW_FIX_CHAR] = "a text of one byte",
    [TW_FIX_STRINGS] = "words", [TW_FIX_CHARS] = "words of one byte",
    [TW_FIX_BOOLEAN] = "true, false, 'Y' or 'N'", [TW_FIX_INT] = "an integer",
    [TW_FIX_LENGTH] = "an integer from 0 on", [TW_FIX_SEQNUM] = "an integer from 0 on",
    [TW_FIX_NUMINGROUP] = "an integer from 0 on", [TW_FIX_DAYOFMONTH] = "1 to 31",
    [TW_FIX_FLOAT] = "a decimal number",
    [TW_FIX_TIMESTAMP] = "YYYYMMDD-HH:MM:SS.sss, or nanoseconds since 1970,",
    [TW_FIX_TIMEONLY] = "HH:MM:SS.sss, or nanoseconds since 1970,",
    [TW_FIX_DATE] = "YYYYMMDD, or nanoseconds since 1970,",
    [TW_FIX_MONTHYEAR] = "YYYYMM, YYYYMMDD or YYYYMMww", [TW_FIX_TZ] = "a text",
    [TW_FIX_DATA] = "a text",
};

/* The shortest decimal text that reads back the same; 0: it is none. */
static size_t decimal_text(double x, char out[64])
{
    int n = 0;

    if (!(x > -1e18 && x < 1e18)) return 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, 64, "%.*g", digits, x);
        if (strtod(out, NULL) == x) break;
    }
    if (!strchr(out, 'e')) return (size_t)n;
    n = snprintf(out, 64, "%.17f", x);
    while (out[n - 1] == '0') n--;
    if (out[n - 1] == '.') n--;
    return (size_t)n;
}

/* Seconds, ms or us of this century, or 20260102, where ns are expected: they would be
 * times of 1970. */
static bool is_no_ns(lua_Integer i)
{
    return i < 4000000000000000 && i % 86400000000000 != 0;
}

/* The number at idx as a value of its kind; 0: it can't be. */
static size_t number_text(struct build *b, enum tw_fix_kind kind, int idx, char out[64])
{
    int whole, precision = tw_fix_dictionary_version(b->how->dictionary) < TW_FIX_42
                           ? TW_FIX_S : b->how->precision ? b->how->precision : TW_FIX_MS;
    lua_Integer i = lua_tointegerx(b->L, idx, &whole);
    size_t n;

    switch (kind) {
    case TW_FIX_FLOAT:
        if (!lua_isinteger(b->L, idx)) return decimal_text(lua_tonumber(b->L, idx), out);
        break;
    case TW_FIX_TIMESTAMP: case TW_FIX_TIMEONLY: case TW_FIX_DATE:
        if (!whole || i < 0 || (kind != TW_FIX_TIMEONLY && is_no_ns(i))) return 0;
        n = tw_fix_time_text(i, (enum tw_fix_precision)precision, out);
        if (kind == TW_FIX_TIMESTAMP) return n;
        if (kind == TW_FIX_DATE) return 8;
        memmove(out, out + 9, n - 9);
        return n - 9;
    case TW_FIX_BOOLEAN: case TW_FIX_DATA: case TW_FIX_TZ:
        return 0;
    default:
        break;
    }
    return whole ? (size_t)snprintf(out, 64, "%lld", (long long)i) : 0;
}

/* Whether each word of it is a choice; of one that has no words, all of it. */
static bool is_choice(const struct tw_fix_definition *f, const char *p, size_t n)
{
    const char *end = p + n;

    if (f->kind != TW_FIX_STRINGS && f->kind != TW_FIX_CHARS)
        return tw_fix_choice(f, p, n) != NULL;
    for (const char *word = p; word <= end;) {
        const char *stop = memchr(word, ' ', (size_t)(end - word));

        if (!stop) stop = end;
        if (!tw_fix_choice(f, word, (size_t)(stop - word))) return false;
        word = stop + 1;
    }
    return true;
}

/* [-0, +0, e]  The field with the value at idx. */
static void put_value(struct build *b, const struct tw_fix_definition *f, int idx)
{
    lua_State *L = b->L;
    int top = lua_gettop(L);
    char text[64];
    const char *p = text, *named;
    enum tw_fix_version version;
    size_t n = 0;

    switch (lua_type(L, idx)) {
    case LUA_TBOOLEAN:
        *text = lua_toboolean(L, idx) ? 'Y' : 'N';
        n = f->kind == TW_FIX_BOOLEAN;
        break;
    case LUA_TNUMBER:
        n = number_text(b, (enum tw_fix_kind)f->kind, idx, text);
        break;
    case LUA_TSTRING:
        p = lua_tolstring(L, idx, &n);
        if (f->kind == TW_FIX_DATA) break;
        if (f->tag == 1128 && tw_fix_version_named(p, &version))
            p = tw_fix_appl_ver_id(version), n = 1;
        if (memchr(p, TW_FIX_SOH, n))
            fail_value(b, f, idx, "a text without SOH (byte 1), which ends a field,");
        if (f->choices_n && !is_choice(f, p, n)
            && (named = tw_fix_choice_named(f, p, n))) {
            p = named;
            n = strlen(p);
        }
        break;
    default:
        break;
    }
    if (n == 0 || !tw_fix_kind_fits((enum tw_fix_kind)f->kind, p, n)) {
        if (f->choices_n && f->kind != TW_FIX_BOOLEAN) fail_choice(b, f, idx);
        fail_value(b, f, idx, expected[f->kind]);
    }
    if (f->choices_n && !f->open && !b->how->lenient && !is_choice(f, p, n))
        fail_choice(b, f, idx);
    put(b, f->tag, p, n);
    lua_settop(L, top);
}

/* ---- levels ---- */

/* [-0, +(0|1), e]  The value that the table has for a field, by name or by tag. */
static bool push_given(struct build *b, int table, const struct tw_fix_definition *f,
                       unsigned *used)
{
    bool named = lua_getfield(b->L, table, f->name) != LUA_TNIL;
    bool tagged = lua_rawgeti(b->L, table, (lua_Integer)f->tag) != LUA_TNIL;

    if (named && tagged) fail(b, f, "is there twice, by its name and by its tag");
    *used += named || tagged;
    lua_remove(b->L, named ? -1 : -2);
    if (named || tagged) return true;
    lua_pop(b->L, 1);
    return false;
}

static void put_level(struct build *b, int table, const struct tw_fix_level *level);

static bool is_frame(uint32_t tag)
{
    return tag == 8 || tag == 9 || tag == 10 || tag == 35;
}

/* What a session writes into the header itself. */
static bool is_sessions(uint32_t tag)
{
    return tag == 34 || tag == 43 || tag == 49 || tag == 52 || tag == 56 || tag == 122
        || tag == 369;
}

/* [-0, +0, e]  The group with its entries, the list on top. */
static void put_group(struct build *b, const struct tw_fix_member *m)
{
    lua_State *L = b->L;
    size_t path = strlen(b->path);
    lua_Integer n;
    char text[24];

    if (!lua_istable(L, -1)) fail_value(b, m->field, lua_gettop(L), "a list of tables");
    luaL_checkstack(L, 8, "groups in groups");
    n = luaL_len(L, -1);
    put(b, m->tag, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)n));
    for (lua_Integer i = 1; i <= n; i++) {
        if (lua_geti(L, -1, i) != LUA_TTABLE)
            fail_value(b, m->field, lua_gettop(L), "a table in each place of its list");
        snprintf(b->path + path, PATH - path, ".%s[%lld]", m->field->name, (long long)i);
        put_level(b, lua_gettop(L), m->group);
        b->path[path] = '\0';
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        lua_Integer i = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;

        if (i > 0 && i <= n) continue;
        luaL_tolstring(L, -2, NULL);
        fail(b, m->field, lua_pushfstring(L, "is a list of tables: '%s' is none of its"
                                          " places",
                                          lua_tostring(L, -1)));
    }
}

/* The data that the length is of, or the other way round, in the level. */
static const struct tw_fix_member *partner(const struct tw_fix_level *level,
                                           const struct tw_fix_member *m)
{
    if (m->kind == TW_FIX_DATA)
        return m->field->length ? tw_fix_member(level, m->field->length) : NULL;
    if (m->kind != TW_FIX_LENGTH) return NULL;
    for (uint32_t i = 0; i < level->n; i++) {
        const struct tw_fix_member *other = tw_fix_member(level, level->tags[i]);

        if (other->kind == TW_FIX_DATA && other->field->length == m->tag) return other;
    }
    return NULL;
}

/* [-0, +0, e]  Data behind its length, at the place of the first of them. */
static bool put_data(struct build *b, int table, const struct tw_fix_definition *data,
                     const struct tw_fix_definition *length, unsigned *used)
{
    lua_State *L = b->L;
    int top = lua_gettop(L);
    bool given = push_given(b, table, data, used);
    char text[24];
    size_t n;
    int digits;

    if (given && lua_type(L, -1) != LUA_TSTRING)
        fail_value(b, data, lua_gettop(L), "a text");
    if (given) lua_tolstring(L, -1, &n);
    if (push_given(b, table, length, used)) {
        if (!given) fail(b, length, "is there, but not the data that it is of");
        if (lua_tointeger(L, -1) != (lua_Integer)n) {
            int at = lua_gettop(L);

            fail_value(b, length, at, lua_pushfstring(L, "%I, as %s has bytes,",
                                                      (lua_Integer)n, data->name));
        }
        lua_pop(L, 1);
    }
    if (given) {
        digits = snprintf(text, sizeof text, "%zu", n);
        put(b, length->tag, text, (size_t)digits);
        put_value(b, data, lua_gettop(L));
    }
    lua_settop(L, top);
    return given;
}

/* [-0, +0, e]  The member, where the table has it. */
static bool put_member(struct build *b, int table, const struct tw_fix_level *level,
                       const struct tw_fix_member *m, unsigned *used)
{
    const struct tw_fix_member *other = partner(level, m);

    if (other && other->at < m->at) return true;
    if (other)
        return put_data(b, table, m->kind == TW_FIX_DATA ? m->field : other->field,
                        m->kind == TW_FIX_DATA ? other->field : m->field, used);
    if (m->kind == TW_FIX_DATA && m->field->length) {
        const struct tw_fix_definition *length =
            tw_fix_dictionary_field(b->how->dictionary, m->field->length);

        if (length) return put_data(b, table, m->field, length, used);
    }
    if (!push_given(b, table, m->field, used)) return false;
    if (m->group) put_group(b, m);
    else put_value(b, m->field, lua_gettop(b->L));
    lua_pop(b->L, 1);
    return true;
}

/* [-0, +0, e]  Raises for a key of the table that was not used: with_type: of a message,
 * which says its type. */
static void check_keys(struct build *b, int table, const struct tw_fix_level *level,
                       unsigned used, bool with_type)
{
    const struct tw_fix_dictionary *d = b->how->dictionary;
    const struct tw_fix_level *header = tw_fix_dictionary_header(d);
    const struct tw_fix_definition *f;
    lua_State *L = b->L;
    int top = lua_gettop(L);
    unsigned n = 0;

    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) n++;
    if (n == used && !lua_getmetatable(L, table)) return;   /* or it may inherit */
    lua_settop(L, top);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        const char *name = NULL;
        size_t bytes;

        if (lua_type(L, -2) == LUA_TSTRING) {
            name = lua_tolstring(L, -2, &bytes);
            f = tw_fix_dictionary_field_named(d, name, bytes);
        } else if (lua_isinteger(L, -2)) {
            lua_Integer tag = lua_tointeger(L, -2);

            f = tag > 0 && tag <= UINT32_MAX
                ? tw_fix_dictionary_field(d, (uint32_t)tag) : NULL;
        } else {
            fail(b, NULL, lua_pushfstring(L, "fields have names or tags, not a %s",
                                          luaL_typename(L, -2)));
            return;
        }
        if (f && with_type && f->tag == 35) continue;
        if (f && tw_fix_member(level, f->tag)
            && !(level == header && (is_frame(f->tag) || is_sessions(f->tag))))
            continue;
        if (f && with_type && tw_fix_member(header, f->tag) && !is_frame(f->tag)
            && (b->how->whole || !is_sessions(f->tag)))
            continue;
        if (f && is_frame(f->tag)) fail(b, f, "is written by itself");
        if (f && (with_type || level == header) && tw_fix_member(header, f->tag))
            fail(b, f, "is the session's to write");
        if (f)
            fail(b, f, with_type ? "is no field of this message"
                       : level == header ? "is not of the header"
                                         : "is not of this group");
        if (!name)
            fail(b, NULL, lua_pushfstring(L, "the dictionary has no tag %I",
                                          lua_tointeger(L, -2)));
        ltw_push_fix_hint(L, d, level, name);
        if (*lua_tostring(L, -1) == '\0') ltw_push_fix_hint(L, d, NULL, name);
        fail(b, NULL, lua_pushfstring(L, "the dictionary has no field '%s'%s", name,
                                      lua_tostring(L, -1)));
    }
}

/* [-0, +0, e]  The members of a level that the table has; of an entry of a group, all
 * that it has.  How many keys were used. */
static unsigned put_members(struct build *b, int table, const struct tw_fix_level *level,
                            bool lenient)
{
    unsigned used = 0;

    for (uint32_t i = 0; i < level->n; i++) {
        const struct tw_fix_member *m = tw_fix_member(level, level->tags[i]);

        if (!put_member(b, table, level, m, &used) && m->required && !lenient)
            fail(b, m->field, "is required");
    }
    return used;
}

static void put_level(struct build *b, int table, const struct tw_fix_level *level)
{
    const struct tw_fix_definition *first =
        tw_fix_dictionary_field(b->how->dictionary, level->tags[0]);
    unsigned used = 0;

    if (!push_given(b, table, first, &used))
        fail(b, first, "begins each entry of the group, and is missing");
    lua_pop(b->L, 1);
    used = put_members(b, table, level, b->how->lenient);
    check_keys(b, table, level, used, false);
}

static int by_tag(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool gives(struct build *b, int table, const struct tw_fix_definition *f)
{
    unsigned used = 0;
    bool given = push_given(b, table, f, &used);

    lua_pop(b->L, given);
    return given;
}

/* [-0, +0, e]  Fields of the header that the table has, ascending; other: a table that
 * has none of them, or 0. */
static unsigned put_header(struct build *b, int table, int other)
{
    const struct tw_fix_level *level = tw_fix_dictionary_header(b->how->dictionary);
    uint32_t *tags = lua_newuserdatauv(b->L, level->n * sizeof *tags, 0);
    unsigned used = 0;

    memcpy(tags, level->tags, level->n * sizeof *tags);
    qsort(tags, level->n, sizeof *tags, by_tag);
    for (uint32_t i = 0; i < level->n; i++) {
        const struct tw_fix_member *m = tw_fix_member(level, tags[i]);

        if (is_frame(tags[i]) || (!b->how->whole && is_sessions(tags[i]))) continue;
        if (other && gives(b, table, m->field) && gives(b, other, m->field))
            fail(b, m->field, "is there twice, in the message and in its header");
        put_member(b, table, level, m, &used);
    }
    lua_pop(b->L, 1);
    return used;
}

/* [-0, +0, e]  The type that the table names, by MsgType or 35. */
static const struct tw_fix_type *check_type(struct build *b, int table, unsigned *used)
{
    const struct tw_fix_dictionary *d = b->how->dictionary;
    const struct tw_fix_definition *f = tw_fix_dictionary_field(d, 35);
    const struct tw_fix_type *type = NULL;
    const char *name;
    size_t n;

    if (!f || !push_given(b, table, f, used)) {
        fail(b, NULL, "MsgType (35) is missing: a code or a name, such as 'D' or"
             " 'NewOrderSingle'");
        return NULL;
    }
    if (lua_isstring(b->L, -1)) {
        name = lua_tolstring(b->L, -1, &n);
        type = tw_fix_dictionary_type(d, name, n);
        if (!type) type = tw_fix_dictionary_type_named(d, name, n);
    }
    if (!type) fail_value(b, f, lua_gettop(b->L), "a message of the dictionary");
    lua_pop(b->L, 1);
    return type;
}

/* [-0, +0, e]  The body of a message that came. */
static void put_view(struct build *b, const struct tw_fix_message *m)
{
    struct tw_fix_output o;
    char *room = lua_newuserdatauv(b->L, m->length + 64, 0);
    struct tw_fix_text code = tw_fix_message_code(m);

    tw_fix_begin(&o, room, m->length + 64, "", code.at, code.n);
    room = o.at;
    tw_fix_put_body(&o, m, true);
    if (o.error < 0) fail(b, NULL, "it is too large");
    add(b, room, (size_t)(o.at - room));
    lua_pop(b->L, 1);
}

void ltw_push_fix_built(lua_State *L, int idx, int header,
                        const struct ltw_fix_build *how)
{
    struct build b = { .L = L, .how = how, .room = FIRST_ROOM, .path = "message" };
    const struct tw_fix_message *m = ltw_test_fix_message(L, idx);
    const struct tw_fix_level *of = tw_fix_dictionary_header(how->dictionary);
    const struct tw_fix_type *type;
    unsigned used = 0;

    luaL_checkstack(L, 16, NULL);
    idx = lua_absindex(L, idx);
    lua_pushnil(L);
    b.at = lua_newuserdatauv(L, b.room, 0);
    b.box = lua_gettop(L);
    if (header) {
        strcpy(b.path, "header");
        check_keys(&b, header, of, put_header(&b, header, 0), false);
        strcpy(b.path, "message");
    }
    if (m) {
        struct tw_fix_text code = tw_fix_message_code(m);

        if (how->applied) put(&b, 1128, how->applied, strlen(how->applied));
        put_view(&b, m);
        lua_pushlstring(L, code.at, code.n);
    } else {
        luaL_checktype(L, idx, LUA_TTABLE);
        type = check_type(&b, idx, &used);
        snprintf(b.path, sizeof b.path, "%s", type->name);
        used += put_header(&b, idx, header);
        used += put_members(&b, idx, &type->body, how->lenient);
        check_keys(&b, idx, &type->body, used, true);
        lua_pushstring(L, type->code);
    }
    lua_replace(L, b.box - 1);
    lua_pushlstring(L, b.at, b.n);
    lua_replace(L, b.box);
}

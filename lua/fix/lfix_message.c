/* lfix_message.c - messages of FIX as scripts read them: views that nobody changes.
 *
 * Why: most handlers look at a few fields.  So the bytes stay where they are, shared by
 * all states, and a value is made of them when it is asked for.
 *
 *   message --+-- user value 1: the string of the bytes, where no block has them
 *             +-- user value 2: what owns the dictionary, or nil
 *   group   --+
 *   entry   --+-- user value 1: their message
 *
 * A finalizer may meet a message that was finalized first: it is closed then.
 */
#include "fix/lfix_message.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/fixed.h"
#include "fix/check.h"
#include "ltw.h"

#define MESSAGE "fix message"
#define GROUP   "fix group"
#define ENTRY   "fix entry"
#define READER  "tw.fix.reader"

struct view {
    struct tw_fix_message m;      /* its dictionary is NULL: it is closed */
    struct tw_any owned;          /* the block of the bytes               */
};

struct group { uint32_t n; struct tw_fix_part entries[]; };

/* ---- reading ---- */

static void open_types(lua_State *L);

static int reader_gc(lua_State *L)
{
    if (ltw_is_finalizer(L)) tw_fix_message_fini(luaL_checkudata(L, 1, READER));
    return 0;
}

struct tw_fix_message *ltw_fix_reader(lua_State *L)
{
    struct tw_fix_message *m;

    ltw_check_open(L);
    open_types(L);
    if (lua_getfield(L, LUA_REGISTRYINDEX, READER "s") == LUA_TNIL) {
        lua_pop(L, 1);
        m = lua_newuserdatauv(L, sizeof *m, 0);
        *m = (struct tw_fix_message){ 0 };
        luaL_setmetatable(L, READER);
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, READER "s");
    }
    m = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (m->forms) return m;
    tw_fix_message_fini(m);
    if (tw_fix_message_init(m, 0, 0) == TW_OK) return m;
    tw_fix_message_fini(m);
    luaL_error(L, "not enough memory");
    return NULL;
}

const struct tw_fix_dictionary *ltw_fix_of(lua_State *L, int idx,
                                           const struct tw_fix_dictionary *d)
{
    const struct tw_fix_dictionary *of = NULL;
    enum tw_fix_version v;

    if (lua_type(L, idx) == LUA_TSTRING && tw_fix_version_named(lua_tostring(L, idx), &v))
        of = tw_fix_dictionary_of(d, v);
    return of ? of : d;
}

/* [-1, +(0|1), m]  The view of a message, for what owns its bytes. */
static int push_view(lua_State *L, const char *text, size_t n,
                     const struct tw_fix_dictionary *d)
{
    struct tw_fix_message *m = ltw_fix_reader(L);
    struct tw_fix_frame f;
    struct view *view;
    int rc = TW_EFORMAT;
    size_t bytes;

    if (tw_fix_message_frame(m, text, n, &f) == TW_FIX_WHOLE)
        rc = tw_fix_message_read(m, d, text, &f);
    else strcpy(m->why, "it is not whole");
    if (rc < 0) {
        lua_pop(L, 1);
        return rc;
    }
    bytes = m->n * sizeof *m->fields;
    view = lua_newuserdatauv(L, sizeof *view + bytes, 2);
    *view = (struct view){ .m = *m };
    view->m.fields = memcpy(view + 1, m->fields, bytes);
    view->m.soh = NULL;
    view->m.forms = view->m.form = NULL;
    luaL_setmetatable(L, MESSAGE);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, 1);
    return TW_OK;
}

void ltw_push_fix_message(lua_State *L, struct tw_value *block,
                          const struct tw_fix_dictionary *d)
{
    struct tw_item root = tw_value_root(block);
    struct view *view;

    if (root.kind != TW_VALUE_STRING) luaL_error(L, "no FIX message");
    lua_pushnil(L);
    if (push_view(L, root.text, root.length, d) < 0)
        luaL_error(L, "FIX message: %s", ltw_fix_reader(L)->why);
    view = lua_touserdata(L, -1);
    tw_value_ref(block);
    view->owned = (struct tw_any){ .kind = TW_VALUE_BLOCK, .block = block };
}

static int view_gc(lua_State *L)
{
    struct view *view = luaL_testudata(L, 1, MESSAGE);   /* entries are no such */

    if (!view || !ltw_is_finalizer(L)) return 0;
    view->m.dictionary = NULL;
    tw_any_unref(&view->owned);
    view->owned = (struct tw_any){ .kind = TW_VALUE_NIL };
    return 0;
}

/* [-0, +0, e] */
static const struct tw_fix_message *check_open(lua_State *L,
                                               const struct tw_fix_message *m)
{
    if (m && !m->dictionary)
        luaL_error(L, "this FIX message was let go (by a finalizer's turn)");
    return m;
}

int ltw_push_fix_text(lua_State *L, int text, int owner,
                      const struct tw_fix_dictionary *d)
{
    size_t n;
    const char *p = luaL_checklstring(L, text, &n);
    int rc;

    owner = lua_absindex(L, owner);
    lua_pushvalue(L, text);
    rc = push_view(L, p, n, d);
    if (rc < 0) return rc;
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 2);
    return TW_OK;
}

const struct tw_fix_message *ltw_test_fix_message(lua_State *L, int idx)
{
    return check_open(L, luaL_testudata(L, idx, MESSAGE));
}

bool ltw_fix_is_secret(const struct tw_fix_message *m, int32_t tag)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    bool logs_on = tw_fix_is(code, "A") || tw_fix_is(code, "BE");   /* UserRequest */

    return tag == 554 || tag == 925
        || (logs_on && (tag == 96 || tag == 1402 || tag == 1404));
}

/* ---- names ---- */

/* How many letters differ, at most 3: changed, added, left out. */
static unsigned distance(const char *a, const char *b)
{
    unsigned n = 0;

    while (*a && *b && n < 3) {
        if (*a == *b) {
            a++, b++;
            continue;
        }
        n++;
        if (strcmp(a + 1, b) == 0 || strncmp(a + 1, b, 3) == 0) a++;
        else if (strcmp(a, b + 1) == 0 || strncmp(a, b + 1, 3) == 0) b++;
        else a++, b++;
    }
    return n + (unsigned)(strlen(a) + strlen(b));
}

/* Is `name` nearer to what was asked for than *best says? */
static bool is_nearer(const char *asked, const char *name, unsigned *best)
{
    unsigned d = strcasecmp(asked, name) == 0 ? 0 : distance(asked, name);

    if (d >= *best) return false;
    *best = d;
    return true;
}

void ltw_push_fix_hint(lua_State *L, const struct tw_fix_dictionary *d,
                       const struct tw_fix_level *level, const char *name)
{
    unsigned best = strlen(name) > 5 ? 3 : 2;
    const struct tw_fix_definition *all;
    const char *near = NULL;
    size_t n = level ? level->n : tw_fix_dictionary_fields(d, &all);

    for (size_t i = 0; i < n; i++) {
        const struct tw_fix_definition *f =
            level ? tw_fix_dictionary_field(d, level->tags[i]) : &all[i];

        if (f && is_nearer(name, f->name, &best)) near = f->name;
    }
    if (near) lua_pushfstring(L, "; did you mean '%s'?", near);
    else lua_pushliteral(L, "");
}

/* [-0, +0, e]  The tag of a name or a number at idx. */
static int32_t check_tag(lua_State *L, int idx, const struct tw_fix_message *m)
{
    const struct tw_fix_definition *f;
    const char *name;
    size_t n;

    if (lua_isinteger(L, idx)) {
        lua_Integer tag = lua_tointeger(L, idx);

        return tag > 0 && tag <= INT32_MAX ? (int32_t)tag : 0;
    }
    if (lua_type(L, idx) != LUA_TSTRING)
        luaL_error(L, "a FIX message has fields by name and by tag, not by a %s",
                   luaL_typename(L, idx));
    name = lua_tolstring(L, idx, &n);
    f = tw_fix_dictionary_field_named(m->dictionary, name, n);
    if (f) return (int32_t)f->tag;
    ltw_push_fix_hint(L, m->dictionary, NULL, name);
    return luaL_error(L, "FIX has no field '%s' in this dictionary%s", name,
                      lua_tostring(L, -1));
}

/* ---- values ---- */

static struct tw_fix_part part_of(const struct tw_fix_message *m, uint32_t i)
{
    return i < m->body ? tw_fix_part_header(m)
         : i < m->trailer ? tw_fix_part_body(m) : tw_fix_part_trailer(m);
}

/* [-0, +1, m]  The entries that follow the field which counts them; root: stack index of
 * the message. */
static void push_group(lua_State *L, int root, struct tw_fix_part rest)
{
    struct tw_fix_group g = { .rest = rest };
    struct tw_fix_part entry;
    struct group *group;
    uint32_t n = 0;

    while (tw_fix_group_next(&g, &entry)) n++;
    group = lua_newuserdatauv(L, sizeof *group + n * sizeof entry, 1);
    group->n = n;
    g.rest = rest;
    for (uint32_t i = 0; i < n; i++) tw_fix_group_next(&g, &group->entries[i]);
    lua_pushvalue(L, root);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, GROUP);
}

/* [-0, +1, m] */
static void push_decimal(lua_State *L, const struct tw_fix_field *f)
{
    int64_t v;

    if (tw_fixed_parse(f->at, f->n, &v) == TW_OK)
        lua_pushnumber(L, tw_fixed_to_double(v));
    else
        lua_pushnumber(L, strtod(f->at, NULL));   /* SOH ends it */
}

/* [-0, +1, m]  What is no value of its kind is the text that it is. */
static void push_value(lua_State *L, int root, const struct tw_fix_part *p, uint32_t i)
{
    const struct tw_fix_message *m = p->message;
    const struct tw_fix_field *f = &m->fields[i];
    const struct tw_fix_member *member =
        p->level ? tw_fix_member(p->level, (uint32_t)f->tag) : NULL;
    const struct tw_fix_definition *d =
        tw_fix_dictionary_field(m->dictionary, (uint32_t)f->tag);
    enum tw_fix_kind kind = d ? (enum tw_fix_kind)d->kind : TW_FIX_STRING;

    if (member && member->group) {
        push_group(L, root, (struct tw_fix_part){ m, member->group, i + 1,
                                                  tw_fix_part_after(p, i) });
        return;
    }
    if (kind >= TW_FIX_BOOLEAN && kind <= TW_FIX_FLOAT
        && tw_fix_kind_fits(kind, f->at, f->n)) {
        long long v;

        if (kind == TW_FIX_FLOAT) {
            push_decimal(L, f);
            return;
        }
        if (kind == TW_FIX_BOOLEAN) {
            lua_pushboolean(L, *f->at == 'Y');
            return;
        }
        errno = 0;
        v = strtoll(f->at, NULL, 10);   /* SOH ends it */
        if (errno == 0) {
            lua_pushinteger(L, v);
            return;
        }
    }
    lua_pushlstring(L, f->at, f->n);
}

/* The first field of the tag: of a message in the part that it belongs to. */
static const struct tw_fix_field *find(const struct tw_fix_message *m,
                                       const struct tw_fix_part *entry, int32_t tag,
                                       struct tw_fix_part *in)
{
    const struct tw_fix_field *f;

    if (entry) {
        *in = *entry;
        return tw_fix_part_find(in, tag);
    }
    *in = tw_fix_part_body(m);
    f = tw_fix_part_find(in, tag);
    if (f) return f;
    *in = tw_fix_part_header(m);
    f = tw_fix_part_find(in, tag);
    if (f) return f;
    *in = tw_fix_part_trailer(m);
    return tw_fix_part_find(in, tag);
}

/* What is at 1: a message, or an entry of *entry. */
static const struct tw_fix_message *check(lua_State *L, const struct tw_fix_part **entry)
{
    const struct tw_fix_message *m = luaL_testudata(L, 1, MESSAGE);

    *entry = m ? NULL : luaL_checkudata(L, 1, ENTRY);
    return check_open(L, m ? m : (*entry)->message);
}

/* [-0, +1, m]  The message of what is at 1. */
static int push_root(lua_State *L, const struct tw_fix_part *entry)
{
    if (entry) lua_getiuservalue(L, 1, 1);
    else lua_pushvalue(L, 1);
    return lua_gettop(L);
}

/* message:text(field) -> string | nil
 * The bytes of a field (a name or a tag) as they came: of a number "1.50", of a group its
 * count.  nil: it is not there.  An entry of a group has it too.
 * Yields: no.  Blocks: no.  Thread: the owner.
 * Errors: raises for a name that the dictionary has not.  Units: none. */
static int message_text(lua_State *L)
{
    const struct tw_fix_part *entry;
    const struct tw_fix_message *m = check(L, &entry);
    struct tw_fix_part in;
    const struct tw_fix_field *f = find(m, entry, check_tag(L, 2, m), &in);

    if (f) lua_pushlstring(L, f->at, f->n);
    else lua_pushnil(L);
    return 1;
}

/* message:bytes() -> string
 * All of it as it came, with passwords.
 * Yields: no.  Blocks: no.  Thread: the owner.  Errors: none.  Units: none. */
static int message_bytes(lua_State *L)
{
    const struct tw_fix_message *m = check_open(L, luaL_checkudata(L, 1, MESSAGE));

    lua_pushlstring(L, m->bytes, m->length);
    return 1;
}

static int index_fields(lua_State *L)
{
    const struct tw_fix_part *entry;
    const struct tw_fix_message *m = check(L, &entry);
    const struct tw_fix_field *f;
    struct tw_fix_part in;
    int root;

    if (lua_type(L, 2) == LUA_TSTRING) {
        const char *name = lua_tostring(L, 2);

        if (strcmp(name, "text") == 0) {
            lua_pushcfunction(L, message_text);
            return 1;
        }
        if (!entry && strcmp(name, "bytes") == 0) {
            lua_pushcfunction(L, message_bytes);
            return 1;
        }
        if (!entry && strcmp(name, "version") == 0) {
            lua_pushstring(L, tw_fix_version_name(
                               tw_fix_dictionary_version(m->dictionary)));
            return 1;
        }
        if (!entry && strcmp(name, "name") == 0) {
            lua_pushstring(L, m->type ? m->type->name : NULL);
            return 1;
        }
    }
    f = find(m, entry, check_tag(L, 2, m), &in);
    if (!f) return lua_pushnil(L), 1;
    root = push_root(L, entry);
    push_value(L, root, &in, (uint32_t)(f - m->fields));
    return 1;
}

static int newindex(lua_State *L)
{
    return luaL_error(L, "a FIX message that came can't be changed (field '%s')",
                      luaL_tolstring(L, 2, NULL));
}

/* Upvalues: the message or entry, the number of the next field. */
static int next_field(lua_State *L)
{
    uint32_t i = (uint32_t)lua_tointeger(L, lua_upvalueindex(2)), end;
    const struct tw_fix_definition *d;
    const struct tw_fix_message *m;
    const struct tw_fix_part *entry;
    struct tw_fix_part p;
    int root;

    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    m = check(L, &entry);
    end = entry ? entry->end : m->n;
    if (i >= end) return 0;
    p = entry ? *entry : part_of(m, i);
    d = tw_fix_dictionary_field(m->dictionary, (uint32_t)m->fields[i].tag);
    root = push_root(L, entry);
    if (d) lua_pushstring(L, d->name);
    else lua_pushinteger(L, m->fields[i].tag);
    push_value(L, root, &p, i);
    lua_pushinteger(L, tw_fix_part_after(&p, i));
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int fields_pairs(lua_State *L)
{
    const struct tw_fix_part *entry;

    check(L, &entry);
    lua_settop(L, 1);
    lua_pushinteger(L, entry ? entry->first : 0);
    lua_pushcclosure(L, next_field, 2);
    return 1;
}

static int fields_tostring(lua_State *L)
{
    const struct tw_fix_part *entry;
    const struct tw_fix_message *m = check(L, &entry);
    uint32_t i = entry ? entry->first : 0, end = entry ? entry->end : m->n;
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    for (; i < end; i++) {
        const struct tw_fix_field *f = &m->fields[i];

        lua_pushfstring(L, "%d=", (int)f->tag);
        luaL_addvalue(&b);
        if (ltw_fix_is_secret(m, f->tag)) luaL_addstring(&b, "***");
        else luaL_addlstring(&b, f->at, f->n);
        luaL_addchar(&b, '|');
    }
    luaL_pushresult(&b);
    return 1;
}

/* ---- groups ---- */

static int group_index(lua_State *L)
{
    const struct group *g = luaL_checkudata(L, 1, GROUP);
    lua_Integer i;

    if (!lua_isinteger(L, 2))
        return luaL_error(L, "a group is a list of entries: [1].%s, not '%s'",
                          luaL_tolstring(L, 2, NULL), luaL_tolstring(L, 2, NULL));
    i = lua_tointeger(L, 2);
    if (i < 1 || (lua_Unsigned)i > g->n) return lua_pushnil(L), 1;
    *(struct tw_fix_part *)lua_newuserdatauv(L, sizeof g->entries[0], 1) =
        g->entries[i - 1];
    lua_getiuservalue(L, 1, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, ENTRY);
    return 1;
}

static int group_len(lua_State *L)
{
    lua_pushinteger(L, ((const struct group *)luaL_checkudata(L, 1, GROUP))->n);
    return 1;
}

static int next_entry(lua_State *L)
{
    lua_Integer i = luaL_checkinteger(L, 2) + 1;

    lua_pushinteger(L, i);
    return lua_geti(L, 1, i) == LUA_TNIL ? 1 : 2;
}

static int group_pairs(lua_State *L)
{
    lua_pushcfunction(L, next_entry);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, 0);
    return 3;
}

/* ---- opening ---- */

static const luaL_Reg fields_meta[] = {
    { "__gc", view_gc },
    { "__index", index_fields },
    { "__newindex", newindex },
    { "__pairs", fields_pairs },
    { "__tostring", fields_tostring },
    { NULL, NULL }
};

static const luaL_Reg group_meta[] = {
    { "__index", group_index },
    { "__len", group_len },
    { "__newindex", newindex },
    { "__pairs", group_pairs },
    { NULL, NULL }
};

static const luaL_Reg reader_meta[] = { { "__gc", reader_gc }, { NULL, NULL } };

static void new_type(lua_State *L, const char *name, const luaL_Reg *functions)
{
    if (luaL_newmetatable(L, name)) {
        luaL_setfuncs(L, functions, 0);
        ltw_set_flag(L, "__metatable", false);
    }
    lua_pop(L, 1);
}

/* [-0, +0, m]  Safe twice. */
static void open_types(lua_State *L)
{
    new_type(L, READER, reader_meta);
    new_type(L, MESSAGE, fields_meta);
    new_type(L, GROUP, group_meta);
    new_type(L, ENTRY, fields_meta);
}

/* lfix_tape.c - tw.internal.fix.tape: what came over FIX sessions, of a tape file.
 *
 * What reads is in a userdata, so that an error of Lua leaves nothing open.
 */
#include "fix/lfix_tape.h"

#include <lauxlib.h>
#include <string.h>

#include "feed/merge.h"
#include "fix/lfix_session.h"
#include "share/lview.h"
#include "share/builder.h"
#include "share/cache_image.h"

#define PLAYER "tw.fix.tape"

struct player {
    struct tw_merge *merge;
    struct tw_builder *builder;       /* of values                            */
    struct tw_any value;              /* until it is pushed                   */
    lua_State *L;
    int problem;                      /* the function for what is damaged     */
};

static int player_gc(lua_State *L)
{
    struct player *p = luaL_checkudata(L, 1, PLAYER);

    tw_any_unref(&p->value);
    tw_merge_close(p->merge);
    if (p->builder) tw_builder_free(p->builder);
    *p = (struct player){ 0 };
    return 0;
}

/* A line of what is wrong with the file: it is read on.  No error gets through C. */
static void on_problem(void *ctx, const char *text)
{
    struct player *p = ctx;

    lua_pushvalue(p->L, p->problem);
    lua_pushstring(p->L, text);
    if (lua_pcall(p->L, 1, 0, 0) != LUA_OK) lua_pop(p->L, 1);
}

/* The value of the record: to p->value. */
static int read_value(struct player *p, const struct tw_record *r, const char *bytes,
                      size_t n)
{
    struct tw_image_view view = { .p = bytes, .n = n };

    p->value = (struct tw_any){ .kind = r->message.value_kind };
    p->value.integer = r->message.value.integer;
    if (p->value.kind != TW_VALUE_BLOCK) return TW_OK;
    p->value = (struct tw_any){ 0 };
    return tw_image_read(&view, p->builder, &p->value);
}

/* [-0, +0, e]  Calls the function at 2 with a record. */
static void tell(lua_State *L, struct player *p, const struct tw_record *r,
                 const char *topic, const char *session)
{
    uint64_t seq = tw_merge_place(p->merge)->record;
    const char *spelling = tw_merge_dictionary(p->merge, topic);

    lua_pushvalue(L, 2);
    lua_pushinteger(L, (lua_Integer)seq);
    lua_pushinteger(L, r->time);
    lua_pushstring(L, session);
    ltw_push_any(L, &p->value);
    tw_any_unref(&p->value);
    p->value = (struct tw_any){ 0 };
    lua_pushstring(L, spelling);
    lua_call(L, 5, 0);
}

int ltw_fix_tape(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct tw_merge_input in = { .path = path, .starts_ns = INT64_MIN };
    struct tw_merge_options o = { .inputs = &in, .n = 1, .from_ns = INT64_MIN,
                                  .to_ns = INT64_MAX, .skip = true,
                                  .problem = on_problem };
    char session[TW_NAME_MAX + 1];
    struct tw_error error;
    struct tw_record *r;
    struct player *p;
    const char *value;
    size_t n;
    int rc;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    luaL_checktype(L, 3, LUA_TFUNCTION);
    lua_settop(L, 3);
    p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = (struct player){ .L = L, .problem = 3 };
    ltw_push_type(L, PLAYER, player_gc);
    lua_setmetatable(L, -2);
    luaL_checkstack(L, 20, NULL);
    o.problem_ctx = p;
    p->builder = tw_builder_new();
    if (!p->builder) return luaL_error(L, "not enough memory");
    p->merge = tw_merge_open(&o, &error);
    if (!p->merge) return ltw_fail_with(L, &error);
    while ((rc = tw_merge_next(p->merge, &r, &value, &n, &error)) == 1) {
        const char *topic;

        if (r->kind != TW_MESSAGE || r->message.script != 0) continue;
        topic = tw_names_get(tw_merge_names(p->merge)->topics, r->message.topic);
        if (!ltw_fix_session(topic, session)) continue;
        rc = read_value(p, r, value, n);
        if (rc < 0) {
            tw_fail(&error, rc, "%.300s: record %llu: a value that cannot be read: %s",
                    path, (unsigned long long)tw_merge_place(p->merge)->record,
                    tw_strerror(rc));
            return ltw_fail_with(L, &error);
        }
        tell(L, p, r, topic, session);
    }
    if (rc < 0) return ltw_fail_with(L, &error);
    lua_pushboolean(L, 1);
    return 1;
}

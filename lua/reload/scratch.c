/* scratch.c - a new version is tried in a state of its own, where nothing has an effect.
 *
 * Layer lua.
 */
#include <stdio.h>
#include <string.h>

#include "run/appfile.h"
#include "code.h"
#include "distrust.h"
#include "reload/reloads.h"

static bool differs(void *L, const struct ltw_part *before)
{
    struct tw_error error;
    struct ltw_part *now = ltw_part_read(L, before->name, before->path, &error);
    bool is_other = !now || now->n != before->n
                 || memcmp(now->bytes, before->bytes, now->n) != 0;

    ltw_part_free(now);
    return is_other;
}

/* [-0, +0, e]  Protected. */
static int limit(lua_State *L)
{
    const struct ltw_script_options *o = lua_touserdata(L, 1);

    if (!ltw_is_trusted(L, &o->options)) ltw_distrust(L);
    return 0;
}

/* [-0, +0, -]  Runs the file of the version where nothing has an effect. */
static void run(struct ltw_reloads *r, struct ltw_state *state)
{
    const struct ltw_group *g = r->current->group;
    const struct ltw_script_options *o = ltw_version_options(g->next, g->id);
    struct ltw_code code;

    lua_pushcfunction(state->L, limit);
    lua_pushlightuserdata(state->L, (void *)o);
    if (lua_pcall(state->L, 1, 0, 0) != LUA_OK
        || ltw_code_load(state, o, g->next, &code) != LUA_OK) {
        const char *why = lua_tostring(state->L, -1);

        snprintf(r->why, sizeof r->why, "%s", why ? why : "an error that is not a text");
    } else {
        ltw_code_drop(state, &code);
    }
}

void ltw_scratch_limit(struct ltw_state *state, const struct ltw_host *host,
                       const atomic_bool *over)
{
    state->muted = true;
    state->bytes_max = host->memory_max;
    state->limit_ns = host->time_max_ns > 0 ? host->time_max_ns : INT64_MAX / 2;
    state->over = over;
}

/* A state that nobody else has.  NULL: no memory. */
static struct ltw_state *new_scratch(const struct ltw_reloads *r, struct ltw_host *host)
{
    struct ltw_state *state = ltw_state_new(host, host->memory_max);

    if (!state) return NULL;
    strcpy(state->who, "scratch");
    ltw_scratch_limit(state, host, &r->over);
    lua_pushcfunction(state->L, ltw_engine_set_path);
    lua_pushstring(state->L, r->app->engines[0].path);
    if (lua_pcall(state->L, 1, 0, 0) == LUA_OK) return state;
    ltw_state_free(state);
    return NULL;
}

bool ltw_scratch_differs(const struct ltw_reloads *r, struct ltw_version *v)
{
    struct ltw_state *state = new_scratch(r, &r->app->host);
    bool is_other = state && ltw_version_each(v, differs, state->L);

    ltw_state_free(state);
    return is_other;
}

void ltw_scratch_try(struct ltw_reloads *r)
{
    struct ltw_group *g = r->current->group;
    struct ltw_state *state = new_scratch(r, &r->app->host);
    struct tw_error error = { .code = TW_OK };

    if (!state) {
        snprintf(r->why, sizeof r->why, "%s", tw_strerror(UV_ENOMEM));
        return;
    }
    if (r->current->watched) {
        r->unchanged = !ltw_version_each(g->now, differs, state->L);
        if (r->unchanged) ltw_version_ref(g->next = g->now);
        else r->unchanged = !ltw_version_each(g->tried, differs, state->L);
    }
    if (!r->unchanged && !g->next) {
        g->next = ltw_version_read(state->L, g->path, &error);
        if (g->next && !ltw_version_inherit(g->next, g->now)) {
            ltw_version_unref(g->next);
            g->next = NULL;
            tw_fail(&error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        }
    }
    r->missing = !r->unchanged && !g->next;
    if (r->missing) snprintf(r->why, sizeof r->why, "%s", error.text);
    else if (r->unchanged) { }
    else if (g->is_app) r->file = ltw_appfile_try(r->app, g->next, &r->over, r->why);
    else run(r, state);
    ltw_state_free(state);
}


/* recording.c - an app and tape files: what it records, what it plays.
 *
 * A script is known in a file by its name, its second instance as "name#2": so a replay
 * knows which messages were its own.
 */
#include "tape/recording.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "feed/timestamp.h"
#include "fix/fix.h"
#include "lfield.h"
#include "fix/recorded.h"
#include "run/recorder.h"

/* ---- names of scripts ---- */

static uint32_t last_script(const struct tw_app *app)
{
    uint32_t last = 0;

    for (unsigned i = 0; i < app->n_scripts; i++)
        if (app->scripts[i].id > last) last = app->scripts[i].id;
    return last;
}

static bool name_script(struct tw_app *app, const struct ltw_script_options *s)
{
    size_t n = strlen(s->name) + 12;
    unsigned before = 0;
    char *name = tw_calloc(1, n);

    if (!name) return false;
    for (unsigned i = 0; i < app->n_scripts; i++)
        before += app->scripts[i].id < s->id
               && strcmp(app->scripts[i].name, s->name) == 0;
    if (before == 0) strcpy(name, s->name);
    else snprintf(name, n, "%s#%u", s->name, before + 1);
    app->script_names[s->id] = name;
    return true;
}

/* By number, from 1 on; NULL: no memory. */
static const char *const *script_names(struct tw_app *app)
{
    if (app->script_names) return (const char *const *)app->script_names;
    app->script_names = tw_calloc(last_script(app) + 1u, sizeof *app->script_names);
    for (unsigned i = 0; app->script_names && i < app->n_scripts; i++)
        if (!name_script(app, &app->scripts[i])) return NULL;
    return (const char *const *)app->script_names;
}

/* ---- playing ---- */

int ltw_time_option(lua_State *L, const char *name, int64_t *out, struct tw_error *error)
{
    const char *text;
    size_t n;
    int rc = TW_OK, form;

    if (lua_getfield(L, -1, name) == LUA_TNUMBER) {
        *out = lua_isinteger(L, -1) ? lua_tointeger(L, -1)
                                    : (int64_t)lua_tonumber(L, -1);
    } else if (lua_isstring(L, -1)) {
        text = lua_tolstring(L, -1, &n);
        form = n < 8 ? TW_EFORMAT : tw_timestamp_look(text, n);   /* 2030: of what? */
        rc = form < 0 ? form : tw_timestamp_parse(text, n, (enum tw_csv_time)form, out);
        if (rc < 0)
            tw_fail(error, TW_EUSAGE, "%s: '%.100s' is no time: a date like 2014-05-07 or"
                    " 2014-05-07T13:30:00 expected", name, text);
    }
    lua_pop(L, 1);
    return rc;
}

/* What the file says of a topic, over which what the app says stands. */
static void on_topic(void *ctx, const char *topic, const char *spelling) TW_ON(MAIN)
{
    struct tw_app *app = ctx;
    struct tw_error why;

    if (app->spelling) spelling = app->spelling;
    if (!ltw_recorded_add(&app->host, topic, spelling, &why))
        tw_log_printf(app->host.log, TW_LOG_WARN, "", "%s", why.text);
}

int ltw_tape_feed(lua_State *L, struct tw_app *app, struct tw_tape_feed *out,
                  struct tw_error *error)
{
    *out = (struct tw_tape_feed){
        .from_ns = INT64_MIN, .to_ns = INT64_MAX,
        .messages = ltw_get_flag(L, "messages"),
        .skip = ltw_get_flag(L, "skip_damaged"),
        .topics = app->host.topics,
        .sources = &app->host.sources,
        .scripts = script_names(app),
        .n_scripts = last_script(app),
        .topic = on_topic, .topic_ctx = app,
    };
    app->spelling = ltw_text_at(L, -1, "spelling");   /* the table has it */
    if (!out->scripts) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    if (ltw_time_option(L, "from", &out->from_ns, error) < 0
        || ltw_time_option(L, "to", &out->to_ns, error) < 0) return error->code;
    app->host.plays = true;
    app->host.replays = app->host.replays || out->messages;
    return TW_OK;
}

/* ---- recording ---- */

static void on_failed(void *ctx)
{
    struct tw_app *app = ctx;

    /* order [app.flag] relaxed: the bell orders what the flag is about */
    atomic_store_explicit(&app->failed, true, memory_order_relaxed);
    ltw_app_ring(app);
}

int ltw_recording_start(struct tw_app *app, struct tw_error *error)
{
    struct tw_recorder_options o = {
        .path = app->o.record,
        .tape = app->host.tape,
        .epoch = app->host.epoch,
        .log = app->host.log,
        .reliable = app->reliable,
        .writer = {
            .symbols = app->host.symbols,
            .topics = app->host.topics,
            .sources = &app->host.sources,
            .dictionary = ltw_fix_spelling, .dictionary_ctx = &app->host,
            .scripts = script_names(app),
            .n_scripts = last_script(app),
            .created_ns = tw_clock_now_ns(),
            .zstd = app->o.zstd,
            .sync = app->o.sync,
        },
        .failed = on_failed,
        .waiting = ltw_app_speak,
        .ctx = app,
    };

    if (!o.path) return TW_OK;
    if (!o.writer.scripts)
        return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    app->recorder = tw_recorder_new(&o, error);
    return app->recorder ? tw_recorder_start(app->recorder, error) : error->code;
}

void ltw_recording_stop(struct tw_app *app)
{
    if (app->recorder) tw_recorder_stop(app->recorder);
}

void ltw_recording_free(struct tw_app *app)
{
    tw_recorder_free(app->recorder);
    ltw_recorded_free(app->host.recorded);
    for (uint32_t i = 1; app->script_names && i <= last_script(app); i++)
        tw_free(app->script_names[i]);
    tw_free(app->script_names);
}

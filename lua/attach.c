/* attach.c - whoever is attached to a run: a socket of its owner on MAIN's loop.
 *
 * Why: MAIN handles no quotes, so what is said here delays none.  The bytes are moved
 * here; what they mean is in stdlib/attach.lua, and what a worker is asked goes through
 * its mailbox (evaluate.h) and comes back through `news`.
 *
 *     client --frames--> MAIN --evaluation--> worker
 *            <--frames--      <----news-----
 *
 * Invariants
 *   A1  A client takes at most OUT_MAX bytes of memory: one that does not read is
 *       dropped.  It has one line at a time.
 *   A2  An evaluation is MAIN's until its worker has said that it ended, or has gone.
 *   A3  No signal: a peer that has gone is an error of send.
 *
 * Layer lua.  Thread: MAIN, but for what says otherwise.
 */
#include "attach.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "endpoint.h"
#include "evaluate.h"

enum { CLIENTS_MAX = 16, OUT_MAX = 2 << 20 };

struct client {
    struct ltw_attach *of;
    struct client *next;
    uv_poll_t poll;
    int fd;
    uint64_t id;
    char *in, *out;               /* LTW_FRAME_HEAD + LTW_FRAME_MAX; n_out used */
    size_t n_in, at, n_out, out_capacity;
    bool leaving;                 /* it goes when out is empty    */
    bool gone;                    /* its handle is being closed   */
};

/* What a worker has to say of an evaluation: text, or (NULL) that it has ended. */
struct news {
    struct news *next;
    struct ltw_evaluation *of;
    bool last;
    size_t n;
    char text[];
};

struct ltw_attach {
    struct tw_app *app;               /* constant                            */
    struct ltw_endpoint endpoint;     /* constant                            */
    uv_poll_t listener;
    uv_async_t bell;                  /* any thread sends                    */
    int fd;
    unsigned handles;                 /* that are open or closing            */
    struct client *clients;
    unsigned n_clients;
    uint64_t ids;
    struct ltw_evaluation *evaluations;   /* A2 */
    bool going, stopping;
    pthread_mutex_t lock;
    struct news *first, **last;       /* mutex                               */
};

/* ---- Lua ---- */

/* [-n, +0, -]  Calls tw.attach's function with the n values on top. */
static void call(struct ltw_attach *a, const char *function, int n)
{
    lua_State *L = a->app->state->L;
    int bottom = lua_gettop(L) - n;

    lua_pushcfunction(L, ltw_traceback);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "tw.attach");
    lua_getfield(L, -1, function);
    lua_replace(L, -3);
    lua_pop(L, 1);
    lua_rotate(L, bottom + 1, 2);
    if (lua_pcall(L, n, 0, bottom + 1) != LUA_OK)
        tw_log_printf(a->app->host.log, TW_LOG_ERROR, "", "attach: %s",
                      lua_tostring(L, -1));
    lua_settop(L, bottom);
}

/* ---- clients ---- */

static void on_client_closed(uv_handle_t *h)
{
    struct client *c = h->data, **at = &c->of->clients;

    while (*at != c) at = &(*at)->next;
    *at = c->next;
    c->of->n_clients--;
    c->of->handles--;
    close(c->fd);
    tw_free(c->in);
    tw_free(c->out);
    tw_free(c);
}

static void drop(struct client *c)
{
    lua_State *L = c->of->app->state->L;

    if (c->gone) return;
    c->gone = true;
    uv_close((uv_handle_t *)&c->poll, on_client_closed);
    lua_pushinteger(L, (lua_Integer)c->id);
    call(c->of, "left", 1);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void listen_to(struct client *c)
{
    bool reads = !c->leaving && c->of->going;

    uv_poll_start(&c->poll, (reads ? UV_READABLE : 0) | (c->n_out ? UV_WRITABLE : 0),
                  on_ready);
}

static void write_out(struct client *c)
{
    while (c->n_out > 0) {
        ssize_t n = send(c->fd, c->out + c->at, c->n_out, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) {   /* A3 */
            drop(c);
            return;
        }
        c->at += (size_t)n;
        c->n_out -= (size_t)n;
    }
    if (c->n_out == 0) c->at = 0;
    if (c->leaving && c->n_out == 0) drop(c);
    else listen_to(c);
}

/* Room for n bytes more behind those that are to go out. */
static bool make_room(struct client *c, size_t n)
{
    size_t capacity = c->out_capacity ? c->out_capacity : 4096;
    char *out;

    if (c->n_out + n > OUT_MAX) return false;   /* A1 */
    if (c->at > 0) memmove(c->out, c->out + c->at, c->n_out);
    c->at = 0;
    while (capacity < c->n_out + n) capacity *= 2;
    if (capacity == c->out_capacity) return true;
    if (!(out = tw_calloc(1, capacity))) return false;
    if (c->n_out) memcpy(out, c->out, c->n_out);
    tw_free(c->out);
    c->out = out;
    c->out_capacity = capacity;
    return true;
}

static void put_frame(struct client *c, char type, const char *text, size_t n)
{
    unsigned char head[LTW_FRAME_HEAD + 1];

    for (int i = 0; i < LTW_FRAME_HEAD; i++)
        head[i] = (unsigned char)((n + 1) >> (24 - 8 * i));
    head[LTW_FRAME_HEAD] = (unsigned char)type;
    memcpy(c->out + c->n_out, head, sizeof head);
    if (n) memcpy(c->out + c->n_out + sizeof head, text, n);
    c->n_out += sizeof head + n;
}

/* Text that is longer than a frame goes in several. */
static void send_frames(struct client *c, char type, const char *text, size_t n)
{
    do {
        size_t part = n < LTW_FRAME_MAX - 1 ? n : LTW_FRAME_MAX - 1;

        if (c->gone || c->leaving) return;
        if (!make_room(c, LTW_FRAME_HEAD + 1 + part)) {
            tw_log_printf(c->of->app->host.log, TW_LOG_WARN, "",
                          "attach: client %llu does not read: it is dropped",
                          (unsigned long long)c->id);
            drop(c);
            return;
        }
        put_frame(c, type, text, part);
        text += part;
        n -= part;
    } while (n > 0);
    write_out(c);
}

static void say_bye(struct client *c, const char *why)
{
    send_frames(c, LTW_FRAME_BYE, why, strlen(why));
    if (c->gone) return;
    c->leaving = true;
    if (c->n_out == 0) drop(c);
    else listen_to(c);
}

static size_t frame_length(const struct client *c)
{
    size_t n = 0;

    for (int i = 0; i < LTW_FRAME_HEAD; i++) n = n << 8 | (unsigned char)c->in[i];
    return n;
}

static void on_frame(struct client *c, const char *frame, size_t n)
{
    lua_State *L = c->of->app->state->L;

    lua_pushinteger(L, (lua_Integer)c->id);
    lua_pushlstring(L, frame, 1);
    lua_pushlstring(L, frame + 1, n - 1);
    call(c->of, "frame", 3);
}

static void take_frames(struct client *c)
{
    size_t used = 0, n;

    while (!c->gone && !c->leaving && c->n_in >= LTW_FRAME_HEAD) {
        n = frame_length(c);
        if (n == 0 || n > LTW_FRAME_MAX) {
            say_bye(c, "that is no frame of tidewire");
            return;
        }
        used = LTW_FRAME_HEAD + n;
        if (c->n_in < used) return;
        on_frame(c, c->in + LTW_FRAME_HEAD, n);
        c->n_in -= used;
        memmove(c->in, c->in + used, c->n_in);
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct client *c = poll->data;

    tw_be_main();
    if (status < 0) events = UV_READABLE;   /* recv says what it is */
    if (events & UV_WRITABLE) write_out(c);
    if (!(events & UV_READABLE) || c->gone || c->leaving) return;
    for (;;) {
        ssize_t n = recv(c->fd, c->in + c->n_in, LTW_FRAME_HEAD + LTW_FRAME_MAX - c->n_in,
                         MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (n <= 0) {
            drop(c);
            return;
        }
        c->n_in += (size_t)n;
        take_frames(c);
        return;   /* the others, too, have their turn */
    }
}

static struct client *find_client(struct ltw_attach *a, uint64_t id)
{
    struct client *c = a->clients;

    while (c && c->id != id) c = c->next;
    return c && !c->gone ? c : NULL;
}

static struct client *new_client(struct ltw_attach *a, int fd)
{
    struct client *c = tw_calloc(1, sizeof *c);

    if (!c) return NULL;
    c->in = tw_calloc(1, LTW_FRAME_HEAD + LTW_FRAME_MAX);
    if (!c->in || uv_poll_init(&a->app->loop, &c->poll, fd) < 0) {
        tw_free(c->in);
        tw_free(c);
        return NULL;
    }
    *c = (struct client){ .of = a, .next = a->clients, .poll = c->poll, .fd = fd,
                          .id = ++a->ids, .in = c->in };
    return c;
}

static void accept_one(struct ltw_attach *a, int fd)
{
    lua_State *L = a->app->state->L;
    struct client *c;
    uid_t uid;
    pid_t pid;

    if (ltw_endpoint_check(fd, &uid, &pid) < 0 || !(c = new_client(a, fd))) {
        close(fd);
        return;
    }
    c->poll.data = c;
    a->clients = c;
    a->handles++;
    if (++a->n_clients > CLIENTS_MAX || a->stopping) {
        say_bye(c, a->stopping ? "the run is ending" : "too many are attached");
        return;
    }
    listen_to(c);
    lua_pushinteger(L, (lua_Integer)c->id);
    lua_pushinteger(L, (lua_Integer)uid);
    lua_pushinteger(L, (lua_Integer)pid);
    call(a, "joined", 3);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct ltw_attach *a = poll->data;
    int fd;

    (void)status, (void)events;
    tw_be_main();
    while ((fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        accept_one(a, fd);
}

/* ---- what workers say ---- */

/* Thread: the worker's. */
static bool tell(struct ltw_evaluation *e, bool last, const char *text, size_t n)
{
    struct ltw_attach *a = e->ctx;
    struct news *m = tw_calloc(1, sizeof *m + n);

    if (!m) return false;
    m->of = e;
    m->last = last;
    m->n = n;
    if (n) memcpy(m->text, text, n);
    pthread_mutex_lock(&a->lock);
    *a->last = m;
    a->last = &m->next;
    pthread_mutex_unlock(&a->lock);
    uv_async_send(&a->bell);
    return true;
}

static bool on_said(struct ltw_evaluation *e, const char *text, size_t n)
{
    return tell(e, false, text, n);
}

/* Without memory nobody is told: MAIN gives it up at its deadline. */
static void on_ended(struct ltw_evaluation *e)
{
    tell(e, true, NULL, 0);
}

static void forget(struct ltw_attach *a, struct ltw_evaluation *e)
{
    struct ltw_evaluation **at = &a->evaluations;

    while (*at != e) at = &(*at)->next;
    *at = e->next;
    ltw_evaluation_unref(e);
}

static void hear(struct ltw_attach *a, const struct news *m)
{
    lua_State *L = a->app->state->L;
    struct ltw_evaluation *e = m->of;
    static const char no_memory[] = "not enough memory";

    lua_pushinteger(L, (lua_Integer)e->request);
    if (!m->last) {
        lua_pushlstring(L, m->text, m->n);
        call(a, "said", 2);
        return;
    }
    lua_pushboolean(L, e->fine && e->text);
    if (e->text) lua_pushlstring(L, e->text, e->n);
    else lua_pushstring(L, no_memory);
    lua_pushnumber(L, (double)e->used_ns / 1e9);
    call(a, "ended", 4);
    forget(a, e);
}

static void take_news(struct ltw_attach *a)
{
    struct news *m, *next;

    pthread_mutex_lock(&a->lock);
    m = a->first;
    a->first = NULL;
    a->last = &a->first;
    pthread_mutex_unlock(&a->lock);
    for (; m; m = next) {
        next = m->next;
        hear(a, m);
        tw_free(m);
    }
}

static void on_bell(uv_async_t *bell)
{
    tw_be_main();
    take_news(bell->data);
}

/* ---- for stdlib/attach.lua: their first upvalue is the struct ltw_attach ---- */

static struct ltw_attach *self(lua_State *L)   /* [-0, +0, -] */
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* send(client, type, text)
 * A frame to who is attached, if it still is.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_send(lua_State *L)
{
    struct client *c = find_client(self(L), (uint64_t)luaL_checkinteger(L, 1));
    const char *type = luaL_checkstring(L, 2);
    size_t n;
    const char *text = luaL_checklstring(L, 3, &n);

    if (c) send_frames(c, type[0], text, n);
    return 0;
}

/* evaluate(request, worker, script, what, line, cpu, bytes, wait) -> true | nil,
 * message, code
 * Asks a worker; tw.attach hears of the request in said and ended.  script: an index in
 * the worker, or -1.
 * Yields: no.  Blocks: no.  Thread: MAIN.
 * Errors: nil without memory, and when the run is ending.  Units: seconds, bytes. */
static int core_evaluate(lua_State *L)
{
    struct ltw_attach *a = self(L);
    uint64_t request = (uint64_t)luaL_checkinteger(L, 1);
    lua_Integer worker = luaL_checkinteger(L, 2);
    const char *const what[] = { "look", "change", "collect", "complete", NULL };
    int function = luaL_checkoption(L, 4, NULL, what);
    size_t n;
    const char *line = luaL_checklstring(L, 5, &n);
    struct ltw_evaluation *e;
    int rc;

    luaL_argcheck(L, worker >= 0 && worker < a->app->o.workers, 2, "no such worker");
    if (a->stopping) return ltw_fail(L, TW_ESTOPPED);
    e = ltw_evaluation_new(line, n);
    if (!e) return ltw_fail(L, UV_ENOMEM);
    e->engine = &a->app->engines[worker];
    e->request = request;
    e->script = (int)lua_tointeger(L, 3);
    e->what = what[function];
    e->cpu_ns = (int64_t)(lua_tonumber(L, 6) * 1e9);
    e->bytes = (int64_t)lua_tonumber(L, 7);
    e->wait_ns = (int64_t)(lua_tonumber(L, 8) * 1e9);
    e->said = on_said;
    e->ended = on_ended;
    e->ctx = a;
    e->next = a->evaluations;
    a->evaluations = e;
    rc = ltw_evaluation_begin(e);
    if (rc < 0) {
        forget(a, e);
        return ltw_fail(L, rc);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* cancel(request)
 * Ends the waits of what workers were asked.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_cancel(lua_State *L)
{
    struct ltw_attach *a = self(L);
    uint64_t request = (uint64_t)luaL_checkinteger(L, 1);

    for (struct ltw_evaluation *e = a->evaluations; e; e = e->next)
        if (e->request == request && !a->stopping) ltw_evaluation_cancel(e);
    return 0;
}

/* status() -> table
 * All figures of the run, as its summary has them.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: seconds, bytes. */
static int core_status(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, ltw_status);
    lua_pushlightuserdata(L, self(L)->app);
    lua_call(L, 1, 1);
    return 1;
}

static void pause_script(void *script)
{
    ltw_script_pause(script, true);
}

static void resume_script(void *script)
{
    ltw_script_pause(script, false);
}

/* pause(worker, script, paused) -> true | nil, message, code
 * A script of a worker takes no records, or does again.
 * Yields: no.  Blocks: no.  Thread: MAIN.
 * Errors: nil without memory, and when the run is ending.  Units: none. */
static int core_pause(lua_State *L)
{
    struct ltw_attach *a = self(L);
    lua_Integer worker = luaL_checkinteger(L, 1), i = luaL_checkinteger(L, 2);
    struct ltw_engine *e;
    int rc;

    luaL_argcheck(L, worker >= 0 && worker < a->app->o.workers, 1, "no such worker");
    e = &a->app->engines[worker];
    luaL_argcheck(L, i >= 0 && i < e->n, 2, "no such script");
    if (a->stopping) return ltw_fail(L, TW_ESTOPPED);
    rc = tw_worker_post(e->worker, lua_toboolean(L, 3) ? pause_script : resume_script,
                        e->scripts[i]);
    if (rc < 0) return ltw_fail(L, rc);
    lua_pushboolean(L, 1);
    return 1;
}

/* scripts() -> list
 * {name, worker, index, reliable} of every instance, in the order of core.status().
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_scripts(lua_State *L)
{
    struct tw_app *app = self(L)->app;
    lua_Integer n = 0;

    lua_newtable(L);
    for (unsigned w = 0; w < app->o.workers; w++)
        for (unsigned i = 0; i < app->engines[w].n; i++) {
            lua_createtable(L, 0, 4);
            lua_pushstring(L, app->engines[w].options[i].name);
            lua_setfield(L, -2, "name");
            ltw_set_count(L, "worker", w);
            ltw_set_count(L, "index", i);
            lua_pushboolean(L, app->engines[w].options[i].reliable);
            lua_setfield(L, -2, "reliable");
            lua_rawseti(L, -2, ++n);
        }
    return 1;
}

/* log(text)
 * A line in the run's log, of who is attached.
 * Yields: no.  Blocks: on the terminal.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_log(lua_State *L)
{
    size_t n;
    const char *text = luaL_checklstring(L, 1, &n);

    ltw_app_print(self(L)->app, TW_LOG_INFO, "audit", text, n);
    return 0;
}

/* log_level([level]) -> integer
 * What the run prints: lines up to that level; an audit is always printed.
 * Yields: no.  Blocks: no.  Thread: MAIN.  Errors: none.  Units: none. */
static int core_log_level(lua_State *L)
{
    struct tw_app *app = self(L)->app;

    if (!lua_isnoneornil(L, 1)) app->log_level = (enum tw_log_level)lua_tointeger(L, 1);
    lua_pushinteger(L, app->log_level);
    return 1;
}

static const luaL_Reg core[] = {
    { "send", core_send }, { "evaluate", core_evaluate }, { "cancel", core_cancel },
    { "status", core_status }, { "pause", core_pause }, { "scripts", core_scripts },
    { "log", core_log }, { "log_level", core_log_level }, { NULL, NULL }
};

/* [-0, +0, e]  Protected: loads tw.attach and gives it these. */
static int open_module(lua_State *L)
{
    struct ltw_attach *a = lua_touserdata(L, 1);

    lua_getglobal(L, "require");
    lua_pushliteral(L, "tw.attach");
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "open");
    luaL_newlibtable(L, core);
    lua_pushlightuserdata(L, a);
    luaL_setfuncs(L, core, 1);
    lua_pushstring(L, a->endpoint.name);
    lua_pushinteger(L, (lua_Integer)a->endpoint.pid);
    lua_pushinteger(L, a->app->o.workers);
    lua_call(L, 4, 0);
    return 0;
}

/* ---- all of it ---- */

static void on_closed(uv_handle_t *h)
{
    struct ltw_attach *a = h->data;

    a->handles--;
}

struct ltw_attach *ltw_attach_open(struct tw_app *app, const char *path,
                                   struct tw_error *error)
{
    struct ltw_attach *a = tw_calloc(1, sizeof *a);
    lua_State *L = app->state->L;

    if (!a || (a->fd = ltw_endpoint_listen(path, &a->endpoint, error)) < 0) {
        if (!a) tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        tw_free(a);
        return NULL;
    }
    a->app = app;
    a->last = &a->first;
    pthread_mutex_init(&a->lock, NULL);
    uv_async_init(&app->loop, &a->bell, on_bell);
    uv_poll_init(&app->loop, &a->listener, a->fd);
    a->bell.data = a->listener.data = a;
    a->handles = 2;
    lua_pushcfunction(L, open_module);
    lua_pushlightuserdata(L, a);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        tw_fail(error, TW_ESCRIPT, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
        ltw_attach_close(a);
        return NULL;
    }
    uv_poll_start(&a->listener, UV_READABLE, on_connection);
    return a;
}

void ltw_attach_go(struct ltw_attach *a)
{
    if (!a) return;
    a->going = true;
    for (struct client *c = a->clients; c; c = c->next)
        if (!c->gone) listen_to(c);
}

void ltw_attach_stop(struct ltw_attach *a)
{
    if (!a || a->stopping) return;
    for (struct ltw_evaluation *e = a->evaluations; e; e = e->next)
        ltw_evaluation_cancel(e);
    a->stopping = true;
    unlink(a->endpoint.path);
    for (struct client *c = a->clients; c; c = c->next)
        if (!c->gone) say_bye(c, "the run has ended");
}

void ltw_attach_close(struct ltw_attach *a)
{
    if (!a) return;
    ltw_attach_stop(a);
    for (struct client *c = a->clients; c; c = c->next) drop(c);
    uv_close((uv_handle_t *)&a->listener, on_closed);
    uv_close((uv_handle_t *)&a->bell, on_closed);
    while (a->handles > 0) uv_run(&a->app->loop, UV_RUN_NOWAIT);
    close(a->fd);
    while (a->first) {
        struct news *m = a->first;

        a->first = m->next;
        tw_free(m);
    }
    while (a->evaluations) forget(a, a->evaluations);   /* A2 */
    pthread_mutex_destroy(&a->lock);
    tw_free(a);
}

void ltw_attach_log(struct ltw_attach *a, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    lua_State *L;

    if (!a) return;
    L = a->app->state->L;
    lua_pushinteger(L, level);
    lua_pushstring(L, who);
    lua_pushlstring(L, text, n);
    call(a, "log", 3);
}

void ltw_attach_tick(struct ltw_attach *a)
{
    if (a) call(a, "tick", 0);
}

/* attach_client.c - the connections of who is attached: frames in, frames out.
 *
 * Invariants
 *   A1  A client takes at most OUT_MAX bytes of memory: one that does not read is
 *       dropped.  It has one line at a time.
 *   A3  No signal: a peer that has gone is an error of send.
 */
#include "attach/attached.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

enum { CLIENTS_MAX = 16, OUT_MAX = 2 << 20 };

struct ltw_client {
    struct ltw_attach *of;
    struct ltw_client *next;
    uv_poll_t poll;
    int fd;
    uint64_t id;
    char *in, *out;               /* LTW_FRAME_HEAD + LTW_FRAME_MAX; n_out used */
    size_t n_in, at, n_out, out_capacity;
    bool leaving;                 /* it goes when out is empty    */
    bool gone;                    /* its handle is being closed   */
};

static void on_client_closed(uv_handle_t *h)
{
    struct ltw_client *c = h->data, **at = &c->of->clients;

    while (*at != c) at = &(*at)->next;
    *at = c->next;
    c->of->n_clients--;
    c->of->handles--;
    close(c->fd);
    tw_free(c->in);
    tw_free(c->out);
    tw_free(c);
}

static void drop(struct ltw_client *c)
{
    lua_State *L = c->of->app->state->L;

    if (c->gone) return;
    c->gone = true;
    uv_close((uv_handle_t *)&c->poll, on_client_closed);
    lua_pushinteger(L, (lua_Integer)c->id);
    ltw_attach_call(c->of, "left", 1);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void listen_to(struct ltw_client *c)
{
    bool reads = !c->leaving && c->of->going;

    uv_poll_start(&c->poll, (reads ? UV_READABLE : 0) | (c->n_out ? UV_WRITABLE : 0),
                  on_ready);
}

static void write_out(struct ltw_client *c)
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
static bool make_room(struct ltw_client *c, size_t n)
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

static void put_frame(struct ltw_client *c, char type, const char *text, size_t n)
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
static void send_frames(struct ltw_client *c, char type, const char *text, size_t n)
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

static void say_bye(struct ltw_client *c, const char *why)
{
    send_frames(c, LTW_FRAME_BYE, why, strlen(why));
    if (c->gone) return;
    c->leaving = true;
    if (c->n_out == 0) drop(c);
    else listen_to(c);
}

static size_t frame_length(const struct ltw_client *c)
{
    size_t n = 0;

    for (int i = 0; i < LTW_FRAME_HEAD; i++) n = n << 8 | (unsigned char)c->in[i];
    return n;
}

static void on_frame(struct ltw_client *c, const char *frame, size_t n)
{
    lua_State *L = c->of->app->state->L;

    lua_pushinteger(L, (lua_Integer)c->id);
    lua_pushlstring(L, frame, 1);
    lua_pushlstring(L, frame + 1, n - 1);
    ltw_attach_call(c->of, "frame", 3);
}

static void take_frames(struct ltw_client *c)
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
    struct ltw_client *c = poll->data;

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

static struct ltw_client *find(struct ltw_attach *a, uint64_t id)
{
    struct ltw_client *c = a->clients;

    while (c && c->id != id) c = c->next;
    return c && !c->gone ? c : NULL;
}

static struct ltw_client *make(struct ltw_attach *a, int fd)
{
    struct ltw_client *c = tw_calloc(1, sizeof *c);

    if (!c) return NULL;
    c->in = tw_calloc(1, LTW_FRAME_HEAD + LTW_FRAME_MAX);
    if (!c->in || uv_poll_init(&a->app->loop, &c->poll, fd) < 0) {
        tw_free(c->in);
        tw_free(c);
        return NULL;
    }
    *c = (struct ltw_client){ .of = a, .next = a->clients, .poll = c->poll, .fd = fd,
                          .id = ++a->ids, .in = c->in };
    return c;
}

static void accept_one(struct ltw_attach *a, int fd)
{
    lua_State *L = a->app->state->L;
    struct ltw_client *c;
    char why[64];
    uid_t uid;
    pid_t pid;

    if (ltw_endpoint_check(fd, &uid, &pid) < 0 || !(c = make(a, fd))) {
        close(fd);
        return;
    }
    c->poll.data = c;
    a->clients = c;
    a->handles++;
    a->n_clients++;
    if (a->stopping) {
        say_bye(c, "the run is ending");
        return;
    }
    if (a->n_clients > CLIENTS_MAX) {
        snprintf(why, sizeof why, "%d are attached: no more are let in", CLIENTS_MAX);
        say_bye(c, why);
        return;
    }
    listen_to(c);
    lua_pushinteger(L, (lua_Integer)c->id);
    lua_pushinteger(L, (lua_Integer)uid);
    lua_pushinteger(L, (lua_Integer)pid);
    ltw_attach_call(a, "joined", 3);
}

/* Without a descriptor for the next one it stays in the queue, until a tick. */
void ltw_clients_accept(struct ltw_attach *a)
{
    int fd;

    while ((fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        accept_one(a, fd);
    a->deaf = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
}

void ltw_client_send(struct ltw_attach *a, uint64_t id, char type, const char *text,
                     size_t n)
{
    struct ltw_client *c = find(a, id);

    if (c) send_frames(c, type, text, n);
}

void ltw_clients_go(struct ltw_attach *a)
{
    for (struct ltw_client *c = a->clients; c; c = c->next)
        if (!c->gone) listen_to(c);
}

void ltw_clients_dismiss(struct ltw_attach *a, const char *why)
{
    for (struct ltw_client *c = a->clients; c; c = c->next)
        if (!c->gone) say_bye(c, why);
}

void ltw_clients_drop(struct ltw_attach *a)
{
    for (struct ltw_client *c = a->clients; c; c = c->next) drop(c);
}

/* fix_make.c - a session of the FIX engine is made of its options, and freed.
 *
 * Layer host/run.  Thread: any, before the session begins or after its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "run/fix_keep.h"
#include "run/fix_parts.h"

enum { QUEUE_BYTES = 1 << 20, SYNC_MS = 100, STALL_MS = 10000,
       PATH_BYTES = 4096, CODE_MAX = 8, LOG_BYTES = 64 << 20, LOG_FILES = 15 };

/* ---- options ---- */

static bool is_name(const char *name)
{
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                            "0123456789-_.:%");

    return n > 0 && n <= TW_FIX_NAME_MAX && name[n] == 0 && *name != '.';
}

static const char *fault_of(const struct tw_fix_link_options *o, const char *name)
{
    if (!name || !is_name(name))
        return "a name is 1 to 53 letters, digits or one of -_.:%, and begins with no .";
    if (o->session.initiator && o->hosts_n == 0) return "an initiator has no host";
    if (!o->session.initiator && o->hosts_n > 0) return "an acceptor has no hosts";
    if (o->retry_min_ms < 0 || o->retry_max_ms < 0 || o->sync_ms < 0 || o->stall_ms < 0)
        return "a time below 0";
    for (size_t i = 0; i < o->take_n; i++)
        if (strlen(o->take[i]) > CODE_MAX) return "a message type of more than 8 letters";
    return NULL;
}

/* A copy of a text that may be NULL; false: no memory. */
static bool own(struct tw_arena *a, const char **text)
{
    if (!*text) return true;
    *text = tw_arena_text(a, *text, strlen(*text));
    return *text != NULL;
}

static bool own_texts(struct tw_arena *a, struct tw_fix_session_options *s)
{
    const char **texts[] = { &s->sender, &s->sender_sub, &s->sender_location,
                             &s->target, &s->target_sub, &s->target_location };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!own(a, texts[i])) return false;
    return true;
}

static bool own_logon(struct tw_arena *a, struct tw_fix_session_options *s)
{
    struct tw_fix_extra *extra;

    if (s->logon_n == 0) return true;
    extra = tw_arena_take(a, s->logon_n * sizeof *extra);
    if (!extra) return false;
    memcpy(extra, s->logon, s->logon_n * sizeof *extra);
    s->logon = extra;
    for (size_t i = 0; i < s->logon_n; i++)
        if (!own(a, &extra[i].value)) return false;
    return true;
}

static bool own_schedule(struct tw_arena *a, struct tw_fix_session_options *s)
{
    struct tw_fix_schedule *copy;

    if (!s->schedule) return true;
    copy = tw_arena_take(a, sizeof *copy);
    if (copy) *copy = *s->schedule;
    s->schedule = copy;
    return copy != NULL;
}

static bool own_list(struct tw_arena *a, const char *const **list, size_t n)
{
    const char **copy;

    if (n == 0) return true;
    copy = tw_arena_take(a, n * sizeof *copy);
    if (!copy) return false;
    memcpy(copy, *list, n * sizeof *copy);
    *list = copy;
    for (size_t i = 0; i < n; i++)
        if (!own(a, &copy[i])) return false;
    return true;
}

static bool own_typed(struct tw_arena *a, struct tw_fix_session_options *s)
{
    struct tw_fix_typed *typed = NULL;

    if (s->typed_n == 0) return true;
    typed = tw_arena_take(a, s->typed_n * sizeof *typed);
    if (!typed) return false;
    memcpy(typed, s->typed, s->typed_n * sizeof *typed);
    s->typed = typed;
    for (size_t i = 0; i < s->typed_n; i++)
        if (!own(a, &typed[i].code)) return false;
    return true;
}

bool tw_fix_link_own(struct tw_arena *a, struct tw_fix_link_options *o)
{
    return own(a, &o->name) && own(a, &o->store) && own(a, &o->log)
        && own_texts(a, &o->session) && own_logon(a, &o->session)
        && own_typed(a, &o->session)
        && own_schedule(a, &o->session) && own_list(a, &o->take, o->take_n)
        && own_list(a, &o->hosts, o->hosts_n);
}

/* "host:port" or "[::1]:port", which is the arena's and is taken apart. */
static bool read_place(char *text, struct tw_dial_place *out)
{
    char *colon = strrchr(text, ':'), *end;
    unsigned long port;

    if (!colon) return false;
    *colon = 0;
    port = strtoul(colon + 1, &end, 10);
    if (*text == '[' && colon > text && colon[-1] == ']') {
        colon[-1] = 0;
        text++;
    }
    *out = (struct tw_dial_place){ text, (uint16_t)port };
    return *end == 0 && port > 0 && port < 65536 && tw_net_is_host(text);
}

static int read_places(struct tw_fix_link *l, struct tw_error *error)
{
    size_t n = l->o.hosts_n;

    if (n == 0) return TW_OK;
    l->places = tw_arena_take(&l->texts, n * sizeof *l->places);
    if (!l->places) return tw_fail(error, UV_ENOMEM, "no memory for hosts");
    for (size_t i = 0; i < n; i++) {
        char *copy = tw_arena_text(&l->texts, l->o.hosts[i], strlen(l->o.hosts[i]));

        if (!copy) return tw_fail(error, UV_ENOMEM, "no memory for hosts");
        if (!read_place(copy, &l->places[i]))
            return tw_fail(error, TW_EUSAGE, "'%s' is not host:port", l->o.hosts[i]);
    }
    return TW_OK;
}

/* ---- files ---- */

static int path_of(struct tw_fix_link *l, const char *folder, const char *end,
                   char out[PATH_BYTES], struct tw_error *error)
{
    int rc = tw_fix_keep_folder(folder, error);

    if (rc < 0) return rc;
    if (snprintf(out, PATH_BYTES, "%s/%s%s", folder, l->o.name, end) >= PATH_BYTES)
        return tw_fail(error, UV_ENAMETOOLONG, "folder %s", folder);
    return TW_OK;
}

static int open_files(struct tw_fix_link *l, size_t message_max, struct tw_error *error)
{
    struct tw_fix_store_options o = {
        .bytes = l->o.store_bytes, .sync = l->o.sync, .now_ns = tw_clock_now_ns()
    };
    struct tw_error damage = { .code = TW_OK };
    char path[PATH_BYTES];
    int rc;

    if (l->o.store) {
        rc = path_of(l, l->o.store, ".store", path, error);
        if (rc < 0) return rc;
        o.path = path;
    }
    l->store = tw_fix_store_open(&o, &damage);
    if (!l->store) return tw_fail(error, damage.code, "%s", damage.text);
    if (damage.code != TW_OK)   /* but it goes on */
        tw_log_printf(l->e->o.log, TW_LOG_WARN, l->who, "%s", damage.text);
    if (!l->o.log) return TW_OK;
    rc = path_of(l, l->o.log, ".log", path, error);
    return rc < 0 ? rc : tw_fix_log_open(&l->log, path, message_max, l->o.log_bytes,
                                         l->o.log_files, error);
}

/* ---- the link ---- */

static void set_defaults(struct tw_fix_link_options *o)
{
    if (o->queue_bytes == 0) o->queue_bytes = QUEUE_BYTES;
    if (o->sync_ms == 0) o->sync_ms = SYNC_MS;
    if (o->stall_ms == 0) o->stall_ms = STALL_MS;
    if (o->log_bytes == 0) o->log_bytes = LOG_BYTES;
    if (o->log_files == 0) o->log_files = LOG_FILES;
}

static int open_link(struct tw_fix_link *l, struct tw_error *error)
{
    struct tw_fix_session_options *s = &l->o.session;
    size_t max = s->message_max ? s->message_max : TW_FIX_MESSAGE_MAX;
    int rc = read_places(l, error);

    if (rc == TW_OK) rc = tw_fix_tape_open(l, error);
    if (rc == TW_OK) rc = open_files(l, max, error);
    if (rc < 0) return rc;
    if (l->o.tls) {
        l->tls = tw_tls_context_new(l->o.tls, error);
        if (!l->tls) return error->code;
        l->o.tls = NULL;   /* the caller's */
    }
    s->store = l->store;
    s->synced = l->o.sync == TW_FIX_SYNC_EACH;
    s->handlers = tw_fix_link_handlers;
    s->handlers.ctx = l;
    l->s = tw_fix_session_new(s, error);
    if (!l->s) return error->code;
    l->in_room = max + TW_FIX_READ_BYTES;
    l->in = tw_map(l->in_room, false);
    if (!l->in || tw_outbox_init(&l->outbox, l->o.queue_bytes) < 0)
        return tw_fail(error, UV_ENOMEM, "no memory for a session");
    return TW_OK;
}

struct tw_fix_link *tw_fix_link_make(struct tw_fix_engine *e, const char *name,
                                     const struct tw_fix_link_options *o,
                                     struct tw_fix_door *door, struct tw_error *error)
{
    const char *fault = fault_of(o, name);
    struct tw_fix_link *l;

    if (fault) {
        tw_fail(error, TW_EUSAGE, "FIX session %.60s: %s", name ? name : "", fault);
        return NULL;
    }
    if (tw_fix_engine_find(e, name)) {
        tw_fail(error, TW_EBUSY, "there is a FIX session %s already", name);
        return NULL;
    }
    l = tw_calloc_aligned(1, sizeof *l);
    if (!l) {
        tw_fail(error, UV_ENOMEM, "no memory for a FIX session");
        return NULL;
    }
    pthread_mutex_init(&l->lock, NULL);
    l->e = e;
    l->door = door;
    l->o = *o;
    l->o.name = name;
    l->log.fd = -1;
    l->timer_ns = l->look_ns = INT64_MAX;
    set_defaults(&l->o);
    snprintf(l->who, sizeof l->who, "fix %s", name);
    if (!tw_fix_link_own(&l->texts, &l->o))
        tw_fail(error, UV_ENOMEM, "no memory for a session");
    else if (open_link(l, error) == TW_OK && tw_fix_engine_enter(e, l, error) == TW_OK)
        return l;
    tw_fix_link_drop(l);
    return NULL;
}

void tw_fix_link_shut(struct tw_fix_link *l)
{
    tw_fix_session_free(l->s);
    tw_fix_store_close(l->store);
    tw_fix_log_close(&l->log);
    if (l->in) tw_unmap(l->in, l->in_room);
    l->s = NULL;
    l->store = NULL;
    l->in = NULL;
    tw_fix_engine_leave(l);
    pthread_mutex_lock(&l->lock);
    l->status.removed = true;
    pthread_mutex_unlock(&l->lock);
}

void tw_fix_link_drop(struct tw_fix_link *l)
{
    tw_fix_link_shut(l);
    tw_dial_free(&l->dial);
    tw_wire_fini(&l->own);
    tw_tls_context_free(l->tls);
    tw_outbox_fini(&l->outbox);
    pthread_mutex_destroy(&l->lock);
    tw_arena_fini(&l->texts);
    tw_free(l);
}

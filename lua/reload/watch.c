/* watch.c - notices when a file of a script has changed on the disk.
 *
 * Why: editors write a file in many ways: in place, which empties it first, or a new one
 * that is renamed over it.  So it is the directory that is watched, for the names that
 * matter, and a change counts when nothing more has happened for a moment.  Whether the
 * bytes are others is for who reads them.  A directory that is not there yet comes into
 * one that is.
 *
 * Layer lua.
 */
#include "reload/watch.h"

#include <limits.h>
#include <string.h>

#include "base/memory.h"
#include "reload/reload.h"
#include "source.h"

enum { QUIET_MS = 50 };

struct directory {
    struct ltw_watcher *of;
    uv_fs_event_t event;
    struct directory *next;
    bool told;                       /* that it can't be watched   */
    char path[];                     /* with its slash; "" is here */
};

struct ltw_watcher {
    struct ltw_reloads *reloads;     /* constant */
    uv_loop_t *loop;                 /* constant */
    struct tw_log *log;              /* constant */
    uv_timer_t quiet;                /* a change has been seen */
    struct directory *directories;
};

struct name { const struct directory *in; const char *name; bool matters; };

static void compare(void *ctx, const char *name)
{
    struct name *n = ctx;
    size_t length = strlen(n->in->path), of_name = strlen(n->name);
    char path[PATH_MAX];

    if (!ltw_source_on_disk(name, path, sizeof path)) return;
    if (strncmp(path, n->in->path, length) == 0
        && strncmp(path + length, n->name, of_name) == 0
        && (path[length + of_name] == '\0' || path[length + of_name] == '/'))
        n->matters = true;      /* it is a file, or the directory of one */
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct directory *d = event->data;
    struct name n = { d, name ? name : "", name == NULL || status < 0 };

    (void)events;
    tw_be_main();
    if (!n.matters) ltw_reload_each_file(d->of->reloads, compare, &n);
    if (n.matters) ltw_watcher_look(d->of);
}

static struct directory *find(struct ltw_watcher *w, const char *path, size_t n)
{
    struct directory *d = w->directories;

    while (d && (strncmp(d->path, path, n) != 0 || d->path[n] != '\0')) d = d->next;
    if (d) return d;
    d = tw_calloc(1, sizeof *d + n + 1);
    if (!d) return NULL;
    memcpy(d->path, path, n);
    d->of = w;
    d->event.data = d;
    d->next = w->directories;
    w->directories = d;
    uv_fs_event_init(w->loop, &d->event);
    return d;
}

/* The directory that is the first n of path; where it is none, the one it will be in. */
static void watch(struct ltw_watcher *w, const char *path, size_t n)
{
    struct directory *d = find(w, path, n);
    int rc = UV_ENOMEM;

    if (d && uv_is_active((uv_handle_t *)&d->event)) return;
    if (d) rc = uv_fs_event_start(&d->event, on_event, n ? d->path : ".", 0);
    if ((rc == UV_ENOENT || rc == UV_ENOTDIR) && n > 1) {
        for (n--; n > 0 && path[n - 1] != '/';) n--;
        watch(w, path, n);
    } else if (rc < 0 && !(d && d->told)) {
        if (d) d->told = true;
        tw_log_printf(w->log, TW_LOG_WARN, "", "cannot watch %.*s for new versions of"
                      " scripts: %s", n ? (int)n : 1, n ? path : ".", uv_strerror(rc));
    }
}

static void add(void *w, const char *name)
{
    char path[PATH_MAX], *slash;

    if (!ltw_source_on_disk(name, path, sizeof path)) return;
    slash = strrchr(path, '/');
    watch(w, path, slash ? (size_t)(slash + 1 - path) : 0);
}

/* A directory may be another one by the same name: so all begin anew. */
static void renew(struct ltw_watcher *w) TW_ON(MAIN)
{
    for (struct directory *d = w->directories; d; d = d->next)
        uv_fs_event_stop(&d->event);
    ltw_reload_each_file(w->reloads, add, w);
}

/* What happens while they begin anew is seen by looking at the files after that. */
static void on_quiet(uv_timer_t *timer)
{
    struct ltw_watcher *w = timer->data;

    tw_be_main();
    renew(w);
    ltw_reload_suspect(w->reloads);
}

void ltw_watcher_look(struct ltw_watcher *w)
{
    uv_timer_start(&w->quiet, on_quiet, QUIET_MS, 0);
}

struct ltw_watcher *ltw_watcher_new(struct ltw_reloads *r, uv_loop_t *loop,
                                    struct tw_log *log)
{
    struct ltw_watcher *w = tw_calloc(1, sizeof *w);

    if (!w) return NULL;
    w->reloads = r;
    w->loop = loop;
    w->log = log;
    uv_timer_init(loop, &w->quiet);
    w->quiet.data = w;
    renew(w);
    ltw_watcher_look(w);   /* what was saved since they were read, nobody has told */
    return w;
}

void ltw_watcher_free(struct ltw_watcher *w)
{
    struct directory *next;

    if (!w) return;
    for (struct directory *d = w->directories; d; d = next) {
        next = d->next;
        tw_free(d);
    }
    tw_free(w);
}

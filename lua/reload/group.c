/* group.c - the scripts of an app: their instances, their versions, their files.
 *
 * Layer lua.
 */
#include <string.h>

#include "base/memory.h"
#include "reload/library.h"
#include "reload/reloads.h"

enum { KEPT_BYTES = 64 << 20 };

/* market, of market.lua. */
static bool is_stem(const char *name, const char *file)
{
    size_t n = strlen(name);

    return strncmp(file, name, n) == 0 && strcmp(file + n, ".lua") == 0;
}

struct ltw_group *ltw_group_find(struct ltw_reloads *r, const char *name)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].name, name) == 0) return &r->groups[i];
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].path, name) == 0) return &r->groups[i];
    for (unsigned i = 0; i < r->app->n_scripts; i++)   /* a name of another instance */
        if (strcmp(r->app->scripts[i].name, name) == 0)
            return ltw_group_find(r, r->app->scripts[i].path);
    return is_stem(name, r->groups[0].name) ? &r->groups[0] : NULL;
}

bool ltw_group_reserve(struct ltw_group *g)
{
    struct ltw_version **grown = tw_realloc(g->versions, (g->n + 1) * sizeof *grown);

    if (grown) g->versions = grown;
    return grown != NULL;
}

void ltw_group_keep(struct ltw_group *g, struct ltw_version *v)
{
    struct ltw_version **all = g->versions;
    size_t bytes = ltw_version_bytes(v);
    unsigned first = g->n;

    while (first > 0 && (bytes += ltw_version_bytes(all[first - 1])) < KEPT_BYTES)
        first--;
    for (unsigned i = 0; i < first; i++) ltw_version_unref(all[i]);
    memmove(all, all + first, (g->n - first) * sizeof *all);
    g->dropped += first;
    g->n -= first;
    ltw_version_ref(all[g->n++] = v);
}

struct ltw_version *ltw_group_kept(const struct ltw_group *g, int number)
{
    if (number <= (int)g->dropped || number > (int)(g->dropped + g->n)) return NULL;
    return g->versions[(unsigned)number - g->dropped - 1];
}

void ltw_reload_suspect(struct ltw_reloads *r)
{
    for (unsigned i = 0; i < r->n; i++) r->groups[i].suspect = true;
    ltw_reloads_look(r);
}

struct files { void (*look)(void *ctx, const char *path); void *ctx; };

static bool look_at(void *ctx, const struct ltw_part *t)
{
    const struct files *f = ctx;

    f->look(f->ctx, t->path);
    return false;
}

void ltw_reload_each_file(struct ltw_reloads *r,
                          void (*look)(void *ctx, const char *path), void *ctx)
{
    struct files f = { look, ctx };

    for (unsigned i = 0; i < r->n; i++) {
        ltw_version_each(r->groups[i].now, look_at, &f);
        if (r->groups[i].tried != r->groups[i].now)
            ltw_version_each(r->groups[i].tried, look_at, &f);
    }
}

static struct ltw_group *group_of(struct ltw_reloads *r, const char *path)
{
    for (unsigned i = 0; i < r->n; i++)
        if (strcmp(r->groups[i].path, path) == 0) return &r->groups[i];
    return NULL;
}

static bool add_group(struct ltw_reloads *r, struct ltw_group group,
                      struct ltw_version *v)
{
    struct ltw_group *g = &r->groups[r->n++];

    *g = group;
    ltw_version_ref(g->now = v);
    ltw_version_ref(g->tried = v);
    if (!ltw_group_reserve(g)) return false;
    ltw_group_keep(g, v);
    return ltw_library_add(r->app->host.library, v);
}

static bool add_app(struct ltw_reloads *r)
{
    const char *path = r->app->path, *slash = strrchr(path, '/');
    struct ltw_group group = { .name = slash ? slash + 1 : path, .path = path,
                               .instances = 1, .is_app = true };

    return add_group(r, group, r->app->version);
}

const struct ltw_script_options *ltw_reload_options(struct ltw_reloads *r,
                                                    unsigned script)
{
    const struct ltw_script_options *o = &r->app->scripts[script];

    return ltw_version_options(group_of(r, o->path)->now, o->id);
}

static bool is_given(const struct ltw_script_options *a,
                     const struct ltw_script_options *b)
{
    return a->restarts == b->restarts && tw_any_equal(&a->options, &b->options);
}

bool ltw_groups_instruct(struct ltw_reloads *r, const struct ltw_script_options *scripts)
{
    unsigned n = r->app->n_scripts;

    for (unsigned i = 0; i < n; i++) {
        struct ltw_group *g = group_of(r, scripts[i].path);

        if (g->next || is_given(&scripts[i], ltw_reload_options(r, i))) continue;
        g->next = ltw_version_copy(g->now);
        if (!g->next || !ltw_version_instruct(g->next, scripts, n)) return false;
    }
    return true;
}

bool ltw_groups_add(struct ltw_reloads *r)
{
    if (!add_app(r)) return false;
    for (unsigned i = 0; i < r->app->n_scripts; i++) {
        const struct ltw_script_options *o = &r->app->scripts[i];
        struct ltw_group *g = group_of(r, o->path);

        if (!g) {
            if (!add_group(r, (struct ltw_group){ .name = o->name, .path = o->path,
                                                  .id = o->id }, o->version))
                return false;
            g = group_of(r, o->path);
        }
        g->instances++;
    }
    return true;
}

void ltw_groups_free(struct ltw_reloads *r)
{
    for (unsigned i = 0; r->groups && i < r->n; i++) {
        struct ltw_group *g = &r->groups[i];

        for (unsigned k = 0; k < g->n; k++) ltw_version_unref(g->versions[k]);
        tw_free(g->versions);
        ltw_version_unref(g->now);
        ltw_version_unref(g->tried);
        ltw_trial_unref(g->guard);
    }
    tw_free(r->groups);
}

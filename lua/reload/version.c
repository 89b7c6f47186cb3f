/* version.c - a version of a script: the text of its file and of what that requires, and
 * what the app says to its instances.
 *
 * Why: all instances of a script, on all workers, have to run the same code, while the
 * file on the disk may change between two looks at it.  So it is read once, and what it
 * requires is read once for all of them too; a rollback finds the bytes here.
 */
#include "reload/version.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "run/script.h"
#include "source.h"

struct ltw_version {
    atomic_uint references;
    unsigned number, of;             /* constant                          */
    struct ltw_script_options *options;  /* constant; one reference each  */
    unsigned n_options;              /* constant                          */
    struct ltw_part *file;           /* constant                          */
    pthread_mutex_t lock;            /* guards modules; a text is constant */
    struct ltw_part *modules;        /* mutex: it only grows               */
};

/* ---- parts ---- */

void ltw_part_free(struct ltw_part *t)
{
    if (!t) return;
    tw_free(t->name);
    tw_free(t->path);
    tw_free(t->bytes);
    tw_free(t);
}

static char *copy(const char *s, size_t n)
{
    char *out = tw_calloc(1, n + 1);

    return out ? memcpy(out, s, n) : NULL;
}

static struct ltw_part *new_part(const char *name, const char *path, char *bytes,
                                 size_t n)
{
    struct ltw_part *t = tw_calloc(1, sizeof *t);

    if (t) {
        t->name = copy(name, strlen(name));
        t->path = copy(path, strlen(path));
        t->bytes = bytes;
        t->n = n;
    }
    if (t && t->name && t->path) return t;
    if (t) t->bytes = NULL;          /* still the caller's */
    ltw_part_free(t);
    return NULL;
}

struct ltw_part *ltw_part_read(lua_State *L, const char *name, const char *path,
                               struct tw_error *error)
{
    struct ltw_part *t;
    char *bytes;
    size_t n;

    if (ltw_source_read(L, path, &bytes, &n, error) < 0) return NULL;
    t = new_part(name, path, bytes, n);
    if (t) return t;
    tw_free(bytes);
    tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    return NULL;
}

/* ---- versions ---- */

static struct ltw_version *new_version(struct ltw_part *file)
{
    struct ltw_version *v = file ? tw_calloc(1, sizeof *v) : NULL;

    if (!v) {
        ltw_part_free(file);
        return NULL;
    }
    atomic_init(&v->references, 1);
    pthread_mutex_init(&v->lock, NULL);
    v->file = file;
    v->number = 1;
    return v;
}

struct ltw_version *ltw_version_read(lua_State *L, const char *path,
                                     struct tw_error *error)
{
    struct ltw_part *file = ltw_part_read(L, "", path, error);
    struct ltw_version *v = file ? new_version(file) : NULL;

    if (file && !v) tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    return v;
}

static struct ltw_part *copy_part(const struct ltw_part *t)
{
    char *bytes = copy(t->bytes, t->n);
    struct ltw_part *made = bytes ? new_part(t->name, t->path, bytes, t->n) : NULL;

    if (!made) tw_free(bytes);
    return made;
}

struct ltw_version *ltw_version_copy(struct ltw_version *v)
{
    struct ltw_version *made = new_version(copy_part(v->file));
    bool fine = made && ltw_version_inherit(made, v);

    pthread_mutex_lock(&v->lock);
    for (const struct ltw_part *t = v->modules; t && fine; t = t->next) {
        struct ltw_part *module = copy_part(t);

        fine = module != NULL;
        if (!module) break;
        module->next = made->modules;
        made->modules = module;
    }
    pthread_mutex_unlock(&v->lock);
    if (fine) return made;
    ltw_version_unref(made);
    return NULL;
}

void ltw_version_ref(struct ltw_version *v)
{
    /* order [version.references] relaxed: the caller has one already */
    atomic_fetch_add_explicit(&v->references, 1, memory_order_relaxed);
}

static void drop_options(struct ltw_version *v)
{
    for (unsigned i = 0; i < v->n_options; i++) tw_any_unref(&v->options[i].options);
    tw_free(v->options);
    v->n_options = 0;
}

void ltw_version_unref(struct ltw_version *v)
{
    struct ltw_part *next;

    /* order [version.free] acq_rel: who frees it sees all that was done with it */
    if (!v || atomic_fetch_sub_explicit(&v->references, 1, memory_order_acq_rel) > 1)
        return;
    for (struct ltw_part *t = v->modules; t; t = next) {
        next = t->next;
        ltw_part_free(t);
    }
    ltw_part_free(v->file);
    drop_options(v);
    pthread_mutex_destroy(&v->lock);
    tw_free(v);
}

void ltw_version_number(struct ltw_version *v, unsigned number, unsigned of)
{
    v->number = number;
    v->of = of;
}

unsigned ltw_version_get_number(const struct ltw_version *v)
{
    return v->number;
}

unsigned ltw_version_get_of(const struct ltw_version *v)
{
    return v->of;
}

bool ltw_version_instruct(struct ltw_version *v, const struct ltw_script_options *o,
                          unsigned n)
{
    struct ltw_script_options *options = tw_calloc(n ? n : 1, sizeof *o);

    if (!options) return false;
    drop_options(v);
    v->options = options;
    for (unsigned i = 0; i < n; i++) {
        if (strcmp(o[i].path, v->file->path) != 0) continue;
        v->options[v->n_options++] = o[i];
        tw_any_ref(&o[i].options);
    }
    return true;
}

bool ltw_version_inherit(struct ltw_version *v, const struct ltw_version *from)
{
    return ltw_version_instruct(v, from->options, from->n_options);
}

const struct ltw_script_options *ltw_version_options(const struct ltw_version *v,
                                                     uint32_t id)
{
    const struct ltw_script_options *o = v->options;

    while (o->id != id) o++;
    return o;
}

const struct ltw_part *ltw_version_file(const struct ltw_version *v)
{
    return v->file;
}

static struct ltw_part *find_held(const struct ltw_version *v, const char *name)
{
    struct ltw_part *t = v->modules;

    while (t && strcmp(t->name, name) != 0) t = t->next;
    return t;
}

const struct ltw_part *ltw_version_module(struct ltw_version *v, lua_State *L,
                                          const char *name, const char *path,
                                          struct tw_error *error)
{
    struct ltw_part *t, *mine = NULL;

    pthread_mutex_lock(&v->lock);
    t = find_held(v, name);
    pthread_mutex_unlock(&v->lock);
    if (t || !path) return t;
    mine = ltw_part_read(L, name, path, error);
    if (!mine) return NULL;
    pthread_mutex_lock(&v->lock);
    t = find_held(v, name);          /* another thread may have been faster */
    if (!t) {
        mine->next = v->modules;
        v->modules = t = mine;
        mine = NULL;
    }
    pthread_mutex_unlock(&v->lock);
    ltw_part_free(mine);
    return t;
}

bool ltw_version_each(struct ltw_version *v,
                      bool (*look)(void *ctx, const struct ltw_part *t), void *ctx)
{
    const struct ltw_part *modules;

    pthread_mutex_lock(&v->lock);
    modules = v->modules;
    pthread_mutex_unlock(&v->lock);
    if (look(ctx, v->file)) return true;
    for (; modules; modules = modules->next)
        if (look(ctx, modules)) return true;
    return false;
}

static bool add_bytes(void *ctx, const struct ltw_part *t)
{
    *(size_t *)ctx += t->n;
    return false;
}

size_t ltw_version_bytes(struct ltw_version *v)
{
    size_t n = 0;

    ltw_version_each(v, add_bytes, &n);
    return n;
}

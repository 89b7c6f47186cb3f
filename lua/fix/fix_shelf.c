/* fix_shelf.c - the dictionaries and zones of a run's FIX sessions, each read once. */
#include "fix/fix_shelf.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/recorded.h"

/* Of a version and files. */
struct dictionary {
    struct dictionary *next;
    struct tw_fix_dictionary *d;
    char *spelling;                      /* as tape files have it */
    char key[];
};

struct zone {
    struct zone *next;
    struct tw_zone *z;
    char name[];
};

struct ltw_shelf {
    pthread_mutex_t lock;
    struct dictionary *dictionaries;     /* mutex: under lock */
    struct zone *zones;                  /* mutex: under lock */
};

struct ltw_shelf *ltw_shelf_new(void)
{
    struct ltw_shelf *s = tw_calloc(1, sizeof *s);

    if (s) pthread_mutex_init(&s->lock, NULL);
    return s;
}

void ltw_shelf_free(struct ltw_shelf *s)
{
    struct dictionary *next;
    struct zone *other;

    if (!s) return;
    for (struct dictionary *d = s->dictionaries; d; d = next) {
        next = d->next;
        tw_fix_dictionary_free(d->d);
        tw_free(d->spelling);
        tw_free(d);
    }
    for (struct zone *z = s->zones; z; z = other) {
        other = z->next;
        tw_zone_free(z->z);
        tw_free(z);
    }
    pthread_mutex_destroy(&s->lock);
    tw_free(s);
}

static int no_memory(struct tw_error *error)
{
    return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
}

/* That of the key, with the lock held; NULL: *error says why. */
static const struct tw_fix_dictionary *share(struct ltw_shelf *s, const char *key,
                                             struct tw_error *error)
{
    struct dictionary *one = s->dictionaries;
    int rc;

    while (one && strcmp(one->key, key) != 0) one = one->next;
    if (one) return one->d;
    one = tw_calloc(1, sizeof *one + strlen(key) + 1);
    rc = one ? ltw_recorded_make(key, true, &one->d, error) : no_memory(error);
    if (rc == TW_OK) {
        const char *name = tw_fix_version_name(tw_fix_dictionary_version(one->d));

        one->spelling = tw_calloc(1, strlen(name) + strlen(key) + 1);
        if (!one->spelling) rc = no_memory(error);
        else if (*key == '+') strcpy(one->spelling, key);
        else sprintf(one->spelling, "%s%s", name, key + strcspn(key, "\n"));
    }
    if (rc < 0) {
        if (one) tw_fix_dictionary_free(one->d);
        tw_free(one);
        return NULL;
    }
    strcpy(one->key, key);
    one->next = s->dictionaries;
    s->dictionaries = one;
    return one->d;
}

const struct tw_fix_dictionary *ltw_shelf_dictionary(struct ltw_shelf *s, const char *key,
                                                     struct tw_error *error)
{
    const struct tw_fix_dictionary *d;

    pthread_mutex_lock(&s->lock);
    d = share(s, key, error);
    pthread_mutex_unlock(&s->lock);
    return d;
}

const char *ltw_shelf_spelling(struct ltw_shelf *s, const struct tw_fix_dictionary *d)
{
    const struct dictionary *one;

    pthread_mutex_lock(&s->lock);
    for (one = s->dictionaries; one && one->d != d; one = one->next) continue;
    pthread_mutex_unlock(&s->lock);
    return one ? one->spelling : NULL;
}

bool ltw_shelf_has_type(struct ltw_shelf *s, const char *code)
{
    const struct dictionary *one;

    pthread_mutex_lock(&s->lock);
    one = s->dictionaries;
    while (one && !tw_fix_dictionary_type(one->d, code, strlen(code))) one = one->next;
    pthread_mutex_unlock(&s->lock);
    return one != NULL;
}

/* With the lock held. */
static struct zone *share_zone(struct ltw_shelf *s, const char *name,
                               struct tw_error *error)
{
    struct zone *one = s->zones;

    while (one && strcmp(one->name, name) != 0) one = one->next;
    if (one) return one;
    one = tw_calloc(1, sizeof *one + strlen(name) + 1);
    if (!one || !(one->z = tw_zone_open(name, error))) {
        if (!one) no_memory(error);
        tw_free(one);
        return NULL;
    }
    strcpy(one->name, name);
    one->next = s->zones;
    return s->zones = one;
}

int ltw_shelf_zone(struct ltw_shelf *s, const char *name, const struct tw_zone **out,
                   struct tw_error *error)
{
    struct zone *one;

    *out = NULL;
    if (!name) return TW_OK;
    pthread_mutex_lock(&s->lock);
    one = share_zone(s, name, error);
    pthread_mutex_unlock(&s->lock);
    if (one) *out = one->z;
    return one ? TW_OK : error->code;
}

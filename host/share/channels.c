/* channels.c - the channels that have a name: the same one in every state.
 *
 * Why: scripts that are loaded on different threads have nothing that they could
 * pass to each other a channel with, but for its name.  A name stays taken: what
 * was sent waits for a receiver that has not been started yet.
 *
 * Layer host/share.
 */
#include "share/channels.h"

#include <pthread.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"

struct tw_channels {
    pthread_mutex_t lock;
    struct tw_channel **list;            /* mutex: under lock, n of room */
    size_t n, room;                      /* mutex: under lock            */
};

struct tw_channels *tw_channels_new(void)
{
    struct tw_channels *cs = tw_calloc(1, sizeof *cs);

    if (cs) pthread_mutex_init(&cs->lock, NULL);
    return cs;
}

void tw_channels_free(struct tw_channels *cs)
{
    if (!cs) return;
    for (size_t i = 0; i < cs->n; i++) tw_channel_unref(cs->list[i]);
    pthread_mutex_destroy(&cs->lock);
    tw_free(cs->list);
    tw_free(cs);
}

static struct tw_channel *find_held(const struct tw_channels *cs, const char *name)
{
    for (size_t i = 0; i < cs->n; i++)
        if (strcmp(tw_channel_name(cs->list[i]), name) == 0) return cs->list[i];
    return NULL;
}

static int add_held(struct tw_channels *cs, struct tw_channel *c)
{
    if (cs->n == TW_CHANNELS_MAX) return TW_ELIMIT;
    if (cs->n == cs->room) {
        struct tw_channel **list = tw_grow(cs->list, &cs->room, cs->n + 1, sizeof *list);

        if (!list) return UV_ENOMEM;
        cs->list = list;
    }
    tw_channel_ref(c);
    cs->list[cs->n++] = c;
    return TW_OK;
}

int tw_channels_enter(struct tw_channels *cs, struct tw_channel *fresh,
                      struct tw_channel **out)
{
    int rc = TW_OK;

    pthread_mutex_lock(&cs->lock);
    *out = find_held(cs, tw_channel_name(fresh));
    if (!*out) {
        rc = add_held(cs, fresh);
        if (rc == TW_OK) *out = fresh;
    }
    if (*out) tw_channel_ref(*out);
    pthread_mutex_unlock(&cs->lock);
    return rc;
}

struct tw_channel *tw_channels_at(struct tw_channels *cs, unsigned i)
{
    struct tw_channel *c = NULL;

    pthread_mutex_lock(&cs->lock);
    if (i < cs->n) {
        c = cs->list[i];
        tw_channel_ref(c);
    }
    pthread_mutex_unlock(&cs->lock);
    return c;
}

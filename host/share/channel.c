/* channel.c - a bounded queue of values between tasks of any threads.
 *
 * Why: a value could be handed to the task that waits longest.  But its thread
 * may be in a long computation, or the task may be giving up just now, and the
 * value would be stuck there.  So the value stays in the queue, the task is told
 * to look, and whoever looks first has it.  A task that goes away without a look
 * must not have been the only one that knew (C2).
 *
 * Layout
 *   values   a ring: the oldest is at `first`, `depth` of them are in use
 *   keys     TW_WHEN_FULL_LATEST alone: keys[i] is of values[i]
 *   index    open addressing, linear: cells of slot numbers + 1, 0 is free
 *
 * Invariants
 *   C1  depth <= capacity; sent = received + dropped + replaced + depth.
 *   C2  While receivers wait, at least as many have been told, and not come back
 *       yet, as there are values.  While senders wait, the same of free slots.
 *   C3  index has each slot in use once, and no two of them have equal keys.
 *   C4  A closed channel has no waiters, and its depth never grows.
 *   C5  A reference is given up with no lock held.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/channel.h"

#include <pthread.h>
#include <string.h>

#include "base/memory.h"

struct key {
    struct tw_any key;
    uint64_t hash;
};

struct side {
    struct tw_waiters list;
    uint32_t waiting;                    /* nodes in list               */
    uint32_t told;                       /* told, and not come back yet */
};

struct tw_channel {
    struct tw_object object;
    enum tw_when_full when_full;         /* constant                    */
    uint32_t capacity, mask;             /* constant; mask: of index    */
    const char *name, *field;            /* constant, in texts; or NULL */
    pthread_mutex_t lock;
    bool closed;                         /* mutex: under lock, as below */
    uint32_t first, depth, high_water;
    uint64_t sent, received, dropped, replaced;
    struct side side[2];                 /* by enum tw_channel_side     */
    struct tw_any *values;
    struct key *keys;
    uint32_t *index;
    char texts[];                        /* constant                    */
};

static uint32_t slot(const struct tw_channel *c, uint32_t i)
{
    uint32_t at = c->first + i;

    return at < c->capacity ? at : at - c->capacity;
}

static void channel_free(struct tw_object *o)
{
    struct tw_channel *c = (struct tw_channel *)o;

    assert(!c->side[TW_RECEIVERS].waiting && !c->side[TW_SENDERS].waiting);
    for (uint32_t i = 0; i < c->depth; i++) {
        tw_any_unref(&c->values[slot(c, i)]);
        if (c->keys) tw_any_unref(&c->keys[slot(c, i)].key);
    }
    tw_free(c->values);
    tw_free(c->keys);
    tw_free(c->index);
    pthread_mutex_destroy(&c->lock);
    tw_free(c);
}

const struct tw_object_type tw_channel_type = { "tw.channel", channel_free };

static struct tw_channel *make(uint32_t capacity, enum tw_when_full when_full,
                               const char *name, const char *field)
{
    size_t n = name ? strlen(name) + 1 : 0, m = field ? strlen(field) + 1 : 0;
    struct tw_channel *c = tw_calloc(1, sizeof *c + n + m);
    uint32_t cells = 2;

    assert(capacity >= 1 && capacity <= TW_CHANNEL_MAX);
    if (!c) return NULL;
    pthread_mutex_init(&c->lock, NULL);
    tw_object_init(&c->object, &tw_channel_type);
    c->when_full = when_full;
    c->capacity = capacity;
    if (name) c->name = memcpy(c->texts, name, n);
    if (field) c->field = memcpy(c->texts + n, field, m);
    c->values = tw_calloc(capacity, sizeof *c->values);
    if (!c->values) goto fail;
    if (when_full == TW_WHEN_FULL_LATEST) {
        while (cells < 2 * capacity) cells *= 2;
        c->mask = cells - 1;
        c->keys = tw_calloc(capacity, sizeof *c->keys);
        c->index = tw_calloc(cells, sizeof *c->index);
        if (!c->keys || !c->index) goto fail;
    }
    return c;
fail:
    tw_channel_unref(c);
    return NULL;
}

struct tw_channel *tw_channel_new(uint32_t capacity, enum tw_when_full when_full,
                                  const char *name)
{
    return make(capacity, when_full, name, NULL);
}

struct tw_channel *tw_channel_new_keyed(uint32_t capacity, const char *field,
                                        const char *name)
{
    return make(capacity, TW_WHEN_FULL_LATEST, name, field);
}

struct tw_object *tw_channel_object(struct tw_channel *c)
{
    return &c->object;
}

void tw_channel_ref(struct tw_channel *c)
{
    tw_object_ref(&c->object);
}

void tw_channel_unref(struct tw_channel *c)
{
    tw_object_unref(&c->object);
}

enum tw_when_full tw_channel_when_full(const struct tw_channel *c)
{
    return c->when_full;
}

const char *tw_channel_name(const struct tw_channel *c)
{
    return c->name;
}

const char *tw_channel_field(const struct tw_channel *c)
{
    return c->field;
}

/* The cell of the slot that has this key, or the free cell where it belongs. */
static uint32_t find_held(const struct tw_channel *c, const struct key *k)
{
    uint32_t i = (uint32_t)k->hash & c->mask;

    for (; c->index[i]; i = (i + 1) & c->mask) {
        const struct key *other = &c->keys[c->index[i] - 1];

        if (other->hash == k->hash && tw_any_equal(&other->key, &k->key)) break;
    }
    return i;
}

/* Frees the cell of a slot; those behind it that may stand there move up. */
static void forget_held(struct tw_channel *c, uint32_t at)
{
    uint32_t i = (uint32_t)c->keys[at].hash & c->mask;

    while (c->index[i] != at + 1) i = (i + 1) & c->mask;
    for (uint32_t j = (i + 1) & c->mask; c->index[j]; j = (j + 1) & c->mask) {
        uint32_t home = (uint32_t)c->keys[c->index[j] - 1].hash & c->mask;

        if (((j - home) & c->mask) < ((j - i) & c->mask)) continue;
        c->index[i] = c->index[j];
        i = j;
    }
    c->index[i] = 0;
}

/* What left the channel under its lock, to be let go after (C5). */
struct leaving { struct tw_any value, key; };

static void let_go(const struct leaving *l)
{
    tw_any_unref(&l->value);
    tw_any_unref(&l->key);
}

static void pop_held(struct tw_channel *c, struct leaving *out)
{
    out->value = c->values[c->first];
    if (c->keys) {
        forget_held(c, c->first);
        out->key = c->keys[c->first].key;
    }
    c->first = slot(c, 1);
    c->depth--;
}

static void push_held(struct tw_channel *c, const struct key *key, struct tw_any value)
{
    uint32_t at = slot(c, c->depth);

    c->values[at] = value;
    if (c->keys) {
        c->keys[at] = *key;
        tw_any_ref(&key->key);
        c->index[find_held(c, key)] = at + 1;
    }
    c->depth++;
    if (c->depth > c->high_water) c->high_water = c->depth;
}

/* True: the value of the same key gave way to this one. */
static bool replace_held(struct tw_channel *c, const struct key *key,
                         struct tw_any value, struct leaving *out)
{
    uint32_t cell = find_held(c, key), at = c->index[cell] - 1;

    if (!c->index[cell]) return false;
    out->value = c->values[at];
    c->values[at] = value;
    c->replaced++;
    return true;
}

static void tell_held(struct side *s)
{
    if (!tw_waiters_tell_first_held(&s->list)) return;
    s->waiting--;
    s->told++;
}

static int send_held(struct tw_channel *c, const struct key *key, struct tw_any value,
                     struct leaving *out)
{
    if (c->closed) return TW_ECLOSED;
    if (c->keys && replace_held(c, key, value, out)) {
        c->sent++;
        return 0;
    }
    if (c->depth == c->capacity) {
        if (c->when_full == TW_WHEN_FULL_WAIT || c->when_full == TW_WHEN_FULL_ERROR)
            return TW_EFULL;
        pop_held(c, out);
        c->dropped++;
    }
    push_held(c, key, value);
    c->sent++;
    tell_held(&c->side[TW_RECEIVERS]);   /* C2 */
    return 0;
}

int tw_channel_try_send(struct tw_channel *c, const struct tw_any *key,
                        struct tw_any value)
{
    struct leaving out = {0};
    struct key k = {0};
    int rc;

    if (c->keys) {
        if (key) k.key = *key;
        k.hash = tw_any_hash(&k.key);
    }
    pthread_mutex_lock(&c->lock);
    rc = send_held(c, &k, value, &out);
    pthread_mutex_unlock(&c->lock);
    let_go(&out);
    return rc;
}

int tw_channel_try_recv(struct tw_channel *c, struct tw_any *out)
{
    struct leaving l = {0};
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    if (c->depth) {
        pop_held(c, &l);
        c->received++;
        tell_held(&c->side[TW_SENDERS]);   /* C2 */
    } else {
        rc = c->closed ? TW_ECLOSED : TW_EEMPTY;
    }
    pthread_mutex_unlock(&c->lock);
    tw_any_unref(&l.key);
    if (rc == 0) *out = l.value;
    return rc;
}

void tw_channel_close(struct tw_channel *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    for (int i = 0; i < 2; i++)
        while (c->side[i].waiting) tell_held(&c->side[i]);   /* C4 */
    pthread_mutex_unlock(&c->lock);
}

/* For a receiver: values; for a sender: free slots. */
static uint32_t offered_held(const struct tw_channel *c, enum tw_channel_side side)
{
    return side == TW_RECEIVERS ? c->depth : c->capacity - c->depth;
}

/* A node that was told came back. */
static void back_held(struct side *s, struct tw_wait *node)
{
    node->told = false;
    s->told--;
}

static bool wait_on(struct tw_channel *c, struct tw_wait *node, enum tw_channel_side side)
{
    struct side *s = &c->side[side];
    bool waits;

    pthread_mutex_lock(&c->lock);
    s->waiting -= tw_waiters_remove_held(&s->list, node);
    waits = !c->closed && !offered_held(c, side);
    if (waits) {
        s->waiting++;
        if (node->told) {
            back_held(s, node);
            tw_waiters_return_held(&s->list, node);
        } else {
            tw_waiters_add_held(&s->list, node);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return waits;
}

bool tw_channel_wait_recv(struct tw_channel *c, struct tw_wait *node)
{
    return wait_on(c, node, TW_RECEIVERS);
}

bool tw_channel_wait_send(struct tw_channel *c, struct tw_wait *node)
{
    return c->when_full == TW_WHEN_FULL_WAIT && wait_on(c, node, TW_SENDERS);
}

void tw_channel_leave(struct tw_channel *c, struct tw_wait *node,
                      enum tw_channel_side side)
{
    struct side *s = &c->side[side];

    pthread_mutex_lock(&c->lock);
    s->waiting -= tw_waiters_remove_held(&s->list, node);
    if (node->told) {
        back_held(s, node);
        if (s->told < offered_held(c, side)) tell_held(s);   /* C2 */
    }
    pthread_mutex_unlock(&c->lock);
}

void tw_channel_stats(struct tw_channel *c, struct tw_channel_stats *out)
{
    pthread_mutex_lock(&c->lock);
    *out = (struct tw_channel_stats){
        .capacity = c->capacity, .depth = c->depth, .high_water = c->high_water,
        .receivers = c->side[TW_RECEIVERS].waiting,
        .senders = c->side[TW_SENDERS].waiting, .sent = c->sent,
        .received = c->received, .dropped = c->dropped, .replaced = c->replaced,
        .closed = c->closed,
    };
    pthread_mutex_unlock(&c->lock);
}

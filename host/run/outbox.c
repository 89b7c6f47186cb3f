/* outbox.c - a bounded queue of messages from any thread to the one that sends them.
 *
 * Why one copy and a lock among those who put: what is done under it is that copy; the
 * owner takes no lock, so nobody who was interrupted there holds it up.
 *
 * Layout: a ring of entries, each a word with its length and then its bytes, rounded up
 * to 16.  One that would wrap is put at the ring's begin, behind an entry without end.
 *
 *     | entry | entry |   room   | entry | ... SKIP |
 *             end                first
 *
 * Layer host/run.  Thread: see outbox.h.
 */
#include "run/outbox.h"

#include <string.h>
#include <sys/mman.h>
#include <uv.h>

#include "base/memory.h"

enum { GRAIN = 16, LEAST = 4096 };
static const uint64_t SKIP = UINT64_MAX;

int tw_outbox_init(struct tw_outbox *o, size_t bytes)
{
    memset(o, 0, sizeof *o);
    for (o->room = LEAST; o->room < bytes;) o->room *= 2;
    o->bytes = tw_map(o->room, false);
    if (!o->bytes) return UV_ENOMEM;
    pthread_mutex_init(&o->lock, NULL);
    return TW_OK;
}

void tw_outbox_fini(struct tw_outbox *o)
{
    if (!o->bytes) return;
    pthread_mutex_destroy(&o->lock);
    tw_unmap(o->bytes, o->room);
    o->bytes = NULL;
}

void tw_outbox_close(struct tw_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    o->closed = true;
    pthread_mutex_unlock(&o->lock);
}

void tw_outbox_shed(struct tw_outbox *o)
{
    pthread_mutex_lock(&o->lock);   /* who was putting has put */
    assert(o->closed && tw_outbox_bytes(o) == 0);
    madvise(o->bytes, o->room, MADV_DONTNEED);
    pthread_mutex_unlock(&o->lock);
}

static char *at(const struct tw_outbox *o, uint64_t place)
{
    return o->bytes + (place & (o->room - 1));
}

static uint64_t size_of(uint64_t n)
{
    return (sizeof n + n + GRAIN - 1) / GRAIN * GRAIN;
}

int64_t tw_outbox_put(struct tw_outbox *o, const void *head, size_t head_n,
                      const void *body, size_t body_n)
{
    uint64_t n = head_n + body_n, size = size_of(n), first, end, left;
    int64_t number;
    char *p;

    if (n > o->room || size > o->room / 2) return TW_ELIMIT;
    pthread_mutex_lock(&o->lock);
    /* order [outbox.first] acquire: what was there has been read */
    first = atomic_load_explicit(&o->first, memory_order_acquire);
    /* order [outbox.end] relaxed: under the lock */
    end = atomic_load_explicit(&o->end, memory_order_relaxed);
    left = o->room - (end & (o->room - 1));   /* to the ring's end */
    if (o->closed || end + size + (left < size ? left : 0) - first > o->room) {
        number = o->closed ? TW_ECLOSED : TW_EFULL;
        pthread_mutex_unlock(&o->lock);
        return number;
    }
    if (left < size) {
        memcpy(at(o, end), &SKIP, sizeof SKIP);
        end += left;
    }
    p = at(o, end);
    memcpy(p, &n, sizeof n);
    memcpy(p + sizeof n, head, head_n);
    if (body_n > 0) memcpy(p + sizeof n + head_n, body, body_n);
    number = (int64_t)++o->count;
    /* order [outbox.end] release: the entry is whole */
    atomic_store_explicit(&o->end, end + size, memory_order_release);
    pthread_mutex_unlock(&o->lock);
    return number;
}

const char *tw_outbox_first(struct tw_outbox *o, size_t *n)
{
    /* order [outbox.first] relaxed: the owner alone stores it */
    uint64_t first = atomic_load_explicit(&o->first, memory_order_relaxed), length;
    /* order [outbox.end] acquire: entries before it are whole */
    uint64_t end = atomic_load_explicit(&o->end, memory_order_acquire);

    if (first == end) return NULL;
    memcpy(&length, at(o, first), sizeof length);
    if (length == SKIP) {
        first += o->room - (first & (o->room - 1));
        /* order [outbox.first] release: it was read */
        atomic_store_explicit(&o->first, first, memory_order_release);
        memcpy(&length, at(o, first), sizeof length);
    }
    *n = (size_t)length;
    return at(o, first) + sizeof length;
}

void tw_outbox_drop(struct tw_outbox *o)
{
    /* order [outbox.first] relaxed: the owner alone stores it */
    uint64_t first = atomic_load_explicit(&o->first, memory_order_relaxed), length;

    memcpy(&length, at(o, first), sizeof length);
    assert(length != SKIP);
    /* order [outbox.first] release: it was read */
    atomic_store_explicit(&o->first, first + size_of(length), memory_order_release);
}

size_t tw_outbox_bytes(const struct tw_outbox *o)
{
    /* order [outbox.first] acquire: before the end, which is not less then */
    uint64_t first = atomic_load_explicit(&o->first, memory_order_acquire);

    /* order [outbox.end] acquire: a figure */
    return (size_t)(atomic_load_explicit(&o->end, memory_order_acquire) - first);
}

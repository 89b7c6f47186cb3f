/* policy.c - what a full cache gives up next: S3-FIFO, LRU or FIFO.
 *
 * Why: LRU forgets everything for one scan, and links a list anew on each hit.
 * S3-FIFO (Yang and others, SOSP 2023) gives up a newcomer soon unless it is
 * used again, and a hit is one byte, so that readers need no lock.  What its
 * hit rate rests on is the ghost: which keys were given up not long ago.
 *
 * Layout:  newcomers ----> small, a tenth ----> victims, known to the ghost
 *                              | used twice
 *                              v
 *          the recalled --> main --> victims
 *                           ^  |
 *                           +--+ used: one round more, one hit less
 *
 * LRU and FIFO have main alone, and no hits in it.
 *
 * The ghost is a queue of 32-bit prints of hashes, found by chains: what it
 * takes for another key (one in 4000 with a million in it) goes to main at
 * once, no more.  It knows nine tenths as many keys as there are nodes; the
 * oldest is forgotten for a new one, and one that is recalled makes room.
 *
 * Invariants
 *   P1  A queue's sums are those of the nodes in it, and a node is in a queue
 *       if and only if it says so.
 *   P2  tw_policy_victim(p, w) is NULL only if the sum and w are at most the
 *       capacity, if w alone is above it, or if no node is left.
 *   P3  The ghost holds no print twice, and nothing when nothing is recalled.
 *
 * Layer host/share.  Thread: see each function.
 */
#include "share/policy.h"

#include "base/memory.h"

enum {
    HITS_MAX = 3, PROMOTED = 2,    /* hits counted; that lead from small to main */
    SMALL_PART = 10,               /* small is this part of the capacity         */
    ROOM_MIN = 16
};
enum queue_id { NONE, SMALL, MAIN_QUEUE, QUEUES };

/* end.older is the newest node, end.newer the oldest. */
struct queue {
    struct tw_policy_node end;
    uint64_t count, weight;
};

/* An index of 0 ends a list; keys[0] is the queue's end, as above. */
struct key {
    uint32_t print, newer, older;
    uint32_t chain;                /* the next of its bucket, or of the free ones */
};

struct ghost {
    struct key *keys;              /* 1..room */
    uint32_t *buckets;             /* room of them, a power of two: heads of chains */
    uint32_t room, count, free;
};

struct tw_policy {
    enum tw_policy_kind kind;           /* constant           */
    uint64_t capacity;                  /* constant           */
    struct queue queue[QUEUES];         /* mutex: the caller's */
    struct ghost ghost;                 /* mutex: the caller's */
};

static uint32_t *bucket_of(struct ghost *g, uint32_t print)
{
    return &g->buckets[print & (g->room - 1)];
}

static void chain_in(struct ghost *g, uint32_t i)
{
    uint32_t *head = bucket_of(g, g->keys[i].print);

    g->keys[i].chain = *head;
    *head = i;
}

/* Makes room for more keys when the nodes are that many; without memory the
 * ghost stays as it is. */
static void ghost_grow(struct ghost *g, uint64_t nodes)
{
    uint32_t room = g->room ? 2 * g->room : ROOM_MIN, *buckets;
    struct key *keys;

    if (nodes <= g->room || room == 0) return;
    buckets = tw_calloc(room, sizeof *buckets);
    if (!buckets) return;
    keys = tw_realloc(g->keys, ((size_t)room + 1) * sizeof *keys);
    if (!keys) {
        tw_free(buckets);
        return;
    }
    if (!g->keys) keys[0] = (struct key){0};
    tw_free(g->buckets);
    g->keys = keys;
    g->buckets = buckets;
    for (uint32_t i = room; i > g->room; i--) {
        keys[i].chain = g->free;
        g->free = i;
    }
    g->room = room;
    for (uint32_t i = keys[0].older; i; i = keys[i].older) chain_in(g, i);
}

/* Forgets the key that *link, of its bucket's chain, leads to. */
static void ghost_drop(struct ghost *g, uint32_t *link)
{
    uint32_t i = *link;
    struct key *k = &g->keys[i];

    *link = k->chain;
    g->keys[k->newer].older = k->older;
    g->keys[k->older].newer = k->newer;
    k->chain = g->free;
    g->free = i;
    g->count--;
}

/* True when the key was known; now it is not. */
static bool ghost_recall(struct ghost *g, uint64_t hash)
{
    uint32_t print = (uint32_t)hash, *link;

    if (g->count == 0) return false;
    for (link = bucket_of(g, print); *link; link = &g->keys[*link].chain)
        if (g->keys[*link].print == print) {
            ghost_drop(g, link);
            return true;
        }
    return false;
}

/* Knows a key from now on, and at most `limit` in all. */
static void ghost_remember(struct ghost *g, uint64_t hash, uint64_t limit)
{
    uint32_t i, *link;

    if (limit > g->room) limit = g->room;
    ghost_recall(g, hash);
    while (g->count && g->count >= limit) {
        i = g->keys[0].newer;
        link = bucket_of(g, g->keys[i].print);
        while (*link != i) link = &g->keys[*link].chain;
        ghost_drop(g, link);
    }
    if (limit == 0) return;
    i = g->free;
    g->free = g->keys[i].chain;
    g->keys[i] = (struct key){ .print = (uint32_t)hash, .older = g->keys[0].older };
    g->keys[g->keys[0].older].newer = i;
    g->keys[0].older = i;
    chain_in(g, i);
    g->count++;
}

static void push(struct tw_policy *p, enum queue_id id, struct tw_policy_node *n)
{
    struct queue *q = &p->queue[id];

    n->queue = (uint8_t)id;
    n->newer = &q->end;
    n->older = q->end.older;
    n->older->newer = n;
    q->end.older = n;
    q->count++;
    q->weight += n->weight;
}

static void unlink_node(struct tw_policy *p, struct tw_policy_node *n)
{
    struct queue *q = &p->queue[n->queue];

    n->newer->older = n->older;
    n->older->newer = n->newer;
    n->newer = n->older = NULL;
    n->queue = NONE;
    q->count--;
    q->weight -= n->weight;
}

static unsigned hits_of(const struct tw_policy_node *n)
{
    /* order [policy.hits] relaxed: a hint that orders nothing */
    return atomic_load_explicit(&n->hits, memory_order_relaxed);
}

/* Two that count at once may count one: the entry is in use all the same. */
static void set_hits(struct tw_policy_node *n, unsigned hits)
{
    /* order [policy.hits] relaxed: a hint that orders nothing */
    atomic_store_explicit(&n->hits, (uint8_t)hits, memory_order_relaxed);
}

struct tw_policy *tw_policy_new(enum tw_policy_kind kind, uint64_t capacity)
{
    struct tw_policy *p = tw_calloc(1, sizeof *p);

    if (!p) return NULL;
    p->kind = kind;
    p->capacity = capacity;
    for (int i = 0; i < QUEUES; i++)
        p->queue[i].end.newer = p->queue[i].end.older = &p->queue[i].end;
    return p;
}

void tw_policy_free(struct tw_policy *p)
{
    if (!p) return;
    tw_free(p->ghost.keys);
    tw_free(p->ghost.buckets);
    tw_free(p);
}

/* The oldest of main that was not used since it came here or went round; the
 * bound holds when readers count new hits meanwhile. */
static struct tw_policy_node *main_victim(struct tw_policy *p)
{
    struct queue *q = &p->queue[MAIN_QUEUE];
    struct tw_policy_node *n = q->end.newer;
    uint64_t turns = HITS_MAX * q->count;

    for (unsigned hits; turns > 0 && (hits = hits_of(n)) > 0; turns--) {
        set_hits(n, hits - 1);
        unlink_node(p, n);
        push(p, MAIN_QUEUE, n);
        n = q->end.newer;
    }
    unlink_node(p, n);
    return n;
}

/* The oldest of small that was not used twice, or NULL when all of them were;
 * those before it are in main now. */
static struct tw_policy_node *small_victim(struct tw_policy *p)
{
    struct queue *q = &p->queue[SMALL];
    uint64_t nodes = tw_policy_count(p);

    while (q->count > 0) {
        struct tw_policy_node *n = q->end.newer;

        unlink_node(p, n);
        if (hits_of(n) < PROMOTED) {
            ghost_remember(&p->ghost, n->hash, nodes * (SMALL_PART - 1) / SMALL_PART);
            return n;
        }
        set_hits(n, 0);
        push(p, MAIN_QUEUE, n);
    }
    return NULL;
}

struct tw_policy_node *tw_policy_victim(struct tw_policy *p, uint64_t weight)
{
    uint64_t main_capacity = p->capacity - p->capacity / SMALL_PART;
    struct tw_policy_node *n = NULL;

    if (weight > p->capacity) return NULL;
    while (!n && tw_policy_weight(p) > p->capacity - weight)
        if (p->queue[SMALL].count == 0 || p->queue[MAIN_QUEUE].weight > main_capacity)
            n = main_victim(p);
        else
            n = small_victim(p);
    return n;
}

int tw_policy_insert(struct tw_policy *p, struct tw_policy_node *n, uint64_t hash,
                     uint64_t weight)
{
    bool s3fifo = p->kind == TW_POLICY_S3FIFO;

    assert(n->queue == NONE);
    if (weight == 0 || weight > p->capacity) return TW_ELIMIT;
    n->hash = hash;
    n->weight = weight;
    set_hits(n, 0);
    push(p, s3fifo && !ghost_recall(&p->ghost, hash) ? SMALL : MAIN_QUEUE, n);
    if (s3fifo) ghost_grow(&p->ghost, tw_policy_count(p));
    return TW_OK;
}

void tw_policy_touch(struct tw_policy *p, struct tw_policy_node *n)
{
    unsigned hits = hits_of(n);

    if (p->kind == TW_POLICY_S3FIFO) {
        if (hits < HITS_MAX) set_hits(n, hits + 1);
    } else if (p->kind == TW_POLICY_LRU) {
        assert(n->queue != NONE);
        unlink_node(p, n);
        push(p, MAIN_QUEUE, n);
    }
}

int tw_policy_reweigh(struct tw_policy *p, struct tw_policy_node *n, uint64_t weight)
{
    struct queue *q = &p->queue[n->queue];

    assert(n->queue != NONE);
    if (weight == 0 || weight > p->capacity) return TW_ELIMIT;
    q->weight += weight - n->weight;
    n->weight = weight;
    return TW_OK;
}

void tw_policy_remove(struct tw_policy *p, struct tw_policy_node *n)
{
    if (n->queue != NONE) unlink_node(p, n);
}

uint64_t tw_policy_count(const struct tw_policy *p)
{
    return p->queue[SMALL].count + p->queue[MAIN_QUEUE].count;
}

uint64_t tw_policy_weight(const struct tw_policy *p)
{
    return p->queue[SMALL].weight + p->queue[MAIN_QUEUE].weight;
}

/* policy.h - what a full cache gives up next: S3-FIFO, LRU or FIFO.
 *
 * A cache embeds a node in each entry.  It makes room for a new one with
 * tw_policy_victim, adds it, and says when it is used; what the nodes stand
 * for, and how they are found, is the cache's own affair.
 *
 *     while ((n = tw_policy_victim(p, weight))) drop(entry_of(n));
 *     tw_policy_insert(p, &entry->node, hash, weight);
 *     ...
 *     tw_policy_touch(p, &entry->node);
 *
 * All of it runs under the caller's lock; only the hits of S3-FIFO need none.
 *
 * Layer host/share.
 */
#ifndef TW_POLICY_H
#define TW_POLICY_H

#include <stdatomic.h>

#include "base/tw.h"

enum tw_policy_kind {
    TW_POLICY_S3FIFO,      /* resists scans; a hit writes one byte, or nothing */
    TW_POLICY_LRU,         /* the least recently used                          */
    TW_POLICY_FIFO         /* the oldest, however often it was used            */
};

/* Zeroed, or removed, a node is in no policy. */
struct tw_policy_node {
    struct tw_policy_node *newer, *older;   /* the policy's: within its queue    */
    uint64_t hash;                          /* the policy's: of the entry's key  */
    uint64_t weight;                        /* the policy's: 1, or bytes         */
    uint8_t queue;                          /* the policy's: 0 for none          */
    _Atomic uint8_t hits;                   /* atomic: any thread that touches it */
};

struct tw_policy;

/* Holds nodes up to a total weight of capacity, which is a count where each
 * weighs 1.  NULL: no memory.  Thread: any.  Blocks: no. */
struct tw_policy *tw_policy_new(enum tw_policy_kind kind, uint64_t capacity);

/* Nodes that are still in it are left as they are.  p may be NULL.  Thread: any. */
void tw_policy_free(struct tw_policy *p);

/* The next node to give up so that `weight` more fit, unlinked and from now on
 * the caller's; NULL when they do.  A weight above the capacity never fits:
 * nothing is given up for it, and tw_policy_insert refuses it.
 * Thread: under the caller's lock.  Blocks: no.  Memory: none. */
struct tw_policy_node *tw_policy_victim(struct tw_policy *p, uint64_t weight);

/* Adds a node that is in no policy; hash: 64 well mixed bits of its key.
 * TW_ELIMIT, and the node is not in it: weight is 0 or above the capacity.
 * The capacity itself is the caller's to keep, with tw_policy_victim before.
 * Thread: under the caller's lock.  Blocks: no.  Memory: what S3-FIFO recalls of
 * past victims takes at most 40 bytes a node, doubled as nodes grow in number;
 * without memory it stays as it is and recalls fewer. */
int tw_policy_insert(struct tw_policy *p, struct tw_policy_node *n, uint64_t hash,
                     uint64_t weight);

/* The entry was used.  Thread: under the caller's lock; under S3-FIFO any, with
 * no lock, as long as the node's memory stands.  Blocks: never.  Memory: none. */
void tw_policy_touch(struct tw_policy *p, struct tw_policy_node *n);

/* The entry weighs something else now; it keeps its place.  TW_ELIMIT, and it
 * weighs what it did: weight is 0 or above the capacity.
 * tw_policy_victim(p, 0) brings the sum back below the capacity.
 * Thread: under the caller's lock.  Blocks: no.  Memory: none. */
int tw_policy_reweigh(struct tw_policy *p, struct tw_policy_node *n, uint64_t weight);

/* Takes a node out, if it is in; nothing is recalled of it.
 * Thread: under the caller's lock.  Blocks: no.  Memory: none. */
void tw_policy_remove(struct tw_policy *p, struct tw_policy_node *n);

/* Nodes that are in it, and what they weigh.  Thread: under the caller's lock. */
uint64_t tw_policy_count(const struct tw_policy *p);
uint64_t tw_policy_weight(const struct tw_policy *p);

#endif

/* simulate.h - what share of a trace's requests a cache of some size would hit.
 *
 * Layer host/share.
 */
#ifndef TW_SIMULATE_H
#define TW_SIMULATE_H

#include "share/policy.h"

/* The requests of a trace, in order; keys are numbered as they first come. */
struct tw_trace;

/* NULL: no memory.  Thread: any.  Blocks: no. */
struct tw_trace *tw_trace_new(void);
void tw_trace_free(struct tw_trace *t);

/* One more request; keys with the same hash are the same key.  -ENOMEM, or
 * TW_ELIMIT after 2^31 requests.  Thread: the owner's.  Blocks: no.
 * Memory: at most 8 bytes a request and 32 a key. */
int tw_trace_add(struct tw_trace *t, uint64_t hash);

/* Keys of any kind as 64 bits: a number's are its own, mixed, so that no two
 * meet.  Thread: any. */
uint64_t tw_trace_hash_number(uint64_t number);
uint64_t tw_trace_hash_text(const char *text, size_t n);

/* Requests so far, and the different keys among them.  Thread: the owner's. */
size_t tw_trace_requests(const struct tw_trace *t);
size_t tw_trace_keys(const struct tw_trace *t);

/* Requests that a cache of `size` entries would hit, empty at first; 0 for a
 * size of 0; -ENOMEM.  Thread: the owner's.
 * Blocks: 10 to 50 ns a request.  Memory: 48 bytes a key, freed again. */
int64_t tw_simulate(const struct tw_trace *t, enum tw_policy_kind kind, uint64_t size);

/* The same of a cache that knows the future and gives up what is used last of
 * all, a newcomer too (Belady's MIN): no policy hits more.  -ENOMEM.
 * Thread: the owner's.  Blocks: 5 to 20 ns a request.
 * Memory: 5 bytes a request and 4 a key, freed again. */
int64_t tw_simulate_min(const struct tw_trace *t, uint64_t size);

#endif

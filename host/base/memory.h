/* memory.h - the host's heap: counted, and made to fail on request.
 *
 * Every allocation of host/ goes through here, so that a test can count them
 * (the hot path makes none) and can fail the n-th (tw_memory_fail_at, or
 * TW_FAIL=n in the environment of the program; TW_FAIL=n,row: so many from there on, as
 * Lua collects its garbage and tries again).
 *
 * Layer host/base.
 */
#ifndef TW_MEMORY_H
#define TW_MEMORY_H

#include "base/tw.h"

/* Zeroed memory for n objects, or NULL.
 * Thread: any.  Blocks: no.  Memory: the caller frees with tw_free. */
void *tw_calloc(size_t n, size_t size);

/* As realloc; new bytes are not zeroed.  On NULL the old block stands.
 * Thread: any.  Blocks: no.  Memory: the caller frees with tw_free. */
void *tw_realloc(void *p, size_t bytes);

/* An array with room for *room objects that has room for more of them, n at least: twice
 * as many, or 16.  The new ones are not zeroed.  On NULL the old one stands.
 * Thread: any.  Blocks: no.  Memory: as tw_realloc. */
void *tw_grow(void *p, size_t *room, size_t n, size_t size);

/* An array of *n objects that has one at i from now on, with some behind it, for which
 * there was no room: the new ones are zeroed.  On NULL the old one stands.
 * Thread: any.  Blocks: no.  Memory: as tw_realloc. */
void *tw_extend(void *p, size_t *n, size_t i, size_t size);

/* A copy of a text, or NULL.
 * Thread: any.  Blocks: no.  Memory: the caller frees with tw_free. */
char *tw_copy_text(const char *text);

/* Zeroed memory that begins on a cache line, or NULL.
 * Thread: any.  Blocks: no.  Memory: the caller frees with tw_free. */
void *tw_calloc_aligned(size_t n, size_t size);

/* Thread: any.  Blocks: no.  p may be NULL. */
void tw_free(void *p);

/* Zeroed pages that take no memory before they are touched, or NULL: for
 * arrays that must never move.  whole: all of it will be used, so that large
 * pages are welcome.  Thread: any.  Blocks: no.
 * Memory: the caller frees with tw_unmap and the same size. */
void *tw_map(size_t bytes, bool whole);
void tw_unmap(void *p, size_t bytes);

/* As tw_unmap of what was mapped so, where only the first `used` bytes were written to or
 * have memory: if they are few it is kept for the next tw_map of that size, as all
 * threads of a process stop for each munmap; so not of sizes that never come again.  p
 * may be NULL.  Thread: any.  Blocks: no. */
void tw_unmap_used(void *p, size_t bytes, bool whole, size_t used);

/* Such pages become so many more, maybe elsewhere; none are copied, and nothing is left
 * behind, as where a heap's block grows.  p may be NULL, and before 0.  On NULL the old
 * ones stand.  Thread: any.  Blocks: no. */
void *tw_map_grow(void *p, size_t before, size_t bytes);

/* Gives pages of a mapping memory at once, as a write to each would, and changes nothing
 * in them.  False: the kernel can't, and each comes when it is needed.  Thread: any. */
bool tw_populate(void *p, size_t bytes);

/* Allocations made so far by the whole process, those of other allocators only where one
 * is to fail.  Thread: any. */
uint64_t tw_memory_count(void);

/* True when the next allocation must fail.  Counts the call.  Thread: any. */
bool tw_memory_fails(void);

/* Is one to fail?  Other allocators (Lua's) ask this before tw_memory_fails: a count of
 * all threads, at each allocation, is what they would wait for.  Thread: any. */
bool tw_memory_may_fail(void);

/* The n-th allocation from now fails, once, or so many in a row; 0 for none.
 * Thread: any, tests. */
void tw_memory_fail_at(uint64_t n);
void tw_memory_fail_row(uint64_t n, uint64_t row);

#endif

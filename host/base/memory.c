/* memory.c - the host's heap: counted, and made to fail on request. */
#include "base/memory.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What each allocation of Lua's reads is on another line than what others write. */
static struct {
    _Alignas(TW_CACHELINE) _Atomic uint64_t count;   /* atomic: any thread adds     */
    _Alignas(TW_CACHELINE) _Atomic uint64_t fail_at; /* atomic: the count that fails */
    _Atomic uint64_t fail_till;                      /* atomic: first after those; 0 */
} heap;

uint64_t tw_memory_count(void)
{
    /* order [memory.count] relaxed: a statistic, it orders nothing */
    return atomic_load_explicit(&heap.count, memory_order_relaxed);
}

void tw_memory_fail_row(uint64_t n, uint64_t row)
{
    uint64_t at = n ? tw_memory_count() + n : UINT64_MAX;

    /* order [memory.fail] relaxed: only the number itself is read */
    atomic_store_explicit(&heap.fail_till, n ? at + row : 0, memory_order_relaxed);
    /* order [memory.fail] relaxed: likewise */
    atomic_store_explicit(&heap.fail_at, at, memory_order_relaxed);
}

void tw_memory_fail_at(uint64_t n)
{
    tw_memory_fail_row(n, 1);
}

bool tw_memory_may_fail(void)
{
    /* order [memory.fail] relaxed: only the number itself is read */
    return atomic_load_explicit(&heap.fail_till, memory_order_relaxed) != 0;
}

bool tw_memory_fails(void)
{
    /* order [memory.count] relaxed: a statistic, it orders nothing */
    uint64_t n = atomic_fetch_add_explicit(&heap.count, 1, memory_order_relaxed) + 1;

    /* order [memory.fail] relaxed: only the numbers themselves are read */
    if (n >= atomic_load_explicit(&heap.fail_till, memory_order_relaxed)
        /* order [memory.fail] relaxed: likewise */
        || n < atomic_load_explicit(&heap.fail_at, memory_order_relaxed))
        return false;
    errno = ENOMEM;                    /* as those have it that are called in its place */
    return true;
}

void *tw_calloc(size_t n, size_t size)
{
    return tw_memory_fails() ? NULL : calloc(n, size);
}

void *tw_realloc(void *p, size_t bytes)
{
    return tw_memory_fails() ? NULL : realloc(p, bytes);
}

void *tw_grow(void *p, size_t *room, size_t n, size_t size)
{
    size_t more = *room ? 2 * *room : 16;
    void *grown;

    while (more < n) more *= 2;
    grown = tw_realloc(p, more * size);
    if (grown) *room = more;
    return grown;
}

void *tw_extend(void *p, size_t *n, size_t i, size_t size)
{
    size_t more = i + i / 2 + 16;
    char *grown = tw_realloc(p, more * size);

    if (!grown) return NULL;
    memset(grown + *n * size, 0, (more - *n) * size);
    *n = more;
    return grown;
}

char *tw_copy_text(const char *text)
{
    char *p = tw_calloc(1, strlen(text) + 1);

    if (p) strcpy(p, text);
    return p;
}

void *tw_calloc_aligned(size_t n, size_t size)
{
    size_t bytes = (n * size + TW_CACHELINE - 1) / TW_CACHELINE * TW_CACHELINE;
    void *p;

    assert(size == 0 || n <= SIZE_MAX / 2 / size);
    if (tw_memory_fails()) return NULL;
    p = aligned_alloc(TW_CACHELINE, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void tw_free(void *p)
{
    free(p);
}

/* What the sanitizer looks through for pointers: values on the tape, say, when a script
 * ends the process. */
static void *rooted(void *p, size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_register_root_region(p, bytes);
#else
    (void)bytes;
#endif
    return p;
}

static void unroot(void *p, size_t bytes)
{
#ifdef __SANITIZE_ADDRESS__
    __lsan_unregister_root_region(p, bytes);
#else
    (void)p, (void)bytes;
#endif
}

/* Mappings that are all zeros again: of a few sizes, and no more than there were at a
 * time.  Those used last are last, and taken first. */
enum { SPARES = 256, SPARE_BYTES = 1 << 20 };      /* the bytes of one that were used */

struct spare { char *p; size_t bytes; bool whole; };

static struct {
    pthread_mutex_t lock;
    struct spare spare[SPARES];                    /* mutex */
    size_t n;                                      /* mutex */
} spares = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *take_spare(size_t bytes, bool whole)
{
    void *p = NULL;

    pthread_mutex_lock(&spares.lock);
    for (size_t i = spares.n; i-- > 0;) {
        struct spare *s = &spares.spare[i];

        if (s->bytes != bytes || s->whole != whole) continue;
        p = s->p;
        memmove(s, s + 1, (--spares.n - i) * sizeof *s);
        break;
    }
    pthread_mutex_unlock(&spares.lock);
    return p;
}

void *tw_map(size_t bytes, bool whole)
{
    void *p;

    if (tw_memory_fails()) return NULL;
    if ((p = take_spare(bytes, whole))) return p;
    p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return NULL;
    madvise(p, bytes, whole ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);   /* it may refuse */
    return rooted(p, bytes);
}

void *tw_map_grow(void *p, size_t before, size_t bytes)
{
    void *moved;

    if (!p) return tw_map(bytes, false);
    if (tw_memory_fails()) return NULL;
    unroot(p, before);
    moved = mremap(p, before, bytes, MREMAP_MAYMOVE);
    if (moved != MAP_FAILED) return rooted(moved, bytes);
    rooted(p, before);
    return NULL;
}

bool tw_populate(void *p, size_t bytes)
{
    size_t into = (uintptr_t)p & ((size_t)sysconf(_SC_PAGESIZE) - 1);

#ifdef MADV_POPULATE_WRITE
    return madvise((char *)p - into, bytes + into, MADV_POPULATE_WRITE) == 0;
#else
    (void)into, (void)bytes;
    return false;
#endif
}

void tw_unmap(void *p, size_t bytes)
{
    if (!p) return;
    unroot(p, bytes);
    munmap(p, bytes);
}

#ifdef __SANITIZE_ADDRESS__
/* Looks whether the caller is right, in pages that are there, and keeps nothing: who
 * comes too late is seen. */
static bool keep(char *p, size_t bytes, bool whole, size_t used)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), at = used / page * page, i = used;
    unsigned char in[4096];

    (void)whole;
    for (size_t n; at < bytes; at += n) {
        n = bytes - at < sizeof in * page ? bytes - at : sizeof in * page;
        if (mincore(p + at, n, in) < 0) break;
        for (; i < at + n; i++)
            if (in[(i - at) / page] & 1) assert(p[i] == 0);
            else i = i / page * page + page - 1;
    }
    return false;
}
#else
static bool keep(char *p, size_t bytes, bool whole, size_t used)
{
    bool is_kept;

    if (used > SPARE_BYTES) return false;
    memset(p, 0, used);
    pthread_mutex_lock(&spares.lock);
    is_kept = spares.n < SPARES;
    if (is_kept) spares.spare[spares.n++] = (struct spare){ p, bytes, whole };
    pthread_mutex_unlock(&spares.lock);
    return is_kept;
}
#endif

void tw_unmap_used(void *p, size_t bytes, bool whole, size_t used)
{
    if (!p) return;
    if (!keep(p, bytes, whole, used < bytes ? used : bytes)) tw_unmap(p, bytes);
}

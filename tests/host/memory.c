/* memory.c - the heap counts, fails when told to, and maps pages lazily. */
#include "base/memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

static bool zero(const void *p, size_t n)
{
    const unsigned char *b = p;

    while (n) if (b[--n]) return false;
    return true;
}

static void blocks(void)
{
    uint64_t before = tw_memory_count();
    char *a = tw_calloc(10, 10), *c, *d;

    ok(a && zero(a, 100), "calloc gives zeros");
    memset(a, 7, 100);
    c = tw_realloc(a, 5000);
    ok(c && c[0] == 7 && c[99] == 7, "realloc keeps the bytes");
    d = tw_calloc_aligned(3, 50);
    ok(d && (uintptr_t)d % TW_CACHELINE == 0 && zero(d, 150), "aligned and zeroed");
    ok(tw_memory_count() == before + 3, "three allocations are counted");
    tw_free(c);
    tw_free(d);
    tw_free(NULL);
    ok(tw_memory_count() == before + 3, "free is not an allocation");
}

static void arrays(void)
{
    size_t room = 0, n = 0;
    short *a = tw_grow(NULL, &room, 1, sizeof *a), *b;

    ok(a && room == 16, "an array begins with room for 16");
    for (short i = 0; i < 16; i++) a[i] = i;
    a = tw_grow(a, &room, 17, sizeof *a);
    ok(room == 32 && a[15] == 15, "has room for twice as many then");
    a = tw_grow(a, &room, 1000, sizeof *a);
    ok(room == 1024 && a[15] == 15, "and for as many as are asked for");
    tw_memory_fail_at(1);
    ok(!tw_grow(a, &room, 1025, sizeof *a) && room == 1024 && a[15] == 15,
       "without memory it stands");
    b = tw_extend(NULL, &n, 9, sizeof *b);
    ok(b && n > 9 && zero(b, n * sizeof *b), "one by ids reaches to an id, zeroed");
    tw_free(a);
    tw_free(b);
}

static void failures(void)
{
    void *p[4];

    tw_memory_fail_at(3);
    for (int i = 0; i < 4; i++) p[i] = tw_calloc(1, 1);
    ok(p[0] && p[1] && !p[2] && p[3], "the third fails, and only it");
    tw_memory_fail_at(1);
    ok(!tw_realloc(p[0], 100), "realloc can fail, and the old block stands");
    for (int i = 0; i < 4; i++) tw_free(p[i]);
    tw_memory_fail_at(1);
    ok(!tw_calloc_aligned(1, 1), "aligned can fail");
    tw_memory_fail_at(1);
    ok(!tw_map(100, false), "map can fail");
    tw_memory_fail_at(1);
    ok(tw_memory_may_fail(), "other allocators are told that one is to fail");
    tw_memory_fail_at(0);
    ok(!tw_memory_fails() && !tw_memory_may_fail(), "0 takes the order back");
}

static void pages(void)
{
    enum { PAGES = 1000 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = PAGES * page, resident = 0;
    unsigned char in[PAGES];
    char *p = tw_map(bytes, false);

    ok(p != NULL, "mapped");
    p[0] = p[bytes - 1] = 1;
    ok(mincore(p, bytes, in) == 0, "the kernel says which pages are there");
    for (int i = 0; i < PAGES; i++) resident += in[i] & 1;
    ok(resident == 2, "two pages touched, %zu taken", resident);
    tw_unmap(p, bytes);
    tw_unmap(NULL, bytes);
}

/* Within a page at both ends, beside what is written meanwhile. */
static void populate(void)
{
    enum { PAGES = 16 };
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = PAGES * page, resident = 0;
    unsigned char in[PAGES];
    char *p = tw_map(bytes, false);

    ok(p != NULL, "mapped");
    p[4 * page + 7] = 5;
    tw_populate(p + 2 * page + 100, 9 * page);
    ok(p[4 * page + 7] == 5 && zero(p, 4 * page), "what is there stays");
#ifdef MADV_POPULATE_WRITE
    madvise(p + 14 * page, page, MADV_POPULATE_WRITE);
#endif
    ok(mincore(p, bytes, in) == 0, "the kernel says which pages are there");
    for (int i = 2; i < 12; i++) resident += in[i] & 1;
    ok(resident == 10 || !(in[14] & 1), "ten pages are there, where the kernel can: %zu",
       resident);
    tw_unmap(p, bytes);
}

/* What is kept for the next is zeros, of the same kind, and has little memory. */
static void used(void)
{
    enum { KEPT = 1 << 20, BYTES = 4 * KEPT };
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char in[1];
    char *p = tw_map(BYTES, false), *q;

    memset(p, 7, 2 * page + 9);
    tw_unmap_used(p, BYTES, false, 2 * page + 9);
    tw_unmap_used(NULL, BYTES, false, 1);
    tw_memory_fail_at(1);
    ok(!tw_map(BYTES, false), "map can fail where some are kept");
    q = tw_map(BYTES, false);
    ok(q && zero(q, 3 * page), "what was used and comes again is zeroed");
#ifndef __SANITIZE_ADDRESS__
    ok(p == q, "it is kept");
    tw_unmap_used(q, BYTES, false, 0);
    p = tw_map(BYTES, true);
    ok(p && p != q, "not for large pages, where they were not wanted");
    tw_unmap(p, BYTES);
    p = tw_map(BYTES, false);
#else
    p = q;
#endif
    memset(p, 7, KEPT + 1);
    tw_unmap_used(p, BYTES, false, KEPT + 1);
    ok(mincore(p, page, in) < 0, "what has much memory is given back");
}

static void extended(void)
{
    size_t n = 0, before;
    int64_t *p = tw_extend(NULL, &n, 5, sizeof *p), *more;
    bool zero = true;

    ok(p && n > 5, "an array of its own");
    for (size_t i = 0; p && i < n; i++) p[i] = 7;
    tw_memory_fail_at(1);
    before = n;
    ok(!tw_extend(p, &n, 1000, sizeof *p) && n == before && p[n - 1] == 7,
       "without memory it stands");
    tw_memory_fail_at(0);
    more = tw_extend(p, &n, 1000, sizeof *p);
    for (size_t i = before; more && i < n; i++) zero = zero && more[i] == 0;
    ok(more && n > 1000 && more[0] == 7 && zero, "what is new is zeroed");
    tw_free(more);
}

int main(void)
{
    blocks();
    arrays();
    failures();
    pages();
    populate();
    used();
    extended();
    return tap_done();
}

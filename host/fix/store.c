/* store.c - what a FIX session must not forget: its numbers, and what it has sent.
 *
 * Why: the file is mapped, so that a number or a message is kept without a call to the
 * system and still outlives the process.  A log of numbers would have to be compacted,
 * in a pause that a session has no time for: they are written in place, in two slots in
 * turn, and messages go round in a ring.
 *
 *   file   page of the head | ring of messages, as far as it has grown
 *   head   "TWFIXST\n", version u32, 0 u32, bytes of the ring u64, checksum u64 of that |
 *          slots at 512, 1024, 1536 and 2048
 *   slot   turn u64, next_in, next_out u64, created i64, first, end, forgot u64,
 *          checksum u64
 *   ring   entries: bytes u32, 0 u32, seq u64, checksum u64, the message, zeros up to
 *          ENTRY_MIN and a multiple of 8
 *
 * Places in the ring count on without end; modulo its bytes they are where an entry
 * stands, which never wraps: it begins at the ring's start when it does not fit.
 *
 * Invariants
 *   S1  The slot with the greatest turn of those whose checksums are right is the state;
 *       of the first two another one is written next, so that one is whole at any time.
 *       The last two are written in turn as a sync begins: what it takes to the disk has
 *       one that is whole there, though the others change meanwhile.
 *   S2  An entry is whole before a slot has it between first and end.
 *   S3  No byte is touched behind what the file has grown to: that would be a signal,
 *       not an error.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include "fix/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "tape/layout.h"

enum {
    VERSION = 1, HEAD = 4096, HEAD_RING = 16, HEAD_SUM = 24,
    SLOT = 512, SLOTS = 4, SLOT_SUM = 56,
    ENTRY_HEAD = 24, ENTRY_MIN = 64, GROWTH = 1 << 16, PATH = 4096
};
static const char magic[8] = "TWFIXST\n";
static const size_t RING_USUAL = 64 << 20, RING_LEAST = 1 << 12;

struct entry { uint64_t seq, at; };     /* at: its place */

struct tw_fix_store {
    struct tw_fix_store_numbers numbers;
    uint64_t first, end, turn;
    uint64_t forgot;               /* the highest number whose room was taken */
    unsigned char *map;            /* head and ring                           */
    size_t ring, grown;            /* bytes; grown: of the ring               */
    struct entry *index;           /* of the ring: entries i % places         */
    size_t places;
    uint64_t index_first, index_end;
    int fd;                        /* -1: in memory                           */
    enum tw_fix_sync sync;
    bool dirty;
    uint64_t syncs;                /* begun                                   */
    uint64_t synced;               /* what is below is on the disk            */
    uint64_t era;                  /* rises when places are taken back        */
    char path[PATH];
};

/* ---- slots ---- */

static void write_to(struct tw_fix_store *s, uint64_t which)
{
    unsigned char *p = s->map + SLOT * (1 + which);
    uint64_t words[] = {
        ++s->turn, s->numbers.next_in, s->numbers.next_out,
        (uint64_t)s->numbers.created_ns, s->first, s->end, s->forgot
    };

    if (s->fd < 0) return;
    s->dirty = true;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < 7; i++) words[i] = __builtin_bswap64(words[i]);
#endif
    memcpy(p, words, SLOT_SUM);
    tw_tape_put(p + SLOT_SUM, 8, tw_tape_checksum(p, SLOT_SUM, VERSION));
    /* order [fix.slot] seq_cst: for the compiler alone: the process may be killed between
     * any two stores, and the slot is whole before the next one or an entry is touched */
    atomic_signal_fence(memory_order_seq_cst);
}

/* Keeps S1. */
static void write_slot(struct tw_fix_store *s)
{
    write_to(s, s->turn & 1);
}

static bool read_slot(struct tw_fix_store *s, int which)
{
    const unsigned char *p = s->map + SLOT * (1 + which);

    if (tw_tape_get(p + SLOT_SUM, 8) != tw_tape_checksum(p, SLOT_SUM, VERSION)
        || tw_tape_get(p, 8) <= s->turn)
        return false;
    s->turn = tw_tape_get(p, 8);
    s->numbers.next_in = tw_tape_get(p + 8, 8);
    s->numbers.next_out = tw_tape_get(p + 16, 8);
    s->numbers.created_ns = (int64_t)tw_tape_get(p + 24, 8);
    s->first = tw_tape_get(p + 32, 8);
    s->end = tw_tape_get(p + 40, 8);
    s->forgot = tw_tape_get(p + 48, 8);
    return s->first <= s->end && s->end - s->first <= s->ring;
}

/* ---- the ring ---- */

static unsigned char *at(const struct tw_fix_store *s, uint64_t place)
{
    return s->map + HEAD + place % s->ring;
}

static uint64_t taken(size_t n)
{
    uint64_t bytes = tw_tape_padded(ENTRY_HEAD + n);

    return bytes < ENTRY_MIN ? ENTRY_MIN : bytes;
}

/* Where an entry of so many bytes begins that is to stand at `place` or behind it. */
static uint64_t fitting(const struct tw_fix_store *s, uint64_t place, uint64_t bytes)
{
    uint64_t left = s->ring - place % s->ring;

    return left < bytes ? place + left : place;
}

static uint64_t entry_sum(const struct tw_fix_store *s, uint64_t place, size_t n)
{
    const unsigned char *p = at(s, place);

    return tw_tape_checksum(p + ENTRY_HEAD, n,
                            tw_tape_checksum(p, ENTRY_HEAD - 8, place));
}

static struct entry *entry(const struct tw_fix_store *s, uint64_t i)
{
    return &s->index[i % s->places];
}

static uint32_t length(const struct tw_fix_store *s, uint64_t place)
{
    return (uint32_t)tw_tape_get(at(s, place), 4);
}

/* Whether an entry stands at the place, of which nothing is known. */
static bool is_whole(const struct tw_fix_store *s, uint64_t place)
{
    uint64_t start = place % s->ring, seq;
    size_t n;

    if (start + ENTRY_MIN > s->grown) return false;   /* S3 */
    n = length(s, place);
    seq = tw_tape_get(at(s, place) + 8, 8);
    return start + taken(n) <= s->grown && place + taken(n) <= s->end
        && seq > s->forgot && seq < s->numbers.next_out
        && tw_tape_get(at(s, place) + 16, 8) == entry_sum(s, place, n);
}

/* Fills the index; whether all was whole. */
static bool read_ring(struct tw_fix_store *s)
{
    uint64_t place = s->first, due = s->first, seq;
    bool whole = true;

    while (place < s->end) {
        if (!is_whole(s, place)) {
            place += 8;
            continue;
        }
        seq = tw_tape_get(at(s, place) + 8, 8);
        if (place != fitting(s, due, taken(length(s, place)))) {
            whole = false;
            s->forgot = seq - 1;
        }
        *entry(s, s->index_end++) = (struct entry){ seq, place };
        place = due = place + taken(length(s, place));
    }
    if (due == s->end) return whole;
    s->forgot = s->numbers.next_out - 1;
    return false;
}

/* Forgets the oldest entries, until the ring is free up to `end`. */
static void make_room(struct tw_fix_store *s, uint64_t end)
{
    if (end - s->first <= s->ring) return;
    while (s->index_first < s->index_end && end - s->first > s->ring) {
        s->forgot = entry(s, s->index_first++)->seq;
        s->first = s->index_first < s->index_end ? entry(s, s->index_first)->at : s->end;
    }
    write_slot(s);   /* S2: before what it told of is written over */
}

/* ---- the file ---- */

static int cannot(const struct tw_fix_store *s, struct tw_error *error, const char *what)
{
    int code = errno ? -errno : UV_EIO;

    return tw_fail(error, code, "cannot %s the FIX store %.300s: %s", what, s->path,
                   tw_strerror(code));
}

/* The file has room for so many bytes of the ring. */
static int grow(struct tw_fix_store *s, size_t bytes, struct tw_error *error)
{
    size_t to = s->grown ? s->grown : GROWTH;

    if (bytes <= s->grown) return TW_OK;
    while (to < bytes) to *= 2;
    if (to > s->ring) to = s->ring;
    errno = posix_fallocate(s->fd, 0, (off_t)(HEAD + to));
    if (errno) return cannot(s, error, "enlarge");
    s->grown = to;
    return TW_OK;
}

static void *map_file(struct tw_fix_store *s)
{
    void *p = mmap(NULL, HEAD + s->ring, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* Bytes of the ring as the head says; 0: it is none. */
static size_t ring_of(const unsigned char head[HEAD_SUM + 8])
{
    return memcmp(head, magic, sizeof magic) == 0 && tw_tape_get(head + 8, 8) == VERSION
        && tw_tape_get(head + HEAD_SUM, 8) == tw_tape_checksum(head, HEAD_SUM, VERSION)
         ? (size_t)tw_tape_get(head + HEAD_RING, 8) : 0;
}

static int lock_file(struct tw_fix_store *s, struct tw_error *error)
{
    s->fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->fd < 0) return cannot(s, error, "open");
    if (flock(s->fd, LOCK_EX | LOCK_NB) == 0) return TW_OK;
    if (errno != EWOULDBLOCK) return cannot(s, error, "lock");
    return tw_fail(error, TW_EBUSY, "the FIX store %.300s is in use: one process may have"
                   " it at a time", s->path);
}

/* A new one gets its head last: as long as it begins with zeros, it is still new. */
static void make_file(struct tw_fix_store *s, int64_t now_ns)
{
    unsigned char head[HEAD_SUM + 8];

    tw_fix_store_reset(s, now_ns);
    memcpy(head, magic, sizeof magic);
    tw_tape_put(head + 8, 8, VERSION);
    tw_tape_put(head + HEAD_RING, 8, s->ring);
    tw_tape_put(head + HEAD_SUM, 8, tw_tape_checksum(head, HEAD_SUM, VERSION));
    memcpy(s->map + 8, head + 8, sizeof head - 8);
    /* order [fix.head] seq_cst: for the compiler alone: a process that is killed before
     * the first word leaves a file that is new */
    atomic_signal_fence(memory_order_seq_cst);
    memcpy(s->map, head, 8);
}

/* A file that is new is in its folder after a crash, too. */
static int sync_folder(struct tw_fix_store *s, struct tw_error *error)
{
    const char *name = strrchr(s->path, '/');
    char folder[PATH] = ".";
    int fd, rc;

    if (s->sync == TW_FIX_SYNC_NEVER) return TW_OK;
    if (name) snprintf(folder, sizeof folder, "%.*s", (int)(name - s->path + 1), s->path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return cannot(s, error, "open the folder of");
    rc = fsync(fd) < 0 ? cannot(s, error, "sync the folder of") : TW_OK;
    close(fd);
    return rc;
}

static int open_file(struct tw_fix_store *s, int64_t now_ns, struct tw_error *error)
{
    unsigned char head[HEAD_SUM + 8] = {0};
    struct stat st;
    bool fresh, whole = false;
    int rc = lock_file(s, error);

    if (rc < 0) return rc;
    if (fstat(s->fd, &st) < 0 || pread(s->fd, head, sizeof head, 0) < 0)
        return cannot(s, error, "read");
    fresh = tw_tape_get(head, 8) == 0;
    if (!fresh) s->ring = ring_of(head);
    if (s->ring == 0 || (!fresh && st.st_size < HEAD))
        return tw_fail(error, TW_EFORMAT, "%.300s is no FIX store, or one of another "
                       "version", s->path);
    /* What the file has may have holes: a copy, say. */
    rc = grow(s, st.st_size > HEAD + 1 && (size_t)st.st_size - HEAD < s->ring
                 ? (size_t)st.st_size - HEAD : 1, error);
    if (rc < 0) return rc;
    s->map = map_file(s);
    if (!s->map) return cannot(s, error, "map");
    if (fresh) {
        make_file(s, now_ns);
        return sync_folder(s, error);
    }
    for (int i = 0; i < SLOTS; i++) whole |= read_slot(s, i);
    if (!whole)
        return tw_fail(error, TW_EFORMAT, "the FIX store %.300s is damaged: no copy of"
                       " its numbers is whole", s->path);
    return TW_OK;
}

/* What a store is made of beside its file. */
static struct tw_fix_store *make(const struct tw_fix_store_options *o)
{
    struct tw_fix_store *s = tw_calloc(1, sizeof *s);

    if (!s) return NULL;
    s->fd = -1;
    s->sync = o->sync;
    s->ring = tw_tape_padded(o->bytes ? o->bytes : RING_USUAL);
    if (s->ring < RING_LEAST) s->ring = RING_LEAST;
    s->numbers = (struct tw_fix_store_numbers){ 1, 1, o->now_ns };
    if (o->path) snprintf(s->path, sizeof s->path, "%s", o->path);
    return s;
}

struct tw_fix_store *tw_fix_store_open(const struct tw_fix_store_options *options,
                                       struct tw_error *error)
{
    struct tw_fix_store *s = make(options);
    struct tw_error why = {0};
    int rc = TW_OK;

    if (!s) goto no_memory;
    if (options->path) rc = open_file(s, options->now_ns, &why);
    else s->map = tw_map(HEAD + s->ring, false);
    if (rc < 0) goto fail;
    if (!s->map) goto no_memory;
    if (s->fd < 0) s->grown = s->ring;
    s->places = s->ring / ENTRY_MIN + 1;
    s->index = tw_map(s->places * sizeof *s->index, false);
    if (!s->index) goto no_memory;
    if (!read_ring(s))
        tw_fail(&why, TW_EFORMAT, "the FIX store %.300s is damaged: some of what was sent"
                " up to number %llu can't be sent again", s->path,
                (unsigned long long)s->forgot);
    s->synced = s->first;
    if (error) *error = why;
    return s;
no_memory:
    tw_fail(&why, UV_ENOMEM, "no memory for a FIX store");
fail:
    if (error) *error = why;
    tw_fix_store_close(s);
    return NULL;
}

void tw_fix_store_close(struct tw_fix_store *s)
{
    if (!s) return;
    if (s->fd >= 0) {
        if (s->map) {
            tw_fix_store_sync(s, NULL);
            munmap(s->map, HEAD + s->ring);
        }
        close(s->fd);   /* and the lock is gone */
    } else if (s->map) {
        tw_unmap(s->map, HEAD + s->ring);
    }
    if (s->index) tw_unmap(s->index, s->places * sizeof *s->index);
    tw_free(s);
}

/* ---- its state ---- */

struct tw_fix_store_numbers tw_fix_store_numbers(const struct tw_fix_store *s)
{
    return s->numbers;
}

int tw_fix_store_sent(struct tw_fix_store *s, const char *p, size_t n,
                      struct tw_error *error)
{
    uint64_t bytes = taken(n), place = fitting(s, s->end, bytes);
    unsigned char *to;
    int rc;

    if (p) {
        if (n > UINT32_MAX || bytes > s->ring)
            return tw_fail(error, TW_ELIMIT, "a message of %zu bytes is larger than the "
                           "FIX store, which has %zu", n, s->ring);
        rc = grow(s, place % s->ring + bytes, error);
        if (rc < 0) return rc;
        make_room(s, place + bytes);
        to = at(s, place);
        tw_tape_put(to, 8, (uint32_t)n);
        tw_tape_put(to + 8, 8, s->numbers.next_out);
        memcpy(to + ENTRY_HEAD, p, n);
        if (s->fd >= 0) tw_tape_put(to + 16, 8, entry_sum(s, place, n));
        if (s->index_first == s->index_end) s->first = place;
        *entry(s, s->index_end++) = (struct entry){ s->numbers.next_out, place };
        s->end = place + bytes;   /* S2 */
    }
    s->numbers.next_out++;
    write_slot(s);
    return TW_OK;
}

void tw_fix_store_set_in(struct tw_fix_store *s, uint64_t next_in)
{
    s->numbers.next_in = next_in;
    write_slot(s);
}

void tw_fix_store_set_out(struct tw_fix_store *s, uint64_t next_out)
{
    s->numbers.next_out = next_out;
    while (s->index_end > s->index_first
           && entry(s, s->index_end - 1)->seq >= next_out)
        s->end = entry(s, --s->index_end)->at;
    if (s->forgot >= next_out) s->forgot = next_out - 1;
    if (s->synced > s->end) s->synced = s->end;
    s->era++;
    write_slot(s);
}

void tw_fix_store_reset(struct tw_fix_store *s, int64_t now_ns)
{
    s->numbers = (struct tw_fix_store_numbers){ 1, 1, now_ns };
    s->first = s->end = s->forgot = s->synced = 0;
    s->era++;
    s->index_first = s->index_end = 0;
    write_slot(s);
}

/* Of the first message from number seq on, or index_end. */
static uint64_t place_of(const struct tw_fix_store *s, uint64_t seq)
{
    uint64_t low = s->index_first, high = s->index_end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (entry(s, middle)->seq < seq) low = middle + 1;
        else high = middle;
    }
    return low;
}

static struct tw_fix_kept kept_at(const struct tw_fix_store *s, uint64_t place)
{
    const struct entry *e = entry(s, place);

    return (struct tw_fix_kept){ e->seq, (const char *)at(s, e->at) + ENTRY_HEAD,
                                 length(s, e->at) };
}

bool tw_fix_store_find(const struct tw_fix_store *s, uint64_t seq,
                       struct tw_fix_kept *out)
{
    uint64_t place = place_of(s, seq);

    if (place == s->index_end) return false;
    *out = kept_at(s, place);
    return true;
}

bool tw_fix_store_find_before(const struct tw_fix_store *s, uint64_t seq,
                              struct tw_fix_kept *out)
{
    uint64_t place = place_of(s, seq);

    if (place == s->index_first) return false;
    *out = kept_at(s, place - 1);
    return true;
}

bool tw_fix_store_forgot(const struct tw_fix_store *s, uint64_t seq)
{
    return seq <= s->forgot;
}

/* ---- the disk ---- */

bool tw_fix_store_is_dirty(const struct tw_fix_store *s)
{
    return s->dirty && s->sync != TW_FIX_SYNC_NEVER;
}

/* The bytes of the ring from one place to another that do not wrap, by whole pages. */
static void add_part(struct tw_fix_store *s, struct tw_fix_store_job *job, int i,
                     uint64_t from, uint64_t to)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), first = HEAD + from % s->ring;

    if (from == to) return;
    job->at[i] = first / page * page;
    job->n[i] = first + (to - from) - job->at[i];
}

bool tw_fix_store_sync_begin(struct tw_fix_store *s, struct tw_fix_store_job *job)
{
    uint64_t from = s->synced, wrap = s->end - s->end % s->ring;

    if (!tw_fix_store_is_dirty(s)) return false;
    write_to(s, 2 + (s->syncs++ & 1));
    *job = (struct tw_fix_store_job){ .map = s->map, .end = s->end, .era = s->era };
    if (s->end - from > s->ring) from = s->end - s->ring;
    if (from < wrap && s->end > wrap) add_part(s, job, 0, from, wrap);
    add_part(s, job, 1, from < wrap ? wrap : from, s->end);
    job->n[2] = HEAD;   /* S2 on the disk too: what a slot tells of goes before it */
    s->dirty = false;
    return true;
}

int tw_fix_store_sync_run(const struct tw_fix_store_job *job)
{
    for (int i = 0; i < 3; i++)
        if (job->n[i] > 0 && msync(job->map + job->at[i], job->n[i], MS_SYNC) < 0)
            return -errno;
    return TW_OK;
}

int tw_fix_store_sync_end(struct tw_fix_store *s, const struct tw_fix_store_job *job,
                          int rc, struct tw_error *error)
{
    if (rc < 0) {
        s->dirty = true;
        errno = -rc;
        return cannot(s, error, "sync");
    }
    if (s->era == job->era) s->synced = job->end;
    return TW_OK;
}

int tw_fix_store_sync(struct tw_fix_store *s, struct tw_error *error)
{
    struct tw_fix_store_job job;

    if (!tw_fix_store_sync_begin(s, &job)) return TW_OK;
    return tw_fix_store_sync_end(s, &job, tw_fix_store_sync_run(&job), error);
}

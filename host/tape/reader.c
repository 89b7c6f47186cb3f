/* reader.c - tape files: open one, ask what is in it, read its records.
 *
 * Why blocks behind a reader are given back to the system: else a scan of a file that is
 * larger than memory would push out what others use.
 *
 * Layer host/tape.  Thread: a file any that only read, a reader one at a time.
 */
#include "tape/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "tape/bar.h"
#include "tape/pack.h"
#include "tape/spans.h"
#include "tape/zstd.h"

enum { BEHIND = 32 << 20 };   /* bytes that are read before they are given back */

struct names { struct tw_tape_name *p; size_t max; uint32_t last; };  /* the greatest */

struct tw_tape_file {
    char *path;
    const unsigned char *map;          /* constant: of info.bytes             */
    struct tw_tape_info info;
    struct tw_tape_span *spans;
    size_t n;
    struct names names[TW_TAPE_NAME_TYPES];
};

struct tw_tape_reader {
    const struct tw_tape_file *file;
    int64_t from_ns, to_ns;
    size_t next;                       /* span                                */
    uint64_t given;                    /* bytes of the file, back             */
    struct tw_zstd_unpacker *zstd;
    unsigned char *raw;                /* what zstd unpacks to                */
    size_t max;
    bool nameless;                     /* the block: what it names has none   */
    struct tw_pack pack;
    struct tw_record r[TW_PACK_RECORDS];
};

/* ---- names ---- */

static bool set_name(struct names *all, uint32_t id, const struct tw_tape_name *name)
{
    if (id >= all->max) {
        struct tw_tape_name *p = tw_extend(all->p, &all->max, id, sizeof *p);

        if (!p) return false;
        all->p = p;
    }
    all->p[id] = *name;
    if (id > all->last) all->last = id;
    return true;
}

/* One entry at the front of n bytes: how many it takes, or negative.  Types that are not
 * known here are passed over. */
static int64_t read_name(struct tw_tape_file *f, const unsigned char *p, size_t n)
{
    struct tw_tape_name name = { 0 };
    unsigned type = p[0], length = p[1], fixed = type == TW_TAPE_SYMBOL ? 40 : 8;
    uint32_t id = (uint32_t)tw_tape_get(p + 4, 4);
    size_t bytes = (size_t)tw_tape_get(p + 2, 2);
    uint64_t weight;

    if (bytes > n || bytes < fixed + length + 1 || bytes % 8) return TW_EFORMAT;
    if (type == 0 || type >= TW_TAPE_NAME_TYPES) return (int64_t)bytes;
    if ((length > TW_NAME_MAX && type != TW_TAPE_DICTIONARY) || p[fixed + length] != 0
        || id == 0 || id > TW_SYMBOL_MAX)
        return TW_EFORMAT;
    name.text = (const char *)p + fixed;
    if (type == TW_TAPE_SYMBOL) {
        weight = tw_tape_get(p + 32, 8);
        name.instrument.sector = (uint32_t)tw_tape_get(p + 8, 4);
        name.instrument.tick_fixed = (int64_t)tw_tape_get(p + 16, 8);
        name.instrument.lot_fixed = (int64_t)tw_tape_get(p + 24, 8);
        memcpy(&name.instrument.weight, &weight, sizeof weight);
    }
    return set_name(&f->names[type], id, &name) ? (int64_t)bytes : UV_ENOMEM;
}

static int read_names(struct tw_tape_file *f, const struct tw_tape_span *span)
{
    struct tw_tape_block_head h;
    const unsigned char *p = tw_tape_payload(f->map, span, &h);
    size_t n = h.stored;

    if (!p || h.packing) return TW_EFORMAT;
    while (n >= 8) {
        int64_t used = read_name(f, p, n);

        if (used < 0) return (int)used;
        p += used;
        n -= (size_t)used;
    }
    return n == 0 ? TW_OK : TW_EFORMAT;
}

static int read_all_names(struct tw_tape_file *f, unsigned flags, struct tw_error *error)
{
    for (size_t i = 0; i < f->n; i++) {
        int rc = f->spans[i].type == TW_TAPE_NAMES ? read_names(f, &f->spans[i]) : TW_OK;

        if (rc == UV_ENOMEM)
            return tw_fail(error, rc, "no memory to read %.300s", f->path);
        if (rc < 0 && error->code == TW_OK)
            tw_fail(error, rc, "%.300s: the block of names at byte %" PRIu64
                    " is damaged", f->path, f->spans[i].at);
        if (rc < 0 && !(flags & TW_TAPE_TOLERANT)) return rc;
    }
    return TW_OK;
}

uint32_t tw_tape_file_names(const struct tw_tape_file *f, enum tw_tape_name_type type)
{
    return f->names[type].last;   /* asked for at each turn of loops over all */
}

struct tw_tape_name tw_tape_file_name(const struct tw_tape_file *f,
                                      enum tw_tape_name_type type, uint32_t id)
{
    if (id >= f->names[type].max) return (struct tw_tape_name){ 0 };
    return f->names[type].p[id];
}

int64_t tw_tape_file_intern(const struct tw_tape_file *f, struct tw_tape_name name,
                            struct tw_symbols *symbols)
{
    int64_t id = tw_symbols_intern(symbols, name.text, strlen(name.text)), sector = 0;
    struct tw_instrument in = name.instrument;
    struct tw_tape_name s = tw_tape_file_name(f, TW_TAPE_SECTOR, in.sector);

    if (id < 0) return id;
    if (s.text) sector = tw_names_intern(tw_symbols_sectors(symbols), s.text,
                                         strlen(s.text));
    if (sector < 0) return sector;
    in.sector = (uint32_t)sector;
    tw_symbols_complete(symbols, (uint32_t)id, &in);
    return id;
}

/* ---- files ---- */

bool tw_tape_file_is(const char *path)
{
    char magic[8];
    struct stat st;
    ssize_t got = 0;
    /* A pipe is read once, and what has no size (a file of /proc) may never end. */
    int fd = stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0
             ? open(path, O_RDONLY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        got = pread(fd, magic, sizeof magic, 0);
        close(fd);
    }
    return got == sizeof magic && memcmp(magic, "TWTAPE\r\n", sizeof magic) == 0;
}

static int map_file(struct tw_tape_file *f, uint64_t most, struct tw_error *error)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);   /* a pipe may wait */
    struct stat st;
    void *map;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        int code = fd < 0 ? -errno : UV_EINVAL;

        if (fd >= 0) close(fd);
        return tw_fail(error, code, "cannot open %.300s: %s", f->path,
                       code == UV_EINVAL ? "it is no regular file" : tw_strerror(code));
    }
    f->info.bytes = (uint64_t)st.st_size;
    if (most > 0 && most < f->info.bytes) f->info.bytes = most;
    if (f->info.bytes < TW_TAPE_HEAD) {
        close(fd);
        return tw_fail(error, TW_EFORMAT, "%.300s is no tape file: it has %" PRIu64
                       " bytes", f->path, f->info.bytes);
    }
    map = mmap(NULL, (size_t)f->info.bytes, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED)
        return tw_fail(error, -errno, "cannot map %.300s, %" PRIu64 " bytes: %s%s",
                       f->path, f->info.bytes, tw_strerror(-errno), errno == ENOMEM
                       ? "; may the process have so many (ulimit -v)?" : "");
    f->map = map;
    return TW_OK;
}

static int read_head(struct tw_tape_file *f, unsigned flags, struct tw_error *error)
{
    struct tw_tape_head head;
    bool whole = tw_tape_head_get(f->map, &head);

    if (!whole && memcmp(f->map, "TWTAPE\r\n", 8) != 0)
        return tw_fail(error, TW_EFORMAT, "%.300s is no tape file", f->path);
    if (!whole) {
        tw_fail(error, TW_EFORMAT, "%.300s: its first %d bytes are damaged", f->path,
                TW_TAPE_HEAD);
        return flags & TW_TAPE_TOLERANT ? TW_OK : TW_EFORMAT;
    }
    if (head.version != TW_TAPE_VERSION)
        return tw_fail(error, TW_EFORMAT, "%.300s: a tape file of version %u, not %d",
                       f->path, head.version, TW_TAPE_VERSION);
    f->info.created_ns = head.created_ns;
    return TW_OK;
}

struct tw_tape_file *tw_tape_file_open_part(const char *path, uint64_t bytes,
                                            unsigned flags, struct tw_error *error)
{
    struct tw_tape_file *f = tw_calloc(1, sizeof *f);
    int rc;

    if (f) f->path = tw_calloc(1, strlen(path) + 1);
    if (!f || !f->path) {
        tw_fail(error, UV_ENOMEM, "no memory to open %.300s", path);
        tw_free(f);
        return NULL;
    }
    strcpy(f->path, path);
    error->code = TW_OK;
    rc = map_file(f, bytes, error);
    if (rc == TW_OK) rc = read_head(f, flags, error);
    if (rc == TW_OK) {
        rc = tw_tape_spans_find(f->map, f->info.bytes, &f->spans, &f->n, &f->info);
        if (rc < 0) tw_fail(error, rc, "no memory to open %.300s", path);
    }
    if (rc == TW_OK && f->info.packed > 0 && tw_zstd_lack())
        rc = tw_fail(error, TW_EUSAGE, "cannot unpack %.300s: %s", path, tw_zstd_lack());
    if (rc == TW_OK) rc = read_all_names(f, flags, error);
    /* What looking for blocks has touched is nobody's yet. */
    if (f->map) madvise((void *)(uintptr_t)f->map, (size_t)f->info.bytes, MADV_DONTNEED);
    if (rc == TW_OK) return f;
    tw_tape_file_close(f);
    return NULL;
}

struct tw_tape_file *tw_tape_file_open(const char *path, unsigned flags,
                                       struct tw_error *error)
{
    return tw_tape_file_open_part(path, 0, flags, error);
}

void tw_tape_file_close(struct tw_tape_file *f)
{
    if (!f) return;
    if (f->map) munmap((void *)(uintptr_t)f->map, (size_t)f->info.bytes);
    for (int i = 0; i < TW_TAPE_NAME_TYPES; i++) tw_free(f->names[i].p);
    tw_free(f->spans);
    tw_free(f->path);
    tw_free(f);
}

void tw_tape_cut_text(const struct tw_tape_info *info, char *out, size_t n)
{
    char lost[100] = "it ends with a whole block";
    size_t at = 0;

    if (info->cut_bytes > 0)
        at = (size_t)snprintf(lost, sizeof lost, "%" PRIu64 " bytes behind its last whole"
                              " block are lost", info->cut_bytes);
    if (at > 0 && info->cut_records > 0)
        snprintf(lost + at, sizeof lost - at, " (%" PRIu64 " records)",
                 info->cut_records);
    snprintf(out, n, "%s; %s, and %" PRIu64 " records are there", info->note, lost,
             info->records);
}

const struct tw_tape_info *tw_tape_file_info(const struct tw_tape_file *f)
{
    return &f->info;
}

const char *tw_tape_file_path(const struct tw_tape_file *f)
{
    return f->path;
}

size_t tw_tape_file_spans(const struct tw_tape_file *f)
{
    return f->n;
}

const struct tw_tape_span *tw_tape_file_span(const struct tw_tape_file *f, size_t i)
{
    return &f->spans[i];
}

/* ---- reading ---- */

struct tw_tape_reader *tw_tape_reader_open(const struct tw_tape_file *f, int64_t from_ns,
                                           int64_t to_ns, struct tw_error *error)
{
    struct tw_tape_reader *reader = tw_calloc(1, sizeof *reader);

    if (!reader) {
        tw_fail(error, UV_ENOMEM, "no memory to read %.300s", f->path);
        return NULL;
    }
    reader->file = f;
    reader->from_ns = from_ns;
    reader->to_ns = to_ns;
    return reader;
}

void tw_tape_reader_close(struct tw_tape_reader *reader)
{
    if (!reader) return;
    tw_zstd_unpacker_free(reader->zstd);
    tw_free(reader->raw);
    tw_free(reader);
}

/* 1, 0: they are damaged, or UV_ENOMEM. */
static int unpack(struct tw_tape_reader *reader, const unsigned char **p,
                  const struct tw_tape_block_head *h)
{
    unsigned char *raw;

    if (h->packing == 0) return h->raw == h->stored;
    if (h->packing != TW_TAPE_ZSTD) return 0;
    if (!reader->zstd) reader->zstd = tw_zstd_unpacker_new();
    if (!reader->zstd) return UV_ENOMEM;
    if (h->raw > reader->max) {
        raw = tw_realloc(reader->raw, h->raw);
        if (!raw) return UV_ENOMEM;
        reader->raw = raw;
        reader->max = h->raw;
    }
    if (!tw_zstd_unpack(reader->zstd, *p, h->stored, reader->raw, h->raw)) return 0;
    *p = reader->raw;
    return 1;
}

/* Has every number of these records a name, and every quote, trade and message one? */
static bool are_named(const struct tw_tape_file *f, const struct tw_record *r, size_t n)
{
    uint32_t symbol = 0;

    for (size_t i = 0; i < n; i++) {
        if (r[i].symbol != symbol) {
            symbol = r[i].symbol;
            if (symbol && !tw_tape_file_name(f, TW_TAPE_SYMBOL, symbol).text)
                return false;
        }
        if (symbol == 0 && (r[i].kind == TW_QUOTE || r[i].kind == TW_TRADE)) return false;
        if (r[i].kind == TW_MESSAGE
            && !tw_tape_file_name(f, TW_TAPE_TOPIC, r[i].message.topic).text)
            return false;
    }
    return true;
}

/* 1, 0: it is damaged, or UV_ENOMEM. */
static int decode(struct tw_tape_reader *reader, const struct tw_tape_span *span,
                  struct tw_tape_block *out)
{
    const struct tw_tape_file *f = reader->file;
    struct tw_tape_block_head h;
    const unsigned char *p = tw_tape_payload(f->map, span, &h);
    int rc;

    reader->nameless = false;
    if (!p || h.values > h.raw || h.records == 0 || h.records > TW_PACK_RECORDS
        || h.raw - h.values > TW_PACK_MAX(h.records))
        return 0;
    rc = unpack(reader, &p, &h);
    if (rc != 1) return rc;
    if (!tw_pack_read(&reader->pack, p, h.raw - h.values, reader->r, h.records, h.values))
        return 0;
    reader->nameless = !are_named(f, reader->r, h.records);
    if (reader->nameless) return 0;
    *out = (struct tw_tape_block){
        reader->r, h.records, (const char *)p + h.raw - h.values, span };
    return 1;
}

/* May a record of that time stand before the other one?  See tw_record_at. */
static bool may_be_before(int64_t time_ns, int64_t other_ns)
{
    const int64_t half = TW_DAY_NS / 2;

    return time_ns < other_ns
        || (time_ns >= INT64_MIN + half && time_ns - half < other_ns);
}

static void keep_times(const struct tw_tape_reader *reader, struct tw_tape_block *b)
{
    size_t n = 0;

    if (!may_be_before(b->span->first_ns, reader->from_ns)
        && b->span->last_ns < reader->to_ns)
        return;
    for (size_t i = 0; i < b->n; i++) {
        int64_t at = tw_record_at(&b->r[i]);

        if (at >= reader->from_ns && at < reader->to_ns) b->r[n++] = b->r[i];
    }
    b->n = n;
}

/* Gives back what lies behind. */
static void give_back(struct tw_tape_reader *reader, uint64_t at)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = at / page * page;

    if (at - reader->given < BEHIND) return;
    madvise((void *)(uintptr_t)(reader->file->map + reader->given),
            (size_t)(end - reader->given), MADV_DONTNEED);
    reader->given = end;
}

static int damaged(const struct tw_tape_reader *reader, const struct tw_tape_span *s,
                   struct tw_error *error)
{
    if (reader->nameless)
        return tw_fail(error, TW_EFORMAT, "%.300s: the block at byte %" PRIu64 " has no "
                       "names: records of seq %" PRIu64 " to %" PRIu64,
                       reader->file->path, s->at, s->first_seq, s->last_seq);
    if (s->last_seq == UINT64_MAX)
        return tw_fail(error, TW_EFORMAT, "%.300s: the block at byte %" PRIu64 " is "
                       "damaged: records from seq %" PRIu64 " on",
                       reader->file->path, s->at, s->first_seq);
    return tw_fail(error, TW_EFORMAT, "%.300s: the block at byte %" PRIu64 " is damaged: "
                   "records of seq %" PRIu64 " to %" PRIu64, reader->file->path, s->at,
                   s->first_seq, s->last_seq);
}

int tw_tape_reader_next(struct tw_tape_reader *reader, struct tw_tape_block *out,
                        struct tw_error *error)
{
    const struct tw_tape_file *f = reader->file;

    while (reader->next < f->n) {
        const struct tw_tape_span *s = &f->spans[reader->next];
        int rc;

        if ((s->type != TW_TAPE_RECORDS && s->type != TW_TAPE_HOLE)
            || s->last_ns < reader->from_ns
            || !may_be_before(s->first_ns, reader->to_ns)) {
            reader->next++;
            continue;
        }
        give_back(reader, s->at);
        rc = decode(reader, s, out);
        if (rc < 0) return tw_fail(error, rc, "no memory to read %.300s", f->path);
        reader->next++;
        if (rc == 0) return damaged(reader, s, error);
        keep_times(reader, out);
        if (out->n > 0) return 1;
    }
    return 0;
}

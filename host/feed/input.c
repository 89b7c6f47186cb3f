/* input.c - the bytes of a file: plain, gzip, or the members of a zip archive.
 *
 * Why: market data is stored compressed, and a file that was cut off must not
 * look like a short day.  So gzip goes through zlib's inflate, which knows where
 * a member ends (gzread takes a truncated file for a plain end).  minizip finds
 * a zip's members, but their bytes are found and read here, by the same inflate:
 * up to 1.2.13 it takes the sizes and the place of a zip64 entry, which .NET
 * writes for every file and so most of LEAN's have, for 4 GiB.
 *
 * Layer host/feed.  Thread: one at a time.
 */
#include "feed/input.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <minizip/unzip.h>
#include <zlib.h>

enum {
    BUFFER_BYTES = 64 * 1024, MAGIC_BYTES = 8, MEMBER_MAX = 512, EXTRA_MAX = 1024,
    FLAG_ENCRYPTED = 1, STORED = 0, DEFLATED = 8, ZIP64 = 1,
    CENTRAL = 46, LOCAL = 30, CENTRAL_MAGIC = 0x02014b50, LOCAL_MAGIC = 0x04034b50
};

struct tw_input {
    int64_t (*read)(struct tw_input *in, char *out, size_t n, struct tw_error *error);
    struct tw_error failure;           /* what every later read returns, too */

    int fd;                            /* -1: parked                         */
    struct stat st;                    /* of it                              */
    off_t at;                          /* where it goes on, parked           */
    uint64_t limit;                    /* bytes of fd that are still ours    */
    uint64_t taken;                    /* from it, of this file or member    */
    uint64_t total;                    /* from it, of all                    */
    bool eof;                          /* there are no more                  */
    z_stream z;                        /* next_in, avail_in: plain uses them */
    bool inflating;                    /* z is an inflate stream             */
    bool ended;                        /* and has come to its end            */

    unzFile zip;                       /* the directory; NULL: none, parked  */
    unz64_file_pos entry;              /* the current one, parked            */
    bool archive;
    unz_file_info64 info;              /* the current member                 */
    char member[MEMBER_MAX];
    uint64_t left;                     /* of it, unpacked                    */
    uLong crc;                         /* of what was read of it             */
    bool open, more;

    char *path, *pattern;              /* constant; pattern may be NULL      */
    unsigned char buffer[BUFFER_BYTES];
};

static void *z_alloc(void *opaque, unsigned n, unsigned size)
{
    (void)opaque;
    return tw_calloc(n, size);
}

static void z_free(void *opaque, void *p)
{
    (void)opaque;
    tw_free(p);
}

static int damaged(struct tw_input *in, const char *what, struct tw_error *error)
{
    return tw_fail(error, TW_EFORMAT, "%.200s%s%.200s: %s", in->path,
                   in->archive ? ": member " : "", in->member, what);
}

/* More of fd behind what is in the buffer, of which nothing was used yet. */
static int fill(struct tw_input *in, struct tw_error *error)
{
    size_t room = BUFFER_BYTES - in->z.avail_in;
    ssize_t got;

    if (room > in->limit) room = in->limit;
    do got = read(in->fd, in->buffer + in->z.avail_in, room);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return tw_fail(error, -errno, "cannot read %.300s: %s", in->path,
                       tw_strerror(-errno));
    in->eof = got == 0;
    in->limit -= (uint64_t)got;
    in->taken += (uint64_t)got;
    in->total += (uint64_t)got;
    in->z.next_in = in->buffer;
    in->z.avail_in += (unsigned)got;
    return 0;
}

static int64_t read_plain(struct tw_input *in, char *out, size_t n,
                          struct tw_error *error)
{
    int r = in->z.avail_in == 0 && !in->eof ? fill(in, error) : 0;

    if (r) return r;
    if (n > in->z.avail_in) n = in->z.avail_in;
    memcpy(out, in->z.next_in, n);
    in->z.next_in += n;
    in->z.avail_in -= (unsigned)n;
    return (int64_t)n;
}

static int start_inflate(struct tw_input *in, int window, struct tw_error *error)
{
    in->ended = false;
    in->z.zalloc = z_alloc;
    in->z.zfree = z_free;
    if (!in->inflating && inflateInit2(&in->z, window) != Z_OK)
        return tw_fail(error, -ENOMEM, "%.300s: no memory to unpack it", in->path);
    in->inflating = true;
    inflateReset(&in->z);
    return 0;
}

/* Some unpacked bytes; 0 at the end of what was packed together. */
static int64_t unpack(struct tw_input *in, char *out, size_t n, struct tw_error *error)
{
    z_stream *z = &in->z;
    char what[120];
    int r;

    z->next_out = (unsigned char *)out;
    z->avail_out = (unsigned)n;
    while (z->avail_out == n && !in->ended) {
        r = z->avail_in == 0 && !in->eof ? fill(in, error) : 0;
        if (r) return r;
        r = inflate(z, Z_NO_FLUSH);
        if (r == Z_STREAM_END) in->ended = true;
        else if (r == Z_MEM_ERROR)
            return tw_fail(error, -ENOMEM, "%.300s: no memory to unpack it", in->path);
        else if (r != Z_OK && z->avail_out == n) {
            snprintf(what, sizeof what, r == Z_BUF_ERROR ? "cut off at byte %" PRIu64
                     : "damaged before byte %" PRIu64 ": %.60s",
                     in->taken - z->avail_in, z->msg ? z->msg : "not packed data");
            return damaged(in, what, error);
        }
    }
    return (int64_t)(n - z->avail_out);
}

static int64_t read_gzip(struct tw_input *in, char *out, size_t n,
                         struct tw_error *error)
{
    int64_t r;

    for (;;) {
        r = unpack(in, out, n, error);
        if (r != 0) return r;
        r = in->z.avail_in == 0 && !in->eof ? fill(in, error) : 0;
        if (r || in->z.avail_in == 0) return r;
        in->ended = false;             /* another one follows */
        inflateReset(&in->z);
    }
}

static uint64_t little(const unsigned char *p, int bytes)
{
    uint64_t v = 0;

    while (bytes-- > 0) v = v << 8 | p[bytes];
    return v;
}

/* Of an entry what does not fit into 32 bits is in its zip64 field, in this order. */
enum { UNPACKED, PACKED, PLACE, WIDE };

static void read_zip64(uint64_t value[WIDE], const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;

    while (end - p >= 4 && (uint64_t)(end - p) - 4 >= little(p + 2, 2)) {
        const unsigned char *next = p + 4 + little(p + 2, 2), *at = p + 4;

        for (int i = 0; i < WIDE && little(p, 2) == ZIP64; i++) {
            if (value[i] != UINT32_MAX || next - at < 8) continue;
            value[i] = little(at, 8);
            at += 8;
        }
        p = next;
    }
}

static bool read_at(const struct tw_input *in, unsigned char *out, size_t n, uint64_t at)
{
    return at <= INT64_MAX - n && pread(in->fd, out, n, (off_t)at) == (ssize_t)n;
}

/* Where the bytes of the archive's current entry are, and how many. */
static bool find_bytes(struct tw_input *in, uint64_t *at)
{
    unsigned char central[CENTRAL], local[LOCAL], extra[EXTRA_MAX];
    uint64_t place = unzGetOffset64(in->zip), value[WIDE];
    size_t n;

    if (!read_at(in, central, CENTRAL, place) || little(central, 4) != CENTRAL_MAGIC)
        return false;
    value[UNPACKED] = little(central + 24, 4);
    value[PACKED] = little(central + 20, 4);
    value[PLACE] = little(central + 42, 4);
    n = little(central + 30, 2);
    if (n > EXTRA_MAX) n = EXTRA_MAX;
    if (!read_at(in, extra, n, place + CENTRAL + little(central + 28, 2))) return false;
    read_zip64(value, extra, n);
    if (!read_at(in, local, LOCAL, value[PLACE]) || little(local, 4) != LOCAL_MAGIC)
        return false;
    in->info.uncompressed_size = value[UNPACKED];
    in->info.compressed_size = value[PACKED];
    *at = value[PLACE] + LOCAL + little(local + 26, 2) + little(local + 28, 2);
    return true;
}

/* From the archive's current entry on, the first that is wanted: 1, or 0 when
 * there is none. */
static int find_member(struct tw_input *in, int r, struct tw_error *error)
{
    unz_file_info64 *info = &in->info;
    size_t n;

    for (; r == UNZ_OK; r = unzGoToNextFile(in->zip)) {
        memset(in->member, 0, sizeof in->member);
        r = unzGetCurrentFileInfo64(in->zip, info, in->member, sizeof in->member - 1,
                                    NULL, 0, NULL, 0);
        if (r != UNZ_OK) break;
        n = strlen(in->member);
        if (n == 0 || in->member[n - 1] == '/') continue;   /* a directory */
        if (in->pattern && strcmp(in->pattern, in->member) != 0
            && fnmatch(in->pattern, in->member, 0) != 0) continue;
        return 1;
    }
    if (r == UNZ_END_OF_LIST_OF_FILE) return 0;
    return tw_fail(error, TW_EFORMAT, "%.300s: damaged zip directory", in->path);
}

static int open_member(struct tw_input *in, struct tw_error *error)
{
    uint64_t at;

    if (in->info.flag & FLAG_ENCRYPTED) return damaged(in, "encrypted", error);
    if (in->info.compression_method != STORED && in->info.compression_method != DEFLATED)
        return damaged(in, "packed by a method that is not known here", error);
    if (!find_bytes(in, &at)) return damaged(in, "its header is damaged", error);
    if (lseek(in->fd, (off_t)at, SEEK_SET) < 0)
        return tw_fail(error, -errno, "cannot read %.300s: %s", in->path,
                       tw_strerror(-errno));
    in->limit = in->info.compressed_size;
    in->left = in->info.uncompressed_size;
    in->taken = 0;
    in->crc = crc32(0, NULL, 0);
    in->eof = false;
    in->z.avail_in = 0;
    in->open = true;
    in->more = false;
    return in->info.compression_method == STORED ? 0
        : start_inflate(in, -MAX_WBITS, error);
}

static int64_t read_zip(struct tw_input *in, char *out, size_t n,
                        struct tw_error *error)
{
    int64_t r;

    if (!in->open) {
        if (!in->more) return 0;
        r = open_member(in, error);
        if (r < 0) return r;
    }
    r = (in->info.compression_method == STORED ? read_plain : unpack)(in, out, n, error);
    if (r < 0) return r;
    if ((uint64_t)r > in->left) return damaged(in, "longer than it should be", error);
    in->left -= (uint64_t)r;
    in->crc = crc32(in->crc, (const unsigned char *)out, (unsigned)r);
    if (r > 0) return r;
    if (in->left > 0) return damaged(in, "shorter than it should be", error);
    if (in->crc != in->info.crc) return damaged(in, "its checksum is wrong", error);
    in->open = false;
    r = find_member(in, unzGoToNextFile(in->zip), error);
    if (r < 0) return r;
    in->more = r > 0;
    return 0;
}

/* After errno was 0: it may be that it could not be opened a second time. */
static int damaged_zip(const struct tw_input *in, const char *what,
                       struct tw_error *error)
{
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        return tw_fail(error, -errno, "cannot open %.300s: %s", in->path,
                       tw_strerror(-errno));
    return tw_fail(error, TW_EFORMAT, "%.300s: %s", in->path, what);
}

static int open_zip(struct tw_input *in, struct tw_error *error)
{
    unz_global_info64 info = {0};
    int r;

    in->read = read_zip;
    in->archive = true;
    errno = 0;
    in->zip = unzOpen64(in->path);
    if (!in->zip || unzGetGlobalInfo64(in->zip, &info) != UNZ_OK)
        return damaged_zip(in, "damaged or cut off zip archive", error);
    r = find_member(in, unzGoToFirstFile(in->zip), error);
    if (r < 0) return r;
    in->more = r > 0;
    if (in->more) return 0;
    if (!in->pattern)
        return tw_fail(error, TW_EFORMAT, "%.300s: no file in the zip archive", in->path);
    return tw_fail(error, TW_EUSAGE, "%.150s: no member matches '%.100s'; the last of "
                   "%" PRIu64 " is '%.100s'", in->path, in->pattern,
                   (uint64_t)info.number_entry, in->member);
}

static bool named(const char *path, const char *extension)
{
    size_t n = strlen(path), m = strlen(extension);

    return n >= m && strcasecmp(path + n - m, extension) == 0;
}

static int open_file(struct tw_input *in, struct tw_error *error)
{
    const unsigned char *magic = in->buffer;
    unsigned n;
    int r;

    in->fd = open(in->path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &in->st) < 0)
        return tw_fail(error, -errno, "cannot open %.300s: %s", in->path,
                       tw_strerror(-errno));
    if (S_ISDIR(in->st.st_mode))
        return tw_fail(error, -EISDIR, "cannot open %.300s: it is a directory", in->path);
    while (in->z.avail_in < MAGIC_BYTES && !in->eof) {
        r = fill(in, error);
        if (r) return r;
    }
    n = in->z.avail_in;

    if (n >= 4 && memcmp(magic, "PK\3\4", 4) == 0) return open_zip(in, error);
    if (n >= 4 && memcmp(magic, "PK\5\6", 4) == 0)
        return tw_fail(error, TW_EFORMAT, "%.300s: empty zip archive", in->path);
    if (in->pattern)
        return tw_fail(error, TW_EUSAGE, "%.200s is not a zip archive, so it has no "
                       "member '%.200s'", in->path, in->pattern);
    /* Too short to tell: by its name it was cut off. */
    if ((n < 2 && named(in->path, ".gz")) || (n < 4 && named(in->path, ".zip")))
        return tw_fail(error, TW_EFORMAT, "%.300s: cut off at byte %u", in->path, n);
    if (n >= 6 && memcmp(magic, "TWTAPE", 6) == 0)
        return tw_fail(error, TW_EFORMAT, "%.300s: a tape file, which is not read as"
                       " text", in->path);
    if (named(in->path, ".tape"))
        return tw_fail(error, TW_EFORMAT, "%.300s: its first bytes are not those of a"
                       " tape file: it is damaged, or named wrongly", in->path);
    in->read = read_plain;
    if (n < 2 || magic[0] != 0x1f || magic[1] != 0x8b) return 0;
    in->read = read_gzip;
    return start_inflate(in, 16 + MAX_WBITS, error);   /* 16: gzip, no other */
}

struct tw_input *tw_input_open(const char *path, const char *member,
                               struct tw_error *error)
{
    struct tw_input *in = tw_calloc(1, sizeof *in);

    if (!in) goto no_memory;
    in->fd = -1;
    in->limit = UINT64_MAX;
    in->path = tw_copy_text(path);
    in->pattern = member ? tw_copy_text(member) : NULL;
    if (!in->path || (member && !in->pattern)) goto no_memory;
    if (open_file(in, error) == 0) return in;
    tw_input_close(in);
    return NULL;

no_memory:
    tw_fail(error, -ENOMEM, "cannot open %.300s: no memory", path);
    tw_input_close(in);
    return NULL;
}

void tw_input_park(struct tw_input *in)
{
    if (in->fd < 0 || !S_ISREG(in->st.st_mode)) return;
    in->at = lseek(in->fd, 0, SEEK_CUR);
    if (in->zip) {
        unzGetFilePos64(in->zip, &in->entry);
        unzClose(in->zip);
        in->zip = NULL;
    }
    close(in->fd);
    in->fd = -1;
}

/* Goes on where it was parked. */
static int wake(struct tw_input *in, struct tw_error *error)
{
    struct stat st;

    in->fd = open(in->path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &st) < 0 || lseek(in->fd, in->at, SEEK_SET) < 0)
        return tw_fail(error, -errno, "cannot open %.300s: %s", in->path,
                       tw_strerror(-errno));
    if (st.st_dev != in->st.st_dev || st.st_ino != in->st.st_ino)
        return tw_fail(error, TW_EFORMAT, "%.300s: it is another file than before",
                       in->path);
    if (!in->archive) return 0;
    errno = 0;
    in->zip = unzOpen64(in->path);
    if (in->zip && unzGoToFilePos64(in->zip, &in->entry) == UNZ_OK) return 0;
    return damaged_zip(in, "damaged zip directory", error);
}

int64_t tw_input_read(struct tw_input *in, char *out, size_t n, struct tw_error *error)
{
    int64_t r;

    if (n == 0) return 0;
    if (in->failure.code == 0 && in->fd < 0) wake(in, &in->failure);
    if (in->failure.code == 0) {
        r = in->read(in, out, n > INT_MAX ? INT_MAX : n, &in->failure);
        if (r >= 0) return r;
    }
    if (error) *error = in->failure;
    return in->failure.code;
}

uint64_t tw_input_taken(const struct tw_input *in)
{
    return in->total;
}

bool tw_input_more(const struct tw_input *in)
{
    return in->more;
}

void tw_input_close(struct tw_input *in)
{
    if (!in) return;
    if (in->inflating) inflateEnd(&in->z);
    if (in->zip) unzClose(in->zip);
    if (in->fd >= 0) close(in->fd);
    tw_free(in->path);
    tw_free(in->pattern);
    tw_free(in);
}

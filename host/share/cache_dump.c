/* cache_dump.c - a cache in a file, for a warm start.
 *
 *   file    magic "twcache\n", version u32, byte order u32, written i64 (since the
 *           epoch), entries u64, crc u32 of all that
 *   entry   mark u32, length u32, crc u32 of the length and what follows: own time
 *           to live i64, time left i64, key, value, tags
 *
 * Numbers are as the machine has them: the file is read where it was written.  An
 * entry begins with a mark, so that after damage the next whole one is found.
 *
 * Layer host/share.  Thread: any.
 */
#include "share/cache_dump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "share/cache_image.h"
#include "share/cache_table.h"

enum { VERSION = 1, ORDER = 0x01020304, MARK = 0x9e5ca4e7, PATH = 4096 };

struct head {
    char magic[8];
    uint32_t version, order;
    int64_t written_ns;
    uint64_t entries;
    uint32_t crc, unused;
};

struct entry_head { uint32_t mark, length, crc; };
struct times { int64_t own_ns, left_ns; };

static const char magic[8] = "twcache\n";

static uint32_t crc_of_head(const struct head *h)
{
    return (uint32_t)crc32(0, (const Bytef *)h, offsetof(struct head, crc));
}

static uint32_t crc_of_entry(uint32_t length, const char *p)
{
    uLong crc = crc32(0, (const Bytef *)&length, sizeof length);

    return (uint32_t)crc32(crc, (const Bytef *)p, length);
}

static int failed(struct tw_error *error, const char *what, const char *path)
{
    int code = errno ? -errno : UV_EIO;

    return tw_fail(error, code, "cache: %s %s: %s", what, path, uv_strerror(code));
}

/* ---- dump ---- */

/* TW_EUSAGE: it holds an object or a record, or is too long for a file. */
static int write_entry(FILE *f, struct tw_bytes *m, const struct tw_cache_info *info)
{
    struct entry_head head = { .mark = MARK };
    struct times times = { info->own_ttl_ns, info->ttl_left_ns };
    int rc;

    m->n = 0;
    if (!tw_bytes_put(m, &times, sizeof times)) return UV_ENOMEM;
    if ((rc = tw_image_write(m, &info->key)) < 0
        || (rc = tw_image_write(m, &info->value)) < 0
        || (rc = tw_image_write(m, &info->tags)) < 0) return rc;
    if (m->n > UINT32_MAX) return TW_EUSAGE;
    head.length = (uint32_t)m->n;
    head.crc = crc_of_entry(head.length, m->at);
    if (fwrite(&head, sizeof head, 1, f) != 1 || fwrite(m->at, m->n, 1, f) != 1)
        return UV_EIO;
    return TW_OK;
}

static int write_all(struct tw_cache *c, FILE *f, struct tw_cache_dump *out)
{
    struct tw_cache_page page = { 0 };
    struct tw_bytes m = { 0 };
    int rc;

    while ((rc = tw_cache_page_next(c, &page)) == 1)
        for (size_t i = 0; i < page.n; i++) {
            const struct tw_cache_info *info = &page.at[i];

            rc = info->state == TW_CACHE_FRESH && info->n_depends == 0
                 ? write_entry(f, &m, info) : TW_EUSAGE;
            if (rc == TW_OK) out->entries++;
            else if (rc == TW_EUSAGE) out->skipped++;
            else goto done;
        }
done:
    tw_cache_page_fini(&page);
    tw_bytes_free(&m);
    return rc;
}

int tw_cache_dump(struct tw_cache *c, const char *path, struct tw_cache_dump *out,
                  struct tw_error *error)
{
    struct head head = { .version = VERSION, .order = ORDER,
                         .written_ns = tw_clock_now_ns() };
    char part[PATH];
    struct stat st;
    FILE *f;
    int rc;

    *out = (struct tw_cache_dump){ 0 };
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return tw_fail(error, UV_EEXIST, "cache: dump to %.300s: it is not a file", path);
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part)
        return tw_fail(error, UV_ENAMETOOLONG, "cache: dump: the path is too long");
    errno = 0;
    f = fopen(part, "wbe");
    if (!f) return failed(error, "dump to", part);
    fwrite(&head, sizeof head, 1, f);
    rc = write_all(c, f, out);
    memcpy(head.magic, magic, sizeof magic);
    head.entries = out->entries;
    head.crc = crc_of_head(&head);
    if (rc == UV_ENOMEM) {
        tw_fail(error, rc, "cache: dump to %s: no memory", path);
    } else if (fseek(f, 0, SEEK_SET) || fwrite(&head, sizeof head, 1, f) != 1
               || fflush(f) || ferror(f) || fsync(fileno(f))) {
        rc = failed(error, "dump to", part);
    }
    if (fclose(f) && rc == TW_OK) rc = failed(error, "dump to", part);
    if (rc == TW_OK && rename(part, path)) rc = failed(error, "dump to", path);
    if (rc < 0) unlink(part);
    return rc;
}

/* ---- restore ---- */

/* A whole entry at the front of m; its length, or 0. */
static size_t whole(struct tw_image_view m, struct tw_image_view *payload)
{
    struct entry_head head;

    if (!tw_image_take(&m, &head, sizeof head) || head.mark != MARK) return 0;
    if (head.length > m.n || crc_of_entry(head.length, m.p) != head.crc) return 0;
    *payload = (struct tw_image_view){ m.p, head.length };
    return sizeof head + head.length;
}

static int put_entry(struct tw_cache *c, struct tw_builder *b, struct tw_image_view m,
                     int64_t passed_ns, struct tw_cache_dump *out)
{
    struct tw_any key = { 0 }, value = { 0 };
    struct tw_cache_terms terms = { 0 };
    struct times times;
    int rc = TW_EFORMAT;

    if (!tw_image_take(&m, &times, sizeof times)
        || (rc = tw_image_read(&m, b, &key)) < 0
        || (rc = tw_image_read(&m, b, &value)) < 0
        || (rc = tw_image_read(&m, b, &terms.tags)) < 0) goto done;
    terms.ttl_ns = times.own_ns;
    if (times.left_ns != TW_CACHE_FOREVER) times.left_ns -= passed_ns;
    if (times.left_ns <= 0) {
        out->skipped++;
        goto done;
    }
    tw_any_ref(&value);
    rc = tw_cache_put_for(c, &key, value, &terms, 0, times.left_ns);
    if (rc == TW_OK) out->entries++;
    else if (rc != UV_ENOMEM) rc = TW_EFORMAT;
done:
    tw_any_unref(&key);
    tw_any_unref(&value);
    tw_any_unref(&terms.tags);
    return rc;
}

static int put_all(struct tw_cache *c, struct tw_image_view m, int64_t passed_ns,
                   struct tw_cache_dump *out)
{
    struct tw_builder *b = tw_builder_new();
    const uint32_t mark = MARK;
    int rc = b ? TW_OK : UV_ENOMEM;

    while (rc != UV_ENOMEM && m.n > 0) {
        struct tw_image_view payload;
        size_t n = whole(m, &payload);

        rc = n ? put_entry(c, b, payload, passed_ns, out) : TW_EFORMAT;
        if (rc == TW_EFORMAT) {
            const char *next = memmem(m.p + 1, m.n - 1, &mark, sizeof mark);

            n = next ? (size_t)(next - m.p) : m.n;
            out->damaged += n;
        }
        m.p += n;
        m.n -= n;
    }
    tw_builder_free(b);
    return rc == UV_ENOMEM ? rc : TW_OK;
}

/* The whole file, to be freed. */
static int read_file(const char *path, struct tw_image_view *out, struct tw_error *error)
{
    FILE *f;
    long size;
    char *p = NULL;
    int rc = TW_OK;

    errno = 0;
    f = fopen(path, "rbe");
    if (!f) return failed(error, "load from", path);
    if (fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET)) {
        rc = failed(error, "load from", path);
    } else if (!(p = tw_calloc((size_t)size + 1, 1))) {
        rc = tw_fail(error, UV_ENOMEM, "cache: load from %s: no memory", path);
    } else {
        *out = (struct tw_image_view){ p, fread(p, 1, (size_t)size, f) };
        if (ferror(f)) rc = failed(error, "load from", path);
    }
    fclose(f);
    if (rc < 0) tw_free(p);
    return rc;
}

int tw_cache_restore(struct tw_cache *c, const char *path, struct tw_cache_dump *out,
                     struct tw_error *error)
{
    struct tw_image_view m;
    struct head head;
    uint64_t lost;
    int64_t passed_ns;
    char *file;
    int rc;

    *out = (struct tw_cache_dump){ 0 };
    rc = read_file(path, &m, error);
    if (rc < 0) return rc;
    file = (char *)(uintptr_t)m.p;
    if (!tw_image_take(&m, &head, sizeof head) || memcmp(head.magic, magic, 8) != 0
        || head.crc != crc_of_head(&head) || head.order != ORDER) {
        rc = tw_fail(error, TW_EFORMAT, "cache: load from %s: it is no dump", path);
    } else if (head.version != VERSION) {
        rc = tw_fail(error, TW_EFORMAT, "cache: load from %s: version %u, not %d",
                     path, head.version, VERSION);
    } else {
        passed_ns = tw_clock_now_ns() - head.written_ns;
        rc = put_all(c, m, passed_ns > 0 ? passed_ns : 0, out);
        lost = out->entries + out->skipped;
        lost = lost < head.entries ? head.entries - lost : 0;
        if (rc < 0)
            tw_fail(error, rc, "cache: load from %s: no memory", path);
        else if (lost || out->damaged)
            rc = tw_fail(error, TW_EFORMAT, "cache: load from %s: %llu of %llu "
                         "entries are lost, %llu bytes are damaged", path,
                         (unsigned long long)lost, (unsigned long long)head.entries,
                         (unsigned long long)out->damaged);
    }
    tw_free(file);
    return rc;
}

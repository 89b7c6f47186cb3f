/* writer.c - writing a tape file.
 *
 * Invariants
 *   W1  A name stands in a block before the first record that uses its number, so that
 *       every prefix of whole blocks can be read alone.
 *   W2  After a write that failed, the file is cut to its last whole block: what was
 *       written stays readable, and nothing more is written.
 *   W3  No block holds more than TW_PACK_RECORDS records, and one with more than
 *       VALUES bytes of values takes no more records.
 *
 * Layer host/tape.  Thread: one at a time.
 */
#include "tape/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/memory.h"
#include "tape/layout.h"
#include "tape/names.h"
#include "tape/pack.h"
#include "tape/reader.h"
#include "tape/zstd.h"

enum { VALUES = 1 << 20, VALUES_MAX = 1 << 30, PATH = 4096 };

/* Bytes that are appended to. */
struct bytes { unsigned char *p; size_t n, max; };

/* Which numbers have a name in the file: a bit each. */
struct known { uint64_t *bits; uint32_t max; };

struct tw_tape_writer {
    struct tw_tape_writer_options o;
    char path[PATH];
    int fd;
    bool unnamed;                      /* it gets its name when it is closed       */
    uint64_t at, number, records;      /* the next block, and what is in the file  */
    struct known known[TW_TAPE_NAME_TYPES];
    struct bytes names, values, index, out;
    struct tw_zstd_packer *zstd;
    struct tw_error failure;           /* what every later call returns, too       */
    struct tw_packer packer;
    size_t n;
    struct tw_record r[TW_PACK_RECORDS];
    unsigned char packed[TW_PACK_MAX(TW_PACK_RECORDS)];
};

static bool reserve(struct bytes *b, size_t n)
{
    unsigned char *p;

    if (b->n + n <= b->max) return true;
    p = tw_grow(b->p, &b->max, b->n + n, 1);
    if (!p) return false;
    b->p = p;
    return true;
}

static void *append(struct bytes *b, const void *from, size_t n)
{
    if (!reserve(b, n)) return NULL;
    if (from) memcpy(b->p + b->n, from, n);
    else memset(b->p + b->n, 0, n);
    b->n += n;
    return b->p + b->n - n;
}

/* ---- the file ---- */

static int no_memory(struct tw_tape_writer *w)
{
    return tw_fail(&w->failure, UV_ENOMEM, "no memory to write %.300s", w->path);
}

/* Keeps W2. */
static int fail_writing(struct tw_tape_writer *w)
{
    int code = errno ? -errno : UV_EIO;

    tw_fail(&w->failure, code, "cannot write %.300s: %s; it ends with record %llu of it,"
            " %zu more are lost", w->path, tw_strerror(code),
            (unsigned long long)w->records, w->n);
    if (w->unnamed)
        tw_fail(&w->failure, code, "cannot write %.300s: %s", w->path, tw_strerror(code));
    else if (ftruncate(w->fd, (off_t)w->at) < 0)
        tw_fail(&w->failure, code, "cannot write %.200s: %s; nor can it be cut to the "
                "%llu records that are whole", w->path, tw_strerror(code),
                (unsigned long long)w->records);
    return code;
}

static int write_bytes(struct tw_tape_writer *w, const unsigned char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(w->fd, p, n);

        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return fail_writing(w);
        p += done;
        n -= (size_t)done;
    }
    return TW_OK;
}

static int sync_file(struct tw_tape_writer *w)
{
    if (w->o.sync == TW_SYNC_NEVER || fdatasync(w->fd) == 0) return TW_OK;
    return fail_writing(w);
}

/* ---- blocks ---- */

static bool index_block(struct tw_tape_writer *w, const struct tw_tape_block_head *h)
{
    unsigned char *p = append(&w->index, NULL, TW_TAPE_INDEX_ENTRY);

    if (!p) return false;
    tw_tape_put(p, 8, w->at);
    tw_tape_put(p + 8, 8, h->first_seq);
    tw_tape_put(p + 16, 8, h->last_seq);
    tw_tape_put(p + 24, 8, (uint64_t)h->first_ns);
    tw_tape_put(p + 32, 8, (uint64_t)h->last_ns);
    tw_tape_put(p + 40, 4, h->stored);
    tw_tape_put(p + 44, 4, h->records);
    tw_tape_put(p + 48, 4, h->type);
    tw_tape_put(p + 52, 4, h->packing);
    return true;
}

/* Room for the head is the first part of w->out; the payload follows it. */
static int write_block(struct tw_tape_writer *w, struct tw_tape_block_head *h)
{
    size_t padded = tw_tape_padded(h->stored);
    unsigned char *payload;
    int rc;

    if (!reserve(&w->out, 8)) return no_memory(w);
    payload = w->out.p + TW_TAPE_BLOCK_HEAD;
    memset(payload + h->stored, 0, padded - h->stored);
    h->number = w->number;
    h->checksum = tw_tape_checksum(payload, padded, 0);
    tw_tape_block_head_put(w->out.p, h, w->at);
    if (h->type != TW_TAPE_INDEX && !index_block(w, h)) return no_memory(w);
    rc = write_bytes(w, w->out.p, TW_TAPE_BLOCK_HEAD + padded);
    if (rc < 0) return rc;
    w->at += TW_TAPE_BLOCK_HEAD + padded;
    w->number++;
    w->records += h->records;
    return TW_OK;
}

/* The payload as it is. */
static int write_plain(struct tw_tape_writer *w, struct tw_tape_block_head *h,
                       const unsigned char *p, size_t n)
{
    w->out.n = 0;
    if (n > UINT32_MAX)
        return tw_fail(&w->failure, TW_ELIMIT, "%.300s: a block of %zu bytes",
                       w->path, n);
    if (!append(&w->out, NULL, TW_TAPE_BLOCK_HEAD) || !append(&w->out, p, n))
        return no_memory(w);
    h->raw = h->stored = (uint32_t)n;
    return write_block(w, h);
}

static int write_names(struct tw_tape_writer *w)
{
    struct tw_tape_block_head h = { .type = TW_TAPE_NAMES };
    int rc;

    if (w->names.n == 0) return TW_OK;
    rc = write_plain(w, &h, w->names.p, w->names.n);
    w->names.n = 0;
    return rc;
}

static struct tw_tape_block_head head_of(const struct tw_tape_writer *w)
{
    struct tw_tape_block_head h = {
        .type = TW_TAPE_RECORDS, .records = (uint32_t)w->n,
        .values = (uint32_t)w->values.n,
        .first_seq = w->r[0].seq, .last_seq = w->r[w->n - 1].seq,
        .first_ns = w->r[0].time, .last_ns = w->r[0].time,
    };

    for (size_t i = 1; i < w->n; i++) {
        if (w->r[i].time < h.first_ns) h.first_ns = w->r[i].time;
        if (w->r[i].time > h.last_ns) h.last_ns = w->r[i].time;
    }
    return h;
}

/* Columns and values, one behind the other, in w->out. */
static int pack_records(struct tw_tape_writer *w, struct tw_tape_block_head *h)
{
    size_t n = tw_pack_write(&w->packer, w->r, w->n, w->packed), raw = n + w->values.n;
    size_t most = w->zstd ? tw_zstd_max(raw) : 0, stored;

    w->out.n = 0;
    if (!append(&w->out, NULL, TW_TAPE_BLOCK_HEAD)
        || !append(&w->out, w->packed, n)
        || (w->values.n > 0 && !append(&w->out, w->values.p, w->values.n))
        || (most > 0 && !reserve(&w->out, most + 8)))
        return no_memory(w);
    h->raw = h->stored = (uint32_t)raw;
    if (!w->zstd) return TW_OK;
    stored = tw_zstd_pack(w->zstd, w->out.p + TW_TAPE_BLOCK_HEAD, raw,
                          w->out.p + w->out.n, most);
    if (stored == 0 || stored >= raw) return TW_OK;   /* it stays as it is */
    memmove(w->out.p + TW_TAPE_BLOCK_HEAD, w->out.p + w->out.n, stored);
    w->out.n = TW_TAPE_BLOCK_HEAD + stored;
    h->stored = (uint32_t)stored;
    h->packing = TW_TAPE_ZSTD;
    return TW_OK;
}

static int write_records(struct tw_tape_writer *w)
{
    struct tw_tape_block_head h;
    int rc;

    if (w->failure.code) return w->failure.code;
    if (w->n == 0) return TW_OK;
    h = head_of(w);
    rc = write_names(w);   /* W1 */
    if (rc == TW_OK) rc = pack_records(w, &h);
    if (rc == TW_OK) rc = write_block(w, &h);
    if (rc == TW_OK) w->n = w->values.n = 0;
    if (rc == TW_OK) rc = sync_file(w);
    return rc;
}

/* ---- names ---- */

static bool knows(const struct known *k, uint32_t id)
{
    return id < k->max && k->bits[id / 64] >> id % 64 & 1;
}

static bool learn(struct known *k, uint32_t id)
{
    uint32_t max = k->max ? k->max : 256;
    uint64_t *bits;

    while (max <= id) max *= 2;
    if (max > k->max) {
        bits = tw_realloc(k->bits, max / 8);
        if (!bits) return false;
        memset(bits + k->max / 64, 0, (max - k->max) / 8);
        k->bits = bits;
        k->max = max;
    }
    k->bits[id / 64] |= UINT64_C(1) << id % 64;
    return true;
}

static int add_name(struct tw_tape_writer *w, enum tw_tape_name_type type, uint32_t id,
                    const char *text, const struct tw_instrument *in)
{
    size_t n = strlen(text), fixed = in ? 40 : 8, all = tw_tape_padded(fixed + n + 1);
    unsigned char *p;
    uint64_t weight;

    if (type == TW_TAPE_DICTIONARY && n > TW_TAPE_DICTIONARY_MAX)
        n = strcspn(text, "\n") < TW_NAME_MAX ? strcspn(text, "\n") : 0;
    else if (type != TW_TAPE_DICTIONARY && n > TW_NAME_MAX) n = TW_NAME_MAX;
    if (!learn(&w->known[type], id) || !(p = append(&w->names, NULL, all)))
        return no_memory(w);
    tw_tape_put(p, 1, type);
    tw_tape_put(p + 1, 1, n);
    tw_tape_put(p + 2, 2, all);
    tw_tape_put(p + 4, 4, id);
    if (in) {
        memcpy(&weight, &in->weight, sizeof weight);
        tw_tape_put(p + 8, 4, in->sector);
        tw_tape_put(p + 16, 8, (uint64_t)in->tick_fixed);
        tw_tape_put(p + 24, 8, (uint64_t)in->lot_fixed);
        tw_tape_put(p + 32, 8, weight);
    }
    memcpy(p + fixed, text, n);
    return TW_OK;
}

static int unnamed(const struct tw_tape_writer *w, const char *what, uint32_t id,
                   struct tw_error *error)
{
    return tw_fail(error, TW_EUSAGE, "%.300s: a record of %s %u, which has no name",
                   w->path, what, id);
}

static int add_symbol(struct tw_tape_writer *w, uint32_t id, struct tw_error *error)
{
    const struct tw_symbols *all = w->o.symbols;
    struct tw_instrument in;
    int rc = TW_OK;

    if (id > tw_symbols_count(all)) return unnamed(w, "symbol", id, error);
    in = tw_symbols_get(all, id);
    if (in.sector && !knows(&w->known[TW_TAPE_SECTOR], in.sector))
        rc = add_name(w, TW_TAPE_SECTOR, in.sector,
                      tw_names_get(tw_symbols_sectors((struct tw_symbols *)all),
                                   in.sector), NULL);
    return rc < 0 ? rc : add_name(w, TW_TAPE_SYMBOL, id, tw_symbols_name(all, id), &in);
}

/* Keeps W1 for a message: its topic, and the script that sent it. */
static int name_message(struct tw_tape_writer *w, const struct tw_message *m,
                        struct tw_error *error)
{
    const char *topic, *text;
    int rc;

    if (!knows(&w->known[TW_TAPE_TOPIC], m->topic)) {
        if (m->topic == 0 || !w->o.topics || m->topic > tw_names_count(w->o.topics))
            return unnamed(w, "topic", m->topic, error);
        topic = tw_names_get(w->o.topics, m->topic);
        rc = add_name(w, TW_TAPE_TOPIC, m->topic, topic, NULL);
        text = w->o.dictionary ? w->o.dictionary(w->o.dictionary_ctx, topic) : NULL;
        if (rc == TW_OK && text)
            rc = add_name(w, TW_TAPE_DICTIONARY, m->topic, text, NULL);
        if (rc < 0) return rc;
    }
    if (m->script && m->script <= w->o.n_scripts && w->o.scripts
        && !knows(&w->known[TW_TAPE_SCRIPT], m->script))
        return add_name(w, TW_TAPE_SCRIPT, m->script, w->o.scripts[m->script], NULL);
    return TW_OK;
}

static int name_record(struct tw_tape_writer *w, const struct tw_record *r,
                       struct tw_error *error)
{
    int rc = TW_OK;

    if (r->symbol == 0 && (r->kind == TW_QUOTE || r->kind == TW_TRADE))
        return unnamed(w, "symbol", 0, error);
    if (r->symbol && !knows(&w->known[TW_TAPE_SYMBOL], r->symbol))
        rc = add_symbol(w, r->symbol, error);
    if (rc == TW_OK && r->source && w->o.sources
        && !knows(&w->known[TW_TAPE_SOURCE], r->source))
        rc = add_name(w, TW_TAPE_SOURCE, r->source,
                      tw_sources_name(w->o.sources, r->source), NULL);
    if (rc == TW_OK && r->kind == TW_MESSAGE) rc = name_message(w, &r->message, error);
    return rc;
}

/* ---- records ---- */

static int take(struct tw_tape_writer *w, const struct tw_record *r,
                struct tw_error *error)
{
    int rc;

    if (w->n == TW_PACK_RECORDS || w->values.n > VALUES) {   /* W3 */
        rc = write_records(w);
        if (rc < 0) return rc;
    }
    rc = name_record(w, r, error);
    if (rc == TW_OK) w->r[w->n++] = *r;
    return rc;
}

/* Tells the caller what the writer died of. */
static int tell(const struct tw_tape_writer *w, int rc, struct tw_error *error)
{
    return w->failure.code ? tw_fail(error, w->failure.code, "%s", w->failure.text) : rc;
}

static int end_add(struct tw_tape_writer *w, int rc, struct tw_error *error)
{
    if (w->o.sync == TW_SYNC_RECORD || w->n == TW_PACK_RECORDS) {
        int wrote = write_records(w);

        if (rc == TW_OK) rc = wrote;
    }
    return tell(w, rc, error);
}

int tw_tape_writer_add(struct tw_tape_writer *w, const struct tw_record *r, size_t n,
                       struct tw_error *error)
{
    int rc = w->failure.code;

    for (size_t i = 0; rc == TW_OK && i < n; i++) {
        if (r[i].kind == TW_MESSAGE && r[i].message.value_kind > TW_VALUE_NUMBER)
            rc = tw_fail(error, TW_EUSAGE, "%.300s: a message with a block", w->path);
        else
            rc = take(w, &r[i], error);
    }
    return end_add(w, rc, error);
}

int tw_tape_writer_add_message(struct tw_tape_writer *w, const struct tw_record *r,
                               const void *value, size_t n, struct tw_error *error)
{
    int rc = w->failure.code;

    if (rc == TW_OK && (r->kind != TW_MESSAGE || r->message.value_kind != TW_VALUE_BLOCK
                        || n > VALUES_MAX))
        return tw_fail(error, TW_EUSAGE, "%.300s: no message with a value of %zu bytes",
                       w->path, n);
    if (rc == TW_OK) rc = take(w, r, error);
    if (rc == TW_OK && n > 0 && !append(&w->values, value, n)) rc = no_memory(w);
    if (rc == TW_OK) w->r[w->n - 1].message.value.integer = (int64_t)n;
    return end_add(w, rc, error);
}

int tw_tape_writer_flush(struct tw_tape_writer *w, struct tw_error *error)
{
    return tell(w, write_records(w), error);
}

struct tw_tape_written tw_tape_writer_written(const struct tw_tape_writer *w)
{
    return (struct tw_tape_written){ w->records, w->at };
}

/* ---- beginning and end ---- */

static void free_writer(struct tw_tape_writer *w)
{
    if (w->fd >= 0) close(w->fd);
    for (int i = 0; i < TW_TAPE_NAME_TYPES; i++) tw_free(w->known[i].bits);
    tw_free(w->names.p);
    tw_free(w->values.p);
    tw_free(w->index.p);
    tw_free(w->out.p);
    tw_zstd_packer_free(w->zstd);
    tw_free(w);
}

/* Opens where the file is, or is to be. */
static int open_directory(const struct tw_tape_writer *w, int flags)
{
    const char *slash = strrchr(w->path, '/');
    char directory[PATH];

    snprintf(directory, sizeof directory, "%.*s",
             slash ? (int)(slash + 1 - w->path) : 1, slash ? w->path : ".");
    return open(directory, flags | O_CLOEXEC, 0666);
}

/* So that the file's name is on the disk too. */
static int sync_directory(struct tw_tape_writer *w)
{
    int fd, rc;

    if (w->o.sync == TW_SYNC_NEVER || w->unnamed) return TW_OK;
    fd = open_directory(w, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return fail_writing(w);
    rc = fsync(fd);
    close(fd);
    return rc < 0 && errno != EINVAL ? fail_writing(w) : TW_OK;
}

static int begin_file(struct tw_tape_writer *w)
{
    unsigned char head[TW_TAPE_HEAD];
    int rc;

    tw_tape_head_put(head, &(struct tw_tape_head){
        TW_TAPE_VERSION, w->o.zstd ? TW_TAPE_ZSTD : 0, w->o.created_ns });
    rc = write_bytes(w, head, sizeof head);
    if (rc < 0) return rc;
    w->at = sizeof head;
    rc = sync_file(w);
    return rc < 0 ? rc : sync_directory(w);
}

static const char *own_path(const struct tw_tape_writer *w, char out[40])
{
    snprintf(out, 40, "/proc/self/fd/%d", w->fd);
    return out;
}

static void open_file(struct tw_tape_writer *w)
{
    struct stat st;
    char own[40];

    w->fd = -1;
    if (w->o.whole && lstat(w->path, &st) == 0) {
        errno = EEXIST;
        return;
    }
    if (w->o.whole) w->fd = open_directory(w, O_WRONLY | O_TMPFILE);
    w->unnamed = w->fd >= 0 && stat(own_path(w, own), &st) == 0;
    if (w->unnamed) return;
    if (w->fd >= 0) close(w->fd);
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
}

static int name_file(struct tw_tape_writer *w)
{
    char own[40];

    if (!w->unnamed) return TW_OK;
    if (linkat(AT_FDCWD, own_path(w, own), AT_FDCWD, w->path, AT_SYMLINK_FOLLOW) < 0)
        return tw_fail(&w->failure, -errno, "cannot make %.300s: %s", w->path,
                       tw_strerror(-errno));
    w->unnamed = false;
    return sync_directory(w);
}

struct tw_tape_writer *tw_tape_writer_open(const char *path,
                                           const struct tw_tape_writer_options *options,
                                           struct tw_error *error)
{
    struct tw_tape_writer *w;

    if (strlen(path) >= PATH) {
        tw_fail(error, UV_ENAMETOOLONG, "a path of %zu bytes", strlen(path));
        return NULL;
    }
    if (options->zstd && tw_zstd_lack()) {
        tw_fail(error, TW_EUSAGE, "cannot pack %.300s: %s", path, tw_zstd_lack());
        return NULL;
    }
    w = tw_calloc(1, sizeof *w);
    if (w) w->zstd = options->zstd ? tw_zstd_packer_new() : NULL;
    if (!w || (options->zstd && !w->zstd)) {
        tw_fail(error, UV_ENOMEM, "no memory to write %.300s", path);
        tw_free(w);
        return NULL;
    }
    w->o = *options;
    strcpy(w->path, path);
    open_file(w);
    if (w->fd < 0) {
        tw_fail(error, -errno, "cannot make %.300s: %s", path, tw_strerror(-errno));
    } else if (begin_file(w) == TW_OK) {
        return w;
    } else {
        tell(w, 0, error);
        if (!w->unnamed) unlink(path);
    }
    free_writer(w);
    return NULL;
}

static int end_file(struct tw_tape_writer *w)
{
    struct tw_tape_block_head h = { .type = TW_TAPE_INDEX };
    unsigned char end[TW_TAPE_END];
    uint64_t at, records;
    int rc = write_records(w);

    at = w->at;
    records = w->records;
    if (rc == TW_OK) rc = write_plain(w, &h, w->index.p, w->index.n);
    tw_tape_end_put(end, &(struct tw_tape_end){ at, records });
    if (rc == TW_OK) rc = write_bytes(w, end, sizeof end);
    if (rc == TW_OK) rc = sync_file(w);
    return rc == TW_OK ? name_file(w) : rc;
}

void tw_tape_writer_abandon(struct tw_tape_writer *w)
{
    if (!w) return;
    if (w->o.whole && !w->unnamed) unlink(w->path);
    free_writer(w);
}

int tw_tape_writer_close(struct tw_tape_writer *w, struct tw_error *error)
{
    int rc;

    if (!w) return TW_OK;
    rc = tell(w, end_file(w), error);
    if (close(w->fd) < 0 && rc == TW_OK)
        rc = tw_fail(error, -errno, "cannot write %.300s: %s", w->path,
                     tw_strerror(-errno));
    w->fd = -1;
    free_writer(w);
    return rc;
}

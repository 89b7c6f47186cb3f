/* spans.c - which blocks a tape file has: by its index, or by looking for them.
 *
 * A file that was closed ends with an index.  One that was not (the process was killed,
 * the disk was full) is walked from head to head; behind the last whole block is what
 * was cut.  Where a head is damaged but a later one is whole there is a hole, whose
 * records are those between its neighbours.
 *
 * Invariants
 *   S1  A file that was cut or changed at any place gives the blocks that are whole, and
 *       says that it is not closed, or the block's reader finds the damage.
 *
 * Layer host/tape.  Thread: any.
 */
#include "tape/spans.h"

#include <inttypes.h>
#include <stdio.h>
#include <uv.h>

#include "base/memory.h"

struct found { struct tw_tape_span *p; size_t n, max; };

static bool add(struct found *f, const struct tw_tape_span *span)
{
    if (f->n == f->max) {
        struct tw_tape_span *p = tw_grow(f->p, &f->max, f->n + 1, sizeof *p);

        if (!p) return false;
        f->p = p;
    }
    f->p[f->n++] = *span;
    return true;
}

static struct tw_tape_span span_of(const struct tw_tape_block_head *h, uint64_t at)
{
    return (struct tw_tape_span){
        h->type, h->packing, h->records, at,
        TW_TAPE_BLOCK_HEAD + tw_tape_padded(h->stored), h->first_seq,
        h->last_seq, h->first_ns, h->last_ns,
    };
}

/* A head of a known type at `at`, which may be any place. */
static bool get_head(const unsigned char *map, uint64_t bytes, uint64_t at,
                     struct tw_tape_block_head *h)
{
    return at <= bytes && bytes - at >= TW_TAPE_BLOCK_HEAD
        && tw_tape_block_head_get(map + at, h, at)
        && h->type > TW_TAPE_HOLE && h->type < TW_TAPE_TYPES;
}

const unsigned char *tw_tape_payload(const unsigned char *map,
                                     const struct tw_tape_span *span,
                                     struct tw_tape_block_head *h)
{
    const unsigned char *payload = map + span->at + TW_TAPE_BLOCK_HEAD;

    if (span->type == TW_TAPE_HOLE) return NULL;
    if (!tw_tape_block_head_get(map + span->at, h, span->at) || h->type != span->type
        || h->packing != span->packing || h->records != span->records
        || TW_TAPE_BLOCK_HEAD + tw_tape_padded(h->stored) != span->bytes
        || tw_tape_checksum(payload, tw_tape_padded(h->stored), 0) != h->checksum)
        return NULL;
    return payload;
}

/* ---- by the index ---- */

/* 1, or 0: there is none that is whole. */
static int read_index(const unsigned char *map, uint64_t bytes, struct found *f,
                      struct tw_tape_info *info, uint64_t *index_at)
{
    struct tw_tape_block_head h;
    struct tw_tape_span span;
    const unsigned char *p;
    struct tw_tape_end end;
    uint64_t at = TW_TAPE_HEAD;

    if (bytes < TW_TAPE_HEAD + TW_TAPE_END
        || !tw_tape_end_get(map + bytes - TW_TAPE_END, &end)) {
        snprintf(info->note, sizeof info->note, "it was not closed");
        return 0;
    }
    *index_at = end.index_at;
    snprintf(info->note, sizeof info->note, "its index, at byte %" PRIu64 ", is damaged",
             end.index_at);
    info->flipped = true;
    if (!get_head(map, bytes - TW_TAPE_END, end.index_at, &h)
        || h.type != TW_TAPE_INDEX) return 0;
    span = span_of(&h, end.index_at);
    if (span.bytes > bytes - TW_TAPE_END - span.at) return 0;
    p = tw_tape_payload(map, &span, &h);
    if (!p || h.packing || h.stored % TW_TAPE_INDEX_ENTRY) return 0;
    for (uint32_t i = h.stored; i > 0; i -= TW_TAPE_INDEX_ENTRY) {
        struct tw_tape_span s = {
            .type = (enum tw_tape_type)tw_tape_get(p + 48, 4),
            .packing = (uint8_t)tw_tape_get(p + 52, 4),
            .records = (uint32_t)tw_tape_get(p + 44, 4),
            .at = tw_tape_get(p, 8),
            .bytes = TW_TAPE_BLOCK_HEAD + tw_tape_padded(tw_tape_get(p + 40, 4)),
            .first_seq = tw_tape_get(p + 8, 8), .last_seq = tw_tape_get(p + 16, 8),
            .first_ns = (int64_t)tw_tape_get(p + 24, 8),
            .last_ns = (int64_t)tw_tape_get(p + 32, 8),
        };

        if (s.at != at || s.bytes > end.index_at - at || s.type <= TW_TAPE_HOLE
            || s.type >= TW_TAPE_INDEX)
            return 0;
        at += s.bytes;
        p += TW_TAPE_INDEX_ENTRY;
        if (!add(f, &s)) return UV_ENOMEM;
    }
    return at == end.index_at;
}

/* ---- by looking ---- */

/* The next whole head behind `at`, or 0.  Heads stand at multiples of 8. */
static uint64_t next_head(const unsigned char *map, uint64_t bytes, uint64_t at)
{
    struct tw_tape_block_head h;

    for (at += 8; at < bytes; at += 8)
        if (map[at] == 'T' && get_head(map, bytes, at, &h)) return at;
    return 0;
}

/* What a hole had is what its neighbours have not. */
static void fill_holes(struct tw_tape_span *s, size_t n)
{
    uint64_t seq = 0;
    int64_t time = INT64_MIN;

    for (size_t i = 0; i < n; i++) {
        size_t next = i + 1;

        if (s[i].type == TW_TAPE_RECORDS) {
            seq = s[i].last_seq;
            time = s[i].last_ns;
        }
        if (s[i].type != TW_TAPE_HOLE) continue;
        while (next < n && s[next].type != TW_TAPE_RECORDS) next++;
        s[i].first_seq = seq + 1;
        s[i].last_seq = next < n ? s[next].first_seq - 1 : UINT64_MAX;
        s[i].first_ns = time;
        s[i].last_ns = next < n ? s[next].first_ns : INT64_MAX;
    }
}

/* The payload of the last block may not be what its head says: a machine that stopped
 * wrote the one and not the other. */
static void drop_torn(const unsigned char *map, uint64_t bytes, struct found *f,
                      struct tw_tape_info *info)
{
    struct tw_tape_block_head h;

    while (f->n > 0 && f->p[f->n - 1].type != TW_TAPE_HOLE
           && !tw_tape_payload(map, &f->p[f->n - 1], &h)) {
        f->n--;
        info->cut_bytes = bytes - f->p[f->n].at;
        info->cut_records += f->p[f->n].records;
    }
}

/* The index is whole, so the writer came to its end: it was changed, or cut, since. */
static void note_end(struct tw_tape_info *info, uint64_t left)
{
    if (left == TW_TAPE_END && !info->flipped) {
        snprintf(info->note, sizeof info->note, "its last %d bytes are damaged",
                 TW_TAPE_END);
        info->flipped = true;
    }
    info->cut_bytes = left > TW_TAPE_END ? left - TW_TAPE_END : 0;
}

/* index_at: where an end that is whole says that the index is, or 0. */
static int walk(const unsigned char *map, uint64_t bytes, struct found *f,
                struct tw_tape_info *info, uint64_t index_at)
{
    struct tw_tape_block_head h;
    struct tw_tape_span span;
    uint64_t at = TW_TAPE_HEAD, next;
    bool torn = true;

    f->n = 0;
    info->cut_bytes = info->cut_records = 0;
    while (at < bytes) {
        bool whole = get_head(map, bytes, at, &h);

        if (whole) span = span_of(&h, at);
        if (whole && span.bytes <= bytes - at) {
            if (h.type == TW_TAPE_INDEX) torn = false;
            else if (!add(f, &span)) return UV_ENOMEM;
            at += span.bytes;
            if (h.type != TW_TAPE_INDEX) continue;
            break;
        }
        if (at == index_at) {
            torn = false;
            at = bytes - TW_TAPE_END;
            break;
        }
        next = next_head(map, bytes, at);
        if (!next) {
            if (whole && h.type == TW_TAPE_INDEX) {
                snprintf(info->note, sizeof info->note, "its index is cut off");
                break;
            }
            info->cut_bytes = bytes - at;
            if (whole) info->cut_records = h.records;
            break;
        }
        span = (struct tw_tape_span){ .at = at, .bytes = next - at };
        if (!add(f, &span)) return UV_ENOMEM;
        at = next;
    }
    if (torn) drop_torn(map, bytes, f, info);
    else note_end(info, bytes - at);
    fill_holes(f->p, f->n);
    return TW_OK;
}

/* ---- both ---- */

static void sum_up(const struct found *f, struct tw_tape_info *info)
{
    info->first_ns = INT64_MAX;
    info->last_ns = INT64_MIN;
    for (size_t i = 0; i < f->n; i++) {
        const struct tw_tape_span *s = &f->p[i];

        info->holes += s->type == TW_TAPE_HOLE;
        if (s->type != TW_TAPE_RECORDS) continue;
        if (info->blocks++ == 0) info->first_seq = s->first_seq;
        info->last_seq = s->last_seq;
        info->records += s->records;
        info->packed += s->packing == TW_TAPE_ZSTD;
        if (s->first_ns < info->first_ns) info->first_ns = s->first_ns;
        if (s->last_ns > info->last_ns) info->last_ns = s->last_ns;
    }
    info->whole = info->closed ? info->bytes : TW_TAPE_HEAD;
    if (!info->closed && f->n > 0) info->whole = f->p[f->n - 1].at + f->p[f->n - 1].bytes;
    if (info->blocks == 0) info->first_ns = info->last_ns = 0;
}

int tw_tape_spans_find(const unsigned char *map, uint64_t bytes,
                       struct tw_tape_span **spans, size_t *n, struct tw_tape_info *info)
{
    struct found f = { 0 };
    uint64_t index_at = 0;
    int rc = read_index(map, bytes, &f, info, &index_at);

    info->closed = rc == 1;
    if (rc == 1) {
        info->note[0] = 0;
        info->flipped = false;
    } else if (rc == 0) {
        rc = walk(map, bytes, &f, info, index_at);
    }
    if (rc < 0) {
        tw_free(f.p);
        return rc;
    }
    sum_up(&f, info);
    *spans = f.p;
    *n = f.n;
    return TW_OK;
}

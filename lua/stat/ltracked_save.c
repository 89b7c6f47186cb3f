/* ltracked_save.c - tw.tracked: statistics as a string, for a restart or another shard.
 *
 *   head    magic, version u32, crc u32 of all that follows, bytes of a state u64,
 *           keys u32, bytes of the declaration u32
 *   the declaration, as it was understood: equal ones mean equal states
 *   of each key: its parts by name (a length u8, then the bytes), the state
 *
 * Names, because the ids of symbols are another run's.  Numbers are as the machine has
 * them, as lstat.c saves single statistics.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>
#include <zlib.h>

#include "stat/ltracked.h"

enum { VERSION = 1 };
#define PART_MAX UCHAR_MAX

struct head {
    char magic[8];
    uint32_t version, crc;
    uint64_t size;
    uint32_t keys, text;
};

static const char magic[8] = "tw.track";

_Static_assert(sizeof(struct head) == 32, "no holes");
_Static_assert(TW_NAME_MAX <= PART_MAX, "every name has its length in a byte");

static uint32_t sum(const struct head *h, const char *rest, size_t n)
{
    const size_t from = offsetof(struct head, size);
    uLong crc = crc32(0, (const Bytef *)h + from, (uInt)(sizeof *h - from));

    return (uint32_t)crc32_z(crc, (const Bytef *)rest, n);
}

/* Writes the declaration as it was understood; its length, 0: no memory. */
static size_t understood(const char *text, char *out, size_t n)
{
    struct tw_error error;
    struct tw_declaration *d = tw_declaration_parse(text, strlen(text), false, &error);
    size_t length;

    if (!d) return 0;
    length = tw_expr_text(d->value, out, n);
    if (d->where) {
        bool fits = length + 1 < n;

        if (fits) out[length] = ' ';
        length += 1 + tw_expr_text(d->where, fits ? out + length + 1 : NULL,
                                   fits ? n - length - 1 : 0);
    }
    tw_declaration_free(d);
    return length;
}

/* [-0, +1, e] */
static const char *push_understood(lua_State *L, const struct ltw_tracked *v, size_t *n)
{
    const char *text = tw_plan_text(v->tracker->plan, v->item);
    char *out;

    *n = understood(text, NULL, 0);
    out = lua_newuserdatauv(L, *n + 1, 0);
    if (*n == 0 || understood(text, out, *n + 1) != *n)
        luaL_error(L, "%s: not enough memory", ltw_tracked_name(v));
    return out;
}

/* The keys that are saved: of a reading that one alone. */
static uint32_t next_key(const struct ltw_tracked *v, uint32_t key)
{
    if (!v->key) return ltw_tracked_next(v, key);
    return key ? 0 : v->key;
}

/* tracked:save() -> string
 * The states of all keys, by name: for tracked:load in a later run, or tracked:merge in
 * another shard.  Of a reading, that of its key.  Histories are not in it.  Its bytes are
 * those of this kind of processor.
 * Yields: no.  Blocks: while it copies, some 0.3 us for each key.  Thread: the state's.
 * Errors: none.  Units: none. */
static int save(lua_State *L)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_keys *k = ltw_tracked_keys(v);
    const size_t size = ltw_tracked_stat(v)->size;
    struct head h = { .version = VERSION, .size = size };
    size_t n;
    const char *text = push_understood(L, v, &n);
    char number[32], *at;
    luaL_Buffer out;

    for (uint32_t key = 0; (key = next_key(v, key)) != 0;) h.keys++;
    memcpy(h.magic, magic, sizeof magic);
    h.text = (uint32_t)n;
    luaL_buffinit(L, &out);
    luaL_addlstring(&out, (const char *)&h, sizeof h);
    luaL_addlstring(&out, text, n);
    for (uint32_t key = 0; (key = next_key(v, key)) != 0;) {
        for (unsigned i = 0; i < tw_keys_parts(k); i++) {
            const char *part = tw_keys_text(k, key, i, number);
            size_t length = strlen(part);

            luaL_addchar(&out, (char)length);
            luaL_addlstring(&out, part, length);
        }
        luaL_addlstring(&out, ltw_tracked_state(L, v, key), size);
    }
    at = luaL_buffaddr(&out);
    h.crc = sum(&h, at + sizeof h, luaL_bufflen(&out) - sizeof h);
    memcpy(at, &h, sizeof h);
    luaL_pushresult(&out);
    return 1;
}

/* ---- the way back ---- */

/* A text on its way back.  Nothing of the statistic changes before all of it was read,
 * but that it may have new keys, which no row has brought. */
struct reader {
    const char *at, *end;      /* what was not read yet                   */
    uint32_t n, *key;          /* of the statistic, in the text's order   */
    const char **state;        /* of each, in the text                    */
    void *aligned;             /* room for a state                        */
    char name[PART_MAX + 1];   /* of the last key, for an error           */
};

/* [-0, +3, m] */
static int not_loaded(lua_State *L, const struct ltw_tracked *v, int code,
                      const char *why)
{
    luaL_pushfail(L);
    lua_pushfstring(L, "can't load %s: %s", ltw_tracked_name(v), why);
    lua_pushinteger(L, code);
    return 3;
}

/* [-0, +(2|1), e]  Checks the head; NULL, or why not. */
static const char *read_head(lua_State *L, const struct ltw_tracked *v, const char *text,
                             size_t n, struct reader *r)
{
    const struct tw_stat *s = ltw_tracked_stat(v);
    struct head h;
    size_t mine;
    const char *my_text;

    if (n < sizeof magic || memcmp(text, magic, sizeof magic) != 0)
        return "the text is no tracked statistic";
    if (n < sizeof h) return "the text is truncated";
    memcpy(&h, text, sizeof h);
    if (h.version != VERSION) return "it was saved by another version";
    r->at = text + sizeof h;
    r->end = text + n;
    if (sum(&h, r->at, n - sizeof h) != h.crc || n - sizeof h < h.text)
        return "the text is truncated or corrupted";
    my_text = push_understood(L, v, &mine);
    if (h.text != mine || memcmp(r->at, my_text, mine) != 0)
        return lua_pushfstring(L, "it is of another one: %s",
                               lua_pushlstring(L, r->at, h.text < 200 ? h.text : 200));
    r->at += h.text;
    if (h.size != s->size) return "it was saved by another version";
    if (h.keys > (size_t)(r->end - r->at) / h.size)
        return "the text is truncated or corrupted";
    r->n = h.keys;
    return NULL;
}

/* The next key, made where it is not there yet.  TW_EFORMAT: the text is corrupted. */
static int64_t read_key(const struct ltw_tracked *v, struct reader *r)
{
    struct tw_keys *k = ltw_tracked_keys(v);
    char text[TW_EXPR_KEYS][PART_MAX + 1];
    const char *part[TW_EXPR_KEYS];
    unsigned n = tw_keys_parts(k);
    int named = 0;

    for (unsigned i = 0; i < n; i++) {
        size_t length = r->at < r->end ? (unsigned char)*r->at++ : 0;

        if ((size_t)(r->end - r->at) < length) return TW_EFORMAT;
        memcpy(text[i], r->at, length);
        text[i][length] = 0;
        part[i] = text[i];
        r->at += length;
        if (named < PART_MAX)
            named += snprintf(r->name + named, sizeof r->name - (size_t)named, "%s%s",
                              i > 0 ? ", " : "", text[i]);
    }
    return n > 0 ? tw_keys_intern(k, part, n) : 1;
}

/* [-0, +(0|1), e]  Reads the keys and checks their states; 0, or a negative code with
 * its text in *why. */
static int read_keys(lua_State *L, const struct ltw_tracked *v, struct reader *r,
                     const char **why)
{
    const struct tw_stat *s = ltw_tracked_stat(v);

    *why = "the text is truncated or corrupted";
    for (uint32_t i = 0; i < r->n; i++) {
        int64_t key = read_key(v, r);

        if (key == UV_ENOMEM) luaL_error(L, "%s: not enough memory", ltw_tracked_name(v));
        if (key < 0 && key != TW_EFORMAT)
            *why = lua_pushfstring(L, "key '%s': %s", r->name, key == TW_EUSAGE
                                   ? "there is none such here" : tw_strerror((int)key));
        if (key < 0) return (int)key;
        if ((size_t)(r->end - r->at) < s->size) return TW_EFORMAT;
        r->key[i] = (uint32_t)key;
        r->state[i] = r->at;
        r->at += s->size;
        memcpy(r->aligned, r->state[i], s->size);
        if (s->ops->valid && !s->ops->valid(s, r->aligned)) return TW_EFORMAT;
    }
    return r->at == r->end ? TW_OK : TW_EFORMAT;
}

/* [-0, +(1|3), e]  What load and merge share. */
static int restore(lua_State *L, bool is_merge)
{
    const struct ltw_tracked *v = ltw_check_tracked(L);
    const struct tw_stat *s = ltw_tracked_stat(v);
    struct reader r = { 0 };
    const char *text, *why;
    char kind[400];
    size_t n;
    int rc;

    text = luaL_checklstring(L, 2, &n);
    if (v->key && tw_keys_parts(ltw_tracked_keys(v)) > 0)
        return luaL_error(L, "%s: this is of one key; ask the statistic",
                          ltw_tracked_name(v));
    if (is_merge && !s->ops->merge) {
        tw_stat_text(s, kind, sizeof kind);
        return luaL_error(L, "%s: %s can't be merged", ltw_tracked_name(v), kind);
    }
    why = read_head(L, v, text, n, &r);
    if (why) return not_loaded(L, v, TW_EFORMAT, why);
    r.key = lua_newuserdatauv(L, r.n * sizeof *r.key, 0);
    r.state = lua_newuserdatauv(L, r.n * sizeof *r.state, 0);
    r.aligned = lua_newuserdatauv(L, s->size, 0);
    rc = read_keys(L, v, &r, &why);
    if (rc < 0) return not_loaded(L, v, rc, why);
    for (uint32_t i = 0; i < r.n; i++) {
        void *state = ltw_tracked_state(L, v, r.key[i]);   /* raises first or never */

        memcpy(is_merge ? r.aligned : state, r.state[i], s->size);
        if (is_merge) s->ops->merge(s, state, r.aligned);
        tw_keys_see(ltw_tracked_keys(v), r.key[i]);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* tracked:load(saved) -> true | nil, message, code
 * Its keys are as they were when they were saved; the others stay as they are.
 * Yields: no.  Blocks: while it copies, some 0.5 us for each key.  Thread: the state's.
 * Errors: nil, and nothing has changed, when the text is truncated, corrupted, of
 * another version or of another declaration, and for a key that can't be here (of a
 * feed that there is not); raises for what is no string, and for a reading.
 * Units: none. */
static int load(lua_State *L)
{
    return restore(L, false);
}

/* tracked:merge(saved) -> true | nil, message, code
 * As tracked:load, but what was saved is added: as if the rows of the other shard had
 * come here, after those that did; up to rounding, or to the error of a sketch.
 * Yields: no.  Blocks: while it merges, some 0.5 us for each key, more for sketches.
 * Thread: the state's.
 * Errors: as tracked:load; raises for a kind that can't be merged.  Units: none. */
static int merge(lua_State *L)
{
    return restore(L, true);
}

static const luaL_Reg methods[] = {
    { "save", save },
    { "load", load },
    { "merge", merge },
    { NULL, NULL }
};

void ltw_tracked_add_save(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}

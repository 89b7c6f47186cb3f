/* market_data_instruments.c - instruments in market data over a session: as the venue
 * wants them in requests, and whose a message is, or a part of one.
 *
 * Layer host/fix.  Thread: the owner's.
 */
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/market_data_parts.h"

int tw_fix_md_set_instruments(struct tw_fix_md *md, const struct tw_fix_dictionary *d,
                              const struct tw_fix_instrument *list, size_t n)
{
    size_t most = 0, room;
    void *body;

    for (size_t i = 0; i < n; i++) {
        size_t bytes = (list[i].name ? strlen(list[i].name) : TW_NAME_MAX) + 16;

        for (size_t k = 0; k < list[i].own_n; k++)
            bytes += strlen(list[i].fields[k].value) + 16;
        if (bytes > most) most = bytes;
    }
    room = md->body_room + md->o.batch * most;
    body = tw_calloc(1, room);
    md->instruments = tw_fix_instruments_new(md->o.symbols, list, n);
    md->dictionary = d;
    if (!body || !md->instruments) {
        tw_free(body);
        return UV_ENOMEM;
    }
    tw_free(md->body);
    md->body = body;
    md->body_room = room;
    return TW_OK;
}

/* ---- requests ---- */

static void put_symbol(const struct tw_fix_md *md, struct tw_fix_output *o,
                       const char *name)
{
    tw_fix_put_text(o, md->o.id_source ? 48 : 55, name, strlen(name));
    if (md->o.id_source) tw_fix_put_char(o, 22, md->o.id_source);
}

void tw_fix_md_put_instrument(const struct tw_fix_md *md, struct tw_fix_output *o,
                              const char *code, uint32_t symbol)
{
    const struct tw_fix_instrument *is = tw_fix_instruments_of(md->instruments, symbol);
    const struct tw_fix_level *level;

    put_symbol(md, o, is ? is->name : tw_symbols_name(md->o.symbols, symbol));
    level = is && is->own_n > 0 ? tw_fix_instrument_level(md->dictionary, code) : NULL;
    for (uint32_t at = 0; level && at < level->n; at++)   /* in its order */
        for (size_t i = 0; i < is->own_n; i++)
            if ((uint32_t)is->fields[i].tag == level->tags[at])
                tw_fix_put_given(o, &is->fields[i]);
}

/* ---- messages ---- */

static bool is_of(const struct tw_fix_sub *s, uint64_t request)
{
    return s && (!request || s->request == request);
}

/* Whether the venue calls another one so: a name that nothing has says nothing. */
static bool is_of_another(const struct tw_fix_md *md, const struct tw_fix_instrument *is,
                          struct tw_fix_text name)
{
    uint32_t plain;
    size_t n;

    if (!name.n || tw_fix_is(name, is->name)) return false;
    tw_fix_instruments_named(md->instruments, name, &n);
    plain = tw_symbols_find(md->o.symbols, name.at, name.n);
    return n > 0 || (plain && plain != is->symbol && tw_fix_md_sub(md, plain));
}

/* The subscription of what the venue calls so and the part tells of, among those of a
 * request (0: of any); NULL: none, or which of them nobody says. */
static struct tw_fix_sub *called(const struct tw_fix_md *md, struct tw_fix_text name,
                                 const struct tw_fix_part *p, uint64_t request)
{
    uint32_t plain = tw_symbols_find(md->o.symbols, name.at, name.n);
    struct tw_fix_sub *best = NULL, *s;
    const struct tw_fix_instrument *const *list;
    int most = -1;
    size_t n;

    if (plain && !tw_fix_instruments_of(md->instruments, plain)) {
        s = tw_fix_md_sub(md, plain);
        if (is_of(s, request)) best = s;
        if (best) most = 0;
    }
    list = tw_fix_instruments_named(md->instruments, name, &n);
    for (size_t i = 0; i < n; i++) {
        int said;

        s = tw_fix_md_sub(md, list[i]->symbol);
        said = is_of(s, request) ? tw_fix_instrument_in(list[i], p) : -1;
        if (said < 0 || said < most) continue;
        best = said > most ? s : NULL;
        most = said;
    }
    return best;
}

struct tw_fix_sub *tw_fix_md_of_part(const struct tw_fix_md *md, struct tw_fix_text name,
                                     const struct tw_fix_part *p, uint64_t request)
{
    struct tw_fix_sub *s = tw_fix_md_of_request(md, request);
    const struct tw_fix_instrument *is;
    uint32_t symbol;

    if (!md->instruments) {
        symbol = name.n ? tw_symbols_find(md->o.symbols, name.at, name.n) : 0;
        return symbol ? tw_fix_md_sub(md, symbol) : NULL;
    }
    if (!s) request = 0;                  /* it is over, or was never ours */
    if (s && md->o.batch == 1) {          /* who asked for one knows it    */
        is = tw_fix_instruments_of(md->instruments, s->symbol);
        if (is)
            return is_of_another(md, is, name) || tw_fix_instrument_in(is, p) < 0 ? NULL
                                                                                  : s;
        if (!name.n) return s;
    }
    return name.n ? called(md, name, p, request) : NULL;
}

struct tw_fix_sub *tw_fix_md_of_message(const struct tw_fix_md *md,
                                        const struct tw_fix_message *m, uint64_t request)
{
    struct tw_fix_part body = tw_fix_part_body(m);

    return tw_fix_md_of_part(md, tw_fix_md_symbol(md, m), &body, request);
}

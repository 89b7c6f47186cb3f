/* order_desk_known.c - the orders that a desk knows, by id and by ClOrdID; fields of what
 * is kept of them. */
#include <string.h>

#include "base/memory.h"
#include "fix/order_desk_parts.h"

enum { DONE_MAX = 65536 };

static uint64_t hash_of(struct tw_fix_text t)
{
    uint64_t h = tw_hash(TW_HASH, t.at, t.n);

    return h ^ h >> 32;
}

static struct name *name_of(const struct tw_hashed_link *l)
{
    return TW_HASHED(l, struct name, hashed);
}

struct name *tw_fix_desk_find_of(const struct tw_fix_desk *d, struct tw_fix_text t,
                                 uint64_t id)
{
    struct tw_hashed_link *l = t.at ? tw_hashed_first(&d->names, hash_of(t)) : NULL;
    struct name *former = NULL;

    for (; l; l = tw_hashed_next(l)) {
        struct name *i = name_of(l);

        if (i->n != t.n || memcmp(i->text, t.at, t.n) != 0) continue;
        if (!i->deal->accepted) continue;
        if (id ? i->deal->q.id == id : !i->deal->is_former) return i;
        if (!id) former = i;
    }
    return former;
}

struct name *tw_fix_desk_add(struct tw_fix_desk *d, struct deal *deal,
                             struct tw_fix_text t, enum tw_request_what what)
{
    struct name *i = tw_calloc(1, sizeof *i + t.n);

    if (!i) return NULL;
    i->deal = deal;
    i->what = what;
    i->n = t.n;
    memcpy(i->text, t.at, t.n);
    tw_hashed_add(&d->names, &i->hashed, hash_of(t));
    deal->n_names++;
    d->n_asked++;
    if (deal->asked) deal->last_asked->later = i;
    else deal->asked = i;
    return deal->last_asked = i;
}

struct name *tw_fix_desk_answered(struct tw_fix_desk *d, struct deal *deal)
{
    struct name *i = deal->asked;

    if (!i) return NULL;
    deal->asked = i->later;
    i->later = NULL;
    d->n_asked--;
    return i;
}

static void drop_oldest(struct tw_fix_desk *d)
{
    struct name *i = d->done;
    struct deal *deal = i->deal;

    d->done = i->later;
    d->n_done--;
    tw_hashed_remove(&d->names, &i->hashed);
    if (deal->accepted == i) deal->accepted = NULL;
    tw_free(i);
    if (--deal->n_names > 0) return;
    tw_hashed_remove(&d->deals, &deal->hashed);
    tw_free(deal);
}

void tw_fix_desk_put_by(struct tw_fix_desk *d, struct name *i)
{
    if (i->is_done) return;
    i->is_done = true;
    *d->last_done = i;
    d->last_done = &i->later;
    if (++d->n_done > DONE_MAX) drop_oldest(d);
}

struct deal *tw_fix_desk_deal(const struct tw_fix_desk *d, uint64_t id)
{
    struct tw_hashed_link *l = tw_hashed_first(&d->deals, tw_hash_id(id));

    for (; l; l = tw_hashed_next(l)) {
        struct deal *deal = TW_HASHED(l, struct deal, hashed);

        if (deal->q.id == id) return deal;
    }
    return NULL;
}

struct deal *tw_fix_desk_new_deal(struct tw_fix_desk *d, const struct tw_request *q,
                                  struct tw_fix_text id)
{
    struct deal *deal = tw_calloc(1, sizeof *deal);

    if (!deal) return NULL;
    *deal = (struct deal){ .q = *q, .quantity = q->quantity, .price = q->price,
                           .stop = q->stop, .status = '0' };
    deal->accepted = tw_fix_desk_add(d, deal, id, TW_REQUEST_NEW);
    if (!deal->accepted) {
        tw_free(deal);
        return NULL;
    }
    tw_hashed_add(&d->deals, &deal->hashed, tw_hash_id(q->id));
    deal->at = d->last_open;
    *d->last_open = deal;
    d->last_open = &deal->next;
    return deal;
}

void tw_fix_desk_settle(struct tw_fix_desk *d, struct deal *deal)
{
    if (!deal->at || deal->asked == deal->accepted || tw_fix_desk_leaves(deal) > 0)
        return;
    *deal->at = deal->next;
    if (deal->next) deal->next->at = deal->at;
    else d->last_open = deal->at;
    deal->at = NULL;
    tw_fix_desk_put_by(d, deal->accepted);
}

bool tw_fix_desk_begin_anew(struct tw_fix_desk *d)
{
    struct tw_hashed names, deals;

    if (tw_hashed_init(&names) < 0) return false;
    if (tw_hashed_init(&deals) < 0) {
        tw_hashed_fini(&names, NULL, NULL);
        return false;
    }
    d->names = names;
    d->deals = deals;
    d->open = NULL;
    d->last_open = &d->open;
    d->done = NULL;
    d->last_done = &d->done;
    d->n_done = 0;
    return true;
}

static void free_name(struct tw_hashed_link *l, void *ctx)
{
    (void)ctx;
    tw_free(name_of(l));
}

static void free_deal(struct tw_hashed_link *l, void *ctx)
{
    (void)ctx;
    tw_free(TW_HASHED(l, struct deal, hashed));
}

void tw_fix_desk_forget(struct tw_hashed *names, struct tw_hashed *deals)
{
    tw_hashed_fini(names, free_name, NULL);
    tw_hashed_fini(deals, free_deal, NULL);
}

struct tw_fix_text tw_fix_desk_field(const char *body, size_t n, int tag)
{
    const char *p = body, *end = body + n, *stop;

    for (; p < end && (stop = memchr(p, TW_FIX_SOH, (size_t)(end - p))); p = stop + 1) {
        int is = 0;

        while (p < stop && *p >= '0' && *p <= '9' && is < 100000)
            is = 10 * is + *p++ - '0';
        if (is == tag && *p == '=')
            return (struct tw_fix_text){ p + 1, (uint32_t)(stop - p - 1) };
    }
    return (struct tw_fix_text){ NULL, 0 };
}

uint64_t tw_fix_desk_number(const char *body, size_t n, int tag)
{
    struct tw_fix_text t = tw_fix_desk_field(body, n, tag);
    uint64_t v = 0;

    for (uint32_t i = 0; i < t.n; i++) {
        if (t.at[i] < '0' || t.at[i] > '9' || v > UINT64_MAX / 10 - 1) return 0;
        v = 10 * v + (uint64_t)(t.at[i] - '0');
    }
    return v;
}

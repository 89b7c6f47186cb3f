/* booths.c - which peers of FIX sessions trade in the run's own book, as whom. */
#include "fix/booths.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "trade/desk.h"

struct ltw_booth {
    struct ltw_booth *next;
    struct tw_fix_booth *b;              /* constant                       */
    const struct tw_fix_dictionary *d;
    int precision;
    const struct tw_fix_journal *j;      /* constant                       */
    unsigned adding;                     /* sessions that may yet get it   */
    bool was_used;                       /* one got it                     */
    char name[TW_FIX_NAME_MAX + 1];      /* of its session                 */
};

/* A template's: what its sessions have in common. */
struct pattern {
    struct pattern *next;
    struct ltw_booths *booths;
    const struct tw_fix_dictionary *d;
    int precision;
    enum tw_fix_sync sync;
    char *store;                         /* NULL: none                     */
};

/* Where orders of sessions are kept that have their stores there. */
struct kept {
    struct kept *next;
    struct tw_fix_journal *journal;
    char folder[];
};

struct ltw_booths {
    struct ltw_host *host;               /* constant                       */
    unsigned first;                      /* constant                       */
    pthread_mutex_t lock;
    struct ltw_booth *list;              /* mutex: n                       */
    unsigned n;
    struct pattern *patterns;            /* mutex                          */
    struct kept *kept;                   /* mutex                          */
};

struct ltw_booths *ltw_booths_new(struct ltw_host *host, unsigned first)
{
    struct ltw_booths *b = tw_calloc(1, sizeof *b);

    if (!b) return NULL;
    b->host = host;
    b->first = first;
    pthread_mutex_init(&b->lock, NULL);
    return b;
}

void ltw_booths_free(struct ltw_booths *b)
{
    struct ltw_booth *next;
    struct pattern *other;
    struct kept *last;

    if (!b) return;
    for (struct ltw_booth *one = b->list; one; one = next) {
        next = one->next;
        tw_fix_booth_free(one->b);
        tw_free(one);
    }
    for (struct pattern *p = b->patterns; p; p = other) {
        other = p->next;
        tw_free(p->store);
        tw_free(p);
    }
    for (struct kept *k = b->kept; k; k = last) {
        last = k->next;
        tw_fix_journal_free(k->journal);
        tw_free(k);
    }
    pthread_mutex_destroy(&b->lock);
    tw_free(b);
}

/* ---- one, with the lock held ---- */

/* By which its reports are written. */
static const struct tw_fix_dictionary *of(const struct tw_fix_link_options *o)
{
    return tw_fix_session_writes(&o->session, "8", 1);
}

/* That of a session of that name which is no more: it has the peer's orders.  Or one that
 * was made for a session that could not be added. */
static struct ltw_booth *left(struct ltw_booths *f, const struct tw_fix_link_options *o,
                              const struct tw_fix_journal *j)
{
    struct ltw_booth *b = f->list;

    while (b && (b->d != of(o) || b->j != j || strcmp(b->name, o->name) != 0))
        b = b->next;
    if (b) return b;
    b = f->list;
    while (b && (b->adding > 0 || b->was_used || b->d != of(o)
                 || b->precision != o->session.precision || b->j != j
                 || !tw_fix_booth_renew(b->b, o->name, of(o), o->session.precision)))
        b = b->next;
    if (b) snprintf(b->name, sizeof b->name, "%s", o->name);
    return b;
}

/* One whose session is no more, and whose peer has no open orders; NULL: none is. */
static struct ltw_booth *idle(struct ltw_booths *f, const struct tw_fix_link_options *o,
                              const struct tw_fix_journal *j)
{
    struct ltw_booth *b = f->list;

    while (b && (b->adding > 0 || b->j != j
                 || !tw_fix_booth_renew(b->b, o->name, of(o), o->session.precision)))
        b = b->next;
    if (!b) return NULL;
    b->d = of(o);
    b->precision = o->session.precision;
    snprintf(b->name, sizeof b->name, "%s", o->name);
    return b;
}

/* That of its store's folder; NULL: it has none. */
static int journal_of(struct ltw_booths *f, const struct tw_fix_link_options *o,
                      struct tw_fix_journal **out, struct tw_error *error)
{
    struct tw_floor *floor = f->host->desk->floor;
    struct kept *k = f->kept;
    size_t n = o->store ? strlen(o->store) + 1 : 0;

    *out = NULL;
    if (!o->store || !floor) return TW_OK;
    while (k && strcmp(k->folder, o->store) != 0) k = k->next;
    if (!k) {
        k = tw_calloc(1, sizeof *k + n);
        if (!k) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
        memcpy(k->folder, o->store, n);
        k->journal = tw_fix_journal_open(o->store, o->sync == TW_FIX_SYNC_EACH, floor,
                                         f->host->log, error);
        if (!k->journal) {
            tw_free(k);
            return error->code;
        }
        k->next = f->kept;
        f->kept = k;
    }
    *out = k->journal;
    return TW_OK;
}

static const struct tw_calendar *calendar(const void *of, uint32_t symbol)
{
    const struct ltw_instrument_terms *t = ltw_desk_terms(of, symbol);

    return t ? t->calendar : NULL;
}

static int new(struct ltw_booths *f, const struct tw_fix_link_options *o,
               struct tw_fix_journal *j, struct ltw_booth **out, struct tw_error *error)
{
    struct ltw_desk *desk = f->host->desk;
    struct tw_fix_booth_options b = {
        .dictionary = of(o), .symbols = f->host->symbols,
        .floor = desk->floor, .precision = o->session.precision,
        .owner = f->first + f->n, .name = o->name, .journal = j,
        .calendar = calendar, .of = desk, .log = f->host->log,
    };
    struct ltw_booth *one;

    if (desk->lanes > 0 && b.owner >= desk->lanes) {
        *out = idle(f, o, j);
        if (*out) return TW_OK;
        return tw_fail(error, TW_ELIMIT, "%s: of sessions with orders %u are there, or"
                       " were and have open orders: no more can be added", o->name, f->n);
    }
    one = tw_calloc(1, sizeof *one);
    if (!one) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    ltw_desk_ids(desk, b.owner, &b.first_id, &b.id_step);
    one->b = tw_fix_booth_new(&b, error);
    if (!one->b) {
        tw_free(one);
        return error->code;
    }
    one->d = b.dictionary;
    one->precision = b.precision;
    one->j = j;
    snprintf(one->name, sizeof one->name, "%s", o->name);
    one->next = f->list;
    f->list = one;
    f->n++;
    *out = one;
    return TW_OK;
}

/* ---- taken and given ---- */

int ltw_booths_take(struct ltw_booths *f, const struct tw_fix_link_options *o,
                    struct ltw_booth **out, struct tw_error *error)
{
    struct tw_fix_journal *j;
    struct ltw_booth *one = NULL;
    int rc;

    pthread_mutex_lock(&f->lock);
    rc = journal_of(f, o, &j, error);
    if (rc == TW_OK) one = left(f, o, j);
    if (rc == TW_OK && !one) rc = new(f, o, j, &one, error);
    if (rc == TW_OK) one->adding++;
    pthread_mutex_unlock(&f->lock);
    if (rc == TW_ECLOSED)
        return tw_fail(error, TW_EUSAGE, "%s: orders: the run has no book: one of its"
                       " scripts has fill = \"book\", or its app file says app.fix.open"
                       " { orders = true }", o->name);
    if (rc == TW_OK) *out = one;
    return rc;
}

struct tw_fix_consumer ltw_booths_consumer(const struct ltw_booth *one)
{
    return tw_fix_booth_consumer(one->b);
}

void ltw_booths_give(struct ltw_booths *f, struct ltw_booth *one,
                     struct tw_fix_link *link)
{
    pthread_mutex_lock(&f->lock);
    if (link) tw_fix_booth_attach(one->b, link);
    one->adding--;
    one->was_used |= link != NULL;
    pthread_mutex_unlock(&f->lock);
}

/* ---- templates ---- */

static void *make(void *ctx, const char *name, struct tw_error *error)
{
    const struct pattern *p = ctx;
    struct tw_fix_link_options o = {
        .name = name, .store = p->store, .sync = p->sync,
        .session = { .dictionary = p->d, .precision = p->precision },
    };
    struct ltw_booth *one;

    return ltw_booths_take(p->booths, &o, &one, error) == TW_OK ? one->b : NULL;
}

static void made(void *ctx, void *of, struct tw_fix_link *link)
{
    struct ltw_booths *f = ((const struct pattern *)ctx)->booths;
    struct ltw_booth *one;

    pthread_mutex_lock(&f->lock);
    for (one = f->list; one->b != of; one = one->next) continue;
    pthread_mutex_unlock(&f->lock);
    ltw_booths_give(f, one, link);
}

struct tw_fix_consumer ltw_booths_template(struct ltw_booths *f,
                                           const struct tw_fix_link_options *o)
{
    struct tw_fix_consumer c = tw_fix_booth_consumer(NULL);
    struct pattern *p = tw_calloc(1, sizeof *p);

    c.make = make;
    c.made = made;
    if (p && o->store) p->store = tw_calloc(1, strlen(o->store) + 1);
    if (p && o->store && !p->store) {
        tw_free(p);
        p = NULL;
    }
    c.ctx = p;
    if (!p) return c;
    if (o->store) memcpy(p->store, o->store, strlen(o->store) + 1);
    p->sync = o->sync;
    p->booths = f;
    p->d = of(o);
    p->precision = o->session.precision;
    pthread_mutex_lock(&f->lock);
    p->next = f->patterns;
    f->patterns = p;
    pthread_mutex_unlock(&f->lock);
    return c;
}

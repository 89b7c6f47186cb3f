/* trial.c - how the outputs of a new version are compared with the old one's. */
#include "reload/trial.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "reload/reload.h"

enum { LINES = 3000 };

struct ltw_trial {
    atomic_uint references;
    struct ltw_terms terms;           /* constant                              */
    bool waits;                       /* constant                              */
    struct ltw_reloads *reloads;      /* constant                              */
    atomic_uint warming, comparing;   /* atomic: members still to come         */
    _Atomic uint64_t count[LTW_TRIAL_COUNTS];   /* atomic                      */
    _Atomic uint64_t moved;           /* atomic: records that were read        */
    pthread_mutex_t lock;             /* guards what follows                   */
    bool is_noted, whole;             /* mutex                                 */
    uint64_t warm_records;            /* mutex: the least                      */
    int64_t warm_ns;                  /* mutex: of that member                 */
    char lines[LINES];                /* mutex: of the report                  */
    size_t n;                         /* mutex: bytes of them                  */
};

struct ltw_trial *ltw_trial_new(const struct ltw_terms *terms, unsigned members,
                                bool waits, struct ltw_reloads *r)
{
    struct ltw_trial *t = tw_calloc(1, sizeof *t);

    if (!t) return NULL;
    atomic_init(&t->references, 1);
    atomic_init(&t->warming, ltw_terms_warm(terms) ? members : 0);
    atomic_init(&t->comparing, terms->shadow ? members : 0);
    pthread_mutex_init(&t->lock, NULL);
    t->terms = *terms;
    t->waits = waits;
    t->reloads = r;
    return t;
}

void ltw_trial_ref(struct ltw_trial *t)
{
    /* order [trial.references] relaxed: the caller has one already */
    atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
}

void ltw_trial_unref(struct ltw_trial *t)
{
    /* order [trial.free] acq_rel: who frees it sees all that was done with it */
    if (!t || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) > 1)
        return;
    pthread_mutex_destroy(&t->lock);
    tw_free(t);
}

const struct ltw_terms *ltw_trial_terms(const struct ltw_trial *t)
{
    return &t->terms;
}

bool ltw_trial_waits(const struct ltw_trial *t)
{
    return t->waits;
}

void ltw_trial_warmed(struct ltw_trial *t)
{
    /* order [trial.warming] acq_rel: who sees 0 sees what all members did */
    if (atomic_fetch_sub_explicit(&t->warming, 1, memory_order_acq_rel) == 1)
        ltw_reloads_tell(t->reloads);
}

unsigned ltw_trial_warming(const struct ltw_trial *t)
{
    /* order [trial.warming] acquire: what those did that have come */
    return atomic_load_explicit(&t->warming, memory_order_acquire);
}

void ltw_trial_note_warm(struct ltw_trial *t, uint64_t records, int64_t ns, bool whole)
{
    pthread_mutex_lock(&t->lock);
    if (!t->is_noted || records < t->warm_records) {
        t->warm_records = records;
        t->warm_ns = ns;
        t->whole = whole;
        t->is_noted = true;
    }
    pthread_mutex_unlock(&t->lock);
}

bool ltw_trial_describe_warm(struct ltw_trial *t, char *out, size_t n)
{
    uint64_t lost = ltw_trial_get(t, LTW_TRIAL_LOST);
    size_t length;
    bool is_noted;

    pthread_mutex_lock(&t->lock);
    is_noted = t->is_noted;
    snprintf(out, n, "%llu records, %.3f s%s", (unsigned long long)t->warm_records,
             (double)t->warm_ns / 1e9, t->whole ? "" : ": the tape holds no more");
    pthread_mutex_unlock(&t->lock);
    length = strlen(out);
    if (lost > 0)
        snprintf(out + length, n - length, "; it fell behind and lost %llu",
                 (unsigned long long)lost);
    return is_noted;
}

void ltw_trial_compared(struct ltw_trial *t)
{
    /* order [trial.comparing] acq_rel: who sees 0 sees what all members did */
    if (atomic_fetch_sub_explicit(&t->comparing, 1, memory_order_acq_rel) == 1)
        ltw_reloads_tell(t->reloads);
}

unsigned ltw_trial_comparing(const struct ltw_trial *t)
{
    /* order [trial.comparing] acquire: what those did that have come */
    return atomic_load_explicit(&t->comparing, memory_order_acquire);
}

void ltw_trial_add(struct ltw_trial *t, enum ltw_trial_count what, uint64_t n)
{
    /* order [trial.count] relaxed: figures; comparing orders the last ones */
    atomic_fetch_add_explicit(&t->count[what], n, memory_order_relaxed);
}

uint64_t ltw_trial_get(const struct ltw_trial *t, enum ltw_trial_count what)
{
    /* order [trial.count] relaxed: likewise */
    return atomic_load_explicit(&t->count[what], memory_order_relaxed);
}

void ltw_trial_tell(struct ltw_trial *t)
{
    ltw_reloads_tell(t->reloads);
}

bool ltw_trial_is_over(const struct ltw_trial *t)
{
    return ltw_trial_get(t, LTW_TRIAL_DIFFERENCES) > t->terms.differences
        || ltw_trial_get(t, LTW_TRIAL_ERRORS) > t->terms.errors;
}

void ltw_trial_note(struct ltw_trial *t, const char *line)
{
    size_t n = strlen(line);

    pthread_mutex_lock(&t->lock);
    if (t->n + n + 2 < sizeof t->lines) {
        t->lines[t->n++] = '\n';
        memcpy(t->lines + t->n, line, n + 1);
        t->n += n;
    }
    pthread_mutex_unlock(&t->lock);
}

static const char *s_of(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* "2 differences", and what is allowed, when that is less. */
static void describe(const struct ltw_trial *t, enum ltw_trial_count what,
                     const char *name, uint64_t allowed, char out[100])
{
    unsigned long long found = ltw_trial_get(t, what), most = allowed;
    int length = snprintf(out, 100, "%llu %s%s", found, name, s_of(found));

    if (found > most)
        snprintf(out + length, 100 - (size_t)length, " (%llu %s allowed)", most,
                 most == 1 ? "is" : "are");
}

void ltw_trial_report(struct ltw_trial *t, char *out, size_t n)
{
    uint64_t records = ltw_trial_get(t, LTW_TRIAL_RECORDS);
    uint64_t left_out = ltw_trial_get(t, LTW_TRIAL_LEFT_OUT);
    char differences[100], errors[100], more[60] = "";

    describe(t, LTW_TRIAL_DIFFERENCES, "difference", t->terms.differences, differences);
    describe(t, LTW_TRIAL_ERRORS, "error", t->terms.errors, errors);
    if (left_out > 0)
        snprintf(more, sizeof more, " (%llu not compared)", (unsigned long long)left_out);
    pthread_mutex_lock(&t->lock);
    snprintf(out, n, "%s, %s in %llu record%s%s%s", differences, errors,
             (unsigned long long)records, s_of(records), more, t->lines);
    pthread_mutex_unlock(&t->lock);
}

void ltw_trial_move(struct ltw_trial *t, uint64_t records)
{
    /* order [trial.moved] relaxed: a figure */
    atomic_fetch_add_explicit(&t->moved, records, memory_order_relaxed);
}

uint64_t ltw_trial_moved(const struct ltw_trial *t)
{
    /* order [trial.moved] relaxed: a figure */
    return atomic_load_explicit(&t->moved, memory_order_relaxed);
}

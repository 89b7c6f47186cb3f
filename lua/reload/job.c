/* job.c - one change of version: what all instances of scripts decide together.
 *
 * Why: the last one to agree decides, on its own thread, so that those that stand still
 * wait for one wake-up and not for a coordinator's turn.
 *
 * Invariants
 *   J1  It is decided once: for it by the last agreement, against it by any refusal
 *       that comes before that.
 *   J2  A member that has seen the decision sees all that was done before it.
 */
#include "reload/job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "reload/reload.h"

struct ltw_job {
    atomic_uint references;
    uint64_t id;                         /* constant: in the record of it         */
    struct ltw_trial *trial;             /* constant: one reference, or NULL      */
    struct ltw_reloads *reloads;         /* constant                              */
    struct ltw_trial *guard;             /* constant: likewise                    */
    _Atomic uint64_t seq, start;         /* atomic: MAIN stores                   */
    atomic_uint preparing, agreeing, members;   /* atomic: still to come, to go   */
    atomic_int decision;                 /* atomic: enum ltw_decision             */
    _Atomic int64_t from_ns, till_ns;    /* atomic: the first there; the decision */
    pthread_mutex_t lock;                /* guards reason                         */
    char reason[LTW_REASON];             /* mutex                                 */
    unsigned n;                          /* constant                              */
    struct ltw_version *versions[];      /* constant: one reference each          */
};

struct ltw_job *ltw_job_new(uint64_t id, struct ltw_version *const *versions, unsigned n,
                            unsigned members, struct ltw_reloads *r)
{
    struct ltw_job *j = tw_calloc(1, sizeof *j + n * sizeof *versions);

    if (!j) return NULL;
    atomic_init(&j->references, 1);
    atomic_init(&j->preparing, members);
    atomic_init(&j->agreeing, members);
    atomic_init(&j->members, members);
    atomic_init(&j->decision, LTW_UNDECIDED);
    pthread_mutex_init(&j->lock, NULL);
    j->id = id;
    j->reloads = r;
    for (; j->n < n; j->n++) ltw_version_ref(j->versions[j->n] = versions[j->n]);
    return j;
}

void ltw_job_ref(struct ltw_job *j)
{
    /* order [job.references] relaxed: the caller has one already */
    atomic_fetch_add_explicit(&j->references, 1, memory_order_relaxed);
}

void ltw_job_unref(struct ltw_job *j)
{
    /* order [job.free] acq_rel: who frees it sees all that was done with it */
    if (!j || atomic_fetch_sub_explicit(&j->references, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < j->n; i++) ltw_version_unref(j->versions[i]);
    ltw_trial_unref(j->trial);
    ltw_trial_unref(j->guard);
    pthread_mutex_destroy(&j->lock);
    tw_free(j);
}

void ltw_job_set_trial(struct ltw_job *j, struct ltw_trial *t)
{
    ltw_trial_ref(j->trial = t);
}

struct ltw_trial *ltw_job_trial(const struct ltw_job *j)
{
    return j->trial;
}

uint64_t ltw_job_id(const struct ltw_job *j)
{
    return j->id;
}

struct ltw_version *ltw_job_version(const struct ltw_job *j, const char *path)
{
    for (unsigned i = 0; i < j->n; i++)
        if (strcmp(ltw_version_file(j->versions[i])->path, path) == 0)
            return j->versions[i];
    return NULL;
}

static bool is_last(atomic_uint *count)
{
    /* order [job.count] acq_rel: the last one sees what the others did */
    return atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel) == 1;
}

static unsigned left(const atomic_uint *count)
{
    /* order [job.count] acquire: what those did that are counted */
    return atomic_load_explicit(count, memory_order_acquire);
}

void ltw_job_prepared(struct ltw_job *j)
{
    if (is_last(&j->preparing)) ltw_reloads_tell(j->reloads);
}

unsigned ltw_job_preparing(const struct ltw_job *j)
{
    return left(&j->preparing);
}

void ltw_job_set_seq(struct ltw_job *j, uint64_t seq)
{
    /* order [job.seq] release: the record is on the tape before */
    atomic_store_explicit(&j->seq, seq, memory_order_release);
    ltw_reloads_tell(j->reloads);
}

uint64_t ltw_job_seq(const struct ltw_job *j)
{
    /* order [job.seq] acquire: the record is on the tape */
    return atomic_load_explicit(&j->seq, memory_order_acquire);
}

void ltw_job_set_start(struct ltw_job *j, uint64_t seq)
{
    /* order [job.seq] release: the record is on the tape before */
    atomic_store_explicit(&j->start, seq, memory_order_release);
    ltw_reloads_tell(j->reloads);
}

uint64_t ltw_job_start(const struct ltw_job *j)
{
    /* order [job.seq] acquire: the record is on the tape */
    return atomic_load_explicit(&j->start, memory_order_acquire);
}

void ltw_job_set_guard(struct ltw_job *j, struct ltw_trial *t)
{
    ltw_trial_ref(j->guard = t);
}

struct ltw_trial *ltw_job_guard(const struct ltw_job *j)
{
    return j->guard;
}

static bool decide(struct ltw_job *j, enum ltw_decision decision)
{
    int undecided = LTW_UNDECIDED;

    /* order [job.till] relaxed: decision orders it */
    atomic_store_explicit(&j->till_ns, tw_clock_steady_ns(), memory_order_relaxed);
    /* order [job.decision] release: J2 */
    return atomic_compare_exchange_strong_explicit(&j->decision, &undecided, decision,
        memory_order_release, memory_order_relaxed);   /* J1 */
}

void ltw_job_arrive(struct ltw_job *j)
{
    int64_t nobody = 0;

    /* order [job.from] relaxed: count orders it */
    atomic_compare_exchange_strong_explicit(&j->from_ns, &nobody, tw_clock_steady_ns(),
        memory_order_relaxed, memory_order_relaxed);
}

void ltw_job_agree(struct ltw_job *j)
{
    if (is_last(&j->agreeing) && decide(j, LTW_COMMIT)) ltw_reloads_tell(j->reloads);
}

void ltw_job_refuse(struct ltw_job *j, const char *who, const char *text)
{
    pthread_mutex_lock(&j->lock);
    if (!j->reason[0])
        snprintf(j->reason, sizeof j->reason, "%s%s%s", who, *who ? ": " : "", text);
    pthread_mutex_unlock(&j->lock);
    if (decide(j, LTW_ABORT)) ltw_reloads_tell(j->reloads);
}

enum ltw_decision ltw_job_decision(const struct ltw_job *j)
{
    /* order [job.decision] acquire: J2 */
    return atomic_load_explicit(&j->decision, memory_order_acquire);
}

void ltw_job_leave(struct ltw_job *j)
{
    if (is_last(&j->members)) ltw_reloads_tell(j->reloads);
}

unsigned ltw_job_members(const struct ltw_job *j)
{
    return left(&j->members);
}

void ltw_job_reason(struct ltw_job *j, char out[LTW_REASON])
{
    pthread_mutex_lock(&j->lock);
    snprintf(out, LTW_REASON, "%s", j->reason);
    pthread_mutex_unlock(&j->lock);
}

int64_t ltw_job_pause_ns(const struct ltw_job *j)
{
    /* order [job.from] relaxed: MAIN asks when all have left */
    int64_t from_ns = atomic_load_explicit(&j->from_ns, memory_order_relaxed);

    /* order [job.till] relaxed: likewise */
    int64_t till_ns = atomic_load_explicit(&j->till_ns, memory_order_relaxed);

    return from_ns ? till_ns - from_ns : 0;
}

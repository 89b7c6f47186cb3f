/* job.h - one change of version: what all instances of scripts decide together.
 *
 * Layer lua.  Thread: any, each function.
 */
#ifndef LTW_JOB_H
#define LTW_JOB_H

#include "reload/trial.h"
#include "reload/version.h"

enum ltw_decision { LTW_UNDECIDED, LTW_COMMIT, LTW_ABORT };
enum { LTW_REASON = 4096 };

struct ltw_job;
struct ltw_reloads;

/* A job to the n versions, each of another script, of so many members: instances that
 * prepare, come to the record of the change, agree or refuse, and leave when they have
 * done what was decided.  r is told when there is something to look at for all of them
 * and for MAIN.  One reference.  NULL: no memory. */
struct ltw_job *ltw_job_new(uint64_t id, struct ltw_version *const *versions, unsigned n,
                            unsigned members, struct ltw_reloads *r);
void ltw_job_ref(struct ltw_job *j);
void ltw_job_unref(struct ltw_job *j);

/* How the versions show what they do; NULL: not at all.  It takes a reference.  Before
 * any other thread knows the job. */
void ltw_job_set_trial(struct ltw_job *j, struct ltw_trial *t);
struct ltw_trial *ltw_job_trial(const struct ltw_job *j);

uint64_t ltw_job_id(const struct ltw_job *j);

/* Of the script with that file; NULL: it takes no part. */
struct ltw_version *ltw_job_version(const struct ltw_job *j, const char *path);

/* A member has the new version ready, or has refused. */
void ltw_job_prepared(struct ltw_job *j);
unsigned ltw_job_preparing(const struct ltw_job *j);

/* The seq of the record of the change; 0: it is not on the tape yet. */
void ltw_job_set_seq(struct ltw_job *j, uint64_t seq);
uint64_t ltw_job_seq(const struct ltw_job *j);

/* Likewise of the record from which on versions are compared. */
void ltw_job_set_start(struct ltw_job *j, uint64_t seq);
uint64_t ltw_job_start(const struct ltw_job *j);

/* How what is behind the change shows itself; NULL: not at all.  As ltw_job_trial. */
void ltw_job_set_guard(struct ltw_job *j, struct ltw_trial *t);
struct ltw_trial *ltw_job_guard(const struct ltw_job *j);

/* A member stands still from here on. */
void ltw_job_arrive(struct ltw_job *j);

/* A member that is there agrees; with the last one it is decided. */
void ltw_job_agree(struct ltw_job *j);

/* Decides against it, unless it is decided; who: "worker 0". */
void ltw_job_refuse(struct ltw_job *j, const char *who, const char *text);
enum ltw_decision ltw_job_decision(const struct ltw_job *j);

/* A member has done what was decided, and has no more to do with it. */
void ltw_job_leave(struct ltw_job *j);
unsigned ltw_job_members(const struct ltw_job *j);   /* that are left */

/* Why it was refused, and by whom, when it was; and how long those that were there
 * first stood still, in nanoseconds. */
void ltw_job_reason(struct ltw_job *j, char out[LTW_REASON]);
int64_t ltw_job_pause_ns(const struct ltw_job *j);

#endif

/* trial.h - how the outputs of a new version are compared with the old one's.
 *
 * All instances of the scripts that change share one.
 *
 * Layer lua.  Thread: any, each function.
 */
#ifndef LTW_TRIAL_H
#define LTW_TRIAL_H

#include "base/tw.h"

/* What is asked of a new version; all zero: nothing. */
struct ltw_terms {
    int64_t warm_ns;                  /* of records' time; 0: see warm_records  */
    uint64_t warm_records;            /* it reads so many before it takes over  */
    uint64_t shadow;                  /* records that both versions handle      */
    uint64_t differences, errors;     /* of these: more refuse it               */
};

static inline bool ltw_terms_warm(const struct ltw_terms *t)
{
    return t->warm_ns > 0 || t->warm_records > 0;
}

struct ltw_trial;
struct ltw_reloads;

/* Of so many members.  waits: a running instance may stand still until its candidate has
 * caught up, as no feed is live.  r is told when something has come to its end.  One
 * reference.  NULL: no memory. */
struct ltw_trial *ltw_trial_new(const struct ltw_terms *terms, unsigned members,
                                bool waits, struct ltw_reloads *r);
void ltw_trial_ref(struct ltw_trial *t);
void ltw_trial_unref(struct ltw_trial *t);

const struct ltw_terms *ltw_trial_terms(const struct ltw_trial *t);
bool ltw_trial_waits(const struct ltw_trial *t);

/* A member's candidate has caught up, or has none; how many are to come. */
void ltw_trial_warmed(struct ltw_trial *t);
unsigned ltw_trial_warming(const struct ltw_trial *t);

/* What a candidate was warmed with: the least of all members counts.  ns: of records'
 * time.  whole: as much as was asked for. */
void ltw_trial_note_warm(struct ltw_trial *t, uint64_t records, int64_t ns, bool whole);

/* "1200 records, 250.3 s: the tape holds no more"; false: nothing was noted. */
bool ltw_trial_describe_warm(struct ltw_trial *t, char *out, size_t n);

/* A member has compared what it was to; how many are to come. */
void ltw_trial_compared(struct ltw_trial *t);
unsigned ltw_trial_comparing(const struct ltw_trial *t);

/* Counts; records: of the tape, that both have handled, or that were left out; lost: by
 * candidates before they had caught up. */
enum ltw_trial_count { LTW_TRIAL_RECORDS, LTW_TRIAL_LEFT_OUT, LTW_TRIAL_DIFFERENCES,
                       LTW_TRIAL_ERRORS, LTW_TRIAL_LOST, LTW_TRIAL_COUNTS };
void ltw_trial_add(struct ltw_trial *t, enum ltw_trial_count what, uint64_t n);
uint64_t ltw_trial_get(const struct ltw_trial *t, enum ltw_trial_count what);

/* More than the terms allow. */
bool ltw_trial_is_over(const struct ltw_trial *t);

/* There is something to look at. */
void ltw_trial_tell(struct ltw_trial *t);

/* A line of the report; the first ones are kept. */
void ltw_trial_note(struct ltw_trial *t, const char *line);

/* "2 differences (0 are allowed), 0 errors in 1000 records", and the lines. */
void ltw_trial_report(struct ltw_trial *t, char *out, size_t n);

/* A candidate gets on: what all of them have read. */
void ltw_trial_move(struct ltw_trial *t, uint64_t records);
uint64_t ltw_trial_moved(const struct ltw_trial *t);

#endif

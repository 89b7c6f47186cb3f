/* shadow.c - a new version of a script beside the one that runs: the candidate.
 *
 * Why: a version that has seen nothing has no statistics, and nobody knows what it will
 * do.  So an instance of it runs beside each instance of the script, in the same state,
 * with a self, a coroutine and a cursor of its own, before it takes over; what it sends
 * comes nowhere.  Warm: it begins with on_start some way back on the tape and follows up
 * to where the script is.
 *
 * Invariants
 *   S1  A candidate reads no record that its script has not read, so that it can be
 *       brought to the very record of a change.
 *   S2  It shares no table with its script.
 *   S3  The script's worker steps its scripts first, and a candidate by no more records
 *       than a script.
 *
 * Layer lua.
 */
#include <string.h>

#include "base/memory.h"
#include "instance.h"

enum { NEAR = 1024, TIME_PROBES = 64 };

struct ltw_shadow {
    struct ltw_script *candidate;
    struct ltw_trial *trial;          /* one reference                             */
    bool is_near;                     /* it has caught up once                     */
    uint64_t from, moved;             /* where it began; records told to the trial */
    uint64_t goal, distance;          /* where the script was, and how far that was */
};

/* ---- where to begin ---- */

/* The time of the first quote or trade from seq on, below `till`. */
static bool time_from(const struct tw_tape *tape, uint64_t seq, uint64_t till,
                      int64_t *time)
{
    struct tw_record r;

    for (; seq < till; seq++) {
        if (tw_tape_read(tape, seq, &r) != 1) return false;
        if (r.kind != TW_QUOTE && r.kind != TW_TRADE) continue;
        *time = r.time;
        return true;
    }
    return false;
}

/* The time of the last quote or trade from seq on, below `till`. */
static bool time_till(const struct tw_tape *tape, uint64_t seq, uint64_t till,
                      int64_t *time)
{
    struct tw_record r;

    while (till-- > seq) {
        if (tw_tape_read(tape, till, &r) != 1) return false;
        if (r.kind != TW_QUOTE && r.kind != TW_TRADE) continue;
        *time = r.time;
        return true;
    }
    return false;
}

/* Where the candidate of a script that reads `till` next begins.  A quarter of the ring
 * stays between it and the writers, as they don't wait for it. */
static uint64_t begin_at(const struct tw_tape *tape, const struct ltw_terms *terms,
                         uint64_t till, bool *whole)
{
    uint64_t head = tw_tape_head(tape), held = tw_tape_capacity(tape) / 4 * 3;
    uint64_t oldest = head > held ? head - held : 1, from = oldest, high = till;
    int64_t time, end;

    *whole = true;
    if (oldest > till) oldest = from = till;
    if (terms->warm_records > 0) {
        *whole = till - oldest >= terms->warm_records;
        return *whole ? till - terms->warm_records : oldest;
    }
    if (!time_till(tape, oldest, till, &end)) return till;
    while (from < high) {                         /* the first one that late */
        uint64_t middle = from + (high - from) / 2;

        if (time_from(tape, middle, high, &time) && time < end - terms->warm_ns)
            from = middle + 1;
        else
            high = middle;
    }
    *whole = from > oldest;
    return from;
}

static void note_warm(struct ltw_shadow *w, const struct ltw_script *s, bool whole)
{
    const struct tw_tape *tape = s->engine->host->tape;
    int64_t first, last;

    if (!time_from(tape, w->from, s->cursor.next, &first)
        || !time_till(tape, w->from, s->cursor.next, &last))
        first = last = 0;
    ltw_trial_note_warm(w->trial, s->cursor.next - w->from, last - first, whole);
}

/* ---- its life ---- */

static bool no_memory(struct ltw_script *s)
{
    lua_pushliteral(s->engine->state->L, "not enough memory");
    return false;
}

bool ltw_shadow_warm(struct ltw_script *s)
{
    struct ltw_trial *trial = ltw_job_trial(s->sw.job);
    struct ltw_shadow *w = tw_calloc(1, sizeof *w);
    struct tw_error error;
    bool whole;

    if (!w) return no_memory(s);
    w->from = begin_at(s->engine->host->tape, ltw_trial_terms(trial), s->cursor.next,
                       &whole);
    w->candidate = ltw_script_new_candidate(s, ltw_switch_next(s), ltw_switch_options(s),
                                            w->from);
    if (!w->candidate) {
        tw_free(w);
        return no_memory(s);
    }
    w->goal = s->cursor.next;
    w->distance = w->goal - w->from;
    ltw_trial_ref(w->trial = trial);
    s->shadow = w;
    note_warm(w, s, whole);
    if (ltw_script_restart(w->candidate, &error) == TW_OK) return true;
    lua_pushstring(s->engine->state->L, error.text);
    return false;
}

void ltw_shadow_drop(struct ltw_script *s)
{
    struct ltw_shadow *w = s->shadow;

    if (!w) return;
    s->shadow = NULL;
    ltw_script_cease(w->candidate);
    w->candidate->next = s->engine->leaving;
    s->engine->leaving = w->candidate;
    ltw_trial_unref(w->trial);
    tw_free(w);
}

void ltw_shadow_sweep(struct ltw_engine *e, bool all)
{
    for (struct ltw_script **link = &e->leaving, *s; (s = *link) != NULL;) {
        if (!all && !ltw_script_ended(s)) {
            link = &s->next;
            continue;
        }
        *link = s->next;
        ltw_script_free(s);
    }
}

struct ltw_script *ltw_shadow_candidate(const struct ltw_script *s)
{
    return s->shadow ? s->shadow->candidate : NULL;
}

bool ltw_shadow_is_there(const struct ltw_script *s)
{
    const struct ltw_script *c = ltw_shadow_candidate(s);

    return !c || (ltw_script_is_at_rest(c) && c->started
                  && c->cursor.next >= s->cursor.next);
}

bool ltw_shadow_holds(const struct ltw_script *s)
{
    return s->shadow && ltw_trial_waits(s->shadow->trial) && !ltw_shadow_is_there(s)
        && s->shadow->candidate->state != SCRIPT_FAILED;
}

void ltw_shadow_failed(struct ltw_script *candidate, const char *why)
{
    ltw_switch_refuse(candidate->of, why);
}

/* ---- its steps ---- */

/* It can't keep up: it is no nearer than when it began this stretch. */
static bool falls_behind(struct ltw_shadow *w, const struct ltw_script *s)
{
    uint64_t distance = s->cursor.next - w->candidate->cursor.next;
    bool is_no_nearer = distance > w->distance / 8 * 7;

    if (w->candidate->cursor.next < w->goal) return false;
    w->goal = s->cursor.next;
    w->distance = distance;
    return is_no_nearer;
}

static void follow(struct ltw_shadow *w, struct ltw_script *s)
{
    const struct ltw_script *c = w->candidate;
    bool waits = ltw_trial_waits(w->trial);

    ltw_trial_move(w->trial, c->cursor.next - w->moved);
    w->moved = c->cursor.next;
    if (w->is_near) return;
    if (c->started && ltw_script_is_at_rest(c) && s->cursor.next - c->cursor.next
                                                  <= (waits ? 0 : NEAR)) {
        w->is_near = true;
        ltw_switch_warmed(s);
    } else if (!waits && falls_behind(w, s)) {
        ltw_switch_refuse(s, "the new version can't keep up with the market, beside the"
                          " old one");
    }
}

bool ltw_shadow_step(struct ltw_script *s)
{
    struct ltw_shadow *w = s->shadow;
    enum ltw_step did;

    if (!w || s->sw.arrived) return false;
    did = ltw_script_step(w->candidate);
    if (did == LTW_FAILED) return true;           /* it goes when that is decided */
    follow(w, s);
    return did != LTW_IDLE;
}

bool ltw_shadow_ready(const struct ltw_script *s)
{
    return s->shadow && !s->sw.arrived && ltw_script_ready(s->shadow->candidate);
}

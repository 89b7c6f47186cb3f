/* reloads.h - what the files of reload share: scripts, requests, what is under way.
 *
 * Layer lua, for reload.c, verdict.c, group.c, request.c and scratch.c alone.
 * Thread: MAIN, but for what says otherwise.
 */
#ifndef LTW_RELOADS_H
#define LTW_RELOADS_H

#include "reload/job.h"
#include "reload/reload.h"

/* A script: one file, any number of instances. */
struct ltw_group {
    const char *name, *path;          /* constant: the app's                       */
    uint32_t id;                      /* constant: of its first instance           */
    unsigned instances;               /* constant                                  */
    struct ltw_version **versions;    /* from `dropped` on, kept for a rollback    */
    unsigned n, dropped;              /* numbers 1 to dropped + n                  */
    struct ltw_version *now;          /* that runs                                 */
    struct ltw_version *tried;        /* the last one that was tried               */
    struct ltw_version *next;         /* that a change is to, the work's, then MAIN's */
    bool is_app;                      /* constant: the app file, its instance MAIN */
    bool suspect, is_saved;           /* a file of it may have changed; it has     */
    struct ltw_trial *guard;          /* of its last change, or NULL               */
    unsigned guarded;                 /* the version that it guards,               */
    int before;                       /* and the one that it goes back to          */
    char said[LTW_REASON];            /* why it can't be read, as it was said last */
};

struct ltw_request {
    struct ltw_request *next;
    struct ltw_group *group;          /* NULL: there is no such script             */
    int version;                      /* see ltw_reload_ask                        */
    bool watched;                     /* a file has changed: only if it is another */
    bool is_held;                     /* mutex: which was said                     */
    unsigned guarded;                 /* only while that version runs; 0: any      */
    struct ltw_terms terms;
    struct tw_future *future;         /* one reference, or NULL                    */
    char name[256];
};

enum ltw_phase { RELOAD_IDLE, RELOAD_TRYING, RELOAD_PREPARING, RELOAD_WARMING,
                 RELOAD_STARTING, RELOAD_SHADOWING, RELOAD_APPENDING, RELOAD_CHANGING };

struct ltw_reloads {
    struct tw_app *app;               /* constant                                  */
    struct ltw_group *groups;
    unsigned n;
    bool watch;                       /* files are watched                         */
    int64_t deadline_ms;              /* a handler may wait so long                */
    bool runs;                        /* it was started                            */
    struct ltw_watcher *watcher;
    pthread_mutex_t lock;             /* guards the four below                     */
    struct ltw_terms terms;           /* mutex: where a request has none           */
    struct ltw_request *first, **last;    /* mutex                                 */
    bool stopped;                     /* mutex                                     */
    atomic_bool over;                 /* atomic: what is tried is to end           */
    struct ltw_request *left;         /* by the end of the run                     */
    enum ltw_phase phase;
    struct ltw_request *current;
    uv_work_t work;
    char why[LTW_REASON];             /* the work failed                           */
    struct ltw_appfile *file;         /* that is tried: the work's, then MAIN's    */
    bool unchanged;                   /* the work found nothing new                */
    bool missing;                     /* or could not read it                      */
    struct ltw_job *job;
    uint64_t jobs;
    uv_timer_t timer;
    bool is_late;                     /* the first deadline has passed             */
    int64_t full_ns;                  /* the tape has no room since then; 0: it has */
    uv_timer_t watch_timer;           /* of what follows                           */
    int64_t checked_ns;               /* candidates that wait were looked at       */
    unsigned looks;                   /* at a shadow that does not get on          */
    uint64_t moved;                   /* when the candidates were looked at        */
    bool is_reading, is_other;        /* files that were saved; they have changed  */
    uv_work_t reader;                 /* of these: the work's, then MAIN's         */
    struct ltw_group *reading_of;
    struct ltw_version *reading;      /* one reference: with that compared         */
};

/* ---- group.c ---- */

/* The scripts of the app that is built.  False: no memory. */
bool ltw_groups_add(struct ltw_reloads *r);
void ltw_groups_free(struct ltw_reloads *r);

/* As the app names it, or its path; NULL: there is none.  Thread: any. */
struct ltw_group *ltw_group_find(struct ltw_reloads *r, const char *name);

/* Those whose instances are given something else get a next version: the same text, and
 * what `scripts` say, which are as app->scripts.  False: no memory. */
bool ltw_groups_instruct(struct ltw_reloads *r, const struct ltw_script_options *scripts);

/* Room for one version more; false: no memory. */
bool ltw_group_reserve(struct ltw_group *g);

/* In the room that was reserved.  The oldest go when all texts together take too much. */
void ltw_group_keep(struct ltw_group *g, struct ltw_version *v);

/* The version of that number, or NULL. */
struct ltw_version *ltw_group_kept(const struct ltw_group *g, int number);

/* ---- request.c ---- */

/* The oldest, or NULL; stop: nothing is asked for any more. */
struct ltw_request *ltw_request_take(struct ltw_reloads *r, bool stop);
void ltw_request_drop(struct ltw_request *q);   /* NULL: nothing */

/* The run is ending: whoever waits for it is told of that, not of this, which would be
 * a failure. */
void ltw_request_leave(struct ltw_reloads *r, struct ltw_request *q);
bool ltw_request_stopped(struct ltw_reloads *r);

/* Is anything asked for the group? */
bool ltw_request_is_waiting(struct ltw_reloads *r, const struct ltw_group *g);

/* The name in one that waits, each once; false: there is no other. */
bool ltw_request_is_held(struct ltw_reloads *r, char name[256]);

/* Asks for a version of it, for nobody, while the version `guarded` runs.  False: no
 * memory. */
bool ltw_request_push(struct ltw_reloads *r, struct ltw_group *g, int version,
                      unsigned guarded);

/* What is asked of a new version where a request says nothing.  Thread: any. */
struct ltw_terms ltw_request_usual(struct ltw_reloads *r);
void ltw_request_set_usual(struct ltw_reloads *r, const struct ltw_terms *terms);

/* [-0, +0, e]  What the table at idx, or nil, asks of a new version; what it leaves out
 * stays. */
void ltw_request_terms(lua_State *L, int idx, const char *what, struct ltw_terms *terms);

/* ---- scratch.c ---- */

/* Reads and runs what is wanted where nothing has an effect; what came of it is in r.
 * Thread: one of libuv's; MAIN leaves alone what it uses. */
void ltw_scratch_try(struct ltw_reloads *r);

/* Does any file of the version say something else now?  Thread: one of libuv's. */
bool ltw_scratch_differs(const struct ltw_reloads *r, struct ltw_version *v);

/* ---- verdict.c ---- */

/* How the versions of the job are to show what they do.  False: no memory. */
bool ltw_verdict_prepare(struct ltw_reloads *r, unsigned members);

/* Looks after those that are warmed or compared, from time to time. */
void ltw_verdict_watch(struct ltw_reloads *r) TW_ON(MAIN);

/* What was compared is within the limits; else it is refused. */
bool ltw_verdict_accepts(struct ltw_reloads *r) TW_ON(MAIN);

/* The version that is taken up has the old one for its shadow, where that was asked. */
void ltw_verdict_guard(struct ltw_reloads *r);

/* Those that change next have none any more. */
void ltw_verdict_leave(struct ltw_reloads *r) TW_ON(MAIN);

/* What there is to say about shadows, after a ring. */
void ltw_verdict_look(struct ltw_reloads *r) TW_ON(MAIN);

#endif

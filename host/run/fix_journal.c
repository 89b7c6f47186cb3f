/* fix_journal.c - the file of what peers find again that trade in a run's own book. */
#include "run/fix_journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "run/fix_keep.h"

/* No session is called so. */
#define NAME "book+"

struct tw_fix_journal {
    struct tw_floor *floor;            /* constant                                    */
    struct tw_log *log;                /* constant                                    */
    struct tw_fix_keep *keep;          /* owner: who opens it, then FEED              */
    int folder;                        /* constant: locked                            */
    bool anew, failed;                 /* owner: FEED: all is to be written; the log
                                        * has said that it was not                    */
    struct tw_bytes lines;             /* mutex: the floor's: to be written           */
    struct tw_bytes former;            /* mutex: the floor's; the name of a line that
                                        * was taken begins with 0                     */
    struct tw_bytes spare;             /* owner: FEED                                 */
    struct tw_fix_keeper *keepers;     /* mutex: the floor's                          */
    bool keeping, lost;                /* mutex: the floor's                          */
};

/* ---- lines, with the floor locked ---- */

void tw_fix_journal_put_held(struct tw_fix_journal *j, const char *name, uint64_t told,
                             const char *body, size_t n)
{
    struct tw_bytes *h = j->keeping ? &j->former : &j->lines;
    char head[128];
    int head_n = snprintf(head, sizeof head, "%s\1%" PRIu64 "\1", name, told);

    if (!tw_bytes_put(h, head, (size_t)head_n) || !tw_bytes_put(h, body, n)
        || !tw_bytes_put(h, "\n", 1))
        j->lost = true;
}

void tw_fix_journal_keep_held(struct tw_fix_journal *j, bool on)
{
    j->keeping = on;
}

/* The next line from *at on; NULL: there is none. */
static char *next(struct tw_bytes *h, size_t *at, size_t *n)
{
    size_t stop;
    char *line;

    while (*at < h->n && h->at[*at] == '\n') ++*at;
    for (stop = *at + 1; stop < h->n; stop++) {
        if (h->at[stop] != '\n' || h->at[stop - 1] != 1) continue;
        line = h->at + *at;
        *n = stop - *at;
        *at = stop + 1;
        return line;
    }
    return NULL;
}

bool tw_fix_journal_take_held(struct tw_fix_journal *j, const char *name, size_t *at,
                              uint64_t *told, const char **body, size_t *n)
{
    size_t length = strlen(name);
    char *line, *p;

    while ((line = next(&j->former, at, n))) {
        if (*n <= length + 2 || memcmp(line, name, length) != 0 || line[length] != 1)
            continue;
        p = line + length + 1;
        for (*told = 0; *p >= '0' && *p <= '9'; p++)
            *told = 10 * *told + (uint64_t)(*p - '0');
        if (*p != 1) continue;
        *line = 0;
        *body = p + 1;
        *n -= (size_t)(p + 1 - line);
        return true;
    }
    return false;
}

void tw_fix_journal_join_held(struct tw_fix_journal *j, struct tw_fix_keeper *m)
{
    m->next = j->keepers;
    j->keepers = m;
}

/* ---- the file ---- */

static void put_all(struct tw_fix_journal *j)
{
    size_t at = 0, n;
    char *line;

    j->lines.n = 0;
    j->lost = false;
    while ((line = next(&j->former, &at, &n)))
        if (*line && !tw_bytes_put(&j->lines, line, n + 1)) j->lost = true;
    for (struct tw_fix_keeper *m = j->keepers; m; m = m->next) m->put_all(m->ctx);
}

void tw_fix_journal_write(struct tw_fix_journal *j)
{
    bool all = j->anew || tw_fix_keep_is_long(j->keep);
    struct tw_bytes out;
    int rc;

    tw_floor_lock(j->floor);
    if (j->lines.n == 0 && !j->lost) {
        tw_floor_unlock(j->floor);
        return;
    }
    all = all || j->lost;
    if (all) put_all(j);
    if (!tw_bytes_put(&j->lines, "\n", 1)) j->lost = true;
    rc = j->lost ? UV_ENOMEM : TW_OK;
    out = j->lines;
    j->lines = j->spare;
    tw_floor_unlock(j->floor);
    if (rc == TW_OK) rc = tw_fix_keep_write(j->keep, out.at, out.n, all);
    out.n = 0;
    j->spare = out;
    j->anew = rc < 0;
    if (rc < 0 && !j->failed)
        tw_log_printf(j->log, TW_LOG_ERROR, "orders", "%s: %s: after a restart peers do"
                      " not find again what happens now", tw_fix_keep_path(j->keep),
                      tw_strerror(rc));
    j->failed = rc < 0;
}

/* ---- its life ---- */

/* What was kept, up to the end of the last group. */
static int read_former(struct tw_fix_journal *j, struct tw_error *error)
{
    struct tw_bytes *h = &j->former;

    h->at = tw_fix_keep_read(j->keep, &h->n, error);
    if (!h->at) return error->code;
    h->room = h->n;
    while (h->n > 2 && memcmp(h->at + h->n - 3, "\1\n\n", 3) != 0) h->n--;
    if (h->n < 3) h->n = 0;
    if (h->n < h->room)
        tw_log_printf(j->log, TW_LOG_WARN, "orders", "%s: its last %zu bytes are left"
                      " out: they make no sense, or were not written to their end",
                      tw_fix_keep_path(j->keep), h->room - h->n);
    return TW_OK;
}

struct tw_fix_journal *tw_fix_journal_open(const char *folder, bool sync,
                                           struct tw_floor *floor, struct tw_log *log,
                                           struct tw_error *error)
{
    struct tw_fix_journal *j;

    if (tw_fix_keep_folder(folder, error) < 0) return NULL;
    j = tw_calloc(1, sizeof *j);
    if (j) j->keep = tw_fix_keep_new(folder, NAME, sync);
    if (!j || !j->keep) {
        tw_fail(error, UV_ENOMEM, "%s: %s", folder, tw_strerror(UV_ENOMEM));
        tw_free(j);
        return NULL;
    }
    j->floor = floor;
    j->log = log;
    j->anew = true;
    j->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->folder < 0 || flock(j->folder, LOCK_EX | LOCK_NB) < 0)
        tw_fail(error, TW_EBUSY, "store %s: another run whose book has peers keeps"
                " their orders there: it needs a folder of its own", folder);
    else if (read_former(j, error) == TW_OK)
        return j;
    tw_fix_journal_free(j);
    return NULL;
}

void tw_fix_journal_free(struct tw_fix_journal *j)
{
    if (!j) return;
    tw_fix_keep_free(j->keep);
    if (j->folder >= 0) close(j->folder);
    tw_bytes_free(&j->lines);
    tw_bytes_free(&j->former);
    tw_bytes_free(&j->spare);
    tw_free(j);
}

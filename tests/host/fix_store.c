/* fix_store.c - what a session keeps: the ring, restarts, kills, damage, full disks. */
#include "fix/store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "random.h"
#include "place.h"
#include "tap.h"

static char folder[PLACE], path[PLACE + 20];
static enum tw_fix_sync sync_as = TW_FIX_SYNC_EACH;

static struct tw_fix_store *open_at(const char *p, size_t bytes, struct tw_error *error)
{
    return tw_fix_store_open(&(struct tw_fix_store_options){
        .path = p, .bytes = bytes, .sync = sync_as, .now_ns = 7 }, error);
}

static struct tw_fix_store *reopen(struct tw_fix_store *s)
{
    struct tw_error error = {0};

    tw_fix_store_close(s);
    s = open_at(path, 0, &error);
    if (!s || error.code) printf("# %s\n", error.text);
    return s;
}

/* Message number seq: its length and bytes follow from the number. */
static size_t text_of(uint64_t seq, char out[600])
{
    size_t n = (size_t)(seq * 7919 % 500) + 1;

    for (size_t i = 0; i < n; i++) out[i] = (char)(seq * 31 + i);
    return n;
}

static bool is_kept(const struct tw_fix_store *s, uint64_t seq)
{
    char text[600];
    struct tw_fix_kept k;

    return tw_fix_store_find(s, seq, &k) && k.seq == seq && k.n == text_of(seq, text)
        && memcmp(k.at, text, k.n) == 0;
}

static void send_one(struct tw_fix_store *s, bool keep)
{
    char text[600];
    size_t n = text_of(tw_fix_store_numbers(s).next_out, text);

    tw_fix_store_sent(s, keep ? text : NULL, n, NULL);
}

/* All the numbers that should be there are, and no others; of each third one nothing
 * was kept. */
static unsigned wrong_in(const struct tw_fix_store *s)
{
    uint64_t end = tw_fix_store_numbers(s).next_out;
    unsigned wrong = 0;
    struct tw_fix_kept k;

    for (uint64_t i = 1; i < end; i++) {
        if (i % 3 && !tw_fix_store_forgot(s, i)) wrong += !is_kept(s, i);
        else wrong += tw_fix_store_find(s, i, &k) && k.seq == i;
    }
    wrong += tw_fix_store_find(s, end, &k);
    k.seq = UINT64_MAX;                  /* and from the last one backwards */
    while (tw_fix_store_find_before(s, k.seq, &k)) {
        while (--end > k.seq) wrong += is_kept(s, end);
        wrong += end != k.seq || !is_kept(s, end);
    }
    while (--end > 0) wrong += is_kept(s, end);
    return wrong;
}

/* The same for memory and a file. */
static void keeps(const char *p)
{
    const char *where = p ? "file" : "memory";
    struct tw_error error = {0};
    struct tw_fix_store *s = open_at(p, 20000, &error);
    struct tw_fix_store_numbers n = tw_fix_store_numbers(s);
    unsigned wrong = 0;

    ok(n.next_in == 1 && n.next_out == 1 && n.created_ns == 7, "%s: begins at 1", where);
    for (int i = 1; i < 1000; i++) {
        send_one(s, i % 3);
        tw_fix_store_set_in(s, (uint64_t)i * 2);
        wrong += wrong_in(s) > 0 || !tw_fix_store_forgot(s, 0);
        if (p && i % 50 == 0) s = reopen(s);
    }
    n = tw_fix_store_numbers(s);
    ok(wrong == 0 && n.next_out == 1000 && n.next_in == 1998 && is_kept(s, 998)
       && tw_fix_store_forgot(s, 800), "%s: goes round, forgets the oldest (%u)", where,
       wrong);
    tw_fix_store_set_out(s, 991);
    ok(tw_fix_store_numbers(s).next_out == 991 && wrong_in(s) == 0 && is_kept(s, 989),
       "%s: a lower number forgets what comes after it", where);
    if (p) s = reopen(s);
    ok(wrong_in(s) == 0 && is_kept(s, 989), "%s: and goes on so", where);
    tw_fix_store_set_out(s, 2001);
    send_one(s, true);
    ok(is_kept(s, 2001) && is_kept(s, 989), "%s: a higher one leaves a gap", where);
    tw_fix_store_set_out(s, 10);
    send_one(s, true);
    if (p) s = reopen(s);
    ok(is_kept(s, 10) && !tw_fix_store_forgot(s, 10) && tw_fix_store_forgot(s, 9),
       "%s: and one below what was forgotten is kept", where);
    tw_fix_store_reset(s, 9);
    if (p) s = reopen(s);
    n = tw_fix_store_numbers(s);
    ok(n.next_in == 1 && n.next_out == 1 && n.created_ns == 9 && wrong_in(s) == 0
       && !tw_fix_store_forgot(s, 1), "%s: a reset", where);
    ok(tw_fix_store_sent(s, "x", 30000, &error) == TW_ELIMIT
       && tw_fix_store_numbers(s).next_out == 1, "%s: too large: %s", where, error.text);
    tw_fix_store_close(s);
    if (p) unlink(p);
}

static void refuses(void)
{
    struct tw_error error = {0};
    struct tw_fix_store *s = open_at(path, 0, &error), *other;
    char sub[PLACE + 20];
    FILE *f;

    other = open_at(path, 0, &error);
    ok(!other && error.code == TW_EBUSY, "one at a time: %s", error.text);
    tw_fix_store_close(s);
    unlink(path);
    f = fopen(path, "w");
    fprintf(f, "this is a file of somebody else");
    fclose(f);
    ok(!open_at(path, 0, &error) && error.code == TW_EFORMAT, "no store: %s", error.text);
    unlink(path);
    snprintf(sub, sizeof sub, "%s/none/x", folder);
    ok(!open_at(sub, 0, &error) && error.code == -ENOENT, "no folder: %s", error.text);
    snprintf(sub, sizeof sub, "%s/locked", folder);
    mkdir(sub, 0500);
    if (geteuid() == 0) {
        ok(true, "a folder that is read-only # SKIP root writes everywhere");
    } else {
        snprintf(sub, sizeof sub, "%s/locked/x", folder);
        ok(!open_at(sub, 0, &error) && error.code == -EACCES, "denied: %s", error.text);
        snprintf(sub, sizeof sub, "%s/locked", folder);
    }
    rmdir(sub);
}

/* A limit on the size of files is a disk that is full. */
static void full_disk(void)
{
    struct tw_error error = {0};
    struct rlimit old, small = { 300000, RLIM_INFINITY };
    struct tw_fix_store *s = open_at(path, 0, &error);
    char text[600] = "";
    uint64_t sent = 0;
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    while (rc == 0 && sent < 10000) {
        rc = tw_fix_store_sent(s, text, sizeof text, &error);
        sent += rc == 0;
    }
    setrlimit(RLIMIT_FSIZE, &old);
    ok(rc < 0 && tw_fix_store_numbers(s).next_out == sent + 1, "%s", error.text);
    tw_fix_store_set_in(s, 77);
    s = reopen(s);
    ok(tw_fix_store_numbers(s).next_out == sent + 1
       && tw_fix_store_numbers(s).next_in == 77, "what was kept is there");
    ok(tw_fix_store_sent(s, text, sizeof text, &error) == 0, "and it goes on with room");
    tw_fix_store_close(s);
    unlink(path);
}

/* A child that keeps messages until it is killed; it tells of each one. */
static void child(int to)
{
    struct tw_error error;
    struct tw_fix_store *s = open_at(path, 20000, &error);

    if (!s) _exit(1);
    for (;;) {
        uint64_t n = tw_fix_store_numbers(s).next_out;

        send_one(s, n % 3);
        tw_fix_store_set_in(s, n);
        if (write(to, &n, sizeof n) != sizeof n) _exit(1);
    }
}

static void kills(void)
{
    unsigned runs = getenv("SMALL") ? 10 : 100, wrong = 0;
    struct tw_fix_store *s;

    for (unsigned i = 0; i < runs; i++) {
        uint64_t last = 0, seen;
        struct tw_error error = {0};
        size_t reads = next() % 300 + 1;
        int pipes[2];
        pid_t pid;

        if (pipe(pipes) < 0) break;
        fflush(stdout);
        pid = fork();
        if (pid == 0) child(pipes[1]);
        close(pipes[1]);
        while (reads-- > 0 && read(pipes[0], &seen, sizeof seen) == sizeof seen)
            last = seen;
        kill(pid, SIGKILL);
        while (read(pipes[0], &seen, sizeof seen) == sizeof seen) last = seen;
        waitpid(pid, NULL, 0);
        close(pipes[0]);
        s = open_at(path, 0, &error);
        if (!s || error.code) {
            printf("# %s\n", error.text);
            wrong++;
            tw_fix_store_close(s);
            continue;
        }
        wrong += tw_fix_store_numbers(s).next_out < last + 1
              || tw_fix_store_numbers(s).next_in < last || wrong_in(s) > 0;
        tw_fix_store_close(s);
    }
    ok(wrong == 0, "nothing is lost by %u kills (%u)", runs, wrong);
    unlink(path);
}

/* A bit flipped anywhere: it opens to what is whole and says so, or refuses; what it
 * gives is what was sent. */
static void damage(void)
{
    unsigned runs = getenv("SMALL") ? 100 : 3000, wrong = 0, told = 0, refused = 0;
    struct tw_error error = {0};
    struct tw_fix_store *s = open_at(path, 20000, &error);
    static char good[1 << 20], bad[1 << 20];
    ssize_t size;
    int fd;

    for (int i = 1; i < 200; i++) send_one(s, i % 3);
    tw_fix_store_set_in(s, 55);
    tw_fix_store_close(s);
    fd = open(path, O_RDWR);
    size = read(fd, good, sizeof good);
    for (unsigned i = 0; i < runs; i++) {
        size_t where = next() % (i % 2 ? (size_t)size : 1200);
        unsigned flips = 1 + next() % 40;
        struct tw_fix_kept k = {0};
        char text[600];

        memcpy(bad, good, (size_t)size);
        for (size_t b = where; b < where + flips && b < (size_t)size; b++)
            bad[b] ^= (char)(1 << next() % 8);
        if (pwrite(fd, bad, (size_t)size, 0) != size) break;
        error.code = 0;
        s = open_at(path, 0, &error);
        if (!s) {
            refused++;
            wrong += error.code != TW_EFORMAT;
            continue;
        }
        told += error.code != 0;
        for (uint64_t seq = 1; tw_fix_store_find(s, seq, &k); seq = k.seq + 1)
            wrong += k.n != text_of(k.seq, text) || memcmp(k.at, text, k.n) != 0;
        for (uint64_t seq = 1; seq < 200; seq++)
            wrong += seq % 3 && error.code == 0 && !tw_fix_store_forgot(s, seq)
                  && !is_kept(s, seq)
                  && tw_fix_store_numbers(s).next_out == 200;
        send_one(s, true);
        tw_fix_store_close(s);
    }
    close(fd);
    ok(wrong == 0 && told > 0 && refused > 0, "%u told, %u refused, %u wrong", told,
       refused, wrong);
    unlink(path);
}

/* What comes while another thread syncs is synced the next time, and so is all that a
 * sync failed to. */
static void syncs(void)
{
    struct tw_error error = {0};
    struct tw_fix_store *s = open_at(path, 1 << 16, &error);
    struct tw_fix_store_job job;

    tw_fix_store_sync(s, &error);
    ok(!tw_fix_store_is_dirty(s) && !tw_fix_store_sync_begin(s, &job),
       "after a sync there is nothing to sync");
    send_one(s, true);
    ok(tw_fix_store_sync_begin(s, &job) && !tw_fix_store_is_dirty(s), "a sync begins");
    send_one(s, true);
    ok(tw_fix_store_sync_run(&job) == TW_OK
       && tw_fix_store_sync_end(s, &job, TW_OK, &error) == TW_OK
       && tw_fix_store_is_dirty(s), "what came meanwhile is for the next one");
    ok(tw_fix_store_sync_begin(s, &job)
       && tw_fix_store_sync_end(s, &job, -EIO, &error) == -EIO
       && tw_fix_store_is_dirty(s), "so is all of one that failed: %s", error.text);
    tw_fix_store_sync_begin(s, &job);
    tw_fix_store_reset(s, 9);
    send_one(s, true);
    tw_fix_store_sync_end(s, &job, tw_fix_store_sync_run(&job), &error);
    ok(tw_fix_store_sync_begin(s, &job) && job.n[1] > 0, "after a reset all is anew");
    tw_fix_store_sync_end(s, &job, tw_fix_store_sync_run(&job), &error);
    tw_fix_store_close(s);
    unlink(path);
}

static void no_memory(void)
{
    struct tw_error error = {0};
    struct tw_fix_store *s = NULL;
    int failed = 0;

    for (uint64_t n = 1; !s; n++) {
        tw_memory_fail_at(n);
        s = open_at(NULL, 20000, &error);
        failed += !s && error.code == -ENOMEM;
    }
    tw_memory_fail_at(0);
    ok(failed == 3, "no memory is an error (%d)", failed);
    tw_fix_store_close(s);
}

int main(void)
{
    place_folder(folder);
    snprintf(path, sizeof path, "%s/x.fixstore", folder);
    keeps(NULL);
    keeps(path);
    refuses();
    full_disk();
    kills();
    syncs();
    sync_as = TW_FIX_SYNC_NEVER;
    damage();
    no_memory();
    rmdir(folder);
    return tap_done();
}

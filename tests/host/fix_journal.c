/* fix_journal.c - lines that survive: up to the end of a group, of who is there and who
 * is not; and a folder that is another run's. */
#include "run/fix_journal.h"
#include "run/fix_keep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "place.h"
#include "tap.h"

static char folder[PLACE], path[PLACE + 20];
static struct tw_floor *floor_;
static struct tw_fix_journal *j;
static struct tw_log *log_;
static unsigned cuts;                 /* lines of the log that tell of one      */
static const char *all_of_a;          /* what A puts when all is written */

static void put_all(void *ctx)
{
    (void)ctx;
    if (!all_of_a) return;
    tw_fix_journal_put_held(j, "A", 7, all_of_a, strlen(all_of_a));
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

static void on_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    (void)ctx, (void)level, (void)who, (void)n;
    cuts += strstr(text, "were not written to their end") != NULL;
}

static bool open_it(void)
{
    struct tw_error error;

    j = tw_fix_journal_open(folder, false, floor_, log_, &error);
    tw_log_drain(log_, on_line, NULL);
    if (!j) printf("# %s\n", error.text);
    return j != NULL;
}

static void again(void)
{
    tw_fix_journal_free(j);
    if (!open_it()) abort();
}

/* The file is of this run: what is written goes behind what is there. */
static void begin(void)
{
    static struct tw_fix_keeper a = { .put_all = put_all };

    tw_fix_journal_join_held(j, &a);
    tw_fix_journal_put_held(j, "X", 0, "", 0);
    tw_fix_journal_write(j);
}

/* All lines of a session, as "told:body " with | for SOH. */
static const char *lines_of(const char *name)
{
    static char out[1000];
    size_t at = 0, n;
    const char *body;
    uint64_t told;

    *out = 0;
    while (tw_fix_journal_take_held(j, name, &at, &told, &body, &n)) {
        char *end = out + strlen(out);

        end += sprintf(end, "%d:", (int)told);
        for (size_t i = 0; i < n; i++) *end++ = body[i] == 1 ? '|' : body[i];
        *end++ = ' ';
        *end = 0;
    }
    return out;
}

static void put(const char *name, unsigned told, const char *body)
{
    tw_fix_journal_put_held(j, name, told, body, strlen(body));
}

static long size_of(void)
{
    FILE *f = fopen(path, "r");
    long n;

    if (!f || fseek(f, 0, SEEK_END) < 0) abort();
    n = ftell(f);
    fclose(f);
    return n;
}

static void survives(void)
{
    ok(open_it(), "a folder without anything");
    ok(*lines_of("A") == 0, "has no lines");
    begin();
    put("A", 0, "37=1\00111=a\nb\001");
    put("AB", 3, "");
    tw_fix_journal_write(j);
    put("A", 1, "37=2\001");
    tw_fix_journal_write(j);
    again();
    ok(strcmp(lines_of("A"), "0:37=1|11=a\nb| 1:37=2| ") == 0,
       "what was written is there");
    ok(*lines_of("A") == 0, "once");
    ok(strcmp(lines_of("AB"), "3: ") == 0, "each session has its own");
}

/* All prefixes of a file of two groups: the second is there as a whole or not at all. */
static void torn(void)
{
    long first, whole;
    size_t wrong = 0;

    again();
    lines_of("A");
    begin();
    put("A", 0, "37=1\001");
    tw_fix_journal_write(j);
    first = size_of();
    put("A", 0, "37=2\001");
    put("B", 0, "37=3\001");
    tw_fix_journal_write(j);
    whole = size_of();
    cuts = 0;
    for (long n = whole - 1; n >= first; n--) {
        if (truncate(path, n) < 0) abort();
        again();
        wrong += strcmp(lines_of("A"), "0:37=1| ") != 0 || *lines_of("B") != 0;
    }
    ok(wrong == 0, "%ld places where a group is cut off: none of it counts",
       whole - first);
    ok(cuts == whole - first - 1, "which is told, where there is any of it");
}

/* A block of zeros hides nothing. */
static void zeros(void)
{
    struct tw_fix_keep *k = tw_fix_keep_new(folder, "other", false);
    struct tw_error error;
    char *text = NULL;
    size_t n = 0;

    if (tw_fix_keep_write(k, "a\n\0\0b\n\0", 7, true) == 0)
        text = tw_fix_keep_read(k, &n, &error);
    ok(text && n == 7 && strcmp(text, "a\n??b\n?") == 0, "zeros in a file are seen");
    unlink(tw_fix_keep_path(k));
    tw_fix_keep_free(k);
    tw_free(text);
}

static void anew(void)
{
    again();
    lines_of("A");
    begin();
    put("A", 0, "37=1\001");
    put("GONE", 0, "37=9\001");
    tw_fix_journal_write(j);
    again();
    lines_of("A");
    all_of_a = "37=5\001";
    begin();
    put("A", 8, "37=6\001");
    tw_fix_journal_write(j);
    again();
    ok(strcmp(lines_of("A"), "7:37=5| 8:37=6| ") == 0,
       "the first time all is written");
    ok(strcmp(lines_of("GONE"), "0:37=9| ") == 0, "with those who are not there");

    again();
    tw_fix_journal_keep_held(j, true);
    put("LATER", 2, "37=8\001");
    tw_fix_journal_keep_held(j, false);
    ok(strcmp(lines_of("LATER"), "2:37=8| ") == 0,
       "what is left in a run is found in it");
}

static void locked(void)
{
    struct tw_fix_journal *mine = j;

    ok(!open_it(), "nobody else has the folder");
    tw_fix_journal_free(mine);
    ok(open_it(), "before it is closed");
}

int main(void)
{
    place_folder(folder);
    snprintf(path, sizeof path, "%s/book+.orders", folder);
    floor_ = tw_floor_new();
    log_ = tw_log_new(1 << 16, no_wake, NULL);
    survives();
    torn();
    zeros();
    anew();
    locked();
    tw_fix_journal_free(j);
    tw_floor_free(floor_);
    tw_log_free(log_);
    place_remove(folder);
    return tap_done();
}

/* The history's file: entries whole, several writers, a bounded size, what can't be. */
#include <stdlib.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "main/history.c"
#include "place.h"
#include "tap.h"

enum { WRITERS = 4, EACH = 1200 };

static char path[PLACE];

static void new_path(void)
{
    unlink(place_file(path));
}

static off_t size_of(const char *name)
{
    struct stat s;

    return stat(name, &s) == 0 ? s.st_size : -1;
}

static void kept(void)
{
    static const char *const entries[] = { "one", "two\nlines", "a \\ b\\n", "\xff\x01" };
    struct ltw_history *h;
    int same = 0;

    new_path();
    h = ltw_history_open(path);
    ok(ltw_history_count(h) == 0 && !ltw_history_trouble(h), "a file that is not there");
    for (int i = 0; i < 4; i++) ltw_history_add(h, entries[i]);
    ltw_history_add(h, entries[3]);
    ltw_history_add(h, " not kept");
    ltw_history_add(h, " \n\t");
    ltw_history_close(h);
    h = ltw_history_open(path);
    for (unsigned i = 0; i < 4 && i < ltw_history_count(h); i++)
        same += strcmp(ltw_history_at(h, i), entries[i]) == 0;
    ok(same == 4 && ltw_history_count(h) == 4, "entries come back whole");
    ok(!ltw_history_at(h, 4), "and no others");
    ltw_history_close(h);
    unlink(path);
}

/* Each writer opens the file anew now and then, which may shorten it. */
static void write_many(int writer)
{
    struct ltw_history *h = ltw_history_open(path);
    char text[40];

    for (int i = 0; i < EACH; i++) {
        snprintf(text, sizeof text, "writer %d entry %d", writer, i);
        ltw_history_add(h, text);
        if (i % 100 == 99) {
            ltw_history_close(h);
            h = ltw_history_open(path);
        }
    }
    _exit(ltw_history_trouble(h) ? 1 : 0);
}

/* The newest thousand are there, each writer's in order up to its last. */
static void several(void)
{
    struct ltw_history *h;
    int next[WRITERS], right = 0, status, fine = 0;
    unsigned n;

    new_path();
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0) write_many(i);
    for (int i = 0; i < WRITERS; i++) fine += wait(&status) > 0 && status == 0;
    ok(fine == WRITERS, "%d writers at once", WRITERS);
    h = ltw_history_open(path);
    n = ltw_history_count(h);
    for (int i = 0; i < WRITERS; i++) next[i] = -1;
    for (unsigned i = 0; i < n; i++) {
        int writer, entry;

        if (sscanf(ltw_history_at(h, i), "writer %d entry %d", &writer, &entry) != 2)
            continue;
        right += next[writer] < 0 || next[writer] == entry;
        next[writer] = entry + 1;
    }
    ok(right == LTW_HISTORY_MAX && n == LTW_HISTORY_MAX, "no entry is lost: %d", right);
    fine = 0;
    for (int i = 0; i < WRITERS; i++) fine += next[i] < 0 || next[i] == EACH;
    ok(fine == WRITERS, "up to the last of each");
    ok(size_of(path) < 3 * LTW_HISTORY_MAX * 30, "the file is bounded: %ld bytes",
       (long)size_of(path));
    ltw_history_close(h);
    unlink(path);
}

static void large(void)
{
    enum { BIG = 1 << 20 };
    struct ltw_history *h;
    char *text = calloc(1, BIG + 1);

    new_path();
    h = ltw_history_open(path);
    memset(text, 'x', BIG);
    for (int i = 0; i < 20; i++) {
        text[0] = (char)('a' + i);
        ltw_history_add(h, text);
    }
    ok(size_of(path) <= FILE_MAX + BIG, "long entries: %ld bytes", (long)size_of(path));
    ltw_history_close(h);
    h = ltw_history_open(path);
    ok(ltw_history_count(h) > 0
       && ltw_history_at(h, ltw_history_count(h) - 1)[0] == 'a' + 19, "the newest stays");
    ltw_history_close(h);
    unlink(path);
    free(text);
}

static void can_not(const char *where, const char *what)
{
    struct ltw_history *h = ltw_history_open(where);
    const char *why;

    ltw_history_add(h, "entry");
    why = ltw_history_trouble(h);
    ok(why && strstr(why, what), "%s", why ? why : where);
    ltw_history_add(h, "another");
    ok(!ltw_history_trouble(h), "once");
    ok(strcmp(ltw_history_at(h, 1), "another") == 0, "and here it is kept");
    ltw_history_close(h);
}

static void trouble(void)
{
    can_not("/dev/full", "can't write /dev/full: No space left on device");
    can_not("/nowhere/h", "can't write /nowhere/h: No such file or directory");
    can_not("/tmp", "/tmp: Is a directory");
}

static void cut_off(void)
{
    struct ltw_history *h;
    FILE *f;

    new_path();
    f = fopen(path, "w");
    if (!f) abort();
    fputs("first\nsecond, cut o", f);
    fclose(f);
    h = ltw_history_open(path);
    ltw_history_add(h, "third");
    ltw_history_close(h);
    h = ltw_history_open(path);
    ok(ltw_history_count(h) == 3 && strcmp(ltw_history_at(h, 2), "third") == 0,
       "a line that was cut off takes no other with it");
    ltw_history_close(h);
    unlink(path);
}

static void without_memory(void)
{
    uint64_t n = 0, till;
    int wrong = 0;

    new_path();
    do {
        struct ltw_history *h;

        n++;
        till = tw_memory_count() + n;
        tw_memory_fail_at(n);
        h = ltw_history_open(path);
        if (!h) continue;
        ltw_history_add(h, "one");
        ltw_history_add(h, "two");
        ltw_history_close(h);
        h = ltw_history_open(path);
        if (h) wrong += ltw_history_count(h) > 2;
        ltw_history_close(h);
        unlink(path);
    } while (tw_memory_count() >= till && n < 1000);
    tw_memory_fail_at(0);
    ok(wrong == 0 && n > 5 && n < 1000, "each of %d allocations fails once", (int)n - 1);
}

int main(void)
{
    kept();
    several();
    large();
    trouble();
    cut_off();
    without_memory();
    return tap_done();
}

/* policy.c - hit rates beside another simulator's, and nanoseconds an access.
 *
 * The traces and what libCacheSim made of them are in a folder beside the
 * repository; without it there is nothing to compare, and this says so.  Any
 * hit rate that is half a point off is a failure.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "feed/trace.h"

#define FOLDER "../shared/traces/"
#define TOLERANCE 0.5   /* points */

enum { COLUMNS = 4, MIN = COLUMNS - 1 };
static const char *const names[COLUMNS] = { "s3fifo", "lru", "fifo", "min" };

static const struct file {
    const char *name, *path;
    enum tw_trace_format format;
    const char *tool;                  /* that unpacks it; NULL: none is needed */
} files[] = {
    { "OLTP", "arc/OLTP.lis.zst", TW_TRACE_RANGES, "zstd" },
    { "P3", "arc/P3.lis.zst", TW_TRACE_RANGES, "zstd" },
    { "scarab-recs", "scarab/scarab-recs.trace.xz", TW_TRACE_INT64, "xz" },
    { "orm-busy", "cache2k/orm-busy.trace.xz", TW_TRACE_INT32, "xz" },
    { "web07", "cache2k/web07.trace.xz", TW_TRACE_INT32, "xz" },
    { "web12", "cache2k/web12.trace.xz", TW_TRACE_INT32, "xz" },
    { "w106", "cloud_physics/w106.trace.xz", TW_TRACE_INT32, "xz" },
    { "trace_vaultservice", "corda/trace_vaultservice.gz", TW_TRACE_INT64, NULL },
};

/* The others are all of one kind. */
static struct file file_of(const char *name, char *path, size_t n)
{
    struct file f = { name, path, TW_TRACE_TEXT, NULL };

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].name, name) == 0) {
            f = files[i];
            snprintf(path, n, FOLDER "%s", f.path);
            f.path = path;
            return f;
        }
    snprintf(path, n, FOLDER "lirs/%s.trace.gz", name);
    return f;
}

static struct tw_trace *load(const char *name)
{
    char path[200], command[300];
    struct file f = file_of(name, path, sizeof path);
    struct tw_trace *t = tw_trace_new();
    struct tw_error error = {0};
    FILE *pipe = NULL;
    int rc;

    if (f.tool) {
        snprintf(command, sizeof command, "command -v %s >/dev/null", f.tool);
        if (system(command) != 0) {
            printf("%-18s skipped: no %s to unpack it\n", name, f.tool);
            goto fail;
        }
        snprintf(command, sizeof command, "%s -dc %s", f.tool, path);
        pipe = popen(command, "r");
        if (!pipe) goto fail;
        snprintf(path, sizeof path, "/dev/fd/%d", fileno(pipe));
    }
    rc = tw_trace_read(t, path, f.format, &error);
    if (pipe && pclose(pipe) != 0 && rc == 0)
        rc = tw_fail(&error, TW_EFORMAT, "%s failed", f.tool);
    if (rc == 0) return t;
    printf("%-18s skipped: %s\n", name, error.text);
fail:
    tw_trace_free(t);
    return NULL;
}

/* One simulation, printed beside what is expected; true when it is off. */
static bool compare(const struct tw_trace *t, int column, uint64_t size,
                    const char *expected)
{
    double requests = (double)tw_trace_requests(t), rate, ns, off;
    int64_t begin = tw_clock_steady_ns();
    int64_t hits = column == MIN ? tw_simulate_min(t, size)
                   : tw_simulate(t, (enum tw_policy_kind)column, size);

    ns = (double)(tw_clock_steady_ns() - begin) / requests;
    rate = 100 * (double)hits / requests;
    off = *expected ? rate - atof(expected) : 0;
    if (fabs(off) < 0.005) off = 0;    /* what is expected has two decimals */
    printf("%8.2f %+6.2f %3.0f", rate, off, ns);
    return hits < 0 || fabs(off) > TOLERANCE;
}

/* Cuts a line at its commas; returns how many cells there are. */
static int split(char *line, char **cell, int max)
{
    int n = 0;

    line[strcspn(line, "\r\n")] = 0;
    while (line && n < max) cell[n++] = strsep(&line, ",");
    return n;
}

int main(void)
{
    enum { CELLS = 32 };
    FILE *table = fopen(FOLDER "expected_hit_rates.csv", "r");
    char line[1000], header[1000], loaded[100] = "", *title[CELLS], *cell[CELLS];
    struct tw_trace *t = NULL;
    int titles, cells, bad = 0, rows = 0;

    if (!table || !fgets(header, sizeof header, table)) {
        printf("skipped: no " FOLDER "expected_hit_rates.csv\n");
        return 0;
    }
    titles = split(header, title, CELLS);
    printf("hits in percent, points off, ns a request\n%-18s%8s", "trace", "size");
    for (int k = 0; k < COLUMNS; k++) printf("%8s%11s", names[k], "");
    putchar('\n');
    while (fgets(line, sizeof line, table)) {
        cells = split(line, cell, CELLS);
        if (strcmp(loaded, cell[0]) != 0) {
            tw_trace_free(t);
            t = load(cell[0]);
            snprintf(loaded, sizeof loaded, "%s", cell[0]);
        }
        if (!t) continue;
        printf("%-18s%8s", cell[0], cell[1]);
        for (int k = 0; k < COLUMNS; k++)
            for (int i = 2; i < cells && i < titles; i++)
                if (strcmp(title[i], names[k]) == 0)
                    bad += compare(t, k, strtoull(cell[1], NULL, 10), cell[i]);
        putchar('\n');
        rows++;
    }
    tw_trace_free(t);
    fclose(table);
    printf("%d rows, %d figures more than %.1f points off\n", rows, bad, TOLERANCE);
    return bad > 0;
}

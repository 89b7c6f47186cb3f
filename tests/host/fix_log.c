/* fix_log: attacks the files of a message log: full ones are kept, so many, and nothing
 * is lost between them; one that was moved away is begun anew. */
#include "run/fix_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "tap.h"

enum { SIZE = 1000, KEEP = 2, LAST = 100 };

static char folder[PLACE], path[PLACE + 20];

static void put(struct tw_fix_log *log, int n)
{
    char text[100];
    int length = snprintf(text, sizeof text, "8=FIX.4.4\0019=5\00135=0\00134=%d\001"
                          "10=000\001", n);

    tw_fix_log_put(log, 0, 0, n % 2, text, (size_t)length);
    tw_fix_log_flush(log);
}

/* The numbers of a file go on from *n, which is the last one then; false: not. */
static bool goes_on(const char *end, int *n)
{
    char name[PLACE + 40], line[200];
    bool fine = true;
    FILE *file;

    snprintf(name, sizeof name, "%s%s", path, end);
    file = fopen(name, "r");
    if (!file) return false;
    while (fgets(line, sizeof line, file)) {
        int got = atoi(strstr(line, "\00134=") + 4);

        fine = fine && (*n == 0 || got == *n + 1);
        *n = got;
    }
    fclose(file);
    return fine;
}

static off_t size_of(const char *end)
{
    char name[PLACE + 40];
    struct stat st;

    snprintf(name, sizeof name, "%s%s", path, end);
    return stat(name, &st) == 0 ? st.st_size : -1;
}

static void rotates(void)
{
    struct tw_fix_log log;
    struct tw_error error;
    int n = 0;

    ok(tw_fix_log_open(&log, path, 200, SIZE, KEEP, &error) == TW_OK, "opened");
    for (int i = 1; i <= LAST / 2; i++) put(&log, i);
    tw_fix_log_close(&log);
    tw_fix_log_open(&log, path, 200, SIZE, KEEP, &error);
    for (int i = LAST / 2 + 1; i <= LAST; i++) put(&log, i);
    ok(goes_on(".2", &n) && goes_on(".1", &n) && goes_on("", &n) && n == LAST,
       "from one file to the next nothing is lost");
    ok(size_of("") <= SIZE && size_of(".1") <= SIZE && size_of(".1") > SIZE / 2
       && size_of(".2") <= SIZE && size_of(".3") < 0 && log.removed && log.lost == 0,
       "the disk has %d of them and the last", KEEP);
    tw_fix_log_close(&log);
}

/* Lines go to the file many at a time. */
static void together(void)
{
    enum { LINES = 200 };
    struct tw_fix_log log;
    struct tw_error error;
    char name[20], text[60];
    off_t largest = 0;
    int files = 0;

    tw_fix_log_open(&log, path, 200, SIZE, LINES, &error);
    for (int i = 0; i < LINES; i++)
        tw_fix_log_put(&log, 0, 0, true, text, (size_t)snprintf(text, sizeof text,
                       "8=FIX.4.4\0019=5\00135=0\00134=%d\00110=000\001", i));
    tw_fix_log_close(&log);
    for (strcpy(name, ""); size_of(name) >= 0; snprintf(name, 20, ".%d", ++files))
        if (size_of(name) > largest) largest = size_of(name);
    ok(files > 2 && largest <= SIZE, "%d files, none above %d: %d", files, SIZE,
       (int)largest);
}

static void is_moved(void)
{
    struct tw_fix_log log;
    struct tw_error error;
    char away[PLACE + 40];
    int n = 0;

    unlink(path);
    snprintf(away, sizeof away, "%s.away", path);
    tw_fix_log_open(&log, path, 200, 0, 0, &error);
    put(&log, 1);
    rename(path, away);
    put(&log, 2);
    put(&log, 3);
    ok(goes_on(".away", &n) && n == 1 && goes_on("", &n) && n == 3,
       "a file that was moved away is begun anew");
    unlink(path);
    put(&log, 4);
    ok(goes_on("", &n) && n == 4, "and one that was removed");
    unlink(path);
    if (mkdir(path, 0700) < 0) abort();
    put(&log, 5);
    ok(log.error < 0 && log.lost == 1, "what has no file is counted: %s",
       tw_strerror(log.error));
    rmdir(path);
    put(&log, 6);
    n = 0;
    ok(log.error == 0 && goes_on("", &n) && n == 6, "and the next line has one again");
    tw_fix_log_close(&log);
}

/* What is left of a message, | for SOH. */
static const char *blanked(const char *text)
{
    static char p[300];
    size_t n = strlen(text);

    memcpy(p, text, n + 1);
    for (size_t i = 0; i < n; i++)
        if (p[i] == '|') p[i] = '\001';
    if (!tw_fix_must_blank(p, n)) return text;
    tw_fix_blank(p, n);
    for (size_t i = 0; i < n; i++)
        if (p[i] == '\001') p[i] = '|';
    return p;
}

static void is_blanked(void)
{
    static const struct { const char *what, *is, *becomes; } r[] = {
        { "a Logon's data", "8=F|9=1|35=A|95=3|96=key|108=30|",
          "8=F|9=1|35=A|95=3|96=***|108=30|" },
        { "with SOH in it", "8=F|9=1|35=A|95=5|96=ke|ys|554=p|",
          "8=F|9=1|35=A|95=5|96=*****|554=*|" },
        { "with what looks like another", "8=F|9=1|35=A|95=7|96=a|96=bc|98=0|",
          "8=F|9=1|35=A|95=7|96=*******|98=0|" },
        { "and without a length", "8=F|9=1|35=A|98=0|96=key|",
          "8=F|9=1|35=A|98=0|96=***|" },
        { "a UserRequest's", "8=F|9=1|35=BE|923=1|553=me|554=old|925=new|95=2|96=ab|",
          "8=F|9=1|35=BE|923=1|553=me|554=***|925=***|95=2|96=**|" },
        { "encrypted ones", "8=F|9=1|35=BE|924=3|1401=3|1402=a|b|1403=2|1404=cd|",
          "8=F|9=1|35=BE|924=3|1401=3|1402=***|1403=2|1404=**|" },
        { "News is no password", "8=F|9=1|35=B|95=3|96=key|",
          "8=F|9=1|35=B|95=3|96=key|" },
        { "an application's types either", "8=F|9=1|35=B1|95=3|96=key|",
          "8=F|9=1|35=B1|95=3|96=key|" },
        { "Password of any", "8=F|9=1|35=UX|554=key|95=1|96=x|",
          "8=F|9=1|35=UX|554=***|95=1|96=x|" },
    };

    for (size_t i = 0; i < sizeof r / sizeof *r; i++) {
        const char *got = blanked(r[i].is);

        ok(strcmp(got, r[i].becomes) == 0, "%s", r[i].what);
        if (strcmp(got, r[i].becomes) != 0) printf("# %s\n", got);
    }
}

/* A password is found wherever it stands, and what looks like one is left. */
static void is_found(void)
{
    static const char *const tags[] = { "554", "925", "555", "924", "155", "54", "5544" };
    unsigned right = 0, all = 0;

    for (unsigned i = 0; i < 7 * 80 * 80; i++, all++) {
        const char *tag = tags[i % 7];
        int before = (int)(i / 7 % 80), behind = (int)(i / 7 / 80);
        char is[300], becomes[300];

        sprintf(is, "8=F|9=1|35=D|58=%0*d|%s=554|59=%0*d|", before, 0, tag, behind, 0);
        sprintf(becomes, "8=F|9=1|35=D|58=%0*d|%s=%s|59=%0*d|", before, 0, tag,
                i % 7 < 2 ? "***" : "554", behind, 0);
        right += strcmp(blanked(is), becomes) == 0;
    }
    ok(right == all, "%u of %u are found, or left", right, all);
}

/* Each line has its own time, in the second of the one before, after it or before it. */
static void times(void)
{
    static const int64_t at[] = { 1704186000999999999, 1704186000000001000,
                                  1704186000123456789, 1704186001000000000,
                                  1704185999999999000, 1704185999999999999, 0, 999, -1 };
    struct tw_fix_log log;
    struct tw_error error;
    const size_t n_at = sizeof at / sizeof *at;
    unsigned right = 0;
    char line[200];
    FILE *file;

    unlink(path);
    if (tw_fix_log_open(&log, path, SIZE, 0, 1, &error) < 0) abort();
    for (size_t i = 0; i < n_at; i++)
        tw_fix_log_put(&log, at[i], 0, true, "8=FIX", 5);
    tw_fix_log_close(&log);
    file = fopen(path, "r");
    if (!file) abort();
    for (size_t i = 0; i < n_at && fgets(line, sizeof line, file); i++) {
        char want[200];
        size_t n = tw_fix_time_text(at[i], TW_FIX_US, want);

        strcpy(want + n, " < 8=FIX\n");
        right += strcmp(line, want) == 0;
        if (strcmp(line, want) != 0) printf("# got %s# not %s", line, want);
    }
    fclose(file);
    unlink(path);
    ok(right == n_at, "each line has its time (%u)", right);
}

int main(void)
{
    char command[PLACE + 20];

    place_folder(folder);
    snprintf(path, sizeof path, "%s/b.log", folder);
    together();
    snprintf(path, sizeof path, "%s/a.log", folder);
    rotates();
    is_moved();
    is_blanked();
    is_found();
    times();
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
    return tap_done();
}

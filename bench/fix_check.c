/* fix_check.c - nanoseconds to parse and check a FIX message against the dictionary, and
 * to encode one, beside a plain scan of the same bytes.
 *
 * The scan finds the end by BodyLength, adds up the bytes and splits the fields: what no
 * reader can leave out.  Messages differ in numbers and times and come over and over, as
 * a socket would have them in the cache.  Those "of all kinds" are the worst case: none
 * has the fields of the one before it.
 *
 *     fix_check FOLDER     writes its messages there, a file each kind, for others
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fixed.h"
#include "fix/check.h"
#include "fix/draft.h"
#include "fix/write.h"
#include "fix_scan.h"
#include "random.h"

enum { BYTES = 128 << 10, ROUNDS = 200, ENTRIES = 10 };

static char text[BYTES];
static const int64_t start_ns = INT64_C(1767348000000000000);

static void begin(struct tw_fix_output *o, char *out, size_t room, const char *type,
                  uint64_t seq)
{
    tw_fix_begin(o, out, room, "FIX.4.4", type, 1);
    tw_fix_put_integer(o, 34, (int64_t)(100000 + seq));
    tw_fix_put_text(o, 49, "TIDEWIRE", 8);
    tw_fix_put_time(o, 52, start_ns + (int64_t)seq * 50000000, TW_FIX_MS);
    tw_fix_put_text(o, 56, "EXCHANGE1", 9);
}

/* varied: other fields than those of the last one. */
static int64_t order(char *out, size_t room, uint64_t seq, bool varied, char **p)
{
    uint64_t some = varied ? seq * UINT64_C(0x9e3779b97f4a7c15) >> 56 : 0;
    struct tw_fix_output o;

    begin(&o, out, room, "D", seq);
    if (!(some & 1)) tw_fix_put_text(&o, 1, "ACCOUNT", 7);
    tw_fix_put_integer(&o, 11, (int64_t)(7000000 + seq));
    if (some & 2) tw_fix_put_text(&o, 15, "USD", 3);
    if (!(some & 4)) tw_fix_put_char(&o, 21, '1');
    tw_fix_put_integer(&o, 38, (int64_t)(1 + seq % 50) * 100);
    tw_fix_put_char(&o, 40, '2');
    tw_fix_put_fixed(&o, 44, (int64_t)(18700 + seq % 100) * 10000000);
    tw_fix_put_char(&o, 54, '1' + (char)(seq % 2));
    tw_fix_put_text(&o, 55, "AAPL", 4);
    if (some & 8) tw_fix_put_text(&o, 58, "some text", 9);
    if (!(some & 16)) tw_fix_put_char(&o, 59, '0');
    tw_fix_put_time(&o, 60, start_ns + (int64_t)seq * 50000000, TW_FIX_MS);
    if (some & 32) tw_fix_put_flag(&o, 114, true);
    return tw_fix_finish(&o, p);
}

static int64_t market(char *out, size_t room, uint64_t seq, bool update, char **p)
{
    unsigned n = update ? 3 : ENTRIES;
    struct tw_fix_output o;

    begin(&o, out, room, update ? "X" : "W", seq);
    if (!update) tw_fix_put_text(&o, 55, "AAPL", 4);
    tw_fix_put_text(&o, 262, "REQUEST1", 8);
    tw_fix_put_integer(&o, 268, n);
    for (unsigned i = 0; i < n; i++) {
        if (update) tw_fix_put_char(&o, 279, '1');
        tw_fix_put_char(&o, 269, i % 2 ? '1' : '0');
        if (update) tw_fix_put_text(&o, 55, "AAPL", 4);
        tw_fix_put_fixed(&o, 270, (int64_t)(18700 + (seq + i) % 100) * 10000000);
        tw_fix_put_integer(&o, 271, (int64_t)(1 + seq % 50) * 100);
    }
    return tw_fix_finish(&o, p);
}

static int64_t write_one(int kind, char *out, size_t room, uint64_t seq, char **p)
{
    switch (kind) {
    case 0: return order(out, room, seq, false, p);
    case 1: case 2: return market(out, room, seq, kind == 2, p);
    case 3: return order(out, room, seq, true, p);
    default: return write_one((int)(seq % 4), out, room, seq, p);
    }
}

static size_t fill(int kind, size_t *messages)
{
    static char one[4096];
    size_t n = 0;

    for (*messages = 0; ; ++*messages) {
        char *p;
        int64_t length = write_one(kind, one, sizeof one, *messages, &p);

        if (length < 0) exit(1);
        if (n + (size_t)length > sizeof text) return n;
        memcpy(text + n, p, (size_t)length);
        n += (size_t)length;
    }
}

static size_t read_all(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                       const char *p, const char *end, bool check)
{
    size_t messages = 0;
    struct tw_fix_frame f;

    for (; p < end; p += m->length, messages++)
        if (tw_fix_message_frame(m, p, (size_t)(end - p), &f) != TW_FIX_WHOLE
            || tw_fix_message_read(m, d, p, &f) < 0
            || (check && tw_fix_check(m, TW_FIX_CHECK_STRICT).reason != TW_FIX_FINE))
            exit(1);
    return messages;
}

static const char *const label[] = {
    "35=D", "35=W x 10", "35=X x 3", "35=D of all kinds", "all of these"
};
enum { KINDS = sizeof label / sizeof *label };

static int write_files(const char *folder)
{
    for (int kind = 0; kind < KINDS; kind++) {
        size_t messages, n = fill(kind, &messages);
        char path[4096];
        FILE *f;

        snprintf(path, sizeof path, "%s/%s", folder, label[kind]);
        f = fopen(path, "wb");
        if (!f || fwrite(text, 1, n, f) != n || fclose(f) != 0) {
            perror(path);
            return 1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = getenv("SMALL") ? 1 : ROUNDS, times = 2;
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d;
    struct tw_fix_message m;
    struct tw_error error;

    if (argc > 1) return write_files(argv[1]);
    if (!t || tw_fix_draft_version(t, TW_FIX_44, &error) < 0
        || tw_fix_draft_finish(t, &d, &error) < 0 || tw_fix_message_init(&m, 0, 0) < 0)
        return 1;
    tw_fix_draft_free(t);
    printf("%-17s %6s %6s %9s %7s %7s\n", "ns/message", "bytes", "scan", "and check",
           "parse", "encode");
    for (int kind = 0; kind < KINDS; kind++) {
        double best[4] = { 1e9, 1e9, 1e9, 1e9 };
        size_t messages, n = fill(kind, &messages);

        for (int round = 0; round < rounds * 4; round++) {
            int64_t began = tw_clock_steady_ns();
            double ns;

            for (int i = 0; i < times; i++) {
                if (round % 4 == 0) sink += scan(text, text + n);
                else if (round % 4 == 1) sink += read_all(&m, d, text, text + n, true);
                else if (round % 4 == 2) sink += read_all(&m, d, text, text + n, false);
                else for (size_t k = 0; k < messages; k++) {
                    static char out[4096];
                    char *p;

                    sink += (uint64_t)write_one(kind, out, sizeof out, k, &p);
                }
            }
            ns = (double)(tw_clock_steady_ns() - began) / times / (double)messages;
            if (ns < best[round % 4]) best[round % 4] = ns;
        }
        printf("%-17s %6zu %6.0f %9.0f %7.0f %7.0f\n", label[kind], n / messages, best[0],
               best[1], best[2], best[3]);
    }
    tw_fix_message_fini(&m);
    tw_fix_dictionary_free(d);
    return 0;
}

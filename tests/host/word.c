/* word.c - eight bytes at once say what they say one by one. */
#include "base/word.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "random.h"
#include "tap.h"

/* Bytes near those that matter more often than others. */
static uint64_t any_word(void)
{
    static const char some[] = ",-.+0189:/ \"#\x01\x7f\x80\xac";
    uint64_t w = next();

    for (int i = 0; i < 8; i++)
        if (next() % 4) {
            w &= ~(UINT64_C(0xff) << 8 * i);
            w |= (uint64_t)(unsigned char)some[next() % (sizeof some - 1)] << 8 * i;
        }
    return w;
}

static void bytes(int n)
{
    static const unsigned limits[] = { 1, 2, '"' + 1, '0', 128 };
    int zeros = 0, below = 0, first = 0;

    for (int i = 0; i < n; i++) {
        uint64_t w = any_word(), wants = 0, under = 0;
        unsigned limit = limits[next() % 5];
        char at[8];

        memcpy(at, &w, 8);
        for (int k = 0; k < 8; k++) {
            if (at[k] == ',') wants |= UINT64_C(0x80) << 8 * k;
            if ((unsigned char)at[k] < limit) under |= UINT64_C(0x80) << 8 * k;
        }
        zeros += tw_word_zeros(w ^ TW_WORD_OF(',')) != wants;
        below += tw_word_below(w, limit) != under;
        if (wants) first += memchr(at, ',', 8) != at + tw_word_first(wants);
    }
    ok(zeros == 0, "bytes that are another are found (%d wrong)", zeros);
    ok(below == 0, "so are those below another (%d wrong)", below);
    ok(first == 0, "and the first one (%d wrong)", first);
}

static void numbers(int n)
{
    int wrong = 0, refused = 0;
    uint64_t v = 0;

    for (int i = 0; i < n; i++) {
        unsigned want = (unsigned)(next() % 100000000);
        char text[9];

        snprintf(text, sizeof text, "%08u", want);
        wrong += !tw_word_number(tw_word_load(text), &v) || v != want;
        text[next() % 8] = "/:\x01\xb0\xff. "[next() % 7];
        refused += !tw_word_number(tw_word_load(text), &v);
    }
    ok(wrong == 0, "eight digits are a number (%d wrong)", wrong);
    ok(refused == n, "what is near a digit is none");
}

static void parts(void)
{
    long page = sysconf(_SC_PAGESIZE);
    char *guarded = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int wrong = 0;

    mprotect(guarded + page, (size_t)page, PROT_NONE);
    for (size_t n = 1; n <= 8; n++) {
        char *p = guarded + page - n, want[8] = "";
        uint64_t w;

        for (size_t i = 0; i < n; i++) p[i] = want[i] = (char)(i + 1);
        w = tw_word_load_part(p, n);
        wrong += memcmp(&w, want, 8) != 0;
    }
    ok(wrong == 0, "of a part no more is read than there is");
    munmap(guarded, 2 * (size_t)page);
}

int main(void)
{
    int n = getenv("SMALL") ? 1000 : 200000;

    bytes(n);
    numbers(n);
    parts();
    return tap_done();
}

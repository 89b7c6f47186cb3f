/* What is typed: keys of Emacs against a simple model, undo back to every text that there
 * was (X1, X2 of lua/main/text.c), keys from random bytes, and no memory at any place. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "main/argument.c"
#include "main/glyph.c"
#include "main/history.c"
#include "main/keys.c"
#include "main/recall.c"
#include "main/text.c"
#include "main/undo.c"
#include "tap.h"

static unsigned seed = 1;

static unsigned pick(unsigned n)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 16) % n;
}

/* ---- keys, one by one ---- */

static struct ltw_text text;

/* Types a string as a terminal sends it. */
static void type(const char *bytes)
{
    struct ltw_keys k = { .n = 0 };

    for (; *bytes; bytes++) {
        int key = ltw_keys_take(&k, *bytes);

        if (key == LTW_KEY_MORE) continue;
        ltw_text_step(&text);
        if (!ltw_text_key(&text, key) && key >= 0x20 && key < LTW_KEY_MORE)
            ltw_text_type(&text, k.bytes, k.n);
    }
}

static void anew(void)
{
    ltw_text_free(&text);
    text = (struct ltw_text){ .cursor = 0 };
    ltw_bytes_set(&text.bytes, "", 0);
    ltw_text_begin(&text);
}

/* `want` has a | where the cursor is. */
static void gives(const char *keys, const char *want, const char *name)
{
    char got[200];

    anew();
    type(keys);
    snprintf(got, sizeof got, "%.*s|%s", (int)text.cursor, text.bytes.at,
             text.bytes.at + text.cursor);
    ok(strcmp(got, want) == 0, "%s", name);
    if (strcmp(got, want) != 0) printf("# got  %s\n# want %s\n", got, want);
}

static void keys(void)
{
    gives("ab\002c", "ac|b", "Ctrl-B");
    gives("one two\033b\033bx", "x|one two", "Alt-B");
    gives("one two\001\033fx", "onex| two", "Alt-F");
    gives("one\033[D\033[Dx\033[Cy", "oxny|e", "arrows");
    gives("one two\033[1;5D\033[Hx\033[Fy", "xone twoy|", "Ctrl-Left, Home, End");
    gives("abc\002\002\004", "a|c", "Ctrl-D");
    gives("abc\001\033[3~", "|bc", "Delete");
    gives("ab\024", "ba|", "Ctrl-T at the end");
    gives("abc\002\002\024", "ba|c", "Ctrl-T");
    gives("a\024", "a|", "Ctrl-T with one character");
    gives("\303\251x\024", "x\303\251|", "Ctrl-T of a wide one");
    gives("one, two\033t", "two, one|", "Alt-T");
    gives("one two\001\033t", "|one two", "Alt-T at the start");
    gives("one two x\001\033f\033t", "two one| x", "Alt-T behind the first word");
    gives("one\033t", "one|", "Alt-T with one word");
    gives("one two\001\033u\033c", "ONE Two|", "Alt-U, Alt-C");
    gives("ONE tWO\001\033l\033l", "one two|", "Alt-L");
    gives("one two\027x", "one x|", "Ctrl-W");
    gives("one two\027\027\031", "one two|", "cut one after the other is one");
    gives("a b c\033b\013\002\025\031\033y", "c| ", "Alt-Y: what was cut before");
    gives("one two\001\033d\033d\005\031", "one two|", "Alt-D forwards is one, too");
    gives("a b\033\177\031\031", "a bb|", "Alt-Backspace, Ctrl-Y twice");
    gives("a\031\033y", "a|", "nothing was cut");
    gives("one two three\037", "one two |", "Ctrl-_ takes a word");
    gives("one two three\037\037", "one |", "and another");
    gives("one two\001x\030\025\030\025", "one |", "Ctrl-X Ctrl-U");
    gives("one two\027\037", "one two|", "a cut comes back");
    gives("one two\033t\037", "one| two", "words that changed places");
    gives("ab\037\037\037", "|", "more than there is");
    gives("\343\201\202e\314\201x\002\177", "\343\201\202|x",
          "what is put above goes along");
    gives("ab\033\rcd\020x", "abx|\ncd", "lines");
    gives("ab\033\rc\020\016y", "ab\ncy|", "up, and down");
}

/* ---- against a model ---- */

enum { STEPS = 20000, BEHIND = 50 };

static const char *const words[] = {
    "a", "b", "_", " ", ".", "\n", "\303\251", "\346\227\245", "e\314\201",
    "\360\237\230\200"
};
static const int moves[] = {
    LTW_CTRL('A'), LTW_CTRL('B'), LTW_CTRL('D'), LTW_CTRL('E'), LTW_CTRL('F'),
    LTW_CTRL('H'), LTW_CTRL('K'), LTW_CTRL('N'), LTW_CTRL('P'), LTW_CTRL('T'),
    LTW_CTRL('U'), LTW_CTRL('W'), LTW_CTRL('Y'), LTW_KEY_META | 'b', LTW_KEY_META | 'c',
    LTW_KEY_META | 'd', LTW_KEY_META | 'f', LTW_KEY_META | 'l', LTW_KEY_META | 't',
    LTW_KEY_META | 'u', LTW_KEY_META | 'y', LTW_KEY_META | '<', LTW_KEY_META | '>',
    LTW_KEY_DELETE, LTW_KEY_UP, LTW_KEY_DOWN
};

static bool is_boundary(const struct ltw_text *t)
{
    return t->cursor <= t->bytes.n && (t->cursor == t->bytes.n
           || ((unsigned char)t->bytes.at[t->cursor] & 0xC0) != 0x80);
}

static bool is_utf8(const struct tw_bytes *b)
{
    uint32_t code;

    for (size_t i = 0; i < b->n;) {
        i += ltw_glyph(b->at + i, b->n - i, &code);
        if (code == LTW_GLYPH_BAD) return false;
    }
    return true;
}

/* The model of typing is a string; of a key that cuts, that undo brings it back; of one
 * that moves, that nothing else has changed. */
static void model(void)
{
    static char want[1 << 16], before[1 << 16];
    int boundaries = 0, whole = 0, typed = 0, undone = 0, kept = 0, steps = 0, moved = 0;

    anew();
    for (int i = 0; i < STEPS; i++) {
        size_t cursor = text.cursor, n = text.bytes.n;

        if (n > 2000) anew(), cursor = n = 0;
        memcpy(before, text.bytes.at, n + 1);
        ltw_text_step(&text);
        steps++;
        if (pick(2)) {
            const char *w = words[pick(sizeof words / sizeof *words)];

            snprintf(want, sizeof want, "%.*s%s%s", (int)cursor, before, w,
                     before + cursor);
            ltw_text_insert(&text, w, strlen(w));
            typed += strcmp(want, text.bytes.at) == 0
                && text.cursor == cursor + strlen(w);
        } else {
            ltw_text_key(&text, moves[pick(sizeof moves / sizeof *moves)]);
            typed++;
        }
        boundaries += is_boundary(&text);
        whole += is_utf8(&text.bytes) && strlen(text.bytes.at) == text.bytes.n;
        moved += strcmp(before, text.bytes.at) != 0;
        if (pick(4) == 0 && strcmp(before, text.bytes.at) != 0) {
            ltw_text_step(&text);
            ltw_text_key(&text, LTW_CTRL('_'));
            undone++;
            kept += strcmp(before, text.bytes.at) == 0 && is_boundary(&text);
        }
    }
    ok(typed == steps, "what is typed stands at the cursor");
    ok(boundaries == steps && whole == steps, "which stands between characters (X1)");
    ok(undone > 100 && kept == undone && moved > 100, "%d changes are undone (X2)",
       undone);
}

/* Back through all texts that there were, to the first. */
static void undone_to_the_start(void)
{
    static char was[BEHIND][4000];
    int n = 0, same = 0;

    anew();
    while (n < BEHIND) {
        memcpy(was[n], text.bytes.at, text.bytes.n + 1);
        ltw_text_step(&text);
        if (pick(2)) ltw_text_insert(&text, "ab c", 4);
        else ltw_text_key(&text, moves[pick(sizeof moves / sizeof *moves)]);
        n += strcmp(was[n], text.bytes.at) != 0;
    }
    for (int i = n; i-- > 0;) {
        ltw_text_step(&text);
        ltw_text_key(&text, LTW_CTRL('_'));
        same += strcmp(was[i], text.bytes.at) == 0;
    }
    ok(same == BEHIND && text.bytes.n == 0, "%d texts, back to the empty one", same);
}

/* ---- bytes ---- */

static void random_bytes(void)
{
    struct ltw_keys k = { .n = 0 };
    int bad = 0;

    for (int i = 0; i < 1000000; i++) {
        static const char likely[] = "\033[O;~\0301234ABC";
        char byte = pick(2) ? likely[pick(sizeof likely - 1)] : (char)pick(256);
        int key = ltw_keys_take(&k, byte);

        bad += k.n > sizeof k.bytes || (key < LTW_KEY_MORE && (k.n == 0 || key < 0));
    }
    ok(bad == 0, "a million random bytes");
    k = (struct ltw_keys){ .n = 0 };
    bad = 0;
    for (int i = 0; i < 200; i++) {
        size_t n = strlen(words[i % 10]), at = 0;
        uint32_t code;

        while (at < n) {
            size_t size = ltw_glyph(words[i % 10] + at, n - at, &code);

            for (size_t b = 0; b + 1 < size; b++)
                bad += ltw_keys_take(&k, words[i % 10][at + b]) != LTW_KEY_MORE;
            bad += ltw_keys_take(&k, words[i % 10][at + size - 1]) != (int)code
                || k.n != size || memcmp(k.bytes, words[i % 10] + at, size) != 0;
            at += size;
        }
    }
    ok(bad == 0, "no character is lost");
    anew();
    type("a\033[1;\003b\033[\033[Dc\033[[Ad\377e\303x");
    ok(strcmp(text.bytes.at, "acdexb") == 0, "nor what follows half a key: %s",
       text.bytes.at);
}

/* ---- without memory ---- */

/* Types and recalls with the n-th allocation failing.  True: there were fewer. */
static bool without(unsigned long n)
{
    struct ltw_history *h;
    struct ltw_recall r = { .n_pattern = 0 };
    uint64_t till = tw_memory_count() + n;
    bool fine;

    tw_memory_fail_at(n);
    h = ltw_history_open(NULL);
    if (!h) return false;
    anew();
    if (!text.bytes.at) {
        ltw_history_close(h);
        return false;
    }
    r.history = h;
    r.text = &text;
    for (int i = 0; i < 20; i++) ltw_history_add(h, i % 2 ? "odd entry" : "even entry");
    ltw_recall_begin(&r);
    type("one two three\027\027\031\033y\024\033t");
    for (int i = 0; i < 30; i++) {
        ltw_text_step(&text);
        ltw_text_insert(&text, "some more text to be typed", 26);
    }
    ltw_recall_go(&r, false);
    ltw_recall_go(&r, false);
    ltw_recall_go(&r, true);
    ltw_recall_search(&r);
    if (r.searching) ltw_recall_key(&r, 'o', "o", 1);
    if (r.searching) ltw_recall_key(&r, LTW_CTRL('R'), "", 0);
    if (r.searching) ltw_recall_key(&r, LTW_CTRL('G'), "", 0);
    for (int i = 0; i < 40; i++) {
        ltw_text_step(&text);
        ltw_text_key(&text, LTW_CTRL('_'));
    }
    fine = is_boundary(&text) && is_utf8(&text.bytes);
    if (!fine) ok(false, "allocation %lu fails: the text is broken", n);
    ltw_recall_free(&r);
    ltw_history_close(h);
    ltw_text_free(&text);
    return tw_memory_count() < till;
}

static void without_memory(void)
{
    unsigned long n = 1;

    ltw_text_free(&text);
    while (n < 10000 && !without(n)) n++;
    tw_memory_fail_at(0);
    ok(n > 20 && n < 10000, "each of %lu allocations fails once", n - 1);
}

static void too_long(void)
{
    static char big[ENTRY_MAX];

    anew();
    memset(big, 'x', sizeof big);
    ltw_text_insert(&text, "ab", 2);
    ltw_text_insert(&text, big, sizeof big);
    ok(text.bytes.n == 2, "a megabyte is the end");
    ok(!ltw_text_replace(&text, big, sizeof big + 1) && text.bytes.n == 2,
       "of each text");
    for (int i = 0; i < 10; i++) {
        ltw_text_step(&text);
        ltw_text_insert(&text, big, sizeof big - 2);
        ltw_text_step(&text);
        ltw_text_cut(&text, 2, text.bytes.n);
    }
    ok(text.undo.cut.n <= CUT_MAX && text.undo.cut.room <= 2 * CUT_MAX,
       "what is kept to be undone is bounded");
}

int main(void)
{
    keys();
    model();
    undone_to_the_start();
    random_bytes();
    too_long();
    without_memory();
    ltw_text_free(&text);
    return tap_done();
}

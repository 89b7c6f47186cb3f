/* fix_resend.c - many messages that are sent again: bit by bit, however fast the peer
 * reads. */
#include "fix_talk.h"

enum { MESSAGES = 5000, AT_ONCE = (64 << 10) + 4096 };

/* What the peer reads: all, at once; how many bytes.  It checks what is sent again. */
static uint64_t next;
static unsigned again, fills, wrong;
static bool vetoes;
static const struct tw_fix_session_options none;

static uint64_t number_at(const char *p, const char *end, const char *tag)
{
    const char *at = memmem(p, (size_t)(end - p), tag, strlen(tag));

    return at ? strtoull(at + strlen(tag), NULL, 10) : 0;
}

static size_t drain(void)
{
    size_t n, all = 0;
    const char *p;

    for (tw_fix_session_output(r.s, &p, &n); n > 0;
         tw_fix_session_output(r.s, &p, &n)) {
        const char *end = p + n, *stop;

        for (const char *at = p; at < end; at = stop + 8) {
            bool fill = memmem(at, 40, "\00135=4\001", 6);

            stop = memmem(at, (size_t)(end - at), "\00110=", 4);
            if (!memmem(at, (size_t)(stop - at), "\00143=Y\001", 6)) continue;
            wrong += number_at(at, stop, "\00134=") != next;
            next = fill ? number_at(at, stop, "\00136=") : next + 1;
            *(fill ? &fills : &again) += 1;
        }
        all += n;
        tw_fix_session_written(r.s, r.now, n);
    }
    return all;
}

/* A session that has sent so many, and is asked for all of them. */
static size_t ask(const struct tw_fix_session_options *o, const char *id)
{
    char text[40], *p;
    size_t n;

    open_rig(o, TW_FIX_44, 1 << 20);
    play("connect");
    say("35=A 34=1 98=0 108=30");
    snprintf(text, sizeof text, "D 11=%s", id);
    for (int i = 0; i < MESSAGES; i++) {
        send_app(text);
        r.n = 0;
    }
    r.veto = vetoes;
    next = 1;
    again = fills = wrong = 0;
    p = whole(TW_FIX_44, "35=2|34=2|49=PEER|52=20240102-12:00:00|56=US|7=1|16=0|", &n);
    tw_fix_session_receive(r.s, r.now, p, n);
    free(p);
    return drain();
}

/* Each time we have a turn, as it says when; the most of one, and how many. */
static size_t turns(unsigned *count)
{
    size_t most = 0, n;

    for (*count = 0; tw_fix_session_wakes(r.s, r.now) <= r.now.steady_ns; ++*count) {
        r.now.steady_ns += 1000000;
        r.now.time_ns += 1000000;
        tw_fix_session_tick(r.s, r.now);
        n = drain();
        if (n > most) most = n;
    }
    return most;
}

static void bounded(void)
{
    unsigned n;
    size_t first = ask(&none, "a"), most = turns(&n);

    ok(first <= AT_ONCE && most <= AT_ONCE && n > 5,
       "a peer that reads all at once gets it by turns (%zu, %zu, %u)", first, most, n);
    ok(again == MESSAGES && fills == 1 && wrong == 0 && next == MESSAGES + 2,
       "and all of it, in order (%u, %u, %u)", again, fills, wrong);
    close_rig();
    ask(&none, "a");
    hang_up();
    ok(tw_fix_session_wakes(r.s, r.now) == INT64_MAX, "no turn when it has hung up");
    close_rig();
}

/* The peer takes some at a time: no turn while half of what may wait does.  Less that
 * waits for it, as other messages do, is no reason to wait. */
static void slow(void)
{
    const char *p;
    size_t n, waits;

    ask(&(struct tw_fix_session_options){ .output_max = 300000 }, "a");
    tw_fix_session_tick(r.s, r.now);
    waits = tw_fix_session_status(r.s).waiting;
    tw_fix_session_tick(r.s, r.now);
    ok(waits > 60000 && tw_fix_session_status(r.s).waiting > waits + 60000,
       "more goes out behind what waits");
    for (int i = 0; i < 100; i++) tw_fix_session_tick(r.s, r.now);
    ok(tw_fix_session_status(r.s).waiting < 160000
       && tw_fix_session_wakes(r.s, r.now) > r.now.steady_ns,
       "but no more than half for a peer that does not read");
    tw_fix_session_output(r.s, &p, &n);
    tw_fix_session_written(r.s, r.now, n / 2);
    ok(tw_fix_session_wakes(r.s, r.now) <= r.now.steady_ns, "when it does it goes on");
    close_rig();
}

/* What is not sent again is looked at bit by bit, too. */
static void filled(void)
{
    unsigned n;

    vetoes = true;
    ask(&none, "veto");
    vetoes = false;
    ok(next < MESSAGES, "of many that are vetoed some at a time (%d)", (int)next);
    turns(&n);
    ok(fills > 1 && fills < 20 && wrong == 0 && next == MESSAGES + 2,
       "are filled, in order (%u, %u)", fills, wrong);
    close_rig();
}

/* A rate is kept, however small the bits are. */
static void rated(void)
{
    int64_t from;
    unsigned n = 0;

    ask(&(struct tw_fix_session_options){ .resend_rate = 20000 }, "a");
    from = r.now.steady_ns;
    while (next <= MESSAGES && n++ < 10000) {
        int64_t wait = tw_fix_session_wakes(r.s, r.now) - r.now.steady_ns;

        if (wait < 1000000) wait = 1000000;
        r.now.steady_ns += wait;
        r.now.time_ns += wait;
        tw_fix_session_tick(r.s, r.now);
        drain();
    }
    from = (r.now.steady_ns - from) / 1000000;
    ok(from >= 150 && from <= 350, "5000 at 20000 a second take 0.25 s (%d ms)",
       (int)from);
    close_rig();
}

int main(void)
{
    dictionaries[TW_FIX_44] = dictionary(TW_FIX_44, NULL);
    talk("a few are sent again at once", TW_FIX_44, &none,
         ON "send D 11=a\n<35=D 34=2 11=a\n>35=2 34=2 7=1 16=0\n"
         "<35=4 34=1 43=Y 122=T 36=2 123=Y\n<35=D 34=2 43=Y 122=T 11=a\n<-");
    talk("a SequenceReset that leaves no numbers", TW_FIX_44, &none,
         ON ">35=4 34=2 36=9223372036854775807\n"
         "<35=3 34=2 45=2 58=Value_is_incorrect_(out_of_range)_for_this_tag 372=4 373=5\n"
         "?REFUSED 2 2\n>35=4 34=2 36=9223372036854775807 123=Y\n"
         "<35=3 34=3 45=2 58=Value_is_incorrect_(out_of_range)_for_this_tag 372=4 373=5\n"
         ">35=1 34=2 112=x\n<35=0 34=4 112=x\n=3 5");
    bounded();
    slow();
    filled();
    rated();
    tw_fix_dictionary_free(dictionaries[TW_FIX_44]);
    return tap_done();
}

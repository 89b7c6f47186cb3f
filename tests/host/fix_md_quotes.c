/* fix_md_quotes.c - quotes of a FIX session and their acknowledgement, states of trading
 * that are asked for, and numbers of streams. */
#include "fix_md_rig.h"
#include "random.h"

#define SET "302=s|311=U|304=2|295=2|"

static void masses(void)
{
    static const struct tw_fix_md_options quotes = { .quotes = true };
    static const struct step steps[] = {
        { "i 117=q|296=1|" SET "299=1|55=A|132=1.25|133=1.26|134=10|135=20|"
          "299=2|55=B|132=2|133=3|", "A 1.25x10 1.26x20; B 2x0 3x0" },
        /* One answer when it is asked for; of errors alone; never. */
        { "i 117=q|131=r|301=2|296=1|" SET "299=1|55=A|132=1|299=2|55=B|132=2|",
          "A 1x0 1.26x20; B 2x0 3x0; b 131=r|117=q|297=0|" },
        { "i 117=q|301=1|296=1|" SET "299=1|55=A|132=1|299=2|55=B|132=2|",
          "A 1x0 1.26x20; B 2x0 3x0" },
        { "i 117=q|301=1|293=7|294=8|296=1|" SET "299=1|55=A|132=1|133=1.5|299=2|55=Q|"
          "132=2|", "A 1x7 1.5x8;"
          " b 117=q|297=0|296=1|302=s|304=1|295=1|299=2|368=1|" },
        { "i 117=q|301=0|296=1|" SET "299=1|55=Q|132=1|299=2|55=Q|132=2|", "" },
        { "i 117=q|301=2|296=2|302=s|311=U|304=1|295=1|299=1|55=A|134=1|302=t|311=U|"
          "304=1|295=1|299=2|55=Q|132=1|",
          "problem 35=i, message 6: 134=1 without BidPx (132);"
          " b 117=q|297=5|300=8|296=2|302=s|304=1|295=1|299=1|368=8|"
          "302=t|304=1|295=1|299=2|368=1|" },
        { "i 117=q|301=2|296=0|",
          "problem 35=i, message 7: no quotes in it (296, 295); b 117=q|297=5|" },
        { "S 117=1|131=r|301=2|55=A|132=1.25|134=3|",
          "A 1.25x3 1.5x8; AI 131=r|117=1|55=A|297=0|" },
        { "S 117=1|301=1|55=A|132=1.25|134=4|", "A 1.25x4 1.5x8" },
        { "S 117=1|301=1|55=Q|132=1.25|134=4|", "AI 117=1|55=Q|297=5|" },
    };
    static const struct step old[] = {
        { "S 117=1|301=2|55=A|132=1.25|134=3|", "A 1.25x3 0x0; b 117=1|297=0|" },
        { "S 117=1|301=2|55=Q|132=1.25|134=3|", "b 117=1|297=5|300=1|" },
    };
    static const struct step new[] = {
        { "S 117=1|301=3|55=Q|132=1.25|134=3|", "AI 117=1|55=Q|297=5|300=1|" },
    };

    PLAY("mass quotes", &quotes, TW_FIX_44, steps);
    PLAY("quotes before 4.3", &quotes, TW_FIX_42, old);
    PLAY("and by 5.0SP2", &quotes, TW_FIX_50SP2, new);
}

/* Before 4.2 a request is for one symbol, and before 4.3 it is b that refuses it. */
static void asked(void)
{
    static const struct tw_fix_md_options quotes = { .quotes = true };
    static const enum tw_fix_version versions[] = { TW_FIX_40, TW_FIX_41, TW_FIX_42,
                                                    TW_FIX_44 };

    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct run *r = run_open(&quotes, versions[i], "A");

        give(r, "A 98=0|108=30|");
        ok(strcmp(heard(r), "R A") == 0 && r->grouped == (versions[i] >= TW_FIX_42),
           "a request by %s", tw_fix_version_name(versions[i]));
        if (versions[i] == TW_FIX_42) {
            ok(!give(r, "b 131=7|297=5|300=1|") && !give(r, "b 131=@A@|297=0|"),
               "an acknowledgement of something else");
            give(r, "b 131=@A@|297=5|300=1|");
            ok(strcmp(heard(r), "failed A: refused: 300=1 (UNKNOWN_SYMBOL)") == 0,
               "one that refuses it");
        }
        run_close(r);
    }
}

/* What the acknowledgement has no room for is left out; what can't go out is said. */
static void long_names(void)
{
    static const struct tw_fix_md_options quotes = { .quotes = true };
    struct run *r = run_open(&quotes, TW_FIX_44, "A");
    char text[4000] = "i 117=q|301=2|296=1|302=s|311=U|304=20|295=20|", name[150];
    const char *got;
    int named = 0;

    memset(name, 'x', sizeof name);
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "299=%.140s%d|55=Q|132=1|", name, i);
    r->now.steady_ns++;
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    give(r, text);
    got = heard(r);
    for (const char *p = got; (p = strstr(p, "|299=")); p++) named++;
    ok(strncmp(got, "b 117=q|297=5|300=1|", 20) == 0 && named > 5 && named <= 20,
       "an acknowledgement names as many as it has room for: %d", named);
    r->full = 1;
    give(r, "i 117=q|301=2|296=1|302=s|311=U|304=1|295=1|299=1|55=A|132=1|");
    ok(strcmp(heard(r), "A 1x0 0x0; problem an acknowledgement (35=b) of quotes was not"
              " sent: full") == 0, "one that does not go out is told");
    run_close(r);
}

/* It is 09:30:00.  Times of quotes are those of the sending, .123 s later. */
static void until(void)
{
    static const struct tw_fix_md_options all = { .quotes = true };
    static const struct step one[] = {
        { "S 131=@A@|117=q|55=A|132=1.4|133=1.6|62=20240102-09:30:05|", "A 1.4x0 1.6x0" },
        { "+4.999", "" },
        { "+0.001", "A 0x0 0x0" },
        { "+60", "" },
        /* Another quote is another time, or none. */
        { "S 131=@A@|117=r|55=A|132=1.4|133=1.6|62=20240102-09:31:10|", "A 1.4x0 1.6x0" },
        { "S 131=@A@|117=s|55=A|132=1.5|133=1.7|62=20240102-09:31:20.5|",
          "A 1.5x0 1.7x0" },
        { "+10", "" },
        { "S 131=@B@|117=s|55=B|132=2|133=3|", "B 2x0 3x0" },
        { "+5", "" },
        { "+1", "A 0x0 0x0" },
        { "+90000", "" },
        /* Of each side its own. */
        { "S 131=@A@|117=q|55=A|132=1.4|62=20240103-10:31:27|", "A 1.4x0 0x0" },
        { "S 131=@A@|117=q|55=A|133=1.6|62=20240103-10:31:30|", "A 1.4x0 1.6x0" },
        { "S 131=@A@|117=q|55=B|132=2|133=3|62=20240103-10:31:26|", "B 2x0 3x0" },
        { "+5", "B 0x0 0x0" },
        { "+1", "A 0x0 1.6x0" },
        { "+3", "A 0x0 0x0" },
    };
    static const struct step late[] = {
        { "S 131=@A@|117=q|55=A|132=1.4|133=1.6|", "A 1.4x0 1.6x0" },
        { "S 117=r|301=2|55=A|132=1.5|133=1.7|62=20240102-09:29:59.9|",
          "A 0x0 0x0; AI 117=r|55=A|297=5|" },
        { "S 131=@A@|117=s|55=A|132=1.5|133=1.7|62=noon|",
          "problem 35=S, message 3: 62=noon is not a time" },
        { "S 131=@A@|117=s|55=A|132=1.5|133=0|135=3|",
          "problem 35=S, message 4: a price of 0" },
        { "S 117=s|301=2|55=A|132=0|134=3|",
          "problem 35=S, message 5: a price of 0; AI 117=s|55=A|297=5|" },
        { "S 131=@A@|117=t|55=A|132=1.5|133=1.7|62=20240102-09:30:01|", "A 1.5x0 1.7x0" },
        /* A snapshot is no quote. */
        { "W 55=A|268=2|269=0|270=1|271=2|269=1|270=3|271=4|", "A 1x2 3x4" },
        { "+2", "" },
    };
    static const struct step many[] = {
        { "i 117=q|296=2|302=s|311=U|367=20240102-09:30:05|304=2|295=2|"
          "299=1|55=A|132=1|133=2|299=2|55=B|132=3|133=4|62=20240102-09:30:02|"
          "302=t|311=U|304=1|295=1|299=3|55=A|132=1.1|",
          "A 1x0 2x0; B 3x0 4x0; A 1.1x0 2x0" },
        { "+2", "B 0x0 0x0" },
        { "+3", "A 1.1x0 0x0" },
        { "+9", "" },
    };

    PLAY("quotes run out", &all, TW_FIX_44, one);
    PLAY("or have run out when they come", &all, TW_FIX_44, late);
    PLAY("sets of quotes", &all, TW_FIX_44, many);
}

static void taken_back(void)
{
    static const struct tw_fix_md_options all = { .quotes = true };
    static const struct step steps[] = {
        { "S 131=@A@|117=q|55=A|132=1.4|133=1.6|62=20240102-09:30:05|", "A 1.4x0 1.6x0" },
        { "Z 117=q|298=1|301=1|295=1|55=B|", "AI 117=q|55=B|297=9|" },
        { "Z 117=q|298=1|301=2|295=2|55=B|55=A|", "A 0x0 0x0; AI 117=q|55=B|297=1|" },
        { "Z 117=q|298=1|295=1|55=A|", "" },
        { "+9", "" },
        { "i 117=r|296=1|" SET "299=1|55=A|132=1|133=2|299=2|55=B|132=3|133=4|",
          "A 1x0 2x0; B 3x0 4x0" },
        { "Z 117=all|298=4|301=2|", "A 0x0 0x0; B 0x0 0x0; AI 117=all|55=[N/A]|297=4|" },
        { "Z 117=all|298=4|", "" },
        { "S 117=s|55=A|132=1.4|133=1.6|", "A 1.4x0 1.6x0" },
        { "S 117=t|55=B|132=2|133=3|", "B 2x0 3x0" },
        { "Z 117=t|298=5|", "B 0x0 0x0" },
        { "Z 117=t|298=5|301=1|", "AI 117=t|55=[N/A]|297=9|" },
        /* A snapshot is no quote. */
        { "W 55=B|268=1|269=0|270=1|271=2|", "B 1x2 0x0" },
        { "Z 117=t|298=1|295=1|55=B|", "" },
        /* Of a kind of instrument: which are of it nobody here knows. */
        { "Z 117=u|298=2|301=2|", "problem 35=Z, message 14: of which symbols quotes are"
          " taken back nobody here can tell (298=2): all are asked for again; all gap 0"
          " from 0; lost the books are lost; AI 117=u|55=[N/A]|297=2|; R A; R B" },
        { "Z 117=u|298=3|", "problem 35=Z, message 15: of which symbols quotes are taken"
          " back nobody here can tell (298=3): all are asked for again; all gap 0 from 0;"
          " lost the books are lost" },
        { "+2", "R A; R B" },
    };
    /* Of two one is known by another id than its symbol: it may be any. */
    static const struct step nameless[] = {
        { "S 117=q|55=A|132=1.4|133=1.6|", "A 1.4x0 1.6x0" },
        { "S 117=r|55=B|132=2|133=3|", "B 2x0 3x0" },
        { "Z 117=q|298=1|301=2|295=2|55=A|22=4|48=US2|", "A 0x0 0x0;"
          " problem 35=Z, message 3: of which symbols quotes are taken back nobody here"
          " can tell (298=1): all are asked for again; all gap 0 from 0; lost the books"
          " are lost; AI 117=q|55=A|297=1|" },
        { "+2", "R A; R B" },
    };
    static const struct step of_42[] = {
        { "S 131=@A@|117=q|55=A|132=1.4|133=1.6|", "A 1.4x0 1.6x0" },
        { "Z 117=q|298=1|301=2|295=1|55=A|", "A 0x0 0x0; b 117=q|297=1|" },
    };

    PLAY("quotes that are taken back", &all, TW_FIX_50, steps);
    PLAY("and one that has no symbol", &all, TW_FIX_50, nameless);
    PLAY("by 4.2", &all, TW_FIX_42, of_42);
}

/* Each record has the time at which the quote ran out, whenever that is looked at; and
 * a message finds the book as it was then. */
static void when(void)
{
    static const struct tw_fix_md_options levels = { .levels = true };
    static const char gone[] = "A bid 1 1.4 gone; A ask 1 1.6 gone.; A 0x0 0x0";
    struct run *r = run_open(&levels, TW_FIX_44, "A B");
    int64_t began = r->now.time_ns;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 55=A|268=1|269=0|270=1|271=2|");
    give(r, "S 117=q|55=A|132=1.4|133=1.6|62=20240102-09:30:02|");
    heard(r);
    ok(tw_fix_md_wakes(r->md) == r->now.steady_ns + 2000000000,
       "it is known when to look");
    r->now.time_ns += INT64_C(5000000000);
    r->now.steady_ns += INT64_C(5000000000);
    tw_fix_md_expire(r->md, r->now, &r->batch);
    ok(r->batch.n == 3 && r->batch.r[0].time == began + 2000000000
       && r->batch.r[2].time == began + 2000000000
       && r->batch.r[2].received == began + INT64_C(5000000000),
       "records have that time");
    take_batch(&r->batch);
    ok(strcmp(heard(r), gone) == 0, "levels go, too");
    ok(tw_fix_md_stats(r->md).expired == 1 && tw_fix_md_wakes(r->md) > r->now.steady_ns,
       "once");
    give(r, "S 117=q|55=A|132=1.4|133=1.6|62=20240102-09:30:07|");
    heard(r);
    r->now.time_ns += INT64_C(5000000000);
    give(r, "S 117=q|55=B|132=1|133=2|");
    ok(strncmp(heard(r), gone, sizeof gone - 1) == 0,
       "before the next message, whatever its symbol");
    give(r, "S 117=q|55=A|132=1.4|133=1.6|62=20240102-09:30:20|");
    tell(r, TW_FIX_LOGGED_OUT, 0, 0);
    heard(r);
    wait_s(r, 60);
    ok(*heard(r) == 0, "of a session that is down nothing is left to run out");
    run_close(r);
}

/* Against looking through all of them. */
static void many_until(void)
{
    enum { N = 50, TIMES = 5000 };
    static const struct tw_fix_md_options all = { .quotes = true };
    struct run *r = run_open(&all, TW_FIX_44, "");
    int64_t until[N] = { 0 };
    bool right = true;
    char text[200];

    for (int i = 0; i < N; i++) {
        int n = snprintf(text, sizeof text, "S%d", i);

        tw_fix_md_subscribe(r->md, text, (size_t)n);
    }
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    for (int k = 0; k < TIMES && right; k++) {
        int i = (int)(next() % N), in = (int)(next() % 40);
        int64_t at = r->now.time_ns / 1000000000 + in;
        int s = (int)(at % 86400);

        snprintf(text, sizeof text, "S 117=q|55=S%d|132=1|133=2|62=202401%02d-%02d:%02d:"
                 "%02d|", i, (int)(at / 86400 - 19724) + 2, s / 3600, s / 60 % 60,
                 s % 60);
        if (in == 39) snprintf(text, sizeof text, "S 117=q|55=S%d|132=1|133=2|", i);
        give(r, text);
        until[i] = in == 39 ? INT64_MAX : at;
        wait_s(r, (double)(next() % 3));
        heard(r);
        for (int j = 0; j < N && right; j++) {
            const struct tw_depth *d = tw_fix_md_book(r->md, (uint32_t)j + 1);

            right = (d && d->side[0].n == 1)
                    == (until[j] > r->now.time_ns / 1000000000);
        }
    }
    ok(right, "of many symbols just those that are good are there");
    run_close(r);
}

static void states(void)
{
    static const struct tw_fix_md_options asks = { .incremental = true, .states = true };
    struct run *r = run_open(&asks, TW_FIX_44, "");

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    ok(strcmp(heard(r), "g") == 0, "of a market without a symbol of it");
    run_close(r);

    r = run_open(&asks, TW_FIX_44, "A B");
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    ok(strcmp(heard(r), "V A; V B; g; e A; e B") == 0,
       "the market and each symbol are asked for");
    give(r, "f 324=1|55=A|326=2|");
    give(r, "h 336=DAY|340=2|");
    heard(r);
    wait_s(r, 5);
    ok(strcmp(heard(r), "") == 0, "once");
    tw_fix_md_subscribe(r->md, "C", 1);
    wait_s(r, 1);
    ok(strcmp(heard(r), "V C; e C") == 0, "and a new one");
    tw_fix_md_unsubscribe(r->md, r->now, "A", 1, &r->batch);
    wait_s(r, 1);
    ok(strcmp(heard(r), "V- A; e- A") == 0, "of one that is not wanted no more is told");
    tell(r, TW_FIX_RESENDING, 5, 9);
    wait_s(r, 1);
    ok(strstr(heard(r), "e- B; e B; e- C; e C") != NULL,
       "what was asked for and has not come, and is not sent again, is asked for anew");
    give(r, "j 372=e|380=3|58=no|");
    ok(strcmp(heard(r), "failed states of trading are refused: 372=e 380=3"
              " (UNSUPPORTED_MESSAGE_TYPE) 58=no") == 0,
       "that the peer does not tell is said");
    tell(r, TW_FIX_LOGGED_OUT, 0, 0);
    r->full = 3;
    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    for (int i = 0; i < 4; i++) wait_s(r, 1);
    ok(strcmp(heard(r), "V B; V C; g; e B; e C") == 0,
       "after a Logon again, also when the peer was slow");
    run_close(r);
}

static void streams(void)
{
    static const struct tw_fix_md_options all = { .incremental = true };
    static const struct step steps[] = {
        { "W 1180=c|1181=7|262=@A@|55=A|268=1|269=0|270=1|271=2|", "A 1x2 0x0" },
        { "X 1180=c|1181=8|262=@A@|268=1|279=1|269=0|55=A|270=1|271=3|", "A 1x3 0x0" },
        /* Another stream is another count; the same again is not used. */
        { "X 1180=d|1181=70|262=@A@|268=1|279=1|269=0|55=A|270=1|271=4|", "A 1x4 0x0" },
        { "X 1180=c|1181=8|262=@A@|268=1|279=1|269=0|55=A|270=1|271=9|", "" },
        { "X 1180=c|1181=20|1352=Y|262=@A@|268=1|279=1|269=0|55=A|270=1|271=9|", "" },
        /* A count that leaves numbers out, by 1350; and one that begins anew. */
        { "X 1180=c|1181=12|1350=8|262=@A@|268=1|279=1|269=0|55=A|270=1|271=5|",
          "A 1x5 0x0" },
        { "X 1180=c|1181=1|262=@A@|268=1|279=1|269=0|55=A|270=1|271=6|", "A 1x6 0x0" },
        { "X 1180=c|1181=4|262=@A@|268=1|279=1|269=0|55=A|270=1|271=7|",
          "problem stream (1180) 'c': 2 messages from 2 on are missing;"
          " all gap 2 from 2; lost 2 messages from 2 on will not come;"
          " V- A; V- B" },
        { "W 1180=c|1181=5|262=@A@|55=A|268=1|269=0|270=1|271=8|", "" },
        { "+1", "V A; V B" },   /* however many are lost */
        { "W 1180=c|1181=6|262=@A@|55=A|268=1|269=0|270=1|271=8|", "A 1x8 0x0" },
    };

    PLAY("numbers of streams", &all, TW_FIX_50SP2, steps);
}

static int count(const char *in, const char *what)
{
    int n = 0;

    for (; (in = strstr(in, what)); in += strlen(what)) n++;
    return n;
}

/* Messages whose numbers always leave one out, a second apart, for so long: %1$llu
 * is the number.  How often they were used. */
static int skip_on(struct run *r, uint64_t *number, int seconds, const char *snapshot,
                   const char *change, char *all_heard, size_t room)
{
    int used = 0;

    *all_heard = 0;
    for (int i = 0; i < seconds; i++) {
        const char *each[] = { snapshot, change };

        for (int k = 0; k < 2; k++) {
            char text[200];
            const char *got;
            size_t n = strlen(all_heard);

            *number += 2;
            if (!*each[k]) continue;
            snprintf(text, sizeof text, each[k], (unsigned long long)*number);
            give(r, text);
            got = heard(r);
            used += strstr(got, "A 1x") != NULL;
            snprintf(all_heard + n, room - n, "%s;", got);
        }
        wait_s(r, 1);
    }
    return used;
}

#define W_A "W 1180=c|1181=%1$llu|262=@A@|55=A|268=1|269=0|270=1|271=2|"
#define X_A "X 1180=c|1181=%1$llu|262=@A@|268=1|279=1|269=0|55=A|270=1|271=%1$llu|"

/* A channel's numbers, of which the session gets a part. */
static void streams_that_skip(void)
{
    static const struct tw_fix_md_options all = { .incremental = true };
    struct run *r = run_open(&all, TW_FIX_50SP2, "A");
    static char said[1 << 16];
    uint64_t number = 1;

    for (int i = 0; i < 2; i++) {
        tell(r, TW_FIX_LOGGED_ON, 0, 0);
        heard(r);
        skip_on(r, &number, 20, W_A, X_A, said, sizeof said);
        ok(count(said, "all gap") == TW_FIX_MD_TRIES && count(said, "leaves numbers") == 1
           && count(said, "V- A") == TW_FIX_MD_TRIES,
           "a stream that always leaves numbers out: some gaps, and the last is said so");
        ok(tw_fix_md_book(r->md, tw_symbols_find(r->symbols, "A", 1)) != NULL,
           "then there is a book");
        ok(skip_on(r, &number, 50, "", X_A, said, sizeof said) == 50
           && !strstr(said, "gap") && !strstr(said, "V"), "which lives on");
        tell(r, TW_FIX_LOGGED_OUT, 0, 0);   /* and all of it anew */
    }
    run_close(r);
}

/* Where all is told each time a book is never without its numbers. */
static void snapshots_that_skip(void)
{
    static const struct tw_fix_md_options whole_books = { .incremental = false };
    struct run *r = run_open(&whole_books, TW_FIX_50SP2, "A");
    static char said[1 << 16];
    uint64_t number = 1;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    ok(skip_on(r, &number, 50, W_A, "", said, sizeof said) == 50
       && count(said, "all gap") == TW_FIX_MD_TRIES && !strstr(said, "V"),
       "a snapshot is whole, whatever is missing before it");
    run_close(r);
}

/* Gaps now and then are gaps for ever. */
static void gaps_now_and_then(void)
{
    static const struct tw_fix_md_options all = { .incremental = true };
    struct run *r = run_open(&all, TW_FIX_50SP2, "A");
    static char said[1 << 16];
    uint64_t number = 1;
    int gaps = 0;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    heard(r);
    for (int i = 0; i < 3 * TW_FIX_MD_TRIES; i++) {
        skip_on(r, &number, 1, W_A, X_A, said, sizeof said);
        gaps += count(said, "all gap");
        wait_s(r, 70);
        heard(r);
    }
    ok(gaps == 3 * TW_FIX_MD_TRIES, "a gap each minute is a gap, however often");
    run_close(r);
}

static void reports_that_skip(void)
{
    static const struct tw_fix_md_options all = { .incremental = true };
    struct run *r = run_open(&all, TW_FIX_44, "A B");
    static char said[1 << 16];
    uint64_t number = 1;

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 262=@B@|55=B|268=1|269=0|270=1|271=2|83=1|");
    heard(r);
    skip_on(r, &number, 20, "W 262=@A@|55=A|268=1|269=0|270=1|271=2|83=%llu|",
            "X 262=@A@|268=1|279=1|269=0|55=A|270=1|271=%1$llu|83=%1$llu|", said,
            sizeof said);
    ok(count(said, "A gap") == TW_FIX_MD_TRIES && count(said, "leaves numbers") == 1
       && count(said, "V- A") == TW_FIX_MD_TRIES,
       "RptSeq that always leaves numbers out: some gaps, and the last is said so");
    ok(skip_on(r, &number, 50, "", "X 262=@A@|268=1|279=1|269=0|55=A|270=1|"
               "271=%1$llu|83=%1$llu|", said, sizeof said) == 50 && !strstr(said, "gap"),
       "then there is a book, which lives on");
    give(r, "X 262=@B@|268=1|279=1|269=0|55=B|270=1|271=3|83=3|");
    ok(strstr(heard(r), "B gap 1 from 2") != NULL, "other symbols' numbers are believed");
    run_close(r);
}

/* A session may be a gateway's, too. */
static void streams_of_orders(void)
{
    static const struct tw_fix_md_options all = { .incremental = true };
    struct run *r = run_open(&all, TW_FIX_50SP2, "A");

    tell(r, TW_FIX_LOGGED_ON, 0, 0);
    give(r, "W 1180=c|1181=7|262=@A@|55=A|268=1|269=0|270=1|271=2|");
    heard(r);
    ok(!give(r, "8 1180=c|1181=8|1352=Y|37=o|") && !give(r, "8 1180=c|1181=7|37=o|")
       && !give(r, "8 1180=c|1181=8|37=o|") && !give(r, "8 1180=o|1181=8|37=o|")
       && !give(r, "8 1180=o|1181=99|37=o|") && *heard(r) == 0,
       "orders' messages are left to others, whatever their number");
    give(r, "X 1180=c|1181=9|262=@A@|268=1|279=1|269=0|55=A|270=1|271=3|");
    ok(strcmp(heard(r), "A 1x3 0x0") == 0, "those of the same stream count in it");
    run_close(r);
}

/* States are asked for again, but not as often as messages are missing. */
static void states_of_streams(void)
{
    static const struct tw_fix_md_options asks = { .incremental = true, .states = true };
    static const struct step steps[] = {
        { "h 1180=c|1181=7|336=DAY|340=2|", "status 340=2 (OPEN) 336=DAY;"
          " all is open 2 0 OPEN" },
        { "+5", "" },
        { "h 1180=c|1181=9|336=DAY|340=2|",
          "problem stream (1180) 'c': 1 messages from 8 on are missing;"
          " all gap 1 from 8; lost 1 messages from 8 on will not come;"
          " status 340=2 (OPEN) 336=DAY; all is open 2 0 OPEN;"
          " V- A; V- B; V A; V B; g-; g; e- A; e A; e- B; e B" },
        { "h 1180=c|1181=11|336=DAY|340=2|",
          "problem stream (1180) 'c': 1 messages from 10 on are missing;"
          " all gap 1 from 10; lost 1 messages from 10 on will not come;"
          " status 340=2 (OPEN) 336=DAY; all is open 2 0 OPEN; V- A; V- B" },
        { "+1", "g-; g; e- A; e A; e- B; e B" },
        { "+1", "V A; V B" },
    };

    PLAY("states after gaps in streams", &asks, TW_FIX_50SP2, steps);
}

int main(void)
{
    masses();
    asked();
    long_names();
    until();
    taken_back();
    when();
    many_until();
    states();
    streams();
    streams_that_skip();
    snapshots_that_skip();
    gaps_now_and_then();
    reports_that_skip();
    streams_of_orders();
    states_of_streams();
    return tap_done();
}

/* fix_hours.c - sessions whose time is over, whatever they are at. */
#include "fix_talk.h"

#define FIVE_SENT "send D 11=a\n<35=D 34=2 11=a\nsend D 11=a\n<35=D 34=3 11=a\n" \
    "send D 11=a\n<35=D 34=4 11=a\nsend D 11=a\n<35=D 34=5 11=a\nsend D 11=a\n" \
    "<35=D 34=6 11=a\n"
#define AGAIN(seq) "<35=D 34=" seq " 43=Y 122=T 11=a\n"

/* Up from 12:00 to 13:00; the rig begins at 12:00. */
static void schedules(void)
{
    static const struct tw_fix_schedule hour = {
        .start_s = 12 * 3600, .end_s = 13 * 3600, .start_day = TW_FIX_NO_DAY,
        .end_day = TW_FIX_NO_DAY, .reset_s = TW_FIX_NO_TIME
    }, day = {
        .start_s = 15 * 3600, .end_s = 15 * 3600, .start_day = TW_FIX_NO_DAY,
        .end_day = TW_FIX_NO_DAY, .reset_s = TW_FIX_NO_TIME
    }, soon = { .non_stop = true, .reset_s = 12 * 3600 + 30 },
       later = { .non_stop = true, .reset_s = 12 * 3600 + 90 };

    talk("its time is over, and numbers begin anew", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &hour, .initiator = true },
         "connect\n<35=A 34=1 98=0 108=0\n>35=A 34=1 98=0 108=0\n+3599\n<-\n+2\n"
         "<35=5 34=2 58=the_session's_time_is_over\n>35=5 34=2\n!the session's time\n"
         "refused\n+82790\nrefused\n+10\nconnect\n<35=A 34=1 98=0 108=0");
    talk("one day's session after the other", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &day, .initiator = true },
         "connect\n<35=A 34=1 98=0 108=0\n>35=A 34=1 98=0 108=0\n+10801\n"
         "<35=5 34=2 58=a_new_session_begins\n>35=5 34=2\n!a new session begins\n"
         "connect\n<35=A 34=1 98=0 108=0\n=1 2");
    talk("numbers that began a little before are of the next session", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &soon, .initiator = true },
         "connect\n<35=A 34=1 98=0 108=0\n>35=A 34=1 98=0 108=0\n+99\n<-\n=2 2");
    talk("but not those of long before", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &later, .initiator = true },
         "connect\n<35=A 34=1 98=0 108=0\n>35=A 34=1 98=0 108=0\n+99\n"
         "<35=5 34=2 58=a_new_session_begins");
    /* Ten a second are sent again; the peer hears of the end between them. */
    talk("its time is over while it sends again", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &hour, .resend_rate = 10 },
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n" FIVE_SENT
         "+3599.75\n>35=2 34=2 7=2 16=0\n?RESENDING 2 6\n" AGAIN("2") "<-\n+0.11\n"
         AGAIN("3") "<-\n+0.1\n" AGAIN("4") "<-\n+0.1\n"
         "<35=5 34=7 58=the_session's_time_is_over\n" AGAIN("5") "<-\n+0.1\n" AGAIN("6")
         "<-\n+0.5\n<-\n>35=5 34=3\n!the session's time\n=4 8\nrefused\n+82800\n"
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n=2 2");
    talk("and the peer has enough of it", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &hour, .resend_rate = 10 },
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n" FIVE_SENT
         "+3599.95\n>35=2 34=2 7=2 16=0\n" AGAIN("2") "+0.06\n"
         "<35=5 34=7 58=the_session's_time_is_over\n>35=5 34=3\n!the session's time\n"
         "+60\n<-\nrefused");
    talk("and the peer says nothing more", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &hour, .resend_rate = 1 },
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n" FIVE_SENT
         "+3599.95\n>35=2 34=2 7=2 16=0\n" AGAIN("2") "+0.06\n"
         "<35=5 34=7 58=the_session's_time_is_over\n+1\n" AGAIN("3") "+1\n"
         AGAIN("4") "!the session's time is over\n+60\n<-\nrefused");
    talk("its time is over while it waits for what is missing", TW_FIX_42,
         &(struct tw_fix_session_options){ .schedule = &hour },
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n+3599\n"
         ">35=1 34=4 112=c\n<35=2 34=2 7=2 16=0\n+2\n"
         "<35=5 34=3 58=the_session's_time_is_over\n>35=1 34=2 43=Y 122=T 112=a\n"
         "<35=0 34=4 112=a\n>35=1 34=3 43=Y 122=T 112=b\n<35=0 34=5 112=b\n"
         "<35=0 34=6 112=c\n>35=5 34=5\n!the session's time\n=6 7");
}

static unsigned asked;

static void on_leave(void *ctx, const char *text)
{
    (void)ctx;
    asked += strcmp(text, "the session's time is over") == 0
          || strcmp(text, "numbers begin anew") == 0;
}

/* Who has something to say as its time is over says so, and then logs out. */
static void last_words(void)
{
    static const struct tw_fix_schedule hour = {
        .start_s = 12 * 3600, .end_s = 13 * 3600, .start_day = TW_FIX_NO_DAY,
        .end_day = TW_FIX_NO_DAY, .reset_s = TW_FIX_NO_TIME
    };
    const char *got = NULL;
    struct tw_error error;

    open_rig(&(struct tw_fix_session_options){ .schedule = &hour }, TW_FIX_42, 0);
    tw_fix_session_free(r.s);
    r.o.handlers.leave = on_leave;
    r.s = tw_fix_session_new(&r.o, &error);
    play("connect");
    say("35=A 34=1 98=0 108=0");
    hear();
    play("+3599");
    ok(asked == 0 && strcmp(hear(), "") == 0, "it is asked to leave,");
    play("+2");
    ok(asked > 0 && strcmp(hear(), "") == 0, "when its time is over,");
    send_app("F 11=a|41=b");
    ok(strncmp(hear(), "35=F 34=2", 9) == 0, "has its last words,");
    tw_fix_session_logout(r.s, r.now, "the session's time is over");
    collect();
    got = play("<35=5 34=3 58=the_session's_time_is_over");
    ok(!got, "and logs out: %s", got ? got : "so");
    play(">35=5 34=2");
    ok(!play("!the session's time"), "as the schedule says");
    close_rig();
}

/* So has who is to log out, as the next Logon is to begin anew. */
static void last_words_of_a_reset(void)
{
    struct tw_error error;

    open_rig(&(struct tw_fix_session_options){ .initiator = true }, TW_FIX_40, 0);
    tw_fix_session_free(r.s);
    r.o.handlers.leave = on_leave;
    r.s = tw_fix_session_new(&r.o, &error);
    asked = 0;
    play("connect");
    say("35=A 34=1 98=0 108=0");
    hear();
    play("reset");
    ok(asked == 1 && strcmp(hear(), "") == 0, "a reset asks it to leave, too,");
    send_app("F 11=a|41=b");
    ok(strncmp(hear(), "35=F 34=2", 9) == 0, "it has its last words,");
    tw_fix_session_logout(r.s, r.now, "numbers begin anew");
    collect();
    ok(!play("<35=5 34=3 58=numbers_begin_anew"), "and logs out;");
    play(">35=5 34=2");
    play("hangup");
    ok(!play("=1 1"), "then both numbers are 1");
    close_rig();
}

int main(void)
{
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        dictionaries[v] = dictionary((enum tw_fix_version)v, NULL);
    schedules();
    last_words();
    last_words_of_a_reset();
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        tw_fix_dictionary_free(dictionaries[v]);
    return tap_done();
}

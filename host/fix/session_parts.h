/* session_parts.h - what the files of a FIX session share.
 *
 * session.c has its life, timers and commands, session_in.c what comes in, session_out.c
 * what goes out, session_versions.c of which version of FIX it is.
 *
 * Rules of FIX's session layer, as code and tests name them; numbers alone are tags,
 * and R16 to R24, of which check.h tells, are those of the dictionary.
 *   R1   A message is 8, 9, 35, as many bytes behind 9 as that says, and 10 with their
 *        sum; else it is garbled.
 *   R2   What is garbled has no answer and no number; the next 8= may be a message.
 *   R3   Ours are 8, 9, 35, the other fields of the header by their tags, the body, 10.
 *   R4   The first message is a Logon of these CompIDs; else the connection is closed.
 *   R5   While a session is up another connection for it is closed.
 *   R6   So is one whose Logon is wrong, or sent at another time (52): without an
 *        answer.
 *   R7   A Logon with 141=Y, at any time: both numbers are 1 again, and the answer says
 *        so; but where it would wait for a script, it logs out and on again.
 *   R8   A Logon whose number is too high is answered, and then R9.
 *   R9   A number that is too high: the message is kept, what is missing is asked for
 *        once (35=2; to 0, before 4.2 to 999999), and when that has come it has its
 *        turn.
 *   R10  One that is too low: a Logout that names both, and the end.
 *   R11  But with 43=Y it is ignored; rejected (373=1) without a 122, and if that is
 *        after 52 (373=10), which ends the session.
 *   R12  Another 8: a Logout.
 *   R13  Another 49 or 56: a Reject (373=9) and a Logout.
 *   R14  52 is too far from now: a Reject (373=10) and a Logout.
 *   R15  A Reject has 371 to 373 where its version has them, and the reasons that that
 *        has; before 4.2 the tag is in 58.  What is rejected counts.
 *   R25  An answer goes back the way of its message: 128 is its 115, 129 its 116, 145
 *        its 144, and the other way round.
 *   R26  A Logout is answered by one and ends the connection, whatever its number.
 *   R27  A ResendRequest is answered at once, whatever its number.
 *   R28  A SequenceReset without 123=Y counts whatever its number is; 36 below the
 *        number that is next is rejected (373=5).
 *   R29  Again: the old 34, 43=Y and 122; for what is the session's, or is not sent
 *        again, one 35=4 with 123=Y.
 *   R30  A Heartbeat where nothing was sent for 108 seconds.
 *   R31  A TestRequest where nothing came for 1.2 times that; no Heartbeats meanwhile.
 *   R32  After as long again without anything the connection is closed.
 *   R33  What nobody takes is answered by 35=j with 380=3, before 4.2 by a Reject.
 *
 * Layer host/fix.  Thread: the owner's of the session.
 */
#ifndef TW_FIX_SESSION_PARTS_H
#define TW_FIX_SESSION_PARTS_H

#include "base/clock.h"
#include "fix/early.h"
#include "fix/session.h"

enum { TW_FIX_LOW_VERSION_END = 999999 };   /* 16 for "all", before 4.2 */

/* What is sent again, as one who sends it goes on with it bit by bit. */
struct tw_fix_replay { uint64_t next, to, budget; int64_t at_steady_ns; };

/* What the peer's Logon says of a type. */
struct tw_fix_told {
    char code[8];
    const struct tw_fix_dictionary *dictionary;   /* NULL: a version that is not ours */
    bool sends, receives;        /* as the peer sees it */
};

struct tw_fix_session {
    struct tw_fix_session_options o;
    const char *begin_string;
    enum tw_fix_version version;
    enum tw_fix_precision precision;
    enum tw_fix_state state;
    char why[200];               /* it closes, or was closed                         */
    bool disabled;
    bool polite;                 /* LEAVING: what comes is still taken               */
    bool spared;                 /* LEAVING: its time began anew, as we had no turn  */
    bool was_up, logged_out;     /* in this connection                               */
    bool resetting;              /* 141=Y was sent: the peer's is its answer         */
    bool holding;                /* LOGGING_ON: our Logon waits, whose 52 is held_ns */
    bool renew;                  /* numbers begin anew when it is down               */
    bool lost;                   /* between messages: looks for the next one         */
    bool probing;                /* a TestRequest is open                            */
    struct tw_fix_now now;
    int64_t heartbeat_ns, last_in, last_out;
    int64_t probed;              /* when, while it is                                */
    int64_t held_ns;
    int64_t since;               /* its state                                        */
    struct tw_fix_period period; /* at now, as far as it goes                        */
    uint64_t era;                /* rises when numbers are set                       */
    uint64_t asked_to, chunk_to; /* R9: next_in to asked_to is missing               */
    int64_t asked_at;            /* or when some of it came                          */
    unsigned asked_again;
    struct tw_fix_early early;
    struct tw_fix_replay replay;
    struct tw_fix_message m, again;      /* that came; that is sent again            */
    struct tw_fix_clock clock;
    struct tw_fix_output out;
    bool building, is_cancel;
    char *bytes;                 /* output: first to end waits                       */
    size_t first, end, room;
    size_t safe, mark;           /* what is below is on the disk; what is synced now   */
    char seq_text[24], time_text[TW_FIX_TIME_TEXT], processed_text[24];
    int64_t time_text_ns;        /* the time that it is of                           */
    uint32_t time_text_n;        /* 0: none                                          */
    char common[256];            /* of each header, as it was written last: 49 to 143 */
    uint32_t common_n;           /* 0: not known, or longer                          */
    uint32_t common_time;        /* where the value of 52 stands in it               */
    int64_t common_ns;           /* the time that it is of                           */
    size_t noise;                /* bytes since the last message that are none       */
    uint64_t received, sent, garbled, refused;
    struct tw_fix_cuts cuts;
    const struct tw_fix_dictionary *theirs;   /* of what comes, by the peer's 1137 */
    struct tw_fix_told *told;
    size_t told_n;
};

/* ---- session.c ---- */

uint64_t tw_fix_in(const struct tw_fix_session *s);      /* next_in, next_out */
uint64_t tw_fix_out(const struct tw_fix_session *s);

void tw_fix_tell(struct tw_fix_session *s, enum tw_fix_event_kind kind, uint64_t from,
                 uint64_t to, const struct tw_fix_message *m, const char *text);

/* The connection is to be closed; the first reason stays. */
void tw_fix_close(struct tw_fix_session *s, const char *format, ...) TW_PRINTF(2, 3);

/* Sends a Logout; polite: what comes until the peer's is still taken. */
void tw_fix_leave(struct tw_fix_session *s, bool polite, const char *text);

/* Both numbers are 1, and nothing is missing, early or sent again. */
void tw_fix_renumber(struct tw_fix_session *s);

/* Nothing is missing, and nothing waits for what was. */
void tw_fix_forget_gap(struct tw_fix_session *s);

/* ---- session_out.c ---- */

/* reset: 141=Y; expected: 789. */
void tw_fix_send_logon(struct tw_fix_session *s, bool reset, uint64_t expected);
/* What it would be is told of, and waits. */
void tw_fix_hold_logon(struct tw_fix_session *s);
void tw_fix_send_logout(struct tw_fix_session *s, const char *text);
void tw_fix_send_heartbeat(struct tw_fix_session *s, struct tw_fix_text id);
void tw_fix_send_test(struct tw_fix_session *s);
void tw_fix_send_resend_request(struct tw_fix_session *s, uint64_t from, uint64_t to);

/* 35=3 for the message that came, with the number seq. */
void tw_fix_send_reject(struct tw_fix_session *s, uint64_t seq,
                        const struct tw_fix_verdict *v);
/* 35=j, or before 4.2 35=3: R33. */
void tw_fix_send_unsupported(struct tw_fix_session *s, uint64_t seq);

/* Sends from to `to` again, beside what is being sent again. */
void tw_fix_replay(struct tw_fix_session *s, uint64_t from, uint64_t to);
/* As much of it as there is room and time for, but not more than what goes out at once:
 * who has many sessions is to look after the others.  And when there is more to send. */
void tw_fix_replay_more(struct tw_fix_session *s);
int64_t tw_fix_replay_wakes(const struct tw_fix_session *s);

/* ---- session_versions.c: of messages over FIXT.1.1 ---- */

/* What the peer's Logon, which came, says of versions.  text: what is told of it, or "".
 * False: there is no memory. */
bool tw_fix_learn_versions(struct tw_fix_session *s, char *text, size_t room);
void tw_fix_forget_versions(struct tw_fix_session *s);

/* Reads a message that the peer sent. */
int tw_fix_read_theirs(struct tw_fix_session *s, const char *p,
                       const struct tw_fix_frame *f);

/* Whether a message of the type that we write needs a 1128; so its dictionary. */
const struct tw_fix_dictionary *tw_fix_must_say(const struct tw_fix_session *s,
                                                const char *code, size_t n);

/* Our group 384, in tag=value. */
void tw_fix_put_versions(struct tw_fix_session *s);

/* ---- session_in.c ---- */

/* More of what is missing is asked for, or it is asked for again. */
void tw_fix_ask_again(struct tw_fix_session *s);

#endif

/* fix_session.c - the rules of a session, both sides of it, as conversations.
 *
 * R1 and so on are those of host/fix/session_parts.h. */
#include "fix_talk.h"

#define ORDER " 21=3 40=1 54=1 55=X 60=T 11="

static const struct tw_fix_session_options acceptor, initiator = {
    .initiator = true, .heartbeat_s = 30
}, holding = {
    .initiator = true, .heartbeat_s = 30, .hold_logon = true,
    .logon = (struct tw_fix_extra[]){ { 554, "old" } }, .logon_n = 1
};

static void logons(void)
{
    talk("R4: no Logon first", TW_FIX_42, &acceptor,
         "connect\n>35=0 34=1\n!the first message is no Logon\n?NOT_LOGGED_ON\n=1 1");
    talk("R6: 52 is wrong", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 52=T-121 98=0 108=30\n!Logon: SendingTime\n=1 1");
    talk("R6: an invalid Logon", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=0\n!Logon: Required tag missing (108)");
    talk("R6: a tag that its version has not", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=0 108=30 789=1\n!Logon: Invalid tag number (789)");
    talk("R6: 108 is negative", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=0 108=-5\n!Logon: HeartBtInt");
    talk("R6: 108 is more than a day", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=0 108=86401\n!Logon: HeartBtInt");
    talk("R6: encryption", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=1 108=5\n!Logon: EncryptMethod");
    talk("R4: another CompID", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 49=YOU 98=0 108=5\n!Logon: another CompID");
    talk("no Logon in 10 s", TW_FIX_42, &acceptor, "connect\n+9.9\n<-\n+0.2\n!no Logon");
    talk("R8: seq too high", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=5 98=0 108=30\n<35=A 34=1 98=0 108=30\n"
         "<35=2 34=2 7=1 16=0\n<-\n?GAP 1 4\n>35=4 34=1 43=Y 122=T 36=6 123=Y\n=6 3");
    talk("R10: seq too low", TW_FIX_42, &acceptor,
         "set 5 3\nconnect\n>35=A 34=2 98=0 108=30\n"
         "<35=5 34=3 58=MsgSeqNum_too_low,_expecting_5_but_received_2\n"
         "!MsgSeqNum too low\n=5 4");
    talk("R7: reset in the Logon", TW_FIX_42, &acceptor,
         "set 5 9\nconnect\n>35=A 34=1 98=0 108=30 141=Y\n"
         "<35=A 34=1 98=0 108=30 141=Y\n?RESET\n=2 2");
    talk("R7: reset later", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\n>35=A 34=1 98=0 108=30 141=Y\n<35=A 34=1 98=0 108=30 141=Y\n"
         "?RESET\n=2 2\n>35=1 34=2 112=x\n<35=0 34=2 112=x");
    talk_as("R7: reset later, with another 108", TW_FIX_42, &acceptor,
            ON ">35=A 34=1 98=0 108=7 141=Y\n<35=A 34=1 98=0 108=7 141=Y\n+7.1\n"
            "<35=0 34=2\n<-");
    talk("R7: what comes before it is asked for", TW_FIX_42, &acceptor,
         ON ">35=A 34=3 98=0 108=30 141=Y\n<35=A 34=1 98=0 108=30 141=Y\n"
         "<35=2 34=2 7=1 16=0\n?RESET\n=1 3\n>35=4 34=1 43=Y 122=T 36=3 123=Y\n<-\n"
         "=4 3");
    talk("R7: a reset that is no Logon", TW_FIX_42, &acceptor,
         ON ">35=A 34=1 98=2 108=30 141=Y\n"
         "<35=5 34=2 58=MsgSeqNum_too_low,_expecting_2_but_received_1\n!MsgSeqNum");
    talk("initiator: a Logon and its answer", TW_FIX_44, &initiator, I_ON "<-\n=2 2");
    talk("initiator: numbers go on", TW_FIX_44, &initiator,
         "set 7 9\nconnect\n<35=A 34=9 98=0 108=30\n>35=A 34=7 98=0 108=30\n?LOGGED_ON\n"
         "=8 10");
    talk("initiator: the answer is too high", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n>35=A 34=4 98=0 108=30\n"
         "<35=2 34=2 7=1 16=0\n=1 3");
    talk("initiator: is refused", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n>35=5 34=1 58=wrong_password\n"
         "!Logon refused: wrong password\n=2 2");
    talk("initiator: its Logon is rejected", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n>35=3 34=1 45=1 58=no_such_user\n"
         "!Logon refused: no such user\n=2 2");
    talk("initiator: refused by whoever knows it not", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n>35=5 34=1 49=GATE 58=no_such_CompID\n"
         "!Logon refused: no such CompID\n=1 2");
    talk("a 789 that nobody has agreed on", TW_FIX_44, &acceptor,
         "connect\n>35=A 34=5 98=0 108=30 789=1\n<35=A 34=1 98=0 108=30\n"
         "<35=2 34=2 7=1 16=0");
    talk("initiator: refused by whose clock is wrong", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n>35=5 34=1 52=T-600 58=late\n"
         "!Logon refused: late\n=2 2");
    talk("initiator: 141=Y is not answered, and later asked for", TW_FIX_44,
         &(struct tw_fix_session_options){ .initiator = true, .reset_on_logon = true },
         "connect\n<35=A 34=1 98=0 108=0 141=Y\n>35=A 34=1 98=0 108=0\n?LOGGED_ON\n"
         ">35=A 34=1 98=0 108=0 141=Y\n<35=A 34=1 98=0 108=0 141=Y\n?RESET\n=2 2");
    talk("initiator: FIX.4.0 has no 141", TW_FIX_40,
         &(struct tw_fix_session_options){ .initiator = true, .reset_on_logon = true },
         "set 7 9\nconnect\n<35=A 34=1 98=0 108=0\n>35=A 34=1 98=0 108=0\n"
         "?LOGGED_ON\n=2 2");
    talk("initiator: 141=Y", TW_FIX_44,
         &(struct tw_fix_session_options){ .initiator = true, .reset_on_logon = true },
         "set 7 9\nconnect\n<35=A 34=1 98=0 108=0 141=Y\n>35=A 34=1 98=0 108=0 141=Y\n"
         "?LOGGED_ON\n=2 2");
    talk("initiator: the peer resets unasked", TW_FIX_44, &initiator,
         "set 7 9\nconnect\n<35=A 34=9 98=0 108=30\n>35=A 34=1 98=0 108=30 141=Y\n"
         "?RESET\n=2 1");
    talk("an acceptor that resets at each Logon", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_logon = true },
         "set 7 9\nconnect\n>35=A 34=1 98=0 108=30\n<35=A 34=1 98=0 108=30\n=2 2");
    talk("initiator: no answer", TW_FIX_44, &initiator,
         "connect\n<35=A 34=1 98=0 108=30\n+10.1\n!no Logon");
    talk("initiator: more fields, 5.0", TW_FIX_50SP2,
         &(struct tw_fix_session_options){ .initiator = true, .heartbeat_s = 1,
             .logon = (struct tw_fix_extra[]){ { 554, "secret" }, { 553, "me" } },
             .logon_n = 2 },
         "connect\n<35=A 34=1 98=0 108=1 553=me 554=secret 1137=9\n"
         ">35=A 34=1 98=0 108=1 1137=9\n?LOGGED_ON");
    talk("initiator: its Logon waits", TW_FIX_44, &holding,
         "set 7 9\nconnect\n<-\n?LOGON_WAITS 9 9\n=7 9\n+3\nlogon 553=me\n"
         "<35=A 34=9 98=0 108=30 553=me 554=old\n>35=A 34=7 98=0 108=30\n?LOGGED_ON\n"
         "=8 10\nreset\n<35=5 34=10 58=numbers_begin_anew\n>35=5 34=8\n"
         "!numbers begin anew\nconnect\n<-\n"
         "?LOGON_WAITS 1 1\nlogon 554=new\n<35=A 34=1 98=0 108=30 141=Y 554=new\n"
         ">35=A 34=1 98=0 108=30 141=Y\n?RESET\n?LOGGED_ON\n=2 2");
    talk("initiator: its Logon has the SendingTime that was told of", TW_FIX_44, &holding,
         "connect\n+3\nlogon 553=52\n"
         "<35=A 34=1 98=0 108=30 553=20240102-12:00:00.000 554=old\n+10\n!no Logon");
    talk("initiator: the peer has its time from its Logon on", TW_FIX_44, &holding,
         "connect\n+9\nlogon 553=me\n<35=A 34=1 98=0 108=30 553=me 554=old\n"
         "+9\n<-\n+1.1\n!no Logon in 10 s");
    talk("initiator: who signs Logons answers no reset by one without", TW_FIX_44,
         &holding, "connect\nlogon 553=me\n<35=A 34=1 98=0 108=30 553=me 554=old\n"
         ">35=A 34=1 98=0 108=30\n?LOGGED_ON\n>35=A 34=1 98=0 108=30 141=Y\n?RESET\n"
         "<35=5 34=1 58=numbers_begin_anew\n>35=5 34=2\n!numbers begin anew\nconnect\n"
         "?LOGON_WAITS 1 1\nlogon 553=me\n"
         "<35=A 34=1 98=0 108=30 141=Y 553=me 554=old\n"
         ">35=A 34=1 98=0 108=30 141=Y\n?RESET\n?LOGGED_ON\n=2 2");
    talk("initiator: nobody says what it needs", TW_FIX_44, &holding,
         "connect\n+10.1\n!no fix.logon of a script in 10 s\n=1 1\nconnect\n"
         "?LOGON_WAITS 1 1\n>35=A 34=1 98=0 108=30\n!a Logon came before ours\n=1 1");
    talk("a peer whose messages are of another version", TW_FIX_50SP1, &acceptor,
         "connect\n>35=A 34=1 98=0 108=0 1137=9\n<35=A 34=1 98=0 108=0 1137=8\n"
         "note the peer's DefaultApplVerID is 9, ours 8: its messages are read as of"
         " FIX.5.0SP1\nhangup\nconnect\n>35=A 34=2 98=0 108=0 1137=8\n"
         "<35=A 34=2 98=0 108=0 1137=8\nnote ");
    talk("reset on logout", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_logout = true },
         ON ">35=5 34=2\n<35=5 34=2\n!the peer logged out\n=1 1");
    talk("and not when the line breaks", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_logout = true },
         ON "hangup\n?LOGGED_OUT\n=2 2");
    talk("reset on disconnect", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_disconnect = true },
         ON "hangup\n=1 1");
    talk("a Logon again", TW_FIX_42, &acceptor,
         ON ">35=A 34=2 98=0 108=30\n<-\n=3 2");
}

static void numbers(void)
{
    talk("R9: asked once, processed in order", TW_FIX_42, &acceptor,
         ON ">35=1 34=4 112=c\n<35=2 34=2 7=2 16=0\n>35=1 34=5 112=d\n<-\n"
         ">35=1 34=2 112=a\n<35=0 34=3 112=a\n>35=1 34=3 112=b\n<35=0 34=4 112=b\n"
         "<35=0 34=5 112=c\n<35=0 34=6 112=d\n=6 7");
    talk("R9: in order, though they did not come so", TW_FIX_42, &acceptor,
         ON ">35=1 34=5 112=d\n<35=2 34=2 7=2 16=0\n>35=1 34=4 112=c\n>35=1 34=4 112=x\n"
         "<-\n>35=0 34=2\n>35=0 34=3\n<35=0 34=3 112=c\n<35=0 34=4 112=d\n<-\n=6 5");
    talk("R9: asked anew where numbers were set", TW_FIX_42, &acceptor,
         ON ">35=0 34=4\n<35=2 34=2 7=2 16=0\nset 2 3\n>35=0 34=6\n"
         "<35=2 34=3 7=2 16=0\n");
    talk("what is not to come any more as numbers were set is told", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\nset 6 9\n?SKIPPED 3 5\n=6 9");
    talk("R9: 999999 before 4.2", TW_FIX_41, &acceptor,
         ON ">35=0 34=4\n<35=2 34=2 7=2 16=999999");
    talk("R9: chunks", TW_FIX_44, &(struct tw_fix_session_options){ .resend_chunk = 2 },
         ON ">35=0 34=7\n<35=2 34=2 7=2 16=3\n>35=4 34=2 43=Y 122=T 36=4 123=Y\n"
         "<35=2 34=3 7=4 16=5\n>35=4 34=4 43=Y 122=T 36=6 123=Y\n<35=2 34=4 7=6 16=0\n"
         ">35=4 34=6 43=Y 122=T 36=7 123=Y\n<-\n=8 5");
    talk("R9: asked again, then no more", TW_FIX_44, &acceptor,
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n>35=0 34=3\n"
         "<35=2 34=2 7=2 16=0\n+29\n<-\n+2\n<35=2 34=3 7=2 16=0\n+60\n"
         "<35=2 34=4 7=2 16=0\n<35=2 34=5 7=2 16=0\n+30\n"
         "<35=5 34=6 58=ResendRequest_is_not_answered\n+2\n!ResendRequest");
    talk("R9: no room for early ones", TW_FIX_44,
         &(struct tw_fix_session_options){ .early_max = 200 },
         ON ">35=0 34=3\n<35=2 34=2 7=2 16=0\n>35=0 34=4\n>35=0 34=5\n>35=0 34=6\n<-\n"
         ">35=0 34=2\n=5 3\n>35=0 34=8\n<35=2 34=3 7=5 16=0\n"
         ">35=4 34=5 43=Y 122=T 36=9 123=Y\n=9 4");
    talk("R11: PossDup is ignored", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\n>35=0 34=2 43=Y 122=T\n<-\n=3 2");
    talk("R11: 122 is required", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\n>35=0 34=2 43=Y\n"
         "<35=3 34=2 45=2 58=Required_tag_missing 371=122 372=0 373=1\n=3 3");
    talk("R11: 122 past 52", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\n>35=0 34=2 43=Y 122=T+9\n"
         "<35=3 34=2 45=2 58=SendingTime_accuracy_problem 372=0 373=10\n<35=5 34=3\n"
         "+2\n!");
    talk("34 is no number", TW_FIX_42, &acceptor,
         ON ">35=0 34=x\n<35=5 34=2 58=MsgSeqNum_missing");
    talk("R13: CompID", TW_FIX_42, &acceptor,
         ON ">35=0 34=2 49=YOU\n<35=3 34=2 45=2 58=CompID_problem 372=0 373=9\n"
         "<35=5 34=3\n>35=1 34=3 112=x\n<-\n>35=5 34=4\n<-\n!we logged out");
    talk("CheckCompID=N", TW_FIX_42,
         &(struct tw_fix_session_options){ .any_comp_id = true },
         ON ">35=0 34=2 49=YOU\n<-\n=3 2");
    talk("R14: 52", TW_FIX_42, &acceptor,
         ON ">35=0 34=2 52=T-121\n"
         "<35=3 34=2 45=2 58=SendingTime_accuracy_problem 372=0 373=10\n<35=5 34=3\n"
         "+2\n!");
    talk("R14: or to come", TW_FIX_42, &acceptor,
         ON ">35=0 34=2 52=T+119\n<-\n>35=0 34=3 52=T+121\n"
         "<35=3 34=2 45=3 58=SendingTime_accuracy_problem 372=0 373=10\n<35=5 34=3\n"
         "+2\n!");
    talk("R14: and so of the answer to our Logout", TW_FIX_42, &acceptor,
         ON ">35=0 34=2 52=T-121\n"
         "<35=3 34=2 45=2 58=SendingTime_accuracy_problem 372=0 373=10\n<35=5 34=3\n"
         ">35=5 34=3 52=T-121\n<-\n!we logged out\n=4 4");
    talk("CheckLatency=N", TW_FIX_42,
         &(struct tw_fix_session_options){ .latency_s = -1 },
         ON ">35=0 34=2 52=T-9999\n<-\n=3 2");
    talk("R15: before 4.2 the tag is in the text", TW_FIX_41, &acceptor,
         ON ">35=D 34=2 11=id 21=3 40=1 54=1\n"
         "<35=3 34=2 45=2 58=Required_tag_missing_(55)\n=3 3");
    talk("R15: 13 is a reason since 4.3", TW_FIX_42, &acceptor,
         ON ">35=1 34=2 112=a 112=b\n"
         "<35=3 34=2 45=2 58=Tag_appears_more_than_once 371=112 372=1");
    talk("R15: and has its number there", TW_FIX_43, &acceptor,
         ON ">35=1 34=2 112=a 112=b\n"
         "<35=3 34=2 45=2 58=Tag_appears_more_than_once 371=112 372=1 373=13");
    talk("R16: a type that is none", TW_FIX_42, &acceptor,
         ON ">35=* 34=2\n<35=3 34=2 45=2 58=Invalid_MsgType 372=* 373=11\n=3 3");
    talk("R16: no type", TW_FIX_42, &acceptor,
         ON ">35= 34=2\n<35=3 34=2 45=2 58=Invalid_MsgType 373=11\n"
         ">35=1 34=3 112=x\n<35=0 34=3 112=x\n=4 4");
    talk("R25: the way back", TW_FIX_42, &acceptor,
         ON ">35=D 34=2 115=A 129=B 11=id 21=3 40=w 54=1 55=X 60=T\n"
         "<35=3 34=2 116=B 128=A 45=2 58=Value_is_incorrect_(out_of_range)_for_this_tag "
         "371=40 372=D 373=5");
    talk("R25: not of what has no value", TW_FIX_42, &acceptor,
         ON ">35=D 34=2 115= 129=B 11=id 21=3 40=1 54=1 55=X 60=T\n"
         "<35=3 34=2 116=B 45=2 58=Tag_specified_without_a_value 371=115 372=D 373=4");
    talk("R25: nor to where the version has none", TW_FIX_40, &acceptor,
         ON ">35=D 34=2 115=A 144=L 11=id 21=3 38=1 40=1 54=1 55=X\n"
         "<35=3 34=2 128=A 45=2 58=Invalid_tag_number_(144)");
    talk("R28: SequenceReset", TW_FIX_42, &acceptor,
         ON ">35=4 34=9 36=7\n=7 2\n?SKIPPED 2 6\n>35=4 34=1 36=3\n"
         "<35=3 34=2 45=1 58=Value_is_incorrect_(out_of_range)_for_this_tag 372=4 373=5\n"
         "=7 3\n>35=4 34=7 36=12 123=Y\n=12 3\n>35=4 34=1 36=12\n<-\n=12 3");
    talk("R33: unsupported", TW_FIX_44, &acceptor,
         ON "unsupported\n>35=D 34=2" ORDER "id\n"
         "<35=j 34=2 45=2 58=Unsupported_Message_Type 372=D 380=3\n=3 3");
    talk("R33: a request for messages that were missed", TW_FIX_50SP1, &acceptor,
         "connect\n>35=A 34=1 98=0 108=30 1137=8\n<35=A 34=1 98=0 108=30 1137=8\n"
         "unsupported\n>35=BW 34=2 1346=a 1347=0 1351=1 1355=b 1182=1 1183=0\n"
         "<35=j 34=2 45=2 58=Unsupported_Message_Type 372=BW 380=3\n"
         ">35=BX 34=3 1353=a 1351=1 1355=b 1357=7\n"
         "<35=j 34=3 45=3 58=Unsupported_Message_Type 372=BX 380=3\n=4 4");
    talk("R33: to a BusinessMessageReject there is no answer", TW_FIX_44, &acceptor,
         ON "unsupported\n>35=j 34=2 45=1 372=D 380=3\n<-\n=3 2");
    talk_as("a reject of the application may have fields of others", TW_FIX_50SP2,
            &acceptor, "connect\n>35=A 34=1 98=0 108=30 1137=9\n"
            "<35=A 34=1 98=0 108=30 1137=9\nunsupported\n"
            ">35=j 34=2 45=1 58=no 372=D 380=3 1137=9\n<-\n"
            ">35=j 34=3 45=1 372=D 380=3 5001=x 9999=\n"
            "<35=3 34=2 45=3 58=Tag_specified_without_a_value 371=9999 372=j 373=4\n"
            ">35=j 34=4 45=1 380=3 1137=9\n"
            "<35=3 34=3 45=4 58=Required_tag_missing 371=372 372=j 373=1\n=5 4");
    talk("R33: before 4.2", TW_FIX_41, &acceptor,
         ON "unsupported\n>35=D 34=2 11=id 21=3 40=1 54=1 55=X\n"
         "<35=3 34=2 45=2 58=Unsupported_message_type\n=3 3");
    talk("the peer's Reject", TW_FIX_42, &acceptor,
         ON ">35=3 34=2 45=1 58=what\n<-\n?REJECTED 1 1\n=3 2");
    talk("the peer's Reject is never rejected", TW_FIX_42, &acceptor,
         ON ">35=3 34=2 58=what\n<-\n?REJECTED 0 0\n>35=3 34=3 45=1 9999=x\n<-\n"
         "?REJECTED 1 1\n=4 2");
    talk("369", TW_FIX_44, &(struct tw_fix_session_options){ .last_processed = true },
         "connect\n>35=A 34=1 98=0 108=30\n<35=A 34=1 369=1 98=0 108=30\n"
         ">35=0 34=2\n>35=1 34=3 112=x\n<35=0 34=2 369=3 112=x");
}

#define SENT "send D 11=a\n<35=D 34=2 11=a\n"

static void resends(void)
{
    talk("R29: messages again, the rest filled", TW_FIX_44, &acceptor,
         ON SENT ">35=1 34=2 112=x\n<35=0 34=3 112=x\nsend D 11=b\n<35=D 34=4 11=b\n"
         ">35=2 34=3 7=1 16=0\n<35=4 34=1 43=Y 122=T 36=2 123=Y\n"
         "<35=D 34=2 43=Y 122=T 11=a\n<35=4 34=3 43=Y 122=T 36=4 123=Y\n"
         "<35=D 34=4 43=Y 122=T 11=b\n<-\n=4 5\n"
         ">35=2 34=4 7=3 16=3\n<35=4 34=3 43=Y 122=T 36=4 123=Y\n<-");
    talk("R29: past the last", TW_FIX_44, &acceptor,
         ON ">35=2 34=2 7=9 16=0\n"
         "<35=3 34=2 45=2 58=Value_is_incorrect_(out_of_range)_for_this_tag 371=7 372=2 "
         "373=5\n=3 3");
    talk("R29: to more than there is", TW_FIX_44, &acceptor,
         ON SENT ">35=2 34=2 7=1 16=99\n<35=4 34=1 43=Y 122=T 36=2 123=Y\n"
         "<35=D 34=2 43=Y 122=T 11=a\n<-\n=3 3");
    talk("R29: not what the application does not want", TW_FIX_44, &acceptor,
         ON "veto\nsend D 11=veto\n<35=D 34=2 11=veto\nsend D 11=b\n<35=D 34=3 11=b\n"
         ">35=2 34=2 7=1 16=0\n<35=4 34=1 43=Y 122=T 36=3 123=Y\n"
         "<35=D 34=3 43=Y 122=T 11=b\n<-");
    talk("PersistMessages=N", TW_FIX_44,
         &(struct tw_fix_session_options){ .forget = true },
         ON SENT ">35=2 34=2 7=1 16=0\n<35=4 34=1 43=Y 122=T 36=3 123=Y\n<-");
    talk("R27: answered during our gap, and counts later", TW_FIX_44, &acceptor,
         ON SENT ">35=2 34=4 7=2 16=2\n<35=D 34=2 43=Y 122=T 11=a\n<35=2 34=3 7=2 16=0\n"
         ">35=0 34=2\n>35=0 34=3\n<-\n=5 4");
    talk("R29: no faster than asked", TW_FIX_44,
         &(struct tw_fix_session_options){ .resend_rate = 20 },
         ON SENT "send D 11=b\n<35=D 34=3 11=b\nsend D 11=c\n<35=D 34=4 11=c\n"
         ">35=2 34=2 7=2 16=0\n<35=D 34=2 43=Y 122=T 11=a\n<-\n+0.051\n"
         "<35=D 34=3 43=Y 122=T 11=b\n<-\n+0.051\n<35=D 34=4 43=Y 122=T 11=c\n<-");
    talk("R29: all that was asked for, by two requests", TW_FIX_44,
         &(struct tw_fix_session_options){ .resend_rate = 20 },
         ON SENT "send D 11=b\n<35=D 34=3 11=b\nsend D 11=c\n<35=D 34=4 11=c\n"
         ">35=2 34=2 7=2 16=0\n<35=D 34=2 43=Y 122=T 11=a\n>35=2 34=3 7=3 16=3\n+0.051\n"
         "<35=D 34=3 43=Y 122=T 11=b\n+0.051\n<35=D 34=4 43=Y 122=T 11=c\n+1\n<-");
    talk("R29: also when numbers are set meanwhile", TW_FIX_44,
         &(struct tw_fix_session_options){ .resend_rate = 20 },
         ON SENT "send D 11=b\n<35=D 34=3 11=b\nsend D 11=c\n<35=D 34=4 11=c\n"
         ">35=2 34=2 7=2 16=0\n<35=D 34=2 43=Y 122=T 11=a\n<-\nset 9 4\n+0.051\n"
         "<35=D 34=3 43=Y 122=T 11=b\n+1\n<-\n=9 4");
    talk("789: the acceptor sends what is missing", TW_FIX_44,
         &(struct tw_fix_session_options){ .next_expected = true },
         "set 1 1\nconnect\n>35=A 34=1 98=0 108=30 789=1\n<35=A 34=1 98=0 108=30 789=2\n"
         "<-\n" SENT "hangup\nconnect\n>35=A 34=2 98=0 108=30 789=2\n"
         "<35=A 34=3 98=0 108=30 789=3\n<35=D 34=2 43=Y 122=T 11=a\n"
         "<35=4 34=3 43=Y 122=T 36=4 123=Y\n<-");
    talk("789: the initiator too, and does not ask", TW_FIX_44,
         &(struct tw_fix_session_options){ .next_expected = true, .initiator = true,
                                           .heartbeat_s = 30 },
         "set 4 6\nconnect\n<35=A 34=6 98=0 108=30 789=4\n"
         ">35=A 34=6 98=0 108=30 789=5\n<35=4 34=5 43=Y 122=T 36=7 123=Y\n<-\n?GAP 4 5\n"
         ">35=4 34=4 43=Y 122=T 36=7 123=Y\n=7 7");
    talk("789: too high", TW_FIX_44,
         &(struct tw_fix_session_options){ .next_expected = true },
         "connect\n>35=A 34=1 98=0 108=30 789=7\n<35=A 34=1 98=0 108=30 789=2\n"
         "<35=5 34=2 58=NextExpectedMsgSeqNum_too_high,_expecting_1_but_received_7");
}

static void timers(void)
{
    talk("R30: heartbeats", TW_FIX_42, &acceptor,
         ON "+29.9\n<-\n+0.2\n<35=0 34=2\n<-");
    talk("R31, R32: a TestRequest, then the end", TW_FIX_42, &acceptor,
         ON "+30\n<35=0 34=2\n+6\n<35=1 34=3 112=TEST\n+35.9\n<-\n+0.2\n!nothing was");
    talk("R31: after a stop of ours, too", TW_FIX_42, &acceptor,
         ON "stop 500\n<35=1 34=2 112=TEST\n>35=0 34=2\n+29.9\n<-\n+0.2\n<35=0 34=3\n"
         "stop 500\n<35=1 34=4 112=TEST\n+35.9\n<-\n+0.2\n!nothing was");
    talk("R31: an answer", TW_FIX_42, &acceptor,
         ON "+36\n<35=0 34=2\n<35=1 34=3 112=TEST\n>35=0 34=2 112=TEST\n+30\n"
         "<35=0 34=4\n<-");
    talk("108=0: none of it", TW_FIX_42, &acceptor,
         "connect\n>35=A 34=1 98=0 108=0\n<35=A 34=1 98=0 108=0\n+9999\n<-\n=2 2");
    talk("R26: the peer's Logout, whatever its number", TW_FIX_42, &acceptor,
         ON ">35=5 34=9 58=bye\n<35=5 34=2\n!the peer logged out: bye\n=2 3");
    talk("R26: what was missing is told where numbers begin anew", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_logout = true },
         ON ">35=5 34=9\n<35=5 34=2\n?GAP 2 8\n!the peer logged out\n=1 1");
    talk("R26: which is of that connection, not of the next", TW_FIX_42,
         &(struct tw_fix_session_options){ .reset_on_logout = true },
         ON ">35=5 34=2\n<35=5 34=2\n!the peer logged out\n=1 1\n" ON "hangup\n=2 2");
    talk("who was up once need not be again", TW_FIX_42, &acceptor,
         ON "hangup\n?LOGGED_OUT\nconnect\nhangup\n?NOT_LOGGED_ON");
    talk("our Logout", TW_FIX_42, &acceptor,
         ON "logout\n<35=5 34=2 58=bye\n>35=1 34=2 112=x\n<35=0 34=3 112=x\n>35=5 34=3\n"
         "<-\n!bye\n=4 4");
    talk("our Logout without an answer", TW_FIX_42, &acceptor,
         ON "logout\n<35=5 34=2 58=bye\n+1.9\n<-\n+0.2\n!bye");
    talk("an answer that waited for our turn", TW_FIX_42, &acceptor,
         ON "logout\n<35=5 34=2 58=bye\nstop 9\n>35=1 34=2 112=x\n<35=0 34=3 112=x\n"
         ">35=5 34=3\n<-\n!bye\n=4 4");
    talk("and that is not there then", TW_FIX_42, &acceptor,
         ON "logout\n<35=5 34=2 58=bye\nstop 9\n+1.9\n<-\n+0.2\n!bye");
    talk("nor after another stop", TW_FIX_42, &acceptor,
         ON "logout\n<35=5 34=2 58=bye\nstop 9\nstop 9\n!bye");
}

static void commands(void)
{
    talk("reset of one that is up", TW_FIX_42, &acceptor,
         ON SENT "reset\n<35=A 34=1 98=0 108=30 141=Y\n>35=1 34=2 112=old\n"
         "<35=0 34=2 112=old\n>35=A 34=1 98=0 108=30 141=Y\n<-\n?RESET\n=2 3\n"
         ">35=1 34=2 112=new\n<35=0 34=3 112=new");
    talk_as("reset that the peer did not hear of", TW_FIX_42, &acceptor,
            ON ">35=0 34=2\nreset\n<35=A 34=1 98=0 108=30 141=Y\nhangup\nconnect\n"
            ">35=A 34=3 98=0 108=30\n<35=A 34=1 98=0 108=30 141=Y\n?RESET\n=1 2\n"
            ">35=1 34=1 112=x\n<35=0 34=2 112=x");
    talk_as("nor does it know of that, and asks for one itself", TW_FIX_42, &acceptor,
            ON ">35=0 34=2\nreset\n<35=A 34=1 98=0 108=30 141=Y\nhangup\nconnect\n"
            ">35=A 34=1 98=0 108=30 141=Y\n<35=A 34=1 98=0 108=30 141=Y\n?RESET\n=2 2");
    talk("reset of one that is down", TW_FIX_42, &acceptor,
         ON "hangup\nreset\n=1 1");
    talk("reset of one that logs on", TW_FIX_42, &initiator,
         "set 7 9\nconnect\n<35=A 34=9 98=0 108=30\nreset\n!numbers begin anew\n=1 1\n"
         "connect\n<35=A 34=1 98=0 108=30\n>35=A 34=1 98=0 108=30\n?LOGGED_ON\n=2 2");
    talk("reset of one that logs out", TW_FIX_42, &acceptor,
         ON ">35=0 34=2\nlogout\n<35=5 34=2 58=bye\nreset\n>35=5 34=3\n!bye\n=1 1");
    talk("reset of FIX.4.0, which has no 141", TW_FIX_40, &acceptor,
         ON SENT "reset\n<35=5 34=3 58=numbers_begin_anew\n>35=1 34=2 112=old\n"
         "<35=0 34=4 112=old\n>35=5 34=3\n!numbers begin anew\n=1 1\n"
         "connect\n>35=A 34=1 98=0 108=30\n<35=A 34=1 98=0 108=30\n=2 2");
    talk("reset of FIX.4.0, and the peer is gone", TW_FIX_40, &initiator,
         I_ON "reset\n<35=5 34=2 58=numbers_begin_anew\n+2\n!numbers begin anew\n"
         "=1 1\n" I_ON "hangup\n=2 2");
    talk("disabled", TW_FIX_42, &acceptor,
         ON "disable\n<35=5 34=2\n>35=5 34=2\n!we logged out\nrefused\nenable\n"
         "connect\n>35=A 34=3 98=0 108=30\n<35=A 34=3 98=0 108=30");
    talk("connected already", TW_FIX_42, &acceptor, ON "refused\n<-\n=2 2");
    talk("nothing is sent before the Logon", TW_FIX_42, &acceptor,
         "connect\nsend D 11=a\n<-\n=1 1");
}

/* What versions say differently, in each: R8, R9, R15, R16, R29, R33. */
static void versions(void)
{
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++) {
        const char *id = tw_fix_dictionary_appl_ver_id(dictionaries[v]);
        bool old = v < TW_FIX_42;
        char logon[80], lines[1500], name[80];

        snprintf(logon, sizeof logon, "35=A 34=1 98=0 108=30%s%s", id ? " 1137=" : "",
                 id ? id : "");
        snprintf(lines, sizeof lines, "connect\n>%s\n<%s\nunsupported\n"
                 ">35=0 34=2 999=x\n<35=3 34=2 45=2 58=Invalid_tag_number%s\n"
                 ">35=1 34=3 112=a 112=b\n"
                 "<35=3 34=3 45=3 58=Tag_appears_more_than_once%s%s\n"
                 ">35=* 34=4\n<35=3 34=4 45=4 58=Invalid_MsgType%s\n"
                 ">35=B 34=5 %s33=1 58=x\n<35=%s\n"
                 ">35=1 34=8 112=c\n<35=2 34=6 7=6 16=%s\n"
                 ">35=4 34=6 43=Y 122=T 36=8 123=Y\n<35=0 34=7 112=c\n"
                 ">35=2 34=9 7=1 16=%s\n<35=4 34=1 43=Y 122=T 36=8 123=Y\n"
                 ">35=5 34=10\n<35=5 34=8\n!the peer logged out\n=11 9",
                 logon, logon, old ? "_(999)" : " 371=999 372=0 373=0",
                 old ? "_(112)" : " 371=112 372=1", v < TW_FIX_43 ? "" : " 373=13",
                 old ? "" : " 372=* 373=11", v < TW_FIX_41 ? "" : "148=x ",
                 old ? "3 34=5 45=5 58=Unsupported_message_type"
                     : "j 34=5 45=5 58=Unsupported_Message_Type 372=B 380=3",
                 old ? "999999" : "0", old ? "999999" : "0");
        snprintf(name, sizeof name, "as %s has it", tw_fix_version_name(
                     (enum tw_fix_version)v));
        talk_as(name, (enum tw_fix_version)v, &acceptor, lines);
    }
}

int main(void)
{
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        dictionaries[v] = dictionary((enum tw_fix_version)v, NULL);
    logons();
    numbers();
    resends();
    timers();
    commands();
    versions();
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++)
        tw_fix_dictionary_free(dictionaries[v]);
    return tap_done();
}

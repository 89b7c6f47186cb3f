/* fix_versions.c - sessions over FIXT.1.1 whose messages are of several versions. */
#include "fix_talk.h"

#include "fix/draft.h"
#include "random.h"

/* FIX.5.0SP2, the default, with FIX.4.4 and FIX.4.2. */
static struct tw_fix_dictionary *sp2, *fix44, *fix42;

static struct tw_fix_dictionary *made(enum tw_fix_version v, const char *xml)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error = {0};
    int rc = TW_OK;

    if (xml) rc = tw_fix_draft_add(t, "test.xml", xml, strlen(xml), &error);
    else rc = tw_fix_draft_version(t, v, &error);
    if (rc == TW_OK) rc = tw_fix_draft_fixt(t, &error);
    if (rc == TW_OK) rc = tw_fix_draft_finish(t, &d, &error);
    if (rc < 0) printf("# %s\n", error.text);
    tw_fix_draft_free(t);
    return d;
}

static void families(void)
{
    static const char xml[] =
        "<fix type='FIX' major='4' minor='4'>"
        "<header><field name='BeginString' required='Y'/><field name='MsgType'"
        " required='Y'/></header><trailer><field name='CheckSum' required='Y'/></trailer>"
        "<messages><message name='Mine' msgtype='D' msgcat='app'>"
        "<field name='Text' required='Y'/></message></messages>"
        "<fields><field number='8' name='BeginString' type='STRING'/>"
        "<field number='35' name='MsgType' type='STRING'/>"
        "<field number='49' name='SenderCompID' type='STRING'/>"
        "<field number='56' name='TargetCompID' type='STRING'/>"
        "<field number='52' name='SendingTime' type='UTCTIMESTAMP'/>"
        "<field number='58' name='Text' type='STRING'/>"
        "<field number='10' name='CheckSum' type='STRING'/></fields></fix>";
    struct tw_fix_dictionary *list[] = { sp2, fix44, fix42 };
    struct tw_fix_dictionary *old = dictionaries[TW_FIX_44], *other;
    bool same = true;

    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++) {
        struct tw_fix_dictionary *d = made((enum tw_fix_version)v, NULL);
        const struct tw_fix_level *a = tw_fix_dictionary_header(d);
        const struct tw_fix_level *b = tw_fix_dictionary_header(sp2);
        const struct tw_fix_type *logon = tw_fix_dictionary_type(d, "A", 1);

        same &= a->n == b->n && memcmp(a->tags, b->tags, a->n * sizeof *a->tags) == 0
             && logon->admin && tw_fix_member(&logon->body, 1137)->required
             && tw_fix_member(tw_fix_member(&logon->body, 384)->group, 1410)
             && tw_fix_dictionary_version(d) == (enum tw_fix_version)v
             && strcmp(tw_fix_dictionary_begin_string(d), "FIXT.1.1") == 0
             && strcmp(tw_fix_dictionary_appl_ver_id(d),
                       tw_fix_appl_ver_id((enum tw_fix_version)v)) == 0;
        tw_fix_dictionary_free(d);
    }
    ok(same, "every version has the session of FIXT.1.1 where that is asked for");
    ok(strcmp(tw_fix_dictionary_begin_string(old), "FIX.4.4") == 0
       && !tw_fix_dictionary_appl_ver_id(old), "and else its own");
    ok(tw_fix_dictionary_join(list, 3) == TW_OK
       && tw_fix_dictionary_of(fix42, TW_FIX_50SP2) == sp2
       && tw_fix_dictionary_of(sp2, TW_FIX_44) == fix44
       && !tw_fix_dictionary_of(sp2, TW_FIX_43), "a family of three");
    ok(tw_fix_dictionary_join((struct tw_fix_dictionary *[]){ sp2, old }, 2) == TW_EUSAGE
       && tw_fix_dictionary_join((struct tw_fix_dictionary *[]){ sp2, sp2 }, 2)
          == TW_EUSAGE, "none of another session, and none twice");
    ok(tw_fix_appl_version("9", 1) == TW_FIX_50SP2 && tw_fix_appl_version("2", 1) == 0
       && tw_fix_appl_version("0", 1) < 0 && tw_fix_appl_version("1", 1) < 0
       && tw_fix_appl_version("10", 2) < 0 && tw_fix_appl_version("", 0) < 0
       && tw_fix_appl_version("x", 1) < 0, "what 1128 may say");
    other = made(TW_FIX_44, xml);
    ok(other && tw_fix_member(tw_fix_dictionary_header(other), 1128)
       && tw_fix_member(&tw_fix_dictionary_type(other, "D", 1)->body, 58)
       && tw_fix_dictionary_version(other) == TW_FIX_44,
       "an older version in XML, over FIXT.1.1");
    tw_fix_dictionary_free(other);
}

#define T_ON "connect\n>35=A 34=1 98=0 108=30 1137=9\n<35=A 34=1 98=0 108=30 1137=9\n"
/* What 4.4 wants of an order and 5.0SP2 does not have, and the other way round. */
#define ORDER(more) "11=a 55=X 54=1 60=T 38=1 40=1" more
/* 4.2: 21 is required; 204 is its own. */
#define OLD "11=a 21=1 55=X 54=1 60=T 38=1 40=1 204=1"
/* 4.2 does not know 619 as data, so that the message is garbled there. */
#define LEG "262=r 263=1 264=0 267=1 269=0 146=1 55=X 555=1 600=Y 618=3 619=a b"
#define NOT_OF(seq, tag) "<35=3 34=2 45=" seq \
    " 58=Tag_not_defined_for_this_message_type 371=" tag " 372=D 373=2\n"
#define UNKNOWN(seq, tag) "<35=3 34=2 45=" seq \
    " 58=Invalid_tag_number 371=" tag " 372=D 373=0\n"
#define NO_VERSION(number, seq, type) "<35=3 34=" number " 45=" seq \
    " 58=Invalid_or_unsupported_application_version 371=1128 372=" type " 373=18\n"

static void incoming(void)
{
    const struct tw_fix_session_options o = { .dictionary = sp2 }, alone = {0};

    talk("1128 chooses the dictionary of its message", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=4 " OLD "\nas FIX.4.2\n<-\n"
         ">35=D 34=3 1128=6 " ORDER("") "\nas FIX.4.4\n<-\n"
         ">35=D 34=4 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-\n"
         ">35=D 34=5 1128=9 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-\n=6 2");
    talk("which it is checked by", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=6 " ORDER(" 1138=1") "\n" UNKNOWN("2", "1138") "=3 3");
    talk("also where fields stand elsewhere", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=4 11=a 55=X 54=1 60=T 38=1 40=1\n"
         "<35=3 34=2 45=2 58=Required_tag_missing 371=21 372=D 373=1\n=3 3");
    talk("one after the other, many times", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=6 " ORDER("") "\nas FIX.4.4\n>35=D 34=3 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n>35=D 34=4 1128=6 " ORDER("") "\nas FIX.4.4\n>35=D 34=5 "
         ORDER(" 1138=1") "\nas FIX.5.0SP2\n>35=D 34=6 1128=6 " ORDER("") "\nas FIX.4.4\n"
         ">35=D 34=7 1128=4 " OLD "\nas FIX.4.2\n>35=D 34=8 1128=9 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n<-\n=9 2");
    talk("a message may hold what looks like a 1128", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=6 " ORDER("") "\nas FIX.4.4\n"
         ">35=D 34=3 354=8 355=a 1128=6 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n"
         ">35=D 34=4 1128=6 354=8 355=a 1128=4 " ORDER("") "\nas FIX.4.4\n"
         ">35=D 34=5 354=8 355=a 1128=6 1128=4 " OLD
         "\n<35=3 34=2 45=5 58=Tag_specified_out_of_required_order 371=1128 372=D"
         " 373=14\n=6 3");
    talk("and data that only its version has", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 1137=4\n<35=A 34=1 98=0 108=30 1137=9\nnote \n"
         ">35=V 34=2 1128=6 " LEG "\nas FIX.4.4\n>35=V 34=3 1128=6 " LEG
         "\nas FIX.4.4\n>35=D 34=4 " OLD "\nas FIX.4.2\n<-\n=5 2\n"
         ">35=V 34=5 " LEG "\n<-\n=5 2");
    talk("a version that the session does not have", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1128=7 " ORDER("") "\n" NO_VERSION("2", "2", "D")
         ">35=D 34=3 1128=0 " ORDER("") "\n" NO_VERSION("3", "3", "D")
         ">35=D 34=4 1128=10 " ORDER("") "\n" NO_VERSION("4", "4", "D")
         ">35=XX 34=5 1128=5 58=x\n" NO_VERSION("5", "5", "XX")
         ">35=D 34=6 1128=6 " ORDER("") "\nas FIX.4.4\n<-\n=7 6");
    talk("extension packs and custom versions choose nothing", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=2 1156=98 1129=MINE " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-\n"
         ">35=D 34=3 1128=9 1156=2 1129=FIX.4.4 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n<-\n>35=D 34=4 1128=6 1129=MINE " ORDER("")
         "\nas FIX.4.4\n<-\n=5 2");
    talk("of a session with one version, too", TW_FIX_50SP2, &alone,
         T_ON ">35=D 34=2 1128=6 " ORDER("") "\n" NO_VERSION("2", "2", "D")
         ">35=D 34=3 1128=9 " ORDER("") "\nas FIX.5.0SP2\n"
         ">35=D 34=4 1128=9 " ORDER("") "\n>35=D 34=5 1128=8 " ORDER("") "\n"
         NO_VERSION("3", "5", "D") ">35=D 34=6 1128=9 " ORDER("") "\n<-\n=7 4");
    talk("messages of the session are of no version", TW_FIX_50SP2, &o,
         T_ON ">35=1 34=2 1128=7 112=x\n<35=0 34=2 112=x\n"
         ">35=1 34=3 1128=6 112=y\n<35=0 34=3 112=y\n=4 4");
    talk("what comes early keeps its version", TW_FIX_50SP2, &o,
         T_ON ">35=D 34=3 1128=6 " ORDER("") "\n<35=2 34=2 7=2 16=0\n"
         ">35=4 34=2 43=Y 122=T 36=3 123=Y\nas FIX.4.4\n<-\n=4 3");
    talk("an older version has no 1128", TW_FIX_44, &alone,
         ON ">35=D 34=2 1128=6 " ORDER("") "\n<35=3 34=2 45=2 58=Invalid_tag_number"
         " 371=1128 372=D 373=0\n=3 3");
}

/* What was read before decides nothing but how fast the next one is. */
static void at_random(void)
{
    static const char *const pieces[] = {
        "|1128=4", "|1128=6", "|1128=9", "|1128=7", "|1128=", "|354=8|355=a|1128=6",
        "|618=3|619=a|b", "|11=a", "|58=x", "|b", "|115=y", "|55=X|54=1"
    };
    enum { PIECES = sizeof pieces / sizeof *pieces, TURNS = 4000 };
    static const char types[] = "DDD8VA";
    const struct tw_fix_dictionary *d = sp2;
    struct tw_fix_message m, fresh;
    unsigned different = 0, read = 0, others = 0;

    if (tw_fix_message_init(&m, 4096, 100) < 0) abort();
    for (int turn = 0; turn < TURNS; turn++) {
        char text[400];
        size_t n = (size_t)snprintf(text, sizeof text, "35=%c|34=2|49=PEER|56=US",
                                    types[next() % 6]);
        struct tw_fix_frame f;
        int code, same;
        char *p;

        for (uint64_t k = next() % 5; k > 0; k--)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s",
                                  pieces[next() % PIECES]);
        snprintf(text + n, sizeof text - n, "|");
        if (next() % 50 == 0) d = d == sp2 ? fix42 : sp2;
        p = whole(TW_FIX_50SP2, text, &n);
        if (tw_fix_message_init(&fresh, 4096, 100) < 0
            || tw_fix_message_frame(&m, p, n, &f) != TW_FIX_WHOLE
            || tw_fix_message_frame(&fresh, p, n, &f) != TW_FIX_WHOLE)
            abort();
        code = tw_fix_message_read(&m, d, p, &f);
        same = tw_fix_message_read(&fresh, d, p, &f) == code;
        if (code == TW_OK && same) {
            read++;
            others += m.dictionary != d;
            same = m.dictionary == fresh.dictionary && m.type == fresh.type
                && m.foreign == fresh.foreign && m.n == fresh.n && m.body == fresh.body
                && m.trailer == fresh.trailer;
            for (uint32_t i = 0; same && i < m.n; i++)
                same = m.fields[i].tag == fresh.fields[i].tag
                    && m.fields[i].at == fresh.fields[i].at
                    && m.fields[i].n == fresh.fields[i].n;
        }
        if (!same && different++ == 0) printf("# %s\n", text);
        tw_fix_message_fini(&fresh);
        free(p);
    }
    tw_fix_message_fini(&m);
    ok(different == 0 && read > TURNS / 3 && others > TURNS / 9,
       "a message is read as one that is the first");
}

static void defaults(void)
{
    const struct tw_fix_typed typed[] = { { "D", fix44 }, { "8", fix42 } };
    const struct tw_fix_session_options o = { .dictionary = sp2 };
    const struct tw_fix_session_options old = { .dictionary = fix44 };
    const struct tw_fix_session_options says = { .dictionary = sp2, .typed = typed,
                                                 .typed_n = 2 };

#define SAID "384=2 372=D 1130=6 1410=Y 372=8 1130=4 1410=Y"
    talk("1137 is the default of what the peer sends", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 1137=6\n<35=A 34=1 98=0 108=30 1137=9\nnote \n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\n>35=D 34=3 1128=9 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n<-\nhangup\nconnect\n"
         ">35=A 34=4 98=0 108=30 1137=9\n<35=A 34=2 98=0 108=30 1137=9\n"
         ">35=D 34=5 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-");
    talk("which may be an old one", TW_FIX_44, &old,
         "connect\n>35=A 34=1 98=0 108=30 1137=6\n<35=A 34=1 98=0 108=30 1137=6\nnote \n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\n>35=D 34=3 1128=9 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n<-\n=4 2\nsend D 11=a\n<35=D 34=2 11=a");
    talk("one that the session does not have is told of", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 1137=7\n<35=A 34=1 98=0 108=30 1137=9\n"
         "note the peer's DefaultApplVerID is 7, ours 9: its messages are read as of"
         " FIX.5.0SP2\n");
    talk("the Logon's 384 is the default of a type", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 384=4 372=D 385=S 1130=6 1410=Y 372=F 1130=4"
         " 1410=Y 372=G 1130=6 372=8 385=R 1130=6 1410=Y 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9\n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\n"
         ">35=F 34=3 41=b 11=a 55=X 54=1 60=T 38=1\nas FIX.4.2\n"
         ">35=D 34=4 1128=9 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n"
         ">35=D 34=5 " ORDER(" 1138=1") "\n" UNKNOWN("5", "1138")
         ">35=G 34=6 41=b 11=a 55=X 54=1 60=T 38=1 40=1\nas FIX.5.0SP2\n"
         "send 8 11=a\n<35=8 34=3 1128=9 11=a\nsend D 11=b\n<35=D 34=4 11=b\n=7 5\n"
         "hangup\nconnect\n>35=A 34=7 98=0 108=30 1137=9\n<35=A 34=5 98=0 108=30 1137=9\n"
         ">35=D 34=8 " ORDER(" 1138=1") "\nas FIX.5.0SP2\nsend 8 11=a\n<35=8 34=6 11=a");
    talk("and so does that of a Logon that resets numbers", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 384=1 372=D 1130=6 1410=Y 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9\n>35=D 34=2 " ORDER("") "\nas FIX.4.4\n"
         ">35=A 34=1 98=0 108=30 141=Y 384=2 372=D 1130=4 1410=Y 372=8 1130=6 1410=Y"
         " 1137=9\n<35=A 34=1 98=0 108=30 141=Y 1137=9\nnote \n"
         ">35=D 34=2 " OLD "\nas FIX.4.2\nsend 8 11=a\n<35=8 34=2 1128=9 11=a\n=3 3\n"
         ">35=A 34=1 98=0 108=30 141=Y 1137=6\n<35=A 34=1 98=0 108=30 141=Y 1137=9\n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\nsend 8 11=a\n<35=8 34=2 11=a\n"
         ">35=A 34=1 98=0 108=30 141=Y 1137=7\n<35=A 34=1 98=0 108=30 141=Y 1137=9\n"
         "note the peer's DefaultApplVerID is 7, ours 9: its messages are read as of"
         " FIX.5.0SP2\n>35=D 34=2 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-");
    talk("be it ours that the peer answers", TW_FIX_50SP2, &says,
         "connect\n>35=A 34=1 98=0 108=30 384=1 372=D 1130=4 1410=Y 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9 " SAID "\n>35=D 34=2 " OLD "\nas FIX.4.2\n"
         "reset\n<35=A 34=1 98=0 108=30 141=Y 1137=9 " SAID "\n"
         ">35=A 34=1 98=0 108=30 141=Y 384=1 372=8 1130=6 1410=Y 1137=9\n<-\n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\nsend 8 11=a\n<35=8 34=2 1128=4 11=a\n"
         "=3 3");
    talk("a Logon that is no reset says nothing new", TW_FIX_50SP2, &o,
         T_ON ">35=A 34=2 98=0 108=30 384=1 372=D 1130=6 1410=Y 1137=9\n"
         ">35=D 34=3 " ORDER(" 1138=1") "\nas FIX.5.0SP2\n<-\n=4 2");
    talk("of a version that the session does not have", TW_FIX_50SP2, &o,
         "connect\n>35=A 34=1 98=0 108=30 384=1 372=D 1130=7 1410=Y 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9\n>35=D 34=2 " ORDER("") "\n"
         NO_VERSION("2", "2", "D") ">35=D 34=3 1128=6 " ORDER("") "\nas FIX.4.4\n<-\n"
         "=4 3\nsend D 11=a\n<35=D 34=3 1128=9 11=a");
    talk("our Logon says it likewise", TW_FIX_50SP2, &says,
         "connect\n>35=A 34=1 98=0 108=30 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9 " SAID "\n"
         ">35=D 34=2 " ORDER("") "\nas FIX.4.4\n>35=D 34=3 1128=9 " ORDER(" 1138=1")
         "\nas FIX.5.0SP2\n<-\nsend D 11=a\n<35=D 34=2 11=a\n"
         ">35=2 34=4 7=2 16=0\n<35=D 34=2 43=Y 122=T 11=a");
    talk("a peer that contradicts is told in each message", TW_FIX_50SP2, &says,
         "connect\n>35=A 34=1 98=0 108=30 384=1 372=D 1130=4 1410=Y 1137=9\n"
         "<35=A 34=1 98=0 108=30 1137=9 " SAID "\n"
         ">35=D 34=2 " OLD "\nas FIX.4.2\nsend D 11=a\n<35=D 34=2 1128=6 11=a");
    ok(tw_fix_session_writes(&says, "D", 1) == fix44
       && tw_fix_session_writes(&says, "8", 1) == fix42
       && tw_fix_session_writes(&says, "F", 1) == sp2
       && tw_fix_session_writes(&o, "D", 1) == sp2, "what a type is written with");
}

static void refusals(void)
{
    const struct tw_fix_typed typed = { "D", dictionaries[TW_FIX_44] };
    struct tw_fix_session_options o = {
        .dictionary = sp2, .typed = &typed, .typed_n = 1, .sender = "US",
        .target = "PEER", .handlers.message = on_message
    };
    struct tw_error error = {0};

    o.store = tw_fix_store_open(&(struct tw_fix_store_options){ .bytes = 1 << 16 },
                                &error);
    ok(!tw_fix_session_new(&o, &error) && error.code == TW_EUSAGE
       && strstr(error.text, "a version that the session does not have"),
       "a type of a version that is not of the family");
    tw_fix_store_close(o.store);
}

int main(void)
{
    for (int v = 0; v <= TW_FIX_50SP2; v++)
        dictionaries[v] = dictionary((enum tw_fix_version)v, NULL);
    sp2 = made(TW_FIX_50SP2, NULL);
    fix44 = made(TW_FIX_44, NULL);
    fix42 = made(TW_FIX_42, NULL);
    families();
    incoming();
    at_random();
    defaults();
    refusals();
    tw_fix_dictionary_free(fix42);
    for (int v = 0; v <= TW_FIX_50SP2; v++) tw_fix_dictionary_free(dictionaries[v]);
    return tap_done();
}

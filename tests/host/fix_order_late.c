/* fix_order_late.c - reports of a venue that come late, or before what they are about. */
#include "fix_order_talk.h"

#define CORRECTED(id, exec, ref, price) ">8|37=X" id "|11=" id "|17=" exec "|19=" ref \
    "|150=G|39=1|32=4|31=" price "|14=4|6=" price "|151=6|\n"

/* The venue does not know an order by that ClOrdID. */
#define UNKNOWN(id) ">8|37=NONE|11=" id "|17=0|150=I|39=8|103=5|55=A|54=1|38=0|151=0|" \
                    "14=0|6=0|\n"

static void corrections(void)
{
    talk("a correction comes before the one that it corrects", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4") "=7:0! 7:F 4@10\n"
         CORRECTED("7", "c", "b", "9") "=7:F 4@9\n" CORRECTED("7", "b", "a", "9.5")
         "=7:H 4@10 (30)\n" CORRECTED("7", "b", "a", "9.5")
         CORRECTED("7", "c", "b", "9") FILL("7", "a", "4", "10", "4") "=");
    talk("also with a restart between them", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         CORRECTED("7", "c", "b", "9") "=7:0! 7:F 4@10 7:F 4@9\nrestart\njoin 5 me\non\n"
         "=7:0 (25) of 5 10@10 traded 8@9.5* holds 8@9.5\n"
         CORRECTED("7", "b", "a", "9.5") "=7:H 4@10 (30)*\n"
         CORRECTED("7", "b", "a", "9.5") FILL("7", "a", "4", "10", "4")
         "=\nrestart\njoin 5 me\n"
         "=7:0 (25) of 5 10@10 traded 4@9* holds 4@9.5");
    talk("so does its end", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         ">8|37=X7|11=7|17=c|19=b|150=H|39=0|14=0|151=10|\n=7:0! 7:F 4@10\n"
         CORRECTED("7", "b", "a", "9.5") "=7:H 4@10 (30)");
}

#define ENDED "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4") \
    ">8|37=X7|11=7|17=e|150=C|39=C|14=4|151=0|6=10|\n=7:0! 7:F 4@10 7:C\n"

/* A status has told of two trades, 10@10.5, which do not come; then of their ends. */
#define SETTLED "on\nnew 7 20\nsent\n" NEW("7") \
    ">8|37=X7|11=7|17=s|150=I|39=1|38=20|44=10|14=10|6=10.5|151=10|\n=7:0! 7:F 10@10.5\n"

static void settled(void)
{
    talk("a trade that only a status has told of is taken back", TW_FIX_44, &none,
         SETTLED ">8|37=X7|11=7|17=c|19=a|150=H|39=1|14=5|6=11|151=15|\n=7:H 5@10 (30)\n"
         ">8|37=X7|11=7|17=a|150=F|39=1|32=5|31=10|14=5|6=10|\n=\n"
         ">8|37=X7|11=7|17=d|19=b|150=H|39=0|14=0|6=0|151=20|\n=7:H 5@11 (30)");
    talk("or corrected", TW_FIX_44, &none,
         SETTLED ">8|37=X7|11=7|17=c|19=a|150=G|39=1|32=5|31=12|14=10|6=11.5|151=10|\n"
         "=7:H 5@10 (30) 7:F 5@12\n"
         ">8|37=X7|11=7|17=b|150=F|39=1|32=5|31=11|14=10|6=11.5|\n=");
    talk("one that nobody has told of is asked for", TW_FIX_44, &none,
         ENDED ">8|37=X7|11=7|17=c|19=z|150=H|39=C|14=3|6=10|151=0|\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=C|38=10|44=10|14=3|6=10|151=0|\n"
         "=stray 7 7:H 1@10 (30) late C, 10@10 traded 4@10*\n<");
    talk("and not for a price that can't be", TW_FIX_44, &none,
         SETTLED ">8|37=X7|11=7|17=c|19=a|150=H|39=1|14=5|151=15|\n=7:H 5@10.5 (30)");
}

static void ends(void)
{
    talk("an end waits for a trade that is taken back before it comes", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "6", "10", "6") "cancel 7\nsent\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=10|151=0|6=10|\n=7:0! 7:F 6@10\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7a|17=h|19=b|150=H|39=4|14=6|151=0|\n"
         FILL("7", "b", "4", "10", "10") "=\n"
         ">8|37=X7|11=7a|17=0|150=I|39=4|38=10|44=10|14=6|6=10|151=0|\n=7:4!");
}

#define BUST(id, exec, ref, cum, leaves) ">8|37=X" id "|11=" id "|17=" exec "|19=" ref \
    "|150=H|39=1|14=" cum "|6=10|151=" leaves "|\n"

/* What else of a bracket has ended is counted. */
/* Which message of ours it is of is clear, whatever else is wrong with it. */
static void refused(void)
{
    talk("a 35=j that the session refuses counts", TW_FIX_44, &none, "on\nnew 7\nnew 8\n"
         "sent\n~j|379=7|380=18|\n~j|45=2|379=|\n=7:8 (21)! 8:8 (21)!\n<");
    talk("also where the version has none", TW_FIX_41, &none,
         "on\nnew 7\nsent\n~j|45=1|372=D|380=4|\n=7:8 (21)!\n<");
}

static void families(void)
{
    talk("what is taken back in a bracket comes with what others of it have traded",
         TW_FIX_44, &(struct tw_fix_orders_options){ .keeps = true },
         "join 3 me\non\nnew 7\nhold 8 7\nhold 9 7\nsent\n" NEW("7")
         FILL("7", "a", "10", "10", "10") "new 8\nnew 9\nsent\n" NEW("8") NEW("9")
         FILL("9", "b", "3", "10", "3") FILL("8", "c", "7", "10", "7")
         ">8|37=X9|11=9|17=e|150=4|39=4|14=3|151=0|6=10|\n"
         ">8|37=X8|11=8|17=f|150=4|39=4|14=7|151=0|6=10|\n"
         "=7:0! 7:F 10@10 8:0! 9:0! 9:F 3@10 8:F 7@10 9:4 (30) 8:4 (30)\n"
         BUST("8", "g", "c", "0", "10")
         "=stray 8 8:H 7@10 (30) late 4, 10@10 traded 7@10, entry 10, others 3*\n"
         BUST("7", "h", "a", "0", "10")
         "=stray 7 7:H 10@10 (30) late 0, 10@10 traded 10@10, others 3*\n");
}

#define UUID "00000000-0000-4123-8400-000000000000"

static void former(void)
{
    talk("ClOrdIDs of an order are as they were", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nuuid 1\nrestart\njoin 3 me\n"
         "=7:0 (25) of 3 10@10 traded 0@0*\non\n<H 37=X7|11=7|55=A|54=1|\ncancel 7\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10|\nnew 4660\nsent\nuuid 0\nrestart\n"
         "restart\non\n<H 37=X7|11=7|55=A|54=1| H 11=" UUID "|55=A|54=1|\n");
    talk("of one that the venue names, too", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .first_id = 10000 },
         "join 3 me\non\n" NEW(UUID) "=4660:0 (25) of 3 10@10 traded 0@0*\ncancel 4660\n"
         "<F 41=" UUID "|37=X" UUID "|11=00000000-0000-4123-8400-0000000002bf|55=A|54=1|"
         T "38=10|");
    talk("short ones", TW_FIX_42, &(struct tw_fix_orders_options){
         .id_form = TW_FIX_ID_SHORT, .no_mass_status = true },
         "on\nnew 4660\n<D 11=AAAAAAAAADVQ|21=1|55=A|54=1|" T
         "38=10|40=2|44=10|59=1|\n" NEW("AAAAAAAAADVQ") "=4660:0!\ncancel 4660\nsent\n"
         ">9|37=X|11=AAAAAAAAADVQA|41=AAAAAAAAADVQ|39=0|434=1|\n=4660:9 (21)!\n"
         "replace 4660 20 11\n<G 41=AAAAAAAAADVQ|37=XAAAAAAAAADVQ|11=AAAAAAAAADVQB"
         "|21=1|55=A|54=1|" T "38=20|40=2|44=11|59=1|\n"
         ">8|37=X|11=AAAAAAAAADVq|17=z|150=0|39=0|14=0|6=0|\n=stray AAAAAAAAADVq");
    talk("short ones, over a restart", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true,
         .id_form = TW_FIX_ID_SHORT },
         "join 3 me\non\nnew 7\nsent\nuuid 0\nrestart\njoin 3 me\n"
         "=7:0 (25) of 3 10@10 traded 0@0*\non\n<H 11=AAAAAAAAAAAH|55=A|54=1|\n"
         "cancel 7\n<F 41=AAAAAAAAAAAH|11=AAAAAAAAAAAHA|55=A|54=1|" T "38=10|");
    talk("and without lines", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .first_id = 10000 },
         "join 3 me\non\n" NEW("AAAAAAAAADVQ") "=4660:0 (25) of 3 10@10 traded 0@0*\n"
         "cancel 4660\n<F 41=AAAAAAAAADVQ|37=XAAAAAAAAADVQ|11=AAAAAAAAADVQSS|55=A|54=1|"
         T "38=10|");
    talk("a venue of UUIDs gets no other, for what is not ours, too", TW_FIX_44,
         &(struct tw_fix_orders_options){ .cancel_unknown = true,
         .id_form = TW_FIX_ID_UUID, .no_mass_status = true },
         "on\n>8|37=Z|11=abc|17=0|150=I|39=1|55=A|54=2|38=10|14=4|6=10|151=6|\n"
         "=stray abc\n<F 41=abc|37=Z|11=18867251-edfa-4000-8000-000000000001|55=A|54=2|"
         T "38=10|\n");
    talk("a trade of an order that ended in a former run is taken back", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true,
                                          .first_id = 10 },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         ">8|37=X7|11=7|17=e|150=C|39=C|14=4|151=0|6=10|\n=7:0! 7:F 4@10 7:C\n"
         "restart\njoin 5 me\non\n=holds 4@10\n"
         ">8|37=X7|11=7|17=c|19=a|150=H|39=C|14=0|151=0|\n"
         "=stray 7 7:H 4@10 (30) late C, 10@10 traded 4@10*\n"
         "restart\njoin 5 me\n=");
    talk("one that is open again is so in the next run", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         ">8|37=X7|11=7|17=b|150=F|39=2|32=6|31=11|14=10|6=10.6|151=0|\n"
         ">8|37=X7|11=7|17=c|19=b|150=H|39=1|14=4|6=10|151=6|\n"
         "=7:0! 7:F 4@10 7:F 6@11 stray 7 7:H 6@11 (30) late 1, 10@10 traded 10@10.6*\n"
         "restart\njoin 5 me\n=7:0 (25) of 5 10@10 traded 4@10* holds 4@10.6");
    talk("a change of a refused change is not known, its order is", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true,
                                          .first_id = 10 },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nrestart\njoin 5 me\non\nsent\n"
         ">8|37=X7|11=7|17=0|150=I|39=0|38=10|44=10|14=0|6=0|151=10|\n"
         "replace 7 20 11\nreplace 7 30 12\nsent\n=7:0 (25) of 5 10@10 traded 0@0*\n"
         ">9|37=X7|11=7a|41=7|39=0|434=2|102=2|\n=7:9~ (21)!\n"
         ">9|37=NONE|11=7b|41=7a|39=8|434=2|102=1|\n=7:9~ (20)!\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=0|38=10|44=10|14=0|6=0|151=10|\n=");
}

/* ---- after the end ---- */

#define FILLED "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4") \
    ">8|37=X7|11=7|17=b|150=F|39=2|32=6|31=11|14=10|6=10.6|151=0|\n" \
    "=7:0! 7:F 4@10 7:F 6@11\n"
/* Missed, and asked for: what its status says. */
#define STATUS(status, cum, average, leaves) "missed\n<H 37=X7|11=7|55=A|54=1|\n" \
    ">8|37=X7|11=7|17=0|150=I|39=" status "|38=10|44=10|14=" cum "|6=" average \
    "|151=" leaves "|\n"

/* Sums past what an integer of nine decimals holds are told, and change nothing. */
static void too_much(void)
{
    talk("trades that add up to more than can be counted", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "9000000000", "10", "9000000000")
         "=7:0! 7:5 9e+09@10 (30) 7:F 9e+09@10\n"
         FILL("7", "b", "9000000000", "10", "9000000000") "=stray 7\n"
         CORRECTED("7", "c", "x", "9")
         "=stray 7 7:F 4@9 late 2, 9e+09@10 traded 9e+09@10*");
    talk("what is left of a trade that is taken back, too", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         FILL("7", "b", "2", "10", "6") "=7:0! 7:F 4@10 7:F 2@10\n"
         ">8|37=X7|11=7|17=c|19=b|150=H|39=1|14=4|151=9223372036|\n=7:H 2@10 (30)");
    talk("no more of an order is taken back than has traded", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4") "=7:0! 7:F 4@10\n"
         STATUS("0", "0", "0", "10") "=7:H 4@10 (30)\n"
         ">8|37=X7|11=7|17=c|19=a|150=H|39=0|151=10|\n=");
    talk("a position that orders add up to", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nnew 7 10\nnew 8 10\nsent\n" NEW("7") NEW("8")
         FILL("7", "a", "9000000000", "10", "9000000000")
         "=7:0! 8:0! 7:5 9e+09@10 (30) 7:F 9e+09@10\n"
         FILL("8", "b", "9000000000", "10", "9000000000") "=stray 8");
}

static void over(void)
{
    talk("an order that has ended trades", TW_FIX_44, &none,
         ENDED ">8|37=X7|11=7|17=b|150=F|39=C|32=2|31=9|14=6|6=9.6|151=0|\n"
         "=stray 7 7:F 2@9 late C, 10@10 traded 4@10*\n"
         ">8|37=X7|11=7|17=c|150=F|39=2|32=4|31=9|14=10|6=9.4|151=0|\n"
         "=stray 7 7:F 4@9 late 2, 10@10 traded 6@9.666666667*");
    talk("and is taken back", TW_FIX_44, &none,
         ENDED ">8|37=X7|11=7|17=b|19=a|150=H|39=C|14=0|151=0|\n"
         "=stray 7 7:H 4@10 (30) late C, 10@10 traded 4@10*");
    talk("likewise before 4.3", TW_FIX_42, &none,
         "on\nnew 7\nsent\n>8|37=X7|11=7|17=n|20=0|150=0|39=0|14=0|151=10|6=0|\n"
         ">8|37=X7|11=7|17=a|20=0|150=2|39=2|32=10|31=10|14=10|6=10|151=0|\n"
         "=7:0! 7:F 10@10\n"
         ">8|37=X7|11=7|17=b|19=a|20=2|150=2|39=2|32=10|31=9|14=10|6=9|151=0|\n"
         "=stray 7 7:H 10@10 (30) late 2, 10@10 traded 10@10*"
         " 7:F 10@9 late 2, 10@10 traded 0@0*\n"
         ">8|37=X7|11=7|17=c|19=b|20=1|150=4|39=4|14=0|6=0|151=0|\n"
         "=stray 7 7:H 10@9 (30) late 4, 10@10 traded 10@9*");
    talk("a filled one is open again where the venue says so", TW_FIX_44, &none,
         FILLED ">8|37=X7|11=7|17=c|19=b|150=H|39=1|14=4|6=10|151=6|\n"
         "=stray 7 7:H 6@11 (30) late 1, 10@10 traded 10@10.6*\ncancel 7\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|60=20260101-00:00:00.000|38=10|\n"
         ">8|37=X7|11=7a|41=7|17=d|150=4|39=4|14=4|6=10|151=0|\n=7:4!");
}

/* A trade comes before the end of another one that it is in place of. */
static void overtaken(void)
{
    talk("more than an order's quantity, till a trade's end has come", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "8", "10", "8")
         FILL("7", "c", "4", "10", "6") "=7:0! 7:F 8@10 7:5 12@10 (30) 7:F 4@10\n"
         ">8|37=X7|11=7|17=b|19=a|150=H|39=1|38=10|14=2|6=10|151=8|\n"
         "=stray 7 7:H 8@10 (30) late 1, 12@10 traded 12@10* 7:5 10@10 (30)*\n"
         ">8|37=X7|11=7|17=d|150=F|39=2|38=10|32=6|31=10|14=8|6=10|151=2|\n=7:F 6@10*");
    talk("or a status says what it is", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "8", "10", "8")
         FILL("7", "c", "4", "10", "6") "=7:0! 7:F 8@10 7:5 12@10 (30) 7:F 4@10\n"
         STATUS("1", "6", "10", "4")
         "=stray 7 7:H 6@10 (30) late 1, 12@10 traded 12@10* 7:5 10@10 (30)*");
    talk("what is left when a trade ends is as it was then", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "6", "10", "6")
         FILL("7", "b", "3", "10", "9") FILL("7", "c", "4", "10", "10")
         "=7:0! 7:F 6@10 7:F 3@10 7:5 13@10 (30) 7:F 4@10\n"
         ">8|37=X7|11=7|17=d|19=b|150=H|39=1|38=10|14=6|6=10|151=4|\n"
         "=stray 7 7:H 3@10 (30) late 1, 13@10 traded 13@10* 7:5 10@10 (30)*\n"
         "cancel 7\n<F 41=7|37=X7|11=7a|55=A|54=1|60=20260101-00:00:00.000|38=10|");
}

/* 4.0 has no LeavesQty. */
static void in_40(void)
{
    talk("likewise in 4.0", TW_FIX_40, &none,
         "on\nnew 7\nsent\n"
         ">8|37=X7|11=7|17=1|20=0|39=2|55=A|54=1|38=10|32=10|31=10|14=10|6=10|\n"
         "=7:0! 7:F 10@10\n"
         ">8|37=X7|11=7|17=2|20=1|19=1|39=0|55=A|54=1|38=10|32=10|31=10|14=0|6=0|\n"
         "=stray 7 7:H 10@10 (30) late 0, 10@10 traded 10@10*\ncancel 7\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|38=10|125=F|\n"
         ">8|37=X7|11=7a|17=3|20=0|39=4|55=A|54=1|38=10|32=0|31=0|14=0|6=0|\n=7:4!");
}

static void missed(void)
{
    talk("the end of a trade that was missed is in the status", TW_FIX_44, &none,
         ENDED STATUS("C", "0", "0", "0")
         "=stray 7 7:H 4@10 (30) late C, 10@10 traded 4@10*\n"
         ">8|37=X7|11=7|17=b|19=a|150=H|39=C|14=0|151=0|\n=stray 7");
    talk("at what it cost by the averages", TW_FIX_44, &none,
         FILLED STATUS("2", "4", "10", "0")
         "=stray 7 7:H 6@11 (30) late 2, 10@10 traded 10@10.6*");
    talk("or by its own, where these can't be", TW_FIX_44, &none,
         FILLED STATUS("4", "4", "0", "0")
         "=stray 7 7:H 6@10.6 (30) late 4, 10@10 traded 10@10.6*\n"
         ">8|37=X7|11=7|17=c|19=b|150=H|39=4|14=4|6=10|151=0|\n"
         "=stray 7 7:F 6@10.6 late 4, 10@10 traded 4@10.6*"
         " 7:H 6@11 (30) late 4, 10@10 traded 10@10.6*");
    talk("no quantity is below 0", TW_FIX_44, &none,
         FILLED STATUS("2", "-4", "10", "0") "=");
    talk("a trade of what has ended, too", TW_FIX_44, &none,
         ENDED STATUS("C", "6", "10", "0")
         "=stray 7 7:F 2@10 late C, 10@10 traded 4@10*");
    talk("an open one has less, and goes on", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4") "=7:0! 7:F 4@10\n"
         STATUS("0", "0", "0", "10") "=7:H 4@10 (30)");
    talk("what was asked is asked again: its answer may have been missed", TW_FIX_44,
         &none, "on\nnew 7\nsent\n" NEW("7") "missed\n<H 37=X7|11=7|55=A|54=1|\n"
         STATUS("1", "4", "10", "6") "=7:0! 7:F 4@10\nmissed\nsent\nmissed\n"
         "<H 37=X7|11=7|55=A|54=1|");
    talk("a correction that was missed changes the average", TW_FIX_44, &none,
         FILLED STATUS("2", "10", "10.2", "0")
         "=stray 7 7:H 10@10.6 (30) late 2, 10@10 traded 10@10.6*"
         " stray 7 7:F 10@10.2 late 2, 10@10 traded 0@0*\n"
         STATUS("2", "10", "10.2", "0") "=");
    talk("of trades that were booked anew no more is left than has traded", TW_FIX_44,
         &none, "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "2", "10", "2")
         FILL("7", "b", "4", "10", "6") "=7:0! 7:F 2@10 7:F 4@10\n"
         STATUS("1", "6", "11", "4") "=7:H 6@10 (30) 7:F 6@11\n"
         ">8|37=X7|11=7|17=c|19=a|150=H|39=1|38=10|14=4|6=11|151=6|\n=7:H 2@10 (30)\n"
         STATUS("1", "7", "11", "3") "=7:H 4@11.5 (30) 7:F 7@11");
    talk("also where the run was killed before its status came", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         ">8|37=X7|11=7|17=b|150=F|39=2|32=6|31=11|14=10|6=10.6|151=0|\n"
         "=7:0! 7:F 4@10 7:F 6@11\nmissed\nsent\nrestart\njoin 5 me\n"
         "=holds 10@10.6\non\n<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=2|38=10|44=10|14=4|6=10|151=0|\n"
         "=stray 7 7:H 6@11 (30) late 2, 10@10 traded 10@10.6*\n"
         "restart\njoin 5 me\n=holds 4@10.6\non\n<");
    talk("which the venue may have rounded, or not say", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "3", "10", "3")
         FILL("7", "b", "3", "10.1", "6") FILL("7", "c", "3", "10.1", "9")
         "=7:0! 7:F 3@10 7:F 3@10.1 7:F 3@10.1\n" STATUS("1", "9", "10.06", "1")
         STATUS("1", "9", "0", "1") STATUS("1", "9", "10", "1") "=");
    talk("other terms that were missed are in the status, too", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\nmissed\nsent\n"
         ">8|37=X7|11=7|17=0|150=I|39=0|38=8|44=9.5|14=0|6=0|151=8|\n=7:5 8@9.5 (30)");
    talk("an order that a change has made larger goes on, though that was missed",
         TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 13 10\nsent\n=7:0!\nmissed\nsent\n"
         ">8|37=X7|11=7a|17=0|150=I|39=1|38=13|44=10|14=10|6=10|151=3|\n"
         "=7:5 13@10! 7:F 10@10");
    talk("an average whose last digit is cut off is no other one", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "1", "10", "1")
         FILL("7", "b", "2", "11", "3") "=7:0! 7:F 1@10 7:F 2@11\n"
         STATUS("1", "3", "10.666666666", "7") "=");
    talk("a trade that was missed of an order that the venue forgets as it ends",
         TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n=7:0!\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=3|151=0|6=10|\n=\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|55=A|54=1|38=0|151=0|14=0|6=0|\n"
         "=7:F 3@10 7:4!\n<");
    talk("a cancel has one answer, though that waits for a trade", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n=7:0!\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=3|151=0|6=10|\n=\noff\non\nsent\n"
         ">8|37=X7|11=7|17=0|150=I|39=4|55=A|54=1|38=10|151=0|14=3|6=10|\n"
         "=7:F 3@10 7:4!\n<");
    talk("terms that only seem to be those of a change", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 10 11\nsent\n=7:0!\nmissed\nsent\n"
         ">8|37=X7|11=7|17=0|150=I|39=0|55=A|54=1|38=10|44=11|151=10|14=0|6=0|\n"
         "=7:5 10@11!\nmissed\n<H 37=X7|11=7a|55=A|54=1|\n"
         ">8|37=NONE|11=7a|17=0|150=I|39=8|103=5|55=A|54=1|38=0|151=0|14=0|6=0|\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|55=A|54=1|38=10|44=11|151=9|14=1|6=10|\n"
         "=7:F 1@10\ncancel 7\n<F 41=7|37=X7|11=7b|55=A|54=1|" T "38=10|\nmissed\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         UNKNOWN("7") "<H 37=X7|11=7b|55=A|54=1|\n" UNKNOWN("7b")
         "=7:9 (21)! 7:4 (24)");
    talk("a lost change, at a venue that knows an order by its last ClOrdID alone",
         TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 13 10\nsent\nreplace 7 14 10\nsent\n"
         "=7:0!\nmissed\n<H 37=X7|11=7|55=A|54=1|\n" UNKNOWN("7")
         "<H 37=X7|11=7b|55=A|54=1|\n" UNKNOWN("7") UNKNOWN("7b")
         "<H 37=X7|11=7a|55=A|54=1|\n"
         ">8|37=X7|11=7a|17=0|150=I|39=0|55=A|54=1|38=13|44=10|151=13|14=0|6=0|\n"
         "=7:5 13@10! 7:9~ (21)!\ncancel 7\n<F 41=7a|37=X7|11=7c|55=A|54=1|" T "38=13|");
    talk("a change that is on its way as the status is asked for, at such a one",
         TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\nmissed\nreplace 7 13 10\nsent\n"
         ">8|37=X7|11=7a|41=7|17=b|150=5|39=0|38=13|44=10|151=13|14=0|6=0|\n=7:5 13@10!\n"
         UNKNOWN("7") "<H 37=X7|11=7a|55=A|54=1|\n"
         ">8|37=X7|11=7a|17=0|150=I|39=0|55=A|54=1|38=13|44=10|151=13|14=0|6=0|\n=");
    talk("a lost cancel at such a one", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n=7:0!\noff\non\n"
         "<H 37=X7|11=7|55=A|54=1|\n" UNKNOWN("7") "<H 37=X7|11=7a|55=A|54=1|\n"
         ">8|37=X7|11=7a|17=0|150=I|39=4|55=A|54=1|38=10|151=0|14=0|6=0|\n=7:4!");
    talk("a status that can't be asked for is not waited for", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n=7:0!\nmissed\nunsent\n"
         "tick 9\n=\ntick 10\n=stray 7 7:9 (21)!");
    talk("also where it trades before anybody has asked", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 13 10\nsent\n=7:0!\n"
         ">8|37=X7|11=7a|17=b|150=F|39=1|38=13|44=10|32=10|31=10|14=10|6=10|151=3|\n"
         "=7:5 13@10 (30) 7:F 10@10\n"
         ">8|37=X7|11=7a|17=c|150=F|39=2|38=13|44=10|32=3|31=10|14=13|6=10|151=0|\n"
         "=7:F 3@10");
    talk("a bust that was missed is not that of another trade, corrected later",
         TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "2", "10", "2")
         FILL("7", "b", "1", "10", "3") "=7:0! 7:F 2@10 7:F 1@10\n"
         STATUS("1", "2", "10", "8") "=7:H 1@10 (30)\n"
         ">8|37=X7|11=7|17=c|19=a|150=G|39=1|38=10|32=2|31=9|14=2|6=9|151=8|\n"
         "=7:H 2@10 (30) 7:F 2@9");
    talk("nothing is asked for when nothing was missed, nor taken back then", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true },
         ENDED "off\non\n<\n"
         ">8|37=X7|11=7|17=0|150=I|39=C|38=10|44=10|14=0|6=0|151=0|\n=");
}

/* Exits of which one has ended, partly traded, and the other one was made smaller. */
static void exits(void)
{
    talk("the next run knows how large an exit may be, and what others have traded",
         TW_FIX_44, &(struct tw_fix_orders_options){
             .no_mass_status = true, .keeps = true },
         "join 3 me\non\nbracket 7\nsent\n" NEW("7")
         FILL("7", "a", "8", "10", "8") "new 8 8\nnew 9 8\nsent\n" NEW("8") NEW("9")
         "replace 8 5 10 cut\nsent\n"
         ">8|37=X8|11=8a|41=8|17=r|150=5|39=0|55=A|54=1|38=5|44=10|151=5|14=0|6=0|\n"
         FILL("9", "b", "2", "10", "2") ">8|37=X9|11=9|17=e|150=4|39=4|14=2|151=0|6=10|\n"
         "=7:0! 7:F 8@10 8:0! 9:0! 8:5 5@10! 9:F 2@10 9:4 (30)\nrestart\njoin 5 me\n"
         "=7:0 (25) of 5 10@10 traded 8@10* 8:0 (25), which has 8, others 2, "
         "at most 5 'a label' of 5 5@10 traded 0@0* holds 10@10\nrestart\nrestart\n"
         "join 5 me\n=7:0 (25) of 5 10@10 traded 8@10* 8:0 (25), which has 8, "
         "others 2, at most 5 'a label' of 5 5@10 traded 0@0* holds 10@10");
    talk("but not how large it was to be, where the venue refused that", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true },
         "join 3 me\non\nbracket 7\nsent\n" NEW("7")
         FILL("7", "a", "8", "10", "8") "new 8 8\nsent\n" NEW("8")
         "replace 8 6 10 cut\nsent\nreplace 8 5 10 cut\nsent\n"
         ">8|37=X8|11=8a|41=8|17=r|150=5|39=0|55=A|54=1|38=6|44=10|151=6|14=0|6=0|\n"
         ">9|37=X8|11=8b|41=8a|39=0|434=2|\n=7:0! 7:F 8@10 8:0! 8:5 6@10! 8:9~ (21)!\n"
         "drop 9\nrestart\njoin 5 me\n=7:0 (25) of 5 10@10 traded 8@10* 8:0 (25), "
         "which has 8, at most 6 'a label' of 5 6@10 traded 0@0* holds 8@10");
}

int main(void)
{
    begin();
    too_much();
    over();
    in_40();
    overtaken();
    missed();
    corrections();
    refused();
    families();
    settled();
    ends();
    former();
    exits();
    end();
    return tap_done();
}

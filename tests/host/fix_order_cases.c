/* fix_order_cases.c - what a venue may say of orders over FIX, by hand. */
#include "fix_order_talk.h"

#define UUID_OF(nth) "00000000-0000-4123-8400-00000000000" nth

static void bodies(void)
{
    talk("an order of 4.4", TW_FIX_44, &none,
         "on\nnew 7 10 10.5 post\n"
         "<D 11=7|18=6|55=A|54=1|" T "38=10|40=2|44=10.5|59=1|");
    talk("of 4.0: HandlInst, no TransactTime", TW_FIX_40, &none,
         "on\nnew 7 10 10.5\n<D 11=7|21=1|55=A|54=1|38=10|40=2|44=10.5|59=1|");
    talk("at the close before 4.3 is a type", TW_FIX_42, &none,
         "on\nnew 7 10 10 close\n"
         "<D 11=7|21=1|55=A|54=1|" T "38=10|40=B|44=10|");
    talk("a trailing stop of 4.4", TW_FIX_44, &none,
         "on\nnew 7 10 0 trail\n"
         "<D 11=7|18=a|55=A|54=1|" T "38=10|40=P|59=1|211=0.5|");
    talk("and of 5.0", TW_FIX_50SP2, &none,
         "on\nnew 7 10 0 trail\n"
         "<D 11=7|55=A|54=1|" T "38=10|40=P|59=1|211=0.5|1094=8|");
    talk("which 4.2 does not have", TW_FIX_42, &none,
         "on\nnew 7 10 0 trail\n=FIX.4.2 has no trailing_stop");
    talk("nor any one in percent", TW_FIX_50SP2, &none,
         "on\nnew 7 10 0 percent\n=FIXT.1.1 has no trailing stops in percent");
    talk("reduce-only is not said by FIX", TW_FIX_44, &none,
         "on\nnew 7 10 10 reduce\n=FIX.4.4 has no reduce-only orders");
    talk("nor a fraction before 4.2", TW_FIX_41, &none,
         "on\nnew 7 0.5\n=FIX.4.1 has no fractions of a quantity");
    talk("nobody is logged on", TW_FIX_44, &none,
         "new 7\n=the gateway is not connected");
    talk("a chain of ClOrdIDs, the venue's OrderID", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\nreplace 7 20 11\n"
         "replace 7 0 12\ncancel 7\n"          /* 0: as was asked for last */
         "<G 41=7|37=X7|11=7a|55=A|54=1|" T "38=20|40=2|44=11|59=1|"
         " G 41=7a|37=X7|11=7b|55=A|54=1|" T "38=20|40=2|44=12|59=1|"
         " F 41=7b|37=X7|11=7c|55=A|54=1|" T "38=10|\n"
         ">9|37=X7|11=7b|41=7a|39=0|434=2|102=2|\n=7:9~ (21)!\n"
         ">8|37=X7|11=7a|41=7|17=r1|150=5|39=0|55=A|54=1|38=20|44=11|151=20|14=0|6=0|\n"
         "=7:5 20@11!\nreplace 7 40 0\n"
         "<G 41=7a|37=X7|11=7d|55=A|54=1|" T "38=40|40=2|44=11|59=1|");
    talk("fields of the session's orders", TW_FIX_42, &(struct tw_fix_orders_options){
         .account = "ACC", .fields_n = 1, .no_mass_status = true,
         .fields = (const struct tw_fix_extra[]){ { 100, "XNAS" } } },
         "on\nnew 7\ncancel 7\n"
         "<D 11=7|1=ACC|21=1|55=A|54=1|" T "38=10|40=2|44=10|59=1|"
         "100=XNAS| F 41=7|11=7a|1=ACC|55=A|54=1|" T "38=10|");
    talk("SecurityID in place of Symbol", TW_FIX_44, &(struct tw_fix_orders_options){
         .id_source = '8', .first_id = 10 },
         "join 3 me\non\nsent\nnew 17\n<D 11=17|48=A|22=8|54=1|" T
         "38=10|40=2|44=10|59=1|\n>8|37=Z|17=0|150=I|39=0|11=9|55=EURUSD|48=A|22=8|54=1|"
         "38=10|40=2|44=10|59=1|14=0|6=0|151=10|\n=9:0 (25) of 3 10@10 traded 0@0*\n"
         "cancel 9\n<F 41=9|37=Z|11=9aaa|48=A|22=8|54=1|" T "38=10|");
    talk("UUIDs", TW_FIX_42, &(struct tw_fix_orders_options){
         .id_form = TW_FIX_ID_UUID, .no_mass_status = true },
         "on\nnew 4660\n<D 11=" UUID_OF("0") "|21=1|55=A|54=1|" T
         "38=10|40=2|44=10|59=1|\n" NEW(UUID_OF("0")) "=4660:0!\ncancel 4660\nsent\n"
         ">9|37=X|11=" UUID_OF("1") "|41=" UUID_OF("0") "|39=0|434=1|\n=4660:9 (21)!\n"
         "replace 4660 20 11\n<G 41=" UUID_OF("0") "|37=X" UUID_OF("0")
         "|11=" UUID_OF("2")
         "|21=1|55=A|54=1|" T "38=20|40=2|44=11|59=1|\n"
         ">8|37=X|11=00000000-0000-4123-8400-00010000000a|17=z|150=0|39=0|14=0|6=0|\n"
         "=stray "
         "00000000-0000-4123-8400-00010000000a");
    talk("their HandlInst is the only one", TW_FIX_42, &(struct tw_fix_orders_options){
         .fields_n = 1, .no_mass_status = true,
         .fields = (const struct tw_fix_extra[]){ { 21, "2" } } },
         "on\nnew 7\n<D 11=7|55=A|54=1|" T "38=10|40=2|44=10|59=1|21=2|");
    talk("as is their ExecInst", TW_FIX_44, &(struct tw_fix_orders_options){
         .fields_n = 1, .no_mass_status = true,
         .fields = (const struct tw_fix_extra[]){ { 18, "G 6" } } },
         "on\nnew 7\nnew 8 10 10.5 post\nnew 9 10 0 trail\n"
         "<D 11=7|18=G 6|55=A|54=1|" T "38=10|40=2|44=10|59=1|"
         " D 11=8|18=G 6|55=A|54=1|" T "38=10|40=2|44=10.5|59=1|"
         " D 11=9|18=G 6 a|55=A|54=1|" T "38=10|40=P|59=1|211=0.5|");
    talk("those of the header stand first", TW_FIX_44, &(struct tw_fix_orders_options){
         .fields_n = 2, .no_mass_status = true,
         .fields = (const struct tw_fix_extra[]){ { 100, "X" }, { 128, "EX" } } },
         "on\nnew 7\ncancel 7\n"
         "<D 128=EX|11=7|55=A|54=1|" T "38=10|40=2|44=10|59=1|100=X|"
         " F 128=EX|41=7|11=7a|55=A|54=1|" T "38=10|\n");
}

static void trades(void)
{
    talk("a trade comes once, its commission counts", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") NEW("7")
         ">8|37=X7|11=7|17=a|150=F|39=1|32=4|31=10|14=4|6=10|12=0.5|13=3|851=2|\n"
         ">8|37=X7|11=7|17=a|150=F|39=1|32=4|31=10|14=4|6=10|97=Y|\n"
         ">8|37=X7|11=7|17=b|150=F|39=2|32=6|31=10|14=10|6=10|12=0.01|13=1|\n"
         "=7:0! 7:F 4@10 fee 0.5 7:F 6@10 fee 0.06\n"
         ">8|37=X7|11=7|17=b|150=F|39=2|32=6|31=10|14=10|6=10|\n=");
    talk("before it was acknowledged; a commission of 5 % is .05", TW_FIX_42, &none,
         "on\nnew 7\nsent\n>8|37=X7|11=7|17=a|20=0|150=1|39=1|32=4|31=9|14=4|6=9|12=.05|"
         "13=2|\n" NEW("7") "=7:0! 7:F 4@9 fee 0 and 5%");
    talk("taken back", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         FILL("7", "b", "3", "10", "7")
         ">8|37=X7|11=7|17=c|19=a|150=H|39=1|14=3|151=7|\n"
         "=7:0! 7:F 4@10 7:F 3@10 7:H 4@10 (30)\n<");
    talk("taken back, and not for sale again", TW_FIX_42, &none,
         "on\nnew 7\nsent\n" NEW("7") ">8|37=X7|11=7|17=a|20=0|150=1|39=1|32=4|31=9|14=4"
         "|6=9|\n>8|37=X7|11=7|17=c|19=a|20=1|150=1|39=0|14=0|151=6|\n"
         "=7:0! 7:F 4@9 7:H 4@9 (30) 7:5 6@10 (30)");
    talk("corrected", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         ">8|37=X7|11=7|17=c|19=a|150=G|39=1|32=4|31=9.5|14=4|6=9.5|151=6|\n"
         "=7:0! 7:F 4@10 7:H 4@10 (30) 7:F 4@9.5\n"
         ">8|37=X7|11=7|17=d|19=c|150=H|39=0|14=0|151=10|\n=7:H 4@9.5 (30)");
    talk("taken back before it comes", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") ">8|37=X7|11=7|17=c|19=a|150=H|39=0|14=0|151=10|\n"
         FILL("7", "a", "4", "10", "4") "=7:0!");
    talk("of an order that has ended", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") ">8|37=X7|11=7|17=u|150=4|39=4|14=0|151=0|58=why|\n"
         "=7:0! stray 7 7:4 (30)\n" FILL("7", "a", "4", "10", "4")
         "=stray 7 7:F 4@10 late 4, 10@10 traded 0@0*\n"
         ">8|37=X7|11=7|17=c|19=a|150=H|39=4|14=0|151=0|\n"
         "=stray 7 7:H 4@10 (30) late 4, 10@10 traded 4@10*");
    talk("the end waits for them", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=4|151=0|6=10|\n=7:0!\n"
         "<H 37=X7|11=7|55=A|54=1|\n" FILL("7", "a", "4", "10", "4")
         "=7:F 4@10 7:4!");
    talk("or for what the status says, once", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "b", "3", "11", "7")
         "=7:0! 7:F 3@11\n<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|38=10|44=10|14=7|6=10.5|151=3|\n"
         "=7:F 4@10.125\n>8|37=X7|11=7|17=a|150=F|39=1|32=4|31=10.125|14=4|6=10.125|\n=\n"
         FILL("7", "c", "3", "10", "10") "=7:F 3@10");
    talk("or nothing says it", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") FILL("7", "b", "3", "11", "7") "sent\n"
         ">j|45=2|372=H|380=3|58=no|\n=7:0! 7:F 3@11 stray  stray 7 7:F 4@9.25");
    talk("or nobody answers for ten seconds", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=4|151=0|6=9.5|\nsent\ntick 9\n=7:0!\n"
         "tick 10\n=stray 7 7:F 4@9.5 7:4!\ntick 30\n=");
    talk("more of it than there was", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7")
         ">8|37=X7|11=7|17=a|150=F|39=1|38=30|32=15|31=10|14=15|6=10|\n"
         "=7:0! 7:5 30@10 (30) 7:F 15@10");
}

static void others(void)
{
    talk("changed by the venue", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7")
         ">8|37=X7|11=7|17=r|150=D|39=0|38=8|44=9.5|14=0|151=8|6=0|378=3|\n"
         ">8|37=X7|11=7|17=r|150=D|39=0|38=8|44=9.5|14=0|151=8|6=0|378=3|\n"
         "=7:0! 7:5 8@9.5 (30)");
    talk("rejected, and refused by 3 and j", TW_FIX_44, &none,
         "on\nnew 7\nnew 8\nnew 9\nsent\n"
         ">3|45=9|373=5|371=38|\n=\n"
         ">8|37=NONE|11=7|17=r|150=8|39=8|103=2|14=0|6=0|\n"
         ">3|45=2|373=5|371=38|\n>j|45=3|372=D|379=9|380=4|\n"
         "=7:8 (17)! 8:8 (21)! 9:8 (21)!");
    talk("a replacement rejected by 8", TW_FIX_42, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 10\nsent\n"
         ">8|37=X7|11=7a|41=7|17=r|20=0|150=8|39=8|14=0|6=0|\n=7:0! 7:9~ (21)!");
    talk("done for the day, but not those that last", TW_FIX_44, &none,
         "on\nnew 7\nnew 8 10 10 day\nsent\n" NEW("7") NEW("8")
         ">8|37=X7|11=7|17=d|150=3|39=3|14=0|6=0|\n"
         ">8|37=X8|11=8|17=d|150=3|39=3|14=0|6=0|\n=7:0! 8:0! 8:3");
    talk("and so where a status says it", TW_FIX_44, &none,
         "on\nnew 7\nnew 8 10 10 day\nsent\n" NEW("7") NEW("8") "off\non\nsent\n"
         ">8|37=X7|11=7|17=0|150=I|39=3|38=10|44=10|14=0|6=0|151=0|\n"
         ">8|37=X8|11=8|17=0|150=I|39=3|38=10|44=10|14=0|6=0|151=0|\n=7:0! 8:0! 8:3");
    talk("a change that is confirmed after a later one", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nreplace 7 30 12\nsent\n"
         ">8|37=X7|11=7b|41=7a|17=s|150=5|39=0|55=A|54=1|38=30|44=12|151=30|14=0|6=0|\n"
         ">8|37=X7|11=7a|41=7|17=r|150=5|39=0|55=A|54=1|38=20|44=11|151=20|14=0|6=0|\n"
         "=7:0! 7:5 30@12! 7:5 30@12!");
    talk("expired; pending states say nothing", TW_FIX_41, &none,
         "on\nnew 7\nsent\n>8|37=X7|11=7|17=p|20=0|150=A|39=A|14=0|6=0|\n=\n" NEW("7")
         ">8|37=X7|11=7|17=q|20=0|150=6|39=6|14=0|6=0|\n"
         ">8|37=X7|11=7|17=d|20=0|150=C|39=C|14=0|6=0|\n=7:0! 7:C");
    talk("a cancel that is confirmed by the order's id", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n"
         ">8|37=X7|11=7|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:0! 7:4!");
    talk("4.0 says it by the status alone", TW_FIX_40, &none,
         "on\nnew 7\nsent\n>8|37=X7|11=7|17=1|20=0|39=0|32=0|31=0|14=0|6=0|\n"
         ">8|37=X7|11=7|17=2|20=0|39=1|32=4|31=10|14=4|6=10|\n"
         ">8|37=X7|11=7|17=3|20=2|19=2|39=1|32=4|31=9|14=4|6=9|\ncancel 7\nsent\n"
         ">8|37=X7|11=7a|17=4|20=0|39=4|32=0|31=0|14=4|6=9|\n"
         "=7:0! 7:F 4@10 7:H 4@10 (30) 7:F 4@9 7:4!");
}

#define STATUS_IS(status) ">8|37=X7|11=7|17=0|150=I|39=" status \
    "|38=10|44=10|14=0|6=0|151=10|\n"

/* A venue's own dictionary need not have 35=H. */
static void unasked(void)
{
    static const char xml[] =
        "<fix type='FIX' major='4' minor='4'>"
        "<header><field name='MsgType' required='Y'/></header>"
        "<trailer><field name='CheckSum' required='Y'/></trailer><messages>"
        "<message name='New' msgtype='D' msgcat='app'>"
        "<field name='ClOrdID' required='Y'/></message>"
        "<message name='Cancel' msgtype='F' msgcat='app'>"
        "<field name='ClOrdID' required='Y'/></message>"
        "<message name='Mass' msgtype='AF' msgcat='app'>"
        "<field name='ClOrdID' required='N'/></message></messages>"
        "<fields><field number='10' name='CheckSum' type='STRING'/>"
        "<field number='35' name='MsgType' type='STRING'/>"
        "<field number='11' name='ClOrdID' type='STRING'/>"
        "<field number='38' name='OrderQty' type='QTY'/>"
        "<field number='40' name='OrdType' type='CHAR'/>"
        "<field number='59' name='TimeInForce' type='CHAR'/></fields></fix>";
    struct tw_fix_dictionary *whole_one = dictionaries[TW_FIX_44];
    struct tw_fix_orders_options mass = { 0 };
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_error error;

    if (!t || tw_fix_draft_add(t, "xml", xml, sizeof xml - 1, &error) < 0
        || tw_fix_draft_finish(t, &dictionaries[TW_FIX_44], &error) < 0)
        abort();
    tw_fix_draft_free(t);
    talk("where no status can be asked for, what is lost in a gap has an answer",
         TW_FIX_44, &none, "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n=7:0!\n"
         "missed\n<\n=stray 7 7:9 (21)!");
    talk("nor by an order's own one: of all orders, then", TW_FIX_44, &mass,
         "on\n<AF 584=1767225600000000000|585=7|\nnew 7\nsent\n" NEW("7")
         "=7:0!\nmissed\n<AF 584=1767225600000000000|585=7|\n=");
    tw_fix_dictionary_free(dictionaries[TW_FIX_44]);
    dictionaries[TW_FIX_44] = whole_one;
}

static void connections(void)
{
    talk("what was not sent when it went down", TW_FIX_44, &none,
         "on\nnew 7\noff\n=7:8 (22)!\nnew 8\n=the gateway is not connected");
    talk("what was lost with it", TW_FIX_44, &none,
         "on\nnew 7\nnew 8\nsent\n" NEW("7") "cancel 7\nsent\noff\non\n"
         "<H 11=8|55=A|54=1| H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=NONE|11=8|17=0|150=8|39=8|103=5|14=0|6=0|\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|38=10|44=10|14=4|6=10|151=6|\n"
         "=7:0! 8:8 (24)! 7:F 4@10 7:9 (22)!");
    talk("of which nobody says anything, until it is canceled", TW_FIX_44, &none,
         "on\nnew 7\nsent\noff\non\nsent\ntick 10\n=stray 7\ncancel 7\nsent\n"
         ">9|37=NONE|11=7a|41=7|39=8|434=1|102=1|\n=7:9 (20)! 7:8 (24)!");
    talk("what the session refuses is asked for", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\n~9|37=X7|11=7a|41=7|39=0|\n=7:0!\n"
         "<H 37=X7|11=7|55=A|54=1|\n~8|37=X7|11=7|17=a|150=F|39=1|32=4|31=10|14=4|6=10|\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|38=10|44=10|14=4|6=10|151=6|\n"
         "=7:F 4@10 7:9 (21)!\n"
         "replace 7 20 11\nsent\n~8|37=X7|11=7b|41=7|17=r|150=5|39=0|38=20|44=11|\nsent\n"
         ">8|37=X7|11=7b|17=0|150=I|39=1|38=20|44=11|14=4|6=10|151=16|\n=7:5 20@11!\n"
         "~8|37=X|17=b|150=F|14=9|\n<H 37=X7|11=7b|55=A|54=1|\n~B|148=x|\n<");
    talk("an order that the peer has missed is not there", TW_FIX_44, &none,
         "on\nnew 6\nsent\n" NEW("6") "new 7\nsent\nresend 1 1\n<\n"
         "resend 2 2\n<H 11=7|55=A|54=1|\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n=6:0! 7:8 (24)!");
    talk("nor is a change of one", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nsent\nresend 1\n"
         "<H 37=X7|11=7|55=A|54=1|\n" STATUS_IS("0") "=7:0! 7:9~ (21)!\nresend 1\n<");
    talk("what answered a change may have been missed", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\ncancel 7\nsent\nmissed\n"
         "<H 37=X7|11=7|55=A|54=1|\n" STATUS_IS("0") "=7:0! 7:9~ (21)! 7:9 (21)!\n"
         "cancel 7\nsent\nmissed\nsent\n>8|37=X7|11=7c|41=7|17=0|150=I|39=4|38=10|"
         "44=10|14=0|6=0|151=0|\n=7:4!");
    talk("but not a status that was asked for before", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\noff\non\n<H 37=X7|11=7|55=A|54=1|\n"
         "cancel 7\nsent\nmissed\n<H 37=X7|11=7|55=A|54=1|\n" STATUS_IS("0") "=\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4!");
    talk("nor what the venue is about to do", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "cancel 7\nsent\nmissed\nsent\n" STATUS_IS("6")
         "=7:0!\n>8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4!");
    talk("changed meanwhile by what was asked for", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nsent\noff\non\nsent\n"
         ">8|37=X7|11=7a|17=0|150=I|39=0|38=20|44=11|14=0|6=0|151=20|\n=7:0! 7:5 20@11!\n"
         "cancel 7\n<F 41=7a|37=X7|11=7b|55=A|54=1|" T "38=20|");
    talk("a cancel by the name of a change that was refused goes out again", TW_FIX_44,
         &none, "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\ncancel 7\nsent\n"
         ">9|37=X7|11=7a|41=7|39=0|434=2|102=2|\n=7:0! 7:9~ (21)!\n"
         ">9|37=NONE|11=7b|41=7a|39=8|434=1|102=1|\n=\n<H 37=X7|11=7|55=A|54=1|\n"
         STATUS_IS("0") "<F 41=7|37=X7|11=7c|55=A|54=1|" T "38=10|\n"
         ">9|37=NONE|11=7c|41=7|39=8|434=1|102=1|\n=7:9 (20)!");
    talk("one of our own that is refused is told", TW_FIX_44,
         &(struct tw_fix_orders_options){ .cancel_on_disconnect = true,
                                          .no_mass_status = true },
         "on\nnew 7\nsent\n" NEW("7") "off\non\nsent\n=7:0!\n"
         ">9|37=X7|11=7a|41=7|39=0|434=1|102=2|\n=stray 7a\n"
         "cancel 7\nsent\n>9|37=X7|11=7b|41=7|39=0|434=1|102=2|\n=7:9 (21)!");
    talk("one after a connection in which a change was lost, too", TW_FIX_44,
         &(struct tw_fix_orders_options){ .cancel_on_disconnect = true,
                                          .no_mass_status = true },
         "on\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nsent\noff\non\n"
         "<F 41=7a|37=X7|11=7b|55=A|54=1|" T "38=10| H 37=X7|11=7|55=A|54=1|\n"
         ">9|37=NONE|11=7b|41=7a|39=8|434=1|102=1|\n" STATUS_IS("0") "=7:0! 7:9~ (22)!\n"
         "<F 41=7|37=X7|11=7c|55=A|54=1|" T "38=10|");
    talk("orders are canceled after it", TW_FIX_50SP1, &(struct tw_fix_orders_options){
         .cancel_on_disconnect = true, .no_mass_status = true },
         "on\nnew 7\n<D 11=7|18=o|55=A|54=1|" T "38=10|40=2|44=10"
         "|59=1|\n" NEW("7") "off\non\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10|"
         " H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:0! 7:4");
    talk("or before, where we log out", TW_FIX_44, &(struct tw_fix_orders_options){
         .cancel_on_disconnect = true, .no_mass_status = true },
         "on\nnew 7\nnew 8\nsent\n" NEW("7") NEW("8") "=7:0! 8:0!\ncancel 7\nsent\n"
         "leaving\n<F 41=8|37=X8|11=8a|55=A|54=1|" T "38=10|\n"
         ">8|37=X8|11=8a|41=8|17=e|150=4|39=4|14=0|151=0|6=0|\n=8:4");
    talk("if that is asked for", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "leaving\n<");
    tw_desk_init(&desk, &(struct tw_limits){0});
    tw_desk_halt(&desk, true);
    talk("in a halted run, too", TW_FIX_44, &(struct tw_fix_orders_options){
         .desk = &desk, .no_mass_status = true },
         "on\nnew 7\n<D 11=7|55=A|54=1|" T "38=10|40=2|44=10|59=1|\n" NEW("7") "off\non\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10| H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:0! 7:4");
    tw_desk_halt(&desk, false);
    talk("and not when it goes on", TW_FIX_44, &(struct tw_fix_orders_options){
         .desk = &desk, .no_mass_status = true },
         "on\nnew 7\nsent\n" NEW("7") "off\non\n<H 37=X7|11=7|55=A|54=1|\n");
    talk("of others: all are asked for, and canceled", TW_FIX_44,
         &(struct tw_fix_orders_options){ .cancel_unknown = true },
         "on\n<AF 584=1767225600000000000|585=7|\n"
         ">8|37=Z|11=abc|17=0|150=I|39=1|55=A|54=2|38=10|14=4|6=10|151=6|\n=stray abc\n"
         "<F 41=abc|37=Z|11=x18867251edfa0000.1|55=A|54=2|" T "38=10|\n"
         ">8|37=Z|11=x18867251edfa0000.1|41=abc|17=1|150=4|39=4|14=4|151=0|6=10|\n"
         "=stray x18867251edfa0000.1\n<");
    talk("there are none", TW_FIX_44,
         &(struct tw_fix_orders_options){ .cancel_unknown = true },
         "on\n<AF 584=1767225600000000000|585=7|\n"
         ">8|37=NONE|17=1|150=I|39=8|103=5|55=[N/A]|54=7|584=1767225600000000000|911=0|"
         "912=Y|38=0|151=0|14=0|6=0|\n=\n<");
    tw_desk_fini(&desk);
}

static const struct tw_fix_orders_options keeping = {
    .no_mass_status = true, .keeps = true, .first_id = 10 };
static const struct tw_fix_orders_options guessing = { .first_id = 10,
                                                       .account = "ACC" };

#define FORMER "11=7|55=A|54=1|38=10|40=2|44=10|59=1|"

static void former_runs(void)
{
    talk("a restart: the order, its trades and its ClOrdIDs go on", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\n<D 11=7|55=A|54=1|" T "38=10|40=2|44=10|59=1|\n" NEW("7")
         FILL("7", "a", "4", "10", "4") "replace 7 20 11\nsent\n=7:0! 7:F 4@10\n"
         "restart\non\n<H 37=X7|11=7|55=A|54=1|\njoin 5 me\n"
         "=stray 7 7:0 (25) of 5 10@10 traded 4@10* holds 4@10\n"
         FILL("7", "a", "4", "10", "4") FILL("7", "b", "1", "12", "5") "=7:F 1@12*\n"
         "cancel 7\n<F 41=7|37=X7|11=7b|55=A|54=1|" T "38=10|\n"
         ">8|37=X7|11=7b|41=7|17=e|150=4|39=4|14=5|151=0|6=10.4|\n=7:4!\n"
         "restart\njoin 2 me\n=holds 5@10.4");
    talk("what traded meanwhile is booked, and who comes later holds it", TW_FIX_44,
         &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nrestart\non\nsent\n"
         FILL("7", "a", "4", "10", "4") "=stray 7\njoin 3 me\n"
         "=7:0 (25) of 3 10@10 traded 4@10* holds 4@10\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|55=A|54=1|38=10|44=10|14=6|6=11|\n"
         "=7:F 2@13*");
    talk("one that the venue never got", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nsent\nrestart\njoin 3 me\n"
         "=7:0 (25) of 3 10@10 traded 0@0*\non\nsent\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n=7:4 (24)*");
    talk("one that was changed as the run was killed, by its last ClOrdID", TW_FIX_44,
         &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "replace 7 13 10\nsent\n"
         "replace 7 14 10\nsent\n=7:0!\nrestart\njoin 3 me\n"
         "=7:0 (25) of 3 10@10 traded 0@0*\non\n<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n"
         "<H 37=X7|11=7b|55=A|54=1|\n"
         ">8|37=NONE|11=7b|17=0|150=I|39=8|103=5|14=0|6=0|\n"
         "<H 37=X7|11=7a|55=A|54=1|\n"
         ">8|37=X7|11=7a|17=0|150=I|39=0|55=A|54=1|38=13|44=10|151=13|14=0|6=0|\n"
         "=7:5 13@10 (30)*\ncancel 7\n<F 41=7a|37=X7|11=7c|55=A|54=1|" T "38=13|");
    talk("of a script that is gone: told once, and canceled if asked", TW_FIX_44,
         &(struct tw_fix_orders_options){ .no_mass_status = true, .keeps = true,
                                          .cancel_unknown = true },
         "join 3 me\njoin 4 other\non\nnew 7\nsent\n" NEW("7") "=7:0!\n"
         "restart\njoin 4 other\non\n=stray 7\n"
         "<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10| H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=\nrestart\non\n<");
    talk("a change of a former run that the venue has taken: its ClOrdID goes on",
         TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nsent\n=7:0!\n"
         "restart\njoin 3 me\n=7:0 (25) of 3 10@10 traded 0@0*\non\nsent\n"
         ">8|37=X7|11=7a|41=7|17=r|150=5|39=0|55=A|54=1|38=20|44=11|151=20|14=0|6=0|\n"
         "=7:5 20@11 (30)*\ncancel 7\n<F 41=7a|37=X7|11=7b|55=A|54=1|" T "38=20|");
    talk("or its status says it", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "replace 7 20 11\nsent\n=7:0!\n"
         "restart\njoin 3 me\n=7:0 (25) of 3 10@10 traded 0@0*\non\ncancel 7\nsent\n"
         ">9|37=NONE|11=7b|41=7|39=8|434=1|102=1|\n=\n"
         ">8|37=X7|11=7a|17=0|150=I|39=0|55=A|54=1|38=20|44=11|151=20|14=0|6=0|\n"
         "<F 41=7a|37=X7|11=7c|55=A|54=1|" T "38=20|\n=7:5 20@11 (30)\n"
         ">8|37=X7|11=7c|41=7a|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4!");
    talk("what is held by who is not there any more is told, once", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") FILL("7", "a", "4", "10", "4")
         "=7:0! 7:F 4@10\norphans\n=\nrestart\norphans\n=me 4@10\norphans\n=");
    talk("lines of something else", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nspoil\nrestart\n"
         "=2 strange lines\njoin 3 me\n=7:0 (25) of 3 10@10 traded 0@0*");
    talk("without lines: of the only one there is", TW_FIX_44, &guessing,
         "join 3 me\non\n<AF 584=1767225600000000000|585=7|\n"
         ">8|37=Z|17=0|150=I|39=1|1=ACC|" FORMER "14=4|6=10|151=6|\n"
         "=7:0 (25) of 3 10@10 traded 0@0* 7:F 4@10*\n"
         ">8|37=Z|11=7|17=b|150=F|39=2|32=6|31=9|14=10|6=9.4|151=0|\n=7:F 6@9*");
    talk("a trade of one, and its new ClOrdIDs", TW_FIX_44, &guessing,
         "join 3 me\non\nsent\n"
         ">8|37=Z|17=a|150=F|39=1|32=1|31=10|" FORMER "14=1|6=10|151=9|\n"
         "=7:0 (25) of 3 10@10 traded 0@0* 7:F 1@10*\ncancel 7\n"
         "<F 41=7|37=Z|11=7aaa|1=ACC|55=A|54=1|" T "38=10|\n"
         ">9|37=Z|11=7aaa|41=7|39=8|434=1|102=1|\n=7:9 (20)! 7:4 (24)");
    talk("not where it could be of two", TW_FIX_44, &guessing,
         "join 3 me\njoin 4 other\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|" FORMER "14=0|6=0|151=10|\n=stray 7");
    talk("nor of two who have not come yet", TW_FIX_44, &guessing,
         "expect 3\nexpect 4\njoin 3 me\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|" FORMER "14=0|6=0|151=10|\n=stray 7\njoin 4 other\n"
         "<\n>8|37=Z|17=0|150=I|39=0|" FORMER "14=0|6=0|151=10|\n=stray 7");
    talk("but of one who is told of twice", TW_FIX_44, &guessing,
         "expect 3\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|" FORMER "14=0|6=0|151=10|\n=stray 7\nexpect 3\n"
         "join 3 me\n<AF 584=1767225600000000000|585=7|");
    talk("nor of another account, of this run, or over", TW_FIX_44, &guessing,
         "join 3 me\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|1=XYZ|" FORMER "14=0|6=0|151=10|\n=stray 7\n"
         ">8|37=Z|17=0|150=I|39=0|11=1000|55=A|54=1|38=10|40=2|44=10|14=0|6=0|\n"
         "=stray 1000\n"
         ">8|37=Z|17=0|150=I|39=2|" FORMER "14=10|6=10|151=0|\n=stray 7");
    talk("nor one whose number no run has begun with for long", TW_FIX_44,
         &(struct tw_fix_orders_options){ .first_id = 71 },
         "join 3 me\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|11=6|55=A|54=1|38=10|40=2|44=10|14=0|6=0|\n=stray 6\n"
         ">8|37=Z|17=1|150=F|39=2|11=6|55=A|54=1|38=10|32=5|31=9|14=5|6=9|\n=stray 6\n"
         ">8|37=Z|17=0|150=I|39=0|" FORMER "14=0|6=0|151=10|\n"
         "=7:0 (25) of 3 10@10 traded 0@0*");
}

/* The answers come before the first script that trades there. */
static void found_early(void)
{
    talk("who comes after the answers asks again", TW_FIX_44, &guessing,
         "on\nsent\n>8|37=Z|17=0|150=I|39=1|" FORMER "14=4|6=10|151=6|\n=stray 7\n<\n"
         "join 3 me\n<AF 584=1767225600000000000|585=7|\n"
         ">8|37=Z|17=0|150=I|39=1|" FORMER "14=4|6=10|151=6|\n"
         "=7:0 (25) of 3 10@10 traded 0@0* 7:F 4@10*\njoin 4 other\n<");
    talk("not where nothing was there", TW_FIX_44, &guessing,
         "on\nsent\njoin 3 me\n<");
    talk("but after the next Logon where it is down", TW_FIX_44, &guessing,
         "on\nsent\n>8|37=Z|17=0|150=I|39=1|" FORMER "14=4|6=10|151=6|\n=stray 7\n"
         "off\njoin 3 me\n<\non\n<AF 584=1767225600000000000|585=7|");
}

/* Orders of a former run that are known only after the Logon. */
static void found_late(void)
{
    struct tw_fix_orders_options halted = guessing, keeps = keeping;

    tw_desk_init(&desk, &(struct tw_limits){0});
    tw_desk_halt(&desk, true);
    halted.desk = keeps.desk = &desk;
    talk("a halted run cancels what AF finds", TW_FIX_44, &halted,
         "join 3 me\non\n<AF 584=1767225600000000000|585=7|\n"
         ">8|37=Z|17=0|150=I|39=1|1=ACC|" FORMER "14=4|6=10|151=6|\n"
         "=7:0 (25) of 3 10@10 traded 0@0* 7:F 4@10*\n"
         "<F 41=7|37=Z|11=7aaa|1=ACC|55=A|54=1|" T "38=10|\n"
         ">8|37=Z|11=7|17=c|150=I|39=1|14=4|6=10|151=6|\n<\n"
         ">8|37=Z|11=7aaa|41=7|17=e|150=4|39=4|14=4|151=0|6=10|\n=7:4*");
    talk("but not what has traded by then", TW_FIX_44, &halted,
         "join 3 me\non\nsent\n"
         ">8|37=Z|17=a|150=F|39=2|32=10|31=10|" FORMER "14=10|6=10|151=0|\n"
         "=7:0 (25) of 3 10@10 traded 0@0* 7:F 10@10*\n<");
    talk("nor twice what a script finds that comes then", TW_FIX_44, &keeps,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nrestart\non\n"
         "=stray 7\n<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10| H 37=X7|11=7|55=A|54=1|\n"
         "join 3 me\n=7:0 (25) of 3 10@10 traded 0@0*\n<\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4*");
    tw_desk_halt(&desk, false);
    talk("halted between the Logon and that", TW_FIX_44, &keeps,
         "join 3 me\non\nnew 7\nsent\n" NEW("7") "=7:0!\nrestart\non\nsent\n"
         "=stray 7\nhalt\n<F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10|\n"
         "join 3 me\n=7:0 (25) of 3 10@10 traded 0@0*\n<\nhalt\n<\n"
         ">8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4*");
    tw_desk_halt(&desk, false);
    talk("but not while it is down, nor what a script sees to", TW_FIX_44, &keeps,
         "join 3 me\njoin 4 other\non\nnew 7\nsent\n" NEW("7") "=7:0!\nhalt\n<\n"
         "restart\nhalt\n<\non\n=stray 7\n<F 41=7|37=X7|11=7a|55=A|54=1|" T
         "38=10| H 37=X7|11=7|55=A|54=1|\nhalt\n<");
    tw_desk_fini(&desk);
    halted = guessing;
    halted.cancel_on_disconnect = true;
    talk("as it is asked to after each Logon", TW_FIX_44, &halted,
         "join 3 me\non\nsent\n"
         ">8|37=Z|17=0|150=I|39=0|1=ACC|" FORMER "14=0|6=0|151=10|\n"
         "=7:0 (25) of 3 10@10 traded 0@0*\n"
         "<F 41=7|37=Z|11=7aaa|1=ACC|55=A|54=1|" T "38=10|");
}

static void words(void)
{
    shows_words = true;
    talk("a venue's words: of a reject", TW_FIX_44, &none,
         "on\nnew 7\nsent\n"
         ">8|37=X|11=7|17=1|150=8|39=8|103=99|58=margin call|14=0|6=0|\n"
         "=stray 7 7:8 (21) 'margin call' 99!");
    talk("of a refused change, and of none", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\ncancel 7\nsent\n"
         ">9|37=X7|11=7a|41=7|39=0|434=1|102=3|58=wait|\n=stray 7a 7:9 (21) 'wait' 3!\n"
         FILL("7", "a", "4", "10", "4") "=7:F 4@10");
    talk("of an end that waits for its trade", TW_FIX_44, &none,
         "on\nnew 7\nsent\n" NEW("7") "=7:0!\n"
         ">8|37=X7|11=7|17=e|150=4|39=4|58=halted|14=4|151=0|6=10|\n=stray 7\n"
         FILL("7", "a", "4", "10", "4") "=7:F 4@10 7:4 (30) 'halted' -1");
    shows_words = false;
}

/* As long as a label can be. */
#define TEN "%%%%%%%%%%"
#define PERCENTS TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "%%%%%%%%%"

/* An order's life, with as much memory as there is. */
/* What a script sees to itself goes on in the next run: brackets and groups. */
static void ties(void)
{
    talk("who waits is there again, and goes out when it can", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nhold 8 7\nsent\n" NEW("7") "=7:0!\nrestart\n"
         "join 5 me\n=7:0 (25) of 5 10@10 traded 0@0* "
         "8:A (25) waits for 7 'a label' of 5 10@10 traded 0@0*\non\nsent\n"
         FILL("7", "a", "10", "10", "10") "=7:F 10@10*\n"
         "new 8\n<D 11=8|55=A|54=1|" T "38=10|40=2|44=10|59=1|\n" NEW("8") "=8:0!\n"
         "restart\njoin 5 me\n"
         "=8:0 (25), which has 10 'a label' of 5 10@10 traded 0@0* holds 10@10");
    talk("not before there is a session where its parent has traded", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nhold 8 7\nsent\n" NEW("7")
         FILL("7", "a", "10", "10", "10") "=7:0! 7:F 10@10\nrestart\njoin 5 me\n"
         "=holds 10@10\non\n"
         "=8:A (25) waits for 7, which has 10 'a label' of 5 10@10 traded 0@0*\n<");
    talk("those of a bracket are kept before it goes out", TW_FIX_44, &keeping,
         "join 3 me\non\nbracket 7\nsent\nrestart\njoin 5 me\n"
         "=7:0 (25) of 5 10@10 traded 0@0* "
         "8:A (25) waits for 7 'a label' of 5 10@10 traded 0@0* "
         "9:A (25) waits for 7 'a label' of 5 10@10 traded 0@0*");
    talk("and with it, where it can't go out", TW_FIX_44, &keeping,
         "join 3 me\nbracket 7\n=the gateway is not connected\n"
         "restart\njoin 5 me\non\n=");
    talk("with any label", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nhold 8 7 0 dash\nhold 9 7 0 long\nsent\n" NEW("7")
         "=7:0!\nrestart\njoin 5 me\n=7:0 (25) of 5 10@10 traded 0@0* "
         "8:A (25) waits for 7 '-' of 5 10@10 traded 0@0* "
         "9:A (25) waits for 7 '" PERCENTS "' of 5 10@10 traded 0@0*");
    talk("what was dropped is no more", TW_FIX_44, &keeping,
         "join 3 me\non\nnew 7\nhold 8 7\nsent\ndrop 8\n" NEW("7") "=7:0!\n"
         "restart\njoin 5 me\n=7:0 (25) of 5 10@10 traded 0@0*");
    talk("a group of which one has traded, and the end came before the other was told",
         TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("7", "a", "10", "10", "10") "=7:0! 8:0! 7:F 10@10\nrestart\njoin 5 me\n"
         "=8:0 (25) 'a label' of 5 10@10 traded 0@0* holds 10@10\non\n"
         "<H 37=X8|11=8|55=A|54=1| F 41=8|37=X8|11=8a|55=A|54=1|" T "38=10|");
    talk("of which a part has traded: the other shrinks, once", TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("7", "a", "4", "10", "4") "=7:0! 8:0! 7:F 4@10\nrestart\njoin 5 me\n"
         "=7:0 (25) 'a label' of 5 10@10 traded 4@10* 8:0 (25), at most 6 'a label' of 5 "
         "10@10 traded 0@0* holds 4@10\non\n"
         "<H 37=X7|11=7|55=A|54=1| H 37=X8|11=8|55=A|54=1|"
         " G 41=8|37=X8|11=8a|55=A|54=1|" T "38=6|40=2|44=10|59=1|\n"
         ">8|37=X8|11=8a|41=8|17=r|150=5|39=0|55=A|54=1|38=6|44=10|151=6|14=0|6=0|\n"
         "=8:5 6@10*\nrestart\njoin 5 me\n=7:0 (25) 'a label' of 5 10@10 traded 4@10* "
         "8:0 (25) 'a label' of 5 6@10 traded 0@0* holds 4@10\non\n"
         "<H 37=X8|11=8a|55=A|54=1| H 37=X7|11=7|55=A|54=1|");
    talk("by what is left of those that have traded, over what it has itself",
         TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\ngroup 9 6\nsent\n" NEW("7") NEW("8")
         NEW("9") FILL("8", "b", "3", "10", "3") FILL("7", "a", "4", "10", "4")
         "=7:0! 8:0! 9:0! 8:F 3@10 7:F 4@10\nrestart\non\n"
         "<H 37=X7|11=7|55=A|54=1| H 37=X8|11=8|55=A|54=1| H 37=X9|11=9|55=A|54=1|"
         " G 41=7|37=X7|11=7a|55=A|54=1|" T "38=7|40=2|44=10|59=1|"
         " G 41=8|37=X8|11=8a|55=A|54=1|" T "38=6|40=2|44=10|59=1|");
    talk("also where what is kept was written anew, and it is killed again",
         TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("8", "b", "3", "10", "3") FILL("7", "a", "4", "10", "4")
         "=7:0! 8:0! 8:F 3@10 7:F 4@10\nrestart\nrestart\nrestart\non\n"
         "<H 37=X7|11=7|55=A|54=1| H 37=X8|11=8|55=A|54=1|"
         " G 41=7|37=X7|11=7a|55=A|54=1|" T "38=7|40=2|44=10|59=1|"
         " G 41=8|37=X8|11=8a|55=A|54=1|" T "38=6|40=2|44=10|59=1|");
    talk("also where that was in the run of the trades, as it had grown", TW_FIX_44,
         &keeping, "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("8", "b", "3", "10", "3") FILL("7", "a", "4", "10", "4") "anew\nrestart\n"
         "on\n<H 37=X7|11=7|55=A|54=1| H 37=X8|11=8|55=A|54=1|"
         " G 41=7|37=X7|11=7a|55=A|54=1|" T "38=7|40=2|44=10|59=1|"
         " G 41=8|37=X8|11=8a|55=A|54=1|" T "38=6|40=2|44=10|59=1|");
    talk("of which two have traded more than there was", TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("8", "b", "3", "10", "3") FILL("7", "a", "9", "10", "9")
         "=7:0! 8:0! 8:F 3@10 7:F 9@10\nrestart\non\n"
         "<H 37=X7|11=7|55=A|54=1| H 37=X8|11=8|55=A|54=1|"
         " F 41=7|37=X7|11=7a|55=A|54=1|" T "38=10| F 41=8|37=X8|11=8a|55=A|54=1|" T
         "38=10|");
    talk("of which one has heard of the other's trade, and then traded itself",
         TW_FIX_44, &keeping,
         "join 3 me\non\ngroup 7 5\ngroup 8 5\nsent\n" NEW("7") NEW("8")
         FILL("7", "a", "4", "10", "4") "replace 8 6 10\nsent\n"
         ">8|37=X8|11=8a|41=8|17=r|150=5|39=0|55=A|54=1|38=6|44=10|151=6|14=0|6=0|\n"
         FILL("8", "b", "2", "10", "2") "restart\non\n"
         "<H 37=X8|11=8a|55=A|54=1| H 37=X7|11=7|55=A|54=1|"
         " G 41=7|37=X7|11=7a|55=A|54=1|" T "38=8|40=2|44=10|59=1|");
}

#define NOBODYS(id) ">8|37=NONE|11=" id "|17=0|150=I|39=8|103=5|14=0|6=0|\n"
#define NAMELESS(id) \
    ">8|11=" id "|17=0|150=I|39=0|55=A|54=1|38=10|44=10|14=0|6=0|\n"
#define UP_TO(id) ">8|37=X" id "|11=" id "|17=0|150=I|39=1|55=A|54=1|38=10|44=10"

/* A bracket whose entry has traded, and whose exits the next run is told of; they were to
 * go out when the former one was killed. */
#define RELEASED "join 3 me\non\nbracket 7\nsent\n" NEW("7") \
    FILL("7", "a", "10", "10", "10") "new 8\nnew 9\nsent\n=7:0! 7:F 10@10\nrestart\n"
#define TAKEN_OVER "=8:0 (25), which has 10 'a label' of 5 10@10 traded 0@0* " \
    "9:0 (25), which has 10 'a label' of 5 10@10 traded 0@0* holds 10@10\n"
#define ASKED "<H 11=9|55=A|54=1| H 11=8|55=A|54=1|\n"
#define EXIT(id, quantity) \
    "D 11=" id "|55=A|54=1|" T "38=" quantity "|40=2|44=10|59=1|"

/* Exits that the venue never got: what they are for is held, so they go out. */
static void released(void)
{
    talk("an exit that the venue never got goes out", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\n" ASKED NOBODYS("8") NOBODYS("9")
         "<" EXIT("8", "10") " " EXIT("9", "10") "\n" NEW("8") NEW("9") "=\n"
         "cancel 8\n<F 41=8|37=X8|11=8a|55=A|54=1|" T "38=10|\n"
         ">8|37=X8|11=8a|41=8|17=e|150=4|39=4|14=0|151=0|6=0|\n=8:4!\n"
         FILL("9", "b", "10", "10", "10") "=9:F 10@10*");
    talk("one that was made smaller, and has traded, leaves the rest to the other",
         TW_FIX_44, &keeping, "join 3 me\non\nbracket 7\nsent\n" NEW("7")
         FILL("7", "a", "10", "10", "10") "new 8\nnew 9\nsent\n=7:0! 7:F 10@10\n"
         NEW("8") NEW("9") "=8:0! 9:0!\nreplace 8 4 0\nsent\n"
         ">8|37=X8|11=8a|41=8|17=r|150=5|39=0|55=A|54=1|38=4|44=10|151=4|14=0|6=0|\n"
         ">8|37=X8|11=8a|17=b|150=F|39=2|55=A|54=1|38=4|32=4|31=10|14=4|6=10|\n"
         "=8:5 4@10! 8:F 4@10\nrestart\njoin 5 me\n"
         "=9:0 (25), which has 10, others 4 'a label' of 5 10@10 traded 0@0* "
         "holds 14@10\non\n"
         "<H 37=X9|11=9|55=A|54=1| G 41=9|37=X9|11=9a|55=A|54=1|" T
         "38=6|40=2|44=10|59=1|");
    talk("one that it has does not", TW_FIX_44, &keeping,
         RELEASED "join 5 me\non\nsent\n" NEW("8") NOBODYS("9")
         "<" EXIT("9", "10") "\n" NEW("9") NOBODYS("8") "<");
    talk("nor one that it has and does not name, if it has forgotten it later",
         TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n" NAMELESS("8") NAMELESS("9")
         "=\noff\non\nsent\n" NOBODYS("8") "=8:4 (24)*\n<\nrestart\njoin 5 me\n"
         "=9:0 (25), which has 10 'a label' of 5 10@10 traded 0@0* "
         "holds 10@10\non\nsent\n"
         NOBODYS("9") "=9:4 (24)*\n<");
    talk("one that it refuses is told", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n" NOBODYS("8")
         "<" EXIT("8", "10") "\n>8|37=X|11=8|17=r|150=8|39=8|103=0|14=0|6=0|\n"
         "=8:8 (21)*");
    talk("also by 35=j", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n" NOBODYS("8")
         "<" EXIT("8", "10") "\n>j|45=9|372=D|379=8|380=4|\n=8:8 (21)*");
    talk("a connection is lost before, and after", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\n" ASKED NOBODYS("8") "off\non\n" ASKED
         NOBODYS("8") "<" EXIT("8", "10") "\noff\non\n" ASKED NOBODYS("8")
         "<" EXIT("8", "10") "\n" NEW("8") "=");
    talk("killed again", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n" NOBODYS("8") "<" EXIT("8", "10")
         "\nrestart\njoin 5 me\n" TAKEN_OVER "on\nsent\n" NOBODYS("8")
         "<" EXIT("8", "10"));
    talk("it waits for its script", TW_FIX_44, &keeping,
         RELEASED "on\n=stray 9 stray 8\n" ASKED NOBODYS("8") NOBODYS("9")
         "<\njoin 5 me\n" TAKEN_OVER "<H 11=8|55=A|54=1| H 11=9|55=A|54=1|\n"
         NOBODYS("8") "<" EXIT("8", "10"));
    talk("not when the other one has traded", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n"
         UP_TO("8") "|14=10|6=10|\n=8:F 10@10*\n" NOBODYS("9") "=9:4 (24)*\n<");
    talk("and what is left, when a part of that has", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\n"
         UP_TO("8") "|14=4|6=10|\n=8:F 4@10*\n" NOBODYS("9") "=9:5 6@10*\n"
         "<" EXIT("9", "6"));
    talk("nor one that is canceled", TW_FIX_44, &keeping,
         RELEASED "join 5 me\n" TAKEN_OVER "on\nsent\ncancel 8\nsent\n" NOBODYS("8")
         "=8:4 (24)\n<");
}

/* What was kept and is damaged now: which number, in which line. */
static void damaged(void)
{
#define NUMBERS " 1 50 49 0 10 10 0 0 0 1 0 4 0:40 4 10 0 0 0 "
    static const struct { const char *lines, *why; } cases[] = {
        { "O 7 me A" NUMBERS "X7\nT 7 0 1 0 5 label\nX 7 1 10 4\nP me A 4 0:40\n",
          NULL },
        { "P me A -9223372036854775808 -1:18446744073709551615\n", NULL },
        { "P me A 12x4 0:0\n", "line 1, of a position: quantity '12x4' is no number" },
        { "P me A 1 0:0\nP me A 9223372036854775808 0:0\n",
          "line 2, of a position: quantity '9223372036854775808' is no number" },
        { "P me A - 0:0\n", "quantity '-' is no number" },
        { "P me A +1 0:0\n", "quantity '+1' is no number" },
        { "P me A 1 0\n", "line 1, of a position: cost '0' is no amount" },
        { "P me A 1 0:18446744073709551616\n", "cost '0:18446744073709551616' is no" },
        { "P me A 1 0:\n", "cost '0:' is no amount" },
        { "P me A 1 1e3:1\n", "cost '1e3:1' is no amount" },
        { "X 7\xff 1 10 4\n", "line 1, of an execution: id '7?' is no number of" },
        { "X 0 1 10 4\n", "id '0' is no number of an order" },
        { "T 7 2 0 0 5 -\n", "of what an order waits for: held '2' is no 0 or 1" },
        { "T 7 0 0 -1 5 -\n", "parent '-1' is no number" },
        { "O 7 me A 3 50 49 0 1 1 0 0 0 1 0 0 0:0 0 0 0 0 0 -\n", "side '3' is no side" },
        { "O 7 me A 1 5 49 0 1 1 0 0 0 1 0 0 0:0 0 0 0 0 0 -\n",
          "type '5' is no type" },
        { "O 7 me A 1 306 49 0 1 1 0 0 0 1 0 0 0:0 0 0 0 0 0 -\n",
          "type '306' is no type" },
        { "O 7 me A 1 50 7 0 1 1 0 0 0 1 0 0 0:0 0 0 0 0 0 -\n",
          "'7' is no time in force" },
        { "O 7 me A 1 50 49 0 1 1 0 0 0 4294967296 0 0 0:0 0 0 0 0 0 -\n",
          "requests '4294967296' is no number" },
        { "O 7 me A 1 50 49 0 1 1 0 0 0 1 0 0 0:0 0 0 0 0 yes -\n",
          "line 1, of an order: over 'yes' is no 0 or 1; mend the line" },
    };
    size_t strange;

    version = TW_FIX_44;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tw_error error = { .text = "" };
        char text[200];
        int rc;

        open_orders(&keeping);
        snprintf(text, sizeof text, "%s", cases[i].lines);
        rc = tw_fix_orders_restore(orders, text, &strange, &error);
        if (!cases[i].why) ok(rc == TW_OK && strange == 0, "fine: %.40s", cases[i].lines);
        else ok(rc == TW_EFORMAT && strstr(error.text, cases[i].why), "%s", error.text);
        tw_fix_orders_free(orders);
    }
}

static void without_memory(const char *what, const struct tw_fix_orders_options *o,
                           const char *const lines[])
{
    uint64_t n = 0;
    bool failed;

    version = TW_FIX_44;
    do {
        uint64_t before;

        open_orders(o);
        before = tw_memory_count();
        tw_memory_fail_at(++n);
        for (int i = 0; lines[i]; i++) play(lines[i]);
        failed = tw_memory_count() - before >= n;
        tw_memory_fail_at(0);
        told[0] = '\0';
        tw_fix_orders_free(orders);
    } while (failed);
    ok(n > 10, "%s without memory, %d times", what, (int)n);
}

static void lives(void)
{
    static const char *const life[] = {
        "on", "new 7", "sent", ">8|37=X7|11=7|17=n|150=0|39=0|38=10|44=10|14=0|6=0|",
        "replace 7 20 11", "sent", ">8|37=X7|11=7|17=b|150=F|39=1|32=3|31=11|14=7|6=10|",
        "sent", ">8|37=X7|11=7a|41=7|17=r|150=5|39=1|38=20|44=11|14=7|6=10|", "off", "on",
        "sent", ">8|37=Q|11=abc|17=0|150=I|39=1|55=A|54=2|38=10|14=4|6=10|", "cancel 7",
        ">8|37=X7|11=7b|41=7a|17=e|150=4|39=4|58=bye|14=7|151=0|6=10|", "sent", NULL };
    static const char *const bracket[] = {
        "join 3 me", "on", "bracket 7", "sent", "hold 8 7", "hold 9 7",
        ">8|37=X7|11=7|17=b|150=F|39=2|32=10|31=10|14=10|6=10|", "new 8", "drop 9",
        "sent", "restart", "join 3 me", "on", "sent",
        ">8|37=NONE|11=8|17=0|150=I|39=8|103=5|14=0|6=0|", "sent", NULL };
    static const char *const two[] = {
        "join 3 me", "on", "new 7", "sent",
        ">8|37=X7|11=7|17=b|150=F|39=1|32=3|31=11|14=3|6=10|", "restart", "join 3 me",
        "on", "sent", ">8|37=X7|11=7|17=c|150=F|39=1|32=3|31=11|14=6|6=10|",
        ">8|37=Z|17=a|150=F|39=1|32=1|31=10|11=5|55=A|54=1|38=10|40=2|44=10|14=1|6=10|",
        "restart", "join 3 me", NULL };

    without_memory("accounts", &keeping, (const char *const[]){
        "account me U1", "join 3 me", "on", "new 7", "sent", "restart", "account me U2",
        "join 3 me", "on", "sent", NULL });
    without_memory("an order's life", &(struct tw_fix_orders_options){
        .cancel_unknown = true }, life);
    without_memory("two runs", &keeping, two);
    without_memory("a bracket", &keeping, bracket);
}

int main(void)
{
    begin();
    bodies();
    trades();
    others();
    connections();
    unasked();
    former_runs();
    found_early();
    found_late();
    ties();
    released();
    damaged();
    words();
    lives();
    end();
    return tap_done();
}

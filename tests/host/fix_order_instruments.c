/* fix_order_instruments.c - what a venue calls the symbols of orders over FIX, and wants
 * to be said of each, by hand. */
#include "fix_order_talk.h"

/* A, B: two months of one future; C: as it is; ES: what the venue calls A, but here it is
 * something else. */
enum { A = 1, B, C, ES };

#define FUT(month) { 167, "FUT" }, { 200, month }, { 100, "GLOBEX" }
#define IN(month) "167=FUT|200=" month "|"

static const struct tw_fix_extra of_a[] = { FUT("202612"), { 47, "A" } },
    of_b[] = { FUT("202703"), { 47, "A" } }, of_all[] = { { 100, "SMART" }, { 47, "A" } },
    option[] = { { 167, "OPT" }, { 201, "1" }, { 202, "4000" }, { 47, "A" } };

static const struct tw_fix_instrument list[] = {
    { A, "ES", of_a, 4, 3 }, { B, "ES", of_b, 4, 3 }, { ES, "ESTX", option, 4, 3 } };

#define OPTIONS .fields = of_all, .fields_n = 2, .instruments = list, .instruments_n = 3

static const struct tw_fix_orders_options plain = { .no_mass_status = true, OPTIONS },
    keeping = { .no_mass_status = true, .keeps = true, .first_id = 10, .account = "ALL",
                OPTIONS },
    guessing = { .first_id = 10, OPTIONS },
    canceling = { .first_id = 10, .cancel_unknown = true, OPTIONS };

static void bodies(void)
{
    talk("D, G, F and H of an instrument", TW_FIX_42, &plain,
         "on\nnew 7\n<D 11=7|21=1|55=ES|54=1|" T "38=10|40=2|44=10|59=1|" IN("202612")
         "100=GLOBEX|47=A|\n" NEW("7") "=7:0!\n"
         "replace 7 20 11\n<G 41=7|37=X7|11=7a|21=1|55=ES|54=1|" T "38=20|40=2|44=11|"
         "59=1|" IN("202612") "100=GLOBEX|47=A|\n"
         "cancel 7\n<F 41=7a|37=X7|11=7b|55=ES|54=1|" T "38=10|" IN("202612") "\n"
         "off\non\n<H 37=X7|11=7|55=ES|54=1|" IN("202612"));
    talk("another one, and one that is not said", TW_FIX_42, &plain,
         "on\nsymbol B\nnew 7\nsymbol C\nnew 8\nsymbol A\n"
         "<D 11=7|21=1|55=ES|54=1|" T "38=10|40=2|44=10|59=1|" IN("202703")
         "100=GLOBEX|47=A| D 11=8|21=1|55=C|54=1|" T "38=10|40=2|44=10|59=1|"
         "100=SMART|47=A|");
    talk("a SecurityID", TW_FIX_44, &(struct tw_fix_orders_options){
         .no_mass_status = true, .id_source = '8', OPTIONS },
         "on\nnew 7\n<D 11=7|48=ES|22=8|54=1|" T "38=10|40=2|44=10|59=1|" IN("202612")
         "100=GLOBEX|47=A|");
}

#define FORMER(symbol, more) ">8|37=Z|17=0|150=I|39=0|" "11=9|55=" symbol "|" more \
    "54=1|38=10|40=2|44=10|59=1|14=0|6=0|151=10|\n"
#define AF "AF 584=1767225600000000000|585=7|"
#define IS "=9:0 (25) of 3 10@10 traded 0@0*\n"

static void former_runs(void)
{
    talk("what a former run has left, by its month", TW_FIX_44, &guessing,
         "join 3 me\non\n<" AF "\n" FORMER("ES", "200=202703|") IS
         "cancel 9\n<F 41=9|37=Z|11=9aaa|55=ES|54=1|" T "38=10|" IN("202703"));
    talk("which nobody says", TW_FIX_44, &guessing,
         "join 3 me\non\n<" AF "\n" FORMER("ES", "") "=stray 9");
    talk("or is none of ours", TW_FIX_44, &guessing,
         "join 3 me\non\n<" AF "\n" FORMER("ES", "200=202706|") "=stray 9");
    talk("a number may be written otherwise", TW_FIX_44, &guessing,
         "join 3 me\non\n<" AF "\n" FORMER("ESTX", "201=1|202=4000.00|") IS
         "cancel 9\n<F 41=9|37=Z|11=9aaa|55=ESTX|54=1|" T
         "38=10|167=OPT|201=1|202=4000|");
    talk("what the venue calls otherwise is not what is called so here", TW_FIX_44,
         &(struct tw_fix_orders_options){ .first_id = 10, .instruments = list + 2,
                                          .instruments_n = 1 },
         "join 3 me\non\n<" AF "\n" FORMER("ES", "") "=stray 9");
    talk("as it is", TW_FIX_44, &guessing,
         "join 3 me\non\n<" AF "\n" FORMER("C", "") IS
         "cancel 9\n<F 41=9|37=Z|11=9aaa|55=C|54=1|" T "38=10|");
    talk("with lines of it", TW_FIX_44, &keeping,
         "join 3 me\non\nsymbol B\nnew 9\nsent\nsymbol A\nrestart\njoin 3 me\n" IS "on\n"
         "<H 11=9|1=ALL|55=ES|54=1|" IN("202703") "\ncancel 9\n"
         "<F 41=9|11=9a|1=ALL|55=ES|54=1|" T "38=10|" IN("202703"));
    talk("a stranger's: as the venue names it", TW_FIX_44, &canceling,
         "on\n<" AF "\n>8|37=Z|11=abc|1=U9|17=0|150=I|39=0|55=ES|167=FUT|200=202706|"
         "54=2|38=10|14=0|6=0|151=10|\n=stray abc\n"
         "<F 41=abc|37=Z|11=x18867251edfa0000.1|1=U9|55=ES|167=FUT|200=202706|54=2|" T
         "38=10|");
}

#define D(id, account) "D 11=" id "|1=" account "|55=C|54=1|" T \
    "38=10|40=2|44=10|59=1|100=SMART|47=A|"

static void accounts(void)
{
    talk("a script's own account", TW_FIX_44, &keeping,
         "symbol C\naccount me U1\njoin 3 me\non\nnew 7\n<" D("7", "U1") "\n"
         "cancel 7\n<F 41=7|11=7a|1=U1|55=C|54=1|" T "38=10|\n"
         "off\non\n<H 11=7|1=U1|55=C|54=1|");
    talk("others have that of all", TW_FIX_44, &keeping,
         "account you U2\njoin 3 me\non\nnew 7\n<" D("7", "ALL"));
    talk("an order keeps the one that it was sent with", TW_FIX_44, &keeping,
         "account me U1\njoin 3 me\non\nnew 9\nsent\nrestart\naccount me U2\njoin 3 me\n"
         IS "on\n<H 11=9|1=U1|55=C|54=1|\nnew 12\ncancel 9\n<" D("12", "U2") " F 41=9|"
         "11=9a|1=U1|55=C|54=1|" T "38=10|\nanew\nrestart\non\n=stray 9 stray 12\n"
         "<H 11=9|1=U1|55=C|54=1| H 11=12|1=U2|55=C|54=1|");
    talk("without lines: one of another account is not his", TW_FIX_44, &guessing,
         "expect 3\naccount me U1\njoin 3 me\non\n<" AF "\n" FORMER("C", "1=U2|")
         "=stray 9\n" FORMER("C", "1=U1|") IS);
    talk("nor what an account that nobody has named", TW_FIX_44, &keeping,
         "expect 3\njoin 3 me\non\n" FORMER("C", "1=U1|") "=stray 9\n"
         FORMER("C", "1=ALL|") IS);
    asked_symbol = A;
}

int main(void)
{
    begin();
    tw_symbols_intern(symbols, "B", 1);
    tw_symbols_intern(symbols, "C", 1);
    tw_symbols_intern(symbols, "ES", 2);
    bodies();
    former_runs();
    accounts();
    end();
    return tap_done();
}

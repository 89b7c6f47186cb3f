/* fix_order_charge.c - what the venue charges for trades, and gives back with them. */
#include "fix_order_talk.h"

#define COSTS(id, exec, quantity, price, cum, costs) ">8|37=X" id "|11=" id "|17=" exec \
    "|150=F|39=1|55=A|54=1|38=10|32=" quantity "|31=" price "|14=" cum "|6=10|" costs "\n"
#define BUST(exec, of, cum) ">8|37=X7|11=7|17=" exec "|19=" of "|150=H|39=1|14=" cum "|\n"
#define BEGIN "on\nnew 7\nsent\n" NEW("7")

static const struct tw_fix_orders_options keeps = { .no_mass_status = true,
                                                    .keeps = true };

static void named(void)
{
    talk("an amount, for each of it, a part of the value; below 0", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "2", "10", "2", "12=.5|13=3|")
         COSTS("7", "b", "2", "10", "4", "12=.01|13=1|")
         COSTS("7", "c", "2", "10", "6", "12=.05|13=2|")
         COSTS("7", "d", "2", "10", "8", "12=-.25|")
         "=7:0! 7:F 2@10 fee 0.5 7:F 2@10 fee 0.02 7:F 2@10 fee 0 and 5% "
         "7:F 2@10 fee -0.25");
    talk("in another currency", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "4", "10", "4", "12=.5|13=3|479=EUR|")
         "=7:0! 7:F 4@10 fee 0 and 0.5 EUR");
    talk("NoMiscFees alone, and beside a commission", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "4", "10", "4", "136=1|137=.001|138=BNB|139=4|")
         COSTS("7", "b", "2", "10", "6", "12=1|13=3|136=3|137=.25|139=1|137=.1|138=EUR|"
               "139=2|891=1|137=.01|138=EUR|139=7|891=2|")
         "=7:0! 7:F 4@10 fee 0 and 0.001 BNB "
         "7:F 2@10 fee 1.25 and 1% and 0.2 EUR");
    talk("in 4.0 too", TW_FIX_40, &none, "on\nnew 7\nsent\n"
         ">8|37=X7|11=7|17=1|20=0|39=1|55=A|54=1|38=10|32=4|31=10|14=4|6=10|12=1|13=3|"
         "136=1|137=.5|138=EUR|139=2|\n=7:0! 7:F 4@10 fee 1 and 0.5 EUR");
    talk("of more fees than are kept the last ones are told, and change no other",
         TW_FIX_44, &none, BEGIN COSTS("7", "a", "4", "10", "4", "136=9|137=1|137=1|"
         "137=1|137=1|137=1|137=1|137=1|137=1|138=EUR|137=5|138=GBP|891=2|")
         "=7:0! stray 7 7:F 4@10 fee 7 and 1 EUR");
    talk("in two other currencies: what can't be booked is told, once", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "4", "10", "4", "12=1|13=3|479=GBP|136=1|137=2|138=EUR|"
                     "139=4|")
         COSTS("7", "b", "2", "10", "6", "12=1|13=6|")
         "=7:0! stray 7 7:F 4@10 fee 0 and 1 GBP 7:F 2@10");
}

static void given_back(void)
{
    talk("what is taken back gives back what it has cost", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "4", "10", "4", "12=.5|13=3|")
         COSTS("7", "b", "2", "10", "6", "12=.1|13=1|479=EUR|136=1|137=.01|139=1|891=2|")
         BUST("c", "a", "2") BUST("d", "b", "0")
         "=7:0! 7:F 4@10 fee 0.5 7:F 2@10 fee 0 and 1% and 0.2 EUR "
         "7:H 4@10 fee -0.5 (30) 7:H 2@10 fee 0 and -1% and -0.2 EUR (30)");
    talk("what is corrected costs what that says", TW_FIX_44, &none,
         BEGIN COSTS("7", "a", "4", "10", "4", "12=.5|13=3|")
         ">8|37=X7|11=7|17=c|19=a|150=G|39=1|32=4|31=9|14=4|6=9|151=6|12=.4|13=3|\n"
         BUST("d", "c", "0")
         "=7:0! 7:F 4@10 fee 0.5 7:H 4@10 fee -0.5 (30) 7:F 4@9 fee 0.4 "
         "7:H 4@9 fee -0.4 (30)");
    talk("also in the next run", TW_FIX_44, &keeps,
         "join 3 me\n" BEGIN COSTS("7", "a", "4", "10", "4",
                                   "12=.5|13=3|479=EUR|136=1|137=.2|139=1|")
         COSTS("7", "b", "2", "10", "6", "12=.3|") "=7:0! 7:F 4@10 fee 0.2 and 0.5 EUR "
         "7:F 2@10 fee 0.3\nrestart\njoin 5 me\n"
         "=7:0 (25) of 5 10@10 traded 6@10* holds 6@10\non\n<H 37=X7|11=7|55=A|54=1|\n"
         BUST("c", "a", "2") BUST("d", "b", "0")
         "=7:H 4@10 fee -0.2 and -0.5 EUR (30)* 7:H 2@10 fee -0.3 (30)*");
}

/* The status does not say what a trade has cost. */
static void settled(void)
{
    talk("a trade that a status has told of first", TW_FIX_44, &none,
         BEGIN COSTS("7", "b", "3", "10", "7", "12=1|13=3|")
         "=7:0! 7:F 3@10 fee 1\n<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=1|38=10|44=10|14=7|6=10|151=3|12=2|13=3|\n"
         "=7:F 4@10\n" COSTS("7", "a", "4", "10", "4", "12=1.5|13=3|")
         "=7:H 4@10 (30) 7:F 4@10 fee 1.5\n"
         COSTS("7", "a", "4", "10", "4", "12=1.5|") "=");
    talk("and by which the order has ended", TW_FIX_44, &none,
         BEGIN "missed\n<H 37=X7|11=7|55=A|54=1|\n"
         ">8|37=X7|11=7|17=0|150=I|39=2|38=10|44=10|14=10|6=10|151=0|\n"
         "=7:0! 7:F 10@10\n"
         ">8|37=X7|11=7|17=a|150=F|39=2|55=A|54=1|38=10|32=10|31=10|14=10|6=10|151=0|"
         "12=1.5|13=3|\n=7:H 10@10 (30) late 2, 10@10 traded 10@10* "
         "7:F 10@10 fee 1.5 late 2, 10@10 traded 0@0*");
}

int main(void)
{
    begin();
    named();
    given_back();
    settled();
    end();
    return tap_done();
}

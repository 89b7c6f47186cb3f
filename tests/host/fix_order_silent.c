/* fix_order_silent.c - a venue that does not answer what an order over FIX asks. */
#include "fix_order_talk.h"

#define STATUS_IS(id, status, terms, cum) ">8|37=X7|11=" id "|17=0|150=I|39=" status "|" \
    terms "14=" cum "|6=10|151=10|\n"
#define OLD "38=10|44=10|"
#define HAS_IT "on\nnew 7\nsent\n" NEW("7") "=7:0!\n"

int main(void)
{
    begin();
    talk("a cancel: its status is asked for after 30 s, and it can be asked again",
         TW_FIX_44, &none, HAS_IT "cancel 7\nsent\ntick 29\n=\n<\ntick 30\n=stray 7\n"
         "<H 37=X7|11=7|55=A|54=1|\n" STATUS_IS("7", "0", OLD, "0") "=7:9 (33)!\n"
         "tick 90\n=\n<\ncancel 7\nsent\n"
         ">8|37=X7|11=7b|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4!");
    talk("that was done, with a trade that nobody told", TW_FIX_44, &none,
         HAS_IT "cancel 7\nsent\ntick 30\nsent\n" STATUS_IS("7a", "4", OLD, "4")
         "=stray 7 7:F 4@10 7:4!\ntick 300\n<");
    talk("that came too late", TW_FIX_44, &none,
         HAS_IT "cancel 7\nsent\n" FILL("7", "a", "10", "10", "10") "=7:F 10@10\n"
         "tick 30\nsent\n" STATUS_IS("7", "2", OLD, "10") "=stray 7 7:9 (20)!");
    talk("a change that was made", TW_FIX_44, &none,
         HAS_IT "replace 7 20 11\nsent\ntick 30\nsent\n"
         STATUS_IS("7a", "0", "38=20|44=11|", "0") "=stray 7 7:5 20@11!\n"
         "cancel 7\nsent\n>8|37=X7|11=7b|41=7a|17=e|150=4|39=4|14=0|6=0|\n=7:4!");
    talk("where the venue knows it by that only", TW_FIX_44, &none,
         HAS_IT "replace 7 20 11\nsent\ntick 30\nsent\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n=stray 7\n"
         "<H 37=X7|11=7a|55=A|54=1|\n" STATUS_IS("7a", "0", "38=20|44=11|", "0")
         "=7:5 20@11!");
    talk("or not at all", TW_FIX_44, &none,
         HAS_IT "replace 7 20 11\nsent\ntick 30\nsent\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\nsent\n"
         ">8|37=NONE|11=7a|17=0|150=I|39=8|103=5|14=0|6=0|\n"
         "=stray 7 7:9~ (33)! 7:4 (24)");
    talk("that it makes after all", TW_FIX_44, &none,
         HAS_IT "replace 7 20 11\nsent\ntick 30\nsent\n" STATUS_IS("7", "0", OLD, "0")
         "=stray 7 7:9~ (33)!\n"
         ">8|37=X7|11=7a|41=7|17=r|150=5|39=0|38=20|44=11|14=0|6=0|151=20|\n"
         "=7:5 20@11 (30)\ncancel 7\n<F 41=7a|37=X7|11=7b|55=A|54=1|"
         "60=20260101-00:00:30.000|38=20|");
    talk("an order that is not there", TW_FIX_44, &none,
         "on\nnew 7\nsent\ntick 30\n=stray 7\n<H 11=7|55=A|54=1|\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n=7:8 (24)!\n"
         NEW("7") "=stray 7");
    talk("that is then", TW_FIX_44, &(struct tw_fix_orders_options){
         .cancel_unknown = true, .no_mass_status = true },
         "on\nnew 7\nsent\ntick 30\nsent\n"
         ">8|37=NONE|11=7|17=0|150=I|39=8|103=5|14=0|6=0|\n=stray 7 7:8 (24)!\n"
         NEW("7") "=stray 7\n<F 41=7|37=X7|11=x18867251edfa0000.1|55=A|54=1|" T "38=10|");
    talk("nothing is said of it either: it can be asked again", TW_FIX_44, &none,
         HAS_IT "cancel 7\nsent\ntick 30\nsent\ntick 39\n=stray 7\ntick 40\n"
         "=stray 7 7:9 (33)!\n<\ncancel 7\nsent\ntick 69\n=\ntick 70\n=stray 7\n"
         "<H 37=X7|11=7|55=A|54=1|\ntick 80\n=7:9 (33)!");
    talk("of an order: it is asked for again, ever more seldom", TW_FIX_44, &none,
         "on\nnew 7\nsent\ntick 30\nsent\ntick 40\n=stray 7 stray 7\n<\ntick 60\n"
         "<H 11=7|55=A|54=1|\ntick 90\ntick 119\n<\ntick 120\n<H 11=7|55=A|54=1|\n="
         "\ntick 150\ntick 180\ntick 210\n<\ntick 240\n<H 11=7|55=A|54=1|\n"
         STATUS_IS("7", "0", OLD, "0") "=7:0!\ntick 600\n<");
    talk("the venue is about to do it", TW_FIX_44, &none,
         HAS_IT "cancel 7\nsent\ntick 30\nsent\n" STATUS_IS("7", "6", OLD, "0")
         "=stray 7\ntick 60\n<H 37=X7|11=7|55=A|54=1|\n" STATUS_IS("7", "6", OLD, "0")
         "=\n>8|37=X7|11=7a|41=7|17=e|150=4|39=4|14=0|151=0|6=0|\n=7:4!");
    talk("filled, as a change was made that nobody told of", TW_FIX_44, &none,
         HAS_IT FILL("7", "a", "4", "10", "4") "replace 7 4 10\nsent\ntick 30\nsent\n"
         "tick 40\n=7:F 4@10 stray 7 stray 7 7:9~ (33)!\ncancel 7\nsent\n"
         ">9|37=X7|11=7b|41=7|39=2|434=1|102=0|\n=7:9 (20)!\n<H 37=X7|11=7|55=A|54=1|\n"
         STATUS_IS("7a", "2", "38=4|44=10|", "4") "=7:5 4@10 (30)");
    talk("one of our own goes out again", TW_FIX_44, &(struct tw_fix_orders_options){
         .cancel_on_disconnect = true, .no_mass_status = true }, HAS_IT "off\non\nsent\n"
         STATUS_IS("7", "0", OLD, "0") "tick 30\n=stray 7\n<H 37=X7|11=7|55=A|54=1|\n"
         STATUS_IS("7", "0", OLD, "0") "<F 41=7|37=X7|11=7b|55=A|54=1|"
         "60=20260101-00:00:30.000|38=10|\ntick 59\n<\ntick 60\nsent\ntick 70\n"
         "=stray 7 stray 7");
    talk("a time without a connection does not count", TW_FIX_44, &none,
         "on\nnew 7\nsent\noff\ntick 60\n<\non\n<H 11=7|55=A|54=1|\ntick 61\n"
         STATUS_IS("7", "A", OLD, "0") "=\ntick 90\n<\ntick 91\n"
         "<H 37=X7|11=7|55=A|54=1|\n"
         "=stray 7");
    talk("the status is rejected", TW_FIX_44, &none,
         HAS_IT "cancel 7\nsent\ntick 30\nsent\n>3|45=3|373=11|\n"
         "=stray 7 stray 7 7:9 (33)!");
    end();
    return tap_done();
}

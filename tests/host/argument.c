/* The last argument of an entry, as Alt-. finds it. */
#include <string.h>

#include "main/argument.c"
#include "tap.h"

static void finds(const char *text, const char *want)
{
    size_t n;
    const char *at = ltw_argument(text, &n);

    ok(n == strlen(want) && memcmp(at, want, n) == 0 && at >= text
       && at + n <= text + strlen(text), "%s: %.*s", text, (int)n, at);
}

int main(void)
{
    finds("print(x)", "x");
    finds("plot(tape:find('AAPL', 60))", "tape:find('AAPL', 60)");
    finds("string.rep( 'a,b)', n + 1 ) ", "n + 1 ");
    finds("tape:last(5)", "tape:last(5)");
    finds("x = f(a)(b)", "f(a)(b)");
    finds("x = f(a).b", "f(a).b");
    finds(":table tape:find({ kind = 'trade' }, 3)", "tape:find({ kind = 'trade' }, 3)");
    finds("{1, 2}", "{1, 2}");
    finds("local s = 'a b'", "'a b'");
    finds("s = \"it\\\"s (\"", "\"it\\\"s (\"");
    finds("f()", "f()");
    finds("f(a, )", "");
    finds("for i = 1, 2 do\n  print(i)\nend", "end");
    finds("a ; ", "a");
    finds("", "");
    finds(" \n", "");
    finds(")", ")");
    finds("(", "(");
    finds("'", "'");
    finds("f('", "f('");
    finds("f(a", "f(a");
    return tap_done();
}

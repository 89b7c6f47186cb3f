/* bytes.c - bytes are appended whole or not at all. */
#include "base/bytes.h"

#include <string.h>

#include "base/memory.h"
#include "tap.h"

int main(void)
{
    char many[1000];
    struct tw_bytes b = { 0 };

    memset(many, 'x', sizeof many);
    ok(tw_bytes_put(&b, "ab", 2) && tw_bytes_put(&b, NULL, 0) && b.n == 2
       && memcmp(b.at, "ab", 2) == 0, "a few, and none");
    tw_memory_fail_at(1);
    ok(!tw_bytes_put(&b, many, sizeof many) && b.n == 2 && memcmp(b.at, "ab", 2) == 0,
       "without memory nothing is appended");
    ok(tw_bytes_put(&b, many, sizeof many) && b.n == 1002 && b.at[1001] == 'x'
       && memcmp(b.at, "ab", 2) == 0, "many");
    ok(tw_bytes_reserve(&b, 5000) && b.n == 1002 && b.room >= 6002, "room alone");
    tw_bytes_free(&b);
    ok(!b.at && b.n == 0 && b.room == 0, "empty again");
    return tap_done();
}

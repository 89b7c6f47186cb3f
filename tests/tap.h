/* tap.h - lets prove read a C test: ok(), and the plan last. */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>

static int tap_count, tap_failed;

/* ok(condition, "what holds", ...): one line of TAP, and where it failed. */
#define ok(condition, ...) \
    tap_line(!!(condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

#define tap_line(holds, text, file, line, ...) do { \
    int tap_holds = (holds); \
    tap_failed += !tap_holds; \
    printf("%sok %d - ", tap_holds ? "" : "not ", ++tap_count); \
    printf(__VA_ARGS__); \
    putchar('\n'); \
    if (!tap_holds) printf("#   %s:%d: %s\n", file, line, text); \
    fflush(stdout); \
} while (0)

/* The exit status of main: the plan comes last, so a crash fails. */
static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif

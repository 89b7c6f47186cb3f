/* terminal.h - the terminal while somebody types: its mode, its signals, its bytes.
 *
 * Layer lua/main.  Thread: one.
 */
#ifndef LTW_TERMINAL_H
#define LTW_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

#include "main/bytes.h"
#include "tty.h"

enum { LTW_TERMINAL_SIGNALS = 7 };

struct ltw_terminal {
    int out, wake[2];                 /* constant; wake: written by signal handlers */
    void (*interrupt)(void *ctx);     /* constant; or NULL                       */
    void *ctx;                        /* constant                                */
    struct termios before, raw;       /* how it was, and is while we have it     */
    struct sigaction old[LTW_TERMINAL_SIGNALS];   /* what they did               */
    int ahead;                        /* bytes that were typed before we took it */
};

/* What came to pass, as ltw_terminal_signal tells. */
enum ltw_terminal_event {
    LTW_TERMINAL_NOTHING, LTW_TERMINAL_INTERRUPT, LTW_TERMINAL_RESIZE,
    LTW_TERMINAL_SUSPEND, LTW_TERMINAL_RESUME
};

/* interrupt(ctx) is called in the handler of SIGINT.  False: no descriptor. */
bool ltw_terminal_open(struct ltw_terminal *t, void (*interrupt)(void *ctx), void *ctx);
void ltw_terminal_close(struct ltw_terminal *t);

/* Each key is to be read as it comes, and shown by us; signals come to
 * ltw_terminal_signal, and those that end the process give the terminal back before. */
void ltw_terminal_take(struct ltw_terminal *t);
void ltw_terminal_give(struct ltw_terminal *t);

/* Who continued us may have changed its mode. */
void ltw_terminal_retake(struct ltw_terminal *t);

/* 8 columns at least. */
struct ltw_tty ltw_terminal_size(const struct ltw_terminal *t);

/* All of it, and b is empty.  Blocks: while the terminal does. */
void ltw_terminal_write(const struct ltw_terminal *t, struct tw_bytes *b);

/* wake[0] can be read when there is one.  Blocks: no. */
enum ltw_terminal_event ltw_terminal_signal(const struct ltw_terminal *t);

/* A byte when there is one: 1; 0: there is none; -1: there never will be.  Blocks: no. */
int ltw_terminal_byte(struct ltw_terminal *t, char *byte);

#endif

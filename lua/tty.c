/* tty.c - how large a terminal is. */
#include "tty.h"

#include <sys/ioctl.h>

bool ltw_tty_size(int fd, struct ltw_tty *size)
{
    struct winsize w;
    bool is = ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 && w.ws_row > 0;

    *size = is ? (struct ltw_tty){ w.ws_col, w.ws_row } : (struct ltw_tty){ 80, 24 };
    return is;
}

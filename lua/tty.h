/* tty.h - how large a terminal is.
 *
 * Layer lua.  Thread: any.  Blocks: never.
 */
#ifndef LTW_TTY_H
#define LTW_TTY_H

#include <stdbool.h>

struct ltw_tty { unsigned columns, rows; };

/* False: it is no terminal, or one that does not say; 80 columns and 24 rows then. */
bool ltw_tty_size(int fd, struct ltw_tty *size);

#endif

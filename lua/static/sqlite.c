/* sqlite.c - stands for lua/backtest/sqlite.c in the static program, which opens no
 * libraries.
 *
 * Layer lua.
 */
#include "backtest/sqlite.h"

const char *ltw_sqlite_open(struct ltw_sqlite *out)
{
    (void)out;
    return "this program is static: it keeps no results";
}

/* sqlite.c - the system's SQLite, opened when it is first needed.
 *
 * Layer lua.
 */
#include "backtest/sqlite.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct { const char *name; size_t at; } functions[] = {
#define FUNCTION(name) { "sqlite3_" #name, offsetof(struct ltw_sqlite, name) },
    LTW_SQLITE(FUNCTION)
};

const char *ltw_sqlite_open(struct ltw_sqlite *out)
{
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);

    if (!library) return "SQLite is needed to keep results: install libsqlite3-0";
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(library, functions[i].name);

        if (!function) return "the SQLite of this system is too old to keep results";
        memcpy((char *)out + functions[i].at, &function, sizeof function);
    }
    return NULL;
}

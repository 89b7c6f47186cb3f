/* sqlite.h - the system's SQLite, opened when it is first needed.
 *
 * Why: it is 1.5 MB, half of this program, and only who keeps results needs it.
 *
 * Layer lua.
 */
#ifndef LTW_SQLITE_H
#define LTW_SQLITE_H

#include <sqlite3.h>

/* What is called of it, with the types of its header. */
#define LTW_SQLITE(F) \
    F(open_v2) F(close_v2) F(busy_timeout) F(errcode) F(errmsg) F(system_errno) \
    F(total_changes) F(prepare_v2) F(finalize) F(step) F(reset) F(clear_bindings) \
    F(bind_parameter_count) \
    F(bind_null) F(bind_int64) F(bind_double) F(bind_text) F(column_count) \
    F(column_name) F(column_type) F(column_int64) F(column_double) F(column_text) \
    F(column_bytes)

struct ltw_sqlite {
#define LTW_SQLITE_FIELD(name) __typeof__(sqlite3_##name) *name;
    LTW_SQLITE(LTW_SQLITE_FIELD)
#undef LTW_SQLITE_FIELD
};

/* NULL, or why there is none.  It is never closed: its locks are the process's.
 * Thread: any.  Blocks: while the file is read, the first time. */
const char *ltw_sqlite_open(struct ltw_sqlite *out);

#endif

/* lsqlite.c - tw.internal.sqlite: what a sweep keeps, in a file of SQLite.
 *
 * Why: one statement at a time, run to its end within one call, so that no lock of the
 * file outlives it, whatever Lua raises meanwhile.  It is kept by its text: to prepare
 * one of a run's columns takes four times what it does.
 *
 * Values: an integer, a float (also an infinite one), a text, nil (NULL) stay what they
 * are; a boolean becomes 0 or 1, NaN becomes NULL: SQLite has neither.
 */
#include "backtest/lsqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "ltw.h"
#include "backtest/sqlite.h"

#define DB "tw.sqlite"
#define QUERY "tw.sqlite.query"

enum { BUSY_MS = 30000, MAX_ROWS = 4 << 20 };

enum { PATH = 1, QUERIES = 2 };             /* the user values of a db: QUERIES by text */

struct db {
    struct ltw_sqlite api;
    sqlite3 *handle;           /* NULL: closed */
};

struct query { const struct ltw_sqlite *api; sqlite3_stmt *statement; };

static int db_close(lua_State *L)
{
    struct db *db = luaL_checkudata(L, 1, DB);
    sqlite3 *handle = db->handle;

    if (!handle) return 0;
    db->handle = NULL;
    lua_getiuservalue(L, 1, QUERIES);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        struct query *q = lua_touserdata(L, -1);

        db->api.finalize(q->statement);
        q->statement = NULL;
    }
    db->api.close_v2(handle);
    return 0;
}

/* After each call. */
static int query_end(lua_State *L)
{
    struct query *q = luaL_checkudata(L, 1, QUERY);

    q->api->reset(q->statement);
    q->api->clear_bindings(q->statement);
    return 0;
}

/* ---- failures ---- */

static const struct reason { int code, is; const char *text; } reasons[] = {
    { SQLITE_BUSY, UV_EBUSY, "another process has been writing to it for 30 s" },
    { SQLITE_NOMEM, UV_ENOMEM, "not enough memory" },
    { SQLITE_NOTADB, TW_EFORMAT, "it is no database of SQLite" },
    { SQLITE_READONLY, UV_EROFS, "it may not be written" },
    { SQLITE_CORRUPT, TW_EFORMAT, NULL },
    { SQLITE_CANTOPEN, UV_ENOENT, NULL },
    { SQLITE_FULL, UV_ENOSPC, NULL },
    { SQLITE_IOERR, UV_EIO, NULL },
    { SQLITE_TOOBIG, TW_ELIMIT, NULL },
};

static struct reason reason_of(int code)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == code) return reasons[i];
    return (struct reason){ code, TW_EUSAGE, NULL };
}

/* The errno of a file that cannot be opened; 0: it can.  SQLite, which then tries to read
 * it, forgets why it cannot be written. */
static int why_closed(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0) return errno;
    close(fd);
    return 0;
}

/* [-0, +3, m]  What went wrong last, with the db at 1; opened: the path, where it was
 * that it could not be. */
static int fail(lua_State *L, const struct db *db, const char *opened)
{
    struct reason r = reason_of(db->api.errcode(db->handle) & 0xff);
    int system = opened ? why_closed(opened) : 0;

    if (system == 0 && (r.code == SQLITE_CANTOPEN || r.code == SQLITE_IOERR))
        system = db->api.system_errno(db->handle);
    luaL_pushfail(L);
    lua_getiuservalue(L, 1, PATH);
    lua_pushfstring(L, "%s: %s", lua_tostring(L, -1),
                    system != 0 ? strerror(system) : r.text ? r.text
                    : db->api.errmsg(db->handle));
    lua_remove(L, -2);
    lua_pushinteger(L, system != 0 ? -system : r.is);
    return 3;
}

/* ---- statements ---- */

/* [-0, +0, e]  The value at an index becomes the parameter; SQLite's code. */
static int bind_value(lua_State *L, const struct query *q, int parameter, int at)
{
    const struct ltw_sqlite *api = q->api;
    const char *text;
    size_t n;

    switch (lua_type(L, at)) {
    case LUA_TNIL:
        return api->bind_null(q->statement, parameter);
    case LUA_TBOOLEAN:
        return api->bind_int64(q->statement, parameter, lua_toboolean(L, at));
    case LUA_TNUMBER:
        if (lua_isinteger(L, at))
            return api->bind_int64(q->statement, parameter, lua_tointeger(L, at));
        return api->bind_double(q->statement, parameter, lua_tonumber(L, at));
    case LUA_TSTRING:
        text = lua_tolstring(L, at, &n);
        if (n > INT32_MAX) luaL_error(L, "sqlite: a text of %I bytes", (lua_Integer)n);
        return api->bind_text(q->statement, parameter, text, (int)n, SQLITE_STATIC);
    default:
        return luaL_error(L, "sqlite: parameter %d is a %s", parameter,
                          luaL_typename(L, at));
    }
}

/* [-0, +1, m]  What is kept of the text at 2, or will be. */
static struct query *keep(lua_State *L, const struct db *db)
{
    struct query *q;

    lua_getiuservalue(L, 1, QUERIES);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pop(L, 1);
        q = lua_newuserdatauv(L, sizeof *q, 0);
        *q = (struct query){ &db->api, NULL };
        luaL_setmetatable(L, QUERY);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -4);
    }
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

/* [-0, +1, e]  The statement at 2, with what follows as its parameters; it ends when the
 * function of C returns or raises.  NULL: SQLite refuses it. */
static struct query *prepare(lua_State *L, const struct db *db)
{
    int given = lua_gettop(L) - 2, rc = SQLITE_OK;
    size_t n;
    const char *sql = luaL_checklstring(L, 2, &n), *rest = "";
    struct query *q = keep(L, db);

    if (!q->statement)
        rc = db->api.prepare_v2(db->handle, sql, (int)n + 1, &q->statement, &rest);
    if (rc != SQLITE_OK) return NULL;
    if (!q->statement || rest[strspn(rest, " \n")] != '\0') {
        db->api.finalize(q->statement);
        q->statement = NULL;
        luaL_error(L, "sqlite: one statement expected");
    }
    lua_toclose(L, -1);
    if (db->api.bind_parameter_count(q->statement) != given)
        luaL_error(L, "sqlite: %d parameters expected, got %d",
                   db->api.bind_parameter_count(q->statement), given);
    for (int i = 1; i <= given; i++)
        if (bind_value(L, q, i, 2 + i) != SQLITE_OK) return NULL;
    return q;
}

/* [-0, +0, e] */
static struct db *check(lua_State *L)
{
    struct db *db = luaL_checkudata(L, 1, DB);

    if (!db->handle) luaL_error(L, "the database is closed");
    return db;
}

/* [-0, +1, m]  Column i of the row; nil: NULL. */
static void push_column(lua_State *L, const struct query *q, int i)
{
    const struct ltw_sqlite *api = q->api;
    const char *text;

    switch (api->column_type(q->statement, i)) {
    case SQLITE_NULL:
        lua_pushnil(L);
        break;
    case SQLITE_INTEGER:
        lua_pushinteger(L, api->column_int64(q->statement, i));
        break;
    case SQLITE_FLOAT:
        lua_pushnumber(L, api->column_double(q->statement, i));
        break;
    default:                   /* a text, then its bytes: SQLite wants that order */
        text = (const char *)api->column_text(q->statement, i);
        if (!text && api->column_bytes(q->statement, i) > 0)
            luaL_error(L, "not enough memory");
        lua_pushlstring(L, text ? text : "",
                        (size_t)api->column_bytes(q->statement, i));
    }
}

/* [-0, +1, m] */
static void push_row(lua_State *L, const struct query *q)
{
    int n = q->api->column_count(q->statement);

    lua_createtable(L, 0, n);
    for (int i = 0; i < n; i++) {
        push_column(L, q, i);
        lua_setfield(L, -2, q->api->column_name(q->statement, i));
    }
}

/* ---- for Lua ---- */

/* run(db, sql, ...) -> rows changed | nil, message, code */
static int run(lua_State *L)
{
    struct db *db = check(L);
    struct query *q = prepare(L, db);
    int before = db->api.total_changes(db->handle), rc;

    if (!q) return fail(L, db, NULL);
    while ((rc = db->api.step(q->statement)) == SQLITE_ROW);
    if (rc != SQLITE_DONE) return fail(L, db, NULL);
    lua_pushinteger(L, db->api.total_changes(db->handle) - before);
    return 1;
}

/* rows(db, sql, ...) -> list of tables by name of column | nil, message, code
 * MAX_ROWS at most; a NULL is left out. */
static int rows(lua_State *L)
{
    struct db *db = check(L);
    struct query *q = prepare(L, db);
    lua_Integer n = 0;
    int rc;

    if (!q) return fail(L, db, NULL);
    lua_newtable(L);
    while ((rc = db->api.step(q->statement)) == SQLITE_ROW) {
        if (n == MAX_ROWS) return luaL_error(L, "sqlite: more than %d rows", MAX_ROWS);
        push_row(L, q);
        lua_rawseti(L, -2, ++n);
    }
    return rc == SQLITE_DONE ? 1 : fail(L, db, NULL);
}

/* open(path) -> db | nil, message, code
 * Makes a file where there is none. */
static int db_open(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *lack;
    struct db *db;

    lua_settop(L, 1);
    db = lua_newuserdatauv(L, sizeof *db, QUERIES);
    db->handle = NULL;
    luaL_setmetatable(L, DB);
    lua_insert(L, 1);
    lua_setiuservalue(L, 1, PATH);
    lua_newtable(L);
    lua_setiuservalue(L, 1, QUERIES);
    lack = ltw_sqlite_open(&db->api);
    if (lack) {
        luaL_pushfail(L);
        lua_pushstring(L, lack);
        lua_pushinteger(L, UV_ENOSYS);
        return 3;
    }
    if (db->api.open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                        | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        if (!db->handle) return ltw_fail(L, UV_ENOMEM);
        return fail(L, db, path);
    }
    db->api.busy_timeout(db->handle, BUSY_MS);
    return 1;
}

static const luaL_Reg internal[] = {
    { "open", db_open },
    { "run", run },
    { "rows", rows },
    { "close", db_close },
    { NULL, NULL }
};

int luaopen_tw_internal_sqlite(lua_State *L)
{
    luaL_newmetatable(L, QUERY);
    lua_pushcfunction(L, query_end);
    lua_setfield(L, -2, "__close");
    luaL_newlib(L, internal);
    ltw_push_type(L, DB, db_close);
    lua_pushcfunction(L, db_close);
    lua_setfield(L, -2, "__close");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return 1;
}

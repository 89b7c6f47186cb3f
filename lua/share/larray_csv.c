/* larray_csv.c - tw.array: arrays as CSV, which reads back exactly. */
#include "share/larray.h"
#include "share/array_csv.h"

static bool add_text(void *buffer, const char *text, size_t n)
{
    luaL_addlstring(buffer, text, n);
    return true;
}

/* [-0, +1, e] */
static int push_text(lua_State *L, const struct tw_csv_column *column, unsigned columns)
{
    luaL_Buffer b;

    luaL_buffinit(L, &b);
    tw_array_csv(column, columns, add_text, &b);
    luaL_pushresult(&b);
    return 1;
}

/* array:csv() -> string
 * A line for each element, so that it reads back exactly: with the least of 15, 16 and
 * 17 digits that does; a NaN is `nan`.
 * Yields: no.  Blocks: while it writes, some 0.5 to 1 us for each element.  Thread: any.
 * Errors: none.  Units: none. */
static int csv_of_one(lua_State *L)
{
    struct tw_csv_column column = { .array = ltw_check_array(L, 1) };

    return push_text(L, &column, 1);
}

/* [-0, +2, e]  The i-th element of the list at 1: its name and array. */
static struct tw_csv_column check_column(lua_State *L, lua_Integer i)
{
    struct tw_csv_column column;
    bool is_pair = lua_rawgeti(L, 1, i) == LUA_TTABLE && lua_rawlen(L, -1) == 2;

    if (is_pair) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        lua_remove(L, -3);
    }
    if (!is_pair || lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "array.csv: column %I is no {name, array}", i);
    column.name = lua_tolstring(L, -2, &column.name_bytes);
    column.array = (struct tw_array *)ltw_test_object(L, -1);
    if (!column.array || ltw_test_object(L, -1)->type != &tw_array_type)
        luaL_error(L, "array.csv: column %I, '%s', is a %s, not an array", i, column.name,
                   luaL_typename(L, -1));
    return column;
}

/* array.csv(columns [, path]) -> string | true | nil, message, code
 * Arrays of one length beside each other: columns is a list of {name, array}, and the
 * first line has the names.  The text, or with a path true: then it is written there, in
 * place of what the file had.  Numbers are those of array:csv.
 * Yields: no.  Blocks: while it writes, some 0.5 to 1 us for each element.  Thread: any.
 * Errors: raises for what is no such list and when lengths differ; nil, with the path and
 * the reason, when it can't be written.  Units: none. */
static int csv_of_columns(lua_State *L)
{
    const char *path = luaL_optstring(L, 2, NULL);
    struct tw_csv_column *column;
    struct tw_error error;
    lua_Integer n;
    int rc;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = (lua_Integer)lua_rawlen(L, 1);
    luaL_argcheck(L, n > 0 && n <= 10000, 1, "1 to 10,000 columns expected");
    lua_settop(L, 2);
    column = lua_newuserdatauv(L, (size_t)n * sizeof *column, 0);
    luaL_checkstack(L, 2 * (int)n + 20, "array.csv");   /* what is pushed stays alive */
    for (lua_Integer i = 0; i < n; i++) {
        column[i] = check_column(L, i + 1);
        ltw_check_lengths(L, column[0].array, column[i].array);
    }
    if (!path) return push_text(L, column, (unsigned)n);
    rc = tw_array_csv_write(column, (unsigned)n, path, &error);
    if (rc < 0) return ltw_fail_with(L, &error);
    lua_pushboolean(L, 1);
    return 1;
}

void ltw_array_csv_method(lua_State *L)
{
    lua_pushcfunction(L, csv_of_one);
    lua_setfield(L, -2, "csv");
}

void ltw_array_csv_function(lua_State *L)
{
    lua_pushcfunction(L, csv_of_columns);
    lua_setfield(L, -2, "csv");
}

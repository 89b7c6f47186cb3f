/* value.c - what frozen values cost: reading a view beside a plain Lua table,
 * freezing and thawing a cell.
 *
 * Each line is the least of several rounds, an empty loop taken off.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ltw.h"

static const char program[] =
    "local tw = require 'tw'\n"
    "local N, ROUNDS = 1000000, 5\n"
    "local function best(f, ...)\n"
    "  local least = math.huge\n"
    "  for _ = 1, ROUNDS do\n"
    "    collectgarbage() collectgarbage 'stop'\n"
    "    local t = tw.clock() f(...)\n"
    "    least = math.min(least, tw.clock() - t)\n"
    "    collectgarbage 'restart'\n"
    "  end\n"
    "  return least\n"
    "end\n"
    "local loop = best(function() for i = 1, N do end end)\n"
    "local function say(name, view, plain)\n"
    "  print(('%-34s %7.1f ns %7.1f ns'):format(name, view, plain))\n"
    "end\n"
    "local function both(name, f, data)\n"
    "  local function ns(v) return (best(f, v) - loop) / N * 1e9 end\n"
    "  say(name, ns(tw.freeze(data)), ns(data))\n"
    "end\n"
    "local quote = { symbol = 'AAPL', bid = 1.5, ask = 1.75, bid_size = 100,\n"
    "                ask_size = 200, venue = 'X', time = 17 }\n"
    "local nested = { inner = { 1 } }\n"
    "local array, map, rows = {}, {}, {}\n"
    "for i = 1, 1000 do array[i] = i map['key' .. i] = i end\n"
    "for i = 1, 10000 do rows[i] = { id = i, name = 'n' .. i % 100, 1, 2, 3 } end\n"
    "print(('%-34s %10s %10s'):format('reading', 'view', 'table'))\n"
    "both('v.bid', function(v) for i = 1, N do local _ = v.bid end end, quote)\n"
    "both('v.symbol (a string)',\n"
    "     function(v) for i = 1, N do local _ = v.symbol end end, quote)\n"
    "both('v.inner (a table)',\n"
    "     function(v) for i = 1, N do local _ = v.inner end end, nested)\n"
    "both('v[500]', function(v) for i = 1, N do local _ = v[500] end end, array)\n"
    "both('v[key], of 1,000',\n"
    "     function(v) for i = 1, N do local _ = v.key500 end end, map)\n"
    "both('#v', function(v) for i = 1, N do local _ = #v end end, array)\n"
    "both('ipairs, an element', function(v)\n"
    "  for i = 1, N / 1000 do for _, x in ipairs(v) do end end end, array)\n"
    "both('pairs, a pair', function(v)\n"
    "  for i = 1, N / 1000 do for _, x in pairs(v) do end end end, map)\n"
    "both('v[i].id, of 10,000 rows', function(v)\n"
    "  for _ = 1, 100 do for i = 1, #v do local _ = v[i].id end end end, rows)\n"
    "print(('\\n%-34s %10s %10s'):format('a cell of', 'freeze', 'thaw'))\n"
    "for _, case in ipairs { { 'an array of 1,000 integers', array, 1000 },\n"
    "    { 'a map of 1,000 strings', map, 2000 },\n"
    "    { '10,000 small tables', rows, 80000 } } do\n"
    "  local v = tw.freeze(case[2])\n"
    "  say(case[1], best(tw.freeze, case[2]) / case[3] * 1e9,\n"
    "      best(tw.thaw, v) / case[3] * 1e9)\n"
    "end\n"
    "local v = tw.freeze(quote)\n"
    "print(('\\na table of 7 fields: freeze %.0f ns, thaw %.0f ns'):format(\n"
    "  best(function() for i = 1, N / 10 do tw.freeze(quote) end end) / N * 1e10,\n"
    "  best(function() for i = 1, N / 10 do tw.thaw(v) end end) / N * 1e10))\n";

int main(void)
{
    struct ltw_state *s = ltw_state_new(NULL, 0);
    int status;

    if (!s) abort();
    status = luaL_dostring(s->L, program);
    if (status != LUA_OK) fprintf(stderr, "%s\n", lua_tostring(s->L, -1));
    ltw_state_free(s);
    return status == LUA_OK ? 0 : 1;
}

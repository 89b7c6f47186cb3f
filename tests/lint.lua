-- lint: the house rules that a machine can check.
--
-- A rule is a function of a tree, path -> lines, that complains about a place.
-- Each is first given snippets that break it, for a check that cannot fail is
-- none, and then the real tree.

local t = require "tw.test"

local MAX_LINES, MAX_COLUMNS = 800, 90
local TAGS = { "Yields:", "Blocks:", "Thread:", "Errors:", "Units:" }
local LAYERS = {        -- an include may point to its own layer or to one above it here
  "host", "host/base", "host/tape", "host/stat", "host/share", "host/feed",
  "host/trade", "host/fix", "host/run", "lua", "lua/main",
}

local complaints
local function complain(path, n, ...)
  complaints[#complaints + 1] = string.format("%s:%d: %s", path, n, string.format(...))
end

local rules = {}        -- in order: { name, check, bad = { {path, text}... }, good }

-- Calls f(path, lines) for every file whose path matches one of the patterns.
local function each(tree, patterns, f)
  local paths = {}
  for path in pairs(tree) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    for _, pattern in ipairs(patterns) do
      if path:find(pattern) then f(path, tree[path]) break end
    end
  end
end

local C, H = "%.c$", "%.h$"

-- The lines of a C file with comments and the insides of strings blanked.
local function code_of(lines)
  local blank = function(s) return (s:gsub("[^\n]", " ")) end
  local text = table.concat(lines, "\n") .. "\n"
  local out, at = {}, 1
  while true do
    local start = text:find('["\'/]', at)
    if not start then break end
    out[#out + 1] = text:sub(at, start - 1)
    local stop, c = start, text:sub(start, start)
    if text:sub(start, start + 1) == "/*" then
      stop = select(2, text:find("*/", start + 2, true)) or #text
      out[#out + 1] = blank(text:sub(start, stop))
    elseif c == "/" then
      out[#out + 1] = c
    else
      stop = start + 1
      while text:sub(stop, stop) ~= c and stop < #text do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
      out[#out + 1] = c .. blank(text:sub(start + 1, stop - 1)) .. c
    end
    at = stop + 1
  end
  out[#out + 1] = text:sub(at)
  local result = {}
  for line in table.concat(out):gmatch("([^\n]*)\n") do result[#result + 1] = line end
  return result
end

-- The lines of the comment that ends on line n, as one text; "" without one.
local function comment_at(lines, n, lua)
  local first = n
  if lua then
    while first > 0 and lines[first]:find("^%-%-") do first = first - 1 end
  elseif n > 0 and lines[n]:find("%*/%s*$") then
    while first > 0 and not lines[first]:find("/*", 1, true) do first = first - 1 end
    first = first - 1
  end
  return table.concat(lines, "\n", first + 1, n)
end

rules[#rules + 1] = {
  name = "every file opens with its name and its purpose",
  check = function(tree)
    each(tree, { "^host/.*" .. C, "^host/.*" .. H, "^lua/.*" .. C, "^lua/.*" .. H },
         function(path, lines)
      local name = path:match("[^/]+$"):gsub("%p", "%%%0")
      if not (lines[1] or ""):find("^/%* " .. name .. " %- %w") then
        complain(path, 1, "no header")
      end
    end)
    each(tree, { "^stdlib/.*%.lua$" }, function(path, lines)
      local name = path:match("([^/]+)%.lua$")
      if not (lines[1] or ""):find("^%-%-%- " .. name .. ": %(?%w") then
        complain(path, 1, "no header")
      end
    end)
  end,
  bad = {
    { "host/base/a.c", "/* b.c - another file. */" }, { "lua/a.h", "#ifndef A" },
    { "stdlib/a.lua", "local a = {}" }, { "stdlib/b.lua", "--- a: another file." },
  },
  good = { "host/base/a.c", "/* a.c - does a thing. */" },
}

rules[#rules + 1] = {
  name = "no file outgrows one idea, no line the page",
  check = function(tree)
    each(tree, { "." }, function(path, lines)
      if #lines > MAX_LINES then complain(path, #lines, "%d lines", #lines) end
      for n, line in ipairs(lines) do
        local columns = utf8.len(line) or #line
        if columns > MAX_COLUMNS then complain(path, n, "%d columns", columns) end
      end
    end)
  end,
  bad = { { "a.c", ("\n"):rep(801) }, { "a.lua", ("x"):rep(91) } },
  good = { "a.c", ("x"):rep(90) .. ("\n"):rep(799) },
}

local function layer_of(path)
  local best, rank
  for i, layer in ipairs(LAYERS) do
    if path:sub(1, #layer + 1) == layer .. "/" and #layer > #(best or "") then
      best, rank = layer, i
    end
  end
  return rank, best
end

rules[#rules + 1] = {
  name = "includes point down",
  check = function(tree)
    each(tree, { "^host/", "^lua/" }, function(path, lines)
      local rank, layer = layer_of(path)
      for n, line in ipairs(lines) do
        local system = line:match("^%s*#%s*include%s*<(.-)>")
        local own = line:match('^%s*#%s*include%s*"(.-)"')
        if system and path:find("^host/") and system:find("^l[au][ua]") then
          complain(path, n, "host/ has never heard of Lua: <%s>", system)
        elseif own then
          local target
          for _, folder in ipairs { path:match("^(.*)/"), "host", "lua", "tests" } do
            target = target or tree[folder .. "/" .. own] and folder .. "/" .. own
          end
          local to = target and layer_of(target)
          if target and not to then complain(path, n, "%s is not for the program", own)
          elseif to and to > rank then
            complain(path, n, "%s may not include %s of %s", layer, own, LAYERS[to])
          end
        end
      end
    end)
  end,
  bad = {
    { "host/base/a.c", "#include <lua.h>" }, { "host/run/a.c", "#include <lauxlib.h>" },
    { "host/tape/a.c", '#include "feed/b.h"', "host/feed/b.h" },
    { "host/feed/a.c", '#include "ltw.h"', "lua/ltw.h" },
    { "lua/a.c", '#include "main/b.h"', "lua/main/b.h" },
    { "lua/a.c", '#include "tap.h"', "tests/tap.h" },
  },
  good = { "lua/a.c", '#include <lua.h>\n#include "feed/b.h"', "host/feed/b.h" },
}

rules[#rules + 1] = {
  name = "a .c file includes its own header first",
  check = function(tree)
    each(tree, { "^host/.*" .. C, "^lua/.*" .. C }, function(path, lines)
      if not tree[path:gsub("c$", "h")] then return end
      local own = path:match("([^/]+)c$") .. "h"
      for n, line in ipairs(lines) do
        local first = line:match("^#include%s*[<\"](.-)[>\"]")
        if first then
          if first:match("[^/]+$") == own then return end
          return complain(path, n, "%s is not first", own)
        end
      end
    end)
  end,
  bad = { { "host/base/a.c", '#include <stdio.h>\n#include "a.h"', "host/base/a.h" } },
  good = { "host/base/a.c", '#include "base/a.h"\n#include <stdio.h>', "host/base/a.h" },
}

-- Calls f(n, order, pair, word) for every explicit order in the code, with what the
-- comment over its statement says.  The second order of a compare_exchange, for
-- its failure, is never the stronger one and goes with the first.
local function each_order(lines, f)
  local pair, word, used, exchange
  for n, code in ipairs(code_of(lines)) do
    local new, says = lines[n]:match("order %[([%w._-]+)%] ([%a_]+):")
    if new then pair, word, used = new, says, false end
    exchange = exchange or code:find("atomic_compare_exchange", 1, true)
    for order in code:gmatch("memory_order_([%a_]+)") do
      if exchange ~= "first seen" then f(n, order, pair, word) end
      exchange = exchange and "first seen"
      used = true
    end
    if used and code:find(";", 1, true) then pair, exchange = nil, nil end
  end
end

rules[#rules + 1] = {
  name = "every memory order names its pair, and both sides exist",
  check = function(tree)
    local gives = { release = true, acq_rel = true, seq_cst = true }
    local takes = { acquire = true, acq_rel = true, seq_cst = true }
    local given, taken = {}, {}         -- pair -> { path, line }
    each(tree, { "^host/", "^lua/" }, function(path, lines)
      each_order(lines, function(n, order, pair, word)
        if not pair then complain(path, n, "%s with no order [pair] above", order)
        elseif word ~= order then
          complain(path, n, "[%s] says %s, the code %s", pair, word, order)
        else
          given[pair] = given[pair] or gives[order] and { path, n }
          taken[pair] = taken[pair] or takes[order] and { path, n }
        end
      end)
    end)
    for pair, at in pairs(given) do
      if not taken[pair] then complain(at[1], at[2], "[%s] is never acquired", pair) end
    end
    for pair, at in pairs(taken) do
      if not given[pair] then complain(at[1], at[2], "[%s] is never released", pair) end
    end
  end,
  bad = {
    { "host/base/a.c", "f(&x, memory_order_release);" },
    { "host/base/a.c", "/* order [a.b] acquire: why */\nf(&x, memory_order_release);" },
    { "host/base/a.c", "/* order [a.b] release: why */\nf(&x, memory_order_release);" },
    { "host/base/a.c", "/* order [a.b] acquire: why */\nf(&x, memory_order_acquire);" },
  },
  good = { "host/base/a.c", [[
/* order [a.b] release: why */
f(&x, memory_order_release);
/* order [a.b] acq_rel: why */
atomic_compare_exchange_weak_explicit(&x, &old, new,
                                      memory_order_acq_rel, memory_order_acquire);]] },
}

rules[#rules + 1] = {
  name = "no atomic is used without an explicit order",
  check = function(tree)
    each(tree, { "^host/", "^lua/" }, function(path, lines)
      for n, line in ipairs(code_of(lines)) do
        local call = line:match("%f[%w_](atomic_[%a_]+)%s*%(")
        if call and not call:find("_explicit$") and not call:find("^atomic_init$")
           and not call:find("_fence$") then
          complain(path, n, "%s has no order of its own", call)
        end
      end
    end)
  end,
  bad = { { "host/base/a.c", "n = atomic_load(&x);" } },
  good = { "host/base/a.c", "n = atomic_load_explicit(&x, o);\natomic_init(&x, 0);" },
}

local function lacks(doc)
  local missing = {}
  for _, tag in ipairs(TAGS) do
    if not doc:find(tag, 1, true) then missing[#missing + 1] = tag:sub(1, -2) end
  end
  return missing[1] and table.concat(missing, ", ")
end

rules[#rules + 1] = {
  name = "every C function that a script can call states its contract",
  check = function(tree)
    each(tree, { "^lua/.*" .. C }, function(path, lines)
      local at, wanted = {}, {}
      for n, line in ipairs(lines) do
        local f = line:match("^static int ([%w_]+)%(lua_State")
                  or line:match("^int ([%w_]+)%(lua_State")
        if f and not line:find(";%s*$") then at[f] = n end
      end
      local internal   -- in a table of what only stdlib/ calls
      for _, line in ipairs(lines) do
        internal = line:find("luaL_Reg internal[]", 1, true) or internal
        if line:find("^};") then internal = nil end
        for name, f in line:gmatch('{%s*"([%w_]+)",%s*([%a_][%w_]*)%s*}') do
          if not (internal or name:find("^__") or name == "close") then
            wanted[f] = name
          end
        end
      end
      for f, name in pairs(wanted) do
        local missing = at[f] and lacks(comment_at(lines, at[f] - 1))
        if missing then complain(path, at[f], "%s (%s) lacks %s", name, f, missing) end
      end
    end)
  end,
  bad = {
    { "lua/a.c", 'static int f(lua_State *L)\n{\n}\nluaL_Reg r[] = { { "f", f }, };' },
    { "lua/a.c", [[
/* f()
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none. */
static int f(lua_State *L)
luaL_Reg r[] = {
    { "f", f },]] },
  },
  good = { "lua/a.c", [[
/* f()
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int f(lua_State *L)
luaL_Reg r[] = {
    { "f", f },]] },
}

rules[#rules + 1] = {
  name = "every function of a stdlib module states its contract",
  check = function(tree)
    each(tree, { "^stdlib/.*%.lua$" }, function(path, lines)
      for n, line in ipairs(lines) do
        local f = line:match("^function ([%w_]+[.:][%w_.:]+)%s*%(")
                  or line:match("^([%w_]+%.[%w_]+)%s*=%s*function")
        local missing = f and lacks(comment_at(lines, n - 1, true))
        if missing and not f:find("[.:]__") then
          complain(path, n, "%s lacks %s", f, missing)
        end
      end
    end)
  end,
  bad = {
    { "stdlib/a.lua", "function a.b()" }, { "stdlib/a.lua", "a.b = function()" },
    { "stdlib/a.lua", "--- a:b()\n-- Yields: no.  Blocks: no.\nfunction a:b()" },
  },
  good = { "stdlib/a.lua", "--- a.b()\n-- Yields: no. Blocks: no. Thread: any.\n"
           .. "-- Errors: none.  Units: none.\nfunction a.b()" },
}

rules[#rules + 1] = {
  name = "every function in a header states its thread",
  check = function(tree)
    each(tree, { "^host/.*" .. H }, function(path, lines)
      -- A comment speaks for the functions that follow it without a blank line; the
      -- file's own for all of it, where it says a thread.
      local code, first = code_of(lines), 1
      local top = table.concat(lines, "\n"):match("^/%*.-%*/") or ""
      if top:find("Thread:", 1, true) and not top:find("Thread: see", 1, true) then
        return
      end
      for n = 1, #lines + 1 do
        if n == #lines + 1 or not lines[n]:find("%S") then
          local part = table.concat(lines, "\n", first, n - 1)
          for i = first, n - 1 do
            local f = code[i]:match("^[%a_][%w_ *]-[ *]([%l_][%w_]*)%(")
            if f and not part:find("Thread:", 1, true) then
              complain(path, i, "%s states no Thread", f)
            end
          end
          first = n + 1
        end
      end
    end)
  end,
  bad = {
    { "host/base/a.h", "/* Does.  Blocks: no. */\nint tw_a(void);" },
    { "host/base/a.h", "/* a.h - a.\n * Thread: see each. */\n\nint tw_a(void);" },
    { "host/base/a.h", "/* a.h - a. */\n\n/* Thread: any. */\nint tw_a(void);\n\n"
                       .. "struct b *tw_b(void);" },
  },
  good = { "host/base/a.h", "/* Thread: any. */\nint tw_a(void);\nint tw_b(void);" },
}

rules[#rules + 1] = {
  name = "no volatile in the program",
  check = function(tree)
    each(tree, { "^host/", "^lua/" }, function(path, lines)
      for n, line in ipairs(code_of(lines)) do
        if line:find("%f[%w_]volatile%f[^%w_]") then
          complain(path, n, "volatile orders nothing: use an atomic")
        end
      end
    end)
  end,
  bad = { { "host/base/a.c", "static volatile int x;" } },
  good = { "host/base/a.c", '/* volatile */ __asm__ __volatile__("yield");' },
}

local PRINTERS = { "exit", "_exit", "_Exit", "quick_exit", "abort", "printf", "vprintf",
                   "puts", "putchar", "perror" }

rules[#rules + 1] = {
  name = "nothing below lua/main prints or leaves",
  check = function(tree)
    each(tree, { "^host/", "^lua/" }, function(path, lines)
      if path:find("^lua/main/") then return end
      for n, line in ipairs(code_of(lines)) do
        for _, f in ipairs(PRINTERS) do
          local call = "%f[%w_]" .. f .. "%s*%("
          if line:find(call) then complain(path, n, "calls %s", f) end
        end
        if line:find("%f[%w_]stdout%f[^%w_]") or line:find("%f[%w_]stderr%f[^%w_]") then
          complain(path, n, "writes to the terminal")
        end
      end
    end)
  end,
  bad = { { "host/base/a.c", "exit(1);" }, { "lua/a.c", 'printf("x");' },
          { "lua/a.c", 'fprintf(stderr, "x");' }, { "host/run/a.c", "    abort();" } },
  good = { "lua/a.c", '/* exit() */ snprintf(b, n, "printf(x)"); tw_log_printf(l);' },
}

rules[#rules + 1] = {
  name = "no path of one machine",
  check = function(tree)
    each(tree, { "." }, function(path, lines)
      for n, line in ipairs(lines) do
        for _, place in ipairs { "/[h]ome/", "/[r]oot/", "/[U]sers/", "/[w]ork/" } do
          if line:find("%f[%w/]" .. place) and not line:find("[%w_.}]" .. place) then
            complain(path, n, "a path of one machine")
          end
        end
      end
    end)
  end,
  bad = { { "a.lua", "'/" .. "home/me/a.lua'" }, { "README.md", "cd /" .. "work/x" } },
  good = { "a.lua", "dofile '../shared/wo" .. "rk/a.lua'" },
}

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  if lines[#lines] == "" then lines[#lines] = nil end
  return lines
end

-- What a rule says of a tree, as one text.
local function judge(rule, tree)
  complaints = {}
  rule.check(tree)
  return table.concat(complaints, "\n")
end

local function snippet(case)
  local tree = { [case[1]] = lines_of(case[2]) }
  if case[3] then tree[case[3]] = {} end
  return tree
end

for _, rule in ipairs(rules) do
  for i, case in ipairs(rule.bad) do
    t.ok(judge(rule, snippet(case)) ~= "", rule.name .. ": sees breach " .. i)
  end
  t.is(judge(rule, snippet(rule.good)), "", rule.name .. ": lets the right thing be")
end

-- The roles are clang's to check; here only that it does.
local ROLE = [[#include "base/tw.h"
int f(void) TW_ON(FEED); int g(void); int g(void) { %s return f(); }]]
if os.execute("command -v clang >/dev/null") then
  local function compiles(text)
    local clang = assert(io.popen("clang -fsyntax-only -Wthread-safety -Werror -std=c11"
                                  .. " -Ihost -x c - 2>/dev/null", "w"))
    clang:write(text)
    return clang:close()
  end
  t.ok(not compiles(ROLE:format("")), "thread roles: sees a call from the wrong thread")
  t.ok(compiles(ROLE:format("tw_be_feed();")), "thread roles: lets the right thing be")
else
  t.skip "thread roles: clang is not here"
end

local tree, files = {}, 0
local find <close> = assert(io.popen(
  "find host lua stdlib scripts tests bench .ci Makefile *.md -type f"
  .. " -not -path 'tests/data/*' -not -name '*.gz' -not -name '*.zip'"))
for path in find:lines() do
  local file <close> = assert(io.open(path))
  tree[path] = lines_of(file:read("a"))
  files = files + 1
end
t.ok(files > 20, "the tree is here")

-- What is built in of a module is the same program.
local bare, modules = true, 0
for path, lines in pairs(tree) do
  if path:find "^stdlib/.*%.lua$" then
    local pipe <close> = assert(io.popen("awk -f lua/bare " .. path))
    local of, all = load(pipe:read "a"), assert(load(table.concat(lines, "\n")))
    local same = of and string.dump(of, true) == string.dump(all, true)
    if not same then t.diag(path) end
    bare, modules = bare and same, modules + 1
  end
end
t.ok(bare and modules > 20, "lua/bare changes no module")

for _, rule in ipairs(rules) do
  local why = judge(rule, tree)
  if not t.ok(why == "", rule.name) then t.diag(why) end
end

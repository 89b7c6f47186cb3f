--- test: write tests that speak TAP.
--
-- `tidewire test file.lua...` runs files of tests as one TAP document; prove
-- runs them too (`prove --exec "tidewire test" file.lua...`):
--
--   local t = require "tw.test"
--   t.is(1 + 1, 2, "addition")
--   t.raises("nil value", function() return nil + 1 end)
--
-- The plan comes last.  A program that dies before prints none, so a crash
-- never looks like a pass; a file that dies, or tests nothing, is a failed test.

local test = {}

local DIFFERENCES = 10      -- that `same` reports
local count, failed = 0, 0
local in_main, planned = false, false

local function say(format, ...)
  io.stdout:write(string.format(format, ...), "\n")
  io.stdout:flush()
end

local function show(value)
  if type(value) ~= "string" then return tostring(value) end
  return (string.format("%q", value):gsub("\\\n", "\\n"))
end

-- Where the test stands: the nearest function that is not of this module.
local function caller()
  local level = 2
  local here = debug.getinfo(1, "S").source
  local at = debug.getinfo(level, "Sl")
  while at and (at.source == here or at.what == "C") do
    level = level + 1
    at = debug.getinfo(level, "Sl")
  end
  return at and at.short_src .. ":" .. at.currentline or "?"
end

--- test.diag(text)
-- A remark: each line of text follows a "# ".
-- Yields: no.  Blocks: no.  Thread: the test's.  Errors: none.  Units: none.
function test.diag(text)
  for line in (tostring(text) .. "\n"):gmatch("([^\n]*)\n") do say("# %s", line) end
end

--- test.ok(holds, name) -> boolean
-- One test: it passes when holds is true, and says where it stands when not.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: none for a false `holds`; raises after done.  Units: none.
function test.ok(holds, name)
  if planned then error("test.ok: the plan is printed, no test can follow", 2) end
  count = count + 1
  local text = tostring(name):gsub("[#\n]", " ")
  say("%s %d - %s", holds and "ok" or "not ok", count, text)
  if holds then return true end
  failed = failed + 1
  test.diag("at " .. caller())
  return false
end

--- test.is(got, want, name) -> boolean
-- Passes when got == want.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: raises after done.  Units: none.
function test.is(got, want, name)
  if test.ok(got == want, name) then return true end
  test.diag("got  " .. show(got) .. "\nwant " .. show(want))
  return false
end

local function key_of(key)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return "." .. key end
  return "[" .. show(key) .. "]"
end

-- Adds a line to out for each place where the two differ.  `under` holds the
-- pairs of tables that are being compared, so that a cycle ends.
local function compare(got, want, path, out, under)
  if got == want or (got ~= got and want ~= want) then return end
  if type(got) ~= "table" or type(want) ~= "table" then
    out[#out + 1] = path .. ": got " .. show(got) .. ", want " .. show(want)
    return
  end
  under[got] = under[got] or {}
  if under[got][want] then return end
  under[got][want] = true
  local keys, seen = {}, {}
  for _, side in ipairs { want, got } do
    for key in next, side do
      if not seen[key] then
        keys[#keys + 1], seen[key] = key, true
      end
    end
  end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
      return a < b
    end
    return show(a) < show(b)
  end)
  for _, key in ipairs(keys) do
    compare(rawget(got, key), rawget(want, key), path .. key_of(key), out, under)
  end
end

--- test.same(got, want, name) -> boolean
-- Passes when both are equal all the way down: tables by their contents,
-- without metatables, NaN equal to NaN.  Says each place where they differ.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: raises after done.  Units: none.
function test.same(got, want, name)
  local differences = {}
  compare(got, want, "value", differences, {})
  if test.ok(#differences == 0, name) then return true end
  for i = 1, math.min(#differences, DIFFERENCES) do test.diag(differences[i]) end
  if #differences > DIFFERENCES then
    test.diag("and " .. #differences - DIFFERENCES .. " more differences")
  end
  return false
end

--- test.near(got, want, tolerance, name) -> boolean
-- Passes when the numbers are at most tolerance apart; NaN is near nothing.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: raises after done, and when want or tolerance is not a number.
-- Units: tolerance in those of got.
function test.near(got, want, tolerance, name)
  if type(want) ~= "number" or type(tolerance) ~= "number" then
    error("test.near: want and tolerance must be numbers", 2)
  end
  local close = type(got) == "number"
                and (got == want or math.abs(got - want) <= tolerance)
  if test.ok(close, name) then return true end
  test.diag("got  " .. show(got) .. "\nwant " .. show(want) .. " +- " .. show(tolerance))
  return false
end

--- test.raises(pattern, f, ...) -> boolean
-- Passes when f(...) raises an error whose text matches the Lua pattern.
-- Yields: as f does.  Blocks: as f does.  Thread: the test's.
-- Errors: raises after done; f's error is the subject.  Units: none.
function test.raises(pattern, f, ...)
  local fine, why = pcall(f, ...)
  if test.ok(not fine and tostring(why):find(pattern) ~= nil, "raises " .. pattern) then
    return true
  end
  test.diag(fine and "got  no error" or "got  " .. tostring(why))
  return false
end

--- test.skip(reason)
-- A test that cannot run here; it counts as passed and says why.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: raises after done.  Units: none.
function test.skip(reason)
  if planned then error("test.skip: the plan is printed, no test can follow", 2) end
  count = count + 1
  say("ok %d # SKIP %s", count, reason)
end

local function plan()
  planned = true
  say("1..%d", count)
  return failed == 0 and count > 0 and 0 or 1
end

--- test.done()
-- The last call of a script of tests that is run by itself: prints the plan and
-- leaves the process with status 0, or 1 when a test failed or none ran.
-- `tidewire test` does this itself after its last file; done is nothing there.
-- Yields: no.  Blocks: no.  Thread: the test's.
-- Errors: none; never returns outside of `tidewire test`.  Units: none.
function test.done()
  if not in_main then os.exit(plan(), true) end
end

-- Runs one file, with globals of its own, as tests.
local function run(path)
  local before = count
  local chunk, why = loadfile(path, "bt", setmetatable({}, { __index = _G }))
  if not chunk then
    test.ok(false, path .. " loads")
    return test.diag(why)
  end
  local fine, trace = xpcall(chunk, debug.traceback)
  if not fine then
    test.ok(false, path .. " runs to its end")
    test.diag(trace)
  elseif count == before then
    test.ok(false, path .. " tests something")
  end
end

--- (internal) test.main(paths) -> status
-- What `tidewire test` does: runs each file, prints one plan, and returns the
-- exit status: 0, or 1 when a test failed.
-- Yields: as the files do.  Blocks: as the files do.  Thread: MAIN.
-- Errors: none; a file's error is a failed test.  Units: none.
function test.main(paths)
  if #paths == 0 then
    io.stderr:write("tidewire: test needs a file: tidewire test file.lua...\n")
    return 1
  end
  in_main = true
  for _, path in ipairs(paths) do
    if #paths > 1 then test.diag(path) end
    run(path)
  end
  return plan()
end

return test

--- distrust: a state becomes one of scripts that are not trusted, or does not at all,
-- whichever allocation fails.  tests/e2e/trust.lua has what is off there.

local t = require "tw.test"
local internal = require "tw.internal.function"

local LOOKS <const> = [[
  local said = {}
  for _, name in ipairs { "ffi", "cffi", "tw.internal.function" } do
    said[#said + 1] = select(2, pcall(require, name)):match "is off in" or "on"
  end
  said[#said + 1] = require "tw.inspect".text { 1 }
  return table.concat(said, ", ")]]
local WANT <const> = "is off in, is off in, is off in, {1}"

t.is(internal.distrust(0, LOOKS), WANT, "what is off in such a state")

do
  local n, refused, other = 0, 0, nil
  repeat
    n = n + 1
    local said = internal.distrust(n, LOOKS)
    if said == "not enough memory" then refused = refused + 1
    elseif said ~= WANT then other = ("allocation %d: %s"):format(n, said) end
  until said == WANT or other or n == 100000
  t.is(other, nil, "without memory for a part of it there is no such state")
  t.ok(refused > 100 and refused == n - 1, ("whichever: %d times"):format(refused))
end

-- Methods of texts are Lua's, and what a script adds to string.

t.is(internal.distrust(0, [[
  string.trim = function(s) return s:match "^%s*(.-)%s*$" end
  string.upper, string.lower = nil, function() return "theirs" end
  assert(getmetatable("").__index == string and getmetatable("").__name == nil)
  assert(debug.getmetatable "" == getmetatable "" and debug.getmetatable(1) == nil
         and debug.getmetatable(io.stdout) == getmetatable(io.stdout))
  assert(not pcall(debug.getmetatable))
  local said = table.concat({ (" a "):trim(), ("a"):upper(), ("A"):lower(), "5" + 1,
                              string.lower "A", tostring(("a").none) }, " ")
  getmetatable "".__index = nil
  return said .. " " .. ("b"):upper()]]), "a A a 6 theirs nil B", "methods of texts")

t.done()

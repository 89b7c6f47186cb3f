--- ffi: scripts of one worker, and versions of one script, which share a state's types.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

-- A module that gives a struct methods; `%s` is what they say.
local THING = [[
  local ffi = require "ffi"
  ffi.cdef "struct thing { int n; };"
  M.make = ffi.metatype("struct thing", {
    __index = { say = function(thing) return "%s " .. thing.n end },
    __new = function(ct, n) return ffi.new(ct, n * 2) end })
]]
local SAYS = [[
  local thing = require "thing"
  function M.on_start() print("%s", thing.make(4):say()) end
]]
apps.prints("scripts of a worker that require the same module", {
  args = { "--workers", "1" },
  app = [[app.script "a.lua" app.script "b.lua" app.script("a.lua", { name = "again" })
    app.feed.synthetic { speed = 0, limit = 1 }]],
  ["a.lua"] = SAYS:format "a", ["b.lua"] = SAYS:format "b",
  ["thing.lua"] = THING:format "module" }, "a\tmodule 8\nb\tmodule 8\na\tmodule 8\n")
apps.fails("a type has one metatable in a script", {
  app = [[app.script "a.lua" app.feed.synthetic { speed = 0, limit = 1 }]],
  ["a.lua"] = [[
    require "thing"
    require "ffi".metatype("struct thing", {})
  ]], ["thing.lua"] = THING:format "module" }, "'struct thing' has a metatable already")
apps.prints("a script that starts again", {
  args = { "--workers", "1" },
  app = [[app.script("a.lua", { on_error = "restart", restarts = 1 })
    app.feed.synthetic { speed = 0, limit = 20 }]],
  ["a.lua"] = SAYS:format "a" .. [[
    function M.on_quote(seq) if seq == 10 then error "once" end end
  ]],
  ["thing.lua"] = THING:format "module" }, "a\tmodule 8\na\tmodule 8\n")

-- What is said of a value that stays: the new version's, unless that was refused.
local SCRIPT = [[
  local ffi = require "ffi"
  ffi.cdef "struct thing { int n; };"
  ffi.metatype("struct thing", {
    __index = { say = function(thing) return "%s " .. thing.n end } })
  function M:on_start() self.thing, self.all = ffi.new("struct thing", 7), {} end
  function M:on_quote()
    local said = self.thing:say()
    if said ~= self.all[#self.all] then table.insert(self.all, said) end
  end
  function M:on_stop() print(table.concat(self.all, ", ")) end
]]
local ran = apps.led(apps.leader .. [[
  local n = 0
  function M.on_quote()
    n = n + 1
    if M.steps[n] then M.steps[n]() end
  end
  local function change(text, refused)
    write("s.lua", text)
    local got = answer(tw.reload "s.lua")
    assert(type(got) == (refused and "string" or "number"), got)
  end
]] .. ("M.steps = { [2000] = function() change(%q) end, " ..
       "[4000] = function() change(%q, true) end }"):format(
  SCRIPT:format "second",
  SCRIPT:format "third" .. "function M:on_check() return nil, 'not now' end"), {
  s = SCRIPT:format "first", options = "{ workers = { 1 } }" })
apps.ended(ran, "methods come with a new version, and not with one that is refused",
           "first 7, second 7\n")
t.done()

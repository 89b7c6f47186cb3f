--- error: what an error says that left its task or its state.

local t = require "tw.test"
local tw = require "tw"
local task = tw.task

local function of_task(f)
  local ok, err = pcall(task.scope, function(s) s:spawn(f) end)
  return not ok and err or error "it did not fail"
end

local err = of_task(function() error "boom" end)
t.ok(err.message:find "error.lua:%d+: boom$", "message: the text")
t.is(err.value, nil, "value: nothing but the text")
t.is(err.worker, "main", "worker: the thread")
t.ok(err.cause.task:find "error.lua:%d+$", "task: where its function stands")
t.ok(err.cause.traceback:find "error.lua", "traceback: of who raised it")
t.ok(err.traceback:find "tw.task.scope", "and of who got it")
t.is(err.also, nil, "also: nothing")

local function raised(value)
  return of_task(function() error(value) end)
end
for _, case in ipairs {
  { "a table", { code = 7, 1 }, "^{1, code = 7}$" },
  { "a table that can't be frozen", { f = print },
    "^%(error object is a table value%)$" },
  { "with __tostring", setmetatable({}, { __tostring = function() return "told" end }),
    "^told$" },
  { "with a __tostring that gives none",
    setmetatable({}, { __tostring = function() return 5 end }),
    "^%(error object is a table value%)$" },
  { "a boolean", true, "^%(error object is a boolean value%)$" },
  { "a number", 42, "^42$" },
  { "nil", nil, "^%(error object is a nil value%)$" },
  { "a function", print, "^%(error object is a function value%)$" },
} do
  local e = raised(case[2])
  t.ok(e.message:find(case[3]), case[1] .. ": the message")
  t.ok(tostring(e):find(e.message, 1, true) == 1, "which the text begins with")
end
t.is(raised({ code = 7 }).value.code, 7, "a table is the value")
t.is(raised(true).value, true, "so is a boolean")
t.is(raised({ f = print }).value, nil, "what can't be frozen is none")

-- The text: the message, then each traceback, the first cause first.
local text = tostring(of_task(function()
  task.scope(function(s) s:spawn(function() error "deep" end) end)
end))
t.is(select(2, text:gsub("stack traceback:", "")), 3, "every place on the way is told")
t.ok(text:find "^[^\n]*deep\nin main: stack traceback:", "the first cause first")

-- Raised again it stays what it is.
local again = select(2, pcall(function()
  local ok, e = pcall(task.scope, function(s) s:spawn(error, "x") end)
  error(not ok and e, 0)
end))
t.is(again.cause.cause, nil, "an error that is raised again is the same")
local e1 = of_task(function() error(err, 0) end)
t.ok(e1.cause == err, "also out of another task")

-- From another state.
local ok, far = tw.pool.run(function() error { code = 9 } end):pawait()
t.is(not ok and far.value.code, 9, "the value of an error of the pool")
t.ok(far.cause.worker:find "^pool", "and the thread that it was on")
ok, far = tw.pool.run(function()
  local task = require "tw".task
  task.scope(function(s)
    s:spawn(function() task.yield() error "one" end)
    s:spawn(function() pcall(task.sleep, 1e6) error "two" end)
  end)
end):pawait()
t.ok(far.message:find "one$" and far.cause.also[1].message:find "two$",
  "all of the story crosses over")
t.ok(tostring(far):find "also: [^\n]*two", "and is in the text")

-- What an error calls a function is what users call it, however it was called.
local UNNAMED <const> = "tw.internal"
for _, case in ipairs { { "fix", "send", 5 }, { "fix", "enable" },
                        { "task", "sleep", {} }, { "pool", "run" } } do
  local _, why = pcall(require("tw." .. case[1])[case[2]], case[3])
  t.ok(not tostring(why):find(UNNAMED, 1, true),
       ("tw.%s.%s: %s"):format(case[1], case[2], tostring(why)))
end
t.ok(select(2, pcall(task.sleep, {})):find "'tw[.%a]*%.sleep'",
     "but by one of its modules")
for name in pairs(package.loaded) do require(name) end
for name, module in pairs(package.loaded) do
  if name:find(UNNAMED, 1, true) then
    t.is(type(module) == "table" and next(module), nil, name .. " shows no functions")
  end
end
t.is(tostring(err.traceback):match "tw%.internal[%w.]*", nil, "nor does a traceback")

-- tw.bundle: what is built in is what is in the tree.
local t = require "tw.test"
local bundle = require "tw.bundle"
local tw = require "tw"

local names = {}
for _, name in ipairs(bundle.names()) do names[name] = true end
t.ok(names.reference, "the comments of the C functions are built in")
t.ok(bundle.read("reference"):find("/* bundle.read(name) -> string\n", 1, true),
     "with the headings that help prints")
t.ok(bundle.read "licences":find("======== Lua\n", 1, true), "so are texts of licences")

local files <close> = assert(io.popen("ls stdlib"))
for file in files:lines() do
  local name = "tw." .. file:gsub("%.lua$", "")
  local source <close> = assert(io.open("stdlib/" .. file))
  t.ok(names[name], name .. " is built in")
  local text, built_in = source:read "a", bundle.read(name)
  t.ok(string.dump(assert(load(built_in, "=m"))) == string.dump(assert(load(text, "=m"))),
       name .. " does what the file does, line by line")
  local docs = { {}, {} }
  for i, lines in ipairs { text, built_in } do
    local doc = false
    for line in lines:gmatch "[^\n]*" do
      doc = line:find "^%-%-%-" or doc and line:find "^%-%-"
      if doc then docs[i][#docs[i] + 1] = line end
    end
  end
  t.same(docs[1], docs[2], name .. " has its documentation")
  names[name] = nil
end
names.reference, names.licences = nil, nil
t.is(next(names), nil, "and nothing else is")

t.is(require "tw.test", t, "a module is loaded once")
t.is(debug.getinfo(t.ok, "S").source, "@tw/test.lua", "tracebacks name it tw/test.lua")
t.raises("no built%-in file 'tw.nothing'", bundle.read, "tw.nothing")
t.raises("string expected", bundle.read)
t.raises("module 'tw.nothing' not found", require, "tw.nothing")

-- Who loads a module first compiles it; to other states it comes as bytecode.
local function look()
  local test = require "tw.test"
  local info, lines = debug.getinfo(test.raises, "SL"), {}
  for line in pairs(info.activelines) do lines[#lines + 1] = line end
  table.sort(lines)
  local _, why = pcall(test.raises)
  return ("%s %d-%d: %s: %s"):format(info.source, info.linedefined,
    info.lastlinedefined, table.concat(lines, " "), why)
end
t.ok(look():find "^@tw/test.lua %d+%-%d+: %d+ .*: tw/test.lua:%d+: bad argument", look())
local others = {}
for i = 1, 8 do others[i] = tw.pool.run(look) end
for i = 1, 8 do
  t.is(others[i]:await(), look(), "in a job it is the same: lines, names, errors")
end

--- repl: completion, colours and commands, without a terminal.

local _ENV = _G                   -- what the prompt sees
local t = require "tw.test"
local repl = require "tw.repl"
local tw = require "tw"

--- The candidates at the | in a text, and the text that they would replace.
local function completes(text, want, name)
  local cursor = text:find("|", 1, true) - 1
  local whole = text:gsub("|", "")
  local from, list = repl.complete(whole, cursor)
  local got = whole:sub(from, cursor) .. ": " .. table.concat(list, " ")
  t.is(got, want, name or text)
end

thing = setmetatable({ alpha = 1, albert = { inner = { x = 1 } }, list = { { deep = 1 } },
                       ["not a name"] = 1 },
                     { __index = setmetatable({ alarm = print, also = 1 },
                                              { __index = { algebra = print } }) })
text = "abc"
number = 1
spy = setmetatable({}, { __index = function() error "code of the user ran" end,
                         __pairs = function() error "code of the user ran" end })
quick = tw.freeze { first = 1, second = { third = 2 } }
queue = tw.channel(1)
mean = require "tw.stat".mean()
_G.tw = tw

completes("thing.al|", "al: alarm albert algebra alpha also")
completes("x = thing:al|", "al: alarm algebra", "methods through __index")
completes("thing.albert.in|ner", "in: inner", "in the midst of a word")
completes("thing.list[1].|", ": deep", "elements")
completes("thing['albert'].i|", "i: inner", "keys in brackets")
completes("thing.n|", "n: ", "what is no name can't follow a dot")
completes("text:rev|", "rev: reverse", "a string's methods")
completes("('a'):up|", "up: upper", "a literal's, too")
completes("number.|", ": ", "a number has none")
completes("nothing.x|", "x: ", "what is nil has none")
completes("spy.a|", "a: ", "no code of the user runs")
completes("quick.s|", "s: second", "a frozen table")
completes("quick.second.t|", "t: third", "in it")
completes("queue:se|", "se: send", "userdata")
completes("mean.va|", "va: value", "fields that C reads")
completes("mean:pu|", "pu: push", "methods that C finds")
completes("thin|", "thin: thing", "globals")
completes("fo|", "fo: for", "keywords")
completes("if tex| then", "tex: text")
completes("tw.chan|", "chan: channel", "modules of tw")
completes("require 'tw.ins|", "tw.ins: tw.inspect")
completes('local x = require("tw.hel|', "tw.hel: tw.help")
completes("thing['al|", "al: alarm albert algebra alpha also", "keys in brackets")
completes(":feed sy|", "sy: synthetic", "kinds of feed")
do
  package.path = "/one/?.lua;/two/?/init.lua;" .. package.path
  repl.open(false, { size = function() return 80, 24 end, feeds = {},
                     directory = function(path)
    return ({ ["/one/"] = { "mine.lua", "other.txt" },
              ["/one/deep/"] = { "er.lua" } })[path] or {}
  end })
  completes("require 'mi|", "mi: mine", "files that require finds")
  completes("require 'deep.|", "deep.: deep.er", "and in directories")
  package.path = package.path:gsub("^[^;]*;[^;]*;", "")
end
completes("print 'thing.al|", ": ", "nothing in a string")
completes("-- thing.al|", ": ", "nor in a comment")
completes("[[ thing.al|", ": ", "nor in a long string")
completes(":ta|", "ta: table", "commands")
completes(":table thing.alb|", "alb: albert", "what follows them")
completes("?tw.test.o|", "tw.test.o: tw.test.ok", "topics")
completes("|", ": ", "nothing at the start")

-- Colours.

local function paints(text, want) t.is(repl.paint(text), want, text) end

paints("local x = 12.5e-3", "11111000003333333")
paints("'a\\'b' .. \"c\"", "22222200002" .. "22")
paints("x -- why\ny", "004444440" .. "0")
paints("--[[ a\nb ]] c", "4444444444400")
paints("[==[ a ]==] b", "2222222222200")
paints("'no end", "2222222")
paints("0xFF 1..2", "333303333")
paints(":time f()", "555550000")
paints("::label::", "000000000")
paints("?x", "50")
for _, text in ipairs { "é", "'\\", "--[", "[=", "0x", ":", "1e", "\0\xff" } do
  t.is(#repl.paint(text), #text, ("a style for each byte of %q"):format(text))
end

-- Commands.

local said
local real = print
local function says(entry, pattern, name)
  said = {}
  print = function(...)
    local line = {}
    for i = 1, select("#", ...) do line[i] = tostring((select(i, ...))) end
    said[#said + 1] = table.concat(line, "\t")
  end
  local fine, why = pcall(repl.command, entry, false)
  print = real
  local text = fine and table.concat(said, "\n") or tostring(why)
  if not t.ok(text:find(pattern), name or entry) then t.diag(text) end
end

says(":table {{ a = 1 }}", "^a\n1$")
says(":json { 1, 2 }", "^%[1,2%]$")
says(":csv {{ a = 1 }}", "^a\n1$")
says(":time 1 + 1, 'x'", "^2\tx\n[%d.]+ %l+, [%d.]+ %l+ of CPU time$")
says(":time local x = 1", "^[%d.]+ %l+, ", ":time of a statement")
says(":time error 'bad'", "bad")
says(":table", ":table: an expression expected")
says(":table x =", "<eof> expected near '='")
says(":nothing",
     "no command ':nothing'; there are :csv :feed :help :json :reload :table :time")
says(":reload", ":reload: which script%?")
says(":help", ":watch expression")
says("?", ":watch expression")
says("?tw.test.ok", "^test.ok%(holds, name%).*Yields: no")
says("?tw.sleep", "Blocks: no", "? a function of C")
says("?queue", "channel", "? an object")
says("?require 'tw.test'", "write tests that speak TAP", "? a module")
says("?nothing_at_all", "no help on 'nothing_at_all'")
says("?{}", "nothing is known of this table")

--- mine(x): what it is for.
function mine(x) return x end

says("?mine",
     "^%-%-%- mine%(x%): what it is for.\nfunction mine%(x%).*\n%(.*repl.lua:%d+%)$",
     "? a function of one's own")

repl.open(false, { size = function() return 40, 24 end })
says("?tw.cache.simulate", "\n    Yields: no%.  Blocks: while it\n    reads, and 5 to 50",
     "help is as wide as the terminal")
local widest, words = 0, {}
for line in said[1]:gmatch "[^\n]+" do widest = math.max(widest, #line) end
for word in said[1]:gmatch "%S+" do words[#words + 1] = word end
t.ok(widest > 30 and widest < 40, "and no wider")
local whole = {}
for word in require "tw.help".text("tw.cache.simulate"):gmatch "%S+" do
  whole[#whole + 1] = word
end
t.is(table.concat(words, " "), table.concat(whole, " "), "with all its words")

said = {}
print = function(text) said[#said + 1] = text end
repl.show(1, nil, "x")
repl.show { 1, 2 }
print = real
t.is(table.concat(said, "|"), '1\tnil\t"x"|{1, 2}', "show")

t.done()

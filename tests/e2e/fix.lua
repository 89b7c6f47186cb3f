--- fix: tidewire fix decode and fix.decode: logs of FIX messages, with names.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local fix = require "tw.fix"

local HEAD = "34=2|49=ME|52=20240102-09:30:00|56=YOU|"
local ORDER = apps.fix("35=D|" .. HEAD .. "11=ABC|55=AAPL|54=1|60=20240102-09:30:00|"
                       .. "38=100|40=2|44=1.5|58=a^b|")
local BOOK = apps.fix("35=W|" .. HEAD .. "55=BP|268=2|269=0|270=1.5|271=7|269=1|270=1.6|")
local LOGON = apps.fix(("35=A|%s98=0|108=30|95=7|96=se;cret|554=hidden|925=newer|")
                       :format(HEAD)):gsub(";", "\1")
LOGON = apps.fix(LOGON:match "(35=.*)10=")    -- with the sum of what it has now
local function piped(m) return (m:gsub("\1", "|")) end
local function careted(m) return (m:gsub("\1", "^A")) end

local dir = apps.write { files = {
  ["venue.txt"] = "5001 VenueID STRING\n54 + 1=PURCHASE\nD + 5001\n",
  ["broken.txt"] = "5001 VenueID STRING\nwhat is this\n",
  ["d.xml"] = [[<fix major="4" minor="4"><header>
    <field name="BeginString" required="Y"/><field name="BodyLength" required="Y"/>
    <field name="MsgType" required="Y"/></header><trailer>
    <field name="CheckSum" required="Y"/></trailer><messages>
    <message name="Mine" msgtype="D" msgcat="app"><field name="Word" required="N"/>
    </message></messages><components/><fields>
    <field number="8" name="BeginString" type="STRING"/>
    <field number="9" name="BodyLength" type="LENGTH"/>
    <field number="35" name="MsgType" type="STRING"/>
    <field number="10" name="CheckSum" type="STRING"/>
    <field number="11" name="Word" type="STRING"/></fields></fix>]],
} }

local function run(words, log)
  return apps.shell(("cd %s && timeout 120 %s fix %s"):format(dir, apps.tidewire, words),
                    log)
end
local function decode(words, log) return run("decode - " .. words, log) end

local function like(text, pattern, name)
  if not t.ok(text:find(pattern), name) then t.diag(text) end
end

-- ---- each form gives the same ----

local WANT = [[
1:  NewOrderSingle (D)  ME > YOU #2  20240102-09:30:00
      8 BeginString = FIX.4.4
      9 BodyLength = 111
     35 MsgType = D NEW_ORDER_SINGLE
     34 MsgSeqNum = 2
     49 SenderCompID = ME
     52 SendingTime = 20240102-09:30:00
     56 TargetCompID = YOU
     11 ClOrdID = ABC
     55 Symbol = AAPL
     54 Side = 1 BUY
     60 TransactTime = 20240102-09:30:00
     38 OrderQty = 100
     40 OrdType = 2 LIMIT
     44 Price = 1.5
     58 Text = a^b
     10 CheckSum = ]] .. ORDER:match "10=(%d+)\1$" .. "\n"
for name, text in pairs { raw = ORDER, bars = piped(ORDER) .. "\n",
                          carets = careted(ORDER) .. "\r\n",
                          cropped = piped(ORDER):sub(1, -2) } do
  local r = decode("", text)
  t.is(r.out, WANT, name)
  t.is(r.err, "", name .. ": nothing to complain of")
  t.is(r.status, 0, name .. ": status")
end
t.is(decode("", "\n[09:30] \27[1m in: " .. piped(ORDER)).out:match "[^\n]*",
     "2:  [09:30] \\x1b[1m in:  NewOrderSingle (D)  ME > YOU #2  20240102-09:30:00",
     "what a line begins with is there, and no escape sequence")
for name, text in pairs { raw = ORDER, bars = piped(ORDER), carets = careted(ORDER) } do
  t.is(select(2, decode("", text:rep(3)).out:gsub("NewOrderSingle", "")), 3,
       name .. ": three in one line")
end
like(decode("", BOOK).out, [[
    268 NoMDEntries = 2
        1 of 2
          269 MDEntryType = 0 BID
          270 MDEntryPx = 1.5
          271 MDEntrySize = 7
        2 of 2
          269 MDEntryType = 1 OFFER
          270 MDEntryPx = 1.6
     10 ]], "groups are indented")
t.is(decode("--short", BOOK).out, "1:  MarketDataSnapshotFullRefresh (W)  ME > YOU #2"
  .. "  20240102-09:30:00  Symbol=BP NoMDEntries=2 [MDEntryType=BID MDEntryPx=1.5"
  .. " MDEntrySize=7] [MDEntryType=OFFER MDEntryPx=1.6]\n", "--short")

-- ---- passwords ----

for _, words in ipairs { "", "--short" } do
  local r = decode(words, LOGON .. careted(LOGON) .. "\n" .. piped(LOGON))
  t.ok(not (r.out .. r.err):find "cret" and not (r.out .. r.err):find "hidden"
       and not (r.out .. r.err):find "newer", "no password is shown " .. words)
  t.is(select(2, r.out:gsub("[ =]+%*%*%*", "")), 9, "they are blanked " .. words)
  t.is(r.err, "", "in each form " .. words)
end
do
  local r = decode("", apps.fix("35=BE|" .. HEAD
    .. "923=1|924=3|553=me|554=secret|925=newer|95=6|96=secret|"))
  t.ok(not r.out:find "secret" and not r.out:find "newer"
       and r.out:find " 925[^\n]*= %*%*%*\n" and r.out:find " 96[^\n]*= %*%*%*\n",
       "nor those of a UserRequest")
end
do
  local odd = apps.fix("35=A|" .. HEAD .. "554=one|hidden|108=30|")
  local r = decode("", odd)
  t.is(r.err, "tidewire: fix: standard input:1: field 9, behind 554, is not tag=value\n",
       "nor in what is wrong with a Logon")
  t.is(r.status, 1, "status")
end

-- ---- what is broken ----

local wrong = ORDER:gsub("AAPL", "AAPM")
local long = ORDER:gsub("9=%d+", "9=500", 1)
local odd = apps.fix("35=D|" .. HEAD .. "nonsense|")
do
  local r = decode("--short --type W", table.concat({ wrong, piped(wrong), long, odd,
    "8=FIX.4.4 9=5", BOOK, ORDER:sub(1, 60) }, "\n"))
  like(r.out, "^6:  MarketData", "goes on")
  t.is(select(2, r.out:gsub("\n", "")), 1, "with one message")
  t.is(r.status, 1, "and status 1")
  local sum = tonumber(wrong:match "10=(%d+)\1$")
  local what = ("CheckSum %03d, computed %03d"):format(sum, (sum + 1) % 256)
  local want = { "1: " .. what, "2: " .. what, nil, "4: field 8, behind 56, is not",
                 "5: neither SOH", "7: it is cut off, or BodyLength 111 is too large" }
  for i = 1, 7 do
    if want[i] then t.ok(r.err:find("input:" .. want[i], 1, true), want[i]) end
  end
  t.ok(r.err:find "input:3: BodyLength 500" or r.err:find "input:3: it is cut off",
       "a wrong BodyLength")
end

-- Where there is no end of a message it isn't looked for in all that follows.
do
  local r = apps.shell(("ulimit -t 10; %s fix decode -"):format(apps.tidewire),
                       ("8=FIX.4.4\1"):rep(100000))
  t.is(select(2, r.err:gsub("\n", "")), 100000, "100,000 messages without an end")
  t.is(r.status, 1, "are told within seconds of the CPU")
end

-- ---- filters ----

local LOG = ORDER .. "\n" .. BOOK .. "\n"
for words, want in pairs { ["--type D"] = "D", ["--type NewOrderSingle,8"] = "D",
    ["--type D,W"] = "DW", ["--tag 11=ABC"] = "D", ["--tag ClOrdID=ABC"] = "D",
    ["--tag 271=7"] = "W", ["--tag 11=ABC --tag 55=BP"] = "", ["--type 8"] = "" } do
  local found = {}
  local r = decode("--short " .. words, LOG)
  for code in r.out:gmatch "%((%w)%)" do found[#found + 1] = code end
  t.is(table.concat(found), want, words)
  t.is(r.status, 0, words .. ": status")
  t.is(r.err:match "none of its 2 messages has that ([^\n]*)",
       want == "" and words:match "^%-%-%a+" or nil, words .. ": told where none is")
end

-- ---- dictionaries ----

local VENUE = apps.fix("35=D|" .. HEAD .. "54=1|5001=X|")
like(decode("", VENUE).out, " 5001 %? = X\n", "an unknown field")
do
  local r = decode("--dictionary venue.txt", VENUE)
  like(r.out, " 5001 VenueID = X\n", "a field of an extension")
  like(r.out, " 49 SenderCompID = ME\n", "on top of what is built in")
  r = decode("--dictionary d.xml", VENUE)
  like(r.out, "Mine %(D%)", "of an XML file")
  like(r.out, " 54 %? = 1\n", "there is nothing below")
  r = decode("--dictionary broken.txt", VENUE)
  like(r.err, "broken.txt:2: ", "a broken one is told with its line")
  t.is(r.status, 1, "and ends it")
  local new = apps.fix("35=A|" .. HEAD .. "98=0|108=30|1137=7|", "FIXT.1.1")
    .. apps.fix("35=D|" .. HEAD .. "54=1|", "FIXT.1.1")
    .. apps.fix("35=D|1128=9|" .. HEAD .. "54=1|1385=1|", "FIXT.1.1")
    .. apps.fix("35=D|1128=42|" .. HEAD, "FIXT.1.1")
  r = decode("", new)
  like(r.out, " 1137 DefaultApplVerID = 7\n", "FIXT.1.1, a Logon")
  like(r.out, " 1385 ContingencyType = 1 ", "5.0SP2 by 1128")
  like(r.err, "no dictionary of ApplVerID 42 is built in", "an unknown one")
end
local static = (apps.program:match "^(.*)/" or ".") .. "/tidewire-static"
if os.execute("test -x " .. apps.quote(static)) then
  local r = apps.shell(("cd %s && %s fix decode - --dictionary d.xml"):format(dir,
    apps.quote(static)), VENUE)
  like(r.err, "d.xml:1: this program is static: it reads no dictionaries in XML",
         "the static program refuses XML")
  t.is(r.status, 1, "status")
else
  t.diag "no tidewire-static here: XML in it is not tried"
end

-- Several in XML: each for the messages of its version, FIXT11 below or on top of it.
do
  local function fields(names)
    local list, of = {}, { BeginString = 8, BodyLength = 9, MsgType = 35, CheckSum = 10,
      ApplVerID = 1128, DefaultApplVerID = 1137, First = 11, Second = 11, Newer = 11,
      SenderCompID = 49, Sender = 49, HeartBtInt = 108 }
    for name in names:gmatch "%a+" do
      list[#list + 1] = ('<field number="%d" name="%s" type="STRING"/>'):format(of[name],
                                                                             name)
    end
    return "<fields>" .. table.concat(list) .. "</fields>"
  end
  local function level(element, names)
    return "<" .. element .. ">" .. names:gsub("%a+%s*", '<field name="%0"/>'):gsub(
      '%s*"', '"') .. "</" .. element .. ">"
  end
  local SESSION <const> = "BeginString BodyLength MsgType "
  local function xml(name, root, header, message, names)
    local h = header and level("header", SESSION .. header)
      .. level("trailer", "CheckSum") or ""
    apps.put(dir .. "/" .. name, ("<?xml version='1.0'?>\n<!-- <fix major='9'> -->\n"
      .. "<fix %s>%s<messages>%s</messages>%s</fix>\n"):format(root, h, message,
      fields(names .. (header and " CheckSum " .. SESSION .. header or ""))))
  end
  local function order(name, field)
    return ('<message name="%s" msgtype="D" msgcat="app"><field name="%s"/></message>')
      :format(name, field)
  end
  xml("42.xml", "type='FIX' major='4' minor='2'", "SenderCompID ", order("Old", "First"),
      "First")
  xml("44.xml", 'minor="4" major = "4" type="FIX" servicepack="0"', "SenderCompID ",
      order("New", "Second"), "Second")
  xml("52.xml", "type='FIX' major='5' minor='0' servicepack='2'", nil,
      order("Newest", "Newer"), "Newer")
  xml("t.xml", "type='FIXT' major='1' minor='1' servicepack='0'", "Sender ApplVerID ",
      '<message name="On" msgtype="A" msgcat="admin"><field name="DefaultApplVerID"/>'
      .. "</message>", "DefaultApplVerID")
  local log = ""
  for _, m in ipairs {
      { "FIX.4.2", "D" }, { "FIX.4.4", "D" }, { "FIX.4.3", "D" }, { "FIX.4.4", "D" },
      { "FIXT.1.1", "D", 6 }, { "FIXT.1.1", "D", 9 }, { "FIXT.1.1", "D", 4 },
      { "FIXT.1.1", "D", 8 }, { "FIXT.1.1", "A" }, { "FIXT.1.1", "D" } } do
    local tail = m[2] == "A" and "1137=6|" or "11=x|"
    log = log .. apps.fix(("35=%s|49=A|56=B|34=1|52=20240102-09:30:00|"):format(m[2])
      .. (m[3] and ("1128=%d|"):format(m[3]) or "") .. tail, m[1]) .. "\n"
  end
  -- The name of each message, of its 49 and of its last field.
  local function names(files, text)
    local words = {}
    for file in files:gmatch "%S+" do words[#words + 1] = "--dictionary " .. file end
    local r, list = decode(table.concat(words, " "), text or log), {}
    for m in (r.out .. "0:  "):gmatch "(.-\n)%f[^\n]%f[%d]" do
      list[#list + 1] = ("%s %s %s"):format(m:match "^%d+:  (%S+)", m:match " 49 (%S+)",
                                            m:match "11%d* (%S+) = %w*\n[^\n]*\n$")
    end
    return table.concat(list, "\n"), r
  end
  local APART <const> = [[
Old SenderCompID First
New SenderCompID Second
NewOrderSingle SenderCompID ClOrdID
New SenderCompID Second
New Sender Second
Newest Sender Newer
Old Sender First
NewOrderSingle Sender ClOrdID
On Sender DefaultApplVerID
New Sender Second]]
  local got, r = names "t.xml 42.xml 44.xml 52.xml"
  if not t.is(got, APART, "XML of several versions: each for its messages") then
    t.diag(r.out .. r.err)
  end
  t.is(r.err .. r.status, "0", "with nothing to complain of")
  t.is(names "52.xml 44.xml t.xml 42.xml", APART, "in whatever order")
  got, r = names("42.xml 44.xml 52.xml")
  got = got:gsub("Sender ", "SenderCompID ")
  t.is(got, (APART:gsub("Sender ", "SenderCompID "):gsub("On ", "Logon ")),
       "the session of FIXT.1.1 is built in")
  got, r = names("44.xml 42.xml broken.txt")
  t.is(r.status, 1, "one that is broken ends it")
  like(r.err, "broken.txt:2: ", "and is told")
  apps.put(dir .. "/odd.xml", "<fix major='3' minor='1'/>")
  like(select(2, names "44.xml 42.xml odd.xml").err,
       "odd.xml:1: FIX.3.1 is not a version", "so is one of no version")
  apps.put(dir .. "/more.txt", "5001 VenueID STRING\nD + 5001\n")
  got, r = names("44.xml more.txt 42.xml", log .. VENUE)
  t.is(select(2, r.out:gsub(" 5001 VenueID = X\n", "")), 1, "extensions go on top of all")
  t.is(names("t.xml 52.xml", log:match "[^\n]*$" .. select(6, log:match(
       "(.-\n)(.-\n)(.-\n)(.-\n)(.-\n)(.-\n)"))), "Newest Sender Newer",
       "a session's and an application's are one, as ever")
  t.is(names("52.xml", log:match "[^\n]*\n$"), "Newest SenderCompID Newer",
       "with the session that is built in, too")
  t.is(names("t.xml", log:match "[^\n]*\n$"), "NewOrderSingle Sender ClOrdID",
       "and so is the application")
  t.is(names("44.xml", log:match "^[^\n]*\n"), "New SenderCompID Second",
       "and one alone is for what there is")
  local list = { dictionary = { dir .. "/42.xml", dir .. "/44.xml" } }
  t.is(fix.message(log, list).name, "Old", "fix.message chooses, too")
  t.is(fix.decode(log:match "\n(.*)$", list).name, "New", "and fix.decode")
  t.ok(fix.encode({ MsgType = "New", Second = "s" }, { version = "FIX.4.4",
       dictionary = list.dictionary }):find "\00111=s\1", "and fix.encode")
end

-- ---- files, and command lines that make no sense ----

apps.put(dir .. "/a.log", LOG:rep(2000))
assert(os.execute(("cd %s && gzip -k a.log"):format(dir)))
do
  local plain, packed = run "decode a.log --short", run "decode a.log.gz --short"
  t.is(select(2, plain.out:gsub("\n", "")), 4000, "a file of many messages")
  like(plain.out, "\n4000:  MarketData[^\n]*\n$", "and of lines")
  t.ok(packed.out == plain.out, ".gz as well")
end
like(decode("", "hello\n").err, "standard input: no FIX message in it", "no message")
like(run("decode none.log").err, "cannot open none.log", "no file")
t.is(run("decode none.log").status, 1, "its status")
for _, words in ipairs { "", "encode a.log", "decode", "decode a.log b.log",
                         "decode a.log --what", "decode a.log --tag 11" } do
  t.is(run(words).status, 2, "makes no sense: " .. words)
end

-- ---- fix.decode ----

local m = assert(fix.decode("\n..." .. piped(BOOK)))
t.is(m.type .. m.name .. m.line, "WMarketDataSnapshotFullRefresh2", "fix.decode")
local group = m.fields[9]
t.is(("%d %s %s"):format(group.tag, group.name, group.value), "268 NoMDEntries 2",
     "a group")
t.is(group.entries[2][1].choice, "OFFER", "its entries")
t.is(fix.decode(VENUE, { dictionary = dir .. "/venue.txt" }).fields[9].name, "VenueID",
     "an extension")
t.is(select(2, fix.decode "hello"), "no FIX message in the text", "none")
like(select(2, fix.decode(wrong)), "^CheckSum", "a wrong one")
t.ok(not pcall(fix.decode, 5), "no text")
t.ok(not pcall(fix.decode, "", { what = 1 }), "no option")

-- ---- cut, and changed, at random: an answer, and no crash ----

local seed, fine = 7, true
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end
local FORMS = { ORDER, BOOK, LOGON, piped(BOOK), careted(BOOK), piped(LOGON) }
local function attempt(text)
  local ok, result, why = pcall(fix.decode, text)
  fine = fine and ok and (result or type(why) == "string")
end
for _, form in ipairs(FORMS) do
  for n = 0, #form do attempt(form:sub(1, n)) end
end
for _ = 1, os.getenv "SMALL" and 300 or 5000 do
  local form = FORMS[random(#FORMS)]
  local at = random(#form)
  attempt(form:sub(1, at - 1) .. string.char(random(256) - 1) .. form:sub(at + 1))
  local body = form:gsub("^A", "\1"):gsub("|", "\1"):match "(35=.*)10=" or "35=D|"
  local from = random(#body)
  attempt(apps.fix("35=W|" .. body:sub(from, from + random(#body))))   -- whole, and odd
end
t.ok(fine, "fix.decode of what is cut and changed")
do
  local parts = {}
  for i = 1, 200 do
    local form = FORMS[random(#FORMS)]
    local from = random(#form)
    parts[i] = form:sub(from, from + random(#form))
  end
  local r = decode("", table.concat(parts))
  t.is(r.status, 1, "and of a log of such")
  t.ok(not (r.out .. r.err):find "hidden", "in which no password is shown")
end

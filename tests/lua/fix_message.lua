--- fix_message: views of FIX messages, and messages made of tables.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local fix = require "tw.fix"

local HEAD = "34=2|49=ME|52=20240102-09:30:00|56=YOU|"
local function message(body, o, version)
  return assert(fix.message(apps.fix(body, version), o))
end
local function piped(text) return (text:gsub("\1", "|")) end

-- ---- views ----

-- 354 says three bytes: p SOH q.
local order = message("35=D|" .. HEAD .. "97=Y|11=ABC|453=2|448=a|447=D|802=1|523=x"
  .. "|803=4|448=b|452=3|55=AAPL|54=1|60=20240102-09:30:00|38=100|44=-1.50|"
  .. "354=3|355=p|q|58=t|")
t.is(order.ClOrdID, "ABC", "a field by its name")
t.is(order[11], "ABC", "and by its tag")
t.is(order.MsgType, "D", "the header's too")
t.is(order.name, "NewOrderSingle", "the message's name")
t.is(order.Price, -1.5, "a number")
t.is(math.type(order.OrderQty), "float", "which is a float where the type says so")
t.is(order:text "Price", "-1.50", "and its text")
t.is(order:text(44), "-1.50", "by its tag")
t.is(order:text "NoPartyIDs", "2", "the text of a count")
t.is(order.MsgSeqNum, 2, "an integer")
t.is(math.type(order.MsgSeqNum), "integer", "is one")
t.is(order.PossResend, true, "a boolean")
t.is(order.PossDupFlag, nil, "what is not there")
t.is(order:text "PossDupFlag", nil, "nor is its text")
t.is(order.Side, "1", "other values are texts")
t.is(order.EncodedText, "p\1q", "data holds SOH")
t.is(order.Text, "t", "and what follows is found")
t.is(order.CheckSum, order[10], "the trailer")
t.is(order[5001], nil, "a tag that the dictionary has not is not there")

local parties = order.NoPartyIDs
t.is(#parties, 2, "a group is a list")
t.is(parties[1].PartyID, "a", "its entries have fields")
t.is(parties[2].PartyRole, 3, "with their types")
t.is(parties[2]:text "PartyRole", "3", "and texts")
t.is(parties[2].PartyIDSource, nil, "of their own")
t.is(parties[1].NoPartySubIDs[1].PartySubID, "x", "groups in groups")
t.is(parties[2].NoPartySubIDs, nil, "which an entry may not have")
t.is(parties[3], nil, "no entry behind the last")
t.is(parties[0], nil, "nor before the first")
t.is(order.PartyID, nil, "a group's field is not the message's")
local ids = {}
for i, entry in ipairs(parties) do ids[i] = entry.PartyID end
for i, entry in pairs(parties) do ids[#ids + 1] = i .. entry.PartyID end
t.is(table.concat(ids, " "), "a b 1a 2b", "ipairs and pairs")

local seen = {}
for name, value in pairs(order) do
  seen[#seen + 1] = name .. "=" .. (type(value) == "userdata" and #value or
                                    tostring(value):gsub("\1", "|"))
end
t.is(table.concat(seen, " "):match "MsgType.*EncodedText=p|q",
  "MsgType=D MsgSeqNum=2 SenderCompID=ME SendingTime=20240102-09:30:00 TargetCompID=YOU "
  .. "PossResend=true ClOrdID=ABC NoPartyIDs=2 Symbol=AAPL Side=1 "
  .. "TransactTime=20240102-09:30:00 OrderQty=100.0 Price=-1.5 EncodedTextLen=3 "
  .. "EncodedText=p|q", "pairs in the order of the wire")
seen = {}
for name in pairs(parties[1]) do seen[#seen + 1] = name end
t.is(#seen, 3, "and of an entry")
t.is(tostring(parties[2]), "448=b|452=3|", "an entry as text")
t.is(order:bytes(), piped(order:bytes()):gsub("|", "\1"), "its bytes")
t.is(fix.message(order:bytes()):text "Price", "-1.50", "which are a message again")

t.raises("no field 'ClOrdId'.*you mean 'ClOrdID'", function() return order.ClOrdId end)
t.raises("no field 'nothing'", function() return parties[1].nothing end)
t.raises("no field 'Nothing'", order.text, order, "Nothing")
t.raises("can't be changed %(field 'Price'%)", function() order.Price = 2 end)
t.raises("can't be changed", function() parties[1] = {} end)
t.raises("list of entries", function() return parties.PartyID end)
t.raises("by name and by tag", function() return order[true] end)
t.raises("fix message expected", order.bytes, parties[1])
t.is(getmetatable(order), false, "nobody has its metatable")

local logon = message("35=A|" .. HEAD .. "98=0|108=30|95=3|96=key|554=pass|925=new|")
t.is(tostring(logon):match "95=.*925=[^|]*", "95=3|96=***|554=***|925=***",
  "tostring blanks passwords")
t.is(logon.Password, "pass", "who asks for one gets it")
local user = message("35=BE|" .. HEAD .. "923=1|924=3|553=me|554=old|925=new|95=2|96=ab|")
t.is(tostring(user):match "553=.*96=[^|]*", "553=me|554=***|925=***|95=2|96=***",
  "a UserRequest's, too")
local news = message("35=B|" .. HEAD .. "148=x|33=1|58=y|95=3|96=abc|")
t.is(tostring(news):match "96=[^|]*", "96=abc", "what News says is none")

-- What is no value of its kind stays text; what is too large, too.
local odd = message("35=D|" .. HEAD .. "11=A|38=ten|34=99999999999999999999|44=1e5|"
  .. "99=12345678901.25|")
t.is(odd.OrderQty, "ten", "a quantity that is none")
t.is(odd.Price, "1e5", "no exponents")
t.is(odd.StopPx, 12345678901.25, "more than nine decimals can hold")
local unknown = message("35=ZZ|" .. HEAD .. "11=A|7777=x|")
t.is(unknown.name, nil, "a message that is not in the dictionary has no name")
t.is(unknown.ClOrdID, "A", "but fields")
t.is(unknown[7777], "x", "by tag")

local why = select(2, fix.message "8=FIX.4.4|9=5|35=0|10=000|")
t.ok(tostring(why):find "CheckSum", "what is no message says why")
t.is(fix.message "nothing", nil, "nor is this")
for _, body in ipairs { "35=D|" .. HEAD .. "11|55=A|",
                        "35=A|" .. HEAD .. "554=pass|=x|" } do
  local made, said, code = fix.message(apps.fix(body))
  t.ok(made == nil and said:find "tag=value" and not said:find "pass" and code,
       "nor one that is not made of tag=value: " .. tostring(said))
end
t.raises("text expected", fix.message, 1)
t.raises("no option colour", fix.message, "", { colour = 1 })
for _, f in ipairs { fix.message, fix.decode } do
  t.raises("no option version: the message says it", f, "", { version = "FIX.4.2" })
end

-- A view keeps what it needs.
do
  local made = message("35=D|" .. HEAD .. "11=ABC|453=1|448=a|", { dictionary = {} })
  local entry = made.NoPartyIDs[1]
  made = nil
  for _ = 1, 3 do collectgarbage() end
  t.is(entry.PartyID, "a", "an entry outlives the message and its group")
end

-- A finalizer may meet messages and dictionaries that were finalized before it.
do
  local got = apps.shell(apps.tidewire .. " -e " .. apps.quote [[
    local function said(...)
      return (tostring(select(2, pcall(...))):gsub("^.-:%d+: ", ""))
    end
    local function meet(t)
      print(said(function() return t.m.ClOrdID end))
      print(said(function() return t.entry.PartyID end), #t.group)
      print(said(t.m and fix.encode, t.m), said(t.bytes, t.m), said(pairs, t.m))
    end
    local t, last = setmetatable({}, { __gc = meet }), nil
    last = setmetatable({}, { __gc = function()
      print(said(fix.encode, { MsgType = "0" }), said(fix.message, text))
    end })
    fix = require "tw.fix"
    text = fix.encode { MsgType = "D", ClOrdID = "1", Side = 1, OrdType = "1",
      Symbol = "A", TransactTime = 0, NoPartyIDs = { { PartyID = "a" } } }
    t.m = fix.message(text, { dictionary = {} })
    t.bytes, t.group, t.entry = t.m.bytes, t.m.NoPartyIDs, t.m.NoPartyIDs[1]
    t = nil
    collectgarbage() collectgarbage()
    Last = last]])
  local gone = "this FIX message was let go (by a finalizer's turn)"
  t.is(got.out, gone .. "\n" .. gone .. "\t1\n" .. gone .. "\t" .. gone .. "\t" .. gone
    .. "\nthe dictionary was let go (by a finalizer's turn)"
    .. "\tthe state is closing\n",
    "what was finalized before is closed")
  if not t.is(got.status, 0, "and nothing crashes") then t.diag(got.err) end
end

-- ---- of tables ----

local function fields(o, options)
  return piped(fix.encode(o, options)):match "^8=[^|]*|9=%d+|(.*)10=%d+|$"
end

t.is(fields { MsgType = "D", Symbol = "AAPL", ClOrdID = "1", Side = "SELL", OrdType = 2,
              Price = 1.5, OrderQty = 3, TransactTime = "20240102-09:30:00",
              SenderCompID = "ME", TargetCompID = "YOU", MsgSeqNum = 7 },
  "35=D|34=7|49=ME|56=YOU|11=1|55=AAPL|54=2|60=20240102-09:30:00|38=3|40=2|44=1.5|",
  "the order is the dictionary's, whatever the table's")
t.is(fields { [35] = "0", [112] = "x" }, "35=0|112=x|", "by tags")
t.is(fields { MsgType = "Heartbeat", TestReqID = 5 }, "35=0|112=5|", "a message by name")
local D = { MsgType = "D", ClOrdID = "1", Side = 1, OrdType = "1", Symbol = "A",
            TransactTime = 1700000000123456789 }
local function with(more)
  local o = {}
  for k, v in pairs(D) do o[k] = v end
  for k, v in pairs(more) do o[k] = v ~= "none" and v or nil end
  return o
end
local function order_of(more)
  return (fields(with(more)):gsub("^35=D|", ""):gsub("11=1|", ""):gsub("55=A|", "")
          :gsub("54=1|", ""):gsub("40=1|", ""):gsub("60=20231114%-22:13:20.123|", ""))
end
t.is(order_of {}, "", "a time may be nanoseconds")
t.is(order_of { NoPartyIDs = { { PartyRole = 3, PartyID = "a" },
                               { PartyID = "b",
                                 NoPartySubIDs = { { PartySubID = 1 } } } } },
  "453=2|448=a|452=3|448=b|802=1|523=1|", "groups, and groups in them")
t.is(order_of { NoPartyIDs = {} }, "453=0|", "an empty one")
t.is(order_of { EncodedText = "a\1b" }, "354=3|355=a|b|", "data has its length before it")
t.is(order_of { EncodedText = "ab", EncodedTextLen = 2 }, "354=2|355=ab|",
  "which may be there")
t.is(order_of { Price = 0.1 + 0.2 }, "44=0.30000000000000004|", "a float is exact")
t.is(order_of { Price = 1e-7 }, "44=0.0000001|", "without an exponent")
t.is(order_of { Price = 25.0 }, "44=25|", "or a point that is not needed")
t.is(order_of { Price = "1.50" }, "44=1.50|", "a text stays as it is")
t.is(order_of { PossResend = true }, "97=Y|", "a boolean, in the header")
t.is(order_of { MaturityMonthYear = "202403", NoUnderlyings = "none" }, "200=202403|",
  "a month")
t.is(order_of { SettlDate = 1700000000123456789 }, "64=20231114|", "a date")
t.is(order_of { ExecInst = "1 2" }, "18=1 2|", "words")

local function refuses(more, pattern)
  local fine, said = pcall(fix.encode, with(more))
  t.ok(not fine and said:find(pattern), pattern)
  if fine or not said:find(pattern) then t.diag(piped(tostring(said))) end
end
refuses({ MsgType = "none" }, "MsgType %(35%) is missing")
refuses({ MsgType = "Nope" }, "MsgType %(35%) is 'Nope': a message of the dictionary")
refuses({ ClOrdID = "none" }, "NewOrderSingle: ClOrdID %(11%) is required")
refuses({ ClOrdId = "x" }, "NewOrderSingle: the dictionary has no field 'ClOrdId'; did"
  .. " you mean 'ClOrdID'")
refuses({ [9876] = "x" }, "has no tag 9876")
refuses({ [true] = "x" }, "names or tags, not a boolean")
refuses({ [11] = "x" }, "ClOrdID %(11%) is there twice")
refuses({ TestReqID = "x" }, "TestReqID %(112%) is no field of this message")
refuses({ BodyLength = 3 }, "BodyLength %(9%) is written by itself")
refuses({ Side = "UP" }, "Side %(54%) is 'UP': one of 1 BUY, 2 SELL, .* expected")
refuses({ Side = true }, "Side %(54%) is true: one of 1 BUY")
refuses({ Symbol = true }, "Symbol %(55%) is true: a text expected")
refuses({ Price = "dear" }, "Price %(44%) is 'dear': a decimal number expected")
refuses({ Price = 0 / 0 }, "Price %(44%) is .*nan: a decimal number expected")
refuses({ Price = 1 / 0 }, "Price %(44%) is inf: a decimal number expected")
refuses({ Text = "a\1b" }, "without SOH")
refuses({ Text = "" }, "Text %(58%) is '': a text expected")
refuses({ Text = 1.5 }, "Text %(58%) is 1.5: a text expected")
refuses({ TransactTime = "noon" }, "TransactTime %(60%) is 'noon': YYYYMMDD")
refuses({ TransactTime = -5 }, "TransactTime %(60%) is %-5: YYYYMMDD")
for _, unit in ipairs { 1, 1000, 1000000 } do            -- of seconds, not of ns
  refuses({ TransactTime = 1700000000 * unit }, "TransactTime %(60%) is 17%d+: YYYYMMDD")
end
refuses({ ExpireDate = 20240102 }, "ExpireDate %(432%) is 20240102: YYYYMMDD, or nano")
refuses({ EncodedText = "ab", EncodedTextLen = 3 }, "is 3: 2, as EncodedText has bytes")
refuses({ EncodedTextLen = 3 }, "but not the data")
refuses({ EncodedText = 3 }, "EncodedText %(355%) is 3: a text expected")
refuses({ NoPartyIDs = 2 }, "NoPartyIDs %(453%) is 2: a list of tables")
refuses({ NoPartyIDs = { 2 } }, "NoPartyIDs %(453%) is 2: a table in each place")
refuses({ NoPartyIDs = { PartyID = "a", PartyRole = 3 } },
  "NoPartyIDs %(453%) is a list of tables: 'Party%a+' is none of its places")
refuses({ NoPartyIDs = { { PartyID = "a" }, x = 1 } }, "list of tables: 'x' is none of")
refuses({ NoPartyIDs = { { PartyID = "a" }, { PartyRole = 1 } } },
  "NewOrderSingle.NoPartyIDs%[2%]: PartyID %(448%) begins each entry")
refuses({ NoPartyIDs = { { PartyID = "a", PartyRol = 1 } } },
  "NoPartyIDs%[1%]: the dictionary has no field 'PartyRol'; did you mean 'PartyRole'")
refuses({ NoPartyIDs = { { PartyID = "a", NoPartySubIDs = { { PartySubID = "" } } } } },
  "NewOrderSingle.NoPartyIDs%[1%].NoPartySubIDs%[1%]: PartySubID %(523%) is '': a text")
local fine, said = pcall(fix.encode, { MsgType = "A", EncryptMethod = 0, HeartBtInt = 30,
                                       Password = 1.5 })
t.ok(not fine and said:find "not shown" and not said:find "1%.5",
  "a password is not shown")
do                                      -- what is inherited hides nothing
  local o = setmetatable({ Typo = 1 }, { __index = D })
  local made, why = pcall(fix.encode, o)
  t.ok(not made and why:find "has no field 'Typo'", "an heir's unknown field")
  o.Typo = nil
  t.is(piped(fix.encode(o)), piped(fix.encode(D)), "an heir's fields")
end
fine, said = pcall(function() fix.encode(with { Price = "x" }) end)
t.ok(said:find "fix_message.lua:%d+:", "an error says where the caller is")

-- Versions.
t.is(piped(fix.encode({ MsgType = "0" }, { version = "FIX.4.2" })):match "^8=[^|]*",
  "8=FIX.4.2", "another version")
t.is(piped(fix.encode({ MsgType = "0" }, { version = "FIX.5.0SP2" })):match "^8=[^|]*",
  "8=FIXT.1.1", "5.0 has a transport of its own")
t.raises("no dictionary of FIX.9.9", fix.encode, { MsgType = "0" },
  { version = "FIX.9.9" })

-- Before 4.2 a time has no fraction.
t.ok(piped(fix.encode({ MsgType = "8", OrderID = 1, ExecID = 1, ExecTransType = 0,
  ExecType = 0, OrdStatus = 0, Symbol = "A", Side = 1, OrderQty = 1, LastShares = 0,
  LastPx = 0, LeavesQty = 0, CumQty = 0, AvgPx = 0, TransactTime = D.TransactTime },
  { version = "FIX.4.1" })):find("|60=20231114-22:13:20|", 1, true), "seconds in FIX.4.1")

-- What was made is a message with the same values.
local wide = {}
for i = 1, 500 do
  wide[i] = { MDEntryType = "BID", MDEntryPx = i / 100, MDEntrySize = i }
end
local book = fix.message(fix.encode { MsgType = "W", Symbol = "A", NoMDEntries = wide })
local sum = 0
for _, entry in ipairs(book.NoMDEntries) do sum = sum + entry.MDEntryPx end
t.is(#book.NoMDEntries, 500, "a large group")
t.near(sum, 1252.5, 1e-9, "with all its values")

-- Memory may run out at any allocation.
apps.without_memory(apps.tidewire .. " -e " .. apps.quote [[
  local fix = require "tw.fix"
  local text = fix.encode { MsgType = "D", ClOrdID = "1", Side = 1, OrdType = "1",
    Symbol = ("A"):rep(3000), TransactTime = 0, NoPartyIDs = { { PartyID = "a" } } }
  local m = assert(fix.message(text))
  local n = 0
  for _, v in pairs(m) do n = n + #tostring(v) end
  print(m.NoPartyIDs[1].PartyID, #m.Symbol, #tostring(m), n > 3000)]],
  "a\t3000\t3085\ttrue\n", os.getenv "SMALL" and 97 or 13)

t.done()

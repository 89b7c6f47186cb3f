--- fix_config: the .cfg files of QuickFIX, and what app.fix declares.

local t = require "tw.test"
local app = require "tw.app"
local config = require "tw.fix_config"

local function file(text, suffix)
  local path = os.tmpname()
  local f <close> = io.open(path, "wb")
  f:write(text)
  return path
end

local function read(text)
  local path = file(text)
  local made, why = config.read(path)
  os.remove(path)
  return made, why and why:gsub("^.*/[^:]*:", "cfg:")
end

local INITIATOR = [[
[DEFAULT]
ConnectionType=initiator
HeartBtInt=20
ReconnectInterval=5
FileStorePath=store
FileLogPath = log
StartTime=08:00:00
EndTime=17:00:00
Weekdays=Mon,Tue,Fri
TimeZone=America/New_York
SocketNodelay=Y

# a broker
[SESSION]
BeginString=FIX.4.4
SenderCompID=ME
TargetCompID=BROKER
SocketConnectHost=a.example
SocketConnectPort=5001
SocketConnectHost1=b.example
SocketConnectPort1=5002
ResetOnLogon=Y
ValidateFieldsHaveValues=N
AllowUnknownMsgFields=Y
CheckLatency=N
TimestampPrecision=6
[SESSION]
BeginString=FIXT.1.1
DefaultApplVerID=FIX.5.0SP2
SenderCompID=ME
TargetCompID=OTHER
SocketConnectHost=::1
SocketConnectPort=5003
SessionQualifier=other
UseDataDictionary=N
PersistMessages=N
MaxLatency=30
]]

local made = assert(read(INITIATOR))
t.is(#made.sessions, 2, "two sessions")
t.is(#made.warnings, 0, "and nothing to say")
local a, b = made.sessions[1], made.sessions[2]
t.is(a.name, "FIX.4.4:ME-BROKER", "a name of BeginString and CompIDs")
t.same(a.hosts, { "a.example:5001", "b.example:5002" }, "hosts, one after the other")
t.is(a.heartbeat, 20, "heartbeat, of [DEFAULT]")
t.is(a.retry, 5, "reconnects")
t.is(a.store, "store", "a store")
t.is(a.log, "log", "a log, with blanks around =")
t.is(a.reset_on_logon, true, "a flag")
t.same(a.validate, { have_values = false, unknown_fields = false }, "what is checked")
t.is(a.latency, false, "no latency")
t.is(a.precision, 6, "microseconds")
t.same(a.schedule, { zone = "America/New_York", open = "08:00:00", close = "17:00:00",
                     days = "mon,tue,fri" }, "a schedule")
t.is(b.version, "FIX.5.0SP2", "a version of FIXT")
for said, digits in pairs { Millisecond = 3, micro = 6, MICROS = 6, nanosecond = 9 } do
  local one = assert(read((INITIATOR:gsub("Precision=6", "Precision=" .. said))))
  t.is(one.sessions[1].precision, digits, "TimestampPrecision=" .. said)
end
for said, digits in pairs { ["0"] = 3, ["1"] = 3, SECONDS = 3, ["4"] = 6, ["7"] = 9 } do
  local one = assert(read((INITIATOR:gsub("Precision=6", "Precision=" .. said))))
  t.is(one.sessions[1].precision, digits, "TimestampPrecision=" .. said)
  t.ok(#one.warnings == 1 and one.warnings[1]:find((":26: TimestampPrecision=%s is as %d:"
       .. " times have 3, 6 or 9 digits"):format(said, digits), 1, true), "is told")
end
t.is(b.name, "other", "a qualifier is a name")
t.same(b.hosts, { "[::1]:5003" }, "an address of IPv6")
t.is(b.validate, "off", "no dictionary")
t.is(b.persist, false, "nothing kept")
t.is(b.latency, 30, "a latency")

-- As the QuickFIX of .NET has it, from an editor of Windows.
made = assert(read(([[
[DEFAULT]
ConnectionType=initiator
SocketConnectHost=a.example
SocketConnectPort=5001
BeginString=FIX.4.4
SenderCompID=ME
HeartBtInt=30
SSLEnable=Y
SSLServerName=fix.example
SSLCACertificate=/etc/root.pem
[SESSION]
TargetCompID=BROKER
[SESSION]
TargetCompID=PLAIN
SSLEnable=N
]]):gsub("^", "\xEF\xBB\xBF"):gsub("\n", "\r\n")))
t.same(made.sessions[1].tls, { name = "fix.example", ca = "/etc/root.pem" },
       "TLS by SSLEnable, in a file that begins with a mark of UTF-8")
t.is(made.sessions[2].tls, nil, "or not")
t.is(#made.warnings, 0, "all of that is known")

made = assert(read [[
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort=5001
SenderCompID=ISLD
StartTime=00:00:00
EndTime=00:00:00
Frobnicate=1
ScreenLogShowEvents=N
RefreshOnLogon=Y
[SESSION]
BeginString=FIX.4.2
TargetCompID=TW42
[SESSION]
BeginString=FIX.4.0
TargetCompID=TW40
SocketAcceptPort=5002
StartDay=Sunday
EndDay=Friday
]])
t.is(#made.acceptors, 2, "two ports")
t.is(made.acceptors[1].port, 5001, "that of [DEFAULT]")
t.is(made.acceptors[1].sessions[1].target, "TW42", "with its session")
t.same(made.acceptors[2].sessions[1].schedule, { open = "00:00:00", close = "00:00:00",
  open_day = "sun", close_day = "fri" }, "days of the week")
t.is(#made.warnings, 3, "a warning each, once for the file")
t.ok(made.warnings[1]:find ":7: Frobnicate=1 is no setting that is known", "unknown")
t.ok(made.warnings[2]:find ":8: ScreenLogShowEvents=N is not supported", "not supported")
t.ok(made.warnings[3]:find ":9: RefreshOnLogon=Y is not needed: one process",
     "not needed, and why")

-- As the QuickFIX of Java has it: what its users say there has the same names here.
local JAVA = [[
[DEFAULT]
ConnectionType=initiator
HeartBtInt=30
SocketConnectHost=a.example
SocketConnectPort=5001
SenderCompID=ME
StartTime=08:00:00 US/Central
EndTime=17:00:00 US/Central
EnableNextExpectedMsgSeqNum=Y
EnableLastMsgSeqNumProcessed=Y
TimeStampPrecision=SECONDS
LogonTag=553=me
LogonTag1=554=hidden=1
SocketTcpNoDelay=Y
ValidateSequenceNumbers=Y
JdbcPassword=hidden
SocketTrustStorePassword=hidden
MyPasswd=hidden
RejectGarbledMessage=Y
SocketConnectProtocol=TCP
SLF4JLogHeartbeats=N
[SESSION]
BeginString=FIX.4.4
TargetCompID=BROKER
ValidateIncomingMessage=N
SocketUseSSL=Y
SNIHostName=fix.example
[SESSION]
BeginString=FIX.4.1
TargetCompID=OLD
DynamicSession=Y
[SESSION]
BeginString=FIX.4.1
TargetCompID=OLDER
]]
made = assert(read(JAVA))
a, b = made.sessions[1], made.sessions[2]
t.same({ a.next_expected, a.last_processed, a.precision, a.validate, a.enabled },
       { true, true, 3, "off" }, "789, 369, times and no checks")
t.same(a.logon, { [553] = "me", [554] = "hidden=1" }, "more fields of the Logon")
t.is(a.tls.name, "fix.example", "a name for TLS")
t.same(a.schedule, { zone = "US/Central", open = "08:00:00", close = "17:00:00" },
       "a time zone behind a time")
t.same({ b.next_expected, b.last_processed, b.enabled }, { nil, nil, false },
       "no 789 or 369 in FIX.4.1; a session that waits to be enabled")
do
  local said = table.concat(made.warnings, "\n"):gsub("[^\n]*/[^:\n]*:", "cfg:")
  said = said:gsub("a session of FIX.4.1 is as without it", "...")
  t.is(said, [[
cfg:11: TimeStampPrecision=SECONDS is as 3: times have 3, 6 or 9 digits
cfg:9: EnableNextExpectedMsgSeqNum=Y is of FIX.4.4 on: ...
cfg:10: EnableLastMsgSeqNumProcessed=Y is of FIX.4.2 on: ...
cfg:16: JdbcPassword=*** is not supported: it is as without it
cfg:17: SocketTrustStorePassword=*** is not supported: it is as without it
cfg:18: MyPasswd=*** is no setting that is known: it does nothing
cfg:19: RejectGarbledMessage=Y is not supported: it is as without it
cfg:21: SLF4JLogHeartbeats=N is not supported: it is as without it]],
       "what is not done is told once, and no password")
end
made = assert(read [[
[SESSION]
ConnectionType=acceptor
SocketAcceptPort=5001
BeginString=FIX.4.4
SenderCompID=ME
TargetCompID=YOU
SocketUseSSL=Y
ServerCertificateFile=/c.pem
NeedClientAuth=Y
LogonTag=554=hidden
]])
t.same(made.acceptors[1].tls, { certificate = "/c.pem", ask = true },
       "callers must have a certificate")
t.ok(made.warnings[1]:find "LogonTag=554=%*%*%* is not supported", "not of acceptors")

local TEMPLATES = [[
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort=5001
BeginString=FIX.4.4
FileStorePath=store
[SESSION]
SenderCompID=ISLD
TargetCompID=TW
[SESSION]
AcceptorTemplate=Y
SenderCompID=ISLD
TargetCompID=*
TargetSubID=*
[SESSION]
DynamicSession=Y
AcceptorTemplate=N
SessionQualifier=guest
[SESSION]
DynamicSession=Y
]]
made = assert(read(TEMPLATES))
t.is(#made.warnings, 0, "templates are no news")
local port = made.acceptors[1]
t.is(#port.sessions, 1, "a session of a port")
t.is(#port.template, 3, "beside its templates")
local x, y, z = table.unpack(port.template)
t.same({ x.sender, x.target, x.target_sub or "any", x.name, x.store },
       { "ISLD", "*", "any", "FIX.4.4", "store" }, "ours and theirs")
t.same({ y.sender, y.target, y.name, z.name }, { "*", "*", "guest", "FIX.4.4-2" },
       "for all; each has a name")

made = assert(read(INITIATOR:gsub("TimeZone=%S+", "UseLocalTime=Y")))
t.is(made.sessions[1].schedule.zone, "localtime", "times of this machine")

-- Messages of several versions over FIXT.1.1.
do
  local SEVERAL <const> = [[
[DEFAULT]
ConnectionType=initiator
HeartBtInt=30
SenderCompID=A
TargetCompID=B
SocketConnectHost=h
SocketConnectPort=1
AppDataDictionary.FIX.4.2=d42.xml
[SESSION]
BeginString=FIXT.1.1
DefaultApplVerID=9
TransportDataDictionary=dt.xml
AppDataDictionary=d9.xml
AppDataDictionary.FIX.4.4=d44.xml
]]
  local one = assert(read(SEVERAL))
  t.is(#one.warnings, 0, "AppDataDictionary.FIX.4.4: nothing to say")
  one = one.sessions[1]
  t.is(one.version, "FIX.5.0SP2", "DefaultApplVerID=9")
  t.same(one.dictionary, { "dt.xml", "d9.xml" }, "the default's files")
  t.same(one.applications, { { version = "FIX.4.2", dictionary = "d42.xml" },
    { version = "FIX.4.4", dictionary = "d44.xml" } }, "the others'")
  one = assert(read((SEVERAL:gsub("=9\n", "=FIX.4.4\n"):gsub("AppData[^\n]*d9[^\n]*\n",
                                                           "")))).sessions[1]
  t.is(one.version .. one.transport, "FIX.4.4FIXT.1.1", "DefaultApplVerID=FIX.4.4")
  t.same(one.dictionary, { "d44.xml", "dt.xml" }, "its files")
  t.is(#one.applications, 1, "one more version")
  one = assert(read(SEVERAL .. "UseDataDictionary=N\n")).sessions[1]
  t.is(one.dictionary, nil, "no dictionary is used")
  t.same(one.applications, { { version = "FIX.4.2" }, { version = "FIX.4.4" } },
         "but the versions are known")
end

-- Sessions that QuickFIX tells apart by more than two CompIDs.
do
  local function names(text)
    local list = {}
    for i, one in ipairs(assert(read(text)).sessions) do list[i] = one.name end
    return table.concat(list, " ")
  end
  local H <const> = INITIATOR:match "^(.*)%[SESSION%].*%[SESSION%]":gsub("Target.*$", "")
    .. "SenderCompID=ME\nTargetCompID=B\nBeginString=FIX.4.4\nSocketConnectHost=h\n"
    .. "SocketConnectPort=1\n"
  t.is(names(H .. "[SESSION]\nTargetSubID=QUOTE\n[SESSION]\nTargetSubID=TRADE\n"),
       "FIX.4.4:ME-B FIX.4.4:ME-B-TRADE", "by a SubID")
  t.is(names(H .. "[SESSION]\nSessionQualifier=Q\n[SESSION]\nSessionQualifier=Q\n"
             .. "TargetCompID=C\n"), "Q Q-ME-C", "by a CompID beside a qualifier")
  local one = assert(read(H .. "[SESSION]\nUseDataDictionary=N\nDataDictionary=d.xml\n"
    .. "ValidateFieldsHaveValues=N\nAllowUnknownMsgFields=Y\n"))
  local only = one.sessions[1]
  t.same({ #one.warnings, only.validate, only.dictionary or "none" },
         { 0, "off", "none" }, "checks that nobody makes are no news")
end

local function refuses(text, pattern)
  local got, why = read(text)
  t.ok(not got and why:find(pattern), pattern)
  if got or not why:find(pattern) then t.diag(tostring(why)) end
end
local HEAD = "[DEFAULT]\nConnectionType=initiator\nHeartBtInt=30\nSenderCompID=A\n"
  .. "TargetCompID=B\nSocketConnectHost=h\nSocketConnectPort=1\n[SESSION]\n"
local H44 = HEAD .. "BeginString=FIX.4.4\n"
refuses("", "no %[SESSION%]")
do
  local made, why = read("# " .. ("x"):rep(1 << 20) .. "\n" .. INITIATOR)
  t.is(made and #made.sessions, 2, "a file of more than a megabyte has all its sessions")
  made, why = config.read "/"
  t.ok(not made and why:find "^app.fix.config: /: ", "a folder is no file: it says so")
end
refuses(H44 .. "FileStorePath=${home}\n",
        "cfg:10: FileStorePath=${home}: ${} is not")
refuses(H44 .. "LogonTag=554=${password}\n", "cfg:10: LogonTag=554=%*%*%*: ${} is not")
refuses(H44 .. "AcceptorTemplate=Y\n", "cfg:10: AcceptorTemplate=Y: it is for acceptors")
refuses(H44 .. "StartTime=08:00:00 US/Central\nEndTime=17:00:00\n",
        "cfg:11: EndTime=17:00:00: StartTime and EndTime must be of one time zone")
refuses(H44 .. "StartTime=8 am sharp\nEndTime=17:00:00\n", "cfg:10: StartTime=8 am sharp")
refuses(H44 .. "LogonTag=Password=hidden\n",
        "cfg:10: LogonTag=%*%*%*: a field expected, such as LogonTag=553=me$")
refuses(H44 .. "Password hidden\n", "cfg:10: Setting=value expected, got 'Password ...'$")
refuses(H44:gsub("initiator", "acceptor") .. "SocketAcceptPort=1\nSSLEnable=Y\n",
        "cfg:11: SSLEnable=Y: ServerCertificateFile is missing: PEM files")
refuses(TEMPLATES .. "SocketUseSSL=Y\nServerCertificateFile=s.pem\n",   -- or it is plain
        "cfg:3: SocketAcceptPort=5001: sessions of one port have different settings")
refuses(TEMPLATES .. "SenderSubID=DESK\n", "cfg:20: SenderSubID=DESK: a template is for")
refuses(TEMPLATES .. "BeginString=*\n", "FIX.4.0 to FIX.4.4 or")
refuses("[FOO]\n", "cfg:1: %[DEFAULT%] or %[SESSION%] expected, got %[FOO%]")
refuses("A=1\n", "cfg:1: A stands before")
refuses("[DEFAULT]\nnonsense\n", "cfg:2: Setting=value expected, got 'nonsense'")
refuses("[SESSION]\n", "cfg:1: ConnectionType is missing")
refuses("[SESSION]\nConnectionType=both\n", "cfg:2: ConnectionType=both: initiator or")
refuses(HEAD, "cfg:8: BeginString is missing")
refuses(HEAD .. "BeginString=FIX.9\n", "cfg:9: BeginString=FIX.9: FIX.4.0 to FIX.4.4 or")
refuses(HEAD .. "BeginString=FIXT.1.1\n", "DefaultApplVerID is missing")
refuses(HEAD .. "BeginString=FIXT.1.1\nDefaultApplVerID=FIX.6\n",
        "cfg:10: DefaultApplVerID=FIX.6: a version from FIX.4.0")
refuses(HEAD .. "BeginString=FIXT.1.1\nDefaultApplVerID=9\nAppDataDictionary.FIX.6=x\n",
        "cfg:11: AppDataDictionary.FIX.6=x: a version from FIX.4.0")
-- Each is the option of its name, and no other.
do
  local plain = assert(read(H44)).sessions[1]
  for setting, option in pairs {
    ResetOnLogon = "reset_on_logon", ResetOnLogout = "reset_on_logout",
    ResetOnDisconnect = "reset_on_disconnect", PersistMessages = "persist",
    CheckCompID = "check_comp_id", EnableLastMsgSeqNumProcessed = "last_processed",
    EnableNextExpectedMsgSeqNum = "next_expected",
  } do
    for word, value in pairs { Y = true, N = false } do
      local one = assert(read(H44 .. setting .. "=" .. word .. "\n")).sessions[1]
      t.is(one[option], value, setting .. "=" .. word)
      one[option] = plain[option]
      t.same(one, plain, "and nothing else")
    end
  end
end
refuses(H44 .. "ResetOnLogon=maybe\n",
        "cfg:10: ResetOnLogon=maybe: Y or N expected")
refuses(H44 .. "HeartBtInt=soon\n",
        "cfg:10: HeartBtInt=soon: an integer from 0 to 86400 expected")
refuses(H44 .. "SocketConnectPort=99999\n", "cfg:10: SocketConnectPort")
refuses(H44 .. "StartTime=8 o'clock\n", "cfg:10: StartTime=8 o'clock")
refuses(H44 .. "StartTime=08:00:00\n", "EndTime is missing")
refuses(H44 .. "StartTime=08:00:00\nEndTime=09:00:00\nStartDay=May\n",
        "cfg:12: StartDay=May: a day")
refuses(H44 .. "SocketConnectHost1=x\n", "SocketConnectPort1 is missing")
for _, wrong in ipairs { "25:00:00", "24:00:00", "8:60", "8:00:60", "8:00:", "8:00:5",
                           "8", "8:00:00:00" } do
  refuses(H44 .. "StartTime=" .. wrong .. "\nEndTime=9:00:00\n",
          "cfg:10: StartTime=" .. wrong .. ": a time from 00:00:00 to 23:59:59")
end
for _, wrong in ipairs { "Mon-Fri", "Mon;Tue", "Mon,Foo", "5" } do   -- not Monday alone
  refuses(H44 .. "StartTime=8:00\nEndTime=9:00\nWeekdays=" .. wrong .. "\n",
          "cfg:12: Weekdays=" .. wrong:gsub("%p", "%%%0") .. ": days of the week such as")
end
refuses(H44 .. "StartTime=8:00\nEndTime=9:00\nStartDay=Mon,Tue\n", "cfg:12: StartDay=")
refuses(H44 .. "Weekdays=Mon\n", "cfg:10: Weekdays=Mon: StartTime and EndTime are miss")
refuses(H44 .. "StartDay=Mon\nEndDay=Fri\n", "cfg:10: StartDay=Mon: StartTime and End")
refuses(H44 .. "NonStopSession=Y\nWeekdays=Mon\n",
        "cfg:10: NonStopSession=Y: Weekdays stands beside it")
refuses(H44 .. "StartTime=8:00\nEndTime=9:00\nStartDay=Mon\nEndDay=Fri\nWeekdays=Mon\n",
        "cfg:14: Weekdays=Mon: StartDay and EndDay stand beside it")
refuses(H44 .. "SocketConnectHost=a # b\n", "cfg:10: SocketConnectHost=a # b: a host")
refuses(H44 .. "SocketConnectHost=a:b;c\n", "cfg:10: SocketConnectHost=a:b;c: a host")
refuses(H44 .. "SenderCompID=a b\n", "cfg:10: SenderCompID=a b: 'FIX.4.4:a b%-B' is no"
        .. " name of a session, .* SessionQualifier gives it another")
t.same(assert(read(H44 .. "SocketConnectHost=[::1]\n")).sessions[1].hosts, { "[::1]:1" },
       "an address of IPv6 in brackets")
for _, wrong in ipairs { "0", "soon", "5;;7", "5;x10", "5;0", "%-1;5" } do
  refuses(H44 .. "ReconnectInterval=" .. wrong:gsub("%%", "") .. "\n",
          "cfg:10: ReconnectInterval=" .. wrong)
end

-- ---- lists ----

for text, want in pairs { ["7"] = 7, ["5;30"] = { 5, 30 }, ["3x5;60"] = { 5, 60 },
                          ["2*9"] = 9, ["4x5 ; 8;"] = { 5, 8 } } do
  local made, why = read(H44 .. "ReconnectInterval=" .. text .. "\n")
  t.same(made and made.sessions[1].retry, want, "ReconnectInterval=" .. text)
  t.is(made and #made.warnings, 0, why or "nothing to say of it")
end
for text, want in pairs { ["5;10;40"] = { 5, 40 }, ["30;5"] = 5 } do
  local made = read(H44 .. "ReconnectInterval=" .. text .. "\n")
  t.same(made and made.sessions[1].retry, want, "ReconnectInterval=" .. text)
  t.ok(made and made.warnings[1]
       and made.warnings[1]:find ":10: ReconnectInterval=.* is from 5 to", "told")
end
do
  local made = read(H44 .. "SocketConnectHost1=b\nSocketConnectPort1=2\n"
                    .. "SocketConnectHost3=d\nSocketConnectPort3=4\n")
  t.same(made and made.sessions[1].hosts, { "h:1", "b:2" }, "hosts up to a gap")
  t.ok(made and #made.warnings == 1
       and made.warnings[1]:find ":12: SocketConnectHost3=d is not used",
       "and those behind it are told")
end
t.is(config.read "/no/such", nil, "a file that is not there")

-- ---- as an app file has it ----

local S = "app.fix.session { host = 'h', port = 1, sender = 'A', target = 'B', %s }"

local function open(text)
  local path = file('local app = require "tw.app" ' .. text)
  local fine, declared = pcall(app.open, path, {}, 1)
  os.remove(path)
  return fine and declared, not fine and declared
end

for text, line in pairs {
  [H44 .. "[SESSION]\nBeginString=FIX.4.4\n"] = 10,
  [TEMPLATES .. "[SESSION]\nSenderCompID=ISLD\nTargetCompID=TW\n"] = 20 } do
  local path = file(text)
  local _, why = open(("app.fix.config(%q)"):format(path))
  os.remove(path)
  if not t.ok(tostring(why):find((":%d: app.fix.config"):format(line)),
              "where a session begins") then
    t.diag(tostring(why))
  end
end

do
  local path = file [[
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort=5001
[SESSION]
BeginString=FIX.4.4
SenderCompID=V
TargetCompID=C
]]
  local declared, why = open(("app.fix.config(%q)"):format(path))
  os.remove(path)
  t.ok(declared and #declared.fix.doors[1].templates == 0, "an acceptor alone")
  if why then t.diag(why) end
end

do
  local path = file(TEMPLATES)
  local declared = assert(open(("app.fix.config(%q, { orders = true, connections = 7,"
    .. " session_limit = 5 })"):format(path)))
  os.remove(path)
  t.same({ declared.fix.doors[1].session_limit, declared.fix.doors[1].connections },
         { 5, 7 }, "and of ports")
  t.same({ declared.orders, declared.fix.doors[1].templates[2].orders,
           declared.fix.doors[1].templates[3].name, declared.fix.sessions[1].orders },
         { true, true, "FIX.4.4-2", true }, "options are of templates, too")
end

do
  local function logon(text)
    local list = assert(open(S:format("logon = " .. text))).fix.sessions[1].logon
    for i, one in ipairs(list) do list[i] = one.field .. "=" .. one.value end
    return table.concat(list, " ")
  end
  t.is(logon "{ RawData = 'a\\1b' }", "95=3 RawData=a\1b", "data have their length")
  t.is(logon "{ [96] = 'ab', RawDataLength = '2' }", "96=ab RawDataLength=2", "once")
  assert(open("app.fix.acceptor { port = 1, sessions = { { sender = 'A', target = 'B' },"
    .. " { name = 'b', sender = 'A', target = 'B', version = 'FIX.4.2' },"
    .. " { name = 'c', sender = 'A', target = 'B', target_sub = 'S' } } }"))
  t.ok(true, "CompIDs may be the same where the version or a SubID is another")
end

local path = file(INITIATOR)
local declared = assert(open(("app.fix.config(%q, { take = { 'D' } })"):format(path)))
t.is(#declared.fix.sessions, 2, "app.fix.config declares its sessions")
local one = declared.fix.sessions[1]
t.same(one.take, { "D" }, "with options over them")
t.is(one.take_all, false, "which count")
t.is(one.check, 1 | 4 | 32 | 64, "checks are bits")
t.is(one.schedule.days, 2 | 4 | 32, "days are bits")
t.is(one.schedule.open, 8 * 3600, "times are seconds")
t.is(one.latency, -1, "no latency is negative")

local function fails(text, pattern)
  local got, why = open(text)
  t.ok(not got and tostring(why):find(pattern), pattern)
  if got or not tostring(why):find(pattern) then t.diag(tostring(why)) end
end
fails(("app.fix.config(%q, { session_limit = 5 })"):format(path),
      "app.fix.config: session_limit is of a port, and /.* has none")
os.remove(path)
fails(S:format "hartbeat = 1", "no option 'hartbeat'")
fails(S:format "heartbeat = -1", "heartbeat must be an integer from 0")
fails(S:format "version = 'FIX.4.9'", "no version 'FIX.4.9'; there are FIX.4.0")
fails(S:format "validate = 'some'", "validate must be")
fails(S:format "validate = { value = true }", "no option 'value'; did you mean 'values'")
fails(S:format "name = 'a b'", "name must be 1 to 53 letters")
fails(S:format "schedule = { open = '9' }", "open and close go together")
fails(S:format "schedule = { open = '9', close = '10:00' }", "open must be a time")
fails(S:format "schedule = { open = '9:00', close = '10:60' }",
      "close must be a time like '09:30', got 10:60")
fails(S:format "schedule = { open = '9:00', close = '10:00', days = 'mo' }",
      "days must be")
fails(S:format "hosts = { 'a:1' }", "not both")
fails(S:format "retry = { 3, 1 }", "retry must be")
fails(S:format "sync = 'now'", "sync must be")
fails(S:format "logon = { [true] = 'x' }", "logon: fields have names or tags")
fails(S:format "logon = { Password = { 'hidden' } }",
      "Password must be a text, got a table")
fails(S:format "logon = { Password = 2.5 }", "Password must be a text, got a number$")
fails(S:format "logon = { Password = 'hid\\1den' }", "Password has a byte 1 in it, which")
fails(S:format "logon = { Password = '' }", "Password is empty: leave it out")
fails(S:format "logon = { [108] = '5' }", "108 is no field to add: the session writes")
fails(S:format "logon = { MsgSeqNum = '5' }", "MsgSeqNum is no field to add: the session")
fails(S:format "sender = 'A\\1B'", "without control characters, got 'A%?B'")
fails("app.fix.acceptor { port = 1, sessions = { sender = 'A', target = 'B' } }",
      "sessions must be a list")
fails("app.fix.acceptor { port = 1, sessions = {"
      .. " { name = 'a', sender = 'A', target = 'B' },"
      .. " { name = 'b', sender = 'A', target = 'B' } } }",
      "sessions%[2%] 'b': 'a' has the same CompIDs and version")
fails(S:format "precision = 4", "precision must be 3, 6 or 9")
fails("app.fix.session { sender = 'A', target = 'B' }", "host and port are missing")
fails("app.fix.session { host = 'h', port = 1, target = 'B' }", "sender is missing")
fails(S:format "" .. S:format "", "another session is called so")
fails(S:format "logout_timeout = 0.5", "logout_timeout must be an integer from 1")
fails(S:format "latency = 1.5", "latency must be an integer from 1")
fails(S:format "sync = 0.0001", "sync must be a number from 0.001")
fails(S:format "retry = 0.0001", "retry must be seconds")
fails(S:format("take = { " .. ("'D', "):rep(257) .. "}"), "take: more than 256 types")
fails("app.fix.session { hosts = { " .. ("'h:1', "):rep(17)
      .. "}, sender = 'A', target = 'B' }", "17 hosts are more than 16")
fails("app.fix.acceptor { port = 1, template = { "
      .. ("{ sender = 'A', target = '*' }, "):rep(17) .. "} }", "more than 16 templates")
fails("app.fix.acceptor { sessions = {} }", "port is missing")
fails("app.fix.acceptor { port = 1 }", "neither sessions nor a template")
fails("app.fix.acceptor { port = 1, tls = {}, sessions = {} }", "a server needs a cert")
fails("app.fix.config '/no/such'", "no/such")

t.done()

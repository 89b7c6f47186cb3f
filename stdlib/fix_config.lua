--- fix_config: (internal) .cfg files of QuickFIX, as app.fix.session takes them.
--
-- Why: who moves has such a file, and it says all about a session.  What can't be done
-- here is a warning, once, with its line; what can't be at all is an error.

local config = {}

local YES = { y = true, yes = true, t = true, ["true"] = true }
local NO = { n = true, no = true, f = true, ["false"] = true }
local VERSIONS = {}                        -- "FIX.4.4", "FIX44" and "6" are FIX.4.4
for i, version in ipairs { "FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4",
                           "FIX.5.0", "FIX.5.0SP1", "FIX.5.0SP2" } do
  VERSIONS[version], VERSIONS[version:gsub("%.", "")] = version, version
  VERSIONS[tostring(i + 1)] = version
end

-- Settings that say what is so here anyway, with the value that does.
local SAME = {
  SocketReuseAddress = "Y", SocketNodelay = "Y", ValidateLengthAndChecksum = "Y",
  MillisecondsInTimeStamp = "Y", SendRedundantResendRequests = "N",
  RefreshOnLogon = "N", LogoutBeforeDisconnectFromTimeout = "N",
  SendLogoutBeforeDisconnectFromTimeout = "N", SocketTcpNoDelay = "Y",
  IgnorePossDupResendRequests = "N", RequiresOrigSendingTime = "Y",
  DisconnectOnError = "N", ReverseRouteOnReject = "Y", FileStoreSync = "N",
  ValidateSequenceNumbers = "Y", ValidateChecksum = "Y", RejectGarbledMessage = "N",
  RejectInvalidMessage = "Y", RejectMessageOnUnhandledException = "N", UseSNI = "Y",
  ResetOnError = "N", DisableHeartBeatCheck = "N", ClosedResendInterval = "N",
  AllowPosDup = "N", FirstFieldInGroupIsDelimiter = "N", SSLValidateCertificates = "Y",
  SocketConnectProtocol = "T", SocketAcceptProtocol = "T",   -- TCP
}

local WHY = {
  RefreshOnLogon = "one process has a store at a time, and knows what is in it",
}

-- What is known and does nothing here: said once.  With a number behind it, too.
local UNSUPPORTED = {}
for name in ([[
  HttpAcceptPort ThreadsPerConnection SocketSendBufferSize SocketReceiveBufferSize
  SendBufferSize ReceiveBufferSize SocketSendTimeout SocketReceiveTimeout
  SocketSynchronousWrites SocketSynchronousWriteTimeout SocketIgnoreProxy
  FileLogMaxGenerations FileLogHeartbeats FileLogBackupPath FileIncludeMilliseconds
  FileIncludeTimeStampForMessages FileStoreMaxCachedMsgs DebugFileLogPath
  DebugLogFilePath AllowedRemoteAddresses LogMessageWhenSessionNotFound
  CheckGapFieldWhen DescriptionSession Description SendResetSeqNumFlag
  ContinueInitializationOnError HeartBeatTimeoutMultiplier TestRequestDelayMultiplier
  InChanCapacity MaxScheduledWriteRequests PreserveMessageFieldsOrder LogonTag
  LogonTime LogoutTime LogonDay LogoutDay ReconnectStrategy SocketLocalHost
  SocketLocalPort SocketConnectSourceHost SocketConnectSourcePort SocketConnectTimeout
  SSLProtocol SSLProtocols SSLCertificate SSLCertificatePassword
  SSLCheckCertificateRevocation CertificateRevocationListDirectory
  SocketKeepAlive SocketLinger SocketTrafficClass SocketOobInline
  EnabledProtocols CipherSuites KeyStoreType TrustStoreType SocketKeyStore
  SocketKeyStorePassword SocketTrustStore SocketTrustStorePassword
  KeyManagerFactoryAlgorithm TrustManagerFactoryAlgorithm
  EndpointIdentificationAlgorithm ForceResendWhenCorruptedStore
  ClientCertificatePassword
]]):gmatch "%S+" do UNSUPPORTED[name:lower()] = true end
for name in pairs(SAME) do UNSUPPORTED[name:lower()] = true end
-- Stores and logs that are elsewhere.
local ELSEWHERE <const> = { "^jdbc", "^slf4j", "^mysql", "^postgresql", "^odbc",
                            "^sleepycat", "^screen", "^proxy" }

-- A setting as a line about it shows it: a password is not.
local function shown(one)
  local name, value = one.name:lower(), one.value
  if name:find "^logontag" then
    value = (value:match "^%s*%d+%s*=" or "") .. "***"
  elseif name:find "passw" then
    value = "***"
  end
  return one.name .. "=" .. value
end

-- ---- reading ----

local function words(text)
  return text:match "^%s*(.-)%s*$"
end

-- That of [DEFAULT], and a list of sections { line =, settings = { [name in lower case] =
-- { name, value, line } } }; raises.
local function sections_of(path, text)
  local default, list, current = { settings = {} }, {}, nil
  local n = 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    n = n + 1
    line = words(line)
    local head = line:match "^%[%s*(.-)%s*%]"
    if head then
      if head:upper() == "DEFAULT" then
        current = default
      elseif head:upper() == "SESSION" then
        current = { line = n, settings = {} }
        list[#list + 1] = current
      else
        error(("%s:%d: [DEFAULT] or [SESSION] expected, got [%s]"):format(path, n, head),
              0)
      end
    elseif line ~= "" and not line:find "^#" then
      local name, value = line:match "^([^=]-)%s*=%s*(.*)$"
      if not name or name == "" then
        error(("%s:%d: Setting=value expected, got '%s'"):format(path, n,
              line:gsub("^(%S+)%s.*", "%1 ...")), 0)
      end
      if not current then
        error(("%s:%d: %s stands before [DEFAULT] or [SESSION]"):format(path, n, name), 0)
      end
      current.settings[name:lower()] = { name = name, value = value, line = n }
    end
  end
  return default, list
end

-- ---- one section ----

local DAYS = { su = "sun", mo = "mon", tu = "tue", we = "wed", th = "thu", fr = "fri",
               sa = "sat" }

local IDS = {
  sender = "SenderCompID", target = "TargetCompID", sender_sub = "SenderSubID",
  target_sub = "TargetSubID", sender_location = "SenderLocationID",
  target_location = "TargetLocationID",
}

-- What reads the settings of a session, each of which it notes as seen; taken: names.
local function reader(path, section, default, taken)
  return { path = path, section = section, default = default, seen = {}, notes = {},
           taken = taken }
end

local function find(r, name)
  local key = name:lower()
  return r.section.settings[key] or r.default.settings[key]
end

local function fail(r, name, format, ...)
  local one = find(r, name)
  error(("%s:%d: %s%s"):format(r.path, one and one.line or r.section.line,
    one and shown(one) .. ": " or "", format:format(...)), 0)
end

-- What is told of a setting that can't be all that it says.
local function note(r, name, text)
  local one = find(r, name)
  if one then
    table.insert(r.notes, ("%s:%d: %s %s"):format(r.path, one.line, shown(one), text))
  end
end

-- A path that is called ${user.home}/store is nobody's wish.
local function check(r, one)
  if one.value:find "%${" then
    fail(r, one.name, "${} is not replaced here: write what it stands for")
  end
end

local function get(r, name)
  r.seen[name:lower()] = true
  local one = find(r, name)
  if not one or one.value == "" then return end
  check(r, one)
  return one.value
end

local function need(r, name)
  return get(r, name) or fail(r, name, "%s is missing in this session", name)
end

-- Those that begin so: a list of { name, value, what stands behind }.
local function all(r, prefix)
  local list, key = {}, prefix:lower()
  for _, from in ipairs { r.section, r.default } do
    for name, one in pairs(from.settings) do
      if name:sub(1, #key) == key and not r.seen[name] then
        r.seen[name] = true
        check(r, one)
        list[#list + 1] = { one.name, one.value, one.name:sub(#key + 1) }
      end
    end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

local function flag(r, name)
  local text = get(r, name)
  if not text then return nil end
  if YES[text:lower()] then return true end
  if NO[text:lower()] then return false end
  fail(r, name, "Y or N expected")
end

local function count(r, name, least, most)
  local text = get(r, name)
  if not text then return nil end
  local n = text:find "^-?%d+$" and math.tointeger(tonumber(text))
  if not n or n < (least or 0) or n > (most or 1 << 40) then
    fail(r, name, "an integer%s expected", least and " from " .. least
         .. (most and " to " .. most or " on") or "")
  end
  return n
end

-- A time, and the zone that QuickFIX/J lets stand behind it.
local function time(r, name)
  local text = get(r, name)
  if not text then return nil end
  local time, zone = text:match "^(%S+)%s*(%S*)$"
  local h, m, s = ((time or "") .. ":00"):match "^(%d%d?):(%d%d):(%d%d)"
  if not h or tonumber(h) > 23 or tonumber(m) > 59 or tonumber(s) > 59
     or #time > #h + 6 then
    fail(r, name, "a time from 00:00:00 to 23:59:59 expected")
  end
  return time, zone ~= "" and zone or nil
end

-- One day, or a list of them, each once.
local function days(r, name, all)
  local text, list = get(r, name), {}
  for part in (text or ""):gmatch "[^,]+" do
    local day = words(part)
    list[#list + 1] = not day:find "%A" and DAYS[day:sub(1, 2):lower()] or "no day"
  end
  local days = table.concat(list, ",")
  if text and (#list == 0 or days:find "no day" or #list > 1 and not all) then
    fail(r, name, all and "days of the week such as Mon,Tue expected"
         or "a day of the week expected")
  end
  return text and days
end

-- Relative to where we are, as QuickFIX has it, or else to the file.
local function beside(path, name)
  if name:sub(1, 1) == "/" then return name end
  local file = io.open(name, "rb")
  if file then
    file:close()
    return name
  end
  local other = (path:match "^.*/" or "") .. name
  file = io.open(other, "rb")
  if not file then return name end
  file:close()
  return other
end

local function hosts_of(r)
  local list = {}
  for i = 0, 1000 do
    local suffix = i == 0 and "" or tostring(i)
    local host = get(r, "SocketConnectHost" .. suffix)
    local port = count(r, "SocketConnectPort" .. suffix, 1, 65535)
    if host and not port then
      fail(r, "SocketConnectHost" .. suffix, "SocketConnectPort%s is missing", suffix)
    elseif port and not host then
      fail(r, "SocketConnectPort" .. suffix, "SocketConnectHost%s is missing", suffix)
    elseif not host and i > 0 then
      break
    end
    if host then
      host = host:match "^%[(.*)%]$" or host
      if host:find "[^%w%-_.:%%]" then
        fail(r, "SocketConnectHost" .. suffix, "a host name or an address expected")
      end
      list[#list + 1] = (host:find ":" and "[%s]:%d" or "%s:%d"):format(host, port)
    end
  end
  if #list == 0 then
    fail(r, "SocketConnectHost", "SocketConnectHost is missing in this session")
  end
  for _, one in ipairs(all(r, "SocketConnectHost")) do
    note(r, one[1], "is not used: the one before it is missing")
  end
  return list
end

-- Seconds, or as QuickFIX/J has it: 5;10;30, of which the last stays, or 3x5;30.
local function retry_of(r)
  local text, list = get(r, "ReconnectInterval"), {}
  if not text or text:find "^%-?%d+$" then return count(r, "ReconnectInterval", 1) end
  for part in (text:gsub(";%s*$", "") .. ";"):gmatch "([^;]*);" do
    local n = math.tointeger(tonumber(part:match "^%s*(%d+)%s*$"
                                      or part:match "^%s*%d+%s*[x*]%s*(%d+)%s*$"))
    if not n or n < 1 or n > 1e6 then
      fail(r, "ReconnectInterval",
           "seconds expected, or a list such as 5;10;30 or 3x5;30")
    end
    list[#list + 1] = n
  end
  local first, last = list[1], list[#list]
  for _, n in ipairs(list) do first = math.min(first, n) end
  last = math.max(first, last)
  if #list > 2 or first ~= list[1] then
    note(r, "ReconnectInterval", ("is from %d to %d s, each time twice as long"):format(
      first, last))
  end
  return first == last and first or { first, last }
end

local function schedule_of(r)
  local non_stop = flag(r, "NonStopSession")
  local open, open_zone = time(r, "StartTime")
  local close, close_zone = time(r, "EndTime")
  local open_day, close_day = days(r, "StartDay"), days(r, "EndDay")
  local is_local, days = flag(r, "UseLocalTime"), days(r, "Weekdays", true)
  local zone = get(r, "TimeZone") or is_local and "localtime" or nil
  if open_zone ~= close_zone then
    fail(r, "EndTime", "StartTime and EndTime must be of one time zone")
  end
  zone = open_zone or zone
  local day = open_day and "StartDay" or close_day and "EndDay" or days and "Weekdays"
  if non_stop then
    if open or close or day then
      fail(r, "NonStopSession", "%s stands beside it",
           day or open and "StartTime" or "EndTime")
    end
    return nil
  end
  if not open and not close then
    if day then fail(r, day, "StartTime and EndTime are missing") end
    return nil
  end
  if not open or not close then
    fail(r, open and "StartTime" or "EndTime", "%s is missing",
         open and "EndTime" or "StartTime")
  end
  if (open_day == nil) ~= (close_day == nil) then
    fail(r, open_day and "StartDay" or "EndDay", "%s is missing",
         open_day and "EndDay" or "StartDay")
  end
  if open_day and days then
    fail(r, "Weekdays", "StartDay and EndDay stand beside it")
  end
  return { zone = zone, open = open, close = close, open_day = open_day,
           close_day = close_day, days = days }
end

-- AppDataDictionary.FIX.4.4 and the like: more versions of messages.  Also the file of
-- the session's own version, where that is said so.
local function applications_of(r, session)
  local own
  for _, one in ipairs(all(r, "AppDataDictionary.")) do
    local version = VERSIONS[one[3]:upper()]
      or fail(r, one[1], "a version from FIX.4.0 to FIX.5.0SP2 expected")
    local file = one[2] ~= "" and beside(r.path, one[2]) or nil
    if version == session.version then own = file
    else
      session.applications = session.applications or {}
      table.insert(session.applications, { version = version, dictionary = file })
    end
  end
  return own
end

local function dictionary_of(r, session)
  local begin = need(r, "BeginString")
  local applied = get(r, "DefaultApplVerID")
  local incoming = flag(r, "ValidateIncomingMessage")
  local use = flag(r, "UseDataDictionary")
  local plain, transport, app = get(r, "DataDictionary"),
    get(r, "TransportDataDictionary"), get(r, "AppDataDictionary")
  if begin == "FIXT.1.1" then
    session.version = VERSIONS[(applied or ""):upper()]
    local own = applications_of(r, session)
    app = app or own
    if not applied then
      fail(r, "DefaultApplVerID", "DefaultApplVerID is missing: FIXT.1.1 needs it")
    end
    if not session.version then
      fail(r, "DefaultApplVerID", "a version from FIX.4.0 to FIX.5.0SP2 expected")
    end
    if session.version < "FIX.5" then session.transport = begin end
    if not transport ~= not (app or plain) then
      fail(r, transport and "TransportDataDictionary" or "AppDataDictionary",
           "TransportDataDictionary and AppDataDictionary go together")
    end
  elseif begin:find "^FIX%.4%.[0-4]$" then
    session.version = begin
  else
    fail(r, "BeginString", "FIX.4.0 to FIX.4.4 or FIXT.1.1 expected")
  end
  local list = begin == "FIXT.1.1" and { transport, app or plain } or { plain }
  if session.transport then list = { app or plain, transport } end
  local checks = {}
  local function add(name, setting, turned)
    local on = flag(r, setting)
    if on ~= nil then checks[name] = on ~= turned end
  end
  add("fields_out_of_order", "ValidateFieldsOutOfOrder", false)
  add("have_values", "ValidateFieldsHaveValues", false)
  add("user_defined", "ValidateUserDefinedFields", false)
  add("unordered_groups", "ValidateUnorderedGroupFields", false)
  add("unknown_fields", "AllowUnknownMsgFields", true)
  if use == false then                     -- what was said of checks is of no use
    session.validate = "off"
    for _, one in ipairs(session.applications or {}) do one.dictionary = nil end
    return
  end
  for i, name in ipairs(list) do list[i] = beside(r.path, name) end
  if #list > 0 then session.dictionary = list end
  if incoming == false then session.validate = "off"
  elseif next(checks) then session.validate = checks end
end

local function tls_of(r, acceptor)
  local wanted, of_net = flag(r, "SocketUseSSL"), flag(r, "SSLEnable")
  if wanted == nil then wanted = of_net end
  local ours, theirs = "Server", "Client"
  if not acceptor then ours, theirs = theirs, ours end
  local certificate = get(r, ours .. "CertificateFile")
  local key = get(r, ours .. "CertificateKeyFile")
  get(r, theirs .. "CertificateFile")       -- of the other side, in the same file
  get(r, theirs .. "CertificateKeyFile")
  local ca_of_net, name = get(r, "SSLCACertificate"), get(r, "SSLServerName")
  local sni, ask = get(r, "SNIHostName"), flag(r, "NeedClientAuth")
  local ask_of_net = flag(r, "SSLRequireClientCertificate")
  local ca, folder = get(r, "CertificationAuthoritiesFile") or ca_of_net,
    get(r, "CertificationAuthoritiesDirectory")
  local crl = get(r, "CertificateRevocationListFile")
  local level = count(r, "CertificateVerifyLevel", 0, 3)
  local ciphers = get(r, "SSLCipherSuite")
  if wanted == false or not (wanted or certificate or ca or folder) then return nil end
  if acceptor and not certificate then
    fail(r, of_net and "SSLEnable" or "SocketUseSSL", "ServerCertificateFile is missing:"
         .. " PEM files are read, no key stores and no .pfx")
  end
  return { certificate = certificate and beside(r.path, certificate),
           key = key and beside(r.path, key), ca = ca and beside(r.path, ca),
           ca_folder = folder, crl = crl and beside(r.path, crl), ciphers = ciphers,
           name = not acceptor and (name or sni) or nil,
           ask = acceptor and ((level or 0) > 0 or ask or ask_of_net) or nil }
end

-- A template (AcceptorTemplate, DynamicSession) is for any that "*" stands for, or that
-- nothing is said of.
local function ids_of(r, is_template)
  local s = {}
  for option, name in pairs(IDS) do
    local id = get(r, name)
    if not is_template then
      s[option] = id
    elseif option == "sender" or option == "target" then
      s[option] = id or "*"
    elseif id and id ~= "*" then
      fail(r, name, "a template is for all of these: leave it out, or say *")
    end
  end
  if not is_template then
    need(r, "SenderCompID")
    need(r, "TargetCompID")
  end
  return s
end

-- What QuickFIX takes of a version that has no field for it, and does not do.
local function older_of(r, s)
  local begin = need(r, "BeginString")
  local function only(option, from, ...)
    if not s[option] or begin >= from then return end
    s[option] = nil
    for _, name in ipairs { ... } do
      note(r, name, ("is of %s on: a session of %s is as without it"):format(from, begin))
    end
  end
  only("next_expected", "FIX.4.4", "SendNextExpectedMsgSeqNum",
       "EnableNextExpectedMsgSeqNum")
  only("last_processed", "FIX.4.2", "EnableLastMsgSeqNumProcessed")
end

-- LogonTag=553=me, LogonTag1=554=..., of QuickFIX/J.
local function logon_of(r)
  local logon
  for _, one in ipairs(all(r, "LogonTag")) do
    local tag, value = one[2]:match "^%s*(%d+)%s*=(.+)$"
    tag = math.tointeger(tonumber(tag))
    if not tag or not one[3]:find "^%d*$" then
      fail(r, one[1], "a field expected, such as LogonTag=553=me")
    end
    logon = logon or {}
    logon[tag] = value
  end
  return logon
end

-- Digits behind the second: 3, 6 or 9; nil: not said.
local function precision_of(r)
  local digits = get(r, "TimestampPrecision") or get(r, "TimeStampPrecision")
  if not digits then return nil end
  local n = math.tointeger(tonumber(digits))
  for word, of in pairs { SECOND = 0, MILLI = 3, MICRO = 6, NANO = 9 } do
    if digits:upper():find("^" .. word) then n = of end
  end
  if not n or n < 0 or n > 9 then
    fail(r, "TimestampPrecision", "0 to 9, or MILLIS, MICROS or NANOS expected")
  end
  local precision = n > 6 and 9 or n > 3 and 6 or 3
  if n ~= precision and need(r, "BeginString") >= "FIX.4.2" then
    note(r, "TimestampPrecision", ("is as %d: times have 3, 6 or 9 digits"):format(
      precision))
  end
  return precision
end

-- Its own for each session s: the second one that would have it is called by its ids.
local function name_of(r, s, is_template)
  local qualifier = get(r, "SessionQualifier")
  local name = qualifier or is_template and need(r, "BeginString")
    or ("%s:%s-%s"):format(need(r, "BeginString"), s.sender, s.target)
  if r.taken[name] and not is_template then
    for _, id in ipairs { qualifier and s.sender or "", qualifier and s.target or "",
                          s.sender_sub or "", s.sender_location or "",
                          s.target_sub or "", s.target_location or "" } do
      if id ~= "" then name = name .. "-" .. id end
    end
  end
  r.taken[name] = true
  if not name:find "^[%w%-_:][%w%-_.:]*$" or #name > 53 then
    fail(r, qualifier and "SessionQualifier" or "SenderCompID",
         "'%s' is no name of a session, which has 1 to 53 letters, digits and -_.:,"
         .. " and begins with no dot; SessionQualifier gives it another", name)
  end
  return name
end

local function session_of(r, initiator, is_template)
  local s = ids_of(r, is_template)
  for name, value in pairs {
    store = get(r, "FileStorePath"), log = get(r, "FileLogPath"),
    reset_on_logon = flag(r, "ResetOnLogon"), reset_on_logout = flag(r, "ResetOnLogout"),
    reset_on_disconnect = flag(r, "ResetOnDisconnect"),
    persist = flag(r, "PersistMessages"), check_comp_id = flag(r, "CheckCompID"),
    latency = count(r, "MaxLatency", 1),
    last_processed = flag(r, "EnableLastMsgSeqNumProcessed"),
    resend_chunk = count(r, "ResendRequestChunkSize")
      or count(r, "MaxMessagesInResendRequest"),
    logon_timeout = count(r, "LogonTimeout", 1),
    logout_timeout = count(r, "LogoutTimeout", 1),
    schedule = schedule_of(r),
  } do s[name] = value end
  if flag(r, "CheckLatency") == false then s.latency = false end
  local of_j = flag(r, "EnableNextExpectedMsgSeqNum")
  s.next_expected = flag(r, "SendNextExpectedMsgSeqNum") or of_j
  s.precision = precision_of(r)
  dictionary_of(r, s)
  older_of(r, s)
  s.name = name_of(r, s, is_template)
  local heartbeat = count(r, "HeartBtInt", 0, 86400)
  if initiator then
    s.heartbeat = heartbeat
      or fail(r, "HeartBtInt", "HeartBtInt is missing in this session")
    s.retry = retry_of(r) or 30
    s.hosts = hosts_of(r)
    s.tls = tls_of(r, false)
    s.logon = logon_of(r)
  end
  return s
end

-- ---- all of it ----

local function known_name(name)
  name = name:lower()
  for _, pattern in ipairs(ELSEWHERE) do
    if name:find(pattern) then return true end
  end
  return UNSUPPORTED[name] or UNSUPPORTED[name:match "^(.-)%d*$"]
end

-- Warns of the settings that nobody has asked for.
local function warn(path, section, seen, out)
  local rest = {}
  for key, one in pairs(section.settings) do
    local same
    for name, value in pairs(SAME) do
      if name:lower() == key then same = value end
    end
    local value = one.value:upper():sub(1, 1)
    if not seen[key] and one.value ~= "" and same ~= value
       and not key:find "^socketconnect%a%a%a%a%d+$" then
      rest[#rest + 1] = one
    end
  end
  table.sort(rest, function(a, b) return a.line < b.line end)
  for _, one in ipairs(rest) do
    local why = WHY[one.name]
    out[#out + 1] = ("%s:%d: %s %s"):format(path, one.line, shown(one),
      why and "is not needed: " .. why
      or known_name(one.name) and "is not supported: it is as without it"
      or "is no setting that is known: it does nothing")
  end
end

-- Whether two tables have the same values.
local function alike(a, b)
  for name, value in pairs(a) do if b[name] ~= value then return false end end
  for name in pairs(b) do if a[name] == nil then return false end end
  return true
end

local function text_of(path)
  local file, why = io.open(path, "rb")
  if not file then error("app.fix.config: " .. why, 0) end
  local text, unread = file:read "a"
  file:close()
  if not text then error(("app.fix.config: %s: %s"):format(path, unread), 0) end
  return (text:gsub("\r", ""):gsub("^\xEF\xBB\xBF", ""))
end

-- The acceptor of a session's port, one of made.acceptors; ports: those by address.
local function acceptor_of(made, ports, r)
  local host, port = get(r, "SocketAcceptAddress") or get(r, "SocketAcceptHost"),
    count(r, "SocketAcceptPort", 0, 65535)
  if not port then fail(r, "SocketAcceptPort", "SocketAcceptPort is missing") end
  local tls = tls_of(r, true)
  local key = (host or "") .. ":" .. port
  if not ports[key] then
    ports[key] = { host = host, port = port, tls = tls, sessions = {} }
    made.acceptors[#made.acceptors + 1] = ports[key]
  elseif not alike(ports[key].tls or {}, tls or {}) then
    fail(r, "SocketAcceptPort", "sessions of one port have different settings of TLS")
  end
  return ports[key]
end

-- Adds one [SESSION] to what is made; templates: how many have each name.
local function add(made, ports, templates, r)
  local kind = need(r, "ConnectionType"):lower()
  local by_template, dynamic = flag(r, "AcceptorTemplate"), flag(r, "DynamicSession")
  local is_template = by_template or dynamic
  if kind == "initiator" then
    if by_template then fail(r, "AcceptorTemplate", "it is for acceptors") end
    local one = session_of(r, true)
    made.lines[one] = r.section.line
    if dynamic then one.enabled = false end   -- fix.enable is what it waits for
    made.sessions[#made.sessions + 1] = one
  elseif kind == "acceptor" then
    local one = session_of(r, false, is_template)
    made.lines[one] = r.section.line
    local acceptor = acceptor_of(made, ports, r)
    local list = is_template and "template" or "sessions"
    acceptor[list] = acceptor[list] or {}
    table.insert(acceptor[list], one)
    if is_template then   -- its name is what those of its sessions begin with
      local n = (templates[one.name] or 0) + 1
      templates[one.name] = n
      one.name = n == 1 and one.name or one.name .. "-" .. n
    end
  else
    fail(r, "ConnectionType", "initiator or acceptor expected")
  end
end

local function read(path)
  local default, list = sections_of(path, text_of(path))
  local made = { sessions = {}, acceptors = {}, warnings = {}, lines = {} }
  local ports, templates, taken, seen, told = {}, {}, {}, {}, {}
  if #list == 0 then error(path .. ": no [SESSION] in it", 0) end
  for _, section in ipairs(list) do
    local r = reader(path, section, default, taken)
    add(made, ports, templates, r)
    -- An acceptor's file may say what only initiators need, and the other way round.
    for _, name in ipairs { "HeartBtInt", "ReconnectInterval", "SocketConnectHost",
                            "SocketConnectPort", "SocketAcceptPort", "SocketAcceptHost",
                            "SocketAcceptAddress" } do
      r.seen[name:lower()] = true
    end
    for _, note in ipairs(r.notes) do
      if not told[note] then
        told[note] = true
        table.insert(made.warnings, note)
      end
    end
    warn(path, section, r.seen, made.warnings)
    for key in pairs(r.seen) do seen[key] = true end
  end
  warn(path, default, seen, made.warnings)
  return made
end

--- fix_config.read(path) -> table | nil, message
-- What a QuickFIX .cfg file says: sessions (options of app.fix.session), acceptors
-- (options of app.fix.acceptor), lines (where the options of a session begin) and
-- warnings, each a text with the file and the line.
-- Yields: no.  Blocks: while the file is read.  Thread: any.
-- Errors: nil for a file that can't be read and for a setting that can't be.
-- Units: none.
function config.read(path)
  local fine, made = pcall(read, path)
  if fine then return made end
  return nil, made
end

return config

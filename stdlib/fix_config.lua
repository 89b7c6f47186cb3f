--- fix_config: the .cfg files of QuickFIX, as what app.fix.session and acceptor take.
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

-- A path that is called ${user.home}/store is nobody's wish.
local function plain(r, one)
  if one.value:find "%${" then
    r.fail(one.name, "${} is not replaced here: write what it stands for")
  end
end

-- What reads the settings of a session, each of which it notes as seen; taken: names.
local function reader(path, section, default, taken)
  local r = { seen = {}, notes = {}, taken = taken }

  function r.get(name)
    local key = name:lower()
    r.seen[key] = true
    local one = section.settings[key] or default.settings[key]
    if not one or one.value == "" then return end
    plain(r, one)
    return one.value, one.line
  end
  -- Those that begin so: a list of { name, value, what stands behind }.
  function r.all(prefix)
    local list, key = {}, prefix:lower()
    for _, settings in ipairs { section.settings, default.settings } do
      for name, one in pairs(settings) do
        if name:sub(1, #key) == key and not r.seen[name] then
          r.seen[name] = true
          plain(r, one)
          list[#list + 1] = { one.name, one.value, one.name:sub(#key + 1) }
        end
      end
    end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    return list
  end
  function r.fail(name, format, ...)
    local key = name:lower()
    local one = section.settings[key] or default.settings[key]
    error(("%s:%d: %s%s"):format(path, one and one.line or section.line,
      one and shown(one) .. ": " or "", format:format(...)), 0)
  end
  -- What is told of a setting that can't be all that it says.
  function r.note(name, text)
    local key = name:lower()
    local one = section.settings[key] or default.settings[key]
    if one then
      table.insert(r.notes, ("%s:%d: %s %s"):format(path, one.line, shown(one), text))
    end
  end
  function r.need(name)
    return r.get(name) or r.fail(name, "%s is missing in this session", name)
  end
  function r.flag(name)
    local text = r.get(name)
    if not text then return nil end
    if YES[text:lower()] then return true end
    if NO[text:lower()] then return false end
    r.fail(name, "Y or N expected")
  end
  function r.count(name, least, most)
    local text = r.get(name)
    if not text then return nil end
    local n = text:find "^-?%d+$" and math.tointeger(tonumber(text))
    if not n or n < (least or 0) or n > (most or 1 << 40) then
      r.fail(name, "an integer%s expected", least and " from " .. least
             .. (most and " to " .. most or " on") or "")
    end
    return n
  end
  -- A time, and the zone that QuickFIX/J lets stand behind it.
  function r.time(name)
    local text = r.get(name)
    if not text then return nil end
    local time, zone = text:match "^(%S+)%s*(%S*)$"
    local h, m, s = ((time or "") .. ":00"):match "^(%d%d?):(%d%d):(%d%d)"
    if not h or tonumber(h) > 23 or tonumber(m) > 59 or tonumber(s) > 59
       or #time > #h + 6 then
      r.fail(name, "a time from 00:00:00 to 23:59:59 expected")
    end
    return time, zone ~= "" and zone or nil
  end
  -- One day, or a list of them, each once.
  function r.days(name, all)
    local text, list = r.get(name), {}
    for part in (text or ""):gmatch "[^,]+" do
      local name = words(part)
      list[#list + 1] = not name:find "%A" and DAYS[name:sub(1, 2):lower()] or "no day"
    end
    local days = table.concat(list, ",")
    if text and (#list == 0 or days:find "no day" or #list > 1 and not all) then
      r.fail(name, all and "days of the week such as Mon,Tue expected"
             or "a day of the week expected")
    end
    return text and days
  end
  return r
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
    local host = r.get("SocketConnectHost" .. suffix)
    local port = r.count("SocketConnectPort" .. suffix, 1, 65535)
    if host and not port then
      r.fail("SocketConnectHost" .. suffix, "SocketConnectPort%s is missing", suffix)
    elseif port and not host then
      r.fail("SocketConnectPort" .. suffix, "SocketConnectHost%s is missing", suffix)
    elseif not host and i > 0 then
      break
    end
    if host then
      host = host:match "^%[(.*)%]$" or host
      if host:find "[^%w%-_.:%%]" then
        r.fail("SocketConnectHost" .. suffix, "a host name or an address expected")
      end
      list[#list + 1] = (host:find ":" and "[%s]:%d" or "%s:%d"):format(host, port)
    end
  end
  if #list == 0 then
    r.fail("SocketConnectHost", "SocketConnectHost is missing in this session")
  end
  for _, one in ipairs(r.all "SocketConnectHost") do
    r.note(one[1], "is not used: the one before it is missing")
  end
  return list
end

-- Seconds, or as QuickFIX/J has it: 5;10;30, of which the last stays, or 3x5;30.
local function retry_of(r)
  local text, list = r.get "ReconnectInterval", {}
  if not text or text:find "^%-?%d+$" then return r.count("ReconnectInterval", 1) end
  for part in (text:gsub(";%s*$", "") .. ";"):gmatch "([^;]*);" do
    local n = math.tointeger(tonumber(part:match "^%s*(%d+)%s*$"
                                      or part:match "^%s*%d+%s*[x*]%s*(%d+)%s*$"))
    if not n or n < 1 or n > 1e6 then
      r.fail("ReconnectInterval", "seconds expected, or a list such as 5;10;30 or 3x5;30")
    end
    list[#list + 1] = n
  end
  local first, last = list[1], list[#list]
  for _, n in ipairs(list) do first = math.min(first, n) end
  last = math.max(first, last)
  if #list > 2 or first ~= list[1] then
    r.note("ReconnectInterval", ("is from %d to %d s, each time twice as long"):format(
      first, last))
  end
  return first == last and first or { first, last }
end

local function schedule_of(r)
  local non_stop = r.flag "NonStopSession"
  local open, open_zone = r.time "StartTime"
  local close, close_zone = r.time "EndTime"
  local open_day, close_day = r.days "StartDay", r.days "EndDay"
  local is_local, days = r.flag "UseLocalTime", r.days("Weekdays", true)
  local zone = r.get "TimeZone" or is_local and "localtime" or nil
  if open_zone ~= close_zone then
    r.fail("EndTime", "StartTime and EndTime must be of one time zone")
  end
  zone = open_zone or zone
  local day = open_day and "StartDay" or close_day and "EndDay" or days and "Weekdays"
  if non_stop then
    if open or close or day then
      r.fail("NonStopSession", "%s stands beside it",
             day or open and "StartTime" or "EndTime")
    end
    return nil
  end
  if not open and not close then
    if day then r.fail(day, "StartTime and EndTime are missing") end
    return nil
  end
  if not open or not close then
    r.fail(open and "StartTime" or "EndTime", "%s is missing",
           open and "EndTime" or "StartTime")
  end
  if (open_day == nil) ~= (close_day == nil) then
    r.fail(open_day and "StartDay" or "EndDay", "%s is missing",
           open_day and "EndDay" or "StartDay")
  end
  if open_day and days then
    r.fail("Weekdays", "StartDay and EndDay stand beside it")
  end
  return { zone = zone, open = open, close = close, open_day = open_day,
           close_day = close_day, days = days }
end

-- AppDataDictionary.FIX.4.4 and the like: more versions of messages.  Also the file of
-- the session's own version, where that is said so.
local function applications_of(path, r, session)
  local own
  for _, one in ipairs(r.all "AppDataDictionary.") do
    local version = VERSIONS[one[3]:upper()]
      or r.fail(one[1], "a version from FIX.4.0 to FIX.5.0SP2 expected")
    local file = one[2] ~= "" and beside(path, one[2]) or nil
    if version == session.version then own = file
    else
      session.applications = session.applications or {}
      table.insert(session.applications, { version = version, dictionary = file })
    end
  end
  return own
end

local function dictionary_of(path, r, session)
  local begin = r.need "BeginString"
  local applied = r.get "DefaultApplVerID"
  local incoming = r.flag "ValidateIncomingMessage"
  local use = r.flag "UseDataDictionary"
  local plain, transport, app = r.get "DataDictionary",
    r.get "TransportDataDictionary", r.get "AppDataDictionary"
  if begin == "FIXT.1.1" then
    session.version = VERSIONS[(applied or ""):upper()]
    local own = applications_of(path, r, session)
    app = app or own
    if not applied then
      r.fail("DefaultApplVerID", "DefaultApplVerID is missing: FIXT.1.1 needs it")
    end
    if not session.version then
      r.fail("DefaultApplVerID", "a version from FIX.4.0 to FIX.5.0SP2 expected")
    end
    if session.version < "FIX.5" then session.transport = begin end
    if not transport ~= not (app or plain) then
      r.fail(transport and "TransportDataDictionary" or "AppDataDictionary",
             "TransportDataDictionary and AppDataDictionary go together")
    end
  elseif begin:find "^FIX%.4%.[0-4]$" then
    session.version = begin
  else
    r.fail("BeginString", "FIX.4.0 to FIX.4.4 or FIXT.1.1 expected")
  end
  local list = begin == "FIXT.1.1" and { transport, app or plain } or { plain }
  if session.transport then list = { app or plain, transport } end
  local checks = {}
  local function add(name, setting, turned)
    local on = r.flag(setting)
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
  for i, name in ipairs(list) do list[i] = beside(path, name) end
  if #list > 0 then session.dictionary = list end
  if incoming == false then session.validate = "off"
  elseif next(checks) then session.validate = checks end
end

local function tls_of(path, r, acceptor)
  local wanted, of_net = r.flag "SocketUseSSL", r.flag "SSLEnable"
  if wanted == nil then wanted = of_net end
  local ours, theirs = "Server", "Client"
  if not acceptor then ours, theirs = theirs, ours end
  local certificate = r.get(ours .. "CertificateFile")
  local key = r.get(ours .. "CertificateKeyFile")
  r.get(theirs .. "CertificateFile")       -- of the other side, in the same file
  r.get(theirs .. "CertificateKeyFile")
  local ca_of_net, name = r.get "SSLCACertificate", r.get "SSLServerName"
  local sni, ask = r.get "SNIHostName", r.flag "NeedClientAuth"
  local ask_of_net = r.flag "SSLRequireClientCertificate"
  local ca, folder = r.get "CertificationAuthoritiesFile" or ca_of_net,
    r.get "CertificationAuthoritiesDirectory"
  local crl = r.get "CertificateRevocationListFile"
  local level, ciphers = r.count("CertificateVerifyLevel", 0, 3), r.get "SSLCipherSuite"
  if wanted == false or not (wanted or certificate or ca or folder) then return nil end
  if acceptor and not certificate then
    r.fail(of_net and "SSLEnable" or "SocketUseSSL", "ServerCertificateFile is missing:"
           .. " PEM files are read, no key stores and no .pfx")
  end
  return { certificate = certificate and beside(path, certificate),
           key = key and beside(path, key), ca = ca and beside(path, ca),
           ca_folder = folder, crl = crl and beside(path, crl), ciphers = ciphers,
           name = not acceptor and (name or sni) or nil,
           ask = acceptor and ((level or 0) > 0 or ask or ask_of_net) or nil }
end

-- A template (AcceptorTemplate, DynamicSession) is for any that "*" stands for, or that
-- nothing is said of.
local function ids_of(r, is_template)
  local s = {}
  for option, name in pairs(IDS) do
    local id = r.get(name)
    if not is_template then
      s[option] = id
    elseif option == "sender" or option == "target" then
      s[option] = id or "*"
    elseif id and id ~= "*" then
      r.fail(name, "a template is for all of these: leave it out, or say *")
    end
  end
  if not is_template then
    r.need "SenderCompID"
    r.need "TargetCompID"
  end
  return s
end

-- What QuickFIX takes of a version that has no field for it, and does not do.
local function older_of(r, s)
  local begin = r.need "BeginString"
  local function only(option, from, ...)
    if not s[option] or begin >= from then return end
    s[option] = nil
    for _, name in ipairs { ... } do
      r.note(name, ("is of %s on: a session of %s is as without it"):format(from, begin))
    end
  end
  only("next_expected", "FIX.4.4", "SendNextExpectedMsgSeqNum",
       "EnableNextExpectedMsgSeqNum")
  only("last_processed", "FIX.4.2", "EnableLastMsgSeqNumProcessed")
end

-- LogonTag=553=me, LogonTag1=554=..., of QuickFIX/J.
local function logon_of(r)
  local logon
  for _, one in ipairs(r.all "LogonTag") do
    local tag, value = one[2]:match "^%s*(%d+)%s*=(.+)$"
    tag = math.tointeger(tonumber(tag))
    if not tag or not one[3]:find "^%d*$" then
      r.fail(one[1], "a field expected, such as LogonTag=553=me")
    end
    logon = logon or {}
    logon[tag] = value
  end
  return logon
end

local function session_of(path, r, initiator, is_template)
  local s = ids_of(r, is_template)
  for name, value in pairs {
    store = r.get "FileStorePath", log = r.get "FileLogPath",
    reset_on_logon = r.flag "ResetOnLogon", reset_on_logout = r.flag "ResetOnLogout",
    reset_on_disconnect = r.flag "ResetOnDisconnect", persist = r.flag "PersistMessages",
    check_comp_id = r.flag "CheckCompID", latency = r.count("MaxLatency", 1),
    last_processed = r.flag "EnableLastMsgSeqNumProcessed",
    resend_chunk = r.count "ResendRequestChunkSize"
      or r.count "MaxMessagesInResendRequest",
    logon_timeout = r.count("LogonTimeout", 1),
    logout_timeout = r.count("LogoutTimeout", 1),
    schedule = schedule_of(r),
  } do s[name] = value end
  if r.flag "CheckLatency" == false then s.latency = false end
  local of_j = r.flag "EnableNextExpectedMsgSeqNum"
  s.next_expected = r.flag "SendNextExpectedMsgSeqNum" or of_j
  local digits = r.get "TimestampPrecision" or r.get "TimeStampPrecision"
  if digits then
    local n = math.tointeger(tonumber(digits))
    for word, of in pairs { SECOND = 0, MILLI = 3, MICRO = 6, NANO = 9 } do
      if digits:upper():find("^" .. word) then n = of end
    end
    if not n or n < 0 or n > 9 then
      r.fail("TimestampPrecision", "0 to 9, or MILLIS, MICROS or NANOS expected")
    end
    s.precision = n > 6 and 9 or n > 3 and 6 or 3
    if n ~= s.precision and r.need "BeginString" >= "FIX.4.2" then
      r.note("TimestampPrecision", ("is as %d: times have 3, 6 or 9 digits"):format(
        s.precision))
    end
  end
  dictionary_of(path, r, s)
  older_of(r, s)
  local qualifier = r.get "SessionQualifier"
  s.name = qualifier or is_template and r.need "BeginString"
    or ("%s:%s-%s"):format(r.need "BeginString", s.sender, s.target)
  if r.taken[s.name] and not is_template then   -- the one before it is called so
    for _, id in ipairs { qualifier and s.sender or "", qualifier and s.target or "",
                          s.sender_sub or "", s.sender_location or "",
                          s.target_sub or "", s.target_location or "" } do
      if id ~= "" then s.name = s.name .. "-" .. id end
    end
  end
  r.taken[s.name] = true
  if not s.name:find "^[%w%-_:][%w%-_.:]*$" or #s.name > 53 then
    r.fail(qualifier and "SessionQualifier" or "SenderCompID",
           "'%s' is no name of a session, which has 1 to 53 letters, digits and -_.:,"
           .. " and begins with no dot; SessionQualifier gives it another", s.name)
  end
  local heartbeat = r.count("HeartBtInt", 0, 86400)
  if initiator then
    s.heartbeat = heartbeat
      or r.fail("HeartBtInt", "HeartBtInt is missing in this session")
    s.retry = retry_of(r) or 30
    s.hosts = hosts_of(r)
    s.tls = tls_of(path, r, false)
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

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then error("app.fix.config: " .. why, 0) end
  local text, unread = file:read "a"
  file:close()
  if not text then error(("app.fix.config: %s: %s"):format(path, unread), 0) end
  local default, list = sections_of(path, text:gsub("\r", ""):gsub("^\xEF\xBB\xBF", ""))
  local made = { sessions = {}, acceptors = {}, warnings = {}, lines = {} }
  local ports, seen_all, templates, told, taken = {}, {}, {}, {}, {}
  if #list == 0 then error(path .. ": no [SESSION] in it", 0) end
  for _, section in ipairs(list) do
    local r = reader(path, section, default, taken)
    local kind = r.need "ConnectionType"
    local by_template, dynamic = r.flag "AcceptorTemplate", r.flag "DynamicSession"
    local is_template = by_template or dynamic
    if kind:lower() == "initiator" then
      if by_template then r.fail("AcceptorTemplate", "it is for acceptors") end
      local one = session_of(path, r, true)
      made.lines[one] = section.line
      if dynamic then one.enabled = false end   -- fix.enable is what it waits for
      made.sessions[#made.sessions + 1] = one
    elseif kind:lower() == "acceptor" then
      local one = session_of(path, r, false, is_template)
      made.lines[one] = section.line
      local host, port = r.get "SocketAcceptAddress" or r.get "SocketAcceptHost",
        r.count("SocketAcceptPort", 0, 65535)
      if not port then r.fail("SocketAcceptPort", "SocketAcceptPort is missing") end
      local tls = tls_of(path, r, true)
      local key = (host or "") .. ":" .. port
      if ports[key] and not alike(ports[key].tls or {}, tls or {}) then
        r.fail("SocketAcceptPort", "sessions of one port have different settings of TLS")
      elseif not ports[key] then
        ports[key] = { host = host, port = port, tls = tls, sessions = {} }
        made.acceptors[#made.acceptors + 1] = ports[key]
      end
      local kind = is_template and "template" or "sessions"
      local all = ports[key][kind] or {}
      ports[key][kind] = all
      all[#all + 1] = one
      if is_template then   -- its name is what those of its sessions begin with
        templates[one.name] = (templates[one.name] or 0) + 1
        local n = templates[one.name]
        one.name = n == 1 and one.name or one.name .. "-" .. n
      end
    else
      r.fail("ConnectionType", "initiator or acceptor expected")
    end
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
    for key in pairs(r.seen) do seen_all[key] = true end
  end
  warn(path, default, seen_all, made.warnings)
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

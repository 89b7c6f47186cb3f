--- fix: messages of FIX, as tables and as text: `tidewire fix decode`.
--
--   local fix = require "tw.fix"
--   local order = assert(fix.decode "8=FIX.4.4|9=...|35=D|...|10=123|")
--   print(order.name, order.fields[8].name, order.fields[8].value)

local arguments = require "tw.arguments"
local core = require "tw.internal.fix"

local fix = {}
for _, name in ipairs { "send", "status", "enable", "logout", "reset", "set_numbers",
                        "remove" } do
  fix[name] = core[name]
end

-- What pcall gave.  An error is of who called: whose tail call this is, is no level.
local function told(fine, ...)
  if not fine then error((tostring((...)):gsub("^[^ ]*:%d+: ", "")), 2) end
  return ...
end

--- fix.add(options) -> name | nil, message, code
-- Adds a session to a run whose app file declares FIX sessions or says app.fix.open().
-- options: those of app.fix.session, for one that connects to its peer; or with acceptor
-- (the port of an app.fix.acceptor of the app; true: of the only one) for one that waits
-- for its peer there.  With market = true it serves the run's quotes and trades.  With
-- orders = true its peer trades in the run's book, if there is one (app.fix.open { orders
-- = true }); there are 64 of these at most, with those that were removed while orders of
-- their peers were open.  Feeds and gateways are for the app file, which may declare them
-- with enabled = false: fix.enable connects them.  fix.remove ends a session; then a
-- session of the same dictionary may have its name, and goes on with the orders of the
-- peer.  A run has 4096 sessions at a time, a port as many as its session_limit.
-- Yields: no.  Blocks: while its dictionary is read and its store is opened.
-- Thread: any of a run.
-- Errors: nil where the name or the store is in use, and for files that can't be had;
-- raises for an option that is not there or can't be.
-- Units: as app.fix.session.
function fix.add(options)
  return told(pcall(function()
    return core.add(require "tw.app_fix".read(options))
  end))
end

--- fix.logon(session, fields) -> true | nil, message, code
-- Sends the Logon that waits (hold_logon = true of app.fix.session), with more fields, as
-- its `logon`: { RawData = signature, Password = ... }; of a field in both this counts.
-- on_fix_event ("logging_on") tells that it waits, with the Logon as message: its
-- MsgSeqNum and SendingTime are those that it will have, and are often what is signed.
-- When none waits, or not any more, that is a line in the log.
-- Yields: no.  Blocks: no.  Thread: any of a run.
-- Errors: nil when the session was removed; raises for one that does not wait, or that
-- there is not, and for a field that can't be.
-- Units: none.
function fix.logon(session, fields)
  return told(pcall(function()
    return core.logon(session, require "tw.app_fix".logon("fix.logon", fields))
  end))
end

local LIMIT <const> = 1 << 20            -- bytes of a message
local PREFIX <const> = 200               -- of what is shown before one

-- ---- dictionaries ----

-- What 1128 and 1137 say.
local APPLICATION = { ["2"] = "FIX.4.0", ["3"] = "FIX.4.1", ["4"] = "FIX.4.2",
                      ["5"] = "FIX.4.3", ["6"] = "FIX.4.4", ["7"] = "FIX.5.0",
                      ["8"] = "FIX.5.0SP1", ["9"] = "FIX.5.0SP2" }

local BUILT_IN, APPLIED, IDS = {}, {}, {}
for key, version in pairs(APPLICATION) do
  BUILT_IN[version], IDS[version:gsub("%.", "")] = true, key
  if version >= "FIX.5" then APPLIED[version] = key end
end

-- What a dictionary in XML says it is of: "FIX.4.4", "FIXT"; "?": nothing that is known;
-- nil: it is no XML.
local function version_in(path)
  local file <close> = io.open(path, "rb")
  local text = file and file:read(1 << 16) or ""
  if not text:find "^[\xef\xbb\xbf%s]*<" then return nil end
  local root = text:gsub("<!%-%-.-%-%->", ""):match "<fix(%s[^>]*)>" or ""
  local function said(name)
    return root:match("%s" .. name .. "%s*=%s*[\"']%s*([^\"']-)%s*[\"']") or "0"
  end
  if said "type" == "FIXT" then return "FIXT" end
  local version = ("FIX.%s.%sSP%s"):format(said "major", said "minor",
                                           said "servicepack"):gsub("SP0?$", "")
  return BUILT_IN[version] and version or "?"
end

-- A function: the files for messages of a version, and the version of which what is built
-- in is below them, or nil.  And whether they are the same for all versions: where XML is
-- of one, it is taken for what every message is of; of several, each is for its own, with
-- FIXT11.xml where it comes over that, and what is no XML goes on top of them all.
local function sort_files(paths)
  local kinds, seen, n, only = {}, {}, 0, nil
  for i, path in ipairs(paths) do
    local kind = version_in(path)
    if kind and BUILT_IN[kind] and not seen[kind] then n, only = n + 1, kind end
    if kind then kinds[i], seen[kind] = kind, true end
  end
  -- XML from 5.0 on has no session: FIXT11.xml is one, or what is built in.
  local function below(version)
    local whole = seen[version] and (version < "FIX.5" or seen.FIXT)
    return not whole and version or nil
  end
  if n == 1 or seen["?"] then            -- of which what reads it says what is wrong
    return function() return paths, not seen["?"] and below(only) or nil end, true
  end
  local function rank(kind, version, fixt)
    if kind == version then return 2 end
    -- In place of the session of an older version.
    if kind == "FIXT" then return fixt and (version < "FIX.5" and 3 or 1) end
    return not kind and 4
  end
  return function(version, fixt)
    local list = {}
    for wanted = 1, 4 do
      for i, path in ipairs(paths) do
        if rank(kinds[i], version, fixt) == wanted then list[#list + 1] = path end
      end
    end
    return list, below(version)
  end, false
end

-- What a Logon says of versions: [0], the default, and by type.
local function said_by(logon)
  local said = { [0] = logon:match "\0011137=([^\1]*)\1" }
  for entry in logon:gsub("\001372=", "\1\2"):gmatch "\2([^\2]*)" do
    if entry:find "\0011410=Y\1" and not entry:find "\001385=R\1" then
      said[entry:match "^[^\1]*"] = entry:match "\0011130=([^\1]*)"
    end
  end
  return said
end

-- A function: the version of a message over FIXT.1.1, by 1128, or what the Logons before
-- it said of its type, or of all.
local function applied()
  local logons, last, none = {}, "9", {}
  return function(message)
    local from = message:match "\00149=([^\1]*)" or ""
    if message:find "\00135=A\1" then
      logons[from] = said_by(message)
      last = logons[from][0] or last
    end
    local theirs = logons[from] or none
    local others = logons[message:match "\00156=([^\1]*)" or ""] or none
    local code = message:match "\00135=([^\1]*)"
    return message:match "\0011128=([^\1]*)\1" or theirs[code] or others[code]
      or theirs[0] or last
  end
end

-- A function: the dictionary of a message, or nil, message, code, and whether it is the
-- files that are wrong.  said: what a recording knows of its version, without a 1128.
local function dictionaries(paths)
  local made, version_of = {}, applied()
  local files_of, alone = sort_files(paths)
  return function(message, said)
    local version = message:match "^8=([^\1]*)"
    local fixt = version == "FIXT.1.1"
    if fixt and not alone then
      local asked = not said and version_of(message)
        or message:match "\0011128=([^\1]*)\1"
      version = asked and (APPLICATION[asked] or "ApplVerID " .. asked) or said
    end
    local key = (fixt and "+" or "") .. (alone and "" or version)
    if made[key] then return made[key] end
    local files, below = files_of(version, fixt)
    if below and not BUILT_IN[below] then
      return nil, "no dictionary of " .. below .. " is built in", core.EFORMAT
    end
    local d, why, code = core.dictionary(below, files, fixt)
    if d then made[key] = d end
    return d, why, code, not d and #paths > 0
  end
end

-- What f gives of a message: what is wrong with that is told with the bytes there, but
-- for those of a password.
local function parse(f, bytes, ...)
  local m, why, code = f(bytes, ...)
  if not m and (bytes:find "\00135=A\1" or bytes:find "\00135=BE\1"
                or bytes:find "\001554=" or bytes:find "\001925=") then
    why = why:gsub("^'.*'", "a field")
  end
  return m, why, code
end

-- ---- messages in a text ----

-- Where the next one begins; no "58=FIX".
local function find(text, at)
  local from = text:find("8=FIX", at, true)
  while from and from > 1 and text:find("^%d", from - 1) do
    from = text:find("8=FIX", from + 5, true)
  end
  return from
end

-- Where the one that begins at `from`, which is not whole, seems to end; the last bytes
-- may be of the next one.
local function give_up(text, from)
  local piece = text:sub(from, (find(text, from + 5) or #text - 3) - 1)
  piece = piece:match "^[^\n]*"
  local _, trailer = piece:find "\00110=%d*\1"
  return from + math.max(trailer or #piece, 5)
end

-- Of the text that begins with the message.
local function cut_off(text)
  return ("it is cut off, or BodyLength %s is too large"):format(
    text:match "^8=[^\1]*\0019=(%d*)" or "?")
end

-- The message that begins at `from`: its bytes, and where what follows begins; or nil,
-- where that begins, what is wrong; or nothing, when more of the text is needed.
local function take(text, from, ended)
  local more = not ended and #text - from < LIMIT + 64
  local mark = text:match("^8=FIX[%w.]*(%^?[\1|A])", from)
  if not mark and more and #text - from < 32 then return end
  if mark == "\1" then
    local n, why = core.frame(text, from)
    if n == false and more then return end
    if n then return text:sub(from, from + n - 1), from + n end
    return nil, give_up(text, from), why or cut_off(text:sub(from, from + 40))
  end
  if mark ~= "|" and mark ~= "^A" then
    return nil, from + 5, "neither SOH nor | nor ^A is behind BeginString"
  end
  local last = text:find("\n", from, true)
  local line = text:sub(from, math.min((last or #text + 1) - 1, from + 2 * LIMIT))
  local again = line:find(mark .. "8=FIX", 6, true)
  if not last and not again and more then return end
  local stop = again and from + again - 1 + #mark or last or #text + 1
  local escaped = mark == "|" and "|" or "%^A"
  line = (again and line:sub(1, again - 1) or line:gsub("\r$", "")) .. mark
  local message = line:gsub(escaped, "\1")
  local n, why = core.frame(message, 1)
  if not n then                          -- a mark within a value has no tag behind it
    message = line:gsub(escaped .. "(%d+=)", "\1%1")
    message = message:gsub("(\00110=%d%d%d)" .. escaped, "%1\1")
    n, why = core.frame(message, 1)
  end
  if not n then return nil, stop, why or cut_off(message) end
  message = message:sub(1, n)
  local _, marks = message:gsub("\1", "")
  return message, math.min(from + n + (#mark - 1) * marks, stop)
end

local function lines_of(text, first, last)
  local _, n = text:sub(first, last):gsub("\n", "")
  return n
end

-- Calls got(line, before, message, why) for each; read() gives the text, bit by bit.
-- Returns how many there were; nil, why when it can't be read.
local function each(read, got)
  local text, at, line, count, ended = "", 1, 1, 0, false
  local begun = 1                        -- where the line begins; nil: before the text
  while true do
    local from = find(text, at)
    local message, after, why
    if from then message, after, why = take(text, from, ended) end
    if after then
      local before = text:sub(at, from - 1)
      line = line + lines_of(before, 1, -1)
      local head = before:match ".*\n(.*)$" or begun == at and before or ""
      got(line, head, message, why)
      count = count + 1
      line = line + lines_of(text, from, after - 1)
      begun = text:sub(after - 1, after - 1) == "\n" and after or nil
      at = after
    elseif ended then
      return count
    else
      local keep = from or math.max(at, #text - 7)
      keep = math.max(at, keep - PREFIX)
      line = line + lines_of(text, at, keep - 1)
      begun = (begun == keep or text:sub(keep - 1, keep - 1) == "\n") and 1 or nil
      local chunk, problem = read()
      if problem then return nil, problem end
      ended = not chunk
      text, at = text:sub(keep) .. (chunk or ""), 1
    end
  end
end

-- ---- as text ----

-- Nothing of a log reaches a terminal as a command.
local function shown(text)
  return (text:gsub("[%c\127]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

local function add_fields(out, fields, indent)
  for _, f in ipairs(fields) do
    out[#out + 1] = ("%s%5d %s = %s%s"):format(indent, f.tag, f.name or "?",
      shown(f.value), f.choice and " " .. f.choice or "")
    for k, entry in ipairs(f.entries or {}) do
      out[#out + 1] = ("%s      %d of %s"):format(indent, k, shown(f.value))
      add_fields(out, entry, indent .. "      ")
    end
  end
end

local HEADER = { [8] = true, [9] = true, [35] = true, [34] = true, [49] = true,
                 [52] = true, [56] = true, [10] = true }

local function brief(fields)
  local parts = {}
  for _, f in ipairs(fields) do
    local entries = {}
    for k, entry in ipairs(f.entries or {}) do
      entries[k] = " [" .. brief(entry) .. "]"
    end
    if not HEADER[f.tag] then
      parts[#parts + 1] = ("%s=%s%s"):format(f.name or f.tag, f.choice or shown(f.value),
                                             table.concat(entries))
    end
  end
  return table.concat(parts, " ")
end

local function value_of(message, tag)
  for _, f in ipairs(message.fields) do if f.tag == tag then return shown(f.value) end end
  return "?"
end

-- What a log has before a message, but for what is left of another one, whose passwords
-- nobody has blanked.
local function prefix_of(before)
  return before:find "[\1|^]A?%d+=" and ""
    or shown(before:sub(-PREFIX):match "^%s*(.-)%s*$")
end

-- The line that begins a message.
local function head_of(line, before, m)
  local words = { line .. ":", before, ("%s (%s)"):format(m.name or "?", shown(m.type)),
                  ("%s > %s #%s"):format(value_of(m, 49), value_of(m, 56),
                                         value_of(m, 34)), value_of(m, 52) }
  if before == "" then table.remove(words, 2) end
  return table.concat(words, "  ")
end

-- ---- for scripts ----

local built_in

-- The function of its dictionaries: see there.
local function of(what, options)
  for name in pairs(options or {}) do
    if name == "version" and what ~= "fix.encode" then
      error(what .. ": no option version: the message says it, by 8 or 1128", 3)
    end
    if name ~= "dictionary" and name ~= "version" then
      error(what .. ": no option " .. tostring(name), 3)
    end
  end
  local paths = options and options.dictionary
  if type(paths) == "string" then paths = { paths } end
  if not paths then built_in = built_in or dictionaries {} end
  return paths and dictionaries(paths) or built_in
end

-- The bytes of the first message, its dictionary, and where it begins; or nil, ...
local function first(what, text, options)
  if type(text) ~= "string" then error(what .. ": text expected", 3) end
  local dictionary = of(what, options)
  local from = find(text, 1)
  if not from then return nil, "no FIX message in the text", core.EFORMAT end
  local bytes, _, why = take(text, from, true)
  if not bytes then return nil, why, core.EFORMAT end
  local d, problem, code = dictionary(bytes)
  if not d then return nil, problem, code end
  return bytes, d, from
end

--- fix.decode(text [, options]) -> message | nil, message, code
-- The first FIX message in a text, which may have SOH, | or ^A between its fields and
-- anything before it: { type = "D", name = "NewOrderSingle", line = 1, fields = {...} }.
-- A field is { tag = 54, name = "Side", value = "1", choice = "BUY" }; one that counts a
-- group has entries, a list of lists of fields.  There is no name and no choice where
-- the dictionary has none.  Passwords (554, 925, and of a Logon or a UserRequest 96, 1402
-- and 1404) are "***".
-- options: dictionary, a path or a list of them: files in QuickFIX's XML form, or
-- extensions (see `tidewire help fix`), read anew each time.
-- Yields: no.  Blocks: while a dictionary is read.  Thread: any.
-- Errors: nil for what is no message, is not whole, has a wrong CheckSum or BodyLength,
-- and for a dictionary that can't be read; raises for wrong arguments.  Units: none.
function fix.decode(text, options)
  local bytes, d, from = first("fix.decode", text, options)
  if not bytes then return nil, d, from end
  local result, problem, code = parse(core.decode, bytes, d)
  if not result then return nil, problem, code end
  result.line = 1 + lines_of(text, 1, from - 1)
  return result
end

--- fix.message(text [, options]) -> message | nil, message, code
-- The first FIX message in a text, likewise, as on_fix gets it: message.ClOrdID and
-- message[11], numbers and booleans where the dictionary's type says so, nil for what is
-- not there; a group is a list of entries: message.NoMDEntries[1].MDEntryPx.
-- message.MsgType, message.name, message.version ("FIX.4.4": by which it was read);
-- message:text "Price" is a field as it came,
-- message:bytes() all of it; pairs gives the fields in their order, and tostring blanks
-- passwords.  options: as of fix.decode.
-- Yields: no.  Blocks: while a dictionary is read.  Thread: any.
-- Errors: as fix.decode; a field whose name the dictionary has not raises.  Units: none.
function fix.message(text, options)
  local bytes, d, code = first("fix.message", text, options)
  if not bytes then return nil, d, code end
  return parse(core.view, bytes, d)
end

--- fix.encode(message [, options]) -> string
-- A whole FIX message of a table of its fields, by name or by tag: { MsgType = "D" or
-- "NewOrderSingle", ClOrdID = "1", Side = "BUY", NoPartyIDs = { {...}, ... } }.  They
-- come in the dictionary's order; choices may be called by their names, times may be
-- nanoseconds, and the lengths of data are filled in.  BodyLength and CheckSum too, but
-- the rest of the header is as the table says.
-- options: version ("FIX.4.4", the default; "FIX.5.0SP2"), and dictionary, as of
-- fix.decode.  Over FIXT.1.1 the message's ApplVerID ("FIX.4.4") goes before version.
-- Yields: no.  Blocks: while a dictionary is read.  Thread: any.
-- Errors: raises for what the dictionary does not have or allow, and says what it
-- expects.  Units: times: nanoseconds since 1970.
function fix.encode(message, options)
  local version = options and options.version or "FIX.4.4"
  local asked = APPLIED[version] and type(message) == "table"
    and (message.ApplVerID or message[1128])
  local applied = APPLIED[version]
  if asked then applied = IDS[tostring(asked):gsub("[._]", "")] or tostring(asked) end
  local key = applied and "8=FIXT.1.1\0011128=" .. applied or "8=" .. tostring(version)
  local d, why = of("fix.encode", options)(key .. "\1")
  if not d then error("fix.encode: " .. why, 2) end
  local fine, made = pcall(core.encode, message, d)
  if not fine then error(made, 2) end
  return made
end

-- ---- the command ----

local function write(text)
  local written, failure = io.stdout:write(text)
  if not written then arguments.refuse(1, "cannot write: %s", failure) end
end

local function print_message(line, before, m, short)
  local out = { head_of(line, before, m) }
  if short then out[1] = out[1] .. "  " .. brief(m.fields)
  else add_fields(out, m.fields, "  ") end
  write(table.concat(out, "\n") .. "\n")
end

-- Two functions: is the message asked for?  And the end of a file with so many.
local function filter(o)
  local types, found = {}, not (o.type or o.tag)
  for word in (o.type or ""):gmatch "[^,]+" do types[word] = true end
  local function has(fields, wanted)
    for _, f in ipairs(fields) do
      if (tostring(f.tag) == wanted.name or f.name == wanted.name)
         and f.value == wanted.value then return true end
      for _, entry in ipairs(f.entries or {}) do
        if has(entry, wanted) then return true end
      end
    end
    return false
  end
  return function(m)
    if o.type and not types[m.type] and not types[m.name] then return false end
    for _, wanted in ipairs(o.tag or {}) do
      if not has(m.fields, wanted) then return false end
    end
    found = true
    return true
  end, function(name, count)
    if count == 0 then arguments.refuse(1, "%s: no FIX message in it", name) end
    io.stdout:flush()
    if found then return end
    io.stderr:write(("tidewire: fix: %s: none of its %d messages has that %s\n"):format(
      shown(name), count, not o.tag and "--type" or not o.type and "--tag"
      or "--type and --tag"))
  end
end

-- 1700000000123456789 -> "2023-11-14 22:13:20.123456789"
local function time_of(ns)
  return os.date("!%Y-%m-%d %H:%M:%S", ns // 1000000000)
    .. (".%09d"):format(ns % 1000000000)
end

-- A function: the dictionary of a session's messages, by what the tape file names, or
-- paths with its versions; nil, message.  told(text): of a file that is not there now.
local function recorded(paths, told)
  local plainly, made = dictionaries(paths), {}
  return function(spelling, message, version)
    if paths[1] or not spelling then
      return plainly(message, version or (spelling or ""):match "^%+?(FIX[^\n]*)")
    end
    if made[spelling] then return made[spelling] end
    local d, why = core.recorded(spelling, true)
    if not d then
      told(why .. "; a dictionary that is built in serves")
      d, why = core.recorded(spelling, false)
    end
    made[spelling] = d
    return d, why
  end
end

-- Prints what came over the sessions of a tape file; the status.
local function perform_tape(path, o)
  local refuse, wanted, finish = arguments.refuse, filter(o)
  local filtered, wrong, count = o.type or o.tag, false, 0
  local function complain(what)
    wrong = true
    io.stdout:flush()
    io.stderr:write("tidewire: fix: ", shown(what), "\n")
  end
  local known = recorded(o.dictionary or {}, function(text)
    complain(("%s: %s"):format(path, text))
  end)
  local fine, why = core.tape(path, function(seq, time, session, value, spelling)
    local whole = type(value) ~= "string" and value or nil
    local event = whole and whole.event and whole or nil
    local bytes = whole and whole.message or not whole and value or nil
    local before = ("%s  %s"):format(time_of(time), session)
    if event then
      before = ("%s  %s%s"):format(before, event.event,
                                   event.text ~= "" and ": " .. event.text or "")
    end
    if not bytes then
      if not filtered then write(("%d:  %s\n"):format(seq, shown(before))) end
      return
    end
    count = count + 1
    local said = whole and whole.version
    local d, what, _, broken = known(spelling, bytes, said)
    if broken then refuse(1, "%s", what) end
    local m
    if d then m, what = parse(core.decode, bytes, d, said) end
    if not m then return complain(("%s: record %d: %s"):format(path, seq, what)) end
    if wanted(m) then print_message(seq, shown(before), m, o.short) end
  end, complain)
  if not fine then refuse(1, "%s", why) end
  finish(path, count)
  return wrong and 1 or 0
end

local function perform(words)
  local o, rest = arguments.read(words, { short = "flag", type = "text", tag = "pairs",
                                          dictionary = "texts" })
  local refuse = arguments.refuse
  if rest[1] ~= "decode" then refuse(2, "decode expected, got '%s'", rest[1] or "") end
  if not rest[2] then refuse(2, "no file given") end
  if rest[3] then refuse(2, "one file expected, got '%s' too", rest[3]) end
  local path = rest[2] == "-" and "/dev/stdin" or rest[2]
  local name = rest[2] == "-" and "standard input" or rest[2]
  if rest[2] ~= "-" and require "tw.internal.tapes".is(path) then
    return perform_tape(path, o)
  end
  local known, wrong = dictionaries(o.dictionary or {}), false
  local wanted, finish = filter(o)
  local input, why = core.open(path)
  if not input then refuse(1, "%s", why) end
  local function complain(line, what)
    wrong = true
    io.stdout:flush()
    io.stderr:write(("tidewire: fix: %s:%d: %s\n"):format(name, line, shown(what)))
  end
  local count, problem = each(function()
    io.stdout:flush()
    local text, failure = core.read(input)
    return text, failure
  end, function(line, before, message, what)
    if not message then return complain(line, what) end
    local d, m, broken, _
    d, what, _, broken = known(message)
    if broken then refuse(1, "%s", what) end
    if d then m, what = parse(core.decode, message, d) end
    if not m then return complain(line, what) end
    if not wanted(m) then return end
    print_message(line, prefix_of(before), m, o.short)
  end)
  if not count then refuse(1, "%s", problem) end
  finish(name, count)
  return wrong and 1 or 0
end

--- (internal) fix.main(words) -> status
-- What `tidewire fix` does.
-- Yields: no.  Blocks: while the file is read.  Thread: MAIN.
-- Errors: none; they are printed, and the status is 1, or 2 for a command line that makes
-- no sense.  Units: none.
function fix.main(words) return arguments.run("fix", perform, words) end

return fix

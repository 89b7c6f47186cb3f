--- revision: (internal) what of an app file's new version a running app can follow.
--
-- Why: feeds, symbols, the tape and the places of scripts are built once, before anything
-- runs.  What is only looked at later, or given to a script when its version changes, can
-- be another while the market runs.  A version is taken up whole, or not at all.

local revision = {}

local CAPACITY <const>, MEMORY <const>, TIME <const> = 1 << 20, 1024, 1  -- as in build.c

-- A pair that is compared already counts as equal.
local function same(a, b, seen)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  seen = seen or {}
  if seen[a] == b then return true end
  seen[a] = b
  for key, value in pairs(a) do
    if not same(value, b[key], seen) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

--- (internal) revision.same(a, b) -> boolean
-- Are they equal, tables all the way down?
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function revision.same(a, b) return same(a, b) end

-- What tells one function from another: its code, not the lines that it stands on.
local function code(f)
  if not f then return nil end
  local fine, text = pcall(string.dump, f, true)
  return fine and text or "C"
end

--- revision.data(declared) -> table
-- Of what an app file declares (tw.app) that which can be compared later, without
-- functions.
-- Yields: no.  Blocks: no.  Thread: MAIN, or a thread that tries a version.
-- Errors: none.  Units: none.
function revision.data(declared)
  local d = declared
  return {
    feeds = d.feeds, exchange = d.exchanges, instruments = d.instruments,
    attributes = d.attributes, capacity = d.capacity or CAPACITY, pool = d.pool or {},
    memory = d.memory or MEMORY, time = d.time or TIME, reload = d.reload or {},
    fix = d.fix or {}, account = d.account, risk = d.risk, calendar = d.calendars,
    book = d.venue,
    screen = d.screen or {}, scripts = d.scripts, on_feed = code(d.on_feed),
    on_end = code(d.on_end),
  }
end

local function names(list)
  local set = {}
  for _, one in ipairs(list) do
    if not set[one.name] then
      set[one.name], set[#set + 1] = true, one.name
    end
  end
  return set
end

-- Who came and who went: true when there is one.
local function come_and_go(what, old, new, say)
  local before, after, differs = names(old), names(new), false
  for _, name in ipairs(after) do
    if not before[name] then
      differs = true
      say("%s %s, which is new", what, name)
    end
  end
  for _, name in ipairs(before) do
    if not after[name] then
      differs = true
      say("%s %s, which is gone", what, name)
    end
  end
  return differs
end

local function compare_feeds(old, new, say)
  if come_and_go("feed", old, new, say) then return end
  for i = 1, math.max(#old, #new) do
    if not same(old[i], new[i]) then say("feed %s", (new[i] or old[i]).name) end
  end
end

local function compare_instruments(old, new, say)
  local differ = {}
  for i = 1, math.max(#old, #new) do
    if not same(old[i], new[i]) then differ[#differ + 1] = (new[i] or old[i]).symbol end
  end
  if differ[1] then
    say("the instruments from %s on (sectors, weights)", differ[1])
  end
end

-- What is fixed of each script, all its instances together.
local function places(scripts)
  local of = {}
  for _, one in ipairs(scripts) do
    local place = of[one.name] or { workers = "" }
    of[one.name] = place
    place.workers = place.workers .. " " .. one.worker
    place.shard, place.file, place.reliable = one.shards > 0, one.path, one.reliable
    place.trusted = not (one.options or {}).distrusted
    place.account = (one.options or {}).account
  end
  return of
end

local function compare_places(old, new, say)
  if come_and_go("script", old, new, say) then return end
  local before, after, said = places(old), places(new), false
  for _, name in ipairs(names(new)) do
    for _, option in ipairs { "file", "shard", "workers", "reliable", "trusted",
                              "account" } do
      if not same(before[name][option], after[name][option]) then
        say("%s of %s", option, name)
        said = true
        break
      end
    end
  end
  for i = 1, #new do
    local a, b = old[i], new[i]
    if not said and (a.name ~= b.name or a.worker ~= b.worker or a.shard ~= b.shard) then
      say "the order of the scripts"
      said = true
    end
  end
end

local function compare_options(old, new, say)
  local said = {}
  local function tell(what, name)
    local text = what .. " of " .. name
    if not said[text] then
      said[text] = true
      say("%s", text)
    end
  end
  for i, script in ipairs(new) do
    local before, after = old[i].options or {}, script.options
    for _, field in ipairs { "params", "symbols", "sectors", "messages", "sources",
                             "sessions" } do
      if not same(before[field], after[field]) then tell(field, script.name) end
    end
    if old[i].restarts ~= script.restarts then tell("on_error", script.name) end
  end
end

local function by_name(sessions)
  local found = {}
  for _, session in ipairs(sessions or {}) do found[session.name] = session end
  return found
end

local function compare_sessions(old, new, refuse)
  local was, is = by_name(old.sessions), by_name(new.sessions)
  for _, session in ipairs(old.sessions or {}) do
    local name = session.name
    if not is[name] then
      refuse("FIX session %s, which is gone (tw.fix.remove ends one)", name)
    elseif not same(session, is[name]) then
      refuse("FIX session %s", name)
    end
  end
  for _, session in ipairs(new.sessions or {}) do
    if not was[session.name] then
      refuse("FIX session %s, which is new (tw.fix.add adds one)", session.name)
    end
  end
  if not same(old.doors, new.doors) then refuse "the ports of FIX" end
end

--- revision.compare(old, new) -> text | nil, why
-- old: data of what runs; new: of another version.  text: what differs, and can follow;
-- why: what can't.
-- Yields: no.  Blocks: no.  Thread: as revision.data.  Errors: none.  Units: none.
function revision.compare(old, new)
  local fixed, follows = {}, {}
  local function refuse(...) fixed[#fixed + 1] = string.format(...) end
  local function follow(...) follows[#follows + 1] = string.format(...) end
  compare_feeds(old.feeds, new.feeds, refuse)
  for _, part in ipairs { "exchange", "account", "risk", "calendar", "book" } do
    if not same(old[part], new[part]) then refuse("app.%s", part) end
  end
  compare_instruments(old.instruments, new.instruments, refuse)
  if not same(old.attributes, new.attributes) then refuse "the attributes" end
  compare_places(old.scripts, new.scripts, refuse)
  if old.capacity ~= new.capacity then refuse "the capacity of the tape" end
  if old.memory ~= new.memory then refuse "the limit of memory" end
  if old.time ~= new.time then refuse "the limit of time" end
  if not same(old.pool, new.pool) then refuse "app.pool" end
  compare_sessions(old.fix, new.fix, refuse)
  if fixed[1] then
    return nil, table.concat(fixed, ", ") .. ": this can't change while the app runs,"
      .. " so nothing does; take it back, or start the app anew"
  end
  for _, part in ipairs { "screen", "reload", "on_feed", "on_end" } do
    if not same(old[part], new[part]) then follow("%s", part) end
  end
  compare_options(old.scripts, new.scripts, follow)
  return follows[1] and table.concat(follows, ", ") or "nothing that it declares"
end

return revision

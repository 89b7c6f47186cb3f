--- app_gateway: tw.app.gateway: where orders go that leave the run.
--
--     app.gateway.fix { name = "broker", host = "fix.broker.com", port = 5001,
--                       sender = "ME", target = "BROKER" }
--     app.account { gateway = "broker" }

local declare = require "tw.declare"
local fix = require "tw.app_fix"
local trade = require "tw.trade"

local gateway = {}
local check, fail = declare.check, declare.fail

local OWN = { account = "string", fields = "table", instruments = "table",
              security_id_source = "string", cl_ord_id = "string",
              cancel_on_disconnect = "boolean", cancel_unknown = "boolean",
              mass_status = "boolean", adopt = "boolean" }
local NOT = { hold = true }
local ID_FORMS = { uuid = 1, short = 2 }   -- enum tw_fix_id_form

--- app.gateway.fix(options) -> name
-- Orders of scripts whose account says gateway = name go to a venue by a FIX session of
-- their own, and its execution reports become theirs; the scripts are unchanged (see
-- tidewire help gateways).  options are those of app.fix.session, but hold, and:
--   account              Account (1) of each order; of one script's app.script(path, {
--                        account = { gateway = name, account = "U2" } })
--   fields               more of each order, by name or tag: { ExDestination = "XNAS" };
--                        of a group a list of tables
--   instruments          what the venue calls a symbol, and more of its orders:
--                        { ESZ6 = { symbol = "ES", fields = { SecurityType = "FUT",
--                        MaturityMonthYear = "202612" } } }; also of app.feed.fix over
--                        this session
--   security_id_source   "8": symbols are SecurityIDs (48) of that source (22), and go
--                        out so in place of Symbol
--   cl_ord_id            "uuid": ClOrdIDs are UUIDs, not digits; "short": of at most 14
--                        characters
--   cancel_on_disconnect true: open orders are canceled before we log out and after the
--                        next Logon, and where the version has it by the venue
--   session              the name of one that is declared above, by app.feed.fix too;
--                        then these are all options
--   adopt                false: open orders of a former run stay nobody's
--   cancel_unknown       true: open orders that no script has sent are canceled
--   mass_status          false: the venue has no 35=AF
-- Yields: no.  Blocks: no.  Thread: the app file.
-- Errors: raises for an option that is not there or can't be.  Units: as there.
function gateway.fix(options)
  if type(options) ~= "table" then
    fail(2, "app.gateway.fix: a table of options expected, got a %s", type(options))
  end
  local own, rest = {}, {}
  for name, value in pairs(options) do
    if NOT[name] then fail(2, "app.gateway.fix: no option '%s'", name) end
    if OWN[name] then own[name] = value else rest[name] = value end
  end
  check("app.gateway.fix", own, OWN)
  declare.id_source("app.gateway.fix", own.security_id_source)
  own.id_form = own.cl_ord_id and ID_FORMS[own.cl_ord_id]
  if own.cl_ord_id and not own.id_form then
    fail(2, "app.gateway.fix: cl_ord_id must be \"uuid\" or \"short\", got '%s'",
         own.cl_ord_id)
  end
  if own.account then
    declare.checked(trade.account, "app.gateway.fix", { account = own.account })
  end
  own.fields = declare.fields("app.gateway.fix", own.fields)
  own.instruments = declare.instruments("app.gateway.fix", own.instruments)
  own.mass_status = own.mass_status ~= false
  own.adopt = own.adopt ~= false
  declare.now.gateways = true
  if rest.session then
    local other = next(rest, next(rest) == "session" and "session" or nil)
    if other then
      fail(2, "app.gateway.fix: session '%s' has its own %s", rest.session, other)
    end
    return fix.use("app.gateway.fix", rest.session, "gateway", own)
  end
  local fine, name = pcall(fix.session, rest)
  if not fine then
    fail(2, "%s", (tostring(name):gsub("^[^:]*:%d+: ", "")
                                 :gsub("app%.fix%.session", "app.gateway.fix")))
  end
  local sessions = declare.now.fix.sessions
  sessions[#sessions].gateway = own
  sessions[#sessions].what = ("app.gateway.fix '%s'"):format(name)
  return name
end

return gateway

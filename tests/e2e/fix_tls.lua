--- fix_tls: FIX sessions of an app in TLS, and what it says where that can't be.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"

local dir = apps.directory .. "/tls"
assert(os.execute("mkdir -p " .. dir))
local function shell(command) return apps.shell("cd " .. dir .. " && " .. command) end

-- A certificate of Root and its key, for names.
local function certificate(name, names)
  apps.put(dir .. "/names", "subjectAltName=" .. names)
  return shell(("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
    .. "-subj /CN=%s -keyout %s.key -out request && openssl x509 -req -in request "
    .. "-CA ca -CAkey ca.key -CAcreateserial -days 2 -extfile names -out %s")
    :format(name, name, name)).status == 0
end
if shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
         .. "-subj /CN=Root -keyout ca.key -out ca").status ~= 0
   or not certificate("venue", "IP:127.0.0.1") or not certificate("me", "DNS:me") then
  t.skip "TLS: no openssl that makes certificates"
  return t.done()
end

apps.put(dir .. "/buyer.lua", [[
  local M = require "tw.strategy".new { doc = "buys once" }
  local UNDONE = { rejected = true, canceled = true, expired = true }   -- too early
  function M:on_timer()
    if not self.o then self.o = self:buy { symbol = "A", quantity = 1 } end
  end
  function M:on_order(status, id, reason)
    if UNDONE[status] then self.o = nil end
  end
  function M:on_fill(symbol, side, quantity, price) print("filled", symbol, price) end
  return M]])
apps.put(dir .. "/seller.lua", [[
  local M = require "tw.strategy".new { doc = "sells" }
  function M:on_timer()
    self.o = self.o or self:sell { symbol = "A", quantity = 9, price = 5 }
  end
  return M]])

-- Until it has said that; or all that it says.
local function run(name, server, client, want)
  local port = apps.free_port()
  apps.put(("%s/%s.lua"):format(dir, name), ([[
    local app = require "tw.app"
    app.feed.timer { every = 0.02 }
    app.instruments { { symbol = "A", tick_size = 0.01, lot_size = 1 } }
    app.script("seller.lua", { account = { fill = "book" } })
    app.script("buyer.lua", { account = { gateway = "broker" } })
    app.fix.acceptor { port = %d, tls = { %s }, sessions = { { sender = "V",
      target = "ME", orders = true } } }
    app.gateway.fix { name = "broker", host = "127.0.0.1", port = %d, sender = "ME",
      target = "V", retry = 0.05, tls = { %s } }]]):format(port, server, port, client))
  return apps.until_shown(("%s run %s.lua --no-attach"):format(apps.tidewire, name),
                          (want:gsub("%p", "%%%0")), dir).all
end
local function shows(name, out, want)
  if not t.ok(out:find(want, 1, true), name .. ": " .. want) then t.diag(out) end
end
local function says(name, server, client, want)
  local out = run(name:gsub("%W", "_"), server, client, want)
  shows(name, out, want)
  return out
end

local SERVER <const> = 'certificate = "venue", key = "venue.key"'
shows("the port", says("both with certificates", SERVER .. ', ca = "ca", ask = true',
  'ca = "ca", certificate = "me", key = "me.key"', "filled\tA\t5"), "with TLS")
says("nobody to trust", SERVER, "", "tls: the certificate of /CN=venue is signed by "
     .. "/CN=Root, who is not trusted")
says("no certificate", SERVER .. ', ca = "ca", ask = true', 'ca = "ca"',
     "tls: the peer refused: certificate required")
says("another's name", 'certificate = "me", key = "me.key"', 'ca = "ca"',
     "tls: the certificate of /CN=me is for me, not for 127.0.0.1")
says("its name", 'certificate = "me", key = "me.key"', 'ca = "ca", name = "me"',
     "filled\tA\t5")
says("another's key", 'certificate = "venue", key = "me.key"', 'ca = "ca"',
     "is not that of certificate")
says("no file", SERVER, 'ca = "nowhere"', "no such file or directory")

apps.put(dir .. "/config", [[
[ca]
default_ca = it
[it]
database = index
default_md = sha256
default_crl_days = 2
]])
apps.put(dir .. "/index", "")
local CA <const> = "openssl ca -config config -keyfile ca.key -cert ca "
if t.is(shell(CA .. "-gencrl -out none.crl && " .. CA .. "-revoke venue && " .. CA
              .. "-gencrl -out venue.crl").status, 0, "lists of what is revoked") then
  says("not revoked", SERVER, 'ca = "ca", crl = "none.crl"', "filled\tA\t5")
  says("revoked", SERVER, 'ca = "ca", crl = "venue.crl"',
       "tls: the certificate of /CN=venue was revoked by /CN=Root")
end

-- A QuickFIX file says the same.
apps.put(dir .. "/quickfix.cfg", [[
[DEFAULT]
ConnectionType=initiator
SocketUseSSL=Y
CertificationAuthoritiesFile=ca
CertificateRevocationListFile=venue.crl
[SESSION]
BeginString=FIX.4.4
SenderCompID=ME
TargetCompID=V
SocketConnectHost=127.0.0.1
SocketConnectPort=9
HeartBtInt=30
]])
local read = require "tw.fix_config".read(dir .. "/quickfix.cfg")
local tls = read and read.sessions[1].tls
t.same({ tls and tls.ca, tls and tls.crl }, { dir .. "/ca", dir .. "/venue.crl" },
       "those of a QuickFIX file")

local static = apps.program .. "-static"
if io.open(static) then
  shows("the static program", shell(("timeout 120 %s run no_file.lua --seconds 1 2>&1")
    :format(apps.quote(static))).out, "this program is static, and has no TLS")
end

t.done()

--- build: one file that runs an app: what goes in, what it does, what it refuses.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local quote, shell, read = apps.quote, apps.shell, apps.read

local function line(command) return (shell(command).out:gsub("\n$", "")) end

local tidewire = quote(line("readlink -f " .. apps.tidewire))
local plain = not (apps.has "asan" or apps.has "tsan")
local static = shell("test -x $(dirname " .. tidewire .. ")/tidewire-static").status == 0
local root = apps.directory .. "/here"

local function write(path, text)
  shell("mkdir -p $(dirname " .. quote(path) .. ")")
  apps.put(path, text)
end

-- A command that is to end with that status, from that directory.
local function run(name, command, status, directory)
  local r = shell(("cd %s && timeout -k 1 120 %s"):format(directory or root, command))
  if not t.is(r.status, status or 0, name .. ": status") then
    t.diag(r.out .. r.err)
  end
  return r
end

local function refuses(name, command, pattern, status)
  local r = run(name, command, status or 1)
  if not t.ok(r.err:find(pattern) and not r.err:find "\n.", name) then t.diag(r.err) end
end

local APP = [[
local app = require "tw.app"
print("app", require("lib." .. "late").name)
app.feed.synthetic { speed = 0, seed = 7, trades = 0, limit = app.param("limit", 50) }
app.files { "data/*.txt", "lib/computed.lua" }
app.script("stats/count.lua", { params = { title = app.param("title", "quotes") } })
app.param("loud", false)
]]
local COUNT = [[
local tw = require "tw"
local util = require "lib.util"   -- require "lib.not_this"
local text = "require 'lib.nor_this'"
local computed = require("lib." .. ("computed"))
local M = {}
local n = 0
function M.on_quote() n = n + 1 end
function M:on_stop()
  print(self.params.title, util.twice(n), computed, tw.file "data/a.txt")
  print(tw.file "data/none.txt")
end
return M
]]
local files = {
  ["app.lua"] = APP, ["stats/count.lua"] = COUNT,
  ["lib/util.lua"] = "return { twice = function(n) return 2 * n end }\n",
  ["lib/late.lua"] = "#!/usr/bin/lua\nreturn { name = 'late' }\n",
  ["lib/computed.lua"] = "return 'computed'\n", ["lib/unused.lua"] = "return 1\n",
  ["data/a.txt"] = "some data", ["data/b.txt"] = "",
}
for name, text in pairs(files) do write(root .. "/app/" .. name, text) end
local OUT = "app\tlate\nquotes\t100\tcomputed\tsome data\n"
  .. "nil\tcannot read data/none.txt: no such file or directory\t-2\n"

-- What goes in, and where it runs.

local made = run("build", tidewire .. " build app/app.lua -o bot")
t.ok(made.out:find "^app\tlate\nbot: %d+%.%d MB, 7 files inside\n$",
     "runs the app file, and says what it wrote")
t.is(made.err, "", "and nothing else")
shell("mkdir " .. root .. "/empty")
local bot = "env -i " .. quote(root .. "/bot")
t.is(run("run", tidewire .. " run app.lua", 0, root .. "/app").out, OUT,
     "what tidewire run prints")
t.is(run("bot", bot, 0, root .. "/empty").out, OUT, "the program prints too, elsewhere")
t.is(line("ls -A " .. root .. "/empty"), "", "and leaves nothing there")
t.is(run("list", bot .. " --list").out, "app.lua\ndata/a.txt\ndata/b.txt\n"
     .. "lib/computed.lua\nlib/late.lua\nlib/util.lua\nstats/count.lua\n",
     "what is required, named or run is inside, what comments require is not")
if plain then
  t.ok(#read(root .. "/bot") < 3e6, "it has less than 3 MB")
else
  t.skip "the size of a program with a sanitizer is its own"
end

shell("mkdir " .. root .. "/app/build")
run("beside a directory", tidewire .. " build app.lua -o build/bot", 0, root .. "/app")
shell("rm -r " .. root .. "/app/build")

-- The same bytes: another directory, another name, another time and place.

run("again", tidewire .. " build app.lua -o ../bot2", 0, root .. "/app")
shell(("cd %s && cp -r app moved && touch -d 2001-01-01 moved/*"):format(root))
run("moved", "sh -c " .. quote("umask 077; exec env -i TZ=Asia/Tokyo LC_ALL=C.UTF-8 "
    .. tidewire .. " build ./moved/../moved/./app.lua -o bot3"))
t.ok(read(root .. "/bot") == read(root .. "/bot2"), "built twice, it has the same bytes")
t.ok(read(root .. "/bot") == read(root .. "/bot3"), "and elsewhere, later")

-- Parameters are options.

for _, case in ipairs {
  { "--limit 7 --title 'two words'", "two words\t14" }, { "--limit=3", "quotes\t6" },
  { "--set limit=4 --workers 1", "quotes\t8" },
  { "--title=a=b --seconds 900", "a=b\t100" },
} do
  local r = run("options " .. case[1], bot .. " " .. case[1])
  t.ok(r.out:find("\n" .. case[2] .. "\t", 1, true), "takes " .. case[1])
end
for _, case in ipairs {
  { "--limit", 2, "%-%-limit: its value is missing; see `%-%-help`" },
  { "--limit x", 1, "app.lua:3: %-%-limit x: not a number" },
  { "--loud 2", 1, "app.lua:6: %-%-loud 2: neither true nor false" },
  { "--limt 1", 1, "%-%-limt: app.lua has no such parameter; did you mean 'limit'%?" },
  { "limit", 2, "'limit' is no option; see `%-%-help`" },
  { "--workers 0", 2, "%-%-workers 0: an integer .*; see `%-%-help`" },
  { "--override", 2, "%-%-override DIR: the directory is missing; see `%-%-help`" },
  { "--override none", 2, "%-%-override none: a directory expected; see `%-%-help`" },
  { "--extract", 1, "%-%-extract DIR: the directory is missing" },
  { "--list 1", 1, "%-%-list stands alone" },
} do
  refuses("refuses " .. case[1], bot .. " " .. case[1],
          "^tidewire: " .. case[3] .. "\n$", case[2])
end
local help = run("help", bot .. " --help").out
t.ok(help:find "\n  %-%-limit NUMBER +50\n" and help:find "\n  %-%-title TEXT +quotes\n"
     and help:find "\n  %-%-loud true|false +false\n", "--help has them with defaults")

-- What it says of itself.

local manifest = run("manifest", bot .. " --manifest").out
t.ok(manifest:find(line("sha256sum <" .. root .. "/app/stats/count.lua"):match "^%x+"
                   .. " +%d+  stats/count.lua\n"), "--manifest has the files' SHA-256")
for _, part in ipairs { "tidewire", "Lua", "libuv", "zlib", "minizip", "OpenSSL" } do
  t.ok(manifest:find("\n" .. part .. "[^\n]* [%d.]* +[%w.-]+ +%w"), "and " .. part)
end
local licences = run("licences", bot .. " --licences").out
t.ok(licences:find "\n======== libuv\n" and licences:find "MIT License",
     "--licences has texts")
if shell("test -r /usr/share/doc/libssl-dev/copyright").status == 0 then
  t.ok(licences:find "Lua.org, PUC%-Rio" and licences:find "Jean%-loup Gailly"
       and licences:find "Apache License\n", "and those of the libraries")
else
  t.skip "no licence texts of libraries on this system"
end
refuses("a full output", bot .. " --manifest >/dev/full",
        "^tidewire: No space left on device\n$")
t.is(run("list at a prompt", "env TIDEWIRE_REPL=1 ../bot --list", 0, root .. "/empty").out
     :match "[^\n]+", "app.lua", "what it says of itself needs no prompt")
run("extract", bot .. " --extract out/side")
t.is(line(("cd %s && diff -r app out/side"):format(root)), "Only in app/lib: unused.lua",
     "--extract writes the files as they were")
refuses("extract again", bot .. " --extract out/side",
        "^tidewire: cannot write out/side/app.lua: file already exists\n$")
refuses("extract to a file", bot .. " --extract bot2/x", "^tidewire: cannot write .*")

-- Files of a directory stand before those inside, under the same names.

write(root .. "/over/data/a.txt", "other data")
write(root .. "/over/lib/util.lua", "return { twice = function(n) return 'over' end }")
t.is(run("override", bot .. " --override over").out,
     (OUT:gsub("100", "over"):gsub("some", "other")), "--override DIR is read first")
write(root .. "/over/stats/count.lua", "local M = {}\nfunction M.on_quote() error 'x' end"
      .. "\nreturn M")
local r = run("an error", bot .. " --override over", 1)
t.ok(r.err:find("stats/count.lua:2: x", 1, true), "errors have the names as they were")
t.is(run("list", bot .. " --override over --list").out:match "[^\n]+", "app.lua",
     "what it says of itself is of the inside")

-- A prompt.

r = run("prompt", ("env -i TIDEWIRE_REPL=1 %s -e 'print(require %q.twice(21))'")
        :format(quote(root .. "/bot"), "lib.util"), 0, root .. "/empty")
t.is(r.out, "42\n", "TIDEWIRE_REPL=1 makes it an interpreter that has the modules")
r = run("prompt in the run", "printf 'repeat tw.sleep(0.001) until"
        .. " #tape:find { kind = \"quote\" } == 2\nrequire \"lib.util\".twice(4)\n'"
        .. " | env -i TIDEWIRE_REPL=1 ../bot --limit 2", 0, root .. "/empty")
t.ok(r.out:find "8\n" and r.out:find "quotes\t4\t", "or a prompt in the run")

-- Files that are not beside the app, and names that meet.

write(root .. "/up/apps/a.lua", [[
local app = require "tw.app"
app.feed.synthetic { speed = 0, limit = 1 }
app.script("../scripts/s.lua")
app.script(]] .. ("%q"):format(root .. "/up/abs.lua") .. ")")
write(root .. "/up/scripts/s.lua", [[
local M = {}
function M.on_stop() print(require "tw".file "../scripts/x.txt", (require "far.away")) end
return M]])
write(root .. "/up/scripts/x.txt", "x")
write(root .. "/up/abs.lua", "return { on_quote = function() print 'abs' end }")
write(root .. "/elsewhere/far/away.lua", "return 'far'")
run("up", ("env LUA_PATH=%s %s build up/apps/a.lua -o up/bot up/scripts/x.txt")
    :format(quote(root .. "/elsewhere/?.lua;;"), tidewire))
run("up moved", "mv up/bot . && mv up/abs.lua up/apps up/scripts elsewhere out")
t.is(run("up runs", bot .. " --workers 1", 0, root .. "/empty").out, "abs\nx\tfar\n",
     "scripts above the app, absolute ones and modules from elsewhere go in")
t.is(run("up lists", bot .. " --list").out:gsub("[^\n]*abs.lua\n", ""),
     "apps/a.lua\napps/far/away.lua\nscripts/s.lua\nscripts/x.txt\n",
     "names begin where all of them have a place")
run("build once more", tidewire .. " build app/app.lua -o bot")

-- What it can't build: one line, and what stood there stays.

local before = read(root .. "/bot")
local OK = 'local app = require "tw.app" app.feed.synthetic {} '
for name, text in pairs {
  syntax = "x = = 1", script = OK .. "app.script 'none.lua'",
  directory = OK .. "app.script 'dir.lua'", files = OK .. "app.files { 'no*.txt' }",
  reserved = OK .. "app.param('workers', 1)", fine = OK, feedless = "",
  loads = OK .. "require 'none'",
} do
  write(root .. "/bad/" .. name .. ".lua", text)
end
shell("mkdir " .. root .. "/bad/dir.lua")
for _, case in ipairs {
  { "bad/syntax.lua", "bad/syntax.lua:1: unexpected symbol near '='" },
  { "bad/none.lua", "cannot open bad/none.lua.*" },
  { "bad/script.lua", "cannot read bad/none.lua: No such file or directory" },
  { "bad/directory.lua", "cannot read bad/dir.lua: Is a directory" },
  { "bad/files.lua", "app.files: no file matches 'no%*.txt'" },
  { "bad/feedless.lua", "bad/feedless.lua: no feed: .*" },
  { "bad/reserved.lua", "bad/reserved.lua: app.param 'workers': the program has an option"
    .. " %-%-workers of its own" },
  { "bad/fine.lua none.csv", "cannot read none.csv: No such file or directory" },
  { "bad/fine.lua -o bad/fine.lua", "bad/fine.lua is one of the files that go in" },
  { "bad/fine.lua -o none/bot", "cannot write none/bot: no such file or directory" },
  { "bad/fine.lua -o /dev/full", "cannot write /dev/full: it is not a file" },
  { "bad/fine.lua -o bad", "cannot write bad: it is not a file" },
  { "bad/fine.lua -o", "%-o: the name of the program is missing; see .*", 2 },
  { "bad/fine.lua --statc", "unknown option '%-%-statc'; see `tidewire help build`", 2 },
  { "", "no app file given; see `tidewire help build`", 2 },
} do
  local out = case[1]:find " %-o" and "" or " -o bot"
  refuses("can't build " .. case[1], tidewire .. " build " .. case[1] .. out,
          "^tidewire: build: " .. case[2] .. "\n$", case[3])
end
refuses("can't build from what can't load", tidewire .. " build bad/loads.lua -o bot 2>&1"
        .. " | head -1 >&2; false", "^tidewire: build: bad/loads.lua:1: module 'none'")
refuses("a file that may not grow", "sh -c " .. quote("trap '' XFSZ; ulimit -f 200; "
        .. tidewire .. " build bad/fine.lua -o bot"),
        "^tidewire: build: cannot write bot: file too large\n$")
local small = "unshare -rm sh -c " .. quote("mount -t tmpfs -o size=200k none full && ")
shell("mkdir " .. root .. "/full")
if shell("cd " .. root .. " && " .. small:gsub("&& '$", "'")).status == 0 then
  refuses("a full disk", small:gsub("'$", "")
          .. tidewire:gsub("'", "'\\''") .. " build bad/fine.lua -o full/bot; s=$?;"
          .. " test -z \"$(ls full)\" && exit $s'",
          "^tidewire: build: cannot write full/bot: no space left on device\n$")
else
  t.skip "no right to mount a small file system"
end
t.ok(read(root .. "/bot") == before and line("ls -A " .. root .. " | grep tmp") == "",
     "a build that fails leaves the program that was there, and no other file")

refuses("a line that could not be said", tidewire .. " build bad/fine.lua -o said"
        .. " >/dev/full", "^tidewire: build: said is built, but .*: No space left on"
        .. " device\n$")

-- What ends it in the middle leaves no file.

write(root .. "/cut.sh", [[
"$@" build bad/fine.lua -o cut big & p=$!
until ls | grep -q '^cut.*tmp$'; do kill -0 $p || exit 3; done
kill $s $p; wait $p; s=$?
ls | grep -q '^cut.*tmp$' && s=4; exit $s
]])
write(root .. "/sharp.sh", "exec perl -e '$SIG{$_} = \"DEFAULT\" for qw(INT QUIT HUP);"
      .. " exec @ARGV' -- \"$@\"\n")
shell(("head -c %d /dev/urandom >%s/big"):format(1 << 25, root))
for signal, status in pairs { INT = 130, QUIT = 131, TERM = 143 } do
  run(signal, ("env s=-%s sh cut.sh sh sharp.sh %s"):format(signal, tidewire), status)
end
run("a file that grew too large", "sh -c " .. quote("ulimit -f 200; " .. tidewire
    .. " build bad/fine.lua -o cut; s=$?; ls | grep -q '^cut.*tmp$' && s=4; exit $s"), 1)

-- Two builds at once, and one over a program that runs.

write(root .. "/busy/app.lua", OK .. "app.script 's.lua'")
write(root .. "/busy/s.lua", "return { on_start = function() print 'up' end }")
write(root .. "/busy.sh", [[
tidewire=$1; trap 'kill -9 $p' EXIT
"$tidewire" build busy/app.lua -o busy.bot || exit 3
./busy.bot >busy.out 2>&1 & p=$!
until grep -q up busy.out; do kill -0 $p || exit 4; done
"$tidewire" build busy/app.lua -o busy.bot & a=$!
"$tidewire" build busy/app.lua -o busy.bot || exit 5
wait $a || exit 6
kill -0 $p && ./busy.bot --list && test -z "$(ls | grep tmp)"; s=$?
kill $p; wait $p; trap - EXIT; exit $s
]])
run("at once", "sh busy.sh " .. tidewire)

-- Warnings: of what can't go in.

write(root .. "/bad/optional.lua", OK .. "pcall(require, 'not.there')")
r = run("optional", tidewire .. " build bad/optional.lua -o bot4")
t.is(r.err, "tidewire: build: warning: not.there, required by bad/optional.lua, is not"
     .. " there\n", "a module that is not there is a warning")

-- Damage.  A program that runs prints what its app file says.

local bytes = before
local program = math.tointeger(run("sizes", bot .. " --manifest").out
                               :match "program +(%d+) bytes")
local runs, lua, silent, statuses = 0, {}, {}, {}

-- What a sanitizer says of it is no report: it goes to standard error.
local function damaged(what, text)
  write(root .. "/damaged", text)
  local d = shell(("chmod +x %s/damaged && ulimit -S -t 20 && ASAN_OPTIONS=exitcode=99 "
    .. "TSAN_OPTIONS=exitcode=99 timeout -k 1 120 %s/damaged </dev/null")
    :format(root, root))
  runs = runs + 1
  if d.out:find "late" or d.status == 0 then lua[#lua + 1] = what end
  if d.status == 1 and not d.err:find "^tidewire: [^\n]+\n$" then
    silent[#silent + 1] = what .. ": " .. d.err
  end
  statuses[d.status] = (statuses[d.status] or 0) + 1
end

local seed = 1
local function random(n)      -- 1 .. n, the same in every run
  seed = (seed * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
  return (seed >> 20) % n + 1
end
local function flip(at, bits)
  damaged("byte " .. at, bytes:sub(1, at - 1)
          .. string.char(bytes:byte(at) ~ bits) .. bytes:sub(at + 1))
end

local many = (os.getenv "SMALL" or not plain) and 10 or 60
for _ = 1, many do flip(random(#bytes), 1 << random(8) - 1) end
for _ = 1, many do flip(program + random(#bytes - program), 1 << random(8) - 1) end
local seal = assert(bytes:find("tidewire\0\0\0\0", 1, true)) + 12
for at = seal, seal + 47, os.getenv "SMALL" and 7 or 1 do
  flip(at, math.max(1, bytes:byte(at)))
end
t.is(table.concat(lua, ", "), "", "no Lua runs in a program with a wrong byte")
t.is(table.concat(silent, ", "), "", "and it says so in one line")
t.ok((statuses[1] or 0) > runs * 3 // 4, "most of these are found by the program itself")

-- Aimed at what checks: where it stands is known of the program that was copied.
local CHECKS = "main ltw_seal_check ltw_seal_refuse ltw_seal_digest ltw_payload_is_sound"
               .. " ltw_payload_hold ltw_program_part ltw_image_open ltw_state_new"
local segments = line("readelf -lW " .. tidewire .. " | grep LOAD")
local function place(address)      -- in the file
  for from, to, n in segments:gmatch "LOAD +0x(%x+) 0x(%x+) 0x%x+ 0x(%x+)" do
    local at = address - tonumber(to, 16)
    if at >= 0 and at < tonumber(n, 16) then return tonumber(from, 16) + at + 1 end
  end
end
lua, statuses, runs = {}, {}, 0
for address, n, name in line("nm -S " .. tidewire):gmatch "(%x+) (%x+) %a ([%w_]+)" do
  if (" " .. CHECKS .. " "):find(" " .. name .. " ", 1, true) then
    for _ = 1, many // 6 do
      flip(place(tonumber(address, 16)) + random(tonumber(n, 16)) - 1, 1 << random(8) - 1)
    end
  end
end
if runs == 0 then
  t.skip "no names in the program, or no nm and readelf"
else
  t.is(table.concat(lua, ", "), "", "nor does a wrong byte in what checks start it")
  local endless = (statuses[124] or 0) + (statuses[128 + 24] or 0)   -- 24: SIGXCPU
  t.ok(endless < 2, "and it ends soon")   -- one in ten thousand does not
end

lua, silent, statuses, runs = {}, {}, {}, 0
for _ = 1, many // 2 do
  local n = random(#bytes - 1)
  damaged("cut to " .. n, bytes:sub(1, n))
end
for _, n in ipairs { #bytes - 1, #bytes - 22, program, program + 1, program - 1 } do
  damaged("cut to " .. n, bytes:sub(1, n))
end
t.is(table.concat(lua, ", "), "", "nor in one that was cut")
t.is(table.concat(silent, ", "), "", "which says so, where it can")
lua, silent, statuses, runs = {}, {}, {}, 0
damaged("longer", bytes .. "x")
damaged("of another", bytes:sub(1, program) .. read(root .. "/bot4"):sub(program + 1))
damaged("program of another", read(root .. "/bot4"):sub(1, program)
        .. bytes:sub(program + 1))
t.ok(statuses[1] == 3 and not lua[1] and not silent[1], "nor in one with other files")

-- strip refuses what has no sections; where a tool takes the files out, it is seen.
shell(("cd %s && strip -o stripped bot || head -c %d bot >stripped; chmod +x stripped")
      :format(root, program))
refuses("stripped", "./stripped -e 'print(1)'",
        "^tidewire: ./stripped: it is damaged: %d+ bytes instead of %d+ and the %d+ of"
        .. " the files inside\n$")

-- Without shared libraries.

if static then
  run("static", tidewire .. " build app/app.lua -o empty/sbot --static")
  t.ok(#read(root .. "/empty/sbot") < 3e6, "the static program has less than 3 MB")
  t.is(run("static runs", "env -i empty/sbot").out, OUT, "and runs")
  r = run("static dlopen", "env TIDEWIRE_REPL=1 empty/sbot -e"
          .. " 'print(package.loadlib(\"x.so\", \"*\"))'")
  t.is(r.out, "nil\tthis program is static: it loads no C modules\topen\n",
       "it refuses C modules")
  if shell("cd " .. root .. " && unshare -r chroot empty /sbot --list").status == 0 then
    t.is(run("chroot", "unshare -r chroot empty /sbot").out, OUT,
         "also where there is nothing else, not even /proc")
  else
    t.skip "no right to change the root directory"
  end
else
  refuses("no static program", tidewire .. " build app/app.lua -o sbot --static",
          "^tidewire: build: %-%-static: cannot read .*tidewire%-static: .*:"
          .. " make builds it where a static libc is\n$")
end

-- Reload takes what stands in the directory of --override, also where nothing stood.

write(root .. "/live/app.lua", OK .. "app.script 's.lua' app.script 't.lua'")
write(root .. "/live/s.lua", "print 'inside' return {}")
write(root .. "/live/t.lua", "return {}")
write(root .. "/live.sh", [[
tidewire=$1; trap 'kill -9 $p' EXIT
rm -rf new; mkdir new
./live.bot --override new $2 >live.out 2>live.err & p=$!
until "$tidewire" attach $p -e status >attach.out 2>&1; do kill -0 $p || exit 3; done
echo "print 'outside' return {}" >new/s.lua
test $2 || "$tidewire" attach $p -e '!reload s.lua' || exit 4
until grep -q 's.lua: version 2' live.err; do kill -0 $p || exit 5; done
echo "print 'again' return {}" >new/t.lua
test $2 || "$tidewire" attach $p -e '!reload t.lua' || exit 6
until grep -q 't.lua: version 2' live.err; do kill -0 $p || exit 7; done
kill $p; wait $p; s=$?; trap - EXIT; cat live.out; exit $s
]])
run("live", tidewire .. " build live/app.lua -o live.bot")
for _, how in ipairs { "", "--watch" } do
  r = run("reload " .. how, "sh live.sh " .. tidewire .. " " .. how, 143)
  t.ok(r.out:find "inside\n.*outside\n.*again\n",
       "a script of --override is a new version " .. how)
  if r.status ~= 143 then t.diag(read(root .. "/live.err") .. r.err) end
end

-- Whichever allocation fails, it says so.

local refused, fine, other = 0, 0, {}
for n = 1, os.getenv "SMALL" and 400 or 2000 do
  if n < 40 or n % 17 == 0 then
    local f = shell(("cd %s && TW_FAIL=%d timeout 120 ./bot --list"):format(root, n))
    if f.status == 0 then fine = fine + 1
    elseif f.status < 3 and f.err:find "memory" then refused = refused + 1
    else other[#other + 1] = n .. ": " .. f.status .. " " .. f.err end
  end
end
t.is(table.concat(other, ", "), "", "an allocation that fails is an error")
t.ok(refused > 10, "or nothing (" .. refused .. " and " .. fine .. " times)")

-- The market.

local market = line "readlink -f scripts/market.lua"
run("market", tidewire .. " build " .. quote(market) .. " -o market")
local seconds = 0.3
repeat                     -- on a slow machine nothing is connected by then
  r = shell(("cd %s/empty && timeout -k 1 120 env -i ../market --rate 2000 --seconds %g")
    :format(root, seconds))
  seconds = seconds * 6
until r.status == 0 or seconds > 80
t.is(r.status, 0, "market runs: status")
t.ok(r.err:find "stats/security.lua", "scripts/market.lua runs from one file")

--- embed: C and C++ programs with hosts inside, built against what make install installs.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local passes = apps.passes

local build = apps.tidewire:match "^(.*)/[^/]+$" .. "'"
local root = apps.directory .. "/root"

local function out_of(command) return apps.shell("{ " .. command .. "; } 2>&1").out end

-- Commands beside each other: what each wrote, and its status.
local function together(commands)
  local ends = {}
  for i, command in ipairs(commands) do
    apps.put(("%s/%d.sh"):format(root, i), command .. "\n")
  end
  apps.shell(([[r=%s; for i in $(seq %d); do
    { sh $r/$i.sh >$r/$i.out 2>&1; echo $? >$r/$i.s; } & done; wait]])
    :format(root, #commands))
  for i in ipairs(commands) do
    local name = root .. "/" .. i
    ends[i] = { out = apps.read(name .. ".out"),
                status = tonumber((apps.read(name .. ".s"):match "%d+")) }
  end
  return ends
end

-- A library that a sanitizer has seen wants it in the program, too.
local sanitizer = apps.has "tsan" and "thread" or apps.has "asan" and "address,undefined"
apps.make("make install", "install", "PREFIX=" .. root)
local flags = out_of("PKG_CONFIG_PATH=" .. root .. "/lib/pkgconfig"
                     .. " pkg-config --cflags --libs tidewire"):gsub("\n", " ")
local function has(program) return apps.shell("command -v " .. program).status == 0 end

local extra = ""
if sanitizer == "thread" then
  extra = " -fsanitize=thread -Wno-tsan " .. build .. "/tests/tsan.o"
elseif sanitizer then
  extra = " -fsanitize=" .. sanitizer .. " -fno-sanitize-recover=all"
end
local steady = sanitizer == "thread" and "setarch -R " or ""

local WARNINGS = " -Wall -Wextra -Wshadow -Wpointer-arith -Wwrite-strings -Werror"
                 .. " -pedantic "
local C, CPP = " -std=c11 -Wstrict-prototypes -Wmissing-prototypes", " -std=c++17"

-- What a program links has no names that the program may have.

local names = out_of("nm -g --defined-only " .. root .. "/lib/libtidewire.a")
local foreign = {}
for name in names:gmatch "%x+ %u ([%w_.]+)" do
  if not name:find "^l?tw_" and not name:find "^luaopen_tw" and not name:find "^__" then
    foreign[#foreign + 1] = name
  end
end
t.ok(names:find " T tw_host_new\n", "the library has its functions")
t.is(table.concat(foreign, " "), "", "and no name that is not tw_, ltw_ or luaopen_tw")

-- The header alone, as both languages, in both compilers.

local headers, checks = {}, {}
for _, case in ipairs { { "gcc", "c", C }, { "clang", "c", C }, { "g++", "c++", CPP },
                        { "clang++", "c++", CPP } } do
  local compiler, language, standard = table.unpack(case)
  if not has(compiler) then
    t.skip(compiler .. " is not here")
  else
    headers[#headers + 1] = "tidewire.h in " .. compiler .. standard
    checks[#checks + 1] = ("echo '#include <tidewire.h>' | %s%s%s -Wconversion -x %s"
      .. " -fsyntax-only -I%s/include -"):format(compiler, standard, WARNINGS, language,
        root)
  end
end
for i, checked in ipairs(together(checks)) do
  if not t.is(checked.status, 0, headers[i]) then t.diag(checked.out) end
end

-- A program that is built with CMake, which finds us through pkg-config; and one where
-- the path has a space in it.

local spaced = root .. "/a place"
local where = ("PREFIX='/opt/my tide' DESTDIR='%s'"):format(spaced)
apps.make("make install where spaces are", "install", where)
local of_spaced = out_of(("PKG_CONFIG_PATH='%s/opt/my tide/lib/pkgconfig' "
                          .. "pkg-config --cflags --libs tidewire"):format(spaced))
t.ok(of_spaced:find("-I/opt/my\\ tide/include", 1, true)
     and of_spaced:find("-L/opt/my\\ tide/lib ", 1, true), "its flags are quoted")
apps.make("make uninstall", "uninstall", where)
t.is(out_of(("find '%s' -type f"):format(spaced)), "", "which leaves no file")
if sanitizer or not has "cmake" then
  t.skip "cmake: it is not here, or a sanitizer looks"
else
  apps.shell(("mkdir %s/cmake && cp scripts/embed/embed.c %s/cmake"):format(root, root))
  apps.put(root .. "/cmake/CMakeLists.txt", [[
cmake_minimum_required(VERSION 3.16)
project(embed C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TIDEWIRE REQUIRED IMPORTED_TARGET tidewire)
add_executable(embed embed.c)
target_link_libraries(embed PkgConfig::TIDEWIRE)
]])
  passes("cmake finds it",
         ("cd %s/cmake && PKG_CONFIG_PATH=%s/lib/pkgconfig cmake . && cmake --build .")
         :format(root, root))
  passes("and builds",
         ("timeout 120 %s/cmake/embed scripts/embed/app.lua"):format(root))
end

-- Programs, built beside each other: the examples, as the README shows them, and the
-- tests in C.

local EMBED = [[
alarm: BP, a spread of 0.02
mean spread of AAPL: 0.02, 1 alarm
]]
local EMBEDPP = "2000 trades, volume of AAPL 2500.0, of BP 2500.0\n"
local programs = {}

-- want: what it prints; nil: a test.
local function add(compiler, source, more, arguments, want)
  local name = ((source .. " " .. compiler):gsub("[/ -]+", "-"))
  local fits = not sanitizer or compiler == "gcc" or compiler == "g++"
  if not (fits and has(compiler:match "^%S+")) then
    t.skip(name .. ": the compiler is not here, or not for this library")
    return
  end
  local path = root .. "/" .. name
  programs[#programs + 1] = { name = name, path = path, want = want,
    build = ("%s%s%s -g %s -o %s %s%s"):format(compiler, more, WARNINGS, source, path,
      flags, extra),
    run = ("timeout 500 %s%s %s"):format(steady, path, arguments) }
end

for _, compiler in ipairs { "gcc", "clang" } do
  add(compiler, "scripts/embed/embed.c", C, "scripts/embed/app.lua", EMBED)
end
for _, compiler in ipairs { "g++", "clang++" } do
  add(compiler, "scripts/embed/embed.cpp", CPP, "", EMBEDPP)
end
if apps.shell("test -x " .. root .. "/bin/tidewire-static").status == 0 then
  add("gcc -static", "scripts/embed/embed.c", C .. " -Wl,--no-warnings",
      "scripts/embed/app.lua", EMBED)
else
  t.skip "no static libraries"
end
add("gcc", "scripts/ffi/shared.c", C, "", "2 of 3 quotes are wide, most BP: 0.05\n")
for _, name in ipairs { "embed", "embed_life", "embed_value", "embed_change",
                        "embed_hostile", "embed_ffi" } do
  add("gcc", "tests/e2e/" .. name .. ".c",
      C .. " -D_GNU_SOURCE -Itests -Wno-format-truncation", "")
end

local function all(field)
  local commands = {}
  for i, program in ipairs(programs) do commands[i] = program[field] end
  return together(commands)
end

for i, built in ipairs(all "build") do
  if not t.is(built.status, 0, programs[i].name .. " builds") then t.diag(built.out) end
end
for i, ran in ipairs(all "run") do
  local name, want = programs[i].name, programs[i].want
  local fine = t.is(ran.status, 0, name .. ": status")
  if want then
    fine = t.is(ran.out, want, "and prints what it should") and fine
  else
    local tests = ran.out:match "\n1%.%.(%d+)\n$"
    fine = t.ok(tests, ("all its %s tests were run"):format(tests)) and fine
  end
  if not fine then t.diag(ran.out) end
end
local first = programs[1].path
local run = apps.shell(steady .. first .. " not-there.lua")
t.is(run.status, 1, "an app that is not there: status")
t.ok((run.out .. run.err):find("not-there.lua", 1, true), "and its name")

-- Nothing is lost, in valgrind's eyes: what ends with its host is freed with it.

if sanitizer or not has "valgrind" then
  t.skip "valgrind: it is not here, or a sanitizer looks"
else
  passes("valgrind is silent",
    ("timeout 500 valgrind -q --leak-check=full --show-leak-kinds=definite,possible "
     .. "--errors-for-leak-kinds=definite,possible --error-exitcode=9 "
     .. "%s scripts/embed/app.lua"):format(first))
end

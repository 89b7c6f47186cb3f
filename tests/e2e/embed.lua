--- embed: C and C++ programs with hosts inside, built against what make install installs.

local t = require "tw.test"

local build = (os.getenv("TIDEWIRE") or "build/tidewire"):match("^(.*)/[^/]+$")
local root = os.tmpname()
os.remove(root)

-- Runs a command; what it wrote, stderr included, and its status.
local function shell(command)
  local p <close> = assert(io.popen("{ " .. command .. "; } 2>&1 </dev/null"))
  local out = p:read("a")
  return out, select(3, p:close())
end

local function passes(command, name)
  local out, status = shell(command)
  local fine = t.is(status, 0, name)
  if not fine then t.diag(out) end
  return out, fine
end

local cleanup <close> = setmetatable({}, {
  __close = function() shell("rm -rf " .. root) end,
})

-- A library that a sanitizer has seen wants it in the program, too.
local undefined = shell("nm -u " .. build .. "/libtidewire.a")
local sanitizer = undefined:find "__tsan_init" and "thread"
                  or undefined:find "__asan_init" and "address,undefined"
passes("MAKEFLAGS= make --no-print-directory install B=" .. build .. " PREFIX=" .. root
       .. " SAN=" .. (sanitizer or ""), "make install")
local flags = shell("PKG_CONFIG_PATH=" .. root .. "/lib/pkgconfig"
                    .. " pkg-config --cflags --libs tidewire"):gsub("\n", " ")
local function has(program) return select(2, shell("command -v " .. program)) == 0 end

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

local function compile(compiler, source, out, more)
  return passes(("%s%s%s -g %s -o %s/%s %s%s"):format(compiler, more, WARNINGS, source,
    root, out, flags, extra), out .. " builds")
end

-- What a program links has no names that the program may have.

local names = shell("nm -g --defined-only " .. root .. "/lib/libtidewire.a")
local foreign = {}
for name in names:gmatch "%x+ %u ([%w_.]+)" do
  if not name:find "^l?tw_" and not name:find "^luaopen_tw" and not name:find "^__" then
    foreign[#foreign + 1] = name
  end
end
t.ok(names:find " T tw_host_new\n", "the library has its functions")
t.is(table.concat(foreign, " "), "", "and no name that is not tw_, ltw_ or luaopen_tw")

-- The header alone, as both languages, in both compilers.

for _, case in ipairs { { "gcc", "c", C }, { "clang", "c", C }, { "g++", "c++", CPP },
                        { "clang++", "c++", CPP } } do
  local compiler, language, standard = table.unpack(case)
  if not has(compiler) then
    t.skip(compiler .. " is not here")
  else
    passes(("echo '#include <tidewire.h>' | %s%s%s -Wconversion -x %s -fsyntax-only"
            .. " -I%s/include -"):format(compiler, standard, WARNINGS, language, root),
           "tidewire.h in " .. compiler .. standard)
  end
end

-- A program that is built with CMake, which finds us through pkg-config; and one where
-- the path has a space in it.

local spaced = root .. "/a place"
local where = ("B=%s PREFIX='/opt/my tide' DESTDIR='%s' SAN=%s")
              :format(build, spaced, sanitizer or "")
passes("MAKEFLAGS= make --no-print-directory install " .. where,
       "make install where spaces are")
local of_spaced = shell(("PKG_CONFIG_PATH='%s/opt/my tide/lib/pkgconfig' "
                         .. "pkg-config --cflags --libs tidewire"):format(spaced))
t.ok(of_spaced:find("-I/opt/my\\ tide/include", 1, true)
     and of_spaced:find("-L/opt/my\\ tide/lib ", 1, true), "its flags are quoted")
passes("MAKEFLAGS= make --no-print-directory uninstall " .. where, "make uninstall")
t.is(shell(("find '%s' -type f"):format(spaced)), "", "which leaves no file")
if sanitizer or not has "cmake" then
  t.skip "cmake: it is not here, or a sanitizer looks"
else
  shell(("mkdir %s/cmake && cp scripts/embed/embed.c %s/cmake"):format(root, root))
  local f <close> = assert(io.open(root .. "/cmake/CMakeLists.txt", "w"))
  f:write [[
cmake_minimum_required(VERSION 3.16)
project(embed C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(TIDEWIRE REQUIRED IMPORTED_TARGET tidewire)
add_executable(embed embed.c)
target_link_libraries(embed PkgConfig::TIDEWIRE)
]]
  f:close()
  passes(("cd %s/cmake && PKG_CONFIG_PATH=%s/lib/pkgconfig cmake . && cmake --build .")
         :format(root, root), "cmake finds it")
  passes(("timeout 60 %s/cmake/embed scripts/embed/app.lua"):format(root), "and builds")
end

-- The examples, as the README shows them.

local function example(compiler, source, more, arguments, want)
  local name = source .. "-" .. compiler
  if not has(compiler) or sanitizer and compiler:find "clang" then
    t.skip(compiler .. " is not here, or not for this library")
    return
  end
  local _, built = compile(compiler, "scripts/embed/" .. source, name, more)
  if not built then return end
  local out = passes(("timeout 60 %s%s/%s %s"):format(steady, root, name, arguments),
                     name .. " runs")
  t.is(out, want, "and prints what it should")
end

for _, compiler in ipairs { "gcc", "clang" } do
  example(compiler, "embed.c", C, "scripts/embed/app.lua", [[
alarm: BP, a spread of 0.02
mean spread of AAPL: 0.02, 1 alarm
]])
end
for _, compiler in ipairs { "g++", "clang++" } do
  example(compiler, "embed.cpp", CPP, "",
          "2000 trades, volume of AAPL 2500.0, of BP 2500.0\n")
end
local out, status = shell(steady .. root .. "/embed.c-gcc not-there.lua")
t.is(status, 1, "an app that is not there: status")
t.ok(out:find("not-there.lua", 1, true), "and its name")

-- The tests in C.

for _, name in ipairs { "embed", "embed_life", "embed_value", "embed_change",
                        "embed_hostile" } do
  local _, built = compile("gcc", "tests/e2e/" .. name .. ".c", name,
                           C .. " -D_GNU_SOURCE -Itests -Wno-format-truncation")
  if built then
    local tap, code = shell(("timeout 200 %s%s/%s"):format(steady, root, name))
    local tests = tonumber(tap:match "\n1%.%.(%d+)\n$")
    t.ok(tests, name .. ": all its tests were run")
    t.is(code, 0, ("%s: %s tests"):format(name, tests))
    if code ~= 0 or not tests then t.diag(tap) end
  end
end

-- Nothing is lost, in valgrind's eyes: what ends with its host is freed with it.

if sanitizer or not has "valgrind" then
  t.skip "valgrind: it is not here, or a sanitizer looks"
else
  passes(("timeout 200 valgrind -q --leak-check=full --show-leak-kinds=definite,possible "
          .. "--errors-for-leak-kinds=definite,possible --error-exitcode=9 "
          .. "%s/embed.c-gcc scripts/embed/app.lua"):format(root), "valgrind is silent")
end

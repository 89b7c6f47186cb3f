-- make install: the program runs from there, and a C program builds against it.
local t = require "tw.test"

local build = (os.getenv("TIDEWIRE") or "build/tidewire"):match("^(.*)/[^/]+$")
local root = os.tmpname()
os.remove(root)

-- Runs a command; its output with that of stderr, and its status.
local function shell(command)
  local p <close> = assert(io.popen("{ " .. command .. "; } 2>&1 </dev/null"))
  local out = p:read("a")
  return out, select(3, p:close())
end

local function passes(command, name)
  local out, status = shell(command)
  if not t.is(status, 0, name) then t.diag(out) end
  return out
end

local cleanup <close> = setmetatable({}, {
  __close = function() shell("rm -rf " .. root) end,
})

-- MAKEFLAGS is that of the make that runs this test: not ours.
local undefined = shell("nm -u " .. build .. "/libtidewire.a")
local sanitizer = undefined:find "__tsan_init" and "thread"
                  or undefined:find "__asan_init" and "address,undefined" or ""
passes("MAKEFLAGS= make --no-print-directory install B=" .. build .. " PREFIX=/opt/tide"
       .. " DESTDIR=" .. root .. " SAN=" .. sanitizer,
       "make install with PREFIX and DESTDIR")
local prefix = root .. "/opt/tide"
for _, file in ipairs { "bin/tidewire", "lib/libtidewire.a", "include/tidewire.h",
                        "lib/pkgconfig/tidewire.pc", "share/man/man1/tidewire.1" } do
  passes("test -s " .. prefix .. "/" .. file, "installs " .. file)
end
local out = passes("cd / && " .. prefix .. "/bin/tidewire -e 'print(6 * 7)'", "it runs")
t.is(out, "42\n", "and needs nothing of the source tree")
out = passes("cd / && " .. prefix .. "/bin/tidewire help tw.test.ok", "help is in it")
t.ok(out:find("^test%.ok"), "and prints a function")

local pc = "PKG_CONFIG_PATH=" .. prefix .. "/lib/pkgconfig pkg-config "
           .. "--define-variable=prefix=" .. prefix .. " "
out = passes(pc .. "--modversion tidewire", "pkg-config finds it")
t.ok(out:find("^%d+%.%d+%.%d+\n$"), "with the version")
local source <close> = assert(io.open(root .. "/embed.c", "w"))
source:write [[
#include <stdio.h>
#include <tidewire.h>
int main(void)
{
    printf("%d %s\n", tw_abi() == TW_ABI, tw_strerror(TW_EFULL));
    return 0;
}
]]
source:close()
-- A library built with a sanitizer links only with its flags: left to plain builds.
if sanitizer ~= "" then
  t.skip "a sanitizer build is not for embedding"
else
  out = passes("cd " .. root .. " && cc -o embed embed.c $(" .. pc
         .. "--cflags --libs tidewire) && ./embed",
         "a C program builds with the installed header and library")
  t.is(out, "1 full\n", "and calls it")
end

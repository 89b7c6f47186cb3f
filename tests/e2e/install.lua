-- make install: the program runs from there, and a C program builds against it.
package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"
local passes = apps.passes

local root = apps.directory .. "/root"
apps.make("make install with PREFIX and DESTDIR", "install",
          "PREFIX=/opt/tide DESTDIR=" .. root)
local prefix = root .. "/opt/tide"
for _, file in ipairs { "bin/tidewire", "lib/libtidewire.a", "include/tidewire.h",
                        "lib/pkgconfig/tidewire.pc", "share/man/man1/tidewire.1" } do
  passes("installs " .. file, "test -s " .. prefix .. "/" .. file)
end
local out = passes("it runs", "cd / && " .. prefix .. "/bin/tidewire -e 'print(6 * 7)'")
t.is(out, "42\n", "and needs nothing of the source tree")
out = passes("help is in it", "cd / && " .. prefix .. "/bin/tidewire help tw.test.ok")
t.ok(out:find("^test%.ok"), "and prints a function")

local pc = "PKG_CONFIG_PATH=" .. prefix .. "/lib/pkgconfig pkg-config "
           .. "--define-variable=prefix=" .. prefix .. " "
out = passes("pkg-config finds it", pc .. "--modversion tidewire")
t.ok(out:find("^%d+%.%d+%.%d+\n$"), "with the version")
apps.put(root .. "/embed.c", [[
#include <stdio.h>
#include <tidewire.h>
int main(void)
{
    printf("%d %s\n", tw_abi() == TW_ABI, tw_strerror(TW_EFULL));
    return 0;
}
]])
-- A library built with a sanitizer links only with its flags: left to plain builds.
if apps.has "asan" or apps.has "tsan" then
  t.skip "a sanitizer build is not for embedding"
else
  out = passes("a C program builds with the installed header and library",
    "cd " .. root .. " && cc -o embed embed.c $(" .. pc .. "--cflags --libs tidewire)"
    .. " && ./embed")
  t.is(out, "1 full\n", "and calls it")
  if apps.shell("test -x " .. prefix .. "/bin/tidewire-static").status == 0 then
    out = passes("a static one, as tidewire help embedding has it",
      "cd " .. root .. " && cc -static -Wl,--no-warnings -o still embed.c $(" .. pc
      .. "--static --cflags --libs tidewire) && ./still")
    t.is(out, "1 full\n", "likewise")
  end
end

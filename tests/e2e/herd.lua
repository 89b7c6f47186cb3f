--- scripts/herd.lua: one evaluation with the cache, one for each request without.

package.path = "tests/?.lua;" .. package.path
local t = require "tw.test"
local apps = require "apps"

local run = apps.shell(apps.tidewire .. " scripts/herd.lua 4")
t.is(run.status, 0, "it ends well")
t.ok(run.out:find "\nwithout cache +4 +%d+ ms", "four evaluations without the cache")
t.ok(run.out:find "\nwith cache +1 +%d+ ms", "one with it")
t.ok(run.out:find "1 load, 3 joined it, 0 hits", "three joined the first")
local price, again = run.out:match " ms +([%d.]+)\n.* ms +([%d.]+)\n"
t.is(again, price, "the price is the same")

run = apps.shell(apps.tidewire .. " scripts/herd.lua none")
t.ok(run.err:find "requests: an integer from 1 on expected, got none", "a wrong number")
t.is(run.status, 1, "a wrong number: status")

-- tw.build: what a Lua text requires.
local t = require "tw.test"
local build = require "tw.build"

for _, case in ipairs {
  { "require 'a'", "a" }, { 'require("a.b-c")', "a.b-c" }, { "require [[a]]", "a" },
  { "require [==[a]==]", "a" }, { "pcall(require, 'a')", "a" },
  { "local a, b = require 'a', require\n( 'b' )", "a b" },
  { "-- require 'a'\nrequire 'b'", "b" }, { "--[[ require 'a'\n]] require 'b'", "b" },
  { "--[==[ ]] require 'a' ]==]", "" }, { "x = \"require 'a'\"", "" },
  { "x = 'it\\'s' require 'a'", "a" }, { "x = [[ require 'a' ]]", "" },
  { "require('a' .. x)", "" }, { "require(x)", "" }, { "required 'a'", "" },
  { "require; f 'a'", "" }, { "require '/etc/x'", "" }, { "t[require 'a'][1]", "a" },
  { "x = 'open\nrequire 'a'", "" }, { "--[[ open", "" }, { "require '", "" }, { "", "" },
  { "require", "" }, { "return a-b - -1 --", "" },
} do
  t.is(table.concat(build.requires(case[1]), " "), case[2], case[1])
end

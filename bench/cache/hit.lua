--- hit: what a hit costs a plain program, and a task of it.

package.path = (arg[0]:match "^(.*/)" or "") .. "?.lua;" .. package.path
local measure = require "measure"

measure.hits "main"
require "tw.task".scope(function(s)
  s:spawn(function() measure.hits "a task" end)
end)

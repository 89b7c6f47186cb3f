-- scripts/embed/alarm.lua: tells of a spread that is wider than the program allows.
local tw = require "tw"
local limits = require "limits"           -- a module of the program, written in C
local M = {}

function M.on_quote(symbol, bid, ask)
  if ask - bid > limits.spread(symbol) then
    tw.publish("alarm", { symbol = symbol, spread = ask - bid })
  end
end

return M

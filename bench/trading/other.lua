--- other: hears of fills on another worker.

local tw = require "tw"
local percentiles = require "percentiles"
local now = tw.now

local M = { messages = { "fills" } }
local took, told = {}, {}

function M:on_message(value)
  local time = now()
  took[#took + 1], told[#told + 1] = time - value[1], time - value[2]
end

function M:on_stop()
  percentiles("until another worker's script knows", took)
  percentiles("  of that: since on_fill published", told)
end

return M

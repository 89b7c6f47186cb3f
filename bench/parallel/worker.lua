--- worker: measures as calls.lua does, in a market worker.

local M = {}

function M.on_start() print(require "calls".measure("a market worker", 20000)) end

return M

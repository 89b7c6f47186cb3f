--- handler_script: see handler.lua.

local M = {}

function M.on_quote()
  local here = debug.getinfo(1, "S").source:match "^@(.*/)" or ""
  package.path = here .. "?.lua;" .. package.path
  require "measure".hits "a handler"
end

return M

-- echo.lua: sends each message back to who sent it, but for an order that is said to come
-- again and did come before, since the session was logged on.

local fix = require "tw.fix"

local M = {}

function M:on_start() self.seen = {} end

function M:on_fix_event(session, event)
  if event == "logged_on" then self.seen[session] = {} end
end

function M:on_fix(message, session)
  local seen = self.seen[session] or {}
  self.seen[session] = seen
  if message.MsgType == "D" then
    local id = message:text "ClOrdID"
    if message.PossResend and seen[id] then return end
    seen[id] = true
  end
  local sent, why = fix.send(session, message, { PossResend = message.PossResend })
  if not sent then print(why) end
end

return M

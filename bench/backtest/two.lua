-- two.lua: the same strategy twice, in one state.
local app = require "tw.app"
app.script "cross.lua"
app.script("cross.lua", { name = "other" })

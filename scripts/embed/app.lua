-- scripts/embed/app.lua: two scripts for a program of one's own, which pushes the quotes.
local app = require "tw.app"

app.tape { capacity = 65536 }
app.script("spread.lua")
app.script("alarm.lua")

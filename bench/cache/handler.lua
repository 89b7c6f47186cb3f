--- handler: what a hit costs a handler of a script on a worker.

local app = require "tw.app"

app.limits { time = 60 }
app.feed.synthetic { speed = 0, limit = 1 }
app.script "handler_script.lua"

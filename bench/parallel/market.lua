--- market: the same from a script on a worker, where no quotes flow.

local app = require "tw.app"

app.feed.synthetic { rate = 1, limit = 1 }
app.script "worker.lua"

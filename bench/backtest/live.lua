-- live.lua: the same quotes through the threads of a run.
local app = require "tw.app"
app.feed.csv { file = app.param("quotes", "") }
app.script "cross.lua"

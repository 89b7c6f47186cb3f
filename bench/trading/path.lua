--- path: how long an order takes from a script to the simulated exchange and back.
--
-- Two workers: one script trades, and says so to another.  Quotes of a file at full
-- speed, or, paced, FIX of a pipe at its own pace.

local app = require "tw.app"

local file, paced = app.param("quotes", ""), app.param("paced", false)
if paced then app.feed.fix { stdin = true } else app.feed.csv { file = file } end
app.script("trader.lua", { workers = { 0 }, params = { paced = paced } })
app.script("other.lua", { workers = { 1 } })

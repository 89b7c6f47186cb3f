-- tw.help: reading the comments, finding a topic, and the three forms.
local t = require "tw.test"

-- help with a bundle of our own instead of what is built in.
local function help_of(files)
  local kept = {}
  for _, name in ipairs { "tw.bundle", "tw.help" } do
    kept[name], package.loaded[name] = package.loaded[name], nil
  end
  local names = {}
  for name in pairs(files) do names[#names + 1] = name end
  table.sort(names)
  package.loaded["tw.bundle"] = {
    names = function() return names end,
    read = function(name) return files[name] end,
  }
  local help = require "tw.help"
  package.loaded["tw.bundle"] = kept["tw.bundle"]
  package.loaded["tw.help"] = kept["tw.help"]
  return help
end

local help = help_of {
  ["tw.moon"] = [==[
--- moon: pulls the water.
--
-- More about it.

local moon = {}

--- moon.pull(sea [, hours]) -> height | nil, message, code
-- Pulls <hard>.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises on land.  Units: hours in hours, height in metres.
function moon.pull() end

-- A comment that is no documentation.
local function phase() end

return moon
]==],
  ["tw.tug"] = [==[
--- tug: (internal) pulls ships.

--- tug.tow(ship)
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function tug.tow() end
]==],
  reference = [==[
/* ltide.c - tw.tide: comes and goes.
 *
 * Twice a day, as in
 *
 *     if `a` < b then
 *       ebb()
 */
/* [-0, +0, e]  Yields: no. */
static int check(lua_State *L)
/* tide.new(sea) -> tide
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int tide_new(lua_State *L)
/* tide[name] -> height
 * As `name` says.
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int tide_get(lua_State *L)
/* tide[name] = height
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int tide_set(lua_State *L)
/* tide.moon.wax() -> boolean
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int moon_wax(lua_State *L)
/* pool:drain() -> boolean
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int pool_drain(lua_State *L)
/* lother.c - waves as Lua sees them.
 */
/* wave:break_() -> foam
 * Yields: until it
 * breaks.  Blocks: no.  Thread: any.  Errors: none.  Units: none. */
static int wave_break(lua_State *L)
/* tw.wind(knots)
 * Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: knots. */
static int wind(lua_State *L)
/* tw.c - module tw: the weather. */
]==],
}

t.is(help.text("tw.moon.pull"), [[
moon.pull(sea [, hours]) -> height | nil, message, code
    Pulls <hard>.
    Yields: no.  Blocks: no.  Thread: any.
    Errors: raises on land.  Units: hours in hours, height in metres.
]], "a function: its heading and its comment")
t.is(help.text("moon.pull"), help.text("tw.moon.pull"), "found without the tw.")
t.is(help.text("pull"), help.text("tw.moon.pull"), "found by its name alone")

local page = help.text("tw.moon")
t.ok(page:find("^tw.moon %- pulls the water\n"), "a module: name and purpose first")
t.ok(page:find("More about it.", 1, true), "then what its file says")
t.ok(page:find(help.text("pull"), 1, true), "then every function")
t.ok(not page:find("no documentation", 1, true), "and nothing else")

page = help.text("tide")
t.ok(page:find("^tw.tide %- comes and goes\n\nTwice a day, as in\n\n    if `a` < b"),
     "a module in C: the file's header")
t.ok(page:find("tide.new(sea) -> tide\n", 1, true), "its functions")
t.ok(page:find("pool:drain() -> boolean\n", 1, true), "and those of its other types")
t.ok(help.text("tw.tide.pool:drain"):find("^pool:drain"), "a method by its full name")
t.ok(help.text("tide.moon.wax"):find("^tide.moon.wax"), "a function of a table in it")
t.ok(help.text("wave"):find("^wave %- waves as Lua sees them\n\nwave:break_"),
     "a file without a module's name: the heading says it")
t.is(help.text("tw"):match "^[^\n]*", "tw - the weather",
     "a file that adds to a module doesn't say what it is for")
t.ok(not help.text("tide"):find("[-0", 1, true), "comments of helpers stay out")

local list = help.text()
for _, topic in ipairs { "run", "test", "scripts", "tw.moon", "tw.tide", "wave" } do
  t.ok(list:find("\n  " .. topic .. " ", 1, true), "the list of topics has " .. topic)
end

t.ok(list:find "\nand those of tidewire itself: tw.tug\n", "what is internal: a name")
t.ok(help.text("tw.tug"):find "^tw.tug %- pulls ships\n", "and has a page")

local text, why = help.text("tw.mooon")
t.is(text, nil, "an unknown topic is an expected failure")
t.is(why, "no help on 'tw.mooon'; did you mean tw.moon?", "with the nearest topic")
t.is(select(2, help.text("pul")), "no help on 'pul'; did you mean tw.moon.pull?",
     "functions are near, too")
t.is(select(2, help.text("Metres")), "no help on 'Metres' alone; see tw.moon.pull",
     "a word of a text: where it stands")
t.is(select(2, help.text("zzzzzzzzzz")), "no help on 'zzzzzzzzzz'",
     "nothing near, nothing meant")

local html = help.html()
for _, part in ipairs { "Pulls &lt;hard&gt;.", "<b>Yields:</b>", 'id="tw.moon.pull"',
                        'href="#tw.tide"', 'id="command-run"', "light dark",
                        "<b>Of tidewire itself</b>\n<a href=\"#tw.tug\">",
                        "<pre>if `a` &lt; b then\n  ebb()</pre>",
                        "As <code>name</code> says." } do
  t.ok(html:find(part, 1, true), "the manual has " .. part)
end
local ids, times = {}, {}
for id in html:gmatch(' id="([^"]*)"') do ids[id] = (ids[id] or 0) + 1 end
for _, n in pairs(ids) do times[n] = true end
t.same(times, { true }, "no two elements have one id")
local nowhere = {}
for id in html:gmatch('href="#([^"]*)"') do
  if not ids[id] then nowhere[#nowhere + 1] = id end
end
t.same(nowhere, {}, "every link leads somewhere")
local open, closed = {}, {}
for tag in html:gmatch("<(%l%w*)[^>]*>") do open[tag] = (open[tag] or 0) + 1 end
for tag in html:gmatch("</(%l%w*)>") do closed[tag] = (closed[tag] or 0) + 1 end
open.meta = nil
t.same(closed, open, "every element is closed")
t.ok(not html:find("https?://"), "it needs nothing from elsewhere")

local man = help.man()
t.ok(man:find("^%.TH TIDEWIRE 1\n"), "the man page begins as one")
t.ok(man:find("\ntidewire run app.lua [\\-\\-workers N]", 1, true),
     "usage, dashes escaped")
t.ok(not man:find("\n%.%.%."), "no line of text is taken for a request")

-- The real thing, from outside.
local program = os.getenv("TIDEWIRE") or "build/tidewire"
local function shell(arguments)
  local p = assert(io.popen(program .. " help " .. arguments .. " 2>&1"))
  local out = p:read("a")
  return out, select(3, p:close())
end
local unnamed = {}
for id in shell("--html"):gmatch '<h3 id="([^"]*)"' do
  if id:find "%.%u" then unnamed[#unnamed + 1] = id end
end
t.same(unnamed, {}, "each function by its name: what only stdlib calls is left out")
local out, status = shell("tw.test.ok")
t.ok(out:find("^test%.ok%(holds, name%)"), "tidewire help tw.test.ok")
t.is(status, 0, "gives status 0")
out = shell("stat.mean")
t.ok(out:find("^stat%.mean%(%[x%]") and out:find "sum%(x%) / n" and out:find "Cost: .* ns"
     and out:find "Options: window=64" and out:find "Fields: value, count",
     "a statistic: formula, cost, options, fields")
for topic, head in pairs { ["tw.sweep.range"] = "tw.sweep.range([from",
                           ["tw.sweep_store"] = "tw.sweep_store - what sweeps keep" } do
  out = shell(topic)
  t.is(out:sub(1, #head), head, "tidewire help " .. topic)
end
t.ok(shell("tw.sweep"):find "\ntw%.sweep%.range%(", "where its module is described")
t.ok(shell(""):find "\n  tw%.sweep_store ", "what the guide names is in the list")
out = shell("stat.load")
t.ok(out:find "^stat%.load%(saved%)", "tidewire help stat.load")
out = shell("statistic:save")
t.ok(out:find "^statistic:save%(%)", "a method by the name of its type")
out = shell("statistics")
t.ok(out:find "\n  covariance%(x, y%) ", "the guide lists the statistics")
out, status = shell("tw.tset")
t.is(out, "tidewire: no help on 'tw.tset'; did you mean tw.test?\n",
     "one line when unknown")
t.is(status, 1, "and status 1")
out, status = shell("on_bar")
t.ok(out:find "^tidewire: no help on 'on_bar' alone; see scripts, quotes, trading, "
     and out:find " and %d+ more\n$", "a word of many pages: the first of them")
t.is(status, 1, "and status 1 there")
for words, page in pairs { ["moving average"] = "recipes", ["stop loss"] = "recipes",
                           ["Profit  factor"] = "performance",
                           ["post-only"] = "gateways", warmup = "recipes",
                           lot = "quotes", heatmap = "sweep", optimise = "recipes",
                           ["group commit"] = "record",
                           ["paper trading"] = "trading" } do
  t.ok(select(2, help.text(words)):find(" alone; see " .. page, 1, true),
       words .. ": words however they are joined, and parts of names")
end
out = shell "fok and zebras"
t.is(out, "tidewire: no help on 'fok and zebras'\n", "several words are one topic")

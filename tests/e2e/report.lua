--- report: pages of tw.report in a browser, opened from file://, without a network.
--
-- A page is given a script of the test's own that clicks and points, and writes what it
-- sees into the page; the browser prints the page as it is then.  Without Chromium, which
-- make installs on Debian alone, there is nothing to test here.

package.path = "tests/?.lua;" .. package.path
local t, apps = require "tw.test", require "apps"
local png, report, results = require "png", require "tw.report", require "results"

local browser
for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
  if not browser and os.execute("command -v " .. name .. " >/dev/null") then
    browser = name
  end
end
if not browser then
  t.skip "no Chromium is here (apt-get install chromium)"
  return t.done()
end

-- A file in a window of 800 x 1000 pixels.
local function browse(path, options)
  return apps.shell(("d=$(mktemp -d %s/profile.XXXX); timeout -k 5 120 %s --headless"
    .. " --no-sandbox --disable-gpu --disable-quic --no-first-run"
    .. " --disable-background-networking --disable-component-update --disable-sync"
    .. " --enable-logging=stderr --window-size=800,1000 --user-data-dir=$d %s"
    .. " file://%s; s=$?; rm -rf $d; exit $s"):format(apps.directory, browser,
      options, path))
end

-- A page of 800 x 1000 pixels that has a script before it and one after it; what the
-- browser said and printed, or false when it cannot run here.
local function opened(html, after, options)
  local before = [[<script>window.onerror = function (why) {
    document.documentElement.dataset.failed = why; };</script>]]
  html = html:gsub("<title>", function() return before .. "<title>" end, 1)
  html = html:gsub("</body>", function()
    return "<script>" .. after .. "</script></body>"
  end, 1)
  local path = apps.directory .. "/page.html"
  apps.put(path, html)
  return browse(path, (options or "") .. " --dump-dom")
end

local function quiet(run, name)
  local said = run.err:match "[^\n]*CONSOLE[^\n]*"
  local fine = t.ok(not said, name .. ": no word on the console")
  fine = t.ok(not run.out:find("data-failed", 1, true), name .. ": no error") and fine
  fine = t.ok(run.out:find("</html>", 1, true), name .. ": whole") and fine
  if not fine then t.diag(said or run.out:match 'data%-failed="[^"]*"' or run.err) end
end

-- What the test's script wrote: a list.
local function seen(run) return run.out:match '<pre id="seen">(.-)</pre>' end

local WRITE <const> = [[
function say(text) { seen.textContent += text + "\n"; }
var seen = document.createElement("pre");
seen.id = "seen";
function texts(what) {
  return Array.from(document.querySelectorAll(what), function (x) {
    return x.textContent; });
}
function sorted(list, compare) {
  return list.every(function (x, i) { return i === 0 || compare(list[i - 1], x); });
}
function number(text) { return parseFloat(text.replace("\u2212", "-").replace(",", "")); }
]]

local html = report.html(results.make { days = 900 })
local first = opened(html, "")
if first.status ~= 0 and first.out == "" then
  t.skip("the browser does not start here: " .. (first.err:match "[^\n]*" or ""))
  return t.done()
end
quiet(first, "a run")

local run = opened(html, WRITE .. [[
var pnl = "#trades td:nth-child(8)";
var head = document.querySelector("#trades th:nth-child(8)");
var before = texts(pnl).sort().join();
say(sorted(texts(pnl).map(number), function (a, b) { return a >= b; }));
head.firstChild.click();
say(head.getAttribute("aria-sort"));
say(sorted(texts(pnl).map(number), function (a, b) { return a >= b; }));
head.firstChild.click();
say(head.getAttribute("aria-sort"));
say(sorted(texts(pnl).map(number), function (a, b) { return a <= b; }));
say(texts(pnl).sort().join() === before);
var exit = document.querySelector("#trades th:nth-child(4)");
exit.firstChild.click();
say(exit.getAttribute("aria-sort") + " " + head.hasAttribute("aria-sort"));
say(sorted(texts("#trades td:nth-child(4)"), function (a, b) { return a <= b; }));
var ground = function () { return getComputedStyle(document.body).backgroundColor; };
var theme = document.getElementById("theme");
say(theme.hidden + " " + theme.textContent + " " + ground());
theme.click();
say(theme.textContent + " " + ground());
theme.click();
say(theme.textContent + " " + ground());
var chart = document.querySelector("svg.chart"), box = chart.getBoundingClientRect();
say(box.width > 500 && box.height === 280);
chart.dispatchEvent(new PointerEvent("pointermove", { clientX: box.right }));
say(chart.parentNode.querySelector("output").textContent);
say(document.documentElement.scrollWidth <= innerWidth);
document.body.appendChild(seen);
]])
quiet(run, "clicked")
local result = results.make { days = 900 }
local last = ("%.0f"):format(result.final):gsub("^(%d+)(%d%d%d)", "%1,%2")
t.is(seen(run), table.concat({ "false", "descending", "true", "ascending", "true", "true",
  "ascending false", "true", "false Dark rgb(255, 255, 255)",
  "Light rgb(17, 21, 27)", "Dark rgb(255, 255, 255)", "true",
  os.date("!%Y-%m-%d", result.to // 1000000000) .. "  equity " .. last, "true", "" },
  "\n"), "sorting, the theme, a value under the pointer")

run = opened(html, WRITE .. [[
var theme = document.getElementById("theme");
say(theme.textContent + " " + getComputedStyle(document.body).backgroundColor);
document.body.appendChild(seen);
]], "--blink-settings=preferredColorScheme=0")
t.is(seen(run), "Light rgb(17, 21, 27)\n", "dark where the system is")

run = opened(report.html(results.sweep(), { by = "max_drawdown" }), WRITE .. [[
var frame = document.querySelector("figure.axes").getBoundingClientRect();
say(Array.from(document.querySelectorAll(".axes text"), function (text) {
  var box = text.getBoundingClientRect();
  return box.left >= frame.left && box.right <= frame.right;
}).join());
document.body.appendChild(seen);
]])
t.ok((seen(run) or ""):find "^[true,]+\n$", "all names of axes are within their picture")

run = opened(report.html(results.sweep()), WRITE .. [[
var select = document.querySelector("select");
function shown() {
  return Array.from(document.querySelectorAll("[data-of=map]"), function (map) {
    return map.hidden ? "-" : map.querySelector("th").textContent;
  }).join();
}
say(shown());
select.value = "3";
select.onchange();
say(shown());
var down = document.querySelector("#runs th:nth-child(7)");
say(down.textContent);
down.firstChild.click();
say(texts("#runs td:nth-child(7)").slice(-1));
document.body.appendChild(seen);
]])
quiet(run, "a sweep")
t.is(seen(run), "slow ↓ fast →,-,-\n-,-,stop ↓ slow →\nMax drawdown\n–\n",
     "choosing a map; what is missing is last")

local piece = results.make { days = 300 }
piece.handled = 300
local walk = require "tw.sweep_walk".join { piece }
walk.windows, walk.by, walk.sweep = {}, "sharpe", results.sweep()
for i = 1, 3 do
  local from = 1092960000 * 1000000000 + i * 8640000000000000
  walk.windows[i] = { train_from = from, test_from = from + 8640000000000000,
    test_to = from + 17280000000000000, params = { fast = i }, train = 4 - i, test = i }
end
run = opened(report.html(walk), WRITE .. [[
var head = document.querySelector("#windows th:nth-child(5)");
say(head.textContent + " " + texts("#windows td:nth-child(5)").join());
head.firstChild.click();
head.firstChild.click();
say(texts("#windows td:nth-child(4)").join());
say(document.querySelectorAll("#runs, #trades, [data-of=map]").length);
document.body.appendChild(seen);
]])
quiet(run, "a walk-forward")
t.is(seen(run), "trained 3.000,2.000,1.000\n3,2,1\n5\n", "its windows, sorted")

local EVIL <const> = "</script><script>evil()</script><img src=x onerror='evil()'>"
local bad = results.make { name = EVIL, symbol = EVIL, params = { [EVIL] = EVIL } }
quiet(opened(report.html(bad, { title = EVIL }), ""), "names that would be markup")
quiet(opened(report.html {}, ""), "nothing")
for n = 1, 2 do
  quiet(opened(report.html(results.make { days = n }), ""), "days: " .. n)
end

-- ---- the page as it is, seen ----

local page = apps.directory .. "/seen.html"
apps.put(page, html)
for _, look in ipairs { "light", "dark" } do
  local shot = ("%s/%s.png"):format(apps.directory, look)
  local name = "a screenshot, " .. look
  run = browse(page, ("--screenshot=%s %s"):format(shot,
    look == "dark" and "--blink-settings=preferredColorScheme=0" or ""))
  t.ok(run.status == 0 and not run.err:find "CONSOLE", name .. ": no word on the console")
  local fine, picture, why = pcall(png.read, shot)
  picture = fine and picture or { why = why or picture }
  if not t.ok(picture.width == 800 and (picture.colours or 0) > 100,
              ("%s: %s colours"):format(name, picture.colours)) then
    t.diag((picture.why or "") .. run.err)
  end
  t.is(picture.ground and ("%06x"):format(picture.ground),
       look == "dark" and "11151b" or "ffffff", name .. ": its ground")
end

-- Whatever a page might ask for, its policy refuses; the console says so.
run = opened(html, "document.body.appendChild(new Image()).src = 'file:///x.png';")
t.ok(run.err:find "CONSOLE[^\n]*Content Security Policy", "nothing is loaded")

t.done()

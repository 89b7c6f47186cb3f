--- report_page: (internal) the HTML around the charts of tw.report.
--
-- Everything is in the one file, and its policy forbids all that would come from
-- elsewhere.  Blue is gain and orange loss, which the colour-blind tell apart too, and a
-- sign says it beside the colour.

local svg = require "tw.report_svg"

local page = {}

local ROWS <const> = 1000          -- that a table shows
local escape = svg.escape

local LIGHT = "--ground:#fff;--raised:#f6f8fa;--ink:#1a2230;--soft:#5a6675;"
  .. "--line:#e2e7ec;--faint:#b4bdc8;--gain:30 98 160;--loss:190 82 22;"
local DARK = "--ground:#11151b;--raised:#1a2029;--ink:#e4e8ee;--soft:#9aa6b5;"
  .. "--line:#29313c;--faint:#566273;--gain:112 178 236;--loss:240 156 92;"

local STYLE = ":root{color-scheme:light;" .. LIGHT .. "}" .. [[

@media screen and (prefers-color-scheme:dark){
:root:not([data-theme=light]){color-scheme:dark;]] .. DARK .. [[}}
@media screen{:root[data-theme=dark]{color-scheme:dark;]] .. DARK .. [[}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1120px;padding:28px 24px 40px;background:var(--ground);
color:var(--ink);font:14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums lining-nums}
h1{font-size:26px;line-height:1.2;font-weight:600;letter-spacing:-.01em;margin:0 0 6px;
overflow-wrap:anywhere}
h2{font-size:15px;font-weight:600;margin:0 0 10px}
h2 small{font-weight:400;font-size:13px;color:var(--soft);margin-left:8px}
h3{font-size:13px;font-weight:600;margin:0 0 4px}
p{margin:0 0 6px}
header{position:relative;padding-right:84px;margin-bottom:22px}
header p,.none,.more,footer{color:var(--soft);overflow-wrap:anywhere}
header b{font-weight:600;color:var(--ink)}
header span{display:inline-block;margin-right:14px}
#theme{position:absolute;top:0;right:0;font:inherit;font-size:12px;color:var(--soft);
background:none;border:1px solid var(--line);border-radius:6px;padding:3px 10px;
cursor:pointer}
#theme:hover{color:var(--ink);border-color:var(--faint)}
section{margin:0 0 34px;min-width:0}
.tiles{display:flex;flex-wrap:wrap;
gap:1px;background:var(--line);border:1px solid var(--line);border-radius:8px;
overflow:hidden;margin:0 0 34px}
.tiles div{flex:1 1 94px;background:var(--ground);padding:10px 12px}
.tiles dt{font-size:12px;color:var(--soft)}
.tiles dd{margin:0;font-size:20px;font-weight:600;letter-spacing:-.01em;
white-space:nowrap}
.two{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 40px}
.three{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:24px 40px}
figure{margin:0;padding:4px 4px 24px 52px;position:relative;break-inside:avoid}
figure.flush{padding-bottom:4px}
figure.flush+figure{padding-top:12px}
figure.axes{padding:34px 60px 26px 4px}
.chart .name{fill:var(--ink);font-weight:600}
.chart{display:block;width:100%;overflow:visible}
.chart svg{overflow:visible}
.chart text{font-size:11px;fill:var(--soft)}
.chart .y{text-anchor:end}.chart .x{text-anchor:middle}
.chart line.grid{stroke:var(--line)}
.chart line.zero{stroke:var(--faint)}
.chart line.note{stroke:var(--soft);stroke-dasharray:2 3}
.chart line.cursor{stroke:var(--faint)}
.chart path,.chart svg rect{vector-effect:non-scaling-stroke}
path.line{fill:none;stroke:rgb(var(--gain));stroke-width:1.6;stroke-linejoin:round}
path.price{stroke:var(--soft);stroke-width:1.2}
path.gain.area{fill:rgb(var(--gain)/.16)}path.loss.area{fill:rgb(var(--loss)/.22)}
path.loss.line{stroke:rgb(var(--loss));stroke-width:1.2}
path.gain.held{fill:rgb(var(--gain)/.5)}path.loss.held{fill:rgb(var(--loss)/.5)}
path.won{fill:none;stroke:rgb(var(--gain));stroke-width:1.2}
path.lost{fill:none;stroke:rgb(var(--loss));stroke-width:1.2}
path.run{fill:none;stroke:var(--faint);stroke-opacity:.45}
path.run-top{fill:none;stroke:rgb(var(--gain)/.55)}
path.run-winner{fill:none;stroke:rgb(var(--loss));stroke-width:2.4}
path.scale{fill:none;stroke:var(--soft)}
rect.gain{fill:rgb(var(--gain)/.75)}rect.loss{fill:rgb(var(--loss)/.75)}
rect.band{fill:rgb(var(--loss)/.08)}
.symbols{position:absolute}
.mark{stroke:var(--ground);stroke-width:.8}
.mark.long{fill:rgb(var(--gain))}.mark.short{fill:rgb(var(--loss))}
.mark.out{fill:var(--ground);stroke:var(--ink);stroke-width:1.3}
.key{font-size:12px;color:var(--soft);margin:0 0 4px 52px}
.key span{margin-right:14px;white-space:nowrap}
.key svg{display:inline-block;width:14px;height:12px;vertical-align:-2px;
overflow:visible;margin-right:3px}
output{position:absolute;top:-16px;right:4px;font-size:12px;color:var(--ink);
background:var(--ground);padding:0 4px;pointer-events:none}
.scroll{overflow-x:auto;max-width:100%}
.tall{max-height:560px;overflow:auto}
table{border-collapse:collapse;width:100%;font-size:13px}
th,td{text-align:right;padding:4px 10px;white-space:nowrap;
border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:2px}
th:last-child,td:last-child{padding-right:2px}
th{font-weight:500;color:var(--soft);font-size:12px;vertical-align:bottom}
.l{text-align:left}
td.text{white-space:normal;text-align:left;overflow-wrap:break-word;max-width:24em}
td.loss{color:rgb(var(--loss))}
.tall thead th{position:sticky;top:0;background:var(--ground);z-index:1;
box-shadow:inset 0 -1px var(--line);border-bottom:0}
th button{all:unset;cursor:pointer}
th button:hover{color:var(--ink)}
th button:focus-visible{outline:2px solid rgb(var(--gain));outline-offset:2px}
th[aria-sort] button{color:var(--ink)}
th[aria-sort=ascending] button::after{content:" ▲";font-size:9px}
th[aria-sort=descending] button::after{content:" ▼";font-size:9px}
tbody tr:hover td{background:var(--raised)}
table.pairs td:first-child{text-align:left;color:var(--soft)}
table.pairs th:first-child{text-align:left}
[title]{text-decoration:underline dotted var(--faint);text-underline-offset:3px;
cursor:help}
table.heat{table-layout:fixed;min-width:640px}
table.heat td,table.heat th{padding:4px 2px;text-align:center;border:0;
border:2px solid var(--ground)}
table.heat th:first-child{text-align:left;width:44px;position:sticky;left:0;
background:var(--ground)}
table.heat td.sum{font-weight:600}
table.heat tr:hover td:not(.g):not(.s){background:none}
table.grid{width:auto;min-width:0;table-layout:auto}
table.grid td{min-width:44px;padding:7px 6px;text-decoration:none;cursor:default}
table.grid th{text-align:center;padding:4px 6px}
table.grid th:first-child{width:auto;text-align:right;padding-right:8px}
table.heat tbody th{vertical-align:middle}
table.dense td{min-width:14px;width:22px;height:18px;padding:0}
td.g,tr:hover td.g{background:rgb(var(--gain)/var(--a))}
td.s,tr:hover td.s{background:rgb(var(--loss)/var(--a))}
td.top{outline:2px solid var(--ink);outline-offset:-2px}
select{font:inherit;font-size:13px;color:var(--ink);background:var(--ground);
border:1px solid var(--line);border-radius:6px;padding:2px 6px;margin-left:6px}
details{margin:0 0 14px}
summary{cursor:pointer;font-weight:600;font-size:15px;margin-bottom:8px}
summary small{font-weight:400;font-size:13px;color:var(--soft);margin-left:8px}
pre{font:12px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:
pre-wrap;overflow-wrap:anywhere;margin:0 0 10px;color:var(--soft)}
footer{font-size:12px;border-top:1px solid var(--line);padding-top:10px}
@media screen and (max-width:760px){
body{padding:18px 14px 28px}
h1{font-size:21px}
.two,.three{grid-template-columns:minmax(0,1fr)}
.tiles dd{font-size:17px}.tiles div{flex-basis:30%;padding:8px 10px}
.minor{display:none}
figure{padding-left:44px}.key{margin-left:44px}
th,td{padding:4px 7px}
table.heat.months{font-size:11px;min-width:540px}
}
@media print{
@page{margin:14mm}
body{padding:0;max-width:none;font-size:11px}
table,.tiles dt{font-size:10px}.tiles dd{font-size:15px}
th,td{padding:3px 5px}th{font-size:10px}
table.heat{min-width:0}
.tiles div{flex-basis:16%}.three{gap:16px 20px}.two{gap:0 20px}
#theme,select{display:none}
.tall{max-height:none}.scroll,.tall{overflow:visible}
section.whole,figure,tr{break-inside:avoid}
h2{break-after:avoid}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
]]

-- Sorting: numbers as numbers, texts as texts, what is missing last.
local SCRIPT = [[
"use strict";
(function () {
  var root = document.documentElement, theme = document.getElementById("theme");
  var night = matchMedia("(prefers-color-scheme: dark)");
  function all(what, f) { document.querySelectorAll(what).forEach(f); }
  function dark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : night.matches;
  }
  function label() { theme.textContent = dark() ? "Light" : "Dark"; }
  theme.hidden = false;
  theme.onclick = function () {
    root.dataset.theme = dark() ? "light" : "dark";
    label();
  };
  night.addEventListener("change", label);
  label();

  function key(row, i) {
    var cell = row.cells[i], text = cell ? cell.textContent.trim() : "";
    if (text === "" || text === "\u2013") return null;
    var plain = text.replace(/\u2212/g, "-").replace(/,/g, "").replace(/(%| d)$/, "");
    return /^-?[\d.]+(e[-+]?\d+)?$/.test(plain) ? parseFloat(plain) : text;
  }
  function compare(a, b, way) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return (a < b ? -1 : a > b ? 1 : 0) * way;
  }
  all("table.sort", function (table) {
    var heads = table.tHead.rows[0].cells, body = table.tBodies[0];
    Array.prototype.forEach.call(heads, function (head, i) {
      var button = document.createElement("button");
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.onclick = function () {
        var up = head.getAttribute("aria-sort") === "descending" ||
                 !head.hasAttribute("aria-sort") && head.className === "l";
        Array.prototype.forEach.call(heads, function (h) {
          h.removeAttribute("aria-sort");
        });
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        Array.prototype.map.call(body.rows, function (row, n) {
          return { row: row, n: n, key: key(row, i) };
        }).sort(function (a, b) {
          return compare(a.key, b.key, up ? 1 : -1) || a.n - b.n;
        }).forEach(function (x) { body.appendChild(x.row); });
      };
    });
  });

  all("select[data-group]", function (select) {
    select.onchange = function () {
      all("[data-of=" + select.dataset.group + "]", function (one) {
        one.hidden = one.dataset.name !== select.value;
      });
    };
  });

  // With the digits that the drawing has: it tells 10,000 heights apart.
  function show(d, value, range) {
    var percent = d.kind === "percent", by = percent ? 100 : 1;
    var digits = Math.min(Math.max(-Math.ceil(Math.log10(range * by / 10000)), 0), 12);
    return (value * by).toLocaleString("en-US", { minimumFractionDigits: digits,
      maximumFractionDigits: digits }).replace("-", "\u2212") + (percent ? "%" : "");
  }
  all("svg[data-from]", function (chart) {
    var d = chart.dataset, path = chart.querySelector("path.main"), points, at, line;
    if (!path) return;
    var said = document.createElement("output");
    chart.parentNode.appendChild(said);
    chart.addEventListener("pointermove", function (event) {
      var box = chart.getBoundingClientRect();
      var x = (event.clientX - box.left) / box.width * 1000;
      points = points || path.getAttribute("d").split(/[MLh]/).slice(1).map(
        function (p) { return p.split(" ").map(Number); });
      at = points.reduce(function (best, p) {
        return Math.abs(p[0] - x) < Math.abs(best[0] - x) ? p : best;
      });
      if (!line) {
        line = document.createElementNS(chart.namespaceURI, "line");
        line.setAttribute("class", "cursor");
        line.setAttribute("y2", "100%");
        chart.appendChild(line);
      }
      line.setAttribute("x1", at[0] / 10 + "%");
      line.setAttribute("x2", at[0] / 10 + "%");
      var span = d.to - d.from, time = +d.from + at[0] / 1000 * span + span * 1e-5;
      var range = d.high - d.low, value = d.high - at[1] / 1000 * range;
      if (d.log === "1") {
        value = Math.exp(value);
        range *= value;
      }
      said.textContent = new Date(time * 1000).toISOString().replace("T", " ")
        .slice(0, span > 8640000 ? 10 : 16) + "  " + d.name + " " + show(d, value, range);
    });
    chart.addEventListener("pointerleave", function () {
      if (line) line.remove();
      line = null;
      said.textContent = "";
    });
  });
})();
]]

--- page.number(text) -> string
-- A number as it is set: with a true minus.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.number(text) return (text:gsub("^%-", "−")) end

--- page.section(title, body [, note [, class]]) -> string
-- body is markup; title and note are text.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.section(title, body, note, class)
  note = note and "<small>" .. escape(note) .. "</small>" or ""
  return ('<section%s>\n<h2>%s%s</h2>\n%s\n</section>\n'):format(
    class and ' class="' .. class .. '"' or "", escape(title), note, body)
end

--- page.figure(chart [, class]) -> string
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.figure(chart, class)
  return ('<figure%s>%s</figure>'):format(class and ' class="' .. class .. '"' or "",
                                          chart)
end

--- page.none(text) -> string
-- What stands where there is nothing to draw.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.none(text) return '<p class="none">' .. escape(text) .. "</p>" end

local function cell(value, column)
  local text, class = value, column.left and "l" or nil
  if type(value) == "table" then text, class = value[1], value[2] end
  text = escape(text == nil and "" or text)
  if not column.left then text = page.number(text) end
  return class and ('<td class="%s">%s'):format(class, text) or "<td>" .. text
end

--- page.table { columns, rows, … } -> string
-- columns: a list of { title, tip =, left = }; rows: lists of texts or of
-- { text, class }.  id, class; sort: by a click on a title; what: "trades", for a table
-- of more than 1,000 rows, which says how many there are (count, where that is not
-- #rows).  none: what stands in the place of no rows.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.table(o)
  if #o.rows == 0 and o.none then return page.none(o.none) end
  local out = {}
  local class = (o.class or "") .. (o.sort and " sort" or "")
  out[1] = ('<div class="scroll%s"><table%s class="%s"><thead><tr>'):format(
    #o.rows > 20 and " tall" or "", o.id and ' id="' .. o.id .. '"' or "",
    class:gsub("^ ", ""))
  for _, column in ipairs(o.columns) do
    local tip = column.tip and (' title="%s"'):format(escape(column.tip)) or ""
    out[#out + 1] = ('<th%s scope="col">%s</th>'):format(
      column.left and ' class="l"' or "",
      tip == "" and escape(column[1])
      or ('<span%s>%s</span>'):format(tip, escape(column[1])))
  end
  out[#out + 1] = "</tr></thead><tbody>"
  for i = 1, math.min(#o.rows, ROWS) do
    out[#out + 1] = "\n<tr>"
    for c, column in ipairs(o.columns) do out[#out + 1] = cell(o.rows[i][c], column) end
  end
  out[#out + 1] = "</tbody></table></div>"
  if #o.rows > ROWS then
    out[#out + 1] = ('<p class="more">The first 1,000 of %s %s.</p>'):format(
      o.count or #o.rows, escape(o.what or "rows"))
  end
  return table.concat(out)
end

--- page.details(title, note, body [, open]) -> string
-- What is folded away until somebody asks.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.details(title, note, body, open)
  return ("<section><details%s><summary>%s<small>%s</small></summary>\n%s</details>"
    .. "</section>\n"):format(open and " open" or "", escape(title), escape(note), body)
end

--- page.document(title, body) -> string
-- A whole page; body is markup.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function page.document(title, body)
  return table.concat { [[<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; ]],
    [[style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>]], escape(title), "</title>\n<style>\n", STYLE, "</style>\n</head>\n<body>\n",
    svg.SYMBOLS, "\n", body, "<script>\n", SCRIPT, "</script>\n</body>\n</html>\n" }
end

return page

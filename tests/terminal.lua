--- terminal: the prompt as somebody types into it, in a terminal that tmux makes.
--
--   local terminal = require "terminal"        -- without tmux the test ends, skipped
--   terminal.prompt()
--   terminal.enter "1 + 1"
--   terminal.shows("\n2\n>$", "a result")
--
-- Keys are sent, and the screen is looked at until it shows what it should; the time
-- only ends a test that fails.

local t = require "tw.test"
local apps = require "apps"

local terminal = {}

local PATIENCE = 60               -- seconds
local quote = apps.quote

if apps.shell("command -v tmux").status ~= 0 then
  t.skip "no tmux: nobody types here"
  t.done()
  os.exit(true, true)
end

local directory = apps.directory .. "/terminal"
os.execute("mkdir " .. directory)
local command = "env -u TMUX tmux -u -f /dev/null -S " .. directory .. "/socket"
-- For the server to stay.  Where there is none each look would take its whole time.
local begun = apps.shell(command .. " new-session -d -s keep cat")
if not t.is(begun.status, 0, "tmux begins") then
  t.diag(begun.err)
  t.done()
  os.exit(false, true)
end
setmetatable(terminal, { __gc = function()
  os.execute(command .. " kill-server 2>/dev/null")
end })

terminal.directory, terminal.history = directory, directory .. "/history"

--- Runs a command of tmux; what it wrote.
function terminal.tmux(words)
  local process = assert(io.popen(command .. " " .. words .. " 2>&1"))
  local text = process:read "a"
  process:close()
  return text
end
local tmux = terminal.tmux

--- What the terminal shows; with its colours when so wished.
function terminal.screen(colours)
  return (tmux("capture-pane -p -t t" .. (colours and " -e" or "")):gsub("%s+$", ""))
end

--- Waits until the screen has the pattern.
function terminal.shows(pattern, name, colours)
  local till, text = os.time() + PATIENCE, nil
  repeat
    text = terminal.screen(colours)
    if text:find(pattern) then return t.ok(true, name) end
    os.execute "sleep 0.05"
  until os.time() > till
  t.ok(false, name)
  t.diag("no " .. pattern .. " in\n" .. text)
end

function terminal.lacks(pattern, name)
  local text = terminal.screen()
  if not t.ok(not text:find(pattern), name) then t.diag(text) end
end

--- Types text; names of keys are in a list: { "C-c", "Up" }.
function terminal.keys(what)
  if type(what) == "table" then tmux("send-keys -t t " .. table.concat(what, " "))
  else tmux("send-keys -t t -l -- " .. quote(what)) end
end

function terminal.enter(text)
  terminal.keys(text)
  terminal.keys { "Enter" }
end

--- Starts the program in a new terminal; its end is shown as "status n".
-- environment: what stands before the program, variables or a command.
function terminal.start(words, environment, columns, lines)
  tmux "kill-session -t t"
  tmux(("new-session -d -s t -x %d -y %d %s"):format(columns or 80, lines or 24, quote(
    ("env TERM=tmux-256color HOME=%s TIDEWIRE_HISTORY=%s %s %s %s; "):format(
      directory, terminal.history, environment or "", apps.tidewire, words or "")
    .. "echo status $?; exec cat")))
end

function terminal.prompt(words, environment)
  terminal.start(words, environment)
  terminal.shows("\n>$", (words or "") .. ": a prompt")
end

--- Who prints meanwhile, or drops what was typed with Ctrl-C, is told again.
function terminal.clear()
  local till = os.time() + PATIENCE
  terminal.keys { "C-c", "C-l" }
  while not terminal.screen():find "^>$" and os.time() < till do
    os.execute "sleep 0.3"
    if not terminal.screen():find "^>$" then terminal.keys { "C-l" } end
  end
  terminal.shows("^>$", "a clear screen")
end

return terminal

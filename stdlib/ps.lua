--- ps: every task of every state, as a tree.

local core = require "tw.internal.task"

local Tree = {}

local function duration(seconds)
  if seconds < 1 then return ("%.0f ms"):format(seconds * 1e3) end
  if seconds < 60 then return ("%.1f s"):format(seconds) end
  return ("%d:%02d min"):format(seconds // 60, math.floor(seconds % 60))
end

function Tree:__tostring()
  local lines, width = {}, 0
  local function add(tasks, indent)
    for _, t in ipairs(tasks) do
      local what = t.state
      if t.state == "waiting" and t.waits_for ~= "" then
        what = "waits: " .. t.waits_for
      end
      lines[#lines + 1] = { indent .. t.name,
                            ("%-9s %-14s %s"):format(t.worker, what, duration(t.since)),
                            t.version and ("   version %d since record %d"):format(
                              t.version, t.record) or "" }
      width = math.max(width, #lines[#lines][1])
      add(t.children, indent .. "  ")
    end
  end
  add(self, "")
  for _, s in ipairs(self.sessions) do
    lines[#lines + 1] = { "fix " .. s.name, ("%-9s %-14s %s"):format("io", s.state,
      s.state == "up" and s.peer or s.enabled and s.why or "disabled"), "" }
    width = math.max(width, #lines[#lines][1])
  end
  for i, line in ipairs(lines) do
    lines[i] = line[1] .. (" "):rep(width - #line[1] + 2) .. line[2] .. line[3]
  end
  return table.concat(lines, "\n")
end

--- tw.ps() -> list
-- All tasks, those that spawned others with a list of these, `children`; tostring, and
-- so print, draws the tree.  Each is {id, parent, name, worker, script, state, waits_for,
-- since, children}: scripts have their name, tasks and jobs file:line of their function;
-- state is "ready" (a script: reads the tape), "running", "waiting" (for what waits_for
-- names) or "done" (a script that has stopped or failed).  A script has its version, too,
-- and record, the number of the record from which on it runs.  The list's field sessions
-- has the FIX sessions of the run, as fix.status; they come last where it is drawn.
-- Yields: no.  Blocks: tasks that begin or end wait while it is copied.
-- Thread: any state's.  Errors: none.  Units: since in seconds.
return function()
  local list, by_id = core.list(), {}
  table.sort(list, function(a, b) return a.id < b.id end)
  for _, t in ipairs(list) do
    t.children = {}
    by_id[t.id] = t
  end
  local in_run, sessions = pcall(require "tw.internal.fix".status)
  local roots = setmetatable({ sessions = in_run and sessions or {} }, Tree)
  for _, t in ipairs(list) do
    local parent = by_id[t.parent]
    table.insert(parent and parent.children or roots, t)
  end
  return roots
end

--- stamped: a script of the fan-out workload that notes when it has handled a quote.

local tw = require "tw"

--- stamped(name) -> script
-- The script bench/fanout/NAME.lua with a clock behind its on_quote; on_stop
-- writes the stamps to DIR/NAME.bin and when quotes were received to DIR/received.bin.
-- Yields: no.  Blocks: on the disk, in on_stop.  Thread: the script's.
-- Errors: raises when a file is not there.  Units: nanoseconds since the epoch.
return function(name)
  local path = assert(package.searchpath("../fanout/" .. name, package.path, ""))
  local inner = dofile(path)
  local M = { on_start = inner.on_start }

  local fields = {}
  while debug.getlocal(inner.on_quote, #fields + 1) do
    fields[#fields + 1] = debug.getlocal(inner.on_quote, #fields + 1)
  end
  local list = table.concat(fields, ", ")
  local at, received = {}, {}
  M.on_quote = load(string.format([[
    local handle, now, at, came = ...
    return function(%s, received, %s)
      handle(%s)
      at[#at + 1] = now()
      came[#came + 1] = received
    end]], list, list:find("source_seq") and "_" or "source_seq", list))(
    inner.on_quote, tw.now, at, received)

  local function dump(self, file, values)
    local out <close> = assert(io.open(self.params.dir .. "/" .. file .. ".bin", "wb"))
    for _, value in ipairs(values) do out:write(string.pack("<i8", value)) end
  end

  function M:on_stop()
    dump(self, name, at)
    if name == "s1" then dump(self, "received", received) end
  end

  return M
end

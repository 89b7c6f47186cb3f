--- universe: the 1,000 symbols of the fan-out workload, as an app's instruments.

local universe = {}

--- universe.read(path) -> list
-- From lines `id,symbol,sector,weight`; symbol_id in a handler is id + 1.
-- Yields: no.  Blocks: on the disk.  Thread: the app file.
-- Errors: raises when the file can't be read.  Units: none.
function universe.read(path)
  local list = {}
  for line in io.lines(path) do
    local id, symbol, sector, weight = line:match("^(%d+),(%w+),(%d+),([%d.]+)")
    assert(id and tonumber(id) == #list, "universe: ids must be 0, 1, 2, ...: " .. line)
    list[#list + 1] = { symbol = symbol, sector = sector, weight = tonumber(weight) }
  end
  return list
end

return universe

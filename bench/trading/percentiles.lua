--- percentiles: what a script measured, in a line.

--- percentiles(name, values)
-- Prints the 50th and 99th percentile, the first tenth left out.
-- Yields: no.  Blocks: no.  Thread: the script's.  Errors: none.  Units: ns.
return function(name, values)
  local kept = table.move(values, #values // 10 + 1, #values, 1, {})
  table.sort(kept)
  local function at(p) return (kept[math.max(1, math.ceil(p * #kept))] or 0) / 1e3 end
  print(("%-40s %8d %9.2f %9.2f"):format(name, #kept, at(0.5), at(0.99)))
end

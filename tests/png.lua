--- png: the pixels of a picture that a browser made, to see that something is on it.
--
--   local picture = require "png".read(path)    -- { width, height, colours, ground }
--
-- colours: how many there are; ground: the one that most pixels have, 0xrrggbb.

local apps = require "apps"

local png = {}

-- What zlib has packed: gzip undoes it; that its own sum is missing, it says at the end.
local function inflate(data)
  local path = apps.directory .. "/pixels.gz"
  apps.put(path, "\31\139\8\0\0\0\0\0\0\255" .. data:sub(3, -5))
  return apps.shell("gzip -dc <" .. path).out
end

-- Of the bytes to the left, above and above that to the left: the nearest to their plane.
local function paeth(a, b, c)
  local p = a + b - c
  local to_a, to_b, to_c = math.abs(p - a), math.abs(p - b), math.abs(p - c)
  return to_a <= to_b and to_a <= to_c and a or to_b <= to_c and b or c
end

local FILTERS <const> = {
  [0] = function() return 0 end,
  function(a) return a end,
  function(_, b) return b end,
  function(a, b) return (a + b) // 2 end,
  paeth,
}

--- png.read(path) -> picture | nil, message
function png.read(path)
  local text = apps.read(path)
  if text:sub(1, 8) ~= "\137PNG\r\n\26\n" then return nil, "no PNG" end
  local width, height, depth, kind, _, _, laced = (">I4I4BBBBB"):unpack(text, 17)
  local step = ({ [2] = 3, [6] = 4 })[kind]
  if depth ~= 8 or not step or laced ~= 0 then return nil, "another kind of PNG" end
  local packed, at = {}, 9
  while at < #text do
    local size, name = (">I4c4"):unpack(text, at)
    if name == "IDAT" then packed[#packed + 1] = text:sub(at + 8, at + 7 + size) end
    at = at + 12 + size
  end
  local data, counts, colours = inflate(table.concat(packed)), {}, 0
  if #data ~= height * (width * step + 1) then return nil, "it is not whole" end
  local above, place = {}, 1
  for i = 1 - step, width * step do above[i] = 0 end
  for _ = 1, height do
    local filter, row = FILTERS[data:byte(place)], {}
    for i = 1 - step, 0 do row[i] = 0 end
    for i = 1, width * step do
      local guess = filter(row[i - step], above[i], above[i - step])
      row[i] = (data:byte(place + i) + guess) & 255
    end
    for i = 1, width * step, step do
      local colour = row[i] << 16 | row[i + 1] << 8 | row[i + 2]
      if not counts[colour] then colours = colours + 1 end
      counts[colour] = (counts[colour] or 0) + 1
    end
    above, place = row, place + width * step + 1
  end
  local ground
  for colour, n in pairs(counts) do
    if not ground or n > counts[ground] then ground = colour end
  end
  return { width = width, height = height, colours = colours, ground = ground }
end

return png

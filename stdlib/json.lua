--- json: values as JSON, and back: what is kept beside numbers in a file of results.

local inspect = require "tw.inspect"

local json = {}

local DEPTH <const> = 100

--- json.encode(value) -> string
-- As inspect.json, but each number is read again with the type that it had.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises for what has no form in JSON, for a cycle, and for two keys of one name.
-- Units: none.
function json.encode(value) return inspect.json(value, true) end

local function fail(at, what)
  error(("tw.json: %s expected at byte %d"):format(what, at), 0)
end

local PLAIN = { ["\\"] = "\\", ['"'] = '"', ["/"] = "/", b = "\b", f = "\f", n = "\n",
                r = "\r", t = "\t" }

-- The text that begins after the quote before `at`, and where it ends.
local function read_string(text, at)
  local parts = {}
  while true do
    local stop = text:find('[%c"\\]', at)
    local c = stop and text:sub(stop, stop)
    if c ~= '"' and c ~= "\\" then fail(stop or #text + 1, "the end of a text") end
    parts[#parts + 1] = text:sub(at, stop - 1)
    if c == '"' then return table.concat(parts), stop + 1 end
    local escape = text:sub(stop + 1, stop + 1)
    local code = escape == "u" and text:match("^%x%x%x%x", stop + 2)
    code = code and tonumber(code, 16)
    at = stop + (code and 6 or 2)
    local low = code and code >= 0xd800 and code < 0xdc00
                and text:match("^\\u([dD][c-fC-F]%x%x)", at)
    if low then                                   -- two halves of one character
      code = 0x10000 + (code - 0xd800) * 0x400 + tonumber(low, 16) - 0xdc00
      at = at + 6
    end
    parts[#parts + 1] = code and utf8.char(code) or PLAIN[escape]
                        or fail(stop + 1, "an escape")
  end
end

local read

-- What stands between brackets: item(at) reads one, and says where it ends.
local function read_items(text, at, close, item)
  at = text:match("^[ \t\r\n]*()", at)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    at = text:match("^[ \t\r\n]*()", item(at))
    local c = text:sub(at, at)
    if c == close then return at + 1 end
    if c ~= "," then fail(at, "'" .. close .. "' or ','") end
    at = text:match("^[ \t\r\n]*()", at + 1)
  end
end

function read(text, at, depth)
  at = text:match("^[ \t\r\n]*()", at)
  local c = text:sub(at, at)
  if c == '"' then return read_string(text, at + 1) end
  if c == "[" or c == "{" then
    if depth == DEPTH then fail(at, "the end of tables within tables") end
    local out, n = {}, 0
    return out, read_items(text, at + 1, c == "[" and "]" or "}", function(from)
      local key, value
      if c == "[" then
        n = n + 1
        key = n
      else
        if text:sub(from, from) ~= '"' then fail(from, "a name") end
        key, from = read_string(text, from + 1)
        from = text:match("^[ \t\r\n]*:()", from) or fail(from, "':'")
      end
      value, from = read(text, from, depth + 1)
      out[key] = value
      return from
    end)
  end
  local word = text:match("^%l+", at)
  if word == "null" then return nil, at + 4 end
  if word == "true" or word == "false" then return word == "true", at + #word end
  local digits = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
  local value = digits and tonumber(digits) or fail(at, "a value")
  return value, at + #digits
end

--- json.decode(text) -> value
-- Of any JSON; null is nil, a number with neither point nor exponent an integer.
-- Yields: no.  Blocks: no.  Thread: any.
-- Errors: raises when it is no JSON, and says at which byte.  Units: none.
function json.decode(text)
  local value, at = read(text, 1, 0)
  at = text:match("^[ \t\r\n]*()", at)
  if at <= #text then fail(at, "the end") end
  return value
end

return json

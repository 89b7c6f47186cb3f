--- paint: (internal) a Lua text in colours, while it is typed and when values are shown.
--
--   print(paint.coloured "local x = 'text'")     -- for a terminal

local paint = {}

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not "
             .. "or repeat return then true until while"):gmatch "%a+" do
  KEYWORDS[#KEYWORDS + 1] = word
  KEYWORDS[word] = true
end

-- Styles by number, as enum ltw_style has them, and how a terminal shows them.
local PLAIN, KEYWORD, STRING, NUMBER, COMMENT, NAME = 0, 1, 2, 3, 4, 5
local SGR = { [KEYWORD] = "\27[35m", [STRING] = "\27[32m", [NUMBER] = "\27[36m",
              [COMMENT] = "\27[90m", [NAME] = "\27[34m" }

-- Where the token that begins at i ends, and its style; open: it has no end yet.
local function token(text, i)
  local c = text:sub(i, i)
  local comment = text:find("^%-%-", i)
  local level = text:match(comment and "^%-%-%[(=*)%[" or "^%[(=*)%[", i)
  if level then
    local _, last = text:find("]" .. level .. "]", i, true)
    return last or #text, comment and COMMENT or STRING, not last
  elseif comment then
    return (text:find("\n", i, true) or #text + 1) - 1, COMMENT, true
  elseif c == '"' or c == "'" then
    local j = i + 1
    while j <= #text do
      local d = text:sub(j, j)
      if d == c then return j, STRING end
      if d == "\n" then return j - 1, STRING end
      j = j + (d == "\\" and 2 or 1)
    end
    return #text, STRING, true
  end
  local _, last = text:find("^[%a_][%w_]*", i)
  if last then return last, KEYWORDS[text:sub(i, last)] and KEYWORD or PLAIN end
  _, last = text:find("^0[xX][%x.]*", i)
  if not last then _, last = text:find("^%.?%d[%d.]*", i) end
  if last then
    local _, exponent = text:find("^[eEpP][+-]?%d*", last + 1)
    return exponent or last, NUMBER
  end
  return i, PLAIN
end

--- paint.styles(text) -> string
-- A digit for each byte of an entry: 0 plain, 1 a keyword, 2 a string, 3 a number, 4 a
-- comment, 5 a command of the prompt.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function paint.styles(text)
  local out, i = {}, 1
  local _, command = text:find "^%s*:%a*"
  if text:find "^%s*::" then command = nil end
  command = command or select(2, text:find "^%s*%?")
  if command then out[1], i = tostring(NAME):rep(command), command + 1 end
  while i <= #text do
    local last, style = token(text, i)
    out[#out + 1] = tostring(style):rep(last - i + 1)
    i = last + 1
  end
  return table.concat(out)
end

--- paint.coloured(text) -> string
-- With the sequences that a terminal takes for colours.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: none.
function paint.coloured(text)
  local out, i = {}, 1
  while i <= #text do
    local last, style = token(text, i)
    local part = text:sub(i, last)
    out[#out + 1] = SGR[style] and SGR[style] .. part .. "\27[m" or part
    i = last + 1
  end
  return table.concat(out)
end

--- paint.within(text) -> "string" or "comment", from | nil
-- What the end of a text is in the midst of, and where that begins.
-- Yields: no.  Blocks: no.  Thread: any.  Errors: none.  Units: from in bytes, from 1 on.
function paint.within(text)
  local i = 1
  while i <= #text do
    local last, style, open = token(text, i)
    if last >= #text and open then return style == STRING and "string" or "comment", i end
    i = last + 1
  end
end

--- paint.keywords: those of Lua, a list.
paint.keywords = KEYWORDS

return paint

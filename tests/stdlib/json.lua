--- json: what is encoded is decoded as it was; what is no JSON is an error.

local t = require "tw.test"
local json = require "tw.json"
local tw = require "tw"

local value = {
  whole = 3.0, integer = 3, third = 1 / 3, large = 1e300, tiny = 5e-324,
  least = math.mininteger,
  text = 'a "quote", a \\, a line\n, \0 and é', list = { 1, 2.5, { deep = { true } } },
  no = false, empty = {},
}
local got = json.decode(json.encode(value))
t.same(got, value, "there and back")
t.is(math.type(got.whole), "float", "a float that is whole stays one")
t.is(math.type(got.integer), "integer", "an integer, too")
t.is(math.type(got.large), "float", "and a large float")
t.same(json.decode(json.encode(tw.freeze(value))), value, "a frozen table")
t.is(json.encode { b = 1, a = 2.0 }, '{"a":2.0,"b":1}', "names are sorted")

t.same(json.decode ' { "a" : [ 1 , -2.5e3 , null , true ] , "b" : { } } ',
       { a = { 1, -2500.0, nil, true }, b = {} }, "spaces, null")
t.is(json.decode [["\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\"]],
     "é😀/\b\f\n\r\t\"\\", "escapes")

for text, what in pairs {
  [""] = "a value", ["{"] = "a name", ["[1"] = "'%]' or ','", ["[1,]"] = "a value",
  ["1 2"] = "the end", ['"a'] = "the end of a text", ['"\\x"'] = "an escape",
  ['"\\u12"'] = "an escape", ["{1:2}"] = "a name", ['{"a"}'] = "':'", ["tru"] = "a value",
  ["-"] = "a value", ["nan"] = "a value", ["1+2"] = "a value",
  [("["):rep(101)] = "the end of tables",
} do
  t.raises("tw.json: " .. what, json.decode, text)
end

-- Every prefix and every byte flipped is a value or an error of ours.
local text, wrong = json.encode(value), 0
for i = 1, #text do
  local flipped = text:sub(1, i - 1) .. string.char(text:byte(i) ~ 4) .. text:sub(i + 1)
  for _, damaged in ipairs { text:sub(1, i - 1), flipped } do
    local fine, why = pcall(json.decode, damaged)
    if not fine and not why:find "^tw.json: " then
      wrong = wrong + 1
      t.diag(why)
    end
  end
end
t.is(wrong, 0, "damaged texts")

t.done()

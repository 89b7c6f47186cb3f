-- zlib: compresses text with the C library of that name, which need not be built in.
--
--   $ tidewire scripts/ffi/zlib.lua

local ffi = require "ffi"

ffi.cdef [[
  unsigned long compressBound(unsigned long n);
  int compress2(uint8_t *to, unsigned long *n, const uint8_t *from, unsigned long m,
                int level);
  int uncompress(uint8_t *to, unsigned long *n, const uint8_t *from, unsigned long m);
]]
local zlib = ffi.load "libz.so.1"

local function compress(text)
  local n = ffi.new("unsigned long[1]", zlib.compressBound(#text))
  local to = ffi.new("uint8_t[?]", n[0])
  assert(zlib.compress2(to, n, text, #text, 9) == 0, "zlib: no memory")
  return ffi.string(to, n[0])
end

local function uncompress(packed, size)
  local n = ffi.new("unsigned long[1]", size)
  local to = ffi.new("uint8_t[?]", size)
  assert(zlib.uncompress(to, n, packed, #packed) == 0, "zlib: not compressed, or longer")
  return ffi.string(to, n[0])
end

local text = ("one quote is much like the next; "):rep(100)
local packed = compress(text)
assert(uncompress(packed, #text) == text)
print(("%d bytes become %d"):format(#text, #packed))

-- generate.lua N quotes.csv bars.csv: a random walk, the same each time.
local n = tonumber(arg[1])
local quotes, bars = assert(io.open(arg[2], "w")), assert(io.open(arg[3], "w"))
math.randomseed(7, 0)
quotes:write "time,symbol,bid,ask,bid_size,ask_size\n"
bars:write "time,symbol,open,high,low,close,volume\n"
local price = 10000
for i = 1, n do
  local open = price
  price = math.max(price + math.random(-3, 3), 100)
  quotes:write(("%d,AAPL,%.2f,%.2f,100,200\n"):format(1400000000000000000 + i * 100000000,
    price / 100, price / 100 + 0.01))
  bars:write(("%d,AAPL,%.2f,%.2f,%.2f,%.2f,100\n"):format(1000000000 + i * 60, open / 100,
    math.max(open, price) / 100 + 0.01, math.min(open, price) / 100 - 0.01, price / 100))
end

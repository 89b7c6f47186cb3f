--- depth: how much is bid and offered near the best prices, from the books of a feed.
--
-- A book is what its script has read so far; on_book is called when an update is whole.

local M = {}

M.levels = 3            -- of each side that count

local function near(book, side)
  local sum = 0
  for i = 1, M.levels do
    local _, size = book[side](book, i)
    sum = sum + (size or 0)
  end
  return sum
end

function M:on_start()
  self.updates, self.deepest, self.pressure = 0, 0, 0
end

function M:on_book(book)
  local bid, ask = near(book, "bid"), near(book, "ask")
  self.updates = self.updates + 1
  self.deepest = math.max(self.deepest, book.bids, book.asks)
  if bid + ask > 0 then self.pressure = self.pressure + (bid - ask) / (bid + ask) end
end

function M:on_stop()
  print(("%d updates of books, up to %d levels; pressure %+.2f"):format(self.updates,
        self.deepest, self.pressure / math.max(1, self.updates)))
end

return M

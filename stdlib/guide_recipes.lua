--- guide_recipes: the page of help that shows what strategies often need.
--
-- A list as that of tw.guide, which has it, too.  tests/stdlib/recipes.lua runs it: each
-- part that has a handler is a script.

return { {
  name = "recipes",
  purpose = "what strategies often need, in a few lines each",
  text = [[
Each stands between `local M = {}` and `return M`; ta is require "tw.ta".

Bars of quotes, an indicator for each symbol, and a bracket around what is bought:

  function M:on_start()
    self.atr, self.rsi = ta.by_symbol(ta.atr, 14), ta.by_symbol(ta.rsi, 14)
    self:bars { every = "1m", of = "mid" }
  end

  function M:on_bar(symbol, bar, close)
    local atr, rsi = self.atr[symbol]:push(bar), self.rsi[symbol]:push(close)
    if atr and rsi and rsi < 30 and self:position(symbol) == 0 then
      self:buy { symbol = symbol, quantity = 10, stop_loss = close - 2 * atr,
                 take_profit = close + 3 * atr }
    end
  end

An exit that trails what was bought: it is sent when there is something to sell, as one
that only reduces is rejected before that.

  function M:on_bar(symbol)
    if self:position(symbol) == 0 then self:buy(symbol, 10) end
  end

  function M:on_fill(symbol, side, price, quantity)
    if side == "buy" then
      self:sell { symbol = symbol, quantity = quantity, trail = 0.02 * price,
                  reduce_only = true }
    end
  end

Rebalance once a month, in equal parts; what is sold is asked for first.  A bar's time is
its end: time - 1 is in it.

  function M:on_start() self.symbols, self.known = {}, {} end

  function M:on_bar(symbol, time)
    if not self.known[symbol] then table.insert(self.symbols, symbol) end
    self.known[symbol] = true
    local month = os.date("!%Y-%m", (time - 1) // 1000000000)
    self.month = self.month or month            -- in the first one not all are known
    if month == self.month then return end
    self.month = month
    local part, later = 0.95 / #self.symbols, {}
    for _, name in ipairs(self.symbols) do
      local much = self.account:position(name).value > part * self.account.equity
      if much then self:order_target_percent(name, part)
      else table.insert(later, name) end
    end
    for _, name in ipairs(later) do self:order_target_percent(name, part) end
  end

Two symbols at a time: of bars that end together the last that comes has both.

  function M:on_start() self.last = { A = {}, B = {} } end

  function M:on_bar(symbol, close, time)
    self.last[symbol] = { close = close, time = time }
    local a, b = self.last.A, self.last.B
    if a.time ~= b.time then return end
    self:order_target("A", a.close < b.close and 10 or -10)
    self:order_target("B", a.close < b.close and -10 or 10)
  end

The hours of a market, as app.calendar has them: what broke out of the first half hour,
and nothing overnight.

  function M:on_start() self.of = {} end

  function M:on_bar(symbol, high, low, close, time)
    local minute <const> = 60 * 1000000000
    local open, ends = self:session(symbol, time - 1)
    if time <= open then return end                       -- before the opening
    local day = self.of[symbol]
    if not day or day.open ~= open then
      day = { open = open, high = high, low = low }
      self.of[symbol] = day
    end
    if time <= open + 30 * minute then
      day.high, day.low = math.max(day.high, high), math.min(day.low, low)
    elseif time >= ends - 10 * minute then
      self:flatten()
    elseif close > day.high and not day.sent then
      day.sent = true
      self:buy { symbol = symbol, quantity = 10, tif = "day" }
    end
  end

What else is said in the app file, which a backtest reads, too:

  app.calendar("nyse", { zone = "America/New_York", open = "09:30", close = "16:00",
                         days = "mon-fri" })
  app.instruments { { symbol = "A", lot_size = 1, calendar = "nyse" } }

Without a lot_size order_target_percent buys fractions, of nine decimals.

What it is elsewhere, and here

  next, OnData, on_bar, handle_data     on_bar, on_quote, on_trade
  notify_order, OnOrderEvent            on_order, and on_fill for each trade
  SetHoldings(s, 0.5)                   self:order_target_percent(s, 0.5): 1 is all
  Liquidate                             self:flatten(), self:close(s)
  consolidators, resampledata           self:bars { every = "5m", of = "mid" }
  SetWarmUp, minimum periods            warmup of tw.strategy; an indicator is nil before
  Schedule.On, timers                   app.feed.timer and on_timer
  data.close[-1]                        what a script keeps in self, or tw.stat's lag
  moving averages, other indicators     ta.sma, ta.ema, ...: tidewire help tw.ta
  linear regression, hedge ratio        stat.slope(60): push(y, x); value, intercept, r2
  commission schemes, slippage models   app.account, or account in the script's table
  leverage                              margin of app.instruments
  timezone of the data, of the market   --csv zone=America/New_York; app.calendar
  MOC, LOC; MOO, LOO                    type "market", "limit" with tif "cls"; "opg"
  runstrats, optimize, walk-forward     tidewire sweep, with --walk
]],
} }

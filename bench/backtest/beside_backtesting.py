"""The cross of minute.lua in backtesting.py: FILE.  Reading the file is not counted."""
import sys
import time

import pandas
from backtesting import Backtest, Strategy
from backtesting.lib import crossover


class Cross(Strategy):
    def init(self):
        close = pandas.Series(self.data.Close)
        self.fast = self.I(lambda: close.rolling(10).mean())
        self.slow = self.I(lambda: close.rolling(30).mean())
        self.orders_sent = 0

    def next(self):
        if crossover(self.fast, self.slow) and not self.position:
            self.buy(size=1)
            self.orders_sent += 1
        elif crossover(self.slow, self.fast) and self.position:
            self.position.close()
            self.orders_sent += 1


bars = pandas.read_csv(sys.argv[1])
bars.index = pandas.to_datetime(bars['Date'] + ' ' + bars['Time'])
best = 0
for _ in range(3):
    run = Backtest(bars, Cross, cash=1e6)
    began = time.process_time()
    result = run.run()
    best = max(best, len(bars) / (time.process_time() - began))
print('%d bars, %d orders: %.0f bars/s'
      % (len(bars), result._strategy.orders_sent, best))

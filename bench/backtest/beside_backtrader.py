"""The cross of minute.lua in backtrader: FILE."""
import sys
import time

import backtrader as bt


class Cross(bt.Strategy):
    def __init__(self):
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=10), bt.ind.SMA(period=30))
        self.orders_sent = 0

    def next(self):
        if self.cross > 0 and not self.position:
            self.buy(size=1)
            self.orders_sent += 1
        elif self.cross < 0 and self.position:
            self.close()
            self.orders_sent += 1


best = 0
for _ in range(3):
    cerebro = bt.Cerebro()
    cerebro.broker.setcash(1e6)
    cerebro.adddata(bt.feeds.GenericCSVData(
        dataname=sys.argv[1], dtformat='%Y-%m-%d', tmformat='%H:%M:%S', datetime=0,
        time=1, open=2, high=3, low=4, close=5, volume=6, openinterest=7,
        timeframe=bt.TimeFrame.Minutes))
    cerebro.addstrategy(Cross)
    began = time.process_time()
    strategy = cerebro.run()[0]
    best = max(best, len(strategy.data) / (time.process_time() - began))
print('%d bars, %d orders: %.0f bars/s'
      % (len(strategy.data), strategy.orders_sent, best))

"""The cross of minute.lua in a loop of plain Python, with no more than it needs: FILE.
The file is read each time; orders are filled at the next open."""
import csv
import sys
import time


def run(path):
    fast = slow = cash = held = orders = n = 0
    side = target = 0
    close = [0.0] * 30
    with open(path, newline='') as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            price, opens = float(row[5]), float(row[2])
            if target != held:
                cash -= (target - held) * opens
                held = target
            at = n % 30
            slow += price - close[at]
            fast += price - close[(n - 10) % 30]
            close[at] = price
            n += 1
            if n < 30:
                continue
            above = (fast * 3 > slow) - (fast * 3 < slow)
            if above and above != side:
                if side:
                    target = above > 0
                    orders += target != held
                side = above
    return n, orders


best = 0
for _ in range(9):
    began = time.process_time()
    bars, sent = run(sys.argv[1])
    best = max(best, bars / (time.process_time() - began))
print('%d bars, %d orders: %.0f bars/s' % (bars, sent, best))

"""herd: requests for one expensive value, by processes that cache each for itself."""
import functools
import multiprocessing
import os
import time

REQUESTS, SECONDS = 8, 0.1


@functools.lru_cache
def f(n):
    x = 0
    for i in range(n):
        x = (x * 31 + i) % 65521
    return x


def request(n):
    before = f.cache_info().misses
    f(n)
    return f.cache_info().misses - before


def main():
    turns, took = 100000, 0
    while took < SECONDS / 2:
        turns *= 2
        start = time.process_time()
        f.__wrapped__(turns)
        took = time.process_time() - start
    turns = int(turns * SECONDS / took)
    for processes in (2, 4, 8):
        pool = multiprocessing.Pool(processes)
        pool.map(request, range(processes), chunksize=1)  # they are warm
        before, start = os.times(), time.monotonic()
        evaluations = sum(pool.map(request, [turns] * REQUESTS, chunksize=1))
        wall = time.monotonic() - start
        pool.close()
        pool.join()
        after = os.times()
        cpu = sum(after[:4]) - sum(before[:4])
        print("%-42s %11d %9.0f %9.0f" % (
            "Python, lru_cache in %d processes" % processes, evaluations, wall * 1e3,
            cpu * 1e3))


if __name__ == "__main__":
    main()

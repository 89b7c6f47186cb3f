/* Guava - what the same costs in Guava's LoadingCache: hits, reads and writes, a herd. */
import com.google.common.cache.CacheBuilder;
import com.google.common.cache.CacheLoader;
import com.google.common.cache.LoadingCache;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

class Guava {
    static final int KEYS = 1024, OPERATIONS = 2000000, ROUNDS = 5, REQUESTS = 8;
    static long turns = 1000000;

    interface Work { void run(int seed) throws Exception; }

    static long on(int threads, Work work) throws Exception {
        Thread[] all = new Thread[threads];
        long start = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            int seed = i + 1;
            all[i] = new Thread(() -> {
                try {
                    work.run(seed);
                } catch (Exception e) {
                    throw new RuntimeException(e);
                }
            });
            all[i].start();
        }
        for (Thread t : all) t.join();
        return System.nanoTime() - start;
    }

    static void row(String what, int threads, Work work) throws Exception {
        double least = Double.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++)
            least = Math.min(least, (double) on(threads, work) / OPERATIONS / threads);
        System.out.printf("%-52s %8.1f ns%n", "Guava: " + what, least);
    }

    static void hits() throws Exception {
        String[] names = new String[KEYS];
        for (int i = 0; i < KEYS; i++) names[i] = "key " + i;
        LoadingCache<String, Integer> cache = CacheBuilder.newBuilder()
            .maximumSize(2 * KEYS).expireAfterWrite(60, TimeUnit.SECONDS)
            .build(CacheLoader.from(key -> key.length()));
        for (String name : names) cache.get(name);
        row("a hit, a time to live", 1, seed -> {
            for (int i = 0; i < OPERATIONS; i++) cache.get(names[7]);
        });
        for (int puts = 0; puts <= 10; puts += 10)
            for (int threads = 1; threads <= 2; threads++) {
                int of100 = puts;
                row((100 - puts) + " gets, " + puts + " puts, " + threads + " thread"
                    + (threads > 1 ? "s" : ""), threads, seed -> {
                    int x = seed;
                    for (int i = 0; i < OPERATIONS; i++) {
                        x = x * 1103515245 + 12345 & 0x7fffffff;
                        String name = names[(x >> 8) % KEYS];
                        if (i % 100 < of100) cache.put(name, i); else cache.get(name);
                    }
                });
            }
    }

    static long f(long n) {
        long x = 0;
        for (long i = 1; i <= n; i++) x = (x * 31 + i) % 65521;
        return x;
    }

    static void herd() throws Exception {
        var system = (com.sun.management.OperatingSystemMXBean)
            ManagementFactory.getOperatingSystemMXBean();
        long took = 0, sum = 0;
        for (int i = 0; i < 10; i++) {
            long start = System.nanoTime();
            sum += f(turns);
            took = System.nanoTime() - start;
        }
        turns = turns * 100000000L / took;
        AtomicInteger evaluations = new AtomicInteger();
        LoadingCache<Long, Long> cache = CacheBuilder.newBuilder()
            .build(CacheLoader.from(key -> {
                evaluations.incrementAndGet();
                return f(key);
            }));
        long cpu = system.getProcessCpuTime();
        long wall = on(REQUESTS, seed -> cache.get(turns));
        System.out.printf("%-42s %11d %9.0f %9.0f%n", "Guava, " + REQUESTS + " threads",
            evaluations.get(), wall / 1e6, (system.getProcessCpuTime() - cpu) / 1e6);
        if (sum < 0) throw new AssertionError();
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("hits")) hits(); else herd();
    }
}

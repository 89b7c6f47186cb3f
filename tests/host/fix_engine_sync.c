/* fix_engine_sync: attacks stores that are synced before anything goes out: what a peer
 * has read is on the disk, messages share a sync, and the loop does not wait for it.
 *
 * msync is ours: the disk has what it was told to write, and no more, and it is as slow
 * as a test wants. */
#include "fix_engine_rig.h"
#include "place.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

enum { DISK = 1 << 20, PAGE = 4096, OUTPUT = 256 << 10 };

/* All under the lock. */
static struct {
    char *bytes;                  /* of the only file that is mapped                */
    char *base;
    unsigned begun, done;         /* syncs of its head, which is the last part      */
    bool shut;                    /* they wait                                      */
    int error;                    /* they fail with it                              */
} disk;

/* Where the store is mapped that has this address. */
static char *base_of(const char *at)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[600], *base = NULL;
    void *from, *to;

    while (!base && fgets(line, sizeof line, maps))
        if (strstr(line, ".store") && sscanf(line, "%p-%p", &from, &to) == 2
            && at >= (char *)from && at < (char *)to)
            base = from;
    fclose(maps);
    return base;
}

/* What the owner of the store may write meanwhile, as the system reads it. */
__attribute__((no_sanitize("thread")))
static void copy(char *to, const void *at, size_t n)
{
    const volatile char *from = at;

    while (n-- > 0) *to++ = *from++;
}

int msync(void *at, size_t n, int flags)
{
    int rc = 0;

    (void)flags;
    pthread_mutex_lock(&lock);
    disk.base = base_of(at);
    if (at == disk.base && n == PAGE) {
        disk.begun++;
        pthread_cond_broadcast(&changed);
        while (disk.shut) pthread_cond_wait(&changed, &lock);
    }
    if (disk.error) {
        errno = disk.error;
        rc = -1;
    } else {
        copy(disk.bytes + ((char *)at - disk.base), at, n);
        if (at == disk.base && n == PAGE) disk.done++;
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

static void set_shut(bool shut)
{
    pthread_mutex_lock(&lock);
    disk.shut = shut;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static bool is_on_disk(const char *p, size_t n)
{
    bool found;

    pthread_mutex_lock(&lock);
    found = memmem(disk.bytes, DISK, p, n) != NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

/* ---- a peer ---- */

struct peer { int fd; char in[1 << 16]; size_t n, used; };

/* The next message; its bytes stand until the next call.  0: the connection ended. */
static size_t read_message(struct peer *p, const char **out)
{
    for (;;) {
        char *from = p->in + p->used;
        char *end = memmem(from, p->n - p->used, "\00110=", 4);
        ssize_t got;

        if (end && end + 8 <= p->in + p->n) {
            *out = from;
            p->used += (size_t)(end + 8 - from);
            return (size_t)(end + 8 - from);
        }
        memmove(p->in, from, p->n - p->used);
        p->n -= p->used;
        p->used = 0;
        got = recv(p->fd, p->in + p->n, sizeof p->in - p->n, 0);
        if (got <= 0) return 0;
        p->n += (size_t)got;
    }
}

static bool has(const char *p, size_t n, const char *field)
{
    return memmem(p, n, field, strlen(field)) != NULL;
}

static void send_order(struct peer *p, unsigned seq)
{
    char body[200];

    snprintf(body, sizeof body, "11=%u|21=1|55=AAPL|54=1|60=20240102-09:30:00.000|38=100|"
             "40=2|44=187.22|", seq);
    raw_send(p->fd, TW_FIX_44, "D", seq, "CLIENT", "SERVER", body);
}

static void await_received(struct tw_fix_link *l, uint64_t n)
{
    int64_t until = time(NULL) + PATIENCE_S;
    struct tw_fix_link_status s;

    do tw_fix_link_status(l, &s);
    while (s.session.received < n && time(NULL) < until && sched_yield() == 0);
}

struct sender { struct peer *peer; unsigned from, to; };

static void *send_all(void *arg)
{
    struct sender *s = arg;

    for (unsigned i = s->from; i <= s->to; i++) send_order(s->peer, i);
    return NULL;
}

/* ---- tests ---- */

/* Orders from..to come while the disk stands still: what is not answered waits in the
 * system.  How many were answered in the end. */
static unsigned flood(struct tw_fix_link *l, struct peer *peer, unsigned from,
                      unsigned to)
{
    int64_t until = time(NULL) + PATIENCE_S;
    struct sender s = { peer, from, to };
    struct tw_fix_link_status now;
    unsigned n = 0;
    pthread_t thread;
    const char *p;

    set_shut(true);
    pthread_create(&thread, NULL, send_all, &s);
    do tw_fix_link_status(l, &now);
    while (now.session.waiting <= OUTPUT / 2 && time(NULL) < until && sched_yield() == 0);
    set_shut(false);
    while (n < to - from + 1 && read_message(peer, &p) > 0) n++;
    pthread_join(thread, NULL);
    return n;
}

static void groups(void)
{
    char folder[PLACE], path[PLACE + 20], command[PLACE + 20];
    unsigned n = getenv("SMALL") ? 20 : 300, more = 2000, right = 0, stored = 0, syncs,
             gone;
    struct rig *g = rig_open();
    struct side a = { .echo = true }, m = { .echo = true }, b = {0};
    struct tw_fix_link_options o = server("a", &a), other = server("m", &m);
    struct tw_fix_link_options dials = client("b", &b);
    static struct peer peer;
    struct tw_fix_link *l, *lb;
    struct tw_fix_store *s;
    struct tw_error error;
    struct tw_fix_kept k;
    const char *p;
    size_t length;
    FILE *file;

    place_folder(folder);
    disk.bytes = calloc(1, DISK);
    o.store = folder;
    o.store_bytes = DISK - PAGE;
    o.sync = TW_FIX_SYNC_EACH;
    o.session.output_max = OUTPUT;
    other.session.sender = "OTHER";
    dials.session.target = "OTHER";
    o.door = other.door = rig_listen(g, &(struct tw_fix_door_options){0});
    l = rig_add(g, &o);
    rig_add(g, &other);
    rig_start(g);
    peer = (struct peer){ .fd = raw_connect(tw_fix_engine_port(g->e, o.door)) };
    set_shut(true);
    raw_send(peer.fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|");
    ok(await(&disk.begun, 1), "a Logon waits for the disk");
    lb = rig_dial(g, dials, tw_fix_engine_port(g->e, o.door));
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1) && send_orders(lb, 1, 1)
       && await(&b.messages, 1), "another session does not");
    for (unsigned i = 2; i <= n; i++) send_order(&peer, i);
    await_received(l, n);
    ok(recv(peer.fd, path, sizeof path, MSG_DONTWAIT) < 0 && errno == EAGAIN,
       "nothing has gone out, though %u messages are answered", n);
    set_shut(false);
    for (unsigned i = 1; i <= n && (length = read_message(&peer, &p)) > 0; i++) {
        right += has(p, length, i > 1 ? "\00135=D\001" : "\00135=A\001");
        stored += i == 1 || is_on_disk(p, length);
    }
    ok(right == n && stored == n, "each was on the disk when the peer had it (%u, %u)",
       right, stored);
    pthread_mutex_lock(&lock);
    syncs = disk.done;
    pthread_mutex_unlock(&lock);
    ok(syncs <= 3, "the first by one sync, the others by %u", syncs - 1);

    /* The machine stops: there is what the disk has. */
    snprintf(path, sizeof path, "%s/after", folder);
    file = fopen(path, "w");
    pthread_mutex_lock(&lock);
    if (fwrite(disk.bytes, 1, DISK, file) != DISK) abort();
    pthread_mutex_unlock(&lock);
    fclose(file);
    s = tw_fix_store_open(&(struct tw_fix_store_options){ .path = path }, &error);
    ok(s && error.code == TW_OK && tw_fix_store_numbers(s).next_out == n + 1
       && tw_fix_store_numbers(s).next_in >= n, "the disk has the numbers");
    for (unsigned i = 2; i <= n; i++)
        right += tw_fix_store_find(s, i, &k) && k.seq == i;
    ok(right == 2 * n - 1, "and each message, to be sent again");
    tw_fix_store_close(s);

    ok(flood(l, &peer, n + 1, n + more) == more, "a disk that is behind is waited for");
    pthread_mutex_lock(&lock);
    disk.error = EIO;
    pthread_mutex_unlock(&lock);
    send_order(&peer, n + more + 1);
    ok(read_message(&peer, &p) == 0 && await_event(&a, TW_FIX_STORE_FAILED, 1),
       "a disk that fails ends the connection before it: %s",
       side_said(&a, TW_FIX_STORE_FAILED));
    pthread_mutex_lock(&lock);
    disk.error = 0;
    pthread_mutex_unlock(&lock);
    close(peer.fd);

    /* It is removed while the disk has it still. */
    set_shut(true);
    pthread_mutex_lock(&lock);
    syncs = disk.begun;
    gone = a.events[TW_FIX_LOGGED_OUT];
    pthread_mutex_unlock(&lock);
    peer = (struct peer){ .fd = raw_connect(tw_fix_engine_port(g->e, o.door)) };
    raw_send(peer.fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|141=Y|");
    ok(await(&disk.begun, syncs + 1), "a Logon waits for the disk again");
    close(peer.fd);
    await_event(&a, TW_FIX_LOGGED_OUT, gone + 1);
    tw_fix_link_remove(l);
    tw_fix_link_logout(lb, "bye");   /* done after it */
    await_event(&b, TW_FIX_LOGGED_OUT, 1);
    peer = (struct peer){ .fd = raw_connect(tw_fix_engine_port(g->e, o.door)) };
    raw_send(peer.fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=0|141=Y|");
    poll(&(struct pollfd){ peer.fd, POLLIN, 0 }, 1, 5000);
    set_shut(false);
    ok(read_message(&peer, &p) == 0, "nobody gets into a session that is being removed");
    close(peer.fd);
    rig_close(g);
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
    free(disk.bytes);
}

int main(void)
{
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    groups();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}

/* The FIX engine over loopback sockets: sessions of both sides, what cuts them, what
 * comes from other threads (L1 to L3 of fix_link.c, D1, D2 of fix_door.c, N1, N2 of
 * fix_engine.c). */
#include "fix_engine_rig.h"

#include <sched.h>
#include <uv.h>

#include "run/fix_log.h"
#include "run/fix_parts.h"
#include "place.h"

/* Waits until so many connections of a port are open. */
static bool rig_await_door(struct rig *g, int door, unsigned open)
{
    int64_t until = time(NULL) + PATIENCE_S;
    struct tw_fix_door_status s;

    do {
        tw_fix_engine_door(g->e, door, &s);
        if (s.open != open) sched_yield();
    } while (s.open != open && time(NULL) < until);
    return s.open == open;
}

/* Our initiator against our acceptor: messages both ways, in order, then a clean end. */
static void both_sides(void)
{
    struct rig *g = rig_open();
    struct side a = { .echo = true }, b = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_fix_link *l;
    uint64_t allocations;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, client("b", &b), tw_fix_engine_port(g->e, o.door));
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1), "the initiator is logged on");
    ok(await_event(&a, TW_FIX_LOGGED_ON, 1), "and the acceptor's session");
    ok(send_orders(l, 1, 1000), "1000 orders are sent");
    ok(await(&b.messages, 1000) && a.messages == 1000, "and come back");
    allocations = tw_memory_count();
    ok(send_orders(l, 1001, 2000) && await(&b.messages, 2000)
       && allocations == tw_memory_count(), "1000 more allocate nothing");
    ok(a.out_of_order == 0 && b.out_of_order == 0, "in order");
    rig_close(g);
    ok(a.events[TW_FIX_LOGGED_OUT] == 1 && b.events[TW_FIX_LOGGED_OUT] == 1,
       "at the end both log out: %s; %s", side_said(&a, TW_FIX_LOGGED_OUT),
       side_said(&b, TW_FIX_LOGGED_OUT));
}

/* A port is of loopback: any other address of this machine, of which 127.0.0.2 is one, is
 * one that others reach, too. */
static void loopback(void)
{
    static const char *const hosts[] = { NULL, "127.0.0.1", "0.0.0.0" };

    for (int i = 0; i < 3; i++) {
        struct rig *g = rig_open();
        int door = rig_listen(g, &(struct tw_fix_door_options){ .host = hosts[i] });
        struct sockaddr_in at = { .sin_family = AF_INET,
                                  .sin_addr = { htonl(INADDR_LOOPBACK + 1) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        rig_start(g);
        at.sin_port = htons((uint16_t)tw_fix_engine_port(g->e, (unsigned)door));
        ok((connect(fd, (struct sockaddr *)&at, sizeof at) == 0) == (i == 2),
           "a port of %s", hosts[i] ? hosts[i] : "no host");
        close(fd);
        rig_close(g);
    }
}

/* Connections that nobody knows are cut without a word, and counted. */
static void strangers(void)
{
    struct rig *g = rig_open();
    struct tw_fix_door_status s, hasty;
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    char bytes[100];
    int fd, soon;

    /* Who speaks has a port of his own, so that he may be slow. */
    soon = rig_listen(g, &(struct tw_fix_door_options){ .logon_timeout_ms = 50 });
    o.door = rig_listen(g, &(struct tw_fix_door_options){
        .logon_timeout_ms = PATIENCE_S * 1000 });
    rig_add(g, &o);
    rig_start(g);
    fd = raw_connect(tw_fix_engine_port(g->e, soon));
    ok(raw_drain(fd, bytes, sizeof bytes) == 0, "one that says nothing is cut");
    close(fd);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    if (write(fd, "GET / HTTP/1.0\r\n\r\n", 18) != 18) abort();
    ok(raw_drain(fd, bytes, sizeof bytes) == 0, "one that says something else");
    close(fd);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 1, "NOBODY", "SERVER", "98=0|108=30|");
    ok(raw_drain(fd, bytes, sizeof bytes) == 0, "one with another CompID");
    close(fd);
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_42, "A", 1, "CLIENT", "SERVER", "98=0|108=30|");
    ok(raw_drain(fd, bytes, sizeof bytes) == 0, "one of another version");
    close(fd);
    tw_fix_engine_door(g->e, o.door, &s);
    tw_fix_engine_door(g->e, soon, &hasty);
    ok(hasty.connects == 1 && hasty.silent == 1 && hasty.open == 0 && s.connects == 3
       && s.garbled == 1 && s.unknown == 2 && s.open == 0,
       "each counts under its reason");
    ok(strstr(rig_log(g), "it says nothing") != NULL, "and the log says why");
    rig_close(g);
}

/* Floods: what is no FIX, a Logon without end, more connections than may wait. */
static void floods(void)
{
    static char noise[1 << 16];
    struct rig *g = rig_open();
    struct tw_fix_door_status s;
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a);
    int fd, idle[4];
    uint16_t port;

    o.door = rig_listen(g, &(struct tw_fix_door_options){
        .connections_max = 4, .logon_timeout_ms = PATIENCE_S * 1000 });
    rig_add(g, &o);
    rig_start(g);
    port = tw_fix_engine_port(g->e, o.door);
    memset(noise, 'x', sizeof noise);
    memcpy(noise, "8=FIX.4.4\0019=9000\00135=A\001", 22);
    fd = raw_connect(port);
    send(fd, noise, sizeof noise, MSG_NOSIGNAL);
    ok(raw_drain(fd, noise, 1) == 0, "a Logon that is too long is cut");
    close(fd);
    for (int i = 0; i < 4; i++) idle[i] = raw_connect(port);
    fd = raw_connect(port);
    ok(raw_drain(fd, noise, 1) == 0, "one connection too many is refused");
    close(fd);
    close(idle[0]);
    ok(rig_await_door(g, o.door, 3), "one hangs up");
    rig_dial(g, client("b", &b), port);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1), "there is room for one that logs on");
    tw_fix_engine_door(g->e, o.door, &s);
    ok(s.garbled == 1 && s.crowded >= 1 && s.silent == 1, "and all is counted");
    for (int i = 1; i < 4; i++) close(idle[i]);
    rig_close(g);
}

/* Sessions of two versions on one port, and those that a template makes. */
static void versions(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0}, c = {0}, d = {0}, any = { .echo = true };
    struct tw_fix_link_options s44 = server("s44", &a), s42 = server("s42", &a),
        c44 = client("c44", &b), c42 = client("c42", &c), c3 = client("c3", &d),
        c4 = client("c4", &d);
    struct tw_fix_door_template t = { "*", "*", server("any", &any) };
    struct tw_fix_link *l;
    uint16_t port;

    s42.session.dictionary = c42.session.dictionary = fix42;
    t.link.session.sender = t.link.session.target = NULL;
    s44.door = s42.door = rig_listen(g, &(struct tw_fix_door_options){
        .templates = &t, .templates_n = 1, .sessions_max = 3 });
    rig_add(g, &s44);
    rig_add(g, &s42);
    rig_start(g);
    port = tw_fix_engine_port(g->e, s44.door);
    rig_dial(g, c44, port);
    rig_dial(g, c42, port);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1) && await_event(&c, TW_FIX_LOGGED_ON, 1)
       && await_event(&a, TW_FIX_LOGGED_ON, 2), "two versions log on at one port");
    c3.session.sender = "NEW/1";
    c3.session.target = "BANK";
    l = rig_dial(g, c3, port);
    ok(await_event(&d, TW_FIX_LOGGED_ON, 1), "a stranger has a session by template");
    ok(send_orders(l, 1, 10) && await(&d.messages, 10), "which works");
    ok(tw_fix_engine_find(g->e, "any.NEW%2F1.BANK") != NULL, "its name says whose");
    c4.session.sender = "NEW2";
    rig_dial(g, c4, port);
    ok(await_event(&d, TW_FIX_NOT_LOGGED_ON, 1), "no more than sessions_max: %s",
       side_said(&d, TW_FIX_NOT_LOGGED_ON));
    ok(strstr(rig_log(g), "3 sessions are waited for already") != NULL, "as is said");
    rig_close(g);
}

/* A port that is opened while the engine runs; one that can't be had is told. */
static void late_port(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a);
    uint16_t port;
    int second;

    rig_start(g);
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    while ((port = tw_fix_engine_port(g->e, o.door)) == 0) sched_yield();
    second = rig_listen(g, &(struct tw_fix_door_options){ .port = port });
    rig_add(g, &o);
    rig_dial(g, client("b", &b), port);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1), "a port may be opened during the run");
    ok(tw_fix_engine_port(g->e, second) == 0
       && strstr(rig_log(g), "address already in use"), "one in use is told");
    rig_close(g);
}

/* ---- commands ---- */

static void commands(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0}, again = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_link *sa, *sb;
    struct tw_fix_link_status s;
    struct tw_error error;
    uint16_t port;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    sa = rig_add(g, &o);
    c.disabled = true;
    rig_start(g);
    port = tw_fix_engine_port(g->e, o.door);
    sb = rig_dial(g, c, port);
    ok(tw_fix_link_send(sb, "D", "11=1\001", 5) == TW_ECLOSED,
       "nothing is sent by one that is not logged on");
    tw_fix_link_enable(sb, true);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1) && await_event(&a, TW_FIX_LOGGED_ON, 1),
       "one that is enabled logs on");
    tw_fix_link_status(sb, &s);
    ok(s.initiator && s.session.state == TW_FIX_UP && s.logons == 1
       && strcmp(s.peer, address(port)) == 0, "its status says with whom: %s", s.peer);
    ok(tw_fix_link_send(sb, "D", "11=1", 4) == TW_EUSAGE
       && tw_fix_link_send(sb, "", "11=1\001", 5) == TW_EUSAGE
       && tw_fix_link_send(sb, "4", "36=9\001", 5) == TW_EUSAGE
       && tw_fix_link_send(sb, "A", "98=0\001108=0\001", 11) == TW_EUSAGE
       && tw_fix_link_set_numbers(sb, 0, 1) == TW_EUSAGE, "wrong arguments are refused");
    ok(tw_fix_link_send(sb, "D", "34=1\00111=1\001", 10) == 1
       && await_event(&b, TW_FIX_UNSENT, 1) && b.from[TW_FIX_UNSENT] == 1,
       "a number of one's own is not sent: %s", side_said(&b, TW_FIX_UNSENT));
    tw_fix_link_logout(sb, "lunch");
    ok(await_event(&a, TW_FIX_LOGGED_OUT, 1), "%s", side_said(&a, TW_FIX_LOGGED_OUT));
    ok(await_event(&b, TW_FIX_LOGGED_ON, 2), "an initiator comes back");
    await_event(&a, TW_FIX_LOGGED_ON, 2);
    send_orders(sb, 1, 3);
    await(&a.messages, 3);
    tw_fix_link_reset(sb);
    ok(await_event(&b, TW_FIX_RESET, 1) && await_event(&a, TW_FIX_RESET, 1),
       "a reset while it is up resets both");
    tw_fix_link_enable(sb, false);
    ok(await_event(&b, TW_FIX_LOGGED_OUT, 2) && await_event(&a, TW_FIX_LOGGED_OUT, 2),
       "one that is disabled logs out");
    tw_fix_link_set_numbers(sb, 77, 88);
    tw_fix_link_set_numbers(sa, 88, 77);
    tw_fix_link_enable(sb, true);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 3) && await_event(&a, TW_FIX_LOGGED_ON, 3)
       && send_orders(sb, 4, 4) && await(&a.messages, 4), "numbers can be set");
    tw_be_main();
    ok(tw_fix_engine_add(g->e, &o, &error) == NULL && error.code == TW_EBUSY, "%s",
       error.text);
    tw_fix_link_remove(sa);
    ok(await_event(&a, TW_FIX_LOGGED_OUT, 3), "one that is removed logs out: %s",
       side_said(&b, TW_FIX_LOGGED_OUT));
    while (tw_fix_engine_find(g->e, "a")) sched_yield();
    ok(tw_fix_link_enable(sa, true) == TW_ECLOSED
       && tw_fix_link_send(sa, "D", "11=1\001", 5) == TW_ECLOSED, "then it is closed");
    o = server("a", &again);
    sa = rig_add(g, &o);
    ok(sa != NULL && tw_fix_engine_find(g->e, "a") == sa, "and its name is free");
    tw_fix_link_reset(sb);
    ok(await_event(&again, TW_FIX_LOGGED_ON, 1), "the peer finds the new one");
    rig_close(g);
}

/* ---- what other threads send ---- */

struct sender { struct tw_fix_link *l; long from, to; bool all; };

static void *send_some(void *arg)
{
    struct sender *s = arg;

    s->all = send_orders(s->l, s->from, s->to);
    return NULL;
}

/* Of two senders each one's orders come in its order. */
static struct { long last[2]; unsigned messages, wrong; } two;

static enum tw_fix_answer two_message(void *ctx, struct tw_fix_session *s,
                                      struct tw_fix_now now,
                                      const struct tw_fix_message *m)
{
    long id = atol(tw_fix_message_body(m, 11).at);
    int whose = id > 1000000;

    (void)ctx, (void)s, (void)now;
    pthread_mutex_lock(&lock);
    two.wrong += id <= two.last[whose];
    two.last[whose] = id;
    two.messages++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return TW_FIX_TAKEN;
}

static void senders(void)
{
    long n = getenv("SMALL") ? 2000 : 20000;
    struct rig *g = rig_open();
    struct side b = {0};
    struct tw_fix_link_options o = server("a", &b), c = client("b", &b);
    struct sender s[2] = { { NULL, 1, n, false },
                           { NULL, 1000001, 1000000 + n, false } };
    struct tw_fix_link *l;
    pthread_t threads[2];

    o.consumer = (struct tw_fix_consumer){ .message = two_message };
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    c.queue_bytes = 4096;   /* so that it is full now and then */
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    for (int i = 0; i < 2; i++) {
        s[i].l = l;
        pthread_create(&threads[i], NULL, send_some, &s[i]);
    }
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    ok(s[0].all && s[1].all && await(&two.messages, (unsigned)(2 * n)),
       "two threads send %ld orders each", n);
    ok(two.wrong == 0, "those of each come in their order");
    tw_fix_link_ring(l);
    ok(await(&b.looks, 3), "who rings makes the consumer look");
    rig_close(g);
}

static int64_t look_again(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    side_look(ctx, s, now);
    return now.steady_ns + 1000000;
}

static void looks(void)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);

    o.consumer.look = look_again;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    ok(await(&a.looks, 5), "a consumer looks again when it said");
    rig_close(g);
}

/* What waits for a Logon goes out after it; what can't be sent is told. */
static void held(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_link *l;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    c.hold = c.disabled = true;
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    ok(send_orders(l, 1, 100), "what is sent before the Logon is held");
    tw_fix_link_enable(l, true);
    ok(await(&a.messages, 100) && a.out_of_order == 0, "and goes out after it");
    tw_fix_link_enable(l, false);
    await_event(&a, TW_FIX_LOGGED_OUT, 1);
    await_event(&b, TW_FIX_LOGGED_OUT, 1);
    send_orders(l, 101, 110);
    rig_close(g);
    ok(b.events[TW_FIX_UNSENT] == 10 && b.to[TW_FIX_UNSENT] == 110 && a.messages == 100,
       "what is held at the end is told: %s", side_said(&b, TW_FIX_UNSENT));
}

/* ---- hosts, times ---- */

static void hosts(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    char dead[40], name[40];
    const char *list[] = { dead, NULL, NULL };
    struct tw_error error;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    snprintf(dead, sizeof dead, "127.0.0.1:%u", raw_dead_port());
    snprintf(name, sizeof name, "localhost:%u", tw_fix_engine_port(g->e, o.door));
    list[1] = name;
    c.hosts = list;
    c.hosts_n = 2;
    ok(rig_add(g, &c) && await_event(&b, TW_FIX_LOGGED_ON, 1),
       "the second host is tried when the first one refuses");
    tw_be_main();
    c.name = "c";
    list[0] = "no port";
    ok(!tw_fix_engine_add(g->e, &c, &error) && error.code == TW_EUSAGE, "%s", error.text);
    c.name = "no name";
    ok(!tw_fix_engine_add(g->e, &c, &error) && error.code == TW_EUSAGE, "%s", error.text);
    o.name = "d";
    o.door = 7;
    ok(!tw_fix_engine_add(g->e, &o, &error) && error.code == TW_EUSAGE, "%s", error.text);
    rig_close(g);
}

/* A session that the schedule does not have up: nobody connects, or is let in. */
static void schedules(void)
{
    int32_t hour = 3600, now = (int32_t)(time(NULL) % TW_FIX_DAY_S);
    struct tw_fix_schedule later = {
        .start_s = (now + 6 * hour) % TW_FIX_DAY_S, .end_s = (now + 7 * hour)
                                                             % TW_FIX_DAY_S,
        .start_day = TW_FIX_NO_DAY, .end_day = TW_FIX_NO_DAY, .reset_s = TW_FIX_NO_TIME,
    };
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_door_status s;
    char byte;
    int fd;

    o.session.schedule = c.session.schedule = &later;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await(&b.looks, 1);
    memset(&later, 0, sizeof later);   /* it was copied */
    fd = raw_connect(tw_fix_engine_port(g->e, o.door));
    raw_send(fd, TW_FIX_44, "A", 1, "CLIENT", "SERVER", "98=0|108=30|");
    ok(raw_drain(fd, &byte, 1) == 0, "nobody is let in out of hours");
    close(fd);
    tw_fix_engine_door(g->e, o.door, &s);
    ok(s.refused == 1 && s.connects == 1, "and an initiator does not come");
    ok(strstr(rig_log(g), "is not up at this time") != NULL, "as is said");
    rig_close(g);
}

/* ---- the tape ---- */

static void tapes(void)
{
    static const char *const take[] = { "D", "AE" };
    static const struct tw_fix_extra logon = { 554, "secret" };
    struct rig *g = rig_open();
    struct side b = {0};
    struct tw_fix_link_options o = server("a", &b), c = client("b", &b);
    struct tw_cursor cursor;
    struct tw_fix_link_status s;
    struct tw_record r;
    struct tw_fix_link *l;
    char body[200];
    unsigned right = 0, n = 3000;
    size_t length;

    o.consumer = (struct tw_fix_consumer){0};
    o.take = take;
    o.take_n = 2;
    o.session.check = 0;
    c.session.logon = &logon;
    c.session.logon_n = 1;
    tw_cursor_open(&cursor, g->tape, true, 1);
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    ok(next_of(g, &cursor, "fix/a/event", &r)
       && !strcmp(tw_item_to_text(tw_item_get(value_of(&r), "event"), ""), "logged_on")
       && strstr(tw_item_to_text(tw_item_get(value_of(&r), "message"), ""),
                 "\001554=******\001"),
       "a Logon is an event on the tape, without its password");
    /* More than the tape holds: its reader holds the session up, and nothing is lost. */
    for (unsigned i = 1; i <= n; i++) {
        send_orders(l, i, i);
        if (i % 100 != 0) continue;
        for (unsigned k = i - 99; k <= i; k++) {
            char want[20];

            snprintf(want, sizeof want, "\00111=%u\001", k);
            right += next_of(g, &cursor, "fix/a", &r)
                  && value_of(&r).kind == TW_VALUE_STRING
                  && strstr(value_of(&r).text, want) != NULL
                  && memcmp(value_of(&r).text, "8=FIX.4.4\001", 10) == 0;
        }
    }
    ok(right == n, "%u messages are on the tape, whole and in order", n);
    length = order(body, 1);
    tw_fix_link_send(l, "G", body, length);
    ok(await(&b.messages, 1), "what the app does not take is answered as unsupported");
    tw_fix_link_status(tw_fix_engine_find(g->e, "a"), &s);
    ok(s.untaken == 1 && s.missed_n == 1 && strcmp(s.missed->code, "G") == 0
       && s.missed->answered && s.missed->n == 1 && s.unheard == 0
       && strstr(rig_log(g), "35=G (OrderCancelReplaceRequest) is not taken here"),
       "and counted, and said");
    length += (size_t)sprintf(body + length, "554=mine\001925=new\001");
    tw_fix_link_send(l, "D", body, length);
    ok(next_of(g, &cursor, "fix/a", &r)
       && strstr(value_of(&r).text, "\001554=****\001925=***\00110="),
       "no message on the tape has a password");
    tw_cursor_close(&cursor);
    rig_close(g);
}

/* What the tape has no room for while the run ends does not count: it comes again. */
static void full_tape(void)
{
    struct rig *g = rig_open();
    struct side b = {0};
    struct tw_fix_link_options o = server("a", &b), c = client("b", &b);
    struct tw_fix_link_status s;
    struct tw_cursor cursor;
    struct tw_fix_link *l, *sa;

    o.consumer = (struct tw_fix_consumer){0};
    tw_cursor_open(&cursor, g->tape, true, 1);
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    sa = rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    send_orders(l, 1, TAPE);   /* all but its first eighth stay with the reader */
    while (tw_tape_head(g->tape) < TAPE / 8) sched_yield();
    tw_be_main();
    tw_io_stop(g->io);
    tw_fix_link_status(sa, &s);
    ok(s.session.next_in <= tw_tape_head(g->tape),
       "%" PRIu64 " of %d messages count, %" PRIu64 " are on the tape",
       s.session.next_in - 2, TAPE, tw_tape_head(g->tape) - 2);
    tw_cursor_close(&cursor);
    rig_close(g);
}

/* ---- logs ---- */

static char *read_file(const char *folder, const char *name, size_t *n)
{
    static char text[1 << 16];
    char path[PLACE + 100];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "r");
    *n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[*n] = 0;
    if (f) fclose(f);
    return text;
}

/* The messages in a log are whole, and are how many. */
static unsigned whole_messages(const char *text, size_t n)
{
    struct tw_fix_message m;
    unsigned count = 0;

    if (tw_fix_message_init(&m, 1 << 16, 100) < 0) abort();
    for (const char *p = text; (p = memmem(p, (size_t)(text + n - p), "8=FIX", 5));
         p += 5)
        count += take(&m, fix44, p, (size_t)(text + n - p)) == TW_OK;
    tw_fix_message_fini(&m);
    return count;
}

static void logs(void)
{
    char folder[PLACE], deep[PLACE + 20], command[PLACE + 20];
    struct tw_fix_extra logon[] = { { 553, "user" }, { 554, "secret" },
                                    { 925, "secret" } };
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_link *l;
    char *text;
    size_t n;

    place_folder(folder);
    snprintf(deep, sizeof deep, "%s/deep/er", folder);
    o.log = c.log = deep;
    c.session.logon = logon;
    c.session.logon_n = 3;
    o.session.check = 0;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    send_orders(l, 1, 10);
    await(&a.messages, 10);
    rig_close(g);
    text = read_file(deep, "b.log", &n);
    ok(n > 0 && !strstr(text, "secret") && strstr(text, "\001554=******\001")
       && strstr(text, " > 8=FIX") && strstr(text, " < 8=FIX"),
       "what was sent and received is logged, but for passwords");
    ok(whole_messages(text, n) == 14, "each message of the log is whole");
    text = read_file(deep, "a.log", &n);
    ok(n > 0 && !strstr(text, "secret") && whole_messages(text, n) == 14,
       "on the other side, too");
    snprintf(command, sizeof command, "rm -r %s", folder);
    if (system(command) != 0) abort();
}

/* What blanking does to data that holds SOH, and to what is cut short. */
static void blanks(void)
{
    static const struct { const char *text, *want; } rows[] = {
        { "35=A|95=7|96=a|b=cde|554=x|", "35=A|95=7|96=*******|554=*|" },
        { "35=A|95=99|96=abc|554=x|", "35=A|95=99|96=***|554=*|" },
        { "35=D|96=abc|11=554=x|", "35=D|96=abc|11=554=x|" },
        { "35=BE|554=abc|925=de|925=f|", "35=BE|554=***|925=**|925=*|" },
        { "35=BE|58==|554==|58=====|", "35=BE|58==|554=*|58=====|" },
        { "35=AE|96=abc|58=a|1554=b|", "35=AE|96=abc|58=a|1554=b|" },
    };
    unsigned right = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n, wanted;
        char *p = whole(TW_FIX_44, rows[i].text, &n);
        char *want = whole(TW_FIX_44, rows[i].want, &wanted);

        tw_fix_blank(p, n);
        right += n == wanted && memcmp(p, want, n) == 0;
        for (size_t cut = 0; cut < n; cut++) {
            char *part = malloc(cut);

            if (cut > 0) memcpy(part, p, cut);
            tw_fix_blank(part, cut);
            free(part);
        }
        free(p);
        free(want);
    }
    ok(right == sizeof rows / sizeof *rows, "passwords are blanked, and nothing else");
}

/* A log that can't be written does not hold the session up; it is said, and counted. */
static void full_disk(void)
{
    char folder[PLACE], path[PLACE + 20];
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options o = server("a", &a), c = client("b", &b);
    struct tw_fix_link_status s;
    struct tw_fix_link *sa, *l;

    place_folder(folder);
    snprintf(path, sizeof path, "%s/a.log", folder);
    if (symlink("/dev/full", path) < 0) abort();
    o.log = folder;
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    sa = rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    ok(send_orders(l, 1, 2000) && await(&a.messages, 2000), "a log on a full disk holds"
       " nothing up");
    tw_fix_link_remove(sa);
    while (tw_fix_engine_find(g->e, "a")) sched_yield();
    tw_fix_link_status(sa, &s);
    ok(s.log_lost == 2004, "%" PRIu64 " messages are not in it", s.log_lost);
    ok(strstr(rig_log(g), "its message log: no space left on device") != NULL,
       "as is said");
    rig_close(g);
    unlink(path);
    rmdir(folder);
}

/* A message that there is no memory for comes again. */
static void no_memory(void)
{
    struct rig *g = rig_open();
    struct side b = {0};
    struct tw_fix_link_options o = server("a", &b), c = client("b", &b);
    struct tw_cursor cursor;
    struct tw_record r;
    struct tw_fix_link *l;
    unsigned found = 0;

    o.consumer = (struct tw_fix_consumer){0};
    tw_cursor_open(&cursor, g->tape, true, 1);
    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(&b, TW_FIX_LOGGED_ON, 1);
    next_of(g, &cursor, "fix/a/event", &r);
    tw_memory_fail_at(1);
    send_orders(l, 1, 1);
    ok(await_event(&b, TW_FIX_LOGGED_OUT, 1), "without memory for a message it hangs up");
    tw_memory_fail_at(0);
    found = next_of(g, &cursor, "fix/a", &r) && strstr(value_of(&r).text, "\00111=1\001");
    ok(found == 1 && strstr(value_of(&r).text, "\00143=Y\001"), "and it comes again");
    tw_cursor_close(&cursor);
    rig_close(g);
}

static void names(void)
{
    unsigned named = 0;

    for (int k = 0; k < EVENTS; k++)
        named += tw_fix_event_name((enum tw_fix_event_kind)k) != NULL;
    ok(named == EVENTS, "every event has a name");
}

/* ---- memory ---- */

static void memory(void)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_fix_door_template t = { "*", "*", server("any", &a) };
    struct tw_fix_door_options d = { .templates = &t, .templates_n = 1 };
    struct tw_error error;
    unsigned failed = 0, wrong = 0;
    uint64_t n;
    int door = -1;

    tw_be_main();
    for (n = 1; door < 0; n++) {
        tw_memory_fail_at(n);
        door = tw_fix_engine_listen(g->e, &d, &error);
        tw_memory_fail_at(0);
        failed += door < 0;
        wrong += door < 0 && error.code != UV_ENOMEM;
    }
    o.door = door;
    for (n = 1;; n++) {
        struct tw_fix_link *l;

        tw_memory_fail_at(n);
        l = tw_fix_engine_add(g->e, &o, &error);
        tw_memory_fail_at(0);
        if (l) break;
        failed++;
        wrong += error.code != UV_ENOMEM;
    }
    ok(failed > 10 && wrong == 0, "%u allocations that failed were told", failed);
    rig_start(g);
    rig_close(g);
}

/* What explains a line often comes with it: a gap, and why what fills it was dropped. */
static void lines(void)
{
    struct tw_fix_hush hush = { 0 };
    uint64_t unsaid = 7;
    int n = 0;

    for (int i = 0; i < 100; i++) n += tw_fix_may_say(&hush, &unsaid);
    ok(n == 5 && unsaid == 0 && hush.unsaid == 95, "some lines a second, not more");
    hush.said_ns -= 2000000000;
    ok(tw_fix_may_say(&hush, &unsaid) && unsaid == 95, "how many were not said is told");
}

int main(void)
{
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    both_sides();
    loopback();
    strangers();
    floods();
    versions();
    late_port();
    commands();
    senders();
    looks();
    held();
    hosts();
    schedules();
    tapes();
    full_tape();
    logs();
    lines();
    blanks();
    full_disk();
    no_memory();
    names();
    memory();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}

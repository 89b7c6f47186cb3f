/* fix_engine_take: sessions whose consumer has the messages first, and the tape then. */
#include "fix_engine_rig.h"

#include "base/memory.h"

/* A consumer of D alone. */
static enum tw_fix_answer only_orders(void *ctx, struct tw_fix_session *s,
                                      struct tw_fix_now now,
                                      const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);

    if (code.n != 1 || *code.at != 'D') return TW_FIX_UNSUPPORTED;
    return side_message(ctx, s, now, m);
}

struct pair {
    struct rig *g;
    struct side a, b;                  /* of the acceptor, which takes; its peer */
    struct tw_fix_link *taker, *peer;
    struct tw_cursor cursor;
};

/* The acceptor takes the codes of the list, or all where there is none. */
static void pair_open(struct pair *p, const char *const *take, size_t n, bool tape)
{
    struct tw_fix_link_options o = server("a", &p->a), c = client("b", &p->b);

    p->g = rig_open();
    o.consumer.message = only_orders;
    o.session.check = c.session.check = 0;
    o.take = take;
    o.take_n = n;
    o.tape = tape;
    tw_cursor_open(&p->cursor, p->g->tape, true, 1);
    o.door = rig_listen(p->g, &(struct tw_fix_door_options){0});
    p->taker = rig_add(p->g, &o);
    rig_start(p->g);
    p->peer = rig_dial(p->g, c, tw_fix_engine_port(p->g->e, o.door));
    await_event(&p->b, TW_FIX_LOGGED_ON, 1);
    await_event(&p->a, TW_FIX_LOGGED_ON, 1);
}

static void pair_close(struct pair *p)
{
    tw_cursor_close(&p->cursor);
    rig_close(p->g);
}

static void send_one(struct pair *p, const char *code, long id)
{
    char body[200];

    tw_fix_link_send(p->peer, code, body, order(body, id));
}

/* The next message of the topic has that code and id. */
static bool has_next(struct pair *p, const char *code, long id)
{
    char want[20], type[20];
    struct tw_record r;

    snprintf(want, sizeof want, "\00111=%ld\001", id);
    snprintf(type, sizeof type, "\00135=%s\001", code);
    return next_of(p->g, &p->cursor, "fix/a", &r) && strstr(value_of(&r).text, want)
        && strstr(value_of(&r).text, type);
}

static void all(void)
{
    struct pair p = {0};
    struct tw_fix_link_status s;
    struct tw_record r;
    unsigned right = 0, n = 3000;

    pair_open(&p, NULL, 0, true);
    ok(next_of(p.g, &p.cursor, "fix/a/event", &r)
       && !strcmp(tw_item_to_text(tw_item_get(value_of(&r), "event"), ""), "logged_on"),
       "the session's events are on the tape");
    /* More than the tape holds: its reader holds the session up, and nothing is lost. */
    for (unsigned i = 1; i <= n; i += 100) {
        send_orders(p.peer, i, i + 99);
        for (unsigned k = i; k < i + 100; k++) right += has_next(&p, "D", k);
    }
    ok(right == n && p.a.messages == n && p.a.out_of_order == 0,
       "%u messages are the consumer's, and then on the tape, in order", n);
    send_one(&p, "G", 1);
    ok(has_next(&p, "G", 1), "so is what the consumer does not take");
    send_one(&p, "D", n + 1);
    ok(has_next(&p, "D", n + 1), "and what comes next");
    tw_fix_link_status(p.taker, &s);
    ok(s.untaken == 0 && s.tape_lost == 0 && p.b.messages == 0,
       "which is not answered as unsupported");
    pair_close(&p);
}

static void some(void)
{
    static const char *const take[] = { "F", "G" };
    struct pair p = {0};
    struct tw_fix_link_status s;

    pair_open(&p, take, 2, true);
    send_one(&p, "D", 1);
    send_one(&p, "G", 2);
    send_one(&p, "AE", 3);
    send_one(&p, "F", 4);
    ok(has_next(&p, "G", 2) && has_next(&p, "F", 4) && await(&p.a.messages, 1),
       "of a list, those that it names are on the tape");
    ok(await(&p.b.messages, 1), "what neither takes is answered as unsupported");
    tw_fix_link_status(p.taker, &s);
    ok(s.untaken == 1 && s.missed_n == 1 && !strcmp(s.missed->code, "AE"),
       "and counted");
    pair_close(&p);
}

static void none(void)
{
    struct pair p = {0};
    uint64_t head;

    pair_open(&p, NULL, 0, false);
    head = tw_tape_head(p.g->tape);
    send_one(&p, "D", 1);
    send_one(&p, "G", 2);
    ok(await(&p.b.messages, 1) && await(&p.a.messages, 1)
       && tw_tape_head(p.g->tape) == head, "nothing is on the tape where nobody asks");
    pair_close(&p);
}

/* The consumer has acted on it, so it must not come again. */
static void no_memory(void)
{
    struct pair p = {0};
    struct tw_fix_link_status s;
    int64_t until = time(NULL) + PATIENCE_S;
    struct tw_record r;

    pair_open(&p, NULL, 0, true);
    next_of(p.g, &p.cursor, "fix/a/event", &r);
    tw_memory_fail_at(1);
    send_one(&p, "D", 1);
    do {
        tw_fix_link_status(p.taker, &s);
        sched_yield();
    } while (s.tape_lost == 0 && time(NULL) < until);
    tw_memory_fail_at(0);
    ok(s.tape_lost == 1, "a message that the tape has no memory for is counted");
    send_one(&p, "D", 2);
    ok(has_next(&p, "D", 2) && p.a.messages == 2
       && p.a.events[TW_FIX_LOGGED_OUT] == 0, "the consumer has had it once");
    ok(strstr(rig_log(p.g), "35=D was taken, but is not on the tape") != NULL,
       "and that is said");
    pair_close(&p);
}

int main(void)
{
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    all();
    some();
    none();
    no_memory();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}

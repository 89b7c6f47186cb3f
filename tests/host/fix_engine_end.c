/* fix_engine_end: attacks N2 of host/run/fix_engine.c where a run ends: what was sent
 * before goes out, then sessions log out.  And what a session leaves that is removed: its
 * place, also at a port, of which there are so many; and whose connection it is where
 * sessions of a port differ in the version of their messages alone. */
#include "fix_engine_rig.h"

/* Both ends in an engine: b, with the options c, has logged on to a. */
static struct tw_fix_link *pair(struct rig *g, struct side *a, struct side *b,
                                struct tw_fix_link_options c)
{
    struct tw_fix_link_options o = server("a", a);
    struct tw_fix_link *l;

    o.door = rig_listen(g, &(struct tw_fix_door_options){0});
    rig_add(g, &o);
    rig_start(g);
    l = rig_dial(g, c, tw_fix_engine_port(g->e, o.door));
    await_event(b, TW_FIX_LOGGED_ON, 1);
    return l;
}

static void last_words(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link *l = pair(g, &a, &b, client("b", &b));
    unsigned n = getenv("SMALL") ? 200 : 2000;

    tw_be_main();
    tw_io_halt(g->io);
    ok(send_orders(l, 1, n) && a.events[TW_FIX_LOGGED_OUT] == 0,
       "sessions are up when the feeds have ended");
    rig_close_io(g);
    ok(a.messages == n && b.events[TW_FIX_UNSENT] == 0,
       "what is sent before the end goes out (%u of %u)", a.messages, n);
    ok(strstr(side_said(&a, TW_FIX_LOGGED_OUT), "logged out") != NULL,
       "then they log out: %s", side_said(&a, TW_FIX_LOGGED_OUT));
    rig_close_again(g);
}

/* What was sent before a command goes out before the Logout. */
static void words_of(const char *what, int (*command)(struct tw_fix_link *l))
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options c = client("b", &b);
    struct tw_fix_link *l;
    unsigned n = getenv("SMALL") ? 200 : 2000;

    c.session.output_max = 4096;         /* of which a turn fills half */
    c.session.logout_timeout_s = PATIENCE_S;
    l = pair(g, &a, &b, c);
    ok(send_orders(l, 1, n) && command(l) == TW_OK
       && await_event(&a, TW_FIX_LOGGED_OUT, 1), "%s: it logs out", what);
    rig_close_io(g);
    ok(a.messages == n && b.events[TW_FIX_UNSENT] == 0,
       "what was sent before has gone out (%u of %u)", a.messages, n);
    rig_close_again(g);
}

static int do_logout(struct tw_fix_link *l)
{
    return tw_fix_link_logout(l, "enough");
}

static int do_disable(struct tw_fix_link *l)
{
    return tw_fix_link_enable(l, false);
}

static bool has_more(void *ctx, bool answers)
{
    (void)ctx, (void)answers;
    return true;
}

static bool is_unanswered(void *ctx, bool answers)
{
    (void)ctx;
    return answers;
}

/* What never comes is not waited for till the end is cut off: there is a Logout. */
static void unanswered(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options c = client("b", &b);

    c.consumer.waits = is_unanswered;
    c.session.logout_timeout_s = 1;
    pair(g, &a, &b, c);
    rig_close_io(g);
    ok(strstr(side_said(&b, TW_FIX_LOGGED_OUT), "we logged out") != NULL,
       "without its answers: %s", side_said(&b, TW_FIX_LOGGED_OUT));
    rig_close_again(g);
}

/* But who never has said all is not waited for; and one that is enabled again before it
 * has left comes back. */
static void endless(void)
{
    struct rig *g = rig_open();
    struct side a = {0}, b = {0};
    struct tw_fix_link_options c = client("b", &b);
    struct tw_fix_link *l;

    c.consumer.waits = has_more;
    c.session.logout_timeout_s = 1;
    l = pair(g, &a, &b, c);
    tw_fix_link_enable(l, false);
    tw_fix_link_enable(l, true);
    ok(await_event(&b, TW_FIX_LOGGED_OUT, 1) && await_event(&b, TW_FIX_LOGGED_ON, 2),
       "one that always has more to say logs out, and comes back where it is enabled");
    tw_fix_link_remove(l);
    ok(await_event(&b, TW_FIX_LOGGED_OUT, 2), "and is removed");
    rig_close(g);
}

/* Both ends in a run: who is served has its last words, and hears the answers. */
static void both_ends(void)
{
    struct rig *g = rig_open();
    struct side a = { .echo = true }, b = {0};
    struct tw_fix_link_options c = client("b", &b);
    struct tw_fix_link *l;
    unsigned n = getenv("SMALL") ? 200 : 2000;

    c.session.output_max = 4096;
    l = pair(g, &a, &b, c);
    ok(send_orders(l, 1, n), "a client of the same run sends");
    rig_close_io(g);
    ok(a.messages == n && b.messages == n,
       "and has its answers before the end (%u and %u of %u)", a.messages, b.messages, n);
    rig_close_again(g);
}

static struct tw_fix_link *added(struct rig *g, struct tw_fix_link_options o,
                                 const char *name, struct tw_error *error)
{
    o.name = o.session.target = name;
    o.disabled = true;
    return tw_fix_engine_add(g->e, &o, error);
}

static void await_removed(struct tw_fix_link *l)
{
    tw_fix_link_remove(l);
    while (!tw_fix_link_is_removed(l)) sched_yield();
}

static void places(void)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = client("a", &a);
    const char *nowhere = "127.0.0.1:1";
    struct tw_fix_link *l, *first = NULL;
    struct tw_error error = { .code = 0 };
    unsigned n = 0, rounds = getenv("SMALL") ? 50 : 500;
    char name[20];

    o.hosts = &nowhere;
    o.hosts_n = 1;
    rig_start(g);
    for (; n < rounds && (l = added(g, o, "again", &error)) != NULL; n++) {
        if (!first) first = l;
        await_removed(l);
    }
    ok(n == rounds && tw_fix_engine_count(g->e) == 1, "one place for a session that is"
       " added and removed %u times", n);
    ok(strcmp(tw_fix_link_name(first), "again") == 0 && tw_fix_link_is_removed(first)
       && tw_fix_link_enable(first, true) == TW_ECLOSED,
       "who knows the first of them finds that it was removed");
    o.session.dictionary = fix42;
    ok(!added(g, o, "again", &error) && error.code == TW_EUSAGE
       && strstr(error.text, "session again had another dictionary")
       && tw_fix_link_is_removed(tw_fix_engine_link(g->e, 0)),
       "but not with another dictionary: %s", error.text);
    o.session.dictionary = fix44;
    if (getenv("SMALL")) {
        rig_close(g);
        return;
    }
    for (n = 0, l = NULL; n <= TW_FIX_LINKS_MAX; n++) {
        struct tw_fix_link *more;

        snprintf(name, sizeof name, "n%u", n);
        more = added(g, o, name, &error);
        if (!more) break;
        l = more;
    }
    ok(n == TW_FIX_LINKS_MAX && error.code == TW_ELIMIT,
       "%u of other names, one in its place: %s", n, error.text);
    await_removed(l);
    ok(added(g, o, "last", &error) && tw_fix_engine_find(g->e, "last")
       && tw_fix_engine_count(g->e) == TW_FIX_LINKS_MAX, "one that goes makes room");
    await_removed(tw_fix_engine_find(g->e, "last"));
    o.session.dictionary = fix42;
    ok(!added(g, o, "again", &error) && error.code == TW_EUSAGE,
       "the dictionary is known when another is in its place");
    rig_close(g);
}

/* As many as a port has places for, and one more. */
static void fill_port(unsigned places_n, unsigned limit, const char *why)
{
    struct rig *g = rig_open();
    struct side a = {0};
    struct tw_fix_link_options o = server("a", &a);
    struct tw_fix_link *l = NULL, *more;
    struct tw_error error = { .code = 0 };
    unsigned n = 0;
    char name[20];

    o.door = rig_listen(g, &(struct tw_fix_door_options){ .sessions_max = limit });
    rig_start(g);
    for (; n <= places_n; n++) {
        snprintf(name, sizeof name, "p%u", n);
        more = added(g, o, name, &error);
        if (!more) break;
        l = more;
    }
    ok(n == places_n && error.code == TW_ELIMIT && strstr(error.text, why),
       "a port takes %u: %s", n, error.text);
    await_removed(l);
    l = added(g, o, "last", &error);
    ok(l && !added(g, o, "more", &error) && error.code == TW_ELIMIT,
       "one that goes makes room for one");
    ok(!strstr(rig_log(g), "are waited for already"), "none was taken in vain");
    rig_close(g);
}

static void applied(void)
{
    struct tw_fix_dictionary *sp1 = dictionary(TW_FIX_50SP1, NULL),
                             *sp2 = dictionary(TW_FIX_50SP2, NULL);
    struct rig *g = rig_open();
    struct side a = {0}, b = {0}, c = {0}, d = {0}, any = {0};
    struct tw_fix_link_options s1 = server("s1", &a), s2 = server("s2", &b),
        c1 = client("c1", &c), c2 = client("c2", &d);
    struct tw_fix_door_template t[] = { { "*", "*", server("any1", &any) },
                                        { "*", "*", server("any2", &any) } };
    uint16_t port;

    s1.session.dictionary = c1.session.dictionary = t[0].link.session.dictionary = sp1;
    s2.session.dictionary = c2.session.dictionary = t[1].link.session.dictionary = sp2;
    for (int i = 0; i < 2; i++)
        t[i].link.session.sender = t[i].link.session.target = NULL;
    s1.door = s2.door = rig_listen(g, &(struct tw_fix_door_options){
        .templates = t, .templates_n = 2 });
    rig_add(g, &s1);
    rig_add(g, &s2);
    rig_start(g);
    port = tw_fix_engine_port(g->e, s1.door);
    rig_dial(g, c2, port);
    ok(await_event(&b, TW_FIX_LOGGED_ON, 1) && await_event(&d, TW_FIX_LOGGED_ON, 1)
       && a.events[TW_FIX_LOGGED_ON] == 0, "DefaultApplVerID chooses the session");
    rig_dial(g, c1, port);
    ok(await_event(&a, TW_FIX_LOGGED_ON, 1) && await_event(&c, TW_FIX_LOGGED_ON, 1),
       "and the other one");
    c1.name = "n1";
    c2.name = "n2";
    c1.session.sender = c2.session.sender = "NEW";
    rig_dial(g, c2, port);
    ok(await_event(&d, TW_FIX_LOGGED_ON, 2), "a stranger of the second version");
    rig_dial(g, c1, port);
    ok(await_event(&c, TW_FIX_LOGGED_ON, 2), "the same of the first");
    ok(tw_fix_engine_find(g->e, "any1.NEW.SERVER")
       && tw_fix_engine_find(g->e, "any2.NEW.SERVER"), "have a template each");
    rig_close(g);
    tw_fix_dictionary_free(sp1);
    tw_fix_dictionary_free(sp2);
}

int main(void)
{
    fix42 = dictionary(TW_FIX_42, NULL);
    fix44 = dictionary(TW_FIX_44, NULL);
    last_words();
    words_of("a Logout", do_logout);
    words_of("disabled", do_disable);
    words_of("removed", tw_fix_link_remove);
    endless();
    unanswered();
    both_ends();
    places();
    fill_port(3, 3, "has 3 already, its session_limit");
    if (!getenv("SMALL"))
        fill_port(TW_FIX_LINKS_MAX, 5000, "more than 4096 FIX sessions");
    applied();
    tw_fix_dictionary_free(fix42);
    tw_fix_dictionary_free(fix44);
    return tap_done();
}

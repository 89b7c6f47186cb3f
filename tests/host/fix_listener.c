/* fix_listener.c - whose connection it is: identities, templates, what is hung up. */
#include "fix/listener.h"

#include "fix_rig.h"
#include "tap.h"

static struct tw_fix_dictionary *dictionaries[4];
static struct tw_fix_store *stores[8];
static struct tw_fix_session *sessions[8];
static unsigned made;
static const struct tw_fix_now now = { INT64_C(1704196800000000000), 1 };

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    (void)ctx;
    (void)m;
    return TW_FIX_TAKEN;
}

static struct tw_fix_session *new_session(unsigned i, int v,
                                          struct tw_fix_session_options o)
{
    struct tw_error error = { .text = "" };

    stores[i] = tw_fix_store_open(&(struct tw_fix_store_options){ .bytes = 4096 },
                                  &error);
    o.store = stores[i];
    o.dictionary = dictionaries[v];
    o.handlers.message = on_message;
    o.message_max = 2000;
    o.fields_max = 50;
    sessions[i] = tw_fix_session_new(&o, &error);
    if (!sessions[i]) printf("# %s\n", error.text);
    return sessions[i];
}

static void free_sessions(void)
{
    for (int i = 0; i < 8; i++) {
        tw_fix_session_free(sessions[i]);
        tw_fix_store_close(stores[i]);
        sessions[i] = NULL;
        stores[i] = NULL;
    }
}

static enum tw_fix_call look(enum tw_fix_version v, const char *text,
                             struct tw_fix_caller *c, char why[80])
{
    size_t n;
    char *p = whole(v, text, &n);
    enum tw_fix_call call = TW_FIX_CALL_PARTIAL;
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++) {
        char *part = malloc(i);

        memcpy(part, p, i);
        wrong += tw_fix_caller_read(part, i, c, why) != TW_FIX_CALL_PARTIAL;
        free(part);
    }
    call = tw_fix_caller_read(p, n, c, why);
    if (wrong) ok(false, "each beginning of it is one (%u)", wrong);
    free(p);
    return call;
}

static void callers(void)
{
    static const int lengths[] = { 90, 93, 95, 354, 1401, 1403 };
    struct tw_fix_caller c;
    bool fine = true;
    char why[80] = "", text[300];

    ok(look(TW_FIX_44, "35=A|34=1|49=ME|50=S|142=L|56=YOU|57=T|143=M|98=0|", &c, why)
       == TW_FIX_CALL_LOGON && strcmp(c.begin_string, "FIX.4.4") == 0
       && strcmp(c.sender, "ME") == 0 && strcmp(c.sender_sub, "S") == 0
       && strcmp(c.sender_location, "L") == 0 && strcmp(c.target, "YOU") == 0
       && strcmp(c.target_sub, "T") == 0 && strcmp(c.target_location, "M") == 0,
       "who a Logon is of");
    ok(look(TW_FIX_44, "35=0|34=1|49=ME|56=YOU|", &c, why) == TW_FIX_CALL_NONE, "%s",
       why);
    ok(look(TW_FIX_44, "35=A|34=1|49=ME|", &c, why) == TW_FIX_CALL_NONE, "%s", why);
    ok(tw_fix_caller_read("GET / HTTP/1.1", 14, &c, why) == TW_FIX_CALL_NONE, "%s",
       why);
    ok(tw_fix_caller_read("\26\3\1\2\0\1\0\1", 8, &c, why) == TW_FIX_CALL_NONE
       && strstr(why, "TLS"), "%s", why);
    ok(tw_fix_caller_read("\25\3\1\0\2\2\106", 7, &c, why) == TW_FIX_CALL_NONE
       && strstr(why, "TLS"), "and an alert");
    ok(tw_fix_caller_read("8=FIX.4.4\0019=99999\001", 18, &c, why)
       == TW_FIX_CALL_NONE, "%s", why);
    ok(tw_fix_caller_read("8=FIX.9.9\0019=23\00135=A\00134=1\00149=ME\00156=YOU\001"
                          "10=167\001", 45, &c, why) == TW_FIX_CALL_LOGON
       && strcmp(c.begin_string, "FIX.9.9") == 0, "of a version that nobody knows: %s",
       why);
    ok(look(TW_FIX_50, "35=A|34=1|49=ME|56=YOU|95=7|96=|1137=7|1137=9|", &c, why)
       == TW_FIX_CALL_LOGON && strcmp(c.applied, "9") == 0, "but for what is in data");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        snprintf(text, sizeof text, "35=A|34=1|49=ME|56=YOU|%d=7|%d=|1137=7|1137=9|",
                 lengths[i], lengths[i] + 1);
        fine &= look(TW_FIX_50, text, &c, why) == TW_FIX_CALL_LOGON
             && strcmp(c.applied, "9") == 0;
    }
    ok(fine, "whichever data that is");
    ok(look(TW_FIX_50, "35=A|34=1|49=ME|56=YOU|95=99|96=|1137=7|", &c, why)
       == TW_FIX_CALL_LOGON && strcmp(c.applied, "7") == 0, "of a length that can be");
    snprintf(text, sizeof text, "35=A|34=1|49=%0100d|56=YOU|", 7);
    ok(look(TW_FIX_44, text, &c, why) == TW_FIX_CALL_NONE, "%s", why);
}

static struct tw_fix_session *find(struct tw_fix_listener *l, const char *begin,
                                   const char *sender, const char *sub,
                                   const char *target, struct tw_error *error)
{
    struct tw_fix_caller c = {0};

    snprintf(c.begin_string, sizeof c.begin_string, "%s", begin);
    snprintf(c.sender, sizeof c.sender, "%s", sender);
    snprintf(c.sender_sub, sizeof c.sender_sub, "%s", sub);
    snprintf(c.target, sizeof c.target, "%s", target);
    *error = (struct tw_error){0};
    return tw_fix_listener_find(l, &c, now, error);
}

/* What a session has of its own the caller names, too, each alone. */
static void own_parts(void)
{
    static const struct tw_fix_session_options has[] = {
        { .sender = "US", .target = "A", .sender_sub = "S" },
        { .sender = "US", .target = "A", .sender_location = "S" },
        { .sender = "US", .target = "A", .target_sub = "S" },
        { .sender = "US", .target = "A", .target_location = "S" },
    };
    bool right = true;

    for (int i = 0; i < 4; i++) {
        struct tw_fix_listener *l =
            tw_fix_listener_new(&(struct tw_fix_listener_options){0});
        struct tw_error error = {0};
        struct tw_fix_session *s = new_session(0, 0, has[i]);

        tw_fix_listener_add(l, s, &error);
        for (int said = 0; said < 5; said++) {
            struct tw_fix_caller c = { .begin_string = "FIX.4.2", .sender = "A",
                                       .target = "US" };
            char *part[] = { c.target_sub, c.target_location, c.sender_sub,
                             c.sender_location };

            if (said < 4) strcpy(part[said], "S");
            right &= (tw_fix_listener_find(l, &c, now, &error) == s) == (said == i);
        }
        tw_fix_listener_free(l);
        free_sessions();
    }
    ok(right, "SubIDs and LocationIDs of either side");
}

static void finds(void)
{
    struct tw_fix_listener *l = tw_fix_listener_new(&(struct tw_fix_listener_options){
        .sessions_max = 3 });
    struct tw_fix_session_options plain = { .sender = "US", .target = "A" };
    struct tw_fix_session_options desk = { .sender = "US", .target = "A",
                                           .target_sub = "D" };
    struct tw_error error = {0};

    tw_fix_listener_add(l, new_session(0, 0, desk), &error);
    tw_fix_listener_add(l, new_session(1, 0, plain), &error);
    tw_fix_listener_add(l, new_session(2, 1, plain), &error);
    ok(find(l, "FIX.4.2", "A", "D", "US", &error) == sessions[0], "a SubID");
    ok(find(l, "FIX.4.2", "A", "E", "US", &error) == sessions[1], "another SubID");
    ok(find(l, "FIX.4.4", "A", "", "US", &error) == sessions[2], "a version");
    ok(!find(l, "FIX.4.4", "B", "", "US", &error) && error.code == TW_EUSAGE, "%s",
       error.text);
    ok(!find(l, "FIX.4.4", "A", "", "YOU", &error), "%s", error.text);
    tw_fix_session_connected(sessions[2], now, &error);
    ok(!find(l, "FIX.4.4", "A", "", "US", &error) && error.code == TW_EBUSY, "R5: %s",
       error.text);
    tw_fix_session_enable(sessions[1], now, false);
    ok(!find(l, "FIX.4.2", "A", "", "US", &error) && error.code == TW_ECLOSED, "%s",
       error.text);
    ok(tw_fix_listener_add(l, new_session(3, 0, desk), &error) == TW_EUSAGE, "%s",
       error.text);
    desk.target = "B";
    ok(tw_fix_listener_add(l, new_session(4, 0, desk), &error) == TW_ELIMIT, "%s",
       error.text);
    plain.initiator = true;
    ok(tw_fix_listener_add(l, new_session(5, 0, plain), &error) == TW_EUSAGE, "%s",
       error.text);
    tw_fix_listener_remove(l, sessions[0]);
    ok(!find(l, "FIX.4.2", "A", "D", "US", &error), "one that was removed");
    tw_fix_listener_free(l);
    free_sessions();
}

static struct tw_fix_session *make(void *ctx, size_t template,
                                   const struct tw_fix_caller *c)
{
    static char target[8][TW_FIX_ID_MAX];

    if (strcmp(c->sender, "UNWANTED") == 0) return NULL;
    snprintf(target[made], TW_FIX_ID_MAX, "%s", c->sender);
    *(size_t *)ctx = template;
    made++;
    return new_session(made - 1, 0, (struct tw_fix_session_options){
        .sender = "US", .target = target[made - 1] });
}

static void templates(void)
{
    static const struct tw_fix_template t[] = {
        { "FIX.4.4", "US", "KNOWN", NULL }, { "FIX.4.2", "US", "*", NULL }
    };
    size_t which = 9;
    struct tw_fix_listener *l = tw_fix_listener_new(&(struct tw_fix_listener_options){
        .templates = t, .templates_n = 2, .make = make, .ctx = &which,
        .sessions_max = 2 });
    struct tw_error error;

    ok(find(l, "FIX.4.2", "NEW", "", "US", &error) && which == 1 && made == 1,
       "a session is made");
    ok(find(l, "FIX.4.2", "NEW", "", "US", &error) == sessions[0] && made == 1,
       "and found again");
    ok(!find(l, "FIX.4.4", "NEW", "", "US", &error) && error.code == TW_EUSAGE
       && made == 1, "%s", error.text);
    ok(!find(l, "FIX.4.2", "UNWANTED", "", "US", &error) && error.code == TW_EBUSY,
       "one that can't be made is not unknown: %s", error.text);
    find(l, "FIX.4.2", "MORE", "", "US", &error);
    ok(!find(l, "FIX.4.2", "MANY", "", "US", &error) && error.code == TW_ELIMIT
       && made == 2, "%s", error.text);
    tw_fix_listener_free(l);
    free_sessions();
}

/* Who calls with that DefaultApplVerID. */
static struct tw_fix_session *find_applied(struct tw_fix_listener *l, const char *sender,
                                           const char *applied, struct tw_error *error)
{
    struct tw_fix_caller c = { .begin_string = "FIXT.1.1", .target = "US" };

    snprintf(c.sender, sizeof c.sender, "%s", sender);
    snprintf(c.applied, sizeof c.applied, "%s", applied);
    *error = (struct tw_error){0};
    return tw_fix_listener_find(l, &c, now, error);
}

static void applied_versions(void)
{
    struct tw_fix_listener *l = tw_fix_listener_new(&(struct tw_fix_listener_options){0});
    struct tw_fix_session_options a = { .sender = "US", .target = "A" },
                                  b = { .sender = "US", .target = "B" };
    struct tw_error error = {0};

    ok(tw_fix_listener_add(l, new_session(0, 2, a), &error) == TW_OK
       && tw_fix_listener_add(l, new_session(1, 3, a), &error) == TW_OK
       && tw_fix_listener_add(l, new_session(2, 3, b), &error) == TW_OK
       && tw_fix_listener_add(l, new_session(3, 3, a), &error) == TW_EUSAGE,
       "sessions that differ in the version of their messages alone");
    ok(find_applied(l, "A", "7", &error) == sessions[0]
       && find_applied(l, "A", "9", &error) == sessions[1], "DefaultApplVerID chooses");
    ok(!find_applied(l, "A", "8", &error) && error.code == TW_EUSAGE, "%s", error.text);
    ok(!find_applied(l, "A", "", &error) && error.code == TW_EUSAGE, "%s", error.text);
    ok(find_applied(l, "B", "7", &error) == sessions[2], "where there is what to choose");
    tw_fix_listener_free(l);
    free_sessions();
}

/* A session of the version that the template is of. */
static struct tw_fix_session *make_applied(void *ctx, size_t template,
                                           const struct tw_fix_caller *c)
{
    static char target[8][TW_FIX_ID_MAX];
    unsigned *n = ctx, i = (*n)++;

    snprintf(target[i], TW_FIX_ID_MAX, "%s", c->sender);
    return new_session(i, template == 0 ? 2 : 3, (struct tw_fix_session_options){
        .sender = "US", .target = target[i] });
}

static void applied_templates(void)
{
    static const struct tw_fix_template t[] = {
        { "FIXT.1.1", "US", "*", "7" }, { "FIXT.1.1", "US", "*", "9" }
    };
    unsigned n = 0;
    struct tw_fix_listener *l;
    struct tw_error error;

    for (size_t many = 2; many > 0; many--) {
        n = 0;
        l = tw_fix_listener_new(&(struct tw_fix_listener_options){
            .templates = t, .templates_n = many, .make = make_applied, .ctx = &n });
        if (many == 2) {
            ok(find_applied(l, "A", "9", &error) && n == 1
               && find_applied(l, "A", "7", &error) == sessions[1] && n == 2
               && find_applied(l, "A", "9", &error) == sessions[0] && n == 2,
               "a template for each version");
            ok(!find_applied(l, "A", "8", &error) && !find_applied(l, "N", "8", &error)
               && n == 2 && error.code == TW_EUSAGE, "%s", error.text);
        } else {
            ok(find_applied(l, "A", "9", &error) && n == 1
               && find_applied(l, "A", "8", &error) == sessions[0] && n == 1,
               "one template is for all");
        }
        tw_fix_listener_free(l);
        free_sessions();
    }
}

static void no_memory(void)
{
    struct tw_fix_listener *l = NULL;
    int failed = 0;

    for (uint64_t n = 1; !l; n++) {
        tw_memory_fail_at(n);
        l = tw_fix_listener_new(&(struct tw_fix_listener_options){0});
        failed += !l;
    }
    tw_memory_fail_at(0);
    ok(failed == 2, "no memory (%d)", failed);
    tw_fix_listener_free(l);
}

int main(void)
{
    dictionaries[0] = dictionary(TW_FIX_42, NULL);
    dictionaries[1] = dictionary(TW_FIX_44, NULL);
    dictionaries[2] = dictionary(TW_FIX_50, NULL);
    dictionaries[3] = dictionary(TW_FIX_50SP2, NULL);
    callers();
    own_parts();
    finds();
    templates();
    applied_versions();
    applied_templates();
    no_memory();
    for (int i = 0; i < 4; i++) tw_fix_dictionary_free(dictionaries[i]);
    return tap_done();
}

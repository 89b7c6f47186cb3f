/* fix_acceptor.c - acceptance scripts against an acceptor made of the FIX engine.
 *
 * With a port and a folder of dictionaries it is the acceptor, on loopback sockets, until
 * its standard input ends.  Without, it is the test: it starts itself so, and lets the
 * player of the scripts in ../shared have it, where that is. */
#include <sys/wait.h>
#include <unistd.h>

#include "fix_rig.h"
#include "run/fix_engine.h"
#include "run/io.h"
#include "tap.h"

#define SHARED "../shared/fix-at"

enum { SEEN = 100, DICTIONARIES = 8, SESSIONS = DICTIONARIES + 2 };

/* What a session remembers of this connection. */
struct peer {
    char ids[SEEN][32];
    int ids_n;
};

/* ---- the application ---- */

/* Whether 11 was there before; it is from now on. */
static bool was_seen(struct peer *p, struct tw_fix_text id)
{
    char text[32];

    snprintf(text, sizeof text, "%.*s", (int)id.n, id.at ? id.at : "");
    for (int i = 0; i < p->ids_n; i++)
        if (strcmp(p->ids[i], text) == 0) return true;
    if (p->ids_n < SEEN) memcpy(p->ids[p->ids_n++], text, sizeof text);
    return false;
}

static void echo(struct tw_fix_session *s, struct tw_fix_now now, const char *code,
                 const struct tw_fix_message *m)
{
    struct tw_fix_text again = tw_fix_message_header(m, 97);
    struct tw_fix_field head = { 97, (uint32_t)again.n, again.at };
    struct tw_fix_output *out;
    struct tw_error error;

    if (tw_fix_session_begin(s, now, code, &head, again.at ? 1 : 0, &out, &error) < 0)
        return;
    tw_fix_put_body(out, m, true);
    tw_fix_session_send(s, NULL, &error);
}

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    struct tw_fix_text again = tw_fix_message_header(m, 97);
    char type[2] = { *code.at, 0 };

    if (code.n != 1 || !strchr("DdC", *type)) return TW_FIX_UNSUPPORTED;
    if (*type == 'D' && was_seen(ctx, tw_fix_message_body(m, 11))
        && again.n == 1 && *again.at == 'Y')
        return TW_FIX_TAKEN;
    echo(s, now, type, m);
    return TW_FIX_TAKEN;
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    (void)s, (void)now;
    if (e->kind == TW_FIX_LOGGED_ON) ((struct peer *)ctx)->ids_n = 0;
}

/* ---- the acceptor ---- */

static void no_wake(void *ctx)
{
    (void)ctx;
}

static void no_line(void *ctx, enum tw_log_level level, const char *who,
                    const char *text, size_t n)
{
    (void)ctx;
    if (level == TW_LOG_ERROR) fprintf(stderr, "%s: %.*s\n", who, (int)n, text);
}

/* Of 5.0, its application on top of FIXT.1.1's session. */
static struct tw_fix_dictionary *read_dictionary(const char *folder,
                                                 enum tw_fix_version v)
{
    static const char *const files[] = { "FIX40", "FIX41", "FIX42", "FIX43", "FIX44",
                                         "FIX50", "FIX50SP1", "FIX50SP2" };
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error;
    char path[400];
    int rc = TW_OK;

    snprintf(path, sizeof path, "%s/FIXT11.xml", folder);
    if (v >= TW_FIX_50) rc = tw_fix_draft_file(t, path, &error);
    snprintf(path, sizeof path, "%s/%s.xml", folder, files[v]);
    if (rc == TW_OK) rc = tw_fix_draft_file(t, path, &error);
    if (rc == TW_OK) rc = tw_fix_draft_finish(t, &d, &error);
    if (rc < 0) fprintf(stderr, "%s\n", error.text);
    tw_fix_draft_free(t);
    return d;
}

static bool add_session(struct tw_fix_engine *e, struct tw_fix_dictionary *d,
                        const char *target, unsigned check)
{
    static struct peer peers[SESSIONS];
    static int peers_n;
    struct tw_error error;

    tw_be_main();
    return tw_fix_engine_add(e, &(struct tw_fix_link_options){
        .name = target, .store_bytes = 1 << 20,
        .session = { .dictionary = d, .sender = "ISLD", .target = target, .check = check,
                     .reset_on_logon = true, .message_max = 1 << 16, .fields_max = 1000 },
        .consumer = { .message = on_message, .event = on_event,
                      .ctx = &peers[peers_n++] },
    }, &error) != NULL;
}

static void drain(void *log)
{
    tw_log_drain(log, no_line, NULL);
}

static int be_acceptor(uint16_t port, const char *folder)
{
    static const char *const targets[] = { "TW40", "TW41", "TW42", "TW43", "TW44",
                                           "TW50", "TW50SP1", "TW50SP2" };
    unsigned empty = TW_FIX_CHECK_STRICT & ~(unsigned)TW_FIX_VALIDATE_FIELDS_HAVE_VALUES;
    struct tw_log *log = tw_log_new(1 << 20, no_wake, NULL);
    struct tw_fix_dictionary *dictionaries[DICTIONARIES];
    struct tw_fix_engine *e;
    struct tw_error error;
    struct tw_io *io;
    char byte;

    tw_role_set(&MAIN);
    tw_be_main();
    io = tw_io_new(&(struct tw_io_options){ .log = log, .waiting = drain, .ctx = log });
    e = tw_fix_engine_new(&(struct tw_fix_engine_options){ .io = io, .log = log },
                          &error);
    if (!e || tw_fix_engine_listen(e, &(struct tw_fix_door_options){ .port = port },
                                   &error) < 0)
        return 1;
    for (int v = TW_FIX_40; v <= TW_FIX_50SP2; v++) {
        struct tw_fix_dictionary *d = read_dictionary(folder, (enum tw_fix_version)v);

        dictionaries[v] = d;
        if (!d || !add_session(e, d, targets[v], TW_FIX_CHECK_STRICT)) return 1;
        if (v == TW_FIX_44
            && (!add_session(e, d, "TW", TW_FIX_CHECK_STRICT)
                || !add_session(e, d, "NO_CHECK_FIELDS_HAVE_VALUES", empty)))
            return 1;
    }
    if (tw_io_start(io, &error) < 0) return 1;
    printf("%d\n", tw_fix_engine_port(e, 0));
    fflush(stdout);
    while (read(0, &byte, 1) > 0) drain(log);
    tw_io_stop(io);
    tw_io_free(io);
    tw_fix_engine_free(e);
    for (int i = 0; i < DICTIONARIES; i++) tw_fix_dictionary_free(dictionaries[i]);
    tw_log_free(log);
    return 0;
}

/* ---- the test ---- */

/* Starts the acceptor on a port that it chooses; *in: closed, it ends. */
static int start(const char *self, int *in, pid_t *pid)
{
    int to[2], from[2], port = 0;
    FILE *f;

    if (pipe(to) < 0 || pipe(from) < 0) return 0;
    fflush(stdout);
    *pid = fork();
    if (*pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execl(self, self, "0", SHARED "/spec", (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    *in = to[1];
    f = fdopen(from[0], "r");
    if (fscanf(f, "%d", &port) != 1) port = 0;
    fclose(f);
    return port;
}

static void play(int port, const char *scripts)
{
    char command[300], line[600];
    unsigned passed = 0, failed = 0;
    FILE *f;

    snprintf(command, sizeof command, "python3 " SHARED "/run_at.py --port %d %s 2>&1",
             port, scripts);
    f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        passed += strncmp(line, "ok ", 3) == 0;
        failed += strncmp(line, "not ok ", 7) == 0;
        if (strncmp(line, "ok ", 3) != 0) printf("# %s", line);
    }
    if (f) pclose(f);
    ok(failed == 0 && passed > 0, "%u acceptance scripts pass, %u fail", passed, failed);
}

int main(int argc, char **argv)
{
    const char *small = getenv("SMALL") ? " --match '/1[0-4a-e]|/2[a-o]|/Re'" : "";
    char scripts[200];
    int in = -1, port;
    pid_t pid = 0;

    if (argc > 2) return be_acceptor((uint16_t)atoi(argv[1]), argv[2]);
    if (access(SHARED "/run_at.py", R_OK) < 0
        || system("python3 -c pass 2>/dev/null") != 0) {
        ok(true, "acceptance scripts # SKIP " SHARED " or python3 is not here");
        return tap_done();
    }
    port = start(argv[0], &in, &pid);
    ok(port > 0, "the acceptor listens");
    snprintf(scripts, sizeof scripts, SHARED "/definitions/server/fix42%s", small);
    play(port, scripts);
    close(in);
    waitpid(pid, NULL, 0);
    return tap_done();
}

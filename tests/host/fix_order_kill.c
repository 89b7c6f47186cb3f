/* fix_order_kill.c - a program is killed at each byte that it keeps of its orders and at
 * each message that it sends, while a bracket lives: the next run has the exits of an
 * entry that has gone out, at the venue once it has traded, or is told what has become of
 * them, and none of one that has not.  And while two orders of a group trade: what is
 * left of them does not depend on when the file was written anew. */
#include "fix/order_entry.h"

#include <limits.h>

#include "base/memory.h"
#include "fix_rig.h"
#include "tap.h"

enum { ENTRY = 7, PROFIT = 8, STOP = 9, ORDERS = 10, REPLIES = 64 };

static const int64_t NOW = INT64_C(1767225600000000000), TEN = 10 * TW_FIXED_ONE;
static struct tw_symbols *symbols;
static struct tw_fix_dictionary *dictionary_of_44;
static struct tw_fix_message parsed;
static struct tw_fix_orders *orders;
static int token;                        /* what user points to */

/* ---- until it is killed ---- */

static long left;                        /* bytes and messages */
static bool dead;

static bool lives(void)
{
    dead = dead || left == 0;
    if (!dead) left--;
    return !dead;
}

static char file[1 << 16];               /* what was kept */
static size_t file_n;

/* As host/run/fix_gateway.c does before anything is sent or told. */
static void keep(void)
{
    char *text = NULL;
    size_t n = 0;

    if (dead || !tw_fix_orders_lines(orders, false, &text, &n)) return;
    if (file_n + n >= sizeof file) abort();
    for (size_t i = 0; i < n && lives(); i++) file[file_n++] = text[i];
    file[file_n] = '\0';
    tw_free(text);
}

/* ---- the venue ---- */

static struct { unsigned came; bool over, filled; } venue[ORDERS];
static char reply[REPLIES][300];
static unsigned replies, replied;

static void answer(int id, const char *exec, const char *status)
{
    const char *done = venue[id].filled ? "10" : "0";

    if (replies == REPLIES) abort();
    snprintf(reply[replies++], sizeof reply[0], "8|37=%s|11=%d|17=%s%d|150=%s|39=%s|55=A"
             "|54=%d|38=10|44=10|14=%s|6=%s|151=%s%s|", venue[id].came ? "X" : "NONE", id,
             exec, id, exec, status, id == ENTRY ? 1 : 2, done,
             venue[id].filled ? "10" : "0", venue[id].over ? "0" : "10",
             *exec == 'F' ? "|32=10|31=10" : "");
}

static void fill(int id)
{
    if (!venue[id].came || venue[id].over) return;
    venue[id].filled = venue[id].over = true;
    answer(id, "F", "2");
}

static void arrive(const struct tw_fix_outgoing *m)
{
    const char *text = shown(m->body, m->n), *at = strstr(text, "|11=");
    const char *former = strstr(text, "41=");
    int id = strncmp(text, "11=", 3) == 0 ? atoi(text + 3) : at ? atoi(at + 4) : 0;

    if (former) id = atoi(former + 3);
    if (id < ENTRY || id > STOP) abort();
    switch (*m->code) {
    case 'D':
        venue[id].came++;
        answer(id, "0", "0");
        break;
    case 'F':
        if (venue[id].over) return;      /* the end is on its way */
        venue[id].over = true;
        answer(id, "4", "4");
        break;
    default:
        if (!venue[id].came) answer(id, "I", "8");
        else if (!venue[id].over) answer(id, "I", "0");
        else answer(id, "I", venue[id].filled ? "2" : "4");
    }
}

/* ---- the gateway ---- */

static void turn(void)
{
    struct tw_fix_outgoing m;
    static uint64_t seq;

    while (!dead && tw_fix_orders_next(orders, NOW, &m)) {
        keep();
        if (!lives()) return;
        arrive(&m);
        tw_fix_orders_sent(orders, ++seq);
    }
    keep();
}

/* All that goes out, and what comes of it. */
static void talk(void)
{
    turn();
    while (!dead && replied < replies) {
        char text[400];
        size_t n;
        char *p;

        snprintf(text, sizeof text, "35=8|34=9|49=B|52=20260101-00:00:00|56=A|%s",
                 reply[replied++] + 2);
        p = whole(TW_FIX_44, text, &n);
        if (take(&parsed, dictionary_of_44, p, n) != 0) abort();
        tw_fix_orders_message(orders, &parsed);
        free(p);
        turn();
    }
}

/* ---- the script and its broker ---- */

static struct { uint8_t status; bool held; int64_t parent_qty; } mine[ORDERS];

static void on_report(void *ctx, const struct tw_venue_report *r)
{
    int id = (int)r->report.order;

    (void)ctx;
    mine[id].status = r->status;
    if (!r->aside || !r->aside->adopts) return;
    mine[id].held = r->aside->ties.held;
    mine[id].parent_qty = r->aside->ties.parent_qty;
}

static struct tw_request request(enum tw_request_what what, int id)
{
    return (struct tw_request){
        .what = what, .owner = 3, .id = (uint64_t)id, .symbol = 1, .type = '2',
        .side = id == ENTRY ? TW_SIDE_BUY : TW_SIDE_SELL, .tif = '1', .quantity = TEN,
        .price = TEN, .user = &token };
}

static void ask(enum tw_request_what what, int id)
{
    static const struct tw_ties ties = { .parent = ENTRY, .group = ENTRY,
                                         .reduce_only = true, .label = "an exit" };
    struct tw_request q = request(what, id), exits[2];
    struct tw_error error = { 0 };

    if (id != ENTRY) q.ties = &ties;
    for (int i = 0; id == ENTRY && what == TW_REQUEST_NEW && i < 2; i++) {
        exits[i] = request(TW_REQUEST_HOLD, PROFIT + i);
        exits[i].ties = &ties;
        exits[i].user = NULL;
        q.exits = exits;
        q.n_exits = 2;
    }
    if (!dead) tw_fix_orders_send(orders, &q, &error);
}

static void join(void)
{
    struct tw_fix_estate left_by_it;

    tw_fix_orders_join(orders, 3, "me", NOW, &left_by_it);
    tw_fix_estate_fini(&left_by_it);
}

static struct tw_fix_orders *begin(void)
{
    memset(mine, 0, sizeof mine);
    return orders = tw_fix_orders_new(&(struct tw_fix_orders_options){
        .dictionary = dictionary_of_44, .symbols = symbols, .no_mass_status = true,
        .keeps = true, .report = on_report });
}

/* All of a bracket's life; it may end anywhere. */
static void first_run(void)
{
    begin();
    join();
    tw_fix_orders_logged_on(orders);
    ask(TW_REQUEST_NEW, ENTRY);
    turn();                              /* the gateway's thread is faster */
    ask(TW_REQUEST_HOLD, PROFIT);
    ask(TW_REQUEST_HOLD, STOP);
    talk();
    if (!dead) fill(ENTRY);
    talk();
    ask(TW_REQUEST_NEW, PROFIT);
    ask(TW_REQUEST_NEW, STOP);
    talk();
    if (!dead) fill(PROFIT);
    talk();
    ask(TW_REQUEST_CANCEL, STOP);
    talk();
    tw_fix_orders_free(orders);
}

static bool is_open(int id)
{
    uint8_t s = mine[id].status;

    return s == TW_STATUS_NEW || s == TW_STATUS_PENDING_NEW
        || s == TW_STATUS_PARTIALLY_FILLED;
}

/* What was kept, as it is; what the broker does with exits that wait. */
static size_t second_run(void)
{
    bool is_whole = file_n >= 2 && strcmp(file + file_n - 2, ".\n") == 0;
    char *text = strdup(file), *all = NULL;
    struct tw_error error;
    size_t strange = 0, n = 0;

    begin();
    dead = false;
    left = LONG_MAX;
    replied = replies = 0;
    if (!text || tw_fix_orders_restore(orders, text, &strange, &error) < 0) abort();
    free(text);
    if (!tw_fix_orders_lines(orders, true, &all, &n) || n >= sizeof file) abort();
    if (n) memcpy(file, all, n);
    file[file_n = n] = '\0';
    tw_free(all);
    join();
    tw_fix_orders_logged_on(orders);
    talk();
    for (int id = PROFIT; id <= STOP; id++) {
        if (!mine[id].held) continue;
        if (mine[id].parent_qty > 0 || mine[ENTRY].status == TW_STATUS_FILLED)
            ask(TW_REQUEST_NEW, id);
        else if (!is_open(ENTRY)) ask(TW_REQUEST_DROP, id);
    }
    talk();
    return is_whole ? strange : 0;
}

/* Whether the exit of an entry that is at the venue is there, too, or waits, or has told
 * of its end. */
static bool is_known(int id)
{
    return mine[id].status || venue[id].over;
}

/* ---- a group of two, both of which trade ---- */

#define SAID(id, exec, more) "11=" id "|37=X|17=" exec "|55=A|54=1|44=10|6=10|" more
#define TRADED(id, exec, all, quantity, cum) \
    SAID(id, exec, "150=F|39=1|31=10|38=" all "|32=" quantity "|14=" cum "|")
#define REPLACED(id, orig, exec, quantity, cum) \
    SAID(id, exec, "41=" orig "|150=5|39=1|38=" quantity "|14=" cum "|")

/* What the venue says, or what is asked for: "7" is a new order, "7 6" cuts it to 6. */
static const char *const moves[] = {
    "7", "8", SAID("7", "a", "150=0|39=0|38=10|14=0|"), TRADED("8", "b", "10", "3", "3"),
    TRADED("7", "c", "10", "4", "4"), "8 6", "7 7", REPLACED("8a", "8", "d", "6", "3"),
    TRADED("8a", "e", "6", "1", "4"), REPLACED("7a", "7", "f", "7", "4"), "7 6",
    TRADED("7a", "g", "7", "1", "5"), TRADED("8a", "h", "6", "1", "5"),
    REPLACED("7b", "7a", "i", "6", "5"), TRADED("7b", "j", "6", "1", "6"),
};

enum { MOVES = sizeof moves / sizeof *moves };

static void hear(const char *said)
{
    char text[400];
    size_t n;
    char *p;

    snprintf(text, sizeof text, "35=8|34=9|49=B|52=20260101-00:00:00|56=A|%s", said);
    p = whole(TW_FIX_44, text, &n);
    if (take(&parsed, dictionary_of_44, p, n) != 0) abort();
    tw_fix_orders_message(orders, &parsed);
    free(p);
}

static void move(const char *what)
{
    static const struct tw_ties ties = { .group = 5 };
    struct tw_request q = request(TW_REQUEST_NEW, atoi(what));

    if (strchr(what, '=')) {
        hear(what);
        return;
    }
    q.side = TW_SIDE_BUY;
    q.ties = &ties;
    if (strchr(what, ' ')) {
        q.what = TW_REQUEST_REPLACE;
        q.quantity = atoi(strchr(what, ' ')) * TW_FIXED_ONE;
    }
    if (tw_fix_orders_send(orders, &q, NULL) < 0) abort();
}

/* All of it anew, or what has come since: into the file. */
static void keep_all(bool all)
{
    char *text = NULL;
    size_t n = 0;

    if (!tw_fix_orders_lines(orders, all, &text, &n)) abort();
    if (all) file_n = 0;
    if (file_n + n >= sizeof file) abort();
    if (n) memcpy(file + file_n, text, n);
    file[file_n += n] = '\0';
    tw_free(text);
}

/* cut: the quantity that each order is cut to; 0: it is left as it is, -1: canceled. */
static void send_all(int cut[2])
{
    struct tw_fix_outgoing m;
    static uint64_t seq;

    cut[0] = cut[1] = 0;
    while (tw_fix_orders_next(orders, NOW, &m)) {
        const char *text = shown(m.body, m.n);

        keep_all(false);
        if (*m.code == 'G') cut[text[3] - '7'] = atoi(strstr(text, "|38=") + 4);
        if (*m.code == 'F') cut[text[3] - '7'] = -1;
        tw_fix_orders_sent(orders, ++seq);
    }
}

/* Killed after so many moves, with the file written anew after one of them; runs that are
 * killed as they begin follow.  What the last one cuts. */
static void after(int killed, int anew, int runs, int cut[2])
{
    struct tw_error error;
    size_t strange;

    file[file_n = 0] = '\0';
    begin();
    join();
    tw_fix_orders_logged_on(orders);
    for (int i = 0; i < killed; i++) {
        move(moves[i]);
        send_all(cut);
        keep_all(i == anew);
    }
    for (; runs > 0; runs--) {
        char *text = strdup(file);

        tw_fix_orders_free(orders);
        begin();
        if (!text || tw_fix_orders_restore(orders, text, &strange, &error) < 0) abort();
        free(text);
        keep_all(true);
    }
    join();
    tw_fix_orders_logged_on(orders);
    send_all(cut);
    tw_fix_orders_free(orders);
}

static void groups(void)
{
    long cuts = 0, others = 0, all = 0;

    for (int killed = 0; killed <= MOVES; killed++) {
        int first[2], now[2];

        after(killed, -1, 1, first);
        cuts += first[0] || first[1];
        for (int anew = 0; anew < killed; anew++)
            for (int runs = 1; runs <= 2; runs++, all++) {
                after(killed, anew, runs, now);
                if (now[0] == first[0] && now[1] == first[1]) continue;
                if (others++ == 0)
                    printf("# killed after %d, anew after %d, %d: %d %d, not %d %d\n",
                           killed, anew, runs, now[0], now[1], first[0], first[1]);
            }
    }
    ok(cuts > 3 && others == 0, "two orders are cut alike (%ld times) whenever the file"
       " was written anew: %ld of %ld are not", cuts, others, all);
}

int main(void)
{
    long kills = 0, gone = 0, waited = 0, told = 0, strange = 0, lost = 0, stray = 0;
    long bare = 0, twice = 0;
    long step = getenv("SMALL") ? 7 : 1;

    symbols = tw_symbols_new(4);
    tw_symbols_intern(symbols, "A", 1);
    dictionary_of_44 = dictionary(TW_FIX_44, NULL);
    if (tw_fix_message_init(&parsed, 0, 0) < 0) abort();
    for (bool killed = true; killed; kills += step) {
        memset(venue, 0, sizeof venue);
        replies = replied = 0;
        file_n = 0;
        file[0] = '\0';
        dead = false;
        left = kills;
        first_run();
        killed = dead;
        strange += (long)second_run();
        for (int id = PROFIT; id <= STOP; id++) {
            if (!venue[ENTRY].came) {
                stray += venue[id].came || (is_open(id) && !mine[id].held);
                continue;
            }
            lost += !is_known(id);
            gone += venue[id].came;
            waited += mine[id].held && !venue[id].came;
            told += !venue[id].came && !mine[id].held;
            bare += venue[ENTRY].filled && !venue[PROFIT].filled && !venue[id].came;
            twice += venue[id].came > 1;
        }
        tw_fix_orders_free(orders);
    }
    ok(kills > 1000 && gone > 0 && waited > 0, "killed at %ld places: %ld exits were or"
       " went to the venue, %ld wait, of %ld the end is told", kills, gone, waited, told);
    ok(lost == 0, "no exit of an entry that went out is lost (%ld)", lost);
    ok(stray == 0, "none goes out without it (%ld)", stray);
    ok(bare == 0 && twice == 0, "each is at the venue once what it is for is held, and"
       " came once (%ld not, %ld twice)", bare, twice);
    ok(strange == 0, "what was written to its end is all read");
    groups();
    tw_fix_message_fini(&parsed);
    tw_fix_dictionary_free(dictionary_of_44);
    tw_symbols_free(symbols);
    return tap_done();
}

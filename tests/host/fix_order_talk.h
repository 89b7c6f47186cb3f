/* fix_order_talk.h - for tests of what a venue may say of orders over FIX, by hand: a
 * line is what it says, what is asked for, or what must come of it. */
#ifndef FIX_ORDER_TALK_H
#define FIX_ORDER_TALK_H

#include "fix/order_entry.h"

#include <stdarg.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "fix_rig.h"
#include "tap.h"

static struct tw_symbols *symbols;
static struct tw_fix_dictionary *dictionaries[TW_FIX_50SP2 + 1];
static enum tw_fix_version version;
static struct tw_fix_orders *orders;
static struct tw_fix_message parsed;
static char told[2000];
static bool shows_words;                /* of the venue's own                     */
static struct tw_fix_orders_options options;   /* of them; to make them anew      */
static char kept[1 << 16];              /* all lines of them                      */
static int token;                       /* what user points to */
static int64_t asked_symbol = 1;        /* of what is asked for                   */
static const int64_t NOW = INT64_C(1767225600000000000);
static int64_t later;                   /* than that: by "tick"                    */

static void add(const char *format, ...)
{
    size_t n = strlen(told);
    va_list args;

    va_start(args, format);
    vsnprintf(told + n, sizeof told - n, format, args);
    va_end(args);
}

static double shown_of(int64_t v)
{
    return tw_fixed_to_double(v);
}

/* Of what one message says: a trade that is taken back says whether another is in its
 * place, and then that comes. */
static bool amends, takes_back;

static void check_amended(const struct tw_report *p)
{
    if (p->exec == 'F' && takes_back && !amends) abort();
    if (p->exec == 'F') amends = takes_back = false;
    if (p->exec == 'H') amends = p->is_amended, takes_back = true;
}

/* "7:F 5@10 fee 0.5 (reason) ! *": ! has an answer, * its order may be gone; "7:9~": a
 * change was refused. */
static void on_report(void *ctx, const struct tw_venue_report *r)
{
    const struct tw_report *p = &r->report;

    (void)ctx;
    check_amended(p);
    add("%s%d:%c", *told ? " " : "", (int)p->order, p->exec);
    if (p->of_change) add("~");
    if (p->exec == 'F' || p->exec == 'H')
        add(" %g@%g", shown_of(p->last_qty), shown_of(p->last_px));
    if (p->exec == '5') add(" %g@%g", shown_of(p->quantity), shown_of(p->price));
    if (p->is_charged) add(" fee %g", tw_money_to_double(p->charge.own));
    if (p->charge.ratio) add(" and %g%%", 100 * shown_of(p->charge.ratio));
    if (p->charge.other)
        add(" and %g %s", tw_money_to_double(p->charge.other), p->charge.currency);
    if (p->reason) add(" (%d)", p->reason);
    if (r->aside && r->aside->adopts && r->aside->ties.held)
        add(" waits for %d", (int)r->aside->ties.parent);
    if (r->aside && r->aside->adopts && r->aside->ties.parent_qty > 0)
        add(", which has %g", shown_of(r->aside->ties.parent_qty));
    if (r->aside && r->aside->adopts && r->aside->ties.others_qty)
        add(", others %g", shown_of(r->aside->ties.others_qty));
    if (r->aside && r->aside->adopts && r->aside->ties.most)
        add(", at most %g", shown_of(r->aside->ties.most));
    if (r->aside && r->aside->adopts && *r->aside->ties.label)
        add(" '%s'", r->aside->ties.label);
    if (r->aside && r->aside->adopts)
        add(" of %d %g@%g traded %g@%g", (int)r->owner,
            shown_of(r->aside->order.quantity), shown_of(r->aside->order.price),
            shown_of(r->aside->cum_qty),
            shown_of(tw_money_price(r->aside->cum_value, r->aside->cum_qty)));
    else if (r->aside && r->aside->late)
        add(" late %c, %g@%g traded %g@%.10g", r->status,
            shown_of(r->aside->order.quantity), shown_of(r->aside->order.price),
            shown_of(r->aside->cum_qty),
            shown_of(tw_money_price(r->aside->cum_value, r->aside->cum_qty)));
    if (r->aside && r->aside->late && r->aside->ties.parent_qty >= 0)
        add(", entry %g", shown_of(r->aside->ties.parent_qty));
    if (r->aside && r->aside->late && r->aside->ties.others_qty > 0)
        add(", others %g", shown_of(r->aside->ties.others_qty));
    if (r->aside && !r->aside->adopts && !r->aside->late && shows_words)
        add(" '%s' %d", r->aside->text, r->aside->has_code ? (int)r->aside->code : -1);
    if (r->answers) add("!");
    if (!r->user) add("*");
}

static void on_stray(void *ctx, const struct tw_fix_stray *s)
{
    (void)ctx;
    add("%sstray %.*s", *told ? " " : "", (int)s->id.n, s->id.at ? s->id.at : "");
}

/* Text with | for SOH, as the session has it. */
static void say(const char *line)
{
    const char *body = line + 1;
    char text[1000];
    size_t n;
    char *p;

    snprintf(text, sizeof text, "35=%.*s|34=9|49=B|52=20260101-00:00:00|56=A|%s",
             (int)strcspn(body, "|"), body, strchr(body, '|') + 1);
    p = whole(version, text, &n);
    if (take(&parsed, dictionaries[version], p, n) != 0) abort();
    if (*line == '~') {
        if (tw_fix_orders_refused(orders, &parsed)) tw_fix_orders_missed(orders);
    } else if (*body == '3') {
        tw_fix_orders_rejected(orders, strtoul(strstr(body, "45=") + 3, NULL, 10),
                               &parsed);
    } else {
        tw_fix_orders_message(orders, &parsed);
    }
    free(p);
    if (amends) abort();
    takes_back = false;
}

static void keep_lines(bool all)
{
    char *text = NULL;
    size_t n = 0;

    if (!tw_fix_orders_lines(orders, all, &text, &n)) return;
    if (all) kept[0] = '\0';
    if (strlen(kept) + n >= sizeof kept) abort();
    if (n) strncat(kept, text, n);
    tw_free(text);
}

/* All that goes out, as "D 11=1|...  F ...". */
static const char *out(void)
{
    static char text[9000];
    static uint64_t seq;
    struct tw_fix_outgoing m;

    text[0] = '\0';
    if (strcmp(told, "first") == 0) seq = 0, told[0] = '\0';
    while (tw_fix_orders_next(orders, NOW + later, &m)) {
        size_t n = strlen(text);

        keep_lines(false);
        snprintf(text + n, sizeof text - n, "%s%s %s", n ? " " : "", m.code,
                 shown(m.body, m.n));
        tw_fix_orders_sent(orders, ++seq);
    }
    return text;
}

/* new ID [price] [f=flag...]  cancel ID  replace ID quantity price [cut]
 * hold ID parent [0 "dash" or "long": its label]  drop ID
 * bracket ID: a new one, for which the next two ids wait
 * group ID group: a new one of that group */
static void ask(const char *line)
{
    struct tw_request q = { .owner = 3, .symbol = (uint32_t)asked_symbol,
                            .side = TW_SIDE_BUY, .type = '2', .tif = '1',
                            .quantity = 10 * TW_FIXED_ONE, .user = &token };
    struct tw_request exits[2];
    struct tw_ties ties = { .reduce_only = true, .label = "a label" };
    struct tw_error error = { 0 };
    double price = 10, quantity = 10;
    char what[20] = "", more[20] = "";
    int id = 0;

    sscanf(line, "%19s %d %lf %lf %19s", what, &id, &quantity, &price, more);
    q.id = (uint64_t)id;
    q.quantity = (int64_t)(quantity * 1e9);
    q.price = (int64_t)(price * 1e9);
    q.what = *what == 'n' ? TW_REQUEST_NEW : *what == 'c' ? TW_REQUEST_CANCEL
           : *what == 'g' ? TW_REQUEST_GROW : TW_REQUEST_REPLACE;
    if (*what == 'h' || strcmp(what, "group") == 0) {
        if (strcmp(more, "dash") == 0) strcpy(ties.label, "-");
        if (strcmp(more, "long") == 0) memset(ties.label, '%', sizeof ties.label - 1);
        if (*what == 'h') ties.parent = (uint64_t)quantity;
        else ties.group = (uint64_t)quantity;
        q.what = *what == 'h' ? TW_REQUEST_HOLD : TW_REQUEST_NEW;
        q.quantity = q.price = 10 * TW_FIXED_ONE;
        q.ties = &ties;
    }
    if (*what == 'd') q.what = TW_REQUEST_DROP;
    if (*what == 'b') {
        ties.parent = ties.group = q.id;
        q.what = TW_REQUEST_NEW;
        for (q.n_exits = 0; q.n_exits < 2; q.n_exits++) {
            exits[q.n_exits] = q;
            exits[q.n_exits].id = q.id + 1 + q.n_exits;
            exits[q.n_exits].what = TW_REQUEST_HOLD;
            exits[q.n_exits].n_exits = 0;
            exits[q.n_exits].owner = 0;
            exits[q.n_exits].ties = &ties;
        }
        q.exits = exits;
    }
    if (strcmp(more, "cut") == 0) ties.most = q.quantity, q.ties = &ties;
    if (strcmp(more, "post") == 0) q.post_only = true;
    if (strcmp(more, "reduce") == 0) q.reduce_only = true;
    if (strcmp(more, "close") == 0) q.tif = '7';
    if (strcmp(more, "percent") == 0) q.type = 'P', q.trail_part = 1, q.price = 0;
    if (strcmp(more, "trail") == 0) q.type = 'P', q.trail = TW_FIXED_ONE / 2, q.price = 0;
    if (strcmp(more, "day") == 0) q.tif = '0';
    if (tw_fix_orders_send(orders, &q, &error) < 0) add("%s", error.text);
}

static void open_orders(const struct tw_fix_orders_options *more)
{
    options = *more;
    options.dictionary = dictionaries[version];
    options.symbols = symbols;
    options.report = on_report;
    options.stray = on_stray;
    orders = tw_fix_orders_new(&options);
    kept[0] = '\0';
    strcpy(told, "first");
    later = 0;
    out();
}

/* join OWNER NAME: what it holds is told. */
static void join(const char *line)
{
    struct tw_fix_estate left;
    char name[20] = "";
    int owner = 0;

    sscanf(line, "join %d %19s", &owner, name);
    if (tw_fix_orders_join(orders, (uint32_t)owner, name, NOW, &left) < 0) return;
    for (size_t i = 0; i < left.n; i++)
        add("%sholds %g@%g", *told ? " " : "", shown_of(left.list[i].quantity),
            shown_of(left.list[i].price));
    tw_fix_estate_fini(&left);
}

/* account NAME ACCOUNT */
static void account(const char *line)
{
    char name[20] = "", its[20] = "";

    sscanf(line, "account %19s %19s", name, its);
    if (tw_fix_orders_set_account(orders, name, its) < 0) add("no memory");
}

static void orphans(void)
{
    struct tw_fix_holding p;
    const char *name;

    while ((name = tw_fix_orders_orphan(orders, &p)) != NULL)
        add("%s%s %g@%g", *told ? " " : "", name, shown_of(p.quantity),
            shown_of(p.price));
}

/* The program is killed, and begins again with the lines that were kept. */
static void restart(void)
{
    struct tw_error error;
    size_t strange;

    tw_fix_orders_free(orders);
    orders = tw_fix_orders_new(&options);
    if (!orders) return;
    if (tw_fix_orders_restore(orders, kept, &strange, &error) == TW_OK && strange)
        add("%d strange lines", (int)strange);
    kept[0] = '\0';
    keep_lines(true);
}

static struct tw_desk desk;      /* where options name it */

/* Lines: ">8|..." is said ("~8": it is refused), "<D 11=..." goes out, "=..." was
 * told, "uuid 1" (2: short; from a restart on), "on", "leaving", "off", "halt",
 * "resend N [M]" (the peer wants N to M), "unsent": what comes next can't be sent, else
 * asked for.
 * What is there instead, or NULL. */
static const char *play(const char *line)
{
    static char got[9000];

    switch (*line) {
    case '>': case '~': if (orders) say(line), keep_lines(false); return NULL;
    case '<': case '=':
        if (!orders) return NULL;
        strcpy(got, *line == '<' ? out() : told);
        if (*line == '=') told[0] = '\0';
        return strcmp(got, line + 1) == 0 ? NULL : got;
    default: break;
    }
    if (!orders) return NULL;
    if (strcmp(line, "restart") == 0) restart();
    else if (strncmp(line, "uuid ", 5) == 0)
        options.id_form = (enum tw_fix_id_form)(line[5] - '0');
    else if (strcmp(line, "anew") == 0) keep_lines(true);
    else if (strcmp(line, "spoil") == 0) strcat(kept, "O 8 what\nO 9 me A 1 2");
    else if (strncmp(line, "join", 4) == 0) join(line);
    else if (strncmp(line, "account ", 8) == 0) account(line);
    else if (strncmp(line, "symbol ", 7) == 0)
        asked_symbol = tw_symbols_intern(symbols, line + 7, strlen(line + 7));
    else if (strcmp(line, "on") == 0) tw_fix_orders_logged_on(orders);
    else if (strcmp(line, "orphans") == 0) orphans();
    else if (strcmp(line, "leaving") == 0) tw_fix_orders_leaving(orders);
    else if (strcmp(line, "off") == 0) tw_fix_orders_logged_out(orders, NOW);
    else if (strcmp(line, "halt") == 0)
        tw_desk_halt(&desk, true), tw_fix_orders_halted(orders);
    else if (strncmp(line, "expect ", 7) == 0)
        tw_fix_orders_expect(orders, (uint32_t)atoi(line + 7));
    else if (strcmp(line, "missed") == 0) tw_fix_orders_missed(orders);
    else if (strcmp(line, "sent") == 0) out();
    else if (strcmp(line, "unsent") == 0) {
        struct tw_fix_outgoing m;

        if (tw_fix_orders_next(orders, NOW, &m)) tw_fix_orders_unsent(orders);
    } else if (strncmp(line, "resend ", 7) == 0) {
        unsigned long from = 0, to = (unsigned long)-1;

        sscanf(line, "resend %lu %lu", &from, &to);
        tw_fix_orders_resending(orders, from, to);
    }
    else if (strncmp(line, "tick ", 5) == 0) {
        later = atoi(line + 5) * TW_FIXED_ONE;
        tw_fix_orders_tick(orders, NOW + later);
    }
    else ask(line);
    return NULL;
}

static void talk(const char *name, enum tw_fix_version v,
                 const struct tw_fix_orders_options *o, const char *lines)
{
    char *copy = strdup(lines), *save = NULL, *line;
    const char *got = NULL;

    version = v;
    open_orders(o);
    for (line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if ((got = play(line)) != NULL) break;
    ok(!got, "%s", name);
    if (got) printf("#   line: %s\n#   got:  %s\n", line, got);
    free(copy);
    tw_fix_orders_free(orders);
}

#define T "60=20260101-00:00:00.000|"
#define NEW(id) ">8|37=X" id "|11=" id "|17=n" id "|150=0|39=0|55=A|54=1|38=10|44=10" \
    "|151=10|14=0|6=0|\n"
#define FILL(id, exec, quantity, price, cum) ">8|37=X" id "|11=" id "|17=" exec \
    "|150=F|39=1|55=A|54=1|38=10|32=" quantity "|31=" price "|14=" cum "|6=10|\n"

static const struct tw_fix_orders_options none = { .no_mass_status = true };

static void begin(void)
{
    symbols = tw_symbols_new(4);
    tw_symbols_intern(symbols, "A", 1);
    if (tw_fix_message_init(&parsed, 0, 0) < 0) abort();
    for (int v = 0; v <= TW_FIX_50SP2; v++)
        dictionaries[v] = dictionary((enum tw_fix_version)v, NULL);
}

static void end(void)
{
    tw_fix_message_fini(&parsed);
    for (int v = 0; v <= TW_FIX_50SP2; v++) tw_fix_dictionary_free(dictionaries[v]);
    tw_symbols_free(symbols);
}

#endif

/* fix_market_data.c - any market data at all, to a subscriber, and any request to a
 * publisher: neither crashes, and both stay within their bounds. */
#include "fix/market_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fix/draft.h"
#include "fix/publisher.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEVELS = 8, LINE = 1000 };

static struct tw_fix_dictionary *dictionaries[TW_FIX_50SP2 + 1];
static uint64_t request;              /* the last one, that %R in a line stands for */
static uint64_t sent;

static struct tw_fix_dictionary *dictionary(enum tw_fix_version v)
{
    struct tw_fix_draft *t;

    if (dictionaries[v]) return dictionaries[v];
    t = tw_fix_draft_new();
    if (!t || tw_fix_draft_version(t, v, NULL) < 0
        || tw_fix_draft_finish(t, &dictionaries[v], NULL) < 0)
        abort();
    tw_fix_draft_free(t);
    return dictionaries[v];
}

/* A and B, which are 1 and 2, are months of one future. */
static const struct tw_fix_extra of_a[] = { { 200, "202612" }, { 167, "FUT" } },
    of_b[] = { { 200, "202703" } };
static const struct tw_fix_instrument months[] = { { 1, "F", of_a, 2, 2 },
                                                   { 2, "F", of_b, 1, 1 } };

static int on_send(void *ctx, const char *code, const char *body, size_t n)
{
    uint64_t *full = ctx;

    if (n == 0 || body[n - 1] != TW_FIX_SOH) abort();
    if (*full > 0) {
        --*full;
        return TW_EFULL;
    }
    if ((*code == 'V' && strncmp(body, "262=", 4) == 0)
        || (*code == 'R' && strncmp(body, "131=", 4) == 0))
        request = strtoull(body + 4, NULL, 10);
    sent++;
    return TW_OK;
}

static void take(struct tw_batch *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        const struct tw_record *r = &b->r[i];

        if (r->kind != TW_QUOTE && r->kind != TW_TRADE && r->kind != TW_GAP
            && r->kind != TW_LEVEL && r->kind != TW_STATUS)
            abort();
        if (r->kind == TW_QUOTE && (r->quote.bid_size < 0 || r->quote.ask_size < 0))
            abort();
    }
    b->n = 0;
}

/* A whole message of a line "W55=A|...". */
static size_t compose(char *out, enum tw_fix_version v, const uint8_t *text, size_t n)
{
    char body[2 * LINE];
    size_t at, whole;
    unsigned sum = 0;

    if (n > LINE) n = LINE;
    at = (size_t)sprintf(body, "35=%c|49=A|56=B|34=7|52=20240102-09:30:00.5|",
                         n ? text[0] : 'W');
    for (size_t i = 1; i < n; i++) {
        if (text[i] == '%' && at + 30 < sizeof body)
            at += (size_t)sprintf(body + at, "%llu", (unsigned long long)request);
        else body[at++] = (char)text[i];
        if (at + 40 > sizeof body) break;
    }
    body[at++] = '|';
    whole = (size_t)sprintf(out, "8=%s|9=%zu|", tw_fix_begin_string(v), at);
    memcpy(out + whole, body, at);
    whole += at;
    for (size_t i = 0; i < whole; i++) {
        if (out[i] == '|') out[i] = TW_FIX_SOH;
        sum += (unsigned char)out[i];
    }
    return whole + (size_t)sprintf(out + whole, "10=%03u\001", sum & 255);
}

static void look(const struct tw_fix_md *md)
{
    for (uint32_t symbol = 0; symbol < 6; symbol++) {
        const struct tw_depth *d = tw_fix_md_book(md, symbol);

        if (d && (d->side[0].n > LEVELS || d->side[1].n > LEVELS)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how = size ? data[0] : 0, more = size > 1 ? data[1] : 0;
    enum tw_fix_version v = (enum tw_fix_version)(TW_FIX_42 + how % 6);
    struct tw_symbols *symbols = tw_symbols_new(100);
    struct tw_fix_now now = { INT64_C(1704187800000000000), 1 };
    uint64_t full = 0;
    struct tw_fix_md *md = tw_fix_md_new(&(struct tw_fix_md_options){
        .symbols = symbols, .source = 1, .depth = how >> 4 & 3, .incremental = how & 8,
        .levels = more & 64,
        .quotes = more & 1, .batch = more >> 1 & 3, .levels_max = LEVELS,
        .start_ns = now.time_ns, .send = on_send, .ctx = &full });
    struct tw_fix_publisher *p = tw_fix_publisher_new(&(struct tw_fix_publisher_options){
        .symbols = symbols, .positions = more & 32, .levels_max = LEVELS,
        .trades_max = 2, .subscriptions_max = 4 });
    struct tw_fix_peer *peer;
    static struct tw_batch batch = { .full = take };
    static struct tw_fix_message m;
    size_t at = 2;

    if (!md || !p || (!m.bytes_max && tw_fix_message_init(&m, 0, 200) < 0)) abort();
    for (const char *c = "A\0B\0C\0"; *c; c += 2) tw_fix_md_subscribe(md, c, 1);
    if (more & 128 && tw_fix_md_set_instruments(md, dictionary(v), months, 2) < 0)
        abort();
    tw_fix_publisher_list(p, 1);
    peer = tw_fix_publisher_join(p, &(struct tw_fix_peer_options){
        .dictionary = dictionary(v), .send = on_send, .ctx = &full });
    tw_fix_md_session_event(md, now, &(struct tw_fix_event){ .kind = TW_FIX_LOGGED_ON },
                            &batch);
    while (at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at), *line = data + at;
        size_t n = end ? (size_t)(end - line) : size - at;
        char message[4 * LINE], *copy;
        struct tw_fix_frame f;
        size_t whole;

        at += n + 1;
        if (n > 1 && *line == '!') {
            struct tw_fix_event e = { .kind = (enum tw_fix_event_kind)(line[1] % 13),
                                      .from = 5, .to = 9 };

            tw_fix_md_session_event(md, now, &e, &batch);
        } else if (n > 1 && *line == '+') {
            now.steady_ns += line[1] * INT64_C(100000000);
            now.time_ns += line[1] * INT64_C(100000000);   /* quotes run out */
            full = line[1] & 3;
            tw_fix_md_expire(md, now, &batch);
            tw_fix_md_tick(md, now);
            tw_fix_publisher_flush(p);
        } else if (n > 1 && (*line == '<' || *line == '>')) {
            if (*line == '<') tw_fix_md_unsubscribe(md, now, (const char *)line + 1, 1,
                                                    &batch);
            else tw_fix_md_subscribe(md, (const char *)line + 1, 1);
        } else if (n > 3 && *line == '=') {
            tw_fix_publisher_level(p, 1 + line[1] % 3, line[1] & 4, line[2], line[3] & 7,
                                   5);
            if (line[1] & 8)
                tw_fix_publisher_trade(p, 1, &(struct tw_trade){ .price = 1, .size = 1 },
                                       7);
        } else {
            whole = compose(message, v, line, n);
            copy = malloc(whole);
            if (!copy) abort();
            memcpy(copy, message, whole);
            if (tw_fix_message_frame(&m, copy, whole, &f) == TW_FIX_WHOLE
                && tw_fix_message_read(&m, dictionary(v), copy, &f) == TW_OK) {
                tw_fix_md_message(md, now, &m, &batch);
                tw_fix_peer_message(peer, &m);
            }
            free(copy);
        }
        take(&batch);
        look(md);
    }
    tw_fix_peer_leave(peer);
    tw_fix_publisher_free(p);
    tw_fix_md_free(md);
    tw_symbols_free(symbols);
    return 0;
}

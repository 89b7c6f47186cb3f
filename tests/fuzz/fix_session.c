/* fix_session.c - any peer at all: a session neither crashes nor hangs, and neither the
 * chunks that bytes come in nor what they say make it break its bounds. */
#include "fix/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fix/draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT = 20000, MESSAGE = 2000 };

static struct tw_fix_dictionary *dictionaries[TW_FIX_50SP2 + 1];
static struct tw_fix_now now;

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

/* FIX.5.0SP2, with 4.4 and 4.2 over the same session. */
static struct tw_fix_dictionary *family[3];

static void make_family(void)
{
    static const enum tw_fix_version versions[] = { TW_FIX_50SP2, TW_FIX_44, TW_FIX_42 };

    for (int i = 0; i < 3 && !family[2]; i++) {
        struct tw_fix_draft *t = tw_fix_draft_new();

        if (!t || tw_fix_draft_version(t, versions[i], NULL) < 0
            || tw_fix_draft_fixt(t, NULL) < 0
            || tw_fix_draft_finish(t, &family[i], NULL) < 0
            || (i == 2 && tw_fix_dictionary_join(family, 3) < 0))
            abort();
        tw_fix_draft_free(t);
    }
}

static enum tw_fix_answer on_message(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_session **s = ctx;
    struct tw_fix_output *out;

    if (m->n % 3 == 0) return TW_FIX_UNSUPPORTED;
    if (tw_fix_session_begin(*s, now, "D", NULL, 0, &out, NULL) == TW_OK) {
        tw_fix_put_body(out, m, true);
        tw_fix_session_send(*s, NULL, NULL);
    }
    return TW_FIX_TAKEN;
}

/* A message of the rest of a line: "D34=2|55=X", to which all is added that makes it
 * one, as chance would never find it. */
static size_t compose(char *out, const char *begin, const uint8_t *text, size_t n)
{
    char body[MESSAGE], time[TW_FIX_TIME_TEXT + 1];
    size_t at, whole;
    unsigned sum = 0;

    time[tw_fix_time_text(now.time_ns, TW_FIX_MS, time)] = 0;
    if (n > 1000) n = 1000;
    at = (size_t)sprintf(body, "35=%c|49=PEER|56=US|52=%s|", n ? text[0] : '0', time);
    for (size_t i = 1; i < n; i++) body[at++] = (char)text[i];
    body[at++] = '|';
    whole = (size_t)sprintf(out, "8=%s|9=%zu|", begin, at);
    memcpy(out + whole, body, at);
    whole += at;
    for (size_t i = 0; i < whole; i++) {
        if (out[i] == '|') out[i] = TW_FIX_SOH;
        sum += (unsigned char)out[i];
    }
    return whole + (size_t)sprintf(out + whole, "10=%03u\001", sum & 255);
}

static void give(struct tw_fix_session *s, const char *p, size_t n)
{
    char *copy = malloc(n);
    const char *out;
    size_t used, waits;

    if (!copy) abort();
    memcpy(copy, p, n);
    used = tw_fix_session_receive(s, now, copy, n);
    if (used > n) abort();
    free(copy);
    if (tw_fix_session_status(s).waiting > OUTPUT + 2 * MESSAGE) abort();
    tw_fix_session_output(s, &out, &waits);
    tw_fix_session_written(s, now, waits / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tw_fix_session *s = NULL;
    uint8_t how = size ? data[0] : 0, more = size > 1 ? data[1] : 0;
    enum tw_fix_version v = (enum tw_fix_version)(how % (TW_FIX_50SP2 + 1));
    struct tw_fix_store *store = tw_fix_store_open(&(struct tw_fix_store_options){
        .bytes = 8192 }, NULL);
    bool several = how & 8;
    struct tw_fix_typed typed;
    size_t at = 2;

    if (several) {
        v = TW_FIX_50SP2;
        make_family();
        typed = (struct tw_fix_typed){ "D", family[how % 3] };
    }
    now = (struct tw_fix_now){ INT64_C(1704196800000000000), 1 };
    s = tw_fix_session_new(&(struct tw_fix_session_options){
        .dictionary = several ? family[0] : dictionary(v), .typed = &typed,
        .typed_n = several && how & 1, .store = store, .sender = "US", .target = "PEER",
        .initiator = how & 16, .heartbeat_s = 30, .check = how & 32 ? 0 : 63,
        .next_expected = how & 64, .last_processed = how & 128,
        .resend_chunk = more & 3, .resend_rate = more & 4 ? 50 : 0,
        .early_max = 3000, .output_max = OUTPUT, .message_max = MESSAGE,
        .fields_max = 100, .handlers = { .message = on_message, .ctx = &s },
    }, NULL);
    if (!s || tw_fix_session_connected(s, now, NULL) < 0) abort();
    while (at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t n = end ? (size_t)(end - data) - at : size - at;
        char message[3 * MESSAGE];

        if (n > 0 && data[at] == '+') {
            int64_t wakes = tw_fix_session_wakes(s, now);

            if (wakes != INT64_MAX && wakes > now.steady_ns) {
                now.time_ns += wakes - now.steady_ns;
                now.steady_ns = wakes;
            }
            tw_fix_session_tick(s, now);
        } else if (n > 0 && data[at] == '!') {
            give(s, (const char *)data + at + 1, n - 1);
        } else if (n > 0 && data[at] == '-') {
            tw_fix_session_disconnected(s, now, NULL);
            tw_fix_session_connected(s, now, NULL);
        } else {
            give(s, message, compose(message, tw_fix_begin_string(v), data + at, n));
        }
        at += n + 1;
    }
    /* A peer that says nothing any more is cut off in the end. */
    for (int i = 0; i < 1000 && !tw_fix_session_closing(s); i++) {
        int64_t wakes = tw_fix_session_wakes(s, now);

        if (wakes == INT64_MAX || tw_fix_session_status(s).state == TW_FIX_DOWN) break;
        if (wakes > now.steady_ns) now.steady_ns = wakes;
        tw_fix_session_tick(s, now);
        if (i == 999) abort();
    }
    tw_fix_session_disconnected(s, now, NULL);
    tw_fix_session_free(s);
    tw_fix_store_close(store);
    return 0;
}

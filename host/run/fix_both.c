/* fix_both.c - a FIX session that has several consumers. */
#include "run/fix_both.h"

#include <uv.h>

#include "base/memory.h"

struct tw_fix_both {
    struct tw_fix_consumer c[2];      /* constant */
    struct tw_fix_both *next;         /* constant */
    struct tw_fix_both *made;         /* owner: FEED; a template's: those of sessions */
};

static enum tw_fix_answer on_message(void *ctx, struct tw_fix_session *s,
                                     struct tw_fix_now now,
                                     const struct tw_fix_message *m)
{
    struct tw_fix_both *b = ctx;
    bool is_of_each = tw_fix_is(tw_fix_message_code(m), "j");
    enum tw_fix_answer first = b->c[0].message(b->c[0].ctx, s, now, m), second;

    if (first == TW_FIX_LATER || (first == TW_FIX_TAKEN && !is_of_each)) return first;
    second = b->c[1].message(b->c[1].ctx, s, now, m);
    return second == TW_FIX_UNSUPPORTED ? first : second;
}

static void on_up(void *ctx)
{
    struct tw_fix_both *b = ctx;

    for (int i = 0; i < 2; i++)
        if (b->c[i].up) b->c[i].up(b->c[i].ctx);
}

static void on_event(void *ctx, struct tw_fix_session *s, struct tw_fix_now now,
                     const struct tw_fix_event *e)
{
    struct tw_fix_both *b = ctx;

    for (int i = 0; i < 2; i++)
        if (b->c[i].event) b->c[i].event(b->c[i].ctx, s, now, e);
}

static int64_t on_look(void *ctx, struct tw_fix_session *s, struct tw_fix_now now)
{
    struct tw_fix_both *b = ctx;
    int64_t first = INT64_MAX;

    for (int i = 0; i < 2; i++) {
        int64_t at = b->c[i].look ? b->c[i].look(b->c[i].ctx, s, now) : INT64_MAX;

        if (at < first) first = at;
    }
    return first;
}

static void leaves(void *ctx, bool ends)
{
    struct tw_fix_both *b = ctx;

    for (int i = 0; i < 2; i++)
        if (b->c[i].leaves) b->c[i].leaves(b->c[i].ctx, ends);
}

static bool waits(void *ctx, bool answers)
{
    struct tw_fix_both *b = ctx;

    for (int i = 0; i < 2; i++)
        if (b->c[i].waits && b->c[i].waits(b->c[i].ctx, answers)) return true;
    return false;
}

/* Who does not know a message says yes. */
static bool on_resend(void *ctx, const struct tw_fix_message *m)
{
    struct tw_fix_both *b = ctx;

    for (int i = 0; i < 2; i++)
        if (b->c[i].resend && !b->c[i].resend(b->c[i].ctx, m)) return false;
    return true;
}

/* ---- of templates ---- */

static void made(void *ctx, void *of, struct tw_fix_link *link)
{
    struct tw_fix_both *pattern = ctx, *one = of, **at = &pattern->made;

    for (int i = 0; i < 2; i++)
        if (pattern->c[i].made)
            pattern->c[i].made(pattern->c[i].ctx, one->c[i].ctx, link);
    if (link) return;
    while (*at != one) at = &(*at)->next;
    *at = one->next;
    tw_free(one);
}

static void *make(void *ctx, const char *name, struct tw_error *error)
{
    struct tw_fix_both *pattern = ctx, *one = tw_calloc(1, sizeof *one);
    int i;

    if (!one) {
        tw_fail(error, UV_ENOMEM, "%s: %s", name, tw_strerror(UV_ENOMEM));
        return NULL;
    }
    for (i = 0; i < 2; i++) {
        one->c[i] = pattern->c[i];
        if (!one->c[i].make) continue;
        one->c[i].ctx = one->c[i].make(pattern->c[i].ctx, name, error);
        if (!one->c[i].ctx) goto fail;
    }
    one->next = pattern->made;
    pattern->made = one;
    return one;

fail:
    while (--i >= 0)
        if (pattern->c[i].made)
            pattern->c[i].made(pattern->c[i].ctx, one->c[i].ctx, NULL);
    tw_free(one);
    return NULL;
}

struct tw_fix_consumer tw_fix_both(struct tw_fix_both **list, struct tw_fix_consumer a,
                                   struct tw_fix_consumer b)
{
    struct tw_fix_both *both;

    if (!a.message || !b.message) return a.message ? a : b;
    both = tw_calloc(1, sizeof *both);
    if (both) {
        *both = (struct tw_fix_both){ .c = { a, b }, .next = *list };
        *list = both;
    }
    return (struct tw_fix_consumer){
        .message = on_message, .event = on_event, .up = on_up, .look = on_look,
        .leaves = leaves, .waits = waits, .resend = on_resend,
        .make = a.make || b.make ? make : NULL, .made = made, .ctx = both };
}

void tw_fix_both_free(struct tw_fix_both *list)
{
    struct tw_fix_both *next;

    for (; list; list = next) {
        next = list->next;
        tw_fix_both_free(list->made);
        tw_free(list);
    }
}

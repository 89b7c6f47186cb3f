/* fix_message.c - any bytes as a message: they are read, checked, walked through and
 * written again within their bounds, and what is written is read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fix/check.h"
#include "fix/draft.h"
#include "fix/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE = 4096, FIELDS = 600 };

static const char extension[] = "5003 NoOuter NUMINGROUP\n5004 Outer STRING\n"
    "5005 NoInner NUMINGROUP\n5006 Inner CHAR\n5007 Last INT\n"
    "D + 5003(5004! 5005(5006! 5007) 5007)\n";

static struct tw_fix_dictionary *dictionary(void)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d;

    if (!t || tw_fix_draft_version(t, TW_FIX_44, NULL) < 0
        || tw_fix_draft_add(t, "x", extension, sizeof extension - 1, NULL) < 0
        || tw_fix_draft_finish(t, &d, NULL) < 0)
        abort();
    tw_fix_draft_free(t);
    return d;
}

static void visit(const struct tw_fix_part *p, unsigned depth)
{
    if (depth > TW_FIX_DEPTH + 1) abort();
    for (uint32_t i = p->first; i < p->end; i = tw_fix_part_after(p, i)) {
        const struct tw_fix_field *f = &p->message->fields[i];
        struct tw_fix_group g;
        struct tw_fix_part entry;

        if (f->at[f->n] != TW_FIX_SOH) abort();
        if (!tw_fix_part_group(p, f->tag, &g)) continue;
        while (tw_fix_group_next(&g, &entry)) {
            if (entry.first >= entry.end || entry.end > p->end) abort();
            visit(&entry, depth + 1);
        }
    }
}

/* Tags with zeros before them are written without: the message gets shorter, and a length
 * that did not fit its data may do so then. */
static bool has_zeros(const struct tw_fix_message *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        const char *tag = m->fields[i].at - 1;

        while (tag > m->bytes && tag[-1] != TW_FIX_SOH) tag--;
        if (*tag == '0') return true;
    }
    return false;
}

static void use(struct tw_fix_message *m, const struct tw_fix_dictionary *d)
{
    static const struct tw_fix_field resent[] = {
        { 43, 1, "Y" }, { 52, 17, "20260102-10:00:00" }, { 122, 1, "x" },
    };
    static char out[2 * MESSAGE];
    struct tw_fix_part body = tw_fix_part_body(m);
    struct tw_fix_output o;
    struct tw_fix_frame f;
    uint32_t n = has_zeros(m) ? 0 : m->n;
    int64_t made;
    char *p;

    for (unsigned flags = 0; flags < 128; flags += 5) tw_fix_check(m, flags);
    /* What is fine by all rules is so by fewer. */
    if (tw_fix_check(m, 127).reason == TW_FIX_FINE)
        for (unsigned flags = 0; flags < 128; flags++)
            if (tw_fix_check(m, flags).reason != TW_FIX_FINE) abort();
    visit(&body, 0);
    tw_fix_begin(&o, out, sizeof out, "FIX.4.4", "D", 1);
    tw_fix_put_body(&o, m, true);
    if (tw_fix_finish(&o, &p) < 0) abort();
    made = tw_fix_write_again(m, resent, 3, out, sizeof out, &p);
    if (tw_fix_message_code(m).n == 0) return;   /* which nobody writes */
    if (made < 0) abort();
    if (tw_fix_message_frame(m, p, (size_t)made, &f) == TW_FIX_WHOLE
        && ((tw_fix_message_read(m, d, p, &f) < 0 && n > 0) || m->n < n)) abort();
}

/* What m learnt from inputs before changes nothing. */
static void beside_fresh(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                         const char *p, const struct tw_fix_frame *f)
{
    static const unsigned flags[] = { TW_FIX_CHECK_STRICT, 127, TW_FIX_CHECK_LENIENT };
    struct tw_fix_message fresh;
    struct tw_fix_frame again;

    if (tw_fix_message_init(&fresh, MESSAGE, FIELDS) < 0
        || tw_fix_message_frame(&fresh, p, f->header + f->body + TW_FIX_TRAILER, &again)
           != TW_FIX_WHOLE || tw_fix_message_read(&fresh, d, p, &again) < 0
        || fresh.n != m->n || fresh.body != m->body || fresh.trailer != m->trailer
        || fresh.scattered != m->scattered)
        abort();
    for (uint32_t i = 0; i < m->n; i++)
        if (fresh.fields[i].tag != m->fields[i].tag || fresh.fields[i].n != m->fields[i].n
            || fresh.fields[i].at != m->fields[i].at)
            abort();
    /* Twice, as most messages of a session are checked by the same rules. */
    for (unsigned i = 0; i < 6; i++) {
        struct tw_fix_verdict a = tw_fix_check(m, flags[i / 2]),
            b = tw_fix_check(&fresh, flags[i / 2]);

        if (a.reason != b.reason || a.tag != b.tag) abort();
    }
    tw_fix_message_fini(&fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tw_fix_dictionary *d;
    static struct tw_fix_message m;
    unsigned sum = 0;
    size_t head, n;
    struct tw_fix_frame f;
    char *block, text[40];

    if (!d) {
        d = dictionary();
        if (tw_fix_message_init(&m, MESSAGE, FIELDS) < 0) abort();
    }
    if (size < 5 || size > MESSAGE / 2) return 0;
    /* Chance finds no sum and no length: they are put around the bytes, in which | and
     * SOH are both SOH. */
    head = (size_t)snprintf(text, sizeof text, "8=FIX.4.4\0019=%zu\00135=", size + 4);
    n = head + size + 1 + TW_FIX_TRAILER;
    block = malloc(n);
    if (!block) abort();
    memcpy(block, text, head);
    memcpy(block + head, data, size);
    block[head + size] = TW_FIX_SOH;
    for (size_t i = head; i < head + size; i++)
        if (block[i] == '|') block[i] = TW_FIX_SOH;
    for (size_t i = 0; i < head + size + 1; i++) sum += (unsigned char)block[i];
    snprintf(text, sizeof text, "10=%03u", sum & 255);
    memcpy(block + head + size + 1, text, 6);
    block[n - 1] = TW_FIX_SOH;
    if (tw_fix_message_frame(&m, block, n, &f) != TW_FIX_WHOLE) abort();
    if (tw_fix_message_read(&m, d, block, &f) == TW_OK) {
        beside_fresh(&m, d, block, &f);
        tw_fix_message_read(&m, d, block, &f);   /* as the one before it was */
        beside_fresh(&m, d, block, &f);
        use(&m, d);
    }
    free(block);
    return 0;
}

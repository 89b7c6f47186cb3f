/* instruments.c - what a venue calls the symbols of a session, and wants to be said of
 * each of them.
 *
 * Layer host/fix.  Thread: any, of what is made.
 */
#include "fix/instruments.h"

#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"
#include "fix/arena.h"

struct tw_fix_instruments {
    struct tw_arena texts;
    size_t n;
    struct tw_fix_instrument *list;             /* in the order of their symbols */
    const struct tw_fix_instrument **by_name;   /* in that of their names        */
};

/* ---- the table ---- */

static int by_symbol(const void *a, const void *b)
{
    const struct tw_fix_instrument *x = a, *y = b;

    return x->symbol < y->symbol ? -1 : x->symbol > y->symbol;
}

static int by_name(const void *a, const void *b)
{
    const struct tw_fix_instrument *const *x = a, *const *y = b;
    int order = strcmp((*x)->name, (*y)->name);

    return order ? order : by_symbol(*x, *y);
}

static bool own_text(struct tw_arena *a, const char **text)
{
    *text = tw_arena_text(a, *text, strlen(*text));
    return *text != NULL;
}

static bool own(struct tw_arena *a, struct tw_fix_instrument *is)
{
    struct tw_fix_extra *fields = tw_arena_take(a, (is->fields_n + 1) * sizeof *fields);

    if (!fields || !own_text(a, &is->name)) return false;
    for (size_t i = 0; i < is->fields_n; i++) {
        fields[i] = is->fields[i];
        if (!own_text(a, &fields[i].value)) return false;
    }
    is->fields = fields;
    return true;
}

struct tw_fix_instruments *tw_fix_instruments_new(const struct tw_symbols *symbols,
                                                  const struct tw_fix_instrument *list,
                                                  size_t n)
{
    struct tw_fix_instruments *t = tw_calloc(1, sizeof *t);

    if (!t) return NULL;
    t->n = n;
    t->list = tw_arena_take(&t->texts, (n + 1) * sizeof *t->list);
    t->by_name = tw_arena_take(&t->texts, (n + 1) * sizeof *t->by_name);
    if (!t->list || !t->by_name) goto fail;
    if (n > 0) memcpy(t->list, list, n * sizeof *list);
    qsort(t->list, n, sizeof *t->list, by_symbol);
    for (size_t i = 0; i < n; i++) {
        struct tw_fix_instrument *is = &t->list[i];

        if (!is->name) is->name = tw_symbols_name(symbols, is->symbol);
        if (!own(&t->texts, is)) goto fail;
        t->by_name[i] = is;
    }
    qsort(t->by_name, n, sizeof *t->by_name, by_name);
    return t;

fail:
    tw_fix_instruments_free(t);
    return NULL;
}

void tw_fix_instruments_free(struct tw_fix_instruments *t)
{
    if (!t) return;
    tw_arena_fini(&t->texts);
    tw_free(t);
}

const struct tw_fix_instrument *tw_fix_instruments_of(const struct tw_fix_instruments *t,
                                                      uint32_t symbol)
{
    const struct tw_fix_instrument key = { .symbol = symbol };

    return t ? bsearch(&key, t->list, t->n, sizeof key, by_symbol) : NULL;
}

static int compare(const char *name, struct tw_fix_text t)
{
    size_t n = strlen(name);
    int order = memcmp(name, t.at, n < t.n ? n : t.n);

    return order ? order : (n > t.n) - (n < t.n);
}

const struct tw_fix_instrument *const *tw_fix_instruments_named(
    const struct tw_fix_instruments *t, struct tw_fix_text name, size_t *n)
{
    size_t first = 0, end = t ? t->n : 0, all = end;

    *n = 0;
    if (!name.n || !end) return NULL;
    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (compare(t->by_name[middle]->name, name) < 0) first = middle + 1;
        else end = middle;
    }
    while (first + *n < all && compare(t->by_name[first + *n]->name, name) == 0) ++*n;
    return t->by_name + first;
}

/* ---- which of them ---- */

/* SecurityID, SecurityType, MaturityMonthYear, PutOrCall, StrikePrice, MaturityDay,
 * SecurityExchange, CFICode, MaturityDate. */
static const int32_t identity[] = { 48, 167, 200, 201, 202, 205, 207, 461, 541 };
enum { IDENTITY = sizeof identity / sizeof *identity };

static bool is_identity(int32_t tag)
{
    for (size_t i = 0; i < IDENTITY; i++)
        if (identity[i] == tag) return true;
    return false;
}

/* "4000" is "4000.00". */
static bool is_equal(struct tw_fix_text t, const char *text)
{
    int64_t a, b;

    return tw_fix_is(t, text)
        || (tw_fixed_parse(t.at, t.n, &a) == TW_OK
            && tw_fixed_parse(text, strlen(text), &b) == TW_OK && a == b);
}

/* What the part says of a tag is otherwise; *said: whether it says it. */
static bool differs(const struct tw_fix_part *p, int32_t tag, const char *value,
                    bool *said)
{
    const struct tw_fix_field *f = tw_fix_part_find(p, tag);

    *said = f != NULL;
    return f && !is_equal((struct tw_fix_text){ f->at, f->n }, value);
}

/* An id of another source (22) says nothing. */
static bool is_of_other_source(const struct tw_fix_instrument *is,
                               const struct tw_fix_part *p)
{
    bool said;

    for (size_t i = 0; i < is->own_n; i++)
        if (is->fields[i].tag == 22) return differs(p, 22, is->fields[i].value, &said);
    return false;
}

int tw_fix_instrument_in(const struct tw_fix_instrument *is, const struct tw_fix_part *p)
{
    int n = 0;

    for (size_t i = 0; i < is->own_n; i++) {
        const struct tw_fix_extra *x = &is->fields[i];
        bool said;

        if (!is_identity(x->tag)) continue;
        if (differs(p, x->tag, x->value, &said)) {
            if (x->tag != 48 || !is_of_other_source(is, p)) return -1;
        } else {
            n += said;
        }
    }
    return n;
}

bool tw_fix_tells_instrument(const struct tw_fix_part *p)
{
    for (uint32_t i = p->first; i < p->end; i++)
        if (is_identity(p->message->fields[i].tag)) return true;
    return false;
}

/* ---- writing ---- */

void tw_fix_put_given(struct tw_fix_output *out, const struct tw_fix_extra *x)
{
    const char *value = x->value;
    int32_t tag = x->tag;

    for (;;) {
        size_t n = strcspn(value, "\1");

        tw_fix_put_text(out, tag, value, n);
        if (!value[n]) return;
        tag = (int32_t)strtol(value + n + 1, NULL, 10);
        value = strchr(value + n, '=') + 1;
    }
}

void tw_fix_put_identity(struct tw_fix_output *out, const struct tw_fix_level *level,
                         const struct tw_fix_message *m)
{
    for (size_t i = 0; i < IDENTITY; i++) {
        struct tw_fix_text text = tw_fix_message_body(m, identity[i]);

        if (identity[i] != 48 && text.at && tw_fix_member(level, (uint32_t)identity[i]))
            tw_fix_put_text(out, identity[i], text.at, text.n);
    }
}

const struct tw_fix_level *tw_fix_instrument_level(const struct tw_fix_dictionary *d,
                                                   const char *code)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type(d, code, strlen(code));
    const struct tw_fix_member *related = t ? tw_fix_member(&t->body, 146) : NULL;

    if (related && related->group) return related->group;
    return t ? &t->body : NULL;
}

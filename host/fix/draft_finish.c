/* draft_finish.c - makes a dictionary of a draft: names found, components and groups laid
 * out as levels.
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "fix/dictionary_parts.h"
#include "fix/draft_parts.h"

enum { NESTED = 32 };             /* components within components */

/* A member of the level that is being made. */
struct found {
    const struct tw_fix_definition *field;
    struct tw_fix_draft_member *member;
    bool required;
};

struct maker {
    struct tw_fix_draft *t;
    struct tw_fix_dictionary *d;
    struct tw_fix_draft_part **components;
    struct tw_fix_places components_named;
};

struct list { struct found *at; uint32_t n; unsigned nested; };

static int complain(struct maker *k, const struct tw_fix_draft_member *m,
                    const char *what)
{
    k->t->place = m->place;
    if (m->name) return tw_fix_draft_fail(k->t, TW_EFORMAT, "%.60s %s", m->name, what);
    return tw_fix_draft_fail(k->t, TW_EFORMAT, "%u %s", m->tag, what);
}

static void *take(struct maker *k, size_t n, size_t size)
{
    return tw_arena_take(&k->d->arena, n * size);
}

static const char *copy(struct maker *k, const char *text)
{
    return tw_arena_text(&k->d->arena, text, strlen(text));
}

/* ---- tables by name ---- */

static bool places_init(struct maker *k, struct tw_fix_places *p, size_t n)
{
    uint32_t size = 2;

    while (size < 2 * n) size *= 2;
    p->mask = size - 1;
    p->at = take(k, size, sizeof *p->at);
    return p->at;
}

static void places_add(struct tw_fix_places *p, const char *name, uint32_t number)
{
    uint32_t i = tw_fix_hash(name, strlen(name)) & p->mask;

    while (p->at[i]) i = (i + 1) & p->mask;
    p->at[i] = number + 1;
}

/* ---- fields ---- */

static int by_value(const void *a, const void *b)
{
    return strcmp(((const struct tw_fix_choice *)a)->value,
                  ((const struct tw_fix_choice *)b)->value);
}

static bool make_choices(struct maker *k, const struct tw_fix_draft_field *from,
                         struct tw_fix_definition *f)
{
    struct tw_fix_choice *choices;
    size_t n = 0;

    for (const struct tw_fix_draft_choice *c = from->choices; c; c = c->next) n++;
    if (n == 0) return true;
    choices = take(k, n, sizeof *choices);
    if (!choices) return false;
    n = 0;
    for (const struct tw_fix_draft_choice *c = from->choices; c; c = c->next, n++) {
        unsigned char first = (unsigned char)*c->value;

        choices[n].value = copy(k, c->value);
        choices[n].name = copy(k, c->name);
        if (!choices[n].value || !choices[n].name) return false;
        if (first < 128 && !c->value[1])
            f->single[first / 64] |= UINT64_C(1) << first % 64;
    }
    qsort(choices, n, sizeof *choices, by_value);
    f->choices = choices;
    f->choices_n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
    return true;
}

static enum tw_fix_test test_of(const struct tw_fix_definition *f)
{
    /* A type that was found is a choice of 35, also where an extension forgot to say. */
    if (f->tag == 35) return TW_FIX_TEST_TEXT;
    if (f->choices_n && !f->open) {
        const uint64_t y_or_n = UINT64_C(1) << ('Y' % 64) | UINT64_C(1) << ('N' % 64);

        if (f->kind != TW_FIX_CHAR && f->kind != TW_FIX_STRING
            && (f->kind != TW_FIX_BOOLEAN || f->single[0] || f->single[1] & ~y_or_n))
            return TW_FIX_TEST_OTHER;
        return TW_FIX_TEST_BYTE;
    }
    switch ((enum tw_fix_kind)f->kind) {
    case TW_FIX_STRING: case TW_FIX_STRINGS: case TW_FIX_TZ:
        return TW_FIX_TEST_TEXT;
    case TW_FIX_LENGTH: case TW_FIX_SEQNUM: case TW_FIX_NUMINGROUP: case TW_FIX_INT:
        return TW_FIX_TEST_DIGITS;
    case TW_FIX_FLOAT: return TW_FIX_TEST_DECIMAL;
    case TW_FIX_TIMESTAMP: return TW_FIX_TEST_TIME;
    default: return TW_FIX_TEST_OTHER;
    }
}

static int make_fields(struct maker *k)
{
    struct tw_fix_dictionary *d = k->d;
    struct tw_fix_draft *t = k->t;
    uint16_t *by_tag;
    uint8_t *marks;

    for (uint32_t tag = 0; tag < t->by_tag_n; tag++) {
        if (!tw_fix_draft_defined(t, tag)) continue;
        d->fields_n++;
        d->tag_max = tag;
    }
    d->fields = take(k, d->fields_n, sizeof *d->fields);
    by_tag = take(k, d->tag_max + 1, sizeof *by_tag);
    marks = take(k, d->tag_max + 1, sizeof *marks);
    if (!d->fields || !by_tag || !marks || !places_init(k, &d->fields_named, d->fields_n))
        return tw_fix_draft_no_memory(t);
    d->by_tag = by_tag;
    d->marks = marks;
    for (uint32_t tag = 0, n = 0; tag < t->by_tag_n; tag++) {
        const struct tw_fix_draft_field *from = tw_fix_draft_defined(t, tag);
        struct tw_fix_definition *f = &d->fields[n];

        if (!from) continue;
        f->tag = tag;
        f->kind = (uint8_t)from->kind;
        f->open = from->open;
        /* Before 4.2, text is CHAR. */
        if (f->kind == TW_FIX_CHAR && d->version < TW_FIX_42) f->kind = TW_FIX_STRING;
        f->name = copy(k, from->name);
        if (!f->name || !make_choices(k, from, f)) return tw_fix_draft_no_memory(t);
        f->test = (uint8_t)test_of(f);
        by_tag[tag] = (uint16_t)(n + 1);
        marks[tag] = f->kind == TW_FIX_DATA ? TW_FIX_IS_DATA
                     : f->kind == TW_FIX_LENGTH || f->kind == TW_FIX_INT
                     ? TW_FIX_IS_LENGTH : 0;
        places_add(&d->fields_named, f->name, n++);
    }
    return TW_OK;
}

/* ---- levels ---- */

static struct tw_fix_draft_part *component(struct maker *k, const char *name)
{
    const struct tw_fix_places *p = &k->components_named;
    uint32_t i = tw_fix_hash(name, strlen(name)) & p->mask;

    for (; p->at[i]; i = (i + 1) & p->mask)
        if (strcmp(k->components[p->at[i] - 1]->name, name) == 0)
            return k->components[p->at[i] - 1];
    return NULL;
}

/* Adds members to the list, those of components in their place. */
static int gather(struct maker *k, struct list *l, struct tw_fix_draft_member *m,
                  bool required)
{
    for (; m; m = m->next) {
        const struct tw_fix_definition *f;
        struct found *seen = l->at;

        if (m->component) {
            struct tw_fix_draft_part *part = component(k, m->name);
            int code;

            if (!part) return complain(k, m, "is not a component");
            if (l->nested == NESTED) return complain(k, m, "is within itself");
            l->nested++;
            code = gather(k, l, part->members, required && m->required);
            l->nested--;
            if (code < 0) return code;
            continue;
        }
        f = m->name ? tw_fix_dictionary_field_named(k->d, m->name, strlen(m->name))
            : tw_fix_dictionary_field(k->d, m->tag);
        if (!f) return complain(k, m, "is not a field");
        while (seen < l->at + l->n && seen->field != f) seen++;
        if (seen == l->at + l->n) {   /* files name some fields twice */
            if (l->n == TW_FIX_MEMBERS_MAX)
                return complain(k, m, "is one member too many");
            *seen = (struct found){ .field = f, .member = m };
            l->n++;
        }
        if (m->group && !seen->member->group) seen->member = m;
        seen->required = seen->required || (required && m->required);
    }
    return TW_OK;
}

static int make_level(struct maker *k, struct tw_fix_draft_member *members,
                      unsigned depth, struct tw_fix_level *out);

/* The level of a group's entries; one for all that have the group of a component. */
static int make_group(struct maker *k, struct tw_fix_draft_member *m, unsigned depth,
                      const struct tw_fix_level **out)
{
    int code;

    if (m->open) return complain(k, m, "is a group within itself");
    if (!m->level) {
        if (depth == TW_FIX_DEPTH) return complain(k, m, "is in too many groups");
        m->level = take(k, 1, sizeof *m->level);
        if (!m->level) return tw_fix_draft_no_memory(k->t);
        m->open = true;
        code = make_level(k, m->members, depth + 1, m->level);
        m->open = false;
        if (code < 0) return code;
        if (m->level->n == 0) return complain(k, m, "is a group without members");
    }
    *out = m->level;
    return TW_OK;
}

static int fill_level(struct maker *k, const struct list *l, unsigned depth,
                      struct tw_fix_level *out)
{
    uint32_t bits = 1, *tags;
    struct tw_fix_member *table;
    uint64_t *required;

    while (UINT32_C(1) << bits < 2 * l->n) bits++;
    tags = take(k, l->n, sizeof *tags);
    required = take(k, (l->n + 63) / 64, sizeof *required);
    table = take(k, (size_t)1 << bits, sizeof *table);
    if (!tags || !required || !table) return tw_fix_draft_no_memory(k->t);
    *out = (struct tw_fix_level){
        .n = l->n, .shift = 32 - bits, .tags = tags, .table = table, .required = required,
    };
    for (uint32_t i = 0; i < l->n; i++) {
        const struct found *f = &l->at[i];
        uint32_t at = f->field->tag * UINT32_C(2654435769) >> out->shift;
        const struct tw_fix_level *group = NULL;
        int code = f->member->group ? make_group(k, f->member, depth, &group) : TW_OK;

        if (code < 0) return code;
        while (table[at].tag) at = (at + 1) & (UINT32_MAX >> out->shift);
        table[at] = (struct tw_fix_member){
            .tag = f->field->tag, .at = (uint16_t)i, .required = f->required,
            .kind = f->field->kind, .field = f->field, .group = group,
        };
        if (group) ((uint8_t *)k->d->marks)[f->field->tag] |= TW_FIX_IS_COUNT;
        tags[i] = f->field->tag;
        if (i && f->field->kind == TW_FIX_DATA
            && k->d->marks[tags[i - 1]] & TW_FIX_IS_LENGTH)
            ((struct tw_fix_definition *)f->field)->length = tags[i - 1];
        if (f->required) required[i / 64] |= UINT64_C(1) << i % 64;
    }
    return TW_OK;
}

static int make_level(struct maker *k, struct tw_fix_draft_member *members,
                      unsigned depth, struct tw_fix_level *out)
{
    struct list l = { .at = tw_calloc(TW_FIX_MEMBERS_MAX, sizeof *l.at) };
    int code = l.at ? gather(k, &l, members, true) : tw_fix_draft_no_memory(k->t);

    if (code == TW_OK) code = fill_level(k, &l, depth, out);
    tw_free(l.at);
    return code;
}

/* What is of the header, the trailer or a message, also within groups. */
static void mark(struct tw_fix_dictionary *d, const struct tw_fix_level *l, uint8_t as)
{
    for (uint32_t i = 0; i < l->n; i++) {
        const struct tw_fix_member *m = tw_fix_member(l, l->tags[i]);

        ((uint8_t *)d->marks)[m->tag] |= as;
        if (m->group) mark(d, m->group, as);
    }
}

static int make_edge(struct maker *k, enum tw_fix_draft_what what, const char *name,
                     uint32_t tag, struct tw_fix_level *out)
{
    struct tw_fix_draft_part *p = tw_fix_draft_part(k->t, what, name, strlen(name));
    int code;

    if (!p) return tw_fix_draft_fail(k->t, TW_EFORMAT, "the %s is not defined", name);
    code = make_level(k, p->members, 0, out);
    if (code < 0) return code;
    if (!tw_fix_member(out, tag))
        return tw_fix_draft_fail(k->t, TW_EFORMAT, "the %s has no tag %u", name, tag);
    mark(k->d, out, what == TW_FIX_HEADER ? TW_FIX_IN_HEADER : TW_FIX_IN_TRAILER);
    return TW_OK;
}

/* Whether what a frame has shown of 8, 9 and 35 is all that the dictionary asks. */
static bool begins(const struct tw_fix_dictionary *d)
{
    enum { ODD = TW_FIX_IN_TRAILER | TW_FIX_IS_DATA | TW_FIX_IS_COUNT };
    static const struct { uint32_t tag; enum tw_fix_test test; } first[] = {
        { 8, TW_FIX_TEST_TEXT }, { 9, TW_FIX_TEST_DIGITS }, { 35, TW_FIX_TEST_TEXT },
    };

    for (uint32_t i = 0; i < sizeof first / sizeof *first; i++) {
        const struct tw_fix_member *m = tw_fix_member(&d->header, first[i].tag);

        if (!m || m->at != i || m->field->test != first[i].test
            || d->marks[first[i].tag] & ODD)
            return false;
    }
    return true;
}

/* ---- messages ---- */

static int by_code(const void *a, const void *b)
{
    return strcmp((*(struct tw_fix_draft_part *const *)a)->code,
                  (*(struct tw_fix_draft_part *const *)b)->code);
}

static int make_types(struct maker *k, struct tw_fix_draft_part **from)
{
    struct tw_fix_dictionary *d = k->d;

    d->types = take(k, d->types_n, sizeof *d->types);
    if (!d->types || !places_init(k, &d->types_named, d->types_n)
        || !places_init(k, &d->types_coded, d->types_n))
        return tw_fix_draft_no_memory(k->t);
    qsort(from, d->types_n, sizeof *from, by_code);
    for (uint32_t i = 0; i < d->types_n; i++) {
        struct tw_fix_type *m = &d->types[i];
        int code;

        m->code = copy(k, from[i]->code);
        m->name = copy(k, from[i]->name);
        m->admin = from[i]->admin;
        if (!m->code || !m->name) return tw_fix_draft_no_memory(k->t);
        places_add(&d->types_coded, m->code, i);
        if (!m->code[1] && (unsigned char)*m->code < 128)
            d->types_short[(unsigned char)*m->code] = (uint16_t)(i + 1);
        places_add(&d->types_named, m->name, i);
        code = make_level(k, from[i]->members, 0, &m->body);
        if (code < 0) return code;
        if (m->admin) mark(k->d, &m->body, TW_FIX_IN_ADMIN);
    }
    return TW_OK;
}

static void forget_levels(struct tw_fix_draft_member *m)
{
    for (; m; m = m->next) {
        m->level = NULL;
        forget_levels(m->members);
    }
}

/* Messages to types, components to k->components; how many in all. */
static uint32_t sort_out(struct maker *k, struct tw_fix_draft_part **types)
{
    uint32_t n = 0, components = 0;

    for (struct tw_fix_draft_part *p = k->t->parts; p; p = p->next, n++) {
        if (!types) continue;
        forget_levels(p->members);
        if (p->what == TW_FIX_TYPE && !p->gone) types[k->d->types_n++] = p;
        if (p->what != TW_FIX_COMPONENT) continue;
        k->components[components] = p;
        places_add(&k->components_named, p->name, components++);
    }
    return n;
}

static int make(struct maker *k, struct tw_fix_draft_part **types)
{
    int code;

    sort_out(k, types);
    code = make_fields(k);
    if (code == TW_OK) code = make_edge(k, TW_FIX_HEADER, "header", 35, &k->d->header);
    if (code == TW_OK) code = make_edge(k, TW_FIX_TRAILER, "trailer", 10, &k->d->trailer);
    if (code < 0) return code;
    k->d->header_begins = begins(k->d);
    k->d->trailer_is_10 = true;
    for (uint32_t i = 0; i < k->d->trailer.n; i++) {
        const struct tw_fix_level *l = &k->d->trailer;

        if (l->tags[i] != 10 && tw_fix_member(l, l->tags[i])->required)
            k->d->trailer_is_10 = false;
    }
    return make_types(k, types);
}

int tw_fix_draft_finish(struct tw_fix_draft *t, struct tw_fix_dictionary **out,
                        struct tw_error *error)
{
    struct maker k = { .t = t, .d = tw_calloc(1, sizeof *k.d) };
    uint32_t parts = sort_out(&k, NULL);
    struct tw_fix_draft_part **types = tw_calloc(parts + 1, sizeof *types);
    int code;

    t->error = error;
    if (!t->place.file) t->place.file = "fix";
    k.components = tw_calloc(parts + 1, sizeof *k.components);
    if (!k.d || !types || !k.components || !places_init(&k, &k.components_named, parts)) {
        code = tw_fix_draft_no_memory(t);
    } else if (t->version < 0) {
        code = tw_fix_draft_fail(t, TW_EFORMAT, "no part says the version of FIX");
    } else {
        k.d->version = (enum tw_fix_version)t->version;
        k.d->fixt = t->fixt || t->version >= TW_FIX_50;
        k.d->family[t->version] = k.d;
        k.d->made_ns = tw_clock_steady_ns();
        code = make(&k, types);
    }
    tw_free(types);
    tw_free(k.components);
    if (code < 0) tw_fix_dictionary_free(k.d);
    else *out = k.d;
    return code;
}

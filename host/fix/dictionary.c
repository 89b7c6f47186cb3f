/* dictionary.c - what a version of FIX says: its fields, messages and groups.
 *
 * Layer host/fix.  Thread: any.
 */
#include "fix/dictionary.h"

#include <string.h>

#include "base/memory.h"
#include "fix/dictionary_parts.h"

static const char *const versions[] = {
    "FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4",
    "FIX.5.0", "FIX.5.0SP1", "FIX.5.0SP2",
};

const char *tw_fix_begin_string(enum tw_fix_version v)
{
    return v < TW_FIX_50 ? versions[v] : "FIXT.1.1";
}

const char *tw_fix_version_name(enum tw_fix_version v)
{
    return versions[v];
}

bool tw_fix_version_named(const char *name, enum tw_fix_version *out)
{
    for (unsigned i = 0; i < sizeof versions / sizeof *versions; i++)
        if (strcmp(name, versions[i]) == 0) {
            *out = (enum tw_fix_version)i;
            return true;
        }
    return false;
}

const char *tw_fix_appl_ver_id(enum tw_fix_version v)
{
    static const char *const id[] = { "2", "3", "4", "5", "6", "7", "8", "9" };

    return id[v];
}

int tw_fix_appl_version(const char *id, size_t n)
{
    return n == 1 && *id >= '2' && *id <= '9' ? *id - '2' : -1;
}

enum tw_fix_version tw_fix_dictionary_version(const struct tw_fix_dictionary *d)
{
    return d->version;
}

const char *tw_fix_dictionary_begin_string(const struct tw_fix_dictionary *d)
{
    return tw_fix_begin_string(d->fixt ? TW_FIX_50 : d->version);
}

const char *tw_fix_dictionary_appl_ver_id(const struct tw_fix_dictionary *d)
{
    return d->fixt ? tw_fix_appl_ver_id(d->version) : NULL;
}

int tw_fix_dictionary_join(struct tw_fix_dictionary *const *d, size_t n)
{
    const struct tw_fix_dictionary *family[TW_FIX_50SP2 + 1] = {0};

    for (size_t i = 0; i < n; i++) {
        if (!d[i]->fixt || family[d[i]->version]) return TW_EUSAGE;
        family[d[i]->version] = d[i];
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(d[i]->family, family, sizeof family);
        d[i]->joined = n > 1;
    }
    return TW_OK;
}

const struct tw_fix_dictionary *tw_fix_dictionary_of(const struct tw_fix_dictionary *d,
                                                     enum tw_fix_version v)
{
    return d->family[v];
}

const struct tw_fix_level *tw_fix_dictionary_header(const struct tw_fix_dictionary *d)
{
    return &d->header;
}

const struct tw_fix_level *tw_fix_dictionary_trailer(const struct tw_fix_dictionary *d)
{
    return &d->trailer;
}

uint32_t tw_fix_hash(const char *text, size_t n)
{
    uint32_t h = UINT32_C(2166136261);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * UINT32_C(16777619);
    return h ^ h >> 15;
}

static bool is(const char *name, const char *text, size_t n)
{
    return strlen(name) == n && memcmp(name, text, n) == 0;
}

const struct tw_fix_definition *tw_fix_dictionary_field(
    const struct tw_fix_dictionary *d, uint32_t tag)
{
    unsigned at = tag <= d->tag_max ? d->by_tag[tag] : 0;

    return at ? &d->fields[at - 1] : NULL;
}

const struct tw_fix_definition *tw_fix_dictionary_field_named(
    const struct tw_fix_dictionary *d, const char *name, size_t n)
{
    const struct tw_fix_places *p = &d->fields_named;

    for (uint32_t i = tw_fix_hash(name, n) & p->mask; p->at[i]; i = (i + 1) & p->mask)
        if (is(d->fields[p->at[i] - 1].name, name, n)) return &d->fields[p->at[i] - 1];
    return NULL;
}

const struct tw_fix_type *tw_fix_dictionary_type(
    const struct tw_fix_dictionary *d, const char *code, size_t n)
{
    const struct tw_fix_places *p = &d->types_coded;

    if (n == 1 && (unsigned char)*code < 128) {
        unsigned at = d->types_short[(unsigned char)*code];

        return at ? &d->types[at - 1] : NULL;
    }
    for (uint32_t i = tw_fix_hash(code, n) & p->mask; p->at[i]; i = (i + 1) & p->mask)
        if (is(d->types[p->at[i] - 1].code, code, n)) return &d->types[p->at[i] - 1];
    return NULL;
}

const struct tw_fix_type *tw_fix_dictionary_type_named(
    const struct tw_fix_dictionary *d, const char *name, size_t n)
{
    const struct tw_fix_places *p = &d->types_named;

    for (uint32_t i = tw_fix_hash(name, n) & p->mask; p->at[i]; i = (i + 1) & p->mask)
        if (is(d->types[p->at[i] - 1].name, name, n)) return &d->types[p->at[i] - 1];
    return NULL;
}

size_t tw_fix_dictionary_fields(const struct tw_fix_dictionary *d,
                                const struct tw_fix_definition **out)
{
    *out = d->fields;
    return d->fields_n;
}

size_t tw_fix_dictionary_types(const struct tw_fix_dictionary *d,
                               const struct tw_fix_type **out)
{
    *out = d->types;
    return d->types_n;
}

const struct tw_fix_choice *tw_fix_choice(const struct tw_fix_definition *f,
                                          const char *value, size_t n)
{
    size_t low = 0, high = f->choices_n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct tw_fix_choice *c = &f->choices[middle];
        size_t length = strlen(c->value);
        int order = memcmp(c->value, value, length < n ? length : n);

        if (order == 0 && length == n) return c;
        if (order < 0 || (order == 0 && length < n)) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

const char *tw_fix_choice_named(const struct tw_fix_definition *f, const char *name,
                                size_t n)
{
    for (size_t i = 0; i < f->choices_n; i++)
        if (is(f->choices[i].name, name, n)) return f->choices[i].value;
    return NULL;
}

static void free_one(struct tw_fix_dictionary *d)
{
    tw_arena_fini(&d->arena);
    tw_free(d);
}

void tw_fix_dictionary_free(struct tw_fix_dictionary *d)
{
    struct tw_fix_dictionary *family[TW_FIX_50SP2 + 1];

    if (!d) return;
    memcpy(family, d->family, sizeof family);
    for (unsigned v = 0; v <= TW_FIX_50SP2; v++)
        if (family[v] && family[v] != d) free_one(family[v]);
    free_one(d);
}

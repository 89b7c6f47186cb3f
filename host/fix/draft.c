/* draft.c - what dictionaries are made of, as it is put together.
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#include "fix/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/memory.h"
#include "fix/draft_parts.h"

struct tw_fix_draft *tw_fix_draft_new(void)
{
    struct tw_fix_draft *t = tw_calloc(1, sizeof *t);

    if (!t) return NULL;
    t->version = -1;
    t->parts_end = &t->parts;
    return t;
}

void tw_fix_draft_free(struct tw_fix_draft *t)
{
    if (!t) return;
    tw_arena_fini(&t->arena);
    tw_free(t->fields);
    tw_free(t->by_tag);
    tw_free(t);
}

int tw_fix_draft_fail(struct tw_fix_draft *t, int code, const char *format, ...)
{
    char what[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return tw_fail(t->error, code, "%s:%u: %s", t->place.file, t->place.line, what);
}

int tw_fix_draft_no_memory(struct tw_fix_draft *t)
{
    return tw_fail(t->error, UV_ENOMEM, "%s: no memory for the dictionary",
                   t->place.file);
}

int tw_fix_kind_named(const char *name, size_t n)
{
    static const struct { const char *name; enum tw_fix_kind kind; } known[] = {
        { "STRING", TW_FIX_STRING }, { "CHAR", TW_FIX_CHAR }, { "INT", TW_FIX_INT },
        { "PRICE", TW_FIX_FLOAT }, { "QTY", TW_FIX_FLOAT }, { "AMT", TW_FIX_FLOAT },
        { "FLOAT", TW_FIX_FLOAT }, { "PRICEOFFSET", TW_FIX_FLOAT },
        { "PERCENTAGE", TW_FIX_FLOAT }, { "QUANTITY", TW_FIX_FLOAT },
        { "BOOLEAN", TW_FIX_BOOLEAN }, { "LENGTH", TW_FIX_LENGTH },
        { "NUMINGROUP", TW_FIX_NUMINGROUP }, { "SEQNUM", TW_FIX_SEQNUM },
        { "TAGNUM", TW_FIX_SEQNUM }, { "DAYOFMONTH", TW_FIX_DAYOFMONTH },
        { "UTCTIMESTAMP", TW_FIX_TIMESTAMP }, { "TIME", TW_FIX_TIMESTAMP },
        { "UTCTIMEONLY", TW_FIX_TIMEONLY }, { "UTCTIME", TW_FIX_TIMEONLY },
        { "UTCDATEONLY", TW_FIX_DATE }, { "UTCDATE", TW_FIX_DATE },
        { "DATE", TW_FIX_DATE }, { "LOCALMKTDATE", TW_FIX_DATE },
        { "MONTHYEAR", TW_FIX_MONTHYEAR }, { "TZTIMESTAMP", TW_FIX_TZ },
        { "TZTIMEONLY", TW_FIX_TZ }, { "LOCALMKTTIME", TW_FIX_TZ },
        { "DATA", TW_FIX_DATA }, { "XMLDATA", TW_FIX_DATA },
        { "MULTIPLEVALUESTRING", TW_FIX_STRINGS },
        { "MULTIPLESTRINGVALUE", TW_FIX_STRINGS },
        { "MULTIPLECHARVALUE", TW_FIX_CHARS }, { "CURRENCY", TW_FIX_STRING },
        { "COUNTRY", TW_FIX_STRING }, { "EXCHANGE", TW_FIX_STRING },
        { "LANGUAGE", TW_FIX_STRING }, { "XID", TW_FIX_STRING },
        { "XIDREF", TW_FIX_STRING },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == n && memcmp(known[i].name, name, n) == 0)
            return known[i].kind;
    return -1;
}

/* Room in by_tag for the tag. */
static int reach(struct tw_fix_draft *t, uint32_t tag)
{
    uint32_t *grown;

    if (tag < t->by_tag_n) return TW_OK;
    grown = tw_extend(t->by_tag, &t->by_tag_n, tag, sizeof *grown);
    if (!grown) return tw_fix_draft_no_memory(t);
    t->by_tag = grown;
    return TW_OK;
}

struct tw_fix_draft_field *tw_fix_draft_defined(struct tw_fix_draft *t, uint32_t tag)
{
    uint32_t at = tag < t->by_tag_n ? t->by_tag[tag] : 0;

    return at && t->fields[at - 1].kind >= 0 ? &t->fields[at - 1] : NULL;
}

int tw_fix_draft_define(struct tw_fix_draft *t, uint32_t tag, const char *name, size_t n,
                        int kind, struct tw_fix_draft_field **out)
{
    struct tw_fix_draft_field *f;
    int code;

    if (tag == 0 || tag > TW_FIX_TAG_MAX)
        return tw_fix_draft_fail(t, TW_ELIMIT, "tag %u is not 1 to %d", tag,
                                 TW_FIX_TAG_MAX);
    code = reach(t, tag);
    if (code < 0) return code;
    if (!t->by_tag[tag]) {
        if (t->fields_n == UINT16_MAX)
            return tw_fix_draft_fail(t, TW_ELIMIT, "more than %d fields", UINT16_MAX);
        if (t->fields_n == t->fields_max) {
            struct tw_fix_draft_field *grown = tw_grow(t->fields, &t->fields_max,
                                                       t->fields_n + 1, sizeof *grown);

            if (!grown) return tw_fix_draft_no_memory(t);
            t->fields = grown;
        }
        t->by_tag[tag] = ++t->fields_n;
    }
    f = &t->fields[t->by_tag[tag] - 1];
    *f = (struct tw_fix_draft_field){ .kind = -1 };
    f->name = tw_arena_text(&t->arena, name, n);
    if (!f->name) return tw_fix_draft_no_memory(t);
    f->kind = kind;
    *out = f;
    return TW_OK;
}

int tw_fix_draft_choose(struct tw_fix_draft *t, struct tw_fix_draft_field *f,
                        const char *value, size_t value_n, const char *name, size_t n)
{
    struct tw_fix_draft_choice **at = &f->choices, *c;
    const char *v, *called;

    while (*at && !(strlen((*at)->value) == value_n
                    && memcmp((*at)->value, value, value_n) == 0))
        at = &(*at)->next;
    c = *at ? *at : tw_arena_take(&t->arena, sizeof *c);
    v = tw_arena_text(&t->arena, value, value_n);
    called = tw_arena_text(&t->arena, name, n);
    if (!c || !v || !called) return tw_fix_draft_no_memory(t);
    c->value = v;
    c->name = called;
    *at = c;
    return TW_OK;
}

struct tw_fix_draft_part *tw_fix_draft_part(struct tw_fix_draft *t,
                                            enum tw_fix_draft_what what, const char *name,
                                            size_t n)
{
    for (struct tw_fix_draft_part *p = t->parts; p; p = p->next) {
        const char *called = p->code ? p->code : p->name;

        if (p->what == what && !p->gone && strlen(called) == n
            && memcmp(called, name, n) == 0)
            return p;
    }
    return NULL;
}

int tw_fix_draft_begin(struct tw_fix_draft *t, enum tw_fix_draft_what what,
                       const char *code, size_t code_n, const char *name, size_t n,
                       struct tw_fix_draft_part **out)
{
    struct tw_fix_draft_part *p =
        tw_fix_draft_part(t, what, code ? code : name, code ? code_n : n);
    bool has_code = code != NULL;
    const char *called;

    if (!p) p = tw_arena_take(&t->arena, sizeof *p);
    called = tw_arena_text(&t->arena, name, n);
    if (code) code = tw_arena_text(&t->arena, code, code_n);
    if (!p || !called || (has_code && !code)) return tw_fix_draft_no_memory(t);
    p->what = what;
    p->code = code;
    p->name = called;
    if (!p->end) {
        *t->parts_end = p;
        t->parts_end = &p->next;
    }
    p->members = NULL;
    p->end = &p->members;
    p->place = t->place;
    *out = p;
    return TW_OK;
}

int tw_fix_draft_member(struct tw_fix_draft *t, struct tw_fix_draft_member ***end,
                        struct tw_fix_draft_member **out)
{
    struct tw_fix_draft_member *m = tw_arena_take(&t->arena, sizeof *m);

    if (!m) return tw_fix_draft_no_memory(t);
    m->place = t->place;
    **end = m;
    *end = &m->next;
    *out = m;
    return TW_OK;
}

static int read_part(struct tw_fix_draft *t, const char *name, const char *text, size_t n)
{
    size_t at = 0;

    t->place = (struct tw_fix_place){ .file = name, .line = 1 };
    if (n > TW_FIX_FILE_MAX)
        return tw_fix_draft_fail(t, TW_ELIMIT, "more than %d bytes", TW_FIX_FILE_MAX);
    t->place.file = tw_arena_text(&t->arena, name, strlen(name));
    if (!t->place.file) {
        t->place.file = "fix";
        return tw_fix_draft_no_memory(t);
    }
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3, n -= 3;                    /* a byte order mark */
    while (at < n && strchr(" \t\r\n", text[at])) at++;
    return at < n && text[at] == '<' ? tw_fix_draft_xml(t, text, n)
           : tw_fix_draft_text(t, text, n);
}

int tw_fix_draft_add(struct tw_fix_draft *t, const char *name, const char *text,
                     size_t n, struct tw_error *error)
{
    t->error = error;
    return read_part(t, name, text, n);
}

static int read_built_in(struct tw_fix_draft *t, int v, bool fixt,
                         struct tw_error *error)
{
    size_t n;
    char *text = tw_fix_built_in(v, fixt, &n);
    int code;

    t->error = error;
    t->fixt |= fixt;
    t->place = (struct tw_fix_place){ .file = "built in" };
    code = text ? read_part(t, "built in", text, n) : tw_fix_draft_no_memory(t);
    tw_free(text);
    return code;
}

int tw_fix_draft_version(struct tw_fix_draft *t, enum tw_fix_version v,
                         struct tw_error *error)
{
    return read_built_in(t, (int)v, v >= TW_FIX_50, error);
}

int tw_fix_draft_fixt(struct tw_fix_draft *t, struct tw_error *error)
{
    return t->fixt ? TW_OK : read_built_in(t, -1, true, error);
}

int tw_fix_draft_file(struct tw_fix_draft *t, const char *path, struct tw_error *error)
{
    FILE *file = fopen(path, "rb");
    size_t n = 0, room = 64 << 10, got;
    char *text = NULL;
    int code = TW_OK;

    if (!file) {
        code = uv_translate_sys_error(errno);
        return tw_fail(error, code, "%s: %s", path, uv_strerror(code));
    }
    do {
        char *grown = tw_realloc(text, room);

        if (!grown) {
            code = tw_fail(error, UV_ENOMEM, "%s: no memory for the file", path);
            goto done;
        }
        text = grown;
        got = fread(text + n, 1, room - n, file);
        n += got;
        if (n == room) room *= 2;
    } while (got && n <= TW_FIX_FILE_MAX);
    if (ferror(file))
        code = tw_fail(error, UV_EIO, "%s: it cannot be read", path);
    else if (n > TW_FIX_FILE_MAX)
        code = tw_fail(error, TW_ELIMIT, "%s: more than %d bytes", path, TW_FIX_FILE_MAX);
    else
        code = tw_fix_draft_add(t, path, text, n, error);
done:
    tw_free(text);
    fclose(file);
    return code;
}

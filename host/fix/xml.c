/* xml.c - reads dictionaries in the XML form that users of QuickFIX have.
 *
 * What a DTD could say is refused: no such file has one, and entities are how small
 * files become large ones.
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#include <stdio.h>
#include <string.h>

#include <expat.h>

#include "base/memory.h"
#include "fix/draft_parts.h"

enum section { NONE, FIELDS, COMPONENTS, MESSAGES, HEADER, TRAILER };

struct reader {
    struct tw_fix_draft *t;
    XML_Parser parser;
    enum section section;
    unsigned depth;               /* of elements                            */
    uint32_t tag;                 /* of the field whose values come; 0: none */
    unsigned lists;               /* of members that are open               */
    struct tw_fix_draft_member **end[TW_FIX_DEPTH + 1];
    struct tw_fix_draft_part *part;
    int code;
};

static const char *attribute(const char **pairs, const char *name)
{
    for (; *pairs; pairs += 2)
        if (strcmp(pairs[0], name) == 0) return pairs[1];
    return NULL;
}

static int lacks(struct reader *r, const char *element, const char *name)
{
    return tw_fix_draft_fail(r->t, TW_EFORMAT, "<%.40s> has no %s", element, name);
}

static int version(struct reader *r, const char **pairs)
{
    const char *type = attribute(pairs, "type"), *major = attribute(pairs, "major");
    const char *minor = attribute(pairs, "minor");
    const char *pack = attribute(pairs, "servicepack");
    enum tw_fix_version v;
    char name[40];

    if (!major || !minor) return lacks(r, "fix", "major and minor");
    if (type && strcmp(type, "FIXT") == 0) {
        /* The application's file comes on top, and says which it is. */
        if (r->t->version < 0) r->t->version = TW_FIX_50;
        r->t->fixt = true;
        return TW_OK;
    }
    if (!pack || strcmp(pack, "0") == 0) pack = "";
    snprintf(name, sizeof name, "FIX.%.3s.%.3s%s%.3s", major, minor, *pack ? "SP" : "",
             pack);
    if (!tw_fix_version_named(name, &v))
        return tw_fix_draft_fail(r->t, TW_EFORMAT, "%s is not a version of FIX", name);
    r->t->version = (int)v;
    return TW_OK;
}

static int define(struct reader *r, const char **pairs)
{
    const char *number = attribute(pairs, "number"), *name = attribute(pairs, "name");
    const char *type = attribute(pairs, "type");
    const char *open = attribute(pairs, "allowOtherValues");
    struct tw_fix_draft_field *f;
    uint32_t tag = 0;
    int kind, code;

    if (!number || !name || !type) return lacks(r, "field", "number, name and type");
    for (const char *p = number; *p; p++) {
        if (*p < '0' || *p > '9' || p - number == 7)
            return tw_fix_draft_fail(r->t, TW_EFORMAT, "'%.40s' is not a tag", number);
        tag = tag * 10 + (uint32_t)(*p - '0');
    }
    /* Venues have types of their own: what they mean is not known; any text will do. */
    kind = tw_fix_kind_named(type, strlen(type));
    if (kind < 0) kind = TW_FIX_STRING;
    code = tw_fix_draft_define(r->t, tag, name, strlen(name), kind, &f);
    r->tag = tag;
    if (code == TW_OK) f->open = open && *open && strchr("YyTt", *open);
    return code;
}

static int choose(struct reader *r, const char **pairs)
{
    const char *value = attribute(pairs, "enum");
    const char *name = attribute(pairs, "description");

    if (!value) return lacks(r, "value", "enum");
    if (!r->tag || !*value) return TW_OK;
    if (!name) name = value;
    return tw_fix_draft_choose(r->t, tw_fix_draft_defined(r->t, r->tag), value,
                               strlen(value), name, strlen(name));
}

static int open_part(struct reader *r, enum tw_fix_draft_what what, const char *code,
                     const char *name)
{
    int failed = tw_fix_draft_begin(r->t, what, code, code ? strlen(code) : 0, name,
                                    strlen(name), &r->part);

    if (failed < 0) return failed;
    r->end[0] = r->part->end;
    r->lists = 1;
    return TW_OK;
}

/* <field>, <group> or <component> within a list. */
static int member(struct reader *r, const char *element, const char **pairs)
{
    const char *name = attribute(pairs, "name");
    const char *required = attribute(pairs, "required");
    struct tw_fix_draft_member *m;
    int code;

    if (!name) return lacks(r, element, "name");
    if (r->lists == 0) {   /* a header or trailer that has members at all */
        code = r->section == HEADER ? open_part(r, TW_FIX_HEADER, NULL, "header")
               : open_part(r, TW_FIX_TRAILER, NULL, "trailer");
        if (code < 0) return code;
    }
    code = tw_fix_draft_member(r->t, &r->end[r->lists - 1], &m);
    if (code < 0) return code;
    m->name = tw_arena_text(&r->t->arena, name, strlen(name));
    if (!m->name) return tw_fix_draft_no_memory(r->t);
    m->required = required && (*required == 'Y' || *required == 'y');
    m->component = strcmp(element, "component") == 0;
    if (strcmp(element, "group")) return TW_OK;
    m->group = true;
    if (r->lists > TW_FIX_DEPTH)
        return tw_fix_draft_fail(r->t, TW_ELIMIT, "more than %d groups in another",
                                 TW_FIX_DEPTH);
    r->end[r->lists++] = &m->members;
    return TW_OK;
}

static int part(struct reader *r, const char *element, const char **pairs)
{
    const char *name = attribute(pairs, "name"), *code = attribute(pairs, "msgtype");
    const char *category = attribute(pairs, "msgcat");
    const struct tw_fix_draft_part *before;
    int failed;

    if (!name) return lacks(r, element, "name");
    if (r->section == COMPONENTS) return open_part(r, TW_FIX_COMPONENT, NULL, name);
    if (!code || !*code) return lacks(r, element, "msgtype");
    before = tw_fix_draft_part(r->t, TW_FIX_TYPE, code, strlen(code));
    if (before && before->place.file == r->t->place.file)   /* not of another file */
        return tw_fix_draft_fail(r->t, TW_EFORMAT, "message %.20s comes twice: it is in"
                                 " line %u, too", code, before->place.line);
    failed = open_part(r, TW_FIX_TYPE, code, name);
    if (failed == TW_OK) r->part->admin = category && strcmp(category, "admin") == 0;
    return failed;
}

static int open_section(struct reader *r, const char *element)
{
    static const struct { const char *name; enum section section; } known[] = {
        { "header", HEADER }, { "trailer", TRAILER }, { "messages", MESSAGES },
        { "components", COMPONENTS }, { "fields", FIELDS },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(element, known[i].name) == 0) {
            r->section = known[i].section;
            return TW_OK;
        }
    return tw_fix_draft_fail(r->t, TW_EFORMAT, "<%.40s> is nothing of a dictionary",
                             element);
}

static int open_element(struct reader *r, const char *element, const char **pairs)
{
    bool listed = strcmp(element, "field") == 0 || strcmp(element, "group") == 0
        || strcmp(element, "component") == 0;

    if (r->depth == 0)
        return strcmp(element, "fix") == 0 ? version(r, pairs)
               : tw_fix_draft_fail(r->t, TW_EFORMAT, "<%.40s> begins no dictionary",
                                   element);
    if (r->depth == 1) return open_section(r, element);
    if (r->section == FIELDS) {
        if (r->depth == 2 && strcmp(element, "field") == 0) return define(r, pairs);
        if (r->depth == 3 && strcmp(element, "value") == 0) return choose(r, pairs);
    } else if (r->depth == 2 && r->section == MESSAGES) {
        if (strcmp(element, "message") == 0) return part(r, element, pairs);
    } else if (r->depth == 2 && r->section == COMPONENTS) {
        if (strcmp(element, "component") == 0) return part(r, element, pairs);
    } else if (listed) {
        return member(r, element, pairs);
    }
    return tw_fix_draft_fail(r->t, TW_EFORMAT, "<%.40s> is out of its place", element);
}

static void on_start(void *ctx, const char *element, const char **pairs)
{
    struct reader *r = ctx;

    if (r->code < 0) return;
    r->t->place.line = (unsigned)XML_GetCurrentLineNumber(r->parser);
    r->code = open_element(r, element, pairs);
    r->depth++;
    if (r->code < 0) XML_StopParser(r->parser, XML_FALSE);
}

static void on_end(void *ctx, const char *element)
{
    struct reader *r = ctx;

    r->depth--;
    if (r->code < 0 || r->lists == 0) return;
    if (strcmp(element, "group") == 0) {
        r->lists--;
    } else if (r->depth == 1 || (r->depth == 2 && r->section != HEADER
                                 && r->section != TRAILER)) {
        r->part->end = r->end[0];
        r->lists = 0;
    }
}

static void on_doctype(void *ctx, const char *name, const char *system,
                       const char *public, int internal)
{
    struct reader *r = ctx;

    (void)name, (void)system, (void)public, (void)internal;
    if (r->code < 0) return;
    r->t->place.line = (unsigned)XML_GetCurrentLineNumber(r->parser);
    r->code = tw_fix_draft_fail(r->t, TW_EFORMAT, "a DTD, which no dictionary has");
    XML_StopParser(r->parser, XML_FALSE);
}

/* expat frees NULL, and reallocates it. */
static void *take(size_t bytes)
{
    return tw_calloc(1, bytes);
}

int tw_fix_draft_xml(struct tw_fix_draft *t, const char *text, size_t n)
{
    static const XML_Memory_Handling_Suite memory = { take, tw_realloc, tw_free };
    struct reader r = { .t = t, .parser = XML_ParserCreate_MM(NULL, &memory, NULL) };

    if (!r.parser) return tw_fix_draft_no_memory(t);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
    if (XML_Parse(r.parser, text, (int)n, 1) == XML_STATUS_ERROR && r.code == TW_OK) {
        enum XML_Error why = XML_GetErrorCode(r.parser);

        t->place.line = (unsigned)XML_GetCurrentLineNumber(r.parser);
        r.code = why == XML_ERROR_NO_MEMORY ? tw_fix_draft_no_memory(t)
                 : tw_fix_draft_fail(t, TW_EFORMAT, "%s", XML_ErrorString(why));
    }
    XML_ParserFree(r.parser);
    return r.code;
}

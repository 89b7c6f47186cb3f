/* fix_dictionary.c - dictionaries: what is built in, XML files, extensions, and what is
 * said of those that are wrong. */
#include "fix_rig.h"
#include "tap.h"

enum { VERSIONS = TW_FIX_50SP2 + 1 };

static const char SPEC[] = "../shared/fix-at/spec/";

/* ---- what is built in ---- */

static bool found_again(const struct tw_fix_dictionary *d)
{
    const struct tw_fix_definition *f;
    const struct tw_fix_type *m;
    size_t fields = tw_fix_dictionary_fields(d, &f);
    size_t types = tw_fix_dictionary_types(d, &m);

    for (size_t i = 0; i < fields; i++) {
        if (tw_fix_dictionary_field(d, f[i].tag) != &f[i]
            || tw_fix_dictionary_field_named(d, f[i].name, strlen(f[i].name)) != &f[i]
            || (i && f[i].tag <= f[i - 1].tag))
            return false;
        for (size_t k = 0; k < f[i].choices_n; k++) {
            const struct tw_fix_choice *c = &f[i].choices[k];

            if (tw_fix_choice(&f[i], c->value, strlen(c->value)) != c) return false;
        }
    }
    for (size_t i = 0; i < types; i++)
        if (tw_fix_dictionary_type(d, m[i].code, strlen(m[i].code)) != &m[i]
            || tw_fix_dictionary_type_named(d, m[i].name, strlen(m[i].name)) != &m[i])
            return false;
    return types > 0;
}

static void built_in(void)
{
    static const char *const orders[] = { "D", "F", "G", "8", "9", "A", "0", "5" };
    static const char *const market[] = { "V", "W", "X", "Y" };

    for (int v = 0; v < VERSIONS; v++) {
        struct tw_fix_dictionary *d = dictionary((enum tw_fix_version)v, NULL);
        const struct tw_fix_definition *f = tw_fix_dictionary_field(d, 54);
        bool has = true;

        ok(tw_fix_dictionary_version(d) == (enum tw_fix_version)v && found_again(d),
           "version %d: all is found by tag, code and name", v);
        for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
            has = has && tw_fix_dictionary_type(d, orders[i], 1);
        for (size_t i = 0; i < sizeof market / sizeof *market; i++)
            has = has && (v < TW_FIX_42 || tw_fix_dictionary_type(d, market[i], 1));
        ok(has && tw_fix_dictionary_type(d, "A", 1)->admin
           && !tw_fix_dictionary_type(d, "D", 1)->admin, "it has the messages it should");
        ok(f && strcmp(tw_fix_choice_named(f, "SELL", 4), "2") == 0
           && strcmp(tw_fix_choice(f, "1", 1)->name, "BUY") == 0
           && !tw_fix_choice(f, "1\0", 2) && !tw_fix_choice(f, "", 0)
           && !tw_fix_choice_named(f, "SEL", 3), "choices by value and by name");
        ok(!tw_fix_dictionary_field(d, 999999) && !tw_fix_dictionary_field(d, 0)
           && !tw_fix_dictionary_field(d, UINT32_MAX)
           && !tw_fix_dictionary_type(d, "D\0", 2) && !tw_fix_dictionary_type(d, "", 0)
           && !tw_fix_dictionary_field_named(d, "Sid", 3),
           "and what is not there is not");
        tw_fix_dictionary_free(d);
    }
}

static void versions(void)
{
    enum tw_fix_version v;

    ok(tw_fix_version_named("FIX.5.0SP1", &v) && v == TW_FIX_50SP1
       && !tw_fix_version_named("FIXT.1.1", &v) && !tw_fix_version_named("", &v),
       "versions by name");
    ok(strcmp(tw_fix_begin_string(TW_FIX_44), "FIX.4.4") == 0
       && strcmp(tw_fix_begin_string(TW_FIX_50SP2), "FIXT.1.1") == 0
       && strcmp(tw_fix_appl_ver_id(TW_FIX_50SP2), "9") == 0
       && strcmp(tw_fix_appl_ver_id(TW_FIX_40), "2") == 0, "and what they are called");
}

/* ---- the same as XML files ---- */

/* 779 of 35=W: files of after extension pack 190 require it, the others have none. */
static bool is_late(const struct tw_fix_level *a, uint32_t at)
{
    return a->tags[at] == 779 && tw_fix_member(a, 268);
}

/* How many members of a differ from those of b, of which a may leave some out.  Of a
 * dictionary that leaves out, none has a tag above the limit. */
static unsigned differ(const struct tw_fix_level *a, const struct tw_fix_level *b,
                       uint32_t limit)
{
    unsigned wrong = limit == UINT32_MAX && a->n != b->n;
    uint32_t next = 0;

    for (uint32_t i = 0; i < a->n; i++) {
        const struct tw_fix_member *m = tw_fix_member(a, a->tags[i]);
        const struct tw_fix_member *o = tw_fix_member(b, a->tags[i]);

        if (!o || m->at != i || o->at < next
            || (m->required != o->required && !is_late(a, i))
            || m->kind != o->kind || !m->group != !o->group || m->tag > limit) {
            printf("# member %u\n", a->tags[i]);
            wrong++;
            continue;
        }
        next = o->at;
        if (m->group) wrong += differ(m->group, o->group, limit);
    }
    return wrong;
}

static bool same_field(const struct tw_fix_definition *a,
                       const struct tw_fix_definition *b)
{
    if (!b || strcmp(a->name, b->name) || a->kind != b->kind
        || a->choices_n != b->choices_n)
        return false;
    for (size_t i = 0; i < a->choices_n; i++)
        if (strcmp(a->choices[i].value, b->choices[i].value)
            || strcmp(a->choices[i].name, b->choices[i].name))
            return false;
    return true;
}

/* What 5.0 and 5.0SP1 have of the session as their files do not: it is one for all. */
static bool is_of_fixt(uint32_t tag)
{
    return tag == 373 || tag == 1128 || tag == 1406 || tag == 1409 || tag == 1410;
}

static unsigned compare(const struct tw_fix_dictionary *a,
                        const struct tw_fix_dictionary *b, uint32_t limit)
{
    bool older = tw_fix_dictionary_version(a) >= TW_FIX_50
              && tw_fix_dictionary_version(a) < TW_FIX_50SP2;
    const struct tw_fix_definition *f;
    const struct tw_fix_type *m;
    size_t fields = tw_fix_dictionary_fields(a, &f);
    size_t types = tw_fix_dictionary_types(a, &m);
    unsigned wrong = differ(tw_fix_dictionary_header(a), tw_fix_dictionary_header(b),
                            UINT32_MAX);

    wrong += differ(tw_fix_dictionary_trailer(a), tw_fix_dictionary_trailer(b),
                    UINT32_MAX);
    for (size_t i = 0; i < fields; i++)
        if (!same_field(&f[i], tw_fix_dictionary_field(b, f[i].tag))
            && !(older && is_of_fixt(f[i].tag))) {
            printf("# field %u\n", f[i].tag);
            wrong++;
        }
    for (size_t i = 0; i < types; i++) {
        const struct tw_fix_type *o =
            tw_fix_dictionary_type(b, m[i].code, strlen(m[i].code));

        if (!o || strcmp(o->name, m[i].name) || o->admin != m[i].admin
            || (differ(&m[i].body, &o->body, limit)
                && !(older && strcmp(m[i].code, "A") == 0))) {
            printf("# message %s\n", m[i].code);
            wrong++;
        }
    }
    return wrong;
}

static struct tw_fix_dictionary *read_spec(enum tw_fix_version v)
{
    static const char *const names[VERSIONS] = {
        "FIX40", "FIX41", "FIX42", "FIX43", "FIX44", "FIX50", "FIX50SP1", "FIX50SP2",
    };
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error = {0};
    char path[100];
    int code = TW_OK;

    if (v >= TW_FIX_50) {
        snprintf(path, sizeof path, "%sFIXT11.xml", SPEC);
        code = tw_fix_draft_file(t, path, &error);
    }
    snprintf(path, sizeof path, "%s%s.xml", SPEC, names[v]);
    if (code == TW_OK) code = tw_fix_draft_file(t, path, &error);
    if (code == TW_OK) code = tw_fix_draft_finish(t, &d, &error);
    if (code < 0) printf("# %s\n", error.text);
    tw_fix_draft_free(t);
    return d;
}

static void specifications(void)
{
    char path[100];
    FILE *file;

    snprintf(path, sizeof path, "%sFIX44.xml", SPEC);
    file = fopen(path, "r");
    if (!file) {
        ok(true, "no specifications to compare with # SKIP");
        return;
    }
    fclose(file);
    for (int v = 0; v < VERSIONS; v++) {
        struct tw_fix_dictionary *a = dictionary((enum tw_fix_version)v, NULL);
        struct tw_fix_dictionary *b = read_spec((enum tw_fix_version)v);

        ok(b && found_again(b), "version %d as XML: all is found", v);
        ok(b && tw_fix_dictionary_version(b) == (enum tw_fix_version)v
           && compare(a, b, v == TW_FIX_50SP2 ? 1621 : UINT32_MAX) == 0,
           "what is built in is the same");
        tw_fix_dictionary_free(a);
        tw_fix_dictionary_free(b);
    }
}

/* ---- extensions ---- */

static void extensions(void)
{
    static const char text[] =
        "# A venue's own.\n"
        "5001 VenueID STRING\n"
        "5002 Flavour CHAR 1=SWEET\n"
        "   2=SOUR   # more of them\n"
        "\n"
        "   3=BITTER\n"
        "5003 NoFlavours NUMINGROUP\n"
        "5004 NoCups NUMINGROUP\n"
        "54 + Z=ANY\n"
        "@Cups 5004( 5002! )\n"
        "D + 5001! 5003!(5001! @Cups)\n"
        "header + 5001\n"
        "8 + 5001\n"
        "U1 Taste app @Cups! 58\n"
        "-35=j\n";
    struct tw_fix_dictionary *d = dictionary(TW_FIX_44, text);
    const struct tw_fix_type *m = tw_fix_dictionary_type(d, "D", 1);
    const struct tw_fix_member *flavours = tw_fix_member(&m->body, 5003);
    const struct tw_fix_member *cups = tw_fix_member(flavours->group, 5004);

    ok(tw_fix_member(&m->body, 5001)->required && tw_fix_member(&m->body, 11)->required
       && !tw_fix_member(&m->body, 5002), "members are added to a message");
    ok(flavours->required && flavours->group->n == 2 && flavours->group->tags[0] == 5001
       && cups->group->n == 1 && tw_fix_member(cups->group, 5002)->required,
       "a group in a group, by a component");
    ok(tw_fix_dictionary_field(d, 5002)->choices_n == 3
       && strcmp(tw_fix_choice(tw_fix_dictionary_field(d, 54), "Z", 1)->name, "ANY") == 0
       && tw_fix_choice(tw_fix_dictionary_field(d, 54), "1", 1), "choices");
    ok(tw_fix_member(tw_fix_dictionary_header(d), 5001)
       && tw_fix_member(&tw_fix_dictionary_type(d, "8", 1)->body, 5001)
       && !tw_fix_dictionary_type(d, "j", 1)
       && tw_fix_dictionary_type_named(d, "Taste", 5)->body.n == 2,
       "the header, a message whose code is a digit, one taken out, a new one");
    tw_fix_dictionary_free(d);
    d = dictionary(TW_FIX_42, "\xef\xbb\xbf"
                   "55 Sym INT\nD New app 11\n@X 55!\nU1 U app @X 37\n");
    ok(tw_fix_dictionary_field(d, 55)->kind == TW_FIX_INT
       && tw_fix_dictionary_type(d, "D", 1)->body.n == 1
       && !tw_fix_member(&tw_fix_dictionary_type(d, "U1", 2)->body, 55)->required,
       "what comes again is anew; nothing of an optional component is required");
    tw_fix_dictionary_free(d);
}

/* ---- what is wrong ---- */

#define EDGES "header 8! 9! 35!\ntrailer 10!\n"
#define FIELDS "fix FIX.4.4\n8 BeginString STRING\n9 BodyLength LENGTH\n" \
    "10 CheckSum STRING\n35 MsgType STRING\n55 Symbol STRING\n"

static void told(int code, const struct tw_error *error, const char *said)
{
    bool right = code < 0 && strcmp(error->text, said) == 0;

    ok(right, "%s", said);
    if (!right) printf("# %s\n", error->text);
}

static void wrong_text(void)
{
    static const struct { const char *text, *said; } wrong[] = {
        { "fix FIX.9\n", "x:1: 'FIX.9' is not a version of FIX" },
        { "fix FIX.4.4 now\n", "x:1: 'now' is not the end of the line" },
        { "\n55 Symbol WORD\n", "x:2: 'WORD' is not a type" },
        { "55 Symbol\n", "x:1: a type is missing" },
        { "55\n", "x:1: the field's name is missing" },
        { "55 Symbol STRING 1\n", "x:1: '1' is not value=name" },
        { "55 Symbol STRING\n # hm\n =a\n", "x:3: '=a' is not value=name" },
        { "1000000 Tag STRING\n", "x:1: tag 1000000 is not 1 to 999999" },
        { "0 Tag STRING\n", "x:1: tag 0 is not 1 to 999999" },
        { "56 + A=B\n", "x:1: field 56 is not defined" },
        { "D + 56\n", "x:1: D is not defined" },
        { "D New\n", "x:1: app or admin is missing" },
        { "D New app 55(56\n", "x:1: the ) of the group is missing" },
        { "D New app 55)\n", "x:1: ')' is not a member" },
        { "D New app 55 56x\n", "x:1: '56x' is not a tag or @component" },
        { "-56\n", "x:1: '-56' is not -tag or -35=code of what is defined" },
        { "-35=D\n", "x:1: '-35=D' is not -tag or -35=code of what is defined" },
        { "D N app 1(2(3(4(5(6(7(8(9(10\n", "x:1: more than 8 groups in another" },
        { "55 A INT\n", "x:2: no part says the version of FIX" },
        { FIELDS, "x:7: the header is not defined" },
        { FIELDS "header 8! 9!\n", "x:8: the header has no tag 35" },
        { FIELDS EDGES "D New app 55 56\n", "x:9: 56 is not a field" },
        { FIELDS EDGES "D New app @None\n", "x:9: None is not a component" },
        { FIELDS EDGES "@A @B\n@B @A\nD New app @A\n", "x:10: A is within itself" },
        { FIELDS EDGES "D New app 55()\n", "x:9: 55 is a group without members" },
        { FIELDS "@A 55(10 @A)\n" "header 8! 9! 35! @A\ntrailer 10!\n",
          "x:7: 55 is a group within itself" },
        { FIELDS EDGES "@A 55(9 @B)\n@B 35(8 @A)\nD New app @B\n",
          "x:10: 35 is a group within itself" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tw_fix_draft *t = tw_fix_draft_new();
        struct tw_fix_dictionary *d = NULL;
        struct tw_error error = {0};
        int code = tw_fix_draft_add(t, "x", wrong[i].text, strlen(wrong[i].text), &error);

        if (code == TW_OK) code = tw_fix_draft_finish(t, &d, &error);
        told(code, &error, wrong[i].said);
        tw_fix_dictionary_free(d);
        tw_fix_draft_free(t);
    }
}

#define OPEN "<fix type='FIX' major='4' minor='4' servicepack='0'>\n"

static void wrong_xml(void)
{
    static const struct { const char *text, *said; } wrong[] = {
        { "<fix", "x:1: unclosed token" },
        { "<fax/>", "x:1: <fax> begins no dictionary" },
        { "<fix type='FIX'/>", "x:1: <fix> has no major and minor" },
        { "<fix major='4' minor='9'/>", "x:1: FIX.4.9 is not a version of FIX" },
        { OPEN "<heater/></fix>", "x:2: <heater> is nothing of a dictionary" },
        { OPEN "<fields><message/></fields></fix>",
          "x:2: <message> is out of its place" },
        { OPEN "<fields><field number='1' name='A'/></fields></fix>",
          "x:2: <field> has no number, name and type" },
        { OPEN "<fields>\n<field number='1x' name='A' type='INT'/></fields></fix>",
          "x:3: '1x' is not a tag" },
        { OPEN "<fields><field number='1' name='A' type='INT'><value/></field>"
          "</fields></fix>", "x:2: <value> has no enum" },
        { OPEN "<messages><message name='A'/></messages></fix>",
          "x:2: <message> has no msgtype" },
        { OPEN "<messages><message name='A' msgtype='D'/>\n"
          "<message name='B' msgtype='D'/></messages></fix>",
          "x:3: message D comes twice: it is in line 2, too" },
        { OPEN "<header>\n<field name='None'/></header></fix>",
          "x:3: None is not a field" },
        { "<!DOCTYPE fix [<!ENTITY a 'b'>]>" OPEN "</fix>",
          "x:1: a DTD, which no dictionary has" },
        { OPEN "</fix>", "x:1: the header is not defined" },
    };

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct tw_fix_draft *t = tw_fix_draft_new();
        struct tw_fix_dictionary *d = NULL;
        struct tw_error error = {0};
        int code = tw_fix_draft_add(t, "x", wrong[i].text, strlen(wrong[i].text), &error);

        if (code == TW_OK) code = tw_fix_draft_finish(t, &d, &error);
        told(code, &error, wrong[i].said);
        tw_fix_dictionary_free(d);
        tw_fix_draft_free(t);
    }
}

/* ---- XML of our own, and memory that ends ---- */

static const char small[] =
    "<?xml version='1.0' encoding='ISO-8859-1'?>\n" OPEN
    "<header><field name='BeginString' required='Y'/><field name='BodyLength'"
    " required='Y'/><field name='MsgType' required='Y'/></header>\n"
    "<trailer><field name='CheckSum' required='Y'/></trailer>\n"
    "<messages><message name='New' msgtype='D' msgcat='app'>"
    "<field name='NoParties' required='N'/>"   /* as some files have it: twice */
    "<component name='Parties' required='Y'/><field name='Side' required='N'/>"
    "<field name='Odd' required='N'/></message></messages>\n"
    "<components><component name='Parties'><group name='NoParties' required='N'>"
    "<field name='Party' required='Y'/><group name='NoSubs' required='N'>"
    "<field name='Sub' required='N'/></group></group></component></components>\n"
    "<fields><field number='8' name='BeginString' type='STRING'/>"
    "<field number='9' name='BodyLength' type='LENGTH'/>"
    "<field number='10' name='CheckSum' type='STRING'/>"
    "<field number='35' name='MsgType' type='STRING'/>"
    "<field number='54' name='Side' type='CHAR'><value enum='1' description='BUY'/>"
    "</field><field number='55' name='Odd' type='CHAR' allowOtherValues='Y'>"
    "<value enum='1' description='BUY'/></field>"
    "<field number='453' name='NoParties' type='NUMINGROUP'/>"
    "<field number='448' name='Party' type='VENUETYPE'/>"
    "<field number='802' name='NoSubs' type='NUMINGROUP'/>"
    "<field number='523' name='Sub' type='STRING'/></fields>\n</fix>\n";

/* Whether a message is fine by it. */
static bool is_fine(const struct tw_fix_dictionary *d, const char *text)
{
    struct tw_fix_message m;
    size_t n;
    char *p = whole(TW_FIX_44, text, &n);
    bool fine;

    if (tw_fix_message_init(&m, 4096, 50) < 0) abort();
    fine = take(&m, d, p, n) == TW_OK
        && tw_fix_check(&m, TW_FIX_CHECK_STRICT).reason == TW_FIX_FINE;
    tw_fix_message_fini(&m);
    free(p);
    return fine;
}

static void own_xml(void)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error = {0};
    const struct tw_fix_level *body, *parties;

    if (tw_fix_draft_add(t, "small", small, strlen(small), &error) < 0
        || tw_fix_draft_finish(t, &d, &error) < 0)
        printf("# %s\n", error.text);
    tw_fix_draft_free(t);
    body = d ? &tw_fix_dictionary_type(d, "D", 1)->body : NULL;
    parties = d ? tw_fix_member(body, 453)->group : NULL;
    ok(d && body->n == 3 && body->tags[0] == 453 && parties->n == 2
       && tw_fix_member(parties, 448)->required
       && tw_fix_member(parties, 802)->group->n == 1, "groups of components");
    ok(d && tw_fix_dictionary_field(d, 448)->kind == TW_FIX_STRING
       && tw_fix_dictionary_field(d, 54)->choices_n == 1
       && tw_fix_dictionary_field(d, 55)->open
       && strcmp(tw_fix_choice_named(tw_fix_dictionary_field(d, 55), "BUY", 3), "1") == 0
       && !tw_fix_dictionary_field(d, 54)->open,
       "an unknown type is text; other values than those that have names may be allowed");
    ok(d && is_fine(d, "35=D|54=1|55=1|") && is_fine(d, "35=D|54=1|55=7|")
       && !is_fine(d, "35=D|54=1|55=77|") && !is_fine(d, "35=D|54=7|55=1|"),
       "and then they are fine, if they are of its type");
    tw_fix_dictionary_free(d);
}

static int make_all(bool xml)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error = {0};
    int code;

    if (!t) return -1;
    code = xml ? tw_fix_draft_add(t, "small", small, strlen(small), &error)
           : tw_fix_draft_version(t, TW_FIX_42, &error);
    if (code == TW_OK) code = tw_fix_draft_finish(t, &d, &error);
    tw_fix_dictionary_free(d);
    tw_fix_draft_free(t);
    return code;
}

static void memory(void)
{
    for (int xml = 0; xml < 2; xml++) {
        uint64_t n = 0;
        int code;

        do {
            tw_memory_fail_at(++n);
            code = make_all(xml);
        } while (code < 0 && n < 10000);
        tw_memory_fail_at(0);
        ok(code == TW_OK && n > 10, "%s: %d allocations, each can fail",
           xml ? "XML" : "text", (int)n - 1);
    }
}

static void files(void)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_error error = {0};

    ok(tw_fix_draft_file(t, "tests/no/such/file.xml", &error) < 0
       && strcmp(error.text, "tests/no/such/file.xml: no such file or directory") == 0,
       "a file that is not there");
    ok(tw_fix_draft_file(t, "tests", &error) < 0, "a folder is no file");
    ok(tw_fix_draft_add(t, "x", "55 A\0 INT", 9, &error) < 0
       && strcmp(error.text, "x:1: a byte that is 0") == 0, "text has no byte that is 0");
    tw_fix_draft_free(t);
}

int main(void)
{
    versions();
    built_in();
    specifications();
    extensions();
    wrong_text();
    wrong_xml();
    own_xml();
    memory();
    files();
    return tap_done();
}

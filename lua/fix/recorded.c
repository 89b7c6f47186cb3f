/* recorded.c - FIX sessions of a tape file that is played: their dictionaries.
 *
 * Layer lua.
 */
#include "fix/recorded.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/memory.h"
#include "fix/draft.h"
#include "fix/lfix_session.h"

/* Constant once workers run. */
struct ltw_recorded {
    struct ltw_recorded *next;
    struct tw_fix_dictionary *d;
    bool shared;                      /* d is an earlier one's */
    char session[TW_NAME_MAX + 1];
    char spelling[];
};

/* XML, which is all of a dictionary? */
static bool is_whole(const char *path)
{
    FILE *file = fopen(path, "rb");
    int c = 0;

    if (!file) return false;
    do c = fgetc(file);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c >= 0x80);
    fclose(file);
    return c == '<';
}

/* Whether one of the files, a line each, is in XML. */
static bool has_whole(char *files)
{
    char *end;

    for (char last = '\n'; files && last == '\n'; files = end + 1) {
        bool whole;

        end = files + strcspn(files, "\n");
        last = *end;
        *end = 0;
        whole = is_whole(files);
        *end = last;
        if (whole) return true;
    }
    return false;
}

/* Whether a version must be that of its files. */
static bool is_said(const char *lines)
{
    return *lines == '+' || *lines == '=';
}

/* The version, unless a file in XML is all of the dictionary, and files.  After '+' it
 * comes over FIXT.1.1. */
static int read_lines(struct tw_fix_draft *t, char *lines, bool files,
                      struct tw_error *error)
{
    bool fixt = *lines == '+', whole;
    char *rest, *line = strchr(lines += is_said(lines), '\n');
    enum tw_fix_version v;
    int rc = TW_OK;

    if (line) *line++ = 0;
    if (!files) line = NULL;
    whole = has_whole(line);
    if (!whole && tw_fix_version_named(lines, &v)) rc = tw_fix_draft_version(t, v, error);
    if (!whole && fixt && rc == TW_OK) rc = tw_fix_draft_fixt(t, error);
    for (line = line ? strtok_r(line, "\n", &rest) : NULL; line && rc == TW_OK;
         line = strtok_r(NULL, "\n", &rest))
        rc = tw_fix_draft_file(t, line, error);
    return rc == TW_OK && whole && fixt ? tw_fix_draft_fixt(t, error) : rc;
}

static int make_one(char *lines, bool files, struct tw_fix_dictionary **out,
                    struct tw_error *error)
{
    const char *name = lines + is_said(lines);
    struct tw_fix_draft *t = tw_fix_draft_new();
    enum tw_fix_version wanted, v;
    int rc = t ? read_lines(t, lines, files, error)
           : tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));

    if (rc == TW_OK) rc = tw_fix_draft_finish(t, out, error);
    tw_fix_draft_free(t);
    if (rc < 0 || !is_said(lines) || !tw_fix_version_named(name, &wanted)) return rc;
    v = tw_fix_dictionary_version(*out);
    if (v == wanted) return TW_OK;
    tw_fix_dictionary_free(*out);
    return tw_fail(error, TW_EUSAGE, "the dictionary for %s is of %s", name,
                   tw_fix_version_name(v));
}

int ltw_recorded_make(const char *spelling, bool files, struct tw_fix_dictionary **out,
                      struct tw_error *error)
{
    struct tw_fix_dictionary *family[TW_FIX_50SP2 + 1];
    char *lines = tw_calloc(1, strlen(spelling) + 1), *next;
    int rc = TW_OK;
    size_t n = 0;

    if (!lines) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    strcpy(lines, spelling);
    for (char *at = lines; at && rc == TW_OK; at = next) {
        next = strstr(at, "\n+");
        if (next) *next++ = 0;
        if (n > TW_FIX_50SP2) rc = tw_fail(error, TW_ELIMIT, "too many versions");
        else rc = make_one(at, files, &family[n], error);
        n += rc == TW_OK;
    }
    if (rc == TW_OK && n > 1 && tw_fix_dictionary_join(family, n) < 0)
        rc = tw_fail(error, TW_EUSAGE, "its versions: each comes once, over FIXT.1.1");
    tw_free(lines);
    if (rc == TW_OK) *out = family[0];
    while (rc < 0 && n > 0) tw_fix_dictionary_free(family[--n]);
    return rc;
}

static const struct ltw_recorded *find(const struct ltw_host *host, const char *session)
{
    const struct ltw_recorded *r = host->recorded;

    while (r && strcmp(r->session, session) != 0) r = r->next;
    return r;
}

/* That of an earlier session that says the same, or a new one. */
static int dictionary_of(const struct ltw_host *host, struct ltw_recorded *one,
                         struct tw_error *why)
{
    struct tw_error error;

    for (struct ltw_recorded *r = host->recorded; r; r = r->next)
        if (strcmp(r->spelling, one->spelling) == 0) {
            one->d = r->d;
            one->shared = true;
            return TW_OK;
        }
    if (ltw_recorded_make(one->spelling, true, &one->d, &error) == TW_OK) return TW_OK;
    tw_fail(why, error.code, "FIX session %s, recorded: %s; a dictionary that is built in"
            " serves", one->session, error.text);
    return ltw_recorded_make(one->spelling, false, &one->d, &error);
}

bool ltw_recorded_add(struct ltw_host *host, const char *topic, const char *spelling,
                      struct tw_error *why)
{
    char session[TW_NAME_MAX + 1];
    struct ltw_recorded *one;

    why->code = TW_OK;
    if (!spelling || !ltw_fix_session(topic, session) || find(host, session)) return true;
    one = tw_calloc(1, sizeof *one + strlen(spelling) + 1);
    if (!one) {
        tw_fail(why, UV_ENOMEM, "FIX session %s, recorded: no memory for its dictionary",
                session);
        return false;
    }
    strcpy(one->session, session);
    strcpy(one->spelling, spelling);
    if (dictionary_of(host, one, why) < 0) {
        tw_free(one);
        return why->code == TW_OK;
    }
    one->next = host->recorded;
    host->recorded = one;
    return why->code == TW_OK;
}

void ltw_recorded_free(struct ltw_recorded *all)
{
    struct ltw_recorded *next;

    for (; all; all = next) {
        next = all->next;
        if (!all->shared) tw_fix_dictionary_free(all->d);
        tw_free(all);
    }
}

const struct tw_fix_dictionary *ltw_recorded_dictionary(const struct ltw_host *host,
                                                        const char *session)
{
    const struct ltw_recorded *r = find(host, session);

    return r ? r->d : NULL;
}

const char *ltw_recorded_spelling(const struct ltw_host *host, const char *session)
{
    const struct ltw_recorded *r = find(host, session);

    return r ? r->spelling : NULL;
}

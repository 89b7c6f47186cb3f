/* fix_rig.h - dictionaries, and messages from text with | for SOH. */
#ifndef FIX_RIG_H
#define FIX_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fix/check.h"
#include "fix/draft.h"
#include "fix/write.h"

static inline struct tw_fix_dictionary *dictionary(enum tw_fix_version v,
                                                   const char *more)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d;
    struct tw_error error = {0};

    if (!t || tw_fix_draft_version(t, v, &error) < 0
        || (more && tw_fix_draft_add(t, "more", more, strlen(more), &error) < 0)
        || tw_fix_draft_finish(t, &d, &error) < 0) {
        printf("# %s\n", error.text);
        abort();
    }
    tw_fix_draft_free(t);
    return d;
}

/* The message that "35=0|34=1|" is of, with 8, 9 and 10; with room for a word behind.
 * Memory: malloc'd. */
static inline char *whole(enum tw_fix_version v, const char *text, size_t *n)
{
    size_t body = strlen(text);
    char *p = malloc(body + 64);
    unsigned sum = 0;
    int at;

    if (!p) abort();
    at = sprintf(p, "8=%s|9=%zu|%s", tw_fix_begin_string(v), body, text);
    for (char *c = p; *c; c++) {
        if (*c == '|') *c = TW_FIX_SOH;
        sum += (unsigned char)*c;
    }
    *n = (size_t)at + (size_t)sprintf(p + at, "10=%03u\001", sum & 255);
    return p;
}

/* Frames and reads it: what tw_fix_message_read says; 1: it is not whole. */
static inline int take(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                       const char *p, size_t n)
{
    struct tw_fix_frame f;

    if (tw_fix_message_frame(m, p, n, &f) != TW_FIX_WHOLE) return 1;
    return tw_fix_message_read(m, d, p, &f);
}

/* Bytes as text, SOH as |.  Good until the next call. */
static inline const char *shown(const char *p, size_t n)
{
    static char text[4096];
    size_t i;

    for (i = 0; i < n && i + 1 < sizeof text; i++)
        text[i] = p[i] == TW_FIX_SOH ? '|' : p[i];
    text[i] = '\0';
    return text;
}

#endif

/* draft_parts.h - a draft, as its readers (text, XML) fill it and draft_finish.c has it.
 *
 * Layer host/fix.  Thread: any, one at a time.  Blocks: no.
 */
#ifndef TW_FIX_DRAFT_PARTS_H
#define TW_FIX_DRAFT_PARTS_H

#include "fix/arena.h"
#include "fix/draft.h"

/* Where something is said, for errors. */
struct tw_fix_place { const char *file; unsigned line; };

struct tw_fix_draft_choice {
    const char *value, *name;
    struct tw_fix_draft_choice *next;
};

struct tw_fix_draft_field {
    int kind;                     /* -1: taken out again */
    bool open;                    /* other values than its choices may be */
    const char *name;
    struct tw_fix_draft_choice *choices;
};

/* A member, by tag or by name, with those that a group has; or a component. */
struct tw_fix_draft_member {
    struct tw_fix_draft_member *next, *members;
    const char *name;             /* NULL: by tag                      */
    uint32_t tag;
    bool component, group, required;
    bool open;                    /* its level is being made            */
    struct tw_fix_place place;
    struct tw_fix_level *level;   /* of the group, while it is finished */
};

enum tw_fix_draft_what { TW_FIX_HEADER, TW_FIX_TRAILER, TW_FIX_COMPONENT, TW_FIX_TYPE };

struct tw_fix_draft_part {        /* header, trailer, a component or a message */
    struct tw_fix_draft_part *next;
    enum tw_fix_draft_what what;
    bool admin, gone;
    const char *code, *name;      /* code: of messages */
    struct tw_fix_draft_member *members, **end;
    struct tw_fix_place place;    /* where it was begun last */
};

struct tw_fix_draft {
    int version;                  /* -1: none has been said              */
    bool fixt;                    /* the session of FIXT.1.1 is in it    */
    struct tw_arena arena;
    struct tw_fix_draft_field *fields;    /* in the order they came in   */
    uint32_t fields_n;
    size_t fields_max;
    uint32_t *by_tag;             /* number + 1                          */
    size_t by_tag_n;
    struct tw_fix_draft_part *parts, **parts_end;
    struct tw_fix_place place;    /* what is being read                  */
    struct tw_error *error;       /* of the call that is under way       */
};

/* All return 0, or a negative code that t->error tells of. */
int tw_fix_draft_fail(struct tw_fix_draft *t, int code, const char *format, ...)
    TW_PRINTF(3, 4);
int tw_fix_draft_no_memory(struct tw_fix_draft *t);

/* The kind that FIX or an XML file calls so; -1: none. */
int tw_fix_kind_named(const char *name, size_t n);

/* Defines a field, anew where it was; *out is good until the next one. */
int tw_fix_draft_define(struct tw_fix_draft *t, uint32_t tag, const char *name, size_t n,
                        int kind, struct tw_fix_draft_field **out);
struct tw_fix_draft_field *tw_fix_draft_defined(struct tw_fix_draft *t, uint32_t tag);
/* In place of one with the same value. */
int tw_fix_draft_choose(struct tw_fix_draft *t, struct tw_fix_draft_field *f,
                        const char *value, size_t value_n, const char *name, size_t n);

/* A part by its code, or else its name; NULL: there is none. */
struct tw_fix_draft_part *tw_fix_draft_part(struct tw_fix_draft *t,
                                            enum tw_fix_draft_what what, const char *name,
                                            size_t n);
/* Begins a part, anew where it was.  code: of a message, else NULL. */
int tw_fix_draft_begin(struct tw_fix_draft *t, enum tw_fix_draft_what what,
                       const char *code, size_t code_n, const char *name, size_t n,
                       struct tw_fix_draft_part **out);
/* A member at the end of a list, whose end then moves on. */
int tw_fix_draft_member(struct tw_fix_draft *t, struct tw_fix_draft_member ***end,
                        struct tw_fix_draft_member **out);

/* The readers. */
int tw_fix_draft_text(struct tw_fix_draft *t, const char *text, size_t n);
int tw_fix_draft_xml(struct tw_fix_draft *t, const char *text, size_t n);

/* What is built in, unpacked, up to a version (-1: of none), and FIXT.1.1 where that is
 * asked for; NULL: no memory.  Memory: the caller frees with tw_free. */
char *tw_fix_built_in(int v, bool fixt, size_t *n);

#endif

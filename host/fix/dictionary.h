/* dictionary.h - what a version of FIX says: its fields, messages and groups.
 *
 * Why: parsing needs it (which field is a length, where a group ends), checking is made
 * of it, and people read names.  A dictionary is made by draft.h and constant from then
 * on, so that all threads and sessions of a version share one.
 *
 * A level is a list of members in order: a message's body, the header, the trailer, or
 * one entry of a group.  A group that several messages have is one level.
 *
 * Layer host/fix.  Thread: any.  Blocks: never.  Memory: none, but where said.
 */
#ifndef TW_FIX_DICTIONARY_H
#define TW_FIX_DICTIONARY_H

#include "base/tw.h"

enum {
    TW_FIX_TAG_MAX = 999999,      /* of a dictionary's fields           */
    TW_FIX_MEMBERS_MAX = 2048,    /* of a level                         */
    TW_FIX_DEPTH = 8              /* groups within groups               */
};

/* In order of time: >= says "from that version on". */
enum tw_fix_version {
    TW_FIX_40, TW_FIX_41, TW_FIX_42, TW_FIX_43, TW_FIX_44,
    TW_FIX_50, TW_FIX_50SP1, TW_FIX_50SP2
};

/* How a value is written; names are those of FIX, and those of old versions that stand
 * for the same. */
enum tw_fix_kind {
    TW_FIX_STRING,       /* any text: CURRENCY, COUNTRY, EXCHANGE, LANGUAGE, XID too  */
    TW_FIX_CHAR,         /* one byte                                                  */
    TW_FIX_STRINGS,      /* MULTIPLESTRINGVALUE, MULTIPLEVALUESTRING: words           */
    TW_FIX_CHARS,        /* MULTIPLECHARVALUE: words of one byte                      */
    TW_FIX_BOOLEAN,      /* Y or N                                                    */
    TW_FIX_INT,          /* a sign or none, and digits                                */
    TW_FIX_LENGTH,       /* INT: of the data field that follows                       */
    TW_FIX_SEQNUM,       /* INT, not negative                                         */
    TW_FIX_NUMINGROUP,   /* INT, not negative                                         */
    TW_FIX_DAYOFMONTH,   /* 1 to 31                                                   */
    TW_FIX_FLOAT,        /* a decimal number; PRICE, QTY, AMT, PERCENTAGE too         */
    TW_FIX_TIMESTAMP,    /* UTCTIMESTAMP, TIME                                        */
    TW_FIX_TIMEONLY,     /* UTCTIMEONLY                                               */
    TW_FIX_DATE,         /* UTCDATEONLY, UTCDATE, LOCALMKTDATE, DATE                  */
    TW_FIX_MONTHYEAR,    /* YYYYMM, YYYYMMDD or YYYYMMWW                              */
    TW_FIX_TZ,           /* TZTIMEONLY, TZTIMESTAMP, LOCALMKTTIME: not looked at      */
    TW_FIX_DATA,         /* any bytes: DATA, XMLDATA                                  */
    TW_FIX_KINDS
};

struct tw_fix_choice { const char *value, *name; };   /* value: "1", name: "BUY" */

struct tw_fix_definition {        /* of a field */
    uint32_t tag;
    uint8_t kind;                 /* enum tw_fix_kind                          */
    uint8_t test;                 /* how check.c looks at a value              */
    uint16_t choices_n;           /* 0: any value of its kind                  */
    uint32_t length;              /* of data: the tag of its length; 0: none   */
    bool open;                    /* other values may be, too                  */
    const char *name;
    const struct tw_fix_choice *choices;    /* by value, as strcmp orders them */
    uint64_t single[2];           /* a bit for each choice of one byte         */
};

struct tw_fix_member {            /* of a level */
    uint32_t tag;                 /* 0: an empty place of the table            */
    uint16_t at;                  /* its number in the level                   */
    bool required;
    uint8_t kind;                 /* of the field, enum tw_fix_kind            */
    const struct tw_fix_definition *field;
    const struct tw_fix_level *group;       /* what it counts; NULL: no group  */
};

struct tw_fix_level {
    uint32_t n;                   /* members                                   */
    uint32_t shift;               /* of the table's hash                       */
    const uint32_t *tags;         /* of the members, in order; [0] begins an entry */
    const struct tw_fix_member *table;
    const uint64_t *required;     /* a bit for each member                     */
};

struct tw_fix_type {              /* of a message */
    const char *code, *name;      /* "D", "NewOrderSingle"                     */
    bool admin;                   /* of the session, not of the application    */
    struct tw_fix_level body;
};

struct tw_fix_dictionary;

/* "FIX.4.2"; "FIXT.1.1" from 5.0 on. */
const char *tw_fix_begin_string(enum tw_fix_version v);
/* "FIX.4.2", "FIX.5.0SP2"; false: there is no such version.  "FIXT.1.1" is none. */
bool tw_fix_version_named(const char *name, enum tw_fix_version *out);
/* "FIX.5.0SP2". */
const char *tw_fix_version_name(enum tw_fix_version v);
/* What 1128 and 1137 say: "9" for 5.0SP2. */
const char *tw_fix_appl_ver_id(enum tw_fix_version v);
/* The version of such a text; -1: it is none, or one that nobody has (FIX27, FIX30). */
int tw_fix_appl_version(const char *id, size_t n);

enum tw_fix_version tw_fix_dictionary_version(const struct tw_fix_dictionary *d);

/* 8 of its messages: "FIXT.1.1" also of an older version that comes over that. */
const char *tw_fix_dictionary_begin_string(const struct tw_fix_dictionary *d);

/* What its session's Logon says in 1137; NULL: not of FIXT.1.1. */
const char *tw_fix_dictionary_appl_ver_id(const struct tw_fix_dictionary *d);

/* Makes a family of n dictionaries of FIXT.1.1, each of another version: 1128 of a
 * message chooses one of them, whichever it is read with.  They have not been used yet,
 * and tw_fix_dictionary_free of one frees all.  TW_EUSAGE: two of one version, or one of
 * another session. */
int tw_fix_dictionary_join(struct tw_fix_dictionary *const *d, size_t n);

/* That of the version in its family, or NULL. */
const struct tw_fix_dictionary *tw_fix_dictionary_of(const struct tw_fix_dictionary *d,
                                                     enum tw_fix_version v);

/* The header's and the trailer's level. */
const struct tw_fix_level *tw_fix_dictionary_header(const struct tw_fix_dictionary *d);
const struct tw_fix_level *tw_fix_dictionary_trailer(const struct tw_fix_dictionary *d);

/* A field by tag and by name, a message by code (n bytes) and by name; NULL: unknown. */
const struct tw_fix_definition *tw_fix_dictionary_field(
    const struct tw_fix_dictionary *d, uint32_t tag);
const struct tw_fix_definition *tw_fix_dictionary_field_named(
    const struct tw_fix_dictionary *d, const char *name, size_t n);
const struct tw_fix_type *tw_fix_dictionary_type(
    const struct tw_fix_dictionary *d, const char *code, size_t n);
const struct tw_fix_type *tw_fix_dictionary_type_named(
    const struct tw_fix_dictionary *d, const char *name, size_t n);

/* All of them, in order of tag and of code. */
size_t tw_fix_dictionary_fields(const struct tw_fix_dictionary *d,
                                const struct tw_fix_definition **out);
size_t tw_fix_dictionary_types(const struct tw_fix_dictionary *d,
                               const struct tw_fix_type **out);

/* The choice of a field that a value is; NULL: none. */
const struct tw_fix_choice *tw_fix_choice(const struct tw_fix_definition *f,
                                          const char *value, size_t n);
/* The value that the field calls so; NULL: none. */
const char *tw_fix_choice_named(const struct tw_fix_definition *f, const char *name,
                                size_t n);

/* Nobody uses it any more, nor its family.  d may be NULL. */
void tw_fix_dictionary_free(struct tw_fix_dictionary *d);

/* The member of a level that has the tag; NULL: none has. */
static inline const struct tw_fix_member *tw_fix_member(const struct tw_fix_level *l,
                                                        uint32_t tag)
{
    /* Half of the places are empty, so the search ends. */
    uint32_t at = tag * UINT32_C(2654435769) >> l->shift, mask = UINT32_MAX >> l->shift;
    const struct tw_fix_member *m = &l->table[at];

    while (__builtin_expect(m->tag != tag, 0)) {
        if (m->tag == 0) return NULL;
        at = (at + 1) & mask;
        m = &l->table[at];
    }
    return tag ? m : NULL;
}

#endif

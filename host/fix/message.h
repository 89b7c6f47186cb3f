/* message.h - one whole FIX message as fields, parts and groups.
 *
 * Why: the bytes stay where they are; a message is a list of where its values lie.  A
 * part is a stretch of that list which a level of the dictionary describes: the header,
 * the body, the trailer, an entry of a group.  So a nested group is read as a body is.
 *
 * A value of tw_fix_text is as host/feed/fix_value.h wants it.
 *
 * Layer host/fix.  Thread: the owner's of the message.  Blocks: never.
 */
#ifndef TW_FIX_MESSAGE_H
#define TW_FIX_MESSAGE_H

#include "feed/fix_frame.h"
#include "feed/fix_value.h"
#include "fix/dictionary.h"

enum { TW_FIX_FIELDS_MAX = 65536, TW_FIX_MESSAGE_MAX = 1 << 20 };   /* unless told */

struct tw_fix_field {
    int32_t tag;                  /* may be 0 or negative: check.h's to say   */
    uint32_t n;                   /* bytes of the value                       */
    const char *at;               /* SOH follows them                         */
};

/* What a message of a type was, for the next one: most are alike. */
enum { TW_FIX_FORMS = 8, TW_FIX_SHAPES = 128, TW_FIX_TAG_BITS = 8,
       TW_FIX_TAGS = 1 << TW_FIX_TAG_BITS, TW_FIX_LETTERS = 64 };
struct tw_fix_tag {               /* that a field began with                  */
    uint32_t bytes;               /* its first four, or up to '='             */
    int32_t tag;
    uint8_t digits, marks;        /* of the tag; marks: dictionary_parts.h    */
};
struct tw_fix_shape {             /* of the n-th field                        */
    uint64_t mask, bytes;         /* of the first word: tag and '='           */
    int32_t tag;
    uint8_t digits, marks;        /* of the tag; marks: dictionary_parts.h    */
    uint8_t test;                 /* check.c's: how the value is looked at    */
    union {                       /* and by what                              */
        uint64_t count;
        const struct tw_fix_definition *field;
    } by;
};
struct tw_fix_form {
    const struct tw_fix_dictionary *dictionary;
    const struct tw_fix_type *type;
    int64_t made_ns;              /* the dictionary's                         */
    uint32_t n;                   /* fields; 0: of no message yet             */
    uint16_t others;              /* messages with other tags, in a row       */
    uint16_t applied;             /* where 1128 stands; 0: nowhere; 1: look   */
    unsigned passed;              /* check.c's: the flags by which all of it
                                   * was fine but for values; 0: none         */
    uint32_t header;              /* and the fields of a header that was so   */
    struct tw_fix_shape shape[TW_FIX_SHAPES];
    /* By a hash of their bytes, or behind that; the last: any that is longer. */
    struct tw_fix_tag tags[TW_FIX_TAGS + 2];
};

struct tw_fix_message {
    const struct tw_fix_dictionary *dictionary;
    const struct tw_fix_type *type;   /* NULL: the dictionary has none such   */
    const char *bytes;            /* of all of it                             */
    size_t length;
    struct tw_fix_field *fields;  /* [0] is 8, [1] 9, [2] 35, [n - 1] 10      */
    uint32_t n;
    uint32_t body, trailer;       /* where they begin; the header at 0        */
    bool scattered;               /* a field of the header stands behind it   */
    bool foreign;                 /* of a version that the family has not     */
    uint64_t *soh;                /* its index, by tw_fix_message_frame       */
    uint32_t fields_max;          /* constant after init                      */
    size_t bytes_max;             /* constant after init                      */
    struct tw_fix_form *forms;    /* TW_FIX_FORMS of them                     */
    struct tw_fix_form *form;     /* that of this message; NULL: of a copy    */
    /* By a letter of 35: so many may well be of another version than their default. */
    uint8_t expected[TW_FIX_LETTERS];
    bool chooses;                 /* message.c's: another one may be read next */
    bool alike;                   /* it has the tags that its form has        */
    uint32_t like;                /* so many of its fields have, from [0] on  */
    uint64_t time[2];             /* check.c's: what a right time began with  */
    char why[80];                 /* what tw_fix_message_read found wrong     */
};

/* Room for messages of so many bytes and fields at most; 0: as above.  UV_ENOMEM: fini
 * is still to be called.  Memory: freed by fini; reading allocates none. */
int tw_fix_message_init(struct tw_fix_message *m, size_t bytes_max, uint32_t fields_max);
void tw_fix_message_fini(struct tw_fix_message *m);

/* Frames the message that begins at p (feed/fix_frame.h), into f and m->soh. */
enum tw_fix_found tw_fix_message_frame(struct tw_fix_message *m, const char *p, size_t n,
                                       struct tw_fix_frame *f);

/* Reads the whole message that was framed last, at p, with d, or what 1128 chooses of its
 * family: m->dictionary.  0; TW_EFORMAT: it is not made of
 * tag=value, as m->why says: garbled (R1); TW_ELIMIT: more fields than fields_max. */
int tw_fix_message_read(struct tw_fix_message *m, const struct tw_fix_dictionary *d,
                        const char *p, const struct tw_fix_frame *f);

/* The value of a field of the header (but in a group); at is NULL: it is not there. */
struct tw_fix_text tw_fix_message_header(const struct tw_fix_message *m, int32_t tag);
/* Of the body, but in its groups. */
struct tw_fix_text tw_fix_message_body(const struct tw_fix_message *m, int32_t tag);

/* 35. */
static inline struct tw_fix_text tw_fix_message_code(const struct tw_fix_message *m)
{
    return (struct tw_fix_text){ m->fields[2].at, m->fields[2].n };
}

/* ---- parts and groups ---- */

struct tw_fix_part {
    const struct tw_fix_message *message;
    const struct tw_fix_level *level;   /* NULL: the message's type is unknown */
    uint32_t first, end;                /* of message->fields                  */
};

struct tw_fix_group {
    struct tw_fix_part rest;            /* entries that are still to come      */
    uint64_t count;                     /* as its field says                   */
};

/* Header, body and trailer of a message. */
struct tw_fix_part tw_fix_part_header(const struct tw_fix_message *m);
struct tw_fix_part tw_fix_part_body(const struct tw_fix_message *m);
struct tw_fix_part tw_fix_part_trailer(const struct tw_fix_message *m);

/* The field of a part, but in its groups; NULL: it is not there. */
const struct tw_fix_field *tw_fix_part_find(const struct tw_fix_part *p, int32_t tag);

/* The field that comes after [i] in its part with what is in a group left out: for
 * (i = p->first; i < p->end; i = tw_fix_part_after(p, i)). */
uint32_t tw_fix_part_after(const struct tw_fix_part *p, uint32_t i);

/* The group whose count has the tag; false: it is not there.  The entries that follow
 * may be more or fewer than count, of which tw_fix_check tells. */
bool tw_fix_part_group(const struct tw_fix_part *p, int32_t tag,
                       struct tw_fix_group *out);

/* The next entry; false: there is none left. */
bool tw_fix_group_next(struct tw_fix_group *g, struct tw_fix_part *entry);

#endif

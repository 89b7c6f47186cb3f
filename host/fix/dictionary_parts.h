/* dictionary_parts.h - a dictionary as draft_finish.c makes it and dictionary.c reads it.
 *
 * Layer host/fix.
 */
#ifndef TW_FIX_DICTIONARY_PARTS_H
#define TW_FIX_DICTIONARY_PARTS_H

#include "fix/arena.h"
#include "fix/dictionary.h"

/* What a tag says of itself, wherever it stands. */
enum { TW_FIX_IN_HEADER = 1, TW_FIX_IN_TRAILER = 2, TW_FIX_IS_DATA = 4,
       TW_FIX_IS_LENGTH = 8, TW_FIX_IS_COUNT = 16,     /* of a group, somewhere */
       TW_FIX_IN_ADMIN = 32 };                   /* in a message of the session */

/* How a value is looked at: what nearly all fields are, in one step. */
enum tw_fix_test {
    TW_FIX_TEST_TEXT,             /* any value but none                        */
    TW_FIX_TEST_DIGITS, TW_FIX_TEST_DECIMAL, TW_FIX_TEST_TIME,
    TW_FIX_TEST_BYTE,             /* a choice; nearly all have one byte        */
    TW_FIX_TEST_OTHER,            /* as its kind is, and then its choices      */
    TW_FIX_TEST_COUNT             /* of a shape: just so many                  */
};

/* Places of a hash table by name: number + 1, and 0 for none.  mask + 1 of them. */
struct tw_fix_places { uint32_t *at, mask; };

struct tw_fix_dictionary {
    enum tw_fix_version version;
    uint32_t tag_max;
    const uint8_t *marks;         /* by tag, [0, tag_max]                     */
    const uint16_t *by_tag;       /* number + 1 in fields, [0, tag_max]       */
    struct tw_fix_definition *fields;
    struct tw_fix_type *types;
    uint32_t fields_n, types_n;
    uint16_t types_short[128];    /* number + 1, by a code of one byte        */
    struct tw_fix_places fields_named, types_named, types_coded;
    struct tw_fix_level header, trailer;
    bool trailer_is_10;           /* nothing else of it is required           */
    bool header_begins;           /* with 8, 9 and 35: the frame's to check   */
    bool fixt;                    /* its session is FIXT.1.1                  */
    bool joined;                  /* its family has others                    */
    int64_t made_ns;              /* not that of an older one that stood here */
    /* By version: what 1128 may choose in its place; itself at least. */
    const struct tw_fix_dictionary *family[TW_FIX_50SP2 + 1];
    struct tw_arena arena;
};

/* Thread: any. */
uint32_t tw_fix_hash(const char *text, size_t n);

/* Thread: any. */
static inline unsigned tw_fix_marks(const struct tw_fix_dictionary *d, int32_t tag)
{
    return (uint32_t)tag <= d->tag_max ? d->marks[tag] : 0;
}

#endif

/* check.h - checks a message against the dictionary: rules R16 to R24.
 *
 * The first thing wrong, in this order, with its reason (373):
 *   R16  35 is of no message: 11
 *   R18  a field of the header, or the body, behind one of what follows: 14
 *   R23  a required field is not there: 1
 *   R17  one comes twice, but in groups: 13
 * then field by field:
 *   R19  a tag that is in no dictionary: 0
 *   R21  no value: 4
 *   R22  a value of another kind: 6, or none of the choices: 5
 *   R20  a field that the message does not have: 2
 *   R24  a group has another number of entries: 16, or its fields another order: 15
 *
 * Layer host/fix.  Thread: the owner's of the message.  Blocks: never.  Memory: none.
 */
#ifndef TW_FIX_CHECK_H
#define TW_FIX_CHECK_H

#include "fix/message.h"

/* What is checked beside the type; the names are those of QuickFIX's settings, the last
 * but one turned round: AllowUnknownMsgFields=N. */
enum {
    TW_FIX_VALIDATE_FIELDS_OUT_OF_ORDER = 1,        /* header, body, trailer      */
    TW_FIX_VALIDATE_FIELDS_HAVE_VALUES = 2,
    TW_FIX_VALIDATE_USER_DEFINED_FIELDS = 4,        /* tags from 5000 on          */
    TW_FIX_VALIDATE_UNORDERED_GROUP_FIELDS = 8,     /* as the dictionary has them */
    TW_FIX_REFUSE_UNKNOWN_MSG_FIELDS = 16,          /* fields of other messages   */
    TW_FIX_VALIDATE_REQUIRED_FIELDS = 32,
    TW_FIX_VALIDATE_VALUES = 64,                    /* format, choices, groups    */

    TW_FIX_CHECK_OFF = 0,         /* not even the type                              */
    TW_FIX_CHECK_LENIENT = 1 | 2 | 32 | 64,
    TW_FIX_CHECK_STRICT = 1 | 2 | 4 | 16 | 32 | 64,   /* QuickFIX's defaults        */
};

enum {   /* SessionRejectReason (373) */
    TW_FIX_INVALID_TAG = 0, TW_FIX_REQUIRED_MISSING = 1, TW_FIX_NOT_OF_MESSAGE = 2,
    TW_FIX_NO_VALUE = 4, TW_FIX_OUT_OF_RANGE = 5, TW_FIX_BAD_FORMAT = 6,
    TW_FIX_COMP_ID = 9, TW_FIX_SENDING_TIME = 10, TW_FIX_INVALID_TYPE = 11,
    TW_FIX_REPEATED = 13, TW_FIX_OUT_OF_ORDER = 14, TW_FIX_GROUP_ORDER = 15,
    TW_FIX_GROUP_COUNT = 16, TW_FIX_VERSION = 18, TW_FIX_FINE = -1
};

struct tw_fix_verdict {
    int reason;                   /* TW_FIX_FINE, or 373 of any version: R15 says which
                                   * may be sent to whom                            */
    int32_t tag;                  /* 371, where has_tag                             */
    bool has_tag;
    const char *text;             /* 58: "Required tag missing"                     */
};

/* What is wrong with a message that was read; flags: TW_FIX_VALIDATE_ and so on.  It
 * learns from what is fine, for the next message. */
struct tw_fix_verdict tw_fix_check(struct tw_fix_message *m, unsigned flags);

/* Whether the bytes are a value of the kind; data and text are always. */
bool tw_fix_kind_fits(enum tw_fix_kind k, const char *value, size_t n);

/* 58 of a reason: "Invalid tag number". */
const char *tw_fix_reason_text(int reason);

#endif

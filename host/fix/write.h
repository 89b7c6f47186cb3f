/* write.h - FIX messages, written into the caller's buffer.
 *
 *     tw_fix_begin(&o, out, room, "FIX.4.4", "D", 1);
 *     tw_fix_put_integer(&o, 34, 2);        the header's fields, ascending (R3)
 *     ...
 *     tw_fix_put_text(&o, 11, "id", 2);     the body's
 *     n = tw_fix_finish(&o, &message);      8, 9 and 10
 *
 * A message that has no room is known at the end: each put after it does nothing.
 * Where text is not data it must hold no SOH: tw_fix_put_text refuses it, as finish says.
 *
 * Layer host/fix.  Thread: the owner's of the output.  Blocks: never.  Memory: none.
 */
#ifndef TW_FIX_WRITE_H
#define TW_FIX_WRITE_H

#include "fix/message.h"

struct tw_fix_output {
    char *at, *end;               /* where the next byte goes; end of the room  */
    char *body;                   /* where 35 begins: 8 and 9 go before it      */
    char *start;                  /* of the room                                */
    const char *begin_string;
    const char *second_text;      /* of the last time in it; NULL: none         */
    int64_t second;               /* what that stands for                       */
    int error;                    /* 0, TW_EFULL; TW_EFORMAT: SOH or no value   */
};

/* How exactly times are written: the digits after the second. */
enum tw_fix_precision { TW_FIX_S = 0, TW_FIX_MS = 3, TW_FIX_US = 6, TW_FIX_NS = 9 };

/* Begins a message with 35=code.  begin_string is read by tw_fix_finish. */
void tw_fix_begin(struct tw_fix_output *o, char *out, size_t room,
                  const char *begin_string, const char *code, size_t n);

/* What a field begins with: its tag and '=', in the n lowest bytes of text; n is 0 where
 * it is none of 1 to 9999.  Of a tag that the compiler knows it is a constant. */
struct tw_fix_label { uint64_t text; uint32_t n; int32_t tag; };

static inline struct tw_fix_label tw_fix_label(int32_t tag)
{
    const uint64_t t = (uint64_t)tag, is = '=', thousands = t / 1000 + '0',
        hundreds = t / 100 % 10 + '0', tens = t / 10 % 10 + '0', ones = t % 10 + '0';

    if (tag <= 0 || tag > 9999) return (struct tw_fix_label){ 0, 0, tag };
    if (tag < 10) return (struct tw_fix_label){ ones | is << 8, 2, tag };
    if (tag < 100) return (struct tw_fix_label){ tens | ones << 8 | is << 16, 3, tag };
    if (tag < 1000)
        return (struct tw_fix_label){ hundreds | tens << 8 | ones << 16 | is << 24, 4,
                                      tag };
    return (struct tw_fix_label){ thousands | hundreds << 8 | tens << 16 | ones << 24
                                  | is << 32, 5, tag };
}

void tw_fix_write_text(struct tw_fix_output *o, struct tw_fix_label l, const char *value,
                       size_t n);
void tw_fix_write_char(struct tw_fix_output *o, struct tw_fix_label l, char value);
void tw_fix_write_integer(struct tw_fix_output *o, struct tw_fix_label l, int64_t value);
void tw_fix_write_fixed(struct tw_fix_output *o, struct tw_fix_label l, int64_t value);
void tw_fix_write_time(struct tw_fix_output *o, struct tw_fix_label l, int64_t time_ns,
                       enum tw_fix_precision p);

/* A field each.  data: any n bytes, with their length under length_tag before them. */
static inline void tw_fix_put_text(struct tw_fix_output *o, int32_t tag,
                                   const char *value, size_t n)
{
    tw_fix_write_text(o, tw_fix_label(tag), value, n);
}

static inline void tw_fix_put_char(struct tw_fix_output *o, int32_t tag, char value)
{
    tw_fix_write_char(o, tw_fix_label(tag), value);
}

static inline void tw_fix_put_flag(struct tw_fix_output *o, int32_t tag, bool value)
{
    tw_fix_write_char(o, tw_fix_label(tag), value ? 'Y' : 'N');
}

static inline void tw_fix_put_integer(struct tw_fix_output *o, int32_t tag, int64_t value)
{
    tw_fix_write_integer(o, tw_fix_label(tag), value);
}

static inline void tw_fix_put_fixed(struct tw_fix_output *o, int32_t tag, int64_t value)
{
    tw_fix_write_fixed(o, tw_fix_label(tag), value);
}

static inline void tw_fix_put_time(struct tw_fix_output *o, int32_t tag, int64_t time_ns,
                                   enum tw_fix_precision p)
{
    tw_fix_write_time(o, tw_fix_label(tag), time_ns, p);
}

/* YYYYMMDD-HH:MM:SS.sss, of what has begun; its bytes.  out has room for the longest. */
enum { TW_FIX_TIME_TEXT = 27 };
size_t tw_fix_time_text(int64_t time_ns, enum tw_fix_precision p, char *out);

/* Fields of a list, as they are: SOH in them is the caller's to have counted. */
void tw_fix_put_fields(struct tw_fix_output *o, const struct tw_fix_field *f,
                       size_t n);

/* Fields as they stand in a message, each with its tag, '=' and SOH. */
void tw_fix_put_written(struct tw_fix_output *o, const char *text, size_t n);

/* Fields of a list of n in ascending order of tags, which it brings them into; of the
 * same tag, as they were. */
void tw_fix_put_sorted(struct tw_fix_output *o, struct tw_fix_field *f, size_t n);

/* The body of a message: as it is, or in ascending order with its groups kept together;
 * one of more fields and groups than TW_FIX_SORTED_MAX stays as it is.  Fields that the
 * header or trailer should have had are left out. */
enum { TW_FIX_SORTED_MAX = 1024 };
void tw_fix_put_body(struct tw_fix_output *o, const struct tw_fix_message *m,
                     bool sorted);

/* Ends it: its bytes, which end where the room did not; TW_EFULL, TW_EFORMAT.
 * *message lies within the room, not at its begin. */
int64_t tw_fix_finish(struct tw_fix_output *o, char **message);

/* A message again, with fields of the header replaced or put in between, ascending by
 * tag; a value whose at is NULL takes the field out.  For a resend: 43, 52, 122. */
int64_t tw_fix_write_again(const struct tw_fix_message *m,
                           const struct tw_fix_field *fields, size_t n,
                           char *out, size_t room, char **message);

#endif

/* token.h - the words of a declaration, and errors that point at one of them.
 *
 * Layer host/stat.  Thread: any; no shared data.
 */
#ifndef TW_TOKEN_H
#define TW_TOKEN_H

#include "base/tw.h"

enum tw_token_type {
    TW_TOKEN_END, TW_TOKEN_INTEGER, TW_TOKEN_NUMBER, TW_TOKEN_TIME, TW_TOKEN_TEXT,
    TW_TOKEN_NAME,
    TW_TOKEN_AND, TW_TOKEN_OR, TW_TOKEN_NOT, TW_TOKEN_BY, TW_TOKEN_WHERE, TW_TOKEN_TRUE,
    TW_TOKEN_FALSE,
    TW_TOKEN_EQ, TW_TOKEN_NE, TW_TOKEN_LE, TW_TOKEN_GE, TW_TOKEN_LT, TW_TOKEN_GT,
    TW_TOKEN_IDIV, TW_TOKEN_ADD, TW_TOKEN_SUB, TW_TOKEN_MUL, TW_TOKEN_DIV, TW_TOKEN_MOD,
    TW_TOKEN_POW, TW_TOKEN_OPEN, TW_TOKEN_CLOSE, TW_TOKEN_COMMA, TW_TOKEN_SET,
    TW_TOKEN_DOT, TW_TOKEN_OPEN_KEY, TW_TOKEN_CLOSE_KEY,
    TW_TOKENS
};

struct tw_token {
    enum tw_token_type type;
    unsigned from, to;              /* in the text: [from, to)             */
    union {
        int64_t integer;            /* INTEGER; TIME, in ns                */
        double number;              /* NUMBER                              */
    };
};

/* A text that is being read.  Its first failure stands, and ends it: every later
 * token is the END. */
struct tw_source {
    const char *text;               /* a 0 byte ends it                    */
    unsigned n;
    bool failed;
    struct tw_error *error;
};

/* The token at or after a place.  Thread: any.  Blocks: never.  Memory: none. */
struct tw_token tw_token_read(struct tw_source *s, unsigned at);

/* A time alone: "500ms", "1.5m"; text ends in a 0 byte.  False: it is something else. */
bool tw_token_time(const char *text, size_t n, int64_t *ns);

/* Writes what a TEXT token means, without its quotes: t->to - t->from bytes hold it. */
void tw_token_text(const struct tw_source *s, const struct tw_token *t, char *out);

/* "text: column N: ...", in one line, the text cut to what is around the place. */
void tw_source_fail(struct tw_source *s, unsigned at, const char *format, ...)
    TW_PRINTF(3, 4);

/* A part of the text for a message: in one line, cut where it is long. */
struct tw_slice { char text[48]; };
struct tw_slice tw_source_slice(const struct tw_source *s, unsigned from, unsigned to);

/* A token for a message: 'bid' or the end. */
struct tw_slice tw_token_slice(const struct tw_source *s, const struct tw_token *t);

#endif

/* listener.h - which session a new connection is for, by its first message.
 *
 * A session is meant by BeginString and CompIDs, and by SubIDs and LocationIDs where it
 * has them.  From 5.0 on several may differ in the version of their messages alone: then
 * DefaultApplVerID (1137) chooses, and one that none has is nobody's; where there is but
 * one version it is not looked at.  A template makes sessions for callers that are known
 * to nobody, by the same rules; one that fits in 1137 goes before a session that does
 * not.
 *
 * Layer host/fix.  Thread: the owner's.  Blocks: never, but as `make` does.
 */
#ifndef TW_FIX_LISTENER_H
#define TW_FIX_LISTENER_H

#include "fix/session.h"

enum { TW_FIX_ID_MAX = 64 };         /* bytes of an identity, with its 0 */

/* What a Logon says of who sends it, and to whom. */
struct tw_fix_caller {
    char begin_string[TW_FIX_ID_MAX];
    char sender[TW_FIX_ID_MAX], sender_sub[TW_FIX_ID_MAX], sender_location[TW_FIX_ID_MAX];
    char target[TW_FIX_ID_MAX], target_sub[TW_FIX_ID_MAX], target_location[TW_FIX_ID_MAX];
    char applied[TW_FIX_ID_MAX];     /* 1137, from 5.0 on */
};

enum tw_fix_call { TW_FIX_CALL_PARTIAL, TW_FIX_CALL_LOGON, TW_FIX_CALL_NONE };

/* Looks at the bytes that a connection began with.  None: hang up; why, of 80 bytes, has
 * the reason. */
enum tw_fix_call tw_fix_caller_read(const char *p, size_t n, struct tw_fix_caller *c,
                                    char why[80]);

/* Sessions for callers that it fits; "*" is any, our sender is their target; applied: as
 * 1137 says it; NULL: before 5.0. */
struct tw_fix_template { const char *begin_string, *sender, *target, *applied; };

struct tw_fix_listener_options {
    const struct tw_fix_template *templates;   /* outlive the listener                 */
    size_t templates_n;
    /* A session for the caller, which the listener keeps until it is removed; NULL: none.
     * Required where there are templates. */
    struct tw_fix_session *(*make)(void *ctx, size_t template,
                                   const struct tw_fix_caller *c);
    void *ctx;
    size_t sessions_max;                       /* 0: 1024                              */
};

struct tw_fix_listener;

/* NULL: no memory.  Memory: freed by tw_fix_listener_free; sessions are the caller's. */
struct tw_fix_listener *tw_fix_listener_new(const struct tw_fix_listener_options *o);
void tw_fix_listener_free(struct tw_fix_listener *l);

/* Whether a caller who means one of them could mean the other.  Thread: any. */
bool tw_fix_same_identity(const struct tw_fix_session_options *a,
                          const struct tw_fix_session_options *b);

/* TW_EUSAGE: one with the same identity is there, or it is an initiator; TW_ELIMIT. */
int tw_fix_listener_add(struct tw_fix_listener *l, struct tw_fix_session *s,
                        struct tw_error *error);
void tw_fix_listener_remove(struct tw_fix_listener *l, const struct tw_fix_session *s);

/* The session of a caller, to be connected; NULL: error says why not: TW_EUSAGE: nobody
 * knows it; TW_ELIMIT, TW_EBUSY: a template does, but there can't be one more; TW_EBUSY,
 * TW_ECLOSED: as tw_fix_session_may_connect. */
struct tw_fix_session *tw_fix_listener_find(struct tw_fix_listener *l,
                                            const struct tw_fix_caller *c,
                                            struct tw_fix_now now,
                                            struct tw_error *error);

#endif

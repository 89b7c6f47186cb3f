/* lfix_session.h - FIX sessions as scripts see them: on_fix, on_fix_event, tw.fix.send.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_LFIX_SESSION_H
#define LTW_LFIX_SESSION_H

#include "ltw.h"

/* What a message on the tape is to scripts: of topic "fix/NAME" or "fix/NAME/event", from
 * nobody's script. */
enum ltw_fix_topic { LTW_FIX_NONE, LTW_FIX_MESSAGE, LTW_FIX_EVENT };
enum ltw_fix_topic ltw_fix_topic(const struct ltw_host *host, const struct tw_record *r);

/* The session of "fix/NAME" and "fix/NAME/event"; false: the topic is of none. */
bool ltw_fix_session(const char *topic, char name[TW_NAME_MAX + 1]);


/* The number of what on_fix, or on_fix_event, can ask for; -1: there is no such thing. */
int ltw_fix_field(bool event, const char *name);

/* [-0, +1, e]  That of a record of such a topic; names: stack index of the state's table
 * of names (record.h). */
void ltw_push_fix_field(lua_State *L, const struct ltw_host *host, int names,
                        const struct tw_record *r, int field);

/* [-0, +1, m]  The list that fix.status() gives; host->fix may be NULL. */
void ltw_push_fix_statuses(lua_State *L, const struct ltw_host *host);

/* [-0, +0, e]  Adds send, status and the commands to the module on top. */
void ltw_fix_functions(lua_State *L);

/* Sends what send has frozen: the code, a SOH and the fields, by the session of that
 * name.  Nobody hears of a failure but the log. */
void ltw_fix_send_frozen(struct ltw_host *host, const char *session,
                         const struct tw_any *value);

#endif

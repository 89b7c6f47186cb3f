/* gateway.h - where orders of scripts go that leave the run: app.gateway.fix.
 *
 * Layer lua.
 */
#ifndef LTW_GATEWAY_H
#define LTW_GATEWAY_H

#include "ltw.h"
#include "run/fix_gateway.h"

struct ltw_desk;
struct tw_io;

/* Of a run, in the order in which they were made. */
struct ltw_gateway {
    struct ltw_gateway *next;
    struct tw_fix_gateway *fix;
    char name[TW_FIX_NAME_MAX + 1];
    char source[TW_FIX_NAME_MAX + 10];   /* of its records: it lives as long as they */
};

/* [-0, +0, m]  The gateway that a FIX session's table on top asks for; sets the consumer
 * of the session's options, which have its name and dictionary.  *out: it, or NULL where
 * it asks for none; it is to be attached to the link.  The desk has it.
 * Errors: an unknown field, too many feeds, no memory.  Thread: MAIN, before the io
 * starts. */
int ltw_gateway_make(lua_State *L, struct ltw_host *host, struct tw_io *io,
                     struct tw_fix_link_options *o, struct tw_fix_gateway **out,
                     struct tw_error *error);

/* NULL: none is called so.  Thread: any. */
struct tw_fix_gateway *ltw_gateway_find(const struct ltw_desk *d, const char *name);

/* Thread: MAIN, when io and workers are gone. */
void ltw_gateways_free(struct ltw_desk *d);

#endif

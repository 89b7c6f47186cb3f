/* outputs.h - what a script sends: whoever sends for it asks here first.
 *
 * Layer lua.  Thread: the state's.
 */
#ifndef LTW_OUTPUTS_H
#define LTW_OUTPUTS_H

#include "ltw.h"
#include "share/channel.h"
#include "share/value.h"

enum ltw_output_kind { LTW_MESSAGE, LTW_BOARD, LTW_CHANNEL, LTW_ORDER, LTW_FIX };

/* One thing that was sent, while a record was handled. */
struct ltw_output {
    uint64_t seq;                     /* of the record                            */
    enum ltw_output_kind kind;
    char name[TW_NAME_MAX + 1];       /* the topic, the name on the board, what is
                                       * asked of an order, ""                    */
    struct tw_channel *channel;       /* one reference, or NULL                   */
    struct tw_any key, value;         /* a reference of each block                */
};

/* What becomes of it. */
enum ltw_outputs_way { LTW_OUTPUTS_GO, LTW_OUTPUTS_STAY, LTW_OUTPUTS_HELD };

/* A bounded queue of what was sent, oldest first. */
struct ltw_outputs {
    enum ltw_outputs_way way;
    struct ltw_output *all;
    unsigned first, n;
    size_t room;
    uint64_t lost;                    /* of records up to that, not all is here   */
};

void ltw_outputs_clear(struct ltw_outputs *o);   /* frees what it has */

/* The script that runs sends value, which stays the caller's; name: see above; channel
 * and its key, or NULL.  True: it goes out.  False: it comes nowhere, or is held until
 * what the script does is sure to count; its sender behaves as if it had gone out. */
bool ltw_output(lua_State *L, enum ltw_output_kind kind, const char *name,
                struct tw_channel *channel, const struct tw_any *key,
                const struct tw_any *value);

/* Sends what was held, in its order: false: there was no room for some, which is left. */
bool ltw_outputs_send(struct ltw_outputs *o, struct ltw_host *host, uint32_t script);

/* What two scripts have sent for a record. */
struct ltw_difference {
    uint64_t seq;
    const struct ltw_output *a, *b;
    unsigned n_a, n_b;                /* of each                                  */
};

/* Calls differs(ctx, d) for each record up to `till` for which they have not sent the
 * same.  Both queues are empty then up to there. */
void ltw_outputs_compare(struct ltw_outputs *a, struct ltw_outputs *b, uint64_t till,
                         void (*differs)(void *ctx, const struct ltw_difference *d),
                         void *ctx);

/* Is what the script that runs does compared? */
bool ltw_outputs_are_compared(lua_State *L);

/* [-0, +1, e]  "publish signal = 1; board x = 2", or "nothing". */
void ltw_push_outputs(lua_State *L, const struct ltw_output *o, unsigned n);

#endif

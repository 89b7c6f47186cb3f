/* filter.h - which symbols and topics a script wants.
 *
 * Layer lua.  Thread: WORKER, the script's.
 */
#ifndef LTW_FILTER_H
#define LTW_FILTER_H

#include "ltw.h"

/* Names in a list may be patterns as of the shell: BR*, vol.?, [A-M]*. */
struct ltw_filter {
    struct tw_names *sectors;     /* of `symbols`, or NULL                      */
    char **names, **groups;       /* lists that end in NULL; NULL: all          */
    unsigned shard, shards;       /* rendezvous hashing: the shard-th of shards */
    bool all;                     /* nothing to look up                         */
    uint8_t *wanted;              /* by id, below `known`                       */
    uint32_t known, capacity;
};

/* [-0, +0, e]  Copies the list of strings at idx; NULL for nil.  A string is a
 * list of one.  what names it in an error. */
char **ltw_check_list(lua_State *L, int idx, const char *what);

void ltw_filter_free(struct ltw_filter *f);

/* Fills f->wanted up to id.  UV_ENOMEM: not done.  Blocks: no. */
int ltw_filter_learn_symbols(struct ltw_filter *f, const struct tw_symbols *symbols,
                             uint32_t id);
int ltw_filter_learn_topics(struct ltw_filter *f, const struct tw_names *topics,
                            uint32_t id);

#endif

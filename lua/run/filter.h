/* filter.h - which symbols, topics, feeds and FIX sessions a script wants.
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

/* From `name` on in a list, which may be NULL, the next one that is no pattern and no
 * symbol; NULL: there is none.  Thread: any.  Blocks: no. */
char **ltw_filter_unknown(char **name, const struct tw_symbols *symbols);

/* Fills f->wanted up to id.  UV_ENOMEM: not done.  Blocks: no. */
int ltw_filter_learn_symbols(struct ltw_filter *f, const struct tw_symbols *symbols,
                             uint32_t id);
int ltw_filter_learn_topics(struct ltw_filter *f, const struct tw_names *topics,
                            uint32_t id);
/* By the topics of sessions, see lfix_session.h. */
int ltw_filter_learn_sessions(struct ltw_filter *f, const struct tw_names *topics,
                              uint32_t id);

/* Feeds get their numbers in no order, so each is looked up alone. */
struct ltw_feeds {
    char **names;                 /* NULL: all                   */
    uint8_t wanted[TW_SOURCE_MAX + 1];
};

/* Is the feed wanted whose number that is?  Not asked where all are. */
bool ltw_filter_takes(struct ltw_feeds *f, const struct tw_sources *sources, unsigned id);

/* Is one of the list, or a pattern, that name?  NULL: all are. */
bool ltw_filter_matches(char **list, const char *name);

#endif

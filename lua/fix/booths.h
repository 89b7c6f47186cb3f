/* booths.h - which peers of FIX sessions trade in the run's own book, as whom.
 *
 * Why: a peer's orders outlive its session (one that is removed and added again goes on
 * with them), and who has orders has ids that nobody else has, of which a run has so many
 * from its start.
 *
 * Layer lua.  Thread: any, where nothing else is said.  Blocks: a short lock.
 */
#ifndef LTW_BOOTHS_H
#define LTW_BOOTHS_H

#include "run/app.h"
#include "run/fix_booth.h"

struct ltw_booths;
struct ltw_booth;

enum { LTW_FIX_BOOTHS = 64 };   /* sessions with orders = true that a run may add, or
                                 * that templates make                            */

/* Their orders have owners from `first` on.  NULL: no memory.  Thread: MAIN. */
struct ltw_booths *ltw_booths_new(struct ltw_host *host, unsigned first);
void ltw_booths_free(struct ltw_booths *b) TW_ON(MAIN);   /* b may be NULL */

/* That of the session which is to be made of o: of its peer, where it had one.  *out goes
 * to ltw_booths_give.  Errors: TW_ELIMIT, TW_EUSAGE: the run has no book. */
int ltw_booths_take(struct ltw_booths *b, const struct tw_fix_link_options *o,
                    struct ltw_booth **out, struct tw_error *error);
struct tw_fix_consumer ltw_booths_consumer(const struct ltw_booth *one);

/* To the session that was made, or (NULL) back. */
void ltw_booths_give(struct ltw_booths *b, struct ltw_booth *one,
                     struct tw_fix_link *link);

/* Of a template: each session that is made of it takes one.  ctx is NULL: no memory. */
struct tw_fix_consumer ltw_booths_template(struct ltw_booths *b,
                                           const struct tw_fix_link_options *o);

#endif

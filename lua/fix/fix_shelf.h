/* fix_shelf.h - the dictionaries and zones of a run's FIX sessions, each read once.
 *
 * Layer lua.  Thread: any.  Blocks: while another one reads a file.
 */
#ifndef LTW_FIX_SHELF_H
#define LTW_FIX_SHELF_H

#include "base/zone.h"
#include "fix/dictionary.h"

struct ltw_shelf;

/* NULL: no memory.  What is on it lives as long.  s may be NULL. */
struct ltw_shelf *ltw_shelf_new(void);
void ltw_shelf_free(struct ltw_shelf *s);

/* That of a key (recorded.h); NULL: *error says why. */
const struct tw_fix_dictionary *ltw_shelf_dictionary(struct ltw_shelf *s, const char *key,
                                                     struct tw_error *error);

/* As tape files have it; NULL: it is not of the shelf. */
const char *ltw_shelf_spelling(struct ltw_shelf *s, const struct tw_fix_dictionary *d);

/* Has one of the dictionaries that MsgType? */
bool ltw_shelf_has_type(struct ltw_shelf *s, const char *code);

/* That of a name; NULL, of NULL. */
int ltw_shelf_zone(struct ltw_shelf *s, const char *name, const struct tw_zone **out,
                   struct tw_error *error);

#endif

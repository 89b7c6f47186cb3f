/* library.h - the modules of the versions that run, for states that run no script.
 *
 * Layer lua.
 */
#ifndef LTW_LIBRARY_H
#define LTW_LIBRARY_H

#include "reload/version.h"

struct ltw_library;   /* one for a host */

/* NULL: no memory. */
struct ltw_library *ltw_library_new(void);
void ltw_library_free(struct ltw_library *l);   /* may be NULL */

/* The first version of a file that runs.  False: no memory. */
bool ltw_library_add(struct ltw_library *l, struct ltw_version *v);

/* Another version of a file that was added runs now.  Thread: any.  Blocks: a short
 * lock. */
void ltw_library_replace(struct ltw_library *l, struct ltw_version *v);

/* Another number when a text that runs has become another.  Thread: any. */
unsigned ltw_library_edition(const struct ltw_library *l);

/* [-0, +0, e]  Lets `require` of the state find modules here before it looks on the disk.
 * Thread: the state's, as are the calls of require. */
void ltw_library_open(lua_State *L, struct ltw_library *l);

#endif

/* draft.h - makes dictionaries: of what is built in, of XML files, of extensions.
 *
 *     struct tw_fix_draft *t = tw_fix_draft_new();
 *
 *     if (!t || tw_fix_draft_version(t, TW_FIX_44, &error) < 0
 *         || tw_fix_draft_file(t, "venue.fix", &error) < 0
 *         || tw_fix_draft_finish(t, &dictionary, &error) < 0) ...
 *     tw_fix_draft_free(t);
 *
 * Each part goes on top of those before it: a field, a component or a message that comes
 * again replaces what it was.  5.0 is FIXT.1.1 and its application on top: of XML files,
 * FIXT11.xml and then FIX50.xml.  An older version whose messages come over FIXT.1.1 is
 * FIX44.xml and then FIXT11.xml, as it has a session of its own.
 *
 * The text of extensions, a line each; one that begins with a blank goes on with the line
 * before:
 *
 *     # to the end of the line
 *     fix FIX.4.4                    its version, where nothing is below
 *     5001 VenueID STRING            a field: tag, name, type (an XML file's words)
 *     5002 Flavour CHAR 1=SWEET 2=SOUR
 *     54 + 7=UNDISCLOSED             choices more
 *     header 8! 9! 35!               members in order; ! is required
 *     trailer 10!
 *     @Parties 453(448 447 452)      a component; a group is its count and its members
 *     D NewOrderSingle app 11! @Parties 55!      a message (admin: of the session)
 *     D + 5001! 5003(5001!)          members more, at the end
 *     header + 5001
 *     -5001                          no longer a field
 *     -35=D                          no longer a message
 *
 * A required member of a group is so in each of its entries.
 *
 * Layer host/fix.  Thread: any, one at a time.
 */
#ifndef TW_FIX_DRAFT_H
#define TW_FIX_DRAFT_H

#include "fix/dictionary.h"

enum { TW_FIX_FILE_MAX = 16 << 20 };   /* bytes of a file */

struct tw_fix_draft;

/* NULL: no memory.  Blocks: no.  Memory: freed by tw_fix_draft_free. */
struct tw_fix_draft *tw_fix_draft_new(void);
void tw_fix_draft_free(struct tw_fix_draft *t);

/* What is built in: session, market data and orders of the version.
 * Blocks: no.  Errors: no memory. */
int tw_fix_draft_version(struct tw_fix_draft *t, enum tw_fix_version v,
                         struct tw_error *error);

/* The session of FIXT.1.1 on top, in place of the version's own: its messages come over
 * one.  Nothing where that is in it, by an XML file.
 * Blocks: no.  Errors: no memory. */
int tw_fix_draft_fixt(struct tw_fix_draft *t, struct tw_error *error);

/* Text or XML, which begins with '<'; `name` is what errors call it: "name:line: what".
 * Blocks: no.  Errors: TW_EFORMAT, TW_ELIMIT; no memory; UV_ENOTSUP: XML, and this
 * program has none (lua/static). */
int tw_fix_draft_add(struct tw_fix_draft *t, const char *name, const char *text,
                     size_t n, struct tw_error *error);

/* The same, of a file.  Blocks: while it reads.  Errors: also UV codes. */
int tw_fix_draft_file(struct tw_fix_draft *t, const char *path, struct tw_error *error);

/* What was put together, as a dictionary; the draft can go on.
 * Blocks: no.  Errors: TW_EFORMAT: a part names what none defines; TW_ELIMIT; no memory.
 * Memory: *out is freed by tw_fix_dictionary_free. */
int tw_fix_draft_finish(struct tw_fix_draft *t, struct tw_fix_dictionary **out,
                        struct tw_error *error);

#endif

/* audit.h - the file that says who has changed what in a run.
 *
 * Layer lua.  Thread: any.
 */
#ifndef LTW_AUDIT_H
#define LTW_AUDIT_H

#include "base/tw.h"

/* Appends a line, and waits until it is on the disk; several processes may have one file.
 * n == 0: looks only whether it could.  0, or a negative code and *error.
 * Blocks: on the file system. */
int ltw_audit_write(const char *path, const char *text, size_t n,
                    struct tw_error *error);

#endif

/* endpoint.h - the sockets of running apps: where they are, who may use them.
 *
 *     $XDG_RUNTIME_DIR/tidewire/PID.NAME, or else /tmp/tidewire-UID/PID.NAME
 *
 * The directory has mode 0700 and the sockets 0600, and both sides ask the kernel who
 * the other is: nobody but the owner gets in.
 *
 * Layer lua.  Thread: any.
 */
#ifndef LTW_ENDPOINT_H
#define LTW_ENDPOINT_H

#include <sys/types.h>

#include "base/tw.h"

enum { LTW_ENDPOINT_NAME = 40, LTW_ENDPOINT_PATH = 108 };

struct ltw_endpoint {
    char path[LTW_ENDPOINT_PATH];
    char name[LTW_ENDPOINT_NAME + 1];   /* of the app file, without .lua */
    pid_t pid;
};

/* A frame is its length in 4 bytes, the most significant first, and so many bytes, of
 * which the first says what it is. */
enum { LTW_FRAME_HEAD = 4, LTW_FRAME_MAX = 65536 };
enum ltw_frame {
    /* from who is attached */
    LTW_FRAME_LINE = 'L',      /* "cpu bytes wait\n" and a line: to be evaluated  */
    LTW_FRAME_COMPLETE = 'T',  /* likewise: what may follow it?                   */
    LTW_FRAME_CANCEL = 'C',    /* the line that is being evaluated                */
    /* from the run */
    LTW_FRAME_HELLO = 'H',     /* "name pid version"                              */
    LTW_FRAME_OUT = 'O',       /* text for standard output                        */
    LTW_FRAME_ERR = 'E',       /* text for standard error                         */
    LTW_FRAME_OFFER = 'P',     /* one completion                                  */
    LTW_FRAME_DONE = 'D',      /* "0" or "1": how the line has ended              */
    LTW_FRAME_BYE = 'B'        /* why the connection ends                         */
};

/* A socket that listens, for the app file at app_path; *e: its place.  A negative
 * code: *error says why.  Blocks: on the file system, two seconds for its lock. */
int ltw_endpoint_listen(const char *app_path, struct ltw_endpoint *e,
                        struct tw_error *error);

/* Those that answer, by pid, at most max; what is left of runs that were killed is
 * removed.  Returns how many.  Blocks: on the file system. */
int ltw_endpoint_list(struct ltw_endpoint *list, unsigned max, struct tw_error *error);

/* A socket that is connected to it.  Blocks: for at most five seconds. */
int ltw_endpoint_connect(const struct ltw_endpoint *e, struct tw_error *error);

/* Who is at the other end?  A negative code: it is not the user of this process, or
 * nobody knows. */
int ltw_endpoint_check(int fd, uid_t *uid, pid_t *pid);

#endif

/* tw.h - the vocabulary every other file shares: error codes (which are public, so
 * they stand in tidewire.h) and thread roles.
 *
 * A thread role is a lock that is never taken: clang's thread-safety analysis
 * reads the annotations and refuses a call or a field access made from a
 * function that does not hold the role.  gcc sees nothing.  tw_be_x() is the
 * bridge from an untyped callback: it asserts the role at run time in debug
 * builds and grants it to the analyser in every build.
 *
 * Layer host/base.  Includes the C library, and tidewire.h, which includes no other.
 */
#ifndef TW_TW_H
#define TW_TW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tidewire.h"

#if defined(__clang__)
#define TW_ATTR(x) __attribute__((x))
#else
#define TW_ATTR(x)
#endif
/* Not a part of its caller, whose frame it would widen though it seldom runs. */
#define TW_APART __attribute__((noinline))
/* Seldom runs, so it is compiled for size. */
#define TW_COLD __attribute__((cold, noinline))
#define TW_PRINTF(text, first) __attribute__((format(printf, text, first)))

enum { TW_CACHELINE = 64 };

/* Fills *error (which may be NULL) and returns code.
 * Thread: any.  Blocks: never.  Memory: allocates nothing. */
int tw_fail(struct tw_error *error, int code, const char *format, ...) TW_PRINTF(3, 4);

/* MAIN starts and joins the others, FEED does IO and parses, WORKER runs Lua.  The
 * linker knows them by names that no program has. */
#define MAIN   tw_main_role
#define FEED   tw_feed_role
#define WORKER tw_worker_role
struct TW_ATTR(capability("role")) tw_role { unsigned char id; };
extern struct tw_role MAIN, FEED, WORKER;

#define TW_ON(role)    TW_ATTR(requires_capability(role))  /* call me there  */
#define TW_OWNED(role) TW_ATTR(guarded_by(role))           /* touch me there */

extern _Thread_local unsigned char tw_role_now;
#define TW_DEFINE_BE(fn, role) \
    static inline void fn(void) TW_ATTR(assert_capability(role)) \
        TW_ATTR(no_thread_safety_analysis); \
    static inline void fn(void) { assert(tw_role_now == role.id); }
TW_DEFINE_BE(tw_be_main, MAIN)
TW_DEFINE_BE(tw_be_feed, FEED)
TW_DEFINE_BE(tw_be_worker, WORKER)

/* Gives this thread its role.  Thread: any, once, when the thread starts. */
void tw_role_set(const struct tw_role *role);

#endif

/* object.h - what is shared between states by reference: futures, channels, caches.
 *
 * An object is the first member of the struct it stands for.  A frozen value
 * may hold one, so that it travels with messages, arguments and results.
 *
 * Layer host/share.
 */
#ifndef TW_OBJECT_H
#define TW_OBJECT_H

#include <stdatomic.h>

#include "base/tw.h"

struct tw_object;

struct tw_object_type {
    const char *name;                      /* of its Lua metatable: "tw.future" */
    void (*free)(struct tw_object *o);     /* the last reference has gone       */
};

struct tw_object {
    const struct tw_object_type *type;     /* constant            */
    _Atomic uint64_t references;           /* atomic: any thread  */
};

/* Gives a new object its first reference.  Thread: any.  Blocks: no. */
void tw_object_init(struct tw_object *o, const struct tw_object_type *type);

/* Thread: any.  Blocks: as type->free does.  The last unref frees. */
void tw_object_ref(struct tw_object *o);
void tw_object_unref(struct tw_object *o);

/* Objects alive in the process: a test that ends with one has a leak.
 * Thread: any. */
uint64_t tw_object_live(void);

#endif

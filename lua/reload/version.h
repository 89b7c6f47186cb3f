/* version.h - a version of a script: the text of its file and of what that requires, and
 * what the app says to its instances.
 *
 * Layer lua.  Thread: any.
 */
#ifndef LTW_VERSION_H
#define LTW_VERSION_H

#include <lua.h>

#include "base/tw.h"

/* A file as it was read at one time; constant. */
struct ltw_part { char *name, *path, *bytes; size_t n; struct ltw_part *next; };

struct ltw_script_options;
struct ltw_version;

/* Reads the file; path is copied.  NULL: *error says why.  One reference.
 * Blocks: on the disk. */
struct ltw_version *ltw_version_read(lua_State *L, const char *path,
                                     struct tw_error *error);

/* The same as a version of its own.  NULL: no memory. */
struct ltw_version *ltw_version_copy(struct ltw_version *v);
void ltw_version_ref(struct ltw_version *v);
void ltw_version_unref(struct ltw_version *v);

/* 1, 2, ...; of: the number of the one whose texts it has again, or 0.  Set before
 * any other thread knows it. */
void ltw_version_number(struct ltw_version *v, unsigned number, unsigned of);
unsigned ltw_version_get_number(const struct ltw_version *v);
unsigned ltw_version_get_of(const struct ltw_version *v);

/* What the app says to those of n instances that have its file is copied, but for names;
 * before any other thread knows the version, and instead of what it had.  False: no
 * memory, and nothing has changed. */
bool ltw_version_instruct(struct ltw_version *v, const struct ltw_script_options *o,
                          unsigned n);

/* The same as another version has it.  False: no memory. */
bool ltw_version_inherit(struct ltw_version *v, const struct ltw_version *from);

/* Of the instance with that id; they live as long as the version. */
const struct ltw_script_options *ltw_version_options(const struct ltw_version *v,
                                                     uint32_t id);

const struct ltw_part *ltw_version_file(const struct ltw_version *v);

/* The module of that name, read from path when the version has it not yet: whoever
 * requires it later, on whatever thread, gets the same bytes.  path NULL: NULL when it
 * is not there.  NULL: *error says why.  Blocks: on the disk, the first time. */
const struct ltw_part *ltw_version_module(struct ltw_version *v, lua_State *L,
                                          const char *name, const char *path,
                                          struct tw_error *error);

/* Calls look(ctx, text) for the file and each module so far, until it says true, which
 * it then returns.  Blocks: a short lock. */
bool ltw_version_each(struct ltw_version *v,
                      bool (*look)(void *ctx, const struct ltw_part *t), void *ctx);

/* Bytes that its texts take. */
size_t ltw_version_bytes(struct ltw_version *v);

/* Reads a file, as source.h says.  NULL: *error says why.  The caller frees it.
 * Blocks: on the disk. */
struct ltw_part *ltw_part_read(lua_State *L, const char *name, const char *path,
                               struct tw_error *error);
void ltw_part_free(struct ltw_part *t);

#endif

/* loader.h - the loaders of a cache: jobs of the pool that end loads.
 *
 * Layer lua.
 */
#ifndef LTW_LOADER_H
#define LTW_LOADER_H

#include "ltw.h"
#include "share/cache_load.h"

/* [-0, +0, e]  Starts the n loads, whose references it takes, in one job that calls the
 * loader at idx: as loader(key, load), or (many) once as loader(keys).  When that can't
 * be, the loads fail; it raises what is the caller's fault, and without memory. */
void ltw_loader_start(lua_State *L, int idx, struct tw_load *const *loads, size_t n,
                      bool many);

/* [-0, +n, e]  The fields ttl, tags and depends of the table at idx, or nothing for
 * nil; what it pushes keeps the tags.  of_load: it is what a loader was given, with the
 * field old; else it is options.  depends has room for TW_CACHE_DEPENDS_MAX. */
void ltw_check_terms(lua_State *L, int idx, bool of_load, struct tw_cache_terms *terms,
                     uint32_t *depends);

/* [-0, +0, e]  The ids of {symbol, ..., topics = {topic, ...}}, or none for nil. */
size_t ltw_check_depends(lua_State *L, int idx, uint32_t *depends);

/* [-0, +0, e]  Raises for a field of the table at idx that is none of these, which end
 * with NULL, nor one of the first n elements of its list. */
void ltw_check_fields(lua_State *L, int idx, const char *what,
                      const char *const *fields, lua_Integer n);

#endif

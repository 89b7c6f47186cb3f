/* text.h - blocks that hold a string. */
#ifndef TEXT_H
#define TEXT_H

#include <stdlib.h>
#include <string.h>

#include "share/builder.h"

static inline struct tw_any text(const char *s)
{
    struct tw_any v = { .kind = TW_VALUE_BLOCK };
    struct tw_builder *b = tw_builder_new();

    tw_builder_begin(b);
    tw_builder_string(b, s, strlen(s));
    if (tw_builder_finish(b, &v.block) < 0) abort();
    tw_builder_free(b);
    return v;
}

static inline bool is_text(const struct tw_any *v, const char *s)
{
    struct tw_item root = tw_any_root(v);

    return root.kind == TW_VALUE_STRING && root.length == strlen(s)
        && memcmp(root.text, s, root.length) == 0;
}

#endif

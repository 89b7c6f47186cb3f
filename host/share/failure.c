/* failure.c - the error of a future: a frozen table, as C makes and reads it.
 *
 * Layer host/share.  Thread: any.
 */
#include "share/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "share/builder.h"

enum { MESSAGE_MAX = 1000, CAUSES_MAX = 64 };

struct tw_any tw_failure_new(const char *format, ...)
{
    struct tw_any failure = { .kind = TW_VALUE_NIL };
    struct tw_builder *b = tw_builder_new();
    char text[MESSAGE_MAX];
    va_list args;

    if (!b) return failure;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    tw_builder_begin(b);
    tw_builder_table(b, 1);
    tw_builder_open(b);
    tw_builder_pairs(b);
    tw_builder_string(b, "message", 7);
    tw_builder_string(b, text, strlen(text));
    tw_builder_close(b);
    if (tw_builder_finish(b, &failure.block) == TW_OK) failure.kind = TW_VALUE_BLOCK;
    tw_builder_free(b);
    return failure;
}

static struct tw_item field(const struct tw_table *t, const char *name)
{
    return tw_table_find(t, (struct tw_item){ .kind = TW_VALUE_STRING, .text = name,
                                              .length = (uint32_t)strlen(name) });
}

static const char *text_of(const struct tw_table *t, const char *name)
{
    struct tw_item item = field(t, name);

    return item.kind == TW_VALUE_STRING ? item.text : NULL;
}

void tw_failure_text(const struct tw_any *failure, char *out, size_t n)
{
    const struct tw_table *chain[CAUSES_MAX];
    struct tw_item item = tw_any_root(failure);
    unsigned depth = 0;
    size_t used;

    for (; item.kind == TW_VALUE_TABLE && depth < CAUSES_MAX;
         item = field(item.table, "cause"))
        chain[depth++] = item.table;
    if (depth == 0 || !text_of(chain[0], "message")) {
        snprintf(out, n, "an error, and no memory to say which");
        return;
    }
    snprintf(out, n, "%s", text_of(chain[0], "message"));
    while (depth-- > 0 && (used = strlen(out)) + 1 < n) {
        const char *worker = text_of(chain[depth], "worker");
        const char *script = text_of(chain[depth], "script");
        const char *traceback = text_of(chain[depth], "traceback");

        if (!traceback) continue;
        snprintf(out + used, n - used, "\nin %s%s%s: %s", worker ? worker : "?",
                 script ? ", script " : "", script ? script : "", traceback);
    }
}

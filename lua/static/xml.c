/* xml.c - stands for host/fix/xml.c in the static program.
 *
 * Why: expat is 0.17 MB, and what is built in and the text of extensions need none.
 *
 * Layer lua.
 */
#include <uv.h>

#include "fix/draft_parts.h"

int tw_fix_draft_xml(struct tw_fix_draft *t, const char *text, size_t n)
{
    (void)text, (void)n;
    return tw_fix_draft_fail(t, UV_ENOTSUP,
                             "this program is static: it reads no dictionaries in XML");
}

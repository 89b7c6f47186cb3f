/* fix_dictionary.c - any bytes as a dictionary, alone or on top of a version: it is one,
 * or an error says where it is not. */
#include <stdlib.h>
#include <string.h>

#include "fix/draft.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tw_fix_draft *t = tw_fix_draft_new();
    struct tw_fix_dictionary *d = NULL;
    struct tw_error error = {0};
    const struct tw_fix_definition *f;
    int code = TW_OK;

    if (!t) abort();
    if (size && data[0] % 2) code = tw_fix_draft_version(t, TW_FIX_42, &error);
    if (code < 0) abort();
    if (size) code = tw_fix_draft_add(t, "x", (const char *)data + 1, size - 1, &error);
    if (code == TW_OK) code = tw_fix_draft_finish(t, &d, &error);
    if (code < 0 && !error.text[0]) abort();
    if (code == TW_OK)
        for (size_t i = 0, n = tw_fix_dictionary_fields(d, &f); i < n; i++)
            if (tw_fix_dictionary_field(d, f[i].tag) != &f[i]) abort();
    tw_fix_dictionary_free(d);
    tw_fix_draft_free(t);
    return 0;
}

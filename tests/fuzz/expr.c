/* expr.c - libFuzzer: any text is an error in one line, or a tree that is written as
 * a text which reads as the same tree. */
#include "stat/expr.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { TEXT = 1 << 20 };

/* Every node: within its limits, and of a type that its place takes. */
static unsigned check(const struct tw_expr *e, size_t n)
{
    unsigned nodes = 1;

    if (e->op >= TW_EXPR_OPS || e->type > TW_EXPR_NAME || e->n_args > TW_STAT_INPUTS
        || e->column > n + 1) abort();
    for (unsigned i = 0; i < e->n_args; i++) nodes += check(e->arg[i], n);
    if (e->op != TW_EXPR_STAT) return nodes;
    if (e->of.by.n_keys > TW_EXPR_KEYS || e->of.stat->size == 0) abort();
    for (unsigned i = 0; i < e->n_args; i++)
        if (e->arg[i]->type != TW_EXPR_NUMBER) abort();
    return nodes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static char first[TEXT], second[TEXT];
    struct tw_error error = {0};
    struct tw_declaration *d, *again;
    bool condition;
    size_t length;
    char *text;

    if (n == 0) return 0;
    condition = data[0] & 1;
    text = malloc(--n ? n : 1);   /* its own block: ASan sees both its ends */
    if (!text) return 0;
    memcpy(text, data + 1, n);
    d = tw_declaration_parse(text, n, condition, &error);
    free(text);
    if (!d) {
        if (error.code != TW_EUSAGE || !strstr(error.text, "column ")
            || strchr(error.text, '\n')) abort();
        return 0;
    }
    if (check(d->value, n) > TW_EXPR_NODES || d->by.n_keys > TW_EXPR_KEYS || !d->kinds
        || (d->value->type == TW_EXPR_BOOLEAN) != condition) abort();
    if (d->where && check(d->where, n) > TW_EXPR_NODES) abort();
    length = tw_expr_text(d->value, first, sizeof first);
    tw_declaration_free(d);
    /* With its parentheses it may be too long, or nested too much. */
    if (length > TW_EXPR_BYTES) return 0;
    again = tw_declaration_parse(first, length, condition, &error);
    if (!again) {
        if (!strstr(error.text, "nested more") && !strstr(error.text, "parts")) abort();
        return 0;
    }
    tw_expr_text(again->value, second, sizeof second);
    if (strcmp(first, second) != 0) abort();
    tw_declaration_free(again);
    return 0;
}

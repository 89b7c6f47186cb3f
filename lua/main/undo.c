/* undo.c - the changes of a text, and back.
 *
 * Invariant: `cut` has, in order, what the changes on the stack cut, and nothing else.
 *
 * Layer lua/main.
 */
#include "main/undo.h"

enum { CUT_MAX = 4 << 20, CHANGES_MAX = 100000 };

static struct ltw_text_change *newest(const struct ltw_undo *u)
{
    struct ltw_text_change *all = (struct ltw_text_change *)(void *)u->changes.at;

    return u->changes.n ? all + u->changes.n / sizeof *all - 1 : NULL;
}

/* What is typed goes into one change, as long as it stands together. */
static bool joins(const struct ltw_text_change *c, unsigned group, size_t at,
                  size_t n_cut)
{
    return c && c->group == group && n_cut == 0 && c->at + c->n_put == at;
}

void ltw_undo_note(struct ltw_undo *u, size_t at, const char *cut, size_t n_cut,
                   size_t n_put)
{
    struct ltw_text_change c = { at, n_cut, n_put, u->group };

    if (n_cut + n_put == 0) return;
    if (joins(newest(u), u->group, at, n_cut)) {
        newest(u)->n_put += n_put;
        return;
    }
    if (u->cut.n + n_cut > CUT_MAX || u->changes.n >= CHANGES_MAX * sizeof c
        || !ltw_bytes_reserve(&u->changes, sizeof c)
        || !ltw_bytes_add(&u->cut, cut, n_cut)) {
        ltw_undo_clear(u);
        return;
    }
    ltw_bytes_add(&u->changes, (const char *)&c, sizeof c);
}

const struct ltw_text_change *ltw_undo_newest(const struct ltw_undo *u)
{
    return newest(u);
}

const char *ltw_undo_take(struct ltw_undo *u)
{
    u->cut.n -= newest(u)->n_cut;
    u->changes.n -= sizeof(struct ltw_text_change);
    return u->cut.at + u->cut.n;
}

void ltw_undo_clear(struct ltw_undo *u)
{
    u->changes.n = u->cut.n = 0;
}

void ltw_undo_free(struct ltw_undo *u)
{
    tw_bytes_free(&u->changes);
    tw_bytes_free(&u->cut);
}

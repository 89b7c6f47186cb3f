/* words.c - texts of a venue about orders, kept until their scripts are told. */
#include "trade/words.h"

#include <string.h>

#include "base/memory.h"

static void drop(struct ltw_words *w)
{
    struct ltw_word *first = w->first;

    w->first = first->next;
    if (!w->first) w->last = NULL;
    tw_free(first);
}

void ltw_words_fini(struct ltw_words *w)
{
    while (w->first) drop(w);
}

bool ltw_words_put(struct ltw_words *w, const struct tw_venue_aside *aside,
                   uint32_t *number)
{
    struct ltw_word *one;

    *number = 0;
    if (!aside->text[0] && !aside->has_code) return true;
    one = tw_calloc(1, sizeof *one);
    if (!one) return false;
    if (++w->number == 0) w->number = 1;
    *number = one->number = w->number;
    one->has_code = aside->has_code;
    one->code = aside->code;
    memcpy(one->text, aside->text, sizeof one->text);
    if (w->last) w->last->next = one;
    else w->first = one;
    w->last = one;
    return true;
}

bool ltw_words_take(struct ltw_words *w, uint32_t number, struct ltw_word *out)
{
    while (w->first && (int32_t)(w->first->number - number) < 0) drop(w);
    if (!w->first || w->first->number != number) return false;
    *out = *w->first;
    drop(w);
    return true;
}

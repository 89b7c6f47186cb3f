/* recall.c - entries of the history in the text that is typed, and the search for them.
 *
 * Layer lua/main.
 */
#include "main/recall.h"

#include "main/argument.h"
#include "main/keys.h"

void ltw_recall_begin(struct ltw_recall *r)
{
    r->at = ltw_history_count(r->history);
    r->searching = r->failed = false;
    r->draft.n = r->origin.n = 0;
}

static void show(struct ltw_recall *r, unsigned at)
{
    const char *text = ltw_history_at(r->history, at);
    unsigned last = ltw_history_count(r->history);

    if (r->at == last
        && !ltw_bytes_set(&r->draft, r->text->bytes.at, r->text->bytes.n))
        return;
    if (text ? ltw_text_replace(r->text, text, strlen(text))
             : ltw_text_replace(r->text, r->draft.at, r->draft.n))
        r->at = at;
}

void ltw_recall_go(struct ltw_recall *r, bool down)
{
    if (down && r->at < ltw_history_count(r->history)) show(r, r->at + 1);
    else if (!down && r->at > 0) show(r, r->at - 1);
}

void ltw_recall_argument(struct ltw_recall *r)
{
    bool again = r->text->before == LTW_DID_RECALL;
    unsigned i = again ? r->of : ltw_history_count(r->history);
    const char *argument = NULL;
    size_t n = 0;

    while (n == 0 && i-- > 0) argument = ltw_argument(ltw_history_at(r->history, i), &n);
    if (again) r->text->did = LTW_DID_RECALL;
    if (n == 0) return;
    if (again) ltw_text_cut(r->text, r->from, r->to);
    r->of = i;
    r->from = r->text->cursor;
    ltw_text_insert(r->text, argument, n);
    r->to = r->text->cursor;
    r->text->did = LTW_DID_RECALL;
}

/* ---- searching ---- */

/* The nearest entry from there on that has the pattern; beyond the count: none. */
static void find(struct ltw_recall *r, unsigned from, bool newer)
{
    unsigned count = ltw_history_count(r->history);

    r->failed = r->n_pattern > 0;
    for (unsigned i = from; i < count && r->n_pattern > 0; i += newer ? 1u : -1u) {
        const char *text = ltw_history_at(r->history, i);
        const char *found = strstr(text, r->pattern);

        if (!found) continue;
        show(r, i);
        r->text->cursor = (size_t)(found - text);
        r->failed = false;
        return;
    }
}

/* From the newest one on. */
static void find_anew(struct ltw_recall *r)
{
    find(r, ltw_history_count(r->history) - 1, false);
}

void ltw_recall_search(struct ltw_recall *r)
{
    r->searching = ltw_bytes_set(&r->origin, r->text->bytes.at, r->text->bytes.n);
    r->failed = false;
    r->begun = r->at;
    r->n_pattern = 0;
    r->pattern[0] = '\0';
}

/* What was typed before the search. */
static void give_up(struct ltw_recall *r)
{
    r->searching = false;
    if (ltw_text_replace(r->text, r->origin.at, r->origin.n)) r->at = r->begun;
}

bool ltw_recall_key(struct ltw_recall *r, int key, const char *bytes, size_t n)
{
    bool is_delete = key == 0x7F || key == LTW_CTRL('H');

    if (key == LTW_CTRL('R')) {
        find(r, r->at - 1, false);
    } else if (key == LTW_CTRL('S')) {
        find(r, r->at + 1, true);
    } else if (key == LTW_CTRL('G')) {
        give_up(r);
    } else if (is_delete) {
        while (r->n_pattern > 0
               && ((unsigned char)r->pattern[--r->n_pattern] & 0xC0) == 0x80)
            ;
        r->pattern[r->n_pattern] = '\0';
        find_anew(r);
    } else if (key >= 0x20 && n > 0 && key < LTW_KEY_MORE) {
        if (r->n_pattern + n > LTW_PATTERN_MAX) return true;
        memcpy(r->pattern + r->n_pattern, bytes, n);
        r->n_pattern += n;
        r->pattern[r->n_pattern] = '\0';
        if (r->at < ltw_history_count(r->history)) find(r, r->at, false);
        else find_anew(r);
    } else {
        r->searching = false;
        return false;
    }
    return true;
}

void ltw_recall_free(struct ltw_recall *r)
{
    tw_bytes_free(&r->draft);
    tw_bytes_free(&r->origin);
}

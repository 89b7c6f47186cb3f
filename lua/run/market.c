/* market.c - the parts of a host that a market needs: the tape and what is about it.
 *
 * A run has them from its beginning; a prompt that stands alone with its first feed.
 *
 * Layer lua.
 */
#include "run/market.h"

#include <uv.h>

#include "trade/desk.h"

enum { TOPICS_MAX = 1 << 16 };

/* Under a sanitizer nobody minds waiting for a page: 64 MiB are a third of a start. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { AT_ONCE = 0 };
#else
enum { AT_ONCE = 1 };
#endif

static void drop(void *epoch, const struct tw_record *old)
{
    if (old->message.value_kind == TW_VALUE_BLOCK)
        tw_epoch_retire(epoch, old->message.value.block);
}

static void release(void *block)
{
    tw_value_unref(block);
}

int ltw_market_open(struct ltw_host *h, size_t capacity)
{
    struct tw_tape *tape = tw_tape_new(capacity);

    h->symbols = tw_symbols_new(TW_SYMBOL_MAX);
    h->topics = tw_names_new(TOPICS_MAX);
    h->board = tw_board_new();
    h->epoch = tw_epoch_new(release);
    h->desk = ltw_desk_new();
    h->tape = tape;
    if (!tape || !h->desk || !h->symbols || !h->topics || !h->board || !h->epoch) {
        ltw_market_close(h);
        return UV_ENOMEM;
    }
    tw_tape_on_drop(tape, drop, h->epoch);
    if (h->time) tw_tape_set_alone(tape, true);
    else if (AT_ONCE) tw_tape_touch(tape);   /* a backtest may be far shorter */
    return TW_OK;
}

void ltw_market_close(struct ltw_host *h)
{
    tw_tape_free(h->tape);
    if (h->epoch) tw_epoch_free(h->epoch);
    tw_board_free(h->board);
    ltw_desk_free(h->desk);
    tw_names_free(h->topics);
    tw_symbols_free(h->symbols);
    h->tape = NULL;
    h->epoch = NULL;
    h->board = NULL;
    h->desk = NULL;
    h->topics = NULL;
    h->symbols = NULL;
}

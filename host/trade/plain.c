/* plain.c - what a broker sees to itself where the gateway can't. */
#include "trade/plain.h"

enum tw_reason tw_plain_check(const struct tw_gateway *g, const struct tw_order *o,
                              int64_t room)
{
    bool is_plain = g && g->is_plain;

    return is_plain && o->reduce_only && o->quantity > room ? TW_REASON_REDUCE_ONLY
                                                            : TW_REASON_NONE;
}

enum tw_reason tw_plain_reason(int rc)
{
    return rc == TW_ECLOSED ? TW_REASON_OFFLINE
         : rc == TW_EUSAGE ? TW_REASON_UNSUPPORTED : TW_REASON_VENUE;
}

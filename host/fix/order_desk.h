/* order_desk.h - the venue's side of orders over FIX: D, F, G become requests of
 * trade/venue.h, and what happens becomes 8 and 9.
 *
 *     tw_fix_desk_take(d, m, &request)     1: give it to the venue
 *     tw_fix_desk_report(d, &report)       for each report of it
 *
 * What no venue could take is answered here, and so are questions (H, AF).  Ids of
 * requests are the OrderIDs (37), too; ClOrdIDs are the peer's.
 *
 * Layer host/fix.  Thread: the owner's, one at a time.  Blocks: never.
 */
#ifndef TW_FIX_ORDER_DESK_H
#define TW_FIX_ORDER_DESK_H

#include "fix/message.h"
#include "tape/symbols.h"
#include "trade/venue.h"

struct tw_fix_desk;

struct tw_fix_desk_options {
    const struct tw_fix_dictionary *dictionary;
    struct tw_symbols *symbols;   /* others are rejected                             */
    uint32_t owner;               /* of the requests                                 */
    uint64_t first_id, id_step;   /* of OrderIDs and ExecIDs: the first (0: 1), and
                                   * how far one is from the next (0: 1)             */
    int precision;                /* digits of the second of 60; 0: 3                */
    /* When the market of a symbol is open; NULL: all the time, of all of them. */
    const struct tw_calendar *(*calendar)(const void *of, uint32_t symbol);
    const void *of;
    /* A message goes out: fields as tw_fix_session_put takes them. */
    void (*send)(void *ctx, const char *code, const char *body, size_t n);
    void *ctx;
};

/* NULL: no memory.  Memory: freed by tw_fix_desk_free; taken for each request. */
struct tw_fix_desk *tw_fix_desk_new(const struct tw_fix_desk_options *options);
void tw_fix_desk_free(struct tw_fix_desk *d);   /* d may be NULL */

/* It is for another peer: all is forgotten but the numbers of OrderIDs and ExecIDs, which
 * go on.  False: an order is open, or no memory. */
bool tw_fix_desk_renew(struct tw_fix_desk *d, const struct tw_fix_dictionary *dictionary,
                       int precision);

/* 1: *q is a request, without arrives_ns, seq and number; 0: it was answered at now_ns;
 * TW_EUSAGE: no message of orders; UV_ENOMEM. */
int tw_fix_desk_take(struct tw_fix_desk *d, const struct tw_fix_message *m,
                     int64_t now_ns, struct tw_request *q);

/* The venue could not take the last request. */
void tw_fix_desk_untaken(struct tw_fix_desk *d, const struct tw_request *q,
                         int64_t now_ns);

/* Of the owner's orders. */
void tw_fix_desk_report(struct tw_fix_desk *d, const struct tw_venue_report *r);

/* What is kept for the next run are the 8s: the last one of an order says how it is.
 * note sends one of an order that has just come (39=A), or (id 0) of all that are open;
 * who keeps it tells nobody. */
void tw_fix_desk_note(struct tw_fix_desk *d, uint64_t id, int64_t now_ns);

/* Before anything else, each of them in turn; false: it is none, or no memory.  Then
 * end_former: the book is empty, so what was open has ended, which is sent. */
bool tw_fix_desk_restore(struct tw_fix_desk *d, const char *body, size_t n);
void tw_fix_desk_end_former(struct tw_fix_desk *d, int64_t now_ns);

/* Of fields "tag=value SOH": at is NULL, or 0: there is none. */
struct tw_fix_text tw_fix_desk_field(const char *body, size_t n, int tag);
uint64_t tw_fix_desk_number(const char *body, size_t n, int tag);

#endif

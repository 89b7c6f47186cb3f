/* order_entry_out.c - orders and what changes them as the bodies of D, F, G, H and AF.
 *
 * Why by the dictionary: what a version lacks (TransactTime before 4.2, HandlInst that
 * must be there up to 4.3) it says itself, and so does a venue's own dictionary. */
#include "fix/order_entry_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fixed.h"
#include "base/memory.h"

/* ---- what there is ---- */

static const struct tw_fix_type *type_of(const struct tw_fix_orders *o, const char *code)
{
    return tw_fix_dictionary_type(o->o.dictionary, code, strlen(code));
}

static bool has(const struct tw_fix_type *t, uint32_t tag)
{
    return t && tw_fix_member(&t->body, tag) != NULL;
}

static bool requires(const struct tw_fix_type *t, uint32_t tag)
{
    const struct tw_fix_member *m = t ? tw_fix_member(&t->body, tag) : NULL;

    return m && m->required;
}

/* Whether the field takes that value; one without choices takes any. */
static bool takes(const struct tw_fix_orders *o, uint32_t tag, char value)
{
    const struct tw_fix_definition *f = tw_fix_dictionary_field(o->o.dictionary, tag);

    return f && (f->choices_n == 0 || f->open || tw_fix_choice(f, &value, 1));
}

static bool is_at_close(uint8_t tif)
{
    return tif == TW_TIF_CLS;
}

/* OrdType 40: before 4.3 it is what says "at the close". */
static char type_char(const struct tw_fix_orders *o, const struct entry *e)
{
    if (!is_at_close(e->tif) || takes(o, 59, TW_TIF_CLS)) return (char)e->type;
    return e->type == TW_TYPE_MARKET ? '5' : 'B';
}

static bool has_trailing(const struct tw_fix_orders *o)
{
    const struct tw_fix_type *d = type_of(o, "D");

    return takes(o, 40, TW_TYPE_TRAILING_STOP) && has(d, 211)
        && (has(d, 1094) || (has(d, 18) && takes(o, 18, 'a')));
}

static bool has_close(const struct tw_fix_orders *o, const struct tw_request *q)
{
    if (takes(o, 59, TW_TIF_CLS)) return true;
    return (q->type == TW_TYPE_MARKET && takes(o, 40, '5'))
        || (q->type == TW_TYPE_LIMIT && takes(o, 40, 'B'));
}

/* Up to 4.1 a quantity is a whole number. */
static bool has_quantity(const struct tw_fix_orders *o, int64_t quantity)
{
    const struct tw_fix_definition *f = tw_fix_dictionary_field(o->o.dictionary, 38);

    return f && (f->kind != TW_FIX_INT || quantity % TW_FIXED_ONE == 0);
}

int tw_fix_orders_can(const struct tw_fix_orders *o, const struct tw_request *q,
               struct tw_error *error)
{
    const struct tw_fix_type *d = type_of(o, "D");
    const char *what = NULL;

    if (q->what == TW_REQUEST_CANCEL) return TW_OK;
    if (!d) what = "orders";
    else if (!has_quantity(o, q->quantity)) what = "fractions of a quantity";
    else if (q->what != TW_REQUEST_NEW) return TW_OK;
    else if (q->reduce_only) what = "reduce-only orders";
    else if (q->group) what = "one-cancels-other orders";
    else if (q->trail_part) what = "trailing stops in percent";
    else if (q->post_only && (!has(d, 18) || !takes(o, 18, '6')))
        what = "post-only orders";
    else if (q->type == TW_TYPE_TRAILING_STOP ? !has_trailing(o)
                                              : !takes(o, 40, (char)q->type))
        what = tw_order_type_text((enum tw_order_type)q->type);
    else if (is_at_close(q->tif) ? !has_close(o, q) : !takes(o, 59, (char)q->tif))
        what = tw_time_in_force_text((enum tw_time_in_force)q->tif);
    if (!what) return TW_OK;
    return tw_fail(error, TW_EUSAGE, "%s has no %s",
                   tw_fix_begin_string(o->version), what);
}

/* ---- writing ---- */

static int precision(const struct tw_fix_orders *o)
{
    if (o->version < TW_FIX_42) return TW_FIX_S;
    return o->o.precision ? o->o.precision : TW_FIX_MS;
}

static void put_id(struct tw_fix_output *out, int32_t tag, const struct entry *e,
                   unsigned nth)
{
    char text[ID_MAX];

    tw_fix_put_text(out, tag, text, tw_fix_orders_id(e->id_form, e->id, nth, text));
}

/* What the venue has taken, or will have when it gets this: its ClOrdID goes on. */
static unsigned before(const struct ask *a)
{
    const struct ask *was = tw_fix_orders_changed(a);
    unsigned nth = a->entry->accepted;

    return was && was->nth > nth ? was->nth : nth;
}

/* What is said of a symbol; of one that is not in the list, what is of all. */
static struct tw_fix_instrument instrument_of(const struct tw_fix_orders *o,
                                              uint32_t symbol)
{
    const struct tw_fix_instrument *found = tw_fix_instruments_of(o->instruments, symbol);

    return found ? *found : (struct tw_fix_instrument){
        .symbol = symbol, .name = tw_symbols_name(o->o.symbols, symbol),
        .fields = o->o.fields, .fields_n = o->o.fields_n };
}

static void put_symbol(const struct tw_fix_orders *o, struct tw_fix_output *out,
                       const char *name, size_t n)
{
    tw_fix_put_text(out, o->o.id_source ? 48 : 55, name, n);
    if (o->o.id_source) tw_fix_put_char(out, 22, o->o.id_source);
}

static void put_instrument(const struct tw_fix_orders *o, struct tw_fix_output *out,
                           const struct entry *e, const struct tw_fix_instrument *is)
{
    put_symbol(o, out, is->name, strlen(is->name));
    tw_fix_put_char(out, 54, (char)('0' + e->side));
}

static void put_time(const struct tw_fix_orders *o, struct tw_fix_output *out,
                     const struct tw_fix_type *t, int64_t now_ns)
{
    if (has(t, 60)) tw_fix_put_time(out, 60, now_ns, (enum tw_fix_precision)precision(o));
}

/* What the fields of its orders say of a tag, or NULL. */
static const char *given(const struct tw_fix_instrument *is, int32_t tag)
{
    for (size_t i = 0; i < is->fields_n; i++)
        if (is->fields[i].tag == tag) return is->fields[i].value;
    return NULL;
}

static char *add_word(char *at, const char *given, char word)
{
    if (given && strchr(given, word)) return at;
    *at++ = ' ';
    *at++ = word;
    return at;
}

/* ExecInst 18: words of one byte, those that are given first. */
static void put_instructions(const struct tw_fix_orders *o, struct tw_fix_output *out,
                             const struct tw_fix_type *t, const struct entry *e,
                             const struct tw_fix_instrument *is)
{
    const char *all = given(is, 18);
    char text[72], *p = text;

    if (all) p += snprintf(text, 64, " %s", all);
    if (all && p > text + 63) p = text + 63;
    if (has(t, 18)) {
        if (e->post_only) p = add_word(p, all, '6');
        if (e->type == TW_TYPE_TRAILING_STOP && !has(t, 1094)) p = add_word(p, all, 'a');
        if (o->o.cancel_on_disconnect && takes(o, 18, 'o')) p = add_word(p, all, 'o');
    }
    if (p > text) tw_fix_put_text(out, 18, text + 1, (size_t)(p - text) - 1);
}

static void put_terms(const struct tw_fix_orders *o, struct tw_fix_output *out,
                      const struct tw_fix_type *t, const struct ask *a)
{
    const struct entry *e = a->entry;
    bool is_new = a->what == ASK_NEW;
    int64_t price = is_new ? e->price : a->price, stop = is_new ? e->stop : a->stop;

    tw_fix_put_fixed(out, 38, is_new ? e->quantity : a->quantity);
    tw_fix_put_char(out, 40, type_char(o, e));
    if (price) tw_fix_put_fixed(out, 44, price);
    if (stop) tw_fix_put_fixed(out, 99, stop);
    if (!is_at_close(e->tif) || takes(o, 59, TW_TIF_CLS))
        tw_fix_put_char(out, 59, (char)e->tif);
    if (e->expire_ns)
        tw_fix_put_time(out, 126, e->expire_ns, (enum tw_fix_precision)precision(o));
    if (e->trail) tw_fix_put_fixed(out, 211, e->trail);
    if (e->trail && has(t, 1094)) tw_fix_put_char(out, 1094, '8');
}

static bool is_of_header(const struct tw_fix_orders *o, int32_t tag)
{
    return tw_fix_member(tw_fix_dictionary_header(o->o.dictionary), (uint32_t)tag);
}

/* Those of the header stand first: the session takes them from there. */
static void put_header(const struct tw_fix_orders *o, struct tw_fix_output *out,
                       const struct tw_fix_extra *fields, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_of_header(o, fields[i].tag)) tw_fix_put_given(out, &fields[i]);
}

static void put_more(const struct tw_fix_orders *o, struct tw_fix_output *out,
                     const struct tw_fix_type *t, const struct tw_fix_extra *fields,
                     size_t n, bool all)
{
    for (size_t i = 0; i < n; i++) {
        int32_t tag = fields[i].tag;

        if ((all ? tag != 18 : has(t, (uint32_t)tag)) && !is_of_header(o, tag))
            tw_fix_put_given(out, &fields[i]);
    }
}

static void put_account(const struct tw_fix_orders *o, struct tw_fix_output *out,
                        const struct tw_fix_type *t, const struct entry *e)
{
    const char *account = tw_fix_orders_account_of(o, e);

    if (account && has(t, 1)) tw_fix_put_text(out, 1, account, strlen(account));
}

/* What D, F and G begin with. */
static void put_head(const struct tw_fix_orders *o, struct tw_fix_output *out,
                     const struct tw_fix_type *t, const struct ask *a,
                     const struct tw_fix_instrument *is)
{
    const struct entry *e = a->entry;

    put_header(o, out, is->fields, is->fields_n);
    if (a->what != ASK_NEW) {
        put_id(out, 41, e, before(a));
        if (e->order_id && has(t, 37)) tw_fix_put_text(out, 37, e->order_id,
                                                       e->order_id_n);
    }
    put_id(out, 11, e, a->nth);
    put_account(o, out, t, e);
    if (requires(t, 21) && !given(is, 21)) tw_fix_put_char(out, 21, '1');
}

static void put_order(const struct tw_fix_orders *o, struct tw_fix_output *out,
                      const struct tw_fix_type *t, const struct ask *a, int64_t now_ns)
{
    const struct entry *e = a->entry;
    struct tw_fix_instrument is = instrument_of(o, e->symbol);

    put_head(o, out, t, a, &is);
    put_instructions(o, out, t, e, &is);
    put_instrument(o, out, e, &is);
    put_time(o, out, t, now_ns);
    put_terms(o, out, t, a);
    put_more(o, out, t, is.fields, is.fields_n, true);
}

static void put_cancel(const struct tw_fix_orders *o, struct tw_fix_output *out,
                       const struct tw_fix_type *t, const struct ask *a, int64_t now_ns)
{
    struct tw_fix_instrument is = instrument_of(o, a->entry->symbol);

    put_head(o, out, t, a, &is);
    put_instrument(o, out, a->entry, &is);
    put_time(o, out, t, now_ns);
    if (has(t, 38)) tw_fix_put_fixed(out, 38, a->entry->quantity);
    if (requires(t, 125) && !given(&is, 125))
        tw_fix_put_char(out, 125, 'F');       /* CxlType: all of it */
    put_more(o, out, t, is.fields, is.fields_n, false);
}

static void put_status(const struct tw_fix_orders *o, struct tw_fix_output *out,
                       const struct tw_fix_type *t, const struct ask *a)
{
    const struct entry *e = a->entry;
    struct tw_fix_instrument is = instrument_of(o, e->symbol);

    put_header(o, out, is.fields, is.fields_n);
    if (e->order_id && has(t, 37)) tw_fix_put_text(out, 37, e->order_id, e->order_id_n);
    put_id(out, 11, e, tw_fix_orders_status_by(a));
    put_account(o, out, t, e);
    put_instrument(o, out, e, &is);
    put_more(o, out, t, is.fields, is.own_n, false);
}

static void put_mass(const struct tw_fix_orders *o, struct tw_fix_output *out,
                     int64_t now_ns)
{
    put_header(o, out, o->o.fields, o->o.fields_n);
    tw_fix_put_integer(out, 584, now_ns);
    tw_fix_put_char(out, 585, '7');           /* of all orders */
}

bool tw_fix_orders_write(struct tw_fix_orders *o, const struct ask *a, int64_t now_ns,
                  struct tw_fix_outgoing *out)
{
    static const char *const codes[] = {
        [ASK_NEW] = "D", [ASK_CANCEL] = "F", [ASK_REPLACE] = "G", [ASK_GROW] = "G",
        [ASK_STATUS] = "H", [ASK_MASS] = "AF", [ASK_STRAY] = "F",
    };
    struct tw_fix_output w = { .start = o->body, .body = o->body, .at = o->body,
                               .end = o->body + sizeof o->body };
    const struct tw_fix_type *t = type_of(o, codes[a->what]);

    if (!t) return false;
    switch (a->what) {
    case ASK_NEW: case ASK_REPLACE: case ASK_GROW:
        put_order(o, &w, t, a, now_ns);
        break;
    case ASK_CANCEL: put_cancel(o, &w, t, a, now_ns); break;
    case ASK_STATUS: put_status(o, &w, t, a);         break;
    case ASK_MASS:   put_mass(o, &w, now_ns);         break;
    case ASK_STRAY:
        *out = (struct tw_fix_outgoing){ codes[ASK_STRAY], a->body, strlen(a->body) };
        return true;
    }
    *out = (struct tw_fix_outgoing){ codes[a->what], o->body, (size_t)(w.at - w.start) };
    return w.error == 0;
}

void tw_fix_orders_cancel_stray(struct tw_fix_orders *o, const struct seen *s)
{
    const struct tw_fix_type *t = tw_fix_dictionary_type(o->o.dictionary, "F", 1);
    struct ask *a = t && s->id.at ? tw_fix_orders_ask(o, NULL, ASK_STRAY) : NULL;
    struct tw_fix_output w;
    char text[64];
    size_t n;

    if (!a) return;
    a->body = tw_calloc(1, BODY_MAX);
    if (!a->body) {
        tw_fix_orders_forget(o, a);
        return;
    }
    w = (struct tw_fix_output){ .start = a->body, .body = a->body, .at = a->body,
                                .end = a->body + BODY_MAX - 1 };
    put_header(o, &w, o->o.fields, o->o.fields_n);
    tw_fix_put_text(&w, 41, s->id.at, s->id.n);
    if (s->order_id.at) tw_fix_put_text(&w, 37, s->order_id.at, s->order_id.n);
    o->cancels++;
    n = o->o.id_form
      ? tw_fix_orders_id(o->o.id_form, (uint64_t)o->now_ns, (unsigned)o->cancels, text)
      : (size_t)snprintf(text, sizeof text, "x%llx.%llu", (unsigned long long)o->now_ns,
                         (unsigned long long)o->cancels);
    tw_fix_put_text(&w, 11, text, n);
    if (s->account.at && has(t, 1)) tw_fix_put_text(&w, 1, s->account.at, s->account.n);
    if (s->symbol.at) put_symbol(o, &w, s->symbol.at, s->symbol.n);
    tw_fix_put_identity(&w, &t->body, s->message);
    tw_fix_put_char(&w, 54, s->side);
    if (tw_fix_member(&t->body, 60))
        tw_fix_put_time(&w, 60, o->now_ns,
                        o->version < TW_FIX_42 ? TW_FIX_S : TW_FIX_MS);
    if (s->quantity.is) tw_fix_put_fixed(&w, 38, s->quantity.v);
    if (tw_fix_member(&t->body, 125)) tw_fix_put_char(&w, 125, 'F');
    *w.at = '\0';
    if (w.error) tw_fix_orders_forget(o, a);
}

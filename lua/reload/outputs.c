/* outputs.c - what a script sends: each sender asks here whether it may go out.
 *
 * Why: a version of a script may be in charge, a shadow that is only compared, or one
 * that may still be refused.  Its outputs go out, are kept here to be compared, or wait;
 * the senders need not know.
 *
 * Layer lua.
 */
#include "reload/outputs.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "fix/lfix_session.h"
#include "share/lview.h"
#include "run/script.h"

enum { OUTPUTS_MAX = 4096, SHOWN = 8, SHOWN_BYTES = 200 };

static void let_go(struct ltw_output *o)
{
    if (o->channel) tw_object_unref(tw_channel_object(o->channel));
    tw_any_unref(&o->key);
    tw_any_unref(&o->value);
}

static struct ltw_output *at(const struct ltw_outputs *o, unsigned i)
{
    return &o->all[o->first + i];
}

static void pop(struct ltw_outputs *o, unsigned n)
{
    for (unsigned i = 0; i < n; i++) let_go(at(o, i));
    o->first += n;
    o->n -= n;
    if (o->n == 0) o->first = 0;
}

void ltw_outputs_clear(struct ltw_outputs *o)
{
    pop(o, o->n);
    tw_free(o->all);
    *o = (struct ltw_outputs){ .way = o->way };
}

/* Room for one more; the oldest record's give way. */
static bool reserve(struct ltw_outputs *o)
{
    struct ltw_output *grown;

    if (o->n == OUTPUTS_MAX) {
        o->lost = at(o, 0)->seq;
        while (o->n > 0 && at(o, 0)->seq == o->lost) pop(o, 1);
    }
    if (o->first + o->n < o->room) return true;
    if (o->first > 0) {
        memmove(o->all, o->all + o->first, o->n * sizeof *o->all);
        o->first = 0;
        return true;
    }
    grown = tw_grow(o->all, &o->room, o->n + 1, sizeof *grown);
    if (!grown) return false;
    o->all = grown;
    return true;
}

static bool add(struct ltw_outputs *o, const struct ltw_output *from)
{
    struct ltw_output *to;

    if (!reserve(o)) {
        o->lost = from->seq;
        return false;
    }
    to = at(o, o->n++);
    *to = *from;
    if (to->channel) tw_object_ref(tw_channel_object(to->channel));
    tw_any_ref(&to->key);
    tw_any_ref(&to->value);
    return true;
}

bool ltw_output(lua_State *L, enum ltw_output_kind kind, const char *name,
                struct tw_channel *channel, const struct tw_any *key,
                const struct tw_any *value)
{
    struct ltw_state *state = ltw_state(L);
    struct ltw_script *s = state->script;
    struct ltw_outputs *o = s ? ltw_script_outputs(s) : NULL;
    struct ltw_output one = { .kind = kind, .channel = channel, .value = *value };

    if (state->muted) return false;
    if (!o) return !s || !ltw_script_is_muted(s);
    if (o->way != LTW_OUTPUTS_HELD && !ltw_script_is_handling(s))
        return o->way == LTW_OUTPUTS_GO;
    one.seq = state->record ? state->record->seq : 0;
    if (key) one.key = *key;
    snprintf(one.name, sizeof one.name, "%s", name);
    if (!add(o, &one) && o->way == LTW_OUTPUTS_HELD) luaL_error(L, "not enough memory");
    return o->way == LTW_OUTPUTS_GO;
}

bool ltw_outputs_are_compared(lua_State *L)
{
    const struct ltw_script *s = ltw_state(L)->script;
    const struct ltw_outputs *o = s ? ltw_script_outputs(s) : NULL;

    return o && o->way != LTW_OUTPUTS_HELD && ltw_script_is_handling(s);
}

/* ---- sending what was held ---- */

static int send_message(struct ltw_output *o, struct ltw_host *host, uint32_t script)
{
    struct tw_record r = { .kind = TW_MESSAGE, .time = tw_clock_now_ns() };
    int64_t topic = tw_names_intern(host->topics, o->name, strlen(o->name));
    int rc;

    if (topic < 0) return (int)topic;
    r.received = r.time;
    r.message.topic = (uint32_t)topic;
    r.message.script = script;
    r.message.value_kind = o->value.kind;
    r.message.value.integer = o->value.integer;
    rc = tw_tape_try_append(host->tape, &r, 1);
    tw_tape_wake(host->tape);
    return rc;
}

static int send_board(struct ltw_output *o, struct ltw_host *host)
{
    struct tw_board_value v = { .kind = (uint8_t)o->value.kind,
                                .integer = o->value.integer };
    int64_t slot = tw_board_slot(host->board, o->name, strlen(o->name));

    if (slot < 0) return (int)slot;
    if (o->value.kind == TW_VALUE_BLOCK) v.block = o->value.block;
    tw_board_set(host->board, (uint32_t)slot, &v);
    return TW_OK;
}

/* Its value stays here. */
static int send_by_session(struct ltw_output *o, struct ltw_host *host)
{
    ltw_fix_send_frozen(host, o->name, &o->value);
    return TW_EEMPTY;
}

bool ltw_outputs_send(struct ltw_outputs *o, struct ltw_host *host, uint32_t script)
{
    while (o->n > 0) {
        struct ltw_output *one = at(o, 0);
        int rc = one->kind == LTW_FIX
               ? send_by_session(one, host)
               : one->kind == LTW_MESSAGE ? send_message(one, host, script)
               : one->kind == LTW_BOARD ? send_board(one, host)
               : tw_channel_try_send(one->channel, &one->key, one->value);

        if (rc == TW_EFULL && (one->kind == LTW_MESSAGE
                || tw_channel_when_full(one->channel) == TW_WHEN_FULL_WAIT))
            return false;
        if (rc == TW_OK) one->value.kind = TW_VALUE_NIL;   /* it is theirs now */
        pop(o, 1);
    }
    return true;
}

/* ---- comparing ---- */

static bool equal(const struct ltw_output *a, const struct ltw_output *b)
{
    return a->kind == b->kind && strcmp(a->name, b->name) == 0
        && a->channel == b->channel && tw_any_equal(&a->key, &b->key)
        && tw_any_equal(&a->value, &b->value);
}

/* Those of that record, which is the first in the queue or not there. */
static unsigned count_of(const struct ltw_outputs *o, uint64_t seq)
{
    unsigned n = 0;

    while (n < o->n && at(o, n)->seq == seq) n++;
    return n;
}

void ltw_outputs_compare(struct ltw_outputs *a, struct ltw_outputs *b, uint64_t till,
                         void (*differs)(void *ctx, const struct ltw_difference *d),
                         void *ctx)
{
    uint64_t lost = a->lost > b->lost ? a->lost : b->lost;

    while (a->n > 0 || b->n > 0) {
        uint64_t of_a = a->n > 0 ? at(a, 0)->seq : UINT64_MAX;
        uint64_t of_b = b->n > 0 ? at(b, 0)->seq : UINT64_MAX;
        uint64_t seq = of_a < of_b ? of_a : of_b;
        unsigned n_a = count_of(a, seq), n_b = count_of(b, seq), i = 0;
        struct ltw_difference d = {
            seq, n_a ? at(a, 0) : NULL, n_b ? at(b, 0) : NULL, n_a, n_b,
        };

        if (seq >= till) return;
        while (i < n_a && i < n_b && equal(&d.a[i], &d.b[i])) i++;
        if (seq > lost && (i < n_a || i < n_b)) differs(ctx, &d);
        pop(a, n_a);
        pop(b, n_b);
    }
}

void ltw_push_outputs(lua_State *L, const struct ltw_output *o, unsigned n)
{
    static const char *const kinds[] = { "publish ", "board ", "send to ", "",
                                         "send by " };
    luaL_Buffer out;

    if (n == 0) {
        lua_pushliteral(L, "nothing");
        return;
    }
    luaL_buffinit(L, &out);
    for (unsigned i = 0; i < n && i < SHOWN; i++) {
        const char *name = o[i].name, *text;
        size_t length;

        if (o[i].channel)
            name = tw_channel_name(o[i].channel) ? tw_channel_name(o[i].channel)
                                                 : "a channel";
        if (i > 0) luaL_addstring(&out, "; ");
        luaL_addstring(&out, kinds[o[i].kind]);
        luaL_addstring(&out, name);
        luaL_addstring(&out, o[i].kind == LTW_ORDER ? " " : " = ");
        ltw_push_any(L, &o[i].value);
        text = luaL_tolstring(L, -1, &length);
        lua_remove(L, -2);
        if (length > SHOWN_BYTES) {
            lua_pushlstring(L, text, SHOWN_BYTES);
            lua_pushliteral(L, "...");
            lua_concat(L, 2);
            lua_remove(L, -2);
        }
        luaL_addvalue(&out);
    }
    if (n > SHOWN) luaL_addstring(&out, "; ...");
    luaL_pushresult(&out);
}

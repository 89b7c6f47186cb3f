/* fix_missed.c - messages of a FIX session that nobody is there for, or that are refused.
 *
 * Why once for each type: what a session does not take is the peer's mistake or ours, and
 * whoever runs it should learn of that at the first one; all later ones are counted.
 *
 * Layer host/run.  Thread: FEED, but for tw_fix_engine_rehear.
 */
#include <stdio.h>
#include <string.h>

#include "run/fix_parts.h"

/* "35=BE (UserRequest)" */
static const char *name_of(const struct tw_fix_message *m, char out[100])
{
    struct tw_fix_text code = tw_fix_message_code(m);
    char shown[40];

    tw_fix_show(code.at, code.n, shown, sizeof shown);
    if (m->type) snprintf(out, 100, "35=%s (%.40s)", shown, m->type->name);
    else snprintf(out, 100, "35=%s", shown);
    return out;
}

/* One more of its type; true: the first one.  Beyond the types that are told apart only
 * the sum goes on. */
static bool count(struct tw_fix_link *l, struct tw_fix_text code, bool answered)
{
    struct tw_fix_link_status *s = &l->status;
    bool first = false;
    unsigned i = 0;

    if (code.n >= sizeof s->missed->code) code.n = sizeof s->missed->code - 1;
    while (i < s->missed_n
           && (s->missed[i].answered != answered || s->missed[i].code[code.n] != 0
               || memcmp(s->missed[i].code, code.at, code.n) != 0))
        i++;
    pthread_mutex_lock(&l->lock);
    *(answered ? &s->untaken : &s->unheard) += 1;
    if (i == s->missed_n && i < TW_FIX_MISSED_MAX) {
        s->missed[i] = (struct tw_fix_missed){ .answered = answered };
        memcpy(s->missed[i].code, code.at, code.n);
        s->missed_n++;
        first = true;
    }
    if (i < s->missed_n) s->missed[i].n++;
    pthread_mutex_unlock(&l->lock);
    return first;
}

/* Does any reader of the tape want the session's messages? */
static bool is_heard(struct tw_fix_link *l)
{
    /* order [fix.readers] acquire: who was counted is known to o.heard */
    unsigned now = atomic_load_explicit(&l->e->readers, memory_order_acquire);

    if (now != l->readers) {
        l->heard = l->e->o.heard(l->e->o.heard_ctx, l->o.name);
        l->readers = now;
    }
    return l->heard;
}

void tw_fix_engine_rehear(struct tw_fix_engine *e)
{
    /* order [fix.readers] release: o.heard knows who has come or gone */
    atomic_fetch_add_explicit(&e->readers, 1, memory_order_release);
}

void tw_fix_link_noted(struct tw_fix_link *l, const struct tw_fix_message *m,
                       enum tw_fix_answer answer, bool own)
{
    struct tw_fix_text code = tw_fix_message_code(m);
    bool knows = l->e->o.heard != NULL;
    struct tw_log *log = l->e->o.log;
    char name[100];

    if (answer == TW_FIX_UNSUPPORTED) {
        if (count(l, code, true))
            tw_log_printf(log, TW_LOG_WARN, l->who, "%s is not taken here%s; later ones"
                          " are counted", name_of(m, name), tw_fix_is(code, "j") ? ""
                          : ", and answered as unsupported");
    } else if (answer == TW_FIX_TAKEN && !own && knows && !is_heard(l)) {
        if (count(l, code, false))
            tw_log_printf(log, TW_LOG_WARN, l->who, "%s passes all scripts by: none has"
                          " an on_fix that takes this session; later ones are counted",
                          name_of(m, name));
    } else if (answer == TW_FIX_TAKEN && own && !l->o.tape && knows && !l->told_deaf
               && is_heard(l)) {
        l->told_deaf = true;
        tw_log_printf(log, TW_LOG_WARN, l->who, "%s, and what else its feed, gateway,"
                      " market or orders take, does not come to on_fix: its session's"
                      " option `take` says what does",
                      name_of(m, name));
    }
}

void tw_fix_link_advise(struct tw_fix_link *l, const struct tw_fix_event *e)
{
    bool ours = e->kind == TW_FIX_REFUSED ? strstr(e->text, " tag ") != NULL
              : e->kind == TW_FIX_NOT_LOGGED_ON
                && strncmp(e->text, "Logon: ", 7) == 0 && strchr(e->text, '(');

    if (!ours || l->told_rules || strstr(e->text, "problem")) return;
    l->told_rules = true;
    tw_log_printf(l->e->o.log, TW_LOG_INFO, l->who, "a peer's own fields and values go"
                  " into the session's `dictionary`, or `validate` lets them pass: see"
                  " tidewire help tw.app.fix");
}

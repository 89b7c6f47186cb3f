/* park.h - a thread that sleeps until one of its wakers is told. */
#ifndef PARK_H
#define PARK_H

#include <pthread.h>
#include <time.h>

#include "share/wait.h"

enum { PARK_PATIENCE_S = 60 };   /* a wake-up that takes longer is lost */

struct park {
    struct tw_mailbox box;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool rung;                   /* mutex: under lock */
    unsigned rings;              /* mutex: under lock */
};

static void park_ring(void *ctx)
{
    struct park *p = ctx;

    pthread_mutex_lock(&p->lock);
    p->rung = true;
    p->rings++;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static void park_open(struct park *p)
{
    tw_mailbox_init(&p->box, park_ring, p);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->rung = false;
    p->rings = 0;
}

static void park_close(struct park *p)
{
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
}

/* All that were told, at least one; NULL when our patience ended. */
static struct tw_waker *park_take(struct park *p)
{
    struct timespec until;
    struct tw_waker *told;
    int rc = 0;

    while (!(told = tw_mailbox_take(&p->box)) && rc == 0) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += PARK_PATIENCE_S;
        pthread_mutex_lock(&p->lock);
        while (!p->rung && rc == 0)
            rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
        p->rung = false;
        pthread_mutex_unlock(&p->lock);
    }
    return told;
}

/* Sleeps until a waker was told, and hears all that were. */
static inline bool park_await(struct park *p)
{
    struct tw_waker *told = park_take(p);

    if (!told) return false;
    while (told) told = tw_waker_heard(told);
    return true;
}

/* Hears what was told before a waker is given up; true if any was. */
static inline bool park_settle(struct park *p)
{
    struct tw_waker *told = tw_mailbox_take(&p->box);
    bool any = told != NULL;

    while (told) told = tw_waker_heard(told);
    return any;
}

#endif

/* attached.h - the parts of who is attached to a run: connections, requests, and what
 * stdlib/attach.lua is given.
 *
 * Layer lua.  Thread: MAIN, but for what says otherwise.
 */
#ifndef LTW_ATTACHED_H
#define LTW_ATTACHED_H

#include "run/app.h"
#include "attach/endpoint.h"

struct ltw_client;
struct ltw_news;

struct ltw_attach {
    struct tw_app *app;               /* constant                            */
    struct ltw_endpoint endpoint;     /* constant                            */
    uv_poll_t listener;
    uv_async_t bell;                  /* any thread sends                    */
    int fd;
    unsigned handles;                 /* that are open or closing            */
    struct ltw_client *clients;
    unsigned n_clients;
    uint64_t ids;
    bool deaf;                        /* no descriptor for who would come    */
    struct ltw_evaluation *evaluations;
    bool going, stopping;
    pthread_mutex_t lock;
    struct ltw_news *first, **last;   /* mutex                               */
};

/* [-n, +0, -]  Calls tw.attach's function with the n values on top. */
void ltw_attach_call(struct ltw_attach *a, const char *function, int n);

/* ---- attach_client.c: the connections ---- */

/* Somebody may be there: everybody is let in, or told why not. */
void ltw_clients_accept(struct ltw_attach *a);

/* A frame to that one, if it is still there. */
void ltw_client_send(struct ltw_attach *a, uint64_t id, char type, const char *text,
                     size_t n);

/* From now on their lines are read. */
void ltw_clients_go(struct ltw_attach *a);

/* All are told why, and go when they have heard it; or go at once. */
void ltw_clients_dismiss(struct ltw_attach *a, const char *why);
void ltw_clients_drop(struct ltw_attach *a);

/* ---- attach_request.c: what workers and threads of the pool are asked ---- */

/* Asks the worker; beyond them, a thread of the pool.  0 or a negative code. */
int ltw_request_send(struct ltw_attach *a, struct ltw_evaluation *e, unsigned place);

/* Ends the waits of what was asked under that number, or (0) of all. */
void ltw_request_cancel(struct ltw_attach *a, uint64_t request);

/* Threads of the pool that were asked and compute look up. */
void ltw_request_remind(struct ltw_attach *a);

/* Tells tw.attach what has come. */
void ltw_request_hear(struct ltw_attach *a);

/* When workers and pool have gone. */
void ltw_request_forget_all(struct ltw_attach *a);

/* ---- attach_core.c ---- */

/* [-0, +1, m]  The functions for tw.attach. */
void ltw_attach_push_core(lua_State *L, struct ltw_attach *a);

#endif

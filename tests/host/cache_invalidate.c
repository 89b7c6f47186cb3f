/* cache_invalidate.c - by key, tag, prefix and all; what was loading comes back in
 * vain (C2, C5); and what the tape voids (W1, W2).
 */
#include <stdarg.h>

#include "cache_rig.h"
#include "tape/tape.h"

static void put_tagged(struct tw_cache *c, int64_t key, struct tw_any tags)
{
    struct tw_any k = number(key);

    tw_cache_put(c, &k, number(key), &(struct tw_cache_terms){ .tags = tags }, 0);
}

static void by_key(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .ttl_ns = 10 * SECOND,
                                                               .stale_ns = 9 * SECOND });
    struct tw_any k = number(1);
    struct tw_cache_answer a, b;

    set(c, 1, 1);
    ok(tw_cache_invalidate(c, &k) == 1 && tw_cache_invalidate(c, &k) == 0
       && stats(c)->invalidations == 1, "a key, once");
    a = get(c, 1);
    ok(tw_cache_invalidate(c, &k) == 0, "a load has no value yet");
    b = get(c, 1);
    ok(b.load && b.future != a.future, "a later get loads anew");
    load_end(a.load, 1);
    ok(answer_end(a) == 1, "who waited for the first gets what it brings");
    ok(peek(c, 1) == -1, "which is not kept");
    load_end(b.load, 2);
    ok(answer_end(b) == 2 && peek(c, 1) == 2, "the later one is");
    pass(11);
    a = get(c, 1);
    ok(a.load && answer_end(a) == 2, "a reload");
    tw_cache_invalidate(c, &k);
    load_end(a.load, 3);
    ok(peek(c, 1) == -1, "is in vain, too");
    a = get(c, 1);
    set(c, 1, 7);
    load_end(a.load, 8);
    ok(answer_end(a) == 8 && peek(c, 1) == 7 && stats(c)->entries == 1
       && tw_cache_remove(c, &k) && peek(c, 1) == -1,
       "a put is newer than the load under way, and the one entry (C1)");
    tw_cache_unref(c);
}

static void by_tag(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .shards = 4,
                                                               .capacity = 10000 });
    struct tw_any ab = list(2, "a", "b"), b = list(1, "b"), bb = list(3, "b", "b", "b");
    struct tw_any a = list(1, "a");
    struct tw_any one = number(1), k = number(9);
    struct tw_cache_answer x, y;
    int right = 0;

    for (int i = 0; i < 300; i++) put_tagged(c, i, i % 3 == 0 ? ab : i % 3 == 1 ? b : bb);
    ok(tw_cache_invalidate_tag(c, "c", 1) == 0, "a tag that nothing has");
    ok(tw_cache_invalidate_tag(c, "a", 1) == 100 && stats(c)->entries == 200,
       "a tag that a third has");
    for (int i = 0; i < 300; i++) right += peek(c, i) == (i % 3 ? i : -1);
    ok(right == 300, "and those alone");
    ok(tw_cache_invalidate_tag(c, "b", 1) == 200 && stats(c)->entries == 0, "the rest");
    x = get(c, 1);
    y = get(c, 2);
    tw_cache_invalidate_tag(c, "b", 1);
    load_with(x.load, 1, (struct tw_cache_terms){ .tags = ab });
    load_with(y.load, 2, (struct tw_cache_terms){ .tags = a });
    ok(answer_end(x) == 1 && peek(c, 1) == -1,
       "a tag that only the result names, invalidated meanwhile");
    ok(answer_end(y) == 2 && peek(c, 2) == 2, "another tag was not");
    x = get(c, 1);
    load_with(x.load, 1, (struct tw_cache_terms){ .tags = ab });
    ok(answer_end(x) == 1 && peek(c, 1) == 1, "a load that began later is kept");
    x = get(c, 3);
    tw_load_done(x.load, number(1), &(struct tw_cache_terms){ .tags = one });
    tw_load_unref(x.load);
    ok(answer_end(x) == -2 && peek(c, 3) == -1, "tags that are no list fail the load");
    ok(tw_cache_put(c, &k, text("v"), &(struct tw_cache_terms){ .tags = one }, 0)
       == TW_EUSAGE, "or the put");
    tw_any_unref(&a);
    tw_any_unref(&ab);
    tw_any_unref(&b);
    tw_any_unref(&bb);
    tw_cache_unref(c);
}

static void by_prefix(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_any key[] = { text("user:1"), text("user:2"), text("users"), text("use"),
                            list(2, "eu", "1"), list(2, "eu", "2"), list(1, "eu"),
                            list(2, "us", "1"), number(5) };
    enum { N = sizeof key / sizeof *key };
    struct tw_any p = text("user:"), eu = list(1, "eu"), all = list(0), five = number(5);

    for (int i = 0; i < N; i++) tw_cache_put(c, &key[i], number(i), NULL, 0);
    ok(tw_cache_invalidate_prefix(c, &p) == 2, "of strings");
    ok(tw_cache_invalidate_prefix(c, &eu) == 3, "of lists");
    ok(tw_cache_invalidate_prefix(c, &all) == 1, "every list begins with none");
    ok(tw_cache_invalidate_prefix(c, &five) == TW_EUSAGE, "a number begins nothing");
    ok(stats(c)->entries == 3 && tw_cache_invalidate_all(c) == 3
       && stats(c)->entries == 0, "everything");
    for (int i = 0; i < 5000; i++) set(c, i, i);
    ok(tw_cache_invalidate_all(c) == 5000, "also of many");
    for (int i = 0; i < N; i++) tw_any_unref(&key[i]);
    tw_any_unref(&p);
    tw_any_unref(&eu);
    tw_any_unref(&all);
    tw_cache_unref(c);
}

static void listeners(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .ttl_ns = 10 * SECOND, .idle_ns = 8 * SECOND, .capacity = 2, .shards = 1 });
    struct tw_channel *to = tw_channel_new(16, TW_WHEN_FULL_DROP_OLDEST, NULL);
    static const char *const expected[] = {
        "replaced", "removed", "invalidated", "evicted", "idle", "expired", "failed" };
    struct tw_any k = number(1), event;
    struct tw_cache_answer a;
    int right = 0;

    tw_cache_on_removal(c, to);
    set(c, 1, 1);
    set(c, 1, 2);
    tw_cache_remove(c, &k);
    set(c, 1, 3);
    tw_cache_invalidate(c, &k);
    set(c, 1, 4);
    set(c, 2, 5);
    set(c, 3, 6);
    tw_cache_invalidate_all(c);
    for (struct tw_any v; tw_channel_try_recv(to, &v) == 0; tw_any_unref(&v)) {
        struct tw_item reason = tw_table_find(tw_any_root(&v).table, (struct tw_item){
            .kind = TW_VALUE_STRING, .text = "reason", .length = 6 });

        if (right < 4) right += strcmp(reason.text, expected[right]) == 0;
    }
    ok(right == 4, "replaced, removed, invalidated, evicted");
    set(c, 1, 7);
    pass(8);
    now_at(c, 1);
    set(c, 1, 8);
    pass(5);
    now_at(c, 1);
    pass(5);
    a = get(c, 1);
    load_failed(a.load);
    answer_end(a);
    right = 4;
    while (tw_channel_try_recv(to, &event) == 0) {
        const struct tw_table *t = tw_any_root(&event).table;
        struct tw_item reason = tw_table_find(t, (struct tw_item){
            .kind = TW_VALUE_STRING, .text = "reason", .length = 6 });
        struct tw_item value = tw_table_find(t, (struct tw_item){
            .kind = TW_VALUE_STRING, .text = "value", .length = 5 });

        if (strcmp(reason.text, "failed") == 0 && value.kind != TW_VALUE_NIL) right = 0;
        if (right < 7 && strcmp(reason.text, expected[right]) == 0) right++;
        tw_any_unref(&event);
    }
    ok(right == 7, "idle, expired, failed (%d)", right);
    tw_cache_on_removal(c, NULL);
    set(c, 1, 1);
    set(c, 1, 2);
    ok(tw_channel_try_recv(to, &event) == TW_EEMPTY, "no more");
    tw_channel_unref(to);
    tw_cache_unref(c);
}

static void append(struct tw_tape *tape, enum tw_kind kind, uint32_t id)
{
    struct tw_record r = { .kind = kind };

    if (kind == TW_MESSAGE) r.message.topic = id;
    else r.symbol = id & TW_SYMBOL_MAX;
    if (tw_tape_try_append(tape, &r, 1) < 0) abort();
}

static void put_depends(struct tw_cache *c, int64_t key, uint32_t id)
{
    struct tw_any k = number(key);

    tw_cache_put(c, &k, number(key),
                 &(struct tw_cache_terms){ .depends = &id, .n_depends = 1 }, 0);
}

static void by_tape(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ .records = 100 });
    struct tw_tape *tape = tw_tape_new(1024);
    uint32_t seven = 7, topic = 7 | TW_CACHE_TOPIC;
    struct tw_cache_call call = { .depends = &seven, .n_depends = 1 };
    struct tw_any k = number(1);
    struct tw_cache_answer a, b;

    append(tape, TW_QUOTE, 7);
    tw_cache_watch(c, tape);
    put_depends(c, 1, 7);
    put_depends(c, 2, topic);
    set(c, 3, 3);
    append(tape, TW_QUOTE, 8);
    append(tape, TW_ORDER, 7);
    append(tape, TW_MESSAGE, 8);
    ok(peek(c, 1) == 1 && peek(c, 2) == 2 && now_at(c, 1) == 1, "others change nothing");
    append(tape, TW_QUOTE, 7);
    ok(peek(c, 1) == -1 && now_at(c, 1) == -1,
       "a quote voids what depends on its symbol");
    ok(peek(c, 2) == 2 && peek(c, 3) == 3, "and nothing else");
    append(tape, TW_MESSAGE, 7);
    ok(now_at(c, 2) == -1, "a message, what depends on its topic");
    a = get(c, 1);
    append(tape, TW_TRADE, 7);
    load_with(a.load, 1, (struct tw_cache_terms){ .depends = &seven, .n_depends = 1 });
    ok(answer_end(a) == 1 && peek(c, 1) == -1,
       "a trade during the load, which says at its end what it depended on");
    a = get_any(c, &k, &call);
    b = get_any(c, &k, &call);
    ok(a.load && !b.load, "a load that says so before");
    answer_end(b);
    append(tape, TW_TRADE, 7);
    b = get_any(c, &k, &call);
    ok(b.load, "is not joined after a trade");
    load_end(a.load, 1);
    load_end(b.load, 2);
    ok(answer_end(a) == 1 && answer_end(b) == 2 && peek(c, 1) == 2,
       "the later one counts");
    append(tape, TW_TRADE, 7);
    ok(now_at(c, 1) == -1, "until the next");

    set(c, 4, 4);
    for (int i = 0; i < 100; i++) append(tape, TW_QUOTE, 1);
    ok(now_at(c, 4) == 4, "a hundred records behind");
    append(tape, TW_QUOTE, 1);
    ok(now_at(c, 4) == -1, "is one too few");
    tw_cache_unref(c);

    c = cache_open((struct tw_cache_options){ 0 });
    tw_cache_watch(c, tape);
    put_depends(c, 1, 7);
    set(c, 2, 2);
    for (int i = 0; i < 3000; i++) append(tape, TW_QUOTE, 1);
    ok(now_at(c, 1) == -1 && now_at(c, 2) == 2,
       "lapped: what depends on anything is void");
    put_depends(c, 1, 7);
    ok(!tw_cache_advance(c) && peek(c, 1) == 1, "what came later is not");
    append(tape, TW_QUOTE, 7);
    tw_cache_advance(c);
    ok(stats(c)->entries == 1, "idle work takes out what is void");
    tw_cache_unref(c);
    tw_tape_free(tape);
}

static void far_behind(void)
{
    struct tw_cache *c = cache_open((struct tw_cache_options){ 0 });
    struct tw_tape *tape = tw_tape_new(4 * TW_CACHE_ADVANCE);

    tw_cache_watch(c, tape);
    put_depends(c, 1, 7);
    for (int i = 0; i < TW_CACHE_ADVANCE; i++) append(tape, TW_QUOTE, 1);
    ok(peek(c, 1) == 1, "as far behind as a get will read");
    for (int i = 0; i <= TW_CACHE_ADVANCE; i++) append(tape, TW_QUOTE, 1);
    ok(peek(c, 1) == -1, "one more record, and it is void");
    put_depends(c, 1, 7);
    for (int i = 0; i <= TW_CACHE_ADVANCE; i++) append(tape, TW_QUOTE, 1);
    ok(tw_cache_advance(c) && !tw_cache_advance(c) && peek(c, 1) == 1,
       "idle work reads on, whatever there is");
    tw_cache_unref(c);
    tw_tape_free(tape);
}

static void pages(void)
{
    enum { N = 3000 };
    struct tw_cache *c = cache_open((struct tw_cache_options){
        .shards = 4, .ttl_ns = 10 * SECOND, .stale_ns = SECOND });
    struct tw_cache_page page = { 0 };
    struct tw_cache_answer a;
    static unsigned char seen[2 * N];
    int right = 0, grown = N, pages_seen = 0;

    for (int i = 0; i < N; i++) set(c, i, i);
    while (tw_cache_page_next(c, &page) == 1) {
        pages_seen++;
        for (size_t i = 0; i < page.n; i++) seen[page.at[i].key.integer]++;
        for (int i = 0; i < 200 && grown < 2 * N; i++, grown++) set(c, grown, grown);
    }
    tw_cache_page_fini(&page);
    for (int i = 0; i < N; i++) right += seen[i] == 1;
    ok(right == N && pages_seen > 4, "each entry is on one page, while the table grows");
    right = 0;
    for (int i = N; i < grown; i++) right += seen[i] > 1;
    ok(right == 0, "and no new one on two");
    tw_cache_invalidate_all(c);
    ok(tw_cache_page_next(c, &page) == 0, "an empty cache has no page");

    tw_cache_page_fini(&page);
    a = get(c, 1);
    pass(3);
    ok(tw_cache_page_next(c, &page) == 1 && page.n == 1
       && page.at[0].state == TW_CACHE_LOADING && page.at[0].loading
       && page.at[0].loading_ns == 3 * SECOND && page.at[0].bytes == 0, "a load");
    load_end(a.load, 5);
    answer_end(a);
    now_at(c, 1);
    pass(4);
    tw_cache_page_fini(&page);
    ok(tw_cache_page_next(c, &page) == 1 && page.at[0].state == TW_CACHE_FRESH
       && !page.at[0].loading && page.at[0].value.integer == 5
       && page.at[0].age_ns == 4 * SECOND && page.at[0].ttl_left_ns == 6 * SECOND
       && page.at[0].hits == 1 && page.at[0].bytes > 100, "a value");
    pass(6);
    tw_cache_page_fini(&page);
    ok(tw_cache_page_next(c, &page) == 1 && page.at[0].state == TW_CACHE_STALE
       && page.at[0].ttl_left_ns == 0, "a stale one");
    pass(1);
    tw_cache_page_fini(&page);
    ok(tw_cache_page_next(c, &page) == 1 && page.at[0].state == TW_CACHE_OVER, "over");
    tw_cache_page_fini(&page);
    for (int i = 0; i < 400 && stats(c)->entries; i++) tw_cache_advance(c);
    ok(stats(c)->entries == 0 && stats(c)->expirations == 1, "idle work takes it out");
    tw_cache_unref(c);
}

int main(void)
{
    atomic_store(&clock_ns, 1000 * SECOND);
    by_key();
    by_tag();
    by_prefix();
    listeners();
    by_tape();
    far_behind();
    pages();
    nothing_left();
    return tap_done();
}

/* scan.c - a whole file through a codec, without a thread, a loop or a tape.
 *
 * Why beside feed.c: a feed reads in turns with other feeds, for the tape.  Here nobody
 * else waits, so the caller reads as fast as the codec decodes.
 *
 * Layer host/feed.  Thread: one at a time.
 */
#include "feed/scan.h"

#include <string.h>
#include <strings.h>
#include <uv.h>

#include "base/memory.h"

enum { READ_BYTES = 64 * 1024, BUFFER_BYTES = 4 * READ_BYTES };

int tw_scan_open(struct tw_scan *s, const char *path, const char *member,
                 struct tw_error *error)
{
    int64_t got;

    *s = (struct tw_scan){ .cap = BUFFER_BYTES };
    s->in = tw_input_open(path, member, error);
    if (!s->in) return error->code;
    s->bytes = tw_calloc(1, s->cap);
    if (!s->bytes) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    got = tw_input_read(s->in, s->bytes, READ_BYTES, error);
    if (got < 0) return (int)got;
    s->n = (size_t)got;
    if (got >= 6 && memcmp(s->bytes, "TWTAPE", 6) == 0)
        return tw_fail(error, TW_EFORMAT, "%.300s: a tape file that is packed as a whole:"
                       " unpack it (convert --zstd packs what can be read)", path);
    return TW_OK;
}

/* Does the path end in that, when .gz and .zip are taken off? */
static bool has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    if (n > 3 && strcasecmp(path + n - 3, ".gz") == 0) n -= 3;
    else if (n > 4 && strcasecmp(path + n - 4, ".zip") == 0) n -= 4;
    return n > m && strncasecmp(path + n - m, ending, m) == 0;
}

bool tw_scan_is_csv(const struct tw_scan *s, const char *path)
{
    if (has_ending(path, ".csv")) return true;
    if (has_ending(path, ".fix") || has_ending(path, ".dat")) return false;
    return s->n < 2 || memcmp(s->bytes, "8=", 2) != 0;
}

bool tw_scan_lacks_symbol(const struct tw_scan *s, const struct tw_csv_options *o)
{
    struct tw_columns k = { .total = 0 };
    const char *at = s->bytes, *all = at + s->n, *end;
    struct tw_error error;

    if (o->symbol || o->preset) return false;
    if (o->columns)
        return tw_columns_map(&k, o->columns, false, &error) == TW_OK
            && k.at[TW_CSV_SYMBOL] < 0;
    if (s->n >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    while (at < all && memchr("#\r\n", *at, 3)) {       /* as csv.c: no header yet */
        const char *next = memchr(at, '\n', (size_t)(all - at));

        at = next ? next + 1 : all;
    }
    end = memchr(at, '\n', (size_t)(all - at));
    return tw_columns_header(&k, at, end ? end : all,
                             o->separator ? o->separator : ',', false, &error) == TW_OK
        && k.at[TW_CSV_SYMBOL] < 0;
}

const char *tw_scan_symbol(const char *path, char out[TW_NAME_MAX + 1])
{
    const char *name = strrchr(path, '/');
    size_t n;

    name = name ? name + 1 : path;
    n = strcspn(name, ".");
    if (n > TW_NAME_MAX) n = TW_NAME_MAX;
    memcpy(out, name, n);
    out[n] = '\0';
    return out;
}

/* Room for a read, up to the longest message that the codec takes. */
static int make_room(struct tw_scan *s, const struct tw_codec *codec,
                     struct tw_error *error)
{
    size_t max = 2 * codec->ops->max_message, cap = s->cap;
    char *bytes;

    while (s->n > cap / 2 && cap < max) cap *= 2;
    if (cap == s->cap) return TW_OK;
    bytes = tw_realloc(s->bytes, cap);
    if (!bytes) return tw_fail(error, UV_ENOMEM, "%s", tw_strerror(UV_ENOMEM));
    s->bytes = bytes;
    s->cap = cap;
    return TW_OK;
}

int tw_scan_step(struct tw_scan *s, struct tw_codec *codec, int64_t received_ns,
                 struct tw_batch *out, struct tw_error *error)
{
    size_t room = s->cap - s->n < READ_BYTES ? s->cap - s->n : READ_BYTES, done;
    int64_t got = (int64_t)s->n;

    if (s->begun) got = tw_input_read(s->in, s->bytes + s->n, room, error);
    if (got < 0) return (int)got;
    if (got == 0) {
        codec->ops->end(codec, s->bytes, s->n, received_ns, out);
        s->n = 0;
        s->begun = true;
        return tw_input_more(s->in);
    }
    if (s->begun) s->n += (size_t)got;
    s->begun = true;
    done = codec->ops->decode(codec, s->bytes, s->n, received_ns, out);
    s->n -= done;
    memmove(s->bytes, s->bytes + done, s->n);
    if (make_room(s, codec, error) < 0) return error->code;
    assert(s->n < s->cap);   /* else the codec waits for more than its longest */
    return 1;
}

void tw_scan_close(struct tw_scan *s)
{
    tw_input_close(s->in);
    tw_free(s->bytes);
    *s = (struct tw_scan){ 0 };
}

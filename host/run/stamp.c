/* stamp.c - which file a path leads to. */
#include "run/stamp.h"

#include <errno.h>
#include <uv.h>

struct tw_stamp tw_stamp_of(const struct stat *st)
{
    return (struct tw_stamp){
        .device = (uint64_t)st->st_dev, .inode = (uint64_t)st->st_ino,
        .bytes = (uint64_t)st->st_size,
        .time_s = st->st_mtim.tv_sec, .time_ns = st->st_mtim.tv_nsec,
    };
}

struct tw_stamp tw_stamp_at(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0) return tw_stamp_of(&st);
    return (struct tw_stamp){ .code = uv_translate_sys_error(errno) };
}

bool tw_stamp_same(const struct tw_stamp *a, const struct tw_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes
        && a->time_s == b->time_s && a->time_ns == b->time_ns && a->code == b->code;
}

/* place.h - where tests write: $TMPDIR, or else /tmp. */
#ifndef PLACE_H
#define PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLACE = 300 };   /* bytes of a path */

static inline const char *place_directory(void)
{
    const char *directory = getenv("TMPDIR");

    return directory && *directory ? directory : "/tmp";
}

/* In memory, where the machine has that. */
static inline const char *place_memory(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : place_directory();
}

/* A new file, which is empty, or a new folder: returns its path. */
static inline char *place_file(char path[PLACE])
{
    int fd;

    snprintf(path, PLACE, "%.200s/tidewire-XXXXXX", place_directory());
    fd = mkstemp(path);
    if (fd < 0) abort();
    close(fd);
    return path;
}

static inline char *place_folder(char path[PLACE])
{
    snprintf(path, PLACE, "%.200s/tidewire-XXXXXX", place_directory());
    if (!mkdtemp(path)) abort();
    return path;
}

#endif

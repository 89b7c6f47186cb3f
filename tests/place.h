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

/* The folder with all that is in it. */
static inline void place_remove(const char *folder)
{
    char command[PLACE + 20];

    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) printf("# %s is left\n", folder);
}

/* A file of a folder: of the last 32 of a thread, the text stands. */
static inline const char *place_in(const char *folder, const char *name)
{
    static _Thread_local char paths[32][PLACE + 40];
    static _Thread_local unsigned at;
    char *path = paths[at++ % 32];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

#endif

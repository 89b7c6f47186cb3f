/* static.c - what the program without shared libraries does not do.
 *
 * Why: libc would look for its own shared parts at run time, of the version that it was
 * built from, and end the program where they are not.  Here C modules are refused with
 * a message, and names are looked up by what libc has inside.
 *
 * Layer lua.
 */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(const char *path, int mode)
{
    (void)path, (void)mode;
    return NULL;
}

void *dlsym(void *restrict library, const char *restrict name)
{
    (void)library, (void)name;
    return NULL;
}

int dlclose(void *library)
{
    (void)library;
    return -1;
}

char *dlerror(void)
{
    static char why[] = "this program is static: it loads no C modules";

    return why;
}

#ifdef __GLIBC__
#include <nss.h>

__attribute__((constructor)) static void look_up_inside(void)
{
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
}
#endif

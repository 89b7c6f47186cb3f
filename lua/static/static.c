/* static.c - what the static program does without shared libraries.
 *
 * Why: libc would look for its own shared parts at run time, of the version that it was
 * built from, and end the program where they are not.  Here C modules are refused with
 * a message, and names are looked up by what libc has inside.  And what libc has only
 * for what no program of ours does is left out, as static.ld says.
 *
 * Layer lua.
 */
#include <assert.h>
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

/* static.ld has these stand for parts of libc. */
void ltw_static_never(void);
void *ltw_static_none(const char *name, int mode);
char *ltw_static_text(const char *domain, const char *text, int category);

void ltw_static_never(void)
{
    assert(!"a part of libc that was left out");
}

/* The library of that name. */
void *ltw_static_none(const char *name, int mode)
{
    (void)name, (void)mode;
    return NULL;
}

/* Of what libc says, in the language it is written in. */
char *ltw_static_text(const char *domain, const char *text, int category)
{
    (void)domain, (void)category;
    return (char *)text;
}

#ifdef __GLIBC__
#include <nss.h>

__attribute__((constructor)) static void look_up_inside(void)
{
    __nss_configure_lookup("hosts", "files dns");
    __nss_configure_lookup("passwd", "files");
}
#endif

/* openssl.c - the system's OpenSSL, opened when it is first needed.
 *
 * libssl's functions and those of the libcrypto that it came with: never this program's
 * own, which has but SHA-256 in it.
 *
 * Layer host/run.
 */
#include "run/openssl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct { const char *name; size_t at; } functions[] = {
#define FUNCTION(name) { #name, offsetof(struct tw_openssl, name) },
    TW_OPENSSL(FUNCTION)
};

const char *tw_openssl_open(struct tw_openssl *out)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);

    if (!library) return "OpenSSL is needed for it: install libssl3";
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(library, functions[i].name);

        if (!function) return "the OpenSSL of this system is too old for it";
        memcpy((char *)out + functions[i].at, &function, sizeof function);
    }
    return NULL;
}

/* tw.c - roles and error texts. */
#include "base/tw.h"

#include <stdarg.h>
#include <stdio.h>
#include <uv.h>

struct tw_role MAIN = {1}, FEED = {2}, WORKER = {3};
_Thread_local unsigned char tw_role_now;

void tw_role_set(const struct tw_role *role)
{
    tw_role_now = role->id;
}

int tw_abi(void)
{
    return TW_ABI;
}

const char *tw_strerror(int code)
{
    switch (code) {
    case TW_OK:       return "no error";
    case TW_EFULL:    return "full";
    case TW_ESTOPPED: return "the run is ending";
    case TW_EFORMAT:  return "malformed input";
    case TW_ERANGE:   return "number out of range";
    case TW_ELIMIT:   return "limit reached";
    case TW_EEXPIRED: return "record has expired";
    case TW_EUSAGE:   return "wrong use";
    case TW_ESCRIPT:  return "script failed";
    case TW_EBUSY:    return "under way";
    case TW_ECLOSED:  return "closed";
    case TW_EEMPTY:   return "nothing there";
    case TW_ECYCLE:   return "waits for itself";
    case UV_ETIMEDOUT: return "timed out";
    default:          return uv_strerror(code);
    }
}

int tw_fail(struct tw_error *error, int code, const char *format, ...)
{
    va_list args;

    if (!error) return code;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

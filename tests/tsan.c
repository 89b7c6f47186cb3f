/* tsan.c - lets the thread sanitizer see how Lua raises and yields.
 *
 * Debian's Lua jumps with __longjmp_chk, which the sanitizer doesn't know: each jump
 * left its frames on the sanitizer's own stack, until that was full.  Part of builds
 * with SAN=thread only.
 */
#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf env, int value);

_Noreturn void __longjmp_chk(jmp_buf env, int value)
{
    longjmp(env, value);
}

/* signals.c - signals that are for the main thread alone.
 *
 * Layer lua/main.  Thread: a signal handler, of any thread.
 */
#include "main/signals.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

bool ltw_signal_is_here(int number)
{
    pid_t process = getpid();             /* the number of its main thread, too */
    int before = errno;

    if (gettid() == process) return true;
    syscall(SYS_tgkill, process, process, number);
    errno = before;
    return false;
}

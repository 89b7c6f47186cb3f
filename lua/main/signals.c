/* signals.c - signals that are for the main thread alone, or for nobody.
 *
 * Layer lua/main.  Thread: see each function in signals.h.
 */
#include "main/signals.h"

#include <errno.h>
#include <signal.h>
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

static void pass(int number)
{
    (void)number;
}

void ltw_signal_heed(int number)
{
    struct sigaction action = { .sa_handler = pass, .sa_flags = SA_RESTART };

    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

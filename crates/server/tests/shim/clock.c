/* Loaded in front of the C library: the machine's clock is off by as many
 * milliseconds as the file named by MAGPIE_SHIM_CLOCK says; the clock that
 * nobody sets goes on as it does. How long the machine is up stands in the file
 * named by MAGPIE_SHIM_UPTIME: one that came up just now would be judged otherwise. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long off(void) {
    const char *name = getenv("MAGPIE_SHIM_CLOCK");
    char text[32] = {0};
    int file = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, text, sizeof text - 1) < 0)
        text[0] = 0;
    close(file);
    return atoll(text);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    long failed = syscall(SYS_clock_gettime, clock, at);
    if (failed != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)failed;
    long long ms = off();
    long long all = at->tv_sec * 1000LL + at->tv_nsec / 1000000 + ms;
    at->tv_sec = all / 1000;
    at->tv_nsec = all % 1000 * 1000000 + at->tv_nsec % 1000000;
    return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at != NULL)
        *at = now.tv_sec;
    return now.tv_sec;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    const char *uptime = getenv("MAGPIE_SHIM_UPTIME");
    if (uptime != NULL && strcmp(path, "/proc/uptime") == 0)
        path = uptime;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* Loaded in front of the C library: the first fsync or fdatasync after the
 * file named by MAGPIE_SHIM_TRIGGER exists fails with EIO, and those after it
 * succeed. That is what Linux does: it reports a lost page once, marks it
 * clean, and has forgotten it. The failure is told on standard output, so
 * that what is printed after it can be seen to come after it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static int failing(void) {
    static atomic_int told;
    const char *trigger = getenv("MAGPIE_SHIM_TRIGGER");
    if (trigger == NULL || access(trigger, F_OK) != 0)
        return 0;
    if (atomic_exchange(&told, 1) != 0)
        return 0;
    static const char text[] = "\nsync failed\n";
    if (write(1, text, sizeof text - 1) < 0)
        _exit(99);
    errno = EIO;
    return 1;
}

int fsync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return failing() ? -1 : next(fd);
}

int fdatasync(int fd) {
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return failing() ? -1 : next(fd);
}

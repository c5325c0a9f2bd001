// A wall clock that is off by what the file SKEW_FILE says, for a process that has this library
// preloaded. The file holds a 64-bit number of seconds and may change at any time: it is mapped.
//
// The usual library for this, libfaketime, allocates before it is ready, and an allocator that
// reads the clock as it starts, as the node's does, then calls itself without end. Here nothing
// is allocated: the system call is made directly and the offset added. Monotonic clocks are left
// alone, since no administrator sets those.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t skew(void) {
    static const volatile int64_t none = 0;
    static const volatile int64_t *seconds;
    if (!seconds) {
        const char *path = getenv("SKEW_FILE");
        int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *mapped = MAP_FAILED;
        if (file >= 0) {
            mapped = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, file, 0);
            close(file);
        }
        seconds = mapped == MAP_FAILED ? &none : mapped;
    }
    return *seconds;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int result = (int)syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        at->tv_sec += skew();
    }
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    if (result == 0 && at) {
        at->tv_sec = now.tv_sec;
        at->tv_usec = now.tv_nsec / 1000;
    }
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return (time_t)-1;
    }
    if (at) {
        *at = now.tv_sec;
    }
    return now.tv_sec;
}

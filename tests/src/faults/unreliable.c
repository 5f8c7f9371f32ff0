/* A libc for programs under test, put before the real one with LD_PRELOAD: a disk without room, a disk that fails to
 * sync, a host whose clock is wrong.
 *
 * GRIDWARD_UNRELIABLE is the beginning of the names of some files. While NAME.full is there, no regular file may grow;
 * NAME.unsynced is removed by the next sync, which fails. A byte is added to NAME.hits for each call that failed.
 * GRIDWARD_SKEW_SECONDS is how far the host's clock is ahead; the steady clocks are as they are, and who waits until a
 * time by this clock waits no longer than by the real one.
 *
 * Standard output and error are left alone: what a program says of its trouble is to be read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static char full[PATH_MAX], unsynced[PATH_MAX], hits[PATH_MAX];
static long long skew;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("GRIDWARD_UNRELIABLE"), *ahead = getenv("GRIDWARD_SKEW_SECONDS");
    if (name && strlen(name) + 16 < sizeof full) {
        snprintf(full, sizeof full, "%s.full", name);
        snprintf(unsynced, sizeof unsynced, "%s.unsynced", name);
        snprintf(hits, sizeof hits, "%s.hits", name);
    }
    if (ahead) skew = atoll(ahead);
}

static ssize_t really_write(int file, const void *bytes, size_t length) {
    REAL(write);
    return real(file, bytes, length);
}

static void note(void) {
    int file = open(hits, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return;
    if (really_write(file, "!", 1) < 0) { /* Then it is not counted. */ }
    close(file);
}

/* Whether so many bytes more, at `at` or where the file stands, have no room. */
static int has_no_room(int file, off_t at, size_t length) {
    struct stat told;
    int before = errno, none = 0;
    if (full[0] && file > 2 && access(full, F_OK) == 0 && fstat(file, &told) == 0 && S_ISREG(told.st_mode)) {
        if (at < 0) {
            int how = fcntl(file, F_GETFL);
            at = how >= 0 && (how & O_APPEND) ? told.st_size : lseek(file, 0, SEEK_CUR);
        }
        none = at >= 0 && at + (off_t)length > told.st_size;
        if (none) note();
    }
    errno = before;
    return none;
}

static size_t together(const struct iovec *pieces, int count) {
    size_t all = 0;
    for (int n = 0; n < count; n++) all += pieces[n].iov_len;
    return all;
}

#define OR_NO_ROOM(file, at, length) \
    if (has_no_room(file, at, length)) { errno = ENOSPC; return -1; }

ssize_t write(int file, const void *bytes, size_t length) {
    OR_NO_ROOM(file, -1, length)
    return really_write(file, bytes, length);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
    REAL(writev);
    OR_NO_ROOM(file, -1, together(pieces, count))
    return real(file, pieces, count);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
    REAL(pwrite);
    OR_NO_ROOM(file, at, length)
    return real(file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    REAL(pwrite64);
    OR_NO_ROOM(file, at, length)
    return real(file, bytes, length, at);
}

ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t at) {
    REAL(pwritev);
    OR_NO_ROOM(file, at, together(pieces, count))
    return real(file, pieces, count, at);
}

ssize_t pwritev64(int file, const struct iovec *pieces, int count, off64_t at) {
    REAL(pwritev64);
    OR_NO_ROOM(file, at, together(pieces, count))
    return real(file, pieces, count, at);
}

int posix_fallocate(int file, off_t at, off_t length) {
    REAL(posix_fallocate);
    return has_no_room(file, at, (size_t)length) ? ENOSPC : real(file, at, length);
}

int posix_fallocate64(int file, off64_t at, off64_t length) {
    REAL(posix_fallocate64);
    return has_no_room(file, at, (size_t)length) ? ENOSPC : real(file, at, length);
}

/* Whether this is the sync that fails: of those who come at once, the one that removes the file. */
static int fails(void) {
    int before = errno, this_one = unsynced[0] && unlink(unsynced) == 0;
    if (this_one) note();
    errno = before;
    return this_one;
}

int fsync(int file) {
    REAL(fsync);
    if (fails()) { errno = EIO; return -1; }
    return real(file);
}

int fdatasync(int file) {
    REAL(fdatasync);
    if (fails()) { errno = EIO; return -1; }
    return real(file);
}

int clock_gettime(clockid_t clock, struct timespec *shown) {
    REAL(clock_gettime);
    int outcome = real(clock, shown);
    if (outcome == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shown->tv_sec += skew;
    return outcome;
}

int gettimeofday(struct timeval *restrict shown, void *restrict zone) {
    REAL(gettimeofday);
    int outcome = real(shown, zone);
    if (outcome == 0) shown->tv_sec += skew;
    return outcome;
}

time_t time(time_t *shown) {
    REAL(time);
    time_t now = real(NULL) + skew;
    if (shown) *shown = now;
    return now;
}

/* The kernel knows nothing of the wrong clock: it is asked to wait until the same moment by its own. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict until) {
    REAL(cnd_timedwait);
    struct timespec really = *until;
    really.tv_sec -= skew;
    return real(condition, mutex, &really);
}

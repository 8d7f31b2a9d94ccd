/* Stands between a process and libc's calls that touch files below one directory: counts them, and at the n-th ends the
   process, stops it, lets the call fail or writes half of it. Preloaded, so that what C++ libraries write is reached too.
   What passed is left in memory shared with the parent; a log of every change, with its bytes, can be kept. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_AFTER, FAIL, FAIL_FOR_GOOD, SHORT_WRITE, STOP };
enum { STEPS = 8192, NAME = 12, PATH = 180 };
struct shared { int64_t count, hit; struct { char call[NAME], path[PATH]; } step[STEPS]; };

static struct shared *seen;
static char root[PATH_MAX];
static long target;
static int action, error, logged = -1;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void faults_arm(const char *below, struct shared *shared, long at, int what, int code, int log) {
    strncpy(root, below, PATH_MAX - 1);
    target = at, action = what, error = code, logged = log;
    seen = shared;
}
void faults_disarm(void) { seen = NULL; }

static int absolute(int dir, const char *name, char *path) {
    char link[64];
    ssize_t n = 0;
    if (name && name[0] == '/') dir = -1, n = 0;
    else if (dir == AT_FDCWD) { if (!getcwd(path, PATH_MAX)) return 0; n = strlen(path); }
    else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
        n = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
        if (n < 0) return 0;
    }
    path[n] = 0;
    if (name) snprintf(path + n, PATH_MAX - n, "%s%s", dir == -1 ? "" : "/", name);
    size_t length = strlen(root);
    return !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

/* What shall become of a call: 0 it is made, 1 it fails, 2 only half of it is written. */
static int decide(const char *call, const char *path) {
    long n = ++seen->count;
    if (n <= STEPS) {
        strncpy(seen->step[n - 1].call, call, NAME - 1);
        strncpy(seen->step[n - 1].path, path + strlen(root), PATH - 1);
    }
    if (n < target || (n > target && action != FAIL_FOR_GOOD)) return 0;
    int writes = !strcmp(call, "write") || !strcmp(call, "pwrite");
    if (n > target && error == ENOSPC && !writes && strcmp(call, "create") && strcmp(call, "mkdir") && strcmp(call, "rename")) return 0;
    if (action == KILL_BEFORE) seen->hit = n, kill(getpid(), SIGKILL);
    if (action == STOP) seen->hit = n, kill(getpid(), SIGSTOP);
    if (action == FAIL || action == FAIL_FOR_GOOD) return seen->hit = n, 1;
    return action == SHORT_WRITE && writes ? (seen->hit = n, 2) : 0;
}
static void after(void) { if (action == KILL_AFTER && seen->count == target) seen->hit = target, kill(getpid(), SIGKILL); }

static void note(const char *call, const char *path, const char *to, int64_t at, const void *data, int64_t size) {
    if (logged < 0) return;
    int64_t head[4] = {(int64_t)strlen(path), to ? (int64_t)strlen(to) : 0, at, data ? size : 0};
    char name[NAME] = {0};
    strncpy(name, call, NAME - 1);
    syscall(SYS_write, logged, name, NAME), syscall(SYS_write, logged, head, sizeof head);
    syscall(SYS_write, logged, path, head[0]);
    if (to) syscall(SYS_write, logged, to, head[1]);
    if (data) syscall(SYS_write, logged, data, size);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
/* One call: `where` says whether it is below the directory; `made` is logged where it succeeded. */
#define WATCHED(call, where, failed, made_call, made)                       \
    if (!seen) return made_call;                                           \
    char path[PATH_MAX + 300];                                             \
    if (!(where)) return made_call;                                        \
    pthread_mutex_lock(&turn);                                             \
    int fate = seen ? decide(call, path) : 0;                              \
    __typeof__(made_call) result = failed;                                 \
    if (fate == 1) errno = error;                                          \
    else { result = made_call; int kept = errno; if (result != failed) made; if (seen) after(); errno = kept; } \
    pthread_mutex_unlock(&turn);                                           \
    return result;

#define OPEN(name, dir, has_dir, ...)                                      \
    REAL(name); mode_t mode = 0;                                           \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    WATCHED(flags & O_CREAT ? "create" : "open", absolute(dir, file, path), -1, real(__VA_ARGS__, flags, mode),                                          \
            if (flags & (O_CREAT | O_TRUNC)) note(flags & O_TRUNC ? "truncate" : "create", path, NULL, 0, NULL, 0))
int open(const char *file, int flags, ...) { OPEN(open, AT_FDCWD, 0, file) }
int open64(const char *file, int flags, ...) { OPEN(open64, AT_FDCWD, 0, file) }
int openat(int dir, const char *file, int flags, ...) { OPEN(openat, dir, 1, dir, file) }
int openat64(int dir, const char *file, int flags, ...) { OPEN(openat64, dir, 1, dir, file) }

#define WRITE(call, position, ...)                                         \
    int64_t at = position;                                                 \
    WATCHED(call, absolute(fd, NULL, path), -1, __VA_ARGS__, note("write", path, NULL, at, data, result))
static ssize_t half_write(ssize_t (*real)(int, const void *, size_t), int fd, const void *data, size_t size) {
    if (seen && action == SHORT_WRITE && seen->hit == seen->count && seen->count == target) size = size > 1 ? size / 2 : size;
    return real(fd, data, size);
}
static ssize_t half_pwrite(ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *data, size_t size, off_t at) {
    if (seen && action == SHORT_WRITE && seen->hit == seen->count && seen->count == target) size = size > 1 ? size / 2 : size;
    return real(fd, data, size, at);
}
ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    WRITE("write", seen ? lseek(fd, 0, SEEK_CUR) : 0, half_write(real, fd, data, size))
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t to) { REAL(pwrite); WRITE("pwrite", to, half_pwrite(real, fd, data, size, to)) }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t to) { REAL(pwrite64); WRITE("pwrite", to, half_pwrite(real, fd, data, size, to)) }

#define ON_FD(name, call, args, ...)                                       \
    REAL(name); WATCHED(call, absolute(fd, NULL, path), -1, real args, __VA_ARGS__)
int fsync(int fd) { ON_FD(fsync, "fsync", (fd), note("fsync", path, NULL, 0, NULL, 0)) }
int fdatasync(int fd) { ON_FD(fdatasync, "fsync", (fd), note("fsync", path, NULL, 0, NULL, 0)) }
int ftruncate(int fd, off_t size) { ON_FD(ftruncate, "ftruncate", (fd, size), note("resize", path, NULL, size, NULL, 0)) }
int ftruncate64(int fd, off64_t size) { ON_FD(ftruncate64, "ftruncate", (fd, size), note("resize", path, NULL, size, NULL, 0)) }
int flock(int fd, int how) { ON_FD(flock, "flock", (fd, how), ) }
/* A close that fails has closed all the same. */
int close(int fd) {
    REAL(close);
    char path[PATH_MAX + 300];
    if (!seen || !absolute(fd, NULL, path)) return real(fd);
    pthread_mutex_lock(&turn);
    int fate = seen ? decide("close", path) : 0, result = real(fd);
    if (fate == 1) errno = error, result = -1;
    else if (seen) after();
    pthread_mutex_unlock(&turn);
    return result;
}

#define ON_PATH(name, call, dir, args) REAL(name); WATCHED(call, absolute(dir, file, path), -1, real args, note(call, path, NULL, 0, NULL, 0))
int mkdir(const char *file, mode_t mode) { ON_PATH(mkdir, "mkdir", AT_FDCWD, (file, mode)) }
int mkdirat(int dir, const char *file, mode_t mode) { ON_PATH(mkdirat, "mkdir", dir, (dir, file, mode)) }
int unlink(const char *file) { ON_PATH(unlink, "unlink", AT_FDCWD, (file)) }
int unlinkat(int dir, const char *file, int flags) { ON_PATH(unlinkat, "unlink", dir, (dir, file, flags)) }
int rmdir(const char *file) { ON_PATH(rmdir, "unlink", AT_FDCWD, (file)) }
int remove(const char *file) { ON_PATH(remove, "unlink", AT_FDCWD, (file)) }

#define RENAME(name, from_dir, to_dir, args)                               \
    REAL(name); char goal[PATH_MAX + 300];                                 \
    if (seen) absolute(to_dir, to, goal);                                  \
    WATCHED("rename", absolute(from_dir, file, path), -1, real args, note("rename", path, goal, 0, NULL, 0))
int rename(const char *file, const char *to) { RENAME(rename, AT_FDCWD, AT_FDCWD, (file, to)) }
int renameat(int d, const char *file, int e, const char *to) { RENAME(renameat, d, e, (d, file, e, to)) }
int renameat2(int d, const char *file, int e, const char *to, unsigned f) { RENAME(renameat2, d, e, (d, file, e, to, f)) }

/* Listings: a directory that cannot be read must not look empty. */
DIR *opendir(const char *file) { REAL(opendir); WATCHED("opendir", absolute(AT_FDCWD, file, path), NULL, real(file), ) }
DIR *fdopendir(int fd) { REAL(fdopendir); WATCHED("opendir", absolute(fd, NULL, path), NULL, real(fd), ) }

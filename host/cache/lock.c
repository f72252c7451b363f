/* lock: the file that whoever commits or checkpoints holds.  SPDX-License-Identifier: MIT */
#include "cache/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The record: 'w' while a commit is under way, 'd' when damage was met, the machine's boot
 * identity.  It is never synced: a boot identity that did not reach the disk does not match. */
enum { LOCK_WRITING = 0, LOCK_DAMAGE = 1, LOCK_BOOT = 2, LOCK_BOOT_SIZE = 36 };

int mill_lock_open(struct mill_lock *lock, const char *path)
{
    lock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return lock->fd < 0 ? errno : 0;
}

void mill_lock_close(struct mill_lock *lock)
{
    if (lock->fd >= 0) close(lock->fd);
    lock->fd = -1;
}

/* Whether somebody has removed the file: others lock a new one of its name. */
static bool lock_is_gone(const struct mill_lock *lock)
{
    struct stat status;
    return fstat(lock->fd, &status) == 0 && status.st_nlink == 0;
}

/* Polls, because flock has no time limit and a signal handler is not ours to install.  The lock
 * is held for milliseconds; the pause grows to 4 ms. */
bool mill_lock_take(struct mill_lock *lock, double seconds)
{
    struct timespec pause = {.tv_nsec = 250000};
    double waited = 0;
    while (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) return false;
        if (waited >= seconds) return false;
        nanosleep(&pause, NULL);
        waited += (double)pause.tv_nsec * 1e-9;
        if (pause.tv_nsec < 4000000) pause.tv_nsec *= 2;
    }
    if (!lock_is_gone(lock)) return true;
    mill_lock_drop(lock);
    return false;
}

void mill_lock_drop(struct mill_lock *lock)
{
    flock(lock->fd, LOCK_UN);
}

/* ---- the record: hints, so a failing write costs at most one needless check ------------- */

static void lock_write(struct mill_lock *lock, int offset, const char *text, size_t size)
{
    ssize_t written;
    do {
        written = pwrite(lock->fd, text, size, offset);
    } while (written < 0 && errno == EINTR);
}

void mill_lock_begin(struct mill_lock *lock)
{
    lock_write(lock, LOCK_WRITING, "w", 1);
}

void mill_lock_end(struct mill_lock *lock)
{
    lock_write(lock, LOCK_WRITING, "-", 1);
}

void mill_lock_suspect(struct mill_lock *lock)
{
    lock_write(lock, LOCK_DAMAGE, "d", 1);
}

/* All zeros where the system does not tell: then every start is a new one. */
static bool lock_boot(char boot[LOCK_BOOT_SIZE])
{
    memset(boot, '0', LOCK_BOOT_SIZE);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool known = read(fd, boot, LOCK_BOOT_SIZE) == LOCK_BOOT_SIZE;
    close(fd);
    return known;
}

bool mill_lock_doubtful(struct mill_lock *lock, bool log)
{
    char record[LOCK_BOOT + LOCK_BOOT_SIZE] = {0}, boot[LOCK_BOOT_SIZE];
    if (pread(lock->fd, record, sizeof record, 0) < 0) return true;
    if (record[LOCK_WRITING] == 'w' || record[LOCK_DAMAGE] == 'd') return true;
    bool same_boot = lock_boot(boot) && memcmp(record + LOCK_BOOT, boot, sizeof boot) == 0;
    return log && !same_boot;
}

void mill_lock_cleared(struct mill_lock *lock)
{
    char record[LOCK_BOOT + LOCK_BOOT_SIZE] = "--", old[sizeof record];
    lock_boot(record + LOCK_BOOT);
    if (pread(lock->fd, old, sizeof old, 0) == (ssize_t)sizeof old &&
        memcmp(record, old, sizeof old) == 0) {
        return;
    }
    lock_write(lock, 0, record, sizeof record);
}

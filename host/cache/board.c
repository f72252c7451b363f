/* board: what processes that share a cache are computing.  SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cache/board.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BOARD_PROCESSES = 255,
    BOARD_BUCKETS = 4096, /* a power of two */
    BOARD_SLOTS = 8,      /* of a bucket: a cache line */
};

static const uint64_t BOARD_MAGIC = 0x316472616f626d74; /* "tmboard1" */

struct mill_board_map {
    _Atomic uint64_t magic;
    char padding[56];
    _Atomic uint64_t commits;
    char more_padding[56];
    _Atomic uint32_t generations[BOARD_PROCESSES + 1]; /* by process, from 1 */
    _Alignas(4096) _Atomic uint64_t slots[BOARD_BUCKETS][BOARD_SLOTS];
};

/* A claim: part of the key, whether its task waits, generation and process. */
enum { PROCESS_BITS = 8, OWNER_BITS = 24, WAITS_BIT = 24, KEY_SHIFT = 25 };
static const uint64_t OWNER = ((uint64_t)1 << OWNER_BITS) - 1;
static const uint64_t WAITED_FOR = (uint64_t)1 << WAITS_BIT;

/* ---- the file -------------------------------------------------------------------------- */

static struct flock byte_of(uint32_t process)
{
    return (struct flock){
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)process, .l_len = 1};
}

/* Takes the first process number that nobody has; 0: all are taken, or locks do not work. */
static uint32_t claim_number(int fd)
{
    for (uint32_t process = 1; process <= BOARD_PROCESSES; process++) {
        struct flock byte = byte_of(process);
        if (fcntl(fd, F_OFD_SETLK, &byte) == 0) return process;
        if (errno != EAGAIN && errno != EACCES) return 0;
    }
    return 0;
}

/* What an earlier process of this number left. */
static void clear_claims(struct mill_board_map *map, uint32_t process)
{
    for (int i = 0; i < BOARD_BUCKETS; i++) {
        for (int k = 0; k < BOARD_SLOTS; k++) {
            uint64_t word = atomic_load_explicit(&map->slots[i][k], memory_order_relaxed);
            if (word == 0 || (word & ((1u << PROCESS_BITS) - 1)) != process) continue;
            atomic_compare_exchange_strong(&map->slots[i][k], &word, 0);
        }
    }
}

/* Its whole size is allotted, for a hole that a full disk cannot fill kills who writes to it. */
static struct mill_board_map *map_file(int fd)
{
    struct stat status;
    uint64_t start = 0;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    if (pread(fd, &start, sizeof start, 0) < 0 || (start != 0 && start != BOARD_MAGIC))
        return NULL;
    if (status.st_size < (off_t)sizeof(struct mill_board_map) &&
        (fchmod(fd, 0600) != 0 || posix_fallocate(fd, 0, sizeof(struct mill_board_map)) != 0)) {
        return NULL;
    }
    void *map =
        mmap(NULL, sizeof(struct mill_board_map), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

static bool join_board(struct mill_board *board)
{
    board->map = map_file(board->fd);
    if (board->map == NULL) return false;
    uint64_t magic = 0;
    if (!atomic_compare_exchange_strong(&board->map->magic, &magic, BOARD_MAGIC) &&
        magic != BOARD_MAGIC) {
        return false;
    }
    uint32_t process = claim_number(board->fd);
    if (process == 0) return false;
    uint32_t generation = atomic_fetch_add(&board->map->generations[process], 1) + 1;
    board->me = (generation & 0xffff) << PROCESS_BITS | process;
    clear_claims(board->map, process);
    return true;
}

static void leave_board(struct mill_board *board)
{
    if (board->map) munmap(board->map, sizeof *board->map);
    if (board->fd >= 0) close(board->fd); /* with it the lock of the byte goes */
    board->map = NULL;
    board->fd = -1;
}

void mill_board_open(struct mill_board *board, const char *path)
{
    *board = (struct mill_board){.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (board->fd < 0 || !join_board(board)) leave_board(board);
}

void mill_board_close(struct mill_board *board)
{
    if (board->map) clear_claims(board->map, board->me & ((1u << PROCESS_BITS) - 1));
    leave_board(board);
}

/* ---- claims ---------------------------------------------------------------------------- */

static _Atomic uint64_t *bucket_of(struct mill_board *board, struct mill_hash key)
{
    return board->map->slots[key.low & (BOARD_BUCKETS - 1)];
}

static uint64_t claim_of(const struct mill_board *board, struct mill_hash key)
{
    return key.high << KEY_SHIFT | board->me;
}

static bool same_key(uint64_t a, uint64_t b)
{
    return a >> KEY_SHIFT == b >> KEY_SHIFT;
}

static bool is_mine(const struct mill_board *board, uint64_t word)
{
    return (word & OWNER) == board->me;
}

/* A number is its process's as long as that has the byte locked. */
static bool is_alive(const struct mill_board *board, uint64_t word)
{
    uint32_t process = word & ((1u << PROCESS_BITS) - 1);
    uint32_t generation = word >> PROCESS_BITS & 0xffff;
    if (process == (board->me & ((1u << PROCESS_BITS) - 1))) return is_mine(board, word);
    if ((atomic_load(&board->map->generations[process]) & 0xffff) != generation) return false;
    struct flock byte = byte_of(process);
    return fcntl(board->fd, F_OFD_GETLK, &byte) != 0 || byte.l_type != F_UNLCK;
}

/* Whose claim with the key of `like` stands in the bucket, but in slot `own`; frees those of the
 * dead. The default order everywhere: of two that claim at once, each in a slot of its own, one at
 * least sees the other. */
static enum mill_claim look_in(struct mill_board *board, _Atomic uint64_t *bucket,
                               uint64_t like, int own)
{
    enum mill_claim found = MILL_CLAIM_NONE;
    for (int i = 0; i < BOARD_SLOTS; i++) {
        uint64_t word = atomic_load(&bucket[i]);
        if (i == own || word == 0 || !same_key(word, like)) continue;
        if (is_mine(board, word)) {
            if (found == MILL_CLAIM_NONE) {
                found = word & WAITED_FOR ? MILL_CLAIM_RESTING : MILL_CLAIM_MINE;
            }
        } else if (is_alive(board, word)) {
            found = word & WAITED_FOR ? MILL_CLAIM_WAITING : MILL_CLAIM_OTHERS;
        } else {
            atomic_compare_exchange_strong(&bucket[i], &word, 0);
        }
    }
    return found;
}

/* The slot in which the claim now stands; -1: none is free. */
static int put_claim(struct mill_board *board, _Atomic uint64_t *bucket, uint64_t claim)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < BOARD_SLOTS; i++) {
            uint64_t word = atomic_load(&bucket[i]);
            if (word != 0 && (pass == 0 || is_alive(board, word))) continue;
            if (atomic_compare_exchange_strong(&bucket[i], &word, claim)) return i;
        }
    }
    return -1;
}

enum mill_claim mill_board_look(struct mill_board *board, struct mill_hash key)
{
    if (board->map == NULL) return MILL_CLAIM_NONE;
    return look_in(board, bucket_of(board, key), claim_of(board, key), -1);
}

enum mill_claim mill_board_take(struct mill_board *board, struct mill_hash key, int *ticket)
{
    *ticket = 0;
    if (board->map == NULL) return MILL_CLAIM_NONE;
    _Atomic uint64_t *bucket = bucket_of(board, key);
    uint64_t claim = claim_of(board, key);
    enum mill_claim found = look_in(board, bucket, claim, -1);
    if (found != MILL_CLAIM_NONE) return found;
    int slot = put_claim(board, bucket, claim);
    if (slot < 0) return MILL_CLAIM_NONE;
    found = look_in(board, bucket, claim, slot);
    if (found == MILL_CLAIM_NONE) {
        *ticket = slot + 1;
        return MILL_CLAIM_TAKEN;
    }
    /* Another claimed it meanwhile: he may not have seen this one, and goes on.  When both give way,
     * the next attempt decides.  Nobody else changes the slot of a claim whose process lives. */
    atomic_store(&bucket[slot], 0);
    return found;
}

void mill_board_drop(struct mill_board *board, struct mill_hash key, int ticket)
{
    if (board->map && ticket > 0) atomic_store(&bucket_of(board, key)[ticket - 1], 0);
}

void mill_board_wait(struct mill_board *board, struct mill_hash key, int ticket, bool waits)
{
    if (board->map == NULL || ticket == 0) return;
    uint64_t claim = claim_of(board, key);
    atomic_store(&bucket_of(board, key)[ticket - 1], waits ? claim | WAITED_FOR : claim);
}

/* ---- commits --------------------------------------------------------------------------- */

void mill_board_commit(struct mill_board *board)
{
    /* The default order: pairs with mill_board_commits of who has taken a claim that was dropped
     * after this. */
    atomic_fetch_add(board->map ? &board->map->commits : &board->commits, 1);
}

uint64_t mill_board_commits(struct mill_board *board)
{
    return atomic_load(board->map ? &board->map->commits : &board->commits);
}

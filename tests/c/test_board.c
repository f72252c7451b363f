/* test_board: claims of threads, of two stores in one process, and of processes that die.
 * Roles of other processes: test_board hold PATH (claims key 1, says so, waits to be killed).
 * SPDX-License-Identifier: MIT */
#include "cache/board.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "random_check.h"

static char path[64];

static struct mill_hash key_of(uint64_t number)
{
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "key");
    mill_hasher_number(&hasher, number);
    return mill_hasher_end(&hasher);
}

static void fresh(void)
{
    unlink(path);
}

static void a_claim_is_taken_once_and_given_back(void)
{
    struct mill_board board;
    fresh();
    mill_board_open(&board, path);
    CHECK(board.map != NULL);
    int first, ticket;
    CHECK(mill_board_look(&board, key_of(1)) == MILL_CLAIM_NONE);
    CHECK(mill_board_take(&board, key_of(1), &first) == MILL_CLAIM_TAKEN && first > 0);
    CHECK(mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_MINE && ticket == 0);
    CHECK(mill_board_take(&board, key_of(2), &ticket) == MILL_CLAIM_TAKEN);
    mill_board_wait(&board, key_of(1), first, true);
    CHECK(mill_board_look(&board, key_of(1)) == MILL_CLAIM_RESTING);
    mill_board_wait(&board, key_of(1), first, false);
    CHECK(mill_board_look(&board, key_of(1)) == MILL_CLAIM_MINE);
    mill_board_wait(&board, key_of(1), first, true);
    mill_board_drop(&board, key_of(1), first);
    CHECK(mill_board_look(&board, key_of(1)) == MILL_CLAIM_NONE);
    CHECK(mill_board_look(&board, key_of(2)) == MILL_CLAIM_MINE);
    mill_board_close(&board);
}

static void two_stores_of_one_process_see_each_other(void)
{
    struct mill_board a, b;
    fresh();
    mill_board_open(&a, path);
    mill_board_open(&b, path);
    int ticket, none;
    CHECK(mill_board_take(&a, key_of(1), &ticket) == MILL_CLAIM_TAKEN);
    CHECK(mill_board_take(&b, key_of(1), &none) == MILL_CLAIM_OTHERS && none == 0);
    mill_board_wait(&a, key_of(1), ticket, true);
    CHECK(mill_board_look(&b, key_of(1)) == MILL_CLAIM_WAITING);
    mill_board_drop(&b, key_of(1), none);
    CHECK(mill_board_look(&b, key_of(1)) == MILL_CLAIM_WAITING);
    uint64_t before = mill_board_commits(&b);
    mill_board_commit(&a);
    CHECK(mill_board_commits(&b) == before + 1);
    mill_board_close(&a); /* gives back what it had */
    CHECK(mill_board_take(&b, key_of(1), &ticket) == MILL_CLAIM_TAKEN);
    mill_board_close(&b);
}

static void a_full_bucket_gives_no_claim(void)
{
    struct mill_board board;
    fresh();
    int ticket, third = 0;
    mill_board_open(&board, path);
    for (uint64_t i = 0; i < 9; i++) {
        struct mill_hash key = {.low = 77, .high = i + 1};
        CHECK(mill_board_take(&board, key, &ticket) ==
              (i < 8 ? MILL_CLAIM_TAKEN : MILL_CLAIM_NONE));
        if (i == 2) third = ticket;
    }
    mill_board_drop(&board, (struct mill_hash){.low = 77, .high = 3}, third);
    CHECK(mill_board_take(&board, (struct mill_hash){.low = 77, .high = 9}, &ticket) ==
          MILL_CLAIM_TAKEN);
    mill_board_close(&board);
}

static void without_a_file_there_are_no_claims(void)
{
    struct mill_board board;
    int ticket;
    mill_board_open(&board, "/proc/none/claims");
    CHECK(mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_NONE);
    uint64_t before = mill_board_commits(&board);
    mill_board_commit(&board);
    CHECK(mill_board_commits(&board) == before + 1);
    mill_board_close(&board);
}

static void a_file_of_something_else_is_left_alone(void)
{
    struct mill_board board;
    char text[32] = "";
    FILE *file = fopen(path, "w");
    fputs("dear diary, what a long day it was", file);
    fclose(file);
    int ticket;
    mill_board_open(&board, path);
    CHECK(mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_NONE);
    mill_board_close(&board);
    file = fopen(path, "r");
    CHECK(fread(text, 1, 10, file) == 10 && memcmp(text, "dear diary", 10) == 0);
    CHECK(fseek(file, 0, SEEK_END) == 0 && ftell(file) == 34);
    fclose(file);
}

static int hold(void)
{
    struct mill_board board;
    int ticket;
    mill_board_open(&board, path);
    char taken = mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_TAKEN ? 'y' : 'n';
    if (write(STDOUT_FILENO, &taken, 1) != 1) return 1;
    pause();
    return 0;
}

static void a_claim_dies_with_its_process(void)
{
    struct mill_board board;
    int ends[2], ticket;
    char taken = 0;
    fresh();
    mill_board_open(&board, path);
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child < 0) abort(); /* and kill nobody */
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        char program[] = "/proc/self/exe";
        execl(program, "test_board", "hold", path, (char *)NULL);
        _exit(1);
    }
    CHECK(read(ends[0], &taken, 1) == 1 && taken == 'y');
    CHECK(mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_OTHERS);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(mill_board_look(&board, key_of(1)) == MILL_CLAIM_NONE);
    CHECK(mill_board_take(&board, key_of(1), &ticket) == MILL_CLAIM_TAKEN);
    mill_board_close(&board);
    close(ends[0]);
    close(ends[1]);
}

/* ---- several at once -------------------------------------------------------------------- */

enum { KEYS = 4, ROUNDS = 20000, THREADS = 4 };

static _Atomic int *holders; /* by key, shared by processes */

struct contender {
    struct mill_board *board;
    uint64_t random;
    int taken, bad;
};

static void *contend(void *context)
{
    struct contender *contender = context;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t number = random_of(&contender->random, KEYS);
        struct mill_hash key = {.low = 5, .high = number + 1}; /* all in one bucket */
        int ticket;
        if (mill_board_take(contender->board, key, &ticket) != MILL_CLAIM_TAKEN) continue;
        contender->taken++;
        if (atomic_fetch_add(&holders[number], 1) != 0) contender->bad++;
        atomic_fetch_sub(&holders[number], 1);
        mill_board_drop(contender->board, key, ticket);
    }
    return NULL;
}

/* The failures among threads of one process. */
static int contend_in(uint64_t seed)
{
    struct mill_board board;
    struct contender contenders[THREADS];
    pthread_t threads[THREADS];
    int bad = 0, taken = 0;
    mill_board_open(&board, path);
    for (int i = 0; i < THREADS; i++) {
        contenders[i] = (struct contender){&board, seed * 31 + (uint64_t)i, 0, 0};
        pthread_create(&threads[i], NULL, contend, &contenders[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        bad += contenders[i].bad;
        taken += contenders[i].taken;
    }
    mill_board_close(&board);
    return bad + (taken == 0);
}

static void nobody_shares_a_claim_whatever_the_threads_and_processes(void)
{
    uint64_t seed = check_seed();
    fresh();
    holders = mmap(NULL, sizeof *holders * KEYS, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t children[3];
    for (int i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(contend_in(seed + (uint64_t)i) != 0);
    }
    CHECK(contend_in(seed + 3) == 0);
    for (int i = 0; i < 3; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        CHECK(status == 0);
    }
    munmap((void *)holders, sizeof *holders * KEYS);
}

int main(int count, char **arguments)
{
    if (count > 2) {
        snprintf(path, sizeof path, "%s", arguments[2]);
        return hold();
    }
    strcpy(path, "/tmp/tidemill-board-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) return 2;
    close(fd);
    RUN(a_claim_is_taken_once_and_given_back);
    RUN(two_stores_of_one_process_see_each_other);
    RUN(a_full_bucket_gives_no_claim);
    RUN(without_a_file_there_are_no_claims);
    RUN(a_file_of_something_else_is_left_alone);
    RUN(a_claim_dies_with_its_process);
    RUN(nobody_shares_a_claim_whatever_the_threads_and_processes);
    unlink(path);
    return check_end();
}

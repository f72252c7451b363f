/* test_file: whole files in, plain and packed, whole and broken; and files replaced in a step.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/file.h"

#include <libdeflate.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "folder_check.h"
#include "random_check.h"

static void save(const char *name, const void *bytes, size_t size)
{
    write_bytes(in_folder(name), bytes, size);
}

/* Text without the folder's name. */
static const char *short_text(const struct mill_error *error)
{
    size_t prefix = strlen(folder);
    return strncmp(error->text, folder, prefix) == 0 ? error->text + prefix + 1 : error->text;
}

static bool reads_as(const char *name, const void *expected, size_t size)
{
    struct mill_memory memory = {0};
    struct mill_buffer *bytes = NULL;
    struct mill_error error = {0};
    tidemill_status status =
        mill_file_read_unpacked(&memory, in_folder(name), &bytes, NULL, &error);
    if (status != TIDEMILL_OK) {
        fprintf(stderr, "%s\n", error.text);
        return false;
    }
    bool same = bytes->size == size && memcmp(bytes->data, expected, size) == 0;
    same &= memory.bytes == (int64_t)size;
    mill_buffer_unref(bytes);
    return same && memory.bytes == 0;
}

/* The error of a file that must not read; nothing may stay allocated. */
static const char *read_error(const char *path, tidemill_status expected)
{
    static struct mill_error error;
    struct mill_memory memory = {0};
    struct mill_buffer *bytes = NULL;
    memset(&error, 0, sizeof error);
    tidemill_status status = mill_file_read_unpacked(&memory, path, &bytes, NULL, &error);
    CHECK_SAYING(status == expected, "status %d, expected %d", status, expected);
    CHECK(bytes == NULL && memory.bytes == 0);
    return short_text(&error);
}

/* Whether it is found that a bit of a packed file was changed.  Some bits of a packed text mean nothing, as
 * those of codes that it does not use, or that fill up its last byte: then it reads as before. */
static bool is_found(const char *name, const void *plain, size_t size)
{
    struct mill_memory memory = {0};
    struct mill_buffer *bytes = NULL;
    struct mill_error error = {0};
    tidemill_status status =
        mill_file_read_unpacked(&memory, in_folder(name), &bytes, NULL, &error);
    if (status == TIDEMILL_OK) {
        CHECK(bytes->size == size && memcmp(bytes->data, plain, size) == 0);
        mill_buffer_unref(bytes);
        return false;
    }
    CHECK(status == TIDEMILL_DATA && bytes == NULL && memory.bytes == 0);
    CHECK_TEXT(short_text(&error), "packed: broken gzip data (truncated or damaged)");
    return true;
}

static size_t pack(const void *bytes, size_t size, void *packed, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t used = libdeflate_gzip_compress(compressor, bytes, size, packed, room);
    libdeflate_free_compressor(compressor);
    if (used == 0) abort();
    return used;
}

/* ---- reading --------------------------------------------------------------------------- */

static void a_file_is_its_bytes_and_their_hash(void)
{
    char bytes[100000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)random_below(256);
    bytes[0] = 'x';
    static const size_t sizes[] = {0, 1, 63, 64, 65, 4096, sizeof bytes};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        save("plain", bytes, sizes[i]);
        CHECK(reads_as("plain", bytes, sizes[i]));
        struct mill_buffer *buffer;
        struct mill_hash hash;
        CHECK(mill_file_read(NULL, in_folder("plain"), &buffer, &hash, NULL) == TIDEMILL_OK);
        CHECK(mill_hash_equal(hash, mill_hash_bytes(bytes, sizes[i])));
        mill_buffer_unref(buffer);
    }
    unlink(in_folder("plain"));
}

static void files_that_hide_their_size_are_read_to_the_end(void)
{
    struct mill_buffer *buffer;
    CHECK(mill_file_read(NULL, "/proc/self/status", &buffer, NULL, NULL) == TIDEMILL_OK);
    CHECK(buffer->size > 100 && memcmp(buffer->data, "Name:", 5) == 0);
    mill_buffer_unref(buffer);
}

static void what_cannot_be_read_is_named(void)
{
    CHECK_TEXT(read_error("/nowhere/at-all", TIDEMILL_IO),
               "/nowhere/at-all: No such file or directory");
    CHECK_TEXT(read_error("/tmp", TIDEMILL_IO), "/tmp: Is a directory");
    if (geteuid() == 0) return; /* root may read everything */
    save("secret", "x", 1);
    chmod(in_folder("secret"), 0);
    CHECK_TEXT(read_error(in_folder("secret"), TIDEMILL_IO), "secret: Permission denied");
    unlink(in_folder("secret"));
}

/* ---- gzip ------------------------------------------------------------------------------ */

static void gzip_is_unpacked_whatever_its_members(void)
{
    enum { ROOM = 1 << 20 };
    char *plain = malloc(ROOM), *packed = malloc(ROOM);
    for (int round = 0; round < 60; round++) {
        size_t used = 0, packed_used = 0;
        int members = 1 + (int)random_below(round % 4 ? 4 : 60);
        for (int i = 0; i < members; i++) {
            /* Sizes and contents that pack well, badly or not at all. */
            size_t size = random_below(2) ? random_below(40) : random_below(8000);
            int letters = 1 + (int)random_below(random_below(2) ? 3 : 255);
            for (size_t b = 0; b < size; b++) {
                plain[used + b] = (char)random_below((uint32_t)letters);
            }
            packed_used += pack(plain + used, size, packed + packed_used, ROOM - packed_used);
            used += size;
        }
        size_t padding = random_below(2) * random_below(600);
        memset(packed + packed_used, 0, padding);
        save("packed", packed, packed_used + padding);
        CHECK(reads_as("packed", plain, used));
    }
    /* A thousand to one: the trailer is right and must be believed, or room doubled. */
    memset(plain, 'a', ROOM);
    save("packed", packed, pack(plain, ROOM, packed, ROOM));
    CHECK(reads_as("packed", plain, ROOM));
    unlink(in_folder("packed"));
    free(plain);
    free(packed);
}

static void the_hash_is_that_of_the_packed_bytes(void)
{
    char packed[200];
    size_t size = pack("tide", 4, packed, sizeof packed);
    struct mill_buffer *buffer;
    struct mill_hash hash;
    save("packed", packed, size);
    CHECK(mill_file_read_unpacked(NULL, in_folder("packed"), &buffer, &hash, NULL) == 0);
    CHECK(buffer->size == 4 && mill_hash_equal(hash, mill_hash_bytes(packed, size)));
    mill_buffer_unref(buffer);
    CHECK(mill_file_read(NULL, in_folder("packed"), &buffer, &hash, NULL) == TIDEMILL_OK);
    CHECK(buffer->size == size && mill_hash_equal(hash, mill_hash_bytes(packed, size)));
    mill_buffer_unref(buffer);
    unlink(in_folder("packed"));
}

static void broken_gzip_is_an_error_not_fewer_bytes(void)
{
    static const char expected[] = "packed: broken gzip data (truncated or damaged)";
    char plain[3000], packed[4000];
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (char)('a' + random_below(4));
    size_t size = pack(plain, sizeof plain, packed, sizeof packed);
    for (size_t cut = 3; cut < size; cut += cut < 40 || cut + 20 > size ? 1 : 37) {
        save("packed", packed, cut);
        CHECK_TEXT(read_error(in_folder("packed"), TIDEMILL_DATA), expected);
    }
    save("packed", packed, 2); /* too short to be taken for gzip */
    CHECK(reads_as("packed", packed, 2));
    memcpy(packed + size, "rubbish", 7);
    save("packed", packed, size + 7);
    CHECK_TEXT(read_error(in_folder("packed"), TIDEMILL_DATA), expected);
    int found = 0;
    for (int round = 0; round < 300; round++) {
        size_t at = 10 + random_below((uint32_t)size - 10); /* past the header's free fields */
        packed[at] ^= (char)(1 << random_below(8));
        save("packed", packed, size);
        found += is_found("packed", plain, sizeof plain);
        pack(plain, sizeof plain, packed, sizeof packed);
    }
    CHECK_SAYING(found >= 280, "%d of 300 changed bits were found", found);
    unlink(in_folder("packed"));
}

/* ---- writing --------------------------------------------------------------------------- */

static void a_write_replaces_the_file_and_leaves_nothing_beside_it(void)
{
    struct stat info;
    mode_t mask = umask(077);
    CHECK(mill_file_write(in_folder("out"), "first", 5, NULL) == TIDEMILL_OK);
    umask(mask);
    CHECK(reads_as("out", "first", 5));
    CHECK(stat(in_folder("out"), &info) == 0 && (info.st_mode & 0777) == 0644);
    chmod(in_folder("out"), 0600);
    CHECK(mill_file_write(in_folder("out"), "second", 6, NULL) == TIDEMILL_OK);
    CHECK(reads_as("out", "second", 6));
    CHECK(stat(in_folder("out"), &info) == 0 && (info.st_mode & 0777) == 0600);
    CHECK(mill_file_write(in_folder("out"), NULL, 0, NULL) == TIDEMILL_OK);
    CHECK(reads_as("out", "", 0));
    CHECK(count_files(folder) == 1);
    unlink(in_folder("out"));
}

static void a_link_stays_a_link(void)
{
    struct stat info;
    save("target", "old", 3);
    CHECK(symlink("target", in_folder("link")) == 0);
    CHECK(mill_file_write(in_folder("link"), "new", 3, NULL) == TIDEMILL_OK);
    CHECK(lstat(in_folder("link"), &info) == 0 && S_ISLNK(info.st_mode));
    CHECK(reads_as("target", "new", 3));
    unlink(in_folder("link"));
    unlink(in_folder("target"));
}

static void a_device_takes_the_bytes_and_stays(void)
{
    struct stat info;
    CHECK(mill_file_write("/dev/null", "x", 1, NULL) == TIDEMILL_OK);
    CHECK(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    struct mill_error error = {0};
    if (access("/dev/full", W_OK) != 0) return;
    CHECK(mill_file_write("/dev/full", "x", 1, &error) == TIDEMILL_IO);
    CHECK_TEXT(error.text, "/dev/full: No space left on device");
}

static void a_failed_write_keeps_the_old_file(void)
{
    struct mill_error error = {0};
    CHECK(mill_file_write("/nowhere/at-all", "x", 1, &error) == TIDEMILL_IO);
    CHECK_TEXT(error.text, "/nowhere/at-all: No such file or directory");
    CHECK(mill_file_write(folder, "x", 1, &error) == TIDEMILL_IO);
    CHECK(strstr(error.text, "Is a directory"));

    /* The disk is full after 4096 bytes. */
    static char large[10000];
    struct rlimit old, tight;
    save("out", "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = old;
    tight.rlim_cur = 4096;
    CHECK(setrlimit(RLIMIT_FSIZE, &tight) == 0);
    CHECK(mill_file_write(in_folder("out"), large, sizeof large, &error) == TIDEMILL_IO);
    setrlimit(RLIMIT_FSIZE, &old);
    CHECK_TEXT(short_text(&error), "out: File too large");
    CHECK(reads_as("out", "old", 3));
    CHECK(count_files(folder) == 1);
    unlink(in_folder("out"));
}

static void names_left_by_a_crash_are_passed_over(void)
{
    char name[64];
    snprintf(name, sizeof name, ".tidemill-%ld-0", (long)getpid());
    save(name, "left", 4);
    CHECK(mill_file_write(in_folder("out"), "new", 3, NULL) == TIDEMILL_OK);
    CHECK(reads_as("out", "new", 3) && reads_as(name, "left", 4));
    CHECK(count_files(folder) == 2);
    unlink(in_folder(name));
    unlink(in_folder("out"));
}

static void nothing_was_left_behind(void)
{
    CHECK(count_files(folder) == 0);
}

int main(void)
{
    folder_make();
    random_state = check_seed();
    RUN(a_file_is_its_bytes_and_their_hash);
    RUN(files_that_hide_their_size_are_read_to_the_end);
    RUN(what_cannot_be_read_is_named);
    RUN(gzip_is_unpacked_whatever_its_members);
    RUN(the_hash_is_that_of_the_packed_bytes);
    RUN(broken_gzip_is_an_error_not_fewer_bytes);
    RUN(a_write_replaces_the_file_and_leaves_nothing_beside_it);
    RUN(a_link_stays_a_link);
    RUN(a_device_takes_the_bytes_and_stays);
    RUN(a_failed_write_keeps_the_old_file);
    RUN(names_left_by_a_crash_are_passed_over);
    RUN(nothing_was_left_behind);
    folder_remove();
    return check_end();
}

/* library: shared objects that the process opens while it runs.  SPDX-License-Identifier: MIT */
#include "base/library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_at(int fd, void *out, size_t size, off_t at)
{
    return pread(fd, out, size, at) == (ssize_t)size;
}

/* Of a file that is no object, or of another kind: dlopen says so. */
static bool is_object(int fd, ElfW(Ehdr) * head)
{
    return read_at(fd, head, sizeof *head, 0) && memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
           head->e_phentsize == sizeof(ElfW(Phdr));
}

/* Whether it ends before what its program headers tell of. */
static bool lacks_parts(int fd, const ElfW(Ehdr) * head, uint64_t size)
{
    for (int i = 0; i < head->e_phnum; i++) {
        ElfW(Phdr) part;
        off_t at = (off_t)head->e_phoff + i * (off_t)sizeof part;
        if (!read_at(fd, &part, sizeof part, at)) return true;
        if (part.p_type != PT_LOAD) continue;
        if (part.p_filesz > size || part.p_offset > size - part.p_filesz) return true;
    }
    return false;
}

static bool is_cut_short(const char *path)
{
    struct stat status;
    ElfW(Ehdr) head;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    bool cut = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && is_object(fd, &head) &&
               lacks_parts(fd, &head, (uint64_t)status.st_size);
    close(fd);
    return cut;
}

void *mill_library_open(const char *path, struct mill_error *error)
{
    if (is_cut_short(path)) {
        mill_fail(error, TIDEMILL_DATA, "%s: is cut short", path);
        return NULL;
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *said = dlerror(); /* with the path */
        mill_fail(error, TIDEMILL_IO, "%s", said ? said : "cannot be opened");
    }
    return library;
}

/* embedded: texts inside the program.  SPDX-License-Identifier: MIT */
#include "bind/embedded.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

static int compare_embedded(const void *name, const void *entry)
{
    return strcmp(name, ((const struct mill_embedded *)entry)->name);
}

const struct mill_embedded *mill_embedded_find(const char *name)
{
    size_t count = 0;
    while (mill_embedded[count].name) count++;
    return bsearch(name, mill_embedded, count, sizeof *mill_embedded, compare_embedded);
}

tidemill_status mill_embedded_unpack(const struct mill_embedded *entry, char *room,
                                     struct mill_error *error)
{
    room[entry->size] = '\0';
    if (entry->packed == 0) {
        memcpy(room, entry->bytes, entry->size);
        return TIDEMILL_OK;
    }
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    if (inflater == NULL) return mill_no_memory(error, "a text inside the program");
    /* Without a place for the length, one that is not `size` is an error; so is a wrong checksum. */
    enum libdeflate_result result = libdeflate_zlib_decompress(
        inflater, entry->bytes, entry->packed, room, entry->size, NULL);
    libdeflate_free_decompressor(inflater);
    if (result == LIBDEFLATE_SUCCESS) return TIDEMILL_OK;
    return mill_fail(error, TIDEMILL_DATA,
                     "the text \"%s\" inside the program is damaged: install it again",
                     entry->name);
}

const char *mill_embedded_text(const struct mill_embedded *entry, char **owned,
                               struct mill_error *error)
{
    *owned = NULL;
    if (entry->packed == 0) return entry->bytes;
    char *room = malloc(entry->size + 1);
    if (room == NULL) {
        mill_no_memory(error, "a text inside the program");
        return NULL;
    }
    if (mill_embedded_unpack(entry, room, error) != TIDEMILL_OK) {
        free(room);
        return NULL;
    }
    *owned = room;
    return room;
}

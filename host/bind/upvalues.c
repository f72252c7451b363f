/* upvalues: names of a function's upvalues.  The format is drawn in bind/bytecode.c; the debug part of
 * a prototype begins with the lines of its instructions, in 1, 2 or 4 bytes each, which are followed
 * by the names of its upvalues.  SPDX-License-Identifier: MIT */
#include "bind/upvalues.h"

#include <string.h>

#include "data/packed.h"

enum { STRIPPED = 2 };

/* The outermost function comes last. */
static struct mill_unpacker last_prototype(struct mill_unpacker in)
{
    struct mill_unpacker last = {in.at, in.at, false};
    for (size_t size; !in.bad && (size = (size_t)mill_unpacker_size(&in)) > 0;) {
        const uint8_t *start = mill_unpacker_bytes(&in, size);
        if (start) last = (struct mill_unpacker){start, start + size, false};
    }
    return last;
}

struct mill_upvalues mill_upvalues_of(const void *dump, size_t size)
{
    struct mill_unpacker in = {dump, (const uint8_t *)dump + size, false};
    size_t length;
    mill_unpacker_bytes(&in, 4);
    if (mill_unpacker_size(&in) & STRIPPED) return (struct mill_upvalues){NULL, NULL};
    mill_unpacker_text(&in, &length);
    struct mill_unpacker proto = last_prototype(in);
    mill_unpacker_bytes(&proto, 4); /* flags, parameters, frame, upvalues */
    mill_unpacker_size(&proto);
    mill_unpacker_size(&proto);
    uint64_t instructions = mill_unpacker_size(&proto), debug = mill_unpacker_size(&proto);
    if (debug == 0) return (struct mill_upvalues){NULL, NULL};
    mill_unpacker_size(&proto);
    uint64_t lines = mill_unpacker_size(&proto);
    uint64_t wide = lines < 256 ? 1 : lines < 65536 ? 2 : 4;
    size_t left = (size_t)(proto.end - proto.at);
    if (proto.bad || debug > left || instructions > debug / wide) {
        return (struct mill_upvalues){NULL, NULL};
    }
    const char *end = (const char *)proto.end;
    return (struct mill_upvalues){end - debug + instructions * wide, end};
}

const char *mill_upvalues_next(struct mill_upvalues *upvalues)
{
    const char *name = upvalues->at;
    const char *zero = name ? memchr(name, 0, (size_t)(upvalues->end - name)) : NULL;
    if (zero == NULL) return "";
    upvalues->at = zero + 1;
    return name;
}

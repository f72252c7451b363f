/* part: packed tables taken apart and put together.  SPDX-License-Identifier: MIT */
#include "data/part.h"

#include <stdlib.h>
#include <string.h>

#include "base/room.h"

/* ---- moving over values ----------------------------------------------------------------- */

struct skipper {
    struct mill_unpacker in;
    const struct mill_packed *packed;
    struct mill_place place; /* but for `at`, which `in` has */
    uint32_t target;         /* the object to stop at; UINT32_MAX: none */
    bool found;              /* `place` is that of the target */
};

static struct mill_unpacker unpacker_at(const struct mill_packed *packed,
                                        const struct mill_place *place)
{
    return (struct mill_unpacker){packed->bytes + place->at, packed->bytes + packed->size,
                                  false};
}

static struct skipper skipper_at(const struct mill_packed *packed,
                                 const struct mill_place *place)
{
    return (struct skipper){unpacker_at(packed, place), packed, *place, UINT32_MAX, false};
}

static struct mill_place place_of(const struct skipper *skipper)
{
    struct mill_place place = skipper->place;
    place.at = (uint64_t)(skipper->in.at - skipper->packed->bytes);
    return place;
}

static void skip(struct skipper *skipper);

static void skip_table(struct skipper *skipper)
{
    uint64_t list = mill_unpacker_size(&skipper->in), pairs = mill_unpacker_size(&skipper->in);
    uint64_t meta = mill_unpacker_byte(&skipper->in);
    for (uint64_t i = 0; i < list + 2 * pairs + meta && !skipper->found; i++) skip(skipper);
}

static void skip_function(struct skipper *skipper)
{
    size_t size;
    mill_unpacker_bytes(&skipper->in, 16);
    mill_unpacker_text(&skipper->in, &size);
    uint64_t upvalues = mill_unpacker_size(&skipper->in);
    for (uint64_t i = 0; i < upvalues && !skipper->found; i++) {
        if (mill_unpacker_size(&skipper->in) < skipper->place.cells) continue;
        skipper->place.cells++;
        skip(skipper);
    }
    if (skipper->found) return;
    if (mill_unpacker_size(&skipper->in) >= skipper->place.environments) {
        skipper->place.environments++;
    }
    uint64_t names = mill_unpacker_size(&skipper->in);
    for (uint64_t i = 0; i < names && !skipper->found; i++) {
        mill_unpacker_text(&skipper->in, &size);
        if (mill_unpacker_byte(&skipper->in)) skip(skipper);
    }
}

static void skip(struct skipper *skipper)
{
    size_t size;
    uint8_t mark = *skipper->in.at;
    bool object = mark == MILL_MARK_TABLE || mark == MILL_MARK_FUNCTION;
    if (object && skipper->place.objects == skipper->target) {
        skipper->found = true;
        return;
    }
    if (object) skipper->place.objects++;
    mill_unpacker_byte(&skipper->in);
    switch (mark) {
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        mill_unpacker_word(&skipper->in);
        break;
    case MILL_MARK_MODULE:
        mill_unpacker_bytes(&skipper->in, 16);
        mill_unpacker_text(&skipper->in, &size); /* fall through */
    case MILL_MARK_STRING:
    case MILL_MARK_BUILTIN:
        mill_unpacker_text(&skipper->in, &size);
        break;
    case MILL_MARK_SEEN:
    case MILL_MARK_ARRAY:
    case MILL_MARK_NODE:
    case MILL_MARK_SHARED:
        mill_unpacker_size(&skipper->in);
        break;
    case MILL_MARK_TABLE:
        skip_table(skipper);
        break;
    case MILL_MARK_FUNCTION:
        skip_function(skipper);
        break;
    default:
        break;
    }
}

void mill_part_skip(const struct mill_packed *packed, struct mill_place *place)
{
    struct skipper skipper = skipper_at(packed, place);
    skip(&skipper);
    *place = place_of(&skipper);
}

/* Where the object of a number begins. */
static struct mill_place place_of_object(const struct mill_packed *packed, uint32_t number)
{
    struct mill_place start = {0};
    struct skipper skipper = skipper_at(packed, &start);
    skipper.target = number;
    skip(&skipper);
    return place_of(&skipper);
}

bool mill_part_table(const struct mill_packed *packed, struct mill_place *place,
                     struct mill_table_head *head)
{
    struct mill_unpacker in = unpacker_at(packed, place);
    if (mill_unpacker_byte(&in) != MILL_MARK_TABLE) return false;
    head->list = mill_unpacker_size(&in);
    head->pairs = mill_unpacker_size(&in);
    head->meta = mill_unpacker_byte(&in) != 0;
    place->at = (uint64_t)(in.at - packed->bytes);
    place->objects++;
    return true;
}

const char *mill_part_text(const struct mill_packed *packed, struct mill_place *place,
                           size_t *size)
{
    struct mill_unpacker in = unpacker_at(packed, place);
    if (mill_unpacker_byte(&in) != MILL_MARK_STRING) return NULL;
    const char *text = mill_unpacker_text(&in, size);
    place->at = (uint64_t)(in.at - packed->bytes);
    return text;
}

/* ---- copying values, renumbered --------------------------------------------------------- */

struct numbering {  /* old numbers to new ones */
    uint32_t *next; /* by old number: new number + 1; 0: has none yet */
    uint32_t room;
};

struct copier {
    struct mill_packer *out;
    const struct mill_packed *from;
    struct numbering objects, cells, environments;        /* of `from` */
    uint32_t object_count, cell_count, environment_count; /* in `out` */
    int depth;
    tidemill_status status;
};

static uint32_t new_number(const struct numbering *numbering, uint64_t old)
{
    return old < numbering->room ? numbering->next[old] : 0;
}

static bool give_number(struct copier *copier, struct numbering *numbering, uint64_t old,
                        uint32_t *count)
{
    if (old >= numbering->room) {
        uint64_t room = old < 8 ? 16 : 2 * old;
        if (room > UINT32_MAX ||
            !mill_room_set(&numbering->next, room, sizeof *numbering->next)) {
            copier->status = TIDEMILL_MEMORY;
            return false;
        }
        memset(numbering->next + numbering->room, 0,
               (room - numbering->room) * sizeof *numbering->next);
        numbering->room = (uint32_t)room;
    }
    numbering->next[old] = ++*count;
    return true;
}

static void forget_numbers(struct copier *copier)
{
    struct numbering *all[] = {&copier->objects, &copier->cells, &copier->environments};
    for (int i = 0; i < 3; i++) {
        free(all[i]->next);
        *all[i] = (struct numbering){NULL, 0};
    }
}

static void copy_one(struct copier *copier, struct skipper *at);

static void copy_seen(struct copier *copier, uint32_t number)
{
    mill_packer_byte(copier->out, MILL_MARK_SEEN);
    mill_packer_size(copier->out, number - 1);
}

/* One that lies elsewhere, outside of what is copied. */
static void copy_object(struct copier *copier, uint64_t old)
{
    uint32_t number = new_number(&copier->objects, old);
    if (number) {
        copy_seen(copier, number);
        return;
    }
    struct mill_place place = place_of_object(copier->from, (uint32_t)old);
    struct skipper elsewhere = skipper_at(copier->from, &place);
    copy_one(copier, &elsewhere);
}

static uint64_t copy_size(struct copier *copier, struct skipper *at)
{
    uint64_t size = mill_unpacker_size(&at->in);
    mill_packer_size(copier->out, size);
    return size;
}

static void copy_bytes(struct copier *copier, struct skipper *at, size_t size)
{
    mill_packer_bytes(copier->out, mill_unpacker_bytes(&at->in, size), size);
}

static void copy_text(struct copier *copier, struct skipper *at)
{
    size_t size;
    const char *text = mill_unpacker_text(&at->in, &size);
    mill_packer_text(copier->out, text, size);
}

static void copy_table(struct copier *copier, struct skipper *at)
{
    uint64_t list = copy_size(copier, at), pairs = copy_size(copier, at);
    uint64_t meta = mill_unpacker_byte(&at->in);
    mill_packer_byte(copier->out, (uint8_t)meta);
    for (uint64_t i = 0; i < list + 2 * pairs + meta && copier->status == TIDEMILL_OK; i++) {
        copy_one(copier, at);
    }
}

/* What a function shares with one that is not copied would have to be looked for. */
static bool copy_upvalue(struct copier *copier, struct skipper *at)
{
    uint64_t old = mill_unpacker_size(&at->in);
    bool fresh = old >= at->place.cells;
    uint32_t number = new_number(&copier->cells, old);
    if (fresh) at->place.cells++;
    if (number == 0 && !fresh) copier->status = TIDEMILL_UNSUPPORTED;
    if (number == 0 && fresh) {
        mill_packer_size(copier->out, copier->cell_count);
        if (give_number(copier, &copier->cells, old, &copier->cell_count)) copy_one(copier, at);
    } else {
        mill_packer_size(copier->out, number - 1);
        if (fresh) skip(at);
    }
    return copier->status == TIDEMILL_OK;
}

static bool copy_environment(struct copier *copier, struct skipper *at)
{
    uint64_t old = mill_unpacker_size(&at->in);
    bool fresh = old >= at->place.environments;
    if (fresh) at->place.environments++;
    if (fresh && !give_number(copier, &copier->environments, old, &copier->environment_count)) {
        return false;
    }
    uint32_t number = new_number(&copier->environments, old);
    if (number == 0) copier->status = TIDEMILL_UNSUPPORTED;
    mill_packer_size(copier->out, number - 1);
    return number != 0;
}

static void copy_function(struct copier *copier, struct skipper *at)
{
    copy_bytes(copier, at, 16);
    copy_text(copier, at);
    uint64_t upvalues = copy_size(copier, at);
    for (uint64_t i = 0; i < upvalues; i++) {
        if (!copy_upvalue(copier, at)) return;
    }
    if (!copy_environment(copier, at)) return;
    uint64_t names = copy_size(copier, at);
    for (uint64_t i = 0; i < names && copier->status == TIDEMILL_OK; i++) {
        copy_text(copier, at);
        uint8_t follows = mill_unpacker_byte(&at->in);
        mill_packer_byte(copier->out, follows);
        if (follows) copy_one(copier, at);
    }
}

/* A table or function, the mark of which is at `at`. */
static void copy_fresh_object(struct copier *copier, struct skipper *at, uint8_t mark)
{
    uint32_t old = at->place.objects, number = new_number(&copier->objects, old);
    if (number) { /* met before, by way of something that refers to it */
        copy_seen(copier, number);
        skip(at);
        return;
    }
    if (!give_number(copier, &copier->objects, old, &copier->object_count)) return;
    if (++copier->depth > MILL_PACKED_DEPTH) {
        copier->status = TIDEMILL_UNSUPPORTED;
        return;
    }
    at->place.objects++;
    mill_unpacker_byte(&at->in);
    mill_packer_byte(copier->out, mark);
    if (mark == MILL_MARK_TABLE) {
        copy_table(copier, at);
    } else {
        copy_function(copier, at);
    }
    copier->depth--;
}

static void copy_one(struct copier *copier, struct skipper *at)
{
    uint8_t mark = *at->in.at;
    if (mark == MILL_MARK_TABLE || mark == MILL_MARK_FUNCTION) {
        copy_fresh_object(copier, at, mark);
        return;
    }
    mill_unpacker_byte(&at->in);
    switch (mark) {
    case MILL_MARK_SEEN:
        copy_object(copier, mill_unpacker_size(&at->in));
        break;
    case MILL_MARK_ARRAY:
        mill_packer_array(copier->out, copier->from->arrays[mill_unpacker_size(&at->in)]);
        break;
    case MILL_MARK_SHARED:
        mill_packer_shared(copier->out, copier->from->shared[mill_unpacker_size(&at->in)]);
        break;
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        mill_packer_word(copier->out, mark, mill_unpacker_word(&at->in));
        break;
    case MILL_MARK_MODULE:
        mill_packer_byte(copier->out, mark);
        copy_bytes(copier, at, 16);
        copy_text(copier, at);
        copy_text(copier, at);
        break;
    case MILL_MARK_STRING:
    case MILL_MARK_BUILTIN:
        mill_packer_byte(copier->out, mark);
        copy_text(copier, at);
        break;
    case MILL_MARK_NODE:
        copier->status = TIDEMILL_UNSUPPORTED;
        break;
    default:
        mill_packer_byte(copier->out, mark);
    }
}

/* ---- taking apart ----------------------------------------------------------------------- */

static tidemill_status copy_part(const struct mill_packed *packed, struct mill_place *place,
                                 struct mill_value *value)
{
    struct mill_packer out;
    mill_packer_init(&out);
    struct copier copier = {.out = &out, .from = packed};
    struct skipper at = skipper_at(packed, place);
    copy_one(&copier, &at);
    *place = place_of(&at);
    forget_numbers(&copier);
    bool failed = false;
    if (copier.status == TIDEMILL_OK) {
        *value = mill_packer_take(&out, &failed);
    } else {
        mill_packer_fini(&out);
    }
    return failed ? TIDEMILL_MEMORY : copier.status;
}

static tidemill_status make_text(const char *text, size_t size, struct mill_value *value)
{
    bool failed = false;
    *value = mill_string(text, size, &failed);
    return failed ? TIDEMILL_MEMORY : TIDEMILL_OK;
}

tidemill_status mill_part_take(const struct mill_packed *packed, struct mill_place *place,
                               struct mill_value *value)
{
    struct mill_unpacker in = unpacker_at(packed, place);
    uint8_t mark = mill_unpacker_byte(&in);
    tidemill_status status = TIDEMILL_OK;
    size_t size;
    *value = mill_nil();
    switch (mark) {
    case MILL_MARK_NIL:
    case MILL_MARK_FALSE:
    case MILL_MARK_TRUE: /* a cell's tag is the same number */
        value->tag = mark;
        break;
    case MILL_MARK_NUMBER:
    case MILL_MARK_INT64:
    case MILL_MARK_UINT64:
        value->tag = mark;
        value->natural = mill_unpacker_word(&in);
        break;
    case MILL_MARK_STRING: {
        const char *text = mill_unpacker_text(&in, &size);
        status = make_text(text, size, value);
        break;
    }
    case MILL_MARK_ARRAY:
        *value = mill_column(mill_array_ref(packed->arrays[mill_unpacker_size(&in)]));
        break;
    default:
        return copy_part(packed, place, value);
    }
    place->at = (uint64_t)(in.at - packed->bytes);
    return status;
}

_Static_assert((int)MILL_TAG_NUMBER == (int)MILL_MARK_NUMBER &&
                   (int)MILL_TAG_INT64 == (int)MILL_MARK_INT64 &&
                   (int)MILL_TAG_UINT64 == (int)MILL_MARK_UINT64 &&
                   (int)MILL_TAG_TRUE == (int)MILL_MARK_TRUE,
               "small values have the same number in a cell and in packed bytes");

/* ---- putting together ------------------------------------------------------------------- */

static void join_packed(struct copier *copier, const struct mill_packed *packed)
{
    struct mill_place start = {0};
    struct skipper at = skipper_at(packed, &start);
    copier->from = packed;
    copy_one(copier, &at);
    forget_numbers(copier);
}

static void join_value(struct copier *copier, const struct mill_value *value)
{
    size_t size;
    const char *text = mill_value_text(value, &size);
    if (text) {
        mill_packer_byte(copier->out, MILL_MARK_STRING);
        mill_packer_text(copier->out, text, size);
    } else if (value->tag == MILL_TAG_PACKED) {
        join_packed(copier, value->packed);
    } else if (value->tag == MILL_TAG_COLUMN) {
        mill_packer_array(copier->out, value->array);
    } else if (value->tag == MILL_TAG_SHARED) {
        mill_packer_shared(copier->out, value->shared);
    } else if (value->tag >= MILL_TAG_NUMBER) {
        mill_packer_word(copier->out, (enum mill_mark)value->tag, value->natural);
    } else {
        mill_packer_byte(copier->out, value->tag);
    }
}

static size_t count_present(const struct mill_named *named, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++) present += named[i].value->tag != MILL_TAG_NIL;
    return present;
}

tidemill_status mill_part_join(const struct mill_value *list, size_t count,
                               const struct mill_named *named, size_t named_count,
                               struct mill_value *table)
{
    struct mill_packer out;
    mill_packer_init(&out);
    struct copier copier = {.out = &out, .object_count = 1, .depth = 1};
    mill_packer_byte(&out, MILL_MARK_TABLE);
    mill_packer_size(&out, count);
    mill_packer_size(&out, count_present(named, named_count));
    mill_packer_byte(&out, 0);
    for (size_t i = 0; i < count && copier.status == TIDEMILL_OK; i++) {
        join_value(&copier, &list[i]);
    }
    for (size_t i = 0; i < named_count && copier.status == TIDEMILL_OK; i++) {
        if (named[i].value->tag == MILL_TAG_NIL) continue;
        mill_packer_byte(&out, MILL_MARK_STRING);
        mill_packer_text(&out, named[i].name, named[i].size);
        join_value(&copier, named[i].value);
    }
    bool failed = false;
    if (copier.status == TIDEMILL_OK) {
        *table = mill_packer_take(&out, &failed);
    } else {
        mill_packer_fini(&out);
    }
    if (copier.status == TIDEMILL_UNSUPPORTED) return TIDEMILL_USAGE;
    return failed ? TIDEMILL_MEMORY : copier.status;
}

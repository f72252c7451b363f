/* test_wire: values and tasks on their way to another process and back, and hostile bytes: a value or
 * an error, never more.  With an argument the fuzzing does that many rounds.
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "data/wire.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_check.h"
#include "lane/order.h"
#include "value_check.h"

static int rounds = 20000;

/* What was written, as a block of exactly these bytes, with copies of the descriptors, as a socket
 * makes them. */
struct sent {
    struct mill_buffer *block;
    int descriptors[MILL_WIRE_DESCRIPTORS];
    int count;
};

static void release(void *context, void *data, size_t size)
{
    (void)context, (void)size;
    free(data);
}

static struct sent send_bytes(const uint8_t *bytes, size_t size)
{
    struct sent sent = {.count = 0};
    void *exact = NULL;
    CHECK(posix_memalign(&exact, 64, size ? size : 1) == 0);
    if (size) memcpy(exact, bytes, size);
    sent.block = mill_buffer_foreign(exact, size, release, NULL);
    return sent;
}

static struct sent send_wire(struct mill_wire *wire)
{
    CHECK_SAYING(mill_wire_is_fine(wire), "%s", wire->error.text);
    struct sent sent = send_bytes(wire->out.bytes, wire->out.size);
    for (int i = 0; i < wire->descriptor_count; i++) {
        sent.descriptors[sent.count++] = fcntl(wire->descriptors[i], F_DUPFD_CLOEXEC, 0);
    }
    mill_wire_fini(wire);
    return sent;
}

static void sent_fini(struct sent *sent)
{
    mill_buffer_unref(sent->block); /* arrays of it may keep it */
}

static struct mill_value receive(struct sent *sent, bool nodes, tidemill_status *status)
{
    struct mill_wire_reader reader;
    mill_wire_reader_init(&reader, sent->block, sent->descriptors, sent->count, NULL);
    struct mill_value value = mill_wire_read(&reader, nodes);
    *status = reader.status;
    if (reader.status == TIDEMILL_OK) CHECK(mill_wire_is_read(&reader));
    mill_wire_reader_fini(&reader);
    return value;
}

static void check_round_trip(struct mill_value value, bool whole)
{
    struct mill_wire wire;
    tidemill_status status;
    mill_wire_init(&wire);
    wire.whole = whole;
    mill_wire_value(&wire, &value, "a value");
    if (whole) CHECK(wire.descriptor_count == 0);
    struct sent sent = send_wire(&wire);
    struct mill_value back = receive(&sent, false, &status);
    CHECK(status == TIDEMILL_OK && same_value(&value, &back));
    CHECK(mill_hash_equal(mill_value_hash(&value, NULL), mill_value_hash(&back, NULL)));
    mill_value_unref(back);
    mill_value_unref(value);
    sent_fini(&sent);
}

static int open_descriptors(void)
{
    int count = 0;
    for (int i = 0; i < 1024; i++) count += fcntl(i, F_GETFD) >= 0;
    return count;
}

/* ---- round trips ------------------------------------------------------------------------------ */

static void values_come_back(void)
{
    for (int i = 0; i < 3000; i++) check_round_trip(random_value(), i % 2);
}

static void every_type_of_array_comes_back_large_and_small(void)
{
    int before = open_descriptors();
    for (int type = MILL_BOOL; type <= MILL_TIMESTAMP; type++) {
        for (int64_t length = 0; length <= 200000; length = 5 * length + 39) {
            check_round_trip(mill_column(array_of((enum mill_type)type, length)), false);
            check_round_trip(mill_column(array_of((enum mill_type)type, length)), true);
        }
    }
    CHECK(open_descriptors() == before);
}

static void large_parts_are_not_copied_into_the_message(void)
{
    struct mill_value value = mill_column(array_of(MILL_FLOAT64, 1 << 20));
    struct mill_array *slice = mill_array_slice(value.array, 1000, 500000);
    struct mill_value part = mill_column(slice);
    struct mill_wire wire;
    tidemill_status status;
    mill_wire_init(&wire);
    mill_wire_value(&wire, &value, "a value");
    CHECK(wire.descriptor_count > 0 && wire.out.size < 300000); /* validity may be inside */
    int count = wire.descriptor_count;
    mill_wire_value(&wire, &part, "a value");
    CHECK(wire.descriptor_count <= count + 1); /* one memory, one descriptor */
    struct sent sent = send_wire(&wire);
    struct mill_wire_reader reader;
    mill_wire_reader_init(&reader, sent.block, sent.descriptors, sent.count, NULL);
    struct mill_value one = mill_wire_read(&reader, false),
                      two = mill_wire_read(&reader, false);
    status = reader.status;
    mill_wire_reader_fini(&reader);
    CHECK(status == TIDEMILL_OK && same_value(&value, &one) && same_value(&part, &two));
    CHECK((double *)one.array->values + 1000 == (double *)two.array->values);
    mill_value_unref(value); /* what was received does not need it */
    mill_value_unref(part);
    check_round_trip(one, false);
    mill_value_unref(two);
    sent_fini(&sent);
}

static void long_strings_come_back(void)
{
    size_t size = 300000;
    char *text = malloc(size);
    for (size_t i = 0; i < size; i++) text[i] = (char)random_below(256);
    for (size_t length = 65530; length < size; length += 58611) {
        bool failed = false;
        check_round_trip(mill_string(text, length, &failed), false);
        check_round_trip(mill_string(text, length, &failed), true);
    }
    free(text);
}

static void tuples_come_back(void)
{
    struct mill_value value = {.tag = MILL_TAG_TUPLE, .tuple = mill_tuple_new(3)};
    value.tuple->cells[0] = mill_number(7);
    value.tuple->cells[1] = random_packed();
    struct mill_wire wire;
    tidemill_status status;
    mill_wire_init(&wire);
    mill_wire_value(&wire, &value, "a value");
    struct sent sent = send_wire(&wire);
    struct mill_value back = receive(&sent, false, &status);
    CHECK(status == TIDEMILL_OK && back.tag == MILL_TAG_TUPLE && back.tuple->count == 3);
    for (int i = 0; i < 3; i++) {
        CHECK(same_value(&value.tuple->cells[i], &back.tuple->cells[i]));
    }
    mill_value_unref(back);
    mill_value_unref(value);
    sent_fini(&sent);
}

/* ---- shared values ------------------------------------------------------------------------------ */

struct side { /* what the other side has been sent */
    struct mill_hash known[8];
    struct mill_shared *kept[8];
    int known_count, kept_count;
};

static bool has(void *context, struct mill_hash hash, size_t size)
{
    struct side *side = context;
    (void)size;
    for (int i = 0; i < side->known_count; i++) {
        if (mill_hash_equal(side->known[i], hash)) return true;
    }
    side->known[side->known_count++] = hash;
    return false;
}

static struct mill_shared *find(void *context, struct mill_hash hash)
{
    struct side *side = context;
    for (int i = 0; i < side->kept_count; i++) {
        if (mill_hash_equal(mill_share_of(side->kept[i])->hash, hash)) return side->kept[i];
    }
    return NULL;
}

static void keep(void *context, struct mill_hash hash, struct mill_shared *shared)
{
    struct side *side = context;
    CHECK(mill_hash_equal(mill_share_of(shared)->hash, hash));
    side->kept[side->kept_count++] = mill_shared_ref(shared);
}

static void a_shared_value_is_sent_once(void)
{
    struct side side = {.known_count = 0};
    struct mill_value inner = random_packed();
    struct mill_value value = {.tag = MILL_TAG_SHARED, .shared = mill_share_new(inner)};
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        struct mill_wire wire;
        struct mill_wire_reader reader;
        mill_wire_init(&wire);
        wire.has = has;
        wire.context = &side;
        mill_wire_value(&wire, &value, "a value");
        sizes[i] = wire.out.size;
        struct sent sent = send_wire(&wire);
        mill_wire_reader_init(&reader, sent.block, NULL, 0, NULL);
        reader.find = find;
        reader.keep = keep;
        reader.context = &side;
        struct mill_value back = mill_wire_read(&reader, false);
        CHECK(mill_wire_is_read(&reader) && back.tag == MILL_TAG_SHARED);
        CHECK(same_value(&mill_share_of(back.shared)->value, &inner));
        mill_wire_reader_fini(&reader);
        mill_value_unref(back);
        sent_fini(&sent);
    }
    CHECK(sizes[1] == 18 && sizes[0] > sizes[1]);
    CHECK(side.kept_count == 1);
    mill_shared_unref(side.kept[0]);
    mill_value_unref(value);
}

static void no_destroy(struct mill_shared *shared)
{
    (void)shared;
}

static const struct mill_shared_kind thing_kind = {"a thing", no_destroy, NULL, false};

static void what_has_no_content_is_refused(void)
{
    struct mill_shared thing;
    mill_shared_init(&thing, &thing_kind);
    struct mill_value value = {.tag = MILL_TAG_SHARED, .shared = &thing};
    struct mill_wire wire;
    mill_wire_init(&wire);
    mill_wire_value(&wire, &value, "argument 3");
    CHECK(!mill_wire_is_fine(&wire));
    CHECK(strstr(wire.error.text, "a thing") && strstr(wire.error.text, "argument 3"));
    mill_wire_fini(&wire);
}

static void a_shared_value_that_was_not_sent_is_bad_data(void)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_TAG_SHARED);
    mill_packer_bytes(&packer, "0123456789abcdef", 17); /* a hash, and the 0 of "you have it" */
    struct sent sent = send_bytes(packer.bytes, packer.size);
    tidemill_status status;
    struct mill_value value = receive(&sent, false, &status);
    CHECK(status == TIDEMILL_DATA && value.tag == MILL_TAG_NIL);
    mill_packer_fini(&packer);
    sent_fini(&sent);
}

/* ---- nodes and functions ---------------------------------------------------------------------------- */

static void put_function(struct mill_packer *packer, uint8_t cell, uint8_t environment)
{
    mill_packer_byte(packer, MILL_MARK_FUNCTION);
    mill_packer_bytes(packer, "0123456789abcdef", 16);
    mill_packer_text(packer, "code", 4);
    mill_packer_size(packer, 1);
    mill_packer_size(packer, cell);
    if (cell == 0) mill_packer_byte(packer, MILL_MARK_TRUE);
    mill_packer_size(packer, environment);
    mill_packer_size(packer, 1);
    mill_packer_text(packer, "x", 1);
    mill_packer_byte(packer, 1);
    mill_packer_byte(packer, MILL_MARK_NIL);
}

static bool function_passes(uint8_t cell, uint8_t environment)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    put_function(&packer, cell, environment);
    bool failed = false;
    struct mill_value value = mill_packer_take(&packer, &failed);
    bool passes = mill_packed_check_task(value.packed);
    CHECK(!mill_packed_check(value.packed)); /* never from a store */
    mill_value_unref(value);
    return passes;
}

static void functions_pass_when_their_numbers_are_in_order(void)
{
    CHECK(function_passes(0, 0));
    CHECK(!function_passes(1, 0));
    CHECK(!function_passes(0, 1));
}

static void nodes_pass_only_where_they_are_expected(void)
{
    for (int nodes = 0; nodes < 2; nodes++) {
        struct mill_packer packer;
        struct mill_wire wire;
        mill_packer_init(&packer);
        mill_packer_node(&packer, 17);
        bool failed = false;
        struct mill_value value = mill_packer_take(&packer, &failed);
        mill_wire_init(&wire);
        mill_wire_value(&wire, &value, "a value");
        struct sent sent = send_wire(&wire);
        tidemill_status status;
        struct mill_value back = receive(&sent, nodes, &status);
        CHECK(status == (nodes ? TIDEMILL_OK : TIDEMILL_DATA));
        CHECK(mill_value_nodes(&back) == (uint32_t)nodes);
        mill_value_unref(back);
        mill_value_unref(value);
        sent_fini(&sent);
    }
}

/* ---- hostile bytes ------------------------------------------------------------------------------------- */

static void memory_that_its_sender_can_change_is_refused(void)
{
    struct mill_value value = mill_column(array_of(MILL_UINT8, 1 << 20));
    struct mill_wire wire;
    mill_wire_init(&wire);
    mill_wire_value(&wire, &value, "a value");
    CHECK(wire.descriptor_count > 0);
    struct sent sent = send_wire(&wire);
    close(sent.descriptors[0]);
    sent.descriptors[0] = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(ftruncate(sent.descriptors[0], 2 << 20) == 0);
    int before = open_descriptors();
    tidemill_status status;
    struct mill_value back = receive(&sent, false, &status);
    CHECK(status == TIDEMILL_DATA && back.tag == MILL_TAG_NIL);
    CHECK(open_descriptors() == before - sent.count);
    mill_value_unref(value);
    sent_fini(&sent);
}

static void use_array(const struct mill_array *array)
{
    volatile uint8_t sum = 0;
    size_t size = mill_type_size((enum mill_type)array->type) * (size_t)array->length;
    if (array->type == MILL_UTF8) size = (size_t)array->offsets[array->length];
    for (size_t i = 0; i < size; i++) sum ^= ((const uint8_t *)array->values)[i];
    for (int64_t i = 0; i < array->length; i++) sum ^= mill_array_present(array, i);
    if (array->dictionary) use_array(array->dictionary);
}

static void use(const struct mill_value *value)
{
    if (value->tag == MILL_TAG_COLUMN) use_array(value->array);
    for (uint32_t i = 0; value->tag == MILL_TAG_PACKED && i < value->packed->array_count; i++) {
        use_array(value->packed->arrays[i]);
    }
    mill_value_hash(value, NULL);
}

static void read_hostile(const uint8_t *bytes, size_t size)
{
    struct sent sent = send_bytes(bytes, size);
    struct mill_wire_reader reader;
    mill_wire_reader_init(&reader, sent.block, NULL, 0, NULL);
    struct mill_value value = mill_wire_read(&reader, false);
    CHECK(reader.status == TIDEMILL_OK || reader.status == TIDEMILL_DATA);
    if (reader.status == TIDEMILL_OK) {
        use(&value);
    } else {
        CHECK(value.tag == MILL_TAG_NIL);
    }
    mill_value_unref(value);
    mill_wire_reader_fini(&reader);
    sent_fini(&sent);
}

static void read_hostile_messages(const uint8_t *bytes, size_t size)
{
    struct sent sent = send_bytes(bytes, size);
    struct mill_wire_reader reader;
    struct mill_answer answer;
    struct mill_order order;
    struct mill_order_function function;
    double *seconds;
    mill_wire_reader_init(&reader, sent.block, NULL, 0, NULL);
    if (mill_answer_take(&reader, &answer)) {
        use(&answer.value);
        mill_value_unref(answer.value);
    }
    mill_wire_reader_fini(&reader);
    mill_wire_reader_init(&reader, sent.block, NULL, 0, NULL);
    if (mill_order_take(&reader, &order, &function, &seconds)) {
        mill_order_function_fini(&function);
        free(seconds);
    }
    mill_wire_reader_fini(&reader);
    sent_fini(&sent);
}

/* ---- no memory ------------------------------------------------------------------------------------------ */

/* With ever more memory, until there is enough: each time an error, and nothing is left. */
static void any_allocation_may_fail(void)
{
    if (!CAN_FAIL_MEMORY) SKIP("a sanitizer has an allocator of its own");
    int before = open_descriptors();
    for (int round = 0; round < 30; round++) {
        struct mill_value value = random_value();
        bool written = false, read = false;
        for (int64_t room = 0; !read && room < 2000; room++) {
            struct mill_wire wire;
            mill_wire_init(&wire);
            wire.whole = round % 2;
            allocations_left = written ? INT64_MAX : room;
            mill_wire_value(&wire, &value, "a value");
            bool fine = mill_wire_is_fine(&wire);
            allocations_left = INT64_MAX;
            CHECK(fine || wire.status == TIDEMILL_MEMORY);
            if (!fine) {
                mill_wire_fini(&wire);
                continue;
            }
            if (!written) room = 0;
            written = true;
            struct sent sent = send_wire(&wire);
            tidemill_status status;
            allocations_left = room;
            struct mill_value back = receive(&sent, false, &status);
            allocations_left = INT64_MAX;
            read = status == TIDEMILL_OK;
            CHECK(status == TIDEMILL_OK || status == TIDEMILL_MEMORY);
            CHECK(read ? same_value(&value, &back) : back.tag == MILL_TAG_NIL);
            mill_value_unref(back);
            sent_fini(&sent);
        }
        CHECK(written && read);
        mill_value_unref(value);
    }
    CHECK(open_descriptors() == before);
}

/* Cuts, changes and lengthens what was written well. */
static void spoil(uint8_t *bytes, size_t *size, size_t room)
{
    for (uint32_t i = random_below(4); i > 0 && *size > 0; i--) {
        bytes[random_below((uint32_t)*size)] =
            random_below(3) ? (uint8_t)random_below(256) : (uint8_t)(0xFF >> random_below(8));
    }
    if (random_below(8) == 0) *size = random_below((uint32_t)*size + 1);
    if (random_below(8) == 0 && *size < room) bytes[(*size)++] = (uint8_t)random_below(256);
}

static void any_bytes_give_a_value_or_an_error(void)
{
    for (int i = 0; i < rounds; i++) {
        struct mill_wire wire;
        struct mill_value value = random_value();
        struct mill_answer answer = {.state = MILL_FINISHED, .value = value};
        bool message = i % 4 == 0;
        mill_wire_init(&wire);
        wire.whole = true;
        if (message) {
            mill_answer_put(&wire, &answer);
        } else {
            mill_wire_value(&wire, &value, "a value");
        }
        CHECK(mill_wire_is_fine(&wire));
        mill_packer_byte(&wire.out, 0); /* room for one more */
        size_t size = wire.out.size - 1;
        spoil(wire.out.bytes, &size, wire.out.size);
        if (message) {
            read_hostile_messages(wire.out.bytes, size);
        } else {
            read_hostile(wire.out.bytes, size);
        }
        mill_wire_fini(&wire);
        mill_value_unref(value);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atoi(argv[1]);
    random_state = check_seed();
    RUN(values_come_back);
    RUN(every_type_of_array_comes_back_large_and_small);
    RUN(large_parts_are_not_copied_into_the_message);
    RUN(long_strings_come_back);
    RUN(tuples_come_back);
    RUN(a_shared_value_is_sent_once);
    RUN(what_has_no_content_is_refused);
    RUN(a_shared_value_that_was_not_sent_is_bad_data);
    RUN(functions_pass_when_their_numbers_are_in_order);
    RUN(nodes_pass_only_where_they_are_expected);
    RUN(memory_that_its_sender_can_change_is_refused);
    RUN(any_allocation_may_fail);
    RUN(any_bytes_give_a_value_or_an_error);
    return check_end();
}

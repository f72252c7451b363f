/* test_value: cells, and names of content: equal values have one name however they were made,
 * others never, cycles and sharing included.  SPDX-License-Identifier: MIT */
#include "data/value.h"

#include <math.h>

#include "check.h"
#include "data/packed.h"
#include "random_check.h"

static bool same_hash(struct mill_value a, struct mill_value b)
{
    return mill_hash_equal(mill_value_hash(&a, NULL), mill_value_hash(&b, NULL));
}

/* Compares the names of two values and releases them. */
static bool alike(struct mill_value a, struct mill_value b)
{
    bool same = same_hash(a, b);
    mill_value_unref(a);
    mill_value_unref(b);
    return same;
}

static struct mill_value string(const char *text)
{
    bool failed = false;
    struct mill_value value = mill_string(text, strlen(text), &failed);
    CHECK(!failed);
    return value;
}

/* ---- cells -------------------------------------------------------------------------------- */

static void strings_of_every_length_keep_their_bytes(void)
{
    char bytes[64];
    for (size_t size = 0; size < sizeof bytes; size++) {
        for (size_t i = 0; i < size; i++) bytes[i] = (char)random_below(256);
        bool failed = false;
        struct mill_value value = mill_string(bytes, size, &failed);
        CHECK(!failed &&
              value.tag == (size <= MILL_SHORT_MAX ? MILL_TAG_SHORT : MILL_TAG_STRING));
        size_t read;
        const char *text = mill_value_text(&value, &read);
        CHECK(text && read == size && memcmp(text, bytes, size) == 0);
        CHECK(mill_value_size(&value) == (size <= MILL_SHORT_MAX ? 0 : size));
        mill_value_unref(mill_value_ref(value));
        mill_value_unref(value);
    }
    struct mill_value number = mill_number(1);
    size_t size;
    CHECK(mill_value_text(&number, &size) == NULL);
}

static void a_cell_has_16_bytes(void)
{
    CHECK(sizeof(struct mill_value) == 16);
}

static struct mill_value natural(enum mill_tag tag, uint64_t bits)
{
    return (struct mill_value){.tag = (uint8_t)tag, .natural = bits};
}

static void different_leaves_have_different_names(void)
{
    struct mill_value leaves[] = {
        mill_nil(),
        natural(MILL_TAG_FALSE, 0),
        natural(MILL_TAG_TRUE, 0),
        mill_number(0),
        mill_number(-0.0),
        mill_number(1),
        mill_number(NAN),
        mill_number(INFINITY),
        natural(MILL_TAG_INT64, 0),
        natural(MILL_TAG_INT64, 1),
        natural(MILL_TAG_UINT64, 0),
        natural(MILL_TAG_UINT64, 1),
        string(""),
        string("1"),
        string("a string that is longer"),
    };
    int count = sizeof leaves / sizeof leaves[0];
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++) {
            CHECK_SAYING(same_hash(leaves[i], leaves[k]) == (i == k), "leaves %d and %d", i, k);
        }
    }
    mill_value_unref(leaves[count - 1]);
}

static void not_a_number_is_one_value(void)
{
    CHECK(alike(natural(MILL_TAG_NUMBER, 0x7FF8000000000000u),
                natural(MILL_TAG_NUMBER, 0xFFF8000000000000u)));
    CHECK(alike(natural(MILL_TAG_NUMBER, 0x7FF8000000000000u),
                natural(MILL_TAG_NUMBER, 0x7FF0000000000001u)));
}

/* ---- packed values from text ---------------------------------------------------------------
 * A letter is a string, a digit a number; {ab,c=d,e=f} a table with a list and pairs; #2 the
 * object number 2 once more; :5 the array 5 of the test; ^ before a table's } a metatable. */

static void pack(struct mill_packer *packer, const char **at);

/* Counts the values up to the first of `ends`, at this depth. */
static uint64_t count_values(const char *at, const char *ends)
{
    uint64_t count = 0;
    for (int depth = 0; depth || !strchr(ends, *at); at++) {
        if (*at == '{') depth++;
        if (*at == '}') depth--;
        if (depth == 0) count++;
        if (depth == 0 && (*at == '#' || *at == ':')) at++;
    }
    return count;
}

static uint64_t count_pairs(const char *at)
{
    uint64_t count = 0;
    for (int depth = 0; depth || *at != '}'; at++) {
        if (*at == '{') depth++;
        if (*at == '}') depth--;
        if (depth == 0 && *at == '=') count++;
    }
    return count;
}

static bool has_metatable(const char *at)
{
    for (int depth = 0; depth || *at != '}'; at++) {
        if (*at == '{') depth++;
        if (*at == '}') depth--;
        if (depth == 0 && *at == '^') return true;
    }
    return false;
}

static void pack_table(struct mill_packer *packer, const char **at)
{
    mill_packer_byte(packer, MILL_MARK_TABLE);
    mill_packer_size(packer, count_values(*at, ",}^"));
    mill_packer_size(packer, count_pairs(*at));
    mill_packer_byte(packer, has_metatable(*at));
    while (**at != '}') {
        if (strchr(",=^", **at)) {
            ++*at;
        } else {
            pack(packer, at);
        }
    }
    ++*at;
}

static void pack(struct mill_packer *packer, const char **at)
{
    char sign = *(*at)++;
    if (sign == '{') {
        pack_table(packer, at);
    } else if (sign == '#') {
        mill_packer_byte(packer, MILL_MARK_SEEN);
        mill_packer_size(packer, (uint64_t)(*(*at)++ - '0'));
    } else if (sign == ':') {
        struct mill_array *array = mill_array_new(NULL, MILL_INT32, 1);
        *(int32_t *)array->values = *(*at)++ - '0';
        mill_packer_array(packer, array);
        mill_array_unref(array);
    } else if (sign >= '0' && sign <= '9') {
        double number = sign - '0';
        uint64_t bits;
        memcpy(&bits, &number, 8);
        mill_packer_word(packer, MILL_MARK_NUMBER, bits);
    } else {
        mill_packer_byte(packer, MILL_MARK_STRING);
        mill_packer_text(packer, &sign, 1);
    }
}

static struct mill_value value_of(const char *text)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    const char *at = text;
    pack(&packer, &at);
    bool failed = false;
    struct mill_value value = mill_packer_take(&packer, &failed);
    CHECK_SAYING(!failed && *at == '\0' && mill_packed_check(value.packed), "%s", text);
    return value;
}

static bool texts_alike(const char *a, const char *b)
{
    return alike(value_of(a), value_of(b));
}

static void a_leaf_has_one_name_as_a_cell_and_packed(void)
{
    CHECK(alike(value_of("5"), mill_number(5)));
    CHECK(alike(value_of("x"), string("x")));
}

static void an_array_has_one_name_as_a_cell_and_packed(void)
{
    struct mill_array *array = mill_array_new(NULL, MILL_INT32, 1);
    *(int32_t *)array->values = 5;
    CHECK(alike(value_of(":5"), mill_column(array)));
}

static void tables_count_by_content(void)
{
    CHECK(texts_alike("{12,a=b}", "{12,a=b}"));
    CHECK(!texts_alike("{12}", "{21}"));
    CHECK(!texts_alike("{12}", "{12{}}"));
    CHECK(!texts_alike("{1}", "{,1=1}"));
    CHECK(!texts_alike("{{1}2}", "{{12}}"));
    CHECK(!texts_alike("{{}{1}}", "{{1}{}}"));
    CHECK(!texts_alike("{,a=b}", "{,b=a}"));
    CHECK(!texts_alike("{}", "{^{}}"));
    CHECK(!texts_alike("{^{a}}", "{^{b}}"));
    CHECK(!texts_alike("{,a={}}", "{,a=1^{}}"));
    CHECK(!texts_alike("{a}", "a"));
    CHECK(!texts_alike("{:1}", "{:2}"));
    CHECK(texts_alike("{:1:1}", "{:1:1}"));
}

static void shared_and_copied_are_alike(void)
{
    CHECK(texts_alike("{{1}#1}", "{{1}{1}}"));
    CHECK(texts_alike("{{1{2}}#1#2}", "{{1{2}}{1{2}}{2}}"));
    CHECK(!texts_alike("{{1}#1}", "{{1}{2}}"));
    /* The cycle stands after what is shared in one and copied in the other. */
    CHECK(texts_alike("{{1}#1{#2}}", "{{1}{1}{#3}}"));
    CHECK(texts_alike("{{{}#2}#1,a={#3}}", "{{{}{}}{{}{}},a={#7}}"));
}

static void cycles_end_and_count(void)
{
    CHECK(texts_alike("{#0}", "{#0}"));
    CHECK(!texts_alike("{#0}", "{{}}"));
    CHECK(!texts_alike("{{#0}}", "{{#1}}"));
    CHECK(!texts_alike("{,a=#0}", "{,b=#0}"));
    /* Named by number, the inner objects had one name: 3 was p in one, q in the other. */
    CHECK(!texts_alike("{{}{}{{#3q}p}}", "{{}#1{{#3q}p}}"));
}

/* ---- random graphs of tables ------------------------------------------------------------------
 * Small values as the test knows them: an object has up to three members, each a leaf or an
 * object, also one that stands above it. */

enum { OBJECTS = 6, MEMBERS = 3, LEAF = -1 };

struct graph {
    int count;
    struct {
        int members, member[MEMBERS]; /* LEAF - k: the leaf k; else an object */
    } objects[OBJECTS];
};

/* Objects are numbered in the order in which a walk from 0 meets them, as in packed form. */
static void random_object(struct graph *graph, int self, bool cycles)
{
    int members = (int)random_below(MEMBERS + 1), known = 0;
    graph->objects[self].members = members;
    for (int i = 0; i < members; i++) {
        uint32_t kind = random_below(4);
        int *member = &graph->objects[self].member[i];
        if (kind == 0 || (kind == 1 && graph->count == OBJECTS)) {
            *member = LEAF - (int)random_below(2);
        } else if (kind == 1) {
            *member = graph->count++;
            random_object(graph, *member, cycles);
        } else {
            /* Without cycles: what was met since this object, thus below it. */
            known = cycles ? 0 : self + 1;
            *member = graph->count > known
                          ? known + (int)random_below((uint32_t)(graph->count - known))
                          : LEAF;
        }
    }
}

static void pack_object(struct mill_packer *packer, const struct graph *graph, int self,
                        int seen[], int *next, bool unfold)
{
    if (!unfold && seen[self] >= 0) {
        mill_packer_byte(packer, MILL_MARK_SEEN);
        mill_packer_size(packer, (uint64_t)seen[self]);
        return;
    }
    seen[self] = (*next)++;
    int members = graph->objects[self].members;
    mill_packer_byte(packer, MILL_MARK_TABLE);
    mill_packer_size(packer, (uint64_t)members);
    mill_packer_size(packer, 0);
    mill_packer_byte(packer, 0);
    for (int i = 0; i < members; i++) {
        int member = graph->objects[self].member[i];
        if (member >= 0) {
            pack_object(packer, graph, member, seen, next, unfold);
        } else {
            mill_packer_byte(packer, (uint8_t)(LEAF - member)); /* nil or false */
        }
    }
}

static struct mill_value pack_graph(const struct graph *graph, bool unfold)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    int seen[OBJECTS], next = 0;
    for (int i = 0; i < OBJECTS; i++) seen[i] = -1;
    pack_object(&packer, graph, 0, seen, &next, unfold);
    bool failed = false;
    struct mill_value value = mill_packer_take(&packer, &failed);
    CHECK(!failed && mill_packed_check(value.packed));
    return value;
}

/* Whether no walk can tell the two apart; what is being compared counts as the same. */
static bool same_graph(const struct graph *a, int i, const struct graph *b, int k,
                       bool compared[OBJECTS][OBJECTS])
{
    if (i < 0 || k < 0) return i == k;
    if (compared[i][k]) return true;
    compared[i][k] = true;
    if (a->objects[i].members != b->objects[k].members) return false;
    for (int m = 0; m < a->objects[i].members; m++) {
        if (!same_graph(a, a->objects[i].member[m], b, b->objects[k].member[m], compared)) {
            return false;
        }
    }
    return true;
}

static void random_sharing_is_no_part_of_the_name(void)
{
    for (int round = 0; round < 5000; round++) {
        struct graph graph = {.count = 1};
        random_object(&graph, 0, false);
        CHECK(alike(pack_graph(&graph, false), pack_graph(&graph, true)));
    }
}

struct named {
    struct mill_hash hash;
    struct graph graph;
};

static int by_hash(const void *a, const void *b)
{
    const struct named *one = a, *two = b;
    return mill_hash_compare(one->hash, two->hash);
}

static void values_of_one_name_cannot_be_told_apart(void)
{
    enum { COUNT = 60000 };
    struct named *all = calloc(COUNT, sizeof *all);
    for (int i = 0; i < COUNT; i++) {
        all[i].graph.count = 1;
        random_object(&all[i].graph, 0, true);
        struct mill_value value = pack_graph(&all[i].graph, false);
        all[i].hash = mill_value_hash(&value, NULL);
        mill_value_unref(value);
    }
    qsort(all, COUNT, sizeof *all, by_hash);
    int pairs = 0;
    for (int i = 1; i < COUNT; i++) {
        if (!mill_hash_equal(all[i - 1].hash, all[i].hash)) continue;
        bool compared[OBJECTS][OBJECTS] = {{false}};
        pairs++;
        CHECK(same_graph(&all[i - 1].graph, 0, &all[i].graph, 0, compared));
    }
    CHECK_SAYING(pairs > 1000, "only %d pairs to compare", pairs);
    free(all);
}

/* ---- nodes and functions --------------------------------------------------------------------- */

static void nodes_count_by_the_hash_of_their_result(void)
{
    struct mill_hash nodes[2] = {mill_hash_bytes("a", 1), mill_hash_bytes("b", 1)};
    struct mill_hash swapped[2] = {nodes[1], nodes[0]};
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, 2);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    mill_packer_node(&packer, 77);
    mill_packer_node(&packer, 5);
    bool failed = false;
    struct mill_value value = mill_packer_take(&packer, &failed);
    CHECK(mill_value_nodes(&value) == 2 && value.packed->nodes[0] == 77);
    CHECK(!mill_hash_equal(mill_value_hash(&value, nodes), mill_value_hash(&value, swapped)));
    value.packed->nodes[0] = 12; /* the number of a node is no part of it */
    struct mill_hash before = mill_value_hash(&value, nodes);
    value.packed->nodes[0] = 13;
    CHECK(mill_hash_equal(before, mill_value_hash(&value, nodes)));
    mill_value_unref(value);
    struct mill_value alone = natural(MILL_TAG_NODE, 3);
    CHECK(mill_value_nodes(&alone) == 1);
    CHECK(mill_hash_equal(mill_value_hash(&alone, nodes), nodes[0]));
}

/* A function without upvalues that reads the global "g", given as the byte after `given`. */
static void pack_function(struct mill_packer *packer, char body, const char *dump,
                          uint64_t environment, int given)
{
    char canonical[16] = {body};
    mill_packer_byte(packer, MILL_MARK_FUNCTION);
    mill_packer_bytes(packer, canonical, 16);
    mill_packer_text(packer, dump, strlen(dump));
    mill_packer_size(packer, 0);
    mill_packer_size(packer, environment);
    mill_packer_size(packer, 1);
    mill_packer_text(packer, "g", 1);
    mill_packer_byte(packer, given >= 0);
    if (given >= 0) mill_packer_byte(packer, (uint8_t)given);
}

static struct mill_value two_functions(const char *dump, uint64_t environment, int first,
                                       int second)
{
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, 2);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    pack_function(&packer, 'f', dump, 0, first);
    pack_function(&packer, 'f', dump, environment, second);
    bool failed = false;
    return mill_packer_take(&packer, &failed);
}

static void functions_count_by_code_and_what_they_reach(void)
{
    enum { T = MILL_MARK_TRUE, F = MILL_MARK_FALSE };
    CHECK(alike(two_functions("x", 1, T, T), two_functions("y", 1, T, T)));
    CHECK(!alike(two_functions("x", 1, T, T), two_functions("x", 1, T, F)));
    CHECK(!alike(two_functions("x", 1, T, F), two_functions("x", 1, F, T)));
    /* One environment for both, or two with the same in them. */
    CHECK(alike(two_functions("x", 0, T, -1), two_functions("x", 1, T, T)));
}

/* f = function() return f() end: its upvalue, cell 0, holds itself. */
static struct mill_value recursive_function(char body)
{
    char canonical[16] = {body};
    struct mill_packer packer;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_FUNCTION);
    mill_packer_bytes(&packer, canonical, 16);
    mill_packer_text(&packer, "dump", 4);
    mill_packer_size(&packer, 1);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, MILL_MARK_SEEN);
    mill_packer_size(&packer, 0);
    mill_packer_size(&packer, 0);
    mill_packer_size(&packer, 0);
    bool failed = false;
    return mill_packer_take(&packer, &failed);
}

static void a_function_may_reach_itself(void)
{
    CHECK(alike(recursive_function('f'), recursive_function('f')));
    CHECK(!alike(recursive_function('f'), recursive_function('g')));
}

static void functions_never_pass_the_check(void)
{
    struct mill_value value = recursive_function('f');
    CHECK(!mill_packed_check(value.packed));
    mill_value_unref(value);
}

/* ---- tuples and shared objects --------------------------------------------------------- */

struct thing {
    struct mill_shared shared; /* first */
    int *gone;
    uint64_t content;
};

static void thing_destroy(struct mill_shared *shared)
{
    struct thing *thing = (struct thing *)shared;
    ++*thing->gone;
    free(thing);
}

static struct mill_hash thing_hash(const struct mill_shared *shared)
{
    const struct thing *thing = (const struct thing *)shared;
    return mill_hash_bytes(&thing->content, sizeof thing->content);
}

static const struct mill_shared_kind clear_kind = {"a thing", thing_destroy, thing_hash, false};
static const struct mill_shared_kind opaque_kind = {"an opaque thing", thing_destroy, NULL,
                                                    false};

static struct mill_value thing_new(const struct mill_shared_kind *kind, uint64_t content,
                                   int *gone)
{
    struct thing *thing = calloc(1, sizeof *thing);
    mill_shared_init(&thing->shared, kind);
    thing->gone = gone;
    thing->content = content;
    return (struct mill_value){.tag = MILL_TAG_SHARED, .shared = &thing->shared};
}

/* Takes over the references of the values. */
static struct mill_value tuple_of(int count, const struct mill_value *values)
{
    struct mill_tuple *tuple = mill_tuple_new((uint32_t)count);
    for (int i = 0; i < count; i++) tuple->cells[i] = values[i];
    return (struct mill_value){.tag = MILL_TAG_TUPLE, .tuple = tuple};
}

/* {thing} in packed form; the thing's reference stays the caller's. */
static struct mill_value table_of(struct mill_value thing)
{
    struct mill_packer packer;
    bool failed = false;
    mill_packer_init(&packer);
    mill_packer_byte(&packer, MILL_MARK_TABLE);
    mill_packer_size(&packer, 1);
    mill_packer_size(&packer, 0);
    mill_packer_byte(&packer, 0);
    mill_packer_shared(&packer, thing.shared);
    struct mill_value value = mill_packer_take(&packer, &failed);
    CHECK(!failed);
    return value;
}

static void shared_objects_go_with_their_last_reference(void)
{
    int gone = 0;
    struct mill_value thing = thing_new(&opaque_kind, 0, &gone);
    struct mill_value again = mill_value_ref(thing), table = table_of(thing);
    struct mill_value tuple = tuple_of(2, (struct mill_value[]){again, mill_value_ref(table)});
    CHECK(atomic_load(&thing.shared->refs) == 3);
    struct mill_value twice = mill_value_ref(tuple);
    CHECK(atomic_load(&tuple.tuple->refs) == 2 && atomic_load(&thing.shared->refs) == 3);
    mill_value_unref(thing);
    mill_value_unref(tuple);
    mill_value_unref(table);
    CHECK(gone == 0 && atomic_load(&again.shared->refs) == 2);
    mill_value_unref(twice);
    CHECK(gone == 1);
}

static void a_shared_object_counts_by_its_content_if_it_has_one(void)
{
    int gone = 0;
    CHECK(alike(thing_new(&clear_kind, 7, &gone), thing_new(&clear_kind, 7, &gone)));
    CHECK(!alike(thing_new(&clear_kind, 7, &gone), thing_new(&clear_kind, 8, &gone)));
    struct mill_value things[] = {thing_new(&clear_kind, 7, &gone),
                                  thing_new(&clear_kind, 7, &gone),
                                  thing_new(&clear_kind, 8, &gone)};
    CHECK(alike(table_of(things[0]), table_of(things[1])));
    CHECK(!alike(table_of(things[0]), table_of(things[2])));
    for (int i = 0; i < 3; i++) {
        CHECK(!mill_value_is_opaque(&things[i]));
        mill_value_unref(things[i]);
    }
    CHECK(gone == 7);
}

/* Nothing that mentions it ever has the name of anything, itself included. */
static void an_opaque_object_is_never_equal(void)
{
    int gone = 0;
    struct mill_value thing = thing_new(&opaque_kind, 0, &gone), table = table_of(thing);
    struct mill_value tuple = tuple_of(1, (struct mill_value[]){mill_value_ref(table)});
    const struct mill_value *values[] = {&thing, &table, &tuple};
    for (int i = 0; i < 3; i++) {
        CHECK(mill_value_is_opaque(values[i]));
        struct mill_hash before = mill_value_hash(values[i], NULL);
        for (int times = 0; times < 100; times++) {
            struct mill_hash hash = mill_value_hash(values[i], NULL);
            CHECK(!mill_hash_equal(hash, before));
            before = hash;
        }
        mill_value_unref(*values[i]);
    }
    CHECK(gone == 1);
}

static void tuples_count_by_their_values_in_order(void)
{
    bool failed = false;
    struct mill_value one = mill_number(1), two = mill_number(2);
    struct mill_value text = mill_string("a text that is not short", 24, &failed);
    CHECK(alike(tuple_of(2, (struct mill_value[]){one, mill_value_ref(text)}),
                tuple_of(2, (struct mill_value[]){one, mill_value_ref(text)})));
    CHECK(!alike(tuple_of(2, (struct mill_value[]){one, two}),
                 tuple_of(2, (struct mill_value[]){two, one})));
    CHECK(!alike(tuple_of(1, &one), tuple_of(2, (struct mill_value[]){one, mill_nil()})));
    CHECK(!alike(tuple_of(1, &one), one));
    CHECK(!alike(tuple_of(0, NULL), mill_nil()));
    struct mill_value tuple = tuple_of(2, (struct mill_value[]){one, text});
    CHECK(!mill_value_is_opaque(&tuple) && mill_value_nodes(&tuple) == 0);
    CHECK(mill_value_size(&tuple) == 2 * sizeof one + 24);
    mill_value_unref(tuple);
}

int main(void)
{
    random_state = check_seed();
    RUN(a_cell_has_16_bytes);
    RUN(strings_of_every_length_keep_their_bytes);
    RUN(different_leaves_have_different_names);
    RUN(not_a_number_is_one_value);
    RUN(a_leaf_has_one_name_as_a_cell_and_packed);
    RUN(an_array_has_one_name_as_a_cell_and_packed);
    RUN(tables_count_by_content);
    RUN(shared_and_copied_are_alike);
    RUN(cycles_end_and_count);
    RUN(random_sharing_is_no_part_of_the_name);
    RUN(values_of_one_name_cannot_be_told_apart);
    RUN(nodes_count_by_the_hash_of_their_result);
    RUN(functions_count_by_code_and_what_they_reach);
    RUN(a_function_may_reach_itself);
    RUN(functions_never_pass_the_check);
    RUN(shared_objects_go_with_their_last_reference);
    RUN(a_shared_object_counts_by_its_content_if_it_has_one);
    RUN(an_opaque_object_is_never_equal);
    RUN(tuples_count_by_their_values_in_order);
    return check_end();
}

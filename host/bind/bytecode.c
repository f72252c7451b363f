/* bytecode: a LuaJIT dump, read for identity and for reach; nothing in it is executed.
 * The rule: what cannot be understood is refused, never hashed as if it were understood.
 *
 *     dump       "\x1bLJ", version 2, flags, [length name], prototype..., 0
 *     prototype  length, then in it:
 *                flags, parameters, frame, upvalues (a byte each),
 *                counts of constants, numbers, instructions,
 *                [size of debug part, [first line, lines]]           (not when stripped)
 *                instructions (4 bytes each), upvalue words (2 bytes each),
 *                constants, numbers, [debug part]
 *
 * Counts, lengths and flags are ULEB128.  Functions inside a function come before it, and its
 * constants of kind "child" take them from a stack, the last one first; so one pass with one
 * stack does: a prototype's hash holds those of its children.
 *
 * DESIGN.  The hash covers whether a prototype takes varargs, its parameters, frame, number of
 * upvalues, constants and instructions.  Not covered, because it decides nothing:
 *
 *   - the debug part, lines, chunk name, header flags (but FR2, which changes the code);
 *   - prototype flags other than varargs: "has children" and "uses FFI" follow from the
 *     constants, the others steer the JIT;
 *   - upvalue words of the outermost function: they say where its enclosing function, which is
 *     not in the dump, keeps the variables.  An unrelated local further up would change them;
 *   - the order of the hash part of a constant table, which follows the seed of the state that
 *     compiled it.  Entries are sorted.  The array part keeps its length: {1, nil, 3} and
 *     {[1] = 1, [3] = 3} differ in #.  (A constructor that has explicit integer keys and nil
 *     values both, such as {[1] = 1, [2] = 2, x = nil}, may be split differently by different
 *     states: there # can differ too, and so does the hash.)
 *
 * Numbers are hashed by their bits: NaN is NaN, and -0 is not 0.
 *
 * Instructions that the running program rewrites are hashed in one form:
 *
 *   - the loops IFORL, IITERL, ILOOP, JFORI are what blacklisting or compiling makes of FORL,
 *     ITERL, LOOP, FORI.  The dumper undoes them, and so does the table below.  JFORL, JITERL
 *     and JLOOP have lost an operand to a trace number; they are refused.
 *   - ISNEXT ... ITERN is how `for k, v in pairs(t)` is compiled, by the name "pairs" or "next"
 *     alone.  A loop that meets another iterator, or that the JIT gives up, becomes for good
 *     JMP ... ITERC, which is how every other `for in` is compiled; operands stay.  Both are
 *     hashed as JMP ... ITERC.  Two sources that differ only in this call the same value in
 *     the same way: ISNEXT tests at run time that the iterator is `next` and otherwise does
 *     what JMP ... ITERC does.  What is called is in the other instructions.
 * SPDX-License-Identifier: MIT */
#include "bind/bytecode.h"

#include <stdlib.h>

#include "base/room.h"
#include "bind/dump.h"
#include "bind/opcode.h"

enum { PROTO_VARARGS = 2, PROTO_UNKNOWN = 0x60, PROTO_BIT_OPERATORS = 0x80 };
enum { WORD_LOCAL = 0x8000 }; /* an upvalue word: a local of the parent, else its upvalue */

enum dump_constant_kind {
    CONSTANT_CHILD,
    CONSTANT_TABLE,
    CONSTANT_INT64,
    CONSTANT_UINT64,
    CONSTANT_COMPLEX,
    CONSTANT_STRING /* plus its length */
};

enum dump_value_kind {
    DUMP_NIL,
    DUMP_FALSE,
    DUMP_TRUE,
    DUMP_INT,
    DUMP_NUMBER,
    DUMP_STRING /* plus its length */
};

/* ---- the reader ------------------------------------------------------------------------ */

struct dump_list {
    void *items;
    size_t count, room;
};

/* A prototype that was read and waits for its parent. */
struct dump_proto {
    struct mill_hash hash;
    const uint8_t *words;
    int upvalues;
    uint64_t assigned[4]; /* bit i: upvalue i is assigned */
};

struct dump_constant {
    enum dump_constant_kind kind;
    bool noted; /* its name is in reads already */
    const uint8_t *bytes;
    size_t size;
};

struct dump_value {
    enum dump_value_kind kind;
    const uint8_t *bytes; /* of a string */
    uint64_t number;      /* the bits of a number, the length of a string */
};

struct dump_entry {
    struct dump_value key, value;
};

struct dump_name {
    const uint8_t *bytes;
    size_t size;
};

struct dump_reader {
    struct mill_dump in; /* its end: of the prototype that is being read */
    struct dump_list protos, constants, entries, reads;
    struct dump_name written; /* bytes NULL: no global is assigned */
    bool loops;
};

static void dump_upvalue_add(uint64_t set[4], unsigned index)
{
    set[index / 64] |= UINT64_C(1) << index % 64;
}

static bool dump_upvalue_is_in(const uint64_t set[4], int index)
{
    return set[index / 64] >> index % 64 & 1;
}

/* The prototype that is being read: its head, and where its parts are. */
struct dump_body {
    uint8_t flags, parameters, frame, upvalues;
    size_t constants, numbers, instructions, debug;
    const uint8_t *code, *words;
    uint64_t assigned[4];
};

static bool dump_good(const struct dump_reader *reader)
{
    return reader->in.status == TIDEMILL_OK;
}

/* Room for `count` items of `each` bytes.  False: no memory. */
static bool dump_reserve(struct dump_reader *reader, struct dump_list *list, size_t count,
                         size_t each)
{
    size_t wanted = count > 16 ? count : 16;
    if (count <= list->room || mill_room_reach(&list->items, &list->room, each, wanted)) {
        return true;
    }
    if (dump_good(reader)) reader->in.status = mill_no_memory(reader->in.error, "bytecode");
    return false;
}

static uint64_t dump_integer_bits(uint64_t number)
{
    double value = (int32_t)(uint32_t)number;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- constants ------------------------------------------------------------------------- */

static struct dump_value dump_value(struct dump_reader *reader)
{
    uint64_t kind = mill_dump_uleb(&reader->in, 32);
    struct dump_value value = {.kind = DUMP_STRING};
    if (kind < DUMP_STRING) value.kind = (enum dump_value_kind)kind;
    switch (value.kind) {
    case DUMP_NIL:
    case DUMP_FALSE:
    case DUMP_TRUE:
        break;
    case DUMP_INT:
        value.kind = DUMP_NUMBER;
        value.number = dump_integer_bits(mill_dump_uleb(&reader->in, 32));
        break;
    case DUMP_NUMBER:
        value.number = mill_dump_halves(&reader->in);
        break;
    case DUMP_STRING:
        value.bytes = mill_dump_bytes(&reader->in, (size_t)(kind - DUMP_STRING));
        if (value.bytes != NULL) value.number = kind - DUMP_STRING;
        break;
    }
    return value;
}

static void dump_hash_value(struct mill_hasher *hasher, const struct dump_value *value)
{
    mill_hasher_number(hasher, value->kind);
    if (value->kind == DUMP_NUMBER) mill_hasher_number(hasher, value->number);
    if (value->kind == DUMP_STRING) {
        mill_hasher_bytes(hasher, value->bytes, (size_t)value->number);
    }
}

static int dump_compare_bytes(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    if (order != 0) return order;
    return a_size < b_size ? -1 : a_size > b_size;
}

static int dump_compare_entries(const void *a, const void *b)
{
    const struct dump_value *x = &((const struct dump_entry *)a)->key;
    const struct dump_value *y = &((const struct dump_entry *)b)->key;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->kind == DUMP_STRING) {
        return dump_compare_bytes(x->bytes, (size_t)x->number, y->bytes, (size_t)y->number);
    }
    return x->number < y->number ? -1 : x->number > y->number;
}

/* The hash part of a constant table.  An entry whose value is nil only reserves room. */
static void dump_table_entries(struct dump_reader *reader, struct mill_hasher *hasher,
                               size_t count)
{
    struct dump_list *list = &reader->entries;
    list->count = 0;
    if (!dump_reserve(reader, list, count, sizeof(struct dump_entry))) return;
    struct dump_entry *entries = list->items;
    for (size_t i = 0; i < count; i++) {
        struct dump_entry entry = {.key = dump_value(reader)};
        entry.value = dump_value(reader);
        if (entry.key.kind == DUMP_NIL) mill_dump_refuse(&reader->in, "a table key is nil");
        if (entry.value.kind != DUMP_NIL) entries[list->count++] = entry;
    }
    if (!dump_good(reader)) return;
    if (list->count > 1) qsort(entries, list->count, sizeof *entries, dump_compare_entries);
    mill_hasher_number(hasher, list->count);
    for (size_t i = 0; i < list->count; i++) {
        dump_hash_value(hasher, &entries[i].key);
        dump_hash_value(hasher, &entries[i].value);
    }
}

static void dump_table(struct dump_reader *reader, struct mill_hasher *hasher)
{
    size_t array = mill_dump_count(&reader->in, 1), hashed = mill_dump_count(&reader->in, 2);
    mill_hasher_number(hasher, array);
    for (size_t i = 0; i < array && dump_good(reader); i++) {
        struct dump_value value = dump_value(reader);
        if (dump_good(reader)) dump_hash_value(hasher, &value);
    }
    if (hashed > 0) dump_table_entries(reader, hasher, hashed);
}

static unsigned dump_word(const struct dump_reader *reader, const uint8_t *words, int index)
{
    const uint8_t *word = words + 2 * index;
    bool swapped = reader->in.flags & MILL_DUMP_BIG_ENDIAN;
    return (unsigned)word[swapped] | (unsigned)word[!swapped] << 8;
}

/* The last prototype that was read becomes a constant of this one.  What it assigns and does
 * not find among this one's locals is assigned by this one. */
static void dump_adopt(struct dump_reader *reader, struct mill_hasher *hasher,
                       struct dump_body *body)
{
    if (reader->protos.count == 0) {
        mill_dump_refuse(&reader->in, "a child that was not there");
        return;
    }
    struct dump_proto *protos = reader->protos.items;
    struct dump_proto *child = &protos[--reader->protos.count];
    uint8_t words[2 * UINT8_MAX];
    for (int i = 0; i < child->upvalues; i++) {
        unsigned word = dump_word(reader, child->words, i);
        words[2 * i] = (uint8_t)word;
        words[2 * i + 1] = (uint8_t)(word >> 8);
        if (word & WORD_LOCAL) continue;
        if (word >= body->upvalues) {
            mill_dump_refuse(&reader->in, "a child uses upvalue %u of a function that has %d",
                             word, body->upvalues);
            return;
        }
        if (dump_upvalue_is_in(child->assigned, i)) dump_upvalue_add(body->assigned, word);
    }
    mill_hasher_hash(hasher, child->hash);
    mill_hasher_bytes(hasher, words, 2 * (size_t)child->upvalues);
}

/* Reads a constant other than a child or a table. */
static void dump_scalar(struct dump_reader *reader, struct dump_constant *constant,
                        uint64_t size)
{
    if (constant->kind == CONSTANT_STRING) {
        constant->bytes = mill_dump_bytes(&reader->in, (size_t)size);
        if (constant->bytes != NULL) constant->size = (size_t)size;
        return;
    }
    mill_dump_halves(&reader->in);
    if (constant->kind == CONSTANT_COMPLEX) mill_dump_halves(&reader->in);
}

/* Scalars are hashed as they stand in the dump, a run of them at once: their form is their own
 * end mark, and has one spelling.  A run includes the mark of the child or table after it. */
static void dump_constants(struct dump_reader *reader, struct mill_hasher *hasher,
                           struct dump_body *body)
{
    struct dump_list *list = &reader->constants;
    list->count = 0;
    if (!dump_reserve(reader, list, body->constants, sizeof(struct dump_constant))) return;
    const uint8_t *run = reader->in.at;
    while (list->count < body->constants && dump_good(reader)) {
        struct dump_constant *constant = (struct dump_constant *)list->items + list->count++;
        uint64_t kind = mill_dump_uleb(&reader->in, 32);
        *constant = (struct dump_constant){.kind = CONSTANT_STRING};
        if (kind < CONSTANT_STRING) constant->kind = (enum dump_constant_kind)kind;
        if (constant->kind != CONSTANT_CHILD && constant->kind != CONSTANT_TABLE) {
            dump_scalar(reader, constant, kind - CONSTANT_STRING);
            continue;
        }
        mill_hasher_bytes(hasher, run, (size_t)(reader->in.at - run));
        if (constant->kind == CONSTANT_CHILD) {
            dump_adopt(reader, hasher, body);
        } else {
            dump_table(reader, hasher);
        }
        run = reader->in.at;
    }
    mill_hasher_bytes(hasher, run, (size_t)(reader->in.at - run));
}

/* The first bit of a number tells an integer of 32 bits from the low half of a double. */
static void dump_numbers(struct dump_reader *reader, struct mill_hasher *hasher, size_t count)
{
    const uint8_t *run = reader->in.at;
    for (size_t i = 0; i < count; i++) {
        if (mill_dump_uleb(&reader->in, 33) & 1) mill_dump_uleb(&reader->in, 32);
    }
    mill_hasher_bytes(hasher, run, (size_t)(reader->in.at - run));
}

/* ---- instructions ---------------------------------------------------------------------- */

static void dump_note_write(struct dump_reader *reader, struct dump_name name)
{
    struct dump_name *first = &reader->written;
    if (first->bytes == NULL ||
        dump_compare_bytes(name.bytes, name.size, first->bytes, first->size) < 0) {
        *first = name;
    }
}

static void dump_note_read(struct dump_reader *reader, struct dump_constant *constant)
{
    struct dump_list *list = &reader->reads;
    if (!dump_reserve(reader, list, list->count + 1, sizeof(struct dump_name))) return;
    constant->noted = true;
    ((struct dump_name *)list->items)[list->count++] =
        (struct dump_name){constant->bytes, constant->size};
}

/* The constant that an operand refers to, by its number from the last one back; NULL when
 * there is none of that kind. */
static struct dump_constant *dump_referred(struct dump_reader *reader, unsigned index,
                                           unsigned operands)
{
    static const uint16_t kinds[] = {
        [CONSTANT_CHILD] = MILL_D_CHILD,   [CONSTANT_TABLE] = MILL_D_TABLE,
        [CONSTANT_INT64] = MILL_D_CDATA,   [CONSTANT_UINT64] = MILL_D_CDATA,
        [CONSTANT_COMPLEX] = MILL_D_CDATA, [CONSTANT_STRING] = MILL_D_STRING | MILL_C_STRING,
    };
    size_t count = reader->constants.count;
    if (index >= count) return NULL;
    struct dump_constant *constants = reader->constants.items;
    struct dump_constant *constant = &constants[count - 1 - index];
    return operands & kinds[constant->kind] ? constant : NULL;
}

/* Verifies what an instruction refers to and notes the globals and upvalues it touches. */
static void dump_operands(struct dump_reader *reader, struct dump_body *body,
                          const uint8_t code[4], size_t index)
{
    unsigned operands = mill_opcodes[code[0]].operands;
    unsigned number = code[2]; /* C or D: no instruction refers with both */
    if (!(operands & (MILL_C_STRING | MILL_C_NUMBER))) number |= (unsigned)code[3] << 8;
    struct dump_constant *constant = NULL;
    bool good = !(operands & MILL_NEVER_DUMPED);
    if (operands & (MILL_D_NUMBER | MILL_C_NUMBER)) good = number < body->numbers;
    if (operands & MILL_D_UPVALUE) good = number < body->upvalues;
    if (operands &
        (MILL_D_STRING | MILL_C_STRING | MILL_D_CHILD | MILL_D_TABLE | MILL_D_CDATA)) {
        constant = dump_referred(reader, number, operands);
        good = constant != NULL;
    }
    if (operands & MILL_A_UPVALUE) good = good && code[1] < body->upvalues;
    if (!good) {
        mill_dump_refuse(&reader->in,
                         "instruction %zu (code %d, A %d, D %d) is not one of LuaJIT 2.1",
                         index + 1, code[0], code[1], code[2] | code[3] << 8);
        return;
    }
    if (operands & MILL_A_UPVALUE) dump_upvalue_add(body->assigned, code[1]);
    if (operands & MILL_LOOPS) reader->loops = true;
    if (!(operands & (MILL_READS_GLOBAL | MILL_WRITES_GLOBAL)) ||
        (operands & MILL_READS_GLOBAL && constant->noted))
        return;
    if (memchr(constant->bytes, 0, constant->size) != NULL) {
        mill_dump_refuse(&reader->in, "the name of a global holds a zero byte");
    } else if (operands & MILL_READS_GLOBAL) {
        dump_note_read(reader, constant);
    } else {
        dump_note_write(reader, (struct dump_name){constant->bytes, constant->size});
    }
}

static void dump_code(struct dump_reader *reader, struct mill_hasher *hasher,
                      struct dump_body *body)
{
    uint8_t plain[1024];
    size_t used = 0;
    bool swapped = reader->in.flags & MILL_DUMP_BIG_ENDIAN;
    bool bits = reader->in.flags & MILL_DUMP_BIT_OPERATORS || body->flags & PROTO_BIT_OPERATORS;
    for (size_t i = 0; i < body->instructions && dump_good(reader); i++) {
        uint8_t *code = plain + used;
        uint32_t word;
        memcpy(&word, body->code + 4 * i, sizeof word);
        if (swapped) word = __builtin_bswap32(word);
        memcpy(code, &word, sizeof word);
        const struct mill_opcode *instruction = &mill_opcodes[code[0]];
        if (code[0] > (bits ? MILL_CODE_LAST_BIT_OPERATOR : MILL_CODE_JMP)) {
            mill_dump_refuse(&reader->in, "instruction %zu has the unknown code %d", i + 1,
                             code[0]);
        }
        if (instruction->operands) dump_operands(reader, body, code, i);
        if (instruction->plain) code[0] = instruction->plain;
        used += 4;
        if (used == sizeof plain) {
            mill_hasher_bytes(hasher, plain, used);
            used = 0;
        }
    }
    mill_hasher_bytes(hasher, plain, used);
}

/* ---- prototypes ------------------------------------------------------------------------ */

static struct dump_body dump_head(struct dump_reader *reader)
{
    struct dump_body body = {.flags = mill_dump_byte(&reader->in)};
    body.parameters = mill_dump_byte(&reader->in);
    body.frame = mill_dump_byte(&reader->in);
    body.upvalues = mill_dump_byte(&reader->in);
    body.constants = mill_dump_count(&reader->in, 1);
    body.numbers = mill_dump_count(&reader->in, 1);
    body.instructions = mill_dump_count(&reader->in, 4);
    if (!(reader->in.flags & MILL_DUMP_STRIPPED)) body.debug = mill_dump_count(&reader->in, 1);
    if (body.debug > 0) {
        mill_dump_uleb(&reader->in, 32); /* the first line */
        mill_dump_uleb(&reader->in, 32); /* how many lines */
    }
    body.code = mill_dump_bytes(&reader->in, 4 * body.instructions);
    body.words = mill_dump_bytes(&reader->in, 2 * (size_t)body.upvalues);
    if (body.flags & PROTO_UNKNOWN) {
        mill_dump_refuse(&reader->in, "prototype flags 0x%02x, at most 0x9f expected",
                         body.flags);
    }
    return body;
}

static void dump_hash_head(struct mill_hasher *hasher, const struct dump_reader *reader,
                           const struct dump_body *body)
{
    uint64_t kind = (reader->in.flags & MILL_DUMP_FR2) | (body->flags & PROTO_VARARGS);
    mill_hasher_init(hasher, "bytecode/1");
    mill_hasher_number(hasher, kind << 24 | (uint64_t)body->parameters << 16 |
                                   (uint64_t)body->frame << 8 | body->upvalues);
    mill_hasher_number(hasher, (uint64_t)body->constants << 32 | body->numbers);
    mill_hasher_number(hasher, body->instructions);
}

static void dump_proto(struct dump_reader *reader)
{
    struct mill_hasher hasher;
    struct dump_body body = dump_head(reader);
    if (!dump_good(reader)) return;
    dump_hash_head(&hasher, reader, &body);
    dump_constants(reader, &hasher, &body);
    dump_numbers(reader, &hasher, body.numbers);
    dump_code(reader, &hasher, &body);
    mill_dump_bytes(&reader->in, body.debug);
    if (reader->in.at != reader->in.end) {
        mill_dump_refuse(&reader->in, "a prototype is %zu bytes longer than its parts",
                         (size_t)(reader->in.end - reader->in.at));
    }
    struct dump_list *list = &reader->protos;
    if (!dump_good(reader) ||
        !dump_reserve(reader, list, list->count + 1, sizeof(struct dump_proto)))
        return;
    struct dump_proto *proto = (struct dump_proto *)list->items + list->count++;
    *proto = (struct dump_proto){.words = body.words, .upvalues = body.upvalues};
    proto->hash = mill_hasher_end(&hasher);
    memcpy(proto->assigned, body.assigned, sizeof proto->assigned);
}

static bool dump_read(struct dump_reader *reader)
{
    const uint8_t *end = reader->in.end;
    mill_dump_header(&reader->in);
    while (dump_good(reader)) {
        size_t size = mill_dump_count(&reader->in, 1);
        if (size == 0) break;
        reader->in.end = reader->in.at + size;
        dump_proto(reader);
        reader->in.end = end;
    }
    if (reader->in.at != end) mill_dump_refuse(&reader->in, "bytes after the end of the dump");
    if (reader->protos.count != 1) {
        mill_dump_refuse(&reader->in, "%zu outermost functions, one expected",
                         reader->protos.count);
    }
    return dump_good(reader);
}

/* ---- results --------------------------------------------------------------------------- */

static int dump_compare_names(const void *a, const void *b)
{
    const struct dump_name *x = a, *y = b;
    return dump_compare_bytes(x->bytes, x->size, y->bytes, y->size);
}

/* Sorts the names and drops duplicates; adds up what they take with their terminators. */
static size_t dump_sort_reads(struct dump_reader *reader)
{
    struct dump_name *names = reader->reads.items;
    size_t count = 0, total = 0;
    if (reader->reads.count > 1) {
        qsort(names, reader->reads.count, sizeof *names, dump_compare_names);
    }
    for (size_t i = 0; i < reader->reads.count; i++) {
        if (count > 0 && dump_compare_names(&names[count - 1], &names[i]) == 0) continue;
        names[count++] = names[i];
        total += names[i].size + 1;
    }
    reader->reads.count = count;
    return total;
}

static const char *dump_copy_name(char **to, struct dump_name name)
{
    char *text = *to;
    memcpy(text, name.bytes, name.size);
    text[name.size] = '\0';
    *to += name.size + 1;
    return text;
}

/* One block: the pointers, then the names. */
static bool dump_keep_names(struct dump_reader *reader, struct mill_bytecode *bytecode)
{
    size_t total = dump_sort_reads(reader) + reader->written.size + 1;
    size_t count = reader->reads.count;
    if (count == 0 && reader->written.bytes == NULL) return true;
    bytecode->memory = malloc(count * sizeof(char *) + total);
    if (bytecode->memory == NULL) {
        reader->in.status = mill_no_memory(reader->in.error, "names in bytecode");
        return false;
    }
    bytecode->reads = bytecode->memory;
    bytecode->read_count = (int)count;
    char *to = (char *)(bytecode->reads + count);
    for (size_t i = 0; i < count; i++) {
        bytecode->reads[i] = dump_copy_name(&to, ((struct dump_name *)reader->reads.items)[i]);
    }
    if (reader->written.bytes != NULL) bytecode->writes = dump_copy_name(&to, reader->written);
    return true;
}

static int dump_first_assigned(const struct dump_proto *proto)
{
    for (int i = 0; i < proto->upvalues; i++) {
        if (dump_upvalue_is_in(proto->assigned, i)) return i;
    }
    return -1;
}

tidemill_status mill_bytecode_read(const void *dump, size_t size,
                                   struct mill_bytecode *bytecode, struct mill_error *error)
{
    const uint8_t *start = dump;
    struct dump_reader reader = {.in = {start, start, start + size, .error = error}};
    *bytecode = (struct mill_bytecode){.assigned_upvalue = -1};
    if (dump_read(&reader) && dump_keep_names(&reader, bytecode)) {
        struct dump_proto *outermost = reader.protos.items;
        bytecode->hash = outermost->hash;
        bytecode->upvalues = outermost->upvalues;
        bytecode->loops = reader.loops;
        bytecode->assigned_upvalue = dump_first_assigned(outermost);
    }
    free(reader.protos.items);
    free(reader.constants.items);
    free(reader.entries.items);
    free(reader.reads.items);
    return reader.in.status;
}

void mill_bytecode_fini(struct mill_bytecode *bytecode)
{
    free(bytecode->memory);
    bytecode->memory = NULL;
}

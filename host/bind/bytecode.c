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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { DUMP_VERSION = 2 };

enum dump_flag {
    DUMP_BIG_ENDIAN = 1,
    DUMP_STRIPPED = 2,
    DUMP_FFI = 4,
    DUMP_FR2 = 8,           /* frames take two slots: builds with 64-bit references */
    DUMP_BIT_OPERATORS = 16 /* newer builds: a & b and the like, codes after JMP */
};
static const uint32_t DUMP_KNOWN = 31 | 0x80000000u; /* the top bit: constants were sorted */

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

/* ---- instructions ---------------------------------------------------------------------- */

/* An instruction is four bytes: code, A, C, B; D is C and B together. */
enum dump_operand {
    D_STRING = 1,
    D_NUMBER = 2,
    D_CHILD = 4,
    D_TABLE = 8,
    D_CDATA = 16,
    D_UPVALUE = 32,
    C_STRING = 64,
    C_NUMBER = 128,
    A_UPVALUE = 256,    /* assigned */
    READS_GLOBAL = 512, /* the global named by D */
    WRITES_GLOBAL = 1024,
    NEVER_DUMPED = 2048,
    LOOPS = 4096
};

enum dump_code {
    CODE_FORI = 77,
    CODE_FORL = 79,
    CODE_ITERC = 69,
    CODE_ITERL = 82,
    CODE_LOOP = 85,
    CODE_JMP = 88,
    CODE_LAST_BIT_OPERATOR = 95
};

/* What the hash and the reach need to know of an instruction, and which of its operands refer
 * to constants and upvalues.  The latter are verified in every dump: a LuaJIT that numbers its
 * instructions differently does not pass for long.  Codes that are not here stand for
 * themselves and refer to stack slots only. */
static const struct dump_instruction {
    uint16_t operands;
    uint8_t plain; /* hashed in place of the code; 0: the code itself */
} dump_instructions[256] = {
    [6] = {D_STRING, 0},                  /* ISEQS */
    [7] = {D_STRING, 0},                  /* ISNES */
    [8] = {D_NUMBER, 0},                  /* ISEQN */
    [9] = {D_NUMBER, 0},                  /* ISNEN */
    [22 ... 26] = {C_NUMBER, 0},          /* ADDVN SUBVN MULVN DIVVN MODVN */
    [27 ... 31] = {C_NUMBER, 0},          /* ADDNV SUBNV MULNV DIVNV MODNV */
    [39] = {D_STRING, 0},                 /* KSTR */
    [40] = {D_CDATA, 0},                  /* KCDATA */
    [42] = {D_NUMBER, 0},                 /* KNUM */
    [45] = {D_UPVALUE, 0},                /* UGET */
    [46] = {A_UPVALUE, 0},                /* USETV */
    [47] = {A_UPVALUE | D_STRING, 0},     /* USETS */
    [48] = {A_UPVALUE | D_NUMBER, 0},     /* USETN */
    [49] = {A_UPVALUE, 0},                /* USETP */
    [51] = {D_CHILD, 0},                  /* FNEW */
    [53] = {D_TABLE, 0},                  /* TDUP */
    [54] = {D_STRING | READS_GLOBAL, 0},  /* GGET */
    [55] = {D_STRING | WRITES_GLOBAL, 0}, /* GSET */
    [57] = {C_STRING, 0},                 /* TGETS */
    [61] = {C_STRING, 0},                 /* TSETS */
    [63] = {D_NUMBER, 0},                 /* TSETM */
    [70] = {0, CODE_ITERC},               /* ITERN */
    [72] = {0, CODE_JMP},                 /* ISNEXT */
    [78] = {0, CODE_FORI},                /* JFORI */
    [79] = {LOOPS, 0},                    /* FORL */
    [80] = {LOOPS, CODE_FORL},            /* IFORL */
    [81] = {NEVER_DUMPED, 0},             /* JFORL */
    [82] = {LOOPS, 0},                    /* ITERL */
    [83] = {LOOPS, CODE_ITERL},           /* IITERL */
    [84] = {NEVER_DUMPED, 0},             /* JITERL */
    [85] = {LOOPS, 0},                    /* LOOP */
    [86] = {LOOPS, CODE_LOOP},            /* ILOOP */
    [87] = {NEVER_DUMPED, 0},             /* JLOOP */
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
    const uint8_t *start, *at, *end; /* end: of the prototype that is being read */
    uint32_t flags;
    struct dump_list protos, constants, entries, reads;
    struct dump_name written; /* bytes NULL: no global is assigned */
    bool loops;
    tidemill_status status;
    struct mill_error *error;
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

/* Keeps the first failure and moves to the end: what is read after it are zeros. */
__attribute__((format(printf, 2, 3))) static void dump_refuse(struct dump_reader *reader,
                                                              const char *format, ...)
{
    char text[256];
    size_t at = (size_t)(reader->at - reader->start);
    reader->at = reader->end;
    if (reader->status != TIDEMILL_OK) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reader->status =
        mill_fail(reader->error, TIDEMILL_DATA, "bytecode, byte %zu: %s", at, text);
}

static bool dump_good(const struct dump_reader *reader)
{
    return reader->status == TIDEMILL_OK;
}

/* Room for `more` further items of `each` bytes.  False: no memory. */
static bool dump_reserve(struct dump_reader *reader, struct dump_list *list, size_t more,
                         size_t each)
{
    if (more <= list->room - list->count) return true;
    size_t room = list->room < 16 ? 16 : list->room * 2;
    if (room < list->count + more) room = list->count + more;
    void *items = room <= SIZE_MAX / each ? realloc(list->items, room * each) : NULL;
    if (items == NULL) {
        if (dump_good(reader)) reader->status = mill_no_memory(reader->error, "bytecode");
        return false;
    }
    list->items = items;
    list->room = room;
    return true;
}

static uint8_t dump_byte(struct dump_reader *reader)
{
    if (reader->at < reader->end) return *reader->at++;
    dump_refuse(reader, "ends too early");
    return 0;
}

/* NULL on failure. */
static const uint8_t *dump_bytes(struct dump_reader *reader, size_t size)
{
    const uint8_t *bytes = reader->at;
    if (size > (size_t)(reader->end - bytes)) {
        dump_refuse(reader, "ends too early, %zu bytes expected", size);
    }
    if (!dump_good(reader)) return NULL;
    reader->at += size;
    return bytes;
}

/* A ULEB128 number below 2^bits; bits is 32 or 33. */
static uint64_t dump_uleb(struct dump_reader *reader, int bits)
{
    uint64_t number = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        uint8_t byte = dump_byte(reader);
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) break;
        if (shift == 28) number = UINT64_MAX;
    }
    if (number >> bits == 0) return number;
    dump_refuse(reader, "a number of more than %d bits", bits);
    return 0;
}

/* A count of things that take `each` bytes or more, of which so many must still follow: so
 * no loop is longer than the dump. */
static size_t dump_count(struct dump_reader *reader, size_t each)
{
    uint64_t number = dump_uleb(reader, 32);
    if (number <= (size_t)(reader->end - reader->at) / each) return (size_t)number;
    dump_refuse(reader, "%llu items announced, more than the bytes left can hold",
                (unsigned long long)number);
    return 0;
}

/* Two numbers of 32 bits, the low half first. */
static uint64_t dump_halves(struct dump_reader *reader)
{
    uint64_t low = dump_uleb(reader, 32);
    return dump_uleb(reader, 32) << 32 | low;
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
    uint64_t kind = dump_uleb(reader, 32);
    struct dump_value value = {.kind = DUMP_STRING};
    if (kind < DUMP_STRING) value.kind = (enum dump_value_kind)kind;
    switch (value.kind) {
    case DUMP_NIL:
    case DUMP_FALSE:
    case DUMP_TRUE:
        break;
    case DUMP_INT:
        value.kind = DUMP_NUMBER;
        value.number = dump_integer_bits(dump_uleb(reader, 32));
        break;
    case DUMP_NUMBER:
        value.number = dump_halves(reader);
        break;
    case DUMP_STRING:
        value.bytes = dump_bytes(reader, (size_t)(kind - DUMP_STRING));
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
        if (entry.key.kind == DUMP_NIL) dump_refuse(reader, "a table key is nil");
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
    size_t array = dump_count(reader, 1), hashed = dump_count(reader, 2);
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
    bool swapped = reader->flags & DUMP_BIG_ENDIAN;
    return (unsigned)word[swapped] | (unsigned)word[!swapped] << 8;
}

/* The last prototype that was read becomes a constant of this one.  What it assigns and does
 * not find among this one's locals is assigned by this one. */
static void dump_adopt(struct dump_reader *reader, struct mill_hasher *hasher,
                       struct dump_body *body)
{
    if (reader->protos.count == 0) {
        dump_refuse(reader, "a child that was not there");
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
            dump_refuse(reader, "a child uses upvalue %u of a function that has %d", word,
                        body->upvalues);
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
        constant->bytes = dump_bytes(reader, (size_t)size);
        if (constant->bytes != NULL) constant->size = (size_t)size;
        return;
    }
    dump_halves(reader);
    if (constant->kind == CONSTANT_COMPLEX) dump_halves(reader);
}

/* Scalars are hashed as they stand in the dump, a run of them at once: their form is their own
 * end mark, and has one spelling.  A run includes the mark of the child or table after it. */
static void dump_constants(struct dump_reader *reader, struct mill_hasher *hasher,
                           struct dump_body *body)
{
    struct dump_list *list = &reader->constants;
    list->count = 0;
    if (!dump_reserve(reader, list, body->constants, sizeof(struct dump_constant))) return;
    const uint8_t *run = reader->at;
    while (list->count < body->constants && dump_good(reader)) {
        struct dump_constant *constant = (struct dump_constant *)list->items + list->count++;
        uint64_t kind = dump_uleb(reader, 32);
        *constant = (struct dump_constant){.kind = CONSTANT_STRING};
        if (kind < CONSTANT_STRING) constant->kind = (enum dump_constant_kind)kind;
        if (constant->kind != CONSTANT_CHILD && constant->kind != CONSTANT_TABLE) {
            dump_scalar(reader, constant, kind - CONSTANT_STRING);
            continue;
        }
        mill_hasher_bytes(hasher, run, (size_t)(reader->at - run));
        if (constant->kind == CONSTANT_CHILD) {
            dump_adopt(reader, hasher, body);
        } else {
            dump_table(reader, hasher);
        }
        run = reader->at;
    }
    mill_hasher_bytes(hasher, run, (size_t)(reader->at - run));
}

/* The first bit of a number tells an integer of 32 bits from the low half of a double. */
static void dump_numbers(struct dump_reader *reader, struct mill_hasher *hasher, size_t count)
{
    const uint8_t *run = reader->at;
    for (size_t i = 0; i < count; i++) {
        if (dump_uleb(reader, 33) & 1) dump_uleb(reader, 32);
    }
    mill_hasher_bytes(hasher, run, (size_t)(reader->at - run));
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
    if (!dump_reserve(reader, list, 1, sizeof(struct dump_name))) return;
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
        [CONSTANT_CHILD] = D_CHILD,   [CONSTANT_TABLE] = D_TABLE,
        [CONSTANT_INT64] = D_CDATA,   [CONSTANT_UINT64] = D_CDATA,
        [CONSTANT_COMPLEX] = D_CDATA, [CONSTANT_STRING] = D_STRING | C_STRING,
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
    unsigned operands = dump_instructions[code[0]].operands;
    unsigned number = code[2]; /* C or D: no instruction refers with both */
    if (!(operands & (C_STRING | C_NUMBER))) number |= (unsigned)code[3] << 8;
    struct dump_constant *constant = NULL;
    bool good = !(operands & NEVER_DUMPED);
    if (operands & (D_NUMBER | C_NUMBER)) good = number < body->numbers;
    if (operands & D_UPVALUE) good = number < body->upvalues;
    if (operands & (D_STRING | C_STRING | D_CHILD | D_TABLE | D_CDATA)) {
        constant = dump_referred(reader, number, operands);
        good = constant != NULL;
    }
    if (operands & A_UPVALUE) good = good && code[1] < body->upvalues;
    if (!good) {
        dump_refuse(reader, "instruction %zu (code %d, A %d, D %d) is not one of LuaJIT 2.1",
                    index + 1, code[0], code[1], code[2] | code[3] << 8);
        return;
    }
    if (operands & A_UPVALUE) dump_upvalue_add(body->assigned, code[1]);
    if (operands & LOOPS) reader->loops = true;
    if (!(operands & (READS_GLOBAL | WRITES_GLOBAL)) ||
        (operands & READS_GLOBAL && constant->noted))
        return;
    if (memchr(constant->bytes, 0, constant->size) != NULL) {
        dump_refuse(reader, "the name of a global holds a zero byte");
    } else if (operands & READS_GLOBAL) {
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
    bool swapped = reader->flags & DUMP_BIG_ENDIAN;
    bool bits = reader->flags & DUMP_BIT_OPERATORS || body->flags & PROTO_BIT_OPERATORS;
    for (size_t i = 0; i < body->instructions && dump_good(reader); i++) {
        uint8_t *code = plain + used;
        uint32_t word;
        memcpy(&word, body->code + 4 * i, sizeof word);
        if (swapped) word = __builtin_bswap32(word);
        memcpy(code, &word, sizeof word);
        const struct dump_instruction *instruction = &dump_instructions[code[0]];
        if (code[0] > (bits ? CODE_LAST_BIT_OPERATOR : CODE_JMP)) {
            dump_refuse(reader, "instruction %zu has the unknown code %d", i + 1, code[0]);
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
    struct dump_body body = {.flags = dump_byte(reader)};
    body.parameters = dump_byte(reader);
    body.frame = dump_byte(reader);
    body.upvalues = dump_byte(reader);
    body.constants = dump_count(reader, 1);
    body.numbers = dump_count(reader, 1);
    body.instructions = dump_count(reader, 4);
    if (!(reader->flags & DUMP_STRIPPED)) body.debug = dump_count(reader, 1);
    if (body.debug > 0) {
        dump_uleb(reader, 32); /* the first line */
        dump_uleb(reader, 32); /* how many lines */
    }
    body.code = dump_bytes(reader, 4 * body.instructions);
    body.words = dump_bytes(reader, 2 * (size_t)body.upvalues);
    if (body.flags & PROTO_UNKNOWN) {
        dump_refuse(reader, "prototype flags 0x%02x, at most 0x9f expected", body.flags);
    }
    return body;
}

static void dump_hash_head(struct mill_hasher *hasher, const struct dump_reader *reader,
                           const struct dump_body *body)
{
    uint64_t kind = (reader->flags & DUMP_FR2) | (body->flags & PROTO_VARARGS);
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
    dump_bytes(reader, body.debug);
    if (reader->at != reader->end) {
        dump_refuse(reader, "a prototype is %zu bytes longer than its parts",
                    (size_t)(reader->end - reader->at));
    }
    struct dump_list *list = &reader->protos;
    if (!dump_good(reader) || !dump_reserve(reader, list, 1, sizeof(struct dump_proto))) return;
    struct dump_proto *proto = (struct dump_proto *)list->items + list->count++;
    *proto = (struct dump_proto){.words = body.words, .upvalues = body.upvalues};
    proto->hash = mill_hasher_end(&hasher);
    memcpy(proto->assigned, body.assigned, sizeof proto->assigned);
}

static void dump_header(struct dump_reader *reader)
{
    if (reader->end - reader->at < 5 || memcmp(reader->at, "\x1bLJ", 3) != 0) {
        dump_refuse(reader, "not a dump of LuaJIT (ESC L J expected)");
        return;
    }
    if (reader->at[3] != DUMP_VERSION) {
        reader->status = mill_fail(reader->error, TIDEMILL_UNSUPPORTED,
                                   "bytecode: version %d of LuaJIT's format, %d is understood",
                                   reader->at[3], DUMP_VERSION);
        return;
    }
    reader->at += 4;
    reader->flags = (uint32_t)dump_uleb(reader, 32);
    if (reader->flags & ~DUMP_KNOWN) {
        reader->status = mill_fail(reader->error, TIDEMILL_UNSUPPORTED,
                                   "bytecode: header flags 0x%x, of which 0x%x are understood",
                                   reader->flags, DUMP_KNOWN);
        return;
    }
    if (!(reader->flags & DUMP_STRIPPED)) dump_bytes(reader, dump_count(reader, 1));
}

static bool dump_read(struct dump_reader *reader)
{
    const uint8_t *end = reader->end;
    dump_header(reader);
    while (dump_good(reader)) {
        size_t size = dump_count(reader, 1);
        if (size == 0) break;
        reader->end = reader->at + size;
        dump_proto(reader);
        reader->end = end;
    }
    if (reader->at != end) dump_refuse(reader, "bytes after the end of the dump");
    if (reader->protos.count != 1) {
        dump_refuse(reader, "%zu outermost functions, one expected", reader->protos.count);
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
        reader->status = mill_no_memory(reader->error, "names in bytecode");
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
    struct dump_reader reader = {.start = dump, .at = dump, .error = error};
    reader.end = reader.start + size;
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
    return reader.status;
}

void mill_bytecode_fini(struct mill_bytecode *bytecode)
{
    free(bytecode->memory);
    bytecode->memory = NULL;
}

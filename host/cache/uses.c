/* uses: which entries were used, and which keys eviction spares.  SPDX-License-Identifier: MIT */
#include "cache/uses.h"

#include <stdlib.h>

enum { PIN_WORDS = 1 << 17 }; /* a megabyte, of which only what is written takes memory */

/* ---- uses ------------------------------------------------------------------------------ */

static struct mill_use *find_use(struct mill_use *table, size_t room, struct mill_hash key,
                                 struct mill_hash reads_name)
{
    size_t at = (size_t)(key.low ^ reads_name.low) & (room - 1);
    while (table[at].hits && !(mill_hash_equal(table[at].key, key) &&
                               mill_hash_equal(table[at].reads_name, reads_name))) {
        at = (at + 1) & (room - 1);
    }
    return &table[at];
}

static bool grow_table(struct mill_uses *uses)
{
    size_t room = uses->room ? uses->room * 2 : 64;
    struct mill_use *table = calloc(room, sizeof *table);
    if (table == NULL) return false;
    for (size_t i = 0; i < uses->room; i++) {
        const struct mill_use *use = &uses->table[i];
        if (use->hits) *find_use(table, room, use->key, use->reads_name) = *use;
    }
    free(uses->table);
    uses->table = table;
    uses->room = room;
    return true;
}

void mill_uses_add(struct mill_uses *uses, struct mill_hash key, struct mill_hash reads_name)
{
    if (uses->count * 2 >= uses->room && !grow_table(uses)) return;
    struct mill_use *use = find_use(uses->table, uses->room, key, reads_name);
    if (use->hits == 0) {
        use->key = key;
        use->reads_name = reads_name;
        uses->count++;
    }
    use->hits++;
}

static int by_key(const void *a, const void *b)
{
    const struct mill_hash *x = &((const struct mill_use *)a)->key;
    const struct mill_hash *y = &((const struct mill_use *)b)->key;
    if (x->high != y->high) return x->high < y->high ? -1 : 1;
    return (x->low > y->low) - (x->low < y->low);
}

void mill_uses_sort(struct mill_uses *uses)
{
    size_t count = 0;
    for (size_t i = 0; i < uses->room; i++) {
        if (uses->table[i].hits) uses->table[count++] = uses->table[i];
    }
    if (count > 1) qsort(uses->table, count, sizeof *uses->table, by_key);
}

void mill_uses_fini(struct mill_uses *uses)
{
    free(uses->table);
    *uses = (struct mill_uses){0};
}

/* ---- pins ------------------------------------------------------------------------------ */

/* Relaxed throughout: a pin that is seen late spares an entry late. */

void mill_pins_init(struct mill_pins *pins)
{
    pins->words = calloc(PIN_WORDS, sizeof *pins->words);
}

void mill_pins_fini(struct mill_pins *pins)
{
    free((void *)pins->words);
    pins->words = NULL;
}

static bool test(const struct mill_pins *pins, uint64_t bit)
{
    uint64_t word =
        atomic_load_explicit(&pins->words[bit / 64 % PIN_WORDS], memory_order_relaxed);
    return word >> bit % 64 & 1;
}

static void pin(struct mill_pins *pins, uint64_t bit)
{
    if (test(pins, bit)) return;
    atomic_fetch_or_explicit(&pins->words[bit / 64 % PIN_WORDS], (uint64_t)1 << bit % 64,
                             memory_order_relaxed);
}

void mill_pins_add(struct mill_pins *pins, struct mill_hash key)
{
    if (pins->words == NULL) return;
    pin(pins, key.low);
    pin(pins, key.high);
}

bool mill_pins_have(const struct mill_pins *pins, struct mill_hash key)
{
    return pins->words && test(pins, key.low) && test(pins, key.high);
}

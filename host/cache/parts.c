/* parts: what a key is made of.  SPDX-License-Identifier: MIT */
#include "cache/parts.h"

#include <stdio.h>
#include <string.h>

struct part {
    uint8_t kind;
    const char *label, *text; /* terminated */
    uint64_t hash;
};

/* In the order in which differences are told. */
static const struct part_kind {
    enum mill_part_kind kind;
    const char *name;
} part_kinds[] = {
    {MILL_PART_ENGINE, "engine version"},
    {MILL_PART_VERSION, "version"},
    {MILL_PART_SEED, "seed"},
    {MILL_PART_FILE, "file"},
    {MILL_PART_BODY, "function body"},
    {MILL_PART_HELPER, "helper"},
    {MILL_PART_UPVALUE, "upvalue"},
    {MILL_PART_GLOBAL, "global"},
    {MILL_PART_MODULE, "module"},
};

enum { KINDS = sizeof part_kinds / sizeof part_kinds[0] };

void mill_parts_add(struct mill_packer *parts, enum mill_part_kind kind, const char *label,
                    struct mill_hash hash, const char *text)
{
    uint64_t half = hash.low ^ hash.high;
    mill_packer_byte(parts, (uint8_t)kind);
    mill_packer_text(parts, label, strlen(label) + 1);
    mill_packer_bytes(parts, &half, sizeof half);
    mill_packer_text(parts, text, strlen(text) + 1);
}

static const char *next_text(struct mill_unpacker *in)
{
    size_t size;
    const char *text = mill_unpacker_text(in, &size);
    return text && size > 0 && text[size - 1] == '\0' ? text : NULL;
}

static bool next_part(struct mill_unpacker *in, struct part *part)
{
    if (in->at >= in->end) return false;
    part->kind = mill_unpacker_byte(in);
    part->label = next_text(in);
    part->hash = mill_unpacker_word(in);
    part->text = next_text(in);
    return !in->bad && part->label && part->text;
}

static bool find_part(struct mill_unpacker in, const struct part *like, struct part *found)
{
    while (next_part(&in, found)) {
        if (found->kind == like->kind && strcmp(found->label, like->label) == 0) return true;
    }
    return false;
}

/* "0.5 -> 0.6"; values that look alike have another content. */
static void describe_change(const struct part *was, const struct part *now, char *out,
                            size_t room)
{
    if (strcmp(was->text, now->text) == 0) {
        snprintf(out, room, "content of %.60s", now->text);
    } else {
        snprintf(out, room, "%.60s -> %.60s", was->text, now->text);
    }
}

static void tell_helper(const struct part *part, const char *detail, struct mill_causes *causes)
{
    const char *plural = strcmp(part->text, "1") == 0 ? "" : "s";
    mill_causes_add(causes, "helper", detail, "helper %s (%s call%s away)", part->label,
                    part->text, plural);
}

static void tell_difference(const struct part_kind *kind, const struct part *was,
                            const struct part *now, struct mill_causes *causes)
{
    char detail[MILL_CAUSE_DETAIL];
    const struct part *part = now ? now : was;
    const char *change = was == NULL ? "new" : now == NULL ? "gone" : "";
    if (was && now) describe_change(was, now, detail, sizeof detail);
    switch (kind->kind) {
    case MILL_PART_BODY:
        mill_causes_add(causes, kind->name, "", "function body");
        break;
    case MILL_PART_ENGINE:
    case MILL_PART_VERSION:
    case MILL_PART_SEED:
        mill_causes_add(causes, kind->name, was && now ? detail : part->text, "%s", kind->name);
        break;
    case MILL_PART_HELPER:
        tell_helper(part, change, causes);
        break;
    case MILL_PART_FILE:
        mill_causes_add(causes, kind->name, *change ? change : "content", "file %s",
                        part->label);
        break;
    case MILL_PART_MODULE:
        mill_causes_add(causes, kind->name, *change ? change : "source", "module %s",
                        part->label);
        break;
    default:
        mill_causes_add(causes, kind->name, *change ? change : detail, "%s %s", kind->name,
                        part->label);
    }
}

/* A name that stood for a value and now stands for a function is one part gone and another new:
 * the function tells it. */
static bool is_told_by_another(struct mill_unpacker others, const struct part *part)
{
    struct part like = *part, found;
    if (part->kind != MILL_PART_UPVALUE && part->kind != MILL_PART_GLOBAL) return false;
    like.kind = MILL_PART_HELPER;
    return find_part(others, &like, &found);
}

/* A library with functions that the script has replaced stands as a table: these tell it. */
static bool is_told_by_its_functions(struct mill_unpacker parts, const struct part *was,
                                     const struct part *now)
{
    struct part part;
    size_t size = strlen(now->label);
    if (strncmp(was->text, "builtin ", 8) != 0 || strncmp(now->text, "a table", 7) != 0) {
        return false;
    }
    while (next_part(&parts, &part)) {
        if (part.kind == MILL_PART_HELPER && strncmp(part.label, now->label, size) == 0 &&
            part.label[size] == '.') {
            return true;
        }
    }
    return false;
}

void mill_parts_compare(const void *was, size_t was_size, const void *now, size_t now_size,
                        struct mill_causes *causes)
{
    struct mill_unpacker old = {was, (const uint8_t *)was + was_size, false};
    struct mill_unpacker new = {now, (const uint8_t *)now + now_size, false};
    struct part part, other;
    for (int i = 0; i < KINDS; i++) {
        for (struct mill_unpacker in = new; next_part(&in, &part);) {
            if (part.kind != part_kinds[i].kind) continue;
            bool found = find_part(old, &part, &other);
            if (found && other.hash == part.hash) continue;
            if (!found && is_told_by_another(old, &part)) continue;
            if (found && is_told_by_its_functions(new, &other, &part)) continue;
            tell_difference(&part_kinds[i], found ? &other : NULL, &part, causes);
        }
        for (struct mill_unpacker in = old; next_part(&in, &part);) {
            if (part.kind != part_kinds[i].kind || find_part(new, &part, &other)) continue;
            if (!is_told_by_another(new, &part))
                tell_difference(&part_kinds[i], &part, NULL, causes);
        }
    }
}

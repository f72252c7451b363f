/* lib_view: graphs looked at: what lies below some nodes, as numbers and as flat tables.
 * Memory hangs from userdata, so that an error of Lua's leaves nothing behind.
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <stdlib.h>

#include "base/room.h"
#include "bind/lib.h"
#include "bind/snapshot.h"
#include "data/brief.h"
#include "sched/walk.h"

enum { VIEW_ARGUMENTS = 400 }; /* bytes of a call's arguments as text */

/* ---- growing lists ------------------------------------------------------------------------ */

struct list {
    uint32_t *items;
    size_t count, room;
};

/* Makes items[0..count-1] exist, new ones 0. */
static bool list_reach(struct list *list, size_t count)
{
    size_t wanted = count > 1024 ? count : 1024;
    if (count > list->room &&
        !mill_room_reach(&list->items, &list->room, sizeof *list->items, wanted)) {
        return false;
    }
    if (count > list->count) {
        memset(list->items + list->count, 0, (count - list->count) * sizeof *list->items);
        list->count = count;
    }
    return true;
}

static bool list_add(struct list *list, uint32_t item)
{
    if (!list_reach(list, list->count + 1)) return false;
    list->items[list->count - 1] = item;
    return true;
}

/* A set of pointers: open addressing, at most half full. */
struct set {
    const void **slots;
    size_t count, room; /* room is 0 or a power of two */
};

static const void **set_slot(const struct set *set, const void *item)
{
    size_t at = (size_t)((uintptr_t)item * UINT64_C(0x9E3779B97F4A7C15) >> 20);
    while (set->slots[at & (set->room - 1)] && set->slots[at & (set->room - 1)] != item) at++;
    return &set->slots[at & (set->room - 1)];
}

static bool set_grow(struct set *set)
{
    struct set larger = {.count = set->count, .room = set->room ? set->room * 2 : 64};
    larger.slots = calloc(larger.room, sizeof *larger.slots);
    if (larger.slots == NULL) return false;
    for (size_t i = 0; i < set->room; i++) {
        if (set->slots[i]) *set_slot(&larger, set->slots[i]) = set->slots[i];
    }
    free(set->slots);
    *set = larger;
    return true;
}

/* *fresh: whether it was not there yet. */
static bool set_add(struct set *set, const void *item, bool *fresh)
{
    if (set->count * 2 >= set->room && !set_grow(set)) return false;
    const void **slot = set_slot(set, item);
    *fresh = *slot == NULL;
    if (*fresh) set->count++;
    *slot = item;
    return true;
}

/* ---- what both walks need ------------------------------------------------------------------ */

struct view {
    uint32_t tasks, depth;
    uint64_t edges;
    double bytes;
    struct list depths; /* summary: by number */
    struct list counts; /* summary: by function */
    struct set shared;  /* summary: memory that may be met again: counted once */
    struct list indexes, functions,
        inputs;       /* flat: by number; inputs of all, one after other */
    struct list ends; /* flat: where a node's inputs end */
};

static const char view_name[] = "tidemill.view";

static void view_fini(struct view *view)
{
    struct list *lists[] = {&view->depths,    &view->counts, &view->indexes,
                            &view->functions, &view->inputs, &view->ends};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) free(lists[i]->items);
    free(view->shared.slots);
    memset(view, 0, sizeof *view);
}

static int view_gc(lua_State *L)
{
    view_fini(lua_touserdata(L, 1));
    return 0;
}

/* Walks what is below the list of nodes at stack index 1; the view stays on the stack. */
static struct view *walk_below(lua_State *L, mill_walk_visit *visit)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    luaL_checktype(L, 1, LUA_TTABLE);
    uint32_t count = (uint32_t)lua_objlen(L, 1);
    uint32_t *starts = lua_newuserdata(L, ((size_t)count + 1) * sizeof *starts);
    for (uint32_t i = 0; i < count; i++) {
        mill_handle handle = 0;
        lua_rawgeti(L, 1, (int)i + 1);
        const void *bits = lua_topointer(L, -1);
        if (bits) memcpy(&handle, bits, sizeof handle);
        lua_pop(L, 1);
        if (!mill_graph_find(graph, handle)) luaL_error(L, "a stale node (%d)", (int)i + 1);
        starts[i] = (uint32_t)handle;
    }
    struct view *view = mill_handle_new(L, view_name, sizeof *view, view_gc);
    struct mill_error error;
    if (mill_walk(graph, starts, count, visit, view, &error) != TIDEMILL_OK) {
        mill_lib_raise(L, &error);
    }
    return view;
}

/* ---- a summary ----------------------------------------------------------------------------- */

static bool add_buffer(struct view *view, const struct mill_buffer *buffer)
{
    bool fresh = false;
    if (buffer && !set_add(&view->shared, buffer, &fresh)) return false;
    if (fresh) view->bytes += (double)buffer->size;
    return true;
}

/* By buffer: arrays may share them. */
static bool add_array(struct view *view, const struct mill_array *array)
{
    return add_buffer(view, array->values_buffer) && add_buffer(view, array->offsets_buffer) &&
           add_buffer(view, array->validity_buffer) &&
           (array->dictionary == NULL || add_array(view, array->dictionary));
}

static bool add_packed(struct view *view, const struct mill_packed *packed)
{
    bool fresh = true;
    if (atomic_load_explicit(&packed->refs, memory_order_relaxed) > 1 &&
        !set_add(&view->shared, packed, &fresh)) {
        return false;
    }
    if (!fresh) return true;
    view->bytes += (double)packed->size;
    for (uint32_t i = 0; i < packed->array_count; i++) {
        if (!add_array(view, packed->arrays[i])) return false;
    }
    return true;
}

static bool add_memory(struct view *view, const struct mill_node *node)
{
    view->bytes += sizeof *node;
    if (node->count > MILL_NODE_CELLS) {
        view->bytes += (double)node->count * sizeof(struct mill_value);
    }
    const struct mill_value *arguments = mill_node_arguments(node);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct mill_value *value = &arguments[i];
        if (value->tag == MILL_TAG_COLUMN) {
            if (!add_array(view, value->array)) return false;
        } else if (value->tag == MILL_TAG_PACKED || value->tag == MILL_TAG_STRING) {
            if (!add_packed(view, value->packed)) return false;
        }
    }
    return true;
}

static bool summarise_node(void *context, const struct mill_node *node, uint32_t number,
                           const uint32_t *inputs, uint32_t count)
{
    struct view *view = context;
    uint32_t depth = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t below = view->depths.items[inputs[i]];
        if (below > depth) depth = below;
    }
    if (!list_add(&view->depths, depth + 1)) return false;
    if (!list_reach(&view->counts, (size_t)node->function + 1)) return false;
    view->counts.items[node->function]++;
    view->tasks = number + 1;
    view->edges += count;
    if (depth + 1 > view->depth) view->depth = depth + 1;
    return add_memory(view, node);
}

/* core.info(nodes) -> tasks, edges, tasks on the longest path, bytes, {function -> tasks} */
static int view_info(lua_State *L)
{
    lua_settop(L, 1);
    struct view *view = walk_below(L, summarise_node);
    lua_pushnumber(L, view->tasks);
    lua_pushnumber(L, (double)view->edges);
    lua_pushnumber(L, view->depth);
    lua_pushnumber(L, view->bytes);
    lua_newtable(L);
    for (size_t i = 0; i < view->counts.count; i++) {
        if (view->counts.items[i] == 0) continue;
        lua_pushnumber(L, (double)i);
        lua_pushnumber(L, view->counts.items[i]);
        lua_rawset(L, -3);
    }
    view_fini(view); /* now: the collector does not know how much memory hangs on it */
    return 5;
}

/* ---- flat tables --------------------------------------------------------------------------- */

static bool flatten(void *context, const struct mill_node *node, uint32_t number,
                    const uint32_t *inputs, uint32_t count)
{
    struct view *view = context;
    size_t before = view->inputs.count;
    if (before + count > INT32_MAX) return false; /* a Lua table could not hold them */
    if (!list_reach(&view->inputs, before + count)) return false;
    for (uint32_t i = 0; i < count; i++) view->inputs.items[before + i] = inputs[i] + 1;
    view->tasks = number + 1;
    return list_add(&view->indexes, node->index) &&
           list_add(&view->functions, node->function) &&
           list_add(&view->ends, (uint32_t)(before + count));
}

static void push_numbers(lua_State *L, const char *name, const struct list *list)
{
    lua_createtable(L, (int)list->count, 0);
    for (size_t i = 0; i < list->count; i++) {
        lua_pushnumber(L, list->items[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, name);
}

/* core.view(nodes) -> {count, indexes, functions, inputs, ends}: tasks are numbered from 1,
 * inputs before what needs them; those of task i are inputs[(ends[i - 1] or 0) + 1 .. ends[i]],
 * each once. */
static int view_view(lua_State *L)
{
    lua_settop(L, 1);
    struct view *view = walk_below(L, flatten);
    lua_createtable(L, 0, 5);
    lua_pushnumber(L, view->tasks);
    lua_setfield(L, -2, "count");
    push_numbers(L, "indexes", &view->indexes);
    push_numbers(L, "functions", &view->functions);
    push_numbers(L, "inputs", &view->inputs);
    push_numbers(L, "ends", &view->ends);
    view_fini(view);
    return 1;
}

/* core.arguments(index) -> the arguments of a node as text; a node among them is byte 1, its
 * index, byte 2. */
static int view_arguments(lua_State *L)
{
    struct mill_graph *graph = &mill_scope_of(L)->graph;
    double wanted = luaL_checknumber(L, 1);
    if (!(wanted >= 0 && wanted < (double)graph->slab_count * MILL_SLAB_NODES)) {
        return luaL_error(L, "no such node");
    }
    const struct mill_node *node = mill_graph_at(graph, (uint32_t)wanted);
    if (!(node->generation & 1)) return luaL_error(L, "no such node");
    char text[VIEW_ARGUMENTS];
    struct mill_brief brief;
    mill_brief_init(&brief, text, sizeof text);
    for (uint32_t i = 0; i < node->count && !brief.full; i++) {
        if (i > 0) mill_brief_add(&brief, ", ");
        mill_brief_value(&brief, &mill_node_arguments(node)[i]);
    }
    lua_pushlstring(L, brief.text, brief.size);
    return 1;
}

static const char *past_state(const struct mill_past *past)
{
    if (past->hit) return "hit";
    switch ((enum mill_state)past->state) {
    case MILL_FINISHED:
        return "finished";
    case MILL_FAILED:
        return "failed";
    case MILL_SKIPPED:
        return "skipped";
    case MILL_CANCELLED:
        return "cancelled";
    default:
        return "pending";
    }
}

/* core.node_states(node) -> {[index of a node] = {state, seconds, worker}} of the last run that had
 * it; nil: no such run is known any more */
static int view_node_states(lua_State *L)
{
    const struct mill_scope *scope = mill_scope_of(L);
    mill_handle handle;
    memcpy(&handle, lua_topointer(L, 1), sizeof handle);
    const struct mill_past_run *run =
        mill_history_find(&scope->history, (uint32_t)handle, (uint32_t)(handle >> 32));
    if (run == NULL) return 0;
    lua_createtable(L, 0, (int)run->count);
    for (uint32_t i = 0; i < run->count; i++) {
        const struct mill_past *past = &run->tasks[i];
        lua_createtable(L, 0, 3);
        lua_pushstring(L, past_state(past));
        lua_setfield(L, -2, "state");
        if (past->seconds > 0) { /* hits and skipped tasks have not run */
            lua_pushnumber(L, past->seconds);
            lua_setfield(L, -2, "seconds");
        }
        if (past->worker) {
            lua_pushinteger(L, past->worker);
            lua_setfield(L, -2, "worker");
        }
        lua_pushnumber(L, past->index);
        lua_insert(L, -2);
        lua_rawset(L, -3);
    }
    return 1;
}

/* core.describe(number, lookup) -> lane, why ("": nothing has decided it), whether results are kept, why
 * they are not although that was asked: of the tasks of a delayed function, as they would be made now */
static int view_describe(lua_State *L)
{
    static const char *const lanes[] = {"thread", "loop", "process"};
    struct tidemill *engine = mill_engine_of(L);
    struct mill_error error = {0};
    if (mill_engine_start(engine, &error) != TIDEMILL_OK) return mill_lib_raise(L, &error);
    struct mill_snapshots snapshots = {L, engine, 2, &error};
    struct mill_function *function =
        mill_snapshot(&snapshots, (uint32_t)luaL_checknumber(L, 1));
    if (function == NULL) return mill_lib_raise(L, &error);
    bool first = function->affinity == MILL_FIRST_WORKER;
    lua_pushstring(L, engine->workers == 0 || first ? "serial" : lanes[function->lane]);
    lua_pushstring(L, function->lane_reason ? function->lane_reason : "");
    lua_pushboolean(L, function->policy.cached);
    lua_pushstring(L, function->policy.refusal);
    return 4;
}

static const luaL_Reg view_functions[] = {
    {"arguments", view_arguments},     {"info", view_info},         {"view", view_view},
    {"node_states", view_node_states}, {"describe", view_describe}, {NULL, NULL},
};

void mill_lib_view(lua_State *L)
{
    luaL_register(L, NULL, view_functions);
}

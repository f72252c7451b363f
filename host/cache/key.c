/* key: what names the result of a task.  SPDX-License-Identifier: MIT */
#include "cache/key.h"

#include <stdlib.h>

bool mill_key_of(const struct mill_task *task, struct mill_hash salt,
                 struct mill_called *called)
{
    const struct mill_run *run = task->run;
    const struct mill_node *node = task->node;
    struct mill_hash few[16], *content = few;
    if (node->inputs > 16) content = malloc(node->inputs * sizeof *content);
    if (content == NULL) return false;
    for (uint32_t i = 0; i < node->inputs; i++) {
        content[i] = run->content[run->inputs[task->first_input + i]];
    }
    struct mill_hasher hasher;
    mill_hasher_init(&hasher, "task/1");
    mill_hasher_hash(&hasher, salt);
    mill_hasher_number(&hasher, node->count);
    const struct mill_value *arguments = mill_node_arguments(node);
    const struct mill_hash *next = content;
    for (uint32_t i = 0; i < node->count; i++) {
        struct mill_hash hash = mill_value_hash(&arguments[i], next);
        mill_hasher_hash(&hasher, hash);
        if (i < MILL_CALLED) called->arguments[i] = hash.low ^ hash.high;
        next += mill_value_nodes(&arguments[i]);
    }
    called->count = node->count;
    called->key = mill_hasher_end(&hasher);
    if (content != few) free(content);
    return true;
}

bool mill_task_key(const struct mill_task *task, struct mill_hash *key)
{
    struct mill_called called;
    if (!mill_key_of(task, mill_task_function(task)->policy.salt, &called)) return false;
    *key = called.key;
    return true;
}

/* work: a whole file read or written by one of libuv's threads.  SPDX-License-Identifier: MIT */
#include "lane/work.h"

#include <stdlib.h>
#include <string.h>

#include "data/file.h"

static void run_work(uv_work_t *request)
{
    struct mill_work *work = request->data;
    work->status = work->writes
                       ? mill_file_write(work->path, work->text, work->size, &work->error)
                       : mill_file_read_unpacked(work->memory, work->path, &work->bytes,
                                                 &work->hash, &work->error);
}

static void ran(uv_work_t *request, int status)
{
    struct mill_work *work = request->data;
    mill_operation_end(&work->operation, status ? "%s" : NULL, "cancelled");
}

static void work_begin(struct mill_operation *operation)
{
    struct mill_work *work = (struct mill_work *)operation;
    work->request.data = work;
    int failure = uv_queue_work(&operation->hub->loop, &work->request, run_work, ran);
    if (failure) mill_operation_end(operation, "%s", uv_strerror(failure));
}

static void work_cancel(struct mill_operation *operation)
{
    struct mill_work *work = (struct mill_work *)operation;
    uv_cancel((uv_req_t *)&work->request); /* fails when it has begun: it ends by itself then */
}

static void work_destroy(struct mill_operation *operation)
{
    struct mill_work *work = (struct mill_work *)operation;
    mill_buffer_unref(work->bytes);
    free(work);
}

static const struct mill_operation_kind work_kind = {MILL_SLOT_NONE, work_begin, work_cancel,
                                                     work_destroy};

static struct mill_work *work_new(const char *path, const char *text, size_t size)
{
    size_t length = strlen(path) + 1;
    struct mill_work *work = calloc(1, sizeof *work + size + length);
    if (work == NULL) return NULL;
    mill_operation_init(&work->operation, &work_kind);
    work->size = size;
    work->path = work->text + size;
    if (size) memcpy(work->text, text, size);
    memcpy(work->path, path, length);
    return work;
}

struct mill_work *mill_work_read(struct mill_memory *memory, const char *path)
{
    struct mill_work *work = work_new(path, NULL, 0);
    if (work) work->memory = memory;
    return work;
}

struct mill_work *mill_work_write(const char *path, const char *text, size_t size)
{
    struct mill_work *work = work_new(path, text, size);
    if (work) work->writes = true;
    return work;
}

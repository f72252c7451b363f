/* api_setting: settings of tidemill.h.  SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "bind/proxy.h"

static tidemill_status set_any(struct tidemill *engine, const char *name, const char *value)
{
    if (strcmp(name, "config") != 0)
        return mill_settings_set(engine, name, value, MILL_FROM_COMMAND, NULL, &engine->error);
    if (engine->settings.files_read) {
        return mill_fail(&engine->error, TIDEMILL_USAGE,
                         "config: files have been read already");
    }
    char *copy = strdup(value);
    if (copy == NULL) return mill_no_memory(&engine->error, "configuration");
    free(engine->settings.file);
    engine->settings.file = copy;
    return TIDEMILL_OK;
}

tidemill_status tidemill_set(tidemill *engine, const char *name, const char *value)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = set_any(engine, name, value);
    if (status == TIDEMILL_OK && engine->proxy) status = mill_proxy_set(engine, name, value);
    return mill_api_end(engine, status);
}

typedef void visit_setting(void *context, const char *name, const char *value,
                           const char *source);

static tidemill_status each_setting(struct tidemill *engine, const char *script,
                                    visit_setting *visit, void *context)
{
    tidemill_status status = mill_settings_files(engine, script, &engine->error);
    for (int i = 0; i < MILL_SETTING_COUNT && status == TIDEMILL_OK; i++) {
        struct mill_setting_view view;
        if (!mill_settings_view(engine, i, &view)) {
            return mill_no_memory(&engine->error, "settings");
        }
        visit(context, view.name, view.value, view.source);
        mill_settings_view_free(&view);
    }
    return status;
}

tidemill_status tidemill_each_setting(tidemill *engine, const char *script,
                                      void (*visit)(void *context, const char *name,
                                                    const char *value, const char *source),
                                      void *context)
{
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = each_setting(engine, script, visit, context);
    return mill_api_end(engine, status);
}

tidemill_status tidemill_settings_json(tidemill *engine, const char *script, char **text)
{
    *text = NULL;
    tidemill_status status = mill_api_enter(engine);
    if (status == TIDEMILL_OK) status = mill_settings_files(engine, script, &engine->error);
    if (status == TIDEMILL_OK) {
        *text = mill_settings_json(engine);
        if (*text == NULL) status = mill_no_memory(&engine->error, "settings");
    }
    return mill_api_end(engine, status);
}

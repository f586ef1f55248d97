#define TS_FAIL_CODE TS_BAD_FILE
#include "base/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"

json_t *ts_json_parse(const char *path, const char *text, size_t size, ts_err *err)
{
    const size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    json_error_t at;
    json_t *root = json_loadb(text + mark, size - mark, JSON_REJECT_DUPLICATES, &at);
    if (root && json_is_object(root))
        return root;
    if (root)
        ts_fail(err, "%s: the file must hold one JSON object", path);
    else
        ts_fail(err, "%s:%d:%d: not valid JSON: %s", path, at.line, at.column, at.text);
    json_decref(root);
    return NULL;
}

json_t *ts_json_load(const char *path, ts_err *err)
{
    ts_arena *scratch = ts_arena_new();
    size_t size = 0;
    const char *text = ts_file_read_most(scratch, path, TS_JSON_MOST, "a JSON file", &size, err);
    json_t *root = text ? ts_json_parse(path, text, size, err) : NULL;
    ts_arena_free(scratch);
    return root;
}

bool ts_json_only(const json_t *object, const char *path, const char *where, const char *const *known, ts_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0)
            k++;
        if (*k)
            continue;
        char list[512] = "";
        size_t used = 0;
        for (k = known; *k && used < sizeof list; k++)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", *k);
        return ts_fail(err, "%s: %s%sunknown member \"%.60s\"; known are %s", path, where, *where ? ": " : "", key, list);
    }
    return true;
}

char *ts_json_text(ts_arena *arena, const json_t *json, size_t flags)
{
    char *text = json_dumps(json, flags); /* the allocators of base/memory.h do not return NULL: only a value that is none would */
    CHECK(text);
    char *kept = ts_strdup(arena, text);
    ts_free(text);
    return kept;
}

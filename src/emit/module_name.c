#include "emit/module_name.h"

#include <string.h>

#include "base/plain.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

char *ts_module_name(ts_arena *arena, const char *model, const char *suffix)
{
    enum { HASH_DIGITS = 8 };
    const char *before = strncmp(model, "ts_", 3) == 0 ? "m_" : *model >= '0' && *model <= '9' ? "m" : "";
    char *name = ts_printf(arena, "%s%s_%s", before, model, suffix);
    if (strlen(name) > TS_MODULE_NAME_MAX) {
        const uint64_t hash = ts_hash(TS_HASH, model, strlen(model));
        const int kept = TS_MODULE_NAME_MAX - HASH_DIGITS - 2 - (int)strlen(suffix);
        name = ts_printf(arena, "%.*s_%08x_%s", kept, name, (unsigned)(hash ^ hash >> 32), suffix);
    }
    for (char *p = name; *p; p++)
        if (!is_letter(*p) && !(*p >= '0' && *p <= '9'))
            *p = '_';
    return name;
}

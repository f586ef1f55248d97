#include "base/map.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"

typedef struct slot {
    const char *key;
    void *value;
} slot;

struct ts_map {
    ts_arena *arena;
    slot *slots; /* [size], open addressing, at most half full */
    size_t size, used;
};

enum { FIRST_SIZE = 8 };

ts_map *ts_map_new(ts_arena *arena)
{
    ts_map *map = TS_NEW(arena, ts_map);
    map->arena = arena;
    map->size = FIRST_SIZE;
    map->slots = TS_NEW_N(arena, slot, map->size);
    return map;
}

static slot *find(const ts_map *map, const char *key)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    size_t i = (hash ^ hash >> 32) & (map->size - 1);
    while (map->slots[i].key && strcmp(map->slots[i].key, key) != 0)
        i = (i + 1) & (map->size - 1);
    return &map->slots[i];
}

void *ts_map_get(const ts_map *map, const char *key)
{
    return find(map, key)->value;
}

void ts_map_put(ts_map *map, const char *key, void *value)
{
    CHECK(value);
    slot *s = find(map, key);
    if (!s->key && ++map->used > map->size / 2) {
        slot *old = map->slots;
        size_t old_size = map->size;
        map->size *= 2;
        map->slots = TS_NEW_N(map->arena, slot, map->size);
        for (size_t i = 0; i < old_size; i++)
            if (old[i].key)
                *find(map, old[i].key) = old[i];
        s = find(map, key);
    }
    *s = (slot){key, value};
}

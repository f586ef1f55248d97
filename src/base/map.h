/* String -> pointer map. Keys are not copied and must outlive the map; iteration is not offered (its order would be an
   accident), so nothing can depend on it. */
#ifndef TS_MAP_H
#define TS_MAP_H
#include "base/arena.h"

typedef struct ts_map ts_map;

ts_map *ts_map_new(ts_arena *arena);
void *ts_map_get(const ts_map *map, const char *key);       /* NULL where it is absent */
void ts_map_put(ts_map *map, const char *key, void *value); /* replaces; value is not NULL */

#endif

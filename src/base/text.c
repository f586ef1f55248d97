#define _GNU_SOURCE /* fopencookie */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_ROOM = 4096 };
static const char what[] = "text";

static ssize_t append(void *cookie, const char *data, size_t size)
{
    ts_text *t = cookie;
    if (t->room - t->size <= size) {
        const size_t twice = 2 * t->room, need = t->size + size + 1;
        t->room = twice > need ? twice : need;
        t->data = ts_realloc(t->data, t->room, 1, what);
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    return (ssize_t)size;
}

FILE *ts_text_open(ts_text *text)
{
    *text = (ts_text){.room = FIRST_ROOM, .data = ts_malloc(FIRST_ROOM, 1, what)};
    text->f = fopencookie(text, "w", (cookie_io_functions_t){.write = append});
    if (!text->f)
        ts_memory_fail(sizeof(FILE), what);
    return text->f;
}

/* Formatting takes memory of its own only for numbers of thousands of digits; whatever else fails is memory that ran out. */
static void finish(ts_text *text)
{
    const bool failed = fflush(text->f) != 0 || ferror(text->f);
    if (fclose(text->f) != 0 || failed)
        ts_memory_fail(text->size, what);
    text->f = NULL;
}

char *ts_text_close(ts_text *text, ts_arena *arena)
{
    finish(text);
    char *kept = ts_alloc(arena, text->size + 1, 1);
    memcpy(kept, text->data, text->size);
    ts_free(text->data);
    text->data = NULL;
    return kept;
}

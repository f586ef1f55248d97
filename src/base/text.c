#define _GNU_SOURCE /* fopencookie */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "base/boundary.h"
#include "base/memory.h"

enum { FIRST_ROOM = 4096 };
static const char what[] = "text";

static ssize_t append(void *cookie, const char *data, size_t size)
{
    ts_text *t = cookie;
    if (t->room == 0)
        return 0;
    if (t->room - t->size <= size) {
        const size_t twice = 2 * t->room, need = t->size + size + 1, room = twice > need ? twice : need;
        char *grown = ts_try_realloc(t->data, room);
        if (!grown) { /* told by finish: nobody leaves from inside of a stream */
            t->room = 0;
            return 0;
        }
        t->data = grown;
        t->room = room;
    }
    memcpy(t->data + t->size, data, size);
    t->size += size;
    return (ssize_t)size;
}

static void release(void *text)
{
    ts_text *t = text;
    t->room = 0; /* nothing more */
    fclose(t->f);
}

FILE *ts_text_open(ts_text *text)
{
    *text = (ts_text){.room = FIRST_ROOM, .data = ts_malloc(FIRST_ROOM, 1, what)};
    text->f = fopencookie(text, "w", (cookie_io_functions_t){.write = append});
    if (!text->f)
        ts_memory_fail(sizeof(FILE), what);
    ts_hold(release, text);
    return text->f;
}

/* Formatting takes memory of its own only for numbers of thousands of digits; whatever else fails is memory that ran out. */
static void finish(ts_text *text)
{
    ts_let_go(release, text);
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

#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/memory.h"

enum { ALIGN = 64, SMALL = 16, LARGE = 4 * ALIGN, BLOCK = 1 << 20 }; /* what is shorter than LARGE starts at a multiple of SMALL */
static const char what[] = "working memory";

typedef struct block {
    struct block *next;
    size_t used, size; /* bytes of `data`, from the first aligned address */
    char *data;
} block;

struct ts_arena {
    block *head;
};

ts_arena *ts_arena_new(void)
{
    return ts_calloc(1, sizeof(ts_arena), what);
}

void ts_arena_free(ts_arena *arena)
{
    if (!arena)
        return;
    for (block *b = arena->head, *next; b; b = next) {
        next = b->next;
        ts_free(b->data);
        ts_free(b);
    }
    ts_free(arena);
}

void *ts_alloc(ts_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > (PTRDIFF_MAX - ALIGN) / size)
        ts_memory_fail(SIZE_MAX, what);
    const size_t align = count * size < LARGE ? SMALL : ALIGN;
    size_t want = (count * size + SMALL - 1) / SMALL * SMALL;
    if (want == 0)
        want = SMALL;
    block *b = arena->head;
    size_t at = b ? (b->used + align - 1) / align * align : 0;
    if (!b || at > b->size || b->size - at < want) {
        const bool own = want > BLOCK / 4;
        size_t bytes = own ? (want + ALIGN - 1) / ALIGN * ALIGN : BLOCK;
        block *fresh = ts_calloc(1, sizeof *fresh, what);
        fresh->data = ts_aligned_alloc(ALIGN, bytes, what);
        fresh->size = bytes;
        /* A big allocation gets a block of its own behind the current one, so that the current one is not wasted. */
        if (b && own) {
            fresh->next = b->next;
            b->next = fresh;
        } else {
            fresh->next = b;
            arena->head = fresh;
        }
        b = fresh;
        at = 0;
    }
    void *p = b->data + at;
    b->used = at + want;
    memset(p, 0, want);
    return p;
}

char *ts_strdup(ts_arena *arena, const char *text)
{
    size_t n = strlen(text) + 1;
    return memcpy(ts_alloc(arena, n, 1), text, n);
}

char *ts_printf(ts_arena *arena, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    CHECK(n >= 0);
    char *text = ts_alloc(arena, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

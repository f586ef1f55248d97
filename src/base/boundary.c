#include "base/boundary.h"

#include <limits.h>
#include <locale.h>
#include <omp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Blocks that are alive: a hash table with open addresses, of the call and of the threads that it computes with. */
typedef struct heap {
    pthread_mutex_t lock;
    void **block; /* [room], a power of two; NULL: free */
    size_t room, count;
} heap;

typedef struct held {
    void (*release)(void *what);
    void *what;
} held;

typedef struct frame {
    struct frame *outer;
    heap *heap;
    held *hold; /* [held], the last one last */
    size_t held, room;
    ts_err *err;
    jmp_buf jump;
} frame;

static _Thread_local frame *current;

/* ---- Blocks */

enum { FIRST_ROOM = 1 << 10, FIRST_HELD = 16 };

static size_t place_of(const heap *h, const void *block)
{
    const uint64_t x = (uint64_t)(uintptr_t)block * 0x9e3779b97f4a7c15u;
    return (size_t)(x >> 20) & (h->room - 1);
}

static void put(heap *h, void *block)
{
    size_t at = place_of(h, block);
    while (h->block[at])
        at = (at + 1) & (h->room - 1);
    h->block[at] = block;
    h->count++;
}

static bool grow(heap *h)
{
    const heap old = *h;
    const size_t room = old.room ? 2 * old.room : FIRST_ROOM;
    void **block = calloc(room, sizeof *block);
    if (!block)
        return false;
    h->block = block;
    h->room = room;
    h->count = 0;
    for (size_t i = 0; i < old.room; i++)
        if (old.block[i])
            put(h, old.block[i]);
    free(old.block);
    return true;
}

static bool keep(heap *h, void *block)
{
    pthread_mutex_lock(&h->lock);
    const bool ok = 2 * h->count < h->room || grow(h);
    if (ok)
        put(h, block);
    pthread_mutex_unlock(&h->lock);
    return ok;
}

/* Those behind it move up, so that none is cut off from its place. */
static bool drop(heap *h, const void *block)
{
    pthread_mutex_lock(&h->lock);
    size_t at = h->room ? place_of(h, block) : 0;
    while (h->room && h->block[at] && h->block[at] != block)
        at = (at + 1) & (h->room - 1);
    const bool found = h->room && h->block[at];
    if (found) {
        h->count--;
        h->block[at] = NULL;
        for (size_t i = (at + 1) & (h->room - 1); h->block[i]; i = (i + 1) & (h->room - 1)) {
            const size_t from_place = (i - place_of(h, h->block[i])) & (h->room - 1), from_hole = (i - at) & (h->room - 1);
            if (from_place < from_hole)
                continue;
            h->block[at] = h->block[i];
            h->block[i] = NULL;
            at = i;
        }
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}

bool ts_boundary_is_here(void)
{
    return current != NULL;
}

bool ts_boundary_keep(void *block)
{
    return !current || keep(current->heap, block);
}

/* Blocks of an earlier call are in no table: then there is nothing to do. */
void ts_boundary_drop(void *block)
{
    for (frame *f = block ? current : NULL; f && !drop(f->heap, block); f = f->outer)
        ;
}

/* ---- Calls */

static void heap_end(heap *h)
{
    free(h->block);
    pthread_mutex_destroy(&h->lock);
}

/* On to the call around, so that this one knows them, too; where that cannot be they stay as long as the process. */
static void hand_on(heap *h)
{
    for (size_t i = 0; current && i < h->room; i++)
        if (h->block[i])
            (void)keep(current->heap, h->block[i]);
}

static void free_all(heap *h)
{
    for (size_t i = 0; i < h->room; i++)
        free(h->block[i]);
}

bool ts_boundary_run(bool (*body)(void *user, ts_err *err), void *user, ts_err *err)
{
    heap own = {.lock = PTHREAD_MUTEX_INITIALIZER};
    frame f = {.outer = current, .heap = &own, .err = err};
    if (setjmp(f.jump) != 0) {
        free_all(&own);
        heap_end(&own);
        return false;
    }
    current = &f;
    const bool ok = body(user, err);
    current = f.outer;
    free(f.hold);
    hand_on(&own);
    heap_end(&own);
    return ok;
}

void ts_boundary_leave(ts_code code, const char *fmt, ...)
{
    frame *f = current;
    if (!f)
        return;
    char text[sizeof f->err->msg];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    while (f->held > 0) {
        const held last = f->hold[--f->held];
        last.release(last.what);
    }
    free(f->hold);
    f->hold = NULL;
    *f->err = (ts_err){""};
    ts_fail_as(f->err, code, "%s", text);
    current = f->outer;
    longjmp(f->jump, 1);
}

/* ---- What is held */

void ts_hold(void (*release)(void *what), void *what)
{
    frame *f = current;
    if (!f)
        return;
    if (f->held == f->room) {
        const size_t room = f->room ? 2 * f->room : FIRST_HELD;
        held *grown = realloc(f->hold, room * sizeof *grown);
        if (!grown) {
            release(what);
            ts_boundary_leave(TS_OUT_OF_MEMORY, "out of memory: %zu bytes for what is held", room * sizeof *grown);
            return;
        }
        f->hold = grown;
        f->room = room;
    }
    f->hold[f->held++] = (held){release, what};
}

void ts_let_go(void (*release)(void *what), const void *what)
{
    frame *f = current;
    for (size_t i = f ? f->held : 0; i-- > 0;)
        if (f->hold[i].release == release && f->hold[i].what == what) {
            memmove(&f->hold[i], &f->hold[i + 1], (--f->held - i) * sizeof *f->hold);
            return;
        }
}

static void release_fd(void *what)
{
    close((int)(intptr_t)what);
}

static void release_file(void *what)
{
    fclose(what);
}

static void release_dir(void *what)
{
    closedir(what);
}

void ts_hold_fd(int fd)
{
    ts_hold(release_fd, (void *)(intptr_t)fd);
}

int ts_close(int fd)
{
    ts_let_go(release_fd, (void *)(intptr_t)fd);
    return close(fd);
}

FILE *ts_fopen(const char *path, const char *mode)
{
    FILE *f = fopen(path, mode);
    if (f)
        ts_hold(release_file, f);
    return f;
}

int ts_fclose(FILE *f)
{
    ts_let_go(release_file, f);
    return fclose(f);
}

DIR *ts_opendir(const char *path)
{
    DIR *d = opendir(path);
    if (d)
        ts_hold(release_dir, d);
    return d;
}

void ts_closedir(DIR *d)
{
    ts_let_go(release_dir, d);
    closedir(d);
}

/* ---- Threads */

typedef struct section {
    void (*body)(void *user, int index);
    void *user;
    frame *around;   /* of the thread that began it; NULL: none */
    locale_t locale; /* of that thread */
    atomic_bool left;
    ts_err err; /* of the first that left */
} section;

/* One thread's part: a boundary of its own, whose memory is that of the call. */
static void one(section *s, int index)
{
    ts_err err = {""};
    frame f = {.outer = NULL, .heap = s->around->heap, .err = &err};
    frame *const before = current;
    const locale_t own = uselocale(s->locale);
    if (setjmp(f.jump) == 0) {
        current = &f;
        s->body(s->user, index);
        free(f.hold);
    } else {
        bool no = false;
        if (atomic_compare_exchange_strong(&s->left, &no, true))
            s->err = err;
    }
    current = before;
    uselocale(own);
}

static atomic_int most_threads = INT_MAX;

void ts_parallel_most(int threads)
{
    atomic_store(&most_threads, threads);
}

int ts_parallel_threads(void)
{
    const int most = atomic_load(&most_threads), given = omp_get_max_threads();
    return given < most ? given : most;
}

void ts_parallel(int count, int chunk, bool threads, void (*body)(void *user, int index), void *user)
{
    section s = {.body = body, .user = user, .around = current, .locale = uselocale((locale_t)0)};
#pragma omp parallel for schedule(dynamic, chunk) if (threads) num_threads(ts_parallel_threads())
    for (int i = 0; i < count; i++) {
        if (!s.around)
            body(user, i);
        else if (!atomic_load(&s.left))
            one(&s, i);
    }
    if (atomic_load(&s.left))
        ts_boundary_leave(s.err.code, "%s", s.err.msg);
}

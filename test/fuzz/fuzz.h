/* What the fuzzers share: the entry point that libFuzzer and replay.c call, and a way to hand bytes to code that reads files. */
#ifndef TS_FUZZ_H
#define TS_FUZZ_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/temporary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

/* What must hold of any input; a crash otherwise, which is what fuzzers look for. */
#define FUZZ_CHECK(cond) ((cond) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond), abort()))

static const char *fuzz_dir(void);

static inline void fuzz_remove_dir(void)
{
    if (!ts_remove_tree(fuzz_dir()))
        perror(fuzz_dir());
}

/* A directory of this process's own, in memory where the system has such a place; removed when it ends. */
static inline const char *fuzz_dir(void)
{
    static char dir[256];
    if (dir[0])
        return dir;
    struct stat st;
    snprintf(dir, sizeof dir, "%s/tessera-fuzz-XXXXXX", stat("/dev/shm", &st) == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_CHECK(mkdtemp(dir));
    atexit(fuzz_remove_dir);
    return dir;
}

/* DIR/NAME with these bytes; the path is good until the next call with the same `path`. */
static inline const char *fuzz_file(char path[static 512], const char *name, const uint8_t *data, size_t size)
{
    snprintf(path, 512, "%s/%s", fuzz_dir(), name);
    FILE *f = fopen(path, "wb");
    FUZZ_CHECK(f && fwrite(data, 1, size, f) == size);
    FUZZ_CHECK(fclose(f) == 0);
    return path;
}

/* Small numbers from a seed (xorshift): harnesses and mutators must do the same for the same input. */
static inline uint64_t fuzz_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline int fuzz_below(uint64_t *state, int n)
{
    return n > 0 ? (int)(fuzz_random(state) % (uint64_t)n) : 0;
}

#endif

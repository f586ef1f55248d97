/* Any bytes as model.tsm: what loads has passed the verifier, and the emulator runs it as the specification does; saved and loaded
   again it is the same file. The mutator mends the check sum, so that more than the check is tested. */
#include "base/file.h"
#include "emu/emu.h"
#include "fuzz.h"
#include "quant/imodel.h"

static uint32_t crc32_of(const uint8_t *data, size_t size) /* CRC-32 as in zlib */
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)seed;
    size = LLVMFuzzerMutate(data, size, max_size);
    if (size > 20) {
        const uint32_t crc = crc32_of(data, size - 4);
        for (int i = 0; i < 4; i++)
            data[size - 4 + i] = (uint8_t)(crc >> 8 * i);
    }
    return size;
}

static void run(ts_arena *arena, const ts_imodel *im)
{
    enum { HITS = 3 };
    const int rows = im->pool == TS_POOL_NONE ? HITS : 1;
    if ((double)im->d * im->layers * (im->ff + im->heads * im->d_head) > 1e6 || im->features > 512 || im->outputs > 4096)
        return; /* right, but slow */
    const size_t count = (size_t)rows * (size_t)im->outputs;
    int32_t *x = TS_NEW_N(arena, int32_t, HITS * (size_t)im->features), *y = TS_NEW_N(arena, int32_t, count),
            *z = TS_NEW_N(arena, int32_t, count);
    float *real = TS_NEW_N(arena, float, HITS *(size_t)im->features);
    uint64_t state = 7;
    for (int i = 0; i < HITS * im->features; i++)
        real[i] = (float)(fuzz_below(&state, 4001) - 2000) / 500;
    ts_quantise_input(im, HITS, real, x);
    ts_emu_run(ts_emu_new(arena, im, TS_EMU_AUTO), HITS, x, y, NULL, NULL);
    ts_emu_reference(im, HITS, x, z, NULL, NULL);
    FUZZ_CHECK(memcmp(y, z, count * sizeof *y) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[512], again[512];
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    const ts_imodel *im = ts_imodel_load(arena, fuzz_file(path, "model.tsm", data, size), &err);
    FUZZ_CHECK(im || err.msg[0]);
    if (im) {
        run(arena, im);
        snprintf(again, sizeof again, "%s/again.tsm", fuzz_dir());
        FUZZ_CHECK(ts_imodel_save(im, again, &err));
        FUZZ_CHECK(ts_imodel_load(arena, again, &err));
    }
    ts_arena_free(arena);
    return 0;
}

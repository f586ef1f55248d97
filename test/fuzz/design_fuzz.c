/* Any bytes as a file of a compiled design, one ring or a chain of two; the first byte says which file: m its manifest, t its integer
   model, and of the chain M the manifest, p and q those of the parts, T the whole integer model. What loads is predicted and its ports
   listed. */
#include "base/file.h"
#include "design/design.h"
#include "fuzz.h"
#include "plan/make.h"
#include "small_model.h"

static struct {
    char tag;
    const char *path;
    char *right; /* what was written there, once it is read */
    size_t size;
} files[] = {{.tag = 'm', .path = "one/manifest.json"},       {.tag = 't', .path = "one/model.tsm"},
             {.tag = 'M', .path = "two/manifest.json"},       {.tag = 'p', .path = "two/part0/manifest.json"},
             {.tag = 'q', .path = "two/part1/manifest.json"}, {.tag = 'T', .path = "two/model.tsm"}};

/* Both designs, and what their files hold, made once. */
static void make_designs(ts_arena *arena, const char *one, const char *two)
{
    static const ts_encoder_shape shape = {
        .features = 2, .d = 4, .heads = 2, .d_head = 2, .ff = 6, .outputs = 2, .layers = 2, .act = TS_ACT_RELU};
    ts_err err = {{0}};
    small_model m = small_model_make(&shape, 3, "w=8,act=8", &err);
    FUZZ_CHECK(m.im);
    const ts_device *device = ts_device_find(arena, "pynq-z2", &err), *const devices[] = {device, device};
    ts_planned planned;
    FUZZ_CHECK(ts_plan_search(arena, m.im, device, &(ts_plan_options){.max_tokens = 8, .target_ii = 40}, &planned, &err));
    ts_system system;
    const ts_design_options opt = {.system = &system};
    FUZZ_CHECK(ts_system_of_ring(arena, m.im, planned.plan, &system, &err) && ts_design_write(&opt, one, &err));
    const ts_partition_options o = {.device = devices, .devices = 2, .mode = TS_MODE_SPLIT, .plan = {.max_tokens = 8}};
    ts_partition partition;
    FUZZ_CHECK(ts_partition_search(arena, m.im, &o, &partition, &err));
    FUZZ_CHECK(ts_system_of_partition(arena, m.im, &partition, devices, &system, &err) && ts_design_write(&opt, two, &err));
    ts_arena_free(m.arena);
}

static void load(ts_arena *arena, const char *dir)
{
    ts_design design;
    ts_err err = {{0}};
    if (!ts_design_load(arena, dir, &design, &err)) {
        FUZZ_CHECK(err.msg[0]);
        return;
    }
    for (int n = 1; n <= 8; n += 7)
        (void)ts_design_predict(arena, &design, n);
    for (int i = 0; i < design.parts; i++)
        (void)ts_watchdog_cycles(&design.part[i]), (void)ts_system_cost(&design.system, i, ts_device_find(arena, "pynq-z2", &err));
    ts_design_free(&design);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char one[300], two[300];
    ts_arena *arena = ts_arena_new();
    if (!one[0]) {
        snprintf(one, sizeof one, "%s/one", fuzz_dir());
        snprintf(two, sizeof two, "%s/two", fuzz_dir());
        make_designs(arena, one, two);
        static ts_arena *kept; /* as long as the process */
        kept = ts_arena_new();
        for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
            char path[512];
            ts_err err = {{0}};
            snprintf(path, sizeof path, "%s/%s", fuzz_dir(), files[i].path);
            files[i].right = ts_file_read(kept, path, &files[i].size, &err);
            FUZZ_CHECK(files[i].right);
        }
    }
    for (size_t i = 0; size > 0 && i < sizeof files / sizeof *files; i++) {
        char path[512];
        const char *dir = files[i].path[0] == 'o' ? one : two;
        if (files[i].tag != (char)data[0])
            continue;
        fuzz_file(path, files[i].path, data + 1, size - 1);
        load(arena, dir);
        fuzz_file(path, files[i].path, (const uint8_t *)files[i].right, files[i].size);
    }
    ts_arena_free(arena);
    return 0;
}

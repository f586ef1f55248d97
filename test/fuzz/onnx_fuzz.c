/* libFuzzer: any bytes as an ONNX file, through import, folding, dump and evaluation of an event. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "import/import.h"
#include "pass/fold.h"
#include "ref/graph_eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(ts_arena *arena, const ts_graph *g)
{
    enum { HITS = 4, LIMIT = 1 << 16 };
    static const float x[LIMIT];
    static const bool padding[HITS] = {false, true, false, false};
    int64_t elements = 1;
    for (int i = 0; i < g->inputs; i++)
        for (int k = 0; k < g->input[i]->shape.rank && elements <= LIMIT; k++)
            elements *= ts_dim_at(g->input[i]->shape.dim[k], HITS);
    ts_err err = {{0}};
    ts_tensor y;
    if (elements <= LIMIT)
        (void)ts_graph_eval_event(g, arena, HITS, x, g->inputs > 1 ? padding : NULL, &y, NULL, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ts_arena *arena = ts_arena_new();
    ts_err err = {{0}};
    const ts_graph *g = ts_import_onnx_bytes(arena, data, size, "fuzz", "/nonexistent", &err);
    if (g)
        g = ts_fold(arena, g, &err);
    if (!g && !err.msg[0])
        __builtin_trap(); /* refused without saying why */
    if (g) {
        FILE *out = fopen("/dev/null", "w");
        ts_graph_dump(out, g);
        fclose(out);
        evaluate(arena, g);
    }
    ts_arena_free(arena);
    return 0;
}

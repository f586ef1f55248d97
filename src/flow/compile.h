/* compile, step by step: a trained model and events become a directory of hardware. */
#ifndef TS_COMPILE_H
#define TS_COMPILE_H
#include "flow/assisted.h"

/* As tessera_compile_options, whose defaults for zeros are in ts_compile. */
typedef struct ts_compile_options {
    const char *model, *output, *formats, *hardware;
    const ts_way *host;
    ts_event_source source;
    ts_deploy_options deploy;
    int calibrate, select, max_tokens, plan_tokens, target_ii, page_buffers, acc_margin;
    double loss, clock_mhz, utilisation;
    bool logits;
    ts_parity parity;
} ts_compile_options;

/* report: what report.json has, a new reference; why: lines of text, what decided, in the arena. Both only where it is done. */
bool ts_compile(ts_arena *arena, const ts_compile_options *options, json_t **report, const char **why, ts_err *err);

#endif

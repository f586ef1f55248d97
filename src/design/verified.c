/* A compiled design through the plan verifier. */
#include "design/design.h"
#include "design/report.h"
#include "plan/verify.h"

static int integer(const json_t *object, const char *key)
{
    return (int)json_integer_value(json_object_get(object, key));
}

static long long cycles(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* What the report says of the whole design; false where it says nothing. */
static bool claimed_chain(const json_t *predicted, ts_chain_prediction *p)
{
    *p = (ts_chain_prediction){.tokens = integer(predicted, "tokens"),
                               .latency_cycles = cycles(predicted, "latency_cycles"),
                               .total_cycles = cycles(predicted, "total_cycles"),
                               .interval_cycles = cycles(predicted, "interval_cycles")};
    return p->tokens > 0;
}

bool ts_design_verify(ts_arena *arena, const ts_design *design, ts_err *err)
{
    enum { DEVICES_MAX = 256 };
    const ts_device **device = TS_NEW_N(arena, const ts_device *, DEVICES_MAX);
    ts_claim_part *part = TS_NEW_N(arena, ts_claim_part, design->parts);
    ts_claim claim = {
        .im = design->im, .mode = design->mode, .device = device, .link = design->system.link, .parts = design->parts, .part = part};
    for (int i = 0; i < design->parts; i++) {
        const ts_system_ring *from = &design->part[i];
        const int d = from->device_number;
        part[i] = (ts_claim_part){.slice = from->slice, .im = from->im, .plan = from->plan, .device = d, .before = from->before};
        if (d < 0 || d >= DEVICES_MAX)
            return ts_fail_as(err, TS_DAMAGED, "%s: part %d is on a device of number %d", design->dir, i, d);
        if (!(device[d] = ts_design_device(arena, from->dir, from->device, err)))
            return false;
        claim.devices = d >= claim.devices ? d + 1 : claim.devices;
    }
    ts_err none = {""}; /* a design without its report claims nothing */
    json_t *report = ts_report_load(design->dir, &none);
    claim.utilisation = json_number_value(json_object_get(report, "utilisation"));
    ts_chain_prediction chain;
    if (claimed_chain(json_object_get(report, "predicted"), &chain))
        claim.prediction = &chain;
    const bool ok = ts_verify_claim(&claim, err) || ts_fail_in(err, "%s: this plan is not sound; compile the model again", design->dir);
    json_decref(report);
    return ok;
}

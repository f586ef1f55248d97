/* A compiled design through the plan verifier. */
#include "design/report.h"
#include "flow/deploy.h"
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

/* Of a part of several: in the manifest. Of one ring: all of the model. */
static void place(const json_t *entry, const ts_design *design, ts_claim_part *part, ts_link *link)
{
    const json_t *cuts = json_object_get(entry, "cuts"), *way = json_object_get(entry, "way_to_it");
    if (design->parts == 1) {
        part->slice = ts_slice_between(design->im, 0, ts_block_count(design->im));
        return;
    }
    part->slice = (ts_slice){.first = (int)json_integer_value(json_array_get(cuts, 0)),
                             .end = (int)json_integer_value(json_array_get(cuts, 1)),
                             .embed = json_is_true(json_object_get(entry, "embedding")),
                             .head = json_is_true(json_object_get(entry, "head"))};
    part->device = integer(entry, "device_number");
    if (way)
        *link =
            (ts_link){integer(way, "word_bits"), json_number_value(json_object_get(way, "words_a_cycle")), integer(way, "flight_cycles")};
}

bool ts_design_verify(ts_arena *arena, const ts_design *design, ts_err *err)
{
    enum { DEVICES_MAX = 256 };
    const ts_device **device = TS_NEW_N(arena, const ts_device *, DEVICES_MAX);
    ts_claim_part *part = TS_NEW_N(arena, ts_claim_part, design->parts);
    ts_claim claim = {.im = design->im, .mode = design->mode, .device = device, .parts = design->parts, .part = part};
    for (int i = 0; i < design->parts; i++) {
        const ts_system_ring *from = &design->part[i];
        part[i] = (ts_claim_part){.im = from->im, .plan = from->plan, .before = from->before};
        place(json_array_get(json_object_get(design->manifest, "parts"), (size_t)i), design, &part[i], &claim.link);
        const int d = part[i].device;
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

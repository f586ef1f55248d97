#include "search/search.h"

#include <math.h>
#include <stdlib.h>

#include "num/fixed.h"
#include "quant/quantise.h"
#include "search/products.h"

enum { UNIT_MAX = 8, OPTION_MAX = 12, FACTOR_MAX = 2 };

/* Widths worth trying in a pair. Fewer bits ruin any model; more do not measure. */
enum { PAIR_LEAST = 6, PAIR_MOST = 14 };

/* A candidate within this share of the limits was measured with little to spare: another choice of pairs is tried before it is dropped. */
static const double NEAR = 1.2;

/* Share of the error allowed up to which memory may be saved. The rest is kept for events that differ from those selected by. */
static const double MEMORY_STRAIN = 0.6;

/* A float model that finds fewer tracks than this says nothing about formats by its score. */
static const double SCORE_LEAST = 0.25;

/* Formats that go together: a product packs by the widths of both its factors. */
typedef struct unit {
    const char *name;
    ts_fmt_key weight, factor[FACTOR_MAX];
    bool factor_signed[FACTOR_MAX], either;
    int factors, options;
    struct option {
        int weight, factor[FACTOR_MAX]; /* bits */
        double strain2;                 /* what it adds to the square of the strain, everything else wide */
    } option[OPTION_MAX];
    int best; /* option of least strain */
} unit;

/* Errors that go with the loss asked for: see limits_of. */
typedef struct limits {
    bool score;
    double median, p95, disagree; /* disagree: classifiers only */
} limits;

typedef struct search {
    ts_arena *arena;
    const ts_encoder *enc;
    const ts_calibration *cal;
    const ts_judge *judge;
    const ts_search_options *opt;
    ts_products products;
    limits limit;
    int units;
    unit unit[UNIT_MAX];
    const ts_formats *wide;
    double wide_strain;
    int measured, expected; /* candidates, for the progress line */
    json_t *sensitivity, *candidate;
    ts_err *err;
} search;

/* ---- candidates ---- */

/* What formats make of the model. Formats that it cannot have are infinitely far off. */
static ts_verdict measure(search *s, const ts_formats *formats, bool score)
{
    ts_arena *arena = ts_arena_new();
    ts_formats *quiet = ts_formats_copy(arena, formats);
    quiet->warn = NULL;
    ts_err err = {""};
    const ts_imodel *im = ts_quantise(arena, s->enc, s->cal, quiet, &err);
    ts_verdict v = {.median = INFINITY, .p95 = INFINITY, .disagree = 1};
    if (im)
        v = ts_judge_measure(s->judge, im, score && s->limit.score);
    else if (!s->err->msg[0])
        *s->err = err;
    ts_arena_free(arena);
    s->measured++;
    if (s->opt->progress)
        s->opt->progress(s->opt->progress_user, fmin(1, (double)s->measured / s->expected));
    return v;
}

/* How much of the error allowed is used: 1 is all. */
static double strain_of(const search *s, const ts_verdict *v)
{
    const double strain = fmax(v->median / s->limit.median, v->p95 / s->limit.p95);
    return s->limit.disagree > 0 ? fmax(strain, v->disagree / s->limit.disagree) : strain;
}

static double strain(search *s, const ts_formats *formats)
{
    const ts_verdict v = measure(s, formats, false);
    return strain_of(s, &v);
}

/* Errors of the outputs that were seen to go with a loss of score (docs/quantisation.md). A score has a standard error near 0.005 on twenty
   events, so that it can refuse a candidate, but not find one: that is for the errors, which are a hundred times as sharp. Where nothing
   can be scored they are all there is, and have to be on the safe side. */
static limits limits_of(const search *s, bool classifier)
{
    ts_estimate score;
    const bool scored = ts_judge_float_score(s->judge, &score) && score.mean >= SCORE_LEAST;
    const double ratio = s->opt->loss / 0.005, median = 0.02 * (ratio < 1 ? ratio : sqrt(ratio));
    if (classifier) /* logits may move as long as the winner stays */
        return (limits){.score = scored, .median = 10 * median, .p95 = 40 * median, .disagree = (scored ? 4 : 2) * s->opt->loss};
    return (limits){.score = scored, .median = scored ? median : median / 4, .p95 = scored ? 12 * median : 3 * median};
}

/* ---- units ---- */

static void set_option(const unit *u, int option, ts_formats *f)
{
    ts_formats_set(f, u->weight, u->option[option].weight);
    for (int i = 0; i < u->factors; i++)
        ts_formats_set(f, u->factor[i], u->option[option].factor[i]);
}

/* Widest factor that packs with a weight of so many bits; 0: none that is worth trying. */
static int widest_factor(const ts_device *device, bool is_signed, int weight)
{
    for (int bits = PAIR_MOST; bits >= PAIR_LEAST; bits--)
        if (ts_dsp_packs(device, bits, is_signed, weight))
            return bits;
    return 0;
}

/* Pairs of widths that pack, none of which could be widened. */
static void find_options(unit *u, const ts_device *device)
{
    int last = 0;
    for (int weight = PAIR_MOST; weight >= PAIR_LEAST; weight--) {
        struct option o = {.weight = weight};
        bool all = true;
        for (int i = 0; i < u->factors; i++) {
            o.factor[i] = widest_factor(device, u->factor_signed[i], weight);
            all &= o.factor[i] > 0;
        }
        if (!all || o.factor[0] <= last)
            continue;
        last = o.factor[0];
        CHECK(u->options + 2 <= OPTION_MAX);
        u->option[u->options++] = o;
        if (u->either && o.factor[0] != weight) /* the shared factor can be the other one */
            u->option[u->options++] = (struct option){.weight = o.factor[0], .factor = {weight}};
    }
}

/* Products of the same weights are one unit. qkv0 has its weights from qkv and its input from the embedding: it packs when both do. */
static void find_units(search *s)
{
    for (int i = 0; i < s->products.count; i++) {
        const ts_product *p = &s->products.product[i];
        int u = 0;
        while (u < s->units && s->unit[u].weight != p->weight)
            u++;
        unit *at = &s->unit[u];
        if (p->weight == TS_FMT_W_QKV && p->factor != TS_FMT_QKV_IN)
            continue;
        if (u == s->units) {
            CHECK(s->units < UNIT_MAX);
            *at = (unit){.name = p->name, .weight = p->weight, .either = p->either};
            s->units++;
        }
        int f = 0;
        while (f < at->factors && at->factor[f] != p->factor)
            f++;
        if (f == at->factors) {
            CHECK(f < FACTOR_MAX);
            at->factor[at->factors++] = p->factor;
            at->factor_signed[f] = p->factor_signed;
        }
    }
    for (int u = 0; u < s->units; u++)
        find_options(&s->unit[u], s->opt->device);
}

/* Where the embedding and qkv pack, qkv0, which takes one factor from each, is made to pack as well. */
static void pack_qkv0(const search *s, ts_formats *f)
{
    for (int i = 0; i < s->products.count; i++) {
        const ts_product *p = &s->products.product[i];
        if (p->weight != TS_FMT_W_QKV || p->factor == TS_FMT_QKV_IN)
            continue;
        const int fits = widest_factor(s->opt->device, p->factor_signed, ts_formats_widest(f, TS_FMT_W_QKV));
        if (fits > 0 && ts_formats_widest(f, p->factor) <= PAIR_MOST && ts_formats_widest(f, p->factor) > fits)
            ts_formats_set(f, p->factor, fits);
    }
}

/* choice [units]: an option, or -1: wide. */
static ts_formats *combine(const search *s, ts_arena *arena, const int *choice)
{
    ts_formats *f = ts_formats_copy(arena, s->wide);
    for (int u = 0; u < s->units; u++)
        if (choice[u] >= 0)
            set_option(&s->unit[u], choice[u], f);
    pack_qkv0(s, f);
    return f;
}

/* More bits than this measure no better, or cost the emulator its vector kernels. */
static const ts_formats *wide_formats(ts_arena *arena, const ts_formats *from, const ts_encoder *enc)
{
    static const struct {
        ts_fmt_key key;
        int bits;
    } wide[] = {{TS_FMT_EMBED_HIDDEN, 14}, {TS_FMT_QKV_IN, 14}, {TS_FMT_V, 13},       {TS_FMT_P, 14},          {TS_FMT_CTX, 14},
                {TS_FMT_FFN_IN, 14},       {TS_FMT_HIDDEN, 14}, {TS_FMT_HEAD_IN, 14}, {TS_FMT_HEAD_HIDDEN, 14}};
    ts_formats *f = ts_formats_copy(arena, from);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        ts_formats_set(f, wide[i].key, wide[i].bits);
    const int room = (30 - ts_bitlen((uint64_t)enc->d_head - 1)) / 2 + 1; /* sums of d_head products fit 32 bits */
    ts_formats_set(f, TS_FMT_Q, room < 14 ? room : 14);
    ts_formats_set(f, TS_FMT_K, room < 14 ? room : 14);
    return f;
}

/* Each pair of widths by itself, everything else wide. */
static void find_sensitivities(search *s)
{
    for (int i = 0; i < s->units; i++) {
        unit *u = &s->unit[i];
        for (int o = 0; o < u->options; o++) {
            ts_formats *f = ts_formats_copy(s->arena, s->wide);
            set_option(u, o, f);
            const ts_verdict v = measure(s, f, false);
            const double own = strain_of(s, &v);
            u->option[o].strain2 = fmax(0, own * own - s->wide_strain * s->wide_strain);
            if (u->option[o].strain2 < u->option[u->best].strain2)
                u->best = o;
            json_t *json = ts_verdict_json(&v, ts_judge_events(s->judge), s->limit.disagree > 0);
            json_object_set_new(json, ts_formats_name(u->weight), json_integer(u->option[o].weight));
            for (int k = 0; k < u->factors; k++)
                json_object_set_new(json, ts_formats_name(u->factor[k]), json_integer(u->option[o].factor[k]));
            json_array_append_new(s->sensitivity, json);
        }
    }
}

/* ---- choosing what packs ---- */

typedef struct subset {
    int choice[UNIT_MAX];
    double cost, strain; /* predicted: errors add in squares */
} subset;

static int cheaper(const void *left, const void *right)
{
    const subset *a = left, *b = right;
    if (a->cost != b->cost)
        return a->cost < b->cost ? -1 : 1;
    return (a->strain > b->strain) - (a->strain < b->strain);
}

static subset *all_subsets(search *s, int *count)
{
    *count = 1 << s->units;
    subset *list = TS_NEW_N(s->arena, subset, *count);
    for (int mask = 0; mask < *count; mask++) {
        double strain2 = s->wide_strain * s->wide_strain;
        for (int u = 0; u < s->units; u++) {
            const bool packs = mask >> u & 1 && s->unit[u].options > 0;
            list[mask].choice[u] = packs ? s->unit[u].best : -1;
            strain2 += packs ? s->unit[u].option[s->unit[u].best].strain2 : 0;
        }
        list[mask].strain = sqrt(strain2);
        list[mask].cost = ts_dsp_cost(&s->products, combine(s, s->arena, list[mask].choice), s->opt->device);
    }
    qsort(list, (size_t)*count, sizeof *list, cheaper);
    return list;
}

/* Tries the other pairs of widths of what packs, while any lowers the strain. Returns the strain reached. */
static double refine(search *s, int *choice, double from)
{
    for (bool better = true; better;) {
        better = false;
        for (int u = 0; u < s->units; u++)
            for (int o = 0; choice[u] >= 0 && o < s->unit[u].options; o++) {
                const int old = choice[u];
                if (o == old || s->unit[u].option[o].strain2 > 4 * s->unit[u].option[old].strain2 + 0.01)
                    continue;
                choice[u] = o;
                const double now = strain(s, combine(s, s->arena, choice));
                if (now < 0.97 * from) { /* less is noise, and would go on for ever */
                    from = now;
                    better = true;
                } else {
                    choice[u] = old;
                }
            }
    }
    return from;
}

static void log_candidate(search *s, const char *step, const ts_formats *f, const ts_verdict *v)
{
    json_t *json = ts_verdict_json(v, ts_judge_events(s->judge), s->limit.disagree > 0);
    json_object_set_new(json, "step", json_string(step));
    json_object_set_new(json, "dsp_cost", json_real(ts_dsp_cost(&s->products, f, s->opt->device)));
    json_object_set_new(json, "memory_kbit", json_real(ts_memory_bits(s->enc, f, s->opt->max_tokens) / 1000));
    json_object_set_new(json, "share_of_limits", json_real(strain_of(s, v)));
    json_array_append_new(s->candidate, json);
}

/* Within the limits, and within the loss where that can be measured, `errors` standard errors away. */
static bool acceptable(search *s, const char *step, const ts_formats *f, double errors, ts_verdict *v)
{
    *v = measure(s, f, true);
    log_candidate(s, step, f, v);
    return strain_of(s, v) <= 1 && (!v->scored || v->loss.mean + errors * v->loss.error <= s->opt->loss);
}

/* The cheapest subset that is good enough, or NULL. */
static const ts_formats *cheapest(search *s, ts_verdict *v)
{
    int count, tried = 0;
    subset *list = all_subsets(s, &count);
    double ratio = 1; /* measured / predicted, so far */
    for (int i = 0; i < count; i++) {
        if ((i > 0 && list[i].cost == list[i - 1].cost && list[i].strain == list[i - 1].strain) || list[i].strain * ratio > NEAR)
            continue;
        double now = strain(s, combine(s, s->arena, list[i].choice));
        ratio += (now / list[i].strain - ratio) / ++tried;
        if (now > 1 && now <= NEAR)
            now = refine(s, list[i].choice, now);
        const ts_formats *f = combine(s, s->arena, list[i].choice);
        if (now <= 1 && acceptable(s, "packing", f, 0, v))
            return f;
    }
    return NULL;
}

/* ---- memory ---- */

/* A format that memories hold, and what a bit less costs: strain^2 grows by `unit` * (4^bits saved - 1). */
typedef struct saving {
    ts_fmt_key key;
    int saved;
    double unit;
} saving;

enum { SAVED_MOST = 4, PROBE = 2 }; /* bits */

static const ts_fmt_key stored[] = {TS_FMT_W_EMBED, TS_FMT_W_QKV, TS_FMT_W_O, TS_FMT_W_FFN1, TS_FMT_W_FFN2,
                                    TS_FMT_W_HEAD,  TS_FMT_K,     TS_FMT_V,   TS_FMT_Q,      TS_FMT_RES};
enum { STORED = sizeof stored / sizeof *stored };

static ts_formats *save(search *s, const ts_formats *from, const saving *list)
{
    ts_formats *f = ts_formats_copy(s->arena, from);
    for (int i = 0; i < STORED; i++)
        ts_formats_set(f, list[i].key, ts_formats_widest(from, list[i].key) - list[i].saved);
    return f;
}

/* The next bit to give up: least strain for the memory. -1 where none is left within the budget. */
static int next_saving(search *s, const ts_formats *from, const saving *list, double left)
{
    int best = -1;
    double best_price = INFINITY;
    const double now = ts_memory_bits(s->enc, save(s, from, list), s->opt->max_tokens);
    for (int i = 0; i < STORED; i++) {
        saving next[STORED];
        for (int k = 0; k < STORED; k++)
            next[k] = list[k];
        next[i].saved++;
        const double strain2 = list[i].unit * 3 * ldexp(1, 2 * list[i].saved);
        const double gain = now - ts_memory_bits(s->enc, save(s, from, next), s->opt->max_tokens);
        if (list[i].saved == SAVED_MOST || gain <= 0 || strain2 > left || strain2 / gain >= best_price)
            continue;
        best = i;
        best_price = strain2 / gain;
    }
    return best;
}

/* Spends what the limits leave on fewer bits in memories; only where the loss is known well, since memory is the lesser gain. */
static const ts_formats *save_memory(search *s, const ts_formats *from, ts_verdict *v)
{
    const double base = strain_of(s, v), target = MEMORY_STRAIN;
    if (base >= target)
        return from;
    saving list[STORED];
    for (int i = 0; i < STORED; i++) {
        saving none[STORED];
        for (int k = 0; k < STORED; k++)
            none[k] = (saving){.key = stored[k]};
        none[i].saved = PROBE;
        const double own = strain(s, save(s, from, none));
        /* Less than nothing is noise; every bit costs something. */
        list[i] = (saving){.key = stored[i], .unit = fmax(own * own - base * base, 0.01 * base * base) / (ldexp(1, 2 * PROBE) - 1)};
    }
    for (double budget = target * target - base * base; budget > 0.05 * target * target; budget /= 2) {
        double left = budget;
        for (int i; (i = next_saving(s, from, list, left)) >= 0;) {
            left -= list[i].unit * 3 * ldexp(1, 2 * list[i].saved);
            list[i].saved++;
        }
        const ts_formats *f = save(s, from, list);
        ts_verdict narrow;
        if (strain(s, f) <= target && acceptable(s, "memory", f, 1, &narrow)) {
            *v = narrow;
            return f;
        }
        for (int i = 0; i < STORED; i++)
            list[i].saved = 0;
    }
    return from;
}

/* ---- all of it ---- */

static const ts_formats *search_auto(search *s, ts_verdict *v, bool *within)
{
    const ts_formats *f = cheapest(s, v);
    *within = f != NULL;
    if (f)
        return save_memory(s, f, v);
    ts_formats_warn(s->wide, "formats: no choice keeps within the loss of %g asked for; the widest are taken (%.2g of the error allowed)",
                    s->opt->loss, s->wide_strain);
    *v = measure(s, s->wide, true);
    log_candidate(s, "wide", s->wide, v);
    return s->wide;
}

/* Every product packs; the pairs of widths are those of least strain together. NULL where the device packs nothing. */
static const ts_formats *search_packed(search *s, ts_verdict *v)
{
    int choice[UNIT_MAX];
    for (int u = 0; u < s->units; u++) {
        if (s->unit[u].options == 0) {
            ts_fail_as(s->err, TS_USAGE,
                       "%s makes no two products in one DSP at widths worth using (%s); choose another device or formats \"auto\"",
                       s->opt->device->name, s->unit[u].name);
            return NULL;
        }
        choice[u] = s->unit[u].best;
    }
    refine(s, choice, strain(s, combine(s, s->arena, choice)));
    const ts_formats *f = combine(s, s->arena, choice);
    *v = measure(s, f, true);
    log_candidate(s, "packed", f, v);
    return f;
}

static json_t *limits_json(const search *s)
{
    json_t *json = json_pack("{s:f, s:f, s:f, s:b}", "loss", s->opt->loss, "median_error", s->limit.median, "p95_error", s->limit.p95,
                             "scored", s->limit.score);
    if (s->limit.disagree > 0)
        json_object_set_new(json, "argmax_agreement", json_real(1 - s->limit.disagree));
    return json;
}

bool ts_search_formats(ts_arena *arena, const ts_encoder *enc, const ts_calibration *cal, const ts_judge *judge, const ts_formats *formats,
                       const ts_search_options *options, ts_found *found, ts_err *err)
{
    CHECK(options->loss > 0);
    ts_err first = {""}; /* why the first candidate that could not be quantised could not */
    search s = {.arena = ts_arena_new(), .enc = enc, .cal = cal, .judge = judge, .opt = options, .err = &first};
    s.products = ts_products_of(enc, options->lengths, options->lengths_count);
    s.limit = limits_of(&s, formats->classifier);
    s.wide = wide_formats(s.arena, formats, enc);
    s.sensitivity = json_array();
    s.candidate = json_array();
    find_units(&s);
    s.expected = 2 * STORED;
    for (int u = 0; u < s.units; u++)
        s.expected += 2 * s.unit[u].options;
    s.wide_strain = strain(&s, s.wide);
    *found = (ts_found){.within = true};
    const ts_formats *f = NULL;
    if (isfinite(s.wide_strain)) {
        first.msg[0] = '\0';
        find_sensitivities(&s);
        first.msg[0] = '\0';
        f = options->packed ? search_packed(&s, &found->verdict) : search_auto(&s, &found->verdict, &found->within);
    }
    if (f) {
        found->formats = ts_formats_copy(arena, f);
        found->dsp_cost = ts_dsp_cost(&s.products, f, options->device);
        found->report =
            json_pack("{s:s, s:o, s:f, s:f, s:i, s:o, s:o, s:o}", "mode", options->packed ? "packed" : "auto", "limits", limits_json(&s),
                      "dsp_cost", found->dsp_cost, "memory_kbit", ts_memory_bits(enc, f, options->max_tokens) / 1000, "measured",
                      s.measured, "selection", ts_verdict_json(&found->verdict, ts_judge_events(judge), formats->classifier), "sensitivity",
                      json_incref(s.sensitivity), "candidates", json_incref(s.candidate));
        CHECK(found->report);
    } else {
        ts_fail_with(err, &first);
    }
    json_decref(s.sensitivity);
    json_decref(s.candidate);
    ts_arena_free(s.arena);
    return f != NULL;
}

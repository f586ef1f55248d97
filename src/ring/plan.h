/* The plan of a ring on one device: what the planner decides and the emitter builds, nothing else. Stages are numbered, so that
   costs, parameters and memories are loops over tables and not lists of special cases.
   docs/hardware.md draws the ring; ceil(K/PK) * ceil(M/PM) is a linear stage's initiation interval. */
#ifndef TS_PLAN_H
#define TS_PLAN_H
#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "quant/imodel.h"

/* How a model is deployed. One design has one mode. */
#define TS_MODES(X) \
    X(MONOLITHIC, "monolithic", "one ring, all weights on chip") \
    X(REPLICATED, "replicated", "several rings in a chain on one device, some layers each") \
    X(PAGED, "paged", "weights in external memory, brought in page by page") \
    X(SPLIT, "split", "a chain of devices, a run of blocks each") \
    X(ASSISTED, "assisted", "some stages run on the host")
typedef enum {
#define X(id, name, doc) TS_MODE_##id,
    TS_MODES(X)
#undef X
        TS_MODE_COUNT
} ts_mode;
const char *ts_mode_name(ts_mode mode);

typedef enum { TS_MEM_BLOCK, TS_MEM_DISTRIBUTED, TS_MEM_ULTRA } ts_mem_style;
const char *ts_mem_style_name(ts_mem_style style); /* "block", "distributed", "ultra": the RTL's STYLE parameters */

/* Linear stages in the order of the stream. */
#define TS_LIN_STAGES(X) \
    X(EMBED0, "embed0") \
    X(EMBED1, "embed1") \
    X(EMBED2, "embed2") \
    X(QKV0, "qkv0") \
    X(QKV, "qkv") \
    X(O, "o") \
    X(FFN1, "ffn1") \
    X(FFN2, "ffn2") \
    X(HEAD0, "head0") \
    X(HEAD1, "head1") \
    X(HEAD2, "head2")
typedef enum {
#define X(id, name) TS_LIN_##id,
    TS_LIN_STAGES(X)
#undef X
        TS_LIN_COUNT
} ts_lin_id;
const char *ts_lin_name(ts_lin_id id); /* as in the emitted Verilog: "ffn1" */

/* Stage-input requantisers (ts_rqvec) and normalisations (ts_norm; QK: ts_qknorm, which has one for q and one for k). */
typedef enum { TS_RQV_QKV, TS_RQV_FFN, TS_RQV_HEAD, TS_RQV_COUNT } ts_rqv_id;
const char *ts_rqv_name(ts_rqv_id id); /* "rq_qkv" ... */
typedef enum { TS_NRM_1, TS_NRM_2, TS_NRM_FINAL, TS_NRM_QK, TS_NRM_COUNT } ts_nrm_id;
const char *ts_nrm_name(ts_nrm_id id); /* "norm1" ... */

/* The ways of tokens through a ring. New ones enter in front of the attention block or, in a slice that starts there, of the FFN block,
   and leave behind the last layer's last block. */
typedef struct ts_ring_ways {
    bool has_attention, has_ffn; /* of its two blocks */
    bool loop;                   /* from the FFN block to the next layer's attention block: more than one layer */
    bool through;                /* from the attention block to the FFN block: some layer has both */
    bool attn_merge, ffn_merge;  /* new tokens and the ring's own meet in front of the block */
    bool attn_route, ffn_route;  /* tokens go on in the ring or leave it behind the block */
    bool store;                  /* without attention nothing takes an overlong event back: events are stored whole where they enter */
} ts_ring_ways;
ts_ring_ways ts_ring_ways_of(const ts_imodel *im);

/* The stage's linear in `layer` (of pages of them), or NULL where this ring has no such stage. embed, qkv0 and head have
   one page, the others a page a layer. Pages that are never read are NULL here and zeros in the image: of qkv and rq_qkv the first
   with qkv0, and of every stage in a half layer's missing block. */
const ts_ilin *ts_ring_lin(const ts_imodel *im, ts_lin_id id, int layer);
const ts_rq *ts_ring_rqv(const ts_imodel *im, ts_rqv_id id, int layer);
const ts_inorm *ts_ring_nrm(const ts_imodel *im, ts_nrm_id id, int layer); /* of TS_NRM_QK that on q */
const ts_inorm *ts_ring_k_norm(const ts_imodel *im, int layer);            /* and that on k */
ts_fmt ts_ring_qkv_fmt(const ts_imodel *im, int layer, int channel);       /* of one output of qkv or qkv0 */

/* Containers of a stage: the widest over the layers. */
typedef struct ts_lin_widths {
    int k, m, pages;
    int xw, ww, accw, yw;  /* bits */
    bool xsigned, ysigned; /* ysigned: of the requantised value, with a table its index */
    int s1, s2;
    bool varbits; /* some channel is narrower than yw: its own width is stored beside its multiplier */
    bool table;   /* activation by table, index of idxw bits; otherwise idxw = yw */
    int idxw;
} ts_lin_widths;

typedef struct ts_rqv_widths {
    int d, pages, xw, yw, s2;
    int biasw; /* 0: no offsets */
    bool varbits;
} ts_rqv_widths;

typedef struct ts_nrm_widths {
    bool centred;
    int d, groups; /* channels that are normalised together; how often in a token: 1 on the residual stream */
    int pages;     /* layers, each with a page for every group, as many as a power of two */
    int t_shift, y_shift, biasw, epsw;
    int k_y_shift, k_biasw; /* of the norm on k, where y_shift and biasw are those of the norm on q */
} ts_nrm_widths;

typedef struct ts_ring_widths {
    int lw, tagw;       /* bits of the layer number and of a stream's tag */
    int in_w, res_w;    /* of a hit's value and of the residual stream */
    int qw, kw, vw, xw; /* of q, k, v (v: im->v_bits) and of the container of all three in the stream that attention takes */
    int cw, pw, sw, fw; /* context, probability, score, fraction bits of a score */
    int score_shift, ctx_shift;
    ts_lin_widths lin[TS_LIN_COUNT]; /* k = 0: the ring has no such stage */
    ts_rqv_widths rqv[TS_RQV_COUNT]; /* d = 0: ditto */
    ts_nrm_widths nrm[TS_NRM_COUNT]; /* d = 0: ditto */
} ts_ring_widths;
ts_ring_widths ts_ring_widths_of(const ts_imodel *im);

/* Folds. */
typedef struct ts_lin_fold {
    int pk, pm;  /* inputs and outputs a cycle */
    int nr;      /* requantisers: divides pm, >= pm / ceil(K/pk) */
    bool pack;   /* two products a DSP: outputs 2i and 2i+1 of a cycle share theirs */
    int buffers; /* 0: the weights of all layers are on chip; 1 or 2: of so many, the others wait in external memory (docs/paging.md) */
    ts_mem_style wstyle, pstyle; /* memories of weights; of biases and multipliers */
} ts_lin_fold;

typedef struct ts_rqv_fold {
    int nr; /* lanes */
    ts_mem_style pstyle;
} ts_rqv_fold;

typedef struct ts_nrm_fold {
    int np; /* lanes */
    ts_mem_style pstyle;
} ts_nrm_fold;

/* Which scores of a cycle share a DSP, two by two: those of keys 2j and 2j+1 with a query, or of queries 2i and 2i+1 with a key. */
typedef enum { TS_PAIR_NONE, TS_PAIR_KEYS, TS_PAIR_QUERIES } ts_score_pairs;
const char *ts_score_pairs_name(ts_score_pairs pairs); /* "none", "keys", "queries" */

typedef struct ts_attn_fold {
    int pq, pkey, ph, pd;         /* queries x keys x heads x head width a cycle, twice (scores, context) */
    int nf;                       /* lanes that divide the context by the sum of probabilities */
    ts_score_pairs pairs;         /* two products a DSP in the scores */
    bool pack_context;            /* and in the context: channels 2c and 2c+1 share theirs */
    ts_mem_style kvstyle, sstyle; /* memories of keys and values; of scores */
} ts_attn_fold;

/* The way from external memory to the stages with page buffers: an AXI4 read port and its loader (rtl/ts_pager.v). */
typedef struct ts_paging {
    int lanes;   /* words of 64 bits in a beat: 1, 2, 4 or 8; 0 where no stage is paged */
    int bursts;  /* on their way at most */
    int latency; /* cycles from an address to its first beat: what the plan counts on, and the simulated memory does */
    double rate; /* beats a cycle that the memory gives, at most 1: ditto */
    bool stated; /* by the user (--memory) and not the device's data */
} ts_paging;

/* Which memories' words have a parity bit, which is checked when a token uses them. */
#define TS_PARITIES(X) \
    X(NONE, "none") \
    X(PAGES, "pages") /* page buffers alone */ \
    X(ALL, "all")     /* and all that the configuration bus fills */
typedef enum {
#define X(id, name) TS_PARITY_##id,
    TS_PARITIES(X)
#undef X
        TS_PARITY_COUNT
} ts_parity;
const char *ts_parity_name(ts_parity parity);

enum { TS_QUEUE_BEATS_MAX = 16 };

typedef struct ts_plan {
    const char *device; /* name in devices/ */
    double clock_mhz;
    int n_max;       /* longest event, sizes memories */
    int plan_tokens; /* length that the folds were chosen for */
    int reg;         /* adder levels between registers, 1 or 2 */
    ts_lin_fold lin[TS_LIN_COUNT];
    ts_rqv_fold rqv[TS_RQV_COUNT];
    ts_nrm_fold nrm[TS_NRM_COUNT];
    ts_attn_fold attn;
    ts_paging paging;
    int mid_depth;     /* tokens of the residual FIFO beside the FFN: at least those in flight in rq_ffn ... ffn2 */
    int sum_lanes;     /* values a cycle of the residual sums, 1 ... d */
    int queue_beats;   /* pieces in which the queues of residuals and queries hold a token, 1 ... TS_QUEUE_BEATS_MAX */
    bool half;         /* slices of whole tokens take one every other cycle: no stage of the ring is faster */
    int refusal_depth; /* events in flight: descriptors between admission and output */
    ts_mem_style queue_style, mid_style;
    bool argmax; /* classifiers: one beat {class, value} a token instead of the raw outputs */
    ts_parity parity;
} ts_plan;

/* Stages that can have page buffers, in the order of the stream behind attention: that of docs/paging.md. */
enum { TS_PAGED_STAGES = 4 };
extern const ts_lin_id ts_paged_stage[TS_PAGED_STAGES]; /* o, ffn1, ffn2, qkv */
bool ts_plan_is_paged(const ts_plan *plan);

/* Parity bits of a word: of a page buffer, or of a memory on the configuration bus. */
static inline int ts_plan_parity_bits(const ts_plan *plan, bool paged)
{
    return plan->parity == TS_PARITY_ALL || (plan->parity == TS_PARITY_PAGES && paged);
}

/* Some memory of the ring has them. */
bool ts_plan_has_parity(const ts_plan *plan);

/* Words that a weight memory can have: the configuration bus and the loader's address so many. */
enum { TS_WEIGHT_WORDS_MAX = 1 << 16 };

/* Bits of a slice of a memory: one write of the configuration bus, one lane of the loader's. */
enum { TS_SLICE_BITS = 72 };

/* Writes of a word of a page buffer: the loader's bus numbers so many. */
enum { TS_PAGE_GROUPS_MAX = 255 };

/* Bits of a word of the stage's weights, as it is stored. *w: the stage's. */
long long ts_plan_weight_bits(const ts_plan *plan, const ts_lin_widths *w, ts_lin_id id);

/* Whether the loader can fill the stage's page buffers: they are not too deep nor too wide for it. *w: the stage's. */
bool ts_plan_pages_fit(const ts_plan *plan, const ts_lin_widths *w, ts_lin_id id);

/* The smallest ring that computes the model: one input, one output a cycle everywhere. For tests and as a planner's start. */
ts_plan ts_plan_minimal(const ts_imodel *im, int n_max);

/* True when every fold is legal for this model (ranges, nr, styles); the message names the stage. */
bool ts_plan_check(const ts_plan *plan, const ts_imodel *im, ts_err *err);

/* The check of one number; the message names the stage and what of it. */
bool ts_plan_in_range(const char *stage, const char *what, int value, int lo, int hi, ts_err *err);

/* As the manifest's member "plan". The reader checks types and ranges; ts_plan_check checks the sense. */
json_t *ts_plan_to_json(const ts_plan *plan, const ts_imodel *im);
bool ts_plan_from_json(ts_arena *arena, const json_t *json, ts_plan *plan, ts_err *err);

/* Cycles a linear stage takes for a token. */
static inline int ts_ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

static inline int ts_lin_ii(const ts_lin_widths *w, const ts_lin_fold *f)
{
    return ts_ceil_div(w->k, f->pk) * ts_ceil_div(w->m, f->pm);
}

#endif

/* What formats cost: the products of a model, which of them share a DSP in pairs, and the bits that memories hold. One physical stage
   serves all layers of a ring, so only the widest format of a role counts. */
#ifndef TS_PRODUCTS_H
#define TS_PRODUCTS_H
#include "graph/encoder.h"
#include "quant/formats.h"
#include "ring/device.h"

enum { TS_PRODUCT_MAX = 2 * TS_MLP_MAX + 8 };

/* All multiplications of one stage: one factor of each of two formats. */
typedef struct ts_product {
    const char *name;          /* as in the emitted Verilog: "ffn1" */
    ts_fmt_key factor, weight; /* scores: q and k */
    bool factor_signed;        /* the other always is */
    bool either;               /* scores: any of the two may be the one that a pair shares; elsewhere it is `factor` */
    double macs;               /* an event, mean over the lengths planned for */
} ts_product;

typedef struct ts_products {
    int count;
    ts_product product[TS_PRODUCT_MAX];
} ts_products;

/* lengths: hits of the events to plan for, at least one. */
ts_products ts_products_of(const ts_encoder *enc, const int *lengths, int count);

/* Whether one DSP makes two of the products at these widths. */
bool ts_product_packs(const ts_product *product, const ts_device *device, int factor_bits, int weight_bits);

/* DSPs for the same speed, as a share of those that one DSP a product takes: 0.5 ... 1. */
double ts_dsp_cost(const ts_products *products, const ts_formats *formats, const ts_device *device);

/* Bits that weights, keys and values, queued queries and the residual stream occupy in a ring for events of max_tokens hits. */
double ts_memory_bits(const ts_encoder *enc, const ts_formats *formats, int max_tokens);

#endif

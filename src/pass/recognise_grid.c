/* Quantisation that the file prescribes: QuantizeLinear ... DequantizeLinear changes no meaning here; it leaves a note of its
   scale, zero point and codes on the form (or the probabilities) that went through it, and what reads the form takes the note
   along. Constants that were integers have steps (ts_grid), which become those of a linear's rows. */
#include <math.h>
#include <string.h>

#include "op/op.h"
#include "pass/recognise_value.h"

static const char *const finer = "its rounding is left out: the hardware holds this value in a format of its own";

static const char *const unrounded = "the residual connection that reads it takes it as it is before this rounding";

static const char *const mixed_codes =
    "codes of a QuantizeLinear were joined with others, or pooled, before their DequantizeLinear; put it right behind the QuantizeLinear";

static rec_origin *origin_new(rec *r, const char *name, const char *otherwise)
{
    if (r->origins == r->origin_room) {
        rec_origin **more = TS_NEW_N(r->arena, rec_origin *, 2 * r->origin_room + 64);
        if (r->origins)
            memcpy(more, r->origin, (size_t)r->origins * sizeof *more);
        r->origin = more;
        r->origin_room = 2 * r->origin_room + 64;
    }
    rec_origin *o = TS_NEW(r->arena, rec_origin);
    *o = (rec_origin){.name = ts_strdup(r->arena, name), .otherwise = otherwise};
    return r->origin[r->origins++] = o;
}

static rec_grid *grid_like(rec *r, const rec_grid *g, int count)
{
    rec_grid *out = TS_NEW(r->arena, rec_grid);
    *out = *g;
    out->count = count;
    return out;
}

const rec_grid *ts_grid_select(rec *r, const rec_grid *g, int rows, const int *row)
{
    if (!g)
        return NULL;
    rec_grid *out = grid_like(r, g, rows);
    double *scale = TS_NEW_N(r->arena, double, rows);
    int *zero = TS_NEW_N(r->arena, int, rows);
    for (int i = 0; i < rows; i++)
        if (row[i] >= 0) {
            scale[i] = g->scale[row[i]];
            zero[i] = g->zero[row[i]];
        }
    out->scale = scale;
    out->zero = zero;
    return out;
}

const rec_grid *ts_grid_scale(rec *r, const rec_grid *g, double scale, const double *row_scale)
{
    if (!g)
        return NULL;
    rec_grid *out = grid_like(r, g, g->count);
    double *scaled = TS_NEW_N(r->arena, double, g->count);
    bool mirrored = false;
    for (int i = 0; i < g->count; i++) {
        const double factor = scale * (row_scale ? row_scale[i] : 1.0);
        mirrored |= factor < 0;
        scaled[i] = g->scale[i] * fabs(factor);
    }
    out->scale = scaled;
    return mirrored && g->low != -g->high ? NULL : out;
}

const rec_grid *ts_grid_merge(rec *r, const rec_grid *a, const rec_grid *b)
{
    if (!a || !b || a->low != b->low || a->high != b->high)
        return NULL;
    rec_grid *out = grid_like(r, a, a->count);
    double *scale = TS_NEW_N(r->arena, double, a->count);
    int *zero = TS_NEW_N(r->arena, int, a->count);
    for (int i = 0; i < a->count; i++) {
        if (a->scale[i] != 0 && b->scale[i] != 0)
            return NULL;
        scale[i] = a->scale[i] + b->scale[i];
        zero[i] = a->zero[i] + b->zero[i];
    }
    out->scale = scale;
    out->zero = zero;
    a->origin->taken |= b->origin->taken;
    return out;
}

/* One origin for each constant, however often it is used. */
static rec_origin *kernel_origin(rec *r, const ts_grid *grid)
{
    for (int i = 0; i < r->origins; i++)
        if (strcmp(r->origin[i]->name, grid->node) == 0)
            return r->origin[i];
    return origin_new(r, grid->node,
                      grid->step ? "its integers are not kept: they are no weights of a linear layer that stands on its own"
                                 : "its integers are not kept: the constant is computed with before it is used");
}

const rec_grid *ts_grid_of_kernel(rec *r, const ts_value *kernel, int64_t rows, const int64_t *at, int64_t depth, const int64_t *in,
                                  bool *ok)
{
    const ts_grid *from = kernel->grid;
    *ok = true;
    if (!from)
        return NULL;
    rec_origin *origin = kernel_origin(r, from);
    if (!from->step)
        return NULL;
    double *scale = TS_NEW_N(r->arena, double, rows);
    for (int64_t i = 0; i < rows; i++) {
        scale[i] = ts_get_real(from->step, at[i] + in[0]);
        for (int64_t j = 1; j < depth; j++)
            if (ts_get_real(from->step, at[i] + in[j]) != scale[i]) {
                *ok = ts_rec_fail(r, r->node,
                                  "its weights (node '%s') have scales along the layer's inputs, so that their integers cannot be added "
                                  "up; give one scale for all, or one for each output (axis)",
                                  from->node);
                return NULL;
            }
    }
    rec_grid *g = TS_NEW(r->arena, rec_grid);
    *g = (rec_grid){.count = (int)rows, .scale = scale, .zero = TS_NEW_N(r->arena, int, rows), .origin = origin};
    return g;
}

const ts_given *ts_grid_take(rec *r, const rec_grid *g)
{
    int known = -1;
    for (int i = 0; g && i < g->count; i++)
        if (g->scale[i] > 0)
            known = i;
    if (known < 0)
        return NULL;
    ts_given *given = TS_NEW(r->arena, ts_given);
    double *scale = TS_NEW_N(r->arena, double, g->count);
    int *zero = TS_NEW_N(r->arena, int, g->count);
    for (int i = 0; i < g->count; i++) { /* nobody reads a channel that has none */
        const int from = g->scale[i] > 0 ? i : known;
        scale[i] = g->scale[from];
        zero[i] = g->zero[from];
    }
    g->origin->taken = true;
    *given = (ts_given){.count = g->count, .scale = scale, .zero = zero, .low = g->low, .high = g->high, .name = g->origin->name};
    return given;
}

static bool is_matrix(const ts_value *v)
{
    int wide = 0;
    for (int i = 0; i < v->constant->rank; i++)
        wide += v->constant->dim[i] > 1;
    return wide > 1;
}

void ts_grid_notes(rec *r, ts_encoder *enc)
{
    for (int i = 0; i < r->graph->values; i++) { /* vectors are biases and gains, which have finer formats than a file's integers */
        const ts_value *v = r->graph->value[i];
        if (v->grid && v->constant && v->uses && is_matrix(v))
            (void)kernel_origin(r, v->grid);
    }
    const char **note = TS_NEW_N(r->arena, const char *, r->origins);
    for (int i = 0; i < r->origins; i++) {
        const rec_origin *o = r->origin[i];
        if (!o->taken || o->added)
            note[enc->notes++] = ts_printf(r->arena, "node '%s': %s", o->name, o->taken ? unrounded : o->otherwise);
    }
    enc->note = note;
}

/* ---- the operators ---- */

/* Values of a parameter for the rows of v: one for all, or along `axis`. */
static const double *row_values(rec *r, const rec_val *v, const ts_tensor *t, int64_t axis)
{
    ts_tensor aligned = *t;
    bool uniform;
    if (t->rank == 1 && ts_count(t) > 1) {
        aligned.rank = v->shape->rank;
        axis += axis < 0 ? aligned.rank : 0;
        for (int i = 0; i < aligned.rank; i++)
            aligned.dim[i] = i == axis ? t->dim[0] : 1;
    } else if (ts_count(t) == 1) {
        aligned.rank = 0;
    }
    return ts_rec_constant(r, v, &aligned, &uniform);
}

static const ts_tensor *parameter(rec *r, const ts_node *node, int slot, const char *what)
{
    const ts_value *in = ts_in(node, slot);
    if (in && in->constant)
        return in->constant;
    ts_rec_fail(r, node, "its %s is computed from the event; only quantisation with constant scales has hardware", what);
    return NULL;
}

/* Scale and zero point of a node for the rows of v, or, of probabilities and scores, for all of them. */
static rec_grid *parameters(rec *r, const ts_node *node, const rec_val *v, bool along_axis)
{
    static const double none = 0;
    const ts_tensor no_zero = {.dtype = TS_F64, .data = {.d = (double *)&none}};
    const ts_tensor *scale = parameter(r, node, 1, "scale"), *zero = ts_in(node, 2) ? parameter(r, node, 2, "zero point") : &no_zero;
    if (!scale || !zero)
        return NULL;
    if (v->kind != VAL_LINEAR && (ts_count(scale) > 1 || ts_count(zero) > 1)) {
        ts_rec_fail(r, node, "%s have one scale for each channel; give one for all", ts_rec_kind_text(v));
        return NULL;
    }
    const int64_t axis = ts_attr_int(node, "axis", 1);
    const int count = v->kind == VAL_LINEAR ? (int)ts_layout_rows(&v->layout) : 1;
    double own_scale = ts_get_real(scale, 0), own_zero = ts_get_real(zero, 0);
    const double *s = &own_scale, *z = &own_zero;
    if (v->kind == VAL_LINEAR) {
        s = along_axis ? row_values(r, v, scale, axis) : row_values(r, v, scale, -1);
        z = s ? row_values(r, v, zero, along_axis ? axis : -1) : NULL;
    }
    if (!z)
        return NULL;
    rec_grid *g = TS_NEW(r->arena, rec_grid);
    double *to = TS_NEW_N(r->arena, double, count);
    int *to_zero = TS_NEW_N(r->arena, int, count);
    for (int i = 0; i < count; i++) {
        to[i] = s[i];
        to_zero[i] = (int)fmin(fmax(z[i], -1e9), 1e9);
        if (floor(z[i]) != z[i]) {
            ts_rec_fail(r, node, "zero point %g is no whole number", z[i]);
            return NULL;
        }
    }
    *g = (rec_grid){.count = count, .scale = to, .zero = to_zero};
    return g;
}

static const rec_grid *grid_of(const rec_val *v)
{
    return v->kind == VAL_LINEAR ? v->form->grid : v->grid;
}

static bool same_steps(const rec_grid *a, const rec_grid *b)
{
    return a && b && a->count == b->count && memcmp(a->scale, b->scale, (size_t)a->count * sizeof *a->scale) == 0 &&
           memcmp(a->zero, b->zero, (size_t)a->count * sizeof *a->zero) == 0;
}

static rec_val *with_grid(rec *r, const rec_val *v, const rec_grid *g, bool codes)
{
    rec_val *out = TS_NEW(r->arena, rec_val);
    *out = *v;
    out->shape = &r->node->out[0]->shape;
    out->node = r->node;
    out->codes = codes;
    if (v->kind != VAL_LINEAR) {
        out->grid = g;
        return out;
    }
    rec_form *f = TS_NEW(r->arena, rec_form);
    *f = *ts_form_scale(r, v->form, v->scale, NULL); /* it shares the cell of its base: rounding makes it no other thing */
    f->grid = g;
    out->form = f;
    out->scale = 1.0;
    return out;
}

static bool check_range(rec *r, const rec_grid *g)
{
    for (int i = 0; i < g->count; i++)
        if (g->zero[i] < g->low || g->zero[i] > g->high)
            return ts_rec_fail(r, r->node, "the zero point %d lies outside of the codes, which run from %d to %d", g->zero[i], g->low,
                               g->high);
    return g->low < g->high || ts_rec_fail(r, r->node, "the codes run from %d to %d; at least two are needed", g->low, g->high);
}

/* Gives v the grid g, whose range is set. What has these steps already (a pair on both sides of a Reshape) keeps its origin. */
static const rec_val *prescribe(rec *r, const rec_val *v, rec_grid *g, bool codes)
{
    const rec_grid *old = grid_of(v);
    if (!check_range(r, g))
        return NULL;
    if (same_steps(old, g)) {
        g->low = old->low > g->low ? old->low : g->low;
        g->high = old->high < g->high ? old->high : g->high;
        g->origin = old->origin;
    } else {
        g->origin = origin_new(r, r->node->name, finer);
    }
    return with_grid(r, v, g, codes);
}

static const rec_val *rounded_value(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id];
    return v->kind == VAL_PROB || v->kind == VAL_SCORE ? v : ts_rec_linear(r, v);
}

bool ts_rec_quantise(rec *r, const ts_node *node)
{
    const bool back = ts_kind(node) == TS_OP_DequantizeLinear || ts_kind(node) == TS_OP_ms_DequantizeLinear;
    const rec_val *v = rounded_value(r, node), *out = NULL;
    rec_grid *g = v ? parameters(r, node, v, true) : NULL;
    if (!g)
        return false;
    if (!back && v->codes)
        return ts_rec_fail(r, node, "codes of QuantizeLinear are quantised once more; a DequantizeLinear must come first");
    if (back && !v->codes)
        return ts_rec_fail(r, node, "what it reads comes from no QuantizeLinear");
    if (back && !grid_of(v))
        return ts_rec_fail(r, node, "%s", mixed_codes);
    if (back && !same_steps(grid_of(v), g))
        return ts_rec_fail(r, node, "its scale or zero point is not that of the QuantizeLinear before it (node '%s')",
                           grid_of(v)->origin->name);
    if (back) {
        out = with_grid(r, v, grid_of(v), false);
    } else {
        const ts_dtype codes = node->out[0]->dtype;
        const bool wide = codes == TS_I16 || codes == TS_U16, is_signed = codes == TS_I8 || codes == TS_I16;
        g->low = !is_signed ? 0 : wide ? INT16_MIN : INT8_MIN;
        g->high = wide ? (is_signed ? INT16_MAX : UINT16_MAX) : is_signed ? INT8_MAX : UINT8_MAX;
        out = prescribe(r, v, g, true);
    }
    r->val[node->out[0]->id] = out;
    return out != NULL;
}

bool ts_rec_clip_codes(rec *r, const ts_node *node)
{
    const rec_val *v = r->val[ts_in(node, 0)->id];
    if (!grid_of(v))
        return ts_rec_fail(r, node, "%s", mixed_codes);
    rec_grid *g = TS_NEW(r->arena, rec_grid);
    *g = *grid_of(v);
    for (int k = 1; k < 3; k++) {
        const ts_value *in = ts_in(node, k);
        const char *const attr = k == 1 ? "min" : "max";
        double bound = ts_attr_float(node, attr, k == 1 ? -INFINITY : INFINITY);
        if (in && (!in->constant || !ts_rec_uniform(in->constant, &bound)))
            return ts_rec_fail(r, node, "Clip needs constant limits");
        if (k == 1 && bound > g->low)
            g->low = (int)ceil(fmin(bound, 1e9));
        if (k == 2 && bound < g->high)
            g->high = (int)floor(fmax(bound, -1e9));
    }
    if (!check_range(r, g))
        return false;
    r->val[node->out[0]->id] = with_grid(r, v, g, true);
    return true;
}

bool ts_rec_quant(rec *r, const ts_node *node)
{
    const rec_val *v = rounded_value(r, node);
    const ts_tensor *bits = v ? parameter(r, node, 3, "number of bits") : NULL;
    rec_grid *g = bits ? parameters(r, node, v, false) : NULL;
    double low, high;
    if (!g)
        return false;
    ts_quant_range(node, ts_get_real(bits, 0), &low, &high);
    g->low = (int)low;
    g->high = (int)high;
    r->val[node->out[0]->id] = prescribe(r, v, g, false);
    return r->val[node->out[0]->id] != NULL;
}

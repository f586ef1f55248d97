/* Quantisation inside a model: QuantizeLinear and DequantizeLinear (ONNX's own, and onnxruntime's with 16 bits for older opsets) and
   QONNX's Quant, which is both in one for any number of bits. Scales and zero points are one for the tensor or one for each element
   along an axis. */
#include <math.h>
#include <string.h>

#include "op/hook.h"

static bool is_code(ts_dtype t)
{
    return t == TS_I8 || t == TS_U8 || t == TS_I16 || t == TS_U16;
}

static int64_t least_code(ts_dtype t)
{
    return t == TS_I8 ? INT8_MIN : t == TS_I16 ? INT16_MIN : 0;
}

static int64_t largest_code(ts_dtype t)
{
    return t == TS_I8 ? INT8_MAX : t == TS_U8 ? UINT8_MAX : t == TS_I16 ? INT16_MAX : UINT16_MAX;
}

static bool check_type(const ts_node *node, ts_err *err)
{
    const int64_t to = ts_attr_int(node, "output_dtype", 0);
    if (to < 0 || to > 1000 || (to != 0 && ts_dtype_from_onnx((int)to) == TS_NONE))
        return ts_node_fail(node, err, "output_dtype %lld is not supported; use (u)int8 or (u)int16 codes and float32 values",
                            (long long)to);
    return true;
}

/* The scale's values, where they are known: a step of zero or less has no meaning, and hardware none for one that is no number. */
static bool check_scale(const ts_op_args *a, const ts_tensor *scale)
{
    for (int64_t i = 0; scale->data.any && i < ts_count(scale); i++) {
        const double s = ts_get_real(scale, i);
        if (!(s > 0) || !isfinite(s))
            return FAIL(a, "scale %lld (input 1, '%s') is %g; scales must be positive numbers", (long long)i,
                        a->node->in[1] ? a->node->in[1]->name : "", s);
    }
    return true;
}

/* One scale for the tensor, or one for each element of dimension `axis`; the zero point likewise. *axis is -1 for the former. */
static bool fit_scale(const ts_op_args *a, int *axis)
{
    const ts_tensor *x = a->in[0], *scale = a->in[1], *zero = ts_arg(a, 2);
    char tx[160], ts[160];
    *axis = -1;
    if (!ts_is_float(scale->dtype))
        return FAIL(a, "the scale (input 1) is %s; it must be a floating-point type", ts_dtype_name(scale->dtype));
    if (zero && ts_count(zero) != ts_count(scale))
        return FAIL(a, "there are %lld scales and %lld zero points; give one zero point for each scale", (long long)ts_count(scale),
                    (long long)ts_count(zero));
    if (!check_scale(a, scale))
        return false;
    if (ts_count(scale) == 1)
        return true;
    if (scale->rank != 1)
        return FAIL(a, "the scale has shape %s; one number, or one for each element along an axis is supported",
                    ts_shape_text(scale, ts, sizeof ts));
    if (!ts_fix_axis(a, ts_attr_int(a->node, "axis", 1), x->rank, axis))
        return false;
    if (x->dim[*axis] != scale->dim[0])
        return FAIL(a, "there are %lld scales, but dimension %d (axis) of input 0, %s, has %lld elements", (long long)scale->dim[0], *axis,
                    ts_shape_text(x, tx, sizeof tx), (long long)x->dim[*axis]);
    return true;
}

static ts_dtype code_type(const ts_op_args *a)
{
    const ts_tensor *zero = ts_arg(a, 2);
    const int64_t to = ts_attr_int(a->node, "output_dtype", 0);
    return zero ? zero->dtype : to ? ts_dtype_from_onnx((int)to) : TS_U8;
}

static bool infer_quantise(const ts_op_args *a)
{
    int axis;
    const ts_dtype to = code_type(a);
    if (!ts_is_float(a->in[0]->dtype) && a->in[0]->dtype != TS_I32)
        return FAIL(a, "input 0 is %s; floating-point numbers (or int32) are quantised", ts_dtype_name(a->in[0]->dtype));
    if (!is_code(to))
        return FAIL(a, "codes of type %s are not supported; int8, uint8, int16 and uint16 are", ts_dtype_name(to));
    return fit_scale(a, &axis) && ts_set_out(a, 0, to, a->in[0]->rank, a->in[0]->dim);
}

static bool infer_dequantise(const ts_op_args *a)
{
    int axis;
    const ts_tensor *x = a->in[0], *zero = ts_arg(a, 2);
    if (!is_code(x->dtype) && x->dtype != TS_I32)
        return FAIL(a, "codes of type %s are not supported; int8, uint8, int16, uint16 and int32 are", ts_dtype_name(x->dtype));
    if (zero && zero->dtype != x->dtype)
        return FAIL(a, "the zero point is %s and the codes are %s; they must be of one type", ts_dtype_name(zero->dtype),
                    ts_dtype_name(x->dtype));
    return fit_scale(a, &axis) && ts_set_out(a, 0, a->in[1]->dtype, x->rank, x->dim);
}

/* Which scale belongs to element i: stride apart, count of them, over and over. */
typedef struct along {
    int64_t stride, count;
} along;

static along scales_along(const ts_op_args *a, int axis)
{
    const ts_tensor *x = a->in[0];
    return axis < 0 ? (along){1, 1} : (along){ts_extent(x, axis + 1, x->rank), x->dim[axis]};
}

static int64_t scale_of(along s, int64_t i)
{
    return i / s.stride % s.count;
}

/* The quotient is rounded to float32 first, half to even next, as in onnxruntime. */
static bool eval_quantise(const ts_op_args *a)
{
    int axis;
    const ts_tensor *x = a->in[0], *scale = a->in[1], *zero = ts_arg(a, 2);
    if (!fit_scale(a, &axis))
        return false;
    const along s = scales_along(a, axis);
    const double low = (double)least_code(a->out[0]->dtype), high = (double)largest_code(a->out[0]->dtype);
    for (int64_t i = 0; i < ts_count(x); i++) {
        const int64_t k = scale_of(s, i);
        const double q = (double)nearbyintf((float)ts_get_real(x, i) / (float)ts_get_real(scale, k)) + (zero ? (double)zero->data.i[k] : 0);
        a->out[0]->data.i[i] = (int64_t)(q > high ? high : q >= low ? q : low); /* NaN is the least code */
    }
    return true;
}

static bool eval_dequantise(const ts_op_args *a)
{
    int axis;
    const ts_tensor *x = a->in[0], *scale = a->in[1], *zero = ts_arg(a, 2);
    if (!fit_scale(a, &axis))
        return false;
    const along s = scales_along(a, axis);
    for (int64_t i = 0; i < ts_count(x); i++) {
        const int64_t k = scale_of(s, i);
        ts_set_real(a->out[0], i, (double)(x->data.i[i] - (zero ? zero->data.i[k] : 0)) * ts_get_real(scale, k));
    }
    return true;
}

static bool step_dequantise(const ts_op_args *a)
{
    int axis;
    if (!fit_scale(a, &axis))
        return false;
    const along s = scales_along(a, axis);
    for (int64_t i = 0; i < ts_count(a->in[0]); i++)
        ts_set_real(a->out[0], i, ts_get_real(a->in[1], scale_of(s, i)));
    return true;
}

#define HOOKS(Name, which, step_hook) \
    const ts_op_hooks ts_##Name##_hooks = {.min_in = 2, \
                                           .max_in = 3, \
                                           .min_out = 1, \
                                           .max_out = 1, \
                                           .check = check_type, \
                                           .infer = infer_##which, \
                                           .eval = eval_##which, \
                                           .step = step_hook};
/* `saturate` only concerns 8-bit floating point, which is not supported. */
HOOKS(QuantizeLinear, quantise, NULL)
HOOKS(DequantizeLinear, dequantise, step_dequantise)
HOOKS(ms_QuantizeLinear, quantise, NULL)
HOOKS(ms_DequantizeLinear, dequantise, step_dequantise)

/* Quant(x, scale, zero point, bits): all floating point, scale and zero point broadcast against x. */
static bool infer_quant(const ts_op_args *a)
{
    int rank;
    int64_t dim[TS_MAX_RANK];
    char tx[160], ts[160];
    const ts_tensor *x = a->in[0], *bits = a->in[3];
    if (!ts_need_float(a))
        return false;
    for (int i = 1; i < 3; i++) {
        if (!ts_broadcast(a, x, a->in[i], &rank, dim))
            return false;
        if (rank != x->rank || memcmp(dim, x->dim, (size_t)rank * sizeof *dim) != 0)
            return FAIL(a, "input %d has shape %s, which does not fit into that of input 0, %s", i, ts_shape_text(a->in[i], ts, sizeof ts),
                        ts_shape_text(x, tx, sizeof tx));
    }
    if (ts_count(bits) != 1)
        return FAIL(a, "the number of bits (input 3) must be one number");
    if (bits->data.any && !(ts_get_real(bits, 0) >= 2 && ts_get_real(bits, 0) <= 24 && floor(ts_get_real(bits, 0)) == ts_get_real(bits, 0)))
        return FAIL(a, "%g bits are not supported; 2 to 24, a whole number, are", ts_get_real(bits, 0));
    return check_scale(a, a->in[1]) && ts_set_out_like(a, 0, x);
}

void ts_quant_range(const ts_node *node, double bits, double *low, double *high)
{
    const bool is_signed = ts_attr_int(node, "signed", 1) != 0, narrow = ts_attr_int(node, "narrow", 0) != 0;
    *high = is_signed ? ldexp(1, (int)bits - 1) - 1 : ldexp(1, (int)bits) - 1 - narrow;
    *low = is_signed ? -*high - !narrow : 0;
}

static bool eval_quant(const ts_op_args *a)
{
    const ts_tensor *x = a->in[0], *scale = a->in[1], *zero = a->in[2];
    int64_t own[TS_MAX_RANK], by_scale[TS_MAX_RANK], by_zero[TS_MAX_RANK];
    double low, high;
    ts_quant_range(a->node, ts_get_real(a->in[3], 0), &low, &high);
    ts_strides(x->rank, x->dim, own);
    ts_broadcast_strides(scale, x->rank, x->dim, by_scale);
    ts_broadcast_strides(zero, x->rank, x->dim, by_zero);
    ts_walk w = {.rank = x->rank, .tensors = 3, .dim = x->dim, .stride = {own, by_scale, by_zero}};
    const int64_t inner = ts_walk_inner(&w), count = ts_count(x);
    for (int64_t done = 0; done < count; done += inner, ts_walk_next(&w))
        for (int64_t i = 0; i < inner; i++) {
            const double s = ts_get_real(scale, w.offset[1] + i * ts_walk_step(&w, 1)),
                         z = ts_get_real(zero, w.offset[2] + i * ts_walk_step(&w, 2));
            const double q = nearbyint((double)((float)ts_get_real(x, done + i) / (float)s) + z);
            ts_set_real(a->out[0], done + i, ((q > high ? high : q >= low ? q : low) - z) * s);
        }
    return true;
}

static bool step_quant(const ts_op_args *a)
{
    const ts_tensor *scale = a->in[1];
    ts_tensor *out = a->out[0];
    int64_t stride[TS_MAX_RANK];
    ts_broadcast_strides(scale, out->rank, out->dim, stride);
    for (int64_t i = 0; i < ts_count(out); i++) {
        int64_t at = 0, rest = i;
        for (int k = out->rank; k-- > 0; rest /= out->dim[k])
            at += rest % out->dim[k] * stride[k];
        ts_set_real(out, i, ts_get_real(scale, at));
    }
    return true;
}

#define QUANT(Name) \
    const ts_op_hooks ts_##Name##_hooks = { \
        .min_in = 4, .max_in = 4, .min_out = 1, .max_out = 1, .infer = infer_quant, .eval = eval_quant, .step = step_quant};
QUANT(qonnx_Quant)
QUANT(qonnx_IntQuant) /* its newer name */

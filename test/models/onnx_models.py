#!/usr/bin/python3
"""Small seeded encoders, written operator by operator in the styles of exporters that are not PyTorch's own of 1.13.

Usage: onnx_models.py DIRECTORY. As for torch_models.py, the files are checked in, and refused/ has models without hardware; assisted/ has
models of which a host must compute a part.
"""
import math
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FEATURES, D, HEADS, FF, OUT = 3, 8, 2, 12, 2
WIDTH = D // HEADS


class Graph:
    def __init__(self, seed):
        self.rng, self.nodes, self.weights, self.functions = np.random.default_rng(seed), [], [], []

    def weight(self, *shape, low=-1.0, high=1.0):
        w = self.rng.uniform(low, high, shape)
        if len(shape) > 1:
            w *= 1.7 / math.sqrt(shape[0])
        return self.const(w.astype(np.float32))

    def const(self, value):
        name = "w%d" % len(self.weights)
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind, *inputs, outs=1, **attrs):
        names = ["%s_%d%s" % (kind.lower(), len(self.nodes), "" if outs == 1 else "_%d" % i) for i in range(outs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name="%s_%d" % (kind, len(self.nodes)), **attrs))
        return names[0] if outs == 1 else names

    def ints(self, *values):
        return self.const(np.array(values, np.int64))

    def f(self, value):
        return self.const(np.float32(value))

    def linear(self, x, i, o):
        return self.op("Add", self.op("MatMul", x, self.weight(i, o)), self.weight(o))

    def gain(self):
        return self.weight(D, low=0.6, high=1.4)

    def norm(self, x):
        return self.op("LayerNormalization", x, self.gain(), self.weight(D), axis=-1, epsilon=1e-5)

    def ffn(self, x, act="Relu"):
        return self.linear(self.op(act, self.linear(x, D, FF)), FF, D)


def save(path, g, y, opset, mask=None, domains=(), second=False, shape=("batch", "hits", FEATURES)):
    inputs = [helper.make_tensor_value_info("hits", TensorProto.FLOAT, shape)]
    if mask is not None:
        inputs.append(helper.make_tensor_value_info("mask", mask[0], mask[1]))
    outs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in [y] + [g.nodes[0].output[0]] * second]
    graph = helper.make_graph(g.nodes, "encoder", inputs, outs, g.weights)
    imports = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    model = helper.make_model(graph, opset_imports=imports, functions=g.functions, producer_name="onnx_models.py")
    model.ir_version = 8
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


def heads_first(g, x, allow_zero=True):
    """[b, n, D] -> [b, heads, n, width], with Reshape's 0 (as the input) and -1 (whatever is left)."""
    shape = g.ints(0, 0, HEADS, WIDTH) if allow_zero else g.ints(0, -1, HEADS, WIDTH)
    return g.op("Transpose", g.op("Reshape", x, shape), perm=[0, 2, 1, 3])


def join_heads(g, x):
    return g.op("Reshape", g.op("Transpose", x, perm=[0, 2, 1, 3]), g.ints(0, -1, D))


def sdpa(g, mask, guard):
    """PyTorch 2's scaled_dot_product_attention: sqrt(scale) on q and on k, a guard against rows that are all masked."""
    x = g.linear("hits", FEATURES, D)
    qkv = g.op("Reshape", g.linear(x, D, 3 * D), g.ints(0, 0, 3, D))
    qkv = g.op("Squeeze", g.op("Transpose", g.op("Unsqueeze", qkv, g.ints(0)), perm=[3, 1, 2, 0, 4]), g.ints(3))
    q, k, v = (heads_first(g, g.op("Gather", qkv, g.const(np.int64(i)), axis=0)) for i in range(3))
    root = g.f(1 / math.sqrt(math.sqrt(WIDTH)))
    s = g.op("MatMul", g.op("Mul", q, root), g.op("Mul", g.op("Transpose", k, perm=[0, 1, 3, 2]), root))
    if mask:
        keep = g.op("Not", g.op("Unsqueeze", "mask", g.ints(1, 2)))
        s = g.op("Add", s, g.op("Where", keep, g.f(0), g.f(-np.inf)))
    p = g.op("Softmax", s, axis=-1)
    if guard == "nan":
        p = g.op("Where", g.op("IsNaN", p), g.f(0), p)
    elif guard == "rows":
        hidden = g.op("Cast", g.op("Equal", s, g.f(-np.inf)), to=TensorProto.INT64)
        rows = g.op("Cast", g.op("ReduceMin", hidden, axes=[-1], keepdims=1), to=TensorProto.BOOL)
        p = g.op("Where", rows, g.f(0), p)
    x = g.norm(g.op("Add", x, g.linear(join_heads(g, g.op("MatMul", p, v)), D, D)))
    x = g.norm(g.op("Add", x, g.ffn(x)))
    return g.linear(x, D, OUT)


def keras_norm(g, x, axes_input):
    """x * (r * g) + (b - mean * r * g), variance as mean of squared differences."""
    mean_of = (lambda t: g.op("ReduceMean", t, g.ints(-1), keepdims=1)) if axes_input else (lambda t: g.op("ReduceMean", t, axes=[2], keepdims=1))
    mean = mean_of(x)
    difference = g.op("Sub", x, mean)
    r = g.op("Reciprocal", g.op("Sqrt", g.op("Add", mean_of(g.op("Mul", difference, difference)), g.f(1e-3))))
    scale = g.op("Mul", r, g.gain())
    return g.op("Add", g.op("Mul", x, scale), g.op("Sub", g.weight(D), g.op("Mul", mean, scale)))


def keras_layer(g, x, axes_input=True):
    def project(t):
        return g.op("Add", g.op("Einsum", t, g.weight(D, HEADS, WIDTH), equation="abc,cde->abde"), g.weight(HEADS, WIDTH))

    q, k, v = g.op("Mul", project(x), g.f(1 / math.sqrt(WIDTH))), project(x), project(x)
    p = g.op("Softmax", g.op("Einsum", k, q, equation="aecd,abcd->acbe"), axis=3)
    c = g.op("Einsum", p, v, equation="acbe,aecd->abcd")
    o = g.op("Add", g.op("Einsum", c, g.weight(HEADS, WIDTH, D), equation="abcd,cde->abe"), g.weight(D))
    x = keras_norm(g, g.op("Add", x, o), axes_input)
    flat = g.op("Reshape", x, g.ints(-1, D))
    h = g.op("Gemm", flat, g.weight(D, FF), g.weight(FF))
    h = g.op("Max", h, g.f(0))
    h = g.op("Gemm", h, g.weight(FF, D), g.weight(D), alpha=0.5, beta=2.0)
    h = g.op("Reshape", h, g.op("Shape", x))
    return keras_norm(g, g.op("Add", h, x), axes_input)


def keras(g):
    x = g.linear("hits", FEATURES, D)
    for _ in range(2):
        x = keras_layer(g, x)
    return g.linear(x, D, OUT)


def gelu_by_erf(g, x):
    return g.op("Mul", g.op("Mul", g.op("Add", g.op("Erf", g.op("Mul", x, g.f(math.sqrt(0.5)))), g.f(1)), x), g.f(0.5))


def modern(g):
    """Operators of opset 20: Gelu, ReduceMean with axes as input; a norm with unused outputs; Split by count; pre-norm."""
    x = g.linear("hits", FEATURES, D)
    for i in range(2):
        y = g.op("LayerNormalization", x, g.gain(), g.weight(D), axis=2, outs=3)[0]
        q, k, v = g.op("Split", g.linear(y, D, 3 * D), axis=-1, num_outputs=3, outs=3)
        q, k, v = heads_first(g, q), heads_first(g, k, False), heads_first(g, v)
        s = g.op("Div", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.f(math.sqrt(WIDTH)))
        c = join_heads(g, g.op("MatMul", g.op("Softmax", s), v))
        x = g.op("Add", g.linear(c, D, D), x)
        h = g.linear(g.norm(x), D, FF)
        h = g.op("Gelu", h) if i == 0 else gelu_by_erf(g, h)
        x = g.op("Add", x, g.linear(h, FF, D))
    x = g.norm(x)
    return g.linear(g.op("Squeeze", g.op("ReduceMean", x, g.ints(1), keepdims=1), g.ints(1)), D, OUT)


def fused(g, mask):
    """What onnxruntime's optimiser makes of an encoder."""
    ms = dict(domain="com.microsoft")
    x = g.linear("hits", FEATURES, D)
    inputs = [x, g.weight(D, 3 * D), g.weight(3 * D)] + (["mask"] if mask else [])
    a = g.op("MatMul", g.op("Attention", *inputs, num_heads=HEADS, **ms), g.weight(D, D))
    x = g.op("SkipLayerNormalization", x, a, g.gain(), g.weight(D), g.weight(D), epsilon=1e-5, **ms)
    h = g.op("BiasGelu", g.op("MatMul", x, g.weight(D, FF)), g.weight(FF), **ms)
    h = g.op("FusedMatMul", h, g.weight(D, FF), alpha=0.5, transB=1, **ms)
    x = g.op("SkipLayerNormalization", h, x, g.gain(), g.weight(D), g.weight(D), epsilon=1e-5, **ms)
    q, k, v = (g.op("MatMul", x, g.weight(D, D)) for _ in range(3))
    inputs = [q, k, v, g.weight(3 * D)] + (["mask"] if mask else [])
    a = g.linear(g.op("MultiHeadAttention", *inputs, num_heads=HEADS, **ms), D, D)
    x = g.op("SkipLayerNormalization", a, x, g.gain(), g.weight(D), epsilon=1e-5, **ms)
    h = g.linear(g.op("Gelu", g.linear(x, D, FF), **ms), FF, D)
    return g.linear(g.norm(g.op("Add", x, h)), D, OUT)


def packed_heads(g):
    """MultiHeadAttention with q, k, v interleaved head by head; pre-norm through the fourth output of SkipLayerNormalization."""
    ms = dict(domain="com.microsoft")
    x = g.linear("hits", FEATURES, D)
    y = g.norm(x)
    for i in range(2):
        if i == 0:
            qkv = g.op("Reshape", g.linear(y, D, 3 * D), g.ints(0, 0, HEADS, 3, WIDTH))
            a = g.op("MultiHeadAttention", qkv, num_heads=HEADS, scale=0.4, **ms)
        else:
            kv = g.op("Reshape", g.linear(y, D, 2 * D), g.ints(0, 0, HEADS, 2, WIDTH))
            a = g.op("MultiHeadAttention", g.linear(y, D, D), kv, num_heads=HEADS, scale=0.4, **ms)
        skip = g.op("SkipLayerNormalization", x, g.linear(a, D, D), g.gain(), g.weight(D), outs=4, epsilon=1e-5, **ms)
        y, x = skip[0], skip[3]
        h = g.linear(g.op("FastGelu", g.op("MatMul", y, g.weight(D, FF)), g.weight(FF), **ms), FF, D)
        skip = g.op("SkipLayerNormalization", x, h, g.gain(), g.weight(D), outs=4, epsilon=1e-5, **ms)
        y, x = skip[0], skip[3]
    return g.linear(y, D, OUT)


def functions(g):
    """Linear layers and a norm as functions of the model's own."""
    opset = [helper.make_opsetid("", 17)]
    g.functions = [
        helper.make_function("local", "Dense", ["x", "w", "b"], ["y"], [helper.make_node("MatMul", ["x", "w"], ["t"], name="product"),
                             helper.make_node("Add", ["t", "b"], ["y"], name="bias")], opset),
        helper.make_function("local", "AddNorm", ["x", "s", "g", "b"], ["y"], [helper.make_node("Add", ["x", "s"], ["t"], name="sum"),
                             helper.make_node("LayerNormalization", ["t", "g", "b"], ["y"], name="norm", axis=-1)], opset)]
    dense = lambda x, i, o: g.op("Dense", x, g.weight(i, o), g.weight(o), domain="local")
    x = dense("hits", FEATURES, D)
    q, k, v = (heads_first(g, dense(x, D, D)) for _ in range(3))
    s = g.op("Mul", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.f(0.5))
    a = join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v))
    x = g.op("AddNorm", x, dense(a, D, D), g.gain(), g.weight(D), domain="local")
    h = dense(g.op("Relu", dense(x, D, FF)), FF, D)
    return dense(g.op("AddNorm", h, x, g.gain(), g.weight(D), domain="local"), D, OUT)


def no_embedding(g):
    """The hits are the residual stream, the results are it too; keys from a slice, values from a concatenation."""
    pad = g.op("MatMul", "hits", g.const(np.eye(FEATURES, D, dtype=np.float32)))
    x = g.norm(g.op("Add", pad, attention_block(g, pad)))
    x = g.norm(g.op("Add", x, g.ffn(x, "Relu")))
    return x


def attention_block(g, x):
    q, k = g.linear(x, D, D), g.op("Slice", g.linear(x, D, 2 * D), g.ints(4), g.ints(4 + D), g.ints(-1), g.ints(1))
    v = g.op("Concat", g.linear(x, D, 3), g.linear(x, D, D - 3), axis=2)
    q, k, v = (heads_first(g, t) for t in (q, k, v))
    s = g.op("Mul", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.f(0.5))
    return g.linear(join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v)), D, D)


def data_mask(g, expanded):
    """A padding mask computed from the hits: sum == 0, as a float that is multiplied and added; or all == 0, a value for every pair of
    hits and head."""
    x = g.linear("hits", FEATURES, D)
    if expanded:
        zero = g.op("Cast", g.op("Equal", "hits", g.f(0)), to=TensorProto.INT32)
        padded = g.op("Cast", g.op("ReduceMin", zero, axes=[-1], keepdims=0), to=TensorProto.BOOL)
        n = g.op("Slice", g.op("Shape", "hits"), g.ints(1), g.ints(2))
        shape = g.op("Concat", g.ints(1, HEADS), n, n, axis=0)
        keep = g.op("Not", g.op("Expand", g.op("Unsqueeze", padded, g.ints(1, 2)), shape))
        bias = g.op("Where", keep, g.f(0), g.f(-np.inf))
    else:
        padded = g.op("Equal", g.op("ReduceSum", "hits", g.ints(-1), keepdims=0), g.f(0))
        bias = g.op("Mul", g.op("Cast", g.op("Unsqueeze", padded, g.ints(1, 2)), to=TensorProto.FLOAT), g.f(-1e9))
    q, k, v = (heads_first(g, g.linear(x, D, D)) for _ in range(3))
    s = g.op("Add", g.op("Mul", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), g.f(0.5)), bias)
    a = g.linear(join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v)), D, D)
    x = g.norm(g.op("Add", x, a))
    return g.linear(g.norm(g.op("Add", x, g.ffn(x))), D, OUT)


def cross_attention(g):
    x = g.linear("hits", FEATURES, D)
    other = g.linear("hits", FEATURES, D)
    q, k, v = (heads_first(g, g.linear(t, D, D)) for t in (x, other, other))
    s = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2]))
    a = g.linear(join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v)), D, D)
    x = g.norm(g.op("Add", x, a))
    return g.linear(g.norm(g.op("Add", x, g.ffn(x))), D, OUT)


def linear_attention(g):
    x = g.linear("hits", FEATURES, D)
    q, k, v = (g.linear(x, D, D) for _ in range(3))
    kv = g.op("MatMul", g.op("Transpose", k, perm=[0, 2, 1]), v)
    x = g.norm(g.op("Add", x, g.op("MatMul", q, kv)))
    return g.linear(g.norm(g.op("Add", x, g.ffn(x))), D, OUT)


def gated(g):
    x = g.linear("hits", FEATURES, D)
    x = g.norm(g.op("Add", x, attention_block(g, x)))
    h = g.op("Mul", g.op("Sigmoid", g.linear(x, D, FF)), g.linear(x, D, FF))
    return g.linear(g.norm(g.op("Add", x, g.linear(h, FF, D))), D, OUT)


def bad_ffn(g, residual_scale=None, act="Relu"):
    x = g.linear("hits", FEATURES, D)
    x = g.norm(g.op("Add", x, attention_block(g, x)))
    around = g.op("Mul", x, g.f(residual_scale)) if residual_scale else x
    return g.linear(g.norm(g.op("Add", around, g.ffn(x, act))), D, OUT)


def two_masks(g):
    x = g.linear("hits", FEATURES, D)
    for name in ("mask", None):
        q, k, v = (heads_first(g, g.linear(x, D, D)) for _ in range(3))
        s = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2]))
        if name:
            s = g.op("Where", g.op("Unsqueeze", name, g.ints(1, 2)), g.f(-np.inf), s)
        a = g.linear(join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v)), D, D)
        x = g.norm(g.op("Add", x, a))
        x = g.norm(g.op("Add", x, g.ffn(x)))
    return g.linear(x, D, OUT)


def pair_mask(g):
    x = g.linear("hits", FEATURES, D)
    q, k, v = (heads_first(g, g.linear(x, D, D)) for _ in range(3))
    s = g.op("Add", g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2])), "mask")
    a = g.linear(join_heads(g, g.op("MatMul", g.op("Softmax", s, axis=-1), v)), D, D)
    x = g.norm(g.op("Add", x, a))
    return g.linear(g.norm(g.op("Add", x, g.ffn(x))), D, OUT)


def post_norm_layer(g, x):
    x = g.norm(g.op("Add", x, attention_block(g, x)))
    return g.norm(g.op("Add", x, g.ffn(x, "Gelu")))


def pre_norm_layer(g, x):
    x = g.op("Add", x, attention_block(g, g.norm(x)))
    return g.op("Add", x, g.ffn(g.norm(x)))


def conv_tokens(g, layer, layers):
    """A small compact convolutional transformer: [1, 2, 8, 8] -> 16 tokens, positional embedding, layers, sequence pooling, classifier."""
    x = g.op("Conv", "hits", g.weight(D, 2, 3, 3), g.weight(D), pads=[1, 1, 1, 1])
    x = g.op("MaxPool", g.op("Relu", x), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = g.op("Transpose", g.op("Reshape", x, g.ints(1, D, -1)), perm=[0, 2, 1])
    x = g.op("Add", x, g.weight(1, 16, D))
    for _ in range(layers):
        x = layer(g, x)
    x = g.norm(x)
    p = g.op("Softmax", g.op("Transpose", g.linear(x, D, 1), perm=[0, 2, 1]), axis=-1)
    return g.linear(g.op("Squeeze", g.op("MatMul", p, x), g.ints(1)), D, 5)


def directions(g):
    """Hits of any number, of which only the direction goes into the encoder; per hit, probabilities of classes."""
    x = g.op("Div", "hits", g.op("Add", g.op("ReduceL2", "hits", axes=[-1], keepdims=1), g.f(1e-3)))
    x = g.linear(x, FEATURES, D)
    for _ in range(2):
        x = post_norm_layer(g, x)
    return g.op("Softmax", g.linear(x, D, 3), axis=-1)


def main(out):
    boolean = (TensorProto.BOOL, ["batch", "hits"])

    def ok(name, make, opset, **kw):
        g = Graph(sum(map(ord, name)))
        save(os.path.join(out, "onnx_" + name + ".onnx"), g, make(g), opset, **kw)

    ok("sdpa", lambda g: sdpa(g, False, None), 17)
    ok("sdpa_masked_nan", lambda g: sdpa(g, True, "nan"), 17, mask=boolean)
    ok("sdpa_masked_rows", lambda g: sdpa(g, True, "rows"), 17, mask=boolean)
    ok("keras", keras, 18)
    ok("modern", modern, 20)
    ok("fused", lambda g: fused(g, False), 14, domains=["com.microsoft"])
    ok("fused_masked", lambda g: fused(g, True), 14, domains=["com.microsoft"], mask=(TensorProto.INT32, ["batch", "hits"]))
    ok("packed_heads", packed_heads, 17, domains=["com.microsoft"])
    ok("functions", functions, 17, domains=["local"])
    ok("no_embedding", no_embedding, 17)
    ok("data_mask", lambda g: data_mask(g, False), 17)
    ok("data_mask_expanded", lambda g: data_mask(g, True), 17)

    def assisted(name, make, **kw):
        g = Graph(sum(map(ord, name)))
        save(os.path.join(out, "assisted", name + ".onnx"), g, make(g), 17 if name == "directions" else 20, **kw)

    image = dict(shape=(1, 2, 8, 8))
    assisted("conv_tokens", lambda g: conv_tokens(g, post_norm_layer, 2), **image)
    assisted("conv_tokens_pre_norm", lambda g: conv_tokens(g, pre_norm_layer, 1), **image)
    assisted("directions", directions)

    def bad(name, make, words, opset=17, **kw):
        g = Graph(sum(map(ord, name)))
        path = os.path.join(out, "refused", "onnx_" + name)
        save(path + ".onnx", g, make(g), opset, **kw)
        with open(path + ".txt", "w") as f:
            f.write("".join(word + "\n" for word in words))

    bad("cross_attention", cross_attention, ["node 'MatMul_", "keys", "only self-attention"])
    bad("linear_attention", linear_attention, ["node 'MatMul_", "only softmax attention"])
    bad("gated", gated, ["node 'Mul_", "gated"])
    bad("residual_scaled", lambda g: bad_ffn(g, 0.5), ["node 'Add_", "scaled or reordered"])
    bad("unknown_activation", lambda g: bad_ffn(g, act="Abs"), ["node 'Abs_", "activations are ReLU, GELU and SiLU"])
    bad("two_outputs", lambda g: bad_ffn(g), ["2 outputs"], second=True)
    bad("mask_in_one_layer", two_masks, ["some layers use the padding mask"], mask=boolean)
    bad("pair_mask", pair_mask, ["input 'mask'", "key-padding mask [batch, hits]"], mask=(TensorProto.FLOAT, ["batch", 1, "hits", "hits"]))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))

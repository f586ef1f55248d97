#!/usr/bin/python3
"""One small encoder, written in the ways that exporters write it: test/models/forms/*.onnx, every one with the same weights, so that all of
them make the values of forms/values.txt, which numpy computed here. Needs python3-onnx and numpy. Usage: form_models.py [directory]"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F, D, HEADS, FF, OUT = 3, 8, 2, 12, 2
DH = D // HEADS
EPS = 1e-3
HITS = 16  # of the event in values.txt, and of models with a fixed number


def weights(kv_heads=HEADS, seed=7):
    rng = np.random.default_rng(seed)

    def linear(i, o):
        return (rng.normal(size=(i, o)) / np.sqrt(i)).astype(np.float32), (0.3 * rng.normal(size=o)).astype(np.float32)

    w = {"embed": linear(F, D), "q": linear(D, D), "k": linear(D, D), "v": linear(D, D), "o": linear(D, D), "f1": linear(D, FF),
         "f2": linear(FF, D), "head": linear(D, OUT)}
    for name in "n1", "n2":
        w[name] = (1 + 0.2 * rng.normal(size=D)).astype(np.float32), (0.2 * rng.normal(size=D)).astype(np.float32)
    for name in "k", "v":
        w[name] = w[name][0][:, : kv_heads * DH].copy(), w[name][1][: kv_heads * DH].copy()
    return w


# ---- What they compute


def event(n=HITS):
    i = np.arange(n * F, dtype=np.float64)
    return np.sin(1.7 * i + 0.3 * np.floor(i / F)).astype(np.float32).reshape(n, F)


def np_norm(x, gb, eps=EPS):
    c = x - x.mean(-1, keepdims=True)
    return c / np.sqrt((c * c).mean(-1, keepdims=True) + eps) * gb[0] + gb[1]


def np_rms(x, gb, eps=EPS):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * gb[0]


def np_attention(x, w, scale, causal=False):
    q, k, v = (x @ w[s][0] + w[s][1] for s in "qkv")
    kv = k.shape[-1] // DH
    out = []
    for h in range(HEADS):
        j = h // (HEADS // kv)
        s = q[:, h * DH:(h + 1) * DH] @ k[:, j * DH:(j + 1) * DH].T * scale
        p = np.exp(s - s.max(-1, keepdims=True))
        out.append(p / p.sum(-1, keepdims=True) @ v[:, j * DH:(j + 1) * DH])
    return np.concatenate(out, -1) @ w["o"][0] + w["o"][1]


def np_encoder(x, w, scale=DH ** -0.5, pre=False, pool=None, np_norm=np_norm):
    x = x.astype(np.float64) @ w["embed"][0] + w["embed"][1]
    ffn = lambda y: np.maximum(y @ w["f1"][0] + w["f1"][1], 0) @ w["f2"][0] + w["f2"][1]
    if pre:
        x = x + np_attention(np_norm(x, w["n1"]), w, scale)
        x = x + ffn(np_norm(x, w["n2"]))
    else:
        x = np_norm(x + np_attention(x, w, scale), w["n1"])
        x = np_norm(x + ffn(x), w["n2"])
    if pool == "mean":
        x = x.mean(0, keepdims=True)
    return x


# ---- How it is written


class Graph:
    def __init__(self, opset=17):
        self.nodes, self.inits, self.count, self.opset = [], [], 0, opset

    def const(self, a, dtype=np.float32):
        name = f"w{len(self.inits)}"
        self.inits.append(numpy_helper.from_array(np.array(a, dtype, order="C"), name))
        return name

    def ints(self, *a):
        return self.const(a, np.int64)

    def op(self, kind, *ins, outs=1, **attrs):
        self.count += 1
        names = [f"{kind.lower()}_{self.count}" + (f"_{k}" if k else "") for k in range(outs)]
        self.nodes.append(helper.make_node(kind, list(ins), names, name=f"{kind}_{self.count}", **attrs))
        return names[0] if outs == 1 else names

    def reduce(self, kind, x, axis):
        if kind == "ReduceSum" or self.opset >= 18:
            return self.op(kind, x, self.ints(axis), keepdims=1)
        return self.op(kind, x, axes=[axis], keepdims=1)

    def linear(self, x, wb):
        return self.op("Add", self.op("MatMul", x, self.const(wb[0])), self.const(wb[1]))

    # x: [b][n][D]
    def norm(self, x, gb, form="op"):
        gain, bias = self.const(gb[0]), self.const(gb[1])
        if form == "op":
            return self.op("LayerNormalization", x, gain, bias, axis=-1, epsilon=EPS)
        if form in ("instance", "batch"):
            size = self.op("Slice", self.op("Shape", x), self.ints(1), self.ints(2), self.ints(0))
            ones = self.op("ConstantOfShape", size, value=numpy_helper.from_array(np.ones(1, np.float32)))
            zeros = self.op("ConstantOfShape", size, value=numpy_helper.from_array(np.zeros(1, np.float32)))
            if form == "instance":
                y = self.op("InstanceNormalization", x, ones, zeros, epsilon=EPS)
            else:
                y = self.op("Reshape", x, self.ints(1, -1, D, 1))
                y = self.op("BatchNormalization", y, ones, zeros, zeros, ones, epsilon=EPS, training_mode=1, outs=3)[0]
                y = self.op("Reshape", y, self.ints(1, -1, D))
            return self.op("Add", self.op("Mul", y, gain), bias)
        if form == "rms":
            return self.op("RMSNormalization", x, gain, axis=-1, epsilon=EPS)
        if form == "simplified":  # onnxruntime's
            return self.op("SimplifiedLayerNormalization", x, gain, axis=-1, epsilon=EPS, stash_type=1)
        if form == "skip_simplified":
            return self.op("SkipSimplifiedLayerNormalization", *x, gain, epsilon=EPS, domain="com.microsoft")
        if form == "group":  # of one group
            y = self.op("GroupNormalization", self.op("Reshape", x, self.ints(-1, D, 1)), gain, bias, num_groups=1, epsilon=EPS)
            return self.op("Reshape", y, self.ints(1, -1, D))
        mean = self.reduce("ReduceMean", x, -1)
        c = self.op("Sub", x, mean)
        eps = self.const(EPS)
        if form == "squares":  # E[x^2] - mean^2, folded into one factor and one term
            var = self.op("Sub", self.reduce("ReduceMean", self.op("Mul", x, x), -1), self.op("Mul", mean, mean))
            r = self.op("Mul", self.op("Pow", self.op("Add", var, eps), self.const(-0.5)), gain)
            return self.op("Add", self.op("Mul", x, r), self.op("Sub", bias, self.op("Mul", mean, r)))
        var = self.op("Add", self.reduce("ReduceMean", self.op("Pow", c, self.const(2)), -1), eps)
        y = self.op("Mul", c, self.op("Reciprocal", self.op("Sqrt", var)))
        return self.op("Add", self.op("Mul", gain, y), bias)

    def softmax(self, s, form, mask=None):
        if form == "op":
            return self.op("Softmax", s, axis=-1)
        if form == "log":
            return self.op("Exp", self.op("LogSoftmax", s, axis=-1))
        if form == "logsumexp":
            return self.op("Exp", self.op("Sub", s, self.reduce("ReduceLogSumExp", s, -1)))
        e = self.op("Exp", s if form == "exp" else self.op("Sub", s, self.reduce("ReduceMax", s, -1)))
        if form == "masked":  # jax.nn.softmax(where=)
            e = mask(e)
        total = self.reduce("ReduceSum", e, -1)
        if form == "reciprocal":
            return self.op("Mul", e, self.op("Reciprocal", total))
        return self.op("Div", e, total)

    # x: [b][n][D]; mask: added to the scores
    def attention(self, x, w, form="matmul", softmax="op", mask=None, scale=None):
        kv = w["k"][0].shape[1] // DH
        q, k, v = (self.linear(x, w[s]) for s in "qkv")
        if form in ("op3", "op3_scale"):
            attrs = {"q_num_heads": HEADS, "kv_num_heads": kv}
            if scale:
                attrs["scale"] = scale
            return self.linear(self.op("Attention", q, k, v, *([mask] if mask else []), **attrs), w["o"])
        split = lambda y, heads: self.op("Transpose", self.op("Reshape", y, self.ints(0, 0, heads, DH)), perm=[0, 2, 1, 3])
        q, k, v = split(q, HEADS), split(k, kv), split(v, kv)
        if form == "op4":
            y = self.op("Attention", q, k, v, *([mask] if mask else []))
        else:
            if kv < HEADS:  # repeated, as PyTorch's enable_gqa decomposes
                k, v = (self.op("Tile", y, self.ints(1, HEADS // kv, 1, 1)) if kv == 1 else y for y in (k, v))
            s = self.op("MatMul", self.op("Mul", q, self.const(DH ** -0.5)), self.op("Transpose", k, perm=[0, 1, 3, 2]))
            if mask and softmax != "masked":
                s = mask(s)
            y = self.op("MatMul", self.softmax(s, softmax, mask), v)
        return self.linear(self.op("Reshape", self.op("Transpose", y, perm=[0, 2, 1, 3]), self.ints(0, 0, D)), w["o"])

    # nn.MultiheadAttention's way: x [n][b][D], heads joined with the batch
    def attention_time_first(self, x, w):
        dims = [self.op("Gather", self.op("Shape", x), self.const(i, np.int64), axis=0) for i in range(2)]
        n = self.op("Unsqueeze", dims[0], self.ints(0))
        b = self.op("Unsqueeze", self.op("Mul", dims[1], self.const(HEADS, np.int64)), self.ints(0))
        b1 = self.op("Unsqueeze", dims[1], self.ints(0))
        shape = self.op("Concat", n, b, self.ints(DH), axis=0)
        q, k, v = (self.op("Transpose", self.op("Reshape", self.linear(x, w[s]), shape), perm=[1, 0, 2]) for s in "qkv")
        s = self.op("MatMul", self.op("Mul", q, self.const(DH ** -0.5)), self.op("Transpose", k, perm=[0, 2, 1]))
        y = self.op("Transpose", self.op("MatMul", self.softmax(s, "op"), v), perm=[1, 0, 2])
        y = self.op("Reshape", y, self.op("Concat", self.op("Mul", n, b1), self.ints(D), axis=0))
        y = self.op("Gemm", y, self.const(w["o"][0].T), self.const(w["o"][1]), transB=1)
        return self.op("Reshape", y, self.op("Concat", n, b1, self.ints(D), axis=0))

    def layer(self, x, w, norm="op", pre=False, time_first=False, **attention):
        att = lambda y: self.attention_time_first(y, w) if time_first else self.attention(y, w, **attention)
        ffn = lambda y: self.linear(self.op("Relu", self.linear(y, w["f1"])), w["f2"])
        if pre:
            x = self.op("Add", x, att(self.norm(x, w["n1"], norm)))
            return self.op("Add", x, ffn(self.norm(x, w["n2"], norm)))
        join = (lambda a, b: (a, b)) if norm == "skip_simplified" else (lambda a, b: self.op("Add", a, b))
        x = self.norm(join(x, att(x)), w["n1"], norm)
        return self.norm(join(x, ffn(x)), w["n2"], norm)

    def save(self, path, shape, out, out_shape=None, mask=None, mask_shape=("batch", "hits")):
        self.nodes[-1].output[0] = "out"
        for node in self.nodes[:-1]:
            assert out not in node.input
        inputs = [helper.make_tensor_value_info("hits", TensorProto.FLOAT, shape)]
        if mask:
            inputs.append(helper.make_tensor_value_info("mask", mask, mask_shape))
        outputs = [helper.make_tensor_value_info("out", TensorProto.FLOAT, out_shape)]
        graph = helper.make_graph(self.nodes, os.path.basename(path)[:-5], inputs, outputs, self.inits)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)] + [
            helper.make_opsetid(domain, 1) for domain in sorted({n.domain for n in self.nodes} - {""})])
        model.ir_version = 8
        model.producer_name = "tessera/test/models"
        onnx.save(model, path)


BATCH_FIRST = ["batch", "hits", F]


def main(out):
    forms = os.path.join(out, "forms")
    refused = os.path.join(out, "refused")
    os.makedirs(forms, exist_ok=True)
    w = weights()
    values = {}

    def model(name, want, shape=BATCH_FIRST, opset=17, **kw):
        g = Graph(opset)
        values[name] = want
        return g, lambda y: g.save(os.path.join(forms, name + ".onnx"), shape, y, **kw)

    def bad(name, *words, shape=BATCH_FIRST, opset=17, **kw):
        g = Graph(opset)
        with open(os.path.join(refused, "form_" + name + ".txt"), "w") as f:
            f.write("".join(word + "\n" for word in words))
        return g, lambda y: g.save(os.path.join(refused, "form_" + name + ".onnx"), shape, y, **kw)

    x = event()
    post = np_encoder(x, w) @ w["head"][0] + w["head"][1]

    def plain(name, opset=17, shape=BATCH_FIRST, embed=None, weights=w, want=None, out_first=False, **layer):
        g, save = model(name, post if want is None else want, opset=opset, shape=shape)
        y = embed(g, "hits") if embed else g.linear("hits", w["embed"])
        y = g.linear(g.layer(y, weights, **layer), w["head"])
        save(g.op("Transpose", y, perm=[0, 2, 1]) if out_first else y)

    # Softmax and norms
    for form in "exp_max", "exp", "reciprocal", "logsumexp", "log":
        plain("softmax_" + form, softmax=form)
    for form in "instance", "batch", "squares", "reciprocal":
        plain("norm_" + form, norm=form)
    plain("norm_group", opset=21, norm="group")
    rms = np_encoder(x, w, np_norm=np_rms) @ w["head"][0] + w["head"][1]
    for name, opset in ("rms", 23), ("simplified", 17), ("skip_simplified", 17):
        plain("norm_" + name, opset=opset, norm=name, want=rms)
    before = np_encoder(x, w, pre=True, np_norm=np_rms) @ w["head"][0] + w["head"][1]
    plain("norm_rms_pre", opset=23, norm="rms", want=before, pre=True)

    # Attention of opsets 23 and 24
    plain("attention_4d", opset=23, form="op4")
    plain("attention_3d", opset=23, form="op3")
    plain("attention_opset24", opset=24, form="op3")
    plain("attention_scale", opset=23, form="op3_scale", scale=0.3, want=np_encoder(x, w, 0.3) @ w["head"][0] + w["head"][1])
    one = weights(1)
    few = np_encoder(x, one) @ one["head"][0] + one["head"][1]
    for name, form in ("attention_multi_query_4d", "op4"), ("attention_multi_query_3d", "op3"), ("attention_tiled", "matmul"):
        plain(name, opset=23, form=form, weights=one, want=few)

    # Masks that are inputs, with Attention
    for name, dtype in ("bool", TensorProto.BOOL), ("float", TensorProto.FLOAT):
        g, save = model("attention_mask_" + name, post, opset=23, mask=dtype)
        m = g.op("Unsqueeze", "mask", g.ints(1, 2))
        if name == "float":
            m = g.op("Mul", g.op("Sub", m, g.const(1)), g.const(1e9))
        save(g.linear(g.layer(g.linear("hits", w["embed"]), w, form="op4", mask=m), w["head"]))

    # Masks on exponentials, and of other axes and names
    for name in "where", "times":
        g, save = model("softmax_masked_" + name, post, mask=TensorProto.FLOAT)
        m = g.op("Unsqueeze", "mask", g.ints(1, 2))
        hide = lambda e: g.op("Where", g.op("Greater", m, g.const(0.5)), e, g.const(0)) if name == "where" else g.op("Mul", e, m)
        save(g.linear(g.layer(g.linear("hits", w["embed"]), w, softmax="masked", mask=hide), w["head"]))
    g, save = model("channels_first_mask", post, shape=["b", F, "n"], mask=TensorProto.FLOAT, mask_shape=["b", 1, "n"])
    m = g.op("Mul", g.op("Sub", g.op("Unsqueeze", "mask", g.ints(1)), g.const(1)), g.const(1e9))
    y = g.op("Transpose", g.op("Conv", "hits", g.const(w["embed"][0].T.reshape(D, F, 1)), g.const(w["embed"][1])), perm=[0, 2, 1])
    save(g.linear(g.layer(y, w, mask=lambda s: g.op("Add", s, m)), w["head"]))
    g, save = model("time_first_mask", post, shape=["n", "b", F], mask=TensorProto.BOOL, mask_shape=["n", "b"])
    m = g.op("Unsqueeze", g.op("Transpose", "mask", perm=[1, 0]), g.ints(1, 2))
    y = g.op("Transpose", g.linear("hits", w["embed"]), perm=[1, 0, 2])
    save(g.linear(g.layer(y, w, mask=lambda s: g.op("Where", m, g.const(-1e30), s)), w["head"]))

    # Embeddings that are convolutions
    def conv(*dims, before=None, after=None):
        def embed(g, x):
            x = before(g, x) if before else x
            y = g.op("Conv", x, g.const(w["embed"][0].T.reshape(dims)), g.const(w["embed"][1]))
            return after(g, y) if after else y
        return embed

    to_channels = lambda g, y: g.op("Transpose", y, perm=[0, 2, 1])
    to_tokens = lambda g, y: g.op("Transpose", y, perm=[0, 2, 1])
    plane = lambda g, y: g.op("Unsqueeze", to_channels(g, y), g.ints(3))
    from_plane = lambda g, y: g.op("Transpose", g.op("Squeeze", y, g.ints(3)), perm=[0, 2, 1])
    plain("embed_conv1d", embed=conv(D, F, 1, before=to_channels, after=to_tokens))
    plain("embed_conv2d", embed=conv(D, F, 1, 1, before=plane, after=from_plane))
    plain("embed_conv2d_wide", embed=conv(D, 1, 1, F, before=lambda g, y: g.op("Unsqueeze", y, g.ints(1)), after=from_plane))
    plain("embed_transposed", embed=lambda g, y: to_tokens(
        g, g.op("Add", g.op("MatMul", g.const(w["embed"][0].T), to_channels(g, y)), g.const(w["embed"][1].reshape(D, 1)))))
    plain("embed_gemm", embed=lambda g, y: g.op("Reshape", g.op("Gemm", g.op("Reshape", y, g.ints(-1, F)), g.const(w["embed"][0]),
                                                                  g.const(w["embed"][1])), g.ints(1, -1, D)))

    # Axes
    first = conv(D, F, 1, after=to_tokens)
    for name, shape in ("batch", ["batch", F, "hits"]), ("one", [1, F, "hits"]), ("fixed", ["batch", F, HITS]):
        plain("channels_first_" + name, shape=shape, embed=first)
    plain("channels_first_plane", shape=["batch", F, "hits", 1], embed=conv(D, F, 1, 1, after=from_plane))
    plain("channels_first_out", shape=["b", F, "n"], embed=first, out_first=True)
    for name, shape in ("free", ["n", "b", F]), ("named", ["hits", "batch", F]), ("one", ["n", 1, F]), ("fixed", [HITS, 1, F]), \
            ("fixed_free", [HITS, "b", F]):
        plain("time_first_" + name, shape=shape, time_first=True)
    for name, shape in ("one", [1, HITS, F]), ("batch", ["batch", HITS, F]):
        plain("fixed_" + name, shape=shape)
    plain("features_free", shape=["batch", "hits", "features"])

    # A norm in front, a batch norm of the features
    scale, shift = np.float32([2, 0.5, 1.5]), np.float32([0.1, -0.2, 0.3])
    mean, var = np.float32([0.3, -0.1, 0.2]), np.float32([1.5, 0.7, 2])
    normed = np_encoder((x - mean) / np.sqrt(var + 1e-5) * scale + shift, w) @ w["head"][0] + w["head"][1]
    plain("batch_norm_of_features", shape=["batch", F, "hits"], want=normed,
          embed=lambda g, y: first(g, g.op("BatchNormalization", y, *(g.const(a) for a in (scale, shift, mean, var)))))

    # Ends
    pre = np_encoder(x, w, pre=True)
    g, save = model("bare_residual", pre)
    save(g.layer(g.linear("hits", w["embed"]), w, pre=True))
    pooled = pre.mean(0, keepdims=True) @ w["head"][0] + w["head"][1]
    g, save = model("bare_residual_mean", pooled)
    save(g.linear(g.op("ReduceMean", g.layer(g.linear("hits", w["embed"]), w, pre=True), axes=[1], keepdims=0), w["head"]))
    g, save = model("mean_of_results", pooled)
    save(g.op("ReduceMean", g.linear(g.layer(g.linear("hits", w["embed"]), w, pre=True), w["head"]), axes=[1], keepdims=0))
    g, save = model("global_pool", np_encoder(x, w, pool="mean") @ w["head"][0] + w["head"][1])
    y = g.op("GlobalAveragePool", to_channels(g, g.layer(g.linear("hits", w["embed"]), w)))
    save(g.linear(g.op("Squeeze", y, g.ints(2)), w["head"]))

    # Masks from the data: a hit of zeros is padding
    zero = lambda g: g.const(0)
    sizes = {
        "sum_abs": lambda g: g.op("Equal", g.reduce("ReduceSum", g.op("Abs", "hits"), -1), zero(g)),
        "sum_abs_greater": lambda g: g.op("Not", g.op("Greater", g.reduce("ReduceSum", g.op("Abs", "hits"), -1), zero(g))),
        "max_abs": lambda g: g.op("LessOrEqual", g.reduce("ReduceMax", g.op("Abs", "hits"), -1), zero(g)),
        "sum_squares": lambda g: g.op("Less", g.reduce("ReduceSum", g.op("Mul", "hits", "hits"), -1), g.const(1e-6)),
        "norm1": lambda g: g.op("Equal", g.reduce("ReduceL1", "hits", -1), zero(g)),
        "norm2": lambda g: g.op("Not", g.op("Cast", g.reduce("ReduceL2", "hits", -1), to=TensorProto.BOOL)),
        "root": lambda g: g.op("Equal", g.op("Sqrt", g.reduce("ReduceSum", g.op("Pow", "hits", g.const(2)), -1)), zero(g)),
        "sign": lambda g: g.op("Equal", g.reduce("ReduceSum", g.op("Abs", g.op("Sign", g.op("Abs", "hits"))), -1), zero(g)),
        "count": lambda g: g.op("Equal", g.reduce("ReduceSum", g.op("Cast", g.op("Not", g.op("Equal", "hits", zero(g))), to=TensorProto.INT64), -1),
                                g.const(0, np.int64)),
        "any": lambda g: g.op("Not", g.op("Cast", g.reduce("ReduceMax", g.op("Cast", g.op("Not", g.op("Equal", "hits", zero(g))), to=TensorProto.FLOAT), -1),
                                          to=TensorProto.BOOL)),
    }
    for name, size in sizes.items():
        g, save = model("mask_" + name, post)
        padding = g.op("Reshape", size(g), g.ints(1, 1, 1, -1))
        drop = lambda s: g.op("Where", padding, g.const(-1e9), s)
        save(g.linear(g.layer(g.linear("hits", w["embed"]), w, mask=drop), w["head"]))

    # What is refused, and why
    def refuse(name, *words, opset=17, shape=BATCH_FIRST, **layer):
        g, save = bad(name, *words, shape=shape, opset=opset)
        save(g.linear(g.layer(g.linear("hits", w["embed"]), w, **layer), w["head"]))

    g, save = bad("score_bias", "attention bias", "every pair of hits", shape=["batch", HITS, F])
    bias = np.random.default_rng(3).normal(size=(HEADS, HITS, HITS))
    save(g.linear(g.layer(g.linear("hits", w["embed"]), w, mask=lambda s: g.op("Add", s, g.const(bias))), w["head"]))
    g, save = bad("score_causal", "causal mask", shape=["batch", HITS, F])
    above = np.triu(np.full((HITS, HITS), -1e9), 1)
    save(g.linear(g.layer(g.linear("hits", w["embed"]), w, mask=lambda s: g.op("Add", s, g.const(above))), w["head"]))
    g, save = bad("no_attention", "there is no encoder in this model", "attention")
    save(g.linear(g.op("Relu", g.linear("hits", w["embed"])), w["head"]))
    g, save = bad("batch_of_8", "the batch is fixed at 8", "[8, n, 3]", shape=[8, "n", F])
    save(g.linear(g.op("Transpose", g.layer(g.op("Transpose", g.linear("hits", w["embed"]), perm=[1, 0, 2]), w, time_first=True), perm=[1, 0, 2]),
                  w["head"]))
    g, save = bad("batch_of_8_behind", "the batch is fixed at 8", "[seq, 8, 3]", shape=["seq", 8, F])
    save(g.linear(g.layer(g.linear("hits", w["embed"]), w, time_first=True), w["head"]))
    g, save = bad("wide_convolution", "mixes neighbours", shape=["batch", F, "hits"])
    wide = np.repeat(w["embed"][0].T.reshape(D, F, 1), 3, 2)
    y = to_tokens(g, g.op("Conv", "hits", g.const(wide), pads=[1, 1]))
    save(g.linear(g.layer(y, w), w["head"]))
    for name, word, attrs in ("causal", "is_causal", {"is_causal": 1}), ("softcap", "softcap", {"softcap": 5.0}):
        g, save = bad("attention_" + name, word, "Attention", opset=23)
        y = g.linear("hits", w["embed"])
        a = g.op("Attention", *(g.linear(y, w[s]) for s in "qkv"), q_num_heads=HEADS, kv_num_heads=HEADS, **attrs)
        save(g.linear(g.norm(g.op("Add", y, g.linear(a, w["o"])), w["n1"]), w["head"]))

    # Parts: features that the host computes, an operator between two layers
    def part(name):
        g = Graph()
        return g, lambda y: g.save(os.path.join(out, "assisted", "form_" + name + ".onnx"), BATCH_FIRST, y)

    g, save = part("fourier")
    wide = np.random.default_rng(5).normal(size=(3 * F, D)) / 3, w["embed"][1]
    y = g.op("Concat", "hits", g.op("Sin", "hits"), g.op("Cos", "hits"), axis=-1)
    save(g.linear(g.layer(g.linear(y, wide), w), w["head"]))
    g, save = part("between")
    y = g.layer(g.op("Elu", g.layer(g.linear("hits", w["embed"]), w)), w)
    save(g.linear(g.layer(y, w), w["head"]))

    with open(os.path.join(forms, "values.txt"), "w") as f:
        for name in sorted(values):
            f.write(f"{name} {values[name].size} " + " ".join(f"{v:.6g}" for v in values[name].flatten()[:8]) + f" {values[name].sum():.6g}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))

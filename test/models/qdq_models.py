#!/usr/bin/python3
"""Small seeded encoders that were "quantised in training", in the styles of several exporters.

Usage: qdq_models.py DIRECTORY. The files are checked in, in test/models/qdq; refused/ has models that no hardware can honour, each with the text that its
error must contain. Integer weights are called NAME.codes, so that a test can find them.
"""
import math
import os
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FEATURES, D, HEADS, FF, OUT, LAYERS = 3, 8, 2, 12, 2, 2
WIDTH = D // HEADS
LOG2E = 1 / math.log(2)


class Style:
    """How an exporter writes rounding. kind: 'ms' (16-bit codes and a Clip), 'onnx' (8-bit codes), 'quant' (QONNX)."""

    def __init__(self, kind="ms", bits=12, asymmetric=False, w_bits=8, per_output=True, w_style="codes", activations=True, everywhere=False, act="Relu",
                 norm_first=False, opset=17, q_factor=1.0, scaled=False):
        self.__dict__.update(locals())


class Graph:
    def __init__(self, style, seed):
        self.rng, self.nodes, self.weights, self.style = np.random.default_rng(seed), [], [], style

    def const(self, value, name=None):
        name = name or "c%d" % len(self.weights)
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind, *inputs, domain="", name=None, **attrs):
        out = name or "%s_%d" % (kind.lower(), len(self.nodes))
        self.nodes.append(helper.make_node(kind, inputs, [out], name="node_" + out, domain=domain, **attrs))
        return out

    def rounded(self, x, name, reach, bits=None, unsigned=False, scale=None, axis=None):
        """x, rounded to codes that span +-reach (0 ... reach, unsigned), or with the given scale."""
        s, bits = self.style, bits or self.style.bits
        if not s.activations:
            return x
        high = 2 ** bits - 1 if unsigned else 2 ** (bits - 1) - 1
        low = 0 if unsigned else -high
        zero = 0
        scale = np.float32(reach / high) if scale is None else np.asarray(scale, np.float32)
        if s.asymmetric and not unsigned:  # onnxruntime's static quantisation: uint8 between the extremes, of which one is larger
            low, high, zero, scale, unsigned = 0, 255, 115, np.float32(reach / 115), True
        if s.kind == "quant":
            zeros = self.const(np.full(scale.shape, zero, np.float32))
            return self.op("Quant", x, self.const(scale), zeros, self.const(np.float32(bits)), domain="qonnx.custom_op.general", name=name,
                           signed=int(not unsigned), narrow=1 if not unsigned else 0, rounding_mode="ROUND")
        wide = bits > 8 or s.kind == "ms"
        kind = (np.uint16 if unsigned else np.int16) if wide else (np.uint8 if unsigned else np.int8)
        extra = {} if axis is None else {"axis": axis}
        domain = "com.microsoft" if wide else ""
        both = self.const(scale), self.const(np.full(scale.shape, zero, kind))
        codes = self.op("QuantizeLinear", x, *both, domain=domain, name=name + "_codes", **extra)
        if (low, high) != (np.iinfo(kind).min, np.iinfo(kind).max):
            codes = self.op("Clip", codes, self.const(kind(low)), self.const(kind(high)))
        return self.op("DequantizeLinear", codes, *both, domain=domain, name=name, **extra)

    def matrix(self, i, o, name, gain=1.5):
        """Weights [i, o] as the style has them."""
        s = self.style
        w = (self.rng.uniform(-1, 1, (i, o)) * gain / math.sqrt(i)).astype(np.float32)
        high = 2 ** (s.w_bits - 1) - 1
        step = (np.abs(w).max(0) if s.per_output else np.abs(w).max()).astype(np.float32) / np.float32(high)
        step = step.astype(np.float32)
        codes = np.clip(np.round(w / step), -high, high).astype(np.int8)
        axis = {"axis": 1} if s.per_output else {}
        zero = np.zeros(step.shape, np.int8)
        if s.w_style == "codes":
            return self.op("DequantizeLinear", self.const(codes, name + ".codes"), self.const(step), self.const(zero), **axis)
        if s.w_style == "transposed":  # [o, i], scales along axis 0, transposed behind
            axis = {"axis": 0} if s.per_output else {}
            t = self.op("DequantizeLinear", self.const(codes.T.copy(), name + ".codes"), self.const(step), self.const(zero), **axis)
            return self.op("Transpose", t, perm=[1, 0])
        if s.w_style == "clipped":  # Brevitas: real weights, rounded in the graph
            both = self.const(step), self.const(zero)
            q = self.op("QuantizeLinear", self.const(w, name + ".real"), *both, **axis)
            q = self.op("Clip", q, self.const(np.int8(-high)), self.const(np.int8(high)))
            return self.op("DequantizeLinear", q, *both, **axis)
        shape = step.reshape(1, -1) if s.per_output else step
        return self.op("Quant", self.const(w, name + ".real"), self.const(shape), self.const(np.zeros_like(shape)), self.const(np.float32(s.w_bits)),
                       domain="qonnx.custom_op.general", signed=1, narrow=1, rounding_mode="ROUND")

    def linear(self, x, i, o, name, gain=1.5):
        bias = self.const((self.rng.uniform(-1, 1, o) / 2).astype(np.float32), name + ".bias")
        y = self.op("MatMul", x, self.matrix(i, o, name, gain))
        if self.style.scaled:  # a factor behind the product belongs to the weights' steps
            y = self.op("Mul", y, self.const(np.float32(0.75)))
        return self.op("Add", y, bias, name=name)

    def norm(self, x, name):
        gain = self.const(self.rng.uniform(0.6, 1.4, D).astype(np.float32))
        bias = self.const(self.rng.uniform(-0.5, 0.5, D).astype(np.float32))
        return self.op("LayerNormalization", x, gain, bias, name=name, axis=-1, epsilon=1e-5)

    def maybe(self, x, name, reach):
        """Where only exporters that round every tensor have a rounding."""
        return self.rounded(x, name, reach) if self.style.everywhere else x

    def attention(self, x, at):
        q_scale = np.array([0.004, 0.003], np.float32)
        octaves = np.array([2.0 ** -13, 2.0 ** -14]) if self.style.bits > 8 else np.array([2.0 ** -7, 2.0 ** -7])
        if self.style.bits <= 8:
            q_scale = np.array([0.04, 0.05], np.float32)
        k_scale = (octaves / (q_scale.astype(np.float64) / self.style.q_factor * LOG2E / math.sqrt(WIDTH))).astype(np.float32)
        per_head = not self.style.asymmetric and self.style.kind != "quant"
        part = {}
        for name, scale in (("q", q_scale), ("k", k_scale), ("v", None)):
            y = self.op("Reshape", self.linear(x, D, D, at + name), self.const(np.array([0, 0, HEADS, WIDTH], np.int64)))
            if scale is None or not per_head:
                y = self.rounded(y, at + name + "_rounded", 4.0, scale=None if scale is None or self.style.asymmetric else scale[0])
            else:
                y = self.rounded(y, at + name + "_rounded", 4.0, scale=scale, axis=2)
            part[name] = y
        score = self.op("MatMul", self.op("Transpose", part["q"], perm=[0, 2, 1, 3]), self.op("Transpose", part["k"], perm=[0, 2, 3, 1]))
        score = self.maybe(self.op("Mul", score, self.const(np.float32(1 / math.sqrt(WIDTH)))), at + "score_rounded", 8.0)
        p = self.op("Softmax", score, axis=-1)
        if self.style.everywhere:
            p = self.rounded(p, at + "p_rounded", 1.0, unsigned=True)
        context = self.op("MatMul", p, self.op("Transpose", part["v"], perm=[0, 2, 1, 3]))
        context = self.op("Reshape", self.op("Transpose", context, perm=[0, 2, 1, 3]), self.const(np.array([0, 0, D], np.int64)))
        high = 2 ** (self.style.bits - 1) - 1
        return self.rounded(context, at + "ctx_rounded", 2.0, scale=None if self.style.asymmetric else np.float32(4.0 / high / 2))

    def ffn(self, x, at):
        y = self.linear(x, D, FF, at + "ffn1")
        if self.style.act == "Gelu":
            y = self.rounded(y, at + "act_in_rounded", 6.0)
            half = self.op("Mul", y, self.const(np.float32(0.5)))
            y = self.op("Mul", half, self.op("Add", self.op("Erf", self.op("Div", y, self.const(np.float32(math.sqrt(2))))), self.const(np.float32(1))))
            y = self.rounded(y, at + "hidden_rounded", 6.0)
        else:
            y = self.rounded(self.op("Relu", y), at + "hidden_rounded", 6.0, unsigned=True)
        return self.linear(y, FF, D, at + "ffn2")

    def layer(self, x, at):
        if self.style.norm_first:
            read = self.rounded(self.norm(x, at + "norm1"), at + "qkv_in_rounded", 3.5)
            x = self.op("Add", x, self.linear(self.attention(read, at), D, D, at + "o"))
            read = self.rounded(self.norm(x, at + "norm2"), at + "ffn_in_rounded", 3.5)
            return self.op("Add", x, self.ffn(read, at))
        read = self.rounded(x, at + "qkv_in_rounded", 4.0)
        x = read if self.style.everywhere else x
        y = self.maybe(self.linear(self.attention(read, at), D, D, at + "o"), at + "o_rounded", 4.0)
        x = self.norm(self.maybe(self.op("Add", x, y), at + "sum_rounded", 6.0), at + "norm1")
        read = self.rounded(x, at + "ffn_in_rounded", 3.5)
        x = read if self.style.everywhere else x
        return self.norm(self.op("Add", self.ffn(read, at), x), at + "norm2")


def build(style, seed, layers=LAYERS):
    g = Graph(style, seed)
    x = g.linear(g.rounded("hits", "in_rounded", 2.0, bits=None if style.bits <= 8 else 14), FEATURES, D, "embed", gain=1.2)
    for l in range(layers):
        x = g.layer(x, "layers.%d." % l)
    y = g.linear(g.rounded(x, "head_in_rounded", 6.0 if style.norm_first else 3.5), D, OUT, "head")
    return g, y


def save(path, g, y):
    info = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "hits", width])
    graph = helper.make_graph(g.nodes, "encoder", [info("hits", FEATURES)], [info(y, OUT)], g.weights)
    domains = sorted({n.domain for n in g.nodes} - {""})
    imports = [helper.make_opsetid("", g.style.opset)] + [helper.make_opsetid(d, 1) for d in domains]
    model = helper.make_model(graph, opset_imports=imports, producer_name="qdq_models.py")
    model.ir_version = 8
    with open(path, "wb") as file:
        file.write(model.SerializeToString())


def find(g, name):
    return next(n for n in g.nodes if n.output[0] == name)


def two_readers(g):
    """Keys read an input that was rounded otherwise than that of queries and values."""
    x = find(g, "layers.0.qkv_in_rounded_codes").input[0]
    other = len(g.nodes)
    y = g.rounded(x, "other_rounded", 2.0)
    kernel = find(g, find(g, "layers.0.k").input[0])
    kernel.input[0] = y
    made, g.nodes[other:] = g.nodes[other:], []
    at = g.nodes.index(kernel)
    g.nodes[at:at] = made


def scales_of_inputs(g):
    """Weights with a scale for each input."""
    node = find(g, find(g, find(g, "layers.1.ffn1").input[0]).input[1])
    node.input[1], node.input[2] = g.const(np.linspace(0.01, 0.02, D).astype(np.float32)), g.const(np.zeros(D, np.int8))
    node.attribute[0].i = 0


def other_scale(g):
    """DequantizeLinear has another scale than QuantizeLinear."""
    find(g, "layers.0.ctx_rounded").input[1] = g.const(np.float32(0.125))


def no_dequantise(g):
    """A linear reads codes (as numbers: a Cast)."""
    find(g, "head_in_rounded").op_type = "Cast"
    node = find(g, "head_in_rounded")
    node.domain = ""
    del node.input[1:]
    node.attribute.append(helper.make_attribute("to", 1))


def zero_outside(g):
    """A zero point that the Clip cuts off."""
    for name in ("layers.0.ffn_in_rounded_codes", "layers.0.ffn_in_rounded"):
        find(g, name).input[2] = g.const(np.int16(3000))


def channels_of_integers(g):
    """Integer weights meet an activation with a scale for each channel."""
    for name in ("layers.0.ffn_in_rounded_codes", "layers.0.ffn_in_rounded"):
        node = find(g, name)
        node.input[1], node.input[2] = g.const(np.linspace(0.001, 0.002, D).astype(np.float32)), g.const(np.zeros(D, np.int16))
        node.attribute.append(helper.make_attribute("axis", 2))


def joined_codes(g):
    """Codes are joined before they are dequantised; half of the result is used."""
    node = find(g, "layers.0.v_rounded")
    at = g.nodes.index(node)
    codes, node.output[0] = node.input[0], "joined"
    node.input[0] = "joined_codes"
    ints = [g.const(np.array([k], np.int64)) for k in (0, WIDTH, 3)]
    g.nodes.insert(at, helper.make_node("Concat", [codes, codes], ["joined_codes"], name="node_joined_codes", axis=3))
    g.nodes.insert(at + 2, helper.make_node("Slice", ["joined"] + ints, ["layers.0.v_rounded"], name="node_half"))


def three_bits(g):
    """Fewer bits than any hardware format has."""
    for n in g.nodes:
        if n.op_type == "Clip" and n.input[0] == "layers.1.q_rounded_codes":
            n.input[1], n.input[2] = g.const(np.int16(-3)), g.const(np.int16(3))


GOOD = {
    "exact": Style(),
    "onnxruntime": Style(kind="onnx", bits=8, asymmetric=True, per_output=False, everywhere=True, opset=17),
    "brevitas": Style(kind="onnx", bits=8, w_bits=4, w_style="clipped"),
    "qonnx_gelu": Style(kind="quant", bits=10, w_bits=6, w_style="quant", act="Gelu", norm_first=True),
    "weights_only": Style(activations=False, w_style="transposed", scaled=True),
    "odd_scales": Style(q_factor=1.3),
}
BAD = {
    "two_readers": (two_readers, "queries and keys read an input that is rounded differently (nodes 'node_layers.0.qkv_in_rounded_codes', 'node_other_rounded_codes')"),
    "scales_of_inputs": (scales_of_inputs, "have scales along the layer's inputs"),
    "other_scale": (other_scale, "its scale or zero point is not that of the QuantizeLinear before it (node 'node_layers.0.ctx_rounded_codes')"),
    "no_dequantise": (no_dequantise, "node 'node_head_in_rounded' (Cast): it computes with the codes of a QuantizeLinear"),
    "zero_outside": (zero_outside, "the zero point 3000 lies outside of the codes, which run from -2047 to 2047"),
    "channels_of_integers": (channels_of_integers, "has a scale for each channel (node 'node_layers.0.ffn_in_rounded_codes')"),
    "joined_codes": (joined_codes, "codes of a QuantizeLinear were joined with others, or pooled, before their DequantizeLinear"),
    "three_bits": (three_bits, "node 'node_layers.1.q_rounded_codes' of the model asks for 3 bits for 'q', which has 4 to 18"),
}


def main(directory):
    os.makedirs(os.path.join(directory, "refused"), exist_ok=True)
    for seed, (name, style) in enumerate(GOOD.items()):
        save(os.path.join(directory, name + ".onnx"), *build(style, 100 + seed))
    for seed, (name, (spoil, text)) in enumerate(BAD.items()):
        g, y = build(Style(), 200 + seed)
        spoil(g)
        save(os.path.join(directory, "refused", name + ".onnx"), g, y)
        with open(os.path.join(directory, "refused", name + ".txt"), "w") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

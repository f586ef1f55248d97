"""The encoder with rounded weights and activations, for training, and its export with QuantizeLinear and DequantizeLinear.

Every rounding stands where the hardware has one (docs/numerics.md), with a step that the hardware can have:
- weights: one step an output, from the row's largest weight;
- queries and keys: one step a head, and the two multiply to a power of two of the score in octaves, since a score is only shifted;
- context: the values' step times a power of two.
Probabilities, sums, normalisations and the residual stream are not rounded here: the hardware gives them bits to spare."""
import math

import numpy as np
import torch
import torch.nn.functional as F

from attention import attend

# Bits that let every product share a DSP48E2 with a second one (docs/quantisation.md): hits 16 x 6, norm outputs and context 12 x 8, queries 9 x keys 10,
# hidden (unsigned) 11 x 8, values 8 with probabilities (unsigned) of 11, which are not in the file: compile with --formats p=11.
BITS = {"in": 16, "w_embed": 6, "qkv_in": 12, "w": 8, "q": 9, "k": 10, "v": 8, "ctx": 12, "ffn_in": 12, "hidden": 11, "head_in": 12}
SPREAD = 3  # shifts of scores (per head) and of the context (per layer) differ by at most so many bits
LOG2E = 1 / math.log(2)


def largest(bits):
    """Largest code of a signed format; the least is its negative."""
    return 2 ** (bits - 1) - 1


def rounded(x, step, low, high):
    """x to the nearest of step * (low ... high); the gradient passes through the rounding, and reaches the step by what saturates and what was rounded."""
    code = torch.clamp(x / step, low, high)
    return (code + (torch.round(code) - code).detach()) * step


def rounded_weight(w, bits):
    step = weight_step(w, bits)[:, None]
    return rounded(w, step, -largest(bits), largest(bits))


def weight_step(w, bits):
    return (w.detach().abs().amax(1) / largest(bits)).clamp(min=1e-8)


class Layer(torch.nn.Module):
    """Steps of a layer's activations, trained as logarithms. Exponents are fixed when training starts."""

    def __init__(self, heads):
        super().__init__()
        for name in ("qkv_in", "v", "ffn_in", "hidden"):
            setattr(self, name, torch.nn.Parameter(torch.zeros(())))
        self.ratio = torch.nn.Parameter(torch.zeros(heads))  # log of (step of q / step of k), of each head
        self.register_buffer("shift", torch.zeros(heads))    # step of q * step of k = 2^-shift octaves
        self.register_buffer("gain", torch.zeros(()))        # step of the context = step of v * 2^-gain

    def pair(self, scale):
        """Steps of q and k, [heads]; scale: of q.k in front of the softmax."""
        both = torch.exp2(-self.shift) / (scale * LOG2E)
        return torch.sqrt(both * torch.exp(self.ratio)), torch.sqrt(both * torch.exp(-self.ratio))


class Quantised(torch.nn.Module):
    """An encoder.Encoder, rounded. `model` keeps the weights at full precision."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.layers = torch.nn.ModuleList(Layer(model.heads) for _ in model.encoder.layers)
        self.input = torch.nn.Parameter(torch.zeros(()))
        self.head_in = torch.nn.Parameter(torch.zeros(()))
        self.seen = None  # while calibrating: {(layer, what): largest magnitude}, and nothing is rounded

    def scale(self):
        return 1 / math.sqrt(self.model.head.weight.shape[1] // self.model.heads)

    def act(self, x, log_step, what, layer=None, signed=True):
        if self.seen is not None:
            self.seen[layer, what] = max(self.seen.get((layer, what), 0.0), float(x.abs().max()))
            return x
        high = largest(BITS[what]) if signed else 2 ** BITS[what] - 1
        return rounded(x, torch.exp(log_step), -high if signed else 0, high)

    def weight(self, w, what="w"):
        return w if self.seen is not None else rounded_weight(w, BITS[what])

    def heads_act(self, x, step, what, layer):
        """q, k: a step for each head."""
        x = x.unflatten(-1, (self.model.heads, -1))
        if self.seen is not None:
            old = self.seen.get((layer, what), torch.zeros(self.model.heads))
            self.seen[layer, what] = torch.maximum(old, x.detach().abs().amax((0, 1, 3)).cpu())
        else:
            x = rounded(x, step[:, None], -largest(BITS[what]), largest(BITS[what]))
        return x.flatten(-2)

    def states(self, hits, particle):
        """As encoder.Encoder.states."""
        m, states, owns = self.model, [], []
        x = F.linear(self.act(hits, self.input, "in"), self.weight(m.embedding.weight, "w_embed"), m.embedding.bias)
        for i, (l, s) in enumerate(zip(m.encoder.layers, self.layers)):
            a = l.self_attn
            q, k, v = F.linear(self.act(x, s.qkv_in, "qkv_in", i), self.weight(a.in_proj_weight), a.in_proj_bias).chunk(3, -1)
            q_step, k_step = s.pair(self.scale())
            q, k = self.heads_act(q, q_step, "q", i), self.heads_act(k, k_step, "k", i)
            v = self.act(v, s.v, "v", i)
            context, own = attend(torch.cat([q, k, v], -1), particle, m.heads)
            context = self.act(context, s.v - s.gain * math.log(2), "ctx", i)
            x = l.norm1(x + F.linear(context, self.weight(a.out_proj.weight), a.out_proj.bias))
            y = F.relu(F.linear(self.act(x, s.ffn_in, "ffn_in", i), self.weight(l.linear1.weight), l.linear1.bias))
            y = self.act(y, s.hidden, "hidden", i, signed=False)
            x = l.norm2(x + F.linear(y, self.weight(l.linear2.weight), l.linear2.bias))
            states.append(x)
            owns.append(own)
        return states, owns

    def output(self, state):
        h = self.model.head
        return F.linear(self.act(state, self.head_in, "head_in"), self.weight(h.weight), h.bias)

    def forward(self, hits):
        states, _ = self.states(hits, torch.zeros(hits.shape[:2], device=hits.device))
        return self.output(states[-1])

    @torch.no_grad()
    def centre(self, batches):
        """Takes the middle of every key and value channel's range out of its bias, which changes nothing: softmax does not see a constant added to all
        keys, and probabilities sum to one, so that the output projection's bias can have what is taken from the values."""
        m = self.model
        d = m.head.weight.shape[1]
        for l, x in zip(m.encoder.layers, self.inputs(batches)):
            a = l.self_attn
            qkv = F.linear(x, a.in_proj_weight, a.in_proj_bias)
            middle = (qkv.amax(0) + qkv.amin(0)) / 2
            a.in_proj_bias[d:] -= middle[d:]
            a.out_proj.bias += a.out_proj.weight @ middle[2 * d:]

    def inputs(self, batches):
        """What each layer reads, [hits, d]."""
        states = [[] for _ in self.layers]
        for hits in batches:
            x = self.model.embedding(hits)
            after, _ = self.model.states(hits, torch.zeros(hits.shape[:2], device=hits.device))
            for to, y in zip(states, [x] + after[:-1]):
                to.append(y.flatten(0, 1))
        return [torch.cat(s) for s in states]

    @torch.no_grad()
    def calibrate(self, batches):
        """Steps from the ranges of some events; exponents once and for all."""
        self.seen = {}
        for hits in batches:
            self(hits)
        seen, self.seen = self.seen, None
        log = lambda what, layer=None, high=None: math.log(seen[layer, what] / (high or largest(BITS[what])))
        self.input.fill_(log("in"))
        self.head_in.fill_(log("head_in"))
        shifts = []
        for i, s in enumerate(self.layers):
            for what in ("qkv_in", "v", "ffn_in"):
                getattr(s, what).fill_(log(what, i))
            s.hidden.fill_(log("hidden", i, 2 ** BITS["hidden"] - 1))
            s.gain.fill_(math.floor(math.log2(largest(BITS["ctx"]) * math.exp(s.v) / seen[i, "ctx"])))
            q, k = seen[i, "q"] / largest(BITS["q"]), seen[i, "k"] / largest(BITS["k"])
            s.ratio.copy_(torch.log(q / k))
            shifts.append(torch.floor(-torch.log2(q * k * self.scale() * LOG2E)))
        least_shift, least_gain = min(float(t.min()) for t in shifts), min(float(s.gain) for s in self.layers)
        for s, t in zip(self.layers, shifts):
            s.shift.copy_(t.clamp(max=least_shift + SPREAD))
            s.gain.clamp_(max=least_gain + SPREAD)

    def steps(self):
        """Parameters that are logarithms of steps."""
        return [self.input, self.head_in] + [p for s in self.layers for p in s.parameters()]


class Graph:
    """Writes the ONNX graph node by node."""

    def __init__(self):
        self.nodes, self.tensors, self.made = [], [], 0

    def constant(self, value, dtype):
        from onnx import numpy_helper
        self.made += 1
        name = "c%d" % self.made
        self.tensors.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def node(self, kind, inputs, domain="", name=None, **attributes):
        from onnx import helper
        self.made += 1
        out = name or "%s_%d" % (kind, self.made)
        self.nodes.append(helper.make_node(kind, inputs, [out], name="node_" + out, domain=domain, **attributes))
        return out

    def pair(self, x, step, bits, name, signed=True, axis=None):
        """Quantised and back: 16-bit codes (onnxruntime's operators, since ONNX has none before opset 21) of which a Clip takes the outer ones off."""
        step = np.asarray(step, dtype=np.float32)
        kind = np.int16 if signed else np.uint16
        high = largest(bits) if signed else 2 ** bits - 1
        scale, zero = self.constant(step, np.float32), self.constant(np.zeros(step.shape), kind)
        extra = {} if axis is None else {"axis": axis}
        q = self.node("QuantizeLinear", [x, scale, zero], "com.microsoft", name + "_codes", **extra)
        q = self.node("Clip", [q, self.constant(-high if signed else 0, kind), self.constant(high, kind)])
        return self.node("DequantizeLinear", [q, scale, zero], "com.microsoft", name, **extra)

    def linear(self, x, w, b, bits, name):
        """w: [out, in] at full precision; written as int8 codes with a scale an output."""
        step = weight_step(w, bits)
        codes = torch.clamp(torch.round(w / step[:, None]), -largest(bits), largest(bits))
        scale = self.constant(step.numpy(), np.float32)
        zero = self.constant(np.zeros(len(step)), np.int8)
        matrix = self.node("DequantizeLinear", [self.constant(codes.T.numpy(), np.int8), scale, zero], axis=1)
        y = self.node("MatMul", [x, matrix])
        return self.node("Add", [y, self.constant(b.numpy(), np.float32)], name=name)


@torch.no_grad()
def export(quantised, features, path, output):
    """Writes the ONNX file, opset 17."""
    import onnx
    from onnx import TensorProto, helper
    q, m = quantised.cpu(), quantised.model
    heads, d = m.heads, m.head.weight.shape[1]
    g = Graph()
    exp = lambda log: math.exp(float(log))
    split, joined = g.constant([0, 0, heads, d // heads], np.int64), g.constant([0, 0, d], np.int64)
    norm = lambda x, n, name: g.node("LayerNormalization", [x, g.constant(n.weight.numpy(), np.float32), g.constant(n.bias.numpy(), np.float32)], name=name,
                                     axis=-1, epsilon=float(n.eps))
    x = g.linear(g.pair("hits", exp(q.input), BITS["in"], "in"), m.embedding.weight, m.embedding.bias, BITS["w_embed"], "embed")
    for i, (l, s) in enumerate(zip(m.encoder.layers, q.layers)):
        at, a = "layers.%d." % i, l.self_attn
        read = g.pair(x, exp(s.qkv_in), BITS["qkv_in"], at + "qkv_in")
        q_step, k_step = s.pair(q.scale())
        part = {}
        for j, (name, step, axis) in enumerate((("q", q_step.numpy(), 2), ("k", k_step.numpy(), 2), ("v", exp(s.v), None))):
            rows = slice(j * d, (j + 1) * d)
            y = g.linear(read, a.in_proj_weight[rows], a.in_proj_bias[rows], BITS["w"], at + name + "_linear")
            part[name] = g.pair(g.node("Reshape", [y, split]), step, BITS[name], at + name, axis=axis)
        score = g.node("MatMul", [g.node("Transpose", [part["q"]], perm=[0, 2, 1, 3]), g.node("Transpose", [part["k"]], perm=[0, 2, 3, 1])])
        p = g.node("Softmax", [g.node("Mul", [score, g.constant(q.scale(), np.float32)])], axis=-1)
        context = g.node("MatMul", [p, g.node("Transpose", [part["v"]], perm=[0, 2, 1, 3])])
        context = g.node("Reshape", [g.node("Transpose", [context], perm=[0, 2, 1, 3]), joined])
        context = g.pair(context, exp(s.v) * 2 ** -float(s.gain), BITS["ctx"], at + "ctx")
        y = g.linear(context, a.out_proj.weight, a.out_proj.bias, BITS["w"], at + "o")
        x = norm(g.node("Add", [x, y]), l.norm1, at + "norm1")
        y = g.linear(g.pair(x, exp(s.ffn_in), BITS["ffn_in"], at + "ffn_in"), l.linear1.weight, l.linear1.bias, BITS["w"], at + "ffn1")
        y = g.pair(g.node("Relu", [y]), exp(s.hidden), BITS["hidden"], at + "hidden", signed=False)
        y = g.linear(y, l.linear2.weight, l.linear2.bias, BITS["w"], at + "ffn2")
        x = norm(g.node("Add", [x, y]), l.norm2, at + "norm2")
    g.linear(g.pair(x, exp(q.head_in), BITS["head_in"], "head_in"), m.head.weight, m.head.bias, BITS["w"], output)
    info = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "hits", width])
    graph = helper.make_graph(g.nodes, "encoder", [info("hits", features)], [info(output, m.head.weight.shape[0])], g.tensors)
    model = helper.make_model(graph, producer_name="tessera", ir_version=8,
                              opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])
    onnx.save(model, path)

#!/usr/bin/python3
"""Small seeded encoders, written in the ways people write them in PyTorch, exported with torch.onnx.

Usage: torch_models.py DIRECTORY. The files are checked in; run this again to change them. refused/ gets models that have no
hardware; each comes with a .txt of words that the error message must have.
"""
import math
import os
import sys
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
FEATURES, D, HEADS, FF, OUT = 3, 8, 2, 12, 2


def randomise(model):
    """Weights of a size that a trained model has, biases and gains too: zeros and ones would hide mistakes."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                p.uniform_(-1, 1).mul_(1.7 / math.sqrt(p.shape[-1]))
            elif "norm" in name and name.endswith("weight"):
                p.uniform_(0.6, 1.4)
            else:
                p.uniform_(-0.4, 0.4)
    return model


class Torch(nn.Module):
    """Linear, nn.TransformerEncoder, Linear."""

    def __init__(self, batch_first=True, final_norm=False, embed=None, head=None, pool=None, layers=1, embed_scale=None, **kw):
        super().__init__()
        self.embed = embed or nn.Linear(FEATURES, D)
        layer = nn.TransformerEncoderLayer(D, HEADS, FF, batch_first=batch_first, dropout=0.1, **kw)
        self.encoder = nn.TransformerEncoder(layer, layers, norm=nn.LayerNorm(D) if final_norm else None)
        self.head = head or nn.Linear(D, OUT)
        self.batch_first, self.pool, self.embed_scale = batch_first, pool, embed_scale

    def forward(self, x, mask=None):
        x = self.embed(x)
        if self.embed_scale:
            x = x * self.embed_scale
        if not self.batch_first:
            x = x.transpose(0, 1)
        x = self.encoder(x, src_key_padding_mask=mask)
        if not self.batch_first:
            x = x.transpose(0, 1)
        if self.pool == "mean":
            x = x.mean(1)
        elif self.pool == "masked_mean":
            keep = (~mask).unsqueeze(-1).to(x.dtype)
            x = (x * keep).sum(1) / keep.sum(1).clamp(min=1.0)
        elif self.pool == "max":
            x = x.max(1)[0]
        elif self.pool == "masked_max":
            x = x.masked_fill(mask.unsqueeze(-1), -math.inf).max(1)[0]
        elif self.pool == "first":
            x = x[:, 0]
        return self.head(x)


class RmsNorm(nn.Module):
    """As in Qwen, Llama and OLMo: in single precision, the gain behind."""

    def __init__(self, d, eps=1e-5):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(d)), eps

    def forward(self, x):
        y = x.to(torch.float32)
        return self.weight * (y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype)


class UnitNorm(nn.Module):
    """RMS normalisation as in x-transformers: of unit length, times sqrt(d) and a gain."""

    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        return nn.functional.normalize(x, dim=-1) * x.shape[-1] ** 0.5 * self.weight


class Attention(nn.Module):
    """Attention as in many repositories: how q, k, v are packed, split and contracted is `style`, how q and k are normalised is `qk`:
    "heads" of [b, h, n, w] as timm does, "views" of [b, n, h, w] as Qwen3 does, "all" heads at once as OLMo2 does."""

    def __init__(self, style, inner, heads, bias=True, qk=None, qk_norm=nn.LayerNorm):
        super().__init__()
        self.style, self.heads, self.width, self.qk = style, heads, inner // heads, qk
        if qk:
            self.q_norm, self.k_norm = (qk_norm(inner if qk == "all" else self.width) for _ in range(2))
        if style in ("separate", "annotated", "keyscale"):
            self.q, self.k, self.v = (nn.Linear(D, inner, bias=bias) for _ in range(3))
        elif style == "multi_query":
            self.q, self.kv = nn.Linear(D, inner, bias=bias), nn.Linear(D, 2 * self.width, bias=bias)
        else:
            self.qkv = nn.Linear(D, 3 * inner, bias=bias)
        self.out = nn.Linear(inner, D)

    def forward(self, x, mask=None):
        b, n, _ = x.shape
        h, w = self.heads, self.width
        scale = 1 / math.sqrt(w)
        if self.style in ("permute", "einsum"):  # timm: [b, n, 3, h, w] -> [3, b, h, n, w]
            q, k, v = self.qkv(x).reshape(b, n, 3, h, w).permute(2, 0, 3, 1, 4).unbind(0)
        elif self.style == "index":
            qkv = self.qkv(x).view(b, n, 3, h * w)
            q, k, v = (qkv[:, :, i].view(b, n, h, w).transpose(1, 2) for i in range(3))
        elif self.style == "chunk":  # x-transformers
            q, k, v = (t.reshape(b, n, h, w).transpose(1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        elif self.style == "per_head":  # each head's q, k, v side by side
            q, k, v = self.qkv(x).view(b, n, h, 3 * w).transpose(1, 2).split(w, dim=-1)
        elif self.style == "inner_heads":  # heads are the fastest axis
            q, k, v = (t.reshape(b, n, w, h).permute(0, 3, 1, 2) for t in self.qkv(x).chunk(3, dim=-1))
        elif self.style == "multi_query":
            q = self.q(x).view(b, n, h, w).transpose(1, 2)
            k, v = self.kv(x).unsqueeze(1).chunk(2, dim=-1)
        elif self.qk == "views":
            q, k, v = (f(x).view(b, n, h, w) for f in (self.q, self.k, self.v))
            q, k, v = (y.transpose(1, 2) for y in (self.q_norm(q), self.k_norm(k), v))
        elif self.qk == "all":
            q, k, v = self.q_norm(self.q(x)), self.k_norm(self.k(x)), self.v(x)
            q, k, v = (y.view(b, n, h, w).transpose(1, 2) for y in (q, k, v))
        else:
            q, k, v = (f(x).view(b, n, h, w).transpose(1, 2) for f in (self.q, self.k, self.v))
        if self.qk == "heads":
            q, k = self.q_norm(q), self.k_norm(k)
        if self.style == "keyscale":
            p = torch.matmul(k * scale, q.transpose(-1, -2)).softmax(-2).transpose(-1, -2)
            ctx = torch.matmul(p, v)
        elif self.style == "einsum":
            p = (torch.einsum("bhid,bhjd->bhij", q, k) * scale).softmax(-1)
            ctx = torch.einsum("bhij,bhjd->bhid", p, v)
        else:
            s = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(w)
            if mask is not None and self.style == "annotated":  # mask: 1 = hit
                s = s.masked_fill(mask[:, None, None, :] == 0, -1e9)
            elif mask is not None:
                s = s + (1.0 - mask[:, None, None, :].to(s.dtype)) * -10000.0
            ctx = torch.matmul(s.softmax(-1), v)
        if self.style == "inner_heads":
            return self.out(ctx.permute(0, 2, 3, 1).reshape(b, n, h * w))
        return self.out(ctx.transpose(1, 2).reshape(b, n, h * w))


class TanhGelu(nn.Module):
    def forward(self, x):
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3))))


class MeanOfSquaresNorm(nn.Module):
    """Layer normalisation with the variance as E[x^2] - mean^2, and as x * (r * g) + (b - mean * r * g)."""

    def __init__(self, d):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        r = torch.rsqrt((x * x).mean(-1, keepdim=True) - mean * mean + 1e-3)
        scale = r * self.weight
        return x * scale + (self.bias - mean * scale)


class Layer(nn.Module):
    def __init__(self, style, inner, heads, pre, act, norm, ff, bias, **attention):
        super().__init__()
        self.attention = Attention(style, inner, heads, bias, **attention)
        self.norm1, self.norm2, self.pre = norm(D), norm(D), pre
        self.ff1, self.act, self.ff2 = nn.Linear(D, ff), act, nn.Linear(ff, D, bias=bias)

    def forward(self, x, mask):
        if self.pre:
            x = x + self.attention(self.norm1(x), mask)
            return x + self.ff2(self.act(self.ff1(self.norm2(x))))
        x = self.norm1(x + self.attention(x, mask))
        return self.norm2(x + self.ff2(self.act(self.ff1(x))))


class NormsAround(Layer):
    """As in some compact vision transformers: attention has a norm on either side, the feed-forward block none."""

    def forward(self, x, mask):
        x = self.norm2(x + self.attention(self.norm1(x), mask))
        return x + self.ff2(self.act(self.ff1(x)))


class Own(nn.Module):
    def __init__(self, style, layers=1, inner=D, heads=HEADS, pre=False, act=None, norm=nn.LayerNorm, ff=FF, final_norm=False,
                 bias=True, standardise=False, zero_padding=False, **attention):
        super().__init__()
        ff = ff if isinstance(ff, (list, tuple)) else [ff] * layers
        self.embed = nn.Linear(FEATURES, D)
        self.layers = nn.ModuleList(Layer(style, inner, heads, pre, act or nn.ReLU(), norm, ff[i], bias, **attention) for i in range(layers))
        self.norm = norm(D) if final_norm else nn.Identity()
        self.head = nn.Linear(D, OUT)
        self.standardise, self.zero_padding = standardise, zero_padding

    def forward(self, x, mask=None):
        if self.standardise:
            x = (x - torch.tensor([0.1, -0.2, 0.3])) / torch.tensor([1.5, 0.7, 2.0])
        x = self.embed(x)
        for layer in self.layers:
            x = layer(x, mask)
            if self.zero_padding:
                x = x * mask.unsqueeze(-1)
        return self.head(self.norm(x))


class Positions(Torch):
    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(64, D))

    def forward(self, x):
        return self.head(self.encoder(self.embed(x) + self.table[: x.shape[1]]))


class ClassToken(Torch):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, D))

    def forward(self, x):
        return self.head(self.encoder(torch.cat([self.token, self.embed(x)], dim=1))[:, 0])


class Causal(Torch):
    def forward(self, x):
        n = x.shape[1]
        i = torch.arange(n)
        mask = (i[None, :] > i[:, None]).float() * -1e9
        return self.head(self.encoder(self.embed(x), mask=mask))


class Probabilities(Torch):
    def forward(self, x):
        return super().forward(x).softmax(-1)


class SoftmaxPool(Torch):
    def __init__(self):
        super().__init__()
        self.weight = nn.Linear(D, 1)

    def forward(self, x):
        x = self.encoder(self.embed(x))
        return self.head(torch.matmul(self.weight(x).softmax(1).transpose(1, 2), x).squeeze(1))


class CountScaled(Torch):
    def forward(self, x):
        return self.head(self.encoder(self.embed(x)).sum(1))


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Linear(FEATURES, D), nn.Linear(D, OUT)
        self.a = Layer("chunk", D, HEADS, True, nn.ReLU(), nn.LayerNorm, FF, True)
        self.b = Layer("chunk", D, HEADS, False, nn.ReLU(), nn.LayerNorm, FF, True)

    def forward(self, x):
        return self.head(self.b(self.a(self.embed(x), None), None))


def export(directory, name, model, opset=14, mask=None, hits=5, fixed=False):
    torch.manual_seed(sum(map(ord, name)))
    model = randomise(model).train(False)
    for p in model.parameters():
        p.requires_grad_(True)  # keeps PyTorch's fused encoder, which has no ONNX form, off
    args, names = [torch.zeros(1, hits, FEATURES)], ["hits"]
    if mask is not None:
        args.append(torch.zeros(1, hits, dtype=mask) if mask == torch.bool else torch.ones(1, hits, dtype=mask))
        names.append("mask")
    axes = {n: {0: "batch", 1: "hits"} for n in names}
    torch.onnx.export(model, tuple(args), os.path.join(directory, name + ".onnx"), opset_version=opset, input_names=names,
                      output_names=["y"], dynamic_axes=None if fixed else axes)


def mlp(*widths, act=nn.ReLU):
    parts = []
    for i in range(len(widths) - 1):
        parts += [nn.Linear(widths[i], widths[i + 1]), act()]
    return nn.Sequential(*parts[:-1])


def main(out):
    ok = lambda name, model, **kw: export(out, "torch_" + name, model, **kw)
    ok("post", Torch(layers=2))
    ok("post_time_first_opset11", Torch(batch_first=False), opset=11)
    ok("post_gelu_final", Torch(activation="gelu", final_norm=True), opset=13)
    ok("pre", Torch(norm_first=True, layers=3), opset=17)
    ok("pre_gelu_final", Torch(layers=2, norm_first=True, activation="gelu", final_norm=True), opset=14)
    ok("masked", Torch(layers=2), mask=torch.bool, opset=16)
    ok("masked_pre_time_first", Torch(norm_first=True, batch_first=False), mask=torch.bool, opset=12)
    ok("mlps", Torch(embed=mlp(FEATURES, 6, D), head=mlp(D, 10, 6, OUT, act=nn.GELU)))
    ok("embed_scaled", Torch(embed_scale=math.sqrt(D), head=mlp(D, 5, OUT)))
    ok("embed_ends_in_relu", Torch(embed=nn.Sequential(nn.Linear(FEATURES, D), nn.ReLU())))
    ok("mean", Torch(pool="mean"))
    ok("max", Torch(pool="max", norm_first=True))
    ok("first", Torch(pool="first", head=mlp(D, 4, OUT)))
    ok("masked_mean", Torch(pool="masked_mean"), mask=torch.bool)
    ok("masked_max", Torch(pool="masked_max"), mask=torch.bool)
    ok("packed_permute", Own("permute", layers=3), opset=17)
    ok("packed_index", Own("index", pre=True, final_norm=True), opset=13)
    ok("packed_chunk", Own("chunk", bias=False))
    ok("per_head", Own("per_head", inner=12, heads=3), opset=11)
    ok("inner_heads", Own("inner_heads"))
    ok("einsum", Own("einsum"), opset=12)
    ok("separate_wide", Own("separate", inner=20, heads=4))
    ok("one_head", Own("separate", heads=1))
    ok("multi_query", Own("multi_query"))
    ok("keys_first", Own("keyscale"))
    ok("annotated_mask", Own("annotated"), mask=torch.int64)
    ok("float_mask", Own("separate", layers=2, zero_padding=True), mask=torch.float32)
    ok("silu", Own("chunk", act=nn.SiLU(), standardise=True))
    ok("tanh_gelu", Own("chunk", act=TanhGelu()))
    ok("mean_of_squares", Own("chunk", norm=MeanOfSquaresNorm, pre=True))
    ok("fixed_hits", Torch(), fixed=True)
    ok("rms_norm", Own("chunk", norm=RmsNorm, layers=2))
    ok("rms_norm_pre", Own("chunk", norm=RmsNorm, pre=True, final_norm=True, bias=False), opset=13)
    ok("unit_norm", Own("chunk", norm=UnitNorm, pre=True), opset=17)
    ok("tanh", Own("chunk", act=nn.Tanh()))
    ok("hard_swish", Own("chunk", act=nn.Hardswish()))
    ok("hard_swish_opset13", Own("chunk", act=nn.Hardswish()), opset=13)
    ok("mish", Own("chunk", act=nn.Mish()))
    ok("elu", Own("chunk", act=nn.ELU()))
    ok("softplus", Own("chunk", act=nn.Softplus()))
    ok("qk_norm", Own("permute", qk="heads", layers=2, pre=True))
    ok("qk_norm_one_head", Own("separate", heads=1, qk="views"))
    ok("qk_rms_norm", Own("separate", inner=20, heads=4, qk="views", qk_norm=RmsNorm, norm=RmsNorm, pre=True, final_norm=True), opset=17)
    ok("qk_rms_norm_all", Own("separate", qk="all", qk_norm=RmsNorm, norm=RmsNorm, layers=2), opset=13)
    ok("qk_unit_norm", Own("chunk", qk="heads", qk_norm=UnitNorm))
    ok("qk_norm_multi_query", Own("multi_query", qk="heads", qk_norm=RmsNorm))

    for name, layers, final in ("norms_around", 2, False), ("norms_around_final", 1, True):
        around = Own("chunk", final_norm=final)
        around.layers = nn.ModuleList(NormsAround("chunk", D, HEADS, True, nn.ReLU(), nn.LayerNorm, FF, True) for _ in range(layers))
        ok(name, around)

    bad_dir = os.path.join(out, "refused")

    def bad(name, model, *words, **kw):
        export(bad_dir, "torch_" + name, model, **kw)
        with open(os.path.join(bad_dir, "torch_" + name + ".txt"), "w") as f:
            f.write("".join(word + "\n" for word in words))

    bad("positions", Positions(), "node '/Add'", "positional encodings")
    bad("class_token", ClassToken(), "Concat", "class token")
    bad("causal", Causal(), "causal masks")
    bad("probabilities", Probabilities(), "node '/Softmax'", "export the logits")
    bad("softmax_pool", SoftmaxPool(), "node '/Softmax'", "pooling by softmax")
    bad("sum_pool", CountScaled(), "ReduceSum", "mean or maximum")
    bad("unequal_layers", Own("chunk", ff=[12, 16], layers=2), "12 wide", "16", "same shape")
    bad("mixed_norms", Mixed(), "pre-norm")
    for name, which, other, words in (("q", "k", nn.Identity(), ("queries and keys", "both")), ("q_and_k", "k", RmsNorm(D // HEADS), ("another kind",))):
        model = Own("chunk", qk="heads")
        setattr(model.layers[0].attention, which + "_norm", other)
        bad("norm_on_" + name, model, *words)
    bad("pool_ignores_mask", Torch(pool="mean"), "ReduceMean", "pool with the mask", mask=torch.bool)
    bad("four_linears", Torch(head=mlp(D, 4, 4, 4, OUT)), "head", "more than 3 linear")
    bad("embed_norm", Torch(embed=nn.Sequential(nn.Linear(FEATURES, D), nn.LayerNorm(D))), "layer normalisation", "embedding")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))

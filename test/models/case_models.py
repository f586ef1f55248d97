#!/usr/bin/env python3
"""Models of test/cases: torch_first.onnx, written in ways that importers stumble over. Needs Debian's python3-onnx; writes into test/models/cases."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "cases")


def base():
    return onnx.load(os.path.join(HERE, "torch_first.onnx"))


def save(model, name):
    os.makedirs(OUT, exist_ok=True)
    onnx.save(model, os.path.join(OUT, name + ".onnx"))


def external():
    """All weights in a file beside the model."""
    model = base()
    path = os.path.join(OUT, "external.onnx")
    os.makedirs(OUT, exist_ok=True)
    for old in (path, path + ".data"):
        if os.path.exists(old):
            os.remove(old)
    onnx.save(model, path, save_as_external_data=True, all_tensors_to_one_file=True, location="external.onnx.data", size_threshold=0)


def split_of_shape():
    """The number of hits by Split(Shape(x)), of whose three outputs one is read."""
    model = base()
    g = model.graph
    g.initializer.append(numpy_helper.from_array(np.array([1, 1, 1], np.int64), "split_sizes"))
    g.initializer.append(numpy_helper.from_array(np.array([1], np.int64), "split_one"))
    g.initializer.append(numpy_helper.from_array(np.array([3], np.int64), "split_three"))
    x = g.input[0].name
    nodes = [
        helper.make_node("Shape", [x], ["split_shape"]),
        helper.make_node("Split", ["split_shape", "split_sizes"], ["", "split_hits", "split_unread"], axis=0),
        helper.make_node("Concat", ["split_one", "split_hits", "split_three"], ["split_new"], axis=0),
        helper.make_node("Reshape", [x, "split_new"], ["split_x"]),
    ]
    for node in g.node:
        for k, name in enumerate(node.input):
            if name == x:
                node.input[k] = "split_x"
    for k, node in enumerate(nodes):
        g.node.insert(k, node)
    save(model, "split_of_shape")


def arg_max():
    """A class of each hit, as int64."""
    model = base()
    g = model.graph
    y = g.output[0].name
    g.node.append(helper.make_node("ArgMax", [y], ["class"], axis=-1, keepdims=1))
    del g.output[:]
    g.output.append(helper.make_tensor_value_info("class", TensorProto.INT64, [1, "hits", 1]))
    save(model, "arg_max")


def half():
    """Inputs, weights and results in float16."""
    model = base()
    g = model.graph
    for t in g.initializer:
        if t.data_type == TensorProto.FLOAT:
            t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float16), t.name))
    for node in g.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.TENSOR and a.t.data_type == TensorProto.FLOAT:
                a.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(a.t).astype(np.float16)))
            if node.op_type == "Cast" and a.name == "to" and a.i == TensorProto.FLOAT:
                a.i = TensorProto.FLOAT16
    for v in list(g.input) + list(g.output):
        v.type.tensor_type.elem_type = TensorProto.FLOAT16
    del g.value_info[:]
    save(model, "half")


def unread_input():
    """An input that nothing reads, of a kind that no event has."""
    model = base()
    model.graph.input.append(helper.make_tensor_value_info("unread", TensorProto.INT64, ["batch", 5, 7]))
    save(model, "unread_input")


def not_finite():
    """Weights after a training that diverged, and a constant that is made of finite ones."""
    model = base()
    weights = [t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT and len(t.dims) == 2]
    w = numpy_helper.to_array(weights[0]).copy()
    w.flat[5] = np.nan
    w.flat[7] = np.inf
    weights[0].CopyFrom(numpy_helper.from_array(w, weights[0].name))
    save(model, "nan_weight")

    model = base()
    name = next(t.name for t in model.graph.initializer if t.data_type == TensorProto.FLOAT and len(t.dims) == 2)
    model.graph.initializer.append(numpy_helper.from_array(np.array(0, np.float32), "zero"))
    for node in model.graph.node:
        for k, i in enumerate(node.input):
            if i == name:
                node.input[k] = "divided"
    model.graph.node.insert(0, helper.make_node("Div", [name, "zero"], ["divided"], name="by_zero"))
    save(model, "inf_made")


for make in (external, split_of_shape, arg_max, half, unread_input, not_finite):
    make()

"""Events through the package: arrays in every shape give the same results, those of the command; errors, warnings, interrupts and threads."""
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import numpy as np

import tessera

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
MODEL, EVENTS, INPUTS = (f"{ROOT}/models/seeded.{kind}" for kind in ("onnx", "csv", "inputs.json"))
COMMAND = os.path.join(os.path.dirname(tessera.__file__), "../../tessera")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tessera's ünï code ")
        cls.steps = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls.design = tessera.compile(MODEL, cls.at("design"), "zcu102", events=EVENTS, inputs=INPUTS, max_tokens=150, progress=cls.steps.append)
        cls.events = tessera.read_events(EVENTS, INPUTS, limit=12)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def at(cls, name):
        return os.path.join(cls.folder.name, name)

    def setUp(self):
        shutil.rmtree(self.at("other"), ignore_errors=True)

    def compile(self, **more):
        arguments = {"model": MODEL, "output": self.at("other"), "device": "zcu102", "events": EVENTS, "inputs": INPUTS, **more}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tessera.compile(**arguments)

    # ---- what it computes

    def test_command(self):
        """Arrays give the words of the command's results file."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", tessera.RefusedWarning)
            results = self.design.run(self.events)
        with self.assertWarnsRegex(tessera.TesseraWarning, "at most 150 hits"):
            summary = self.design.run_file(EVENTS, self.at("own.csv"), limit=12)
        done = subprocess.run([COMMAND, "run", self.at("design"), "--engine", "integer", "--events", EVENTS, "--limit", "12", "-o", self.at("want.csv")], capture_output=True)
        self.assertIn(done.returncode, (0, 3))
        self.assertEqual(read(self.at("own.csv")), read(self.at("want.csv")))
        with open(self.at("want.csv")) as file:
            rows = [row for row in csv.reader(line for line in file if not line.startswith("#"))][1:]
        kept = [(event, result) for event, result in zip(self.events, results) if not np.isnan(result).any()]
        self.assertEqual(summary.events, 12)
        self.assertEqual(summary.refused, 12 - len(kept))
        self.assertTrue(0 < summary.refused < 12)
        got = [(event.id, hit, *result) for event, rows_of in kept for hit, result in zip(event.hit_ids, rows_of)]
        self.assertEqual(len(rows), len(got))
        for row, mine in zip(rows, got):
            self.assertEqual([int(row[0]), int(row[1])] + ["%.9g" % value for value in mine[2:]], [mine[0], mine[1]] + ["%.9g" % float(value) for value in row[2:]])

    def test_shapes(self):
        e, d = self.events, self.design
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", tessera.RefusedWarning)
            flat = d.run(e.values, e.lengths, standardised=True)
            listed = d.run([event.values for event in e], standardised=True)
            padded = d.run(e.padded(), e.lengths, standardised=True)
            mask = np.arange(e.padded().shape[1]) >= e.lengths[:, None]
            masked = d.run(e.padded(7), mask=mask, standardised=True)
            wider = np.pad(e.padded(), ((0, 0), (0, 3), (0, 0)))
            wide = d.run(wider, e.lengths, standardised=True)
            shuffled = d.run(wider[:, ::-1], mask=np.pad(mask, ((0, 0), (0, 3)), constant_values=True)[:, ::-1], standardised=True)
        self.assertEqual(flat.shape, (len(e.values), d.info.outputs))
        self.assertEqual(padded.shape, (12, e.lengths.max(), d.info.outputs))
        np.testing.assert_array_equal(np.concatenate(listed), flat)
        np.testing.assert_array_equal(padded[~mask], flat)
        self.assertTrue(np.isnan(padded[mask]).all())
        np.testing.assert_array_equal(masked, padded)
        self.assertEqual(wide.shape, (12, e.lengths.max() + 3, d.info.outputs))
        np.testing.assert_array_equal(wide[:, :-3], padded)
        self.assertEqual(shuffled.shape, wide.shape)
        for i in np.nonzero(e.lengths <= 150)[0]:  # the hits of an event are a set, here in turned order
            back = shuffled[i, ::-1][: e.lengths[i]]
            self.assertTrue(np.isfinite(back).all())
        one = d.run(e[2].values, standardised=True)
        np.testing.assert_array_equal(one, listed[2])
        for other in (e[2].values.astype(np.float64), np.asfortranarray(e[2].values), e[2].values.astype(">f4")):
            np.testing.assert_array_equal(d.run(other, standardised=True), one)
        self.assertEqual([len(part) for part in (e[2:5], e[-1:], e[5:2])], [3, 1, 0])
        np.testing.assert_array_equal(np.concatenate(d.evaluate(e[2:3]).padded()), one)
        self.assertEqual(d.run(e[0:0]), [])

    def test_raw_values(self):
        """Raw values become standardised ones as the inputs file says."""
        columns = json.loads(read(INPUTS))["inputs"]
        mean, std = (np.array([column[name] for column in columns]) for name in ("mean", "std"))
        raw = (self.events[2].values.astype(np.float64) * std + mean).astype(np.float32)
        back = ((raw.astype(np.float64) - mean) / std).astype(np.float32)
        for engine in ("integer", "float"):
            np.testing.assert_array_equal(self.design.run(raw, engine=engine), self.design.run(back, engine=engine, standardised=True))

    def test_refused(self):
        with self.assertWarnsRegex(tessera.RefusedWarning, "at most 150 hits; their results are NaN") as caught:
            self.design.run(self.events)
        self.assertEqual(caught.filename, __file__)
        results = self.design.evaluate(self.events)
        np.testing.assert_array_equal(results.refused, self.events.lengths > 150)
        np.testing.assert_array_equal(results.refused, [np.isnan(own).all() for own in results])
        self.assertTrue(0 < results.refused.sum() < 12)

    def test_chunks(self):
        """Many events are several calls."""
        many = tessera.Events(np.tile(self.events[2].values, (1200, 1)), np.full(1200, len(self.events[2].values)), standardised=True)
        seen = []
        results = self.design.evaluate(many, progress=seen.append)
        self.assertGreater(len(seen), 1)
        self.assertEqual((seen[-1].events, seen[-1].expected, seen[-1].fraction), (1200, 1200, 1))
        np.testing.assert_array_equal(results.values, np.tile(self.design.run(self.events[2].values, standardised=True), (1200, 1)))

    def test_words(self):
        engine = self.design.engine(standardised=True)
        event = self.events[2]
        words = engine.run_words(engine.to_words(event.values), [len(event.values)])
        self.assertEqual(words.dtype, np.int32)
        np.testing.assert_array_equal(engine.from_words(words), self.design.run(event.values, standardised=True))
        with self.assertRaisesRegex(tessera.UsageError, "words in are"):
            engine.run_words(np.full(event.values.shape, 1 << 20), [len(event.values)])
        with self.assertRaisesRegex(tessera.UsageError, "integer engine's"):
            self.design.engine("float").to_words(event.values)

    def test_float(self):
        mine = tessera.Engine(MODEL, inputs=INPUTS, standardised=True)
        self.assertEqual(mine.kind, "float")
        np.testing.assert_array_equal(mine.run(self.events[2].values), self.design.run(self.events[2].values, engine="float", standardised=True))
        self.assertEqual(mine.info.max_tokens, 0)

    def test_pooled(self):
        """A result an event."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arrays = np.random.default_rng(5).normal(size=(6, 9, tessera.Model(ROOT + "/test/models/torch_mean.onnx").info.features))
            lengths = [9, 1, 4, 9, 3, 5]
            design = tessera.compile(ROOT + "/test/models/torch_mean.onnx", self.at("other"), "zcu102", events=arrays, lengths=lengths, standardised=True)
        self.assertTrue(design.info.pooled)
        for engine in ("integer", "float"):
            padded = design.run(arrays, lengths, engine=engine, standardised=True)
            self.assertEqual(padded.shape, (6, design.info.outputs))
            listed = design.run([event[:hits] for event, hits in zip(arrays, lengths)], engine=engine, standardised=True)
            np.testing.assert_array_equal(np.array(listed), padded)
            np.testing.assert_array_equal(design.run(arrays[2][:4], engine=engine, standardised=True), padded[2])
        with self.assertRaisesRegex(tessera.UsageError, "pools"):
            tessera.score(design.evaluate(arrays, lengths, standardised=True), EVENTS)
        design.package(self.at("pooled"), status="word")
        with tessera.Device(self.at("pooled")) as device:
            np.testing.assert_array_equal(device.run(arrays, lengths, standardised=True), design.run(arrays, lengths, standardised=True))

    def test_scores(self):
        truth = self.at("truth.csv")
        report = tessera.generate(truth, 6, (4, 9), seed=5)
        self.assertEqual(report["events"], 6)
        events = tessera.read_events(truth, INPUTS)
        results = self.design.evaluate(events)
        scores = self.design.score({"mine": results, "truth": "baseline:truth"}, truth, against=self.design.evaluate(events, engine="float"), subset=True)
        self.assertEqual(scores["truth"].events, 6)
        self.assertGreater(scores["truth"].trackml.mean, 0.9)
        self.assertTrue(scores["mine"].compared and not scores["truth"].compared)
        self.assertIn("double_majority", str(scores))
        self.design.run_file(truth, self.at("results.csv"))
        of_file = tessera.score(self.at("results.csv"), truth, inputs=INPUTS)
        self.assertEqual(of_file[0].trackml, scores["mine"].trackml)
        own = scores.candidates("truth", 2)
        self.assertEqual((own.id, len(own.hit_ids)), (events[2].id, len(events[2].hit_ids)))
        for candidate in range(own.candidates.max() + 1):
            particles = own.particle_ids[own.candidates == candidate]
            self.assertLessEqual(len(set(particles) - {0}), 1)
        with self.assertRaises(KeyError):
            scores["nobody"]
        with self.assertRaises(IndexError):
            scores.candidates(0, 6)
        with self.assertRaisesRegex(tessera.UsageError, "unknown baseline"):
            tessera.score("baseline:none", truth)

    def test_what_it_is(self):
        self.assertEqual(self.design.info.max_tokens, 150)
        self.assertEqual(self.design.predict().tokens, self.design.info.plan_tokens)
        self.assertGreater(self.design.predict(100).latency_us, self.design.predict(10).latency_us)
        self.assertIn("latency_cycles", self.design.compiled["predicted"])
        self.assertIn("zcu102", str(self.design.report(50)))
        self.assertIn("attention", self.design.ring(0))
        self.assertTrue(any(step.step and "calibrating" in step.step for step in self.steps))
        self.assertTrue(all(isinstance(step, tessera.Progress) for step in self.steps))
        self.assertIn("zcu102", [device["name"] for device in tessera.devices()])
        model = tessera.Model(MODEL)
        self.assertEqual(model.info.outputs, self.design.info.outputs)
        self.assertIn(str(model.info.parameters), repr(model))
        self.assertTrue(model.report().text and "MatMul" in tessera.Model(MODEL, graph=True).graph())
        self.assertIn("signal", self.design.profile(EVENTS, limit=2).text.lower().replace("snr", "signal"))
        self.assertTrue(os.path.exists(self.at("design/rtl")))
        self.design.package(self.at("package"), "yosys")
        self.assertTrue(os.path.exists(self.at("package/Makefile")))
        made = self.design.export(self.at("exported"), name="model", wrapper="cms").data
        self.assertEqual(sorted(made["files"]), ["model.c", "model.h", "model_emulator.cpp"])
        self.assertEqual(sorted(os.listdir(self.at("exported"))), sorted(made["files"]))
        self.assertEqual(tessera.version(), tessera.__version__)

    def test_arguments(self):
        """Options reach the library, in their units."""
        design = self.compile(device=["zcu102", "zcu102"], objective="throughput", link=10000, memory=(10, 200), formats={"act": 10},
                              plan_tokens=64, clock_mhz=200, events=self.events)
        self.assertEqual((design.info.parts, design.info.plan_tokens, design.info.clock_mhz), (2, 64, 200))
        pinned = self.compile(mode="split", pin={"layers.0": 0, "layers.1": 1}, device=["zcu102", "ultra96"])
        self.assertEqual([part["device"] for part in pinned.compiled["parts"]], ["zcu102", "ultra96"])
        with self.assertRaisesRegex(tessera.UsageError, "utilisation|share"):
            self.compile(utilisation=7)

    def test_weights_and_export(self):
        """Another model's words go through the design: those of the model itself change nothing; C code is made."""
        with self.assertWarns(tessera.TesseraWarning):
            self.design.weights(MODEL, self.at("own.weights"), events=EVENTS)
        event = self.events[2].values
        want = self.design.run(event, standardised=True)
        engine = self.design.engine(standardised=True, weights=self.at("own.weights"))
        np.testing.assert_array_equal(engine.run(event), want)
        with self.assertRaises(tessera.UnsupportedError):
            self.design.weights(f"{ROOT}/models/encreg.onnx", self.at("other.weights"), events=f"{ROOT}/models/encreg.csv", inputs=f"{ROOT}/models/encreg.inputs.json")
        self.design.export(self.at("c"), name="seeded")
        self.assertEqual(sorted(os.listdir(self.at("c")))[:2], ["seeded.c", "seeded.h"])
        with self.assertRaisesRegex(tessera.UsageError, "target is 'rust'; expected one of c"):
            self.design.export(self.at("c"), "rust")

    # ---- devices

    def device(self, **more):
        package = self.at("board")
        if not os.path.exists(package):
            self.design.package(package, status="word")
        return tessera.Device(package, "emulator", **more)

    def test_device(self):
        """Events through the emulated board: the integer engine's bits, in every shape."""
        with self.device(depth=4) as device, warnings.catch_warnings():
            warnings.simplefilter("ignore", tessera.RefusedWarning)
            self.assertEqual((device.info.devices, device.info.depth, device.info.max_tokens), (1, 4, 150))
            np.testing.assert_array_equal(device.evaluate(self.events).values, self.design.evaluate(self.events).values)
            np.testing.assert_array_equal(device.evaluate(self.events).refused, self.events.lengths > 150)
            padded = self.events.padded()
            np.testing.assert_array_equal(device.run(padded, self.events.lengths, standardised=True), self.design.run(padded, self.events.lengths, standardised=True))
            counters = device.statistics()
            self.assertEqual((counters.submitted, counters.taken), (36, 36))
            self.assertEqual(device.read(0), device.read(0))
        with self.assertRaisesRegex(tessera.UsageError, "closed"):
            device.poll()
        device.close()

    def test_device_events(self):
        event = self.events[2]
        with self.device(timeout=3) as device:
            first = device.submit(event.values, standardised=True)
            second = device.submit(self.design.engine(standardised=True).to_words(event.values), words=True)
            self.assertEqual((first, second), (0, 1))
            result = device.wait(second, words=True)
            want = self.design.run(event.values, standardised=True)
            np.testing.assert_array_equal(result.values, want)
            np.testing.assert_array_equal(self.design.engine().from_words(result.words), want)
            self.assertEqual((result.number, result.status), (1, "done"))
            self.assertEqual(device.poll(), (1, 0))
            result = device.wait()
            self.assertEqual((result.number, result.words), (0, None))
            np.testing.assert_array_equal(result.values, want)
            with self.assertRaises(tessera.NotYetError):
                device.wait(seconds=0)
            with self.assertRaises(TimeoutError):
                device.wait(seconds=0.25)
            with self.assertRaisesRegex(tessera.UsageError, "taken already"):
                device.wait(first)
            names = device.info.column
            columns = {name: event.values[:, i].astype(np.float64) for i, name in enumerate(names)}
            np.testing.assert_array_equal(device.wait(device.submit(columns, standardised=True)).values, want)
            device.submit(np.zeros((151, len(names))))
            self.assertEqual(device.wait().status, "refused")
            for wrong in ({"x": [1.0]}, np.zeros((3, 9))):
                with self.assertRaisesRegex(tessera.UsageError, "the device takes"):
                    device.submit(wrong)
            device.reset()
            timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                device.wait()
            np.testing.assert_array_equal(device.run(event.values, standardised=True), want)
        with self.assertRaises(tessera.NoFileError):
            tessera.Device(self.at("nothing"))
        with self.assertRaises(tessera.Error):
            tessera.Device(self.at("board"), "abacus")

    def test_device_threads(self):
        """Some threads submit, and others wait; the device is closed while one waits."""
        device, got, count = self.device(), [], 60
        event = self.events[2].values
        want = self.design.run(event, standardised=True)
        submitters = [threading.Thread(target=lambda: [device.submit(event, standardised=True) for _ in range(count // 3)]) for _ in range(3)]
        waiters = [threading.Thread(target=lambda: got.extend([device.wait(seconds=20) for _ in range(count // 2)])) for _ in range(2)]
        for thread in submitters + waiters:
            thread.start()
        for thread in submitters + waiters:
            thread.join()
        self.assertEqual(sorted(result.number for result in got), list(range(count)))
        for result in got:
            np.testing.assert_array_equal(result.values, want)
        ended = []

        def waiting():
            try:
                device.wait(seconds=20)
            except tessera.Error as error:
                ended.append(error)

        last = threading.Thread(target=waiting)
        last.start()
        device.close()
        last.join(10)
        self.assertTrue(ended and isinstance(ended[0], tessera.UsageError))

    def test_host_share(self):
        """What the host computes of a design in front of the hardware and behind it."""
        event = self.events[2].values
        engine = self.design.engine(standardised=True)
        words = engine.front(event)
        np.testing.assert_array_equal(words, engine.to_words(event))
        np.testing.assert_array_equal(engine.back(event, engine.run_words(words, [len(words)])), self.design.run(event, standardised=True))
        with self.assertRaisesRegex(tessera.UsageError, "the hardware gives"):
            engine.back(event, np.zeros((1, engine.info.word_outputs), np.int32))

    # ---- what goes wrong

    def test_errors(self):
        def bad(kind, said, **more):
            with self.assertRaisesRegex(kind, said) as caught:
                self.compile(**more)
            return caught.exception

        error = bad(tessera.NoFileError, "nowhere.onnx", model="nowhere.onnx")
        self.assertEqual((error.code, error.code.name), (4, "NO_FILE"))
        self.assertEqual(tessera.code_name(error.code), "no such file")
        bad(FileNotFoundError, "nowhere.onnx", model="nowhere.onnx")
        bad(ValueError, "mode is 'x'; expected one of auto, monolithic", mode="x")
        bad(tessera.UsageError, "max_tokens", max_tokens=-1)
        bad(tessera.BadFileError, "", model=INPUTS)
        bad(tessera.Error, "device", device="abacus")
        bad(tessera.Error, "device", device=[])
        bad(tessera.DoesNotFitError, "", device="ultra96", mode="monolithic", max_tokens=60000)
        bad(tessera.NotWrittenError, "", output="/proc/nowhere/design")
        bad(TypeError, "max_tokens is '7'", max_tokens="7")
        bad(TypeError, "model is 7", model=7)
        bad(TypeError, "expected a path", output="a\0b")
        bad(TypeError, "progress is 3", progress=3)
        bad(tessera.UsageError, "out of range", max_tokens=1 << 40)
        self.assertFalse(os.path.exists(self.at("other")))
        with self.assertRaises(tessera.NoFileError):
            tessera.Design(self.at("nothing"))
        os.mkdir(self.at("empty"))
        with self.assertRaises(tessera.Error):
            tessera.Design(self.at("empty"))
        with self.assertRaisesRegex(tessera.UsageError, "max_tokens"):
            self.design.predict(151)
        with self.assertRaisesRegex(tessera.UsageError, "target is 'x'"):
            self.design.package(self.at("p"), "x")
        for error in (tessera.OutOfMemoryError, tessera.DamagedError, tessera.CancelledError):
            self.assertIs(type(tessera.errors.of_code(error.code, "x")), error)
        self.assertEqual(tessera.errors.of_code(77, "later").message, "later")

    def test_unsupported(self):
        """A model that cannot be built is an error, and its graph can be had."""
        import onnx
        from onnx import TensorProto, helper

        value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 3])
        graph = helper.make_graph([helper.make_node("Det", ["x"], ["y"], name="the_node")], "g", [value("x")], [value("y")])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), self.at("det.onnx"))
        with self.assertRaises(tessera.Error):
            tessera.Model(self.at("det.onnx"))

    def test_arrays(self):
        """What cannot be is said, with the argument's name."""
        values = self.events[2].values
        width = values.shape[1]

        def bad(kind, said, events, *more, **others):
            with self.assertRaisesRegex(kind, said):
                self.design.run(events, *more, **others)

        bad(tessera.UsageError, f"7 values a hit; the model takes {width}", np.zeros((4, 7)))
        bad(TypeError, "values of type object", np.full((4, width), None))
        bad(TypeError, "values of type complex", np.zeros((4, width), complex))
        bad(TypeError, "values of type <U1", np.full((4, width), "1"))
        bad(tessera.UsageError, "1 dimensions", np.zeros(width))
        bad(tessera.UsageError, "4 dimensions", np.zeros((1, 1, 1, width)))
        bad(tessera.UsageError, r"lengths: \[2\]", np.zeros((3, 5, width)), [1, 2])
        bad(tessera.UsageError, "from 1 to 6; expected .* 0 to 5", np.zeros((2, 5, width)), [1, 6])
        bad(tessera.UsageError, "-1", np.zeros((2, 5, width)), [1, -1])
        bad(TypeError, "lengths: values of type float", np.zeros((2, 5, width)), [1.0, 2.0])
        bad(tessera.UsageError, "3 hits in 2 events, and 5 rows", np.zeros((5, width)), [1, 2])
        bad(tessera.UsageError, r"mask: shape \[2, 4\]", np.zeros((2, 5, width)), mask=np.zeros((2, 4)))
        bad(tessera.UsageError, "give one", np.zeros((2, 5, width)), [1, 1], mask=np.zeros((2, 5)))
        bad(tessera.UsageError, "7 and 8", [np.zeros((3, 8)), np.zeros((3, 7))])
        bad(tessera.UsageError, "engine|kind", values, engine="rtl")
        bad(tessera.UsageError, "kind is 'x'", values, engine="x")
        bad(tessera.Error, "finite", np.full((4, width), np.nan), standardised=True)
        bad(tessera.Error, "finite", np.full((4, width), 1e300), standardised=True)
        bad(tessera.UsageError, "Events have their own", self.events, [1])
        with self.assertRaisesRegex(tessera.UsageError, "standardised already"):
            self.design.engine().run(self.events)
        with self.assertRaisesRegex(tessera.UsageError, "2 ids"):
            tessera.Events(values, ids=[1, 2])
        with self.assertRaisesRegex(tessera.UsageError, "values .*; expected int64"):
            tessera.Events(values, ids=np.array([1 << 63], np.uint64))
        with self.assertRaises(tessera.Error):
            self.compile(events=tessera.Events(np.concatenate([values, values]), [len(values)] * 2, ids=[3, 3], standardised=True))

    def test_warnings(self):
        with self.assertWarnsRegex(tessera.TesseraWarning, "standardised") as caught:
            self.design.run_file(EVENTS, self.at("warned.csv"), engine="float", limit=4, standardised=True)
        self.assertEqual(caught.filename, __file__)

    # ---- cancelling, threads

    def test_progress_cancels(self):
        def raising(now):
            if now.step and "plan" in now.step:
                raise LookupError("enough")

        with self.assertRaisesRegex(LookupError, "enough"):
            self.compile(progress=raising)
        self.assertFalse(os.path.exists(self.at("other")))
        self.assertFalse([name for name in os.listdir(self.folder.name) if name.startswith(".")])

    def test_interrupt(self):
        """Ctrl-C ends a call that goes on for long, wherever it is, and leaves nothing; the handler is what it was."""
        before = signal.getsignal(signal.SIGINT)

        def interrupting(now):
            os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaises(KeyboardInterrupt):
            self.compile(progress=interrupting)
        self.assertIs(signal.getsignal(signal.SIGINT), before)
        self.assertFalse(os.path.exists(self.at("other")))
        done = threading.Event()
        sender = threading.Thread(target=lambda: done.wait(0.3) or os.kill(os.getpid(), signal.SIGINT))
        sender.start()
        with self.assertRaises(KeyboardInterrupt):  # 400,000 events: minutes
            tessera.generate(self.at("many.csv"), 400000, (10, 50))
        sender.join()
        self.assertFalse([name for name in os.listdir(self.folder.name) if "many" in name])
        heard = []
        signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
        try:
            self.compile(progress=interrupting if not heard else None)
        finally:
            signal.signal(signal.SIGINT, before)
        self.assertTrue(heard)
        self.assertTrue(os.path.exists(self.at("other")))

    def test_threads(self):
        """Calls on one engine at the same time give what one call gives; other threads run while a call goes on."""
        want = self.design.evaluate(self.events).values
        got = [None] * 4
        waiting, go_on = threading.Event(), threading.Event()

        def evaluate(i):
            got[i] = self.design.evaluate(self.events).values

        def in_a_call(now):
            waiting.set()
            self.assertTrue(go_on.wait(20))

        other = threading.Thread(target=lambda: tessera.generate(self.at("one.csv"), 1, (3, 3), progress=in_a_call))
        other.start()
        self.assertTrue(waiting.wait(20))  # that call stands still, and these do not
        threads = [threading.Thread(target=evaluate, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        go_on.set()
        other.join()
        for values in got:
            np.testing.assert_array_equal(values, want)

    # ---- the library

    def test_library(self):
        def python(code, **environment):
            return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True)

        done = python("import tessera", TESSERA_LIBRARY="/nowhere.so")
        self.assertIn("ImportError: libtessera.so.0 is not found: /nowhere.so", done.stderr)
        done = python("import tessera; print(tessera._library.library._name)", TESSERA_LIBRARY=os.path.realpath(tessera._library.library._name))
        self.assertEqual(done.stdout.strip(), os.path.realpath(tessera._library.library._name))
        self.assertTrue(os.path.exists(os.path.join(os.path.dirname(tessera.__file__), "py.typed")))


if __name__ == "__main__":
    unittest.main()

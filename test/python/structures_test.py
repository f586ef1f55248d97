"""The structures of the package are those of the headers, as a C compiler has them, and everything that the headers have is had from Python."""
import ctypes
import glob
import inspect
import os
import re
import subprocess
import tempfile
import unittest

import tessera
from tessera import _structures as c


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
HEADERS = sorted(glob.glob(ROOT + "/include/tessera/*.h"))

# Which callable has each structure of options, and members that it has under another name: None where no caller gives them.
OPTIONS = {
    "tessera_compile_options": (tessera.compile, {"devices": None, "source": None}),
    "tessera_model_options": (tessera.Model, {"path": "model"}),
    "tessera_engine_options": (tessera.Engine, {"path": "directory"}),
    "tessera_run_options": (tessera.run_file, {"path": "directory", "source": None}),
    "tessera_simulate_options": (tessera.Design.simulate, {"directory": "self", "source": None}),
    "tessera_profile_options": (tessera.Design.profile, {"directory": "self", "source": None, "all": "all_tensors"}),
    "tessera_score_options": (tessera.score, {"item": "results", "items": None}),
    "tessera_package_options": (tessera.Design.package, {"directory": "self"}),
    "tessera_weights_options": (tessera.Design.weights, {"directory": "self", "source": None}),
    "tessera_export_options": (tessera.Design.export, {"directory": "self"}),
    "tessera_run_open_options": (tessera.Device, {"compiler": None, "linked": None}),
    "tessera_run_event": (tessera.Device.submit, {"hits": None, "values": "event", "columns": "event", "user": None}),
    "tessera_generate_options": (tessera.generate, {"tracks_least": "tracks", "tracks_most": None}),
    "tessera_source": (tessera.run_file, {"arrays": None}),
}
NOT_CALLED = {
    "tessera_engine_rows": "results have a row a hit, or one an event",
    "tessera_run_code_name": "tessera_code_name is there",
}


class Structures(unittest.TestCase):
    def said(self):
        """What the compiler says: lines of words."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["/usr/bin/python3", ROOT + "/python/structures.py", "--check", *HEADERS, "-o", folder + "/check.c"], check=True)
            subprocess.run(["cc", "-std=c11", "-Wall", "-Werror", "-I", ROOT + "/include", "-o", folder + "/check", folder + "/check.c"] + self.libraries(), check=True)
            return [line.split() for line in subprocess.run([folder + "/check"], check=True, capture_output=True, text=True).stdout.splitlines()]

    @staticmethod
    def libraries():
        place = os.path.dirname(tessera._library.library._name)
        return [path for path in sorted(glob.glob(place + "/libtessera*.so")) + ["-Wl,-rpath," + place]]

    def test_layout(self):
        seen = set()
        for words in self.said():
            kind = getattr(c, words[0])
            if words[1] == "-":
                self.assertEqual(ctypes.sizeof(kind), int(words[2]), words[0])
            elif issubclass(kind, ctypes.Structure):
                member = getattr(kind, words[1])
                self.assertEqual((member.offset, member.size), (int(words[2]), int(words[3])), words)
                seen.add((words[0], words[1]))
            else:
                names = [name for name in kind.__members__ if words[1].endswith("_" + name) and kind[name] == int(words[2])]
                self.assertTrue(names, words)
        # The header itself, read another way: no structure and no enumeration is left out.
        text = "\n".join(re.sub(r"/\*.*?\*/", "", read(path), flags=re.S) for path in HEADERS)
        for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", text, flags=re.S):
            declarators = len(re.findall(r"[;,]", re.sub(r"\([^()]*\)(?=;)", "", body)))
            self.assertEqual(len([1 for own, _ in seen if own == name]), declarators, name)
        for name, body in re.findall(r"typedef enum (\w+) \{(.*?)\}", text, flags=re.S):
            self.assertEqual(len(getattr(c, name).__members__), len([part for part in body.split(",") if part.strip()]), name)

    def test_functions(self):
        text = "\n".join(read(path) for path in HEADERS)
        declared = set(re.findall(r"TESSERA_API[^;]*?\b(tessera_\w+)\(", re.sub(r"/\*.*?\*/", "", text, flags=re.S))) - {"tessera_init"}  # of C++
        self.assertEqual(declared, {name for functions in c.FUNCTIONS.values() for name in functions})
        source = "".join(read(path) for path in glob.glob(os.path.dirname(tessera.__file__) + "/[!_]*.py") + [tessera._library.__file__])
        for name in declared - set(NOT_CALLED):
            called = name in source or re.search(rf'call\(\s*"{name[len("tessera_"):]}"', source) or (name.endswith("_free") and f'Handle("{name[8:-5]}")' in source)
            called = called or (name.startswith("tessera_model_") and f'"{name[8:]}"' in source) or (name.startswith("tessera_run_") and f'_call("{name[12:]}"' in source)
            self.assertTrue(called, f"nothing in the package calls {name}")

    def test_options(self):
        """Whoever adds a member to options gives it to Python, too: in python/tessera, and its line of documentation."""
        for name in vars(c):
            if name.endswith("_options"):
                self.assertIn(name, OPTIONS, "which function of the package takes these options?")
        for name, (function, others) in OPTIONS.items():
            parameters = inspect.signature(function).parameters
            for member, _ in getattr(c, name)._fields_:
                keyword = others.get(member, member)
                if member == "size" or keyword is None:
                    continue
                self.assertIn(keyword, parameters, f"{name}.{member} is no argument of {function.__qualname__}")

    def test_documentation(self):
        for name in tessera.__all__:
            thing = getattr(tessera, name)
            if isinstance(thing, type) or callable(thing):
                self.assertTrue(thing.__doc__, name)
            if not isinstance(thing, type):
                continue
            for method, own in vars(thing).items():
                if callable(own) and not method.startswith("_") and thing.__module__.startswith("tessera.") and not issubclass(thing, int):
                    self.assertTrue(own.__doc__, f"{name}.{method}")


if __name__ == "__main__":
    unittest.main()

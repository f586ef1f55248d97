#!/usr/bin/env python3
"""Makes the structures, enumerations and functions of tessera's C headers for ctypes, and classes of what calls return for Python:

    structures.py HEADER... -o tessera/_structures.py
    structures.py --check HEADER... -o check.c    a C program that prints what the compiler makes of them, for test/python

The headers are the only place that says them. Reads the C that they are written in, and stops at what it does not know."""
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple, Optional

NUMBERS = {"bool": "c_bool", "int": "c_int", "double": "c_double", "float": "c_float", "size_t": "c_size_t", "int64_t": "c_int64", "int32_t": "c_int32",
           "uint64_t": "c_uint64", "uint32_t": "c_uint32", "uint8_t": "c_uint8", "unsigned": "c_uint"}
PYTHON = {"bool": "bool", "double": "float", "float": "float"}  # others of NUMBERS: int

# What calls give back, as Python has it: ctypes structure, class, and whether a report comes with it.
RESULTS = {
    "tessera_progress": ("Progress", False),
    "tessera_model_info": ("ModelInfo", False),
    "tessera_design_info": ("DesignInfo", False),
    "tessera_prediction": ("Prediction", False),
    "tessera_engine_info": ("EngineInfo", False),
    "tessera_run_summary": ("RunSummary", True),
    "tessera_simulation": ("Simulation", True),
    "tessera_estimate": ("Estimate", False),
    "tessera_score_row": ("ScoreRow", False),
    "tessera_run_info": ("DeviceInfo", False),
    "tessera_run_counters": ("DeviceCounters", False),
}


class Member(NamedTuple):
    kind: str  # its C type, without the name: "const char *"
    name: str
    count: int  # of an array; 0: none
    parameters: Optional[list[str]]  # C types of a pointer to a function
    text: str  # its comment


class Header:
    """What the headers declare, in their order."""

    def __init__(self, text: str) -> None:
        self.version = re.search(r'#define TESSERA_VERSION "([^"]+)"', text)
        text = re.sub(r"^ *#(?:[^\n]*\\\n)*[^\n]*\n", "", text, flags=re.M)
        self.enums: dict[str, list[tuple[str, int]]] = {}
        self.structures: dict[str, tuple[list[Member], str]] = {}  # members, comment
        self.opaque: list[str] = []
        self.functions: dict[str, tuple[str, list[str], str]] = {}  # result, parameters, and which library has it
        comment = r"(?:/\*((?:(?!\*/).)*)\*/\n)?"
        for found in re.finditer(comment + r"typedef (enum|struct) (\w+)\s*(?:\{(.*?)\}\s*\3;|(\w+);)", text, flags=re.S):
            said, what, name, body, _ = found.groups()
            if what == "enum":
                self.enums[name] = enumerators(body)
            elif body is None:
                self.opaque.append(name)
            else:
                self.structures[name] = (members(body), plain(said or ""))
        library = "tessera"
        for found in re.finditer(r"@(\w+)@|TESSERA_API\s+([^;{]*?)\b(tessera_\w+)\((.*?)\);", without_comments(text), flags=re.S):
            begins, result, name, parameters = found.groups()
            library = begins or library
            if begins:
                continue
            listed = [parameter.strip() for parameter in parameters.split(",")]
            self.functions[name] = (" ".join(result.split()), [] if listed == ["void"] else [type_of(parameter) for parameter in listed], library)
        self.opaque = [name for name in self.opaque if name not in self.structures]


def plain(comment: str) -> str:
    return " ".join(comment.replace("\n *", "\n").split())


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def type_of(declaration: str) -> str:
    """The type of "const char *name": without the last word, where that is a name."""
    found = re.fullmatch(r"(.*[\s*])(\w+)", declaration.strip(), flags=re.S)
    if not found or found.group(2) in NUMBERS:
        raise SystemExit(f"structures.py: no name in {declaration!r}")
    return " ".join(found.group(1).split())


def enumerators(body: str) -> list[tuple[str, int]]:
    listed, value = [], -1
    for part in without_comments(body).split(","):
        if part.strip():
            name, _, given = (piece.strip() for piece in part.partition("="))
            value = int(given, 0) if given else value + 1
            listed.append((name, value))
    return listed


def members(body: str) -> list[Member]:
    """A comment belongs to the declaration in front of it, but for one on a line of its own, which is the next ones'."""
    listed: list[Member] = []
    for found in re.finditer(r"([^;/]+);[ \t]*(?:/\*(.*?)\*/)?", re.sub(r"\n\s*/\*(?:(?!\*/).)*\*/(?=\s*\n)", "", "\n" + body, flags=re.S), flags=re.S):
        declaration, text = " ".join(found.group(1).split()), plain(found.group(2) or "")
        function = re.fullmatch(r"(.*?)\(\*(\w+)\)\((.*)\)", declaration)
        if function:
            result, name, parameters = function.groups()
            kinds = [parameter.strip() for parameter in parameters.split(",")]
            listed.append(Member(result.strip(), name, 0, [type_of(kind) for kind in kinds], text))
            continue
        base = ""
        for part in declaration.split(","):  # "double mean, error": the type once
            one = re.fullmatch(r"(.*?)(\w+)(?:\[(\d+)\])?", part.strip())
            if not one:
                raise SystemExit(f"structures.py: cannot read {declaration!r}")
            kind = one.group(1).strip()
            if "*" in kind and not base:  # "const char *a, *b"
                base = kind[: kind.index("*")].strip()
            elif not base:
                base = kind
            kind = kind if kind.startswith(base) else f"{base} {kind}".strip()
            listed.append(Member(kind, one.group(2), int(one.group(3) or 0), None, text))
    return listed


# ---- Python

def ctypes_of(header: Header, kind: str, callback: bool = False) -> str:
    bare = re.sub(r"\bconst\b", "", kind).replace(" ", "")
    stars = len(bare) - len(bare.rstrip("*"))
    name = bare.rstrip("*")
    if name == "void":
        return "None" if stars == 0 else "ctypes.c_void_p"
    if name == "char" and stars > 0:
        made, stars = ("ctypes.c_void_p" if callback else "ctypes.c_char_p"), stars - 1
    elif name in NUMBERS:
        made = "ctypes." + NUMBERS[name]
    elif name in header.enums:
        made = "ctypes.c_int"
    elif name in header.structures or name in header.opaque:
        made = name
    else:
        raise SystemExit(f"structures.py: unknown type {kind!r}")
    return "ctypes.POINTER(" * stars + made + ")" * stars


def hint_of(header: Header, member: Member) -> str:
    """What a member is for mypy."""
    if member.parameters is not None or "*" in member.kind:
        return "Any"
    if member.kind == "char":
        return "bytes"
    return member.kind if member.kind in header.structures else PYTHON.get(member.kind, "int")


def field_of(header: Header, member: Member) -> tuple[str, str]:
    """Type and value of a member of RESULTS."""
    if member.kind == "const char *":
        return ("Optional[str]", f"_text(c.{member.name})") if "NULL" in member.text else ("str", f'_text(c.{member.name}) or ""')
    if member.kind == "const char *const *":  # its number of elements is what its comment begins with
        count = re.match(r"\[(\w+)\]", member.text)
        if not count:
            raise SystemExit(f"structures.py: how many are {member.name}? Its comment says: {member.text!r}")
        return "Optional[list[str]]", f"_texts(c.{member.name}, c.{count.group(1)})"
    if member.kind in RESULTS:
        name = RESULTS[member.kind][0]
        return name, f"{name}._of(c.{member.name})"
    if member.kind in NUMBERS:
        return PYTHON.get(member.kind, "int"), f"c.{member.name}"
    raise SystemExit(f"structures.py: no Python for {member.kind!r} {member.name}")


def write_structure(header: Header, name: str, listed: list[Member]) -> list[str]:
    sized = listed[0].name == "size" and listed[0].kind == "size_t"
    lines = ["", "", f"class {name}({'Sized' if sized else 'ctypes.Structure'}):"]
    lines += [f"    {member.name}: {hint_of(header, member)}" for member in listed]
    lines.append("    _fields_ = [")
    for member in listed:
        if member.parameters is not None:
            types = [ctypes_of(header, member.kind, True)] + [ctypes_of(header, kind) for kind in member.parameters]
            made = f"ctypes.CFUNCTYPE({', '.join(types)})"
        elif member.kind == "char" and member.count:
            made = f"ctypes.c_char * {member.count}"
        else:
            made = ctypes_of(header, member.kind) + (f" * {member.count}" if member.count else "")
        lines.append(f'        ("{member.name}", {made}),')
    return lines + ["    ]"]


def write_result(header: Header, name: str) -> list[str]:
    python, report = RESULTS[name]
    listed, said = header.structures[name]
    fields = [member for member in listed if member.name != "size"]
    lines = ["", "", "@dataclasses.dataclass(frozen=True)", f"class {python}:", f'    """{said or python + "."}', ""]
    lines += [f"    {member.name}: {member.text}".rstrip(": ") for member in fields]
    lines += ['    """', ""]
    lines += [f"    {member.name}: {field_of(header, member)[0]}" for member in fields]
    if report:
        lines.append('    report: Report = Report("", "{}")')
    values = ", ".join(field_of(header, member)[1] for member in fields)
    more = (", report: Report", ", report") if report else ("", "")
    return lines + ["", "    @classmethod", f"    def _of(cls, c: {name}{more[0]}) -> {python}:", f"        return cls({values}{more[1]})"]


def write_python(header: Header) -> list[str]:
    assert header.version
    lines = ['"""Made by structures.py from the C headers: not to be changed by hand."""', "from __future__ import annotations", "",
             "import ctypes", "import dataclasses", "import enum", "from typing import Any, Optional", "", "from ._report import Report", "",
             f'VERSION = "{header.version.group(1)}"', "", "",
             "class Sized(ctypes.Structure):", '    """A structure that begins with its size."""', "",
             "    def __init__(self, **members: Any) -> None:", "        super().__init__(size=ctypes.sizeof(type(self)), **members)", "", "",
             "def _texts(values: Any, count: int) -> Optional[list[str]]:", '    return [_text(values[i]) or "" for i in range(count)] if values else None', "", "",
             "def _text(value: Optional[bytes]) -> Optional[str]:", '    return None if value is None else value.decode("utf-8", "surrogateescape")']
    for name, listed in header.enums.items():
        names = [one for one, _ in listed]
        prefix = names[0]
        while not all(one.startswith(prefix) for one in names):
            prefix = prefix[:-1]
        prefix = prefix[: prefix.rindex("_") + 1]
        lines += ["", "", f"class {name}(enum.IntEnum):", f'    """{name} of the header."""', ""] + [f"    {one[len(prefix):]} = {value}" for one, value in listed]
    for name in header.opaque:
        lines += ["", "", f"class {name}(ctypes.Structure):", "    pass"]
    for name, (structure, _) in header.structures.items():
        lines += write_structure(header, name, structure)
    for name in RESULTS:
        lines += write_result(header, name)
    lines += ["", "", "# Of each header, which is a library's, the functions: what they return and what they take.",
              "FUNCTIONS: dict[str, dict[str, tuple[Any, list[Any]]]] = {"]
    for library in dict.fromkeys(library for _, _, library in header.functions.values()):
        lines.append(f'    "{library}": {{')
        for name, (result, parameters, own) in header.functions.items():
            if own == library:
                lines.append(f'        "{name}": ({ctypes_of(header, result)}, [{", ".join(ctypes_of(header, kind) for kind in parameters)}]),')
        lines.append("    },")
    return lines + ["}", ""]


# ---- C

def write_check(header: Header, paths: list[str]) -> list[str]:
    lines = ["#include <stddef.h>", "#include <stdio.h>"] + [f'#include "{path}"' for path in paths] + ["int main(void)", "{"]
    for name, listed in header.enums.items():
        lines += [f'    printf("{name} {one} %d\\n", (int){one});' for one, _ in listed]
    for name, (structure, _) in header.structures.items():
        lines.append(f'    printf("{name} - %zu\\n", sizeof({name}));')
        for member in structure:
            lines.append(f'    printf("{name} {member.name} %zu %zu\\n", offsetof({name}, {member.name}), sizeof((({name} *)0)->{member.name}));')
    for name, (result, parameters, _) in header.functions.items():  # a declaration that differs from the header's does not compile
        lines.append(f"    {{ extern {result} {name}({', '.join(parameters) or 'void'}); (void){name}; }}")
    return lines + ["    return 0;", "}", ""]


def main(arguments: list[str]) -> None:
    check = arguments[:1] == ["--check"]
    paths, output = arguments[check:-2], arguments[-1]
    header = Header("\n".join(f"@{Path(path).stem}@\n" + Path(path).read_text(encoding="utf-8") for path in paths))
    made = "\n".join(write_check(header, paths) if check else write_python(header))
    with open(output, "w", encoding="utf-8") as file:
        file.write(made)


if __name__ == "__main__":
    main(sys.argv[1:])

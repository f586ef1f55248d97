"""What pyproject.toml cannot say: the version is that of tessera.h, and the structures are made from it."""
import re
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

here = Path(__file__).resolve().parent
headers = sorted((here.parent / "include" / "tessera").glob("*.h"))


class Build(build_py):
    def run(self):
        super().run()
        made = Path(self.build_lib) / "tessera" / "_structures.py"
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, here / "structures.py", *headers, "-o", made], check=True)


version = re.search('define TESSERA_VERSION "(.+)"', (here.parent / "include/tessera/tessera.h").read_text()).group(1)
setup(version=version, cmdclass={"build_py": Build})

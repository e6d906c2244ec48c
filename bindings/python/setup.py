# SPDX-License-Identifier: MIT
"""Builds the package: what it knows of tuntap.h is generated, and the library goes into the wheel.

The library is built from the sources of libtuntap, which are around this folder in a checkout and in it in a source
distribution; that takes Rust, a C compiler and make. TUNTAP_LIBRARY names a library that is built already, and with
TUNTAP_LIBRARY=system the wheel carries none and uses the one that is installed. STRIP strips it.
"""

import os
import re
import shutil
import subprocess
import sys

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = os.path.dirname(os.path.abspath(__file__))
WITHIN = os.path.join(HERE, "libtuntap")
SOURCES = WITHIN if os.path.exists(WITHIN) else os.path.dirname(os.path.dirname(HERE))
# What builds the library.
NEEDED = (
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "Makefile",
    "LICENSE",
    "README.md",
    "abi",
    "docs/reference",
    "include",
    "packaging/object.sh",
    "packaging/rustc.sh",
    "pkgconfig",
    "src",
)
SONAME = "libtuntap.0.dylib" if sys.platform == "darwin" else "libtuntap.so.0"
LIBRARY = os.environ.get("TUNTAP_LIBRARY")


def version():
    """The library's own, which is that of the header too."""
    with open(os.path.join(SOURCES, "Cargo.toml"), encoding="utf-8") as file:
        return re.search(r'^version = "(.*)"', file.read(), re.M)[1]


def readme():
    """README.md for PyPI, which has no other file: links to files of the repository become text."""
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        return re.sub(r"\[([^]]*)\]\((?!https?:|#)[^)]*\)", r"\1", file.read())


class Build(build_py):
    """With _abi.py, and the library."""

    def run(self):
        super().run()
        # An editable installation is of the sources themselves.
        package = os.path.join(HERE, "src" if self.editable_mode else self.build_lib, "tuntap")
        header = os.path.join(SOURCES, "include", "tuntap.h")
        with open(os.path.join(package, "_abi.py"), "w", encoding="utf-8") as target:
            # generate.py shares the parser of the header with the reference.
            parser = os.path.join(SOURCES, "docs", "reference")
            environment = {**os.environ, "PYTHONPATH": parser, "PYTHONDONTWRITEBYTECODE": "1"}
            generate = [sys.executable, os.path.join(HERE, "generate.py"), header]
            subprocess.run(generate, check=True, stdout=target, env=environment)
        carried = os.path.join(package, SONAME)
        if LIBRARY == "system":
            # An editable installation may have left one in the sources.
            if os.path.exists(carried):
                os.remove(carried)
        else:
            shutil.copyfile(os.path.realpath(LIBRARY or self.make()), carried)
            subprocess.run([os.environ.get("STRIP", "strip"), "-x", carried], check=True)

    @staticmethod
    def make():
        subprocess.run(["make", "-C", SOURCES, "library"], check=True)
        return os.path.join(SOURCES, "build", SONAME)


class Carrying(Distribution):
    """Of one machine and system, where it carries the library."""

    def has_ext_modules(self):
        return LIBRARY != "system"


class Wheel(bdist_wheel):
    """For any Python 3: what it carries is a library of C's, and no module of Python's."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class Sources(sdist):
    """With the sources of the library."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        within = os.path.join(base_dir, "libtuntap")
        for name in ("LICENSE", "NOTICE"):
            licence = os.path.join(base_dir, name)
            if os.path.islink(licence):
                os.remove(licence)
                shutil.copyfile(os.path.join(SOURCES, name), licence)
        for name in NEEDED:
            source, target = os.path.join(SOURCES, name), os.path.join(within, name)
            if os.path.isdir(source):
                shutil.copytree(source, target)
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(source, target)


setup(
    version=version(),
    long_description=readme(),
    long_description_content_type="text/markdown",
    distclass=Carrying,
    cmdclass={"build_py": Build, "bdist_wheel": Wheel, "sdist": Sources},
)

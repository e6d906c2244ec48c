# SPDX-License-Identifier: MIT
"""Builds the package: generates _abi.py from tuntap.h, and adds the library to the wheel.

The library is built from the sources of libtuntap, with Rust, a C compiler and make. In a checkout the sources are in
the folders above this one, and in a source distribution they are in libtuntap/. TUNTAP_LIBRARY names a library that is
built already. With TUNTAP_LIBRARY=system the wheel contains no library and uses the installed one. STRIP is the program
that strips the library.
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
# The sources of libtuntap in a source distribution.
INCLUDED = os.path.join(HERE, "libtuntap")
SOURCES = INCLUDED if os.path.exists(INCLUDED) else os.path.dirname(os.path.dirname(HERE))
# The files that are needed to build the library.
BUILD_FILES = (
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
    """Returns the version of the library, which is also the version of the header."""
    with open(os.path.join(SOURCES, "Cargo.toml"), encoding="utf-8") as file:
        return re.search(r'^version = "(.*)"', file.read(), re.M)[1]


def readme():
    """Returns README.md for PyPI. Links to files of the repository become text: PyPI has no other file."""
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        return re.sub(r"\[([^]]*)\]\((?!https?:|#)[^)]*\)", r"\1", file.read())


class BuildPackage(build_py):
    """Builds the package with _abi.py and the library."""

    def run(self):
        super().run()
        # An editable installation uses the sources in place.
        package = os.path.join(HERE, "src" if self.editable_mode else self.build_lib, "tuntap")
        header = os.path.join(SOURCES, "include", "tuntap.h")
        with open(os.path.join(package, "_abi.py"), "w", encoding="utf-8") as target:
            # The parser of the header, which generate.py imports.
            parser = os.path.join(SOURCES, "docs", "reference")
            environment = {**os.environ, "PYTHONPATH": parser, "PYTHONDONTWRITEBYTECODE": "1"}
            generate = [sys.executable, os.path.join(HERE, "generate.py"), header]
            subprocess.run(generate, check=True, stdout=target, env=environment)
        bundled = os.path.join(package, SONAME)
        if LIBRARY == "system":
            # An earlier editable installation may have left a library in the sources.
            if os.path.exists(bundled):
                os.remove(bundled)
        else:
            shutil.copyfile(os.path.realpath(LIBRARY or self.make()), bundled)
            subprocess.run([os.environ.get("STRIP", "strip"), "-x", bundled], check=True)

    @staticmethod
    def make():
        subprocess.run(["make", "-C", SOURCES, "library"], check=True)
        return os.path.join(SOURCES, "build", SONAME)


class LibraryDistribution(Distribution):
    """A distribution for one machine and system if it contains the library."""

    def has_ext_modules(self):
        return LIBRARY != "system"


class BuildWheel(bdist_wheel):
    """Builds a wheel for any Python 3: it contains a C library, but no extension module."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class BuildSources(sdist):
    """Builds a source distribution with the sources of the library."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        included = os.path.join(base_dir, "libtuntap")
        for name in ("LICENSE", "NOTICE"):
            licence = os.path.join(base_dir, name)
            if os.path.islink(licence):
                os.remove(licence)
                shutil.copyfile(os.path.join(SOURCES, name), licence)
        for name in BUILD_FILES:
            source, target = os.path.join(SOURCES, name), os.path.join(included, name)
            if os.path.isdir(source):
                shutil.copytree(source, target)
            else:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(source, target)


setup(
    version=version(),
    long_description=readme(),
    long_description_content_type="text/markdown",
    distclass=LibraryDistribution,
    cmdclass={"build_py": BuildPackage, "bdist_wheel": BuildWheel, "sdist": BuildSources},
)

"""maturin, which builds the wheel for the interpreter that asks.

A wheel of the stable ABI of 3.11 installs nowhere below, and one of 3.9 calls more slowly: which of the two is built is
a feature of Cargo, and pyproject.toml cannot make it depend on the interpreter.
"""

import os
import sys

from maturin import (  # noqa: F401
    build_editable,
    build_sdist,
    build_wheel,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

if sys.version_info < (3, 11):
    os.environ.setdefault("MATURIN_PEP517_ARGS", "--no-default-features --features abi3-py39")

"""Code found, read and understood, in this process: search, definitions, references, what a change reaches."""

from ._config import *
from ._types import *
from .development_mcp import *

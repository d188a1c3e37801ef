"""The quality of code for models, in this process: metrics, findings, copies, coverage, tests, one gate."""

from ._config import *
from ._types import *
from .quality_mcp import *

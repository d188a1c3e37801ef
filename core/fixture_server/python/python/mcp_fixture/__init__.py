"""Tools that exercise the protocol, in this process: what the tests of all such modules run on."""

from ._config import *
from ._types import *
from .mcp_fixture import *

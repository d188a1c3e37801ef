"""Shell commands for models, in this process: judged before they run, and run where they can do no harm."""

from ._config import *
from ._types import *
from .bash_god_mcp import *

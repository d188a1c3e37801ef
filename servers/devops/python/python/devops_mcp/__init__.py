"""The health of hosts and services for models, in this process: judged with error rates that were measured."""

from ._config import *
from ._types import *
from .devops_mcp import *

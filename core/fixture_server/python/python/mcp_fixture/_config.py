"""The options of this server: those that all have."""

from ._types import Options as Config

__all__ = ["Config"]

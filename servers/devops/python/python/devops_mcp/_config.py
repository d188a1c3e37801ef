"""The options of this server: those that all have, and its own."""

from __future__ import annotations

from ._types import Options

__all__ = ["Config"]


class Config(Options, total=False):
    """What a server of hosts, metrics and deployments is started with."""

    prometheus: str
    """Prometheus server to query, such as `http://127.0.0.1:9090`."""
    sample: float
    """Sample this host for the own history, each so many seconds."""
    history: int
    """Most MiB of the own history."""

"""State, queues, latencies, request handlers and numeric kernels of MCP servers, written in Rust.

Everything may be used from several threads. A mistake in the module is an `InternalError`, never the end of
the interpreter.

>>> import mcp_rust_core
>>> mcp_rust_core.edit_distance("kitten", "sitting")
3
"""

from .mcp_rust_core import (
    Embeddings,
    InternalError,
    LatencyHistogram,
    PriorityQueue,
    QueueClosed,
    Router,
    StateStore,
    _calls as _calls,
    bitset_intersect,
    byte_classes,
    byte_histogram,
    cosine_top_k,
    dot,
    edit_distance,
    holt,
    host_snapshot,
    moving_mean_sd,
    version,
    winnow,
    xxh3,
    z_scores,
)

from . import _store as _store

__version__ = version

__all__ = [
    "Embeddings",
    "InternalError",
    "LatencyHistogram",
    "PriorityQueue",
    "QueueClosed",
    "Router",
    "StateStore",
    "bitset_intersect",
    "byte_classes",
    "byte_histogram",
    "cosine_top_k",
    "dot",
    "edit_distance",
    "holt",
    "host_snapshot",
    "moving_mean_sd",
    "version",
    "winnow",
    "xxh3",
    "z_scores",
]

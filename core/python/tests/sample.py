"""What a type checker has to accept, and to know; `mypy --strict` reads it, nothing runs it."""

from __future__ import annotations

from array import array
from typing import Any

import mcp_rust_core as core
from mcp_rust_core import _calls

store = core.StateStore(1 << 20)
store["key"] = bytearray(b"value")
value: bytes = store["key"]
maybe: bytes | None = store.get("key")
certain: bytes | int = store.get("key", 5)
versioned: tuple[bytes, int] | None = store.get_versioned("key")
swapped: int | None = store.compare_and_swap("key", None, b"", ttl=1.5)
hits: int = store.statistics()["hits"]
names: list[str] = sorted(store)

page: bytes = store.get_or_compute("page", lambda: b"<html>", ttl=60)
gone: bytes | None = store.pop("page", None)
pairs: list[tuple[str, bytes]] = store.items()


@store.memoize(ttl=60)
def squared(number: int) -> int:
    return number * number


@store.memoize()
async def fetched(name: str) -> list[str]:
    return [name]


async def later() -> list[str]:
    async def compute() -> bytes:
        return b""

    awaited: bytes = await store.get_or_compute("page", compute)
    return await fetched(awaited.decode())


square: int = squared(3)
forgotten: bool = squared.forget(3)
squared("3")  # type: ignore[arg-type]

messages = core.PriorityQueue(10, order="fair")
messages.send(object(), priority="high", timeout=1)
message, priority = messages.receive()
waiting: int = messages.statistics()["sent"]["low"] + len(messages)
messages.send(1, "highest")  # type: ignore[arg-type]

router = core.Router()
router.register_handler("name", lambda params: params["a"])
answer: dict[str, Any] = router.process_request({"method": "name"})
text: str = router.process_request("{}")
router.process_request(b"{}")  # type: ignore[call-overload]

scores: array[float] = core.dot([1.0], array("f", [1.0]))
given: array[float] = core.dot([1.0], memoryview(scores), out=array("f", [0.0]))
means, deviations = core.moving_mean_sd([1.0, 2.0], 2)
both: array[float] = means + deviations
best: list[tuple[int, float]] = core.Embeddings([1.0, 2.0], dims=2).top_k([1.0, 2.0], k=1)
distance: int = core.edit_distance("a", b"b", release=True)
core.z_scores("text")  # type: ignore[call-overload]
total: float = _calls.sum_list([1.0])

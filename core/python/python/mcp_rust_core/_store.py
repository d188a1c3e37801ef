"""What `StateStore` does with mappings and functions, in Python: it calls back, and has nothing to gain from Rust.

Modules are imported where they are used: importing this one shall cost next to nothing.
"""

from __future__ import annotations

import _thread

from .mcp_rust_core import StateStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ABSENT: Any = object()

# By store and key, who computes a value now; a `weakref.WeakKeyDictionary` from the first time on.
_flights: Any = None
_beginning = _thread.allocate_lock()


class _Flight:
    """One computation of a value, which others wait for."""

    def __init__(self) -> None:
        import threading

        self.owner = threading.get_ident()
        self.ended = threading.Event()
        self.value: Any = _ABSENT
        self.error: BaseException | None = None


def _flights_of(store: StateStore) -> dict[Any, Any]:
    global _flights
    with _beginning:
        if _flights is None:
            import os
            import weakref

            _flights = weakref.WeakKeyDictionary()
            # A child of fork has the names of those who compute, and not their threads.
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=_forked)
    found: dict[Any, Any] = _flights.setdefault(store, {})
    return found


def _forked() -> None:
    global _beginning
    _beginning = _thread.allocate_lock()
    _flights.clear()


def _keep(store: StateStore, key: str, value: bytes, ttl: float | None) -> None:
    """Keeps a value; one that is larger than the store is computed each time."""
    try:
        store.set(key, value, ttl)
    except ValueError:
        if len(value) + len(key) < store.statistics()["capacity_bytes"] // 2:
            raise


def get_or_compute(self, key, compute, ttl=None):
    """The value of a key; where there is none, what `compute()` returns, which is kept for `ttl` seconds.

    Of several threads that ask for the same key at once, one computes, and the others wait for its answer, or get its
    exception. With a coroutine function the same holds for tasks, and the answer is awaited. A value that the store is
    too small for is returned and not kept.

    >>> from mcp_rust_core import StateStore
    >>> store = StateStore(1_000_000)
    >>> store.get_or_compute("page", lambda: b"<html>")
    b'<html>'
    """
    import inspect

    if inspect.iscoroutinefunction(compute):
        return _get_or_await(self, key, compute, ttl)
    while True:
        value = self.get(key)
        if value is not None:
            return value
        own = _Flight()
        flights = _flights_of(self)
        flight = flights.setdefault(key, own)
        if flight is own:
            return _lead(self, flights, flight, key, compute, ttl)
        if flight.owner == own.owner:
            raise RuntimeError(f"the value of {key!r} needs itself: this thread computes it already")
        flight.ended.wait()
        if flight.value is not _ABSENT:
            return flight.value
        # An interrupt is for the thread that it came to: another one computes.
        if isinstance(flight.error, Exception):
            raise flight.error


def _lead(store, flights, flight, key, compute, ttl):
    try:
        # Another flight may have ended between the look and the start.
        found = store.get(key)
        if found is None:
            found = bytes(compute())
            _keep(store, key, found, ttl)
        flight.value = found
        return found
    except BaseException as error:
        flight.error = error
        raise
    finally:
        flights.pop(key, None)
        flight.ended.set()


async def _get_or_await(store, key, compute, ttl):
    import asyncio

    loop = asyncio.get_running_loop()
    flights = _flights_of(store)
    # A future belongs to its loop: another loop computes for itself.
    name = (id(loop), key)
    while True:
        value = store.get(key)
        if value is not None:
            return value
        first = flights.get(name)
        if first is None:
            break
        try:
            return await asyncio.shield(first)
        except asyncio.CancelledError:
            # Was it the task that computes, or this one?
            if not first.cancelled():
                raise
    future = flights[name] = loop.create_future()
    try:
        found = bytes(await compute())
        _keep(store, key, found, ttl)
        future.set_result(found)
        return found
    except Exception as error:
        future.set_exception(error)
        # Nobody may be waiting for it.
        future.exception()
        raise
    finally:
        future.cancel()
        flights.pop(name, None)


def memoize(self, ttl=None, *, prefix=None, dumps=None, loads=None):
    """A decorator: the answers of a function by its arguments, kept for `ttl` seconds.

    Of several callers with equal arguments one computes (see `get_or_compute`); coroutine functions are awaited.
    Arguments and answers are pickled, answers by `dumps` and `loads` where they are given. Keys begin with `prefix`,
    by default the function's module and name. The function gets a method `forget(*args, **kwargs)`, which removes the
    answer to these arguments and says whether there was one.

    >>> from mcp_rust_core import StateStore
    >>> store = StateStore(1_000_000)
    >>> @store.memoize(ttl=60)
    ... def squared(number):
    ...     print("computing")
    ...     return number * number
    >>> squared(3), squared(3)
    computing
    (9, 9)
    """
    import functools
    import hashlib
    import inspect
    import pickle

    if callable(ttl):
        raise TypeError("memoize is called without a time to live as @store.memoize(), with the parentheses")
    dumps = dumps or (lambda answer: pickle.dumps(answer, pickle.HIGHEST_PROTOCOL))
    loads = loads or pickle.loads

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        name = prefix if prefix is not None else f"{function.__module__}.{function.__qualname__}"

        def key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
            given = pickle.dumps((args, sorted(kwargs.items())), pickle.HIGHEST_PROTOCOL)
            return f"{name}({hashlib.blake2b(given, digest_size=16).hexdigest()})"

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def remembered(*args: Any, **kwargs: Any) -> Any:
                async def compute() -> bytes:
                    return dumps(await function(*args, **kwargs))

                return loads(await self.get_or_compute(key(args, kwargs), compute, ttl))

        else:

            @functools.wraps(function)
            def remembered(*args: Any, **kwargs: Any) -> Any:
                return loads(self.get_or_compute(key(args, kwargs), lambda: dumps(function(*args, **kwargs)), ttl))

        forgetting: Any = remembered
        forgetting.forget = lambda *args, **kwargs: self.remove(key(args, kwargs))
        return remembered

    return decorate


def items(self):
    """All keys with their values, in no order; without those that go meanwhile."""
    found = ((key, self.get(key)) for key in self.keys())
    return [(key, value) for key, value in found if value is not None]


def values(self):
    """The values of all keys, in no order."""
    return [value for _, value in self.items()]


def update(self, entries=(), /, **more):
    """Sets the values of several keys, from a mapping or pairs, and from names."""
    for key, value in entries.items() if hasattr(entries, "keys") else entries:
        self[key] = value
    for key, value in more.items():
        self[key] = value


for _method in (get_or_compute, memoize, items, values, update):
    _method.__qualname__ = f"StateStore.{_method.__name__}"
    _method.__module__ = "mcp_rust_core"
    setattr(StateStore, _method.__name__, _method)

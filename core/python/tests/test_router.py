"""Router: requests to Python callables, which may do anything meanwhile."""

import gc
import json
import math
import random
import struct
import threading
import weakref
from functools import partial

import pytest

from mcp_rust_core import Router


@pytest.fixture
def router():
    router = Router()
    router.register_handler("add", lambda params: params["a"] + params["b"])
    router.register_handler("echo", lambda params: params)
    return router


def ask(router, **request):
    return json.loads(router.process_request(json.dumps(request)))


def test_dicts_and_text(router):
    request = {"id": "x", "method": "add", "params": {"a": 1, "b": 2}}
    assert router.process_request(request) == {"jsonrpc": "2.0", "id": "x", "result": 3}
    assert router.process_request(json.dumps(request)) == '{"jsonrpc":"2.0","id":"x","result":3}'
    assert router.process_request({"method": "echo"}) == {"jsonrpc": "2.0", "id": None, "result": {}}
    thing = object()
    assert router.process_request({"method": "echo", "params": thing})["result"] is thing
    assert router.handlers() == ["add", "echo"] and len(router) == 2 and "add" in router


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 1.5, -0.0, 1e300, 5e-324, 0.1, "", "a\"\\\n\0é\U0001f600",
        [], {}, [1, [2, {"z": 1, "a": [None]}]], {"b": 1, "a": 2},
    ],
)  # fmt: skip
def test_json_values_survive(router, value):
    answer = router.process_request(json.dumps({"method": "echo", "params": value}))
    result = json.loads(answer)["result"]
    assert result == value and json.dumps(result) == json.dumps(value)
    assert type(result) is type(value)
    seen = []
    router.register_handler("see", seen.append)
    router.process_request(json.dumps({"method": "see", "params": value}))
    assert json.dumps(seen[0]) == json.dumps(value)


def test_floats_survive_to_the_last_bit(router):
    source = random.Random(11)
    bits = [source.getrandbits(64) for _ in range(2000)]
    floats = [number for number in struct.unpack("2000d", struct.pack("2000Q", *bits)) if math.isfinite(number)]
    assert ask(router, method="echo", params=floats)["result"] == floats


def test_unknown_names_offer_the_nearest(router):
    with pytest.raises(LookupError, match='no handler is named "ad"; did you mean "add"'):
        router.process_request({"method": "ad"})
    error = ask(router, id=7, method="ad")["error"]
    assert (error["code"], error["data"]["type"]) == (-32601, "LookupError") and "did you mean" in error["message"]


@pytest.mark.parametrize("request_", [{}, {"method": 5}, {"method": None, "id": 1}])
def test_dicts_that_are_no_request(router, request_):
    with pytest.raises(ValueError, match="a request has a str named method"):
        router.process_request(request_)
    assert ask(router, **request_)["error"]["code"] == -32600


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700), ("{", -32700), ("{} {}", -32700), ("nonsense", -32700), ('{"method": NaN}', -32700),
        ("[" * 100_000, -32700), ('{"a":' * 500 + "1" + "}" * 500, -32700), ('"\\ud800"', -32700),
        ("[]", -32600), ("5", -32600), ("null", -32600),
    ],
)  # fmt: skip
def test_text_that_is_no_request(router, text, code):
    answer = json.loads(router.process_request(text))
    assert answer["id"] is None and answer["error"]["code"] == code and answer["error"]["message"]


def test_surrogates(router):
    assert json.loads(router.process_request("\ud800"))["error"]["code"] == -32700
    with pytest.raises(UnicodeEncodeError):
        router.process_request({"method": "\ud800"})
    with pytest.raises(UnicodeEncodeError):
        router.register_handler("\ud800", print)
    router.register_handler("surrogate", lambda params: "\ud800")
    assert ask(router, method="surrogate")["error"]["code"] == -32603
    assert router.process_request({"method": "surrogate"})["result"] == "\ud800"


class Refusal(Exception):
    pass


def test_a_handler_that_raises(router):
    def refuse(params):
        raise Refusal("not \ud800 today")

    router.register_handler("refuse", refuse)
    with pytest.raises(Refusal) as raised:
        router.process_request({"method": "refuse"})
    assert raised.traceback[-1].name == "refuse"
    error = ask(router, id=[1, {"a": 2}], method="refuse")
    assert error["id"] == [1, {"a": 2}]
    assert error["error"]["code"] == -32000 and error["error"]["data"] == {"type": "Refusal"}
    assert error["error"]["message"].startswith("Refusal: not")


class Nameless(Exception):
    def __str__(self):
        raise RuntimeError


def test_an_exception_without_a_text(router):
    def refuse(params):
        raise Nameless

    router.register_handler("refuse", refuse)
    assert ask(router, method="refuse")["error"]["message"] == "Nameless: "


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_is_passed_on(router, stop):
    def end(params):
        raise stop

    router.register_handler("end", end)
    with pytest.raises(stop):
        router.process_request('{"method": "end"}')


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (object(), "JSON has no form for object"), ({1: 2}, "a key is of type int"), (float("nan"), "no form for NaN"),
        (float("inf"), "no form for inf"), (2**64, "more than 64 bits"), ({1, 2}, "no form for set"), (b"", "no form for bytes"),
    ],
)  # fmt: skip
def test_answers_that_json_cannot_hold(router, answer, text):
    router.register_handler("give", lambda params: [answer])
    assert router.process_request({"method": "give"})["result"] == [answer] or answer != answer
    error = ask(router, method="give")["error"]
    assert error["code"] == -32603 and text in error["message"]


def test_an_answer_within_itself(router):
    circle = []
    circle.append(circle)
    router.register_handler("circle", lambda params: circle)
    assert "nested in itself" in ask(router, method="circle")["error"]["message"]
    deep = None
    for _ in range(127):
        deep = [deep]
    router.register_handler("deep", lambda params: deep)
    assert ask(router, method="deep")["result"] == deep
    router.register_handler("deeper", lambda params: [deep])
    assert ask(router, method="deeper")["error"]["code"] == -32603


def test_handlers_may_use_the_router(router):
    def outer(params):
        router.register_handler("inner", lambda params: 1)
        answer = router.process_request({"method": "inner"})["result"]
        router.remove_handler("outer")
        return answer + 1

    router.register_handler("outer", outer)
    assert router.process_request({"method": "outer"})["result"] == 2
    assert "outer" not in router and "inner" in router
    with pytest.raises(LookupError):
        router.process_request({"method": "outer"})


def test_recursion_ends_with_an_error(router):
    router.register_handler("again", lambda params: router.process_request({"method": "again"}))
    with pytest.raises(RecursionError):
        router.process_request({"method": "again"})
    # No Python frame counts these levels.
    request = {"method": "self"}
    request["params"] = request
    router.register_handler("self", router.process_request)
    with pytest.raises(RecursionError, match="more than 200 deep"):
        router.process_request(request)

    def text(params):
        answer = router.process_request('{"method": "text"}')
        return "ended" if "RecursionError" in answer or "ended" in answer else answer

    router.register_handler("text", text)
    assert ask(router, method="text")["result"] == "ended"
    assert ask(router, method="add", params={"a": 1, "b": 1})["result"] == 2


def test_as_deep_as_allowed(router):
    def down(params):
        return 0 if params == 0 else 1 + router.process_request({"method": "down", "params": params - 1})["result"]

    router.register_handler("down", down)
    assert router.process_request({"method": "down", "params": 199})["result"] == 199
    with pytest.raises(RecursionError):
        router.process_request({"method": "down", "params": 200})


def test_threads_call_back_without_a_deadlock(router):
    barrier = threading.Barrier(4)
    results = []

    def meet(params):
        barrier.wait(timeout=20)
        return router.process_request({"method": "add", "params": {"a": params, "b": 1}})["result"]

    def work(number):
        for turn in range(50):
            router.register_handler(f"{number}/{turn}", partial(meet))
            results.append(router.process_request({"method": f"{number}/{turn}", "params": turn})["result"])
            router.remove_handler(f"{number}/{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted([turn + 1 for turn in range(50)] * 4)
    assert router.handlers() == ["add", "echo"]


def test_bad_registrations(router):
    with pytest.raises(ValueError, match='a handler named "add" exists'):
        router.register_handler("add", print)
    with pytest.raises(TypeError, match="handler is of type int; something callable is wanted"):
        router.register_handler("new", 5)
    with pytest.raises(TypeError):
        router.register_handler(5, print)
    with pytest.raises(TypeError, match="request is of type bytes; a dict or JSON text is wanted"):
        router.process_request(b"{}")
    assert not router.remove_handler("new")


def test_a_router_that_its_handler_holds_is_collected():
    class Owner:
        pass

    owner = Owner()
    owner.router = Router()
    owner.router.register_handler("use", lambda params, owner=owner: owner)
    alive = weakref.ref(owner)
    del owner
    gc.collect()
    assert alive() is None

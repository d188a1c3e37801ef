"""Questions of tools, answered by a callable."""

import gc
import threading
import weakref

import mcp_fixture
import pytest


def asking(answer):
    return mcp_fixture.Server({"state": "none"}, on_question=answer)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (
            {"username": "u", "email": "e@example.com"},
            'User response: action=accept, content={"email":"e@example.com","username":"u"}',
        ),
        (False, "User response: action=decline"),
        (None, "User response: action=cancel"),
    ],
)
def test_an_answer_reaches_the_tool(answer, text):
    asked = []
    with asking(lambda *question: asked.append(question) or answer) as server:
        said = server.call_tool("test_elicitation", {"message": "Who?"})
    assert said["content"] == [{"type": "text", "text": text}] and not said["isError"]
    ((message, form),) = asked
    assert message == "Who?" and form["required"] == ["username", "email"]


def test_an_answer_that_is_not_the_form_is_an_error_of_the_tool():
    for answer in (True, {"username": 1, "email": "e"}):
        with asking(lambda message, form: answer) as server:
            said = server.call_tool("test_elicitation", {"message": "Who?"})
        assert said["isError"] and "has another form than asked" in said["content"][0]["text"]


def test_without_a_callable_the_tool_says_so(server):
    said = server.call_tool("test_elicitation", {"message": "Who?"})
    assert said["isError"] and "needs a client with the capability elicitation" in said["content"][0]["text"]


def test_what_the_callable_raises_is_passed_on():
    def answer(message, form):
        raise KeyError("mine")

    with asking(answer) as server:
        with pytest.raises(KeyError, match="mine"):
            server.call_tool("test_elicitation", {"message": "Who?"})
        assert server.call_tool("echo", {"text": "a"})["isError"] is False


def test_what_is_no_answer():
    with asking(lambda message, form: 7) as server:
        with pytest.raises(TypeError, match="on_question returned int; wanted are a dict"):
            server.call_tool("test_elicitation", {"message": "Who?"})


def test_the_callable_may_call_the_server():
    seen = []

    def answer(message, form):
        seen.append(server.call_tool("test_wait", {"milliseconds": 1})["structuredContent"])
        if len(seen) < 3:
            server.call_tool("test_elicitation", {"message": "Again?"})
        return False

    with asking(answer) as server:
        assert not server.call_tool("test_elicitation", {"message": "Who?"})["isError"]
    assert seen == [{"milliseconds": 1}] * 3


def test_questions_of_several_threads_are_answered_where_they_were_asked():
    threads = []
    with asking(lambda message, form: threads.append((message, threading.get_ident())) or False) as server:

        def work(number):
            own = threading.get_ident()
            server.call_tool("test_elicitation", {"message": f"{number}-{own}"})

        workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(threads) == 8
    assert all(message.endswith(f"-{ident}") for message, ident in threads)


def test_a_server_and_its_callable_do_not_keep_each_other_alive():
    class Holder:
        def answer(self, message, form):
            return None

    holder = Holder()
    holder.server = asking(holder.answer)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None

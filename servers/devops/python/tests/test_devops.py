"""The nine tools in process: the answers of the server over stdio."""

import devops_mcp
import pytest
from stdio_client import canonical

CALLS = [
    ("metric_query", {"source": "file:load.csv"}),
    ("metric_query", {"source": "file:none.csv"}),
    ("metric_query", {"source": "promql:up"}),
    ("detect_anomalies", {"source": "file:load.csv", "fleet": 100}),
    ("detect_anomalies", {"source": "file:load.csv", "false_alarms_per_day": 99}),
    ("detect_anomalies", {}),
    ("change_points", {"source": "file:load.csv", "svg": True}),
    ("forecast", {"source": "file:load.csv", "hours": 2, "limit": 100, "detail": "detailed"}),
    ("log_patterns", {"file": "app.log"}),
    ("log_patterns", {"file": "../app.log"}),
    ("deployment_record", {"service": "api"}),
    ("deployment_risk", {"service": "api"}),
    ("suggest_remediation", {"evidence": ["the disk is full"], "target": "api.service"}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[f"{i}-{call[0]}" for i, call in enumerate(CALLS)])
def test_an_answer_is_that_over_stdio(server, stdio, name, arguments):
    here, there = server.call_tool(name, arguments), stdio.call_tool(name, arguments)
    assert canonical(here) == canonical(there)


def test_the_list_is_that_over_stdio(server, stdio):
    assert canonical(server.list_tools()) == canonical(stdio.list_tools())
    assert len(server.list_tools()) == 9


def test_what_is_unusual_is_found(server):
    said = server.call_tool("detect_anomalies", {"source": "file:load.csv"})["structuredContent"]
    assert [found["value"] for found in said["anomalies"]] == [90.0], said


def test_the_host_is_looked_at(server):
    said = server.call_tool("host_snapshot", {})
    assert not said["isError"], said
    assert said["structuredContent"]["host"]["cpu"]["count"] >= 1


def test_deployments_are_remembered(root, tmp_path_factory):
    with devops_mcp.Server({"root": root, "state": tmp_path_factory.mktemp("state")}) as server:
        for outcome in ("success", "success", "rolled_back"):
            said = server.call_tool("deployment_record", {"service": "api", "strategy": "canary", "outcome": outcome})
            assert not said["isError"], said
        odds = server.call_tool("deployment_risk", {"service": "api"})["structuredContent"]
        assert 0 < odds["low"] < odds["rate"] < odds["high"] < 1 and round(odds["cases"]) == 3, odds


def test_an_address_that_is_none_is_refused(root):
    with pytest.raises(ValueError, match="http://HOST:PORT"):
        devops_mcp.Server({"root": root, "state": "none", "prometheus": "localhost"})

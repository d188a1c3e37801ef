//! What every server has to hold, held by this one.

use mcp_testing::protocol::Served;

#[rustfmt::skip]
const TOOLS: [&str; 9] = [
    "host_snapshot", "metric_query", "detect_anomalies", "change_points", "forecast", "log_patterns",
    "deployment_record", "deployment_risk", "suggest_remediation",
];

const SERVED: Served = Served {
    program: env!("CARGO_BIN_EXE_devops-mcp"),
    name: "devops-mcp",
    title: "DevOps",
    tools: &TOOLS,
    toolsets: &["deploy", "judge", "look"],
    help: &["--prometheus", "--sample", "--history", "sample", "export", "import"],
    facts: &["pressure", "cgroup", "history"],
    // So many as its rate lets through at once.
    calls: |_| 35,
    tame: |_, _| {},
};

mcp_testing::protocol_tests!(SERVED);

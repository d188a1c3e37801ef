//! What `tools/list` tells.

use serde_json::Value;

use crate::mcp::Fault;

/// One tool of a server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The schema of its arguments.
    pub input: Value,
    /// The schema of its structured content.
    pub output: Option<Value>,
    /// Whether it says of itself that it changes nothing.
    pub read_only: bool,
}

/// Reads one page of `tools/list`: its tools and the cursor of the next page.
///
/// # Errors
/// [`Fault::Malformed`] when the result is none.
pub fn read_tools(result: &Value) -> Result<(Vec<Tool>, Option<String>), Fault> {
    let malformed =
        |wrong: &str| Fault::Malformed { method: "tools/list".to_owned(), wrong: wrong.to_owned() };
    let listed = result["tools"].as_array().ok_or_else(|| malformed("it has no list of tools"))?;
    let tool = |value: &Value| {
        let name = value["name"].as_str().ok_or_else(|| malformed("a tool has no name"))?;
        Ok(Tool {
            name: name.to_owned(),
            input: value["inputSchema"].clone(),
            output: value.get("outputSchema").filter(|schema| schema.is_object()).cloned(),
            read_only: value["annotations"]["readOnlyHint"] == true,
        })
    };
    let tools = listed.iter().map(tool).collect::<Result<_, _>>()?;
    Ok((tools, result["nextCursor"].as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_read() {
        let page = json!({ "nextCursor": "b", "tools": [
            { "name": "echo", "inputSchema": { "type": "object" }, "annotations": { "readOnlyHint": true } },
            { "name": "sum", "inputSchema": {}, "outputSchema": { "type": "object" } },
        ] });
        let (tools, next) = read_tools(&page).unwrap();
        assert_eq!(next.as_deref(), Some("b"));
        assert_eq!((tools[0].read_only, tools[1].read_only), (true, false));
        assert_eq!(tools[1].output, Some(json!({ "type": "object" })));
        assert_eq!(read_tools(&json!({})).unwrap_err().name(), "malformed");
    }
}

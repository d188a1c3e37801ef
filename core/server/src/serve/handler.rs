//! The server as the protocol library sees it. What is slow to make is made once.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::ErrorData;
use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities,
    CompleteRequestParams, CompleteResult, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, Implementation, InputRequiredResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject, PaginatedRequestParams,
    ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, ServerCapabilities, ServerConfig,
    SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::content::{Content, Reply};
use crate::context::Era;
use crate::serve::client::{RequestClient, SessionLevel, level, members};
use crate::server::{CallError, Change, LIST_TTL_MS, Outcome, Request, Server};

/// A server behind the protocol library. Each session has one of its own; the server is shared.
pub(crate) struct Handler {
    shared: Arc<Shared>,
    session_level: SessionLevel,
    /// Is cancelled when the client is gone. The library itself waits for answers that nobody reads.
    end: Option<CancellationToken>,
}

/// What all sessions share.
pub(crate) struct Shared {
    pub server: Arc<Server>,
    config: ServerConfig,
    tools: Vec<Tool>,
    meta: MetaObject,
}

impl Shared {
    /// Makes what is slow to make.
    pub fn new(server: Arc<Server>) -> Arc<Self> {
        let about = server.about();
        let info = Implementation::new(about.name, about.version).with_title(about.title);
        let capabilities: ServerCapabilities = typed(Value::Object(server.capabilities()));
        let config = ServerConfig::new(capabilities)
            .with_server_info(info)
            .with_instructions(about.instructions)
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE);
        let tools = typed(Value::Array(server.list_tools().to_vec()));
        let meta = serde_json::from_str(server.meta()).expect("the server wrote an object");
        Arc::new(Self { config, tools, meta, server })
    }
}

/// Reads JSON that this program wrote.
fn typed<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the server writes the protocol's own shapes")
}

impl Handler {
    /// A handler for one session.
    pub fn new(shared: Arc<Shared>, end: Option<CancellationToken>) -> Self {
        Self { shared, session_level: SessionLevel::default(), end }
    }

    fn server(&self) -> &Server {
        &self.shared.server
    }

    fn request(
        &self,
        arguments: Value,
        context: &RequestContext<RoleServer>,
        responses: Option<BTreeMap<String, Value>>,
        state: Option<String>,
    ) -> Request {
        let era = era(context);
        Request {
            arguments,
            era,
            client: Some(Arc::new(RequestClient::of(context, era, &self.session_level))),
            cancel: self.cancellation(context),
            responses: responses.unwrap_or_default(),
            state,
        }
    }

    /// Is cancelled when the client cancels the request or is gone.
    fn cancellation(&self, context: &RequestContext<RoleServer>) -> CancellationToken {
        let cancel = context.ct.child_token();
        if let Some(end) = self.end.clone() {
            let cancel = cancel.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = end.cancelled() => cancel.cancel(),
                    // The library cancels each request when it is answered.
                    () = cancel.cancelled() => {}
                }
            });
        }
        cancel
    }

    /// Whether a method that the library could not read is one of this server in this era.
    fn offers(&self, method: &str, era: Era) -> bool {
        let capabilities = &self.shared.config.capabilities;
        match method {
            "initialize" | "resources/subscribe" | "resources/unsubscribe" | "logging/setLevel"
                if era == Era::Stateless =>
            {
                false
            }
            _ if method.starts_with("prompts/") => capabilities.prompts.is_some(),
            _ if method.starts_with("resources/") => capabilities.resources.is_some(),
            _ if method.starts_with("logging/") => capabilities.logging.is_some(),
            _ if method.starts_with("completion/") => capabilities.completions.is_some(),
            _ => true,
        }
    }

    /// `_meta` of an answer.
    fn meta(&self, era: Era) -> Option<MetaObject> {
        (era == Era::Stateless).then(|| self.shared.meta.clone())
    }

    /// Asks the server's extras and returns their answer with `_meta`, or the questions that they have.
    async fn extra<P: Serialize>(
        &self,
        method: &str,
        params: P,
        context: &RequestContext<RoleServer>,
        inputs: (Option<BTreeMap<String, Value>>, Option<String>),
    ) -> Result<Outcome<Value>, ErrorData> {
        let params = serde_json::to_value(params).unwrap_or_else(|_| json!({}));
        let request = self.request(Value::Null, context, inputs.0, inputs.1);
        let outcome = self.server().extra(method, params, request).await.map_err(refusal)?;
        Ok(match outcome {
            Outcome::Answered(mut answer) => {
                if era(context) == Era::Stateless
                    && let Value::Object(answer) = &mut answer
                {
                    answer.insert("_meta".into(), Value::Object(self.shared.meta.0.clone()));
                    answer.insert("resultType".into(), "complete".into());
                }
                Outcome::Answered(answer)
            }
            asks @ Outcome::NeedsInput { .. } => asks,
        })
    }

    /// As [`Self::extra`], for methods that cannot ask.
    async fn answer<P: Serialize, R: DeserializeOwned>(
        &self,
        method: &str,
        params: P,
        context: &RequestContext<RoleServer>,
    ) -> Result<R, ErrorData> {
        match self.extra(method, params, context, (None, None)).await? {
            Outcome::Answered(answer) => read(answer),
            Outcome::NeedsInput { .. } => {
                Err(ErrorData::internal_error(format!("{method} must not ask the client"), None))
            }
        }
    }

    fn input_required(
        &self,
        requests: serde_json::Map<String, Value>,
        state: Option<String>,
    ) -> Result<InputRequiredResult, ErrorData> {
        let requests = read(Value::Object(requests))?;
        Ok(InputRequiredResult::new(Some(requests), state).with_meta(self.shared.meta.clone()))
    }
}

fn read<R: DeserializeOwned>(answer: Value) -> Result<R, ErrorData> {
    serde_json::from_value(answer).map_err(|error| {
        ErrorData::internal_error(format!("the answer has not the protocol's shape: {error}"), None)
    })
}

/// Which generation of the protocol a request speaks.
fn era(context: &RequestContext<RoleServer>) -> Era {
    match context.protocol_version() {
        Some(version) if !version.has_initialize() => Era::Stateless,
        _ => Era::Sessions,
    }
}

/// An error of the protocol.
pub(crate) fn refusal(error: CallError) -> ErrorData {
    let sentence = error.to_string();
    match error {
        CallError::UnknownTool(_) => ErrorData::invalid_params(sentence, None),
        CallError::BadParams { data, .. } => ErrorData::invalid_params(sentence, data),
        CallError::UnknownMethod(_) => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, sentence, None),
        CallError::MissingCapability(capability) => {
            let required: ClientCapabilities = typed(json!({capability.name(): {}}));
            ErrorData::missing_required_client_capability(required)
        }
        CallError::Cancelled | CallError::Internal(_) => ErrorData::internal_error(sentence, None),
    }
}

/// An answer in the library's type.
fn result(reply: Reply, meta: Option<MetaObject>) -> CallToolResult {
    let is_error = reply.is_error();
    let content = match reply.content {
        Content::Text(text) => json!([{"type": "text", "text": text}]),
        Content::Blocks(blocks) => serde_json::to_value(blocks).expect("blocks have a form in JSON"),
    };
    let mut result = CallToolResult::success(typed(content));
    result.is_error = Some(is_error);
    result.structured_content = reply
        .structured
        .map(|text| serde_json::from_str(&text).expect("structured content was written as JSON"));
    result.meta = meta;
    result
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    async fn discover(&self, _context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let found = DiscoverResult::from_server_info(versions, self.get_info());
        Ok(found.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let (range, next) = self.server().page(cursor.as_deref()).map_err(refusal)?;
        let mut list = ListToolsResult::with_all_items(self.shared.tools[range].to_vec())
            .with_ttl_ms(LIST_TTL_MS)
            .with_cache_scope(CacheScope::Public);
        list.next_cursor = next;
        let era = era(&context);
        list.meta = self.meta(era);
        if era == Era::Sessions {
            (list.ttl_ms, list.cache_scope) = (None, None);
        }
        Ok(list)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shared.tools.iter().find(|tool| tool.name == name).cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let era = era(&context);
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let call = self.request(arguments, &context, request.input_responses, request.request_state);
        match self.server().call(&request.name, call).await.map_err(refusal)? {
            Outcome::Answered(reply) => Ok(result(reply, self.meta(era)).into()),
            Outcome::NeedsInput { requests, state } => Ok(self.input_required(requests, state)?.into()),
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        self.answer("prompts/list", request, &context).await
    }

    async fn get_prompt(
        &self,
        mut request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let inputs = (request.input_responses.take(), request.request_state.take());
        match self.extra("prompts/get", request, &context, inputs).await? {
            Outcome::Answered(answer) => Ok(GetPromptResponse::Complete(read(answer)?)),
            Outcome::NeedsInput { requests, state } => Ok(self.input_required(requests, state)?.into()),
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        self.answer("resources/list", request, &context).await
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        self.answer("resources/templates/list", request, &context).await
    }

    async fn read_resource(
        &self,
        mut request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let inputs = (request.input_responses.take(), request.request_state.take());
        match self.extra("resources/read", request, &context, inputs).await? {
            Outcome::Answered(answer) => Ok(ReadResourceResponse::Complete(read(answer)?)),
            Outcome::NeedsInput { requests, state } => Ok(self.input_required(requests, state)?.into()),
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        self.answer("completion/complete", request, &context).await
    }

    #[expect(deprecated, reason = "clients of the older protocol set a level")]
    async fn set_level(
        &self,
        request: rmcp::model::SetLevelRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let method = "logging/setLevel";
        if era(&context) == Era::Stateless || self.shared.config.capabilities.logging.is_none() {
            return Err(refusal(CallError::UnknownMethod(method.to_owned())));
        }
        *self.session_level.lock() = Some(level(request.level));
        Ok(())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.answer::<_, Value>("resources/subscribe", request, &context).await.map(drop)
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.answer::<_, Value>("resources/unsubscribe", request, &context).await.map(drop)
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let changes = self.server().extras().and_then(|extras| extras.changes());
        changes.map(|_| requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let changes = self.server().extras().and_then(|extras| extras.changes());
        let Some(mut changes) = changes else { return Ok(()) };
        let sink = subscription.sink();
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                () = subscription.cancelled() => return Ok(()),
            };
            // The sink drops what the client did not ask for, and says so with an error.
            let sent = match change {
                Ok(Change::Tools) => sink.notify_tool_list_changed().await,
                Ok(Change::Prompts) => sink.notify_prompt_list_changed().await,
                Ok(Change::Resources) => sink.notify_resource_list_changed().await,
                Ok(Change::Resource(uri)) => sink.notify_resource_updated(uri).await,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return Ok(()),
            };
            if let Err(error) = sent {
                tracing::debug!(%error, "a change was not told to a client");
            }
        }
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        if self.offers(&request.method, era(&context)) {
            return Err(unreadable(&request));
        }
        Err(refusal(CallError::UnknownMethod(request.method)))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(ProtocolVersion::KNOWN_VERSIONS)
    }
}

/// What the library could not read as one of its requests: an unknown method, or a known one with parameters
/// of another form.
fn unreadable(request: &CustomRequest) -> ErrorData {
    let needs = match request.method.as_str() {
        "tools/call" => "`name` (a string) and, where the tool takes any, `arguments` (an object)",
        "initialize" => "`protocolVersion`, `capabilities` and `clientInfo`",
        "prompts/get" => "`name` (a string)",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "`uri` (a string)",
        "completion/complete" => "`ref` and `argument`",
        "logging/setLevel" => "`level`, one of the eight of RFC 5424",
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
            "nothing, or `cursor` (a string)"
        }
        method => return refusal(CallError::UnknownMethod(method.to_owned())),
    };
    let given = members(request.params.clone().unwrap_or_default());
    let given: Vec<_> = given.keys().map(|name| format!("`{name}`")).collect();
    let given = if given.is_empty() { "nothing".into() } else { given.join(", ") };
    let sentence =
        format!("the parameters of {} are {needs}; given were {given}, in another form", request.method);
    ErrorData::invalid_params(sentence, None)
}

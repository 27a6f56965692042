//! The protocol's verbs over the catalogue.
//!
//! Every call goes through [`dispatch`]; this module only says it in MCP's words. It knows no platform, no environment and, but for the request's extensions, no HTTP.

mod completion;
#[cfg(feature = "conformance")]
pub(crate) mod conformance;
mod elicitation;
mod identity;
mod progress;
mod prompts;
mod resources;
mod skills;

use std::sync::Arc;

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
    CompleteResult, ContentBlock, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
    GetPromptRequestParams, GetPromptResponse, GetSkillRequestParams, GetSkillResult,
    Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListSkillsResult, ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion,
    ReadResourceDirectoryRequestParams, ReadResourceDirectoryResult, ReadResourceRequestParams,
    ReadResourceResponse, Resource, ResourceTemplate, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Map, Value};

pub use self::identity::Identity;
use self::identity::capabilities;
pub use self::resources::Document;
use self::resources::Resources;
pub use self::skills::Skill;
use self::skills::Skills;
use crate::caller::{Caller, Selection, Transport};
use crate::dispatch::{Answer, Call, View, dispatch};
use crate::failure::Failure;
use crate::person::Person;
use crate::service::Service;
use crate::session::Session;
use crate::text::quoted;

/// How long a client may keep a list: it changes only with a new release of the server.
const LIST_TTL_MS: u64 = 300_000;

/// Where the protocol wants the server's identity in a result.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Methods with parameters that are served; the library takes one whose parameters it cannot read for an unknown method.
const SERVED: [&str; 7] = [
    "tools/call",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "skills/get",
    "resources/directory/read",
    "initialize",
];

/// The MCP face of a service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    shared: Arc<Shared>,
    callers: Callers,
    /// What calls of this connection may leave out; none where every request stands alone.
    session: Option<Arc<Session>>,
}

/// Where the caller of a request comes from.
#[derive(Debug, Clone)]
enum Callers {
    /// The same for all requests of the process.
    Fixed(Box<Caller>),
    /// From the HTTP request; one without a caller is refused.
    PerRequest,
}

#[derive(Debug)]
struct Shared {
    service: Arc<Service>,
    config: ServerConfig,
    /// Of every result: who serves, and the operator's remarks.
    meta: Map<String, Value>,
    resources: Resources,
    skills: Skills,
}

impl Server {
    /// A server for one caller, whoever talks to it: a process of its own over pipes.
    pub fn for_caller(service: Arc<Service>, identity: Identity, mut caller: Caller) -> Self {
        caller.transport = Transport::Stdio;
        let shared = Arc::new(Shared::new(service, identity));
        Self { shared, callers: Callers::Fixed(Box::new(caller)), session: Some(Arc::default()) }
    }

    /// A server whose requests bring their caller as an extension of the HTTP request.
    pub fn for_requests(service: Arc<Service>, identity: Identity) -> Self {
        let shared = Arc::new(Shared::new(service, identity));
        Self { shared, callers: Callers::PerRequest, session: None }
    }

    /// What its one connection remembers.
    pub(crate) fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// The same server for one session of its own.
    pub(crate) fn in_session(&self) -> Self {
        Self { session: Some(Arc::default()), ..self.clone() }
    }

    /// The service behind this face.
    pub fn service(&self) -> &Arc<Service> {
        &self.shared.service
    }

    /// How the server names itself.
    pub fn about(&self) -> &Implementation {
        &self.shared.config.server_info
    }

    /// The resources that a selection shows, without and with variables, as they are listed.
    pub fn resources(&self, selection: &Selection) -> (Vec<Resource>, Vec<ResourceTemplate>) {
        let Shared { resources, service, .. } = &*self.shared;
        (resources.shown(service, selection), resources.shown_templates(service, selection))
    }

    fn caller(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        let mut caller = self.identified(context)?;
        caller.session.clone_from(&self.session);
        if self.shared.service.settings.audit.is_on() {
            // Where no client introduced itself, the library names itself.
            let client = context.client_info().filter(|client| client.name != "rmcp");
            caller.client = client.map(|client| format!("{} {}", client.name, client.version));
        }
        Ok(caller)
    }

    fn identified(&self, context: &RequestContext<RoleServer>) -> Result<Caller, ErrorData> {
        match &self.callers {
            Callers::Fixed(caller) => Ok(caller.as_ref().clone()),
            Callers::PerRequest => {
                let parts = context.extensions.get::<http::request::Parts>();
                let caller = parts.and_then(|parts| parts.extensions.get::<Caller>()).cloned();
                // Never a fallback to the server's own key: a transport that forgot the caller is a fault.
                caller
                    .ok_or_else(|| ErrorData::internal_error("the transport named no caller", None))
            }
        }
    }

    /// What every result says about itself, besides what is known of this one.
    fn meta(&self, known: Map<String, Value>) -> MetaObject {
        let mut meta = self.shared.meta.clone();
        meta.extend(known);
        MetaObject(meta)
    }

    fn result(&self, performed: Result<Answer, Failure>) -> CallToolResult {
        match performed {
            Ok(Answer { shaped, meta }) => {
                let mut result = CallToolResult::success(vec![ContentBlock::text(shaped.text)]);
                result.structured_content = Some(shaped.structured);
                result.meta = Some(self.meta(meta));
                result
            }
            Err(failure) => {
                let mut result = CallToolResult::structured_error(failure.told());
                result.meta = Some(self.meta(Map::new()));
                result
            }
        }
    }
}

impl Shared {
    fn new(service: Arc<Service>, identity: Identity) -> Self {
        let Identity { name, title, version, instructions, mut documents, skills } = identity;
        let implementation = Implementation::new(name, version).with_title(title);
        let mut meta = service.settings.meta.clone();
        meta.insert(
            SERVER_INFO.to_owned(),
            serde_json::to_value(&implementation).unwrap_or_default(),
        );
        let skills = Skills::new(&skills);
        documents.extend(skills.documents());
        let config = ServerConfig::new(capabilities(&service, &skills))
            .with_server_info(implementation)
            .with_instructions(instructions);
        let resources = Resources::new(&service, documents);
        Self { service, config, meta, resources, skills }
    }
}

/// Over HTTP a header can narrow a list, which no shared cache knows of; without one, lists are the same for everybody.
fn scope(caller: &Caller) -> CacheScope {
    let same = caller.transport != Transport::Http && caller.selection == Selection::default();
    if same { CacheScope::Public } else { CacheScope::Private }
}

/// Waits for the call, unless the client goes away: dropping the call drops the request to the platform.
async fn unless_cancelled(
    context: &RequestContext<RoleServer>,
    work: impl Future<Output = Result<Answer, Failure>>,
) -> Result<Answer, Failure> {
    tokio::select! {
        performed = work => performed,
        () = context.ct.cancelled() => Err(Failure::new("cancelled", "the call was cancelled")),
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let result = DiscoverResult::from_server_info(versions, self.get_info());
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let caller = self.caller(&context)?;
        // One page: several clients read only the first.
        let mut result =
            ListToolsResult::with_all_items(self.shared.service.shown(&caller.selection));
        result.meta = Some(self.meta(Map::new()));
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(scope(&caller)))
    }

    fn get_tool(&self, name: &str) -> Option<rmcp::model::Tool> {
        self.shared.service.catalogue.find(name).map(|tool| tool.served.clone())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut caller = self.caller(&context)?;
        caller.person = elicitation::person(&context, &request, self.session.as_ref());
        let service = &self.shared.service;
        let Some(tool) = service.catalogue.find(&request.name) else {
            let near = service.catalogue.nearest(&request.name);
            let near = near.map(|near| format!("did you mean `{near}`?"));
            let hint = near.as_deref().unwrap_or("tools/list names the tools");
            let name = caller.redact(&request.name);
            let message = format!("unknown tool `{}`; {hint}", quoted(&name));
            return Err(ErrorData::invalid_params(message, None));
        };
        let call =
            Call { tool, arguments: request.arguments.unwrap_or_default(), view: View::Tool };
        let work = progress::telling(&context, dispatch(service, &caller, call));
        let performed = unless_cancelled(&context, work).await;
        if let (Err(failure), Person::Later(_)) = (&performed, &caller.person)
            && let Some(question) = failure.wanted.as_ref().and_then(|it| it.question.as_ref())
        {
            return Ok(elicitation::required(question).with_meta(self.meta(Map::new())).into());
        }
        let mut result = self.result(performed);
        if let Some(words) = tool.deprecation(&request.name) {
            // Failures too: whoever calls an old name should hear of it in time.
            result.meta.get_or_insert_default().0.insert("deprecated".to_owned(), words.into());
        }
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let caller = self.caller(&context)?;
        let shown = self.shared.resources.shown(&self.shared.service, &caller.selection);
        let mut result = ListResourcesResult::with_all_items(shown);
        result.meta = Some(self.meta(Map::new()));
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(scope(&caller)))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let caller = self.caller(&context)?;
        let shown = self.shared.resources.shown_templates(&self.shared.service, &caller.selection);
        let mut result = ListResourceTemplatesResult::with_all_items(shown);
        result.meta = Some(self.meta(Map::new()));
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(scope(&caller)))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let caller = self.caller(&context)?;
        let mut result = self.read(&context, &caller, request.uri).await?;
        result.meta = Some(self.meta(result.meta.take().unwrap_or_default().0));
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let caller = self.caller(&context)?;
        let shown = prompts::shown(self.service(), &caller.selection).map(prompts::listed);
        let mut result = ListPromptsResult::with_all_items(shown.collect());
        result.meta = Some(self.meta(Map::new()));
        Ok(result.with_ttl_ms(LIST_TTL_MS).with_cache_scope(scope(&caller)))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let caller = self.caller(&context)?;
        let prompt = self.prompt(&caller, &request.name)?;
        let mut result = prompts::filled(prompt, request.arguments)?;
        result.meta = Some(self.meta(Map::new()));
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let caller = self.caller(&context)?;
        let asked = (&request.r#ref, &request.argument);
        let mut result = CompleteResult::new(self.completed(&context, &caller, asked).await?);
        result.meta = Some(self.meta(Map::new()));
        Ok(result)
    }

    async fn list_skills(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListSkillsResult, ErrorData> {
        let mut result = self.shared.skills.listed();
        result.meta = Some(self.meta(Map::new()));
        Ok(result)
    }

    async fn get_skill(
        &self,
        request: GetSkillRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetSkillResult, ErrorData> {
        Ok(self.shared.skills.get(&request.uri)?.with_meta(self.meta(Map::new())))
    }

    async fn read_resource_directory(
        &self,
        request: ReadResourceDirectoryRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceDirectoryResult, ErrorData> {
        let mut result = self.shared.skills.directory(&request.uri)?;
        result.meta = Some(self.meta(Map::new()));
        Ok(result)
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let method = self.caller(&context)?.redact(&request.method);
        let version = context.protocol_version();
        let stateless = version.is_some_and(|it| it >= ProtocolVersion::V_2026_07_28);
        // The protocol without sessions has no handshake, well-formed or not.
        if SERVED.contains(&method.as_str()) && !(stateless && method == "initialize") {
            return Err(ErrorData::invalid_params(
                format!("the parameters of `{method}` are malformed"),
                None,
            ));
        }
        Err(ErrorData::new(
            ErrorCode::METHOD_NOT_FOUND,
            format!("no method `{}`", quoted(&method)),
            None,
        ))
    }
}

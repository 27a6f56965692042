//! The fixtures of the official conformance suite on the real server, for tests only.
//!
//! What the suite asks for by name is answered from `fixtures.json`; everything else goes to the server as it is, so that the suite sees its transport, its lists and its refusals.

#![expect(
    deprecated,
    reason = "the suite asks for log levels, which the protocol is about to drop"
)]

#[cfg(not(debug_assertions))]
compile_error!("the fixtures of the conformance suite never belong into a release");

mod fixture;

use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CustomRequest,
    CustomResult, DiscoverResult, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Reference, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, Tool, UnsubscribeRequestParams,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::json;

use self::fixture::{Asked, Fixtures, Played};
use super::Server;

/// The server with the suite's tools, resources and prompts beside its own.
#[derive(Debug, Clone)]
pub(crate) struct WithFixtures {
    server: Server,
    fixtures: Arc<Fixtures>,
}

impl From<Server> for WithFixtures {
    fn from(server: Server) -> Self {
        Self { server, fixtures: Arc::new(Fixtures::load()) }
    }
}

impl WithFixtures {
    /// The same for one session of its own.
    pub(crate) fn in_session(&self) -> Self {
        Self { server: self.server.in_session(), ..self.clone() }
    }
}

type Context = RequestContext<RoleServer>;

impl ServerHandler for WithFixtures {
    fn get_info(&self) -> ServerConfig {
        let mut info = self.server.get_info();
        let mut capabilities = json!(info.capabilities);
        for feature in ["prompts", "completions", "logging"] {
            capabilities[feature] = json!({});
        }
        info.capabilities = serde_json::from_value(capabilities).expect("these are capabilities");
        info
    }

    async fn discover(&self, context: Context) -> Result<DiscoverResult, ErrorData> {
        let mut result = self.server.discover(context).await?;
        result.capabilities = self.get_info().capabilities;
        Ok(result)
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut result = self.server.list_tools(page, context).await?;
        result.tools.extend(self.fixtures.tools.iter().map(|fixture| fixture.tool.clone()));
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        let fixture = self.fixtures.tool(name).map(|fixture| fixture.tool.clone());
        fixture.or_else(|| self.server.get_tool(name))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(fixture) = self.fixtures.tool(&request.name) else {
            return self.server.call_tool(request, context).await;
        };
        let asked = Asked {
            arguments: request.arguments.unwrap_or_default(),
            responses: request.input_responses.unwrap_or_default(),
            state: request.request_state,
        };
        Ok(match self.fixtures.play(&fixture.scene, asked, &context).await? {
            Played::Answer(answer) => CallToolResponse::Complete(fixture::read(answer)?),
            Played::Question(question) => CallToolResponse::InputRequired(question),
        })
    }

    async fn list_resources(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = self.server.list_resources(page, context).await?;
        result.resources.extend(self.fixtures.resources.iter().map(|one| one.resource.clone()));
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = self.server.list_resource_templates(page, context).await?;
        let templates = self.fixtures.templates.iter().map(|one| one.template.clone());
        result.resource_templates.extend(templates);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match self.fixtures.contents(&request.uri) {
            Some(contents) => Ok(ReadResourceResult::new(vec![fixture::read(contents)?]).into()),
            None => self.server.read_resource(request, context).await,
        }
    }

    async fn list_prompts(
        &self,
        page: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut result = self.server.list_prompts(page, context).await?;
        result.prompts.extend(self.fixtures.prompts.iter().map(|one| one.prompt.clone()));
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let found = self.fixtures.prompts.iter().find(|one| one.prompt.name == request.name);
        let Some(fixture) = found else { return self.server.get_prompt(request, context).await };
        let asked = Asked {
            arguments: request.arguments.unwrap_or_default(),
            responses: request.input_responses.unwrap_or_default(),
            state: request.request_state,
        };
        Ok(match self.fixtures.play(&fixture.scene, asked, &context).await? {
            Played::Answer(answer) => GetPromptResponse::Complete(fixture::read(answer)?),
            Played::Question(question) => GetPromptResponse::InputRequired(question),
        })
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        let of_fixture = match &request.r#ref {
            Reference::Prompt(asked) => {
                self.fixtures.prompts.iter().any(|one| one.prompt.name == asked.name)
            }
            _ => false,
        };
        if of_fixture {
            return Ok(CompleteResult::default());
        }
        self.server.complete(request, context).await
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: Context) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: Context,
    ) -> Result<CustomResult, ErrorData> {
        self.server.on_custom_request(request, context).await
    }
}

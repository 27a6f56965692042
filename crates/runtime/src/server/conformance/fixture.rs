//! What the suite asks for, read from `fixtures.json`, and how a fixture is played.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use rmcp::model::{
    ClientCapabilities, CustomNotification, CustomRequest, InputRequest, InputRequests,
    InputRequiredResult, JsonObject, ProgressNotificationParam, Prompt, ProtocolVersion,
    RequestStateCodec, Resource, ResourceTemplate, ServerNotification, ServerRequest, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Everything the suite asks for.
#[derive(Debug)]
pub(super) struct Fixtures {
    pub(super) tools: Vec<FixtureTool>,
    pub(super) resources: Vec<FixtureResource>,
    pub(super) templates: Vec<FixtureTemplate>,
    pub(super) prompts: Vec<FixturePrompt>,
    seal: RequestStateCodec,
}

#[derive(Debug)]
pub(super) struct FixtureTool {
    pub(super) tool: Tool,
    pub(super) scene: Scene,
}

#[derive(Debug, Deserialize)]
pub(super) struct FixtureResource {
    pub(super) resource: Resource,
    contents: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FixtureTemplate {
    pub(super) template: ResourceTemplate,
    contents: Map<String, Value>,
}

#[derive(Debug)]
pub(super) struct FixturePrompt {
    pub(super) prompt: Prompt,
    pub(super) scene: Scene,
}

/// What happens when a tool is called or a prompt fetched.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Scene {
    /// What the client must be able to do.
    needs: Option<ClientCapabilities>,
    /// Sent before the answer.
    notes: Vec<Message>,
    /// Asked of the client in the era of sessions.
    request: Option<Message>,
    /// Asked of the client by results, round after round.
    rounds: Vec<BTreeMap<String, Message>>,
    answer: Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Message {
    method: String,
    params: Value,
}

/// What came with the request.
pub(super) struct Asked {
    pub(super) arguments: JsonObject,
    pub(super) responses: BTreeMap<String, Value>,
    pub(super) state: Option<String>,
}

/// What goes back.
pub(super) enum Played {
    Answer(Value),
    Question(InputRequiredResult),
}

#[derive(Deserialize)]
struct File {
    tools: Vec<Value>,
    resources: Vec<FixtureResource>,
    templates: Vec<FixtureTemplate>,
    prompts: Vec<Value>,
}

/// Reads something of the protocol from the file.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|err| ErrorData::internal_error(err.to_string(), None))
}

impl Fixtures {
    pub(super) fn load() -> Self {
        let file: File = serde_json::from_str(include_str!("fixtures.json"))
            .expect("the file is compiled in, and the suite runs on it");
        // A state has to survive no restart.
        let random = RandomState::new().build_hasher().finish();
        let seal = RequestStateCodec::try_new(Sha256::digest(random.to_le_bytes()).to_vec())
            .expect("a digest is as long as a key has to be");
        let tools = file.tools.into_iter().map(tool).collect();
        let prompts = file.prompts.into_iter().map(prompt).collect();
        Self { tools, resources: file.resources, templates: file.templates, prompts, seal }
    }

    pub(super) fn tool(&self, name: &str) -> Option<&FixtureTool> {
        self.tools.iter().find(|fixture| fixture.tool.name == name)
    }

    /// The contents of a resource or of a template's, if one of the fixtures has this URI.
    pub(super) fn contents(&self, uri: &str) -> Option<Value> {
        let found = self.resources.iter().find(|one| one.resource.uri == uri);
        let (mime, contents, id) = match found {
            Some(one) => (&one.resource.mime_type, &one.contents, ""),
            None => self.templates.iter().find_map(|one| {
                let (before, after) = one.template.uri_template.split_once("{id}")?;
                let id = uri.strip_prefix(before)?.strip_suffix(after)?;
                Some((&one.template.mime_type, &one.contents, id))
            })?,
        };
        let mut contents = contents.clone();
        contents.insert("uri".to_owned(), uri.into());
        contents.insert("mimeType".to_owned(), json!(mime));
        let values = Map::from_iter([("id".to_owned(), json!(id))]);
        Some(filled(&Value::Object(contents), &values))
    }

    /// Plays a scene to its next answer or question.
    pub(super) async fn play(
        &self,
        scene: &Scene,
        asked: Asked,
        context: &RequestContext<RoleServer>,
    ) -> Result<Played, ErrorData> {
        let client = context.client_capabilities().unwrap_or_default();
        if let Some(needs) = scene.needs.as_ref().filter(|needs| !covers(&client, needs)) {
            return Err(ErrorData::missing_required_client_capability(needs.clone()));
        }
        for note in &scene.notes {
            tell(note, context).await?;
        }
        let mut values = asked.arguments.clone();
        if let Some(request) = &scene.request {
            match ask(request, &values, &client, context).await {
                Ok(outcome) => values.insert("outcome".to_owned(), outcome),
                Err(why) => {
                    let refused =
                        json!({ "isError": true, "content": [{ "type": "text", "text": why }] });
                    return Ok(Played::Answer(refused));
                }
            };
        }
        if let Some(question) = self.question(scene, &asked, &client)? {
            return Ok(Played::Question(question));
        }
        if !asked.responses.is_empty() {
            values.insert("outcome".to_owned(), json!(asked.responses));
        }
        let mut answer = filled(&scene.answer, &values);
        // The library adds it to results it makes, and takes it away again for older clients.
        answer["resultType"] = json!("complete");
        Ok(Played::Answer(answer))
    }

    /// What is still to be asked; a round that was answered in part is asked again.
    fn question(
        &self,
        scene: &Scene,
        asked: &Asked,
        client: &ClientCapabilities,
    ) -> Result<Option<InputRequiredResult>, ErrorData> {
        let mut round: usize = match &asked.state {
            None => 0,
            Some(state) => self.seal.open_json(state).map_err(|_| {
                ErrorData::invalid_params("the request state was not written by this server", None)
            })?,
        };
        let Some(questions) = scene.rounds.get(round) else { return Ok(None) };
        let answered = |key: &String| asked.responses.get(key).is_some_and(Value::is_object);
        if questions.keys().all(answered) {
            round += 1;
        }
        let Some(questions) = scene.rounds.get(round) else { return Ok(None) };
        let mut requests = InputRequests::new();
        for (key, message) in questions {
            if can(client, &message.method) {
                requests.insert(key.clone(), input_request(message)?);
            }
        }
        let state = self.seal.seal_json(&round);
        let state = state.map_err(|err| ErrorData::internal_error(err.to_string(), None))?;
        Ok(Some(InputRequiredResult::new(Some(requests), Some(state))))
    }
}

fn tool(mut fixture: Value) -> FixtureTool {
    let names: Vec<String> =
        serde_json::from_value(fixture["arguments"].take()).unwrap_or_default();
    let properties: Map<String, Value> =
        names.iter().map(|name| (name.clone(), json!({ "type": "string" }))).collect();
    fixture["inputSchema"] =
        json!({ "type": "object", "properties": properties, "required": names });
    let tool = serde_json::from_value(fixture.clone()).expect("a fixture of the suite is a tool");
    FixtureTool { tool, scene: scene(fixture) }
}

fn prompt(mut fixture: Value) -> FixturePrompt {
    let prompt = serde_json::from_value(fixture["prompt"].take());
    FixturePrompt {
        prompt: prompt.expect("a fixture of the suite is a prompt"),
        scene: scene(fixture),
    }
}

fn scene(fixture: Value) -> Scene {
    serde_json::from_value(fixture).expect("a fixture of the suite has a scene")
}

/// Puts values in the place of their names in braces.
fn filled(template: &Value, values: &Map<String, Value>) -> Value {
    match template {
        Value::String(text) => {
            let text = values.iter().fold(text.clone(), |text, (name, value)| {
                let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.replace(&format!("{{{name}}}"), &plain)
            });
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| filled(item, values)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), filled(member, values)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn covers(client: &ClientCapabilities, needs: &ClientCapabilities) -> bool {
    (needs.sampling.is_none() || client.sampling.is_some())
        && (needs.elicitation.is_none() || client.elicitation.is_some())
}

fn can(client: &ClientCapabilities, method: &str) -> bool {
    match method {
        "sampling/createMessage" => client.sampling.is_some(),
        "elicitation/create" => client.elicitation.is_some(),
        _ => client.roots.is_some(),
    }
}

/// A question as the protocol's type; read by method, since a union cannot be read from exact numbers.
fn input_request(message: &Message) -> Result<InputRequest, ErrorData> {
    let whole = json!({ "method": message.method, "params": message.params });
    Ok(match message.method.as_str() {
        "sampling/createMessage" => InputRequest::CreateMessage(read(whole)?),
        "elicitation/create" => InputRequest::Elicitation(read(whole)?),
        _ => InputRequest::ListRoots(read(whole)?),
    })
}

/// Tells the client something on the way, if it asked to be told.
async fn tell(note: &Message, context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    let gone = |err: rmcp::ServiceError| ErrorData::internal_error(err.to_string(), None);
    if note.method == "notifications/progress" {
        let Some(token) = context.meta.get_progress_token() else { return Ok(()) };
        let at = |name: &str| note.params[name].as_f64().unwrap_or_default();
        let progress =
            ProgressNotificationParam::new(token, at("progress")).with_total(at("total"));
        return context.peer.notify_progress(progress).await.map_err(gone);
    }
    let stateless = context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
    if stateless && context.meta.log_level().is_none() {
        return Ok(());
    }
    let note = CustomNotification::new(&note.method, Some(note.params.clone()));
    context.peer.send_notification(ServerNotification::CustomNotification(note)).await.map_err(gone)
}

/// Asks the client and waits; a client that cannot answer is not asked.
async fn ask(
    request: &Message,
    values: &Map<String, Value>,
    client: &ClientCapabilities,
    context: &RequestContext<RoleServer>,
) -> Result<Value, String> {
    if !can(client, &request.method) {
        return Err(format!("the client does not support {}", request.method));
    }
    let request = CustomRequest::new(&request.method, Some(filled(&request.params, values)));
    let answer = context.peer.send_request(ServerRequest::CustomRequest(request)).await;
    Ok(json!(answer.map_err(|err| err.to_string())?))
}

//! Questions to the person behind a client, in the words of both eras of the protocol. It does not know what is asked for.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ElicitRequest, ElicitRequestParams,
    ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
    ProtocolVersion, ServerRequest,
};
use rmcp::service::{Peer, PeerRequestOptions, RequestContext};
use rmcp::{RoleServer, model::ClientResult};
use tokio_util::sync::CancellationToken;

use crate::person::{Ask, Person, Question, Replied, Reply};
use crate::session::Session;

/// The one question of a call.
const QUESTION: &str = "consent";

/// How long a person may take: a little less than the question holds.
const PATIENCE: Duration = Duration::from_mins(9);

/// How the person behind this request can be asked; a client that does not say so cannot ask.
pub(super) fn person(
    context: &RequestContext<RoleServer>,
    request: &CallToolRequestParams,
    session: Option<&Arc<Session>>,
) -> Person {
    let modern = context.protocol_version().is_some_and(|it| it >= ProtocolVersion::V_2026_07_28);
    if modern {
        return if asks(context.client_capabilities().as_ref()) {
            Person::Later(replied(request).map(Arc::new))
        } else {
            Person::Nobody
        };
    }
    // Only a session has a way back, and only its handshake says what the client can do.
    let peer = &context.peer;
    if asks(peer.peer_info().as_ref().map(|info| &info.capabilities)) {
        let silent = session.map(|session| session.silent().clone()).unwrap_or_default();
        Person::Now(Arc::new(Waiting { peer: peer.clone(), silent }))
    } else {
        Person::Nobody
    }
}

/// Whether the client shows forms; one that names no form of asking shows them, as it did before there were others.
fn asks(capabilities: Option<&ClientCapabilities>) -> bool {
    let elicitation = capabilities.and_then(|it| it.elicitation.as_ref());
    elicitation.is_some_and(|it| it.form.is_some() || it.url.is_none())
}

/// What came back with the call; a reply that cannot be read is none.
fn replied(request: &CallToolRequestParams) -> Option<Replied> {
    let state = request.request_state.clone()?;
    let response = request.input_responses.as_ref()?.get(QUESTION)?;
    // Some clients wrap the result as it went over the wire.
    let action = response.get("action").or_else(|| response.get("result")?.get("action"));
    let action = serde_json::from_value(action?.clone()).ok()?;
    Some(Replied { state, reply: reply(&action) })
}

fn reply(action: &ElicitationAction) -> Reply {
    match action {
        ElicitationAction::Accept => Reply::Accepted,
        ElicitationAction::Decline => Reply::Declined,
        _ => Reply::Cancelled,
    }
}

/// The question as the call's answer.
pub(super) fn required(question: &Question) -> InputRequiredResult {
    let request = InputRequest::Elicitation(ElicitRequest::new(form(&question.words)));
    let requests = InputRequests::from([(QUESTION.to_owned(), request)]);
    InputRequiredResult::new(Some(requests), Some(question.state.clone()))
}

/// A form without fields: to accept it is to say yes.
fn form(words: &str) -> ElicitRequestParams {
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: words.to_owned(),
        requested_schema: ElicitationSchema::new(std::collections::BTreeMap::new()),
    }
}

/// A client that asks while the call waits.
struct Waiting {
    peer: Peer<RoleServer>,
    /// Cancelled when no reply can come any more.
    silent: CancellationToken,
}

impl Ask for Waiting {
    fn ask<'a>(&'a self, words: &'a str) -> BoxFuture<'a, Reply> {
        let asked = async move {
            let request = ServerRequest::ElicitRequest(ElicitRequest::new(form(words)));
            let options = PeerRequestOptions::with_timeout(PATIENCE);
            let handle = self.peer.send_cancellable_request(request, options).await.ok()?;
            handle.await_response().await.ok()
        };
        Box::pin(async move {
            match self.silent.run_until_cancelled(asked).await.flatten() {
                Some(ClientResult::ElicitResult(result)) => reply(&result.action),
                _ => Reply::Cancelled,
            }
        })
    }
}

//! The Workbook API as far as the document promises it: it keeps what it is given, and knows nothing of MCP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The only token it knows.
pub(crate) const TOKEN: &str = "a-token-of-the-workbook";

/// Where the paths of the document begin.
const BASE: &str = "/v2";

/// An API on a port of its own.
pub(crate) struct Upstream {
    pub(crate) base: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Things by the path of their collection, in the order they were made.
    collections: BTreeMap<String, Vec<Value>>,
    made: u64,
    /// Methods and targets of all requests.
    asked: Vec<String>,
}

/// Status, media type, body.
type Reply = (u16, &'static str, Option<Value>);

impl Upstream {
    pub(crate) async fn start() -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let kept = state.clone();
        let router = Router::new().fallback(move |request: Request| {
            let kept = kept.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, 1 << 20).await.unwrap();
                let body = if body.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_slice(&body).unwrap()
                };
                let mut state = kept.lock().unwrap();
                state.asked.push(format!("{} {}", parts.method, parts.uri));
                let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
                let (status, media, body) =
                    state.answer(&parts.method, (path, query), &parts.headers, body);
                let response = Response::builder().status(status).header("content-type", media);
                response
                    .body(body.map_or_else(Body::empty, |it| Body::from(it.to_string())))
                    .unwrap()
            }
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://{}{BASE}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { base, state }
    }

    /// Puts so many notes there.
    pub(crate) fn fill(&self, count: usize) {
        let mut state = self.state.lock().unwrap();
        for number in 0..count {
            state.create("/notes", json!({"title": format!("Note {number}")}));
        }
    }

    /// Methods and targets of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }
}

impl State {
    fn answer(
        &mut self,
        method: &Method,
        (path, query): (&str, &str),
        headers: &HeaderMap,
        body: Value,
    ) -> Reply {
        let header = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap());
        if header("authorization") != format!("Bearer {TOKEN}") {
            return problem(401, "Unauthenticated", &json!([]));
        }
        let path = path.strip_prefix(BASE).expect("the path of the server comes first");
        let media = if *method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        assert!(body.is_null() || header("content-type") == media, "{method} {path}");
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        // Collections lie at the even places: `chats/{id}/messages`.
        let (collection, rest) = match parts[..] {
            ["chats", chat, "messages", ref rest @ ..] => (format!("/chats/{chat}/messages"), rest),
            [name, ref rest @ ..] => (format!("/{name}"), rest),
            [] => unreachable!("a path has parts"),
        };
        match (method.as_str(), rest) {
            ("GET", []) => self.list(&collection, query),
            ("POST", []) => match fault(&body) {
                Some(fault) => fault,
                None => (201, "application/json", Some(self.create(&collection, body))),
            },
            (verb, [id, act @ ..]) => self.on_one(verb, &collection, id, (act, body)),
            _ => problem(405, "No such method", &json!([])),
        }
    }

    fn list(&self, collection: &str, query: &str) -> Reply {
        let value = |name: &str| {
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let all = self.collections.get(collection).cloned().unwrap_or_default();
        let from: usize =
            value("cursor").map_or(0, |it| it.strip_prefix("after-").unwrap().parse().unwrap());
        let size: usize = value("limit").map_or(20, |it| it.parse().unwrap());
        assert!(size <= 100, "the document's bound is kept");
        let wanted = value("archived").map(|it| it == "true");
        let fits = |thing: &&Value| wanted.is_none_or(|wanted| thing["archived"] == wanted);
        let page: Vec<&Value> = all.iter().skip(from).take(size).filter(fits).collect();
        let next = (from + size < all.len()).then(|| format!("after-{}", from + size));
        (200, "application/json", Some(json!({"data": page, "meta": {"next_cursor": next}})))
    }

    fn create(&mut self, collection: &str, mut thing: Value) -> Value {
        self.made += 1;
        let number = self.made;
        thing["id"] = match collection {
            "/notes" | "/comments" | "/chats" => {
                json!(format!("00000000-0000-4000-8000-{number:012}"))
            }
            _ => json!(number),
        };
        thing["archived"] = false.into();
        thing["created_at"] = "2026-03-01T09:00:00Z".into();
        self.collections.entry(collection.to_owned()).or_default().push(thing.clone());
        thing
    }

    fn on_one(
        &mut self,
        verb: &str,
        collection: &str,
        id: &str,
        (act, body): (&[&str], Value),
    ) -> Reply {
        let things = self.collections.entry(collection.to_owned()).or_default();
        let number: Value = id.parse::<u64>().ok().into();
        let is_it = |thing: &Value| thing["id"] == id || thing["id"] == number;
        let Some(at) = things.iter().position(is_it) else {
            return problem(404, "Not Found", &json!([]));
        };
        if let Some(fault) = fault(&body) {
            return fault;
        }
        let thing = &mut things[at];
        match (verb, act) {
            ("GET", []) => {}
            ("DELETE", []) => {
                things.remove(at);
                return (204, "text/plain", None);
            }
            ("PUT", []) => {
                let keep = |name: &&str| (String::from(*name), thing[*name].clone());
                let mut new: Map<String, Value> =
                    ["id", "archived", "created_at"].iter().map(keep).collect();
                new.extend(body.as_object().unwrap().clone());
                *thing = new.into();
            }
            ("PATCH", []) => {
                thing.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            }
            ("POST", ["archive"]) => thing["archived"] = true.into(),
            ("POST", ["process"]) => {
                let job = json!({"id": "00000000-0000-4000-8000-00000000000f", "state": "queued", "action": body["action"], "subject": format!("{collection}/{id}")});
                return (202, "application/json", Some(job));
            }
            _ => return problem(405, "No such method", &json!([])),
        }
        (200, "application/json", Some(thing.clone()))
    }
}

/// The one rule that the document does not tell.
fn fault(body: &Value) -> Option<Reply> {
    let field = ["title", "text", "topic"].into_iter().find(|name| body[*name] == "forbidden")?;
    Some(problem(422, "Invalid", &json!([{"field": field, "message": "must not be forbidden"}])))
}

fn problem(status: u16, title: &str, errors: &Value) -> Reply {
    let body = json!({"type": "about:blank", "title": title, "status": status, "errors": errors});
    (status, "application/problem+json", Some(body))
}

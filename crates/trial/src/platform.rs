//! A platform that knows its tenants by their keys, marks every byte it answers with whose it is, and fails as it is told.
//!
//! It speaks HTTP by hand, since no library would break the rules for it. It knows nothing of the server.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::script::{Script, Step};

/// Every mark begins so.
pub(crate) const MARK: &str = "mark-";

/// Longer than any answer that a server should read.
const GIANT: usize = 33 * 1024 * 1024;

/// The platform, which listens until its process ends.
#[derive(Debug)]
pub struct Platform {
    seed: u64,
    /// Tenants by their keys.
    tenants: HashMap<String, usize>,
    /// Requests per tenant and call.
    received: Mutex<HashMap<(usize, u64), usize>>,
    /// Requests that no call explains.
    strays: Mutex<Vec<String>>,
    /// Tells every connection to close.
    parting: watch::Sender<()>,
}

/// One request.
struct Request {
    key: String,
    /// Number of the call, which its address holds.
    number: u64,
}

/// What becomes of the connection.
#[derive(PartialEq)]
enum After {
    Open,
    Closed,
}

impl Platform {
    /// Starts a platform for so many tenants, and gives its address.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(seed: u64, tenants: usize) -> io::Result<(Arc<Self>, String)> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let platform = Arc::new(Self {
            seed,
            tenants: (0..tenants).map(|tenant| (key(tenant), tenant)).collect(),
            received: Mutex::default(),
            strays: Mutex::default(),
            parting: watch::Sender::default(),
        });
        let serving = platform.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move {
                    let mut parting = serving.parting.subscribe();
                    tokio::select! {
                        // A server that hangs up is no fault of the platform.
                        _ended = serving.serve(connection) => {}
                        _told = parting.changed() => {}
                    }
                });
            }
        });
        Ok((platform, address))
    }

    /// How many requests a call led to.
    pub(crate) fn received(&self, tenant: usize, number: u64) -> usize {
        lock(&self.received).get(&(tenant, number)).copied().unwrap_or(0)
    }

    /// Closes all connections, as a platform does with idle ones.
    pub fn hang_up(&self) {
        self.parting.send_replace(());
    }

    /// Forgets the requests, so that the calls can be made again; gives those that no call explains.
    pub fn reset(&self) -> Vec<String> {
        lock(&self.received).clear();
        std::mem::take(&mut lock(&self.strays))
    }

    async fn serve(&self, mut connection: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(text) = next(&mut connection, &mut buffer).await? {
            let Some((request, tenant)) = Request::read(&text)
                .and_then(|request| Some((self.tenants.get(&request.key).copied()?, request)))
                .map(|(tenant, request)| (request, tenant))
            else {
                lock(&self.strays).push(text);
                return Ok(());
            };
            let attempt = {
                let mut received = lock(&self.received);
                let count = received.entry((tenant, request.number)).or_default();
                *count += 1;
                *count - 1
            };
            let step = Script::of(self.seed, tenant, request.number).step(attempt);
            if perform(&mut connection, step, &request).await? == After::Closed {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The key of a tenant.
pub(crate) fn key(tenant: usize) -> String {
    format!("trial-key-of-tenant-{tenant:04}-that-nobody-may-see")
}

/// What marks the bytes of whoever has this key.
pub(crate) fn mark(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().take(8).fold(MARK.to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The device of a call.
pub(crate) fn device(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// Reads a request: its head and its body.
async fn next(connection: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<String>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let whole = end
                + 4
                + header(&head, "content-length").map_or(0, |length| length.parse().unwrap_or(0));
            if buffer.len() >= whole {
                buffer.drain(..whole);
                return Ok(Some(head));
            }
        }
        if connection.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

impl Request {
    fn read(head: &str) -> Option<Self> {
        let address = head.split(' ').nth(1)?;
        let number = if let Some((_, rest)) = address.split_once("space_id=") {
            rest.split('&').next()?.parse().ok()?
        } else {
            let (_, rest) = address.split_once("00000000-0000-4000-8000-")?;
            u64::from_str_radix(rest.get(..12)?, 16).ok()?
        };
        Some(Self { key: header(head, "authorization")?.to_owned(), number })
    }

    /// The good answer: a row, and a list of it at once.
    fn body(&self) -> String {
        let (id, mark) = (device(self.number), mark(&self.key));
        let row = format!(r#""id":"{id}","name":"{mark}""#);
        format!(r#"{{{row},"items":[{{{row}}}],"has_next_page":false,"padding":"{mark:>900}"}}"#)
    }
}

fn answer(status: u16, kind: &str, length: usize, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Trial\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn json(status: u16, body: &str) -> String {
    answer(status, "application/json", body.len(), body)
}

async fn perform(connection: &mut TcpStream, step: Step, request: &Request) -> io::Result<After> {
    let (body, mark) = (request.body(), mark(&request.key));
    let half = &body[..body.len() / 2];
    match step {
        Step::Answer => send(connection, &json(200, &body)).await,
        Step::Slow => slowly(connection, &json(200, &body)).await,
        Step::Refuse(status) => {
            let said = format!(r#"{{"error":"nothing for {} of {mark}"}}"#, request.key);
            send(connection, &json(status, &said)).await
        }
        Step::Busy(seconds) => {
            let busy = format!(
                "HTTP/1.1 429 Busy\r\nRetry-After: {seconds}\r\nContent-Length: 2\r\n\r\n{{}}"
            );
            send(connection, &busy).await
        }
        Step::Page(status) => {
            let page = format!("<html><h1>{mark}</h1>{}</html>", request.key);
            send(connection, &answer(status, "text/html", page.len(), &page)).await
        }
        Step::Reset => reset(connection),
        Step::ResetInBody => {
            send(connection, &answer(200, "application/json", body.len(), half)).await?;
            reset(connection)
        }
        Step::Hang => hang(connection).await,
        Step::HangInBody => {
            send(connection, &answer(200, "application/json", body.len(), half)).await?;
            hang(connection).await
        }
        Step::Cut => send(connection, &json(200, half)).await,
        Step::Long => {
            send(connection, &answer(200, "application/json", body.len() + 1, &body)).await?;
            Ok(After::Closed)
        }
        Step::Short => send(connection, &answer(200, "application/json", half.len(), &body)).await,
        Step::Second => {
            let nobodys = Request { key: "nobody".to_owned(), number: request.number };
            send(connection, &format!("{}{}", json(200, &body), json(200, &nobodys.body()))).await
        }
        Step::Empty => send(connection, "HTTP/1.1 204 Nothing\r\n\r\n").await,
        Step::Giant => send(connection, &json(200, &" ".repeat(GIANT))).await,
        Step::Endless => endless(connection).await,
    }
}

async fn send(connection: &mut TcpStream, text: &str) -> io::Result<After> {
    connection.write_all(text.as_bytes()).await?;
    Ok(After::Open)
}

/// Sends blanks until the other side has enough; it does not say how many will come.
async fn endless(connection: &mut TcpStream) -> io::Result<After> {
    const CHUNK: usize = 1 << 16;
    send(connection, "HTTP/1.1 200 Trial\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
    let chunk = format!("{CHUNK:x}\r\n{}\r\n", " ".repeat(CHUNK));
    loop {
        send(connection, &chunk).await?;
    }
}

async fn slowly(connection: &mut TcpStream, text: &str) -> io::Result<After> {
    const PIECE: usize = 200;
    const PAUSE: Duration = Duration::from_millis(10);
    for piece in text.as_bytes().chunks(PIECE) {
        connection.write_all(piece).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(After::Open)
}

/// Closes so that the other side sees a reset, and no end.
fn reset(connection: &TcpStream) -> io::Result<After> {
    connection.set_zero_linger()?;
    Ok(After::Closed)
}

/// Waits until the other side gives up.
async fn hang(connection: &mut TcpStream) -> io::Result<After> {
    let mut ignored = Vec::new();
    while connection.read_buf(&mut ignored).await? > 0 {}
    Ok(After::Closed)
}

/// What is guarded is whole after every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Host and Origin checks: a page in a browser cannot reach a local server under a borrowed name.

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};

use super::refusal::Refusal;

/// What a list names to accept every host.
const ANY: &str = "*";

/// Refuses a request under a name, or from a page, that the operator did not list.
pub(super) fn check(
    uri: &Uri,
    headers: &HeaderMap,
    hosts: &[String],
    origins: &[String],
) -> Result<(), Refusal> {
    let mut named = headers.get_all(HOST).iter();
    // Of two names, whoever is in front of this server may have looked at the other.
    let named = named.next().filter(|_| named.next().is_none());
    let host = uri.authority().cloned().or_else(|| named?.to_str().ok()?.parse::<Authority>().ok());
    let Some(host) = host.filter(|host| hosts.iter().any(|allowed| is_host(host, allowed))) else {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "host_not_allowed",
            "the Host header does not name one host that this server serves; its operator can allow the name",
        ));
    };
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let known = |origin: &str| is_listed(origin, origins) || is_own(origin, &host, hosts);
    if origin.to_str().is_ok_and(known) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::FORBIDDEN,
        "origin_not_allowed",
        "the Origin header names a page that may not call this server; its operator can allow the page",
    ))
}

/// Whether the operator listed an origin.
pub(super) fn is_listed(origin: &str, origins: &[String]) -> bool {
    origins.iter().any(|allowed| is_origin(origin, allowed))
}

/// A listed host without a port stands for all its ports.
fn is_host(host: &Authority, allowed: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if allowed == ANY || bare(host.host()) == bare(allowed) {
        return true;
    }
    allowed.parse::<Authority>().is_ok_and(|allowed| {
        bare(host.host()) == bare(allowed.host())
            && allowed.port_u16().is_none_or(|port| host.port_u16() == Some(port))
    })
}

/// A page of this very server, such as its documentation.
///
/// Only under a name that is listed: where every name is served, a page could make its own name point here.
fn is_own(origin: &str, host: &Authority, hosts: &[String]) -> bool {
    let listed = hosts.iter().any(|allowed| allowed != ANY && is_host(host, allowed));
    let own = |scheme: &str| is_origin(origin, &format!("{scheme}://{host}"));
    listed && (own("http") || own("https"))
}

/// An origin is compared as browsers write it: scheme, host, and port unless it is the scheme's own.
fn is_origin(origin: &str, allowed: &str) -> bool {
    let trimmed = |text: &str| text.trim_end_matches('/').to_ascii_lowercase();
    match allowed.strip_suffix(":*") {
        Some(base) => {
            let (origin, base) = (trimmed(origin), trimmed(base));
            let port = origin.strip_prefix(&base);
            port.is_some_and(|port| {
                port.is_empty()
                    || port.strip_prefix(':').is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()))
            })
        }
        None => plain(&trimmed(origin)) == plain(&trimmed(allowed)),
    }
}

fn plain(origin: &str) -> &str {
    let own_port = [("https://", ":443"), ("http://", ":80")]
        .into_iter()
        .find(|(scheme, _)| origin.starts_with(scheme));
    own_port.and_then(|(_, port)| origin.strip_suffix(port)).unwrap_or(origin)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_servers_own_pages_may_call_it_unless_it_answers_to_any_name() {
        let origin = |origin| {
            HeaderMap::from_iter([
                (HOST, HeaderValue::from_static("127.0.0.1:8080")),
                (ORIGIN, HeaderValue::from_static(origin)),
            ])
        };
        let passes = |host: &str, headers| {
            check(&Uri::from_static("/mcp"), &headers, &[host.to_owned()], &[]).is_ok()
        };
        assert!(passes("127.0.0.1", origin("http://127.0.0.1:8080")));
        assert!(!passes("127.0.0.1", origin("http://127.0.0.1:8081")));
        assert!(!passes("127.0.0.1", origin("http://localhost:8080")));
        assert!(!passes(ANY, origin("http://127.0.0.1:8080")));
    }

    fn passes(host: &'static str, origin: Option<&'static str>) -> bool {
        passes_of(&["localhost", "127.0.0.1", "::1", "mcp.example.com:8443"], host, origin)
    }

    fn passes_of(hosts: &[&str], host: &'static str, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::from_iter([(HOST, HeaderValue::from_static(host))]);
        headers.extend(origin.map(|origin| (ORIGIN, HeaderValue::from_static(origin))));
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let origins = ["https://app.example.com", "http://localhost:*"].map(str::to_owned);
        check(&Uri::from_static("/mcp"), &headers, &hosts, &origins).is_ok()
    }

    #[test]
    fn only_listed_hosts_are_served() {
        for host in
            ["localhost:8080", "LOCALHOST", "127.0.0.1:1", "[::1]:9", "mcp.example.com:8443"]
        {
            assert!(passes(host, None), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "mcp.example.com", "127.0.0.1.nip.io:80"]
        {
            assert!(!passes(host, None), "{host}");
        }
    }

    #[test]
    fn a_request_under_two_names_is_refused() {
        let named = |names: &[&'static str]| {
            let named = names.iter().map(|name| (HOST, HeaderValue::from_static(name)));
            check(&Uri::from_static("/mcp"), &named.collect(), &["localhost".to_owned()], &[])
        };
        assert!(named(&["localhost"]).is_ok());
        assert!(named(&["localhost", "evil.example"]).is_err());
        assert!(named(&["localhost", "localhost"]).is_err());
    }

    #[test]
    fn only_listed_origins_may_call() {
        for origin in [
            "https://app.example.com",
            "https://app.example.com:443",
            "http://localhost:5173",
            "http://localhost",
            "https://localhost",
        ] {
            assert!(passes("localhost", Some(origin)), "{origin}");
        }
        for origin in [
            "null",
            "http://app.example.com",
            "https://app.example.com:444",
            "http://localhost.evil.example",
            "http://localhost:5173.evil.example",
        ] {
            assert!(!passes("localhost", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_servers_own_pages_may_call_it_under_a_listed_name() {
        let named = |host, origin| passes_of(&["127.0.0.1", "mcp.example.com"], host, Some(origin));
        assert!(named("127.0.0.1:8080", "http://127.0.0.1:8080"));
        assert!(named("mcp.example.com", "https://mcp.example.com"));
        assert!(!named("127.0.0.1:8080", "http://127.0.0.1:9090"));
        assert!(!named("127.0.0.1:8080", "http://mcp.example.com"));
        assert!(!passes_of(&["*"], "evil.example", Some("http://evil.example")));
    }
}

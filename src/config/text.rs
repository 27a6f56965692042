//! Texts as values: addresses, numbers, switches, lists. It knows no names of settings.

use std::net::{IpAddr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::time::Duration;

use http::uri::Authority;

pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    let text = if text == "localhost" { "127.0.0.1" } else { text.trim_matches(['[', ']']) };
    text.parse().map_err(|_| "an IP address, such as 127.0.0.1 or 0.0.0.0".to_owned())
}

pub(super) fn number<T: std::str::FromStr>(
    wanted: &'static str,
) -> impl Fn(&str) -> Result<T, String> {
    move |text| text.trim().parse().map_err(|_| wanted.to_owned())
}

pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    let wanted = "a whole number of milliseconds, at least 1";
    let count: u64 = number(wanted)(text)?;
    if count == 0 { Err(wanted.to_owned()) } else { Ok(Duration::from_millis(count)) }
}

/// A whole number between two bounds.
pub(super) fn within<T>(
    bounds: RangeInclusive<T>,
    wanted: &'static str,
) -> impl Fn(&str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd,
{
    move |text| {
        number(wanted)(text)
            .and_then(|it| if bounds.contains(&it) { Ok(it) } else { Err(wanted.to_owned()) })
    }
}

pub(super) fn cache_ttl(text: &str) -> Result<Duration, String> {
    within(0..=86_400, "a whole number of seconds up to 86400; 0 reuses nothing")(text)
        .map(Duration::from_secs)
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

pub(super) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Names of this server; one that no request can bring would shut everybody out.
pub(super) fn hosts(text: &str) -> Result<Vec<String>, String> {
    let hosts = list(text);
    let legal = |host: &String| {
        let plain = host.parse::<Authority>().is_ok_and(|name| !name.as_str().contains('@'));
        plain || host == "*" || host.parse::<Ipv6Addr>().is_ok()
    };
    if !hosts.is_empty() && hosts.iter().all(legal) {
        Ok(hosts)
    } else {
        Err("host names with or without a port, such as mcp.example.com, or * for any".to_owned())
    }
}

pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let origins = list(text);
    let legal = |origin: &String| origin.starts_with("https://") || origin.starts_with("http://");
    if origins.iter().all(legal) {
        Ok(origins)
    } else {
        Err("origins with their scheme, such as https://app.example.com".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_server_are_hosts_and_nothing_else() {
        for good in ["localhost", "mcp.example.com:8443, [::1], ::1", "*", "[::1]:80,10.0.0.1"] {
            assert!(hosts(good).is_ok(), "{good}");
        }
        for bad in [" , ", "http://mcp.example.com", "mcp.example.com/", "a b", "me@host", "*.x/"] {
            assert!(hosts(bad).is_err(), "{bad}");
        }
    }
}

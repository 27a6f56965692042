//! The settings as `/config` shows them. Secrets are masked to what tells one from another.

use std::time::Duration;

use serde_json::{Map, Value, json};
use xyte_mcp_runtime::caller::{Key, Toolsets};

use super::{AuditTo, Config};

impl Config {
    /// Every secret that is set.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = Key> {
        let Self { api_key, partner_key, http_token, metrics_token, .. } = self;
        [api_key, partner_key, http_token, metrics_token].into_iter().flatten().cloned()
    }

    /// Every setting by its variable.
    pub(crate) fn shown(&self) -> Value {
        let toolsets = match &self.toolsets {
            Toolsets::Unset => Value::Null,
            Toolsets::All => json!("all"),
            Toolsets::Named(names) => json!(names.join(",")),
        };
        let audit = match &self.audit {
            AuditTo::Nowhere => json!("off"),
            AuditTo::Stderr => json!("stderr"),
            AuditTo::File(path) => json!(format!("file:{}", path.display())),
        };
        let milliseconds =
            |time: Duration| Value::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let settings = [
            ("XYTE_API_KEY", masked(self.api_key.as_ref())),
            ("XYTE_PARTNER_API_KEY", masked(self.partner_key.as_ref())),
            ("XYTE_BASE_URL", json!(self.base_url)),
            ("XYTE_MCP_HOST", json!(self.host)),
            ("XYTE_MCP_PORT", json!(self.port)),
            ("XYTE_ALLOWED_HOSTS", json!(self.allowed_hosts.join(","))),
            ("XYTE_ALLOWED_ORIGINS", json!(self.allowed_origins.join(","))),
            ("REDIS_URL", json!(self.redis.as_ref().map(|redis| &redis.masked))),
            ("XYTE_SEAL_KEY", json!(self.sealing.masked)),
            ("XYTE_ANSWER_TOKENS", json!(self.answer_tokens)),
            ("XYTE_RATE_LIMIT", json!(self.rate_limit)),
            ("XYTE_TIMEOUT_MS", milliseconds(self.manners.timeout)),
            ("XYTE_DEADLINE_MS", milliseconds(self.deadline)),
            ("XYTE_UPSTREAM_CONCURRENCY", json!(self.manners.concurrency)),
            ("XYTE_CACHE_TTL", json!(self.manners.cache_ttl.as_secs())),
            ("XYTE_MIN_KEY_LENGTH", json!(self.min_key_length)),
            ("XYTE_MCP_HTTP_TOKEN", masked(self.http_token.as_ref())),
            ("XYTE_METRICS_TOKEN", masked(self.metrics_token.as_ref())),
            ("XYTE_READ_ONLY", json!(self.read_only)),
            ("XYTE_TOOLSETS", toolsets),
            ("XYTE_LOG_LEVEL", json!(self.log_level.as_str())),
            ("XYTE_ENV", json!(self.environment.name())),
            ("XYTE_AUDIT", audit),
            ("XYTE_CONFIRM", json!(self.confirm.name())),
            ("XYTE_CONFIRM_COMMANDS", json!(self.confirm_commands.join(","))),
            ("XYTE_BULK_MAX", json!(self.bulk_max)),
            (
                "XYTE_STATE_DIR",
                json!(self.state.as_ref().map(|state| state.path.display().to_string())),
            ),
        ];
        let settings: Map<String, Value> =
            settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        json!({ "sandbox": self.sandbox.is_some(), "settings": settings })
    }
}

fn masked(secret: Option<&Key>) -> Value {
    secret.map_or(Value::Null, |key| Value::String(format!("****{}", key.id())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Flags;
    use crate::config::source::Surroundings;

    #[test]
    fn no_secret_is_shown() {
        let secret = |name: &str| format!("secret-of-{name}-that-is-long-enough");
        let names =
            ["XYTE_API_KEY", "XYTE_PARTNER_API_KEY", "XYTE_MCP_HTTP_TOKEN", "XYTE_METRICS_TOKEN"];
        let environment = names.iter().map(|name| ((*name).to_owned(), secret(name))).collect();
        let surroundings = Surroundings { environment, ..Surroundings::default() };
        let config = Config::read(&Flags::default(), &surroundings).unwrap();
        let shown = config.shown();
        assert!(!shown.to_string().contains("secret"), "{shown}");
        for name in names {
            let key = Key::new(&secret(name)).unwrap();
            assert_eq!(shown["settings"][name], format!("****{}", key.id()));
        }
    }
}

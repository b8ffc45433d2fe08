//! Requests as parts of a trace. Nobody outside learns that there is one,
//! unless the configuration names their host.

use std::sync::OnceLock;

use http::{HeaderName, HeaderValue};

/// The target of spans that are made for traces alone.
pub(crate) const SPANS: &str = "magpie::span";
/// <https://www.w3.org/TR/trace-context/>
pub(crate) const HEADER: HeaderName = HeaderName::from_static("traceparent");

struct Propagation {
    hosts: Vec<String>,
    current: fn() -> Option<String>,
}

static PROPAGATION: OnceLock<Propagation> = OnceLock::new();

/// From now on requests to these hosts (not to names below them) carry what
/// `current` says: the `traceparent` of the span they are made in. Once in a
/// process, as the log is; a second time changes nothing.
pub fn propagate(hosts: &[String], current: fn() -> Option<String>) {
    let hosts = hosts.iter().map(|host| normal(host)).collect();
    let _ = PROPAGATION.set(Propagation { hosts, current });
}

/// What a request to this host carries.
pub(crate) fn parent(host: &str) -> Option<HeaderValue> {
    let propagation = PROPAGATION.get()?;
    let host = normal(host);
    propagation.hosts.contains(&host).then(propagation.current)??.try_into().ok()
}

fn normal(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_that_are_named_are_told() {
        assert_eq!(parent("inner.example"), None, "nobody is before anything was said");
        propagate(&["Inner.Example".to_owned(), "10.0.0.1".to_owned(), "::1".to_owned()], || Some("00-x".into()));
        for named in ["inner.example", "INNER.example.", "10.0.0.1", "[::1]"] {
            assert_eq!(parent(named).unwrap(), "00-x", "{named}");
        }
        for other in ["x.inner.example", "example", "10.0.0.11", "inner.example.org", ""] {
            assert_eq!(parent(other), None, "{other}");
        }
    }
}

//! Where traces go.

use super::{
    setting::settings,
    value::{Share, web_address},
};
use crate::delivery::Secret;

settings! {
    /// Traces for a collector that speaks OTLP over HTTP (docs/operate.md).
    /// Without an address none are made. They hold routes, actions and times;
    /// no id of anybody and nothing that somebody typed.
    Telemetry at "telemetry" {
        /// The collector's address; /v1/traces is added to it. Where it is not
        /// set, `OTEL_EXPORTER_OTLP_ENDPOINT` counts.
        endpoint: Option<String> = example "\"http://127.0.0.1:4318\"" where collector;
        /// Headers for it: "NAME=VALUE,NAME=VALUE", values percent-encoded.
        /// Where it is not set, `OTEL_EXPORTER_OTLP_HEADERS` counts.
        headers: Option<Secret> = example "\"authorization=Bearer%20…\"" where readable;
        /// The share of traces that is kept, from 0 to 1. Where a trusted proxy
        /// began a trace, its word counts instead.
        sample: Share = default "1.0";
        /// Hosts of one's own that are told of the trace in which they are asked
        /// something (`traceparent`). Nobody else is.
        propagate: Vec<String> = default "[]";
    }
}

impl Telemetry {
    /// Where traces are posted to.
    pub fn url(&self) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?.trim_end_matches('/');
        Some(format!("{endpoint}/v1/traces"))
    }

    /// Names and values of what is sent along.
    pub fn headers(&self) -> Vec<(http::HeaderName, http::HeaderValue)> {
        self.headers.as_ref().and_then(|text| read(&text.0)).unwrap_or_default()
    }
}

fn collector(url: &str) -> Result<(), String> {
    web_address(url)?;
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    // It is shown where settings are; a password belongs into a header.
    if rest.contains(['@', '?', '#']) {
        return Err("holds more than a host, a port and a path; a password goes into telemetry.headers".into());
    }
    Ok(())
}

fn readable(text: &Secret) -> Result<(), String> {
    read(&text.0).map(drop).ok_or_else(|| "is not NAME=VALUE,NAME=VALUE".into())
}

fn read(text: &str) -> Option<Vec<(http::HeaderName, http::HeaderValue)>> {
    let pairs = text.split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let mut value = http::HeaderValue::try_from(decoded(value.trim())?).ok()?;
            value.set_sensitive(true);
            Some((name.trim().parse().ok()?, value))
        })
        .collect()
}

/// RFC 3986 §2.1, as the standard of that variable says it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        out.push(u8::try_from(digit(bytes.next())? * 16 + digit(bytes.next())?).ok()?);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_the_standard_variable_has_them() {
        let found = read("authorization=Bearer%20x%3D, x-team = a ,").unwrap();
        let shown: Vec<_> = found.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(shown, [("authorization", "Bearer x="), ("x-team", "a")]);
        assert!(!format!("{found:?}").contains("Bearer"), "{found:?}");
        for bad in ["authorization", "a b=c", "a=%2", "a=%zz", "a=%0a"] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_share_is_a_number_from_none_to_all() {
        use crate::config::value::Value as _;
        for (text, share) in [("0", 0.0), ("1", 1.0), (" 0.25 ", 0.25)] {
            assert_eq!(Share::from_text(text), Ok(Share(share)));
        }
        assert_eq!(Share::from_toml(&toml::Value::Integer(1)), Ok(Share(1.0)));
        for bad in ["1.1", "-0.1", "NaN", "inf", "all", ""] {
            assert!(Share::from_text(bad).is_err(), "{bad}");
        }
        assert!(Share::from_toml(&toml::Value::String("1".into())).is_err());
    }

    #[test]
    fn an_address_of_a_collector_holds_no_password() {
        assert_eq!(collector("http://127.0.0.1:4318/otlp"), Ok(()));
        for bad in ["http://u:p@host", "https://host/?key=x", "host:4318", "http://"] {
            assert!(collector(bad).is_err(), "{bad}");
        }
    }
}

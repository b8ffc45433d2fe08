use axum::http::{HeaderMap, StatusCode};
use proto::Code;
use serde_json::Value;

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// What the server answered where that need not be text.
#[derive(Debug)]
pub struct Raw {
    pub what: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Raw {
    /// A header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The same, read as text.
    pub fn answer(self) -> Answer {
        let body = String::from_utf8_lossy(&self.body).into_owned();
        Answer { what: self.what, status: self.status, headers: self.headers, body }
    }
}

impl Answer {
    /// The JSON of a success; anything else fails the test.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(self.status.is_success(), "{}: {} {}", self.what, self.status, self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{}: {e}: {}", self.what, self.body))
    }

    /// Fails with just this code, as a well-formed problem; gives the problem.
    #[track_caller]
    pub fn fails(self, code: Code) -> Value {
        let problem = self.json();
        assert_eq!(problem["code"], code.as_str(), "{}: {} {}", self.what, self.status, self.body);
        assert_eq!(self.status.as_u16(), code.status(), "{}", self.what);
        assert_eq!(problem["status"], code.status(), "{}", self.what);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.what);
        assert_eq!(problem["request_id"].as_str(), self.headers["x-request-id"].to_str().ok(), "{}", self.what);
        problem
    }

    /// What an outsider can tell two refusals apart by: status, headers
    /// without those that differ each time, body without the request's id.
    #[track_caller]
    pub fn appearance(&self) -> (u16, Vec<(String, String)>, Value) {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"))
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        headers.sort();
        let mut body = if self.body.is_empty() { Value::Null } else { self.json() };
        if let Some(map) = body.as_object_mut() {
            map.remove("request_id");
        }
        (self.status.as_u16(), headers, body)
    }
}

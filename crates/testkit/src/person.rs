use std::sync::Arc;

use axum::http::{self, Method};
use gateway::testing::Contract;
use proto::UserId;
use serde_json::{Value, json};

use crate::{Answer, Raw, TestServer, TestSocket};

/// Speaks to the server without a session.
#[derive(Clone, Debug)]
pub struct Nobody {
    pub(crate) base: String,
    pub(crate) http: reqwest::Client,
    pub(crate) contract: Arc<Contract>,
}

/// Speaks to the server as somebody, by a bearer token.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub login: String,
    pub id: UserId,
    pub token: String,
    /// The id of the session that the token belongs to.
    pub session: String,
    pub(crate) nobody: Nobody,
}

/// Every person of a test has this password.
pub const PASSWORD: &str = "a quiet magpie on 7 bridges";

impl Nobody {
    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        Answer { what, status, headers, body }
    }

    /// Sends bytes and reads bytes, whatever they are.
    pub async fn raw(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Raw {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap_or_else(|e| panic!("{what}: {e:?}")).to_vec();
        Raw { what, status, headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], None).await
    }

    /// What comes of a body, should it end short.
    pub async fn all_that_comes(&self, path: &str) -> Vec<u8> {
        let what = format!("GET {path}");
        let sent = self.http.get(format!("{}{path}", self.base)).send().await;
        let (mut body, mut got) = (sent.unwrap_or_else(|e| panic!("{what}: {e:?}")), Vec::new());
        while let Ok(Some(bytes)) = body.chunk().await {
            got.extend_from_slice(&bytes);
        }
        got
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path, &[], Some(body)).await
    }

    /// Comes in by a guest link; with the id of the conversation.
    pub async fn enter(&self, code: &str, name: &str) -> (Person, String) {
        let entered = self.post(&format!("/api/v1/guest-links/{code}/enter"), json!({ "name": name })).await.ok();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut guest = Person {
            name: name.to_owned(),
            login: String::new(),
            id: text(&entered["user"]["id"]).parse().expect("the id of a user"),
            token: text(&entered["token"]),
            session: String::new(),
            nobody: self.clone(),
        };
        guest.session = text(&guest.get("/api/v1/me").await.ok()["session"]["id"]);
        (guest, text(&entered["conversation"]))
    }

    /// Makes an account through the API and signs in for a bearer token.
    pub async fn sign_up(&self, name: &str) -> Person {
        let made = self.post("/api/v1/accounts", json!({ "name": name, "password": PASSWORD })).await.ok();
        let login = made["user"]["login"].as_str().expect("the login of a new account").to_owned();
        let session = self
            .post("/api/v1/sessions", json!({ "login": login, "password": PASSWORD, "bearer": true, "device": "test" }))
            .await
            .ok();
        Person {
            name: name.to_owned(),
            login,
            id: session["user"]["id"].as_str().and_then(|id| id.parse().ok()).expect("the id of a user"),
            token: session["token"].as_str().expect("a bearer token").to_owned(),
            session: session["session"]["id"].as_str().expect("the id of a session").to_owned(),
            nobody: self.clone(),
        }
    }
}

impl Person {
    /// The same person on a server that was cast from the one they are on.
    #[must_use]
    pub fn on(&self, server: &TestServer) -> Self {
        Self { nobody: server.nobody().clone(), ..self.clone() }
    }

    pub async fn request(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.request_with(method, path, &[], body).await
    }

    pub async fn request_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.nobody.request(method, path, &headers, body).await
    }

    /// Sends bytes and reads bytes, whatever they are.
    pub async fn raw(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Raw {
        let bearer = format!("Bearer {}", self.token);
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", bearer.as_str())]).collect();
        self.nobody.raw(method, path, &headers, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.request(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.request(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, None).await
    }

    /// Sends bytes that are not JSON.
    pub async fn put_bytes(&self, path: &str, bytes: Vec<u8>) -> Answer {
        let what = format!("PUT {path}");
        let request = self.nobody.http.put(format!("{}{path}", self.nobody.base)).bearer_auth(&self.token).body(bytes);
        let response = request.send().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.unwrap_or_else(|e| panic!("{what}: {e:?}"));
        Answer { what, status, headers, body }
    }

    /// Reads what is not JSON, with its headers.
    pub async fn get_bytes(&self, path: &str) -> (http::HeaderMap, Vec<u8>) {
        let request = self.nobody.http.get(format!("{}{path}", self.nobody.base)).bearer_auth(&self.token);
        let response = request.send().await.unwrap_or_else(|e| panic!("GET {path}: {e:?}"));
        assert!(response.status().is_success(), "GET {path}: {}", response.status());
        let headers = response.headers().clone();
        (headers, response.bytes().await.unwrap_or_else(|e| panic!("GET {path}: {e:?}")).to_vec())
    }

    /// The same session, at another node.
    #[must_use]
    pub fn at(&self, node: &Nobody) -> Self {
        Self { nobody: node.clone(), ..self.clone() }
    }

    /// A second session of the same person.
    pub async fn second_device(&self) -> Self {
        let session = self
            .nobody
            .post(
                "/api/v1/sessions",
                json!({ "login": self.login, "password": PASSWORD, "bearer": true, "device": "second" }),
            )
            .await
            .ok();
        Self {
            token: session["token"].as_str().expect("a bearer token").to_owned(),
            session: session["session"]["id"].as_str().expect("the id of a session").to_owned(),
            ..self.clone()
        }
    }

    /// Connects and says hello without anything to resume; returns once live.
    pub async fn socket(&self) -> TestSocket {
        let mut socket = TestSocket::connect(&self.nobody, &self.token).await;
        socket.send(json!({ "t": "hello", "api": 1, "client": "test" })).await;
        socket.until(|v| v["t"] == "resumed").await;
        socket
    }

    /// As a browser's page without a cookie does: the token is offered as a
    /// protocol.
    pub async fn socket_of_page(&self) -> TestSocket {
        let offer = format!("magpie, bearer.{}", self.token);
        let mut socket = TestSocket::try_connect(&self.nobody, &[("sec-websocket-protocol", &offer)])
            .await
            .expect("the upgrade is accepted");
        socket.send(json!({ "t": "hello", "api": 1, "client": "test" })).await;
        socket.until(|v| v["t"] == "resumed").await;
        socket
    }

    /// Connects and resumes from what the test says it knows.
    pub async fn resume(&self, resume: Value) -> TestSocket {
        let mut socket = TestSocket::connect(&self.nobody, &self.token).await;
        socket.send(json!({ "t": "hello", "api": 1, "client": "test", "resume": resume })).await;
        socket
    }
}

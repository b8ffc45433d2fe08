//! How messages leave this server: e-mail by SMTP, text messages by an HTTP
//! gateway that the operator describes. What is not configured goes to the log.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use egress::{Client, Request};
use http::{HeaderName, HeaderValue, Method, header};
use kernel::{Answered, Channel, Delivery, LogOnly, NoAnswer, Outgoing, Posting, Sending, Verb};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use parking_lot::RwLock;
use proto::Error;

/// How long a mail server or a gateway may take for one message.
const TIME: Duration = Duration::from_secs(15);

/// Text that no log shows.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct Mail {
    /// `smtps://user:password@host`, or `smtp://…?tls=required`.
    pub url: Secret,
    /// `Magpie <magpie@example.org>`.
    pub from: String,
}

/// An HTTP gateway for text messages. `{to}`, `{text}` and, in headers and
/// body, `{secret}` are filled in: escaped as JSON, or for a form as one.
#[derive(Clone, Debug)]
pub struct Sms {
    pub url: String,
    pub method: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    pub secret: Secret,
    /// Text that the answer holds where the message was taken.
    pub success: Option<String>,
}

/// Carries messages as the configuration says, which may change.
pub struct Carrier(RwLock<Arc<Ways>>);

struct Ways {
    mail: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
    sms: Option<(Client, Gateway)>,
    /// For addresses that people name.
    web: Client,
}

struct Gateway {
    config: Sms,
    method: Method,
    headers: Vec<(HeaderName, String)>,
    form: bool,
}

impl Carrier {
    /// Reads addresses and templates; nothing is connected to yet. Addresses
    /// that people name may lead to what is public, and to `outgoing`: each a
    /// network, an address or the name of a host.
    pub fn new(mail: Option<&Mail>, sms: Option<&Sms>, outgoing: &[String]) -> Result<Self> {
        Ok(Self(RwLock::new(Arc::new(Ways::new(mail, sms, outgoing)?))))
    }

    /// Carries what comes from now on otherwise.
    pub fn change(&self, mail: Option<&Mail>, sms: Option<&Sms>, outgoing: &[String]) -> Result<()> {
        *self.0.write() = Arc::new(Ways::new(mail, sms, outgoing)?);
        Ok(())
    }

    /// Connects to the mail server, greets it and signs in; sends nothing.
    pub async fn try_mail(&self) -> Result<()> {
        self.ways().try_mail().await
    }

    /// Connects to the gateway for text messages; asks it nothing.
    pub async fn try_sms(&self) -> Result<()> {
        self.ways().try_sms().await
    }

    fn ways(&self) -> Arc<Ways> {
        self.0.read().clone()
    }
}

impl Ways {
    fn new(mail: Option<&Mail>, sms: Option<&Sms>, outgoing: &[String]) -> Result<Self> {
        Ok(Self {
            mail: mail.map(smtp).transpose()?,
            sms: sms.map(gateway).transpose()?,
            web: Client::new(permitted(outgoing))?,
        })
    }

    async fn posted(&self, out: Outgoing) -> std::result::Result<Answered, NoAnswer> {
        let mut request = Request::post(out.url, out.body);
        if out.verb == Verb::Delete {
            request.method = Method::DELETE;
        }
        (request.timeout, request.max_body_bytes) = (Some(TIME.min(out.within)), Some(64 << 10));
        for (name, value) in out.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| NoAnswer::Refused)?;
            request = request.header(HeaderName::from_static(name), value);
        }
        let answer = self.web.send(request).await.map_err(|error| {
            tracing::debug!(%error, "an address that somebody named did not answer");
            match error {
                egress::Error::BadUrl(_) | egress::Error::Refused(_) | egress::Error::TooManyRedirects(_) => {
                    NoAnswer::Refused
                }
                egress::Error::TimedOut { .. } => NoAnswer::TimedOut,
                _ => NoAnswer::Unreachable,
            }
        })?;
        Ok(Answered { status: answer.status.as_u16(), body: answer.body.to_vec() })
    }

    async fn try_mail(&self) -> Result<()> {
        let Some((transport, _)) = &self.mail else { bail!("no mail server is configured") };
        if transport.test_connection().await? { Ok(()) } else { bail!("the mail server ended the connection") }
    }

    async fn try_sms(&self) -> Result<()> {
        let Some((_, gateway)) = &self.sms else { bail!("no gateway is configured") };
        // What is filled in is no part of an address that can be read.
        let url = gateway.config.url.replace(['{', '}'], "");
        let uri: http::Uri = url.parse().context("sms.url")?;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let connecting =
            tokio::time::timeout(TIME.min(Duration::from_secs(5)), tokio::net::TcpStream::connect((host, port)));
        connecting.await.map_err(|_| anyhow!("{host} does not answer"))?.with_context(|| host.to_owned())?;
        Ok(())
    }

    async fn mail(&self, to: &str, subject: &str, text: &str) -> Result<()> {
        let Some((transport, from)) = &self.mail else { bail!("no mail server is configured") };
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.parse().context("the address of a message")?))
            .subject(subject)
            // RFC 3834: nobody's holiday notice is to answer.
            .raw_header(auto_submitted())
            .header(ContentType::TEXT_PLAIN)
            .body(text.to_owned())?;
        transport.send(message).await.context("the mail server did not take a message")?;
        Ok(())
    }

    async fn text(&self, to: &str, text: &str) -> Result<()> {
        let Some((client, gateway)) = &self.sms else { bail!("no gateway is configured") };
        let url = gateway.config.url.replace("{to}", &percent(to)).replace("{text}", &percent(text));
        let mut request = Request::post(url, gateway.body(to, text));
        request.method = gateway.method.clone();
        request.timeout = Some(TIME);
        for (name, value) in &gateway.headers {
            let value = value.replace("{secret}", &gateway.config.secret.0);
            request = request.header(name.clone(), HeaderValue::from_str(&value).context("a header of the gateway")?);
        }
        let answer = client.send(request).await?;
        let taken = gateway.config.success.as_ref().is_none_or(|word| {
            // Bounded by the client.
            String::from_utf8_lossy(&answer.body).contains(word.as_str())
        });
        if !answer.status.is_success() || !taken {
            bail!("the gateway did not take a message: it answered {}", answer.status);
        }
        Ok(())
    }
}

impl Gateway {
    fn body(&self, to: &str, text: &str) -> String {
        let escape = |text: &str| {
            if self.form {
                return percent(text);
            }
            let quoted = serde_json::Value::from(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        // In one pass: what is filled in is not looked at again.
        let mut out = String::new();
        let mut rest = self.config.body.as_str();
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let places = [("{to}", to), ("{text}", text), ("{secret}", self.config.secret.0.as_str())];
            if let Some((place, value)) = places.iter().find(|(place, _)| rest.starts_with(place)) {
                out.push_str(&escape(value));
                rest = &rest[place.len()..];
            } else {
                out.push('{');
                rest = &rest[1..];
            }
        }
        out + rest
    }
}

/// What is a network or an address is one, all else is a name.
fn permitted(outgoing: &[String]) -> egress::Config {
    let mut rules = egress::Config::default();
    for text in outgoing {
        let address = text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from).ok();
        match text.parse::<ipnet::IpNet>().ok().or(address) {
            Some(network) => rules.allow_networks.push(network),
            None => rules.allow_hosts.push(text.clone()),
        }
    }
    rules
}

fn auto_submitted() -> lettre::message::header::HeaderValue {
    use lettre::message::header::{HeaderName, HeaderValue};
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into())
}

fn smtp(mail: &Mail) -> Result<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)> {
    let url = &mail.url.0;
    let clear = url.starts_with("smtp://") && !url.contains("tls=required");
    // lettre speaks TLS only where it is asked to: a password is worth asking.
    if clear && url.contains('@') && !["@localhost", "@127.0.0.1", "@[::1]"].iter().any(|here| url.contains(here)) {
        bail!("mail.url: a password would cross the network in clear text; use smtps:// or add ?tls=required");
    }
    // No pool of connections: codes are few. The error would hold the password.
    let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
        .map_err(|_| anyhow!("mail.url: is not smtp://… or smtps://…"))?;
    let from = mail.from.parse().map_err(|_| anyhow!("mail.from: {:?} is not a mailbox", mail.from))?;
    Ok((builder.timeout(Some(TIME)).build(), from))
}

fn gateway(sms: &Sms) -> Result<(Client, Gateway)> {
    let host = sms.url.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    let host = host.filter(|h| !h.is_empty()).ok_or_else(|| anyhow!("sms.url: is not http://… or https://…"))?;
    let bare = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    // Naming it in the configuration is permission to reach it, also inside.
    let rules = egress::Config { allow_hosts: vec![bare.to_owned()], max_body_bytes: 64 << 10, ..Default::default() };
    let method = sms.method.parse().map_err(|_| anyhow!("sms.method: {:?} is not a method", sms.method))?;
    let mut headers = Vec::new();
    for (name, value) in &sms.headers {
        let name: HeaderName = name.parse().map_err(|_| anyhow!("sms.headers: {name:?} is not a name"))?;
        HeaderValue::from_str(value).map_err(|_| anyhow!("sms.headers: the value of {name} cannot be sent"))?;
        headers.push((name, value.clone()));
    }
    let form = headers.iter().any(|(name, value)| name == header::CONTENT_TYPE && value.contains("form-urlencoded"));
    Ok((Client::new(rules)?, Gateway { config: sms.clone(), method, headers, form }))
}

/// RFC 3986's unreserved characters stay.
fn percent(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

impl Delivery for Carrier {
    fn can(&self, channel: Channel) -> bool {
        let ways = self.ways();
        match channel {
            Channel::Email => ways.mail.is_some(),
            Channel::Sms => ways.sms.is_some(),
        }
    }

    fn email<'a>(&'a self, to: &'a str, subject: &'a str, text: &'a str) -> Sending<'a> {
        let ways = self.ways();
        if ways.mail.is_none() {
            return LogOnly.email(to, subject, text);
        }
        Box::pin(async move { ways.mail(to, subject, text).await.map_err(|e| Error::internal(format!("{e:#}"))) })
    }

    fn sms<'a>(&'a self, to: &'a str, text: &'a str) -> Sending<'a> {
        let ways = self.ways();
        if ways.sms.is_none() {
            return LogOnly.sms(to, text);
        }
        Box::pin(async move { ways.text(to, text).await.map_err(|e| Error::internal(format!("{e:#}"))) })
    }

    fn post(&self, out: Outgoing) -> Posting<'_> {
        let ways = self.ways();
        Box::pin(async move { ways.posted(out).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sms(body: &str, kind: &str) -> Sms {
        Sms {
            url: "https://sms.example/send".into(),
            method: "POST".into(),
            headers: [("content-type".to_owned(), kind.to_owned())].into(),
            body: body.into(),
            secret: Secret("{to}\"".into()),
            success: None,
        }
    }

    #[test]
    fn what_is_filled_in_cannot_change_the_form_of_the_body() {
        let (_, json) =
            gateway(&sms(r#"{"to":"{to}","text":"{text}","key":"{secret}","n":{}}"#, "application/json")).unwrap();
        let body = json.body("+86138", "a\"},{text}\\ \n你");
        assert_eq!(body, r#"{"to":"+86138","text":"a\"},{text}\\ \n你","key":"{to}\"","n":{}}"#);
        let (_, form) = gateway(&sms("to={to}&text={text}", "application/x-www-form-urlencoded")).unwrap();
        assert_eq!(form.body("+86138", "a&b=你"), "to=%2B86138&text=a%26b%3D%E4%BD%A0");
    }

    #[test]
    fn a_password_does_not_cross_the_network_in_clear_text_and_is_in_no_error() {
        let of = |url: &str| smtp(&Mail { url: Secret(url.into()), from: "Magpie <m@example.org>".into() });
        for good in [
            "smtps://u:p@mail.example.org",
            "smtp://u:p@mail.example.org:587?tls=required",
            "smtp://mail.example.org",
            "smtp://u:p@localhost",
        ] {
            of(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        for bad in [
            "smtp://u:hidden@mail.example.org",
            "smtp://u:hidden@mail.example.org?tls=opportunistic",
            "imap://u:hidden@x",
        ] {
            let error = of(bad).map(drop).unwrap_err();
            assert!(!format!("{error:#}{error:?}").contains("hidden"), "{bad}");
        }
        assert!(smtp(&Mail { url: Secret("smtp://localhost".into()), from: "nobody".into() }).is_err());
        assert!(!format!("{:?}", Secret("hidden".into())).contains("hidden"));
    }
}

//! The ways out, one file each. A rung checks an address when it is put up and
//! tells a notice to it; what it may reach and how often it is asked to is
//! decided outside.

mod bark;
mod bots;
mod email;
mod encryption;
mod ntfy;
mod sms;
pub(crate) mod socket;
pub(crate) mod vapid;
mod web_push;

use std::{future::Future, pin::Pin, time::Duration};

use identity::SeenContact;
use kernel::{Answered, Kernel, NoAnswer, Outgoing, Verb};
use proto::{Code, Error, Millis, Result, limits};

use crate::model::{Fault, NewRung, RungKind, Target, words::Say};

/// What a rung may use to tell.
pub(crate) struct Outside<'a> {
    pub(crate) kernel: &'a Kernel,
    /// Absent where it is sealed by a key that is not here.
    pub(crate) vapid: Option<&'a vapid::Vapid>,
    /// Verified addresses of the person who is told.
    pub(crate) contacts: &'a [SeenContact],
}

pub(crate) type Telling<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// A way to reach somebody.
pub(crate) trait Rung: Send + Sync {
    fn kind(&self) -> RungKind;
    /// How long it is given before the rung above it is tried.
    fn wait(&self) -> Millis {
        2 * MINUTE
    }
    /// It tells at most so often.
    fn gap(&self) -> Millis;
    /// Whether this server can use it.
    fn available(&self, _: &Kernel) -> bool {
        true
    }
    /// What can be done about a notice that stands on the device.
    fn changes(&self) -> Changes {
        Changes::Not
    }
    /// Conversations with words in one notice.
    fn items(&self) -> usize {
        1
    }
    /// Reads what was asked for.
    fn check(&self, new: &NewRung, contacts: &[SeenContact]) -> Result<Target>;
    /// As much of the address as may be shown.
    fn hint(&self, target: &Target) -> String {
        hint(&target.address)
    }
    /// Tells a notice. The address may be told the same twice, with the same
    /// key: an answer may be lost.
    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a>;
}

/// What a rung can do about notices that it told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    Not,
    /// A later notice of a conversation takes the place of the one before it.
    Last,
    /// Each stands until it is changed itself.
    Each,
}

/// How long an address may take, and how long where nothing new is told.
const TIME: Duration = Duration::from_secs(15);
const TIME_TO_CHANGE: Duration = Duration::from_secs(5);

pub(crate) const SECOND: Millis = 1_000;
pub(crate) const MINUTE: Millis = 60 * SECOND;

pub(crate) const ALL: [&dyn Rung; 8] = [
    &web_push::WebPush,
    &ntfy::Ntfy,
    &bark::Bark,
    &bots::Bot::Wecom,
    &bots::Bot::Dingtalk,
    &bots::Bot::Feishu,
    &email::Email,
    &sms::Sms,
];

pub(crate) fn of(kind: RungKind) -> &'static dyn Rung {
    match kind {
        RungKind::WebPush => &web_push::WebPush,
        RungKind::Ntfy => &ntfy::Ntfy,
        RungKind::Bark => &bark::Bark,
        RungKind::Wecom => &bots::Bot::Wecom,
        RungKind::Dingtalk => &bots::Bot::Dingtalk,
        RungKind::Feishu => &bots::Bot::Feishu,
        RungKind::Email => &email::Email,
        RungKind::Sms => &sms::Sms,
    }
}

/// An address on the web, without credentials of its own.
fn web_address(field: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.chars().count() > limits::RUNG_ADDRESS_CHARS {
        return Err(Error::too_long(field, limits::RUNG_ADDRESS_CHARS));
    }
    let host = host(text).filter(|host| !host.is_empty() && !host.contains('@'));
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    if host.is_none() || !plain {
        return Err(Error::field(Code::InvalidField, field));
    }
    Ok(text.to_owned())
}

/// `host:port` of an http or https address.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    Some(rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// `scheme://host:port`.
fn origin(url: &str) -> Option<&str> {
    let end = url.find("://")? + 3 + host(url)?.len();
    url.get(..end)
}

/// Whose server it is, and the end of the address to tell two apart: what lies
/// between often is the key to it.
fn hint(address: &str) -> String {
    let tail: Vec<char> = address.chars().rev().take(4).collect();
    let tail: String = tail.into_iter().rev().collect();
    match host(address) {
        Some(host) if address.len() > host.len() + 16 => format!("{host}/…{tail}"),
        Some(host) => host.to_owned(),
        None => address.to_owned(),
    }
}

/// No signing secret where a rung has none.
fn nothing_else(new: &NewRung) -> Result<()> {
    let named = [("secret", &new.secret), ("p256dh", &new.p256dh), ("auth", &new.auth)];
    match named.into_iter().find(|(_, value)| value.is_some()) {
        Some((field, _)) => Err(Error::field(Code::InvalidField, field)),
        None => Ok(()),
    }
}

/// A token or signing secret, empty as if left out.
fn secret(new: &NewRung) -> Result<Option<String>> {
    let Some(text) = new.secret.as_deref().map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.len() > 200 || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(Error::field(Code::InvalidField, "secret"));
    }
    Ok(Some(text.to_owned()))
}

/// A verified address of the person's own.
fn own(new: &NewRung, contacts: &[SeenContact], kind: identity::ContactKind) -> Result<Target> {
    nothing_else(new)?;
    let address = new.address.trim().to_owned();
    if !is_own(&address, contacts, kind) {
        return Err(Error::field(Code::ContactUnverified, "address"));
    }
    Ok(Target { address, secret: None, p256dh: None, auth: None })
}

fn is_own(address: &str, contacts: &[SeenContact], kind: identity::ContactKind) -> bool {
    contacts.iter().any(|c| c.kind == kind && c.address == address)
}

/// Posts JSON.
async fn post_json(out: &Outside<'_>, say: &Say, url: &str, body: &serde_json::Value) -> Result<Answered, Fault> {
    let headers = vec![("content-type", "application/json".to_owned())];
    post(out, say, url, headers, body.to_string().into_bytes()).await
}

/// Posts, and takes every answer that says yes.
async fn post(
    out: &Outside<'_>,
    say: &Say,
    url: &str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Result<Answered, Fault> {
    ask(out, say, Verb::Post, url, headers, body).await
}

async fn ask(
    out: &Outside<'_>,
    say: &Say,
    verb: Verb,
    url: &str,
    mut headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
) -> Result<Answered, Fault> {
    headers.push(("idempotency-key", say.id.to_string()));
    let within = if say.back.is_some() { TIME_TO_CHANGE } else { TIME };
    let answered = out.kernel.delivery.post(Outgoing { verb, url: url.to_owned(), headers, body, within }).await;
    let answered = answered.map_err(|why| match why {
        NoAnswer::Refused => Fault::Refused,
        NoAnswer::TimedOut => Fault::TimedOut,
        NoAnswer::Unreachable => Fault::Unreachable,
        NoAnswer::Unavailable => Fault::Unavailable,
    })?;
    match answered.status {
        200..=299 => Ok(answered),
        404 | 410 => Err(Fault::Gone),
        _ => Err(Fault::Rejected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_on_the_web_and_carries_no_password() {
        for good in ["https://ntfy.example/topic", "http://10.0.0.2:8080/a?b=c", "https://x.example"] {
            assert_eq!(web_address("address", good).unwrap(), good);
        }
        for bad in
            ["", "ftp://x/y", "https://", "https://u:p@x.example/", "https://x.example/a b", "x.example", "https:///x"]
        {
            assert!(web_address("address", bad).is_err(), "{bad}");
        }
        assert_eq!(origin("https://push.example:8443/a/b"), Some("https://push.example:8443"));
    }

    #[test]
    fn what_is_shown_of_an_address_does_not_open_it() {
        assert_eq!(
            hint("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693axxx-abcd"),
            "qyapi.weixin.qq.com/…abcd"
        );
        assert_eq!(hint("https://ntfy.sh/a"), "ntfy.sh");
    }
}

//! Web Push: a message only the browser can read (RFC 8291), from a server the
//! push service knows again (RFC 8292). The browser shows it, counts it on the
//! icon, and acknowledges it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::SeenContact;
use p256::PublicKey;
use proto::{Code, Error, Millis, Result};
use serde_json::json;

use super::{
    Changes, Outside, Rung, SECOND, Telling,
    encryption::{self, Receiver},
    origin, post,
    vapid::fresh,
    web_address,
};
use crate::model::{Fault, NewRung, RungKind, Target, words::Say};

pub(crate) struct WebPush;

/// A push service keeps what it cannot deliver for so long, in seconds.
const TTL: u32 = 24 * 3_600;
/// Conversations with words in one message, and those it names as waiting.
const ITEMS: usize = 4;
const OPEN: usize = 30;

fn receiver(target: &Target) -> Option<Receiver> {
    let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?.trim_end_matches('=')).ok();
    let key = PublicKey::from_sec1_bytes(&bytes(&target.p256dh)?).ok()?;
    Some(Receiver { key, auth: bytes(&target.auth)?.try_into().ok()? })
}

/// What the service worker reads.
fn message(say: &Say) -> Vec<u8> {
    let items: Vec<_> = say.items.iter().take(ITEMS).collect();
    let items: Vec<_> = items
        .iter()
        .map(
            |item| json!({ "conversation": item.conversation, "title": short(&item.title), "text": short(&item.text) }),
        )
        .collect();
    let open: Vec<_> = say.open.iter().take(OPEN).collect();
    json!({
        "v": 1, "notice": say.notice, "badge": say.badge, "items": items, "open": open, "more": say.open.len() > OPEN,
        "test": say.test, "withdrawn": say.back.is_some(),
    })
    .to_string()
    .into_bytes()
}

/// A push service keeps the last of each topic (RFC 8030 §5.4, at most 32
/// characters): of two that waited the newer says it all. One that takes
/// something back does not say the rest.
fn topic(say: &Say) -> String {
    match say.items.first().filter(|_| say.back.is_some()) {
        Some(item) => item.conversation.0.simple().to_string(),
        None if say.test => "test".to_owned(),
        None => "waiting".to_owned(),
    }
}

/// So that four of them fit in one message, whatever they are made of.
fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

impl Rung for WebPush {
    fn kind(&self) -> RungKind {
        RungKind::WebPush
    }

    fn gap(&self) -> Millis {
        3 * SECOND
    }

    fn changes(&self) -> Changes {
        Changes::Last
    }

    fn items(&self) -> usize {
        ITEMS
    }

    fn check(&self, new: &NewRung, _: &[SeenContact]) -> Result<Target> {
        let address = web_address("address", &new.address)?;
        let (p256dh, auth) = (new.p256dh.clone(), new.auth.clone());
        let target = Target { address, secret: None, p256dh, auth };
        if new.secret.is_some() {
            return Err(Error::field(Code::InvalidField, "secret"));
        }
        if receiver(&target).is_none() {
            return Err(Error::field(Code::InvalidField, "p256dh"));
        }
        Ok(target)
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            let Some(vapid) = out.vapid else { return Err(Fault::Locked) };
            let sealed = || {
                let to = receiver(target)?;
                let own = fresh(out.kernel).ok()?;
                encryption::seal(&to, &own, out.kernel.random(), &message(say)).ok()
            };
            let (Some(body), Some(audience)) = (sealed(), origin(&target.address)) else {
                return Err(Fault::Rejected);
            };
            let subject = &out.kernel.config.public_url;
            let subject = if subject.starts_with("https://") { subject.as_str() } else { "mailto:magpie@localhost" };
            let headers = vec![
                ("authorization", vapid.header(audience, subject, say.at)),
                ("content-encoding", "aes128gcm".to_owned()),
                ("content-type", "application/octet-stream".to_owned()),
                ("ttl", TTL.to_string()),
                ("urgency", if say.back.is_some() { "low" } else { "high" }.to_owned()),
                ("topic", topic(say)),
            ];
            post(out, say, &target.address, headers, body).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::ConversationId;
    use uuid::Uuid;

    use super::*;
    use crate::model::words::Item;

    #[test]
    fn the_longest_message_fits() {
        let long = "\u{1f5a5}".repeat(300);
        let item = Item { conversation: ConversationId(Uuid::max()), title: long.clone(), text: format!("\"\\{long}") };
        let say = Say {
            id: Uuid::nil(),
            notice: Uuid::nil(),
            at: 0,
            items: vec![item; 9],
            open: vec![ConversationId(Uuid::max()); 90],
            badge: i64::MAX,
            url: String::new(),
            server: String::new(),
            chinese: true,
            test: false,
            back: None,
            stands: 0,
        };
        assert!(message(&say).len() <= encryption::MOST, "{}", message(&say).len());
    }
}

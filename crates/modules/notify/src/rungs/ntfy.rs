//! ntfy and `UnifiedPush`: a POST to the address of a topic, its text as the
//! body. A `UnifiedPush` distributor that is no ntfy shows the body alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use identity::SeenContact;
use kernel::Verb;
use proto::{Millis, Result};

use super::{Changes, Outside, Rung, SECOND, Telling, ask, secret, web_address};
use crate::model::{
    NewRung, RungKind, Target,
    words::{Back, Say},
};

pub(crate) struct Ntfy;

/// The address of one notice: `https://server/topic/place`.
fn of_notice(address: &str, place: &str) -> String {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let (topic, rest) = address.split_at(end);
    let rest = rest.split('#').next().unwrap_or_default();
    format!("{}/{place}{rest}", topic.trim_end_matches('/'))
}

impl Rung for Ntfy {
    fn kind(&self) -> RungKind {
        RungKind::Ntfy
    }

    fn gap(&self) -> Millis {
        5 * SECOND
    }

    fn changes(&self) -> Changes {
        Changes::Each
    }

    fn check(&self, new: &NewRung, _: &[SeenContact]) -> Result<Target> {
        let address = web_address("address", &new.address)?;
        Ok(Target { address, secret: secret(new)?, p256dh: None, auth: None })
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            // By it a notice can be changed where it stands, or taken away (ntfy 2.16 and later).
            let place = say.items.first().map(|item| format!("{}-{}", item.conversation, say.stands));
            let secret = target.secret.as_ref().map(|token| ("authorization", format!("Bearer {token}")));
            if let Some(place) = place.as_ref().filter(|_| say.back == Some(Back::Away)) {
                let url = of_notice(&target.address, place);
                return ask(out, say, Verb::Delete, &url, secret.into_iter().collect(), Vec::new()).await.map(drop);
            }
            let mut headers = vec![
                ("content-type", "text/plain; charset=utf-8".to_owned()),
                // A header is ASCII: RFC 2047, which ntfy reads.
                ("title", format!("=?UTF-8?B?{}?=", STANDARD.encode(say.title()))),
                ("click", say.url.clone()),
            ];
            headers.extend(place.map(|place| ("x-sequence-id", place)));
            if say.back.is_some() {
                headers.push(("priority", "min".to_owned()));
            }
            headers.extend(secret);
            ask(out, say, Verb::Post, &target.address, headers, say.text().into_bytes()).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_has_an_address_below_its_topic() {
        assert_eq!(of_notice("https://ntfy.example/topic", "c-1"), "https://ntfy.example/topic/c-1");
        assert_eq!(of_notice("https://ntfy.example/topic/?auth=x", "c-1"), "https://ntfy.example/topic/c-1?auth=x");
        // What a fragment hides from the server is no part of what is taken away.
        assert_eq!(of_notice("http://10.0.0.2/a#", "c-1"), "http://10.0.0.2/a/c-1");
        assert_eq!(of_notice("http://10.0.0.2/a?b#c", "c-1"), "http://10.0.0.2/a/c-1?b");
    }
}

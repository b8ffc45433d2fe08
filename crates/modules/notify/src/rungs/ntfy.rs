//! ntfy and `UnifiedPush`: a POST to the address of a topic, its text as the
//! body. A `UnifiedPush` distributor that is no ntfy shows the body alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use identity::SeenContact;
use proto::{Millis, Result};

use super::{Outside, Rung, SECOND, Telling, post, secret, web_address};
use crate::model::{NewRung, RungKind, Target, words::Say};

pub(crate) struct Ntfy;

impl Rung for Ntfy {
    fn kind(&self) -> RungKind {
        RungKind::Ntfy
    }

    fn gap(&self) -> Millis {
        5 * SECOND
    }

    fn changes(&self) -> bool {
        true
    }

    fn check(&self, new: &NewRung, _: &[SeenContact]) -> Result<Target> {
        let address = web_address("address", &new.address)?;
        Ok(Target { address, secret: secret(new)?, p256dh: None, auth: None })
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            let mut headers = vec![
                ("content-type", "text/plain; charset=utf-8".to_owned()),
                // A header is ASCII: RFC 2047, which ntfy reads.
                ("title", format!("=?UTF-8?B?{}?=", STANDARD.encode(say.title()))),
                ("click", say.url.clone()),
            ];
            if let Some(item) = say.items.first() {
                // By it a notice can be changed where it stands (ntfy 2.16 and later).
                headers.push(("x-sequence-id", format!("{}-{}", item.conversation, say.stands)));
            }
            if say.withdrawn {
                headers.push(("priority", "min".to_owned()));
            }
            if let Some(token) = &target.secret {
                headers.push(("authorization", format!("Bearer {token}")));
            }
            post(out, say, &target.address, headers, say.text().into_bytes()).await.map(drop)
        })
    }
}

//! Bark: an app for iPhones whose server takes JSON. The address is the one
//! that the app shows: the server, and the device's key as the last part.

use identity::SeenContact;
use proto::{Code, Error, Millis, Result};
use serde_json::json;

use super::{Changes, Outside, Rung, SECOND, Telling, nothing_else, post_json, web_address};
use crate::model::{NewRung, RungKind, Target, words::Say};

pub(crate) struct Bark;

/// Server and key of `https://api.day.app/KEY`, whatever stands behind the key.
fn parts(address: &str) -> Option<(&str, &str)> {
    let start = address.find("://")? + 3;
    let slash = start + address.get(start..)?.find('/')?;
    let key = address.get(slash + 1..)?.split(['/', '?', '#']).next()?;
    (!key.is_empty()).then_some((address.get(..slash)?, key))
}

impl Rung for Bark {
    fn kind(&self) -> RungKind {
        RungKind::Bark
    }

    fn gap(&self) -> Millis {
        5 * SECOND
    }

    fn changes(&self) -> Changes {
        Changes::Last
    }

    fn check(&self, new: &NewRung, _: &[SeenContact]) -> Result<Target> {
        nothing_else(new)?;
        let address = web_address("address", &new.address)?;
        let Some((server, key)) = parts(&address) else { return Err(Error::field(Code::InvalidField, "address")) };
        Ok(Target { address: format!("{server}/{key}"), secret: None, p256dh: None, auth: None })
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            let (server, key) = parts(&target.address).unwrap_or_default();
            let level = if say.back.is_some() { "passive" } else { "active" };
            let body = json!({
                "device_key": key, "title": say.title(), "body": say.text(), "url": say.url, "badge": say.badge,
                "group": say.server, "level": level, "id": say.items.first().map(|item| item.conversation),
            });
            post_json(out, say, &format!("{server}/push"), &body).await.map(drop)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_taken_out_of_what_the_app_shows() {
        assert_eq!(parts("https://api.day.app/KEY/这里"), Some(("https://api.day.app", "KEY")));
        assert_eq!(parts("http://10.0.0.2:8080/KEY?x=1"), Some(("http://10.0.0.2:8080", "KEY")));
        assert_eq!(parts("https://api.day.app/"), None);
        assert_eq!(parts("https://api.day.app"), None);
    }
}

//! Robots of groups in WeCom, DingTalk and Feishu: a person's own group with a
//! robot in it reaches a phone that has nothing else. Forms and signatures as
//! their makers describe them for custom robots; each answers 200 also where
//! it refuses, and says so in its JSON.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use identity::SeenContact;
use kernel::Answered;
use proto::{Millis, Result};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{MINUTE, Outside, Rung, Telling, nothing_else, post_json, secret, web_address};
use crate::model::{Fault, NewRung, RungKind, Target, words::Say};

/// A robot takes 20 messages a minute; so does the person who reads them.
const GAP: Millis = 15 * super::SECOND;

pub(crate) enum Bot {
    Wecom,
    Dingtalk,
    Feishu,
}

fn mac(key: &str, text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// DingTalk signs `time\nsecret` with the secret; the time is in milliseconds
/// and both stand in the address.
fn dingtalk(address: &str, secret: Option<&str>, now: Millis) -> String {
    let Some(secret) = secret else { return address.to_owned() };
    let sign = mac(secret, &format!("{now}\n{secret}"));
    let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}timestamp={now}&sign={sign}")
}

/// Feishu signs nothing with `time\nsecret` as the key; the time is in seconds
/// and both stand in the body.
fn feishu(text: &str, secret: Option<&str>, now: Millis) -> Value {
    let mut body = json!({ "msg_type": "text", "content": { "text": text } });
    if let Some(secret) = secret {
        let time = now / 1_000;
        body["timestamp"] = time.to_string().into();
        body["sign"] = mac(&format!("{time}\n{secret}"), "").into();
    }
    body
}

/// 200 is not yes: the code in the body must be 0.
fn taken(answered: &Answered) -> Result<(), Fault> {
    let body: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    let code = ["errcode", "code", "StatusCode"].into_iter().find_map(|name| body[name].as_i64());
    if code == Some(0) { Ok(()) } else { Err(Fault::Rejected) }
}

impl Rung for Bot {
    fn kind(&self) -> RungKind {
        match self {
            Self::Wecom => RungKind::Wecom,
            Self::Dingtalk => RungKind::Dingtalk,
            Self::Feishu => RungKind::Feishu,
        }
    }

    fn wait(&self) -> Millis {
        5 * MINUTE
    }

    fn gap(&self) -> Millis {
        GAP
    }

    fn check(&self, new: &NewRung, _: &[SeenContact]) -> Result<Target> {
        let address = web_address("address", &new.address)?;
        let secret = match self {
            Self::Wecom => {
                nothing_else(new)?;
                None
            }
            Self::Dingtalk | Self::Feishu => secret(new)?,
        };
        Ok(Target { address, secret, p256dh: None, auth: None })
    }

    fn tell<'a>(&'a self, out: &'a Outside<'a>, target: &'a Target, say: &'a Say) -> Telling<'a> {
        Box::pin(async move {
            let (text, secret) = (say.letter(), target.secret.as_deref());
            let plain = json!({ "msgtype": "text", "text": { "content": text } });
            let (url, body) = match self {
                Self::Wecom => (target.address.clone(), plain),
                Self::Dingtalk => (dingtalk(&target.address, secret, say.at), plain),
                Self::Feishu => (target.address.clone(), feishu(&text, secret, say.at)),
            };
            taken(&post_json(out, say, &url, &body).await?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf '%s\n%s' TIME SECRET | openssl dgst -sha256 -hmac SECRET -binary | base64`,
    /// and for Feishu with the two as the key and nothing as the text.
    #[test]
    fn signatures_are_those_the_makers_describe() {
        assert_eq!(
            dingtalk("https://oapi.dingtalk.com/robot/send?access_token=a", Some("SECabc"), 1_700_000_000_000),
            "https://oapi.dingtalk.com/robot/send?access_token=a&timestamp=1700000000000&sign=jcUpW0QmtKduN03n4JqQ0PBosVjqnM8gU7fIIvsDmCM%3D"
        );
        let body = feishu("x", Some("abc"), 1_700_000_000_999);
        assert_eq!(
            (body["timestamp"].as_str(), body["sign"].as_str()),
            (Some("1700000000"), Some("VIS10b0EBvzzSdFnuk4tznEmK5wHaruvf/WnViv2yR4="))
        );
    }

    #[test]
    fn an_answer_of_200_that_refuses_is_no_success() {
        let answer = |body: &str| taken(&Answered { status: 200, body: body.into() });
        assert_eq!(answer(r#"{"errcode":0,"errmsg":"ok"}"#), Ok(()));
        assert_eq!(answer(r#"{"StatusCode":0,"StatusMessage":"success","code":0}"#), Ok(()));
        assert_eq!(answer(r#"{"errcode":310000,"errmsg":"sign not match"}"#), Err(Fault::Rejected));
        assert_eq!(answer("<html>"), Err(Fault::Rejected));
    }
}

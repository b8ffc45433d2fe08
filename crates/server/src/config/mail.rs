//! How messages leave: a mail server, a gateway for text messages.

use std::collections::BTreeMap;

use super::{read::Reader, setting::settings};
use crate::delivery::{self, Carrier, Secret};

settings! {
    /// A mail server, for codes that prove an address or open an account
    /// again. Without one such messages stand in the log only.
    Mail at "mail" {
        /// `smtps://USER:PASSWORD@HOST`, or `smtp://…?tls=required` (STARTTLS).
        url: Option<Secret> = example "\"smtp://localhost:25\"", live;
        /// Who the messages are from.
        from: Option<String> = example "\"Magpie <magpie@localhost>\"", live;
    }
}

settings! {
    /// A gateway for text messages: any service that takes an HTTP request.
    Sms at "sms" {
        /// {to} (+8613800138000) and {text} are filled in, escaped.
        url: Option<String> = example "\"https://sms.example/send\"", live;
        /// The request's method.
        method: String = default "\"POST\"", live;
        /// {secret} is filled in.
        headers: BTreeMap<String, String> = default "{ \"content-type\" = \"application/json\" }", live;
        /// {to}, {text} and {secret} are filled in, escaped for JSON or, with
        /// that content type, for a form.
        body: String = default "'{\"to\":\"{to}\",\"text\":\"{text}\"}'", live;
        /// What stands for {secret}.
        secret: Option<Secret> = example "\"\"", live;
        /// Text that the answer holds where the message was taken.
        success: Option<String> = example "\"ok\"", live;
    }
}

impl Mail {
    /// The mail server, where there is one.
    pub fn server(&self) -> Option<delivery::Mail> {
        Some(delivery::Mail { url: self.url.clone()?, from: self.from.clone()? })
    }

    pub(super) fn rules(&self, reader: &mut Reader<'_>) {
        reader.needs("mail.url", "mail.from");
        reader.needs("mail.from", "mail.url");
        if let Err(error) = Carrier::new(self.server().as_ref(), None, &[]) {
            reader.faults.push(format!("{error:#}"));
        }
    }
}

impl Sms {
    /// The gateway, where there is one.
    pub fn gateway(&self) -> Option<delivery::Sms> {
        Some(delivery::Sms {
            url: self.url.clone()?,
            method: self.method.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            secret: self.secret.clone().unwrap_or_default(),
            success: self.success.clone(),
        })
    }

    pub(super) fn rules(&self, reader: &mut Reader<'_>) {
        for name in ["sms.method", "sms.headers", "sms.body", "sms.secret", "sms.success"] {
            reader.needs(name, "sms.url");
        }
        if let Err(error) = Carrier::new(None, self.gateway().as_ref(), &[]) {
            reader.faults.push(format!("{error:#}"));
        }
    }
}

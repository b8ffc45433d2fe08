//! What others do for this server: carry mail, messages between nodes, pushes.

use std::time::{Duration, Instant};

use kernel::{Channel, Delivery as _, health::Finding};

use super::{Scene, bad, ok, skipped, told, warn};

fn mail_failed(error: &dyn std::fmt::Display) -> Finding {
    let fix = "look at mail.url: host, port, user and password, and whether the provider lets this machine in";
    bad("failed", &[("error", told(error))], "the mail server cannot be used: {error}", fix)
}

pub(super) async fn mail(scene: &Scene) -> Finding {
    let Some(carrier) = scene.carrier.as_ref().filter(|_| scene.sends_mail()) else {
        return skipped(
            "off",
            "no mail server is configured: people cannot prove an address or open an account again by themselves",
            "set mail.url and mail.from",
        );
    };
    match carrier.try_mail().await {
        Ok(()) => ok("works", &[], "the mail server lets this server in"),
        Err(error) => mail_failed(&format!("{error:#}")),
    }
}

pub(super) async fn send_mail(scene: &Scene, to: &str) -> Finding {
    let Some(carrier) = &scene.carrier else { return mail(scene).await };
    let text =
        "This message shows that your Magpie server can send mail.\n\n这封邮件说明你的鹊桥服务器可以发送邮件。\n";
    match carrier.email(to, "Magpie 鹊桥: test", text).await {
        Ok(()) => ok("sent", &[("to", to.to_owned())], "the mail server took a message to {to}; see that it arrives"),
        Err(error) => mail_failed(&error),
    }
}

pub(super) fn sms(scene: &Scene) -> Finding {
    if !scene.carrier.as_ref().is_some_and(|carrier| carrier.can(Channel::Sms)) {
        return skipped("off", "no gateway for text messages is configured", "set sms.url if you need them");
    }
    ok("on", &[], "a gateway is configured; it is tried by the first message")
}

/// Its key is made when it is first needed, and each way is a person's own.
pub(super) fn push() -> Finding {
    ok("on", &[], "notices go the ways that each person set up, who tests them there")
}

/// A round trip over the bus.
pub(super) async fn bus(scene: &Scene) -> Finding {
    let Some(url) = scene.config.nats_url.as_ref().map(|url| url.0.as_str()) else {
        return skipped("single", "one machine needs no bus", "");
    };
    let made;
    let bus = match &scene.bus {
        Some(bus) => bus,
        None => match bus::Bus::nats(url, "doctor") {
            Ok(bus) => {
                made = bus;
                &made
            }
            Err(error) => return bad("address", &[("error", told(&error))], "{error}", "look at nats_url"),
        },
    };
    let began = Instant::now();
    let mut state = bus.state();
    let joined = tokio::time::timeout(Duration::from_secs(5), state.wait_for(|state| state.connected)).await.map(drop);
    if joined.is_ok() && bus.flush(Duration::from_secs(5)).await {
        let ms = began.elapsed().as_millis().to_string();
        return ok("works", &[("ms", ms)], "a message went there and back within {ms} ms");
    }
    warn(
        "away",
        &[("address", told(&url))],
        "{address} does not answer: people are served, changes reach other nodes within three seconds",
        "start NATS, or look at nats_url and the firewall between",
    )
}

pub(super) fn client() -> Finding {
    if crate::assets::present() {
        ok("inside", &[("version", env!("CARGO_PKG_VERSION").to_owned())], "inside this binary, release {version}")
    } else {
        bad("missing", &[], "this binary holds no client", "build it with: make web")
    }
}

//! What others do for this server: carry mail, messages between nodes, pushes.

use std::time::{Duration, Instant};

use kernel::{Channel, Delivery as _, health::Finding};
use notify::Pushes;

use super::{Scene, bad, data::closed, ok, skipped, told, warn};
use crate::{seal, telemetry};

const HOUR_MS: proto::Millis = 3_600_000;

fn mail_failed(error: &dyn std::fmt::Display) -> Finding {
    let fix = "look at mail.url: host, port, user and password, and whether the provider lets this machine in";
    bad("failed", &[("error", told(error))], "the mail server cannot be used: {error}", fix)
}

pub(super) async fn mail(scene: &Scene) -> Finding {
    let Some(carrier) = scene.carrier.as_ref().filter(|_| scene.sends(Channel::Email)) else {
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

/// Whether somebody answers at the gateway; that it takes messages only one
/// that is sent can show.
pub(super) async fn sms(scene: &Scene) -> Finding {
    let Some(carrier) = scene.carrier.as_ref().filter(|_| scene.sends(Channel::Sms)) else {
        return skipped("off", "no gateway for text messages is configured", "set sms.url if you need them");
    };
    match carrier.try_sms().await {
        Ok(()) => ok("on", &[], "the gateway can be reached; a test message shows whether it takes them"),
        Err(error) => sms_failed(&format!("{error:#}")),
    }
}

fn sms_failed(error: &dyn std::fmt::Display) -> Finding {
    let fix = "look at sms.* in the configuration, and whether this machine reaches the gateway";
    bad("failed", &[("error", told(error))], "the gateway for text messages cannot be used: {error}", fix)
}

pub(super) async fn send_sms(scene: &Scene, to: &str) -> Finding {
    let Some(carrier) = &scene.carrier else { return sms(scene).await };
    match carrier.sms(to, "Magpie 鹊桥: test 测试").await {
        Ok(()) => ok("sent", &[("to", to.to_owned())], "the gateway took a message to {to}; see that it arrives"),
        Err(error) => sms_failed(&error),
    }
}

/// Whether notices can be signed, and how those of the last hour went.
pub(super) async fn push(scene: &Scene) -> Finding {
    let db = match closed(scene) {
        Ok(db) => db,
        Err(finding) => return finding,
    };
    let unread = |error: &dyn std::fmt::Display| {
        let fix = "look at the log; if the key of Web Push is damaged, a backup holds it";
        bad("unread", &[("error", told(error))], "{error}", fix)
    };
    let seals = match seal::here(&scene.config()) {
        Ok(seals) => seals,
        Err(error) => return unread(&format!("{error:#}")),
    };
    let since = Scene::now() - HOUR_MS;
    match db.read(move |tx| notify::pushes(tx, &seals, since)).await {
        Ok(pushes) => pushed(&pushes),
        Err(error) => unread(&error),
    }
}

/// What was recorded of people's ways, judged.
fn pushed(pushes: &Pushes) -> Finding {
    let (tried, failed) = pushes.ways.iter().fold((0, 0), |(t, f), way| (t + way.tried, f + way.failed));
    let ways: Vec<_> = pushes.ways.iter().map(|w| format!("{} {}/{}", w.kind, w.tried - w.failed, w.tried)).collect();
    let mut values = vec![
        ("tried", tried.to_string()),
        ("failed", failed.to_string()),
        ("ways", ways.join(", ")),
        ("last", String::new()),
    ];
    if let Some((kind, fault)) = &pushes.last_fault {
        values[3].1 = format!("{kind}: {fault}");
    }
    if !pushes.key_is_good() {
        return bad(
            "key",
            &values,
            "the server's key for Web Push cannot be used: no browser takes what it signs",
            "a backup holds it; without that key every browser must be set up anew",
        );
    }
    match (tried, failed) {
        (0, _) => ok("quiet", &values, "nothing was sent within the last hour"),
        (_, 0) => ok("works", &values, "within the last hour: {ways} went out"),
        // One telephone that is gone is its owner's affair.
        _ if failed >= 3 && failed * 2 >= tried => warn(
            "failing",
            &values,
            "within the last hour {failed} of {tried} ways failed ({ways}), the last with {last}",
            "look whether this machine reaches the internet and outgoing.allow names what lies inside; each person can \
             test their ways under Me",
        ),
        _ => ok("some", &values, "within the last hour {failed} of {tried} ways failed ({ways}), the last with {last}"),
    }
}

/// Whether the collector takes traces: hands it an empty list.
pub(super) async fn telemetry(scene: &Scene) -> Finding {
    let config = scene.config().telemetry;
    let began = Instant::now();
    let Some(probed) = telemetry::probe(&config).await else {
        return skipped("off", "no traces are made", "set telemetry.endpoint if you have a collector");
    };
    let [(_, sent), (_, dropped), (_, failed)] = telemetry::counts();
    let mut values = vec![
        ("address", told(&config.endpoint.unwrap_or_default())),
        ("ms", began.elapsed().as_millis().to_string()),
        ("sent", sent.to_string()),
        ("lost", (dropped + failed).to_string()),
    ];
    match probed {
        Ok(()) if dropped + failed > sent / 10 => warn(
            "losing",
            &values,
            "{address} answers, but {lost} spans were lost beside {sent} that arrived",
            "look how fast the collector is, or keep fewer traces with telemetry.sample",
        ),
        Ok(()) => ok("works", &values, "{address} answers within {ms} ms; {sent} spans were sent, {lost} lost"),
        Err(error) => {
            values.push(("error", told(&error)));
            warn(
                "away",
                &values,
                "{address} takes no traces: {error}. People are served as ever",
                "look at telemetry.endpoint, telemetry.headers and the collector",
            )
        }
    }
}

/// A round trip over the bus.
pub(super) async fn bus(scene: &Scene) -> Finding {
    let config = scene.config();
    let Some(url) = config.nats_url.as_ref().map(|url| url.0.as_str()) else {
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

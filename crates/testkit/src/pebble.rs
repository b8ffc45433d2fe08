//! Pebble, the authority that Let's Encrypt makes for tests, and the name
//! server it asks. Both are Debian's; both end with whoever holds them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;
use store::testing::free_port;

pub struct Pebble {
    child: Child,
    port: u16,
    look: u16,
    /// Of the https it speaks, not of what it signs.
    root: PathBuf,
    config: PathBuf,
    names: u16,
    settings: Vec<(String, String)>,
}

/// Names that all lead to this machine, and records that tests set.
pub struct Names {
    child: Child,
    pub at: u16,
    pub management: u16,
}

fn run(program: &str, arguments: &[String], settings: &[(String, String)]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).envs(settings.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|e| panic!("{program} (scripts/prerequisites.sh test installs it): {e}"))
}

fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits until each of these ports of this machine has its listener: a program
/// opens its own in no order.
async fn listens<const N: usize>(child: &mut Child, ports: [u16; N]) {
    let began = Instant::now();
    for port in ports {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(child.try_wait().unwrap().is_none(), "it ended at once: is port {port} taken?");
            assert!(began.elapsed() < crate::CUT_OFF, "nobody listens at {port}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Names {
    pub async fn start() -> Self {
        let (at, management) = (free_port(), free_port());
        let of = |name: &str, value: String| [format!("-{name}"), value];
        let arguments = [
            of("dns01", format!("127.0.0.1:{at}")),
            of("management", format!("127.0.0.1:{management}")),
            of("defaultIPv6", String::new()),
            of("http01", String::new()),
            of("https01", String::new()),
            of("tlsalpn01", String::new()),
        ];
        let mut child = run("pebble-challtestsrv", &arguments.concat(), &[]);
        listens(&mut child, [at, management]).await;
        Self { child, at, management }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

impl Pebble {
    /// Its directory is at https://127.0.0.1:PORT/dir. `chain` and `key` are files of the certificate it shows at 127.0.0.1,
    /// `root` what that is known by; http-01 is looked for at `http_port`.
    /// `settings` are variables, as `PEBBLE_WFE_NONCEREJECT`.
    pub async fn start(
        port: u16,
        folder: &Path,
        (chain, key, root): (&Path, &Path, &Path),
        http_port: u16,
        names: &Names,
        settings: &[(&str, &str)],
    ) -> Self {
        let (look, config) = (free_port(), folder.join("pebble.json"));
        let written = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": format!("127.0.0.1:{look}"),
            "certificate": chain, "privateKey": key, "httpPort": http_port, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        } });
        fs::write(&config, written.to_string()).unwrap();
        let all = [("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_AUTHZREUSE", "0")].iter().chain(settings);
        let settings: Vec<_> = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let child = Self::run(&config, names.at, &settings);
        let mut pebble = Self { child, port, look, root: root.to_owned(), config, names: names.at, settings };
        listens(&mut pebble.child, [port, look]).await;
        pebble
    }

    fn run(config: &Path, names: u16, settings: &[(String, String)]) -> Child {
        let of = |name: &str, value: String| [format!("-{name}"), value];
        let arguments =
            [of("config", config.display().to_string()), of("dnsserver", format!("127.0.0.1:{names}"))].concat();
        run("pebble", &arguments, settings)
    }

    /// Ends it, and starts it where it was: it knows nothing any more.
    pub async fn again(&mut self) {
        stop(&mut self.child);
        self.child = Self::run(&self.config, self.names, &self.settings);
        listens(&mut self.child, [self.port, self.look]).await;
    }

    /// The certificate above all that it signs (PEM).
    pub async fn issuer(&self) -> String {
        self.look("roots/0").await
    }

    #[expect(clippy::disallowed_methods, reason = "it is on this machine, and egress goes nowhere near that")]
    async fn look(&self, path: &str) -> String {
        let root = reqwest::Certificate::from_pem(&fs::read(&self.root).unwrap()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).no_proxy().build().unwrap();
        let answer = client.get(format!("https://127.0.0.1:{}/{path}", self.look)).send().await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

//! One configuration: a TOML file, over which the environment wins, over
//! which flags win. An empty file is valid. Every mistake is told at once.

use std::{collections::BTreeMap, env, fs, net::SocketAddr, path::PathBuf};

use clap::Args;
use serde::Deserialize;
use store::S3;

use crate::delivery::{Carrier, Mail, Secret, Sms};

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// Folder of the database and the files.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Address and port to serve on.
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The file's form; see `docs/config.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    name: Option<String>,
    data_dir: Option<PathBuf>,
    listen: Option<String>,
    public_url: Option<String>,
    signup: Option<String>,
    log: Option<String>,
    log_format: Option<String>,
    database_url: Option<String>,
    database_pool: Option<usize>,
    nats_url: Option<String>,
    mail: MailFile,
    sms: SmsFile,
    files: FilesFile,
    outgoing: OutgoingFile,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct OutgoingFile {
    allow: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FilesFile {
    bucket: Option<String>,
    prefix: Option<String>,
    endpoint: Option<String>,
    region: Option<String>,
    access_key: Option<String>,
    secret_key: Option<Secret>,
    secret_key_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MailFile {
    url: Option<Secret>,
    from: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SmsFile {
    url: Option<String>,
    method: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    secret: Option<Secret>,
    secret_file: Option<PathBuf>,
    success: Option<String>,
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Config {
    pub name: String,
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    pub public_url: Option<String>,
    pub signup_open: bool,
    pub log: String,
    pub log_json: bool,
    /// `None`: SQLite in the data folder.
    pub database_url: Option<String>,
    pub database_pool: usize,
    pub nats_url: Option<String>,
    /// `None`: e-mail goes to the log.
    pub mail: Option<Mail>,
    /// `None`: text messages go to the log.
    pub sms: Option<Sms>,
    /// `None`: files lie in the data folder.
    pub bucket: Option<S3>,
    /// Networks and hosts that addresses named by people may lead to although
    /// they are not public.
    pub outgoing: Vec<String>,
    /// Budgets off, for load measurements.
    pub unlimited: bool,
}

impl Config {
    /// Reads file, environment and flags; gives every fault there is.
    pub fn load(flags: &Flags) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let path = flags.config.clone().or_else(|| env::var_os("MAGPIE_CONFIG").map(PathBuf::from));
        let file = match &path {
            None => File::default(),
            Some(path) => match fs::read_to_string(path) {
                Err(error) => {
                    faults.push(format!("{}: {error}", path.display()));
                    File::default()
                }
                Ok(text) => toml::from_str(&text).unwrap_or_else(|error| {
                    faults.push(format!("{}: {error}", path.display()));
                    File::default()
                }),
            },
        };
        let config = Self::merge(flags, file, |name| env::var(name).ok().filter(|v| !v.is_empty()), &mut faults);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    fn merge(
        flags: &Flags,
        file: File,
        env: impl Fn(&str) -> Option<String>,
        faults: &mut Vec<String>,
    ) -> Option<Self> {
        let listen = flags.listen.clone().or_else(|| env("MAGPIE_LISTEN")).or(file.listen);
        let listen = listen.unwrap_or_else(|| "0.0.0.0:8080".into());
        let listen = listen.parse().map_err(|_| faults.push(format!("listen: {listen:?} is not ADDRESS:PORT"))).ok();
        let signup = env("MAGPIE_SIGNUP").or(file.signup).unwrap_or_else(|| "open".into());
        if !matches!(signup.as_str(), "open" | "invitation") {
            faults.push(format!("signup: {signup:?} is neither \"open\" nor \"invitation\""));
        }
        let log_format = env("MAGPIE_LOG_FORMAT").or(file.log_format).unwrap_or_else(|| "text".into());
        if !matches!(log_format.as_str(), "text" | "json") {
            faults.push(format!("log_format: {log_format:?} is neither \"text\" nor \"json\""));
        }
        let public_url = env("MAGPIE_PUBLIC_URL").or(file.public_url).map(|url| url.trim_end_matches('/').to_owned());
        if let Some(url) = &public_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            faults.push(format!("public_url: {url:?} does not begin with https:// or http://"));
        }
        let database_url = env("MAGPIE_DATABASE_URL").or(file.database_url);
        if let Some(url) = &database_url
            && !(url.starts_with("postgres://") || url.starts_with("postgresql://"))
        {
            faults.push("database_url: does not begin with postgres://".into());
        }
        let pool = env("MAGPIE_DATABASE_POOL").map_or(Ok(file.database_pool), |v| v.parse().map(Some));
        let pool = pool.ok().map(|p| p.unwrap_or(8)).filter(|p| (1..=256).contains(p));
        if pool.is_none() {
            faults.push("database_pool: is not a number from 1 to 256".into());
        }
        let mail = mail(file.mail, &env, faults);
        let sms = sms(file.sms, &env, faults);
        if let Err(error) = Carrier::new(mail.as_ref(), sms.as_ref()) {
            faults.push(format!("{error:#}"));
        }
        Some(Self {
            name: env("MAGPIE_NAME").or(file.name).unwrap_or_else(|| "Magpie".into()),
            data_dir: flags
                .data_dir
                .clone()
                .or_else(|| env("MAGPIE_DATA_DIR").map(PathBuf::from))
                .or(file.data_dir)
                .unwrap_or_else(|| "data".into()),
            listen: listen?,
            public_url,
            signup_open: signup == "open",
            log: env("MAGPIE_LOG").or(file.log).unwrap_or_else(|| "info".into()),
            log_json: log_format == "json",
            database_url,
            database_pool: pool?,
            nats_url: env("MAGPIE_NATS_URL").or(file.nats_url),
            mail,
            sms,
            bucket: bucket(file.files, &env, faults),
            outgoing: match env("MAGPIE_OUTGOING_ALLOW") {
                Some(list) => list.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned).collect(),
                None => file.outgoing.allow,
            },
            unlimited: env("MAGPIE_UNLIMITED").is_some_and(|v| v == "1"),
        })
    }
}

fn mail(file: MailFile, env: impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<Mail> {
    let url = env("MAGPIE_MAIL_URL").map(Secret).or(file.url);
    let from = env("MAGPIE_MAIL_FROM").or(file.from);
    match (url, from) {
        (Some(url), Some(from)) => Some(Mail { url, from }),
        (None, None) => None,
        (Some(_), None) => {
            faults.push("mail.from: is needed with mail.url".into());
            None
        }
        (None, Some(_)) => {
            faults.push("mail.url: is needed with mail.from".into());
            None
        }
    }
}

fn sms(file: SmsFile, env: impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<Sms> {
    let url = env("MAGPIE_SMS_URL").or(file.url)?;
    let from_file = file.secret_file.map(|path| {
        fs::read_to_string(&path).unwrap_or_else(|error| {
            faults.push(format!("sms.secret_file: {}: {error}", path.display()));
            String::new()
        })
    });
    let secret = env("MAGPIE_SMS_SECRET").or(file.secret.map(|s| s.0)).or(from_file).unwrap_or_default();
    let json = BTreeMap::from([("content-type".to_owned(), "application/json".to_owned())]);
    Some(Sms {
        url,
        method: file.method.unwrap_or_else(|| "POST".into()),
        headers: if file.headers.is_empty() { json } else { file.headers },
        body: file.body.unwrap_or_else(|| r#"{"to":"{to}","text":"{text}"}"#.into()),
        secret: Secret(secret.trim().to_owned()),
        success: file.success,
    })
}

fn bucket(file: FilesFile, env: impl Fn(&str) -> Option<String>, faults: &mut Vec<String>) -> Option<S3> {
    let bucket = env("MAGPIE_FILES_BUCKET").or(file.bucket)?;
    let from_file = file.secret_key_file.map(|path| {
        fs::read_to_string(&path).unwrap_or_else(|error| {
            faults.push(format!("files.secret_key_file: {}: {error}", path.display()));
            String::new()
        })
    });
    let secret_key = env("MAGPIE_FILES_SECRET_KEY").or(file.secret_key.map(|s| s.0)).or(from_file);
    let access_key = env("MAGPIE_FILES_ACCESS_KEY").or(file.access_key);
    let endpoint = env("MAGPIE_FILES_ENDPOINT").or(file.endpoint);
    if let Some(url) = &endpoint
        && !(url.starts_with("https://") || url.starts_with("http://"))
    {
        faults.push(format!("files.endpoint: {url:?} does not begin with https:// or http://"));
    }
    let (Some(access_key), Some(secret_key)) = (access_key, secret_key) else {
        faults.push("files.access_key, files.secret_key: are needed with files.bucket".into());
        return None;
    };
    Some(S3 {
        bucket,
        prefix: file.prefix.unwrap_or_default(),
        endpoint,
        region: env("MAGPIE_FILES_REGION").or(file.region).unwrap_or_else(|| "us-east-1".into()),
        access_key,
        secret_key: secret_key.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(flags: &Flags, file: &str, env: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let mut faults = Vec::new();
        let file = toml::from_str(file).map_err(|e| vec![e.to_string()])?;
        let find = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        match Config::merge(flags, file, find, &mut faults) {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    #[test]
    fn an_empty_file_is_valid_and_flags_win_over_environment_over_file() {
        assert_eq!(merged(&Flags::default(), "", &[]).unwrap().listen.port(), 8080);
        let file = "listen = '127.0.0.1:1'";
        assert_eq!(merged(&Flags::default(), file, &[]).unwrap().listen.port(), 1);
        let env = [("MAGPIE_LISTEN", "127.0.0.1:2")];
        assert_eq!(merged(&Flags::default(), file, &env).unwrap().listen.port(), 2);
        let flags = Flags { listen: Some("127.0.0.1:3".into()), ..Flags::default() };
        assert_eq!(merged(&flags, file, &env).unwrap().listen.port(), 3);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let file =
            "listen = 'here'\nsignup = 'maybe'\ndatabase_url = 'mysql://x'\npublic_url = 'ftp://x'\ndatabase_pool = 0";
        assert_eq!(merged(&Flags::default(), file, &[]).unwrap_err().len(), 5);
        let file = "[mail]\nurl = 'smtp://u:p@mail.example.org'\nfrom = 'm@example.org'\n[sms]\nurl = 'https://x.example'\nsecret_file = '/nowhere'";
        let faults = merged(&Flags::default(), file, &[]).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let faults = merged(&Flags::default(), "[files]\nbucket = 'b'\nendpoint = 'here'", &[]).unwrap_err();
        assert_eq!(faults.len(), 2, "{faults:?}");
        let file = "[files]\nbucket = 'b'\naccess_key = 'a'\nsecret_key = 's3cret'";
        let config = merged(&Flags::default(), file, &[]).unwrap();
        assert!(config.bucket.is_some() && !format!("{config:?}").contains("s3cret"));
        assert!(merged(&Flags::default(), "[mail]\nfrom = 'm@example.org'", &[]).is_err());
        assert!(merged(&Flags::default(), "colour = 'red'", &[]).unwrap_err()[0].contains("colour"));
    }

    #[test]
    fn the_documented_file_is_the_default() {
        let text = include_str!("../../../docs/config.toml");
        let default = format!("{:?}", merged(&Flags::default(), "", &[]).unwrap());
        assert_eq!(format!("{:?}", merged(&Flags::default(), text, &[]).unwrap()), default);
        // Each setting is there, commented out, with its default.
        let uncommented = text.lines().filter_map(|l| l.strip_prefix("#: ")).collect::<Vec<_>>().join("\n");
        let file: File = toml::from_str(&uncommented).unwrap();
        assert_eq!(file.listen.as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(file.mail.from.as_deref(), Some("Magpie <magpie@localhost>"));
        assert_eq!(uncommented.lines().count(), 29);
    }
}

//! Where the files that people send lie, and how much there may be.

use std::net::IpAddr;

use store::{S3, Style};

use super::{
    read::Reader,
    setting::settings,
    value::{between, web_address, words},
};
use crate::delivery::Secret;

words! {
    /// Where the name of a bucket stands in an address.
    BucketStyle { Path = "path", Host = "host", }
}

impl From<BucketStyle> for Style {
    fn from(style: BucketStyle) -> Self {
        match style {
            BucketStyle::Path => Self::Path,
            BucketStyle::Host => Self::Host,
        }
    }
}

settings! {
    /// A bucket of a store that speaks S3, for the files people send: needed
    /// for many machines. Without `bucket` they lie in files/ of the data folder.
    Files at "files" {
        /// The bucket's name. Let the store end unfinished multipart uploads
        /// after a day (AbortIncompleteMultipartUpload): the server gives up its
        /// own, but not if it dies in them.
        bucket: Option<String> = example "\"magpie\"";
        /// Stands before the name of each object.
        prefix: String = default "\"\"";
        /// The store's address; not set: Amazon's of the region.
        endpoint: Option<String> = example "\"https://s3.example.org\"" where web_address;
        /// Where the bucket's name stands: "path", `https://host/bucket`; "host",
        /// `https://bucket.host`, which some stores ask for (Alibaba's, Tencent's).
        style: BucketStyle = default "\"path\"";
        /// The store's region.
        region: String = default "\"us-east-1\"";
        /// Who asks.
        access_key: Option<String> = example "\"\"";
        /// What proves it.
        secret_key: Option<Secret> = example "\"\"";
        /// Of keys that are lent for a time: the token that comes with them.
        session_token: Option<Secret> = example "\"\"";
        /// Lets `endpoint` be http:// at a public address: whoever is on the
        /// way reads every file.
        plain_http: bool = default "false";
        /// Most MiB of one organisation, whatever it sets for itself.
        most_mb_per_org: i64 = default "1048576" where between(0, 1 << 30);
        /// Most MiB of one person, in one organisation or outside of any.
        most_mb_per_person: i64 = default "102400" where between(0, 1 << 30);
    }
}

impl Files {
    /// The bucket, where there is one.
    pub fn bucket(&self) -> Option<S3> {
        Some(S3 {
            bucket: self.bucket.clone()?,
            prefix: self.prefix.clone(),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            access_key: self.access_key.clone()?,
            secret_key: self.secret_key.clone()?.0,
            session_token: self.session_token.clone().map(|token| token.0),
            style: self.style.into(),
        })
    }

    pub(super) fn rules(&self, reader: &mut Reader<'_>) {
        reader.needs("files.bucket", "files.access_key");
        reader.needs("files.bucket", "files.secret_key");
        for name in ["prefix", "endpoint", "style", "region", "access_key", "secret_key", "session_token"] {
            reader.needs(&format!("files.{name}"), "files.bucket");
        }
        plain("files", self.endpoint.as_deref(), self.plain_http, reader);
    }
}

/// Files cross no public network in plain.
pub(super) fn plain(table: &str, endpoint: Option<&str>, allowed: bool, reader: &mut Reader<'_>) {
    let Some(rest) = endpoint.and_then(|url| url.strip_prefix("http://")).filter(|_| !allowed) else { return };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !is_inside(host) {
        reader.faults.push(format!(
            "{table}.endpoint: files would cross the network in plain; use https://, or say files.plain_http = true"
        ));
    }
}

/// Whether a host (with its port) is on this machine or in one's own network,
/// by the look of it: a name without a dot, or one that no public name ends with.
fn is_inside(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(at)) => at.is_loopback() || at.is_private() || at.is_link_local(),
        Ok(IpAddr::V6(at)) => at.is_loopback() || at.is_unique_local() || at.is_unicast_link_local(),
        Err(_) => {
            let bare = bare.to_ascii_lowercase();
            let ends = [".localhost", ".local", ".internal", ".lan", ".home.arpa", ".svc", ".test"];
            !bare.contains('.') || ends.iter().any(|end| bare.ends_with(end))
        }
    }
}

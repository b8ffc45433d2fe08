//! When and where backups are made, and which are kept.

use store::{S3, Style};

use super::{
    files::{self, BucketStyle},
    read::Reader,
    setting::settings,
    value::{between, web_address},
};
use crate::{backup::Keep, delivery::Secret};

settings! {
    /// Backups of the database and the files, made while people work
    /// (docs/backup.md). Without `to` none are made by themselves.
    Backup at "backup" {
        /// A folder (better not on the disk of `data_dir`), or `s3://BUCKET/PREFIX`.
        /// Of this server alone.
        to: Option<String> = example "\"/var/backups/magpie\"", live;
        /// Hours between two, from 1 to 168.
        every_hours: i64 = default "24" where between(1, 168), live;
        /// The hour of the day (UTC) from which they are counted, 0 to 23.
        hour: i64 = default "19" where between(0, 23), live;
        /// The newest of each of so many days is kept…
        keep_daily: i64 = default "7" where between(0, 1000), live;
        /// …of so many weeks…
        keep_weekly: i64 = default "4" where between(0, 1000), live;
        /// …and of so many months.
        keep_monthly: i64 = default "12" where between(0, 1000), live;
        /// The address of the store of `s3://`, where it is not that of [files].
        endpoint: Option<String> = example "\"https://s3.example.org\"" where web_address, live;
        /// Where the bucket's name stands there, as in [files].
        style: Option<BucketStyle> = example "\"path\"", live;
        /// That store's region.
        region: Option<String> = example "\"us-east-1\"", live;
        /// Who asks it, where it is not who asks that of [files].
        access_key: Option<String> = example "\"\"", live;
        /// What proves it.
        secret_key: Option<Secret> = example "\"\"", live;
        /// The token of keys that are lent for a time.
        session_token: Option<Secret> = example "\"\"", live;
    }
}

impl Backup {
    pub fn keep(&self) -> Keep {
        let most = |n: i64| usize::try_from(n).unwrap_or(0);
        Keep { daily: most(self.keep_daily), weekly: most(self.keep_weekly), monthly: most(self.keep_monthly) }
    }

    /// How to reach a store of backups: as it is said here, and else as the
    /// store of files is reached. The bucket is not told by this.
    pub fn keys(&self, files: Option<S3>) -> Option<S3> {
        let own = self.access_key.clone().zip(self.secret_key.clone());
        let given = own.map(|(access_key, secret_key)| S3 {
            bucket: String::new(),
            prefix: String::new(),
            endpoint: None,
            region: "us-east-1".into(),
            access_key,
            secret_key: secret_key.0,
            session_token: self.session_token.clone().map(|token| token.0),
            style: Style::Path,
        });
        let mut keys = given.or(files)?;
        if self.endpoint.is_some() || self.access_key.is_some() {
            keys.endpoint.clone_from(&self.endpoint);
        }
        if let Some(style) = self.style {
            keys.style = style.into();
        }
        if let Some(region) = &self.region {
            keys.region.clone_from(region);
        }
        Some(keys)
    }

    /// `plain` is what `files.plain_http` says.
    pub(super) fn rules(&self, plain: bool, reader: &mut Reader<'_>) {
        reader.needs("backup.access_key", "backup.secret_key");
        reader.needs("backup.secret_key", "backup.access_key");
        reader.needs("backup.session_token", "backup.access_key");
        files::plain("backup", self.endpoint.as_deref(), plain, reader);
    }
}

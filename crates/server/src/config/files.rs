//! Where the files that people send lie, and how much there may be.

use store::S3;

use super::{
    read::Reader,
    setting::settings,
    value::{between, web_address},
};
use crate::delivery::Secret;

settings! {
    /// A bucket of a store that speaks S3, for the files people send: needed
    /// for many machines. Without `bucket` they lie in files/ of the data folder.
    Files at "files" {
        /// The bucket's name. Let the store end unfinished multipart uploads
        /// after a day (AbortIncompleteMultipartUpload): nothing else does.
        bucket: Option<String> = example "\"magpie\"";
        /// Stands before the name of each object.
        prefix: String = default "\"\"";
        /// The store's address; not set: Amazon's of the region.
        endpoint: Option<String> = example "\"https://s3.example.org\"" where web_address;
        /// The store's region.
        region: String = default "\"us-east-1\"";
        /// Who asks.
        access_key: Option<String> = example "\"\"";
        /// What proves it.
        secret_key: Option<Secret> = example "\"\"";
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
        })
    }

    #[expect(clippy::unused_self, reason = "all tables have rules of one form")]
    pub(super) fn rules(&self, reader: &mut Reader<'_>) {
        reader.needs("files.bucket", "files.access_key");
        reader.needs("files.bucket", "files.secret_key");
        for name in ["prefix", "endpoint", "region", "access_key", "secret_key"] {
            reader.needs(&format!("files.{name}"), "files.bucket");
        }
    }
}

//! A bucket of a store that speaks S3: how it is reached, and why it refuses.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    client::{HttpError, HttpErrorKind},
    prefix::PrefixStore,
};

use crate::Error;

const CONNECT: Duration = Duration::from_secs(5);

/// A store that speaks S3.
#[derive(Clone)]
pub struct S3 {
    pub bucket: String,
    /// Before every name; may be empty.
    pub prefix: String,
    /// `https://host`, or `http://…` on one's own network; `None` is Amazon's.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key: String,
    pub secret_key: String,
    /// Of keys that are lent for a time.
    pub session_token: Option<String>,
    pub style: Style,
}

/// Where the name of a bucket stands in an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// `https://host/bucket/…`
    #[default]
    Path,
    /// `https://bucket.host/…`
    Host,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3({}/{} at {:?})", self.bucket, self.prefix, self.endpoint)
    }
}

impl S3 {
    /// The address that requests go to, with the bucket where its style wants it.
    fn address(&self) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?.trim_end_matches('/');
        Some(match (self.style, endpoint.split_once("://")) {
            (Style::Host, Some((scheme, host))) => format!("{scheme}://{}.{host}", self.bucket),
            _ => endpoint.to_owned(),
        })
    }
}

/// `patience` is that of one exchange, `long` that of the longest.
pub(super) fn open(at: &S3, patience: Duration, long: Duration) -> object_store::Result<Arc<dyn ObjectStore>> {
    let backoff = BackoffConfig { max_backoff: patience / 4, ..BackoffConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&at.bucket)
        .with_region(&at.region)
        .with_access_key_id(&at.access_key)
        .with_secret_access_key(&at.secret_key)
        .with_virtual_hosted_style_request(at.style == Style::Host)
        .with_client_options(ClientOptions::new().with_timeout(long).with_connect_timeout(CONNECT))
        .with_retry(RetryConfig { max_retries: 3, retry_timeout: patience / 2, backoff });
    if let Some(token) = &at.session_token {
        builder = builder.with_token(token);
    }
    if let Some(address) = at.address() {
        let plain = address.starts_with("http://");
        builder = builder.with_endpoint(address).with_allow_http(plain);
    }
    let bucket = builder.build()?;
    Ok(if at.prefix.is_empty() { Arc::new(bucket) } else { Arc::new(PrefixStore::new(bucket, at.prefix.as_str())) })
}

/// Why a store of files does not do what it is asked, where it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The access key or what proves it is wrong, or has ended.
    Keys,
    /// There is no such bucket.
    Bucket,
    /// The bucket is in another region.
    Region,
    /// Its clock and ours differ too much.
    Clock,
    /// These keys may not do that.
    Forbidden,
    /// There is no room in it.
    Full,
    /// It has too much to do.
    Busy,
    /// It cannot be reached, or does not answer in time.
    Away,
}

/// An answer that was no, without what was sent to prove ourselves: a store
/// likes to repeat it.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Refused {
    pub(super) why: Option<Why>,
    text: String,
}

/// Nothing was answered in time.
pub(super) fn silent() -> Error {
    let text = "no answer in time".to_owned();
    Error::Blobs(Refused { why: Some(Why::Away), text }.into())
}

impl Error {
    /// Why the store of files refused, where that is known.
    pub fn blobs_why(&self) -> Option<Why> {
        match self {
            Self::Blobs(source) => source.downcast_ref::<Refused>()?.why,
            _ => None,
        }
    }
}

/// What a store answered, if it is an answer; else the error as it was. An
/// object that is not there is no refusal, a bucket that is not there is.
pub(super) fn refused(error: object_store::Error) -> Result<Refused, object_store::Error> {
    let text = error.to_string();
    let code = between(&text, "<Code>", "</Code>");
    let why = code.map_or_else(|| why_without_words(&error, &text), why);
    match (&error, code) {
        (object_store::Error::NotFound { .. }, _) if why.is_none() => Err(error),
        (_, Some(code)) => {
            let more = between(&text, "<Message>", "</Message>").unwrap_or_default();
            let more: String = more.chars().filter(|c| !c.is_control()).take(200).collect();
            Ok(Refused { why, text: format!("it answers {code} {more}").trim_end().to_owned() })
        }
        (_, None) if why.is_some() => {
            let text = text.split('<').next().unwrap_or_default().chars().take(300).collect();
            Ok(Refused { why, text })
        }
        _ => Err(error),
    }
}

/// The codes of S3, and of those who speak like it.
fn why(code: &str) -> Option<Why> {
    Some(match code {
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidToken"
        | "ExpiredToken"
        | "TokenRefreshRequired"
        | "InvalidSecurity"
        | "InvalidClientTokenId" => Why::Keys,
        "NoSuchBucket" | "InvalidBucketName" => Why::Bucket,
        "AuthorizationHeaderMalformed"
        | "PermanentRedirect"
        | "TemporaryRedirect"
        | "IllegalLocationConstraintException"
        | "InvalidRegion" => Why::Region,
        "RequestTimeTooSkewed" | "RequestExpired" => Why::Clock,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "MethodNotAllowed" => Why::Forbidden,
        "QuotaExceeded" | "InsufficientStorage" | "StorageFull" | "XMinioStorageFull" => Why::Full,
        "SlowDown" | "ServiceUnavailable" | "Busy" | "TooManyRequests" | "RequestLimitExceeded" => Why::Busy,
        _ => return None,
    })
}

/// Where there is no body: from HEAD, from a proxy, from nobody.
fn why_without_words(error: &object_store::Error, text: &str) -> Option<Why> {
    match error {
        object_store::Error::PermissionDenied { .. } => return Some(Why::Forbidden),
        object_store::Error::Unauthenticated { .. } => return Some(Why::Keys),
        _ => {}
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = cause {
        if let Some(http) = at.downcast_ref::<HttpError>() {
            // What was sent, or came, and cannot be read is another matter.
            let away = !matches!(http.kind(), HttpErrorKind::Decode | HttpErrorKind::Unknown);
            return away.then_some(Why::Away);
        }
        cause = at.source();
    }
    let said = |words: &str| text.contains(words);
    match () {
        () if said("redirect without LOCATION") || said("code: 301") => Some(Why::Region),
        () if said("code: 503") || said("code: 429") => Some(Why::Busy),
        () if said("code: 502") || said("code: 504") => Some(Why::Away),
        () => None,
    }
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    text.split_once(from)?.1.split_once(to).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: Option<&str>, style: Style) -> S3 {
        S3 {
            bucket: "magpie".into(),
            prefix: String::new(),
            endpoint: endpoint.map(str::to_owned),
            region: "cn-hangzhou".into(),
            access_key: "key".into(),
            secret_key: "s3cret".into(),
            session_token: None,
            style,
        }
    }

    #[test]
    fn the_bucket_stands_where_its_style_wants_it() {
        let of = |endpoint, style| at(Some(endpoint), style).address().unwrap();
        assert_eq!(of("https://s3.example.org/", Style::Path), "https://s3.example.org");
        assert_eq!(of("https://oss.example.org", Style::Host), "https://magpie.oss.example.org");
        assert_eq!(of("http://10.0.0.1:9000", Style::Path), "http://10.0.0.1:9000");
        assert_eq!(at(None, Style::Host).address(), None);
    }

    #[test]
    fn an_answer_is_told_without_what_was_sent_to_it() {
        let body = "Error performing PUT http://s3/a in 2ms - Server returned non-2xx status code: 403: <Error>\
            <Code>SignatureDoesNotMatch</Code><Message>It does not match.</Message><AWSAccessKeyId>key</AWSAccessKeyId>\
            <StringToSign>AWS4-HMAC</StringToSign></Error>";
        let error = object_store::Error::PermissionDenied { path: "a".into(), source: body.into() };
        let refused = refused(error).unwrap();
        assert_eq!(
            (refused.why, refused.to_string().as_str()),
            (Some(Why::Keys), "it answers SignatureDoesNotMatch It does not match.")
        );
    }

    #[test]
    fn a_bucket_that_is_not_there_is_no_object_that_is_not_there() {
        let of =
            |body: &str| refused(object_store::Error::NotFound { path: "a".into(), source: body.to_owned().into() });
        assert_eq!(of("<Code>NoSuchBucket</Code>").unwrap().why, Some(Why::Bucket));
        assert!(matches!(of("<Code>NoSuchKey</Code>"), Err(object_store::Error::NotFound { .. })));
        assert!(matches!(of(""), Err(object_store::Error::NotFound { .. })));
    }
}

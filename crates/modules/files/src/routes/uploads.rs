//! Uploads, by tus 1.0.0.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
};
use kernel::{At, Ctx, Failure, Kernel};
use proto::{Code, Error, FileId, Problem, limits};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    actions,
    model::{rows::FileRow, tus},
};

pub(super) fn routes() -> OpenApiRouter<Arc<Kernel>> {
    OpenApiRouter::new()
        .routes(routes!(describe_uploads, create_upload))
        .routes(routes!(get_progress, append_bytes, end_upload))
        .layer(middleware::map_response(speak))
}

/// Every answer names the version, refusals too.
async fn speak(mut response: Response) -> Response {
    response.headers_mut().insert("tus-resumable", HeaderValue::from_static(tus::VERSION));
    response
}

fn place(row: &FileRow) -> Vec<(HeaderName, String)> {
    let mut headers = vec![
        (HeaderName::from_static("upload-offset"), row.received.to_string()),
        (HeaderName::from_static("magpie-file"), row.id.to_string()),
    ];
    if row.received < row.size {
        headers.push((HeaderName::from_static("upload-expires"), http_date(row.expires_at())));
    }
    headers
}

fn answer(status: StatusCode, headers: Vec<(HeaderName, String)>) -> Response {
    let mut response = status.into_response();
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// IMF-fixdate (RFC 9110 §5.6.7) of a time in milliseconds.
fn http_date(at: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (seconds, days) = (at.div_euclid(1_000), at.div_euclid(86_400_000));
    // From days to a date of the Gregorian calendar, by eras of 400 years that
    // begin in March (Hinnant, chrono-compatible low-level date algorithms).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let name = |names: &[&'static str], n: i64| names[usize::try_from(n).unwrap_or(0) % names.len()];
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month - 1),
        seconds.div_euclid(3_600).rem_euclid(24),
        seconds.div_euclid(60).rem_euclid(60),
        seconds.rem_euclid(60),
    )
}

/// What this server speaks of tus.
#[utoipa::path(options, path = "/api/v1/files/uploads", operation_id = "files.describe_uploads", tag = "files",
    responses((status = 204)),
    extensions(("x-authz" = json!({"object": "file", "action": "create", "scope": "anyone", "roles": ["anyone"]}))))]
async fn describe_uploads() -> Response {
    let headers = vec![
        (HeaderName::from_static("tus-version"), tus::VERSION.to_owned()),
        (HeaderName::from_static("tus-extension"), tus::EXTENSIONS.to_owned()),
        (HeaderName::from_static("tus-checksum-algorithm"), tus::CHECKSUMS.to_owned()),
        (HeaderName::from_static("tus-max-size"), limits::FILE_BYTES.to_string()),
    ];
    answer(StatusCode::NO_CONTENT, headers)
}

/// Begins an upload (tus `creation`, `creation-with-upload`). `Upload-Length`
/// is its size in bytes. `Upload-Metadata` holds `filename`, and `org` where
/// the file is to belong to an organisation; a guest names the `conversation`
/// they sit in instead, and may send it there alone. The answer's `Location`
/// takes the bytes; its last part, also in `Magpie-File`, is the id of the file.
/// Guests have limits of their own; `guest_files_off` where the organisation
/// lets them send none.
#[utoipa::path(post, path = "/api/v1/files/uploads", operation_id = "files.create_upload", tag = "files",
    params(("Tus-Resumable" = String, Header,), ("Upload-Length" = i64, Header,), ("Upload-Metadata" = String, Header,)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 201), (status = "4XX", body = Problem), (status = "5XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "create", "scope": "self", "roles": ["person", "guest"]}))))]
async fn create_upload(ctx: Ctx, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    tus::version(&headers)?;
    let about = tus::metadata(&headers)?;
    let (size, checksum) = (tus::number(&headers, "upload-length")?, tus::checksum(&headers)?);
    let first = tus::carries_bytes(&headers).then_some(body);
    let row = actions::create(ctx, size, about, first, checksum).await?;
    let mut answered = place(&row);
    answered.push((header::LOCATION, format!("/api/v1/files/uploads/{}", row.id)));
    Ok(answer(StatusCode::CREATED, answered))
}

/// How much of an upload is durable: `Upload-Offset` of `Upload-Length`.
#[utoipa::path(head, path = "/api/v1/files/uploads/{id}", operation_id = "files.get_progress", tag = "files",
    params(("id" = FileId, Path,), ("Tus-Resumable" = String, Header,)),
    responses((status = 200), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "change", "scope": "uploader", "roles": ["uploader", "guest"]}))))]
async fn get_progress(ctx: Ctx, At(id): At<FileId>, headers: HeaderMap) -> Result<Response, Failure> {
    tus::version(&headers)?;
    let row = actions::progress(ctx, id).await?;
    let mut answered = place(&row);
    answered.push((HeaderName::from_static("upload-length"), row.size.max(row.received).to_string()));
    Ok(answer(StatusCode::OK, answered))
}

/// Sends bytes from `Upload-Offset` on. What the answer's `Upload-Offset`
/// covers is durable; it may be less than was sent, then go on from there. A
/// body that breaks off keeps what came. With `Upload-Checksum` (sha1, sha256)
/// a body of at most 4 MiB is kept whole or not at all.
#[utoipa::path(patch, path = "/api/v1/files/uploads/{id}", operation_id = "files.append_bytes", tag = "files",
    params(("id" = FileId, Path,), ("Tus-Resumable" = String, Header,), ("Upload-Offset" = i64, Header,)),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = 204), (status = "4XX", body = Problem), (status = "5XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "change", "scope": "uploader", "roles": ["uploader", "guest"]}))))]
async fn append_bytes(ctx: Ctx, At(id): At<FileId>, headers: HeaderMap, body: Body) -> Result<Response, Failure> {
    tus::version(&headers)?;
    if !tus::carries_bytes(&headers) {
        return Err(Error::api(Code::UnsupportedMediaType).with("wanted", tus::BYTES).into());
    }
    let (offset, checksum) = (tus::number(&headers, "upload-offset")?, tus::checksum(&headers)?);
    let row = actions::append(ctx, id, offset, checksum, body).await?;
    Ok(answer(StatusCode::NO_CONTENT, place(&row)))
}

/// Gives up an unfinished upload; its space is free at once.
#[utoipa::path(delete, path = "/api/v1/files/uploads/{id}", operation_id = "files.end_upload", tag = "files",
    params(("id" = FileId, Path,), ("Tus-Resumable" = String, Header,)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-authz" = json!({"object": "file", "action": "change", "scope": "uploader", "roles": ["uploader", "guest"]}))))]
async fn end_upload(ctx: Ctx, At(id): At<FileId>, headers: HeaderMap) -> Result<StatusCode, Failure> {
    tus::version(&headers)?;
    actions::terminate(ctx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::http_date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(1_709_164_800_000), "Thu, 29 Feb 2024 00:00:00 GMT");
        assert_eq!(http_date(1_795_334_400_000), "Sun, 22 Nov 2026 08:00:00 GMT");
    }
}

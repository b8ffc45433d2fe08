//! `/trust`: how a device learns to trust this server's own authority. Made
//! here, without the client: it is read before anything is trusted, on
//! browsers of any age.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kernel::Kernel;
use uuid::Uuid;

use super::{Tls, local_ca::LocalCa};

/// Nothing runs here, and nothing comes from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("trust.css");

/// The page and what it gives out; no route where the authority is not ours.
pub fn routes(tls: Option<&Arc<Tls>>) -> Router<Arc<Kernel>> {
    let Some(tls) = tls.filter(|tls| tls.authority().is_some()).cloned() else { return Router::new() };
    let give = move |what: fn(&LocalCa, &Kernel, &HeaderMap) -> Response| {
        let tls = tls.clone();
        move |axum::extract::State(kernel): axum::extract::State<Arc<Kernel>>, headers: HeaderMap| {
            let answer = tls.authority().map(|authority| what(authority, &kernel, &headers));
            std::future::ready(answer.unwrap_or_else(|| StatusCode::NOT_FOUND.into_response()))
        }
    };
    Router::new()
        .route("/trust", get(give(|authority, kernel, headers| page(authority, &kernel.live().name, headers))))
        .route("/trust/style.css", get(give(|_, _, _| typed("text/css; charset=utf-8", None, STYLE))))
        .route(
            "/trust/magpie-ca.crt",
            get(give(|authority, _, _| {
                typed("application/x-x509-ca-cert", Some("magpie-ca.crt"), authority.pem().to_owned())
            })),
        )
        .route(
            "/trust/magpie-ca.mobileconfig",
            get(give(|authority, kernel, _| {
                let profile = profile(authority, &kernel.live().name);
                typed("application/x-apple-aspen-config", Some("magpie-ca.mobileconfig"), profile)
            })),
        )
}

fn typed(kind: &'static str, file: Option<&'static str>, body: impl axum::response::IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if let Some(disposition) = file.and_then(|f| HeaderValue::from_str(&format!("attachment; filename=\"{f}\"")).ok()) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A profile for Apple's devices that holds the certificate. Its identifiers
/// follow from the certificate, so a second installation replaces the first.
fn profile(authority: &LocalCa, server: &str) -> String {
    let id = |part: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, &[authority.der(), part.as_bytes()].concat());
    let (name, data) = (escaped(server), STANDARD.encode(authority.der()));
    let (inner, outer) = (id("certificate"), id("profile"));
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadContent</key><array><dict>
<key>PayloadCertificateFileName</key><string>magpie-ca.crt</string>
<key>PayloadContent</key><data>{data}</data>
<key>PayloadDisplayName</key><string>{name} CA</string>
<key>PayloadIdentifier</key><string>magpie.ca.{inner}</string>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadUUID</key><string>{inner}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></array>
<key>PayloadDisplayName</key><string>{name} CA</string>
<key>PayloadIdentifier</key><string>magpie.trust.{outer}</string>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadUUID</key><string>{outer}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></plist>
"#
    )
}

/// For text and attributes of HTML and XML.
fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}

/// Whether the reader would rather have Chinese: the first language of the two
/// that their browser names.
fn chinese(headers: &HeaderMap) -> bool {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let tags = wanted.split(',').map(|part| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    tags.into_iter().find(|tag| tag.starts_with("zh") || tag.starts_with("en")).is_none_or(|tag| tag.starts_with("zh"))
}

/// One kind of device, with what to do on it.
struct Steps {
    device: &'static str,
    steps: &'static [&'static str],
}

struct Words {
    lang: &'static str,
    title: &'static str,
    why: &'static str,
    compare: &'static str,
    get: [(&'static str, &'static str); 2],
    devices: [Steps; 4],
    after: &'static str,
}

fn each<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    items.iter().map(write).collect::<Vec<_>>().concat()
}

fn page(authority: &LocalCa, server: &str, headers: &HeaderMap) -> Response {
    let words = if chinese(headers) { &CHINESE } else { &ENGLISH };
    let name = escaped(server);
    let links = each(&words.get, |(href, text)| format!("<p><a class=\"get\" href=\"{href}\">{text}</a></p>\n"));
    let devices = each(&words.devices, |Steps { device, steps }| {
        let steps = each(steps, |step| format!("<li>{step}</li>\n"));
        format!("<section><h2>{device}</h2>\n<ol>\n{steps}</ol></section>\n")
    });
    let Words { lang, title, why, compare, after, .. } = words;
    let fingerprint = authority.fingerprint();
    let html = format!(
        "<!doctype html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · {name}</title><link rel=\"stylesheet\" href=\"/trust/style.css\"></head>\n<body><main>\n\
         <h1>{title} · {name}</h1>\n<p>{why}</p>\n{links}<p>{compare}</p>\n<p class=\"print\">{fingerprint}</p>\n\
         {devices}<p>{after}</p>\n</main></body></html>\n"
    );
    let mut response = typed("text/html; charset=utf-8", None, html);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

const CRT: &str = "/trust/magpie-ca.crt";
const PROFILE: &str = "/trust/magpie-ca.mobileconfig";

const CHINESE: Words = Words {
    lang: "zh-CN",
    title: "信任本服务器的证书",
    why: "本服务器在内部网络中运行，证书由它自己签发。在设备上安装一次下面的根证书，就能用 https 打开，并使用通话、通行密钥、通知和离线。这个根证书只能为内网地址和本服务器自己的名称签发证书，对其他网站无效。",
    compare: "安装前请核对指纹：它应当与管理员启动服务器时看到的 SHA-256 完全一致。",
    get: [(PROFILE, "下载描述文件（iPhone、iPad、Mac）"), (CRT, "下载证书（Android、Windows、Mac）")],
    devices: [
        Steps {
            device: "iPhone、iPad（iOS）",
            steps: &[
                "用 Safari 打开本页，下载描述文件，选“允许”。",
                "打开“设置”→“已下载描述文件”→“安装”，输入锁屏密码。",
                "打开“设置”→“通用”→“关于本机”→“证书信任设置”，为该证书打开“完全信任”。",
            ],
        },
        Steps {
            device: "Android",
            steps: &[
                "下载证书。",
                "打开“设置”，搜索“CA 证书”（一般在“安全”→“更多安全设置”→“加密与凭据”→“安装证书”），选“CA 证书”→“仍然安装”。",
                "选择刚下载的 magpie-ca.crt，然后重新打开浏览器。",
            ],
        },
        Steps {
            device: "Windows",
            steps: &[
                "下载证书并双击打开，点“安装证书”。",
                "选“当前用户”→“将所有的证书都放入下列存储”→“浏览”→“受信任的根证书颁发机构”。",
                "确认警告中的指纹后选“是”，然后重新打开浏览器。Firefox 请在“设置”→“隐私与安全”→“查看证书”→“导入”中导入。",
            ],
        },
        Steps {
            device: "Mac（macOS）",
            steps: &[
                "下载证书并双击，加入“钥匙串访问”的“登录”钥匙串。",
                "在其中双击该证书，展开“信任”，把“使用此证书时”改为“始终信任”。",
                "关闭窗口，输入密码，然后重新打开浏览器。",
            ],
        },
    ],
    after: "不再使用时，在同一处删除该证书或描述文件即可。",
};

const ENGLISH: Words = Words {
    lang: "en",
    title: "Trust this server's certificate",
    why: "This server runs inside your network and signs its own certificate. Install its root certificate once on a device to open it by https, with calls, passkeys, notifications and offline use. The root can sign for addresses of inner networks and for this server's own names only; for other sites it means nothing.",
    compare: "Compare the fingerprint before you install: it must be the SHA-256 that the server showed its administrator when it started.",
    get: [(PROFILE, "Get the profile (iPhone, iPad, Mac)"), (CRT, "Get the certificate (Android, Windows, Mac)")],
    devices: [
        Steps {
            device: "iPhone, iPad (iOS)",
            steps: &[
                "Open this page in Safari, get the profile and choose Allow.",
                "Open Settings → Profile Downloaded → Install, and enter your passcode.",
                "Open Settings → General → About → Certificate Trust Settings and switch on full trust for it.",
            ],
        },
        Steps {
            device: "Android",
            steps: &[
                "Get the certificate.",
                "Open Settings and search for “CA certificate” (mostly under Security → More security settings → Encryption &amp; credentials → Install a certificate); choose CA certificate → Install anyway.",
                "Choose magpie-ca.crt, then start the browser again.",
            ],
        },
        Steps {
            device: "Windows",
            steps: &[
                "Get the certificate, open it and choose Install Certificate.",
                "Choose Current User → Place all certificates in the following store → Browse → Trusted Root Certification Authorities.",
                "Compare the fingerprint in the warning, choose Yes, and start the browser again. For Firefox import it under Settings → Privacy &amp; Security → View Certificates → Import.",
            ],
        },
        Steps {
            device: "Mac (macOS)",
            steps: &[
                "Get the certificate and open it; add it to the login keychain of Keychain Access.",
                "Open it there, unfold Trust and set “When using this certificate” to Always Trust.",
                "Close the window, enter your password, and start the browser again.",
            ],
        },
    ],
    after: "When you need it no more, remove the certificate or profile in the same place.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_readers_first_of_the_two() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, value.parse().unwrap());
            chinese(&headers)
        };
        assert!(of("zh-CN,zh;q=0.9,en;q=0.8") && of("fr, zh-TW") && of("") && chinese(&HeaderMap::new()));
        assert!(!of("en-US,en;q=0.9,zh;q=0.8") && !of("fr,en"));
    }

    #[test]
    fn a_name_cannot_become_markup() {
        assert_eq!(escaped("<b a='\"'>&"), "&lt;b a=&#39;&quot;&#39;&gt;&amp;");
    }
}

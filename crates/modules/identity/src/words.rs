//! What the server itself says in messages that leave it. Everything else is
//! said by the client, which knows more languages.

use kernel::Kernel;

use crate::actions::codes::Purpose;

/// A message in its forms.
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) text: String,
    /// For a text message.
    pub(crate) short: String,
}

/// The message that carries a code. Chinese unless the person has chosen
/// another language.
pub(crate) fn code(server: &str, locale: Option<&str>, purpose: Purpose, code: &str) -> Words {
    let chinese = is_chinese(locale);
    let what = match (purpose, chinese) {
        (Purpose::Verify, true) => "确认这个联系方式",
        (Purpose::Release, true) => "更换或移除这个联系方式",
        (Purpose::Reset, true) => "重新登录或重置密码",
        (Purpose::Verify, false) => "confirm that this address is yours",
        (Purpose::Release, false) => "replace or remove this address",
        (Purpose::Reset, false) => "sign in again or set a new password",
    };
    if chinese {
        let short =
            format!("【{server}】验证码 {code}，用于{what}，10 分钟内有效。请勿告诉任何人；不是您本人操作请忽略。");
        Words { subject: format!("{server} 验证码"), text: format!("{short}\n"), short }
    } else {
        let short = format!(
            "{server}: {code} is your code to {what}. It is good for 10 minutes. Tell it to nobody. If you did not ask for it, do nothing."
        );
        Words { subject: format!("Your {server} code"), text: format!("{short}\n"), short }
    }
}

/// The message that an account was merged into another one, with where that
/// is undone by whoever did not want it.
pub(crate) fn merged(kernel: &Kernel, locale: Option<&str>, login: &str) -> Words {
    let (server, url) = (&kernel.live().name, format!("{}/sign-in", kernel.config.public_url.trim_end_matches('/')));
    if is_chinese(locale) {
        let short = format!(
            "【{server}】您的帐号 {login} 已合并到另一个帐号。如果不是您本人操作，请在 7 天内用原来的登录名和密码在 {url} 登录并选择“分开帐号”。"
        );
        Words { subject: format!("{server} 帐号已合并"), text: format!("{short}\n"), short }
    } else {
        let short = format!(
            "{server}: your account {login} was merged into another one. If this was not you, sign in with its name and password at {url} within 7 days and choose to take them apart."
        );
        Words { subject: format!("Your {server} account was merged"), text: format!("{short}\n"), short }
    }
}

fn is_chinese(locale: Option<&str>) -> bool {
    locale.is_none_or(|tag| tag.to_ascii_lowercase().starts_with("zh"))
}

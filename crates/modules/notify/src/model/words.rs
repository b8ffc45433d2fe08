//! What a notice says. The server says it itself, for no client is there to.

use chat::News;
use proto::{ConversationId, Millis};
use uuid::Uuid;

use super::Shows;

/// One conversation in a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) conversation: ConversationId,
    pub(crate) title: String,
    pub(crate) text: String,
}

/// How a notice is taken back; without a sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Back {
    /// This is said in its place.
    Instead,
    /// So too, but it goes where it can be taken away: nothing is left to say.
    Away,
}

/// A notice, as a rung tells it.
#[derive(Clone, Debug)]
pub(crate) struct Say {
    /// The same in every try of it.
    pub(crate) id: Uuid,
    /// Acknowledged by this.
    pub(crate) notice: Uuid,
    pub(crate) at: Millis,
    /// What is new since the rung told last, the newest first; at least one.
    pub(crate) items: Vec<Item>,
    /// All conversations that wait, the newest first.
    pub(crate) open: Vec<ConversationId>,
    /// The number on the icon.
    pub(crate) badge: i64,
    pub(crate) url: String,
    pub(crate) server: String,
    pub(crate) chinese: bool,
    pub(crate) test: bool,
    /// It takes back one that told of a message which was taken back.
    pub(crate) back: Option<Back>,
    /// When the rung told the notice that stands on the device: this one, or
    /// the one whose place it takes.
    pub(crate) stands: Millis,
}

impl Say {
    pub(crate) fn title(&self) -> &str {
        self.items.first().map_or(&self.server, |item| &item.title)
    }

    /// The first conversation's line, and how many more there are.
    pub(crate) fn text(&self) -> String {
        let line = self.items.first().map_or("", |item| &item.text);
        match (self.items.len().saturating_sub(1), self.chinese) {
            (0, _) => line.to_owned(),
            (more, true) => format!("{line}（另有 {more} 个会话）"),
            (more, false) => format!("{line} (and {more} more)"),
        }
    }

    /// Title and text as one message of several lines, with where it leads.
    pub(crate) fn letter(&self) -> String {
        format!("{}\n{}\n{}", self.title(), self.text(), self.url)
    }
}

pub(crate) fn is_chinese(locale: Option<&str>) -> bool {
    locale.is_none_or(|tag| tag.to_ascii_lowercase().starts_with("zh"))
}

/// One conversation in words, as much of it as may be shown.
pub(crate) fn item(news: &News, shows: Shows, server: &str, chinese: bool) -> Item {
    let count = match (news.unread, chinese) {
        (n, true) => format!("{n} 条新消息"),
        (1, false) => "1 new message".to_owned(),
        (n, false) => format!("{n} new messages"),
    };
    if shows == Shows::Bare {
        let text = if chinese { "有新消息" } else { "You have new messages" };
        return Item { conversation: news.conversation, title: server.to_owned(), text: text.to_owned() };
    }
    let group = if chinese { "群聊" } else { "Group" };
    let place = if news.direct { None } else { Some(news.title.as_deref().unwrap_or(group)) };
    let mut title = String::new();
    // Whoever is from outside or unknown is told to be so wherever they are shown.
    for (marked, chinese_mark, mark) in [
        (news.external || news.marks.external, "【外部】", "[external] "),
        (news.marks.unverified, "【未认证】", "[unverified] "),
        (news.marks.lookalike, "【重名】", "[same name] "),
    ] {
        if marked {
            title.push_str(if chinese { chinese_mark } else { mark });
        }
    }
    match (news.who.as_str(), place) {
        ("", None) => title.push_str(server),
        ("", Some(place)) => title.push_str(place),
        (who, None) => title.push_str(who),
        (who, Some(place)) => {
            title.push_str(who);
            title.push_str(" · ");
            title.push_str(place);
        }
    }
    let said = if shows == Shows::Full && !news.text.is_empty() { news.text.clone() } else { count };
    let text = match (news.mentioned, chinese) {
        (false, _) => said,
        (true, true) => format!("[有人@我] {said}"),
        (true, false) => format!("[mentions you] {said}"),
    };
    Item { conversation: news.conversation, title, text }
}

/// The same after a message was taken back: what the newest says where there
/// is another, and nothing of it where there is not.
pub(crate) fn withdrawn(news: &News, shows: Shows, server: &str, chinese: bool) -> Item {
    let mut item = item(news, shows, server, chinese);
    if shows == Shows::Full && news.text.is_empty() {
        recalled(chinese).clone_into(&mut item.text);
    }
    item
}

/// The same where nothing of the conversation waits for the person any more.
pub(crate) fn withdrawn_alone(conversation: ConversationId, server: &str, chinese: bool) -> Item {
    Item { conversation, title: server.to_owned(), text: recalled(chinese).to_owned() }
}

const fn recalled(chinese: bool) -> &'static str {
    if chinese { "撤回了一条消息" } else { "A message was recalled" }
}

/// What a test says.
pub(crate) fn test(chinese: bool) -> (String, String) {
    if chinese {
        ("测试通知".to_owned(), "收到这条，就说明这一级能叫到你。".to_owned())
    } else {
        ("Test notice".to_owned(), "If you see this, this way reaches you.".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> News {
        News {
            conversation: ConversationId(Uuid::from_u128(1)),
            org: None,
            title: Some("一组".into()),
            direct: false,
            external: false,
            unread: 3,
            mentioned: false,
            who: "张伟".into(),
            marks: kernel::Marks::default(),
            seq: 7,
            text: "明天九点".into(),
        }
    }

    #[test]
    fn what_is_shown_follows_the_policy() {
        let told = |shows| {
            let item = item(&news(), shows, "鹊桥", true);
            (item.title, item.text)
        };
        assert_eq!(told(Shows::Full), ("张伟 · 一组".into(), "明天九点".into()));
        assert_eq!(told(Shows::Sender), ("张伟 · 一组".into(), "3 条新消息".into()));
        assert_eq!(told(Shows::Bare), ("鹊桥".into(), "有新消息".into()));
    }

    #[test]
    fn strangers_and_mentions_are_marked() {
        let mut news = news();
        (news.external, news.mentioned, news.marks.unverified) = (true, true, true);
        let item = item(&news, Shows::Full, "鹊桥", true);
        assert_eq!((item.title.as_str(), item.text.as_str()), ("【外部】【未认证】张伟 · 一组", "[有人@我] 明天九点"));
    }
}

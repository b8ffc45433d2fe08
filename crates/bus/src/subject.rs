//! The subjects of an installation.

use proto::{StreamKey, UserId};

/// Shards that hints are spread over.
pub const SHARDS: u16 = 1_024;
/// Shards that presence is spread over.
pub const PRESENCE_SHARDS: u16 = 64;

/// Where one message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// `<prefix>.s.<0..1023>`: what happened on the streams of a shard.
    Shard(u16),
    /// `<prefix>.presence.<0..63>`: who is there, of the people of a shard.
    Presence(u16),
    /// `<prefix>.node`: the nodes among themselves.
    Node,
}

/// What one subscribes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    Shard(u16),
    AllShards,
    AllPresence,
    Node,
}

impl Topic {
    pub(crate) fn takes(self, subject: Subject) -> bool {
        match (self, subject) {
            (Self::Shard(a), Subject::Shard(b)) => a == b,
            (Self::AllShards, Subject::Shard(_))
            | (Self::AllPresence, Subject::Presence(_))
            | (Self::Node, Subject::Node) => true,
            _ => false,
        }
    }

    pub(crate) fn name(self, prefix: &str) -> String {
        match self {
            Self::Shard(n) => format!("{prefix}.s.{n}"),
            Self::AllShards => format!("{prefix}.s.*"),
            Self::AllPresence => format!("{prefix}.presence.*"),
            Self::Node => format!("{prefix}.node"),
        }
    }
}

impl Subject {
    pub(crate) fn name(self, prefix: &str) -> String {
        match self {
            Self::Shard(n) => format!("{prefix}.s.{n}"),
            Self::Presence(n) => format!("{prefix}.presence.{n}"),
            Self::Node => format!("{prefix}.node"),
        }
    }

    /// `None` for what is not of this installation or of a newer release.
    pub(crate) fn parse(name: &str, prefix: &str) -> Option<Self> {
        let rest = name.strip_prefix(prefix)?.strip_prefix('.')?;
        match rest.split_once('.') {
            None if rest == "node" => Some(Self::Node),
            Some(("s", n)) => n.parse().ok().filter(|n| *n < SHARDS).map(Self::Shard),
            Some(("presence", n)) => n.parse().ok().filter(|n| *n < PRESENCE_SHARDS).map(Self::Presence),
            _ => None,
        }
    }
}

/// FNV-1a rather than Rust's hash: two releases side by side must agree.
fn fnv(parts: [&[u8]; 2]) -> u64 {
    parts
        .into_iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn cut(hash: u64, shards: u16) -> u16 {
    u16::try_from((hash ^ (hash >> 32)) % u64::from(shards)).unwrap_or(0)
}

/// The shard of a stream.
pub fn shard(stream: StreamKey) -> u16 {
    cut(fnv([stream.kind.as_bytes(), stream.id.as_bytes()]), SHARDS)
}

/// The presence shard of a person.
pub fn presence_shard(user: UserId) -> u16 {
    cut(fnv([b"presence", user.0.as_bytes()]), PRESENCE_SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_found_again_by_its_name_and_foreign_ones_are_not() {
        for subject in [Subject::Shard(0), Subject::Shard(1_023), Subject::Presence(63), Subject::Node] {
            assert_eq!(Subject::parse(&subject.name("m-1"), "m-1"), Some(subject));
        }
        for foreign in ["m-2.node", "m-1.s.1024", "m-1.s.x", "m-1.node.x", "m-1s.1", "m-1.later.3"] {
            assert_eq!(Subject::parse(foreign, "m-1"), None, "{foreign}");
        }
    }
}

//! `magpie admin seed`: a realistic organisation, the same for the same
//! `--seed`: names that programs get wrong, pairs of equal names, very short
//! and very long messages, somebody who left.

mod names;
mod texts;
mod write;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Result, bail};
use clap::Args;
use kernel::Kernel;
use proto::Millis;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use self::write::Writer;

const DAY: Millis = 24 * 3_600_000;

/// What to make.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// People of the organisation. The first one owns it and is in every group.
    #[arg(long, default_value_t = 500)]
    pub people: usize,
    /// Conversations, the one of everybody among them; about a third between two.
    #[arg(long, default_value_t = 60)]
    pub conversations: usize,
    /// Messages in all conversations together, over the last 400 days.
    #[arg(long, default_value_t = 100_000)]
    pub messages: usize,
    /// The same number makes the same organisation.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The organisation's name.
    #[arg(long, default_value = "鹊桥示范公司")]
    pub name: String,
    /// A password for everybody, to sign in as any of them. Without it people
    /// can be acted as only by their tokens.
    #[arg(long)]
    pub password: Option<String>,
    /// Writes a line per person here: user id, name, bearer token, separated
    /// by tabs. Whoever reads the file can act as them.
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
}

/// One conversation of the plan: who is in it, and how much of the talk.
struct Talk {
    kind: TalkKind,
    /// Places in the list of people.
    members: Vec<usize>,
    messages: usize,
}

enum TalkKind {
    Everybody,
    Group(String),
    Pair,
}

pub async fn run(kernel: &Arc<Kernel>, plan: &Plan) -> Result<()> {
    if plan.people < 3 || plan.people > 20_000 {
        bail!("--people must be from 3 to 20000");
    }
    if plan.conversations < 1 || plan.conversations > plan.people * 5 {
        bail!("--conversations must be from 1 to five times the people");
    }
    let mut rng = StdRng::seed_from_u64(plan.seed);
    let names = names::people(&mut rng, plan.people);
    let talks = talks(&mut rng, plan);

    let mut writer = Writer::new(kernel, plan.password.as_deref(), plan.seed).await?;
    writer.people(&names).await?;
    writer.org(&plan.name).await?;
    println!("{} people in {}", plan.people, plan.name);
    let now = kernel.now();
    let mut written = 0;
    for talk in &talks {
        let id = match &talk.kind {
            TalkKind::Everybody => writer.everybody(),
            TalkKind::Group(title) => writer.group(title, &talk.members).await?,
            TalkKind::Pair => writer.pair(talk.members[0], talk.members[1]).await?,
        };
        let lines = lines(&mut rng, talk, now);
        written += lines.len();
        writer.say(id, &talk.members, lines).await?;
    }
    println!("{} conversations, {written} messages", talks.len());
    // The last one left; the name stays on what they wrote.
    writer.leaver(plan.people - 1).await?;
    if let Some(path) = &plan.tokens {
        writer.tokens(path, &names).await?;
        println!("tokens in {}", path.display());
    }
    Ok(())
}

/// Who talks where, and how much. A few conversations hold most of the talk.
fn talks(rng: &mut StdRng, plan: &Plan) -> Vec<Talk> {
    let mut talks = vec![Talk { kind: TalkKind::Everybody, members: (0..plan.people).collect(), messages: 0 }];
    let pairs = plan.conversations / 3;
    let groups = plan.conversations.saturating_sub(1 + pairs);
    for number in 0..groups {
        // One large group, then smaller and smaller ones.
        let most = plan.people.min(490);
        let size = (most / (number + 1)).clamp(3.min(most), most);
        let mut others: Vec<usize> = (1..plan.people).collect();
        others.shuffle(rng);
        let members = std::iter::once(0).chain(others.into_iter().take(size - 1)).collect();
        talks.push(Talk { kind: TalkKind::Group(names::group(rng, number)), members, messages: 0 });
    }
    let mut known = std::collections::HashSet::new();
    while known.len() < pairs {
        // Every other pair is with the first person, while there are people left.
        let number = known.len();
        let a =
            if number.is_multiple_of(2) && number / 2 + 2 < plan.people { 0 } else { rng.random_range(1..plan.people) };
        let b = rng.random_range(1..plan.people);
        if a != b && known.insert((a.min(b), a.max(b))) {
            talks.push(Talk { kind: TalkKind::Pair, members: vec![a, b], messages: 0 });
        }
    }
    for _ in 0..plan.messages {
        let at = names::skewed(rng, talks.len());
        talks[at].messages += 1;
    }
    talks
}

/// A line of talk: who, when, what.
struct Line {
    sender: usize,
    at: Millis,
    text: String,
    /// Place of somebody named in it.
    mention: Option<usize>,
}

fn lines(rng: &mut StdRng, talk: &Talk, now: Millis) -> Vec<Line> {
    let span = 400 * DAY;
    let mut times: Vec<Millis> = (0..talk.messages).map(|_| now - rng.random_range(0..span)).collect();
    times.sort_unstable();
    let hard = [1, 10_000];
    times
        .into_iter()
        .enumerate()
        .map(|(number, at)| {
            let sender = talk.members[names::skewed(rng, talk.members.len())];
            let text = match hard.get(number) {
                Some(length) => texts::exactly(rng, *length),
                None => texts::message(rng),
            };
            let mention = (rng.random_range(0..40) == 0).then(|| talk.members[rng.random_range(0..talk.members.len())]);
            Line { sender, at, text, mention: mention.filter(|m| *m != sender && number >= hard.len()) }
        })
        .collect()
}

/// A new `UUID` of the plan's randomness.
fn uuid(rng: &mut impl Rng) -> uuid::Uuid {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_kept_to_the_number() {
        let plan = Plan {
            people: 500,
            conversations: 60,
            messages: 100_000,
            seed: 1,
            name: String::new(),
            password: None,
            tokens: None,
        };
        let talks = talks(&mut StdRng::seed_from_u64(1), &plan);
        assert_eq!(talks.len(), 60);
        assert_eq!(talks.iter().map(|t| t.messages).sum::<usize>(), 100_000);
        assert!(talks.iter().all(|t| t.members.len() >= 2));
        assert!(talks.iter().any(|t| t.messages > 10_000), "one long history");
    }
}

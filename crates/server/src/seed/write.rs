//! Writes the plan through the modules, in transactions of a bounded size.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

use anyhow::{Context, Result};
use identity::{NewPerson, UserKind, password};
use kernel::{Ctx, Kernel, Principal};
use proto::{ClientId, ConversationId, Error, OrgId, UserId};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{Line, uuid};

/// People written in one transaction.
const PEOPLE: usize = 40;
/// Members added in one transaction: each is told on their own stream.
const MEMBERS: usize = 10;
/// Read places moved in one transaction.
const PLACES: usize = 40;

pub struct Writer {
    ctx: Ctx,
    rng: StdRng,
    password: Option<password::Hashed>,
    people: Vec<UserId>,
    org: OrgId,
}

impl Writer {
    pub async fn new(kernel: &Arc<Kernel>, password: Option<&str>, seed: u64) -> Result<Self> {
        let password = match password {
            Some(text) => Some(password::hash(kernel, &password::Password::chosen(text, "", None)?).await?),
            None => None,
        };
        Ok(Self {
            ctx: kernel.ctx(Principal::SYSTEM),
            rng: StdRng::seed_from_u64(seed ^ 0x6d61_6770_6965),
            password,
            people: Vec::new(),
            org: OrgId(uuid::Uuid::nil()),
        })
    }

    async fn write<T: Send + 'static>(
        &self,
        closure: impl for<'t> Fn(&mut store::Tx<'t>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T> {
        Ok(self.ctx.db().write(closure).await?)
    }

    pub async fn people(&mut self, names: &[String]) -> Result<()> {
        for names in names.chunks(PEOPLE) {
            let (ctx, names, password) = (self.ctx.clone(), names.to_vec(), self.password.clone());
            let made = self.write(move |tx| {
                names
                    .iter()
                    .map(|name| {
                        let person = NewPerson {
                            name: name.clone(),
                            login: None,
                            password: password.clone(),
                            kind: UserKind::Person,
                        };
                        Ok(identity::create_person(tx, &ctx, &person)?.id)
                    })
                    .collect::<Result<Vec<_>, Error>>()
            });
            self.people.extend(made.await?);
        }
        Ok(())
    }

    /// The organisation of all of them; the first person owns it, the second
    /// and third administer it.
    pub async fn org(&mut self, name: &str) -> Result<()> {
        let (ctx, name, owner) = (self.ctx.clone(), name.to_owned(), self.people[0]);
        self.org = self
            .write(move |tx| {
                directory::found_org(tx, &ctx, &name, directory::OrgKind::Company, owner).map(|org| org.id)
            })
            .await?;
        let others: Vec<_> = self.people[1..]
            .iter()
            .enumerate()
            .map(|(n, user)| {
                let role = if n < 2 { directory::Role::Admin } else { directory::Role::Member };
                directory::NewMember { user: *user, role }
            })
            .collect();
        for members in others.chunks(MEMBERS) {
            let (ctx, org, members) = (self.ctx.clone(), self.org, members.to_vec());
            self.write(move |tx| directory::add_member(tx, &ctx, org, &members)).await?;
        }
        Ok(())
    }

    pub fn everybody(&self) -> ConversationId {
        directory::all_staff_conversation(self.org)
    }

    pub async fn group(&mut self, title: &str, members: &[usize]) -> Result<ConversationId> {
        let id = ConversationId(uuid(&mut self.rng));
        let users: Vec<UserId> = members.iter().map(|m| self.people[*m]).collect();
        let (org, at) = (self.org, self.ctx.now - 401 * super::DAY);
        let (first, rest) = users.split_at(users.len().min(chat::seed::BATCH));
        let (first, title) = (first.to_vec(), title.to_owned());
        self.write(move |tx| {
            tx.lock(&[chat::seed::key(id)])?;
            chat::seed::group(tx, id, Some(org), Some(&title), &first, at)
        })
        .await?;
        for more in rest.chunks(chat::seed::BATCH) {
            let more = more.to_vec();
            self.write(move |tx| {
                tx.lock(&[chat::seed::key(id)])?;
                chat::seed::members(tx, id, &more, at)
            })
            .await?;
        }
        Ok(id)
    }

    pub async fn pair(&mut self, a: usize, b: usize) -> Result<ConversationId> {
        let id = ConversationId(uuid(&mut self.rng));
        let (a, b, at) = (self.people[a], self.people[b], self.ctx.now - 401 * super::DAY);
        self.write(move |tx| {
            tx.lock(&[chat::seed::key(id)])?;
            chat::seed::direct(tx, id, a, b, at)
        })
        .await
    }

    /// The talk itself, then how far each member has read of it: most of it.
    pub async fn say(&mut self, id: ConversationId, members: &[usize], lines: Vec<Line>) -> Result<()> {
        let messages: Vec<chat::seed::SeedMessage> = lines
            .into_iter()
            .map(|line| chat::seed::SeedMessage {
                sender: self.people[line.sender],
                client_id: ClientId(uuid(&mut self.rng)),
                at: line.at,
                text: line.text,
                mentions: line.mention.map(|m| self.people[m]).into_iter().collect(),
                mention_all: false,
                reply_to: None,
            })
            .collect();
        let count = messages.len();
        // Half of the budget of rows of one write: messages bring mentions and cursors.
        for batch in messages.chunks(chat::seed::BATCH / 2) {
            let batch = batch.to_vec();
            self.write(move |tx| {
                tx.lock(&[chat::seed::key(id)])?;
                chat::seed::message_batch(tx, id, &batch).map(drop)
            })
            .await?;
        }
        let places: Vec<(UserId, i64)> = members
            .iter()
            .map(|m| {
                // One in four has something left to read.
                let left = if self.rng.random_range(0..4) == 0 { self.rng.random_range(0..20) } else { 0 };
                (self.people[*m], i64::try_from(count).unwrap_or(0) + 1 - left)
            })
            .collect();
        let now = self.ctx.now;
        for places in places.chunks(PLACES) {
            let places = places.to_vec();
            self.write(move |tx| {
                tx.lock(&[chat::seed::key(id)])?;
                places.iter().try_for_each(|(user, seq)| chat::seed::read_up_to(tx, id, *user, *seq, now))
            })
            .await?;
        }
        Ok(())
    }

    pub async fn leaver(&self, person: usize) -> Result<()> {
        let session = proto::SessionId(uuid::Uuid::nil());
        let ctx = self.ctx.kernel.ctx(Principal::person(self.people[person], session));
        Ok(directory::remove_member(ctx, self.org, self.people[person]).await?)
    }

    pub async fn tokens(&self, path: &Path, names: &[String]) -> Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            // Whoever reads it can act as everybody in it.
            .mode(0o600)
            .open(path)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        for (people, names) in self.people.chunks(PEOPLE).zip(names.chunks(PEOPLE)) {
            let (ctx, users) = (self.ctx.clone(), people.to_vec());
            let tokens = self.write(move |tx| {
                users.iter().map(|user| identity::issue_token(tx, &ctx, *user, "seed")).collect::<Result<Vec<_>, _>>()
            });
            for ((user, name), token) in people.iter().zip(names).zip(tokens.await?) {
                writeln!(file, "{user}\t{name}\t{token}")?;
            }
        }
        Ok(())
    }
}

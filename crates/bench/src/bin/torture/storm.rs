//! Partitions: every link of a cluster goes through a proxy that can break it.
//! A storm strikes several links and processes at once under load, heals all,
//! and then nobody writes until every device has what was acknowledged: a
//! change that was told to nobody is not covered up by the next one.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use bench::{
    link::{Fault, Healing, Link},
    process::Magpie,
};
use rand::{RngExt, rngs::StdRng, seq::SliceRandom};
use tokio::task::JoinSet;

use crate::{
    cluster::Cluster,
    postgres::Postgres,
    record::Outcome,
    sender,
    world::{Sent, World, uuid},
};

/// The promise: a send succeeds so soon after healing, by each node.
const SEND: Duration = Duration::from_secs(5);
/// Two faults in a storm, and now and then a node killed besides.
const FAULTS: usize = 2;
/// So many storms have every kind of fault.
pub const STORMS: u32 = 9;
/// At most so many more for kinds of fault that met nothing.
pub const EXTRA: u32 = 6;
/// A node speaks, and nobody hears it nor knows that there was something to
/// hear. This one comes alone: anything else, or the next change on the same
/// stream, makes the others look.
const UNHEARD: Blow = Blow::Link(Place::Bus, Fault::StallUp);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Client,
    Bus,
    Database,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    Link(Place, Fault),
    /// NATS is killed and comes back knowing nothing.
    Wipe,
    Kill,
}

impl Blow {
    fn name(self) -> String {
        match self {
            Self::Link(place, fault) => format!("{place:?} {fault:?}"),
            Self::Wipe => "NATS wiped".to_owned(),
            Self::Kill => "node killed".to_owned(),
        }
    }
}

/// Every kind there is. Nodes speak to each other by the bus and by the
/// database only, so cutting one off from the bus is a partition of nodes.
fn every_blow() -> Vec<Blow> {
    use Fault::{Blackhole, DropAnswer, Reset, StallDown, StallUp};
    let mut blows = vec![Blow::Wipe, Blow::Kill];
    for fault in [Blackhole, Reset, StallUp, StallDown] {
        blows.extend([Place::Client, Place::Bus, Place::Database].map(|place| Blow::Link(place, fault)));
    }
    // Nothing on the bus is a request.
    blows.extend([Place::Client, Place::Database].map(|place| Blow::Link(place, DropAnswer)));
    blows
}

/// The links of each node.
pub struct Links {
    clients: Vec<Link>,
    buses: Vec<Link>,
    databases: Vec<Link>,
}

impl Links {
    /// Puts links between a cluster that has yet to start and what it needs.
    /// Returns how its nodes are to be started.
    pub async fn open(
        magpie: &Magpie,
        nodes: usize,
        postgres: &Postgres,
        nats: &str,
    ) -> Result<(Vec<Magpie>, Vec<Link>, Vec<Link>)> {
        let (mut magpies, mut buses, mut databases) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..nodes {
            let bus = Link::open(nats, b"").await?;
            let database = Link::open(&postgres.address, b"COMMIT\0").await?;
            let mut node = magpie.clone();
            node.env.push(("MAGPIE_DATABASE_URL".to_owned(), Postgres::url(&database.address)));
            node.env.push(("MAGPIE_NATS_URL".to_owned(), format!("nats://{}", bus.address)));
            magpies.push(node);
            buses.push(bus);
            databases.push(database);
        }
        Ok((magpies, buses, databases))
    }

    /// Adds the links from clients to the nodes of a cluster.
    pub async fn around(cluster: &Cluster, buses: Vec<Link>, databases: Vec<Link>) -> Result<Self> {
        let mut clients = Vec::new();
        for address in &cluster.addresses {
            clients.push(Link::open(address, b"").await?);
        }
        Ok(Self { clients, buses, databases })
    }

    /// Where clients connect to.
    pub fn addresses(&self) -> Vec<String> {
        self.clients.iter().map(|link| link.address.clone()).collect()
    }

    fn of(&self, place: Place) -> &[Link] {
        match place {
            Place::Client => &self.clients,
            Place::Bus => &self.buses,
            Place::Database => &self.databases,
        }
    }
}

/// One fault of a storm.
#[derive(Debug)]
struct Strike {
    blow: Blow,
    nodes: Vec<usize>,
    /// From the begin of the storm.
    from: Duration,
    to: Duration,
    healing: Healing,
}

/// What is left of a run's storms: kinds of fault in an order of chance, each
/// again only after all others.
pub struct Weather {
    kinds: Vec<Blow>,
    deck: Vec<Blow>,
    random: StdRng,
    /// Longest fault.
    most: Duration,
    /// How often each kind met something.
    struck: BTreeMap<String, u64>,
}

impl Weather {
    /// With `only`, the kinds of fault whose name contains it.
    pub fn new(random: StdRng, most: Duration, only: Option<&str>) -> Result<Self> {
        let fits = |blow: &Blow| only.is_none_or(|part| blow.name().to_lowercase().contains(&part.to_lowercase()));
        let kinds: Vec<Blow> = every_blow().into_iter().filter(fits).collect();
        ensure!(!kinds.is_empty(), "no kind of fault has that name");
        let struck = kinds.iter().map(|blow| (blow.name(), 0)).collect();
        Ok(Self { kinds, deck: Vec::new(), random, most, struck })
    }

    /// Kinds of fault that met nothing so far.
    pub fn missed(&self) -> Vec<&str> {
        self.struck.iter().filter(|(_, times)| **times == 0).map(|(name, _)| name.as_str()).collect()
    }

    /// Deals what met nothing once more, each alone: whether a fault meets
    /// something depends on what is under way, and on what else is broken.
    pub fn deal_missed(&mut self) {
        self.deck = self.kinds.iter().filter(|blow| self.struck.get(&blow.name()) == Some(&0)).copied().collect();
        self.deck.truncate(1);
    }

    pub fn summary(&self) -> String {
        let all: Vec<String> = self.struck.iter().map(|(name, times)| format!("{name} {times}")).collect();
        format!("struck: {}", all.join(", "))
    }

    fn draw(&mut self, nodes: usize) -> Vec<Strike> {
        let mut blows = Vec::new();
        for _ in 0..FAULTS {
            if self.deck.is_empty() {
                if !blows.is_empty() {
                    break;
                }
                self.deck.clone_from(&self.kinds);
                self.deck.shuffle(&mut self.random);
                // It comes first, so alone.
                self.deck.sort_by_key(|blow| *blow == UNHEARD);
            }
            blows.extend(self.deck.pop());
            if blows.contains(&UNHEARD) {
                break;
            }
        }
        let unheard = blows.contains(&UNHEARD);
        if self.kinds.len() > FAULTS && !unheard && !blows.contains(&Blow::Kill) && self.random.random_bool(0.3) {
            blows.push(Blow::Kill);
        }
        let together = self.random.random_bool(0.5);
        let mut strikes: Vec<Strike> = blows.into_iter().map(|blow| self.strike(blow, nodes)).collect();
        let end = strikes.iter().map(|strike| strike.to).max().unwrap_or_default();
        if together {
            for strike in &mut strikes {
                strike.to = end;
            }
        }
        strikes
    }

    fn strike(&mut self, blow: Blow, nodes: usize) -> Strike {
        let random = &mut self.random;
        let mut all: Vec<usize> = (0..nodes).collect();
        all.shuffle(random);
        let many = match blow {
            UNHEARD | Blow::Kill => 1,
            // Every node has the message, and none can say so.
            Blow::Link(Place::Client, Fault::DropAnswer) => nodes,
            // Mostly one node: the others must go on meanwhile.
            _ if random.random_bool(0.6) => 1,
            _ => random.random_range(1..=nodes),
        };
        all.truncate(many);
        let from = Duration::from_millis(random.random_range(0..1_000));
        let most = u64::try_from(self.most.as_millis()).unwrap_or(u64::MAX).max(1_001);
        let lasts = Duration::from_millis(random.random_range(1_000..most));
        let healing = if blow != UNHEARD && random.random_bool(0.5) { Healing::Late } else { Healing::Cut };
        Strike { blow, nodes: all, from, to: from + lasts, healing }
    }

    /// Lets one storm pass over the cluster. When it returns all is healed and
    /// marked so, and nobody writes.
    pub async fn storm(&mut self, world: &World, cluster: &mut Cluster, links: &Links, round: u32) -> Result<()> {
        let strikes = self.draw(world.addresses.len());
        let before = counts(links, &strikes);
        world.recorder.mark("fault");
        let mut moments: Vec<(Duration, usize, bool)> = Vec::new();
        for (index, strike) in strikes.iter().enumerate() {
            moments.extend([(strike.from, index, true), (strike.to, index, false)]);
        }
        moments.sort_unstable();
        let last = moments.last().map(|moment| moment.0).unwrap_or_default();
        let (began, mut down) = (Instant::now(), Vec::new());
        for (at, index, begins) in moments {
            tokio::time::sleep_until((began + at).into()).await;
            if at == last && !begins {
                world.pause();
            }
            let strike = &strikes[index];
            match (strike.blow, begins) {
                (Blow::Link(place, fault), true) => each(links, place, strike, |link| link.strike(fault)),
                (Blow::Link(place, _), false) => each(links, place, strike, |link| link.heal(strike.healing)),
                (Blow::Wipe, true) => cluster.kill_nats(),
                (Blow::Wipe, false) => cluster.start_nats()?,
                (Blow::Kill, true) => cluster.kill(strike.nodes[0])?,
                (Blow::Kill, false) => {
                    world.recorder.mark("restart");
                    cluster.launch(strike.nodes[0])?;
                    down.push(strike.nodes[0]);
                }
            }
        }
        for node in down {
            cluster.recover(node).await?;
        }
        cluster.all_live()?;
        world.recorder.mark("healed");
        for ((strike, after), before) in strikes.iter().zip(counts(links, &strikes)).zip(before) {
            let met = after - before + u64::from(!matches!(strike.blow, Blow::Link(..)));
            *self.struck.entry(strike.blow.name()).or_default() += met;
            println!("storm {round}: {}", tell(strike, met));
        }
        Ok(())
    }
}

fn each(links: &Links, place: Place, strike: &Strike, what: impl Fn(&Link)) {
    strike.nodes.iter().for_each(|node| what(&links.of(place)[*node]));
}

/// How often the links of each strike met something.
fn counts(links: &Links, strikes: &[Strike]) -> Vec<u64> {
    let count = |strike: &Strike| match strike.blow {
        Blow::Link(place, _) => strike.nodes.iter().map(|node| links.of(place)[*node].struck()).sum(),
        Blow::Wipe | Blow::Kill => 0,
    };
    strikes.iter().map(count).collect()
}

fn tell(strike: &Strike, met: u64) -> String {
    let (name, from, to) = (strike.blow.name(), strike.from.as_millis(), strike.to.as_millis());
    match strike.blow {
        Blow::Link(..) => {
            format!("{name} at nodes {:?}, {from} to {to} ms, {:?}, met {met}", strike.nodes, strike.healing)
        }
        Blow::Wipe => format!("{name}, {from} to {to} ms"),
        Blow::Kill => format!("{name}: {}, {from} to {to} ms", strike.nodes[0]),
    }
}

/// Sends by each node, until it is acknowledged, into a conversation of its
/// own. Returns the nodes by which none was in time.
pub async fn probe(world: &std::sync::Arc<World>, random: &mut StdRng) -> Result<Vec<usize>> {
    let mut probes = JoinSet::new();
    for node in 0..world.addresses.len() {
        let world = std::sync::Arc::clone(world);
        // Not one of the senders, so that nothing is in the way.
        let person = 8 + node % (world.people.len() - 8);
        let process = format!("probe-{node}");
        let conversation = world.conversations.len() - 1;
        let mut sent =
            Sent { conversation, seq: 0, sender: person, client_id: uuid(random), text: String::new(), process };
        sent.text = format!("probe {}", sent.client_id);
        probes.spawn(async move {
            let began = Instant::now();
            let mut http = world.http(person);
            http.turn_to(&world.addresses[node]);
            while began.elapsed() < SEND {
                http.set_patience(Duration::from_secs(2));
                let invoked = world.recorder.now();
                let (outcome, result) = sender::by_http(&mut http, &world.conversations[conversation], &sent).await;
                sender::record(&world, &sent, invoked, outcome, result.as_ref().ok().copied());
                if outcome == Outcome::Ok && began.elapsed() < SEND {
                    return None;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Some(node)
        });
    }
    let mut late = Vec::new();
    while let Some(ended) = probes.join_next().await {
        late.extend(ended.context("a probe broke")?);
    }
    Ok(late)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn nine_storms_have_every_kind_of_fault_and_the_same_ones_for_the_same_seed() {
        let deal = |seed| {
            let mut weather = Weather::new(StdRng::seed_from_u64(seed), Duration::from_secs(4), None).unwrap();
            (0..STORMS).flat_map(|_| weather.draw(3)).collect::<Vec<Strike>>()
        };
        for seed in 0..20 {
            let dealt = deal(seed);
            assert!(every_blow().iter().all(|blow| dealt.iter().any(|strike| strike.blow == *blow)));
            assert!(dealt.iter().all(|strike| strike.from < strike.to && !strike.nodes.is_empty()));
            assert_eq!(format!("{dealt:?}"), format!("{:?}", deal(seed)));
        }
    }
}

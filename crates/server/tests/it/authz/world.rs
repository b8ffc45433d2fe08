//! Two organisations, and every kind of person there can be today.

use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use kernel::KernelConfig;
use object_store::memory::InMemory;
use serde_json::{Value, json};
use store::Blobs;
use testkit::{Answer, Mould, Person, TestServer};

use super::{Operation, accounts, expected::Expected, samples, signing};

/// A kind of person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Owner of A; not in the group.
    OwnerA,
    /// Administrator of A; owner of the group.
    AdminA,
    /// Member of A; administrator of the group.
    GroupAdmin,
    /// Member of A and of the group; sent the message that is acted on.
    Sender,
    /// Member of A and of the group.
    Reader,
    /// Member of A; not in the group.
    Colleague,
    /// Was in A and in the group, and left both.
    Leaver,
    /// Was in the group, and was removed from it; still in A.
    Removed,
    /// Also runs the server.
    OwnerB,
    MemberB,
    /// In A and in B; in the group.
    Both,
    /// Member of A, and suspended there.
    Suspended,
    /// Asks to join A, and waits.
    Pending,
    /// In no organisation.
    Stranger,
    /// Came into the group by a guest link.
    Guest,
    /// Came by a guest link of B, into a conversation of their own.
    GuestB,
    /// Has no session.
    Nobody,
    /// Comes with the token of an ended session.
    Ended,
    /// Comes with a token nobody gave.
    Forged,
}

pub const PEOPLE: &[Who] = &[
    Who::OwnerA,
    Who::AdminA,
    Who::GroupAdmin,
    Who::Sender,
    Who::Reader,
    Who::Colleague,
    Who::Leaver,
    Who::Removed,
    Who::OwnerB,
    Who::MemberB,
    Who::Both,
    Who::Suspended,
    Who::Pending,
    Who::Stranger,
    Who::Guest,
    Who::GuestB,
    Who::Nobody,
    Who::Ended,
    Who::Forged,
];

impl Who {
    pub fn has_session(self) -> bool {
        !matches!(self, Self::Nobody | Self::Ended | Self::Forged)
    }

    pub fn is_guest(self) -> bool {
        matches!(self, Self::Guest | Self::GuestB)
    }

    /// Asks for the upload of `Guest` where others ask for that of `Sender`.
    pub fn asks_for_a_guests(self) -> bool {
        matches!(self, Self::Guest | Self::GuestB | Self::OwnerA | Self::AdminA)
    }

    /// Role in organisation A.
    pub fn in_a(self) -> Option<&'static str> {
        match self {
            Self::OwnerA => Some("owner"),
            Self::AdminA => Some("admin"),
            Self::GroupAdmin | Self::Sender | Self::Reader | Self::Colleague | Self::Removed | Self::Both => {
                Some("member")
            }
            _ => None,
        }
    }

    /// Knows organisation A by name without being in it.
    pub fn knows_a(self) -> bool {
        matches!(self, Self::Suspended | Self::Pending)
    }

    /// Role in the group.
    pub fn in_group(self) -> Option<&'static str> {
        match self {
            Self::AdminA => Some("owner"),
            Self::GroupAdmin => Some("admin"),
            Self::Sender | Self::Reader | Self::Both => Some("member"),
            Self::Guest => Some("guest"),
            _ => None,
        }
    }
}

/// Text that only some may ever receive.
struct Canary {
    text: &'static str,
    seen_by: fn(Who) -> bool,
}

const CANARIES: &[Canary] = &[
    Canary { text: "canary-org-a", seen_by: |who| who.in_a().is_some() || who.knows_a() },
    Canary { text: "canary-health", seen_by: |who| who == Who::OwnerB },
    Canary { text: "canary-org-b", seen_by: |who| matches!(who, Who::OwnerB | Who::MemberB | Who::Both) },
    Canary { text: "canary-group-title", seen_by: |who| who.in_group().is_some() },
    Canary { text: "canary-group-message", seen_by: |who| who.in_group().is_some() },
    Canary { text: "canary-group-file", seen_by: |who| who.in_group().is_some() },
    Canary { text: "canary-upload", seen_by: |who| who == Who::Sender },
    Canary { text: "canary-guests-upload", seen_by: |who| who == Who::Guest },
    Canary { text: "canary-rung", seen_by: |who| who == Who::Sender },
    Canary { text: "canary-direct", seen_by: |who| matches!(who, Who::AdminA | Who::Colleague) },
    Canary { text: "canary-note", seen_by: |who| who == Who::Sender },
    Canary { text: "canary-colleague", seen_by: |who| who.in_a().is_some() },
    Canary { text: "canary-hello", seen_by: |who| matches!(who, Who::Reader | Who::Stranger) },
    Canary { text: "canary-draft", seen_by: |who| who == Who::Sender },
];

/// The public address of the server.
pub const ORIGIN: &str = "https://magpie.example";

pub struct World {
    server: TestServer,
    facts: Facts,
    contacts: Mutex<HashMap<Who, Contacts>>,
    /// Path and code of a reset of `Reader`'s, by e-mail.
    pub reset: (String, String),
}

/// Where any number of equal worlds come from: to make the first is dear.
pub struct WorldMould {
    server: Mould,
    files: InMemory,
    facts: Facts,
}

/// Who and what there is in a world.
#[derive(Clone)]
pub struct Facts {
    people: HashMap<Who, Person>,
    pub org: String,
    pub group: String,
    /// Of the message that is acted on.
    pub seq: i64,
    /// Of messages that ask everyone for 收到: of `Sender`, and of another.
    pub asking: (i64, i64),
    pub invitation: String,
    pub code: String,
    /// Of the link that `Guest` came by.
    pub guest_code: String,
    /// By which `Reader` is found.
    pub person_code: String,
    /// Of `Pending`.
    pub request: String,
    /// The version of `Colleague`'s photo.
    pub photo: String,
    /// A picture of `Sender`'s in the group.
    pub file: String,
    /// An unfinished upload of `Sender`'s.
    pub upload: String,
    /// One of `Guest`'s.
    pub guest_upload: String,
    /// Where `GuestB` sits.
    pub talk_b: String,
    /// A rung of `Sender`'s ladder.
    pub rung: String,
    /// One of each person.
    notices: HashMap<Who, String>,
}

impl Deref for World {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

/// The contact points of somebody, made when they are needed.
#[derive(Clone)]
pub struct Contacts {
    /// Verified; a code to release it was sent.
    pub mail: String,
    pub release: String,
    /// Not verified; a code was sent.
    pub phone: String,
    pub code: String,
}

/// Something to be looked at, with what only operators may see.
struct Fake;

impl kernel::health::Check for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn look(&self) -> kernel::health::Looking<'_> {
        use kernel::health::{Finding, State};
        Box::pin(async { Finding::new(State::Ok, "works", &[], "canary-health", "") })
    }
}

async fn join(owner: &Person, org: &str, people: &[&Person]) {
    let invitation = owner.post(&format!("/api/v1/orgs/{org}/invitations"), json!({})).await.ok();
    let code = invitation["code"].as_str().unwrap();
    for person in people {
        person.post(&format!("/api/v1/invitations/{code}/accept"), json!({})).await.ok();
    }
}

/// A notice of theirs.
async fn notice(server: &TestServer, person: &Person) -> String {
    let (ctx, user) = (server.kernel.ctx(kernel::Principal::SYSTEM), person.id);
    let told = move |tx: &mut store::Tx<'_>| -> proto::Result<()> {
        tx.lock(&[identity::notice_key(user)])?;
        identity::notify(tx, &ctx, user, identity::NoticeKind::RoleChanged, json!({}))
    };
    server.db().write(told).await.unwrap();
    let listed = person.get("/api/v1/me/notices").await;
    // Whose session has ended cannot read it.
    if listed.status.is_success() {
        listed.ok()["items"][0]["id"].as_str().unwrap().to_owned()
    } else {
        user.to_string()
    }
}

pub async fn say(person: &Person, conversation: &str, text: &str) -> i64 {
    let path = format!("/api/v1/conversations/{conversation}/messages");
    person.post(&path, samples::message(text)).await.ok()["seq"].as_i64().unwrap()
}

/// Asks everyone in a conversation for 收到.
async fn ask(person: &Person, conversation: &str) -> i64 {
    let mut message = samples::message("please confirm");
    message["ack"] = true.into();
    let path = format!("/api/v1/conversations/{conversation}/messages");
    person.post(&path, message).await.ok()["seq"].as_i64().unwrap()
}

/// Begins an upload, with its bytes if there are any; the file's id.
async fn upload(person: &Person, name: &str, conversation: Option<&str>, bytes: &[u8]) -> String {
    let mut headers = samples::upload(name, conversation);
    if !bytes.is_empty() {
        headers[1].1 = bytes.len().to_string();
        headers.push(("content-type", "application/offset+octet-stream".to_owned()));
    }
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let raw = person.raw(Method::POST, samples::UPLOADS, &headers, bytes.to_vec()).await;
    assert!(raw.status.is_success(), "{}", String::from_utf8_lossy(&raw.body));
    raw.header("magpie-file").to_owned()
}

fn configured(config: &mut KernelConfig, blobs: Blobs) {
    // Passkeys need a host name.
    config.public_url = ORIGIN.into();
    config.blobs = blobs;
}

impl WorldMould {
    pub async fn new() -> Self {
        let files = Arc::new(InMemory::new());
        let blobs = Blobs::over(files.clone());
        let set = |c: &mut KernelConfig| configured(c, blobs);
        let server = TestServer::configured(magpie::wiring::modules(), set).await;
        let facts = Facts::new(&server).await;
        Self { server: server.into_mould().await, files: files.fork(), facts }
    }

    pub async fn cast(&self) -> World {
        let blobs = Blobs::over(Arc::new(self.files.fork()));
        let server = self.server.cast(magpie::wiring::modules(), |c| configured(c, blobs)).await;
        // Checks are of the process, not of its rows.
        server.kernel.health.add(Arc::new(Fake));
        let mut facts = self.facts.clone();
        for person in facts.people.values_mut() {
            *person = person.on(&server);
        }
        World { server, facts, contacts: Mutex::default(), reset: Default::default() }
    }
}

impl Facts {
    async fn new(server: &TestServer) -> Self {
        let mut people = HashMap::new();
        for who in PEOPLE.iter().filter(|who| !who.is_guest()) {
            // The name of `Colleague` is a canary too.
            let name = if *who == Who::Colleague { "canary-colleague".to_owned() } else { format!("person {who:?}") };
            people.insert(*who, server.person(&name).await);
        }
        let p = |who: Who| &people[&who];
        let org_of = async |owner: &Person, name: &str| {
            owner.post("/api/v1/orgs", json!({ "name": name })).await.ok()["id"].as_str().unwrap().to_owned()
        };
        let org = org_of(p(Who::OwnerA), "canary-org-a").await;
        let other = org_of(p(Who::OwnerB), "canary-org-b").await;
        let staff: Vec<&Person> = PEOPLE
            .iter()
            .filter(|w| w.in_a().is_some() || matches!(w, Who::Leaver | Who::Suspended))
            .skip(1)
            .map(|w| p(*w))
            .collect();
        join(p(Who::OwnerA), &org, &staff).await;
        join(p(Who::OwnerB), &other, &[p(Who::MemberB), p(Who::Both)]).await;
        let admin = p(Who::AdminA);
        let path = format!("/api/v1/orgs/{org}/members/{}", admin.id);
        p(Who::OwnerA).patch(&path, json!({ "role": "admin" })).await.ok();

        let members =
            [Who::GroupAdmin, Who::Sender, Who::Reader, Who::Both, Who::Leaver, Who::Removed].map(|w| p(w).id);
        let made = json!({ "org_id": org, "title": "canary-group-title", "members": members });
        let group = admin.post("/api/v1/conversations", made).await.ok()["id"].as_str().unwrap().to_owned();
        magpie::admin::set_operator(&server.kernel, &p(Who::OwnerB).login, true).await.unwrap();
        let member = |who: Who| format!("/api/v1/conversations/{group}/members/{}", p(who).id);
        admin.patch(&member(Who::GroupAdmin), json!({ "role": "admin" })).await.ok();
        admin.delete(&member(Who::Removed)).await.ok();
        p(Who::Leaver).delete(&format!("/api/v1/orgs/{org}/members/{}", p(Who::Leaver).id)).await.ok();

        admin.put_bytes("/api/v1/me/photo", samples::PNG.to_vec()).await.ok();
        let link = admin.post(&format!("/api/v1/orgs/{org}/guest-links"), json!({ "conversation": group })).await.ok();
        let guest_code = link["code"].as_str().unwrap().to_owned();
        let (guest, _) = server.nobody().enter(&guest_code, "person Guest").await;
        let link = p(Who::OwnerB).post(&format!("/api/v1/orgs/{other}/guest-links"), json!({})).await.ok();
        let (guest_b, talk_b) = server.nobody().enter(link["code"].as_str().unwrap(), "person GuestB").await;
        let seq = say(p(Who::Sender), &group, "canary-group-message").await;
        let asking = (ask(p(Who::Sender), &group).await, ask(admin, &group).await);
        let file = upload(p(Who::Sender), "canary-group-file.png", None, samples::PNG).await;
        let mut shown = samples::message("a picture");
        shown["body"]["blocks"] = json!([{ "type": "image", "file": file }]);
        p(Who::Sender).post(&format!("/api/v1/conversations/{group}/messages"), shown).await.ok();
        let guest_upload = upload(&guest, "canary-guests-upload.txt", Some(&group), b"").await;
        let upload = upload(p(Who::Sender), "canary-upload.txt", None, b"").await;
        let rung = json!({ "kind": "ntfy", "address": "https://ntfy.example/t", "label": "canary-rung" });
        let rung = p(Who::Sender).post("/api/v1/me/notifications/rungs", rung).await.ok();
        let rung = rung["id"].as_str().unwrap().to_owned();
        let direct = json!({ "user": p(Who::Colleague).id });
        let direct = admin.post("/api/v1/conversations/direct", direct).await.ok();
        say(admin, direct["id"].as_str().unwrap(), "canary-direct").await;
        let list = p(Who::Sender).get("/api/v1/conversations").await.ok();
        let note = list["items"].as_array().unwrap().iter().find(|c| c["kind"] == "self").expect("a note to oneself");
        say(p(Who::Sender), note["id"].as_str().unwrap(), "canary-note").await;
        let draft = format!("/api/v1/conversations/{group}/draft");
        p(Who::Sender).put(&draft, json!({ "text": "canary-draft" })).await.ok();

        let person_code = p(Who::Reader).get("/api/v1/me/friend-code").await.ok()["code"].as_str().unwrap().to_owned();
        let ask = json!({ "code": person_code, "hello": "canary-hello" });
        p(Who::Stranger).post("/api/v1/me/friends", ask).await.ok();
        let photo =
            p(Who::Colleague).put_bytes("/api/v1/me/photo", samples::PNG.to_vec()).await.ok()["photo"].to_string();
        let invitation = p(Who::OwnerA).post(&format!("/api/v1/orgs/{org}/invitations"), json!({})).await.ok();
        let suspended = format!("/api/v1/orgs/{org}/members/{}", p(Who::Suspended).id);
        p(Who::OwnerA).patch(&suspended, json!({ "state": "suspended" })).await.ok();
        let asks = json!({ "approval": true });
        let asks = p(Who::OwnerA).post(&format!("/api/v1/orgs/{org}/invitations"), asks).await.ok();
        let accept = format!("/api/v1/invitations/{}/accept", asks["code"].as_str().unwrap());
        let request = p(Who::Pending).post(&accept, json!({})).await.ok()["request"]["id"].clone();
        p(Who::Ended).delete("/api/v1/sessions/current").await.ok();
        people.insert(Who::Guest, guest);
        people.insert(Who::GuestB, guest_b);
        let mut notices = HashMap::new();
        for (who, person) in &people {
            notices.insert(*who, notice(server, person).await);
        }
        server.run_jobs().await;
        Self {
            notices,
            org,
            group,
            seq,
            asking,
            invitation: invitation["id"].as_str().unwrap().to_owned(),
            code: invitation["code"].as_str().unwrap().to_owned(),
            guest_code,
            person_code,
            request: request.as_str().unwrap().to_owned(),
            photo,
            file,
            upload,
            guest_upload,
            talk_b,
            rung,
            people,
        }
    }
}

impl World {
    pub fn contacts(&self, who: Who) -> Contacts {
        let none =
            Contacts { mail: self.org.clone(), release: String::new(), phone: self.org.clone(), code: String::new() };
        self.contacts.lock().unwrap().get(&who).cloned().unwrap_or(none)
    }

    async fn make_reset(&mut self) {
        self.make_contacts(Who::Reader).await;
        let n = PEOPLE.iter().position(|w| *w == Who::Reader).unwrap();
        let address = format!("person{n}@example.org");
        let made = self.server.nobody().post("/api/v1/resets", json!({ "contact": address })).await.ok();
        self.server.run_jobs().await;
        self.reset = (format!("/api/v1/resets/{}", made["id"].as_str().unwrap()), self.server.outbox.code(&address));
    }

    async fn make_contacts(&self, who: Who) {
        if self.contacts.lock().unwrap().contains_key(&who) {
            return;
        }
        let (person, n) = (self.person(who), PEOPLE.iter().position(|w| *w == who).unwrap());
        let add = async |kind: &str, address: &str| {
            let made = person.post("/api/v1/me/contacts", json!({ "kind": kind, "address": address })).await.ok();
            self.server.run_jobs().await;
            (made["id"].as_str().unwrap().to_owned(), self.server.outbox.code(address))
        };
        let (address, number) = (format!("person{n}@example.org"), format!("+861380013{n:04}"));
        let (mail, code) = add("email", &address).await;
        person.post(&format!("/api/v1/me/contacts/{mail}/verify"), json!({ "code": code })).await.ok();
        person.post(&format!("/api/v1/me/contacts/{mail}/codes"), json!({})).await.ok();
        self.server.run_jobs().await;
        let release = self.server.outbox.code(&address);
        let (phone, code) = add("phone", &number).await;
        self.contacts.lock().unwrap().insert(who, Contacts { mail, release, phone, code });
    }

    pub fn notice(&self, who: Who) -> String {
        self.notices[&who].clone()
    }

    pub fn nobody(&self) -> &testkit::Nobody {
        self.server.nobody()
    }

    pub fn clock(&self) -> i64 {
        self.server.kernel.now()
    }

    /// Somebody who was not there before.
    pub async fn newcomer(&self, name: &str) -> Person {
        self.server.person(name).await
    }

    pub fn advance(&self, ms: i64) {
        self.server.clock.advance(ms);
    }

    pub fn db(&self) -> store::Db {
        self.server.db()
    }

    pub async fn run_jobs(&self) {
        self.server.run_jobs().await;
    }

    pub fn person(&self, who: Who) -> &Person {
        &self.people[&who]
    }

    async fn ask(&self, who: Who, method: Method, path: &str, body: Option<Value>) -> Answer {
        match who {
            Who::Nobody => self.server.nobody().request(method, path, &[], body).await,
            Who::Forged => {
                let bearer = [("authorization", "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")];
                self.server.nobody().request(method, path, &bearer, body).await
            }
            _ if method == Method::PUT && path.ends_with("/photo") => {
                self.person(who).put_bytes(path, samples::PNG.to_vec()).await
            }
            _ if path.starts_with(samples::UPLOADS) => {
                let conversation = match who {
                    Who::Guest => Some(self.group.as_str()),
                    Who::GuestB => Some(self.talk_b.as_str()),
                    _ => None,
                };
                let mut headers = samples::upload("another.txt", conversation);
                headers.push(("content-type", "application/offset+octet-stream".to_owned()));
                let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                self.person(who).raw(method, path, &headers, b"abc".to_vec()).await.answer()
            }
            _ => self.person(who).request(method, path, body).await,
        }
    }

    /// Does an operation as somebody and notes what is not as expected.
    pub(super) async fn try_it(&mut self, operation: &Operation, who: Who, wanted: Expected, faults: &mut Vec<String>) {
        if operation.id == "identity.finish_reset" {
            self.make_reset().await;
        }
        if operation.object == "contact" && who.has_session() && !who.is_guest() {
            self.make_contacts(who).await;
        }
        // A guest has no way to sign in and no account to prepare with: what
        // is anyone's is another's here.
        let by = if who.is_guest() { Who::Stranger } else { who };
        let prepared = match wanted {
            Expected::Done => match signing::request(self, operation, by).await {
                Some(request) => Some(request),
                None => accounts::request(self, operation, by).await,
            },
            _ => None,
        };
        let (path, body) = prepared.unwrap_or_else(|| samples::request(self, operation, who));
        let answer = self.ask(who, operation.method.clone(), &path, body).await;
        let status = answer.status.as_u16();
        let fits = match wanted {
            Expected::Done => answer.status.is_success(),
            Expected::SignIn => status == 401,
            Expected::Forbidden => status == 403,
            Expected::Invisible => status == 404,
        };
        if !fits {
            faults.push(format!("{who:?} {}: {wanted:?} was promised, came {status} {}", operation.id, answer.body));
        }
        let received = format!("{:?} {}", answer.headers, answer.body);
        for canary in CANARIES {
            // Whoever holds an invitation is told where it leads to.
            let invited = match operation.object.as_str() {
                "invitation" => canary.text == "canary-org-a",
                "guest_link" => matches!(canary.text, "canary-org-a" | "canary-group-title"),
                _ => false,
            };
            // An owner who takes everything along has what belongs to the organisation.
            let taken = operation.id == "directory.export_org" && canary.text.starts_with("canary-group");
            if received.contains(canary.text) && !(canary.seen_by)(who) && !invited && !taken {
                faults.push(format!("{who:?} {}: received {}", operation.id, canary.text));
            }
        }
    }
}

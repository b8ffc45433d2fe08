//! Files that hang on things of other modules: on a message, later on a
//! document or a form.
//!
//! Whoever keeps files and whoever keeps messages do not know each other; they
//! meet in four questions, which travel as events because hooks are how one
//! module reaches another:
//!
//! * [`Attach`]: a holder takes files along, in the transaction that writes
//!   it. Whoever keeps files answers what is to be told of each, or refuses.
//! * [`Detach`]: a holder let go of files.
//! * [`WhoMayRead`]: may this person read one of these holders? A file can be
//!   read by whoever may read something that holds it, at that moment.
//! * [`GuestSeat`]: does this guest sit here now, whose guest are they by it,
//!   and may they send files?

use parking_lot::Mutex;
use proto::{Code, FileId, OrgId, Result, UserId};
use serde::{Deserialize, Serialize};
use store::Tx;
use uuid::Uuid;

use crate::{Ctx, Event};

/// A thing that holds files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Holder {
    /// A word of the module that has it, such as `message`.
    pub kind: String,
    /// What access is asked for: a conversation.
    pub place: Uuid,
    /// What in it: the `seq` of a message.
    pub item: i64,
}

/// What is told of a file wherever it is shown: it never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    pub file: FileId,
    pub name: String,
    /// In bytes.
    pub size: i64,
    pub mime: String,
    pub picture: Option<PictureNote>,
}

/// What is told of a picture, so that its place is kept before it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureNote {
    pub width: i64,
    pub height: i64,
    pub colour: String,
    pub animated: bool,
}

/// A holder takes files along. Repeating it changes nothing.
#[derive(Debug)]
pub struct Attach {
    pub holder: Holder,
    /// To whom the holder belongs, if to an organisation.
    pub org: Option<OrgId>,
    /// At most `limits::MESSAGE_FILES`, each once.
    pub files: Vec<FileId>,
    notes: Mutex<Vec<FileNote>>,
}

impl Event for Attach {
    const VETOABLE: bool = true;
}

impl Attach {
    pub fn new(holder: Holder, org: Option<OrgId>, files: Vec<FileId>) -> Self {
        Self { holder, org, files, notes: Mutex::default() }
    }

    /// The answer of whoever keeps files: one for each, or a refusal.
    pub fn answer(&self, notes: Vec<FileNote>) {
        self.notes.lock().extend(notes);
    }

    /// Asks. Its locks ([`crate::Hooks::locks`]) must be held. The notes are
    /// as many as the files, unless nobody keeps files.
    pub fn run(self, tx: &mut Tx<'_>, ctx: &Ctx) -> Result<Vec<FileNote>> {
        ctx.hooks().run(tx, ctx, &self)?;
        Ok(self.notes.into_inner())
    }
}

/// A holder let go of files.
#[derive(Debug)]
pub struct Detach {
    pub holder: Holder,
    pub files: Vec<FileId>,
}

impl Event for Detach {
    const VETOABLE: bool = false;
}

/// The question "may this person read one of these now?". It is asked in
/// reads, takes no locks, and changes nothing.
#[derive(Debug)]
pub struct WhoMayRead {
    pub by: UserId,
    /// At most `limits::PAGE`.
    pub of: Vec<Holder>,
    answer: Mutex<bool>,
}

impl Event for WhoMayRead {
    const VETOABLE: bool = false;
}

impl WhoMayRead {
    /// Says yes; nobody can take it back.
    pub fn yes(&self) {
        *self.answer.lock() = true;
    }

    pub fn ask(tx: &mut Tx<'_>, ctx: &Ctx, of: Vec<Holder>) -> Result<bool> {
        let ask = Self { by: ctx.user(), of, answer: Mutex::default() };
        ctx.hooks().run(tx, ctx, &ask)?;
        Ok(ask.answer.into_inner())
    }
}

/// The seat of a guest that counts now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose guest they are.
    pub org: OrgId,
    /// Whether they may send files to it, else why not.
    pub files: Result<(), Code>,
}

/// The question "does this guest sit there now?". It is asked in reads and in
/// writes, takes no locks, and changes nothing.
#[derive(Debug)]
pub struct GuestSeat {
    pub by: UserId,
    /// As in [`Holder::place`].
    pub place: Uuid,
    answer: Mutex<Option<Seat>>,
}

impl Event for GuestSeat {
    const VETOABLE: bool = false;
}

impl GuestSeat {
    /// The answer of whoever let them in.
    pub fn answer(&self, seat: Seat) {
        *self.answer.lock() = Some(seat);
    }

    /// `None` where there is no such place, and where no seat there counts.
    pub fn ask(tx: &mut Tx<'_>, ctx: &Ctx, place: Uuid) -> Result<Option<Seat>> {
        let ask = Self { by: ctx.user(), place, answer: Mutex::default() };
        ctx.hooks().run(tx, ctx, &ask)?;
        Ok(ask.answer.into_inner())
    }
}

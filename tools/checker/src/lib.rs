//! Decides from a written history whether Magpie's promises C1–C8 and C12 hold.
//!
//! A history is what the clients of a test did and saw, as JSON Lines (`README.md` has the format). This crate must not know
//! the server: it links none of its code, so that a mistake there cannot excuse itself here.
//!
//! Two principles guide every rule:
//!
//! * **Sound.** Only what no correct server could have produced is a violation. An unknown outcome (`info`) may have happened
//!   or not, at any time after it was invoked.
//! * **Never vacuous.** A claim for which nothing was compared is "not exercised", not passed; a history that could not have
//!   shown a lost message is refused.

pub mod claims;
pub mod format;
pub mod model;
pub mod report;

use format::History;
use model::Model;
use report::{Claim, Report};

/// Judges a history. Claims in `required` that nothing in the history exercises make it vacuous.
pub fn check(history: &History, required: &[Claim]) -> Report {
    let model = Model::new(history);
    let mut report = Report::new(history);
    let mut judged = Vec::new();
    for conversation in model.conversations.values() {
        let seats = claims::order::check(conversation, &mut report);
        claims::presence::check(conversation, &seats, &mut report);
        claims::time::check(conversation, &seats, &mut report);
        claims::cursors::check(conversation, &seats, &mut report);
        let registers = claims::content::check(conversation, &seats, &mut report);
        judged.push(claims::liveness::Room::new(&model, conversation, seats, registers));
    }
    claims::liveness::check(&model, &judged, &mut report);
    claims::coverage::check(&model, required, &mut report);
    report
}

//! A good request for every operation. A new operation without one fails.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Operation,
    world::{Who, World},
};

/// A message with these words. Its client id is made from them.
pub fn message(text: &str) -> Value {
    json!({
        "client_id": Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()),
        "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": text }] },
        "mentions": [],
        "mention_all": false,
    })
}

/// The smallest photo: one pixel.
pub const PNG: &[u8] = b"\x89PNG\x0d\x0a\x1a\x0a\x00\x00\x00\x0dIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\x0dIDATx\xdacd\xf8\xcfP\x0f\x00\x03\x86\x01\x80Z4}k\x00\x00\x00\x00IEND\xaeB`\x82";

/// Where bytes are sent to, by headers rather than JSON.
pub const UPLOADS: &str = "/api/v1/files/uploads";

/// What a request there carries; what an operation does not ask for it passes
/// over. The name is that of the file; a guest names a conversation.
pub fn upload(name: &str, conversation: Option<&str>) -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let conversation = conversation.map(|id| format!(",conversation {}", encoded(id))).unwrap_or_default();
    let name = encoded(name);
    vec![
        ("tus-resumable", "1.0.0".to_owned()),
        ("upload-length", "3".to_owned()),
        ("upload-offset", "0".to_owned()),
        ("upload-metadata", format!("filename {name}{conversation}")),
    ]
}

/// The path with its places filled, and the body.
#[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "a table, a line an operation")]
pub fn request(world: &World, operation: &Operation, who: Who) -> (String, Option<Value>) {
    let id = |who: Who| world.person(who).id.to_string();
    let module_id = match operation.id.as_str() {
        "identity.get_user" | "identity.get_photo" | "directory.get_profile" => id(Who::Colleague),
        "identity.mark_notice" => world.notice(who),
        "identity.verify_contact" | "identity.remove_contact" => world.contacts(who).phone,
        id if id.starts_with("identity.") && operation.object == "contact" => world.contacts(who).mail,
        "identity.end_session" => world.person(who).session.clone(),
        "chat.create_guest_link" | "chat.list_guest_links" | "chat.revoke_guest_link" => world.org.clone(),
        id if id.starts_with("chat.") => world.group.clone(),
        // Their own, and who does not know of it.
        id if id.starts_with("files.") && operation.scope == "uploader" && who.asks_for_a_guests() => {
            world.guest_upload.clone()
        }
        id if id.starts_with("files.") && operation.scope == "uploader" => world.upload.clone(),
        id if id.starts_with("files.") => world.file.clone(),
        // Any moment of the past.
        "notify.ack_notice" => "01900000-0000-7000-8000-000000000000".to_owned(),
        id if id.starts_with("notify.") => world.rung.clone(),
        _ => world.org.clone(),
    };
    let target = match operation.id.as_str() {
        // The group's owner must not be the target, nor who asks: that is leaving.
        "chat.remove_member" | "chat.update_member" => {
            if who == Who::Reader {
                id(Who::Sender)
            } else {
                id(Who::Reader)
            }
        }
        _ if operation.scope == "pair" && who == Who::Stranger => id(Who::Reader),
        _ if operation.scope == "pair" => id(Who::Stranger),
        _ if who == Who::Colleague => id(Who::Reader),
        _ => id(Who::Colleague),
    };
    // Nobody is asked by their own message.
    let seq = match operation.id.as_str() {
        "chat.set_ack" | "chat.withdraw_ack" if who == Who::Sender => world.asking.1,
        "chat.set_ack" | "chat.withdraw_ack" => world.asking.0,
        _ => world.seq,
    };
    let code = match operation.object.as_str() {
        "guest_link" => &world.guest_code,
        _ if operation.scope == "person_code" => &world.person_code,
        _ => &world.code,
    };
    let mut path = operation
        .path
        .replace("{id}", &module_id)
        .replace("{user}", &target)
        .replace("{recovery}", &world.org)
        .replace("{seq}", &seq.to_string())
        .replace("{emoji}", "%F0%9F%91%8D")
        .replace("{invitation}", &world.invitation)
        .replace("{request}", &world.request)
        .replace("{link}", &world.org)
        .replace("{check}", "fake")
        .replace("{code}", code)
        .replace("{version}", &world.photo)
        .replace("{side}", "320");
    let body = match operation.id.as_str() {
        "identity.create_account" => Some(json!({ "name": "new", "password": "seven bridges of magpies" })),
        "identity.create_session" => {
            Some(json!({ "login": world.person(Who::Reader).login, "password": testkit::PASSWORD }))
        }
        "identity.change_password" => {
            Some(json!({ "password": testkit::PASSWORD, "new_password": "seven bridges of magpies" }))
        }
        "identity.start_reset" => Some(json!({ "contact": "nobody@example.org" })),
        "identity.finish_reset" => {
            let body = json!({ "code": world.reset.1, "new_password": "seven bridges of magpies" });
            return (world.reset.0.clone(), Some(body));
        }
        "files.create_link" | "kernel.test_health" => Some(json!({})),
        "identity.create_merge_offer" | "identity.confirm_merge" | "identity.undo_merge" => Some(json!({})),
        "identity.create_merge" => Some(json!({ "code": "000000000000" })),
        "identity.update_me" => Some(json!({ "name": "another" })),
        "identity.add_contact" => Some(json!({ "kind": "email", "address": "another@example.org" })),
        "identity.show_contact" => Some(json!({ "visible_to": "colleagues" })),
        "identity.verify_contact" => Some(json!({ "code": world.contacts(who).code })),
        "identity.release_contact" => Some(json!({ "old_code": world.contacts(who).release })),
        "identity.mark_notice" => Some(json!({ "seen": true })),
        "identity.list_users" => {
            path = format!("{path}?ids={}", id(Who::Colleague));
            None
        }
        "directory.issue_accounts" => Some(json!({ "people": [{ "name": "issued", "number": "n-1" }] })),
        "directory.create_recovery" => Some(json!({ "reason": "lost the phone" })),
        "directory.create_card"
        | "directory.approve_recovery"
        | "directory.take_recovery_card"
        | "directory.refuse_recovery" => Some(json!({})),
        "directory.create_org" => Some(json!({ "name": "a new one" })),
        "directory.update_org" => Some(json!({ "name": "canary-org-a renamed" })),
        "directory.update_member" => Some(json!({ "role": "member" })),
        "directory.update_invitation" => Some(json!({ "label": "for the new ones" })),
        "directory.update_settings" => Some(json!({ "step_up_minutes": 5 })),
        "directory.hand_over" => Some(json!({ "user": target, "then": "admin" })),
        "directory.close_org" => Some(json!({ "name": "canary-org-a" })),
        "directory.approve_request"
        | "directory.refuse_request"
        | "identity.send_contact_code"
        | "identity.keep_contact" => Some(json!({})),
        "directory.create_invitation" | "directory.accept_invitation" | "chat.recall_message" | "chat.undo_message" => {
            Some(json!({}))
        }
        "directory.ask_friend" => Some(json!({ "user": target })),
        "directory.update_friend" => Some(json!({ "remark": "a name of my own" })),
        "directory.accept_friend" | "directory.new_friend_code" => Some(json!({})),
        "chat.create_group" => {
            Some(json!({ "org_id": world.org, "title": "new", "members": [id(Who::Colleague), id(Who::Reader)] }))
        }
        "chat.create_guest_link" => Some(json!({})),
        "chat.enter_as_guest" => Some(json!({ "name": "visitor" })),
        "chat.open_direct" => Some(json!({ "user": target })),
        "chat.update_conversation" => Some(json!({ "title": "canary-group-title again" })),
        "chat.add_members" => Some(json!({ "users": [id(Who::Colleague)] })),
        "chat.update_member" => Some(json!({ "role": "admin" })),
        "chat.send_message" => Some(message("canary-group-message again")),
        "chat.forward_messages" => Some(json!({
            "client_id": Uuid::new_v5(&Uuid::NAMESPACE_OID, b"forward"), "seqs": [world.seq], "to": [world.group],
            "outside_confirmed": true,
        })),
        "chat.edit_message" => Some(
            json!({ "body": { "kind": "blocks", "blocks": [{ "type": "text", "text": "canary-group-message edited" }] } }),
        ),
        "chat.move_cursors" => Some(json!({ "cursors": [] })),
        "chat.set_preferences" => Some(json!({ "muted": true })),
        "chat.set_rest_hours" => Some(json!({ "zone": "Asia/Shanghai", "hours": [] })),
        "chat.set_draft" => Some(json!({ "text": "a draft" })),
        "notify.add_rung" => Some(json!({ "kind": "ntfy", "address": "https://ntfy.example/canary" })),
        "notify.update_rung" => Some(json!({ "enabled": false })),
        "notify.test_rung" | "notify.ack_notice" => Some(json!({})),
        "chat.find_message_at" => {
            path = format!("{path}?time=0");
            None
        }
        "chat.search_messages" => {
            path = format!("{path}?text=canary");
            None
        }
        "chat.list_acks" => {
            path = format!("{path}?state=missing");
            None
        }
        "chat.list_receipts" => {
            path = format!("{path}?state=unread");
            None
        }
        known if super::signing::covers(known) => Some(json!({})),
        known
            if matches!(operation.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE")
                || matches!(known, "chat.set_reaction" | "chat.set_ack" | "identity.set_photo")
                || known.starts_with("files.") && path.starts_with(UPLOADS) =>
        {
            None
        }
        unknown => panic!("{unknown}: write a good request for it in authz/samples.rs"),
    };
    (path, body)
}

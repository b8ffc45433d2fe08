//! Every size the server refuses to exceed, in one table, from which
//! `docs/limits.md` is made. Policy values (what an organisation may change)
//! are settings of the modules, not listed here.

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $unit:literal = $value:expr;)+) => {
        $($(#[doc = $doc])+ pub const $name: usize = $value;)+

        /// Name, value, unit and meaning of each limit.
        pub const ALL: &[(&str, usize, &str, &str)] = &[
            $((stringify!($name), $value, $unit, concat!($($doc,)+)),)+
        ];
    };
}

limits! {
    /// Longest name of a person, in characters of any script.
    NAME_CHARS: "characters" = 50;
    /// Longest text of a person about themselves.
    BIO_CHARS: "characters" = 200;
    /// Largest photo that is taken.
    PHOTO_BYTES: "bytes" = 5_242_880;
    /// Most pixels of a photo or a picture; a third for a progressive JPEG.
    PHOTO_PIXELS: "pixels" = 50_000_000;
    /// Longest side of a photo or a picture.
    PHOTO_SIDE: "pixels" = 20_000;
    /// Most memory a decoded photo or picture takes.
    PHOTO_DECODED_BYTES: "bytes" = 200_000_000;
    /// Largest file; an organisation may set less.
    FILE_BYTES: "bytes" = 4_294_967_296;
    /// Longest name of a file.
    FILE_NAME_CHARS: "characters" = 255;
    /// Largest file that is looked at as a picture.
    PICTURE_BYTES: "bytes" = 33_554_432;
    /// What an upload keeps at a time, and the largest body with a checksum.
    UPLOAD_PART_BYTES: "bytes" = 4_194_304;
    /// Most uploads of one person that are unfinished.
    UPLOADS_PER_PERSON: "uploads" = 100;
    /// Most uploads that are unfinished in one organisation.
    UPLOADS_PER_ORG: "uploads" = 5_000;
    /// Most uploads of one person that send at a time.
    UPLOADS_AT_ONCE: "uploads" = 6;
    /// Most files of one person in one organisation, or outside of any.
    FILES_PER_PERSON: "files" = 200_000;
    /// Most files of one organisation.
    FILES_PER_ORG: "files" = 20_000_000;
    /// Most files one person is given at a time by one node.
    DOWNLOADS_AT_ONCE: "downloads" = 16;
    /// Most files one node gives out at a time.
    DOWNLOADS: "downloads" = 256;
    /// Largest file of a guest, such as a phone's film; an organisation may set less.
    GUEST_FILE_BYTES: "bytes" = 104_857_600;
    /// Most that one guest sends in a day, which begins with the first upload.
    GUEST_DAY_BYTES: "bytes" = 536_870_912;
    /// Most that one guest keeps.
    GUEST_BYTES: "bytes" = 1_073_741_824;
    /// Most files of one guest.
    GUEST_FILES: "files" = 1_000;
    /// Most uploads of one guest that are unfinished.
    GUEST_UPLOADS: "uploads" = 5;
    /// Most uploads of one guest that send at a time.
    GUEST_UPLOADS_AT_ONCE: "uploads" = 2;
    /// Most files one guest is given at a time by one node.
    GUEST_DOWNLOADS_AT_ONCE: "downloads" = 4;
    /// Most that all guests of one conversation send in a day.
    GUESTS_DAY_BYTES: "bytes" = 2_147_483_648;
    /// Most that all guests of one conversation keep.
    GUESTS_BYTES: "bytes" = 4_294_967_296;
    /// Most files of all guests of one conversation.
    GUESTS_FILES: "files" = 10_000;
    /// Most uploads of all guests of one conversation that are unfinished.
    GUESTS_UPLOADS: "uploads" = 50;
    /// Part of what an organisation may keep, in bytes, files and unfinished uploads, that all its guests together may.
    GUESTS_SHARE: "percent" = 10;
    /// Most that all guests of one organisation send in a day; less where their share is less.
    GUESTS_ORG_DAY_BYTES: "bytes" = 21_474_836_480;
    /// Most uploads of guests that send to one node at a time.
    GUESTS_UPLOADS_AT_ONCE: "uploads" = 16;
    /// Most files one node gives out to guests at a time.
    GUESTS_DOWNLOADS: "downloads" = 64;
    /// What guests leave free of the disk that files lie on, beside what everybody leaves.
    GUESTS_LEAVE_BYTES: "bytes" = 1_073_741_824;
    /// Longest metadata of an upload.
    UPLOAD_METADATA_BYTES: "bytes" = 4_096;
    /// Most pictures and files of one message.
    MESSAGE_FILES: "files" = 20;
    /// Longest text that is looked for in messages.
    SEARCH_CHARS: "characters" = 100;
    /// Most messages that one search looks at before it answers.
    SEARCH_MESSAGES: "messages" = 2_000;
    /// Most friends, requests and blocked people of one person.
    FRIENDS: "people" = 5_000;
    /// Most people one person asks to be friends in a day.
    FRIEND_ASKS_PER_DAY: "requests" = 50;
    /// Longest name one gives to a friend, for oneself.
    REMARK_CHARS: "characters" = 50;
    /// Longest text with a request to be friends.
    HELLO_CHARS: "characters" = 100;
    /// Longest sign-in name.
    LOGIN_CHARS: "characters" = 64;
    /// Shortest password.
    PASSWORD_MIN_CHARS: "characters" = 8;
    /// Longest password.
    PASSWORD_CHARS: "characters" = 256;
    /// Longest e-mail address or phone number, as it is typed.
    CONTACT_CHARS: "characters" = 254;
    /// Most contact points of one person, verified or not.
    CONTACTS_PER_PERSON: "contacts" = 10;
    /// Longest name of an organisation.
    ORG_NAME_CHARS: "characters" = 100;
    /// Longest title of a conversation.
    TITLE_CHARS: "characters" = 100;
    /// Longest text of one message.
    MESSAGE_CHARS: "characters" = 10_000;
    /// Most blocks in one message.
    MESSAGE_BLOCKS: "blocks" = 200;
    /// Most people mentioned by name in one message.
    MENTIONS: "people" = 100;
    /// Most people mentioned by name in one message of a guest.
    GUEST_MENTIONS: "people" = 5;
    /// Most different emoji on one message.
    REACTION_KINDS: "emoji" = 50;
    /// Longest reaction.
    REACTION_BYTES: "bytes" = 64;
    /// Most people named in one request that creates or extends a group.
    GROUP_ADD: "people" = 500;
    /// Most guest links of one member of an organisation that are open.
    GUEST_LINKS: "links" = 100;
    /// Largest page of a list.
    PAGE: "rows" = 200;
    /// Largest page of history.
    HISTORY_PAGE: "messages" = 200;
    /// Largest JSON body of a request.
    BODY_BYTES: "bytes" = 262_144;
    /// Deepest nesting of a JSON body.
    JSON_DEPTH: "levels" = 32;
    /// Longest query string: 200 ids fit.
    QUERY_BYTES: "bytes" = 8_192;
    /// Largest sum of request headers.
    HEADER_BYTES: "bytes" = 32_768;
    /// Largest text message a client may send on the WebSocket.
    SOCKET_FRAME_BYTES: "bytes" = 65_536;
    /// Longest header of a binary message a client sends on the WebSocket.
    SOCKET_HEADER_BYTES: "bytes" = 4_096;
    /// Largest payload of a binary message a client sends to a stream.
    SOCKET_SEND_BYTES: "bytes" = 262_144;
    /// Largest payload passed on to the followers of a stream without being kept.
    SOCKET_PASS_BYTES: "bytes" = 8_192;
    /// Payload one socket may send in a second on average, and twice that at once; what is passed on counts eightfold.
    SOCKET_RATE_BYTES: "bytes" = 262_144;
    /// Largest sum of what the events of one change of a stream carry.
    CHANGE_BYTES: "bytes" = 262_144;
    /// Largest sum of what events carry in one catch-up of one stream before the client is told to read anew.
    CATCH_UP_BYTES: "bytes" = 4_194_304;
    /// Largest sum of frames waiting for one socket before it is closed.
    SOCKET_QUEUE_BYTES: "bytes" = 1_048_576;
    /// Most heads a client names when it resumes.
    RESUME_HEADS: "streams" = 200;
    /// Most people whose presence one socket follows.
    PRESENCE_WATCH: "people" = 200;
    /// Most streams one socket follows beyond those it follows by membership.
    SOCKET_SUBSCRIPTIONS: "streams" = 64;
    /// Most events in one catch-up of one stream before the client is told to read anew.
    CATCH_UP_EVENTS: "events" = 1_000;
    /// Most sockets of one person at a time.
    SOCKETS_PER_PERSON: "sockets" = 32;
    /// Most sessions of one person; the oldest idle one ends.
    SESSIONS_PER_PERSON: "sessions" = 100;
    /// Most passkeys of one person.
    PASSKEYS_PER_PERSON: "passkeys" = 20;
    /// Most organisations one person founds.
    ORGS_PER_PERSON: "organisations" = 50;
    /// Longest label of an invitation.
    LABEL_CHARS: "characters" = 50;
    /// Longest number an organisation gives a member.
    MEMBER_NUMBER_CHARS: "characters" = 32;
    /// Most requests to join that one person has open.
    JOIN_REQUESTS_PER_PERSON: "requests" = 20;
    /// Most requests to join that wait in one organisation.
    JOIN_REQUESTS_PER_ORG: "requests" = 1_000;
    /// Longest idempotency key.
    IDEMPOTENCY_KEY_BYTES: "bytes" = 128;
    /// Largest draft kept for a conversation.
    DRAFT_CHARS: "characters" = 10_000;
    /// Most times of the week in a person's rest hours.
    REST_HOURS: "times" = 20;
    /// Most messages forwarded at once.
    FORWARD_MESSAGES: "messages" = 100;
    /// Most conversations that messages are forwarded to at once.
    FORWARD_CONVERSATIONS: "conversations" = 20;
    /// Largest record of messages that are forwarded as one card.
    FORWARD_RECORD_BYTES: "bytes" = 262_144;
    /// Most files in a record of messages that are forwarded as one card.
    FORWARD_FILES: "files" = 30;
    /// Most ways by which one person is told while no client is open.
    RUNGS_PER_PERSON: "rungs" = 12;
    /// Longest address of such a way.
    RUNG_ADDRESS_CHARS: "characters" = 1_000;
}

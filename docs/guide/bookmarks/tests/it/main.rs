//! Bookmarks through HTTP and WebSocket, and the guide that quotes them.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod bookmarks;
mod documents;
mod ending;
mod law;

//! Bookmarks through HTTP and WebSocket, and the guide that quotes them.

mod bookmarks;
mod documents;
mod ending;
mod law;

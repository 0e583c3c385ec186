//! The native door, by its own client: over a socket, and in the same program.

mod admin;
mod consumer;
mod embedding;
mod groups;
mod producer;
mod support;

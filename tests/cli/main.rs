//! The program end to end: each command as a user types it, in folders of their own.

mod demo;
mod formats;
mod refusals;
mod shipped;
mod support;
mod whole_way;

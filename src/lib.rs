//! cadproof proves what a computer-aided detection or diagnosis (CAD) device does.
//!
//! A **protocol** (what was promised) and **observations** (what was seen) become **estimates** (what that shows)
//! and a **report** (what the reviewer reads). Everything that the command line does can be called from here.
//! The rooms stand in the order in which data flows through them; `docs/architecture.md` draws the picture.

pub mod error;
pub mod fault;
pub mod files;

pub mod protocol;

pub mod provenance;

pub mod data;

pub mod imaging;
pub mod inference;

pub mod analysis;
pub mod metrics;

pub mod stats;

pub mod figures;

pub mod report;

pub mod study;

pub mod cli;

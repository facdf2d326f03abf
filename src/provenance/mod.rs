//! What proves that nothing was changed: hashes, the lock with its chained amendments, the access ledger.

pub mod date;
pub mod hash;
pub mod ledger;
pub mod lock;

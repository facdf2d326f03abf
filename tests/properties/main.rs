//! Properties that hold for every data set, checked on random ones.

mod roc;
mod ustat;

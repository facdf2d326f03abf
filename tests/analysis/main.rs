//! The analysis on the studies that ship: what it must say, and what must not change it.

mod every_method;
mod shipped;
mod support;

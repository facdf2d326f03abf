//! Images and models as files: the imaging and inference rooms held against known values.

mod imaging;
mod run;
#[path = "../reference/support.rs"]
mod support;

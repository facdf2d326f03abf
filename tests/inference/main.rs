//! Images and models as files: the imaging and inference rooms held against known values.

mod imaging;
#[path = "../reference/support.rs"]
mod support;

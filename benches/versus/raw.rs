//! Reading and writing without a client library, so that the figure is the broker's.

mod reading;
mod writing;

pub use reading::drain;
pub use writing::{alone, produce_one, spread};

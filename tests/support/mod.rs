//! What several test folders need: a broker process to test against, and waiting with a limit.
// Each test folder is a program of its own and uses its own share of this.
#![allow(dead_code)]

pub(crate) mod broker;
pub(crate) mod launch;
pub(crate) mod process;

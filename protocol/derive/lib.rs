//! `#[derive(Wire)]`: a plain struct and its attributes become the code that reads and writes it on the Kafka wire.
//!
//! A message states its key and its versions, and every field states where it differs:
//!
//! ```ignore
//! #[derive(Debug, Clone, PartialEq, Eq, Wire)]
//! #[wire(api_key = 1, versions = "4-18", flexible = "12+")]
//! pub struct FetchRequest {
//!     #[wire(tag = 0, versions = "12+", ignorable)]
//!     pub cluster_id: Option<Str>,
//!     pub max_wait_ms: i32,
//!     #[wire(versions = "7+", default = -1, ignorable)]
//!     pub session_epoch: i32,
//!     pub topics: Vec<FetchTopic>,
//! }
//! ```
//!
//! | attribute | meaning | without it |
//! |---|---|---|
//! | `versions = "3+"`, `"3-8"`, `"7"` | where the field exists | everywhere |
//! | `nullable = "1+"` | where an `Option` field may be null | everywhere |
//! | `default = -1` | its value where it does not exist, and in `Default` | `Default::default()` |
//! | `ignorable` | may be left out silently where it does not exist | encoding another value than the default fails |
//! | `tag = 0` | travels as a tagged field, and only when it is not the default | travels in its place |
//!
//! The order of the fields in the struct is their order on the wire.

mod attributes;
mod defaults;
mod message;
mod read;
mod sample;
mod versions;
mod write;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, parse_macro_input};

use crate::message::Struct;

/// Implements `Wire`, `Nullable` and `Default`, and `Message` where an `api_key` is given.
#[proc_macro_derive(Wire, attributes(wire))]
pub fn derive_wire(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    match Struct::parse(&input) {
        Ok(parsed) => expand(&parsed).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn expand(parsed: &Struct) -> proc_macro2::TokenStream {
    let name = &parsed.name;
    let read = read::function(parsed);
    let write = write::function(parsed);
    let default = defaults::implementation(parsed);
    let message = message::implementation(parsed);
    let sample = sample::implementation(parsed);
    quote! {
        impl ::callboard_protocol::wire::Wire for #name {
            #read
            #write
        }
        impl ::callboard_protocol::wire::Nullable for #name {}
        #default
        #message
        #sample
    }
}

//! Generates `Default`: every field at the value that it has in versions where it does not exist.

use proc_macro2::TokenStream;
use quote::quote;

use crate::message::{Field, Struct};

pub(crate) fn implementation(parsed: &Struct) -> TokenStream {
    let name = &parsed.name;
    let fields = parsed.fields.iter().map(|Field { ident, default, .. }| quote!(#ident: #default));
    quote! {
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self { #(#fields),* }
            }
        }
    }
}

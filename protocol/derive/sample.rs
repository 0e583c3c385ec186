//! Generates random values for tests: any value that a version can carry.

use proc_macro2::TokenStream;
use quote::quote;

use crate::message::{Field, Struct};

pub(crate) fn implementation(parsed: &Struct) -> TokenStream {
    let name = &parsed.name;
    let fields = parsed.fields.iter().map(field);
    quote! {
        #[cfg(test)]
        impl ::callboard_protocol::wire::sample::Sample for #name {
            fn sample(
                chance: &mut ::callboard_protocol::wire::sample::Chance,
                version: ::callboard_protocol::wire::Version,
            ) -> Self {
                Self { #(#fields),* }
            }
        }
    }
}

fn field(field: &Field) -> TokenStream {
    let Field { ident, ty, default, optional, .. } = field;
    let sample = |ty| quote!(<#ty as ::callboard_protocol::wire::sample::Sample>::sample(chance, version));
    let any = sample(ty);
    let value = match (optional, field.nullable.condition()) {
        (Some(inner), Some(nullable)) => {
            let not_null = sample(inner);
            quote!(if #nullable { #any } else { ::core::option::Option::Some(#not_null) })
        }
        (_, _) => any,
    };
    match field.versions.condition() {
        None => quote!(#ident: #value),
        Some(exists) => quote!(#ident: if #exists { #value } else { #default }),
    }
}

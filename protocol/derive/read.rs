//! Generates `Wire::read`: the fields in their order, then the tagged ones.

use proc_macro2::TokenStream;
use quote::quote;

use crate::message::{Field, Struct};

pub(crate) fn function(parsed: &Struct) -> TokenStream {
    let inline = parsed.inline().map(inline);
    let tagged = parsed.tagged();
    let tagged_defaults =
        tagged.iter().map(|(_, Field { ident, ty, default, .. })| quote!(let mut #ident: #ty = #default;));
    let tagged_fields = tagged_fields(&tagged);
    let idents = parsed.fields.iter().map(|field| &field.ident);
    quote! {
        fn read(
            reader: &mut ::callboard_protocol::wire::Reader,
            version: ::callboard_protocol::wire::Version,
        ) -> ::core::result::Result<Self, ::callboard_protocol::wire::DecodeError> {
            #(#inline)*
            #(#tagged_defaults)*
            if version.flexible {
                #tagged_fields
            }
            ::core::result::Result::Ok(Self { #(#idents),* })
        }
    }
}

/// A statement that reads the tagged fields which this struct knows and skips all others.
fn tagged_fields(tagged: &[(u32, &Field)]) -> TokenStream {
    if tagged.is_empty() {
        return quote!(reader.skip_tagged_fields()?;);
    }
    let arms = tagged.iter().map(|(tag, field)| arm(*tag, field));
    quote! {
        reader.tagged_fields(|tag, reader| {
            match tag {
                #(#arms)*
                _ => return ::core::result::Result::Ok(false),
            }
            ::core::result::Result::Ok(true)
        })?;
    }
}

fn inline(field: &Field) -> TokenStream {
    let Field { ident, ty, default, versions, .. } = field;
    let value = value(field);
    match versions.condition() {
        None => quote!(let #ident: #ty = #value;),
        Some(exists) => quote!(let #ident: #ty = if #exists { #value } else { #default };),
    }
}

fn arm(tag: u32, field: &Field) -> TokenStream {
    let ident = &field.ident;
    let value = value(field);
    let guard = field.versions.condition().map(|exists| quote!(if #exists));
    quote!(#tag #guard => #ident = #value,)
}

/// An expression that reads the field, for versions where it exists.
fn value(field: &Field) -> TokenStream {
    let Field { ty, label, optional, .. } = field;
    let read = |ty| quote!(::callboard_protocol::wire::read_field::<#ty>(reader, version, #label)?);
    let plain = read(ty);
    match (optional, field.nullable.condition()) {
        (Some(inner), Some(nullable)) => {
            let not_null = read(inner);
            quote!(if #nullable { #plain } else { ::core::option::Option::Some(#not_null) })
        }
        (_, _) => plain,
    }
}

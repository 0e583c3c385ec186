//! Generates `Wire::write`: the fields in their order, then the tagged ones that are not at their default.

use proc_macro2::TokenStream;
use quote::quote;

use crate::message::{Field, Struct};

pub(crate) fn function(parsed: &Struct) -> TokenStream {
    let inline = parsed.inline().map(inline);
    let tagged = parsed.tagged();
    let tagged_writes = tagged.iter().map(|(tag, field)| tagged_write(*tag, field));
    let tagged_fields = if tagged.is_empty() {
        quote! {
            if version.flexible {
                writer.put_no_tagged_fields();
            }
        }
    } else {
        quote! {
            let mut tagged = ::callboard_protocol::wire::TaggedFields::new();
            #(#tagged_writes)*
            if version.flexible {
                writer.put_tagged_fields(tagged);
            }
        }
    };
    quote! {
        fn write(
            &self,
            writer: &mut ::callboard_protocol::wire::Writer,
            version: ::callboard_protocol::wire::Version,
        ) -> ::core::result::Result<(), ::callboard_protocol::wire::EncodeError> {
            #(#inline)*
            #tagged_fields
            ::core::result::Result::Ok(())
        }
    }
}

fn inline(field: &Field) -> TokenStream {
    let value = value(field, &quote!(writer));
    match (field.versions.condition(), absent(field)) {
        (None, _) => value,
        (Some(exists), None) => quote!(if #exists { #value }),
        (Some(exists), Some(refused)) => quote!(if #exists { #value } else #refused),
    }
}

fn tagged_write(tag: u32, field: &Field) -> TokenStream {
    let Field { ident, default, .. } = field;
    let value = value(field, &quote!(&mut value));
    let put = quote! {
        if self.#ident != #default {
            let mut value = ::callboard_protocol::wire::Writer::new();
            #value
            tagged.put(#tag, value);
        }
    };
    match (field.versions.condition(), absent(field)) {
        (None, _) => put,
        (Some(exists), None) => quote!(if #exists { #put }),
        (Some(exists), Some(refused)) => quote!(if #exists { #put } else #refused),
    }
}

/// A statement that writes the field, for versions where it exists.
fn value(field: &Field, writer: &TokenStream) -> TokenStream {
    let Field { ident, label, optional, .. } = field;
    let nullable = field.nullable.condition().filter(|_| optional.is_some());
    let plain = quote!(::callboard_protocol::wire::Wire::write(&self.#ident, #writer, version)?;);
    match nullable {
        None => plain,
        Some(nullable) => quote! {
            if #nullable {
                #plain
            } else {
                ::callboard_protocol::wire::write_not_null(self.#ident.as_ref(), #writer, version, #label)?;
            }
        },
    }
}

/// A block, with its `if`, that refuses to drop a value in a version that cannot carry it.
fn absent(field: &Field) -> Option<TokenStream> {
    let Field { ident, label, default, .. } = field;
    (!field.ignorable).then(|| {
        quote! {
            if self.#ident != #default {
                return ::core::result::Result::Err(
                    ::callboard_protocol::wire::EncodeError::absent(#label, version)
                );
            }
        }
    })
}

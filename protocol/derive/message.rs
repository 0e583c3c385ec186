//! The parsed struct that all generated code starts from, and the `Message` implementation of top-level ones.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, GenericArgument, Ident, PathArguments, Type};

use crate::attributes::{FieldAttributes, StructAttributes};
use crate::versions::Versions;

/// A struct that travels: a whole message, or a part of one.
pub(crate) struct Struct {
    pub(crate) name: Ident,
    pub(crate) fields: Vec<Field>,
    api: Option<Api>,
}

struct Api {
    key: i16,
    since: i16,
    until: i16,
    flexible_since: Option<i16>,
}

/// A field in its place on the wire.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// `T` of a field of type `Option<T>`.
    pub(crate) optional: Option<Type>,
    /// `Struct.field`, for error messages.
    pub(crate) label: String,
    pub(crate) versions: Versions,
    pub(crate) nullable: Versions,
    /// An expression: the value where the field does not exist.
    pub(crate) default: TokenStream,
    pub(crate) tag: Option<u32>,
    pub(crate) ignorable: bool,
}

impl Struct {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let Data::Struct(data) = &input.data else {
            return Err(syn::Error::new(input.span(), "only a struct has a form on the wire"));
        };
        let api = Api::parse(&StructAttributes::parse(&input.attrs)?, input)?;
        let fields = match &data.fields {
            Fields::Named(named) => named
                .named
                .iter()
                .map(|field| Field::parse(&input.ident, field))
                .collect::<syn::Result<_>>()?,
            Fields::Unit => Vec::new(),
            Fields::Unnamed(unnamed) => {
                return Err(syn::Error::new(unnamed.span(), "fields need names"));
            }
        };
        Ok(Self { name: input.ident.clone(), fields, api })
    }

    /// The fields that travel in their place, in order.
    pub(crate) fn inline(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.tag.is_none())
    }

    /// The fields that travel under a tag, in the order of the tags.
    pub(crate) fn tagged(&self) -> Vec<(u32, &Field)> {
        let mut tagged: Vec<_> = self.fields.iter().filter_map(|field| Some((field.tag?, field))).collect();
        tagged.sort_by_key(|(tag, _)| *tag);
        tagged
    }
}

impl Api {
    fn parse(attributes: &StructAttributes, input: &DeriveInput) -> syn::Result<Option<Self>> {
        let (key, versions) = match (attributes.api_key, attributes.versions) {
            (Some(key), Some(versions)) => (key, versions),
            (None, None) => return Ok(None),
            _ => {
                return Err(syn::Error::new(input.span(), "a message needs both an api_key and versions"));
            }
        };
        let until = versions
            .until
            .ok_or_else(|| syn::Error::new(input.span(), "the versions of a message need an end"))?;
        let flexible_since = attributes.flexible.map(|flexible| flexible.since);
        Ok(Some(Self { key, since: versions.since, until, flexible_since }))
    }
}

impl Field {
    fn parse(owner: &Ident, field: &syn::Field) -> syn::Result<Self> {
        let ident =
            field.ident.clone().ok_or_else(|| syn::Error::new(field.span(), "a field needs a name"))?;
        let attributes = FieldAttributes::parse(&field.attrs)?;
        let ty = field.ty.clone();
        let optional = optional(&ty);
        if attributes.nullable.is_some() && optional.is_none() {
            return Err(syn::Error::new(field.span(), "a nullable field is an Option"));
        }
        let default = attributes.default.map_or_else(
            || quote!(<#ty as ::core::default::Default>::default()),
            ToTokens::into_token_stream,
        );
        Ok(Self {
            label: format!("{owner}.{ident}"),
            ident,
            ty,
            optional,
            versions: attributes.versions.unwrap_or(Versions::ALL),
            nullable: attributes.nullable.unwrap_or(Versions::ALL),
            default,
            tag: attributes.tag,
            ignorable: attributes.ignorable,
        })
    }
}

/// `T`, if the type is written `Option<T>`.
fn optional(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|segment| segment.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner.clone()),
        _ => None,
    }
}

pub(crate) fn implementation(parsed: &Struct) -> Option<TokenStream> {
    let Api { key, since, until, flexible_since } = parsed.api.as_ref()?;
    let name = &parsed.name;
    let flexible = flexible_since.map_or_else(
        || quote!(::core::option::Option::None),
        |first| quote!(::core::option::Option::Some(#first)),
    );
    Some(quote! {
        impl ::callboard_protocol::wire::Message for #name {
            const API_KEY: i16 = #key;
            const VERSIONS: ::core::ops::RangeInclusive<i16> = #since..=#until;
            const FLEXIBLE_SINCE: ::core::option::Option<i16> = #flexible;
        }
    })
}

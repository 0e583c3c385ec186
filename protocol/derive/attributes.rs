//! Reads the `#[wire(…)]` attributes of a struct and of its fields.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, Expr, LitInt, LitStr};

use crate::versions::Versions;

/// What stands on a message: `api_key`, `versions` and `flexible`.
#[derive(Default)]
pub(crate) struct StructAttributes {
    pub(crate) api_key: Option<i16>,
    pub(crate) versions: Option<Versions>,
    pub(crate) flexible: Option<Versions>,
}

/// What stands on a field; see the crate's documentation.
#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) versions: Option<Versions>,
    pub(crate) nullable: Option<Versions>,
    pub(crate) default: Option<Expr>,
    pub(crate) tag: Option<u32>,
    pub(crate) ignorable: bool,
}

impl StructAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("api_key") {
                parsed.api_key = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("versions") {
                parsed.versions = Some(versions(meta)?);
            } else if meta.path.is_ident("flexible") {
                parsed.flexible = Some(versions(meta)?);
            } else {
                return Err(meta.error("expected api_key, versions or flexible"));
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

impl FieldAttributes {
    pub(crate) fn parse(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut parsed = Self::default();
        each(attributes, |meta| {
            if meta.path.is_ident("versions") {
                parsed.versions = Some(versions(meta)?);
            } else if meta.path.is_ident("nullable") {
                parsed.nullable = Some(versions(meta)?);
            } else if meta.path.is_ident("default") {
                parsed.default = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("tag") {
                parsed.tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("ignorable") {
                parsed.ignorable = true;
            } else {
                return Err(meta.error("expected versions, nullable, default, tag or ignorable"));
            }
            Ok(())
        })?;
        Ok(parsed)
    }
}

fn each(
    attributes: &[Attribute],
    mut visit: impl FnMut(&ParseNestedMeta) -> syn::Result<()>,
) -> syn::Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("wire"))
        .try_for_each(|attribute| attribute.parse_nested_meta(|meta| visit(&meta)))
}

fn versions(meta: &ParseNestedMeta) -> syn::Result<Versions> {
    Versions::parse(&meta.value()?.parse::<LitStr>()?)
}

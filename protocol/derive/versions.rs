//! A range of versions as it is written in an attribute: `3+`, `3-8` or `7`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// The versions from `since` to `until`, both included; without `until` there is no end.
#[derive(Clone, Copy)]
pub(crate) struct Versions {
    pub(crate) since: i16,
    pub(crate) until: Option<i16>,
}

impl Versions {
    pub(crate) const ALL: Self = Self { since: 0, until: None };

    pub(crate) fn parse(literal: &LitStr) -> syn::Result<Self> {
        let text = literal.value();
        let number = |part: &str| {
            part.parse::<i16>().map_err(|_| {
                syn::Error::new(literal.span(), "expected versions such as \"3+\", \"3-8\" or \"7\"")
            })
        };
        if let Some(since) = text.strip_suffix('+') {
            return Ok(Self { since: number(since)?, until: None });
        }
        let (since, until) = text.split_once('-').unwrap_or((&text, &text));
        let parsed = Self { since: number(since)?, until: Some(number(until)?) };
        if parsed.until < Some(parsed.since) {
            return Err(syn::Error::new(literal.span(), "the last version is before the first"));
        }
        Ok(parsed)
    }

    /// The condition that the version at hand is in this range; `None` when it always is.
    pub(crate) fn condition(self) -> Option<TokenStream> {
        let since = self.since;
        match (since, self.until) {
            (0, None) => None,
            (_, None) => Some(quote!(version.number >= #since)),
            (0, Some(until)) => Some(quote!(version.number <= #until)),
            (_, Some(until)) if until == since => Some(quote!(version.number == #since)),
            (_, Some(until)) => Some(quote!((#since..=#until).contains(&version.number))),
        }
    }
}

//! Tagged fields: optional values at the end of a struct, each with a number and a size, so that an older reader can skip it.

use super::Writer;

/// The tagged fields of one struct that have something to say, in the order of their tags.
#[derive(Debug, Default)]
pub struct TaggedFields {
    fields: Vec<(u32, Writer)>,
}

impl TaggedFields {
    /// No fields yet; this does not allocate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field and what was written as its value. Tags come in growing order.
    pub fn put(&mut self, tag: u32, value: Writer) {
        debug_assert!(self.fields.last().is_none_or(|(last, _)| *last < tag), "tags come in growing order");
        self.fields.push((tag, value));
    }
}

impl Writer {
    /// Appends the tagged fields of a struct.
    pub fn put_tagged_fields(&mut self, tagged: TaggedFields) {
        self.put_unsigned_varint(tagged.fields.len() as u32);
        for (tag, value) in tagged.fields {
            self.put_unsigned_varint(tag);
            self.put_unsigned_varint(value.len() as u32);
            self.put_all(value);
        }
    }

    /// Appends that a struct has no tagged fields.
    pub fn put_no_tagged_fields(&mut self) {
        self.put_i8(0);
    }
}

//! Hello: the greeting that every connection begins with.

use super::body;

body! {
    /// A client greets. Nothing else is answered before it.
    pub struct Hello {
        /// The oldest version of the protocol that the client speaks.
        pub version_min: u16,
        /// The newest one.
        pub version_max: u16,
        /// What the client calls itself.
        pub client_id: String,
        /// The name and version of its software, for the broker's log.
        pub software: String,
    }

    /// The broker greets back.
    pub struct Welcome {
        /// The version that is spoken from here on.
        pub version: u16,
        /// What the broker can do beside the operations of that version; no bit has a meaning yet.
        pub capabilities: u64,
        /// The broker's software and its version.
        pub software: String,
        /// The cluster's id.
        pub cluster_id: String,
        /// The broker's number in it.
        pub node_id: i32,
        /// Bytes of the largest frame that the broker takes, without its length.
        pub frame_bytes_max: u32,
        /// Requests that may wait for their answers at once; the broker reads no more than those.
        pub requests_in_flight_max: u32,
    }
}

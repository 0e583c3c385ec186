//! Bytes from outside as a record batch: checked as a producer's, and unpacked as a reader does.
#![no_main]

use bytes::Bytes;
use callboard_protocol::batch::records::find_time;
use callboard_protocol::batch::{
    BATCH_HEADER_BYTES, Batch, BatchHeader, Placement, Rules, Unpacked, validate,
};
use libfuzzer_sys::fuzz_target;

const RULES: Rules = Rules {
    batch_bytes_max: 1 << 20,
    now: 1_700_000_000_000,
    before_max: i64::MAX,
    after_max: 3_600_000,
    log_append_time: false,
};

fuzz_target!(|input: &[u8]| {
    let bytes = Bytes::copy_from_slice(input);
    // Hardly any input has the right checksum, so looking inside does not wait for one.
    let _ = find_time(&bytes, |_| false);
    if let Some(header) = BatchHeader::parse(&bytes) {
        // A consumer asks for the checksum first, so it is made right.
        let sealed = Batch::seal(header, &bytes[BATCH_HEADER_BYTES..]);
        let records = sealed.bytes.slice(BATCH_HEADER_BYTES..);
        if let Ok(unpacked) = Unpacked::new(&sealed.bytes, records, 1 << 24) {
            for record in unpacked.records().flatten() {
                assert!(record.headers().count() <= bytes.len());
            }
        }
    }
    for log_append_time in [false, true] {
        if let Ok(batch) = validate(bytes.clone(), &Rules { log_append_time, ..RULES }) {
            let stamped = batch.stamp(Placement { base_offset: 7, leader_epoch: 1 });
            assert_eq!(stamped.len(), input.len(), "a place changes no length");
            assert_eq!(batch.with_log_append_time(RULES.now).bytes.len(), input.len());
        }
    }
});
